//! The one parser of template texts: `{{…}}`, `{{{{` and `secret://name`, and printing back.
//! It knows nothing of places, requests or values.

use std::fmt;

use crate::expression::{Expression, SecretRef, Source, Variable, is_name_byte};
use crate::problem::{MAX_NAME_BYTES, MAX_SEGMENTS, ParseError};

const URI: &str = "secret://";

/// Reading stops after so many errors in one text: more help nobody, and each may cost a scan of what follows.
const MAX_ERRORS: usize = 20;

/// Which syntaxes count in a text; `{{…}}` always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Syntax {
    /// Whether `secret://name` is a reference here: always in header values, elsewhere when the job says so.
    pub secret_uri: bool,
}

/// A piece of a template's text, still borrowed from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment<'t> {
    /// Text that stands for itself, byte for byte.
    Literal { text: &'t str, position: usize },
    /// `{{{{`, which stands for `{{`.
    Braces { position: usize },
    /// `{{…}}`. `position` is that of the opening braces.
    Expression {
        inner: &'t str,
        position: usize,
        expression: Expression,
    },
    /// `secret://name`.
    Uri {
        position: usize,
        expression: Expression,
    },
}

impl Segment<'_> {
    /// The expression to fill in, with its position, unless this is literal text.
    pub fn expression(&self) -> Option<(&Expression, usize)> {
        match self {
            Self::Expression {
                expression,
                position,
                ..
            }
            | Self::Uri {
                expression,
                position,
            } => Some((expression, *position)),
            Self::Literal { .. } | Self::Braces { .. } => None,
        }
    }

    /// The text that a literal stands for, with its position.
    pub fn literal(&self) -> Option<(&str, usize)> {
        match self {
            Self::Literal { text, position } => Some((text, *position)),
            Self::Braces { position } => Some(("{{", *position)),
            Self::Expression { .. } | Self::Uri { .. } => None,
        }
    }
}

/// Cuts a text into segments. What can't be parsed goes to `errors`, and the rest of the text is still read.
pub(crate) fn segments<'t>(
    text: &'t str,
    syntax: Syntax,
    errors: &mut Vec<ParseError>,
) -> Vec<Segment<'t>> {
    let mut found = Vec::new();
    let mut literal_from = 0;
    let mut at = 0;
    let mut marks = Marks::new(text, syntax);
    while found.len() <= MAX_SEGMENTS && errors.len() < MAX_ERRORS {
        let Some(mark) = marks.next_from(at) else {
            break;
        };
        let (segment, after) = read_mark(text, mark, errors);
        if after == mark {
            at = mark + URI.len(); // `secret://` without a name: only text
            continue;
        }
        push_literal(&mut found, text, literal_from, mark);
        found.extend(segment);
        at = after;
        literal_from = after;
    }
    push_literal(&mut found, text, literal_from, text.len());
    if found.len() > MAX_SEGMENTS {
        let message = format!("a template has at most {MAX_SEGMENTS} segments, this one has more");
        errors.push(ParseError::new("too_many_segments", literal_from, message));
    }
    found
}

fn push_literal<'t>(found: &mut Vec<Segment<'t>>, text: &'t str, from: usize, to: usize) {
    if from < to {
        found.push(Segment::Literal {
            text: &text[from..to],
            position: from,
        });
    }
}

/// Finds where the next `{{` or (if it counts) `secret://` begins. It remembers the braces it has seen ahead, so that a text of
/// many `secret://` is read once and not once for each.
struct Marks<'t> {
    text: &'t str,
    syntax: Syntax,
    braces: Option<usize>,
}

impl<'t> Marks<'t> {
    fn new(text: &'t str, syntax: Syntax) -> Self {
        let braces = text.find("{{");
        Self {
            text,
            syntax,
            braces,
        }
    }

    fn next_from(&mut self, at: usize) -> Option<usize> {
        if self.braces.is_some_and(|braces| braces < at) {
            self.braces = self.text[at..].find("{{").map(|offset| at + offset);
        }
        if !self.syntax.secret_uri {
            return self.braces;
        }
        let until = self.braces.unwrap_or(self.text.len());
        self.text[at..until]
            .find(URI)
            .map(|offset| at + offset)
            .or(self.braces)
    }
}

/// Reads what begins at `mark`; answers it (nothing if it was an error) and where the text goes on.
fn read_mark<'t>(
    text: &'t str,
    mark: usize,
    errors: &mut Vec<ParseError>,
) -> (Option<Segment<'t>>, usize) {
    let rest = &text[mark..];
    if rest.starts_with(URI) {
        return read_uri(rest, mark);
    }
    if rest.starts_with("{{{{") {
        return (Some(Segment::Braces { position: mark }), mark + 4);
    }
    let body = &rest[2..];
    let end = body.find("}}");
    let inner = &body[..end.unwrap_or(body.len())];
    let reopened = inner.find("{{");
    let (Some(end), None) = (end, reopened) else {
        let message = "'{{' has no '}}'; braces that are meant literally are written {{{{";
        errors.push(ParseError::new("unclosed", mark, message));
        return (None, mark + 2 + reopened.unwrap_or(body.len()));
    };
    let after = mark + 2 + end + 2;
    match Expression::parse(inner, mark + 2) {
        Ok(expression) => (
            Some(Segment::Expression {
                inner,
                position: mark,
                expression,
            }),
            after,
        ),
        Err(error) => {
            errors.push(error);
            (None, after)
        }
    }
}

/// The longest run of name characters that does not end in a dot (the references contract).
fn read_uri(rest: &str, mark: usize) -> (Option<Segment<'_>>, usize) {
    let after_scheme = &rest[URI.len()..];
    let run = after_scheme
        .bytes()
        .take_while(|byte| is_name_byte(*byte))
        .count();
    let name = after_scheme[..run].trim_end_matches('.');
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return (None, mark); // no secret can have this name, so it is text
    }
    let segment = Segment::Uri {
        position: mark,
        expression: Expression::uri(name),
    };
    (Some(segment), mark + URI.len() + name.len())
}

/// One parsed text. `Display` prints back exactly what was parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    segments: Vec<Owned>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Owned {
    Literal(String),
    Braces,
    Expression {
        inner: String,
        expression: Expression,
    },
    Uri(Expression),
}

impl Template {
    /// Parses a text.
    ///
    /// # Errors
    /// The first thing that is wrong, with its position: `unclosed`, `unknown_variable`, `bad_filter`, `bad_name` or `too_many_segments`.
    pub fn parse(text: &str, syntax: Syntax) -> Result<Template, ParseError> {
        let mut errors = Vec::new();
        let segments = segments(text, syntax, &mut errors);
        match errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(Template {
                segments: segments.into_iter().map(Owned::from).collect(),
            }),
        }
    }

    /// The secrets it names, in the order of the text, repeats included, arguments of filters too.
    pub fn references(&self) -> impl Iterator<Item = &SecretRef> {
        self.expressions().flat_map(Expression::secrets)
    }

    /// Whether it reads a variable.
    pub fn uses(&self, variable: Variable) -> bool {
        self.expressions()
            .any(|expression| expression.source == Source::Variable(variable))
    }

    /// The `env.KEY` variables that it reads, in the order of the text, repeats included.
    pub fn env_keys(&self) -> impl Iterator<Item = &str> {
        self.expressions()
            .filter_map(|expression| match &expression.source {
                Source::Env(key) => Some(key.as_ref()),
                Source::Variable(_) | Source::Secret(_) => None,
            })
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.segments.iter().filter_map(|segment| match segment {
            Owned::Expression { expression, .. } | Owned::Uri(expression) => Some(expression),
            Owned::Literal(_) | Owned::Braces => None,
        })
    }
}

impl From<Segment<'_>> for Owned {
    fn from(segment: Segment<'_>) -> Self {
        match segment {
            Segment::Literal { text, .. } => Self::Literal(text.to_owned()),
            Segment::Braces { .. } => Self::Braces,
            Segment::Expression {
                inner, expression, ..
            } => Self::Expression {
                inner: inner.to_owned(),
                expression,
            },
            Segment::Uri { expression, .. } => Self::Uri(expression),
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.segments.iter().try_for_each(|segment| match segment {
            Owned::Literal(text) => out.write_str(text),
            Owned::Braces => out.write_str("{{{{"),
            Owned::Expression { inner, .. } => write!(out, "{{{{{inner}}}}}"),
            Owned::Uri(expression) => expression
                .secrets()
                .try_for_each(|secret| write!(out, "{URI}{}", secret.name)),
        })
    }
}
