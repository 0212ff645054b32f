//! The cryptography under https, for everything here that reqwest speaks for.
//!
//! Does not open connections. Invariant: it is ring, whoever asks first.

/// reqwest is built without cryptography of its own and takes what the process has; a second call changes nothing.
pub(crate) fn use_ring() {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
}
