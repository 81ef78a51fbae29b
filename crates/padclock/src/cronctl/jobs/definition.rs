//! A job's definition as it is given: a file in the API's shape, or options. What is allowed in one is the server's to
//! say; here it is only put together.

use std::fs::File;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cronctl::failure::Failure;
use crate::cronctl::keyboard::{Keyboard, read_at_most};

/// The largest body that the server takes (the security contract, "Bad input").
const LARGEST: usize = 1024 * 1024;
const FIELDS: [&str; 18] = [
    "name",
    "description",
    "environment",
    "every",
    "cron",
    "at",
    "manual",
    "timezone",
    "url",
    "method",
    "header",
    "data",
    "query",
    "env",
    "timeout",
    "max_attempts",
    "paused",
    "tag",
];

/// A definition, or what is to change in one.
#[derive(Debug, Args)]
pub(crate) struct DefinitionArgs {
    /// Take it from a JSON file in the API's shape (- is standard input) instead of options
    #[arg(long, short, value_name = "FILE", conflicts_with_all = FIELDS)]
    file: Option<PathBuf>,
    /// The job's name
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The environment whose secrets it sees first [default: production]
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Labels to find it by (several: repeat)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Save it paused
    #[arg(long)]
    paused: bool,

    /// Run at a fixed distance in time: 30s, 5m, 1h30m, 1d
    #[arg(long, value_name = "SPAN", value_parser = span, help_heading = "Schedule", conflicts_with_all = ["cron", "at", "manual"])]
    every: Option<u64>,
    /// Run by a cron expression: '*/15 9-17 * * mon-fri', @daily
    #[arg(long, value_name = "EXPR", help_heading = "Schedule", conflicts_with_all = ["at", "manual"])]
    cron: Option<String>,
    /// The time zone of the expression, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", help_heading = "Schedule")]
    timezone: Option<String>,
    /// Run once, at this time: 2026-03-15T10:00:00Z
    #[arg(
        long,
        value_name = "TIME",
        help_heading = "Schedule",
        conflicts_with = "manual"
    )]
    at: Option<String>,
    /// Run only when asked to
    #[arg(long, help_heading = "Schedule")]
    manual: bool,

    /// Where the request goes; may name secrets: {{secret.KEY}}
    #[arg(long, help_heading = "Request")]
    url: Option<String>,
    /// The method [default: GET, or POST with --data]
    #[arg(long, short = 'X', help_heading = "Request")]
    method: Option<String>,
    /// A header, 'Name: value'; may name secrets: secret://name (several: repeat)
    #[arg(long, short = 'H', value_name = "HEADER", value_parser = header, help_heading = "Request")]
    header: Vec<(String, String)>,
    /// A parameter of the query (several: repeat)
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, help_heading = "Request")]
    query: Vec<(String, String)>,
    /// The body; a JSON object or array is sent as JSON, anything else as text
    #[arg(
        long,
        short,
        value_name = "BODY",
        allow_hyphen_values = true,
        help_heading = "Request"
    )]
    data: Option<String>,
    /// A variable of the job, for {{env.KEY}}; not secret (several: repeat)
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair, help_heading = "Request")]
    env: Vec<(String, String)>,
    /// How long an attempt may take
    #[arg(long, value_name = "SECONDS", help_heading = "Request")]
    timeout: Option<u32>,
    /// How often it is tried before it has failed, the first time included
    #[arg(long, value_name = "COUNT", help_heading = "Request")]
    max_attempts: Option<u32>,
}

impl DefinitionArgs {
    /// A definition to save or to check.
    pub(crate) fn whole(self, keyboard: &mut dyn Keyboard) -> Result<Map<String, Value>, Failure> {
        if self.file.is_some() {
            return self.change(keyboard);
        }
        let missing = match (&self.name, &self.url, self.schedule().is_some()) {
            (None, ..) => "a name: --name NAME",
            (_, None, _) => "a request: --url URL",
            (_, _, false) => "a schedule: one of --every, --cron, --at, --manual",
            _ => return self.change(keyboard).map(without_nulls),
        };
        Err(Failure::Usage(format!(
            "the job lacks {missing} (or give all of it by --file FILE)"
        )))
    }

    /// The fields that are given, as a merge patch (RFC 7386).
    pub(crate) fn change(self, keyboard: &mut dyn Keyboard) -> Result<Map<String, Value>, Failure> {
        if let Some(path) = &self.file {
            return from_file(path, keyboard);
        }
        let mut change = Map::new();
        if let Some((kind, schedule)) = self.schedule() {
            change.insert("kind".to_owned(), json!(kind));
            change.insert("schedule".to_owned(), schedule);
        } else if let Some(zone) = &self.timezone {
            change.insert("schedule".to_owned(), json!({ "timezone": zone }));
        }
        let retry = self
            .max_attempts
            .map(|attempts| json!({ "max_attempts": attempts }));
        let fields = [
            ("name", self.name.as_ref().map(|text| json!(text))),
            (
                "description",
                self.description.as_ref().map(|text| json!(text)),
            ),
            (
                "environment",
                self.environment.as_ref().map(|text| json!(text)),
            ),
            ("tags", (!self.tag.is_empty()).then(|| json!(self.tag))),
            ("state", self.paused.then(|| json!("paused"))),
            ("env", object(&self.env)),
            ("retry", retry),
            ("request", self.request()),
        ];
        change.extend(
            fields
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?))),
        );
        if change.is_empty() {
            return Err(Failure::Usage(
                "nothing to change is named; see --help for the options, or use --file".to_owned(),
            ));
        }
        Ok(change)
    }

    /// Kind and schedule. The fields of other kinds are taken out of a schedule that is changed.
    fn schedule(&self) -> Option<(&'static str, Value)> {
        let (kind, field, value) = match (self.every, &self.cron, &self.at, self.manual) {
            (Some(seconds), ..) if seconds % 60 == 0 && seconds <= 86_400 => {
                ("recurring", "every_n_minutes", json!(seconds / 60))
            }
            (Some(seconds), ..) => ("recurring", "every_seconds", json!(seconds)),
            (_, Some(expression), ..) => ("cron", "expression", json!(expression)),
            (_, _, Some(at), _) => ("one_time", "run_at", json!(at)),
            (.., true) => ("manual", "run_at", Value::Null),
            _ => return None,
        };
        let mut schedule = json!({ "every_n_minutes": null, "every_seconds": null, "expression": null, "run_at": null });
        schedule[field] = value;
        if let Some(zone) = &self.timezone {
            schedule["timezone"] = json!(zone);
        }
        Some((kind, schedule))
    }

    fn request(&self) -> Option<Value> {
        let method = self
            .method
            .clone()
            .or_else(|| self.data.as_ref().map(|_| "POST".to_owned()));
        let fields = [
            ("url", self.url.as_ref().map(|url| json!(url))),
            ("method", method.map(|method| json!(method))),
            ("headers", object(&self.header)),
            ("query", object(&self.query)),
            ("body", self.data.as_deref().map(body)),
            (
                "timeout_seconds",
                self.timeout.map(|seconds| json!(seconds)),
            ),
        ];
        let request: Map<_, _> = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        (!request.is_empty()).then_some(Value::Object(request))
    }
}

fn object(pairs: &[(String, String)]) -> Option<Value> {
    let pairs: Map<String, Value> = pairs
        .iter()
        .map(|(name, text)| (name.clone(), json!(text)))
        .collect();
    (!pairs.is_empty()).then_some(Value::Object(pairs))
}

fn body(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(json @ (Value::Object(_) | Value::Array(_))) => json,
        _ => json!(text),
    }
}

/// A patch's nulls say "take it out"; a definition has nothing to take out.
fn without_nulls(mut definition: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(schedule)) = definition.get_mut("schedule") {
        schedule.retain(|_, value| !value.is_null());
    }
    definition
}

fn from_file(path: &PathBuf, keyboard: &mut dyn Keyboard) -> Result<Map<String, Value>, Failure> {
    let (from, read) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), keyboard.piped(LARGEST + 1))
    } else {
        (
            path.display().to_string(),
            File::open(path).and_then(|mut file| read_at_most(&mut file, LARGEST + 1)),
        )
    };
    let bytes = read.map_err(|error| Failure::unread(&from, &error))?;
    if bytes.len() > LARGEST {
        return Err(Failure::Usage(format!(
            "{from} has more than {LARGEST} bytes, the most that the server takes"
        )));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "a JSON object, {\"name\": …}".to_owned(),
            _ => format!(
                "JSON from line {}, column {} on",
                error.line(),
                error.column()
            ),
        };
        Failure::Usage(format!("{from} is not {what}"))
    })
}

/// `90s`, `5m`, `1h30m`, in seconds.
pub(crate) fn span(text: &str) -> Result<u64, String> {
    let wrong = || "expected a number with s, m, h or d, such as 30s, 5m or 1h30m".to_owned();
    let (mut total, mut number) = (0u64, None);
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                let digit = u64::from(c as u8 - b'0');
                number = Some(
                    number
                        .unwrap_or(0u64)
                        .checked_mul(10)
                        .and_then(|n| n.checked_add(digit))
                        .ok_or_else(wrong)?,
                );
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let seconds = number
            .take()
            .and_then(|n| n.checked_mul(unit))
            .ok_or_else(wrong)?;
        total = total.checked_add(seconds).ok_or_else(wrong)?;
    }
    if total == 0 || number.is_some() {
        Err(wrong())
    } else {
        Ok(total)
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected 'Name: value'")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("expected KEY=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests;
