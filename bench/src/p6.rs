//! P6: redaction on one core, over log text, in a stream's chunks; building a redactor; and the small case that each
//! execution pays. The yardsticks are `memchr` over the same text, and an `aho-corasick` DFA stepped over it that knows
//! the secrets as they are (the redactor finds their encoded forms too).

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Result, ensure};
use padclock_redact::Redactor;

use crate::arguments::Options;
use crate::corpus;
use crate::report::{Figure, Report};
use crate::statistics::ratios;
use crate::target;
use crate::yardstick::scan::{Dfa, memchr_pass};

const MIB: usize = 1024 * 1024;
const CORPUS: usize = 64 * MIB;
const NEEDLES: [usize; 4] = [1, 20, 160, 1_000];
const CHUNKS: [(usize, &str); 2] = [(4 * 1024, "4 KiB"), (64 * 1024, "64 KiB")];
/// The count of secrets that has figures to reach.
const JUDGED: usize = 160;

/// Header values as servers answer them.
const HEADERS: [&str; 12] = [
    "application/json; charset=utf-8",
    "Sun, 15 Mar 2026 10:00:00 GMT",
    "nginx/1.25.3",
    "1024",
    "no-store",
    "7f3a9c1e-55aa-4c1d-9d0c-1d2e3f4a5b6c",
    "max-age=31536000; includeSubDomains",
    "nosniff",
    "W/\"5f-1a2b3c\"",
    "Accept-Encoding, Origin",
    "100",
    "keep-alive",
];

/// Runs it.
///
/// # Errors
/// When something is not redacted, or too much is.
pub fn run(options: &Options) -> Result<Report> {
    let passes = if options.quick { 2 } else { 16 };
    let mut report = Report::new(
        "p6",
        format!(
            "redaction of {} MiB of log text, one core",
            passes * CORPUS / MIB
        ),
    );
    let clean = corpus::log_text(CORPUS);
    let mut bare = Vec::new();
    for count in NEEDLES {
        let secrets = corpus::secrets(count);
        let (matching, matches) = corpus::with_matches(&clean, &secrets);
        for (name, text, matches) in [
            ("matchless", &clean, 0),
            ("a match per KiB", &matching, matches),
        ] {
            let case = Case {
                secrets: &secrets,
                text,
                matches,
                passes,
            };
            eprintln!("  {count} secrets, {name}");
            case.measure(name, options, &mut report, &mut bare)?;
        }
    }
    report.figure(Figure::new("yardstick: memchr", "GB/s", &bare));
    build(options, &mut report);
    small(options, &mut report);
    Ok(report)
}

/// Some secrets and a text.
struct Case<'c> {
    secrets: &'c [Vec<u8>],
    text: &'c [u8],
    matches: usize,
    passes: usize,
}

impl Case<'_> {
    fn measure(
        &self,
        name: &str,
        options: &Options,
        report: &mut Report,
        bare: &mut Vec<f64>,
    ) -> Result<()> {
        let (redactor, dfa) = (redactor(self.secrets), Dfa::new(self.secrets)?);
        self.verify(&redactor, &dfa)?;
        let (mut stepped, mut ours) = (Vec::new(), [const { Vec::new() }; CHUNKS.len()]);
        let mut out = Vec::new();
        for _ in 0..options.rounds() {
            bare.push(self.rate(|| memchr_pass(self.text)));
            stepped.push(self.rate(|| dfa.pass(self.text)));
            for ((chunk, _), rounds) in CHUNKS.iter().zip(&mut ours) {
                let mut look = |out: &[u8]| {
                    black_box(out);
                };
                rounds.push(self.rate(|| pass(&redactor, self.text, *chunk, &mut out, &mut look)));
            }
        }
        let count = self.secrets.len();
        let s = if count == 1 { "" } else { "s" };
        for ((_, chunk), rounds) in CHUNKS.iter().zip(&ours) {
            report.figure(Figure::new(
                format!("{count} secret{s}, {name}, {chunk} chunks"),
                "GB/s",
                rounds,
            ));
            let least = if count == JUDGED && self.matches == 0 {
                4.0
            } else {
                1.0
            };
            let ratio = Figure::new(
                format!("{count} secret{s}, {name}, {chunk}: ratio to the DFA"),
                "",
                &ratios(rounds, &stepped),
            );
            report.figure(ratio.at_least(least));
        }
        let patterns = dfa.patterns();
        report.figure(Figure::new(
            format!("yardstick: DFA of {patterns} pattern{s}, {name}"),
            "GB/s",
            &stepped,
        ));
        Ok(())
    }

    /// What is to be found is found, in each kind of chunks, and nothing else is touched.
    fn verify(&self, redactor: &Redactor, dfa: &Dfa) -> Result<()> {
        ensure!(
            dfa.pass(self.text) == self.matches,
            "the DFA found another number of secrets than were put in"
        );
        for (chunk, name) in CHUNKS {
            let (mut out, mut found, mut tail) = (Vec::new(), 0, Vec::new());
            pass(redactor, self.text, chunk, &mut out, &mut |out| {
                found += placeholders(out, &mut tail)
            });
            let expected = self.matches;
            ensure!(
                found == expected,
                "{found} placeholders for {expected} secrets, in chunks of {name}"
            );
        }
        Ok(())
    }

    /// GB/s of a pass over the text, repeated.
    #[expect(clippy::cast_precision_loss, reason = "a few GiB")]
    fn rate<R>(&self, mut pass: impl FnMut() -> R) -> f64 {
        let begun = Instant::now();
        for _ in 0..self.passes {
            black_box(pass());
        }
        (self.text.len() * self.passes) as f64 / begun.elapsed().as_secs_f64() / 1e9
    }
}

/// Puts the text through in chunks; `took` sees each piece of output.
fn pass(
    redactor: &Redactor,
    text: &[u8],
    chunk: usize,
    out: &mut Vec<u8>,
    took: &mut dyn FnMut(&[u8]),
) {
    let mut stream = redactor.stream();
    for piece in text.chunks(chunk) {
        out.clear();
        stream.push(piece, out);
        took(out);
    }
    out.clear();
    stream.finish(out);
    took(out);
}

/// How many placeholders begin in `out`; one may begin in the piece before, whose end `tail` keeps.
fn placeholders(out: &[u8], tail: &mut Vec<u8>) -> usize {
    const HEAD: &[u8] = b"[REDACTED:";
    tail.extend_from_slice(out);
    let found = memchr::memmem::find_iter(tail, HEAD).count();
    tail.drain(..tail.len().saturating_sub(HEAD.len() - 1));
    found
}

fn redactor(secrets: &[Vec<u8>]) -> Redactor {
    let names: Vec<String> = (0..secrets.len())
        .map(|index| format!("SECRET_{index}"))
        .collect();
    Redactor::new(
        names
            .iter()
            .zip(secrets)
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    )
}

fn build(options: &Options, report: &mut Report) {
    const TIMES: u32 = 20;
    let secrets = corpus::secrets(JUDGED);
    let round = |_| micros(TIMES, || redactor(black_box(&secrets))) / 1_000.0;
    let rounds: Vec<f64> = (0..options.rounds()).map(round).collect();
    report.figure(
        Figure::new(
            format!("a redactor of {JUDGED} secrets, built"),
            "ms",
            &rounds,
        )
        .at_most(1.0),
    );
}

/// What an execution with one secret and a small answer pays.
fn small(options: &Options, report: &mut Report) {
    const TIMES: u32 = 5_000;
    let secret = &corpus::secrets(1)[0].repeat(2)[..40];
    let body = target::answer();
    let scan = |redactor: &Redactor| {
        black_box(redactor.redact(black_box(body.as_bytes())));
        for header in HEADERS {
            black_box(redactor.redact_str(black_box(header)));
        }
    };
    let make = || Redactor::new([("API_KEY", black_box(secret))]);
    let kept = make();
    let (mut built, mut scanned, mut both) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds() {
        built.push(micros(TIMES, make));
        scanned.push(micros(TIMES, || scan(&kept)));
        both.push(micros(TIMES, || scan(&make())));
    }
    report.figure(Figure::new(
        "small case: a redactor of one 40-byte secret, built",
        "µs",
        &built,
    ));
    report.figure(Figure::new(
        "small case: 1 KiB of JSON and a dozen headers",
        "µs",
        &scanned,
    ));
    report.figure(Figure::new("small case: both", "µs", &both));
}

fn micros<R>(times: u32, mut work: impl FnMut() -> R) -> f64 {
    let begun = Instant::now();
    for _ in 0..times {
        black_box(work());
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}
