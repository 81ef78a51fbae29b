//! What a person sees before saving a job: its next times with zone and offset, its schedule in
//! plain English, and what a change of clocks does to it in the coming year.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calendar::Date;
use crate::cron::Fields;
use crate::timing::{Plan, Timing};
use crate::zone::{Stretch, Zone};
use crate::{Definition, Dst, Job, Moment};

/// The coming year, in seconds.
const YEAR: i64 = 366 * 86_400;
/// A page (the API contract).
const MOST_TIMES: usize = 100;

/// One of the coming occurrences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Next {
    /// When, without jitter.
    pub at: Moment,
    /// The same on the wall clock of the zone, with its offset: `2026-03-15T11:00:00+01:00`.
    pub local: String,
    /// The zone's IANA name.
    pub zone: String,
}

impl Job {
    /// The next `n` occurrences after `now`, at most 100.
    #[must_use]
    pub fn preview(&self, now: Moment, n: usize) -> Vec<Next> {
        let timing = self.timing();
        let next = |at: &Moment| timing.next_after(*at);
        std::iter::successors(timing.next_after(now), next)
            .take(n.min(MOST_TIMES))
            .map(|at| Next {
                at,
                local: local(&timing.zone, at),
                zone: timing.zone.name().to_owned(),
            })
            .collect()
    }

    /// The schedule in plain English, such as `Every 15 minutes` or `At 09:00 on Monday to Friday,
    /// Europe/Berlin`.
    #[must_use]
    pub fn describe(&self) -> String {
        describe(self.definition(), self.timing())
    }

    /// One sentence for each change of clocks in the year after `now` that moves, leaves out or
    /// doubles an occurrence.
    #[must_use]
    pub fn dst_notes(&self, now: Moment) -> Vec<String> {
        self.timing().dst_notes(now)
    }
}

fn describe(definition: &Definition, timing: &Timing) -> String {
    let mut text = match &timing.plan {
        Plan::Manual => return "Only when asked to".to_owned(),
        Plan::Once(at) => return format!("Once, at {}", local(&timing.zone, *at)),
        Plan::Every {
            interval_millis, ..
        } => every(interval_millis / 1_000),
        Plan::Cron { fields, dst } => {
            let zone = if *dst == Dst::Utc {
                "UTC"
            } else {
                timing.zone.name()
            };
            format!("{}, {zone}", fields.describe())
        }
    };
    if timing.jitter_seconds > 0 {
        text.push_str(&format!(
            ", up to {} later",
            length(i64::from(timing.jitter_seconds))
        ));
    }
    for (word, at) in [
        ("from", definition.schedule.start_at),
        ("until", definition.schedule.end_at),
    ] {
        if let Some(at) = at {
            text.push_str(&format!(", {word} {}", local(&timing.zone, at)));
        }
    }
    text
}

/// `Every minute`, `Every 90 seconds`, `Every 2 hours`.
fn every(seconds: i64) -> String {
    match length(seconds).strip_prefix("1 ") {
        Some(unit) => format!("Every {unit}"),
        None => format!("Every {}", length(seconds)),
    }
}

/// A span in its largest whole unit.
fn length(seconds: i64) -> String {
    let (count, unit) = match seconds {
        s if s % 86_400 == 0 => (s / 86_400, "day"),
        s if s % 3_600 == 0 => (s / 3_600, "hour"),
        s if s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A moment on the wall clock of a zone, RFC 3339 with the zone's offset to the minute.
fn local(zone: &Zone, at: Moment) -> String {
    let offset = zone.offset_at(at.seconds());
    let wall = at.plus_seconds(offset);
    let written = wall.to_string();
    let end = if wall.millis() % 1_000 == 0 { 19 } else { 23 };
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!(
        "{}{sign}{:02}:{:02}",
        &written[..end],
        minutes / 60,
        minutes % 60
    )
}

impl Timing {
    fn dst_notes(&self, now: Moment) -> Vec<String> {
        let Plan::Cron { fields, dst } = &self.plan else {
            return Vec::new();
        };
        if *dst == Dst::Utc {
            return Vec::new();
        }
        let end = now.seconds() + YEAR;
        let mut notes = Vec::new();
        let mut stretch = self.zone.stretch_at(now.seconds());
        while stretch.end < end {
            stretch = self.zone.stretch_at(stretch.end);
            let from = Moment::from_seconds(stretch.start);
            if from >= self.start && from <= self.end {
                notes.extend(self.note(fields, *dst, &stretch));
            }
        }
        notes
    }

    /// What the change at the start of a stretch does.
    fn note(&self, fields: &Fields, dst: Dst, stretch: &Stretch) -> Option<String> {
        let (from, to) = stretch.gap();
        let low = from.min(to);
        let times = fields.count(low, from.max(to));
        if times == 0 {
            return None;
        }
        let first = clock(fields.at_or_after(low)?);
        let (who, verb) = match times {
            1 => (format!("the occurrence at {first}"), "runs"),
            _ => (format!("{times} occurrences from {first}"), "run"),
        };
        let what = match (from < to, dst, fields.floating) {
            (true, Dst::Vixie, false) => {
                let one = if times == 1 { "" } else { " as one" };
                format!(
                    "forward: {who} {verb}{one} at {}, the first moment after the gap",
                    clock(to)
                )
            }
            (true, ..) => format!(
                "forward: {who} {} left out",
                if times == 1 { "is" } else { "are" }
            ),
            (false, Dst::Vixie, true) => format!("back: {who} {verb} twice, in both passes"),
            (false, ..) => format!("back: {who} {verb} once, at the first pass"),
        };
        Some(format!(
            "On {} clocks in {} go {what}",
            day(low),
            self.zone.name()
        ))
    }
}

/// A local time as `02:30`, or `02:30:15`.
fn clock(local: i64) -> String {
    let time = local.rem_euclid(86_400);
    let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
    match second {
        0 => format!("{hour:02}:{minute:02}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    }
}

fn day(local: i64) -> String {
    let Date { year, month, day } = Date::of(local.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests;
