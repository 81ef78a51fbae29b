//! The folder of the demonstration's node: new, private, and gone at the end.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::value::random_text;

/// A folder that is removed when this is dropped.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("padclock-demo-{}", random_text(6)?));
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("{} can't be made", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Every file in it, with its bytes.
    pub(super) fn files(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes =
                    fs::read(&path).with_context(|| format!("{} can't be read", path.display()))?;
                files.push((
                    path.strip_prefix(&self.0)
                        .unwrap_or(&path)
                        .display()
                        .to_string(),
                    bytes,
                ));
            }
        }
        files.sort();
        Ok(files)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // There is no one left to tell; the system clears its temporary folder some day.
        let _ = fs::remove_dir_all(&self.0);
    }
}
