//! People and machines: who may do what, what narrows a token, and what no one may do to another workspace.

use serde_json::{Value, json};

use crate::client::word;
use crate::home::{Engine, on_both_stores};
use crate::persona::{Personas, elsewhere, member, token};
use crate::server::{Launch, Server};

on_both_stores!(
    a_token_never_has_more_than_its_maker,
    a_token_is_bound_to_addresses_and_time,
    a_proxy_that_is_trusted_says_who_calls,
    a_token_of_one_environment_touches_that_one_alone,
    nobody_raises_themselves,
    a_lowered_owner_leaves_no_owners_link,
    a_removed_member_is_out_at_once,
    workspaces_do_not_see_each_other,
    environments_come_and_go,
    the_last_use_is_known_after_a_stop
);

fn request(url: &str) -> Value {
    json!({"url": url})
}

async fn a_token_never_has_more_than_its_maker(engine: Engine) {
    let server = Server::new(engine).await;
    let owner = &server.client;
    let made = owner
        .post("/v1/tokens", &json!({"name": "narrow", "permissions": ["read", "tokens:own"], "environment": "staging", "cidrs": ["127.0.0.0/8"], "expires_in": 600}))
        .await
        .expect(201);
    assert_eq!(made.header("cache-control"), "no-store");
    let json = made.json();
    assert!(word(&json, "token").starts_with("pck_"));
    let narrow = owner.with_token(Some(word(&json, "token")));
    for wider in [
        json!({"name": "x", "permissions": ["read", "jobs:write"]}),
        json!({"name": "x", "environment": "production"}),
        json!({"name": "x", "cidrs": ["0.0.0.0/0"]}),
        json!({"name": "x", "expires_in": 6000}),
    ] {
        narrow
            .post("/v1/tokens", &wider)
            .await
            .refused(403, "forbidden", None);
    }
    // What is left out is inherited, and what it inherits it can't shed.
    let inherited = narrow
        .post("/v1/tokens", &json!({"name": "inherits"}))
        .await
        .expect(201)
        .json();
    for field in ["permissions", "environment", "cidrs", "expires_at"] {
        assert_eq!(inherited[field], json[field], "{field}");
    }
    narrow
        .post(
            "/v1/secrets",
            &json!({"name": "K", "value": "some-value", "environment": "staging"}),
        )
        .await
        .refused(403, "forbidden", None);
    let listed = owner.all("/v1/tokens").await;
    assert!(listed.iter().all(|token| token.get("token").is_none()));
    let id = word(&json, "id");
    owner.delete(&format!("/v1/tokens/{id}")).await.expect(204);
    narrow
        .get("/v1/whoami")
        .await
        .refused(401, "unauthorized", None);
}

async fn a_token_is_bound_to_addresses_and_time(engine: Engine) {
    let server = Server::new(engine).await;
    let owner = &server.client;
    let (_, far) = token(owner, json!({"name": "far", "cidrs": ["192.0.2.0/24"]})).await;
    far.get("/v1/whoami").await.refused(403, "forbidden", None);
    // An unproven header moves nobody.
    let forged = far
        .call("GET", "/v1/whoami")
        .header("x-forwarded-for", "192.0.2.7");
    forged.send().await.refused(403, "forbidden", None);
    let (_, near) = token(owner, json!({"name": "near", "cidrs": ["127.0.0.0/8"]})).await;
    near.get("/v1/whoami").await.expect(200);
    let (_, ending) = token(owner, json!({"name": "ending", "expires_in": 600})).await;
    ending.get("/v1/whoami").await.expect(200);
    server
        .home
        .sql("UPDATE tokens SET expires_at = 1 WHERE name = 'ending'")
        .await;
    ending
        .get("/v1/whoami")
        .await
        .refused(401, "unauthorized", None);
}

async fn a_proxy_that_is_trusted_says_who_calls(engine: Engine) {
    let home = std::sync::Arc::new(crate::home::Home::new(engine).await);
    let server = Launch::of(&home)
        .flag("--trusted-proxy", "127.0.0.0/8")
        .start()
        .await;
    let (_, far) = token(
        &server.client,
        json!({"name": "far", "cidrs": ["192.0.2.0/24"]}),
    )
    .await;
    let said = |line: &'static str| {
        far.call("GET", "/v1/whoami")
            .header("x-forwarded-for", line)
            .send()
    };
    said("192.0.2.7").await.expect(200);
    said("198.51.100.1, 192.0.2.7, 127.0.0.9").await.expect(200);
    said("192.0.2.7, 198.51.100.1")
        .await
        .refused(403, "forbidden", None);
}

async fn a_token_of_one_environment_touches_that_one_alone(engine: Engine) {
    let server = Server::new(engine).await;
    let owner = &server.client;
    let (_, staging) = token(owner, json!({"name": "staging", "environment": "staging"})).await;
    let secret = |environment: Option<&str>| {
        let mut new = json!({"name": "KEY", "value": "some-value"});
        if let Some(environment) = environment {
            new["environment"] = json!(environment);
        }
        new
    };
    let shared = owner
        .post("/v1/secrets", &secret(None))
        .await
        .expect(201)
        .id();
    let other = owner
        .post("/v1/secrets", &secret(Some("production")))
        .await
        .expect(201)
        .id();
    let own = staging
        .post("/v1/secrets", &secret(Some("staging")))
        .await
        .expect(201)
        .id();
    for environment in [None, Some("production")] {
        staging
            .post("/v1/secrets", &secret(environment))
            .await
            .refused(403, "forbidden", None);
    }
    let seen: Vec<String> = staging
        .all("/v1/secrets")
        .await
        .iter()
        .map(|secret| word(secret, "id").to_owned())
        .collect();
    assert_eq!(seen, [shared.clone(), own.clone()]);
    let new = json!({"value": "another-value"});
    let put = |id: &str| {
        let path = format!("/v1/secrets/{id}");
        let staging = staging.clone();
        let new = new.clone();
        async move { staging.put(&path, &new).await }
    };
    put(&own).await.expect(200);
    put(&shared).await.refused(403, "forbidden", None);
    put(&other).await.refused(404, "not_found", None);
    for (id, status) in [(&shared, 403), (&other, 404), (&own, 200)] {
        let value = staging.get(&format!("/v1/secrets/{id}/value")).await;
        assert_eq!(value.status, status, "{id}");
    }

    let url = "http://127.0.0.1:1/";
    let job = |environment: Option<&str>| {
        let mut new = json!({"name": "j", "kind": "manual", "retry": {"max_attempts": 1}, "request": request(url)});
        if let Some(environment) = environment {
            new["environment"] = json!(environment);
        }
        new
    };
    let theirs = owner.job(&job(None)).await;
    let mine = staging.job(&job(Some("staging"))).await;
    staging
        .post("/v1/jobs", &job(None))
        .await
        .refused(403, "forbidden", None);
    assert_eq!(staging.all("/v1/jobs").await.len(), 1);
    staging
        .patch(
            &format!("/v1/jobs/{mine}"),
            &json!({"environment": "production"}),
        )
        .await
        .refused(403, "forbidden", None);
    for (method, call) in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/run-now"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("GET", "/next"),
    ] {
        let call = staging.call(method, &format!("/v1/jobs/{theirs}{call}"));
        call.json(&json!({}))
            .send()
            .await
            .refused(404, "not_found", None);
    }
    let (a, b) = (owner.run(&theirs).await, staging.run(&mine).await);
    let seen = staging.all("/v1/executions").await;
    assert_eq!(
        seen.iter().map(|seen| word(seen, "id")).collect::<Vec<_>>(),
        [word(&b, "id")]
    );
    let hidden = staging
        .all(&format!("/v1/executions?job_id={theirs}"))
        .await;
    assert!(hidden.is_empty());
    for (method, call) in [("GET", ""), ("POST", "/replay"), ("POST", "/cancel")] {
        let path = format!("/v1/executions/{}{call}", word(&a, "id"));
        let answer = staging.call(method, &path).send().await;
        answer.refused(404, "not_found", None);
    }
    for path in [
        "/v1/members",
        "/v1/invitations",
        "/v1/tokens?all=true",
        "/v1/audit",
    ] {
        staging.get(path).await.refused(403, "forbidden", None);
    }
}

async fn nobody_raises_themselves(engine: Engine) {
    let server = Server::new(engine).await;
    let personas = Personas::of(&server).await;
    let owner = &server.client;
    let (admin_id, admin) = member(owner, "admin").await;
    let (editor_id, editor) = member(owner, "editor").await;
    let who = owner.get("/v1/whoami").await.expect(200).json();
    let owner_id = word(&who["user"], "id").to_owned();
    let change = |client: &crate::client::Client, id: &str, body: Value| {
        let (client, path) = (client.clone(), format!("/v1/members/{id}"));
        async move { client.patch(&path, &body).await }
    };
    let grant = json!({"grants": ["secrets:reveal"]});
    change(&admin, &admin_id, grant.clone())
        .await
        .refused(403, "forbidden", None);
    change(&admin, &admin_id, json!({"role": "owner"}))
        .await
        .refused(403, "forbidden", None);
    change(&admin, &owner_id, json!({"role": "viewer"}))
        .await
        .refused(403, "forbidden", None);
    change(&editor, &editor_id, json!({"role": "admin"}))
        .await
        .refused(403, "forbidden", None);
    admin
        .delete(&format!("/v1/members/{owner_id}"))
        .await
        .refused(403, "forbidden", None);
    admin
        .post("/v1/invitations", &json!({"role": "owner"}))
        .await
        .refused(403, "forbidden", None);
    editor
        .post(
            "/v1/tokens",
            &json!({"name": "x", "permissions": ["audit:read"]}),
        )
        .await
        .refused(403, "forbidden", None);
    // The last owner stays one, and stays.
    change(owner, &owner_id, json!({"role": "admin"}))
        .await
        .refused(409, "conflict", None);
    owner
        .delete(&format!("/v1/members/{owner_id}"))
        .await
        .refused(409, "conflict", None);
    // A grant is an owner's to give, and does not come back by itself.
    change(owner, &editor_id, grant.clone()).await.expect(200);
    admin
        .post("/v1/tokens", &json!({"name": "x", "for_user": editor_id}))
        .await
        .refused(403, "forbidden", None);
    change(&admin, &editor_id, json!({"role": "viewer"}))
        .await
        .expect(200);
    change(&admin, &editor_id, grant)
        .await
        .refused(403, "forbidden", None);
    let again = change(&admin, &editor_id, json!({"role": "editor"}))
        .await
        .expect(200);
    assert_eq!(again.json()["grants"], json!([]));
    // A person's tokens are made by nobody else.
    admin
        .post("/v1/tokens", &json!({"name": "x", "for_user": owner_id}))
        .await
        .refused(403, "forbidden", None);
    personas
        .viewer
        .post("/v1/workspaces", &json!({"name": "mine"}))
        .await
        .refused(403, "forbidden", None);
    personas
        .admin
        .post("/v1/workspaces", &json!({"name": "mine"}))
        .await
        .refused(403, "forbidden", None);
}

async fn a_lowered_owner_leaves_no_owners_link(engine: Engine) {
    let server = Server::new(engine).await;
    let owner = &server.client;
    let (second_id, second) = member(owner, "admin").await;
    // A person, whom an owner has made another owner.
    server.home.sql("UPDATE users SET service = 0").await;
    let path = format!("/v1/members/{second_id}");
    let raise = json!({"role": "owner"});
    owner.patch(&path, &raise).await.expect(200);
    let invitation = json!({"role": "editor"});
    let invited = second.post("/v1/invitations", &invitation).await;
    invited.expect(201);
    assert_eq!(owner.all("/v1/invitations").await.len(), 1);
    owner
        .patch(&path, &json!({"role": "admin"}))
        .await
        .expect(200);
    assert!(owner.all("/v1/invitations").await.is_empty());
    // A token bound to addresses makes no member who is not.
    let bound = json!({"name": "bound", "cidrs": ["127.0.0.0/8"]});
    let (_, bound) = token(owner, bound).await;
    for call in ["/v1/invitations", "/v1/members"] {
        let new = if call == "/v1/members" {
            json!({"name": "x", "role": "viewer"})
        } else {
            json!({"role": "viewer"})
        };
        bound.post(call, &new).await.refused(403, "forbidden", None);
    }
}

async fn a_removed_member_is_out_at_once(engine: Engine) {
    let server = Server::new(engine).await;
    let owner = &server.client;
    let (id, editor) = member(owner, "editor").await;
    let private = json!({"name": "MINE", "value": "a-private-value", "scope": "user"});
    let secret = editor.post("/v1/secrets", &private).await.expect(201).id();
    let job = editor
        .manual(
            "theirs",
            json!({"url": "http://127.0.0.1:1/", "headers": {"X": "{{secret.MINE}}"}}),
        )
        .await;
    owner.delete(&format!("/v1/members/{id}")).await.expect(204);
    editor
        .get("/v1/whoami")
        .await
        .refused(401, "unauthorized", None);
    let left = server.home.sql("SELECT count(*) FROM secrets").await;
    assert_eq!(left, ["0"], "{secret}");
    // Their job stays. It is not the remover's: it can't name what is private to them.
    let own = json!({"name": "MINE", "value": "the-remover's-own", "scope": "user"});
    owner.post("/v1/secrets", &own).await.expect(201);
    let execution = owner.run(&job).await;
    assert_eq!(
        execution["attempts"][0]["error"]["code"], "secret_unresolved",
        "{execution}"
    );
    owner
        .delete(&format!("/v1/members/{id}"))
        .await
        .refused(404, "not_found", None);
}

async fn workspaces_do_not_see_each_other(engine: Engine) {
    let server = Server::new(engine).await;
    let owner = &server.client;
    let other = elsewhere(&server).await;
    let (user, _) = member(owner, "viewer").await;
    let (token_id, _) = token(owner, json!({"name": "t"})).await;
    let invited = owner
        .post(
            "/v1/invitations",
            &json!({"role": "viewer", "email": "A@Example.com"}),
        )
        .await
        .expect(201)
        .json();
    assert!(word(&invited, "url").contains("/invite#pcl_"));
    assert_eq!(invited["email"], "a@example.com");
    let invitation = word(&invited, "id").to_owned();
    assert_eq!(owner.all("/v1/invitations").await.len(), 1);
    for (method, path) in [
        ("GET", format!("/v1/members/{user}")),
        ("DELETE", format!("/v1/members/{user}")),
        ("GET", format!("/v1/tokens/{token_id}")),
        ("DELETE", format!("/v1/tokens/{token_id}")),
        ("DELETE", format!("/v1/invitations/{invitation}")),
    ] {
        let answer = other.call(method, &path).send().await;
        answer.refused(404, "not_found", None);
    }
    let lists = ["/v1/invitations", "/v1/secrets", "/v1/jobs"];
    for path in lists {
        assert!(other.all(path).await.is_empty(), "{path}");
    }
    assert_eq!(other.all("/v1/members").await.len(), 1);
    owner
        .post("/v1/workspaces", &json!({"name": "elsewhere"}))
        .await
        .refused(409, "conflict", None);
    // The same person is in both; each is changed by a token of its own.
    let both = owner.all("/v1/workspaces").await;
    let names: Vec<&str> = both.iter().map(|one| word(one, "name")).collect();
    assert_eq!(names, ["default", "elsewhere"]);
    let path = format!("/v1/workspaces/{}", word(&both[1], "id"));
    let settings = json!({"settings": {"on_unresolved": "fail"}});
    owner
        .patch(&path, &settings)
        .await
        .refused(403, "forbidden", None);
    let changed = other.patch(&path, &settings).await.expect(200).json();
    assert_eq!(
        changed["settings"],
        json!({"require_egress_policy": false, "refuse_plaintext_secrets": false, "on_unresolved": "fail"})
    );
    let sends = json!({"url": "http://127.0.0.1:1/", "headers": {"X": "secret://gone"}});
    let job = other.manual("strict", sends).await;
    let execution = other.run(&job).await;
    assert_eq!(
        execution["attempts"][0]["error"]["code"], "secret_unresolved",
        "{execution}"
    );
    let (_, machine) = member(owner, "admin").await;
    machine.get(&path).await.refused(404, "not_found", None);
}

async fn environments_come_and_go(engine: Engine) {
    let server = Server::new(engine).await;
    let owner = &server.client;
    let names = || async {
        let found = owner.all("/v1/environments").await;
        found
            .iter()
            .map(|one| word(one, "name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["production"]);
    owner
        .post("/v1/environments", &json!({"name": "staging"}))
        .await
        .expect(201);
    owner
        .post("/v1/environments", &json!({"name": "staging"}))
        .await
        .refused(409, "conflict", None);
    owner
        .post("/v1/environments", &json!({"name": "workspace"}))
        .await
        .refused(400, "validation_error", Some(("name", "bad_name")));
    let secret = json!({"name": "KEY", "value": "some-value", "environment": "staging"});
    let id = owner.post("/v1/secrets", &secret).await.expect(201).id();
    owner
        .post(
            "/v1/secrets",
            &json!({"name": "K", "value": "some-value", "environment": "testing"}),
        )
        .await
        .expect(201);
    assert_eq!(names().await, ["production", "staging", "testing"]);
    owner
        .delete("/v1/environments/staging")
        .await
        .refused(409, "conflict", None);
    owner.delete(&format!("/v1/secrets/{id}")).await.expect(204);
    owner.delete("/v1/environments/staging").await.expect(204);
    owner
        .delete("/v1/environments/staging")
        .await
        .refused(404, "not_found", None);
    owner
        .delete("/v1/environments/production")
        .await
        .refused(409, "conflict", None);
}

async fn the_last_use_is_known_after_a_stop(engine: Engine) {
    let server = Server::new(engine).await;
    let home = std::sync::Arc::clone(&server.home);
    let (id, used) = token(&server.client, json!({"name": "used"})).await;
    let (unused, _) = token(&server.client, json!({"name": "unused"})).await;
    used.get("/v1/whoami").await.expect(200);
    assert!(server.stop().await.success());
    let server = Launch::of(&home).start().await;
    let of = |id: String| {
        let client = server.client.clone();
        async move {
            client
                .get(&format!("/v1/tokens/{id}"))
                .await
                .expect(200)
                .json()
        }
    };
    assert!(of(id).await["last_used_at"].is_string());
    assert!(of(unused).await["last_used_at"].is_null());
}
