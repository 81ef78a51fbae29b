//! The writer thread: gathers the transactions that wait, runs each in a savepoint, and commits them as one.
//!
//! A transaction's caller hears of it only after the commit, so what it was told is on the disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use futures_util::FutureExt;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::statements::SqliteTx;
use super::{gone, map_error};
use crate::error::{Result, StoreError};
use crate::tx::Body;

/// The most transactions that share a commit.
const GROUP: usize = 256;

type Answer = Box<dyn FnOnce(Result<()>) + Send>;
/// Given a connection it runs its body; given an error it runs nothing, and that is its answer.
type Work = Box<dyn FnOnce(Result<&mut Connection>) -> (bool, Answer) + Send>;

/// The writer thread. Dropping this ends it: what was handed to it is done first, and its connection is closed then.
#[derive(Debug)]
pub(super) struct Writer {
    /// Both are there until the drop.
    work: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take() {
            // It catches what panics in a body; nothing else is left to say.
            let _ = thread.join();
        }
    }
}

impl Writer {
    pub(super) fn start(mut connection: Connection) -> Result<Self> {
        let (work, waiting) = channel::<Work>();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                while let Ok(first) = waiting.recv() {
                    commit_group(&mut connection, first, &waiting);
                }
            })
            .map_err(|_| StoreError::Unavailable("no thread for the writer".to_owned()))?;
        Ok(Self {
            work: Some(work),
            thread: Some(thread),
        })
    }

    pub(super) async fn run<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        let (tell, told) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            let result = connection.and_then(|connection| run_body(connection, body));
            let succeeded = result.is_ok();
            let answer: Answer = Box::new(move |committed| {
                // A caller that has gone away does not need the answer.
                // Its own failure says more than the group's, which may have come of it.
                let _ = tell.send(result.and_then(|value| committed.map(|()| value)));
            });
            (succeeded, answer)
        });
        let writer = self.work.as_ref().ok_or_else(gone)?;
        writer.send(work).map_err(|_| gone())?;
        told.await.map_err(|_| gone())?
    }
}

fn run_body<T>(connection: &mut Connection, body: Body<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(|| {
        let mut tx = SqliteTx(connection);
        body(&mut tx)
            .now_or_never()
            .unwrap_or_else(|| Err(StoreError::Statement("a transaction waited".to_owned())))
    }))
    .unwrap_or_else(|_| Err(StoreError::Statement("a transaction panicked".to_owned())))
}

fn commit_group(connection: &mut Connection, first: Work, waiting: &Receiver<Work>) {
    if let Err(error) = connection.execute_batch("BEGIN IMMEDIATE") {
        let (_, answer) = first(Err(map_error(&error)));
        return answer(Ok(()));
    }
    // The first needs no savepoint, and pays for none: when it fails there is nothing else to undo.
    let (succeeded, answer) = first(Ok(&mut *connection));
    if !succeeded || connection.is_autocommit() {
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        return answer(Err(StoreError::Unavailable(
            "the transaction was rolled back".to_owned(),
        )));
    }
    let mut answers = vec![answer];
    let mut next = waiting.try_recv().ok();
    let mut lost = None;
    while let Some(work) = next.take() {
        let (answer, intact) = run_in_savepoint(connection, work);
        answers.push(answer);
        if !intact {
            lost = Some(StoreError::Unavailable(
                "the transaction was rolled back".to_owned(),
            ));
            break;
        }
        if answers.len() < GROUP {
            next = waiting.try_recv().ok();
        }
    }
    let committed = lost.map_or_else(|| commit(connection), Err);
    for answer in answers {
        answer(committed.clone());
    }
}

/// Runs one transaction's body; tells whether the enclosing transaction is still there.
fn run_in_savepoint(connection: &mut Connection, work: Work) -> (Answer, bool) {
    if let Err(error) = connection.execute_batch("SAVEPOINT body") {
        let _ = connection.execute_batch("ROLLBACK");
        return (work(Err(map_error(&error))).1, false);
    }
    let (succeeded, answer) = work(Ok(&mut *connection));
    // A full disk and a few other failures end the whole transaction by themselves.
    if connection.is_autocommit() {
        return (answer, false);
    }
    let end = if succeeded {
        "RELEASE body"
    } else {
        "ROLLBACK TO body; RELEASE body"
    };
    let intact = connection.execute_batch(end).is_ok();
    if !intact {
        let _ = connection.execute_batch("ROLLBACK");
    }
    (answer, intact)
}

fn commit(connection: &Connection) -> Result<()> {
    connection.execute_batch("COMMIT").map_err(|error| {
        let mapped = map_error(&error);
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        mapped
    })
}
