//! Jobs: what a nudge says, and running the step it names.
//!
//! A job carries no facts; the step reads the rows. Invariant: apalis always hears `Ok`. It retries errors at once and
//! keeps delayed retries for ever, so what failed is logged here and the sweep pushes a new nudge when it is due.

use std::sync::Arc;

use app::AppError;
use serde::{Deserialize, Serialize};

use crate::desk::Desk;

/// Received mails that one job files before it looks up.
const MAILS_A_BATCH: i64 = 500;

/// Mails whose senders one step proves at a time.
const SENDERS_A_BATCH: i64 = 20;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Map the hosts of an incident.
    Map,
    /// Send what is due.
    Drain,
    /// Fire what is due of escalations.
    Tick,
    /// File received mail.
    File,
    /// Climb the contact ladder where nobody can be told.
    Reach,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::Drain => "drain",
            Self::Tick => "tick",
            Self::File => "file",
            Self::Reach => "reach",
        }
    }

    /// The step in a sentence, and its name on the [`Desk`].
    pub(crate) fn step(self) -> &'static str {
        match self {
            Self::Map => "mapping",
            Self::Drain => "waking the sender",
            Self::Tick => "escalation",
            Self::File => "filing received mail",
            Self::Reach => "reaching organisations",
        }
    }
}

/// What a job says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Nudge {
    v: u8,
    pub(crate) kind: Kind,
    /// With `map`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) incident: Option<i64>,
}

impl Nudge {
    pub(crate) fn new(kind: Kind, incident: Option<i64>) -> Self {
        Self { v: 1, kind, incident }
    }

    /// The key that makes it one of a kind within a slice of time: whatever became of the job of an earlier slice, a
    /// worker that died with it included, never stands in the way of this one.
    pub(crate) fn key(&self, slice: i64) -> String {
        format!("{}/{}/{slice}", self.kind.as_str(), self.incident.unwrap_or(0))
    }

    /// `None`: written by another version, or by nobody of us.
    fn read(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok().filter(|nudge: &Self| nudge.v == 1)
    }
}

/// How a job ended.
#[derive(Debug)]
enum Ended {
    /// Nothing is left, or somebody else is at it.
    Done,
    /// The sweep pushes it again while it is due.
    TryLater { why: AppError },
    /// It cannot be done in any future; what is due stays visible as due.
    GiveUp { why: &'static str },
}

/// Does what a job says. Never fails: see the top of this file.
pub(crate) async fn take(desk: Arc<Desk>, payload: Vec<u8>) {
    match Nudge::read(&payload) {
        Some(nudge) => nudged(&desk, nudge).await,
        None => tracing::warn!(step = "reading a job", "a job was dropped: its payload is not of this version"),
    }
}

/// Does what a nudge says, from whomever it comes.
pub(crate) async fn nudged(desk: &Arc<Desk>, nudge: Nudge) {
    let step = nudge.kind.step();
    match run(desk, nudge).await {
        Ended::Done => {}
        Ended::TryLater { why } => {
            let hint = why.hint().map(str::to_owned);
            if desk.failed(step, why.to_string(), hint) {
                tracing::warn!(step, error = %why, "a step failed and is tried again");
            }
        }
        Ended::GiveUp { why } => tracing::warn!(step, why, "a job was dropped"),
    }
}

async fn run(desk: &Arc<Desk>, nudge: Nudge) -> Ended {
    let step = nudge.kind.step();
    let Some(_turn) = desk.turn(step, nudge.incident.unwrap_or(0)) else { return Ended::Done };
    let done = match nudge.kind {
        Kind::Map => match nudge.incident {
            Some(incident) => map(desk, incident).await,
            None => return Ended::GiveUp { why: "it names no incident" },
        },
        Kind::Drain => {
            desk.mail_is_due.notify_one();
            Ok(())
        }
        Kind::Tick => tick(desk).await,
        Kind::File => file(desk).await,
        Kind::Reach => reach(desk).await,
    };
    match done {
        Ok(()) => {
            desk.went_well(step);
            Ended::Done
        }
        Err(why) => Ended::TryLater { why },
    }
}

async fn map(desk: &Desk, incident: i64) -> Result<(), AppError> {
    while !desk.stop.is_cancelled() {
        let mapped = app::facts::settle_chunk(&desk.app, incident).await?;
        desk.count(|done| done.mapped_hosts += mapped.done as u64);
        if !mapped.left {
            break;
        }
    }
    Ok(())
}

async fn tick(desk: &Desk) -> Result<(), AppError> {
    let ticked = app::escalation::tick(&desk.app).await?;
    desk.count(|done| done.firings += ticked.fired);
    app::watch::ticked(&desk.app, &desk.host).await
}

async fn file(desk: &Desk) -> Result<(), AppError> {
    while !desk.stop.is_cancelled() {
        let filed = app::inbound::file_pending(&desk.app, MAILS_A_BATCH).await?;
        desk.count(|done| done.filed_mails += filed as u64);
        if filed == 0 {
            break;
        }
    }
    // DNS may be slow: questions are debt before anybody is asked.
    while !desk.stop.is_cancelled() && app::inbound::prove_pending(&desk.app, SENDERS_A_BATCH).await? > 0 {}
    Ok(())
}

/// Look-ups take their time, and nothing is lost where one is cut off: it is asked before anything is written.
async fn reach(desk: &Desk) -> Result<(), AppError> {
    loop {
        let climbed = tokio::select! {
            () = desk.stop.cancelled() => return Ok(()),
            climbed = app::reach::climb_due(&desk.app) => climbed?,
        };
        desk.count(|done| done.reach_rungs += climbed as u64);
        if climbed == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nudge_reads_back_and_is_what_the_documents_say() {
        let nudge = Nudge::new(Kind::Map, Some(1));
        let payload = serde_json::to_vec(&nudge).unwrap();
        assert_eq!(payload, br#"{"v":1,"kind":"map","incident":1}"#);
        assert_eq!(Nudge::read(&payload), Some(nudge));
        assert_eq!(serde_json::to_vec(&Nudge::new(Kind::Tick, None)).unwrap(), br#"{"v":1,"kind":"tick"}"#);
    }

    #[test]
    fn what_another_version_wrote_is_no_nudge_and_no_error() {
        for payload in [&b""[..], b"\xff\x00", b"[1,2]", b"{}", br#"{"v":2,"kind":"map"}"#, br#"{"v":1,"kind":"fly"}"#]
        {
            assert_eq!(Nudge::read(payload), None, "{payload:?}");
        }
    }

    #[test]
    fn the_key_of_another_slice_of_time_is_another_key() {
        let nudge = Nudge::new(Kind::Map, Some(7));
        assert_eq!(nudge.key(3), "map/7/3");
        assert_ne!(nudge.key(3), nudge.key(4));
    }
}
