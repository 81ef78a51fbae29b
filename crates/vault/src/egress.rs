//! The egress policy: where a secret may be sent. Its shape and its hash are here, the check of a target in
//! `check`, what may be saved in `validate`. Addresses are not known here: the connector checks those.

use std::{borrow::Cow, net::Ipv6Addr, sync::LazyLock};

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::canonical::Canonical;

mod check;
mod path;
mod validate;

pub use check::{Refusal, Target};
pub use validate::PolicyProblem;

/// Where a secret may be sent (the security contract, "Egress"). All given lists must agree; an empty list
/// allows any, except that plain `http` must be named (loopback aside). A policy that names agents only
/// allows no request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EgressPolicy {
    /// `https`, `http`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schemes: Vec<String>,
    /// Exact hosts (`api.example.com`, `10.0.0.7`), or `*.example.com` for all hosts below it, itself not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// TCP ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<u16>,
    /// HTTP methods.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// Beginnings of the path, on segment borders: `/v1` allows `/v1` and `/v1/x`, not `/v1x`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path_prefixes: Vec<String>,
    /// Places in the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Place>,
    /// For commands: labels of agents, one of which the performing agent must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
}

/// Where in a request a value stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The path of the URL.
    Url,
    /// The query of the URL.
    Query,
    /// A header's value, or the signature of `sign_with` in one.
    Header,
    /// The body.
    Body,
    /// The `auth` of a request: user and password, a bearer token, an AWS key, or a client's credentials on their way to the host
    /// that grants its tokens.
    Auth,
}

impl Place {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Place::Url => "url",
            Place::Query => "query",
            Place::Header => "header",
            Place::Body => "body",
            Place::Auth => "auth",
        }
    }
}

/// The hash of "no policy: may be sent anywhere".
static ANYWHERE: LazyLock<[u8; 32]> =
    LazyLock::new(|| sha256(Canonical::new("padclock/1 egress anywhere").as_bytes()));

impl EgressPolicy {
    /// SHA-256 of the policy's canonical bytes, which each seal is bound to. Order, repetition and the case
    /// of schemes, hosts and methods don't count. `None`, anywhere, has a hash of its own.
    #[must_use]
    pub fn hash(policy: Option<&EgressPolicy>) -> [u8; 32] {
        match policy {
            None => *ANYWHERE,
            Some(policy) => sha256(policy.canonical().as_bytes()),
        }
    }

    fn canonical(&self) -> Canonical {
        let ports: Vec<_> = self.ports.iter().map(|port| port.to_be_bytes()).collect();
        let mut list = Canonical::new("padclock/1 egress policy");
        set(&mut list, self.schemes.iter().map(|text| lower(text)));
        set(
            &mut list,
            self.hosts.iter().map(|text| canonical_host(text)),
        );
        set(&mut list, ports.iter().map(|port| Cow::Borrowed(&port[..])));
        set(&mut list, self.methods.iter().map(|text| upper(text)));
        set(
            &mut list,
            self.path_prefixes
                .iter()
                .map(|text| Cow::Borrowed(text.as_bytes())),
        );
        set(
            &mut list,
            self.places
                .iter()
                .map(|place| Cow::Borrowed(place.as_str().as_bytes())),
        );
        set(
            &mut list,
            self.agents
                .iter()
                .map(|text| Cow::Borrowed(text.as_bytes())),
        );
        list
    }
}

/// Appends a set: sorted, each once.
fn set<'a>(list: &mut Canonical, items: impl Iterator<Item = Cow<'a, [u8]>>) {
    let mut items: Vec<_> = items.collect();
    items.sort_unstable();
    items.dedup();
    list.list(items.iter().map(AsRef::as_ref));
}

fn lower(text: &str) -> Cow<'_, [u8]> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into_bytes().into()
    } else {
        text.as_bytes().into()
    }
}

fn upper(text: &str) -> Cow<'_, [u8]> {
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        text.to_ascii_uppercase().into_bytes().into()
    } else {
        text.as_bytes().into()
    }
}

/// One form for each host: lower case, and an IPv6 address in its shortest form without brackets.
fn canonical_host(text: &str) -> Cow<'_, [u8]> {
    match ipv6(text) {
        Some(address) => address.to_string().into_bytes().into(),
        None => lower(text),
    }
}

/// An IPv6 address, with or without the brackets it has in a URL.
fn ipv6(host: &str) -> Option<Ipv6Addr> {
    let inner = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(host).parse().ok()
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

#[cfg(test)]
mod tests;
