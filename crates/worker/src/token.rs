//! The access token that a request carries: its policy check, the asking for it, and what the answer must be (RFC 6749 sections 4.4
//! and 5). How tokens are kept is in `token::cache`; the request for one is rendered by `template`.

mod answer;
mod cache;

use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use padclock_job::Moment;
use padclock_redact::Redactor;
use padclock_template::{Found, RefSyntax, SecretRef, Secrets, TokenRequest, Variables};
use padclock_vault::Value;
use tokio::time::timeout_at;

use crate::access::{self, Goes, Opened, find};
use crate::attempt::{Performer, Task, destination, unrendered};
use crate::failure::{Failure, FailureKind};
use crate::outgoing::Outgoing;
use crate::source::{Lease, SealedSecret};
use answer::Refused;
pub(crate) use cache::Tokens;
use cache::{Key, Slot, Token};

/// The most of an answer that is read.
const MOST_BYTES: usize = 64 * 1024;
/// The code of every attempt that got no token, refusals to connect aside.
const CODE: &str = "oauth2_token_failed";
/// The name of a token that comes from credentials which are written out.
const WRITTEN_OUT: &str = "auth";

/// A token on its way with a request.
pub(crate) struct Bearing {
    token: Arc<Token>,
    slot: Arc<Slot>,
    /// Whether it was asked for by this attempt, or by another while this one waited for it.
    fresh: bool,
    /// The secret that its placeholder names.
    name: String,
}

impl Bearing {
    pub(crate) const fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Drops it from the cache.
    pub(crate) fn forget(&self) {
        self.slot.forget(&self.token);
    }

    /// Puts it into a request, and among what must not be seen.
    pub(crate) fn put_into(
        &self,
        outgoing: &mut Outgoing,
        opened: &mut Opened,
    ) -> Result<(), Failure> {
        opened.keep([(self.name.clone(), self.token.value.duplicate())]);
        outgoing.bear(&self.token.value)
    }
}

/// Asks the policies about the token's host, before anything is opened.
pub(crate) fn check(task: &Task<'_>, variables: &Variables<'_>) -> Result<(), Failure> {
    let Some(request) = task.request.token() else {
        return Ok(());
    };
    let target = request
        .target(variables)
        .map_err(|error| unrendered(&error))?;
    access::check(
        task.lease,
        Goes::ToTokenHost,
        &destination(&target, TokenRequest::METHOD),
    )
}

/// The `secret://` names in the token request that name no secret.
pub(crate) fn unresolved(lease: &Lease) -> impl Iterator<Item = String> {
    access::going(lease, Goes::ToTokenHost)
        .filter(|(reference, _)| {
            reference.syntax == RefSyntax::Uri && find(&lease.secrets, reference).is_none()
        })
        .map(|(reference, _)| reference.name.clone())
}

impl Performer {
    /// The token that the request needs: a kept one, unless it was refused, else a fresh one. None when it needs none.
    pub(crate) async fn token(
        &self,
        task: &Task<'_>,
        variables: &Variables<'_>,
        opened: &Opened,
        refused: Option<&Bearing>,
    ) -> Result<Option<Bearing>, Failure> {
        let Some(request) = task.request.token() else {
            return Ok(None);
        };
        let key = key(task.lease, request, variables)?;
        let slot = self.tokens.slot(key);
        let now = task.clock.now();
        let refused = refused.map(|bearing| &bearing.token);
        let got = slot.get(now, refused, || {
            self.ask(task, request, variables, opened, now)
        });
        let (token, fresh) = timeout_at(task.deadline, got)
            .await
            .map_err(|_| too_late())??;
        Ok(Some(Bearing {
            token,
            slot,
            fresh,
            name: request.secret_name().unwrap_or(WRITTEN_OUT).to_owned(),
        }))
    }

    /// Asks for a token. What fails here is redacted already: another attempt may be told it.
    async fn ask(
        &self,
        task: &Task<'_>,
        request: &TokenRequest,
        variables: &Variables<'_>,
        opened: &Opened,
        now: Moment,
    ) -> Result<Token, Failure> {
        let target = request
            .target(variables)
            .map_err(|error| unrendered(&error))?;
        let mut rendered = request
            .render(variables, opened)
            .map_err(|error| unrendered(&error))?;
        let derived = std::mem::take(&mut rendered.derived);
        let outgoing = Outgoing::bare(rendered, true)?;
        let asked = async {
            let response = self.client.send(outgoing.into_request()).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MOST_BYTES).collect().await;
            let body = body
                .map_err(|_| Failure::closed("its answer broke off, or is larger than 64 KiB"))?;
            Ok((head, body.to_bytes()))
        };
        let answered = match timeout_at(task.deadline, asked).await {
            Err(_) => Err(too_late().into()),
            Ok(Err(failure)) => Err(untaken(failure).into()),
            Ok(Ok((head, body))) => answer::read(&head, &body, &target.host),
        };
        answered
            .map(|granted| Token::new(granted.value, now, granted.seconds))
            .map_err(|refused| told(refused, &opened.redactor_with(&derived)))
    }
}

/// Why there is no token, with what the endpoint called it: redacted first, and shortened then.
fn told(refused: Refused, redactor: &Redactor) -> Failure {
    let Refused { mut failure, error } = refused;
    failure.message = redactor.redact_str(&failure.message).into_owned();
    if let Some(error) = error {
        let error = answer::shown(&redactor.redact_str(&error));
        failure.message.push_str(&format!(" ({error})"));
    }
    failure
}

/// A failure below the answer, as one of the token request. A refusal to connect keeps its code, which says what would allow it.
fn untaken(failure: Failure) -> Failure {
    let message = format!("no access token: {}", failure.message);
    let code = if failure.kind == FailureKind::Egress {
        failure.code
    } else {
        CODE
    };
    Failure {
        code,
        message,
        unsent: false,
        ..failure
    }
}

fn too_late() -> Failure {
    let message = "no access token came within the job's time-out";
    Failure::new(FailureKind::Timeout, CODE, message)
}

/// What tells this token from all others: workspace, secrets by id and version, and everything that the request says.
fn key(lease: &Lease, request: &TokenRequest, variables: &Variables<'_>) -> Result<Key, Failure> {
    let stand_ins = StandIns::of(lease);
    let identity = request
        .identity(variables, &stand_ins)
        .map_err(|error| unrendered(&error))?;
    let mut secrets: Vec<_> = access::going(lease, Goes::ToTokenHost)
        .filter_map(|(reference, _)| find(&lease.secrets, reference))
        .map(|secret| (secret.secret, secret.version))
        .collect();
    secrets.sort_unstable();
    secrets.dedup();
    Ok(Key {
        workspace: lease.workspace,
        identity,
        secrets,
    })
}

/// Secrets by their ids in place of their values: the key of the cache is made of no value.
struct StandIns<'l> {
    secrets: &'l [SealedSecret],
    ids: Vec<Value>,
}

impl<'l> StandIns<'l> {
    fn of(lease: &'l Lease) -> Self {
        let id =
            |secret: &SealedSecret| Value::new(format!("{}.{}", secret.secret, secret.version));
        Self {
            secrets: &lease.secrets,
            ids: lease.secrets.iter().map(id).collect(),
        }
    }
}

impl Secrets for StandIns<'_> {
    fn get(&self, reference: &SecretRef) -> Found<'_> {
        let found = self
            .secrets
            .iter()
            .zip(&self.ids)
            .find(|(secret, _)| secret.reference == *reference);
        found.map_or(Found::Missing, |(_, id)| Found::Value(id))
    }
}
