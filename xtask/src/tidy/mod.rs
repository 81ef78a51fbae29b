//! `cargo xtask tidy`: the style of the tree, checked. Each finding names file and line, and what to use instead.
//!
//! Each check is a function from the tree (or one file) to findings, in a file of its own; nothing here changes a file.

mod bans;
mod edges;
mod migrations;
mod names;
mod shape;
mod source;
mod sql;
mod text;
mod tree;

use std::path::Path;

use tree::Tree;

/// Something to be mended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    line: usize,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Checks the tree and prints what it finds; 0 when there is nothing to mend, 1 otherwise.
pub fn run(root: &Path) -> u8 {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("tidy: cannot read the tree: {error:#}");
            return 1;
        }
    };
    let findings = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    print!("{}", shape::report(&tree));
    match findings.len() {
        0 => 0,
        count => {
            println!("tidy: {count} to mend");
            1
        }
    }
}

/// All findings, in the order of the files.
fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = [
        edges::check(tree),
        migrations::check(tree),
        shape::check(tree),
    ]
    .concat();
    for file in tree.files() {
        findings.extend(text::check(file));
        findings.extend(names::check(file));
    }
    for source in tree.sources() {
        findings.extend(bans::check(source));
        findings.extend(sql::check(source));
    }
    findings.sort();
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests;
