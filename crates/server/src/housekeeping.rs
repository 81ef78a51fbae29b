//! What a node tidies in the background, in small steps.

use std::sync::Arc;
use std::time::Duration;

use padclock_store::{Retention, Store};
use tokio_util::sync::CancellationToken;

/// Between two steps of a round.
const STEP: Duration = Duration::from_millis(200);
/// Between two rounds.
const ROUND: Duration = Duration::from_secs(600);

/// Between two looks for sessions, links and pairings whose time is over.
const ACCESS: Duration = Duration::from_secs(900);

/// Removes sessions, links and pairings whose time is over, until the node stops.
pub(crate) async fn access(store: Arc<Store>, stopping: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(ACCESS) => {}
            () = stopping.cancelled() => return,
        }
        if let Err(error) = store.sweep_access().await {
            tracing::warn!(%error, "what has ended of sessions and links could not be removed");
        }
    }
}

/// Prunes history until the node stops.
pub(crate) async fn prune(store: Arc<Store>, retention: Retention, stopping: CancellationToken) {
    let (mut after, mut busy) = (None, false);
    loop {
        let pause = match store.prune(retention, after).await {
            Ok((next, deleted)) => {
                busy |= deleted > 0;
                after = next;
                // A job with more to delete than one step takes is looked at in the next round, which then follows soon.
                match after {
                    Some(_) => STEP,
                    None if std::mem::take(&mut busy) => STEP,
                    None => ROUND,
                }
            }
            Err(error) => {
                tracing::warn!(%error, "history could not be pruned");
                ROUND
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopping.cancelled() => return,
        }
    }
}
