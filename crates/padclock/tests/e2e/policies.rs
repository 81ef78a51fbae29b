//! Egress policies and time limits as an admin uses them: proposals, second admins, required policies, ended secrets.

use serde_json::json;

use crate::client::{until, word};
use crate::home::{Engine, on_both_stores};
use crate::persons::Persons;
use crate::server::{Launch, Server};
use crate::target::Target;

on_both_stores!(
    what_its_jobs_need_is_proposed_and_works,
    a_workspace_that_requires_policies_sends_nothing_unbound,
    an_ended_secret_is_gone_and_its_name_is_free,
    a_due_value_is_listed_and_counted,
    a_proposal_can_be_taken_back_and_read,
    an_admin_is_not_their_own_second,
);

async fn what_its_jobs_need_is_proposed_and_works(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let id = server.secret("KEY", "a-value-to-be-bound").await;
    let path = format!("/v1/secrets/{id}/proposed-policy");
    let none = server.client.get(&path).await.expect(200).json();
    assert!(none["egress"].is_null() && none["warnings"].as_array().unwrap().len() == 1);
    let headers = json!({"X-Key": "{{secret.KEY}}"});
    let job = server
        .client
        .manual(
            "uses it",
            json!({"url": target.url("/v1/{{now}}"), "headers": headers}),
        )
        .await;
    let told = server.client.get(&path).await.expect(200).json();
    let egress = &told["egress"];
    assert_eq!(
        *egress,
        json!({"schemes": ["http"], "hosts": ["127.0.0.1"], "ports": [target.address.port()], "methods": ["GET"],
            "path_prefixes": ["/v1/"], "places": ["header"]})
    );
    assert_eq!(told["jobs"], json!([{"id": job, "name": "uses it"}]));
    let bound = json!({"value": "a-value-to-be-bound", "egress": egress});
    let after = server
        .client
        .put(&format!("/v1/secrets/{id}"), &bound)
        .await;
    let after = after.expect(200).json();
    assert_eq!((&after["egress"], &after["version"]), (egress, &json!(2)));
    assert_eq!(after["warnings"], json!([]));
    assert_eq!(server.client.run(&job).await["status"], "succeeded");
}

async fn a_workspace_that_requires_policies_sends_nothing_unbound(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    server.secret("OLD", "a-value-without-policy").await;
    let headers = json!({"X-Key": "{{secret.OLD}}"});
    let job = server
        .client
        .manual("old", json!({"url": target.url("/"), "headers": headers}))
        .await;
    assert_eq!(server.client.run(&job).await["status"], "succeeded");
    server
        .home
        .sql(r#"UPDATE workspaces SET settings = '{"require_egress_policy":true}'"#)
        .await;
    let new = json!({"name": "NEW", "value": "another-value-without"});
    let refused = server.client.post("/v1/secrets", &new).await;
    refused.refused(
        400,
        "validation_error",
        Some(("egress", "egress_policy_required")),
    );
    let by_a_door = json!({"key": "NEW", "value": "another-value-without"});
    let door = server.client.post("/v1/cron-secrets", &by_a_door).await;
    assert!(door.status == 400 || door.status == 422, "{}", door.text());
    let execution = server.client.run(&job).await;
    let error = &execution["attempts"][0]["error"];
    assert_eq!(word(error, "code"), "egress_policy_required", "{execution}");
    assert!(word(error, "message").contains("`OLD`"), "{error}");
    assert_eq!(
        (execution["attempt_count"].as_u64(), target.seen().len()),
        (Some(1), 1)
    );
    let told = server
        .home
        .sql("SELECT detail FROM audit WHERE action = 'secret.refused'")
        .await;
    assert!(told.len() == 1 && told[0].contains("OLD"), "{told:?}");
}

async fn an_ended_secret_is_gone_and_its_name_is_free(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let secret = json!({"name": "KEY", "value": "a-value-that-ends", "ttl": 3600});
    let id = client.post("/v1/secrets", &secret).await.expect(201).id();
    let path = format!("/v1/secrets/{id}");
    let renewed = json!({"value": "another-value-that-ends", "ttl": 60});
    client.put(&path, &renewed).await.expect(200);
    server.home.sql("UPDATE secrets SET expires_at = 5").await;
    let late = client.put(&path, &renewed).await;
    assert!(late.status == 409 || late.status == 404, "{}", late.text());
    let again = client.post("/v1/secrets", &secret).await.expect(201).id();
    assert_ne!(again, id);
    server.home.sql("UPDATE secrets SET expires_at = 5").await;
    // A start looks at once for what has ended.
    let home = std::sync::Arc::clone(&server.home);
    server.stop().await;
    let server = Launch::of(&home).start().await;
    until("the row is gone", || async {
        let left = home.sql("SELECT count(*) FROM secrets").await;
        (left == ["0"]).then_some(())
    })
    .await;
    server
        .client
        .get(&format!("/v1/secrets/{again}"))
        .await
        .expect(404);
    let told = home
        .sql("SELECT count(*) FROM audit WHERE action = 'secret.expire'")
        .await;
    assert_eq!(told, ["2"]);
}

async fn a_due_value_is_listed_and_counted(engine: Engine) {
    let server = Server::new(engine).await;
    let secret = json!({"name": "KEY", "value": "a-value-that-is-old", "rotate_every_days": 30});
    let made = server.client.post("/v1/secrets", &secret).await.expect(201);
    assert!(made.json()["rotation_due_at"].is_string());
    server.secret("OTHER", "a-value-for-ever").await;
    assert!(server.client.all("/v1/secrets?due=true").await.is_empty());
    server
        .home
        .sql("UPDATE secret_versions SET created_at = created_at - 3024000000")
        .await;
    let due = server.client.all("/v1/secrets?due=true").await;
    assert_eq!((due.len(), &due[0]["overdue_days"]), (1, &json!(5)));
    let home = std::sync::Arc::clone(&server.home);
    server.stop().await;
    let server = Launch::of(&home).start().await;
    until("the metric tells it", || async {
        let count = server.metric("padclock_secrets_rotation_due ").await;
        (count > 0.5).then_some(())
    })
    .await;
    assert!(home.logged().contains("a new value is due"));
}

async fn an_admin_is_not_their_own_second(engine: Engine) {
    let persons = Persons::new(engine, "admin").await;
    let (owner, admin) = (&persons.server.client, &persons.other);
    let id = persons.server.secret("KEY", "a-value-to-be-bound").await;
    let ask = json!({"egress": {"hosts": ["evil.example"]}});
    let path = format!("/v1/secrets/{id}/policy");
    let asked = admin.post(&path, &ask).await.expect(202).id();
    let puppet = json!({"name": "puppet", "role": "admin"});
    for call in ["/v1/members", "/v1/invitations"] {
        let body = if call == "/v1/members" {
            puppet.clone()
        } else {
            json!({"role": "admin"})
        };
        let made = admin.post(call, &body).await;
        made.refused(403, "forbidden", None);
    }
    let editor = crate::persona::member(admin, "editor").await.0;
    let raise = json!({"role": "admin"});
    let raised = admin.patch(&format!("/v1/members/{editor}"), &raise).await;
    raised.refused(403, "forbidden", None);
    // Nor does a machine that an owner has made decide.
    let machine = crate::persona::member(owner, "admin").await.1;
    let approve = format!("/v1/approvals/{asked}/approve");
    for client in [admin, &machine] {
        let refused = client.call("POST", &approve).send().await;
        refused.refused(403, "forbidden", None);
    }
    owner.call("POST", &approve).send().await.expect(200);
}

async fn a_proposal_can_be_taken_back_and_read(engine: Engine) {
    let persons = Persons::new(engine, "admin").await;
    let (owner, admin) = (&persons.server.client, &persons.other);
    let id = persons.server.secret("KEY", "a-value-to-be-bound").await;
    let ask = |client: &crate::client::Client, host: &str| {
        let (client, body) = (client.clone(), json!({"egress": {"hosts": [host]}}));
        let path = format!("/v1/secrets/{id}/policy");
        async move { client.post(&path, &body).await.expect(202).json() }
    };
    let first = ask(owner, "a.example").await;
    assert_eq!(
        (word(&first, "kind"), word(&first, "state")),
        ("secret.policy", "pending")
    );
    let second = ask(admin, "b.example").await;
    let path = |approval: &serde_json::Value, what: &str| {
        format!("/v1/approvals/{}{what}", word(approval, "id"))
    };
    let taken_back = owner.call("POST", &path(&first, "/reject")).send().await;
    assert_eq!(taken_back.expect(200).json()["state"], "rejected");
    let pending = owner.all("/v1/approvals?state=pending").await;
    assert_eq!(pending.len(), 1);
    assert_eq!(
        owner.get(&path(&second, "")).await.expect(200).json(),
        pending[0]
    );
    // Whoever asked is no admin any more: what they asked for is void.
    persons.role("editor").await;
    let void = owner.call("POST", &path(&second, "/approve")).send().await;
    void.refused(409, "conflict", None);
    let bad = json!({"egress": {"hosts": ["https://a.example"]}});
    let wrong = owner.post(&format!("/v1/secrets/{id}/policy"), &bad).await;
    wrong.refused(
        400,
        "validation_error",
        Some(("egress.hosts[0]", "bad_policy")),
    );
    let empty = owner
        .post(&format!("/v1/secrets/{id}/policy"), &json!({}))
        .await;
    empty.refused(400, "validation_error", None);
    let mixed = json!({"egress": null, "description": "x"});
    let mixed = owner.patch(&format!("/v1/secrets/{id}"), &mixed).await;
    mixed.refused(400, "validation_error", Some(("egress", "not_alone")));
}
