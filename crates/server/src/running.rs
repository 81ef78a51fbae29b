//! A node that runs: its listener, its worker, its housekeeping, and how it stops.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use padclock_vault::Randomness;
use padclock_worker::{Completion, Held, Lease, Renewed, Revoked, RunSource, SourceError, Worker};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::audit::copy::Copier;
use crate::audit::heads::Keeper;
use crate::audit::strangers;
use crate::bootstrap::{self, Made, StartError};
use crate::keyrings::Keyrings;
use crate::keyrings::rewrap::Keeping;
use crate::keys::KeyringOpener;
use crate::limits::Failures;
use crate::metrics::Metrics;
use crate::set_up::{self, SetUpLink};
use crate::settings::Settings;
use crate::source::StoreSource;
use crate::state::{App, Parts};
use crate::tls::Certificates;
use crate::uses::Uses;
use crate::{housekeeping, listen, random, routes, uses};

/// Failures in a minute by one address, and by one account.
const WRONG_TOKENS: u32 = 60;
const WRONG_PASSWORDS: u32 = 10;

/// A node that runs until it is told to stop.
#[derive(Debug)]
pub struct Running {
    /// `https` when it serves TLS itself, else `http`.
    pub scheme: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// The node's name.
    pub node: Arc<str>,
    /// What its start has made.
    pub made: Made,
    /// How the first owner comes to a password: made by the very first start.
    pub set_up: Option<SetUpLink>,
    stopping: CancellationToken,
    closing: CancellationToken,
    /// Nothing more will be recorded but what tells of the end.
    ending: CancellationToken,
    going: Arc<AtomicBool>,
    worker: JoinHandle<()>,
    http: JoinHandle<()>,
    housekeeping: JoinHandle<()>,
    uses: JoinHandle<()>,
    writing: CancellationToken,
    audit: Vec<JoinHandle<()>>,
    _lock: Option<File>,
}

pub(crate) async fn start(settings: Settings) -> Result<Running, StartError> {
    if settings.in_the_clear() {
        return Err(StartError::InTheClear(settings.listen));
    }
    let certificates = settings.tls.clone().map(Certificates::load).transpose();
    let certificates = certificates.map_err(|error| StartError::Other(error.to_string()))?;
    let acceptor = certificates
        .as_ref()
        .map(Certificates::acceptor)
        .transpose();
    let acceptor = acceptor.map_err(|error| StartError::Other(error.to_string()))?;
    let listener = TcpListener::bind(settings.listen).await;
    let listener = listener.map_err(|why| StartError::Listen {
        address: settings.listen,
        why,
    })?;
    let address = listener.local_addr().map_err(|why| StartError::Listen {
        address: settings.listen,
        why,
    })?;
    let opened = bootstrap::open(&settings).await?;
    let public_url = settings.public_url_at(address);
    let metrics = Metrics::new().map_err(|error| StartError::Other(error.to_string()))?;
    let app = App::new(Parts {
        keyrings: Arc::new(Keyrings::new(
            opened.keyring,
            opened.root,
            Arc::clone(&opened.store),
            settings.seals_per_term,
        )),
        store: opened.store,
        work: Arc::default(),
        ends: Arc::default(),
        metrics: Arc::new(metrics),
        failures: Arc::new(Failures::new(WRONG_TOKENS)),
        logins: Arc::new(Failures::new(WRONG_PASSWORDS)),
        secure_cookies: settings.behind_proxy
            || settings.tls.is_some()
            || public_url.starts_with("https://"),
        public_url: public_url.as_str().into(),
        tries: Arc::default(),
        stopping: Arc::default(),
        token_uses: Arc::default(),
        trusted_proxies: settings.trusted_proxies.clone().into(),
    });
    let set_up = match &opened.made.owner_token {
        Some(_) => Some(set_up::make(&app.store, &app.keyrings.now(), &public_url).await?),
        None => None,
    };
    let node: Arc<str> = node_name(settings.node.as_deref()).into();
    let stopping = CancellationToken::new();
    let closing = CancellationToken::new();
    let ending = CancellationToken::new();
    let audit = start_audit(&app, &settings, &ending);
    let uses: Arc<Uses> = Arc::default();
    // Not stopped before the worker: what it still takes is written down.
    let writing = CancellationToken::new();
    let worker = start_worker(&app, &settings, &node, (&uses, &stopping))?;
    let keeping = uses::keep(uses, Arc::clone(&app.store), writing.clone());
    let prune = housekeeping::prune(Arc::clone(&app.store), settings.retention, stopping.clone());
    let sweep = housekeeping::sweep(
        Arc::clone(&app.store),
        Arc::clone(&node),
        Arc::clone(&app.metrics),
        stopping.clone(),
    );
    let keys = look_after_keys(&app, &node).run(stopping.clone());
    let tokens = housekeeping::token_uses(
        Arc::clone(&app.store),
        Arc::clone(&app.token_uses),
        stopping.clone(),
    );
    let access = housekeeping::access(Arc::clone(&app.store), stopping.clone());
    if let Some(certificates) = certificates {
        tokio::spawn(certificates.keep(stopping.clone()));
    }
    Ok(Running {
        address,
        scheme: settings.scheme(),
        node,
        made: opened.made,
        set_up,
        going: Arc::clone(&app.stopping),
        http: tokio::spawn(listen::serve(
            listener,
            acceptor,
            routes::router(app),
            closing.clone(),
        )),
        housekeeping: tokio::spawn(async move {
            tokio::join!(prune, sweep, access, keys, tokens);
        }),
        uses: tokio::spawn(keeping),
        writing,
        worker,
        audit,
        stopping,
        closing,
        ending,
        _lock: opened.lock,
    })
}

fn look_after_keys(app: &App, node: &Arc<str>) -> Keeping {
    Keeping {
        keyrings: Arc::clone(&app.keyrings),
        store: Arc::clone(&app.store),
        metrics: Arc::clone(&app.metrics),
        node: Arc::clone(node),
    }
}

/// A name that is new for each process, so that no lease of an earlier one, or of a namesake, is taken for this one's.
fn node_name(given: Option<&str>) -> String {
    let mut bytes = [0; 4];
    random::System::default().fill(&mut bytes);
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = given.unwrap_or(host.trim());
    format!(
        "{}-{:08x}",
        if name.is_empty() { "node" } else { name },
        u32::from_be_bytes(bytes)
    )
}

/// What is done for the audit beside the calls and the worker. Each part ends after the one before it, since it is about what
/// that one has written.
fn start_audit(app: &App, settings: &Settings, ending: &CancellationToken) -> Vec<JoinHandle<()>> {
    let reported = CancellationToken::new();
    let report = strangers::report(
        Arc::clone(&app.store),
        Arc::clone(&app.tries),
        ending.clone(),
    );
    let after = reported.clone();
    let mut parts = vec![tokio::spawn(async move {
        let _done = after.drop_guard();
        report.await;
    })];
    let (store, metrics) = (|| Arc::clone(&app.store), || Arc::clone(&app.metrics));
    let keeper = Keeper::new(
        store(),
        Arc::clone(&app.keyrings),
        metrics(),
        &settings.data,
    );
    parts.push(tokio::spawn(keeper.run(reported.clone())));
    if let Some(target) = settings.audit_copy.clone() {
        let copier = Copier::new(store(), metrics(), target, &settings.data);
        parts.push(tokio::spawn(copier.run(reported)));
    }
    parts
}

fn start_worker(
    app: &App,
    settings: &Settings,
    node: &Arc<str>,
    (uses, stopping): (&Arc<Uses>, &CancellationToken),
) -> Result<JoinHandle<()>, StartError> {
    let told = padclock_worker::Settings {
        node: node.to_string(),
        max_in_flight: settings.max_in_flight,
        per_host: settings.per_host,
        egress_allow: settings.egress_allow.clone(),
        extra_ca: settings.extra_ca.clone(),
        drain_timeout: settings.drain_timeout,
        renew_after: settings.lease_ttl / 3,
        lease_trust: settings.lease_ttl * 5 / 6,
        ..padclock_worker::Settings::default()
    };
    let opener = Arc::new(KeyringOpener(Arc::clone(&app.keyrings)));
    let worker = Worker::new(opener, told).map_err(|error| StartError::Other(error.to_string()))?;
    app.metrics.watch(worker.counters());
    let source = StoreSource {
        store: Arc::clone(&app.store),
        keyrings: Arc::clone(&app.keyrings),
        node: Arc::clone(node),
        ttl: settings.lease_ttl,
        work: Arc::clone(&app.work),
        ends: Arc::clone(&app.ends),
        told: std::sync::Mutex::default(),
        uses: Arc::clone(uses),
        stopping: stopping.clone(),
    };
    let source = Arc::new(Watched {
        source,
        metrics: Arc::clone(&app.metrics),
    });
    let stopping = stopping.clone();
    Ok(tokio::spawn(
        async move { worker.run(source, stopping).await },
    ))
}

/// The source, with its failures shown by `/readyz`.
struct Watched {
    source: StoreSource,
    metrics: Arc<Metrics>,
}

impl Watched {
    fn watch<T>(&self, result: Result<T, SourceError>) -> Result<T, SourceError> {
        let why = result.as_ref().err().map(|error| {
            std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
        });
        self.metrics.claims(why);
        result
    }
}

#[async_trait]
impl RunSource for Watched {
    async fn lease(&self, want: usize) -> Result<Vec<Lease>, SourceError> {
        self.watch(self.source.lease(want).await)
    }

    async fn renew(&self, held: &[Held]) -> Result<Renewed, SourceError> {
        self.source.renew(held).await
    }

    async fn revoked(&self) -> Result<(Held, Revoked), SourceError> {
        self.source.revoked().await
    }

    async fn complete(&self, done: &[Completion]) -> Result<Vec<bool>, SourceError> {
        self.watch(self.source.complete(done).await)
    }
}

impl Running {
    /// Stops: takes nothing new, lets what runs finish or hands it back, then closes the listener.
    pub async fn stop(self) {
        self.going.store(true, Ordering::Relaxed);
        self.stopping.cancel();
        for (part, task) in [("worker", self.worker), ("housekeeping", self.housekeeping)] {
            if task.await.is_err() {
                tracing::error!(part, "a part of the node ended badly");
            }
        }
        self.writing.cancel();
        if self.uses.await.is_err() {
            tracing::error!(part = "uses", "a part of the node ended badly");
        }
        self.closing.cancel();
        if self.http.await.is_err() {
            tracing::error!(part = "listener", "a part of the node ended badly");
        }
        self.ending.cancel();
        for task in self.audit {
            if task.await.is_err() {
                tracing::error!(part = "audit", "a part of the node ended badly");
            }
        }
    }
}
