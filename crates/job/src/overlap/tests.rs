//! The overlap table.

use super::*;
use crate::testing::{compiled, every};
use crate::{Definition, Job};

fn job(overlap: Overlap, max_concurrent: Option<u32>, queue_limit: u32) -> Job {
    let definition = Definition {
        overlap,
        max_concurrent,
        queue_limit,
        ..every(60)
    };
    compiled(definition, "2026-01-01T00:00:00Z")
}

fn open(running: usize, queued: usize) -> Vec<OpenExecution> {
    let flags = std::iter::repeat_n(true, running).chain(std::iter::repeat_n(false, queued));
    flags.map(|running| OpenExecution { running }).collect()
}

#[test]
fn table() {
    use Admission::{CancelThenRun, Queue, Run, Skip};
    use Overlap::{Allow, CancelPrevious, QueueAll, QueueOne};
    let (overlapping, full) = (Skip(SkipReason::Overlap), Skip(SkipReason::QueueFull));
    for (rule, most, limit, running, queued, expected) in [
        (Overlap::Skip, None, 100, 1, 0, overlapping),
        (Overlap::Skip, None, 100, 0, 1, overlapping),
        (Overlap::Skip, Some(5), 100, 1, 0, overlapping),
        (QueueOne, None, 100, 1, 0, Queue),
        (QueueOne, None, 100, 1, 1, overlapping),
        (QueueOne, None, 100, 0, 1, overlapping),
        (QueueAll, None, 3, 1, 0, Queue),
        (QueueAll, None, 3, 1, 2, Queue),
        (QueueAll, None, 3, 1, 3, full),
        (QueueAll, None, 3, 0, 1, Queue),
        (QueueAll, Some(2), 3, 1, 0, Run),
        (QueueAll, Some(2), 3, 1, 1, Queue),
        (QueueAll, Some(2), 3, 2, 0, Queue),
        (Allow, None, 3, 50, 0, Run),
        (Allow, Some(2), 3, 1, 0, Run),
        (Allow, Some(2), 3, 2, 0, Queue),
        (Allow, Some(2), 3, 2, 3, full),
        (CancelPrevious, None, 100, 1, 0, CancelThenRun),
        (CancelPrevious, None, 100, 1, 4, CancelThenRun),
        (CancelPrevious, None, 100, 0, 1, CancelThenRun),
    ] {
        let found = overlap(&job(rule, most, limit), &open(running, queued));
        assert_eq!(
            found, expected,
            "{rule:?} {most:?} {limit} with {running} running, {queued} queued"
        );
    }
}

#[test]
fn nothing_open_always_runs() {
    for rule in [
        Overlap::Skip,
        Overlap::QueueOne,
        Overlap::QueueAll,
        Overlap::Allow,
        Overlap::CancelPrevious,
    ] {
        assert_eq!(overlap(&job(rule, Some(1), 1), &[]), Admission::Run);
    }
}

#[test]
fn no_rule_lets_more_run_or_wait_than_it_says() {
    for (rule, most_running, most_queued) in [
        (Overlap::Skip, 1, 0),
        (Overlap::QueueOne, 1, 1),
        (Overlap::QueueAll, 3, 4),
        (Overlap::Allow, 3, 4),
    ] {
        let job = job(rule, Some(3), 4);
        let mut present = Vec::new();
        for _ in 0..20 {
            match overlap(&job, &present) {
                Admission::Run => present.push(OpenExecution { running: true }),
                Admission::Queue => present.push(OpenExecution { running: false }),
                Admission::Skip(_) | Admission::CancelThenRun => {}
            }
        }
        let running = present.iter().filter(|execution| execution.running).count();
        assert_eq!(
            (running, present.len() - running),
            (most_running, most_queued),
            "{rule:?}"
        );
    }
}
