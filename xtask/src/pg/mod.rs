//! A PostgreSQL to test against: the one that `PADCLOCK_TEST_DATABASE_URL` names, or a throw-away cluster on loopback.
//!
//! The cluster belongs to a second process of ours, the guard: it starts PostgreSQL, and takes it away again when the
//! pipe to its standard input closes. A pipe closes however its owner ends (return, panic, Ctrl-C, `kill -9`), so no
//! ending leaves a server or a folder behind. Nothing here knows Padclock's schema.

mod cluster;
mod programs;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::packages;
use crate::steps::exit_code;
use cluster::Cluster;
pub use programs::{OLDEST, Programs};

/// The variable the tests and benchmarks read.
pub const URL: &str = "PADCLOCK_TEST_DATABASE_URL";
/// The hidden command that runs the guard.
pub const GUARD: &str = "pg-guard";

/// A PostgreSQL in which databases may be made; a throw-away one ends with this value.
pub struct Database {
    url: String,
    guard: Option<Child>,
}

impl Database {
    /// The database the environment names, or a new throw-away cluster (a second or two).
    ///
    /// # Errors
    /// When PostgreSQL is missing and cannot be installed, or does not start.
    pub fn at_hand() -> Result<Database> {
        match std::env::var(URL) {
            Ok(url) => Ok(Database { url, guard: None }),
            Err(_) => Database::throw_away(&packages::ensure_postgres()?),
        }
    }

    fn throw_away(programs: &Programs) -> Result<Database> {
        let mut guard = Command::new(std::env::current_exe()?)
            .arg(GUARD)
            .arg(programs.folder())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Ctrl-C goes to the terminal's process group: the guard must outlive it, to clean up.
            .process_group(0)
            .spawn()
            .context("cannot start the process that guards PostgreSQL")?;
        let mut url = String::new();
        if let Some(stdout) = guard.stdout.take() {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        if url.is_empty() {
            guard.wait()?;
            bail!("PostgreSQL did not start; its own words are above");
        }
        Ok(Database {
            url: url.trim_end().to_owned(),
            guard: Some(guard),
        })
    }

    /// Sets `PADCLOCK_TEST_DATABASE_URL` for a command.
    pub fn hand_to(&self, command: &mut Command) {
        command.env(URL, &self.url);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(guard) = &mut self.guard {
            // Closing the pipe is the order to stop; a failure to wait leaves nothing more to be done.
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// `cargo xtask pg -- CMD…`: the command's exit code.
///
/// # Errors
/// When no command is given, or it or PostgreSQL does not start.
pub fn run_command(args: &[String]) -> Result<u8> {
    let words = args.strip_prefix(&["--".to_owned()]).unwrap_or(args);
    let Some((program, rest)) = words.split_first() else {
        bail!("say what to run: cargo xtask pg -- CMD [ARGS…]");
    };
    let database = Database::at_hand()?;
    let mut command = Command::new(program);
    command.args(rest);
    database.hand_to(&mut command);
    exit_code(&mut command)
}

/// The guard's whole life: start, say the URL, wait for the end of standard input, stop and remove.
///
/// # Errors
/// When the cluster does not start.
pub fn guard(args: &[String]) -> Result<u8> {
    let [folder] = args else {
        bail!("{GUARD} is for xtask itself: see `cargo xtask pg`");
    };
    let cluster = Cluster::start(&Programs::in_folder(folder))?;
    println!("{}", cluster.url());
    let mut rest = Vec::new();
    // An error on the pipe means what its end means.
    let _ = std::io::stdin().read_to_end(&mut rest);
    drop(cluster);
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pg_wants_a_command() {
        let error = run_command(&["--".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("cargo xtask pg -- CMD"), "{error}");
    }

    #[test]
    fn the_guard_is_not_for_people() {
        assert!(
            guard(&[])
                .unwrap_err()
                .to_string()
                .contains("cargo xtask pg")
        );
    }
}
