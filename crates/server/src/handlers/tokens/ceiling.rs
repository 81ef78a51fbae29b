//! How wide a new token may be: never wider than the credential that makes it, nor than the member it is for.

use padclock_api::member::Member;
use padclock_api::token::{Token, TokenCreate};
use padclock_api::{ErrorCode, ErrorDetail};
use padclock_job::Moment;
use padclock_store::Narrowed;
use padclock_worker::Cidr;

use super::super::environments::check_name;
use crate::auth::{Identity, WORDS, within_one_environment};
use crate::failure::{Answer, Failure, detail};

/// The most ranges of addresses that a token is bound to.
const MOST_CIDRS: usize = 100;
/// The longest that a token lasts, in seconds: a hundred years.
const LONGEST: u64 = 100 * 366 * 86_400;

/// Who makes a token, and by which credential.
pub(super) struct Maker<'a> {
    pub(super) identity: &'a Identity,
    /// The maker's own token; a session is as wide as its member.
    pub(super) token: Option<&'a Token>,
    pub(super) now: Moment,
}

fn forbidden(message: impl Into<String>) -> Failure {
    Failure::new(ErrorCode::Forbidden, message)
}

impl Maker<'_> {
    /// What narrows the new token. `holder` is the service member that it is for, if it is not the maker's own.
    pub(super) fn narrowed(
        &self,
        asked: &TokenCreate,
        holder: Option<&Member>,
    ) -> Answer<Narrowed> {
        let environment = self.environment(asked.environment.as_deref())?;
        Ok(Narrowed {
            permissions: self.permissions(asked, holder, environment.is_some())?,
            cidrs: self.cidrs(asked.cidrs.as_deref())?,
            expires_at: self.expiry(asked)?,
            environment,
        })
    }

    fn environment(&self, asked: Option<&str>) -> Answer<Option<String>> {
        let own = self.identity.environment.as_deref();
        let Some(asked) = asked else {
            return Ok(own.map(str::to_owned));
        };
        check_name("environment", asked)?;
        match own {
            Some(own) if own != asked => Err(forbidden(format!(
                "this token is for the environment {own}, and makes tokens for that one alone"
            ))),
            _ => Ok(Some(asked.to_owned())),
        }
    }

    fn permissions(
        &self,
        asked: &TokenCreate,
        holder: Option<&Member>,
        of_one_environment: bool,
    ) -> Answer<Option<String>> {
        let words = match (&asked.permissions, holder) {
            (Some(words), _) => checked_words(words)?,
            // Named one by one: what the service member is granted later is not the maker's to hand out.
            (None, Some(holder)) => {
                let mut words = words_of(holder, self.identity);
                words.retain(|word| !of_one_environment || within_one_environment(word));
                words
            }
            (None, None) => return Ok(self.identity.permissions.clone()),
        };
        for word in &words {
            if of_one_environment && !within_one_environment(word) {
                let message = format!("a token of one environment can't have {word}");
                return Err(Failure::field("permissions", "too_wide", message));
            }
            if !self.identity.has_word(word) {
                return Err(forbidden(format!(
                    "a token has no more than the credential that makes it, which does not have {word}"
                )));
            }
        }
        Ok(Some(words.join(" ")))
    }

    fn cidrs(&self, asked: Option<&[String]>) -> Answer<Option<String>> {
        let own = self.token.and_then(|token| token.cidrs.as_deref());
        let Some(asked) = asked else {
            return Ok(own.map(|own| own.join(" ")));
        };
        let ranges = checked_cidrs(asked)?;
        if let Some(own) = own {
            let own: Vec<Cidr> = own.iter().filter_map(|text| text.parse().ok()).collect();
            let within = |range: &Cidr| own.iter().any(|wider| wider.covers(range));
            if !ranges.iter().all(within) {
                return Err(forbidden(
                    "this token is bound to ranges of addresses, and makes tokens for addresses in them alone",
                ));
            }
        }
        let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
        Ok(Some(ranges.join(" ")))
    }

    fn expiry(&self, asked: &TokenCreate) -> Answer<Option<Moment>> {
        let own = self.token.and_then(|token| token.expires_at);
        let end = match (asked.expires_in, asked.expires_at) {
            (None, None) => return Ok(own),
            (Some(_), Some(_)) => {
                let message = "give expires_in or expires_at, not both";
                return Err(Failure::field("expires_at", "conflict", message));
            }
            (Some(seconds), None) if (1..=LONGEST).contains(&seconds) => {
                let millis = i64::try_from(seconds * 1000).unwrap_or(i64::MAX);
                self.now.plus_millis(millis)
            }
            (Some(_), None) => {
                let message = format!("must be 1 to {LONGEST} seconds");
                return Err(Failure::field("expires_in", "out_of_range", message));
            }
            (None, Some(end)) if end > self.now => end,
            (None, Some(_)) => {
                let message = "must be in the future";
                return Err(Failure::field("expires_at", "out_of_range", message));
            }
        };
        if own.is_some_and(|own| end > own) {
            return Err(forbidden(
                "this token ends sooner, and makes tokens that end with it or before",
            ));
        }
        Ok(Some(end))
    }
}

/// The words of a list, each known and each once.
fn checked_words(words: &[String]) -> Answer<Vec<&'static str>> {
    let mut found = Vec::new();
    let mut wrong: Vec<ErrorDetail> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match WORDS.iter().find(|known| *known == word) {
            Some(known) => found.push(*known),
            None => {
                let message = format!("is no permission; those are: {}", WORDS.join(", "));
                wrong.push(detail(
                    &format!("permissions[{at}]"),
                    "unknown_permission",
                    message,
                ));
            }
        }
    }
    if words.is_empty() {
        let message = "must name at least one; leave it out for all that the member may";
        wrong.push(detail("permissions", "empty", message));
    }
    if !wrong.is_empty() {
        return Err(Failure::invalid(wrong));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn checked_cidrs(asked: &[String]) -> Answer<Vec<Cidr>> {
    if asked.is_empty() || asked.len() > MOST_CIDRS {
        let message = format!("must be 1 to {MOST_CIDRS} ranges; leave it out for any address");
        return Err(Failure::field("cidrs", "out_of_range", message));
    }
    let mut wrong = Vec::new();
    let mut ranges = Vec::new();
    for (at, text) in asked.iter().enumerate() {
        match text.parse::<Cidr>() {
            Ok(range) => ranges.push(range),
            Err(error) => wrong.push(detail(
                &format!("cidrs[{at}]"),
                "bad_cidr",
                error.to_string(),
            )),
        }
    }
    if wrong.is_empty() {
        Ok(ranges)
    } else {
        Err(Failure::invalid(wrong))
    }
}

/// What a service member may do now.
fn words_of(holder: &Member, maker: &Identity) -> Vec<&'static str> {
    let identity = Identity {
        user: holder.user_id,
        role: holder.role,
        grants: holder.grants.join(" "),
        permissions: None,
        environment: None,
        ..maker.clone()
    };
    let mut words: Vec<&str> = WORDS
        .iter()
        .copied()
        .filter(|word| identity.has_word(word))
        .collect();
    words.sort_unstable();
    words
}

#[cfg(test)]
mod tests;
