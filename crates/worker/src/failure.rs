//! Why an attempt failed: a code for machines, words for people, and what the retry rules need. No value and no URL
//! gets into one.

use padclock_vault::Refusal;

use crate::connect::ConnectError;
use crate::source::Refused;

/// What kind of failure it was; counted by kind, and what the retry rules go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum FailureKind {
    /// A secret is missing or does not open.
    Secret,
    /// A policy or an address was refused.
    Egress,
    /// The request can't be made as it is written.
    Request,
    /// No connection.
    Connect,
    /// It took too long.
    Timeout,
    /// The connection broke.
    Closed,
    /// The answer is not HTTP that can be read.
    Protocol,
    /// The answer has a status that does not count as success.
    Status,
    /// A redirect that is not followed.
    Redirect,
    /// The worker stopped in the middle.
    Interrupted,
    /// A fault of our own.
    Internal,
}

impl FailureKind {
    /// Every kind, in the order of the counters.
    pub const ALL: [Self; 11] = [
        Self::Secret,
        Self::Egress,
        Self::Request,
        Self::Connect,
        Self::Timeout,
        Self::Closed,
        Self::Protocol,
        Self::Status,
        Self::Redirect,
        Self::Interrupted,
        Self::Internal,
    ];

    /// The word in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Egress => "egress",
            Self::Request => "request",
            Self::Connect => "connect",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Interrupted => "interrupted",
            Self::Internal => "internal",
        }
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<RetryAfter>,
    /// Whether nothing of the request has left this machine.
    pub(crate) unsent: bool,
    /// What a policy refused.
    pub(crate) refused: Option<Box<Refused>>,
}

/// When the target wants to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    /// So many seconds from now.
    Seconds(u64),
    /// At this time, in milliseconds since the Unix epoch.
    At(i64),
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            status: None,
            retry_after: None,
            unsent: false,
            refused: None,
        }
    }

    pub(crate) fn connect(error: &ConnectError) -> Self {
        let (kind, code) = match error {
            ConnectError::Address { .. } => (FailureKind::Egress, "egress_address_refused"),
            ConnectError::Resolve { .. } => (FailureKind::Connect, "dns"),
            ConnectError::Refused { .. } => (FailureKind::Connect, "connect"),
            ConnectError::Tls { .. } => (FailureKind::Connect, "tls"),
            ConnectError::TimedOut { .. } => (FailureKind::Connect, "connect_timeout"),
        };
        Self {
            unsent: true,
            ..Self::new(kind, code, error.to_string())
        }
    }

    /// What went wrong on a connection that stood.
    pub(crate) fn exchange(error: &hyper::Error) -> Self {
        if error.is_parse_too_large() {
            return Self::large_headers();
        }
        if error.is_parse() {
            return Self::new(
                FailureKind::Protocol,
                "protocol",
                "the answer is not valid HTTP",
            );
        }
        if error.is_timeout() {
            return Self::timeout("the connection did not answer in time");
        }
        Self::closed("the connection was closed before the answer was complete")
    }

    pub(crate) fn large_headers() -> Self {
        let message = "the answer's header block is larger than 64 KiB or has more than 256 fields";
        Self::new(FailureKind::Protocol, "response_headers_too_large", message)
    }

    pub(crate) fn closed(message: &str) -> Self {
        Self::new(FailureKind::Closed, "connection_closed", message)
    }

    pub(crate) fn timeout(message: &str) -> Self {
        Self::new(FailureKind::Timeout, "timeout", message)
    }

    pub(crate) fn status(status: u16, retry_after: Option<RetryAfter>) -> Self {
        let message =
            format!("the target answered with status {status}, which does not count as success");
        Self {
            status: Some(status),
            retry_after,
            ..Self::new(FailureKind::Status, "status", message)
        }
    }

    /// A policy does not let these secrets go there; the refusal is the first one's.
    pub(crate) fn egress(refused: Refused, refusal: &Refusal) -> Self {
        let message = format!("{} not sent: {refusal}", named(&refused));
        Self::refused(refused, "egress_refused", message)
    }

    /// These secrets have no policy, and the workspace asks for one.
    pub(crate) fn policy_required(refused: Refused) -> Self {
        let message = format!(
            "{} not sent to {}: there is no egress policy, and the workspace requires one (`cronctl secrets bind`)",
            named(&refused),
            refused.host
        );
        Self::refused(refused, "egress_policy_required", message)
    }

    fn refused(refused: Refused, code: &'static str, message: String) -> Self {
        Self {
            refused: Some(Box::new(refused)),
            ..Self::new(FailureKind::Egress, code, message)
        }
    }

    pub(crate) fn request(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(FailureKind::Request, code, message)
    }

    pub(crate) fn internal() -> Self {
        let message = "the attempt met a fault in the worker; nothing of it is recorded";
        Self::new(FailureKind::Internal, "internal", message)
    }
}

/// `the secret `A` is`, `the secrets `A`, `B` are`.
fn named(refused: &Refused) -> String {
    let mut names: Vec<String> = refused
        .secrets
        .iter()
        .map(|secret| format!("`{}`", secret.name))
        .collect();
    names.dedup();
    match names.as_slice() {
        [one] => format!("the secret {one} is"),
        several => format!("the secrets {} are", several.join(", ")),
    }
}
