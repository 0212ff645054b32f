//! A domain that signs its mail (RFC 6376, RFC 8463): ed25519-sha256, simple/simple.
//!
//! Written from the standards with `ring` alone, so that it agrees with the checking library by being right only.

use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// A key.
pub struct Signer(Ed25519KeyPair);

impl Signer {
    /// A new key.
    #[allow(clippy::new_without_default, reason = "every one is another")]
    pub fn new() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("the system has random numbers");
        Self(Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("a new key is one"))
    }

    /// What the domain publishes at `<selector>._domainkey.<domain>`.
    pub fn record(&self) -> String {
        format!("v=DKIM1; k=ed25519; p={}", base64(self.0.public_key().as_ref()))
    }

    /// The mail (CR LF, with a body) with a signature over its body and `From` in front.
    pub fn sign(&self, mail: &[u8], domain: &str, selector: &str) -> Vec<u8> {
        let text = String::from_utf8(mail.to_vec()).expect("a test signs text");
        let (head, body) = text.split_once("\r\n\r\n").expect("the mail has a body");
        let from = head.split("\r\n").find(|line| line.starts_with("From:")).expect("the mail is from somebody");
        let body = format!("{}\r\n", body.trim_end_matches("\r\n"));
        let field = format!(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d={domain}; s={selector}; h=from; bh={}; b=",
            base64(digest(&SHA256, body.as_bytes()).as_ref())
        );
        let hash = digest(&SHA256, format!("{from}\r\n{field}").as_bytes());
        let signature = base64(self.0.sign(hash.as_ref()).as_ref());
        format!("{field}{signature}\r\n{text}").into_bytes()
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) & 63;
            out.push(if at > three.len() { '=' } else { char::from(ALPHABET[six as usize]) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
