//! Keys: the master key of an installation, and the key of each incident, wrapped by it.
//!
//! Stores no key in clear in the database. Invariant: a host with another master key is refused before it does
//! anything.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::AppError;

const KEY_LEN: usize = 32;
const CHECK: &[u8] = b"forthright master key check";

/// The key that wraps all others.
#[derive(Clone)]
pub struct MasterKey([u8; KEY_LEN]);

/// A key of one incident: one makes tokens and Message-IDs, another hashes exposed persons.
#[derive(Clone)]
pub struct IncidentKey([u8; KEY_LEN]);

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl fmt::Debug for IncidentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IncidentKey(…)")
    }
}

impl IncidentKey {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl MasterKey {
    /// The key given by configuration, else the one in the data folder; `None` where there is neither.
    pub fn find(given: Option<&str>, data: &Path) -> Result<Option<Self>, AppError> {
        if let Some(text) = given {
            return Self::parse(text, "FORTHRIGHT_MASTER_KEY").map(Some);
        }
        let path = file(data);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path.display().to_string()).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(key_error(
                format!("cannot read the master key {}: {error}", path.display()),
                "let the account that runs forthright read it",
            )),
        }
    }

    /// [`MasterKey::find`], or a new one in the data folder.
    pub fn find_or_make(given: Option<&str>, data: &Path) -> Result<Self, AppError> {
        if let Some(key) = Self::find(given, data)? {
            return Ok(key);
        }
        let key = Self(random()?);
        let path = file(data);
        let failed = |error: std::io::Error| {
            key_error(
                format!("cannot write the master key {}: {error}", path.display()),
                "make the data folder writable, choose another with --data, or set FORTHRIGHT_MASTER_KEY",
            )
        };
        std::fs::create_dir_all(data).map_err(failed)?;
        match write_private(&path, &format!("{}\n", model::digest::hex(&key.0))) {
            Ok(()) => Ok(key),
            // Another process made it at the same moment: theirs counts.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::find(None, data)?.ok_or_else(|| missing(data))
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn parse(text: &str, place: &str) -> Result<Self, AppError> {
        let bytes = unhex(text.trim()).filter(|bytes| bytes.len() == KEY_LEN).ok_or_else(|| {
            key_error(
                format!("the master key in {place} is not 64 hexadecimal digits"),
                "copy it from the first host again",
            )
        })?;
        let mut key = [0; KEY_LEN];
        key.copy_from_slice(&bytes);
        Ok(Self(key))
    }

    /// What the store keeps to recognise this key.
    pub(crate) fn check_text(&self) -> Result<String, AppError> {
        self.seal(CHECK)
    }

    /// Refuses a key that is not the store's.
    pub(crate) fn check(&self, text: &str) -> Result<(), AppError> {
        match self.open(text) {
            Some(plain) if plain == CHECK => Ok(()),
            _ => Err(key_error(
                "the master key of this host is not the one of this store".to_owned(),
                "copy master.key from the data folder of the host that made the store, or set FORTHRIGHT_MASTER_KEY_FILE",
            )),
        }
    }

    /// A new incident key, and its wrapped form.
    pub(crate) fn new_incident_key(&self) -> Result<String, AppError> {
        self.seal(&random::<KEY_LEN>()?)
    }

    pub(crate) fn unwrap(&self, wrapped: &str) -> Result<IncidentKey, AppError> {
        let plain = self.open(wrapped).filter(|plain| plain.len() == KEY_LEN).ok_or_else(|| {
            key_error(
                "the key of this incident does not open".to_owned(),
                "it was erased, or wrapped by another master key",
            )
        })?;
        let mut key = [0; KEY_LEN];
        key.copy_from_slice(&plain);
        Ok(IncidentKey(key))
    }

    /// A key that signs notices, wrapped.
    pub(crate) fn wrap_signing_key(&self, key: &[u8]) -> Result<String, AppError> {
        self.seal(key)
    }

    pub(crate) fn unwrap_signing_key(&self, wrapped: &str) -> Result<Vec<u8>, AppError> {
        self.open(wrapped).ok_or_else(|| {
            key_error("the key that signs notices does not open".to_owned(), "it was wrapped by another master key")
        })
    }

    /// Under which tokens of samples are made: nobody else makes one.
    pub(crate) fn sample_key(&self) -> [u8; 32] {
        model::digest::keyed(&self.0, &[b"forthright tokens of samples"])
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.0).ok().map(LessSafeKey::new)
    }

    fn seal(&self, plain: &[u8]) -> Result<String, AppError> {
        let failed =
            || key_error("cannot encrypt a key".to_owned(), "this is a fault of the program: please report it");
        let nonce: [u8; NONCE_LEN] = random()?;
        let mut sealed = plain.to_vec();
        self.cipher()
            .ok_or_else(failed)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
            .map_err(|_| failed())?;
        Ok(format!("{}{}", model::digest::hex(&nonce), model::digest::hex(&sealed)))
    }

    fn open(&self, text: &str) -> Option<Vec<u8>> {
        let bytes = unhex(text)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let plain = self.cipher()?.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        Some(plain.to_vec())
    }
}

/// The error for a host without any key.
pub(crate) fn missing(data: &Path) -> AppError {
    key_error(
        format!("this store has a master key, and there is none in {}", file(data).display()),
        "copy master.key from the data folder of the host that made the store, or set FORTHRIGHT_MASTER_KEY_FILE",
    )
}

fn key_error(what: String, hint: &str) -> AppError {
    AppError::Key { what, hint: hint.to_owned() }
}

fn file(data: &Path) -> PathBuf {
    data.join("master.key")
}

fn random<const N: usize>() -> Result<[u8; N], AppError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| key_error("the system gives no random numbers".to_owned(), "check /dev/urandom"))?;
    Ok(bytes)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(path)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_what_it_sealed_and_nothing_else() {
        let (ours, theirs) = (MasterKey([1; KEY_LEN]), MasterKey([2; KEY_LEN]));
        let sealed = ours.seal(b"secret").unwrap();
        assert_eq!(ours.open(&sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(theirs.open(&sealed), None);
        assert!(theirs.check(&ours.check_text().unwrap()).is_err());
    }

    #[test]
    fn the_first_host_makes_a_key_and_finds_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let made = MasterKey::find_or_make(None, folder.path()).unwrap();
        let found = MasterKey::find_or_make(None, folder.path()).unwrap();
        assert_eq!(made.0, found.0);
    }
}
