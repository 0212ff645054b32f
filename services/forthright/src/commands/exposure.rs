//! `exposure`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use app::App;
use app::intake::{Again, Imported, Progress};
use model::notices::DomainFacts;
use sources::{Format, Options};

use super::{DONE, PARTIAL, open};
use crate::cli::{Everywhere, ExposureVerb, ManifestFormat};
use crate::output::{self, Usage};

pub(super) async fn exposure(e: &Everywhere, verb: ExposureVerb) -> Result<u8> {
    match verb {
        ExposureVerb::Import { slug, files, format, map, without, shared_domains, again, why } => {
            let columns = map.iter().map(|pair| column(pair)).collect::<Result<_>>()?;
            let format = match format {
                ManifestFormat::Auto => Format::Auto,
                ManifestFormat::Csv => Format::Csv,
                ManifestFormat::Jsonl => Format::JsonLines,
            };
            let options = Options { format, columns, absent: without };
            let again = match (again, why.as_deref()) {
                (true, Some(why)) => Again::Yes { why },
                _ => Again::No,
            };
            import(e, &slug, &files, &options, shared_domains.as_deref(), again).await
        }
        ExposureVerb::Totals { slug } => {
            output::document(e, &app::intake::totals(&open(e).await?, &slug).await?)?;
            Ok(DONE)
        }
        ExposureVerb::Facts { slug, tenant } => {
            let facts = app::intake::facts(&open(e).await?, &slug, tenant.as_deref()).await?;
            if e.json {
                output::json(&facts)?;
            } else {
                output::list(e, &FACT_COLUMNS, facts.into_iter().map(fact_line).collect())?;
            }
            Ok(DONE)
        }
        ExposureVerb::Rejects { slug } => {
            let rows = app::intake::rejects(&open(e).await?, &slug).await?;
            let lines = rows.into_iter().map(|(file, line, reason, raw)| vec![file, line.to_string(), reason, raw]);
            output::list(e, &["file", "line", "reason", "raw"], lines.collect())?;
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
    let types: Vec<String> = fact.data_types.iter().map(|count| format!("{}={}", count.id, count.objects)).collect();
    vec![
        fact.domain,
        fact.tenant_id.unwrap_or_default(),
        fact.rows.to_string(),
        fact.objects.to_string(),
        fact.emails.to_string(),
        fact.users.to_string(),
        fact.projects.to_string(),
        fact.bytes.to_string(),
        fact.first_date.unwrap_or_default(),
        fact.last_date.unwrap_or_default(),
        types.join(";"),
    ]
}

fn column(pair: &str) -> Result<(String, String)> {
    match pair.split_once('=') {
        Some((column, field)) if !column.is_empty() && !field.is_empty() => Ok((column.to_owned(), field.to_owned())),
        _ => Err(anyhow::Error::new(Usage {
            what: format!("--map {pair} names no column and field"),
            hint: "write it as in --map size=size_bytes".to_owned(),
        })),
    }
}

async fn import(
    e: &Everywhere,
    slug: &str,
    files: &[PathBuf],
    options: &Options,
    shared: Option<&Path>,
    again: Again<'_>,
) -> Result<u8> {
    let app = open(e).await?;
    if let Some(path) = shared {
        app::intake::share(&app, slug, path).await?;
    }
    let mut all = Vec::new();
    let mut rejected = 0;
    for file in files {
        let imported = import_one(e, &app, slug, file, options, again).await?;
        if imported.already_counted_at.is_none() {
            rejected += imported.rejected_rows;
        }
        all.push(imported);
    }
    if let ([one], true) = (all.as_slice(), e.json) {
        output::json(one)?;
    } else {
        output::document(e, &all)?;
    }
    Ok(if rejected == 0 { DONE } else { PARTIAL })
}

async fn import_one(
    e: &Everywhere,
    app: &App,
    slug: &str,
    file: &Path,
    options: &Options,
    again: Again<'_>,
) -> Result<Imported> {
    if file.as_os_str() != "-" {
        return Ok(app::intake::import(app, slug, file, options, again, progress(e)).await?);
    }
    // Standard input is kept in a file first: its content is its identity, and an import may have to resume.
    let mut spool = tempfile::Builder::new()
        .prefix("stdin-")
        .tempfile_in(&e.data)
        .context("cannot spool standard input to the data folder")?;
    std::io::copy(&mut std::io::stdin().lock(), &mut spool)
        .context("cannot spool standard input to the data folder")?;
    spool.flush().context("cannot spool standard input to the data folder")?;
    Ok(app::intake::import(app, slug, spool.path(), options, again, progress(e)).await?)
}

/// Rows, rate and time left on standard error, when that is a terminal.
fn progress(e: &Everywhere) -> impl FnMut(Progress) + use<> {
    let shown = !e.quiet && std::io::stderr().is_terminal();
    let started = tokio::time::Instant::now();
    move |progress| {
        if !shown {
            return;
        }
        let seconds = started.elapsed().as_secs_f64().max(0.001);
        let rate = progress.bytes as f64 / seconds;
        let left = (progress.of.saturating_sub(progress.bytes) as f64 / rate.max(1.0)).ceil();
        eprint!("\r{} rows, {:.0} rows/s, {left:.0} s left   ", progress.rows, progress.rows as f64 / seconds);
        if progress.bytes >= progress.of {
            eprintln!();
        }
    }
}
