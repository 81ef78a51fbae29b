//! What is allowed in a job but probably not meant. Only what the definition itself shows; a
//! credential in plain text, or a secret without an egress policy, is found elsewhere.

use std::net::{Ipv4Addr, Ipv6Addr};

use padclock_template::{AuthSpec, RequestSpec};
use padclock_vault::Place;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::definition::Overlap;
use crate::timing::{Plan, Timing};
use crate::{Dst, Job};

/// Something to look at again; the job is saved all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Warning {
    /// The path of the field, such as `request.url`.
    pub field: String,
    /// A stable code, such as `plain_http`.
    pub code: String,
    /// What may go wrong and what to do instead.
    pub message: String,
}

impl Warning {
    fn new(field: &str, code: &str, message: &str) -> Self {
        Self {
            field: field.to_owned(),
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }
}

impl Job {
    /// What to look at again.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let spec = self.definition().request.as_ref();
        [
            spec.and_then(|spec| plain_http(self, spec)),
            spec.and_then(plain_http_to_endpoint),
            secret_in_query(self),
            spec.and_then(|spec| too_often(self, spec)),
            either_day(self.timing()),
            zone_without_effect(self),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn plain_http(job: &Job, spec: &RequestSpec) -> Option<Warning> {
    let rest = strip_scheme(&spec.url)?;
    if job.references().is_empty() || is_loopback(host(rest)) {
        return None;
    }
    let message = "sends a secret over plain http, readable on the way; use https";
    Some(Warning::new("request.url", "plain_http", message))
}

fn plain_http_to_endpoint(spec: &RequestSpec) -> Option<Warning> {
    let Some(AuthSpec::Oauth2ClientCredentials(credentials)) = &spec.auth else {
        return None;
    };
    if is_loopback(host(strip_scheme(&credentials.token_url)?)) {
        return None;
    }
    let field = "request.auth.oauth2_client_credentials.token_url";
    let message = "asks for a token over plain http, which shows the client's secret and the token on the way; use https";
    Some(Warning::new(field, "plain_http", message))
}

fn strip_scheme(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    scheme.trim().eq_ignore_ascii_case("http").then_some(rest)
}

/// The host of what follows `http://`.
fn host(rest: &str) -> &str {
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    if let Some(inner) = authority.strip_prefix('[') {
        return inner.split(']').next().unwrap_or(inner);
    }
    authority.split(':').next().unwrap_or(authority)
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
        || host
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback())
}

fn secret_in_query(job: &Job) -> Option<Warning> {
    let in_url = job
        .references()
        .iter()
        .any(|(_, place)| matches!(place, Place::Url | Place::Query));
    in_url.then(|| {
        let message = "puts a secret into the URL, which servers and proxies write to their logs; use a header if the target takes one";
        Warning::new("request.url", "secret_in_url", message)
    })
}

/// An interval so short that one slow answer makes the next occurrence find it open.
fn too_often(job: &Job, spec: &RequestSpec) -> Option<Warning> {
    let shortest = job.timing().plan.shortest_seconds()?;
    let skips = matches!(
        job.definition().overlap,
        Overlap::Skip | Overlap::CancelPrevious
    );
    if !skips || i64::from(spec.timeout_seconds) <= shortest {
        return None;
    }
    let message = "timeout_seconds is longer than the time between two occurrences: a slow answer makes the next ones be skipped or cuts it off; shorten it, or choose another overlap";
    Some(Warning::new(
        "request.timeout_seconds",
        "longer_than_interval",
        message,
    ))
}

fn either_day(timing: &Timing) -> Option<Warning> {
    let Plan::Cron { fields, .. } = &timing.plan else {
        return None;
    };
    if fields.any_day || fields.any_weekday {
        return None;
    }
    let message = "day of the month and weekday are both given: it fires when either matches; write * in one of them to use the other alone";
    Some(Warning::new("schedule.expression", "either_day", message))
}

fn zone_without_effect(job: &Job) -> Option<Warning> {
    let spec = &job.definition().schedule;
    if spec.dst != Some(Dst::Utc) || spec.timezone.is_none() || job.timing().zone.name() == "UTC" {
        return None;
    }
    let message = "with dst utc the expression is read in UTC; the time zone only shows the times";
    Some(Warning::new(
        "schedule.timezone",
        "zone_without_effect",
        message,
    ))
}

#[cfg(test)]
mod tests;
