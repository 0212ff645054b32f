//! Webhooks: what other programs are told as it happens, by calls that are rows first.
//!
//! Speaks no HTTP itself (`mail::http` does). Invariant: a call is queued in the transaction of what it tells of, once for
//! each webhook; it holds ids, names of policies and times, and no fact of an organisation.

mod look;
mod record;
mod send;

use model::time::Timestamp;
use model::webhooks::{Event, EventData, EventKind, Ladder, Preset};
use store::Tx;
use store::webhooks::NewCall;

pub use look::{CallLine, Shown, Standing, Try, list, retry, show, standing};
pub use send::{Tried, carry, due, held, is_end_untold, reclaim, tell_ended, test};

use crate::settings::WebhookSettings;
use crate::{App, AppError, new_id};

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To<'a> {
    /// Every webhook that asked for events of this kind.
    Subscribers,
    /// The webhook that a policy names.
    Named(&'a str),
}

/// What happened, before it is put into each receiver's words.
#[derive(Debug)]
pub struct Happening<'a> {
    /// Who is told.
    pub to: To<'a>,
    /// What.
    pub kind: EventKind,
    /// When.
    pub at: Timestamp,
    /// The row that it is: the firing, the question. The same is told once.
    pub cause: &'a str,
    /// The incident's number and slug.
    pub incident: (i64, &'a str),
    /// The ticket; empty: it is about none.
    pub ticket: &'a str,
    /// The organisation's id; empty: it is about none.
    pub tenant: &'a str,
    /// The ladder, where it is about one.
    pub ladder: Option<Ladder>,
    /// Questions that were asked.
    pub questions: Vec<String>,
}

impl Happening<'_> {
    /// What an on-call tool knows the alert by: a ladder that took the place of another goes on under its name.
    async fn alert(&self, tx: &mut Tx) -> Result<String, AppError> {
        let Some(ladder) = &self.ladder else { return Ok(self.ticket.to_owned()) };
        let known = store::webhooks::alert_of(tx, &ladder.id).await?;
        Ok(known.unwrap_or_else(|| ladder.id.clone()))
    }

    fn event(&self, app: &App, webhook: &WebhookSettings) -> Event {
        Event {
            kind: self.kind,
            timestamp: self.at,
            data: EventData {
                incident: self.incident.1.to_owned(),
                ticket: self.ticket.to_owned(),
                tenant: self.tenant.to_owned(),
                escalation: self.ladder.clone(),
                questions: self.questions.clone(),
                link: webhook.link(self.ticket),
                rehearsal: app.rehearsal,
            },
        }
    }
}

/// Queues a call for each receiver, in the caller's transaction; how many are new. Nothing leaves.
pub async fn queue(app: &App, tx: &mut Tx, happening: &Happening<'_>) -> Result<u64, AppError> {
    if app.settings.webhooks.is_empty() {
        return Ok(0);
    }
    let mut new = 0;
    let alert = happening.alert(tx).await?;
    for (name, webhook) in receivers(app, tx, happening).await? {
        let Some(body) = mail::webhooks::body(webhook.preset, &happening.event(app, webhook), &alert) else {
            continue;
        };
        let call = NewCall {
            id: new_id("whm"),
            webhook: name,
            event: happening.kind.as_str(),
            alert: &alert,
            cause: happening.cause,
            incident: Some(happening.incident.0),
            ticket: Some(happening.ticket).filter(|ticket| !ticket.is_empty()),
            preset: webhook.preset.as_str(),
            body,
            next_at: app.clock.real().micros(),
            created_at: app.clock.now().micros(),
        };
        if store::webhooks::insert(tx, &call).await? {
            store::webhooks::hurry(tx, name, call.alert, call.next_at).await?;
            new += 1;
        }
        // A ladder without a ticket is no row, and nobody hears of its end.
        if let (EventKind::Fired, Some(ladder), false) =
            (happening.kind, &happening.ladder, happening.ticket.is_empty())
        {
            store::webhooks::knows(tx, name, &ladder.id, &alert).await?;
        }
    }
    Ok(new)
}

/// Of acknowledgements and ends hears, whatever it asked for, a tool that keeps the alert open; of ends nobody who did not
/// hear of the ladder.
async fn receivers<'a>(
    app: &'a App,
    tx: &mut Tx,
    happening: &Happening<'_>,
) -> Result<Vec<(&'a str, &'a WebhookSettings)>, AppError> {
    let knowing = match (happening.kind, &happening.ladder) {
        (EventKind::Acknowledged | EventKind::Ended, Some(ladder)) => store::webhooks::knowing(tx, &ladder.id).await?,
        _ => Vec::new(),
    };
    let is_told = |name: &str, webhook: &WebhookSettings| {
        let knows = knowing.iter().any(|one| one == name);
        let wants = webhook.wants(happening.kind);
        match (happening.to, happening.kind) {
            (To::Named(named), _) => named == name,
            (To::Subscribers, EventKind::Ended) => knows && (wants || webhook.preset.keeps_alerts()),
            (To::Subscribers, EventKind::Acknowledged) => wants || (knows && webhook.preset.keeps_alerts()),
            (To::Subscribers, EventKind::Fired | EventKind::Question | EventKind::Test) => wants,
        }
    };
    let all = app.settings.webhooks.iter().map(|(name, webhook)| (name.as_str(), webhook));
    Ok(all.filter(|(name, webhook)| is_told(name, webhook)).collect())
}

fn preset(stored: &str) -> Result<Preset, AppError> {
    Preset::parse(stored).ok_or_else(|| unknown("webhook_calls.preset", stored))
}

fn kind(stored: &str) -> Result<EventKind, AppError> {
    EventKind::parse(stored).ok_or_else(|| unknown("webhook_calls.event", stored))
}

fn unknown(column: &str, value: &str) -> AppError {
    store::StoreError::Unknown { what: format!("{column} {value}") }.into()
}
