//! `cronctl`, the client: the command line, and which part does what it asks for.
//!
//! Everything goes over the API by `padclock_api::client`. Nothing here but `exec::inject`, `credential`, `profile::keep` and
//! `secrets::reveal` reads a value's bytes, and nothing but
//! `output` (and `exec::child`, a command's own output) writes to the terminal.

mod approvals;
mod audit;
mod connect;
mod credential;
mod environments;
mod exec;
mod export;
mod failure;
mod find;
mod import;
mod invitations;
mod jobs;
mod keyboard;
mod login;
mod members;
mod output;
mod policy;
mod profile;
mod runs;
mod scan;
mod secrets;
mod session;
mod shown;
mod tokens;
mod usage;
mod value_input;
mod whoami;
mod workspaces;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};

use failure::Failure;
use keyboard::Terminal;
use output::{Color, Output};
use session::Session;

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 error, 2 usage, 3 the run failed, 4 not authenticated, 5 refused.
The token is taken from --token-file, else CRONCTL_TOKEN, else from the profile that cronctl login has kept, else (on this machine) from the
owner.token that the server wrote.";

const EVERYWHERE: &str = "Options of every command";

/// The client of Padclock.
#[derive(Debug, Parser)]
#[command(name = "cronctl", bin_name = "cronctl", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(flatten)]
    everywhere: Everywhere,
    /// The server [default: the profile's, else http://127.0.0.1:7464]; with --server it may also be named after the command
    #[arg(long, env = "CRONCTL_URL", hide_env_values = true)]
    url: Option<String>,
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
    /// The server and token that `cronctl login --profile NAME` has kept
    #[arg(long, global = true, env = "CRONCTL_PROFILE", hide_env_values = true, help_heading = EVERYWHERE, value_name = "NAME")]
    profile: Option<String>,
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
    /// Secrets: names and what is known about them; values go in, and come out only for `reveal` and `exec`
    #[command(subcommand)]
    Secrets(secrets::Command),
    /// Jobs: what runs, and when
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Executions: what ran, and how it went
    #[command(subcommand)]
    Runs(runs::Command),
    /// The audit: who did what
    #[command(subcommand)]
    Audit(audit::Command),
    /// Who the token's holder is, and where
    Whoami,
    /// Sign in to a server: a page of it, opened by who is signed in there, confirms the code that is shown
    Login(login::Login),
    /// End the token of a profile on its server, and forget it
    Logout(login::Logout),
    /// Find credentials in plain text: in jobs, files and crontabs
    Scan(Box<scan::Scan>),
    /// Run a command of this machine with secrets in its environment, its output redacted
    Exec(exec::Exec),
    /// Make jobs and secrets of a crontab, a .env file or another scheduler's document
    Import(import::Import),
    /// Write all jobs, and what is known of the secrets, as one document
    Export(export::Export),
    /// Approvals: what one admin asks for and another decides
    #[command(subcommand)]
    Approvals(approvals::Command),
    /// Workspaces: those you are a member of, and what each asks of its secrets and jobs
    #[command(subcommand)]
    Workspaces(workspaces::Command),
    /// Members: who is in the workspace, and what each may do
    #[command(subcommand)]
    Members(members::Command),
    /// Invitations: links that nobody has accepted yet
    #[command(subcommand)]
    Invitations(invitations::Command),
    /// Tokens: what lets members in, narrowed as they wish
    #[command(subcommand)]
    Tokens(tokens::Command),
    /// Environments: named sets of values
    #[command(subcommand)]
    Environments(environments::Command),
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
    if let Err(error) = crate::hygiene::seclude() {
        let why = format!("core dumps can't be turned off: {error}");
        return Failure::Error(why).tell(&mut Output::standard(false, Color::Never), None);
    }
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
    let asked = connect::Asked {
        url: cli.everywhere.server.or(cli.url),
        profile: cli.everywhere.profile,
        token_file: cli.everywhere.token_file,
    };
    match &cli.command {
        Command::Login(options) => {
            let outcome = sign_in(&asked, options, &mut output).await;
            return ended(outcome, &mut output, None);
        }
        Command::Logout(options) => {
            let outcome = login::logout(asked.profile_name(), options, &mut output).await;
            return ended(outcome, &mut output, None);
        }
        Command::Scan(what) if what.is_local() => {
            let outcome = scan::local(what, &mut Terminal, &mut output);
            return ended(outcome, &mut output, None);
        }
        _ => {}
    }
    let (client, from) = match connect::connect(&asked, &mut output) {
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
        Command::Approvals(command) => approvals::run(command, &mut session).await,
        Command::Audit(command) => audit::run(command, &mut session).await,
        Command::Whoami => whoami::run(&mut session).await,
        Command::Scan(what) => scan::run(*what, &mut session).await,
        Command::Exec(exec) => exec::run(exec, &mut session).await,
        Command::Import(import) => import::run(import, &mut session).await,
        Command::Export(export) => export::run(export, &mut session).await,
        Command::Workspaces(command) => workspaces::run(command, &mut session).await,
        Command::Members(command) => members::run(command, &mut session).await,
        Command::Invitations(command) => invitations::run(command, &mut session).await,
        Command::Tokens(command) => tokens::run(command, &mut session).await,
        Command::Environments(command) => environments::run(command, &mut session).await,
        Command::Login(_) | Command::Logout(_) | Command::Completions { .. } => Ok(()),
    };
    ended(outcome, &mut session.output, Some(&from))
}

async fn sign_in(
    asked: &connect::Asked,
    options: &login::Login,
    output: &mut Output,
) -> Result<(), Failure> {
    let to = login::To {
        base: asked.base()?,
        profile: asked.profile_name(),
    };
    login::login(to, options, &mut Terminal, output).await
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
