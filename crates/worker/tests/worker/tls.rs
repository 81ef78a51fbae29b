//! TLS: who is trusted, HTTP/2 by ALPN, and sessions that are resumed.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use padclock_worker::{End, SetupError, Worker};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::HandshakeKind;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;

use crate::support::source::OneShot;
use crate::support::{
    Case, Names, NeverOpened, Values, code, everything, message, settings, stored,
};

/// A server with a certificate of its own authority.
struct Secure {
    port: u16,
    authority: tempfile::Pem,
    handshakes: UnboundedReceiver<HandshakeKind>,
}

/// A PEM file that goes away with its owner.
mod tempfile {
    use std::path::PathBuf;

    pub struct Pem(pub PathBuf);

    impl Pem {
        pub fn new(name: &str, text: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("padclock-{}-{name}.pem", std::process::id()));
            std::fs::write(&path, text).unwrap();
            Self(path)
        }
    }

    impl Drop for Pem {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

fn certificates() -> (String, rustls::ServerConfig) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let root = authority.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["secure.example".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (root.pem(), config)
}

async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let key = head
        .headers
        .get("x-key")
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let body = body.collect().await?.to_bytes();
    let text = format!(
        "{:?} {} {} {}",
        head.version,
        head.uri.path(),
        key.unwrap_or_default(),
        String::from_utf8_lossy(&body)
    );
    Ok(Response::new(Full::new(text.into())))
}

impl Secure {
    /// A server that agrees on these protocols, and closes each connection after `requests_each` when that is given.
    async fn new(name: &str, protocols: &[&str], close_each: bool) -> Self {
        let (root, mut config) = certificates();
        config.alpn_protocols = protocols
            .iter()
            .map(|protocol| protocol.as_bytes().to_vec())
            .collect();
        let (acceptor, listener) = (
            TlsAcceptor::from(Arc::new(config)),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let port = listener.local_addr().unwrap().port();
        let (handshakes_in, handshakes) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, handshakes) = (acceptor.clone(), handshakes_in.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let _ = handshakes.send(stream.get_ref().1.handshake_kind().unwrap());
                    let mut server = auto::Builder::new(TokioExecutor::new());
                    server.http1().keep_alive(!close_each);
                    let _ = server
                        .serve_connection(TokioIo::new(stream), service_fn(echo))
                        .await;
                });
            }
        });
        Self {
            port,
            authority: tempfile::Pem::new(name, &root),
            handshakes,
        }
    }

    fn case(&self, host: &str) -> Case {
        let mut case = Case::post(format!("https://{host}:{}/path", self.port), "the body")
            .secret("KEY", "a-value-to-hide");
        case.request
            .headers
            .insert("X-Key".to_owned(), "secret://KEY".to_owned());
        case.resolver = Names::new([&["127.0.0.1"]]);
        case.settings.extra_ca = Some(self.authority.0.clone());
        case
    }
}

#[tokio::test]
async fn the_protocol_is_agreed_by_alpn() {
    for (protocols, version) in [
        (vec!["h2", "http/1.1"], "HTTP/2.0"),
        (vec!["http/1.1"], "HTTP/1.1"),
        (vec![], "HTTP/1.1"),
    ] {
        let server = Secure::new(&format!("alpn{}", protocols.len()), &protocols, false).await;
        let done = server.case("secure.example").run().await;
        assert_eq!(done.end, End::Succeeded, "{}", message(&done));
        assert_eq!(
            stored(&done),
            format!("{version} /path [REDACTED:KEY] the body")
        );
    }
}

#[tokio::test]
async fn an_unknown_authority_or_another_name_is_refused() {
    let server = Secure::new("trust", &["http/1.1"], false).await;
    let mut untrusted = server.case("secure.example");
    untrusted.settings.extra_ca = None;
    let done = untrusted.run().await;
    assert_eq!(code(&done), "tls", "{}", message(&done));
    assert!(matches!(done.end, End::Retry { .. }), "a connection error");
    let done = server.case("other.example").run().await;
    assert_eq!(code(&done), "tls", "{}", message(&done));
    assert!(!everything(&done).contains("a-value-to-hide"));
}

#[tokio::test]
async fn plain_text_behind_https_is_a_tls_failure() {
    let target = crate::support::target::Target::fixed(b"HTTP/1.1 400 Bad\r\n\r\n".to_vec()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"220 mail.example ESMTP\r\n")
                .await;
        }
    });
    let done = Case::get(format!("https://127.0.0.1:{port}/")).run().await;
    assert_eq!(code(&done), "tls", "{}", message(&done));
    drop(target);
}

#[tokio::test]
async fn a_session_is_resumed_on_the_next_connection() {
    let mut server = Secure::new("resume", &["http/1.1"], true).await;
    let case = server.case("secure.example");
    let worker = Worker::with_resolver(
        Arc::new(Values(case.values.clone())),
        case.settings.clone(),
        Arc::clone(&case.resolver),
    )
    .unwrap();
    for (number, expected) in [(1, HandshakeKind::Full), (2, HandshakeKind::Resumed)] {
        let done = OneShot::perform(&worker, vec![case.lease(number)])
            .await
            .remove(0);
        assert_eq!(done.end, End::Succeeded, "{}", message(&done));
        assert_eq!(server.handshakes.recv().await, Some(expected));
    }
}

#[tokio::test]
async fn requests_share_one_http2_connection() {
    let mut server = Secure::new("share", &["h2"], false).await;
    let case = server.case("secure.example");
    let worker = Worker::with_resolver(
        Arc::new(Values(case.values.clone())),
        case.settings.clone(),
        Arc::clone(&case.resolver),
    )
    .unwrap();
    OneShot::perform(&worker, vec![case.lease(1)]).await;
    let results =
        OneShot::perform(&worker, (2..40).map(|number| case.lease(number)).collect()).await;
    assert!(results.iter().all(|done| done.end == End::Succeeded));
    assert!(server.handshakes.recv().await.is_some());
    assert!(server.handshakes.try_recv().is_err(), "one connection");
}

#[test]
fn a_bad_file_of_certificates_is_told_at_start() {
    let start = |path: PathBuf| {
        Worker::new(
            Arc::new(NeverOpened),
            padclock_worker::Settings {
                extra_ca: Some(path),
                ..settings()
            },
        )
        .err()
    };
    let missing = start("/nonexistent/ca.pem".into());
    assert!(
        matches!(&missing, Some(SetupError::ExtraCa { path, .. }) if path == "/nonexistent/ca.pem"),
        "{missing:?}"
    );
    let empty = tempfile::Pem::new("empty", "no certificate\n");
    let found = start(empty.0.clone());
    assert!(
        matches!(&found, Some(SetupError::ExtraCa { .. })),
        "{found:?}"
    );
}
