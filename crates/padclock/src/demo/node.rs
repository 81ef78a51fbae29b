//! The demonstration's node: the server as `padclock serve` starts it, on loopback, with its data in a folder of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use padclock_server::{Running, Settings};
use padclock_store::Store;

/// How long the database may take to be closed after the node has stopped.
const CLOSING: Duration = Duration::from_secs(2);
/// How often that is waited for.
const TRIES: usize = 3;

/// An address on loopback with a port that is free.
pub(super) fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Starts it. Loopback is opened to its jobs, for the target is there.
pub(super) async fn start(folder: &Path, listen: SocketAddr) -> Result<Running> {
    let loopback = "127.0.0.0/8"
        .parse()
        .map_err(|_| anyhow::anyhow!("the loopback range is not understood"))?;
    let settings = Settings {
        listen,
        egress_allow: vec![loopback],
        node: Some("demo".to_owned()),
        drain_timeout: Duration::from_secs(5),
        ..Settings::new(folder.to_owned())
    };
    padclock_server::start(settings)
        .await
        .context("the node does not start")
}

/// Stops it, and sees to it that its write-ahead log goes into the database. SQLite does that when the last connection
/// closes, if that one may write: so one more is opened and closed.
pub(super) async fn stop_and_checkpoint(running: Running, folder: &Path) -> Result<()> {
    running.stop().await;
    for _ in 0..TRIES {
        drop(
            Store::open(&format!(
                "sqlite://{}",
                folder.join("padclock.db").display()
            ))
            .await?,
        );
        if checkpointed(&folder.join("padclock.db-wal")).await {
            return Ok(());
        }
    }
    bail!("the database was not closed: its write-ahead log is still there")
}

async fn checkpointed(log: &Path) -> bool {
    let gone = async {
        let mut pace = tokio::time::interval(Duration::from_millis(10));
        while std::fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            pace.tick().await;
        }
    };
    tokio::time::timeout(CLOSING, gone).await.is_ok()
}
