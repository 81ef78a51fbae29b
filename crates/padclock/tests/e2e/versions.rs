//! Versions of a secret: two of them at most, back to the one before, and rid of it.

use serde_json::{Value, json};

use crate::client::{Answer, word};
use crate::home::{Engine, on_both_stores};
use crate::server::Server;
use crate::target::Target;

on_both_stores!(
    a_rollback_is_a_new_version_and_jobs_use_it,
    what_is_retired_is_gone,
    a_version_of_another_policy_does_not_come_back
);

async fn versions(server: &Server, id: &str) -> Vec<(u64, String)> {
    let path = format!("/v1/secrets/{id}/versions");
    let page = server.client.get(&path).await.expect(200);
    let one = |version: &Value| {
        assert_eq!(version["key_version"], "v1");
        assert!(word(version, "created_at").ends_with('Z'));
        assert_eq!(version.as_object().unwrap().len(), 4, "{version}");
        (
            version["number"].as_u64().unwrap(),
            word(version, "state").to_owned(),
        )
    };
    page.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(one)
        .collect()
}

async fn act(server: &Server, id: &str, what: &str) -> Answer {
    server
        .client
        .call("POST", &format!("/v1/secrets/{id}/{what}"))
        .send()
        .await
}

async fn value(server: &Server, id: &str) -> String {
    let path = format!("/v1/secrets/{id}/value");
    word(&server.client.get(&path).await.expect(200).json(), "value").to_owned()
}

async fn replace(server: &Server, id: &str, new: &str) -> Answer {
    let new = server.home.plant("KEY anew", new);
    server
        .client
        .put(&format!("/v1/secrets/{id}"), &json!({"value": new}))
        .await
}

async fn a_rollback_is_a_new_version_and_jobs_use_it(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let id = server.secret("KEY", "value-number-one").await;
    let request = json!({"url": target.url("/"), "headers": {"X-Key": "{{secret.KEY}}"}});
    let job = server.client.manual("uses it", request).await;
    let sent = || async {
        let execution = server.client.run(&job).await;
        target
            .one_of(word(&execution, "id"))
            .header("x-key")
            .to_owned()
    };
    act(&server, &id, "rollback")
        .await
        .refused(409, "conflict", None);
    replace(&server, &id, "value-number-two").await.expect(200);
    assert_eq!(sent().await, "value-number-two");
    assert_eq!(
        versions(&server, &id).await,
        [(2, "current".into()), (1, "previous".into())]
    );

    let back = act(&server, &id, "rollback").await.expect(200);
    assert_eq!(
        (&back.json()["version"], word(&back.json(), "id")),
        (&json!(3), id.as_str())
    );
    assert_eq!(
        versions(&server, &id).await,
        [(3, "current".into()), (2, "previous".into())]
    );
    assert_eq!(
        (value(&server, &id).await, sent().await),
        ("value-number-one".into(), "value-number-one".into())
    );

    // Once more: the numbers only grow.
    let path = format!("/v1/secrets/{id}/rollback");
    let stale = server
        .client
        .call("POST", &path)
        .header("if-match", "\"1\"")
        .send()
        .await;
    stale.refused(412, "precondition_failed", None);
    let tag = back.header("etag");
    let again = server
        .client
        .call("POST", &path)
        .header("if-match", &tag)
        .send()
        .await
        .expect(200);
    assert_eq!(again.json()["version"], 4);
    assert_eq!(sent().await, "value-number-two");
    let recorded = server
        .home
        .sql("SELECT detail FROM audit WHERE action = 'secret.rollback' ORDER BY seq")
        .await;
    assert_eq!(recorded.len(), 2);
    assert!(recorded[1].contains("\"version\":4"), "{recorded:?}");
}

async fn what_is_retired_is_gone(engine: Engine) {
    let server = Server::new(engine).await;
    let id = server.secret("KEY", "value-to-be-retired").await;
    act(&server, &id, "retire-previous")
        .await
        .refused(409, "conflict", None);
    replace(&server, &id, "value-that-stays").await.expect(200);
    act(&server, &id, "retire-previous").await.expect(200);
    assert_eq!(versions(&server, &id).await, [(2, "current".into())]);
    assert_eq!(value(&server, &id).await, "value-that-stays");
    act(&server, &id, "rollback")
        .await
        .refused(409, "conflict", None);
    act(&server, &id, "retire-previous")
        .await
        .refused(409, "conflict", None);
    let missing = format!("sec_{}", "0".repeat(26));
    for what in ["rollback", "retire-previous"] {
        act(&server, &missing, what)
            .await
            .refused(404, "not_found", None);
    }
    server
        .client
        .get(&format!("/v1/secrets/{missing}/versions"))
        .await
        .refused(404, "not_found", None);
    let kept = server
        .home
        .sql("SELECT count(*) FROM secret_versions")
        .await;
    assert_eq!(kept, ["1"]);
    server.home.sql("UPDATE members SET role = 'viewer'").await;
    for what in ["rollback", "retire-previous"] {
        act(&server, &id, what)
            .await
            .refused(403, "forbidden", None);
    }
}

async fn a_version_of_another_policy_does_not_come_back(engine: Engine) {
    let server = Server::new(engine).await;
    let id = server.secret("KEY", "value-bound-to-nothing").await;
    replace(&server, &id, "value-number-two").await.expect(200);
    // As if the policy had been changed without dropping what it did not seal.
    server
        .home
        .sql("UPDATE secrets SET egress = '{\"hosts\":[\"evil.example\"]}'")
        .await;
    let refused = act(&server, &id, "rollback")
        .await
        .refused(409, "conflict", None);
    assert!(refused.text().contains("policy"), "{}", refused.text());
    assert_eq!(versions(&server, &id).await.len(), 2);
}
