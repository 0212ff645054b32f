//! Ladders that start, and the next contact of a ticket whose notice came back.
//!
//! Climbs nothing. Invariant: where nothing starts nothing is committed, and a ticket that cannot be helped becomes a task
//! and does not stop the others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::escalation::{PolicyName, Target};
use model::time::Timestamp;
use store::Conn;
use store::escalation::{NewTask, Reason, Start, Task};

use super::{CHUNK, Ticked, ladder, next_contact};
use crate::{App, AppError, new_id};

/// Starts that are looked at in one go where one of them is enough.
const LOOK: i64 = 50;
const DAY: i64 = 24 * 3_600 * 1_000_000;

/// Whether a tick would start anything for a reason. What became a task today is tried, and no reason to hurry.
pub(super) async fn would_any(
    app: &App,
    conn: &mut Conn,
    reason: Reason,
    policy: PolicyName,
) -> Result<bool, AppError> {
    let now = app.clock.now();
    let mut from = String::new();
    loop {
        let page = store::escalation::starts(conn, reason, now.micros(), &from, LOOK).await?;
        for start in &page {
            if !store::escalation::has_task(conn, &key(policy, start, now)).await?
                && (!matches!(reason, Reason::Stranded) || can_be_helped(app, conn, start).await?)
            {
                return Ok(true);
            }
        }
        let Some(next) = next_page(&page, LOOK) else { return Ok(false) };
        from = next;
    }
}

/// Starts the ladders of one policy, a chunk at a time.
pub(super) async fn start(app: &App, reason: Reason, policy: PolicyName, now: Timestamp) -> Result<Ticked, AppError> {
    let mut total = Ticked::default();
    let mut from = String::new();
    loop {
        // Found outside the transaction: nobody else writes while that runs, and a look over all tickets takes its time.
        let found = store::escalation::starts(&mut app.store.read().await?, reason, now.micros(), &from, 1).await?;
        let Some(first) = found.first() else { return Ok(total) };
        let (started, next) = match start_chunk(app, reason, policy, now, first.place(), CHUNK).await {
            Err(error) if error.is_about_one_row() => start_each(app, reason, policy, now, first.place()).await?,
            done => done?,
        };
        total.add(started);
        let Some(next) = next else { return Ok(total) };
        from = next;
    }
}

/// Up to a chunk, from a place on; what started, and where the next chunk begins.
async fn start_chunk(
    app: &App,
    reason: Reason,
    policy: PolicyName,
    now: Timestamp,
    from: &str,
    limit: i64,
) -> Result<(Ticked, Option<String>), AppError> {
    let mut tx = app.store.begin().await?;
    let mut incidents = HashMap::new();
    let mut ladders = Vec::new();
    let starts = store::escalation::starts(&mut tx, reason, now.micros(), from, limit).await?;
    for start in &starts {
        let incident = match incidents.entry(start.incident_id) {
            Entry::Occupied(incident) => incident.into_mut(),
            Entry::Vacant(none) => none.insert(app.incident_by_id(&mut tx, start.incident_id).await?),
        };
        ladders.push(ladder(app, incident, policy, start, now)?);
    }
    let next = next_page(&starts, limit);
    let started = store::escalation::insert(&mut tx, &ladders).await?;
    if started == 0 {
        return Ok((Ticked::default(), next));
    }
    let detail = serde_json::json!({ "policy": policy, "started": started });
    tx.commit(app.entry("escalation.start", "store", detail)).await?;
    Ok((Ticked { started, ..Ticked::default() }, next))
}

/// The same, each in a transaction of its own.
async fn start_each(
    app: &App,
    reason: Reason,
    policy: PolicyName,
    now: Timestamp,
    from: &str,
) -> Result<(Ticked, Option<String>), AppError> {
    let page = store::escalation::starts(&mut app.store.read().await?, reason, now.micros(), from, CHUNK).await?;
    let mut total = Ticked::default();
    for start in &page {
        let done = start_chunk(app, reason, policy, now, start.place(), 1).await.map(|(started, _)| started);
        total.add(or_park(app, policy, start, now, done).await?);
    }
    Ok((total, next_page(&page, CHUNK)))
}

/// Where the next page begins: with the last of a full one, which is looked at again.
fn next_page(page: &[Start], limit: i64) -> Option<String> {
    let is_full = i64::try_from(page.len()).is_ok_and(|rows| rows >= limit);
    page.last().filter(|_| is_full).map(|last| last.place().to_owned())
}

/// Tickets whose newest notice came back: each gets its next contacts or, where nobody is left, a ladder. A page has two
/// at least.
pub(super) async fn help_stranded(app: &App, now: Timestamp, page: i64) -> Result<Ticked, AppError> {
    let mut total = Ticked::default();
    let mut from = String::new();
    loop {
        let reason = Reason::Stranded;
        let found = store::escalation::starts(&mut app.store.read().await?, reason, now.micros(), &from, page).await?;
        for start in &found {
            let done = help(app, start, now).await;
            total.add(or_park(app, PolicyName::Unreachable, start, now, done).await?);
        }
        let Some(next) = next_page(&found, page) else { return Ok(total) };
        from = next;
    }
}

/// Whether a stranded ticket lacks its ladder, or has a contact that may be told. What cannot be read may be: the tick says
/// so.
async fn can_be_helped(app: &App, conn: &mut Conn, start: &Start) -> Result<bool, AppError> {
    if !store::escalation::runs(conn, &start.ticket_id, PolicyName::Unreachable.as_str()).await? {
        return Ok(true);
    }
    let Some(ticket) = store::tickets::by_id(conn, &start.ticket_id).await? else { return Ok(false) };
    let found = match app.incident_by_id(conn, ticket.incident_id).await {
        Ok(incident) => next_contact::untried(app, conn, &incident, &ticket).await,
        Err(error) => Err(error),
    };
    match found {
        Err(error) if error.is_about_one_row() => Ok(true),
        found => Ok(found?.is_some()),
    }
}

async fn help(app: &App, start: &Start, now: Timestamp) -> Result<Ticked, AppError> {
    if !can_be_helped(app, &mut app.store.read().await?, start).await? {
        return Ok(Ticked::default());
    }
    let mut tx = app.store.begin().await?;
    store::tickets::lock(&mut tx, &start.ticket_id).await?;
    let Some(ticket) = store::tickets::by_id(&mut tx, &start.ticket_id).await? else { return Ok(Ticked::default()) };
    if !next_contact::is_stranded(&mut tx, &ticket.id).await? {
        return Ok(Ticked::default());
    }
    let incident = app.incident_by_id(&mut tx, ticket.incident_id).await?;
    let entry = new_id("ent");
    let mails = next_contact::queue(app, &mut tx, &incident, &ticket, &entry).await?;
    if mails == 0 {
        let ladder = ladder(app, &incident, PolicyName::Unreachable, start, now)?;
        let started = store::escalation::insert(&mut tx, &[ladder]).await?;
        if started == 0 {
            return Ok(Ticked::default());
        }
        let detail = serde_json::json!({ "policy": PolicyName::Unreachable, "started": started });
        tx.commit(app.entry("escalation.start", &ticket.id, detail)).await?;
        return Ok(Ticked { started, ..Ticked::default() });
    }
    let body = format!("no contact took the notice: it goes to {mails} further contact(s)");
    let entry = store::tickets::Entry {
        id: entry,
        at: now.micros(),
        kind: "escalation".to_owned(),
        actor: app.actor.clone(),
        body,
    };
    store::tickets::insert_entry(&mut tx, &ticket.id, &entry).await?;
    tx.commit(app.entry("escalation.next_contact", &ticket.id, serde_json::json!({ "mails": mails }))).await?;
    Ok(Ticked { mails, ..Ticked::default() })
}

/// What was done or, where an error is about this one alone, a task: one a day, as long as it lasts.
async fn or_park(
    app: &App,
    policy: PolicyName,
    start: &Start,
    now: Timestamp,
    done: Result<Ticked, AppError>,
) -> Result<Ticked, AppError> {
    let error = match done {
        Err(error) if error.is_about_one_row() => error,
        done => return done,
    };
    tracing::error!(ticket.id = %start.ticket_id, policy = policy.as_str(), %error, "a ladder cannot start and becomes a task");
    let task = Task {
        id: new_id("tsk"),
        tenant_id: None,
        ticket_id: Some(start.ticket_id.clone()),
        kind: "escalation".to_owned(),
        target: Target::IncidentLead.as_str().to_owned(),
        text: format!("the {} ladder of ticket {} cannot start: {error}", policy.as_str(), start.ticket_id),
        created_at: now.micros(),
        due_at: now.micros(),
    };
    let mut tx = app.store.begin().await?;
    let new = NewTask { incident: start.incident_id, task: &task, unique_key: &key(policy, start, now) };
    let tasks = store::escalation::insert_task(&mut tx, &new).await?;
    if tasks > 0 {
        let detail = serde_json::json!({ "policy": policy, "why": error.to_string() });
        tx.commit(app.entry("escalation.park", &start.ticket_id, detail)).await?;
    }
    Ok(Ticked { tasks, ..Ticked::default() })
}

/// Of the task that a ladder becomes which cannot start.
fn key(policy: PolicyName, start: &Start, now: Timestamp) -> String {
    format!("{}/{}/unstarted/{}", policy.as_str(), start.subject, now.micros().div_euclid(DAY))
}
