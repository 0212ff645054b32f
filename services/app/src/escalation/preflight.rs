//! Before the incident: whether each rung leads to somebody, and letters that try it.
//!
//! Fires nothing. Invariant: what is called good here is what a rung would find at this moment, by the same function; and
//! a ladder that would end with nobody of ours is said plainly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::escalation::{Hours, Policy, PolicyName, Target};
use model::language::Language;
use model::notices::Letter;
use model::time::Timestamp;
use serde::Serialize;
use store::delivery::NewMail;
use store::escalation::probes::Probe;

use super::targets::{self, Behind, Person};
use crate::{App, AppError, Incident, Settings, new_id};

/// How far ahead rotations are looked at.
const DAYS_AHEAD: u64 = 30;

/// What a rung would find.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outlook {
    /// A letter or call would go out.
    Good,
    /// A task on the overview, which nobody is told of.
    Task,
    /// Nobody, or not by this policy.
    Bad,
}

/// One target of one rung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The policy; `debt (running)` for one that has changed since ladders started under it.
    pub policy: String,
    /// From 1.
    pub rung: i64,
    /// As the policy names it.
    pub target: String,
    /// What it would find.
    pub result: Outlook,
    /// In words.
    pub what: String,
    /// What to do about it.
    pub next: String,
    /// When a test was last sent to it; none: never.
    pub tested_at: Option<Timestamp>,
    /// When somebody last said that a test came.
    pub acknowledged_at: Option<Timestamp>,
}

/// A test that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// `tst_…`; whoever got it acknowledges it by this.
    pub test: String,
    /// The target.
    pub target: String,
    /// Letters queued.
    pub mails: usize,
    /// What became of it, in words.
    pub result: String,
}

/// Looks at each target of each rung of an incident's policies, and of those that its ladders run under.
pub async fn check(app: &App, slug: &str) -> Result<Vec<Checked>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let probes = store::escalation::probes::list(&mut conn, incident.id).await?;
    let mut lines = Vec::new();
    for (label, policy) in policies(&mut conn, &incident).await? {
        for (rung, at) in (1..).zip(&policy.rungs) {
            for target in &at.targets {
                let (result, what, next) = outlook(app, &mut conn, target, &at.hours).await?;
                let tests = probes.iter().rfind(|probe| probe.target == target.as_str());
                let came =
                    probes.iter().rfind(|probe| probe.target == target.as_str() && probe.acknowledged_at.is_some());
                lines.push(Checked {
                    policy: label.clone(),
                    rung,
                    target: target.to_string(),
                    result,
                    what,
                    next,
                    tested_at: tests.map(|probe| Timestamp::from_micros(probe.sent_at)),
                    acknowledged_at: came.and_then(|probe| probe.acknowledged_at).map(Timestamp::from_micros),
                });
            }
        }
        lines.extend(ends_in_nobody(&label, &policy));
    }
    Ok(lines)
}

/// Those of the incident, and others that ladders run under, by a label.
async fn policies(conn: &mut store::Conn, incident: &Incident) -> Result<Vec<(String, Policy)>, AppError> {
    let mut all: Vec<(String, Policy)> =
        PolicyName::ALL.iter().map(|name| (name.to_string(), incident.policies.get(*name))).collect();
    let running = store::escalation::policies::running(conn, incident.id).await?;
    let snapshots: BTreeSet<(&str, &str)> =
        running.iter().map(|ladder| (ladder.policy.as_str(), ladder.snapshot.as_str())).collect();
    for (name, snapshot) in snapshots {
        // One that cannot be read is a finding of `audit engine`, and hides no other.
        let Ok(policy) = serde_json::from_str::<Policy>(snapshot) else { continue };
        if PolicyName::parse(name).is_none_or(|name| incident.policies.get(name) != policy) {
            all.push((format!("{name} (running)"), policy));
        }
    }
    Ok(all)
}

/// What a rung for this target finds now.
async fn outlook(
    app: &App,
    conn: &mut store::Conn,
    target: &Target,
    hours: &Hours,
) -> Result<(Outlook, String, String), AppError> {
    let now = app.clock.now();
    if let Hours::Business { calendar } = hours
        && app.business().after(now, Duration::ZERO, calendar).is_none()
    {
        let what = format!("there is no calendar {calendar}: its delay is measured by the clock on the wall");
        return Ok((Outlook::Bad, what, format!("add [calendars.{calendar}] to the configuration")));
    }
    Ok(match target {
        Target::Contact => {
            let what =
                "a reminder to the contacts that have the notice; where there are none, a task for the incident lead";
            (Outlook::Good, what.to_owned(), String::new())
        }
        Target::NextContact => {
            let what =
                "the notice to the organisation's next contact; where nobody is left, a task for the incident lead";
            (Outlook::Good, what.to_owned(), String::new())
        }
        Target::AccountManager => (Outlook::Task, "a task on the overview, by nature".to_owned(), String::new()),
        Target::Webhook(name) => webhook(app, conn, name.as_str()).await?,
        Target::Rotation(name) => rotation(&app.settings, name.as_str(), now),
        Target::Agent
        | Target::Lead
        | Target::Counsel
        | Target::IncidentLead
        | Target::Person(_)
        | Target::Role(_)
        | Target::Address(_) => staff(target, &targets::behind(&app.settings, target, None, now)),
    })
}

/// Whether a call would be made: of one that is not configured, cannot be opened or is gone, none is.
async fn webhook(app: &App, conn: &mut store::Conn, name: &str) -> Result<(Outlook, String, String), AppError> {
    let Some(settings) = app.settings.webhooks.get(name) else {
        let what = format!("there is no webhook {name}: it becomes a task on the overview");
        return Ok((Outlook::Bad, what, format!("add [webhooks.{name}] to the configuration")));
    };
    if let Err(error) = settings.open() {
        let next = error.hint().unwrap_or_default().to_owned();
        return Ok((Outlook::Bad, format!("webhook {name} cannot be called: {error}"), next));
    }
    if let Some(since) = store::webhooks::gone_since(conn, name).await? {
        let since = Timestamp::from_micros(since);
        let what = format!("the receiver of webhook {name} said at {since} that nothing is there any more (410)");
        return Ok((Outlook::Bad, what, format!("mend it, then run `forthright webhook test {name}`")));
    }
    Ok((Outlook::Good, format!("call of webhook {name}"), String::new()))
}

fn staff(target: &Target, behind: &Behind) -> (Outlook, String, String) {
    let by_role = matches!(target, Target::Agent | Target::Lead | Target::Counsel | Target::IncidentLead);
    match (&behind.people[..], &behind.missing[..]) {
        (people, []) => (Outlook::Good, format!("mail to {}", addresses(people)), String::new()),
        // A role without an address becomes a task: the product's rule, and no fault.
        ([], [why]) if by_role => {
            (Outlook::Task, "a task on the overview, which nobody is told of".to_owned(), why.clone())
        }
        (people, missing) => {
            let what = match people {
                [] => "leads to nobody: it becomes a task on the overview".to_owned(),
                people => format!("mail to {}, and a task for the rest", addresses(people)),
            };
            (Outlook::Bad, what, missing.join("; "))
        }
    }
}

fn addresses(people: &[Person]) -> String {
    people.iter().map(|person| person.address.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether somebody with an address is on duty in each hour of the days ahead.
fn rotation(settings: &Settings, name: &str, now: Timestamp) -> (Outlook, String, String) {
    let bad = |what: String, next: String| (Outlook::Bad, what, next);
    let rotation = match targets::rotation(settings, name) {
        Ok(rotation) => rotation,
        Err(next) => return bad("leads to nobody: it becomes a task on the overview".to_owned(), next),
    };
    for hour in 0..DAYS_AHEAD * 24 {
        let at = now.plus(Duration::from_secs(hour * 3600));
        match rotation.on_duty(at).map(|who| targets::person(settings, who)) {
            None => {
                let what = format!("nobody is on duty at {at}");
                return bad(what, format!("set an earlier `start` in [rotations.{name}]"));
            }
            Some(Err(why)) => return bad(format!("who is on duty at {at} cannot be written to"), why),
            Some(Ok(_)) => {}
        }
    }
    let who = rotation.on_duty(now).and_then(|who| targets::person(settings, who).ok());
    let address = who.map(|person| person.address).unwrap_or_default();
    (Outlook::Good, format!("mail to {address} now; staffed for {DAYS_AHEAD} days"), String::new())
}

/// A ladder whose last rung turns to the organisation alone is looked at by nobody of ours in the end.
fn ends_in_nobody(label: &str, policy: &Policy) -> Option<Checked> {
    let last = policy.rungs.last()?;
    if last.targets.iter().any(|target| !matches!(target, Target::Contact | Target::NextContact)) {
        return None;
    }
    Some(Checked {
        policy: label.to_owned(),
        rung: i64::try_from(policy.rungs.len()).unwrap_or(i64::MAX),
        target: String::new(),
        result: Outlook::Bad,
        what: "the ladder ends with the organisation: after its last rung nobody of ours looks at it".to_owned(),
        next: "add a rung that turns to one of ours, such as account-manager or lead".to_owned(),
        tested_at: None,
        acknowledged_at: None,
    })
}

/// Sends a letter marked as a test to every target of the incident's policies that is one of ours, or to one target.
pub async fn test(app: &App, slug: &str, target: Option<&Target>) -> Result<Vec<Tested>, AppError> {
    let incident = app.incident(slug).await?;
    let wanted: BTreeSet<Target> = match target {
        Some(target) => BTreeSet::from([target.clone()]),
        None => {
            let all = PolicyName::ALL.iter().flat_map(|name| incident.policies.get(*name).rungs);
            all.flat_map(|rung| rung.targets).filter(is_ours).collect()
        }
    };
    if let Some(target) = wanted.iter().find(|target| !is_ours(target)) {
        return Err(AppError::refused(
            format!("{target} is no target that a test can be sent to"),
            "tests go to the vendor's own: agent, lead, counsel, incident-lead, person:…, role:…, rotation:…, address:…, webhook:…",
        ));
    }
    // No call is made inside a transaction.
    let mut called = BTreeMap::new();
    for target in &wanted {
        if let Target::Webhook(name) = target {
            called.insert(target, call(app, name.as_str()).await?);
        }
    }
    let mut tx = app.store.begin().await?;
    let mut done = Vec::new();
    for target in &wanted {
        done.push(match called.get(target) {
            Some(result) => {
                let test = new_id("tst");
                keep(app, &mut tx, &incident, &test, target, result, None).await?;
                Tested { test, target: target.to_string(), mails: 0, result: result.clone() }
            }
            None => probe(app, &mut tx, &incident, target).await?,
        });
    }
    tx.commit(app.entry("escalation.test", slug, serde_json::json!({ "tests": done }))).await?;
    Ok(done)
}

fn is_ours(target: &Target) -> bool {
    !matches!(target, Target::Contact | Target::NextContact | Target::AccountManager)
}

/// Sends the test event to a webhook, as `webhook test` does; what came of it, in words.
async fn call(app: &App, name: &str) -> Result<String, AppError> {
    if !app.settings.webhooks.contains_key(name) {
        return Ok(format!("no call: there is no webhook {name}: add [webhooks.{name}] to the configuration"));
    }
    let tried = crate::webhooks::test(app, name).await?;
    let status = tried.status.map_or_else(|| tried.reply.clone(), |status| format!("status {status}"));
    let verb = if tried.taken { "taken" } else { "not taken" };
    Ok(format!("call {} was {verb}: {status}", tried.call))
}

async fn probe(app: &App, tx: &mut store::Tx, incident: &Incident, target: &Target) -> Result<Tested, AppError> {
    let now = app.clock.now();
    let behind = targets::behind(&app.settings, target, None, now);
    let test = new_id("tst");
    let letter = super::fire::row("escalation", Language::En, letter(incident, target, &test));
    let people: BTreeMap<&str, &Person> =
        behind.people.iter().map(|person| (person.address.as_str(), person)).collect();
    let mails: Vec<NewMail> =
        people.values().map(|person| targets::mail(app, incident, &letter, &test, person)).collect();
    if !mails.is_empty() {
        store::notices::insert_letters(tx, now.micros(), std::slice::from_ref(&letter)).await?;
        let next_at = app.clock.real().micros();
        store::delivery::insert_mails(tx, incident.id, now.micros(), next_at, &mails).await?;
    }
    let result = match (mails.len(), behind.missing.join("; ")) {
        (0, why) => format!("no mail: {why}"),
        (count, why) if why.is_empty() => format!("{count} mail(s) queued"),
        (count, why) => format!("{count} mail(s) queued; {why}"),
    };
    let first = mails.first().map(|mail| mail.id.clone());
    keep(app, tx, incident, &test, target, &result, first).await?;
    Ok(Tested { test, target: target.to_string(), mails: mails.len(), result })
}

/// Keeps what became of a test.
async fn keep(
    app: &App,
    tx: &mut store::Tx,
    incident: &Incident,
    test: &str,
    target: &Target,
    result: &str,
    mail_id: Option<String>,
) -> Result<(), AppError> {
    let row = Probe {
        id: test.to_owned(),
        target: target.to_string(),
        result: result.to_owned(),
        mail_id,
        sent_by: app.actor.clone(),
        sent_at: app.clock.now().micros(),
        acknowledged_by: None,
        acknowledged_at: None,
        accepted_at: None,
    };
    Ok(store::escalation::probes::insert(tx, incident.id, &row).await?)
}

fn letter(incident: &Incident, target: &Target, test: &str) -> Letter {
    let slug = &incident.slug;
    Letter {
        subject: format!("[test] {slug}: what escalates to {target} comes to you"),
        text: format!(
            "This is a test. Nothing is due, and nobody waits.\n\n\
             In the incident {slug}, what escalates to {target} would come to this address.\n\n\
             Say that this came:\n\n    forthright escalation acknowledge {test}\n"
        ),
        html: None,
    }
}
