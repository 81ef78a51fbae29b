//! Every route, tried as nobody, as someone of another workspace, and as each role, against the table in `routes.txt`.
//! A route without a row fails, and so does a row without a route.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::client::{Call, Client, word};
use crate::home::{Engine, on_both_stores};
use crate::persona::Personas;
use crate::server::Server;

on_both_stores!(every_route_answers_each_caller_as_the_table_says);

const TABLE: &str = include_str!("routes.txt");
const CALLERS: usize = 6;

/// The rows of the table: method and path, then the expected status for each caller.
fn rows() -> BTreeMap<String, Vec<u16>> {
    let lines = TABLE
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words.len(), 2 + CALLERS, "{line}");
            let expected = words[2..].iter().map(|word| word.parse().unwrap());
            (format!("{} {}", words[0], words[1]), expected.collect())
        })
        .collect()
}

/// What the calls are about.
struct World {
    owner: Client,
    workspace: String,
    execution: String,
    made: u32,
}

impl World {
    async fn of(server: &Server) -> Self {
        let owner = server.client.clone();
        let who = owner.get("/v1/whoami").await.expect(200).json();
        let mut world = Self {
            workspace: word(&who["workspace"], "id").to_owned(),
            execution: String::new(),
            owner,
            made: 0,
        };
        let job = world.job().await;
        world.execution = word(&world.owner.run(&job).await, "id").to_owned();
        world
    }

    fn number(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    async fn job(&mut self) -> String {
        let job = job(&format!("job {}", self.number()));
        self.owner.job(&job).await
    }

    async fn made(&self, path: &str, body: Value, field: &str) -> String {
        let made = self.owner.post(path, &body).await.expect(201).json();
        word(&made, field).to_owned()
    }

    /// A new object of the owner's, for the place in this path.
    async fn object(&mut self, path: &str) -> String {
        let number = self.number();
        match path
            .split('/')
            .nth(if path.starts_with("/api/") { 3 } else { 2 })
        {
            Some("secrets" | "cron-secrets") => {
                let name = format!("SECRET_{number}");
                let id = self.owner.secret(&name, "a-value-of-no-matter").await;
                let new = json!({"value": "another-of-no-matter"});
                self.owner
                    .put(&format!("/v1/secrets/{id}"), &new)
                    .await
                    .expect(200);
                id
            }
            Some("approvals") => {
                let name = format!("ASKED_{number}");
                let secret = self.owner.secret(&name, "a-value-of-no-matter").await;
                let asked = self
                    .owner
                    .post(&format!("/v1/secrets/{secret}/policy"), &policy())
                    .await;
                asked.expect(202).id()
            }
            Some("jobs") => self.job().await,
            Some("executions") => self.execution.clone(),
            Some("workspaces") => self.workspace.clone(),
            Some("members") => {
                let new = json!({"name": "machine", "role": "viewer"});
                self.made("/v1/members", new, "user_id").await
            }
            Some("invitations") => {
                self.made("/v1/invitations", json!({"role": "viewer"}), "id")
                    .await
            }
            Some("tokens") => self.made("/v1/tokens", json!({"name": "x"}), "id").await,
            Some("environments") => {
                let new = json!({"name": format!("environment-{number}")});
                self.made("/v1/environments", new, "name").await
            }
            _ => panic!("say here how to make what {path} is about"),
        }
    }

    /// A body that the call takes.
    fn body(&mut self, method: &str, path: &str) -> Option<Value> {
        let number = self.number();
        let body = match (method, path) {
            ("POST", "/v1/secrets") => {
                json!({"name": format!("NEW_{number}"), "value": "a-value-of-no-matter"})
            }
            ("PUT", "/v1/secrets/{id}" | "/v1/cron-secrets/{id}") => {
                json!({"value": "a-value-of-no-matter"})
            }
            ("PATCH", "/v1/secrets/{id}" | "/v1/jobs/{id}") => json!({"description": "x"}),
            ("POST", "/v1/jobs") => job(&format!("new {number}")),
            ("POST", "/v1/cron-secrets") => {
                json!({"key": format!("NEW_{number}"), "value": "a-value-of-no-matter"})
            }
            ("POST", "/api/v1/secrets") => {
                json!({"secret": {"name": format!("NEW_{number}"), "value": "a-value-of-no-matter"}})
            }
            ("PUT" | "PATCH", "/api/v1/secrets/{id}") => {
                json!({"secret": {"value": "a-value-of-no-matter"}})
            }
            ("POST", "/v1/workspaces") => json!({"name": format!("workspace {number}")}),
            ("PATCH", "/v1/workspaces/{id}") => json!({"settings": {"on_unresolved": "send"}}),
            ("POST", "/v1/members") => json!({"name": "machine", "role": "viewer"}),
            ("PATCH", "/v1/members/{id}") => json!({"role": "editor"}),
            ("POST", "/v1/invitations") => json!({"role": "viewer"}),
            ("POST", "/v1/tokens") => json!({"name": "another"}),
            ("POST", "/v1/environments") => json!({"name": format!("new-{number}")}),
            ("POST", "/v1/secrets/{id}/policy") => policy(),
            ("POST", "/v1/jobs/import") => json!({"text": "@daily curl http://127.0.0.1:1/
"}),
            ("POST", "/v1/pairings") => json!({"name": "a command line"}),
            _ => return None,
        };
        Some(body)
    }

    async fn try_as(&mut self, caller: &Client, method: &str, path: &str) -> u16 {
        let mut at = path.to_owned();
        if let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
            at.replace_range(open..=close, &self.object(path).await);
        }
        let call: Call<'_> = caller.call(method, &at);
        let call = match self.body(method, path) {
            Some(body) => call.json(&body),
            None => call,
        };
        call.send().await.status
    }
}

fn policy() -> Value {
    json!({"egress": {"hosts": ["api.example.com"]}})
}

/// A job whose one attempt fails at once.
fn job(name: &str) -> Value {
    json!({"name": name, "kind": "manual", "retry": {"max_attempts": 1}, "request": {"url": "http://127.0.0.1:1/"}})
}

async fn every_route_answers_each_caller_as_the_table_says(engine: Engine) {
    let server = Server::new(engine).await;
    let personas = Personas::of(&server).await;
    let mut world = World::of(&server).await;
    let expected = rows();
    let routes = padclock_server::routes();
    let known: BTreeSet<String> = routes
        .iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let gone: Vec<&String> = expected
        .keys()
        .filter(|row| !known.contains(*row))
        .collect();
    assert!(gone.is_empty(), "rows without a route: {gone:?}");
    let mut wrong = Vec::new();
    for route in routes {
        let mut got = Vec::new();
        for (_, caller) in personas.all() {
            got.push(world.try_as(caller, route.method, route.path).await);
        }
        let row = format!("{} {}", route.method, route.path);
        if expected.get(&row) != Some(&got) {
            let got: Vec<String> = got.iter().map(u16::to_string).collect();
            wrong.push(format!("{row:<48} {}", got.join("  ")));
        }
    }
    assert!(
        wrong.is_empty(),
        "not as routes.txt says (nobody, stranger, viewer, editor, admin, owner):\n{}",
        wrong.join("\n")
    );
}
