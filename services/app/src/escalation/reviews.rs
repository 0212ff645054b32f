//! The ladder of a withholding whose review is due: a task and a letter for the next one up, until somebody has looked
//! at it.
//!
//! It has no ticket, so it is no row of its own: its rungs follow from the date of the review and the incident's policy.
//! Invariant: a rung is one task, by its key; the ladder ends with the withholding and not with a task.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::escalation::{Due, Ladder, PolicyName, Target};
use model::time::Timestamp;
use store::escalation::{NewTask, Task};
use store::withholdings::Withholding;
use store::{Conn, Tx};

use super::plan::Line;
use super::ticketless::Rungs;
use crate::{App, AppError, Incident, new_id};

const POLICY: PolicyName = PolicyName::Withholding;
/// The ladder is climbed to its end.
const NEVER: i64 = i64::MAX;

/// Whether a rung is due.
pub(super) async fn is_due(conn: &mut Conn, now: Timestamp) -> Result<bool, AppError> {
    Ok(!store::withholdings::due(conn, now.micros(), 1).await?.is_empty())
}

/// Climbs up to `limit` ladders; how many tasks. One that cannot be climbed does not stop the others.
pub(super) async fn climb(app: &App, now: Timestamp, limit: i64) -> Result<u64, AppError> {
    let due = store::withholdings::due(&mut app.store.read().await?, now.micros(), limit).await?;
    if due.is_empty() {
        return Ok(0);
    }
    match climb_some(app, now, limit, None).await {
        Err(error) if error.is_about_one_row() => {}
        done => return done,
    }
    let mut tasks = 0;
    for row in &due {
        tasks += match climb_some(app, now, limit, Some(&row.id)).await {
            Err(error) if error.is_about_one_row() => park(app, now, row, &error).await?,
            done => done?,
        };
    }
    Ok(tasks)
}

/// Puts a withholding whose ladder cannot be climbed before a person, and looks again a day later.
async fn park(app: &App, now: Timestamp, row: &Withholding, error: &AppError) -> Result<u64, AppError> {
    tracing::error!(withholding.id = %row.id, %error, "the ladder of a review cannot be climbed and becomes a task");
    let later = now.plus(std::time::Duration::from_secs(24 * 3_600)).micros();
    let task = Task {
        id: new_id("tsk"),
        tenant_id: row.tenant_id.clone(),
        ticket_id: None,
        kind: KIND.to_owned(),
        target: Target::IncidentLead.as_str().to_owned(),
        text: format!("the review of the withholding {} is due, and its ladder cannot be climbed: {error}", row.id),
        created_at: now.micros(),
        due_at: now.micros(),
    };
    let unique_key = format!("{KIND}/{}/parked/{later}", row.id);
    let mut tx = app.store.begin().await?;
    let new = NewTask { incident: row.incident_id, task: &task, unique_key: &unique_key };
    let tasks = store::escalation::insert_task(&mut tx, &new).await?;
    store::withholdings::climb_at(&mut tx, &row.id, later).await?;
    tx.commit(app.entry("escalation.park", &row.id, serde_json::json!({ "why": error.to_string() }))).await?;
    Ok(tasks)
}

/// All that are due, or only one of them.
async fn climb_some(app: &App, now: Timestamp, limit: i64, only: Option<&str>) -> Result<u64, AppError> {
    let mut tx = app.store.begin().await?;
    let mut incidents: HashMap<i64, Incident> = HashMap::new();
    let (mut tasks, mut ids) = (0, Vec::new());
    for row in store::withholdings::due(&mut tx, now.micros(), limit).await? {
        if only.is_some_and(|only| only != row.id) {
            continue;
        }
        let incident = match incidents.entry(row.incident_id) {
            Entry::Occupied(incident) => incident.into_mut(),
            Entry::Vacant(none) => none.insert(app.incident_by_id(&mut tx, row.incident_id).await?),
        };
        let rungs = rungs(app, incident, &row);
        let next = rungs.iter().map(|due| due.due_at).find(|at| *at > now);
        let fires = Rungs {
            incident,
            ladder: &row.id,
            policy: POLICY,
            kind: KIND,
            tenant: row.tenant_id.as_deref(),
            why: &why(&row),
            next,
        };
        for due in rungs.iter().filter(|due| due.due_at <= now) {
            tasks += fires.fire(app, &mut tx, due, &key(&row, due)).await?;
        }
        store::withholdings::climb_at(&mut tx, &row.id, next.map_or(NEVER, Timestamp::micros)).await?;
        ids.push(row.id);
    }
    let detail = serde_json::json!({ "withholdings": ids, "tasks": tasks });
    tx.commit(app.entry("notice.withhold-review", "store", detail)).await?;
    Ok(tasks)
}

/// Every rung of the withholdings in force of an incident: those that fired, and those that will.
pub(super) async fn lines(app: &App, conn: &mut Conn, incident: &Incident) -> Result<Vec<Line>, AppError> {
    let made = store::escalation::tasks_of_kind(conn, incident.id, KIND).await?;
    let made: HashMap<&str, (i64, Option<i64>)> =
        made.iter().map(|(key, made_at, done_at)| (key.as_str(), (*made_at, *done_at))).collect();
    let mut lines = Vec::new();
    for row in store::withholdings::in_force(conn, incident.id).await? {
        lines.extend(rungs(app, incident, &row).iter().map(|due| {
            let fired = made.get(key(&row, due).as_str());
            Line {
                fired_at: fired.map(|(made_at, _)| Timestamp::from_micros(*made_at)),
                acknowledged_at: fired.and_then(|(_, done_at)| Some(Timestamp::from_micros((*done_at)?))),
                ..super::plan::line(&row.id, POLICY.as_str(), "", due)
            }
        }));
    }
    Ok(lines)
}

/// Notes that somebody has seen the rungs of a review that fired; how many. None: there is no such withholding. The ladder
/// goes on until the withholding ends.
pub(super) async fn acknowledge(app: &App, tx: &mut Tx, id: &str) -> Result<Option<u64>, AppError> {
    let Some(row) = store::withholdings::by_id(tx, id).await? else { return Ok(None) };
    let of_it = format!("{KIND}/{}/", row.id);
    let mut count = 0;
    for (key, ..) in store::escalation::tasks_of_kind(tx, row.incident_id, KIND).await? {
        if key.starts_with(&of_it) {
            count += store::withholdings::acknowledge(tx, &key, &app.actor, app.clock.now().micros()).await?;
        }
    }
    Ok(Some(count))
}

const KIND: &str = "withholding";

fn rungs(app: &App, incident: &Incident, row: &Withholding) -> Vec<Due> {
    let policy = incident.policies.get(POLICY);
    Ladder::untouched(&policy, Timestamp::from_micros(row.review_at), app.business()).schedule()
}

/// That of the first rung is the one that reviews had before they had a ladder.
fn key(row: &Withholding, due: &Due) -> String {
    let first = format!("{KIND}/{}/{}", row.id, row.review_at);
    match (due.rung, due.repeat) {
        (1, 0) => first,
        (rung, repeat) => format!("{first}/{rung}/{repeat}/{}", due.target),
    }
}

fn why(row: &Withholding) -> String {
    let whom = row.tenant_id.as_deref().map_or("every organisation".to_owned(), |tenant| format!("tenant {tenant}"));
    let since = Timestamp::from_micros(row.review_at);
    format!(
        "the withholding {} of {} from {whom} was to be looked at again by {since}: end it with `forthright notice disclose {} --why …`, or end it and sign a new one",
        row.id, row.fact, row.id
    )
}
