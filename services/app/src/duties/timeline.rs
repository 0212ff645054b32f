//! What happened in an incident and what is still to happen, in one line of time: for a lawyer to read.
//!
//! Changes nothing. Invariant: every record of an event, every word about a duty and every clock with an end is in it,
//! those that were put right, too.

use model::duties::State;
use model::law::DISCLAIMER;
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;

use super::clocks::{ClockLine, derive};
use crate::{App, AppError, Incident};

/// The whole of it.
#[derive(Debug, Serialize)]
pub struct Timeline {
    /// What this is not.
    pub disclaimer: &'static str,
    /// The incident.
    pub incident: String,
    /// When it was asked: what is later than this has not happened.
    pub at: Timestamp,
    /// In order of time.
    pub entries: Vec<Happened>,
}

/// One thing.
#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// `event`, `duty`, `wave`, `ticket`, `update`.
    pub kind: &'static str,
    /// In words.
    pub what: String,
}

/// The time line of an incident.
pub async fn timeline(app: &App, slug: &str) -> Result<Timeline, AppError> {
    let incident = app.incident(slug).await?;
    crate::facts::settle(app, incident.id).await?;
    let now = app.clock.now();
    let mut conn = app.store.snapshot().await?;
    let discovered = incident.facts.discovered_at;
    let mut entries = vec![Happened { at: discovered, kind: "event", what: "discovered".to_owned() }];
    entries.extend(events(&mut conn, &incident).await?);
    entries.extend(words(&mut conn, &incident).await?);
    entries.extend(derive(&mut conn, &incident, now).await?.iter().filter_map(|clock| ends(clock, now)));
    entries.extend(updates(&mut conn, &incident, now).await?);
    entries.extend(questions(&mut conn, &incident, now).await?);
    for wave in store::waves::list(&mut conn, incident.id).await? {
        let what = format!("wave {} released by {}: {} notices", wave.name, wave.released_by, wave.notices);
        entries.push(Happened { at: Timestamp::from_micros(wave.released_at), kind: "wave", what });
    }
    entries.sort();
    Ok(Timeline { disclaimer: DISCLAIMER, incident: incident.slug, at: now, entries })
}

async fn events(conn: &mut Conn, incident: &Incident) -> Result<Vec<Happened>, AppError> {
    let events = store::incidents::events(conn, incident.id).await?;
    let last = |name: &str| events.iter().filter(|event| event.name == name).map(|event| event.nth).max();
    let line = |event: &store::incidents::Event| {
        let counts = if last(&event.name) == Some(event.nth) { "" } else { ", put right later" };
        let recorded = Timestamp::from_micros(event.recorded_at);
        let what = format!("{} (recorded {recorded} by {}{counts}): {}", event.name, event.actor, event.why);
        Happened { at: Timestamp::from_micros(event.at), kind: "event", what }
    };
    Ok(events.iter().map(line).collect())
}

async fn words(conn: &mut Conn, incident: &Incident) -> Result<Vec<Happened>, AppError> {
    let rows = store::duties::acts(conn, incident.id).await?.into_iter();
    let line = |row: store::duties::ActRow| {
        let at = row.at.map_or(String::new(), |at| format!(" {}", Timestamp::from_micros(at)));
        let reference = row.reference.map_or(String::new(), |text| format!(", reference {text}"));
        let second = match (row.approved_by, row.approved_at) {
            (Some(by), Some(at)) => format!(", approved {} by {by}", Timestamp::from_micros(at)),
            _ => String::new(),
        };
        let what = format!("{} {}{at} said {}{reference}{second}: {}", row.duty, row.act, row.actor, row.why);
        Happened { at: Timestamp::from_micros(row.recorded_at), kind: "duty", what }
    };
    Ok(rows.map(line).collect())
}

/// The end of a clock, where it could apply or somebody spoke of it.
fn ends(clock: &ClockLine, now: Timestamp) -> Option<Happened> {
    let due = clock.due?;
    let spoken = clock.standing != model::duties::Standing::default();
    if clock.state == State::NotInForce || !(clock.likely || spoken) {
        return None;
    }
    let whose = clock.tenant_id.as_ref().map_or(String::new(), |tenant| format!(" to {tenant}"));
    let applies = if clock.applies.is_empty() { ", nobody said whether it applies" } else { "" };
    let met = clock.met_at.map_or(String::new(), |at| format!(" at {at}"));
    let verb = if due < now { "was due" } else { "is due" };
    let note = if clock.note.is_empty() { String::new() } else { format!(" ({})", clock.note) };
    let what = format!(
        "{}{whose} {verb}, {} of {} after {}: {}{met}{applies}{note}",
        clock.duty,
        clock.term,
        clock.law,
        clock.trigger,
        clock.state.as_str()
    );
    Some(Happened { at: due, kind: "duty", what })
}

async fn updates(conn: &mut Conn, incident: &Incident, now: Timestamp) -> Result<Vec<Happened>, AppError> {
    let mut entries = Vec::new();
    for row in store::duties::updates(conn, incident.id).await? {
        let (by, kept) = (Timestamp::from_micros(row.by_at), row.kept_at.map(Timestamp::from_micros));
        let mut add = |at: Timestamp, what: String| entries.push(Happened { at, kind: "update", what });
        let promised = Timestamp::from_micros(row.promised_at);
        add(promised, format!("{} promised the next update by {by}: {}", row.promised_by, row.why));
        let state = match kept {
            Some(at) if at <= by => "kept",
            Some(_) => "kept late",
            None if by < now => "overdue",
            None => "open",
        };
        add(by, format!("next update, promised {promised}: {state}"));
        if let Some(at) = kept {
            let how = row.kept_why.unwrap_or_else(|| "supplements or corrections were released".to_owned());
            add(at, format!("update, promised by {by}: {how}"));
        }
    }
    Ok(entries)
}

async fn questions(conn: &mut Conn, incident: &Incident, now: Timestamp) -> Result<Vec<Happened>, AppError> {
    let mut entries = Vec::new();
    for row in store::duties::questions(conn, incident.id).await? {
        let name = format!("{} of {} in {}", row.id, row.tenant_id, row.ticket_id);
        let mut add = |at: i64, what: String| {
            entries.push(Happened { at: Timestamp::from_micros(at), kind: "ticket", what });
        };
        add(row.asked_at, format!("question {name} asked"));
        if let Some(settled) = row.settled_at {
            add(settled, format!("question {name} {}", row.state));
        }
        if let Some(by) = row.promised_by {
            let state = match row.settled_at {
                Some(at) if at <= by => "kept",
                Some(_) => "kept late",
                None if by < now.micros() => "overdue",
                None => "open",
            };
            add(by, format!("answer to question {name} was promised by now: {state}"));
        }
    }
    Ok(entries)
}
