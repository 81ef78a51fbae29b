//! P3: from run-now accepted to the first byte at the target, on an idle server. The yardstick is a bare call of the same
//! client, from sending to the first byte at the target.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep, timeout};

use crate::arguments::Options;
use crate::caller::{Caller, When};
use crate::node::{Folder, Node};
use crate::report::{Figure, Report};
use crate::statistics::{differences, quantile, sorted};
use crate::target::Target;
use crate::yardstick::http;

/// Between two samples: the server has nothing to do.
const IDLE: Duration = Duration::from_millis(25);
const PATIENCE: Duration = Duration::from_secs(10);
const MILLIS: f64 = 1_000.0;

/// A round's samples, in milliseconds.
#[derive(Default)]
struct Round {
    accepted: Vec<f64>,
    sent: Vec<f64>,
    bare: Vec<f64>,
}

/// Runs it.
///
/// # Errors
/// When a call fails or nothing arrives.
pub async fn run(options: &Options) -> Result<Report> {
    let folder = Folder::new("p3")?;
    let node = Node::start(&folder.join("data"), None)?;
    let (tell, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let target = Target::start(Some(tell)).await?;
    let caller = Caller::new(node.address, &node.token()?)?;
    caller.create_secret().await?;
    let job = caller.create_job("bench", When::Manual, &target).await?;
    let client = http::client();
    let samples = if options.quick { 60 } else { 200 };
    let mut rounds = Vec::new();
    for _ in 0..options.rounds() {
        let mut round = Round::default();
        for _ in 0..samples {
            sleep(IDLE).await;
            let sending = Instant::now();
            caller.run_now(job).await?;
            let accepted = Instant::now();
            let arrived = next(&mut arrivals).await?;
            round.accepted.push(signed(accepted, arrived));
            round.sent.push(signed(sending, arrived));
            sleep(IDLE).await;
            let sending = Instant::now();
            http::call(&client, &target).await?;
            round.bare.push(signed(sending, next(&mut arrivals).await?));
        }
        rounds.push(round);
    }
    node.stop()?;
    Ok(report(&rounds, samples))
}

async fn next(arrivals: &mut UnboundedReceiver<Instant>) -> Result<Instant> {
    timeout(PATIENCE, arrivals.recv())
        .await
        .context("nothing arrived at the target")?
        .context("the target has gone")
}

/// Milliseconds from one to the other; below zero when the request was there before the answer.
fn signed(from: Instant, to: Instant) -> f64 {
    let forth = to.saturating_duration_since(from).as_secs_f64();
    let back = from.saturating_duration_since(to).as_secs_f64();
    (forth - back) * MILLIS
}

fn report(rounds: &[Round], samples: usize) -> Report {
    let each = |q: f64, part: fn(&Round) -> &Vec<f64>| -> Vec<f64> {
        rounds
            .iter()
            .map(|round| quantile(&sorted(part(round)), q))
            .collect()
    };
    let mut report = Report::new(
        "p3",
        format!("run-now to the first byte, idle server, {samples} samples a round"),
    );
    for (q, name, most) in [(0.5, "p50", 3.0), (0.99, "p99", 10.0)] {
        let ours = each(q, |round| &round.accepted);
        let bare = each(q, |round| &round.bare);
        report.figure(Figure::new(
            format!("{name}: accepted to first byte"),
            "ms",
            &ours,
        ));
        report.figure(Figure::new(
            format!("{name}: sent to first byte"),
            "ms",
            &each(q, |round| &round.sent),
        ));
        report.figure(Figure::new(
            format!("{name}: yardstick, bare call"),
            "ms",
            &bare,
        ));
        report.figure(
            Figure::new(
                format!("{name}: accepted, above the yardstick"),
                "ms",
                &differences(&ours, &bare),
            )
            .at_most(most),
        );
    }
    report.note("below zero: the request was at the target before the caller had its answer");
    report
}
