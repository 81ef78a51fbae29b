//! The credentials that were found in one text: each becomes one secret, however often it stands there.

use std::collections::BTreeSet;
use std::ops::Range;

use padclock_vault::{EgressPolicy, Place as InRequest, Value};
use zeroize::Zeroizing;

use crate::names;
use crate::plan::{Place, PlannedSecret};
use crate::shell::Reason;

/// Where a text stands, for whatever looks for credentials in it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The field: `request.headers.X-Api-Key`, `request.query.key`, `request.body.token`, `env.API_KEY`.
    pub field: &'a str,
    /// The last part of it, as it is written: `X-Api-Key`.
    pub name: &'a str,
}

/// A credential within a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// What it would be called.
    pub suggested_name: Option<String>,
}

/// What makes credentials out: given a text and where it stands, the parts of it that are some.
pub type Find<'f> = dyn Fn(Context<'_>, &str) -> Vec<Found> + 'f;

/// Under this a value can't be kept (the redaction contract).
const SHORTEST: usize = 4;
pub(crate) const TOO_SHORT: Reason =
    "a credential in it has under 4 bytes, too short to be kept as a secret";

/// Where a request goes, for the policy of what is sent with it.
pub(crate) struct Target {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// See the module.
pub(crate) struct Secrets<'f> {
    find: &'f Find<'f>,
    taken: &'f BTreeSet<String>,
    environment: Option<&'f str>,
    pub(crate) all: Vec<PlannedSecret>,
    /// Credentials that are known from elsewhere, with their names: the variables of a crontab.
    known: Vec<(String, Zeroizing<String>)>,
}

/// A credential's place in a text, and its name there.
struct Spot {
    span: Range<usize>,
    hint: Option<String>,
}

impl<'f> Secrets<'f> {
    pub(crate) fn new(
        find: &'f Find<'f>,
        taken: &'f BTreeSet<String>,
        environment: Option<&'f str>,
    ) -> Self {
        Self {
            find,
            taken,
            environment,
            all: Vec::new(),
            known: Vec::new(),
        }
    }

    /// From now on this text is a credential wherever it stands.
    pub(crate) fn know(&mut self, name: &str, text: &str) {
        self.known.retain(|(known, _)| known != name);
        self.known
            .push((name.to_owned(), Zeroizing::new(text.to_owned())));
    }

    /// Whether there is a credential in it.
    pub(crate) fn any(&self, context: Context<'_>, text: &str) -> bool {
        !self.spots(context, text, None).is_empty()
    }

    /// The text with each credential replaced; `literal` writes what stands between them. `whole`: this part is a credential by its
    /// place. Nothing when there is none.
    pub(crate) fn replace(
        &mut self,
        job: &mut Uses<'_>,
        at: Spoken<'_>,
        text: &str,
        whole: Option<Range<usize>>,
        literal: &dyn Fn(&str) -> String,
    ) -> Result<Option<String>, Reason> {
        let spots = self.spots(at.context, text, whole);
        if spots.is_empty() {
            return Ok(None);
        }
        let mut out = String::new();
        let mut end = 0;
        for spot in spots {
            out.push_str(&literal(&text[end..spot.span.start]));
            let hint = spot
                .hint
                .unwrap_or_else(|| names::of_host_and_field(&job.target.host, at.context.name));
            let name = self.keep(job, &hint, &text[spot.span.clone()], at.place)?;
            let goes_on = text[spot.span.end..]
                .starts_with(|c: char| c.is_ascii_alphanumeric() || "._-".contains(c));
            if at.place == InRequest::Header && !goes_on {
                out.push_str(&format!("secret://{name}"));
            } else {
                out.push_str(&format!("{{{{secret.{name}}}}}"));
            }
            end = spot.span.end;
        }
        out.push_str(&literal(&text[end..]));
        Ok(Some(out))
    }

    /// Where credentials stand, in order, none within another.
    fn spots(&self, context: Context<'_>, text: &str, whole: Option<Range<usize>>) -> Vec<Spot> {
        let mut spots: Vec<Spot> = Vec::new();
        let fits = |spots: &[Spot], span: &Range<usize>| {
            span.start < span.end
                && text.get(span.clone()).is_some()
                && spots
                    .iter()
                    .all(|other| span.end <= other.span.start || other.span.end <= span.start)
        };
        for (name, known) in &self.known {
            for (start, _) in text.match_indices(known.as_str()) {
                let span = start..start + known.len();
                if fits(&spots, &span) {
                    spots.push(Spot {
                        span,
                        hint: Some(name.clone()),
                    });
                }
            }
        }
        let whole = whole.filter(|span| fits(&spots, span));
        if let Some(span) = whole {
            let suggested = (self.find)(context, text)
                .into_iter()
                .find(|found| found.span == span);
            spots.push(Spot {
                span,
                hint: suggested.and_then(|found| found.suggested_name),
            });
        }
        for found in (self.find)(context, text) {
            if fits(&spots, &found.span) {
                spots.push(Spot {
                    span: found.span,
                    hint: found.suggested_name,
                });
            }
        }
        spots.sort_by_key(|spot| spot.span.start);
        spots
    }

    /// The name of the secret that holds this credential: of the one that has it already, or of a new one.
    fn keep(
        &mut self,
        job: &mut Uses<'_>,
        hint: &str,
        text: &str,
        place: InRequest,
    ) -> Result<String, Reason> {
        if text.len() < SHORTEST {
            return Err(TOO_SHORT);
        }
        let value = Value::new(text);
        let index = match self.all.iter().position(|secret| secret.value == value) {
            Some(index) => index,
            None => {
                let hint = names::secret_name(hint).unwrap_or_else(|| "credential".to_owned());
                let all = &self.all;
                let name = names::free(&hint, |name| {
                    self.taken.contains(name) || all.iter().any(|secret| secret.name == name)
                });
                self.all.push(PlannedSecret {
                    name,
                    value,
                    environment: self.environment.map(str::to_owned),
                    egress: None,
                    at: Vec::new(),
                    fixed: false,
                });
                self.all.len() - 1
            }
        };
        let secret = &mut self.all[index];
        if !secret.at.contains(&job.at) {
            secret.at.push(job.at);
        }
        let policy = secret.egress.get_or_insert_default();
        widen(&mut policy.schemes, job.target.scheme.clone());
        widen(&mut policy.hosts, job.target.host.clone());
        widen(&mut policy.ports, job.target.port);
        widen(&mut policy.places, place);
        if !job.names.contains(&secret.name) {
            job.names.push(secret.name.clone());
        }
        Ok(secret.name.clone())
    }
}

fn widen<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Where a text stands in a request.
#[derive(Clone, Copy)]
pub(crate) struct Spoken<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) place: InRequest,
}

/// What one job uses.
pub(crate) struct Uses<'t> {
    pub(crate) at: Place,
    pub(crate) target: &'t Target,
    pub(crate) names: Vec<String>,
}

/// A policy of one place: where a `.env` file's credentials may go is not known.
pub(crate) fn fixed(
    name: String,
    value: Value,
    environment: Option<&str>,
    at: Place,
    egress: Option<EgressPolicy>,
) -> PlannedSecret {
    PlannedSecret {
        name,
        value,
        environment: environment.map(str::to_owned),
        egress,
        at: vec![at],
        fixed: true,
    }
}
