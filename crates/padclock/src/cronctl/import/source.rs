//! Where the text to import comes from, and what this machine says of its time.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use padclock_job::Moment;
use zeroize::Zeroizing;

use super::Import;
use crate::cronctl::failure::{Failure, system_words};
use crate::cronctl::keyboard::{Keyboard, read_at_most};

/// Far beyond any crontab.
const LARGEST: usize = 4 * 1024 * 1024;

/// The text, and what it is called in messages.
pub(super) fn text(
    args: &Import,
    keyboard: &mut dyn Keyboard,
) -> Result<(Zeroizing<String>, String), Failure> {
    let (from, read) = match &args.file {
        None => return Ok((crontab()?, "the crontab".to_owned())),
        Some(path) if path.as_os_str() == "-" => {
            ("standard input".to_owned(), keyboard.piped(LARGEST + 1))
        }
        Some(path) => {
            let read = File::open(path).and_then(|mut file| read_at_most(&mut file, LARGEST + 1));
            (path.display().to_string(), read)
        }
    };
    let bytes = Zeroizing::new(read.map_err(|error| Failure::unread(&from, &error))?);
    if bytes.len() > LARGEST {
        return Err(Failure::Usage(format!(
            "{from} has more than {LARGEST} bytes"
        )));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::Usage(format!("{from} is not UTF-8 text")))?;
    Ok((Zeroizing::new(text.to_owned()), from))
}

fn crontab() -> Result<Zeroizing<String>, Failure> {
    let output = Command::new("crontab")
        .arg("-l")
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| {
        Failure::Error(format!(
            "`crontab -l` can't be run: {}",
            system_words(&error)
        ))
    })?;
    let bytes = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(Failure::Error(
            "`crontab -l` failed: there may be no crontab of this user".to_owned(),
        ));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Failure::Error("the crontab is not UTF-8 text".to_owned()))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// The time by this machine's clock: schedules are checked from it.
pub(super) fn now() -> Moment {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Moment::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
}

/// This machine's time zone, which is that of its crontabs.
pub(super) fn zone() -> Option<String> {
    let named = |text: &str| {
        let name = text
            .rsplit_once("zoneinfo/")
            .map_or(text, |(_, name)| name)
            .trim_start_matches(':');
        let fits = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
        (!name.is_empty() && name.chars().all(fits) && !name.starts_with('/'))
            .then(|| name.to_owned())
    };
    let variable = std::env::var("TZ").ok().and_then(|text| named(&text));
    let link = || {
        std::fs::read_link("/etc/localtime")
            .ok()
            .and_then(|path| named(path.to_str()?))
    };
    variable.or_else(link)
}
