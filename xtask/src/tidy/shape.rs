//! The sizes of files and functions, and how a file opens.

use std::fmt::Write as _;

use super::Finding;
use super::source::{Function, Source};
use super::tree::Tree;

const FILE_LIMIT: usize = 800;
const FILE_AIM: usize = 400;
const FUNCTION_LIMIT: usize = 150;
const FUNCTION_AIM: usize = 70;
/// Of a hundred functions, how many may be longer than the aim.
const LONG_PER_HUNDRED: usize = 1;

/// Files that do not open as they should or are too long, functions that are too long, too many long ones.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree.sources().iter().flat_map(of_file).collect();
    findings.extend(too_many_long(tree));
    findings
}

fn of_file(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |line, message: String| findings.push(Finding::new(&source.path, line, message));
    if let Some(line) = source.broken {
        say(
            line,
            "this is not Rust that can be read: mend the brackets or quotes".to_owned(),
        );
    }
    if !source.text.starts_with("//!") {
        say(
            1,
            "open the file with `//!`: what lives here, and what must not".to_owned(),
        );
    }
    let lines = source.text.lines().count();
    if lines > FILE_LIMIT {
        say(
            FILE_LIMIT,
            format!("{lines} lines; the limit is {FILE_LIMIT}: split it by question"),
        );
    }
    for function in source
        .functions
        .iter()
        .filter(|function| function.lines > FUNCTION_LIMIT)
    {
        let Function {
            name, line, lines, ..
        } = function;
        say(
            *line,
            format!(
                "`{name}` has {lines} lines; the limit is {FUNCTION_LIMIT}: give its parts names"
            ),
        );
    }
    findings
}

/// Tests aside: a table of cases is long by nature.
fn too_many_long(tree: &Tree) -> Vec<Finding> {
    let all = functions(tree);
    let long: Vec<_> = all
        .iter()
        .filter(|(_, function)| function.lines > FUNCTION_AIM)
        .collect();
    if long.len() * 100 <= all.len() * LONG_PER_HUNDRED {
        return Vec::new();
    }
    let say = |(source, function): &&(&Source, &Function)| {
        let message = format!(
            "`{}` has {} lines, and {} of {} functions have more than {FUNCTION_AIM} ({LONG_PER_HUNDRED} % may): give its parts names",
            function.name,
            function.lines,
            long.len(),
            all.len()
        );
        Finding::new(&source.path, function.line, message)
    };
    long.iter().map(say).collect()
}

fn functions(tree: &Tree) -> Vec<(&Source, &Function)> {
    let all = tree.sources().iter();
    let pairs = all.flat_map(|source| {
        source
            .functions
            .iter()
            .map(move |function| (source, function))
    });
    pairs.filter(|(_, function)| !function.test).collect()
}

/// The sizes in a few lines, with the files that are longer than they should be. It fails nothing.
pub fn report(tree: &Tree) -> String {
    let mut out = String::new();
    let size = |source: &Source| source.text.lines().count();
    let files: Vec<usize> = tree.sources().iter().map(size).collect();
    let lengths: Vec<usize> = functions(tree)
        .iter()
        .map(|(_, function)| function.lines)
        .collect();
    let long = lengths
        .iter()
        .filter(|lines| **lines > FUNCTION_AIM)
        .count();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "tidy: {} Rust files, median {} lines; {} functions outside tests, median {} lines, {long} over {FUNCTION_AIM}",
        files.len(),
        median(&files),
        lengths.len(),
        median(&lengths)
    );
    for source in tree
        .sources()
        .iter()
        .filter(|source| size(source) > FILE_AIM)
    {
        let _ = writeln!(
            out,
            "tidy: {}: {} lines (aim: {FILE_AIM})",
            source.path,
            size(source)
        );
    }
    out
}

fn median(numbers: &[usize]) -> usize {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}
