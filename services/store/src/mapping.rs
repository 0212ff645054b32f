//! Verdicts on hosts, and people's decisions on domains.
//!
//! Decides no verdict: `model::mapping` does. Invariant: a host is here once it is in a figure, with exactly one
//! verdict; what waits for a newer one is a question to the version it carries.

use std::collections::BTreeSet;

use model::runs::{end_of, reversed};
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, execute_in, insert_text, list as list_of};
use crate::{Conn, Dialect, StoreError, Tx};

statements! {
    STALE_SQLITE = "
        SELECT reversed, host, organisation_domain, tenant_id
        FROM mappings
        WHERE incident_id = $1 AND stale = 1
        ORDER BY reversed
        LIMIT $2";
    /// Locked, so that the verdict that is read is the one that is replaced, and a mark that comes meanwhile comes after it.
    STALE_POSTGRES = "
        SELECT reversed, host, organisation_domain, tenant_id
        FROM mappings
        WHERE incident_id = $1 AND stale = 1
        ORDER BY reversed
        LIMIT $2
        FOR UPDATE";
    COUNT_STALE = "
        SELECT COUNT(*)
        FROM mappings
        WHERE incident_id = $1 AND stale = 1
            AND NOT EXISTS (SELECT 1 FROM incidents i WHERE i.id = $1 AND i.erased_at IS NOT NULL)";
    MARK_UNDER = "
        UPDATE mappings
        SET stale = 1
        WHERE incident_id = $1 AND reversed >= $2 AND reversed < $3";
    MARK_ALL = "UPDATE mappings SET stale = 1 WHERE incident_id = $1";
    OPEN_INCIDENTS = "SELECT id FROM incidents WHERE erased_at IS NULL ORDER BY id";
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
            EXISTS (SELECT 1 FROM mappings m WHERE m.incident_id = i.id AND m.stale = 1)
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
        SELECT reversed, host, organisation_domain, tenant_id
        FROM mappings
        WHERE incident_id = $1 AND reversed > $2 AND reversed <= $3";
    /// What a change of these domains could touch.
    UNDER = "
        SELECT reversed, host, organisation_domain, tenant_id
        FROM mappings
        WHERE incident_id = $1 AND reversed >= $2 AND reversed < $3";
    SHARED_HOSTS = "SELECT reversed FROM mappings WHERE incident_id = $1 AND verdict = 'shared'";
    SHARED = "SELECT domain FROM shared_domains WHERE incident_id = $1";
    DECISIONS = "
        SELECT domain, tenant_id, decision, why
        FROM mapping_decisions
        WHERE incident_id = $1 AND lapsed_at IS NULL";
    UPSERT_DECISION = "
        INSERT INTO mapping_decisions (incident_id, domain, tenant_id, decision, why, actor, decided_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (incident_id, domain, tenant_id, decision) DO UPDATE SET why = excluded.why,
            actor = excluded.actor, decided_at = excluded.decided_at, expires_at = excluded.expires_at, lapsed_at = NULL";
    /// One domain is assigned to one tenant: an older assignment to another gives way.
    LAPSE_OTHER_ASSIGNMENTS = "
        UPDATE mapping_decisions
        SET lapsed_at = $1
        WHERE incident_id = $2 AND domain = $3 AND tenant_id <> $4 AND decision = 'assigned' AND lapsed_at IS NULL";
    DOMAINS_OF_TENANT = "
        SELECT DISTINCT organisation_domain
        FROM mappings
        WHERE incident_id = $1 AND tenant_id = $2
        ORDER BY organisation_domain";
    DISPUTED = "
        SELECT COUNT(*)
        FROM mapping_decisions
        WHERE incident_id = $1 AND tenant_id = $2 AND decision = 'disputed' AND lapsed_at IS NULL";
    LIST = "
        SELECT host, verdict, rule, tenant_id, organisation_domain, confidence, because, review, suffix_list, directory_version
        FROM mappings
        WHERE incident_id = $1
        ORDER BY host";
    /// Organisation domains that wait for a person, with one of their verdicts and what their sheet counts.
    WAITING = "
        SELECT s.organisation_domain, s.verdict, s.row_count, s.facts,
            (SELECT MIN(m.because) FROM mappings m WHERE m.incident_id = s.incident_id AND m.organisation_domain = s.organisation_domain) AS because,
            (SELECT MAX(m.review) FROM mappings m WHERE m.incident_id = s.incident_id AND m.organisation_domain = s.organisation_domain) AS review
        FROM fact_sheets s
        WHERE s.incident_id = $1 AND s.verdict <> 'mapped'
        ORDER BY s.organisation_domain";
    INSERT_PROPOSAL = "
        INSERT INTO mapping_proposals (id, incident_id, changes, moves, proposed_by, proposed_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    PROPOSAL = "
        SELECT id, incident_id, changes, moves, proposed_by, proposed_at, decision, decided_by
        FROM mapping_proposals
        WHERE id = $1";
    PROPOSALS = "
        SELECT id, incident_id, changes, moves, proposed_by, proposed_at, decision, decided_by
        FROM mapping_proposals
        WHERE incident_id = $1
        ORDER BY proposed_at, id";
    DECIDE_PROPOSAL = "
        UPDATE mapping_proposals
        SET decision = $1, decided_by = $2, decided_at = $3
        WHERE id = $4 AND decision IS NULL";
    /// What was said before of a domain and a tenant, and is settled by what is said now.
    LAPSE_OTHER_WORDS = "
        UPDATE mapping_decisions
        SET lapsed_at = $1
        WHERE incident_id = $2 AND domain = $3 AND tenant_id = $4 AND decision <> $5 AND lapsed_at IS NULL";
    /// Whoever said that a domain is not theirs was right once it is assigned to another: for good, also when that expires.
    BELIEVE_DISPUTES = "
        INSERT INTO mapping_decisions (incident_id, domain, tenant_id, decision, why, actor, decided_at, expires_at, lapsed_at)
        SELECT incident_id, domain, tenant_id, 'rejected', why, actor, $1, NULL, NULL
        FROM mapping_decisions
        WHERE incident_id = $2 AND domain = $3 AND tenant_id <> $4 AND decision = 'disputed' AND lapsed_at IS NULL
        ON CONFLICT (incident_id, domain, tenant_id, decision) DO UPDATE SET why = excluded.why, actor = excluded.actor,
            decided_at = excluded.decided_at, expires_at = NULL, lapsed_at = NULL";
    LAPSE_OTHER_DISPUTES = "
        UPDATE mapping_decisions
        SET lapsed_at = $1
        WHERE incident_id = $2 AND domain = $3 AND tenant_id <> $4 AND decision = 'disputed' AND lapsed_at IS NULL";
    /// Whoever said that a domain is not theirs was right: by now it is another's, or nobody's.
    BELIEVE_DISPUTE = "
        INSERT INTO mapping_decisions (incident_id, domain, tenant_id, decision, why, actor, decided_at, expires_at, lapsed_at)
        SELECT incident_id, domain, tenant_id, 'rejected', why, actor, $1, NULL, NULL
        FROM mapping_decisions
        WHERE incident_id = $2 AND domain = $3 AND tenant_id = $4 AND decision = 'disputed' AND lapsed_at IS NULL
        ON CONFLICT (incident_id, domain, tenant_id, decision) DO UPDATE SET why = excluded.why, actor = excluded.actor,
            decided_at = excluded.decided_at, expires_at = NULL, lapsed_at = NULL";
    LAPSE_DISPUTE = "
        UPDATE mapping_decisions
        SET lapsed_at = $1
        WHERE incident_id = $2 AND domain = $3 AND tenant_id = $4 AND decision = 'disputed' AND lapsed_at IS NULL";
    DISPUTED_BY = "
        SELECT domain
        FROM mapping_decisions
        WHERE incident_id = $1 AND tenant_id = $2 AND decision = 'disputed' AND lapsed_at IS NULL
        ORDER BY domain";
    ASSIGNED_TO = "
        SELECT domain
        FROM mapping_decisions
        WHERE incident_id = $1 AND tenant_id = $2 AND decision = 'assigned' AND lapsed_at IS NULL
        ORDER BY domain";
    /// Other names of domains, entered by hand.
    ALIASES = "
        SELECT domain, alias_of
        FROM domains
        WHERE alias_of IS NOT NULL AND source = 'manual' AND lapsed_at IS NULL";
    DECIDED_SINCE = "
        SELECT DISTINCT domain
        FROM mapping_decisions
        WHERE incident_id = $1 AND decided_at > $2
        ORDER BY domain";
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
    /// Why a person has to look, a name of `model::mapping::Review`; empty = nobody has to.
    pub review: String,
    /// Date of the Public Suffix List that it was given by.
    pub suffix_list: String,
    /// The directory's version when it was given; nothing that decides it has changed since.
    pub directory_version: i64,
}

/// A person's decision on a domain.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Decision {
    /// A-label form.
    pub domain: String,
    /// Whose it is, or is not.
    pub tenant_id: String,
    /// `assigned`, `rejected` or `disputed`.
    pub decision: String,
    /// The reason.
    pub why: String,
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
    /// What its last verdict said.
    pub tenant_id: Option<String>,
}

/// Up to `limit` hosts whose verdict is stale, in order.
pub async fn stale(tx: &mut Tx, incident: i64, limit: i64) -> Result<Vec<Known>, StoreError> {
    let text = match tx.dialect() {
        Dialect::Sqlite => STALE_SQLITE,
        Dialect::Postgres => STALE_POSTGRES,
    };
    Ok(on!(tx, |c| sqlx::query_as(text).bind(incident).bind(limit).fetch_all(c).await)?)
}

/// How many hosts wait for a verdict, at most.
pub async fn count_pending(conn: &mut Conn, incident: i64) -> Result<i64, StoreError> {
    let stale: i64 = on!(conn, |c| sqlx::query_scalar(COUNT_STALE).bind(incident).fetch_one(c).await)?;
    let unfolded: i64 = on!(conn, |c| sqlx::query_scalar(COUNT_UNFOLDED).bind(incident).fetch_one(c).await)?;
    Ok(stale + unfolded)
}

/// The incidents whose verdicts may still change.
pub async fn open_incidents(conn: &mut Conn) -> Result<Vec<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(OPEN_INCIDENTS).fetch_all(c).await)?)
}

/// The domains that were entered by hand as other names of these domains, or of names below them.
pub async fn aliases_of<T: AsRef<str>>(conn: &mut Conn, domains: &[T]) -> Result<Vec<String>, StoreError> {
    let aliases: Vec<(String, String)> = on!(conn, |c| sqlx::query_as(ALIASES).fetch_all(c).await)?;
    if aliases.is_empty() {
        return Ok(Vec::new());
    }
    let changed: BTreeSet<&str> = domains.iter().map(AsRef::as_ref).collect();
    let is_changed = |of: &str| {
        let above = of.match_indices('.').map(|(at, _)| &of[at + 1..]);
        above.chain([of]).any(|name| changed.contains(name))
    };
    Ok(aliases.into_iter().filter(|(_, of)| is_changed(of)).map(|(domain, _)| domain).collect())
}

/// Marks the verdicts on these domains and on all below them, and on what was entered as another name of one of them: they
/// are looked at again. How many hosts.
pub async fn mark_under<T: AsRef<str>>(tx: &mut Tx, incident: i64, domains: &[T]) -> Result<u64, StoreError> {
    let mut marked = 0;
    let aliases = aliases_of(tx, domains).await?;
    for domain in domains.iter().map(AsRef::as_ref).chain(aliases.iter().map(String::as_str)) {
        let from = reversed(domain);
        let to = end_of(&from);
        marked += on!(tx, |c| sqlx::query(MARK_UNDER)
            .bind(incident)
            .bind(from)
            .bind(to)
            .execute(c)
            .await
            .map(|done| done.rows_affected()))?;
    }
    Ok(marked)
}

/// Marks every verdict of an incident.
pub async fn mark_all(tx: &mut Tx, incident: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(MARK_ALL).bind(incident).execute(c).await.map(drop))?;
    Ok(())
}

/// The hosts at a domain and below it, with their verdicts so far.
pub async fn under(conn: &mut Conn, incident: i64, domain: &str) -> Result<Vec<Known>, StoreError> {
    let from = reversed(domain);
    let to = end_of(&from);
    Ok(on!(conn, |c| sqlx::query_as(UNDER).bind(incident).bind(from).bind(to).fetch_all(c).await)?)
}

/// Incidents with hosts that wait for a verdict, or fact sheets that wait to be written anew.
pub async fn incidents_with_pending(conn: &mut Conn) -> Result<Vec<i64>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(INCIDENTS_WITH_PENDING).fetch_all(c).await)?)
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
    /// What, how and why.
    pub decision: &'a Decision,
    /// Who.
    pub actor: &'a str,
    /// Microseconds since the epoch.
    pub at: i64,
    /// Microseconds since the epoch.
    pub expires_at: Option<i64>,
}

/// Records a decision; a newer one on the same domain and tenant takes its place.
pub async fn upsert_decision(tx: &mut Tx, new: &NewDecision<'_>) -> Result<(), StoreError> {
    let NewDecision { incident, decision, actor, at, expires_at } = new;
    // A dispute stands beside what a person decided: until it is settled, the claim it is about has to stay.
    if decision.decision != "disputed" {
        on!(tx, |c| sqlx::query(LAPSE_OTHER_WORDS)
            .bind(at)
            .bind(incident)
            .bind(&decision.domain)
            .bind(&decision.tenant_id)
            .bind(&decision.decision)
            .execute(c)
            .await
            .map(drop))?;
    }
    if decision.decision == "assigned" {
        for text in [BELIEVE_DISPUTES, LAPSE_OTHER_DISPUTES] {
            on!(tx, |c| sqlx::query(text)
                .bind(at)
                .bind(incident)
                .bind(&decision.domain)
                .bind(&decision.tenant_id)
                .execute(c)
                .await
                .map(drop))?;
        }
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
        .bind(&decision.why)
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
    now: i64,
    verdicts: &[(String, HostVerdict)],
) -> Result<(), StoreError> {
    for part in verdicts.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO mappings (incident_id, reversed, host, verdict, rule, organisation_domain, tenant_id, confidence, because, directory_version, mapped_at, stale, suffix_list, review)",
            14,
            part.len(),
            "ON CONFLICT (incident_id, reversed) DO UPDATE SET verdict = excluded.verdict, rule = excluded.rule, \
             organisation_domain = excluded.organisation_domain, tenant_id = excluded.tenant_id, \
             confidence = excluded.confidence, because = excluded.because, \
             directory_version = excluded.directory_version, mapped_at = excluded.mapped_at, stale = excluded.stale, \
             suffix_list = excluded.suffix_list, review = excluded.review \
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
                    .bind(verdict.directory_version)
                    .bind(now)
                    .bind(0_i64)
                    .bind(&verdict.suffix_list)
                    .bind(&verdict.review);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// The organisation domains that are a tenant's in an incident.
pub async fn domains_of_tenant(conn: &mut Conn, incident: i64, tenant: &str) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(DOMAINS_OF_TENANT).bind(incident).bind(tenant).fetch_all(c).await)?)
}

/// Whether somebody at a tenant said that a domain is not theirs, and nobody has settled it.
pub async fn is_disputed(conn: &mut Conn, incident: i64, tenant: &str) -> Result<bool, StoreError> {
    let open: i64 = on!(conn, |c| sqlx::query_scalar(DISPUTED).bind(incident).bind(tenant).fetch_one(c).await)?;
    Ok(open > 0)
}

/// Settles what a tenant said of a domain: the domain is not theirs by now, and does not come back to them by itself.
pub async fn believe_dispute(
    tx: &mut Tx,
    incident: i64,
    domain: &str,
    tenant: &str,
    at: i64,
) -> Result<(), StoreError> {
    for text in [BELIEVE_DISPUTE, LAPSE_DISPUTE] {
        on!(tx, |c| sqlx::query(text).bind(at).bind(incident).bind(domain).bind(tenant).execute(c).await.map(drop))?;
    }
    Ok(())
}

/// Takes back that a tenant said of a domain that it is not theirs.
pub async fn lapse_dispute(tx: &mut Tx, incident: i64, domain: &str, tenant: &str, at: i64) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(LAPSE_DISPUTE)
        .bind(at)
        .bind(incident)
        .bind(domain)
        .bind(tenant)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// The domains that somebody at a tenant said are not theirs, and that nobody has settled.
pub async fn disputed_by(conn: &mut Conn, incident: i64, tenant: &str) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(DISPUTED_BY).bind(incident).bind(tenant).fetch_all(c).await)?)
}

/// The domains that a person assigned to a tenant in an incident.
pub async fn assigned_to(conn: &mut Conn, incident: i64, tenant: &str) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(ASSIGNED_TO).bind(incident).bind(tenant).fetch_all(c).await)?)
}

/// The domains about which somebody decided after a time.
pub async fn decided_since(conn: &mut Conn, incident: i64, at: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(DECIDED_SINCE).bind(incident).bind(at).fetch_all(c).await)?)
}

/// All verdicts of an incident, by host.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<HostVerdict>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// An organisation domain that waits for a person.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Waiting {
    /// The domain.
    pub organisation_domain: String,
    /// `unmapped`, `shared`, `conflict`.
    pub verdict: String,
    /// Rows that count under it.
    pub row_count: i64,
    /// JSON of its facts; empty where it is shared.
    pub facts: String,
    /// Why, in a sentence.
    pub because: Option<String>,
    /// A name of `model::mapping::Review`, or empty.
    pub review: Option<String>,
}

/// The organisation domains of an incident that are not mapped.
pub async fn waiting(conn: &mut Conn, incident: i64) -> Result<Vec<Waiting>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(WAITING).bind(incident).fetch_all(c).await)?)
}

/// A change of mapping that waits for a second person.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Proposal {
    /// `chg_…`.
    pub id: String,
    /// The incident.
    pub incident_id: i64,
    /// JSON of its changes.
    pub changes: String,
    /// Organisations whose verdict it changes.
    pub moves: i64,
    /// By whom.
    pub proposed_by: String,
    /// Microseconds since the epoch.
    pub proposed_at: i64,
    /// `approved` or `rejected`.
    pub decision: Option<String>,
    /// By whom.
    pub decided_by: Option<String>,
}

/// Keeps a change that waits for a second person.
pub async fn insert_proposal(tx: &mut Tx, proposal: &Proposal) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT_PROPOSAL)
        .bind(&proposal.id)
        .bind(proposal.incident_id)
        .bind(&proposal.changes)
        .bind(proposal.moves)
        .bind(&proposal.proposed_by)
        .bind(proposal.proposed_at)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// The proposal of an id.
pub async fn proposal(conn: &mut Conn, id: &str) -> Result<Option<Proposal>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(PROPOSAL).bind(id).fetch_optional(c).await)?)
}

/// All proposals of an incident, oldest first.
pub async fn proposals(conn: &mut Conn, incident: i64) -> Result<Vec<Proposal>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(PROPOSALS).bind(incident).fetch_all(c).await)?)
}

/// Records what became of a proposal: `approved` or `rejected`.
pub async fn decide_proposal(
    tx: &mut Tx,
    id: &str,
    decision: &'static str,
    actor: &str,
    now: i64,
) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(DECIDE_PROPOSAL)
        .bind(decision)
        .bind(actor)
        .bind(now)
        .bind(id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    crate::notices::one(hit, || format!("the proposal {id}"))
}
