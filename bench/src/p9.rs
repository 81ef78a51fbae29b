//! P9: from the process's start until it is ready, with an empty store and with a large one; what an idle server holds and
//! uses; the size of the binary.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rusqlite::Connection;

use crate::arguments::Options;
use crate::caller::{Caller, When};
use crate::node::{self, Folder, Node};
use crate::report::{Figure, Report};
use crate::target::Target;

/// After its start, before an idle server's memory counts.
const SETTLE: Duration = Duration::from_secs(5);
/// The stored jobs are due from this far ahead on (milliseconds): none runs while it is measured.
const AHEAD: i64 = 86_400_000;

/// Runs it.
///
/// # Errors
/// When a server does not start or stop.
pub async fn run(options: &Options) -> Result<Report> {
    let folder = Folder::new("p9")?;
    let (empty, large) = (folder.join("empty"), folder.join("large"));
    let first = first_start(&empty, options)?;
    fill(&large, options.stored_jobs()).await?;
    let (mut small, mut big) = (Vec::new(), Vec::new());
    let (mut idle_small, mut idle_big) = (Idle::default(), Idle::default());
    for round in 1..=options.rounds() {
        let nodes = [Node::start(&empty, None)?, Node::start(&large, None)?];
        small.push(millis(nodes[0].start));
        big.push(millis(nodes[1].start));
        std::thread::sleep(SETTLE);
        // Both at once: they are idle, and disturb each other no more than any other process does.
        let before = [nodes[0].processor()?, nodes[1].processor()?];
        let window = Duration::from_secs(if options.quick { 10 } else { 20 });
        std::thread::sleep(window);
        for ((node, idle), before) in nodes
            .into_iter()
            .zip([&mut idle_small, &mut idle_big])
            .zip(before)
        {
            idle.resident.push(node.resident()?);
            idle.processor
                .push((node.processor()? - before) / window.as_secs_f64() * 100.0);
            node.stop()?;
        }
        eprintln!(
            "  round {round}: ready in {:.0} ms empty, {:.0} ms large",
            small[round - 1],
            big[round - 1]
        );
    }
    let jobs = options.stored_jobs();
    let mut report = Report::new("p9", "start, idle, size");
    report.figure(Figure::new("start to ready, empty store", "ms", &small).at_most(150.0));
    report.figure(Figure::new(format!("start to ready, {jobs} jobs"), "ms", &big).at_most(1_000.0));
    report.figure(Figure::new(
        "very first start to ready: schema and keys made",
        "ms",
        &first,
    ));
    for (what, idle) in [
        ("empty store".to_owned(), idle_small),
        (format!("{jobs} jobs"), idle_big),
    ] {
        report.figure(
            Figure::new(
                format!("idle: resident memory, {what}"),
                "MB",
                &idle.resident,
            )
            .at_most(40.0),
        );
        report.figure(
            Figure::new(
                format!("idle: processor, {what}"),
                "% of a core",
                &idle.processor,
            )
            .at_most(0.2),
        );
    }
    size(&folder, &mut report)?;
    Ok(report)
}

#[derive(Default)]
struct Idle {
    resident: Vec<f64>,
    processor: Vec<f64>,
}

/// Starts of which each has a new folder; the last one's stays.
fn first_start(kept: &Path, options: &Options) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    for round in 0..options.rounds() {
        if round > 0 {
            std::fs::remove_dir_all(kept)?;
        }
        let node = Node::start(kept, None)?;
        times.push(millis(node.start));
        node.stop()?;
    }
    Ok(times)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// A store of many jobs: one is made through the API, the others are its rows with other ids and times.
async fn fill(data: &Path, jobs: usize) -> Result<()> {
    let node = Node::start(data, None)?;
    let target = Target::start(None).await?;
    let caller = Caller::new(node.address, &node.token()?)?;
    caller.create_secret().await?;
    let from = padclock_job::Moment::EPOCH.millis() + 4_000_000_000_000;
    caller
        .create_job(
            "bench",
            When::Every {
                seconds: 3_600,
                from,
            },
            &target,
        )
        .await?;
    node.stop()?;
    eprintln!("  storing {jobs} jobs");
    let mut connection = Connection::open(data.join("padclock.db"))?;
    let transaction = connection.transaction()?;
    for (table, key) in [("jobs", "id"), ("due", "job_id")] {
        copy(&transaction, table, key, jobs)?;
    }
    transaction.execute(
        "UPDATE due SET run_at = scheduled_for - ?1 * (abs(random()) % 1000)",
        [AHEAD / 1_000],
    )?;
    transaction.commit()?;
    let stored: i64 = connection.query_row(
        "SELECT count(*) FROM jobs JOIN due ON job_id = id",
        [],
        |row| row.get(0),
    )?;
    ensure!(
        usize::try_from(stored)? == jobs,
        "{stored} jobs are stored, not {jobs}"
    );
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

/// Copies a table's one row until there are `count`, each with a new key; whatever its other columns are.
fn copy(connection: &Connection, table: &str, key: &str, count: usize) -> Result<()> {
    let mut columns = connection.prepare(&format!(
        "SELECT name FROM pragma_table_info('{table}') WHERE name <> '{key}'"
    ))?;
    let names: Vec<String> = columns
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let names = names.join(", ");
    let sql =
        format!("INSERT INTO {table} ({key}, {names}) SELECT ?1, {names} FROM {table} LIMIT 1");
    let mut statement = connection.prepare(&sql)?;
    for number in 1..count {
        let number = u64::try_from(number)?;
        // Ids begin with their time of making: a rising number is such a one.
        let mut id = [0x5a; 16];
        id[..8].copy_from_slice(&number.to_be_bytes());
        statement.execute([id])?;
    }
    Ok(())
}

/// The distributed binary when it is built, else this profile's, stripped.
fn size(folder: &Folder, report: &mut Report) -> Result<()> {
    let binary = node::binary()?;
    let distributed = binary
        .parent()
        .and_then(Path::parent)
        .map(|target| target.join("dist/padclock"));
    let (path, which) = match distributed.filter(|path| path.exists()) {
        Some(path) => (path, "profile dist"),
        None => {
            let stripped = folder.join("stripped");
            let status = Command::new("strip")
                .arg("-o")
                .arg(&stripped)
                .arg(&binary)
                .status()
                .context("strip does not start")?;
            ensure!(status.success(), "strip ended with {status}");
            (stripped, "a stripped copy of this profile's")
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a file's size")]
    let megabytes = std::fs::metadata(&path)?.len() as f64 / 1e6;
    report.figure(
        Figure::new(format!("size of the binary ({which})"), "MB", &[megabytes]).at_most(30.0),
    );
    Ok(())
}
