//! What has fired and what would: the same arithmetic as the tick, over a copy.
//!
//! Changes nothing. Invariant: a preview until a time shows what one tick at that time would fire if nobody did
//! anything before.

use std::collections::{BTreeSet, HashMap};

use model::escalation::{Policy, PolicyName, Target, due, schedule};
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;
use store::escalation::{Escalation, Firing, Reason, Start};

use super::{STARTING, next_contact};
use crate::{App, AppError, Incident};

/// A rung of a ladder, for one target: fired, or yet to fire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// `esc_…`; `wth_…` where a withholding is to be looked at again, `duty/…` where a duty or update is due; empty for a ladder that has not started yet.
    pub escalation: String,
    /// A name of `model::escalation::PolicyName`.
    pub policy: String,
    /// `tkt_…`; empty for a withholding.
    pub ticket: String,
    /// From 1.
    pub rung: i64,
    /// When it is or was due.
    pub due_at: Timestamp,
    /// When it fired.
    pub fired_at: Option<Timestamp>,
    /// A name of `model::escalation::Target`.
    pub target: String,
    /// When somebody took note.
    pub acknowledged_at: Option<Timestamp>,
}

/// Every firing of an incident, and each rung of a running ladder that has not fired yet; by due time.
pub async fn list(app: &App, slug: &str) -> Result<Vec<Line>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let ladders = store::escalation::list(&mut conn, incident.id).await?;
    let fired = by_ladder(store::escalation::firings(&mut conn, incident.id).await?);
    let mut lines = Vec::new();
    for ladder in &ladders {
        let firings = fired.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
        lines.extend(firings.iter().map(|firing| line_of(ladder, firing)));
        if ladder.ended_at.is_none() {
            lines.extend(yet_to_fire(ladder, firings)?);
        }
    }
    lines.extend(super::reviews::lines(&mut conn, &incident).await?);
    lines.extend(crate::duties::lines(&mut conn, &incident, app.clock.now()).await?);
    Ok(sorted(lines))
}

/// What would fire until a time if nobody did anything: rungs of ladders that run, and of those that would start from
/// the present state.
pub async fn preview(app: &App, slug: &str, until: Timestamp) -> Result<Vec<Line>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let settled: BTreeSet<String> = store::escalation::settled(&mut conn, incident.id).await?.into_iter().collect();
    let fired = by_ladder(store::escalation::firings(&mut conn, incident.id).await?);
    let mut lines = Vec::new();
    for ladder in store::escalation::list(&mut conn, incident.id).await? {
        if ladder.ended_at.is_none() && !settled.contains(&ladder.id) {
            let firings = fired.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
            lines.extend(yet_to_fire(&ladder, firings)?.into_iter().filter(|line| line.due_at <= until));
        }
    }
    for (name, start) in would_start(&mut conn, &incident, until).await? {
        let from = Timestamp::from_micros(start.measured_from);
        let (fires, _) = due(&incident.policies.get(name), from, until, &[]);
        lines.extend(fires.iter().map(|due| line("", name.as_str(), &start.ticket_id, due)));
    }
    let reviews = super::reviews::lines(&mut conn, &incident).await?.into_iter();
    let reviews = reviews.chain(crate::duties::lines(&mut conn, &incident, app.clock.now()).await?);
    lines.extend(reviews.filter(|line| line.fired_at.is_none() && line.due_at <= until));
    Ok(sorted(lines))
}

/// Ladders that a tick at `until` would start from the present state.
async fn would_start(
    conn: &mut Conn,
    incident: &Incident,
    until: Timestamp,
) -> Result<Vec<(PolicyName, Start)>, AppError> {
    let mut found = Vec::new();
    for (reason, name) in STARTING {
        let starts = store::escalation::starts(conn, reason, until.micros(), "", i64::MAX).await?;
        found.extend(starts.into_iter().filter(|start| start.incident_id == incident.id).map(|start| (name, start)));
    }
    let stranded = store::escalation::starts(conn, Reason::Stranded, until.micros(), "", i64::MAX).await?;
    for start in stranded.into_iter().filter(|start| start.incident_id == incident.id) {
        let Some(ticket) = store::tickets::by_id(conn, &start.ticket_id).await? else { continue };
        if next_contact::untried(conn, &ticket).await?.is_none() {
            found.push((PolicyName::Unreachable, start));
        }
    }
    Ok(found)
}

/// What a ladder has fired, as the arithmetic wants it.
pub(super) fn keys(firings: &[Firing]) -> Vec<(i64, i64, Target)> {
    firings
        .iter()
        .filter_map(|firing| Target::parse(&firing.target).map(|target| (firing.rung, firing.repeat, target)))
        .collect()
}

/// The policy of a ladder as it was when it started.
pub(super) fn snapshot(ladder: &Escalation) -> Result<Policy, AppError> {
    serde_json::from_str(&ladder.snapshot).map_err(AppError::stored("escalations.snapshot"))
}

fn yet_to_fire(ladder: &Escalation, firings: &[Firing]) -> Result<Vec<Line>, AppError> {
    let fired = keys(firings);
    let all = schedule(&snapshot(ladder)?, Timestamp::from_micros(ladder.measured_from));
    let open = all.iter().filter(|due| !fired.contains(&(due.rung, due.repeat, due.target)));
    Ok(open.map(|due| line(&ladder.id, &ladder.policy, &ladder.ticket_id, due)).collect())
}

pub(super) fn line(escalation: &str, policy: &str, ticket: &str, due: &model::escalation::Due) -> Line {
    Line {
        escalation: escalation.to_owned(),
        policy: policy.to_owned(),
        ticket: ticket.to_owned(),
        rung: due.rung,
        due_at: due.due_at,
        fired_at: None,
        target: due.target.as_str().to_owned(),
        acknowledged_at: None,
    }
}

fn line_of(ladder: &Escalation, firing: &Firing) -> Line {
    Line {
        escalation: ladder.id.clone(),
        policy: ladder.policy.clone(),
        ticket: ladder.ticket_id.clone(),
        rung: firing.rung,
        due_at: Timestamp::from_micros(firing.due_at),
        fired_at: Some(Timestamp::from_micros(firing.fired_at)),
        target: firing.target.clone(),
        acknowledged_at: firing.acknowledged_at.map(Timestamp::from_micros),
    }
}

fn by_ladder(firings: Vec<Firing>) -> HashMap<String, Vec<Firing>> {
    let mut map: HashMap<String, Vec<Firing>> = HashMap::new();
    for firing in firings {
        map.entry(firing.escalation_id.clone()).or_default().push(firing);
    }
    map
}

fn sorted(mut lines: Vec<Line>) -> Vec<Line> {
    let key = |line: &Line| (line.due_at, line.escalation.clone(), line.ticket.clone(), line.rung, line.target.clone());
    lines.sort_by_key(key);
    lines
}
