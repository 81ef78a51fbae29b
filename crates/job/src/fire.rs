//! What becomes of a due row whose time has come, and of all occurrences missed since: which run,
//! which are recorded as skipped, and which is next (the scheduling contract, "Misfire").

use std::collections::VecDeque;

use crate::definition::Misfire;
use crate::timing::{Due, Timing};
use crate::{Job, Moment};

/// The newest occurrence runs whatever the misfire rule says if it is no later than this, in
/// milliseconds: a busy minute is not a misfire.
pub const ON_TIME_MILLIS: i64 = 60_000;
/// The most occurrences that `all` runs, and the most skipped ones that are recorded one by one.
pub const MOST_ROWS: usize = 100;

/// Why an occurrence does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SkipReason {
    /// Missed, and the misfire rule runs another one or none.
    Misfire,
    /// Missed by more than the misfire window.
    MisfireWindow,
    /// Missed, and a hundred newer ones run already.
    MisfireLimit,
    /// An earlier execution is still open.
    Overlap,
    /// As many executions wait as may.
    QueueFull,
}

impl SkipReason {
    /// The stable code that is stored and shown.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Misfire => "misfire",
            Self::MisfireWindow => "misfire_window",
            Self::MisfireLimit => "misfire_limit",
            Self::Overlap => "overlap",
            Self::QueueFull => "queue_full",
        }
    }

    /// In words, for a page or a log.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Misfire => "missed while the scheduler was away",
            Self::MisfireWindow => "missed by more than the misfire window",
            Self::MisfireLimit => "missed, and the newest hundred run in its place",
            Self::Overlap => "an earlier execution was still open",
            Self::QueueFull => "as many executions waited as may",
        }
    }
}

/// What to do about a due row, in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fired {
    /// To run, oldest first; normally one.
    pub run: Vec<Due>,
    /// Rows to record as skipped, oldest first, the newest hundred of them.
    pub skipped: Vec<(Moment, SkipReason)>,
    /// Skipped ones older than these, only counted.
    pub skipped_more: u64,
    /// The next due row, its `run_at` after `now`; `None` if no occurrence is left.
    pub next: Option<Due>,
}

/// Decides on the row `due`, read at the database's time `now`.
///
/// Each occurrence from `due` to `now` is in exactly one of `run`, `skipped` and `skipped_more`.
/// A row whose time is still to come (the clock went back) is kept as it is, and nothing runs.
#[must_use]
pub fn fire(job: &Job, due: Due, now: Moment) -> Fired {
    job.timing().fire(due, now)
}

impl Timing {
    /// [`fire`] with the schedule alone.
    #[must_use]
    pub fn fire(&self, due: Due, now: Moment) -> Fired {
        if due.run_at > now {
            return Fired {
                next: Some(due),
                ..Fired::default()
            };
        }
        let next = self
            .next_after(due.scheduled_for)
            .map(|next| self.due(next));
        match next {
            Some(next) if next.run_at <= now => self.fire_many(due, next, now),
            _ if self.is_on_time(due, now) => Fired {
                run: vec![due],
                next,
                ..Fired::default()
            },
            _ => self.decide(
                &Missed {
                    newest: VecDeque::from([due]),
                    total: 1,
                    next,
                },
                now,
            ),
        }
    }

    fn fire_many(&self, due: Due, second: Due, now: Moment) -> Fired {
        let mut missed = Missed {
            newest: VecDeque::from([due]),
            total: 1,
            next: Some(second),
        };
        if self.walk_on(&mut missed, now, 2 * MOST_ROWS) {
            return self.decide(&missed, now);
        }
        // Too many to look at each: count them, and look at the newest only.
        let last = missed
            .newest
            .back()
            .map_or(due.scheduled_for, |last| last.scheduled_for);
        let ahead = self.count(last, now);
        if ahead > 2 * MOST_ROWS as u64 {
            let from = self.before_newest(last, now);
            missed.total += self.count(last, from);
            missed.next = self.first_due(from);
        }
        self.walk_on(&mut missed, now, usize::MAX);
        self.decide(&missed, now)
    }

    /// Steps over what is due at `now`, at most `steps` times; whether it came to the end.
    fn walk_on(&self, missed: &mut Missed, now: Moment, steps: usize) -> bool {
        for _ in 0..steps {
            let Some(due) = missed.next.filter(|next| next.run_at <= now) else {
                return true;
            };
            missed.newest.push_back(due);
            missed.total += 1;
            if missed.newest.len() > 2 * MOST_ROWS {
                missed.newest.pop_front();
            }
            missed.next = self.first_due(due.scheduled_for);
        }
        false
    }

    /// A moment with a little more than the newest two hundred occurrences between it and `now`,
    /// found by halving.
    fn before_newest(&self, from: Moment, now: Moment) -> Moment {
        let wanted = 2 * MOST_ROWS as u64 + 2;
        let (mut low, mut high) = (from.millis(), now.millis());
        while high - low > 1_000 {
            let middle = low + (high - low) / 2;
            if self.count(Moment::from_millis(middle), now) >= wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        Moment::from_millis(low)
    }

    fn is_on_time(&self, due: Due, now: Moment) -> bool {
        now.since(due.run_at) <= ON_TIME_MILLIS
    }

    fn is_in_window(&self, due: Due, now: Moment) -> bool {
        now.since(due.run_at) <= i64::from(self.misfire_window_seconds) * 1_000
    }

    /// Parts the missed occurrences into those to run and those to skip.
    fn decide(&self, missed: &Missed, now: Moment) -> Fired {
        let mut fired = Fired {
            next: missed.next,
            ..Fired::default()
        };
        for (age, due) in missed.newest.iter().rev().enumerate() {
            match self.reason_to_skip(age, *due, now) {
                None => fired.run.push(*due),
                Some(reason) if fired.skipped.len() < MOST_ROWS => {
                    fired.skipped.push((due.scheduled_for, reason));
                }
                Some(_) => {}
            }
        }
        fired.skipped_more = missed.total - (fired.run.len() + fired.skipped.len()) as u64;
        fired.run.reverse();
        fired.skipped.reverse();
        fired
    }

    /// `age` is 0 for the newest.
    fn reason_to_skip(&self, age: usize, due: Due, now: Moment) -> Option<SkipReason> {
        if age == 0 && self.is_on_time(due, now) {
            return None;
        }
        if !self.is_in_window(due, now) {
            return Some(SkipReason::MisfireWindow);
        }
        match self.misfire {
            Misfire::Latest if age == 0 => None,
            Misfire::All if age < MOST_ROWS => None,
            Misfire::All => Some(SkipReason::MisfireLimit),
            Misfire::Latest | Misfire::Skip => Some(SkipReason::Misfire),
        }
    }
}

/// The occurrences due by now.
struct Missed {
    /// The newest ones, oldest first; more than can run and be recorded.
    newest: VecDeque<Due>,
    /// How many there are in all.
    total: u64,
    next: Option<Due>,
}

#[cfg(test)]
mod tests;
