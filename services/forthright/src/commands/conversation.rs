//! `mail`, `ticket`, `question` and `snippet`.

use std::io::{Read, Write};

use anyhow::{Context, Result};
use app::AppError;
use app::inbound::Which;
use app::tickets::{About, Intent, Outcome, Wrong};
use model::printed::{on_one_line, printed};

use super::{DONE, PARTIAL, open, say, text_of};
use crate::cli::{Everywhere, MailVerb, QuestionVerb, SnippetVerb, TicketVerb};
use crate::output;

/// Beyond this a message is refused before it is read to its end.
const LARGEST_MAIL: u64 = 26 * 1024 * 1024;

pub(super) async fn mail(e: &Everywhere, verb: MailVerb) -> Result<u8> {
    match verb {
        MailVerb::Receive { envelope_to, envelope_from } => take(e, envelope_to, envelope_from).await,
        MailVerb::List { quarantine } => {
            let which = if quarantine { Which::Quarantined } else { Which::All };
            let rows = app::inbound::list(&open(e).await?, which).await?.into_iter().map(|one| {
                let at = one.received_at.to_string();
                vec![one.mail, at, one.state, one.class, one.trust, one.ticket, one.envelope_from, one.subject]
            });
            let header = ["mail", "received_at", "state", "class", "trust", "ticket", "envelope_from", "subject"];
            output::list(e, &header, rows.collect())?;
            Ok(DONE)
        }
        MailVerb::Show { mail, raw: true, .. } => {
            let bytes = app::inbound::raw(&open(e).await?, &mail).await?;
            std::io::stdout().lock().write_all(&bytes)?;
            Ok(DONE)
        }
        MailVerb::Show { mail, raw: false, words } => {
            let read = app::inbound::read(&open(e).await?, &mail).await?;
            match words {
                true => output::text(&format!("{}\n", read.full_text.trim_end()))?,
                false => output::document(e, &read)?,
            }
            Ok(DONE)
        }
        MailVerb::Attach { mail, ticket } => {
            output::document(e, &app::inbound::attach(&open(e).await?, &mail, &ticket).await?)?;
            Ok(DONE)
        }
    }
}

async fn take(e: &Everywhere, envelope_to: Option<String>, envelope_from: Option<String>) -> Result<u8> {
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
        TicketVerb::Show { ticket, timeline: true, .. } => timeline(e, &app::tickets::timeline(&app, &ticket).await?)?,
        TicketVerb::Show { ticket, full: true, .. } => {
            output::document(e, &app::tickets::show_full(&app, &ticket).await?)?;
        }
        TicketVerb::Show { ticket, .. } => output::document(e, &app::tickets::show(&app, &ticket).await?)?,
        TicketVerb::Attachments { ticket } => {
            let rows = app::tickets::attachments(&app, &ticket).await?.into_iter().map(|file| {
                let bytes = file.bytes.map(|bytes| bytes.to_string()).unwrap_or_default();
                let (number, kind) = (file.number.to_string(), file.kind.to_owned());
                vec![number, file.mail, file.name, file.stated_name, kind, bytes, file.sha256]
            });
            let header = ["number", "mail", "name", "stated_name", "kind", "bytes", "sha256"];
            output::list(e, &header, rows.collect())?;
        }
        TicketVerb::Attachment { ticket, number, out } => {
            let (file, body) = app::tickets::attachment(&app, &ticket, number).await?;
            let mut new = std::fs::File::create_new(&out)
                .with_context(|| format!("cannot write {}: name a file that is not there yet", out.display()))?;
            new.write_all(&body).with_context(|| format!("cannot write {}", out.display()))?;
            say(e, format!("{} ({}, {} bytes) is in {}", file.name, file.kind, body.len(), out.display()));
        }
        TicketVerb::Search { slug, text } => {
            let rows = app::tickets::search(&app, &slug, &text).await?.into_iter().map(|found| {
                vec![found.ticket, found.tenant_id, found.found_in, found.at.to_string(), found.source, found.text]
            });
            output::list(e, &["ticket", "tenant_id", "found_in", "at", "source", "text"], rows.collect())?;
        }
        TicketVerb::Pack { ticket } => output::document(e, &app::tickets::pack(&app, &ticket).await?)?,
        TicketVerb::NotAboutFacts { slug } => {
            let rows = app::tickets::set_aside(&app, &slug).await?.into_iter().map(|one| {
                vec![one.ticket, one.tenant_id, one.question, one.at.to_string(), one.said_by, one.why, one.text]
            });
            let header = ["ticket", "tenant_id", "question", "at", "said_by", "why", "text"];
            output::list(e, &header, rows.collect())?;
        }
        TicketVerb::AnswerMany { slug, questions, snippet, preview, not_about_facts } => {
            let intent = if preview { Intent::Preview } else { Intent::Send };
            let about = about(not_about_facts.as_deref());
            let outcomes = app::tickets::answer_many(&app, &slug, &questions, &snippet, about, intent).await?;
            outcomes_of(e, &outcomes)?;
            return Ok(if outcomes.iter().any(Outcome::is_failure) { PARTIAL } else { DONE });
        }
        TicketVerb::Answer { ticket, questions, text, snippet, not_about_facts } => {
            let about = about(not_about_facts.as_deref());
            let done = match (snippet, text) {
                (Some(name), _) => app::tickets::answer_with(&app, &ticket, &questions, &name, about).await?,
                (None, Some(path)) => app::tickets::answer(&app, &ticket, &questions, &text_of(&path)?, about).await?,
                (None, None) => anyhow::bail!("neither --text nor --snippet is given"),
            };
            answered(e, &done)?;
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
        TicketVerb::Watch { ticket, watcher } => {
            let watcher = watcher.unwrap_or_else(|| app.actor.clone());
            app::tickets::watch(&app, &ticket, &watcher).await?;
            say(e, format!("{watcher} watches {ticket}"));
        }
        TicketVerb::Unwatch { ticket, watcher } => {
            let watcher = watcher.unwrap_or_else(|| app.actor.clone());
            app::tickets::unwatch(&app, &ticket, &watcher).await?;
            say(e, format!("{watcher} watches {ticket} no more"));
        }
        TicketVerb::Split { ticket, questions } => {
            output::document(e, &app::tickets::split(&app, &ticket, &questions).await?)?;
        }
        TicketVerb::Merge { ticket, into } => {
            output::document(e, &app::tickets::merge(&app, &ticket, &into).await?)?;
        }
        TicketVerb::Close { tickets } => return close(e, &app, &tickets).await,
    }
    Ok(DONE)
}

fn about(not_about_facts: Option<&str>) -> About<'_> {
    not_about_facts.map_or(About::Facts, |why| About::SomethingElse { why })
}

/// A result for each ticket; what each is told is in one line of it.
fn outcomes_of(e: &Everywhere, outcomes: &[Outcome]) -> Result<()> {
    if e.json {
        return output::json(&outcomes);
    }
    let rows = outcomes.iter().map(|one| {
        let text = one.texts.values().next().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let (questions, mails) = (one.questions.join(" "), one.mails.to_string());
        let (ticket, tenant, result) = (one.ticket.clone(), one.tenant_id.clone(), one.result.to_owned());
        vec![ticket, tenant, questions, result, mails, one.why.clone(), text.unwrap_or_default()]
    });
    let header = ["ticket", "tenant_id", "questions", "result", "mails", "why", "text"];
    output::list(e, &header, rows.collect())
}

/// A block for each thing that happened; as JSON with `--json`.
fn timeline(e: &Everywhere, all: &app::tickets::Timeline) -> Result<()> {
    if e.json {
        return output::document(e, all);
    }
    let mut text = format!(
        "Ticket {} with {} ({}), incident {}: {}, {} question(s) open, as of {}\n",
        all.ticket,
        on_one_line(&all.tenant_name),
        all.tenant_id,
        all.incident,
        all.status,
        all.debt,
        all.as_of
    );
    for line in &all.lines {
        let head = format!("{}  {}  {}  {}", line.at, line.what, line.who, line.id);
        text.push_str(&format!("\n{}\n", on_one_line(&head)));
        printed(&line.text).lines().for_each(|words| text.push_str(&format!("    {words}\n")));
    }
    output::text(&text)
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
        QuestionVerb::Withdraw { question, why, mail } => {
            let done = app::tickets::withdraw_question(&app, &question, &why, mail.as_deref()).await?;
            output::document(e, &done)?;
            if done.state == "proposed" {
                say(e, "proposed: it stays open until a second person runs the same, or --mail names the asker's mail");
            }
        }
        QuestionVerb::Reopen { question, why } => {
            app::tickets::reopen(&app, &question, &why).await?;
            say(e, format!("{question} is open again"));
        }
    }
    Ok(DONE)
}

pub(super) async fn snippet(e: &Everywhere, verb: SnippetVerb) -> Result<u8> {
    let app = open(e).await?;
    let (listed, wanted) = match verb {
        SnippetVerb::Add { name, language, text, incident } => {
            app::snippets::add(&app, incident.as_deref(), &name, &language, text_of(&text)?.as_bytes()).await?;
            say(e, format!("{name} in {language} is kept"));
            return Ok(DONE);
        }
        SnippetVerb::Remove { name, language, incident } => {
            app::snippets::remove(&app, incident.as_deref(), &name, &language).await?;
            say(e, format!("{name} in {language} is out of use"));
            return Ok(DONE);
        }
        SnippetVerb::List { incident } => (app::snippets::list(&app, incident.as_deref()).await?, None),
        SnippetVerb::Show { name, incident } => (app::snippets::list(&app, incident.as_deref()).await?, Some(name)),
    };
    if let Some(name) = wanted {
        let mine: Vec<_> = listed.into_iter().filter(|one| one.name == name).collect();
        if mine.is_empty() {
            return Err(AppError::Missing {
                what: format!("no snippet `{name}`"),
                hint: "run `forthright snippet list` to see them".to_owned(),
            }
            .into());
        }
        if e.json {
            output::json(&mine)?;
            return Ok(DONE);
        }
        for one in mine {
            output::text(&format!("[{}] {}\n{}\n", one.language, one.kept_by, one.body))?;
        }
        return Ok(DONE);
    }
    let rows = listed.into_iter().map(|one| {
        let kept_at = one.kept_at.map(|time| time.to_string()).unwrap_or_default();
        vec![one.name, one.language, one.incident, one.kept_by, kept_at]
    });
    output::list(e, &["snippet", "language", "incident", "kept_by", "kept_at"], rows.collect())?;
    Ok(DONE)
}
