//! The process that `cronctl exec` starts: its environment, its output through the redactor, signals to it, its exit code from it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use padclock_redact::Redactor;
use rustix::process::{Pid, Signal, getpgrp, kill_process};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::inject::Values;
use crate::cronctl::failure::{Failure, system_words};

/// After so long without output, what can't be part of a value any more is shown.
const IDLE: Duration = Duration::from_millis(50);
/// How long after the command's end its output may go on, when another process still holds it.
const TAIL: Duration = Duration::from_secs(1);
const CHUNK: usize = 16 * 1024;
/// What a shell answers for a command that is not there, and for one that can't be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// Whether a variable is ours: a command gets none of them, least of all the token.
pub(super) fn is_own(name: &str) -> bool {
    name.starts_with("CRONCTL_") || name.starts_with("PADCLOCK_")
}

/// Runs the command to its end. An exit code that is not 0 is [`Failure::Exited`].
pub(super) async fn run(
    words: &[OsString],
    plain: &BTreeMap<String, Zeroizing<String>>,
    values: Values,
) -> Result<(), Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::Usage("no command is given".to_owned()));
    };
    // Heard from here on: a signal that comes while the command starts is passed on once it runs.
    let mut signals = Signals::new()?;
    let redactor = values.redactor();
    let mut command = std::process::Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_own) {
            command.env_remove(name);
        }
    }
    command.envs(plain.iter().map(|(name, value)| (name, value.as_str())));
    values.fill(&mut command);
    let mut command = tokio::process::Command::from(command);
    let started = command.spawn();
    drop(command);
    drop(values);
    let mut child = started.map_err(|error| not_started(program, &error))?;
    let status = accompany(&mut child, &redactor, &mut signals).await;
    let status = status.map_err(|error| {
        Failure::Error(format!(
            "the command can't be waited for: {}",
            system_words(&error)
        ))
    })?;
    match code(status) {
        0 => Ok(()),
        code => Err(Failure::Exited(code, None)),
    }
}

fn not_started(program: &OsString, error: &std::io::Error) -> Failure {
    let (code, what) = match error.kind() {
        std::io::ErrorKind::NotFound => (NOT_FOUND, "is not there"),
        std::io::ErrorKind::PermissionDenied => (NOT_RUN, "may not be run"),
        _ => (NOT_RUN, "can't be run"),
    };
    let told = format!(
        "the command {} {what}: {}",
        program.display(),
        system_words(error)
    );
    Failure::Exited(code, Some(told))
}

/// The command's own code; 128 and the signal's number when one ended it.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Until the command has ended and its output is shown.
async fn accompany(
    child: &mut Child,
    redactor: &Redactor,
    signals: &mut Signals,
) -> std::io::Result<ExitStatus> {
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    let (output, errors) = (child.stdout.take(), child.stderr.take());
    let (end, ended) = watch::channel(false);
    let mut shown = pin!(async {
        tokio::join!(
            pass(output, tokio::io::stdout(), redactor, ended.clone()),
            pass(errors, tokio::io::stderr(), redactor, ended.clone()),
        );
    });
    let mut all_shown = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            () = &mut shown, if !all_shown => all_shown = true,
            heard = signals.next() => if let (Some(pid), true) = (pid, heard.is_ours_to_pass) {
                // It may have ended this moment.
                let _ = kill_process(pid, heard.signal);
            },
        }
    };
    end.send_replace(true);
    if !all_shown {
        // Whoever reads the output may have stopped: a signal is for us now.
        tokio::select! {
            () = &mut shown => {}
            _ = signals.next() => {}
        }
    }
    Ok(status)
}

/// Passes output on, redacted. When no one reads it any more the command's end is closed, and it learns of that as it would
/// without us.
async fn pass(
    from: Option<impl AsyncRead + Unpin>,
    mut to: impl AsyncWrite + Unpin,
    redactor: &Redactor,
    mut ended: watch::Receiver<bool>,
) {
    let Some(mut from) = from else { return };
    let mut stream = redactor.stream();
    let mut chunk = Zeroizing::new(vec![0; CHUNK]);
    let mut out = Vec::new();
    let mut held = false;
    loop {
        let over = *ended.borrow_and_update();
        let patience = if held { IDLE } else { TAIL };
        tokio::select! {
            read = from.read(&mut chunk) => match read {
                Ok(0) | Err(_) => break,
                Ok(length) => {
                    stream.push(&chunk[..length], &mut out);
                    held = true;
                }
            },
            () = tokio::time::sleep(patience), if held || over => {
                if !held {
                    // A process that the command left behind holds its output open.
                    break;
                }
                stream.idle_flush(&mut out);
                held = false;
            }
            _ = ended.changed(), if !over => {}
        }
        if !out.is_empty() && (to.write_all(&out).await.is_err() || to.flush().await.is_err()) {
            return;
        }
        out.clear();
    }
    stream.finish(&mut out);
    let _ = to.write_all(&out).await;
    let _ = to.flush().await;
}

struct Heard {
    signal: Signal,
    is_ours_to_pass: bool,
}

/// The signals that are passed on.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::Error(format!("signals can't be heard: {}", system_words(&error)))
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
            quit: listen(SignalKind::quit())?,
        })
    }

    async fn next(&mut self) -> Heard {
        let (signal, of_keyboard) = tokio::select! {
            _ = self.interrupt.recv() => (Signal::INT, true),
            _ = self.quit.recv() => (Signal::QUIT, true),
            _ = self.terminate.recv() => (Signal::TERM, false),
            _ = self.hang_up.recv() => (Signal::HUP, false),
        };
        Heard {
            signal,
            is_ours_to_pass: !(of_keyboard && is_foreground()),
        }
    }
}

/// Whether a key pressed on the terminal reaches the command without us: it is in our group of processes.
fn is_foreground() -> bool {
    let terminal = std::fs::File::open("/dev/tty");
    terminal.is_ok_and(|terminal| {
        rustix::termios::tcgetpgrp(terminal).is_ok_and(|group| group == getpgrp())
    })
}
