//! Opaque references, `$secret:<payload>.<tag>`: a name for a secret that only this store's keys can make,
//! that only its own execution can use, and for a short time. No table is behind them, and no value inside.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::DerivedKey;

/// What a reference begins with.
pub const PREFIX: &str = "$secret:";
/// The length of every reference in bytes, whatever it names.
pub const LEN: usize = PREFIX.len() + PAYLOAD_TEXT + 1 + TAG_TEXT;
/// How long a reference is valid unless set otherwise, in seconds (the references contract).
pub const DEFAULT_SECONDS: u32 = 300;
/// The shortest and the longest time a reference may be set to be valid, in seconds.
pub const SECONDS: std::ops::RangeInclusive<u32> = 30..=3600;

const KEY_ID: usize = 4;
const ID: usize = 16;
/// Key id, workspace, secret, scope, owner, execution, expiry.
const PAYLOAD: usize = KEY_ID + ID + ID + 1 + ID + ID + 8;
const TAG: usize = 32;
const PAYLOAD_TEXT: usize = base64_len(PAYLOAD);
const TAG_TEXT: usize = base64_len(TAG);

const DOMAIN: &[u8] = b"padclock/1 reference";
const SCOPE_WORKSPACE: u8 = 0;
const SCOPE_USER: u8 = 1;

/// What a reference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The workspace it was made in.
    pub workspace: [u8; 16],
    /// The secret it names.
    pub secret: [u8; 16],
    /// The secret's scope.
    pub scope: Scope,
    /// The execution that made it, the only one that may use it.
    pub execution: [u8; 16],
    /// Seconds since the Unix epoch from which on it is no longer valid.
    pub expires_at: i64,
}

/// Whose a secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The workspace's.
    Workspace,
    /// One member's own.
    User {
        /// The member's id.
        owner: [u8; 16],
    },
}

/// Why a reference can't be used. It never says which part was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Made here, for this execution, and its time has passed.
    #[error(
        "the secret reference has expired; get it again with `secrets.get` just before its use"
    )]
    Expired,
    /// Forged, damaged, or made by another execution or in another workspace.
    #[error(
        "the secret reference is not valid in this execution; get it with `secrets.get` in the execution that uses it"
    )]
    Invalid,
}

impl ReferenceError {
    /// The code that automations and the API show.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReferenceError::Expired => "reference_expired",
            ReferenceError::Invalid => "reference_invalid",
        }
    }
}

/// Makes and checks references.
#[derive(Clone, Copy, Debug)]
pub struct ReferenceKey<'k> {
    key: &'k DerivedKey,
    id: [u8; KEY_ID],
}

impl<'k> ReferenceKey<'k> {
    /// From the key derived under [`crate::Label::Reference`].
    #[must_use]
    pub fn new(key: &'k DerivedKey) -> Self {
        let hash = key.mac(&[b"padclock/1 reference key id"]);
        let [a, b, c, d, ..] = hash;
        Self {
            key,
            id: [a, b, c, d],
        }
    }

    /// The reference that says `claims`. Always [`LEN`] bytes of `[$:._A-Za-z0-9-]`.
    #[must_use]
    pub fn make(&self, claims: &Claims) -> String {
        let payload = self.payload(claims);
        let tag = self.key.mac(&[DOMAIN, &payload]);
        let mut text = String::with_capacity(LEN);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(payload, &mut text);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(tag, &mut text);
        text
    }

    /// Reads a reference, at `now_unix` seconds since the epoch, in `execution` of `workspace`. The tag is
    /// compared in constant time, and nothing of the payload is looked at before it is found right.
    ///
    /// # Errors
    /// [`ReferenceError::Invalid`], or [`ReferenceError::Expired`] when all else is right.
    pub fn check(
        &self,
        text: &str,
        now_unix: i64,
        workspace: &[u8; 16],
        execution: &[u8; 16],
    ) -> Result<Claims, ReferenceError> {
        let (payload, tag) = decode(text).ok_or(ReferenceError::Invalid)?;
        if !self.key.verify(&[DOMAIN, &payload], &tag) {
            return Err(ReferenceError::Invalid);
        }
        let claims = self.claims(&payload).ok_or(ReferenceError::Invalid)?;
        if claims.workspace != *workspace || claims.execution != *execution {
            return Err(ReferenceError::Invalid);
        }
        if now_unix >= claims.expires_at {
            Err(ReferenceError::Expired)
        } else {
            Ok(claims)
        }
    }

    fn payload(&self, claims: &Claims) -> [u8; PAYLOAD] {
        let (scope, owner) = match claims.scope {
            Scope::Workspace => (SCOPE_WORKSPACE, [0; ID]),
            Scope::User { owner } => (SCOPE_USER, owner),
        };
        let mut payload = [0; PAYLOAD];
        let mut rest = &mut payload[..];
        let expires_at = claims.expires_at.to_be_bytes();
        let fields: [&[u8]; 7] = [
            &self.id,
            &claims.workspace,
            &claims.secret,
            &[scope],
            &owner,
            &claims.execution,
            &expires_at,
        ];
        for field in fields {
            let (here, after) = rest.split_at_mut(field.len());
            here.copy_from_slice(field);
            rest = after;
        }
        payload
    }

    fn claims(&self, payload: &[u8; PAYLOAD]) -> Option<Claims> {
        let (key_id, rest) = payload.split_first_chunk::<KEY_ID>()?;
        let (workspace, rest) = rest.split_first_chunk::<ID>()?;
        let (secret, rest) = rest.split_first_chunk::<ID>()?;
        let (scope, rest) = rest.split_first()?;
        let (owner, rest) = rest.split_first_chunk::<ID>()?;
        let (execution, rest) = rest.split_first_chunk::<ID>()?;
        let scope = match *scope {
            SCOPE_WORKSPACE => Scope::Workspace,
            SCOPE_USER => Scope::User { owner: *owner },
            _ => return None,
        };
        let expires_at = i64::from_be_bytes(*rest.first_chunk()?);
        let claims = Claims {
            workspace: *workspace,
            secret: *secret,
            scope,
            execution: *execution,
            expires_at,
        };
        (*key_id == self.id).then_some(claims)
    }
}

/// Whether `text` claims to be a reference, right or not: such a text is never a secret's value.
#[must_use]
pub fn claims_to_be(text: &[u8]) -> bool {
    text.trim_ascii().starts_with(PREFIX.as_bytes())
}

fn decode(text: &str) -> Option<([u8; PAYLOAD], [u8; TAG])> {
    let (payload, tag) = text.strip_prefix(PREFIX)?.split_once('.')?;
    Some((decode_part::<PAYLOAD>(payload)?, decode_part::<TAG>(tag)?))
}

/// Exactly `N` bytes from their one base64url text; other lengths, padding and loose last bits are refused.
fn decode_part<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != base64_len(N) {
        return None;
    }
    let mut bytes = [0; N];
    let written = URL_SAFE_NO_PAD
        .decode_slice_unchecked(text, &mut bytes)
        .ok()?;
    (written == N).then_some(bytes)
}

const fn base64_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

#[cfg(test)]
mod tests;
