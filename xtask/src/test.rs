//! `cargo xtask test`: everything a change must pass, in order, ending at the first failure. CI runs this and nothing else.

use std::path::Path;

use anyhow::{Result, bail};

use crate::pg::{self, Database};
use crate::steps::{Steps, cargo, exit_code};
use crate::{packages, tidy};

/// How often the kill test ends a server in `--quick`; without it the test's own default of 20 holds.
const QUICK_KILLS: (&str, &str) = ("PADCLOCK_TEST_KILLS", "3");

/// Runs all steps; the exit code is that of the one that failed.
///
/// # Errors
/// When a step cannot be carried out at all.
pub fn run(root: &Path, args: &[String]) -> Result<u8> {
    let quick = parse(args)?;
    let mut steps = Steps::default();
    let result = all(root, quick, &mut steps);
    println!("\n{}", steps.summary());
    result
}

fn parse(args: &[String]) -> Result<bool> {
    let mut quick = false;
    for arg in args {
        match arg.as_str() {
            "--quick" => quick = true,
            other => bail!("`cargo xtask test` knows --quick, and not {other:?}"),
        }
    }
    Ok(quick)
}

fn all(root: &Path, quick: bool, steps: &mut Steps) -> Result<u8> {
    // What is missing comes first: nobody should wait for a compilation to be told.
    if std::env::var_os(pg::URL).is_none() {
        steps.run("PostgreSQL's programs", || {
            packages::ensure_postgres().map(|_| 0)
        })?;
    }
    let checks: [(&str, &[&str]); 2] = [
        ("cargo fmt --check", &["fmt", "--all", "--check"]),
        (
            "cargo clippy",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ],
        ),
    ];
    for (name, args) in checks {
        let code = steps.run(name, || exit_code(&mut cargo(root, args)))?;
        if code != 0 {
            return Ok(code);
        }
    }
    let code = steps.run("cargo xtask tidy", || Ok(tidy::run(root)))?;
    if code != 0 {
        return Ok(code);
    }
    tests(root, quick, steps)
}

fn tests(root: &Path, quick: bool, steps: &mut Steps) -> Result<u8> {
    // The end-to-end tests start the program itself.
    let build = ["build", "--workspace", "--bin", "padclock"];
    let code = steps.run("cargo build --bin padclock", || {
        exit_code(&mut cargo(root, &build))
    })?;
    if code != 0 {
        return Ok(code);
    }
    let mut database = None;
    steps.run("PostgreSQL for the tests", || {
        database = Some(Database::at_hand()?);
        Ok(0)
    })?;
    let mut command = cargo(root, &["test", "--workspace", "--no-fail-fast"]);
    if let Some(database) = &database {
        database.hand_to(&mut command);
    }
    if quick {
        command.env(QUICK_KILLS.0, QUICK_KILLS.1);
    }
    let code = steps.run("cargo test --workspace", || exit_code(&mut command))?;
    drop(database);
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quick_is_an_option() {
        assert!(!parse(&[]).unwrap());
        assert!(parse(&["--quick".to_owned()]).unwrap());
        let refused = parse(&["--fast".to_owned()]).unwrap_err().to_string();
        assert!(
            refused.contains("--quick") && refused.contains("--fast"),
            "{refused}"
        );
    }
}
