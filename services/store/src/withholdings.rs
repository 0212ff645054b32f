//! The register of withholdings: what is not told to whom, why, by whom, and when it is looked at again.
//!
//! Hides nothing (that is `model::withholding`). Invariant: what nobody approved hides nothing, and what ended is kept.

use crate::{Conn, StoreError, Tx};

/// The columns of [`Withholding`].
macro_rules! withholding {
    ($rest:literal) => {
        concat!(
            "SELECT id, incident_id, tenant_id, fact, why, review_at, proposed_by, proposed_at, approved_by, approved_at, \
             ended_by, ended_at, ended_why FROM withholdings ",
            $rest
        )
    };
}

statements! {
    INSERT = "
        INSERT INTO withholdings (id, incident_id, tenant_id, fact, why, review_at, proposed_by, proposed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    BY_ID = withholding!("WHERE id = $1");
    LIST = withholding!("WHERE incident_id = $1 ORDER BY proposed_at, id");
    IN_FORCE = withholding!(
        "WHERE incident_id = $1 AND approved_at IS NOT NULL AND ended_at IS NULL ORDER BY fact, tenant_id, id"
    );
    DUE = withholding!(
        "WHERE approved_at IS NOT NULL AND ended_at IS NULL AND review_at <= $1 AND climb_at <= $1
        ORDER BY review_at, id
        LIMIT $2"
    );
    /// A task of a review's ladder, by its key.
    ACKNOWLEDGE = "UPDATE tasks SET done_at = $1, done_by = $2 WHERE unique_key = $3 AND done_at IS NULL";
    CLIMB_AT = "UPDATE withholdings SET climb_at = $1 WHERE id = $2";
    APPROVE = "
        UPDATE withholdings
        SET approved_by = $1, approved_at = $2
        WHERE id = $3 AND approved_at IS NULL AND ended_at IS NULL";
    END = "
        UPDATE withholdings
        SET ended_by = $1, ended_at = $2, ended_why = $3
        WHERE id = $4 AND ended_at IS NULL";
}

/// A signed decision not to tell a fact, or a proposal of one.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Withholding {
    /// `wth_…`.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// The organisation; none = all.
    pub tenant_id: Option<String>,
    /// A name that `model::withholding::FactName` reads.
    pub fact: String,
    /// Why; printed in the notice.
    pub why: String,
    /// Microseconds since the epoch.
    pub review_at: i64,
    /// By whom.
    pub proposed_by: String,
    /// Microseconds since the epoch.
    pub proposed_at: i64,
    /// By whom; none: it hides nothing yet.
    pub approved_by: Option<String>,
    /// Microseconds since the epoch.
    pub approved_at: Option<i64>,
    /// By whom.
    pub ended_by: Option<String>,
    /// Microseconds since the epoch.
    pub ended_at: Option<i64>,
    /// The reason.
    pub ended_why: Option<String>,
}

/// Keeps a proposal.
pub async fn insert(tx: &mut Tx, new: &Withholding) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(&new.id)
        .bind(new.incident_id)
        .bind(&new.tenant_id)
        .bind(&new.fact)
        .bind(&new.why)
        .bind(new.review_at)
        .bind(&new.proposed_by)
        .bind(new.proposed_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// The withholding of an id.
pub async fn by_id(conn: &mut Conn, id: &str) -> Result<Option<Withholding>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_ID).bind(id).fetch_optional(c).await)?)
}

/// All of an incident, oldest first.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<Withholding>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// Those that hide something.
pub async fn in_force(conn: &mut Conn, incident: i64) -> Result<Vec<Withholding>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(IN_FORCE).bind(incident).fetch_all(c).await)?)
}

/// Up to `limit` whose review is due, and a rung of its ladder.
pub async fn due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<Withholding>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(DUE).bind(now).bind(limit).fetch_all(c).await)?)
}

/// Notes when the ladder of a review is climbed next.
pub async fn climb_at(tx: &mut Tx, id: &str, at: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(CLIMB_AT).bind(at).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || format!("the withholding {id}"))
}

/// Notes who has seen a task of a review's ladder; how many that were: 0 if somebody had.
pub async fn acknowledge(tx: &mut Tx, key: &str, actor: &str, now: i64) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(ACKNOWLEDGE)
        .bind(now)
        .bind(actor)
        .bind(key)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// Signs a proposal.
pub async fn approve(tx: &mut Tx, id: &str, actor: &str, now: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(APPROVE)
        .bind(actor)
        .bind(now)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || format!("the withholding {id}"))
}

/// Ends a withholding, or takes a proposal back.
pub async fn end(tx: &mut Tx, id: &str, actor: &str, why: &str, now: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(END)
        .bind(actor)
        .bind(now)
        .bind(why)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || format!("the withholding {id}"))
}
