//! The benchmarks, run by `cargo xtask bench NAME`: each measures one thing beside its yardstick, in turns, in the same
//! run. Only dispatch lives here; each benchmark has a file of its own, and none is switched to less than users have.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for reading figures off a terminal"
)]

mod arguments;
mod burst;
mod caller;
mod corpus;
mod machine;
mod node;
mod p1;
mod p2;
mod p3;
mod p6;
mod p7;
mod p8;
mod p9;
mod report;
mod statistics;
mod target;
mod watch;
mod yardstick;

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::arguments::{Options, USAGE};
use crate::machine::Machine;
use crate::report::Report;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.is_empty() || words.iter().any(|word| word == "help" || word == "--help") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<()> {
    let options = Options::read(words)?;
    let machine = Machine::here();
    println!("{}", machine.line());
    if cfg!(debug_assertions) {
        println!("a debug build: its figures mean nothing");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    for name in &options.names {
        eprintln!("{name}");
        let report = runtime.block_on(one(name, &options))?;
        let command = format!("cargo xtask bench {}", words.join(" "));
        report.publish(&machine, &command, options.json.as_deref())?;
    }
    Ok(())
}

async fn one(name: &str, options: &Options) -> Result<Report> {
    match name {
        "p1" => p1::run(options).await,
        "p2" => p2::run(options).await,
        "p3" => p3::run(options).await,
        "p6" => p6::run(options),
        "p7" => p7::run(options),
        "p8" => p8::run(options).await,
        "p9" => p9::run(options).await,
        other => bail!("there is no benchmark {other:?}"),
    }
}
