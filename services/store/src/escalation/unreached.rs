//! Letters of ladders to our own people that did not reach them.
//!
//! Decides nothing. Invariant: a letter is among these until it has its task, however long ago it came back.

use crate::{Conn, StoreError};

statements! {
    /// Letters of tests are none: whoever tests looks at what became of them.
    UNREACHED = "
        SELECT o.id, o.incident_id, o.ticket_id, o.address, o.state, o.last_reply, l.subject
        FROM outbox o
        JOIN letters l ON l.id = o.letter_id AND l.kind = 'escalation'
        WHERE o.cause = 'policy' AND o.notice_id IS NULL AND o.contact_id IS NULL
            AND o.state IN ('bounced', 'failed', 'suppressed', 'cancelled') AND SUBSTR(o.cause_id, 1, 4) <> 'tst_'
            AND NOT EXISTS (SELECT 1 FROM tasks k WHERE k.unique_key = 'unreached/' || o.id)
        ORDER BY o.id
        LIMIT $1";
}

/// A letter that did not reach whom it was for.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Unreached {
    /// `out_…`.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// The ticket, where the ladder has one.
    pub ticket_id: Option<String>,
    /// To whom.
    pub address: String,
    /// `bounced`, `failed`, `suppressed` or `cancelled`.
    pub state: String,
    /// Why, in the words of whoever said so.
    pub last_reply: String,
    /// What the letter says it is.
    pub subject: String,
}

/// The key of the task of a letter.
pub fn key(letter: &Unreached) -> String {
    format!("unreached/{}", letter.id)
}

/// Letters without a task, some of them.
pub async fn list(conn: &mut Conn, limit: i64) -> Result<Vec<Unreached>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(UNREACHED).bind(limit).fetch_all(c).await)?)
}
