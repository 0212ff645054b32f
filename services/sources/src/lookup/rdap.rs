//! Reads the contacts of a domain from its RDAP record (RFC 9083).
//!
//! Does not ask a server. Invariant: what is returned belongs to the domain that was asked for, and an address that
//! the registrar owns, or that stands in for a hidden one, says so or is left out with a reason.

use model::domain::DomainName;
use model::email::EmailAddress;
use reqwest::Url;
use serde_json::Value;

use super::address::{self, one_line};

mod jcard;
mod redaction;

use jcard::Card;
use redaction::Redactions;

/// Longest record in bytes.
pub const LONGEST_RECORD: usize = 256 * 1024;
/// Deepest nesting; a contact of a contact of a domain takes ten.
const DEEPEST: usize = 16;
/// Most contacts, and most reasons.
const MOST: usize = 50;
/// Longest name or status that is kept, in characters.
const LONGEST_NAME: usize = 200;
/// Longest link that is kept, in bytes.
const LONGEST_LINK: usize = 2_000;

/// What the record of a domain says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdapDomain {
    /// The domain.
    pub name: DomainName,
    /// Its states (RFC 9083 10.2.2), such as `active` or `client hold`.
    pub status: Vec<String>,
    /// Whom to write to, in the order of [`RdapRole`].
    pub contacts: Vec<RdapContact>,
    /// Who was left out and why, for a person to read.
    pub left_out: Vec<String>,
    /// Where the registrar's record of the same domain is, as the registry says; to be fetched like any other address.
    pub related: Option<String>,
}

/// A contact of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdapContact {
    /// What the contact is there for.
    pub role: RdapRole,
    /// Whose contact it is.
    pub whose: Whose,
    /// Where to write.
    pub address: EmailAddress,
    /// The name of a person or desk; may be empty.
    pub name: String,
    /// The organisation; may be empty.
    pub organisation: String,
    /// The preferred language, a tag; may be empty.
    pub language: String,
}

/// The roles that are read, the better contact first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RdapRole {
    /// The desk for abuse.
    Abuse,
    /// The holder of the domain.
    Registrant,
    /// The administrative contact.
    Administrative,
    /// The technical contact.
    Technical,
}

/// Whose contact somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The registrar's or a reseller's: not the organisation.
    Registrar,
    /// The holder's of the domain.
    Registrant,
    /// The record does not say.
    Unknown,
}

/// Why an answer is no record of the domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRdap {
    /// Over [`LONGEST_RECORD`].
    #[error("it has {0} bytes; 262,144 are read")]
    TooLong(usize),
    /// Nested too deeply.
    #[error("it is nested more than 16 levels deep")]
    TooDeep,
    /// Not JSON.
    #[error("it is not JSON")]
    NotJson,
    /// Not an object of the class `domain`.
    #[error("it is not the record of a domain")]
    NotADomain,
    /// Another domain's.
    #[error("it is the record of {0:?}, not of {1}")]
    OtherDomain(String, DomainName),
}

impl RdapRole {
    /// Every role, in order.
    pub const ALL: [Self; 4] = [Self::Abuse, Self::Registrant, Self::Administrative, Self::Technical];

    /// The name in the record. Source: RFC 9083 10.2.4.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abuse => "abuse",
            Self::Registrant => "registrant",
            Self::Administrative => "administrative",
            Self::Technical => "technical",
        }
    }
}

/// Reads the record of `queried`.
pub fn parse(bytes: &[u8], queried: &DomainName) -> Result<RdapDomain, BadRdap> {
    if bytes.len() > LONGEST_RECORD {
        return Err(BadRdap::TooLong(bytes.len()));
    }
    if depth(bytes) > DEEPEST {
        return Err(BadRdap::TooDeep);
    }
    let record: Value = serde_json::from_slice(bytes).map_err(|_| BadRdap::NotJson)?;
    if record["objectClassName"].as_str() != Some("domain") {
        return Err(BadRdap::NotADomain);
    }
    let name = record["ldhName"].as_str().unwrap_or_default();
    if DomainName::parse(name).as_ref() != Ok(queried) {
        return Err(BadRdap::OtherDomain(one_line(name, LONGEST_NAME), queried.clone()));
    }
    let mut contacts = Contacts { found: Vec::new(), left_out: Vec::new(), hidden: Redactions::of(&record) };
    for entity in array(&record["entities"]) {
        contacts.entity(entity, Whose::Unknown);
    }
    contacts.found.sort_by_key(|contact| contact.role);
    Ok(RdapDomain {
        name: queried.clone(),
        status: strings(&record["status"]).take(MOST).map(|status| one_line(status, LONGEST_NAME)).collect(),
        contacts: contacts.found,
        left_out: contacts.left_out,
        related: related(&record),
    })
}

struct Contacts {
    found: Vec<RdapContact>,
    left_out: Vec<String>,
    hidden: Redactions,
}

impl Contacts {
    /// Takes an entity and those in it. Depth and size of the record bound the recursion.
    fn entity(&mut self, entity: &Value, above: Whose) {
        let has = |role: &str| strings(&entity["roles"]).any(|has| has.eq_ignore_ascii_case(role));
        let whose = match () {
            () if has("registrant") => Whose::Registrant,
            () if has("registrar") || has("reseller") => Whose::Registrar,
            () => above,
        };
        let roles: Vec<RdapRole> = RdapRole::ALL.into_iter().filter(|role| has(role.as_str())).collect();
        if !roles.is_empty() {
            let card = Card::of(entity);
            for role in roles {
                self.role(entity, &card, role, whose);
            }
        }
        for inner in array(&entity["entities"]) {
            self.entity(inner, whose);
        }
    }

    fn role(&mut self, entity: &Value, card: &Card, role: RdapRole, whose: Whose) {
        if let Some(why) = self.hidden.of_entity(entity, role).or_else(|| redaction::of_card(card)) {
            return self.leave_out(role, &why);
        }
        if card.emails.is_empty() {
            return self.leave_out(role, "it has no e-mail address");
        }
        for email in &card.emails {
            match address::read(email) {
                Ok(_) if self.found.len() >= MOST => self.leave_out(role, "there are more than 50 contacts"),
                Ok(address) => self.found.push(RdapContact {
                    role,
                    whose,
                    address,
                    name: one_line(&card.name, LONGEST_NAME),
                    organisation: one_line(&card.organisation, LONGEST_NAME),
                    language: card.language.clone(),
                }),
                Err(why) => self.leave_out(role, &format!("its address {} is not used: {why}", one_line(email, 100))),
            }
        }
    }

    fn leave_out(&mut self, role: RdapRole, why: &str) {
        if self.left_out.len() < MOST {
            self.left_out.push(format!("the {} contact is left out: {why}", role.as_str()));
        }
    }
}

/// The link of registries whose records are thin. Source: ICANN's RDAP technical implementation guide 2.3 (3.2).
fn related(record: &Value) -> Option<String> {
    let is_record = |link: &&Value| {
        link["rel"].as_str() == Some("related")
            && link["type"].as_str().is_some_and(|kind| kind.starts_with("application/rdap+json"))
    };
    let link = array(&record["links"]).iter().filter(is_record).find_map(|link| link["href"].as_str())?;
    let url = Url::parse(link).ok()?;
    (url.has_host() && url.as_str().len() <= LONGEST_LINK).then(|| url.into())
}

/// How deep the brackets go, whatever stands between them; serde_json alone would go to 128.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    array(value).iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests;
