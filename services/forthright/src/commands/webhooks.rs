//! `webhook`: how calls and their tries are shown.
//!
//! Holds no rule and prints no secret.

use anyhow::Result;
use model::time::Timestamp;

use super::{DONE, FAILED, open, say};
use crate::cli::{Everywhere, WebhookVerb};
use crate::output;

pub(super) async fn webhook(e: &Everywhere, verb: WebhookVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        WebhookVerb::List => list(e, app::webhooks::list(&app).await?)?,
        WebhookVerb::Show { call } => output::document(e, &app::webhooks::show(&app, &call).await?)?,
        WebhookVerb::Test { name } => {
            let tried = app::webhooks::test(&app, &name).await?;
            output::document(e, &tried)?;
            if !tried.taken {
                say(
                    e,
                    format!(
                        "error: webhook {name} did not take the test\nhint: `forthright webhook show {}` has all of it",
                        tried.call
                    ),
                );
                return Ok(FAILED);
            }
        }
        WebhookVerb::Retry { call } => {
            app::webhooks::retry(&app, &call).await?;
            say(e, format!("{call} is due: `serve`, `worker` or `work --until-idle` makes it"));
        }
    }
    Ok(DONE)
}

fn list(e: &Everywhere, calls: Vec<app::webhooks::CallLine>) -> Result<()> {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let rows = calls.into_iter().map(|line| {
        vec![
            line.call,
            line.webhook,
            line.event,
            line.ticket,
            line.state,
            line.attempts.to_string(),
            time(line.next_at),
            line.created_at.to_string(),
            time(line.settled_at),
            line.last_reply,
        ]
    });
    let header = [
        "call",
        "webhook",
        "event",
        "ticket",
        "state",
        "attempts",
        "next_at",
        "created_at",
        "settled_at",
        "last_reply",
    ];
    output::list(e, &header, rows.collect())
}
