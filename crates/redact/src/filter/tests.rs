//! Nothing is missed, wherever it stands.

use std::collections::BTreeSet;

use super::*;

fn all_needles(values: &Values) -> Vec<Needle> {
    (0..values.len())
        .flat_map(|value| Form::ALL.map(|form| Needle::new(value, form)))
        .collect()
}

fn spelled(values: &Values, needle: Needle) -> Vec<u8> {
    let value = values.get(needle.value());
    let mut bytes = vec![0; needle.form().len(value)];
    needle.form().fill(value, 0, &mut bytes);
    bytes
}

#[track_caller]
fn misses_nothing(secrets: &[Vec<u8>]) {
    let values = Values::new(secrets.iter().map(|secret| ("X", secret.as_slice())));
    let needles = all_needles(&values);
    let shortest = needles
        .iter()
        .map(|needle| spelled(&values, *needle).len())
        .min()
        .unwrap();
    let filter = Filter::new(&values, &needles, shortest);
    for needle in needles {
        for (lead, from) in (0..33)
            .step_by(4)
            .chain([1, 31])
            .flat_map(|lead| [0, lead].map(|from| (lead, from)))
        {
            for tail in [0, 9] {
                let text = [vec![b'.'; lead], spelled(&values, needle), vec![b'.'; tail]].concat();
                let mut seen = BTreeSet::new();
                filter.search(&text, from, |needle, at| {
                    seen.insert((needle.0, at));
                });
                assert!(seen.contains(&(needle.0, lead)), "lead {lead}, from {from}");
            }
        }
    }
}

fn secret(len: usize, seed: usize) -> Vec<u8> {
    (0..len)
        .map(|at| b'0' + ((at * at * 7 + at * seed * 13 + seed * seed) % 75) as u8)
        .collect()
}

#[test]
fn needles_of_every_length() {
    for len in 8..48 {
        misses_nothing(&[secret(len, 1)]);
    }
}

#[test]
fn needles_of_mixed_lengths() {
    misses_nothing(&[secret(8, 1), secret(60, 2), secret(21, 3), secret(90, 4)]);
}

#[test]
fn needles_that_share_heads_or_tails() {
    let numbered = |format: fn(usize) -> String| {
        (0..40)
            .map(|number| format(number).into_bytes())
            .collect::<Vec<_>>()
    };
    misses_nothing(&numbered(|number| {
        format!("the same long head of all of them {number:03}")
    }));
    misses_nothing(&numbered(|number| {
        format!("{number:03} the same long tail of all of them")
    }));
    misses_nothing(&numbered(|number| {
        format!("the same long head {number:03} and the same long tail")
    }));
    misses_nothing(&numbered(|number| "ab".repeat(8 + number)));
}

#[test]
fn crowded_needles_get_a_smaller_stride() {
    let secrets: Vec<Vec<u8>> = (0..100)
        .map(|number| format!("one long head for all: {number:05}").into_bytes())
        .collect();
    let values = Values::new(secrets.iter().map(|secret| ("X", secret.as_slice())));
    let raw: Vec<Needle> = (0..values.len())
        .map(|value| Needle::new(value, Form::Raw))
        .collect();
    let filter = Filter::new(&values, &raw, 28);
    let mut candidates = 0;
    filter.search(&b"one long head for all: ".repeat(100), 0, |_, _| {
        candidates += 1
    });
    assert!(
        filter.stride < 21 && candidates < 100 * CROWD,
        "{} {candidates}",
        filter.stride
    );
}

#[test]
fn needles_keep_value_and_form() {
    for form in Form::ALL {
        let needle = Needle::new(1234, form);
        assert_eq!((needle.value(), needle.form()), (1234, form));
    }
}

#[test]
fn a_crowd_is_not_counted_to_its_end() {
    let secrets: Vec<Vec<u8>> = (0..3_000)
        .map(|number| format!("{number:04}the same end of all").into_bytes())
        .collect();
    let values = Values::new(secrets.iter().map(|secret| ("X", secret.as_slice())));
    let mut filter = Filter::sized(8, 8, secrets.len());
    let mut window = Window::default();
    for value in 0..secrets.len() {
        let needle = Needle::new(value, Form::Raw);
        window.fill(&filter, Form::Raw, values.get(value), 6);
        assert_eq!(filter.crowd(needle, &window), value.min(CROWD));
        filter.add(needle, &window);
    }
    // A chain of other hashes that is too long to follow is a crowd as well.
    let mut filter = Filter::sized(8, 8, 1);
    let needle = Needle::new(0, Form::Raw);
    for different in 0..LONGEST_CHAIN as u64 {
        assert_eq!(filter.others(Needle::new(1, Form::Raw), 5 << 8), 0);
        filter.add_one(needle, different << 16, 0);
    }
    assert_eq!(filter.others(Needle::new(1, Form::Raw), 5 << 8), 0);
    filter.add_one(needle, 1 << 30, 0);
    assert_eq!(filter.others(Needle::new(1, Form::Raw), 5 << 8), CROWD);
}

#[test]
fn windows_of_sampled_needles_are_found() {
    // Alike but for their middles, long enough to be sampled, and so many that the samples are short.
    let middle = "the same beginning and end of all ".repeat(40);
    for (count, len) in [(20, 1_360), (700, 300)] {
        let secrets: Vec<Vec<u8>> = (0..count)
            .map(|number| format!("{}{number:08}{}", &middle[..len / 2], &middle[..len / 2]))
            .map(String::into_bytes)
            .collect();
        let values = Values::new(secrets.iter().map(|secret| ("X", secret.as_slice())));
        let needles = all_needles(&values);
        let shortest = secrets[0].len();
        let filter = Filter::new(&values, &needles, shortest);
        for needle in needles.into_iter().step_by(7) {
            let text = [b"..".as_slice(), &spelled(&values, needle)].concat();
            let mut seen = BTreeSet::new();
            filter.search(&text, 0, |needle, at| {
                seen.insert((needle.0, at));
            });
            assert!(seen.contains(&(needle.0, 2)));
        }
    }
}
