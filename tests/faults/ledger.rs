//! What a mail server took, held against what should have been sent.

use std::collections::{BTreeMap, BTreeSet};

use testkit::smtp::{Message, Recorder};

/// What was found, by recipient.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    /// Expected, and nothing came.
    pub(super) lost: BTreeSet<String>,
    /// Came, and nobody expected it.
    pub(super) unexpected: BTreeSet<String>,
    /// Came more than once.
    pub(super) duplicated: BTreeSet<String>,
    /// Came under more than one Message-ID, so that nobody can see that it is the same.
    pub(super) renamed: BTreeSet<String>,
    /// Whose envelope names somebody else than its To header.
    pub(super) wrong_recipient: BTreeSet<String>,
    /// Came with further recipients in its envelope.
    pub(super) extra_recipients: BTreeSet<String>,
}

/// Compares what arrived with the addresses that should have been written to.
pub(super) fn check(recorder: &Recorder, expected: &BTreeSet<String>) -> Findings {
    let mut findings = Findings::default();
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for message in recorder.messages() {
        let recipient = message.recipients[0].clone();
        if message.recipients.len() > 1 {
            findings.extra_recipients.insert(recipient.clone());
        }
        if addressed_to(&message) != recipient {
            findings.wrong_recipient.insert(recipient.clone());
        }
        ids.entry(recipient).or_default().push(message.header("Message-ID").unwrap());
    }
    for (recipient, ids) in &ids {
        if !expected.contains(recipient) {
            findings.unexpected.insert(recipient.clone());
        }
        if ids.len() > 1 {
            findings.duplicated.insert(recipient.clone());
        }
        if ids.iter().any(|id| *id != ids[0]) {
            findings.renamed.insert(recipient.clone());
        }
    }
    findings.lost = expected.iter().filter(|recipient| !ids.contains_key(*recipient)).cloned().collect();
    findings
}

fn addressed_to(message: &Message) -> String {
    let to = message.header("To").unwrap();
    to.split_once('<').map_or(to.as_str(), |(_, rest)| rest.trim_end_matches('>')).to_owned()
}
