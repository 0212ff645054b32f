//! Fact sheets: runs folded into what is known of each organisation, kept up to date as manifests and verdicts change.
//!
//! Knows no rule (that is `model::runs`). Invariant: a sheet is a function of the ready runs and the verdicts alone, so
//! writing it twice, late or by two workers gives the same.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::intake::Counted;
use model::notices::{DomainFacts, TypeCount, Unknown};
use model::runs::{Batch, Counts, CountsBlock, Figures, Fold, KeyRange, Kinds, SetsBlock, end_of, host_of, reversed};
use store::facts::{Change, Scope, Sheet, Stale};
use store::runs::{BlockPlace, Packed};
use store::{Conn, StoreError, Tx};

use crate::mapping::damaged;
use crate::{App, AppError};

/// Sheets in a chunk: a transaction of about a tenth of a second.
const A_CHUNK: i64 = 2_000;

/// Beyond this many runs those of a manifest are brought together: each is looked into for every sheet that changes.
const MANY_RUNS: i64 = 24;
/// Steps in a row that other workers may do before us.
const MOST_IN_VAIN: u32 = 100;
/// Records that are brought together at a time, in bytes.
const MERGED_AT_ONCE: usize = 8 * 1024 * 1024;

/// Brings an incident's figures up to date: verdicts, then fact sheets, by the functions that the workers' job runs.
pub(crate) async fn settle(app: &App, incident: i64) -> Result<(), AppError> {
    let mut in_vain = 0;
    loop {
        match settle_chunk(app, incident).await {
            Ok(settled) if !settled.left => return Ok(()),
            Ok(_) => in_vain = 0,
            // Another worker did this step first, or took something away: the next one is to be looked for.
            Err(AppError::Store(StoreError::Stale { .. })) if in_vain < MOST_IN_VAIN => in_vain += 1,
            Err(error) => return Err(error),
        }
    }
}

/// One bounded step of [`settle`]. The figures of an erased incident stay as they are: there is nothing left to count.
pub async fn settle_chunk(app: &App, incident: i64) -> Result<crate::mapping::Mapped, AppError> {
    let row = store::incidents::by_id(&mut app.store.read().await?, incident).await?;
    if row.is_none_or(|row| row.erased_at.is_some()) {
        return Ok(crate::mapping::Mapped { done: 0, left: false });
    }
    let mapped = crate::mapping::map_chunk(app, incident).await?;
    if mapped.left || mapped.done > 0 {
        return Ok(crate::mapping::Mapped { left: true, ..mapped });
    }
    if refresh(app, incident).await? > 0 {
        return Ok(crate::mapping::Mapped { left: true, ..mapped });
    }
    match merge_runs(app, incident).await {
        Ok(()) | Err(AppError::Store(StoreError::Stale { .. })) => Ok(crate::mapping::Mapped { left: false, ..mapped }),
        Err(error) => Err(error),
    }
}

/// Writes the stale sheets anew, chunk by chunk: while one is written, the next is counted. How many were stale.
async fn refresh(app: &App, incident: i64) -> Result<usize, AppError> {
    let mut done = 0;
    let mut next = count_anew(app, incident, "").await?;
    while let Some(counted) = next {
        let last = counted.stale.last().map(|stale| stale.reversed.clone()).unwrap_or_default();
        done += counted.stale.len();
        let (written, counted) = tokio::join!(write_anew(app, incident, counted), count_anew(app, incident, &last));
        written?;
        next = counted?;
    }
    Ok(done)
}

/// Sheets that were counted and are not written yet.
#[derive(Default)]
struct CountedAnew {
    stale: Vec<Stale>,
    sheets: Vec<Sheet>,
    /// Domains under which nothing counts any more.
    gone: Vec<String>,
    changes: Vec<Change>,
    /// Hosts that no counted row names any more, with their domains.
    silent: Vec<(String, Vec<String>)>,
    /// The ready runs that this was counted from.
    runs: (i64, i64),
}

/// Counts the next stale sheets after `after`; `None`: there are none.
async fn count_anew(app: &App, incident: i64, after: &str) -> Result<Option<CountedAnew>, AppError> {
    // The marks are read first: whatever set them is in the snapshot.
    let stale = store::facts::stale(&mut app.store.read().await?, incident, after, A_CHUNK).await?;
    if stale.is_empty() {
        return Ok(None);
    }
    let mut conn = app.store.snapshot().await?;
    let domains: Vec<String> = stale.iter().map(|stale| host_of(&stale.reversed)).collect();
    // A sheet comes after the changes of its domain, and takes their place.
    let existing: HashMap<String, (String, i64)> = store::facts::existing(&mut conn, incident, &domains)
        .await?
        .into_iter()
        .map(|(domain, facts, version)| (domain, (facts, version)))
        .collect();
    let (gathered, kinds) = gather(&mut conn, incident, &domains).await?;
    let now = app.clock.now().micros();
    let runs = store::runs::ready_at_all(&mut conn, incident).await?;
    let mut counted = CountedAnew { runs, ..CountedAnew::default() };
    for (mut organisation, stale) in gathered.into_iter().zip(&stale) {
        let domain = organisation.domain.clone();
        if !organisation.silent.is_empty() {
            counted.silent.push((domain.clone(), std::mem::take(&mut organisation.silent)));
        }
        let before = existing.get(&domain);
        let sheet = sheet(organisation, &kinds, before.map_or(1, |(_, version)| version + 1))?;
        let after = sheet.as_ref().map(|sheet| sheet.facts.as_str()).unwrap_or_default();
        let changed = before.filter(|(before, _)| before != after);
        if let Some((before, version)) = changed {
            counted.changes.push(Change {
                organisation_domain: domain.clone(),
                version: version + 1,
                changed_at: now,
                cause: stale.cause.clone(),
                before: before.clone(),
                after: after.to_owned(),
            });
        }
        match (sheet, before) {
            // Raw references of a shared domain may change without its facts.
            (Some(sheet), Some((_, version))) if changed.is_none() => {
                counted.sheets.push(Sheet { version: *version, ..sheet });
            }
            (Some(sheet), _) => counted.sheets.push(sheet),
            (None, _) => counted.gone.push(domain),
        }
    }
    counted.stale = stale;
    Ok(Some(counted))
}

async fn write_anew(app: &App, incident: i64, counted: CountedAnew) -> Result<(), AppError> {
    let CountedAnew { stale, mut sheets, mut gone, mut changes, silent, runs } = counted;
    let mut tx = app.store.begin().await?;
    if silent.is_empty() {
        store::incidents::hold(&mut tx, incident).await?;
    } else {
        // A manifest that was counted meanwhile may name a host that is to be forgotten: then all is counted anew.
        store::incidents::seize(&mut tx, incident).await?;
        if store::runs::ready_at_all(&mut tx, incident).await? != runs {
            return Err(StoreError::Stale { what: "the runs".to_owned() }.into());
        }
    }
    let taken = store::facts::take_marks(&mut tx, incident, &stale).await?;
    let mine: HashSet<String> = taken.iter().map(|reversed| host_of(reversed)).collect();
    sheets.retain(|sheet| mine.contains(&sheet.domain));
    gone.retain(|domain| mine.contains(domain));
    changes.retain(|change| mine.contains(&change.organisation_domain));
    let silent: Vec<String> =
        silent.into_iter().filter(|(domain, _)| mine.contains(domain)).flat_map(|(_, hosts)| hosts).collect();
    store::facts::upsert(&mut tx, incident, app.clock.now().micros(), &sheets).await?;
    store::facts::delete(&mut tx, incident, &gone).await?;
    store::facts::insert_changes(&mut tx, incident, &changes).await?;
    store::mapping::forget(&mut tx, incident, &silent).await?;
    let mails = crate::intake::call_back(app, &mut tx, incident, &changes).await?;
    if mails == 0 {
        return Ok(tx.commit_ledger().await?);
    }
    let slug = app.incident_by_id(&mut tx, incident).await?.slug;
    Ok(tx.commit(app.entry("exposure.call-back", &slug, serde_json::json!({ "mails": mails }))).await?)
}

/// What the runs say about one organisation domain.
pub(crate) struct Gathered {
    pub(crate) domain: String,
    /// Verdict and tenant; none: no host is mapped to it.
    pub(crate) owner: Option<(String, Option<String>)>,
    pub(crate) fold: Fold,
    /// Raw references by host, in the order of reversed names.
    pub(crate) hosts: BTreeMap<String, Counts>,
    /// Hosts that are mapped to it and that no counted row names any more.
    silent: Vec<String>,
}

/// Folds the runs for these organisation domains, in their order; the kinds belong to the folds.
pub(crate) async fn gather(
    conn: &mut Conn,
    incident: i64,
    domains: &[String],
) -> Result<(Vec<Gathered>, Kinds), AppError> {
    let mut gathered: Vec<Gathered> = domains
        .iter()
        .map(|domain| Gathered {
            domain: domain.clone(),
            owner: None,
            fold: Fold::default(),
            hosts: BTreeMap::new(),
            silent: Vec::new(),
        })
        .collect();
    let places: HashMap<&str, usize> = domains.iter().enumerate().map(|(at, domain)| (domain.as_str(), at)).collect();
    let mut owner_of = HashMap::new();
    for (host, domain, verdict, tenant) in store::mapping::hosts_of(conn, incident, domains).await? {
        if let Some(at) = places.get(domain.as_str()) {
            gathered[*at].owner = Some((verdict, tenant));
            owner_of.insert(host, *at);
        }
    }
    let mut spans: Vec<(String, String)> = domains
        .iter()
        .map(|domain| {
            let from = reversed(domain);
            let to = end_of(&from);
            (from, to)
        })
        .collect();
    spans.sort_unstable();
    let mut kinds = Kinds::default();
    for place in overlapping(conn, incident, "sets", &spans).await? {
        let body = store::runs::body(conn, &place).await?;
        let mut block = SetsBlock::open(&body).map_err(|error| damaged(&error))?;
        let numbers = kinds.numbers_of(&block.kinds);
        while let Some(section) = block.next_section().map_err(|error| damaged(&error))? {
            if let Some(at) = owner_of.get(section.host) {
                gathered[*at].fold.take(&section, &numbers, KeyRange::ALL);
            }
        }
    }
    for place in overlapping(conn, incident, "counts", &spans).await? {
        let body = store::runs::body(conn, &place).await?;
        let mut block = CountsBlock::open(&body).map_err(|error| damaged(&error))?;
        while let Some((host, counts)) = block.next_host().map_err(|error| damaged(&error))? {
            if let Some(at) = owner_of.get(host) {
                gathered[*at].fold.count(&counts);
                gathered[*at].hosts.entry(host.to_owned()).or_default().add(&counts);
            }
        }
    }
    for (host, at) in owner_of {
        if !gathered[at].hosts.contains_key(&host) {
            gathered[at].silent.push(host);
        }
    }
    Ok((gathered, kinds))
}

/// The blocks that hold a host of one of these spans of reversed names, which are sorted.
async fn overlapping(
    conn: &mut Conn,
    incident: i64,
    kind: &str,
    spans: &[(String, String)],
) -> Result<Vec<BlockPlace>, AppError> {
    let (Some((from, _)), Some(to)) = (spans.first(), spans.iter().map(|(_, to)| to).max()) else {
        return Ok(Vec::new());
    };
    let mut places = store::runs::index(conn, incident, kind, from, to).await?;
    // Of the spans that begin before a block ends, the one that reaches furthest decides.
    let mut furthest: Vec<&str> = Vec::with_capacity(spans.len());
    for (_, to) in spans {
        furthest.push(furthest.last().map_or(to.as_str(), |before| to.as_str().max(before)));
    }
    places.retain(|place| {
        let begun = spans.partition_point(|(from, _)| *from <= place.last_host);
        begun.checked_sub(1).is_some_and(|at| *furthest[at] > *place.first_host)
    });
    Ok(places)
}

/// The sheet of an organisation; none when nothing counts under its domain any more.
fn sheet(gathered: Gathered, kinds: &Kinds, version: i64) -> Result<Option<Sheet>, AppError> {
    let Gathered { domain, owner, fold, hosts, .. } = gathered;
    let Some((verdict, tenant_id)) = owner.filter(|_| !hosts.is_empty()) else { return Ok(None) };
    let figures = fold.figures(kinds);
    let counts = figures.counts;
    let clean = counts.rows_missing == 0 && counts.rows_invalid == 0;
    let json = |value: Result<String, serde_json::Error>| value.map_err(AppError::stored("fact_sheets"));
    let by_field = if clean { String::new() } else { json(serde_json::to_string(&(counts.missing, counts.invalid)))? };
    let facts = if verdict == "shared" {
        String::new()
    } else {
        json(serde_json::to_string(&facts_of(&domain, tenant_id.clone(), figures)))?
    };
    let rows = (signed(counts.rows), signed(counts.rows_missing), signed(counts.rows_invalid));
    Ok(Some(Sheet { domain, verdict, tenant_id, rows, by_field, facts, version }))
}

fn facts_of(domain: &str, tenant_id: Option<String>, figures: Figures) -> DomainFacts {
    DomainFacts {
        domain: domain.to_owned(),
        tenant_id,
        rows: signed(figures.counts.rows),
        objects: signed(figures.objects),
        emails: signed(figures.emails),
        users: signed(figures.users),
        projects: signed(figures.projects),
        bytes: figures.bytes,
        first_date: figures.first.map(|day| day.to_string()),
        last_date: figures.last.map(|day| day.to_string()),
        data_types: figures.types.into_iter().map(|(id, objects)| TypeCount { id, objects: signed(objects) }).collect(),
        unknown: Unknown {
            data_type: signed(figures.without_type),
            date: signed(figures.without_date),
            size: signed(figures.without_size),
        },
        withheld: Vec::new(),
    }
}

pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Rows of a field that have it, by the sums over sheets.
pub(crate) fn add_fields(text: &str, missing: &mut [i64], invalid: &mut [i64]) -> Result<(), AppError> {
    let (m, i): ([i64; Counted::ALL.len()], [i64; Counted::ALL.len()]) =
        serde_json::from_str(text).map_err(AppError::stored("fact_sheets.by_field"))?;
    missing.iter_mut().zip(m).for_each(|(sum, part)| *sum += part);
    invalid.iter_mut().zip(i).for_each(|(sum, part)| *sum += part);
    Ok(())
}

/// Brings the sets runs of a manifest together into one where there are many. Interrupted, it leaves them as they are.
async fn merge_runs(app: &App, incident: i64) -> Result<(), AppError> {
    let Some(manifest) = store::runs::with_many(&mut app.store.read().await?, incident, MANY_RUNS).await? else {
        return Ok(());
    };
    let runs = store::runs::ready(&mut app.store.read().await?, manifest).await?;
    let places = store::runs::index_of_manifest(&mut app.store.read().await?, manifest, "sets", "").await?;
    let places: Vec<BlockPlace> = places.into_iter().filter(|place| runs.contains(&place.run_id)).collect();
    let mut tx = app.store.begin().await?;
    store::runs::drop_open_merges(&mut tx, manifest).await?;
    tx.commit_ledger().await?;
    let (mut merged, mut number) = (None, 0);
    let mut batch = Batch::new(0);
    for (after, to) in spans(&places) {
        let blocks = merge_span(app, &places, &after, &to, &mut batch).await?;
        let count = i64::try_from(blocks.len()).unwrap_or(i64::MAX);
        let mut tx = app.store.begin().await?;
        store::incidents::hold(&mut tx, incident).await?;
        match merged {
            None => {
                let now = app.clock.now();
                merged = store::runs::insert(&mut tx, incident, manifest, "sets", "open", &blocks, now).await?;
            }
            // Gone when another worker begins to bring the same runs together.
            Some(run) => match store::runs::append(&mut tx, run, number, &blocks).await {
                Err(StoreError::Refused(_)) => return Err(StoreError::Stale { what: "the runs".to_owned() }.into()),
                appended => appended?,
            },
        }
        tx.commit_ledger().await?;
        number += count;
    }
    let Some(merged) = merged else { return Ok(()) };
    let mut tx: Tx = app.store.begin().await?;
    store::incidents::hold(&mut tx, incident).await?;
    store::runs::replace(&mut tx, merged, &runs).await?;
    Ok(tx.commit_ledger().await?)
}

/// Cuts all hosts into spans `(after, up to)` whose blocks fit into memory together.
fn spans(places: &[BlockPlace]) -> Vec<(String, String)> {
    let runs = places.iter().map(|place| place.run_id).collect::<std::collections::BTreeSet<_>>().len().max(1);
    // Each run adds a block that lies across the edge.
    let at_once = (MERGED_AT_ONCE / (128 * 1024)).saturating_sub(runs).max(runs);
    let mut ends: Vec<&str> = places.iter().map(|place| place.last_host.as_str()).collect();
    ends.sort_unstable();
    let mut spans = Vec::new();
    let mut after = String::new();
    for part in ends.chunks(at_once) {
        let Some(end) = part.last() else { continue };
        if **end > *after {
            spans.push((after, (*end).to_owned()));
            after = (*end).to_owned();
        }
    }
    spans
}

async fn merge_span(
    app: &App,
    places: &[BlockPlace],
    after: &str,
    to: &str,
    batch: &mut Batch,
) -> Result<Vec<Packed>, AppError> {
    let mut conn = app.store.read().await?;
    for place in places.iter().filter(|place| *place.last_host > *after && *place.first_host <= *to) {
        let (body, names) = store::runs::body_and_names(&mut conn, place).await?;
        batch.absorb(&body, &names, |host| host > after && host <= to).map_err(|error| damaged(&error))?;
    }
    let (sets, _) = batch.drain();
    Ok(sets.into_iter().map(Packed::of).collect::<Result<_, _>>()?)
}

/// The facts of each affected organisation domain, sorted by domain; of one tenant, or of all. What an interrupted
/// import left to be counted is counted first.
pub async fn facts(app: &App, slug: &str, tenant: Option<&str>) -> Result<Vec<DomainFacts>, AppError> {
    let incident = app.incident(slug).await?;
    settle(app, incident.id).await?;
    let mut conn = app.store.snapshot().await?;
    let scope = tenant.map_or(Scope::Incident, |tenant| Scope::Tenants(tenant, tenant));
    Ok(store::facts::facts(&mut conn, incident.id, scope).await?)
}

/// How fact sheets changed after they were first written, by domain and version; of one tenant, or of all.
pub async fn changes(app: &App, slug: &str, tenant: Option<&str>) -> Result<Vec<FactChange>, AppError> {
    let incident = app.incident(slug).await?;
    let mut changes = Vec::new();
    for row in store::facts::changes(&mut app.store.read().await?, incident.id).await? {
        let read = |text: &str| -> Result<Option<DomainFacts>, AppError> {
            if text.is_empty() {
                return Ok(None);
            }
            serde_json::from_str(text).map(Some).map_err(AppError::stored("fact_changes"))
        };
        let change = FactChange {
            domain: row.organisation_domain,
            version: row.version,
            changed_at: model::time::Timestamp::from_micros(row.changed_at),
            cause: row.cause,
            before: read(&row.before)?,
            after: read(&row.after)?,
        };
        let is_of =
            |facts: &Option<DomainFacts>| facts.as_ref().is_some_and(|facts| facts.tenant_id.as_deref() == tenant);
        if tenant.is_none() || is_of(&change.before) || is_of(&change.after) {
            changes.push(change);
        }
    }
    Ok(changes)
}

/// How one organisation's facts changed.
#[derive(Debug, Clone, serde::Serialize)]
pub struct FactChange {
    /// The organisation domain.
    pub domain: String,
    /// Of the sheet after the change; the first sheet is 1.
    pub version: i64,
    /// When the sheet was written anew.
    pub changed_at: model::time::Timestamp,
    /// The file that brought it, or `mapping`.
    pub cause: String,
    /// As it was; none: not affected, or shared.
    pub before: Option<DomainFacts>,
    /// As it is; none: not affected any more, or shared.
    pub after: Option<DomainFacts>,
}
