//! Starts of limited waves, given out to hosts from one calendar, and the receiving systems that limits count.
//!
//! Waits for nothing. Invariant: a start is durable before anybody hears of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use model::pace::{Limits, Start};
use tokio::task::JoinSet;

use crate::{App, AppError};

/// Starts are given out so far ahead. Too short: gaps where the database is slow. Too long: a host that dies takes more
/// of them along.
pub const AHEAD: Duration = Duration::from_secs(1);
/// How long an answer about a domain is used again.
const KNOWN_FOR: Duration = Duration::from_secs(24 * 3600);
/// How long answers about domains are waited for; without one the domain itself is the receiving system for now.
const ANSWERS: Duration = Duration::from_secs(2);
/// Questions at a time.
const AT_A_TIME: usize = 32;

/// The limits of each wave; they never change.
pub async fn limits(app: &App) -> Result<HashMap<String, Limits>, AppError> {
    Ok(store::starts::limits(&mut app.store.read().await?).await?.into_iter().collect())
}

/// Starts for mails of a wave to these receiving systems, in their order, and the day on which they count; `unused` ones
/// of before go back to their days.
pub async fn give(
    app: &App,
    wave: &str,
    limits: &Limits,
    systems: &[&str],
    unused: &BTreeMap<i64, i64>,
) -> Result<(i64, Vec<Start>), AppError> {
    let distinct: Vec<&str> = match limits.per_system {
        Some(_) => systems.iter().copied().collect::<BTreeSet<_>>().into_iter().collect(),
        None => Vec::new(),
    };
    let mut tx = app.store.begin().await?;
    let mut calendar = store::starts::hold(&mut tx, wave, &distinct).await?;
    for (day, count) in unused {
        calendar.give_back(*day, *count);
    }
    let ahead = i64::try_from(AHEAD.as_micros()).unwrap_or(i64::MAX);
    // The clock is read while the calendar is held: no start lies before one that another host was given.
    let starts = calendar.give(limits, app.clock.real().micros(), ahead, systems);
    store::starts::keep(&mut tx, wave, &calendar).await?;
    tx.commit_ledger().await?;
    Ok((calendar.day, starts))
}

/// Starts that nobody will use go back to their days.
pub async fn give_back_starts(app: &App, wave: &str, unused: &BTreeMap<i64, i64>) -> Result<(), AppError> {
    give(app, wave, &Limits::default(), &[], unused).await.map(drop)
}

/// Who receives for each of these domains, as far as that was looked up lately; none where nobody can be asked here.
pub async fn known_systems(app: &App, domains: &BTreeSet<String>) -> Result<Option<HashMap<String, String>>, AppError> {
    if app.prover.is_none() {
        return Ok(None);
    }
    let asked: Vec<&str> = domains.iter().map(String::as_str).collect();
    let since = app.clock.real().minus(KNOWN_FOR).micros();
    Ok(Some(store::starts::systems_of(&mut app.store.read().await?, &asked, since).await?))
}

/// Who receives for each of these domains: the family of its mail servers where DNS can be asked, else the domain.
pub async fn receiving_systems(app: &App, domains: &BTreeSet<String>) -> Result<HashMap<String, String>, AppError> {
    let Some(mut known) = known_systems(app, domains).await? else { return Ok(HashMap::new()) };
    let now = app.clock.real();
    let unknown: Vec<String> = domains.iter().filter(|domain| !known.contains_key(*domain)).cloned().collect();
    if unknown.is_empty() {
        return Ok(known);
    }
    let found = look_up(app, unknown).await;
    let mut tx = app.store.begin().await?;
    store::starts::keep_systems(&mut tx, &found, now.micros()).await?;
    tx.commit_ledger().await?;
    known.extend(found);
    Ok(known)
}

/// Those that were answered in time.
async fn look_up(app: &App, domains: Vec<String>) -> Vec<(String, String)> {
    let Some(senders) = &app.prover else { return Vec::new() };
    let (mut waiting, mut asking, mut found) = (domains.into_iter(), JoinSet::new(), Vec::new());
    let all = async {
        loop {
            while asking.len() < AT_A_TIME
                && let Some(domain) = waiting.next()
            {
                let senders = senders.clone();
                asking.spawn(async move {
                    let family = mail::standing::family(senders.prover(), &domain).await;
                    (domain, family)
                });
            }
            match asking.join_next().await {
                None => return,
                Some(Ok((domain, Some(family)))) => found.push((domain, family)),
                Some(Ok((_, None))) => {}
                Some(Err(error)) => tracing::warn!(%error, "a look-up of mail servers ended unexpectedly"),
            }
        }
    };
    // What is not answered by then is asked again with the next mail.
    if tokio::time::timeout(ANSWERS, all).await.is_err() {
        tracing::debug!("not all mail servers were found in time");
    }
    found
}
