//! What happens when the database can't go on: the right error, nothing half-written, and work again afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use padclock_store::{Actor, End, Store, StoreError};

use crate::make::{LONG, finished, hourly, new_job, node, with_header};
use crate::world::{Engine, Place, World, run, server};

fn unavailable(error: &StoreError) -> bool {
    matches!(error, StoreError::Unavailable(_))
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let place = Place::make(Engine::Sqlite).await;
    std::fs::write(
        place.file(),
        b"this is a text file, and it is long enough to be looked at as a database header would be",
    )
    .unwrap();
    let error = Store::open(&place.url).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    place.remove().await;
}

async fn a_damaged_page(world: World) {
    for number in 0..50 {
        world.job(hourly(&format!("job {number}"))).await;
    }
    let file = world.store.file().unwrap().to_owned();
    world.raw("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let copy = file.with_file_name("damaged.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // Everything but the header page, which holds the schema's root.
    bytes[4_096..].fill(0x5a);
    std::fs::write(&copy, bytes).unwrap();
    let opened = Store::open(&format!("sqlite://{}", copy.display())).await;
    let error = match opened {
        Err(error) => error,
        Ok(store) => store
            .list_jobs(world.workspace, None, (None, 10))
            .await
            .unwrap_err(),
    };
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    assert_eq!(world.store.count_jobs(world.workspace).await.unwrap(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_is_named() {
    run(Engine::Sqlite, a_damaged_page).await;
}

#[tokio::test]
async fn a_path_that_cannot_be_opened_is_named() {
    let error = Store::open("sqlite:///nowhere/at/all/padclock.db")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::Unavailable(text) if text.contains("opened")),
        "{error}"
    );
}

#[tokio::test]
async fn an_unreachable_server_is_named() {
    let error = Store::open("postgres://someone:hidden@127.0.0.1:1/padclock")
        .await
        .unwrap_err();
    assert!(unavailable(&error), "{error}");
    assert!(!format!("{error} {error:?}").contains("hidden"));
    let error = Store::open("postgres://127.0.0.1:notaport/padclock")
        .await
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::Unavailable(text) if text.contains("postgres://user@host/name")),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_database_is_named() {
    let (front, _) = server()
        .rsplit_once('/')
        .map(|(front, name)| (front.to_owned(), name.to_owned()))
        .unwrap();
    let error = Store::open(&format!("{front}/padclock_is_not_here"))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::Unavailable(text) if text.contains("does not exist")),
        "{error}"
    );
}

const KILL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";

async fn killed_connections(world: World) {
    world.secret(world.new_secret("KEY", "value one")).await;
    let stop = Arc::new(AtomicBool::new(false));
    let killer = {
        let (world, stop) = (world.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            for _ in 0..20 {
                world.raw(KILL).await;
            }
            stop.store(true, Ordering::Relaxed);
        })
    };
    let (mut made, mut failed) = (0, 0);
    while !stop.load(Ordering::Relaxed) || failed == 0 && made < 10_000 {
        let new = new_job(
            &world,
            padclock_job::Moment::from_millis(1_700_000_000_000),
            with_header("sync", "secret://KEY"),
        );
        match world.store.create_job(new, Actor::System).await {
            Ok(_) => made += 1,
            Err(error) => {
                assert!(unavailable(&error), "{error}");
                failed += 1;
            }
        }
    }
    killer.await.unwrap();
    // Once more, with idle connections in the pool; then all is well again.
    world.raw(KILL).await;
    let mut tries = 0;
    while let Err(error) = world.store.now().await {
        assert!(unavailable(&error), "{error}");
        tries += 1;
        assert!(tries <= 12, "a pool of dead connections must empty itself");
    }
    // A commit whose answer was cut off may have been made: whole, then, with its due row and its record.
    let jobs = world.number("SELECT count(*) FROM jobs").await;
    assert!(
        (made..=made + failed).contains(&jobs),
        "{made} {failed} {jobs}"
    );
    assert_eq!(world.number("SELECT count(*) FROM due").await, jobs);
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'job.create'")
            .await,
        jobs
    );
    world.due_job(with_header("after", "secret://KEY")).await;
    let claimed = world.claim(100).await;
    assert!(
        claimed
            .iter()
            .any(|one| one.job.definition().name == "after")
    );
    for one in &claimed {
        assert!(world.finish(one, End::Succeeded).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_connections_are_replaced() {
    run(Engine::Postgres, killed_connections).await;
}

/// Set in the child process of the next test: the folder to work in.
const CHILD: &str = "PADCLOCK_TEST_FULL_DISK";

/// Runs this same binary once more, with room for files taken away by the shell's limit.
#[test]
fn a_write_that_the_system_refuses_changes_nothing() {
    let folder = std::env::temp_dir().join(format!("padclock_full_{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let own = std::env::current_exe().unwrap();
    let script = "trap '' XFSZ; exec \"$0\" --exact failure::in_a_full_file_system --nocapture";
    let child = std::process::Command::new("sh")
        .arg("-c")
        .arg(script)
        .arg(own)
        .env(CHILD, &folder)
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr)
    );
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        child.status.success() && said.contains("1 passed") && said.contains("went on"),
        "{said}"
    );
}

fn file_limit(bytes: Option<u64>) {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Fsize);
    let new = rustix::process::Rlimit {
        current: bytes,
        maximum: limit.maximum,
    };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, new).unwrap();
}

async fn filled(world: &World) -> (u32, StoreError) {
    for made in 0..10_000 {
        let new = new_job(
            world,
            padclock_job::Moment::from_millis(1_700_000_000_000),
            hourly("sync"),
        );
        if let Err(error) = world.store.create_job(new, Actor::System).await {
            return (made, error);
        }
    }
    panic!("the limit was never reached");
}

/// On its own this has nothing to do: it is the child of the test above.
#[tokio::test(flavor = "multi_thread")]
async fn in_a_full_file_system() {
    let Ok(folder) = std::env::var(CHILD) else {
        return;
    };
    let place = format!("sqlite://{folder}/padclock.db");
    let world = World::start(Engine::Sqlite, place).await;
    world.due_job(hourly("claimed before")).await;
    let claimed = world.claim_one().await;
    file_limit(Some(1_000_000));
    let (made, error) = filled(&world).await;
    assert!(unavailable(&error), "{error}");
    let refused = world
        .store
        .complete(node("n1"), vec![finished(&claimed, End::Succeeded)])
        .await;
    assert!(unavailable(&refused.unwrap_err()));
    let jobs = world.store.count_jobs(world.workspace).await.unwrap();
    assert_eq!(
        jobs,
        i64::from(made) + 1,
        "reads go on, and what was told is what is there"
    );
    file_limit(None);
    assert!(world.finish(&claimed, End::Succeeded).await);
    world.job(hourly("after")).await;
    assert!(world.store.claim(node("n1"), 10, LONG).await.unwrap().len() <= 10);
    assert_eq!(
        world.number("SELECT count(*) FROM due").await,
        i64::from(made) + 2
    );
    assert_eq!(
        world
            .number("SELECT count(*) FROM audit WHERE action = 'job.create'")
            .await,
        i64::from(made) + 2
    );
    assert_eq!(
        world.raw("PRAGMA integrity_check").await,
        [[Some("ok".to_owned())]]
    );
    println!("went on");
}
