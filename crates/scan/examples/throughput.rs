//! How fast files are scanned, and which rules speak: `cargo run --release -p padclock-scan --example throughput -- FILE…`.
//! With `--places` it tells each finding's place, for a look at false ones.

use std::collections::BTreeMap;
use std::time::Instant;

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn main() {
    let mut places = false;
    let mut texts = Vec::new();
    for argument in std::env::args().skip(1) {
        if argument == "--places" {
            places = true;
        } else if let Ok(text) = std::fs::read_to_string(&argument) {
            texts.push((argument, text));
        }
    }
    let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
    let begun = Instant::now();
    let found: Vec<_> = texts
        .iter()
        .map(|(path, text)| (path, padclock_scan::scan_text(text)))
        .collect();
    let took = begun.elapsed().as_secs_f64();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, findings) in found {
        for finding in findings {
            *counts.entry(finding.rule).or_default() += 1;
            if places {
                println!(
                    "{path}:{}:{} {}",
                    finding.line, finding.column, finding.rule
                );
            }
        }
    }
    println!(
        "{} files, {:.1} MB, {:.0} MB/s, {counts:?}",
        texts.len(),
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / took
    );
}
