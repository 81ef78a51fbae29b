//! Where PostgreSQL's server programs are. Looks only; installs nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest major version that Padclock's SQL is written for.
pub const OLDEST: u32 = 14;
const DEBIAN: &str = "/usr/lib/postgresql";

/// The folder that holds `initdb` and `postgres`.
pub struct Programs(PathBuf);

impl Programs {
    /// The folder in `PADCLOCK_PG_BIN`, else the newest of Debian's folders, else the one on the path;
    /// none that is older than [`OLDEST`].
    pub fn find() -> Option<Programs> {
        if let Some(folder) = std::env::var_os("PADCLOCK_PG_BIN") {
            return Some(Programs(folder.into()));
        }
        newest(Path::new(DEBIAN)).or_else(on_path).map(Programs)
    }

    /// The programs of a folder that `find` answered earlier.
    pub fn in_folder(folder: &str) -> Programs {
        Programs(folder.into())
    }

    /// The folder itself.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// A program of the folder, by name.
    pub fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// `BASE/15/bin` and its like: the one with the greatest number that is whole and new enough.
fn newest(base: &Path) -> Option<PathBuf> {
    std::fs::read_dir(base)
        .ok()?
        .flatten()
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .filter(|(version, folder)| *version >= OLDEST && whole(folder))
        .max()
        .map(|(_, folder)| folder)
}

fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).find(|folder| whole(folder) && version(folder) >= Some(OLDEST))
}

fn whole(folder: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|program| folder.join(program).is_file())
}

fn version(folder: &Path) -> Option<u32> {
    let out = Command::new(folder.join("postgres"))
        .arg("--version")
        .output()
        .ok()?;
    major(&String::from_utf8_lossy(&out.stdout))
}

/// The major version in `postgres (PostgreSQL) 16.4 (Debian …)`.
fn major(text: &str) -> Option<u32> {
    let number = text.split_whitespace().nth(2)?;
    number
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(
            major("postgres (PostgreSQL) 16.4 (Debian 16.4-1)"),
            Some(16)
        );
        assert_eq!(major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn the_newest_whole_version_wins_and_old_ones_do_not_count() {
        let base = std::env::temp_dir().join(format!("padclock-programs-{}", std::process::id()));
        for (version, programs) in [("9.6", 2), ("13", 2), ("14", 2), ("15", 2), ("16", 1)] {
            let bin = base.join(version).join("bin");
            std::fs::create_dir_all(&bin).unwrap();
            for program in &["initdb", "postgres"][..programs] {
                std::fs::write(bin.join(program), "").unwrap();
            }
        }
        let found = newest(&base);
        std::fs::remove_dir_all(base.join("14")).unwrap();
        std::fs::remove_dir_all(base.join("15")).unwrap();
        let none = newest(&base);
        std::fs::remove_dir_all(&base).unwrap();
        assert_eq!(found, Some(base.join("15/bin")));
        assert_eq!(none, None);
    }
}
