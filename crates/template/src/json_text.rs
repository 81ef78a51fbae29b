//! A JSON body given as text: where in it each reference stands, inside a string literal or in place of a value.
//! Also the check of what may be put in place of a value. Nothing here renders.

use padclock_vault::Place;

use crate::compile::{Compiler, Field};
use crate::expression::{Expression, Source, Variable};
use crate::parse::Segment;
use crate::piece::{Encoding, Text};
use crate::problem::MAX_JSON_DEPTH;

/// Where the reading of a JSON text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Outside,
    InString,
    /// After a backslash, or within the digits of a `\u`: so many more bytes belong to the escape.
    InEscape(u8),
}

/// Compiles a JSON text. One without references is sent as it stands, valid or not.
pub(crate) fn compile_json_text(compiler: &mut Compiler<'_>, field: Field<'_>, text: &str) -> Text {
    let segments = compiler.segments(field, text, false);
    let mut reader = Reader {
        compiler,
        field,
        state: State::Outside,
        depth: 0,
        too_deep: false,
        filled: None,
        sample: String::new(),
        origins: Vec::new(),
        end: text.len(),
        text: Text::default(),
    };
    for segment in segments {
        reader.segment(segment);
    }
    reader.finish()
}

/// A stretch of the sample: where it begins there and in the text, and whether it was literal text.
struct Stretch {
    offset: usize,
    position: usize,
    literal: bool,
}

struct Reader<'c, 'o, 'f> {
    compiler: &'c mut Compiler<'o>,
    field: Field<'f>,
    state: State,
    depth: usize,
    too_deep: bool,
    /// Where the first reference stands in the string literal that is being read, or has just ended.
    filled: Option<usize>,
    /// The text with something harmless in place of each reference, to be parsed as a whole.
    sample: String,
    /// Where the stretches of the sample come from.
    origins: Vec<Stretch>,
    /// The length of the text as it was given.
    end: usize,
    text: Text,
}

impl Reader<'_, '_, '_> {
    fn segment(&mut self, segment: Segment<'_>) {
        if let Some((literal, position)) = segment.literal() {
            self.origin(position, true);
            self.sample.push_str(literal);
            self.text.push_static(literal.as_bytes());
            for (offset, byte) in literal.bytes().enumerate() {
                self.byte(byte, position + offset);
            }
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
            self.origin(position, false);
            self.expression(expression, position);
        }
    }

    fn byte(&mut self, byte: u8, position: usize) {
        self.state = match (self.state, byte) {
            (State::Outside, b'"') => {
                self.filled = None;
                State::InString
            }
            (State::Outside, b':') => {
                self.name_ended();
                State::Outside
            }
            (State::Outside, _) => {
                self.outside(byte, position);
                State::Outside
            }
            (State::InString, b'"') => State::Outside,
            (State::InString, b'\\') => State::InEscape(1),
            (State::InString, _) => State::InString,
            (State::InEscape(1), b'u') => State::InEscape(5),
            (State::InEscape(2) | State::InEscape(1), _) => State::InString,
            (State::InEscape(left), _) => State::InEscape(left - 1),
        };
    }

    fn outside(&mut self, byte: u8, position: usize) {
        match byte {
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth > MAX_JSON_DEPTH && !self.too_deep {
            self.too_deep = true;
            let message =
                format!("a JSON body is nested at most {MAX_JSON_DEPTH} deep, this one is deeper");
            self.compiler
                .problem(self.field, "too_deep", Some(position), message);
        }
    }

    /// A string literal that a colon follows was a name.
    fn name_ended(&mut self) {
        if let Some(position) = self.filled.take() {
            let message = "only values are filled in, not names: put the reference into the value";
            self.compiler
                .problem(self.field, "template_in_name", Some(position), message);
        }
    }

    fn expression(&mut self, expression: Expression, position: usize) {
        self.compiler
            .note(self.field, &expression, position, Place::Body);
        let encoding = match self.state {
            State::Outside => {
                self.sample.push_str("null");
                self.check_scalar(&expression, position);
                Encoding::JsonScalar
            }
            State::InString => {
                self.sample.push('x');
                self.filled = self.filled.or(Some(position));
                Encoding::JsonString
            }
            State::InEscape(_) => {
                let message = "a reference can't stand inside a JSON escape such as \\n or \\u0041";
                self.compiler
                    .problem(self.field, "bad_json", Some(position), message);
                self.state = State::InString;
                Encoding::JsonString
            }
        };
        self.text.push_dynamic(expression, encoding);
    }

    /// Refuses now what could only fail later: the variables that are never a number, unfiltered.
    fn check_scalar(&mut self, expression: &Expression, position: usize) {
        use Variable::{ExecutionId, JobId, LastRun, Now, RandomUuid, ScheduledFor};
        let Source::Variable(Now | LastRun | JobId | ExecutionId | RandomUuid | ScheduledFor) =
            expression.source
        else {
            return;
        };
        if expression.filters.is_empty() {
            let message = "this variable is text, so it needs quotes around it in JSON";
            self.compiler
                .problem(self.field, "bad_json", Some(position), message);
        }
    }

    fn finish(self) -> Text {
        if self.text.is_static() || self.too_deep {
            return self.text;
        }
        if let Err(error) = serde_json::from_str::<serde_json::Value>(&self.sample) {
            let position = if error.is_eof() {
                self.end
            } else {
                self.position_of(offset_of(&self.sample, &error))
            };
            let message = "the content type says JSON, but the text is not JSON around its references: \
                write them inside a string literal, or in place of a whole value";
            self.compiler
                .problem(self.field, "bad_json", Some(position), message);
        }
        self.text
    }

    fn origin(&mut self, position: usize, literal: bool) {
        let offset = self.sample.len();
        self.origins.push(Stretch {
            offset,
            position,
            literal,
        });
    }

    /// Where in the text an offset of the sample is; within a reference, where that begins.
    fn position_of(&self, offset: usize) -> usize {
        let after = self
            .origins
            .partition_point(|stretch| stretch.offset <= offset);
        match self.origins.get(after.wrapping_sub(1)) {
            Some(stretch) if stretch.literal => stretch.position + (offset - stretch.offset),
            Some(stretch) => stretch.position,
            None => 0,
        }
    }
}

/// The offset that an error means with its line and column, both counted from 1.
fn offset_of(text: &str, error: &serde_json::Error) -> usize {
    let lines = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1)
}

/// Whether bytes are one JSON string, number, `true`, `false` or `null` (RFC 8259), white space around it aside.
pub(crate) fn scalar(bytes: &[u8]) -> Option<&[u8]> {
    let text = std::str::from_utf8(bytes).ok()?;
    let scalar = text.trim_matches([' ', '\t', '\r', '\n']).as_bytes();
    let valid = match scalar {
        b"true" | b"false" | b"null" => true,
        [b'"', inside @ .., b'"'] => is_string_inside(inside),
        [b'-' | b'0'..=b'9', ..] => serde_json::from_slice::<f64>(scalar).is_ok(),
        _ => false,
    };
    valid.then_some(scalar)
}

/// Whether bytes can stand between the quotes of a JSON string: no bare quote or control character, no broken escape.
fn is_string_inside(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [] => return true,
            [
                b'\\',
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't',
                rest @ ..,
            ] => rest,
            [b'\\', b'u', ..] => match unicode_escape(rest) {
                Some(rest) => rest,
                None => return false,
            },
            [0..=0x1f | b'"' | b'\\', ..] => return false,
            [_, rest @ ..] => rest,
        };
    }
}

/// What follows a `\uXXXX`, or a surrogate pair of them.
fn unicode_escape(bytes: &[u8]) -> Option<&[u8]> {
    let (unit, rest) = code_unit(bytes)?;
    match unit {
        0xd800..=0xdbff => match code_unit(rest)? {
            (0xdc00..=0xdfff, rest) => Some(rest),
            _ => None,
        },
        0xdc00..=0xdfff => None,
        _ => Some(rest),
    }
}

fn code_unit(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let [b'\\', b'u', rest @ ..] = bytes else {
        return None;
    };
    let (digits, rest) = rest.split_at_checked(4)?;
    let value = digits.iter().try_fold(0u16, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(value << 4 | digit as u16)
    });
    value.map(|value| (value, rest))
}
