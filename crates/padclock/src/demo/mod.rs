//! `padclock demo`: a node, a target that echoes, one secret, three executions, and the proof that the target got the value
//! and that nothing else has it.
//!
//! The order of things stands here; each thing has its file. Nothing here redacts: what is shown comes from the node's API.

mod calls;
mod capture;
mod echo;
mod folder;
mod forms;
mod node;
mod play;
mod proof;
mod sabotage;
mod screen;
mod search;
mod shown;
mod target;
mod value;
mod words;

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

use calls::Calls;
use capture::Captured;
use folder::Folder;
use proof::{Proof, Sweep};
use sabotage::Sabotage;
use screen::{Screen, grouped};
use search::{Control, Search};
use target::Target;
use value::Planted;

use crate::say::Say;

/// The exit code of a program that was interrupted.
const INTERRUPTED: u8 = 130;
/// How much of the log the control is planted in.
const FILLER: usize = 4096;

/// What `padclock demo` takes.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Exit after the proof: with 0 when it holds.
    #[arg(long)]
    once: bool,
    /// Spoil the demonstration in this way: the proof must fail.
    #[arg(long, value_enum, hide = true)]
    sabotage: Option<Sabotage>,
}

/// What a run works with.
struct Stage {
    options: Options,
    folder: Folder,
    log: Captured,
    screen: Screen,
    value: Planted,
    search: Search,
    target: Target,
}

/// What was seen while the node ran.
struct Seen {
    calls: Calls,
    stored: Sweep,
}

/// Runs it. Everything it made is gone when this returns.
pub(crate) async fn run(options: Options) -> Result<ExitCode> {
    let mut end = End::listen()?;
    let log = Captured::start()?;
    let mut stage = Stage::new(options, log).await?;
    let proved = tokio::select! {
        outcome = stage.perform() => outcome.inspect_err(|_| stage.complain())?,
        () = end.asked() => {
            stage.screen.say("\nstopped before the proof");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    match proved {
        Some(node) if !stage.options.once => stage.stay(node, &mut end).await,
        Some(_) => Ok(ExitCode::SUCCESS),
        None => Ok(ExitCode::FAILURE),
    }
}

/// Ctrl-C, and what a service manager sends. Listens from the beginning, so that none comes too early to be heard.
struct End {
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    fn listen() -> Result<Self> {
        let hear = |kind| signal(kind).context("signals can't be heard");
        Ok(Self {
            interrupt: hear(SignalKind::interrupt())?,
            terminate: hear(SignalKind::terminate())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

impl Stage {
    async fn new(options: Options, log: Captured) -> Result<Self> {
        let value = Planted::of_this_run()?;
        let forms = sabotage::sought(options.sabotage, &forms::all(value.text()));
        Ok(Self {
            folder: Folder::new()?,
            log,
            screen: Screen::new(),
            search: Search::new(&forms),
            value,
            target: Target::start(options.sabotage).await?,
            options,
        })
    }

    /// The whole demonstration. Gives where the node was, if the proofs hold.
    async fn perform(&mut self) -> Result<Option<SocketAddr>> {
        let running = node::start(self.folder.path(), node::anywhere()).await?;
        let node = running.address;
        let seen = self.executions(node).await?;
        node::stop_and_checkpoint(running, self.folder.path()).await?;
        Ok(self.prove(seen)?.then_some(node))
    }

    /// Shows the executions, and searches what is stored while the node still runs.
    async fn executions(&mut self, node: SocketAddr) -> Result<Seen> {
        let mut calls = Calls::new(node, &self.folder.path().join("owner.token"))?;
        self.screen.say(&words::opening(
            node,
            self.target.address,
            self.folder.path(),
            &self.value,
            self.screen.style(),
        ));
        let made = play::set_up(&mut calls, self.target.address, &self.value).await?;
        play::watch(&mut calls, &made, &mut self.screen).await?;
        play::look_around(&mut calls, &made, self.target.address, &self.value).await?;
        if let Some(sabotage) = self.options.sabotage {
            sabotage.leak(&self.value, self.folder.path(), &mut self.screen)?;
        }
        Ok(Seen {
            calls,
            stored: self.stored("files, the node running")?,
        })
    }

    fn stored(&self, what: &str) -> Result<Sweep> {
        let files = self.folder.files()?;
        Ok(Sweep::new(
            &self.search,
            "stored",
            format!("{} {what}", files.len()),
            play::JOB,
            &files,
        ))
    }

    /// Searches everything, and prints both proofs.
    fn prove(&mut self, seen: Seen) -> Result<bool> {
        let style = self.screen.style();
        let arrived = proof::arrived(&self.target.sums(), &self.value.sum(), play::SHOWN, style);
        let control = self.control()?;
        let stored = self.stored("files, stopped and checkpointed")?;
        let sweeps = [
            seen.stored,
            stored,
            self.logged(),
            self.printed(),
            self.answered(seen.calls),
        ];
        let nowhere_else = proof::nowhere_else(&self.search, &control, &sweeps, style);
        Ok(self.tell(&[arrived, nowhere_else]))
    }

    /// Plants another value in the log of this run, in every form.
    fn control(&self) -> Result<Control> {
        let planted = forms::all(Planted::control()?.text());
        let search = Search::new(&sabotage::sought(self.options.sabotage, &planted));
        Ok(search::control(
            &search,
            &planted,
            &self.log.bytes()[..FILLER.min(self.log.bytes().len())],
        ))
    }

    fn logged(&self) -> Sweep {
        // Proves that the lowest level is captured, and is what is searched.
        tracing::trace!(job = play::JOB, "the log will be searched");
        let bytes = self.log.bytes();
        let lines = bytes.iter().filter(|&&byte| byte == b'\n').count();
        Sweep::new(
            &self.search,
            "logged",
            format!("{} lines, every level", grouped(lines)),
            play::JOB,
            &[("the log".to_owned(), bytes)],
        )
    }

    fn printed(&self) -> Sweep {
        let printed = self.screen.printed().to_vec();
        let lines = printed.iter().filter(|&&byte| byte == b'\n').count();
        Sweep::new(
            &self.search,
            "printed",
            format!("{lines} lines, all of the above"),
            play::JOB,
            &[("the screen".to_owned(), printed)],
        )
    }

    fn answered(&self, calls: Calls) -> Sweep {
        let places: Vec<_> = calls
            .answered
            .into_iter()
            .map(|answered| (answered.call, answered.bytes))
            .collect();
        Sweep::new(
            &self.search,
            "answered",
            format!("{} answers of the API", places.len()),
            play::JOB,
            &places,
        )
    }

    /// Prints the proofs, which are searched like everything else that is printed.
    fn tell(&mut self, proofs: &[Proof; 2]) -> bool {
        for proof in proofs {
            self.screen.say(&format!("\n{}", proof.text));
        }
        let clean = self.search.find(self.screen.printed()).is_none();
        let panicked = self.log.panicked();
        let style = self.screen.style();
        let holds = proofs.iter().all(|proof| proof.holds) && clean && !panicked;
        let verdict = match (holds, panicked) {
            (true, _) => style.good(
                "Both hold: the requests had the value, and nothing that was left of them has.",
            ),
            (false, true) => style.bad("The node panicked: nothing is proved."),
            (false, false) => style.bad("NOT PROVED: see above."),
        };
        self.screen.say(&format!("\n{verdict}"));
        holds
    }

    /// Tells what the node last warned of, when the demonstration comes to nothing.
    fn complain(&self) {
        for line in self
            .log
            .warnings()
            .iter()
            .filter(|line| self.search.find(line.as_bytes()).is_none())
        {
            Say.note(line);
        }
    }

    /// Starts the node again, where it was, and leaves it to the reader.
    async fn stay(&mut self, node: SocketAddr, end: &mut End) -> Result<ExitCode> {
        self.log.end();
        let running = node::start(self.folder.path(), node).await?;
        let token = self.folder.path().join("owner.token");
        self.screen.say(&format!(
            "\n{}",
            words::closing(node, self.target.address, &token, self.screen.style())
        ));
        end.asked().await;
        running.stop().await;
        Ok(ExitCode::SUCCESS)
    }
}
