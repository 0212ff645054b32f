//! Facts of an organisation in the form that texts are read against.
//!
//! Reads no text. Invariant: each domain has a sheet of its own, and where there are several the last one has their sums.

use std::collections::BTreeMap;

use mail::templates::Templates;
use model::notices::DomainFacts;
use model::report::{Facts, PERIOD};
use model::withholding::TYPE_OBJECTS;

/// The facts of each domain, and where there are several their sums. Nothing of a kind is no fact that an answer could be
/// about.
pub(crate) fn sheets(templates: &Templates, domains: &[DomainFacts]) -> Vec<Facts> {
    let mut sheets = with_nothing(templates, domains);
    sheets.iter_mut().for_each(|sheet| sheet.figures.retain(|(_, n)| *n > 0));
    sheets
}

/// The same, with the figures of which there is nothing.
pub(super) fn with_nothing(templates: &Templates, domains: &[DomainFacts]) -> Vec<Facts> {
    let mut sheets: Vec<Facts> = domains.iter().map(|one| sheet(templates, std::slice::from_ref(one))).collect();
    if domains.len() > 1 {
        sheets.push(sheet(templates, domains));
    }
    sheets
}

fn sheet(templates: &Templates, domains: &[DomainFacts]) -> Facts {
    let sum = |of: fn(&DomainFacts) -> i64| domains.iter().map(of).sum::<i64>();
    let figures = [
        ("objects", sum(|facts| facts.objects)),
        ("organisation_rows", sum(|facts| facts.rows)),
        ("emails", sum(|facts| facts.emails)),
        ("users", sum(|facts| facts.users)),
        ("projects", sum(|facts| facts.projects)),
        ("bytes", sum(|facts| facts.bytes)),
    ];
    let mut types = BTreeMap::<String, i64>::new();
    for (facts, count) in domains.iter().flat_map(|facts| facts.data_types.iter().map(move |count| (facts, count))) {
        // Of a type whose number is withheld it is told that it is there.
        let objects = if facts.withholds(TYPE_OBJECTS) { 1 } else { count.objects };
        *types.entry(count.id.clone()).or_default() += objects;
    }
    let day = |name: &str, day: Option<&String>| day.map(|day| (name.to_owned(), day.clone()));
    let first = domains.iter().filter_map(|facts| facts.first_date.as_ref()).min();
    let last = domains.iter().filter_map(|facts| facts.last_date.as_ref()).max();
    let own = types.keys().map(|id| (id.clone(), id.clone()));
    Facts {
        figures: figures.into_iter().map(|(name, n)| (name.to_owned(), n)).collect(),
        discovered: String::new(),
        dates: [day(PERIOD[0], first), day(PERIOD[1], last)].into_iter().flatten().collect(),
        labels: templates.data_types().into_iter().chain(own).collect(),
        types: types.into_iter().collect(),
        withheld: Vec::new(),
    }
}
