//! `cargo xtask bench`: the benchmarks in release mode, with a PostgreSQL at hand. What is measured, and how, is `bench`'s own matter.

use std::path::Path;

use anyhow::Result;

use crate::pg::Database;
use crate::steps::{cargo, exit_code};

/// Builds and runs the benchmarks with the arguments as given (a name, `--quick`).
///
/// # Errors
/// When there is no PostgreSQL to be had, or cargo cannot be started.
pub fn run(root: &Path, args: &[String]) -> Result<u8> {
    // The program first: a benchmark that starts it must not measure an older one.
    let built = exit_code(&mut cargo(
        root,
        &["build", "--release", "--workspace", "--bin", "padclock"],
    ))?;
    if built != 0 {
        return Ok(built);
    }
    let database = Database::at_hand()?;
    let mut command = cargo(
        root,
        &["run", "--release", "--package", "padclock-bench", "--"],
    );
    command.args(args);
    database.hand_to(&mut command);
    exit_code(&mut command)
}
