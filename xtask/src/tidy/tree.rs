//! The files of the tree, read once. Knows what is left out; judges nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::source::Source;

/// Folders and files that are not ours to write.
const LEFT_OUT: [&str; 4] = [".git", "target", "Cargo.lock", "node_modules"];

/// One file: its path from the root with `/`, and its bytes.
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
}

impl File {
    /// The text, or nothing for a binary file.
    pub fn text(&self) -> Option<&str> {
        if self.bytes.contains(&0) {
            return None;
        }
        std::str::from_utf8(&self.bytes).ok()
    }
}

/// All files, and the Rust sources among them as tokens.
pub struct Tree {
    files: Vec<File>,
    sources: Vec<Source>,
}

impl Tree {
    /// Reads the tree under a folder.
    pub fn read(root: &Path) -> Result<Tree> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Tree::of(files))
    }

    fn of(files: Vec<File>) -> Tree {
        let rust = || files.iter().filter(|file| file.path.ends_with(".rs"));
        let mut sources: Vec<Source> = rust().map(|file| Source::read(file, false)).collect();
        // A file may be a test only by the line that declares it, in another file.
        let modules: Vec<String> = sources.iter().flat_map(Source::test_modules).collect();
        for (source, file) in sources.iter_mut().zip(rust()) {
            if modules.iter().any(|module| is_module(&file.path, module)) {
                *source = Source::read(file, true);
            }
        }
        Tree { files, sources }
    }

    pub fn files(&self) -> &[File] {
        &self.files
    }

    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// A file by its path from the root.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// A tree made of literals, for tests of the checks.
    #[cfg(test)]
    pub fn made_of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        Tree::of(files.iter().map(file).collect())
    }
}

/// Is this the module's own file, or one below it?
fn is_module(path: &str, module: &str) -> bool {
    let rest = path.strip_prefix(module);
    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn walk(folder: &Path, prefix: &str, out: &mut Vec<File>) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let (path, kind) = (format!("{prefix}{name}"), entry.file_type()?);
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), out)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            out.push(File { path, bytes });
        }
    }
    Ok(())
}
