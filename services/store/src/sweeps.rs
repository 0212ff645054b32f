//! What a sweep finds that no job and no sender looks at any more.
//!
//! Frees no lease of a sender that is gone (`delivery` does). Invariant: no statement has a lower bound of time, so what
//! was overlooked for a year is found like what was overlooked for a minute.

use crate::delivery::{NextCopy, again_at, not_begun};
use crate::{Conn, StoreError, Tx};

statements! {
    /// Tickets whose organisation's newest released notice was never put into the outbox, and who could be written to.
    NEVER_QUEUED = "
        SELECT t.id
        FROM notices n
        JOIN tickets t ON t.incident_id = n.incident_id AND t.tenant_id = n.tenant_id AND t.split_from IS NULL
        WHERE n.state = 'released' AND t.id > $1
            AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.notice_id = n.id)
            AND NOT EXISTS (
                SELECT 1 FROM notices l
                WHERE l.incident_id = n.incident_id AND l.tenant_id = n.tenant_id AND l.state = 'released' AND l.version > n.version)
            AND EXISTS (
                SELECT 1 FROM contacts c
                WHERE c.tenant_id = n.tenant_id AND c.disabled_at IS NULL AND c.left_at IS NULL AND c.merged_into IS NULL AND c.role <> 'account-manager')
        ORDER BY t.id
        LIMIT $2";
    /// A living sender that lost track of a mail holds it for ever. Its late word is refused: the lease is gone.
    HELD_TOO_LONG = concat!("
        UPDATE outbox
        SET state = ", not_begun!(), ", lease = NULL, leased_at = NULL
        WHERE lease IS NOT NULL AND state = 'leased' AND leased_at < $1");
    ATTEMPTS_AT_DOT_TOO_LONG = "
        INSERT INTO attempts (outbox_id, attempt, sender, started_at, ended_at, outcome, phase, reply, tls)
        SELECT o.id, o.attempts + 1, o.lease, $1, $1, 'uncertain', 'dot', 'the sender lost track of it', ''
        FROM outbox o
        WHERE o.lease IS NOT NULL AND o.state = 'at_dot' AND o.leased_at < $2
        ON CONFLICT (outbox_id, attempt) DO NOTHING";
    AT_DOT_TOO_LONG = concat!("
        UPDATE outbox
        SET state = 'uncertain', lease = NULL, leased_at = NULL, attempts = attempts + 1, last_reply = 'the sender lost track of it',
            next_at = ", again_at!(), "
        WHERE lease IS NOT NULL AND state = 'at_dot' AND leased_at < $7");
    /// Tried often enough, by a limit that was lowered since. What a person lets go again has one more try.
    TRIED_ENOUGH = "
        UPDATE outbox
        SET state = 'failed', settled_at = $1, last_reply = 'given up after ' || CAST(attempts AS TEXT) || ' tries; the last: ' || last_reply
        WHERE state = 'deferred' AND attempts >= $2
            AND NOT EXISTS (SELECT 1 FROM settlements s WHERE s.outbox_id = outbox.id AND s.attempt = outbox.attempts)";
    /// No wait is that long: a clock was wrong when it was written.
    DUE_TOO_LATE = "
        UPDATE outbox
        SET next_at = $1
        WHERE state IN ('queued', 'deferred') AND next_at > $2";
}

/// What was set right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Held too long, put back before the dot.
    pub held: u64,
    /// Held too long at the dot, uncertain now.
    pub at_dot: u64,
    /// Given up.
    pub given_up: u64,
    /// Due too late, due now.
    pub too_late: u64,
}

/// Where the limits are.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Real time, microseconds.
    pub now: i64,
    /// The store's clock, microseconds.
    pub clock: i64,
    /// Leases from before this (real time) are too old.
    pub leased_before: i64,
    /// When what is uncertain goes again.
    pub next_copy: NextCopy,
    /// Nothing is due after this (real time).
    pub latest: i64,
    /// Tries a mail has at most.
    pub max_attempts: i64,
}

/// Sets right what can be without knowing more than the row.
pub async fn repair(tx: &mut Tx, limits: Limits) -> Result<Repaired, StoreError> {
    let Limits { now, clock, leased_before, next_copy, latest, max_attempts } = limits;
    on!(tx, |c| sqlx::query(ATTEMPTS_AT_DOT_TOO_LONG).bind(clock).bind(leased_before).execute(c).await.map(drop))?;
    let at_dot = on!(tx, |c| sqlx::query(AT_DOT_TOO_LONG)
        .bind(next_copy.first_at)
        .bind(next_copy.lease)
        .bind(next_copy.longest)
        .bind(i64::MAX)
        .bind(next_copy.max_attempts)
        .bind(next_copy.most_uncertain)
        .bind(leased_before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    let held =
        on!(tx, |c| sqlx::query(HELD_TOO_LONG).bind(leased_before).execute(c).await.map(|done| done.rows_affected()))?;
    let given_up = on!(tx, |c| sqlx::query(TRIED_ENOUGH)
        .bind(clock)
        .bind(max_attempts)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    let too_late = on!(tx, |c| sqlx::query(DUE_TOO_LATE)
        .bind(now)
        .bind(latest)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(Repaired { held, at_dot, given_up, too_late })
}

/// Tickets, in their order behind `after`, of organisations whose newest released notice is in no row of the outbox, and who
/// have a contact.
pub async fn never_queued(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(NEVER_QUEUED).bind(after).bind(limit).fetch_all(c).await)?)
}
