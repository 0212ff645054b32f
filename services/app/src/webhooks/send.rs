//! Making calls: take some under a lease, call, record.
//!
//! No call is made inside a transaction. Invariant: whatever ends this process, the call is made again under the same id,
//! and what it came to is recorded once; a call that nobody took is a task, and never silent.

use std::time::Duration;

use mail::http::Reply;
use mail::webhooks::{Outgoing, Receiver};
use model::time::Timestamp;
use model::webhooks::{Event, EventData, EventKind, Ladder, Outcome, outcome};
use serde::Serialize;
use store::Tx;
use store::webhooks::{Call, EndedLadder, Lease, NewCall};
use tokio::task::JoinSet;

use super::{Happening, To, kind, preset, queue, record};
use crate::settings::WebhookSettings;
use crate::{App, AppError, SYSTEM, new_id};

/// Calls to one receiver at a time. More: a receiver that is slow gets more at once than it can take.
const AT_A_TIME: i64 = 4;
/// Longer than a call takes, so that a living caller never loses its lease.
const BEYOND_TIMEOUT: Duration = Duration::from_secs(30);
/// Ended ladders that are told of in one go.
const CHUNK: i64 = 200;

/// Webhooks of the configuration that have a call due.
pub async fn due(app: &App) -> Result<Vec<String>, AppError> {
    if app.settings.webhooks.is_empty() {
        return Ok(Vec::new());
    }
    let mut due = store::webhooks::due(&mut app.store.read().await?, app.clock.real().micros()).await?;
    due.retain(|name| app.settings.webhooks.contains_key(name));
    Ok(due)
}

/// Whether ladders have ended whose end somebody is to hear of.
pub async fn is_end_untold(app: &App) -> Result<bool, AppError> {
    if app.settings.webhooks.is_empty() {
        return Ok(false);
    }
    Ok(!store::webhooks::ended(&mut app.store.read().await?, 1).await?.is_empty())
}

/// Calls that somebody makes right now.
pub async fn held(app: &App) -> Result<i64, AppError> {
    Ok(store::webhooks::leased(&mut app.store.read().await?).await?)
}

/// Puts back calls of callers that are gone.
pub async fn reclaim(app: &App) -> Result<(), AppError> {
    if held(app).await? == 0 {
        return Ok(());
    }
    let mut tx = app.store.begin().await?;
    store::webhooks::reclaim(&mut tx, app.clock.real().micros()).await?;
    Ok(tx.commit_ledger().await?)
}

/// Tells of ladders that have ended, whatever ended them; how many.
pub async fn tell_ended(app: &App) -> Result<usize, AppError> {
    if !is_end_untold(app).await? {
        return Ok(0);
    }
    let app = app.acting_as(SYSTEM);
    let mut tx = app.store.begin().await?;
    let ended = store::webhooks::ended(&mut tx, CHUNK).await?;
    for one in &ended {
        store::webhooks::lock_end(&mut tx, &one.id).await?;
        tell_end(&app, &mut tx, one).await?;
        store::webhooks::told_of_end(&mut tx, &one.id, app.clock.now().micros()).await?;
    }
    tx.commit_ledger().await?;
    Ok(ended.len())
}

async fn tell_end(app: &App, tx: &mut Tx, ended: &EndedLadder) -> Result<(), AppError> {
    let Some(ticket) = store::tickets::by_id(tx, &ended.ticket_id).await? else { return Ok(()) };
    let incident = app.incident_by_id(tx, ended.incident_id).await?;
    let (id, policy) = (ended.id.clone(), ended.policy.clone());
    let happening = Happening {
        to: To::Subscribers,
        kind: EventKind::Ended,
        at: Timestamp::from_micros(ended.ended_at),
        cause: &ended.id,
        incident: (incident.id, &incident.slug),
        ticket: &ticket.id,
        tenant: &ticket.tenant_id,
        ladder: Some(Ladder { id, policy, rung: None, acknowledged_by: None }),
        questions: Vec::new(),
    };
    queue(app, tx, &happening).await.map(drop)
}

/// Makes some of the calls of one webhook that are due; how many.
pub async fn carry(app: &App, webhook: &str) -> Result<usize, AppError> {
    let Some(settings) = app.settings.webhooks.get(webhook) else { return Ok(0) };
    let now = app.clock.real();
    let holder = new_id("whl");
    let until = now.plus(settings.timeout() + BEYOND_TIMEOUT).micros();
    let mut tx = app.store.begin().await?;
    let lease = Lease { holder: &holder, now: now.micros(), until };
    let calls = store::webhooks::claim(&mut tx, webhook, lease, AT_A_TIME).await?;
    let gone = store::webhooks::gone_since(&mut tx, webhook).await?.map(Timestamp::from_micros);
    tx.commit_ledger().await?;
    let count = calls.len();
    let mut running = JoinSet::new();
    for call in calls {
        let (app, settings, holder) = (app.acting_as(SYSTEM), settings.clone(), holder.clone());
        running.spawn(async move {
            let tried = match gone {
                Some(since) => Tried::not_made(&app, &call, since),
                None => attempt(&app, &settings, &call).await,
            };
            record::record(&app, &call, &holder, &tried).await
        });
    }
    let mut first = Ok(());
    while let Some(ended) = running.join_next().await {
        // A panic leaves the lease, which runs out.
        if let Ok(Err(error)) = ended {
            first = first.and(Err(error));
        }
    }
    first.map(|()| count)
}

/// What a try came to.
#[derive(Debug, Clone, Serialize)]
pub struct Tried {
    /// The call.
    pub call: String,
    /// Whether it was taken.
    pub taken: bool,
    /// The status; none = no answer.
    pub status: Option<u16>,
    /// The beginning of the answer, or why there is none.
    pub reply: String,
    #[serde(skip)]
    pub(super) came_to: Outcome,
    #[serde(skip)]
    pub(super) began: Timestamp,
}

impl Tried {
    /// The receiver said that nothing is there any more, to another call.
    fn not_made(app: &App, call: &Call, since: Timestamp) -> Self {
        Self {
            call: call.id.clone(),
            taken: false,
            status: None,
            reply: format!("the receiver said at {since} that nothing is there any more"),
            came_to: Outcome::Failed,
            began: app.clock.real(),
        }
    }
}

/// Makes one call. What is missing from the configuration counts as a try: somebody may be mending it.
async fn attempt(app: &App, settings: &WebhookSettings, call: &Call) -> Tried {
    let began = app.clock.real();
    let (status, reply, wait) = match attempted(app, settings, call, began).await {
        Ok(Reply { status, text, wait }) => (Some(status), text, wait),
        Err(why) => (None, why, None),
    };
    let came_to = match outcome(&call.id, status, call.attempts + 1, app.clock.real(), wait) {
        // Of a test somebody wants to know now.
        Outcome::Deferred(_) if call.incident_id.is_none() => Outcome::Failed,
        came_to => came_to,
    };
    Tried { call: call.id.clone(), taken: came_to == Outcome::Accepted, status, reply, came_to, began }
}

async fn attempted(app: &App, settings: &WebhookSettings, call: &Call, at: Timestamp) -> Result<Reply, String> {
    let opened = settings.open().map_err(|error| error.to_string())?;
    let words = preset(&call.preset).map_err(|error| error.to_string())?;
    let receiver = Receiver { url: &opened.url, preset: words, key: &opened.key, secrets: &opened.secrets };
    let kind = kind(&call.event).map_err(|error| error.to_string())?;
    let outgoing = Outgoing { id: &call.id, kind, alert: &call.alert, body: &call.body, at };
    let request = mail::webhooks::call(&receiver, &outgoing)?;
    let reach = settings.reach(app.rehearsal);
    mail::http::call(&reach, &request, settings.timeout()).await.map_err(|fault| fault.to_string())
}

/// Sends a test to a webhook now, and says what it answered. One that is taken brings a webhook back that was gone.
pub async fn test(app: &App, webhook: &str) -> Result<Tried, AppError> {
    let settings = app.settings.webhooks.get(webhook).ok_or_else(|| {
        AppError::missing(
            format!("no webhook `{webhook}`"),
            "the configuration names them: [webhooks.NAME]; `forthright webhook list` shows what they were told",
        )
    })?;
    let (id, holder, real) = (new_id("whm"), new_id("whl"), app.clock.real());
    let none = || AppError::bad(format!("webhook {webhook} has no words for a test"), "please report that");
    let body = mail::webhooks::body(settings.preset, &nothing(app), &id).ok_or_else(none)?;
    let call = NewCall {
        id: id.clone(),
        webhook,
        event: EventKind::Test.as_str(),
        alert: &id,
        cause: &id,
        incident: None,
        ticket: None,
        preset: settings.preset.as_str(),
        body,
        next_at: real.micros(),
        created_at: app.clock.now().micros(),
    };
    let until = real.plus(settings.timeout() + BEYOND_TIMEOUT).micros();
    let mut tx = app.store.begin().await?;
    store::webhooks::insert(&mut tx, &call).await?;
    store::webhooks::take(&mut tx, &id, Lease { holder: &holder, now: real.micros(), until }).await?;
    let row = store::webhooks::by_id(&mut tx, &id).await?.ok_or_else(none)?;
    tx.commit(app.entry("webhook.test", webhook, serde_json::json!({ "call": id }))).await?;
    let tried = attempt(app, settings, &row).await;
    record::record(app, &row, &holder, &tried).await?;
    Ok(tried)
}

/// What a test tells of.
fn nothing(app: &App) -> Event {
    Event {
        kind: EventKind::Test,
        timestamp: app.clock.now(),
        data: EventData {
            incident: String::new(),
            ticket: String::new(),
            tenant: String::new(),
            escalation: None,
            questions: Vec::new(),
            link: None,
            rehearsal: app.rehearsal,
        },
    }
}
