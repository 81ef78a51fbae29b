//! From a definition's schedule to its `Timing`, or to all that is wrong with it.

use padclock_template::Problem;

use crate::check::problem;
use crate::cron;
use crate::definition::{Kind, ScheduleSpec};
use crate::timing::{Plan, Timing, seed_of};
use crate::zone::Zone;
use crate::{Anchor, Definition, Moment};

/// The longest `every_seconds`: 365 days.
const LONGEST_INTERVAL: u32 = 31_536_000;
/// The longest jitter, in seconds: one day.
const LONGEST_JITTER: u32 = 86_400;

/// Compiles the schedule of a definition.
pub(crate) fn compile(definition: &Definition, at: &Anchor<'_>) -> Result<Timing, Vec<Problem>> {
    let spec = &definition.schedule;
    let mut problems = strangers(definition.kind, spec);
    problems.extend(span(spec));
    let zone = zone(spec).map_err(|found| problems.push(found)).ok();
    let plan = plan(definition.kind, spec, at)
        .map_err(|found| problems.extend(found))
        .ok();
    let (Some(zone), Some(plan)) = (zone, plan) else {
        return Err(problems);
    };
    problems.extend(jitter(&plan, spec));
    let timing = Timing {
        plan,
        zone,
        start: spec.start_at.unwrap_or(Moment::MIN),
        end: spec.end_at.unwrap_or(Moment::MAX),
        jitter_seconds: spec.jitter_seconds.unwrap_or(0),
        misfire_window_seconds: definition.misfire_window_seconds,
        misfire: definition.misfire,
        seed: seed_of(at.job_id),
    };
    if problems.is_empty() {
        problems.extend(exhausted(definition, &timing, at.created_at));
    }
    if problems.is_empty() {
        Ok(timing)
    } else {
        Err(problems)
    }
}

/// Fields that belong to another kind.
fn strangers(kind: Kind, spec: &ScheduleSpec) -> Vec<Problem> {
    let given = [
        (
            "schedule.every_n_minutes",
            Kind::Recurring,
            spec.every_n_minutes.is_some(),
        ),
        (
            "schedule.every_seconds",
            Kind::Recurring,
            spec.every_seconds.is_some(),
        ),
        ("schedule.expression", Kind::Cron, spec.expression.is_some()),
        ("schedule.dst", Kind::Cron, spec.dst.is_some()),
        ("schedule.run_at", Kind::OneTime, spec.run_at.is_some()),
    ];
    let wrong = given
        .into_iter()
        .filter(|(_, of, given)| *given && *of != kind);
    wrong
        .map(|(field, of, _)| {
            let message = format!(
                "belongs to kind {}; leave it out, or change the kind",
                of.as_str()
            );
            problem(field, "wrong_kind", message)
        })
        .collect()
}

/// `start_at` and `end_at` must leave time between them.
fn span(spec: &ScheduleSpec) -> Option<Problem> {
    match (spec.start_at, spec.end_at) {
        (Some(start), Some(end)) if end <= start => Some(problem(
            "schedule.end_at",
            "out_of_range",
            "must be later than start_at",
        )),
        _ => None,
    }
}

fn zone(spec: &ScheduleSpec) -> Result<Zone, Problem> {
    let Some(name) = &spec.timezone else {
        return Ok(Zone::UTC);
    };
    Zone::named(name).ok_or_else(|| {
        let message = "must be a time zone of the IANA database, such as Europe/Berlin or UTC";
        problem("schedule.timezone", "unknown_timezone", message)
    })
}

fn plan(kind: Kind, spec: &ScheduleSpec, at: &Anchor<'_>) -> Result<Plan, Vec<Problem>> {
    match kind {
        Kind::Manual => Ok(Plan::Manual),
        Kind::OneTime => match spec.run_at {
            Some(moment) => Ok(Plan::Once(moment)),
            None => Err(vec![problem(
                "schedule.run_at",
                "required",
                "a one_time job needs run_at, such as 2026-03-15T10:00:00Z",
            )]),
        },
        Kind::Recurring => {
            let seconds = interval(spec).map_err(|found| vec![found])?;
            let anchor = spec.start_at.unwrap_or(at.created_at);
            Ok(Plan::Every {
                anchor,
                interval_millis: i64::from(seconds) * 1_000,
            })
        }
        Kind::Cron => expression(spec, at.job_id),
    }
}

fn interval(spec: &ScheduleSpec) -> Result<u32, Problem> {
    match (spec.every_n_minutes, spec.every_seconds) {
        (Some(minutes @ 1..=1_440), None) => Ok(minutes * 60),
        (None, Some(seconds @ 1..=LONGEST_INTERVAL)) => Ok(seconds),
        (Some(minutes), None) => {
            let message = format!("must be 1 to 1440 (minutes); it is {minutes}");
            Err(problem("schedule.every_n_minutes", "out_of_range", message))
        }
        (None, Some(seconds)) => {
            let message = format!("must be 1 to 31536000 (seconds); it is {seconds}");
            Err(problem("schedule.every_seconds", "out_of_range", message))
        }
        (Some(_), Some(_)) => Err(problem(
            "schedule.every_seconds",
            "conflict",
            "give every_n_minutes or every_seconds, not both",
        )),
        (None, None) => Err(problem(
            "schedule.every_n_minutes",
            "required",
            "a recurring job needs every_n_minutes (1 to 1440) or every_seconds",
        )),
    }
}

fn expression(spec: &ScheduleSpec, job_id: &str) -> Result<Plan, Vec<Problem>> {
    let field = "schedule.expression";
    let Some(text) = &spec.expression else {
        return Err(vec![problem(
            field,
            "required",
            "a cron job needs an expression, such as 0 9 * * MON-FRI",
        )]);
    };
    let fields = cron::parse(text, job_id).map_err(|errors| {
        let with_place = |error: cron::CronError| Problem {
            field: field.to_owned(),
            code: error.code,
            message: error.message,
            position: Some(error.position),
        };
        errors.into_iter().map(with_place).collect::<Vec<_>>()
    })?;
    Ok(Plan::Cron {
        fields,
        dst: spec.dst.unwrap_or_default(),
    })
}

/// A jitter as long as the shortest interval would change the order of occurrences.
fn jitter(plan: &Plan, spec: &ScheduleSpec) -> Option<Problem> {
    let jitter = i64::from(spec.jitter_seconds.filter(|seconds| *seconds > 0)?);
    let field = "schedule.jitter_seconds";
    if jitter > i64::from(LONGEST_JITTER) {
        let message = format!("must be at most 86400 (a day); it is {jitter}");
        return Some(problem(field, "out_of_range", message));
    }
    let shortest = plan.shortest_seconds()?;
    (jitter >= shortest).then(|| {
        let message =
            format!("must be less than the shortest time between two occurrences, {shortest} s; it is {jitter} s");
        problem(field, "out_of_range", message)
    })
}

/// The problem with a schedule that has no occurrence after `now`.
pub(crate) fn exhausted(definition: &Definition, timing: &Timing, now: Moment) -> Option<Problem> {
    let kind = definition.kind;
    if kind == Kind::Manual || timing.next_after(now).is_some() {
        return None;
    }
    let (field, message) = match kind {
        Kind::OneTime
            if definition
                .schedule
                .run_at
                .is_some_and(|run_at| run_at <= now) =>
        {
            (
                "schedule.run_at",
                "must be in the future; this moment has passed",
            )
        }
        Kind::OneTime => (
            "schedule.run_at",
            "never fires: run_at must lie between start_at and end_at",
        ),
        _ => (
            "schedule.end_at",
            "never fires: no occurrence is left before end_at; choose a later one",
        ),
    };
    Some(problem(field, "never_fires", message))
}

#[cfg(test)]
mod tests;
