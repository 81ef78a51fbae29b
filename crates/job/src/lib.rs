//! The validated job, its schedule, and the pure decisions about its runs.
//! No I/O, no clock, no randomness: the time, ids and random numbers come in as arguments.

mod calendar;
mod check;
mod cron;
mod definition;
mod fire;
mod job;
mod moment;
mod overlap;
mod preview;
mod retry;
mod schedule;
#[cfg(test)]
mod testing;
mod timing;
mod walk;
mod warning;
mod zone;

pub use definition::{
    Definition, Dst, InitialState, Kind, Misfire, OnUnresolved, Overlap, RetrySpec, ScheduleSpec,
};
pub use fire::{Fired, MOST_ROWS, ON_TIME_MILLIS, SkipReason, fire};
pub use job::{Anchor, Job};
pub use moment::{BadMoment, Moment};
pub use overlap::{Admission, OpenExecution, overlap};
pub use padclock_template::Problem;
pub use preview::Next;
pub use retry::{Failure, FailureClass, Verdict, after_attempt, on_lost_lease};
pub use timing::{Due, Timing};
pub use warning::Warning;
