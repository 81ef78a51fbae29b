//! JSON documents whose jobs have Padclock's shape: TrigRun's answers, Padclock's own, and what `cronctl export` writes.

use padclock_job::{Definition, InitialState};
use padclock_template::AuthSpec;
use padclock_vault::{EgressPolicy, Place as InRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::plan::{Place, Plan, PlannedJob, WantedSecret};
use crate::secrets::{Context, Find, Secrets, Spoken, Target, Uses};
use crate::shell::Reason;
use crate::{Format, Options, Unread, cron_job_org, dotenv, extract, form, json_text, names, url};

/// What an exported document says it is.
pub const FORMAT: &str = "padclock-export/1";

/// All jobs of a workspace, and what is known of its secrets; no value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// [`FORMAT`].
    pub format: String,
    /// The jobs, each with its state.
    pub jobs: Vec<Json>,
    /// The secrets that they may use.
    pub secrets: Vec<ExportedSecret>,
}

/// What is known of a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportedSecret {
    /// How templates name it.
    pub name: String,
    /// The environment it serves; `workspace`: all.
    #[serde(default = "all_environments")]
    pub environment: String,
    /// Whose it is: `workspace` or `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it may be sent; null: anywhere.
    #[serde(default)]
    pub egress: Option<EgressPolicy>,
    /// Whether it can be read back: `allowed` or `never`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reveal: Option<String>,
    /// After how many days a new value is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate_every_days: Option<u32>,
}

const ALL: &str = "workspace";

fn all_environments() -> String {
    ALL.to_owned()
}

/// Fields that an answer has and a definition has not.
const ANSWERED: [&str; 11] = [
    "id",
    "generation",
    "next_run_at",
    "last_run_at",
    "last_execution",
    "preview",
    "warnings",
    "created_at",
    "updated_at",
    "workspace_id",
    "unresolved_secrets",
];

pub(crate) fn json(text: &str) -> Result<Json, Unread> {
    serde_json::from_str(text).map_err(|error| Unread::NotJson {
        line: error.line(),
        column: error.column(),
    })
}

/// Which of the JSON formats a text is.
pub(crate) fn guess(text: &str) -> Result<Format, Unread> {
    let document = json(text)?;
    if document.get("format").and_then(Json::as_str) == Some(FORMAT) {
        return Ok(Format::Padclock);
    }
    let items = items(&document);
    let first = items.first().copied().unwrap_or(&Json::Null);
    if cron_job_org::looks_like_one(first) {
        return Ok(Format::CronJobOrg);
    }
    let has = |field| first.get(field).is_some();
    if has("name") && (has("kind") || has("request") || has("created_at") || has("environment")) {
        return Ok(Format::TrigRun);
    }
    Err(Unread::Unknown)
}

/// The things of a document: of a list, of `{"items": […]}` and its kin, or the one.
pub(crate) fn items(document: &Json) -> Vec<&Json> {
    let lists = ["items", "jobs", "secrets", "data"];
    let within: Vec<&Json> = lists
        .iter()
        .filter_map(|name| document.get(name)?.as_array())
        .flatten()
        .collect();
    match document {
        Json::Array(items) => items.iter().collect(),
        _ if lists
            .iter()
            .any(|name| document.get(name).is_some_and(Json::is_array)) =>
        {
            within
        }
        Json::Object(_) => vec![document.get("jobDetails").unwrap_or(document)],
        _ => Vec::new(),
    }
}

/// Reads TrigRun's jobs and lists of secrets.
pub(crate) fn trigrun(text: &str, options: &Options<'_>, find: &Find<'_>) -> Result<Plan, Unread> {
    let document = json(text)?;
    let items = items(&document);
    if !document.is_object() && !document.is_array() {
        return Err(Unread::Shape(
            "a job, a list of them or {\"items\": […]} is expected",
        ));
    }
    let (jobs, others): (Vec<_>, Vec<_>) = numbered(items).partition(|(_, item)| {
        item.get("kind").is_some()
            || item.get("request").is_some()
            || item.get("schedule").is_some()
    });
    let mut plan = read_jobs(&jobs, options, find);
    for (at, item) in others {
        match serde_json::from_value::<ExportedSecret>(item.clone()) {
            Ok(secret) => plan.wanted.push(wanted(secret)),
            Err(_) => plan.leave_out(at, "it is neither a job nor a secret"),
        }
    }
    want_referenced(&mut plan);
    Ok(plan)
}

/// Reads what `cronctl export` wrote.
pub(crate) fn padclock(text: &str, options: &Options<'_>, find: &Find<'_>) -> Result<Plan, Unread> {
    let shape = || {
        Unread::Shape(
            "it is not what `cronctl export` writes: {\"format\": \"padclock-export/1\", \"jobs\": […], \"secrets\": […]}",
        )
    };
    let document: Export = serde_json::from_value(json(text)?).map_err(|_| shape())?;
    if document.format != FORMAT {
        return Err(Unread::Shape(
            "it was exported by another version: only padclock-export/1 is understood",
        ));
    }
    let jobs: Vec<_> = numbered(document.jobs.iter().collect()).collect();
    let mut plan = read_jobs(&jobs, options, find);
    plan.wanted = document.secrets.into_iter().map(wanted).collect();
    want_referenced(&mut plan);
    Ok(plan)
}

fn numbered(items: Vec<&Json>) -> impl Iterator<Item = (Place, &Json)> {
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| (Place::Item(index + 1), item))
}

fn wanted(secret: ExportedSecret) -> WantedSecret {
    WantedSecret {
        environment: Some(secret.environment).filter(|name| name != ALL),
        name: secret.name,
        egress: secret.egress,
    }
}

fn read_jobs(items: &[(Place, &Json)], options: &Options<'_>, find: &Find<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut secrets = Secrets::new(find, options.taken, options.environment);
    for &(at, item) in items {
        match definition(item, options) {
            Err(reason) => plan.leave_out(at, reason),
            Ok(mut definition) => match hide(&mut definition, at, &mut secrets) {
                Err(reason) => plan.leave_out(at, reason),
                Ok(names) => plan.jobs.push(PlannedJob {
                    at,
                    definition,
                    secrets: names,
                    notes: Vec::new(),
                }),
            },
        }
    }
    plan.secrets = secrets.all;
    plan
}

fn definition(item: &Json, options: &Options<'_>) -> Result<Definition, String> {
    let Json::Object(fields) = item else {
        return Err("it is no object".to_owned());
    };
    let mut fields = stripped(fields);
    let state = fields.remove("state").or_else(|| fields.remove("status"));
    let active = state.as_ref().and_then(Json::as_str) == Some("active");
    // Its message would repeat text of the document.
    let mut definition: Definition =
        serde_json::from_value(Json::Object(fields)).map_err(|error| shape_of(&error))?;
    let keep = options.keep_state && active;
    definition.state = Some(if keep {
        InitialState::Active
    } else {
        InitialState::Paused
    });
    if let Some(environment) = options.environment {
        definition.environment = Some(environment.to_owned());
    }
    Ok(definition)
}

/// An answer about a job without what only an answer has; its state stays.
#[must_use]
pub fn definition_of(answer: &Json) -> Json {
    match answer {
        Json::Object(fields) => Json::Object(stripped(fields)),
        other => other.clone(),
    }
}

fn stripped(fields: &serde_json::Map<String, Json>) -> serde_json::Map<String, Json> {
    let mut fields = fields.clone();
    fields.retain(|name, value| !ANSWERED.contains(&name.as_str()) && !value.is_null());
    fields
}

/// What is wrong with a definition's shape, as far as it says nothing of its texts.
fn shape_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let field = |prefix: &str| {
        let name = text.strip_prefix(prefix)?.split('`').next()?;
        let plain = name.len() <= 32
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        plain.then(|| name.to_owned())
    };
    match (field("unknown field `"), field("missing field `")) {
        (Some(name), _) => format!("it has a field that a job has not: {name}"),
        (_, Some(name)) => format!("it lacks the field {name}"),
        _ => "it has not the shape of a job".to_owned(),
    }
}

/// Puts references where credentials stand in plain text. What holds a reference already stays as it is.
fn hide(
    definition: &mut Definition,
    at: Place,
    secrets: &mut Secrets<'_>,
) -> Result<Vec<String>, Reason> {
    for (name, value) in &definition.env {
        let field = format!("env.{name}");
        let context = Context {
            field: &field,
            name,
        };
        if !is_template(value) && (names::tells_credential(name) || secrets.any(context, value)) {
            return Err(
                "one of its variables (env) holds a credential: make it a secret, and name that instead",
            );
        }
    }
    let Some(request) = &mut definition.request else {
        return Ok(Vec::new());
    };
    let target = target(&request.url);
    let mut job = Uses {
        at,
        target: &target,
        names: Vec::new(),
    };
    hide_url(&mut request.url, secrets, &mut job)?;
    for (name, value) in &mut request.query {
        let field = format!("request.query.{name}");
        hide_text(value, &field, name, InRequest::Query, secrets, &mut job)?;
    }
    for (name, value) in &mut request.headers {
        let field = format!("request.headers.{name}");
        hide_text(value, &field, name, InRequest::Header, secrets, &mut job)?;
    }
    if let Some(auth) = &mut request.auth {
        hide_auth(auth, secrets, &mut job)?;
    }
    if let Some(body) = &mut request.body {
        let form = request.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type") && value.contains("x-www-form-urlencoded")
        });
        hide_body(body, form, "", secrets, &mut job)?;
    }
    Ok(job.names)
}

/// Where the URL goes, as far as it is written out.
fn target(text: &str) -> Target {
    let written = text.split("{{").next().unwrap_or_default();
    url::parts(written)
        .map(|parts| parts.target)
        .unwrap_or(Target {
            scheme: "https".to_owned(),
            host: "localhost".to_owned(),
            port: 443,
        })
}

fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("secret://")
}

fn same(text: &str) -> String {
    text.to_owned()
}

fn hide_url(
    text: &mut String,
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
) -> Result<(), Reason> {
    let (head, query) = match text.split_once('?') {
        Some((head, query)) => (head, Some(query)),
        None => (text.as_str(), None),
    };
    let mut whole = if is_template(head) {
        head.to_owned()
    } else {
        hide_path(head, secrets, job)?
    };
    if let Some(query) = query {
        let mut pairs = Vec::new();
        for pair in query.split('&') {
            pairs.push(if is_template(pair) {
                pair.to_owned()
            } else {
                form::replace(secrets, job, InRequest::Query, pair)?
            });
        }
        whole = format!("{whole}?{}", pairs.join("&"));
    }
    *text = whole;
    Ok(())
}

fn hide_path(head: &str, secrets: &mut Secrets<'_>, job: &mut Uses<'_>) -> Result<String, Reason> {
    if !head.contains("://") {
        return Err("its URL does not begin with http:// or https://");
    }
    let parts = url::parts(head)?;
    if parts.user.is_some() {
        return Err("its URL holds a user and a password: give them in auth");
    }
    extract::refuse_in_host(secrets, &parts)?;
    let at = Spoken {
        context: Context {
            field: "request.url",
            name: "",
        },
        place: InRequest::Url,
    };
    let path = secrets.replace(job, at, &parts.path, None, &same)?;
    Ok(format!(
        "{}{}",
        parts.origin,
        path.unwrap_or_else(|| parts.path.to_string())
    ))
}

/// The credentials of `auth`. A client's goes to where its token comes from, not to the job's target.
fn hide_auth(
    auth: &mut AuthSpec,
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
) -> Result<(), Reason> {
    let field = "request.auth";
    match auth {
        AuthSpec::Basic { password, .. } => {
            hide_text(password, field, "password", InRequest::Auth, secrets, job)
        }
        AuthSpec::Bearer { token } => {
            hide_text(token, field, "token", InRequest::Auth, secrets, job)
        }
        AuthSpec::Awsv4(aws) => {
            let key = &mut aws.secret_access_key;
            hide_text(
                key,
                field,
                "secret_access_key",
                InRequest::Auth,
                secrets,
                job,
            )?;
            match &mut aws.session_token {
                Some(token) => {
                    hide_text(token, field, "session_token", InRequest::Auth, secrets, job)
                }
                None => Ok(()),
            }
        }
        AuthSpec::Oauth2ClientCredentials(client) => {
            let issuer = target(&client.token_url);
            let mut asking = Uses {
                at: job.at,
                target: &issuer,
                names: std::mem::take(&mut job.names),
            };
            let secret = &mut client.client_secret;
            let hidden = hide_text(
                secret,
                field,
                "client_secret",
                InRequest::Auth,
                secrets,
                &mut asking,
            );
            job.names = asking.names;
            hidden
        }
    }
}

fn hide_text(
    text: &mut String,
    field: &str,
    name: &str,
    place: InRequest,
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
) -> Result<(), Reason> {
    if is_template(text) {
        return Ok(());
    }
    let whole = match place {
        InRequest::Header => extract::whole_header(name, text),
        _ => (names::tells_credential(name) && text.len() >= 4).then_some(0..text.len()),
    };
    let at = Spoken {
        context: Context { field, name },
        place,
    };
    if let Some(replaced) = secrets.replace(job, at, text, whole, &same)? {
        *text = replaced;
    }
    Ok(())
}

fn hide_body(
    body: &mut Json,
    form: bool,
    key: &str,
    secrets: &mut Secrets<'_>,
    job: &mut Uses<'_>,
) -> Result<(), Reason> {
    match body {
        Json::String(text) if is_template(text) => {}
        Json::String(text) if key.is_empty() && form => {
            *text = form::replace(secrets, job, InRequest::Body, text)?
        }
        Json::String(text)
            if key.is_empty() && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() =>
        {
            *text = json_text::replace(secrets, job, text)?;
        }
        Json::String(text) => {
            if let Some(replaced) = json_text::leaf(secrets, job, key, text, &same)? {
                *text = replaced;
            }
        }
        Json::Array(items) => {
            for item in items {
                hide_body(
                    item,
                    form,
                    if key.is_empty() { "item" } else { key },
                    secrets,
                    job,
                )?;
            }
        }
        Json::Object(fields) => {
            for (name, value) in fields {
                hide_body(value, form, name, secrets, job)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Secrets that jobs name and the document does not list.
fn want_referenced(plan: &mut Plan) {
    let mut texts = Vec::new();
    for job in &plan.jobs {
        if let Ok(json) = serde_json::to_value(&job.definition.request) {
            collect(&json, &mut texts);
        }
    }
    for text in texts {
        for name in named(&text) {
            let known = plan.wanted.iter().any(|wanted| wanted.name == name)
                || plan.secrets.iter().any(|secret| secret.name == name);
            if !known {
                plan.wanted.push(WantedSecret {
                    name,
                    environment: None,
                    egress: None,
                });
            }
        }
    }
}

fn collect(json: &Json, texts: &mut Vec<String>) {
    match json {
        Json::String(text) => texts.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Json::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

fn named(text: &str) -> Vec<String> {
    let fits = |c: &char| c.is_ascii_alphanumeric() || "._-".contains(*c);
    let uris = text
        .match_indices("secret://")
        .map(|(at, mark)| at + mark.len());
    let braces = text
        .match_indices("secret.")
        .filter(|(at, _)| text[..*at].trim_end().ends_with("{{"))
        .map(|(at, mark)| at + mark.len());
    let name = |start: usize| {
        text[start..]
            .chars()
            .take_while(fits)
            .collect::<String>()
            .trim_end_matches('.')
            .to_owned()
    };
    uris.chain(braces)
        .map(name)
        .filter(|name| !name.is_empty() && dotenv::reference(&format!("secret://{name}")).is_some())
        .collect()
}
