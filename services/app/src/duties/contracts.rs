//! Hours that were promised to a customer by contract.
//!
//! Reads no contract. Invariant: an entry is ended, never taken away.

use model::law::ClockEvent;
use model::time::Timestamp;
use serde::Serialize;
use store::duties::Contract;

use crate::{App, AppError, new_id};

/// A new entry.
#[derive(Debug)]
pub struct NewContract<'a> {
    /// Whose.
    pub tenant: &'a str,
    /// How many hours there are, 1 to 8,760.
    pub hours: u16,
    /// What starts them.
    pub trigger: ClockEvent,
    /// Contract and clause.
    pub source: &'a str,
    /// The reason.
    pub why: &'a str,
}

/// An entry.
#[derive(Debug, Serialize)]
pub struct ContractLine {
    /// `ctr_…`.
    pub contract: String,
    /// Whose.
    pub tenant_id: String,
    /// How many hours there are.
    pub hours: i64,
    /// What starts them.
    pub trigger: String,
    /// Contract and clause.
    pub source: String,
    /// `in force`, `ended`.
    pub state: &'static str,
    /// By whom.
    pub added_by: String,
    /// When.
    pub added_at: Timestamp,
    /// The reason for the entry, and for its end.
    pub why: String,
}

/// Keeps an entry; its id.
pub async fn add(app: &App, new: &NewContract<'_>) -> Result<String, AppError> {
    if !(1..=8_760).contains(&new.hours) {
        return Err(AppError::bad(format!("{} hours are none of a contract", new.hours), "use 1 to 8760: --hours 72"));
    }
    let mut tx = app.store.begin().await?;
    crate::directory::known_tenant(&mut tx, new.tenant).await?;
    let row = Contract {
        id: new_id("ctr"),
        tenant_id: new.tenant.to_owned(),
        hours: i64::from(new.hours),
        trigger_event: new.trigger.as_str().to_owned(),
        source: new.source.to_owned(),
        why: new.why.to_owned(),
        added_by: app.actor.clone(),
        added_at: app.clock.now().micros(),
        ended_by: None,
        ended_at: None,
        ended_why: None,
    };
    store::duties::insert_contract(&mut tx, &row).await?;
    store::duties::look_at_all(&mut tx, super::at_once(app)).await?;
    let detail = serde_json::json!({
        "contract": row.id, "hours": new.hours, "trigger": new.trigger, "source": new.source, "why": new.why,
    });
    tx.commit(app.entry("contract.add", new.tenant, detail)).await?;
    Ok(row.id)
}

/// Every entry, by tenant.
pub async fn list(app: &App) -> Result<Vec<ContractLine>, AppError> {
    let rows = store::duties::contracts(&mut app.store.read().await?).await?;
    Ok(rows.into_iter().map(line).collect())
}

fn line(row: Contract) -> ContractLine {
    let why = row.ended_why.as_ref().map_or_else(|| row.why.clone(), |end| format!("{}; ended: {end}", row.why));
    ContractLine {
        contract: row.id,
        tenant_id: row.tenant_id,
        hours: row.hours,
        trigger: row.trigger_event,
        source: row.source,
        state: if row.ended_at.is_some() { "ended" } else { "in force" },
        added_by: row.added_by,
        added_at: Timestamp::from_micros(row.added_at),
        why,
    }
}

/// Ends an entry: it starts no clock any more.
pub async fn end(app: &App, id: &str, why: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    if !store::duties::end_contract(&mut tx, id, &app.actor, why, app.clock.now().micros()).await? {
        return Err(AppError::missing(
            format!("no contract `{id}` is in force"),
            "run `forthright contract list` to see which are",
        ));
    }
    tx.commit(app.entry("contract.end", id, serde_json::json!({ "why": why }))).await?;
    Ok(())
}
