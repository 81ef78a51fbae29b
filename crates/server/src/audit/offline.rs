//! The audit as the host's operator sees it: from the database itself and with the root key, whether a node runs or not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use padclock_api::WorkspaceId;
use padclock_api::audit::{AuditLine, SignedHead};
use padclock_store::{Chain, Kept, Report, Store};
use padclock_vault::{Keyring, Label, PublicKey};

use super::heads;
use crate::bootstrap::{self, StartError};
use crate::settings::Settings;

/// An open database whose root key was proved.
#[derive(Debug)]
pub struct Auditor {
    store: Arc<Store>,
    keyring: Arc<Keyring>,
    heads: PathBuf,
}

/// A line of an export or a live copy.
enum Line {
    Record(Box<AuditLine>),
    Head(SignedHead),
}

impl Auditor {
    /// Opens the database that these settings name. It makes nothing.
    ///
    /// # Errors
    /// [`StartError`] when there is no database or no root key, or the root key is not the database's.
    pub async fn open(settings: &Settings) -> Result<Self, StartError> {
        let (store, keyring) = bootstrap::open_made(settings).await?;
        Ok(Self {
            store,
            keyring,
            heads: settings.data.join(heads::FILE),
        })
    }

    /// What heads are checked with.
    #[must_use]
    pub fn key(&self) -> PublicKey {
        self.keyring.signing().public()
    }

    /// Verifies the chains, or the one of the workspace called `only`, and compares them with the heads in this file; with
    /// none named, with those that the node has kept in its folder, if there are any. Answers also how many heads that were.
    ///
    /// # Errors
    /// When the database or the file can't be read.
    pub async fn verify(
        &self,
        only: Option<&str>,
        file: Option<&Path>,
    ) -> Result<(Vec<Report>, usize), StartError> {
        let path = file.unwrap_or(&self.heads);
        if file.is_some_and(|file| !file.exists()) {
            let why = std::io::ErrorKind::NotFound.into();
            return Err(unreadable(path, why));
        }
        // The heads first: what is kept outside was in the database before.
        let heads = heads::read(path).map_err(|why| unreadable(path, why))?;
        let known = heads.len();
        let reports = self.store.verify_audit(only, heads).await?;
        Ok((reports, known))
    }

    /// Verifies chains as they stand in an export or a live copy.
    ///
    /// # Errors
    /// When the file can't be read, or a line of it is neither a record nor a signed head.
    pub fn verify_file(&self, path: &Path) -> Result<Vec<Report>, StartError> {
        let mut heads: BTreeMap<WorkspaceId, Vec<(SignedHead, Kept)>> = BTreeMap::new();
        each_line(path, |line| {
            if let Line::Head(head) = line {
                heads
                    .entry(head.workspace)
                    .or_default()
                    .push((head, Kept::File));
            }
        })?;
        let (key, public) = (self.keyring.derived(Label::Audit), self.key());
        let mut chains: BTreeMap<WorkspaceId, Chain<'_>> = heads
            .into_iter()
            .map(|(id, heads)| (id, Chain::new(key, &public, id, None, heads)))
            .collect();
        each_line(path, |line| {
            if let Line::Record(line) = line {
                let id = line.workspace;
                let begin = || Chain::new(key, &public, id, None, Vec::new());
                chains.entry(id).or_insert_with(begin).take((*line).into());
            }
        })?;
        Ok(chains
            .into_values()
            .map(|chain| chain.finish(None))
            .collect())
    }
}

fn unreadable(path: &Path, why: std::io::Error) -> StartError {
    StartError::Folder {
        path: path.to_owned(),
        why,
    }
}

fn each_line(path: &Path, mut take: impl FnMut(Line)) -> Result<(), StartError> {
    let file = File::open(path).map_err(|why| unreadable(path, why))?;
    let mut number = 0;
    for text in BufReader::new(file).lines() {
        number += 1;
        let text = text.map_err(|why| unreadable(path, why))?;
        let record = serde_json::from_str(&text).map(|record| Line::Record(Box::new(record)));
        let line = record.or_else(|_| serde_json::from_str(&text).map(Line::Head));
        take(line.map_err(|_| {
            let why = format!("line {number} is neither a record nor a signed head");
            unreadable(path, std::io::Error::other(why))
        })?);
    }
    Ok(())
}

/// What is known of a file of signed heads with nothing but the public key.
#[derive(Debug, Default)]
pub struct CheckedHeads {
    /// How many heads were read.
    pub heads: usize,
    /// The newest of each chain.
    pub newest: BTreeMap<WorkspaceId, SignedHead>,
    /// What is wrong: a line's number and why.
    pub faults: Vec<(usize, &'static str)>,
}

/// Checks a file of signed heads: each signature, and that no chain went back or changed what it had.
///
/// # Errors
/// When the file can't be read, or a line of it is no signed head.
pub fn check_heads(path: &Path, key: &PublicKey) -> Result<CheckedHeads, StartError> {
    if !path.exists() {
        return Err(unreadable(path, std::io::ErrorKind::NotFound.into()));
    }
    let heads = heads::read(path).map_err(|why| unreadable(path, why))?;
    let mut checked = CheckedHeads {
        heads: heads.len(),
        ..CheckedHeads::default()
    };
    for (at, head) in heads.into_iter().enumerate() {
        if !head.is_signed_by(key) {
            checked
                .faults
                .push((at + 1, "the signature is not this key's"));
            continue;
        }
        match checked.newest.get(&head.workspace) {
            Some(last) if head.seq < last.seq => {
                checked.faults.push((at + 1, "the chain was longer before"))
            }
            Some(last) if head.seq == last.seq && head.tag != last.tag => {
                checked
                    .faults
                    .push((at + 1, "the chain had another record there before"));
            }
            _ => drop(checked.newest.insert(head.workspace, head)),
        }
    }
    Ok(checked)
}
