//! People's decisions on domains in an incident: one, or a file of them, looked at before they are taken.
//!
//! Gives no verdict. Invariant: a change that moves more organisations than `[mapping] second_actor_above` waits for a
//! second person, and a decision marks exactly the hosts at its domain and below.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::actor::is_one_person;
use model::domain::DomainName;
use model::mapping::decide;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sources::{Table, TableRecord};
use store::mapping::{Decision, NewDecision, Proposal};
use store::{Conn, Tx};

use super::{Lists, candidates, lists, parse};
use crate::{App, AppError, Incident, new_id};

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

/// One change among others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// A-label form.
    pub domain: String,
    /// Whose it is, or is not.
    pub tenant_id: String,
    /// `assigned` or `rejected`.
    pub decision: String,
    /// The reason.
    pub why: String,
    /// When it counts no more.
    pub expires: Option<Timestamp>,
}

/// What a change does to organisations.
#[derive(Debug, Default, Serialize)]
pub struct Weight {
    /// Organisation domains whose verdict or tenant it changes.
    pub moves: usize,
    /// Hosts among which they are.
    pub hosts: usize,
    /// (from → to): how many organisation domains.
    pub ways: BTreeMap<String, usize>,
}

/// What became of decisions.
#[derive(Debug, Serialize)]
pub struct Decided {
    /// Decisions taken, or that would be.
    pub changes: usize,
    /// What they do.
    pub weight: Weight,
    /// Lines that cannot be used: file, line, why.
    pub rejected: Vec<String>,
    /// Whether anything was written.
    pub written: bool,
}

/// A change that waits for a second person.
#[derive(Debug, Serialize)]
pub struct Proposed {
    /// `chg_…`.
    pub id: String,
    /// Its changes.
    pub changes: Vec<Change>,
    /// Organisations it moves.
    pub moves: i64,
    /// By whom.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Timestamp,
    /// `waiting`, `approved`, `rejected`.
    pub state: String,
    /// By whom.
    pub decided_by: Option<String>,
}

/// Settles a domain by hand.
pub async fn rule(app: &App, slug: &str, ruled: &Ruled<'_>) -> Result<Weight, AppError> {
    super::in_future(app, ruled.expires)?;
    let change = Change {
        domain: parse(ruled.domain)?.as_str().to_owned(),
        tenant_id: ruled.tenant.to_owned(),
        decision: match ruled.ruling {
            Ruling::Assigned => "assigned".to_owned(),
            Ruling::Rejected => "rejected".to_owned(),
        },
        why: ruled.why.to_owned(),
        expires: ruled.expires,
    };
    decide_together(app, slug, vec![change]).await
}

/// Says what a file of decisions would do, and writes nothing.
pub async fn preview_file(app: &App, slug: &str, file: &Path, why: &str) -> Result<Decided, AppError> {
    let incident = settled(app, slug).await?;
    let (changes, rejected) = read_file(app, &incident, file, why).await?;
    let mut conn = app.store.snapshot().await?;
    let weight = weigh(app, &mut conn, incident.id, &changes).await?;
    Ok(Decided { changes: changes.len(), weight, rejected, written: false })
}

/// Takes the decisions of a file with the columns `domain`, `tenant_id` and optionally `why`: all of them or, where
/// they move many organisations, none before a second person agrees.
pub async fn assign_file(app: &App, slug: &str, file: &Path, why: &str) -> Result<Decided, AppError> {
    let incident = settled(app, slug).await?;
    let (changes, rejected) = read_file(app, &incident, file, why).await?;
    let count = changes.len();
    let weight = match changes.is_empty() {
        true => Weight::default(),
        false => decide_together(app, slug, changes).await.map_err(|error| with_rejected(error, &rejected))?,
    };
    Ok(Decided { changes: count, weight, rejected, written: count > 0 })
}

/// A refusal says too which lines it is not about.
fn with_rejected(error: AppError, rejected: &[String]) -> AppError {
    match error {
        AppError::Refused { what, hint } if !rejected.is_empty() => {
            let count = rejected.len();
            AppError::Refused { what: format!("{what}; {count} line(s) cannot be used: {}", rejected.join("; ")), hint }
        }
        other => other,
    }
}

/// The changes that wait, or waited, for a second person.
pub async fn proposals(app: &App, slug: &str) -> Result<Vec<Proposed>, AppError> {
    let incident = app.incident(slug).await?;
    let rows = store::mapping::proposals(&mut app.store.read().await?, incident.id).await?;
    rows.into_iter().map(proposed).collect()
}

/// Agrees to a change as the second person: it is taken now. Whoever proposed it cannot.
pub async fn approve(app: &App, id: &str) -> Result<Weight, AppError> {
    let mut tx = app.store.begin().await?;
    store::directory::bump_version(&mut tx).await?;
    let proposal = waiting(&mut tx, id).await?;
    if is_one_person(&proposal.proposed_by, &app.actor) {
        return Err(AppError::refused(
            format!("{} proposed {id}, and nobody approves their own change", app.actor),
            "let somebody else approve it: --actor NAME",
        ));
    }
    let incident = app.incident_by_id(&mut tx, proposal.incident_id).await?;
    let changes: Vec<Change> =
        serde_json::from_str(&proposal.changes).map_err(AppError::stored("mapping_proposals.changes"))?;
    let newer = store::mapping::decided_since(&mut tx, incident.id, proposal.proposed_at).await?;
    if let Some(domain) = changes.iter().map(|change| &change.domain).find(|domain| newer.contains(domain)) {
        return Err(AppError::refused(
            format!("somebody decided about {domain} after {id} was proposed"),
            format!("turn {id} down with `forthright mapping refuse {id} --why …`, and propose what is still meant"),
        ));
    }
    let lists = lists(app, &mut tx, Some(incident.id)).await?;
    for change in &changes {
        check(&mut tx, &lists, change).await?;
    }
    let weight = weigh(app, &mut tx, incident.id, &changes).await?;
    write(app, &mut tx, &incident, &changes, &proposal.proposed_by).await?;
    store::mapping::decide_proposal(&mut tx, id, "approved", &app.actor, app.clock.now().micros()).await?;
    let detail = serde_json::json!({ "proposal": id, "changes": changes.len(), "moves": weight.moves, "proposed_by": proposal.proposed_by });
    tx.commit(app.entry("mapping.approve", &incident.slug, detail)).await?;
    crate::facts::settle(app, incident.id).await?;
    Ok(weight)
}

/// Turns a proposed change down, or takes it back.
pub async fn reject(app: &App, id: &str, why: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let proposal = waiting(&mut tx, id).await?;
    let incident = app.incident_by_id(&mut tx, proposal.incident_id).await?;
    store::mapping::decide_proposal(&mut tx, id, "rejected", &app.actor, app.clock.now().micros()).await?;
    let detail = serde_json::json!({ "proposal": id, "why": why });
    Ok(tx.commit(app.entry("mapping.reject-change", &incident.slug, detail)).await?)
}

async fn waiting(tx: &mut Tx, id: &str) -> Result<Proposal, AppError> {
    let proposal = store::mapping::proposal(tx, id).await?.ok_or_else(|| {
        AppError::missing(format!("no change {id}"), "run `forthright mapping changes SLUG` to see what waits")
    })?;
    match (&proposal.decision, &proposal.decided_by) {
        (Some(decision), Some(by)) => {
            Err(AppError::refused(format!("{id} was {decision} by {by} already"), "propose it again if it is needed"))
        }
        _ => Ok(proposal),
    }
}

fn proposed(row: Proposal) -> Result<Proposed, AppError> {
    let changes = serde_json::from_str(&row.changes).map_err(AppError::stored("mapping_proposals.changes"))?;
    Ok(Proposed {
        id: row.id,
        changes,
        moves: row.moves,
        proposed_by: row.proposed_by,
        proposed_at: Timestamp::from_micros(row.proposed_at),
        state: row.decision.unwrap_or_else(|| "waiting".to_owned()),
        decided_by: row.decided_by,
    })
}

/// The incident, every host of which has its verdict.
async fn settled(app: &App, slug: &str) -> Result<Incident, AppError> {
    let incident = app.incident(slug).await?;
    crate::facts::settle(app, incident.id).await?;
    Ok(incident)
}

/// Takes changes at once, or keeps them for a second person and says so.
async fn decide_together(app: &App, slug: &str, changes: Vec<Change>) -> Result<Weight, AppError> {
    let incident = settled(app, slug).await?;
    let limit = app.settings.mapping.second_actor_above;
    let mut tx = app.store.begin().await?;
    store::directory::bump_version(&mut tx).await?;
    let lists = lists(app, &mut tx, Some(incident.id)).await?;
    for change in &changes {
        check(&mut tx, &lists, change).await?;
    }
    let weight = weigh(app, &mut tx, incident.id, &changes).await?;
    if weight.moves > limit {
        let id = propose(app, tx, &incident, &changes, &weight).await?;
        return Err(AppError::refused(
            format!(
                "this moves {} organisations, more than {limit}: it waits for a second person as {id}",
                weight.moves
            ),
            format!("let somebody else run `forthright mapping approve {id}`"),
        ));
    }
    write(app, &mut tx, &incident, &changes, &app.actor).await?;
    let [first, ..] = &changes[..] else { return Ok(weight) };
    let verb = if first.decision == "assigned" { "mapping.assign" } else { "mapping.reject" };
    let detail = match &changes[..] {
        [one] => {
            serde_json::json!({ "domain": one.domain, "tenant": one.tenant_id, "why": one.why, "expires": one.expires, "moves": weight.moves })
        }
        many => serde_json::json!({ "changes": many, "moves": weight.moves }),
    };
    tx.commit(app.entry(verb, slug, detail)).await?;
    crate::facts::settle(app, incident.id).await?;
    Ok(weight)
}

async fn propose(
    app: &App,
    mut tx: Tx,
    incident: &Incident,
    changes: &[Change],
    weight: &Weight,
) -> Result<String, AppError> {
    let proposal = Proposal {
        id: new_id("chg"),
        incident_id: incident.id,
        changes: serde_json::to_string(changes).map_err(AppError::stored("mapping_proposals.changes"))?,
        moves: i64::try_from(weight.moves).unwrap_or(i64::MAX),
        proposed_by: app.actor.clone(),
        proposed_at: app.clock.now().micros(),
        decision: None,
        decided_by: None,
    };
    store::mapping::insert_proposal(&mut tx, &proposal).await?;
    let detail = serde_json::json!({ "proposal": proposal.id, "changes": changes.len(), "moves": weight.moves });
    tx.commit(app.entry("mapping.propose", &incident.slug, detail)).await?;
    Ok(proposal.id)
}

async fn write(app: &App, tx: &mut Tx, incident: &Incident, changes: &[Change], actor: &str) -> Result<(), AppError> {
    for change in changes {
        let decision = Decision {
            domain: change.domain.clone(),
            tenant_id: change.tenant_id.clone(),
            decision: change.decision.clone(),
            why: change.why.clone(),
        };
        let new = NewDecision {
            incident: incident.id,
            decision: &decision,
            actor,
            at: app.clock.now().micros(),
            expires_at: change.expires.map(Timestamp::micros),
        };
        store::mapping::upsert_decision(tx, &new).await?;
        if change.decision == "assigned" {
            // It is the right organisation after all, whoever there said that nothing is theirs.
            store::denials::settle(tx, incident.id, &change.tenant_id, actor, &change.why, new.at).await?;
        }
    }
    let domains: BTreeSet<&str> = changes.iter().map(|change| change.domain.as_str()).collect();
    store::mapping::mark_under(tx, incident.id, &Vec::from_iter(domains)).await?;
    Ok(())
}

/// Whether a change may be taken at all.
async fn check(conn: &mut Conn, lists: &Lists, change: &Change) -> Result<(), AppError> {
    crate::directory::known_tenant(conn, &change.tenant_id).await?;
    if change.decision != "assigned" {
        return Ok(());
    }
    let name = parse(&change.domain)?;
    let refused = |what: &str| {
        AppError::refused(format!("{name} {what} (R3)"), "assign a name below it that is this tenant's alone")
    };
    if lists.shared.contains(name.as_str()) {
        return Err(refused("stands on the list of shared domains, which belong to no single organisation"));
    }
    if lists.suffixes.list().is_public_suffix(&name) {
        return Err(refused("is a public suffix, under which anybody can register a name"));
    }
    Ok(())
}

/// What changes would do: every host that they could touch is decided anew beside its verdict of today.
async fn weigh(app: &App, conn: &mut Conn, incident: i64, changes: &[Change]) -> Result<Weight, AppError> {
    let mut hosts = BTreeMap::new();
    for change in changes {
        let mut domains = store::mapping::aliases_of(conn, &[change.domain.as_str()]).await?;
        domains.push(change.domain.clone());
        for domain in domains {
            for known in store::mapping::under(conn, incident, &domain).await? {
                hosts.insert(known.host.clone(), known);
            }
        }
    }
    let mut lists = lists(app, conn, Some(incident)).await?;
    for change in changes {
        let assigns = change.decision == "assigned";
        if assigns {
            lists.denied.remove(&change.tenant_id);
        }
        // As the store does it: what was said of this tenant is settled, an assignment to another gives way, and whoever
        // said that it is not theirs was right once it is somebody else's.
        lists.decisions.retain(|decision| {
            decision.domain != change.domain
                || (decision.tenant_id != change.tenant_id && !(assigns && decision.decision == "assigned"))
        });
        let disputes = lists.decisions.iter_mut().filter(|decision| decision.domain == change.domain);
        for dispute in disputes.filter(|decision| assigns && decision.decision == "disputed") {
            dispute.decision = "rejected".to_owned();
        }
        lists.decisions.push(Decision {
            domain: change.domain.clone(),
            tenant_id: change.tenant_id.clone(),
            decision: change.decision.clone(),
            why: change.why.clone(),
        });
    }
    let names: Vec<DomainName> = hosts.keys().filter_map(|host| DomainName::parse(host).ok()).collect();
    let candidates = candidates(conn, &lists, &names).await?;
    let mut moved = BTreeMap::new();
    for name in &names {
        let Some(known) = hosts.get(name.as_str()) else { continue };
        let after = decide(name, &candidates, lists.suffixes.list());
        if after.tenant_id != known.tenant_id || after.organisation_domain != known.organisation_domain {
            let from = known.tenant_id.as_deref().unwrap_or("nobody");
            let to = after.tenant_id.as_deref().unwrap_or("nobody");
            moved.insert(known.organisation_domain.clone(), format!("{from} → {to}"));
        }
    }
    let mut weight = Weight { moves: moved.len(), hosts: hosts.len(), ways: BTreeMap::new() };
    for way in moved.into_values() {
        *weight.ways.entry(way).or_default() += 1;
    }
    Ok(weight)
}

/// The changes of a file, those that cannot be used apart.
async fn read_file(
    app: &App,
    incident: &Incident,
    file: &Path,
    why: &str,
) -> Result<(Vec<Change>, Vec<String>), AppError> {
    let mut conn = app.store.snapshot().await?;
    let lists = lists(app, &mut conn, Some(incident.id)).await?;
    let mut table = Table::open(file, &["domain", "tenant_id"], &["why"])?;
    let name = file.display();
    let (mut changes, mut rejected) = (BTreeMap::<String, (u64, Change)>::new(), Vec::new());
    let mut torn = BTreeSet::new();
    while let Some(record) = table.next_row()? {
        let row = match record {
            TableRecord::Row(row) => row,
            TableRecord::Malformed { line, .. } => {
                rejected.push(format!("{name}, line {line}: wrong number of columns"));
                continue;
            }
        };
        let domain = match DomainName::parse(row.get("domain")) {
            Ok(domain) => domain.as_str().to_owned(),
            Err(error) => {
                rejected.push(format!("{name}, line {}: `{}` is no domain: {error}", row.line, row.get("domain")));
                continue;
            }
        };
        let own = row.get("why");
        let change = Change {
            tenant_id: row.get("tenant_id").to_owned(),
            decision: "assigned".to_owned(),
            why: if own.is_empty() { why.to_owned() } else { own.to_owned() },
            expires: None,
            domain,
        };
        let line = row.line;
        if let Err(error) = check(&mut conn, &lists, &change).await {
            rejected.push(format!("{name}, line {line}: {error}"));
            continue;
        }
        match changes.get(&change.domain) {
            Some((above, there)) if there.tenant_id != change.tenant_id => {
                rejected.push(format!(
                    "{name}, line {line}: {} is assigned to {} in line {above} and cannot be {}'s too: neither is taken",
                    change.domain, there.tenant_id, change.tenant_id
                ));
                torn.insert(change.domain);
            }
            Some(_) => {}
            None => drop(changes.insert(change.domain.clone(), (line, change))),
        }
    }
    // Which of two lines is right is not for their order to say.
    changes.retain(|domain, _| !torn.contains(domain));
    Ok((changes.into_values().map(|(_, change)| change).collect(), rejected))
}
