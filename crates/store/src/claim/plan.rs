//! The decision of a claim: from what was read to what is to be written. No I/O, no clock.

use std::collections::BTreeMap;

use padclock_api::{Attempt, AttemptError, AttemptStatus, ExecutionId, JobId, Status, Trigger};
use padclock_job::{
    Admission, Due, Job, Moment, OpenExecution, Overlap, SkipReason, Verdict, fire, on_lost_lease,
    overlap,
};

use super::parts::{Ended, Lease, NextDue, Plan, Queued, Situation, Skipped};
use super::read::{AwakeRow, DueRow, OpenRow};
use crate::cache::KnownJob;
use crate::complete::appended;

/// How long an execution that stands behind another sleeps before it looks again, in milliseconds. The end of the other
/// wakes it at once; this is for an end that nobody saw.
const LOOK_AGAIN: i64 = 5_000;
/// How long a job that this binary can't read is left alone, in milliseconds.
const UNREADABLE_PAUSE: i64 = 60_000;

struct Planner {
    now: Moment,
    room: usize,
    open: BTreeMap<JobId, Vec<OpenRow>>,
    plan: Plan,
}

/// Decides.
pub(super) fn plan(situation: Situation) -> Plan {
    let Situation {
        now,
        want,
        lease_until,
        found,
        jobs,
        open,
    } = situation;
    let mut planner = Planner {
        now,
        room: want,
        open,
        plan: Plan {
            lease_until,
            ..Plan::default()
        },
    };
    for row in found.awake {
        let known = row.revision.and_then(|_| jobs.get(&row.job)).cloned();
        planner.awake(row, known);
    }
    for row in found.due {
        match jobs.get(&row.job) {
            Some(known) => planner.due(&row, known),
            None => planner.unreadable(&row),
        }
    }
    planner.plan
}

impl Planner {
    fn due(&mut self, row: &DueRow, known: &KnownJob) {
        let fired = fire(&known.job, row.due, self.now);
        let next_due = fired.next.map(|next| next.run_at);
        for due in &fired.run {
            self.occurrence(row, known, *due, next_due);
        }
        let more = fired.skipped_more;
        for (at, (scheduled_for, reason)) in fired.skipped.iter().enumerate() {
            let reason = if at == 0 && more > 0 {
                format!("{} (and {more} earlier ones)", reason.code())
            } else {
                reason.code().to_owned()
            };
            self.skip(row, known, *scheduled_for, reason);
        }
        self.plan.next.push(NextDue {
            job_id: row.job,
            due: fired.next,
        });
    }

    fn unreadable(&mut self, row: &DueRow) {
        let due = Due {
            run_at: self.now.plus_millis(UNREADABLE_PAUSE),
            ..row.due
        };
        self.plan.next.push(NextDue {
            job_id: row.job,
            due: Some(due),
        });
    }

    fn occurrence(&mut self, row: &DueRow, known: &KnownJob, due: Due, next_due: Option<Moment>) {
        let id = ExecutionId::of_occurrence(row.job, row.generation, due.scheduled_for.millis());
        if self
            .open
            .get(&row.job)
            .is_some_and(|open| open.iter().any(|other| other.id == id))
        {
            // It is there already, whatever the due row says.
            return;
        }
        let admission = overlap(&known.job, &self.open_of(row.job));
        let status = match admission {
            Admission::Skip(reason) => {
                return self.skip(row, known, due.scheduled_for, reason.code().to_owned());
            }
            Admission::Queue => {
                let sleeps = self.stands_behind(row.job, &known.job, (due.scheduled_for, id));
                let wake_at = if sleeps {
                    self.now.plus_millis(LOOK_AGAIN)
                } else {
                    self.now
                };
                self.queue(row, known, id, due, wake_at)
            }
            Admission::Run | Admission::CancelThenRun => {
                if admission == Admission::CancelThenRun {
                    self.cancel_previous(row, known);
                }
                if self.room == 0 {
                    self.queue(row, known, id, due, self.now)
                } else {
                    self.start(row, known, id, due, next_due)
                }
            }
        };
        self.open.entry(row.job).or_default().push(OpenRow {
            id,
            status,
            scheduled_for: due.scheduled_for,
        });
    }

    fn open_of(&self, job: JobId) -> Vec<OpenExecution> {
        let open = self.open.get(&job).map_or(&[][..], Vec::as_slice);
        open.iter()
            .map(|row| OpenExecution {
                running: row.status != Status::Queued,
            })
            .collect()
    }

    fn cancel_previous(&mut self, row: &DueRow, known: &KnownJob) {
        self.open.remove(&row.job);
        self.plan
            .cancel_previous
            .push((row.job, known.job.definition().name.clone()));
        // What this same claim gave the job gives way as well. A row that is stored already is ended with the others.
        let resumed = self
            .plan
            .resumed
            .extract_if(.., |lease| lease.job_id == row.job)
            .count();
        let started: Vec<Lease> = self
            .plan
            .started
            .extract_if(.., |lease| lease.job_id == row.job)
            .collect();
        let queued: Vec<Queued> = self
            .plan
            .queued
            .extract_if(.., |queued| queued.job_id == row.job)
            .collect();
        self.room += resumed + started.len();
        let times = started
            .iter()
            .map(|lease| lease.scheduled_for)
            .chain(queued.iter().map(|queued| queued.scheduled_for));
        for scheduled_for in times {
            self.skip(
                row,
                known,
                scheduled_for,
                SkipReason::Overlap.code().to_owned(),
            );
        }
    }

    fn start(
        &mut self,
        row: &DueRow,
        known: &KnownJob,
        id: ExecutionId,
        due: Due,
        next_due: Option<Moment>,
    ) -> Status {
        self.room -= 1;
        self.plan.started.push(Lease {
            id,
            job_id: row.job,
            known: known.clone(),
            trigger: Trigger::Schedule,
            generation: row.generation,
            fence: 1,
            attempt: 1,
            scheduled_for: due.scheduled_for,
            started_at: self.now,
            next_due,
            attempts: None,
        });
        Status::Running
    }

    fn queue(
        &mut self,
        row: &DueRow,
        known: &KnownJob,
        id: ExecutionId,
        due: Due,
        wake_at: Moment,
    ) -> Status {
        self.plan.queued.push(Queued {
            id,
            job_id: row.job,
            workspace: known.workspace,
            generation: row.generation,
            scheduled_for: due.scheduled_for,
            wake_at,
        });
        Status::Queued
    }

    fn skip(&mut self, row: &DueRow, known: &KnownJob, scheduled_for: Moment, reason: String) {
        let id = ExecutionId::of_occurrence(row.job, row.generation, scheduled_for.millis());
        let skipped = Skipped {
            id,
            job_id: row.job,
            known: known.clone(),
            generation: row.generation,
            scheduled_for,
            reason,
        };
        self.plan.skipped.push(skipped);
    }

    fn awake(&mut self, row: AwakeRow, known: Option<KnownJob>) {
        let name = known
            .as_ref()
            .map_or_else(String::new, |known| known.job.definition().name.clone());
        let Some(known) = known.filter(|_| !row.cancel_requested) else {
            return if row.revision.is_none() {
                self.end(row, Status::Canceled, "job_deleted", name);
            } else if row.cancel_requested {
                self.end(row, Status::Canceled, "canceled", name);
            } else {
                self.plan
                    .put_off
                    .push((row.id, self.now.plus_millis(UNREADABLE_PAUSE)));
            };
        };
        match row.status {
            Status::Running => match on_lost_lease(&known.job, row.attempt, self.now) {
                Verdict::Retry { .. } => self.resume(row, known),
                Verdict::Fail | Verdict::Lost => self.end(row, Status::Lost, "lease_lost", name),
            },
            Status::Queued if self.must_wait(&row, &known.job) => {
                self.plan
                    .put_off
                    .push((row.id, self.now.plus_millis(LOOK_AGAIN)));
            }
            _ => self.resume(row, known),
        }
    }

    /// Whether a queued occurrence still stands behind others of its job. What someone asked for by hand does not wait.
    fn must_wait(&self, row: &AwakeRow, job: &Job) -> bool {
        row.trigger == Trigger::Schedule
            && self.stands_behind(row.job, job, (row.scheduled_for, row.id))
    }

    /// Whether as many of the job as may run at once run, or wait for longer than `own`.
    fn stands_behind(&self, id: JobId, job: &Job, own: (Moment, ExecutionId)) -> bool {
        let definition = job.definition();
        let most = match (definition.overlap, definition.max_concurrent) {
            (Overlap::QueueOne, _) => 1,
            (Overlap::QueueAll, most) => most.unwrap_or(1),
            (Overlap::Allow, Some(most)) => most,
            _ => return false,
        };
        let open = self.open.get(&id).map_or(&[][..], Vec::as_slice);
        let ahead = |other: &&OpenRow| {
            other.id != own.1
                && (other.status != Status::Queued || (other.scheduled_for, other.id) < own)
        };
        open.iter().filter(ahead).count() >= most as usize
    }

    fn resume(&mut self, row: AwakeRow, known: KnownJob) {
        if self.room == 0 {
            return;
        }
        self.room -= 1;
        let lost = row.status == Status::Running;
        let attempts = if lost {
            Some(appended(
                row.attempts.clone(),
                &lost_attempt(&row, self.now),
            ))
        } else {
            row.attempts
        };
        if let Some(open) = self
            .open
            .get_mut(&row.job)
            .and_then(|open| open.iter_mut().find(|open| open.id == row.id))
        {
            open.status = Status::Running;
        }
        self.plan.resumed.push(Lease {
            id: row.id,
            job_id: row.job,
            known,
            trigger: row.trigger,
            generation: row.generation,
            fence: row.fence + 1,
            attempt: row.attempt + 1,
            scheduled_for: row.scheduled_for,
            started_at: row.started_at.unwrap_or(self.now),
            next_due: if row.trigger == Trigger::Schedule {
                row.next_due
            } else {
                None
            },
            attempts,
        });
    }

    fn end(&mut self, row: AwakeRow, status: Status, reason: &'static str, job_name: String) {
        // What ends here stands in the way of nothing that comes due in the same claim.
        if let Some(open) = self.open.get_mut(&row.job) {
            open.retain(|open| open.id != row.id);
        }
        let attempts = if row.status == Status::Running {
            Some(appended(
                row.attempts.clone(),
                &lost_attempt(&row, self.now),
            ))
        } else {
            row.attempts.clone()
        };
        self.plan.ended.push(Ended {
            row,
            status,
            reason,
            job_name,
            attempts,
        });
    }
}

/// The record of an attempt whose node was not heard of again.
fn lost_attempt(row: &AwakeRow, now: Moment) -> String {
    let started_at = row.attempt_started_at.or(row.started_at).unwrap_or(now);
    let attempt = Attempt {
        number: row.attempt,
        status: AttemptStatus::Lost,
        started_at,
        duration_ms: u64::try_from(now.millis() - started_at.millis()).unwrap_or(0),
        request: None,
        response: None,
        error: Some(AttemptError {
            code: "lease_lost".to_owned(),
            message: format!(
                "node {} was not heard of again",
                row.node.as_deref().unwrap_or("?")
            ),
        }),
    };
    serde_json::to_string(&attempt).unwrap_or_else(|_| "null".to_owned())
}
