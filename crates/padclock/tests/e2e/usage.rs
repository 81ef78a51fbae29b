//! What uses a secret, and which jobs name what there is not.

use serde_json::{Value, json};

use crate::client::{until, word};
use crate::home::{Engine, on_both_stores};
use crate::server::Server;
use crate::target::Target;

on_both_stores!(
    usage_names_the_jobs_and_says_for_which_the_name_means_this_secret,
    a_secret_in_use_is_kept_when_asked,
    more_jobs_than_a_page_are_all_counted,
    uses_are_remembered,
    a_use_that_was_refused_is_none,
    jobs_that_name_what_is_not_there_are_shown
);

async fn make(server: &Server, name: &str, environment: &str, scope: &str) -> String {
    let value = server
        .home
        .plant(name, &format!("value-{name}-{environment}-{scope}"))
        .to_owned();
    let body = json!({"name": name, "value": value, "environment": environment, "scope": scope});
    server
        .client
        .post("/v1/secrets", &body)
        .await
        .expect(201)
        .id()
}

async fn usage(server: &Server, id: &str) -> Value {
    server
        .client
        .get(&format!("/v1/secrets/{id}/usage"))
        .await
        .expect(200)
        .json()
}

fn job(name: &str, environment: &str, header: &str) -> Value {
    json!({"name": name, "kind": "manual", "environment": environment,
        "request": {"url": "https://api.example.com/", "headers": {"X-Key": header}}})
}

async fn usage_names_the_jobs_and_says_for_which_the_name_means_this_secret(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let all = make(&server, "KEY", "workspace", "workspace").await;
    let staging = make(&server, "KEY", "staging", "workspace").await;
    let own = make(&server, "KEY", "workspace", "user").await;
    client
        .job(&job("braces in staging", "staging", "{{secret.KEY}}"))
        .await;
    let edited = client
        .job(&job("uri in staging", "staging", "secret://KEY"))
        .await;
    client
        .job(&job("uri in production", "production", "secret://KEY"))
        .await;
    client
        .job(&job("both", "production", "secret://KEY {{secret.KEY}}"))
        .await;
    client
        .job(&job(
            "another",
            "production",
            "secret://KEY2 {{secret.KEY3}} KEY",
        ))
        .await;
    let meant = |usage: &Value| -> Vec<(String, bool)> {
        let jobs = usage["jobs"].as_array().unwrap().iter();
        jobs.map(|job| (word(job, "name").to_owned(), job["resolves_here"] == true))
            .collect()
    };
    let table = [
        (&all, [false, false, true, true]),
        (&staging, [false, true, false, false]),
        (&own, [true, false, false, true]),
    ];
    for (id, expected) in table {
        let told = usage(&server, id).await;
        let names = [
            "braces in staging",
            "uri in staging",
            "uri in production",
            "both",
        ];
        let expected: Vec<(String, bool)> = names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(expected)
            .collect();
        assert_eq!(meant(&told), expected);
        assert_eq!(told["jobs"][0]["places"], json!(["header"]));
        assert_eq!(told["jobs"][0]["state"], "active");
        assert_eq!(
            (&told["automations"], &told["last_used_at"]),
            (&json!([]), &Value::Null)
        );
    }
    // An edit and a deletion are seen at once.
    client
        .patch(
            &format!("/v1/jobs/{edited}"),
            &json!({"request": {"headers": {"X-Key": "none"}}}),
        )
        .await
        .expect(200);
    assert_eq!(
        usage(&server, &staging).await["jobs"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    client
        .delete(&format!("/v1/secrets/{own}"))
        .await
        .expect(204);
    assert!(meant(&usage(&server, &staging).await)[0].1);
}

async fn a_secret_in_use_is_kept_when_asked(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let id = make(&server, "KEY", "workspace", "workspace").await;
    let own = make(&server, "KEY", "workspace", "user").await;
    let user = client
        .job(&job("uses it", "production", "secret://KEY"))
        .await;
    let path = format!("/v1/secrets/{id}?if_unused=true");
    let refused = client
        .delete(&path)
        .await
        .refused(409, "conflict", Some(("jobs", "in_use")));
    assert!(refused.text().contains(&user), "{}", refused.text());
    // The job's `secret://` never means the own one.
    client
        .delete(&format!("/v1/secrets/{own}?if_unused=true"))
        .await
        .expect(204);
    client.delete(&format!("/v1/jobs/{user}")).await.expect(204);
    client.delete(&path).await.expect(204);
}

async fn more_jobs_than_a_page_are_all_counted(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let id = make(&server, "KEY", "workspace", "workspace").await;
    for number in 0..130 {
        client
            .job(&job(
                &format!("job {number}"),
                "production",
                "secret://KEY {{secret.KEY}}",
            ))
            .await;
    }
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/secrets/{id}/usage?limit=50{cursor}");
        let page = client.get(&path).await.expect(200).json();
        let jobs = page["jobs"].as_array().unwrap();
        found.extend(jobs.iter().map(|job| word(job, "name").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<String> = (0..130).map(|number| format!("job {number}")).collect();
    assert_eq!(found, expected);
    let refused = client
        .delete(&format!("/v1/secrets/{id}?if_unused=true"))
        .await;
    let refused = refused.refused(409, "conflict", None);
    assert!(refused.text().contains("130 jobs"), "{}", refused.text());
}

async fn uses_are_remembered(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let client = &server.client;
    let id = make(&server, "KEY", "workspace", "workspace").await;
    let unused = make(&server, "IDLE", "workspace", "workspace").await;
    let request = json!({"url": target.url("/"), "headers": {"X-Key": "secret://KEY"}});
    let job = client.manual("uses it", request).await;
    let mut runs = Vec::new();
    for _ in 0..7 {
        runs.push(word(&client.run(&job).await, "id").to_owned());
    }
    let newest = runs.last().unwrap().as_str();
    let told = until("the last use is written down", || async {
        let told = usage(&server, &id).await;
        (told["last_execution"] == newest).then_some(told)
    })
    .await;
    let executions = told["executions"].as_array().unwrap();
    let kept: Vec<&str> = executions
        .iter()
        .map(|one| word(one, "execution"))
        .collect();
    let expected: Vec<&str> = runs.iter().rev().take(5).map(String::as_str).collect();
    assert_eq!(kept, expected);
    assert_eq!(executions[0]["job_id"], job.as_str());
    assert_eq!(told["last_used_at"], executions[0]["at"]);
    assert_eq!(usage(&server, &unused).await["executions"], json!([]));

    // What was noted last is written down when the node stops.
    let last = word(&client.run(&job).await, "id").to_owned();
    let home = std::sync::Arc::clone(&server.home);
    assert!(server.stop().await.success());
    let server = crate::server::Launch::of(&home).start().await;
    assert_eq!(usage(&server, &id).await["last_execution"], last.as_str());
}

async fn a_use_that_was_refused_is_none(engine: Engine) {
    let (server, target) = (Server::new(engine).await, Target::agreeable().await);
    let client = &server.client;
    let value = server.home.plant("BOUND", "a-value-that-stays-here");
    let bound =
        json!({"name": "BOUND", "value": value, "egress": {"hosts": ["elsewhere.example"]}});
    let bound = client.post("/v1/secrets", &bound).await.expect(201).id();
    let free = make(&server, "FREE", "workspace", "workspace").await;
    let send = |name: &str| json!({"url": target.url("/"), "headers": {"X-Key": format!("secret://{name}")}});
    let refused = client.manual("refused", send("BOUND")).await;
    assert_eq!(client.run(&refused).await["status"], "failed");
    let good = client.manual("good", send("FREE")).await;
    assert_eq!(client.run(&good).await["status"], "succeeded");
    // What is written down later tells that what came before would have been.
    until("the use of the other secret is written down", || async {
        let found = usage(&server, &free).await;
        found["last_used_at"].is_string().then_some(())
    })
    .await;
    let never = usage(&server, &bound).await;
    assert_eq!(
        (&never["last_used_at"], &never["executions"]),
        (&Value::Null, &json!([]))
    );
}

async fn jobs_that_name_what_is_not_there_are_shown(engine: Engine) {
    let server = Server::new(engine).await;
    let client = &server.client;
    let there = make(&server, "THERE", "workspace", "workspace").await;
    make(&server, "STAGED", "staging", "workspace").await;
    let definition = job(
        "names much",
        "production",
        "{{secret.THERE}} {{secret.GONE}} secret://STAGED",
    );
    let tried = client
        .post("/v1/jobs?dry_run=true", &definition)
        .await
        .expect(200)
        .json();
    let made = client
        .post("/v1/jobs", &definition)
        .await
        .expect(201)
        .json();
    let id = word(&made, "id");
    let path = format!("/v1/jobs/{id}");
    let read = client.get(&path).await.expect(200).json();
    for answer in [&tried, &made, &read] {
        assert_eq!(
            answer["unresolved_secrets"],
            json!(["GONE", "STAGED"]),
            "{answer}"
        );
        let warned = answer["warnings"].as_array().unwrap().iter();
        let warned = warned.filter(|warning| warning["code"] == "secret_unresolved");
        assert_eq!(warned.count(), 2, "{answer}");
    }
    client
        .job(&job("names what is there", "production", "secret://THERE"))
        .await;
    client
        .job(&job("names nothing", "production", "none"))
        .await;
    let listed = client.all("/v1/jobs?unresolved=true").await;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (word(&listed[0], "id"), &listed[0]["unresolved_secrets"]),
        (id, &json!(["GONE", "STAGED"]))
    );
    let fixed = client
        .patch(&path, &json!({"environment": "staging"}))
        .await
        .expect(200)
        .json();
    assert_eq!(fixed["unresolved_secrets"], json!(["GONE"]));
    server.secret("GONE", "value-that-came-after").await;
    assert_eq!(
        client.get(&path).await.json()["unresolved_secrets"],
        json!([])
    );
    assert!(client.all("/v1/jobs?unresolved=true").await.is_empty());

    // One that has ended hides the wider one, and is nothing itself.
    server
        .home
        .sql(&format!(
            "UPDATE secrets SET expires_at = 1 WHERE name = '{}'",
            "THERE"
        ))
        .await;
    let listed = client.all("/v1/jobs?unresolved=true").await;
    assert_eq!(listed.len(), 2, "{listed:?}");
    client
        .delete(&format!("/v1/secrets/{there}"))
        .await
        .expect(204);
    assert_eq!(client.all("/v1/jobs?unresolved=true").await.len(), 2);
}
