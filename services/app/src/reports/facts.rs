//! Everything that may be stated of an incident as a whole, and what is withheld from everybody.
//!
//! Reads one moment of the store. Invariant: what is withheld from one organisation, or of one domain, is told as part of
//! a sum; what is withheld from all is not.

use std::collections::BTreeMap;

use model::report::{Facts, PERIOD};
use model::time::Timestamp;
use model::withholding::{FactName, Withheld};
use store::facts::Scope;

use crate::{App, AppError, Incident};

/// What is known of an incident.
pub(super) struct Known {
    pub(super) incident: Incident,
    pub(super) facts: Facts,
    /// What is withheld from everybody, with its reason.
    pub(super) withheld: Vec<Withheld>,
}

pub(super) async fn known(app: &App, slug: &str) -> Result<Known, AppError> {
    let totals = crate::intake::totals(app, slug).await?;
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let types: Vec<(String, i64)> =
        totals.data_type_objects.iter().map(|(id, objects)| (id.clone(), *objects)).collect();
    let totals = serde_json::to_value(&totals).map_err(AppError::stored("totals"))?;
    let figures = totals.as_object().into_iter().flatten();
    let mut figures: Vec<(String, i64)> =
        figures.filter_map(|(name, value)| Some((name.clone(), value.as_i64()?))).collect();
    let (_, places) = store::overview::coverage(&mut conn, incident.id).await?;
    let told = places.iter().filter(|(place, _)| place == "accepted").map(|(_, count)| count).sum();
    figures.push(("organisations_told".to_owned(), told));
    let mut dates: BTreeMap<String, String> = BTreeMap::new();
    let sheets = store::facts::facts(&mut conn, incident.id, Scope::Incident).await?;
    let first = sheets.iter().filter_map(|sheet| sheet.first_date.clone()).min();
    let last = sheets.iter().filter_map(|sheet| sheet.last_date.clone()).max();
    dates.extend(PERIOD.into_iter().zip([first, last]).filter_map(|(name, day)| Some((name.to_owned(), day?))));
    for event in store::incidents::events(&mut conn, incident.id).await? {
        dates.insert(event.name, day(Timestamp::from_micros(event.at)));
    }
    let (mut hidden, mut withheld) = (Vec::new(), Vec::new());
    for row in store::withholdings::in_force(&mut conn, incident.id).await? {
        if let (None, Ok(name)) = (&row.tenant_id, FactName::parse(&row.fact)) {
            let with_it = name.follows();
            let says = Withheld::of(&name, with_it, &row.why, Timestamp::from_micros(row.review_at));
            if says.domain.is_none() {
                withheld.push(says);
                hidden.push(row.fact);
                hidden.extend(with_it.iter().map(|name| (*name).to_owned()));
            }
        }
    }
    // A name that the taxonomy lacks is called as the manifest calls it.
    // One that is withheld is known by it when its records are gone.
    let gone = hidden.iter().filter_map(|name| name.strip_prefix("type:"));
    let own = types.iter().map(|(id, _)| id.as_str()).chain(gone).map(|id| (id.to_owned(), id.to_owned()));
    let labels = app.templates.data_types().into_iter().chain(own).collect();
    let facts = Facts {
        figures,
        discovered: day(incident.facts.discovered_at),
        dates: dates.into_iter().collect(),
        types,
        labels,
        withheld: hidden,
    };
    Ok(Known { incident, facts, withheld })
}

fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
