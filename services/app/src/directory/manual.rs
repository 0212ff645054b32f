//! Entries by hand: a domain for a tenant, with its reason, until it expires or is taken back.
//!
//! Invariant: an entry by hand beats every import; where an import names only others, both sides are shown and nothing
//! is sent until a person has confirmed the entry over them.

use std::collections::BTreeSet;

use model::domain::DomainName;
use model::time::Timestamp;
use store::Tx;
use store::directory::NewManual;

use super::{known_tenant, settle_all};
use crate::{App, AppError};

/// A domain that a person enters for a tenant.
#[derive(Debug)]
pub struct ManualDomain<'a> {
    /// Whose.
    pub tenant: &'a str,
    /// The domain.
    pub domain: &'a str,
    /// The domain it stands for.
    pub alias_of: Option<&'a str>,
    /// Tenants that the import names and that are set aside, knowingly.
    pub over: &'a [String],
    /// The reason.
    pub why: &'a str,
    /// When it counts no more.
    pub expires: Option<Timestamp>,
}

/// What is said against an entry by hand.
#[derive(Debug)]
pub struct Entered {
    /// Tenants that imports name: to be confirmed, and nothing is sent until then.
    pub against: Vec<String>,
    /// What should be looked at, in words.
    pub doubts: Vec<String>,
}

/// Enters a domain by hand. It beats every import.
pub async fn add_domain(app: &App, entry: &ManualDomain<'_>) -> Result<Entered, AppError> {
    let domain = super::read::domain(entry.domain)?;
    let alias_of = match entry.alias_of {
        Some(text) => Some(super::read::domain(text)?.as_str().to_owned()),
        None => None,
    };
    let over = serde_json::to_string(entry.over).map_err(AppError::stored("domains.over"))?;
    let mut tx = app.store.begin().await?;
    store::directory::bump_version(&mut tx).await?;
    known_tenant(&mut tx, entry.tenant).await?;
    weigh(app, &mut tx, domain.as_str(), entry.tenant).await?;
    let doubts = check(app, &mut tx, entry, &domain, alias_of.as_deref()).await?;
    let claims = store::directory::claims_of(&mut tx, &[domain.as_str()]).await?;
    let imported: BTreeSet<String> =
        claims.into_iter().filter(|claim| claim.source == "imported").map(|claim| claim.tenant_id).collect();
    let mut against: Vec<String> = Vec::new();
    if !imported.contains(entry.tenant) {
        against.extend(imported.into_iter().filter(|tenant| !entry.over.contains(tenant)));
    }
    let new = NewManual {
        domain: domain.as_str(),
        tenant: entry.tenant,
        alias_of: alias_of.as_deref(),
        over: &over,
        why: entry.why,
        actor: &app.actor,
        at: app.clock.now().micros(),
        expires_at: entry.expires.map(Timestamp::micros),
    };
    store::directory::upsert_manual(&mut tx, &new).await?;
    mark(&mut tx, domain.as_str()).await?;
    let detail = serde_json::json!({
        "domain": domain.as_str(), "alias_of": alias_of, "why": entry.why, "expires": entry.expires, "over": entry.over, "against": against,
    });
    tx.commit(app.entry("directory.add-domain", entry.tenant, detail)).await?;
    settle_all(app).await?;
    Ok(Entered { against, doubts })
}

/// What an entry says has to be possible; what is merely odd is returned.
async fn check(
    app: &App,
    tx: &mut Tx,
    entry: &ManualDomain<'_>,
    domain: &DomainName,
    alias_of: Option<&str>,
) -> Result<Vec<String>, AppError> {
    crate::mapping::in_future(app, entry.expires)?;
    if model::shared::find(domain.as_str()).is_some() {
        return Err(AppError::refused(
            format!("{domain} stands on the list of shared domains, which belong to no single organisation (R3)"),
            "enter a name below it that is this tenant's alone",
        ));
    }
    let Some(of) = alias_of else { return Ok(Vec::new()) };
    if of == domain.as_str() {
        return Err(AppError::bad(
            format!("{domain} cannot be another name of itself"),
            "name another domain with --alias-of, or none",
        ));
    }
    let claims = store::directory::claims_of(tx, &[of]).await?;
    let is_theirs = claims.iter().any(|claim| claim.tenant_id == entry.tenant);
    let doubt = || {
        format!(
            "the directory does not say that {of} is tenant {}'s: look with `forthright mapping explain {of}`",
            entry.tenant
        )
    };
    Ok(if is_theirs { Vec::new() } else { vec![doubt()] })
}

/// Takes an entry by hand back.
pub async fn remove_domain(app: &App, tenant: &str, domain: &str, why: &str) -> Result<(), AppError> {
    let domain = super::read::domain(domain)?;
    let mut tx = app.store.begin().await?;
    store::directory::bump_version(&mut tx).await?;
    let now = app.clock.now();
    if store::directory::lapse_manual(&mut tx, domain.as_str(), tenant, why, &app.actor, now).await? == 0 {
        return Err(AppError::missing(
            format!("nobody entered {domain} by hand for tenant {tenant}"),
            "what an import says is changed by the next import; `forthright directory export --twin manual` lists manual entries",
        ));
    }
    mark(&mut tx, domain.as_str()).await?;
    let detail = serde_json::json!({ "domain": domain.as_str(), "why": why });
    tx.commit(app.entry("directory.remove-domain", tenant, detail)).await?;
    settle_all(app).await
}

async fn mark(tx: &mut Tx, domain: &str) -> Result<(), AppError> {
    for incident in store::mapping::open_incidents(tx).await? {
        store::mapping::mark_under(tx, incident, &[domain]).await?;
    }
    Ok(())
}

/// An entry that may move many organisations is not one person's: in an incident, a second one can agree to it.
async fn weigh(app: &App, tx: &mut Tx, domain: &str, tenant: &str) -> Result<(), AppError> {
    let limit = app.settings.mapping.second_actor_above;
    for incident in store::mapping::open_incidents(tx).await? {
        let hosts = store::mapping::under(tx, incident, domain).await?;
        let others = hosts.iter().filter(|host| host.tenant_id.as_deref() != Some(tenant));
        let moved: BTreeSet<&str> = others.map(|host| host.organisation_domain.as_str()).collect();
        if moved.len() > limit {
            let slug = app.incident_by_id(tx, incident).await?.slug;
            return Err(AppError::refused(
                format!(
                    "{domain} has {} organisations below it in {slug}, more than {limit}: one person alone cannot move them",
                    moved.len()
                ),
                format!(
                    "run `forthright mapping assign {slug} {domain} {tenant} --why …`, which a second person can approve"
                ),
            ));
        }
    }
    Ok(())
}
