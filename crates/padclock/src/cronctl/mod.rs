//! `cronctl`, the client: the command line, and which part does what it asks for.
//!
//! Everything goes over the API by `padclock_api::client`. Nothing here reads a value's bytes, and nothing but `output`
//! writes to the terminal.

mod connect;
mod failure;
mod find;
mod jobs;
mod keyboard;
mod output;
mod runs;
mod secrets;
mod session;
mod shown;
mod usage;
mod value_input;
mod whoami;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use failure::Failure;
use keyboard::Terminal;
use output::{Color, Output};
use session::Session;

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 error, 2 usage, 3 the run failed, 4 not authenticated, 5 refused.
The token is taken from --token-file, else CRONCTL_TOKEN, else (on this machine) from the owner.token that the server wrote.";

const EVERYWHERE: &str = "Options of every command";

/// The client of Padclock.
#[derive(Debug, Parser)]
#[command(name = "cronctl", bin_name = "cronctl", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    everywhere: Everywhere,
    /// The server; with --server it may also be named after the command
    #[arg(
        long,
        env = "CRONCTL_URL",
        hide_env_values = true,
        default_value = "http://127.0.0.1:7464"
    )]
    url: String,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
struct Everywhere {
    /// The server, instead of CRONCTL_URL
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "URL")]
    server: Option<String>,
    /// A file that holds the API token
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE")]
    token_file: Option<std::path::PathBuf>,
    /// Print JSON, as the API answers it
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,
    /// Colours; auto means on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, help_heading = EVERYWHERE, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    /// Ask nothing: the answer is yes
    #[arg(long, short = 'y', global = true, help_heading = EVERYWHERE)]
    yes: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Secrets: names and what is known about them; values go in and never come out
    #[command(subcommand)]
    Secrets(secrets::Command),
    /// Jobs: what runs, and when
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Executions: what ran, and how it went
    #[command(subcommand)]
    Runs(runs::Command),
    /// Who the token's holder is, and where
    Whoami,
    /// Print the completion script of a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

/// Runs a command line, the program's name included, and tells how it went.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage::tell(error),
    };
    let output = Output::standard(cli.everywhere.json, cli.everywhere.color);
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return Failure::Error(format!("the runtime can't be started: {error}"))
                .tell(&mut { output }, None);
        }
    };
    runtime.block_on(perform(cli, output))
}

async fn perform(cli: Cli, mut output: Output) -> ExitCode {
    if let Command::Completions { shell } = cli.command {
        return ended(completions(shell, &mut output), &mut output, None);
    }
    let url = cli.everywhere.server.unwrap_or(cli.url);
    let connected = connect::connect(&url, cli.everywhere.token_file.as_deref(), &mut output);
    let (client, from) = match connected {
        Ok(connected) => connected,
        Err(failure) => return failure.tell(&mut output, None),
    };
    let mut session = Session {
        client,
        output,
        keyboard: Box::new(Terminal),
        yes: cli.everywhere.yes,
    };
    let outcome = match cli.command {
        Command::Secrets(command) => secrets::run(command, &mut session).await,
        Command::Jobs(command) => jobs::run(command, &mut session).await,
        Command::Runs(command) => runs::run(command, &mut session).await,
        Command::Whoami => whoami::run(&mut session).await,
        Command::Completions { .. } => Ok(()),
    };
    ended(outcome, &mut session.output, Some(&from))
}

fn ended(outcome: Result<(), Failure>, output: &mut Output, token_from: Option<&str>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(output, token_from),
    }
}

fn completions(shell: clap_complete::Shell, output: &mut Output) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "cronctl", &mut script);
    output.text(&String::from_utf8_lossy(&script))
}
