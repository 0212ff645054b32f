//! Attempts to reach organisations where nobody can be told, and answers of look-ups.
//!
//! Decides no rung: `model::reach` does. Invariant: an attempt is only added, one for a rung, and whose next rung is
//! due follows from contacts, deliveries and attempts alone.

use crate::{Conn, StoreError, Tx};

/// Affected tenants of released incidents where nobody can be told and a rung is due at $1, with the number of the
/// rung they are on. Nobody can be told: no notice is accepted or on its way, and each usable contact had one that
/// came back. `$filter` narrows.
macro_rules! due {
    ($filter:literal, $tail:literal) => {
        concat!(
            "SELECT u.incident_id, u.tenant_id,
                (SELECT COALESCE(MAX(a.number), 0) FROM reach_attempts a
                 WHERE a.incident_id = u.incident_id AND a.tenant_id = u.tenant_id) AS climbed
            FROM (
                SELECT DISTINCT incident_id, tenant_id
                FROM fact_sheets
                WHERE verdict = 'mapped'",
            $filter,
            ") u
            WHERE EXISTS (SELECT 1 FROM waves w WHERE w.incident_id = u.incident_id)
                AND NOT EXISTS (
                    SELECT 1 FROM outbox o
                    WHERE o.incident_id = u.incident_id AND o.tenant_id = u.tenant_id AND o.notice_id IS NOT NULL
                        AND o.state NOT IN ('bounced', 'failed', 'suppressed', 'cancelled'))
                AND NOT EXISTS (
                    SELECT 1 FROM contacts c
                    WHERE c.tenant_id = u.tenant_id AND c.disabled_at IS NULL AND c.left_at IS NULL AND c.merged_into IS NULL
                        AND c.role <> 'account-manager'
                        AND NOT EXISTS (
                            SELECT 1 FROM outbox x
                            WHERE x.incident_id = u.incident_id AND x.tenant_id = u.tenant_id AND x.notice_id IS NOT NULL
                                AND x.address = c.address AND x.state <> 'cancelled'))
                AND COALESCE((
                    SELECT COALESCE(a.next_at, 9223372036854775807)
                    FROM reach_attempts a
                    WHERE a.incident_id = u.incident_id AND a.tenant_id = u.tenant_id
                    ORDER BY a.number DESC
                    LIMIT 1), 0) <= $1",
            $tail
        )
    };
}

statements! {
    DUE = due!("", " ORDER BY u.incident_id, u.tenant_id LIMIT $2");
    DUE_OF_INCIDENT = due!(" AND incident_id = $2", " ORDER BY u.tenant_id LIMIT $3");
    DUE_OF_TENANT = due!(" AND incident_id = $2 AND tenant_id = $3", "");
    INSERT_ATTEMPT = "
        INSERT INTO reach_attempts (incident_id, tenant_id, number, rung, at, outcome, detail, next_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (incident_id, tenant_id, number) DO NOTHING";
    ATTEMPTS = "
        SELECT incident_id, tenant_id, number, rung, at, outcome, detail, next_at
        FROM reach_attempts
        WHERE incident_id = $1
        ORDER BY tenant_id, number";
    /// The domains of a tenant that are named most often.
    DOMAINS = "
        SELECT organisation_domain
        FROM fact_sheets
        WHERE incident_id = $1 AND tenant_id = $2 AND verdict = 'mapped'
        ORDER BY row_count DESC, organisation_domain
        LIMIT $3";
    /// Letters to an address that ask who is responsible and have not left.
    CALL_BACK = "
        UPDATE outbox
        SET state = 'cancelled', lease = NULL, settled_at = $1, last_reply = $2
        WHERE tenant_id = $3 AND address = $4 AND notice_id IS NULL AND contact_id IS NULL
            AND state IN ('queued', 'leased', 'deferred', 'uncertain')
            AND EXISTS (SELECT 1 FROM letters l WHERE l.id = outbox.letter_id AND l.kind = 'reach')";
    ANSWER = "
        SELECT question, domain, asked_at, url, status, body
        FROM lookup_answers
        WHERE question = $1 AND domain = $2";
    KEEP_ANSWER = "
        INSERT INTO lookup_answers (question, domain, asked_at, url, status, body)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (question, domain) DO UPDATE SET asked_at = excluded.asked_at, url = excluded.url,
            status = excluded.status, body = excluded.body";
}

/// A tenant where nobody can be told, whose next rung is due.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Due {
    /// The incident.
    pub incident_id: i64,
    /// The tenant.
    pub tenant_id: String,
    /// The rung it is on; 0: none yet.
    pub climbed: i64,
}

/// A rung that was climbed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    /// The incident.
    pub incident_id: i64,
    /// To reach whom.
    pub tenant_id: String,
    /// From 1.
    pub number: i64,
    /// A name of `model::reach::Rung`.
    pub rung: String,
    /// Microseconds since the epoch.
    pub at: i64,
    /// A name of `model::reach::Outcome`.
    pub outcome: String,
    /// In words; holds addresses.
    pub detail: String,
    /// When the next rung is due, microseconds; none: this was the last.
    pub next_at: Option<i64>,
}

/// An answer of a look-up as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct AnswerRow {
    /// `security-txt` or `rdap`.
    pub question: String,
    /// About which domain.
    pub domain: String,
    /// Microseconds since the epoch.
    pub asked_at: i64,
    /// Where it is from.
    pub url: String,
    /// How it ended, with the reason.
    pub status: String,
    /// As it came.
    pub body: Vec<u8>,
}

/// Up to `limit` tenants whose next rung is due at `now`.
pub async fn due(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<Due>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(DUE).bind(now).bind(limit).fetch_all(c).await)?)
}

/// Up to `limit` tenants of one incident whose next rung is due at `now`.
pub async fn due_of_incident(conn: &mut Conn, now: i64, incident: i64, limit: i64) -> Result<Vec<Due>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(DUE_OF_INCIDENT).bind(now).bind(incident).bind(limit).fetch_all(c).await)?)
}

/// One tenant of an incident, if its next rung is due at `now`.
pub async fn due_of_tenant(conn: &mut Conn, now: i64, incident: i64, tenant: &str) -> Result<Option<Due>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(DUE_OF_TENANT).bind(now).bind(incident).bind(tenant).fetch_optional(c).await)?)
}

/// Adds an attempt. `false`: somebody else climbed this rung.
pub async fn insert_attempt(tx: &mut Tx, attempt: &Attempt) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(INSERT_ATTEMPT)
        .bind(attempt.incident_id)
        .bind(&attempt.tenant_id)
        .bind(attempt.number)
        .bind(&attempt.rung)
        .bind(attempt.at)
        .bind(&attempt.outcome)
        .bind(&attempt.detail)
        .bind(attempt.next_at)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// The attempts of an incident, by tenant and number.
pub async fn attempts(conn: &mut Conn, incident: i64) -> Result<Vec<Attempt>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ATTEMPTS).bind(incident).fetch_all(c).await)?)
}

/// Up to `limit` affected domains of a tenant, those with most rows first.
pub async fn domains(conn: &mut Conn, incident: i64, tenant: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(DOMAINS).bind(incident).bind(tenant).bind(limit).fetch_all(c).await)?)
}

/// Cancels letters to an address of a tenant that ask who is responsible and have not left; how many.
pub async fn call_back(tx: &mut Tx, tenant: &str, address: &str, why: &str, now: i64) -> Result<u64, StoreError> {
    Ok(on!(tx, |c| sqlx::query(CALL_BACK)
        .bind(now)
        .bind(why)
        .bind(tenant)
        .bind(address)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?)
}

/// The answer that is kept for a question about a domain.
pub async fn answer(conn: &mut Conn, question: &str, domain: &str) -> Result<Option<AnswerRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ANSWER).bind(question).bind(domain).fetch_optional(c).await)?)
}

/// Keeps an answer in place of an earlier one.
pub async fn keep_answer(tx: &mut Tx, answer: &AnswerRow) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(KEEP_ANSWER)
        .bind(&answer.question)
        .bind(&answer.domain)
        .bind(answer.asked_at)
        .bind(&answer.url)
        .bind(&answer.status)
        .bind(&answer.body)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}
