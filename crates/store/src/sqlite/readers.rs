//! A few read-only connections, each used by one reader at a time on a thread that may block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

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
    places: Semaphore,
    free: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            places: Semaphore::new(READERS),
            free: Arc::default(),
        }
    }

    pub(super) async fn run<T: Send + 'static>(&self, body: Body<T>) -> Result<T> {
        let _place = self.places.acquire().await.map_err(|_| gone())?;
        let (path, free) = (self.path.clone(), Arc::clone(&self.free));
        let read = move || {
            let kept = free.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match kept {
                Some(connection) => connection,
                None => connect(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
            };
            let answer = snapshot(&mut connection, body);
            if connection.is_autocommit() {
                free.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(connection);
            }
            answer
        };
        tokio::task::spawn_blocking(read)
            .await
            .map_err(|_| gone())?
    }
}

fn snapshot<T>(connection: &mut Connection, body: Body<T>) -> Result<T> {
    connection
        .execute_batch("BEGIN")
        .map_err(|error| map_error(&error))?;
    let mut tx = SqliteTx(connection);
    let answer = body(&mut tx)
        .now_or_never()
        .unwrap_or_else(|| Err(StoreError::Statement("a read waited".to_owned())));
    connection
        .execute_batch("COMMIT")
        .map_err(|error| map_error(&error))?;
    answer
}
