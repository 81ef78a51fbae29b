//! What a parser's error becomes: the field and what would be right. The parser quotes what it found, which may be a
//! secret's value, so that half of its sentence is dropped.

use padclock_api::ErrorDetail;

use crate::failure::{Failure, detail};

/// The types' names that people do not use.
fn plain(expected: &str) -> &str {
    match expected {
        "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i32" | "i64" => "a whole number",
        "struct Definition" | "a map" => "an object",
        other => other.strip_prefix("struct ").map_or(other, |_| "an object"),
    }
}

/// A parser's sentence without what it found.
pub(super) fn tame(sentence: &str) -> String {
    let sentence = sentence.split(" at line ").next().unwrap_or(sentence);
    for begin in ["invalid type: ", "invalid value: ", "invalid length "] {
        if sentence.contains(begin) {
            let expected = sentence
                .rsplit_once(", expected ")
                .map_or("something else", |(_, expected)| expected);
            return format!("expected {}", plain(expected));
        }
    }
    if sentence.contains("unknown variant ") {
        let expected = sentence
            .rsplit_once("`, expected ")
            .map_or("another word", |(_, expected)| expected);
        return format!("expected {expected}");
    }
    let known = ["unknown field `", "missing field `", "duplicate field `"];
    if known.iter().any(|begin| sentence.contains(begin)) {
        return sentence.to_owned();
    }
    // The remaining sentences are the types' own, which name a form and never what was given.
    if sentence.contains('`') || sentence.contains('"') {
        "is not of the right form".to_owned()
    } else {
        sentence.to_owned()
    }
}

/// The failure for a query whose parameters don't fit.
pub(super) fn of_query(sentence: &str) -> Failure {
    let sentence = sentence
        .strip_prefix("Failed to deserialize query string: ")
        .unwrap_or(sentence);
    match sentence.split_once(": ") {
        Some((name, rest)) if !name.contains(' ') => {
            let rest = if rest.contains("digit") || rest.contains("number too") {
                "must be a whole number".to_owned()
            } else {
                tame(rest)
            };
            Failure::field(name, "bad_parameter", rest)
        }
        _ => Failure::field(
            named(sentence).unwrap_or("query"),
            "bad_parameter",
            tame(sentence),
        ),
    }
}

fn code_of(sentence: &str) -> &'static str {
    let table = [
        ("unknown field", "unknown_field"),
        ("missing field", "missing_field"),
        ("duplicate field", "duplicate_field"),
        ("unknown variant", "unknown_word"),
        ("invalid type", "wrong_type"),
        ("invalid value", "out_of_range"),
    ];
    table
        .iter()
        .find(|(begin, _)| sentence.contains(begin))
        .map_or("bad_form", |(_, code)| code)
}

/// The field that a sentence names in back quotes.
fn named(sentence: &str) -> Option<&str> {
    sentence.split('`').nth(1)
}

/// The failure for JSON that does not fit.
pub(super) fn of(error: &serde_path_to_error::Error<serde_json::Error>) -> Failure {
    let inner = error.inner();
    if inner.is_syntax() || inner.is_eof() {
        return of_syntax(inner);
    }
    let sentence = inner.to_string();
    let path = error.path().to_string();
    let path = if path == "." { "" } else { path.as_str() };
    let code = code_of(&sentence);
    // The path of these already ends with the field, or lacks it: name it once.
    let field = match (code, named(&sentence)) {
        ("unknown_field" | "missing_field" | "duplicate_field", Some(name)) => {
            let parent = path
                .strip_suffix(name)
                .map_or(path, |parent| parent.trim_end_matches('.'));
            if parent.is_empty() {
                name.to_owned()
            } else {
                format!("{parent}.{name}")
            }
        }
        _ => path.to_owned(),
    };
    Failure::invalid(vec![detail(&field, code, tame(&sentence))])
}

/// The failure for what is no JSON: where it breaks, not what stands there.
pub(super) fn of_syntax(error: &serde_json::Error) -> Failure {
    let what = if error.is_eof() {
        "the JSON ends too early"
    } else {
        "the body is not well-formed JSON"
    };
    let message = format!("{what}: line {}, column {}", error.line(), error.column());
    let detail = ErrorDetail {
        position: Some(error.column()),
        ..detail("", "bad_json", message)
    };
    Failure::invalid(vec![detail])
}
