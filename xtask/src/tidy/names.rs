//! Names that say nothing of what is inside.

use super::Finding;
use super::tree::File;

const EMPTY_NAMES: [&str; 8] = [
    "common", "util", "utils", "helper", "helpers", "manager", "managers", "misc",
];

/// Rust files and their folders that carry such a name.
pub fn check(file: &File) -> Vec<Finding> {
    let Some(path) = file.path.strip_suffix(".rs") else {
        return Vec::new();
    };
    let empty = path.split('/').find(|part| EMPTY_NAMES.contains(part));
    let say = |name| {
        Finding::new(
            &file.path,
            1,
            format!("{name:?} says nothing: name the file after the question it answers"),
        )
    };
    let mut findings: Vec<Finding> = empty.map(say).into_iter().collect();
    let lines = file.text().unwrap_or_default().lines().zip(1..);
    findings.extend(lines.filter_map(|(text, line)| {
        let name = inline_module(text).filter(|name| EMPTY_NAMES.contains(name))?;
        Some(Finding::new(
            &file.path,
            line,
            format!("module {name:?} says nothing: name it after what it does"),
        ))
    }));
    findings
}

/// `mod NAME {` or `mod NAME;`, whatever its visibility.
fn inline_module(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let rest = match line.split_once("mod ") {
        Some(("", rest)) => rest,
        Some((before, rest)) if before.starts_with("pub") => rest,
        _ => return None,
    };
    rest.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
}
