//! Organisations that were told, or are about to be, and of which nothing is affected any more.
//!
//! Decides no mapping. Invariant: what was told and concerns them no more is taken back once, by a notice that two people
//! sign like any other; while it is open whose a domain is, nothing is said of it.

use model::delivery::recipients;
use model::notices::NoticeContext;
use store::notices::Notice;

use super::draft::{Drafted, Source, ToDo, carry_out};
use super::{Material, Told};
use crate::{App, AppError, Incident};

/// Takes back what was told, and withdraws what was not released.
pub(super) async fn draft(app: &App, source: &Source, total: &mut Drafted) -> Result<(), AppError> {
    let incident = source.incident.as_ref();
    let mut tx = app.store.begin().await?;
    let tenants = store::unwritten::no_longer_affected(&mut tx, incident.id).await?;
    if tenants.is_empty() {
        return Ok(());
    }
    let open = Open::of(&mut tx, incident).await?;
    let mut to_do = ToDo::default();
    for tenant in &tenants {
        let latest = store::notices::latest_in_range(&mut tx, incident.id, tenant, tenant).await?.into_iter().next();
        let told = told_last(&mut tx, incident, tenant).await?;
        if told.is_empty() {
            to_do.withdraw(latest.as_ref());
            continue;
        }
        if open.is_open(&mut tx, incident, tenant, &told).await? {
            to_do.withdraw(latest.as_ref());
            total.unsettled += 1;
            continue;
        }
        if open.withheld.iter().any(|of| of.as_ref().is_none_or(|of| of == tenant)) {
            to_do.withdraw(latest.as_ref());
            total.withheld += 1;
            continue;
        }
        let people = store::contacts::in_range(&mut tx, tenant, tenant).await?;
        let row = store::directory::tenant(&mut tx, tenant).await?;
        let is_reachable = recipients(&crate::delivery::ladder(&people), 0).is_some();
        let Some(row) = row.filter(|_| is_reachable) else {
            to_do.withdraw(latest.as_ref());
            total.without_contact += 1;
            continue;
        };
        let material = Material::new(source, row, &people, Told::default());
        to_do.add(&mut tx, incident, latest.as_ref(), material, total).await?;
    }
    carry_out(app, source, tx, &tenants, to_do, total).await
}

/// The domains that the newest released notice names; none: nothing was told, or it was taken back.
async fn told_last(conn: &mut store::Conn, incident: &Incident, tenant: &str) -> Result<Vec<String>, AppError> {
    let newest: Option<Notice> = store::escalation::newest_released(conn, incident.id, tenant).await?;
    let Some(newest) = newest.filter(|notice| !notice.takes_everything_back()) else { return Ok(Vec::new()) };
    let facts = store::notices::facts_of(conn, &newest.id).await?.unwrap_or_default();
    let context: NoticeContext = serde_json::from_str(&facts).map_err(AppError::stored("notices.facts"))?;
    Ok(context.domains.into_iter().map(|facts| facts.domain).collect())
}

/// What keeps an incident's organisations from being written to.
struct Open {
    /// Where somebody said that nothing is theirs.
    denied: Vec<String>,
    /// From whom everything is withheld; none: from all.
    withheld: Vec<Option<String>>,
}

impl Open {
    async fn of(conn: &mut store::Conn, incident: &Incident) -> Result<Self, AppError> {
        let in_force = store::withholdings::in_force(conn, incident.id).await?.into_iter();
        Ok(Self {
            denied: store::denials::denied(conn, incident.id).await?,
            withheld: in_force.filter(|row| row.fact == model::withholding::NOTICE).map(|row| row.tenant_id).collect(),
        })
    }

    /// Whether a person has to settle first whose these domains are.
    async fn is_open(
        &self,
        conn: &mut store::Conn,
        incident: &Incident,
        tenant: &String,
        domains: &[String],
    ) -> Result<bool, AppError> {
        if self.denied.contains(tenant) || store::mapping::is_disputed(conn, incident.id, tenant).await? {
            return Ok(true);
        }
        for domain in domains {
            if store::unwritten::is_in_conflict(conn, incident.id, domain).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
