//! What people do to a ladder: take care of it, or climb it faster.
//!
//! Fires nothing: the next tick does. Invariant: an acknowledgement holds what would fire for a limited time and pays no
//! debt; when it expires without work, the ladder goes on where it was.

use model::escalation::{Deed, Event};
use model::time::Timestamp;
use serde::Serialize;
use store::Tx;
use store::escalation::{Escalation, events};

use super::course::Course;
use super::{reviews, told};
use crate::{App, AppError, new_id};

/// What an acknowledgement did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acknowledged {
    /// Firings that nobody had acknowledged.
    pub firings: u64,
    /// How many more people have to acknowledge until the ladder is held.
    pub wanted: usize,
    /// Until when nothing fires that was not due; none: the ladder is not held.
    pub held_until: Option<Timestamp>,
    /// When the next rung fires if nothing is done; none: there is none.
    pub next_at: Option<Timestamp>,
}

/// Says, in the actor's name, that somebody takes care of what a ladder has fired so far. Of `tst_…`: that a test came.
pub async fn acknowledge(app: &App, id: &str) -> Result<Acknowledged, AppError> {
    if id.starts_with("tst_") {
        return acknowledge_test(app, id).await;
    }
    let mut tx = app.store.begin().await?;
    let mut seen = reviews::acknowledge(app, &mut tx, id).await?;
    if seen.is_none() {
        seen = crate::duties::acknowledge(app, &mut tx, id).await?;
    }
    if let Some(firings) = seen {
        tx.commit(app.entry("escalation.acknowledge", id, serde_json::json!({ "firings": firings }))).await?;
        return Ok(Acknowledged { firings, wanted: 0, held_until: None, next_at: None });
    }
    let ladder = held(&mut tx, id).await?;
    let now = app.clock.now();
    let firings = store::escalation::firings_of(&mut tx, id).await?;
    let count = store::escalation::acknowledge(&mut tx, id, &app.actor, now.micros()).await?;
    let mut course = Course::read(&mut tx, &ladder).await?;
    let last = firings.iter().max_by_key(|firing| (firing.fired_at, firing.due_at, firing.rung, firing.repeat));
    let place = last.map(|firing| (firing.rung, firing.repeat)).filter(|_| ladder.ended_at.is_none());
    let mut done = Acknowledged { firings: count, wanted: 0, held_until: None, next_at: None };
    if let Some((rung, repeat)) = place {
        let by = model::actor::folded(&app.actor);
        let what = Deed::Acknowledge { rung, repeat, by };
        if !course.events.iter().any(|event| event.what == what) {
            let event = events::Event { rung, repeat, ..deed(app, &ladder, "acknowledge", "") };
            events::insert(&mut tx, &event).await?;
            course.events.push(Event { at: now, what });
            let entry = line(app, &mut tx, &ladder, &format!("{} acknowledged rung {rung}", app.actor)).await?;
            told::acknowledged(app, &mut tx, &ladder, &entry).await?;
        }
        done.wanted = wanted(&course, rung, repeat);
        done.next_at = move_next(app, &mut tx, &ladder, &course).await?;
        let hold = course.policy.acknowledged_for.span();
        done.held_until = course.ladder(app).holding(now).map(|event| event.at.plus(hold));
    }
    let detail = serde_json::json!({ "firings": count, "rung": place.map(|(rung, _)| rung), "next_at": done.next_at });
    tx.commit(app.entry("escalation.acknowledge", id, detail)).await?;
    Ok(done)
}

async fn acknowledge_test(app: &App, id: &str) -> Result<Acknowledged, AppError> {
    let mut tx = app.store.begin().await?;
    let now = app.clock.now().micros();
    let firings = store::escalation::probes::acknowledge(&mut tx, id, &app.actor, now).await?.ok_or_else(|| {
        AppError::missing(
            format!("no test `{id}`"),
            "run `forthright escalation check INCIDENT` to see what was tested",
        )
    })?;
    tx.commit(app.entry("escalation.acknowledge", id, serde_json::json!({ "tests": firings }))).await?;
    Ok(Acknowledged { firings, wanted: 0, held_until: None, next_at: None })
}

/// Climbs a ladder from a rung on, now; when that fires.
pub async fn jump(app: &App, id: &str, rung: i64, why: &str) -> Result<Option<Timestamp>, AppError> {
    let mut tx = app.store.begin().await?;
    let ladder = held(&mut tx, id).await?;
    if let Some(ended) = &ladder.ended_why {
        return Err(AppError::refused(
            format!("the ladder {id} has ended: {ended}"),
            "run `forthright escalation list INCIDENT` to see the ladders that run",
        ));
    }
    let mut course = Course::read(&mut tx, &ladder).await?;
    let rungs = course.policy.rungs.len();
    if !usize::try_from(rung).is_ok_and(|rung| (1..=rungs).contains(&rung)) {
        return Err(AppError::bad(
            format!("the ladder {id} has rungs 1 to {rungs}, and no rung {rung}"),
            "give one of them with --rung",
        ));
    }
    if !course.open(app).iter().any(|due| due.rung == rung && due.repeat == 0) {
        return Err(AppError::refused(format!("rung {rung} of the ladder {id} has fired"), "jump to a rung above it"));
    }
    let now = app.clock.now();
    events::insert(&mut tx, &events::Event { rung, ..deed(app, &ladder, "jump", why) }).await?;
    course.events.push(Event { at: now, what: Deed::Jump { rung } });
    line(app, &mut tx, &ladder, &format!("{} climbs it from rung {rung} on: {why}", app.actor)).await?;
    let next = move_next(app, &mut tx, &ladder, &course).await?;
    let detail = serde_json::json!({ "rung": rung, "why": why, "ticket": ladder.ticket_id });
    tx.commit(app.entry("escalation.jump", id, detail)).await?;
    Ok(next)
}

/// A ladder, under its ticket's lock.
async fn held(tx: &mut Tx, id: &str) -> Result<Escalation, AppError> {
    let missing = || {
        AppError::missing(
            format!("no escalation `{id}`"),
            "run `forthright escalation list INCIDENT --csv` to see what there is",
        )
    };
    let seen = store::escalation::by_id(tx, id).await?.ok_or_else(missing)?;
    store::tickets::lock(tx, &seen.ticket_id).await?;
    store::escalation::by_id(tx, id).await?.ok_or_else(missing)
}

pub(super) fn deed(app: &App, ladder: &Escalation, kind: &str, why: &str) -> events::Event {
    events::Event {
        id: new_id("esv"),
        escalation_id: ladder.id.clone(),
        at: app.clock.now().micros(),
        kind: kind.to_owned(),
        rung: 0,
        repeat: 0,
        actor: app.actor.clone(),
        why: why.to_owned(),
    }
}

/// How many more people have to acknowledge a firing.
fn wanted(course: &Course, rung: i64, repeat: i64) -> usize {
    let index = usize::try_from(rung - 1).ok();
    let needed = index.and_then(|index| course.policy.rungs.get(index)).map_or(1, |rung| rung.acknowledgements);
    let here = |event: &&Event| matches!(&event.what, Deed::Acknowledge { rung: r, repeat: p, .. } if (*r, *p) == (rung, repeat));
    usize::try_from(needed).unwrap_or(usize::MAX).saturating_sub(course.events.iter().filter(here).count())
}

/// Writes when the tick has to look again.
async fn move_next(
    app: &App,
    tx: &mut Tx,
    ladder: &Escalation,
    course: &Course,
) -> Result<Option<Timestamp>, AppError> {
    let next = course.open(app).first().map(|due| due.due_at);
    store::escalation::set_next(tx, &ladder.id, next.map(Timestamp::micros)).await?;
    Ok(next)
}

/// A line in the timeline of the ladder's ticket; its id.
async fn line(app: &App, tx: &mut Tx, ladder: &Escalation, what: &str) -> Result<String, AppError> {
    let entry = entry(app, ladder, what);
    store::tickets::insert_entry(tx, &ladder.ticket_id, &entry).await?;
    Ok(entry.id)
}

pub(super) fn entry(app: &App, ladder: &Escalation, what: &str) -> store::tickets::Entry {
    store::tickets::Entry {
        id: new_id("ent"),
        at: app.clock.now().micros(),
        kind: "escalation".to_owned(),
        actor: app.actor.clone(),
        body: format!("{}: {what}", ladder.policy),
    }
}
