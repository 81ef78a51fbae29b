//! Reading a value back: the record first, then what is needed to open it. Nothing here opens it.

use padclock_api::{SecretId, UserId, WorkspaceId};
use padclock_job::Moment;
use padclock_vault::Label;

use crate::audit::{self, Action, Actor, Detail, Entry};
use crate::error::{Result, StoreError};
use crate::field::fields;
use crate::resolve::{self, SealedSecret};
use crate::tx::{Sql, Tx};
use crate::{Store, body};

/// What became of the wish to read a value back. Its record is durable.
#[derive(Debug)]
pub enum Reveal {
    /// It may be opened.
    Sealed {
        /// The current version.
        secret: Box<SealedSecret>,
        /// The time of the record.
        at: Moment,
    },
    /// It was made never to be read back.
    Never,
    /// Its time to live has passed.
    Ended,
}

impl Reveal {
    const fn result(&self) -> Option<&'static str> {
        match self {
            Self::Sealed { .. } => None,
            Self::Never => Some("refused: the secret is never revealed"),
            Self::Ended => Some("refused: the secret has ended"),
        }
    }
}

static SEALED: Sql = Sql::both(
    "SELECT s.workspace_id, s.name, s.id, s.owner_id, s.environment, s.version, s.expires_at, s.egress,
       v.term, v.origin_term, v.wrapped_key, v.ciphertext, s.reveal
     FROM secrets s JOIN secret_versions v ON v.secret_id = s.id AND v.version = s.version
     WHERE s.workspace_id = $1 AND s.id = $2 AND (s.owner_id = $3 OR s.owner_id = $4)",
);

/// The current version of a secret that the caller may see, and whether it is never to be revealed.
async fn sealed(
    tx: &mut dyn Tx,
    workspace: WorkspaceId,
    id: SecretId,
    caller: UserId,
) -> Result<(SealedSecret, bool)> {
    let params = fields![workspace, id, Vec::<u8>::new(), caller];
    let mut row = tx
        .query(&SEALED, params)
        .await?
        .pop()
        .ok_or(StoreError::NotFound)?;
    let never = row.text(12)? != "allowed";
    Ok((resolve::decode(&mut row)?, never))
}

fn entry(
    workspace: WorkspaceId,
    actor: &Actor,
    secret: (SecretId, Option<&SealedSecret>),
    result: Option<&str>,
) -> Entry {
    let (id, known) = secret;
    Entry {
        workspace,
        actor: actor.to_string(),
        action: Action::SecretReveal,
        target: id.to_string(),
        detail: Detail {
            name: known.map(|secret| secret.name.clone()),
            version: known.map(|secret| secret.version),
            result: result.map(str::to_owned),
            ..Detail::default()
        },
    }
}

impl Store {
    /// Records that a caller who has the permission reads a value back, and answers what is needed to open it: the
    /// version that the record names. A refusal is recorded as well.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the caller may not see the secret. Whatever goes wrong, nothing is answered.
    pub async fn reveal_secret(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        actor: Actor,
        caller: UserId,
    ) -> Result<Reveal> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let (secret, never) = sealed(tx, workspace, id, caller).await?;
            let now = tx.now().await?;
            let at = Moment::from_millis(now);
            let verdict = |secret: &SealedSecret| {
                if never {
                    Some(Reveal::Never)
                } else if secret.expires_at.is_some_and(|end| end <= at) {
                    Some(Reveal::Ended)
                } else {
                    None
                }
            };
            let refused = verdict(&secret);
            let result = refused.as_ref().and_then(Reveal::result);
            let entry = entry(workspace, &actor, (id, Some(&secret)), result);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await?;
            Ok(refused.unwrap_or(Reveal::Sealed {
                secret: Box::new(secret),
                at,
            }))
        }))
        .await
    }

    /// Records that a caller who has not the permission asked for a value.
    ///
    /// # Errors
    /// When it can't be recorded.
    pub async fn refuse_reveal(
        &self,
        workspace: WorkspaceId,
        id: SecretId,
        actor: Actor,
        caller: UserId,
    ) -> Result<()> {
        let keys = self.keys()?;
        self.write(body!(|tx| {
            let known = match sealed(tx, workspace, id, caller).await {
                Ok((secret, _)) => Some(secret),
                Err(StoreError::NotFound) => None,
                Err(error) => return Err(error),
            };
            let now = tx.now().await?;
            let why = Some("refused: no permission");
            let entry = entry(workspace, &actor, (id, known.as_ref()), why);
            audit::append(tx, keys.derived(Label::Audit), now, vec![entry]).await
        }))
        .await
    }
}
