//! What webhooks were told, how they are, and telling them again.
//!
//! Calls nobody. Invariant: nothing that is shown holds a secret.

use std::time::Duration;

use model::time::Timestamp;
use serde::Serialize;
use store::webhooks::Call;

use crate::{App, AppError};

/// Calls that are read at a time.
const PAGE: i64 = 1_000;
/// Calls that were given up are a finding for so long.
const LATELY: Duration = Duration::from_secs(7 * 24 * 3600);

/// A call, for whoever looks.
#[derive(Debug, Clone, Serialize)]
pub struct CallLine {
    /// `whm_…`.
    pub call: String,
    /// The webhook's name.
    pub webhook: String,
    /// What it tells of.
    pub event: String,
    /// About which ticket; empty = a test.
    pub ticket: String,
    /// `queued`, `leased`, `accepted`, `deferred`, `failed`.
    pub state: String,
    /// Tries that ended.
    pub attempts: i64,
    /// When it is made next; none = it is over.
    pub next_at: Option<Timestamp>,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it was over.
    pub settled_at: Option<Timestamp>,
    /// What was answered last.
    pub last_reply: String,
}

/// A try.
#[derive(Debug, Clone, Serialize)]
pub struct Try {
    /// From 1.
    pub attempt: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// None = no answer.
    pub status: Option<i64>,
    /// The beginning of the answer, or why there is none.
    pub reply: String,
}

/// A call with its tries.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// The call.
    #[serde(flatten)]
    pub line: CallLine,
    /// What is sent, without what is secret.
    pub body: serde_json::Value,
    /// Every try.
    pub tries: Vec<Try>,
}

/// How a webhook is.
#[derive(Debug, Clone, Serialize)]
pub struct Standing {
    /// Its name.
    pub webhook: String,
    /// What is wrong; empty = nothing.
    pub fault: String,
    /// The next step.
    pub next: String,
}

/// All calls, the oldest first.
pub async fn list(app: &App) -> Result<Vec<CallLine>, AppError> {
    let mut conn = app.store.read().await?;
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = store::webhooks::list(&mut conn, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.id.clone();
        all.extend(page.into_iter().map(line));
    }
}

/// One call with its tries.
pub async fn show(app: &App, id: &str) -> Result<Shown, AppError> {
    let mut conn = app.store.read().await?;
    let call = store::webhooks::by_id(&mut conn, id).await?.ok_or_else(|| missing(id))?;
    let tries = store::webhooks::attempts(&mut conn, id).await?.into_iter().map(|one| Try {
        attempt: one.attempt,
        started_at: Timestamp::from_micros(one.started_at),
        ended_at: Timestamp::from_micros(one.ended_at),
        status: one.status,
        reply: one.reply,
    });
    let body = serde_json::from_str(&call.body).map_err(AppError::stored("webhook_calls.body"))?;
    Ok(Shown { tries: tries.collect(), body, line: line(call) })
}

/// Makes a call due now that was not taken.
pub async fn retry(app: &App, id: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let call = store::webhooks::by_id(&mut tx, id).await?.ok_or_else(|| missing(id))?;
    let name = &call.webhook;
    if !app.settings.webhooks.contains_key(name) {
        return Err(AppError::refused(
            format!("the configuration has no webhook `{name}`"),
            "write [webhooks.NAME] into it again, or leave the call as it is",
        ));
    }
    if store::webhooks::gone_since(&mut tx, name).await?.is_some() {
        return Err(AppError::refused(
            format!("the receiver of webhook {name} said that nothing is there any more"),
            format!("mend it, then run `forthright webhook test {name}`: one that is taken brings it back"),
        ));
    }
    if !store::webhooks::retry(&mut tx, id, app.clock.real().micros()).await? {
        return Err(AppError::refused(
            format!("call {id} is {}", call.state),
            "only a call that is deferred or failed is made again",
        ));
    }
    Ok(tx.commit(app.entry("webhook.retry", name, serde_json::json!({ "call": id }))).await?)
}

/// Every webhook of the configuration, and those that calls wait for although the configuration has them no more.
pub async fn standing(app: &App) -> Result<Vec<Standing>, AppError> {
    let mut conn = app.store.read().await?;
    let found = store::webhooks::standing(&mut conn, app.clock.now().minus(LATELY).micros()).await?;
    let mut all = Vec::new();
    for (name, settings) in &app.settings.webhooks {
        let waiting = found.iter().find(|one| one.webhook == *name);
        let (fault, next) = if let Err(error) = settings.open() {
            (error.to_string(), error.hint().unwrap_or_default().to_owned())
        } else if store::webhooks::gone_since(&mut conn, name).await?.is_some() {
            let fault = "its receiver said that nothing is there any more (410): it is told nothing".to_owned();
            (fault, format!("mend it, then run `forthright webhook test {name}`"))
        } else if let Some(one) = waiting {
            let fault =
                format!("{} calls were not taken yet and {} were given up: {}", one.deferred, one.failed, one.said);
            (fault, format!("run `forthright webhook test {name}`; `forthright webhook list` shows them"))
        } else {
            (String::new(), String::new())
        };
        all.push(Standing { webhook: name.clone(), fault, next });
    }
    let waiting = store::webhooks::due(&mut conn, i64::MAX).await?;
    for name in waiting.into_iter().filter(|name| !app.settings.webhooks.contains_key(name)) {
        let fault = "calls wait for it, and this configuration does not have it".to_owned();
        let next = format!("write [webhooks.{name}] into the configuration of every host that runs workers");
        all.push(Standing { webhook: name, fault, next });
    }
    Ok(all)
}

fn missing(id: &str) -> AppError {
    AppError::missing(format!("no call `{id}`"), "`forthright webhook list` shows them")
}

fn line(call: Call) -> CallLine {
    let is_over = call.settled_at.is_some();
    CallLine {
        call: call.id,
        webhook: call.webhook,
        event: call.event,
        ticket: call.ticket_id.unwrap_or_default(),
        state: call.state,
        attempts: call.attempts,
        next_at: (!is_over).then(|| Timestamp::from_micros(call.next_at)),
        created_at: Timestamp::from_micros(call.created_at),
        settled_at: call.settled_at.map(Timestamp::from_micros),
        last_reply: call.last_reply,
    }
}
