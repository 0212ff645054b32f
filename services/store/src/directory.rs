//! The directory: tenants, their domains, their contacts.
//!
//! Imported and manual entries stand side by side; which of them counts is for `model::mapping` to say.

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, insert_text, list};
use crate::{Conn, StoreError, Tx};

statements! {
    TENANT = "SELECT id, name, country, language, added_at FROM tenants WHERE id = $1";
    COUNT_TENANTS = "SELECT COUNT(*) FROM tenants";
    COUNT_DOMAINS = "SELECT COUNT(*) FROM domains WHERE lapsed_at IS NULL";
    COUNT_CONTACTS = "SELECT COUNT(*) FROM contacts WHERE disabled_at IS NULL";
    VERSION = "SELECT directory_version FROM installation WHERE id = 1";
    BUMP_VERSION = "
        UPDATE installation
        SET directory_version = directory_version + 1
        WHERE id = 1
        RETURNING directory_version";
    DISABLE = "
        UPDATE contacts
        SET disabled_at = $1, disabled_why = $2
        WHERE address = $3 AND disabled_at IS NULL";
    CONTACTS_OF_ADDRESS = "
        SELECT id, tenant_id, role, name, address, language, channel, timezone, priority, source, disabled_at
        FROM contacts
        WHERE address = $1
        ORDER BY tenant_id, role";
    CONTACTS_IN_RANGE = "
        SELECT id, tenant_id, role, name, address, language, channel, timezone, priority, source, disabled_at
        FROM contacts
        WHERE tenant_id >= $1 AND tenant_id <= $2 AND disabled_at IS NULL
        ORDER BY tenant_id, priority, role, address";
    TENANTS_IN_RANGE = "
        SELECT id, name, country, language, added_at
        FROM tenants
        WHERE id >= $1 AND id <= $2
        ORDER BY id";
    LAPSE_DOMAINS = "UPDATE domains SET lapsed_at = $1 WHERE lapsed_at IS NULL AND expires_at <= $2";
    LAPSE_DECISIONS = "UPDATE mapping_decisions SET lapsed_at = $1 WHERE lapsed_at IS NULL AND expires_at <= $2";
    LAPSING = "
        SELECT (SELECT COUNT(*) FROM domains WHERE lapsed_at IS NULL AND expires_at <= $1)
             + (SELECT COUNT(*) FROM mapping_decisions WHERE lapsed_at IS NULL AND expires_at <= $2)";
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

/// One claim of a tenant to a domain.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct DomainClaim {
    /// A-label form.
    pub domain: String,
    /// Who claims it.
    pub tenant_id: String,
    /// `imported` or `manual`.
    pub source: String,
    /// The domain it stands for, with a manual alias.
    pub alias_of: Option<String>,
    /// The reason given; empty for imports.
    pub why: String,
    /// Who entered it.
    pub actor: String,
    /// Microseconds since the epoch.
    pub added_at: i64,
    /// Microseconds since the epoch.
    pub expires_at: Option<i64>,
}

/// A person of a tenant, or the vendor's own person for it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Contact {
    /// `ctc_…`.
    pub id: String,
    /// Whose.
    pub tenant_id: String,
    /// A name of `model::delivery::Role`.
    pub role: String,
    /// Their name.
    pub name: String,
    /// Normalised address.
    pub address: String,
    /// BCP 47 tag; empty = the tenant's.
    pub language: String,
    /// `email` until there are others.
    pub channel: String,
    /// IANA name, or empty.
    pub timezone: String,
    /// Lower comes first.
    pub priority: i64,
    /// `imported` or `manual`.
    pub source: String,
    /// Set: never written to.
    pub disabled_at: Option<i64>,
}

/// The tenant of an id.
pub async fn tenant(conn: &mut Conn, id: &str) -> Result<Option<Tenant>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(TENANT).bind(id).fetch_optional(c).await)?)
}

/// How many tenants, claims and usable contacts there are.
pub async fn counts(conn: &mut Conn) -> Result<(i64, i64, i64), StoreError> {
    let tenants = on!(conn, |c| sqlx::query_scalar(COUNT_TENANTS).fetch_one(c).await)?;
    let domains = on!(conn, |c| sqlx::query_scalar(COUNT_DOMAINS).fetch_one(c).await)?;
    let contacts = on!(conn, |c| sqlx::query_scalar(COUNT_CONTACTS).fetch_one(c).await)?;
    Ok((tenants, domains, contacts))
}

/// The directory's version.
pub async fn version(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(VERSION).fetch_one(c).await)?)
}

/// Counts the directory's version up: every verdict is now older than it and will be looked at again.
pub async fn bump_version(tx: &mut Tx) -> Result<i64, StoreError> {
    Ok(on!(tx, |c| sqlx::query_scalar(BUMP_VERSION).fetch_one(c).await)?)
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

/// The claims to these domains that have not lapsed.
pub async fn claims_of(conn: &mut Conn, domains: &[String]) -> Result<Vec<DomainClaim>, StoreError> {
    let mut found = Vec::new();
    for part in domains.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT domain, tenant_id, source, alias_of, why, actor, added_at, expires_at FROM domains WHERE lapsed_at IS NULL AND domain IN {}",
            list(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, DomainClaim>(AssertSqlSafe(text));
            for domain in part {
                query = query.bind(domain);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// All contacts of these tenants, disabled ones too.
pub async fn contacts_of(conn: &mut Conn, tenants: &[String]) -> Result<Vec<Contact>, StoreError> {
    let mut found = Vec::new();
    for part in tenants.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT id, tenant_id, role, name, address, language, channel, timezone, priority, source, disabled_at \
             FROM contacts WHERE tenant_id IN {} ORDER BY tenant_id, priority, role, address",
            list(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, Contact>(AssertSqlSafe(text));
            for tenant in part {
                query = query.bind(tenant);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// The usable contacts of the tenants from `first` to `last`, by tenant, priority, role and address.
pub async fn contacts_in_range(conn: &mut Conn, first: &str, last: &str) -> Result<Vec<Contact>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(CONTACTS_IN_RANGE).bind(first).bind(last).fetch_all(c).await)?)
}

/// The tenants from `first` to `last`.
pub async fn tenants_in_range(conn: &mut Conn, first: &str, last: &str) -> Result<Vec<Tenant>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(TENANTS_IN_RANGE).bind(first).bind(last).fetch_all(c).await)?)
}

/// Every contact with an address.
pub async fn contacts_of_address(conn: &mut Conn, address: &str) -> Result<Vec<Contact>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(CONTACTS_OF_ADDRESS).bind(address).fetch_all(c).await)?)
}

/// Adds tenants, or changes name, country and language of those that are there.
pub async fn upsert_tenants(tx: &mut Tx, tenants: &[Tenant]) -> Result<(), StoreError> {
    for part in tenants.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO tenants (id, name, country, language, added_at)",
            5,
            part.len(),
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name, country = excluded.country, language = excluded.language",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for tenant in part {
                query = query
                    .bind(&tenant.id)
                    .bind(&tenant.name)
                    .bind(&tenant.country)
                    .bind(&tenant.language)
                    .bind(tenant.added_at);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Adds claims; one that had lapsed or expires otherwise now is as given.
pub async fn upsert_claims(tx: &mut Tx, claims: &[DomainClaim]) -> Result<(), StoreError> {
    for part in claims.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO domains (domain, tenant_id, source, alias_of, why, actor, added_at, expires_at)",
            8,
            part.len(),
            "ON CONFLICT (domain, tenant_id, source) DO UPDATE SET alias_of = excluded.alias_of, why = excluded.why, \
             actor = excluded.actor, expires_at = excluded.expires_at, lapsed_at = NULL",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for claim in part {
                query = query
                    .bind(&claim.domain)
                    .bind(&claim.tenant_id)
                    .bind(&claim.source)
                    .bind(&claim.alias_of)
                    .bind(&claim.why)
                    .bind(&claim.actor)
                    .bind(claim.added_at)
                    .bind(claim.expires_at);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Adds contacts, or changes name, language, channel, time zone and priority. A disabled one stays disabled.
pub async fn upsert_contacts(tx: &mut Tx, contacts: &[Contact], now: Timestamp) -> Result<(), StoreError> {
    for part in contacts.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO contacts (id, tenant_id, role, name, address, language, channel, timezone, priority, source, added_at)",
            11,
            part.len(),
            "ON CONFLICT (tenant_id, role, address) DO UPDATE SET name = excluded.name, language = excluded.language, \
             channel = excluded.channel, timezone = excluded.timezone, priority = excluded.priority, source = excluded.source",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for contact in part {
                query = query
                    .bind(&contact.id)
                    .bind(&contact.tenant_id)
                    .bind(&contact.role)
                    .bind(&contact.name)
                    .bind(&contact.address)
                    .bind(&contact.language)
                    .bind(&contact.channel)
                    .bind(&contact.timezone)
                    .bind(contact.priority)
                    .bind(&contact.source)
                    .bind(now.micros());
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Disables an address wherever it is a contact; how many were.
pub async fn disable(tx: &mut Tx, address: &str, why: &str, now: Timestamp) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(DISABLE)
        .bind(now.micros())
        .bind(why)
        .bind(address)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// How many exceptions have expired and still count.
pub async fn lapsing(conn: &mut Conn, now: Timestamp) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(LAPSING).bind(now.micros()).bind(now.micros()).fetch_one(c).await)?)
}

/// Takes expired exceptions out of the count.
pub async fn lapse(tx: &mut Tx, now: Timestamp) -> Result<(), StoreError> {
    for text in [LAPSE_DOMAINS, LAPSE_DECISIONS] {
        on!(tx, |c| sqlx::query(text).bind(now.micros()).bind(now.micros()).execute(c).await.map(drop))?;
    }
    Ok(())
}
