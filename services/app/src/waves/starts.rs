//! Starts of limited waves, given out to hosts from one calendar, and the receiving systems that limits count.
//!
//! Waits for nothing. Invariant: a start is durable before anybody hears of it.

use std::collections::{BTreeSet, HashMap};
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

/// Starts for mails of a wave that a sender holds, each with its receiving system, in their order. A start that its mail
/// does not use comes back with its lease.
pub async fn give(
    app: &App,
    sender: &str,
    wave: &str,
    limits: &Limits,
    mails: &[(&str, &str)],
) -> Result<Vec<Start>, AppError> {
    let distinct: Vec<&str> = match limits.per_system {
        Some(_) => mails.iter().map(|(_, system)| *system).collect::<BTreeSet<_>>().into_iter().collect(),
        None => Vec::new(),
    };
    let ids: Vec<&str> = mails.iter().map(|(id, _)| *id).collect();
    let ahead = i64::try_from(AHEAD.as_micros()).unwrap_or(i64::MAX);
    let mut tx = app.store.begin().await?;
    let held = store::starts::of_sender(&mut tx, sender, &ids).await?;
    let mut calendar = store::starts::hold(&mut tx, wave, &distinct).await?;
    let systems: Vec<&str> = mails.iter().filter(|(id, _)| held.contains(*id)).map(|(_, system)| *system).collect();
    // The clock is read while the calendar is held: no start lies before one that another host was given.
    let now = app.clock.real().micros();
    let mut given = calendar.give(limits, now, ahead, &systems).into_iter();
    // What is somebody else's by now starts elsewhere.
    let starts: Vec<Start> = ids
        .iter()
        .map(|id| if held.contains(*id) { given.next() } else { None }.unwrap_or(Start::AskAgain(now)))
        .collect();
    let begun: Vec<&str> =
        ids.iter().zip(&starts).filter(|(_, start)| matches!(start, Start::At(_))).map(|(id, _)| *id).collect();
    store::starts::note_given(&mut tx, calendar.day, &begun).await?;
    store::starts::keep(&mut tx, wave, &calendar).await?;
    store::crash_point!("starts.before");
    tx.commit_ledger().await?;
    store::crash_point!("starts.after");
    Ok(starts)
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
