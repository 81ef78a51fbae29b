//! A new token or link on its way to who asked for it: printed this once, or into a file that only its owner can read. The
//! bytes are read here for nothing else.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use padclock_vault::Value;
use serde::ser::{Serialize, SerializeMap, Serializer};
use zeroize::Zeroizing;

use super::failure::{Failure, system_words};
use super::output::Output;

/// Where it goes.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// Write it to this file, which only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A place that was proved before the credential is made: what is made and can't be handed over would be lost.
pub(crate) enum Place {
    Printed,
    File(Pending),
}

/// A file that is not there yet; what was begun beside it is gone when this is dropped.
pub(crate) struct Pending {
    path: PathBuf,
    beside: PathBuf,
    file: File,
}

impl Drop for Pending {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.beside);
    }
}

/// What is handed over.
pub(crate) struct Handed<'a> {
    /// The answer's field that held it.
    pub(crate) field: &'static str,
    pub(crate) credential: &'a Value,
    /// What is known of it, as it was answered.
    pub(crate) known: &'a serde_json::Value,
    /// What it is, for people: `The token ci (tok_…)`.
    pub(crate) what: String,
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::Error(format!(
        "{} can't be written: {}",
        path.display(),
        system_words(error)
    ))
}

impl Out {
    /// Makes sure that a file can be written there, before anything is asked of the server.
    pub(crate) fn prepare(&self) -> Result<Place, Failure> {
        let Some(path) = &self.out else {
            return Ok(Place::Printed);
        };
        let Some(name) = path.file_name().filter(|_| !path.is_dir()) else {
            let why = format!("{} is a folder; name a file in it", path.display());
            return Err(Failure::Usage(why));
        };
        let name = format!(".{}.{}.new", name.to_string_lossy(), std::process::id());
        let beside = path.with_file_name(name);
        let file = File::options()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&beside)
            .map_err(|error| unwritten(path, &error))?;
        Ok(Place::File(Pending {
            path: path.clone(),
            beside,
            file,
        }))
    }
}

impl Pending {
    /// Writes it whole; a file that was there before is replaced only then.
    fn keep(mut self, text: &str) -> Result<PathBuf, Failure> {
        let line = Zeroizing::new(format!("{text}\n"));
        self.file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::rename(&self.beside, &self.path))
            .map_err(|error| unwritten(&self.path, &error))?;
        Ok(self.path.clone())
    }
}

/// The known fields, with the credential behind them.
struct Whole<'a> {
    known: &'a serde_json::Value,
    field: &'static str,
    text: &'a str,
}

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, part) in self.known.as_object().into_iter().flatten() {
            map.serialize_entry(name, part)?;
        }
        map.serialize_entry(self.field, self.text)?;
        map.end()
    }
}

/// Prints it or writes its file, and says which.
pub(crate) fn hand_over(
    place: Place,
    handed: &Handed<'_>,
    output: &mut Output,
) -> Result<(), Failure> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a new credential is printed or written for who asked for it, this once"
    )]
    let bytes = handed.credential.expose();
    let unreadable =
        || Failure::Error("what was answered is neither a token nor a link".to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
    // It is a line of its own for whoever reads it: what has spaces or control characters is none.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(unreadable());
    }
    let what = &handed.what;
    if let Place::File(pending) = place {
        let path = pending.keep(text)?;
        output.note(&format!(
            "{what} is written to {}, which only you can read.",
            path.display()
        ));
        return match output.look.json {
            true => output.json(handed.known),
            false => Ok(()),
        };
    }
    if output.look.json {
        let known = handed.known.to_string().len();
        // It does not grow: growing would leave a copy behind that is not wiped.
        let mut json = Zeroizing::new(Vec::with_capacity(4 * known + 2 * text.len() + 1_024));
        let whole = Whole {
            known: handed.known,
            field: handed.field,
            text,
        };
        serde_json::to_writer_pretty(&mut *json, &whole).map_err(|_| unreadable())?;
        json.push(b'\n');
        output.bytes(&json)?;
    } else {
        output.text(&Zeroizing::new(format!("{text}\n")))?;
    }
    output.note(&format!("{what} is shown this once."));
    Ok(())
}
