//! vCards as records: cards of the kind `org` are organisations, all others contacts.
//!
//! Does not find cards in a file (`cards` does). Source: RFC 6350, and 3.0 as address books write it. Written here
//! rather than taken from a library: those that we know bring time zones, URIs and a calendar with them, and give up
//! the file where one card is bad. Invariant: our own properties win over what a card says to everybody.

mod cards;
mod property;
mod write;

pub(super) use cards::{Card, Cards};
pub(super) use write::{write_contacts, write_organisations};

use crate::directory::ContactRecord;
use crate::directory::documents::{Address, Organisation, Person, first_of};
use crate::directory::scim::known_role;
use property::{Property, parts, unescaped};

const X_CHANNEL: &str = "X-FORTHRIGHT-CHANNEL";
const X_COUNTRY: &str = "X-FORTHRIGHT-COUNTRY";
const X_DOMAIN: &str = "X-FORTHRIGHT-DOMAIN";
const X_NAMED: &str = "X-FORTHRIGHT-NAMED";
const X_PRIORITY: &str = "X-FORTHRIGHT-PRIORITY";
const X_ROLE: &str = "X-FORTHRIGHT-ROLE";
const X_STATE: &str = "X-FORTHRIGHT-STATE";
const X_TENANT: &str = "X-FORTHRIGHT-TENANT";
const X_VERIFIED: &str = "X-FORTHRIGHT-VERIFIED";

/// The properties that are read; a photo is not kept.
const READ: [&str; 21] = [
    "KIND",
    "FN",
    "N",
    "ORG",
    "ADR",
    "EMAIL",
    "URL",
    "UID",
    "LANG",
    "TZ",
    "ROLE",
    "CATEGORIES",
    X_CHANNEL,
    X_COUNTRY,
    X_DOMAIN,
    X_NAMED,
    X_PRIORITY,
    X_ROLE,
    X_STATE,
    X_TENANT,
    X_VERIFIED,
];

/// The place of the country in an address: behind box, suite, street, town, region and code.
const COUNTRY: usize = 6;

/// The organisation in a card; `None` for another kind.
pub(super) fn organisation(card: &Card) -> Result<Option<Organisation>, String> {
    if !is_organisation(card) {
        return Ok(None);
    }
    let mut domains: Vec<String> =
        card.all(X_DOMAIN).map(|property| unescaped(&property.value)).filter(|domain| !domain.is_empty()).collect();
    if domains.is_empty() {
        domains.extend(card.first("URL").map(|url| host(&unescaped(&url.value)).to_owned()));
        domains.retain(|domain| !domain.is_empty());
    }
    let country = card.first("ADR").and_then(|address| parts(&address.value, ';').into_iter().nth(COUNTRY));
    Ok(Some(Organisation {
        line: card.line,
        tenant_id: first_of([&card.text(X_TENANT), &card.text("UID")]),
        tenant_name: first_of([&card.text("FN"), &organisation_name(card)]),
        country: first_of([&card.text(X_COUNTRY), &country.unwrap_or_default()]),
        language: card.text("LANG"),
        domains,
    }))
}

/// The person in a card; `None` for an organisation.
pub(super) fn person(card: &Card) -> Result<Option<Person>, String> {
    if is_organisation(card) {
        return Ok(None);
    }
    let record = ContactRecord {
        line: card.line,
        tenant_id: first_of([&card.text(X_TENANT), &organisation_name(card)]),
        role: role(card),
        name: first_of([&card.text("FN"), &name(card)]),
        email: String::new(),
        language: card.text("LANG"),
        channel: card.text(X_CHANNEL),
        timezone: card.text("TZ"),
        priority: card.text(X_PRIORITY),
        state: card.text(X_STATE),
        verified: card.text(X_VERIFIED),
        may_be_named: card.text(X_NAMED),
    };
    let address = |property: &Property| Address { email: unescaped(&property.value), priority: property.pref() };
    let addresses = card.all("EMAIL").map(address).filter(|address| !address.email.is_empty()).collect();
    Ok(Some(Person { record, addresses }))
}

fn is_organisation(card: &Card) -> bool {
    card.text("KIND").eq_ignore_ascii_case("org")
}

/// The organisation itself, without its units.
fn organisation_name(card: &Card) -> String {
    card.first("ORG").and_then(|name| parts(&name.value, ';').into_iter().next()).unwrap_or_default()
}

/// Given name, further names and family name, from their places behind the family name.
fn name(card: &Card) -> String {
    let names = card.first("N").map(|name| parts(&name.value, ';')).unwrap_or_default();
    let at = |place: usize| names.get(place).map_or("", String::as_str);
    [at(1), at(2), at(0)].join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Ours, else the first that is a role here, else what the card says.
fn role(card: &Card) -> String {
    let (ours, said) = (card.text(X_ROLE), card.text("ROLE"));
    if !ours.is_empty() {
        return ours;
    }
    let categories = card.all("CATEGORIES").flat_map(|list| parts(&list.value, ','));
    let known = std::iter::once(said.clone()).chain(categories).find_map(|text| known_role(&text));
    known.map_or(said, str::to_owned)
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split_once(':').map_or(host, |(host, _)| host).trim()
}
