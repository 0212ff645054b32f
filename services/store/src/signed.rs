//! Notices that were signed for machines, and the keys that signed them.
//!
//! Signs nothing and unwraps no key. Invariant: triggers refuse any change of what was signed.

use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, insert_text};
use crate::{Conn, StoreError, Tx};

statements! {
    KEYS = "SELECT id, public_key, wrapped_key, made_at FROM signing_keys ORDER BY made_at DESC, id";
    INSERT_KEY = "INSERT INTO signing_keys (id, public_key, wrapped_key, made_at) VALUES ($1, $2, $3, $4)";
    SIGNED = "SELECT notice_id, payload, jws, key_id, signed_at FROM signed_notices WHERE notice_id = $1";
    FATE = "
        SELECT n.state,
            (SELECT x.id FROM notices x
                WHERE x.incident_id = n.incident_id AND x.tenant_id = n.tenant_id AND x.version > n.version AND x.state = 'released'
                ORDER BY x.version DESC LIMIT 1) AS followed_by
        FROM notices n
        WHERE n.id = $1";
    ABOUT = "
        SELECT id, kind, facts, approved_at
        FROM notices
        WHERE id = $1";
}

/// A key that signs, wrapped.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SigningKey {
    /// Thumbprint of the public key.
    pub id: String,
    /// base64url.
    pub public_key: String,
    /// PKCS#8, wrapped by the master key.
    pub wrapped_key: String,
    /// Microseconds since the epoch.
    pub made_at: i64,
}

/// A notice as it was signed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SignedNotice {
    /// `ntc_…`.
    pub notice_id: String,
    /// JSON in its one form.
    pub payload: String,
    /// `header..signature`.
    pub jws: String,
    /// By which key.
    pub key_id: String,
    /// Microseconds since the epoch.
    pub signed_at: i64,
}

/// What a machine-readable notice is made of.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ToSign {
    /// `ntc_…`.
    pub id: String,
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// JSON of the context.
    pub facts: String,
    /// Microseconds since the epoch; none: it is a draft.
    pub approved_at: Option<i64>,
}

/// What became of a notice.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Fate {
    /// `drafted`, `approved`, `released`, `withdrawn`.
    pub state: String,
    /// The newest notice that was released to the same organisation after it.
    pub followed_by: Option<String>,
}

/// All keys, the newest first.
pub async fn keys(conn: &mut Conn) -> Result<Vec<SigningKey>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(KEYS).fetch_all(c).await)?)
}

/// Keeps a new key.
pub async fn insert_key(tx: &mut Tx, key: &SigningKey) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT_KEY)
        .bind(&key.id)
        .bind(&key.public_key)
        .bind(&key.wrapped_key)
        .bind(key.made_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// A notice as it was signed.
pub async fn signed(conn: &mut Conn, notice: &str) -> Result<Option<SignedNotice>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(SIGNED).bind(notice).fetch_optional(c).await)?)
}

/// What became of a notice since it was signed.
pub async fn fate(conn: &mut Conn, notice: &str) -> Result<Option<Fate>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(FATE).bind(notice).fetch_optional(c).await)?)
}

/// A notice with what it was written from.
pub async fn about(conn: &mut Conn, notice: &str) -> Result<Option<ToSign>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ABOUT).bind(notice).fetch_optional(c).await)?)
}

/// Keeps signed notices.
pub async fn insert(tx: &mut Tx, signed: &[SignedNotice]) -> Result<(), StoreError> {
    for part in signed.chunks(ROWS_AN_INSERT) {
        let head = "INSERT INTO signed_notices (notice_id, payload, jws, key_id, signed_at)";
        let text = insert_text(tx.dialect(), head, 5, part.len(), "");
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for one in part {
                query =
                    query.bind(&one.notice_id).bind(&one.payload).bind(&one.jws).bind(&one.key_id).bind(one.signed_at);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}
