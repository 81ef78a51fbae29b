//! Any secrets, any text with them hidden in it, any cuts: the output must be the reference's, and nothing may be left.
#![no_main]

use libfuzzer_sys::fuzz_target;
use padclock_redact::check::{Case, check};

fuzz_target!(|data: &[u8]| check(&Case::from_bytes(data)));
