//! What was found: where, by which rule, and what to call the secret. Never the text itself.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::rule::Rule;

/// A credential in plain text. It tells where it is, and holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's stable id.
    pub rule: &'static str,
    /// What kind of credential it is, for people.
    pub title: &'static str,
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// Its line, from 1.
    pub line: usize,
    /// Its first character in the line, from 1.
    pub column: usize,
    /// A name for the secret that takes its place: valid as a secret's name.
    pub suggested_name: String,
}

/// How sure a rule is: of two that overlap the surer one stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sure {
    /// A vendor's published shape.
    Shape,
    /// The form around it: a URL's user information, a header's scheme.
    Form,
    /// The name beside it.
    Name,
}

/// What a check says before overlaps are settled.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) rule: &'static Rule,
    pub(crate) span: Range<usize>,
    pub(crate) sure: Sure,
    /// A better name than the rule's.
    pub(crate) name: Option<String>,
}

impl Candidate {
    pub(crate) fn new(rule: &'static Rule, span: Range<usize>, sure: Sure) -> Self {
        Self {
            rule,
            span,
            sure,
            name: None,
        }
    }
}

/// Settles overlaps and tells lines and columns.
pub(crate) fn told(text: &str, mut candidates: Vec<Candidate>) -> Vec<Finding> {
    candidates.sort_by_key(|one| (one.sure, one.span.start, std::cmp::Reverse(one.span.end)));
    let mut kept: BTreeMap<usize, Candidate> = BTreeMap::new();
    for one in candidates {
        let whole = text.is_char_boundary(one.span.start) && text.is_char_boundary(one.span.end);
        let before = kept.range(..one.span.end).next_back();
        if whole && before.is_none_or(|(_, kept)| kept.span.end <= one.span.start) {
            kept.insert(one.span.start, one);
        }
    }
    let mut place = Place::default();
    kept.into_values()
        .map(|one| place.finding(text, one))
        .collect()
}

/// A place in the text that moves forward only.
#[derive(Default)]
struct Place {
    at: usize,
    line: usize,
    line_start: usize,
    column: usize,
    counted: usize,
}

impl Place {
    fn finding(&mut self, text: &str, one: Candidate) -> Finding {
        let start = one.span.start;
        for (offset, _) in text[self.at..start].match_indices('\n') {
            self.line += 1;
            self.line_start = self.at + offset + 1;
            (self.column, self.counted) = (0, self.line_start);
        }
        self.at = start;
        self.column += text[self.counted..start].chars().count();
        self.counted = start;
        Finding {
            rule: one.rule.id,
            title: one.rule.title,
            span: one.span,
            line: self.line + 1,
            column: self.column + 1,
            suggested_name: one.name.unwrap_or_else(|| one.rule.name.to_owned()),
        }
    }
}
