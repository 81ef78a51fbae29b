//! `padclock keys`: what the host's operator does with key terms and the root key, while nodes run.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use padclock_server::{OperatorKeys, Progress, RootKeySource, Settings, Terms};
use padclock_store::{Retired, Term};
use serde_json::json;

use crate::config::{self, Flags};
use crate::logging;
use crate::say::Say;

/// `padclock keys`, with the flags of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the key terms: how many data keys each wraps, and how many seals it has made at most.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        flags: Flags,
    },
    /// Add a key term, which new values are sealed under, and move every data key to it. Nodes need no restart.
    Rotate {
        /// Leave the moving to the nodes, which do it in the background.
        #[arg(long)]
        no_rewrap: bool,
        #[command(flatten)]
        flags: Flags,
    },
    /// Move every data key to the current term. It can be cut off, and goes on where it was.
    Rewrap {
        #[command(flatten)]
        flags: Flags,
    },
    /// Seal the keys by another root key. It changes nothing until a node was started with it.
    RotateRoot {
        #[command(flatten)]
        new: NewRootKey,
        #[command(flatten)]
        flags: Flags,
    },
    /// Destroy the key of a term that wraps nothing any more.
    Retire {
        /// The term, such as v1.
        #[arg(value_name = "TERM", value_parser = term_number)]
        term: u32,
        #[command(flatten)]
        flags: Flags,
    },
}

/// Where another root key comes from: one of these, or `PADCLOCK_NEW_ROOT_KEY`, or `PADCLOCK_NEW_ROOT_KEY_COMMAND`.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct NewRootKey {
    /// Read the new root key, 64 hex digits, from this file.
    #[arg(long, value_name = "FILE")]
    new_root_key_file: Option<PathBuf>,
    /// Make it, in root.key.new beside the root.key that the first start has made.
    #[arg(long)]
    generate: bool,
    /// Withdraw the one that waits to be proved by a start.
    #[arg(long)]
    abort: bool,
}

fn term_number(text: &str) -> Result<u32, String> {
    text.trim_start_matches('v')
        .parse()
        .map_err(|_| "a term is written as v1, or 1".to_owned())
}

impl Keys {
    pub(crate) async fn run(self) -> Result<ExitCode> {
        logging::start("warn");
        match self.command {
            Command::List { json, flags } => list(&open(&flags).await?, json).await,
            Command::Rotate { no_rewrap, flags } => rotate(&open(&flags).await?, no_rewrap).await,
            Command::Rewrap { flags } => rewrap(&open(&flags).await?).await,
            Command::RotateRoot { new, flags } => rotate_root(&new, &flags).await,
            Command::Retire { term, flags } => retire(&open(&flags).await?, term).await,
        }
    }
}

async fn open(flags: &Flags) -> Result<OperatorKeys> {
    let settings = config::resolve(flags)?.settings()?;
    Ok(OperatorKeys::open(&settings).await?)
}

fn state(term: &Term, current: u32) -> &'static str {
    match term.retired_at {
        Some(_) => "retired",
        None if term.term == current => "current",
        None => "older",
    }
}

async fn list(keys: &OperatorKeys, as_json: bool) -> Result<ExitCode> {
    let Terms {
        terms,
        current,
        root_key_waits,
    } = keys.terms().await?;
    if as_json {
        let term = |term: &Term| {
            json!({"term": format!("v{}", term.term), "state": state(term, current), "created_at": term.created_at,
                "retired_at": term.retired_at, "data_keys": term.rows, "seals_at_most": term.seals})
        };
        let terms: Vec<_> = terms.iter().map(term).collect();
        let all = json!({"terms": terms, "root_key_waits": root_key_waits});
        Say.data(&serde_json::to_string_pretty(&all)?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["TERM", "STATE", "ADDED", "DATA KEYS", "SEALS AT MOST"]);
    for term in &terms {
        table.add_row([
            format!("v{}", term.term),
            state(term, current).to_owned(),
            term.created_at.to_string(),
            term.rows.to_string(),
            term.seals.to_string(),
        ]);
    }
    Say.data(&table.to_string());
    if root_key_waits {
        Say.note("another root key waits to be proved: start a node with it");
    }
    Ok(ExitCode::SUCCESS)
}

async fn rotate(keys: &OperatorKeys, no_rewrap: bool) -> Result<ExitCode> {
    let term = keys.rotate().await?;
    Say.data(&format!("v{term}"));
    Say.note(&format!("added v{term}: new values are sealed under it"));
    if no_rewrap {
        Say.note("the nodes move the data keys to it in the background: `padclock keys list` shows how far they are");
        return Ok(ExitCode::SUCCESS);
    }
    rewrap(keys).await
}

async fn rewrap(keys: &OperatorKeys) -> Result<ExitCode> {
    let live = std::io::stderr().is_terminal();
    let mut told = 0;
    let progress = keys
        .rewrap(|Progress { moved, .. }| {
            // A line now and then is enough where nobody watches.
            if moved > told && (live || moved - told >= 10_000) {
                told = moved;
                Say.note(&format!("moved {moved} data keys"));
            }
        })
        .await?;
    Say.note(&format!("moved {} data keys in all", progress.moved));
    if progress.unreadable > 0 {
        bail!(
            "{} data keys do not open and stay under their terms: their rows or their secrets' policies were altered; set those values again, or delete the secrets (the warnings above name them)",
            progress.unreadable
        );
    }
    Ok(ExitCode::SUCCESS)
}

async fn retire(keys: &OperatorKeys, term: u32) -> Result<ExitCode> {
    match keys.retire(term).await? {
        Retired::Now => Say.note(&format!("v{term} is retired: its key is destroyed")),
        Retired::Before => Say.note(&format!("v{term} was retired before")),
        Retired::Current => {
            bail!("v{term} is the current term: add another by `padclock keys rotate` first")
        }
        Retired::InUse(rows) => {
            bail!("v{term} still wraps {rows} data keys: move them by `padclock keys rewrap` first")
        }
        Retired::Unknown => bail!("there is no term v{term}"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn rotate_root(new: &NewRootKey, flags: &Flags) -> Result<ExitCode> {
    let config = config::resolve(flags)?;
    let settings = config.settings()?;
    let keys = OperatorKeys::open(&settings).await?;
    if new.abort {
        keys.withdraw_root_key().await?;
        Say.note("withdrawn: the present root key stays");
        return Ok(ExitCode::SUCCESS);
    }
    let (source, next) = source(new, &keys, &settings, &config)?;
    keys.prepare_root_key(&source).await?;
    Say.note("the keys are sealed by the new root key as well; it changes nothing yet");
    Say.note(&next);
    Say.note("back the new root key up now. Once a node has started with it, the old one opens nothing any more; other nodes go on until they are started again");
    Ok(ExitCode::SUCCESS)
}

/// The new root key's source, and what is to be done next.
fn source(
    new: &NewRootKey,
    keys: &OperatorKeys,
    settings: &Settings,
    config: &config::Config,
) -> Result<(RootKeySource, String)> {
    if !new.generate {
        let source = config.new_root_key(new.new_root_key_file.clone()).context(
            "give the new root key by --new-root-key-file, PADCLOCK_NEW_ROOT_KEY or PADCLOCK_NEW_ROOT_KEY_COMMAND, or let it be made by --generate",
        )?;
        return Ok((
            source,
            "next: start a node with the new root key".to_owned(),
        ));
    }
    let RootKeySource::Kept(kept) = &settings.root_key else {
        bail!(
            "--generate is for the root.key that a first start has made: make the new key where the present one comes from"
        );
    };
    let made = keys.generate_root_key()?;
    let next = format!(
        "next: stop the node, `mv {} {}`, start it",
        made.display(),
        kept.display()
    );
    Ok((RootKeySource::File(made), next))
}
