//! Ids: 16 bytes inside, a prefix and 26 Crockford base32 characters outside; they sort by time in both forms.
//!
//! Nothing here reads a clock or makes randomness: both come in.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

/// What an id names, told by its prefix (`sec`, `cj`, `exec` …).
pub trait Kind: 'static {
    /// The text before the underscore.
    const PREFIX: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $marker:ident, $alias:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $marker {}
        impl Kind for $marker { const PREFIX: &'static str = $prefix; }
        $(#[$doc])*
        pub type $alias = Id<$marker>;
    )*};
}

kinds! {
    /// A secret.
    SecretKind, SecretId, "sec";
    /// A job.
    JobKind, JobId, "cj";
    /// An execution.
    ExecutionKind, ExecutionId, "exec";
    /// A workspace.
    WorkspaceKind, WorkspaceId, "ws";
    /// A user.
    UserKind, UserId, "usr";
    /// An API token (its record, never the token itself).
    TokenKind, TokenId, "tok";
    /// An audit record.
    AuditKind, AuditId, "aud";
    /// A browser's session.
    SessionKind, SessionId, "ses";
    /// A link that works once: an invitation, or the set-up of a password.
    LinkKind, LinkId, "lnk";
    /// A command line that waits to be given a token.
    PairingKind, PairingId, "pair";
    /// A change that a second admin has to approve.
    ApprovalKind, ApprovalId, "apr";
}

/// An id of kind `K`: 48 bits of milliseconds since the Unix epoch, then 80 bits that make it unique.
pub struct Id<K> {
    bytes: [u8; 16],
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// An id made at `millis` (since the Unix epoch) with 80 bits of randomness from the caller.
    #[must_use]
    pub fn new(millis: i64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        Self::from_bytes(bytes)
    }

    /// The id with these 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self {
            bytes,
            kind: PhantomData,
        }
    }

    /// The 16 bytes, as stored.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// The milliseconds since the Unix epoch in the id's first 48 bits.
    #[must_use]
    pub fn millis(&self) -> i64 {
        let mut wide = [0; 8];
        wide[2..].copy_from_slice(&self.bytes[..6]);
        i64::from_be_bytes(wide)
    }
}

impl ExecutionId {
    /// The one id that the occurrence `(job, generation, scheduled_for)` has, on whichever node it is made.
    ///
    /// The time part is `scheduled_for` in milliseconds; the rest is the job's own random part with the generation
    /// folded in. The primary key of an execution is therefore the uniqueness of its occurrence (scheduling contract).
    #[must_use]
    pub fn of_occurrence(job: JobId, generation: u32, scheduled_for_millis: i64) -> Self {
        let mut random = [0; 10];
        random.copy_from_slice(&job.bytes[6..]);
        for (byte, part) in random[6..].iter_mut().zip(generation.to_be_bytes()) {
            *byte ^= part;
        }
        Self::new(scheduled_for_millis, random)
    }

    /// The UUID that `{{random_uuid}}` stands for in this execution: the same at each use and in each retry.
    #[must_use]
    pub fn uuid(&self) -> String {
        // Version 8 (custom) of RFC 9562 over the id, spread so that neighbours do not look alike.
        let mixed = u128::from_be_bytes(self.bytes)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
            .rotate_left(61)
            .wrapping_mul(0xD6E8_FEB8_6659_FD93_A5CB_3B2F_1E2D_4C7B);
        let mut bytes = mixed.to_be_bytes();
        bytes[6] = bytes[6] & 0x0F | 0x80;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        let hex = |part: &[u8]| {
            part.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        format!(
            "{}-{}-{}-{}-{}",
            hex(&bytes[..4]),
            hex(&bytes[4..6]),
            hex(&bytes[6..8]),
            hex(&bytes[8..10]),
            hex(&bytes[10..])
        )
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = u128::from_be_bytes(self.bytes);
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = ALPHABET[(rest & 31) as usize];
            rest >>= 5;
        }
        f.write_str(K::PREFIX)?;
        f.write_str("_")?;
        f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
    }
}

/// The text is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {prefix}_ and 26 characters")]
pub struct BadId {
    prefix: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = BadId { prefix: K::PREFIX };
        let digits = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or(bad.clone())?;
        if digits.len() != DIGITS || digits.as_bytes()[0] > b'7' {
            return Err(bad);
        }
        let mut value = 0u128;
        for digit in digits.bytes() {
            let at = ALPHABET
                .iter()
                .position(|&known| known == digit)
                .ok_or(bad.clone())?;
            value = value << 5 | at as u128;
        }
        Ok(Self::from_bytes(value.to_be_bytes()))
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl<K: Kind> utoipa::PartialSchema for Id<K> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(format!(
                "^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$",
                K::PREFIX
            )))
            .build()
            .into()
    }
}

impl<K: Kind> utoipa::ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        let mut name = K::PREFIX.to_owned();
        name.push_str("_id");
        name.into()
    }
}

#[cfg(test)]
mod tests;
