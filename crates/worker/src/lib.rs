//! The execution path: lease, check, open, render, send, redact, complete. One loop over a [`RunSource`], whether the
//! source is the store or a server's API. Nothing here knows SQL, HTTP serving or schedules; nothing else connects to
//! a job's target.

mod access;
pub mod address;
mod attempt;
mod body;
mod client;
mod clock;
mod connect;
mod counters;
mod failure;
mod outgoing;
mod record;
mod redirect;
pub mod resolve;
mod retry_after;
mod run;
mod settings;
pub mod source;
#[cfg(test)]
mod testing;
mod texts;
mod token;
mod worker;

pub use address::Cidr;
pub use client::SetupError;
pub use counters::{Counted, Counters};
pub use failure::FailureKind;
pub use resolve::{Resolve, SystemResolver};
pub use settings::Settings;
pub use source::{
    Completion, End, Held, Lease, Opener, Refused, RefusedSecret, Renewed, Revoked, RunSource,
    SealedSecret, SourceError,
};
pub use worker::{Worker, run};
