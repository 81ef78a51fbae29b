//! What is done with the node: a secret and a job are made, three executions are waited for and shown, and every kind of
//! answer is asked for once, refusals of calls that carry the value among them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use http::Method;
use padclock_api::{Execution, Status};
use serde_json::{Value as Json, json};

use super::calls::Calls;
use super::screen::Screen;
use super::shown;
use super::value::Planted;

/// How many executions are shown.
pub(super) const SHOWN: usize = 3;
/// How long they may take. The job runs every second.
const GENEROUS: Duration = Duration::from_secs(60);
const PACE: Duration = Duration::from_millis(50);
/// The names that the screen shows.
pub(super) const SECRET: &str = "demo-key";
pub(super) const JOB: &str = "demo-sync";

/// Ids of what was made.
pub(super) struct Made {
    secret: String,
    job: String,
}

/// Makes the secret, bound to the target, and the job that sends it there every second.
pub(super) async fn set_up(calls: &mut Calls, target: SocketAddr, value: &Planted) -> Result<Made> {
    let secret = calls
        .post("/v1/secrets", &secret(SECRET, target, value))
        .await?;
    let job = calls.post("/v1/jobs", &job(target)).await?;
    Ok(Made {
        secret: id_of(&secret)?,
        job: id_of(&job)?,
    })
}

fn secret(name: &str, target: SocketAddr, value: &Planted) -> Json {
    let egress = json!({ "hosts": [target.ip().to_string()], "ports": [target.port()] });
    json!({ "name": name, "value": value.text(), "reveal": "never", "egress": egress })
}

fn job(target: SocketAddr) -> Json {
    json!({
        "name": JOB,
        "kind": "recurring",
        "schedule": { "every_seconds": 1 },
        "request": {
            "url": format!("http://{target}/echo"),
            "method": "POST",
            "headers": { "Authorization": format!("Bearer secret://{SECRET}") },
            "query": { "key": format!("{{{{secret.{SECRET}}}}}") },
            "body": { "account": "acme", "key": format!("{{{{secret.{SECRET}}}}}") },
        },
    })
}

fn id_of(made: &Json) -> Result<String> {
    Ok(made["id"]
        .as_str()
        .context("what was made has no id")?
        .to_owned())
}

/// Shows executions as they end, until three have succeeded.
pub(super) async fn watch(calls: &mut Calls, made: &Made, screen: &mut Screen) -> Result<()> {
    match tokio::time::timeout(GENEROUS, shown_live(calls, made, screen)).await {
        Ok(outcome) => outcome,
        Err(_) => bail!(
            "fewer than {SHOWN} executions succeeded within {} seconds",
            GENEROUS.as_secs()
        ),
    }
}

async fn shown_live(calls: &mut Calls, made: &Made, screen: &mut Screen) -> Result<()> {
    let mut pace = tokio::time::interval(PACE);
    let mut seen = BTreeSet::new();
    let mut succeeded = 0;
    while succeeded < SHOWN {
        pace.tick().await;
        for id in ended(calls, made).await? {
            if succeeded == SHOWN || !seen.insert(id.clone()) {
                continue;
            }
            let execution: Execution =
                serde_json::from_value(calls.get(&format!("/v1/executions/{id}")).await?)?;
            screen.say(&format!(
                "\n{}",
                shown::execution(&execution, screen.style())
            ));
            succeeded += usize::from(execution.status == Status::Succeeded);
        }
    }
    Ok(())
}

/// Ids of the executions that are over, oldest first.
async fn ended(calls: &mut Calls, made: &Made) -> Result<Vec<String>> {
    let page = calls
        .get(&format!("/v1/executions?job_id={}&limit=20", made.job))
        .await?;
    let over = |item: &Json| {
        item["status"]
            .as_str()
            .and_then(Status::from_word)
            .is_some_and(Status::is_final)
    };
    let items = page["items"]
        .as_array()
        .context("the list of executions has no items")?;
    Ok(items
        .iter()
        .rev()
        .filter(|item| over(item))
        .filter_map(|item| Some(item["id"].as_str()?.to_owned()))
        .collect())
}

/// Asks for everything else that may be asked, so that it can be searched.
pub(super) async fn look_around(
    calls: &mut Calls,
    made: &Made,
    target: SocketAddr,
    value: &Planted,
) -> Result<()> {
    let Made {
        secret: secret_id,
        job: job_id,
    } = made;
    let paths = [
        "/healthz".to_owned(),
        "/readyz".to_owned(),
        "/metrics".to_owned(),
        "/openapi.json".to_owned(),
        "/v1/whoami".to_owned(),
        "/v1/secrets".to_owned(),
        format!("/v1/secrets/{secret_id}"),
        "/v1/jobs".to_owned(),
        format!("/v1/jobs/{job_id}"),
        format!("/v1/jobs/{job_id}/next"),
    ];
    for path in paths {
        calls.get(&path).await?;
    }
    for id in ended(calls, made).await? {
        calls.get(&format!("/v1/executions/{id}")).await?;
    }
    refusals(calls, target, value).await
}

/// Calls that carry the value and are refused: the refusal must not repeat it.
async fn refusals(calls: &mut Calls, target: SocketAddr, value: &Planted) -> Result<()> {
    let refused = [
        ("taken", secret(SECRET, target, value)),
        ("badly named", secret("no name", target, value)),
        (
            "in the wrong place",
            json!({ "name": "other", "value": { "text": value.text() } }),
        ),
        (
            "under an unknown field",
            json!({ "name": "other", "secret": value.text() }),
        ),
    ];
    for (why, body) in refused {
        let (status, _) = calls.send(Method::POST, "/v1/secrets", Some(&body)).await?;
        if status < 400 {
            bail!("a secret that is {why} was answered with {status} and not refused");
        }
    }
    Ok(())
}
