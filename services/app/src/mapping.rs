//! Mapping: a verdict for each affected host, in bounded chunks.
//!
//! Decides nothing by itself: `model::mapping` does. Invariant: what waits for a verdict is a question to the rows (a
//! counted manifest with hosts that have none, or a verdict that was marked stale), so a chunk that is lost or done
//! twice changes nothing; whatever changes a figure marks its fact sheet in the same transaction, and whoever loses a
//! domain gets no further mail about it.

mod decisions;
mod disputes;
mod explain;
mod suffixes;
mod work_lists;

pub use decisions::{
    Change, Decided, Proposed, Ruled, Ruling, Weight, approve, assign_file, preview_file, proposals, reject, rule,
};
pub use disputes::{Unsettled, settle_denial, unsettled};
pub use explain::{Explained, explain, explain_all};
pub(crate) use explain::{belongs_to, owners};
pub use suffixes::load as load_suffix_list;
pub(crate) use suffixes::{Cached as CachedSuffixes, Suffixes};
pub use work_lists::{WorkItem, work_lists};

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use model::domain::DomainName;
use model::mapping::{Candidates, Claim, Mapping, Source, decide};
use model::runs::{CountsBlock, host_of, reversed};
use model::time::Timestamp;
use store::Conn;
use store::mapping::{Decision, HostVerdict, Unfolded};
use store::runs::BlockPlace;

use crate::{App, AppError, new_stamp};

/// Hosts in a chunk: short enough that a transaction blocks nobody for long.
const A_CHUNK: usize = 5_000;
/// Domains whose hosts are looked up one by one; of more, every verdict is looked at again.
pub(crate) const MANY_DOMAINS: usize = 2_000;

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
    Ok(store::mapping::incidents_with_pending(&mut app.store.read().await?).await?)
}

/// How many hosts of an incident wait for a verdict, at most.
pub async fn count_pending(app: &App, incident: i64) -> Result<i64, AppError> {
    Ok(store::mapping::count_pending(&mut app.store.read().await?, incident).await?)
}

/// Gives the next hosts of an incident their verdicts: first those of newly counted manifests, then those whose verdict
/// is stale.
pub async fn map_chunk(app: &App, incident: i64) -> Result<Mapped, AppError> {
    let unfolded = store::mapping::unfolded(&mut app.store.read().await?, incident).await?;
    if let Some(manifest) = unfolded {
        return Ok(Mapped { done: fold(app, incident, manifest).await?, left: true });
    }
    let mut tx = app.store.begin().await?;
    store::incidents::hold(&mut tx, incident).await?;
    let version = store::directory::held_version(&mut tx).await?;
    let limit = i64::try_from(A_CHUNK).unwrap_or(i64::MAX);
    let mut hosts = store::mapping::stale(&mut tx, incident, limit).await?;
    if hosts.is_empty() {
        return Ok(Mapped { done: 0, left: false });
    }
    // Two workers that write the same rows in one order wait for each other and never lock up.
    hosts.sort_unstable_by(|one, other| one.reversed.cmp(&other.reversed));
    let lists = lists(app, &mut tx, Some(incident)).await?;
    let names: Vec<String> = hosts.iter().map(|host| host.host.clone()).collect();
    let verdicts = verdicts(&mut tx, &lists, version, &names).await?;
    let (mut stale, mut losers) = (BTreeSet::new(), BTreeMap::new());
    for (known, (_, verdict)) in hosts.iter().zip(&verdicts) {
        stale.insert(reversed(&known.organisation_domain));
        stale.insert(reversed(&verdict.organisation_domain));
        if let Some(before) = &known.tenant_id
            && verdict.tenant_id.as_ref() != Some(before)
        {
            losers.entry(before.clone()).or_insert_with(|| verdict.organisation_domain.clone());
        }
    }
    store::mapping::upsert_verdicts(&mut tx, incident, app.clock.now().micros(), &verdicts).await?;
    store::facts::mark_stale(&mut tx, incident, "mapping", new_stamp(), &Vec::from_iter(stale)).await?;
    crate::delivery::call_back(app, &mut tx, incident, &losers).await?;
    let overtaken = disputes::settle_overtaken(app, &mut tx, incident, &lists, &names).await?;
    if overtaken.is_empty() {
        tx.commit_ledger().await?;
    } else {
        let slug = app.incident_by_id(&mut tx, incident).await?.slug;
        let detail = serde_json::json!({ "overtaken": overtaken, "directory_version": version });
        tx.commit(app.acting_as(crate::SYSTEM).entry("mapping.settle-disputes", &slug, detail)).await?;
    }
    Ok(Mapped { done: hosts.len(), left: hosts.len() == A_CHUNK })
}

/// Gives the hosts of a newly counted manifest their first verdicts, chunk by chunk, and marks the fact sheets that the
/// manifest changes: while one chunk is written, the next is decided. Interrupted, it goes on after the last chunk.
async fn fold(app: &App, incident: i64, mut manifest: Unfolded) -> Result<usize, AppError> {
    let mut conn = app.store.read().await?;
    let places = store::runs::index_of_manifest(&mut conn, manifest.id, "counts", &manifest.fold_after).await?;
    let mut hosts = Hosts::new(places, manifest.fold_after.clone());
    let mut next = decide_next(app, &mut conn, incident, &mut hosts).await?;
    let mut done = 0;
    loop {
        let chunk = next;
        let at_end = chunk.hosts.len() < A_CHUNK;
        done += chunk.verdicts.len();
        let after = chunk.hosts.last().cloned();
        let (written, decided) = tokio::join!(
            write_folded(app, incident, &manifest, chunk),
            decide_next(app, &mut conn, incident, &mut hosts)
        );
        written?;
        if at_end {
            return Ok(done);
        }
        manifest.fold_after = after.unwrap_or(manifest.fold_after);
        next = decided?;
    }
}

/// Hosts of a manifest with what the directory of that version says of those that had no verdict.
struct Chunk {
    hosts: Vec<String>,
    new: Vec<String>,
    verdicts: Vec<(String, HostVerdict)>,
    /// Organisation domains (reversed) of those that had one.
    stale: BTreeSet<String>,
    version: i64,
}

async fn decide_next(app: &App, conn: &mut Conn, incident: i64, hosts: &mut Hosts) -> Result<Chunk, AppError> {
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
    let lists = lists(app, conn, Some(incident)).await?;
    let verdicts = verdicts(conn, &lists, version, &new).await?;
    Ok(Chunk { hosts, new, verdicts, stale, version })
}

async fn write_folded(app: &App, incident: i64, manifest: &Unfolded, decided: Chunk) -> Result<(), AppError> {
    let now = app.clock.now().micros();
    let at_end = decided.hosts.len() < A_CHUNK;
    let last = decided.hosts.last().unwrap_or(&manifest.fold_after).clone();
    let Chunk { new, mut verdicts, mut stale, version, .. } = decided;
    let mut tx = app.store.begin().await?;
    store::incidents::hold(&mut tx, incident).await?;
    let version_now = store::directory::held_version(&mut tx).await?;
    if version_now != version {
        let lists = lists(app, &mut tx, Some(incident)).await?;
        verdicts = self::verdicts(&mut tx, &lists, version_now, &new).await?;
    }
    stale.extend(verdicts.iter().map(|(_, verdict)| reversed(&verdict.organisation_domain)));
    store::mapping::upsert_verdicts(&mut tx, incident, now, &verdicts).await?;
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

/// Holds the verdicts of an incident until this transaction ends, and makes sure that none waits to be looked at again:
/// what is put into the outbox behind this is either right, or seen and called back by whoever changes a verdict next.
pub(crate) async fn hold_verdicts(tx: &mut store::Tx, incident: i64) -> Result<(), AppError> {
    store::directory::held_version(tx).await?;
    let waiting = store::mapping::count_pending(tx, incident).await? + store::facts::count_stale(tx, incident).await?;
    if waiting == 0 {
        return Ok(());
    }
    Err(store::StoreError::Stale { what: "the mapping of this incident".to_owned() }.into())
}

/// The verdicts on hosts, with their reversed names.
async fn verdicts(
    conn: &mut Conn,
    lists: &Lists,
    version: i64,
    hosts: &[String],
) -> Result<Vec<(String, HostVerdict)>, AppError> {
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
    let list = lists.suffixes.list();
    let date = list.date().unwrap_or_else(|| list.version());
    let verdict = |name: &DomainName| {
        let mapping = decide(name, &candidates, list);
        (reversed(name.as_str()), verdict(name.as_str(), mapping, version, date))
    };
    Ok(names.iter().map(verdict).collect())
}

/// Whether entries, decisions or changes of owner wait to be taken out of the count.
pub async fn is_anything_expired(app: &App) -> Result<bool, AppError> {
    let now = app.clock.now();
    let settled = now.minus(app.settings.mapping.owner_change());
    let mut conn = app.store.read().await?;
    let (domains, decisions) = store::directory::lapsing(&mut conn, now, settled, 1).await?;
    Ok(!domains.is_empty()
        || !decisions.is_empty()
        || !store::contacts::entries::expiring(&mut conn, now).await?.is_empty())
}

/// Takes expired exceptions, and changes of owner that have stood long enough, out of the count; whether there were any.
pub async fn lapse_expired(app: &App) -> Result<bool, AppError> {
    crate::contacts::lapse_expired(app).await?;
    let now = app.clock.now();
    let settled = now.minus(app.settings.mapping.owner_change());
    let limit = i64::try_from(MANY_DOMAINS).unwrap_or(i64::MAX);
    let (domains, decisions) = store::directory::lapsing(&mut app.store.read().await?, now, settled, limit).await?;
    if domains.is_empty() && decisions.is_empty() {
        return Ok(false);
    }
    let mut tx = app.store.begin().await?;
    store::directory::bump_version(&mut tx).await?;
    let (domains, decisions) = store::directory::lapsing(&mut tx, now, settled, limit).await?;
    store::directory::lapse(&mut tx, now, settled).await?;
    for incident in store::mapping::open_incidents(&mut tx).await? {
        if domains.len() < MANY_DOMAINS {
            store::mapping::mark_under(&mut tx, incident, &domains).await?;
        } else {
            store::mapping::mark_all(&mut tx, incident).await?;
        }
    }
    for (incident, domain) in &decisions {
        store::mapping::mark_under(&mut tx, *incident, std::slice::from_ref(domain)).await?;
    }
    let detail = serde_json::json!({ "domains": domains, "decisions": decisions.len() });
    tx.commit(app.acting_as(crate::SYSTEM).entry("mapping.lapse", "directory", detail)).await?;
    Ok(true)
}

/// What is said about domains apart from the directory.
struct Lists {
    shared: Arc<HashSet<String>>,
    decisions: Vec<Decision>,
    /// Tenants at which somebody said that nothing is theirs.
    denied: HashSet<String>,
    suffixes: Suffixes,
}

impl Lists {
    /// What tenants said is not theirs, and nobody has settled.
    fn disputes(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|decision| decision.decision == "disputed")
    }
}

static SHARED: LazyLock<Arc<HashSet<String>>> =
    LazyLock::new(|| Arc::new(model::shared::builtin().iter().map(|shared| shared.domain.to_owned()).collect()));

/// The shared lists and people's decisions of an incident, or of none; and the list of public suffixes.
async fn lists(app: &App, conn: &mut Conn, incident: Option<i64>) -> Result<Lists, AppError> {
    let mut shared = Arc::clone(&SHARED);
    let (mut decisions, mut denied) = (Vec::new(), HashSet::new());
    if let Some(incident) = incident {
        let more = store::mapping::shared(conn, incident).await?;
        if !more.is_empty() {
            Arc::make_mut(&mut shared).extend(more);
        }
        decisions = store::mapping::decisions(conn, incident).await?;
        denied.extend(store::denials::denied(conn, incident).await?);
    }
    Ok(Lists { shared, decisions, denied, suffixes: Suffixes::current(app, conn).await? })
}

/// What the directory, the shared lists and people's decisions say about these hosts' suffixes.
async fn candidates(conn: &mut Conn, lists: &Lists, hosts: &[DomainName]) -> Result<Candidates, AppError> {
    let mut names: HashSet<&str> = HashSet::new();
    for host in hosts {
        names.extend(Candidates::names_to_look_up(host));
    }
    // In order, so that neighbours are read from the same pages.
    let mut names = Vec::from_iter(names);
    names.sort_unstable();
    let mut claims = HashMap::new();
    add_claims(conn, &names, &mut claims).await?;
    let (mut rejected, mut disputed) = (HashSet::new(), HashSet::new());
    for Decision { domain, tenant_id, decision, .. } in &lists.decisions {
        match decision.as_str() {
            "assigned" => {
                claims.entry(domain.clone()).or_default().push(Claim::new(tenant_id.as_str(), Source::Decided));
            }
            "disputed" => drop(disputed.insert((domain.clone(), tenant_id.clone()))),
            _ => drop(rejected.insert((domain.clone(), tenant_id.clone()))),
        }
    }
    let (shared, denied) = (Arc::clone(&lists.shared), lists.denied.clone());
    let mut candidates = Candidates { claims, shared, rejected, disputed, denied };
    let aliased: Vec<DomainName> =
        candidates.aliased().into_iter().filter_map(|domain| DomainName::parse(domain).ok()).collect();
    let more: BTreeSet<&str> = aliased.iter().flat_map(Candidates::names_to_look_up).collect();
    let more: Vec<&str> = more.into_iter().filter(|name| names.binary_search(name).is_err()).collect();
    add_claims(conn, &more, &mut candidates.claims).await?;
    Ok(candidates)
}

/// What the directory says about these names.
async fn add_claims(conn: &mut Conn, names: &[&str], claims: &mut HashMap<String, Vec<Claim>>) -> Result<(), AppError> {
    for row in store::directory::claims_of(conn, names).await? {
        let source = if row.source == "manual" { Source::Manual } else { Source::Imported };
        let over = match row.over.as_str() {
            "[]" => Vec::new(),
            text => serde_json::from_str(text).map_err(AppError::stored("domains.over"))?,
        };
        let claim =
            Claim { tenant_id: row.tenant_id, source, alias_of: row.alias_of, over, moved_from: row.moved_from };
        claims.entry(row.domain).or_default().push(claim);
    }
    Ok(())
}

fn verdict(host: &str, mapping: Mapping, version: i64, suffix_list: &str) -> HostVerdict {
    HostVerdict {
        host: host.to_owned(),
        verdict: mapping.verdict.to_string(),
        rule: mapping.rule.to_string(),
        tenant_id: mapping.tenant_id,
        organisation_domain: mapping.organisation_domain,
        confidence: mapping.confidence.to_string(),
        because: mapping.because,
        review: mapping.review.map(|review| review.to_string()).unwrap_or_default(),
        suffix_list: suffix_list.to_owned(),
        directory_version: version,
    }
}

/// All verdicts of an incident, by host.
pub async fn list(app: &App, slug: &str) -> Result<Vec<HostVerdict>, AppError> {
    let incident = app.incident(slug).await?;
    lapse_expired(app).await?;
    crate::facts::settle(app, incident.id).await?;
    Ok(store::mapping::list(&mut app.store.read().await?, incident.id).await?)
}

/// An expiry has to lie ahead.
pub(crate) fn in_future(app: &App, expires: Option<Timestamp>) -> Result<(), AppError> {
    match expires {
        Some(at) if at <= app.clock.now() => {
            Err(AppError::bad(format!("{at} has passed already"), "give a time to come with --expires, or none"))
        }
        _ => Ok(()),
    }
}

pub(crate) fn parse(domain: &str) -> Result<DomainName, AppError> {
    DomainName::parse(domain)
        .map_err(|error| AppError::bad(format!("`{domain}` is no domain: {error}"), "write it as in example.com"))
}
