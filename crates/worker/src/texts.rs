//! The variables of one attempt as texts (references contract, Variables). Rendering is `template`'s.

use padclock_job::Moment;
use padclock_template::{Variable, Variables};

use crate::source::Lease;

/// The texts that a lease's variables borrow from.
#[derive(Debug)]
pub(crate) struct Texts {
    pub(crate) job_id: String,
    pub(crate) execution_id: String,
    pub(crate) scheduled_for: String,
    pub(crate) attempt: String,
    now: String,
    last_run: String,
    random_uuid: String,
}

impl Texts {
    pub(crate) fn of(lease: &Lease) -> Self {
        let uuid_is_used = lease
            .job
            .request()
            .is_some_and(|request| request.uses(Variable::RandomUuid));
        Self {
            job_id: lease.job_id.to_string(),
            execution_id: lease.execution.to_string(),
            scheduled_for: to_the_second(lease.scheduled_for),
            attempt: lease.attempt.to_string(),
            now: to_the_second(lease.started_at),
            last_run: lease.last_run.map(to_the_second).unwrap_or_default(),
            random_uuid: if uuid_is_used {
                lease.execution.uuid()
            } else {
                String::new()
            },
        }
    }

    /// The variables of an attempt made at this moment.
    pub(crate) fn variables<'a>(&'a self, lease: &'a Lease, at: Moment) -> Variables<'a> {
        let definition = lease.job.definition();
        Variables {
            now: &self.now,
            now_unix: lease.started_at.millis().div_euclid(1000),
            last_run: &self.last_run,
            job_name: &definition.name,
            job_id: &self.job_id,
            execution_id: &self.execution_id,
            random_uuid: &self.random_uuid,
            scheduled_for: &self.scheduled_for,
            environment: definition.environment(),
            workspace: &lease.workspace_name,
            attempt: lease.attempt,
            attempt_unix: at.millis().div_euclid(1000),
            env: &definition.env,
        }
    }
}

/// `2026-03-09T15:00:00Z`, as the references contract writes times.
fn to_the_second(moment: Moment) -> String {
    const DAY_AND_TIME: usize = "2026-03-09T15:00:00".len();
    let written = moment.written();
    let mut text = String::with_capacity(DAY_AND_TIME + 1);
    text.push_str(std::str::from_utf8(&written[..DAY_AND_TIME]).unwrap_or_default());
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_to_the_second() {
        assert_eq!(
            to_the_second(Moment::from_millis(1_773_068_400_999)),
            "2026-03-09T15:00:00Z"
        );
        assert_eq!(to_the_second(Moment::EPOCH), "1970-01-01T00:00:00Z");
    }
}
