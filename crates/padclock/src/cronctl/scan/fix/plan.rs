//! What becomes of one job: which texts move into which secrets, and the change of the job. Nothing is sent from here.

use std::collections::BTreeSet;

use padclock_scan::{InDocument, Step, scan_document};
use padclock_vault::{EgressPolicy, Value as Secret};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// One credential and the secret that it becomes.
pub(super) struct Move {
    pub(super) field: String,
    pub(super) rule: &'static str,
    pub(super) title: &'static str,
    pub(super) secret: String,
    pub(super) value: Secret,
}

/// What is to be done about one job.
pub(super) struct Plan {
    pub(super) moves: Vec<Move>,
    /// The merge patch.
    pub(super) change: Value,
    /// Fields where no reference can stand.
    pub(super) by_hand: Vec<String>,
    /// Where the new secrets may go: where the job sends to.
    pub(super) egress: Option<EgressPolicy>,
}

impl Plan {
    /// `names`: those that are taken; those that are chosen come to them.
    pub(super) fn make(job: &Value, names: &mut BTreeSet<String>) -> Self {
        let mut document = definition(job);
        let mut found = scan_document(&document);
        // From the end of each text to its beginning, so that places stay true.
        found.sort_by_key(|one| std::cmp::Reverse(one.finding.span.start));
        let mut plan = Self {
            moves: Vec::new(),
            change: Value::Null,
            by_hand: Vec::new(),
            egress: egress(job),
        };
        let before = document.clone();
        for one in found {
            if plan.replace(&mut document, &one, names).is_none() {
                plan.by_hand.push(one.path());
            }
        }
        plan.change = change(&before, &document);
        plan
    }

    /// Where the secrets may go, for people.
    pub(super) fn whereto(&self) -> String {
        match &self.egress {
            Some(policy) => format!(
                "for {}://{} alone",
                policy.schemes.join(","),
                policy.hosts.join(",")
            ),
            None => "for any host, since the job's own is not plain from its URL".to_owned(),
        }
    }

    fn replace(
        &mut self,
        document: &mut Value,
        one: &InDocument,
        names: &mut BTreeSet<String>,
    ) -> Option<()> {
        let keys: Vec<&str> = one.steps.iter().filter_map(key).collect();
        match keys.as_slice() {
            ["env", name] => self.replace_variable(document, one, name, names),
            ["request", "url" | "headers" | "query" | "body" | "auth", ..] => {
                self.replace_in_text(document, one, names)
            }
            _ => None,
        }
    }

    fn replace_in_text(
        &mut self,
        document: &mut Value,
        one: &InDocument,
        names: &mut BTreeSet<String>,
    ) -> Option<()> {
        let encoded = is_encoded(document, one);
        let text = text_at(document, &one.steps)?;
        let span = one.finding.span.clone();
        let found = text.get(span.clone())?;
        // An escape inside of it would have to be undone as the place reads it.
        if found.contains('\\') && one.steps.last() == Some(&Step::Key("body".to_owned())) {
            return None;
        }
        let value = if encoded {
            Secret::new(percent_decode_str(found).collect::<Vec<u8>>())
        } else {
            Secret::new(found)
        };
        let secret = self.named(one, value, names);
        let header = one.steps.get(1) == Some(&Step::Key("headers".to_owned()));
        let name_goes_on = text[span.end..]
            .starts_with(|next: char| next.is_ascii_alphanumeric() || "._-".contains(next));
        let reference = if header && !name_goes_on {
            format!("secret://{secret}")
        } else {
            format!("{{{{secret.{secret}}}}}")
        };
        text.replace_range(span, &reference);
        Some(())
    }

    /// A variable's text is not a template: the secret is named where the variable was.
    fn replace_variable(
        &mut self,
        document: &mut Value,
        one: &InDocument,
        name: &str,
        names: &mut BTreeSet<String>,
    ) -> Option<()> {
        let whole = text_at(document, &one.steps)?.clone();
        let found = whole.get(one.finding.span.clone())?;
        if found.len() != whole.trim().len() {
            return None;
        }
        let secret = self.named(one, Secret::new(whole.as_str()), names);
        rename(document.get_mut("request")?, name, &secret);
        document.get_mut("env")?.as_object_mut()?.remove(name);
        Some(())
    }

    /// The secret of a value: the one that has it already in this job, or a new one of a name that is free.
    fn named(&mut self, one: &InDocument, value: Secret, names: &mut BTreeSet<String>) -> String {
        let known = self.moves.iter().find(|other| other.value == value);
        let secret = known.map_or_else(
            || free(&one.finding.suggested_name, names),
            |other| other.secret.clone(),
        );
        self.moves.push(Move {
            field: one.path(),
            rule: one.finding.rule,
            title: one.finding.title,
            secret: secret.clone(),
            value,
        });
        secret
    }
}

fn key(step: &Step) -> Option<&str> {
    match step {
        Step::Key(key) => Some(key),
        Step::Index(_) => None,
    }
}

/// The fields in which a credential may stand.
fn definition(job: &Value) -> Value {
    let fields = ["name", "description", "request", "env", "tags"];
    let given = fields
        .iter()
        .filter_map(|field| Some(((*field).to_owned(), job.get(field)?.clone())));
    Value::Object(given.collect::<Map<_, _>>())
}

fn free(wanted: &str, names: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{wanted}_{number}"));
    let name = std::iter::once(wanted.to_owned())
        .chain(numbered)
        .find(|name| !names.contains(name));
    let name = name.unwrap_or_else(|| wanted.to_owned());
    names.insert(name.clone());
    name
}

fn text_at<'d>(document: &'d mut Value, steps: &[Step]) -> Option<&'d mut String> {
    let mut at = document;
    for step in steps {
        at = match step {
            Step::Key(key) => at.get_mut(key)?,
            Step::Index(index) => at.get_mut(index)?,
        };
    }
    match at {
        Value::String(text) => Some(text),
        _ => None,
    }
}

/// Whether the text is percent-encoded as it stands: a value put there is encoded when it is sent, so it is kept decoded.
fn is_encoded(document: &Value, one: &InDocument) -> bool {
    let headers = document
        .pointer("/request/headers")
        .and_then(Value::as_object);
    let form = headers.into_iter().flatten().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type")
            && value
                .as_str()
                .is_some_and(|text| text.contains("x-www-form-urlencoded"))
    });
    match one.steps.get(1) {
        Some(Step::Key(key)) if key == "url" => true,
        Some(Step::Key(key)) if key == "body" => form && one.steps.len() == 2,
        _ => false,
    }
}

/// `{{env.NAME}}` becomes `{{secret.SECRET}}`, filters and all.
fn rename(request: &mut Value, variable: &str, secret: &str) {
    match request {
        Value::String(text) => {
            for open in ["{{", "{{ "] {
                for end in ["}}", " ", "|"] {
                    *text = text.replace(
                        &format!("{open}env.{variable}{end}"),
                        &format!("{open}secret.{secret}{end}"),
                    );
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename(item, variable, secret)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|value| rename(value, variable, secret)),
        _ => {}
    }
}

/// A merge patch from one document to the other. A body is given whole: it may be any JSON, null included.
fn change(before: &Value, after: &Value) -> Value {
    let (Value::Object(before), Value::Object(after)) = (before, after) else {
        return after.clone();
    };
    let mut fields = Map::new();
    for (name, new) in after {
        match before.get(name) {
            Some(old) if old == new => {}
            Some(old) if name != "body" => drop(fields.insert(name.clone(), change(old, new))),
            _ => drop(fields.insert(name.clone(), new.clone())),
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    fields.extend(gone.map(|name| (name.clone(), Value::Null)));
    Value::Object(fields)
}

/// The scheme and host that the job's URL names literally.
fn egress(job: &Value) -> Option<EgressPolicy> {
    let url = job.pointer("/request/url")?.as_str()?;
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port.parse().ok()?)),
        None => (authority, None),
    };
    let plain = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    plain.then(|| EgressPolicy {
        schemes: vec![scheme.to_ascii_lowercase()],
        hosts: vec![host.to_ascii_lowercase()],
        ports: port.into_iter().collect(),
        ..EgressPolicy::default()
    })
}

#[cfg(test)]
mod tests;
