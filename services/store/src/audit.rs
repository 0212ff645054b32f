//! The audit log: who did what to what, chained by hashes.
//!
//! Records verbs, not attempts and not imported rows. Invariant: each entry's hash covers its content and the hash
//! before it, and appending holds the chain's end until the commit, so there are no gaps and no forks.

use model::time::Timestamp;
use serde::Serialize;

use crate::{Conn, StoreError, Tx};

statements! {
    /// Takes the end of the chain: whoever appends next waits here for our commit.
    NEXT_SEQ = "
        UPDATE audit_head
        SET seq = seq + 1
        WHERE id = 1
        RETURNING seq, hash";
    INSERT_ENTRY = "
        INSERT INTO audit (seq, at, actor, verb, subject, detail, prev_hash, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    SET_HEAD = "UPDATE audit_head SET hash = $1 WHERE id = 1";
    LIST_FROM = "
        SELECT seq, at, actor, verb, subject, detail, prev_hash, hash
        FROM audit
        WHERE seq > $1
        ORDER BY seq
        LIMIT $2";
    HEAD = "SELECT seq, hash FROM audit_head WHERE id = 1";
    STATED = "
        SELECT actor, detail
        FROM audit
        WHERE verb = 'incident.state' AND subject = $1
        ORDER BY seq";
}

/// What is to be recorded.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// When, by the store's clock.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// The verb, as on the command line (`notice.approve`).
    pub verb: &'static str,
    /// What it was done to: an id or slug.
    pub subject: String,
    /// Before, after, reasons, counts; never addresses of exposed persons, never bodies.
    pub detail: serde_json::Value,
}

/// An entry of the chain as stored.
#[derive(Debug, Clone, Serialize, sqlx::FromRow)]
pub struct Recorded {
    /// Place in the chain, from 1.
    pub seq: i64,
    /// Microseconds since the epoch.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// What was done.
    pub verb: String,
    /// To what.
    pub subject: String,
    /// JSON.
    pub detail: String,
    /// The hash of the entry before; of the first, 64 zeros.
    pub prev_hash: String,
    /// Over all the above.
    pub hash: String,
}

impl Recorded {
    /// The hash that this content should have.
    pub fn expected_hash(&self) -> String {
        model::digest::sha256_of_parts(&[
            &self.seq.to_be_bytes(),
            &self.at.to_be_bytes(),
            self.actor.as_bytes(),
            self.verb.as_bytes(),
            self.subject.as_bytes(),
            self.detail.as_bytes(),
            self.prev_hash.as_bytes(),
        ])
    }
}

pub(crate) async fn append(tx: &mut Tx, entry: &AuditEntry) -> Result<(), StoreError> {
    let (seq, prev_hash): (i64, String) = on!(tx, |c| sqlx::query_as(NEXT_SEQ).fetch_one(c).await)?;
    let mut row = Recorded {
        seq,
        at: entry.at.micros(),
        actor: entry.actor.clone(),
        verb: entry.verb.to_owned(),
        subject: entry.subject.clone(),
        detail: entry.detail.to_string(),
        prev_hash,
        hash: String::new(),
    };
    row.hash = row.expected_hash();
    on!(tx, |c| sqlx::query(INSERT_ENTRY)
        .bind(row.seq)
        .bind(row.at)
        .bind(&row.actor)
        .bind(&row.verb)
        .bind(&row.subject)
        .bind(&row.detail)
        .bind(&row.prev_hash)
        .bind(&row.hash)
        .execute(c)
        .await
        .map(drop))?;
    on!(tx, |c| sqlx::query(SET_HEAD).bind(&row.hash).execute(c).await.map(drop))?;
    Ok(())
}

/// Up to `limit` entries after `seq`.
pub async fn list(conn: &mut Conn, seq: i64, limit: i64) -> Result<Vec<Recorded>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST_FROM).bind(seq).bind(limit).fetch_all(c).await)?)
}

/// The last sequence number and hash, as the head says them.
pub async fn head(conn: &mut Conn) -> Result<(i64, String), StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(HEAD).fetch_one(c).await)?)
}

/// Who stated what of an incident, and its detail, the oldest first.
pub async fn stated(conn: &mut Conn, slug: &str) -> Result<Vec<(String, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(STATED).bind(slug).fetch_all(c).await)?)
}
