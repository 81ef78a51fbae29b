//! What is wrong with a template or a request, found when it is saved, and the limits that apply then.
//! Nothing here knows values: these are errors about the text that a user wrote.

/// The longest URL of a request in bytes, as written and as rendered (the security contract).
pub const MAX_URL_BYTES: usize = 8 * 1024;
/// The largest header block in bytes, names, separators and line ends included (the security contract).
pub const MAX_HEADER_BYTES: usize = 32 * 1024;
/// The most segments in one template, and in all templates of one request together (the security contract).
pub const MAX_SEGMENTS: usize = 1_000;
/// The deepest nesting of arrays and objects in a JSON body (the security contract).
pub const MAX_JSON_DEPTH: usize = 64;
/// The longest name of a secret or of an `env.KEY`, in bytes (the security contract).
pub const MAX_NAME_BYTES: usize = 128;

/// The most filters in one expression: several of them double their input.
pub const MAX_FILTERS: usize = 8;
/// The most bytes that a rendered body, or a value on its way through filters, may come to.
pub const MAX_RENDERED_BYTES: usize = 4 * 1024 * 1024;
/// The most problems that one answer lists.
pub const MAX_PROBLEMS: usize = 100;

/// One thing that is wrong with a definition at save time. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The path of the field, such as `request.headers.Authorization`.
    pub field: String,
    /// A stable code, such as `unknown_variable`.
    pub code: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
    /// The byte offset within the field's text where there is one.
    pub position: Option<usize>,
}

/// Why one template text can't be parsed. Never quotes the text, which may hold a pasted credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at byte {position})")]
pub struct ParseError {
    /// A stable code: `unclosed`, `unknown_variable`, `bad_filter`, `bad_name`, `too_many_segments`.
    pub code: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
    /// The byte offset in the template's text.
    pub position: usize,
}

impl ParseError {
    pub(crate) fn new(code: &'static str, position: usize, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            position,
        }
    }
}
