//! What becomes of a new occurrence while earlier executions of the job are open (the scheduling
//! contract, "Overlap"). Decided in the claiming transaction; pure here.

use crate::Job;
use crate::definition::Overlap;
use crate::fire::SkipReason;

/// An execution of the job that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenExecution {
    /// It has been started: it runs, or waits between two attempts. Otherwise it is queued.
    pub running: bool,
}

/// What to do with the new occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Run it now.
    Run,
    /// Queue it until an open one ends.
    Queue,
    /// Record it as skipped.
    Skip(SkipReason),
    /// Cancel all open ones, then run it.
    CancelThenRun,
}

/// Decides on one new occurrence, given all open executions of the job. For several, decide in
/// their order, each time with those just admitted among the open ones.
#[must_use]
pub fn overlap(job: &Job, open: &[OpenExecution]) -> Admission {
    let definition = job.definition();
    let running = open.iter().filter(|execution| execution.running).count();
    let queued = open.len() - running;
    match definition.overlap {
        _ if open.is_empty() => Admission::Run,
        Overlap::Skip => Admission::Skip(SkipReason::Overlap),
        Overlap::CancelPrevious => Admission::CancelThenRun,
        Overlap::QueueOne if queued == 0 => Admission::Queue,
        Overlap::QueueOne => Admission::Skip(SkipReason::Overlap),
        Overlap::QueueAll => {
            let most = definition.max_concurrent.unwrap_or(1);
            admit(running, queued, most, definition.queue_limit)
        }
        Overlap::Allow => {
            let most = definition.max_concurrent.unwrap_or(u32::MAX);
            admit(running, queued, most, definition.queue_limit)
        }
    }
}

/// Runs while fewer than `most` run and none waits before it; else queues while there is room.
fn admit(running: usize, queued: usize, most: u32, queue_limit: u32) -> Admission {
    if queued == 0 && running < most as usize {
        Admission::Run
    } else if queued < queue_limit as usize {
        Admission::Queue
    } else {
        Admission::Skip(SkipReason::QueueFull)
    }
}

#[cfg(test)]
mod tests;
