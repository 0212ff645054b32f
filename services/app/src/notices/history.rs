//! What an organisation was told, version by version: what was said, when, what changed, why, and what it does not know yet.
//!
//! Changes nothing and compares only what is not told yet: a version's changes are those that its letter names.

use model::difference::{Change, Lately, Told, What, Why, Withholding, between};
use model::notices::{DomainFacts, NoticeContext};
use model::time::Timestamp;
use model::withholding::TYPE_OBJECTS;
use serde::Serialize;
use store::Conn;
use store::facts::Scope;
use store::notices::Past;

use super::{Known, Said};
use crate::{App, AppError};

/// One version of what an organisation was told.
#[derive(Debug, Serialize)]
pub struct Version {
    /// From 1; none: not written yet.
    pub version: Option<i64>,
    /// `ntc_…`.
    pub notice_id: String,
    /// The notice code.
    pub code: String,
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// `drafted`, `approved`, `released`, `withdrawn`, `not told yet`.
    pub state: String,
    /// Who drafted it.
    pub drafted_by: String,
    /// When.
    pub drafted_at: Option<Timestamp>,
    /// Who approved it.
    pub approved_by: String,
    /// When.
    pub approved_at: Option<Timestamp>,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// When the first contact's server took it.
    pub told_at: Option<Timestamp>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Timestamp>,
    /// Codes of the notices that it names as those before it.
    pub supplements: Vec<String>,
    /// What it says, or what it says anew.
    pub lines: Vec<HistoryLine>,
    /// Why: `further records`, `records taken back`, `mapping`, `withheld before`, `statements`, `withholding`.
    pub why: Vec<&'static str>,
}

/// One thing that was said.
#[derive(Debug, Serialize)]
pub struct HistoryLine {
    /// `said`, `new`, `wrong`, `changed`, `withheld`, `withdrawn`.
    pub what: &'static str,
    /// In words.
    pub detail: String,
}

/// The change log of one organisation.
#[derive(Debug, Serialize)]
pub struct Log {
    /// The incident.
    pub incident: String,
    /// Its title.
    pub title: String,
    /// The organisation.
    pub tenant_id: String,
    /// Its name.
    pub tenant_name: String,
    /// The oldest first.
    pub versions: Vec<Version>,
}

/// The versions of an organisation's notices, the oldest first, and last what it was not told yet. What an interrupted
/// import left to be counted is counted first.
pub async fn history(app: &App, slug: &str, tenant: &str) -> Result<Vec<Version>, AppError> {
    let incident = app.incident(slug).await?;
    crate::facts::settle(app, incident.id).await?;
    Ok(log(app, slug, tenant).await?.versions)
}

/// The same of what is counted already, with whose it is: for whoever only looks.
pub async fn log(app: &App, slug: &str, tenant: &str) -> Result<Log, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    crate::directory::known_tenant(&mut conn, tenant).await?;
    let row = store::directory::tenant(&mut conn, tenant).await?;
    let mut versions = Vec::new();
    let mut all_said: Vec<Said> = Vec::new();
    for past in store::notices::past(&mut conn, incident.id, tenant).await? {
        let context: NoticeContext = serde_json::from_str(&past.facts).map_err(AppError::stored("notices.facts"))?;
        versions.push(version(&past, &context));
        all_said.extend(Said::of(&past)?);
    }
    let today = super::told(&mut conn, incident.id, Scope::Tenants(tenant, tenant)).await?;
    let today = today.get(tenant).cloned().unwrap_or_default();
    let lines: Vec<HistoryLine> = match all_said.last() {
        Some(last) => {
            let is_there = |one: &DomainFacts| today.domains.iter().any(|now| now.domain == one.domain);
            // Why a domain is gone is asked only where one is: the changes of an incident are many.
            let known = match last.context.domains.iter().all(is_there) {
                true => Known::without_causes(&mut conn, incident.id).await?,
                false => Known::of(&mut conn, incident.id).await?,
            };
            known.changes(tenant, &all_said, &today).iter().map(changed).collect()
        }
        None => today.domains.iter().map(said).collect(),
    };
    if !lines.is_empty() {
        versions.push(Version { state: "not told yet".to_owned(), lines, ..nothing() });
    }
    if versions.is_empty() {
        return Err(AppError::missing(
            format!("tenant {tenant} was told nothing in {slug}, and nothing is known of it"),
            format!("run `forthright notice list {slug} --csv` to see who has a notice"),
        ));
    }
    let (tenant_id, tenant_name) = (tenant.to_owned(), row.map(|row| row.name).unwrap_or_default());
    Ok(Log { incident: incident.slug, title: incident.facts.title, tenant_id, tenant_name, versions })
}

/// As much of a notice's context as says what it stated.
#[derive(serde::Deserialize)]
struct Stated {
    #[serde(default)]
    domains: Vec<DomainFacts>,
    #[serde(default)]
    withheld: Vec<model::withholding::Withheld>,
}

/// What is known of an organisation and no released notice states, in words: what changed since the newest one, and
/// what two people withhold.
pub(crate) async fn untold(conn: &mut Conn, incident: i64, tenant: &str) -> Result<Vec<String>, AppError> {
    let facts = store::facts::facts(conn, incident, Scope::Tenants(tenant, tenant)).await?;
    // Compared with all that is known: what is withheld is unsaid, too.
    let all = |facts| Told { facts, hidden: &[] };
    let mut known: Option<Stated> = None;
    for past in store::notices::past(conn, incident, tenant).await?.iter().filter(|past| past.state == "released") {
        known = Some(serde_json::from_str(&past.facts).map_err(AppError::stored("notices.facts"))?);
    }
    let Some(known) = known else { return Ok(facts.iter().map(|facts| said(facts).detail).collect()) };
    let mut lines: Vec<String> =
        between(all(&known.domains), all(&facts)).iter().map(|change| changed(change).detail).collect();
    lines.extend(known.withheld.iter().map(|one| {
        let whose = one.domain.as_ref().map_or(String::new(), |domain| format!("{domain} "));
        format!("{whose}{} (withheld: {})", one.fact, one.why)
    }));
    Ok(lines)
}

fn nothing() -> Version {
    Version {
        version: None,
        notice_id: String::new(),
        code: String::new(),
        kind: String::new(),
        state: String::new(),
        drafted_by: String::new(),
        drafted_at: None,
        approved_by: String::new(),
        approved_at: None,
        released_at: None,
        told_at: None,
        withdrawn_at: None,
        supplements: Vec::new(),
        lines: Vec::new(),
        why: Vec::new(),
    }
}

fn version(past: &Past, context: &NoticeContext) -> Version {
    let at = |micros: Option<i64>| micros.map(Timestamp::from_micros);
    let mut lines: Vec<HistoryLine> = if context.supplements.is_none() {
        context.domains.iter().map(said).collect()
    } else {
        context.changes.iter().map(changed).collect()
    };
    lines.extend(context.withheld.iter().map(|one| {
        let whose = one.domain.as_ref().map_or(String::new(), |domain| format!("{domain} "));
        HistoryLine { what: "withheld", detail: format!("{whose}{}: {}", one.fact, one.why) }
    }));
    if lines.is_empty() {
        lines.push(HistoryLine { what: "changed", detail: "what the incident states, or what is withheld".to_owned() });
    }
    if past.state == "withdrawn" {
        let detail = match past.released_at {
            Some(_) => "called back before anything of it left",
            None => "before it was released",
        };
        lines.push(HistoryLine { what: "withdrawn", detail: detail.to_owned() });
    }
    Version {
        version: Some(past.version),
        notice_id: past.id.clone(),
        code: past.code.clone(),
        kind: past.kind.clone(),
        state: past.state.clone(),
        drafted_by: past.drafted_by.clone(),
        drafted_at: at(Some(past.drafted_at)),
        approved_by: past.approved_by.clone().unwrap_or_default(),
        approved_at: at(past.approved_at),
        released_at: at(past.released_at),
        told_at: at(past.accepted_at),
        withdrawn_at: at(past.withdrawn_at),
        supplements: context.earlier.iter().map(|one| one.code.clone()).collect(),
        lines,
        why: context.why.iter().copied().map(why).collect(),
    }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Records => "further records",
        Why::TakenBack => "records taken back",
        Why::Mapping => "mapping",
        Why::Disclosed => "withheld before",
        Why::Stated => "statements",
        Why::Withheld => "withholding",
    }
}

/// A domain's figures in words, without those that are withheld.
pub(crate) fn said_of(facts: &DomainFacts) -> String {
    said(facts).detail
}

/// A change in words.
pub(crate) fn changed_to(change: &Change) -> String {
    changed(change).detail
}

/// A domain's figures, without those that are withheld.
fn said(facts: &DomainFacts) -> HistoryLine {
    let figures = [
        ("objects", facts.objects),
        ("references", facts.rows),
        ("emails", facts.emails),
        ("users", facts.users),
        ("projects", facts.projects),
    ];
    let shown = |fact: &str, name: &str, value: i64| match facts.withholds(fact) {
        true => format!("{name} withheld"),
        false => format!("{name} {value}"),
    };
    let mut parts: Vec<String> = figures.into_iter().map(|(name, value)| shown(name, name, value)).collect();
    let types = facts.data_types.iter();
    parts.extend(types.map(|count| shown(TYPE_OBJECTS, &format!("type:{}", count.id), count.objects)));
    HistoryLine { what: "said", detail: format!("{}: {}", facts.domain, parts.join(", ")) }
}

fn changed(change: &Change) -> HistoryLine {
    let domain = &change.domain;
    let whose = if domain.is_empty() { String::new() } else { format!("{domain} ") };
    let then = if change.lately == Lately::Told { "" } else { ", then withheld" };
    let moved = |name: &str, before: &str, after: &str| format!("{whose}{name}: {after} (before: {before}{then})");
    let count = |value: &Option<i64>| value.map_or_else(|| "withheld".to_owned(), |value| value.to_string());
    let detail = match &change.what {
        What::New => format!("{domain}: named for the first time"),
        What::Again => format!("{domain}: named again"),
        What::Gone => format!("{domain}: is not theirs; what was said of it was wrong"),
        What::Cleared => format!("{domain}: its records were taken back; what was said of it was wrong"),
        What::Unlisted => format!("{domain}: not told by this name any more; what was said of it does not hold"),
        What::Figure { name, before, after } => moved(name, &count(before), &count(after)),
        What::Type { id, before, after } => moved(&format!("type:{id}"), &count(before), &count(after)),
        What::Period { before, after } => {
            let span = |dates: &Option<(String, String)>| match dates {
                Some((first, last)) => format!("{first}/{last}"),
                None => "withheld".to_owned(),
            };
            moved("period", &span(before), &span(after))
        }
        What::Stated { element, before, after } => {
            let words = |text: &Option<String>| text.as_deref().unwrap_or("not stated").replace('\n', " ");
            moved(element, &words(before), &words(after))
        }
        What::Withheld { fact, now } => {
            let became = match now {
                Withholding::Begun => "withheld from now on",
                Withholding::Changed => "withheld for another reason, or until another day",
                Withholding::Ended => "not withheld any more",
            };
            format!("{whose}{fact}: {became}")
        }
    };
    let what = match (&change.what, change.corrects()) {
        (What::Stated { .. } | What::Withheld { .. }, _) => "changed",
        (_, true) => "wrong",
        (_, false) => "new",
    };
    HistoryLine { what, detail }
}
