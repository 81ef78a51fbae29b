//! The audit as it is listed, exported and copied; and signed heads, which tell where a chain stood at a time.

use std::fmt;
use std::str::FromStr;

use padclock_job::Moment;
use padclock_vault::{PublicKey, SigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{AuditId, SessionId, TokenId, UserId, WorkspaceId};

/// Who acted, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditActor {
    /// `member`, `stranger`, `node` or `system`.
    pub kind: String,
    /// The member.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user: Option<UserId>,
    /// The token that was shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<TokenId>,
    /// The session that was shown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<SessionId>,
    /// The node that acted for a job.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub node: Option<String>,
    /// The peer's address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub from: Option<String>,
}

impl AuditActor {
    /// Reads an actor as records hold it: `usr_… tok_… ADDRESS`, `stranger ADDRESS`, `node NAME`, `system`. Words that
    /// are none of these are shown as the kind, so that nothing is hidden.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut actor = Self {
            kind: text.to_owned(),
            user: None,
            token: None,
            session: None,
            node: None,
            from: None,
        };
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        let rest = rest.to_owned();
        if first == "node" {
            (actor.kind, actor.node) = ("node".to_owned(), Some(rest));
        } else if first == "stranger" {
            (actor.kind, actor.from) = ("stranger".to_owned(), Some(rest));
        } else if let Ok(user) = first.parse() {
            let (by, from) = rest.split_once(' ').unwrap_or((&rest, ""));
            (actor.kind, actor.user) = ("member".to_owned(), Some(user));
            (actor.token, actor.session) = (by.parse().ok(), by.parse().ok());
            actor.from = Some(from.to_owned()).filter(|from| !from.is_empty());
        }
        actor
    }
}

/// One record of the audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditRecord {
    /// Its id.
    pub id: AuditId,
    /// Its place in the workspace's chain, from 1.
    pub seq: i64,
    /// When it was written, by the database's clock.
    pub at: Moment,
    /// Who acted.
    pub actor: AuditActor,
    /// What was done: `secret.reveal`, `job.update` …
    pub action: String,
    /// What it was done to: an id, as a rule.
    pub target: String,
    /// What else is known: names, versions, the secrets of an attempt. Never a value.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
    /// How it ended, where that is not plain from the action.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<String>,
}

/// The id of the record at `seq` of a workspace's chain, written at `at`.
#[must_use]
pub fn record_id(workspace: WorkspaceId, seq: i64, at: Moment) -> AuditId {
    let mut rest = [0; 10];
    rest[..2].copy_from_slice(&workspace.bytes()[14..]);
    rest[2..].copy_from_slice(&seq.to_be_bytes());
    AuditId::new(at.millis(), rest)
}

/// The place in its chain that an id of [`record_id`]'s names.
#[must_use]
pub fn record_seq(id: AuditId) -> i64 {
    let mut seq = [0; 8];
    seq.copy_from_slice(&id.bytes()[8..]);
    i64::from_be_bytes(seq)
}

/// Bytes that are written as hex digits.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Hex(pub Vec<u8>);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not pairs of hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected pairs of hex digits")]
pub struct BadHex;

impl FromStr for Hex {
    type Err = BadHex;

    fn from_str(text: &str) -> Result<Self, BadHex> {
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(BadHex);
        if !text.len().is_multiple_of(2) {
            return Err(BadHex);
        }
        let pair = |pair: &[u8]| {
            let byte = digit(pair[0])? * 16 + digit(pair[1])?;
            u8::try_from(byte).map_err(|_| BadHex)
        };
        text.as_bytes()
            .chunks_exact(2)
            .map(pair)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A record with its tag, exactly as it stands in the chain: a line of an export and of a live copy, from which the chain
/// can be verified again.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditLine {
    /// The chain's workspace.
    pub workspace: WorkspaceId,
    /// Its place, from 1.
    pub seq: i64,
    /// When it was written.
    pub at: Moment,
    /// Who acted, as one text.
    pub actor: String,
    /// What was done.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// The detail, byte for byte.
    pub detail: Box<RawValue>,
    /// HMAC-SHA-256 under the audit key over the previous record's tag and this record.
    pub tag: Hex,
}

/// Where a chain stood at a time, signed: a line of `audit.heads`, and the last lines of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedHead {
    /// The chain's workspace.
    pub workspace: WorkspaceId,
    /// How many records it had.
    pub seq: i64,
    /// When that was.
    pub at: Moment,
    /// The last record's tag.
    pub tag: Hex,
    /// Ed25519 (RFC 8032) over all of the above.
    pub signature: Hex,
}

impl SignedHead {
    /// Signs where a chain stands.
    #[must_use]
    pub fn sign(
        key: &SigningKey,
        workspace: WorkspaceId,
        seq: i64,
        at: Moment,
        tag: Vec<u8>,
    ) -> Self {
        let mut head = Self {
            workspace,
            seq,
            at,
            tag: Hex(tag),
            signature: Hex::default(),
        };
        head.signature = Hex(key.sign(&head.message()).to_vec());
        head
    }

    /// Whether the signature is the key's for this head.
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verify(&self.message(), &self.signature.0)
    }

    /// What is signed: each part with its length in front, as a big-endian `u64`.
    fn message(&self) -> Vec<u8> {
        let parts: [&[u8]; 5] = [
            b"padclock/1 audit head",
            self.workspace.bytes(),
            &self.seq.to_be_bytes(),
            &self.at.millis().to_be_bytes(),
            &self.tag.0,
        ];
        let mut message = Vec::with_capacity(160);
        for part in parts {
            message.extend((part.len() as u64).to_be_bytes());
            message.extend(part);
        }
        message
    }
}

#[cfg(test)]
mod tests;
