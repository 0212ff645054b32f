//! Reports: texts that people write for authorities, the press and support, held against the same facts as the notices.
//!
//! Writes none of them and changes nothing. Invariant: what is withheld from every organisation is refused here, too.

use std::collections::BTreeMap;

use model::report::{Facts, Finding, check as read};
use model::withholding::FactName;
use serde::Serialize;
use store::facts::Scope;

use crate::{App, AppError};

/// What a text says that is no fact.
#[derive(Debug, Serialize)]
pub struct CheckedReport {
    /// The incident.
    pub incident: String,
    /// How many of the findings should keep the text from going out.
    pub refused: usize,
    /// By line.
    pub findings: Vec<Finding>,
}

/// Reads a text against the facts of an incident.
pub async fn check(app: &App, slug: &str, text: &str) -> Result<CheckedReport, AppError> {
    let facts = facts(app, slug).await?;
    let findings = read(text, &facts);
    let refused = findings.iter().filter(|one| one.finding.refuses()).count();
    Ok(CheckedReport { incident: slug.to_owned(), refused, findings })
}

/// Everything that may be stated of the incident as a whole.
async fn facts(app: &App, slug: &str) -> Result<Facts, AppError> {
    let totals = crate::intake::totals(app, slug).await?;
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let types = totals.data_type_objects.iter().map(|(id, objects)| (id.clone(), *objects)).collect();
    let totals = serde_json::to_value(&totals).map_err(AppError::stored("totals"))?;
    let figures = totals.as_object().into_iter().flatten();
    let figures = figures.filter_map(|(name, value)| Some((name.clone(), value.as_i64()?))).collect();
    let mut dates: BTreeMap<String, String> = BTreeMap::new();
    let sheets = store::facts::facts(&mut conn, incident.id, Scope::Incident).await?;
    dates.extend(
        sheets.iter().filter_map(|sheet| sheet.first_date.clone()).min().map(|day| ("first document".to_owned(), day)),
    );
    dates.extend(
        sheets.iter().filter_map(|sheet| sheet.last_date.clone()).max().map(|day| ("last document".to_owned(), day)),
    );
    for event in store::incidents::events(&mut conn, incident.id).await? {
        let day = model::time::Timestamp::from_micros(event.at).to_string();
        dates.insert(event.name, day.chars().take(10).collect());
    }
    let mut withheld = Vec::new();
    for row in store::withholdings::in_force(&mut conn, incident.id).await? {
        if row.tenant_id.is_none() && FactName::parse(&row.fact).is_ok() {
            withheld.push(row.fact);
        }
    }
    Ok(Facts {
        figures,
        discovered: incident.facts.discovered_at.to_string().chars().take(10).collect(),
        dates: dates.into_iter().collect(),
        types,
        labels: app.templates.data_types(),
        withheld,
    })
}
