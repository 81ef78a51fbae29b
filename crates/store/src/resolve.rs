//! Which secret a name means, for one job: the owner's own before the workspace's, the job's environment before all.
//!
//! What is answered is sealed. It is read in the transaction that leases the execution, so a secret that was changed or
//! deleted before the lease is never used after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use padclock_api::{SecretId, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_template::{RefSyntax, SecretRef};
use padclock_vault::{EgressPolicy, Sealed};

use crate::cache::{Candidates, Fresh, Secrets};
use crate::error::Result;
use crate::field::{Field, Row};
use crate::policies::Asked;
use crate::secrets::EVERY;
use crate::tx::{Rows, Sql, Tx, one_batch};

/// A secret's current version, sealed, and all that its seal is bound to.
#[derive(Debug, Clone)]
pub struct SealedSecret {
    /// The secret.
    pub id: SecretId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its owner, when it is not the workspace's.
    pub owner: Option<UserId>,
    /// Its name.
    pub name: String,
    /// The environment it serves.
    pub environment: String,
    /// Its current version.
    pub version: u32,
    /// When it ends.
    pub expires_at: Option<Moment>,
    /// Where it may be sent.
    pub egress: Option<EgressPolicy>,
    /// The hash of that policy as stored now: a policy edited in the database no longer opens the value.
    pub policy_hash: [u8; 32],
    /// The sealed value.
    pub sealed: Sealed,
}

static BY_NAME: Sql = Sql::each(
    "SELECT s.workspace_id, s.name, s.id, s.owner_id, s.environment, s.version, s.expires_at, s.egress,
       v.term, v.origin_term, v.wrapped_key, v.ciphertext
     FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version
     WHERE s.workspace_id = $1 AND s.name = $2",
    "SELECT s.workspace_id, s.name, s.id, s.owner_id, s.environment, s.version, s.expires_at, s.egress,
       v.term, v.origin_term, v.wrapped_key, v.ciphertext
     FROM unnest($1::bytea[], $2::text[]) AS k(workspace_id, name)
     JOIN secrets s ON s.workspace_id = k.workspace_id AND s.name = k.name
     JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version",
);

/// Reads what [`BY_NAME`] answers.
pub(crate) fn decode(row: &mut Row) -> Result<SealedSecret> {
    let egress: Option<EgressPolicy> = row.opt_json(7)?;
    Ok(SealedSecret {
        workspace: row.id(0)?,
        name: row.text(1)?,
        id: row.id(2)?,
        owner: row.opt_id(3)?,
        environment: row.text(4)?,
        version: row.number(5)?,
        expires_at: row.opt_moment(6)?,
        policy_hash: EgressPolicy::hash(egress.as_ref()),
        egress,
        sealed: Sealed {
            term: row.number(8)?,
            origin_term: row.number(9)?,
            wrapped_key: row.bytes(10)?,
            ciphertext: row.bytes(11)?,
        },
    })
}

/// Every secret of these names, whoever's it is and whatever environment it serves.
pub(crate) async fn named(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    names: BTreeSet<String>,
) -> Result<BTreeMap<String, Vec<Arc<SealedSecret>>>> {
    let mut found: BTreeMap<String, Vec<Arc<SealedSecret>>> = BTreeMap::new();
    let keys = Rows::new(
        names
            .into_iter()
            .map(|name| [Field::from(workspace), Field::from(name)]),
    );
    if keys.is_empty() {
        return Ok(found);
    }
    for mut row in one_batch(tx, &BY_NAME, keys).await? {
        let secret = decode(&mut row)?;
        let list = found.entry(secret.name.clone()).or_default();
        list.push(Arc::new(secret));
    }
    Ok(found)
}

/// For whom a name is looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub owner: UserId,
    pub environment: &'a str,
    pub now: Moment,
}

/// The secret that a reference means among those of its name; none when it is absent or has ended.
pub(crate) fn choose(
    candidates: &[Arc<SealedSecret>],
    reference: &SecretRef,
    asker: Asker<'_>,
) -> Option<Arc<SealedSecret>> {
    let rank = |secret: &SealedSecret| {
        let own = match secret.owner {
            Some(owner) if owner == asker.owner && reference.syntax == RefSyntax::Braces => 0,
            Some(_) => return None,
            None => 2,
        };
        match secret.environment.as_str() {
            environment if environment == asker.environment => Some(own),
            EVERY => Some(own + 1),
            _ => None,
        }
    };
    let best = candidates
        .iter()
        .filter_map(|secret| rank(secret).map(|rank| (rank, secret)))
        .min_by_key(|(rank, _)| *rank);
    // One that has ended does not give way to a wider one: what its owner ended stays ended.
    best.map(|(_, secret)| Arc::clone(secret))
        .filter(|secret| secret.expires_at.is_none_or(|end| end > asker.now))
}

/// A workspace as a claim needs it.
#[derive(Debug, Clone)]
pub(crate) struct KnownWorkspace {
    pub name: Arc<str>,
    pub secrets_revision: i64,
    /// Whether a secret without an egress policy may be sent nowhere.
    pub require_policy: bool,
}

static WORKSPACES: Sql = Sql::each(
    "SELECT id, name, secrets_revision, settings FROM workspaces WHERE id = $1",
    "SELECT w.id, w.name, w.secrets_revision, w.settings FROM unnest($1::bytea[]) AS k(id) JOIN workspaces w ON w.id = k.id",
);
/// As [`WORKSPACES`], and no secret of theirs changes until the transaction ends: one whose deletion is recorded is never
/// used after that record.
static WORKSPACES_HELD: Sql = Sql::each(
    WORKSPACES.sqlite,
    "SELECT w.id, w.name, w.secrets_revision, w.settings FROM unnest($1::bytea[]) AS k(id) JOIN workspaces w ON w.id = k.id FOR SHARE OF w",
);

/// The names and secrets' revisions of workspaces, and whether secrets of theirs are to be used.
pub(crate) async fn workspaces(
    tx: &mut dyn Tx,
    ids: &BTreeSet<WorkspaceId>,
    uses_secrets: bool,
) -> Result<BTreeMap<WorkspaceId, KnownWorkspace>> {
    let rows = one_batch(
        tx,
        if uses_secrets {
            &WORKSPACES_HELD
        } else {
            &WORKSPACES
        },
        Rows::new(ids.iter().map(|&id| [Field::from(id)])),
    )
    .await?;
    let known = |mut row: Row| {
        Ok((
            row.id(0)?,
            KnownWorkspace {
                name: row.text(1)?.into(),
                secrets_revision: row.int(2)?,
                // Settings that can't be read ask for everything.
                require_policy: Asked::of(&row.text(3)?)
                    .map_or(true, |asked| asked.require_egress_policy),
            },
        ))
    };
    rows.into_iter().map(known).collect()
}

/// Every secret of the wanted names, from the cache where it is of the workspace's present revision.
pub(crate) async fn candidates(
    tx: &mut dyn Tx,
    (cache, fresh): (&Secrets, &mut Fresh),
    workspaces: &BTreeMap<WorkspaceId, KnownWorkspace>,
    wanted: BTreeSet<(WorkspaceId, &str)>,
) -> Result<BTreeMap<(WorkspaceId, String), Candidates>> {
    let mut found = BTreeMap::new();
    let mut missing: BTreeMap<(WorkspaceId, String), Vec<Arc<SealedSecret>>> = BTreeMap::new();
    for (workspace, name) in wanted {
        let Some(known) = workspaces.get(&workspace) else {
            continue;
        };
        let key = (workspace, name.to_owned());
        match cache.get(workspace, known.secrets_revision, name) {
            Some(candidates) => drop(found.insert(key, candidates)),
            None => drop(missing.insert(key, Vec::new())),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let keys = Rows::new(
        missing
            .keys()
            .map(|(workspace, name)| [Field::from(*workspace), Field::from(name.clone())]),
    );
    for mut row in one_batch(tx, &BY_NAME, keys).await? {
        let secret = decode(&mut row)?;
        if let Some(list) = missing.get_mut(&(secret.workspace, secret.name.clone())) {
            list.push(Arc::new(secret));
        }
    }
    for (key, list) in missing {
        let list: Candidates = list.into();
        if let Some(known) = workspaces.get(&key.0) {
            let (workspace, name) = key.clone();
            fresh
                .secrets
                .push((workspace, known.secrets_revision, name, Arc::clone(&list)));
        }
        found.insert(key, list);
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
