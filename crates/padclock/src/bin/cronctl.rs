//! The binary `cronctl`: the client under its own name.

use std::process::ExitCode;

fn main() -> ExitCode {
    padclock::cronctl::main()
}
