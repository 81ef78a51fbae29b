//! What stands between `{{` and `}}`: a variable or a secret, and the filters it passes through.
//! Only the grammar lives here; what a filter does is in `filter`, how a value is placed in `escape`.

use crate::problem::{MAX_FILTERS, MAX_NAME_BYTES, ParseError};

/// How a template named a secret, which decides what an unresolved one means (the references contract).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefSyntax {
    /// `{{secret.KEY}}`: unresolved, the attempt fails.
    Braces,
    /// `secret://name`: unresolved, the text itself is sent.
    Uri,
}

/// A secret as a template names it: the syntax and the name, and nothing of the value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretRef {
    /// Which of the two syntaxes named it.
    pub syntax: RefSyntax,
    /// The secret's name.
    pub name: String,
}

/// The variables that every execution has (the references contract). `env.KEY` and `secret.KEY` are not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Variable {
    /// `now`: start of the execution, RFC 3339 UTC.
    Now,
    /// `now_unix`: the same in seconds since 1970.
    NowUnix,
    /// `last_run`: start of the previous execution, UTC; empty on the first.
    LastRun,
    /// `job_name`.
    JobName,
    /// `job_id`.
    JobId,
    /// `execution_id`.
    ExecutionId,
    /// `random_uuid`: one for each execution, the same at each use in it.
    RandomUuid,
    /// `scheduled_for`: the occurrence's due time.
    ScheduledFor,
    /// `attempt`: 1 for the first.
    Attempt,
    /// `environment`: the job's environment, or empty.
    Environment,
    /// `workspace`: the workspace's name.
    Workspace,
}

impl Variable {
    /// All variables with their names, in the order of the documentation.
    pub const ALL: [(&'static str, Variable); 11] = [
        ("now", Variable::Now),
        ("now_unix", Variable::NowUnix),
        ("last_run", Variable::LastRun),
        ("job_name", Variable::JobName),
        ("job_id", Variable::JobId),
        ("execution_id", Variable::ExecutionId),
        ("random_uuid", Variable::RandomUuid),
        ("scheduled_for", Variable::ScheduledFor),
        ("attempt", Variable::Attempt),
        ("environment", Variable::Environment),
        ("workspace", Variable::Workspace),
    ];

    /// Its name as templates write it.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, variable)| *variable == self)
            .map_or("", |(name, _)| name)
    }

    fn named(name: &str) -> Option<Variable> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, variable)| *variable)
    }
}

/// Where an expression's bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Variable(Variable),
    Env(Box<str>),
    Secret(SecretRef),
}

/// One filter of a pipeline. Only a secret can be an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    Base64,
    UrlEncode,
    Json,
    Hex,
    Sha256,
    HmacSha256(SecretRef),
    Trim,
}

/// A parsed `{{…}}` or `secret://name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expression {
    pub source: Source,
    pub filters: Vec<Filter>,
}

impl Expression {
    /// Every secret it reads, the arguments of filters included.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let own = match &self.source {
            Source::Secret(reference) => Some(reference),
            Source::Variable(_) | Source::Env(_) => None,
        };
        let keys = self.filters.iter().filter_map(|filter| match filter {
            Filter::HmacSha256(key) => Some(key),
            _ => None,
        });
        own.into_iter().chain(keys)
    }

    /// A `secret://name`.
    pub fn uri(name: &str) -> Self {
        let reference = SecretRef {
            syntax: RefSyntax::Uri,
            name: name.to_owned(),
        };
        Self::secret(reference)
    }

    /// A secret without filters.
    pub fn secret(reference: SecretRef) -> Self {
        Self {
            source: Source::Secret(reference),
            filters: Vec::new(),
        }
    }

    /// Parses the text between the braces. `position` is where that text begins in the template.
    pub fn parse(inner: &str, position: usize) -> Result<Self, ParseError> {
        let mut stages = Stages {
            rest: Some(inner),
            position,
        };
        let (source, at) = stages.next().unwrap_or(("", position));
        let source = parse_source(source, at)?;
        let mut filters = Vec::new();
        for (text, at) in stages {
            if filters.len() == MAX_FILTERS {
                let message =
                    format!("an expression has at most {MAX_FILTERS} filters, this one has more");
                return Err(ParseError::new("bad_filter", at, message));
            }
            filters.push(parse_filter(text, at)?);
        }
        Ok(Self { source, filters })
    }
}

/// The parts of a pipeline, each trimmed, with its position.
struct Stages<'t> {
    rest: Option<&'t str>,
    position: usize,
}

impl<'t> Iterator for Stages<'t> {
    type Item = (&'t str, usize);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let at = self.position;
        let stage = match rest.find('|') {
            Some(bar) => {
                self.rest = Some(&rest[bar + 1..]);
                self.position += bar + 1;
                &rest[..bar]
            }
            None => rest,
        };
        Some(trimmed(stage, at))
    }
}

/// Without white space around it, and the position moved along.
fn trimmed(text: &str, position: usize) -> (&str, usize) {
    let from_start = text.trim_ascii_start();
    (
        from_start.trim_ascii_end(),
        position + (text.len() - from_start.len()),
    )
}

fn parse_source(text: &str, position: usize) -> Result<Source, ParseError> {
    if let Some(key) = text.strip_prefix("secret.") {
        return secret_named(key, position + "secret.".len()).map(Source::Secret);
    }
    if let Some(key) = text.strip_prefix("env.") {
        check_name(key, position + "env.".len())?;
        return Ok(Source::Env(key.into()));
    }
    Variable::named(text)
        .map(Source::Variable)
        .ok_or_else(|| ParseError::new("unknown_variable", position, unknown_variable(text)))
}

fn unknown_variable(text: &str) -> String {
    let mut message = if text.is_empty() {
        "the braces are empty".to_owned()
    } else {
        "there is no variable of this name".to_owned()
    };
    message.push_str("; there are secret.KEY, env.KEY");
    for (name, _) in Variable::ALL {
        message.push_str(", ");
        message.push_str(name);
    }
    message.push_str("; braces that are meant literally are written {{{{");
    message
}

/// The secret of this name, as `{{secret.KEY}}` means it.
pub(crate) fn secret_named(key: &str, position: usize) -> Result<SecretRef, ParseError> {
    check_name(key, position)?;
    Ok(SecretRef {
        syntax: RefSyntax::Braces,
        name: key.to_owned(),
    })
}

/// Letters, digits, `.`, `_` and `-`: what a name is made of in all syntaxes.
pub(crate) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn check_name(name: &str, position: usize) -> Result<(), ParseError> {
    if name.is_empty() {
        return Err(ParseError::new(
            "bad_name",
            position,
            "a name is missing after the dot, as in secret.API_TOKEN",
        ));
    }
    if let Some(bad) = name.bytes().position(|byte| !is_name_byte(byte)) {
        let message = "a name holds only letters, digits, '.', '_' and '-'";
        return Err(ParseError::new("bad_name", position + bad, message));
    }
    if name.ends_with('.') {
        let message = "a name does not end in a dot";
        return Err(ParseError::new(
            "bad_name",
            position + name.len() - 1,
            message,
        ));
    }
    if name.len() > MAX_NAME_BYTES {
        let message = format!(
            "a name has at most {MAX_NAME_BYTES} bytes, this one has {}",
            name.len()
        );
        return Err(ParseError::new("bad_name", position, message));
    }
    Ok(())
}

fn parse_filter(text: &str, position: usize) -> Result<Filter, ParseError> {
    let (name, argument) = split_call(text, position)?;
    let plain = match name {
        "base64" => Filter::Base64,
        "urlencode" => Filter::UrlEncode,
        "json" => Filter::Json,
        "hex" => Filter::Hex,
        "sha256" => Filter::Sha256,
        "trim" => Filter::Trim,
        "hmac_sha256" => return hmac_filter(argument, position + name.len()),
        _ => return Err(unknown_filter(name, position)),
    };
    match argument {
        None => Ok(plain),
        Some((_, at)) => Err(ParseError::new(
            "bad_filter",
            at,
            "this filter takes no argument: write its name alone",
        )),
    }
}

fn unknown_filter(name: &str, position: usize) -> ParseError {
    let what = if name.is_empty() {
        "a filter is missing after '|'"
    } else {
        "there is no filter of this name"
    };
    let message = format!(
        "{what}; there are base64, urlencode, json, hex, sha256, hmac_sha256(secret.KEY) and trim"
    );
    ParseError::new("bad_filter", position, message)
}

/// A filter's name, and what is between its parentheses with its position, when it has any.
type Call<'t> = (&'t str, Option<(&'t str, usize)>);

/// Splits `name(argument)`.
fn split_call(text: &str, position: usize) -> Result<Call<'_>, ParseError> {
    let Some(open) = text.find('(') else {
        return Ok((text, None));
    };
    let Some(inside) = text[open + 1..].strip_suffix(')') else {
        let message = "the filter's argument is not closed: write hmac_sha256(secret.KEY)";
        return Err(ParseError::new("bad_filter", position + open, message));
    };
    let name = text[..open].trim_ascii_end();
    Ok((name, Some(trimmed(inside, position + open + 1))))
}

fn hmac_filter(argument: Option<(&str, usize)>, end_of_name: usize) -> Result<Filter, ParseError> {
    let wrong = |at, message: &str| Err(ParseError::new("bad_filter", at, message));
    let Some((argument, at)) = argument else {
        return wrong(
            end_of_name,
            "hmac_sha256 needs its key: write hmac_sha256(secret.KEY)",
        );
    };
    if argument.is_empty() {
        return wrong(
            at,
            "hmac_sha256 needs its key: write hmac_sha256(secret.KEY)",
        );
    }
    if let Some(comma) = argument.find(',') {
        return wrong(
            at + comma,
            "hmac_sha256 takes one argument: hmac_sha256(secret.KEY)",
        );
    }
    match argument.strip_prefix("secret.") {
        Some(key) => secret_named(key, at + "secret.".len()).map(Filter::HmacSha256),
        None => wrong(
            at,
            "the key of hmac_sha256 must be a secret: hmac_sha256(secret.KEY)",
        ),
    }
}
