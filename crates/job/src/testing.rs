//! Definitions that tests begin with.

use padclock_template::RequestSpec;

use crate::{Anchor, Definition, Job, Kind, Moment};

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

/// A job every so many seconds.
pub(crate) fn every(seconds: u32) -> Definition {
    let mut definition = Definition::new("sync", Kind::Recurring);
    definition.schedule.every_seconds = Some(seconds);
    definition.request = Some(RequestSpec::get("https://example.com/hook"));
    definition
}

pub(crate) fn cron_job(expression: &str, zone: &str) -> Definition {
    let mut definition = Definition {
        kind: Kind::Cron,
        ..every(1)
    };
    definition.schedule.every_seconds = None;
    definition.schedule.expression = Some(expression.to_owned());
    definition.schedule.timezone = Some(zone.to_owned());
    definition
}

pub(crate) fn compiled(definition: Definition, created_at: &str) -> Job {
    let anchor = Anchor {
        job_id: "cj_test",
        created_at: moment(created_at),
    };
    Job::compile(definition, &anchor).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Field and code of each problem.
pub(crate) fn problems(definition: Definition) -> Vec<(String, &'static str)> {
    let anchor = Anchor {
        job_id: "cj_test",
        created_at: moment("2026-01-01T00:00:00Z"),
    };
    match Job::compile(definition, &anchor) {
        Ok(_) => Vec::new(),
        Err(problems) => problems
            .into_iter()
            .map(|problem| (problem.field, problem.code))
            .collect(),
    }
}
