//! Profiles: servers by name, and which of them is meant when none is named. Their tokens are in `keep`, not here.

pub(crate) mod keep;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::failure::{Failure, system_words};

/// The profile that is used when none is named.
pub(crate) const DEFAULT: &str = "default";

/// Where a profile's token is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// In the system's keyring.
    Keyring,
    /// In a file beside the profiles, mode 0600.
    File,
}

/// One server, as somebody who has signed in to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The server.
    pub(crate) url: String,
    /// Where its token is.
    pub(crate) token: Kept,
}

/// `cronctl.toml`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
    #[serde(skip)]
    folder: PathBuf,
}

/// `$XDG_CONFIG_HOME/padclock`.
fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base =
        absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")));
    base.map(|base| base.join("padclock"))
}

fn broken(path: &Path, why: &str) -> Failure {
    Failure::Error(format!("{}: {why}", path.display()))
}

impl Profiles {
    /// The profiles of this user; none when there is no file.
    pub(crate) fn read() -> Result<Self, Failure> {
        let Some(folder) = folder() else {
            return Ok(Self::default());
        };
        let path = folder.join("cronctl.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(broken(&path, &system_words(&error))),
        };
        let mut read: Self = toml::from_str(&text).map_err(|error| {
            broken(
                &path,
                &format!("not a file of profiles: {}", error.message()),
            )
        })?;
        read.folder = folder;
        Ok(read)
    }

    /// Where tokens are kept that are in no keyring.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes them whole or not at all.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        if self.folder.as_os_str().is_empty() {
            let why = "there is no folder for profiles: set HOME or XDG_CONFIG_HOME";
            return Err(Failure::Error(why.to_owned()));
        }
        let path = self.folder.join("cronctl.toml");
        let text = toml::to_string(self).map_err(|error| broken(&path, &error.to_string()))?;
        private(&self.folder, "cronctl.toml", text.as_bytes())
            .map_err(|error| broken(&path, &system_words(&error)))
    }
}

/// Writes a file that only its owner can read, in a folder of the same kind, whole or not at all.
fn private(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let beside = folder.join(format!("{name}.new"));
    let _ = std::fs::remove_file(&beside);
    let mut file = std::fs::File::options()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, folder.join(name))
}

/// A profile's name, as it stands in file names.
pub(crate) fn checked(name: &str) -> Result<&str, Failure> {
    let good = (1..=64).contains(&name.len())
        && !name.starts_with(['.', '_', '-'])
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    good.then_some(name).ok_or_else(|| {
        Failure::Usage(
            "a profile's name is 1 to 64 of the characters A-Z a-z 0-9 . _ - and begins with none of . _ -"
                .to_owned(),
        )
    })
}
