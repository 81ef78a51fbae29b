//! Jobs as cron-job.org's REST API answers them (docs.cron-job.org/rest-api.html): `Job` and `DetailedJob`.

use std::collections::BTreeMap;

use padclock_job::{Definition, InitialState, Kind};
use serde::Deserialize;
use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::documents::{items, json};
use crate::draft::{self, Draft, DraftAuth};
use crate::plan::{Place, Plan, PlannedJob};
use crate::secrets::{Find, Secrets};
use crate::{Options, Unread, extract, names};

/// By number, from 0.
const METHODS: [&str; 9] = [
    "GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE", "TRACE", "CONNECT", "PATCH",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    #[serde(default)]
    title: String,
    url: String,
    #[serde(default)]
    enabled: Option<bool>,
    #[serde(default)]
    schedule: Schedule,
    #[serde(default)]
    request_method: usize,
    #[serde(default)]
    request_timeout: Option<i64>,
    #[serde(default)]
    redirect_success: bool,
    #[serde(default)]
    extended_data: Extended,
    #[serde(default)]
    auth: Auth,
}

/// Numbers that fit; -1: every one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Schedule {
    timezone: String,
    expires_at: i64,
    hours: Vec<i64>,
    mdays: Vec<i64>,
    minutes: Vec<i64>,
    months: Vec<i64>,
    wdays: Vec<i64>,
}

impl Default for Schedule {
    fn default() -> Self {
        let every = || vec![-1];
        Self {
            timezone: "UTC".to_owned(),
            expires_at: 0,
            hours: every(),
            mdays: every(),
            minutes: every(),
            months: every(),
            wdays: every(),
        }
    }
}

/// Headers are an object; an empty list when there are none.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Extended {
    headers: Json,
    body: Zeroized,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Auth {
    enable: bool,
    user: Zeroized,
    password: Zeroized,
}

#[derive(Default)]
struct Zeroized(Zeroizing<String>);

impl<'de> Deserialize<'de> for Zeroized {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(Self(Zeroizing::new(text.unwrap_or_default())))
    }
}

/// Whether this is one of its jobs.
pub(crate) fn looks_like_one(item: &Json) -> bool {
    item.get("url").is_some()
        && (item.get("jobId").is_some()
            || item.get("requestMethod").is_some()
            || item.get("extendedData").is_some())
}

/// Reads jobs.
pub(crate) fn read(text: &str, options: &Options<'_>, find: &Find<'_>) -> Result<Plan, Unread> {
    let document = json(text)?;
    let items = items(&document);
    if items.is_empty() {
        return Err(Unread::Shape(
            "{\"jobs\": […]}, {\"jobDetails\": {…}} or a list of jobs is expected",
        ));
    }
    let mut plan = Plan::default();
    let mut secrets = Secrets::new(find, options.taken, options.environment);
    let mut taken = names::JobNames::default();
    let mut bare = false;
    for (index, item) in items.into_iter().enumerate() {
        let at = Place::Item(index + 1);
        bare |= item.get("extendedData").is_none();
        match job(item, at, options, &mut secrets, &mut taken) {
            Ok(job) => plan.jobs.push(job),
            Err(reason) => plan.leave_out(at, reason),
        }
    }
    if bare {
        plan.note(None, "items without extendedData come from the list, which leaves headers, body and auth out: import GET /jobs/ID of each for those");
    }
    plan.secrets = secrets.all;
    Ok(plan)
}

fn job(
    item: &Json,
    at: Place,
    options: &Options<'_>,
    secrets: &mut Secrets<'_>,
    taken: &mut names::JobNames,
) -> Result<PlannedJob, String> {
    let job = Job::deserialize(item).map_err(|_| "it has not the shape of a job")?;
    let (expression, timezone) = (expression(&job.schedule)?, job.schedule.timezone.clone());
    let (enabled, expires, title) = (
        job.enabled != Some(false),
        job.schedule.expires_at,
        job.title.clone(),
    );
    let request = extract::request(draft_of(job)?, at, secrets)?;
    let context = crate::Context {
        field: "name",
        name: "name",
    };
    let title = if title.trim().is_empty() || secrets.any(context, &title) {
        &request.name
    } else {
        title.trim()
    };
    let mut definition = Definition::new(taken.take(title), Kind::Cron);
    definition.schedule.expression = Some(expression);
    definition.schedule.timezone = Some(timezone);
    definition.environment = options.environment.map(str::to_owned);
    definition.state = Some(InitialState::Paused);
    // It makes one attempt.
    definition.retry.max_attempts = request.attempts.unwrap_or(definition.retry.max_attempts);
    definition.request = Some(request.spec);
    let mut notes = request.notes;
    if !enabled {
        notes.push("it was switched off there".to_owned());
    }
    if expires > 0 {
        notes.push("it had an end there: give it one by end_at".to_owned());
    }
    Ok(PlannedJob {
        at,
        definition,
        secrets: request.secrets,
        notes,
    })
}

fn draft_of(job: Job) -> Result<Draft, String> {
    let method = METHODS
        .get(job.request_method)
        .ok_or("its method is not known")?;
    let mut draft = Draft {
        url: Zeroizing::new(job.url),
        method: Some((*method).to_owned()),
        follow: job.redirect_success,
        ..Draft::default()
    };
    if let Json::Object(headers) = &job.extended_data.headers {
        let headers: BTreeMap<_, _> = headers
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
            .collect();
        for (name, value) in headers {
            draft
                .headers
                .push((name.clone(), Zeroizing::new(value.to_owned())));
        }
    }
    let texts = draft
        .headers
        .iter()
        .map(|(_, value)| value)
        .chain([&draft.url, &job.extended_data.body.0]);
    if !texts.into_iter().all(|text| draft::is_clean(text)) {
        return Err("it has characters of Unicode's private use area".to_owned());
    }
    if !job.extended_data.body.0.is_empty() {
        draft.body = Some(job.extended_data.body.0);
    }
    if job.auth.enable {
        draft.auth = Some(DraftAuth::Basic {
            user: job.auth.user.0,
            password: job.auth.password.0,
        });
    }
    if let Some(seconds) = job.request_timeout.filter(|seconds| *seconds > 0) {
        draft.set_timeout(seconds as f64);
    }
    Ok(draft)
}

/// The schedule as a cron expression. Days of the month and of the week must both fit there, while in cron one is enough: a
/// schedule that restricts both can't be said.
fn expression(schedule: &Schedule) -> Result<String, &'static str> {
    let every = |numbers: &[i64]| numbers.contains(&-1);
    if !every(&schedule.mdays) && !every(&schedule.wdays) {
        return Err(
            "it names days of the month and of the week, and runs where both fit: cron can't say that",
        );
    }
    let fields = [
        (&schedule.minutes, 0..=59),
        (&schedule.hours, 0..=23),
        (&schedule.mdays, 1..=31),
        (&schedule.months, 1..=12),
        (&schedule.wdays, 0..=6),
    ];
    let mut words = Vec::new();
    for (numbers, range) in fields {
        words.push(field(numbers, range)?);
    }
    Ok(words.join(" "))
}

fn field(numbers: &[i64], range: std::ops::RangeInclusive<i64>) -> Result<String, &'static str> {
    if numbers.contains(&-1) {
        return Ok("*".to_owned());
    }
    if numbers.is_empty() {
        return Err("its schedule never fires");
    }
    if !numbers.iter().all(|number| range.contains(number)) {
        return Err("its schedule has a number that is none of a time");
    }
    let mut numbers = numbers.to_vec();
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers
        .iter()
        .map(i64::to_string)
        .collect::<Vec<_>>()
        .join(","))
}
