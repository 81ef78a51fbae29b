//! A command line and what it would be here: an HTTP job, or a command.

use zeroize::Zeroizing;

use crate::draft::{self, Draft};
use crate::names;
use crate::secrets::Secrets;
use crate::shell::{self, Line, Piece, Sink, Word};
use crate::{curl, wget};

/// What a command line becomes.
pub(crate) enum Becomes {
    /// A request to send.
    Request(Box<Draft>),
    /// Something that a host would have to run. The reason says why it is no request.
    Command { reason: String },
}

/// A variable of a crontab.
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: Zeroizing<String>,
    /// Whether it is a credential.
    pub(crate) secret: bool,
}

/// What reads a program's words.
type Reads<'r> = dyn Fn(&[Zeroizing<String>]) -> Result<Draft, shell::Reason> + 'r;

/// What a command was found to use of the variables.
#[derive(Default)]
pub(crate) struct Used(pub(crate) Vec<String>);

const TILDE: &str = "it names a file of a home folder";
const VARIABLE: &str = "it uses a variable that the crontab does not set";
const SPLIT: &str = "it uses a variable outside of double quotes whose value a shell would split";

/// Reads a command line. `stdin`: what it is given there.
pub(crate) fn read(
    text: &str,
    stdin: Option<&str>,
    variables: &[Variable],
    secrets: &mut Secrets<'_>,
    used: &mut Used,
) -> Becomes {
    match request(text, stdin, variables, secrets, used) {
        Ok(draft) => Becomes::Request(Box::new(draft)),
        Err(reason) => Becomes::Command { reason },
    }
}

fn request(
    text: &str,
    stdin: Option<&str>,
    variables: &[Variable],
    secrets: &mut Secrets<'_>,
    used: &mut Used,
) -> Result<Draft, String> {
    let mut line = shell::read(text)?;
    let timeout = unwrap_prefixes(&mut line)?;
    let program = line
        .words
        .first()
        .and_then(Word::plain)
        .ok_or("what it runs is in a variable")?;
    let program = program.rsplit('/').next().unwrap_or_default().to_owned();
    let reads: &Reads<'_> = match program.as_str() {
        "curl" => &|words| curl::read(words, stdin),
        "wget" => &|words| wget::read(words),
        other => return Err(other_program(other)),
    };
    if line
        .assigned
        .iter()
        .any(|name| name.to_ascii_lowercase().ends_with("_proxy"))
    {
        return Err("it goes through a proxy".to_owned());
    }
    let mut words = Vec::new();
    for word in &line.words[1..] {
        words.push(filled(word, variables, secrets, used)?);
    }
    let mut draft = reads(&words)?;
    if let (None, Some(seconds)) = (draft.timeout, timeout) {
        draft.set_timeout(seconds);
    }
    match line.sink {
        Some(Sink::File) => {
            return Err(
                "it writes the answer to a file: a job keeps it with the execution instead"
                    .to_owned(),
            );
        }
        Some(Sink::Log) => {
            draft.note("its output went to a log file; the answer is kept with the execution now")
        }
        None => {}
    }
    Ok(draft)
}

/// A program's name is told when it can be nothing else.
fn other_program(name: &str) -> String {
    let plain = (1..=24).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || b"-._".contains(&byte));
    if plain {
        format!("it runs {name}")
    } else {
        "it runs a program".to_owned()
    }
}

/// Takes programs away that only run another one: `nice`, `timeout 30`, `flock -n FILE`. Answers the time-out.
fn unwrap_prefixes(line: &mut Line) -> Result<Option<f64>, String> {
    let mut timeout = None;
    loop {
        let words: Vec<_> = line
            .words
            .iter()
            .map(|word| word.plain().unwrap_or_default())
            .collect();
        let Some(first) = words.first() else {
            return Err("it does nothing".to_owned());
        };
        let options = words
            .iter()
            .skip(1)
            .take_while(|word| word.starts_with('-'))
            .count();
        let skipped = match first.rsplit('/').next().unwrap_or_default() {
            "exec" | "command" | "chronic" if options == 0 => 1,
            "nice" | "ionice" => {
                // `-n 10` and `-c 2`: the number is a word of its own.
                let apart = words
                    .get(options + 1)
                    .is_some_and(|word| word.parse::<i32>().is_ok());
                1 + options + usize::from(apart)
            }
            "timeout" if options == 0 => {
                timeout = words.get(1).and_then(|word| duration(word));
                2
            }
            "flock" if words.get(1 + options).is_some() => 2 + options,
            _ => return Ok(timeout),
        };
        if skipped >= line.words.len() {
            return Err("it runs a program".to_owned());
        }
        line.words.drain(..skipped);
    }
}

/// `30`, `30s`, `5m`, in seconds.
fn duration(text: &str) -> Option<f64> {
    let (number, unit) = match text.chars().last()? {
        's' => (&text[..text.len() - 1], 1.0),
        'm' => (&text[..text.len() - 1], 60.0),
        'h' => (&text[..text.len() - 1], 3_600.0),
        _ => (text, 1.0),
    };
    number.parse::<f64>().ok().map(|number| number * unit)
}

/// A word with its variables filled in. Those that are no credentials stay variables where that makes no difference.
fn filled(
    word: &Word,
    variables: &[Variable],
    secrets: &mut Secrets<'_>,
    used: &mut Used,
) -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::new());
    for piece in &word.0 {
        match piece {
            Piece::Text(part) if text.is_empty() && part.starts_with("~/") => {
                return Err(TILDE.to_owned());
            }
            Piece::Text(part) => text.push_str(part),
            Piece::Variable { name, quoted } => {
                let found = variables
                    .iter()
                    .rfind(|variable| variable.name == *name)
                    .ok_or(VARIABLE)?;
                if !quoted && found.value.contains([' ', '\t', '*', '?', '[']) {
                    return Err(SPLIT.to_owned());
                }
                if found.secret {
                    secrets.know(name, &found.value);
                }
                // In an address it is needed to say where secrets may go.
                let address = text.is_empty() || text.contains("://");
                if found.secret || address || !is_plain(&found.value) {
                    text.push_str(&found.value);
                } else {
                    text.push_str(&draft::variable(name));
                    used.0.push(name.clone());
                }
            }
        }
    }
    Ok(text)
}

/// Whether it reads the same in every place of a request.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && !names::tells_credential(value)
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}
