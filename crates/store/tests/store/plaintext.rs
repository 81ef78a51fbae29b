//! A stored secret's value is in no column of the whole database.

use padclock_store::{Actor, End};

use crate::make::with_header;
use crate::world::{Engine, World, digits, on_both_engines};

on_both_engines!(no_column_holds_a_value);

const VALUES: [&str; 3] = [
    "correct-horse-battery-1",
    "correct-horse-battery-2",
    "correct-horse-battery-3",
];

async fn tables(world: &World) -> Vec<String> {
    let list = match world.engine {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Engine::Postgres => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        }
    };
    world
        .raw(list)
        .await
        .into_iter()
        .map(|mut row| row.remove(0).unwrap())
        .collect()
}

async fn no_column_holds_a_value(world: World) {
    let first = world.secret(world.new_secret("KEY", VALUES[0])).await;
    let second = world.replace(&world.store, &first, VALUES[1]).await;
    world.due_job(with_header("sync", "secret://KEY")).await;
    let claimed = world.claim_one().await;
    assert_eq!(world.open(&claimed.secrets[0].1), VALUES[1]);
    assert!(world.finish(&claimed, End::Succeeded).await);
    world.replace(&world.store, &second, VALUES[2]).await;
    world.secret(world.new_secret("OTHER", VALUES[0])).await;

    let tables = tables(&world).await;
    assert!(tables.len() >= 15, "{tables:?}");
    let mut cells = 0;
    for table in &tables {
        for cell in world
            .raw(&format!("SELECT * FROM {table}"))
            .await
            .into_iter()
            .flatten()
            .flatten()
        {
            cells += 1;
            for value in VALUES {
                assert!(!cell.contains(value), "{table} holds a value");
                assert!(
                    !cell.contains(&digits(value.as_bytes())),
                    "{table} holds a value's bytes"
                );
            }
        }
    }
    assert!(cells > 100);
    world
        .store
        .delete_secret(world.workspace, first.secret.id, Actor::System, world.owner)
        .await
        .unwrap();
    if world.engine == Engine::Sqlite {
        let path = world.store.file().unwrap();
        for ending in ["", "-wal"] {
            let file = std::fs::read(format!("{}{ending}", path.display())).unwrap();
            for value in VALUES {
                let found = file
                    .windows(value.len())
                    .any(|window| window == value.as_bytes());
                assert!(!found, "the file{ending} holds a value");
            }
        }
    }
}
