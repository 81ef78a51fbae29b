//! The text is always the same, and holds what it should.

use super::{log_text, secrets, with_matches};

#[test]
fn every_run_sees_the_same_text() {
    assert_eq!(log_text(50_000), log_text(50_000));
    assert_eq!(log_text(50_000).len(), 50_000);
    assert_eq!(secrets(20), secrets(20));
}

#[test]
fn secrets_differ_and_have_usual_lengths() {
    let mut all = secrets(1_000);
    assert!(all.iter().all(|secret| (20..=60).contains(&secret.len())));
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 1_000);
}

#[test]
fn each_kib_has_one_secret() {
    let needles = secrets(3);
    let clean = log_text(10 * 1024);
    let found = |text: &[u8]| -> usize {
        needles
            .iter()
            .map(|needle| {
                text.windows(needle.len())
                    .filter(|window| window == needle)
                    .count()
            })
            .sum()
    };
    let (text, count) = with_matches(&clean, &needles);
    assert_eq!((found(&clean), found(&text), count), (0, 10, 10));
    assert_eq!(text.len(), clean.len());
}
