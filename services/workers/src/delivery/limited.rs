//! Starts for claimed mails of waves that are limited: those that get one go on, the others are due again later.
//!
//! Knows no database. Invariant: a mail of a limited wave goes on with a start or not at all.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use app::AppError;
use app::delivery::Letterbox;
use model::pace::{Limits, Start};

use super::families::{self, Sorted};
use super::systems::domain;
use super::{Parcel, Post};

/// A start that is this much past is not used: late mails of one host and punctual ones of another would be too many.
const LATE: Duration = Duration::from_millis(250);

/// The start of one mail. Where the mail is not tried it goes back to its day with the mail's lease.
pub(super) struct StartGiven {
    at: Instant,
}

impl StartGiven {
    /// Not before this.
    pub(super) fn at(&self) -> Instant {
        self.at
    }

    /// Whether it is too much past to be used.
    pub(super) fn is_late(&self) -> bool {
        self.at.elapsed() > LATE
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
            _ => batch.parcels.push(Parcel { letterbox, places: Vec::new(), start: None }),
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
    let mut again: HashMap<Duration, Vec<String>> = HashMap::new();
    let (letterboxes, systems) = match limits.per_system {
        Some(_) => {
            let Sorted { known, systems, unknown } = post.families.sort(app, letterboxes).await?;
            again.insert(families::ASKED_FOR, unknown);
            (known, systems)
        }
        None => {
            let domains = letterboxes.iter().map(|letterbox| domain(&letterbox.mail.address)).collect();
            (letterboxes, domains)
        }
    };
    let mails: Vec<(&str, &str)> = letterboxes
        .iter()
        .zip(&systems)
        .map(|(letterbox, system)| (letterbox.mail.id.as_str(), system.as_str()))
        .collect();
    let starts = app::waves::give(app, &post.sender, wave, limits, &mails).await?;
    let (instant, real) = (Instant::now(), app.clock.real().micros());
    let until = |at: i64| Duration::from_micros(u64::try_from(at - real).unwrap_or(0));
    for ((letterbox, system), start) in letterboxes.into_iter().zip(&systems).zip(starts) {
        match start {
            Start::At(at) => {
                // The system's first: who waits for a busy one holds up nobody of the wave.
                let of_system = limits.per_system.map(|pace| post.pacer.place(&format!("{wave} {system}"), pace));
                let of_wave = limits.pace.map(|pace| post.pacer.place(wave, pace));
                let start = StartGiven { at: instant + until(at) };
                let places = of_system.into_iter().chain(of_wave).collect();
                batch.parcels.push(Parcel { letterbox, places, start: Some(start) });
            }
            Start::AskAgain(at) => again.entry(until(at)).or_default().push(letterbox.mail.id),
        }
    }
    again.retain(|_, ids| !ids.is_empty());
    for (wait, ids) in again {
        batch.parked += ids.len();
        app::delivery::give_back(app, &post.sender, &ids, wait).await?;
    }
    Ok(())
}
