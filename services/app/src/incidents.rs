//! Incidents: opening them, and their clock events.

use model::notices::IncidentFacts;
use model::time::Timestamp;
use serde::Deserialize;

use crate::{App, AppError};

/// The file that opens an incident.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentFile {
    /// Its name: letters, digits and hyphens.
    pub slug: String,
    /// Title in the vendor's words.
    pub title: String,
    /// Who sends the notices.
    pub vendor: String,
    /// When the exposure was discovered, RFC 3339 or a date.
    pub discovered_at: String,
    /// What happened; the notice says openly where this is not stated.
    #[serde(default)]
    pub summary: String,
    /// What was done.
    #[serde(default)]
    pub measures: String,
    /// Postal address, telephone or page of the vendor.
    #[serde(default)]
    pub contact: String,
    /// Further statements, by the content element they fulfil: `date_of_breach`, `likely_consequences`, …
    #[serde(default)]
    pub statements: std::collections::BTreeMap<String, String>,
    /// How exposed persons are held: `hashed` (the default), or `plain` beside the hashes.
    #[serde(default)]
    pub identities: Identities,
    /// Where the paths of a listing or inventory name the domain: `exports/{domain}/**`.
    #[serde(default)]
    pub path_rule: String,
    /// Escalation policies of this incident, in place of those of the same name.
    #[serde(default)]
    pub policies: std::collections::BTreeMap<String, model::escalation::Policy>,
}

/// How addresses and user ids of exposed persons are held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identities {
    /// As keyed hashes: enough to count each person once, and nothing to leak.
    #[default]
    Hashed,
    /// As keyed hashes and as they stand in the manifest.
    Plain,
}

impl Identities {
    /// Its name in files and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hashed => "hashed",
            Self::Plain => "plain",
        }
    }
}

/// Opens an incident.
pub async fn open(app: &App, file: IncidentFile) -> Result<String, AppError> {
    check_slug(&file.slug)?;
    for (name, text) in [("title", &file.title), ("vendor", &file.vendor)] {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(AppError::bad(
                format!("the incident's {name} is empty or holds line breaks"),
                format!("write {name} = \"…\" on one line"),
            ));
        }
    }
    let bad_time =
        |error: model::time::NotATime| AppError::bad(format!("discovered_at: {error}"), "correct the incident file");
    let discovered_at: Timestamp = file.discovered_at.parse().map_err(bad_time)?;
    if !file.path_rule.trim().is_empty() {
        model::path_rule::PathRule::parse(file.path_rule.trim()).map_err(|error| {
            AppError::bad(
                format!("path_rule: {error}"),
                "correct it in the incident file; example: exports/{domain}/**",
            )
        })?;
    }
    let bad_policy = |error: model::escalation::BadPolicy| {
        AppError::bad(error.to_string(), "correct [policies] and open the incident again")
    };
    let policies = model::escalation::Policies::default()
        .replaced_by(app.settings.policies.clone(), app.business())
        .and_then(|policies| policies.replaced_by(file.policies, app.business()))
        .map_err(bad_policy)?;
    let mut facts = IncidentFacts {
        slug: file.slug.clone(),
        title: file.title.trim().to_owned(),
        vendor: file.vendor.trim().to_owned(),
        discovered_at,
        summary: file.summary.trim().to_owned(),
        measures: file.measures.trim().to_owned(),
        contact: file.contact.trim().to_owned(),
        statements: std::collections::BTreeMap::new(),
    };
    for (element, text) in &file.statements {
        if ["what_happened", "measures_taken", "sender_contact"].contains(&element.as_str()) {
            return Err(AppError::bad(
                format!("statements.{element} is a key of its own in an incident file"),
                "write it as summary, measures or contact",
            ));
        }
        facts.state(element, text).map_err(|error| {
            AppError::bad(format!("[statements]: {error}"), "correct the incident file and open it again")
        })?;
    }
    let json = |value: Result<String, serde_json::Error>| value.map_err(AppError::stored("incident"));
    let row = store::incidents::Incident {
        id: 0,
        slug: file.slug.clone(),
        title: facts.title.clone(),
        vendor: facts.vendor.clone(),
        discovered_at: discovered_at.micros(),
        facts: json(serde_json::to_string(&facts))?,
        wrapped_key: app.master.new_incident_key()?,
        policies: json(serde_json::to_string(&policies))?,
        opened_by: app.actor.clone(),
        opened_at: app.clock.now().micros(),
        identities: file.identities.as_str().to_owned(),
        path_rule: file.path_rule.trim().to_owned(),
        identity_key: Some(app.master.new_incident_key()?),
        erased_at: None,
    };
    let mut tx = app.store.begin().await?;
    let Some(id) = store::incidents::insert(&mut tx, &row).await? else {
        return Err(AppError::refused(
            format!("there is an incident `{}` already", file.slug),
            format!("run `forthright incident show {}`, or choose another slug", file.slug),
        ));
    };
    store::duties::look_at(&mut tx, id, crate::duties::at_once(app)).await?;
    let detail =
        serde_json::json!({ "title": facts.title, "vendor": facts.vendor, "discovered_at": facts.discovered_at });
    tx.commit(app.entry("incident.open", &file.slug, detail)).await?;
    Ok(file.slug)
}

fn check_slug(slug: &str) -> Result<(), AppError> {
    let fits = !slug.is_empty()
        && slug.len() <= 64
        && slug.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if fits { Ok(()) } else { Err(AppError::bad(format!("`{slug}` is no slug"), "use up to 64 of a-z, 0-9 and -")) }
}

/// All incidents.
pub async fn list(app: &App) -> Result<Vec<store::incidents::Incident>, AppError> {
    Ok(store::incidents::list(&mut app.store.read().await?).await?)
}

/// The clock events of an incident.
pub async fn events(app: &App, slug: &str) -> Result<Vec<store::incidents::Event>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::incidents::events(&mut app.store.read().await?, incident.id).await?)
}

/// By so much the clock of whoever records an event may be ahead.
const CLOCK_SKEW: std::time::Duration = std::time::Duration::from_secs(5 * 60);

/// Whether an event is new, or put right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// It was not recorded before.
    First,
    /// What was recorded of it counts no more, and is kept.
    Correction,
}

/// Records a clock event, once. A correction is a further record of the same name, which counts from then on.
pub async fn event(
    app: &App,
    slug: &str,
    name: &str,
    at: Timestamp,
    why: &str,
    record: Record,
) -> Result<(), AppError> {
    if at > app.clock.now().plus(CLOCK_SKEW) {
        return Err(AppError::bad(
            format!("`{name}` cannot have happened at {at}: that is in the future"),
            "say when it was: --at TIME; record it once it has happened",
        ));
    }
    let incident = app.incident(slug).await?;
    let mut tx = app.store.begin().await?;
    let events = store::incidents::events(&mut tx, incident.id).await?;
    let before = events.iter().filter(|event| event.name == name).max_by_key(|event| event.nth);
    match (before, record) {
        (Some(before), Record::First) => {
            let then = Timestamp::from_micros(before.at);
            return Err(AppError::refused(
                format!("`{name}` of {slug} is recorded already, at {then} by {}", before.actor),
                "put it right with --correct: the record that is there is kept as history",
            ));
        }
        (None, Record::Correction) => {
            return Err(AppError::refused(
                format!("`{name}` of {slug} is not recorded, so there is nothing to correct"),
                "record it without --correct",
            ));
        }
        (Some(_), Record::Correction) | (None, Record::First) => {}
    }
    let event = store::incidents::Event {
        name: name.to_owned(),
        at: at.micros(),
        why: why.to_owned(),
        actor: app.actor.clone(),
        recorded_at: app.clock.now().micros(),
        nth: before.map_or(1, |before| before.nth + 1),
    };
    store::incidents::insert_event(&mut tx, incident.id, &event).await?;
    store::duties::look_at(&mut tx, incident.id, crate::duties::at_once(app)).await?;
    let corrected = before.map(|before| Timestamp::from_micros(before.at));
    let detail = serde_json::json!({ "event": name, "at": at, "why": why, "corrects": corrected });
    tx.commit(app.entry("incident.event", slug, detail)).await?;
    Ok(())
}

/// States a content element anew; an empty text takes the statement back. Notices say it once they are drafted again.
pub async fn state(app: &App, slug: &str, element: &str, text: &str) -> Result<(), AppError> {
    let found = app.incident(slug).await?;
    let mut tx = app.store.begin().await?;
    let incident = app.incident_by_id(&mut tx, found.id).await?;
    let mut facts = incident.facts.clone();
    facts
        .state(element, text)
        .map_err(|error| AppError::bad(error.to_string(), "see docs/notices.md for what a notice has a place for"))?;
    let stored = serde_json::to_string(&facts).map_err(AppError::stored("incidents.facts"))?;
    store::incidents::set_facts(&mut tx, incident.id, &incident.row.facts, &stored).await?;
    let detail = serde_json::json!({
        "element": element, "before": incident.facts.stated(element), "after": facts.stated(element),
    });
    tx.commit(app.entry("incident.state", slug, detail)).await?;
    Ok(())
}

/// Stops all sending, everywhere, or lets it go on.
pub async fn set_stopped(app: &App, stop: Stop) -> Result<(), AppError> {
    let since = match stop {
        Stop::Now => Some(app.clock.now()),
        Stop::NoLonger => None,
    };
    let mut tx = app.store.begin().await?;
    store::incidents::set_stopped(&mut tx, since).await?;
    let verb = if since.is_some() { "stop" } else { "go" };
    tx.commit(app.entry(verb, "store", serde_json::json!({}))).await?;
    Ok(())
}

/// What the stop button does.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// No new mail anywhere.
    Now,
    /// Mail goes on.
    NoLonger,
}

/// Since when everything is stopped.
pub async fn stopped_since(app: &App) -> Result<Option<Timestamp>, AppError> {
    let installation = store::incidents::installation(&mut app.store.read().await?).await?;
    Ok(installation.and_then(|row| row.stopped_at).map(Timestamp::from_micros))
}
