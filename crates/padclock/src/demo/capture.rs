//! All that the process logs, at every level, kept in memory until it has been searched.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::say::Say;

/// The log. Every line is there twice: as a terminal would show it, and as JSON.
#[derive(Clone)]
pub(super) struct Captured {
    lines: Arc<Mutex<Option<Vec<u8>>>>,
    panicked: Arc<AtomicBool>,
}

impl Captured {
    /// Captures from here on. A panic is logged with its place alone, for its message may hold anything.
    pub(super) fn start() -> Result<Self> {
        let captured = Self {
            lines: Arc::new(Mutex::new(Some(Vec::new()))),
            panicked: Arc::default(),
        };
        let lines = || {
            tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_span_events(FmtSpan::FULL)
        };
        let human = lines().with_writer(captured.clone()).boxed();
        let json = lines().json().with_writer(captured.clone()).boxed();
        tracing_subscriber::registry()
            .with(vec![human, json])
            .try_init()
            .context("the log can't be captured")?;
        let panicked = Arc::clone(&captured.panicked);
        std::panic::set_hook(Box::new(move |panic| {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            tracing::error!(place, "a bug: the code panicked there");
            Say.note(&format!("a bug: the code panicked at {place}"));
            panicked.store(true, Ordering::SeqCst);
        }));
        Ok(captured)
    }

    /// Whether there was a panic.
    pub(super) fn panicked(&self) -> bool {
        self.panicked.load(Ordering::SeqCst)
    }

    /// What was logged so far.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .unwrap_or_default()
    }

    /// The last few lines that warn of something.
    pub(super) fn warnings(&self) -> Vec<String> {
        let bytes = self.bytes();
        let text = String::from_utf8_lossy(&bytes);
        let warns = |line: &&str| {
            [" WARN ", " ERROR "].iter().any(|level| {
                line.split_at_checked(40)
                    .is_some_and(|(head, _)| head.contains(level))
            })
        };
        let mut last: Vec<String> = text
            .lines()
            .rev()
            .filter(warns)
            .take(5)
            .map(str::to_owned)
            .collect();
        last.reverse();
        last
    }

    /// Drops it all, and what comes from here on.
    pub(super) fn end(&self) {
        *self.lines.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(kept) = self
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Captured {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
