//! Times the redactor for tuning: throughput on log text beside an `aho-corasick` DFA and `memchr`, and the cost of one
//! small attempt. The project's official figures come from the benchmarks in `bench`, not from here.
#![expect(
    clippy::print_stdout,
    reason = "a program for reading figures off a terminal"
)]

use std::hint::black_box;
use std::time::Instant;

use aho_corasick::{Anchored, automaton::Automaton, dfa};
use padclock_redact::Redactor;

/// A small generator, so that each run sees the same bytes.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }
}

const WORDS: [&str; 16] = [
    "GET",
    "/v1/jobs?name=a%20b&limit=20",
    "status=200",
    "\"msg\":\"done\\n\"",
    "level=info",
    "user=alice",
    "retry",
    "https://api.example.com/v1/items",
    "duration_ms=12.5",
    "connection reset by peer",
    "7f3a9c1e-55aa",
    "worker-3",
    "{\"id\":42,\"ok\":true}",
    "checkpoint complete",
    "INFO",
    "host=db-1.internal",
];

fn log_text(len: usize) -> Vec<u8> {
    let mut random = Random(7);
    let mut out = Vec::with_capacity(len + 200);
    while out.len() < len {
        out.extend_from_slice(b"2026-03-15T10:00:00.123Z");
        for _ in 0..4 + random.next(8) {
            out.push(b' ');
            out.extend_from_slice(WORDS[random.next(WORDS.len())].as_bytes());
            if random.next(4) == 0 {
                out.extend_from_slice(format!("={}", random.next(1 << 30)).as_bytes());
            }
        }
        out.push(b'\n');
    }
    out.truncate(len);
    out
}

fn secrets(count: usize, head: &str) -> Vec<(String, Vec<u8>)> {
    let mut random = Random(99);
    let characters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
    let secret = |index| {
        let len = 20 + random.next(41);
        let tail = (head.len()..len).map(|_| characters[random.next(characters.len())]);
        (
            format!("SECRET_{index}"),
            head.bytes().chain(tail).collect(),
        )
    };
    (0..count).map(secret).collect()
}

fn redactor(secrets: &[(String, Vec<u8>)]) -> Redactor {
    Redactor::new(
        secrets
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice())),
    )
}

/// Median seconds of several runs.
fn time(runs: usize, mut work: impl FnMut()) -> f64 {
    let mut all: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all[runs / 2]
}

fn stream(redactor: &Redactor, text: &[u8], chunk: usize, out: &mut Vec<u8>) {
    let mut stream = redactor.stream();
    for piece in text.chunks(chunk) {
        out.clear();
        stream.push(piece, out);
        black_box(&out);
    }
    stream.finish(out);
}

fn step_dfa(secrets: &[(String, Vec<u8>)], text: &[u8]) -> Option<f64> {
    let dfa = dfa::DFA::new(secrets.iter().map(|(_, value)| value)).ok()?;
    let start = dfa.start_state(Anchored::No).ok()?;
    let seconds = time(3, || {
        let mut state = start;
        let mut hits = 0;
        for byte in text {
            state = dfa.next_state(Anchored::No, state, *byte);
            hits += usize::from(dfa.is_special(state) && dfa.is_match(state));
        }
        black_box(hits);
    });
    Some(seconds)
}

fn throughput(count: usize, head: &str, text: &[u8]) {
    let secrets = secrets(count, head);
    let redactor = redactor(&secrets);
    let rate = |seconds: f64| text.len() as f64 / seconds / 1e9;
    let mut out = Vec::new();
    let whole = rate(time(5, || drop(black_box(redactor.redact(text)))));
    let [small, large] =
        [4096, 65536].map(|chunk| rate(time(5, || stream(&redactor, text, chunk, &mut out))));
    let mut with_finds = text.to_vec();
    for (index, piece) in with_finds.chunks_mut(1024).enumerate() {
        let value = &secrets[index % count].1;
        if piece.len() > value.len() {
            piece[..value.len()].copy_from_slice(value);
        }
    }
    let finds = rate(time(5, || stream(&redactor, &with_finds, 65536, &mut out)));
    let dfa = step_dfa(&secrets, text).map_or(0.0, rate);
    let build = time(9, || drop(black_box(self::redactor(&secrets))));
    println!(
        "{count:5} {head:10} whole {whole:6.2}  4 KiB {small:6.2}  64 KiB {large:6.2}  find per KiB {finds:6.2}  dfa {dfa:5.2} GB/s  build {:8.1} µs",
        build * 1e6
    );
}

fn small_attempt() {
    let value = secrets(1, "");
    let value = &value[0].1.repeat(2)[..40];
    let mut body = b"{\"id\":42,\"items\":[".to_vec();
    while body.len() < 1024 {
        body.extend_from_slice(
            b"{\"name\":\"thing\",\"url\":\"https:\\/\\/api.example.com\\/v1\",\"ok\":true},",
        );
    }
    let headers = [
        "200 OK",
        "content-type",
        "application/json",
        "date",
        "Sun, 15 Mar 2026 10:00:00 GMT",
        "server",
        "nginx/1.25.3",
        "content-length",
        "1024",
        "x-request-id",
        "7f3a9c1e-55aa-4c1d-9d0c-1d2e3f4a5b6c-7f3a9c1e",
        "cache-control",
        "no-store",
    ];
    let rounds = 2000;
    let attempt = |build: bool, scan: bool| {
        let kept = Redactor::new([("TOKEN", value)]);
        let seconds = time(9, || {
            for _ in 0..rounds {
                let made = build.then(|| Redactor::new([("TOKEN", black_box(value))]));
                let redactor = made.as_ref().unwrap_or(&kept);
                if scan {
                    black_box(redactor.redact(&body));
                    for header in headers {
                        black_box(redactor.redact_str(header));
                    }
                }
                black_box(&made);
            }
        });
        seconds / f64::from(rounds) * 1e6
    };
    println!(
        "small attempt: build {:.2} µs, scan {:.2} µs, both {:.2} µs",
        attempt(true, false),
        attempt(false, true),
        attempt(true, true)
    );
}

/// Secrets of 64 KiB in many short lines: what it costs to get ready for them.
fn many_lines() {
    for (kind, line) in [("alike", 12), ("alike", 24), ("random", 12), ("random", 24)] {
        let mut random = Random(5);
        let mut secret = || {
            let mut text = String::new();
            while text.len() < 65_536 - 32 {
                let number = if kind == "alike" {
                    text.len()
                } else {
                    random.next(1 << 60)
                };
                text.push_str(&format!("{number:0>width$x}\n", width = line - 1));
            }
            text.into_bytes()
        };
        for count in [1, 5, 16] {
            let secrets: Vec<_> = (0..count)
                .map(|index| (format!("LINES_{index}"), secret()))
                .collect();
            let seconds = time(1, || drop(black_box(redactor(&secrets))));
            println!(
                "{count:3} secrets of 64 KiB, {kind} lines of {line}: build {:8.1} ms",
                seconds * 1e3
            );
        }
    }
}

fn main() {
    small_attempt();
    many_lines();
    let megabytes = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(64);
    let text = log_text(megabytes << 20);
    let seconds = time(5, || {
        black_box(memchr::memchr(0, &text));
    });
    println!("memchr {:.1} GB/s", text.len() as f64 / seconds / 1e9);
    for count in [1, 20, 160, 1000] {
        throughput(count, "", &text);
    }
    throughput(160, "sk_live_", &text);
    throughput(160, "sk_live_51HxQz3uTk", &text);
    throughput(160, "duration_ms=12.5 ", &text);
}
