//! Mapping: a verdict for each affected host, in bounded chunks, and people's decisions on domains.
//!
//! Decides nothing by itself: `model::mapping` does. Invariant: what waits for a verdict is a question to the rows (a
//! counted manifest with hosts that have none, or a verdict older than the directory), so a chunk that is lost or done
//! twice changes nothing; whatever changes a figure marks its fact sheet in the same transaction.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};

use model::domain::DomainName;
use model::mapping::{Candidates, Claim, Mapping, Source, builtin_shared_domains, decide};
use model::runs::{CountsBlock, host_of, reversed};
use model::time::Timestamp;
use serde::Serialize;
use store::mapping::{Decision, HostVerdict, Unfolded};
use store::runs::BlockPlace;
use store::{Conn, Tx};

use crate::{App, AppError, Incident, new_stamp};

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
    let unfolded = store::mapping::unfolded(&mut app.store.read().await?, incident).await?;
    if let Some(manifest) = unfolded {
        return Ok(Mapped { done: fold(app, incident, manifest).await?, left: true });
    }
    let mut tx = app.store.begin().await?;
    store::incidents::hold(&mut tx, incident).await?;
    let version = store::directory::version(&mut tx).await?;
    let limit = i64::try_from(A_CHUNK).unwrap_or(i64::MAX);
    let mut hosts = store::mapping::outdated(&mut tx, incident, version, limit).await?;
    if hosts.is_empty() {
        return Ok(Mapped { done: 0, left: false });
    }
    // Two workers that write the same rows in one order wait for each other and never lock up.
    hosts.sort_unstable_by(|one, other| one.reversed.cmp(&other.reversed));
    let lists = lists(&mut tx, Some(incident)).await?;
    let names: Vec<String> = hosts.iter().map(|host| host.host.clone()).collect();
    let verdicts = verdicts(&mut tx, &lists, &names).await?;
    let mut stale = BTreeSet::new();
    for (known, (_, verdict)) in hosts.iter().zip(&verdicts) {
        stale.insert(reversed(&known.organisation_domain));
        stale.insert(reversed(&verdict.organisation_domain));
    }
    store::mapping::upsert_verdicts(&mut tx, incident, version, app.clock.now().micros(), &verdicts).await?;
    store::facts::mark_stale(&mut tx, incident, "mapping", new_stamp(), &Vec::from_iter(stale)).await?;
    tx.commit_ledger().await?;
    Ok(Mapped { done: hosts.len(), left: hosts.len() == A_CHUNK })
}

/// Gives the hosts of a newly counted manifest their first verdicts, chunk by chunk, and marks the fact sheets that the
/// manifest changes: while one chunk is written, the next is decided. Interrupted, it goes on after the last chunk.
async fn fold(app: &App, incident: i64, mut manifest: Unfolded) -> Result<usize, AppError> {
    let mut conn = app.store.read().await?;
    let places = store::runs::index_of_manifest(&mut conn, manifest.id, "counts", &manifest.fold_after).await?;
    let mut hosts = Hosts::new(places, manifest.fold_after.clone());
    let mut next = decide_next(&mut conn, incident, &mut hosts).await?;
    let mut done = 0;
    loop {
        let chunk = next;
        let at_end = chunk.hosts.len() < A_CHUNK;
        done += chunk.verdicts.len();
        let after = chunk.hosts.last().cloned();
        let (written, decided) =
            tokio::join!(write_folded(app, incident, &manifest, chunk), decide_next(&mut conn, incident, &mut hosts));
        written?;
        if at_end {
            return Ok(done);
        }
        manifest.fold_after = after.unwrap_or(manifest.fold_after);
        next = decided?;
    }
}

/// Hosts of a manifest with what the directory of that version says of those that had no verdict.
struct Decided {
    hosts: Vec<String>,
    new: Vec<String>,
    verdicts: Vec<(String, HostVerdict)>,
    /// Organisation domains (reversed) of those that had one.
    stale: BTreeSet<String>,
    version: i64,
}

async fn decide_next(conn: &mut Conn, incident: i64, hosts: &mut Hosts) -> Result<Decided, AppError> {
    let after = hosts.after.clone();
    let hosts = hosts.next_chunk(conn, A_CHUNK).await?;
    let last = hosts.last().unwrap_or(&after);
    let known: HashMap<String, String> = store::mapping::between(conn, incident, &after, last)
        .await?
        .into_iter()
        .map(|known| (known.reversed, known.organisation_domain))
        .collect();
    let (mut new, mut stale) = (Vec::new(), BTreeSet::new());
    for host in &hosts {
        match known.get(host) {
            Some(domain) => drop(stale.insert(reversed(domain))),
            None => new.push(host_of(host)),
        }
    }
    // The version is read first: a directory that changes meanwhile has another one when the chunk is written.
    let version = store::directory::version(conn).await?;
    let lists = lists(conn, Some(incident)).await?;
    let verdicts = verdicts(conn, &lists, &new).await?;
    Ok(Decided { hosts, new, verdicts, stale, version })
}

async fn write_folded(app: &App, incident: i64, manifest: &Unfolded, decided: Decided) -> Result<(), AppError> {
    let now = app.clock.now().micros();
    let at_end = decided.hosts.len() < A_CHUNK;
    let last = decided.hosts.last().unwrap_or(&manifest.fold_after).clone();
    let Decided { new, mut verdicts, mut stale, version, .. } = decided;
    let mut tx = app.store.begin().await?;
    store::incidents::hold(&mut tx, incident).await?;
    let version_now = store::directory::version(&mut tx).await?;
    if version_now != version {
        let lists = lists(&mut tx, Some(incident)).await?;
        verdicts = self::verdicts(&mut tx, &lists, &new).await?;
    }
    stale.extend(verdicts.iter().map(|(_, verdict)| reversed(&verdict.organisation_domain)));
    store::mapping::upsert_verdicts(&mut tx, incident, version_now, now, &verdicts).await?;
    store::facts::mark_stale(&mut tx, incident, &manifest.name, new_stamp(), &Vec::from_iter(stale)).await?;
    store::mapping::folded_to(&mut tx, manifest, &last, at_end.then_some(now)).await?;
    Ok(tx.commit_ledger().await?)
}

/// The hosts of a manifest, reversed, in order and each once, over all its counts runs. A block of each run is in memory.
pub(crate) struct Hosts {
    runs: Vec<std::vec::IntoIter<BlockPlace>>,
    /// The next hosts of each run, the next one last.
    waiting: Vec<Vec<String>>,
    /// (host, its run): the least of each run.
    least: BinaryHeap<Reverse<(String, usize)>>,
    after: String,
}

impl Hosts {
    pub(crate) fn new(places: Vec<BlockPlace>, after: String) -> Self {
        let mut runs: BTreeMap<i64, Vec<BlockPlace>> = BTreeMap::new();
        for place in places {
            runs.entry(place.run_id).or_default().push(place);
        }
        let runs: Vec<_> = runs
            .into_values()
            .map(|mut places| {
                places.sort_unstable_by_key(|place| place.number);
                places.into_iter()
            })
            .collect();
        let waiting = vec![Vec::new(); runs.len()];
        Self { runs, waiting, least: BinaryHeap::new(), after }
    }

    pub(crate) async fn next_chunk(&mut self, conn: &mut Conn, limit: usize) -> Result<Vec<String>, AppError> {
        let mut chunk: Vec<String> = Vec::with_capacity(limit);
        if self.least.is_empty() {
            for run in 0..self.runs.len() {
                self.advance(conn, run).await?;
            }
        }
        while chunk.len() < limit {
            let Some(Reverse((host, run))) = self.least.pop() else { break };
            self.advance(conn, run).await?;
            if *host > *self.after {
                self.after.clone_from(&host);
                chunk.push(host);
            }
        }
        Ok(chunk)
    }

    async fn advance(&mut self, conn: &mut Conn, run: usize) -> Result<(), AppError> {
        if self.waiting[run].is_empty()
            && let Some(place) = self.runs[run].next()
        {
            let body = store::runs::body(conn, &place).await?;
            let mut block = CountsBlock::open(&body).map_err(|error| damaged(&error))?;
            while let Some((host, _)) = block.next_host().map_err(|error| damaged(&error))? {
                self.waiting[run].push(host.to_owned());
            }
            self.waiting[run].reverse();
        }
        if let Some(host) = self.waiting[run].pop() {
            self.least.push(Reverse((host, run)));
        }
        Ok(())
    }
}

/// The error for a block that cannot be read.
pub(crate) fn damaged(error: &model::runs::Damaged) -> AppError {
    AppError::bad(error.to_string(), "restore the store from a backup, or import its manifests into a new one")
}

/// The verdicts on hosts, with their reversed names.
async fn verdicts(conn: &mut Conn, lists: &Lists, hosts: &[String]) -> Result<Vec<(String, HostVerdict)>, AppError> {
    let mut names = Vec::with_capacity(hosts.len());
    for host in hosts {
        names.push(DomainName::parse(host).map_err(|error| {
            AppError::bad(
                format!("the stored host {host} is no domain: {error}"),
                "this is a fault of the program: please report it",
            )
        })?);
    }
    let candidates = candidates(conn, lists, &names).await?;
    Ok(names.iter().map(|name| (reversed(name.as_str()), verdict(name.as_str(), decide(name, &candidates)))).collect())
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

/// What is said about domains apart from the directory.
struct Lists {
    shared: HashSet<String>,
    decisions: Vec<Decision>,
}

/// The shared lists and people's decisions of an incident, or of none.
async fn lists(conn: &mut Conn, incident: Option<i64>) -> Result<Lists, AppError> {
    let mut shared: HashSet<String> = builtin_shared_domains().map(str::to_owned).collect();
    let mut decisions = Vec::new();
    if let Some(incident) = incident {
        shared.extend(store::mapping::shared(conn, incident).await?);
        decisions = store::mapping::decisions(conn, incident).await?;
    }
    Ok(Lists { shared, decisions })
}

/// What the directory, the shared lists and people's decisions say about these hosts' suffixes.
async fn candidates(conn: &mut Conn, lists: &Lists, hosts: &[DomainName]) -> Result<Candidates, AppError> {
    let mut names: HashSet<&str> = HashSet::new();
    for host in hosts {
        names.extend(Candidates::names_to_look_up(host));
    }
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let mut claims: HashMap<String, Vec<Claim>> = HashMap::new();
    for row in store::directory::claims_of(conn, &names).await? {
        let source = if row.source == "manual" { Source::Manual } else { Source::Imported };
        let claim = Claim { tenant_id: row.tenant_id, source, alias_of: row.alias_of };
        claims.entry(row.domain).or_default().push(claim);
    }
    let mut rejected = HashSet::new();
    for Decision { domain, tenant_id, decision } in &lists.decisions {
        if decision == "assigned" {
            let claim = Claim { tenant_id: tenant_id.clone(), source: Source::Manual, alias_of: None };
            // A decision in this incident takes the place of whatever else is said about the domain by hand.
            let there = claims.entry(domain.clone()).or_default();
            there.retain(|claim| claim.source != Source::Manual);
            there.push(claim);
        } else {
            rejected.insert((domain.clone(), tenant_id.clone()));
        }
    }
    Ok(Candidates { claims, shared: lists.shared.clone(), rejected })
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
    let lists = lists(&mut conn, incident).await?;
    let candidates = candidates(&mut conn, &lists, std::slice::from_ref(&name)).await?;
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
    if ruled.ruling == Ruling::Assigned && lists(&mut tx, Some(incident.id)).await?.shared.contains(domain.as_str()) {
        return Err(AppError::refused(
            format!("{domain} stands on the list of shared domains, which belong to no single organisation (R3)"),
            "assign a name below it that is this tenant's alone",
        ));
    }
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
