//! The compiled schedule of a job: its next occurrences, how many lie in a span, and its jitter.
//! Small enough to be kept for each job. What becomes of a missed occurrence is in `fire`.

use crate::cron::{Fields, hash, mix};
use padclock_template::Problem;

use crate::definition::Misfire;
use crate::walk::Walk;
use crate::zone::Zone;
use crate::{Anchor, Definition, Dst, Moment, schedule};

/// One occurrence that will become due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// When it fires: `scheduled_for` and its jitter.
    pub run_at: Moment,
    /// The moment that names the occurrence.
    pub scheduled_for: Moment,
}

/// A job's schedule and misfire rules, apart from its request.
#[derive(Clone, Debug)]
pub struct Timing {
    pub(crate) plan: Plan,
    pub(crate) zone: Zone,
    pub(crate) start: Moment,
    pub(crate) end: Moment,
    pub(crate) jitter_seconds: u32,
    pub(crate) misfire_window_seconds: u32,
    pub(crate) misfire: Misfire,
    /// From the job's id; each occurrence's jitter comes from it.
    pub(crate) seed: u64,
}

/// The four kinds of schedule.
#[derive(Clone, Debug)]
pub(crate) enum Plan {
    Every {
        anchor: Moment,
        interval_millis: i64,
    },
    Cron {
        fields: Fields,
        dst: Dst,
    },
    Once(Moment),
    Manual,
}

impl Plan {
    /// The shortest time between two occurrences on the wall clock, in seconds; looks no further
    /// than two days. `None` if there are no two.
    pub(crate) fn shortest_seconds(&self) -> Option<i64> {
        match self {
            Self::Every {
                interval_millis, ..
            } => Some(interval_millis / 1_000),
            Self::Cron { fields, .. } => Some(fields.shortest_distance()),
            Self::Once(_) | Self::Manual => None,
        }
    }
}

impl Timing {
    /// Checks and compiles the schedule of a definition, its request left aside: enough to fire
    /// by for who holds many jobs.
    ///
    /// # Errors
    /// Every problem of the schedule, as [`crate::Job::compile`] tells it.
    pub fn compile(definition: &Definition, at: &Anchor<'_>) -> Result<Self, Vec<Problem>> {
        schedule::compile(definition, at)
    }

    /// The first occurrence after `after` by its `scheduled_for`; `None` if there is none.
    #[must_use]
    pub fn next_after(&self, after: Moment) -> Option<Moment> {
        let after = after.max(self.start.plus_millis(-1));
        let next = match &self.plan {
            Plan::Every {
                anchor,
                interval_millis,
            } => {
                let passed = after.since(*anchor).div_euclid(*interval_millis);
                anchor.millis() + (passed + 1) * interval_millis
            }
            Plan::Cron { .. } => self
                .walk()?
                .next_after(after.seconds())?
                .saturating_mul(1_000),
            Plan::Once(at) if *at > after => at.millis(),
            Plan::Once(_) | Plan::Manual => return None,
        };
        (next <= self.end.millis()).then(|| Moment::from_millis(next))
    }

    /// How many occurrences lie after `after` and not after `upto`. Its cost grows with the
    /// months between them, not with the occurrences.
    #[must_use]
    pub fn count(&self, after: Moment, upto: Moment) -> u64 {
        let upto = upto.min(self.end);
        let after = after.max(self.start.plus_millis(-1));
        if upto <= after {
            return 0;
        }
        match &self.plan {
            Plan::Every {
                anchor,
                interval_millis,
            } => {
                let passed = |at: Moment| at.since(*anchor).div_euclid(*interval_millis);
                passed(upto).abs_diff(passed(after))
            }
            Plan::Cron { .. } => self
                .walk()
                .map_or(0, |walk| walk.count(after.seconds(), upto.seconds())),
            Plan::Once(at) => u64::from(*at > after && *at <= upto),
            Plan::Manual => 0,
        }
    }

    /// The occurrence with its jitter.
    #[must_use]
    pub fn due(&self, scheduled_for: Moment) -> Due {
        let millis = match self.jitter_seconds {
            0 => 0,
            seconds => {
                let most = i64::from(seconds) * 1_000;
                let random = hash_of(self.seed, scheduled_for) % (most.unsigned_abs() + 1);
                self.in_order(scheduled_for, random as i64, most)
            }
        };
        Due {
            run_at: scheduled_for.plus_millis(millis),
            scheduled_for,
        }
    }

    /// The first occurrence to be due after `now`: at creation, after an edit, after a resume.
    /// Nothing before is replayed.
    #[must_use]
    pub fn first_due(&self, now: Moment) -> Option<Due> {
        self.next_after(now).map(|next| self.due(next))
    }

    /// The occurrences after `after` and not after `upto`, oldest first, at most `most`: for
    /// back-filling a span. [`Timing::count`] says how many there are.
    #[must_use]
    pub fn between(&self, after: Moment, upto: Moment, most: usize) -> Vec<Moment> {
        std::iter::successors(self.next_after(after), |at| self.next_after(*at))
            .take_while(|at| *at <= upto)
            .take(most)
            .collect()
    }

    /// Where a change of clocks brings two occurrences closer than the jitter, scales it down, so
    /// that occurrences run in their order.
    fn in_order(&self, scheduled_for: Moment, jitter: i64, most: i64) -> i64 {
        if !matches!(
            self.plan,
            Plan::Cron {
                dst: Dst::Vixie | Dst::Skip,
                ..
            }
        ) {
            return jitter;
        }
        match self.next_after(scheduled_for) {
            Some(next) if next.since(scheduled_for) <= most => jitter % next.since(scheduled_for),
            _ => jitter,
        }
    }

    pub(crate) fn walk(&self) -> Option<Walk<'_>> {
        match &self.plan {
            Plan::Cron { fields, dst } => Some(Walk {
                fields,
                zone: &self.zone,
                dst: *dst,
            }),
            _ => None,
        }
    }
}

/// The seed of a job's jitter.
pub(crate) fn seed_of(job_id: &str) -> u64 {
    hash(job_id.as_bytes(), u64::from_be_bytes(*b"jitter\0\0"))
}

fn hash_of(seed: u64, scheduled_for: Moment) -> u64 {
    mix(seed ^ mix(scheduled_for.millis().cast_unsigned()))
}

#[cfg(test)]
mod tests;
