//! People by the command lines: an invitation that a browser accepts, a token that is narrowed, used and ended, signing out, and
//! the operator's set-up link.

use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use serde_json::Value;

use crate::browser::Browser;
use crate::home::{Engine, Home, on_both_stores};
use crate::server::{Launch, Server, TOKEN};

on_both_stores!(
    an_invited_person_works_with_a_narrowed_token,
    signing_out_ends_the_token,
    a_set_up_link_is_made_anew
);

const PASSWORD: &str = "correct \"horse\" & battery";

fn command(server: &Server, token: Option<&str>, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cronctl"));
    command
        .env_clear()
        .env("HOME", &server.home.folder)
        .current_dir(&server.home.folder)
        .args(words)
        .stdin(Stdio::null());
    if let Some(token) = token {
        let url = format!("http://{}", server.address);
        command.env("CRONCTL_URL", url).env("CRONCTL_TOKEN", token);
    }
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn outcome(server: &Server, token: &str, words: &[&str]) -> Output {
    command(server, Some(token), words).output().unwrap()
}

/// What a command that ends well prints.
fn done(server: &Server, token: &str, words: &[&str]) -> String {
    let output = outcome(server, token, words);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {said}");
    text(&output.stdout)
}

fn code(server: &Server, token: &str, words: &[&str]) -> Option<i32> {
    outcome(server, token, words).status.code()
}

/// A line of a record.
fn field(record: &str, name: &str) -> String {
    let line = record
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('\t'));
    line.unwrap_or_else(|| panic!("no {name} in {record}"))
        .to_owned()
}

fn key_of(link: &str) -> &str {
    link.trim_end().split_once('#').expect("a link").1
}

async fn accepts(server: &Server, page: &str, link: &str, (name, email): (&str, &str)) -> Browser {
    let browser = Browser::of(&server.address);
    let fields = [
        ("link", key_of(link)),
        ("name", name),
        ("email", email),
        ("password", PASSWORD),
    ];
    browser.fill(page, page, &fields).await.expect(303);
    browser
}

async fn an_invited_person_works_with_a_narrowed_token(engine: Engine) {
    let server = Server::new(engine).await;
    server.home.plant("a person's password", PASSWORD);
    let words = [
        "members",
        "invite",
        "--role",
        "viewer",
        "--email",
        "ada@example.com",
    ];
    let link = done(&server, TOKEN, &words);
    server.home.plant("the invitation's key", key_of(&link));
    assert!(link.starts_with(&format!("http://{}/invite#", server.address)));
    assert_eq!(
        done(&server, TOKEN, &["invitations", "list"])
            .lines()
            .count(),
        1
    );
    let ada = ("Ada", "ada@example.com");
    accepts(&server, "/invite", &link, ada)
        .await
        .open("/")
        .await
        .expect(200);
    assert_eq!(done(&server, TOKEN, &["invitations", "list"]), "");

    let record = done(
        &server,
        TOKEN,
        &["members", "role", "ada@example.com", "editor"],
    );
    assert_eq!(field(&record, "role"), "editor");
    // A person's tokens are their own to make; a machine's are an admin's.
    let words = ["tokens", "create", "hers", "--for", "Ada"];
    assert_eq!(code(&server, TOKEN, &words), Some(5));
    done(
        &server,
        TOKEN,
        &["members", "add", "deployer", "--role", "editor"],
    );
    done(&server, TOKEN, &["environments", "create", "staging"]);
    let words = [
        "tokens",
        "create",
        "deploy",
        "--for",
        "deployer",
        "--permission",
        "read,secrets:own,secrets:write",
        "--environment",
        "staging",
        "--cidr",
        "127.0.0.0/8",
        "--expires-in",
        "1h",
    ];
    let narrow = done(&server, TOKEN, &words);
    let narrow = server
        .home
        .plant("the narrowed token", narrow.trim_end())
        .to_owned();

    let me = done(&server, &narrow, &["whoami"]);
    assert_eq!(field(&me, "user").split(' ').next(), Some("deployer"));
    assert_eq!(
        field(&me, "permissions"),
        "read, secrets:own, secrets:write"
    );
    assert_eq!(
        (field(&me, "environment"), field(&me, "used from")),
        ("staging".to_owned(), "127.0.0.0/8".to_owned())
    );
    assert!(field(&me, "expires").ends_with('Z'));
    let create = |environment| {
        [
            "secrets",
            "create",
            "--name",
            "KEY",
            "--environment",
            environment,
            "--value",
            "value-of-the-key",
        ]
    };
    done(&server, &narrow, &create("staging"));
    assert_eq!(code(&server, &narrow, &create("production")), Some(5));
    assert_eq!(code(&server, &narrow, &["members", "list"]), Some(5));
    assert_eq!(code(&server, &narrow, &["tokens", "list"]), Some(5));

    done(&server, TOKEN, &["tokens", "revoke", "deploy", "--all"]);
    assert_eq!(code(&server, &narrow, &["whoami"]), Some(4));
    done(&server, TOKEN, &["members", "remove", "Ada"]);
    let gone = Browser::of(&server.address);
    gone.sign_in("ada@example.com", PASSWORD).await;
    let page = gone.open("/").await;
    assert!(!page.text().contains("<dd>editor</dd>"));
}

async fn signing_out_ends_the_token(engine: Engine) {
    let server = Server::new(engine).await;
    let url = format!("http://{}", server.address);
    let json: Value = serde_json::from_str(&done(
        &server,
        TOKEN,
        &["tokens", "create", "laptop", "--json"],
    ))
    .unwrap();
    let token = json["token"].as_str().unwrap().to_owned();
    let login = ["login", "--token", "--no-keyring", "--server", &url];
    let mut child = command(&server, None, &login)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), token.as_bytes()).unwrap();
    assert!(child.wait_with_output().unwrap().status.success());
    let kept = command(&server, None, &["whoami"]).output().unwrap();
    assert!(kept.status.success(), "{}", text(&kept.stderr));
    let out = command(&server, None, &["logout"]).output().unwrap();
    assert!(
        out.status.success() && !text(&out.stderr).contains("warning"),
        "{}",
        text(&out.stderr)
    );
    assert_eq!(code(&server, &token, &["whoami"]), Some(4));
    // Forgotten here: the next test of the folder would find it.
    server.home.plant("the laptop's token", &token);
}

/// `padclock set-up-link` beside the node; its exit code, and what it prints and says.
fn set_up_link(launch: &Launch, more: &[&str]) -> (Option<i32>, String, String) {
    let mut command = launch.command(env!("CARGO_BIN_EXE_padclock"));
    command
        .arg("set-up-link")
        .arg("--data")
        .arg(launch.folder())
        .args(more);
    let output = command.output().unwrap();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

async fn a_set_up_link_is_made_anew(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    home.plant("the owner's password", PASSWORD);
    let launch = Launch::of(&home);
    let too_early = set_up_link(&launch, &[]);
    assert_eq!(too_early.0, Some(1), "{}", too_early.2);
    let server = launch.start().await;
    let public = ["--public-url", "https://cron.example.com/"];
    let (code, first, said) = set_up_link(&launch, &public);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        first.starts_with("https://cron.example.com/setup#pcl_"),
        "{first}"
    );
    assert_eq!(first.lines().count(), 1);
    assert!(
        said.contains("It works once") && !said.contains("pcl_"),
        "{said}"
    );
    // Without the node's port there is no address to give.
    let (code, printed, said) = set_up_link(&launch, &["--listen", "127.0.0.1:0"]);
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{said}");
    let listen = ["--listen", &server.address];
    let (_, second, _) = set_up_link(&launch, &listen);
    assert!(second.starts_with(&format!("http://{}/setup#", server.address)));
    home.plant("the first link", key_of(&first));
    home.plant("the second link", key_of(&second));

    // The earlier one has ended.
    let browser = Browser::of(&server.address);
    let fields = [
        ("link", key_of(&first)),
        ("name", "Eve"),
        ("email", "eve@example.com"),
        ("password", PASSWORD),
    ];
    browser.fill("/setup", "/setup", &fields).await.expect(400);
    let owner = accepts(&server, "/setup", &second, ("Ada", "ada@example.com")).await;
    assert!(
        owner
            .open("/")
            .await
            .expect(200)
            .text()
            .contains("<dd>owner</dd>")
    );

    // A password that is lost is chosen anew, whatever the workspace is called by now, and who was signed in is out.
    done(
        &server,
        TOKEN,
        &["workspaces", "settings", "--name", "team"],
    );
    let (_, third, _) = set_up_link(&launch, &listen);
    home.plant("the third link", key_of(&third));
    accepts(&server, "/setup", &third, ("Ada", "ada@example.com")).await;
    assert_eq!(
        owner.open("/").await.expect(303).header("location"),
        "/sign-in"
    );
    let made = "SELECT count(*) FROM audit WHERE action = 'link.create' AND actor = 'system'";
    assert_eq!(home.sql(made).await, ["3"]);
    server.stop().await;
    // The token that is set from outside is the same owner's, too.
    let other = home.plant("the token set later", "pck_e2e-set-later-0123456789");
    let later = launch.clone().env("PADCLOCK_BOOTSTRAP_TOKEN", other);
    let server = later.start().await;
    let me = done(&server, other, &["whoami"]);
    assert_eq!(
        (
            field(&me, "role"),
            field(&me, "workspace").starts_with("team ")
        ),
        ("owner".to_owned(), true)
    );
    server.stop().await;
    // A root key that is another's makes none.
    let wrong = Launch::of(&home).env("PADCLOCK_ROOT_KEY", &"1".repeat(64));
    let (code, printed, said) = set_up_link(&wrong, &public);
    assert_eq!((code, printed.as_str()), (Some(1), ""), "{said}");
    assert!(said.contains("wrong root key"), "{said}");
}
