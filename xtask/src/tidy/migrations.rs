//! A migration that has landed is never changed: each file's SHA-256 stands in `CHECKSUMS` beside it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::Finding;
use super::tree::{File, Tree};

const FOLDER: &str = "crates/store/migrations/";
const LIST: &str = "crates/store/migrations/CHECKSUMS";

/// Files that differ from their sum, are missing from the list, or from the folder. No folder, no findings.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let in_folder = tree
        .files()
        .iter()
        .filter(|file| file.path.starts_with(FOLDER) && file.path != LIST);
    let mut files: BTreeMap<&str, &File> = in_folder
        .map(|file| (&file.path[FOLDER.len()..], file))
        .collect();
    let list = tree.file(LIST).and_then(File::text).unwrap_or_default();
    let mut findings = Vec::new();
    for (entry, line) in list.lines().zip(1..) {
        findings.extend(entry_finding(entry, line, &mut files));
    }
    findings.extend(files.values().map(|file| unlisted(file)));
    findings
}

/// Checks one `SUM  NAME` line, and takes the named file out of those still to be listed.
fn entry_finding(entry: &str, line: usize, files: &mut BTreeMap<&str, &File>) -> Option<Finding> {
    let Some((sum, name)) = entry.split_once("  ") else {
        return Some(Finding::new(
            LIST,
            line,
            "not `SHA-256, two spaces, file name`, as sha256sum prints it",
        ));
    };
    let Some(file) = files.remove(name) else {
        return Some(Finding::new(
            LIST,
            line,
            format!(
                "{name} is not in the folder (or listed twice): a migration that has landed stays"
            ),
        ));
    };
    let changed = "this migration has landed and may not change: restore it, and write the change as a new migration";
    (sha256(&file.bytes) != sum).then(|| Finding::new(&file.path, 1, changed))
}

fn unlisted(file: &File) -> Finding {
    let (sum, name) = (sha256(&file.bytes), &file.path[FOLDER.len()..]);
    Finding::new(
        &file.path,
        1,
        format!("not in {LIST}; once it is final, add the line: {sum}  {name}"),
    )
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
