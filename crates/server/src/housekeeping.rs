//! What a node tidies in the background, in small steps.

use std::sync::Arc;
use std::time::Duration;

use padclock_store::{DueSecret, Result, Retention, Store};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

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

/// Between two looks at what time has ended.
const SWEEP: Duration = Duration::from_secs(30);
/// The most batches of one kind in one look.
const BATCHES: usize = 100;

/// Wipes secrets that have ended, ends approvals that nobody decided on, and tells of secrets whose new value is due, until the
/// node stops.
pub(crate) async fn sweep(
    store: Arc<Store>,
    node: Arc<str>,
    metrics: Arc<Metrics>,
    stopping: CancellationToken,
) {
    loop {
        let swept = tokio::select! {
            swept = sweep_once(&store, &node, &metrics) => swept,
            () = stopping.cancelled() => return,
        };
        if let Err(error) = swept {
            tracing::warn!(%error, "what has ended could not be swept");
        }
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            () = stopping.cancelled() => return,
        }
    }
}

async fn sweep_once(store: &Store, node: &Arc<str>, metrics: &Metrics) -> Result<()> {
    for _ in 0..BATCHES {
        match store.wipe_ended_secrets(Arc::clone(node)).await? {
            0 => break,
            wiped => tracing::info!(wiped, "secrets that had ended were wiped"),
        }
    }
    for _ in 0..BATCHES {
        if store.expire_approvals(Arc::clone(node)).await? == 0 {
            break;
        }
    }
    for _ in 0..BATCHES {
        let due = store.tell_due_secrets(Arc::clone(node)).await?;
        if due.is_empty() {
            break;
        }
        due.iter().for_each(tell_due);
    }
    metrics.due_secrets.set(store.count_due_secrets().await?);
    Ok(())
}

/// A secret's new value is due: said once per version. What else shall hear of it is told here.
fn tell_due(secret: &DueSecret) {
    tracing::warn!(
        secret = %secret.id,
        name = secret.name,
        version = secret.version,
        "a new value is due for a secret"
    );
}
