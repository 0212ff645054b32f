//! `escalation`: ladders, what people do to them, and the policies behind.

use anyhow::{Context, Result};
use app::escalation::{Acknowledged, Line, Outlook, PolicyFile};
use model::time::Timestamp;
use serde::Serialize;

use super::{DONE, open, say};
use crate::cli::{EscalationVerb, Everywhere, PolicyVerb};
use crate::output;

/// Findings that a person should look at before the incident: as if policy had refused.
const REFUSED: u8 = 4;

pub(super) async fn run(e: &Everywhere, verb: EscalationVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        EscalationVerb::List { slug } => lines(e, app::escalation::list(&app, &slug).await?)?,
        EscalationVerb::Preview { slug, until } => lines(e, app::escalation::preview(&app, &slug, until).await?)?,
        EscalationVerb::Acknowledge { escalation } => {
            let done = app::escalation::acknowledge(&app, &escalation).await?;
            say(e, format!("{escalation} is acknowledged{}", held(&done)));
        }
        EscalationVerb::Jump { escalation, rung, why } => {
            app::escalation::jump(&app, &escalation, rung, &why).await?;
            say(e, format!("{escalation} is climbed from rung {rung} on, by the workers, now"));
        }
        EscalationVerb::Tick => tick(e, &app).await?,
        EscalationVerb::Check { slug } => return check(e, &app, &slug).await,
        EscalationVerb::Test { slug, target } => {
            let rows = app::escalation::test(&app, &slug, target.as_ref()).await?.into_iter();
            let rows = rows.map(|one| vec![one.test, one.target, one.mails.to_string(), one.result]).collect();
            output::list(e, &["test", "target", "mails", "result"], rows)?;
        }
        EscalationVerb::Policy(verb) => policy(e, &app, verb).await?,
    }
    Ok(DONE)
}

fn held(done: &Acknowledged) -> String {
    let next = done.next_at.map(|at| format!("; the next rung fires at {at}, if it is not settled before"));
    let held = match (done.held_until, done.wanted) {
        (Some(until), _) => format!(": it is held until {until}"),
        (None, 0) => String::new(),
        (None, wanted) => format!(": it climbs on until {wanted} more have acknowledged"),
    };
    format!("{held}{}", next.unwrap_or_default())
}

async fn tick(e: &Everywhere, app: &app::App) -> Result<()> {
    let begun = std::time::Instant::now();
    let ticked = app::escalation::tick(app).await?;
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    output::document(e, &Tick { ticked, milliseconds })
}

/// What a tick did, and how long it took.
#[derive(Serialize)]
struct Tick {
    #[serde(flatten)]
    ticked: app::escalation::Ticked,
    milliseconds: u64,
}

async fn check(e: &Everywhere, app: &app::App, slug: &str) -> Result<u8> {
    let found = app::escalation::check(app, slug).await?;
    let bad = found.iter().any(|one| one.result == Outlook::Bad);
    if e.json {
        output::json(&found)?;
    } else {
        let rows = found.into_iter().map(|one| {
            let result = match one.result {
                Outlook::Good => "good",
                Outlook::Task => "task",
                Outlook::Bad => "bad",
            };
            let (rung, tested) = (one.rung.to_string(), time(one.tested_at));
            let tested = if tested.is_empty() { "never".to_owned() } else { tested };
            vec![one.policy, rung, one.target, result.to_owned(), one.what, one.next, tested, time(one.acknowledged_at)]
        });
        let header = ["policy", "rung", "target", "result", "what", "next", "tested_at", "acknowledged_at"];
        output::list(e, &header, rows.collect())?;
    }
    Ok(if bad { REFUSED } else { DONE })
}

async fn policy(e: &Everywhere, app: &app::App, verb: PolicyVerb) -> Result<()> {
    match verb {
        PolicyVerb::Show { slug, number } => output::document(e, &app::escalation::show(app, &slug, number).await?),
        PolicyVerb::Set { slug, file, running, why } => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let read: PolicyFile =
                toml::from_str(&text).with_context(|| format!("{} is no file of policies", file.display()))?;
            output::document(e, &app::escalation::set(app, &slug, read, running.map(Into::into), &why).await?)
        }
        PolicyVerb::History { slug } => {
            let all = app::escalation::history(app, &slug).await?;
            if e.json {
                return output::json(&all);
            }
            let rows = all.into_iter().map(|one| {
                let changed: Vec<&str> = one.changed.iter().map(|name| name.as_str()).collect();
                let (version, at) = (one.version.to_string(), one.set_at.to_string());
                vec![version, at, one.set_by, one.running, changed.join(" "), one.why]
            });
            output::list(e, &["version", "set_at", "set_by", "running", "changed", "why"], rows.collect())
        }
    }
}

fn time(time: Option<Timestamp>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn lines(e: &Everywhere, lines: Vec<Line>) -> Result<()> {
    let rows = lines.into_iter().map(|line| {
        vec![
            line.escalation,
            line.policy,
            line.ticket,
            line.rung.to_string(),
            line.due_at.to_string(),
            time(line.fired_at),
            line.target,
            time(line.acknowledged_at),
        ]
    });
    let header = ["escalation", "policy", "ticket", "rung", "due_at", "fired_at", "target", "acknowledged_at"];
    output::list(e, &header, rows.collect())
}
