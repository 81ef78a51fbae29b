//! PostgreSQL that goes away under a running node: calls are refused with 503, the node says that it is not ready, and
//! everything goes on when the database is back.

use std::sync::Arc;

use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::client::until;
use crate::home::{Engine, Home, beside_others};
use crate::server::Launch;
use crate::target::Target;

/// A way to the database that can be cut.
struct Way {
    url: String,
    open: watch::Sender<bool>,
}

impl Way {
    async fn to(url: &str) -> Self {
        let (front, rest) = url.rsplit_once('@').unwrap();
        let (address, name) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{front}@{}/{name}", listener.local_addr().unwrap());
        let (open, opened) = watch::channel(true);
        let address = if address.contains(':') {
            address.to_owned()
        } else {
            format!("{address}:5432")
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, address.clone(), opened.clone()));
            }
        });
        Self { url, open }
    }
}

/// Carries bytes both ways until the way is cut; while it is cut, a connection ends at once.
async fn carry(mut near: TcpStream, address: String, mut open: watch::Receiver<bool>) {
    if !*open.borrow() {
        return;
    }
    let mut far = TcpStream::connect(address).await.unwrap();
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_outlives_its_database() {
    beside_others(async {
        let home = Arc::new(Home::new(Engine::Postgres).await);
        let way = Way::to(home.database_url().unwrap()).await;
        let server = Launch::of(&home).database(way.url.clone()).start().await;
        let (client, target) = (&server.client, Target::agreeable().await);
        let definition = json!({"name": "pulse", "kind": "recurring", "schedule": {"every_seconds": 1}, "request": {"url": target.url("/")}});
        let job = client.job(&definition).await;
        let succeeded = format!("/v1/executions?job_id={job}&status=succeeded");
        until("it runs", || async { (!client.all(&succeeded).await.is_empty()).then_some(()) }).await;

        way.open.send_replace(false);
        let refused = until("calls are refused", || async { Some(client.get("/v1/jobs").await).filter(|answer| answer.status == 503) }).await;
        let refused = refused.refused(503, "unavailable", None);
        assert!(!refused.header("retry-after").is_empty() && !refused.text().contains('@'), "{}", refused.text());
        client.post("/v1/secrets", &json!({"name": "A", "value": "a-value-never-stored"})).await.refused(503, "unavailable", None);
        client.post("/v1/jobs", &definition).await.refused(503, "unavailable", None);
        client.get("/readyz").await.refused(503, "unavailable", None);
        client.get("/healthz").await.expect(200);

        way.open.send_replace(true);
        until("it is ready again", || async { (client.get("/readyz").await.status == 200).then_some(()) }).await;
        assert_eq!((client.all("/v1/jobs").await.len(), client.all("/v1/secrets").await.len()), (1, 0));
        let so_far = client.all(&succeeded).await.len();
        until("it runs again", || async { (client.all(&succeeded).await.len() > so_far).then_some(()) }).await;
    })
    .await;
}
