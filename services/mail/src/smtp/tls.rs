//! TLS around an SMTP stream.
//!
//! Does not decide when to encrypt. Invariant: with [`Certificate::Checked`] no stream comes out whose certificate is
//! not valid for the host, with [`Certificate::Pinned`] none whose certificate is another one; with
//! [`Certificate::Any`] nothing secret may rely on the stream.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{self, CryptoProvider},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use crate::route::Pin;

/// Whether the server has to prove its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// One of these, whatever name stands in it and whoever signed it.
    Pinned(Vec<Pin>),
    /// Valid for the host, from an authority of Mozilla's list.
    Checked,
    /// Any: encryption against listeners only (RFC 7435).
    Any,
}

type Config = Result<Arc<ClientConfig>, rustls::Error>;

/// Shared by all connections, so that TLS sessions are resumed.
static CHECKED: LazyLock<Config> = LazyLock::new(|| config(&Certificate::Checked));
static ANY: LazyLock<Config> = LazyLock::new(|| config(&Certificate::Any));
static PINNED: LazyLock<Mutex<HashMap<Vec<Pin>, Config>>> = LazyLock::new(Mutex::default);

fn shared(certificate: &Certificate) -> Config {
    match certificate {
        Certificate::Checked => CHECKED.clone(),
        Certificate::Any => ANY.clone(),
        Certificate::Pinned(pins) => {
            // Each value is set in one step, so a panic elsewhere leaves nothing half done.
            let mut known = PINNED.lock().unwrap_or_else(PoisonError::into_inner);
            known.entry(pins.clone()).or_insert_with(|| config(certificate)).clone()
        }
    }
}

/// Makes a stream of `tcp`, and says how it is encrypted.
pub(crate) async fn handshake(
    tcp: TcpStream,
    host: &str,
    certificate: &Certificate,
) -> Result<(TlsStream<TcpStream>, String), String> {
    let config = shared(certificate).map_err(|error| error.to_string())?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(config).connect(name, tcp).await.map_err(|error| error.to_string())?;
    let description = describe(&stream, certificate);
    Ok((stream, description))
}

fn describe(stream: &TlsStream<TcpStream>, certificate: &Certificate) -> String {
    let session = stream.get_ref().1;
    let version = session.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS");
    let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("cipher unknown");
    let checked = match certificate {
        Certificate::Checked => "certificate checked",
        Certificate::Pinned(_) => "certificate pinned",
        Certificate::Any => "certificate not checked",
    };
    format!("{version} {cipher}, {checked}")
}

fn config(certificate: &Certificate) -> Config {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let own_judge = |pins: Option<Vec<Pin>>| Arc::new(OwnJudge { provider, pins });
    Ok(Arc::new(match certificate {
        Certificate::Checked => builder
            .with_root_certificates(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
            .with_no_client_auth(),
        Certificate::Pinned(pins) => {
            builder.dangerous().with_custom_certificate_verifier(own_judge(Some(pins.clone()))).with_no_client_auth()
        }
        Certificate::Any => builder.dangerous().with_custom_certificate_verifier(own_judge(None)).with_no_client_auth(),
    }))
}

/// Takes any certificate, or the pinned ones, and makes the server prove that it has the key.
#[derive(Debug)]
struct OwnJudge {
    provider: Arc<CryptoProvider>,
    pins: Option<Vec<Pin>>,
}

impl ServerCertVerifier for OwnJudge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.pins {
            Some(pins) if !pins.iter().any(|pin| pin.fits(end_entity)) => {
                Err(rustls::Error::General("the certificate is not the pinned one".to_owned()))
            }
            Some(_) | None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
