//! A `padclock serve` as users run it: a process of its own, with its durable settings, in a folder of its own.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

const START: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(40);
/// How the kernel counts processor time on Linux, whatever its own clock.
const TICKS_PER_SECOND: f64 = 100.0;

/// A folder that goes when this value goes.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Beside the binaries: on a disk, where a temporary folder may be memory.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn new(name: &str) -> Result<Self> {
        let folder = beside()?
            .join("bench")
            .join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

/// The folder of this program's own binary.
fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe().context("where this program is")?;
    Ok(own.parent().unwrap_or(&own).to_owned())
}

/// The server's binary: built with this one, in the same profile.
///
/// # Errors
/// When it is not there.
pub fn binary() -> Result<PathBuf> {
    let path = beside()?.join("padclock");
    if !path.exists() {
        bail!(
            "{} is not there: run `cargo xtask bench`, which builds it",
            path.display()
        );
    }
    Ok(path)
}

/// A PostgreSQL database to use instead of the embedded one, and the root key that all its nodes have.
#[derive(Clone, Debug)]
pub struct Shared {
    pub url: String,
    pub root_key: String,
}

/// A server that runs.
#[derive(Debug)]
pub struct Node {
    child: Child,
    data: PathBuf,
    /// Where it listens.
    pub address: SocketAddr,
    /// From its start until it was ready.
    pub start: Duration,
}

impl Node {
    /// Starts a server on this folder and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(data: &Path, shared: Option<&Shared>) -> Result<Self> {
        fs::create_dir_all(data)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(data.join("log"))?;
        let mut command = Command::new(binary()?);
        // What the caller's shell is set to is no part of the figure.
        for (name, _) in std::env::vars_os()
            .filter(|(name, _)| name.as_encoded_bytes().starts_with(b"PADCLOCK_"))
        {
            command.env_remove(name);
        }
        command.arg("serve").arg("--data").arg(data).args([
            "--listen",
            &address.to_string(),
            "--egress-allow",
            "127.0.0.0/8",
        ]);
        if let Some(Shared { url, root_key }) = shared {
            command
                .env("PADCLOCK_DATABASE_URL", url)
                .env("PADCLOCK_ROOT_KEY", root_key);
        }
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let begun = Instant::now();
        let child = command.spawn().context("padclock does not start")?;
        let mut node = Self {
            child,
            data: data.to_owned(),
            address,
            start: Duration::ZERO,
        };
        while !ready(address) {
            if let Some(status) = node.child.try_wait()? {
                bail!("padclock ended with {status}: {}", node.log());
            }
            if begun.elapsed() > START {
                bail!(
                    "padclock was not ready after {} s: {}",
                    START.as_secs(),
                    node.log()
                );
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        node.start = begun.elapsed();
        Ok(node)
    }

    /// The token that its first start has made.
    ///
    /// # Errors
    /// When this node has made none.
    pub fn token(&self) -> Result<String> {
        let path = self.data.join("owner.token");
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} can't be read", path.display()))?;
        Ok(text.trim_end().to_owned())
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory, in MB.
    ///
    /// # Errors
    /// When the kernel doesn't tell.
    pub fn resident(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024.0 / 1e6)
    }

    /// Processor time that it has used, in seconds: its own and the kernel's for it.
    ///
    /// # Errors
    /// When the kernel doesn't tell.
    pub fn processor(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id()))?;
        // The name in brackets may hold blanks; what follows it does not.
        let rest = stat.rsplit_once(')').context("no name in stat")?.1;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |at: usize| {
            fields
                .get(at)
                .and_then(|text| text.parse::<f64>().ok())
                .context("a field of stat")
        };
        Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
    }

    /// Asks it to stop, and waits until it has.
    ///
    /// # Errors
    /// When it does not stop in time, or not well.
    pub fn stop(mut self) -> Result<()> {
        if let Some(pid) = i32::try_from(self.id()).ok().and_then(Pid::from_raw) {
            kill_process(pid, Signal::TERM)?;
        }
        let begun = Instant::now();
        while begun.elapsed() < STOP {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("padclock ended with {status}: {}", self.log()),
                None => std::thread::sleep(Duration::from_millis(2)),
            }
        }
        bail!("padclock did not stop in {} s", STOP.as_secs())
    }

    fn log(&self) -> String {
        let text = fs::read_to_string(self.data.join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Already ended when it was stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks `/readyz`, by hand: a client's own start would be in the figure.
fn ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(START))?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}
