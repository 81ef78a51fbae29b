//! Edits under `If-Match`: only who has seen the current version may change it.

use serde_json::{Value, json};

use crate::home::{Engine, on_both_stores};
use crate::server::Server;

on_both_stores!(an_edit_needs_the_current_tag);

async fn an_edit_needs_the_current_tag(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let job = client
        .manual(
            "first name",
            json!({"url": "http://127.0.0.1:1/", "headers": {"X-A": "1", "X-B": "2"}}),
        )
        .await;
    let path = format!("/v1/jobs/{job}");
    let before = client.get(&path).await.expect(200).header("etag");
    let edit = |tag: &str, body: &Value| {
        client
            .call("PATCH", &path)
            .header("if-match", tag)
            .json(body)
            .send()
    };
    let after = edit(&before, &json!({"name": "second name"}))
        .await
        .expect(200);
    assert_ne!(after.header("etag"), before);
    edit(&before, &json!({"name": "third name"}))
        .await
        .refused(412, "precondition_failed", None);
    edit("\"nonsense\"", &json!({"name": "third name"}))
        .await
        .refused(412, "precondition_failed", None);
    assert_eq!(client.get(&path).await.json()["name"], "second name");
    edit(
        &after.header("etag"),
        &json!({"request": {"headers": {"X-A": null, "X-C": "3"}}}),
    )
    .await
    .expect(200);
    let merged = client.get(&path).await.json();
    assert_eq!(
        merged["request"]["headers"],
        json!({"X-B": "2", "X-C": "3"})
    );
    edit("*", &json!({"description": "any version"}))
        .await
        .expect(200);

    let secret = server.secret("TAGGED", "the-first-value").await;
    let path = format!("/v1/secrets/{secret}");
    let tag = client.get(&path).await.expect(200).header("etag");
    let replace = |value: &str| {
        let value = server.home.plant("TAGGED again", value);
        client
            .call("PUT", &path)
            .header("if-match", &tag)
            .json(&json!({"value": value}))
            .send()
    };
    let replaced = replace("the-second-value").await.expect(200);
    assert_eq!(replaced.json()["version"], 2);
    replace("the-third-value")
        .await
        .refused(412, "precondition_failed", None);
    let stale = client
        .call("DELETE", &path)
        .header("if-match", &tag)
        .send()
        .await;
    stale.refused(412, "precondition_failed", None);
    assert_eq!(client.get(&path).await.json()["version"], 2);
}
