//! Signs the heads of the chains every minute and at the end, and keeps them outside of the database as well: who can
//! write the database can cut a chain's tail with all that remembers it there, and not what stands in this node's folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use padclock_api::WorkspaceId;
use padclock_api::audit::SignedHead;
use padclock_store::{Head, Store};
use tokio_util::sync::CancellationToken;

use super::lines;
use crate::keys::Keyrings;
use crate::metrics::Metrics;

/// Between two looks.
const ROUND: Duration = Duration::from_secs(60);

/// The file's name in the data folder.
pub(crate) const FILE: &str = "audit.heads";

/// The signed heads in a file.
///
/// # Errors
/// When it can't be read, or a line of it is no signed head.
pub(crate) fn read(path: &Path) -> std::io::Result<Vec<SignedHead>> {
    let parse = |(at, line): (usize, String)| {
        let bad = |_| std::io::Error::other(format!("line {} is no signed head", at + 1));
        serde_json::from_str(&line).map_err(bad)
    };
    lines::from(path, 0)?
        .into_iter()
        .enumerate()
        .map(parse)
        .collect()
}

/// Signs and keeps heads until the node ends.
pub(crate) struct Keeper {
    store: Arc<Store>,
    keyrings: Arc<Keyrings>,
    metrics: Arc<Metrics>,
    file: PathBuf,
    /// The last head of each chain that this node has kept.
    kept: BTreeMap<WorkspaceId, (i64, Vec<u8>)>,
}

impl Keeper {
    pub(crate) fn new(
        store: Arc<Store>,
        keyrings: Arc<Keyrings>,
        metrics: Arc<Metrics>,
        data: &Path,
    ) -> Self {
        let file = data.join(FILE);
        let known = read(&file).unwrap_or_else(|error| {
            tracing::error!(file = %file.display(), %error, "the audit's heads can't be read");
            Vec::new()
        });
        let public = keyrings.now().signing().public();
        let mut kept: BTreeMap<WorkspaceId, (i64, Vec<u8>)> = BTreeMap::new();
        for head in known.into_iter().filter(|head| head.is_signed_by(&public)) {
            let last = kept.entry(head.workspace).or_default();
            if head.seq >= last.0 {
                *last = (head.seq, head.tag.0);
            }
        }
        Self {
            store,
            keyrings,
            metrics,
            file,
            kept,
        }
    }

    /// Keeps a head a minute of each chain that has moved; the last ones when `closing` says that nothing more will come.
    pub(crate) async fn run(mut self, closing: CancellationToken) {
        loop {
            let last = tokio::select! {
                () = tokio::time::sleep(ROUND) => false,
                () = closing.cancelled() => true,
            };
            let outcome = self.round().await;
            self.metrics.audit.note_heads(outcome.err());
            if last {
                return;
            }
        }
    }

    /// Why a chain that stands at `head` is not the one whose head was kept, if so.
    fn cut(&self, head: &Head) -> Option<String> {
        let (seq, tag) = self.kept.get(&head.workspace)?;
        let other = head.seq == *seq && head.tag != *tag;
        (head.seq < *seq || other).then(|| {
            format!(
                "the chain of {} stood at record {seq} and stands at {} now: run padclock audit verify",
                head.workspace, head.seq
            )
        })
    }

    async fn round(&mut self) -> Result<(), String> {
        let (now, heads) = self
            .store
            .audit_heads()
            .await
            .map_err(|error| error.to_string())?;
        let moved: Vec<Head> = heads
            .iter()
            .filter(|head| {
                self.kept
                    .get(&head.workspace)
                    .is_none_or(|(seq, _)| head.seq > *seq)
            })
            .cloned()
            .collect();
        let keyring = self.keyrings.now();
        let sign = |head: Head| {
            SignedHead::sign(keyring.signing(), head.workspace, head.seq, now, head.tag)
        };
        let signed: Vec<SignedHead> = moved.into_iter().map(sign).collect();
        if !signed.is_empty() {
            self.keep(signed).await?;
        }
        heads
            .iter()
            .find_map(|head| self.cut(head))
            .map_or(Ok(()), Err)
    }

    async fn keep(&mut self, signed: Vec<SignedHead>) -> Result<(), String> {
        let beside = self.store.keep_signed_heads(signed.clone()).await;
        let mut text = Vec::new();
        for head in &signed {
            serde_json::to_writer(&mut text, head).map_err(|error| error.to_string())?;
            text.push(b'\n');
        }
        let outside = lines::append(&self.file, &text);
        outside.map_err(|error| format!("{} can't be written: {error}", self.file.display()))?;
        for head in signed {
            tracing::info!(
                workspace = %head.workspace, seq = head.seq, at = %head.at, tag = %head.tag, signature = %head.signature,
                "signed the head of an audit chain"
            );
            self.kept.insert(head.workspace, (head.seq, head.tag.0));
        }
        beside.map_err(|error| error.to_string())
    }
}
