//! The figures of the first screen: coverage, states of deliveries, open questions by age, a line per organisation.
//!
//! Changes nothing. Invariant: the affected are counted from mapping alone, the rest unit by unit in one statement,
//! so a remainder other than 0 is a fault that shows.

use crate::{Conn, StoreError};

statements! {
    /// Each affected unit (a tenant, or an organisation domain without one) counts in the first place that holds.
    COVERAGE = "
        WITH unit AS (
            SELECT DISTINCT tenant_id, CASE WHEN verdict = 'mapped' THEN '' ELSE organisation_domain END AS domain
            FROM mappings
            WHERE incident_id = $1 AND verdict <> 'shared'
        ), delivery AS (
            SELECT tenant_id,
                COUNT(*) FILTER (WHERE state = 'accepted') AS accepted,
                COUNT(*) FILTER (WHERE state IN ('queued', 'leased', 'at_dot', 'deferred', 'uncertain')) AS on_its_way,
                COUNT(*) FILTER (WHERE state <> 'cancelled') AS mails
            FROM outbox
            WHERE incident_id = $1 AND notice_id IS NOT NULL
            GROUP BY tenant_id
        ), next_step AS (
            SELECT t.tenant_id
            FROM escalations e
            JOIN tickets t ON t.id = e.ticket_id
            WHERE e.incident_id = $1 AND e.policy = 'unreachable' AND e.ended_at IS NULL
            UNION
            SELECT tenant_id
            FROM tasks
            WHERE incident_id = $1 AND kind IN ('unreachable', 'no-contact') AND done_at IS NULL
        ), withheld AS (
            SELECT tenant_id
            FROM withholdings
            WHERE incident_id = $1 AND fact = 'notice' AND approved_at IS NOT NULL AND ended_at IS NULL
        ), placed AS (
            SELECT CASE
                WHEN u.tenant_id IS NULL THEN 'waiting_for_mapping'
                WHEN d.accepted > 0 THEN 'accepted'
                WHEN d.on_its_way > 0 THEN 'in_progress'
                WHEN EXISTS (SELECT 1 FROM next_step s WHERE s.tenant_id = u.tenant_id) THEN 'unreachable'
                WHEN EXISTS (SELECT 1 FROM withheld h WHERE h.tenant_id = u.tenant_id OR h.tenant_id IS NULL) THEN 'withheld'
                WHEN d.mails > 0 THEN 'in_progress'
                WHEN NOT EXISTS (
                    SELECT 1 FROM notices n
                    WHERE n.incident_id = $1 AND n.tenant_id = u.tenant_id AND n.state = 'released') THEN 'not_released'
                ELSE 'nowhere' END AS place
            FROM unit u
            LEFT JOIN delivery d ON d.tenant_id = u.tenant_id
        )
        SELECT place, COUNT(*)
        FROM placed
        GROUP BY place";
    /// Of mapping alone.
    AFFECTED = "
        SELECT COUNT(DISTINCT tenant_id)
            + COUNT(DISTINCT CASE WHEN verdict IN ('unmapped', 'conflict') THEN organisation_domain END)
        FROM mappings
        WHERE incident_id = $1 AND verdict <> 'shared'";
    STATES = "
        SELECT state, COUNT(*)
        FROM outbox
        WHERE incident_id = $1 AND notice_id IS NOT NULL
        GROUP BY state
        ORDER BY state";
    OTHER_MAIL = "
        SELECT l.kind, o.state, COUNT(*)
        FROM outbox o
        JOIN letters l ON l.id = o.letter_id
        WHERE o.incident_id = $1 AND o.notice_id IS NULL
        GROUP BY l.kind, o.state
        ORDER BY l.kind, o.state";
    OPEN_QUESTIONS = "
        SELECT q.id, q.ticket_id, t.tenant_id, n.name AS tenant_name, q.state, q.text, q.asked_at, q.promised_by
        FROM questions q
        JOIN tickets t ON t.id = q.ticket_id
        JOIN tenants n ON n.id = t.tenant_id
        WHERE t.incident_id = $1 AND q.state IN ('open', 'promised')
        ORDER BY q.asked_at, q.id
        LIMIT $2";
    COUNT_OPEN_QUESTIONS = "
        SELECT COUNT(*)
        FROM questions q
        JOIN tickets t ON t.id = q.ticket_id
        WHERE t.incident_id = $1 AND q.state IN ('open', 'promised')";
    FIRED_UNACKNOWLEDGED = "
        SELECT f.escalation_id, e.policy, e.ticket_id, t.tenant_id, f.rung, f.target, f.due_at, f.fired_at
        FROM firings f
        JOIN escalations e ON e.id = f.escalation_id
        JOIN tickets t ON t.id = e.ticket_id
        WHERE e.incident_id = $1 AND e.ended_at IS NULL AND f.acknowledged_at IS NULL
        ORDER BY f.due_at, f.id
        LIMIT $2";
    ORGANISATIONS = "
        SELECT m.tenant_id, MAX(n.name) AS name, COUNT(*) AS domains,
            (SELECT x.state FROM notices x WHERE x.incident_id = $1 AND x.tenant_id = m.tenant_id ORDER BY x.version DESC LIMIT 1) AS notice_state,
            (SELECT x.code FROM notices x WHERE x.incident_id = $1 AND x.tenant_id = m.tenant_id ORDER BY x.version DESC LIMIT 1) AS notice_code,
            (SELECT COUNT(*) FROM outbox o WHERE o.incident_id = $1 AND o.tenant_id = m.tenant_id AND o.notice_id IS NOT NULL) AS mails,
            (SELECT COUNT(*) FROM outbox o WHERE o.incident_id = $1 AND o.tenant_id = m.tenant_id AND o.notice_id IS NOT NULL AND o.state = 'accepted') AS accepted,
            (SELECT t.id FROM tickets t WHERE t.incident_id = $1 AND t.tenant_id = m.tenant_id AND t.split_from IS NULL) AS ticket,
            (SELECT t.status FROM tickets t WHERE t.incident_id = $1 AND t.tenant_id = m.tenant_id AND t.split_from IS NULL) AS ticket_status,
            (SELECT t.turn FROM tickets t WHERE t.incident_id = $1 AND t.tenant_id = m.tenant_id AND t.split_from IS NULL) AS turn,
            (SELECT CAST(SUM(t.debt) AS BIGINT) FROM tickets t WHERE t.incident_id = $1 AND t.tenant_id = m.tenant_id) AS debt
        FROM fact_sheets m
        JOIN tenants n ON n.id = m.tenant_id
        WHERE m.incident_id = $1 AND m.verdict = 'mapped' AND m.tenant_id > $2
        GROUP BY m.tenant_id
        ORDER BY m.tenant_id
        LIMIT $3";
    UNMAPPED = "
        SELECT s.organisation_domain, s.verdict, s.row_count,
            (SELECT MAX(m.because) FROM mappings m
             WHERE m.incident_id = $1 AND m.organisation_domain = s.organisation_domain AND m.verdict = s.verdict)
        FROM fact_sheets s
        WHERE s.incident_id = $1 AND s.verdict IN ('unmapped', 'conflict')
        ORDER BY s.row_count DESC, s.organisation_domain
        LIMIT $2";
}

/// An open question with its organisation.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct OpenQuestion {
    /// `qst_…`.
    pub id: String,
    /// `tkt_…`.
    pub ticket_id: String,
    /// Who asks.
    pub tenant_id: String,
    /// By name.
    pub tenant_name: String,
    /// `open` or `promised`.
    pub state: String,
    /// In the asker's words.
    pub text: String,
    /// Microseconds since the epoch.
    pub asked_at: i64,
    /// Microseconds since the epoch.
    pub promised_by: Option<i64>,
}

/// A rung that fired and that nobody has acknowledged.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct Fired {
    /// `esc_…`.
    pub escalation_id: String,
    /// Of which policy.
    pub policy: String,
    /// `tkt_…`.
    pub ticket_id: String,
    /// About whom.
    pub tenant_id: String,
    /// From 1.
    pub rung: i64,
    /// Whom it turned to.
    pub target: String,
    /// Microseconds since the epoch.
    pub due_at: i64,
    /// Microseconds since the epoch.
    pub fired_at: i64,
}

/// A line per organisation.
#[derive(Debug, Clone, serde::Serialize, sqlx::FromRow)]
pub struct Organisation {
    /// The tenant.
    pub tenant_id: String,
    /// By name.
    pub name: String,
    /// Affected domains.
    pub domains: i64,
    /// Of its newest notice.
    pub notice_state: Option<String>,
    /// Of its newest notice.
    pub notice_code: Option<String>,
    /// Deliveries.
    pub mails: i64,
    /// Of these, accepted.
    pub accepted: i64,
    /// Its ticket.
    pub ticket: Option<String>,
    /// `open` or `closed`.
    pub ticket_status: Option<String>,
    /// Whose turn.
    pub turn: Option<String>,
    /// Questions open or promised.
    pub debt: Option<i64>,
}

/// How many units are affected, and how many are in each place. Read both in one snapshot.
pub async fn coverage(conn: &mut Conn, incident: i64) -> Result<(i64, Vec<(String, i64)>), StoreError> {
    let affected = on!(conn, |c| sqlx::query_scalar(AFFECTED).bind(incident).fetch_one(c).await)?;
    let places = on!(conn, |c| sqlx::query_as(COVERAGE).bind(incident).fetch_all(c).await)?;
    Ok((affected, places))
}

/// Deliveries by state.
pub async fn states(conn: &mut Conn, incident: i64) -> Result<Vec<(String, i64)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(STATES).bind(incident).fetch_all(c).await)?)
}

/// Mails other than notices, by kind and state.
pub async fn other_mail(conn: &mut Conn, incident: i64) -> Result<Vec<(String, String, i64)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(OTHER_MAIL).bind(incident).fetch_all(c).await)?)
}

/// How many questions are debt, and the oldest of them.
pub async fn open_questions(
    conn: &mut Conn,
    incident: i64,
    limit: i64,
) -> Result<(i64, Vec<OpenQuestion>), StoreError> {
    let count = on!(conn, |c| sqlx::query_scalar(COUNT_OPEN_QUESTIONS).bind(incident).fetch_one(c).await)?;
    let oldest = on!(conn, |c| sqlx::query_as(OPEN_QUESTIONS).bind(incident).bind(limit).fetch_all(c).await)?;
    Ok((count, oldest))
}

/// Rungs that fired and that nobody has acknowledged, the oldest first.
pub async fn fired(conn: &mut Conn, incident: i64, limit: i64) -> Result<Vec<Fired>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(FIRED_UNACKNOWLEDGED).bind(incident).bind(limit).fetch_all(c).await)?)
}

/// Up to `limit` organisations after the tenant id `after`.
pub async fn organisations(
    conn: &mut Conn,
    incident: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<Organisation>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ORGANISATIONS).bind(incident).bind(after).bind(limit).fetch_all(c).await)?)
}

/// Organisation domains without a tenant as (domain, verdict, rows, because), those with most rows first.
pub async fn unmapped(
    conn: &mut Conn,
    incident: i64,
    limit: i64,
) -> Result<Vec<(String, String, i64, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(UNMAPPED).bind(incident).bind(limit).fetch_all(c).await)?)
}
