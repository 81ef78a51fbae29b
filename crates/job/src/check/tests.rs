//! Tests of names, texts and numbers at their limits.

use crate::testing::{every, problems};
use crate::{Anchor, Definition, Job, Moment, RetrySpec};

fn named(name: &str) -> Definition {
    Definition {
        name: name.to_owned(),
        ..every(60)
    }
}

#[test]
fn names() {
    for name in ["a", "stripe-sync", "Größe 📦 of things", &"ü".repeat(128)] {
        assert_eq!(problems(named(name)), [], "{name}");
    }
    for (name, code) in [
        ("", "required"),
        (" ", "required"),
        ("a\n", "bad_character"),
        ("a\tb", "bad_character"),
        ("a\u{0}b", "bad_character"),
        ("a\u{7f}", "bad_character"),
        ("\n", "required"),
        (&*"x".repeat(129), "too_long"),
    ] {
        assert_eq!(
            problems(named(name)),
            [("name".to_owned(), code)],
            "{name:?}"
        );
    }
}

#[test]
fn a_control_character_is_told_with_its_place() {
    let anchor = Anchor {
        job_id: "cj",
        created_at: Moment::EPOCH,
    };
    let found = Job::compile(named("üb\tc"), &anchor).unwrap_err();
    assert_eq!(found[0].position, Some(3));
}

#[test]
fn texts_and_lists() {
    let long = |count: usize| "x".repeat(count);
    let variables = |key: &str, value: String| Definition {
        env: [(key.to_owned(), value)].into(),
        ..every(60)
    };
    for (definition, expected) in [
        (
            Definition {
                description: Some(long(4_096)),
                ..every(60)
            },
            None,
        ),
        (
            Definition {
                description: Some(long(4_097)),
                ..every(60)
            },
            Some(("description", "too_long")),
        ),
        (
            Definition {
                environment: Some("staging".to_owned()),
                ..every(60)
            },
            None,
        ),
        (
            Definition {
                environment: Some(String::new()),
                ..every(60)
            },
            Some(("environment", "required")),
        ),
        (
            Definition {
                tags: vec![long(64)],
                ..every(60)
            },
            None,
        ),
        (
            Definition {
                tags: vec!["a".to_owned(), long(65)],
                ..every(60)
            },
            Some(("tags[1]", "too_long")),
        ),
        (
            Definition {
                tags: vec!["a".to_owned(); 21],
                ..every(60)
            },
            Some(("tags", "too_many")),
        ),
        (variables("REGION", "eu".to_owned()), None),
        (variables("_x9", long(32_768)), None),
        (variables("A", long(32_769)), Some(("env.A", "too_long"))),
        (
            variables("A", "\0".to_owned()),
            Some(("env.A", "bad_character")),
        ),
        (variables("9A", String::new()), Some(("env[0]", "bad_name"))),
        (
            variables("A-B", String::new()),
            Some(("env[0]", "bad_name")),
        ),
        (variables("", String::new()), Some(("env[0]", "bad_name"))),
        (
            variables(&long(129), String::new()),
            Some(("env[0]", "bad_name")),
        ),
        (
            Definition {
                env: (0..101).map(|n| (format!("K{n}"), String::new())).collect(),
                ..every(60)
            },
            Some(("env", "too_many")),
        ),
        (
            Definition {
                request: None,
                ..every(60)
            },
            Some(("request", "required")),
        ),
    ] {
        let expected: Vec<_> = expected
            .map(|(field, code)| (field.to_owned(), code))
            .into_iter()
            .collect();
        assert_eq!(problems(definition), expected);
    }
}

#[test]
fn numbers_have_bounds() {
    type Set = fn(&mut Definition, u32);
    let cases: [(&str, Set, u32, u32); 6] = [
        (
            "queue_limit",
            |definition, n| definition.queue_limit = n,
            1,
            1_000,
        ),
        (
            "misfire_window_seconds",
            |definition, n| definition.misfire_window_seconds = n,
            0,
            2_592_000,
        ),
        (
            "max_concurrent",
            |definition, n| definition.max_concurrent = Some(n),
            1,
            1_000,
        ),
        (
            "retry.max_attempts",
            |definition, n| definition.retry.max_attempts = n,
            1,
            20,
        ),
        (
            "retry.base_seconds",
            |definition, n| definition.retry.base_seconds = n,
            1,
            3_600,
        ),
        (
            "retry.max_seconds",
            |definition, n| definition.retry.max_seconds = n,
            1,
            86_400,
        ),
    ];
    for (field, set, low, high) in cases {
        for (number, good) in [
            (low, true),
            (high, true),
            (high + 1, false),
            (u32::MAX, false),
            (low.saturating_sub(1), low == 0),
        ] {
            let mut definition = every(60);
            set(&mut definition, number);
            let expected = if good {
                vec![]
            } else {
                vec![(field.to_owned(), "out_of_range")]
            };
            assert_eq!(problems(definition), expected, "{field} = {number}");
        }
    }
}

#[test]
fn everything_is_told_at_once() {
    let mut definition = Definition {
        name: String::new(),
        queue_limit: 0,
        ..every(0)
    };
    definition.retry = RetrySpec {
        max_attempts: 0,
        ..RetrySpec::default()
    };
    definition.request.as_mut().unwrap().url = "ftp://example.com".to_owned();
    let found = problems(definition);
    let fields: Vec<_> = found.iter().map(|(field, _)| field.as_str()).collect();
    for field in [
        "name",
        "queue_limit",
        "retry.max_attempts",
        "schedule.every_seconds",
        "request.url",
    ] {
        assert!(fields.contains(&field), "{field} in {fields:?}");
    }
}
