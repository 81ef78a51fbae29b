//! What the command line asks for.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// How to use this program.
pub const USAGE: &str = "\
cargo xtask bench NAME [--quick] [--rounds N] [--jobs N] [--period SECONDS] [--json FILE]

  p1   executions per second, many jobs due at once, embedded store
  p2   the same on PostgreSQL: one node, and two
  p3   from run-now accepted to the first byte at the target
  p6   redaction, GB/s on one core
  p7   seal and open, opaque references
  p8   values read back and secrets written per second
  p9   start, idle memory and CPU, size
  all  each of them

  --quick   a minute's version: fewer rounds of less; for a look, not for the record
  --rounds  so many rounds instead of 5 (3 with --quick)
  --jobs    p1, p2: so many jobs instead of 50,000 (15,000 with --quick); p9: of 1,000,000 (100,000)
  --period  p1, p2: a burst every so many seconds instead of 20 (12 with --quick)
  --json    append the figures to this file, one line of JSON for each benchmark
";

/// The benchmarks, in the order `all` runs them.
pub const NAMES: [&str; 7] = ["p1", "p2", "p3", "p6", "p7", "p8", "p9"];

/// The command line, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub names: Vec<String>,
    pub quick: bool,
    pub json: Option<PathBuf>,
    rounds: Option<usize>,
    jobs: Option<usize>,
    period: Option<usize>,
}

impl Options {
    /// Reads the words behind the program's name.
    ///
    /// # Errors
    /// When a word is not understood, or no benchmark is named.
    pub fn read(words: &[String]) -> Result<Self> {
        let mut options = Self::default();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("{word} wants a value"));
            match word.as_str() {
                "--quick" => options.quick = true,
                "--json" => options.json = Some(value()?.into()),
                "--rounds" => options.rounds = Some(number(word, value()?)?),
                "--jobs" => options.jobs = Some(number(word, value()?)?),
                "--period" => options.period = Some(number(word, value()?)?),
                "all" => options.names.extend(NAMES.map(str::to_owned)),
                name if NAMES.contains(&name) => options.names.push(name.to_owned()),
                other => bail!("{other:?} is not understood\n\n{USAGE}"),
            }
        }
        if options.names.is_empty() {
            bail!("name a benchmark\n\n{USAGE}");
        }
        Ok(options)
    }

    /// How often each thing is measured.
    pub fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 })
    }

    /// How many jobs are due at once.
    pub fn jobs(&self) -> usize {
        self.jobs
            .unwrap_or(if self.quick { 15_000 } else { 50_000 })
    }

    /// How many jobs the large store has.
    pub fn stored_jobs(&self) -> usize {
        self.jobs
            .unwrap_or(if self.quick { 100_000 } else { 1_000_000 })
    }

    /// Seconds from one burst to the next.
    pub fn period(&self) -> u32 {
        let seconds = self.period.unwrap_or(if self.quick { 12 } else { 20 });
        u32::try_from(seconds).unwrap_or(u32::MAX)
    }
}

fn number(word: &str, text: &str) -> Result<usize> {
    match text.replace(['_', ','], "").parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => bail!("{word} wants a whole number above 0, not {text:?}"),
    }
}

#[cfg(test)]
mod tests;
