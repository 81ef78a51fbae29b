//! Which server is spoken to, and with which token.

use std::fs::File;
use std::path::{Path, PathBuf};

use padclock_api::client::{BaseUrl, Client};
use padclock_vault::Value;

use super::failure::{Failure, system_words};
use super::keyboard::read_at_most;
use super::output::Output;

const VARIABLE: &str = "CRONCTL_TOKEN";
/// Far beyond any token.
const LONGEST: usize = 4096;

/// A client for the server at `url`, and where its token came from.
pub(crate) fn connect(
    url: &str,
    token_file: Option<&Path>,
    output: &mut Output,
) -> Result<(Client, String), Failure> {
    let base: BaseUrl = url
        .parse()
        .map_err(|bad| Failure::Usage(format!("the server's URL: {bad}")))?;
    let (token, from) = match (token_file, std::env::var_os(VARIABLE)) {
        (Some(path), _) => (from_file(path, output)?, path.display().to_string()),
        (None, Some(text)) => (Value::new(text.into_encoded_bytes()), VARIABLE.to_owned()),
        (None, None) => local(&base, output)?,
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
            "there is no token{why}: set {VARIABLE}, or name a file with --token-file"
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
