//! Who watches the engine: what its ladders, mails and calls say about it, asked of the rows and not of the engine.
//!
//! Mends nothing. Invariant: whatever should have happened by now and has not is a finding, however long ago it should
//! have; what is no finding has a next step in the future, or a person's task, or is over.

use std::collections::HashMap;
use std::time::Duration;

use model::escalation::{Key, Policy, Rung};
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;
use store::watch::{LastTick, Undone};

use crate::{App, AppError};

/// Findings of one rule that are named.
const NAMED: i64 = 100;
const NAMED_OF_DUTIES: usize = 100;
/// Ladders that are looked at in one go.
const PAGE: i64 = 5_000;
/// A sender holds a mail for an hour at most; see `sweeps`.
const LONGEST_LEASE: Duration = Duration::from_secs(3_600);
/// Ticks after which a mail that is due should have been tried.
const TICKS_FOR_MAIL: u32 = 10;
/// So long a stop, and a call that is the only word of a rung, may last without a finding.
const TOO_LONG: Duration = Duration::from_secs(3_600);
/// No call waits longer for its next try; see `model::webhooks`.
const LONGEST_PAUSE: Duration = Duration::from_secs(2 * 24 * 3_600);

/// Something that should have happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which rule it breaks.
    pub rule: &'static str,
    /// The row.
    pub id: String,
    /// The ticket, organisation or webhook that it is about.
    pub about: String,
    /// What is wrong.
    pub what: &'static str,
    /// What to do.
    pub next: &'static str,
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether nothing was.
    pub passed: bool,
    /// A hundred of each rule at most.
    pub findings: Vec<Finding>,
    /// When the engine was last through, by the real clock; none = never.
    pub last_tick: Option<Timestamp>,
    /// The host that it was on.
    pub host: String,
    /// Running ladders that have fired all they had: people know, and no clock does anything more.
    pub climbed: u64,
    /// When it was looked, by the real clock.
    pub at: Timestamp,
}

/// A rule: its name, what its finding says, what to do.
type Rule = (&'static str, &'static str, &'static str);

const WORKERS: &str = "see that a worker runs (`forthright serve` or `forthright worker`), and what it logs";
const BY_HAND: &str =
    "a row was changed by hand, or this is a fault of the program: keep a copy of the store, and report it";

const STEPLESS: Rule = ("ladder-without-step", "a running ladder has rungs that will never fire", BY_HAND);
const UNREADABLE: Rule =
    ("ladder-unreadable", "a running ladder cannot be read, and nobody has a task for it", BY_HAND);
const DUTY: Rule =
    ("duty-overdue", "a duty that applies or a promised update is due, and a rung has not fired", WORKERS);
const TICK: Rule = ("tick-late", "the engine has not been through lately", WORKERS);

const NO_ROUTE: &str = "see that a worker runs with a route for mail (`--smtp` or FORTHRIGHT_SMTP_URL; `file:` sends nothing to \
                        anybody), and what it logs";
const STOP_RULE: Rule = (
    "stopped-since",
    "everything is stopped and mails wait",
    "`forthright go` lets them leave; nobody is told by mail until then",
);
const UNTAKEN: Rule = (
    "call-untaken",
    "a rung turned to nobody but a webhook, which has not taken the call for an hour",
    "tell people another way, mend the webhook, and run `forthright webhook test NAME`",
);

/// Rules whose time is the store's: what should have happened before the grace began.
const BY_CLOCK: [(Undone, Rule); 11] = [
    (Undone::Overdue, ("ladder-overdue", "a rung is due and has not fired", WORKERS)),
    (Undone::Debt, ("debt-without-ladder", "a question waits and no ladder runs for it", WORKERS)),
    (
        Undone::DebtAnew,
        (
            "debt-ladder-of-another",
            "a question waits, and the ladder that runs is that of one which is settled",
            WORKERS,
        ),
    ),
    (Undone::Promise, ("promise-without-ladder", "a promise is broken and nobody was turned to", WORKERS)),
    (
        Undone::Review,
        ("review-without-ladder", "a declined question was to be looked at and nobody was turned to", WORKERS),
    ),
    (Undone::Objection, ("objection-without-ladder", "somebody objects and nobody was turned to", WORKERS)),
    (Undone::Silence, ("silence-without-ladder", "an organisation is silent and no ladder runs for it", WORKERS)),
    (
        Undone::Withholding,
        ("withholding-overdue", "a withholding was to be looked at and nobody was turned to", WORKERS),
    ),
    (Undone::DutyLook, ("duty-look-late", "the clocks of an incident were to be looked at and were not", WORKERS)),
    (Undone::Unmailed, ("notice-without-mail", "a notice was released and is in no mail", WORKERS)),
    (Undone::MailUnfiled, ("mail-unfiled", "a mail came in and was not read", WORKERS)),
];

/// Looks. Writes nothing, and is the same on every host.
pub async fn check(app: &App) -> Result<Report, AppError> {
    let settings = &app.settings.watch;
    let (now, real) = (app.clock.now(), app.clock.real());
    let grace = settings.grace();
    // What is past at the latest mail that is tried again, with the time that a look may be late.
    let latest = real.plus(app.settings.sending.retry().longest.max(LONGEST_LEASE)).plus(LONGEST_LEASE);
    let dot = Duration::from_secs(app.settings.sending.dot_timeout_seconds.saturating_mul(2));
    let by_real: [(Undone, Timestamp, Rule); 6] = [
        (
            Undone::MailOverdue,
            real.minus(settings.tick() * TICKS_FOR_MAIL),
            ("mail-overdue", "a mail is due and nobody tries to send it", NO_ROUTE),
        ),
        (Undone::MailTooLate, latest, ("mail-without-future", "a mail is due in no sensible time", WORKERS)),
        (
            Undone::MailHeld,
            real.minus(LONGEST_LEASE.max(dot)).minus(grace),
            ("mail-held", "a sender holds a mail for too long", WORKERS),
        ),
        (
            Undone::CallHeld,
            real.minus(grace),
            ("call-held", "whoever called a webhook is gone, and nobody calls again", WORKERS),
        ),
        (Undone::CallOverdue, real.minus(grace), ("call-overdue", "a webhook is to be called and is not", WORKERS)),
        (
            Undone::CallTooLate,
            real.plus(LONGEST_PAUSE),
            ("call-without-future", "a call is due in no sensible time", BY_HAND),
        ),
    ];
    let mut conn = app.store.read().await?;
    let mut findings = Vec::new();
    let tick = store::watch::last_tick(&mut conn).await?;
    if is_late(tick.as_ref(), real, settings.tick()) {
        findings.push(finding(TICK, "engine", tick.as_ref().map_or("never", |tick| &tick.host)));
    }
    let clocked = BY_CLOCK.iter().map(|(what, rule)| (*what, now.minus(grace), *rule));
    let long = [(Undone::Stopped, now.minus(TOO_LONG), STOP_RULE), (Undone::CallUntaken, now.minus(TOO_LONG), UNTAKEN)];
    for (what, at, rule) in clocked.chain(by_real).chain(long) {
        for found in store::watch::undone(&mut conn, what, at.micros(), NAMED).await? {
            if what != Undone::Unmailed || could_be_mailed(app, &mut conn, &found.about).await? {
                findings.push(finding(rule, &found.id, &about(what, found.about)));
            }
        }
    }
    let duties = crate::duties::unfired(app, &mut conn, now, now.minus(grace)).await?.into_iter();
    findings.extend(duties.take(NAMED_OF_DUTIES).map(|(ladder, slug)| finding(DUTY, &ladder, &slug)));
    let climbed = stepless(&mut conn, &mut findings).await?;
    Ok(Report {
        passed: findings.is_empty(),
        findings,
        last_tick: tick.as_ref().map(|tick| Timestamp::from_micros(tick.ended_at)),
        host: tick.map(|tick| tick.host).unwrap_or_default(),
        climbed,
        at: real,
    })
}

/// Notes that this host found nothing left for the engine to do.
pub async fn ticked(app: &App, host: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    store::watch::ticked(&mut tx, app.clock.real().micros(), host).await?;
    Ok(tx.commit_ledger().await?)
}

/// What a finding is about; a stop is about its time.
fn about(what: Undone, about: String) -> String {
    match (what, about.parse::<i64>()) {
        (Undone::Stopped, Ok(since)) => format!("since {}", Timestamp::from_micros(since)),
        _ => about,
    }
}

/// A tick from the future says that a clock was wrong, and nothing about today.
fn is_late(tick: Option<&LastTick>, real: Timestamp, limit: Duration) -> bool {
    let within = |tick: &LastTick| {
        let at = Timestamp::from_micros(tick.ended_at);
        at >= real.minus(limit) && at <= real.plus(limit)
    };
    !tick.is_some_and(within)
}

/// A notice that is not true any more or disputed is for nobody; drafting says so.
async fn could_be_mailed(app: &App, conn: &mut Conn, ticket: &str) -> Result<bool, AppError> {
    let Some(ticket) = store::tickets::by_id(conn, ticket).await? else { return Ok(true) };
    let incident = app.incident_by_id(conn, ticket.incident_id).await?;
    Ok(crate::escalation::untried(app, conn, &incident, &ticket).await?.is_some())
}

/// Of running ladders without a next step, those that have not fired all they have; how many have. One that could not be
/// climbed has a task while that is open.
async fn stepless(conn: &mut Conn, findings: &mut Vec<Finding>) -> Result<u64, AppError> {
    let (mut climbed, mut after) = (0, String::new());
    // Ladders of one policy have one snapshot.
    let mut rungs: HashMap<String, Option<i64>> = HashMap::new();
    loop {
        let page = store::watch::stepless(conn, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(climbed) };
        after.clone_from(&last.id);
        for ladder in page {
            let expected = *rungs.entry(ladder.snapshot).or_insert_with_key(|text| firings_of(text));
            let carried: Vec<Key> = serde_json::from_str(&ladder.carried).unwrap_or_default();
            let fired = ladder.fired.saturating_add(i64::try_from(carried.len()).unwrap_or_default());
            if expected.is_some_and(|expected| fired >= expected) {
                climbed += 1;
                continue;
            }
            if store::escalation::has_open_task(conn, &format!("{}/parked", ladder.id)).await? {
                continue;
            }
            let rule = if expected.is_some() { STEPLESS } else { UNREADABLE };
            findings.push(finding(rule, &ladder.id, &ladder.ticket_id));
        }
    }
}

/// How often a policy fires in all; `None`: it cannot be read.
fn firings_of(snapshot: &str) -> Option<i64> {
    let policy: Policy = serde_json::from_str(snapshot).ok()?;
    let firings = |rung: &Rung| (u64::from(rung.repeats) + 1).saturating_mul(rung.targets.len() as u64);
    i64::try_from(policy.rungs.iter().map(firings).sum::<u64>()).ok()
}

fn finding((rule, what, next): Rule, id: &str, about: &str) -> Finding {
    Finding { rule, id: id.to_owned(), about: about.to_owned(), what, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_is_late_when_it_is_old_missing_or_from_the_future() {
        let real = Timestamp::from_micros(1_000_000_000);
        let check = |ended_at: Option<i64>| {
            let tick = ended_at.map(|ended_at| LastTick { ended_at, host: String::new() });
            is_late(tick.as_ref(), real, Duration::from_secs(100))
        };
        assert!(check(None));
        assert!(check(Some(899_000_000)));
        assert!(!check(Some(900_000_000)));
        assert!(!check(Some(1_000_000_000)));
        assert!(check(Some(1_101_000_000)));
    }
}
