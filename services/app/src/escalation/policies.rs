//! The policies of an incident in their versions, and what becomes of ladders that run when they change.
//!
//! Invariant: a ladder never changes its policy. Where it is to follow a new one, it ends with that reason, and another
//! one takes its place in the same transaction.

use std::collections::BTreeMap;

use model::escalation::{Deed, Ladder, Policies, Policy, PolicyName, Running, carried};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::Tx;
use store::escalation::policies::Version;
use store::escalation::{Escalation, events};

use super::climb::grouped;
use super::course::Course;
use super::deeds::{deed, entry};
use crate::{App, AppError, Incident, new_id};

/// Ladders that a refusal names.
const NAMED: usize = 10;

/// The file that changes policies: `[policies.debt]` and so on, as in the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// In place of those of the same name.
    pub policies: BTreeMap<String, Policy>,
}

/// The policies of an incident from a time on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyVersion {
    /// From 1.
    pub version: i64,
    /// Who.
    pub set_by: String,
    /// When.
    pub set_at: Timestamp,
    /// `opened`, or what became of ladders that ran: `keep`, `restart`, `move`.
    pub running: String,
    /// The reason given.
    pub why: String,
    /// Which are others than in the version before.
    pub changed: Vec<PolicyName>,
    /// All of them.
    pub policies: BTreeMap<PolicyName, Policy>,
}

/// What a change of policies did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Set {
    /// The new version.
    pub version: i64,
    /// Which policies it changes.
    pub changed: Vec<PolicyName>,
    /// Ladders that ran under them.
    pub running: usize,
    /// What became of those; none: there were none.
    pub done: Option<Running>,
}

/// Every version of an incident's policies, the oldest first.
pub async fn history(app: &App, slug: &str) -> Result<Vec<PolicyVersion>, AppError> {
    let incident = app.incident(slug).await?;
    let rows = versions(&mut app.store.read().await?, &incident).await?;
    let mut before: Option<Policies> = None;
    let mut all = Vec::new();
    for row in rows {
        let policies = parsed(&row.policies)?;
        all.push(PolicyVersion {
            version: row.version,
            set_by: row.set_by,
            set_at: Timestamp::from_micros(row.set_at),
            running: row.running,
            why: row.why,
            changed: before.as_ref().map(|before| policies.changed(before)).unwrap_or_default(),
            policies: PolicyName::ALL.iter().map(|name| (*name, policies.get(*name))).collect(),
        });
        before = Some(policies);
    }
    Ok(all)
}

/// One version of an incident's policies; without a number the newest.
pub async fn show(app: &App, slug: &str, version: Option<i64>) -> Result<PolicyVersion, AppError> {
    let mut all = history(app, slug).await?;
    let newest = all.len();
    let wanted = version.map_or(Some(newest), |version| usize::try_from(version).ok());
    match wanted.and_then(|wanted| wanted.checked_sub(1)).filter(|index| *index < newest) {
        Some(index) => Ok(all.swap_remove(index)),
        None => Err(AppError::missing(
            format!("{slug} has policy versions 1 to {newest}"),
            format!("run `forthright escalation policy history {slug}` to see them"),
        )),
    }
}

/// Changes policies of an incident. Where ladders run under one of them, the caller has to say what becomes of them.
pub async fn set(
    app: &App,
    slug: &str,
    file: PolicyFile,
    running: Option<Running>,
    why: &str,
) -> Result<Set, AppError> {
    let found = app.incident(slug).await?;
    let mut tx = app.store.begin().await?;
    let incident = app.incident_by_id(&mut tx, found.id).await?;
    let policies = incident
        .policies
        .clone()
        .replaced_by(file.policies, app.business())
        .map_err(|error| AppError::bad(error.to_string(), "correct the file and set it again"))?;
    let changed = policies.changed(&incident.policies);
    if changed.is_empty() {
        return Err(AppError::refused(
            format!("the file says what the policies of {slug} say already"),
            format!("run `forthright escalation policy show {slug}` to see them"),
        ));
    }
    let mut ladders = store::escalation::policies::running(&mut tx, incident.id).await?;
    ladders.retain(|ladder| changed.iter().any(|name| name.as_str() == ladder.policy));
    let done = match (ladders.is_empty(), running) {
        (true, _) => None,
        (false, Some(running)) => Some(running),
        (false, None) => return Err(unanswered(slug, &ladders)),
    };
    let rows = versions(&mut tx, &incident).await?;
    let version = rows.last().map_or(1, |row| row.version) + 1;
    if let [first] = &rows[..] {
        store::escalation::policies::insert(&mut tx, incident.id, first).await?;
    }
    let stored = serde_json::to_string(&policies).map_err(AppError::stored("incidents.policies"))?;
    let row = Version {
        version,
        policies: stored.clone(),
        running: done.unwrap_or(Running::Keep).as_str().to_owned(),
        why: why.to_owned(),
        set_by: app.actor.clone(),
        set_at: app.clock.now().micros(),
    };
    store::escalation::policies::insert(&mut tx, incident.id, &row).await?;
    store::escalation::policies::set(&mut tx, incident.id, &incident.row.policies, &stored).await?;
    match done {
        Some(Running::Restart | Running::Move) => replace(app, &mut tx, &ladders, &policies, &row).await?,
        Some(Running::Keep) | None => {}
    }
    let detail = serde_json::json!({
        "version": version, "changed": changed, "running": done, "ladders": ladders.len(), "why": why,
        "before": incident.policies, "after": policies,
    });
    tx.commit(app.entry("escalation.policy-set", slug, detail)).await?;
    Ok(Set { version, changed, running: ladders.len(), done })
}

/// All versions; of an incident whose policies never changed, what it was opened with.
async fn versions(conn: &mut store::Conn, incident: &Incident) -> Result<Vec<Version>, AppError> {
    let mut rows = store::escalation::policies::versions(conn, incident.id).await?;
    if rows.is_empty() {
        rows.push(Version {
            version: 1,
            policies: incident.row.policies.clone(),
            running: "opened".to_owned(),
            why: String::new(),
            set_by: incident.row.opened_by.clone(),
            set_at: incident.row.opened_at,
        });
    }
    Ok(rows)
}

fn parsed(policies: &str) -> Result<Policies, AppError> {
    serde_json::from_str(policies).map_err(AppError::stored("policy_versions.policies"))
}

fn unanswered(slug: &str, ladders: &[Escalation]) -> AppError {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for ladder in ladders {
        *counts.entry(&ladder.policy).or_default() += 1;
    }
    let counts: Vec<String> = counts.iter().map(|(policy, count)| format!("{count} of {policy}")).collect();
    AppError::refused(
        format!("{} ladder(s) of {slug} run under what is to change: {}", ladders.len(), counts.join(", ")),
        "say what becomes of them: --running keep (they go on as they began), --running move (they go on under the new \
         policy from the same start, and who was turned to is not turned to again for it), or --running restart (they \
         begin anew, measured from now)",
    )
}

/// Ends ladders, and puts one under the new policy in the place of each.
async fn replace(
    app: &App,
    tx: &mut Tx,
    ladders: &[Escalation],
    policies: &Policies,
    version: &Version,
) -> Result<(), AppError> {
    let mut tickets: Vec<String> = ladders.iter().map(|ladder| ladder.ticket_id.clone()).collect();
    tickets.sort();
    tickets.dedup();
    store::tickets::lock_many(tx, &tickets).await?;
    let now = Timestamp::from_micros(version.set_at);
    let due = ladders.iter().filter(|ladder| ladder.next_due_at.is_some_and(|at| at <= now.micros())).count();
    if due > 0 {
        return Err(AppError::Later {
            what: format!("{due} of the ladders that run are due at this moment"),
            hint: "let the workers climb them (`forthright work --until-idle`), then set the policy again".to_owned(),
        });
    }
    let ids: Vec<String> = ladders.iter().map(|ladder| ladder.id.clone()).collect();
    let fired = grouped(store::escalation::firings_among(tx, &ids).await?, |one| one.escalation_id.clone());
    let events = grouped(events::among(tx, &ids).await?, |one| one.escalation_id.clone());
    let (mut new, mut deeds, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    let mut slowed = Vec::new();
    for ladder in ladders {
        let fired = fired.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
        let events = events.get(&ladder.id).map(Vec::as_slice).unwrap_or_default();
        let course = Course::of(ladder, fired, events)?;
        let (next, done) = successor(app, ladder, &course, policies, version)?;
        if is_later(next.next_due_at, ladder.next_due_at) {
            slowed.push((ladder, next.next_due_at));
        }
        let why = format!("the policy changed to version {}: another ladder took its place", version.version);
        store::escalation::policies::end(tx, &ladder.id, now.micros(), &why).await?;
        let said = match version.running.as_str() {
            "restart" => "the ladder begins anew",
            _ => "the ladder goes on under it",
        };
        let line = format!("the policy changed to version {} ({}): {said}", version.version, version.why);
        entries.push((ladder.ticket_id.clone(), entry(app, ladder, &line)));
        new.push(next);
        deeds.extend(done);
    }
    if !slowed.is_empty() {
        return Err(slows(&slowed));
    }
    store::escalation::insert(tx, &new).await?;
    for (old, new) in ladders.iter().zip(&new) {
        store::webhooks::hand_over(tx, &old.id, &new.id, now.micros()).await?;
    }
    for deed in &deeds {
        events::insert(tx, deed).await?;
    }
    Ok(store::tickets::insert_entries(tx, &entries).await?)
}

/// Whether a ladder would fire next later than it does; none = never.
fn is_later(after: Option<i64>, before: Option<i64>) -> bool {
    before.is_some_and(|before| after.is_none_or(|after| after > before))
}

/// One person alone slows no ladder that runs.
fn slows(slowed: &[(&Escalation, Option<i64>)]) -> AppError {
    let time = |at: Option<i64>| at.map_or_else(|| "never".to_owned(), |at| Timestamp::from_micros(at).to_string());
    let one = |(ladder, after): &(&Escalation, Option<i64>)| {
        let (before, after) = (time(ladder.next_due_at), time(*after));
        format!("{} of ticket {} ({before}, then {after})", ladder.id, ladder.ticket_id)
    };
    let mut named: Vec<String> = slowed.iter().take(NAMED).map(one).collect();
    if slowed.len() > NAMED {
        named.push(format!("{} more", slowed.len() - NAMED));
    }
    AppError::refused(
        format!("{} ladder(s) that run would fire next later than they do now: {}", slowed.len(), named.join(", ")),
        "set it with --running keep: they go on as they began, and only new ladders follow the new policy; or give a \
         policy whose next rung comes no later",
    )
}

/// The ladder that takes the place of another, and what was done to it before it began.
fn successor(
    app: &App,
    old: &Escalation,
    course: &Course,
    policies: &Policies,
    version: &Version,
) -> Result<(Escalation, Vec<events::Event>), AppError> {
    let now = Timestamp::from_micros(version.set_at);
    let policy = PolicyName::parse(&old.policy).map(|name| policies.get(name));
    let policy = policy.ok_or_else(|| store::StoreError::Unknown { what: format!("policy {}", old.policy) })?;
    let mut new = Escalation {
        id: new_id("esc"),
        snapshot: serde_json::to_string(&policy).map_err(AppError::stored("escalations.snapshot"))?,
        started_at: now.micros(),
        carried: "[]".to_owned(),
        ..old.clone()
    };
    let mut done = Vec::new();
    if version.running == Running::Restart.as_str() {
        done.push(deed(app, &new, "restart", &version.why));
    } else {
        // Where it was measured anew once, it is measured from there; whoever takes care goes on doing so.
        let restarts = course.events.iter().filter(|event| event.what == Deed::Restart).map(|event| event.at);
        if let Some(at) = restarts.max() {
            done.push(events::Event { at: at.micros(), ..deed(app, &new, "restart", &version.why) });
        }
        if let Some(held) = course.ladder(app).holding(now)
            && let Deed::Acknowledge { by, .. } = &held.what
        {
            let at = held.at.micros();
            done.push(events::Event { at, actor: by.clone(), ..deed(app, &new, "acknowledge", "") });
        }
    }
    let mut next = Course { policy, fired: Vec::new(), events: Vec::new(), start: course.start };
    next.events = done.iter().map(super::course::event).collect();
    if version.running == Running::Move.as_str() {
        let planned = Ladder { events: &[], ..next.ladder(app) }.schedule();
        next.fired = carried(&course.fired, &planned);
        new.carried = serde_json::to_string(&next.fired).map_err(AppError::stored("escalations.carried"))?;
    }
    new.next_due_at = next.open(app).first().map(|due| due.due_at.micros());
    Ok((new, done))
}
