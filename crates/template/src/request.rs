//! The compiled request: made when a job is saved or first needed, asked what it uses, rendered at each attempt by `render`.

use std::collections::BTreeMap;

use padclock_vault::Place;

use crate::address::{self, Address, compile_address};
use crate::auth::{Auth, compile_auth, compile_sign_with};
use crate::body::compile_body;
use crate::compile::{CompileOptions, Compiler, Field, Uses};
use crate::expression::{SecretRef, Variable};
use crate::header::{Header, compile_headers};
use crate::piece::Text;
use crate::problem::Problem;
use crate::spec::{AuthSpec, RequestSpec};
use crate::token::TokenRequest;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const TIMEOUT_SECONDS: std::ops::RangeInclusive<u32> = 1..=300;

/// A request that has been parsed and checked, ready to be rendered any number of times.
#[derive(Debug)]
pub struct Request {
    pub(crate) method: &'static str,
    pub(crate) address: Address,
    pub(crate) headers: Vec<Header>,
    pub(crate) auth: Option<Auth>,
    /// The key of `sign_with`.
    pub(crate) sign_with: Option<Text>,
    pub(crate) body: Option<Text>,
    uses: Uses,
    timeout_seconds: u32,
    success_statuses: Vec<u16>,
    follow_redirects: bool,
}

impl Request {
    /// Parses and checks a request.
    ///
    /// # Errors
    /// Every problem of every field, in the order of the fields.
    pub fn compile(
        spec: &RequestSpec,
        options: CompileOptions<'_>,
    ) -> Result<Request, Vec<Problem>> {
        let mut compiler = Compiler::new(options);
        let address = compile_address(&mut compiler, address::URL, &spec.url, &spec.query);
        let method = compile_method(&mut compiler, &spec.method);
        let mut headers = compile_headers(&mut compiler, &spec.headers);
        let auth = spec
            .auth
            .as_ref()
            .and_then(|auth| compile_auth(&mut compiler, auth, &headers));
        let sign_with = spec
            .sign_with
            .as_ref()
            .map(|name| compile_sign_with(&mut compiler, name, &headers));
        let body = spec
            .body
            .as_ref()
            .and_then(|body| compile_body(&mut compiler, body, &spec.headers));
        check_answer(&mut compiler, spec);
        check_redirects(&mut compiler, spec);
        if let Some(content_type) = body.as_ref().and_then(|body| body.content_type) {
            headers.push(Header::fixed("Content-Type", content_type));
        }
        let uses = compiler.finish()?;
        let (Some(address), Some(method)) = (address, method) else {
            return Err(Vec::new()); // not reached: what is missing has left a problem, and `finish` has answered it
        };
        Ok(Request {
            method,
            address,
            headers,
            auth,
            sign_with,
            body: body.map(|body| body.text),
            uses,
            timeout_seconds: spec.timeout_seconds,
            success_statuses: spec.success_statuses.clone(),
            follow_redirects: spec.follow_redirects,
        })
    }

    /// The secrets it may use and where, sorted, without repeats: known before it runs.
    pub fn references(&self) -> Vec<(SecretRef, Place)> {
        self.uses.references().to_vec()
    }

    /// The request for the token that this one needs, if it needs one. What stands in the place `auth` is then the token request's, and
    /// goes to the token's host and not to this request's.
    pub fn token(&self) -> Option<&TokenRequest> {
        match &self.auth {
            Some(Auth::Token(token)) => Some(token),
            _ => None,
        }
    }

    /// Whether `last_run` has to be looked up.
    pub fn uses_last_run(&self) -> bool {
        self.uses.variable(Variable::LastRun)
    }

    /// Whether it reads a variable.
    pub fn uses(&self, variable: Variable) -> bool {
        self.uses.variable(variable)
    }

    /// What is wrong with this request together with the job's env: keys that are missing, and an origin that it can't make.
    /// To be called when the job is saved, since a request alone does not know the env.
    pub fn check_env(&self, env: &BTreeMap<String, String>) -> Vec<Problem> {
        let mut problems = self.uses.missing_env(env);
        if problems.is_empty() {
            problems.extend(self.address.origin_problem(env));
            problems.extend(
                self.token()
                    .and_then(|token| token.address.origin_problem(env)),
            );
        }
        problems
    }

    /// The names of its headers, as they were given.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|header| header.name.as_str())
    }

    /// GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Seconds until an attempt is given up, 1 to 300.
    pub fn timeout_seconds(&self) -> u32 {
        self.timeout_seconds
    }

    /// Response statuses that count as success.
    pub fn success_statuses(&self) -> &[u16] {
        &self.success_statuses
    }

    /// Whether redirects are followed.
    pub fn follow_redirects(&self) -> bool {
        self.follow_redirects
    }
}

fn compile_method(compiler: &mut Compiler<'_>, method: &str) -> Option<&'static str> {
    let known = METHODS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(method));
    if known.is_none() {
        let message = format!("the method is one of {}", METHODS.join(", "));
        compiler.problem(Field::new("", "method"), "bad_method", None, message);
    }
    known
}

/// A signature is made for one URL: what a redirect asks for is another.
fn check_redirects(compiler: &mut Compiler<'_>, spec: &RequestSpec) {
    if spec.follow_redirects && matches!(spec.auth, Some(AuthSpec::Awsv4(_))) {
        let message = "an AWS signature holds for one URL only: set this to false, and write the URL that the redirect leads to";
        compiler.problem(
            Field::new("", "follow_redirects"),
            "conflict",
            None,
            message,
        );
    }
}

fn check_answer(compiler: &mut Compiler<'_>, spec: &RequestSpec) {
    if !TIMEOUT_SECONDS.contains(&spec.timeout_seconds) {
        let message = format!(
            "the time-out is 1 to 300 seconds, not {}",
            spec.timeout_seconds
        );
        compiler.problem(
            Field::new("", "timeout_seconds"),
            "out_of_range",
            None,
            message,
        );
    }
    let field = Field::new("", "success_statuses");
    if spec.success_statuses.is_empty() {
        compiler.problem(
            field,
            "required",
            None,
            "name at least one status, such as 200",
        );
    }
    if let Some(status) = spec
        .success_statuses
        .iter()
        .find(|status| !(100..=599).contains(*status))
    {
        let message = format!("a status is 100 to 599, not {status}");
        compiler.problem(field, "out_of_range", None, message);
    }
}
