//! What the redactor must do, said a second time, slowly and plainly: the tests and the fuzz target compare against it.
//! Not part of the crate's interface, and nothing in the crate may call it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::Redactor;
use crate::values::{ENCODED_FROM, Values};

pub mod spell;

/// Secrets, a text that holds some of them in some encoding, and where to cut it.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Names and values.
    pub secrets: Vec<(String, Vec<u8>)>,
    /// The text to redact.
    pub text: Vec<u8>,
    /// Parts of the text that must not survive.
    pub hidden: Vec<Range<usize>>,
    /// Lengths of the pieces, used in turn; with the top bit set, `idle_flush` follows.
    pub cuts: Vec<u8>,
}

/// Characters that mean something to some encoding, and a few that don't.
const FILL: &[u8] = b"ab\\%&'+=/-_\r\n\n\"u0269cxABn;#{} Z";

impl Case {
    /// Reads a case from any bytes, so that a fuzzer or a property can shape it.
    pub fn from_bytes(data: &[u8]) -> Case {
        let mut data = data.iter().copied();
        let mut next = || data.next();
        let mut case = Case::default();
        for number in 0..next().unwrap_or(0) % 3 + 1 {
            let len = next().unwrap_or(0) % 40;
            let value = (0..len).map_while(|_| next()).map(fill).collect();
            case.secrets.push((format!("S{number}"), value));
        }
        case.cuts = (0..next().unwrap_or(0) % 8).map_while(|_| next()).collect();
        while let Some(byte) = next() {
            match byte {
                0xd0.. => case.hide(
                    byte - 0xd0,
                    next().unwrap_or(0),
                    u64::from(next().unwrap_or(0)),
                ),
                byte => case.text.push(fill(byte)),
            }
        }
        case
    }

    /// Appends a secret's value in some encoding.
    pub fn hide(&mut self, which: u8, encoding: u8, seed: u64) {
        let value = self.secrets[usize::from(which) % self.secrets.len()]
            .1
            .clone();
        let spelled = spell::value(&value, encoding, seed);
        let start = self.text.len();
        self.text.extend_from_slice(&spelled.text);
        if value.len() >= ENCODED_FROM || value.len() >= 4 && spelled.raw {
            self.hidden
                .push(start + spelled.hidden.start..start + spelled.hidden.end);
        }
    }
}

fn fill(byte: u8) -> u8 {
    if byte < 0xa0 {
        FILL[usize::from(byte) % FILL.len()]
    } else {
        byte
    }
}

/// Checks all properties on one case.
///
/// # Panics
///
/// When one does not hold. Cases are made up, so their values may be shown.
pub fn check(case: &Case) {
    let redactor = Redactor::new(
        case.secrets
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    );
    let whole = redactor.redact(&case.text);
    let expected = reference(case);
    assert_eq!(
        whole.escape_ascii().to_string(),
        expected.escape_ascii().to_string(),
        "one-shot, {case:?}"
    );
    let one = vec![1];
    for cuts in [&case.cuts, &one] {
        let pieces = in_pieces(&redactor, &case.text, cuts);
        assert_eq!(
            pieces.escape_ascii().to_string(),
            expected.escape_ascii().to_string(),
            "cuts {cuts:?}, {case:?}"
        );
    }
}

/// The output of a stream that is cut like this.
pub fn in_pieces(redactor: &Redactor, text: &[u8], cuts: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut stream = redactor.stream();
    let mut rest = text;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, later) = rest.split_at(usize::from(cut & 0x7f).clamp(1, rest.len()));
        stream.push(piece, &mut out);
        if cut & 0x80 != 0 {
            stream.idle_flush(&mut out);
        }
        rest = later;
    }
    stream.push(rest, &mut out);
    stream.finish(&mut out);
    out
}

/// The redacted text by the reference; checks that nothing that was hidden in it is left.
pub fn reference(case: &Case) -> Vec<u8> {
    let values = Values::new(
        case.secrets
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    );
    // Furthest end for each start; the first value of the longest wins.
    let mut finds: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (index, value) in values.iter() {
        for range in finds_of(value, &case.text) {
            let longest = finds.entry(range.start).or_insert((range.end, index));
            if range.end > longest.0 {
                *longest = (range.end, index);
            }
        }
    }
    let mut out = Vec::new();
    let mut covered = vec![false; case.text.len()];
    let mut last_end = None;
    let mut at = 0;
    for (start, (end, value)) in finds {
        if last_end.is_none_or(|last| last < start) {
            out.extend_from_slice(&case.text[at..start]);
            out.extend_from_slice(format!("[REDACTED:{}]", values.name(value)).as_bytes());
        }
        covered[start..end].fill(true);
        at = at.max(end);
        last_end = Some(at);
    }
    out.extend_from_slice(&case.text[at..]);
    for hidden in &case.hidden {
        assert!(
            covered[hidden.clone()].iter().all(|covered| *covered),
            "{hidden:?} is left, {case:?}"
        );
    }
    out
}

fn finds_of(value: &[u8], text: &[u8]) -> Vec<Range<usize>> {
    let mut finds = Vec::new();
    if value.len() < ENCODED_FROM {
        finds.extend(occurrences(value, text));
        return finds;
    }
    let ways: Vec<_> = (0..value.len())
        .map(|at| spell::escapes(&value[at..]))
        .collect();
    let runs = unbroken(text);
    for start in 0..text.len() {
        finds.extend(furthest(value, &ways, text, start).map(|end| start..end));
    }
    let mut fixed = vec![value.to_vec()];
    fixed.extend([spell::hex(value, false), spell::hex(value, true)]);
    for form in fixed {
        finds.extend(occurrences(&form, text));
    }
    for run in &runs {
        for offset in 0..3 {
            for url in [false, true] {
                base64_finds(value, offset, url, run, &mut finds);
            }
        }
    }
    finds
}

fn occurrences(needle: &[u8], text: &[u8]) -> Vec<Range<usize>> {
    let starts = (0..text.len()).filter(|start| text[*start..].starts_with(needle));
    starts.map(|start| start..start + needle.len()).collect()
}

/// The furthest end of the value in any spelling from `start` on.
fn furthest(value: &[u8], ways: &[Vec<spell::Escape>], text: &[u8], start: usize) -> Option<usize> {
    let mut places = vec![BTreeSet::new(); value.len() + 1];
    places[0].insert(start);
    for i in 0..value.len() {
        for at in std::mem::take(&mut places[i]) {
            if text.get(at) == Some(&value[i]) {
                places[i + 1].insert(at + 1);
            }
            for way in &ways[i] {
                if let Some(len) = way.there(&text[at..]) {
                    places[i + way.takes].insert(at + len);
                }
            }
        }
    }
    places[value.len()].last().copied()
}

/// Base64 characters (and `=`) that follow each other, with their places.
struct Run(Vec<(usize, u8)>);

impl Run {
    /// Whether the lines that lie whole inside the range have four characters or more.
    fn lines_are_long(&self, range: &Range<usize>) -> bool {
        let pairs = range.clone().zip(range.start + 1..range.end);
        let ends: Vec<_> = pairs
            .filter(|(a, b)| self.0[*b].0 - self.0[*a].0 > 1)
            .collect();
        ends.windows(2).all(|ends| ends[1].0 - ends[0].0 >= 4)
    }
}

/// The runs of a text, going on over line ends.
fn unbroken(text: &[u8]) -> Vec<Run> {
    let inside = |at: usize| {
        text.get(at)
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
    };
    let mut runs = vec![Run(Vec::new())];
    let mut at = 0;
    while at < text.len() {
        let line_end = [b"\n".as_slice(), b"\r\n", b"\r\r\n"]
            .into_iter()
            .find(|end| text[at..].starts_with(end));
        // Padding ends a run; no line end joins anything to it.
        if inside(at) || text[at] == b'=' {
            runs.last_mut()
                .into_iter()
                .for_each(|run| run.0.push((at, text[at])));
            at += 1;
        } else if let Some(end) = line_end
            && at > 0
            && inside(at - 1)
            && inside(at + end.len())
        {
            at += end.len();
        } else {
            runs.push(Run(Vec::new()));
            at += 1;
        }
    }
    runs
}

/// Encodes the value with every neighbour it can have, and takes what depends on the value.
fn base64_finds(value: &[u8], offset: usize, url: bool, run: &Run, finds: &mut Vec<Range<usize>>) {
    let first = (8 * offset).div_ceil(6);
    let last = 8 * (offset + value.len()) / 6;
    let encoded = |before: u8, after: u8| {
        let mut bytes = vec![before; offset];
        bytes.extend_from_slice(value);
        bytes.extend([after; 3]);
        spell::base64(&bytes, url)
    };
    let core = encoded(0, 0)[first..last].to_vec();
    let text: Vec<u8> = run.0.iter().map(|(_, byte)| *byte).collect();
    let cores = occurrences(&core, &text);
    if cores.is_empty() {
        return;
    }
    // An edge may be in either alphabet.
    let edges = |at: usize| -> BTreeSet<u8> {
        let both = (0..=255).flat_map(|byte| [false, true].map(|url| (byte, url)));
        let with = both.map(|(byte, url)| {
            let mut bytes = vec![byte; offset];
            bytes.extend_from_slice(value);
            bytes.extend([byte; 3]);
            spell::base64(&bytes, url)[at]
        });
        with.collect()
    };
    let left = (!(8 * offset).is_multiple_of(6)).then(|| edges(first - 1));
    let right = (!(8 * (offset + value.len())).is_multiple_of(6)).then(|| edges(last));
    for range in cores {
        if !run.lines_are_long(&range) {
            continue;
        }
        let (mut start, mut end) = (range.start, range.end);
        if start > 0
            && left
                .as_ref()
                .is_some_and(|edge| edge.contains(&text[start - 1]))
        {
            start -= 1;
        }
        let mut whole = true;
        if let Some(edge) = &right {
            whole = text.get(end).is_some_and(|byte| edge.contains(byte));
            end += usize::from(whole);
        }
        let padding = "=".repeat((3 - (offset + value.len()) % 3) % 3);
        if whole && text[end..].starts_with(padding.as_bytes()) {
            end += padding.len();
        }
        finds.push(run.0[start].0..run.0[end - 1].0 + 1);
    }
}
