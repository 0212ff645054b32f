//! Mailboxes that mail is taken from, and what became of each of their mails.
//!
//! Decides nothing and speaks no IMAP. Invariant: a mail of a mailbox is `kept` only together with its bytes, in one
//! transaction, and `done` or `refused` for good.

use crate::rows::insert_text;
use crate::{Conn, StoreError, Tx};
use sqlx::AssertSqlSafe;

statements! {
    OPEN = "
        INSERT INTO mailboxes (place, uid_validity, settled_to)
        VALUES ($1, $2, 0)
        ON CONFLICT (place) DO UPDATE
        SET settled_to = CASE WHEN mailboxes.uid_validity = EXCLUDED.uid_validity THEN mailboxes.settled_to ELSE 0 END,
            uid_validity = EXCLUDED.uid_validity
        RETURNING settled_to";
    BEFORE = "SELECT uid_validity FROM mailboxes WHERE place = $1";
    KNOWN = "
        SELECT uid, state, tries
        FROM mailbox_mails
        WHERE place = $1 AND uid_validity = $2 AND uid >= $3";
    KEEP = "
        UPDATE mailbox_mails
        SET state = 'kept', inbound_id = (SELECT id FROM inbound WHERE digest = $1), at = $2
        WHERE place = $3 AND uid_validity = $4 AND uid = $5 AND state = 'begun'";
    DONE = "
        UPDATE mailbox_mails
        SET state = 'done'
        WHERE place = $1 AND uid_validity = $2 AND uid = $3 AND state = 'kept'";
    REFUSE = "
        INSERT INTO mailbox_mails (place, uid_validity, uid, state, tries, why, at)
        VALUES ($1, $2, $3, 'refused', 0, $4, $5)
        ON CONFLICT (place, uid_validity, uid) DO UPDATE
        SET state = 'refused', why = EXCLUDED.why, at = EXCLUDED.at
        WHERE mailbox_mails.state = 'begun'";
    SETTLED_TO = "
        UPDATE mailboxes
        SET settled_to = $1
        WHERE place = $2 AND uid_validity = $3 AND settled_to < $1";
    REACHED = "
        UPDATE mailboxes
        SET reached_at = $1, failing_since = NULL, fault = NULL, hint = NULL
        WHERE place = $2";
    UNREACHABLE = "
        INSERT INTO mailboxes (place, failing_since, fault, hint)
        VALUES ($1, $2, $3, $4)
        ON CONFLICT (place) DO UPDATE
        SET failing_since = COALESCE(mailboxes.failing_since, EXCLUDED.failing_since), fault = EXCLUDED.fault, hint = EXCLUDED.hint";
    STATE = "
        SELECT reached_at, failing_since, fault, hint,
            (SELECT COUNT(*) FROM mailbox_mails WHERE mailbox_mails.place = mailboxes.place AND state = 'refused') AS refused
        FROM mailboxes
        WHERE place = $1";
}

/// What is known of one mail of a mailbox.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Known {
    /// Its number in the mailbox.
    pub uid: i64,
    /// `begun`, `kept`, `done`, `refused`.
    pub state: String,
    /// How often fetching it was begun.
    pub tries: i64,
}

/// How a mailbox is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct MailboxState {
    /// When it was last looked into, in microseconds since the epoch.
    pub reached_at: Option<i64>,
    /// Since when it cannot be.
    pub failing_since: Option<i64>,
    /// Why.
    pub fault: Option<String>,
    /// The next step.
    pub hint: Option<String>,
    /// Mails that a person has to look at there.
    pub refused: i64,
}

/// One mail of a mailbox.
#[derive(Debug, Clone, Copy)]
pub struct Uid<'a> {
    /// The mailbox.
    pub place: &'a str,
    /// What its UIDs are counted under.
    pub validity: i64,
    /// The mail.
    pub uid: i64,
}

/// Notes under what UIDs are counted now: up to which nothing is left to do. Another validity begins anew.
pub async fn open(tx: &mut Tx, place: &str, validity: i64) -> Result<i64, StoreError> {
    Ok(on!(tx, |c| sqlx::query_scalar(OPEN).bind(place).bind(validity).fetch_one(c).await)?)
}

/// Under what UIDs were counted until now.
pub async fn validity_before(conn: &mut Conn, place: &str) -> Result<Option<i64>, StoreError> {
    let found: Option<Option<i64>> = on!(conn, |c| sqlx::query_scalar(BEFORE).bind(place).fetch_optional(c).await)?;
    Ok(found.flatten())
}

/// What is known of the mails from `first` on.
pub async fn known(conn: &mut Conn, first: Uid<'_>) -> Result<Vec<Known>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(KNOWN).bind(first.place).bind(first.validity).bind(first.uid).fetch_all(c).await)?)
}

/// Counts a try to fetch each of these mails, before it is begun.
pub async fn begin(tx: &mut Tx, place: &str, validity: i64, uids: &[i64], now: i64) -> Result<(), StoreError> {
    for part in uids.chunks(200) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO mailbox_mails (place, uid_validity, uid, state, tries, at)",
            6,
            part.len(),
            "ON CONFLICT (place, uid_validity, uid) DO UPDATE SET tries = mailbox_mails.tries + 1, at = EXCLUDED.at",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for uid in part {
                query = query.bind(place).bind(validity).bind(uid).bind("begun").bind(1_i64).bind(now);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Notes that a mail is stored. In the transaction that stores it.
pub async fn keep(tx: &mut Tx, mail: Uid<'_>, digest: &str, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(KEEP)
        .bind(digest)
        .bind(now)
        .bind(mail.place)
        .bind(mail.validity)
        .bind(mail.uid)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Notes that a kept mail was taken away, or marked, in its mailbox.
pub async fn done(tx: &mut Tx, mail: Uid<'_>) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(DONE).bind(mail.place).bind(mail.validity).bind(mail.uid).execute(c).await.map(drop))?;
    Ok(())
}

/// Leaves a mail to a person. `false`: it was settled already.
pub async fn refuse(tx: &mut Tx, mail: Uid<'_>, why: &str, now: i64) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(REFUSE)
        .bind(mail.place)
        .bind(mail.validity)
        .bind(mail.uid)
        .bind(why)
        .bind(now)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// Notes that nothing is left to do up to this mail.
pub async fn settled_to(tx: &mut Tx, last: Uid<'_>) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(SETTLED_TO)
        .bind(last.uid)
        .bind(last.place)
        .bind(last.validity)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Notes that a mailbox was looked into.
pub async fn reached(tx: &mut Tx, place: &str, now: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(REACHED).bind(now).bind(place).execute(c).await.map(drop))?;
    Ok(())
}

/// Notes that it cannot be, why, and what to do.
pub async fn unreachable(tx: &mut Tx, place: &str, now: i64, fault: &str, hint: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(UNREACHABLE).bind(place).bind(now).bind(fault).bind(hint).execute(c).await.map(drop))?;
    Ok(())
}

/// How a mailbox is; none = nobody has looked into it.
pub async fn state(conn: &mut Conn, place: &str) -> Result<Option<MailboxState>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(STATE).bind(place).fetch_optional(c).await)?)
}
