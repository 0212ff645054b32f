//! Work lists: what waits for a person before an organisation can be told, the most affected first.
//!
//! Changes nothing. Invariant: every affected organisation domain that is not mapped, and every affected tenant that
//! nobody can be told at, is on a list; so is all that somebody says is not theirs.

use std::collections::{BTreeMap, BTreeSet};

use model::delivery::recipients;
use model::notices::DomainFacts;
use serde::Serialize;
use store::facts::Scope;

use crate::{App, AppError};

/// Something that waits for a person.
#[derive(Debug, Serialize)]
pub struct WorkItem {
    /// `unmapped`, `shared`, `conflict`, `no-contact`, `unverified`.
    pub list: String,
    /// The organisation domain; of a tenant, its domains.
    pub domain: String,
    /// The tenant, where one is known.
    pub tenant_id: String,
    /// Distinct exposed objects; unknown (0) of shared domains.
    pub objects: i64,
    /// Distinct exposed addresses and users.
    pub people: i64,
    /// Raw references.
    pub rows: i64,
    /// Of a conflict: `several-claims`, `manual-import`, `owner-changed`, `disputed`.
    pub review: String,
    /// Why it waits.
    pub because: String,
    /// What settles it.
    pub next_step: String,
}

/// The work lists of an incident: of one name, or all; the most objects and people first.
pub async fn work_lists(app: &App, slug: &str, only: Option<&str>) -> Result<Vec<WorkItem>, AppError> {
    let incident = app.incident(slug).await?;
    super::lapse_expired(app).await?;
    crate::facts::settle(app, incident.id).await?;
    let mut conn = app.store.snapshot().await?;
    let mut items = Vec::new();
    for waiting in store::mapping::waiting(&mut conn, incident.id).await? {
        let facts: Option<DomainFacts> = match waiting.facts.as_str() {
            "" => None,
            text => Some(serde_json::from_str(text).map_err(AppError::stored("fact_sheets.facts"))?),
        };
        let domain = waiting.organisation_domain;
        let next_step = match waiting.verdict.as_str() {
            "unmapped" => format!("forthright mapping assign {slug} {domain} TENANT --why …"),
            "conflict" => {
                format!("forthright mapping assign {slug} {domain} TENANT --why …, or mapping reject for the wrong one")
            }
            _ => format!(
                "if a name below {domain} is one organisation's: forthright mapping assign {slug} NAME TENANT --why …"
            ),
        };
        items.push(WorkItem {
            list: waiting.verdict,
            tenant_id: String::new(),
            objects: facts.as_ref().map_or(0, |facts| facts.objects),
            people: facts.as_ref().map_or(0, |facts| facts.emails + facts.users),
            rows: waiting.row_count,
            review: waiting.review.unwrap_or_default(),
            because: waiting.because.unwrap_or_default(),
            next_step,
            domain,
        });
    }
    let mut by_tenant: BTreeMap<String, Vec<DomainFacts>> = BTreeMap::new();
    for facts in store::facts::facts(&mut conn, incident.id, Scope::Incident).await? {
        if let Some(tenant) = facts.tenant_id.clone() {
            by_tenant.entry(tenant).or_default().push(facts);
        }
    }
    items.extend(tenants_without_contact(&mut conn, slug, &by_tenant).await?);
    let affected = |tenant: &str| by_tenant.get(tenant).map(|facts| of_tenant(tenant, facts));
    super::disputes::add_to_work_lists(&mut conn, &incident, &mut items, &affected).await?;
    if let Some(only) = only {
        items.retain(|item| item.list == only);
    }
    items.sort_by(|one, other| {
        let weight = |item: &WorkItem| (item.objects + item.people, item.rows);
        weight(other)
            .cmp(&weight(one))
            .then_with(|| one.list.cmp(&other.list))
            .then_with(|| one.domain.cmp(&other.domain))
    });
    Ok(items)
}

async fn tenants_without_contact(
    conn: &mut store::Conn,
    slug: &str,
    by_tenant: &BTreeMap<String, Vec<DomainFacts>>,
) -> Result<Vec<WorkItem>, AppError> {
    let ids: Vec<String> = by_tenant.keys().cloned().collect();
    let contacts = crate::delivery::by_tenant(store::contacts::of(conn, &ids).await?);
    let mut unverified: BTreeMap<String, Vec<store::contacts::Found>> = BTreeMap::new();
    for found in store::contacts::found_in_state(conn, "unverified").await? {
        unverified.entry(found.tenant_id.clone()).or_default().push(found);
    }
    let mut items = Vec::new();
    for (tenant, facts) in by_tenant {
        let people = contacts.get(tenant).map(Vec::as_slice).unwrap_or_default();
        let found = unverified.get(tenant).map(Vec::as_slice).unwrap_or_default();
        let has_contact = recipients(&crate::delivery::ladder(people), 0).is_some();
        if has_contact && found.is_empty() {
            continue;
        }
        let (list, because, next_step) = match found.first() {
            Some(first) => (
                "unverified",
                format!("{} address(es) were found and nobody has confirmed them: {}", found.len(), first.provenance),
                format!("forthright contact verify {} --why …, or contact reject", first.id),
            ),
            None => (
                "no-contact",
                "the directory names nobody who can be told".to_owned(),
                format!(
                    "forthright directory add-contact {tenant} --role security --email … --why …, or forthright contact find {slug}"
                ),
            ),
        };
        items.push(WorkItem { list: list.to_owned(), because, next_step, ..of_tenant(tenant, facts) });
    }
    Ok(items)
}

/// A tenant with what is exposed of it, without a reason yet.
fn of_tenant(tenant: &str, facts: &[DomainFacts]) -> WorkItem {
    let domains: BTreeSet<&str> = facts.iter().map(|facts| facts.domain.as_str()).collect();
    WorkItem {
        list: String::new(),
        domain: Vec::from_iter(domains).join(" "),
        tenant_id: tenant.to_owned(),
        objects: facts.iter().map(|facts| facts.objects).sum(),
        people: facts.iter().map(|facts| facts.emails + facts.users).sum(),
        rows: facts.iter().map(|facts| facts.rows).sum(),
        review: String::new(),
        because: String::new(),
        next_step: String::new(),
    }
}
