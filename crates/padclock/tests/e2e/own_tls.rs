//! TLS of the node's own listener: which protocols it speaks, that a new certificate needs no restart, and which files it refuses.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::until;
use crate::home::{Engine, Home, on_both_stores};
use crate::server::Launch;

on_both_stores!(
    calls_come_by_tls_and_a_new_certificate_is_taken_up,
    files_that_do_not_fit_are_named
);

/// Writes a new certificate for `localhost` and its key, and answers the certificate.
fn issue(folder: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    certificate.der().clone()
}

/// What a client that trusts this certificate alone is answered, with the protocol that was agreed on; none when it does not trust
/// what it is shown.
fn ask(address: &str, trusted: &CertificateDer<'static>, protocol: &str) -> Option<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(address).unwrap());
    let call = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(call).ok()?;
    let agreed = stream.conn.alpn_protocol()?.to_vec();
    let mut answer = Vec::new();
    // HTTP/2 was only agreed on, not spoken, so the end may be abrupt.
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    Some(format!("{} {answer}", String::from_utf8_lossy(&agreed)))
}

async fn calls_come_by_tls_and_a_new_certificate_is_taken_up(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    let first = issue(&home.folder);
    let file = |name: &str| home.folder.join(name).display().to_string();
    let launch = Launch::of(&home)
        .flag("--tls-cert", &file("cert.pem"))
        .flag("--tls-key", &file("key.pem"));
    let server = launch.start().await;
    server.process.says("ready: https://").await;
    let asked = async |trusted: &CertificateDer<'static>, protocol: &'static str| {
        let (address, trusted) = (server.address.clone(), trusted.clone());
        let asking = tokio::task::spawn_blocking(move || ask(&address, &trusted, protocol));
        asking.await.unwrap()
    };
    let answer = asked(&first, "http/1.1").await.unwrap();
    assert!(answer.starts_with("http/1.1 HTTP/1.1 200"), "{answer}");
    let hsts = "strict-transport-security: max-age=31536000";
    assert!(answer.to_lowercase().contains(hsts), "{answer}");
    assert!(asked(&first, "h2").await.unwrap().starts_with("h2 "));

    // Half a change is none: a certificate without its key is not taken up.
    std::fs::write(home.folder.join("cert.pem"), "nothing").unwrap();
    server.process.says("can't be used").await;
    assert!(asked(&first, "http/1.1").await.is_some());
    let second = issue(&home.folder);
    until("the new certificate", || asked(&second, "http/1.1")).await;
    assert!(asked(&first, "http/1.1").await.is_none());
}

async fn files_that_do_not_fit_are_named(engine: Engine) {
    let home = Arc::new(Home::new(engine).await);
    issue(&home.folder);
    std::fs::copy(home.folder.join("key.pem"), home.folder.join("old.pem")).unwrap();
    issue(&home.folder);
    let file = |name: &str| home.folder.join(name).display().to_string();
    for (certificate, key, said) in [
        ("cert.pem", "old.pem", "does not belong to the key"),
        ("key.pem", "key.pem", "no certificate"),
        ("cert.pem", "cert.pem", "no private key"),
        ("none.pem", "key.pem", "none.pem"),
    ] {
        let launch = Launch::of(&home)
            .flag("--tls-cert", &file(certificate))
            .flag("--tls-key", &file(key));
        let (_, words) = launch.fails().await;
        assert!(words.contains(said), "{certificate} {key}: {words}");
        assert!(!words.contains("PRIVATE"), "{words}");
    }
    let (_, words) = Launch::of(&home)
        .flag("--tls-cert", &file("cert.pem"))
        .fails()
        .await;
    assert!(words.contains("tls_key"), "{words}");
}
