//! Figures as a table for people and a line of JSON for programs. Nothing here measures.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::machine::Machine;
use crate::statistics::Spread;

/// What a figure should reach; judged by its median.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", short(least)),
            Self::AtMost(most) => format!("≤ {}", short(most)),
        }
    }
}

/// One line: what was measured, and over its rounds how much.
#[derive(Clone, Debug)]
pub struct Figure {
    what: String,
    unit: &'static str,
    spread: Spread,
    goal: Option<Goal>,
}

impl Figure {
    /// A figure of one value per round.
    pub fn new(what: impl Into<String>, unit: &'static str, rounds: &[f64]) -> Self {
        Self {
            what: what.into(),
            unit,
            spread: Spread::of(rounds),
            goal: None,
        }
    }

    /// It should not be below this.
    pub fn at_least(mut self, least: f64) -> Self {
        self.goal = Some(Goal::AtLeast(least));
        self
    }

    /// It should not be above this.
    pub fn at_most(mut self, most: f64) -> Self {
        self.goal = Some(Goal::AtMost(most));
        self
    }

    fn verdict(&self) -> Option<bool> {
        self.goal.map(|goal| goal.reached(self.spread.median))
    }

    fn cells(&self) -> [String; 6] {
        let Spread {
            median,
            least,
            most,
            rounds,
        } = self.spread;
        let verdict = self
            .verdict()
            .map_or("", |reached| if reached { "yes" } else { "NO" });
        [
            self.what.clone(),
            format!("{} {}", short(median), self.unit)
                .trim_end()
                .to_owned(),
            if rounds > 1 {
                format!("{} – {}", short(least), short(most))
            } else {
                String::new()
            },
            rounds.to_string(),
            self.goal.map(Goal::text).unwrap_or_default(),
            verdict.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        let Spread {
            median,
            least,
            most,
            rounds,
        } = self.spread;
        let mut value = json!({
            "what": self.what, "unit": self.unit, "median": median, "min": least, "max": most, "rounds": rounds,
        });
        if let (Some(goal), Some(reached)) = (self.goal, self.verdict()) {
            value["to_reach"] = goal.text().into();
            value["reached"] = reached.into();
        }
        value
    }
}

/// One benchmark's figures.
#[derive(Clone, Debug)]
pub struct Report {
    pub name: &'static str,
    pub title: String,
    pub figures: Vec<Figure>,
    pub notes: Vec<String>,
}

impl Report {
    /// Its name and title; figures and notes come after.
    pub fn new(name: &'static str, title: impl Into<String>) -> Self {
        Self {
            name,
            title: title.into(),
            figures: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Takes a figure in.
    pub fn figure(&mut self, figure: Figure) {
        self.figures.push(figure);
    }

    /// Takes a remark in.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Prints the table and the line of JSON, and appends that line to `file`.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn publish(&self, machine: &Machine, command: &str, file: Option<&Path>) -> Result<()> {
        println!("\n{}: {}", self.name, self.title);
        println!("{}", self.table());
        for note in &self.notes {
            println!("  {note}");
        }
        let line = self.json(machine, command).to_string();
        println!("{line}");
        let Some(path) = file else { return Ok(()) };
        let opened = File::options().create(true).append(true).open(path);
        let mut file = opened.with_context(|| format!("{} can't be opened", path.display()))?;
        writeln!(file, "{line}").with_context(|| format!("{} can't be written", path.display()))
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_style(presets::UTF8_BORDERS_ONLY);
        table.set_header(["", "median", "min – max", "rounds", "to reach", "reached"]);
        for figure in &self.figures {
            table.add_row(figure.cells());
        }
        for column in [1, 2, 3, 4] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }

    fn json(&self, machine: &Machine, command: &str) -> Value {
        json!({
            "benchmark": self.name,
            "title": self.title,
            "command": command,
            "machine": machine.json(),
            "figures": self.figures.iter().map(Figure::json).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

/// Three digits or so: more would pretend.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 1_000.0 => thousands(value),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => trimmed(format!("{value:.1}")),
        size if size >= 0.1 => trimmed(format!("{value:.2}")),
        _ => trimmed(format!("{value:.4}")),
    }
}

fn trimmed(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 {
        "-".to_owned()
    } else {
        String::new()
    };
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
