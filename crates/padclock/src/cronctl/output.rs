//! The one way to the terminal: data on standard output, everything else on standard error. Text that came over the
//! wire can't steer the terminal: control characters are shown, not sent.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};

use super::failure::Failure;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

/// How output is to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// JSON, as the API answers it.
    pub(crate) json: bool,
    /// Someone looks at it: tables and aligned columns. Otherwise columns with a tab between them and no heading.
    pub(crate) terminal: bool,
    pub(crate) color: bool,
    pub(crate) color_of_errors: bool,
}

/// Where a command's words go.
pub(crate) struct Output {
    data: Box<dyn Write>,
    notes: Box<dyn Write>,
    pub(crate) look: Look,
}

impl Output {
    /// This process' standard output and error.
    pub(crate) fn standard(json: bool, color: Color) -> Self {
        let quiet = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colored = |terminal: bool| match color {
            Color::Auto => terminal && !quiet,
            Color::Always => true,
            Color::Never => false,
        };
        let (terminal, errors) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let look = Look {
            json,
            terminal,
            color: colored(terminal),
            color_of_errors: colored(errors),
        };
        Self::to(Box::new(io::stdout()), Box::new(io::stderr()), look)
    }

    pub(crate) fn to(data: Box<dyn Write>, notes: Box<dyn Write>, look: Look) -> Self {
        Self { data, notes, look }
    }

    /// Data as it stands.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// A piece of data as it came, of a stream that is JSON by its kind.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.data.write_all(bytes).and_then(|()| self.data.flush());
        written.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Error(format!("standard output can't be written: {error}")),
        })
    }

    /// A line of data.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.text(&format!("{}\n", tame(line)))
    }

    /// JSON over several lines.
    pub(crate) fn json(&mut self, json: &serde_json::Value) -> Result<(), Failure> {
        self.text(&format!("{json:#}\n"))
    }

    /// JSON in one line, for streams.
    pub(crate) fn json_line(&mut self, json: &serde_json::Value) -> Result<(), Failure> {
        self.text(&format!("{json}\n"))
    }

    /// A list: a table for eyes, columns for programs.
    pub(crate) fn table(
        &mut self,
        heading: &[&str],
        rows: Vec<Vec<String>>,
    ) -> Result<(), Failure> {
        if self.look.terminal {
            let table = drawn(heading, rows, self.look);
            return if table.is_empty() {
                Ok(())
            } else {
                self.text(&table)
            };
        }
        let lines = rows.iter().map(|row| {
            row.iter()
                .map(|cell| filled(cell))
                .collect::<Vec<_>>()
                .join("\t")
                + "\n"
        });
        self.text(&lines.collect::<String>())
    }

    /// One thing: a line per field.
    pub(crate) fn record(&mut self, fields: &[(&str, String)]) -> Result<(), Failure> {
        let width = fields
            .iter()
            .map(|(label, _)| label.len())
            .max()
            .unwrap_or(0)
            + 2;
        let line = |(label, text): &(&str, String)| match self.look.terminal {
            true => format!(
                "{}{}\n",
                painted(&format!("{label:width$}"), "1", self.look.color),
                filled(text)
            ),
            false => format!("{label}\t{}\n", filled(text)),
        };
        let text: String = fields.iter().map(line).collect();
        self.text(&text)
    }

    /// Something a person may like to know.
    pub(crate) fn note(&mut self, text: &str) {
        let _ = writeln!(self.notes, "{}", tame(text));
    }

    /// Something a person should look at.
    pub(crate) fn warning(&mut self, text: &str) {
        let head = painted("warning:", "1;33", self.look.color_of_errors);
        let _ = writeln!(self.notes, "{head} {}", tame(text));
    }

    /// What went wrong.
    pub(crate) fn error(&mut self, text: &str) {
        let head = painted("error:", "1;31", self.look.color_of_errors);
        let _ = writeln!(self.notes, "{head} {}", tame(text));
    }

    /// A question; the cursor stays behind it.
    pub(crate) fn question(&mut self, text: &str) {
        let _ = write!(self.notes, "{} ", tame(text)).and_then(|()| self.notes.flush());
    }
}

fn painted(text: &str, code: &str, color: bool) -> String {
    if color {
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

fn drawn(heading: &[&str], rows: Vec<Vec<String>>, look: Look) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        // A broken id or time can't be copied: on a narrow terminal whole lines go on instead.
        .set_content_arrangement(ContentArrangement::Disabled);
    if look.color {
        table.enforce_styling();
    }
    let head = |text: &&str| {
        if look.color {
            Cell::new(text).add_attribute(Attribute::Bold)
        } else {
            Cell::new(text)
        }
    };
    table.set_header(heading.iter().map(head).collect::<Vec<_>>());
    for row in rows {
        table.add_row(
            row.iter()
                .map(|text| cell(text, look.color))
                .collect::<Vec<_>>(),
        );
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    format!("{}\n", table.trim_fmt())
}

/// A cell, in the colour of the state that its word tells.
fn cell(text: &str, color: bool) -> Cell {
    let cell = Cell::new(filled(text));
    let hue = match text {
        "succeeded" | "active" => comfy_table::Color::Green,
        "failed" | "lost" => comfy_table::Color::Red,
        "running" | "waiting" | "queued" => comfy_table::Color::Yellow,
        "paused" | "skipped" | "canceled" => comfy_table::Color::DarkGrey,
        _ => return cell,
    };
    if color { cell.fg(hue) } else { cell }
}

/// What stands in a cell: never nothing, never a line end or a tab.
fn filled(text: &str) -> String {
    if text.is_empty() {
        "-".to_owned()
    } else {
        tame(text).replace('\n', "\\n").replace('\t', "\\t")
    }
}

/// The text with control characters and those that turn the direction of writing made visible; line ends and tabs stay.
pub(crate) fn tame(text: &str) -> String {
    let wild = |c: char| {
        c.is_control() && c != '\n' && c != '\t'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(wild) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| {
            if wild(c) {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests;
