//! What has changed between two looks at an execution, in lines. No clock and no output: both come from outside.

use padclock_api::{Attempt, Execution, Status};

use crate::cronctl::shown;

/// A line for each attempt that has ended since, and one for the status if it is another. `before`: the look before
/// this one, if there was any.
pub(super) fn changes(before: Option<&Execution>, now: &Execution) -> Vec<String> {
    let known = |attempt: &Attempt| {
        let attempts = before
            .and_then(|before| before.attempts.as_deref())
            .unwrap_or_default();
        attempts.iter().any(|known| known.number == attempt.number)
    };
    let ended = now
        .attempts
        .iter()
        .flatten()
        .filter(|attempt| !known(attempt));
    let mut lines: Vec<String> = ended
        .map(|attempt| format!("{}  {}", now.id, self::attempt(attempt)))
        .collect();
    let same = before.is_some_and(|before| {
        before.status == now.status && before.next_attempt_at == now.next_attempt_at
    });
    if !same {
        lines.push(format!("{}  {}", now.id, status(now)));
    }
    lines
}

/// An attempt in a line: `attempt 1  failed  500  120 ms  status: …`.
pub(super) fn attempt(attempt: &Attempt) -> String {
    let mut line = format!("attempt {}  {}", attempt.number, attempt.status.word());
    if let Some(response) = &attempt.response {
        line += &format!("  {}", response.status);
    }
    line += &format!("  {}", shown::span(attempt.duration_ms));
    if let Some(error) = &attempt.error {
        line += &format!("  {}: {}", error.code, error.message);
    }
    line
}

fn status(now: &Execution) -> String {
    let word = now.status.word();
    let more = match now.status {
        Status::Queued => format!("due {}", now.scheduled_for),
        Status::Running => now
            .started_at
            .map(|at| format!("since {at}"))
            .unwrap_or_default(),
        Status::Waiting => now
            .next_attempt_at
            .map(|at| format!("next attempt at {at}"))
            .unwrap_or_default(),
        _ => match (now.duration_ms, &now.reason) {
            (Some(millis), Some(reason)) => format!("after {}: {reason}", shown::span(millis)),
            (Some(millis), None) => format!("after {}", shown::span(millis)),
            (None, reason) => reason.clone().unwrap_or_default(),
        },
    };
    if more.is_empty() {
        word.to_owned()
    } else {
        format!("{word}  {more}")
    }
}

#[cfg(test)]
mod tests;
