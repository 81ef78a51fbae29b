//! Crontabs in Vixie's format: variables, time zones, `@daily`, `%`, the user's column of system crontabs.

use padclock_job::{Definition, InitialState, Kind};
use zeroize::Zeroizing;

use crate::command::{self, Becomes, Used, Variable};
use crate::plan::{LeftOut, Place, Plan, PlannedJob};
use crate::secrets::{Context, Find, Secrets};
use crate::{Options, draft, extract, names, shell};

/// Variables that are cron's own or the system's: they mean nothing to a request.
const CRONS_OWN: [&str; 16] = [
    "SHELL",
    "PATH",
    "HOME",
    "LOGNAME",
    "USER",
    "MAILTO",
    "MAILFROM",
    "CONTENT_TYPE",
    "CONTENT_TRANSFER_ENCODING",
    "CRON_TZ",
    "TZ",
    "RANDOM_DELAY",
    "START_HOURS_RANGE",
    "LANG",
    "LC_ALL",
    "BASH_ENV",
];
/// The longest comment that is taken for what a job is for.
const LONGEST_COMMENT: usize = 200;

/// Whether a line can stand in a crontab and in no `.env` file.
pub(crate) fn looks_like_one(line: &str) -> bool {
    schedule(line).is_some_and(|(_, rest)| !rest.trim().is_empty()) && assignment(line).is_none()
}

struct Reader<'o, 'f> {
    options: &'o Options<'o>,
    secrets: Secrets<'f>,
    variables: Vec<Variable>,
    names: names::JobNames,
    /// The comment right above.
    comment: Option<String>,
    zone: Option<String>,
    mail: bool,
    plan: Plan,
}

/// Reads a crontab.
pub(crate) fn read(text: &str, options: &Options<'_>, find: &Find<'_>) -> Plan {
    let mut reader = Reader {
        options,
        secrets: Secrets::new(find, options.taken, options.environment),
        variables: Vec::new(),
        names: names::JobNames::default(),
        comment: None,
        zone: options.zone.map(str::to_owned),
        mail: false,
        plan: Plan::default(),
    };
    for (index, line) in text.lines().enumerate() {
        reader.line(
            Place::Line(index + 1),
            line.trim_start().trim_end_matches('\r'),
        );
    }
    let Reader {
        secrets, mut plan, ..
    } = reader;
    plan.secrets = secrets.all;
    plan
}

impl Reader<'_, '_> {
    fn line(&mut self, at: Place, line: &str) {
        if line.trim().is_empty() {
            self.comment = None;
        } else if let Some(comment) = line.strip_prefix('#') {
            self.comment = Some(comment.trim().to_owned());
        } else if !draft::is_clean(line) {
            self.plan
                .leave_out(at, "it has characters of Unicode's private use area");
        } else if let Some((name, value)) = assignment(line) {
            self.comment = None;
            self.assign(at, name, value);
        } else {
            self.entry(at, line);
            self.comment = None;
        }
    }

    fn assign(&mut self, at: Place, name: &str, value: Zeroizing<String>) {
        match name {
            "CRON_TZ" => self.zone = Some(value.to_string()),
            "TZ" => {
                self.plan.note(at, "TZ is taken for the time zone of the schedules below it; some crons apply it to the commands alone");
                self.zone = Some(value.to_string());
            }
            "MAILTO" if !value.is_empty() && !self.mail => {
                self.mail = true;
                self.plan.note(
                    at,
                    "MAILTO is not carried over: executions are kept, and no mail is sent",
                );
            }
            "RANDOM_DELAY" => self
                .plan
                .note(at, "RANDOM_DELAY is not carried over; see jitter_seconds"),
            _ => {}
        }
        let field = format!("env.{name}");
        let context = Context {
            field: &field,
            name,
        };
        let own = CRONS_OWN.contains(&name);
        let by_name = names::tells_credential(name) && value.len() >= 4;
        let secret = !own && (by_name || self.secrets.any(context, &value));
        self.variables.push(Variable {
            name: name.to_owned(),
            value,
            secret,
        });
    }

    fn entry(&mut self, at: Place, line: &str) {
        let line = line.strip_prefix('-').unwrap_or(line);
        let Some((expression, rest)) = schedule(line) else {
            return self.plan.leave_out(at, "it is no line of a crontab: five fields (or @daily and such) and a command are expected");
        };
        let rest = rest.trim_start();
        let command = if self.options.system {
            match rest.split_once([' ', '\t']) {
                Some((_, command)) => command.trim_start(),
                None => "",
            }
        } else {
            rest
        };
        if expression == "@reboot" {
            return self
                .plan
                .leave_out(at, "@reboot is no time: it belongs to the machine");
        }
        if command.is_empty() {
            return self.plan.leave_out(at, "it has a schedule and no command");
        }
        let (command, stdin) = percent(command);
        let mut used = Used::default();
        let becomes = command::read(
            &command,
            stdin.as_ref().map(|text| text.as_str()),
            &self.variables,
            &mut self.secrets,
            &mut used,
        );
        match becomes {
            Becomes::Request(draft) => self.job(at, expression, *draft, &used),
            Becomes::Command { reason } => self.plan.left_out.push(LeftOut {
                at,
                name: None,
                reason: format!(
                    "{reason}; only requests can be imported, commands can't be scheduled yet"
                ),
                is_command: true,
            }),
        }
    }

    fn job(&mut self, at: Place, expression: String, draft: draft::Draft, used: &Used) {
        let request = match extract::request(draft, at, &mut self.secrets) {
            Ok(request) => request,
            Err(reason) => return self.plan.leave_out(at, reason),
        };
        let mut definition = Definition::new(self.names.take(&request.name), Kind::Cron);
        definition.schedule.expression = Some(expression);
        definition.schedule.timezone.clone_from(&self.zone);
        definition.description = self.description();
        definition.environment = self.options.environment.map(str::to_owned);
        definition.state = Some(InitialState::Paused);
        for name in &used.0 {
            let value = self
                .variables
                .iter()
                .rfind(|variable| variable.name == *name);
            if let Some(variable) = value {
                definition
                    .env
                    .insert(name.clone(), variable.value.to_string());
            }
        }
        definition.retry.max_attempts = request.attempts.unwrap_or(definition.retry.max_attempts);
        definition.retry.base_seconds = request.wait.unwrap_or(definition.retry.base_seconds);
        definition.request = Some(request.spec);
        self.plan.jobs.push(PlannedJob {
            at,
            definition,
            secrets: request.secrets,
            notes: request.notes,
        });
    }

    /// The comment above, unless it is an entry that was switched off, or holds a credential.
    fn description(&mut self) -> Option<String> {
        let comment = self.comment.take()?;
        let text = comment.trim_matches(['#', '-', '=', ' ']);
        let fits = !text.is_empty() && text.len() <= LONGEST_COMMENT && !looks_like_one(&comment);
        let context = Context {
            field: "description",
            name: "description",
        };
        (fits && assignment(text).is_none() && !self.secrets.any(context, text))
            .then(|| text.to_owned())
    }
}

/// `NAME = value` and its kin; the value may be quoted, and nothing in it is expanded.
fn assignment(line: &str) -> Option<(&str, Zeroizing<String>)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim().trim_matches(['"', '\'']);
    if !shell::is_name(name) {
        return None;
    }
    let value = value.trim();
    let quoted = ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    Some((name, Zeroizing::new(quoted.unwrap_or(value).to_owned())))
}

/// The expression in front of a line, and what follows.
fn schedule(line: &str) -> Option<(String, &str)> {
    if line.starts_with('@') {
        let (name, rest) = line.split_once([' ', '\t'])?;
        let name = match name.to_ascii_lowercase().as_str() {
            "@every_minute" => "* * * * *".to_owned(),
            known @ ("@reboot" | "@hourly" | "@daily" | "@midnight" | "@weekly" | "@monthly"
            | "@yearly" | "@annually") => known.to_owned(),
            _ => return None,
        };
        return Some((name, rest));
    }
    let mut rest = line;
    let mut fields = Vec::new();
    for _ in 0..5 {
        let (field, after) = rest.split_once([' ', '\t'])?;
        if !is_field(field) {
            return None;
        }
        fields.push(field);
        rest = after.trim_start_matches([' ', '\t']);
    }
    Some((fields.join(" "), rest))
}

fn is_field(text: &str) -> bool {
    let begins = |c: char| c.is_ascii_digit() || c == '*' || c == '?';
    let day = [
        "sun", "mon", "tue", "wed", "thu", "fri", "sat", "jan", "feb", "mar", "apr", "may", "jun",
        "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let lower = text.to_ascii_lowercase();
    let named = day.iter().any(|name| lower.starts_with(name));
    (text.starts_with(begins) || named)
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "*/,-~#?".contains(c))
}

/// The command, and what follows the first `%` that has no backslash, as lines of standard input.
fn percent(text: &str) -> (Zeroizing<String>, Option<Zeroizing<String>>) {
    let mut parts = vec![Zeroizing::new(String::new())];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = c == '\\' && chars.next_if_eq(&'%').is_some();
        if c == '%' && !escaped {
            parts.push(Zeroizing::new(String::new()));
        } else if let Some(part) = parts.last_mut() {
            part.push(if escaped { '%' } else { c });
        }
    }
    let mut parts = parts.into_iter();
    let command = parts.next().unwrap_or_default();
    let lines: Vec<_> = parts.collect();
    let stdin = (!lines.is_empty()).then(|| {
        let mut all = Zeroizing::new(String::new());
        for line in &lines {
            all.push_str(line);
            all.push('\n');
        }
        all
    });
    (command, stdin)
}
