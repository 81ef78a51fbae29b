//! The yardsticks: the same work done barely, by the libraries that Padclock itself stands on. Nothing here uses
//! Padclock's own crates.

pub mod http;
pub mod scan;
pub mod seal;
