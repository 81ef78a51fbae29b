//! Every limit: its number in the message, what is just allowed and what is not.

use padclock_template::{MAX_HEADER_BYTES, MAX_SEGMENTS, MAX_URL_BYTES, Problem, RenderError};

use crate::support::{compile, get, header, post, render, safe};

fn only(spec: &padclock_template::RequestSpec) -> Problem {
    let mut problems = compile(spec).unwrap_err();
    assert_eq!(problems.len(), 1);
    problems.remove(0)
}

#[test]
fn urls_have_at_most_8_kib() {
    let url = |length: usize| {
        format!(
            "https://h.example/{}",
            "a".repeat(length - "https://h.example/".len())
        )
    };
    assert!(compile(&get(&url(MAX_URL_BYTES))).is_ok());
    let problem = only(&get(&url(MAX_URL_BYTES + 1)));
    assert_eq!(
        (problem.field.as_str(), problem.code),
        ("request.url", "too_large")
    );
    assert!(
        problem.message.contains("8192") && problem.message.contains("8193"),
        "{}",
        problem.message
    );
    let mut spec = get("https://h.example/");
    spec.query.insert("a".to_owned(), "b".repeat(MAX_URL_BYTES));
    assert_eq!(only(&spec).code, "too_large");
}

#[test]
fn a_value_can_not_make_the_url_larger_either() {
    let error = render(
        &get("https://h.example/{{secret.A}}"),
        &safe("A", "a".repeat(MAX_URL_BYTES)),
    )
    .unwrap_err();
    let given = MAX_URL_BYTES + "https://h.example/".len();
    assert_eq!(
        error,
        RenderError::TooLarge {
            what: "URL",
            limit: 8192,
            given
        }
    );
    assert!(error.to_string().contains("8192"));
}

#[test]
fn the_header_block_has_at_most_32_kib() {
    let most = MAX_HEADER_BYTES - "X: \r\n".len();
    assert!(render(&header("X", &"a".repeat(most)), &safe("A", "v")).is_ok());
    let problem = only(&header("X", &"a".repeat(most + 1)));
    assert_eq!(
        (problem.field.as_str(), problem.code),
        ("request.headers", "too_large")
    );
    assert!(problem.message.contains("32768") && problem.message.contains("32769"));
    assert!(render(&header("X", "{{secret.A}}"), &safe("A", "a".repeat(most))).is_ok());
    let error = render(
        &header("X", "{{secret.A}}"),
        &safe("A", "a".repeat(most + 1)),
    )
    .unwrap_err();
    assert_eq!(error.code(), "too_large");
}

#[test]
fn templates_have_at_most_1000_segments() {
    assert!(compile(&post("", "{{now}}".repeat(MAX_SEGMENTS).into())).is_ok());
    let problem = only(&post("", "{{now}}".repeat(MAX_SEGMENTS + 1).into()));
    assert_eq!(
        (problem.field.as_str(), problem.code),
        ("request.body", "too_many_segments")
    );
    assert!(problem.message.contains("1000"));
}

#[test]
fn all_templates_together_have_at_most_1000_segments() {
    let leaves = |count: usize| serde_json::Value::from(vec!["{{now}}"; count]);
    assert!(compile(&post("", leaves(MAX_SEGMENTS))).is_ok());
    let problem = only(&post("", leaves(MAX_SEGMENTS + 1)));
    assert_eq!(
        (problem.field.as_str(), problem.code),
        ("request", "too_many_segments")
    );
    assert!(problem.message.contains("1000") && problem.message.contains("1001"));
    let plain = serde_json::Value::from(vec!["plain"; 5_000]);
    assert!(
        compile(&post("", plain)).is_ok(),
        "texts without references do not count"
    );
}

#[test]
fn an_answer_lists_at_most_100_problems() {
    let wrong = |count: usize| post("", serde_json::Value::from(vec!["{{x}}"; count]));
    assert_eq!(compile(&wrong(99)).unwrap_err().len(), 99);
    assert_eq!(
        compile(&wrong(5_000)).unwrap_err().len(),
        padclock_template::MAX_PROBLEMS
    );
}

#[test]
fn an_expression_has_at_most_8_filters() {
    let piped = |count: usize| post("", format!("{{{{now{}}}}}", "|hex".repeat(count)).into());
    assert!(compile(&piped(8)).is_ok());
    let problem = only(&piped(9));
    assert_eq!(
        (problem.code, problem.position),
        ("bad_filter", Some(5 + 8 * 4 + 1))
    );
    assert!(problem.message.contains('8'));
}

#[test]
fn what_is_rendered_has_at_most_4_mib() {
    let value = safe("A", "a".repeat(64 * 1024));
    assert!(render(&post("", "{{secret.A}}".repeat(64).into()), &value).is_ok());
    let error = render(&post("", "{{secret.A}}".repeat(65).into()), &value).unwrap_err();
    let (limit, given) = (4_194_304, 65 * 64 * 1024);
    assert_eq!(
        error,
        RenderError::TooLarge {
            what: "text",
            limit,
            given
        }
    );
    let doubled = format!("{{{{secret.A{}}}}}", "|hex".repeat(7));
    let error = render(&post("", doubled.into()), &value).unwrap_err();
    assert_eq!(
        error,
        RenderError::TooLarge {
            what: "filtered value",
            limit,
            given: 2 * limit
        }
    );
}
