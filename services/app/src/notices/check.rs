//! Whether the notices of an incident fulfil the obligations to tell organisations.
//!
//! Changes nothing and decides nothing: it says what is missing and asks what only a person knows. Invariant: every
//! organisation with a notice is in exactly one group of each obligation that was checked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mail::templates::Templates;
use model::language::Language;
use model::law::{ClockEvent, DISCLAIMER, Facts, Filled, Finding, Kind, Law, Obligation, Told};
use model::notices::NoticeContext;
use model::time::Timestamp;
use model::withholding::Withheld;
use serde::Serialize;
use store::Conn;
use store::notices::{Notice, Written};

use super::unspecific::{Unspecific, unspecific};
use crate::{App, AppError, Incident};

/// What is asked.
#[derive(Debug)]
pub struct Question<'a> {
    /// Of one organisation; none: of all.
    pub tenant: Option<&'a str>,
    /// Of these obligations; none: those to organisations that were in force when the incident was discovered.
    pub obligations: &'a [String],
    /// Of which texts.
    pub texts: Texts<'a>,
}

/// Which texts are looked at.
#[derive(Debug, Clone, Copy)]
pub enum Texts<'a> {
    /// Those that were drafted: what is sent.
    Drafted,
    /// The template of this name as it is now, filled with what the notice was drafted from.
    Template(&'a str),
}

/// The answer.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// What this is not.
    pub disclaimer: &'static str,
    /// The incident.
    pub incident: String,
    /// When it was asked.
    pub checked_at: Timestamp,
    /// The day of the table.
    pub table_as_of: String,
    /// Organisations with a notice.
    pub organisations: usize,
    /// Affected organisations without one.
    pub organisations_without_notice: usize,
    /// Organisations whose notice should not go out like this.
    pub refused: usize,
    /// What keeps drafts from being approved: facts that they do not state, figures that are no facts.
    pub specificity: Vec<Unspecific>,
    /// Links to hosts that are not the sender's, with their place, in words that every notice is written from.
    pub links: Vec<String>,
    /// Obligations that were not asked for and were not law when the incident was discovered.
    pub not_in_force: Vec<NotInForce>,
    /// One for each obligation, in the order of the table.
    pub obligations: Vec<CheckedObligation>,
}

/// An obligation that was left out.
#[derive(Debug, Serialize)]
pub struct NotInForce {
    /// Which.
    pub obligation: String,
    /// Since when it is law.
    pub effective: String,
}

/// What is to be said of one obligation.
#[derive(Debug, Serialize)]
pub struct CheckedObligation {
    /// The row of the table.
    pub obligation: &'static Obligation,
    /// Organisations whose notice does not fulfil it.
    pub refused: usize,
    /// Organisations of which the same is to be said.
    pub groups: Vec<Group>,
}

/// Organisations of which the same is to be said.
#[derive(Debug, Serialize)]
pub struct Group {
    /// What.
    pub findings: Vec<Finding>,
    /// Of whom, sorted.
    pub tenants: Vec<String>,
}

impl Group {
    /// Whether these notices should not go out like this.
    pub fn refuses(&self) -> bool {
        self.findings.iter().any(|finding| finding.kind.refuses())
    }
}

/// Notices that say the same, and withhold the same for the same reasons, told at the same time: they are judged once.
type Alike = (Option<Filled>, Vec<Withheld>, Option<i64>);

/// Checks the newest notice of each organisation, unless it was withdrawn.
pub async fn check(app: &App, slug: &str, question: &Question<'_>) -> Result<Checked, AppError> {
    let law = Law::builtin()?;
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let rows = chosen(law, question.obligations, incident.facts.discovered_at)?;
    let mut facts = clock_facts(&mut conn, &incident, app.clock.now()).await?;
    let (notices, told) = newest(&mut conn, &incident, question.tenant).await?;
    let languages = languages(&mut conn, &incident).await?;
    let alike = alike(app, &mut conn, &incident, &notices, &told, &languages, question.texts).await?;
    let specificity = unspecific(app, &mut conn, &incident, &notices, &languages, question.texts).await?;

    let mut judged: Vec<BTreeMap<Vec<Finding>, Vec<String>>> = vec![BTreeMap::new(); rows.len()];
    let mut refused: BTreeSet<String> = specificity.iter().flat_map(|one| one.tenants.iter().cloned()).collect();
    for ((filled, withheld, told), tenants) in alike {
        facts.withheld = withheld;
        facts.told = told.map_or(Told::NotYet(app.clock.now()), |at| Told::At(Timestamp::from_micros(at)));
        let mut refuses = false;
        for (row, groups) in rows.iter().zip(&mut judged) {
            let findings = match &filled {
                Some(filled) => law.check(row, filled, &facts),
                None => vec![unknown()],
            };
            refuses |= findings.iter().any(|finding| finding.kind.refuses());
            groups.entry(findings).or_default().extend(tenants.iter().cloned());
        }
        if refuses {
            refused.extend(tenants);
        }
    }
    Ok(Checked {
        links: super::links_outside(app, &mut conn, &incident).await?,
        disclaimer: DISCLAIMER,
        incident: incident.slug.clone(),
        checked_at: app.clock.now(),
        table_as_of: law.vocabulary().as_of.to_string(),
        organisations: notices.len(),
        organisations_without_notice: without_notice(&mut conn, &incident, question.tenant, &notices).await?,
        refused: refused.len(),
        specificity,
        not_in_force: left_out(law, question.obligations, incident.facts.discovered_at),
        obligations: rows.into_iter().zip(judged).map(|(row, groups)| checked(row, groups)).collect(),
    })
}

fn checked(obligation: &'static Obligation, groups: BTreeMap<Vec<Finding>, Vec<String>>) -> CheckedObligation {
    let groups = groups.into_iter().map(|(findings, mut tenants)| {
        tenants.sort();
        Group { findings, tenants }
    });
    let groups: Vec<Group> = groups.collect();
    let refused = groups.iter().filter(|group| group.refuses()).map(|group| group.tenants.len()).sum();
    CheckedObligation { obligation, refused, groups }
}

fn unknown() -> Finding {
    Finding::whole(
        Kind::Unknown,
        "this notice was drafted by a program that did not note what its texts say; draft it again, or look at the template",
    )
}

/// Those of these ids, or those that can be asked of every notice.
fn chosen(law: &'static Law, ids: &[String], discovered_at: Timestamp) -> Result<Vec<&'static Obligation>, AppError> {
    if let Some(id) = ids.iter().find(|id| law.obligation(id).is_none()) {
        return Err(AppError::bad(format!("no obligation is called `{id}`"), "run `forthright notice obligations`"));
    }
    let asked = |row: &&Obligation| {
        if ids.is_empty() { row.is_to_organisations() && row.in_force(discovered_at) } else { ids.contains(&row.id) }
    };
    Ok(law.obligations().iter().filter(asked).collect())
}

fn left_out(law: &Law, ids: &[String], discovered_at: Timestamp) -> Vec<NotInForce> {
    if !ids.is_empty() {
        return Vec::new();
    }
    let later = law.obligations().iter().filter(|row| row.is_to_organisations() && !row.in_force(discovered_at));
    later.map(|row| NotInForce { obligation: row.id.clone(), effective: row.effective() }).collect()
}

/// Events by the names of the vocabulary; of one name the last record counts.
pub(crate) async fn clock_facts(conn: &mut Conn, incident: &Incident, now: Timestamp) -> Result<Facts, AppError> {
    let mut recorded = store::incidents::events(conn, incident.id).await?;
    // Of each the last one counts, whatever the clock said when it was recorded.
    recorded.sort_by_key(|event| event.nth);
    let named = recorded
        .into_iter()
        .filter_map(|event| Some((ClockEvent::from_word(&event.name)?, Timestamp::from_micros(event.at))));
    Ok(Facts {
        discovered_at: incident.facts.discovered_at,
        events: named.collect(),
        told: Told::NotYet(now),
        withheld: Vec::new(),
    })
}

/// The newest notice of each organisation that is not withdrawn, and when each organisation was told first.
async fn newest(
    conn: &mut Conn,
    incident: &Incident,
    tenant: Option<&str>,
) -> Result<(Vec<Notice>, HashMap<String, i64>), AppError> {
    let mut newest: BTreeMap<String, Notice> = BTreeMap::new();
    let mut told: HashMap<String, i64> = HashMap::new();
    for notice in store::notices::list(conn, incident.id).await? {
        if tenant.is_some_and(|tenant| tenant != notice.tenant_id) {
            continue;
        }
        if let Some(at) = notice.released_at {
            told.entry(notice.tenant_id.clone()).and_modify(|first| *first = at.min(*first)).or_insert(at);
        }
        // By tenant and version, so the last one of a tenant is its newest.
        newest.insert(notice.tenant_id.clone(), notice);
    }
    let notices: Vec<Notice> = newest
        .into_values()
        // A notice that takes everything back states nothing that could lack an element.
        .filter(|notice| notice.state != "withdrawn" && !notice.takes_everything_back())
        .collect();
    if notices.is_empty() {
        let whose = tenant.map_or(String::new(), |tenant| format!(" for tenant {tenant}"));
        return Err(AppError::missing(
            format!("there is no notice{whose} in {} to be checked", incident.slug),
            format!("run `forthright notice draft {}` first", incident.slug),
        ));
    }
    Ok((notices, told))
}

/// The languages of each notice.
async fn languages(conn: &mut Conn, incident: &Incident) -> Result<HashMap<String, Vec<Language>>, AppError> {
    let mut languages: HashMap<String, Vec<Language>> = HashMap::new();
    for (notice, tag) in store::notices::languages(conn, incident.id).await? {
        languages.entry(notice).or_default().extend(Language::from_tag(&tag));
    }
    Ok(languages)
}

async fn alike(
    app: &App,
    conn: &mut Conn,
    incident: &Incident,
    notices: &[Notice],
    told: &HashMap<String, i64>,
    languages: &HashMap<String, Vec<Language>>,
    texts: Texts<'_>,
) -> Result<BTreeMap<Alike, Vec<String>>, AppError> {
    let templates = crate::templates::of_incident(app, conn, incident.id).await?;
    let mut alike: BTreeMap<Alike, Vec<String>> = BTreeMap::new();
    for range in notices.chunks(super::A_RANGE as usize) {
        let ids: Vec<String> = range.iter().map(|notice| notice.id.clone()).collect();
        let written = store::notices::written(conn, &ids).await?;
        let written: HashMap<&str, &Written> = written.iter().map(|row| (row.id.as_str(), row)).collect();
        for notice in range {
            let filled = match (written.get(notice.id.as_str()), texts) {
                (None, _) => None,
                (Some(row), Texts::Drafted) => noted(row)?,
                (Some(row), Texts::Template(name)) => {
                    let spoken = languages.get(&notice.id).map(Vec::as_slice).unwrap_or_default();
                    Some(filled_anew(&templates, row, spoken, name)?)
                }
            };
            let withheld = match (&filled, written.get(notice.id.as_str())) {
                (Some(filled), Some(row)) if filled.withholds() => context_of(row)?.withheld,
                (Some(_) | None, _) => Vec::new(),
            };
            let first = told.get(&notice.tenant_id).copied();
            alike.entry((filled, withheld, first)).or_default().push(notice.tenant_id.clone());
        }
    }
    Ok(alike)
}

fn noted(row: &Written) -> Result<Option<Filled>, AppError> {
    row.elements.as_deref().map(serde_json::from_str).transpose().map_err(AppError::stored("notices.elements"))
}

fn context_of(row: &Written) -> Result<NoticeContext, AppError> {
    serde_json::from_str(&row.facts).map_err(AppError::stored("notices.facts"))
}

fn filled_anew(
    templates: &Templates,
    row: &Written,
    languages: &[Language],
    template: &str,
) -> Result<Filled, AppError> {
    let context = context_of(row)?;
    let mut letters = BTreeMap::new();
    for language in languages {
        let Some(rendered) = templates.render_notice_by(template, *language, &context)? else {
            return Err(AppError::bad(
                format!("no template of a notice is called `{template}`"),
                format!("choose one of: {}", mail::templates::NOTICES.join(", ")),
            ));
        };
        letters.insert(*language, rendered.elements);
    }
    Ok(Filled::new(letters))
}

async fn without_notice(
    conn: &mut Conn,
    incident: &Incident,
    tenant: Option<&str>,
    notices: &[Notice],
) -> Result<usize, AppError> {
    let affected = store::facts::affected_tenants(conn, incident.id).await?;
    let asked = affected.iter().filter(|(id, _)| tenant.is_none_or(|tenant| tenant == id));
    let known = |id: &str| notices.binary_search_by(|notice| notice.tenant_id.as_str().cmp(id)).is_ok();
    Ok(asked.filter(|(id, _)| !known(id)).count())
}
