//! Compiled text: bytes that are always the same, and expressions to fill in with the encoding of their place.
//! What the pieces make up, and which encoding belongs where, is decided in `compile`.

use std::fmt;

use crate::buffer::Buffer;
use crate::expression::Expression;

/// How a value is written at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Byte for byte: text bodies; header values and credentials, which are checked as a whole afterwards.
    Raw,
    /// Percent-encoded: path, query, form.
    Percent,
    /// Inside a JSON string literal.
    JsonString,
    /// In place of a JSON value: it must itself be a JSON scalar.
    JsonScalar,
}

pub(crate) enum Piece {
    Static(Vec<u8>),
    Dynamic {
        expression: Expression,
        encoding: Encoding,
    },
}

/// A compiled text.
#[derive(Default)]
pub(crate) struct Text {
    pieces: Vec<Piece>,
    static_len: usize,
    dynamics: usize,
}

/// Shows sizes only: literal text may hold a credential that someone wrote out.
impl fmt::Debug for Text {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (literal, filled) = (self.static_len, self.dynamics);
        write!(out, "Text({literal} literal bytes, {filled} to fill in)")
    }
}

impl Text {
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The length of all that is always the same.
    pub fn static_len(&self) -> usize {
        self.static_len
    }

    /// How much room its rendering will likely need.
    pub fn likely_len(&self) -> usize {
        self.static_len + self.dynamics * 64
    }

    pub fn is_static(&self) -> bool {
        self.dynamics == 0
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// What is filled in.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Dynamic { expression, .. } => Some(expression),
            Piece::Static(_) => None,
        })
    }

    /// The name of the first secret in it.
    pub fn first_secret(&self) -> Option<&str> {
        let mut secrets = self.expressions().flat_map(Expression::secrets);
        secrets.next().map(|secret| secret.name.as_str())
    }

    pub fn has_static_byte(&self, byte: u8) -> bool {
        self.pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Static(bytes) if bytes.contains(&byte)))
    }

    pub fn begins_with(&self, byte: u8) -> bool {
        matches!(self.pieces.first(), Some(Piece::Static(bytes)) if bytes.first() == Some(&byte))
    }

    /// Appends another text.
    pub fn append(&mut self, other: Text) {
        for piece in other.pieces {
            match piece {
                Piece::Static(bytes) => self.push_static(&bytes),
                Piece::Dynamic {
                    expression,
                    encoding,
                } => self.push_dynamic(expression, encoding),
            }
        }
    }

    pub fn push_static(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.static_len += bytes.len();
        match self.pieces.last_mut() {
            Some(Piece::Static(last)) => last.extend_from_slice(bytes),
            _ => self.pieces.push(Piece::Static(bytes.to_vec())),
        }
    }

    /// Appends literal text through one of the encoders of `escape`.
    pub fn push_encoded(&mut self, text: &[u8], encode: fn(&[u8], &mut Buffer)) {
        let mut encoded = Buffer::with_capacity(text.len());
        encode(text, &mut encoded);
        self.push_static(encoded.as_slice());
    }

    pub fn push_dynamic(&mut self, expression: Expression, encoding: Encoding) {
        self.dynamics += 1;
        self.pieces.push(Piece::Dynamic {
            expression,
            encoding,
        });
    }
}
