//! Denials: somebody at a tenant said that a notice is not for their organisation at all.
//!
//! Disputes of single domains are decisions in `mapping`. Invariant: a denial is settled by a person, never deleted; while
//! it is open, whoever said so is written to only by an agent, in that conversation.

use crate::{Conn, StoreError, Tx};

statements! {
    INSERT = "
        INSERT INTO denials (id, incident_id, tenant_id, address, why, actor, said_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (incident_id, tenant_id, address) WHERE settled_at IS NULL DO NOTHING";
    OPEN = "
        SELECT d.incident_id, i.slug, d.tenant_id, d.address, d.why, d.said_at
        FROM denials d
        JOIN incidents i ON i.id = d.incident_id
        WHERE d.settled_at IS NULL
        ORDER BY d.said_at, d.id";
    DENIED = "SELECT DISTINCT tenant_id FROM denials WHERE incident_id = $1 AND settled_at IS NULL";
    SETTLE = "
        UPDATE denials
        SET settled_at = $1, settled_by = $2, settled_why = $3
        WHERE incident_id = $4 AND tenant_id = $5 AND settled_at IS NULL";
    /// What the verdicts were held by.
    MARK_DISPUTED = "UPDATE mappings SET stale = 1 WHERE incident_id = $1 AND review = 'disputed'";
}

/// A denial that is made.
#[derive(Debug)]
pub struct NewDenial<'a> {
    /// `dny_…`.
    pub id: &'a str,
    /// The incident.
    pub incident: i64,
    /// Whose notice it was.
    pub tenant: &'a str,
    /// To whom that notice went who denied; empty: not known.
    pub address: &'a str,
    /// In which words, or where they stand.
    pub why: &'a str,
    /// Who noted it.
    pub actor: &'a str,
    /// Microseconds since the epoch.
    pub at: i64,
}

/// A denial that nobody has settled.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Denial {
    /// The incident.
    pub incident_id: i64,
    /// Its name.
    pub slug: String,
    /// Whose notice it was.
    pub tenant_id: String,
    /// To whom it went who denied; empty: not known.
    pub address: String,
    /// In which words, or where they stand.
    pub why: String,
    /// Microseconds since the epoch.
    pub said_at: i64,
}

/// Notes a denial; said again by the same address, it is there already.
pub async fn insert(tx: &mut Tx, new: &NewDenial<'_>) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT)
        .bind(new.id)
        .bind(new.incident)
        .bind(new.tenant)
        .bind(new.address)
        .bind(new.why)
        .bind(new.actor)
        .bind(new.at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// All that nobody has settled, of every incident, oldest first.
pub async fn open(conn: &mut Conn) -> Result<Vec<Denial>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(OPEN).fetch_all(c).await)?)
}

/// The tenants at which somebody said in an incident that nothing is theirs.
pub async fn denied(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(DENIED).bind(incident).fetch_all(c).await)?)
}

/// Settles what was said at a tenant in an incident: what it held is looked at again. How many denials.
pub async fn settle(
    tx: &mut Tx,
    incident: i64,
    tenant: &str,
    actor: &str,
    why: &str,
    at: i64,
) -> Result<u64, StoreError> {
    let settled = on!(tx, |c| sqlx::query(SETTLE)
        .bind(at)
        .bind(actor)
        .bind(why)
        .bind(incident)
        .bind(tenant)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    if settled > 0 {
        on!(tx, |c| sqlx::query(MARK_DISPUTED).bind(incident).execute(c).await.map(drop))?;
    }
    Ok(settled)
}
