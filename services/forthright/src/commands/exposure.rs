//! `exposure`.

mod import;
#[cfg(feature = "object-store")]
mod scan;
mod summary;

pub(super) use import::sweep_spools;

use anyhow::Result;
use model::notices::DomainFacts;
use model::rules::Rule;

use super::{DONE, FAILED, PARTIAL, open, say};
use crate::cli::{Everywhere, ExposureVerb};
use crate::output;

pub(super) async fn exposure(e: &Everywhere, verb: ExposureVerb) -> Result<u8> {
    match verb {
        ExposureVerb::Import(args) => import::run(e, args).await,
        #[cfg(feature = "object-store")]
        ExposureVerb::Scan { slug, url, output } => scan::run(e, &slug, &url, output.as_deref()).await,
        ExposureVerb::Totals { slug } => {
            output::document(e, &app::intake::totals(&open(e).await?, &slug).await?)?;
            Ok(DONE)
        }
        ExposureVerb::Summary { slug } => summary::run(e, &slug).await,
        ExposureVerb::Facts { slug, tenant } => {
            let facts = app::facts::facts(&open(e).await?, &slug, tenant.as_deref()).await?;
            if e.json {
                output::json(&facts)?;
            } else {
                output::list(e, &FACT_COLUMNS, facts.into_iter().map(fact_line).collect())?;
            }
            Ok(DONE)
        }
        ExposureVerb::Changes { slug, tenant } => {
            let changes = app::facts::changes(&open(e).await?, &slug, tenant.as_deref()).await?;
            if e.json {
                output::json(&changes)?;
            } else {
                output::list(e, &CHANGE_COLUMNS, changes.into_iter().map(change_line).collect())?;
            }
            Ok(DONE)
        }
        ExposureVerb::Manifests { slug } => {
            let rows = app::intake::manifests(&open(e).await?, &slug).await?;
            output::list(e, &MANIFEST_COLUMNS, rows.into_iter().map(manifest_line).collect())?;
            Ok(DONE)
        }
        ExposureVerb::Withdraw { slug, manifest, why } => {
            let withdrawn = app::intake::withdraw(&open(e).await?, &slug, &manifest, &why).await?;
            output::document(e, &withdrawn)?;
            Ok(DONE)
        }
        ExposureVerb::Rejects { slug } => {
            let rows = app::intake::rejects(&open(e).await?, &slug).await?;
            let lines = rows.into_iter().map(|(file, line, reason, raw)| vec![file, line.to_string(), reason, raw]);
            output::list(e, &["file", "line", "reason", "raw"], lines.collect())?;
            Ok(DONE)
        }
        ExposureVerb::Prove { slug, figure, organisation, export } => {
            let proof =
                app::intake::prove(&open(e).await?, &slug, &figure, organisation.as_deref(), export.as_deref()).await?;
            output::document(e, &proof)?;
            if let Some(file) = export {
                say(e, format!("wrote the set to {}", file.display()));
            }
            Ok(DONE)
        }
        ExposureVerb::Rules => {
            let version = model::rules::VERSION.to_string();
            let line = |rule: &Rule| {
                let document = format!("docs/rules/{rule}.md");
                vec![rule.to_string(), version.clone(), rule.title().to_owned(), rule.code().to_owned(), document]
            };
            let lines = Rule::ALL.iter().map(line).collect();
            output::list(e, &["rule", "version", "says", "code", "document"], lines)?;
            Ok(DONE)
        }
    }
}

const FACT_COLUMNS: [&str; 11] = [
    "domain",
    "tenant_id",
    "rows",
    "objects",
    "emails",
    "users",
    "projects",
    "bytes",
    "first_date",
    "last_date",
    "data_types",
];

fn fact_line(fact: DomainFacts) -> Vec<String> {
    vec![
        fact.domain.clone(),
        fact.tenant_id.clone().unwrap_or_default(),
        fact.rows.to_string(),
        fact.objects.to_string(),
        fact.emails.to_string(),
        fact.users.to_string(),
        fact.projects.to_string(),
        fact.bytes.to_string(),
        fact.first_date.clone().unwrap_or_default(),
        fact.last_date.clone().unwrap_or_default(),
        data_types(&fact),
    ]
}

fn data_types(fact: &DomainFacts) -> String {
    let types: Vec<String> = fact.data_types.iter().map(|count| format!("{}={}", count.id, count.objects)).collect();
    types.join(";")
}

const CHANGE_COLUMNS: [&str; 9] =
    ["domain", "version", "changed_at", "cause", "rows", "objects", "emails", "bytes", "data_types"];

/// Figures as `before→after` where they differ, else as they stayed.
fn change_line(change: app::facts::FactChange) -> Vec<String> {
    let app::facts::FactChange { domain, version, changed_at, cause, before, after } = change;
    let figure = |of: fn(&DomainFacts) -> String| {
        let text = |facts: &Option<DomainFacts>| facts.as_ref().map_or_else(|| "-".to_owned(), of);
        let (before, after) = (text(&before), text(&after));
        if before == after { after } else { format!("{before}→{after}") }
    };
    vec![
        domain,
        version.to_string(),
        changed_at.to_string(),
        cause,
        figure(|facts| facts.rows.to_string()),
        figure(|facts| facts.objects.to_string()),
        figure(|facts| facts.emails.to_string()),
        figure(|facts| facts.bytes.to_string()),
        figure(data_types),
    ]
}

const MANIFEST_COLUMNS: [&str; 14] = [
    "file",
    "sha256",
    "pass",
    "read_as",
    "bytes",
    "rows",
    "accepted",
    "rejected",
    "blank_lines",
    "counted_before",
    "imported_by",
    "started_at",
    "counted_at",
    "withdrawn_at",
];

fn manifest_line(row: store::intake::Manifest) -> Vec<String> {
    vec![
        row.name,
        row.digest,
        row.pass.to_string(),
        row.described,
        row.size_bytes.to_string(),
        row.rows_read.to_string(),
        row.accepted.to_string(),
        row.rejected.to_string(),
        row.blank_lines.to_string(),
        row.counted_before.to_string(),
        row.started_by,
        output::time(Some(row.started_at)),
        output::time(row.counted_at),
        output::time(row.withdrawn_at),
    ]
}
