//! Which jobs may name a secret.

use padclock_api::WorkspaceId;

use super::{JobRow, decode};
use crate::error::Result;
use crate::field::fields;
use crate::tx::Sql;
use crate::{Store, body};

/// The most jobs that one question answers.
const MOST: i64 = 1_000;

static MENTIONING: Sql = Sql::both(select_job!(
    "WHERE j.workspace_id = $1 AND j.definition LIKE $2 ESCAPE '!' ORDER BY j.id LIMIT $3"
));

/// A pattern that finds the text anywhere, its own signs standing for themselves.
fn anywhere(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for sign in text.chars() {
        if matches!(sign, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(sign);
    }
    pattern.push('%');
    pattern
}

impl Store {
    /// The jobs whose stored definition holds a name anywhere, up to a thousand, oldest first. Each that names the secret
    /// is among them, and others whose text merely looks like it: the caller compiles them to know.
    ///
    /// # Errors
    /// When the database can't answer.
    pub async fn jobs_mentioning(
        &self,
        workspace: WorkspaceId,
        secret: &str,
    ) -> Result<Vec<JobRow>> {
        let pattern = anywhere(secret);
        self.read(body!(|tx| {
            tx.query(&MENTIONING, fields![workspace, pattern, MOST])
                .await?
                .iter_mut()
                .map(decode)
                .collect()
        }))
        .await
    }
}
