//! The project's own commands, run as `cargo xtask COMMAND`. Only dispatch lives here; each command has a file of its own.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to its terminal"
)]

mod bench;
mod packages;
mod pg;
mod steps;
mod test;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask COMMAND

  test [--quick]          everything a change must pass: format, clippy, tidy, all tests on both stores
                          (--quick: 3 kills in the long kill test instead of 20)
  tidy                    the style of the tree, checked; findings as file:line
  pg [--] CMD [ARGS…]     run CMD with a throw-away PostgreSQL in PADCLOCK_TEST_DATABASE_URL
  bench [NAME] [--quick]  the benchmarks, in release mode, with such a PostgreSQL at hand

PADCLOCK_TEST_DATABASE_URL, when set, names a PostgreSQL to use instead of a throw-away one.
PADCLOCK_PG_BIN names the folder of initdb and postgres, when it is not a usual one.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<u8> {
    let Some((command, rest)) = args.split_first() else {
        eprint!("{USAGE}");
        return Ok(2);
    };
    match command.as_str() {
        "test" => test::run(&root(), rest),
        "tidy" => no_arguments(rest).map(|()| tidy::run(&root())),
        "pg" => pg::run_command(rest),
        "bench" => bench::run(&root(), rest),
        pg::GUARD => pg::guard(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(0)
        }
        other => bail!("there is no command {other:?}\n\n{USAGE}"),
    }
}

fn no_arguments(args: &[String]) -> Result<()> {
    match args.first() {
        Some(extra) => bail!("this command takes no argument, and was given {extra:?}"),
        None => Ok(()),
    }
}

/// The workspace's folder: the parent of this package's.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}
