//! Ladders that run, rungs that fired, tasks, and the questions whose answers say that a ladder should start or end.
//!
//! Computes no times: `model::escalation` does. Invariant: a rung fires once per repeat and target, by a unique key.

pub mod events;
pub mod policies;
pub mod probes;
pub mod unreached;

use sqlx::AssertSqlSafe;

use crate::notices::Notice;
use crate::rows::{ROWS_AN_INSERT, fetch_in, insert_text};
use crate::{Conn, StoreError, Tx};

/// A whole ladder; `$tail` says which.
macro_rules! ladder {
    ($tail:literal) => {
        concat!(
            "SELECT id, incident_id, ticket_id, policy, subject, snapshot, measured_from, started_at, ended_at, ended_why, next_due_at, carried
            FROM escalations ",
            $tail
        )
    };
}
pub(crate) use ladder;

/// Whether a question waits that is no younger than what a debt ladder is measured from. One that was moved or begun anew
/// is measured from where the first one was; and a further question beside the oldest changes nothing.
macro_rules! waits_since {
    ($ladder:literal) => {
        concat!(
            "EXISTS (
                        SELECT 1 FROM questions q
                        WHERE q.ticket_id = ",
            $ladder,
            ".ticket_id AND q.state IN ('open', 'promised') AND COALESCE(q.reopened_at, q.asked_at) <= ",
            $ladder,
            ".measured_from)"
        )
    };
}
pub(crate) use waits_since;

/// Whether a mail is of the newest released notice that its ticket has mails of: a version that came back is not made good
/// by one before it that was taken.
macro_rules! of_newest {
    ($mail:literal, $notice:literal) => {
        concat!(
            "NOT EXISTS (
                        SELECT 1 FROM outbox y
                        JOIN notices m ON m.id = y.notice_id AND m.state = 'released'
                        WHERE y.ticket_id = ",
            $mail,
            ".ticket_id AND m.version > ",
            $notice,
            ".version)"
        )
    };
}

/// Whether the newest released notice of a ladder's ticket was accepted or is on its way.
macro_rules! arrives {
    ($ladder:literal) => {
        concat!(
            "EXISTS (
                        SELECT 1 FROM outbox o
                        JOIN notices n ON n.id = o.notice_id AND n.state = 'released'
                        WHERE o.ticket_id = ",
            $ladder,
            ".ticket_id AND o.state NOT IN ('bounced', 'failed', 'suppressed', 'cancelled') AND ",
            of_newest!("o", "n"),
            ")"
        )
    };
}

/// Running ladders whose reason is gone, as the `END_…` statements see them; `$filter` narrows.
macro_rules! settled {
    ($filter:literal) => {
        concat!(
            "SELECT e.id
            FROM escalations e
            JOIN tickets t ON t.id = e.ticket_id
            WHERE ",
            $filter,
            " AND e.ended_at IS NULL
                AND ((e.policy = 'debt' AND NOT ",
            waits_since!("e"),
            ")
                    OR (e.policy = 'silence' AND (t.last_inbound_at IS NOT NULL OR t.status = 'closed'))
                    OR (e.policy = 'promise' AND NOT EXISTS (
                        SELECT 1 FROM questions q
                        WHERE q.ticket_id = e.ticket_id AND q.state = 'promised'
                            AND e.subject = q.id || '/' || CAST(q.promised_by AS TEXT)))
                    OR (e.policy = 'review' AND NOT EXISTS (
                        SELECT 1 FROM questions q
                        WHERE q.ticket_id = e.ticket_id AND q.state = 'declined'
                            AND e.subject = q.id || '/' || CAST(q.review_at AS TEXT)))
                    OR (e.policy = 'objection' AND NOT EXISTS (
                        SELECT 1 FROM questions q
                        WHERE q.ticket_id = e.ticket_id AND q.state IN ('open', 'promised')
                            AND e.subject = q.id || '/' || CAST(q.objected_at AS TEXT)))
                    OR (e.policy = 'unreachable' AND ",
            arrives!("e"),
            "))"
        )
    };
}

/// Questions, in a state, with a time from which a ladder is climbed that never started.
macro_rules! question_starts {
    ($policy:literal, $time:literal, $state:literal, $from:literal, $limit:literal) => {
        concat!(
            "SELECT q.ticket_id, t.incident_id, q.id || '/' || CAST(q.",
            $time,
            " AS TEXT) AS subject, q.",
            $time,
            " AS measured_from
            FROM questions q
            JOIN tickets t ON t.id = q.ticket_id
            WHERE ",
            $state,
            " AND q.id >= ",
            $from,
            "
                AND NOT EXISTS (
                    SELECT 1 FROM escalations e
                    WHERE e.ticket_id = q.ticket_id AND e.policy = '",
            $policy,
            "' AND e.subject = q.id || '/' || CAST(q.",
            $time,
            " AS TEXT))
            ORDER BY q.id
            LIMIT ",
            $limit
        )
    };
}

// Grouped by the ticket's key alone: with a second column beside it SQLite reads and sorts all tickets before it can
// stop at the limit.
statements! {
    /// Tickets with debt and no ladder that is measured from the oldest question or from later: where that one is settled,
    /// its ladder ends and another one starts.
    DEBT_STARTS = concat!("
        SELECT t.id AS ticket_id, t.incident_id, t.id AS subject, MIN(COALESCE(q.reopened_at, q.asked_at)) AS measured_from
        FROM tickets t
        JOIN questions q ON q.ticket_id = t.id AND q.state IN ('open', 'promised')
        WHERE t.debt > 0 AND t.id >= $1
            AND NOT EXISTS (SELECT 1 FROM escalations e WHERE e.ticket_id = t.id AND e.policy = 'debt' AND e.ended_at IS NULL AND ", waits_since!("e"), ")
        GROUP BY t.id
        ORDER BY t.id
        LIMIT $2");
    /// Promises that have passed and whose ladder never started.
    PROMISE_STARTS = question_starts!("promise", "promised_by", "q.state = 'promised' AND q.promised_by <= $1", "$2", "$3");
    /// Declined questions whose review is due and whose ladder never started.
    REVIEW_STARTS = question_starts!("review", "review_at", "q.state = 'declined' AND q.review_at <= $1", "$2", "$3");
    /// Questions that wait again because their asker objects, and whose ladder never started.
    OBJECTION_STARTS = question_starts!(
        "objection",
        "objected_at",
        "q.objected_at IS NOT NULL AND q.state IN ('open', 'promised')",
        "$1",
        "$2"
    );
    /// Open tickets with an accepted notice, no word from a person, and no ladder yet. Asked of each ticket in its order, so
    /// that the limit ends it: joined, PostgreSQL reads all that are open each time.
    SILENCE_STARTS = "
        SELECT t.id AS ticket_id, t.incident_id, t.id AS subject,
            (SELECT MIN(o.settled_at) FROM outbox o
             WHERE o.ticket_id = t.id AND o.notice_id IS NOT NULL AND o.state = 'accepted') AS measured_from
        FROM tickets t
        WHERE t.status = 'open' AND t.last_inbound_at IS NULL AND t.id >= $1
            AND (SELECT e.id FROM escalations e WHERE e.ticket_id = t.id AND e.policy = 'silence' LIMIT 1) IS NULL
            AND (SELECT o.id FROM outbox o
                 WHERE o.ticket_id = t.id AND o.notice_id IS NOT NULL AND o.state = 'accepted' LIMIT 1) IS NOT NULL
        ORDER BY t.id
        LIMIT $2";
    /// Tickets of whose newest notice no mail was accepted and none is on its way: without a ladder yet, or with a contact
    /// that is new since it started. Whether that one may be written to is for the caller to say.
    STRANDED = concat!("
        SELECT t.id AS ticket_id, t.incident_id, t.id AS subject, MAX(o.settled_at) AS measured_from
        FROM tickets t
        JOIN outbox o ON o.ticket_id = t.id AND o.notice_id IS NOT NULL
        JOIN notices n ON n.id = o.notice_id AND n.state = 'released'
        WHERE t.id >= $1
            AND t.id IN (
                SELECT r.ticket_id FROM outbox r
                WHERE r.notice_id IS NOT NULL AND r.state IN ('bounced', 'failed', 'suppressed'))
            AND ", of_newest!("o", "n"), "
            AND (NOT EXISTS (SELECT 1 FROM escalations e WHERE e.ticket_id = t.id AND e.policy = 'unreachable' AND e.ended_at IS NULL)
                OR EXISTS (
                    SELECT 1 FROM contacts c
                    WHERE c.tenant_id = t.tenant_id AND c.disabled_at IS NULL AND c.left_at IS NULL AND c.merged_into IS NULL AND c.role <> 'account-manager'
                        AND NOT EXISTS (SELECT 1 FROM outbox x WHERE x.notice_id = n.id AND x.address = c.address)))
        GROUP BY t.id
        HAVING COUNT(*) FILTER (WHERE o.state NOT IN ('bounced', 'failed', 'suppressed', 'cancelled')) = 0
            AND COUNT(*) FILTER (WHERE o.state IN ('bounced', 'failed', 'suppressed')) > 0
        ORDER BY t.id
        LIMIT $2");
    /// States of the mails of a ticket's newest released notice.
    NEWEST_STATES = concat!("
        SELECT o.state
        FROM outbox o
        JOIN notices n ON n.id = o.notice_id AND n.state = 'released'
        WHERE o.ticket_id = $1 AND ", of_newest!("o", "n"));
    TRIED = "SELECT address FROM outbox WHERE notice_id = $1";
    RUNS = "SELECT id FROM escalations WHERE ticket_id = $1 AND policy = $2 AND ended_at IS NULL LIMIT 1";
    TASK_OF = "SELECT id FROM tasks WHERE unique_key = $1";
    /// Ids alone: what they climb is read under their tickets' locks, and where nothing is due nothing is read.
    DUE = "
        SELECT id, ticket_id
        FROM escalations
        WHERE ended_at IS NULL AND next_due_at IS NOT NULL AND next_due_at <= $1
        ORDER BY next_due_at, id
        LIMIT $2";
    LIST = ladder!("WHERE incident_id = $1 ORDER BY id");
    BY_ID = ladder!("WHERE id = $1");
    RUNNING_AMONG = ladder!("WHERE ended_at IS NULL AND id IN ('values') ORDER BY next_due_at, id");
    SETTLED_AMONG = settled!("e.id IN ('values')");
    FIRINGS_AMONG = "
        SELECT id, escalation_id, rung, repeat, due_at, fired_at, target, acknowledged_at, acknowledged_by
        FROM firings
        WHERE escalation_id IN ('values')
        ORDER BY escalation_id, rung, repeat, target";
    /// Running ladders with a rung in office hours.
    LOOK_AGAIN = "
        UPDATE escalations
        SET next_due_at = $1
        WHERE ended_at IS NULL AND next_due_at > $1 AND snapshot LIKE '%\"hours\":\"business\"%'";
    SET_NEXT = "UPDATE escalations SET next_due_at = $1 WHERE id = $2";
    /// Ladders whose reason is gone.
    END_DEBT = concat!("
        UPDATE escalations
        SET ended_at = $1,
            ended_why = CASE WHEN EXISTS (SELECT 1 FROM tickets t WHERE t.id = escalations.ticket_id AND t.debt > 0)
                THEN 'the question that it was climbed for is settled' ELSE 'every question is settled' END
        WHERE ended_at IS NULL AND policy = 'debt' AND NOT ", waits_since!("escalations"));
    END_PROMISE = "
        UPDATE escalations
        SET ended_at = $1, ended_why = 'the promise is kept or renewed'
        WHERE ended_at IS NULL AND policy = 'promise'
            AND NOT EXISTS (
                SELECT 1 FROM questions q
                WHERE q.ticket_id = escalations.ticket_id AND q.state = 'promised'
                    AND escalations.subject = q.id || '/' || CAST(q.promised_by AS TEXT))";
    END_REVIEW = "
        UPDATE escalations
        SET ended_at = $1, ended_why = 'the question is open again, or answered'
        WHERE ended_at IS NULL AND policy = 'review'
            AND NOT EXISTS (
                SELECT 1 FROM questions q
                WHERE q.ticket_id = escalations.ticket_id AND q.state = 'declined'
                    AND escalations.subject = q.id || '/' || CAST(q.review_at AS TEXT))";
    END_OBJECTION = "
        UPDATE escalations
        SET ended_at = $1, ended_why = 'the question is settled'
        WHERE ended_at IS NULL AND policy = 'objection'
            AND NOT EXISTS (
                SELECT 1 FROM questions q
                WHERE q.ticket_id = escalations.ticket_id AND q.state IN ('open', 'promised')
                    AND escalations.subject = q.id || '/' || CAST(q.objected_at AS TEXT))";
    END_SILENCE = "
        UPDATE escalations
        SET ended_at = $1, ended_why = 'a person wrote, or the ticket is closed'
        WHERE ended_at IS NULL AND policy = 'silence'
            AND EXISTS (
                SELECT 1 FROM tickets t
                WHERE t.id = escalations.ticket_id AND (t.last_inbound_at IS NOT NULL OR t.status = 'closed'))";
    END_UNREACHABLE = concat!("
        UPDATE escalations
        SET ended_at = $1, ended_why = 'a notice was accepted or is on its way'
        WHERE ended_at IS NULL AND policy = 'unreachable' AND ", arrives!("escalations"));
    TO_END = concat!("
        SELECT
            (SELECT COUNT(*) FROM escalations e WHERE e.ended_at IS NULL AND e.policy = 'debt' AND NOT ", waits_since!("e"), ")
          + (SELECT COUNT(*) FROM escalations e JOIN tickets t ON t.id = e.ticket_id
             WHERE e.ended_at IS NULL AND e.policy = 'silence' AND (t.last_inbound_at IS NOT NULL OR t.status = 'closed'))
          + (SELECT COUNT(*) FROM escalations e
             WHERE e.ended_at IS NULL AND e.policy = 'promise' AND NOT EXISTS (
                SELECT 1 FROM questions q
                WHERE q.ticket_id = e.ticket_id AND q.state = 'promised'
                    AND e.subject = q.id || '/' || CAST(q.promised_by AS TEXT)))
          + (SELECT COUNT(*) FROM escalations e
             WHERE e.ended_at IS NULL AND e.policy = 'review' AND NOT EXISTS (
                SELECT 1 FROM questions q
                WHERE q.ticket_id = e.ticket_id AND q.state = 'declined'
                    AND e.subject = q.id || '/' || CAST(q.review_at AS TEXT)))
          + (SELECT COUNT(*) FROM escalations e
             WHERE e.ended_at IS NULL AND e.policy = 'objection' AND NOT EXISTS (
                SELECT 1 FROM questions q
                WHERE q.ticket_id = e.ticket_id AND q.state IN ('open', 'promised')
                    AND e.subject = q.id || '/' || CAST(q.objected_at AS TEXT)))
          + (SELECT COUNT(*) FROM escalations e
             WHERE e.ended_at IS NULL AND e.policy = 'unreachable' AND ", arrives!("e"), ")");
    FIRINGS_OF = "
        SELECT id, escalation_id, rung, repeat, due_at, fired_at, target, acknowledged_at, acknowledged_by
        FROM firings
        WHERE escalation_id = $1
        ORDER BY rung, repeat, target";
    FIRINGS = "
        SELECT f.id, f.escalation_id, f.rung, f.repeat, f.due_at, f.fired_at, f.target, f.acknowledged_at, f.acknowledged_by
        FROM firings f
        JOIN escalations e ON e.id = f.escalation_id
        WHERE e.incident_id = $1
        ORDER BY f.escalation_id, f.rung, f.repeat, f.target";
    ACKNOWLEDGE = "
        UPDATE firings
        SET acknowledged_at = $1, acknowledged_by = $2
        WHERE escalation_id = $3 AND acknowledged_at IS NULL";
    OPEN_TASKS = "
        SELECT id, tenant_id, ticket_id, kind, target, text, created_at, due_at
        FROM tasks
        WHERE incident_id = $1 AND done_at IS NULL
        ORDER BY due_at, id
        LIMIT $2";
    TASKS_OF_KIND =
        "SELECT unique_key, created_at, done_at FROM tasks WHERE incident_id = $1 AND kind = $2 ORDER BY unique_key";
    HAS_OPEN_TASK = "SELECT id FROM tasks WHERE unique_key = $1 AND done_at IS NULL";
    FINISH_TASK = "UPDATE tasks SET done_at = $1, done_by = $2 WHERE id = $3 AND done_at IS NULL";
    TASK_DONE_AT = "SELECT done_at FROM tasks WHERE id = $1";
    SETTLED_OF_INCIDENT = settled!("e.incident_id = $1");
    NEWEST_RELEASED = "
        SELECT n.id, n.tenant_id, n.kind, n.version, n.state, n.code, n.facts_digest, n.drafted_by, n.approved_by, n.approved_digest, n.approved_ladder, n.released_at,
            (SELECT MAX(r.released_at) FROM notices r WHERE r.incident_id = n.incident_id AND r.tenant_id = n.tenant_id AND r.version < n.version) AS earlier_at
        FROM notices n
        WHERE n.incident_id = $1 AND n.tenant_id = $2 AND n.state = 'released'
        ORDER BY n.version DESC
        LIMIT 1";
}

/// A ladder that should start.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Start {
    /// The ticket.
    pub ticket_id: String,
    /// The incident.
    pub incident_id: i64,
    /// The ticket, or question and promised time.
    pub subject: String,
    /// Microseconds since the epoch.
    pub measured_from: i64,
}

impl Start {
    /// Its place among those of one reason, which come in this order: the ticket, or the question.
    pub fn place(&self) -> &str {
        self.subject.split('/').next().unwrap_or_default()
    }
}

/// A ladder.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Escalation {
    /// `esc_…`.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// The ticket.
    pub ticket_id: String,
    /// A name of `model::escalation::PolicyName`.
    pub policy: String,
    /// What it is about.
    pub subject: String,
    /// JSON of the policy as it was at the start.
    pub snapshot: String,
    /// Microseconds since the epoch.
    pub measured_from: i64,
    /// Microseconds since the epoch.
    pub started_at: i64,
    /// Microseconds since the epoch.
    pub ended_at: Option<i64>,
    /// Why it ended.
    pub ended_why: Option<String>,
    /// The earliest rung that has not fired.
    pub next_due_at: Option<i64>,
    /// JSON of the firings that count because the ladder before it had them: rung, repeat and target of each.
    pub carried: String,
}

/// A rung that fired.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Firing {
    /// `fir_…`.
    pub id: String,
    /// The ladder.
    pub escalation_id: String,
    /// From 1.
    pub rung: i64,
    /// From 0.
    pub repeat: i64,
    /// Microseconds since the epoch.
    pub due_at: i64,
    /// Microseconds since the epoch.
    pub fired_at: i64,
    /// A name of `model::escalation::Target`.
    pub target: String,
    /// Microseconds since the epoch.
    pub acknowledged_at: Option<i64>,
    /// Who.
    pub acknowledged_by: Option<String>,
}

/// Work for a person.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct Task {
    /// `tsk_…`.
    pub id: String,
    /// About whom.
    pub tenant_id: Option<String>,
    /// About which conversation.
    pub ticket_id: Option<String>,
    /// `escalation`, `unreachable`, `no-contact`, `reach-account-manager`, `reach-letter`, `reach-failed`, `watch`, `webhook`.
    pub kind: String,
    /// For whom.
    pub target: String,
    /// What.
    pub text: String,
    /// Microseconds since the epoch.
    pub created_at: i64,
    /// Microseconds since the epoch.
    pub due_at: i64,
}

/// Which ladders should start. `now` matters for promises and reviews alone.
#[derive(Debug, Clone, Copy)]
pub enum Reason {
    /// A question waits.
    Debt,
    /// A promise has passed.
    Promise,
    /// A declined question is to be looked at again.
    Review,
    /// An asker objects to a decline.
    Objection,
    /// Nobody has written.
    Silence,
    /// No notice has arrived and none is on its way.
    Stranded,
}

/// Ladders that should start, or, for [`Reason::Stranded`], tickets that need a next contact or a ladder: of those from
/// the [`Start::place`] `from` on.
pub async fn starts(
    conn: &mut Conn,
    reason: Reason,
    now: i64,
    from: &str,
    limit: i64,
) -> Result<Vec<Start>, StoreError> {
    Ok(on!(conn, |c| {
        let query = match reason {
            Reason::Debt => sqlx::query_as(DEBT_STARTS).bind(from),
            Reason::Promise => sqlx::query_as(PROMISE_STARTS).bind(now).bind(from),
            Reason::Review => sqlx::query_as(REVIEW_STARTS).bind(now).bind(from),
            Reason::Objection => sqlx::query_as(OBJECTION_STARTS).bind(from),
            Reason::Silence => sqlx::query_as(SILENCE_STARTS).bind(from),
            Reason::Stranded => sqlx::query_as(STRANDED).bind(from),
        };
        query.bind(limit).fetch_all(c).await
    })?)
}

/// Starts ladders; how many. Where one runs already, it stays.
pub async fn insert(tx: &mut Tx, escalations: &[Escalation]) -> Result<u64, StoreError> {
    let mut new = 0;
    for part in escalations.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO escalations (id, incident_id, ticket_id, policy, subject, snapshot, measured_from, started_at, next_due_at, carried)",
            10,
            part.len(),
            "ON CONFLICT DO NOTHING",
        );
        new += on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for escalation in part {
                query = query
                    .bind(&escalation.id)
                    .bind(escalation.incident_id)
                    .bind(&escalation.ticket_id)
                    .bind(&escalation.policy)
                    .bind(&escalation.subject)
                    .bind(&escalation.snapshot)
                    .bind(escalation.measured_from)
                    .bind(escalation.started_at)
                    .bind(escalation.next_due_at)
                    .bind(&escalation.carried);
            }
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(new)
}

/// Ladders with a rung that is due, as (ladder, ticket).
pub async fn due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<(String, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(DUE).bind(now).bind(limit).fetch_all(c).await)?)
}

/// All ladders of an incident, oldest first.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<Escalation>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// One ladder.
pub async fn by_id(conn: &mut Conn, id: &str) -> Result<Option<Escalation>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_ID).bind(id).fetch_optional(c).await)?)
}

/// Those of some ladders that run and whose reason is not gone.
pub async fn running_among(conn: &mut Conn, ids: &[String]) -> Result<Vec<Escalation>, StoreError> {
    let mut found: Vec<Escalation> = fetch_in(conn, RUNNING_AMONG, ids).await?;
    let settled: Vec<(String,)> = fetch_in(conn, SETTLED_AMONG, ids).await?;
    found.retain(|ladder| !settled.iter().any(|(id,)| *id == ladder.id));
    Ok(found)
}

/// The firings of some ladders.
pub async fn firings_among(conn: &mut Conn, ladders: &[String]) -> Result<Vec<Firing>, StoreError> {
    fetch_in(conn, FIRINGS_AMONG, ladders).await
}

/// Has the next tick look at every running ladder that has a rung in office hours.
pub async fn look_again_at_office_hours(tx: &mut Tx, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(LOOK_AGAIN).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Writes when the next rung is due.
pub async fn set_next(tx: &mut Tx, id: &str, next: Option<i64>) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(SET_NEXT).bind(next).bind(id).execute(c).await.map(drop))?;
    Ok(())
}

/// Ends every ladder whose reason is gone; how many.
pub async fn end_settled(tx: &mut Tx, now: i64) -> Result<u64, StoreError> {
    let mut ended = 0;
    for text in [END_DEBT, END_PROMISE, END_REVIEW, END_OBJECTION, END_SILENCE, END_UNREACHABLE] {
        ended += on!(tx, |c| sqlx::query(text).bind(now).execute(c).await.map(|done| done.rows_affected()))?;
    }
    Ok(ended)
}

/// How many ladders run whose reason is gone.
pub async fn to_end(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(TO_END).fetch_one(c).await)?)
}

/// Records that rungs fire; how many of them have not fired before.
pub async fn insert_firings(tx: &mut Tx, firings: &[Firing]) -> Result<u64, StoreError> {
    let mut new = 0;
    for part in firings.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO firings (id, escalation_id, rung, repeat, due_at, fired_at, target)",
            7,
            part.len(),
            "ON CONFLICT (escalation_id, rung, repeat, target) DO NOTHING",
        );
        new += on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for firing in part {
                query = query
                    .bind(&firing.id)
                    .bind(&firing.escalation_id)
                    .bind(firing.rung)
                    .bind(firing.repeat)
                    .bind(firing.due_at)
                    .bind(firing.fired_at)
                    .bind(&firing.target);
            }
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(new)
}

/// The firings of one ladder.
pub async fn firings_of(conn: &mut Conn, escalation: &str) -> Result<Vec<Firing>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(FIRINGS_OF).bind(escalation).fetch_all(c).await)?)
}

/// All firings of an incident.
pub async fn firings(conn: &mut Conn, incident: i64) -> Result<Vec<Firing>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(FIRINGS).bind(incident).fetch_all(c).await)?)
}

/// Acknowledges what has fired of a ladder; how many firings.
pub async fn acknowledge(tx: &mut Tx, escalation: &str, actor: &str, now: i64) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(ACKNOWLEDGE)
        .bind(now)
        .bind(actor)
        .bind(escalation)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// A task with the key that lets it exist once.
#[derive(Debug)]
pub struct NewTask<'a> {
    /// The incident.
    pub incident: i64,
    /// The task.
    pub task: &'a Task,
    /// What it is for; a second one with this key is not made.
    pub unique_key: &'a str,
}

/// Adds a task, once per key; how many are new.
pub async fn insert_task(tx: &mut Tx, new: &NewTask<'_>) -> Result<u64, StoreError> {
    insert_tasks(tx, std::slice::from_ref(new)).await
}

/// Adds tasks, each once per key; how many are new.
pub async fn insert_tasks(tx: &mut Tx, tasks: &[NewTask<'_>]) -> Result<u64, StoreError> {
    let mut new = 0;
    for part in tasks.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO tasks (id, incident_id, tenant_id, ticket_id, kind, target, text, unique_key, created_at, due_at)",
            10,
            part.len(),
            "ON CONFLICT (unique_key) DO NOTHING",
        );
        new += on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for NewTask { incident, task, unique_key } in part {
                query = query
                    .bind(&task.id)
                    .bind(incident)
                    .bind(&task.tenant_id)
                    .bind(&task.ticket_id)
                    .bind(&task.kind)
                    .bind(&task.target)
                    .bind(&task.text)
                    .bind(*unique_key)
                    .bind(task.created_at)
                    .bind(task.due_at);
            }
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(new)
}

/// All tasks of a kind that an incident has or had, as (key, made at, done at).
pub async fn tasks_of_kind(
    conn: &mut Conn,
    incident: i64,
    kind: &str,
) -> Result<Vec<(String, i64, Option<i64>)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(TASKS_OF_KIND).bind(incident).bind(kind).fetch_all(c).await)?)
}

/// Tasks that are not done, by due time.
pub async fn open_tasks(conn: &mut Conn, incident: i64, limit: i64) -> Result<Vec<Task>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(OPEN_TASKS).bind(incident).bind(limit).fetch_all(c).await)?)
}

/// Marks a task as done.
pub async fn finish_task(tx: &mut Tx, id: &str, actor: &str, now: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(FINISH_TASK)
        .bind(now)
        .bind(actor)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || format!("task {id}"))
}

/// Whether the task of a key is open.
pub async fn has_open_task(conn: &mut Conn, unique_key: &str) -> Result<bool, StoreError> {
    let found: Option<String> =
        on!(conn, |c| sqlx::query_scalar(HAS_OPEN_TASK).bind(unique_key).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// When a task was done: `None` = no such task, `Some(None)` = it is open.
pub async fn task_done_at(conn: &mut Conn, id: &str) -> Result<Option<Option<i64>>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(TASK_DONE_AT).bind(id).fetch_optional(c).await)?)
}

/// Whether there is or was a task of a key.
pub async fn has_task(conn: &mut Conn, unique_key: &str) -> Result<bool, StoreError> {
    let found: Option<String> = on!(conn, |c| sqlx::query_scalar(TASK_OF).bind(unique_key).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// Whether a ladder of a policy runs for a ticket.
pub async fn runs(conn: &mut Conn, ticket: &str, policy: &str) -> Result<bool, StoreError> {
    let found: Option<String> =
        on!(conn, |c| sqlx::query_scalar(RUNS).bind(ticket).bind(policy).fetch_optional(c).await)?;
    Ok(found.is_some())
}

/// The states of the mails of a ticket's newest released notice.
pub async fn newest_states(conn: &mut Conn, ticket: &str) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(NEWEST_STATES).bind(ticket).fetch_all(c).await)?)
}

/// Addresses that have a row for a notice, in whichever ticket.
pub async fn tried(conn: &mut Conn, notice: &str) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(TRIED).bind(notice).fetch_all(c).await)?)
}

/// The ladders of an incident that run although their reason is gone.
pub async fn settled(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(SETTLED_OF_INCIDENT).bind(incident).fetch_all(c).await)?)
}

/// The newest notice of a tenant that was released.
pub async fn newest_released(conn: &mut Conn, incident: i64, tenant: &str) -> Result<Option<Notice>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(NEWEST_RELEASED).bind(incident).bind(tenant).fetch_optional(c).await)?)
}
