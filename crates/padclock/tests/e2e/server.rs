//! One node: the binary started with its flags and variables, waited for by its own ready line, and ended by its own pid.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use crate::client::{Client, PATIENCE};
use crate::home::{Engine, Home, ROOT_KEY};

/// The owner's token of every installation here.
pub const TOKEN: &str = "pck_e2e-owner-token-0123456789";

/// How a node is to be started.
#[derive(Debug, Clone)]
pub struct Launch {
    home: Arc<Home>,
    flags: Vec<String>,
    env: BTreeMap<String, String>,
    egress: bool,
    data: PathBuf,
    database: Option<String>,
}

impl Launch {
    /// A node of this installation with the suite's usual settings: loopback may be reached by jobs.
    pub fn of(home: &Arc<Home>) -> Self {
        let mut env = BTreeMap::from([("PADCLOCK_BOOTSTRAP_TOKEN".to_owned(), TOKEN.to_owned())]);
        env.insert("PADCLOCK_ROOT_KEY".to_owned(), ROOT_KEY.to_owned());
        let database = home.database_url().map(str::to_owned);
        Self {
            home: Arc::clone(home),
            flags: Vec::new(),
            env,
            egress: true,
            data: home.data(),
            database,
        }
    }

    pub fn flag(mut self, name: &str, value: &str) -> Self {
        self.flags.extend([name.to_owned(), value.to_owned()]);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn without_env(mut self, name: &str) -> Self {
        self.env.remove(name);
        self
    }

    /// Jobs may reach public addresses only, as without `--egress-allow`.
    pub fn without_egress(self) -> Self {
        Self {
            egress: false,
            ..self
        }
    }

    pub fn data(self, folder: PathBuf) -> Self {
        Self {
            data: folder,
            ..self
        }
    }

    pub fn database(self, url: String) -> Self {
        Self {
            database: Some(url),
            ..self
        }
    }

    pub fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// The folder of the node's own files.
    pub fn folder(&self) -> &std::path::Path {
        &self.data
    }

    /// The arguments of the binary.
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments = vec![
            "serve".to_owned(),
            "--data".to_owned(),
            self.data.display().to_string(),
        ];
        if !self.flags.iter().any(|flag| flag == "--listen") {
            arguments.extend(["--listen".to_owned(), "127.0.0.1:0".to_owned()]);
        }
        if self.egress {
            arguments.extend(["--egress-allow".to_owned(), "127.0.0.0/8".to_owned()]);
        }
        arguments.extend(self.flags.iter().cloned());
        arguments
    }

    /// A command with no variables but the node's own.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(&self.env)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if let Some(url) = &self.database {
            command.env("PADCLOCK_DATABASE_URL", url);
        }
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts the node and waits for nothing.
    pub fn spawn(&self) -> Process {
        let mut command = self.command(env!("CARGO_BIN_EXE_padclock"));
        Process::of(command.args(self.arguments()).spawn().unwrap(), &self.home)
    }

    /// Starts the node and waits until it is ready.
    pub async fn start(&self) -> Server {
        self.started(self.spawn()).await
    }

    /// Waits until a process that was started some other way is ready.
    pub async fn started(&self, process: Process) -> Server {
        let address = process.ready().await;
        let client = Client::new(format!("http://{address}"), Some(TOKEN));
        Server {
            home: Arc::clone(&self.home),
            process,
            client,
            address,
        }
    }

    /// Starts a node that is expected to give up; its exit code and all it said.
    pub async fn fails(&self) -> (i32, String) {
        let mut process = self.spawn();
        let status = process.ended().await;
        assert!(!status.success(), "it ended well:\n{}", self.home.logged());
        (status.code().unwrap_or(-1), process.said())
    }
}

/// A child whose output is kept.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: watch::Receiver<Vec<String>>,
    ended: watch::Receiver<bool>,
    reader: Option<JoinHandle<()>>,
}

impl Process {
    pub fn of(mut child: Child, home: &Arc<Home>) -> Self {
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (line, lines) = watch::channel(Vec::new());
        let (end, ended) = watch::channel(false);
        let other = keep(out, home, &line);
        let first = keep(err, home, &line);
        let reader = std::thread::spawn(move || {
            let _ = (first.join(), other.join());
            end.send_replace(true);
        });
        Self {
            child,
            lines,
            ended,
            reader: Some(reader),
        }
    }

    /// Waits for a line that holds this.
    pub async fn says(&self, words: &str) {
        let mut lines = self.lines.clone();
        let said = lines.wait_for(|lines| lines.iter().any(|line| line.contains(words)));
        let said = tokio::time::timeout(PATIENCE, said).await;
        assert!(
            matches!(said, Ok(Ok(_))),
            "{words:?} was never said:\n{}",
            self.said()
        );
    }

    /// Writes a line to its standard input, which must be a pipe.
    pub fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The address in the ready line.
    async fn ready(&self) -> String {
        let found = |lines: &[String]| lines.iter().find_map(|line| address_in(line));
        let (mut lines, mut ended) = (self.lines.clone(), self.ended.clone());
        let waiting = async {
            tokio::select! {
                seen = lines.wait_for(|lines| found(lines).is_some()) => drop(seen),
                over = ended.wait_for(|ended| *ended) => drop(over),
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        let address = waited.ok().and_then(|()| found(&self.lines.borrow()));
        address.unwrap_or_else(|| panic!("the node did not become ready:\n{}", self.said()))
    }

    pub fn said(&self) -> String {
        self.lines.borrow().concat()
    }

    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for the end of the process, no longer than this; whether it came.
    pub async fn ends_within(&self, time: std::time::Duration) -> bool {
        let mut ended = self.ended.clone();
        tokio::time::timeout(time, ended.wait_for(|ended| *ended))
            .await
            .is_ok()
    }

    /// Waits for the end of the process.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut ended = self.ended.clone();
        let over = tokio::time::timeout(PATIENCE, ended.wait_for(|ended| *ended)).await;
        assert!(over.is_ok(), "the process did not end:\n{}", self.said());
        self.child.wait().unwrap()
    }

    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

/// Keeps what comes out of a child, line by line. It holds the logs and not the home, which must not end in a thread
/// whose panics nobody sees.
fn keep(
    from: impl Read + Send + 'static,
    home: &Home,
    line: &watch::Sender<Vec<String>>,
) -> JoinHandle<()> {
    let (logs, line) = (home.logs(), line.clone());
    std::thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
            logs.lock().unwrap().extend_from_slice(&bytes);
            line.send_modify(|lines| lines.push(String::from_utf8_lossy(&bytes).into_owned()));
            bytes.clear();
        }
    })
}

impl Drop for Process {
    fn drop(&mut self) {
        // A shell around the node ends it when its input ends.
        if let Some(input) = self.child.stdin.take() {
            drop(input);
            let _ = self.child.wait();
        }
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        // What it still had to say belongs to the logs before they are looked through.
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

fn address_in(line: &str) -> Option<String> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let ready = line["message"].as_str()?.starts_with("ready:");
    ready.then(|| line["address"].as_str().map(str::to_owned))?
}

/// A node that serves.
#[derive(Debug)]
pub struct Server {
    // Ended before the home is looked through: fields are dropped in this order.
    pub process: Process,
    pub home: Arc<Home>,
    pub client: Client,
    pub address: String,
}

impl Server {
    /// A node of a new installation with the usual settings.
    pub async fn new(engine: Engine) -> Self {
        Launch::of(&Arc::new(Home::new(engine).await)).start().await
    }

    /// Creates a secret whose value must be found nowhere afterwards; its id.
    pub async fn secret(&self, name: &str, value: &str) -> String {
        self.client.secret(name, self.home.plant(name, value)).await
    }

    /// As `kill -9`: no warning, no last words.
    pub async fn kill(mut self) {
        self.process.signal(Signal::KILL);
        self.process.ended().await;
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> ExitStatus {
        self.process.signal(Signal::TERM);
        self.process.ended().await
    }

    /// One series of `/metrics`, by the beginning of its line.
    pub async fn metric(&self, series: &str) -> f64 {
        let text = self.client.get("/metrics").await.expect(200).text();
        let line = text.lines().find_map(|line| line.strip_prefix(series));
        line.and_then(|rest| rest.trim().parse().ok())
            .unwrap_or(0.0)
    }

    /// A figure of `/proc/PID/status`, in KiB.
    pub fn memory_kib(&self, field: &str) -> u64 {
        let path = format!("/proc/{}/status", self.process.pid().as_raw_nonzero());
        let text = std::fs::read_to_string(path).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}
