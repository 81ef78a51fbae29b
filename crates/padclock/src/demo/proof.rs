//! The two proofs: that the target got the value, and that nothing else has it. Each says what it is based on, and each can
//! fail.

use std::fmt::Write;

use super::screen::{Style, grouped};
use super::search::{Control, Search};
use super::target::{Place, Sums};

/// What the search saw of one kind of places.
pub(super) struct Sweep {
    /// `stored`, `logged`, …
    pub(super) verb: &'static str,
    pub(super) what: String,
    pub(super) bytes: usize,
    pub(super) places: usize,
    finds: Vec<String>,
    /// Whether a text that must be there was there: the places were read, and are the right ones.
    read: bool,
}

impl Sweep {
    /// Searches places, each a name and its bytes, one of which must hold `known`.
    pub(super) fn new(
        search: &Search,
        verb: &'static str,
        what: String,
        known: &str,
        places: &[(String, Vec<u8>)],
    ) -> Self {
        let find = |(name, bytes): &(String, Vec<u8>)| {
            let find = search.find(bytes)?;
            Some(format!(
                "in {name}, byte {}: {}",
                grouped(find.at),
                find.form
            ))
        };
        Self {
            verb,
            what,
            bytes: places.iter().map(|(_, bytes)| bytes.len()).sum(),
            places: places.len(),
            finds: places.iter().filter_map(find).collect(),
            read: places.iter().any(|(_, bytes)| {
                bytes
                    .windows(known.len())
                    .any(|window| window == known.as_bytes())
            }),
        }
    }

    fn holds(&self) -> bool {
        self.finds.is_empty() && self.read
    }
}

/// A proof as it is printed, and whether it holds.
pub(super) struct Proof {
    pub(super) text: String,
    pub(super) holds: bool,
}

/// That each of at least `least` requests brought the value whose sum this is, in each place.
pub(super) fn arrived(sums: &Sums, expected: &[u8; 32], least: usize, style: Style) -> Proof {
    let mut text = style.head("Proof 1: the target got the value");
    // Writing to a String does not fail, here and below.
    let _ = write!(
        text,
        "\n  It kept nothing but SHA-256 sums of what arrived:\n    the value       {}",
        short(expected)
    );
    let mut holds = true;
    for place in Place::ALL {
        let here = || sums.iter().filter(move |((at, _), _)| *at == place);
        let all: usize = here().map(|(_, count)| count).sum();
        let right = sums.get(&(place, *expected)).copied().unwrap_or(0);
        let good = right == all && right >= least;
        holds &= good;
        let other = here()
            .find(|((_, sum), _)| sum != expected)
            .or_else(|| here().next());
        let sum = other.map(|((_, sum), _)| short(sum)).unwrap_or_default();
        let verdict = if good {
            style.good("the same")
        } else {
            style.bad("NOT THE VALUE'S")
        };
        let _ = write!(
            text,
            "\n    in the {:<8} {sum:<26} {right} of {all} {verdict}",
            place.word()
        );
    }
    Proof { text, holds }
}

fn short(sum: &[u8; 32]) -> String {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    format!("{}…{}", hex(&sum[..6]), hex(&sum[26..]))
}

/// That the search can find, and found nothing.
pub(super) fn nowhere_else(
    search: &Search,
    control: &Control,
    sweeps: &[Sweep],
    style: Style,
) -> Proof {
    let mut text = style.head("Proof 2: the value is nowhere else");
    let _ = write!(
        text,
        "\n  Sought: any 12 bytes in a row of the value, in {} ways of writing it",
        search.forms()
    );
    text.push_str("\n  (base64, percent, JSON, HTML, shell, hex, …; forwards and backwards).");
    for sweep in sweeps {
        text.push_str(&line_of(sweep, style));
    }
    let (bytes, places) = sweeps.iter().fold((0, 0), |(bytes, places), sweep| {
        (bytes + sweep.bytes, places + sweep.places)
    });
    let _ = write!(
        text,
        "\n    {:<9} {:<38}{:>14} bytes",
        "together",
        format!("{} places", grouped(places)),
        grouped(bytes)
    );
    let found = control.planted - control.missed.len();
    let verdict = if control.passed() {
        style.good("found")
    } else {
        style.bad("THE SEARCH IS BLIND")
    };
    let count = format!("{found} of {}", control.planted);
    let _ = write!(
        text,
        "\n    {:<9} {:<38}{count:>14}       {verdict}",
        "control", "another value, planted in each way"
    );
    for missed in &control.missed {
        let _ = write!(text, "\n      {} {missed}", style.bad("not found:"));
    }
    if control.false_alarm {
        let _ = write!(
            text,
            "\n      {}",
            style.bad("found where nothing was planted")
        );
    }
    Proof {
        text,
        holds: control.passed() && !sweeps.is_empty() && sweeps.iter().all(Sweep::holds),
    }
}

fn line_of(sweep: &Sweep, style: Style) -> String {
    let verdict = match (sweep.finds.is_empty(), sweep.read) {
        (true, true) => style.good("clean"),
        (true, false) => style.bad("NOT READ"),
        (false, _) => style.bad("FOUND"),
    };
    let mut line = format!(
        "\n    {:<9} {:<38}{:>14} bytes {verdict}",
        sweep.verb,
        sweep.what,
        grouped(sweep.bytes)
    );
    for find in sweep.finds.iter().take(5) {
        let _ = write!(line, "\n      {find}");
    }
    line
}

#[cfg(test)]
mod tests;
