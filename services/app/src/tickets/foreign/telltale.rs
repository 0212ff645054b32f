//! Figures of another organisation in a text that does not name it.
//!
//! A figure tells whose it is only where it fits few: a count that many organisations have, or a small one by itself, tells
//! of nobody. Invariant: what the organisation itself was told, or may be told, is never somebody else's.

use std::collections::{BTreeMap, BTreeSet};

use model::notices::DomainFacts;
use model::report::Stated;
use store::Tx;
use store::facts::Scope;

use super::super::case::Case;
use crate::{App, AppError};

/// A single figure from here on; smaller ones are found in every incident.
const TELLING: i64 = 100;
/// Two figures of one organisation from here on.
const TELLING_TOGETHER: i64 = 10;
/// Organisations with the same figure, at most: what fits more of them tells of none.
const FEW: usize = 4;
/// Numbers that are looked up; a text with more is a table, and its first lines tell.
const LOOKED_UP: usize = 32;

/// The first figure of a text that is another organisation's and not the ticket's own.
pub(super) async fn foreign(
    app: &App,
    tx: &mut Tx,
    case: &Case,
    text: &str,
) -> Result<Option<(String, &'static str)>, AppError> {
    let mut stated = model::report::stated(text, &app.templates.data_types());
    stated.retain(|one| one.values.iter().all(|value| *value >= TELLING_TOGETHER));
    if stated.is_empty() {
        return Ok(None);
    }
    let own = own_numbers(tx, case).await?;
    stated.retain(|one| !one.values.iter().any(|value| own.contains(value)));
    let values: BTreeSet<i64> = stated.iter().flat_map(|one| one.values.iter().copied()).take(LOOKED_UP).collect();
    if values.is_empty() {
        return Ok(None);
    }
    let values: Vec<i64> = values.into_iter().collect();
    let sheets = store::foreign::sheets_saying(tx, case.incident.id, &values).await?;
    let told = first_telling(&stated, &by_owner(sheets, &case.ticket.tenant_id));
    Ok(told.map(|one| (one.said.clone(), "a figure of")))
}

/// Every number that the organisation was told, and that may be told today.
async fn own_numbers(tx: &mut Tx, case: &Case) -> Result<BTreeSet<i64>, AppError> {
    #[derive(serde::Deserialize)]
    struct Context {
        #[serde(default)]
        domains: Vec<DomainFacts>,
    }
    let (incident, tenant) = (case.incident.id, case.ticket.tenant_id.as_str());
    let mut all = vec![store::facts::facts(tx, incident, Scope::Tenants(tenant, tenant)).await?];
    for past in store::notices::past(tx, incident, tenant).await? {
        let context: Context = serde_json::from_str(&past.facts).map_err(AppError::stored("notices.facts"))?;
        all.push(context.domains);
    }
    Ok(all.iter().flat_map(|domains| figures_of(domains)).map(|(_, value)| value).collect())
}

type Figures = BTreeSet<(String, i64)>;

/// The figures of each other organisation: of each of its domains, and of all together.
fn by_owner(sheets: Vec<DomainFacts>, own: &str) -> BTreeMap<String, Figures> {
    let mut domains: BTreeMap<String, Vec<DomainFacts>> = BTreeMap::new();
    for sheet in sheets {
        let owner = sheet.tenant_id.clone().unwrap_or_else(|| format!("domain {}", sheet.domain));
        if owner != own {
            domains.entry(owner).or_default().push(sheet);
        }
    }
    domains.into_iter().map(|(owner, domains)| (owner, figures_of(&domains).collect())).collect()
}

fn figures_of(domains: &[DomainFacts]) -> impl Iterator<Item = (String, i64)> {
    let mut found = Vec::new();
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for facts in domains {
        let figures = [
            ("objects", facts.objects),
            ("organisation_rows", facts.rows),
            ("rows", facts.rows),
            ("emails", facts.emails),
            ("users", facts.users),
            ("projects", facts.projects),
            ("bytes", facts.bytes),
        ];
        let figures = figures.map(|(name, value)| (name.to_owned(), value));
        let types = facts.data_types.iter().map(|one| (format!("type:{}", one.id), one.objects));
        for (name, value) in figures.into_iter().chain(types) {
            *sums.entry(name.clone()).or_default() += value;
            found.push((name, value));
        }
    }
    found.into_iter().chain(sums)
}

/// A figure that fits few, or the second of two that fit the same organisation.
fn first_telling<'s>(stated: &'s [Stated], owners: &BTreeMap<String, Figures>) -> Option<&'s Stated> {
    let mut hits: BTreeMap<&str, BTreeSet<(&str, i64)>> = BTreeMap::new();
    for one in stated {
        let mut fitting = BTreeSet::new();
        for (owner, figures) in owners {
            let fits = |name: &str| one.values.iter().find(|value| figures.contains(&(name.to_owned(), **value)));
            for (name, value) in one.names.iter().filter_map(|name| fits(name).map(|value| (name.as_str(), *value))) {
                fitting.insert(owner.as_str());
                hits.entry(owner).or_default().insert((name, value));
            }
        }
        let alone = (1..=FEW).contains(&fitting.len()) && one.values.iter().all(|value| *value >= TELLING);
        let numbers = |owner: &&&str| hits[**owner].iter().map(|(_, value)| value).collect::<BTreeSet<_>>().len();
        let several = fitting.iter().filter(|owner| numbers(owner) > 1).count();
        if alone || (1..=FEW).contains(&several) {
            return Some(one);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use model::notices::{TypeCount, Unknown};

    use super::*;

    fn sheet(owner: &str, objects: i64, projects: i64, invoices: i64) -> DomainFacts {
        DomainFacts {
            domain: format!("{owner}.example"),
            tenant_id: Some(owner.to_owned()),
            rows: 0,
            objects,
            emails: 0,
            users: 0,
            projects,
            bytes: 0,
            first_date: None,
            last_date: None,
            data_types: vec![TypeCount { id: "invoice".to_owned(), objects: invoices }],
            unknown: Unknown { data_type: 0, date: 0, size: 0 },
            withheld: Vec::new(),
        }
    }

    fn check(text: &str, sheets: &[DomainFacts], expect: Option<&str>) {
        let labels = [("invoice".to_owned(), "invoices".to_owned())];
        let stated = model::report::stated(text, &labels);
        let owners = by_owner(sheets.to_vec(), "own");
        let found = first_telling(&stated, &owners).map(|one| one.said.as_str());
        assert_eq!(found, expect, "{text}: {stated:?}");
    }

    #[test]
    fn a_count_with_its_noun_that_one_organisation_has_tells_of_it_in_every_language() {
        let sheets = [sheet("a", 3_431, 12, 217)];
        check("In that case it was 3,431 objects.", &sheets, Some("3,431"));
        check("Es waren 3.431 Dateien.", &sheets, Some("3.431"));
        check("217 invoices were among them.", &sheets, Some("217"));
        check("3431 users", &sheets, None);
        check("Call 3431, or write.", &sheets, None);
    }

    #[test]
    fn a_small_count_tells_of_nobody_but_with_another_of_the_same_organisation() {
        let sheets = [sheet("a", 43, 12, 17), sheet("b", 55, 19, 18)];
        check("43 objects", &sheets, None);
        check("43 objects and 19 projects", &sheets, None);
        check("43 objects and 12 projects", &sheets, Some("12"));
    }

    #[test]
    fn a_count_that_many_have_tells_of_nobody() {
        let many: Vec<DomainFacts> = (0..6).map(|n| sheet(&format!("t{n}"), 343, n, n)).collect();
        check("343 objects", &many, None);
        check("343 objects", &many[..3], Some("343"));
    }

    #[test]
    fn of_an_organisation_with_several_domains_the_sum_tells_too() {
        let mut second = sheet("a", 200, 0, 0);
        second.domain = "a2.example".to_owned();
        check("350 files", &[sheet("a", 150, 0, 0), second], Some("350"));
    }
}
