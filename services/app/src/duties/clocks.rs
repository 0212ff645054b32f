//! Every clock of an incident: the table's obligations, and the contracts of organisations that are affected.
//!
//! Changes nothing; the arithmetic is `model::law`'s, which notices and forecasts use too. Invariant: each obligation of
//! the table, and each contract of an affected organisation, is one line.

use std::collections::HashMap;

use model::duties::{Act, Applies, Said, Standing, State, could_apply};
use model::law::{Clock, ClockEvent, DISCLAIMER, DayCount, Facts, Law, Obligation, Recorded, Span};
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;
use store::duties::{ActRow, ContractClock};

use crate::{App, AppError, Incident};

/// Which clocks are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that could apply by the countries of affected organisations, and those that somebody spoke of.
    Likely,
    /// All.
    All,
}

/// The clocks of an incident.
#[derive(Debug, Serialize)]
pub struct Duties {
    /// What this is not.
    pub disclaimer: &'static str,
    /// The incident.
    pub incident: String,
    /// When it was asked.
    pub at: Timestamp,
    /// Countries of affected organisations.
    pub countries: Vec<String>,
    /// One a clock; by due time, those without one last.
    pub clocks: Vec<ClockLine>,
    /// How many more there are.
    pub not_listed: usize,
}

/// One clock.
#[derive(Debug, Clone, Serialize)]
pub struct ClockLine {
    /// An obligation's id, or a contract's.
    pub duty: String,
    /// Whose contract; none: it is law.
    pub tenant_id: Option<String>,
    /// Where it is law.
    pub jurisdiction: String,
    /// Article or section.
    pub law: String,
    /// Whom to tell.
    pub to: String,
    /// What starts it.
    pub trigger: String,
    /// When that was.
    pub started_at: Option<Timestamp>,
    /// Whether that was recorded; false: it is taken from the discovery.
    pub recorded: bool,
    /// When it ends; none: it has not started, or no figure is named.
    pub due: Option<Timestamp>,
    /// What is left, or by how much it is late.
    pub left: String,
    /// What it comes to.
    pub state: State,
    /// `yes`, `no`; empty: nobody said.
    pub applies: &'static str,
    /// When it was fulfilled.
    pub met_at: Option<Timestamp>,
    /// Where it was read.
    pub source: String,
    /// How sure that is.
    pub confidence: String,
    /// The term in the words of the law or contract.
    pub term: String,
    /// What is to be said beside it.
    pub note: String,
    #[serde(skip)]
    pub(super) standing: Standing,
    /// Whether it could apply by the countries of affected organisations.
    #[serde(skip)]
    pub(super) likely: bool,
}

/// The clocks of an incident.
pub async fn list(app: &App, slug: &str, which: Which) -> Result<Duties, AppError> {
    let incident = app.incident(slug).await?;
    crate::facts::settle(app, incident.id).await?;
    let now = app.clock.now();
    let mut conn = app.store.snapshot().await?;
    let all = derive(&mut conn, &incident, now).await?;
    let countries = store::duties::countries(&mut conn, incident.id).await?;
    let count = all.len();
    let listed = |clock: &ClockLine| which == Which::All || clock.likely || clock.standing != Standing::default();
    let mut clocks: Vec<ClockLine> = all.into_iter().filter(listed).collect();
    clocks.sort_by_key(|clock| (clock.due.is_none(), clock.due, clock.duty.clone()));
    let not_listed = count - clocks.len();
    Ok(Duties { disclaimer: DISCLAIMER, incident: incident.slug, at: now, countries, clocks, not_listed })
}

/// Every clock, in the order of the table, then contracts by tenant.
pub(super) async fn derive(conn: &mut Conn, incident: &Incident, now: Timestamp) -> Result<Vec<ClockLine>, AppError> {
    let law = Law::builtin()?;
    let facts = crate::notices::clock_facts(conn, incident, now).await?;
    let countries = store::duties::countries(conn, incident.id).await?;
    let mut said: HashMap<String, Vec<ActRow>> = HashMap::new();
    for row in store::duties::acts(conn, incident.id).await? {
        said.entry(row.duty.clone()).or_default().push(row);
    }
    let of = |duty: &str| said.get(duty).map(Vec::as_slice).unwrap_or_default();
    let mut clocks = Vec::new();
    for row in law.obligations() {
        let standing = standing(now, of(&row.id))?;
        let prior = row.follows.as_deref().map(|id| self::standing(now, of(id))).transpose()?;
        let mut line = obligation(row, &facts, standing, prior.and_then(|prior| prior.done), now);
        line.likely =
            row.in_force(facts.discovered_at) && countries.iter().any(|code| could_apply(&row.jurisdiction, code));
        line.add_note(&waiting(of(&row.id), now));
        clocks.push(line);
    }
    for row in store::duties::contracts_of(conn, incident.id).await? {
        let Some(mut line) = contract(&row, &facts, standing(now, of(&row.id))?, now)? else { continue };
        line.add_note(&waiting(of(&row.id), now));
        clocks.push(line);
    }
    Ok(clocks)
}

fn standing(now: Timestamp, rows: &[ActRow]) -> Result<Standing, AppError> {
    let mut said = Vec::with_capacity(rows.len());
    for row in rows {
        let act = Act::parse(&row.act).ok_or_else(|| unknown("duty_acts.act", &row.act))?;
        said.push(Said { act, at: row.at.map(Timestamp::from_micros), nth: row.counts_nth });
    }
    Ok(Standing::at(now, &said))
}

fn unknown(column: &str, word: &str) -> AppError {
    store::StoreError::Unknown { what: format!("{column}: `{word}`") }.into()
}

/// What waits for a second person.
fn waiting(rows: &[ActRow], now: Timestamp) -> String {
    let open = rows.iter().filter(|row| {
        row.approved_at.is_none()
            && Act::parse(&row.act).is_some_and(Act::needs_two)
            && row.at.is_none_or(|until| until > now.micros())
    });
    open.map(|row| format!("{} waits for a second person: {}", row.act, row.id)).collect::<Vec<_>>().join("; ")
}

fn obligation(
    row: &Obligation,
    facts: &Facts,
    standing: Standing,
    prior: Option<Timestamp>,
    now: Timestamp,
) -> ClockLine {
    let (mut trigger, mut note) = (row.trigger, String::new());
    let (started, due) = match model::duties::clock(row, facts, prior) {
        Clock::Ends { due, trigger: by, from, recorded, holidays } => {
            trigger = by;
            note = holidays.to_string();
            (Some((from, recorded)), Some(due))
        }
        Clock::NotStarted(_) => (None, None),
        Clock::NoFigure if row.trigger == ClockEvent::PriorStageSubmitted => {
            (prior.map(|at| (at, Recorded::Yes)), None)
        }
        Clock::NoFigure => (facts.time_of(row.trigger), None),
    };
    let in_force = row.in_force(facts.discovered_at);
    let mut line = ClockLine {
        duty: row.id.clone(),
        tenant_id: None,
        jurisdiction: row.jurisdiction.clone(),
        law: row.law.clone(),
        to: row.to.to_string(),
        trigger: trigger.to_string(),
        source: row.source.clone(),
        confidence: row.confidence.to_string(),
        term: row.deadline_words.clone(),
        ..blank(standing, started, due, now)
    };
    if !in_force && standing == Standing::default() {
        line.state = State::NotInForce;
        line.left = String::new();
        note = row.effective();
    }
    line.add_note(&note);
    if line.state.is_open() {
        if trigger == ClockEvent::PriorStageSubmitted && prior.is_none() {
            line.add_note(&row.follows.as_ref().map_or(String::new(), |id| format!("starts with {id}")));
        }
        for variant in &row.variants {
            line.add_note(&format!("{} if {}", variant.deadline, variant.when));
        }
    }
    line
}

/// None: it was ended before its clock began, or after it was met.
fn contract(
    row: &ContractClock,
    facts: &Facts,
    mut standing: Standing,
    now: Timestamp,
) -> Result<Option<ClockLine>, AppError> {
    let trigger = ClockEvent::from_word(&row.trigger_event)
        .ok_or_else(|| unknown("contracts.trigger_event", &row.trigger_event))?;
    let started = facts.time_of(trigger);
    let hours = u16::try_from(row.hours).map_err(|_| unknown("contracts.hours", &row.hours.to_string()))?;
    let none = model::calendar::Holidays::default();
    let due = started.map(|(from, _)| Span::Hours(hours).after(from, DayCount::Hours, &none).0);
    // Their mail server took the notice: that is when they were told.
    standing.done = standing.done.or(row.told_at.map(Timestamp::from_micros));
    standing.applies = standing.applies.or(Some(Applies::Yes));
    let ended = row.ended_at.map(Timestamp::from_micros);
    let ran = |ended: Timestamp| {
        started.is_some_and(|(from, _)| from <= ended) && standing.done.is_none_or(|done| done > ended)
    };
    if ended.is_some_and(|ended| !ran(ended)) {
        return Ok(None);
    }
    let mut line = ClockLine {
        duty: row.id.clone(),
        tenant_id: Some(row.tenant_id.clone()),
        jurisdiction: "contract".to_owned(),
        law: row.source.clone(),
        to: "customers".to_owned(),
        trigger: trigger.to_string(),
        source: row.source.clone(),
        confidence: "contract".to_owned(),
        term: format!("{hours} hours"),
        likely: true,
        ..blank(standing, started, due, now)
    };
    if let Some(at) = ended {
        (line.state, line.left) = (State::Ended, String::new());
        let (by, why) = (row.ended_by.as_deref().unwrap_or_default(), row.ended_why.as_deref().unwrap_or_default());
        line.add_note(&format!("the contract was ended at {at} by {by}: {why}"));
    }
    Ok(Some(line))
}

fn blank(
    standing: Standing,
    started: Option<(Timestamp, Recorded)>,
    due: Option<Timestamp>,
    now: Timestamp,
) -> ClockLine {
    let state = State::of(&standing, started.map(|(at, _)| at), due, now);
    let mut line = ClockLine {
        duty: String::new(),
        tenant_id: None,
        jurisdiction: String::new(),
        law: String::new(),
        to: String::new(),
        trigger: String::new(),
        started_at: started.map(|(at, _)| at),
        recorded: started.is_some_and(|(_, recorded)| recorded == Recorded::Yes),
        due,
        left: due.filter(|_| state.is_open()).map_or_else(String::new, |due| left(due, now)),
        state,
        applies: match standing.applies {
            Some(Applies::Yes) => "yes",
            Some(Applies::No) => "no",
            None => "",
        },
        met_at: standing.done,
        source: String::new(),
        confidence: String::new(),
        term: String::new(),
        note: String::new(),
        standing,
        likely: false,
    };
    if started.is_some_and(|(_, recorded)| recorded == Recorded::FromDiscovery) {
        line.add_note("counted from the discovery: the event is not recorded");
    }
    if let Some(until) = standing.paused_until {
        line.add_note(&format!("rests until {until}"));
    }
    line
}

impl ClockLine {
    fn add_note(&mut self, text: &str) {
        if !text.is_empty() {
            let between = if self.note.is_empty() { "" } else { "; " };
            self.note = format!("{}{between}{text}", self.note);
        }
    }
}

/// `2 d 03 h 15 min`, or `late by …`.
fn left(due: Timestamp, now: Timestamp) -> String {
    let span = due.since(now).max(now.since(due)).as_secs() / 60;
    let (days, hours, minutes) = (span / 1_440, span / 60 % 24, span % 60);
    let text = if days > 0 {
        format!("{days} d {hours:02} h {minutes:02} min")
    } else {
        format!("{hours} h {minutes:02} min")
    };
    if due < now { format!("late by {text}") } else { text }
}
