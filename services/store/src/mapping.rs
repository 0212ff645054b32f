//! Verdicts on hosts, and people's decisions on domains.
//!
//! Decides no verdict: `model::mapping` does. Invariant: a host is here once it is in a figure, with exactly one
//! verdict; what waits for a newer one is a question to the version it carries.

use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, execute_in, insert_text, list as list_of};
use crate::{Conn, Dialect, StoreError, Tx};

statements! {
    OUTDATED_SQLITE = "
        SELECT reversed, host, organisation_domain
        FROM mappings
        WHERE incident_id = $1 AND directory_version < $2
        ORDER BY directory_version
        LIMIT $3";
    /// Locked, so that the domain that is read is the one that is replaced.
    OUTDATED_POSTGRES = "
        SELECT reversed, host, organisation_domain
        FROM mappings
        WHERE incident_id = $1 AND directory_version < $2
        ORDER BY directory_version, reversed
        LIMIT $3
        FOR UPDATE";
    COUNT_OUTDATED = "
        SELECT COUNT(*)
        FROM mappings
        WHERE incident_id = $1 AND directory_version < $2
            AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = $1 AND i.erased_at IS NOT NULL)";
    /// Of manifests that are counted, the hosts whose verdicts are still to come; at most, because runs repeat hosts.
    COUNT_UNFOLDED = "
        SELECT CAST(COALESCE(SUM(b.entries), 0) AS BIGINT)
        FROM manifests m
        JOIN runs r ON r.manifest_id = m.id AND r.kind = 'counts'
        JOIN run_blocks b ON b.run_id = r.id AND b.last_host > m.fold_after
        WHERE m.incident_id = $1 AND m.counted_at IS NOT NULL AND m.folded_at IS NULL";
    INCIDENTS_WITH_PENDING = "
        SELECT i.id
        FROM incidents i
        WHERE i.erased_at IS NULL AND (
            EXISTS (SELECT 1 FROM mappings m WHERE m.incident_id = i.id AND m.directory_version < $1)
            OR EXISTS (SELECT 1 FROM manifests f WHERE f.incident_id = i.id AND f.counted_at IS NOT NULL
                AND f.folded_at IS NULL AND f.withdrawn_at IS NULL)
            OR EXISTS (SELECT 1 FROM stale_sheets s WHERE s.incident_id = i.id))
        ORDER BY i.id";
    /// Counted to its end, with hosts that wait for their first verdict; the oldest.
    UNFOLDED = "
        SELECT id, fold_after, name
        FROM manifests
        WHERE incident_id = $1 AND counted_at IS NOT NULL AND folded_at IS NULL AND withdrawn_at IS NULL
        ORDER BY id
        LIMIT 1";
    /// Must hit one row: another worker that got here first makes it none.
    FOLDED_TO = "
        UPDATE manifests
        SET fold_after = $1, folded_at = $2
        WHERE id = $3 AND fold_after = $4 AND folded_at IS NULL AND withdrawn_at IS NULL";
    BETWEEN = "
        SELECT reversed, host, organisation_domain
        FROM mappings
        WHERE incident_id = $1 AND reversed > $2 AND reversed <= $3";
    SHARED_HOSTS = "SELECT reversed FROM mappings WHERE incident_id = $1 AND verdict = 'shared'";
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
        SELECT host, verdict, rule, tenant_id, organisation_domain, confidence, because
        FROM mappings
        WHERE incident_id = $1
        ORDER BY host";
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

/// A host with the organisation domain it counted under so far.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Known {
    /// Labels from last to first.
    pub reversed: String,
    /// As people write it.
    pub host: String,
    /// What its last verdict said.
    pub organisation_domain: String,
}

/// Up to `limit` hosts whose verdict is older than `version`.
pub async fn outdated(tx: &mut Tx, incident: i64, version: i64, limit: i64) -> Result<Vec<Known>, StoreError> {
    let text = match tx.dialect() {
        Dialect::Sqlite => OUTDATED_SQLITE,
        Dialect::Postgres => OUTDATED_POSTGRES,
    };
    Ok(on!(tx, |c| sqlx::query_as(text).bind(incident).bind(version).bind(limit).fetch_all(c).await)?)
}

/// How many hosts wait for a verdict, at most.
pub async fn count_pending(conn: &mut Conn, incident: i64, version: i64) -> Result<i64, StoreError> {
    let outdated: i64 =
        on!(conn, |c| sqlx::query_scalar(COUNT_OUTDATED).bind(incident).bind(version).fetch_one(c).await)?;
    let unfolded: i64 = on!(conn, |c| sqlx::query_scalar(COUNT_UNFOLDED).bind(incident).fetch_one(c).await)?;
    Ok(outdated + unfolded)
}

/// Incidents with hosts that wait for a verdict, or fact sheets that wait to be written anew.
pub async fn incidents_with_pending(conn: &mut Conn, version: i64) -> Result<Vec<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(INCIDENTS_WITH_PENDING).bind(version).fetch_all(c).await)?)
}

/// A manifest whose hosts wait for their first verdict.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Unfolded {
    /// The manifest.
    pub id: i64,
    /// The last host that has its verdict, reversed; empty: none.
    pub fold_after: String,
    /// The file's name.
    pub name: String,
}

/// The oldest manifest of an incident whose hosts wait for their first verdict.
pub async fn unfolded(conn: &mut Conn, incident: i64) -> Result<Option<Unfolded>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(UNFOLDED).bind(incident).fetch_optional(c).await)?)
}

/// Moves on in a manifest's hosts; `folded_at` when these were the last.
pub async fn folded_to(tx: &mut Tx, manifest: &Unfolded, to: &str, folded_at: Option<i64>) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(FOLDED_TO)
        .bind(to)
        .bind(folded_at)
        .bind(manifest.id)
        .bind(&manifest.fold_after)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    if hit == 1 { Ok(()) } else { Err(StoreError::Stale { what: format!("the hosts of {}", manifest.name) }) }
}

/// The hosts after `after` up to `to` that have a verdict.
pub async fn between(conn: &mut Conn, incident: i64, after: &str, to: &str) -> Result<Vec<Known>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BETWEEN).bind(incident).bind(after).bind(to).fetch_all(c).await)?)
}

/// Whose a host is, for counting: reversed host, organisation domain, verdict, tenant.
pub type Owner = (String, String, String, Option<String>);

/// All hosts that count under these organisation domains.
pub async fn hosts_of(conn: &mut Conn, incident: i64, domains: &[String]) -> Result<Vec<Owner>, StoreError> {
    let mut found = Vec::new();
    for part in domains.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT reversed, organisation_domain, verdict, tenant_id FROM mappings \
             WHERE incident_id = {} AND organisation_domain IN {}",
            incident,
            list_of(conn.dialect(), 1, part.len())
        );
        let rows: Vec<Owner> = on!(conn, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(text));
            for domain in part {
                query = query.bind(domain);
            }
            query.fetch_all(c).await
        })?;
        found.extend(rows);
    }
    Ok(found)
}

/// Forgets the verdicts on hosts (reversed) that no counted row names any more.
pub async fn forget(tx: &mut Tx, incident: i64, hosts: &[String]) -> Result<(), StoreError> {
    let head = format!("DELETE FROM mappings WHERE incident_id = {incident} AND reversed");
    execute_in(tx, &head, hosts).await
}

/// The hosts that belong to nobody, reversed.
pub async fn shared_hosts(conn: &mut Conn, incident: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(SHARED_HOSTS).bind(incident).fetch_all(c).await)?)
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

/// Writes verdicts: `(reversed host, verdict)`. A newer one that is there stays.
pub async fn upsert_verdicts(
    tx: &mut Tx,
    incident: i64,
    version: i64,
    now: i64,
    verdicts: &[(String, HostVerdict)],
) -> Result<(), StoreError> {
    for part in verdicts.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO mappings (incident_id, reversed, host, verdict, rule, organisation_domain, tenant_id, confidence, because, directory_version, mapped_at)",
            11,
            part.len(),
            "ON CONFLICT (incident_id, reversed) DO UPDATE SET verdict = excluded.verdict, rule = excluded.rule, \
             organisation_domain = excluded.organisation_domain, tenant_id = excluded.tenant_id, \
             confidence = excluded.confidence, because = excluded.because, \
             directory_version = excluded.directory_version, mapped_at = excluded.mapped_at \
             WHERE excluded.directory_version >= mappings.directory_version",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for (reversed, verdict) in part {
                query = query
                    .bind(incident)
                    .bind(reversed)
                    .bind(&verdict.host)
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
