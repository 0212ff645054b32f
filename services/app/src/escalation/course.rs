//! A ladder as stored becomes one that the arithmetic knows.
//!
//! Computes nothing of its own: `model::escalation` does.

use model::escalation::{Deed, Due, Event, Key, Ladder, Policy, Target};
use model::time::Timestamp;
use store::Conn;
use store::escalation::{Escalation, Firing, events};

use crate::{App, AppError};

/// Where a ladder stands.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) policy: Policy,
    pub(super) start: Timestamp,
    pub(super) events: Vec<Event>,
    /// What fired, and what the ladder before it had fired.
    pub(super) fired: Vec<Key>,
}

impl Course {
    pub(super) fn of(ladder: &Escalation, firings: &[Firing], deeds: &[events::Event]) -> Result<Self, AppError> {
        let mut fired: Vec<Key> =
            serde_json::from_str(&ladder.carried).map_err(AppError::stored("escalations.carried"))?;
        fired.extend(firings.iter().filter_map(key));
        let policy = serde_json::from_str(&ladder.snapshot).map_err(AppError::stored("escalations.snapshot"))?;
        let events = deeds.iter().map(event).collect();
        Ok(Self { policy, start: Timestamp::from_micros(ladder.measured_from), events, fired })
    }

    /// With everything that the store has of it.
    pub(super) async fn read(conn: &mut Conn, ladder: &Escalation) -> Result<Self, AppError> {
        let firings = store::escalation::firings_of(conn, &ladder.id).await?;
        let deeds = events::among(conn, std::slice::from_ref(&ladder.id)).await?;
        Self::of(ladder, &firings, &deeds)
    }

    pub(super) fn ladder<'a>(&'a self, app: &'a App) -> Ladder<'a> {
        Ladder { policy: &self.policy, start: self.start, events: &self.events, business: app.business() }
    }

    /// What is due, and when the next rung is.
    pub(super) fn due(&self, app: &App, now: Timestamp) -> (Vec<Due>, Option<Timestamp>) {
        self.ladder(app).due(now, &self.fired)
    }

    /// What has not fired.
    pub(super) fn open(&self, app: &App) -> Vec<Due> {
        let mut all = self.ladder(app).schedule();
        all.retain(|due| !self.fired.contains(&due.key()));
        all
    }
}

fn key(firing: &Firing) -> Option<Key> {
    Target::parse(&firing.target).map(|target| (firing.rung, firing.repeat, target))
}

/// A constraint of the store knows these three kinds alone.
pub(super) fn event(deed: &events::Event) -> Event {
    let what = match deed.kind.as_str() {
        "jump" => Deed::Jump { rung: deed.rung },
        "restart" => Deed::Restart,
        _ => Deed::Acknowledge { rung: deed.rung, repeat: deed.repeat, by: model::actor::folded(&deed.actor) },
    };
    Event { at: Timestamp::from_micros(deed.at), what }
}
