//! The worker as others start it: the client set up once, then the loop over a source.

use std::hash::RandomState;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::attempt::Performer;
use crate::client::{HttpClient, SetupError};
use crate::counters::Counters;
use crate::resolve::{Resolve, SystemResolver};
use crate::run::Loop;
use crate::settings::Settings;
use crate::source::{Opener, RunSource};
use crate::token::Tokens;

/// Performs executions for any number of sources; its connections and limits are its own.
pub struct Worker {
    performer: Arc<Performer>,
    settings: Arc<Settings>,
    counters: Arc<Counters>,
}

impl Worker {
    /// A worker that resolves names by the operating system.
    ///
    /// # Errors
    /// When the extra certificates can't be read or TLS can't be set up.
    pub fn new(opener: Arc<dyn Opener>, settings: Settings) -> Result<Self, SetupError> {
        Self::with_resolver(opener, settings, Arc::new(SystemResolver))
    }

    /// A worker with another resolver.
    ///
    /// # Errors
    /// As [`Worker::new`].
    pub fn with_resolver(
        opener: Arc<dyn Opener>,
        settings: Settings,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, SetupError> {
        let settings = Arc::new(settings);
        let counters = Arc::new(Counters::default());
        let performer = Performer {
            client: HttpClient::new(&settings, resolver)?,
            opener,
            settings: Arc::clone(&settings),
            counters: Arc::clone(&counters),
            random: RandomState::new(),
            tokens: Tokens::default(),
        };
        Ok(Self {
            performer: Arc::new(performer),
            settings,
            counters,
        })
    }

    /// What it counts.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Takes leases from `source` until `shutdown`; then takes no more, lets what runs finish for the drain time-out,
    /// and returns when the source has every result. Run it as a task of a multi-threaded runtime: on the runtime's main
    /// thread each result would cost a switch of threads. Dropping the future stops all attempts.
    pub async fn run(&self, source: Arc<dyn RunSource>, shutdown: CancellationToken) {
        tracing::info!(node = %self.settings.node, slots = self.settings.max_in_flight, "the worker takes executions");
        let (settings, counters) = (Arc::clone(&self.settings), Arc::clone(&self.counters));
        Loop::new(source, Arc::clone(&self.performer), settings, counters)
            .run(shutdown)
            .await;
        tracing::info!(node = %self.settings.node, "the worker has stopped");
    }
}

/// Runs a worker over one source: [`Worker::new`] and [`Worker::run`].
///
/// # Errors
/// As [`Worker::new`].
pub async fn run(
    source: Arc<dyn RunSource>,
    opener: Arc<dyn Opener>,
    settings: Settings,
    shutdown: CancellationToken,
) -> Result<(), SetupError> {
    Worker::new(opener, settings)?.run(source, shutdown).await;
    Ok(())
}
