//! The sending of an attempt, up to the head of its last answer: redirects that are followed, and a second try with a fresh token when
//! the target did not accept a kept one. What the answer means is judged in `attempt`.

use http::{HeaderMap, StatusCode};
use hyper::body::Incoming;
use padclock_redact::Redactor;
use tokio::time::timeout_at;

use super::{Performer, Reading, Ready, Task};
use crate::access::{self, Destination, Goes};
use crate::failure::Failure;
use crate::outgoing::Outgoing;
use crate::redirect;
use crate::source::Lease;
use crate::texts::Texts;
use crate::token::Bearing;

/// The last answer of an attempt, and how many redirects led to it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Incoming,
    pub(super) redirects: usize,
    /// Whether what was asked last still carried the request's secrets.
    with_secrets: bool,
}

impl Answer {
    fn refuses_token(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && self.with_secrets
    }
}

impl Performer {
    /// The answer, and what it is read with. A failure comes with the redactor its message must pass.
    pub(super) async fn answer(
        &self,
        task: &Task<'_>,
        ready: Ready,
    ) -> Result<(Answer, Reading), (Failure, Redactor)> {
        let Ready {
            outgoing,
            reading,
            bearing,
        } = ready;
        let again = bearing.as_ref().map(|_| outgoing.clone());
        let answer = match self.follow(task, outgoing, &reading.redactor).await {
            Ok(answer) => answer,
            Err(failure) => return Err((failure, reading.redactor)),
        };
        match (bearing, again) {
            (Some(bearing), Some(outgoing)) if answer.refuses_token() => {
                if bearing.is_fresh() {
                    bearing.forget();
                    return Ok((answer, reading));
                }
                drop(answer);
                self.with_fresh_token(task, &bearing, outgoing, reading)
                    .await
            }
            _ => Ok((answer, reading)),
        }
    }

    /// The same request with another token than the one that was refused. Once: a fresh token that is refused is an answer.
    async fn with_fresh_token(
        &self,
        task: &Task<'_>,
        refused: &Bearing,
        mut outgoing: Outgoing,
        reading: Reading,
    ) -> Result<(Answer, Reading), (Failure, Redactor)> {
        let Reading {
            mut opened,
            redactor,
        } = reading;
        let texts = Texts::of(task.lease);
        let variables = texts.variables(task.lease, task.clock.now());
        let fresh = self.token(task, &variables, &opened, Some(refused)).await;
        let fresh = fresh.and_then(|fresh| {
            let fresh = fresh.ok_or_else(Failure::internal)?;
            fresh.put_into(&mut outgoing, &mut opened)?;
            Ok(fresh)
        });
        let fresh = match fresh {
            Ok(fresh) => fresh,
            Err(failure) => return Err((failure, redactor)),
        };
        let (opened, redactor) = match access::redactor(opened).await {
            Ok(made) => made,
            Err(failure) => return Err((failure, redactor)),
        };
        match self.follow(task, outgoing, &redactor).await {
            Ok(answer) => {
                if answer.refuses_token() {
                    fresh.forget();
                }
                Ok((answer, Reading { opened, redactor }))
            }
            // The request has been out once, whatever became of it now.
            Err(failure) => Err((
                Failure {
                    unsent: false,
                    ..failure
                },
                redactor,
            )),
        }
    }

    /// The head of the last answer: of the request, or of the redirects that are followed.
    async fn follow(
        &self,
        task: &Task<'_>,
        outgoing: Outgoing,
        redactor: &Redactor,
    ) -> Result<Answer, Failure> {
        if !task.request.follow_redirects() {
            return self.send(task, outgoing, 0).await;
        }
        let mut outgoing = outgoing;
        let mut with_secrets = true;
        for redirects in 0..=redirect::MOST {
            let answer = self.send(task, outgoing.clone(), redirects).await?;
            let Some(next) = redirect::next(outgoing, answer.status, &answer.headers, redactor)?
            else {
                return Ok(Answer {
                    with_secrets,
                    ..answer
                });
            };
            outgoing = next.request;
            with_secrets &= next.same_origin;
            if with_secrets {
                recheck(task.lease, &outgoing)?;
            }
        }
        Err(redirect::too_many())
    }

    async fn send(
        &self,
        task: &Task<'_>,
        outgoing: Outgoing,
        redirects: usize,
    ) -> Result<Answer, Failure> {
        let sent = timeout_at(task.deadline, self.client.send(outgoing.into_request())).await;
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
            with_secrets: true,
        })
    }
}

/// The policies again, for where a redirect within the origin leads.
pub(super) fn recheck(lease: &Lease, to: &Outgoing) -> Result<(), Failure> {
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
    access::check(lease, Goes::ToTarget, &destination)
}
