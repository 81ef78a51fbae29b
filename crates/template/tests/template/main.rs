//! Tests of the public interface: tables for each place and each error, and properties. One binary, so that it links once.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod auth;
mod body;
mod filters;
mod headers;
mod limits;
mod parse;
mod properties;
mod save;
mod support;
mod unresolved;
mod url;
