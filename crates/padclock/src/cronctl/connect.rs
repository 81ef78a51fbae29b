//! Which server is spoken to, and with which token.

use std::fs::File;
use std::path::{Path, PathBuf};

use padclock_api::client::{BaseUrl, Client};
use padclock_vault::Value;

use super::failure::{Failure, system_words};
use super::keyboard::read_at_most;
use super::output::Output;
use super::profile::{self, Profile, Profiles};

const VARIABLE: &str = "CRONCTL_TOKEN";
/// Far beyond any token.
const LONGEST: usize = 4096;

/// The server when nobody names one.
const HERE: &str = "http://127.0.0.1:7464";

/// What the command line said about the server.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) url: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
}

impl Asked {
    pub(crate) fn profile_name(&self) -> &str {
        self.profile.as_deref().unwrap_or(profile::DEFAULT)
    }

    /// The profile that is meant: the one that was named must be there, the default one need not.
    fn profile(&self, profiles: &Profiles) -> Result<Option<Profile>, Failure> {
        let found = profiles.profiles.get(self.profile_name()).cloned();
        match (&found, &self.profile) {
            (None, Some(name)) => Err(Failure::NoToken(format!(
                "there is no profile {name}: cronctl login --profile {name}"
            ))),
            _ => Ok(found),
        }
    }

    /// The server that is meant, the profile's if there is one.
    pub(crate) fn base(&self) -> Result<BaseUrl, Failure> {
        let profiles = Profiles::read()?;
        let kept = profiles.profiles.get(self.profile_name());
        let url = match (&self.url, kept) {
            (Some(url), _) => url,
            (None, Some(kept)) => &kept.url,
            (None, None) => HERE,
        };
        parsed(url)
    }
}

fn parsed(url: &str) -> Result<BaseUrl, Failure> {
    url.parse()
        .map_err(|bad| Failure::Usage(format!("the server's URL: {bad}")))
}

/// A client for the server that is meant, and where its token came from.
pub(crate) fn connect(asked: &Asked, output: &mut Output) -> Result<(Client, String), Failure> {
    let given = asked.token_file.is_some() || std::env::var_os(VARIABLE).is_some();
    let profiles = if given && asked.url.is_some() {
        Profiles::default()
    } else {
        Profiles::read()?
    };
    let kept = if given && asked.profile.is_none() {
        None
    } else {
        asked.profile(&profiles)?
    };
    let base = match (&asked.url, &kept) {
        (Some(url), _) => parsed(url)?,
        (None, Some(kept)) => parsed(&kept.url)?,
        (None, None) => parsed(HERE)?,
    };
    let (token, from) = match (&asked.token_file, std::env::var_os(VARIABLE)) {
        (Some(path), _) => (from_file(path, output)?, path.display().to_string()),
        (None, Some(text)) => (Value::new(text.into_encoded_bytes()), VARIABLE.to_owned()),
        (None, None) => match kept {
            // A token goes to the server that it was made by, and to no other.
            Some(kept) if parsed(&kept.url)?.to_string() == base.to_string() => {
                let name = asked.profile_name();
                let token = profile::keep::get(profiles.folder(), name, kept.token)?;
                (token, format!("the profile {name}"))
            }
            Some(kept) if asked.profile.is_some() => {
                return Err(Failure::Usage(format!(
                    "the profile {} is for {}, not for {base}: leave one of the two out",
                    asked.profile_name(),
                    kept.url
                )));
            }
            _ => local(&base, output)?,
        },
    };
    if token.is_empty() {
        return Err(Failure::NoToken(format!("the token from {from} is empty")));
    }
    match Client::new(base, &token) {
        Ok(client) => Ok((client, from)),
        Err(padclock_api::client::ClientError::BadToken) => Err(Failure::NoToken(format!(
            "what came from {from} is no token: it has spaces, line ends or other characters that no token has"
        ))),
        Err(other) => Err(other.into()),
    }
}

/// The owner's token of the server on this machine.
fn local(base: &BaseUrl, output: &mut Output) -> Result<(Value, String), Failure> {
    let none = |why: &str| {
        Failure::NoToken(format!(
            "there is no token{why}: sign in with cronctl login, set {VARIABLE}, or name a file with --token-file"
        ))
    };
    if !base.is_loopback() {
        return Err(none(""));
    }
    let path = data_folder().ok_or_else(|| none(""))?.join("owner.token");
    let shown = path.display().to_string();
    match path.try_exists() {
        Ok(true) => Ok((from_file(&path, output)?, shown)),
        _ => Err(none(&format!(", and {shown} is not there"))),
    }
}

/// Where `padclock serve` keeps its data when it is not told otherwise.
fn data_folder() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let share = absolute("XDG_DATA_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    share.map(|share| share.join("padclock"))
}

fn from_file(path: &Path, output: &mut Output) -> Result<Value, Failure> {
    let failed = |error: std::io::Error| {
        Failure::NoToken(format!(
            "the token can't be read from {}: {}",
            path.display(),
            system_words(&error)
        ))
    };
    let mut file = File::open(path).map_err(failed)?;
    if is_open_to_others(&file) {
        output.warning(&format!(
            "others can read {}; make it yours alone: chmod 600",
            path.display()
        ));
    }
    let mut bytes = read_at_most(&mut file, LONGEST).map_err(failed)?;
    let lead = bytes.len() - bytes.trim_ascii_start().len();
    bytes.drain(..lead);
    bytes.truncate(bytes.trim_ascii_end().len());
    Ok(Value::new(bytes))
}

#[cfg(unix)]
fn is_open_to_others(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata()
        .is_ok_and(|data| data.is_file() && data.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &File) -> bool {
    false
}
