//! The schema's history: numbered steps, each in the words of both engines, only ever added to.

use crate::error::{Result, StoreError};

/// One step of the schema's history.
#[derive(Debug)]
pub struct Migration {
    /// From 1, without gaps.
    pub version: i64,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),* $(,)?) => {
        /// Every step, oldest first.
        pub static MIGRATIONS: &[Migration] = &[$(Migration {
            version: $version,
            sqlite: include_str!(concat!("../migrations/", $name, ".sqlite.sql")),
            postgres: include_str!(concat!("../migrations/", $name, ".postgres.sql")),
        }),*];
    };
}

migrations! {
    1 "0001_first",
    2 "0002_people",
}

pub(crate) const TABLE_SQLITE: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL PRIMARY KEY, applied_at INTEGER NOT NULL)";
pub(crate) const TABLE_POSTGRES: &str = "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)";

/// The steps that a database at `applied` still lacks.
///
/// # Errors
/// [`StoreError::Schema`] when the database is newer than this binary.
pub(crate) fn pending(applied: Option<i64>) -> Result<&'static [Migration]> {
    pending_of(MIGRATIONS, applied)
}

fn pending_of(known: &[Migration], applied: Option<i64>) -> Result<&[Migration]> {
    let applied = applied.unwrap_or(0);
    let newest = known.last().map_or(0, |migration| migration.version);
    if applied > newest {
        return Err(StoreError::Schema(format!(
            "the database has schema {applied}, and this binary knows up to {newest}: use a binary at least as new as the one that migrated it"
        )));
    }
    Ok(&known[usize::try_from(applied).unwrap_or(0)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_from_one_without_gaps() {
        let versions: Vec<i64> = MIGRATIONS
            .iter()
            .map(|migration| migration.version)
            .collect();
        assert_eq!(versions, (1..=MIGRATIONS.len() as i64).collect::<Vec<_>>());
    }

    #[test]
    fn a_newer_database_is_refused_and_an_older_one_gets_the_rest() {
        let newest = MIGRATIONS.len() as i64;
        assert_eq!(pending(None).unwrap().len(), MIGRATIONS.len());
        assert!(pending(Some(newest)).unwrap().is_empty());
        let error = pending(Some(newest + 1)).unwrap_err();
        assert!(error.to_string().contains("at least as new"), "{error}");
    }
}
