//! The binary `padclock`. Under the name `cronctl` it is the client.

use std::process::ExitCode;

fn main() -> ExitCode {
    let name = std::env::args_os().next().unwrap_or_default();
    if std::path::Path::new(&name)
        .file_stem()
        .is_some_and(|stem| stem == "cronctl")
    {
        padclock::cronctl::main()
    } else {
        padclock::admin::main()
    }
}
