//! Tells a contact that is hidden, or stood in for, from one that is there (RFC 9537, and what was usual before it).
//!
//! Does not find out who is behind it. Invariant: a hidden contact comes with the reason, in words for a person.

use serde_json::Value;

use super::jcard::Card;
use super::{RdapRole, array, strings};

/// States of an entity whose data is not its own. Source: RFC 9083 10.2.2.
const HIDDEN_STATES: [&str; 4] = ["private", "proxy", "obscured", "removed"];
/// What stands in a field in place of its value, in lower case.
const STAND_INS: [&str; 6] =
    ["redacted", "data protected", "not disclosed", "statutory masking", "gdpr masked", "select contact domain holder"];
/// What services are called that stand in for the holder, in lower case; a holder's own privacy office is called
/// none of these.
const PROXIES: [&str; 18] = [
    "contact privacy inc",
    "domain privacy",
    "domain protection services",
    "domains by proxy",
    "domainsbyproxy",
    "identity protect",
    "njalla",
    "perfect privacy",
    "privacy protect",
    "privacy service",
    "privacyguardian",
    "private by design",
    "private registration",
    "proxy protection",
    "registration private",
    "whois privacy",
    "whoisguard",
    "withheld for privacy",
];

/// What a record says to have hidden (RFC 9537), a line an entry, in lower case.
#[derive(Debug)]
pub(super) struct Redactions(Vec<String>);

impl Redactions {
    pub(super) fn of(record: &Value) -> Self {
        let line = |entry: &Value| {
            let (name, reason) = (&entry["name"], ["prePath", "postPath", "replacementPath"]);
            let texts = [&name["type"], &name["description"]].into_iter().chain(reason.map(|path| &entry[path]));
            texts.filter_map(Value::as_str).collect::<Vec<_>>().join(" ").to_lowercase()
        };
        Self(array(&record["redacted"]).iter().map(line).collect())
    }

    /// Why the addresses of an entity in this role are not its own.
    pub(super) fn of_entity(&self, entity: &Value, role: RdapRole) -> Option<String> {
        let word = match role {
            RdapRole::Abuse => "abuse",
            RdapRole::Registrant => "registrant",
            RdapRole::Administrative => "admin",
            RdapRole::Technical => "tech",
        };
        if self.0.iter().any(|line| line.contains(word) && line.contains("email")) {
            return Some("its e-mail address is redacted (RFC 9537)".to_owned());
        }
        if let Some(state) = strings(&entity["status"]).find(|state| HIDDEN_STATES.contains(state)) {
            return Some(format!("the record says that it is {state}"));
        }
        let is_redacted = |remark: &Value| {
            let texts = ["title", "type"].map(|key| remark[key].as_str());
            texts.into_iter().flatten().chain(strings(&remark["description"])).any(|text| contains(text, &STAND_INS))
        };
        array(&entity["remarks"]).iter().any(is_redacted).then(|| "a remark says that its data is redacted".to_owned())
    }
}

/// Why a card is not its holder's.
pub(super) fn of_card(card: &Card) -> Option<String> {
    let texts = || [&card.name, &card.organisation].into_iter().chain(&card.emails);
    if texts().any(|text| contains(text, &STAND_INS)) {
        return Some("its data is redacted".to_owned());
    }
    texts().any(|text| contains(text, &PROXIES)).then(|| "a privacy service stands in for it".to_owned())
}

fn contains(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(word))
}
