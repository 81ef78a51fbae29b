//! Whether an attempt may use its secrets where it wants to, and then their opening: in that order. The values live
//! here until the attempt's record is made.

use std::sync::Arc;

use padclock_api::UsedSecret;
use padclock_redact::Redactor;
use padclock_template::{Found, RefSyntax, Request, SecretRef, Secrets};
use padclock_vault::{EgressPolicy, Place, Refusal, Target, Value};

use crate::failure::{Failure, FailureKind};
use crate::source::{Lease, Opener, Refused, RefusedSecret, SealedSecret};

/// The most bytes that the secrets of one attempt may have together.
const MOST_BYTES: usize = 1024 * 1024;
/// From more bytes of values than this on, a redactor is not made beside other attempts: the needles are about eight times as
/// many bytes.
const MADE_AT_ONCE: usize = 8 * 1024;

/// Where a request goes, as far as its non-secret parts tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) scheme: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
}

/// Which of a job's two destinations a place of its request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goes {
    ToTarget,
    /// To where the access token is asked for: what stands in `auth`, when the job asks for one.
    ToTokenHost,
}

/// The references whose values go there.
pub(crate) fn going(lease: &Lease, goes: Goes) -> impl Iterator<Item = (&SecretRef, Place)> {
    let asks = lease
        .job
        .request()
        .is_some_and(|request| request.token().is_some());
    let there = move |place| match goes {
        Goes::ToTokenHost => asks && place == Place::Auth,
        Goes::ToTarget => !(asks && place == Place::Auth),
    };
    let references = lease.job.references().iter();
    references
        .map(|(reference, place)| (reference, *place))
        .filter(move |(_, place)| there(*place))
}

/// Refuses the attempt when a policy does not allow its secret at its place, or a secret that it can't do without is missing.
/// Nothing is opened for it.
pub(crate) fn check(lease: &Lease, goes: Goes, to: &Destination<'_>) -> Result<(), Failure> {
    let mut refusals = Refusals::default();
    for (reference, place) in going(lease, goes) {
        match find(&lease.secrets, reference) {
            Some(secret) => refusals.check(lease, secret, to, (goes, place)),
            None if reference.syntax == RefSyntax::Braces => {
                return Err(unresolved(&reference.name));
            }
            None => {}
        }
    }
    refusals.ended(to.host)
}

/// What policies say against an attempt: every secret that they hold back, and the first reason.
#[derive(Default)]
struct Refusals {
    secrets: Vec<RefusedSecret>,
    first: Option<Refusal>,
}

impl Refusals {
    fn check(
        &mut self,
        lease: &Lease,
        secret: &SealedSecret,
        to: &Destination<'_>,
        going: (Goes, Place),
    ) {
        let refusal = match &secret.policy {
            None if lease.require_policy => None,
            None => return,
            Some(policy) => match allowed(policy, lease, to, going) {
                Ok(()) => return,
                Err(refusal) => Some(refusal),
            },
        };
        self.secrets.push(RefusedSecret {
            name: secret.name.clone(),
            secret: secret.secret,
            version: secret.version,
        });
        self.first = self.first.take().or(refusal);
    }

    fn ended(mut self, host: &str) -> Result<(), Failure> {
        if self.secrets.is_empty() {
            return Ok(());
        }
        self.secrets.sort_unstable();
        self.secrets.dedup();
        let refused = Refused {
            secrets: self.secrets,
            host: host.to_owned(),
        };
        Err(match &self.first {
            Some(refusal) => Failure::egress(refused, refusal),
            None => Failure::policy_required(refused),
        })
    }
}

fn allowed(
    policy: &EgressPolicy,
    lease: &Lease,
    to: &Destination<'_>,
    (goes, place): (Goes, Place),
) -> Result<(), Refusal> {
    let &Destination {
        scheme,
        host,
        port,
        method,
        path,
    } = to;
    policy.check(&Target {
        scheme,
        host,
        port,
        method,
        path,
        place,
    })?;
    // The request for a token has none of the job's headers.
    let request = lease.job.request().filter(|_| goes == Goes::ToTarget);
    let names = request.map(Request::header_names);
    policy.check_headers(host, names.into_iter().flatten())
}

/// A reference with no secret, where the job or the syntax does not let it be sent as it stands.
pub(crate) fn unresolved(name: &str) -> Failure {
    let message = format!(
        "the secret `{name}` does not exist, has expired, or is not in the job's environment"
    );
    Failure::new(FailureKind::Secret, "secret_unresolved", message)
}

/// The secret that a reference resolved to.
pub(crate) fn find<'l>(
    secrets: &'l [SealedSecret],
    reference: &SecretRef,
) -> Option<&'l SealedSecret> {
    secrets.iter().find(|secret| secret.reference == *reference)
}

/// The opened secrets of one attempt.
pub(crate) struct Opened {
    secrets: Arc<[SealedSecret]>,
    /// One for each of `secrets`; `None`: it does not open, or the job does not name it.
    values: Vec<Option<Value>>,
    /// Whether the job puts a secret into the body.
    pub(crate) in_body: bool,
    /// What was made of the values, or got with them: (the secret's name, the bytes).
    derived: Vec<(String, Value)>,
}

impl Opened {
    /// Opens what the job names. What does not open is refused when it is rendered.
    pub(crate) fn open(lease: &Lease, opener: &dyn Opener) -> Self {
        let references = lease.job.references();
        let named = |secret: &SealedSecret| {
            references
                .iter()
                .any(|(reference, _)| *reference == secret.reference)
        };
        let open = |secret| {
            if named(secret) {
                opener.open(secret).ok()
            } else {
                None
            }
        };
        let in_body = references.iter().any(|(reference, place)| {
            *place == Place::Body && find(&lease.secrets, reference).is_some()
        });
        Self {
            secrets: Arc::clone(&lease.secrets),
            values: lease.secrets.iter().map(open).collect(),
            in_body,
            derived: Vec::new(),
        }
    }

    /// Takes what was made of the values; a redactor made from now on knows it.
    pub(crate) fn keep(&mut self, derived: impl IntoIterator<Item = (String, Value)>) {
        self.derived.extend(derived);
    }

    fn pairs(&self) -> impl Iterator<Item = (&SealedSecret, &Value)> {
        self.secrets
            .iter()
            .zip(&self.values)
            .filter_map(|(secret, value)| Some((secret, value.as_ref()?)))
    }

    /// Bytes of all opened values together.
    fn total(&self) -> usize {
        self.pairs().map(|(_, value)| value.len()).sum()
    }

    /// What was opened, by name and version, sorted, each once.
    pub(crate) fn used(&self) -> Vec<UsedSecret> {
        let used = self.pairs().map(|(secret, _)| UsedSecret {
            name: secret.name.clone(),
            version: secret.version,
        });
        sorted(used.collect())
    }

    /// All that must not be seen, by the names it has.
    #[expect(
        clippy::disallowed_methods,
        reason = "the redactor's needles are made of the values, and sinks are searched for them"
    )]
    fn hidden(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let opened = self
            .pairs()
            .map(|(secret, value)| (secret.name.as_str(), value.expose()));
        let derived = self
            .derived
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()));
        opened.chain(derived)
    }

    /// A redactor for what was opened and what was made of it, nothing else.
    pub(crate) fn redactor(&self) -> Redactor {
        if self.secrets.is_empty() && self.derived.is_empty() {
            return Redactor::none();
        }
        Redactor::new(self.hidden())
    }

    /// A redactor that knows these too.
    #[expect(
        clippy::disallowed_methods,
        reason = "the redactor's needles are made of the values"
    )]
    pub(crate) fn redactor_with(&self, derived: &[(String, Value)]) -> Redactor {
        let derived = derived
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()));
        Redactor::new(self.hidden().chain(derived))
    }

    /// The secret whose value a header's name holds, if any: names arrive in lower case, where the redactor does not look.
    pub(crate) fn named_by(&self, name: &str) -> Option<&str> {
        const SHORTEST: usize = 4;
        self.hidden().find_map(|(secret, value)| {
            let holds = value.len() >= SHORTEST
                && name
                    .as_bytes()
                    .windows(value.len())
                    .any(|part| part.eq_ignore_ascii_case(value));
            holds.then_some(secret)
        })
    }
}

/// Refuses secrets that are too large together: their redactor would take too much time and space.
pub(crate) fn check_size(opened: &Opened) -> Result<(), Failure> {
    if opened.total() <= MOST_BYTES {
        return Ok(());
    }
    let message = "the secrets of one request may have at most 1 MiB together";
    Err(Failure::request("secrets_too_large", message))
}

/// The attempt's redactor. A large one is made where it holds no other attempt up.
pub(crate) async fn redactor(opened: Opened) -> Result<(Opened, Redactor), Failure> {
    let total: usize = opened.hidden().map(|(_, value)| value.len()).sum();
    let make = move || {
        let redactor = opened.redactor();
        (opened, redactor)
    };
    if total > MADE_AT_ONCE {
        tokio::task::spawn_blocking(make)
            .await
            .map_err(|_| Failure::internal())
    } else {
        Ok(make())
    }
}

/// What a lease may have opened: told when the attempt itself can't say any more.
pub(crate) fn leased(lease: &Lease) -> Vec<UsedSecret> {
    let all = lease.secrets.iter().map(|secret| UsedSecret {
        name: secret.name.clone(),
        version: secret.version,
    });
    sorted(all.collect())
}

fn sorted(mut used: Vec<UsedSecret>) -> Vec<UsedSecret> {
    used.sort_unstable();
    used.dedup();
    used
}

impl Secrets for Opened {
    fn get(&self, reference: &SecretRef) -> Found<'_> {
        match self
            .secrets
            .iter()
            .position(|secret| secret.reference == *reference)
        {
            None => Found::Missing,
            Some(place) => self.values[place]
                .as_ref()
                .map_or(Found::Unreadable, Found::Value),
        }
    }
}
