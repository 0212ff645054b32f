//! A question that its asker took back: a mail of theirs says so, or two of our people; and the asker is told.
//!
//! Closes nothing. Invariant: one person's word ends no question, and what was ended so is open again as soon as its
//! asker says otherwise.

use std::collections::BTreeMap;

use model::actor::is_one_person;
use model::language::Language;
use model::tickets::Step;
use serde::Serialize;
use store::Tx;
use store::tickets::{Change, QuestionRow};

use super::case::Case;
use super::declines::ticket_of;
use super::letters::{self, Content, Post};
use super::{add_entry, set_turn, words};
use crate::inbound::is_from;
use crate::{App, AppError};

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Withdrawal {
    /// The question.
    pub question: String,
    /// `proposed` (it stays open until a second person says the same) or `withdrawn`.
    pub state: &'static str,
    /// Mails queued: the asker is told.
    pub mails: usize,
}

/// Records that the asker took a question back, and how we know: by a mail of theirs, or by the word of two people.
pub async fn withdraw_question(
    app: &App,
    question: &str,
    why: &str,
    mail: Option<&str>,
) -> Result<Withdrawal, AppError> {
    let why = words(why, "the reason")?;
    let now = app.clock.now().micros();
    let mut tx = app.store.begin().await?;
    let ticket = ticket_of(&mut tx, question).await?;
    let case = Case::open(app, &mut tx, &ticket).await?;
    let named = case.named(&[question.to_owned()], Step::Withdraw)?;
    let first = store::tickets::withdrawal_by(&mut tx, question).await?;
    let is_second = first.as_ref().is_some_and(|first| !is_one_person(first, &app.actor));
    if let (Some(mail), Some(asked)) = (mail, named.first()) {
        check_evidence(&mut tx, &case, asked, mail).await?;
    } else if !is_second {
        return propose(app, tx, &ticket, question, why).await;
    }
    let by = mail.map_or_else(
        || format!("by the word of {} and {}", first.unwrap_or_default(), app.actor),
        |mail| format!("in {mail}"),
    );
    let body = format!("{question} was withdrawn by its asker, {by}: {why}");
    let entry = add_entry(app, &mut tx, &ticket, "withdrawal", body).await?;
    store::tickets::change_question(&mut tx, &ticket, question, now, Change::Withdraw { entry: &entry, mail }).await?;
    let texts =
        Language::ALL.into_iter().map(|language| (language, said(language).to_owned())).collect::<BTreeMap<_, _>>();
    let content = Content::Filled { snippet: "withdrawn", texts: &texts };
    let mails = letters::queue(app, &mut tx, &case, &Post { about: &named, content, entry: &entry }).await?;
    set_turn(&mut tx, &ticket).await?;
    let detail = serde_json::json!({ "ticket": ticket, "entry": entry, "why": why, "mail": mail, "mails": mails });
    tx.commit(app.entry("question.withdraw", question, detail)).await?;
    Ok(Withdrawal { question: question.to_owned(), state: "withdrawn", mails })
}

async fn propose(app: &App, mut tx: Tx, ticket: &str, question: &str, why: &str) -> Result<Withdrawal, AppError> {
    let now = app.clock.now().micros();
    let body = format!("{question} was taken back, says {}: {why}", app.actor);
    let entry = add_entry(app, &mut tx, ticket, "status", body).await?;
    let change = Change::ProposeWithdrawal { by: &app.actor };
    store::tickets::change_question(&mut tx, ticket, question, now, change).await?;
    let detail = serde_json::json!({ "ticket": ticket, "entry": entry, "why": why, "proposed": true });
    tx.commit(app.entry("question.withdraw", question, detail)).await?;
    Ok(Withdrawal { question: question.to_owned(), state: "proposed", mails: 0 })
}

/// A later mail of a person, from the address that asked, in the same conversation.
async fn check_evidence(tx: &mut Tx, case: &Case, asked: &QuestionRow, mail: &str) -> Result<(), AppError> {
    let row = store::inbound::by_id(tx, mail).await?;
    let row =
        row.ok_or_else(|| AppError::missing(format!("no mail {mail}"), "run `forthright mail list` to see them"))?;
    let filed = match &row.ticket_id {
        Some(ticket) => store::tickets::by_id(tx, ticket).await?,
        None => None,
    };
    let is_here = filed.is_some_and(|filed| {
        (filed.incident_id, filed.tenant_id) == (case.ticket.incident_id, case.ticket.tenant_id.clone())
    });
    let is_persons = row.class.as_deref() == Some(mail::inbound::Class::Human.name());
    if is_here && is_persons && row.received_at > asked.asked_at && is_from(&row, &asked.asked_by) {
        return Ok(());
    }
    Err(AppError::refused(
        format!("{mail} is no later mail of {} in this conversation", asked.asked_by),
        "name the mail in which the asker takes the question back, or let a second person withdraw it, too",
    ))
}

/// What the asker is told.
fn said(language: Language) -> &'static str {
    match language {
        Language::En => {
            "We understand that you take this question back, and have closed it. If that is not so, answer this mail and say so: the question is then open again at once."
        }
        Language::De => {
            "Wir haben verstanden, dass Sie diese Frage zurückziehen, und haben sie geschlossen. Wenn das nicht stimmt, antworten Sie auf diese Nachricht: Die Frage ist dann sofort wieder offen."
        }
        Language::Fr => {
            "Nous avons compris que vous retirez cette question, et nous l'avons fermée. Si ce n'est pas le cas, répondez à ce message pour le dire : la question est alors aussitôt rouverte."
        }
        Language::Es => {
            "Hemos entendido que usted retira esta pregunta y la hemos cerrado. Si no es así, responda a este mensaje y díganoslo: la pregunta se abrirá de nuevo de inmediato."
        }
        Language::Ja => {
            "このご質問は取り下げられたものと理解し、終了といたしました。そうでない場合は、このメールにご返信ください。ご質問は直ちに再開されます。"
        }
    }
}
