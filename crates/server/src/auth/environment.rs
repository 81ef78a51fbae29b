//! What a credential of one environment may see and touch. Every handler asks here; none compares environments itself.
//!
//! A credential of environment E sees and touches the secrets of E, the jobs of E, and their executions. It sees the
//! metadata of secrets that serve all environments, since E's jobs use them, and neither changes nor reveals them. All else
//! is as if it were not there.

use padclock_api::secret::ALL_ENVIRONMENTS;
use padclock_api::{ErrorCode, JobId};
use padclock_job::Definition;
use padclock_store::{DEFAULT_ENVIRONMENT, JobRow, StoreError};

use super::Caller;
use crate::failure::{Answer, Failure, stored};
use crate::state::App;

/// The environment whose secrets a job sees first.
pub(crate) fn of_job(definition: &Definition) -> &str {
    definition
        .environment
        .as_deref()
        .unwrap_or(DEFAULT_ENVIRONMENT)
}

impl<P> Caller<P> {
    /// The one environment that the caller's credential is for; none: all. Lists are filtered by it.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.identity.environment.as_deref()
    }

    /// Refuses to write or reveal what is of another environment than the credential's, what serves all of them included.
    pub(crate) fn may_use_environment(&self, environment: &str) -> Answer<()> {
        match self.environment() {
            Some(own) if own != environment => Err(Failure::new(
                ErrorCode::Forbidden,
                format!("this token is for the environment {own} alone"),
            )),
            _ => Ok(()),
        }
    }

    /// Whether the caller may know of a secret of this environment.
    pub(crate) fn sees_environment(&self, environment: &str) -> bool {
        self.environment()
            .is_none_or(|own| own == environment || environment == ALL_ENVIRONMENTS)
    }

    /// Hides a job of another environment: it is not found.
    pub(crate) fn sees_job(&self, row: &JobRow) -> Answer<()> {
        match self.environment() {
            Some(own) if own != of_job(&row.definition) => Err(Failure::not_found("job")),
            _ => Ok(()),
        }
    }

    /// Hides what belongs to a job of another environment, or to one that is gone.
    pub(crate) async fn sees_what_is_of(
        &self,
        app: &App,
        job: JobId,
        what: &'static str,
    ) -> Answer<()> {
        if self.environment().is_none() {
            return Ok(());
        }
        let hidden = || Failure::not_found(what);
        match app.store.get_job(self.workspace(), job).await {
            Ok(row) => self.sees_job(&row).map_err(|_| hidden()),
            Err(StoreError::NotFound) => Err(hidden()),
            Err(error) => Err(stored(what)(error)),
        }
    }
}
