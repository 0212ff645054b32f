//! Signatures over a mail (DKIM, RFC 6376; Ed25519 by RFC 8463), and the records that let others check them.
//!
//! Asks no name server. Invariant: a key is read whole or refused with its file's name; every key in use signs every
//! mail, over headers that cannot be added a second time behind the signature's back.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_auth::common::crypto::{Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner, Done, Signature};
use model::time::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Headers under the signature (RFC 6376 5.4.1). What is named twice cannot be added once more; what is absent cannot be
/// added at all.
const HEADERS: [&str; 21] = [
    "From",
    "From",
    "To",
    "To",
    "Cc",
    "Subject",
    "Subject",
    "Date",
    "Date",
    "Message-ID",
    "Message-ID",
    "Reply-To",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Language",
    "Auto-Submitted",
    "Sender",
];

/// Why a key cannot be used, or a mail cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum DkimError {
    /// The file.
    #[error("cannot read the key {}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its content.
    #[error("{} holds no private key in PEM of Ed25519 (PKCS #8) or of RSA with 2,048 bits or more", .0.display())]
    Key(PathBuf),
    /// The name it is published under.
    #[error("`{0}` is no selector: use letters, digits, hyphens and dots, as in `s2026`")]
    Selector(String),
    /// The library refuses.
    #[error("the mail cannot be signed: {0}")]
    Sign(String),
}

/// What a key is used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpec {
    /// `d=`: the domain that answers for the mail.
    pub domain: String,
    /// `s=`: where below `_domainkey` its public half is published.
    pub selector: String,
    /// Private key in PEM.
    pub file: PathBuf,
    /// From when it signs; none = from ever.
    pub from: Option<Timestamp>,
    /// Until when it signs; none = for ever.
    pub until: Option<Timestamp>,
}

enum Signer {
    Ed25519(Box<DkimSigner<Ed25519Key, Done>>),
    Rsa(Box<DkimSigner<RsaKey<Sha256>, Done>>),
}

struct Key {
    spec: KeySpec,
    signer: Signer,
    record: String,
}

/// The keys that sign. None: nothing is signed here.
#[derive(Default)]
pub struct Keys(Vec<Key>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the keys themselves.
        f.debug_list().entries(self.0.iter().map(|key| &key.spec)).finish()
    }
}

/// A TXT record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `s2026._domainkey.vendor.example`.
    pub name: String,
    /// `v=DKIM1; k=ed25519; p=…`.
    pub value: String,
}

impl Keys {
    /// Reads all of them, or none.
    pub fn load(specs: &[KeySpec]) -> Result<Self, DkimError> {
        specs.iter().map(load).collect::<Result<_, _>>().map(Self)
    }

    /// Whether nothing is signed at this time.
    pub fn is_silent_at(&self, now: Timestamp) -> bool {
        self.0.iter().all(|key| !counts(&key.spec, now))
    }

    /// The domains that answer for a mail at this time.
    pub fn domains_at(&self, now: Timestamp) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |key| counts(&key.spec, now)).map(|key| key.spec.domain.as_str())
    }

    /// What has to be published, for each key.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        self.0.iter().map(|key| Record {
            name: format!("{}._domainkey.{}", key.spec.selector, key.spec.domain),
            value: key.record.clone(),
        })
    }

    /// What others have to find published at this time, for each key that signs then.
    pub fn records_at(&self, now: Timestamp) -> impl Iterator<Item = Record> {
        self.0.iter().zip(self.records()).filter(move |(key, _)| counts(&key.spec, now)).map(|(_, record)| record)
    }

    /// The mail with a signature of each key that counts now in front of it.
    pub fn sign(&self, mail: Vec<u8>, now: Timestamp) -> Result<Vec<u8>, DkimError> {
        let mut signed = Vec::new();
        for key in self.0.iter().filter(|key| counts(&key.spec, now)) {
            let signature = match &key.signer {
                Signer::Ed25519(signer) => signer.sign(&mail),
                Signer::Rsa(signer) => signer.sign(&mail),
            };
            signed.extend(header(&signature.map_err(|error| DkimError::Sign(error.to_string()))?));
        }
        if signed.is_empty() {
            return Ok(mail);
        }
        signed.extend(mail);
        Ok(signed)
    }
}

fn header(signature: &Signature) -> Vec<u8> {
    signature.to_header().into_bytes()
}

fn counts(spec: &KeySpec, now: Timestamp) -> bool {
    spec.from.is_none_or(|from| from <= now) && spec.until.is_none_or(|until| now < until)
}

fn load(spec: &KeySpec) -> Result<Key, DkimError> {
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !spec.selector.split('.').all(is_label) {
        return Err(DkimError::Selector(spec.selector.clone()));
    }
    let unusable = || DkimError::Key(spec.file.clone());
    let pem = std::fs::read(&spec.file).map_err(|source| DkimError::File { file: spec.file.clone(), source })?;
    let der = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| unusable())?;
    if let PrivateKeyDer::Pkcs8(pkcs8) = &der
        && let Ok(key) = Ed25519Key::from_pkcs8_maybe_unchecked_der(pkcs8.secret_pkcs8_der())
    {
        let record = format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(key.public_key()));
        return Ok(Key { spec: spec.clone(), signer: Signer::Ed25519(Box::new(signer(spec, key))), record });
    }
    let key = RsaKey::<Sha256>::from_key_der(der).map_err(|_| unusable())?;
    let record = format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(subject_public_key_info(&key.public_key())));
    Ok(Key { spec: spec.clone(), signer: Signer::Rsa(Box::new(signer(spec, key))), record })
}

fn signer<T: mail_auth::common::crypto::SigningKey>(spec: &KeySpec, key: T) -> DkimSigner<T, Done> {
    DkimSigner::from_key(key)
        .domain(spec.domain.clone())
        .selector(spec.selector.clone())
        .headers(HEADERS)
        .header_canonicalization(Canonicalization::Relaxed)
        .body_canonicalization(Canonicalization::Relaxed)
}

/// An RSA public key as name servers publish it (RFC 5280 4.1.2.7), around the two numbers of RFC 8017 A.1.1.
fn subject_public_key_info(numbers: &[u8]) -> Vec<u8> {
    // rsaEncryption, no parameters.
    const ALGORITHM: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let mut bits = vec![0];
    bits.extend(numbers);
    let mut content = ALGORITHM.to_vec();
    content.extend(element(0x03, &bits));
    element(0x30, &content)
}

/// One element of DER: tag, length, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut bytes = vec![tag];
    match (length.as_slice(), u8::try_from(length.len())) {
        ([short], _) if *short < 0x80 => bytes.push(*short),
        ([], _) => bytes.push(0),
        (long, count) => {
            bytes.push(0x80 | count.unwrap_or(0x7f));
            bytes.extend(long);
        }
    }
    bytes.extend(content);
    bytes
}

/// A new Ed25519 key, in PEM. Whoever writes it keeps it to themselves.
pub fn generate() -> Result<String, DkimError> {
    let der = Ed25519Key::generate_pkcs8().map_err(|error| DkimError::Sign(error.to_string()))?;
    let text = STANDARD.encode(PrivatePkcs8KeyDer::from(der).secret_pkcs8_der());
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..(at + 64).min(text.len())]).collect();
    Ok(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n")))
}

impl KeySpec {
    /// A key that signs from now on, for ever.
    pub fn new(domain: &str, selector: &str, file: &Path) -> Self {
        Self {
            domain: domain.to_owned(),
            selector: selector.to_owned(),
            file: file.to_owned(),
            from: None,
            until: None,
        }
    }
}
