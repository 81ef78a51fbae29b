//! The corpus: what each rule finds and what it leaves alone, counted. The credentials are made up and put together when the test
//! runs, so that no scanner takes this repository for a leak.

#![cfg(test)]

mod make;

use std::collections::BTreeMap;

use make::Maker;
use padclock_scan::{Finding, rules, scan_text};

const ROUNDS: u64 = 10;
const FILES: [&str; 2] = [
    include_str!("corpus/vendors.txt"),
    include_str!("corpus/generic.txt"),
];
const TEXTS: [(&str, &str); 6] = [
    ("crontab", include_str!("corpus/texts/crontab.txt")),
    ("env", include_str!("corpus/texts/env.txt")),
    ("jobs", include_str!("corpus/texts/jobs.txt")),
    ("deploy_yaml", include_str!("corpus/texts/deploy_yaml.txt")),
    ("source", include_str!("corpus/texts/source.txt")),
    ("shell", include_str!("corpus/texts/shell.txt")),
];

/// How often a rule was right.
#[derive(Debug, Default, Clone, Copy)]
struct Score {
    found: u32,
    missed: u32,
    wrong: u32,
}

impl Score {
    fn precision(self) -> f64 {
        share(self.found, self.wrong)
    }

    fn recall(self) -> f64 {
        share(self.found, self.missed)
    }

    fn add(&mut self, other: Self) {
        self.found += other.found;
        self.missed += other.missed;
        self.wrong += other.wrong;
    }
}

fn share(good: u32, bad: u32) -> f64 {
    if good + bad == 0 {
        return 1.0;
    }
    f64::from(good) / f64::from(good + bad)
}

struct Example {
    rule: &'static str,
    holds: bool,
    template: &'static str,
}

fn examples() -> Vec<Example> {
    let mut rule = "";
    let mut examples = Vec::new();
    for line in FILES.iter().flat_map(|file| file.lines().skip(1)) {
        if let Some(id) = line.strip_prefix("# ") {
            rule = id;
        } else if let Some((sign, template)) = line.split_at_checked(2) {
            examples.push(Example {
                rule,
                holds: sign == "+ ",
                template,
            });
        }
    }
    examples
}

/// The scores by rule, and what went wrong.
fn scores() -> (BTreeMap<&'static str, Score>, Vec<String>) {
    let mut scores: BTreeMap<&'static str, Score> = BTreeMap::new();
    let mut amiss = Vec::new();
    for round in 0..ROUNDS {
        for (number, example) in examples().iter().enumerate() {
            let text = Maker::new(round * 10_000 + number as u64).fill(example.template);
            let found: Vec<&str> = scan_text(&text).iter().map(|one| one.rule).collect();
            let score = scores.entry(example.rule).or_default();
            if example.holds && found == [example.rule] {
                score.found += 1;
            } else if example.holds {
                score.missed += 1;
                amiss.push(format!(
                    "{} not found in {}: {found:?}",
                    example.rule, example.template
                ));
            } else if !found.is_empty() {
                score.wrong += 1;
                amiss.push(format!("{found:?} found in {}", example.template));
            }
        }
    }
    amiss.sort();
    amiss.dedup();
    (scores, amiss)
}

#[test]
fn each_rule_has_examples_of_both_kinds() {
    let examples = examples();
    for rule in rules() {
        let count = |holds| {
            examples
                .iter()
                .filter(|one| one.rule == rule.id && one.holds == holds)
                .count()
        };
        assert!(count(true) >= 3, "{} has {} examples", rule.id, count(true));
        assert!(
            count(false) >= 3,
            "{} has {} counter-examples",
            rule.id,
            count(false)
        );
    }
    let known: Vec<&str> = rules().map(|rule| rule.id).collect();
    for example in examples {
        assert!(known.contains(&example.rule), "{}", example.rule);
    }
}

#[test]
fn each_rule_finds_its_own_and_nothing_else() {
    let (scores, amiss) = scores();
    let mut all = Score::default();
    for (rule, score) in &scores {
        println!(
            "{rule:28} precision {:.3} recall {:.3}",
            score.precision(),
            score.recall()
        );
        all.add(*score);
    }
    println!(
        "all: precision {:.4} recall {:.4}; {all:?}",
        all.precision(),
        all.recall()
    );
    assert!(
        all.precision() >= 0.995 && all.recall() >= 0.995,
        "{amiss:#?}"
    );
    for (rule, score) in &scores {
        assert!(
            score.precision() >= 0.9 && score.recall() >= 0.9,
            "{rule}: {score:?} {amiss:#?}"
        );
    }
}

/// The rules that the marks in a text name, by line, and the text without its marks.
fn marked(template: &str, seed: u64) -> (Vec<(usize, String)>, String) {
    let (mut expected, mut text, mut line_number) = (Vec::new(), String::new(), 0);
    let mut maker = Maker::new(seed);
    for line in template.lines() {
        line_number += 1;
        let (line, marks) = line.split_once("\t#! ").unwrap_or((line, ""));
        expected.extend(
            marks
                .split_whitespace()
                .map(|rule| (line_number, rule.to_owned())),
        );
        text.push_str(&maker.fill(line));
        text.push('\n');
    }
    (expected, text)
}

#[test]
fn real_texts_are_read_as_a_person_reads_them() {
    let mut all = Score::default();
    let mut amiss = Vec::new();
    for round in 0..ROUNDS {
        for (name, template) in TEXTS {
            let (expected, text) = marked(template, round);
            let found: Vec<(usize, String)> = scan_text(&text)
                .iter()
                .map(|one| (one.line, one.rule.to_owned()))
                .collect();
            let missed: Vec<_> = expected.iter().filter(|one| !found.contains(one)).collect();
            let wrong: Vec<_> = found.iter().filter(|one| !expected.contains(one)).collect();
            all.found += (expected.len() - missed.len()) as u32;
            all.missed += missed.len() as u32;
            all.wrong += wrong.len() as u32;
            if !missed.is_empty() || !wrong.is_empty() {
                amiss.push(format!(
                    "{name}, round {round}: missed {missed:?}, wrong {wrong:?}"
                ));
            }
        }
    }
    println!(
        "texts: precision {:.4} recall {:.4}; {all:?}",
        all.precision(),
        all.recall()
    );
    assert!(
        all.precision() >= 0.99 && all.recall() >= 0.99,
        "{amiss:#?}"
    );
}

#[test]
fn a_finding_tells_where_and_never_what() {
    let secret = Maker::new(1).fill("sk_live_{A24}");
    let text = format!("first\n\u{e9}t\u{e9}: {secret} and {secret}\n{secret}\n");
    let found = scan_text(&text);
    let places: Vec<_> = found
        .iter()
        .map(|one| (one.line, one.column, text[one.span.clone()] == *secret))
        .collect();
    let second = 6 + secret.len() + 5;
    assert_eq!(places, [(2, 6, true), (2, second, true), (3, 1, true)]);
    assert!(!format!("{found:?}").contains(&secret[8..]));
    assert_eq!(
        found
            .iter()
            .map(|one| one.suggested_name.as_str())
            .collect::<Vec<&str>>(),
        ["stripe_secret_key"; 3]
    );
}

#[test]
fn names_are_valid_and_hold_nothing_random() {
    let mut maker = Maker::new(3);
    let table = [
        ("DB_PASSWORD=q{A9}7x", "db_password"),
        ("\"clientSecret\": \"{A40}\"", "client_secret"),
        ("X-Api-Key: {H32}", "api_key"),
        ("AKIA_{U14}9A_TOKEN={A40}", "akia_token"),
    ];
    for (template, name) in table {
        let found: Vec<Finding> = scan_text(&maker.fill(template));
        assert_eq!(found.len(), 1, "{template}");
        assert_eq!(found[0].suggested_name, name, "{template}");
    }
}
