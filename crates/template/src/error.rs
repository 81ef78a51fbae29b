//! Why a request could not be rendered. Errors name secrets, variables and headers, and never hold a value.

/// Why an attempt's request can't be made. Nothing has been sent when one of these comes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// `{{secret.KEY}}` names a secret that is not there (the references contract).
    #[error(
        "the secret {name} does not exist here, or has expired: create it, or correct the reference"
    )]
    Unresolved {
        /// The secret's name.
        name: String,
    },
    /// The secret exists and can't be decrypted; never treated as unresolved.
    #[error(
        "the secret {name} exists but can't be read: its key is missing or it was changed outside; store it anew"
    )]
    Unreadable {
        /// The secret's name.
        name: String,
    },
    /// A variable that the job's env does not have.
    #[error("the job's env has no {name}: add it there, or correct the name")]
    MissingEnv {
        /// The key after `env.`.
        name: String,
    },
    /// A rendered header value holds CR, LF, NUL or another control character.
    #[error(
        "the value for the header {header} holds a line break or another control character: store it without, or use the filter trim if it stands at the end"
    )]
    HeaderInjection {
        /// The header's name.
        header: String,
    },
    /// A value in JSON, or before the filter `json`, is not text.
    #[error(
        "the value of {name} is not UTF-8 and can't stand in JSON: use the filter base64 or hex"
    )]
    JsonNotText {
        /// The reference, such as `secret.KEY`.
        name: String,
    },
    /// A reference that stands in place of a JSON value is not one.
    #[error(
        "the value of {name} stands in place of a JSON value, and is no JSON string, number, true, false or null: put the reference between quotes"
    )]
    JsonNotScalar {
        /// The reference, such as `secret.KEY`.
        name: String,
    },
    /// The variables in scheme, host or port make no origin.
    #[error("the URL's beginning, once its variables are filled in, is not valid: {reason}")]
    UrlOrigin {
        /// What would be right.
        reason: &'static str,
    },
    /// A value would make a `.` or `..` path segment, which others resolve away.
    #[error("a value makes a '.' or '..' segment of the URL's path: store a value that is a name")]
    UrlDotSegment,
    /// A part of `auth` can't be what it is: a user with a colon (RFC 7617), a control character, a region with a slash.
    #[error("the {part} of auth {what}")]
    Credentials {
        /// The field, such as `username`.
        part: &'static str,
        /// What it holds that it can't.
        what: &'static str,
    },
    /// The secret of `sign_with` begins with `whsec_`, and no base64 follows (the Standard Webhooks specification).
    #[error(
        "the secret {name} begins with whsec_, and what follows is not base64: store it as it was given out"
    )]
    SigningKey {
        /// The secret's name.
        name: String,
    },
    /// What was rendered is larger than its limit.
    #[error("the rendered {what} has {given} bytes, at most {limit} are allowed")]
    TooLarge {
        /// `URL`, `header block`, `text` (a body) or `filtered value`.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
        /// What it came to, in bytes.
        given: usize,
    },
}

impl RenderError {
    /// The stable code for the execution's record.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => "secret_unresolved",
            Self::Unreadable { .. } => "secret_unreadable",
            Self::MissingEnv { .. } => "unknown_variable",
            Self::HeaderInjection { .. } => "header_injection",
            Self::JsonNotText { .. } | Self::JsonNotScalar { .. } => "json_invalid",
            Self::UrlOrigin { .. } | Self::UrlDotSegment => "url_invalid",
            Self::Credentials { .. } | Self::SigningKey { .. } => "auth_invalid",
            Self::TooLarge { .. } => "too_large",
        }
    }
}

/// Refuses what is larger than its limit.
pub(crate) fn check_size(
    what: &'static str,
    limit: usize,
    given: usize,
) -> Result<(), RenderError> {
    if given > limit {
        return Err(RenderError::TooLarge { what, limit, given });
    }
    Ok(())
}
