//! What rows say, brought together: per host distinct objects, addresses, users and projects, and raw references.
//!
//! A *run* is what a bounded number of rows came to, sorted by host and key and cut into blocks of some hundred
//! kilobytes; facts and totals are folds over blocks, so memory follows the blocks and not the manifest. Does not
//! store blocks and knows no organisations. Invariant: folding is commutative, associative and idempotent in all but
//! raw references (R8), so the order, the repetition and the cutting of rows make no difference.

mod batch;
mod block;
mod fold;
#[cfg(test)]
mod tests;

pub use batch::{Batch, Reading, Seen};
pub use block::{Block, Counts, CountsBlock, Damaged, ObjectSaid, Section, SetsBlock};
pub use fold::{Figures, Fold, KeyRange, Kinds};

/// What a thing is known by: 16 bytes of a hash over its name.
pub type Key = [u8; 16];

/// The kinds of things that are counted once per host, in the order they are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// Addresses of persons.
    Email,
    /// Users.
    User,
    /// Projects.
    Project,
}

/// The key of an object: the first half of the BLAKE3 hash of its path, as `b3sum` prints it.
pub fn object_key(path: &str) -> Key {
    half(&blake3::hash(path.as_bytes()))
}

/// The key of a project: the first half of the BLAKE3 hash of its name.
pub fn project_key(name: &str) -> Key {
    half(&blake3::hash(name.as_bytes()))
}

/// Makes the keys of persons. Without the incident's identity key nobody can tell whose a key is; with the key gone
/// nobody can at all.
#[derive(Clone)]
pub struct PersonKeys {
    email: [u8; 32],
    user: [u8; 32],
}

impl PersonKeys {
    /// From the incident's identity key.
    pub fn new(identity_key: &[u8]) -> Self {
        Self {
            email: blake3::derive_key("forthright 2026-11 exposed e-mail address", identity_key),
            user: blake3::derive_key("forthright 2026-11 exposed user", identity_key),
        }
    }

    /// The first half of the keyed BLAKE3 hash of an address in normal form.
    pub fn email(&self, address: &str) -> Key {
        half(&blake3::keyed_hash(&self.email, address.as_bytes()))
    }

    /// The first half of the keyed BLAKE3 hash of a user id.
    pub fn user(&self, id: &str) -> Key {
        half(&blake3::keyed_hash(&self.user, id.as_bytes()))
    }
}

impl std::fmt::Debug for PersonKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonKeys(…)")
    }
}

fn half(hash: &blake3::Hash) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&hash.as_bytes()[..16]);
    key
}

/// Between labels in a [`reversed`] name. It sorts before every character of a host name, so that a domain and all
/// names below it lie next to each other.
const SEPARATOR: char = '!';

/// A host name with its labels from the last to the first: `www.acme.example` is `example!acme!www`.
pub fn reversed(host: &str) -> String {
    let mut name = String::with_capacity(host.len());
    for label in host.rsplit('.') {
        if !name.is_empty() {
            name.push(SEPARATOR);
        }
        name.push_str(label);
    }
    name
}

/// The host of a [`reversed`] name.
pub fn host_of(reversed: &str) -> String {
    let mut host = String::with_capacity(reversed.len());
    for label in reversed.rsplit(SEPARATOR) {
        if !host.is_empty() {
            host.push('.');
        }
        host.push_str(label);
    }
    host
}

/// Whether a reversed name is a reversed domain or lies below it.
pub fn is_within(reversed_host: &str, reversed_domain: &str) -> bool {
    reversed_host.strip_prefix(reversed_domain).is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATOR))
}

/// The last name that [`is_within`] a reversed domain sorts before this text.
pub fn end_of(reversed_domain: &str) -> String {
    // `"` follows `!`.
    format!("{reversed_domain}\"")
}
