//! `notice check` and `notice obligations`: how findings and the table are shown.
//!
//! Judges nothing. Invariant: what this is not is said each time, in the document or on standard error.

use anyhow::Result;
use app::notices::{Checked, CheckedObligation, Unspecific};
use model::law::{DISCLAIMER, Finding, Law};

use super::{DONE, REFUSED, say};
use crate::cli::Everywhere;
use crate::output;

/// Stands in the place of an obligation where it is ours.
const SPECIFICITY: &str = "specificity";

/// The findings: for scripts one line each, for people one for all organisations of which the same is to be said.
pub(super) fn checked(e: &Everywhere, checked: &Checked) -> Result<u8> {
    if e.json {
        output::json(checked)?;
    } else if e.csv {
        let header = ["tenant_id", "obligation", "element", "finding", "detail", "source", "confidence"];
        let specificity = checked.specificity.iter().flat_map(unspecific_lines);
        output::csv(&header, specificity.chain(checked.obligations.iter().flat_map(lines)))?;
    } else {
        let specificity = checked.specificity.iter().map(unspecific_group);
        let rows: Vec<Vec<String>> = specificity.chain(checked.obligations.iter().flat_map(groups)).collect();
        output::table(&["obligation", "finding", "element", "organisations", "confidence", "detail"], &rows)?;
    }
    let (all, without) = (checked.organisations, checked.organisations_without_notice);
    say(e, format!("notices of {all} organisations checked, {} should not go out like this", checked.refused));
    if without > 0 {
        say(e, format!("{without} affected organisations have no notice and were not checked"));
    }
    for link in &checked.links {
        say(e, format!("every notice leads elsewhere: {link}"));
    }
    if !e.json {
        say(e, DISCLAIMER);
    }
    Ok(if checked.refused > 0 || !checked.links.is_empty() { REFUSED } else { DONE })
}

/// Of no obligation: nothing is approved like this.
fn unspecific_lines(found: &Unspecific) -> impl Iterator<Item = Vec<String>> {
    found.tenants.iter().map(|tenant| {
        let line = [tenant.as_str(), SPECIFICITY, "", found.finding, found.detail.as_str(), "", ""];
        line.map(str::to_owned).to_vec()
    })
}

fn unspecific_group(found: &Unspecific) -> Vec<String> {
    let count = found.tenants.len().to_string();
    [SPECIFICITY, found.finding, "", count.as_str(), "", found.detail.as_str()].map(str::to_owned).to_vec()
}

/// Sorted by tenant.
fn lines(checked: &CheckedObligation) -> impl Iterator<Item = Vec<String>> {
    let row = checked.obligation;
    let mut told: Vec<(&str, &[Finding])> = checked
        .groups
        .iter()
        .flat_map(|group| group.tenants.iter().map(|tenant| (tenant.as_str(), group.findings.as_slice())))
        .collect();
    told.sort_by_key(|(tenant, _)| *tenant);
    told.into_iter().flat_map(move |(tenant, findings)| {
        findings.iter().map(move |finding| {
            vec![
                tenant.to_owned(),
                row.id.clone(),
                finding.element.clone().unwrap_or_default(),
                finding.kind.as_str().to_owned(),
                finding.detail.clone(),
                row.source.clone(),
                row.confidence.to_string(),
            ]
        })
    })
}

fn groups(checked: &CheckedObligation) -> impl Iterator<Item = Vec<String>> {
    let row = checked.obligation;
    checked.groups.iter().flat_map(move |group| {
        group.findings.iter().map(move |finding| {
            vec![
                row.id.clone(),
                finding.kind.as_str().to_owned(),
                finding.element.clone().unwrap_or_default(),
                group.tenants.len().to_string(),
                row.confidence.to_string(),
                finding.detail.clone(),
            ]
        })
    })
}

/// The table.
pub(super) fn obligations(e: &Everywhere) -> Result<u8> {
    let law = Law::builtin().map_err(app::AppError::from)?;
    if e.json {
        output::json(&serde_json::json!({
            "disclaimer": DISCLAIMER, "as_of": law.vocabulary().as_of, "obligations": law.obligations(),
        }))?;
        return Ok(DONE);
    }
    let rows = law.obligations().iter().map(|row| {
        vec![
            row.id.clone(),
            row.law.clone(),
            row.jurisdiction.clone(),
            row.to.to_string(),
            row.effective(),
            row.source.clone(),
            row.confidence.to_string(),
            row.source_kind.to_string(),
            row.from.to_string(),
            row.deadline.map(|span| span.to_string()).unwrap_or_default(),
        ]
    });
    let header = [
        "id",
        "title",
        "jurisdiction",
        "audience",
        "effective",
        "source",
        "confidence",
        "source_kind",
        "duty_of",
        "deadline",
    ];
    output::list(e, &header, rows.collect())?;
    say(e, DISCLAIMER);
    Ok(DONE)
}
