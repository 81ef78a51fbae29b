//! Credentials in plain text: warned of at each save, refused where a workspace wants that, listed, moved into secrets by the command
//! line; and stored values in what is kept, found wherever they came in unnoticed.

use std::process::Command;

use serde_json::{Value, json};

use crate::client::word;
use crate::home::{Engine, on_both_stores};
use crate::server::{Server, TOKEN};
use crate::target::{Reply, Target};

on_both_stores!(
    a_save_warns_of_each_credential,
    a_workspace_may_refuse_them,
    every_page_is_looked_through,
    a_fix_moves_them_and_the_job_sends_the_same,
    stored_values_are_found_in_what_is_kept,
    searching_what_is_kept_is_for_admins
);

fn key() -> String {
    ["sk_", "live_", "a1B2c3D4e5F6g7H8i9J0k1L2"].concat()
}

fn leaky(url: &str) -> Value {
    json!({"name": "leaky", "kind": "manual", "env": {"API_TOKEN": "q9W8e7R6t5Y4"}, "request": {
        "url": format!("{url}?api_key=q9W8e7R6t5%3DZ1x2"), "method": "POST", "headers": {"Authorization": format!("Bearer {}", key()), "X-Token": "{{env.API_TOKEN}}"},
        "body": {"db_password": "tulip-77-snow!"}}})
}

const LEAKS: [&str; 4] = [
    "env.API_TOKEN",
    "request.body.db_password",
    "request.headers.Authorization",
    "request.url",
];

/// The fields of these warnings that are about credentials.
fn fields(warnings: &Value) -> Vec<&str> {
    let of = |one: &&Value| one["code"] == "plaintext_secret";
    let mut fields: Vec<&str> = warnings
        .as_array()
        .unwrap()
        .iter()
        .filter(of)
        .map(|one| word(one, "field"))
        .collect();
    fields.sort_unstable();
    fields
}

fn holds_none(text: &str) {
    for part in ["a1B2c3D4", "q9W8e7R6", "tulip-77"] {
        assert!(!text.contains(part), "{text}");
    }
}

async fn a_save_warns_of_each_credential(engine: Engine) {
    let server = Server::new(engine).await;
    let definition = leaky("https://api.example.com/x");
    let tried = server
        .client
        .post("/v1/jobs?dry_run=true", &definition)
        .await
        .expect(200)
        .json();
    assert_eq!(fields(&tried["warnings"]), LEAKS);
    holds_none(&tried["warnings"].to_string());
    let made = server
        .client
        .post("/v1/jobs", &definition)
        .await
        .expect(201)
        .json();
    assert_eq!(fields(&made["warnings"]), LEAKS);
    let path = format!("/v1/jobs/{}", word(&made, "id"));
    let change = json!({"env": null, "request": {"url": "https://api.example.com/x", "body": null, "headers": {"X-Token": null}}});
    let edited = server.client.patch(&path, &change).await.expect(200).json();
    assert_eq!(
        fields(&edited["warnings"]),
        ["request.headers.Authorization"]
    );
    let change = json!({"request": {"headers": {"Authorization": "Bearer secret://stripe"}}});
    let edited = server.client.patch(&path, &change).await.expect(200).json();
    assert_eq!(fields(&edited["warnings"]), Vec::<&str>::new());
}

async fn a_workspace_may_refuse_them(engine: Engine) {
    let server = Server::new(engine).await;
    let clean = json!({"name": "clean", "kind": "manual", "request": {"url": "https://api.example.com/x", "headers": {"Authorization": "Bearer {{secret.API}}"}}});
    let job = server.client.job(&clean).await;
    server
        .home
        .sql("UPDATE workspaces SET settings = '{\"refuse_plaintext_secrets\":true}'")
        .await;
    let definition = leaky("https://api.example.com/x");
    for path in ["/v1/jobs", "/v1/jobs?dry_run=true"] {
        let refused = server.client.post(path, &definition).await;
        let refused = refused.refused(
            400,
            "validation_error",
            Some(("request.headers.Authorization", "plaintext_secret")),
        );
        holds_none(&refused.text());
    }
    let path = format!("/v1/jobs/{job}");
    let change = json!({"request": {"headers": {"Authorization": format!("Bearer {}", key())}}});
    let refused = server.client.patch(&path, &change).await;
    refused.refused(
        400,
        "validation_error",
        Some(("request.headers.Authorization", "plaintext_secret")),
    );
    let kept = server.client.get(&path).await.expect(200).json();
    assert_eq!(
        kept["request"]["headers"]["Authorization"],
        "Bearer {{secret.API}}"
    );
    server.client.job(&clean).await;
}

async fn every_page_is_looked_through(engine: Engine) {
    let server = Server::new(engine).await;
    for number in 0..4 {
        server
            .client
            .manual(
                &format!("clean {number}"),
                json!({"url": "https://api.example.com/"}),
            )
            .await;
    }
    let job = server.client.job(&leaky("https://api.example.com/x")).await;
    let first = server
        .client
        .get("/v1/scan?limit=2")
        .await
        .expect(200)
        .json();
    assert_eq!(first["items"], json!([]));
    assert!(first["next_cursor"].is_string());
    let found = server.client.all("/v1/scan").await;
    let places: Vec<(&str, &str)> = found
        .iter()
        .map(|one| (word(one, "job_id"), word(one, "field")))
        .collect();
    let mut expected = LEAKS.map(|field| (job.as_str(), field));
    expected.sort_unstable();
    assert_eq!(places, expected);
    assert_eq!(
        (&found[2]["rule"], &found[2]["line"], &found[2]["column"]),
        (&json!("stripe-key"), &json!(1), &json!(8))
    );
    assert_eq!(found[2]["suggested_name"], "stripe_secret_key");
    holds_none(&json!(found).to_string());
    server.client.get("/v1/scan?limit=0").await.refused(
        400,
        "validation_error",
        Some(("limit", "out_of_range")),
    );
}

fn cronctl(server: &Server, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cronctl"))
        .args(arguments)
        .env_clear()
        .env("HOME", &server.home.folder)
        .env("CRONCTL_URL", format!("http://{}", server.address))
        .env("CRONCTL_TOKEN", TOKEN)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    holds_none(&said);
    (output.status.code().unwrap(), said)
}

async fn a_fix_moves_them_and_the_job_sends_the_same(engine: Engine) {
    let server = Server::new(engine).await;
    let target = Target::agreeable().await;
    let job = server.client.job(&leaky(&target.url("/x"))).await;
    let sent = |execution: &Value| {
        let seen = target.one_of(word(execution, "id"));
        (
            seen.path.clone(),
            seen.header("authorization"),
            seen.header("x-token"),
            seen.text(),
        )
    };
    let before = sent(&server.client.run(&job).await);
    assert_eq!(cronctl(&server, &["scan"]).0, 1);
    let (code, said) = cronctl(&server, &["scan", "--fix", "--yes"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(cronctl(&server, &["scan"]).0, 0);
    let now = server
        .client
        .get(&format!("/v1/jobs/{job}"))
        .await
        .expect(200)
        .json();
    assert_eq!(
        now["request"]["headers"]["Authorization"],
        "Bearer secret://stripe_secret_key"
    );
    assert_eq!(
        now["request"]["body"]["db_password"],
        "{{secret.db_password}}"
    );
    assert_eq!(now["request"]["headers"]["X-Token"], "{{secret.api_token}}");
    assert_eq!(fields(&now["warnings"]), Vec::<&str>::new());
    let secrets = server.client.all("/v1/secrets").await;
    assert_eq!(secrets.len(), 4);
    for secret in secrets {
        assert_eq!(
            (&secret["egress"]["hosts"], &secret["egress"]["schemes"]),
            (&json!(["127.0.0.1"]), &json!(["http"])),
            "{secret}"
        );
    }
    let execution = server.client.run(&job).await;
    assert_eq!(execution["status"], "succeeded", "{execution}");
    assert_eq!(sent(&execution), before);
    holds_none(&execution.to_string());
}

async fn stored_values_are_found_in_what_is_kept(engine: Engine) {
    let server = Server::new(engine).await;
    let target = Target::new(|_| Reply::ok("it said autumn-leaf-5521 today")).await;
    let body = json!({"note": ["autumn-leaf-5521"]});
    let job = server
        .client
        .manual(
            "unaware",
            json!({"url": target.url("/"), "method": "POST", "body": body}),
        )
        .await;
    let execution = server.client.run(&job).await;
    let nothing = server
        .client
        .post("/v1/scan/history", &json!({}))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&nothing["found"], &nothing["places"]),
        (&json!(0), &json!([]))
    );
    let secret = server.client.secret("leaf", "autumn-leaf-5521").await;
    server.client.secret("calm", "winter-wind-9000").await;
    let put = server
        .client
        .put(
            &format!("/v1/secrets/{secret}"),
            &json!({"value": "spring-rain-1200"}),
        )
        .await;
    put.expect(200);
    let answer = server
        .client
        .post("/v1/scan/history", &json!({}))
        .await
        .expect(200);
    assert!(!answer.text().contains("autumn-leaf"), "{}", answer.text());
    let found = answer.json();
    assert_eq!(
        (&found["values"], &found["left_out"]),
        (&json!(3), &json!([]))
    );
    let mut places: Vec<(&str, &str, &str, &str)> = found["places"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                word(one, "kind"),
                word(one, "id"),
                word(one, "field"),
                word(one, "secret"),
            )
        })
        .collect();
    places.sort_unstable();
    let run = word(&execution, "id");
    let places_of = |kind: &str| {
        places
            .iter()
            .filter(|one| one.0 == kind)
            .map(|one| (one.1, one.2))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        places_of("job"),
        [(job.as_str(), "definition.request.body.note[0]")]
    );
    assert!(
        places_of("execution").contains(&(run, "attempts[0].response.body")),
        "{places:?}"
    );
    assert!(places.iter().all(|one| one.3 == "leaf"), "{places:?}");
    assert_eq!(found["found"], places.len());
    let records = server
        .home
        .sql("SELECT detail FROM audit WHERE action = 'scan.history' ORDER BY seq")
        .await;
    assert_eq!(records.len(), 2);
    assert!(
        records[1].contains("leaf") && records[1].contains("calm"),
        "{}",
        records[1]
    );
    let (code, said) = cronctl(&server, &["scan", "--history"]);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("attempts[0].response.body") && !said.contains("autumn-leaf"),
        "{said}"
    );
}

async fn searching_what_is_kept_is_for_admins(engine: Engine) {
    let server = Server::new(engine).await;
    for (role, status) in [
        ("viewer", 403),
        ("editor", 403),
        ("admin", 403),
        ("owner", 200),
    ] {
        server
            .home
            .sql(&format!("UPDATE members SET role = '{role}'"))
            .await;
        server
            .client
            .post("/v1/scan/history", &json!({}))
            .await
            .expect(status);
        server.client.get("/v1/scan").await.expect(200);
    }
    for path in ["/v1/scan/history", "/v1/scan"] {
        let method = if path == "/v1/scan" { "GET" } else { "POST" };
        server
            .client
            .with_token(None)
            .call(method, path)
            .send()
            .await
            .refused(401, "unauthorized", None);
    }
    let records = server
        .home
        .sql("SELECT seq FROM audit WHERE action = 'scan.history'")
        .await;
    assert_eq!(records.len(), 1);
}
