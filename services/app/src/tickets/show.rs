//! Tickets as people and scripts see them.
//!
//! Changes nothing. Invariant: a ticket is shown as of one moment, and its reply token is not part of it.

use model::tickets::QuestionState;
use model::time::Timestamp;
use serde::Serialize;
use store::delivery::Delivery;
use store::directory::Tenant;
use store::tickets::{Entry, QuestionRow, TicketRow};

use super::case;
use crate::{App, AppError};

/// A ticket with all that belongs to it.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// The ticket.
    pub ticket: TicketView,
    /// With whom.
    pub tenant: Option<TenantView>,
    /// Who is told when a person writes.
    pub watchers: Vec<String>,
    /// All questions ever asked, oldest first.
    pub questions: Vec<QuestionView>,
    /// The timeline.
    pub entries: Vec<EntryView>,
    /// All mails that left or are to leave.
    pub mails: Vec<MailView>,
    /// All mails that came in, with their whole texts; only where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub received: Vec<crate::inbound::ReadMail>,
}

/// The ticket itself.
#[derive(Debug, Serialize)]
pub struct TicketView {
    /// `tkt_…`.
    pub id: String,
    /// The incident's slug.
    pub incident: String,
    /// With whom.
    pub tenant_id: String,
    /// `open` or `closed`.
    pub status: String,
    /// `ours`, `theirs`, `nobody`.
    pub turn: String,
    /// Questions open or promised.
    pub debt: i64,
    /// Who takes care of it.
    pub agent: Option<String>,
    /// The ticket that it was a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_from: Option<String>,
    /// Where its questions went and its mail lands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
    /// When the notice was released.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When a person last wrote.
    pub last_inbound_at: Option<Timestamp>,
    /// When mail to them was last accepted.
    pub last_outbound_at: Option<Timestamp>,
}

/// The organisation.
#[derive(Debug, Serialize)]
pub struct TenantView {
    /// The vendor's id for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// ISO 3166 code.
    pub country: String,
    /// BCP 47 tag.
    pub language: String,
}

/// A question.
#[derive(Debug, Serialize)]
pub struct QuestionView {
    /// `qst_…`.
    pub id: String,
    /// `open`, `promised`, `answered`, `declined`, `withdrawn`.
    pub state: String,
    /// In the asker's words.
    pub text: String,
    /// The address it came from.
    pub asked_by: String,
    /// When.
    pub asked_at: Timestamp,
    /// By when an answer is promised.
    pub promised_by: Option<Timestamp>,
    /// What passed without being kept: a promised time, or the review of a decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<&'static str>,
    /// When it was answered, declined or withdrawn.
    pub settled_at: Option<Timestamp>,
    /// The timeline entry that settled it.
    pub entry: Option<String>,
    /// Who proposed to decline it.
    pub proposed_by: Option<String>,
    /// Why.
    pub decline_why: Option<String>,
    /// When that is looked at again.
    pub review_at: Option<Timestamp>,
    /// The second person.
    pub approved_by: Option<String>,
    /// When it was opened again after a decline.
    pub reopened_at: Option<Timestamp>,
    /// When its asker last objected to a decline.
    pub objected_at: Option<Timestamp>,
}

/// A line of the timeline.
#[derive(Debug, Serialize)]
pub struct EntryView {
    /// `ent_…`.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// `mail`, `answer`, `promise`, `decline`, `note`, `status`, `escalation`, `not-about-facts`.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// What.
    pub body: String,
}

/// A mail of the ticket.
#[derive(Debug, Serialize)]
pub struct MailView {
    /// `dlv_…` or `out_…`.
    pub id: String,
    /// The notice, if it carries one.
    pub notice: Option<String>,
    /// To which address.
    pub address: String,
    /// A name of `model::delivery::State`.
    pub state: String,
    /// Tries so far.
    pub attempts: i64,
    /// Without angle brackets.
    pub message_id: String,
    /// What the other side said last.
    pub last_reply: String,
    /// `wave`, `agent` or `policy`.
    pub cause: String,
}

/// All tickets of an incident, by tenant.
pub async fn list(app: &App, slug: &str) -> Result<Vec<TicketRow>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::tickets::list(&mut app.store.read().await?, incident.id).await?)
}

/// One ticket with its questions, timeline and mails, as of one moment.
pub async fn show(app: &App, ticket: &str) -> Result<Shown, AppError> {
    let now = app.clock.now();
    let mut conn = app.store.snapshot().await?;
    let row = case::find(&mut conn, ticket).await?;
    let incident = app.incident_by_id(&mut conn, row.incident_id).await?;
    let tenant = store::directory::tenant(&mut conn, &row.tenant_id).await?;
    let questions = store::tickets::questions(&mut conn, ticket).await?;
    let entries = store::tickets::entries(&mut conn, ticket).await?;
    let watchers = store::tickets::watchers(&mut conn, ticket).await?;
    let mails = store::delivery::of_ticket(&mut conn, ticket).await?;
    Ok(Shown {
        ticket: TicketView::new(row, incident.slug),
        tenant: tenant.map(TenantView::from),
        watchers,
        questions: questions.into_iter().map(|row| QuestionView::new(row, now)).collect(),
        entries: entries.into_iter().map(EntryView::from).collect(),
        mails: mails.into_iter().map(MailView::from).collect(),
        received: Vec::new(),
    })
}

/// The same with every mail that came in, in full.
pub async fn show_full(app: &App, ticket: &str) -> Result<Shown, AppError> {
    let mut shown = show(app, ticket).await?;
    for mail in store::inbound::of_ticket(&mut app.store.read().await?, ticket).await? {
        shown.received.push(crate::inbound::read(app, &mail).await?);
    }
    Ok(shown)
}

impl TicketView {
    fn new(row: TicketRow, incident: String) -> Self {
        Self {
            id: row.id,
            incident,
            tenant_id: row.tenant_id,
            status: row.status,
            turn: row.turn,
            debt: row.debt,
            agent: row.agent,
            split_from: row.split_from,
            merged_into: row.merged_into,
            opened_at: Timestamp::from_micros(row.opened_at),
            closed_at: row.closed_at.map(Timestamp::from_micros),
            last_inbound_at: row.last_inbound_at.map(Timestamp::from_micros),
            last_outbound_at: row.last_outbound_at.map(Timestamp::from_micros),
        }
    }
}

impl From<Tenant> for TenantView {
    fn from(row: Tenant) -> Self {
        Self { id: row.id, name: row.name, country: row.country, language: row.language }
    }
}

impl QuestionView {
    pub(super) fn new(row: QuestionRow, now: Timestamp) -> Self {
        let passed = |at: Option<i64>| at.is_some_and(|at| at <= now.micros());
        let late = match QuestionState::parse(&row.state) {
            Some(QuestionState::Promised) if passed(row.promised_by) => Some("the promised time has passed"),
            Some(QuestionState::Declined) if passed(row.review_at) => Some("the review of the decline is due"),
            _ => None,
        };
        Self {
            late,
            reopened_at: row.reopened_at.map(Timestamp::from_micros),
            objected_at: row.objected_at.map(Timestamp::from_micros),
            id: row.id,
            state: row.state,
            text: row.text,
            asked_by: row.asked_by,
            asked_at: Timestamp::from_micros(row.asked_at),
            promised_by: row.promised_by.map(Timestamp::from_micros),
            settled_at: row.settled_at.map(Timestamp::from_micros),
            entry: row.entry_id,
            proposed_by: row.proposed_by,
            decline_why: row.decline_why,
            review_at: row.review_at.map(Timestamp::from_micros),
            approved_by: row.approved_by,
        }
    }
}

impl From<Entry> for EntryView {
    fn from(row: Entry) -> Self {
        Self { id: row.id, at: Timestamp::from_micros(row.at), kind: row.kind, actor: row.actor, body: row.body }
    }
}

impl From<Delivery> for MailView {
    fn from(row: Delivery) -> Self {
        Self {
            id: row.id,
            notice: row.notice_id,
            address: row.address,
            state: row.state,
            attempts: row.attempts,
            message_id: row.message_id,
            last_reply: row.last_reply,
            cause: row.cause,
        }
    }
}
