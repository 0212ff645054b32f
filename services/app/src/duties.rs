//! Duties to tell somebody: what people say of them, and what their clocks say.
//!
//! Decides for no organisation whether a law applies: a person says so. Invariant: what was said is kept, and a decision
//! not to notify, or to let a duty rest, counts from the word of a second person on.

mod clocks;
mod contracts;
mod ladder;
mod timeline;
mod updates;

use std::time::Duration;

use model::actor::is_one_person;
use model::duties::{Act, Applies, Standing, State};
use model::time::Timestamp;
use serde::Serialize;
use store::Tx;
use store::duties::ActRow;

use crate::incidents::Record;
use crate::{App, AppError, Incident, new_id};

pub use clocks::{ClockLine, Duties, Which, list};
pub use contracts::{ContractLine, NewContract, add as add_contract, end as end_contract, list as contracts};
pub(crate) use ladder::{acknowledge, climb, is_due, lines, unfired};
pub use timeline::{Happened, Timeline, timeline};
pub use updates::{Promised, promise as promise_update, sent as update_sent};

/// What somebody says of a duty.
#[derive(Debug, Clone)]
pub struct Word<'a> {
    /// What.
    pub act: Act,
    /// Done: when. Pause: until when.
    pub at: Option<Timestamp>,
    /// Done: the file number of who was told.
    pub reference: Option<&'a str>,
    /// The reason.
    pub why: &'a str,
    /// Done: whether it was recorded before.
    pub record: Record,
}

/// What was kept.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// `dut_…`.
    pub id: String,
    /// The duty.
    pub duty: String,
    /// What was said of it.
    pub act: Act,
    /// Whether it waits for a second person.
    pub waits_for_approval: bool,
}

/// One thing that was said.
#[derive(Debug, Serialize)]
pub struct SaidLine {
    /// `dut_…`.
    pub id: String,
    /// The duty.
    pub duty: String,
    /// What was said.
    pub act: String,
    /// Done: when. Pause: until when.
    pub at: Option<Timestamp>,
    /// The file number of who was told.
    pub reference: String,
    /// The reason.
    pub why: String,
    /// Who said it.
    pub actor: String,
    /// When.
    pub recorded_at: Timestamp,
    /// The second person; empty: none, or none yet.
    pub approved_by: String,
    /// When they approved.
    pub approved_at: Option<Timestamp>,
}

/// When clocks are looked at that are to be looked at now: a little earlier than now, for other hosts have other clocks.
pub(crate) fn at_once(app: &App) -> i64 {
    app.clock.now().minus(Duration::from_secs(60)).micros()
}

/// Says something of a duty of an incident.
pub async fn say(app: &App, slug: &str, duty: &str, word: &Word<'_>) -> Result<Kept, AppError> {
    let incident = app.incident(slug).await?;
    crate::facts::settle(app, incident.id).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let clock = find(&mut tx, &incident, duty, now).await?;
    refuse(slug, duty, word, &clock, now)?;
    let nth = store::duties::next_nth(&mut tx, incident.id).await?;
    let row = ActRow {
        id: new_id("dut"),
        incident_id: incident.id,
        duty: duty.to_owned(),
        act: word.act.as_str().to_owned(),
        at: word.at.map(Timestamp::micros),
        reference: word.reference.map(str::to_owned),
        why: word.why.to_owned(),
        actor: app.actor.clone(),
        recorded_at: now.micros(),
        approved_by: None,
        approved_at: None,
        counts_nth: Some(nth).filter(|_| !word.act.needs_two()),
    };
    store::duties::insert_act(&mut tx, &row, nth).await?;
    store::duties::look_at(&mut tx, incident.id, at_once(app)).await?;
    let detail = serde_json::json!({ "id": row.id, "duty": duty, "act": word.act, "at": word.at, "reference": word.reference, "why": word.why });
    tx.commit(app.entry("duty.say", slug, detail)).await?;
    Ok(Kept { id: row.id, duty: duty.to_owned(), act: word.act, waits_for_approval: word.act.needs_two() })
}

/// Approves, as the second person, that nobody is notified or that a duty rests.
pub async fn approve(app: &App, slug: &str, id: &str) -> Result<(), AppError> {
    let incident = app.incident(slug).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let row = store::duties::act(&mut tx, id).await?.filter(|row| row.incident_id == incident.id);
    let row = row.ok_or_else(|| {
        AppError::missing(
            format!("nothing was said under `{id}` of the duties of {slug}"),
            format!("run `forthright duty history {slug}` to see what was"),
        )
    })?;
    if !Act::parse(&row.act).is_some_and(Act::needs_two) || row.approved_at.is_some() {
        return Err(AppError::refused(
            format!("{id} waits for nobody"),
            format!("run `forthright duty history {slug}` to see what does"),
        ));
    }
    if is_one_person(&row.actor, &app.actor) {
        return Err(AppError::refused(
            format!("{} proposed {id}, and nobody approves of their own", app.actor),
            "let somebody else approve of it: --actor NAME",
        ));
    }
    if row.at.is_some_and(|until| until <= now.micros()) {
        return Err(AppError::refused(
            format!("{id} was to last until a time that is past"),
            format!("propose it anew: `forthright duty pause {slug} {} --until TIME --why TEXT`", row.duty),
        ));
    }
    let nth = store::duties::next_nth(&mut tx, incident.id).await?;
    store::duties::approve(&mut tx, id, &app.actor, now.micros(), nth).await?;
    store::duties::look_at(&mut tx, incident.id, at_once(app)).await?;
    let detail = serde_json::json!({ "duty": row.duty, "act": row.act, "proposed_by": row.actor });
    tx.commit(app.entry("duty.approve", id, detail)).await?;
    Ok(())
}

/// Everything that was said of the duties of an incident, oldest first.
pub async fn history(app: &App, slug: &str) -> Result<Vec<SaidLine>, AppError> {
    let incident = app.incident(slug).await?;
    let rows = store::duties::acts(&mut app.store.read().await?, incident.id).await?;
    Ok(rows.into_iter().map(said_line).collect())
}

fn said_line(row: ActRow) -> SaidLine {
    SaidLine {
        id: row.id,
        duty: row.duty,
        act: row.act,
        at: row.at.map(Timestamp::from_micros),
        reference: row.reference.unwrap_or_default(),
        why: row.why,
        actor: row.actor,
        recorded_at: Timestamp::from_micros(row.recorded_at),
        approved_by: row.approved_by.unwrap_or_default(),
        approved_at: row.approved_at.map(Timestamp::from_micros),
    }
}

async fn find(tx: &mut Tx, incident: &Incident, duty: &str, now: Timestamp) -> Result<ClockLine, AppError> {
    let all = clocks::derive(tx, incident, now).await?;
    all.into_iter().find(|clock| clock.duty == duty).ok_or_else(|| {
        AppError::missing(
            format!("no duty of {} is called `{duty}`", incident.slug),
            format!("run `forthright duty list {} --all` to see which there are", incident.slug),
        )
    })
}

/// What contradicts what is known.
fn refuse(slug: &str, duty: &str, word: &Word<'_>, clock: &ClockLine, now: Timestamp) -> Result<(), AppError> {
    let standing: &Standing = &clock.standing;
    let refused = |what: String, hint: String| Err(AppError::refused(what, hint));
    match word.act {
        Act::Done if word.at.is_some_and(|at| at > now) => {
            refused(format!("{duty} cannot be done in the future"), "say when it was: --at TIME".to_owned())
        }
        Act::Done if clock.started_at.zip(word.at).is_some_and(|(started, at)| at < started) => refused(
            format!("{duty} cannot be done before its clock began ({})", clock.trigger),
            format!(
                "say when it was: --at TIME; `forthright duty list {slug}` shows when the clock began, and `forthright incident event {slug} NAME --correct` puts an event right"
            ),
        ),
        Act::Done if standing.done.is_some() && word.record == Record::First => refused(
            format!("{duty} is recorded as done already"),
            "put it right with --correct: what is recorded is kept as history".to_owned(),
        ),
        Act::Done if standing.done.is_none() && word.record == Record::Correction => refused(
            format!("{duty} is not recorded as done, so there is nothing to correct"),
            "record it without --correct".to_owned(),
        ),
        Act::Pause if word.at.is_none_or(|until| until <= now) => {
            refused("a pause ends in the future".to_owned(), "say until when: --until TIME".to_owned())
        }
        Act::NotNotify | Act::Pause | Act::AppliesNot if standing.done.is_some() => refused(
            format!("{duty} was fulfilled"),
            format!("`forthright duty history {slug}` shows when, and who said so"),
        ),
        Act::AppliesNot if standing.applies == Some(Applies::Yes) || clock.state == State::Late => refused(
            format!("{duty} was said to apply or ran late: that it ends without anybody being told takes two people"),
            format!("run `forthright duty not-notify {slug} {duty} --why TEXT`, which somebody else approves of"),
        ),
        Act::Resume if clock.state != State::Paused => {
            refused(format!("{duty} does not rest"), format!("run `forthright duty list {slug}` to see what does"))
        }
        Act::Applies | Act::AppliesNot | Act::Done | Act::NotNotify | Act::Pause | Act::Resume => Ok(()),
    }
}
