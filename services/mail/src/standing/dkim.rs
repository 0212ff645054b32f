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
        [text] if tag(text, "p").is_some_and(|published| published.is_empty()) => {
            Finding::bad(CHECK, format!("{name} says that this key is revoked"), publish())
        }
        [text] if tag(text, "p") == tag(value, "p") => Finding::good(CHECK, format!("{name} is the key that signs")),
        [_] => Finding::bad(CHECK, format!("{name} has another key than the one that signs"), publish()),
        _ => Finding::bad(CHECK, format!("{name} has several records: receivers may take none"), publish()),
    }
}

/// The value of a tag (RFC 6376 3.2), without white space.
pub(super) fn tag(text: &str, wanted: &str) -> Option<String> {
    text.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == wanted).then(|| value.split_ascii_whitespace().collect())
    })
}
