//! Contacts are people: entered, verified, merged, disabled; and found addresses that become contacts when somebody
//! confirms them.
//!
//! Sends nothing. Invariant: an address that was found by look-up or named by somebody is told no facts before a person
//! has confirmed it.

use std::collections::{BTreeSet, HashMap};

use model::delivery::Role;
use model::email::EmailAddress;
use model::time::Timestamp;
use serde::Serialize;
use store::contacts::words::{Saying, Word};
use store::contacts::{Contact, Decided, Entry, Found, Key, Said};
use store::{Conn, Tx};

use crate::directory::known_tenant;
use crate::{App, AppError, new_id};

/// A contact as somebody wrote it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Given<'a> {
    /// Whose.
    pub tenant: &'a str,
    /// Its role.
    pub role: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its address.
    pub address: &'a str,
    /// BCP 47 tag; empty = the tenant's.
    pub language: &'a str,
    /// Which way they would rather be reached; empty = e-mail.
    pub channel: &'a str,
    /// IANA name; empty = unknown.
    pub timezone: &'a str,
    /// Empty = 100.
    pub priority: &'a str,
    /// `yes`, `no`, or empty: not asked.
    pub may_be_named: &'a str,
    /// When it counts no more.
    pub expires: Option<Timestamp>,
}

impl Given<'_> {
    pub(crate) fn contact(&self, source: &str) -> Result<Contact, String> {
        let role = Role::parse(&self.role.trim().to_ascii_lowercase()).ok_or_else(|| {
            let known: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
            format!("`{}` is no role: use {}", self.role, known.join(", "))
        })?;
        let address =
            EmailAddress::parse(self.address).map_err(|error| format!("the address cannot be used: {error}"))?;
        let priority = match self.priority.trim() {
            "" => 100,
            text => text.parse().map_err(|_| format!("the priority `{text}` is no number"))?,
        };
        if !address.local_part().chars().all(fits_a_mailbox) {
            return Err(format!("`{}` is no single address: write it as in name@example.com", self.address.trim()));
        }
        if self.tenant.trim().is_empty() {
            return Err("no tenant_id".to_owned());
        }
        let may_be_named = self.may_be_named.trim();
        if !["", "yes", "no"].contains(&may_be_named) {
            return Err(format!("may_be_named is `{may_be_named}`: write yes, no, or nothing"));
        }
        Ok(Contact {
            id: new_id("ctc"),
            tenant_id: self.tenant.trim().to_owned(),
            role: role.as_str().to_owned(),
            name: self.name.split_whitespace().collect::<Vec<_>>().join(" "),
            address: address.as_str().to_owned(),
            language: self.language.trim().to_owned(),
            channel: channel(self.channel),
            timezone: self.timezone.trim().to_owned(),
            priority,
            source: source.to_owned(),
            origin: String::new(),
            why: String::new(),
            may_be_named: may_be_named.to_owned(),
            verified_at: None,
            verified_by: None,
            disabled_at: None,
            left_at: None,
            merged_into: None,
        })
    }
}

/// Characters before the `@` that every relay takes for one mailbox (RFC 5321 4.1.2, RFC 6531 3.3): no quoting, no lists.
fn fits_a_mailbox(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) || !c.is_ascii()
}

/// A preference: whoever would rather be called still has an address that is written to.
fn channel(text: &str) -> String {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "e-mail" | "mail" => "email".to_owned(),
        other => other.to_owned(),
    }
}

/// Enters a contact by hand.
pub async fn add(app: &App, given: &Given<'_>, why: &str) -> Result<String, AppError> {
    let bad = |why| AppError::bad(why, "correct it and run the command again");
    if !given.timezone.trim().is_empty() && !model::time::is_zone(given.timezone.trim()) {
        return Err(bad(format!("`{}` is no time zone; an IANA name like Europe/Berlin is", given.timezone)));
    }
    crate::mapping::in_future(app, given.expires)?;
    let contact = given.contact("manual").map_err(bad)?;
    let mut tx = app.store.begin().await?;
    let id = add_in(app, &mut tx, given, why).await?;
    let detail = serde_json::json!({ "role": contact.role, "contact": id, "why": why, "expires": given.expires });
    tx.commit(app.entry("directory.add-contact", &contact.tenant_id, detail)).await?;
    Ok(id)
}

/// Enters a contact by hand within a larger step.
pub(crate) async fn add_in(app: &App, tx: &mut Tx, given: &Given<'_>, why: &str) -> Result<String, AppError> {
    let bad = |why| AppError::bad(why, "correct it and run the command again");
    let contact = Contact { why: why.to_owned(), ..given.contact("manual").map_err(bad)? };
    known_tenant(tx, &contact.tenant_id).await?;
    let (address, id) = (contact.address.clone(), insert(app, tx, contact, given.expires).await?);
    match store::contacts::by_id(tx, &id).await? {
        Some(there) if !there.is_usable() => Err(AppError::refused(
            format!("{address} is a contact already ({id}), and is disabled or merged into another"),
            format!("run `forthright directory enable-contact {address} --why …` if it may be written to again"),
        )),
        _ => Ok(id),
    }
}

/// Takes back what a person entered of an address of a tenant: what directories say of it counts again, and where none
/// names it, it is written to no more. How many entries that were.
pub async fn remove(app: &App, tenant: &str, address: &str, why: &str) -> Result<u64, AppError> {
    let parsed = parse(address)?;
    let mut tx = app.store.begin().await?;
    known_tenant(&mut tx, tenant).await?;
    let removed = store::contacts::entries::lapse_manual(&mut tx, tenant, parsed.as_str(), app.clock.now()).await?;
    if removed == 0 {
        return Err(AppError::missing(
            format!("nobody entered this address by hand for tenant {tenant}"),
            "what an import says is changed by the next import; `forthright directory disable-contact` stops all mail to it",
        ));
    }
    let detail = serde_json::json!({ "entries": removed, "why": why });
    tx.commit(app.entry("directory.remove-contact", tenant, detail)).await?;
    Ok(removed)
}

/// What people entered until a time counts no more once it has passed.
pub(crate) async fn lapse_expired(app: &App) -> Result<(), AppError> {
    let now = app.clock.now();
    if store::contacts::entries::expiring(&mut app.store.read().await?, now).await?.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    let keys = store::contacts::entries::expiring(&mut tx, now).await?;
    store::contacts::entries::lapse_expired(&mut tx, &keys, now).await?;
    let tenants: BTreeSet<&String> = keys.iter().map(|(tenant, ..)| tenant).collect();
    let detail = serde_json::json!({ "entries": keys.len(), "tenants": tenants });
    Ok(tx.commit(app.acting_as(crate::SYSTEM).entry("directory.lapse-contacts", "directory", detail)).await?)
}

fn parse(address: &str) -> Result<EmailAddress, AppError> {
    EmailAddress::parse(address).map_err(|error| {
        AppError::bad(format!("the address cannot be used: {error}"), "write it as in name@example.com")
    })
}

/// Never writes to an address of a tenant again, within a larger step.
pub(crate) async fn disable_in(app: &App, tx: &mut Tx, tenant: &str, address: &str, why: &str) -> Result<(), AppError> {
    let parsed = parse(address)?;
    contacts_at(tx, parsed.as_str(), Some(tenant)).await?;
    let saying = Saying { address: parsed.as_str(), tenant, why, actor: &app.actor };
    Ok(store::contacts::words::say(tx, Word::Never, &saying, app.clock.now()).await?)
}

/// Writes to an address again that a person or a directory disabled, or that was merged by mistake; how many contacts can
/// be written to again.
pub async fn enable(app: &App, address: &str, tenant: Option<&str>, why: &str) -> Result<usize, AppError> {
    let parsed = parse(address)?;
    let address = parsed.as_str();
    let mut tx = app.store.begin().await?;
    let before = contacts_at(&mut tx, address, tenant).await?;
    let words = store::contacts::words::of_address(&mut tx, address).await?;
    let whose = choose(&words, tenant, address)?;
    let saying = Saying { address, tenant: &whose, why, actor: &app.actor };
    store::contacts::words::say(&mut tx, Word::Write, &saying, app.clock.now()).await?;
    store::contacts::words::unmerge(&mut tx, address, &whose).await?;
    let after = store::contacts::of_address(&mut tx, address).await?;
    let was_usable = |id: &str| before.iter().any(|contact| contact.id == id && contact.is_usable());
    let enabled = after.iter().filter(|contact| contact.is_usable() && !was_usable(&contact.id)).count();
    if enabled == 0 {
        return Err(AppError::missing(
            "no contact with this address is disabled or merged, apart from those that left their directory",
            "run `forthright contact list TENANT` to see what there is",
        ));
    }
    tx.commit(app.entry(
        "directory.enable-contact",
        if whose.is_empty() { "directory" } else { &whose },
        serde_json::json!({ "contacts": enabled, "why": why }),
    ))
    .await?;
    Ok(enabled)
}

/// Of which tenant's contact it is meant: a word on one tenant's stays when another matter is settled.
fn choose(words: &[(String, Word)], tenant: Option<&str>, address: &str) -> Result<String, AppError> {
    let never = |whose: &str| words.iter().any(|(tenant, word)| tenant == whose && *word == Word::Never);
    let refused = |what: String, hint: String| Err(AppError::refused(what, hint));
    match tenant {
        Some(_) if never("") => refused(
            "the address is disabled wherever it is a contact".to_owned(),
            format!("run `forthright directory enable-contact {address} --why …` without --tenant"),
        ),
        Some(tenant) => Ok(tenant.to_owned()),
        None if never("") => Ok(String::new()),
        None => {
            let tenants: Vec<&str> =
                words.iter().filter(|(_, word)| *word == Word::Never).map(|(tenant, _)| tenant.as_str()).collect();
            match tenants.as_slice() {
                [] => Ok(String::new()),
                [one] => Ok((*one).to_owned()),
                several => refused(
                    format!("the address is disabled as a contact of {}", several.join(", ")),
                    "say which is meant with --tenant".to_owned(),
                ),
            }
        }
    }
}

/// The contacts with an address, of which there has to be one.
async fn contacts_at(conn: &mut Conn, address: &str, tenant: Option<&str>) -> Result<Vec<Contact>, AppError> {
    let there = store::contacts::of_address(conn, address).await?;
    let meant = |contact: &Contact| tenant.is_none_or(|tenant| contact.tenant_id == tenant);
    if there.iter().any(meant) {
        return Ok(there.into_iter().filter(meant).collect());
    }
    Err(match tenant {
        Some(tenant) => AppError::missing(
            format!("tenant {tenant} has no contact with this address"),
            format!("run `forthright contact list {tenant}`"),
        ),
        None => AppError::missing("no contact has this address", "look for it in the contacts file that was imported"),
    })
}

/// Adds a contact; one of the same tenant, role and address keeps its id, which is returned.
async fn insert(app: &App, tx: &mut Tx, contact: Contact, until: Option<Timestamp>) -> Result<String, AppError> {
    store::contacts::upsert(tx, std::slice::from_ref(&contact), &Said { by: &app.actor, until }, app.clock.now())
        .await?;
    let there = store::contacts::of_address(tx, &contact.address).await?;
    let same = |row: &&Contact| row.tenant_id == contact.tenant_id && row.role == contact.role;
    Ok(there.iter().find(same).map_or(contact.id, |row| row.id.clone()))
}

/// Never writes to an address again, of all tenants or of one, whatever a later import says. How many contacts have it.
pub async fn disable(app: &App, address: &str, tenant: Option<&str>, why: &str) -> Result<usize, AppError> {
    let parsed = parse(address)?;
    let mut tx = app.store.begin().await?;
    let contacts = contacts_at(&mut tx, parsed.as_str(), tenant).await?;
    let saying = Saying { address: parsed.as_str(), tenant: tenant.unwrap_or_default(), why, actor: &app.actor };
    store::contacts::words::say(&mut tx, Word::Never, &saying, app.clock.now()).await?;
    let ids: Vec<&str> = contacts.iter().map(|contact| contact.id.as_str()).collect();
    let detail = serde_json::json!({ "contacts": ids, "why": why });
    tx.commit(app.entry("directory.disable-contact", tenant.unwrap_or("directory"), detail)).await?;
    Ok(contacts.len())
}

/// A contact, or a found address, as it is listed.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// `ctc_…` or `fnd_…`.
    pub contact: String,
    /// Whose.
    pub tenant_id: String,
    /// Its role.
    pub role: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// BCP 47 tag.
    pub language: String,
    /// IANA name.
    pub timezone: String,
    /// Which way they would rather be reached.
    pub channel: String,
    /// Lower comes first.
    pub priority: i64,
    /// `imported`, `manual`, `security-txt`, `rdap`, `role-mailboxes`, `named`.
    pub source: String,
    /// `verified`, `imported`, `entered`, `unverified`, `rejected`, `disabled`, `left`, `merged`.
    pub state: String,
    /// Consent to be named: `yes`, `no`, or empty.
    pub may_be_named: String,
    /// Where it is from.
    pub provenance: String,
}

/// The contacts of a tenant, with what was found and not confirmed.
pub async fn list(app: &App, tenant: &str) -> Result<Vec<Listed>, AppError> {
    let mut conn = app.store.snapshot().await?;
    known_tenant(&mut conn, tenant).await?;
    let tenants = [tenant.to_owned()];
    let contacts = store::contacts::of(&mut conn, &tenants).await?;
    let mut entries: HashMap<Key, Vec<Entry>> = HashMap::new();
    for entry in store::contacts::entries::of(&mut conn, &tenants).await? {
        entries.entry(entry.key()).or_default().push(entry);
    }
    let said = |contact: &Contact| entries.get(&contact.key()).map(Vec::as_slice).unwrap_or_default();
    let mut listed: Vec<Listed> = contacts.iter().map(|contact| of_contact(contact, said(contact))).collect();
    let found = store::contacts::found_of(&mut conn, tenant).await?;
    listed.extend(found.into_iter().filter(|found| found.state != "confirmed").map(of_found));
    Ok(listed)
}

fn of_contact(contact: &Contact, entries: &[Entry]) -> Listed {
    let state = match contact {
        Contact { merged_into: Some(_), .. } => "merged",
        Contact { disabled_at: Some(_), .. } => "disabled",
        Contact { left_at: Some(_), .. } => "left",
        Contact { verified_at: Some(_), .. } => "verified",
        Contact { source, .. } if source == "manual" => "entered",
        _ => "imported",
    };
    let said: Vec<String> = entries.iter().rev().map(provenance).collect();
    Listed {
        state: state.to_owned(),
        provenance: said.join("; "),
        contact: contact.id.clone(),
        tenant_id: contact.tenant_id.clone(),
        role: contact.role.clone(),
        name: contact.name.clone(),
        email: contact.address.clone(),
        language: contact.language.clone(),
        timezone: contact.timezone.clone(),
        channel: contact.channel.clone(),
        priority: contact.priority,
        source: contact.source.clone(),
        may_be_named: contact.may_be_named.clone(),
    }
}

/// Who says so: an entry by hand with its reason, an import with its directory.
fn provenance(entry: &Entry) -> String {
    match (entry.source.as_str(), entry.expires_at.map(Timestamp::from_micros)) {
        ("manual", Some(until)) => format!("{} (until {until})", entry.why),
        ("manual", None) => entry.why.clone(),
        _ => format!("directory {}", entry.origin),
    }
}

fn of_found(found: Found) -> Listed {
    Listed {
        contact: found.id,
        tenant_id: found.tenant_id,
        role: found.role,
        name: found.name,
        email: found.address,
        language: found.language,
        timezone: String::new(),
        channel: "email".to_owned(),
        priority: 100,
        source: found.rung,
        state: found.state,
        may_be_named: String::new(),
        provenance: found.provenance,
    }
}

/// What verifying did.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The contact.
    pub contact: String,
}

/// Makes sure of a contact, or confirms a found address, which is a contact from then on: the next tick writes a notice
/// to it that was released to its organisation and reached nobody.
pub async fn verify(app: &App, id: &str, why: &str) -> Result<Verified, AppError> {
    let mut tx = app.store.begin().await?;
    let now = app.clock.now();
    if !id.starts_with("fnd_") {
        let contact = contact(&mut tx, id).await?;
        if !contact.is_usable() {
            return Err(AppError::refused(
                format!("{id} is disabled, merged, or has left the directory: nothing is sent to it"),
                format!(
                    "run `forthright contact list {}`; `forthright directory enable-contact EMAIL --why …` brings it back",
                    contact.tenant_id
                ),
            ));
        }
        store::contacts::verify(&mut tx, id, &app.actor, why, now).await?;
        let detail = serde_json::json!({ "contact": id, "why": why });
        tx.commit(app.entry("contact.verify", &contact.tenant_id, detail)).await?;
        return Ok(Verified { contact: id.to_owned() });
    }
    let found = undecided(&mut tx, id).await?;
    let given = Given {
        tenant: &found.tenant_id,
        role: &found.role,
        name: &found.name,
        address: &found.address,
        language: &found.language,
        channel: "",
        timezone: "",
        priority: "",
        may_be_named: "",
        expires: None,
    };
    let bad = |why| AppError::bad(why, "enter the right address with `forthright directory add-contact`");
    let new = Contact { why: format!("{}; {why}", found.provenance), ..given.contact("manual").map_err(bad)? };
    let contact = insert(app, &mut tx, new, None).await?;
    store::contacts::verify(&mut tx, &contact, &app.actor, why, now).await?;
    let decided = Decided { state: "confirmed", actor: &app.actor, why, contact: Some(&contact) };
    store::contacts::decide_found(&mut tx, id, &decided, now).await?;
    let detail = serde_json::json!({ "found": id, "contact": contact, "why": why });
    tx.commit(app.entry("contact.verify", &found.tenant_id, detail)).await?;
    Ok(Verified { contact })
}

/// Says that a found address is not the organisation's. It is not written to again, and a letter to it
/// that has not left is called back.
pub async fn reject(app: &App, id: &str, why: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let found = undecided(&mut tx, id).await?;
    let now = app.clock.now();
    let decided = Decided { state: "rejected", actor: &app.actor, why, contact: None };
    store::contacts::decide_found(&mut tx, id, &decided, now).await?;
    let reason = format!("called back: {id} was rejected");
    let mails = store::reach::call_back(&mut tx, &found.tenant_id, &found.address, &reason, now.micros()).await?;
    let detail = serde_json::json!({ "found": id, "why": why, "mails_called_back": mails });
    Ok(tx.commit(app.entry("contact.reject", &found.tenant_id, detail)).await?)
}

async fn undecided(tx: &mut Tx, id: &str) -> Result<Found, AppError> {
    let found = store::contacts::found(tx, id).await?.ok_or_else(|| {
        AppError::missing(format!("no found address {id}"), "run `forthright contact list TENANT` to see what there is")
    })?;
    if found.state == "unverified" {
        return Ok(found);
    }
    Err(AppError::refused(
        format!("{id} was {} already", found.state),
        "enter the address with `forthright directory add-contact` if it is right after all",
    ))
}

/// Notes whether a contact may be named to others.
pub async fn consent(app: &App, id: &str, may_be_named: bool, why: &str) -> Result<(), AppError> {
    let word = if may_be_named { "yes" } else { "no" };
    let mut tx = app.store.begin().await?;
    let contact = contact(&mut tx, id).await?;
    store::contacts::set_consent(&mut tx, id, word, &app.actor).await?;
    let detail = serde_json::json!({ "contact": id, "may_be_named": word, "why": why });
    Ok(tx.commit(app.entry("contact.consent", &contact.tenant_id, detail)).await?)
}

/// Merges a duplicate into another contact of the same tenant, which counts from then on.
pub async fn merge(app: &App, duplicate: &str, into: &str, why: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let (one, other) = (contact(&mut tx, duplicate).await?, contact(&mut tx, into).await?);
    let refused = |what: String| Err(AppError::refused(what, "run `forthright contact list TENANT` and look again"));
    if one.id == other.id {
        return refused(format!("{duplicate} cannot be merged into itself"));
    }
    if one.tenant_id != other.tenant_id {
        return refused(format!(
            "{duplicate} is tenant {}'s and {into} tenant {}'s: people of two organisations are never one",
            one.tenant_id, other.tenant_id
        ));
    }
    let own = Role::AccountManager.as_str();
    if one.role != own && other.role == own {
        return refused(format!("{into} is the vendor's own {}, who gets tasks and no notices", other.role));
    }
    if one.merged_into.is_some() {
        return refused(format!("{duplicate} is merged into another contact already"));
    }
    if !other.is_usable() {
        return refused(format!("{into} is not written to any more, so it cannot take {duplicate}'s place"));
    }
    store::contacts::merge(&mut tx, duplicate, into).await?;
    let detail = serde_json::json!({ "duplicate": duplicate, "into": into, "why": why });
    Ok(tx.commit(app.entry("contact.merge", &one.tenant_id, detail)).await?)
}

/// Contacts of a tenant that look like one person: the same name, or the same address in several roles.
pub async fn duplicates(app: &App, tenant: &str) -> Result<Vec<(String, String)>, AppError> {
    let contacts = store::contacts::of(&mut app.store.read().await?, &[tenant.to_owned()]).await?;
    let usable: Vec<&Contact> = contacts.iter().filter(|contact| contact.is_usable()).collect();
    let mut pairs = BTreeSet::new();
    for (at, one) in usable.iter().enumerate() {
        for other in &usable[at + 1..] {
            let same_name = !one.name.is_empty() && one.name.eq_ignore_ascii_case(&other.name);
            if one.role == other.role && (same_name || mailbox(&one.address) == mailbox(&other.address)) {
                pairs.insert((one.id.clone(), other.id.clone()));
            }
        }
    }
    Ok(Vec::from_iter(pairs))
}

/// The mailbox behind an address: what stands after a `+` does not count.
fn mailbox(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or(local)),
        None => address.to_owned(),
    }
}

async fn contact(conn: &mut Conn, id: &str) -> Result<Contact, AppError> {
    store::contacts::by_id(conn, id).await?.ok_or_else(|| {
        AppError::missing(format!("no contact {id}"), "run `forthright contact list TENANT` to see what there is")
    })
}
