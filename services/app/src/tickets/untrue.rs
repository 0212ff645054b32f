//! Refuses letters of a ticket that tell a withheld fact of the organisation, or a figure of theirs that is not so.
//!
//! Reads what an agent wrote, and what a snippet made, as `report check` reads a text. Invariant: whatever somebody says a
//! question is about, no letter tells what two people withhold; and what it says was told earlier stands beside what is true.

use std::collections::BTreeMap;

use model::notices::DomainFacts;
use model::report::{Facts, Finding, Of, Verdict, check};
use model::withholding::{FactName, TYPE_OBJECTS};
use store::facts::Scope;
use store::{StoreError, Tx};

use super::case::Case;
use super::sheets::with_nothing;
use super::specific::Stated;
use crate::{App, AppError};

/// Refuses words that the facts or the register speak against; `what` names them in the refusal.
pub(super) async fn refuse(app: &App, tx: &mut Tx, case: &Case, what: &str, text: &str) -> Result<(), AppError> {
    let (incident, tenant) = (case.incident.id, case.ticket.tenant_id.as_str());
    let domains = store::facts::facts(tx, incident, Scope::Tenants(tenant, tenant)).await?;
    let hidden = hidden_from(tx, incident, tenant).await?;
    if domains.is_empty() && hidden.is_empty() {
        return Ok(());
    }
    let sheets = known(app, &domains, &hidden);
    let mut wrong = untrue(text, &sheets, &[]);
    if !wrong.is_empty() {
        // What was told before is asked for only where something differs.
        wrong = untrue(text, &sheets, &earlier(app, tx, incident, tenant).await?);
    }
    match wrong.into_iter().next() {
        None => Ok(()),
        Some(found) if found.finding == Verdict::Withheld => Err(AppError::refused(
            format!(
                "{what}, line {}: `{}` tells {}, which is withheld from tenant {tenant}{}",
                found.line,
                found.said,
                found.fact,
                by(&hidden, &found.fact)
            ),
            format!("leave it away; `forthright notice withholdings {}` says why and until when", case.incident.slug),
        )),
        Some(found) => Err(AppError::refused(
            format!("{what}, line {}: `{}` is not so: {}", found.line, found.said, found.detail),
            format!("write what the facts say: `forthright ticket pack {}` has them", case.ticket.id),
        )),
    }
}

/// What is withheld from a tenant, with the row of the register.
async fn hidden_from(tx: &mut Tx, incident: i64, tenant: &str) -> Result<Vec<(FactName, String)>, AppError> {
    let rows = store::withholdings::in_force(tx, incident).await?.into_iter();
    let rows = rows.filter(|row| row.tenant_id.as_deref().is_none_or(|of| of == tenant));
    let named = rows.map(|row| {
        let unknown = |error| StoreError::Unknown { what: format!("withholdings.fact: {error}") };
        Ok((FactName::parse(&row.fact).map_err(unknown)?, row.id))
    });
    named.collect()
}

/// Which rows withhold a fact.
fn by(hidden: &[(FactName, String)], fact: &str) -> String {
    let fact = if fact == "organisation_rows" { "references" } else { fact };
    let withholds = |name: &FactName| {
        let plain = name.to_string();
        let plain = plain.split_once('/').map_or(plain.as_str(), |(_, name)| name);
        // The number of a type goes with the number of objects.
        let of_a_type = fact.starts_with("type:") && (plain == "types" || name.follows().contains(&TYPE_OBJECTS));
        plain == fact || name.is_notice() || name.follows().contains(&fact) || of_a_type
    };
    let rows: Vec<&str> = hidden.iter().filter(|(name, _)| withholds(name)).map(|(_, id)| id.as_str()).collect();
    if rows.is_empty() { String::new() } else { format!(" ({})", rows.join(", ")) }
}

/// The facts as they are, with the names of those that are withheld: of each domain, and of their sums.
fn known(app: &App, domains: &[DomainFacts], hidden: &[(FactName, String)]) -> Vec<Facts> {
    let mut sheets = with_nothing(&app.templates, domains);
    if sheets.is_empty() {
        sheets.push(Facts { labels: app.templates.data_types(), ..Facts::default() });
    }
    let has_size = domains.iter().all(DomainFacts::has_size);
    for (at, sheet) in sheets.iter_mut().enumerate() {
        let of = domains.get(at).map(|facts| facts.domain.as_str());
        let here = |name: &FactName| of.is_none() || name.domain().is_none_or(|domain| Some(domain) == of);
        for (name, _) in hidden.iter().filter(|(name, _)| here(name)) {
            let plain = name.to_string();
            sheet.withheld.push(plain.split_once('/').map_or(plain.as_str(), |(_, name)| name).to_owned());
            sheet.withheld.extend(name.follows().iter().map(|name| (*name).to_owned()));
            // One of the manifest's own that has no records any more has no other name.
            sheet.labels.extend(name.data_type().map(|id| (id.to_owned(), id.to_owned())));
        }
        if !has_size {
            sheet.figures.retain(|(name, _)| name != "bytes");
        }
    }
    sheets
}

/// What released notices told them.
async fn earlier(app: &App, tx: &mut Tx, incident: i64, tenant: &str) -> Result<Vec<Facts>, AppError> {
    let mut sheets = Vec::new();
    for past in store::notices::past(tx, incident, tenant).await?.iter().filter(|past| past.released_at.is_some()) {
        let stated: Stated = serde_json::from_str(&past.facts).map_err(AppError::stored("notices.facts"))?;
        sheets.extend(super::sheets(&app.templates, &stated.domains));
    }
    Ok(sheets)
}

/// Where a statement stands, and which of those that read alike it is.
type Place = (usize, String, Of, usize);

fn places(text: &str, facts: &Facts) -> BTreeMap<Place, Finding> {
    let mut places: BTreeMap<Place, Finding> = BTreeMap::new();
    for one in check(text, facts) {
        let alike = |nth| (one.line, one.said.clone(), one.of, nth);
        let nth = (0..).find(|nth| !places.contains_key(&alike(*nth))).unwrap_or_default();
        places.insert(alike(nth), one);
    }
    places
}

/// The statements that no sheet agrees with and that one withholds, or all contradict, but for what an earlier one told.
fn untrue(text: &str, sheets: &[Facts], earlier: &[Facts]) -> Vec<Finding> {
    let mut found: BTreeMap<Place, Vec<Finding>> = BTreeMap::new();
    for sheet in sheets {
        places(text, sheet).into_iter().for_each(|(place, one)| found.entry(place).or_default().push(one));
    }
    let agrees = |one: &Finding| matches!(one.finding, Verdict::Agrees | Verdict::Rounds);
    let said: Vec<String> = found.values().flatten().filter(|one| agrees(one)).map(|one| one.fact.clone()).collect();
    let before: Vec<BTreeMap<Place, Finding>> = earlier.iter().map(|sheet| places(text, sheet)).collect();
    let wrong = found.into_iter().filter_map(|(place, all)| {
        if all.iter().any(agrees) {
            return None;
        }
        if let Some(withheld) = all.iter().find(|one| one.finding == Verdict::Withheld) {
            return Some(withheld.clone());
        }
        let contradicts = all.len() == sheets.len() && all.iter().all(|one| one.finding == Verdict::Contradicts);
        let last = all.into_iter().next_back().filter(|one| contradicts && speaks_against(one, sheets))?;
        // What was told before is named beside what is true, to say that it was wrong.
        let was_told = before.iter().filter_map(|places| places.get(&place)).any(agrees);
        (!(was_told && said.contains(&last.fact))).then_some(last)
    });
    wrong.collect()
}

/// Figures, and denials of a data type that is there; whether another one is there too is no figure of theirs.
fn speaks_against(one: &Finding, sheets: &[Facts]) -> bool {
    match one.of {
        Of::Number => true,
        Of::Day => false,
        Of::Type => {
            let is_there = |(id, n): &(String, i64)| *n > 0 && one.fact.strip_prefix("type:") == Some(id);
            sheets.iter().any(|sheet| sheet.types.iter().any(is_there))
        }
    }
}
