//! The binary under its two names: `padclock` serves and administers, `cronctl` is the client.

pub mod admin;
mod audit;
mod config;
pub mod cronctl;
pub mod demo;
mod hygiene;
mod logging;
mod say;
