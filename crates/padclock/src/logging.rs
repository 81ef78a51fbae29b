//! Log lines: for people on a terminal, JSON otherwise. `PADCLOCK_LOG` takes filters, `info` by default.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Sends log lines to standard error from here on.
pub(crate) fn start(default: &str) {
    let filter =
        EnvFilter::try_from_env("PADCLOCK_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = if std::io::stderr().is_terminal() {
        lines.with_target(false).compact().try_init()
    } else {
        lines.json().flatten_event(true).try_init()
    };
    // Whoever called first has said where lines go.
    drop(started);
    quiet_panics();
}

/// A panic's message may hold what it was about: only its place is logged.
fn quiet_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "a bug: the code panicked there");
    }));
}
