//! Starts that can't be: the node ends with an exit code that is not 0, says what is in the way and what would help, and
//! leaves what is there as it was.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use crate::home::{Engine, Home, on_both_stores};
use crate::server::Launch;
use crate::target::ClosedPort;

on_both_stores!(
    a_wrong_root_key_is_named,
    a_missing_root_key_is_named,
    a_newer_schema_is_refused_and_an_older_one_brought_up,
    a_database_out_of_reach_is_named,
    a_second_process_is_kept_out,
    settings_that_are_wrong_are_refused
);

const OTHER_KEY: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

/// The start fails, and says each of these.
async fn fails(launch: Launch, words: &[&str]) {
    let (code, said) = launch.fails().await;
    assert!((1..=2).contains(&code), "exit code {code}:\n{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
    assert!(
        !said.contains("panicked") && !said.contains("a bug"),
        "{said}"
    );
}

async fn a_wrong_root_key_is_named(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let server = Launch::of(&home).start().await;
    server.secret("KEPT", "a-value-under-the-right-key").await;
    server.stop().await;
    home.plant("another root key", OTHER_KEY);
    fails(
        Launch::of(&home).env("PADCLOCK_ROOT_KEY", OTHER_KEY),
        &["wrong root key"],
    )
    .await;
    fails(
        Launch::of(&home).env("PADCLOCK_ROOT_KEY", "abc"),
        &["PADCLOCK_ROOT_KEY", "64 hex digits"],
    )
    .await;
    let server = Launch::of(&home).start().await;
    assert_eq!(server.client.all("/v1/secrets").await.len(), 1);
}

async fn a_missing_root_key_is_named(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    if engine == Engine::Postgres {
        fails(
            Launch::of(&home).without_env("PADCLOCK_ROOT_KEY"),
            &["no root key", "PADCLOCK_ROOT_KEY"],
        )
        .await;
        Launch::of(&home).start().await.stop().await;
        return fails(
            Launch::of(&home).without_env("PADCLOCK_ROOT_KEY"),
            &["no root key", "PADCLOCK_ROOT_KEY"],
        )
        .await;
    }
    let without = || Launch::of(&home).without_env("PADCLOCK_ROOT_KEY");
    without().start().await.stop().await;
    let key = home.data().join("root.key");
    assert_eq!(
        std::fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert!(home.logged().contains("back it up"));
    let aside = home.folder.join("root.key.aside");
    std::fs::rename(&key, &aside).unwrap();
    fails(without(), &["root.key", "backup"]).await;
    assert!(
        !key.exists(),
        "no other key is made beside a database in use"
    );
    std::fs::rename(&aside, &key).unwrap();
    without().start().await.stop().await;
    fails(
        without().env("PADCLOCK_ROOT_KEY_FILE", "/nowhere/at/all"),
        &["/nowhere/at/all"],
    )
    .await;
}

async fn a_newer_schema_is_refused_and_an_older_one_brought_up(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    std::fs::create_dir(home.data()).unwrap();
    let integer = if engine == Engine::Sqlite {
        "INTEGER"
    } else {
        "BIGINT"
    };
    // As old as can be: the table of steps, and no step.
    home.sql(&format!("CREATE TABLE schema_migrations (version {integer} NOT NULL PRIMARY KEY, applied_at {integer} NOT NULL)")).await;
    let server = Launch::of(&home).start().await;
    server.secret("KEPT", "a-value-in-a-schema").await;
    server.stop().await;
    home.sql("INSERT INTO schema_migrations (version, applied_at) VALUES (999, 0)")
        .await;
    fails(Launch::of(&home), &["schema 999", "binary"]).await;
    home.sql("DELETE FROM schema_migrations WHERE version = 999")
        .await;
    let server = Launch::of(&home).start().await;
    assert_eq!(server.client.all("/v1/secrets").await.len(), 1);
}

async fn a_database_out_of_reach_is_named(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let closed = ClosedPort::new();
    let password = home.plant("the database's password", "a-database-password");
    let urls = match engine {
        Engine::Postgres => vec![
            format!("postgres://someone:{password}@{}/none", closed.address),
            format!("{}_that_is_not_there", home.database_url().unwrap()),
        ],
        Engine::Sqlite => vec!["sqlite:///nowhere/at/all/padclock.db".to_owned()],
    };
    for url in urls {
        // Whoever finds it first names what can't be used.
        fails(Launch::of(&home).database(url), &["can't be used"]).await;
    }
    fails(
        Launch::of(&home).database("mysql://127.0.0.1/x".to_owned()),
        &["sqlite://", "postgres://"],
    )
    .await;
    let nonsense = home.folder.join("nonsense.db");
    std::fs::write(
        &nonsense,
        "this is no database, and it is long enough to be looked at ".repeat(100),
    )
    .unwrap();
    fails(
        Launch::of(&home).database(format!("sqlite://{}", nonsense.display())),
        &["not a sound database"],
    )
    .await;
}

async fn a_second_process_is_kept_out(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let first = Launch::of(&home).start().await;
    if engine == Engine::Postgres {
        let second = Launch::of(&home)
            .data(home.folder.join("second"))
            .start()
            .await;
        second.secret("SHARED", "a-value-for-both-nodes").await;
        assert_eq!(
            first.client.all("/v1/secrets").await.len(),
            1,
            "nodes on PostgreSQL share everything"
        );
        return;
    }
    let data = home.data().display().to_string();
    fails(Launch::of(&home), &["another padclock process", &data]).await;
    first.client.get("/readyz").await.expect(200);
    first.kill().await;
    Launch::of(&home).start().await;
}

async fn settings_that_are_wrong_are_refused(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let launch = || Launch::of(&home);
    fails(launch().flag("--listen", "0.0.0.0:0"), &["--behind-proxy"]).await;
    fails(launch().flag("--listen", "somewhere"), &["listen"]).await;
    fails(
        launch().flag("--egress-allow", "10.0.0.0/99"),
        &["egress.allow"],
    )
    .await;
    fails(
        launch().flag("--max-in-flight", "0"),
        &["max_in_flight", "1 to 100000"],
    )
    .await;
    fails(launch().flag("--colour", "red"), &["--colour"]).await;
    fails(
        launch().env("PADCLOCK_BOOTSTRAP_TOKEN", "short"),
        &["PADCLOCK_BOOTSTRAP_TOKEN"],
    )
    .await;
    for seconds in ["2", "301", "soon"] {
        fails(
            launch().env("PADCLOCK_LEASE_TTL", seconds),
            &["lease_ttl", "3 to 300"],
        )
        .await;
    }
    let file = home.folder.join("padclock.toml");
    let text = file.display().to_string();
    fails(launch().flag("--config", &text), &[&text]).await;
    for (wrong, word) in [
        ("colour = \"red\"", "colour"),
        ("listen = 5", "line 1"),
        ("[egress]\nallow = \"x\"", "line 2"),
        ("= =", &text),
    ] {
        std::fs::write(&file, wrong).unwrap();
        fails(launch().flag("--config", &text), &[word]).await;
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fails(
        launch().flag("--listen", &address),
        &["can't listen", &address],
    )
    .await;
    std::fs::write(home.folder.join("in-the-way"), "").unwrap();
    fails(
        launch().data(home.folder.join("in-the-way").join("data")),
        &["in-the-way"],
    )
    .await;
}
