//! Importing through the API and by `cronctl`, exporting, and running a command with a secret: what the target gets, what is kept.

use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::client::word;
use crate::home::{Engine, on_both_stores};
use crate::server::{Server, TOKEN};
use crate::target::Target;

on_both_stores!(
    a_crontab_s_credential_goes_into_a_secret_and_to_its_target_alone,
    what_is_imported_twice_is_there_once,
    an_import_that_is_refused_leaves_nothing,
    an_import_in_plain_text_is_refused_where_the_workspace_asks_for_it,
    an_export_is_read_back_by_another_workspace,
    a_command_gets_the_secret_and_its_output_is_redacted
);

/// Runs `cronctl` against a server; standard input is the text.
fn cronctl(server: &Server, words: &[&str], text: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cronctl"));
    command
        .env_clear()
        .env("HOME", &server.home.folder)
        .env("PATH", "/usr/bin:/bin")
        .current_dir(&server.home.folder);
    command
        .env("CRONCTL_URL", format!("http://{}", server.address))
        .env("CRONCTL_TOKEN", TOKEN)
        .args(words);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes());
    child.wait_with_output().unwrap()
}

fn done(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    (text(&output.stdout), text(&output.stderr))
}

async fn a_crontab_s_credential_goes_into_a_secret_and_to_its_target_alone(engine: Engine) {
    let server = Server::new(engine).await;
    let target = Target::agreeable().await;
    let key = server
        .home
        .plant("the key", "K3y-of-the-Crontab/with+odd=chars");
    let crontab = format!(
        "# Sync\n@daily curl -H 'X-Api-Key: {key}' '{}?api_key={}' -d '{{\"password\":\"{key}\"}}' -H 'Content-Type: application/json' >/dev/null 2>&1\n\
         @daily backup.sh {key}\n",
        target.url("/sync"),
        key.replace('/', "\\%2F")
            .replace('+', "\\%2B")
            .replace('=', "\\%3D"),
    );
    let body = json!({"text": crontab, "timezone": "Europe/Berlin"});
    let dry = server
        .client
        .post("/v1/jobs/import?dry_run=true", &body)
        .await
        .expect(200);
    assert!(!dry.text().contains(key));
    assert_eq!(dry.json()["dry_run"], true);
    assert_eq!(
        server.client.all("/v1/jobs").await.len() + server.client.all("/v1/secrets").await.len(),
        0
    );

    let answer = server
        .client
        .post("/v1/jobs/import", &body)
        .await
        .expect(201);
    assert!(!answer.text().contains(key));
    let made = answer.json();
    assert_eq!(made["left_out"][0]["from"], "line 3");
    assert_eq!(
        (
            made["jobs"].as_array().unwrap().len(),
            made["secrets"].as_array().unwrap().len()
        ),
        (1, 1),
        "{made}"
    );
    let job = server
        .client
        .get(&format!("/v1/jobs/{}", word(&made["jobs"][0], "id")))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (word(&job, "state"), word(&job, "description")),
        ("paused", "Sync")
    );
    assert_eq!(job["schedule"]["timezone"], "Europe/Berlin");
    let secret = server
        .client
        .get(&format!("/v1/secrets/{}", word(&made["secrets"][0], "id")))
        .await
        .expect(200)
        .json();
    assert_eq!(secret["egress"]["hosts"], json!(["127.0.0.1"]));

    let execution = server.client.run(word(&job, "id")).await;
    assert_eq!(word(&execution, "status"), "succeeded", "{execution}");
    let seen = target.one_of(word(&execution, "id"));
    assert_eq!(seen.header("x-api-key"), key);
    assert_eq!(seen.text(), format!("{{\"password\":\"{key}\"}}"));
}

async fn what_is_imported_twice_is_there_once(engine: Engine) {
    let server = Server::new(engine).await;
    let key = server.home.plant("the key", "k3y-imported-twice-and-more");
    let crontab = format!("@daily curl -u ann:{key} https://ci.example.com/build\n");
    let (_, said) = done(&cronctl(
        &server,
        &["import", "-", "--timezone", "UTC"],
        &crontab,
    ));
    assert!(
        said.contains("1 secret stored.") && said.contains("1 job made"),
        "{said}"
    );
    let again = format!("{crontab}@hourly curl -u ann:{key} https://ci.example.com/test\n");
    let (_, said) = done(&cronctl(
        &server,
        &["import", "-", "--timezone", "UTC"],
        &again,
    ));
    assert!(
        said.contains("is there already")
            && said.contains("1 job made")
            && !said.contains("stored."),
        "{said}"
    );
    let body = json!({"text": again, "timezone": "UTC"});
    let made = server
        .client
        .post("/v1/jobs/import", &body)
        .await
        .expect(201)
        .json();
    assert_eq!(made["there_already"].as_array().unwrap().len(), 2, "{made}");
    assert_eq!(
        (
            server.client.all("/v1/jobs").await.len(),
            server.client.all("/v1/secrets").await.len()
        ),
        (2, 1)
    );
}

async fn an_import_that_is_refused_leaves_nothing(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    for (body, field) in [
        (json!({"text": "A_TOKEN=abcdefgh\n"}), "format"),
        (json!({"text": "what is this"}), "text"),
        (json!({"text": "{", "format": "trigrun"}), "text"),
        (json!({"text": "x", "format": "docker"}), "format"),
    ] {
        let answer = client
            .post("/v1/jobs/import", &body)
            .await
            .expect(400)
            .json();
        assert_eq!(answer["error"]["details"][0]["field"], field, "{answer}");
    }
    // An environment's name that no secret can have: the secret is refused, and so is all of it.
    let text = "@daily curl -u ann:hunter2222 https://ci.example.com/build\n";
    client
        .post(
            "/v1/jobs/import",
            &json!({"text": text, "environment": "no/slash"}),
        )
        .await
        .expect(400);
    assert_eq!(
        client.all("/v1/jobs").await.len() + client.all("/v1/secrets").await.len(),
        0
    );
    let nobody = client.with_token(None);
    nobody
        .post("/v1/jobs/import", &json!({"text": text}))
        .await
        .refused(401, "unauthorized", None);
}

async fn an_import_in_plain_text_is_refused_where_the_workspace_asks_for_it(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let who = client.get("/v1/whoami").await.expect(200).json();
    let workspace = format!("/v1/workspaces/{}", word(&who["workspace"], "id"));
    let asks = |asks: bool| json!({"settings": {"refuse_plaintext_secrets": asks}});
    client.patch(&workspace, &asks(true)).await.expect(200);
    // The first job's credential would become a secret; the second keeps one where no import looks for what it could move.
    let key = ["sk_", "live_", "a1S2d3F4g5H6j7K8l9Z0x1C2"].concat();
    let document = json!({"format": "padclock-export/1", "secrets": [], "jobs": [
        {"name": "moved", "kind": "manual", "request": {"url": "https://api.example.com/x", "headers": {"Authorization": "Bearer q9W8e7R6t5Y4u3I2o1"}}},
        {"name": "kept", "kind": "manual", "description": format!("with {key}"), "request": {"url": "https://api.example.com/x"}},
    ]});
    let body = json!({"format": "padclock", "text": document.to_string()});
    for path in ["/v1/jobs/import", "/v1/jobs/import?dry_run=true"] {
        let refused = client.post(path, &body).await;
        let field = Some(("jobs[1].description", "plaintext_secret"));
        let refused = refused.refused(400, "validation_error", field);
        assert!(!refused.text().contains("a1S2d3"), "{}", refused.text());
    }
    let left = client.all("/v1/jobs").await.len() + client.all("/v1/secrets").await.len();
    assert_eq!(left, 0);
    let tried = "SELECT count(*) FROM audit WHERE action IN ('secret.create', 'job.create')";
    assert_eq!(server.home.sql(tried).await, ["0"]);
    client.patch(&workspace, &asks(false)).await.expect(200);
    let made = client.post("/v1/jobs/import", &body).await.expect(201);
    let made = made.json();
    assert_eq!(made["jobs"].as_array().map(Vec::len), Some(2), "{made}");
    assert_eq!(made["secrets"].as_array().map(Vec::len), Some(1), "{made}");
}

async fn an_export_is_read_back_by_another_workspace(engine: Engine) {
    let (first, second) = (Server::new(engine).await, Server::new(engine).await);
    first
        .secret("stripe-key", "a-value-that-is-not-exported")
        .await;
    first.client.job(&json!({"name": "stripe-sync", "kind": "recurring", "schedule": {"every_n_minutes": 60}, "tags": ["a"],
        "request": {"url": "https://api.stripe.com/v1/charges", "headers": {"Authorization": "Bearer secret://stripe-key"}, "body": {"a": [1, "{{now}}"]}}})).await;
    first
        .client
        .job(
            &json!({"name": "once", "kind": "manual", "state": "paused", "overlap": "queue_one",
        "request": {"url": "https://a.example.com/?x={{secret.OTHER}}"}}),
        )
        .await;
    let (document, _) = done(&cronctl(&first, &["export"], ""));
    let (_, said) = done(&cronctl(&second, &["import", "-"], &document));
    assert!(
        said.contains("the secret stripe-key is missing")
            && said.contains("the secret OTHER is missing"),
        "{said}"
    );
    let essence = |mut job: Value| {
        for field in [
            "id",
            "created_at",
            "updated_at",
            "next_run_at",
            "state",
            "preview",
        ] {
            job.as_object_mut().unwrap().remove(field);
        }
        job
    };
    let jobs = |all: Vec<Value>| {
        let mut all: Vec<Value> = all.into_iter().map(essence).collect();
        all.sort_by_key(|job| word(job, "name").to_owned());
        all
    };
    assert_eq!(
        jobs(first.client.all("/v1/jobs").await),
        jobs(second.client.all("/v1/jobs").await)
    );
    assert!(
        second
            .client
            .all("/v1/jobs")
            .await
            .iter()
            .all(|job| word(job, "state") == "paused")
    );
    // With their states, in a third reading: those are there already.
    let (_, said) = done(&cronctl(
        &second,
        &["import", "-", "--keep-state"],
        &document,
    ));
    assert!(said.contains("There is nothing to make."), "{said}");
}

async fn a_command_gets_the_secret_and_its_output_is_redacted(engine: Engine) {
    let server = Server::new(engine).await;
    let value = "a \"quoted\" value, 'both ways', é and $HOME\nwith a second line of it";
    server.secret("deploy-key", value).await;
    let script = "printf '%s' \"$DEPLOY_KEY\" | sha256sum; echo \"it is: $DEPLOY_KEY\"; printf '%s' \"$DEPLOY_KEY\" | base64 >&2; exit 3";
    let output = cronctl(
        &server,
        &["exec", "-s", "deploy-key", "--", "/bin/sh", "-c", script],
        "",
    );
    assert_eq!(output.status.code(), Some(3));
    let sum = sha256(value);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!("{sum}  -\nit is: [REDACTED:deploy-key]\n")
    );
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "[REDACTED:deploy-key]\n"
    );

    let never = json!({"name": "shut", "value": server.home.plant("shut", "a-value-that-stays-in"), "reveal": "never"});
    server.client.post("/v1/secrets", &never).await.expect(201);
    let output = cronctl(
        &server,
        &["exec", "-s", "shut", "--", "/bin/echo", "run"],
        "",
    );
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(5), &b""[..])
    );
}

/// SHA-256 in hex.
fn sha256(text: &str) -> String {
    use std::fmt::Write;
    let mut hex = String::new();
    for byte in <sha2::Sha256 as sha2::Digest>::digest(text.as_bytes()) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}
