//! The fingerprint of the only certificate that a server may show.
//!
//! Opens no connection. Invariant: 32 bytes, the SHA-256 of the certificate as it is sent (DER).

use std::fmt;

/// `sha256:` and 64 hexadecimal digits, colons between them allowed, as `openssl x509 -fingerprint -sha256` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pin([u8; 32]);

impl Pin {
    /// `None`: the text is no fingerprint.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> = text.strip_prefix("sha256:")?.bytes().filter(|byte| *byte != b':').collect();
        let mut bytes = [0; 32];
        if digits.len() != bytes.len() * 2 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(0)? * 16 + digit(1)?;
        }
        Some(Self(bytes))
    }

    /// Whether it is the fingerprint of this certificate.
    pub(crate) fn fits(&self, certificate: &[u8]) -> bool {
        Self::parse(&format!("sha256:{}", model::digest::sha256(certificate))).is_some_and(|of| of == *self)
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_with_and_without_colons() {
        let pin = Pin::parse(&format!("sha256:{}", "AB:cd:".repeat(16))).unwrap();
        assert_eq!(pin.to_string(), format!("sha256:{}", "abcd".repeat(16)));
        assert_eq!(Pin::parse(&pin.to_string()), Some(pin));
    }

    #[test]
    fn other_texts_are_no_fingerprints() {
        for text in
            ["", "sha256:", "sha1:00", &format!("sha256:{}", "zz".repeat(32)), &format!("sha256:{}", "00".repeat(31))]
        {
            assert_eq!(Pin::parse(text), None, "{text}");
        }
    }

    #[test]
    fn it_fits_what_it_was_made_of_only() {
        let pin = Pin::parse("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855").unwrap();
        assert!(pin.fits(b"") && !pin.fits(b"x"));
    }
}
