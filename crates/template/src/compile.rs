//! Turning texts into compiled pieces while collecting every problem and every use of secrets and variables.
//! The parts of a request (`address`, `header`, `body`) are compiled through this; nothing here knows their rules.

use std::collections::BTreeMap;

use padclock_vault::Place;

use crate::buffer::Buffer;
use crate::expression::{Expression, RefSyntax, SecretRef, Source, Variable};
use crate::parse::{Segment, Syntax, segments};
use crate::piece::{Encoding, Text};
use crate::problem::{MAX_PROBLEMS, MAX_SEGMENTS, Problem};

/// What a job decides about how its request is read.
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions<'a> {
    /// Whether `secret://name` counts in url, query, body and auth too, and not only in header values.
    pub secret_uri_everywhere: bool,
    /// The request's own field path, put in front of each problem's: `request`.
    pub field: &'a str,
}

/// A field of the request; its path is spelled out only when there is a problem.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub section: &'a str,
    pub name: &'a str,
}

impl<'a> Field<'a> {
    pub const fn new(section: &'a str, name: &'a str) -> Self {
        Self { section, name }
    }
}

/// An `env.KEY` that a request reads, and where.
#[derive(Clone, Debug)]
pub(crate) struct EnvUse {
    pub key: Box<str>,
    pub field: String,
    pub position: usize,
}

impl EnvUse {
    fn missing(&self) -> Problem {
        Problem {
            field: self.field.clone(),
            code: "unknown_variable",
            message: format!(
                "the job's env has no {}: add it there, or correct the name",
                self.key
            ),
            position: Some(self.position),
        }
    }
}

/// What a request uses, known before it runs.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    references: Vec<(SecretRef, Place)>,
    env: Vec<EnvUse>,
    variables: u16,
}

impl Uses {
    pub fn variable(&self, variable: Variable) -> bool {
        self.variables & 1 << variable as u16 != 0
    }

    pub fn references(&self) -> &[(SecretRef, Place)] {
        &self.references
    }

    /// The `env.KEY` variables that an env lacks.
    pub fn missing_env(&self, env: &BTreeMap<String, String>) -> Vec<Problem> {
        let missing = self
            .env
            .iter()
            .filter(|used| !env.contains_key(used.key.as_ref()));
        missing.map(EnvUse::missing).collect()
    }

    fn settle(&mut self) {
        self.references.sort_unstable();
        self.references.dedup();
    }
}

/// Collects problems and uses while a request is compiled.
pub(crate) struct Compiler<'o> {
    options: CompileOptions<'o>,
    problems: Vec<Problem>,
    uses: Uses,
    segments: usize,
}

impl<'o> Compiler<'o> {
    pub fn new(options: CompileOptions<'o>) -> Self {
        Self {
            options,
            problems: Vec::new(),
            uses: Uses::default(),
            segments: 0,
        }
    }

    /// The uses, or all problems.
    pub fn finish(mut self) -> Result<Uses, Vec<Problem>> {
        if self.segments > MAX_SEGMENTS {
            let message = format!(
                "a request has at most {MAX_SEGMENTS} template segments, this one has {}",
                self.segments
            );
            self.problem(Field::new("", ""), "too_many_segments", None, message);
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        self.uses.settle();
        Ok(self.uses)
    }

    /// Records a problem. Beyond the limit nothing is recorded: a body of nothing but mistakes must not make an answer many times its size.
    pub fn problem(
        &mut self,
        field: Field<'_>,
        code: &'static str,
        position: Option<usize>,
        message: impl Into<String>,
    ) {
        if self.problems.len() == MAX_PROBLEMS {
            return;
        }
        let field = self.path(field);
        self.problems.push(Problem {
            field,
            code,
            message: message.into(),
            position,
        });
    }

    /// The whole path of a field.
    pub fn path(&self, field: Field<'_>) -> String {
        let mut path = self.options.field.to_owned();
        for part in [field.section, field.name] {
            if !part.is_empty() {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(part);
            }
        }
        path
    }

    /// Cuts a text into segments, recording what can't be parsed. Only texts with something to fill in count towards the limit.
    pub fn segments<'t>(
        &mut self,
        field: Field<'_>,
        text: &'t str,
        secret_uri: bool,
    ) -> Vec<Segment<'t>> {
        let syntax = Syntax {
            secret_uri: secret_uri || self.options.secret_uri_everywhere,
        };
        let mut errors = Vec::new();
        let found = segments(text, syntax, &mut errors);
        let counts =
            errors.is_empty() && found.iter().any(|segment| segment.expression().is_some());
        if counts {
            self.segments += found.len();
        }
        for error in errors {
            self.problem(field, error.code, Some(error.position), error.message);
        }
        found
    }

    /// Records what an expression reads.
    pub fn note(
        &mut self,
        field: Field<'_>,
        expression: &Expression,
        position: usize,
        place: Place,
    ) {
        match &expression.source {
            Source::Variable(variable) => self.uses.variables |= 1 << *variable as u16,
            Source::Env(key) => {
                let field = self.path(field);
                self.uses.env.push(EnvUse {
                    key: key.clone(),
                    field,
                    position,
                });
            }
            Source::Secret(_) => {}
        }
        self.uses
            .references
            .extend(expression.secrets().map(|secret| (secret.clone(), place)));
    }

    /// Compiles a text whose literals all go through one encoder and whose values all take one encoding.
    pub fn text(&mut self, field: Field<'_>, text: &str, rules: &Rules) -> Text {
        let found = self.segments(field, text, rules.secret_uri);
        let mut compiled = Text::default();
        for segment in found {
            if let Some((literal, _)) = segment.literal() {
                compiled.push_encoded(literal.as_bytes(), rules.literal);
            }
            if let Segment::Expression {
                expression,
                position,
                ..
            }
            | Segment::Uri {
                expression,
                position,
            } = segment
            {
                self.note(field, &expression, position, rules.place);
                compiled.push_dynamic(expression, rules.encoding);
            }
        }
        compiled
    }

    /// Refuses a name that holds a reference: only values are filled in, and sending the braces would help nobody.
    pub fn literal_name(&mut self, field: Field<'_>, name: &str) {
        let syntax = Syntax {
            secret_uri: self.options.secret_uri_everywhere,
        };
        let mut errors = Vec::new();
        let found = segments(name, syntax, &mut errors);
        if let Some((_, position)) = found.iter().find_map(Segment::expression) {
            let message = "only values are filled in, not names: put the reference into the value";
            self.problem(field, "template_in_name", Some(position), message);
        }
    }
}

/// How a text of one kind is compiled.
pub(crate) struct Rules {
    pub literal: fn(&[u8], &mut Buffer),
    pub encoding: Encoding,
    pub place: Place,
    pub secret_uri: bool,
}

/// Literal text as it is.
pub(crate) fn verbatim(bytes: &[u8], out: &mut Buffer) {
    out.extend(bytes);
}

/// Whether any secret stands in an expression, however it is written.
pub(crate) fn reads_secret(expression: &Expression) -> bool {
    expression.secrets().next().is_some()
}

/// How an expression's source is called in messages: a name, never a value.
pub(crate) fn source_name(expression: &Expression) -> String {
    match &expression.source {
        Source::Secret(SecretRef {
            syntax: RefSyntax::Uri,
            name,
        }) => format!("secret://{name}"),
        Source::Secret(secret) => format!("secret.{}", secret.name),
        Source::Env(key) => format!("env.{key}"),
        Source::Variable(variable) => variable.name().to_owned(),
    }
}
