//! Which jobs name which secrets, and what the names mean for them.

use padclock_api::{JobId, SecretId};
use padclock_store::{Actor, JobEdit, Store};

use crate::make::{ALL, compiled, elsewhere, hourly, stranger, with_header};
use crate::world::{World, on_both_engines};

on_both_engines!(
    jobs_that_name_a_secret_are_found_page_by_page,
    edits_and_deletions_are_followed,
    jobs_of_an_older_schema_are_filled_in,
    names_that_mean_nothing_are_found,
);

async fn users(world: &World, secret: (SecretId, &str)) -> Vec<(String, bool)> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let named = (secret.0, secret.1.to_owned());
        let page = world
            .store
            .secret_users(world.workspace, named, after, 2)
            .await
            .unwrap();
        found.extend(
            page.0
                .into_iter()
                .map(|one| (one.job.definition.name, one.meant)),
        );
        after = page.1;
        if after.is_none() {
            return found;
        }
    }
}

fn is(name: &str, meant: bool) -> (String, bool) {
    (name.to_owned(), meant)
}

async fn jobs_that_name_a_secret_are_found_page_by_page(world: World) {
    let mut everywhere = world.new_secret("MY_KEY", "some-value");
    everywhere.environment = ALL.to_owned();
    let everywhere = world.secret(everywhere).await.secret.id;
    let production = world.secret(world.new_secret("MY_KEY", "some-value")).await;
    let mut own = world.new_secret("MY_KEY", "some-value");
    own.owner = Some(stranger());
    let own = world.secret(own).await.secret.id;
    world.job(with_header("uri", "secret://MY_KEY")).await;
    world
        .job(with_header("braces", "Bearer {{secret.MY_KEY}}"))
        .await;
    world
        .job(with_header("both", "secret://MY_KEY {{secret.MY_KEY}}"))
        .await;
    world
        .job(with_header("longer", "secret://MY_KEY.2 secret://MYxKEY"))
        .await;
    let mut staging = with_header("staging", "secret://MY_KEY");
    staging.environment = Some("staging".to_owned());
    world.job(staging).await;
    world.job(hourly("MY_KEY")).await;
    let names = ["uri", "braces", "both", "staging"];
    for (id, meant) in [
        (everywhere, [false, false, false, true]),
        (production.secret.id, [true, true, true, false]),
        (own, [false; 4]),
    ] {
        let expected: Vec<_> = names
            .iter()
            .zip(meant)
            .map(|(name, meant)| is(name, meant))
            .collect();
        assert_eq!(users(&world, (id, "MY_KEY")).await, expected);
    }
    assert!(users(&world, (own, "MY%KEY")).await.is_empty());
    let named = (everywhere, "MY_KEY".to_owned());
    let page = world.store.secret_users(elsewhere(), named, None, 10).await;
    assert!(page.unwrap().0.is_empty());
}

async fn edits_and_deletions_are_followed(world: World) {
    let id = world
        .secret(world.new_secret("KEY", "some-value"))
        .await
        .secret
        .id;
    let job = world.job(with_header("sync", "secret://KEY")).await;
    let other = world.job(with_header("other", "{{secret.KEY}}")).await;
    let edit = JobEdit {
        job: compiled(job.id, job.created_at, with_header("sync", "secret://KEY2")),
        reschedule: false,
        expected: job.revision,
        owner: world.owner,
    };
    let edited = world
        .store
        .edit_job(world.workspace, job.id, edit, Actor::System);
    edited.await.unwrap();
    assert_eq!(users(&world, (id, "KEY")).await, [is("other", true)]);
    let deleted = world
        .store
        .delete_job(world.workspace, other.id, Actor::System);
    deleted.await.unwrap();
    assert!(users(&world, (id, "KEY")).await.is_empty());
    assert_eq!(world.number("SELECT count(*) FROM job_references").await, 1);
}

async fn jobs_of_an_older_schema_are_filled_in(world: World) {
    let id = world
        .secret(world.new_secret("KEY", "some-value"))
        .await
        .secret
        .id;
    for number in 0..3 {
        world
            .job(with_header(
                &format!("job {number}"),
                "secret://KEY {{secret.KEY}}",
            ))
            .await;
    }
    let rows = "SELECT name, uri, environment FROM job_references ORDER BY job_id, uri";
    let written = world.raw(rows).await;
    assert_eq!(written.len(), 6);
    world.raw("DELETE FROM job_references").await;
    world
        .raw("DELETE FROM meta WHERE key = 'job_references'")
        .await;
    // As after a start that was cut off once it had passed the first job.
    let first: JobId = world
        .store
        .list_jobs(world.workspace, None, (None, 1))
        .await
        .unwrap()[0]
        .id;
    Store::open(&world.url).await.unwrap();
    assert_eq!(world.raw(rows).await, written);
    let mark = world.hex(first.bytes());
    world
        .raw(&format!(
            "UPDATE meta SET value = {mark} WHERE key = 'job_references'"
        ))
        .await;
    world.raw("DELETE FROM job_references").await;
    Store::open(&world.url).await.unwrap();
    assert_eq!(
        users(&world, (id, "KEY")).await,
        [is("job 1", true), is("job 2", true)]
    );
    // Done is done: another start looks at no job.
    world.raw("DELETE FROM job_references").await;
    Store::open(&world.url).await.unwrap();
    assert!(users(&world, (id, "KEY")).await.is_empty());
}

async fn names_that_mean_nothing_are_found(world: World) {
    world.secret(world.new_secret("KEY", "some-value")).await;
    let mut own = world.new_secret("OWN", "some-value");
    own.owner = Some(world.owner);
    world.secret(own).await;
    let mut others = world.new_secret("OTHERS", "some-value");
    others.owner = Some(stranger());
    world.secret(others).await;
    for (name, header) in [
        ("all there", "secret://KEY {{secret.KEY}} {{secret.OWN}}"),
        ("the own by its name alone", "secret://OWN"),
        ("another's", "{{secret.OTHERS}}"),
        ("gone", "{{secret.GONE}} secret://GONE {{secret.KEY}}"),
        ("none", "nothing"),
    ] {
        world.job(with_header(name, header)).await;
    }
    let mut staging = with_header("staging", "secret://KEY");
    staging.environment = Some("staging".to_owned());
    world.job(staging).await;
    let found = async |limit| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = world
                .store
                .unresolved_jobs(world.workspace, after, limit)
                .await
                .unwrap();
            for (row, names) in page.0 {
                found.push(format!("{}: {}", row.definition.name, names.join(" ")));
            }
            after = page.1;
            if after.is_none() {
                return found;
            }
        }
    };
    let expected = [
        "the own by its name alone: OWN",
        "another's: OTHERS",
        "gone: GONE",
        "staging: KEY",
    ];
    assert_eq!(found(10).await, expected);
    assert_eq!(found(1).await, expected);
    world
        .raw("UPDATE secrets SET expires_at = 1 WHERE name = 'OWN'")
        .await;
    assert_eq!(found(10).await[0], "all there: OWN");
    assert!(
        world
            .store
            .unresolved_jobs(elsewhere(), None, 10)
            .await
            .unwrap()
            .0
            .is_empty()
    );
}
