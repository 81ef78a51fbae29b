//! Tries with tokens that nobody has: counted by address, and told to the audit of the workspace `default` once a minute, so
//! that whoever tries much does not fill the chain. What was tried is never kept.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use padclock_store::{Action, Actor, Detail, Store};
use tokio_util::sync::CancellationToken;

/// Between two reports.
const ROUND: Duration = Duration::from_secs(60);
/// Addresses that one report names; what others have tried is told as one number.
const NAMED: usize = 100;
/// Whose tries are told together.
const OTHERS: &str = "(other addresses)";

/// Counts since the last report.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    named: HashMap<IpAddr, u32>,
    others: u32,
}

impl Tries {
    /// Counts one.
    pub(crate) fn count(&self, from: IpAddr) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = counts.named.len() < NAMED;
        match counts.named.get_mut(&from) {
            Some(count) => *count = count.saturating_add(1),
            None if room => drop(counts.named.insert(from, 1)),
            None => counts.others = counts.others.saturating_add(1),
        }
    }

    /// What was counted, by address, and the count begins anew.
    fn take(&self) -> Vec<(String, u32)> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut taken: Vec<(String, u32)> = counts
            .named
            .into_iter()
            .map(|(from, count)| (from.to_string(), count))
            .collect();
        taken.sort_unstable();
        if counts.others > 0 {
            taken.push((OTHERS.to_owned(), counts.others));
        }
        taken
    }
}

/// Reports until the node ends, and once more then.
pub(crate) async fn report(store: Arc<Store>, tries: Arc<Tries>, closing: CancellationToken) {
    loop {
        let last = tokio::select! {
            () = tokio::time::sleep(ROUND) => false,
            () = closing.cancelled() => true,
        };
        if let Err(error) = told(&store, &tries).await {
            tracing::error!(%error, "tries with wrong tokens could not be recorded");
        }
        if last {
            return;
        }
    }
}

async fn told(store: &Store, tries: &Tries) -> padclock_store::Result<()> {
    let counted = tries.take();
    if counted.is_empty() {
        return Ok(());
    }
    let workspace = store.first_workspace().await?;
    for (from, count) in counted {
        let detail = Detail {
            count: Some(count),
            ..Detail::default()
        };
        let actor = Actor::Stranger { from };
        store
            .record(workspace, &actor, Action::TokenFailure, "", detail)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_addresses_are_told_as_one_number() {
        let tries = Tries::default();
        for number in 0..250_u32 {
            tries.count(IpAddr::from(number.to_be_bytes()));
            tries.count(IpAddr::from([0, 0, 0, 1]));
        }
        let taken = tries.take();
        assert_eq!(taken.len(), NAMED + 1);
        assert_eq!(taken[1], ("0.0.0.1".to_owned(), 251));
        assert_eq!(taken[NAMED], (OTHERS.to_owned(), 150));
        assert!(tries.take().is_empty());
    }
}
