//! The validated job: a definition with its schedule and request compiled. Nothing in it changes.

use padclock_template::{CompileOptions, Problem, Request, SecretRef};
use padclock_vault::Place;

use crate::definition::Kind;
use crate::timing::{Due, Timing};
use crate::{Definition, Moment, check, schedule};

/// What a job's times depend on besides its definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor<'a> {
    /// The job's id in its written form: `H` and jitter are hashed from it.
    pub job_id: &'a str,
    /// When the job was created: where `recurring` counts from if there is no `start_at`.
    pub created_at: Moment,
}

/// A definition that was found right, compiled.
#[derive(Debug)]
pub struct Job {
    definition: Box<Definition>,
    timing: Timing,
    request: Option<Box<Request>>,
    references: Box<[(SecretRef, Place)]>,
}

impl Job {
    /// Checks and compiles a definition.
    ///
    /// # Errors
    /// Every problem found, with its field, such as `schedule.expression`, its code, what would
    /// be right, and its position where there is one.
    pub fn compile(definition: Definition, at: &Anchor<'_>) -> Result<Self, Vec<Problem>> {
        let mut problems = check::definition(&definition);
        let timing = schedule::compile(&definition, at)
            .map_err(|more| problems.extend(more))
            .ok();
        let request = compile_request(&definition)
            .map_err(|more| problems.extend(more))
            .ok();
        match (timing, request) {
            (Some(timing), Some(request)) if problems.is_empty() => {
                let references = request
                    .as_ref()
                    .map(|request| request.references())
                    .unwrap_or_default();
                Ok(Self {
                    definition: Box::new(definition),
                    timing,
                    request,
                    references: references.into(),
                })
            }
            _ => Err(problems),
        }
    }

    /// As it was given, defaults filled in.
    #[must_use]
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// How it becomes due.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.definition.kind
    }

    /// The compiled schedule with the misfire rules; small, and enough to fire by.
    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// The request to send.
    #[must_use]
    pub fn request(&self) -> Option<&Request> {
        self.request.as_deref()
    }

    /// The secrets it may use, and the places they may go to.
    #[must_use]
    pub fn references(&self) -> &[(SecretRef, Place)] {
        &self.references
    }

    /// The first occurrence after `now`: at creation, after an edit, after a resume. Nothing
    /// before is replayed; `None` means that no occurrence is left.
    #[must_use]
    pub fn first_due(&self, now: Moment) -> Option<Due> {
        self.timing.first_due(now)
    }

    /// What is wrong with saving this at `now` if no occurrence is left to come: an edit can set
    /// a time that lies after the job's creation and still in the past.
    #[must_use]
    pub fn exhausted(&self, now: Moment) -> Option<Problem> {
        schedule::exhausted(&self.definition, &self.timing, now)
    }
}

fn compile_request(definition: &Definition) -> Result<Option<Box<Request>>, Vec<Problem>> {
    let Some(spec) = &definition.request else {
        return Ok(None);
    };
    let options = CompileOptions {
        secret_uri_everywhere: definition.secret_uri_everywhere,
        field: "request",
    };
    let request = Request::compile(spec, options)?;
    let problems = request.check_env(&definition.env);
    if problems.is_empty() {
        Ok(Some(Box::new(request)))
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests;
