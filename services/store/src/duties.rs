//! Duties of an incident as people speak of them, contracts, promised updates, and when clocks are looked at next.
//!
//! Derives no clock (that is `model::duties` and `model::law`). Invariant: what was said is only added to, and approved once.

use crate::{Conn, StoreError, Tx};

/// The columns of [`ActRow`].
macro_rules! act {
    ($rest:literal) => {
        concat!(
            "SELECT id, incident_id, duty, act, at, reference, why, actor, recorded_at, approved_by, approved_at, counts_nth \
             FROM duty_acts ",
            $rest
        )
    };
}

statements! {
    INSERT_ACT = "
        INSERT INTO duty_acts (id, incident_id, duty, act, at, reference, why, actor, recorded_at, nth, counts_nth)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (incident_id, nth) DO NOTHING";
    /// What counts later than it was said takes the place of a further word.
    NEXT_NTH = "
        SELECT COALESCE(MAX(CASE WHEN counts_nth > nth THEN counts_nth ELSE nth END), 0) + 1
        FROM duty_acts
        WHERE incident_id = $1";
    ACT = act!("WHERE id = $1");
    ACTS = act!("WHERE incident_id = $1 ORDER BY nth");
    APPROVE = "
        UPDATE duty_acts
        SET approved_by = $1, approved_at = $2, counts_nth = $3
        WHERE id = $4 AND counts_nth IS NULL";
    INSERT_CONTRACT = "
        INSERT INTO contracts (id, tenant_id, hours, trigger_event, source, why, added_by, added_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    CONTRACTS = "
        SELECT id, tenant_id, hours, trigger_event, source, why, added_by, added_at, ended_by, ended_at, ended_why
        FROM contracts
        ORDER BY tenant_id, id";
    END_CONTRACT = "
        UPDATE contracts
        SET ended_by = $1, ended_at = $2, ended_why = $3
        WHERE id = $4 AND ended_at IS NULL";
    /// Of tenants with such a contract that are affected, ended or not, with the time at which a notice of theirs was accepted first.
    CONTRACTS_OF_INCIDENT = "
        SELECT c.id, c.tenant_id, c.hours, c.trigger_event, c.source, c.ended_by, c.ended_at, c.ended_why, (
            SELECT MIN(o.settled_at)
            FROM outbox o
            WHERE o.incident_id = $1 AND o.tenant_id = c.tenant_id AND o.notice_id IS NOT NULL AND o.state = 'accepted') AS told_at
        FROM contracts c
        WHERE EXISTS (SELECT 1 FROM fact_sheets f WHERE f.incident_id = $1 AND f.tenant_id = c.tenant_id AND f.verdict = 'mapped')
        ORDER BY c.tenant_id, c.id";
    COUNTRIES = "
        SELECT DISTINCT t.country
        FROM tenants t
        WHERE t.country <> ''
            AND t.id IN (SELECT f.tenant_id FROM fact_sheets f WHERE f.incident_id = $1 AND f.verdict = 'mapped')
        ORDER BY t.country";
    INSERT_UPDATE = "
        INSERT INTO next_updates (id, incident_id, by_at, why, promised_by, promised_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    /// Kept by what was recorded, or by the first supplement or correction that was released after it.
    UPDATES = "
        SELECT u.id, u.by_at, u.why, u.promised_by, u.promised_at, u.kept_why,
            COALESCE(u.kept_at, (
                SELECT MIN(n.released_at)
                FROM notices n
                WHERE n.incident_id = u.incident_id AND n.kind IN ('supplement', 'correction') AND n.released_at > u.promised_at)) AS kept_at
        FROM next_updates u
        WHERE u.incident_id = $1
        ORDER BY u.by_at, u.id";
    KEEP_UPDATE = "
        UPDATE next_updates
        SET kept_at = $1, kept_by = $2, kept_why = $3
        WHERE incident_id = $4 AND kept_at IS NULL AND promised_at <= $1";
    LOOK_AT = "
        INSERT INTO duty_looks (incident_id, look_at)
        VALUES ($1, $2)
        ON CONFLICT (incident_id) DO UPDATE SET look_at = excluded.look_at";
    LOOK_AT_ALL = "
        INSERT INTO duty_looks (incident_id, look_at)
        SELECT id, CAST($1 AS BIGINT) FROM incidents WHERE TRUE
        ON CONFLICT (incident_id) DO UPDATE SET look_at = excluded.look_at";
    LOOKS_DUE = "
        SELECT incident_id
        FROM duty_looks
        WHERE look_at <= $1
        ORDER BY look_at, incident_id
        LIMIT $2";
    QUESTIONS_OF_INCIDENT = "
        SELECT q.id, t.id AS ticket_id, t.tenant_id, q.state, q.asked_at, q.promised_by, q.settled_at
        FROM questions q
        JOIN tickets t ON t.id = q.ticket_id
        WHERE t.incident_id = $1
        ORDER BY q.asked_at, q.id";
}

/// Something that was said of a duty.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ActRow {
    /// `dut_…`.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// An obligation's id, or a contract's.
    pub duty: String,
    /// A name of `model::duties::Act`.
    pub act: String,
    /// Microseconds since the epoch: when it was done, until when it rests.
    pub at: Option<i64>,
    /// The file number of who was told.
    pub reference: Option<String>,
    /// The reason.
    pub why: String,
    /// Who said it.
    pub actor: String,
    /// Microseconds since the epoch.
    pub recorded_at: i64,
    /// The second person.
    pub approved_by: Option<String>,
    /// Microseconds since the epoch.
    pub approved_at: Option<i64>,
    /// From which place in the order of words it counts; none: it waits for a second person.
    pub counts_nth: Option<i64>,
}

/// Hours that were promised to a tenant.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Contract {
    /// `ctr_…`.
    pub id: String,
    /// Whose.
    pub tenant_id: String,
    /// How many.
    pub hours: i64,
    /// A name of `model::law::ClockEvent`.
    pub trigger_event: String,
    /// Contract and clause.
    pub source: String,
    /// The reason for the entry.
    pub why: String,
    /// By whom.
    pub added_by: String,
    /// Microseconds since the epoch.
    pub added_at: i64,
    /// By whom.
    pub ended_by: Option<String>,
    /// Microseconds since the epoch.
    pub ended_at: Option<i64>,
    /// The reason.
    pub ended_why: Option<String>,
}

/// A contract with an organisation that is affected.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ContractClock {
    /// `ctr_…`.
    pub id: String,
    /// Whose.
    pub tenant_id: String,
    /// How many hours.
    pub hours: i64,
    /// A name of `model::law::ClockEvent`.
    pub trigger_event: String,
    /// Contract and clause.
    pub source: String,
    /// By whom it was ended.
    pub ended_by: Option<String>,
    /// Microseconds since the epoch.
    pub ended_at: Option<i64>,
    /// The reason.
    pub ended_why: Option<String>,
    /// When a notice of theirs was accepted first, microseconds since the epoch.
    pub told_at: Option<i64>,
}

/// A promised update.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Update {
    /// `upd_…`.
    pub id: String,
    /// By when, microseconds since the epoch.
    pub by_at: i64,
    /// The reason.
    pub why: String,
    /// By whom.
    pub promised_by: String,
    /// Microseconds since the epoch.
    pub promised_at: i64,
    /// What was said of how it was kept; none: a notice kept it, or nothing did.
    pub kept_why: Option<String>,
    /// Microseconds since the epoch.
    pub kept_at: Option<i64>,
}

/// A question with whose it is.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Asked {
    /// `qst_…`.
    pub id: String,
    /// `tkt_…`.
    pub ticket_id: String,
    /// The organisation.
    pub tenant_id: String,
    /// A name of `model::tickets::QuestionState`.
    pub state: String,
    /// Microseconds since the epoch.
    pub asked_at: i64,
    /// Microseconds since the epoch.
    pub promised_by: Option<i64>,
    /// Microseconds since the epoch.
    pub settled_at: Option<i64>,
}

/// The place of the next word in an incident.
pub async fn next_nth(conn: &mut Conn, incident: i64) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(NEXT_NTH).bind(incident).fetch_one(c).await)?)
}

/// Keeps what was said, at its place.
pub async fn insert_act(tx: &mut Tx, act: &ActRow, nth: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(INSERT_ACT)
        .bind(&act.id)
        .bind(act.incident_id)
        .bind(&act.duty)
        .bind(&act.act)
        .bind(act.at)
        .bind(&act.reference)
        .bind(&act.why)
        .bind(&act.actor)
        .bind(act.recorded_at)
        .bind(nth)
        .bind(act.counts_nth)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || "somebody else spoke of the duties meanwhile".to_owned())
}

/// What was said under an id.
pub async fn act(conn: &mut Conn, id: &str) -> Result<Option<ActRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ACT).bind(id).fetch_optional(c).await)?)
}

/// Everything that was said in an incident, oldest first.
pub async fn acts(conn: &mut Conn, incident: i64) -> Result<Vec<ActRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ACTS).bind(incident).fetch_all(c).await)?)
}

/// Approves what was said, as the second person.
pub async fn approve(tx: &mut Tx, id: &str, actor: &str, now: i64, nth: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(APPROVE)
        .bind(actor)
        .bind(now)
        .bind(nth)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || format!("{id} of a duty"))
}

/// Keeps a contract.
pub async fn insert_contract(tx: &mut Tx, new: &Contract) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT_CONTRACT)
        .bind(&new.id)
        .bind(&new.tenant_id)
        .bind(new.hours)
        .bind(&new.trigger_event)
        .bind(&new.source)
        .bind(&new.why)
        .bind(&new.added_by)
        .bind(new.added_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Every contract, by tenant.
pub async fn contracts(conn: &mut Conn) -> Result<Vec<Contract>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(CONTRACTS).fetch_all(c).await)?)
}

/// Ends a contract. `false`: there is none of this id that runs.
pub async fn end_contract(tx: &mut Tx, id: &str, actor: &str, why: &str, now: i64) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(END_CONTRACT)
        .bind(actor)
        .bind(now)
        .bind(why)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// Contracts with organisations that an incident affects.
pub async fn contracts_of(conn: &mut Conn, incident: i64) -> Result<Vec<ContractClock>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(CONTRACTS_OF_INCIDENT).bind(incident).fetch_all(c).await)?)
}

/// The countries of the organisations that an incident affects.
pub async fn countries(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(COUNTRIES).bind(incident).fetch_all(c).await)?)
}

/// Keeps a promised update.
pub async fn insert_update(tx: &mut Tx, incident: i64, new: &Update) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT_UPDATE)
        .bind(&new.id)
        .bind(incident)
        .bind(new.by_at)
        .bind(&new.why)
        .bind(&new.promised_by)
        .bind(new.promised_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// The promised updates of an incident.
pub async fn updates(conn: &mut Conn, incident: i64) -> Result<Vec<Update>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(UPDATES).bind(incident).fetch_all(c).await)?)
}

/// Records that a statement went out, which keeps what was promised before it; how many promises.
pub async fn keep_updates(tx: &mut Tx, incident: i64, at: i64, actor: &str, why: &str) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(KEEP_UPDATE)
        .bind(at)
        .bind(actor)
        .bind(why)
        .bind(incident)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// Notes when the clocks of an incident are looked at next.
pub async fn look_at(tx: &mut Tx, incident: i64, at: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(LOOK_AT).bind(incident).bind(at).execute(c).await.map(drop))?;
    Ok(())
}

/// The same for every incident.
pub async fn look_at_all(tx: &mut Tx, at: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(LOOK_AT_ALL).bind(at).execute(c).await.map(drop))?;
    Ok(())
}

/// Incidents whose clocks are to be looked at.
pub async fn looks_due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(LOOKS_DUE).bind(now).bind(limit).fetch_all(c).await)?)
}

/// Every question of an incident, by when it was asked.
pub async fn questions(conn: &mut Conn, incident: i64) -> Result<Vec<Asked>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(QUESTIONS_OF_INCIDENT).bind(incident).fetch_all(c).await)?)
}
