//! Calls to the node's API with the owner's token, each answer kept as it came, head and body.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value as Json;
use tokio::net::TcpStream;

const PATIENCE: Duration = Duration::from_secs(10);

/// An answer as it came.
pub(super) struct Answered {
    /// The call: method and path.
    pub(super) call: String,
    pub(super) bytes: Vec<u8>,
}

/// A caller with the owner's token.
pub(super) struct Calls {
    address: SocketAddr,
    bearer: HeaderValue,
    pub(super) answered: Vec<Answered>,
}

impl Calls {
    /// Reads the token from its file.
    pub(super) fn new(address: SocketAddr, token: &Path) -> Result<Self> {
        let token = std::fs::read_to_string(token).context("the owner's token can't be read")?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .context("the owner's token is no header")?;
        bearer.set_sensitive(true);
        Ok(Self {
            address,
            bearer,
            answered: Vec::new(),
        })
    }

    /// Gets a path; a refusal is an error.
    pub(super) async fn get(&mut self, path: &str) -> Result<Json> {
        self.call(Method::GET, path, None).await
    }

    /// Posts a body; a refusal is an error.
    pub(super) async fn post(&mut self, path: &str, body: &Json) -> Result<Json> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&mut self, method: Method, path: &str, body: Option<&Json>) -> Result<Json> {
        let (status, body) = self.send(method.clone(), path, body).await?;
        let json: Json = serde_json::from_slice(&body).unwrap_or_default();
        if !(200..300).contains(&status) {
            bail!(
                "{method} {path} was answered with {status}: {}",
                json["error"]["message"].as_str().unwrap_or("no message")
            );
        }
        Ok(json)
    }

    /// Sends, keeps the answer whatever it is, and gives its status and body.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Json>,
    ) -> Result<(u16, Bytes)> {
        let call = format!("{method} {path}");
        let bytes = body
            .map(|body| Bytes::from(body.to_string()))
            .unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, self.bearer.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close")
            .body(Full::new(bytes))?;
        let exchanged = tokio::time::timeout(PATIENCE, exchange(self.address, request)).await;
        let answer = exchanged
            .with_context(|| format!("{call} was not answered in time"))?
            .with_context(|| format!("{call} failed"))?;
        self.answered.push(Answered {
            bytes: as_it_came(&answer),
            call,
        });
        Ok((answer.status().as_u16(), answer.into_body()))
    }
}

async fn exchange(address: SocketAddr, request: Request<Full<Bytes>>) -> Result<Response<Bytes>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(head, body))
}

fn as_it_came(answer: &Response<Bytes>) -> Vec<u8> {
    let mut bytes = format!("{:?} {}\n", answer.version(), answer.status()).into_bytes();
    for (name, value) in answer.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    bytes.extend_from_slice(b"\n");
    bytes.extend_from_slice(answer.body());
    bytes
}
