//! How people come in: the set-up link of the first start, the password, the session, and a command line that they let in.

use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::json;

use crate::browser::{Browser, hidden};
use crate::client::until;
use crate::home::{Engine, Home, on_both_stores};
use crate::server::{Launch, Server};

on_both_stores!(
    the_owner_sets_up_signs_in_and_out,
    a_form_from_elsewhere_does_nothing,
    a_command_line_is_let_in_once,
    guessing_is_slowed_down,
);

const EMAIL: &str = "Ada@Example.com";
const PASSWORD: &str = "correct \"horse\" & battery";

/// A node whose first start has made everything by itself, and its set-up link's key.
async fn first_start(engine: Engine) -> (Arc<Home>, Server, String) {
    let home = Arc::new(Home::new(engine).await);
    let launch = Launch::of(&home).without_env("PADCLOCK_BOOTSTRAP_TOKEN");
    let server = launch.start().await;
    let said = home.logged();
    let rest = said.split_once("/setup#").expect("a set-up link").1;
    let key: String = rest
        .chars()
        .take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_')
        .collect();
    home.plant("the owner's password", PASSWORD);
    (home, server, key)
}

async fn set_up(browser: &Browser, key: &str) {
    let fields = [
        ("link", key),
        ("name", "Ada <b>"),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    let answer = browser.fill("/setup", "/setup", &fields).await.expect(303);
    assert_eq!(answer.header("location"), "/");
}

async fn the_owner_sets_up_signs_in_and_out(engine: Engine) {
    let (home, server, key) = first_start(engine).await;
    let browser = Browser::of(&server.address);
    let short = [
        ("link", key.as_str()),
        ("name", "Ada"),
        ("email", EMAIL),
        ("password", "short"),
    ];
    let refused = browser.fill("/setup", "/setup", &short).await.expect(400);
    assert!(refused.text().contains("at least 12 characters"));
    set_up(&browser, &key).await;
    let first = browser.open("/").await.expect(200);
    assert!(first.text().contains("Ada &#60;b&#62;"), "{}", first.text());
    assert!(first.text().contains("<dd>owner</dd>"));
    assert!(
        first
            .header("content-security-policy")
            .starts_with("default-src 'none'")
    );

    // The link has done its work.
    let again = Browser::of(&server.address);
    let fields = [
        ("link", key.as_str()),
        ("name", "Eve"),
        ("email", "eve@example.com"),
        ("password", PASSWORD),
    ];
    let used = again.fill("/setup", "/setup", &fields).await.expect(400);
    assert!(used.text().contains("used already"), "{}", used.text());

    let csrf = hidden(&browser.open("/").await.text(), "csrf");
    let kept = browser.cookie("padclock_session").unwrap();
    let origin = format!("http://{}", server.address);
    let fields = [("csrf", csrf.as_str())];
    let out = browser.send_from(&origin, "/sign-out", &fields).await;
    assert_eq!(out.expect(303).header("location"), "/sign-in");
    browser.set_cookie("padclock_session", &kept);
    let gone = browser.open("/").await.expect(303);
    assert_eq!(gone.header("location"), "/sign-in");

    let wrong = again.sign_in(EMAIL, "correct horse").await.expect(403);
    assert!(wrong.text().contains("There is no such account"));
    let nobody = again.sign_in("eve@example.com", PASSWORD).await.expect(403);
    assert!(nobody.text().contains("There is no such account"));
    again.sign_in("ada@example.com", PASSWORD).await.expect(303);
    again.open("/").await.expect(200);

    let actions = home.sql("SELECT action FROM audit ORDER BY seq").await;
    for action in [
        "link.create",
        "member.set_up",
        "session.open",
        "session.close",
        "session.refused",
    ] {
        assert!(actions.iter().any(|found| found == action), "{action}");
    }
    let stored = home.sql("SELECT password FROM users").await;
    assert!(stored[0].starts_with("$argon2id$"), "{stored:?}");
}

async fn a_form_from_elsewhere_does_nothing(engine: Engine) {
    let (home, server, key) = first_start(engine).await;
    let browser = Browser::of(&server.address);
    let fields = |csrf: &'static str| {
        vec![
            ("csrf", csrf),
            ("link", ""),
            ("name", "Eve"),
            ("email", "eve@example.com"),
            ("password", PASSWORD),
        ]
    };
    let page = browser.open("/setup").await.text();
    let csrf: &'static str = hidden(&page, "csrf").leak();
    let origin = format!("http://{}", server.address);
    for (from, tag) in [
        ("http://evil.test", csrf),
        ("null", csrf),
        (origin.as_str(), ""),
        (origin.as_str(), "AAAA"),
    ] {
        let mut form = fields(tag);
        form[1].1 = &key;
        let answer = browser.send_from(from, "/setup", &form).await;
        assert!(
            answer.text().contains("did not come from a page"),
            "{from} {tag}: {}",
            answer.text()
        );
    }
    // The tag of one browser is nothing in another.
    let other = Browser::of(&server.address);
    other.open("/setup").await;
    let mut form = fields(csrf);
    form[1].1 = &key;
    let answer = other.send_from(&origin, "/setup", &form).await;
    assert!(answer.text().contains("did not come from a page"));
    let users = home.sql("SELECT count(*) FROM users WHERE email IS NOT NULL");
    assert_eq!(users.await, ["0"]);
    set_up(&browser, &key).await;

    // And the one of a form before signing in is nothing after it.
    let fields = [("csrf", csrf)];
    let late = browser.send_from(&origin, "/sign-out", &fields).await;
    assert!(late.text().contains("did not come from a page"));
    browser.open("/").await.expect(200);
    // A session is no way into the API, where no form's tag protects it.
    let cookie = browser.cookie("padclock_session").unwrap();
    let call = server.client.with_token(None);
    let call = call.call("GET", "/v1/whoami");
    let cookie = format!("padclock_session={cookie}");
    call.header("cookie", &cookie).send().await.expect(401);
}

async fn a_command_line_is_let_in_once(engine: Engine) {
    let (home, server, key) = first_start(engine).await;
    let browser = Browser::of(&server.address);
    set_up(&browser, &key).await;
    let origin = format!("http://{}", server.address);
    let config = home.folder.join("config");
    let cronctl = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cronctl"));
        command
            .env_clear()
            .env("XDG_CONFIG_HOME", &config)
            .env("HOME", &home.folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    };
    let mut login = crate::server::Process::of(
        cronctl(&["login", "--server", &origin, "--no-keyring"])
            .spawn()
            .unwrap(),
        &home,
    );
    login.says("/pair?code=").await;
    let said = login.said();
    let code: String = said
        .split_once("/pair?code=")
        .unwrap()
        .1
        .chars()
        .take(9)
        .collect();

    let stranger = Browser::of(&server.address);
    let away = stranger
        .open(&format!("/pair?code={code}"))
        .await
        .expect(303);
    assert!(away.header("location").starts_with("/sign-in?next=/pair"));

    // Looking a code up does not confirm it.
    let shown = browser.fill("/pair", "/pair", &[("code", &code)]).await;
    let shown = shown.expect(200).text();
    assert!(
        shown.contains("cronctl on") && shown.contains("127.0.0.1"),
        "{shown}"
    );
    let typed = code.to_lowercase().replace('-', " ");
    let confirmed = browser
        .fill("/pair", "/pair", &[("code", &typed), ("confirm", "yes")])
        .await;
    assert!(confirmed.expect(200).text().contains("is signed in"));
    assert!(login.ended().await.success(), "{}", login.said());

    let who = cronctl(&["whoami", "--json"]).output().unwrap();
    let who: serde_json::Value = serde_json::from_slice(&who.stdout).unwrap();
    assert_eq!(who["role"], "owner", "{who}");
    let mode = std::fs::metadata(config.join("padclock/default.token")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&mode) & 0o777, 0o600);
    let token = std::fs::read_to_string(config.join("padclock/default.token")).unwrap();
    // Elsewhere than in its own file it must not be found.
    std::fs::remove_dir_all(&config).unwrap();
    home.plant("the command line's token", &token);

    let fields = [("code", code.as_str()), ("confirm", "yes")];
    let again = browser.fill("/pair", "/pair", &fields).await;
    assert!(again.text().contains("No command line waits"));
    // Nobody fetches a second token with the same key, nor one before it is confirmed.
    let nobody = server.client.with_token(None);
    let made = nobody
        .post("/v1/pairings", &json!({"name": "x"}))
        .await
        .expect(201)
        .json();
    let asking = server.client.with_token(made["key"].as_str());
    let waiting = asking.call("POST", "/v1/pairings/token").send().await;
    assert_eq!(waiting.expect(202).text(), "");
    let code = made["code"].as_str().unwrap();
    let fields = [("code", code), ("confirm", "yes")];
    browser.fill("/pair", "/pair", &fields).await.expect(200);
    let token = asking
        .call("POST", "/v1/pairings/token")
        .send()
        .await
        .expect(200);
    let token = token.json()["token"].as_str().unwrap().to_owned();
    server
        .client
        .with_token(Some(&token))
        .get("/v1/whoami")
        .await
        .expect(200);
    home.plant("a second token", &token);
    asking
        .call("POST", "/v1/pairings/token")
        .send()
        .await
        .refused(404, "not_found", None);
}

async fn guessing_is_slowed_down(engine: Engine) {
    let (home, server, key) = first_start(engine).await;
    set_up(&Browser::of(&server.address), &key).await;
    let browser = Browser::of(&server.address);
    // Also many at once: no more are looked at than one after the other.
    let at_once = (0..30).map(|_| {
        let address = server.address.clone();
        async move {
            let browser = Browser::of(&address);
            browser.sign_in(EMAIL, "not the password at all").await
        }
    });
    for answer in futures_util::future::join_all(at_once).await {
        answer.expect(403);
    }
    let slowed = until("an account's sign-in is slowed down", || async {
        let answer = browser
            .sign_in(EMAIL, "not the password at all")
            .await
            .expect(403);
        Some(answer).filter(|answer| answer.text().contains("Too many failed attempts"))
    });
    slowed.await;
    let tried = home
        .sql("SELECT count(*) FROM audit WHERE action = 'session.refused'")
        .await;
    assert_eq!(tried, ["10"], "more are not even looked at");
    let right = browser.sign_in(EMAIL, PASSWORD).await.expect(403);
    assert!(right.text().contains("Too many failed attempts"));
}
