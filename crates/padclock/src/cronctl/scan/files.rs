//! Files and folders: which are read, and what was found in them.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use padclock_scan::{Finding, scan_text};
use serde_json::{Value, json};

use super::counted;
use crate::cronctl::failure::{Failure, system_words};

/// A file that is larger is no source and no configuration.
const LARGEST: u64 = 5 * 1024 * 1024;
/// A zero byte among so many first ones: not text.
const HEAD: usize = 8 * 1024;
/// Folders of what is fetched, built, or kept by tools.
const LEFT_OUT: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "target",
    "node_modules",
    "__pycache__",
    ".venv",
    "venv",
    ".tox",
];

/// What was found in files.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The file's name and what is in it.
    pub(super) items: Vec<(String, Finding)>,
    /// What could not be read, told for people.
    pub(super) unread: Vec<String>,
    files: usize,
    binary: usize,
    large: usize,
}

impl Found {
    /// Looks through one text.
    pub(super) fn look_through(&mut self, name: &str, text: &str) {
        self.files += 1;
        let findings = scan_text(text).into_iter();
        self.items
            .extend(findings.map(|finding| (name.to_owned(), finding)));
    }

    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let row = |(name, finding): &(String, Finding)| {
            vec![
                format!("{name}:{}:{}", finding.line, finding.column),
                finding.rule.to_owned(),
                finding.title.to_owned(),
                finding.suggested_name.clone(),
            ]
        };
        self.items.iter().map(row).collect()
    }

    pub(super) fn json(&self) -> Value {
        let item = |(name, finding): &(String, Finding)| {
            json!({
                "file": name, "line": finding.line, "column": finding.column, "rule": finding.rule, "title": finding.title,
                "suggested_name": finding.suggested_name,
            })
        };
        json!({
            "items": self.items.iter().map(item).collect::<Vec<_>>(),
            "files": self.files,
            "skipped": { "binary": self.binary, "too_large": self.large, "unreadable": self.unread.len() },
        })
    }

    pub(super) fn summary(&self) -> String {
        let mut text = match self.items.len() {
            0 => format!(
                "No credential stands in plain text; {} searched.",
                files(self.files)
            ),
            count => format!("{}; {} searched.", counted(count), files(self.files)),
        };
        let skipped = [
            (self.binary, "not text"),
            (self.large, "over 5 MB"),
            (self.unread.len(), "not readable"),
        ];
        let told: Vec<String> = skipped
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, why)| format!("{count} {why}"))
            .collect();
        if !told.is_empty() {
            text.push_str(&format!(" Skipped: {}.", told.join(", ")));
        }
        text
    }

    fn file(&mut self, path: &Path) -> io::Result<()> {
        let file = fs::File::open(path)?;
        if file.metadata()?.len() > LARGEST {
            self.large += 1;
            return Ok(());
        }
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        if bytes[..bytes.len().min(HEAD)].contains(&0) {
            self.binary += 1;
            return Ok(());
        }
        self.look_through(
            &path.display().to_string(),
            &String::from_utf8_lossy(&bytes),
        );
        Ok(())
    }

    /// What is below a folder, by name; links are not followed.
    fn folder(&mut self, path: &Path) -> io::Result<()> {
        let mut entries: Vec<fs::DirEntry> = fs::read_dir(path)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let (kind, path) = (entry.file_type()?, entry.path());
            let left_out = LEFT_OUT.iter().any(|name| entry.file_name() == *name);
            if kind.is_dir() && !left_out {
                self.attempt(&path, Self::folder);
            } else if kind.is_file() {
                self.attempt(&path, Self::file);
            }
        }
        Ok(())
    }

    fn attempt(&mut self, path: &Path, look: fn(&mut Self, &Path) -> io::Result<()>) {
        if let Err(error) = look(self, path) {
            self.unread.push(format!(
                "{} can't be read: {}",
                path.display(),
                system_words(&error)
            ));
        }
    }
}

fn files(count: usize) -> String {
    if count == 1 {
        "1 file".to_owned()
    } else {
        format!("{count} files")
    }
}

/// Looks through files, and folders with all that is below them. What is named must be there.
pub(super) fn look(paths: &[PathBuf]) -> Result<Found, Failure> {
    let mut found = Found::default();
    for path in paths {
        let unread = |error| Failure::unread(&path.display().to_string(), &error);
        let is_folder = fs::metadata(path).map_err(unread)?.is_dir();
        let looked = if is_folder {
            found.folder(path)
        } else {
            found.file(path)
        };
        looked.map_err(unread)?;
    }
    Ok(found)
}
