//! The check of one target against a policy: pure, before any decryption. What it refuses is told with the
//! host and what the policy would allow, never with a path or a value.

use std::net::Ipv4Addr;

use super::{EgressPolicy, Place, ipv6, path};

/// Headers that some take the host from, instead of `Host`.
const HOST_HEADERS: &[&str] = &[
    "X-Forwarded-Host",
    "X-Forwarded-Server",
    "X-Original-Host",
    "X-Host",
    "X-HTTP-Host-Override",
    "Forwarded",
];
/// Headers that some take the path from.
const PATH_HEADERS: &[&str] = &[
    "X-Original-URL",
    "X-Original-URI",
    "X-Rewrite-URL",
    "X-Forwarded-URI",
    "X-Forwarded-Path",
    "X-Forwarded-Prefix",
];
/// Headers that some take the method from.
const METHOD_HEADERS: &[&str] = &[
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
];

/// Where a request is about to go, with its non-secret parts rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// `https` or `http`, lower case.
    pub scheme: &'a str,
    /// Lower-case ASCII (punycode), no trailing dot; an IPv6 address with or without brackets.
    pub host: &'a str,
    /// The TCP port, the scheme's own one filled in.
    pub port: u16,
    /// The HTTP method, as it is sent.
    pub method: &'a str,
    /// The path as it is sent, from its first `/`; no query.
    pub path: &'a str,
    /// Where in the request the value stands.
    pub place: Place,
}

/// Why a policy does not allow a target. Not retried; its message holds no value and no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The scheme is not one that is allowed.
    #[error("the egress policy does not allow the scheme `{scheme}` to {host}; allowed: {allowed}")]
    Scheme {
        /// The target's scheme.
        scheme: String,
        /// The target's host.
        host: String,
        /// What the policy allows.
        allowed: String,
    },
    /// Plain `http` to a host that is not loopback, and the policy does not name `http`.
    #[error(
        "plain http to {host} is not allowed; use https, or name `http` in the policy's `schemes`"
    )]
    PlainHttp {
        /// The target's host.
        host: String,
    },
    /// The host is not one that is allowed.
    #[error("the egress policy does not allow the host {host}; allowed: {allowed}")]
    Host {
        /// The target's host.
        host: String,
        /// What the policy allows.
        allowed: String,
    },
    /// The port is not one that is allowed.
    #[error("the egress policy does not allow port {port} of {host}; allowed: {allowed}")]
    Port {
        /// The target's host.
        host: String,
        /// The target's port.
        port: u16,
        /// What the policy allows.
        allowed: String,
    },
    /// The method is not one that is allowed.
    #[error("the egress policy does not allow the method `{method}` at {host}; allowed: {allowed}")]
    Method {
        /// The target's host.
        host: String,
        /// The target's method.
        method: String,
        /// What the policy allows.
        allowed: String,
    },
    /// The path begins with none of the allowed prefixes.
    #[error("the egress policy does not allow this path at {host}; allowed beginnings: {allowed}")]
    Path {
        /// The target's host.
        host: String,
        /// What the policy allows.
        allowed: String,
    },
    /// The path has a dot-segment, plain or percent-encoded, by which it could leave its prefix.
    #[error(
        "the path at {host} has a `.` or `..` segment, plain or percent-encoded, and the egress policy restricts paths; write the path without it"
    )]
    DotSegment {
        /// The target's host.
        host: String,
    },
    /// The value stands in a place that is not allowed.
    #[error("the egress policy does not allow the value in the request's {place} to {host}; allowed: {allowed}", place = place.as_str())]
    Place {
        /// The target's host.
        host: String,
        /// Where the value stands.
        place: Place,
        /// What the policy allows.
        allowed: String,
    },
    /// A header by which the target, or a proxy in front of it, may take the request for another than the one that was checked.
    #[error(
        "the egress policy restricts where the value goes, and the header {header} may make {host} take the request for another; leave it out"
    )]
    Header {
        /// The target's host.
        host: String,
        /// The header, as the list of such headers writes it.
        header: &'static str,
    },
    /// The policy is for commands only.
    #[error(
        "the egress policy allows commands on named agents only, and this is a request to {host}; name the host in `hosts`"
    )]
    CommandsOnly {
        /// The target's host.
        host: String,
    },
    /// The policy is for requests only.
    #[error(
        "the egress policy binds the secret to requests, and a command could send it anywhere; name the agent in `agents`"
    )]
    RequestsOnly,
    /// The agent has none of the labels.
    #[error("the egress policy does not allow this agent; allowed labels: {allowed}")]
    Agent {
        /// What the policy allows.
        allowed: String,
    },
}

impl Refusal {
    /// The code that executions show, whatever the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "egress_refused"
    }
}

impl EgressPolicy {
    /// Whether a value may be sent to `target`. For a redirect, check again with the new target.
    ///
    /// # Errors
    /// The first [`Refusal`], in the order scheme, host, port, method, path, place.
    pub fn check(&self, target: &Target<'_>) -> Result<(), Refusal> {
        if self.restricts_requests() || self.agents.is_empty() {
            self.check_scheme(target)?;
            self.check_host(target)?;
            self.check_port(target)?;
            self.check_method(target)?;
            self.check_path(target)?;
            self.check_place(target)
        } else {
            Err(Refusal::CommandsOnly {
                host: target.host.to_owned(),
            })
        }
    }

    /// Whether a request to `host` with headers of these names is the one that was checked: some servers, and proxies in front of
    /// them, take host, path or method from headers such as `X-Forwarded-Host`.
    ///
    /// # Errors
    /// [`Refusal::Header`] for a header that rewrites what this policy restricts.
    pub fn check_headers<'n>(
        &self,
        host: &str,
        mut names: impl Iterator<Item = &'n str>,
    ) -> Result<(), Refusal> {
        let rewrites = |name: &str| {
            let known = |list: &[&'static str]| {
                list.iter()
                    .copied()
                    .find(|header| header.eq_ignore_ascii_case(name))
            };
            let of = |restricted: bool, list| restricted.then(|| known(list)).flatten();
            of(!self.hosts.is_empty(), HOST_HEADERS)
                .or_else(|| of(!self.path_prefixes.is_empty(), PATH_HEADERS))
                .or_else(|| of(!self.methods.is_empty(), METHOD_HEADERS))
        };
        match names.find_map(rewrites) {
            None => Ok(()),
            Some(header) => Err(Refusal::Header {
                host: host.to_owned(),
                header,
            }),
        }
    }

    /// Whether a value may be given to a command on an agent with these labels. A policy that restricts
    /// requests and names no agents allows none: a command could send the value anywhere.
    ///
    /// # Errors
    /// [`Refusal::RequestsOnly`] or [`Refusal::Agent`].
    pub fn check_command(&self, labels: &[&str]) -> Result<(), Refusal> {
        if self.agents.is_empty() {
            return if self.restricts_requests() {
                Err(Refusal::RequestsOnly)
            } else {
                Ok(())
            };
        }
        let named = self
            .agents
            .iter()
            .any(|agent| labels.contains(&agent.as_str()));
        if named {
            Ok(())
        } else {
            Err(Refusal::Agent {
                allowed: listed(&self.agents),
            })
        }
    }

    fn restricts_requests(&self) -> bool {
        !(self.schemes.is_empty()
            && self.hosts.is_empty()
            && self.ports.is_empty()
            && self.methods.is_empty()
            && self.path_prefixes.is_empty()
            && self.places.is_empty())
    }

    fn check_scheme(&self, target: &Target<'_>) -> Result<(), Refusal> {
        let host = || target.host.to_owned();
        let refused = |allowed: String| {
            let scheme = target.scheme.to_owned();
            Err(Refusal::Scheme {
                scheme,
                host: host(),
                allowed,
            })
        };
        match target.scheme {
            "http" | "https" if named(&self.schemes, target.scheme) => Ok(()),
            "https" if self.schemes.is_empty() => Ok(()),
            "http" if self.schemes.is_empty() && is_loopback(target.host) => Ok(()),
            "http" if self.schemes.is_empty() => Err(Refusal::PlainHttp { host: host() }),
            _ if self.schemes.is_empty() => refused("https".to_owned()),
            _ => refused(listed(&self.schemes)),
        }
    }

    fn check_host(&self, target: &Target<'_>) -> Result<(), Refusal> {
        let allowed = self.hosts.is_empty()
            || self
                .hosts
                .iter()
                .any(|rule| host_matches(rule, target.host));
        if allowed {
            return Ok(());
        }
        Err(Refusal::Host {
            host: target.host.to_owned(),
            allowed: listed(&self.hosts),
        })
    }

    fn check_port(&self, target: &Target<'_>) -> Result<(), Refusal> {
        if self.ports.is_empty() || self.ports.contains(&target.port) {
            return Ok(());
        }
        let allowed = listed(&self.ports);
        Err(Refusal::Port {
            host: target.host.to_owned(),
            port: target.port,
            allowed,
        })
    }

    /// Methods are case-sensitive on the wire (RFC 9110): a policy's `post` means `POST`, a request's does not.
    fn check_method(&self, target: &Target<'_>) -> Result<(), Refusal> {
        let upper = !target.method.bytes().any(|byte| byte.is_ascii_lowercase());
        if self.methods.is_empty() || upper && named(&self.methods, target.method) {
            return Ok(());
        }
        let method = target.method.to_owned();
        Err(Refusal::Method {
            host: target.host.to_owned(),
            method,
            allowed: listed(&self.methods),
        })
    }

    fn check_path(&self, target: &Target<'_>) -> Result<(), Refusal> {
        if self.path_prefixes.is_empty() {
            return Ok(());
        }
        let host = target.host.to_owned();
        if path::has_dot_segment(target.path) {
            return Err(Refusal::DotSegment { host });
        }
        if self
            .path_prefixes
            .iter()
            .any(|prefix| path::is_below(target.path, prefix))
        {
            return Ok(());
        }
        Err(Refusal::Path {
            host,
            allowed: listed(&self.path_prefixes),
        })
    }

    fn check_place(&self, target: &Target<'_>) -> Result<(), Refusal> {
        if self.places.is_empty() || self.places.contains(&target.place) {
            return Ok(());
        }
        let names: Vec<_> = self.places.iter().map(|place| place.as_str()).collect();
        let allowed = listed(&names);
        Err(Refusal::Place {
            host: target.host.to_owned(),
            place: target.place,
            allowed,
        })
    }
}

fn named(list: &[String], word: &str) -> bool {
    list.iter().any(|item| item.eq_ignore_ascii_case(word))
}

/// `*.example.com` matches one or more labels in front of `.example.com`, and not `example.com` itself.
fn host_matches(rule: &str, host: &str) -> bool {
    let Some(suffix) = rule.strip_prefix('*') else {
        return same_host(rule, host);
    };
    let Some(split) = host.len().checked_sub(suffix.len()) else {
        return false;
    };
    let front = host.get(..split).unwrap_or_default();
    let front_is_labels = front.split('.').all(|label| !label.is_empty());
    let end_is_suffix = host
        .get(split..)
        .is_some_and(|end| end.eq_ignore_ascii_case(suffix));
    suffix.starts_with('.') && front_is_labels && end_is_suffix
}

fn same_host(rule: &str, host: &str) -> bool {
    rule.eq_ignore_ascii_case(host) || ipv6(rule).is_some_and(|address| ipv6(host) == Some(address))
}

/// `localhost` and the loopback addresses. Names below `.localhost` are left out: not every resolver keeps
/// them on this machine.
fn is_loopback(host: &str) -> bool {
    let four = |host: &str| {
        host.parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
    };
    host == "localhost" || four(host) || ipv6(host).is_some_and(|address| address.is_loopback())
}

fn listed<T: ToString>(items: &[T]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
