//! Approvals: what one admin asks for and a second one decides. Deciding and doing are one transaction.

use padclock_api::approval::{Approval, ApprovalKind, ApprovalState, PolicyProposal};
use padclock_api::{ApprovalId, SecretId, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::{EgressPolicy, Label};

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::{Row, fields};
use crate::policies::{self, Change, Resealed};
use crate::secrets;
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// For how long an approval can be decided.
const OPEN_FOR: i64 = 7 * 86_400_000;

macro_rules! select_approval {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.target, a.revision, a.proposal, a.state, a.created_by, a.created_at, a.expires_at, a.decided_by, a.decided_at, s.name ",
            "FROM approvals a LEFT JOIN secrets s ON s.id = a.target AND s.workspace_id = a.workspace_id ",
            $rest
        )
    };
}

static INSERT: Sql = Sql::both(
    "INSERT INTO approvals (id, workspace_id, kind, target, revision, proposal, state, created_by, created_at, expires_at)
     VALUES ($1, $2, 'secret.policy', $3, $4, $5, 'pending', $6, $7, $8)",
);
static GET: Sql = Sql::both(select_approval!("WHERE a.workspace_id = $1 AND a.id = $2"));
/// As [`GET`], and nobody else decides on it until the transaction ends.
static LOCK: Sql = Sql::each(
    select_approval!("WHERE a.workspace_id = $1 AND a.id = $2"),
    select_approval!("WHERE a.workspace_id = $1 AND a.id = $2 FOR UPDATE OF a"),
);
static LIST: Sql = Sql::both(select_approval!(
    "WHERE a.workspace_id = $1 AND a.id > $2 AND (a.state = $3 OR $3 = '') ORDER BY a.id LIMIT $4"
));
static DECIDE: Sql = Sql::both(
    "UPDATE approvals SET state = $1, decided_by = $2, decided_at = $3 WHERE id = $4 AND state = 'pending'",
);
/// Who asked must still be one who may ask.
/// A service member, or one who has come since it was asked for: whoever let them in may act by them.
static NOT_ANOTHER: Sql = Sql::both(
    "SELECT 1 FROM members m JOIN users u ON u.id = m.user_id
     WHERE m.workspace_id = $1 AND m.user_id = $2 AND (u.service = 1 OR m.created_at > $3)",
);
static MAY_ASK: Sql = Sql::both(
    "SELECT 1 FROM members WHERE workspace_id = $1 AND user_id = $2 AND role IN ('owner', 'admin')",
);

/// An approval to store.
#[derive(Debug)]
pub struct NewApproval {
    /// Its id.
    pub id: ApprovalId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The secret whose policy shall change.
    pub secret: SecretId,
    /// The policy that it shall have.
    pub egress: Option<EgressPolicy>,
    /// The revision that the caller has seen, if it named one.
    pub expected: Option<u32>,
}

/// An approval, and the secret's revision that it was asked for.
#[derive(Debug, Clone)]
pub struct ApprovalRow {
    /// What the API answers.
    pub approval: Approval,
    /// The secret's revision then: a secret that has changed since is another one to decide on.
    pub revision: u32,
}

/// What became of a decision.
#[derive(Debug)]
pub enum Decided {
    /// It stands.
    Done(Box<Approval>),
    /// It does not, and that was audited.
    Refused(NotDecided),
}

/// Why a decision does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDecided {
    /// It was decided before, or its time is over.
    Closed,
    /// Who asked can't approve.
    OwnProposal,
    /// A service member, or one who has come since, can't approve.
    NotAnother,
    /// Who asked may no longer ask.
    ProposerGone,
    /// The secret has changed since, has ended, or is gone.
    SecretChanged,
}

impl NotDecided {
    const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::OwnProposal => "own_proposal",
            Self::NotAnother => "not_another",
            Self::ProposerGone => "proposer_gone",
            Self::SecretChanged => "secret_changed",
        }
    }
}

fn decode(row: &mut Row) -> Result<ApprovalRow> {
    let state = ApprovalState::from_word(&row.text(4)?)
        .ok_or_else(|| StoreError::Damaged("an approval's state is no state".to_owned()))?;
    let proposal: PolicyProposal = row.json(3)?;
    let approval = Approval {
        id: row.id(0)?,
        kind: ApprovalKind::SecretPolicy,
        target: row.id(1)?,
        target_name: row.opt_text(10)?,
        proposal,
        state,
        created_by: row.id(5)?,
        created_at: row.moment(6)?,
        expires_at: row.moment(7)?,
        decided_by: row.opt_id(8)?,
        decided_at: row.opt_moment(9)?,
    };
    Ok(ApprovalRow {
        approval,
        revision: row.number(2)?,
    })
}

async fn find(
    tx: &mut dyn Tx,
    sql: &'static Sql,
    workspace: WorkspaceId,
    id: ApprovalId,
) -> Result<ApprovalRow> {
    tx.query(sql, fields![workspace, id])
        .await?
        .first_mut()
        .map_or(Err(StoreError::NotFound), decode)
}

fn entry(
    workspace: WorkspaceId,
    actor: &Actor,
    action: Action,
    approval: &Approval,
    result: Option<&str>,
) -> Result<Entry> {
    let detail = Detail {
        name: approval.target_name.clone(),
        policy: policies::told(approval.proposal.egress.as_ref())?,
        result: result.map(str::to_owned),
        ..Detail::default()
    };
    Ok(Entry {
        workspace,
        actor: actor.to_string(),
        action,
        target: approval.id.to_string(),
        detail,
    })
}

async fn insert(
    tx: &mut dyn Tx,
    new: &NewApproval,
    user: UserId,
    revision: u32,
    now: i64,
) -> Result<()> {
    let proposal = PolicyProposal {
        egress: new.egress.clone(),
    };
    let proposal =
        serde_json::to_string(&proposal).map_err(|error| StoreError::Damaged(error.to_string()))?;
    let params = fields![
        new.id,
        new.workspace,
        new.secret,
        revision,
        proposal,
        user,
        now,
        now.saturating_add(OPEN_FOR)
    ];
    tx.execute(&INSERT, params).await.map(drop)
}

/// Whether `user` may approve now; what the secret looked like is checked by the write itself.
async fn may_approve(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    found: &ApprovalRow,
    user: UserId,
    now: Moment,
) -> Result<Option<NotDecided>> {
    let Approval {
        state,
        expires_at,
        created_by,
        ..
    } = found.approval;
    if state != ApprovalState::Pending || expires_at <= now {
        return Ok(Some(NotDecided::Closed));
    }
    if created_by == user {
        return Ok(Some(NotDecided::OwnProposal));
    }
    let asked_at = found.approval.created_at;
    let suspect = tx
        .query(&NOT_ANOTHER, fields![workspace, user, asked_at])
        .await?;
    if !suspect.is_empty() {
        return Ok(Some(NotDecided::NotAnother));
    }
    let asks = tx.query(&MAY_ASK, fields![workspace, created_by]).await?;
    Ok(asks.is_empty().then_some(NotDecided::ProposerGone))
}

async fn decide(
    tx: &mut dyn Tx,
    id: ApprovalId,
    state: ApprovalState,
    user: UserId,
    now: Moment,
) -> Result<()> {
    let params = fields![state.word(), user, now, id];
    match tx.execute(&DECIDE, params).await? {
        0 => Err(StoreError::Closed),
        _ => Ok(()),
    }
}

/// One who decides, and on what.
#[derive(Debug)]
pub struct Decision {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The approval.
    pub id: ApprovalId,
    /// Who decides.
    pub user: UserId,
    /// As the audit names them.
    pub actor: Actor,
}

impl Decision {
    async fn approve(
        &self,
        tx: &mut dyn Tx,
        new: &Resealed,
        now: Moment,
    ) -> Result<(Decided, Vec<Entry>)> {
        let found = find(tx, &LOCK, self.workspace, self.id).await?;
        let mut why = may_approve(tx, self.workspace, &found, self.user, now).await?;
        let about =
            new.secret == found.approval.target && new.egress == found.approval.proposal.egress;
        let secret = secrets::get(tx, self.workspace, found.approval.target, self.user).await;
        let before = match secret {
            Ok(row) if row.secret.expires_at.is_none_or(|end| end > now) => Some(row.secret),
            Ok(_) | Err(StoreError::NotFound) => None,
            Err(error) => return Err(error),
        };
        let Some(before) = before.filter(|_| about) else {
            return self.refused(&found.approval, why.unwrap_or(NotDecided::SecretChanged));
        };
        if why.is_none() {
            policies::must_have(tx, self.workspace, new.egress.as_ref()).await?;
            if !policies::reseal(tx, self.workspace, new, found.revision).await? {
                why = Some(NotDecided::SecretChanged);
            }
        }
        if let Some(why) = why {
            return self.refused(&found.approval, why);
        }
        secrets::touch(tx, self.workspace).await?;
        decide(tx, self.id, ApprovalState::Approved, self.user, now).await?;
        let approval = find(tx, &GET, self.workspace, self.id).await?.approval;
        let change = Change {
            workspace: self.workspace,
            id: new.secret,
            name: &before.name,
            version: new.from_version + 1,
            before: before.egress.as_ref(),
            after: new.egress.as_ref(),
        };
        let entries = vec![
            entry(
                self.workspace,
                &self.actor,
                Action::ApprovalApprove,
                &approval,
                None,
            )?,
            change.entry(&self.actor, &format!("approved: {}", self.id))?,
        ];
        Ok((Decided::Done(Box::new(approval)), entries))
    }

    fn refused(&self, approval: &Approval, why: NotDecided) -> Result<(Decided, Vec<Entry>)> {
        let refusal = entry(
            self.workspace,
            &self.actor,
            Action::ApprovalRefuse,
            approval,
            Some(why.word()),
        )?;
        Ok((Decided::Refused(why), vec![refusal]))
    }

    async fn reject(&self, tx: &mut dyn Tx, now: Moment) -> Result<(Decided, Vec<Entry>)> {
        let found = find(tx, &LOCK, self.workspace, self.id).await?.approval;
        if found.state != ApprovalState::Pending || found.expires_at <= now {
            return self.refused(&found, NotDecided::Closed);
        }
        decide(tx, self.id, ApprovalState::Rejected, self.user, now).await?;
        let approval = find(tx, &GET, self.workspace, self.id).await?.approval;
        let entries = vec![entry(
            self.workspace,
            &self.actor,
            Action::ApprovalReject,
            &approval,
            None,
        )?];
        Ok((Decided::Done(Box::new(approval)), entries))
    }
}

impl Store {
    /// Asks for another policy of a workspace's secret: a second admin decides.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Changed`] when the secret is not at the expected revision; [`StoreError::Ended`];
    /// [`StoreError::PolicyRequired`].
    pub async fn propose_policy(
        &self,
        new: NewApproval,
        actor: Actor,
        user: UserId,
    ) -> Result<Approval> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let row = secrets::get(tx, new.workspace, new.secret, user).await?;
            let now = tx.now().await?;
            if row.secret.expires_at.is_some_and(|end| end.millis() <= now) {
                return Err(StoreError::Ended);
            }
            if new
                .expected
                .is_some_and(|expected| expected != row.revision)
            {
                return Err(StoreError::Changed);
            }
            policies::must_have(tx, new.workspace, new.egress.as_ref()).await?;
            insert(tx, &new, user, row.revision, now).await?;
            let approval = find(tx, &GET, new.workspace, new.id).await?.approval;
            let entry = entry(
                new.workspace,
                &actor,
                Action::ApprovalRequest,
                &approval,
                None,
            )?;
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(approval)
        }))
        .await
    }

    /// One approval.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_approval(
        &self,
        workspace: WorkspaceId,
        id: ApprovalId,
    ) -> Result<ApprovalRow> {
        self.read(body!(|tx| find(tx, &GET, workspace, id).await))
            .await
    }

    /// The approvals after the one named, oldest first; of one state, or of all.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn list_approvals(
        &self,
        workspace: WorkspaceId,
        state: Option<ApprovalState>,
        after: Option<ApprovalId>,
        limit: u32,
    ) -> Result<Vec<Approval>> {
        let after = after.unwrap_or(ApprovalId::from_bytes([0; 16]));
        let state = state.map_or("", ApprovalState::word);
        self.read(body!(|tx| {
            tx.query(&LIST, fields![workspace, after, state, limit])
                .await?
                .iter_mut()
                .map(|row| decode(row).map(|found| found.approval))
                .collect()
        }))
        .await
    }

    /// Approves a change of policy and makes it, in one transaction: `new` is the current value, sealed under the proposed policy.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such approval; [`StoreError::PolicyRequired`].
    pub async fn approve_policy(&self, decision: Decision, new: Resealed) -> Result<Decided> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = Moment::from_millis(tx.now().await?);
            let (decided, entries) = decision.approve(tx, &new, now).await?;
            audit::append(tx, keys.derived(Label::Audit), now.millis(), entries).await?;
            Ok(decided)
        }))
        .await
    }

    /// Rejects what was asked for; who asked may take it back so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such approval.
    pub async fn reject_approval(&self, decision: Decision) -> Result<Decided> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = Moment::from_millis(tx.now().await?);
            let (decided, entries) = decision.reject(tx, now).await?;
            audit::append(tx, keys.derived(Label::Audit), now.millis(), entries).await?;
            Ok(decided)
        }))
        .await
    }

    /// Records that an approval could not be given because its secret is gone, and says so.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such approval.
    pub async fn refuse_approval(&self, decision: Decision, why: NotDecided) -> Result<Decided> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let now = tx.now().await?;
            let found = find(tx, &GET, decision.workspace, decision.id).await?;
            let (decided, entries) = decision.refused(&found.approval, why)?;
            audit::append(tx, keys.derived(Label::Audit), now, entries).await?;
            Ok(decided)
        }))
        .await
    }
}
