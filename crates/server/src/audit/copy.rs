//! The live copy: each record of every chain as a JSON line in a file or in the local syslog, soon after its commit.
//!
//! A node with this setting copies the chains from its own position, which it keeps in its data folder. In a file each
//! record stands once, whatever happens to the process; the syslog may get one again after a crash.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use padclock_api::WorkspaceId;
use padclock_api::audit::AuditLine;
use padclock_store::{Head, Store};
use serde::{Deserialize, Serialize};
use tokio::net::UnixDatagram;
use tokio_util::sync::CancellationToken;

use super::lines;
use crate::metrics::Metrics;

/// Between two looks when there is nothing new.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two looks when it fails.
const RETRY: Duration = Duration::from_secs(5);
/// Records copied at once.
const BATCH: u32 = 1_000;
/// Facility authpriv (10), severity informational (6), as RFC 3164 has them.
const PRIORITY: u8 = 10 * 8 + 6;
const SYSLOG: &str = "/dev/log";

/// Where the live copy goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Appended to this file.
    File(PathBuf),
    /// Sent to this local socket, as syslog lines (RFC 3164).
    Syslog(PathBuf),
}

impl FromStr for Target {
    type Err = &'static str;

    /// `FILE`, `syslog:` or `syslog:SOCKET`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix("syslog:") {
            Some("") => Ok(Self::Syslog(SYSLOG.into())),
            Some(path) => Ok(Self::Syslog(path.into())),
            None if text.is_empty() => Err("a file's path, or syslog:"),
            None => Ok(Self::File(text.into())),
        }
    }
}

/// What was copied: for each chain the place of its last record, and how long the file was then.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Position {
    target: String,
    bytes: u64,
    chains: BTreeMap<WorkspaceId, i64>,
}

/// Copies records until the node ends.
pub(crate) struct Copier {
    store: Arc<Store>,
    metrics: Arc<Metrics>,
    target: Target,
    file: PathBuf,
    position: Option<Position>,
}

impl Copier {
    pub(crate) fn new(
        store: Arc<Store>,
        metrics: Arc<Metrics>,
        target: Target,
        data: &Path,
    ) -> Self {
        Self {
            store,
            metrics,
            target,
            file: data.join("audit.copy"),
            position: None,
        }
    }

    pub(crate) async fn run(mut self, closing: CancellationToken) {
        loop {
            let outcome = self.catch_up().await;
            let pause = if outcome.is_ok() { PAUSE } else { RETRY };
            self.metrics.audit.note_copy(outcome.err());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = closing.cancelled() => {
                    let outcome = self.catch_up().await;
                    self.metrics.audit.note_copy(outcome.err());
                    return;
                }
            }
        }
    }

    /// Copies all that there is.
    async fn catch_up(&mut self) -> Result<(), String> {
        let (_, heads) = self
            .store
            .audit_heads()
            .await
            .map_err(|error| error.to_string())?;
        let mut position = match self.position.take() {
            Some(position) => position,
            None => self.found(&heads)?,
        };
        let mut outcome = Ok(());
        for head in heads {
            while outcome.is_ok()
                && position.chains.get(&head.workspace).copied().unwrap_or(0) < head.seq
            {
                outcome = self.step(&mut position, head.workspace).await;
            }
        }
        // After a failure what stands in the file is looked at anew.
        self.position = outcome.is_ok().then_some(position);
        outcome
    }

    /// Where an earlier process has stopped. Lines that it wrote after it last said so are counted as well.
    fn found(&self, heads: &[Head]) -> Result<Position, String> {
        let name = self.target_name();
        let unread = |error: std::io::Error| format!("{}: {error}", self.file.display());
        let text = lines::from(&self.file, 0).map_err(unread)?.concat();
        let known: Option<Position> = serde_json::from_str(&text).ok();
        let mut position = known
            .filter(|known| known.target == name)
            .unwrap_or_else(|| Position {
                target: name,
                bytes: 0,
                // A file gets the chains whole, so that it can be verified; the syslog gets what is new.
                chains: match self.target {
                    Target::File(_) => BTreeMap::new(),
                    Target::Syslog(_) => heads
                        .iter()
                        .map(|head| (head.workspace, head.seq))
                        .collect(),
                },
            });
        if let Target::File(path) = &self.target {
            let unread = |error: std::io::Error| format!("{}: {error}", path.display());
            for line in lines::from(path, position.bytes).map_err(unread)? {
                if let Ok(line) = serde_json::from_str::<AuditLine>(&line) {
                    position.chains.insert(line.workspace, line.seq);
                }
            }
        }
        Ok(position)
    }

    fn target_name(&self) -> String {
        match &self.target {
            Target::File(path) => path.display().to_string(),
            Target::Syslog(path) => format!("syslog:{}", path.display()),
        }
    }

    async fn step(&self, position: &mut Position, workspace: WorkspaceId) -> Result<(), String> {
        let after = position.chains.get(&workspace).copied().unwrap_or(0);
        let records = self.store.audit_lines(workspace, after, BATCH).await;
        let records = records.map_err(|error| error.to_string())?;
        let Some(last) = records.last().map(|line| line.seq) else {
            return Err(format!("the chain of {workspace} ends before its head"));
        };
        let texts: Result<Vec<String>, _> = records.iter().map(serde_json::to_string).collect();
        let texts = texts.map_err(|error| error.to_string())?;
        match &self.target {
            Target::File(path) => position.bytes = append(path, &texts)?,
            Target::Syslog(path) => send(path, &texts).await?,
        }
        position.chains.insert(workspace, last);
        self.metrics.audit.copied.inc_by(texts.len() as u64);
        let text = serde_json::to_string(&position).map_err(|error| error.to_string())?;
        lines::replace(&self.file, &text_line(text))
            .map_err(|error| format!("{} can't be written: {error}", self.file.display()))
    }
}

fn text_line(mut text: String) -> String {
    text.push('\n');
    text
}

fn append(path: &Path, texts: &[String]) -> Result<u64, String> {
    let mut whole = texts.join("\n");
    whole.push('\n');
    lines::append(path, whole.as_bytes())
        .map_err(|error| format!("{} can't be written: {error}", path.display()))
}

async fn send(path: &Path, texts: &[String]) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{} takes nothing: {error}", path.display());
    let socket = UnixDatagram::unbound().map_err(failed)?;
    let pid = std::process::id();
    for text in texts {
        let line = format!("<{PRIORITY}>padclock-audit[{pid}]: {text}");
        socket
            .send_to(line.as_bytes(), path)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_file_or_a_socket() {
        assert_eq!("/a/b".parse(), Ok(Target::File("/a/b".into())));
        assert_eq!("syslog:".parse(), Ok(Target::Syslog("/dev/log".into())));
        assert_eq!("syslog:/run/x".parse(), Ok(Target::Syslog("/run/x".into())));
        assert!("".parse::<Target>().is_err());
    }
}
