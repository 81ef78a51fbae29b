//! Templates: the texts in which a job names its secrets and variables, and the requests made of them.
//! A text is parsed once, when a job is saved, and rendered once for each attempt, in memory, so that no value can change the structure
//! around it (the references contract). Pure: nothing here knows the clock, the network or where secrets are kept.

mod address;
mod auth;
mod authorize;
mod body;
mod buffer;
mod compile;
mod error;
mod escape;
mod expression;
mod fill;
mod filter;
mod header;
mod json_text;
mod parse;
mod piece;
mod problem;
mod render;
mod request;
mod sigv4;
mod spec;
mod token;
mod webhook;

pub use compile::CompileOptions;
pub use error::RenderError;
pub use expression::{RefSyntax, SecretRef, Variable};
pub use fill::{Found, Secrets, Variables};
pub use parse::{Syntax, Template};
pub use problem::{
    MAX_FILTERS, MAX_HEADER_BYTES, MAX_JSON_DEPTH, MAX_NAME_BYTES, MAX_PROBLEMS,
    MAX_RENDERED_BYTES, MAX_SEGMENTS, MAX_URL_BYTES, ParseError, Problem,
};
pub use render::{Rendered, RenderedHeader, TargetUrl};
pub use request::Request;
pub use spec::{AuthSpec, AwsSignature, ClientAuth, ClientCredentials, RequestSpec};
pub use token::TokenRequest;
