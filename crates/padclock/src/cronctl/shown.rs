//! How single things are written for people: policies, schedules, spans of time.

use padclock_api::client::Job;
use padclock_job::Moment;
use padclock_vault::EgressPolicy;
use serde_json::Value;

/// Where a secret may go, in a few words; every view of a secret says it.
pub(crate) fn egress(policy: Option<&EgressPolicy>) -> String {
    let Some(policy) = policy else {
        return "anywhere".to_owned();
    };
    let ports: Vec<String> = policy.ports.iter().map(u16::to_string).collect();
    let places: Vec<String> = policy
        .places
        .iter()
        .map(|place| place.as_str().to_owned())
        .collect();
    let parts = [
        ("", &policy.hosts),
        ("scheme ", &policy.schemes),
        ("port ", &ports),
        ("method ", &policy.methods),
        ("path ", &policy.path_prefixes),
        ("in ", &places),
        ("agents ", &policy.agents),
    ];
    let told = parts.iter().filter(|(_, words)| !words.is_empty());
    let told: Vec<String> = told
        .map(|(label, words)| format!("{label}{}", words.join(", ")))
        .collect();
    if told.is_empty() {
        "anywhere".to_owned()
    } else {
        told.join("; ")
    }
}

/// A job's schedule in a few words.
pub(crate) fn schedule(job: &Job) -> String {
    let number = |field: &str| job.schedule.get(field).and_then(Value::as_u64);
    let text = |field: &str| job.schedule.get(field).and_then(Value::as_str);
    if let Some(minutes) = number("every_n_minutes") {
        return format!("every {minutes} min");
    }
    if let Some(seconds) = number("every_seconds") {
        return format!("every {seconds} s");
    }
    match (text("expression"), text("timezone"), text("run_at")) {
        (Some(expression), Some(zone), _) => format!("{expression} ({zone})"),
        (Some(expression), None, _) => format!("{expression} (UTC)"),
        (None, _, Some(at)) => format!("once at {at}"),
        _ => job.kind.clone(),
    }
}

/// A moment, or nothing.
pub(crate) fn moment(at: Option<Moment>) -> String {
    at.map(|at| at.to_string()).unwrap_or_default()
}

/// When something ends.
pub(crate) fn ending(at: Option<Moment>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.to_string())
}

/// Words that narrow something; `else_` where nothing does.
pub(crate) fn words(words: Option<&[String]>, else_: &str) -> String {
    words.map_or_else(|| else_.to_owned(), |words| words.join(", "))
}

/// A span: `120 ms`, `1.5 s`, `3 min 5 s`, `2 h 10 min`.
pub(crate) fn span(millis: u64) -> String {
    let seconds = millis / 1_000;
    match millis {
        0..=999 => format!("{millis} ms"),
        1_000..=59_999 => format!("{seconds}.{} s", millis % 1_000 / 100),
        60_000..=3_599_999 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests;
