//! A definition as JSON: every text in it, read by what its place says. Knows the places by name, not the types behind them.

use serde_json::Value;

use crate::field::{Context, scan_field};
use crate::finding::Finding;

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A field of an object.
    Key(String),
    /// A place in a list.
    Index(usize),
}

/// A credential in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDocument {
    /// The way to the text.
    pub steps: Vec<Step>,
    /// What was found in it.
    pub finding: Finding,
}

impl InDocument {
    /// The path as people read it: `request.headers.Authorization`, `request.body.items[2].token`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.steps {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => {
                    path.push('.');
                    path.push_str(key);
                }
                Step::Index(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }
}

/// Deeper than any definition that is taken.
const DEEPEST: usize = 128;

/// The credentials in a document, in its order.
#[must_use]
pub fn scan_document(document: &Value) -> Vec<InDocument> {
    let mut found = Vec::new();
    walk(document, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &Value, steps: &mut Vec<Step>, found: &mut Vec<InDocument>) {
    if steps.len() > DEEPEST {
        return;
    }
    match value {
        Value::String(text) => {
            let findings = scan_field(context(steps), text);
            found.extend(findings.into_iter().map(|finding| InDocument {
                steps: steps.clone(),
                finding,
            }));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                steps.push(Step::Key(key.clone()));
                walk(value, steps, found);
                steps.pop();
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                steps.push(Step::Index(index));
                walk(value, steps, found);
                steps.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What the way to a text says of it.
fn context(steps: &[Step]) -> Context<'_> {
    let keys: Vec<&str> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    match keys.as_slice() {
        [.., "headers", name] => Context::Header(name),
        [.., "query", name] => Context::Query(name),
        [.., "auth", _, name @ ("password" | "token")] => Context::Credential(name),
        [.., "body"] | [_] | [] => Context::Text,
        [.., name] => Context::Named(name),
    }
}
