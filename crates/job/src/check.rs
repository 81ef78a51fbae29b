//! What a definition may say apart from its schedule and request: names, texts and numbers.

use padclock_template::Problem;

use crate::Definition;
use crate::definition::RetrySpec;

/// The security contract's limit for names, in characters.
const LONGEST_NAME: usize = 128;
const LONGEST_DESCRIPTION: usize = 4_096;
const MOST_VARIABLES: usize = 100;
const LONGEST_VARIABLE: usize = 32 * 1_024;
const MOST_TAGS: usize = 20;
const LONGEST_TAG: usize = 64;

/// A problem without a position.
pub(crate) fn problem(
    field: impl Into<String>,
    code: &'static str,
    message: impl Into<String>,
) -> Problem {
    Problem {
        field: field.into(),
        code,
        message: message.into(),
        position: None,
    }
}

/// A limit on a length or a number of things: names the limit and what was given.
fn at_most(
    field: &str,
    code: &'static str,
    unit: &str,
    most: usize,
    given: usize,
) -> Option<Problem> {
    let message = || format!("must be at most {most} {unit}; it has {given}");
    (given > most).then(|| problem(field, code, message()))
}

/// All that is wrong with a definition, its schedule and request left aside.
pub(crate) fn definition(definition: &Definition) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(name("name", &definition.name, LONGEST_NAME));
    let length = definition
        .description
        .as_ref()
        .map_or(0, |text| text.chars().count());
    problems.extend(at_most(
        "description",
        "too_long",
        "characters",
        LONGEST_DESCRIPTION,
        length,
    ));
    if let Some(environment) = &definition.environment {
        problems.extend(name("environment", environment, LONGEST_NAME));
    }
    problems.extend(variables(definition));
    problems.extend(tags(definition));
    problems.extend(numbers(definition));
    if definition.request.is_none() {
        problems.push(problem(
            "request",
            "required",
            "a job needs a request with a url",
        ));
    }
    problems
}

/// A name: 1 to `most` characters, none a control character, not blank.
fn name(field: &str, text: &str, most: usize) -> Option<Problem> {
    let length = text.chars().count();
    if text.trim().is_empty() {
        let message = format!("must be 1 to {most} characters, not only spaces");
        return Some(problem(field, "required", message));
    }
    if length > most {
        let message = format!("must be 1 to {most} characters; it has {length}");
        return Some(problem(field, "too_long", message));
    }
    let position = text.find(char::is_control)?;
    let message = "must not contain control characters, such as tabs or line ends";
    Some(Problem {
        position: Some(position),
        ..problem(field, "bad_character", message)
    })
}

/// The job's own variables: names that `{{env.KEY}}` can say, and bounded values.
fn variables(definition: &Definition) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(at_most(
        "env",
        "too_many",
        "variables",
        MOST_VARIABLES,
        definition.env.len(),
    ));
    for (index, (key, value)) in definition.env.iter().enumerate() {
        let field = if is_key(key) {
            format!("env.{key}")
        } else {
            format!("env[{index}]")
        };
        if !is_key(key) {
            let message = "a variable's name must be 1 to 128 letters, digits and underscores, and not begin with a digit";
            problems.push(problem(&*field, "bad_name", message));
        }
        problems.extend(at_most(
            &field,
            "too_long",
            "bytes",
            LONGEST_VARIABLE,
            value.len(),
        ));
        if value.contains('\0') {
            problems.push(problem(
                &*field,
                "bad_character",
                "must not contain a NUL character",
            ));
        }
    }
    problems
}

fn is_key(key: &str) -> bool {
    key.len() <= LONGEST_NAME
        && key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn tags(definition: &Definition) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(at_most(
        "tags",
        "too_many",
        "tags",
        MOST_TAGS,
        definition.tags.len(),
    ));
    for (index, tag) in definition.tags.iter().enumerate() {
        problems.extend(name(&format!("tags[{index}]"), tag, LONGEST_TAG));
    }
    problems
}

fn numbers(definition: &Definition) -> Vec<Problem> {
    let RetrySpec {
        max_attempts,
        base_seconds,
        max_seconds,
    } = definition.retry;
    [
        ("queue_limit", definition.queue_limit, 1, 1_000),
        (
            "misfire_window_seconds",
            definition.misfire_window_seconds,
            0,
            2_592_000,
        ),
        (
            "max_concurrent",
            definition.max_concurrent.unwrap_or(1),
            1,
            1_000,
        ),
        ("retry.max_attempts", max_attempts, 1, 20),
        ("retry.base_seconds", base_seconds, 1, 3_600),
        ("retry.max_seconds", max_seconds, 1, 86_400),
    ]
    .into_iter()
    .filter(|(_, given, low, high)| !(low..=high).contains(&given))
    .map(|(field, given, low, high)| {
        problem(
            field,
            "out_of_range",
            format!("must be {low} to {high}; it is {given}"),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests;
