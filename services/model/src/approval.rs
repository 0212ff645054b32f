//! What a second person signs: the content of a notice and whom it is for, and the sample that is looked at where there
//! are too many to read.
//!
//! Knows no store. Invariant: a digest changes with every part that it is over, and the same seed draws the same sample
//! from the same drafts, in whatever order they are given.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::digest::{hex, keyed, sha256, sha256_of_parts};

/// Somebody a notice can be sent to, as it was when it was approved. Climbing from one to the next changes nothing here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Addressee {
    /// A name of [`crate::delivery::Role`].
    pub role: String,
    /// Normalised address.
    pub address: String,
    /// As the mail names them.
    pub name: String,
    /// Tag of the language that they are written to in.
    pub language: String,
}

/// What changed between two ladders, a clause each; empty: nothing.
pub fn changes(approved: &[Addressee], today: &[Addressee]) -> Vec<String> {
    let by_place = |ladder: &[Addressee]| -> BTreeMap<(String, String), Addressee> {
        ladder.iter().map(|one| ((one.role.clone(), one.address.clone()), one.clone())).collect()
    };
    let (before, after) = (by_place(approved), by_place(today));
    let mut changes = Vec::new();
    for (place, one) in &before {
        match after.get(place) {
            None => changes.push(format!("{} {} was removed", one.role, one.address)),
            Some(now) if now.language != one.language => changes.push(format!(
                "{} {} is written to in {}, and was in {}",
                one.role, one.address, now.language, one.language
            )),
            Some(now) if now.name != one.name => {
                changes.push(format!("{} {} has another name", one.role, one.address));
            }
            Some(_) => {}
        }
    }
    for (place, one) in &after {
        if !before.contains_key(place) {
            changes.push(format!("{} {} was added", one.role, one.address));
        }
    }
    if changes.is_empty() && approved != today {
        changes.push("the order of the contacts is another one".to_owned());
    }
    changes
}

/// What is signed of one notice.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// JSON of what it was written from.
    pub facts: &'a str,
    /// Of its templates.
    pub template_version: &'a str,
    /// What its letters say by content element; none: it is older than that.
    pub elements: Option<&'a str>,
    /// Language and digest of each letter (subject, text and HTML), in any order.
    pub letters: &'a [(&'a str, String)],
}

impl Signed<'_> {
    /// Over everything that it says.
    pub fn content(&self) -> String {
        let mut letters: Vec<&(&str, String)> = self.letters.iter().collect();
        letters.sort();
        let mut parts = vec![self.facts.as_bytes(), self.template_version.as_bytes()];
        parts.push(self.elements.unwrap_or_default().as_bytes());
        for (language, digest) in letters {
            parts.extend([language.as_bytes(), digest.as_bytes()]);
        }
        sha256_of_parts(&parts)
    }

    /// Over everything that it says and whom it is for.
    pub fn digest(&self, ladder: &str) -> String {
        sha256_of_parts(&[self.content().as_bytes(), ladder.as_bytes()])
    }
}

/// What drafts have in common that are approved on one sample: they were written by the same words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Alike {
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// Of the templates.
    pub template_version: String,
    /// Tags, sorted.
    pub languages: Vec<String>,
    /// Ids of the advice that follows from the data types, in order: which passages there are.
    pub advice: Vec<&'static str>,
    /// Whether something is withheld.
    pub withholds: bool,
}

impl Alike {
    /// A short name, the same for the same words: `grp-1f3a9c02`.
    pub fn id(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        format!("grp-{}", &sha256(text.as_bytes())[..8])
    }
}

/// The places of up to `size` of these ids, drawn by a seed: sorted by chance, the seed being the chance.
pub fn draw(seed: &str, ids: &[&str], size: usize) -> Vec<usize> {
    let mut places: Vec<(String, usize)> =
        ids.iter().enumerate().map(|(at, id)| (sha256_of_parts(&[seed.as_bytes(), id.as_bytes()]), at)).collect();
    places.sort();
    places.into_iter().take(size).map(|(_, at)| at).collect()
}

/// What somebody looked at, as a token that they can show: it tells seed and size, and proves that it was handed out and
/// that nothing changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleToken {
    /// Of the draw.
    pub seed: String,
    /// How many were drawn.
    pub size: usize,
    /// The beginning of a keyed digest over the seed, who looked, at which group, and at what content.
    pub proof: String,
}

/// A text that is no token of a sample.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no token of a sample")]
pub struct NoToken(String);

impl SampleToken {
    /// Of what somebody saw: (notice, content) of each. Without the key nobody makes one.
    pub fn new(key: &[u8], seed: &str, actor: &str, group: Option<&str>, seen: &[(String, String)]) -> Self {
        let mut parts = vec![seed.as_bytes(), actor.as_bytes(), group.unwrap_or_default().as_bytes()];
        for (notice, content) in seen {
            parts.extend([notice.as_bytes(), content.as_bytes()]);
        }
        let mut proof = hex(&keyed(key, &parts));
        proof.truncate(16);
        Self { seed: seed.to_owned(), size: seen.len(), proof }
    }

    /// `smp-SEED-SIZE-PROOF`.
    pub fn parse(text: &str) -> Result<Self, NoToken> {
        let bad = || NoToken(text.to_owned());
        let mut parts = text.trim().split('-');
        let (Some("smp"), Some(seed), Some(size), Some(proof), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !plain(seed) || !plain(proof) {
            return Err(bad());
        }
        let size = size.parse().map_err(|_| bad())?;
        Ok(Self { seed: seed.to_owned(), size, proof: proof.to_owned() })
    }
}

impl fmt::Display for SampleToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "smp-{}-{}-{}", self.seed, self.size, self.proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(role: &str, address: &str, language: &str) -> Addressee {
        Addressee {
            role: role.to_owned(),
            address: address.to_owned(),
            name: String::new(),
            language: language.to_owned(),
        }
    }

    #[track_caller]
    fn check(before: &[Addressee], after: &[Addressee], expect: &[&str]) {
        assert_eq!(changes(before, after), expect);
    }

    #[test]
    fn a_ladder_says_what_changed_and_nothing_of_what_stayed() {
        let (a, b) = (one("security", "a@x.example", "en"), one("legal", "b@x.example", "en"));
        let both = [a.clone(), b.clone()];
        check(&both, &both, &[]);
        check(&both, std::slice::from_ref(&a), &["legal b@x.example was removed"]);
        check(std::slice::from_ref(&a), &both, &["legal b@x.example was added"]);
        check(
            &both,
            &[one("security", "a@x.example", "de"), b.clone()],
            &["security a@x.example is written to in de, and was in en"],
        );
        let named = Addressee { name: "New".to_owned(), ..a.clone() };
        check(&both, &[named, b.clone()], &["security a@x.example has another name"]);
        check(&both, &[b, a], &["the order of the contacts is another one"]);
    }

    #[test]
    fn every_part_is_signed_and_the_order_of_letters_is_not() {
        let letters = [("de", "1".to_owned()), ("en", "2".to_owned())];
        let signed = Signed { facts: "{}", template_version: "v", elements: Some("e"), letters: &letters };
        let swapped = [letters[1].clone(), letters[0].clone()];
        assert_eq!(Signed { letters: &swapped, ..signed }.content(), signed.content());
        let other = [("de", "1".to_owned()), ("en", "3".to_owned())];
        let all = [
            signed.content(),
            Signed { facts: "{ }", ..signed }.content(),
            Signed { template_version: "w", ..signed }.content(),
            Signed { elements: None, ..signed }.content(),
            Signed { letters: &other, ..signed }.content(),
            Signed { letters: &letters[..1], ..signed }.content(),
        ];
        assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
        assert_ne!(signed.digest("[]"), signed.digest("[1]"));
    }

    #[test]
    fn a_seed_draws_the_same_whatever_the_order_and_another_seed_something_else() {
        let ids: Vec<String> = (0..200).map(|n| format!("ntc_{n}")).collect();
        let forward: Vec<&str> = ids.iter().map(String::as_str).collect();
        let backward: Vec<&str> = forward.iter().rev().copied().collect();
        let names = |seed: &str, ids: &[&str]| -> Vec<String> {
            draw(seed, ids, 7).into_iter().map(|at| ids[at].to_owned()).collect()
        };
        assert_eq!(names("a", &forward), names("a", &backward));
        assert_ne!(names("a", &forward), names("b", &forward));
        assert_eq!(draw("a", &forward, 1_000).len(), 200);
    }

    #[test]
    fn a_token_reads_back_and_holds_who_looked_at_what() {
        let seen = [("ntc_1".to_owned(), "c1".to_owned()), ("ntc_2".to_owned(), "c2".to_owned())];
        let token = SampleToken::new(b"key", "abc123", "counsel", None, &seen);
        assert_eq!(SampleToken::parse(&token.to_string()).unwrap(), token);
        assert_ne!(SampleToken::new(b"other", "abc123", "counsel", None, &seen), token);
        assert_ne!(SampleToken::new(b"key", "abc124", "counsel", None, &seen).proof, token.proof);
        assert_ne!(SampleToken::new(b"key", "abc123", "lead", None, &seen), token);
        assert_ne!(SampleToken::new(b"key", "abc123", "counsel", Some("grp-1"), &seen), token);
        assert_ne!(SampleToken::new(b"key", "abc123", "counsel", None, &seen[..1]), token);
        for bad in ["", "smp", "smp-a-b-c", "smp-a-1-", "smp-a-1-c-d", "grp-a-1-c"] {
            assert!(SampleToken::parse(bad).is_err(), "{bad}");
        }
    }
}
