//! Keys of repeated creations.

use padclock_store::{Reserved, StoreError};

use crate::world::{World, on_both_engines};

on_both_engines!(a_key_stands_for_one_object_for_a_day);

async fn a_key_stands_for_one_object_for_a_day(world: World) {
    let reserve = |print, target| {
        world
            .store
            .reserve(world.workspace, "k".to_owned(), [print; 32], [target; 16])
    };
    assert_eq!(
        reserve(1, 5).await.unwrap(),
        Reserved {
            target: [5; 16],
            fresh: true
        }
    );
    assert_eq!(
        reserve(1, 6).await.unwrap(),
        Reserved {
            target: [5; 16],
            fresh: false
        }
    );
    assert!(matches!(reserve(2, 6).await, Err(StoreError::Conflict(_))));
    let (other, _) = world.other_workspace().await;
    let elsewhere = world
        .store
        .reserve(other, "k".to_owned(), [2; 32], [7; 16])
        .await
        .unwrap();
    assert!(elsewhere.fresh);
    let yesterday = world.now().await.millis() - 86_400_001;
    world
        .raw(&format!("UPDATE idempotency SET created_at = {yesterday}"))
        .await;
    assert_eq!(
        reserve(2, 8).await.unwrap(),
        Reserved {
            target: [8; 16],
            fresh: true
        }
    );
}
