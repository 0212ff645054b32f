//! Tenants: what each directory calls them, and what counts of it.
//!
//! Invariant: a tenant says what the entry that counts says, in the transaction that changed one: of the directory named
//! `directory` first, then of the others by name.

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, after, insert_text, list, values};
use crate::{Conn, StoreError, Tx};

statements! {
    TENANT = "SELECT id, name, country, language, added_at FROM tenants WHERE id = $1";
    TENANTS_IN_RANGE = "
        SELECT id, name, country, language, added_at
        FROM tenants
        WHERE id >= $1 AND id <= $2
        ORDER BY id";
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Tenant {
    /// The vendor's id for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// ISO 3166 code, as imported.
    pub country: String,
    /// BCP 47 tag, as imported.
    pub language: String,
    /// Microseconds since the epoch.
    pub added_at: i64,
}

/// What one directory calls a tenant.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TenantEntry {
    /// The vendor's id for it.
    pub tenant_id: String,
    /// The directory's name.
    pub origin: String,
    /// The tenant's name.
    pub name: String,
    /// ISO 3166 code.
    pub country: String,
    /// BCP 47 tag.
    pub language: String,
}

/// The tenant of an id.
pub async fn tenant(conn: &mut Conn, id: &str) -> Result<Option<Tenant>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(TENANT).bind(id).fetch_optional(c).await)?)
}

/// The tenants of these ids.
pub async fn tenants_of(conn: &mut Conn, ids: &[String]) -> Result<Vec<Tenant>, StoreError> {
    let mut found = Vec::new();
    for part in ids.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT id, name, country, language, added_at FROM tenants WHERE id IN {}",
            list(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, Tenant>(AssertSqlSafe(text));
            for id in part {
                query = query.bind(id);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// The tenants from `first` to `last`.
pub async fn tenants_in_range(conn: &mut Conn, first: &str, last: &str) -> Result<Vec<Tenant>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(TENANTS_IN_RANGE).bind(first).bind(last).fetch_all(c).await)?)
}

/// What each directory calls these tenants.
pub async fn tenant_entries(conn: &mut Conn, ids: &[String]) -> Result<Vec<TenantEntry>, StoreError> {
    let mut found = Vec::new();
    for part in ids.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT tenant_id, origin, name, country, language FROM tenant_entries WHERE tenant_id IN {}",
            list(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, TenantEntry>(AssertSqlSafe(text));
            for id in part {
                query = query.bind(id);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// Keeps what a directory calls tenants, and makes them say what counts.
pub async fn upsert_tenants(tx: &mut Tx, origin: &str, tenants: &[Tenant], now: Timestamp) -> Result<(), StoreError> {
    for part in tenants.chunks(ROWS_AN_INSERT) {
        insert(tx, part, now).await?;
        keep_entries(tx, origin, part).await?;
        settle(tx, part).await?;
    }
    Ok(())
}

/// Those that are not there.
async fn insert(tx: &mut Tx, tenants: &[Tenant], now: Timestamp) -> Result<(), StoreError> {
    let dialect = tx.dialect();
    let mut text = String::from(
        "INSERT INTO tenants (id, name, country, language, added_at) \
         SELECT new.column1, new.column2, new.column3, new.column4, same.at FROM (VALUES ",
    );
    values(dialect, &mut text, 1, 4, tenants.len());
    text.push_str(&format!(
        ") AS new, (SELECT CAST({} AS BIGINT) AS at) AS same WHERE TRUE ON CONFLICT (id) DO NOTHING",
        after(dialect, tenants.len() * 4)
    ));
    on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for tenant in tenants {
            query = query.bind(&tenant.id).bind(&tenant.name).bind(&tenant.country).bind(&tenant.language);
        }
        query.bind(now.micros()).execute(c).await.map(drop)
    })?;
    Ok(())
}

async fn keep_entries(tx: &mut Tx, origin: &str, tenants: &[Tenant]) -> Result<(), StoreError> {
    let text = insert_text(
        tx.dialect(),
        "INSERT INTO tenant_entries (tenant_id, origin, name, country, language)",
        5,
        tenants.len(),
        "ON CONFLICT (tenant_id, origin) DO UPDATE SET name = excluded.name, country = excluded.country, \
         language = excluded.language",
    );
    on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for tenant in tenants {
            query = query.bind(&tenant.id).bind(origin).bind(&tenant.name).bind(&tenant.country).bind(&tenant.language);
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}

async fn settle(tx: &mut Tx, tenants: &[Tenant]) -> Result<(), StoreError> {
    let text = format!(
        "UPDATE tenants SET name = best.name, country = best.country, language = best.language \
         FROM (SELECT tenant_id, name, country, language, ROW_NUMBER() OVER (PARTITION BY tenant_id \
         ORDER BY CASE WHEN origin = 'directory' THEN 0 ELSE 1 END, origin) AS place \
         FROM tenant_entries WHERE tenant_id IN {}) AS best \
         WHERE best.place = 1 AND tenants.id = best.tenant_id \
         AND (tenants.name, tenants.country, tenants.language) <> (best.name, best.country, best.language)",
        list(tx.dialect(), 1, tenants.len())
    );
    on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for tenant in tenants {
            query = query.bind(&tenant.id);
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}
