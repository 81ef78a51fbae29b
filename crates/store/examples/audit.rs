//! How fast records are appended and a chain is verified: `audit URL [COUNT]`, on an empty database of either engine. For
//! figures; nothing else uses it.
#![expect(
    clippy::print_stdout,
    reason = "a program for reading figures off a terminal"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use padclock_api::{TokenId, UserId, WorkspaceId};
use padclock_store::{Action, Actor, Detail, FirstStart, KeyMaterial, NewToken, Store};
use padclock_vault::{Keyring, Randomness, RootKey};

/// Callers that wait for their records at the same time.
const CALLERS: u64 = 512;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Counting(u8);

impl Randomness for Counting {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(5).wrapping_add(7);
            *byte = self.0;
        }
    }
}

async fn store(url: &str) -> Outcome<(Arc<Store>, WorkspaceId)> {
    let (mut random, workspace) = (Counting(1), WorkspaceId::from_bytes([1; 16]));
    let root = RootKey::generate(&mut random);
    let (keyring, master, term) = Keyring::create(&root, &mut random);
    let keyring = Arc::new(keyring);
    let token = NewToken {
        id: TokenId::from_bytes([3; 16]),
        lookup: [4; 32],
        name: "none".to_owned(),
    };
    let first = FirstStart {
        keys: KeyMaterial {
            master,
            terms: vec![term],
        },
        workspace,
        owner: UserId::from_bytes([2; 16]),
        token,
    };
    let store = Arc::new(Store::open(url).await?);
    store.first_start(first, Arc::clone(&keyring)).await?;
    store.unlock(keyring);
    Ok((store, workspace))
}

async fn append(
    store: &Arc<Store>,
    workspace: WorkspaceId,
    count: u64,
    callers: u64,
) -> Outcome<()> {
    let next = Arc::new(AtomicU64::new(0));
    let call = || {
        let (store, next) = (Arc::clone(store), Arc::clone(&next));
        tokio::spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < count {
                let actor = Actor::Node("a-node-0badcafe".into());
                let detail = Detail {
                    name: Some("STRIPE_KEY".to_owned()),
                    version: Some(3),
                    ..Detail::default()
                };
                let target = "sec_01m7wp4errpg4g1fjy08g7kfm5";
                store
                    .record(workspace, &actor, Action::SecretReveal, target, detail)
                    .await?;
            }
            Outcome::Ok(())
        })
    };
    let tasks: Vec<_> = (0..callers).map(|_| call()).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn told(what: &str, count: u64, begun: Instant) {
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "some millions at most")]
    let each = count as f64 / seconds;
    println!("{what}: {count} in {seconds:.2} s, {each:.0}/s");
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments
        .next()
        .ok_or("name a database: sqlite://PATH or postgres://…")?;
    let count: u64 = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let (store, workspace) = store(&url).await?;
    for callers in [1, 64] {
        let (begun, some) = (Instant::now(), callers * 500);
        append(&store, workspace, some, callers).await?;
        told(&format!("appended, {callers} callers"), some, begun);
    }
    let begun = Instant::now();
    append(&store, workspace, count, CALLERS).await?;
    told(&format!("appended, {CALLERS} callers"), count, begun);
    for _ in 0..3 {
        let begun = Instant::now();
        let reports = store.verify_audit(None, Vec::new()).await?;
        let report = reports.first().ok_or("no chain")?;
        assert!(report.is_good(), "{report:?}");
        told("verified", report.records, begun);
    }
    Ok(())
}
