//! What somebody at a tenant said is not theirs: settled when the mapping moves on, or by a person; shown until then.
//!
//! Opens no dispute (that is `tickets`). Invariant: a dispute that holds mail is on a work list, and it ends in the
//! transaction that gives the domain to somebody else or to nobody.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use model::domain::DomainName;
use model::mapping::{decide, is_in_question};
use serde::Serialize;
use store::mapping::Decision;
use store::{Conn, Tx};

use super::work_lists::WorkItem;
use super::{Lists, candidates};
use crate::{App, AppError, Incident};

/// A dispute that the mapping has overtaken.
#[derive(Debug, Serialize)]
pub(super) struct Overtaken {
    domain: String,
    tenant: String,
    verdict: String,
    now: Option<String>,
}

/// Settles the disputes about these hosts' domains in which the tenant has no part any more: it was right, and the domain
/// does not come back to it by itself.
pub(super) async fn settle_overtaken(
    app: &App,
    tx: &mut Tx,
    incident: i64,
    lists: &Lists,
    hosts: &[String],
) -> Result<Vec<Overtaken>, AppError> {
    let mut overtaken = Vec::new();
    let open: Vec<&Decision> = lists.disputes().collect();
    if open.is_empty() {
        return Ok(overtaken);
    }
    let hosts: Vec<DomainName> = hosts.iter().filter_map(|host| DomainName::parse(host).ok()).collect();
    let touched: HashSet<&str> = hosts.iter().flat_map(DomainName::suffixes).collect();
    for dispute in open.into_iter().filter(|dispute| touched.contains(dispute.domain.as_str())) {
        let Decision { domain, tenant_id, .. } = dispute;
        let Ok(name) = DomainName::parse(domain) else { continue };
        let known = candidates(tx, lists, std::slice::from_ref(&name)).await?;
        if is_in_question(&name, tenant_id, &known, lists.suffixes.list()) {
            continue;
        }
        let mapping = decide(&name, &known, lists.suffixes.list());
        store::mapping::believe_dispute(tx, incident, domain, tenant_id, app.clock.now().micros()).await?;
        overtaken.push(Overtaken {
            domain: domain.clone(),
            tenant: tenant_id.clone(),
            verdict: mapping.verdict.to_string(),
            now: mapping.tenant_id,
        });
    }
    Ok(overtaken)
}

/// Settles all that somebody at a tenant said in an incident: it is theirs, as the directory and people's decisions have it,
/// and its people are written to again.
pub async fn settle_denial(app: &App, slug: &str, tenant: &str, why: &str) -> Result<(), AppError> {
    let incident = app.incident(slug).await?;
    let mut tx = app.store.begin().await?;
    store::directory::bump_version(&mut tx).await?;
    let now = app.clock.now().micros();
    let disputed = store::mapping::disputed_by(&mut tx, incident.id, tenant).await?;
    for domain in &disputed {
        store::mapping::lapse_dispute(&mut tx, incident.id, domain, tenant, now).await?;
    }
    store::mapping::mark_under(&mut tx, incident.id, &disputed).await?;
    let denials = store::denials::settle(&mut tx, incident.id, tenant, &app.actor, why, now).await?;
    if denials == 0 && disputed.is_empty() {
        return Err(AppError::missing(
            format!("nobody at tenant {tenant} said in {slug} that something is not theirs, or it is settled"),
            format!("run `forthright mapping review {slug} --list conflict` to see what waits"),
        ));
    }
    let detail = serde_json::json!({ "tenant": tenant, "domains": disputed, "denials": denials, "why": why });
    tx.commit(app.entry("mapping.settle", slug, detail)).await?;
    crate::facts::settle(app, incident.id).await
}

/// What was said at one tenant in one incident, and is not settled.
#[derive(Debug)]
pub struct Unsettled {
    /// The incident.
    pub slug: String,
    /// The tenant whose mail waits.
    pub tenant: String,
    /// Domains that are said not to be theirs; none: nothing is.
    pub domains: Vec<String>,
}

/// All that was said and is not settled, by incident and tenant.
pub async fn unsettled(app: &App) -> Result<Vec<Unsettled>, AppError> {
    let mut conn = app.store.snapshot().await?;
    let mut found: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for incident in store::mapping::open_incidents(&mut conn).await? {
        let disputes = store::mapping::decisions(&mut conn, incident).await?;
        for dispute in disputes.into_iter().filter(|decision| decision.decision == "disputed") {
            let slug = app.incident_by_id(&mut conn, incident).await?.slug;
            found.entry((slug, dispute.tenant_id)).or_default().push(dispute.domain);
        }
    }
    for denial in store::denials::open(&mut conn).await? {
        found.entry((denial.slug, denial.tenant_id)).or_default();
    }
    let unsettled = found.into_iter().map(|((slug, tenant), mut domains)| {
        domains.sort();
        Unsettled { slug, tenant, domains }
    });
    Ok(unsettled.collect())
}

/// A tenant with facts in an incident, as a work item has it.
pub(super) type Affected<'a> = &'a (dyn Fn(&str) -> Option<WorkItem> + Sync);

/// Puts every open dispute on the work list, whatever the verdict on its domain is, and whoever is affected here and
/// denied, here or in another incident, that anything is theirs.
pub(super) async fn add_to_work_lists(
    conn: &mut Conn,
    incident: &Incident,
    items: &mut Vec<WorkItem>,
    affected: Affected<'_>,
) -> Result<(), AppError> {
    let slug = &incident.slug;
    let all = store::mapping::decisions(conn, incident.id).await?;
    for dispute in all.into_iter().filter(|decision| decision.decision == "disputed") {
        let Decision { domain, tenant_id, why, .. } = dispute;
        let because = format!(
            "somebody at tenant {tenant_id} says that {domain} is not theirs ({why}): all mail to {tenant_id} waits."
        );
        if let Some(item) = items.iter_mut().find(|item| item.domain == domain && item.list == "conflict") {
            item.tenant_id = tenant_id;
            if item.review != "disputed" {
                item.because = format!("{} {because}", item.because);
            }
            continue;
        }
        items.push(WorkItem {
            list: "conflict".to_owned(),
            next_step: format!(
                "forthright mapping assign {slug} {domain} TENANT --why …, or mapping reject {slug} {domain} {tenant_id} --why …"
            ),
            domain,
            tenant_id,
            objects: 0,
            people: 0,
            rows: 0,
            review: "disputed".to_owned(),
            because,
        });
    }
    let mut shown = BTreeSet::new();
    for denial in store::denials::open(conn).await? {
        let mut tenants = BTreeSet::from([denial.tenant_id.clone()]);
        if !denial.address.is_empty() {
            let people = store::contacts::of_address(conn, &denial.address).await?;
            tenants.extend(people.into_iter().filter(|one| one.is_usable()).map(|one| one.tenant_id));
        }
        for tenant in tenants {
            let Some(item) = affected(&tenant) else { continue };
            if !shown.insert((tenant, denial.tenant_id.clone(), denial.slug.clone())) {
                continue;
            }
            items.push(denied(item, &denial));
        }
    }
    Ok(())
}

fn denied(item: WorkItem, denial: &store::denials::Denial) -> WorkItem {
    let (slug, tenant) = (&denial.slug, &denial.tenant_id);
    let (who, waits) = match denial.address.as_str() {
        "" => (format!("somebody at tenant {tenant}"), "look before they are told".to_owned()),
        address => (format!("{address}, at tenant {tenant},"), format!("no mail goes to {address}")),
    };
    WorkItem {
        list: "conflict".to_owned(),
        review: "disputed".to_owned(),
        because: format!(
            "{who} said in {slug} that nothing is theirs ({}): {waits} until a person settles it.",
            denial.why
        ),
        next_step: format!(
            "if it is the right organisation: forthright mapping settle {slug} {tenant} --why …; if only the address is wrong, first directory disable-contact"
        ),
        ..item
    }
}
