//! The form of a case file. A line's first word tells what it is:
//!
//! ```text
//! # text                   a comment
//! $ cronctl WORDS          the command line; words as a shell splits them ("a\nb" for escapes)
//! env NAME=VALUE           a variable ($HOME is a new folder; $SERVER the fake server's URL, $PORT its port)
//! file NAME "TEXT"         a file in the folder where it runs, TEXT as a JSON string
//! stdin "TEXT"             what is piped, as a JSON string
//! <- STATUS [NAME: V] BODY what the server answers to the next request; BODY is JSON, @FILE in `replies`, or nothing
//! -> METHOD PATH BODY      (outcome) what the server is asked
//! 1| TEXT                  (outcome) a line on standard output
//! 2| TEXT                  (outcome) a line on standard error
//! = CODE                   (outcome) the exit code
//! ```

use std::path::Path;

/// One command line and all that belongs to it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Case {
    pub(crate) comments: Vec<String>,
    pub(crate) command: String,
    /// The lines that set the scene, as they stand.
    pub(crate) scene: Vec<String>,
    pub(crate) replies: Vec<String>,
    pub(crate) requests: Vec<String>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

/// The cases of a file; their outcomes are left out, for they are to be found by playing them.
pub(crate) fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut comments = Vec::new();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "" | "->" | "1|" | "2|" | "=" => {}
            "#" => comments.push(rest.to_owned()),
            "$" => cases.push(Case {
                comments: std::mem::take(&mut comments),
                command: rest.to_owned(),
                ..Case::default()
            }),
            "<-" => cases.last_mut().unwrap().replies.push(rest.to_owned()),
            "env" | "file" | "stdin" => cases.last_mut().unwrap().scene.push(line.to_owned()),
            other => panic!("a case line can't begin with {other:?}"),
        }
    }
    cases
}

/// The cases as a file.
pub(crate) fn written(cases: &[Case]) -> String {
    cases.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn one(case: &Case) -> String {
    let mut lines: Vec<String> = case
        .comments
        .iter()
        .map(|text| format!("# {text}"))
        .collect();
    lines.push(format!("$ {}", case.command));
    lines.extend(case.scene.iter().cloned());
    let most = case.requests.len().max(case.replies.len());
    for at in 0..most {
        lines.extend(case.requests.get(at).map(|request| format!("-> {request}")));
        lines.extend(case.replies.get(at).map(|reply| format!("<- {reply}")));
    }
    lines.extend(case.stdout.lines().map(|line| format!("1| {line}")));
    lines.extend(case.stderr.lines().map(|line| format!("2| {line}")));
    lines.push(format!("= {}", case.code));
    lines
        .iter()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// The first lines that differ, for a reader.
pub(crate) fn difference(expected: &str, found: &str, path: &Path) -> String {
    let (mut expected, mut found) = (expected.lines(), found.lines());
    let mut command = "";
    for number in 1.. {
        let (want, got) = (expected.next(), found.next());
        if want != got {
            let (want, got) = (want.unwrap_or("(the end)"), got.unwrap_or("(the end)"));
            return format!(
                "{}:{number}: in `{command}`\n expected: {want}\n    found: {got}",
                path.display()
            );
        }
        match want {
            Some(line) if line.starts_with("$ ") => command = line,
            Some(_) => {}
            None => break,
        }
    }
    format!(
        "{}: the outcomes differ in how the file ends",
        path.display()
    )
}

/// Words as a shell splits them: quotes, and in double quotes the escapes `\n`, `\r`, `\t`, `\"`, `\\`.
pub(crate) fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ') => words.extend(word.take()),
            (None, '\'' | '"') => (quote, word) = (Some(c), Some(word.unwrap_or_default())),
            (Some(open), c) if open == c => quote = None,
            (Some('"'), '\\') => word
                .get_or_insert_default()
                .push(match chars.next().unwrap() {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    other => other,
                }),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
