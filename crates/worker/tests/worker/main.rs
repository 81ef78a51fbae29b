//! The worker as its users see it: leases go in, requests arrive at a target on loopback, redacted completions come out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may stop at the first surprise"
)]

mod connecting;
mod keyring;
mod limits;
mod many;
mod redaction;
mod redirects;
mod retries;
mod sending;
mod signatures;
mod support;
mod tls;
mod tokens;
