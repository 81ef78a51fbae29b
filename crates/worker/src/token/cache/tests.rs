//! What is kept and for how long, who asks, and who shares what came of it.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::*;

const NOW: Moment = Moment::from_millis(1_773_068_400_000);

fn key(number: u16) -> Key {
    let mut identity = [0; 32];
    identity[..2].copy_from_slice(&number.to_be_bytes());
    Key {
        workspace: WorkspaceId::from_bytes([3; 16]),
        identity,
        secrets: Vec::new(),
    }
}

fn token(seconds: u64) -> Token {
    Token::new(Value::new("granted-token"), NOW, seconds)
}

fn failure(kind: FailureKind) -> Failure {
    Failure::new(kind, "code", "why")
}

#[tokio::test]
async fn a_token_is_used_until_a_margin_before_its_end() {
    // Lifetime, a time at which it is used, and one at which it is not.
    let table = [(3_600, 3_569, 3_570), (60, 29, 30), (20, 9, 10), (1, 0, 1)];
    for (seconds, holds, over) in table {
        let slot = Slot::default();
        let (first, fresh) = slot
            .get(NOW, None, async || Ok(token(seconds)))
            .await
            .unwrap();
        assert!(fresh);
        let kept = slot
            .get(NOW.plus_seconds(holds), None, async || unreachable!())
            .await
            .unwrap();
        assert!(Arc::ptr_eq(&kept.0, &first) && !kept.1, "{seconds}");
        let (next, fresh) = slot
            .get(NOW.plus_seconds(over), None, async || Ok(token(seconds)))
            .await
            .unwrap();
        assert!(!Arc::ptr_eq(&next, &first) && fresh, "{seconds}");
    }
}

#[tokio::test]
async fn a_token_without_a_lifetime_serves_whoever_asked() {
    let slot = Slot::default();
    for _ in 0..2 {
        let (_, fresh) = slot.get(NOW, None, async || Ok(token(0))).await.unwrap();
        assert!(fresh);
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let slot = Slot::default();
    let (first, _) = slot.get(NOW, None, async || Ok(token(60))).await.unwrap();
    let (second, fresh) = slot
        .get(NOW, Some(&first), async || Ok(token(60)))
        .await
        .unwrap();
    assert!(fresh && !Arc::ptr_eq(&first, &second));
    // Another attempt that was refused the first token takes the second one.
    let (third, fresh) = slot
        .get(NOW, Some(&first), async || unreachable!())
        .await
        .unwrap();
    assert!(!fresh && Arc::ptr_eq(&second, &third));
    slot.forget(&first);
    assert!(
        slot.kept(NOW, None).is_some(),
        "another has taken its place"
    );
    slot.forget(&second);
    assert!(slot.kept(NOW, None).is_none());
}

/// Ten calls at once, the first of which is held until all others wait.
async fn ten_at_once(
    outcome: impl Fn() -> Result<Token, Failure> + Send + Sync + 'static,
) -> (usize, Vec<Result<bool, Failure>>) {
    let (slot, asked) = (Arc::new(Slot::default()), Arc::new(AtomicUsize::new(0)));
    let (gate, outcome) = (Arc::new(Notify::new()), Arc::new(outcome));
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let (slot, asked) = (Arc::clone(&slot), Arc::clone(&asked));
            let (gate, outcome) = (Arc::clone(&gate), Arc::clone(&outcome));
            tokio::spawn(async move {
                let ask = async || {
                    if asked.fetch_add(1, Ordering::SeqCst) == 0 {
                        gate.notified().await;
                    }
                    outcome()
                };
                slot.get(NOW, None, ask).await.map(|(_, fresh)| fresh)
            })
        })
        .collect();
    // On the one thread of this runtime each call runs until it waits.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    gate.notify_one();
    let mut ended = Vec::new();
    for call in calls {
        ended.push(call.await.unwrap());
    }
    (asked.load(Ordering::SeqCst), ended)
}

#[tokio::test]
async fn one_asks_for_all_that_wait() {
    let (asked, ended) = ten_at_once(|| Ok(token(60))).await;
    assert_eq!(asked, 1);
    assert!(ended.iter().all(|got| *got == Ok(true)), "{ended:?}");
}

#[tokio::test]
async fn those_who_waited_share_a_failure_and_later_ones_ask_again() {
    let (asked, ended) = ten_at_once(|| Err(failure(FailureKind::Status))).await;
    assert_eq!(asked, 1);
    assert!(ended.iter().all(Result::is_err));

    let slot = Slot::default();
    for _ in 0..2 {
        let failed = slot
            .get(NOW, None, async || Err(failure(FailureKind::Status)))
            .await;
        assert_eq!(failed.unwrap_err().kind, FailureKind::Status);
        // The clock of instants may stand still between two calls.
        tokio::time::pause();
        tokio::time::advance(std::time::Duration::from_millis(1)).await;
        tokio::time::resume();
    }
    let (_, fresh) = slot.get(NOW, None, async || Ok(token(60))).await.unwrap();
    assert!(fresh);
}

#[tokio::test]
async fn a_time_out_is_ones_own() {
    let (asked, ended) = ten_at_once(|| Err(failure(FailureKind::Timeout))).await;
    assert_eq!(asked, 10);
    assert!(ended.iter().all(Result::is_err));
}

#[tokio::test]
async fn whoever_stops_asking_lets_the_next_one_ask() {
    let slot = Arc::new(Slot::default());
    let stuck = {
        let slot = Arc::clone(&slot);
        tokio::spawn(async move {
            let never = async || std::future::pending().await;
            slot.get(NOW, None, never).await.is_ok()
        })
    };
    tokio::task::yield_now().await;
    stuck.abort();
    let (_, fresh) = slot.get(NOW, None, async || Ok(token(60))).await.unwrap();
    assert!(fresh && stuck.await.unwrap_err().is_cancelled());
}

#[test]
fn so_many_are_kept_and_the_longest_unused_goes_first() {
    let tokens = Tokens::default();
    let most = u16::try_from(MOST).unwrap();
    let first = Arc::downgrade(&tokens.slot(key(0)));
    let held = tokens.slot(key(1));
    for number in 2..most {
        tokens.slot(key(number));
    }
    assert!(first.upgrade().is_some());
    tokens.slot(key(0));
    tokens.slot(key(most));
    let slots = tokens.slots.lock().unwrap();
    assert_eq!(slots.by_key.len(), MOST);
    assert!(slots.by_key.contains_key(&key(0)), "used lately");
    assert!(slots.by_key.contains_key(&key(1)), "held by someone");
    assert!(!slots.by_key.contains_key(&key(2)));
    drop(held);
}

#[test]
fn nothing_shows_a_token() {
    let shown = format!("{:?}", token(60));
    assert!(
        shown.contains("[REDACTED]") && !shown.contains("granted"),
        "{shown}"
    );
}
