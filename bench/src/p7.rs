//! P7: seal and open of 64 bytes on one core, data key and its schedule included; opaque references made and checked. The
//! yardstick is bare aws-lc-rs: the same two AES-256-GCM operations with as many bytes bound and as many drawn, one HMAC.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use padclock_vault::reference::{Claims, ReferenceKey, Scope};
use padclock_vault::{Buffered, Keyring, Label, Randomness, RootKey, SealPlace, Value};

use crate::arguments::Options;
use crate::report::{Figure, Report};
use crate::statistics::ratios;
use crate::yardstick::seal::{self, FRESH, Mac, VALUE, Wrapping};

/// As long as what a reference's tag covers: its domain and its payload, with lengths.
const COVERED: [u8; 133] = [5; 133];
const PLACE: SealPlace<'static> = SealPlace {
    workspace: [1; 16],
    secret: [2; 16],
    version: 3,
    field: "value",
    policy_hash: [4; 32],
};
const NOW: i64 = 1_800_000_000;
const CLAIMS: Claims = Claims {
    workspace: [1; 16],
    secret: [2; 16],
    scope: Scope::Workspace,
    execution: [6; 16],
    expires_at: NOW + 300,
};

/// The system's generator; both sides draw from it, ahead and in the same amounts.
struct System;

impl Randomness for System {
    #[expect(
        clippy::expect_used,
        reason = "without random numbers there is nothing to measure"
    )]
    fn fill(&mut self, out: &mut [u8]) {
        seal::random(out).expect("random numbers");
    }
}

/// One operation and its yardstick, round by round, in a thousand a second.
#[derive(Default)]
struct Pair {
    ours: Vec<f64>,
    bare: Vec<f64>,
}

impl Pair {
    fn round<O, B>(&mut self, times: u32, ours: impl FnMut() -> O, bare: impl FnMut() -> B) {
        self.bare.push(per_milli(times, bare));
        self.ours.push(per_milli(times, ours));
    }

    fn tell(&self, what: &str, yardstick: &str, report: &mut Report) {
        report.figure(Figure::new(what, "k/s", &self.ours));
        report.figure(Figure::new(
            format!("yardstick: {yardstick}"),
            "k/s",
            &self.bare,
        ));
        report.figure(
            Figure::new(
                format!("{what}: ratio"),
                "",
                &ratios(&self.ours, &self.bare),
            )
            .at_least(0.5),
        );
    }
}

/// Runs it.
///
/// # Errors
/// When something does not open.
pub fn run(options: &Options) -> Result<Report> {
    let times = if options.quick { 50_000 } else { 300_000 };
    let mut random = Buffered::new(System);
    let (keyring, _, _) = Keyring::create(&RootKey::generate(&mut System), &mut System);
    let wrapping = Wrapping::new()?;
    let (plain, value) = ([8; VALUE], Value::new(vec![8; VALUE]));
    let sealed = keyring.seal(&PLACE, &value, &mut random);
    let mut fresh = [0; FRESH];
    random.fill(&mut fresh);
    let bare = wrapping.seal(&fresh, &plain)?;
    ensure!(
        keyring.open(&PLACE, &sealed)? == value && wrapping.open(&bare)? == plain,
        "a value came back as another"
    );
    let references = ReferenceKey::new(keyring.derived(Label::Reference));
    let (reference, mac) = (references.make(&CLAIMS), Mac::new()?);
    let check = |text: &str| references.check(text, NOW, &CLAIMS.workspace, &CLAIMS.execution);
    ensure!(
        check(&reference)
            .map_err(|error| anyhow!(error))
            .context("a reference just made")?
            == CLAIMS,
        "another reference"
    );
    let [mut seals, mut opens, mut makes, mut checks] = [const {
        Pair {
            ours: Vec::new(),
            bare: Vec::new(),
        }
    }; 4];
    let mut drawn = Buffered::new(System);
    for _ in 0..options.rounds() {
        seals.round(
            times,
            || keyring.seal(&PLACE, black_box(&value), &mut random),
            || {
                drawn.fill(&mut fresh);
                wrapping.seal(&fresh, black_box(&plain))
            },
        );
        opens.round(
            times,
            || keyring.open(&PLACE, black_box(&sealed)),
            || wrapping.open(black_box(&bare)),
        );
        makes.round(
            times,
            || references.make(black_box(&CLAIMS)),
            || mac.tag(black_box(&COVERED)),
        );
        checks.round(
            times,
            || check(black_box(&reference)),
            || mac.tag(black_box(&COVERED)),
        );
    }
    let mut report = Report::new("p7", "sealing 64 bytes and opaque references, one core");
    seals.tell(
        "a value sealed",
        "data key wrapped and value sealed by aws-lc-rs",
        &mut report,
    );
    opens.tell(
        "a value opened",
        "data key unwrapped and value opened by aws-lc-rs",
        &mut report,
    );
    makes.tell(
        "a reference made",
        "one HMAC-SHA-256 by aws-lc-rs",
        &mut report,
    );
    checks.tell(
        "a reference checked",
        "one HMAC-SHA-256 by aws-lc-rs",
        &mut report,
    );
    Ok(report)
}

fn per_milli<R>(times: u32, mut work: impl FnMut() -> R) -> f64 {
    let begun = Instant::now();
    for _ in 0..times {
        black_box(work());
    }
    f64::from(times) / begun.elapsed().as_secs_f64() / 1_000.0
}
