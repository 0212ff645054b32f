//! The directory: tenants, who claims which domain, imports, lists of public suffixes.
//!
//! Imported and manual entries stand side by side; which of them counts is for `model::mapping` to say. Invariant: an
//! entry that counts no more is lapsed, never deleted; whoever changes what decides verdicts takes a new version first,
//! and marks what it touches in the same transaction.

pub mod imports;
pub mod moves;
pub mod tenants;

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, after, list, values};
use crate::{Conn, Dialect, StoreError, Tx};
pub use imports::{abandon_import, begin_import, finish_import, hold_import, origins, unfinished_imports};
pub use moves::{left_since, settle_moves};
pub use tenants::{Tenant, TenantEntry, tenant, tenant_entries, tenants_in_range, tenants_of, upsert_tenants};

statements! {
    COUNT_TENANTS = "SELECT COUNT(*) FROM tenants";
    COUNT_DOMAINS = "SELECT COUNT(*) FROM domains WHERE lapsed_at IS NULL";
    COUNT_IMPORTED = "SELECT COUNT(*) FROM domains WHERE source = 'imported' AND origin = $1 AND lapsed_at IS NULL";
    VERSION_SQLITE = "SELECT directory_version FROM installation WHERE id = 1";
    /// Held, so that nobody changes the directory between a verdict and its commit. On SQLite there is one writer anyway.
    VERSION_POSTGRES = "SELECT directory_version FROM installation WHERE id = 1 FOR SHARE";
    BUMP_VERSION = "
        UPDATE installation
        SET directory_version = directory_version + 1
        WHERE id = 1
        RETURNING directory_version";
    CLAIMS_PAGE = "
        SELECT domain, tenant_id, moved_from
        FROM domains
        WHERE domain > $1 AND source = 'imported' AND origin = $2 AND lapsed_at IS NULL
        ORDER BY domain, tenant_id
        LIMIT $3";
    ENTRIES_PAGE = "
        SELECT d.domain, d.tenant_id, d.source, d.origin, d.alias_of, d.over, d.why, d.actor, d.added_at, d.expires_at,
            d.moved_from, COALESCE(e.name, t.name) AS name, COALESCE(e.country, t.country) AS country,
            COALESCE(e.language, t.language) AS language
        FROM domains d
        JOIN tenants t ON t.id = d.tenant_id
        LEFT JOIN tenant_entries e ON e.tenant_id = d.tenant_id AND e.origin = d.origin
        WHERE d.domain > $1 AND d.lapsed_at IS NULL
        ORDER BY d.domain, d.tenant_id, d.source, d.origin
        LIMIT $2";
    MANUAL_CLAIMS = "
        SELECT domain, tenant_id, source, origin, alias_of, over, moved_from
        FROM domains
        WHERE source = 'manual' AND lapsed_at IS NULL
        ORDER BY domain, tenant_id";
    UPSERT_MANUAL = "
        INSERT INTO domains (domain, tenant_id, source, origin, alias_of, over, why, actor, added_at, expires_at, lapsed_at)
        VALUES ($1, $2, 'manual', '', $3, $4, $5, $6, $7, $8, NULL)
        ON CONFLICT (domain, tenant_id, source, origin) DO UPDATE SET alias_of = excluded.alias_of, over = excluded.over,
            why = excluded.why, actor = excluded.actor, added_at = excluded.added_at, expires_at = excluded.expires_at,
            lapsed_at = NULL";
    LAPSE_MANUAL = "
        UPDATE domains
        SET lapsed_at = $1, why = $2, actor = $3
        WHERE domain = $4 AND tenant_id = $5 AND source = 'manual' AND lapsed_at IS NULL";
    /// What expires, and changes of owner that have stood long enough.
    LAPSING = "
        SELECT domain
        FROM domains
        WHERE expires_at IS NOT NULL AND expires_at <= $1 AND lapsed_at IS NULL
        UNION
        SELECT domain
        FROM domains
        WHERE moved_at IS NOT NULL AND moved_at <= $2
        LIMIT $3";
    LAPSE_DOMAINS = "UPDATE domains SET lapsed_at = $1 WHERE lapsed_at IS NULL AND expires_at IS NOT NULL AND expires_at <= $1";
    FORGET_MOVES = "UPDATE domains SET moved_from = NULL, moved_at = NULL WHERE moved_at IS NOT NULL AND moved_at <= $1";
    LAPSING_DECISIONS = "
        SELECT incident_id, domain
        FROM mapping_decisions
        WHERE lapsed_at IS NULL AND expires_at IS NOT NULL AND expires_at <= $1";
    LAPSE_DECISIONS = "
        UPDATE mapping_decisions
        SET lapsed_at = $1
        WHERE lapsed_at IS NULL AND expires_at IS NOT NULL AND expires_at <= $1";
    NEWEST_SUFFIX_LIST = "SELECT MAX(id) FROM suffix_lists";
    SUFFIX_LIST = "SELECT text FROM suffix_lists WHERE id = $1";
    INSERT_SUFFIX_LIST = "
        INSERT INTO suffix_lists (id, version, text, loaded_by, loaded_at)
        VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM suffix_lists), $1, $2, $3, $4)";
}

/// What decides about a domain: one tenant's claim to it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DomainClaim {
    /// A-label form.
    pub domain: String,
    /// Who claims it.
    pub tenant_id: String,
    /// `imported` or `manual`.
    pub source: String,
    /// Of an import, the directory's name; else empty.
    pub origin: String,
    /// The domain it stands for, with a manual alias.
    pub alias_of: Option<String>,
    /// JSON: tenants whose imported claims were known and set aside.
    pub over: String,
    /// The tenant that the same directory named until lately.
    pub moved_from: Option<String>,
}

/// An entry with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// A-label form.
    pub domain: String,
    /// Who claims it.
    pub tenant_id: String,
    /// `imported` or `manual`.
    pub source: String,
    /// Of an import, the directory's name; else empty.
    pub origin: String,
    /// The domain it stands for, with a manual alias.
    pub alias_of: Option<String>,
    /// JSON: tenants whose imported claims were known and set aside.
    pub over: String,
    /// The reason given; empty for imports.
    pub why: String,
    /// Who entered it.
    pub actor: String,
    /// Microseconds since the epoch.
    pub added_at: i64,
    /// Microseconds since the epoch.
    pub expires_at: Option<i64>,
    /// The tenant that the same directory named until lately.
    pub moved_from: Option<String>,
    /// The tenant's name.
    pub name: String,
    /// The tenant's country.
    pub country: String,
    /// The tenant's language.
    pub language: String,
}

/// How many tenants, claims and usable contacts there are.
pub async fn counts(conn: &mut Conn) -> Result<(i64, i64, i64), StoreError> {
    let tenants = on!(conn, |c| sqlx::query_scalar(COUNT_TENANTS).fetch_one(c).await)?;
    let domains = on!(conn, |c| sqlx::query_scalar(COUNT_DOMAINS).fetch_one(c).await)?;
    let contacts = crate::contacts::count(conn).await?;
    Ok((tenants, domains, contacts))
}

/// How many claims of one imported directory count.
pub async fn count_imported(conn: &mut Conn, origin: &str) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(COUNT_IMPORTED).bind(origin).fetch_one(c).await)?)
}

/// The directory's version.
pub async fn version(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(VERSION_SQLITE).fetch_one(c).await)?)
}

/// The directory's version, which nobody can change before this transaction ends.
pub async fn held_version(tx: &mut Tx) -> Result<i64, StoreError> {
    let text = match tx.dialect() {
        Dialect::Sqlite => VERSION_SQLITE,
        Dialect::Postgres => VERSION_POSTGRES,
    };
    Ok(on!(tx, |c| sqlx::query_scalar(text).fetch_one(c).await)?)
}

/// Counts the directory's version up. First in a transaction: verdicts that are being written wait for it, or it for them.
pub async fn bump_version(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(on!(tx, |c| sqlx::query_scalar(BUMP_VERSION).fetch_one(c).await)?)
}

/// The claims to these domains that have not lapsed.
pub async fn claims_of<T: AsRef<str>>(conn: &mut Conn, domains: &[T]) -> Result<Vec<DomainClaim>, StoreError> {
    let mut found = Vec::new();
    for part in domains.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT domain, tenant_id, source, origin, alias_of, over, moved_from FROM domains WHERE lapsed_at IS NULL AND domain IN {}",
            list(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, DomainClaim>(AssertSqlSafe(text));
            for domain in part {
                query = query.bind(domain.as_ref());
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// Every manual claim that has not lapsed.
pub async fn manual_claims(conn: &mut Conn) -> Result<Vec<DomainClaim>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(MANUAL_CLAIMS).fetch_all(c).await)?)
}

/// A claim of an imported directory: domain, tenant, and the tenant that it named until lately.
pub type ImportedClaim = (String, String, Option<String>);

/// Up to `limit` claims of an imported directory, in order, to domains after `after`.
pub async fn claims_page(
    conn: &mut Conn,
    origin: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<ImportedClaim>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(CLAIMS_PAGE).bind(after).bind(origin).bind(limit).fetch_all(c).await)?)
}

/// Up to `limit` entries that count, in order, to domains after `after`.
pub async fn entries_page(conn: &mut Conn, after: &str, limit: i64) -> Result<Vec<Entry>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ENTRIES_PAGE).bind(after).bind(limit).fetch_all(c).await)?)
}

/// Adds imported claims as (domain, tenant); one that had lapsed counts again, and is as old as it was if it left since
/// `since`.
pub async fn import_claims(
    tx: &mut Tx,
    origin: &str,
    actor: &str,
    now: Timestamp,
    since: Timestamp,
    claims: &[(&str, &str)],
) -> Result<(), StoreError> {
    for part in claims.chunks(ROWS_AN_INSERT) {
        // Two parameters a row make wide inserts fast: what is the same in every row stands beside them once.
        let dialect = tx.dialect();
        let mut text = String::from(
            "INSERT INTO domains (domain, tenant_id, source, origin, over, why, actor, added_at) \
             SELECT new.column1, new.column2, 'imported', same.origin, '[]', '', same.actor, same.at FROM (VALUES ",
        );
        values(dialect, &mut text, 1, 2, part.len());
        let count = part.len() * 2;
        text.push_str(&format!(
            ") AS new, (SELECT CAST({} AS TEXT) AS origin, CAST({} AS TEXT) AS actor, CAST({} AS BIGINT) AS at) AS same \
             WHERE TRUE ON CONFLICT (domain, tenant_id, source, origin) DO UPDATE SET lapsed_at = NULL, \
             actor = excluded.actor, moved_from = NULL, moved_at = NULL, \
             added_at = CASE WHEN domains.lapsed_at >= {} THEN domains.added_at ELSE excluded.added_at END",
            after(dialect, count),
            after(dialect, count + 1),
            after(dialect, count + 2),
            since.micros()
        ));
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (domain, tenant) in part {
                query = query.bind(*domain).bind(*tenant);
            }
            query.bind(origin).bind(actor).bind(now.micros()).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Takes imported claims as (domain, tenant) out of the count: their file names them no more.
pub async fn lapse_imported(
    tx: &mut Tx,
    origin: &str,
    now: Timestamp,
    claims: &[(&str, &str)],
) -> Result<(), StoreError> {
    for part in claims.chunks(ROWS_AN_INSERT) {
        let dialect = tx.dialect();
        let mut text = String::from("UPDATE domains SET lapsed_at = same.at FROM (VALUES ");
        values(dialect, &mut text, 1, 2, part.len());
        let count = part.len() * 2;
        text.push_str(&format!(
            ") AS gone, (SELECT CAST({} AS TEXT) AS origin, CAST({} AS BIGINT) AS at) AS same \
             WHERE domains.source = 'imported' AND domains.origin = same.origin \
             AND domains.domain = gone.column1 AND domains.tenant_id = gone.column2",
            after(dialect, count),
            after(dialect, count + 1)
        ));
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (domain, tenant) in part {
                query = query.bind(*domain).bind(*tenant);
            }
            query.bind(origin).bind(now.micros()).execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// A manual claim, as somebody enters it.
#[derive(Debug)]
pub struct NewManual<'a> {
    /// A-label form.
    pub domain: &'a str,
    /// Whose.
    pub tenant: &'a str,
    /// The domain it stands for.
    pub alias_of: Option<&'a str>,
    /// JSON: tenants whose imported claims are set aside.
    pub over: &'a str,
    /// The reason.
    pub why: &'a str,
    /// Who.
    pub actor: &'a str,
    /// Microseconds since the epoch.
    pub at: i64,
    /// Microseconds since the epoch.
    pub expires_at: Option<i64>,
}

/// Enters a manual claim, or says it anew.
pub async fn upsert_manual(tx: &mut Tx, new: &NewManual<'_>) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(UPSERT_MANUAL)
        .bind(new.domain)
        .bind(new.tenant)
        .bind(new.alias_of)
        .bind(new.over)
        .bind(new.why)
        .bind(new.actor)
        .bind(new.at)
        .bind(new.expires_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Takes a manual claim back; how many it was.
pub async fn lapse_manual(
    tx: &mut Tx,
    domain: &str,
    tenant: &str,
    why: &str,
    actor: &str,
    now: Timestamp,
) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(LAPSE_MANUAL)
        .bind(now.micros())
        .bind(why)
        .bind(actor)
        .bind(domain)
        .bind(tenant)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// Up to `limit` domains of entries that have expired and still count, and of changes of owner before `settled`; then
/// decisions as (incident, domain).
pub async fn lapsing(
    conn: &mut Conn,
    now: Timestamp,
    settled: Timestamp,
    limit: i64,
) -> Result<(Vec<String>, Vec<(i64, String)>), StoreError> {
    let domains = on!(conn, |c| sqlx::query_scalar(LAPSING)
        .bind(now.micros())
        .bind(settled.micros())
        .bind(limit)
        .fetch_all(c)
        .await)?;
    let decisions = on!(conn, |c| sqlx::query_as(LAPSING_DECISIONS).bind(now.micros()).fetch_all(c).await)?;
    Ok((domains, decisions))
}

/// Takes expired entries out of the count; changes of owner before `settled` are news no more.
pub async fn lapse(tx: &mut Tx, now: Timestamp, settled: Timestamp) -> Result<(), StoreError> {
    for (text, time) in [(LAPSE_DOMAINS, now), (FORGET_MOVES, settled), (LAPSE_DECISIONS, now)] {
        on!(tx, |c| sqlx::query(text).bind(time.micros()).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// The number of the newest list of public suffixes that was loaded.
pub async fn newest_suffix_list(conn: &mut Conn) -> Result<Option<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(NEWEST_SUFFIX_LIST).fetch_one(c).await)?)
}

/// The text of a list of public suffixes.
pub async fn suffix_list(conn: &mut Conn, id: i64) -> Result<String, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(SUFFIX_LIST).bind(id).fetch_one(c).await)?)
}

/// Keeps a newer list of public suffixes.
pub async fn insert_suffix_list(
    tx: &mut Tx,
    version: &str,
    text: &str,
    actor: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT_SUFFIX_LIST)
        .bind(version)
        .bind(text)
        .bind(actor)
        .bind(now.micros())
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}
