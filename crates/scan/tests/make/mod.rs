//! Made-up credentials: templates are filled with random text from a seed, so that a failure can be seen again.

use base64::Engine as _;
use padclock_vault::{Randomness, token};

/// Fills templates.
pub struct Maker(u64);

impl Randomness for Maker {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill_with(|| self.next() as u8);
    }
}

impl Maker {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn draw(&mut self, from: &str, count: usize) -> String {
        let from = from.as_bytes();
        (0..count)
            .map(|_| char::from(from[(self.next() % from.len() as u64) as usize]))
            .collect()
    }

    fn piece(&mut self, piece: &str) -> Option<String> {
        const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        match piece {
            "0" => return Some(String::new()),
            "N" => return Some("\n".to_owned()),
            "PCK" => {
                let token = token::generate(self);
                #[expect(clippy::disallowed_methods, reason = "a made-up token, to be found")]
                return Some(String::from_utf8_lossy(token.expose()).into_owned());
            }
            "BASIC" => {
                let plain = format!("svc-{}:{}", self.draw("abcdef", 4), self.draw(ALNUM, 14));
                return Some(base64::engine::general_purpose::STANDARD.encode(plain));
            }
            _ => {}
        }
        let (kind, count) = piece.split_at_checked(1)?;
        let count: usize = count.parse().ok()?;
        let from = match kind {
            "A" => ALNUM,
            "H" => "0123456789abcdef",
            "U" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
            "X" => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "D" => "123456789",
            "L" => "abcdefghijklmnopqrstuvwxyz",
            "W" | "B" => {
                // Signs stand inside: a run does not begin or end with one.
                let signs = if kind == "W" { "-_" } else { "+/" };
                let inner = self.draw(&format!("{ALNUM}{signs}"), count.saturating_sub(2));
                return Some(format!(
                    "{}{inner}{}",
                    self.draw(ALNUM, 1),
                    self.draw(ALNUM, 1)
                ));
            }
            _ => return None,
        };
        Some(self.draw(from, count))
    }

    /// The template with random text in the place of `{A36}` and such; other braces stay.
    pub fn fill(&mut self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            text.push_str(&rest[..open]);
            rest = &rest[open..];
            let made = rest
                .find('}')
                .and_then(|close| Some((close, self.piece(&rest[1..close])?)));
            let Some((close, made)) = made else {
                text.push('{');
                rest = &rest[1..];
                continue;
            };
            text.push_str(&made);
            rest = &rest[close + 1..];
        }
        text.push_str(rest);
        text
    }
}
