//! Contacts: the people of tenants, and addresses that were found and are not theirs yet.
//!
//! Decides nobody's rank. Invariant: what was found by look-up or named by somebody is in a table of its own, from which
//! no notice is addressed, until a person confirms it.

pub mod entries;
pub mod words;

use model::time::Timestamp;
use sqlx::AssertSqlSafe;

use crate::notices::one;
use crate::rows::{ROWS_AN_INSERT, insert_text, list};
use crate::{Conn, StoreError, Tx};
pub use entries::{Entry, Said};

/// The columns of [`Contact`], in order.
macro_rules! contact {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant_id, role, name, address, language, channel, timezone, priority, source, origin, why, \
             may_be_named, verified_at, verified_by, disabled_at, left_at, merged_into FROM contacts ",
            $rest
        )
    };
}

statements! {
    COUNT_USABLE = "SELECT COUNT(*) FROM contacts WHERE disabled_at IS NULL AND left_at IS NULL AND merged_into IS NULL";
    BY_ID = contact!("WHERE id = $1");
    OF_ADDRESS = contact!("WHERE address = $1 ORDER BY tenant_id, role");
    IN_RANGE = contact!(
        "WHERE tenant_id >= $1 AND tenant_id <= $2 AND disabled_at IS NULL AND left_at IS NULL AND merged_into IS NULL
        ORDER BY tenant_id, priority, role, address"
    );
    VERIFY = "
        UPDATE contacts
        SET verified_at = $1, verified_by = $2, verified_how = $3
        WHERE id = $4";
    SET_CONSENT = "UPDATE contacts SET may_be_named = $1, consent_by = $2 WHERE id = $3";
    MERGE = "
        UPDATE contacts
        SET merged_into = $1
        WHERE id = $2 AND merged_into IS NULL";
    INSERT_FOUND = "
        INSERT INTO found_contacts (id, tenant_id, role, name, address, language, rung, provenance, found_at, state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'unverified')
        ON CONFLICT (tenant_id, address) DO NOTHING";
    FOUND = "
        SELECT id, tenant_id, role, name, address, language, rung, provenance, found_at, state, contact_id
        FROM found_contacts
        WHERE id = $1";
    FOUND_OF_TENANT = "
        SELECT id, tenant_id, role, name, address, language, rung, provenance, found_at, state, contact_id
        FROM found_contacts
        WHERE tenant_id = $1
        ORDER BY found_at, id";
    FOUND_IN_STATE = "
        SELECT id, tenant_id, role, name, address, language, rung, provenance, found_at, state, contact_id
        FROM found_contacts
        WHERE state = $1
        ORDER BY tenant_id, found_at, id";
    DECIDE_FOUND = "
        UPDATE found_contacts
        SET state = $1, decided_by = $2, decided_at = $3, decided_why = $4, contact_id = $5
        WHERE id = $6 AND state = 'unverified'";
}

/// A person of a tenant, or the vendor's own person for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, sqlx::FromRow)]
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
    /// Which way they would rather be reached: `email`, `letter`, `phone`, …
    pub channel: String,
    /// IANA name, or empty.
    pub timezone: String,
    /// Lower comes first.
    pub priority: i64,
    /// Of the entry that counts: `imported` or `manual`.
    pub source: String,
    /// Of an import, the directory's name; else empty.
    pub origin: String,
    /// The reason, of a manual entry.
    pub why: String,
    /// Consent to be named to others: `yes`, `no`, or empty = not asked.
    pub may_be_named: String,
    /// When somebody made sure of it, microseconds since the epoch.
    pub verified_at: Option<i64>,
    /// Who did.
    pub verified_by: Option<String>,
    /// Set: never written to.
    pub disabled_at: Option<i64>,
    /// Set: nobody names it any more.
    pub left_at: Option<i64>,
    /// Set: a duplicate of that one.
    pub merged_into: Option<String>,
}

impl Contact {
    /// What names it.
    pub fn key(&self) -> Key {
        (self.tenant_id.clone(), self.role.clone(), self.address.clone())
    }

    /// Whether mail may go to it.
    pub fn is_usable(&self) -> bool {
        self.disabled_at.is_none() && self.left_at.is_none() && self.merged_into.is_none()
    }
}

/// An address that was found, or named by somebody.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Found {
    /// `fnd_…`.
    pub id: String,
    /// Whose it seems to be.
    pub tenant_id: String,
    /// A name of `model::delivery::Role`.
    pub role: String,
    /// A name, or empty.
    pub name: String,
    /// Normalised address.
    pub address: String,
    /// BCP 47 tag, or empty.
    pub language: String,
    /// `security-txt`, `rdap`, `role-mailboxes`, `named`.
    pub rung: String,
    /// Where and when it was found.
    pub provenance: String,
    /// Microseconds since the epoch.
    pub found_at: i64,
    /// `unverified`, `confirmed`, `rejected`.
    pub state: String,
    /// The contact it became.
    pub contact_id: Option<String>,
}

/// How many contacts may be written to.
pub(crate) async fn count(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(COUNT_USABLE).fetch_one(c).await)?)
}

/// The contact of an id.
pub async fn by_id(conn: &mut Conn, id: &str) -> Result<Option<Contact>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_ID).bind(id).fetch_optional(c).await)?)
}

/// All contacts of these tenants, those that are not written to as well.
pub async fn of(conn: &mut Conn, tenants: &[String]) -> Result<Vec<Contact>, StoreError> {
    let mut found = Vec::new();
    for part in tenants.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "{} IN {} ORDER BY tenant_id, priority, role, address",
            contact!("WHERE tenant_id"),
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
pub async fn in_range(conn: &mut Conn, first: &str, last: &str) -> Result<Vec<Contact>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(IN_RANGE).bind(first).bind(last).fetch_all(c).await)?)
}

/// Every contact with an address.
pub async fn of_address(conn: &mut Conn, address: &str) -> Result<Vec<Contact>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(OF_ADDRESS).bind(address).fetch_all(c).await)?)
}

/// What names a contact: tenant, role, address.
pub type Key = (String, String, String);

/// Keeps what is said of contacts, each by its source and origin, and makes the contacts say what counts of it; one that
/// had left is back.
pub async fn upsert(tx: &mut Tx, contacts: &[Contact], said: &Said<'_>, now: Timestamp) -> Result<(), StoreError> {
    for part in contacts.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO contacts (id, tenant_id, role, name, address, language, channel, timezone, priority, source, origin, \
             why, may_be_named, added_at)",
            14,
            part.len(),
            "ON CONFLICT (tenant_id, role, address) DO NOTHING",
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
                    .bind(&contact.origin)
                    .bind(&contact.why)
                    .bind(&contact.may_be_named)
                    .bind(now.micros());
            }
            query.execute(c).await.map(drop)
        })?;
        entries::keep(tx, part, said, now).await?;
        entries::settle(tx, part.iter().map(|contact| &contact.tenant_id), now).await?;
    }
    Ok(())
}

/// Notes that somebody made sure of a contact.
pub async fn verify(tx: &mut Tx, id: &str, actor: &str, how: &str, now: Timestamp) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(VERIFY)
        .bind(now.micros())
        .bind(actor)
        .bind(how)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    one(hit, || format!("contact {id}"))
}

/// Notes whether a contact may be named to others: `yes` or `no`, whatever directories say.
pub async fn set_consent(tx: &mut Tx, id: &str, may_be_named: &str, actor: &str) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(SET_CONSENT)
        .bind(may_be_named)
        .bind(actor)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    one(hit, || format!("contact {id}"))
}

/// Notes that a contact is a duplicate of another one, which counts.
pub async fn merge(tx: &mut Tx, duplicate: &str, into: &str) -> Result<(), StoreError> {
    let hit =
        on!(tx, |c| sqlx::query(MERGE).bind(into).bind(duplicate).execute(c).await.map(|done| done.rows_affected()))?;
    one(hit, || format!("contact {duplicate}"))
}

/// Keeps an address that was found; one that is there already stays as it is. Whether it is new.
pub async fn insert_found(tx: &mut Tx, found: &Found) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(INSERT_FOUND)
        .bind(&found.id)
        .bind(&found.tenant_id)
        .bind(&found.role)
        .bind(&found.name)
        .bind(&found.address)
        .bind(&found.language)
        .bind(&found.rung)
        .bind(&found.provenance)
        .bind(found.found_at)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// The found address of an id.
pub async fn found(conn: &mut Conn, id: &str) -> Result<Option<Found>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(FOUND).bind(id).fetch_optional(c).await)?)
}

/// The found addresses of a tenant, oldest first.
pub async fn found_of(conn: &mut Conn, tenant: &str) -> Result<Vec<Found>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(FOUND_OF_TENANT).bind(tenant).fetch_all(c).await)?)
}

/// All found addresses in a state, by tenant.
pub async fn found_in_state(conn: &mut Conn, state: &str) -> Result<Vec<Found>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(FOUND_IN_STATE).bind(state).fetch_all(c).await)?)
}

/// A person's word on a found address.
#[derive(Debug)]
pub struct Decided<'a> {
    /// `confirmed` or `rejected`.
    pub state: &'static str,
    /// Who.
    pub actor: &'a str,
    /// The reason.
    pub why: &'a str,
    /// The contact it became.
    pub contact: Option<&'a str>,
}

/// Records a person's word on a found address.
pub async fn decide_found(tx: &mut Tx, id: &str, decided: &Decided<'_>, now: Timestamp) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(DECIDE_FOUND)
        .bind(decided.state)
        .bind(decided.actor)
        .bind(now.micros())
        .bind(decided.why)
        .bind(decided.contact)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    one(hit, || format!("the found address {id}"))
}
