//! How a command may fail, what a person is told of it, and its exit code (the API contract, "CLI").

use std::process::ExitCode;

use padclock_api::client::ClientError;
use padclock_api::{ErrorBody, ErrorCode, ErrorDetail};

use super::output::Output;

/// Why a command ended without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was asked in a way that can't be carried out.
    Usage(String),
    /// Something on this side went wrong.
    Error(String),
    /// There is no token to show.
    NoToken(String),
    /// A call went wrong.
    Call(ClientError),
    /// The execution that was waited for did not succeed; that has been said.
    RunFailed,
    /// Something was looked for, and found; that has been said.
    Found,
    /// It is refused, and the text says why.
    Refused(String),
    /// A command that was run ended with this code; said only when it is our part to say it.
    Exited(u8, Option<String>),
    /// Whoever read the output has gone: nothing is left to do, and no one to tell.
    ReaderGone,
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        Self::Call(error)
    }
}

/// A system's error in its words; the number behind them says nothing more.
pub(crate) fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error ").next().unwrap_or(&text).to_owned()
}

impl Failure {
    /// Something on this side can't be read.
    pub(crate) fn unread(what: &str, error: &std::io::Error) -> Self {
        Self::Error(format!("{what} can't be read: {}", system_words(error)))
    }

    /// Says it on standard error and gives the exit code. `token_from`: where the token came from.
    pub(crate) fn tell(&self, output: &mut Output, token_from: Option<&str>) -> ExitCode {
        let mut lines = self.lines(token_from).into_iter();
        if let Some(first) = lines.next() {
            output.error(&first);
        }
        for line in lines {
            output.note(&format!("  {line}"));
        }
        ExitCode::from(self.code())
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::ReaderGone => 0,
            Self::Refused(_) => 5,
            Self::Exited(code, _) => *code,
            Self::Error(_) | Self::Found => 1,
            Self::Usage(_) | Self::Call(ClientError::Url(_)) => 2,
            Self::RunFailed => 3,
            Self::NoToken(_) | Self::Call(ClientError::BadToken) => 4,
            Self::Call(ClientError::Refused(body)) => match body.code {
                ErrorCode::Unauthorized => 4,
                ErrorCode::Forbidden | ErrorCode::Conflict | ErrorCode::PreconditionFailed => 5,
                _ => 1,
            },
            Self::Call(_) => 1,
        }
    }

    fn lines(&self, token_from: Option<&str>) -> Vec<String> {
        match self {
            Self::Usage(text) | Self::Error(text) | Self::NoToken(text) | Self::Refused(text) => {
                vec![text.clone()]
            }
            Self::Exited(_, text) => text.iter().cloned().collect(),
            Self::Call(ClientError::Refused(body)) => refused(body, token_from),
            Self::Call(error) => std::iter::once(error.to_string())
                .chain(advice(error, token_from))
                .collect(),
            Self::RunFailed | Self::Found | Self::ReaderGone => Vec::new(),
        }
    }
}

fn refused(body: &ErrorBody, token_from: Option<&str>) -> Vec<String> {
    let mut lines = vec![body.message.clone()];
    // A server that has one thing to say says it in the message already.
    let told = |detail: &&ErrorDetail| !body.message.contains(&detail.message);
    lines.extend(body.details.iter().filter(told).map(detail));
    if body.code == ErrorCode::Unauthorized {
        lines.extend(token_from.map(|from| format!("the token came from {from}")));
    }
    if body.code.status() >= 500 && !body.request_id.is_empty() {
        lines.push(format!("the server's log knows it as {}", body.request_id));
    }
    lines
}

fn detail(detail: &ErrorDetail) -> String {
    let place = detail
        .position
        .map(|at| format!(" (at byte {at})"))
        .unwrap_or_default();
    match detail.field.as_str() {
        "" => format!("{}{place}", detail.message),
        field => format!("{field}: {}{place}", detail.message),
    }
}

fn advice(error: &ClientError, token_from: Option<&str>) -> Option<String> {
    match error {
        ClientError::Unreachable { why, .. } if why.contains("certificate") => Some(
            "the certificate must be one that this system trusts, or be in the file that SSL_CERT_FILE names".to_owned(),
        ),
        ClientError::Unreachable { .. } => Some(
            "start a server with `padclock serve`, or name another one with --server or CRONCTL_URL".to_owned(),
        ),
        ClientError::BadToken => token_from.map(|from| format!("the token came from {from}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
