//! The string leaves of a secret that is itself a JSON document. A strict reader of its own, because the leaves must be
//! wiped and nothing else of the document is wanted; a secret that is not wholly JSON has no leaves.

use zeroize::Zeroizing;

/// Deeper documents count as not JSON, so that reading one can't exhaust the stack.
const DEEPEST: usize = 128;

/// The decoded string values (never the keys) of an object, an array or a string; nothing when the text is not JSON.
pub(crate) fn string_leaves(text: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    if !matches!(text.trim_ascii_start().first(), Some(b'{' | b'[' | b'"')) {
        return Vec::new();
    }
    let mut reader = Reader {
        text,
        at: 0,
        leaves: Vec::new(),
    };
    let whole = reader.value(0).is_some() && {
        reader.blank();
        reader.at == text.len()
    };
    if whole { reader.leaves } else { Vec::new() }
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
    leaves: Vec<Zeroizing<Vec<u8>>>,
}

impl Reader<'_> {
    fn blank(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.blank();
        match *self.text.get(self.at)? {
            b'{' if depth < DEEPEST => self.members(depth, true),
            b'[' if depth < DEEPEST => self.members(depth, false),
            b'"' => {
                let leaf = self.string()?;
                self.leaves.push(leaf);
                Some(())
            }
            _ => self.scalar(),
        }
    }

    /// The inside of an object or array, from its opening bracket on.
    fn members(&mut self, depth: usize, keyed: bool) -> Option<()> {
        let close = if keyed { b'}' } else { b']' };
        self.at += 1;
        self.blank();
        if self.text.get(self.at) == Some(&close) {
            self.at += 1;
            return Some(());
        }
        loop {
            if keyed {
                self.key()?;
            }
            self.value(depth + 1)?;
            self.blank();
            match self.take()? {
                b',' => {}
                byte if byte == close => return Some(()),
                _ => return None,
            }
        }
    }

    fn key(&mut self) -> Option<()> {
        self.blank();
        self.string()?;
        self.blank();
        (self.take()? == b':').then_some(())
    }

    /// A number or a word; only its extent matters, not that the number is well formed.
    fn scalar(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let end = rest
            .iter()
            .position(|byte| !inside(byte))
            .unwrap_or(rest.len());
        let word = &rest[..end];
        let number = word
            .first()
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-');
        self.at += end;
        (number || matches!(word, b"true" | b"false" | b"null")).then_some(())
    }

    fn string(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        if self.take()? != b'"' {
            return None;
        }
        // Never longer than it is written, so it is never moved and leaves no copy; and no more is taken than that, for there
        // may be many.
        let room = self.written_len()?;
        let mut out = Zeroizing::new(Vec::with_capacity(room));
        loop {
            match self.take()? {
                b'"' => return Some(out),
                b'\\' => self.escape(&mut out)?,
                byte if byte < 0x20 => return None,
                byte => out.push(byte),
            }
        }
    }

    /// How many bytes the string takes as it is written, up to its closing quote.
    fn written_len(&self) -> Option<usize> {
        let rest = &self.text[self.at..];
        let mut len = 0;
        loop {
            len += memchr::memchr2(b'"', b'\\', rest.get(len..)?)?;
            if rest[len] == b'"' {
                return Some(len);
            }
            len += 2;
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let plain = match self.take()? {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode(out),
            _ => return None,
        };
        out.push(plain);
        Some(())
    }

    fn unicode(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let mut code = self.four_digits()?;
        if (0xd800..0xdc00).contains(&code) {
            let low = self.text[self.at..].starts_with(b"\\u").then(|| {
                self.at += 2;
                self.four_digits()
            })??;
            code = 0x10000 + ((code - 0xd800) << 10) + low.checked_sub(0xdc00)?;
        }
        let mut utf8 = [0; 4];
        out.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut utf8).as_bytes());
        Some(())
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.iter().try_fold(0, |code, digit| {
            Some(code * 16 + char::from(*digit).to_digit(16)?)
        })
    }
}

#[cfg(test)]
mod tests;
