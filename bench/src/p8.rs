//! P8: values read back per second, each authorised and durably recorded, and secrets written per second. The yardstick is
//! the same server's `/healthz`, asked over as many connections, in turns with them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

use crate::arguments::Options;
use crate::caller::per_second;
use crate::node::{Folder, Node};
use crate::report::{Figure, Report};
use crate::statistics::ratios;

/// Connections, each with a call at a time.
const CONNECTIONS: usize = 64;
const VALUE: &str = "a value of a usual length, 48 bytes, for a bench";

/// One kind of call.
#[derive(Clone, Debug)]
enum Call {
    Health,
    Reveal(String),
    Write,
}

/// A server and whom to call it as.
#[derive(Clone)]
struct Server {
    client: Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
    token: Arc<str>,
    /// Of the secrets that are written, each with a name of its own.
    named: Arc<AtomicUsize>,
}

impl Server {
    fn new(node: &Node) -> Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            address: node.address,
            token: node.token()?.into(),
            named: Arc::default(),
        })
    }

    fn request(&self, call: &Call) -> Result<Request<Full<Bytes>>> {
        let at = |path: &str| format!("http://{}{path}", self.address);
        let bearer = format!("Bearer {}", self.token);
        Ok(match call {
            Call::Health => Request::get(at("/healthz")).body(Full::default())?,
            Call::Reveal(id) => Request::get(at(&format!("/v1/secrets/{id}/value")))
                .header(AUTHORIZATION, bearer)
                .body(Full::default())?,
            Call::Write => {
                let name = format!("BENCH_{}", self.named.fetch_add(1, Ordering::Relaxed));
                let body = json!({ "name": name, "value": VALUE }).to_string();
                Request::post(at("/v1/secrets"))
                    .header(AUTHORIZATION, bearer)
                    .header(CONTENT_TYPE, "application/json")
                    .body(body.into())?
            }
        })
    }

    async fn call(&self, call: &Call) -> Result<Bytes> {
        let answer = self.client.request(self.request(call)?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{call:?} was answered {status}");
        if let Call::Reveal(_) = call {
            let whole = body
                .windows(VALUE.len())
                .any(|part| part == VALUE.as_bytes());
            ensure!(whole, "a value did not come back");
        }
        Ok(body)
    }

    /// Calls over all connections for so long: how many a second.
    async fn per_second(&self, call: &Call, time: Duration) -> Result<f64> {
        let begun = Instant::now();
        let mut tasks = Vec::new();
        for _ in 0..CONNECTIONS {
            let (server, call) = (self.clone(), call.clone());
            tasks.push(tokio::spawn(async move {
                let mut count = 0;
                while begun.elapsed() < time {
                    server.call(&call).await?;
                    count += 1;
                }
                anyhow::Ok(count)
            }));
        }
        let mut count = 0;
        for task in tasks {
            count += task.await??;
        }
        Ok(per_second(count, begun))
    }
}

/// Runs it.
///
/// # Errors
/// When a call fails.
pub async fn run(options: &Options) -> Result<Report> {
    let folder = Folder::new("p8")?;
    let node = Node::start(&folder.join("data"), None)?;
    let server = Server::new(&node)?;
    let made: serde_json::Value = serde_json::from_slice(&server.call(&Call::Write).await?)?;
    let id = made["id"]
        .as_str()
        .context("a secret has an id")?
        .to_owned();
    let reveal = Call::Reveal(id);
    let time = Duration::from_secs(if options.quick { 2 } else { 5 });
    let (mut health, mut reveals, mut writes) = (Vec::new(), Vec::new(), Vec::new());
    // The first of each kind opens the connections.
    server
        .per_second(&reveal, Duration::from_millis(500))
        .await?;
    for round in 1..=options.rounds() {
        health.push(server.per_second(&Call::Health, time).await?);
        reveals.push(server.per_second(&reveal, time).await?);
        writes.push(server.per_second(&Call::Write, time).await?);
        let at = round - 1;
        eprintln!(
            "  round {round}: healthz {:.0}/s, reveals {:.0}/s, writes {:.0}/s",
            health[at], reveals[at], writes[at]
        );
    }
    node.stop()?;
    let mut report = Report::new(
        "p8",
        format!(
            "{CONNECTIONS} connections, embedded store, {} s each",
            time.as_secs()
        ),
    );
    report.figure(Figure::new("values read back", "/s", &reveals));
    report.figure(Figure::new("yardstick: /healthz", "/s", &health));
    report.figure(
        Figure::new(
            "read back, of the yardstick",
            "",
            &ratios(&reveals, &health),
        )
        .at_least(0.4),
    );
    report.figure(Figure::new("secrets written", "/s", &writes).at_least(5_000.0));
    report.note("client and server share the machine; each value read back was recorded on the disk before it was opened");
    Ok(report)
}
