//! Filling expressions in: looking values up, passing them through filters, writing them at their place, and keeping what the redactor
//! must know. What is whole (a URL, a header) is checked in `render`.

use std::collections::BTreeMap;

use padclock_vault::Value;

use crate::buffer::Buffer;
use crate::compile::{reads_secret, source_name};
use crate::error::{RenderError, check_size};
use crate::expression::{Expression, Filter, RefSyntax, SecretRef, Source, Variable};
use crate::json_text::scalar;
use crate::piece::{Encoding, Piece, Text};
use crate::problem::MAX_RENDERED_BYTES;
use crate::{escape, filter};

/// Where secrets come from at an attempt: already resolved to the job's workspace and opened.
pub trait Secrets {
    /// What is known of one reference.
    fn get(&self, reference: &SecretRef) -> Found<'_>;
}

/// What became of a reference.
pub enum Found<'a> {
    /// Its value.
    Value(&'a Value),
    /// There is no such secret, or it has expired.
    Missing,
    /// There is one, and it can't be decrypted.
    Unreadable,
}

/// The variables of one attempt; frozen for the execution, `attempt` and `attempt_unix` aside (the references contract).
#[derive(Clone, Copy, Debug)]
pub struct Variables<'a> {
    /// Start of the execution, RFC 3339 UTC.
    pub now: &'a str,
    /// The same in seconds since 1970.
    pub now_unix: i64,
    /// Start of the previous execution; empty on the first.
    pub last_run: &'a str,
    /// The job's name.
    pub job_name: &'a str,
    /// The job's id.
    pub job_id: &'a str,
    /// The execution's id.
    pub execution_id: &'a str,
    /// One UUID for the execution.
    pub random_uuid: &'a str,
    /// The occurrence's due time, RFC 3339 UTC.
    pub scheduled_for: &'a str,
    /// The job's environment, or empty.
    pub environment: &'a str,
    /// The workspace's name.
    pub workspace: &'a str,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// When this attempt is made, in seconds since 1970: what its signatures are dated with. No template can name it.
    pub attempt_unix: i64,
    /// The job's own non-secret variables. Their values are literal text, never scanned for references.
    pub env: &'a BTreeMap<String, String>,
}

impl<'a> Variables<'a> {
    /// Those of no attempt: what can be checked as soon as the env is known.
    pub(crate) fn of_env(env: &'a BTreeMap<String, String>) -> Self {
        Self {
            now: "",
            now_unix: 0,
            last_run: "",
            job_name: "",
            job_id: "",
            execution_id: "",
            random_uuid: "",
            scheduled_for: "",
            environment: "",
            workspace: "",
            attempt: 1,
            attempt_unix: 0,
            env,
        }
    }
}

/// Bytes on their way to their place.
enum Bytes<'a> {
    Borrowed(&'a [u8]),
    Made(Buffer),
}

impl Bytes<'_> {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Borrowed(bytes) => bytes,
            Self::Made(buffer) => buffer.as_slice(),
        }
    }
}

/// Fills in all texts of one rendering.
pub(crate) struct Filler<'a> {
    vars: &'a Variables<'a>,
    secrets: &'a dyn Secrets,
    pub derived: Vec<(String, Value)>,
    pub unresolved: Vec<String>,
}

impl<'a> Filler<'a> {
    pub fn new(vars: &'a Variables<'a>, secrets: &'a dyn Secrets) -> Self {
        Self {
            vars,
            secrets,
            derived: Vec::new(),
            unresolved: Vec::new(),
        }
    }

    /// A whole rendered text.
    pub fn whole(&mut self, text: &'a Text) -> Result<Buffer, RenderError> {
        let mut out = Buffer::with_capacity(text.likely_len());
        self.text(text, &mut out)?;
        Ok(out)
    }

    /// Appends a rendered text.
    pub fn text(&mut self, text: &'a Text, out: &mut Buffer) -> Result<(), RenderError> {
        text.pieces().iter().try_for_each(|piece| match piece {
            Piece::Static(bytes) => {
                out.extend(bytes);
                Ok(())
            }
            Piece::Dynamic {
                expression,
                encoding,
            } => self.expression(expression, *encoding, out),
        })
    }

    /// Appends a text as far as the first secret in it; answers whether that was all of it.
    pub fn text_before_secret(
        &mut self,
        text: &'a Text,
        out: &mut Buffer,
    ) -> Result<bool, RenderError> {
        for piece in text.pieces() {
            match piece {
                Piece::Static(bytes) => out.extend(bytes),
                Piece::Dynamic { expression, .. } if reads_secret(expression) => return Ok(false),
                Piece::Dynamic {
                    expression,
                    encoding,
                } => self.expression(expression, *encoding, out)?,
            }
        }
        Ok(true)
    }

    fn expression(
        &mut self,
        expression: &'a Expression,
        encoding: Encoding,
        out: &mut Buffer,
    ) -> Result<(), RenderError> {
        let (mut bytes, mut secret) = self.source(&expression.source)?;
        for filter in &expression.filters {
            bytes = Bytes::Made(self.filter(filter, bytes.as_slice(), expression)?);
            check_size("filtered value", MAX_RENDERED_BYTES, bytes.as_slice().len())?;
            if let Filter::HmacSha256(key) = filter {
                secret = secret.or(Some(&key.name));
            }
        }
        let from = out.len();
        write_at_place(bytes.as_slice(), encoding, expression, out)?;
        check_size("text", MAX_RENDERED_BYTES, out.len())?;
        let Some(name) = secret else { return Ok(()) };
        let written = &out.as_slice()[from..];
        if let Bytes::Made(made) = &bytes {
            self.keep(name, made.as_slice());
        }
        if written != bytes.as_slice() {
            self.keep(name, written);
        }
        Ok(())
    }

    /// Remembers something made of a secret for the redactor, once.
    pub fn keep(&mut self, name: &str, bytes: &[u8]) {
        let known = self
            .derived
            .iter()
            .any(|(_, known)| bytes_of(known) == bytes);
        if !bytes.is_empty() && !known {
            self.derived.push((name.to_owned(), Value::new(bytes)));
        }
    }

    /// The bytes of a source, and the secret's name when they are one.
    fn source(&mut self, source: &'a Source) -> Result<(Bytes<'a>, Option<&'a str>), RenderError> {
        match source {
            Source::Variable(variable) => Ok((self.variable(*variable), None)),
            Source::Env(key) => match self.vars.env.get(key.as_ref()) {
                Some(value) => Ok((Bytes::Borrowed(value.as_bytes()), None)),
                None => Err(RenderError::MissingEnv {
                    name: key.to_string(),
                }),
            },
            Source::Secret(reference) => match self.secret(reference)? {
                Some(value) => Ok((Bytes::Borrowed(value), Some(&reference.name))),
                None => Ok((self.literal_uri(&reference.name), None)),
            },
        }
    }

    /// A secret's bytes; none when the reference's own text is to be sent.
    fn secret(&self, reference: &SecretRef) -> Result<Option<&'a [u8]>, RenderError> {
        let secrets = self.secrets;
        match (secrets.get(reference), reference.syntax) {
            (Found::Value(value), _) => Ok(Some(bytes_of(value))),
            (Found::Missing, RefSyntax::Uri) => Ok(None),
            (Found::Missing, RefSyntax::Braces) => Err(RenderError::Unresolved {
                name: reference.name.clone(),
            }),
            (Found::Unreadable, _) => Err(RenderError::Unreadable {
                name: reference.name.clone(),
            }),
        }
    }

    fn literal_uri(&mut self, name: &str) -> Bytes<'a> {
        self.unresolved.push(name.to_owned());
        let mut text = Buffer::default();
        text.extend(b"secret://");
        text.extend(name.as_bytes());
        Bytes::Made(text)
    }

    fn variable(&self, variable: Variable) -> Bytes<'a> {
        let vars = self.vars;
        Bytes::Borrowed(match variable {
            Variable::Now => vars.now.as_bytes(),
            Variable::LastRun => vars.last_run.as_bytes(),
            Variable::JobName => vars.job_name.as_bytes(),
            Variable::JobId => vars.job_id.as_bytes(),
            Variable::ExecutionId => vars.execution_id.as_bytes(),
            Variable::RandomUuid => vars.random_uuid.as_bytes(),
            Variable::ScheduledFor => vars.scheduled_for.as_bytes(),
            Variable::Environment => vars.environment.as_bytes(),
            Variable::Workspace => vars.workspace.as_bytes(),
            Variable::NowUnix => return number(vars.now_unix),
            Variable::Attempt => return number(i64::from(vars.attempt)),
        })
    }

    fn filter(
        &self,
        filter: &Filter,
        input: &[u8],
        expression: &Expression,
    ) -> Result<Buffer, RenderError> {
        Ok(match filter {
            Filter::Base64 => filter::base64(input),
            Filter::UrlEncode => filter::urlencode(input),
            Filter::Hex => filter::hex(input),
            Filter::Sha256 => filter::sha256(input),
            Filter::Trim => filter::trim(input),
            Filter::Json => filter::json(input).ok_or_else(|| not_text(expression))?,
            Filter::HmacSha256(key) => {
                // The key is always in braces, so a missing one has failed already.
                let key = self.secret(key)?.unwrap_or_default();
                filter::hmac_sha256(input, key)
            }
        })
    }
}

fn write_at_place(
    bytes: &[u8],
    encoding: Encoding,
    expression: &Expression,
    out: &mut Buffer,
) -> Result<(), RenderError> {
    match encoding {
        Encoding::Raw => out.extend(bytes),
        Encoding::Percent => escape::percent(bytes, out),
        Encoding::JsonString => {
            std::str::from_utf8(bytes).map_err(|_| not_text(expression))?;
            escape::json_string(bytes, out);
        }
        Encoding::JsonScalar => {
            out.extend(scalar(bytes).ok_or_else(|| RenderError::JsonNotScalar {
                name: source_name(expression),
            })?)
        }
    }
    Ok(())
}

fn not_text(expression: &Expression) -> RenderError {
    RenderError::JsonNotText {
        name: source_name(expression),
    }
}

fn number(number: i64) -> Bytes<'static> {
    let mut text = Buffer::with_capacity(20);
    text.extend(number.to_string().as_bytes());
    Bytes::Made(text)
}

#[expect(
    clippy::disallowed_methods,
    reason = "rendering is the one place where this crate reads a secret's bytes"
)]
fn bytes_of(value: &Value) -> &[u8] {
    value.expose()
}
