//! The throw-away PostgreSQL from outside: what a command is given, and that no ending of its owner leaves it running.
#![cfg(test)]

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const URL: &str = "PADCLOCK_TEST_DATABASE_URL";

fn pg(script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(["pg", "--", "sh", "-c", script])
        .env_remove(URL)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}

/// The cluster's address, from the URL that the command prints first.
fn address(owner: &mut Child) -> SocketAddr {
    let mut url = String::new();
    BufReader::new(owner.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    let after = url.rsplit_once('@').unwrap().1;
    after.split_once('/').unwrap().0.parse().unwrap()
}

fn refuses_within(address: SocketAddr, limit: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if TcpStream::connect(address).is_err() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[test]
fn a_killed_owner_leaves_no_server() {
    // `cat` ends with the test's own end of the pipe, so the script does not outlive the test either.
    let mut owner = pg("echo $PADCLOCK_TEST_DATABASE_URL; exec cat")
        .spawn()
        .unwrap();
    let address = address(&mut owner);
    assert!(TcpStream::connect(address).is_ok());
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(
        refuses_within(address, Duration::from_secs(60)),
        "PostgreSQL is still there"
    );
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let mut owner = pg("echo $PADCLOCK_TEST_DATABASE_URL; exit 7")
        .spawn()
        .unwrap();
    let address = address(&mut owner);
    assert_eq!(owner.wait().unwrap().code(), Some(7));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_given_database_is_used_as_it_is() {
    let output = pg("printf %s $PADCLOCK_TEST_DATABASE_URL")
        .env(URL, "postgres://elsewhere/db")
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "postgres://elsewhere/db"
    );
}
