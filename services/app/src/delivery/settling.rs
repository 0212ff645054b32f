//! Mails of which nobody knows whether they arrived, and how a person or the log of a relay settles them.
//!
//! Reports and replies settle in `inbound`. Invariants: what is settled is uncertain at that moment; who said so and why
//! stays in the record; and a log that does not mention a mail settles nothing.

use std::io::BufRead;

use mail::relay_log::{self, RelayLog, Unreadable};
use model::delivery::State;
use model::time::Timestamp;
use serde::Serialize;
use store::settlements::Settlement;

use crate::{App, AppError};

/// A mail that is uncertain.
#[derive(Debug, Clone, Serialize)]
pub struct Uncertain {
    /// `dlv_…` or `out_…`.
    pub delivery: String,
    /// Whose.
    pub tenant_id: Option<String>,
    /// To whom.
    pub contact: String,
    /// When its last try ended.
    pub since: Option<Timestamp>,
    /// By which way out it was tried, or empty.
    pub route: String,
    /// Without angle brackets.
    pub message_id: String,
    /// Tries so far.
    pub attempts: i64,
    /// When it goes again by itself (real time); none = it is held.
    pub again_at: Option<Timestamp>,
    /// What the other side said last, or what failed.
    pub last_reply: String,
}

/// What a person says of an uncertain mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// The other side has it.
    Accepted,
    /// The other side has not, and it goes again.
    NotAccepted,
}

/// What a relay's log says of an uncertain mail.
#[derive(Debug, Clone, Serialize)]
pub struct Proved {
    /// The mail.
    pub delivery: String,
    /// To whom.
    pub contact: String,
    /// Without angle brackets.
    pub message_id: String,
    /// `accepted`, `bounced`, `unclear`, `not-mentioned`; only the first two settle it.
    pub result: &'static str,
    /// The words of the log, or why nothing follows from them.
    pub because: String,
}

/// The uncertain mails of an incident.
pub async fn uncertain(app: &App, slug: &str) -> Result<Vec<Uncertain>, AppError> {
    let incident = app.incident(slug).await?;
    let rows = store::settlements::uncertain(&mut app.store.read().await?, Some(incident.id)).await?.into_iter();
    Ok(rows
        .map(|row| Uncertain {
            delivery: row.id,
            tenant_id: row.tenant_id,
            contact: row.address,
            since: row.ended_at.map(Timestamp::from_micros),
            route: row.route,
            message_id: row.message_id,
            attempts: row.attempts,
            again_at: (row.next_at != i64::MAX).then(|| Timestamp::from_micros(row.next_at)),
            last_reply: row.last_reply,
        })
        .collect())
}

/// How many mails of each incident are held until somebody settles them.
pub async fn held(app: &App) -> Result<Vec<(String, i64)>, AppError> {
    Ok(store::settlements::held(&mut app.store.read().await?).await?)
}

/// A person settles a mail.
pub async fn settle(app: &App, id: &str, said: Said, why: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let Some((state, attempt, slug)) = store::settlements::state(&mut tx, id).await? else {
        return Err(AppError::missing(format!("no delivery {id}"), "run `forthright delivery uncertain SLUG`"));
    };
    let settlement = match said {
        Said::Accepted => settlement(app, (id, attempt), ("accepted", State::Accepted), why),
        Said::NotAccepted => settlement(app, (id, attempt), ("not_accepted", State::Deferred), why),
    };
    let reply = format!("settled by {}: {}: {why}", app.actor, settlement.said.replace('_', " "));
    if !store::settlements::settle(&mut tx, &Settlement { reply: &reply, ..settlement.clone() }).await? {
        return Err(AppError::refused(
            format!("delivery {id} is {state}, not uncertain: there is nothing to settle"),
            format!("run `forthright delivery list {slug}`; what is being sent again is settled by that"),
        ));
    }
    let detail = serde_json::json!({ "incident": slug, "said": settlement.said, "attempt": attempt, "why": why });
    store::crash_point!("settle.before");
    tx.commit(app.entry("delivery.settle", id, detail)).await?;
    store::crash_point!("settle.after");
    Ok(())
}

fn settlement<'a>(app: &'a App, row: (&'a str, i64), means: (&'a str, State), why: &'a str) -> Settlement<'a> {
    let now = app.clock.now().micros();
    Settlement {
        id: row.0,
        attempt: row.1,
        said: means.0,
        state: means.1.as_str(),
        settled_at: (means.1 != State::Deferred).then_some(now),
        next_at: app.clock.real().micros(),
        by: &app.actor,
        why,
        reply: why,
        now,
    }
}

/// Whether what a log proves is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It is.
    Kept,
    /// It is only shown.
    Shown,
}

/// What to do about a file that is no log.
fn next_step(fault: &Unreadable) -> &'static str {
    match fault {
        Unreadable::Packed(_) => "unpack it first, for example `gzip -dc FILE | forthright delivery relay-log -`",
        Unreadable::Empty => "give the log of the day on which the mail left: it may have been rotated away",
        Unreadable::Io(_) | Unreadable::Foreign => {
            "give the relay's own log of mail, such as /var/log/mail.log, or `journalctl -u postfix -o json`"
        }
    }
}

/// Settles what a relay's log proves, over all incidents; what it says of each uncertain mail.
pub async fn by_relay_log(
    app: &App,
    log: Box<dyn BufRead + Send>,
    name: &str,
    proof: Proof,
) -> Result<Vec<Proved>, AppError> {
    let rows = store::settlements::uncertain(&mut app.store.read().await?, None).await?;
    let mut read = RelayLog::about(rows.iter().map(|row| (row.message_id.as_str(), row.address.as_str())));
    let read = tokio::task::spawn_blocking(move || read.read(log).map(|()| read)).await;
    let read = match read {
        Ok(read) => read.map_err(|fault| AppError::bad(format!("cannot read {name}: {fault}"), next_step(&fault)))?,
        Err(error) => {
            return Err(AppError::bad(format!("cannot read {name}: {error}"), next_step(&Unreadable::Foreign)));
        }
    };
    let mut tx = app.store.begin().await?;
    let (mut proved, mut kept) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in &rows {
        let said = read.said(&row.message_id);
        let (result, because) = match said {
            None => ("not-mentioned", "the log does not mention it, which says nothing".to_owned()),
            Some(relay_log::Said::Unclear(line)) => ("unclear", format!("no end of it is certain: {line}")),
            Some(_) if row.taken > 0 => {
                ("unclear", "it was accepted before and came back: the log may speak of that".to_owned())
            }
            Some(relay_log::Said::Accepted(line)) => ("accepted", line),
            Some(relay_log::Said::Bounced(line)) => ("bounced", line),
        };
        let state = match result {
            "accepted" => Some(State::Accepted),
            "bounced" => Some(State::Bounced),
            _ => None,
        };
        if let (Some(state), Proof::Kept) = (state, proof) {
            let settlement = settlement(app, (&row.id, row.attempts), (result, state), &because);
            let reply = format!("log of the relay: {because}");
            if store::settlements::settle(&mut tx, &Settlement { reply: &reply, ..settlement.clone() }).await? {
                kept.push(serde_json::json!({ "delivery": row.id, "said": result, "attempt": row.attempts }));
            }
        }
        let (delivery, contact, message_id) = (row.id.clone(), row.address.clone(), row.message_id.clone());
        proved.push(Proved { delivery, contact, message_id, result, because });
    }
    if !kept.is_empty() {
        let detail = serde_json::json!({ "log": name, "settled": kept });
        tx.commit(app.entry("delivery.relay-log", name, detail)).await?;
    }
    Ok(proved)
}
