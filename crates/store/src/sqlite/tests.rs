//! What the writer does when its file can't grow, when a body fails, and when one panics.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};

use futures_util::FutureExt;

use super::*;
use crate::field::fields;
use crate::tx::{Sql, Tx};
use crate::{Engine, Store, body};

static PUT: Sql = Sql::both("INSERT INTO meta (key, value) VALUES ($1, $2)");
/// What the tests have put there: an opening leaves a mark of its own.
static COUNT: Sql = Sql::both(
    "SELECT count(*) FROM meta WHERE key LIKE 'key%' OR key IN ('small', 'large')",
);
static NO_ROOM: Sql = Sql::both("PRAGMA max_page_count = 1");
static ROOM: Sql = Sql::both("PRAGMA max_page_count = 1000000");

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn opened(name: &str) -> (Folder, Store) {
    let folder = std::env::temp_dir().join(format!("padclock_{name}_{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let store = Store::open(&format!("sqlite://{}/padclock.db", folder.display()))
        .await
        .unwrap();
    (Folder(folder), store)
}

async fn put(tx: &mut dyn Tx, key: &str, size: usize) -> Result<()> {
    tx.execute(&PUT, fields![key.to_owned(), vec![7_u8; size]])
        .await
        .map(drop)
}

async fn count(store: &Store) -> i64 {
    store
        .read(body!(|tx| tx.query(&COUNT, &[]).await?[0].int(0)))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_full_database_says_so_and_goes_on_when_there_is_room() {
    let (_folder, store) = opened("full").await;
    // A limit below what is there means: not one page more.
    store
        .write(body!(|tx| tx.query(&NO_ROOM, &[]).await.map(drop)))
        .await
        .unwrap();
    let refused = store
        .write(body!(|tx| {
            put(tx, "small", 1).await?;
            put(tx, "large", 1_000_000).await
        }))
        .await;
    assert_eq!(
        refused,
        Err(StoreError::Unavailable(
            "no space is left on the device".to_owned()
        ))
    );
    assert_eq!(count(&store).await, 0);
    store
        .write(body!(|tx| tx.query(&ROOM, &[]).await.map(drop)))
        .await
        .unwrap();
    store
        .write(body!(|tx| put(tx, "large", 1_000_000).await))
        .await
        .unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn of_transactions_that_share_a_commit_only_the_failing_one_is_undone() {
    let (_folder, store) = opened("group").await;
    let store = &store;
    let writes = (0..50).map(|number| async move {
        store
            .write(body!(|tx| {
                put(tx, &format!("key {number}"), 10).await?;
                if number % 5 == 0 {
                    Err(StoreError::NotFound)
                } else {
                    Ok(())
                }
            }))
            .await
    });
    let answers = futures_util::future::join_all(writes).await;
    assert_eq!(
        answers
            .iter()
            .filter(|answer| **answer == Err(StoreError::NotFound))
            .count(),
        10
    );
    assert_eq!(count(store).await, 40);
}

#[tokio::test]
async fn a_body_that_panics_is_undone_and_the_writer_lives_on() {
    let (_folder, store) = opened("panic").await;
    let panicked: Result<()> = store
        .write(body!(|tx| {
            put(tx, "key", 10).await?;
            panic!("on purpose")
        }))
        .await;
    assert!(matches!(panicked, Err(StoreError::Statement(_))));
    assert_eq!(count(&store).await, 0);
    store
        .write(body!(|tx| put(tx, "key", 10).await))
        .await
        .unwrap();
    assert_eq!(count(&store).await, 1);
}

#[tokio::test]
async fn a_read_cannot_write() {
    let (_folder, store) = opened("read").await;
    let refused = store.read(body!(|tx| put(tx, "key", 10).await)).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(count(&store).await, 0);
}

fn readers(store: &Store) -> &Readers {
    match &*store.engine {
        Engine::Sqlite(sqlite) => &sqlite.readers,
        Engine::Postgres(_) => unreachable!("it was opened as a file"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_whose_callers_have_gone_keep_their_places() {
    let (_folder, store) = opened("dropped").await;
    let gate = Arc::new(RwLock::new(()));
    let begun = Arc::new(AtomicUsize::new(0));
    let closed = gate.write().unwrap();
    for _ in 0..40 {
        let (gate, begun) = (Arc::clone(&gate), Arc::clone(&begun));
        let mut read = Box::pin(store.read(body!(|tx| {
            begun.fetch_add(1, Ordering::Relaxed);
            drop(gate.read().unwrap());
            tx.query(&COUNT, &[]).await.map(drop)
        })));
        assert!((&mut read).now_or_never().is_none());
    }
    assert_eq!(readers(&store).places(), 0, "their threads go on");
    drop(closed);
    assert!(readers(&store).kept().await <= 4);
    assert!(begun.load(Ordering::Relaxed) <= 4);
    assert_eq!(count(&store).await, 0);
}

#[tokio::test]
async fn a_clean_stop_leaves_one_file() {
    let (folder, store) = opened("stop").await;
    store
        .write(body!(|tx| put(tx, "key", 10).await))
        .await
        .unwrap();
    assert_eq!(count(&store).await, 1);
    drop(store);
    let left: Vec<_> = std::fs::read_dir(&folder.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["padclock.db"]);
}

#[tokio::test]
async fn only_its_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = opened("mode").await;
    store
        .write(body!(|tx| put(tx, "key", 10).await))
        .await
        .unwrap();
    for name in ["padclock.db", "padclock.db-wal", "padclock.db-shm"] {
        let mode = std::fs::metadata(folder.0.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
