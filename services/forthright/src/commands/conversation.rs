//! `mail`, `ticket`, `question` and `escalation`.

use std::io::Read;

use anyhow::{Context, Result};
use app::AppError;
use app::tickets::Wrong;
use model::time::Timestamp;

use super::{DONE, open, say, text_of};
use crate::cli::{EscalationVerb, Everywhere, MailVerb, QuestionVerb, TicketVerb};
use crate::output;

/// Beyond this a message is refused before it is read to its end.
const LARGEST_MAIL: u64 = 26 * 1024 * 1024;

pub(super) async fn mail(e: &Everywhere, verb: MailVerb) -> Result<u8> {
    let MailVerb::Receive { envelope_to, envelope_from } = verb;
    let mut raw = Vec::new();
    std::io::stdin()
        .lock()
        .take(LARGEST_MAIL)
        .read_to_end(&mut raw)
        .context("cannot read the message from standard input")?;
    let received = receive(e, &raw, envelope_from.as_deref(), envelope_to.as_deref()).await;
    match received {
        Ok(received) => {
            output::json(&received)?;
            Ok(DONE)
        }
        // A message that can never be taken is refused for good; for everything else the mail system comes again.
        Err(error) => match error.downcast_ref::<AppError>() {
            Some(AppError::Bad { .. }) => Err(error),
            _ => {
                output::report(&error);
                Ok(75)
            }
        },
    }
}

async fn receive(e: &Everywhere, raw: &[u8], from: Option<&str>, to: Option<&str>) -> Result<app::inbound::Received> {
    let app = open(e).await?;
    Ok(app::inbound::receive(&app, raw, from, to).await?)
}

pub(super) async fn ticket(e: &Everywhere, verb: TicketVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        TicketVerb::List { slug } => {
            let rows = app::tickets::list(&app, &slug).await?.into_iter().map(|row| {
                vec![
                    row.id,
                    row.tenant_id,
                    row.status,
                    row.turn,
                    row.debt.to_string(),
                    row.questions.to_string(),
                    output::time(Some(row.opened_at)),
                    output::time(row.last_inbound_at),
                    output::time(row.last_outbound_at),
                ]
            });
            let header = [
                "ticket",
                "tenant_id",
                "status",
                "turn",
                "debt",
                "questions",
                "opened_at",
                "last_inbound_at",
                "last_outbound_at",
            ];
            output::list(e, &header, rows.collect())?;
        }
        TicketVerb::Show { ticket } => output::document(e, &app::tickets::show(&app, &ticket).await?)?,
        TicketVerb::Answer { ticket, questions, text } => {
            answered(e, &app::tickets::answer(&app, &ticket, &questions, &text_of(&text)?).await?)?;
        }
        TicketVerb::Promise { ticket, questions, by, text } => {
            let text = text.map_or_else(|| Ok(String::new()), |path| text_of(&path))?;
            answered(e, &app::tickets::promise(&app, &ticket, &questions, by, &text).await?)?;
        }
        TicketVerb::Decline { ticket, questions, why, review } => {
            output::document(e, &app::tickets::decline(&app, &ticket, &questions, &why, review).await?)?;
            say(e, "proposed: it stays open until a second person runs `forthright ticket decline-approve`");
        }
        TicketVerb::DeclineApprove { ticket, questions } => {
            answered(e, &app::tickets::approve_decline(&app, &ticket, &questions).await?)?;
        }
        TicketVerb::WrongRecipient { ticket, not_ours, said_by, right, role, name, instead_of, why } => {
            let wrong = match &right {
                Some(address) => {
                    Wrong::OtherPerson { address, role: &role, name: &name, instead_of: instead_of.as_deref() }
                }
                None => Wrong::NotTheirs { domains: &not_ours, said_by: said_by.as_deref() },
            };
            output::document(e, &app::tickets::wrong_recipient(&app, &ticket, &wrong, &why).await?)?;
        }
        TicketVerb::Note { ticket, text } => {
            app::tickets::note(&app, &ticket, &text_of(&text)?).await?;
            say(e, "noted");
        }
        TicketVerb::Assign { ticket, agent } => {
            app::tickets::assign(&app, &ticket, &agent).await?;
            say(e, format!("{agent} takes care of {ticket}"));
        }
        TicketVerb::Close { tickets } => return close(e, &app, &tickets).await,
    }
    Ok(DONE)
}

fn answered(e: &Everywhere, answered: &app::tickets::Answered) -> Result<()> {
    output::document(e, answered)?;
    if let Some(waits) = &answered.waits {
        say(e, format!("the letter waits: {waits}"));
    }
    Ok(())
}

/// Each ticket by itself: one that is refused does not stop the others.
async fn close(e: &Everywhere, app: &app::App, tickets: &[String]) -> Result<u8> {
    let mut lines = Vec::new();
    let mut first_refusal = None;
    for ticket in tickets {
        match app::tickets::close(app, ticket).await {
            Ok(()) => lines.push(vec![ticket.clone(), "closed".to_owned(), String::new()]),
            Err(error) => {
                lines.push(vec![ticket.clone(), "refused".to_owned(), error.to_string()]);
                first_refusal.get_or_insert(error);
            }
        }
    }
    output::list(e, &["ticket", "result", "why"], lines)?;
    first_refusal.map_or(Ok(DONE), |error| Err(error.into()))
}

pub(super) async fn question(e: &Everywhere, verb: QuestionVerb) -> Result<u8> {
    let app = open(e).await?;
    match verb {
        QuestionVerb::Withdraw { question, why } => {
            app::tickets::withdraw_question(&app, &question, &why).await?;
            say(e, format!("{question} is withdrawn"));
        }
        QuestionVerb::Reopen { question, why } => {
            app::tickets::reopen(&app, &question, &why).await?;
            say(e, format!("{question} is open again"));
        }
    }
    Ok(DONE)
}

pub(super) async fn escalation(e: &Everywhere, verb: EscalationVerb) -> Result<u8> {
    let app = open(e).await?;
    let lines = match verb {
        EscalationVerb::List { slug } => app::escalation::list(&app, &slug).await?,
        EscalationVerb::Preview { slug, until } => app::escalation::preview(&app, &slug, until).await?,
        EscalationVerb::Acknowledge { escalation } => {
            app::escalation::acknowledge(&app, &escalation).await?;
            say(e, format!("{escalation} is acknowledged"));
            return Ok(DONE);
        }
    };
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
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
    output::list(e, &header, rows.collect())?;
    Ok(DONE)
}
