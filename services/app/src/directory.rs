//! The directory: imports with their difference first, and manual entries that beat them.
//!
//! Decides no mapping. Invariant: an import never removes, never touches a manual entry, and never enables an address
//! that a person disabled.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use model::delivery::Role;
use model::email::EmailAddress;
use model::time::Timestamp;
use serde::Serialize;
use sources::{Table, TableRecord};
use store::directory::{Contact, DomainClaim, Tenant};

use crate::{App, AppError, new_id};

/// What an import did, or would do.
#[derive(Debug, Default, Serialize)]
pub struct Difference {
    /// New tenants, domains and contacts.
    pub added: usize,
    /// Those that say something else now.
    pub changed: usize,
    /// Those that say the same.
    pub kept: usize,
    /// Rows that could not be used: file, line, why.
    pub rejected: Vec<String>,
    /// What a person should know: differing names of one tenant, domains that several tenants claim.
    pub notes: Vec<String>,
    /// Whether anything was written.
    pub written: bool,
}

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It writes.
    Write,
    /// It shows the difference.
    DryRun,
}

const A_PART: usize = 5_000;

/// Imports organisations, and contacts where there is a file of them. Rows that cannot be used are named, the others
/// are imported.
pub async fn import(
    app: &App,
    organisations: &Path,
    contacts: Option<&Path>,
    mode: Mode,
) -> Result<Difference, AppError> {
    let mut difference = Difference::default();
    let (tenants, claims) = read_organisations(app, organisations, &mut difference)?;
    let known: HashSet<String> = tenants.iter().map(|tenant| tenant.id.clone()).collect();
    let people = match contacts {
        Some(path) => read_contacts(path, &mut difference)?,
        None => Vec::new(),
    };
    let mut tx = app.store.begin().await?;
    let new_tenants = compare_tenants(&mut tx, tenants, &mut difference).await?;
    let new_claims = compare_claims(&mut tx, claims, &mut difference).await?;
    let new_people = compare_contacts(&mut tx, people, &known, contacts, &mut difference).await?;
    if mode == Mode::DryRun {
        return Ok(difference);
    }
    store::directory::upsert_tenants(&mut tx, &new_tenants).await?;
    store::directory::upsert_claims(&mut tx, &new_claims).await?;
    let people: Vec<Contact> = new_people.into_iter().map(|(_, contact)| contact).collect();
    store::directory::upsert_contacts(&mut tx, &people, app.clock.now()).await?;
    if !new_claims.is_empty() {
        store::directory::bump_version(&mut tx).await?;
    }
    difference.written = true;
    let detail = serde_json::json!({
        "organisations": organisations.display().to_string(), "contacts": contacts.map(|path| path.display().to_string()),
        "added": difference.added, "changed": difference.changed, "kept": difference.kept, "rejected": difference.rejected.len(),
    });
    tx.commit(app.entry("directory.import", "directory", detail)).await?;
    settle_all(app).await?;
    Ok(difference)
}

/// After a change of the directory every verdict is looked at again.
async fn settle_all(app: &App) -> Result<(), AppError> {
    for incident in crate::mapping::pending(app).await? {
        crate::facts::settle(app, incident).await?;
    }
    Ok(())
}

fn read_organisations(
    app: &App,
    path: &Path,
    difference: &mut Difference,
) -> Result<(Vec<Tenant>, Vec<DomainClaim>), AppError> {
    let mut table = Table::open(path, &["domain", "tenant_id", "tenant_name"], &["country", "language"])?;
    let file = path.display().to_string();
    let (mut tenants, mut order) = (HashMap::<String, Tenant>::new(), Vec::new());
    let mut claims = BTreeMap::<(String, String), DomainClaim>::new();
    let now = app.clock.now().micros();
    while let Some(record) = table.next_row()? {
        let row = match record {
            TableRecord::Row(row) => row,
            TableRecord::Malformed { line, .. } => {
                difference.rejected.push(format!("{file}, line {line}: wrong number of columns"));
                continue;
            }
        };
        let id = row.get("tenant_id").trim().to_owned();
        if id.is_empty() {
            difference.rejected.push(format!("{file}, line {}: no tenant_id", row.line));
            continue;
        }
        let domain = match model::domain::DomainName::parse(row.get("domain")) {
            Ok(domain) => domain.as_str().to_owned(),
            Err(error) => {
                difference.rejected.push(format!(
                    "{file}, line {}: `{}` is no domain: {error}",
                    row.line,
                    row.get("domain")
                ));
                continue;
            }
        };
        let tenant = Tenant {
            id: id.clone(),
            name: row.get("tenant_name").trim().to_owned(),
            country: row.get("country").trim().to_owned(),
            language: row.get("language").trim().to_owned(),
            added_at: now,
        };
        match tenants.get(&id) {
            None => {
                order.push(id.clone());
                tenants.insert(id.clone(), tenant);
            }
            Some(first) if *first != tenant => {
                difference.notes.push(format!("{file}, line {}: name, country or language of tenant {id} differs from its first row, which counts", row.line));
            }
            Some(_) => {}
        }
        let claim = DomainClaim {
            domain: domain.clone(),
            tenant_id: id.clone(),
            source: "imported".to_owned(),
            alias_of: None,
            why: String::new(),
            actor: app.actor.clone(),
            added_at: now,
            expires_at: None,
        };
        claims.insert((domain, id), claim);
    }
    let tenants = order.into_iter().filter_map(|id| tenants.remove(&id)).collect();
    Ok((tenants, claims.into_values().collect()))
}

fn read_contacts(path: &Path, difference: &mut Difference) -> Result<Vec<(u64, Contact)>, AppError> {
    let required = ["tenant_id", "role", "email"];
    let mut table = Table::open(path, &required, &["name", "language", "channel", "timezone", "priority"])?;
    let file = path.display().to_string();
    let mut contacts = Vec::new();
    let mut seen = HashSet::new();
    while let Some(record) = table.next_row()? {
        let row = match record {
            TableRecord::Row(row) => row,
            TableRecord::Malformed { line, .. } => {
                difference.rejected.push(format!("{file}, line {line}: wrong number of columns"));
                continue;
            }
        };
        let given = Given {
            tenant: row.get("tenant_id"),
            role: row.get("role"),
            name: row.get("name"),
            address: row.get("email"),
            language: row.get("language"),
            channel: row.get("channel"),
            timezone: row.get("timezone"),
            priority: row.get("priority"),
        };
        match given.contact("imported") {
            Ok(contact) if seen.insert((contact.tenant_id.clone(), contact.role.clone(), contact.address.clone())) => {
                contacts.push((row.line, contact));
            }
            Ok(_) => difference.notes.push(format!("{file}, line {}: the same contact stands above", row.line)),
            Err(why) => difference.rejected.push(format!("{file}, line {}: {why}", row.line)),
        }
    }
    Ok(contacts)
}

/// A contact as somebody wrote it.
#[derive(Debug)]
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
    /// Empty = e-mail.
    pub channel: &'a str,
    /// IANA name; empty = unknown.
    pub timezone: &'a str,
    /// Empty = 100.
    pub priority: &'a str,
}

impl Given<'_> {
    fn contact(&self, source: &str) -> Result<Contact, String> {
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
        if self.tenant.trim().is_empty() {
            return Err("no tenant_id".to_owned());
        }
        Ok(Contact {
            id: new_id("ctc"),
            tenant_id: self.tenant.trim().to_owned(),
            role: role.as_str().to_owned(),
            name: self.name.split_whitespace().collect::<Vec<_>>().join(" "),
            address: address.as_str().to_owned(),
            language: self.language.trim().to_owned(),
            channel: if self.channel.trim().is_empty() { "email".to_owned() } else { self.channel.trim().to_owned() },
            timezone: self.timezone.trim().to_owned(),
            priority,
            source: source.to_owned(),
            disabled_at: None,
        })
    }
}

async fn compare_tenants(
    tx: &mut store::Tx,
    tenants: Vec<Tenant>,
    difference: &mut Difference,
) -> Result<Vec<Tenant>, AppError> {
    let mut new = Vec::new();
    for part in tenants.chunks(A_PART) {
        let ids: Vec<String> = part.iter().map(|tenant| tenant.id.clone()).collect();
        let there: HashMap<String, Tenant> = store::directory::tenants_of(tx, &ids)
            .await?
            .into_iter()
            .map(|tenant| (tenant.id.clone(), tenant))
            .collect();
        for tenant in part {
            match there.get(&tenant.id) {
                None => difference.added += 1,
                Some(old)
                    if (&old.name, &old.country, &old.language)
                        == (&tenant.name, &tenant.country, &tenant.language) =>
                {
                    difference.kept += 1;
                    continue;
                }
                Some(_) => difference.changed += 1,
            }
            new.push(tenant.clone());
        }
    }
    Ok(new)
}

async fn compare_claims(
    tx: &mut store::Tx,
    claims: Vec<DomainClaim>,
    difference: &mut Difference,
) -> Result<Vec<DomainClaim>, AppError> {
    let mut new = Vec::new();
    for part in claims.chunks(A_PART) {
        let domains: Vec<String> = part.iter().map(|claim| claim.domain.clone()).collect();
        let mut there: HashMap<String, Vec<DomainClaim>> = HashMap::new();
        for claim in store::directory::claims_of(tx, &domains).await? {
            there.entry(claim.domain.clone()).or_default().push(claim);
        }
        for claim in part {
            let others = there.get(&claim.domain).map(Vec::as_slice).unwrap_or_default();
            if let Some(other) = others.iter().find(|other| other.tenant_id != claim.tenant_id) {
                let kind = if other.source == "manual" {
                    "a manual entry, which counts"
                } else {
                    "an import: a conflict until a person decides"
                };
                difference.notes.push(format!(
                    "{} is claimed by {} and by {} in {kind}",
                    claim.domain, claim.tenant_id, other.tenant_id
                ));
            }
            if others.iter().any(|other| other.tenant_id == claim.tenant_id && other.source == "imported") {
                difference.kept += 1;
            } else {
                difference.added += 1;
                new.push(claim.clone());
            }
        }
    }
    Ok(new)
}

async fn compare_contacts(
    tx: &mut store::Tx,
    people: Vec<(u64, Contact)>,
    known: &HashSet<String>,
    file: Option<&Path>,
    difference: &mut Difference,
) -> Result<Vec<(u64, Contact)>, AppError> {
    let file = file.map(|path| path.display().to_string()).unwrap_or_default();
    let mut new = Vec::new();
    for part in people.chunks(A_PART) {
        let ids: Vec<String> = part.iter().map(|(_, contact)| contact.tenant_id.clone()).collect();
        let stored: HashSet<String> =
            store::directory::tenants_of(tx, &ids).await?.into_iter().map(|tenant| tenant.id).collect();
        let there: HashMap<(String, String, String), Contact> = store::directory::contacts_of(tx, &ids)
            .await?
            .into_iter()
            .map(|contact| ((contact.tenant_id.clone(), contact.role.clone(), contact.address.clone()), contact))
            .collect();
        for (line, contact) in part {
            if !known.contains(&contact.tenant_id) && !stored.contains(&contact.tenant_id) {
                difference
                    .rejected
                    .push(format!("{file}, line {line}: no tenant {} in the directory", contact.tenant_id));
                continue;
            }
            let key = (contact.tenant_id.clone(), contact.role.clone(), contact.address.clone());
            match there.get(&key) {
                None => difference.added += 1,
                Some(old) if old.source == "manual" || says_the_same(old, contact) => {
                    difference.kept += 1;
                    continue;
                }
                Some(_) => difference.changed += 1,
            }
            new.push((*line, contact.clone()));
        }
    }
    Ok(new)
}

fn says_the_same(old: &Contact, new: &Contact) -> bool {
    (&old.name, &old.language, &old.channel, &old.timezone, old.priority)
        == (&new.name, &new.language, &new.channel, &new.timezone, new.priority)
}

/// A tenant that must be there.
pub(crate) async fn known_tenant(conn: &mut store::Conn, id: &str) -> Result<Tenant, AppError> {
    store::directory::tenant(conn, id).await?.ok_or_else(|| {
        AppError::missing(
            format!("no tenant `{id}` in the directory"),
            "import it with `forthright directory import --organisations FILE`",
        )
    })
}

/// A domain that a person enters for a tenant.
#[derive(Debug)]
pub struct ManualDomain<'a> {
    /// Whose.
    pub tenant: &'a str,
    /// The domain.
    pub domain: &'a str,
    /// The domain it stands for.
    pub alias_of: Option<&'a str>,
    /// The reason.
    pub why: &'a str,
    /// When it counts no more.
    pub expires: Option<Timestamp>,
}

/// Enters a domain by hand. It beats every import.
pub async fn add_domain(app: &App, entry: &ManualDomain<'_>) -> Result<(), AppError> {
    let domain = crate::mapping::parse(entry.domain)?;
    let alias_of = match entry.alias_of {
        Some(text) => Some(crate::mapping::parse(text)?.as_str().to_owned()),
        None => None,
    };
    let mut tx = app.store.begin().await?;
    known_tenant(&mut tx, entry.tenant).await?;
    let claim = DomainClaim {
        domain: domain.as_str().to_owned(),
        tenant_id: entry.tenant.to_owned(),
        source: "manual".to_owned(),
        alias_of,
        why: entry.why.to_owned(),
        actor: app.actor.clone(),
        added_at: app.clock.now().micros(),
        expires_at: entry.expires.map(Timestamp::micros),
    };
    store::directory::upsert_claims(&mut tx, std::slice::from_ref(&claim)).await?;
    store::directory::bump_version(&mut tx).await?;
    let detail = serde_json::json!({ "domain": claim.domain, "alias_of": claim.alias_of, "why": entry.why, "expires": entry.expires });
    tx.commit(app.entry("directory.add-domain", entry.tenant, detail)).await?;
    settle_all(app).await
}

/// Enters a contact by hand.
pub async fn add_contact(app: &App, given: &Given<'_>) -> Result<String, AppError> {
    let contact = given.contact("manual").map_err(|why| AppError::bad(why, "correct it and run the command again"))?;
    let mut tx = app.store.begin().await?;
    known_tenant(&mut tx, &contact.tenant_id).await?;
    store::directory::upsert_contacts(&mut tx, std::slice::from_ref(&contact), app.clock.now()).await?;
    let detail = serde_json::json!({ "role": contact.role, "contact": contact.id });
    tx.commit(app.entry("directory.add-contact", &contact.tenant_id, detail)).await?;
    Ok(contact.id)
}

/// Never writes to an address again; a later import does not enable it. How many contacts it was.
pub async fn disable_contact(app: &App, address: &str, why: &str) -> Result<u64, AppError> {
    let parsed = EmailAddress::parse(address).map_err(|error| {
        AppError::bad(format!("the address cannot be used: {error}"), "write it as in name@example.com")
    })?;
    let mut tx = app.store.begin().await?;
    let contacts = store::directory::contacts_of_address(&mut tx, parsed.as_str()).await?;
    if contacts.is_empty() {
        return Err(AppError::missing(
            "no contact has this address",
            "look for it in the contacts file that was imported",
        ));
    }
    let disabled = store::directory::disable(&mut tx, parsed.as_str(), why, app.clock.now()).await?;
    let ids: Vec<&str> = contacts.iter().map(|contact| contact.id.as_str()).collect();
    tx.commit(app.entry("directory.disable-contact", "directory", serde_json::json!({ "contacts": ids, "why": why })))
        .await?;
    Ok(disabled)
}
