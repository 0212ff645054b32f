//! Verdicts on hosts, and the facts and totals that are grouped by them.
//!
//! Decides no verdict: `model::mapping` does. Invariant: facts and totals are computed from rows, never stored, so
//! they follow every change of mapping.

use model::notices::{DomainFacts, TypeCount, Unknown};
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, insert_text};
use crate::{Conn, StoreError, Tx};

/// Hosts of organisations (not shared ones) of incident `$1`; `$filter` narrows further.
macro_rules! organisation_hosts {
    ($filter:literal) => {
        concat!(
            "WITH organisation AS (
                SELECT host_id, organisation_domain AS domain, tenant_id
                FROM mappings
                WHERE incident_id = $1 AND verdict <> 'shared'",
            $filter,
            "), object AS (
                SELECT o.domain, h.object_key, MIN(h.size_bytes) AS size_bytes, MIN(h.document_date) AS document_date,
                    MIN(h.data_type) AS data_type
                FROM organisation o
                JOIN host_objects h ON h.host_id = o.host_id
                GROUP BY o.domain, h.object_key
            )"
        )
    };
}

macro_rules! facts_statements {
    ($($name:ident, $types:ident, $identities:ident, $rows:ident, $filter:literal;)+) => {
        statements! {
            $(
            $rows = concat!(organisation_hosts!($filter), "
                SELECT o.domain, MAX(o.tenant_id) AS tenant_id, CAST(SUM(h.row_count) AS BIGINT) AS row_count
                FROM organisation o
                JOIN hosts h ON h.id = o.host_id
                GROUP BY o.domain
                ORDER BY o.domain");
            $name = concat!(organisation_hosts!($filter), "
                SELECT domain, COUNT(*) AS objects, CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT) AS bytes,
                    MIN(document_date) AS first_date, MAX(document_date) AS last_date,
                    COUNT(*) FILTER (WHERE data_type IS NULL) AS without_type,
                    COUNT(*) FILTER (WHERE document_date IS NULL) AS without_date,
                    COUNT(*) FILTER (WHERE size_bytes IS NULL) AS without_size
                FROM object
                GROUP BY domain");
            $types = concat!(organisation_hosts!($filter), "
                SELECT domain, data_type, COUNT(*)
                FROM object
                WHERE data_type IS NOT NULL
                GROUP BY domain, data_type
                ORDER BY domain, data_type");
            $identities = concat!(organisation_hosts!($filter), "
                SELECT o.domain, i.kind, COUNT(DISTINCT i.identity)
                FROM organisation o
                JOIN host_identities i ON i.host_id = o.host_id
                GROUP BY o.domain, i.kind");
            )+
            PENDING = "
                SELECT h.id, h.host
                FROM hosts h
                LEFT JOIN mappings m ON m.host_id = h.id
                WHERE h.incident_id = $1 AND h.id > $2 AND (m.host_id IS NULL OR m.directory_version < $3)
                ORDER BY h.id
                LIMIT $4";
            COUNT_PENDING = "
                SELECT COUNT(*)
                FROM hosts h
                LEFT JOIN mappings m ON m.host_id = h.id
                WHERE h.incident_id = $1 AND (m.host_id IS NULL OR m.directory_version < $2)";
            INCIDENTS_WITH_PENDING = "
                SELECT DISTINCT h.incident_id
                FROM hosts h
                LEFT JOIN mappings m ON m.host_id = h.id
                WHERE m.host_id IS NULL OR m.directory_version < $1";
            SHARED = "SELECT domain FROM shared_domains WHERE incident_id = $1";
            DECISIONS = "
                SELECT domain, tenant_id, decision
                FROM mapping_decisions
                WHERE incident_id = $1 AND lapsed_at IS NULL";
            UPSERT_DECISION = "
                INSERT INTO mapping_decisions (incident_id, domain, tenant_id, decision, why, actor, decided_at, expires_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (incident_id, domain, tenant_id) DO UPDATE SET decision = excluded.decision, why = excluded.why,
                    actor = excluded.actor, decided_at = excluded.decided_at, expires_at = excluded.expires_at, lapsed_at = NULL";
            /// One domain is assigned to one tenant: an older assignment to another gives way.
            LAPSE_OTHER_ASSIGNMENTS = "
                UPDATE mapping_decisions
                SET lapsed_at = $1
                WHERE incident_id = $2 AND domain = $3 AND tenant_id <> $4 AND decision = 'assigned' AND lapsed_at IS NULL";
            LIST = "
                SELECT h.host, m.verdict, m.rule, m.tenant_id, m.organisation_domain, m.confidence, m.because
                FROM mappings m
                JOIN hosts h ON h.id = m.host_id
                WHERE m.incident_id = $1
                ORDER BY h.host";
            TOTAL_ROWS = "
                SELECT CAST(COALESCE(SUM(rows_read), 0) AS BIGINT), CAST(COALESCE(SUM(blank_lines), 0) AS BIGINT),
                    CAST(COALESCE(SUM(accepted), 0) AS BIGINT)
                FROM manifests
                WHERE incident_id = $1";
            TOTAL_REJECTS = "
                SELECT r.reason, COUNT(*)
                FROM rejects r
                JOIN manifests m ON m.id = r.manifest_id
                WHERE m.incident_id = $1
                GROUP BY r.reason";
            TOTAL_BY_VERDICT = "
                SELECT m.verdict, CAST(SUM(h.row_count) AS BIGINT), CAST(SUM(h.rows_missing) AS BIGINT),
                    CAST(SUM(h.rows_invalid) AS BIGINT), COUNT(DISTINCT m.organisation_domain), COUNT(DISTINCT m.tenant_id)
                FROM mappings m
                JOIN hosts h ON h.id = m.host_id
                WHERE m.incident_id = $1
                GROUP BY m.verdict";
            TOTAL_OBJECTS = "
                WITH object AS (
                    SELECT h.object_key, MIN(h.size_bytes) AS size_bytes, MIN(h.data_type) AS data_type,
                        CASE WHEN MAX(h.in_dispute) = 1 OR MIN(h.size_bytes) <> MAX(h.size_bytes)
                            OR MIN(h.document_date) <> MAX(h.document_date) OR MIN(h.data_type) <> MAX(h.data_type)
                            THEN 1 ELSE 0 END AS in_dispute
                    FROM mappings m
                    JOIN host_objects h ON h.host_id = m.host_id
                    WHERE m.incident_id = $1 AND m.verdict <> 'shared'
                    GROUP BY h.object_key
                )
                SELECT data_type, COUNT(*), CAST(COALESCE(SUM(size_bytes), 0) AS BIGINT), CAST(SUM(in_dispute) AS BIGINT)
                FROM object
                GROUP BY data_type
                ORDER BY data_type NULLS FIRST";
            TOTAL_IDENTITIES = "
                SELECT i.kind, COUNT(DISTINCT i.identity)
                FROM mappings m
                JOIN host_identities i ON i.host_id = m.host_id
                WHERE m.incident_id = $1 AND m.verdict <> 'shared'
                GROUP BY i.kind";
            TOTAL_SHARED_ADDRESSES = "
                SELECT COUNT(DISTINCT i.identity)
                FROM mappings m
                JOIN host_identities i ON i.host_id = m.host_id
                WHERE m.incident_id = $1 AND m.verdict = 'shared' AND i.kind = 'email'";
            TENANTS_WITHOUT_CONTACT = "
                SELECT COUNT(DISTINCT m.tenant_id)
                FROM mappings m
                WHERE m.incident_id = $1 AND m.verdict = 'mapped' AND NOT EXISTS (
                    SELECT 1 FROM contacts c
                    WHERE c.tenant_id = m.tenant_id AND c.disabled_at IS NULL AND c.role <> 'account-manager')";
        }
    };
}

facts_statements! {
    OBJECTS, TYPES, IDENTITIES, ROWS, "";
    OBJECTS_IN_RANGE, TYPES_IN_RANGE, IDENTITIES_IN_RANGE, ROWS_IN_RANGE, " AND tenant_id >= $2 AND tenant_id <= $3";
}

/// A verdict on one host.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct HostVerdict {
    /// The host.
    pub host: String,
    /// `mapped`, `unmapped`, `shared`, `conflict`.
    pub verdict: String,
    /// Which rule decided.
    pub rule: String,
    /// Whose it is, when mapped.
    pub tenant_id: Option<String>,
    /// The organisation domain it counts under.
    pub organisation_domain: String,
    /// `high`, `medium`, `low`.
    pub confidence: String,
    /// One sentence.
    pub because: String,
}

/// A person's decision on a domain.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Decision {
    /// A-label form.
    pub domain: String,
    /// Whose it is, or is not.
    pub tenant_id: String,
    /// `assigned` or `rejected`.
    pub decision: String,
}

/// Up to `limit` hosts after `after` whose verdict is missing or older than `version`.
pub async fn pending(
    conn: &mut Conn,
    incident: i64,
    after: i64,
    version: i64,
    limit: i64,
) -> Result<Vec<(i64, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(PENDING).bind(incident).bind(after).bind(version).bind(limit).fetch_all(c).await)?)
}

/// How many hosts wait for a verdict.
pub async fn count_pending(conn: &mut Conn, incident: i64, version: i64) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(COUNT_PENDING).bind(incident).bind(version).fetch_one(c).await)?)
}

/// Incidents in which hosts wait for a verdict.
pub async fn incidents_with_pending(conn: &mut Conn, version: i64) -> Result<Vec<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(INCIDENTS_WITH_PENDING).bind(version).fetch_all(c).await)?)
}

/// The incident's own shared domains.
pub async fn shared(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(SHARED).bind(incident).fetch_all(c).await)?)
}

/// The decisions that people took in this incident and that have not lapsed.
pub async fn decisions(conn: &mut Conn, incident: i64) -> Result<Vec<Decision>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(DECISIONS).bind(incident).fetch_all(c).await)?)
}

/// A decision with its reason.
#[derive(Debug)]
pub struct NewDecision<'a> {
    /// The incident.
    pub incident: i64,
    /// What and how.
    pub decision: &'a Decision,
    /// The reason given.
    pub why: &'a str,
    /// Who.
    pub actor: &'a str,
    /// Microseconds since the epoch.
    pub at: i64,
    /// Microseconds since the epoch.
    pub expires_at: Option<i64>,
}

/// Records a decision; a newer one on the same domain and tenant takes its place.
pub async fn upsert_decision(tx: &mut Tx, new: &NewDecision<'_>) -> Result<(), StoreError> {
    let NewDecision { incident, decision, why, actor, at, expires_at } = new;
    if decision.decision == "assigned" {
        on!(tx, |c| sqlx::query(LAPSE_OTHER_ASSIGNMENTS)
            .bind(at)
            .bind(incident)
            .bind(&decision.domain)
            .bind(&decision.tenant_id)
            .execute(c)
            .await
            .map(drop))?;
    }
    on!(tx, |c| sqlx::query(UPSERT_DECISION)
        .bind(incident)
        .bind(&decision.domain)
        .bind(&decision.tenant_id)
        .bind(&decision.decision)
        .bind(*why)
        .bind(*actor)
        .bind(at)
        .bind(expires_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// Writes verdicts: `(host id, verdict)`.
pub async fn upsert_verdicts(
    tx: &mut Tx,
    incident: i64,
    version: i64,
    now: i64,
    verdicts: &[(i64, HostVerdict)],
) -> Result<(), StoreError> {
    for part in verdicts.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            "INSERT INTO mappings (host_id, incident_id, verdict, rule, organisation_domain, tenant_id, confidence, because, directory_version, mapped_at)",
            10,
            part.len(),
            "ON CONFLICT (host_id) DO UPDATE SET verdict = excluded.verdict, rule = excluded.rule, \
             organisation_domain = excluded.organisation_domain, tenant_id = excluded.tenant_id, \
             confidence = excluded.confidence, because = excluded.because, \
             directory_version = excluded.directory_version, mapped_at = excluded.mapped_at \
             WHERE excluded.directory_version >= mappings.directory_version",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (host, verdict) in part {
                query = query
                    .bind(*host)
                    .bind(incident)
                    .bind(&verdict.verdict)
                    .bind(&verdict.rule)
                    .bind(&verdict.organisation_domain)
                    .bind(&verdict.tenant_id)
                    .bind(&verdict.confidence)
                    .bind(&verdict.because)
                    .bind(version)
                    .bind(now);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// All verdicts of an incident, by host.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<HostVerdict>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

#[derive(sqlx::FromRow)]
struct ObjectLine {
    domain: String,
    objects: i64,
    bytes: i64,
    first_date: Option<String>,
    last_date: Option<String>,
    without_type: i64,
    without_date: i64,
    without_size: i64,
}

/// Which tenants' facts are asked for.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// Every affected organisation domain, mapped or not.
    Incident,
    /// Those mapped to the tenants from the first id to the last.
    Tenants(&'a str, &'a str),
}

/// The facts of each affected organisation domain, sorted by domain.
pub async fn facts(conn: &mut Conn, incident: i64, scope: Scope<'_>) -> Result<Vec<DomainFacts>, StoreError> {
    let (rows, objects, types, identities, bounds) = match scope {
        Scope::Incident => (ROWS, OBJECTS, TYPES, IDENTITIES, None),
        Scope::Tenants(first, last) => {
            (ROWS_IN_RANGE, OBJECTS_IN_RANGE, TYPES_IN_RANGE, IDENTITIES_IN_RANGE, Some((first, last)))
        }
    };
    macro_rules! all {
        ($text:expr, $row:ty) => {
            on!(conn, |c| {
                let mut query = sqlx::query_as::<_, $row>($text).bind(incident);
                if let Some((first, last)) = bounds {
                    query = query.bind(first).bind(last);
                }
                query.fetch_all(c).await
            })?
        };
    }
    let mut facts: Vec<DomainFacts> = all!(rows, (String, Option<String>, i64))
        .into_iter()
        .map(|(domain, tenant_id, rows)| empty_facts(domain, tenant_id, rows))
        .collect();
    let place: std::collections::HashMap<String, usize> =
        facts.iter().enumerate().map(|(index, fact)| (fact.domain.clone(), index)).collect();
    for line in all!(objects, ObjectLine) {
        if let Some(fact) = place.get(&line.domain).and_then(|index| facts.get_mut(*index)) {
            fact.objects = line.objects;
            fact.bytes = line.bytes;
            fact.first_date = line.first_date;
            fact.last_date = line.last_date;
            fact.unknown = Unknown { data_type: line.without_type, date: line.without_date, size: line.without_size };
        }
    }
    for (domain, id, objects) in all!(types, (String, String, i64)) {
        if let Some(fact) = place.get(&domain).and_then(|index| facts.get_mut(*index)) {
            fact.data_types.push(TypeCount { id, objects });
        }
    }
    for (domain, kind, count) in all!(identities, (String, String, i64)) {
        if let Some(fact) = place.get(&domain).and_then(|index| facts.get_mut(*index)) {
            match kind.as_str() {
                "email" => fact.emails = count,
                "user" => fact.users = count,
                "project" => fact.projects = count,
                other => return Err(StoreError::Unknown { what: format!("kind = {other}") }),
            }
        }
    }
    Ok(facts)
}

fn empty_facts(domain: String, tenant_id: Option<String>, rows: i64) -> DomainFacts {
    DomainFacts {
        domain,
        tenant_id,
        rows,
        objects: 0,
        emails: 0,
        users: 0,
        projects: 0,
        bytes: 0,
        first_date: None,
        last_date: None,
        data_types: Vec::new(),
        unknown: Unknown::default(),
    }
}

/// The raw figures behind `exposure totals`.
#[derive(Debug, Default)]
pub struct RawTotals {
    /// Rows, blank lines, accepted rows over all manifests.
    pub read: (i64, i64, i64),
    /// Rejects by reason.
    pub rejects: Vec<(String, i64)>,
    /// By verdict: rows, rows with a missing field, with an invalid one, organisation domains, tenants.
    pub verdicts: Vec<(String, i64, i64, i64, i64, i64)>,
    /// By data type (none = unknown): distinct objects, bytes, objects in dispute.
    pub objects: Vec<(Option<String>, i64, i64, i64)>,
    /// Distinct identities by kind, over organisation rows.
    pub identities: Vec<(String, i64)>,
    /// Distinct addresses over shared rows.
    pub shared_addresses: i64,
    /// Affected tenants without anybody who can be told.
    pub tenants_without_contact: i64,
}

/// The raw figures of an incident.
pub async fn totals(conn: &mut Conn, incident: i64) -> Result<RawTotals, StoreError> {
    Ok(RawTotals {
        read: on!(conn, |c| sqlx::query_as(TOTAL_ROWS).bind(incident).fetch_one(c).await)?,
        rejects: on!(conn, |c| sqlx::query_as(TOTAL_REJECTS).bind(incident).fetch_all(c).await)?,
        verdicts: on!(conn, |c| sqlx::query_as(TOTAL_BY_VERDICT).bind(incident).fetch_all(c).await)?,
        objects: on!(conn, |c| sqlx::query_as(TOTAL_OBJECTS).bind(incident).fetch_all(c).await)?,
        identities: on!(conn, |c| sqlx::query_as(TOTAL_IDENTITIES).bind(incident).fetch_all(c).await)?,
        shared_addresses: on!(conn, |c| sqlx::query_scalar(TOTAL_SHARED_ADDRESSES).bind(incident).fetch_one(c).await)?,
        tenants_without_contact: on!(conn, |c| sqlx::query_scalar(TENANTS_WITHOUT_CONTACT)
            .bind(incident)
            .fetch_one(c)
            .await)?,
    })
}
