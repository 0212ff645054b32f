//! Starts for claimed mails of waves that are limited: those that get one go on, the others are due again later.
//!
//! Knows no database. Invariant: a mail of a limited wave goes on with a start or not at all.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use app::AppError;
use app::delivery::Letterbox;
use model::pace::{Limits, Start};

use super::systems::domain;
use super::{Parcel, Post};
use crate::desk::lock;

/// A start that is this much past is not used: late mails of one host and punctual ones of another would be too many.
pub(super) const LATE: Duration = Duration::from_millis(250);

/// Starts that were given to this host and not used, by wave.
#[derive(Default)]
pub(super) struct Unused(Mutex<HashMap<String, i64>>);

impl Unused {
    /// A mail goes back with its start.
    pub(super) fn note(&self, parcel: &Parcel) {
        if let (Some(_), Some(wave)) = (parcel.start, &parcel.letterbox.mail.wave_id) {
            *lock(&self.0).entry(wave.clone()).or_default() += 1;
        }
    }

    fn take(&self, wave: &str) -> i64 {
        lock(&self.0).remove(wave).unwrap_or(0)
    }
}

/// A claim, sorted.
pub(super) struct Batch {
    pub(super) parcels: Vec<Parcel>,
    /// How many were put back because of a limit.
    pub(super) parked: usize,
}

/// Mails without limits as they are, those of limited waves with their starts; what gets none is put back.
pub(super) async fn sort(
    post: &Post,
    letterboxes: Vec<Letterbox>,
    known: &HashMap<String, Limits>,
) -> Result<Batch, AppError> {
    let mut batch = Batch { parcels: Vec::with_capacity(letterboxes.len()), parked: 0 };
    let mut limited: HashMap<String, Vec<Letterbox>> = HashMap::new();
    for letterbox in letterboxes {
        match &letterbox.mail.wave_id {
            // Nothing leaves to whoever is suppressed: it takes nobody's turn.
            Some(wave) if known.get(wave).is_some_and(|limits| !limits.is_none()) && !letterbox.suppressed => {
                limited.entry(wave.clone()).or_default().push(letterbox);
            }
            _ => batch.parcels.push(Parcel { letterbox, place: None, start: None }),
        }
    }
    for (wave, letterboxes) in limited {
        if let Some(limits) = known.get(&wave) {
            give(post, &wave, limits, letterboxes, &mut batch).await?;
        }
    }
    Ok(batch)
}

async fn give(
    post: &Post,
    wave: &str,
    limits: &Limits,
    letterboxes: Vec<Letterbox>,
    batch: &mut Batch,
) -> Result<(), AppError> {
    let app = &post.desk.app;
    let domains: Vec<String> = letterboxes.iter().map(|letterbox| domain(&letterbox.mail.address)).collect();
    let families = match limits.per_system {
        Some(_) => app::waves::receiving_systems(app, &domains.iter().cloned().collect::<BTreeSet<_>>()).await?,
        None => HashMap::new(),
    };
    let systems: Vec<&str> =
        domains.iter().map(|domain| families.get(domain).map_or(domain.as_str(), String::as_str)).collect();
    let starts = app::waves::give(app, wave, limits, &systems, post.unused.take(wave)).await?;
    let (instant, real) = (Instant::now(), app.clock.real().micros());
    let until = |at: i64| Duration::from_micros(u64::try_from(at - real).unwrap_or(0));
    let mut again: HashMap<Duration, Vec<String>> = HashMap::new();
    for (letterbox, start) in letterboxes.into_iter().zip(starts) {
        match start {
            Start::At(at) => {
                let place = limits.pace.map(|pace| post.pacer.place(wave, pace));
                batch.parcels.push(Parcel { letterbox, place, start: Some(instant + until(at)) });
            }
            Start::AskAgain(at) => again.entry(until(at)).or_default().push(letterbox.mail.id),
        }
    }
    for (wait, ids) in again {
        batch.parked += ids.len();
        app::delivery::give_back(app, &post.sender, &ids, wait).await?;
    }
    Ok(())
}
