//! P1: executions per second with the embedded store: many jobs due at once, one secret in a header, a 1 KiB answer, to
//! the durable end state. The yardstick is a bare client at the same target.

use anyhow::Result;

use crate::arguments::Options;
use crate::burst::Bursts;
use crate::caller::Caller;
use crate::node::{Folder, Node};
use crate::report::{Figure, Report};
use crate::statistics::ratios;
use crate::target::Target;
use crate::watch::Eyes;
use crate::yardstick::http;

/// Runs it.
///
/// # Errors
/// When a round fails.
pub async fn run(options: &Options) -> Result<Report> {
    let folder = Folder::new("p1")?;
    let data = folder.join("data");
    let node = Node::start(&data, None)?;
    let target = Target::start(None).await?;
    let caller = Caller::new(node.address, &node.token()?)?;
    eprintln!("  the server's process is {}", node.id());
    let mut bursts = Bursts::prepare(&caller, &target, options).await?;
    let eyes = Eyes::embedded(&data)?;
    let (mut ours, mut bare, mut first) = (Vec::new(), Vec::new(), Vec::new());
    let before = node.processor()?;
    for round in 1..=options.rounds() {
        let burst = bursts.next(&eyes).await?;
        ours.push(burst.per_second);
        first.push(burst.first);
        bare.push(http::requests_per_second(&target, options.jobs()).await?);
        eprintln!(
            "  round {round}: {:.0}/s, bare {:.0}/s",
            burst.per_second,
            bare[round - 1]
        );
    }
    let used = node.processor()? - before;
    let resident = node.resident()?;
    node.stop()?;
    let mut report = Report::new(
        "p1",
        format!("{} jobs due at once, embedded store", options.jobs()),
    );
    report.figure(Figure::new("executions, due to durable end", "/s", &ours));
    report.figure(Figure::new(
        "yardstick: bare client, 64 in flight",
        "/s",
        &bare,
    ));
    report.figure(Figure::new("ratio (goal 0.5)", "", &ratios(&ours, &bare)).at_least(0.35));
    report.figure(Figure::new(
        "due to first request at the target",
        "ms",
        &first,
    ));
    report.figure(Figure::new(
        "server's processor time per execution",
        "µs",
        &[per_execution(used, options)],
    ));
    report.figure(Figure::new(
        "jobs made through the API, 64 calls at once",
        "/s",
        &[bursts.made_per_second],
    ));
    report.figure(Figure::new(
        "resident memory after the last round",
        "MB",
        &[resident],
    ));
    report
        .note("every execution counted: at the target with its secret, in the store as succeeded");
    Ok(report)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of at most some millions"
)]
fn per_execution(seconds: f64, options: &Options) -> f64 {
    seconds * 1e6 / (options.jobs() * options.rounds()) as f64
}
