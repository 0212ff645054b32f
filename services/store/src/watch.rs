//! What the engine has left undone, and when it was last through.
//!
//! Decides nothing. Invariant: no question has a lower bound of time: what was forgotten years ago is found as what was
//! forgotten today; each is answered by an index, and by a limit.

use crate::escalation::waits_since;
use crate::{Conn, StoreError, Tx};

/// Questions in a state whose time has passed, and whose ladder never started.
macro_rules! unstarted {
    ($policy:literal, $time:literal, $state:literal) => {
        concat!(
            "SELECT q.id, q.ticket_id AS about
            FROM questions q
            WHERE ",
            $state,
            " AND q.",
            $time,
            " <= $1
                AND NOT EXISTS (
                    SELECT 1 FROM escalations e
                    WHERE e.ticket_id = q.ticket_id AND e.policy = '",
            $policy,
            "' AND e.subject = q.id || '/' || CAST(q.",
            $time,
            " AS TEXT))
            ORDER BY q.",
            $time,
            ", q.id
            LIMIT $2"
        )
    };
}

statements! {
    TICKED = "
        INSERT INTO engine_ticks (one, ended_at, host)
        VALUES (1, $1, $2)
        ON CONFLICT (one) DO UPDATE SET ended_at = EXCLUDED.ended_at, host = EXCLUDED.host";
    LAST_TICK = "SELECT ended_at, host FROM engine_ticks WHERE one = 1";
    /// Running ladders without a next step, with what they fired.
    STEPLESS = "
        SELECT e.id, e.ticket_id, e.snapshot, e.carried, (SELECT COUNT(*) FROM firings f WHERE f.escalation_id = e.id) AS fired
        FROM escalations e
        WHERE e.ended_at IS NULL AND e.next_due_at IS NULL AND e.id > $1
        ORDER BY e.id
        LIMIT $2";
    OVERDUE = "
        SELECT id, ticket_id AS about
        FROM escalations
        WHERE ended_at IS NULL AND next_due_at IS NOT NULL AND next_due_at <= $1
        ORDER BY next_due_at, id
        LIMIT $2";
    DEBT = "
        SELECT t.id, t.id AS about
        FROM tickets t
        WHERE t.debt > 0
            AND NOT EXISTS (SELECT 1 FROM escalations e WHERE e.ticket_id = t.id AND e.policy = 'debt' AND e.ended_at IS NULL)
            AND EXISTS (
                SELECT 1 FROM questions q
                WHERE q.ticket_id = t.id AND q.state IN ('open', 'promised') AND COALESCE(q.reopened_at, q.asked_at) <= $1)
        ORDER BY t.id
        LIMIT $2";
    /// What was settled a moment ago is for the next tick to see.
    DEBT_ANEW = concat!("
        SELECT e.id, e.ticket_id AS about
        FROM tickets t
        JOIN escalations e ON e.ticket_id = t.id AND e.policy = 'debt' AND e.ended_at IS NULL
        WHERE t.debt > 0 AND NOT ", waits_since!("e"), "
            AND EXISTS (
                SELECT 1 FROM questions q
                WHERE q.ticket_id = t.id AND q.state IN ('open', 'promised') AND COALESCE(q.reopened_at, q.asked_at) <= $1)
            AND NOT EXISTS (SELECT 1 FROM questions s WHERE s.ticket_id = t.id AND s.settled_at > $1)
        ORDER BY e.id
        LIMIT $2");
    PROMISE = unstarted!("promise", "promised_by", "q.state = 'promised'");
    REVIEW = unstarted!("review", "review_at", "q.state = 'declined'");
    OBJECTION = unstarted!("objection", "objected_at", "q.objected_at IS NOT NULL AND q.state IN ('open', 'promised')");
    SILENCE = "
        SELECT t.id, t.id AS about
        FROM tickets t
        WHERE t.status = 'open' AND t.last_inbound_at IS NULL
            AND (SELECT e.id FROM escalations e WHERE e.ticket_id = t.id AND e.policy = 'silence' LIMIT 1) IS NULL
            AND (SELECT o.id FROM outbox o
                 WHERE o.ticket_id = t.id AND o.notice_id IS NOT NULL AND o.state = 'accepted' AND o.settled_at <= $1 LIMIT 1) IS NOT NULL
        ORDER BY t.id
        LIMIT $2";
    WITHHOLDING = "
        SELECT id, COALESCE(tenant_id, '') AS about
        FROM withholdings
        WHERE approved_at IS NOT NULL AND ended_at IS NULL AND review_at <= $1 AND climb_at <= $1
        ORDER BY review_at, id
        LIMIT $2";
    /// Newest released notices without a mail, where somebody could be written to.
    UNMAILED = "
        SELECT n.id, t.id AS about
        FROM notices n
        JOIN tickets t ON t.incident_id = n.incident_id AND t.tenant_id = n.tenant_id AND t.split_from IS NULL
        WHERE n.state = 'released' AND n.released_at <= $1
            AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.notice_id = n.id)
            AND NOT EXISTS (
                SELECT 1 FROM notices l
                WHERE l.incident_id = n.incident_id AND l.tenant_id = n.tenant_id AND l.state = 'released' AND l.version > n.version)
            AND EXISTS (
                SELECT 1 FROM contacts c
                WHERE c.tenant_id = n.tenant_id AND c.disabled_at IS NULL AND c.left_at IS NULL AND c.merged_into IS NULL AND c.role <> 'account-manager')
        ORDER BY n.id
        LIMIT $2";
    /// The states are those of the index, which SQLite has to see.
    MAIL_TOO_LATE = "
        SELECT id, COALESCE(ticket_id, '') AS about
        FROM outbox
        WHERE state IN ('queued', 'deferred', 'uncertain') AND state <> 'uncertain' AND next_at > $1
        ORDER BY next_at, id
        LIMIT $2";
    /// Mails of no wave: how fast a wave leaves is its own affair. What a person has to settle first is left out.
    MAIL_OVERDUE = "
        SELECT o.id, COALESCE(o.ticket_id, '') AS about
        FROM outbox o
        WHERE o.state IN ('queued', 'deferred', 'uncertain') AND o.state <> 'uncertain' AND o.next_at <= $1
            AND o.wave_id IS NULL AND o.under_wave IS NULL
            AND NOT EXISTS (SELECT 1 FROM installation i WHERE i.stopped_at IS NOT NULL)
            AND (o.notice_id IS NULL OR NOT EXISTS (SELECT 1 FROM mappings m WHERE m.incident_id = o.incident_id AND m.stale = 1))
            AND NOT EXISTS (SELECT 1 FROM mapping_decisions d
                WHERE d.incident_id = o.incident_id AND d.tenant_id = o.tenant_id AND d.decision = 'disputed' AND d.lapsed_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM denials y WHERE y.address = o.address AND y.settled_at IS NULL)
        ORDER BY o.next_at, o.id
        LIMIT $2";
    /// Since when everything is stopped, while mails wait.
    STOPPED = "
        SELECT 'installation' AS id, CAST(i.stopped_at AS TEXT) AS about
        FROM installation i
        WHERE i.stopped_at <= $1
            AND EXISTS (SELECT 1 FROM outbox o WHERE o.state IN ('queued', 'deferred', 'uncertain') AND o.state <> 'uncertain')
        LIMIT $2";
    MAIL_HELD = "
        SELECT id, COALESCE(ticket_id, '') AS about
        FROM outbox
        WHERE lease IS NOT NULL AND leased_at <= $1
        ORDER BY leased_at, id
        LIMIT $2";
    DUTY_LOOK = "
        SELECT i.slug AS id, i.slug AS about
        FROM duty_looks l
        JOIN incidents i ON i.id = l.incident_id
        WHERE l.look_at <= $1
        ORDER BY l.look_at, l.incident_id
        LIMIT $2";
    MAIL_UNFILED = "
        SELECT id, '' AS about
        FROM inbound
        WHERE state = 'stored' AND received_at <= $1
        ORDER BY received_at, id
        LIMIT $2";
    CALL_HELD = "
        SELECT id, webhook AS about
        FROM webhook_calls
        WHERE state = 'leased' AND leased_until <= $1
        ORDER BY leased_until, id
        LIMIT $2";
    CALL_OVERDUE = "
        SELECT c.id, c.webhook AS about
        FROM webhook_calls c
        WHERE c.state IN ('queued', 'deferred') AND c.next_at <= $1
            AND NOT EXISTS (
                SELECT 1 FROM webhook_calls e
                WHERE e.webhook = c.webhook AND e.alert = c.alert AND e.id < c.id AND e.state IN ('queued', 'leased', 'deferred'))
        ORDER BY c.next_at, c.id
        LIMIT $2";
    /// Of rungs that turn to nobody but that webhook.
    CALL_UNTAKEN = "
        SELECT c.id, c.webhook AS about
        FROM webhook_calls c
        JOIN firings f ON f.id = c.cause AND f.target = 'webhook:' || c.webhook
        WHERE c.state IN ('queued', 'deferred') AND c.created_at <= $1
        ORDER BY c.created_at, c.id
        LIMIT $2";
    CALL_TOO_LATE = "
        SELECT id, webhook AS about
        FROM webhook_calls
        WHERE state IN ('queued', 'deferred') AND next_at > $1
        ORDER BY next_at, id
        LIMIT $2";
}

/// What can be left undone. Its time is that of the store's clock, but for mails and calls, whose is the real one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undone {
    /// A running ladder whose next step was due before this.
    Overdue,
    /// A ticket with debt from before this and no ladder.
    Debt,
    /// A ticket with debt from before this whose ladder is measured from a question that is settled.
    DebtAnew,
    /// A promise that was to be kept before this and has no ladder.
    Promise,
    /// A declined question that was to be looked at before this and has no ladder.
    Review,
    /// An objection from before this without a ladder.
    Objection,
    /// An organisation that took its notice before this, has said nothing and has no ladder.
    Silence,
    /// A withholding that was to be looked at before this, and whose rung has not fired.
    Withholding,
    /// An incident whose clocks were to be looked at before this.
    DutyLook,
    /// A notice that was released before this and is in no mail.
    Unmailed,
    /// A mail that is due after this.
    MailTooLate,
    /// A mail of no wave that was due before this, and that nothing holds.
    MailOverdue,
    /// Everything is stopped since before this, and mails wait; it is about that time, in microseconds.
    Stopped,
    /// A mail that is held since before this.
    MailHeld,
    /// A mail that came in before this and was not filed.
    MailUnfiled,
    /// A call of a webhook that is held although its lease ended before this.
    CallHeld,
    /// A call of a webhook that was due before this.
    CallOverdue,
    /// A call of a rung that names only that webhook, from before this.
    CallUntaken,
    /// A call of a webhook that is due after this.
    CallTooLate,
}

/// Something that was left undone.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// The ticket, organisation or webhook that it is about; may be empty.
    pub about: String,
}

/// A running ladder without a next step.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Stepless {
    /// `esc_…`.
    pub id: String,
    /// Its ticket.
    pub ticket_id: String,
    /// JSON of the policy.
    pub snapshot: String,
    /// JSON of what the ladder before it had fired.
    pub carried: String,
    /// Firings so far.
    pub fired: i64,
}

/// When the engine was last through.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LastTick {
    /// Microseconds of real time.
    pub ended_at: i64,
    /// Where.
    pub host: String,
}

/// What was left undone at a time, some of it.
pub async fn undone(conn: &mut Conn, what: Undone, at: i64, limit: i64) -> Result<Vec<Found>, StoreError> {
    let text = match what {
        Undone::Overdue => OVERDUE,
        Undone::Debt => DEBT,
        Undone::DebtAnew => DEBT_ANEW,
        Undone::Promise => PROMISE,
        Undone::Review => REVIEW,
        Undone::Objection => OBJECTION,
        Undone::Silence => SILENCE,
        Undone::Withholding => WITHHOLDING,
        Undone::DutyLook => DUTY_LOOK,
        Undone::Unmailed => UNMAILED,
        Undone::MailTooLate => MAIL_TOO_LATE,
        Undone::MailOverdue => MAIL_OVERDUE,
        Undone::Stopped => STOPPED,
        Undone::MailHeld => MAIL_HELD,
        Undone::MailUnfiled => MAIL_UNFILED,
        Undone::CallHeld => CALL_HELD,
        Undone::CallOverdue => CALL_OVERDUE,
        Undone::CallUntaken => CALL_UNTAKEN,
        Undone::CallTooLate => CALL_TOO_LATE,
    };
    Ok(on!(conn, |c| sqlx::query_as(text).bind(at).bind(limit).fetch_all(c).await)?)
}

/// Running ladders without a next step, after one.
pub async fn stepless(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<Stepless>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(STEPLESS).bind(after).bind(limit).fetch_all(c).await)?)
}

/// Notes that the engine found nothing left to do.
pub async fn ticked(tx: &mut Tx, now: i64, host: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(TICKED).bind(now).bind(host).execute(c).await.map(drop))?;
    Ok(())
}

/// When the engine was last through; `None` = never.
pub async fn last_tick(conn: &mut Conn) -> Result<Option<LastTick>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LAST_TICK).fetch_optional(c).await)?)
}
