//! DKIM: each key that signs has its public half published.
//!
//! Signs nothing.

use super::ask;
use super::{Finding, Sending};
use crate::dkim::Record;
use crate::proof::Prover;

const CHECK: &str = "dkim";

/// One finding a key.
pub(super) async fn look(prover: &Prover, sending: &Sending<'_>) -> Vec<Finding> {
    if sending.keys.is_empty() {
        let next = "make a key with `forthright dkim generate`, and publish what `forthright dkim records` prints";
        return vec![Finding::bad(CHECK, "no key signs mail here", next)];
    }
    let mut findings = Vec::new();
    for key in &sending.keys {
        findings.push(published(prover, key).await);
    }
    findings
}

async fn published(prover: &Prover, key: &Record) -> Finding {
    let Record { name, value } = key;
    let publish = || format!("publish there, as `forthright dkim records` prints it: {value}");
    let texts = match ask::texts(prover, name).await {
        Ok(texts) => texts,
        Err(unanswered) => return Finding::unanswered(CHECK, &unanswered),
    };
    match &texts[..] {
        [] => Finding::bad(CHECK, format!("{name} is not published"), publish()),
        [text] if broken_list(text).is_some() => {
            let why = broken_list(text).unwrap_or_default();
            Finding::bad(CHECK, format!("{name} {why}: receivers take no key from it"), publish())
        }
        [text] if tag(text, "p").is_some_and(|published| published.is_empty()) => {
            Finding::bad(CHECK, format!("{name} says that this key is revoked"), publish())
        }
        [text] if tag(text, "p") == tag(value, "p") => match fault(text, value) {
            None => Finding::good(CHECK, format!("{name} is the key that signs")),
            Some(fault) => Finding::bad(CHECK, format!("{name} {fault}"), publish()),
        },
        [_] => Finding::bad(CHECK, format!("{name} has another key than the one that signs"), publish()),
        _ => Finding::bad(CHECK, format!("{name} has several records: receivers may take none"), publish()),
    }
}

/// Why receivers do not use a record, though its key is the right one (RFC 6376 3.6.1).
fn fault(text: &str, value: &str) -> Option<String> {
    let has = |name, wanted: &[&str]| {
        tag(text, name).is_none_or(|list| list.split(':').any(|one| wanted.iter().any(|w| one.eq_ignore_ascii_case(w))))
    };
    let kind = |record: &str| tag(record, "k").unwrap_or_else(|| "rsa".to_owned());
    if tag(text, "v").is_some_and(|version| version != "DKIM1") {
        return Some("is of a version that nobody knows: it must begin with `v=DKIM1`".to_owned());
    }
    if tag(text, "v").is_some() && !text.trim_start().starts_with('v') {
        return Some("does not begin with `v=DKIM1`: receivers must ignore it".to_owned());
    }
    if kind(text) != kind(value) {
        return Some(format!("says k={}, and the key that signs is of {}", kind(text), kind(value)));
    }
    if tag(text, "t").is_some_and(|flags| flags.split(':').any(|flag| flag == "y")) {
        return Some(
            "says that it is only being tested (`t=y`): receivers may treat mail as if it were not signed".to_owned(),
        );
    }
    if !has("h", &["sha256"]) {
        return Some("does not permit SHA-256 (`h=`), with which mail is signed".to_owned());
    }
    if !has("s", &["*", "email"]) {
        return Some("is not for mail (`s=`)".to_owned());
    }
    None
}

/// Why a list of tags is none (RFC 6376 3.2): receivers take nothing from it.
pub(super) fn broken_list(text: &str) -> Option<String> {
    let mut known = std::collections::BTreeSet::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((name, _)) = pair.split_once('=') else { return Some(format!("has `{pair}`, which is no tag=value")) };
        let name = name.trim();
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return Some(format!("has `{name}`, which is no name of a tag"));
        }
        if !known.insert(name) {
            return Some(format!("has the tag {name} twice"));
        }
    }
    None
}

/// The value of a tag (RFC 6376 3.2), without white space.
pub(super) fn tag(text: &str, wanted: &str) -> Option<String> {
    text.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == wanted).then(|| value.split_ascii_whitespace().collect())
    })
}
