//! Where the root key comes from. It is never in the database, and there is no way to run without one.

use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use padclock_vault::{Randomness, RootKey, Value};

use crate::random::System;

/// One of the places a root key can be in (security contract, Keys).
pub enum RootKeySource {
    /// A file of 64 hex digits that someone provides.
    File(PathBuf),
    /// 64 hex digits, given directly.
    Hex(Value),
    /// A command that prints 64 hex digits.
    Command(String),
    /// A file that an embedded first start makes, and later starts read.
    Kept(PathBuf),
}

impl fmt::Debug for RootKeySource {
    /// A command may hold what it authenticates with, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Hex(value) => f.debug_tuple("Hex").field(value).finish(),
            Self::Command(_) => f.write_str("Command(..)"),
            Self::Kept(path) => f.debug_tuple("Kept").field(path).finish(),
        }
    }
}

/// What the environment of this process may hold and the command does not need.
const NOT_PASSED_ON: [&str; 4] = [
    "PADCLOCK_ROOT_KEY",
    "PADCLOCK_NEW_ROOT_KEY",
    "PADCLOCK_BOOTSTRAP_TOKEN",
    "PADCLOCK_DATABASE_URL",
];

/// The root key can't be had.
#[derive(Debug, thiserror::Error)]
pub enum RootKeyError {
    /// Its file can't be read.
    #[error("the root key file {} can't be read: {why}", path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        why: std::io::Error,
    },
    /// Its file can't be made.
    #[error("the root key file {} can't be written: {why}", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        why: std::io::Error,
    },
    /// What is there is no root key.
    #[error("{place} holds no root key: it must be 64 hex digits")]
    Malformed {
        /// Which of the sources.
        place: String,
    },
    /// The command did not do its work.
    #[error("PADCLOCK_ROOT_KEY_COMMAND failed: {0}")]
    Command(String),
    /// There is none, and none may be made.
    #[error(
        "no root key: with an external database give one by --root-key-file, PADCLOCK_ROOT_KEY_FILE, a systemd credential, PADCLOCK_ROOT_KEY or PADCLOCK_ROOT_KEY_COMMAND"
    )]
    NotGiven,
    /// The database was sealed by a key that is no longer there.
    #[error("the database in use was sealed by a root key, and {} is missing: put it back from your backup", path.display())]
    Missing {
        /// Where it was expected.
        path: PathBuf,
    },
}

impl RootKeySource {
    /// The root key. `first_start` tells that the database holds no keys yet, `embedded` that it is this folder's own:
    /// only both together let a kept key be made; then the answer's second part is its path.
    pub(crate) fn load(
        &self,
        first_start: bool,
        embedded: bool,
        rng: &mut impl Randomness,
    ) -> Result<(RootKey, Option<PathBuf>), RootKeyError> {
        match self {
            Self::File(path) => Ok((read(path)?, None)),
            Self::Hex(text) => Ok((parse(text, "PADCLOCK_ROOT_KEY")?, None)),
            Self::Command(command) => Ok((run(command)?, None)),
            Self::Kept(path) if path.exists() => Ok((read(path)?, None)),
            Self::Kept(_) if !embedded => Err(RootKeyError::NotGiven),
            Self::Kept(path) if first_start => {
                let key = RootKey::generate(rng);
                write(path, &key)?;
                Ok((key, Some(path.clone())))
            }
            Self::Kept(path) => Err(RootKeyError::Missing { path: path.clone() }),
        }
    }
}

/// Makes a root key in this file, unless there is one.
pub(crate) fn generate(path: &Path) -> Result<(), RootKeyError> {
    if path.exists() {
        return read(path).map(drop);
    }
    write(path, &RootKey::generate(&mut System::default()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the digits of a root key are read to make the key of them"
)]
fn parse(text: &Value, place: &str) -> Result<RootKey, RootKeyError> {
    let malformed = || RootKeyError::Malformed {
        place: place.to_owned(),
    };
    let text = std::str::from_utf8(text.expose()).map_err(|_| malformed())?;
    RootKey::parse_hex(text).map_err(|_| malformed())
}

fn read(path: &Path) -> Result<RootKey, RootKeyError> {
    let unread = |why| RootKeyError::Unread {
        path: path.to_owned(),
        why,
    };
    let mut text = Vec::with_capacity(128);
    // A key file is 65 bytes; anything much longer is something else.
    File::open(path)
        .map_err(unread)?
        .take(4_096)
        .read_to_end(&mut text)
        .map_err(unread)?;
    warn_if_readable_by_others(path);
    parse(&Value::new(text), &path.display().to_string())
}

fn warn_if_readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "the root key file can be read by others: chmod 600 it");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the digits of a new root key are written to its file, mode 0600"
)]
fn write(path: &Path, key: &RootKey) -> Result<(), RootKeyError> {
    use std::os::unix::fs::OpenOptionsExt;
    let unwritten = |why| RootKeyError::Unwritten {
        path: path.to_owned(),
        why,
    };
    // Written whole beside, then given its name, so that a crash leaves a whole key or none; an existing one is never replaced.
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(unwritten)?;
    file.write_all(key.to_hex().expose())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::hard_link(&beside, path))
        .and_then(|()| std::fs::remove_file(&beside))
        .and_then(|()| {
            path.parent()
                .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        })
        .map_err(unwritten)
}

/// The shell that is to print the key, without this process's own secrets in its environment.
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    for name in NOT_PASSED_ON {
        shell.env_remove(name);
    }
    shell
}

fn run(command: &str) -> Result<RootKey, RootKeyError> {
    let output = shell(command).output();
    let output = output.map_err(|why| RootKeyError::Command(why.to_string()))?;
    let text = Value::new(output.stdout);
    if !output.status.success() {
        return Err(RootKeyError::Command(output.status.to_string()));
    }
    parse(&text, "the output of PADCLOCK_ROOT_KEY_COMMAND")
}

#[cfg(test)]
mod tests;
