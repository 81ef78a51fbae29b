//! Where tokens are kept between two commands: the system's keyring where there is one, else a file that only its owner
//! can read. The bytes of a token are read here for nothing else.

use std::path::Path;

use keyring::Entry;
use padclock_vault::Value;

use super::{Kept, private};
use crate::cronctl::failure::{Failure, system_words};
use crate::cronctl::keyboard::read_at_most;

const SERVICE: &str = "padclock";
/// Far beyond any token.
const LONGEST: usize = 4_096;

fn file_name(profile: &str) -> String {
    format!("{profile}.token")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a token is put where the next command finds it"
)]
fn bytes(token: &Value) -> &[u8] {
    token.expose()
}

/// The keyring speaks to its daemon on a runtime of its own, which a thread that drives another may not wait for.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| scope.spawn(work).join().ok())
}

fn into_keyring(profile: &str, token: &Value) -> bool {
    let put = || {
        let entry = Entry::new(SERVICE, profile)?;
        entry.set_secret(bytes(token))?;
        // Some keyrings take what they do not keep.
        entry.get_secret().map(Value::new)
    };
    let kept: Option<Result<Value, keyring::Error>> = apart(put);
    matches!(kept, Some(Ok(back)) if back == *token)
}

/// Keeps a token; tells where.
pub(crate) fn put(
    folder: &Path,
    profile: &str,
    token: &Value,
    may_use_keyring: bool,
) -> Result<Kept, Failure> {
    if may_use_keyring && into_keyring(profile, token) {
        return Ok(Kept::Keyring);
    }
    private(folder, &file_name(profile), bytes(token)).map_err(|error| {
        Failure::Error(format!(
            "the token can't be kept in {}: {}",
            folder.display(),
            system_words(&error)
        ))
    })?;
    Ok(Kept::File)
}

/// The token of a profile.
pub(crate) fn get(folder: &Path, profile: &str, kept: Kept) -> Result<Value, Failure> {
    let missing = |why: String| {
        Failure::NoToken(format!(
            "the token of the profile {profile} {why}: cronctl login --profile {profile}"
        ))
    };
    match kept {
        Kept::File => {
            let path = folder.join(file_name(profile));
            let read =
                std::fs::File::open(&path).and_then(|mut file| read_at_most(&mut file, LONGEST));
            let bytes = read.map_err(|error| {
                missing(format!(
                    "can't be read from {}: {}",
                    path.display(),
                    system_words(&error)
                ))
            })?;
            Ok(Value::new(bytes))
        }
        Kept::Keyring => {
            let got = apart(|| Entry::new(SERVICE, profile).and_then(|entry| entry.get_secret()));
            match got {
                Some(Ok(bytes)) => Ok(Value::new(bytes)),
                Some(Err(keyring::Error::NoEntry)) => {
                    Err(missing("is not in the keyring".to_owned()))
                }
                _ => Err(missing("can't be had from the keyring".to_owned())),
            }
        }
    }
}

/// Forgets the token of a profile.
pub(crate) fn remove(folder: &Path, profile: &str, kept: Kept) {
    match kept {
        Kept::File => drop(std::fs::remove_file(folder.join(file_name(profile)))),
        Kept::Keyring => drop(apart(|| {
            Entry::new(SERVICE, profile).and_then(|entry| entry.delete_credential())
        })),
    }
}
