//! What must not stand in any file: the paths of one machine, and what a merge left behind.

use super::Finding;
use super::tree::File;

/// Written in two halves, for this file is checked too.
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];
const MERGE_MARKS: [&str; 3] = [
    concat!("<<<<", "<<< "),
    concat!("||||", "||| "),
    concat!(">>>>", ">>> "),
];

/// Checks each line of a text file.
pub fn check(file: &File) -> Vec<Finding> {
    let lines = file.text().unwrap_or_default().lines().zip(1..);
    lines
        .flat_map(|(text, line)| line_findings(&file.path, text, line))
        .collect()
}

fn line_findings(path: &str, text: &str, line: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    if MERGE_MARKS.iter().any(|mark| text.starts_with(mark)) {
        findings.push(Finding::new(
            path,
            line,
            "a mark of a merge: decide between the two sides",
        ));
    }
    for folder in MACHINE_PATHS {
        if text
            .match_indices(folder)
            .any(|(at, _)| begins_a_path(text, at))
        {
            let message = format!(
                "{folder} is a path of one machine: write it from the project's folder, or take it from the environment"
            );
            findings.push(Finding::new(path, line, message));
        }
    }
    findings
}

/// A path begins where nothing of a longer one (or of a URL) goes before.
fn begins_a_path(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|head| head.chars().next_back());
    !before.is_some_and(|c| c.is_alphanumeric() || ['.', '-', '_', '~', '}', '/'].contains(&c))
}
