//! Named steps run one after the other, each with its seconds, and the summary at the end. Knows nothing of what the steps do.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

struct Step {
    name: String,
    code: u8,
    took: Duration,
}

/// The steps done so far. Ask `failed` between two of them: the first failure ends a run.
#[derive(Default)]
pub struct Steps(Vec<Step>);

impl Steps {
    /// Runs one step, which answers an exit code, and keeps that and its seconds.
    pub fn run(&mut self, name: &str, step: impl FnOnce() -> Result<u8>) -> Result<u8> {
        println!("\n==> {name}");
        let start = Instant::now();
        let result = step();
        self.0.push(Step {
            name: name.to_owned(),
            code: *result.as_ref().unwrap_or(&1),
            took: start.elapsed(),
        });
        result
    }

    /// One line per step: its name, its seconds, and whether it passed.
    pub fn summary(&self) -> String {
        let mut out = String::new();
        for step in &self.0 {
            let verdict = match step.code {
                0 => "ok".to_owned(),
                code => format!("FAILED (exit code {code})"),
            };
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "{:>8.1} s  {:<34} {verdict}",
                step.took.as_secs_f64(),
                step.name
            );
        }
        out
    }
}

/// The cargo that started us, so that a tool chain chosen for it is kept.
pub fn cargo(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(root);
    command
}

/// Runs a command on our own terminal; its exit code, 1 when a signal ended it.
pub fn exit_code(command: &mut Command) -> Result<u8> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    Ok(status
        .code()
        .map_or(1, |code| u8::try_from(code).unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_each_step_and_the_failing_one_with_its_code() {
        let mut steps = Steps::default();
        assert_eq!(steps.run("first", || Ok(0)).unwrap(), 0);
        assert_eq!(steps.run("second", || Ok(101)).unwrap(), 101);
        assert!(steps.run("third", || anyhow::bail!("no disk")).is_err());
        let lines: Vec<String> = steps.summary().lines().map(str::to_owned).collect();
        assert!(lines[0].contains("first") && lines[0].ends_with("ok"));
        assert!(lines[1].contains("second") && lines[1].ends_with("FAILED (exit code 101)"));
        assert!(lines[2].contains("third") && lines[2].ends_with("FAILED (exit code 1)"));
    }

    #[test]
    fn an_exit_code_is_handed_on() {
        assert_eq!(
            exit_code(Command::new("sh").args(["-c", "exit 7"])).unwrap(),
            7
        );
        assert_eq!(
            exit_code(Command::new("sh").args(["-c", "kill -9 $$"])).unwrap(),
            1
        );
    }
}
