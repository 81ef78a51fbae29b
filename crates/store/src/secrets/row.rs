//! A secret's row as the API answers it.

use padclock_api::secret::{Reveal, Scope, Secret};
use padclock_vault::EgressPolicy;

use crate::error::Result;
use crate::field::Row;

/// A secret and the number of its last change, for `ETag`.
#[derive(Debug, Clone)]
pub struct SecretRow {
    /// What the API answers.
    pub secret: Secret,
    /// Raised by each change.
    pub revision: u32,
}
const COLUMNS: usize = 17;
const DAY: i64 = 86_400_000;

/// What the column says; a word that is not known allows nothing.
pub(super) fn reveal_of(word: &str) -> Reveal {
    if word == "allowed" {
        Reveal::Allowed
    } else {
        Reveal::Never
    }
}

/// Reads what `select_secret!` answers.
pub(super) fn decode(row: &mut Row) -> Result<SecretRow> {
    debug_assert_eq!(row.0.len(), COLUMNS);
    let egress: Option<EgressPolicy> = row.opt_json(7)?;
    let (unmaskable, short) = (row.flag(10)?, row.flag(14)?);
    let reveal = reveal_of(&row.text(9)?);
    let rotate_every_days = row.opt_int(11)?.and_then(|days| u32::try_from(days).ok());
    let rotated_at = row.moment(16)?;
    let due = |days: u32| rotated_at.plus_millis(i64::from(days) * DAY);
    let warnings = warnings(egress.as_ref(), unmaskable, short);
    let secret = Secret {
        id: row.id(0)?,
        name: row.text(1)?,
        environment: row.text(2)?,
        created_at: row.moment(3)?,
        key_version: format!("v{}", row.number(4)?),
        scope: if row.opt_id::<padclock_api::ids::UserKind>(5)?.is_some() {
            Scope::User
        } else {
            Scope::Workspace
        },
        description: row.opt_text(6)?,
        egress,
        expires_at: row.opt_moment(8)?,
        reveal,
        unmaskable,
        rotate_every_days,
        rotated_at: Some(rotated_at),
        rotation_due_at: rotate_every_days.map(due),
        overdue_days: None,
        version: row.number(12)?,
        updated_at: row.moment(13)?,
        warnings,
    };
    Ok(SecretRow {
        secret,
        revision: row.number(15)?,
    })
}

fn warnings(egress: Option<&EgressPolicy>, unmaskable: bool, short: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    if egress.is_none() {
        warnings.push("it has no egress policy: a job may send it to any host".to_owned());
    }
    if unmaskable {
        warnings.push(
            "its value is under 4 bytes and can't be masked in answers and records".to_owned(),
        );
    } else if short {
        warnings.push(
            "its value is under 8 bytes: only its raw form is masked, not its encodings".to_owned(),
        );
    }
    warnings
}
