//! Importing the same twice.

use std::collections::BTreeSet;

use super::{find, options, plan, told};
use crate::{Existing, ExistingJob, Format, Options, Plan, read, settle};

const TWO: &str = "@daily curl -H 'X-Api-Key: abcdef' https://a.test/x\n@hourly curl -H 'X-Api-Key: abcdef' https://a.test/y\n";

fn existing(plan: &Plan, jobs: usize) -> Existing {
    let job = |job: &crate::PlannedJob| ExistingJob {
        name: job.definition.name.clone(),
        kind: job.definition.kind,
        schedule: job.definition.schedule.clone(),
        url: job
            .definition
            .request
            .as_ref()
            .map(|request| request.url.clone()),
    };
    Existing {
        jobs: plan.jobs.iter().take(jobs).map(job).collect(),
        secrets: plan
            .secrets
            .iter()
            .map(|secret| (secret.name.clone(), None))
            .collect(),
    }
}

#[test]
fn what_is_there_is_not_made_again() {
    let mut made = plan(TWO, Format::Crontab);
    let there = existing(&made, 2);
    let settled = settle(&mut made, &there);
    assert_eq!(
        (
            told(&made).as_str(),
            settled.jobs.len(),
            settled.secrets.len()
        ),
        ("", 2, 1)
    );
    assert!(settled.taken.is_empty());
}

#[test]
fn a_new_job_uses_the_secret_that_its_neighbour_uses() {
    let mut made = plan(TWO, Format::Crontab);
    let there = existing(&made, 1);
    let settled = settle(&mut made, &there);
    assert_eq!(
        told(&made),
        "job a.test/y: @hourly GET https://a.test/y\n  X-Api-Key: secret://a-api-key"
    );
    assert_eq!(settled.secrets, ["a-api-key"]);
}

#[test]
fn another_secret_of_that_name_is_not_taken_for_the_same() {
    let mut made = plan(TWO, Format::Crontab);
    let there = existing(&made, 0);
    let settled = settle(&mut made, &there);
    assert_eq!(settled.taken, BTreeSet::from(["a-api-key".to_owned()]));
    let again = Options {
        taken: &settled.taken,
        ..options()
    };
    let mut made = read(TWO, Format::Crontab, &again, &find).unwrap();
    assert_eq!(made.secrets[0].name, "a-api-key-2");
    assert!(settle(&mut made, &there).taken.is_empty());
    // In another environment the name is free.
    let staging = Options {
        environment: Some("staging"),
        ..options()
    };
    let mut made = read(TWO, Format::Crontab, &staging, &find).unwrap();
    assert!(settle(&mut made, &there).taken.is_empty());
}

#[test]
fn a_line_of_an_env_file_that_is_there_stays_as_it_is() {
    let mut made = plan("API_KEY=abcdef\nOTHER_KEY_TOKEN=abcdef\n", Format::Env);
    let there = Existing {
        secrets: vec![("API_KEY".to_owned(), None)],
        ..Existing::default()
    };
    let settled = settle(&mut made, &there);
    assert_eq!(
        (settled.secrets, told(&made).as_str()),
        (
            vec!["API_KEY".to_owned()],
            "secret OTHER_KEY_TOKEN (line 2)"
        )
    );
}
