//! P2: as P1 on PostgreSQL, with one node and with two in turn. A second node must never make it slower.

use anyhow::{Context as _, Result};

use crate::arguments::Options;
use crate::burst::Bursts;
use crate::caller::Caller;
use crate::node::{Folder, Node, Shared};
use crate::report::{Figure, Report};
use crate::statistics::ratios;
use crate::target::Target;
use crate::watch::{self, Eyes};
use crate::yardstick::http;
use crate::yardstick::seal::random_hex;

/// The variable that names a PostgreSQL in which databases may be made.
const URL: &str = "PADCLOCK_TEST_DATABASE_URL";

/// Runs it.
///
/// # Errors
/// When a round fails, or there is no PostgreSQL.
pub async fn run(options: &Options) -> Result<Report> {
    let url = std::env::var(URL)
        .with_context(|| format!("{URL} names no PostgreSQL: run `cargo xtask bench p2`"))?;
    let database = Database::create(&url).await?;
    let measured = measure(options, &database).await;
    database.remove().await?;
    measured
}

async fn measure(options: &Options, database: &Database) -> Result<Report> {
    let folder = Folder::new("p2")?;
    let shared = Shared {
        url: database.url.clone(),
        root_key: random_hex(32)?,
    };
    let node = Node::start(&folder.join("one"), Some(&shared))?;
    let target = Target::start(None).await?;
    let caller = Caller::new(node.address, &node.token()?)?;
    let mut bursts = Bursts::prepare(&caller, &target, options).await?;
    let eyes = Eyes::postgres(&database.url).await?;
    let (mut one, mut two, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=options.rounds() {
        one.push(bursts.next(&eyes).await?.per_second);
        bare.push(http::requests_per_second(&target, options.jobs()).await?);
        let second = Node::start(&folder.join("two"), Some(&shared))?;
        two.push(bursts.next(&eyes).await?.per_second);
        second.stop()?;
        let at = round - 1;
        eprintln!(
            "  round {round}: one node {:.0}/s, two {:.0}/s, bare {:.0}/s",
            one[at], two[at], bare[at]
        );
    }
    node.stop()?;
    let mut report = Report::new(
        "p2",
        format!("{} jobs due at once, PostgreSQL", options.jobs()),
    );
    report.figure(Figure::new(
        "one node: executions, due to durable end",
        "/s",
        &one,
    ));
    report.figure(Figure::new(
        "two nodes: executions, due to durable end",
        "/s",
        &two,
    ));
    report.figure(Figure::new(
        "yardstick: bare client, 64 in flight",
        "/s",
        &bare,
    ));
    report.figure(
        Figure::new("one node: ratio (goal 0.35)", "", &ratios(&one, &bare)).at_least(0.22),
    );
    report.figure(Figure::new("two nodes: ratio", "", &ratios(&two, &bare)));
    report.figure(Figure::new("two nodes to one", "", &ratios(&two, &one)).at_least(1.0));
    report.figure(Figure::new(
        "jobs made through the API, 64 calls at once",
        "/s",
        &[bursts.made_per_second],
    ));
    report.note(format!("PostgreSQL {}", database.settings));
    report
        .note("every execution counted: at the target with its secret, in the store as succeeded");
    Ok(report)
}

/// A database made for this run.
struct Database {
    admin: tokio_postgres::Client,
    name: String,
    url: String,
    settings: String,
}

impl Database {
    async fn create(url: &str) -> Result<Self> {
        let admin = watch::connect(url).await?;
        let name = format!("padclock_bench_{}", std::process::id());
        admin
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await?;
        let mut own = url::Url::parse(url).context("the URL of PostgreSQL")?;
        own.set_path(&name);
        let mut settings = String::new();
        for setting in [
            "server_version",
            "fsync",
            "synchronous_commit",
            "shared_buffers",
            "max_wal_size",
        ] {
            let row = admin.query_one(&format!("SHOW {setting}"), &[]).await?;
            let value: String = row.try_get(0)?;
            settings.push_str(&if settings.is_empty() {
                value
            } else {
                format!(", {setting} {value}")
            });
        }
        Ok(Self {
            admin,
            name,
            url: own.to_string(),
            settings,
        })
    }

    async fn remove(self) -> Result<()> {
        self.admin
            .batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name))
            .await?;
        Ok(())
    }
}
