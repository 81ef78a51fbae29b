//! SQL stands in `store` and nowhere else, tests and benchmarks aside.

use super::Finding;
use super::source::Source;

const HOME: &str = "crates/store/";
const BENCHMARKS: &str = "bench/";

/// Strings outside `store` that begin like a statement.
pub fn check(source: &Source) -> Vec<Finding> {
    if source.path.starts_with(HOME) || source.path.starts_with(BENCHMARKS) {
        return Vec::new();
    }
    let strings = source.tokens.iter().filter(|token| !token.test);
    let statements = strings.filter(|token| token.string.as_deref().is_some_and(is_statement));
    let message =
        "SQL: give it a function in the file of its aggregate in crates/store, and call that";
    statements
        .map(|token| Finding::new(&source.path, token.line, message))
        .collect()
}

/// Does a string begin like SQL? Keywords in capitals count, so that an English sentence does not.
fn is_statement(string: &str) -> bool {
    let text = string.replace("\\n", " ");
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["INSERT", "INTO" | "OR", ..] | ["REPLACE", "INTO", ..] | ["DELETE", "FROM", ..] => true,
        [
            "CREATE" | "DROP" | "ALTER",
            "TABLE" | "INDEX" | "UNIQUE" | "DATABASE" | "TRIGGER",
            ..,
        ] => true,
        ["SELECT" | "WITH", rest @ ..] => rest.contains(&"FROM") || rest.contains(&"SELECT"),
        ["UPDATE", rest @ ..] => rest.contains(&"SET"),
        _ => false,
    }
}
