//! TLS of the node's own listener (the security contract, "On the wire"): the certificate from its files, and from them again when
//! they change. What is served behind it is not known here.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Where the certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the certificate, and those between it and its root.
    pub certificate: PathBuf,
    /// PEM: the private key.
    pub key: PathBuf,
}

/// Why a certificate can't be used. Names files, and nothing that is in them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("{} holds no certificate that can be read: give a PEM file", .0.display())]
    Certificate(PathBuf),
    #[error("{} holds no private key that can be read: give a PEM file", .0.display())]
    Key(PathBuf),
    #[error("the certificate in {} does not belong to the key in {}", .certificate.display(), .key.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("TLS can't be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// The certificate that connections are answered with, and its files.
#[derive(Debug)]
pub(crate) struct Certificates {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificates {
    pub(crate) fn load(files: TlsFiles) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let current = RwLock::new(read(&files, &provider)?);
        Ok(Arc::new(Self {
            files,
            provider,
            current,
        }))
    }

    /// Accepts connections with whatever certificate is current then: HTTP/2 or HTTP/1.1.
    pub(crate) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Reads the files again whenever they change. What can't be used is told, and the certificate before it stays.
    pub(crate) async fn keep(self: Arc<Self>, stopping: CancellationToken) {
        let mut seen = stamps(&self.files);
        while stopping
            .run_until_cancelled(tokio::time::sleep(LOOK))
            .await
            .is_some()
        {
            let now = stamps(&self.files);
            if now == seen {
                continue;
            }
            seen = now;
            match read(&self.files, &self.provider) {
                Ok(read) => {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = read;
                    tracing::info!("the certificate was read again");
                }
                Err(error) => {
                    tracing::warn!(%error, "the certificate has changed and can't be used; the one before it stays");
                }
            }
        }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
    let unreadable = || TlsError::Certificate(files.certificate.clone());
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|_| unreadable())?;
    if chain.is_empty() {
        return Err(unreadable());
    }
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(|_| TlsError::Key(files.key.clone()))?;
    match CertifiedKey::from_der(chain, key, provider) {
        Ok(certified) => Ok(Arc::new(certified)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
        }),
        Err(rustls::Error::InvalidCertificate(_)) => Err(unreadable()),
        Err(_) => Err(TlsError::Key(files.key.clone())),
    }
}

/// What changes when a file is written or another takes its place.
fn stamps(files: &TlsFiles) -> [Option<(SystemTime, u64)>; 2] {
    let stamp = |path: &Path| {
        let found = std::fs::metadata(path).ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    [stamp(&files.certificate), stamp(&files.key)]
}
