//! A bare hyper-util client at the target.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::caller::per_second;
use crate::target::{ANSWER, HEADER, KEY, Target};

/// The client.
pub type Client = hyper_util::client::legacy::Client<HttpConnector, Empty<Bytes>>;

/// Requests at once.
const IN_FLIGHT: usize = 64;

/// A client with a pool of connections.
pub fn client() -> Client {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector)
}

/// One call, its answer read to the end.
///
/// # Errors
/// When it fails or its answer is another.
pub async fn call(client: &Client, target: &Target) -> Result<()> {
    let request = Request::get(target.url())
        .header(HEADER, KEY)
        .body(Empty::new())?;
    let answer = client.request(request).await?;
    ensure!(
        answer.status() == StatusCode::OK,
        "the target answered {}",
        answer.status()
    );
    let body = answer.into_body().collect().await?.to_bytes();
    ensure!(
        body.len() == ANSWER,
        "the target answered {} bytes",
        body.len()
    );
    Ok(())
}

/// So many calls, 64 in flight: how many a second.
///
/// # Errors
/// When one fails.
pub async fn requests_per_second(target: &Target, count: usize) -> Result<f64> {
    let (client, next) = (client(), Arc::new(AtomicUsize::new(0)));
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..IN_FLIGHT {
        let (client, next, target) = (client.clone(), Arc::clone(&next), target.clone());
        tasks.push(tokio::spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < count {
                call(&client, &target).await?;
            }
            anyhow::Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(per_second(count, begun))
}
