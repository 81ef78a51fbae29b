//! A few read-only connections, each used by one reader at a time on a thread that may block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::statements::SqliteTx;
use super::{connect, gone, map_error};
use crate::error::{Result, StoreError};
use crate::tx::Body;

/// Readers at once.
const READERS: usize = 4;

/// The connections that are free.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    places: Arc<Semaphore>,
    free: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            places: Arc::new(Semaphore::new(READERS)),
            free: Arc::default(),
        }
    }

    /// A read of a few rows by their keys, on the thread that asks: handing it to another costs more than the read. Where all
    /// readers are busy, it waits for one as any other read.
    pub(super) async fn run_short<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        let place = self.places.try_acquire();
        let kept = place.as_ref().ok().and_then(|_| self.free().pop());
        let Some(mut connection) = kept else {
            drop(place);
            return self.run(body).await;
        };
        let answer = snapshot(&mut connection, body);
        if connection.is_autocommit() {
            self.free().push(connection);
        }
        answer
    }

    fn free(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn run<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.map_err(|_| gone())?;
        let (path, free) = (self.path.clone(), Arc::clone(&self.free));
        let read = move || {
            // The place is the thread's, not the caller's, who may go away while the thread goes on.
            let _place = place;
            let kept = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
            };
            let answer = snapshot(&mut connection, body);
            if connection.is_autocommit() {
                let mut free = free.lock().unwrap_or_else(PoisonError::into_inner);
                if free.len() < READERS {
                    free.push(connection);
                }
            }
            answer
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|_| gone())?
    }

    /// How many more readers there may be.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.places.available_permits()
    }

    /// How many connections are kept, once all readers have come back.
    #[cfg(test)]
    pub(super) async fn kept(&self) -> usize {
        let _all = self.places.acquire_many(READERS as u32).await.unwrap();
        self.free.lock().unwrap().len()
    }
}

fn snapshot<T>(connection: &mut Connection, body: Body<T>) -> Result<T> {
    said(connection, "BEGIN")?;
    let mut tx = SqliteTx(connection);
    let answer = body(&mut tx)
        .now_or_never()
        .unwrap_or_else(|| Err(StoreError::Statement("a read waited".to_owned())));
    said(connection, "COMMIT")?;
    answer
}

/// One of the two statements around each read, prepared once.
fn said(connection: &Connection, words: &str) -> Result<()> {
    let done = connection
        .prepare_cached(words)
        .and_then(|mut statement| statement.execute(()));
    done.map(drop).map_err(|error| map_error(&error))
}
