//! TLS around an SMTP stream.
//!
//! Does not decide when to encrypt. Invariant: with [`Certificate::Checked`] no stream comes out whose certificate is
//! not valid for the host; without, nothing secret may rely on the stream.

use std::sync::{Arc, LazyLock};

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

/// Whether the server has to prove its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certificate {
    /// Valid for the host, from an authority of Mozilla's list.
    Checked,
    /// Any: encryption against listeners only (RFC 7435).
    Any,
}

type Config = Result<Arc<ClientConfig>, rustls::Error>;

/// Shared by all connections, so that TLS sessions are resumed.
static CHECKED: LazyLock<Config> = LazyLock::new(|| config(Certificate::Checked));
static ANY: LazyLock<Config> = LazyLock::new(|| config(Certificate::Any));

/// Makes a stream of `tcp`, and says how it is encrypted.
pub(super) async fn handshake(
    tcp: TcpStream,
    host: &str,
    certificate: Certificate,
) -> Result<(TlsStream<TcpStream>, String), String> {
    let shared = match certificate {
        Certificate::Checked => &*CHECKED,
        Certificate::Any => &*ANY,
    };
    let config = shared.as_ref().map_err(ToString::to_string)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let stream = TlsConnector::from(Arc::clone(config)).connect(name, tcp).await.map_err(|error| error.to_string())?;
    let description = describe(&stream, certificate);
    Ok((stream, description))
}

fn describe(stream: &TlsStream<TcpStream>, certificate: Certificate) -> String {
    let session = stream.get_ref().1;
    let version = session.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS");
    let cipher = session.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("cipher unknown");
    let checked = match certificate {
        Certificate::Checked => "certificate checked",
        Certificate::Any => "certificate not checked",
    };
    format!("{version} {cipher}, {checked}")
}

fn config(certificate: Certificate) -> Config {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    Ok(Arc::new(match certificate {
        Certificate::Checked => builder
            .with_root_certificates(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
            .with_no_client_auth(),
        Certificate::Any => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
    }))
}

/// Takes any certificate, but still makes the server prove that it has the key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
