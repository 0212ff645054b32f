//! What each directory says of a contact, and what a person entered: side by side, and what counts of it.
//!
//! Decides nobody's rank. Invariant: a contact says what the entry that counts says, in the transaction that changed
//! one; it has left once nobody names it any more.

use std::collections::BTreeSet;

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use super::{Contact, Key, words};
use crate::rows::{ROWS_AN_INSERT, insert_text, list};
use crate::{Conn, Dialect, StoreError, Tx};

statements! {
    COUNT_IMPORTED = "SELECT COUNT(*) FROM contact_entries WHERE source = 'imported' AND origin = $1 AND lapsed_at IS NULL";
    IMPORTED_PAGE = "
        SELECT tenant_id, role, address
        FROM contact_entries
        WHERE (tenant_id, role, address) > ($1, $2, $3) AND source = 'imported' AND origin = $4 AND lapsed_at IS NULL
        ORDER BY tenant_id, role, address
        LIMIT $5";
    LAPSE_IMPORTED = "
        UPDATE contact_entries
        SET lapsed_at = $1
        WHERE tenant_id = $2 AND role = $3 AND address = $4 AND source = 'imported' AND origin = $5 AND lapsed_at IS NULL";
    LAPSE_MANUAL = "
        UPDATE contact_entries
        SET lapsed_at = $1
        WHERE tenant_id = $2 AND address = $3 AND source = 'manual' AND lapsed_at IS NULL";
    EXPIRING = "
        SELECT tenant_id, role, address
        FROM contact_entries
        WHERE expires_at <= $1 AND expires_at IS NOT NULL AND lapsed_at IS NULL
        ORDER BY tenant_id, role, address";
    LAPSE_EXPIRED = "
        UPDATE contact_entries
        SET lapsed_at = $1
        WHERE expires_at <= $1 AND expires_at IS NOT NULL AND lapsed_at IS NULL";
    PAGE = "
        SELECT e.tenant_id, e.role, e.address, e.source, e.origin, e.name, e.language, e.channel, e.timezone, e.priority,
               e.may_be_named, e.is_disabled, e.is_verified, e.why, e.added_at, e.expires_at,
               c.disabled_at, c.verified_at, c.merged_into, c.may_be_named AS effective_consent
        FROM contact_entries e
        JOIN contacts c ON c.tenant_id = e.tenant_id AND c.role = e.role AND c.address = e.address
        WHERE e.lapsed_at IS NULL AND (e.tenant_id, e.role, e.address, e.source, e.origin) > ($1, $2, $3, $4, $5)
        ORDER BY e.tenant_id, e.role, e.address, e.source, e.origin
        LIMIT $6";
}

/// One word on a contact that counts, and what the contact is by all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// Whose.
    pub tenant_id: String,
    /// A name of `model::delivery::Role`.
    pub role: String,
    /// Normalised address.
    pub address: String,
    /// `imported` or `manual`.
    pub source: String,
    /// Of an import, the directory's name; else empty.
    pub origin: String,
    /// Their name.
    pub name: String,
    /// BCP 47 tag; empty = the tenant's.
    pub language: String,
    /// Which way they would rather be reached.
    pub channel: String,
    /// IANA name, or empty.
    pub timezone: String,
    /// Lower comes first.
    pub priority: i64,
    /// `yes`, `no`, or empty.
    pub may_be_named: String,
    /// 1: the directory calls it disabled.
    pub is_disabled: i64,
    /// 1: the directory calls it verified.
    pub is_verified: i64,
    /// The reason, of a manual entry.
    pub why: String,
    /// Microseconds since the epoch.
    pub added_at: i64,
    /// When it counts no more.
    pub expires_at: Option<i64>,
    /// Of the contact: set = never written to.
    pub disabled_at: Option<i64>,
    /// Of the contact: when somebody made sure of it.
    pub verified_at: Option<i64>,
    /// Of the contact: a duplicate of that one.
    pub merged_into: Option<String>,
    /// Of the contact: `yes`, `no`, or empty.
    pub effective_consent: String,
}

impl Entry {
    /// What names its contact.
    pub fn key(&self) -> Key {
        (self.tenant_id.clone(), self.role.clone(), self.address.clone())
    }
}

/// What disables a contact that its directory calls disabled: that is said of it alone, and not of its address.
const BY_DIRECTORY: &str = "disabled in the directory";

/// Who enters, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The actor.
    pub by: &'a str,
    /// When it counts no more.
    pub until: Option<Timestamp>,
}

/// How many contacts an imported directory names.
pub async fn count_imported(conn: &mut Conn, origin: &str) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(COUNT_IMPORTED).bind(origin).fetch_one(c).await)?)
}

/// Up to `limit` contacts that an imported directory names, after `after`, in order.
pub async fn imported_page(conn: &mut Conn, origin: &str, after: &Key, limit: i64) -> Result<Vec<Key>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(IMPORTED_PAGE)
        .bind(&after.0)
        .bind(&after.1)
        .bind(&after.2)
        .bind(origin)
        .bind(limit)
        .fetch_all(c)
        .await)?)
}

/// Up to `limit` entries that count, after `after`, in the order of contact, source and origin.
pub async fn page(conn: &mut Conn, after: Option<&Entry>, limit: i64) -> Result<Vec<Entry>, StoreError> {
    let none = Entry::default();
    let after = after.unwrap_or(&none);
    Ok(on!(conn, |c| sqlx::query_as(PAGE)
        .bind(&after.tenant_id)
        .bind(&after.role)
        .bind(&after.address)
        .bind(&after.source)
        .bind(&after.origin)
        .bind(limit)
        .fetch_all(c)
        .await)?)
}

/// The entries of these tenants that count, in the order of contact, source and origin.
pub async fn of(conn: &mut Conn, tenants: &[String]) -> Result<Vec<Entry>, StoreError> {
    let mut found = Vec::new();
    for part in tenants.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT e.tenant_id, e.role, e.address, e.source, e.origin, e.name, e.language, e.channel, e.timezone, e.priority, \
             e.may_be_named, e.is_disabled, e.is_verified, e.why, e.added_at, e.expires_at, \
             c.disabled_at, c.verified_at, c.merged_into, c.may_be_named AS effective_consent \
             FROM contact_entries e \
             JOIN contacts c ON c.tenant_id = e.tenant_id AND c.role = e.role AND c.address = e.address \
             WHERE e.lapsed_at IS NULL AND e.tenant_id IN {} \
             ORDER BY e.tenant_id, e.role, e.address, e.source, e.origin",
            list(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, Entry>(AssertSqlSafe(text));
            for tenant in part {
                query = query.bind(tenant);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// Keeps what is said of these contacts by their source and origin; one that had lapsed counts again.
pub(super) async fn keep(tx: &mut Tx, contacts: &[Contact], said: &Said<'_>, now: Timestamp) -> Result<(), StoreError> {
    let text = insert_text(
        tx.dialect(),
        "INSERT INTO contact_entries (tenant_id, role, address, source, origin, name, language, channel, timezone, priority, \
         may_be_named, is_disabled, is_verified, why, actor, added_at, expires_at)",
        17,
        contacts.len(),
        "ON CONFLICT (tenant_id, role, address, source, origin) DO UPDATE SET name = excluded.name, \
         language = excluded.language, channel = excluded.channel, timezone = excluded.timezone, \
         priority = excluded.priority, may_be_named = excluded.may_be_named, is_disabled = excluded.is_disabled, \
         is_verified = excluded.is_verified, why = excluded.why, actor = excluded.actor, added_at = excluded.added_at, \
         expires_at = excluded.expires_at, lapsed_at = NULL",
    );
    on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for contact in contacts {
            query = query
                .bind(&contact.tenant_id)
                .bind(&contact.role)
                .bind(&contact.address)
                .bind(&contact.source)
                .bind(&contact.origin)
                .bind(&contact.name)
                .bind(&contact.language)
                .bind(&contact.channel)
                .bind(&contact.timezone)
                .bind(contact.priority)
                .bind(&contact.may_be_named)
                .bind(i64::from(contact.disabled_at.is_some()))
                .bind(i64::from(contact.verified_at.is_some()))
                .bind(&contact.why)
                .bind(said.by)
                .bind(now.micros())
                .bind(said.until.map(Timestamp::micros));
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}

/// Notes that a directory names these contacts no more. Those that nobody else names have left.
pub async fn lapse_imported(tx: &mut Tx, origin: &str, keys: &[Key], now: Timestamp) -> Result<(), StoreError> {
    for (tenant, role, address) in keys {
        on!(tx, |c| sqlx::query(LAPSE_IMPORTED)
            .bind(now.micros())
            .bind(tenant)
            .bind(role)
            .bind(address)
            .bind(origin)
            .execute(c)
            .await
            .map(drop))?;
    }
    settle(tx, keys.iter().map(|(tenant, ..)| tenant), now).await
}

/// Takes back what a person entered of an address of a tenant; how many entries that were.
pub async fn lapse_manual(tx: &mut Tx, tenant: &str, address: &str, now: Timestamp) -> Result<u64, StoreError> {
    let hit = on!(tx, |c| sqlx::query(LAPSE_MANUAL)
        .bind(now.micros())
        .bind(tenant)
        .bind(address)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    settle(tx, std::iter::once(&tenant.to_owned()), now).await?;
    Ok(hit)
}

/// The contacts of which an entry has expired and still counts.
pub async fn expiring(conn: &mut Conn, now: Timestamp) -> Result<Vec<Key>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(EXPIRING).bind(now.micros()).fetch_all(c).await)?)
}

/// Lets them count no more.
pub async fn lapse_expired(tx: &mut Tx, keys: &[Key], now: Timestamp) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(LAPSE_EXPIRED).bind(now.micros()).execute(c).await.map(drop))?;
    settle(tx, keys.iter().map(|(tenant, ..)| tenant), now).await
}

/// Makes the contacts of these tenants say what counts: an entry by hand before imports, the directory named
/// `directory` before others, those by name; over all of them a person's word on the address, and on who it is. Of
/// consents, what a person noted; then an entry by hand; then a no before a yes.
pub(super) async fn settle(
    tx: &mut Tx,
    tenants: impl Iterator<Item = &String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    words::hold(tx).await?;
    let tenants = Vec::from_iter(tenants.collect::<BTreeSet<_>>());
    for part in tenants.chunks(ROWS_AN_INSERT) {
        let of_these = list(tx.dialect(), 1, part.len());
        let say = format!(
            "UPDATE contacts SET name = best.name, language = best.language, channel = best.channel, \
             timezone = best.timezone, priority = best.priority, source = best.source, origin = best.origin, \
             why = best.why, left_at = NULL, disabled_at = best.stopped_at, disabled_why = best.stopped_why, \
             verified_at = CASE WHEN contacts.verified_how IS NULL THEN best.verified_at ELSE contacts.verified_at END, \
             verified_by = CASE WHEN contacts.verified_how IS NULL THEN best.verified_by ELSE contacts.verified_by END, \
             may_be_named = CASE WHEN contacts.consent_by IS NULL THEN best.consent ELSE contacts.may_be_named END \
             FROM (SELECT said.*, \
             CASE WHEN everywhere.word = 'never' THEN everywhere.at WHEN there.word = 'never' THEN there.at \
             WHEN there.word = 'write' OR everywhere.word = 'write' THEN NULL \
             WHEN said.is_disabled = 1 THEN said.added_at END AS stopped_at, \
             CASE WHEN everywhere.word = 'never' THEN everywhere.why WHEN there.word = 'never' THEN there.why \
             WHEN there.word = 'write' OR everywhere.word = 'write' THEN NULL \
             WHEN said.is_disabled = 1 THEN '{BY_DIRECTORY}' END AS stopped_why, \
             CASE WHEN said.is_verified = 1 THEN said.added_at END AS verified_at, \
             CASE WHEN said.is_verified = 1 THEN 'the directory ' || said.origin END AS verified_by \
             FROM (SELECT tenant_id, role, address, name, language, channel, timezone, priority, source, origin, why, \
             is_disabled, is_verified, added_at, \
             COALESCE(MIN(CASE WHEN source = 'manual' THEN NULLIF(may_be_named, '') END) OVER contact, \
             MIN(NULLIF(may_be_named, '')) OVER contact, '') AS consent, \
             ROW_NUMBER() OVER (PARTITION BY tenant_id, role, address \
             ORDER BY source DESC, CASE WHEN origin = 'directory' THEN 0 ELSE 1 END, origin) AS place \
             FROM contact_entries WHERE lapsed_at IS NULL AND tenant_id IN {of_these} \
             WINDOW contact AS (PARTITION BY tenant_id, role, address)) AS said \
             LEFT JOIN contact_words everywhere ON everywhere.address = said.address AND everywhere.tenant_id = '' \
             LEFT JOIN contact_words there ON there.address = said.address AND there.tenant_id = said.tenant_id \
             WHERE said.place = 1) AS best \
             WHERE contacts.tenant_id = best.tenant_id AND contacts.role = best.role \
             AND contacts.address = best.address AND (contacts.left_at IS NOT NULL \
             OR (contacts.name, contacts.language, contacts.channel, contacts.timezone, contacts.priority, contacts.source, \
             contacts.origin, contacts.why) <> (best.name, best.language, best.channel, best.timezone, best.priority, \
             best.source, best.origin, best.why) \
             OR contacts.disabled_why IS DISTINCT FROM best.stopped_why \
             OR (contacts.verified_how IS NULL AND contacts.verified_by IS DISTINCT FROM best.verified_by) \
             OR (contacts.consent_by IS NULL AND contacts.may_be_named <> best.consent))"
        );
        let leave = format!(
            "UPDATE contacts SET left_at = {} WHERE tenant_id IN {of_these} AND left_at IS NULL AND NOT EXISTS \
             (SELECT 1 FROM contact_entries e WHERE e.tenant_id = contacts.tenant_id AND e.role = contacts.role \
             AND e.address = contacts.address AND e.lapsed_at IS NULL)",
            now.micros()
        );
        // Whoever stood for two people and left leaves the other one behind.
        let part_again = format!(
            "UPDATE contacts SET merged_into = NULL WHERE tenant_id IN {of_these} AND merged_into IN \
             (SELECT id FROM contacts other WHERE other.left_at IS NOT NULL)"
        );
        // Two directories that drop one person at a time must not each see the other's word still standing.
        let hold = (tx.dialect() == Dialect::Postgres).then(|| {
            format!(
                "SELECT id FROM contacts WHERE tenant_id IN {of_these} ORDER BY tenant_id, role, address FOR UPDATE"
            )
        });
        for text in hold.into_iter().chain([say, leave, part_again]) {
            on!(tx, |c| {
                let mut query = sqlx::query(AssertSqlSafe(text));
                for tenant in part {
                    query = query.bind(*tenant);
                }
                query.execute(c).await.map(drop)
            })?;
        }
    }
    Ok(())
}
