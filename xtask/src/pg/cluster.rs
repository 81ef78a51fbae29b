//! One throw-away PostgreSQL cluster in a temporary folder: made, started, stopped by its own pid, removed.
//!
//! It listens on 127.0.0.1 only, asks for a password made for it alone, and is as durable as a real one: what tests and
//! benchmarks see must be what users get.

use std::fs::{self, DirBuilder, File};
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::Programs;

const SETTINGS: [&str; 5] = [
    "listen_addresses=127.0.0.1",
    "fsync=on",
    "synchronous_commit=on",
    "max_connections=200",
    // Short-lived and small: a checkpoint in the middle of a test would only add noise.
    "max_wal_size=2GB",
];
const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(30);
/// Another program may take the free port we found before PostgreSQL does.
const TRIES: u32 = 5;

/// A running cluster; dropping it stops the server and removes the folder.
pub struct Cluster {
    folder: PathBuf,
    server: Option<Child>,
    port: u16,
    password: String,
}

impl Cluster {
    /// Makes a cluster in a new folder and starts it.
    ///
    /// # Errors
    /// When `initdb` fails or the server does not come up; its log is in the message.
    pub fn start(programs: &Programs) -> Result<Cluster> {
        let user = unprivileged()?;
        let mut cluster = Cluster {
            folder: new_folder(user)?,
            server: None,
            port: 0,
            password: random_hex(16)?,
        };
        cluster.init(programs, user)?;
        for attempt in 1..=TRIES {
            match cluster.serve(programs, user) {
                Ok(()) => break,
                Err(_) if attempt < TRIES && cluster.port_was_taken() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(cluster)
    }

    /// Where to connect as the cluster's superuser.
    pub fn url(&self) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }

    fn init(&self, programs: &Programs, user: Option<User>) -> Result<()> {
        let password_file = self.folder.join("password");
        fs::write(&password_file, &self.password)?;
        give(&password_file, user)?;
        let output = self
            .program(programs, "initdb", user)
            .args([
                "--username=postgres",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ])
            .arg("--pwfile")
            .arg(&password_file)
            .arg("--pgdata")
            .arg(self.data())
            .output()
            .context("cannot start initdb")?;
        if !output.status.success() {
            bail!(
                "initdb failed: {}",
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        fs::remove_file(password_file).context("cannot remove initdb's password file")
    }

    fn serve(&mut self, programs: &Programs, user: Option<User>) -> Result<()> {
        self.port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = File::create(self.log())?;
        let mut command = self.program(programs, "postgres", user);
        command
            .arg("-D")
            .arg(self.data())
            .args(["-p", &self.port.to_string()]);
        command.arg("-k").arg(&self.folder);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        self.server = Some(command.spawn().context("cannot start postgres")?);
        self.wait_until_ready()
    }

    /// PostgreSQL writes `ready` into the eighth line of its pid file when it takes connections.
    fn wait_until_ready(&mut self) -> Result<()> {
        let pid_file = self.data().join("postmaster.pid");
        let start = Instant::now();
        while start.elapsed() < START {
            let state = fs::read_to_string(&pid_file).unwrap_or_default();
            if state
                .lines()
                .nth(7)
                .is_some_and(|line| line.trim() == "ready")
            {
                return Ok(());
            }
            if let Some(server) = &mut self.server
                && let Some(status) = server.try_wait()?
            {
                bail!("postgres ended with {status}: {}", self.log_text());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!(
            "postgres was not ready after {} s: {}",
            START.as_secs(),
            self.log_text()
        );
    }

    fn program(&self, programs: &Programs, name: &str, user: Option<User>) -> Command {
        let mut command = Command::new(programs.program(name));
        // A folder the unprivileged user can stand in.
        command.current_dir(&self.folder);
        if let Some(User { uid, gid }) = user {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn port_was_taken(&self) -> bool {
        self.log_text().contains("could not bind")
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn log_text(&self) -> String {
        fs::read_to_string(self.log())
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    fn stop(server: &mut Child) {
        // SIGINT is PostgreSQL's fast shutdown: connections are cut, data is kept whole.
        if let Some(pid) = i32::try_from(server.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::INT);
        }
        let start = Instant::now();
        while start.elapsed() < STOP {
            if !matches!(server.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = server.kill();
        let _ = server.wait();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            Cluster::stop(server);
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("cannot remove {}: {error}", self.folder.display());
        }
    }
}

#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

/// PostgreSQL refuses to run as root: then, and only then, somebody else must.
fn unprivileged() -> Result<Option<User>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    match user_named(&passwd, "postgres").or_else(|| user_named(&passwd, "nobody")) {
        Some(user) => Ok(Some(user)),
        None => bail!(
            "PostgreSQL does not run as root, and there is no user postgres or nobody: run this as another user"
        ),
    }
}

fn user_named(passwd: &str, name: &str) -> Option<User> {
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some(User {
        uid: fields.next()?.parse().ok()?,
        gid: fields.next()?.parse().ok()?,
    })
}

/// A new folder only its owner can enter. Its path is short, for a socket's path may have about 100 bytes.
fn new_folder(user: Option<User>) -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("padclock-pg-{}", random_hex(6)?));
    DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    give(&folder, user)?;
    Ok(folder)
}

fn give(path: &Path, user: Option<User>) -> Result<()> {
    let Some(User { uid, gid }) = user else {
        return Ok(());
    };
    chown(path, Some(uid), Some(gid))
        .with_context(|| format!("cannot give {} to another user", path.display()))
}

fn random_hex(bytes: usize) -> Result<String> {
    let mut raw = vec![0; bytes];
    File::open("/dev/urandom")?.read_exact(&mut raw)?;
    Ok(raw.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_whole_name() {
        let passwd = "root:x:0:0::/:/bin/sh\npostgresql:x:9:9::/:\npostgres:x:101:104:x:/:/bin/sh\nbroken:x\n";
        let user = user_named(passwd, "postgres").unwrap();
        assert_eq!((user.uid, user.gid), (101, 104));
        assert!(user_named(passwd, "nobody").is_none());
        assert!(user_named(passwd, "broken").is_none());
    }

    #[test]
    fn random_text_is_hex_and_differs() {
        let (one, two) = (random_hex(6).unwrap(), random_hex(6).unwrap());
        assert_eq!(one.len(), 12);
        assert!(one.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(one, two);
    }

    #[test]
    fn a_cluster_answers_on_loopback_and_leaves_nothing_behind() {
        let programs = Programs::find().unwrap();
        let cluster = Cluster::start(&programs).unwrap();
        let (folder, address) = (cluster.folder.clone(), ("127.0.0.1", cluster.port));
        let url = cluster.url();
        assert!(
            url.starts_with("postgres://postgres:") && url.ends_with("/postgres"),
            "{url}"
        );
        assert!(
            url.contains(&format!("@127.0.0.1:{}/", cluster.port)),
            "{url}"
        );
        assert!(std::net::TcpStream::connect(address).is_ok());
        assert!(!cluster.folder.join("password").exists());
        drop(cluster);
        assert!(std::net::TcpStream::connect(address).is_err());
        assert!(!folder.exists());
    }

    #[test]
    fn a_folder_without_the_programs_is_an_error() {
        let error = Cluster::start(&Programs::in_folder("/nowhere"))
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "cannot start initdb");
    }
}
