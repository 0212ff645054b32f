//! Tickets, their questions and timelines.
//!
//! Decides no transition: `model::tickets` does. Invariant: nothing here writes a ticket's debt; triggers count it.

use sqlx::AssertSqlSafe;

use crate::notices::one;
use crate::rows::{ROWS_AN_INSERT, fetch_in, insert_text};
use crate::{Conn, Dialect, StoreError, Tx};

/// A ticket's columns; when mail last left is a question to the outbox.
macro_rules! tickets {
    ($tail:literal) => {
        concat!(
            "SELECT t.id, t.incident_id, t.tenant_id, t.token, t.status, t.turn, t.debt, t.agent, t.opened_at, t.closed_at, t.last_inbound_at, t.split_from, t.merged_into,
                (SELECT MAX(o.settled_at) FROM outbox o WHERE o.ticket_id = t.id AND o.state = 'accepted'
                    AND NOT EXISTS (SELECT 1 FROM letters l WHERE l.id = o.letter_id AND l.kind = 'escalation')) AS last_outbound_at,
                (SELECT COUNT(*) FROM questions q WHERE q.ticket_id = t.id) AS questions
            FROM tickets t ",
            $tail
        )
    };
}

statements! {
    BY_ID = tickets!("WHERE t.id = $1");
    BY_TOKEN = tickets!("WHERE t.token = $1");
    LIST = tickets!("WHERE t.incident_id = $1 ORDER BY t.tenant_id, t.id");
    OF_TENANT = tickets!("WHERE t.incident_id = $1 AND t.tenant_id = $2 AND t.split_from IS NULL");
    /// Takes the ticket's row, so that a close and a new question come one after the other.
    LOCK = "UPDATE tickets SET turn = turn WHERE id = $1";
    /// In their order, so that two who take many wait for each other in one direction. On SQLite a writer is alone.
    LOCK_MANY_POSTGRES = "SELECT id FROM tickets WHERE id IN ('values') ORDER BY id FOR UPDATE";
    AMONG = tickets!("WHERE t.id IN ('values')");
    /// The debt of tickets.
    DEBT_AMONG = "
        SELECT id, ticket_id, state, text, asked_by, asked_at, promised_by, settled_at, entry_id, proposed_by, decline_why, review_at, approved_by, reopened_at, objected_at
        FROM questions
        WHERE state IN ('open', 'promised') AND ticket_id IN ('values')
        ORDER BY id";
    /// Of its timeline and its firings: in a rehearsal the clock may go back.
    LATEST = "
        SELECT MAX(at)
        FROM (
            SELECT MAX(e.at) AS at FROM ticket_entries e WHERE e.ticket_id = $1
            UNION ALL
            SELECT MAX(f.fired_at) AS at FROM escalations s JOIN firings f ON f.escalation_id = s.id WHERE s.ticket_id = $1
        ) seen";
    SET_TURN = "UPDATE tickets SET turn = $1 WHERE id = $2";
    SET_AGENT = "UPDATE tickets SET agent = $1 WHERE id = $2";
    SET_INBOUND = "
        UPDATE tickets
        SET last_inbound_at = $1, status = 'open', closed_at = NULL, turn = $2
        WHERE id = $3";
    INSERT_PART = "
        INSERT INTO tickets (id, incident_id, tenant_id, token, status, turn, debt, agent, opened_at, last_inbound_at, split_from)
        SELECT $1, t.incident_id, t.tenant_id, $2, 'open', 'theirs', 0, t.agent, $3, t.last_inbound_at, t.id
        FROM tickets t
        WHERE t.id = $4";
    MOVE_QUESTION = "UPDATE questions SET ticket_id = $1 WHERE id = $2 AND ticket_id = $3";
    /// Ladders that are about one question go where it goes; ended ones too, so that none starts a second time.
    MOVE_LADDERS = "
        UPDATE escalations
        SET ticket_id = $1
        WHERE ticket_id = $2 AND policy IN ('promise', 'review', 'objection') AND subject LIKE CAST($3 AS TEXT) || '/%'";
    MERGE = "
        UPDATE tickets
        SET status = 'closed', turn = 'nobody', closed_at = COALESCE(closed_at, $1), merged_into = $2
        WHERE id = $3 AND merged_into IS NULL";
    TAKE_INBOUND = "
        UPDATE tickets
        SET last_inbound_at = (SELECT MAX(b.last_inbound_at) FROM tickets b WHERE b.id IN ($1, $2))
        WHERE id = $1";
    WATCH = "
        INSERT INTO ticket_watchers (ticket_id, watcher, since)
        VALUES ($1, $2, $3)
        ON CONFLICT (ticket_id, watcher) DO NOTHING";
    UNWATCH = "DELETE FROM ticket_watchers WHERE ticket_id = $1 AND watcher = $2";
    WATCHERS = "SELECT watcher FROM ticket_watchers WHERE ticket_id = $1 ORDER BY watcher";
    CLOSE = "
        UPDATE tickets
        SET status = 'closed', turn = 'nobody', closed_at = $1
        WHERE id = $2 AND status = 'open'";
    QUESTIONS = "
        SELECT id, ticket_id, state, text, asked_by, asked_at, promised_by, settled_at, entry_id, proposed_by, decline_why, review_at, approved_by, reopened_at, objected_at
        FROM questions
        WHERE ticket_id = $1
        ORDER BY id";
    /// For a mail that may object: a conversation can have hundreds of others.
    DECLINED = "
        SELECT id, ticket_id, state, text, asked_by, asked_at, promised_by, settled_at, entry_id, proposed_by, decline_why, review_at, approved_by, reopened_at, objected_at
        FROM questions
        WHERE ticket_id = $1 AND state = 'declined'
        ORDER BY id";
    QUESTION = "
        SELECT id, ticket_id, state, text, asked_by, asked_at, promised_by, settled_at, entry_id, proposed_by, decline_why, review_at, approved_by, reopened_at, objected_at
        FROM questions
        WHERE id = $1";
    /// Of the mail that each question came in.
    TRUST_OF_QUESTIONS = "
        SELECT q.id, i.trust
        FROM questions q
        LEFT JOIN inbound i ON i.id = q.inbound_id
        WHERE q.ticket_id = $1
        ORDER BY q.id";
    INSERT_QUESTION = "
        INSERT INTO questions (id, ticket_id, state, text, asked_by, asked_at, inbound_id)
        VALUES ($1, $2, 'open', $3, $4, $5, $6)";
    ANSWER = "
        UPDATE questions
        SET state = 'answered', settled_at = $1, entry_id = $2
        WHERE id = $3 AND ticket_id = $4 AND state IN ('open', 'promised', 'declined')";
    /// What was decided stands in the timeline; a new decision needs two people again.
    REOPEN = "
        UPDATE questions
        SET state = 'open', settled_at = NULL, entry_id = NULL, promised_by = NULL, proposed_by = NULL, decline_why = NULL, review_at = NULL, approved_by = NULL,
            withdrawal_by = NULL, withdrawal_mail = NULL, reopened_at = $1, objected_at = COALESCE($2, objected_at)
        WHERE id = $3 AND ticket_id = $4 AND state IN ('declined', 'withdrawn')";
    WITHDRAW = "
        UPDATE questions
        SET state = 'withdrawn', settled_at = $1, entry_id = $2, withdrawal_mail = $3
        WHERE id = $4 AND ticket_id = $5 AND state IN ('open', 'promised')";
    PROPOSE_WITHDRAWAL = "
        UPDATE questions
        SET withdrawal_by = $1
        WHERE id = $2 AND ticket_id = $3 AND state IN ('open', 'promised')";
    WITHDRAWAL_BY = "SELECT withdrawal_by FROM questions WHERE id = $1";
    /// What was declined or taken back in any part of a conversation.
    ENDED_OF_CONVERSATION = "
        SELECT q.id, q.ticket_id, q.state, q.text, q.asked_by, q.asked_at, q.promised_by, q.settled_at, q.entry_id, q.proposed_by, q.decline_why, q.review_at, q.approved_by, q.reopened_at, q.objected_at
        FROM tickets t
        JOIN questions q ON q.ticket_id = t.id
        WHERE t.incident_id = $1 AND t.tenant_id = $2 AND q.state IN ('declined', 'withdrawn')
        ORDER BY q.id";
    PARTS = "
        SELECT id, merged_into
        FROM tickets
        WHERE incident_id = $1 AND tenant_id = $2";
    PROMISE = "
        UPDATE questions
        SET state = 'promised', promised_by = $1
        WHERE id = $2 AND ticket_id = $3 AND state IN ('open', 'promised')";
    PROPOSE_DECLINE = "
        UPDATE questions
        SET proposed_by = $1, decline_why = $2, review_at = $3
        WHERE id = $4 AND ticket_id = $5 AND state IN ('open', 'promised')";
    DECLINE = "
        UPDATE questions
        SET state = 'declined', settled_at = $1, entry_id = $2, approved_by = $3
        WHERE id = $4 AND ticket_id = $5 AND state IN ('open', 'promised') AND decline_why IS NOT NULL";
    INSERT_ENTRY = "
        INSERT INTO ticket_entries (id, ticket_id, at, kind, actor, body)
        VALUES ($1, $2, $3, $4, $5, $6)";
    ENTRIES = "
        SELECT id, at, kind, actor, body
        FROM ticket_entries
        WHERE ticket_id = $1
        ORDER BY at, id";
    ENTRIES_OF_KIND = "
        SELECT e.ticket_id, t.tenant_id, e.at, e.actor, e.body
        FROM ticket_entries e
        JOIN tickets t ON t.id = e.ticket_id
        WHERE t.incident_id = $1 AND e.kind = $2
        ORDER BY e.at, e.id";
}

/// A ticket as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TicketRow {
    /// `tkt_…`.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// With whom.
    pub tenant_id: String,
    /// Part of every Reply-To.
    pub token: String,
    /// A name of `model::tickets::Status`.
    pub status: String,
    /// A name of `model::tickets::Turn`.
    pub turn: String,
    /// Questions open or promised.
    pub debt: i64,
    /// Who takes care of it.
    pub agent: Option<String>,
    /// Microseconds since the epoch.
    pub opened_at: i64,
    /// Microseconds since the epoch.
    pub closed_at: Option<i64>,
    /// When a person last wrote.
    pub last_inbound_at: Option<i64>,
    /// When mail to them was last accepted.
    pub last_outbound_at: Option<i64>,
    /// All questions ever asked.
    pub questions: i64,
    /// The ticket that it was a part of; none: the main one of its organisation and incident.
    pub split_from: Option<String>,
    /// Where its questions went and its mail lands.
    pub merged_into: Option<String>,
}

/// A question as stored.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct QuestionRow {
    /// `qst_…`.
    pub id: String,
    /// Its ticket, for ever.
    pub ticket_id: String,
    /// A name of `model::tickets::QuestionState`.
    pub state: String,
    /// In the asker's words.
    pub text: String,
    /// The address it came from, or who entered it.
    pub asked_by: String,
    /// Microseconds since the epoch.
    pub asked_at: i64,
    /// Microseconds since the epoch.
    pub promised_by: Option<i64>,
    /// Microseconds since the epoch.
    pub settled_at: Option<i64>,
    /// The timeline entry that settled it.
    pub entry_id: Option<String>,
    /// Who proposed to decline it.
    pub proposed_by: Option<String>,
    /// The reason.
    pub decline_why: Option<String>,
    /// Microseconds since the epoch.
    pub review_at: Option<i64>,
    /// The second person.
    pub approved_by: Option<String>,
    /// When it was opened again after a decline. Microseconds since the epoch.
    pub reopened_at: Option<i64>,
    /// When its asker last objected to a decline. Microseconds since the epoch.
    pub objected_at: Option<i64>,
}

/// A line of a ticket's timeline.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct Entry {
    /// `ent_…`.
    pub id: String,
    /// Microseconds since the epoch.
    pub at: i64,
    /// `mail`, `answer`, `promise`, `decline`, `note`, `status`, `escalation`, `not-about-facts`.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// What.
    pub body: String,
}

/// A line of some ticket's timeline.
#[derive(Debug, sqlx::FromRow)]
pub struct EntryOf {
    /// The ticket.
    pub ticket_id: String,
    /// With whom.
    pub tenant_id: String,
    /// Microseconds since the epoch.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub body: String,
}

/// A ticket that a release opens.
#[derive(Debug, Clone)]
pub struct NewTicket {
    /// `tkt_…`.
    pub id: String,
    /// With whom.
    pub tenant_id: String,
    /// Part of every Reply-To.
    pub token: String,
}

/// The latest time at which something happened in a ticket; none: nothing has.
pub async fn latest(conn: &mut Conn, ticket: &str) -> Result<Option<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(LATEST).bind(ticket).fetch_one(c).await)?)
}

/// The ticket of an id.
pub async fn by_id(conn: &mut Conn, id: &str) -> Result<Option<TicketRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_ID).bind(id).fetch_optional(c).await)?)
}

/// The ticket of a token.
pub async fn by_token(conn: &mut Conn, token: &str) -> Result<Option<TicketRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_TOKEN).bind(token).fetch_optional(c).await)?)
}

/// Where the mail of a ticket lands: itself, or what it was merged into.
pub async fn survivor(conn: &mut Conn, mut ticket: TicketRow) -> Result<TicketRow, StoreError> {
    while let Some(into) = &ticket.merged_into {
        match by_id(conn, into).await? {
            Some(next) => ticket = next,
            None => break,
        }
    }
    Ok(ticket)
}

/// The main ticket of a tenant in an incident.
pub async fn of_tenant(conn: &mut Conn, incident: i64, tenant: &str) -> Result<Option<TicketRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(OF_TENANT).bind(incident).bind(tenant).fetch_optional(c).await)?)
}

/// All tickets of an incident, by tenant.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<TicketRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// Opens tickets; one that is there for the same organisation stays.
pub async fn insert(tx: &mut Tx, incident: i64, now: i64, tickets: &[NewTicket]) -> Result<(), StoreError> {
    for part in tickets.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO tickets (id, incident_id, tenant_id, token, status, turn, debt, opened_at)",
            8,
            part.len(),
            "ON CONFLICT (incident_id, tenant_id) WHERE split_from IS NULL DO NOTHING",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for ticket in part {
                query = query
                    .bind(&ticket.id)
                    .bind(incident)
                    .bind(&ticket.tenant_id)
                    .bind(&ticket.token)
                    .bind("open")
                    .bind("theirs")
                    .bind(0_i64)
                    .bind(now);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Takes the ticket's row until the commit. On SQLite a transaction that writes has all of them already.
pub async fn lock(tx: &mut Tx, ticket: &str) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let hit = on!(tx, |c| sqlx::query(LOCK).bind(ticket).execute(c).await.map(|done| done.rows_affected()))?;
    one(hit, || format!("ticket {ticket}"))
}

/// Takes the rows of many tickets until the commit.
pub async fn lock_many(tx: &mut Tx, tickets: &[String]) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Postgres {
        fetch_in::<(String,)>(tx, LOCK_MANY_POSTGRES, tickets).await?;
    }
    Ok(())
}

/// Tickets by their ids.
pub async fn among(conn: &mut Conn, tickets: &[String]) -> Result<Vec<TicketRow>, StoreError> {
    fetch_in(conn, AMONG, tickets).await
}

/// The questions of tickets that are open or promised.
pub async fn debt_among(conn: &mut Conn, tickets: &[String]) -> Result<Vec<QuestionRow>, StoreError> {
    fetch_in(conn, DEBT_AMONG, tickets).await
}

/// Writes whose turn it is.
pub async fn set_turn(tx: &mut Tx, ticket: &str, turn: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(SET_TURN).bind(turn).bind(ticket).execute(c).await.map(drop))?;
    Ok(())
}

/// Writes who takes care of a ticket.
pub async fn set_agent(tx: &mut Tx, ticket: &str, agent: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(SET_AGENT).bind(agent).bind(ticket).execute(c).await.map(drop))?;
    Ok(())
}

/// A person wrote: the ticket is open again, and whose turn it is.
pub async fn set_inbound(tx: &mut Tx, ticket: &str, now: i64, turn: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(SET_INBOUND).bind(now).bind(turn).bind(ticket).execute(c).await.map(drop))?;
    Ok(())
}

/// Opens a part of a ticket, with its agent.
pub async fn insert_part(tx: &mut Tx, of: &str, part: &NewTicket, now: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(INSERT_PART)
        .bind(&part.id)
        .bind(&part.token)
        .bind(now)
        .bind(of)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    one(hit, || format!("ticket {of}"))
}

/// Moves a question to another ticket of its organisation and incident, with the ladders that are about it.
pub async fn move_question(tx: &mut Tx, question: &str, from: &str, to: &str) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(MOVE_QUESTION)
        .bind(to)
        .bind(question)
        .bind(from)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    one(hit, || format!("question {question}"))?;
    crate::search::follow(tx, question, to).await?;
    on!(tx, |c| sqlx::query(MOVE_LADDERS).bind(to).bind(from).bind(question).execute(c).await.map(drop))?;
    Ok(())
}

/// Adds a watcher.
pub async fn watch(tx: &mut Tx, ticket: &str, watcher: &str, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(WATCH).bind(ticket).bind(watcher).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Takes a watcher away; how many that were.
pub async fn unwatch(tx: &mut Tx, ticket: &str, watcher: &str) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(UNWATCH).bind(ticket).bind(watcher).execute(c).await.map(|done| done.rows_affected()))?)
}

/// Who watches a ticket, by name.
pub async fn watchers(conn: &mut Conn, ticket: &str) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(WATCHERS).bind(ticket).fetch_all(c).await)?)
}

/// Ends a ticket whose questions were moved: its mail lands in the other one.
pub async fn merge(tx: &mut Tx, ticket: &str, into: &str, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(TAKE_INBOUND).bind(into).bind(ticket).execute(c).await.map(drop))?;
    let hit = on!(tx, |c| sqlx::query(MERGE)
        .bind(now)
        .bind(into)
        .bind(ticket)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    one(hit, || format!("ticket {ticket}"))
}

/// Closes a ticket. The caller has shown that it is settled; the database checks it again.
pub async fn close(tx: &mut Tx, ticket: &str, now: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(CLOSE).bind(now).bind(ticket).execute(c).await.map(|done| done.rows_affected()))?;
    one(hit, || format!("ticket {ticket}"))
}

/// The questions of a ticket, oldest first.
pub async fn questions(conn: &mut Conn, ticket: &str) -> Result<Vec<QuestionRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(QUESTIONS).bind(ticket).fetch_all(c).await)?)
}

/// Those of them that are declined, oldest first.
pub async fn declined(conn: &mut Conn, ticket: &str) -> Result<Vec<QuestionRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(DECLINED).bind(ticket).fetch_all(c).await)?)
}

/// One question.
pub async fn question(conn: &mut Conn, id: &str) -> Result<Option<QuestionRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(QUESTION).bind(id).fetch_optional(c).await)?)
}

/// Who said first that a question was taken back.
pub async fn withdrawal_by(conn: &mut Conn, question: &str) -> Result<Option<String>, StoreError> {
    let found: Option<Option<String>> =
        on!(conn, |c| sqlx::query_scalar(WITHDRAWAL_BY).bind(question).fetch_optional(c).await)?;
    Ok(found.flatten())
}

/// What was declined or taken back in all parts of a conversation.
pub async fn ended_of_conversation(
    conn: &mut Conn,
    incident: i64,
    tenant: &str,
) -> Result<Vec<QuestionRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ENDED_OF_CONVERSATION).bind(incident).bind(tenant).fetch_all(c).await)?)
}

/// A ticket and all that was merged into it, one by one.
pub async fn with_merged(conn: &mut Conn, ticket: &TicketRow) -> Result<Vec<String>, StoreError> {
    let parts: Vec<(String, Option<String>)> =
        on!(conn, |c| sqlx::query_as(PARTS).bind(ticket.incident_id).bind(&ticket.tenant_id).fetch_all(c).await)?;
    let mut found = vec![ticket.id.clone()];
    let mut at = 0;
    while let Some(into) = found.get(at).cloned() {
        found.extend(parts.iter().filter(|(_, to)| to.as_ref() == Some(&into)).map(|(id, _)| id.clone()));
        at += 1;
    }
    Ok(found)
}

/// The questions of a ticket with the trust of the mail that each came in.
pub async fn trust_of_questions(conn: &mut Conn, ticket: &str) -> Result<Vec<(String, Option<String>)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(TRUST_OF_QUESTIONS).bind(ticket).fetch_all(c).await)?)
}

/// A question that is asked now.
#[derive(Debug)]
pub struct NewQuestion<'a> {
    /// `qst_…`.
    pub id: &'a str,
    /// Its ticket.
    pub ticket: &'a str,
    /// In the asker's words.
    pub text: &'a str,
    /// Address, or who entered it.
    pub asked_by: &'a str,
    /// Microseconds since the epoch.
    pub asked_at: i64,
    /// The mail it came in.
    pub inbound_id: Option<&'a str>,
}

/// Adds an open question; it is found by its words.
pub async fn insert_question(tx: &mut Tx, new: &NewQuestion<'_>) -> Result<(), StoreError> {
    crate::search::index(tx, new.id, new.ticket, new.text).await?;
    on!(tx, |c| sqlx::query(INSERT_QUESTION)
        .bind(new.id)
        .bind(new.ticket)
        .bind(new.text)
        .bind(new.asked_by)
        .bind(new.asked_at)
        .bind(new.inbound_id)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// What settles or moves a question.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// The entry answers it.
    Answer {
        /// `ent_…`.
        entry: &'a str,
    },
    /// The entry records that the asker took it back.
    Withdraw {
        /// `ent_…`.
        entry: &'a str,
        /// The mail in which they say so; none: a second person says it.
        mail: Option<&'a str>,
    },
    /// Somebody says that the asker took it back; it stays debt.
    ProposeWithdrawal {
        /// Who.
        by: &'a str,
    },
    /// An answer is promised.
    Promise {
        /// Microseconds since the epoch.
        by: i64,
    },
    /// Declining is proposed; it stays debt.
    ProposeDecline {
        /// Who.
        by: &'a str,
        /// The reason.
        why: &'a str,
        /// Microseconds since the epoch.
        review_at: i64,
    },
    /// A second person agrees.
    Decline {
        /// `ent_…`.
        entry: &'a str,
        /// The second person.
        by: &'a str,
    },
    /// What was declined waits again.
    Reopen {
        /// When its asker objected; none: one of our own people opens it.
        objected_at: Option<i64>,
    },
}

/// Changes a question that is debt, or was declined.
pub async fn change_question(
    tx: &mut Tx,
    ticket: &str,
    id: &str,
    now: i64,
    change: Change<'_>,
) -> Result<(), StoreError> {
    let hit = on!(tx, |c| {
        let query = match change {
            Change::Answer { entry } => sqlx::query(ANSWER).bind(now).bind(entry),
            Change::Withdraw { entry, mail } => sqlx::query(WITHDRAW).bind(now).bind(entry).bind(mail),
            Change::ProposeWithdrawal { by } => sqlx::query(PROPOSE_WITHDRAWAL).bind(by),
            Change::Promise { by } => sqlx::query(PROMISE).bind(by),
            Change::ProposeDecline { by, why, review_at } => {
                sqlx::query(PROPOSE_DECLINE).bind(by).bind(why).bind(review_at)
            }
            Change::Reopen { objected_at } => sqlx::query(REOPEN).bind(now).bind(objected_at),
            Change::Decline { entry, by } => sqlx::query(DECLINE).bind(now).bind(entry).bind(by),
        };
        query.bind(id).bind(ticket).execute(c).await.map(|done| done.rows_affected())
    })?;
    one(hit, || format!("question {id}"))
}

/// All lines of one kind in an incident's timelines, the oldest first.
pub async fn entries_of_kind(conn: &mut Conn, incident: i64, kind: &str) -> Result<Vec<EntryOf>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ENTRIES_OF_KIND).bind(incident).bind(kind).fetch_all(c).await)?)
}

/// Adds a line to a ticket's timeline; it is found by its words.
pub async fn insert_entry(tx: &mut Tx, ticket: &str, entry: &Entry) -> Result<(), StoreError> {
    insert_entry_as(tx, ticket, entry, &entry.body).await
}

/// Adds lines to the timelines of tickets, as (ticket, line).
pub async fn insert_entries(tx: &mut Tx, entries: &[(String, Entry)]) -> Result<(), StoreError> {
    for part in entries.chunks(ROWS_AN_INSERT) {
        let words: Vec<(&str, &str, &str)> =
            part.iter().map(|(ticket, entry)| (entry.id.as_str(), ticket.as_str(), entry.body.as_str())).collect();
        crate::search::index_many(tx, &words).await?;
        let head = "INSERT INTO ticket_entries (id, ticket_id, at, kind, actor, body)";
        let text = insert_text(tx.dialect(), head, 6, part.len(), "");
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (ticket, entry) in part {
                query = query
                    .bind(&entry.id)
                    .bind(ticket)
                    .bind(entry.at)
                    .bind(&entry.kind)
                    .bind(&entry.actor)
                    .bind(&entry.body);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Adds a line to a ticket's timeline that is found by more words than it shows: a mail by its subject, too.
pub async fn insert_entry_as(tx: &mut Tx, ticket: &str, entry: &Entry, found_by: &str) -> Result<(), StoreError> {
    crate::search::index(tx, &entry.id, ticket, found_by).await?;
    on!(tx, |c| sqlx::query(INSERT_ENTRY)
        .bind(&entry.id)
        .bind(ticket)
        .bind(entry.at)
        .bind(&entry.kind)
        .bind(&entry.actor)
        .bind(&entry.body)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// A ticket's timeline.
pub async fn entries(conn: &mut Conn, ticket: &str) -> Result<Vec<Entry>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ENTRIES).bind(ticket).fetch_all(c).await)?)
}
