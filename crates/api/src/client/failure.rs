//! What may go wrong with a call, for whoever made it. No message holds a token, a value or a body.

use super::BadUrl;
use crate::ErrorBody;

/// Why a call gave no answer, or none that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server said no, in its own words.
    #[error("{}", .0.message)]
    Refused(Box<ErrorBody>),
    /// The address is none that a token may be sent to.
    #[error(transparent)]
    Url(#[from] BadUrl),
    /// The token is empty or has characters that no token has.
    #[error("the token is empty, or has spaces, line ends or other characters that no token has")]
    BadToken,
    /// The value is not UTF-8.
    #[error("the value is not UTF-8 text; store it encoded (in base64, say)")]
    NotText,
    /// No connection to the server came about.
    #[error("no connection to {url}: {why}")]
    Unreachable {
        /// Where it was looked for.
        url: String,
        /// What the system says.
        why: String,
    },
    /// The connection ended before the answer was there.
    #[error("the connection to {url} ended before the answer was there: {why}")]
    Broken {
        /// Where to.
        url: String,
        /// What the system says.
        why: String,
    },
    /// No answer in time.
    #[error("{url} did not answer within {seconds} seconds")]
    TimedOut {
        /// Who did not.
        url: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// The answer sends on to another address, where the token must not follow.
    #[error(
        "the server answered {status} and sends on to another address; give that address instead"
    )]
    Redirected {
        /// The answer's status.
        status: u16,
    },
    /// A failure that is not in Padclock's form: something in between, or another program.
    #[error(
        "the answer is {status}, not in the form that Padclock uses; is it Padclock that listens there?"
    )]
    Foreign {
        /// The answer's status.
        status: u16,
    },
    /// A success that can't be read.
    #[error(
        "the server's answer has {0} that this version can't read; are both of the same version?"
    )]
    Unreadable(&'static str),
    /// The answer is larger than any the server gives.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The request can't be written.
    #[error("the request can't be written as asked")]
    Unwritable,
    /// The system's certificates can't be read.
    #[error("there are no certificates to trust (SSL_CERT_FILE can name a file of them): {0}")]
    Tls(String),
}

impl ClientError {
    /// Whether the same call may well succeed a moment later, as when a server restarts.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Refused(body) => matches!(body.code.status(), 429 | 503),
            Self::Unreachable { .. } | Self::Broken { .. } | Self::TimedOut { .. } => true,
            Self::Foreign { status } => matches!(status, 502..=504),
            _ => false,
        }
    }
}
