//! Taking a manifest back: one that was read in the wrong way, or that belongs to another incident.
//!
//! Invariant: afterwards every figure is what it would be if the manifest had never been counted, and the record says
//! that it was, by whom, and why it was taken back. With the figures go the mails that state others.

use std::collections::{BTreeSet, HashMap};

use model::difference::Why;
use model::notices::DomainFacts;
use model::runs::reversed;
use model::time::Timestamp;
use serde::Serialize;
use store::facts::Change;
use store::intake::Manifest as Stored;
use store::{Conn, StoreError, Tx};

use super::correction::is_named;
use crate::mapping::Hosts;
use crate::{App, AppError, Incident, new_stamp};

/// Hosts that are looked up at a time.
const A_CHUNK: usize = 5_000;

/// What taking a manifest back did.
#[derive(Debug, Serialize)]
pub struct Withdrawn {
    /// The file.
    pub file: String,
    /// SHA-256 of its content.
    pub sha256: String,
    /// Rows that count no more.
    pub rows: i64,
    /// When.
    pub withdrawn_at: Timestamp,
}

/// Takes a manifest back, named by its file or by its SHA-256; of several passes the newest. One whose import was
/// interrupted leaves nothing.
pub async fn withdraw(app: &App, slug: &str, name: &str, why: &str) -> Result<Withdrawn, AppError> {
    let incident = super::countable(app, slug).await?;
    let manifest = find(app, &incident, name).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    // Nobody counts, maps or erases meanwhile: what is read here is what is taken back.
    store::incidents::seize(&mut tx, incident.id).await?;
    if manifest.counted_at.is_some() {
        if store::mapping::unfolded(&mut tx, incident.id).await?.is_some() {
            return Err(StoreError::Stale { what: format!("the hosts of {slug}") }.into());
        }
        let domains = domains_of(&mut tx, &incident, manifest.id).await?;
        let cause = format!("{} withdrawn", manifest.name);
        store::facts::mark_stale(&mut tx, incident.id, &cause, new_stamp(), &domains).await?;
        store::intake::withdraw(&mut tx, manifest.id, why, now).await?;
    } else {
        store::intake::abandon(&mut tx, manifest.id).await?;
    }
    let detail = serde_json::json!({
        "file": manifest.name, "sha256": manifest.digest, "pass": manifest.pass, "rows": manifest.rows_read, "why": why,
    });
    tx.commit(app.entry("exposure.withdraw", slug, detail)).await?;
    crate::facts::settle(app, incident.id).await?;
    let Stored { name, digest, rows_read, .. } = manifest;
    Ok(Withdrawn { file: name, sha256: digest, rows: rows_read, withdrawn_at: now })
}

/// Notices that state what was taken back and have not left do not leave: in the transaction that writes the sheets anew,
/// whoever writes them. One that is still true goes on. How many mails.
pub(crate) async fn call_back(app: &App, tx: &mut Tx, incident: i64, changes: &[Change]) -> Result<u64, AppError> {
    let taken_back = changes.iter().filter(|change| Why::of_cause(&change.cause) == Why::TakenBack);
    let mut tenants = BTreeSet::new();
    for change in taken_back.filter(|change| !change.before.is_empty()) {
        let before: DomainFacts =
            serde_json::from_str(&change.before).map_err(AppError::stored("fact_changes.before"))?;
        tenants.extend(before.tenant_id);
    }
    if tenants.is_empty() {
        return Ok(0);
    }
    let mut mails = 0;
    for tenant in store::delivery::unsent_tenants(tx, incident).await?.iter().filter(|one| tenants.contains(*one)) {
        let newest = store::escalation::newest_released(tx, incident, tenant).await?;
        let Some(newest) = newest else { continue };
        if !crate::notices::states_facts_of_today(tx, incident, &newest).await? {
            let why = "called back: records that its notice states were taken back";
            mails += store::delivery::call_back(tx, incident, tenant, why, app.clock.now().micros()).await?;
        }
    }
    Ok(mails)
}

async fn find(app: &App, incident: &Incident, name: &str) -> Result<Stored, AppError> {
    // Verdicts on its hosts say whose sheets change.
    crate::facts::settle(app, incident.id).await?;
    let list = format!("run `forthright exposure manifests {}`, and name one by its sha256", incident.slug);
    let all = store::intake::manifests(&mut app.store.read().await?, incident.id).await?;
    let there: Vec<&Stored> = all.iter().filter(|manifest| manifest.withdrawn_at.is_none()).collect();
    let named: Vec<&Stored> = there.iter().filter(|manifest| is_named(manifest, name)).copied().collect();
    let Some(digest) = named.last().map(|manifest| &manifest.digest) else {
        return Err(AppError::missing(format!("{} has no manifest `{name}`", incident.slug), list));
    };
    if named.iter().any(|manifest| manifest.digest != *digest) {
        return Err(AppError::bad(format!("{} has several manifests `{name}`", incident.slug), list));
    }
    // Further passes count what the first one found, so the newest goes first, whatever it is called.
    let Some(newest) = there.iter().rfind(|manifest| manifest.digest == *digest) else {
        return Err(AppError::missing(format!("{} has no manifest `{name}`", incident.slug), list));
    };
    if let Some(copy) = there.iter().find(|manifest| manifest.corrects == Some(newest.id)) {
        return Err(AppError::refused(
            format!("{} corrects rows of {}, and they would count without the rest", copy.name, newest.name),
            format!("withdraw {} first", copy.name),
        ));
    }
    Ok((*newest).clone())
}

/// The organisation domains (reversed) that a manifest's hosts count under.
async fn domains_of(conn: &mut Conn, incident: &Incident, manifest: i64) -> Result<Vec<String>, AppError> {
    let places = store::runs::index_of_manifest(conn, manifest, "counts", "").await?;
    let mut hosts = Hosts::new(places, String::new());
    let (mut domains, mut after) = (BTreeSet::new(), String::new());
    loop {
        let chunk = hosts.next_chunk(conn, A_CHUNK).await?;
        let Some(last) = chunk.last().cloned() else { return Ok(Vec::from_iter(domains)) };
        let known: HashMap<String, String> = store::mapping::between(conn, incident.id, &after, &last)
            .await?
            .into_iter()
            .map(|known| (known.reversed, known.organisation_domain))
            .collect();
        domains.extend(chunk.iter().filter_map(|host| known.get(host)).map(|domain| reversed(domain)));
        after = last;
    }
}
