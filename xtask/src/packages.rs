//! What the tests need from the operating system, installed with apt where it is missing. Nothing else here may change the machine.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::pg;
use crate::steps::exit_code;

/// Debian's postgresql package starts a server of its own; a file in this folder, there during the installation only, keeps it from that.
const INSTALL: &str = r#"
set -eu
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 update
folder=/etc/postgresql-common/createcluster.d
mkdir -p "$folder"
trap 'rm -f "$folder/padclock-tests.conf"' EXIT
echo "create_main_cluster = false" > "$folder/padclock-tests.conf"
apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends postgresql
"#;

/// A PostgreSQL server's programs are on this machine when this returns.
///
/// # Errors
/// When they are missing and cannot be installed; the message says what to do by hand.
pub fn ensure_postgres() -> Result<pg::Programs> {
    if let Some(programs) = pg::Programs::find() {
        return Ok(programs);
    }
    println!(
        "PostgreSQL {} or newer is missing: installing the package postgresql",
        pg::OLDEST
    );
    if !on_path("apt-get") {
        bail!("{}", by_hand("there is no apt-get on this machine"));
    }
    if exit_code(&mut as_root(&["sh", "-c", INSTALL])?)? != 0 {
        bail!(
            "{}",
            by_hand("apt-get could not install the package postgresql")
        );
    }
    match pg::Programs::find() {
        Some(programs) => Ok(programs),
        None => bail!(
            "{}",
            by_hand("the package postgresql of this distribution is too old")
        ),
    }
}

fn as_root(command: &[&str]) -> Result<Command> {
    let words: Vec<&str> = if rustix::process::geteuid().is_root() {
        command.to_vec()
    } else if on_path("sudo") {
        [&["sudo"], command].concat()
    } else {
        bail!("{}", by_hand("installing needs root, and there is no sudo"));
    };
    let mut built = Command::new(words[0]);
    built.args(&words[1..]);
    Ok(built)
}

fn by_hand(why: &str) -> String {
    format!(
        "{why}. Install PostgreSQL {oldest} or newer (its server programs initdb and postgres) and run this again, \
         with PADCLOCK_PG_BIN naming their folder if it is an unusual one; or set PADCLOCK_TEST_DATABASE_URL to a \
         PostgreSQL {oldest} or newer that the tests may make databases in",
        oldest = pg::OLDEST
    )
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_names_both_ways_out() {
        let text = by_hand("there is no apt-get on this machine");
        assert!(text.starts_with("there is no apt-get on this machine. "));
        for word in [
            "PostgreSQL 14",
            "PADCLOCK_PG_BIN",
            "PADCLOCK_TEST_DATABASE_URL",
        ] {
            assert!(text.contains(word), "{word}");
        }
    }

    #[test]
    fn programs_are_looked_for_on_the_path() {
        assert!(on_path("sh"));
        assert!(!on_path("no-such-program-anywhere"));
    }

    #[test]
    fn the_installation_is_a_script_a_shell_can_read() {
        let checked = Command::new("sh")
            .args(["-n", "-c", INSTALL])
            .status()
            .unwrap();
        assert!(checked.success());
    }
}
