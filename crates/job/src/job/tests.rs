//! Tests of the definition's wire shape and of the compiled job.

use proptest::prelude::*;

use super::*;
use crate::testing::{compiled, cron_job, every, moment};
use crate::{InitialState, Misfire, OnUnresolved, Overlap, RetrySpec};

/// The job of the TrigRun document, as it stands there.
const TRIGRUN: &str = r#"{
    "name": "stripe-sync",
    "kind": "recurring",
    "schedule": { "every_n_minutes": 60 },
    "request": {
      "url": "https://api.stripe.com/v1/charges",
      "method": "GET",
      "headers": {
        "Authorization": "Bearer secret://stripe-key"
      }
    }
  }"#;

#[test]
fn the_trigrun_job_works_as_it_stands() {
    let definition: Definition = serde_json::from_str(TRIGRUN).unwrap();
    let job = compiled(definition, "2026-03-15T10:00:00Z");
    let due = job.first_due(moment("2026-03-15T10:00:00Z")).unwrap();
    assert_eq!(
        due,
        Due {
            run_at: moment("2026-03-15T11:00:00Z"),
            scheduled_for: moment("2026-03-15T11:00:00Z")
        }
    );
    let found: Vec<_> = job
        .references()
        .iter()
        .map(|(reference, place)| (reference.name.as_str(), *place))
        .collect();
    assert_eq!(found, [("stripe-key", Place::Header)]);
    assert_eq!(job.warnings(), []);
    assert!(job.request().is_some());
    assert_eq!(
        (job.kind(), job.definition().environment()),
        (Kind::Recurring, "production")
    );
}

#[test]
fn missing_fields_take_the_documented_defaults() {
    let definition: Definition =
        serde_json::from_str(r#"{"name": "x", "kind": "manual"}"#).unwrap();
    assert_eq!(definition, Definition::new("x", Kind::Manual));
    assert_eq!(
        (definition.overlap, definition.misfire),
        (Overlap::Skip, Misfire::Latest)
    );
    assert_eq!(
        (
            definition.misfire_window_seconds,
            definition.retry.max_attempts
        ),
        (86_400, 3)
    );
    assert_eq!(
        (definition.retry.base_seconds, definition.on_unresolved),
        (1, OnUnresolved::Send)
    );
    assert!(!definition.secret_uri_everywhere && definition.state.is_none());
}

#[test]
fn unknown_fields_are_refused_by_name() {
    for (text, name) in [
        (r#"{"name": "x", "kind": "manual", "cron": 1}"#, "`cron`"),
        (
            r#"{"name": "x", "kind": "cron", "schedule": {"expresion": "* * * * *"}}"#,
            "`expresion`",
        ),
        (
            r#"{"name": "x", "kind": "manual", "retry": {"attempts": 3}}"#,
            "`attempts`",
        ),
        (
            r#"{"name": "x", "kind": "manual", "request": {"url": "https://a.b", "verb": "GET"}}"#,
            "`verb`",
        ),
        (r#"{"name": "x", "kind": "hourly"}"#, "`hourly`"),
        (
            r#"{"name": "x", "kind": "manual", "overlap": "queue"}"#,
            "`queue`",
        ),
        (r#"{"kind": "manual"}"#, "`name`"),
    ] {
        let error = serde_json::from_str::<Definition>(text)
            .unwrap_err()
            .to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn the_schema_shows_moments_as_times() {
    use utoipa::{PartialSchema, ToSchema};
    let mut parts = Vec::new();
    Definition::schemas(&mut parts);
    let names: Vec<_> = parts.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["ScheduleSpec", "RetrySpec", "Moment", "Kind", "RequestSpec"] {
        assert!(names.contains(&name), "{name} in {names:?}");
    }
    let moment = serde_json::to_value(Moment::schema()).unwrap();
    assert_eq!(
        (&moment["type"], &moment["format"]),
        (&"string".into(), &"date-time".into())
    );
    let definition = serde_json::to_value(Definition::schema()).unwrap();
    assert_eq!(definition["required"], serde_json::json!(["name", "kind"]));
    assert_eq!(definition["additionalProperties"], false);
}

#[test]
fn hashed_times_come_from_the_job_id() {
    let first = |id: &str| {
        let anchor = Anchor {
            job_id: id,
            created_at: moment("2026-01-01T00:00:00Z"),
        };
        let job = Job::compile(cron_job("H H * * *", "UTC"), &anchor).unwrap();
        job.first_due(anchor.created_at).unwrap()
    };
    assert_eq!(first("cj_a"), first("cj_a"));
    assert_ne!(first("cj_a"), first("cj_b"));
}

#[test]
fn a_resume_replays_nothing() {
    let job = compiled(every(60), "2026-01-01T00:00:00Z");
    let now = moment("2026-06-01T12:34:00Z");
    assert_eq!(
        job.first_due(now).unwrap().scheduled_for,
        moment("2026-06-01T12:35:00Z")
    );
}

#[test]
fn an_edit_into_the_past_is_told() {
    let mut definition = Definition {
        kind: Kind::OneTime,
        ..every(1)
    };
    definition.schedule = crate::ScheduleSpec {
        run_at: Some(moment("2026-02-01T00:00:00Z")),
        ..Default::default()
    };
    let job = compiled(definition, "2026-01-01T00:00:00Z");
    assert_eq!(job.exhausted(moment("2026-01-31T00:00:00Z")), None);
    let problem = job.exhausted(moment("2026-02-01T00:00:00Z")).unwrap();
    assert_eq!(
        (problem.field.as_str(), problem.code),
        ("schedule.run_at", "never_fires")
    );
    assert_eq!(
        compiled(every(1), "2026-01-01T00:00:00Z").exhausted(Moment::MAX.plus_seconds(-5)),
        None
    );
}

#[test]
fn problems_of_the_request_keep_their_fields() {
    let mut definition = every(60);
    definition
        .request
        .as_mut()
        .unwrap()
        .headers
        .insert("X".to_owned(), "{{secert.KEY}}".to_owned());
    let anchor = Anchor {
        job_id: "cj",
        created_at: Moment::EPOCH,
    };
    let found = Job::compile(definition, &anchor).unwrap_err();
    assert_eq!(
        (found[0].field.as_str(), found.len()),
        ("request.headers.X", 1)
    );
}

#[test]
fn a_compiled_job_is_shared_between_threads() {
    const fn shared<T: Send + Sync + 'static>() {}
    shared::<Job>();
    shared::<Timing>();
    assert!(size_of::<Job>() <= 256, "{}", size_of::<Job>());
}

fn definitions() -> impl Strategy<Value = Definition> {
    let texts = (
        ".{0,20}",
        prop::option::of(".{0,20}"),
        prop::option::of("[a-z]{1,9}"),
        prop::collection::vec("[a-z]{1,5}", 0..3),
    );
    let kinds = prop::sample::select(vec![
        Kind::Recurring,
        Kind::Cron,
        Kind::OneTime,
        Kind::Manual,
    ]);
    let overlaps = prop::sample::select(vec![
        Overlap::Skip,
        Overlap::QueueOne,
        Overlap::QueueAll,
        Overlap::Allow,
        Overlap::CancelPrevious,
    ]);
    let misfires = prop::sample::select(vec![Misfire::Latest, Misfire::Skip, Misfire::All]);
    let states = prop::option::of(prop::sample::select(vec![
        InitialState::Active,
        InitialState::Paused,
    ]));
    let times = (
        prop::option::of(0_i64..9_000_000_000_000),
        prop::option::of(any::<u32>()),
        prop::option::of(".{0,30}"),
    );
    let numbers = (any::<u32>(), any::<u32>(), any::<u32>(), any::<bool>());
    (texts, kinds, overlaps, misfires, states, times, numbers).prop_map(
        |(
            (name, description, environment, tags),
            kind,
            overlap,
            misfire,
            state,
            (at, seconds, text),
            (a, b, c, flag),
        )| {
            let mut definition = Definition { kind, ..every(1) };
            definition.schedule = crate::ScheduleSpec {
                run_at: at.map(Moment::from_millis),
                every_seconds: seconds,
                expression: text.clone(),
                timezone: text,
                dst: flag.then_some(crate::Dst::Skip),
                ..Default::default()
            };
            definition.retry = RetrySpec {
                max_attempts: a,
                base_seconds: b,
                max_seconds: c,
            };
            Definition {
                name,
                description,
                environment,
                tags,
                overlap,
                misfire,
                state,
                queue_limit: b,
                misfire_window_seconds: c,
                max_concurrent: flag.then_some(a),
                secret_uri_everywhere: flag,
                on_unresolved: if flag {
                    OnUnresolved::Fail
                } else {
                    OnUnresolved::Send
                },
                ..definition
            }
        },
    )
}

proptest! {
    #[test]
    fn what_is_stored_comes_back_the_same(definition in definitions()) {
        let text = serde_json::to_string(&definition).unwrap();
        let back: Definition = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&back, &definition);
        prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }

    #[test]
    fn no_definition_panics(definition in definitions(), created in any::<i64>(), now in any::<i64>()) {
        let anchor = Anchor { job_id: "cj", created_at: Moment::from_millis(created) };
        match Job::compile(definition, &anchor) {
            Ok(job) => {
                let now = Moment::from_millis(now);
                prop_assert!(job.first_due(now).is_none_or(|due| due.scheduled_for > now));
                prop_assert!(!job.describe().is_empty());
            }
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }

    #[test]
    fn no_json_panics(text in "[{}\\[\\]\",:a-z0-9_ ]{0,80}") {
        let _ = serde_json::from_str::<Definition>(&text).is_ok();
    }
}

#[test]
fn a_variable_of_the_job_that_it_does_not_have_is_refused() {
    let mut definition = Definition::new("x", Kind::Manual);
    definition.request = Some(padclock_template::RequestSpec::get(
        "https://{{env.HOST}}/a",
    ));
    let anchor = Anchor {
        job_id: "cj_1",
        created_at: moment("2026-03-15T10:00:00Z"),
    };
    let problems = Job::compile(definition.clone(), &anchor).unwrap_err();
    assert!(problems[0].field.starts_with("request.url"), "{problems:?}");
    definition
        .env
        .insert("HOST".to_owned(), "api.example.com".to_owned());
    assert!(Job::compile(definition.clone(), &anchor).is_ok());
    definition
        .env
        .insert("HOST".to_owned(), "no host".to_owned());
    assert!(Job::compile(definition, &anchor).is_err());
}
