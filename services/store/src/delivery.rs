//! The outbox: one row a recipient, claims and leases.
//!
//! Waves are in `waves`, what settles an uncertain mail in `settlements`. Verdicts on attempts are written by `ledger`. Invariant: a row is claimed by one sender at a time, and a sender
//! that is gone loses its leases: what was at the dot becomes uncertain, the rest waits again.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;

use crate::notices::one;
use crate::rows::{ROWS_AN_INSERT, insert_text, list as list_of};
use crate::{Conn, Dialect, StoreError, Tx};

/// Whether a mail of the outbox, `o`, is to somebody who denied that anything is theirs. In that conversation an agent may
/// answer them; a mail to a contact that was disabled meanwhile goes on, to be suppressed.
macro_rules! denied {
    () => {
        "EXISTS (SELECT 1 FROM denials y
                        WHERE y.address = o.address AND y.settled_at IS NULL
                            AND (y.incident_id <> o.incident_id OR y.tenant_id <> o.tenant_id OR o.cause <> 'agent'
                                OR o.notice_id IS NOT NULL)
                            AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = o.contact_id
                                AND (c.disabled_at IS NOT NULL OR c.left_at IS NOT NULL OR c.merged_into IS NOT NULL)))"
    };
}

/// The order and conditions of a claim; PostgreSQL adds a clause that skips what others hold. While a verdict of an
/// incident is being looked at again, no notice of it leaves: it may be about a domain that has moved. Nothing at all leaves
/// to whoever says that it is not theirs, until a person has settled that; to whoever says that nothing is, in no incident.
/// `IS NOT TRUE` keeps PostgreSQL from joining what is asked of each mail: it takes a join to leave one row, and then reads
/// and sorts everything that is due before the limit.
macro_rules! claim {
    ($skip:literal) => {
        concat!(
            "UPDATE outbox
            SET state = 'leased', lease = $1, leased_at = $2, start_day = NULL
            WHERE id IN (
                SELECT o.id
                FROM outbox o
                WHERE o.state IN ('queued', 'deferred', 'uncertain') AND o.next_at <= $2
                    AND (EXISTS (SELECT 1 FROM waves w
                        WHERE w.id = COALESCE(o.wave_id, o.under_wave)
                            AND (w.paused_at IS NOT NULL OR w.domain_checked < $4))) IS NOT TRUE
                    AND (EXISTS (SELECT 1 FROM installation i WHERE i.stopped_at IS NOT NULL)) IS NOT TRUE
                    AND (o.notice_id IS NULL OR NOT EXISTS (SELECT 1 FROM mappings m
                        WHERE m.incident_id = o.incident_id AND m.stale = 1
                            AND m.incident_id IN (SELECT e.id FROM incidents e WHERE e.erased_at IS NULL)))
                    AND (EXISTS (SELECT 1 FROM mapping_decisions d
                        WHERE d.incident_id = o.incident_id AND d.tenant_id = o.tenant_id
                            AND d.decision = 'disputed' AND d.lapsed_at IS NULL)) IS NOT TRUE
                    AND (",
            denied!(),
            ") IS NOT TRUE
                ORDER BY o.next_at, o.id
                LIMIT $3",
            $skip,
            ")
            RETURNING id, incident_id, letter_id, COALESCE(wave_id, under_wave) AS wave_id, contact_id, address, name, message_id, reply_token, thread_id, cause, attempts,
                CASE WHEN attempts = 0 THEN 0
                    ELSE (SELECT COUNT(*) FROM attempts a WHERE a.outbox_id = outbox.id AND a.outcome = 'uncertain') END AS uncertain"
        )
    };
}

/// The state of a mail of which a try was not begun: what the try before left, where nobody knows how that ended, and
/// nobody has said.
macro_rules! not_begun {
    () => {
        "CASE WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.outbox_id = outbox.id AND a.attempt = outbox.attempts \
         AND a.outcome = 'uncertain' AND NOT EXISTS (SELECT 1 FROM settlements s \
         WHERE s.outbox_id = a.outbox_id AND s.attempt = a.attempt)) THEN 'uncertain' ELSE 'queued' END"
    };
}

pub(crate) use not_begun;

/// When a mail goes again that was at the dot and is uncertain now, its try being in the ledger already: `$1` for its first
/// copy, and for each further one twice as long later, by leases (`$2`) up to the longest wait (`$3`); never by itself (`$4`)
/// after so many tries (`$5`), or so many of which nobody knows the end (`$6`). As [`NextCopy`] has them.
macro_rules! again_at {
    () => {
        "CASE WHEN CAST($1 AS BIGINT) = CAST($4 AS BIGINT) OR attempts + 1 >= CAST($5 AS BIGINT)
                OR (SELECT COUNT(*) FROM attempts a WHERE a.outbox_id = outbox.id AND a.outcome = 'uncertain') >= CAST($6 AS BIGINT)
                THEN CAST($4 AS BIGINT)
            WHEN attempts >= 20 OR (CAST($2 AS BIGINT) << CAST(attempts AS INTEGER)) > CAST($3 AS BIGINT)
                THEN CAST($1 AS BIGINT) + CAST($3 AS BIGINT)
            ELSE CAST($1 AS BIGINT) + (CAST($2 AS BIGINT) << CAST(attempts AS INTEGER)) - CAST($2 AS BIGINT) END"
    };
}
pub(crate) use again_at;

statements! {
    /// SQLite has one writer: nothing to skip.
    CLAIM_SQLITE = claim!("");
    CLAIM_POSTGRES = claim!(" FOR UPDATE OF o SKIP LOCKED");
    HEARTBEAT = "
        INSERT INTO senders (id, started_at, alive_until)
        VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET alive_until = excluded.alive_until";
    FORGET_SENDER = "DELETE FROM senders WHERE id = $1";
    FORGET_DEAD_SENDERS = "
        DELETE FROM senders
        WHERE alive_until < $1 AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.lease = senders.id)";
    GIVE_BACK = concat!("
        UPDATE outbox
        SET state = ", not_begun!(), ", lease = NULL
        WHERE lease = $1 AND state = 'leased'");
    /// The ledger of attempts says what nobody saw the end of.
    LOST_ATTEMPTS = "
        INSERT INTO attempts (outbox_id, attempt, sender, started_at, ended_at, outcome, phase, reply, tls)
        SELECT o.id, o.attempts + 1, o.lease, $1, $1, 'uncertain', 'dot', 'the sender ended before the reply was recorded', ''
        FROM outbox o
        WHERE o.state = 'at_dot' AND NOT EXISTS (SELECT 1 FROM senders s WHERE s.id = o.lease AND s.alive_until >= $2)
        ON CONFLICT (outbox_id, attempt) DO NOTHING";
    LOST_AT_DOT = concat!("
        UPDATE outbox
        SET state = 'uncertain', lease = NULL, attempts = attempts + 1, last_reply = 'the sender ended before the reply was recorded',
            next_at = ", again_at!(), "
        WHERE state = 'at_dot' AND NOT EXISTS (SELECT 1 FROM senders s WHERE s.id = outbox.lease AND s.alive_until >= $7)");
    LOST_BEFORE_DOT = concat!("
        UPDATE outbox
        SET state = ", not_begun!(), ", lease = NULL
        WHERE state = 'leased' AND NOT EXISTS (SELECT 1 FROM senders s WHERE s.id = outbox.lease AND s.alive_until >= $1)");
    LEASED = "SELECT COUNT(*) FROM outbox WHERE lease IS NOT NULL";
    LEASES_TO_RECLAIM = "
        SELECT COUNT(*)
        FROM outbox
        WHERE lease IS NOT NULL AND NOT EXISTS (SELECT 1 FROM senders s WHERE s.id = outbox.lease AND s.alive_until >= $1)";
    DUE = concat!("
        SELECT COUNT(*)
        FROM (
            SELECT 1 AS due
            FROM outbox o
            WHERE o.state IN ('queued', 'deferred', 'uncertain') AND o.next_at <= $1
                AND (EXISTS (SELECT 1 FROM waves w
                    WHERE w.id = COALESCE(o.wave_id, o.under_wave) AND w.paused_at IS NOT NULL)) IS NOT TRUE
                AND (EXISTS (SELECT 1 FROM installation i WHERE i.stopped_at IS NOT NULL)) IS NOT TRUE
                AND (o.notice_id IS NULL OR NOT EXISTS (SELECT 1 FROM mappings m
                    WHERE m.incident_id = o.incident_id AND m.stale = 1
                        AND m.incident_id IN (SELECT e.id FROM incidents e WHERE e.erased_at IS NULL)))
                AND (EXISTS (SELECT 1 FROM mapping_decisions d
                    WHERE d.incident_id = o.incident_id AND d.tenant_id = o.tenant_id
                        AND d.decision = 'disputed' AND d.lapsed_at IS NULL)) IS NOT TRUE
                AND (", denied!(), ") IS NOT TRUE
            LIMIT 1
        ) AS first");
    /// Letters of agents that do not leave by themselves now: they are held, or were tried.
    HELD_ANSWERS = concat!("
        SELECT o.id, o.address, o.state
        FROM outbox o
        WHERE o.ticket_id = $1 AND o.cause = 'agent' AND (o.state IN ('deferred', 'uncertain')
            OR (o.state = 'queued' AND (EXISTS (SELECT 1 FROM mapping_decisions d
                WHERE d.incident_id = o.incident_id AND d.tenant_id = o.tenant_id
                    AND d.decision = 'disputed' AND d.lapsed_at IS NULL)
                OR ", denied!(), ")))
        ORDER BY o.id");
    LIST = "
        SELECT o.id, o.notice_id, o.tenant_id, o.address, o.state, o.attempts, o.message_id, o.last_reply, o.cause
        FROM outbox o
        WHERE o.incident_id = $1 AND o.notice_id IS NOT NULL
        ORDER BY o.tenant_id, o.id";
    BY_MESSAGE_ID = "
        SELECT o.id, o.notice_id, o.tenant_id, o.address, o.state, o.attempts, o.message_id, o.last_reply, o.cause
        FROM outbox o
        WHERE o.message_id = $1";
    ENTRY_OF = "SELECT cause_id FROM outbox WHERE id = $1 AND cause = 'agent'";
    TICKET_OF = "SELECT ticket_id FROM outbox WHERE id = $1";
    OF_TICKET = "
        SELECT o.id, o.notice_id, o.tenant_id, o.address, o.state, o.attempts, o.message_id, o.last_reply, o.cause
        FROM outbox o
        WHERE o.ticket_id = $1
        ORDER BY o.id";
    LETTERS_OF_TICKET = "
        SELECT o.id, o.letter_id, l.kind, l.subject, l.text, o.address, o.state, o.created_at, o.settled_at, o.last_reply
        FROM outbox o
        JOIN letters l ON l.id = o.letter_id
        WHERE o.ticket_id = $1
        ORDER BY o.created_at, o.id";
    OF_CONVERSATION = "
        SELECT o.id, o.notice_id, o.tenant_id, o.address, o.state, o.attempts, o.message_id, o.last_reply, o.cause
        FROM outbox o
        WHERE o.ticket_id IN (
            SELECT p.id FROM tickets t JOIN tickets p ON p.incident_id = t.incident_id AND p.tenant_id = t.tenant_id WHERE t.id = $1)
        ORDER BY o.id";
    BOUNCE_LATE = "
        UPDATE outbox
        SET state = 'bounced', settled_at = $1, last_reply = $2, lease = NULL
        WHERE id = $3 AND state IN ('accepted', 'uncertain', 'deferred', 'queued')";
    DEFER_LATE = "
        UPDATE outbox
        SET state = 'deferred', settled_at = NULL, next_at = $1, last_reply = $2
        WHERE id = $3 AND state IN ('accepted', 'uncertain')";
    CONFIRM = "
        UPDATE outbox
        SET state = 'accepted', settled_at = $1, last_reply = $2
        WHERE id = $3 AND state = 'uncertain'";
    /// What a sender holds is taken from it: its word before the dot is refused then.
    CALL_BACK = "
        UPDATE outbox
        SET state = 'cancelled', lease = NULL, settled_at = $1, last_reply = $2
        WHERE incident_id = $3 AND tenant_id = $4 AND notice_id IS NOT NULL
            AND state IN ('queued', 'leased', 'deferred', 'uncertain')";
    UNSENT_TENANTS = "
        SELECT DISTINCT tenant_id
        FROM outbox
        WHERE incident_id = $1 AND notice_id IS NOT NULL AND tenant_id IS NOT NULL
            AND state IN ('queued', 'leased', 'deferred', 'uncertain')
        ORDER BY tenant_id";
    WITHDRAW_UNSENT = "
        UPDATE notices
        SET state = 'withdrawn', withdrawn_at = $1
        WHERE incident_id = $2 AND tenant_id = $3 AND state = 'released'
            AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.notice_id = notices.id AND o.state IN ('accepted', 'at_dot'))
            AND NOT EXISTS (SELECT 1 FROM attempts a JOIN outbox o ON o.id = a.outbox_id WHERE o.notice_id = notices.id AND a.outcome = 'uncertain')";
    SEEN = "
        SELECT o.tenant_id, o.address, o.notice_id, n.version, n.kind, n.facts, o.settled_at, o.message_id, o.state
        FROM outbox o
        JOIN notices n ON n.id = o.notice_id
        WHERE o.incident_id = $1 AND (o.state IN ('accepted', 'at_dot', 'uncertain')
            OR EXISTS (SELECT 1 FROM attempts a WHERE a.outbox_id = o.id AND a.outcome IN ('accepted', 'uncertain')))
        ORDER BY o.tenant_id, o.settled_at, o.id";
    COUNT_BY_STATE = "SELECT state, COUNT(*) FROM outbox GROUP BY state";
    ATTEMPTS_OF = "
        SELECT attempt, sender, started_at, ended_at, outcome, phase, reply, tls, route
        FROM attempts
        WHERE outbox_id = $1
        ORDER BY attempt";
}

/// A mail that is to leave, as it is put into the outbox.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// `dlv_…` for a delivery of a notice, `out_…` for any other mail.
    pub id: String,
    /// `wave`, `agent` or `policy`.
    pub cause: &'static str,
    /// The wave, the ticket entry, the firing, the rung of the contact ladder.
    pub cause_id: String,
    /// With cause `wave`.
    pub wave_id: Option<String>,
    /// With cause `policy`: the wave whose pauses, stops and limits it obeys.
    pub under_wave: Option<String>,
    /// The frozen text.
    pub letter_id: String,
    /// With a notice.
    pub notice_id: Option<String>,
    /// The conversation it belongs to.
    pub ticket_id: Option<String>,
    /// Whose.
    pub tenant_id: Option<String>,
    /// To whom, where it is a contact.
    pub contact_id: Option<String>,
    /// To which address.
    pub address: String,
    /// To which name.
    pub name: String,
    /// Without angle brackets.
    pub message_id: String,
    /// The ticket's token, for Reply-To.
    pub reply_token: String,
    /// The Message-ID it follows.
    pub thread_id: Option<String>,
}

/// A mail that a sender holds.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Claimed {
    /// Its id.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// The frozen text.
    pub letter_id: String,
    /// The wave that it obeys, if one released it or its notice.
    pub wave_id: Option<String>,
    /// The contact, if it goes to one.
    pub contact_id: Option<String>,
    /// To which address.
    pub address: String,
    /// To which name.
    pub name: String,
    /// Without angle brackets.
    pub message_id: String,
    /// For Reply-To; empty = none.
    pub reply_token: String,
    /// The Message-ID it follows.
    pub thread_id: Option<String>,
    /// `wave`, `agent` or `policy`.
    pub cause: String,
    /// Tries so far.
    pub attempts: i64,
    /// Of these, those of which nobody knows how they ended.
    pub uncertain: i64,
}

/// A line of `delivery list`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// The notice.
    pub notice_id: Option<String>,
    /// Whose.
    pub tenant_id: Option<String>,
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

/// Puts mails into the outbox, due at `next_at` (real time). A row for the same notice and address, or with the same
/// Message-ID, is already there and stays. How many are new.
pub async fn insert_mails(
    tx: &mut Tx,
    incident: i64,
    created_at: i64,
    next_at: i64,
    mails: &[NewMail],
) -> Result<u64, StoreError> {
    let mut new = 0;
    for part in mails.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO outbox (id, incident_id, cause, cause_id, wave_id, under_wave, letter_id, notice_id, ticket_id, tenant_id, contact_id, \
             address, name, message_id, reply_token, thread_id, state, attempts, next_at, created_at, last_reply)",
            21,
            part.len(),
            "ON CONFLICT DO NOTHING",
        );
        new += on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for mail in part {
                query = query
                    .bind(&mail.id)
                    .bind(incident)
                    .bind(mail.cause)
                    .bind(&mail.cause_id)
                    .bind(&mail.wave_id)
                    .bind(&mail.under_wave)
                    .bind(&mail.letter_id)
                    .bind(&mail.notice_id)
                    .bind(&mail.ticket_id)
                    .bind(&mail.tenant_id)
                    .bind(&mail.contact_id)
                    .bind(&mail.address)
                    .bind(&mail.name)
                    .bind(&mail.message_id)
                    .bind(&mail.reply_token)
                    .bind(&mail.thread_id)
                    .bind("queued")
                    .bind(0_i64)
                    .bind(next_at)
                    .bind(created_at)
                    .bind("");
            }
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(new)
}

/// Which waves a sender may claim of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claims {
    /// Of all: its mail stays on the host.
    All,
    /// Of those whose sending domain is in order, or was never in question.
    Checked,
}

/// Leases up to `limit` mails that are due at `now` (real time) to a sender.
pub async fn claim(
    tx: &mut Tx,
    sender: &str,
    now: i64,
    limit: i64,
    claims: Claims,
) -> Result<Vec<Claimed>, StoreError> {
    let text = match tx.dialect() {
        Dialect::Sqlite => CLAIM_SQLITE,
        Dialect::Postgres => CLAIM_POSTGRES,
    };
    Ok(on!(tx, |c| sqlx::query_as(text)
        .bind(sender)
        .bind(now)
        .bind(limit)
        .bind(i64::from(claims == Claims::Checked))
        .fetch_all(c)
        .await)?)
}

/// Says that a sender lives until `alive_until` (real time).
pub async fn heartbeat(tx: &mut Tx, sender: &str, now: i64, alive_until: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(HEARTBEAT).bind(sender).bind(now).bind(alive_until).execute(c).await.map(drop))?;
    Ok(())
}

/// Gives back what a sender holds and has not begun to send, and forgets the sender.
pub async fn farewell(tx: &mut Tx, sender: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(GIVE_BACK).bind(sender).execute(c).await.map(drop))?;
    on!(tx, |c| sqlx::query(FORGET_SENDER).bind(sender).execute(c).await.map(drop))?;
    Ok(())
}

/// When what is uncertain goes again; microseconds.
#[derive(Debug, Clone, Copy)]
pub struct NextCopy {
    /// The first copy (real time); the greatest = never by itself.
    pub first_at: i64,
    /// Between the first and the second.
    pub lease: i64,
    /// Between any two.
    pub longest: i64,
    /// Tries after which nothing goes again by itself.
    pub max_attempts: i64,
    /// Tries of which nobody knows the end, the same.
    pub most_uncertain: i64,
}

/// Frees the leases of senders that were last alive before `now` (real time). How many became uncertain, and how many wait
/// again.
pub async fn reclaim(tx: &mut Tx, now: i64, clock: i64, next: NextCopy) -> Result<(u64, u64), StoreError> {
    on!(tx, |c| sqlx::query(LOST_ATTEMPTS).bind(clock).bind(now).execute(c).await.map(drop))?;
    let uncertain = on!(tx, |c| sqlx::query(LOST_AT_DOT)
        .bind(next.first_at)
        .bind(next.lease)
        .bind(next.longest)
        .bind(i64::MAX)
        .bind(next.max_attempts)
        .bind(next.most_uncertain)
        .bind(now)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    let waiting =
        on!(tx, |c| sqlx::query(LOST_BEFORE_DOT).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    on!(tx, |c| sqlx::query(FORGET_DEAD_SENDERS).bind(now).execute(c).await.map(drop))?;
    Ok((uncertain, waiting))
}

/// How many mails any sender holds.
pub async fn leased(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(LEASED).fetch_one(c).await)?)
}

/// How many leases belong to senders that are gone.
pub async fn to_reclaim(conn: &mut Conn, now: i64) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(LEASES_TO_RECLAIM).bind(now).fetch_one(c).await)?)
}

/// Whether a mail is due at `now` (real time) and free to go.
pub async fn is_due(conn: &mut Conn, now: i64) -> Result<bool, StoreError> {
    let count: i64 = on!(conn, |c| sqlx::query_scalar(DUE).bind(now).fetch_one(c).await)?;
    Ok(count > 0)
}

/// A letter of an agent that does not leave by itself now.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Held {
    /// Its id.
    pub id: String,
    /// To which address.
    pub address: String,
    /// A name of `model::delivery::State`.
    pub state: String,
}

/// The letters of agents in a ticket that are held, or were tried in vain so far.
pub async fn held_answers(conn: &mut Conn, ticket: &str) -> Result<Vec<Held>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(HELD_ANSWERS).bind(ticket).fetch_all(c).await)?)
}

/// The deliveries of an incident, by tenant.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<Delivery>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// The mail of a Message-ID.
pub async fn by_message_id(conn: &mut Conn, message_id: &str) -> Result<Option<Delivery>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_MESSAGE_ID).bind(message_id).fetch_optional(c).await)?)
}

/// Those of these Message-IDs that are of mails of ours.
pub async fn own_message_ids(conn: &mut Conn, ids: &[String]) -> Result<HashSet<String>, StoreError> {
    let mut own = HashSet::new();
    for part in ids.chunks(ROWS_AN_INSERT) {
        let text =
            format!("SELECT message_id FROM outbox WHERE message_id IN {}", list_of(conn.dialect(), 1, part.len()));
        let found: Vec<String> = on!(conn, |c| {
            let mut query = sqlx::query_scalar(AssertSqlSafe(text));
            for id in part {
                query = query.bind(id);
            }
            query.fetch_all(c).await
        })?;
        own.extend(found);
    }
    Ok(own)
}

/// The ticket a mail belongs to.
pub async fn ticket_of(conn: &mut Conn, id: &str) -> Result<Option<String>, StoreError> {
    let found: Option<Option<String>> = on!(conn, |c| sqlx::query_scalar(TICKET_OF).bind(id).fetch_optional(c).await)?;
    Ok(found.flatten())
}

/// The timeline entry that an agent's letter belongs to.
pub async fn entry_of(conn: &mut Conn, id: &str) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(ENTRY_OF).bind(id).fetch_optional(c).await)?)
}

/// A mail of a ticket as its timeline tells it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Sent {
    /// `dlv_…` or `out_…`.
    pub id: String,
    /// The same words to several readers have one.
    pub letter_id: String,
    /// What kind of letter.
    pub kind: String,
    /// Its subject.
    pub subject: String,
    /// Its words.
    pub text: String,
    /// To whom.
    pub address: String,
    /// A name of `model::delivery::State`.
    pub state: String,
    /// When it was written. Microseconds since the epoch.
    pub created_at: i64,
    /// When it was accepted, refused or given up. Microseconds since the epoch.
    pub settled_at: Option<i64>,
    /// What the other side said last.
    pub last_reply: String,
}

/// The mails of a ticket with their letters, by time.
pub async fn letters_of_ticket(conn: &mut Conn, ticket: &str) -> Result<Vec<Sent>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LETTERS_OF_TICKET).bind(ticket).fetch_all(c).await)?)
}

/// All mails of a ticket and of the other parts of its conversation, oldest first.
pub async fn of_conversation(conn: &mut Conn, ticket: &str) -> Result<Vec<Delivery>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(OF_CONVERSATION).bind(ticket).fetch_all(c).await)?)
}

/// All mails of a ticket, oldest first.
pub async fn of_ticket(conn: &mut Conn, ticket: &str) -> Result<Vec<Delivery>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(OF_TICKET).bind(ticket).fetch_all(c).await)?)
}

/// A report says that a mail was refused for good after all. Whether that changed anything.
pub async fn bounce_late(tx: &mut Tx, id: &str, now: i64, reply: &str) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(BOUNCE_LATE)
        .bind(now)
        .bind(reply)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// A report says that a mail was given up on the way for a reason that may pass: it goes again at `next_at` (real time).
pub async fn defer_late(tx: &mut Tx, id: &str, next_at: i64, reply: &str) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(DEFER_LATE)
        .bind(next_at)
        .bind(reply)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// A reply or report shows that an uncertain mail did arrive.
pub async fn confirm(tx: &mut Tx, id: &str, now: i64, why: &str) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(CONFIRM)
        .bind(now)
        .bind(why)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(one(hit, || id.to_owned()).is_ok())
}

/// A try as the ledger keeps it.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct AttemptRow {
    /// From 1.
    pub attempt: i64,
    /// Which sender.
    pub sender: String,
    /// Microseconds since the epoch.
    pub started_at: i64,
    /// Microseconds since the epoch.
    pub ended_at: i64,
    /// `accepted`, `transient`, `permanent`, `uncertain`.
    pub outcome: String,
    /// The SMTP phase it ended in.
    pub phase: String,
    /// What the other side said, or what failed.
    pub reply: String,
    /// Protocol and cipher, or empty.
    pub tls: String,
    /// The way out, or empty.
    pub route: String,
}

/// The tries of a mail.
pub async fn attempts_of(conn: &mut Conn, id: &str) -> Result<Vec<AttemptRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ATTEMPTS_OF).bind(id).fetch_all(c).await)?)
}

/// All mails by state.
pub async fn count_by_state(conn: &mut Conn) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(COUNT_BY_STATE).fetch_all(c).await)?)
}

/// The contacts of these mails that are disabled by now.
pub async fn disabled_among(
    conn: &mut Conn,
    mails: &[Claimed],
) -> Result<std::collections::BTreeSet<String>, StoreError> {
    let ids: Vec<&String> = mails.iter().filter_map(|mail| mail.contact_id.as_ref()).collect();
    let mut disabled = std::collections::BTreeSet::new();
    for part in ids.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT id FROM contacts WHERE (disabled_at IS NOT NULL OR left_at IS NOT NULL OR merged_into IS NOT NULL) AND id IN {}",
            list_of(conn.dialect(), 1, part.len())
        );
        let found: Vec<String> = on!(conn, |c| {
            let mut query = sqlx::query_scalar(AssertSqlSafe(text));
            for id in part {
                query = query.bind(*id);
            }
            query.fetch_all(c).await
        })?;
        disabled.extend(found);
    }
    Ok(disabled)
}

/// Tenants with notices that have not left, sorted.
pub async fn unsent_tenants(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(UNSENT_TENANTS).bind(incident).fetch_all(c).await)?)
}

/// Cancels the notices of a tenant that have not left; how many mails. A notice of which nothing left is withdrawn.
pub async fn call_back(tx: &mut Tx, incident: i64, tenant: &str, why: &str, now: i64) -> Result<u64, StoreError> {
    let mails = on!(tx, |c| sqlx::query(CALL_BACK)
        .bind(now)
        .bind(why)
        .bind(incident)
        .bind(tenant)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    on!(tx, |c| sqlx::query(WITHDRAW_UNSENT).bind(now).bind(incident).bind(tenant).execute(c).await.map(drop))?;
    Ok(mails)
}

/// The same of one tenant, or of all: none.
pub async fn call_back_of(
    tx: &mut Tx,
    incident: i64,
    tenant: Option<&str>,
    why: &str,
    now: i64,
) -> Result<u64, StoreError> {
    let tenants: Vec<String> = match tenant {
        Some(tenant) => vec![tenant.to_owned()],
        None => unsent_tenants(tx, incident).await?,
    };
    let mut mails = 0;
    for tenant in &tenants {
        mails += call_back(tx, incident, tenant, why, now).await?;
    }
    Ok(mails)
}

/// Lets mails of these notices go on that were called back; how many.
pub async fn requeue_called_back(tx: &mut Tx, notices: &[String], next_at: i64) -> Result<u64, StoreError> {
    let mut requeued = 0;
    for part in notices.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "UPDATE outbox SET state = 'queued', settled_at = NULL, next_at = {next_at}, last_reply = '' \
             WHERE state = 'cancelled' AND last_reply LIKE 'called back:%' AND notice_id IN {}",
            list_of(tx.dialect(), 1, part.len())
        );
        requeued += on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for id in part {
                query = query.bind(id);
            }
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(requeued)
}

/// A notice that somebody has, or may have.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Seen {
    /// Whose notice.
    pub tenant_id: Option<String>,
    /// Who got it.
    pub address: String,
    /// The notice.
    pub notice_id: String,
    /// Its version.
    pub version: i64,
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// JSON: every figure that it states.
    pub facts: String,
    /// When it was accepted, microseconds; none: nobody knows whether it was.
    pub settled_at: Option<i64>,
    /// Without angle brackets.
    pub message_id: String,
    /// Of the delivery.
    pub state: String,
}

/// Who got which notice of an incident, or may have got it.
pub async fn seen(conn: &mut Conn, incident: i64) -> Result<Vec<Seen>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(SEEN).bind(incident).fetch_all(c).await)?)
}

/// Puts mails back that a sender holds and has not begun to write, due at `next_at` (real time).
pub async fn give_back(tx: &mut Tx, sender: &str, ids: &[String], next_at: i64) -> Result<(), StoreError> {
    for part in ids.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "UPDATE outbox SET state = {}, lease = NULL, next_at = $1 WHERE lease = $2 AND state = 'leased' AND id IN {}",
            not_begun!(),
            list_of(tx.dialect(), 3, part.len())
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text)).bind(next_at).bind(sender);
            for id in part {
                query = query.bind(id);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
