//! `padclock`: what the host's operator runs.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use padclock_server::{Running, Settings};

use crate::config::{self, Flags};
use crate::say::Say;
use crate::{audit, demo, hygiene, keys, logging};

/// The scheduler with a lock on it.
#[derive(Debug, Parser)]
#[command(
    name = "padclock",
    version,
    about = "The scheduler with a lock on it: scheduled requests whose credentials stay sealed."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node: the API, the scheduler and its worker.
    Serve(Flags),
    /// Show the main job, and prove that the secret is in the request and nowhere else.
    Demo(demo::Options),
    /// Bring the database's schema up to date, and nothing else.
    Migrate(Flags),
    /// Print the settings that `serve` would use, each with its source; secrets are not shown.
    Config(Flags),
    /// Verify the audit, and show the key that signs its heads.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Print the OpenAPI document.
    Openapi,
    /// Show, add, move and retire keys, on the host, while nodes run.
    Keys(keys::Keys),
    /// Make a new link by which the first owner chooses what they sign in with, on the host, while nodes run; an earlier one ends.
    SetUpLink(Flags),
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            Say.note(&format!("padclock: {error:#}"));
            ExitCode::from(1)
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    hygiene::seclude().context("core dumps can't be turned off")?;
    match command {
        Command::Serve(flags) => runtime()?.block_on(serve(&flags)),
        Command::Demo(options) => runtime()?.block_on(demo::run(options)),
        Command::Migrate(flags) => runtime()?.block_on(migrate(&flags)),
        Command::Config(flags) => {
            Say.data(&config::resolve(&flags)?.shown());
            Ok(ExitCode::SUCCESS)
        }
        Command::Audit(command) => runtime()?.block_on(audit::run(command)),
        Command::Keys(keys) => runtime()?.block_on(keys.run()),
        Command::SetUpLink(flags) => runtime()?.block_on(set_up_link(&flags)),
        Command::Openapi => {
            Say.data(&serde_json::to_string_pretty(
                &padclock_server::openapi_document(),
            )?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime can't be started")
}

async fn serve(flags: &Flags) -> Result<ExitCode> {
    logging::start("info");
    let settings = config::resolve(flags)?.settings()?;
    let behind_proxy = settings.behind_proxy;
    let running = start(settings).await?;
    tell(&running, behind_proxy);
    stop_asked().await?;
    tracing::info!("stopping: what runs may finish");
    running.stop().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn start(settings: Settings) -> Result<Running> {
    Ok(padclock_server::start(settings).await?)
}

fn tell(running: &Running, behind_proxy: bool) {
    if let Some(path) = &running.made.root_key {
        tracing::warn!(file = %path.display(), "made the root key: back it up; without it no secret can be opened again");
    }
    if let Some(path) = &running.made.owner_token {
        tracing::info!(file = %path.display(), "wrote the owner's token");
    }
    if let Some(link) = &running.set_up {
        // Not to the log: whoever has it can become the owner.
        Say.note(&format!(
            "To sign in with a browser, open this once, before {}:\n  {}",
            link.expires_at,
            link.address()
        ));
    }
    tracing::info!(address = %running.address, node = %running.node, behind_proxy, "ready: {}://{}", running.scheme, running.address);
}

async fn stop_asked() -> Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("signals can't be heard"),
        _ = terminate.recv() => Ok(()),
    }
}

async fn set_up_link(flags: &Flags) -> Result<ExitCode> {
    logging::start("warn");
    let settings = config::resolve(flags)?.settings()?;
    let link = padclock_server::set_up_link(&settings).await?;
    Say.data(&link.address());
    Say.note(&format!(
        "It works once, until {}. Whoever has it becomes the owner: hand it to no one else.",
        link.expires_at
    ));
    Ok(ExitCode::SUCCESS)
}

async fn migrate(flags: &Flags) -> Result<ExitCode> {
    let url = config::resolve(flags)?.database_url();
    padclock_store::Store::open(&url).await?;
    Say.note("the schema is up to date");
    Ok(ExitCode::SUCCESS)
}
