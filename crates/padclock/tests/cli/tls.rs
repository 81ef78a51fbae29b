//! A server behind TLS: its certificate must be trusted before a token is shown.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, mpsc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::fake::TOKEN;
use crate::play::{Folder, cronctl};

struct Secure {
    port: u16,
    authority: String,
    /// What came through, decrypted.
    heard: mpsc::Receiver<String>,
}

/// A certificate for `localhost` and the PEM of who vouches for it.
fn certificate() -> (CertificateDer<'static>, PrivateKeyDer<'static>, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let issuer = Issuer::new(authority, authority_key);
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    (leaf.der().clone(), key.into(), pem)
}

fn start() -> Secure {
    let (leaf, key, authority) = certificate();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut bytes = [0; 4096];
            // A client that does not trust the certificate sends nothing that can be read.
            let read = stream.read(&mut bytes).unwrap_or(0);
            let _ = tell.send(String::from_utf8_lossy(&bytes[..read]).into_owned());
            let body = include_str!("replies/whoami.json");
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    Secure {
        port,
        authority,
        heard,
    }
}

fn whoami(home: &Path, url: &str, trusted: &str) -> (Option<i32>, String) {
    let mut command = cronctl(home);
    command
        .env("CRONCTL_TOKEN", TOKEN)
        .env("SSL_CERT_FILE", trusted);
    command.args(["whoami", "--server", url]);
    let output = command.output().unwrap();
    (
        output.status.code(),
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
    )
}

#[test]
fn a_token_is_shown_to_a_server_with_a_trusted_certificate_alone() {
    let (server, folder) = (start(), Folder::new());
    std::fs::write(folder.0.join("authority.pem"), &server.authority).unwrap();
    let (right, wrong) = (
        format!("https://localhost:{}", server.port),
        format!("https://127.0.0.1:{}", server.port),
    );

    let (code, said) = whoami(&folder.0, &right, "authority.pem");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        server
            .heard
            .recv()
            .unwrap()
            .contains(&format!("Bearer {TOKEN}"))
    );

    // Someone else is trusted, and a certificate for another name.
    std::fs::write(folder.0.join("other.pem"), certificate().2).unwrap();
    for (url, trusted) in [(&right, "other.pem"), (&wrong, "authority.pem")] {
        let (code, said) = whoami(&folder.0, url, trusted);
        assert_eq!(code, Some(1), "{said}");
        assert!(
            said.contains("certificate") && said.contains("SSL_CERT_FILE"),
            "{said}"
        );
        assert!(!server.heard.recv().unwrap().contains("Bearer"));
    }
}
