//! One attempt, from lease to completion: target, egress policy, open, render, send, read, redact, judge. The order is the
//! point of this file; each step lives in its own.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;
use padclock_api::{
    Attempt, AttemptError, AttemptStatus, RecordedRequest, RecordedResponse, UsedSecret,
};
use padclock_job::{FailureClass, OnUnresolved, Verdict, after_attempt};
use padclock_redact::Redactor;
use padclock_template::{RenderError, Request, TargetUrl};
use tokio::time::{Instant, timeout_at};

use crate::access::{self, Destination, Opened};
use crate::body::{self, Limits, decode};
use crate::client::HttpClient;
use crate::clock::{Clock, millis};
use crate::counters::Counters;
use crate::failure::{Failure, FailureKind};
use crate::outgoing::Outgoing;
use crate::settings::Settings;
use crate::source::{Completion, End, Lease, Opener};
use crate::texts::Texts;
use crate::{record, redirect, retry_after};

/// Performs attempts; shared by all of them.
pub(crate) struct Performer {
    pub(crate) client: HttpClient,
    pub(crate) opener: Arc<dyn Opener>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) random: RandomState,
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

/// A request that may be sent, and what its answer is read with.
struct Ready {
    outgoing: Outgoing,
    opened: Opened,
    redactor: Redactor,
}

/// The last answer of an attempt, and how many redirects led to it.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    redirects: usize,
}

impl Performer {
    /// Carries out one attempt. Whatever happens is in the completion.
    pub(crate) async fn perform(&self, lease: &Lease, clock: Clock) -> Completion {
        let begun = Instant::now();
        let started_at = clock.now();
        let mut draft = Draft::default();
        let result = self.attempt(lease, begun, &mut draft).await;
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
        begun: Instant,
        draft: &mut Draft,
    ) -> Result<(), Failure> {
        let Some(request) = lease.job.request() else {
            return Err(Failure::request(
                "no_request",
                "the job has no request to send",
            ));
        };
        let deadline = begun + Duration::from_secs(u64::from(request.timeout_seconds()));
        let ready = self.prepare(lease, request, draft).await?;
        let sent = self.exchange(lease, request, ready, deadline, draft).await;
        match sent {
            Ok(()) => Ok(()),
            Err((failure, redactor)) => Err(redacted(failure, &redactor)),
        }
    }

    /// All that comes before the first byte is sent. Secrets are opened only after every policy has agreed.
    async fn prepare(
        &self,
        lease: &Lease,
        request: &Request,
        draft: &mut Draft,
    ) -> Result<Ready, Failure> {
        let texts = Texts::of(lease);
        let variables = texts.variables(lease);
        let target = request
            .target(&variables)
            .map_err(|error| unrendered(&error))?;
        access::check(lease, &destination(&target, request))?;
        let opened = Opened::open(lease, self.opener.as_ref());
        draft.secrets = opened.used();
        access::check_size(&opened)?;
        let rendered = request
            .render(&variables, &opened)
            .map_err(|error| unrendered(&error))?;
        draft.unresolved.clone_from(&rendered.unresolved);
        note_unresolved(lease, draft)?;
        let (opened, rendered, redactor) = access::redactor(opened, rendered).await?;
        let outgoing = Outgoing::new(rendered, &texts, opened.in_body)?;
        // A path that a secret's own value has a part in is known only now.
        recheck(lease, &outgoing)?;
        draft.request = Some(record::request(
            &outgoing,
            &opened,
            &redactor,
            self.settings.body_kept,
        ));
        Ok(Ready {
            outgoing,
            opened,
            redactor,
        })
    }

    /// Sends, follows, reads and judges. A failure comes with the redactor its message must pass.
    async fn exchange(
        &self,
        lease: &Lease,
        request: &Request,
        ready: Ready,
        deadline: Instant,
        draft: &mut Draft,
    ) -> Result<(), (Failure, Redactor)> {
        let Ready {
            outgoing,
            opened,
            redactor,
        } = ready;
        let answer = match self
            .answer(lease, request, outgoing, &redactor, deadline)
            .await
        {
            Ok(answer) => answer,
            Err(failure) => {
                if failure.unsent {
                    draft.request = None;
                }
                return Err((failure, redactor));
            }
        };
        let limits = Limits {
            read: self.settings.body_read,
            kept: self.settings.body_kept,
            deadline,
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
        if !request.success_statuses().contains(&status) {
            return Err((
                Failure::status(status, retry_after::read(&answer.headers)),
                redactor,
            ));
        }
        broken.map_or(Ok(()), |failure| Err((failure, redactor)))
    }

    /// The head of the last answer: of the first request, or of the redirects that are followed.
    async fn answer(
        &self,
        lease: &Lease,
        request: &Request,
        outgoing: Outgoing,
        redactor: &Redactor,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        if !request.follow_redirects() {
            return self.send(outgoing, deadline, 0).await;
        }
        let mut outgoing = outgoing;
        let mut with_secrets = true;
        for redirects in 0..=redirect::MOST {
            let answer = self.send(outgoing.clone(), deadline, redirects).await?;
            let Some(next) = redirect::next(outgoing, answer.status, &answer.headers, redactor)?
            else {
                return Ok(answer);
            };
            outgoing = next.request;
            with_secrets &= next.same_origin;
            if with_secrets {
                recheck(lease, &outgoing)?;
            }
        }
        Err(redirect::too_many())
    }

    async fn send(
        &self,
        outgoing: Outgoing,
        deadline: Instant,
        redirects: usize,
    ) -> Result<Answer, Failure> {
        let sent = timeout_at(deadline, self.client.send(outgoing.into_request())).await;
        let sent =
            sent.map_err(|_| Failure::timeout("no answer came within the job's time-out"))?;
        let response = sent.map_err(|failure| Failure {
            unsent: failure.unsent && redirects == 0,
            ..failure
        })?;
        let (head, body) = response.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
            redirects,
        })
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

fn destination<'a>(target: &'a TargetUrl, request: &Request) -> Destination<'a> {
    Destination {
        scheme: target.scheme,
        host: &target.host,
        port: target.port,
        method: request.method(),
        path: &target.path,
    }
}

/// The policies again, for the request as it stands: after rendering, and for where a redirect within the origin leads.
fn recheck(lease: &Lease, to: &Outgoing) -> Result<(), Failure> {
    let scheme = to.uri.scheme_str().unwrap_or_default();
    let host = to.uri.host().unwrap_or_default();
    let port = to
        .uri
        .port_u16()
        .unwrap_or(if scheme == "https" { 443 } else { 80 });
    let destination = Destination {
        scheme,
        host,
        port,
        method: to.method.as_str(),
        path: to.uri.path(),
    };
    access::check(lease, &destination)
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

fn unrendered(error: &RenderError) -> Failure {
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
