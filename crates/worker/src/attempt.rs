//! One attempt, from lease to completion: target, egress policy, open, render, send, read, redact, judge. The order is the
//! point of this file; each step lives in its own. The sending is in `answer`, an access token in `token`.

mod answer;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use padclock_api::{
    Attempt, AttemptError, AttemptStatus, RecordedRequest, RecordedResponse, UsedSecret,
};
use padclock_job::{FailureClass, OnUnresolved, Verdict, after_attempt};
use padclock_redact::Redactor;
use padclock_template::{RenderError, Request, TargetUrl};
use tokio::time::Instant;

use crate::access::{self, Destination, Goes, Opened};
use crate::body::{self, Limits, decode};
use crate::client::HttpClient;
use crate::clock::{Clock, millis};
use crate::counters::Counters;
use crate::failure::{Failure, FailureKind};
use crate::outgoing::Outgoing;
use crate::settings::Settings;
use crate::source::{Completion, End, Lease, Opener};
use crate::texts::Texts;
use crate::token::{self, Bearing, Tokens};
use crate::{record, retry_after};

/// Performs attempts; shared by all of them.
pub(crate) struct Performer {
    pub(crate) client: HttpClient,
    pub(crate) opener: Arc<dyn Opener>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) random: RandomState,
    pub(crate) tokens: Tokens,
}

/// What is known of an attempt so far, all of it redacted.
#[derive(Default)]
struct Draft {
    request: Option<RecordedRequest>,
    response: Option<RecordedResponse>,
    secrets: Vec<UsedSecret>,
    unresolved: Vec<String>,
    warnings: Vec<String>,
}

/// What an attempt is made of.
pub(crate) struct Task<'a> {
    pub(crate) lease: &'a Lease,
    pub(crate) request: &'a Request,
    pub(crate) clock: &'a Clock,
    /// The end of the job's time-out.
    pub(crate) deadline: Instant,
}

/// What an answer is read with.
struct Reading {
    opened: Opened,
    redactor: Redactor,
}

/// A request that may be sent.
struct Ready {
    outgoing: Outgoing,
    reading: Reading,
    /// The access token in it, if it carries one that was asked for.
    bearing: Option<Bearing>,
}

impl Performer {
    /// Carries out one attempt. Whatever happens is in the completion.
    pub(crate) async fn perform(&self, lease: &Lease, clock: Clock) -> Completion {
        let begun = Instant::now();
        let started_at = clock.now();
        let mut draft = Draft::default();
        let result = self.attempt(lease, &clock, begun, &mut draft).await;
        self.count(&result);
        let attempt = Attempt {
            number: lease.attempt,
            status: if result.is_ok() {
                AttemptStatus::Succeeded
            } else {
                AttemptStatus::Failed
            },
            started_at,
            duration_ms: millis(begun),
            request: draft.request,
            response: draft.response,
            error: result.as_ref().err().map(shown),
        };
        Completion {
            execution: lease.execution,
            job_id: lease.job_id,
            job: Arc::clone(&lease.job),
            workspace: lease.workspace,
            fence: lease.fence,
            end: self.end(lease, &clock, &result),
            attempt: Box::new(attempt),
            secrets: draft.secrets,
            unresolved: draft.unresolved,
            warnings: draft.warnings,
            refused: result
                .err()
                .and_then(|failure| failure.refused)
                .map(|refused| *refused),
        }
    }

    fn count(&self, result: &Result<(), Failure>) {
        match result {
            Ok(()) => self.counters.succeeded.one(),
            Err(failure) => self.counters.fail(failure.kind),
        }
    }

    async fn attempt(
        &self,
        lease: &Lease,
        clock: &Clock,
        begun: Instant,
        draft: &mut Draft,
    ) -> Result<(), Failure> {
        let Some(request) = lease.job.request() else {
            return Err(Failure::request(
                "no_request",
                "the job has no request to send",
            ));
        };
        let task = Task {
            lease,
            request,
            clock,
            deadline: begun + Duration::from_secs(u64::from(request.timeout_seconds())),
        };
        let ready = self.prepare(&task, draft).await?;
        let sent = self.exchange(&task, ready, draft).await;
        sent.map_err(|(failure, redactor)| redacted(failure, &redactor))
    }

    /// All that comes before the first byte is sent to the target. Secrets are opened only after every policy has agreed.
    async fn prepare(&self, task: &Task<'_>, draft: &mut Draft) -> Result<Ready, Failure> {
        let lease = task.lease;
        let texts = Texts::of(lease);
        let variables = texts.variables(lease, task.clock.now());
        let target = task
            .request
            .target(&variables)
            .map_err(|error| unrendered(&error))?;
        let destination = destination(&target, task.request.method());
        access::check(lease, Goes::ToTarget, &destination)?;
        token::check(task, &variables)?;
        let mut opened = Opened::open(lease, self.opener.as_ref());
        draft.secrets = opened.used();
        access::check_size(&opened)?;
        let mut rendered = task
            .request
            .render(&variables, &opened)
            .map_err(|error| unrendered(&error))?;
        draft.unresolved.clone_from(&rendered.unresolved);
        draft.unresolved.extend(token::unresolved(lease));
        draft.unresolved.sort_unstable();
        draft.unresolved.dedup();
        note_unresolved(lease, draft)?;
        opened.keep(std::mem::take(&mut rendered.derived));
        let mut outgoing = Outgoing::new(rendered, &texts, opened.in_body)?;
        // A path that a secret's own value has a part in is known only now.
        answer::recheck(lease, &outgoing)?;
        let bearing = self.token(task, &variables, &opened, None).await?;
        if let Some(bearing) = &bearing {
            bearing.put_into(&mut outgoing, &mut opened)?;
        }
        let (opened, redactor) = access::redactor(opened).await?;
        draft.request = Some(record::request(
            &outgoing,
            &opened,
            &redactor,
            self.settings.body_kept,
        ));
        Ok(Ready {
            outgoing,
            reading: Reading { opened, redactor },
            bearing,
        })
    }

    /// Sends, follows, reads and judges. A failure comes with the redactor its message must pass.
    async fn exchange(
        &self,
        task: &Task<'_>,
        ready: Ready,
        draft: &mut Draft,
    ) -> Result<(), (Failure, Redactor)> {
        let (answer, Reading { opened, redactor }) = match self.answer(task, ready).await {
            Ok(answered) => answered,
            Err((failure, redactor)) => {
                if failure.unsent {
                    draft.request = None;
                }
                return Err((failure, redactor));
            }
        };
        let limits = Limits {
            read: self.settings.body_read,
            kept: self.settings.body_kept,
            deadline: task.deadline,
        };
        let headers = record::headers(&answer.headers, &opened, &redactor);
        let (body, broken) = body::read(
            answer.body,
            decode::codings(&answer.headers),
            &redactor,
            limits,
        )
        .await;
        let status = answer.status.as_u16();
        draft.response = Some(record::response(status, headers, body, answer.redirects));
        if !task.request.success_statuses().contains(&status) {
            return Err((
                Failure::status(status, retry_after::read(&answer.headers)),
                redactor,
            ));
        }
        broken.map_or(Ok(()), |failure| Err((failure, redactor)))
    }

    /// What becomes of the execution, by the job's retry rules.
    fn end(&self, lease: &Lease, clock: &Clock, result: &Result<(), Failure>) -> End {
        let Err(failure) = result else {
            return End::Succeeded;
        };
        let now = clock.now();
        let for_rules = padclock_job::Failure {
            class: class(failure.kind),
            status: failure.status,
            retry_after: failure.retry_after.map(|after| after.moment(now)),
        };
        let random = self.random.hash_one((lease.execution, lease.attempt));
        match after_attempt(
            &lease.job,
            lease.attempt,
            &for_rules,
            now,
            lease.next_due,
            random,
        ) {
            Verdict::Retry { at } => {
                self.counters.retried.one();
                End::Retry { at }
            }
            Verdict::Fail | Verdict::Lost => End::Failed {
                reason: failure.code.to_owned(),
            },
        }
    }
}

fn shown(failure: &Failure) -> AttemptError {
    AttemptError {
        code: failure.code.to_owned(),
        message: failure.message.clone(),
    }
}

fn redacted(mut failure: Failure, redactor: &Redactor) -> Failure {
    failure.message = redactor.redact_str(&failure.message).into_owned();
    failure
}

/// Where a request of this method goes.
pub(crate) fn destination<'a>(target: &'a TargetUrl, method: &'a str) -> Destination<'a> {
    Destination {
        scheme: target.scheme,
        host: &target.host,
        port: target.port,
        method,
        path: &target.path,
    }
}

/// `secret://` names without a secret: sent as they stand and told, unless the job says otherwise.
fn note_unresolved(lease: &Lease, draft: &mut Draft) -> Result<(), Failure> {
    let Some(first) = draft.unresolved.first() else {
        return Ok(());
    };
    if lease.job.definition().on_unresolved == OnUnresolved::Fail {
        return Err(access::unresolved(first));
    }
    let warn =
        |name: &String| format!("`secret://{name}` was sent as it stands: there is no such secret");
    draft.warnings.extend(draft.unresolved.iter().map(warn));
    Ok(())
}

/// A request that can't be made.
pub(crate) fn unrendered(error: &RenderError) -> Failure {
    let kind = match error {
        RenderError::Unresolved { .. } | RenderError::Unreadable { .. } => FailureKind::Secret,
        _ => FailureKind::Request,
    };
    Failure::new(kind, error.code(), error.to_string())
}

/// The kind as the retry rules know it.
const fn class(kind: FailureKind) -> FailureClass {
    match kind {
        FailureKind::Secret => FailureClass::Secret,
        FailureKind::Egress => FailureClass::Egress,
        FailureKind::Connect | FailureKind::Closed | FailureKind::Interrupted => {
            FailureClass::Connection
        }
        FailureKind::Timeout => FailureClass::Timeout,
        FailureKind::Status => FailureClass::Status,
        FailureKind::Request
        | FailureKind::Protocol
        | FailureKind::Redirect
        | FailureKind::Internal => FailureClass::Request,
    }
}
