//! Whole texts to whole plans, in tables, and what holds for any text.

mod cron_job_org;
mod crontab;
mod curl;
mod documents;
mod dotenv;
mod properties;
mod settle;

use std::collections::BTreeSet;

use padclock_job::Moment;

use crate::{Context, Format, Found, Options, Plan, read};

/// 15 March 2026, 10:00 UTC.
pub(crate) fn now() -> Moment {
    Moment::from_millis(1_773_568_800_000)
}

static NONE: BTreeSet<String> = BTreeSet::new();

pub(crate) fn options() -> Options<'static> {
    Options {
        now: now(),
        zone: None,
        environment: None,
        system: false,
        all: false,
        keep_state: false,
        taken: &NONE,
    }
}

/// Finds words that begin with `sk_live_`, as a scanner would.
pub(crate) fn find(_: Context<'_>, text: &str) -> Vec<Found> {
    let found = text.match_indices("sk_live_").map(|(start, _)| {
        let fits = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
        let length: usize = text[start..]
            .chars()
            .take_while(fits)
            .map(char::len_utf8)
            .sum();
        Found {
            span: start..start + length,
            suggested_name: Some("stripe-key".to_owned()),
        }
    });
    found.collect()
}

pub(crate) fn plan(text: &str, format: Format) -> Plan {
    read(text, format, &options(), &find).unwrap()
}

/// A plan in a few lines: what is made, and what is not.
pub(crate) fn told(plan: &Plan) -> String {
    let mut lines = Vec::new();
    for job in &plan.jobs {
        let definition = &job.definition;
        let request = definition.request.as_ref().unwrap();
        let when = definition.schedule.expression.clone().unwrap_or_default();
        lines.push(format!(
            "job {}: {when} {} {}",
            definition.name, request.method, request.url
        ));
        lines.extend(
            request
                .headers
                .iter()
                .map(|(name, value)| format!("  {name}: {value}")),
        );
        lines.extend(
            request
                .auth
                .iter()
                .map(|auth| format!("  auth {}", serde_json::to_string(auth).unwrap())),
        );
        lines.extend(request.body.iter().map(|body| {
            format!(
                "  body {}",
                body.as_str()
                    .map_or_else(|| body.to_string(), str::to_owned)
            )
        }));
        lines.extend(
            definition
                .env
                .iter()
                .map(|(name, value)| format!("  env {name}={value}")),
        );
        lines.extend(job.notes.iter().map(|note| format!("  note {note}")));
    }
    for secret in &plan.secrets {
        let at: Vec<String> = secret.at.iter().map(ToString::to_string).collect();
        let egress = secret.egress.as_ref().map(|egress| {
            format!(
                " {:?} {:?} {:?} {:?}",
                egress.schemes,
                egress.hosts,
                egress.ports,
                egress
                    .places
                    .iter()
                    .map(|place| place.as_str())
                    .collect::<Vec<_>>(),
            )
        });
        lines.push(format!(
            "secret {} ({}){}",
            secret.name,
            at.join(", "),
            egress.unwrap_or_default()
        ));
    }
    lines.extend(
        plan.wanted
            .iter()
            .map(|wanted| format!("wanted {}", wanted.name)),
    );
    lines.extend(
        plan.left_out
            .iter()
            .map(|left| format!("left out {}: {}", left.at, left.reason)),
    );
    lines.extend(plan.notes.iter().map(|note| {
        format!(
            "note {}: {}",
            note.at.map(|at| at.to_string()).unwrap_or_default(),
            note.text
        )
    }));
    lines.join("\n")
}
