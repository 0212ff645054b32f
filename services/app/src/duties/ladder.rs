//! Ladders of duties that apply, of those that nobody has spoken of yet, and of promised updates: tasks and letters
//! before and after the time is over, until the duty is met or decided.
//!
//! They have no ticket, so they are no rows: their rungs follow from the clocks at each look. A look comes after each word
//! that is said, at each rung, and each hour where clocks could run. Invariant: a rung is one task, by its key, and a
//! clock that cannot be derived stops no other incident's.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use model::duties::{Applies, State};
use model::escalation::{self, Due, PolicyName};
use model::time::Timestamp;
use store::{Conn, Tx};

use super::clocks::{ClockLine, derive};
use crate::escalation::Line;
use crate::escalation::ticketless::Rungs;
use crate::{App, AppError, Incident};

/// Ladders have no rungs before their start, so those of duties start so long before the time is over.
const LEAD: Duration = Duration::from_secs(24 * 3600);
/// Organisations that become affected, or are told, change clocks without a word.
const LOOK_AGAIN: Duration = Duration::from_secs(3600);
const KIND: &str = "duty";

/// A ladder.
struct Ladder {
    /// What its tasks are for; each rung adds its own end.
    key: String,
    policy: PolicyName,
    tenant: Option<String>,
    measured_from: Timestamp,
    text: String,
}

/// Whether any clocks are to be looked at.
pub(crate) async fn is_due(conn: &mut Conn, now: Timestamp) -> Result<bool, AppError> {
    Ok(!store::duties::looks_due(conn, now.micros(), 1).await?.is_empty())
}

/// Looks at the clocks of up to `limit` incidents; how many tasks.
pub(crate) async fn climb(app: &App, now: Timestamp, limit: i64) -> Result<u64, AppError> {
    let mut tasks = 0;
    let incidents = store::duties::looks_due(&mut app.store.read().await?, now.micros(), limit).await?;
    for incident in incidents {
        match look(app, incident, now).await {
            Ok(made) => tasks += made,
            Err(error) if error.is_about_one_row() => {
                tracing::error!(incident.id = incident, %error, "the duties of an incident cannot be looked at");
                let mut tx = app.store.begin().await?;
                store::duties::look_at(&mut tx, incident, now.plus(LOOK_AGAIN).micros()).await?;
                tx.commit_ledger().await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(tasks)
}

async fn look(app: &App, incident: i64, now: Timestamp) -> Result<u64, AppError> {
    let mut tx = app.store.begin().await?;
    let incident = app.incident_by_id(&mut tx, incident).await?;
    let (mut tasks, mut next) = (0, now.plus(LOOK_AGAIN));
    let clocks = derive(&mut tx, &incident, now).await?;
    // What rests goes on by itself.
    let rests = clocks.iter().filter_map(|clock| clock.standing.paused_until);
    next = next.min(rests.min().unwrap_or(next));
    for ladder in ladders(&mut tx, &incident, &clocks).await? {
        let rungs = rungs(app, &incident, &ladder);
        let later = rungs.iter().map(|due| due.due_at).find(|at| *at > now);
        next = next.min(later.unwrap_or(next));
        let fires = Rungs {
            incident: &incident,
            ladder: &ladder.key,
            policy: ladder.policy,
            kind: KIND,
            tenant: ladder.tenant.as_deref(),
            why: &ladder.text,
            next: later,
        };
        for due in rungs.iter().filter(|due| due.due_at <= now) {
            tasks += fires.fire(app, &mut tx, due, &key(&ladder, due)).await?;
        }
    }
    store::duties::look_at(&mut tx, incident.id, next.micros()).await?;
    if tasks == 0 {
        tx.commit_ledger().await?;
    } else {
        tx.commit(app.entry("duty.escalate", &incident.slug, serde_json::json!({ "tasks": tasks }))).await?;
    }
    Ok(tasks)
}

/// Every rung of the ladders of an incident that run at a time: what rests until then runs again.
pub(crate) async fn lines(
    app: &App,
    conn: &mut Conn,
    incident: &Incident,
    at: Timestamp,
) -> Result<Vec<Line>, AppError> {
    let made = store::escalation::tasks_of_kind(conn, incident.id, KIND).await?;
    let made: HashMap<&str, (i64, Option<i64>)> =
        made.iter().map(|(key, made_at, done_at)| (key.as_str(), (*made_at, *done_at))).collect();
    let mut lines = Vec::new();
    let clocks = derive(conn, incident, at).await?;
    for ladder in ladders(conn, incident, &clocks).await? {
        lines.extend(rungs(app, incident, &ladder).iter().map(|due| {
            let fired = made.get(key(&ladder, due).as_str());
            Line {
                escalation: ladder.key.clone(),
                policy: ladder.policy.as_str().to_owned(),
                ticket: String::new(),
                rung: due.rung,
                due_at: due.due_at,
                fired_at: fired.map(|(made_at, _)| Timestamp::from_micros(*made_at)),
                target: due.target.as_str().to_owned(),
                acknowledged_at: fired.and_then(|(_, done_at)| Some(Timestamp::from_micros((*done_at)?))),
            }
        }));
    }
    Ok(lines)
}

/// Ladders of duties that apply by law and of promised updates, with rungs that were due before a time and have not fired,
/// and their incidents; and incidents whose clocks cannot be derived. Of those that are to be looked at, nothing is said.
pub(crate) async fn unfired(
    app: &App,
    conn: &mut Conn,
    now: Timestamp,
    before: Timestamp,
) -> Result<Vec<(String, String)>, AppError> {
    let waiting: HashSet<i64> = store::duties::looks_due(conn, now.micros(), i64::MAX).await?.into_iter().collect();
    let mut found = Vec::new();
    for row in store::incidents::list(conn).await? {
        if row.erased_at.is_some() || waiting.contains(&row.id) {
            continue;
        }
        match unfired_of(app, conn, row.id, now, before).await {
            Ok(ladders) => found.extend(ladders.into_iter().map(|ladder| (ladder, row.slug.clone()))),
            Err(error) if error.is_about_one_row() => found.push((row.slug.clone(), row.slug.clone())),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn unfired_of(
    app: &App,
    conn: &mut Conn,
    incident: i64,
    now: Timestamp,
    before: Timestamp,
) -> Result<Vec<String>, AppError> {
    let incident = app.incident_by_id(conn, incident).await?;
    let made = store::escalation::tasks_of_kind(conn, incident.id, KIND).await?;
    let made: HashSet<&str> = made.iter().map(|(key, ..)| key.as_str()).collect();
    let clocks = derive(conn, &incident, now).await?;
    // Customers become affected without a word, which the hourly look sees.
    let spoken = |ladder: &Ladder| ladder.tenant.is_none() && !ladder.key.contains("/unspoken/");
    let is_behind = |ladder: &Ladder| {
        let mut rungs = rungs(app, &incident, ladder).into_iter();
        rungs.any(|due| due.due_at <= before && !made.contains(key(ladder, &due).as_str()))
    };
    let ladders = ladders(conn, &incident, &clocks).await?.into_iter();
    Ok(ladders.filter(|ladder| spoken(ladder) && is_behind(ladder)).map(|ladder| ladder.key).collect())
}

/// Notes that somebody has seen the rungs of a ladder that fired; how many. None: there is no such ladder. It goes on until
/// the duty is met or decided.
pub(crate) async fn acknowledge(app: &App, tx: &mut Tx, id: &str) -> Result<Option<u64>, AppError> {
    let Some((_, of)) = id.split_once(&format!("{KIND}/")).filter(|(before, _)| before.is_empty()) else {
        return Ok(None);
    };
    let now = app.clock.now();
    let (mut count, mut is_known) = (0, false);
    // A promised update is named by itself, everything else by its incident.
    let slug = of.split('/').next().unwrap_or_default();
    for row in store::incidents::list(tx).await?.into_iter().filter(|row| slug.starts_with("upd_") || row.slug == slug)
    {
        for (key, ..) in store::escalation::tasks_of_kind(tx, row.id, KIND).await? {
            if key.strip_prefix(id).is_some_and(|rung| rung.starts_with('/')) {
                is_known = true;
                count += store::withholdings::acknowledge(tx, &key, &app.actor, now.micros()).await?;
            }
        }
        if !is_known {
            let incident = app.incident_by_id(tx, row.id).await?;
            let clocks = derive(tx, &incident, now).await?;
            is_known = ladders(tx, &incident, &clocks).await?.iter().any(|ladder| ladder.key == id);
        }
    }
    Ok(Some(count).filter(|_| is_known))
}

async fn ladders(conn: &mut Conn, incident: &Incident, clocks: &[ClockLine]) -> Result<Vec<Ladder>, AppError> {
    let slug = &incident.slug;
    let counting = |clock: &&ClockLine| matches!(clock.state, State::Running | State::Late) && clock.due.is_some();
    let open: Vec<&ClockLine> = clocks.iter().filter(counting).collect();
    let applies = open.iter().filter(|clock| clock.standing.applies == Some(Applies::Yes));
    let mut ladders: Vec<Ladder> = applies.filter_map(|clock| of_duty(slug, clock)).collect();
    ladders.extend(unspoken(slug, &open));
    for update in store::duties::updates(conn, incident.id).await?.iter().filter(|update| update.kept_at.is_none()) {
        let by = Timestamp::from_micros(update.by_at);
        ladders.push(Ladder {
            key: format!("{KIND}/{}", update.id),
            policy: PolicyName::Promise,
            tenant: None,
            measured_from: by,
            text: format!(
                "the next update on {slug} was promised by {by}: release supplements, or record a statement with `forthright incident next-update {slug} --sent TIME --why TEXT`"
            ),
        });
    }
    Ok(ladders)
}

fn of_duty(slug: &str, clock: &ClockLine) -> Option<Ladder> {
    let due = clock.due?;
    Some(Ladder {
        key: format!("{KIND}/{slug}/{}/{due}", clock.duty),
        policy: PolicyName::Duty,
        tenant: clock.tenant_id.clone(),
        measured_from: due.minus(LEAD),
        text: format!(
            "the duty {} ({}, {}) is due at {due}: tell them and run `forthright duty done {slug} {} --at TIME --why TEXT`",
            clock.duty, clock.law, clock.to, clock.duty
        ),
    })
}

/// One for all that could apply and whose clock runs, by a record or from the discovery, while nobody has said whether they
/// do: from the first of their ends.
fn unspoken(slug: &str, open: &[&ClockLine]) -> Option<Ladder> {
    let silent = open.iter().filter(|clock| clock.likely && clock.standing.applies.is_none());
    let (first, count) = (silent.clone().filter_map(|clock| clock.due).min()?, silent.count());
    Some(Ladder {
        key: format!("{KIND}/{slug}/unspoken/{first}"),
        policy: PolicyName::Duty,
        tenant: None,
        measured_from: first.minus(LEAD),
        text: format!(
            "nobody has said whether {count} duties of {slug} apply, the first is due at {first}: see `forthright duty list {slug}`, and run `forthright duty applies {slug} DUTY yes|no --why TEXT`"
        ),
    })
}

fn rungs(app: &App, incident: &Incident, ladder: &Ladder) -> Vec<Due> {
    let policy = incident.policies.get(ladder.policy);
    escalation::Ladder::untouched(&policy, ladder.measured_from, app.business()).schedule()
}

fn key(ladder: &Ladder, due: &Due) -> String {
    format!("{}/{}/{}/{}", ladder.key, due.rung, due.repeat, due.target)
}
