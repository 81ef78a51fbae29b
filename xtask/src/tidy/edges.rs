//! The edges between crates, against the table in `ARCHITECTURE.md`: that table is the rule, not a picture of it.
//!
//! A crate may depend on the crates of its row. An external named in the last column belongs to the crates whose rows
//! name it. Development dependencies are free: a test may stand anywhere.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::Finding;
use super::tree::{File, Tree};

const DOCUMENT: &str = "ARCHITECTURE.md";
const HEADER: [&str; 4] = ["crate", "holds", "may depend on", "alone may use"];
const PREFIX: &str = "padclock-";

struct Row {
    name: String,
    line: usize,
    may: BTreeSet<String>,
    alone: BTreeSet<String>,
}

struct Manifest<'t> {
    file: &'t File,
    /// The folder's name: `crates/vault` is the crate `vault`.
    name: &'t str,
    dependencies: Vec<String>,
}

/// Edges that the table does not allow, and crates or rows without the other.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let rows = match rows(tree.file(DOCUMENT).and_then(File::text).unwrap_or_default()) {
        rows if rows.is_empty() => {
            return vec![Finding::new(
                DOCUMENT,
                1,
                format!(
                    "the crate table is missing; its header is: {}",
                    HEADER.join(" | ")
                ),
            )];
        }
        rows => rows,
    };
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for file in tree.files() {
        match manifest(file) {
            Some(Ok(manifest)) => {
                seen.insert(manifest.name);
                findings.extend(of_crate(&manifest, &rows));
            }
            Some(Err(finding)) => findings.push(finding),
            None => {}
        }
    }
    let stale = rows.iter().filter(|row| !seen.contains(row.name.as_str()));
    findings.extend(stale.map(|row| {
        Finding::new(
            DOCUMENT,
            row.line,
            format!("there is no crate {:?}: take its row away", row.name),
        )
    }));
    findings
}

fn of_crate(manifest: &Manifest<'_>, rows: &[Row]) -> Vec<Finding> {
    let Manifest {
        file,
        name,
        dependencies,
    } = manifest;
    let Some(own) = rows.iter().find(|row| row.name == *name) else {
        return vec![Finding::new(
            &file.path,
            1,
            format!("the crate {name:?} has no row in the table of {DOCUMENT}"),
        )];
    };
    let problem = |dependency: &String| {
        let message = match dependency.strip_prefix(PREFIX) {
            Some(ours) if !own.may.contains(ours) => {
                format!("{name} may not depend on {ours}: {}", list(&own.may))
            }
            Some(_) => return None,
            None => not_alone(name, dependency, rows)?,
        };
        Some(Finding::new(&file.path, line_of(file, dependency), message))
    };
    dependencies.iter().filter_map(problem).collect()
}

/// Why an external is not this crate's to use, if it belongs to others.
fn not_alone(name: &str, dependency: &str, rows: &[Row]) -> Option<String> {
    let owners: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.alone.contains(dependency))
        .map(|row| row.name.clone())
        .collect();
    if owners.is_empty() || owners.contains(name) {
        return None;
    }
    let owners: Vec<String> = owners.into_iter().collect();
    Some(format!(
        "{dependency} belongs to {}: ask there for what {name} needs",
        owners.join(", ")
    ))
}

fn list(may: &BTreeSet<String>) -> String {
    if may.is_empty() {
        return format!("the table in {DOCUMENT} allows it no crate of ours");
    }
    let names: Vec<&str> = may.iter().map(String::as_str).collect();
    format!("the table in {DOCUMENT} allows {}", names.join(", "))
}

fn line_of(file: &File, dependency: &str) -> usize {
    let mut lines = file.text().unwrap_or_default().lines().zip(1..);
    let starts = |text: &str| {
        text.strip_prefix(dependency)
            .is_some_and(|rest| rest.starts_with(['.', ' ', '=', ']']))
    };
    lines
        .find(|(text, _)| starts(text.trim_start()))
        .map_or(1, |(_, line)| line)
}

/// The manifest of a crate, if this file is one.
fn manifest(file: &File) -> Option<Result<Manifest<'_>, Finding>> {
    let name = file
        .path
        .strip_prefix("crates/")?
        .strip_suffix("/Cargo.toml")?;
    let table: Table = match file.text().unwrap_or_default().parse() {
        Ok(table) => table,
        Err(_) => return Some(Err(Finding::new(&file.path, 1, "this is not TOML"))),
    };
    let mut dependencies = names(&table);
    for target in tables(table.get("target")) {
        dependencies.extend(names(target));
    }
    Some(Ok(Manifest {
        file,
        name,
        dependencies,
    }))
}

/// The packages under `dependencies` and `build-dependencies`; a renamed one by its real name.
fn names(table: &Table) -> Vec<String> {
    let sections = ["dependencies", "build-dependencies"];
    let entries = sections
        .iter()
        .filter_map(|section| table.get(*section)?.as_table())
        .flatten();
    let real = |(key, value): (&String, &Value)| {
        value
            .get("package")
            .and_then(Value::as_str)
            .map_or_else(|| key.clone(), str::to_owned)
    };
    entries.map(real).collect()
}

fn tables(value: Option<&Value>) -> impl Iterator<Item = &Table> {
    let table = value.and_then(Value::as_table);
    table
        .into_iter()
        .flat_map(|table| table.values().filter_map(Value::as_table))
}

/// The rows of the table with the known header.
fn rows(document: &str) -> Vec<Row> {
    let mut lines = document
        .lines()
        .zip(1..)
        .skip_while(|(text, _)| cells(text) != HEADER)
        .skip(2);
    let mut rows = Vec::new();
    while let Some((text, line)) = lines.next()
        && let [name, _, may, alone] = cells(text).as_slice()
    {
        let name = ticked(name).into_iter().next().unwrap_or_default();
        rows.push(Row {
            name,
            line,
            may: ticked(may),
            alone: ticked(alone),
        });
    }
    rows
}

fn cells(line: &str) -> Vec<&str> {
    match line
        .trim()
        .strip_prefix('|')
        .and_then(|line| line.strip_suffix('|'))
    {
        Some(inner) => inner.split('|').map(str::trim).collect(),
        None => Vec::new(),
    }
}

/// The words between backticks.
fn ticked(cell: &str) -> BTreeSet<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
