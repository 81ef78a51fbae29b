//! An execution as the screen shows it: what is stored of its last attempt, request and response.

use padclock_api::{Attempt, Execution, RecordedRequest, RecordedResponse};

use super::screen::Style;

const WIDTH: usize = 80;

/// The lines about one execution.
pub(super) fn execution(execution: &Execution, style: Style) -> String {
    let attempt = execution.attempts.as_deref().and_then(<[Attempt]>::last);
    let mut lines = vec![headline(execution, attempt, style)];
    let sent = attempt
        .and_then(|attempt| attempt.request.as_ref())
        .map(request)
        .unwrap_or_default();
    let came = attempt
        .and_then(|attempt| attempt.response.as_ref())
        .map(response)
        .unwrap_or_default();
    let arrow = |sign: &str, line: &String| {
        format!("  {} {}", style.faint(sign), marked(&fitted(line), style))
    };
    lines.extend(sent.iter().map(|line| arrow(">", line)));
    lines.extend(came.iter().map(|line| arrow("<", line)));
    lines.extend(
        attempt
            .and_then(|attempt| attempt.error.as_ref())
            .map(|error| format!("  {}", style.bad(&error.message))),
    );
    lines.join("\n")
}

fn headline(execution: &Execution, attempt: Option<&Attempt>, style: Style) -> String {
    let word = execution.status.word();
    let word = if word == "succeeded" {
        style.good(word)
    } else {
        style.bad(word)
    };
    let status = attempt
        .and_then(|attempt| attempt.response.as_ref())
        .map(|response| format!(", HTTP {}", response.status))
        .unwrap_or_default();
    let took = execution
        .duration_ms
        .map(|duration| format!(", {duration} ms"))
        .unwrap_or_default();
    format!(
        "{} {word}{status}{took}",
        style.head(&execution.id.to_string())
    )
}

fn request(request: &RecordedRequest) -> Vec<String> {
    let authorization = request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let mut lines = vec![format!("{} {}", request.method, request.url)];
    lines.extend(authorization.map(|(name, value)| format!("{name}: {value}")));
    lines.extend(request.body.clone());
    lines
}

fn response(response: &RecordedResponse) -> Vec<String> {
    let echo = response
        .headers
        .iter()
        .find(|(name, _)| name.as_str() == "x-echo");
    let mut lines: Vec<String> = echo
        .map(|(name, value)| format!("{name}: {value}"))
        .into_iter()
        .collect();
    lines.extend(
        response
            .body
            .iter()
            .flat_map(|body| body.lines())
            .map(str::to_owned),
    );
    lines.extend(response.note.clone());
    lines
}

/// Cut to the width of the screen; what a terminal would obey is shown as a dot.
fn fitted(line: &str) -> String {
    let room = WIDTH - 4;
    let shown: String = line
        .chars()
        .map(|c| if c.is_control() { '·' } else { c })
        .collect();
    if shown.chars().count() <= room {
        shown
    } else {
        shown.chars().take(room - 1).chain(['…']).collect()
    }
}

/// The placeholders set off.
fn marked(line: &str, style: Style) -> String {
    let mut rest = line;
    let mut out = String::new();
    while let Some(start) = rest.find("[REDACTED:")
        && let Some(length) = rest[start..].find(']')
    {
        let end = start + length + 1;
        out.push_str(&rest[..start]);
        out.push_str(&style.mark(&rest[start..end]));
        rest = &rest[end..];
    }
    out + rest
}

#[cfg(test)]
mod tests;
