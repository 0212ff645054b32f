//! Mapping: a verdict for each affected host, in bounded chunks, and people's decisions on domains.
//!
//! Decides nothing by itself: `model::mapping` does. Invariant: what waits for a verdict is a question to the rows (a
//! counted manifest with hosts that have none, or a verdict older than the directory), so a chunk that is lost or done
//! twice changes nothing; whatever changes a figure marks its fact sheet in the same transaction.

use std::collections::{BTreeSet, HashMap, HashSet};

use model::domain::DomainName;
use model::mapping::{Candidates, Claim, Mapping, Source, builtin_shared_domains, decide};
use model::runs::{CountsBlock, host_of, reversed};
use model::time::Timestamp;
use serde::Serialize;
use store::mapping::{Decision, HostVerdict, Unfolded};
use store::{Conn, Tx};

use crate::{App, AppError, Incident};

/// Hosts in a chunk: short enough that a transaction blocks nobody for long.
const A_CHUNK: usize = 5_000;

/// What a chunk did.
#[derive(Debug, Clone, Copy)]
pub struct Mapped {
    /// Hosts that got a verdict.
    pub done: usize,
    /// Whether more wait.
    pub left: bool,
}

/// Incidents in which hosts wait for a verdict, or fact sheets to be written anew.
pub async fn pending(app: &App) -> Result<Vec<i64>, AppError> {
    let mut conn = app.store.read().await?;
    let version = store::directory::version(&mut conn).await?;
    Ok(store::mapping::incidents_with_pending(&mut conn, version).await?)
}

/// How many hosts of an incident wait for a verdict, at most.
pub async fn count_pending(app: &App, incident: i64) -> Result<i64, AppError> {
    let mut conn = app.store.read().await?;
    let version = store::directory::version(&mut conn).await?;
    Ok(store::mapping::count_pending(&mut conn, incident, version).await?)
}

/// Gives the next hosts of an incident their verdicts: first those of newly counted manifests, then those whose verdict
/// is older than the directory.
pub async fn map_chunk(app: &App, incident: i64) -> Result<Mapped, AppError> {
    let mut tx = app.store.begin().await?;
    if let Some(manifest) = store::mapping::unfolded(&mut tx, incident).await? {
        let done = fold_chunk(app, &mut tx, incident, &manifest).await?;
        tx.commit_ledger().await?;
        return Ok(Mapped { done, left: true });
    }
    let version = store::directory::version(&mut tx).await?;
    let limit = i64::try_from(A_CHUNK).unwrap_or(i64::MAX);
    let mut hosts = store::mapping::outdated(&mut tx, incident, version, limit).await?;
    // Two workers that write the same rows in one order wait for each other and never lock up.
    hosts.sort_unstable_by(|one, other| one.reversed.cmp(&other.reversed));
    if hosts.is_empty() {
        return Ok(Mapped { done: 0, left: false });
    }
    let names: Vec<&str> = hosts.iter().map(|host| host.host.as_str()).collect();
    let verdicts = verdicts(&mut tx, incident, &names).await?;
    let mut stale = BTreeSet::new();
    for (known, (_, verdict)) in hosts.iter().zip(&verdicts) {
        stale.insert(reversed(&known.organisation_domain));
        stale.insert(reversed(&verdict.organisation_domain));
    }
    store::mapping::upsert_verdicts(&mut tx, incident, version, app.clock.now().micros(), &verdicts).await?;
    store::facts::mark_stale(&mut tx, incident, "mapping", &Vec::from_iter(stale)).await?;
    tx.commit_ledger().await?;
    Ok(Mapped { done: hosts.len(), left: hosts.len() == A_CHUNK })
}

/// Gives the next hosts of a newly counted manifest their first verdicts, and marks the fact sheets it changes.
async fn fold_chunk(app: &App, tx: &mut Tx, incident: i64, manifest: &Unfolded) -> Result<usize, AppError> {
    let now = app.clock.now().micros();
    let (hosts, to) = next_hosts(tx, manifest).await?;
    let Some(last) = hosts.last() else {
        store::mapping::folded_to(tx, manifest, &manifest.fold_after, Some(now)).await?;
        return Ok(0);
    };
    let known = store::mapping::between(tx, incident, &manifest.fold_after, last).await?;
    let known: HashMap<String, String> =
        known.into_iter().map(|known| (known.reversed, known.organisation_domain)).collect();
    let (mut new, mut stale) = (Vec::new(), BTreeSet::new());
    for host in &hosts {
        match known.get(host) {
            Some(domain) => drop(stale.insert(reversed(domain))),
            None => new.push(host_of(host)),
        }
    }
    let version = store::directory::version(tx).await?;
    let names: Vec<&str> = new.iter().map(String::as_str).collect();
    let verdicts = verdicts(tx, incident, &names).await?;
    stale.extend(verdicts.iter().map(|(_, verdict)| reversed(&verdict.organisation_domain)));
    store::mapping::upsert_verdicts(tx, incident, version, now, &verdicts).await?;
    store::facts::mark_stale(tx, incident, &manifest.name, &Vec::from_iter(stale)).await?;
    let folded_at = if to == Reached::End { Some(now) } else { None };
    store::mapping::folded_to(tx, manifest, last, folded_at).await?;
    Ok(verdicts.len())
}

/// How far [`next_hosts`] came.
#[derive(PartialEq, Eq)]
enum Reached {
    End,
    Somewhere,
}

/// The next hosts of a manifest, reversed and sorted: at most [`A_CHUNK`], and none is left out before the last.
async fn next_hosts(conn: &mut Conn, manifest: &Unfolded) -> Result<(Vec<String>, Reached), AppError> {
    let places = store::runs::index_of_manifest(conn, manifest.id, "counts", &manifest.fold_after).await?;
    // Of each run the first block; beyond the least of their ends another run may still have something.
    let mut runs = HashSet::new();
    let (mut hosts, mut end) = (BTreeSet::new(), None::<String>);
    let mut left = false;
    for place in &places {
        if !runs.insert(place.run_id) {
            left = true;
            continue;
        }
        let body = store::runs::body(conn, place).await?;
        let mut block = CountsBlock::open(&body).map_err(|error| damaged(&error))?;
        while let Some((host, _)) = block.next_host().map_err(|error| damaged(&error))? {
            if *host > *manifest.fold_after {
                hosts.insert(host.to_owned());
            }
        }
        let has_more = places.iter().any(|other| other.run_id == place.run_id && other.number > place.number);
        if has_more && end.as_ref().is_none_or(|end| place.last_host < *end) {
            end = Some(place.last_host.clone());
        }
    }
    if let Some(end) = end {
        hosts.retain(|host| *host <= end);
    }
    let mut hosts = Vec::from_iter(hosts);
    left |= hosts.len() > A_CHUNK;
    hosts.truncate(A_CHUNK);
    Ok((hosts, if left { Reached::Somewhere } else { Reached::End }))
}

/// The error for a block that cannot be read.
pub(crate) fn damaged(error: &model::runs::Damaged) -> AppError {
    AppError::bad(error.to_string(), "restore the store from a backup, or import its manifests into a new one")
}

/// The verdicts on hosts, with their reversed names.
async fn verdicts(tx: &mut Tx, incident: i64, hosts: &[&str]) -> Result<Vec<(String, HostVerdict)>, AppError> {
    let candidates = candidates(tx, Some(incident), hosts.iter().copied()).await?;
    let mut verdicts = Vec::with_capacity(hosts.len());
    for host in hosts {
        let name = DomainName::parse(host).map_err(|error| {
            AppError::bad(
                format!("the stored host {host} is no domain: {error}"),
                "this is a fault of the program: please report it",
            )
        })?;
        verdicts.push((reversed(host), verdict(host, decide(&name, &candidates))));
    }
    Ok(verdicts)
}

/// Takes expired exceptions out of the count; whether there were any.
pub async fn lapse_expired(app: &App) -> Result<bool, AppError> {
    let now = app.clock.now();
    let lapsing = store::directory::lapsing(&mut app.store.read().await?, now).await?;
    if lapsing == 0 {
        return Ok(false);
    }
    let mut tx = app.store.begin().await?;
    store::directory::lapse(&mut tx, now).await?;
    store::directory::bump_version(&mut tx).await?;
    let entry =
        app.acting_as(crate::SYSTEM).entry("mapping.lapse", "directory", serde_json::json!({ "expired": lapsing }));
    tx.commit(entry).await?;
    Ok(true)
}

/// What the directory, the shared lists and people's decisions say about these hosts' suffixes.
async fn candidates<'a>(
    conn: &mut Conn,
    incident: Option<i64>,
    hosts: impl Iterator<Item = &'a str>,
) -> Result<Candidates, AppError> {
    let mut names = HashSet::new();
    for host in hosts {
        if let Ok(name) = DomainName::parse(host) {
            names.extend(Candidates::names_to_look_up(&name).map(str::to_owned));
        }
    }
    let names: Vec<String> = names.into_iter().collect();
    let mut claims: HashMap<String, Vec<Claim>> = HashMap::new();
    for row in store::directory::claims_of(conn, &names).await? {
        let source = if row.source == "manual" { Source::Manual } else { Source::Imported };
        let claim = Claim { tenant_id: row.tenant_id, source, alias_of: row.alias_of };
        claims.entry(row.domain).or_default().push(claim);
    }
    let mut shared: HashSet<String> = builtin_shared_domains().map(str::to_owned).collect();
    let mut rejected = HashSet::new();
    if let Some(incident) = incident {
        shared.extend(store::mapping::shared(conn, incident).await?);
        for Decision { domain, tenant_id, decision } in store::mapping::decisions(conn, incident).await? {
            if decision == "assigned" {
                let claim = Claim { tenant_id, source: Source::Manual, alias_of: None };
                // A decision in this incident takes the place of whatever else is said about the domain by hand.
                let there = claims.entry(domain).or_default();
                there.retain(|claim| claim.source != Source::Manual);
                there.push(claim);
            } else {
                rejected.insert((domain, tenant_id));
            }
        }
    }
    Ok(Candidates { claims, shared, rejected })
}

fn verdict(host: &str, mapping: Mapping) -> HostVerdict {
    HostVerdict {
        host: host.to_owned(),
        verdict: mapping.verdict.to_string(),
        rule: mapping.rule.to_string(),
        tenant_id: mapping.tenant_id,
        organisation_domain: mapping.organisation_domain,
        confidence: mapping.confidence.to_string(),
        because: mapping.because,
    }
}

/// All verdicts of an incident, by host.
pub async fn list(app: &App, slug: &str) -> Result<Vec<HostVerdict>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::mapping::list(&mut app.store.read().await?, incident.id).await?)
}

/// Why a domain belongs to whom it belongs.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// As typed.
    pub input: String,
    /// As compared.
    pub normalised: String,
    /// By the Public Suffix List; none for a public suffix.
    pub registrable_domain: Option<String>,
    /// `mapped`, `unmapped`, `shared`, `conflict`.
    pub verdict: String,
    /// Which rule decided.
    pub rule: String,
    /// Whose it is, when mapped.
    pub tenant_id: Option<String>,
    /// One sentence.
    pub because: String,
    /// The organisation domain it counts under.
    pub organisation_domain: String,
    /// `high`, `medium`, `low`.
    pub confidence: String,
}

/// Explains the verdict on a domain, by the same code that maps; with an incident, its lists and decisions count too.
pub async fn explain(app: &App, domain: &str, slug: Option<&str>) -> Result<Explained, AppError> {
    let name = parse(domain)?;
    let incident = match slug {
        Some(slug) => Some(app.incident(slug).await?.id),
        None => None,
    };
    let mut conn = app.store.read().await?;
    let candidates = candidates(&mut conn, incident, std::iter::once(name.as_str())).await?;
    let mapping = decide(&name, &candidates);
    Ok(Explained {
        input: domain.to_owned(),
        normalised: name.as_str().to_owned(),
        registrable_domain: name.registrable().map(str::to_owned),
        verdict: mapping.verdict.to_string(),
        rule: mapping.rule.to_string(),
        tenant_id: mapping.tenant_id,
        because: mapping.because,
        organisation_domain: mapping.organisation_domain,
        confidence: mapping.confidence.to_string(),
    })
}

pub(crate) fn parse(domain: &str) -> Result<DomainName, AppError> {
    DomainName::parse(domain)
        .map_err(|error| AppError::bad(format!("`{domain}` is no domain: {error}"), "write it as in example.com"))
}

/// What is decided about a domain and a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It is this tenant's.
    Assigned,
    /// It is not this tenant's.
    Rejected,
}

/// A person's decision in one incident.
#[derive(Debug)]
pub struct Ruled<'a> {
    /// The domain; hosts below it follow.
    pub domain: &'a str,
    /// The tenant.
    pub tenant: &'a str,
    /// Is, or is not.
    pub ruling: Ruling,
    /// The reason.
    pub why: &'a str,
    /// When it counts no more.
    pub expires: Option<Timestamp>,
}

/// Settles a domain by hand. Every verdict is looked at again.
pub async fn rule(app: &App, slug: &str, ruled: &Ruled<'_>) -> Result<(), AppError> {
    let incident: Incident = app.incident(slug).await?;
    let domain = parse(ruled.domain)?;
    let mut tx: Tx = app.store.begin().await?;
    crate::directory::known_tenant(&mut tx, ruled.tenant).await?;
    let decision = Decision {
        domain: domain.as_str().to_owned(),
        tenant_id: ruled.tenant.to_owned(),
        decision: match ruled.ruling {
            Ruling::Assigned => "assigned",
            Ruling::Rejected => "rejected",
        }
        .to_owned(),
    };
    let new = store::mapping::NewDecision {
        incident: incident.id,
        decision: &decision,
        why: ruled.why,
        actor: &app.actor,
        at: app.clock.now().micros(),
        expires_at: ruled.expires.map(Timestamp::micros),
    };
    store::mapping::upsert_decision(&mut tx, &new).await?;
    store::directory::bump_version(&mut tx).await?;
    let verb = if ruled.ruling == Ruling::Assigned { "mapping.assign" } else { "mapping.reject" };
    let detail = serde_json::json!({ "domain": decision.domain, "tenant": decision.tenant_id, "why": ruled.why, "expires": ruled.expires });
    tx.commit(app.entry(verb, slug, detail)).await?;
    crate::facts::settle(app, incident.id).await
}
