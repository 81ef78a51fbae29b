//! Values read back: who gets one, what the answer is, and what stands in its way.

use serde_json::{Value, json};

use crate::client::word;
use crate::home::{Engine, on_both_stores};
use crate::server::Server;

on_both_stores!(
    a_value_comes_back_as_it_went_in,
    what_was_made_never_to_be_revealed_is_not
);

async fn a_value_comes_back_as_it_went_in(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let awkward =
        "quote \" back \\ line\n nul \u{0} é ☃ \u{1f511} [] \u{2028} and a long tail of it";
    for (name, value) in [("PLAIN", "a-value-read-back-plainly"), ("AWKWARD", awkward)] {
        let id = server.secret(name, value).await;
        let path = format!("/v1/secrets/{id}/value");
        let answer = client
            .call("GET", &path)
            .header("accept-encoding", "gzip, br, zstd")
            .send()
            .await
            .expect(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("content-encoding"), "", "not compressed");
        let json = answer.json();
        assert_eq!(
            (word(&json, "id"), word(&json, "name"), word(&json, "value")),
            (id.as_str(), name, value)
        );
        let at = word(&json, "decrypted_at");
        assert!(at.ends_with('Z') && at.len() == 24, "{at}");
        assert_eq!(json.as_object().unwrap().len(), 4);
    }
    let missing = format!("/v1/secrets/sec_{}/value", "0".repeat(26));
    client.get(&missing).await.refused(404, "not_found", None);
}

async fn what_was_made_never_to_be_revealed_is_not(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let value = server.home.plant("SHUT", "a-value-that-stays-in");
    let body: Value = json!({"name": "SHUT", "value": value, "reveal": "never"});
    let id = client.post("/v1/secrets", &body).await.expect(201).id();
    let path = format!("/v1/secrets/{id}/value");
    let refused = client.get(&path).await.refused(403, "forbidden", None);
    assert!(!refused.text().contains("stays-in"));
}
