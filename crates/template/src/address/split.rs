//! Cutting a URL's segments into its regions, and what may stand in each. Only literal text can end a region, so that nothing that is
//! filled in later can move one.

use padclock_vault::Place;

use super::{Base, Origin};
use crate::compile::{Compiler, Field, reads_secret};
use crate::escape::{is_dot_segment, path_literal, query_literal};
use crate::expression::Expression;
use crate::parse::Segment;
use crate::piece::{Encoding, Text};

/// The parts of a URL in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Region {
    Scheme,
    Host,
    Path,
    Query,
    Fragment,
}

enum Part<'s> {
    Literal(&'s str, usize),
    Expression(&'s Expression, usize),
}

impl Part<'_> {
    fn position(&self) -> usize {
        match self {
            Part::Literal(_, position) | Part::Expression(_, position) => *position,
        }
    }
}

/// The segments of a URL, cut at the ends of its regions. Only literal text can end a region.
pub(super) struct Split<'s> {
    field: Field<'static>,
    parts: Vec<(Region, Part<'s>)>,
}

impl<'s> Split<'s> {
    pub fn of(field: Field<'static>, segments: &'s [Segment<'_>]) -> Self {
        let mut parts = Vec::with_capacity(segments.len() + 3);
        let mut region = Region::Scheme;
        for segment in segments {
            if let Some((expression, position)) = segment.expression() {
                parts.push((region, Part::Expression(expression, position)));
            }
            if let Some((text, position)) = segment.literal() {
                region = cut(text, position, region, &mut parts);
            }
        }
        Self { field, parts }
    }

    fn in_origin(&self) -> impl Iterator<Item = &Part<'s>> {
        self.parts
            .iter()
            .filter(|(region, _)| *region <= Region::Host)
            .map(|(_, part)| part)
    }

    fn within(&self, wanted: Region) -> impl Iterator<Item = &Part<'s>> {
        self.parts
            .iter()
            .filter(move |(region, _)| *region == wanted)
            .map(|(_, part)| part)
    }

    pub fn note(&self, compiler: &mut Compiler<'_>) {
        for (region, part) in &self.parts {
            if let Part::Expression(expression, position) = part {
                let place = if *region == Region::Query {
                    Place::Query
                } else {
                    Place::Url
                };
                compiler.note(self.field, expression, *position, place);
            }
        }
    }

    pub fn check(&self, compiler: &mut Compiler<'_>) {
        for (region, part) in &self.parts {
            match part {
                Part::Expression(expression, position)
                    if *region <= Region::Host && reads_secret(expression) =>
                {
                    let message = "scheme, host and port of a URL can't come from a secret: write them out, or use env.KEY";
                    compiler.problem(self.field, "secret_in_origin", Some(*position), message);
                }
                Part::Expression(_, position) if *region == Region::Fragment => {
                    let message =
                        "what follows '#' is never sent: leave it out, or write the sign as %23";
                    compiler.problem(self.field, "bad_url", Some(*position), message);
                }
                Part::Literal(text, position) if *region <= Region::Path => {
                    if let Some(offset) = text.find('\\') {
                        let message = "a URL's path holds no '\\': write / or %5C";
                        compiler.problem(self.field, "bad_url", Some(position + offset), message);
                    }
                }
                _ => {}
            }
        }
        self.check_dots(compiler);
    }

    /// Refuses `.` and `..`: what a parser would make of the path is not what is written here.
    fn check_dots(&self, compiler: &mut Compiler<'_>) {
        let mut current = Vec::new();
        let mut fixed = true;
        let mut begin = 0;
        let mut found = None;
        for part in self.within(Region::Path) {
            match part {
                Part::Expression(..) => fixed = false,
                Part::Literal(text, position) => {
                    for (offset, byte) in text.bytes().enumerate() {
                        if byte != b'/' {
                            current.push(byte);
                            continue;
                        }
                        found = found.or((fixed && is_dot_segment(&current)).then_some(begin));
                        current.clear();
                        fixed = true;
                        begin = position + offset + 1;
                    }
                }
            }
        }
        let last = (fixed && is_dot_segment(&current)).then_some(begin);
        if let Some(position) = found.or(last) {
            let message =
                "a URL's path holds no '.' or '..' segments: write the path that is meant";
            compiler.problem(self.field, "bad_url", Some(position), message);
        }
    }

    /// The origin: read now when nothing in it varies, else kept for each rendering.
    pub fn base(&self, compiler: &mut Compiler<'_>) -> Option<Base> {
        let mut fixed = String::new();
        let mut variable = Text::default();
        for part in self.in_origin() {
            match part {
                Part::Literal(text, _) => {
                    fixed.push_str(text);
                    variable.push_static(text.as_bytes());
                }
                Part::Expression(expression, _) => {
                    variable.push_dynamic((*expression).clone(), Encoding::Raw)
                }
            }
        }
        if !variable.is_static() {
            self.check_userinfo(compiler);
            let field = compiler.path(self.field);
            return Some(Base::Variable {
                text: variable,
                field,
            });
        }
        match Origin::parse(&fixed) {
            Ok(origin) => Some(Base::Fixed(origin)),
            Err(message) => {
                compiler.problem(self.field, "bad_url", Some(0), message);
                None
            }
        }
    }

    fn check_userinfo(&self, compiler: &mut Compiler<'_>) {
        for part in self.in_origin() {
            if let Part::Literal(text, _) = part
                && let Some(offset) = text.find('@')
            {
                let message = "a URL holds no user or password: use auth";
                compiler.problem(
                    self.field,
                    "bad_url",
                    Some(part.position() + offset),
                    message,
                );
            }
        }
    }

    pub fn text(&self, region: Region) -> Text {
        let encode = if region == Region::Path {
            path_literal
        } else {
            query_literal
        };
        let mut text = Text::default();
        for part in self.within(region) {
            match part {
                Part::Literal(literal, _) => text.push_encoded(literal.as_bytes(), encode),
                Part::Expression(expression, _) => {
                    text.push_dynamic((*expression).clone(), Encoding::Percent)
                }
            }
        }
        text
    }
}

/// Cuts one literal at the ends of regions; answers the region that the next segment stands in. The `/` belongs to the path, `?` and
/// `#` to nothing.
fn cut<'s>(
    text: &'s str,
    position: usize,
    start: Region,
    parts: &mut Vec<(Region, Part<'s>)>,
) -> Region {
    let mut region = start;
    let mut from = 0;
    while let Some((at, next, resume)) = region_end(&text[from..], region) {
        if at > 0 {
            parts.push((
                region,
                Part::Literal(&text[from..from + at], position + from),
            ));
        }
        from += resume;
        region = next;
    }
    if from < text.len() {
        parts.push((region, Part::Literal(&text[from..], position + from)));
    }
    region
}

/// Where a region ends in a text, which follows, and where that begins.
fn region_end(text: &str, region: Region) -> Option<(usize, Region, usize)> {
    if region == Region::Scheme {
        let after_scheme = text
            .find("://")
            .filter(|at| !text[..*at].contains(['/', '?', '#']));
        if let Some(at) = after_scheme {
            return Some((at + 3, Region::Host, at + 3));
        }
    }
    let ends: &[char] = match region {
        Region::Scheme | Region::Host => &['/', '?', '#'],
        Region::Path => &['?', '#'],
        Region::Query => &['#'],
        Region::Fragment => return None,
    };
    let at = text.find(ends)?;
    Some(match text.as_bytes()[at] {
        b'/' => (at, Region::Path, at),
        b'?' => (at, Region::Query, at + 1),
        _ => (at, Region::Fragment, at + 1),
    })
}
