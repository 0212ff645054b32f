//! `duty` and `contract`, and the time line of an incident.
//!
//! Judges nothing. Invariant: what this is not is said each time, in the document or on standard error.

use anyhow::Result;
use app::duties::{ClockLine, NewContract, Which, Word};
use app::incidents::Record;
use model::duties::Act;
use model::time::Timestamp;

use super::{DONE, open, say};
use crate::cli::{Answer, ContractVerb, DutyVerb, Everywhere};
use crate::output;

pub(super) async fn duty(e: &Everywhere, verb: DutyVerb) -> Result<u8> {
    match verb {
        DutyVerb::List { slug, all } => {
            return list(e, &slug, if all { Which::All } else { Which::Likely }).await;
        }
        DutyVerb::History { slug } => return history(e, &slug).await,
        DutyVerb::Approve { slug, id } => {
            app::duties::approve(&open(e).await?, &slug, &id).await?;
            say(e, format!("approved: {id}"));
        }
        DutyVerb::Applies { slug, duty, answer, why } => {
            let act = match answer {
                Answer::Yes => Act::Applies,
                Answer::No => Act::AppliesNot,
            };
            said(e, &slug, &duty, Word { act, at: None, reference: None, why: &why, record: Record::First }).await?;
        }
        DutyVerb::Done { slug, duty, at, why, reference, correct } => {
            let reference = reference.as_deref();
            let record = if correct { Record::Correction } else { Record::First };
            said(e, &slug, &duty, Word { act: Act::Done, at: Some(at), reference, why: &why, record }).await?;
        }
        DutyVerb::NotNotify { slug, duty, why } => {
            let act = Act::NotNotify;
            said(e, &slug, &duty, Word { act, at: None, reference: None, why: &why, record: Record::First }).await?;
        }
        DutyVerb::Pause { slug, duty, until, why } => {
            let (act, at) = (Act::Pause, Some(until));
            said(e, &slug, &duty, Word { act, at, reference: None, why: &why, record: Record::First }).await?;
        }
        DutyVerb::Resume { slug, duty, why } => {
            let act = Act::Resume;
            said(e, &slug, &duty, Word { act, at: None, reference: None, why: &why, record: Record::First }).await?;
        }
    }
    Ok(DONE)
}

async fn said(e: &Everywhere, slug: &str, duty: &str, word: Word<'_>) -> Result<()> {
    let kept = app::duties::say(&open(e).await?, slug, duty, &word).await?;
    output::document(e, &kept)?;
    if kept.waits_for_approval {
        say(e, format!("counts once somebody else runs `forthright duty approve {slug} {} --actor NAME`", kept.id));
    }
    Ok(())
}

async fn list(e: &Everywhere, slug: &str, which: Which) -> Result<u8> {
    let duties = app::duties::list(&open(e).await?, slug, which).await?;
    if e.json {
        output::json(&duties)?;
        return Ok(DONE);
    }
    let header = [
        "duty",
        "trigger",
        "due",
        "left",
        "source",
        "confidence",
        "state",
        "applies",
        "tenant_id",
        "jurisdiction",
        "law",
        "to",
        "started_at",
        "met_at",
        "term",
        "note",
    ];
    if e.csv {
        output::csv(&header, duties.clocks.iter().map(line))?;
    } else {
        let people = ["duty", "trigger", "due", "left", "confidence", "state", "applies", "note"];
        let rows: Vec<Vec<String>> = duties.clocks.iter().map(short).collect();
        output::table(&people, &rows)?;
    }
    if duties.not_listed > 0 {
        say(e, format!("{} more are not of the countries of affected organisations: --all", duties.not_listed));
    }
    say(e, duties.disclaimer);
    Ok(DONE)
}

fn line(clock: &ClockLine) -> Vec<String> {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    vec![
        clock.duty.clone(),
        clock.trigger.clone(),
        time(clock.due),
        clock.left.clone(),
        clock.source.clone(),
        clock.confidence.clone(),
        clock.state.as_str().to_owned(),
        clock.applies.to_owned(),
        clock.tenant_id.clone().unwrap_or_default(),
        clock.jurisdiction.clone(),
        clock.law.clone(),
        clock.to.clone(),
        time(clock.started_at),
        time(clock.met_at),
        clock.term.clone(),
        clock.note.clone(),
    ]
}

fn short(clock: &ClockLine) -> Vec<String> {
    let due = clock.due.map(|at| at.to_string()).unwrap_or_default();
    let (trigger, confidence) = (clock.trigger.clone(), clock.confidence.clone());
    let state = clock.state.as_str().to_owned();
    let cells = [clock.duty.clone(), trigger, due, clock.left.clone(), confidence, state];
    cells.into_iter().chain([clock.applies.to_owned(), clock.note.clone()]).collect()
}

async fn history(e: &Everywhere, slug: &str) -> Result<u8> {
    let rows = app::duties::history(&open(e).await?, slug).await?.into_iter().map(|row| {
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let (at, approved_at) = (time(row.at), time(row.approved_at));
        let recorded = row.recorded_at.to_string();
        vec![row.id, row.duty, row.act, at, row.reference, row.why, row.actor, recorded, row.approved_by, approved_at]
    });
    let header = ["id", "duty", "act", "at", "reference", "why", "actor", "recorded_at", "approved_by", "approved_at"];
    output::list(e, &header, rows.collect())?;
    Ok(DONE)
}

pub(super) async fn contract(e: &Everywhere, verb: ContractVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        ContractVerb::Add { tenant, hours, trigger, source, why } => {
            let new = NewContract { tenant: &tenant, hours, trigger, source: &source, why: &why };
            let contract = app::duties::add_contract(&app, &new).await?;
            output::document(e, &serde_json::json!({ "contract": contract }))?;
        }
        ContractVerb::List => {
            let rows = app::duties::contracts(&app).await?.into_iter().map(|row| {
                let (hours, added_at) = (row.hours.to_string(), row.added_at.to_string());
                let state = row.state.to_owned();
                vec![
                    row.contract,
                    row.tenant_id,
                    hours,
                    row.trigger,
                    row.source,
                    state,
                    row.added_by,
                    added_at,
                    row.why,
                ]
            });
            let header =
                ["contract", "tenant_id", "hours", "trigger", "source", "state", "added_by", "added_at", "why"];
            output::list(e, &header, rows.collect())?;
        }
        ContractVerb::End { contract, why } => {
            app::duties::end_contract(&app, &contract, &why).await?;
            say(e, format!("ended: {contract}"));
        }
    }
    Ok(DONE)
}

/// Plain lines for printing.
pub(super) async fn timeline(e: &Everywhere, slug: &str) -> Result<u8> {
    let timeline = app::duties::timeline(&open(e).await?, slug).await?;
    if e.json {
        output::json(&timeline)?;
    } else if e.csv {
        let row = |entry: &app::duties::Happened| vec![entry.at.to_string(), entry.kind.to_owned(), entry.what.clone()];
        output::csv(&["at", "kind", "what"], timeline.entries.iter().map(row))?;
        say(e, timeline.disclaimer);
    } else {
        let mut text = format!("Time line of {}, as of {}, times in UTC\n\n", timeline.incident, timeline.at);
        for entry in &timeline.entries {
            let what = model::printed::on_one_line(&entry.what);
            text.push_str(&format!("{:<27} {:<6} {what}\n", entry.at.to_string(), entry.kind));
        }
        text.push_str(&format!("\n{}\n", timeline.disclaimer));
        output::text(&text)?;
    }
    Ok(DONE)
}

/// Promises the next update, or records that one went out.
pub(super) async fn next_update(
    e: &Everywhere,
    slug: &str,
    by: Option<Timestamp>,
    sent: Option<Timestamp>,
    why: &str,
) -> Result<u8> {
    let app = open(e).await?;
    if let Some(by) = by {
        output::document(e, &app::duties::promise_update(&app, slug, by, why).await?)?;
    }
    if let Some(sent) = sent {
        let kept = app::duties::update_sent(&app, slug, sent, why).await?;
        output::document(e, &serde_json::json!({ "kept": kept }))?;
    }
    Ok(DONE)
}
