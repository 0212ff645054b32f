//! Rungs that are due fire, a chunk of ladders at a time.
//!
//! Says nothing to anybody; [`super::fire`] does. Invariant: a firing, its letter or task, its line in the timeline and
//! the ladder's next time are one transaction, and a ladder that cannot be climbed becomes a task and does not stop the
//! others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

use model::escalation::Target;
use model::time::Timestamp;
use store::StoreError;
use store::Tx;
use store::directory::Tenant;
use store::escalation::{Escalation, Firing, NewTask, Task, events};
use store::tickets::{QuestionRow, TicketRow};

use super::course::Course;
use super::fire::Climber;
use super::outgoing::Outgoing;
use super::{CHUNK, Ticked};
use crate::{App, AppError, Incident, new_id};

/// Climbs up to a chunk of ladders in one transaction; where one of them cannot be climbed, each in its own.
pub(super) async fn climb_due(app: &App, now: Timestamp) -> Result<Ticked, AppError> {
    let due = store::escalation::due(&mut app.store.read().await?, now.micros(), CHUNK).await?;
    if due.is_empty() {
        return Ok(Ticked::default());
    }
    match climb(app, &due, now).await {
        Err(error) if error.is_about_one_row() || matches!(error, AppError::Store(StoreError::Stale { .. })) => {}
        done => return done,
    }
    let mut total = Ticked::default();
    for one in &due {
        match climb(app, std::slice::from_ref(one), now).await {
            Ok(ticked) => total.add(ticked),
            Err(error) if error.is_about_one_row() => total.add(park(app, &one.0, &error, now).await?),
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

/// What the ladders of a chunk need, read in a few statements.
struct Chunk {
    ladders: Vec<Escalation>,
    firings: HashMap<String, Vec<Firing>>,
    deeds: HashMap<String, Vec<events::Event>>,
    tickets: HashMap<String, TicketRow>,
    tenants: HashMap<String, Tenant>,
    debt: HashMap<String, Vec<QuestionRow>>,
    incidents: HashMap<i64, Incident>,
}

impl Chunk {
    /// Under their tickets' locks: another process may have climbed or ended some since they were listed.
    async fn read(app: &App, tx: &mut Tx, due: &[(String, String)]) -> Result<Self, AppError> {
        let mut tickets: Vec<String> = due.iter().map(|(_, ticket)| ticket.clone()).collect();
        tickets.sort();
        tickets.dedup();
        store::tickets::lock_many(tx, &tickets).await?;
        let ids: Vec<String> = due.iter().map(|(ladder, _)| ladder.clone()).collect();
        let ladders = store::escalation::running_among(tx, &ids).await?;
        let rows = store::tickets::among(tx, &tickets).await?;
        let tenants: Vec<String> = rows.iter().map(|ticket| ticket.tenant_id.clone()).collect();
        let mut incidents = HashMap::new();
        for ladder in &ladders {
            if let Entry::Vacant(none) = incidents.entry(ladder.incident_id) {
                none.insert(app.incident_by_id(tx, ladder.incident_id).await?);
            }
        }
        let tenants = store::directory::tenants_of(tx, &tenants).await?.into_iter();
        Ok(Self {
            ladders,
            firings: grouped(store::escalation::firings_among(tx, &ids).await?, |one| one.escalation_id.clone()),
            deeds: grouped(events::among(tx, &ids).await?, |one| one.escalation_id.clone()),
            debt: grouped(store::tickets::debt_among(tx, &tickets).await?, |one| one.ticket_id.clone()),
            tickets: rows.into_iter().map(|ticket| (ticket.id.clone(), ticket)).collect(),
            tenants: tenants.map(|tenant| (tenant.id.clone(), tenant)).collect(),
            incidents,
        })
    }

    fn course(&self, ladder: &Escalation) -> Result<Course, AppError> {
        let firings = self.firings.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
        let deeds = self.deeds.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
        Course::of(ladder, firings, deeds)
    }

    fn climber<'a>(
        &'a self,
        app: &'a App,
        ladder: &'a Escalation,
        now: Timestamp,
        next: Option<Timestamp>,
    ) -> Result<Climber<'a>, AppError> {
        let gone = |what: String| AppError::missing(what, "the store was changed by hand: restore it from a backup");
        let ticket = self.tickets.get(&ladder.ticket_id);
        let ticket = ticket.ok_or_else(|| gone(format!("no ticket {}", ladder.ticket_id)))?;
        let tenant = self.tenants.get(&ticket.tenant_id);
        let tenant = tenant.ok_or_else(|| gone(format!("no tenant {}", ticket.tenant_id)))?;
        let incident = self.incidents.get(&ladder.incident_id);
        let incident = incident.ok_or_else(|| gone(format!("no incident number {}", ladder.incident_id)))?;
        let open = self.debt.get(&ticket.id).map(Vec::as_slice).unwrap_or_default();
        Ok(Climber { app, ladder, incident, ticket, tenant, open, now, next })
    }
}

async fn climb(app: &App, due: &[(String, String)], now: Timestamp) -> Result<Ticked, AppError> {
    let mut tx = app.store.begin().await?;
    let chunk = Chunk::read(app, &mut tx, due).await?;
    let mut ticked = Ticked::default();
    let (mut out, mut nexts, mut said) = (Outgoing::default(), Vec::new(), Vec::new());
    for ladder in &chunk.ladders {
        let (fires, next) = chunk.course(ladder)?.due(app, now);
        // Another process has climbed it while this one waited for its ticket.
        if fires.is_empty() && next.map(Timestamp::micros) == ladder.next_due_at {
            continue;
        }
        let climber = chunk.climber(app, ladder, now, next)?;
        for due in &fires {
            ticked.add(climber.fire(&mut tx, &mut out, due).await?);
        }
        nexts.push((&ladder.id, next));
        said.push(serde_json::json!({
            "escalation": ladder.id, "policy": ladder.policy, "ticket": ladder.ticket_id, "fired": fires,
        }));
    }
    if nexts.is_empty() {
        return Ok(Ticked::default());
    }
    out.write(app, &mut tx).await?;
    for (ladder, next) in &nexts {
        store::escalation::set_next(&mut tx, ladder, next.map(Timestamp::micros)).await?;
    }
    let subject = match nexts[..] {
        [(only, _)] => only.clone(),
        _ => "store".to_owned(),
    };
    tx.commit(app.entry("escalation.fire", subject, serde_json::json!({ "ladders": said }))).await?;
    Ok(ticked)
}

/// Rows by what they belong to, in their order.
pub(super) fn grouped<K: Eq + Hash, V>(rows: Vec<V>, key: impl Fn(&V) -> K) -> HashMap<K, Vec<V>> {
    let mut map: HashMap<K, Vec<V>> = HashMap::new();
    for row in rows {
        map.entry(key(&row)).or_default().push(row);
    }
    map
}

/// Takes a ladder that cannot be climbed out of the tick, and puts it before a person.
async fn park(app: &App, ladder: &str, error: &AppError, now: Timestamp) -> Result<Ticked, AppError> {
    tracing::error!(escalation.id = %ladder, %error, "a ladder cannot be climbed and becomes a task");
    let mut tx = app.store.begin().await?;
    let Some(ladder) = store::escalation::by_id(&mut tx, ladder).await? else { return Ok(Ticked::default()) };
    let task = Task {
        id: new_id("tsk"),
        tenant_id: None,
        ticket_id: Some(ladder.ticket_id.clone()),
        kind: "escalation".to_owned(),
        target: Target::IncidentLead.as_str().to_owned(),
        text: format!(
            "the {} ladder {} of ticket {} cannot be climbed: {error}",
            ladder.policy, ladder.id, ladder.ticket_id
        ),
        created_at: now.micros(),
        due_at: now.micros(),
    };
    let unique_key = format!("{}/parked", ladder.id);
    store::escalation::insert_task(
        &mut tx,
        &NewTask { incident: ladder.incident_id, task: &task, unique_key: &unique_key },
    )
    .await?;
    store::escalation::set_next(&mut tx, &ladder.id, None).await?;
    tx.commit(app.entry("escalation.park", &ladder.id, serde_json::json!({ "why": error.to_string() }))).await?;
    Ok(Ticked { tasks: 1, ..Ticked::default() })
}
