//! What has fired and what would: the same arithmetic as the tick, over a copy.
//!
//! Changes nothing. Invariant: a preview until a time shows what one tick at that time would fire if nobody did
//! anything before.

use std::collections::{BTreeSet, HashMap};

use model::escalation::{Ladder, PolicyName};
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;
use store::escalation::{Escalation, Firing, Reason, Start, events};

use super::course::Course;
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
    let fired = by_ladder(store::escalation::firings(&mut conn, incident.id).await?, |one| &one.escalation_id);
    let deeds = by_ladder(events::of_incident(&mut conn, incident.id).await?, |one| &one.escalation_id);
    let mut lines = Vec::new();
    for ladder in &ladders {
        let firings = fired.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
        lines.extend(firings.iter().map(|firing| line_of(ladder, firing)));
        if ladder.ended_at.is_none() {
            let deeds = deeds.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
            lines.extend(yet_to_fire(app, ladder, firings, deeds)?);
        }
    }
    lines.extend(super::reviews::lines(app, &mut conn, &incident).await?);
    lines.extend(crate::duties::lines(app, &mut conn, &incident, app.clock.now()).await?);
    Ok(sorted(lines))
}

/// What would fire until a time if nobody did anything: rungs of ladders that run, and of those that would start from
/// the present state.
pub async fn preview(app: &App, slug: &str, until: Timestamp) -> Result<Vec<Line>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let settled: BTreeSet<String> = store::escalation::settled(&mut conn, incident.id).await?.into_iter().collect();
    let fired = by_ladder(store::escalation::firings(&mut conn, incident.id).await?, |one| &one.escalation_id);
    let deeds = by_ladder(events::of_incident(&mut conn, incident.id).await?, |one| &one.escalation_id);
    let mut lines = Vec::new();
    for ladder in store::escalation::list(&mut conn, incident.id).await? {
        if ladder.ended_at.is_none() && !settled.contains(&ladder.id) {
            let firings = fired.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
            let deeds = deeds.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
            let open = yet_to_fire(app, &ladder, firings, deeds)?.into_iter();
            lines.extend(open.filter(|line| line.due_at <= until));
        }
    }
    for (name, start) in would_start(app, &mut conn, &incident, until).await? {
        let from = Timestamp::from_micros(start.measured_from);
        let policy = incident.policies.get(name);
        let (fires, _) = Ladder::untouched(&policy, from, app.business()).due(until, &[]);
        lines.extend(fires.iter().map(|due| line("", name.as_str(), &start.ticket_id, due)));
    }
    let reviews = super::reviews::lines(app, &mut conn, &incident).await?.into_iter();
    let at = until.max(app.clock.now());
    let reviews = reviews.chain(crate::duties::lines(app, &mut conn, &incident, at).await?);
    lines.extend(reviews.filter(|line| line.fired_at.is_none() && line.due_at <= until));
    Ok(sorted(lines))
}

/// Ladders that a tick at `until` would start from the present state.
async fn would_start(
    app: &App,
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
        if !store::escalation::runs(conn, &ticket.id, PolicyName::Unreachable.as_str()).await?
            && next_contact::untried(app, conn, incident, &ticket).await?.is_none()
        {
            found.push((PolicyName::Unreachable, start));
        }
    }
    Ok(found)
}

fn yet_to_fire(
    app: &App,
    ladder: &Escalation,
    firings: &[Firing],
    deeds: &[events::Event],
) -> Result<Vec<Line>, AppError> {
    let open = Course::of(ladder, firings, deeds)?.open(app);
    Ok(open.iter().map(|due| line(&ladder.id, &ladder.policy, &ladder.ticket_id, due)).collect())
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

fn by_ladder<T>(rows: Vec<T>, ladder: impl Fn(&T) -> &String) -> HashMap<String, Vec<T>> {
    let mut map: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        map.entry(ladder(&row).clone()).or_default().push(row);
    }
    map
}

fn sorted(mut lines: Vec<Line>) -> Vec<Line> {
    let key = |line: &Line| (line.due_at, line.escalation.clone(), line.ticket.clone(), line.rung, line.target.clone());
    lines.sort_by_key(key);
    lines
}
