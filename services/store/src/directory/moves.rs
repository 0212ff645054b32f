//! Domains that changed hands lately: who was named before, found from the entries themselves.
//!
//! Invariant: what is found follows from which claims there are and when they came and went, never from the order of
//! imports of several directories.

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, list, values};
use crate::{Conn, StoreError, Tx};

statements! {
    LEFT_SINCE = "
        SELECT COUNT(*)
        FROM (SELECT 1 AS one FROM domains WHERE source = 'imported' AND lapsed_at >= $1 LIMIT 1) AS first";
}

async fn somebody_left(conn: &mut Conn, since: Timestamp) -> Result<bool, StoreError> {
    let any: i64 = on!(conn, |c| sqlx::query_scalar(LEFT_SINCE).bind(since.micros()).fetch_one(c).await)?;
    Ok(any > 0)
}

/// Who was named for these domains by any imported directory and is no more since `since`: (domain, tenant, when).
pub async fn left_since(
    conn: &mut Conn,
    since: Timestamp,
    domains: &[&str],
) -> Result<Vec<(String, String, i64)>, StoreError> {
    let mut found = Vec::new();
    if !somebody_left(conn, since).await? {
        return Ok(found);
    }
    for part in domains.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT domain, tenant_id, lapsed_at FROM domains WHERE source = 'imported' AND lapsed_at >= {} AND domain IN {}",
            since.micros(),
            list(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, (String, String, i64)>(AssertSqlSafe(text));
            for domain in part {
                query = query.bind(*domain);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// Notes on the claims to these domains whom they were taken from: a tenant that no imported directory names any more
/// since `since`, and that was there no later. A claim that came and went again took nothing.
pub async fn settle_moves(tx: &mut Tx, since: Timestamp, domains: &[&str]) -> Result<(), StoreError> {
    if !somebody_left(tx, since).await? {
        return Ok(());
    }
    let since = since.micros();
    for part in domains.chunks(ROWS_AN_INSERT) {
        let mut touched = String::from("WITH touched (domain) AS (VALUES ");
        values(tx.dialect(), &mut touched, 1, 1, part.len());
        touched.push(')');
        let forget = format!(
            "{touched} UPDATE domains SET moved_from = NULL, moved_at = NULL \
             WHERE source = 'imported' AND moved_at IS NOT NULL AND domain IN (SELECT domain FROM touched)"
        );
        let note = format!(
            "{touched} UPDATE domains SET moved_from = best.tenant_id, moved_at = best.left_at FROM ( \
             SELECT mine.domain, mine.tenant_id AS mine, other.tenant_id, other.left_at, ROW_NUMBER() OVER ( \
             PARTITION BY mine.domain, mine.tenant_id ORDER BY other.left_at DESC, other.tenant_id) AS place \
             FROM (SELECT domain, tenant_id, MIN(added_at) AS added_at FROM domains \
             WHERE source = 'imported' AND (lapsed_at IS NULL OR lapsed_at >= {since}) \
             AND domain IN (SELECT domain FROM touched) GROUP BY domain, tenant_id) AS mine \
             JOIN (SELECT domain, tenant_id, MIN(added_at) AS added_at, MAX(lapsed_at) AS left_at FROM domains \
             WHERE source = 'imported' AND domain IN (SELECT domain FROM touched) GROUP BY domain, tenant_id \
             HAVING COUNT(*) = COUNT(lapsed_at) AND MAX(lapsed_at) >= {since}) AS other \
             ON other.domain = mine.domain AND other.tenant_id <> mine.tenant_id AND other.added_at <= mine.added_at \
             ) AS best WHERE best.place = 1 AND domains.domain = best.domain AND domains.tenant_id = best.mine \
             AND domains.source = 'imported' AND domains.lapsed_at IS NULL"
        );
        for text in [forget, note] {
            on!(tx, |c| {
                let mut query = sqlx::query(AssertSqlSafe(text));
                for domain in part {
                    query = query.bind(*domain);
                }
                query.execute(c).await.map(drop)
            })?;
        }
    }
    Ok(())
}
