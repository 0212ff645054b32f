//! When waves end, at their limits and at the rate of the last minute, and who is told after a deadline.
//!
//! Changes no wave and promises nothing: what is refused for now comes again when it comes. Invariant: it uses the rules
//! that give starts out, so that it and the sender cannot disagree about a limit.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use model::delivery::State;
use model::law::{Clock, Law};
use model::pace::{Calendar, Limits, Start};
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;
use store::waves::{Left, Wave};

use crate::{App, AppError};

/// The rate is measured over this long.
const MEASURED: Duration = Duration::from_secs(60);
/// From fewer mails nothing is concluded.
const FEWEST: i64 = 10;
/// Days that are looked ahead.
const DAYS: usize = 366;
const DAY: i64 = 24 * 3600 * 1_000_000;

/// Of a large wave that was released where its mail stayed on the host.
const UNCHECKED: &str = "; its sending domain was not in order when it was released, or not checked: whoever sends it further looks at it again, and stops it unless it is in order by then (`forthright doctor`)";

/// What is to be expected.
#[derive(Debug, Serialize)]
pub struct Forecast {
    /// The incident.
    pub incident: String,
    /// When it was asked.
    pub at: Timestamp,
    /// Waves with mails that are on their way.
    pub waves: Vec<Expected>,
    /// When the last of them ends; none: nobody can say, or there is none.
    pub ends_at: Option<Timestamp>,
    /// Organisations whose notice is approved and not released: nothing can be said of these.
    pub not_released: usize,
    /// Deadlines that organisations on their way will miss, the first one first.
    pub missed: Vec<Missed>,
}

/// What is to be expected of a wave.
#[derive(Debug, Serialize)]
pub struct Expected {
    /// Its name.
    pub wave: String,
    /// Mails that are on their way.
    pub left: usize,
    /// Mails a second, as measured or as limited; none: not known.
    pub per_second: Option<f64>,
    /// When it ends; none: nobody can say.
    pub ends_at: Option<Timestamp>,
    /// What that follows from, or why nobody can say.
    pub why: String,
}

/// A deadline with those who are told after it.
#[derive(Debug, Serialize)]
pub struct Missed {
    /// The obligation.
    pub obligation: String,
    /// Where it is law.
    pub jurisdiction: String,
    /// When its term ends.
    pub due: Timestamp,
    /// How many organisations are told after that, or nobody can say when.
    pub organisations: usize,
    /// Which, sorted.
    pub tenants: Vec<String>,
}

/// Expects what follows from the rows, for every wave of an incident that is not done.
pub async fn forecast(app: &App, slug: &str) -> Result<Forecast, AppError> {
    let incident = app.incident(slug).await?;
    let (now, real) = (app.clock.now(), app.clock.real());
    let families = families(app, incident.id).await?;
    let mut conn = app.store.snapshot().await?;
    let (mut waves, mut told) = (Vec::new(), BTreeMap::new());
    for wave in store::waves::list(&mut conn, incident.id).await? {
        let left = store::waves::left(&mut conn, &wave.id).await?;
        if left.is_empty() {
            continue;
        }
        let (mut expected, ends) = expect(app, &mut conn, &wave, &left, &families).await?;
        if wave.domain_checked == 0 && wave.stopped_why.is_none() {
            expected.why.push_str(UNCHECKED);
        }
        for (mail, end) in left.iter().zip(ends) {
            let Some(tenant) = &mail.tenant_id else { continue };
            // Real time moves as the store's clock does; the first mail that arrives tells an organisation.
            let end = end.map(|end| now.micros() + (end - real.micros()));
            let first = told.entry(tenant.clone()).or_insert(end);
            *first = [*first, end].into_iter().flatten().min();
        }
        waves.push(expected);
    }
    // To whom everything came back, and nothing is on its way: nobody can say when they are told.
    for tenant in store::waves::stranded(&mut conn, incident.id).await? {
        told.entry(tenant).or_insert(None);
    }
    for tenant in store::waves::told(&mut conn, incident.id).await? {
        told.remove(&tenant);
    }
    let facts = crate::notices::clock_facts(&mut conn, &incident, now).await?;
    let approved = store::notices::in_state(&mut conn, incident.id, "approved").await?.len();
    let ends: Option<Vec<Timestamp>> = waves.iter().map(|wave| wave.ends_at).collect();
    Ok(Forecast {
        incident: incident.slug,
        at: now,
        ends_at: ends.and_then(|ends| ends.into_iter().max()),
        waves,
        not_released: approved,
        missed: missed(Law::builtin()?, &facts, &told),
    })
}

/// The receiving systems of what is on its way in waves that are limited by them, as the sender would tell them apart.
async fn families(app: &App, incident: i64) -> Result<HashMap<String, String>, AppError> {
    let mut conn = app.store.read().await?;
    let mut domains = BTreeSet::new();
    for wave in store::waves::list(&mut conn, incident).await?.iter().filter(|wave| wave.pace_per_system.is_some()) {
        let left = store::waves::left(&mut conn, &wave.id).await?;
        domains.extend(left.iter().map(|mail| mail.domain().to_ascii_lowercase()));
    }
    drop(conn);
    super::receiving_systems(app, &domains).await
}

/// Of a wave, and of each of its mails the end in real time.
async fn expect(
    app: &App,
    conn: &mut Conn,
    wave: &Wave,
    left: &[Left],
    families: &HashMap<String, String>,
) -> Result<(Expected, Vec<Option<i64>>), AppError> {
    let (now, real) = (app.clock.now(), app.clock.real());
    let limits = Limits { pace: wave.pace, per_system: wave.pace_per_system, per_day: wave.per_day };
    let measured = store::waves::lately(conn, &wave.id, now.minus(MEASURED).micros()).await?;
    let measured = measured.rate(FEWEST);
    let nobody_knows = |why: String| {
        let (wave, left_count) = (wave.name.clone(), left.len());
        let expected = Expected { wave, left: left_count, per_second: None, ends_at: None, why };
        (expected, vec![None; left.len()])
    };
    if let Some(why) = &wave.stopped_why {
        return Ok(nobody_knows(format!("it was stopped: {why}")));
    }
    if wave.paused_at.is_some() {
        return Ok(nobody_knows("it is paused".to_owned()));
    }
    if crate::incidents::stopped_since(app).await?.is_some() {
        return Ok(nobody_knows("everything is stopped".to_owned()));
    }
    if let Some(since) = stands_since(conn, wave, left, (now, real)).await? {
        return Ok(nobody_knows(format!(
            "not moving since {since}: mail is due, and none of it was accepted or refused since; look at the relay, and whether a worker runs"
        )));
    }
    let held = left.iter().filter(|one| one.next_at == i64::MAX).count();
    if held > 0 {
        return Ok(nobody_knows(format!("{held} mails may have arrived, and are held until somebody knows")));
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown to people")]
    let planned = limits.pace.map(|pace| pace as f64);
    let (per_second, how) = match (measured, planned) {
        (Some(rate), Some(pace)) if rate < pace * 0.9 => (rate, "at the rate of the last minute, below its pace"),
        (_, Some(pace)) => (pace, "at its pace"),
        (Some(rate), None) => (rate, "at the rate of the last minute"),
        (None, None) if limits.per_system.is_none() && limits.per_day.is_none() => {
            return Ok(nobody_knows("it has no limit, and too little left in the last minute to say".to_owned()));
        }
        (None, None) => (f64::from(u16::MAX), "at its limits"),
    };
    let mut calendar = Calendar::default();
    if let Some((day, count)) = store::starts::day(conn, &wave.id).await? {
        (calendar.day, calendar.day_count) = (day, count);
    }
    let system = |mail: &Left| {
        let domain = mail.domain().to_ascii_lowercase();
        families.get(&domain).cloned().unwrap_or(domain)
    };
    let systems: Vec<String> = left.iter().map(system).collect();
    let ends = starts(calendar, &limits, per_second, real.micros(), left, &systems);
    let last = ends.iter().map(|end| end.map(|end| end - real.micros())).collect::<Option<Vec<_>>>();
    let ends_at = last.and_then(|all| all.into_iter().max()).map(|after| Timestamp::from_micros(now.micros() + after));
    let why = if ends_at.is_some() { how.to_owned() } else { format!("{how}, not within {DAYS} days") };
    let per_second = (per_second < f64::from(u16::MAX)).then_some(per_second);
    Ok((Expected { wave: wave.name.clone(), left: left.len(), per_second, ends_at, why }, ends))
}

/// Since when nothing was heard of a wave whose mail is due, by the store's clock; none where it moves, or has only just
/// begun.
async fn stands_since(
    conn: &mut Conn,
    wave: &Wave,
    left: &[Left],
    (now, real): (Timestamp, Timestamp),
) -> Result<Option<Timestamp>, AppError> {
    let is_due = |mail: &Left| mail.next_at <= real.micros() && mail.state != State::Uncertain.as_str();
    if !left.iter().any(is_due) {
        return Ok(None);
    }
    let heard = store::waves::heard_of(conn, &wave.id).await?.unwrap_or(wave.released_at).max(wave.released_at);
    Ok((now.minus(MEASURED).micros() > heard).then(|| Timestamp::from_micros(heard)))
}

/// When each mail starts, by the rules that give starts out.
fn starts(
    mut calendar: Calendar,
    limits: &Limits,
    per_second: f64,
    now: i64,
    left: &[Left],
    systems: &[String],
) -> Vec<Option<i64>> {
    #[expect(clippy::cast_possible_truncation, reason = "at most a million seconds in microseconds")]
    let between = (1e6 / per_second.clamp(1e-6, 1e6)).round() as i64;
    let mut ends: Vec<Option<i64>> = vec![None; left.len()];
    let mut waiting: Vec<usize> = (0..left.len()).collect();
    let mut day_begins = now;
    for _ in 0..DAYS {
        let named: Vec<&str> = waiting.iter().map(|index| systems[*index].as_str()).collect();
        let ahead = DAY - day_begins % DAY - 1;
        let given = calendar.give_apart(limits, between, day_begins, ahead, &named);
        let mut later = Vec::new();
        for (index, start) in waiting.into_iter().zip(given) {
            match start {
                Start::At(at) => ends[index] = Some(at.max(left[index].next_at)),
                Start::AskAgain(_) => later.push(index),
            }
        }
        if later.is_empty() {
            break;
        }
        (waiting, day_begins) = (later, day_begins + ahead + 1);
    }
    ends
}

fn missed(law: &Law, facts: &model::law::Facts, told: &BTreeMap<String, Option<i64>>) -> Vec<Missed> {
    let in_force =
        law.obligations().iter().filter(|row| row.is_to_organisations() && row.in_force(facts.discovered_at));
    let mut missed: Vec<Missed> = in_force
        .filter_map(|row| {
            let Clock::Ends { due, .. } = facts.clock(row) else { return None };
            let late = told.iter().filter(|(_, at)| at.is_none_or(|at| at > due.micros()));
            let tenants: Vec<String> = late.map(|(tenant, _)| tenant.clone()).collect();
            let (obligation, jurisdiction) = (row.id.clone(), row.jurisdiction.clone());
            (!tenants.is_empty()).then_some(Missed {
                obligation,
                jurisdiction,
                due,
                organisations: tenants.len(),
                tenants,
            })
        })
        .collect();
    missed.sort_by(|a, b| (a.due, &a.obligation).cmp(&(b.due, &b.obligation)));
    missed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(count: usize) -> Vec<Left> {
        let state = "queued".to_owned();
        let one = Left { tenant_id: None, address: "a@x.example".to_owned(), next_at: 0, state };
        vec![one; count]
    }

    fn last(limits: Limits, per_second: f64, count: usize, begin: i64) -> i64 {
        let systems = vec!["x.example".to_owned(); count];
        let ends = starts(Calendar::default(), &limits, per_second, begin, &left(count), &systems);
        (ends.into_iter().map(Option::unwrap).max().unwrap() - begin) / 1_000_000
    }

    const NOON: i64 = 20_000 * DAY + DAY / 2;

    #[test]
    fn a_wave_ends_when_its_mails_are_through_at_its_rate() {
        let at = |per_second, count| last(Limits::default(), per_second, count, NOON);
        assert_eq!(at(50.0, 5_001), 100);
        assert_eq!(at(0.5, 100), 198);
        // Nothing is rounded down: at 2.5 a second, 99 distances of 0.4 s.
        assert_eq!(at(2.5, 100), 39);
        assert_eq!(last(Limits { per_system: Some(2), ..Limits::default() }, 50.0, 100, NOON), 49);
    }

    #[test]
    fn a_limit_a_day_carries_a_wave_over_nights() {
        let limits = Limits { per_day: Some(10), ..Limits::default() };
        let seconds = last(limits, 10.0, 25, NOON);
        assert_eq!(seconds, 12 * 3600 + 24 * 3600, "ten at noon, ten after midnight, five after the next");
    }
}
