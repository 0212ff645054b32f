//! STARTTLS: the certificate, and the handshake as a server.
//!
//! Invariant: a certificate that was renewed counts for the next handshake; one that cannot be read leaves the one
//! before in use.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{
    self, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::Duplex;

/// A certificate chain and its key, in PEM files.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    loaded: Mutex<Loaded>,
}

#[derive(Debug, Clone)]
struct Loaded {
    changed: [Option<SystemTime>; 2],
    config: Arc<ServerConfig>,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that is no PEM file of what it should hold.
    #[error("cannot read {}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        fault: String,
    },
    /// The certificate and the key do not belong together, or are of no kind that TLS uses.
    #[error("the certificate {} cannot be used with its key: {source}", path.display())]
    Unusable {
        /// The certificate.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
}

impl Tls {
    /// Reads both files.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let changed = [changed(certificate), changed(key)];
        let loaded = Mutex::new(Loaded { changed, config: config(certificate, key)? });
        Ok(Self { certificate: certificate.to_owned(), key: key.to_owned(), loaded })
    }

    /// The handshake; `None` where it fails.
    pub(super) async fn accept(&self, stream: Box<dyn Duplex>) -> Option<Box<dyn Duplex>> {
        let acceptor = TlsAcceptor::from(self.current());
        acceptor.accept(stream).await.ok().map(|stream| Box::new(stream) as Box<dyn Duplex>)
    }

    fn current(&self) -> Arc<ServerConfig> {
        // No invariant spans the fields: a panic leaves nothing half done.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let now = [changed(&self.certificate), changed(&self.key)];
        // While only one of the two is new they do not fit, and the old ones stay.
        if now != loaded.changed
            && let Ok(config) = config(&self.certificate, &self.key)
        {
            *loaded = Loaded { changed: now, config };
        }
        Arc::clone(&loaded.config)
    }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let unreadable = |path: &Path, fault: String| TlsError::File { path: path.to_owned(), fault };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(unreadable(certificate, "it holds no certificate in PEM form".to_owned()));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, error.to_string()))?;
    let unusable = |source| TlsError::Unusable { path: certificate.to_owned(), source };
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(unusable)?;
    Ok(Arc::new(config))
}
