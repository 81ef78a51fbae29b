//! A small HTTP client: keep-alive, JSON in and out, answers that explain themselves when they are not what a test expects.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// How long a condition may take to come true. Far beyond what a loaded machine needs, so that only a fault reaches it.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// Between two looks at a condition that has no way to tell.
const LOOK: Duration = Duration::from_millis(15);

/// The same for a node that has thousands of executions to work off, and looks that are dear.
const LONG_PATIENCE: Duration = Duration::from_secs(300);
const RARE_LOOK: Duration = Duration::from_millis(250);

/// Waits for a condition, looking at it again and again; answers what it yields.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl FnMut() -> F) -> T {
    wait(what, LOOK, PATIENCE, look).await
}

/// As [`until`], for what takes minutes.
pub async fn until_at_last<T, F: Future<Output = Option<T>>>(
    what: &str,
    look: impl FnMut() -> F,
) -> T {
    wait(what, RARE_LOOK, LONG_PATIENCE, look).await
}

async fn wait<T, F: Future<Output = Option<T>>>(
    what: &str,
    step: Duration,
    patience: Duration,
    mut look: impl FnMut() -> F,
) -> T {
    let mut ticks = tokio::time::interval(step);
    let waiting = async {
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    tokio::time::timeout(patience, waiting)
        .await
        .unwrap_or_else(|_| panic!("never happened: {what}"))
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub call: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Fails the test unless the answer has this status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.call, self.text());
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{}: no JSON ({error}): {}", self.call, self.text()))
    }

    /// A header's value; empty when there is none.
    pub fn header(&self, name: &str) -> String {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap().to_owned())
            .unwrap_or_default()
    }

    /// Fails unless this is the error envelope with this status, code and, when one is named, the detail's field and code.
    pub fn refused(self, status: u16, code: &str, detail: Option<(&str, &str)>) -> Self {
        let answer = self.expect(status);
        let json = answer.json();
        let error = &json["error"];
        assert_eq!(error["code"], code, "{}: {json}", answer.call);
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{}: {json}",
            answer.call
        );
        assert_eq!(
            error["request_id"],
            answer.header("x-request-id"),
            "{}: {json}",
            answer.call
        );
        if let Some((field, word)) = detail {
            let details = error["details"].as_array().unwrap();
            let found = details
                .iter()
                .any(|detail| detail["field"] == field && detail["code"] == word);
            assert!(found, "{}: no detail {field}/{word} in {json}", answer.call);
        }
        answer
    }

    /// The id in the answer.
    pub fn id(&self) -> String {
        self.json()["id"]
            .as_str()
            .unwrap_or_else(|| panic!("{}: no id in {}", self.call, self.text()))
            .to_owned()
    }
}

/// Calls one server as one member, or as nobody.
#[derive(Debug, Clone)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    base: String,
    token: Option<String>,
}

/// A call in the making.
#[derive(Debug)]
pub struct Call<'c> {
    client: &'c Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Client {
    pub fn new(base: String, token: Option<&str>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let pool = Pool::builder(TokioExecutor::new()).build(connector);
        Self {
            pool,
            base,
            token: token.map(str::to_owned),
        }
    }

    /// The same server, called with another token or none.
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        let mut headers = HeaderMap::new();
        if let Some(token) = &self.token {
            headers.insert(
                "authorization",
                HeaderValue::from_str(&format!("Bearer {token}")).unwrap(),
            );
        }
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        Call {
            client: self,
            method,
            path: path.to_owned(),
            headers,
            body: Bytes::new(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path).send().await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path).json(body).send().await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.call("PATCH", path).json(body).send().await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call("PUT", path).json(body).send().await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path).send().await
    }

    /// Creates a secret; its id.
    pub async fn secret(&self, name: &str, value: &str) -> String {
        self.post(
            "/v1/secrets",
            &serde_json::json!({"name": name, "value": value}),
        )
        .await
        .expect(201)
        .id()
    }

    /// Creates a job; its id.
    pub async fn job(&self, definition: &Value) -> String {
        self.post("/v1/jobs", definition).await.expect(201).id()
    }

    /// Creates a job that only runs when asked; its id.
    pub async fn manual(&self, name: &str, request: Value) -> String {
        self.job(&serde_json::json!({"name": name, "kind": "manual", "request": request}))
            .await
    }

    /// Starts an execution of a job; its id.
    pub async fn start(&self, job: &str) -> String {
        self.call("POST", &format!("/v1/jobs/{job}/run-now"))
            .send()
            .await
            .expect(202)
            .id()
    }

    pub async fn execution(&self, id: &str) -> Value {
        self.get(&format!("/v1/executions/{id}"))
            .await
            .expect(200)
            .json()
    }

    /// Waits until an execution has this status; the execution.
    pub async fn reaches(&self, id: &str, status: &str) -> Value {
        let what = format!("execution {id} is {status}");
        until(&what, || async {
            Some(self.execution(id).await).filter(|found| found["status"] == status)
        })
        .await
    }

    /// Waits until an execution is over; the execution.
    pub async fn over(&self, id: &str) -> Value {
        let open = ["queued", "running", "waiting"];
        let what = format!("execution {id} is over");
        until(&what, || async {
            Some(self.execution(id).await).filter(|found| !open.contains(&word(found, "status")))
        })
        .await
    }

    /// Runs a job once, to the end; the execution.
    pub async fn run(&self, job: &str) -> Value {
        self.over(&self.start(job).await).await
    }

    /// All items of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = self
                .get(&format!("{path}{join}limit=100{cursor}"))
                .await
                .expect(200)
                .json();
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }
}

/// A text field of an object; empty when it is none.
pub fn word<'v>(object: &'v Value, field: &str) -> &'v str {
    object[field].as_str().unwrap_or_default()
}

impl Call<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers
            .insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(serde_json::to_vec(body).unwrap())
    }

    /// The answer, or none when the connection fails.
    pub async fn try_send(self) -> Option<Answer> {
        let call = format!("{} {}", self.method, self.path);
        let mut request = Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = format!("{}{}", self.client.base, self.path)
            .parse()
            .unwrap();
        *request.headers_mut() = self.headers;
        let answer = async {
            let answer = self.client.pool.request(request).await.ok()?;
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.ok()?.to_bytes();
            Some((parts, body))
        };
        let (parts, body) = tokio::time::timeout(PATIENCE, answer).await.ok()??;
        let status: StatusCode = parts.status;
        Some(Answer {
            call,
            status: status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    pub async fn send(self) -> Answer {
        let call = format!("{} {}", self.method, self.path);
        self.try_send()
            .await
            .unwrap_or_else(|| panic!("{call}: no answer"))
    }
}
