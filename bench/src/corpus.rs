//! Log text and secrets that are the same in every run: made by a small generator from a fixed seed.

/// A small generator (xorshift), for text and not for keys.
struct Numbers(u64);

impl Numbers {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "what is left is below a usize"
    )]
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

/// A part of a log line.
const WORDS: [&str; 28] = [
    "GET",
    "POST",
    "/v1/jobs?name=a%20b&limit=20",
    "status=200",
    "status=404",
    "\"msg\":\"done\\n\"",
    "level=info",
    "level=warn",
    "user=alice",
    "retry",
    "https://api.example.com/v1/items",
    "duration_ms=12.5",
    "connection reset by peer",
    "7f3a9c1e-55aa-4c1d-9d0c-1d2e3f4a5b6c",
    "worker-3",
    "{\"id\":42,\"ok\":true}",
    "checkpoint complete",
    "host=db-1.internal",
    "Authorization: Bearer ***",
    "sha256:9f86d081884c7d659a2feaa0c55ad015",
    "cache miss",
    "queue depth 17",
    "src/worker/run.rs:118",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    "\u{2713} ok",
    "naïve café",
    "SELECT id FROM items WHERE id = $1",
    "--------",
];

/// So many bytes of log lines.
pub fn log_text(bytes: usize) -> Vec<u8> {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let mut text = Vec::with_capacity(bytes + 512);
    let mut line = 0;
    while text.len() < bytes {
        let (minute, second, millis) = (line / 6_000 % 60, line / 100 % 60, numbers.below(1_000));
        text.extend_from_slice(
            format!("2026-03-15T10:{minute:02}:{second:02}.{millis:03}Z").as_bytes(),
        );
        for _ in 0..4 + numbers.below(8) {
            text.push(b' ');
            text.extend_from_slice(WORDS[numbers.below(WORDS.len())].as_bytes());
            if numbers.below(4) == 0 {
                text.extend_from_slice(format!("={}", numbers.below(1 << 30)).as_bytes());
            }
        }
        text.push(b'\n');
        line += 1;
    }
    text.truncate(bytes);
    text
}

/// So many secrets of 20 to 60 bytes, in the characters that keys have.
pub fn secrets(count: usize) -> Vec<Vec<u8>> {
    const CHARACTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
    let mut numbers = Numbers(99);
    let mut one = |_| {
        let length = 20 + numbers.below(41);
        (0..length)
            .map(|_| CHARACTERS[numbers.below(CHARACTERS.len())])
            .collect()
    };
    (0..count).map(&mut one).collect()
}

/// The text with one of the secrets at a changing place in each KiB; and how many.
pub fn with_matches(text: &[u8], secrets: &[Vec<u8>]) -> (Vec<u8>, usize) {
    let mut numbers = Numbers(7);
    let mut text = text.to_vec();
    let mut count = 0;
    for (piece, secret) in text.chunks_mut(1024).zip(secrets.iter().cycle()) {
        // A byte between one KiB's secret and the next one's: what touches becomes one placeholder.
        if piece.len() > secret.len() + 1 {
            let at = 1 + numbers.below(piece.len() - secret.len() - 1);
            piece[at - 1] = b' ';
            piece[at..at + secret.len()].copy_from_slice(secret);
            count += 1;
        }
    }
    (text, count)
}

#[cfg(test)]
mod tests;
