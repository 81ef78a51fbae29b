//! What all tests share: a set of secrets, the variables of an attempt, and short ways to compile and render. No assertions.

use std::collections::BTreeMap;

use padclock_template::{
    AuthSpec, CompileOptions, Found, Problem, RenderError, Rendered, Request, RequestSpec,
    SecretRef, Secrets, Variables,
};
use padclock_vault::Value;

/// Secrets by name; a name that is absent is missing.
#[derive(Default)]
pub struct Safe {
    pub values: BTreeMap<String, Value>,
    pub unreadable: Vec<String>,
}

impl Safe {
    pub fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.values
            .insert(name.to_owned(), Value::new(value.as_ref()));
        self
    }
}

impl Secrets for Safe {
    fn get(&self, reference: &SecretRef) -> Found<'_> {
        if self.unreadable.contains(&reference.name) {
            return Found::Unreadable;
        }
        self.values
            .get(&reference.name)
            .map_or(Found::Missing, Found::Value)
    }
}

pub fn safe(name: &str, value: impl AsRef<[u8]>) -> Safe {
    Safe::default().with(name, value)
}

pub fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

pub fn vars(env: &BTreeMap<String, String>) -> Variables<'_> {
    Variables {
        now: "2026-03-09T15:00:00Z",
        now_unix: 1_773_068_400,
        last_run: "2026-03-09T14:00:00Z",
        job_name: "daily report",
        job_id: "cj_1",
        execution_id: "exec_1",
        random_uuid: "550e8400-e29b-41d4-a716-446655440000",
        scheduled_for: "2026-03-09T15:00:00.000Z",
        environment: "production",
        workspace: "default",
        attempt: 2,
        attempt_unix: 1_440_938_160,
        env,
    }
}

pub fn get(url: &str) -> RequestSpec {
    RequestSpec::get(url)
}

pub fn header(name: &str, value: &str) -> RequestSpec {
    let mut spec = get("https://example.com/");
    spec.headers.insert(name.to_owned(), value.to_owned());
    spec
}

/// A POST with a content type (empty for none) and a body.
pub fn post(content_type: &str, body: serde_json::Value) -> RequestSpec {
    let mut spec = get("https://example.com/");
    spec.method = "POST".to_owned();
    if !content_type.is_empty() {
        spec.headers
            .insert("Content-Type".to_owned(), content_type.to_owned());
    }
    spec.body = Some(body);
    spec
}

pub fn basic(username: &str, password: &str) -> RequestSpec {
    let mut spec = get("https://example.com/");
    spec.auth = Some(AuthSpec::Basic {
        username: username.to_owned(),
        password: password.to_owned(),
    });
    spec
}

pub fn bearer(token: &str) -> RequestSpec {
    let mut spec = get("https://example.com/");
    spec.auth = Some(AuthSpec::Bearer {
        token: token.to_owned(),
    });
    spec
}

pub fn compile(spec: &RequestSpec) -> Result<Request, Vec<Problem>> {
    compile_with(spec, false)
}

pub fn compile_with(
    spec: &RequestSpec,
    secret_uri_everywhere: bool,
) -> Result<Request, Vec<Problem>> {
    let options = CompileOptions {
        secret_uri_everywhere,
        field: "request",
    };
    Request::compile(spec, options)
}

pub fn render(spec: &RequestSpec, safe: &Safe) -> Result<Rendered, RenderError> {
    render_env(spec, safe, &env(&[]))
}

pub fn render_env(
    spec: &RequestSpec,
    safe: &Safe,
    env: &BTreeMap<String, String>,
) -> Result<Rendered, RenderError> {
    compile(spec)
        .expect("the request compiles")
        .render(&vars(env), safe)
}

/// `field code position` of each problem.
pub fn problems(spec: &RequestSpec) -> Vec<String> {
    list(compile(spec).expect_err("the request does not compile"))
}

pub fn list(problems: Vec<Problem>) -> Vec<String> {
    let line = |problem: Problem| match problem.position {
        Some(position) => format!("{} {} {position}", problem.field, problem.code),
        None => format!("{} {}", problem.field, problem.code),
    };
    problems.into_iter().map(line).collect()
}

#[expect(clippy::disallowed_methods, reason = "tests look at what was rendered")]
pub fn bytes(value: &Value) -> &[u8] {
    value.expose()
}

pub fn text(value: &Value) -> String {
    String::from_utf8(bytes(value).to_vec()).expect("what is rendered here is UTF-8")
}

pub fn url_of(rendered: &Rendered) -> String {
    text(&rendered.url)
}

pub fn body_of(rendered: &Rendered) -> String {
    text(rendered.body.as_ref().expect("there is a body"))
}

pub fn header_of(rendered: &Rendered, name: &str) -> String {
    let header = rendered.headers.iter().find(|header| header.name == name);
    text(&header.expect("the header is there").value)
}

/// `name=bytes` of what the redactor is told, in order.
pub fn derived_of(rendered: &Rendered) -> Vec<String> {
    let show = |(name, value): &(String, Value)| format!("{name}={}", text(value));
    rendered.derived.iter().map(show).collect()
}
