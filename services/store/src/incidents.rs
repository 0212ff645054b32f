//! The installation and its incidents.
//!
//! Keys come and go wrapped; nothing here unwraps them.

use model::time::Timestamp;

use crate::{Conn, Dialect, StoreError, Tx};

statements! {
    INSTALLATION = "SELECT rehearsal, master_key_check, directory_version, stopped_at FROM installation WHERE id = 1";
    INSERT_INSTALLATION = "
        INSERT INTO installation (id, rehearsal, master_key_check, directory_version, stopped_at, created_at)
        VALUES (1, $1, $2, 1, NULL, $3)
        ON CONFLICT (id) DO NOTHING";
    INSERT_HEAD = "
        INSERT INTO audit_head (id, seq, hash)
        VALUES (1, 0, $1)
        ON CONFLICT (id) DO NOTHING";
    SET_STOPPED = "UPDATE installation SET stopped_at = $1 WHERE id = 1";
    INSERT_INCIDENT = "
        INSERT INTO incidents (slug, title, vendor, discovered_at, facts, wrapped_key, policies, opened_by, opened_at,
            identities, path_rule, identity_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (slug) DO NOTHING
        RETURNING id";
    BY_SLUG = "
        SELECT id, slug, title, vendor, discovered_at, facts, wrapped_key, policies, opened_by, opened_at,
            identities, path_rule, identity_key, erased_at
        FROM incidents
        WHERE slug = $1";
    BY_ID = "
        SELECT id, slug, title, vendor, discovered_at, facts, wrapped_key, policies, opened_by, opened_at,
            identities, path_rule, identity_key, erased_at
        FROM incidents
        WHERE id = $1";
    LIST = "
        SELECT id, slug, title, vendor, discovered_at, facts, wrapped_key, policies, opened_by, opened_at,
            identities, path_rule, identity_key, erased_at
        FROM incidents
        ORDER BY id";
    /// Of an incident that has none and was not erased: one that an older program opened.
    GIVE_IDENTITY_KEY = "
        UPDATE incidents
        SET identity_key = $1
        WHERE id = $2 AND identity_key IS NULL AND erased_at IS NULL";
    ERASE = "
        UPDATE incidents
        SET identity_key = NULL, erased_at = $1, totals_at_erasure = $2
        WHERE id = $3 AND erased_at IS NULL";
    HOLD_SQLITE = "SELECT id FROM incidents WHERE id = $1 AND erased_at IS NULL";
    /// Writers of records share the incident, and whoever takes records away has it alone.
    HOLD_POSTGRES = "SELECT id FROM incidents WHERE id = $1 AND erased_at IS NULL FOR SHARE";
    SEIZE_POSTGRES = "SELECT id FROM incidents WHERE id = $1 AND erased_at IS NULL FOR UPDATE";
    TOTALS_AT_ERASURE = "SELECT totals_at_erasure FROM incidents WHERE id = $1";
    /// Only while they are what was read, so that of two writers none undoes the other.
    SET_FACTS = "UPDATE incidents SET facts = $1 WHERE id = $2 AND facts = $3";
    INSERT_EVENT = "
        INSERT INTO incident_events (incident_id, name, at, why, actor, recorded_at, nth)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (incident_id, name, nth) DO NOTHING";
    EVENTS = "
        SELECT name, at, why, actor, recorded_at, nth
        FROM incident_events
        WHERE incident_id = $1
        ORDER BY recorded_at, name, nth";
}

/// What belongs to the store as a whole.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Installation {
    /// 1 in a store whose clock may be moved.
    pub rehearsal: i64,
    /// A known text under the master key.
    pub master_key_check: String,
    /// Counts up with each change of the directory.
    pub directory_version: i64,
    /// Set while nothing may leave, microseconds.
    pub stopped_at: Option<i64>,
}

/// An incident as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Incident {
    /// The store's number for it.
    pub id: i64,
    /// Its name for people.
    pub slug: String,
    /// Title in the vendor's words.
    pub title: String,
    /// The vendor.
    pub vendor: String,
    /// Microseconds since the epoch.
    pub discovered_at: i64,
    /// JSON of `IncidentFacts`.
    pub facts: String,
    /// The incident's key under the master key.
    pub wrapped_key: String,
    /// JSON of the escalation policies.
    pub policies: String,
    /// Who opened it.
    pub opened_by: String,
    /// Microseconds since the epoch.
    pub opened_at: i64,
    /// `hashed` or `plain`: how exposed persons are held.
    pub identities: String,
    /// Where the paths of a listing name the domain; empty: nowhere.
    pub path_rule: String,
    /// The key that exposed persons are hashed under, under the master key; destroyed by erasing.
    pub identity_key: Option<String>,
    /// When the exposed persons were erased, microseconds since the epoch.
    pub erased_at: Option<i64>,
}

/// A clock event of an incident.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct Event {
    /// `aware`, `determined`, …
    pub name: String,
    /// Microseconds since the epoch.
    pub at: i64,
    /// The reason given.
    pub why: String,
    /// Who recorded it.
    pub actor: String,
    /// Microseconds since the epoch.
    pub recorded_at: i64,
    /// 1, and one more for each correction: the last one counts.
    pub nth: i64,
}

/// The installation; `None` in a store that was migrated and not initialised.
pub async fn installation(conn: &mut Conn) -> Result<Option<Installation>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(INSTALLATION).fetch_optional(c).await)?)
}

/// Makes the installation row; again = nothing.
pub async fn insert_installation(
    tx: &mut Tx,
    rehearsal: i64,
    key_check: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT_INSTALLATION)
        .bind(rehearsal)
        .bind(key_check)
        .bind(now.micros())
        .execute(c)
        .await
        .map(drop))?;
    let zeros = "0".repeat(64);
    on!(tx, |c| sqlx::query(INSERT_HEAD).bind(zeros).execute(c).await.map(drop))?;
    Ok(())
}

/// Stops all sending since a time, or lets it go on.
pub async fn set_stopped(tx: &mut Tx, since: Option<Timestamp>) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(SET_STOPPED).bind(since.map(Timestamp::micros)).execute(c).await.map(drop))?;
    Ok(())
}

/// Stores a new incident; `None` if the slug is taken.
pub async fn insert(tx: &mut Tx, incident: &Incident) -> Result<Option<i64>, StoreError> {
    Ok(on!(tx, |c| sqlx::query_scalar(INSERT_INCIDENT)
        .bind(&incident.slug)
        .bind(&incident.title)
        .bind(&incident.vendor)
        .bind(incident.discovered_at)
        .bind(&incident.facts)
        .bind(&incident.wrapped_key)
        .bind(&incident.policies)
        .bind(&incident.opened_by)
        .bind(incident.opened_at)
        .bind(&incident.identities)
        .bind(&incident.path_rule)
        .bind(&incident.identity_key)
        .fetch_optional(c)
        .await)?)
}

/// The incident of a slug.
pub async fn by_slug(conn: &mut Conn, slug: &str) -> Result<Option<Incident>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_SLUG).bind(slug).fetch_optional(c).await)?)
}

/// The incident of a number.
pub async fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Incident>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_ID).bind(id).fetch_optional(c).await)?)
}

/// All incidents, oldest first.
pub async fn list(conn: &mut Conn) -> Result<Vec<Incident>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).fetch_all(c).await)?)
}

/// Gives an incident that has none its identity key; one that is there stays.
pub async fn give_identity_key(tx: &mut Tx, incident: i64, wrapped: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(GIVE_IDENTITY_KEY).bind(wrapped).bind(incident).execute(c).await.map(drop))?;
    Ok(())
}

/// Keeps an incident from being erased, and its manifests from being taken back, until the transaction ends. On SQLite
/// writing alone is enough. Stale where it was erased already.
pub async fn hold(tx: &mut Tx, incident: i64) -> Result<(), StoreError> {
    let text = match tx.dialect() {
        Dialect::Sqlite => HOLD_SQLITE,
        Dialect::Postgres => HOLD_POSTGRES,
    };
    locked(tx, text, incident).await
}

/// Keeps all others from writing records of an incident until the transaction ends.
pub async fn seize(tx: &mut Tx, incident: i64) -> Result<(), StoreError> {
    let text = match tx.dialect() {
        Dialect::Sqlite => HOLD_SQLITE,
        Dialect::Postgres => SEIZE_POSTGRES,
    };
    locked(tx, text, incident).await
}

async fn locked(tx: &mut Tx, text: &'static str, incident: i64) -> Result<(), StoreError> {
    let found: Option<i64> = on!(tx, |c| sqlx::query_scalar(text).bind(incident).fetch_optional(c).await)?;
    match found {
        Some(_) => Ok(()),
        None => Err(StoreError::Stale { what: "the incident was erased".to_owned() }),
    }
}

/// Destroys the identity key of an incident and keeps its totals; whether it was there to be erased.
pub async fn erase(tx: &mut Tx, incident: i64, totals: &str, now: Timestamp) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(ERASE)
        .bind(now.micros())
        .bind(totals)
        .bind(incident)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// The totals of an incident as they were when it was erased, JSON.
pub async fn totals_at_erasure(conn: &mut Conn, incident: i64) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(TOTALS_AT_ERASURE).bind(incident).fetch_one(c).await)?)
}

/// Replaces what an incident states.
pub async fn set_facts(tx: &mut Tx, incident: i64, before: &str, facts: &str) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(SET_FACTS)
        .bind(facts)
        .bind(incident)
        .bind(before)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || "what the incident states was changed meanwhile".to_owned())
}

/// Records a clock event.
pub async fn insert_event(tx: &mut Tx, incident: i64, event: &Event) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(INSERT_EVENT)
        .bind(incident)
        .bind(&event.name)
        .bind(event.at)
        .bind(&event.why)
        .bind(&event.actor)
        .bind(event.recorded_at)
        .bind(event.nth)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || format!("somebody else recorded `{}` meanwhile", event.name))
}

/// The clock events of an incident, in the order they were recorded.
pub async fn events(conn: &mut Conn, incident: i64) -> Result<Vec<Event>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(EVENTS).bind(incident).fetch_all(c).await)?)
}
