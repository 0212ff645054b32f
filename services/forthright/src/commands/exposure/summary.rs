//! `exposure summary`: what was read and what it came to, in sentences that a lawyer can hand on.
//!
//! Counts nothing: every number is one of the totals, and says which rule it follows.

use std::fmt::Write;

use anyhow::Result;
use app::intake::Totals;
use model::rules::Rule;
use model::taxonomy::Taxonomy;
use store::intake::Manifest;

use super::{DONE, open};
use crate::cli::Everywhere;
use crate::output;

pub(super) async fn run(e: &Everywhere, slug: &str) -> Result<u8> {
    let app = open(e).await?;
    let manifests = app::intake::manifests(&app, slug).await?;
    let totals = app::intake::totals(&app, slug).await?;
    let text = text(slug, &manifests, &totals)?;
    if e.json {
        output::json(&serde_json::json!({ "incident": slug, "text": text, "totals": totals }))?;
    } else {
        use std::io::Write as _;
        std::io::stdout().lock().write_all(text.as_bytes())?;
    }
    Ok(DONE)
}

fn text(slug: &str, manifests: &[Manifest], totals: &Totals) -> Result<String, std::fmt::Error> {
    let mut out = String::new();
    writeln!(out, "Exposure of incident {slug}, by the counting rules, version {}", totals.rules_version)?;
    if let Some(at) = totals.erased_at {
        writeln!(
            out,
            "\nThe exposed persons and objects were erased at {at}. The counts below are those of that moment."
        )?;
    }
    writeln!(out, "\nWhat was read")?;
    for manifest in manifests {
        file(&mut out, manifest)?;
    }
    if manifests.is_empty() {
        writeln!(out, "  Nothing yet.")?;
    }
    writeln!(out, "\nRaw references")?;
    let rejected = totals.rejected_columns + totals.rejected_no_domain + totals.rejected_bad_domain;
    line(&mut out, totals.rows, "rows were read; each ends in exactly one of the counts below (R9)")?;
    line(&mut out, totals.organisation_rows, "rows are references to organisations (R1, R4)")?;
    line(
        &mut out,
        totals.shared_rows,
        "rows name a domain that belongs to no single organisation, such as free mail (R3)",
    )?;
    line(&mut out, rejected, "rows could not be used and are kept with file, line, reason and text (R1, R2, R6)")?;
    if totals.rejects_corrected > 0 {
        line(
            &mut out,
            totals.rejects_corrected,
            "of the rows that are used were rejected at first, and count in their corrected form",
        )?;
    }
    writeln!(out, "\nUnique things behind the references to organisations")?;
    line(&mut out, totals.organisations, "organisation domains are affected")?;
    line(&mut out, totals.tenants_affected, "customers have one or more of them")?;
    line(&mut out, totals.unmapped_organisations, "of the domains have no customer in the directory yet")?;
    line(&mut out, totals.conflicting_organisations, "of the domains are claimed by several customers")?;
    unique(&mut out, totals.objects, totals.references.objects, "objects")?;
    unique(&mut out, totals.emails, totals.references.emails, "e-mail addresses")?;
    unique(&mut out, totals.users, totals.references.users, "users")?;
    unique(&mut out, totals.projects, totals.references.projects, "projects")?;
    line(&mut out, totals.bytes, "bytes, each object once, where its size is known (R8)")?;
    writeln!(out, "\nObjects by kind of data")?;
    for (kind, count) in &totals.data_type_objects {
        let label = Taxonomy::builtin().get(kind).map_or(kind.as_str(), |known| &known.label);
        line(&mut out, *count, label)?;
    }
    line(&mut out, totals.objects_without_data_type, "of which no row states the kind")?;
    writeln!(out, "\nWhat is not certain")?;
    line(&mut out, totals.rows_with_missing_field, "rows to organisations lack a field; they count, without it (R7)")?;
    line(
        &mut out,
        totals.rows_with_invalid_field,
        "rows to organisations have a field that cannot be used; they count, without it (R7)",
    )?;
    line(
        &mut out,
        totals.objects_in_dispute,
        "objects about which rows disagree; the smallest size, the earliest date and the first kind are used (R8)",
    )?;
    for (count, what) in [
        (totals.manifests_open, "files were not read to their end; they are in no figure"),
        (
            totals.hosts_waiting_for_mapping,
            "hosts at most wait for a verdict whose they are; figures by organisation lag behind by them",
        ),
        (totals.sheets_waiting, "organisation domains are being counted anew; their figures lag behind"),
    ] {
        if count > 0 {
            line(&mut out, count, what)?;
        }
    }
    writeln!(out, "\nThe rules")?;
    for rule in Rule::ALL {
        writeln!(out, "  {rule}  {}.", rule.title())?;
    }
    writeln!(
        out,
        "\nAny figure can be counted again by anybody: forthright exposure prove {slug} FIGURE --export FILE"
    )?;
    Ok(out)
}

fn file(out: &mut String, manifest: &Manifest) -> std::fmt::Result {
    writeln!(out, "  {} ({}, {} bytes)", manifest.name, manifest.described, manifest.size_bytes)?;
    writeln!(out, "    SHA-256 {}", manifest.digest)?;
    match manifest.counted_at {
        Some(_) => write!(
            out,
            "    counted by {} at {}: {} rows, of which {} were rejected",
            manifest.started_by,
            output::time(manifest.counted_at),
            manifest.rows_read,
            manifest.rejected
        )?,
        None => write!(
            out,
            "    begun by {} at {} and not read to its end: in no figure",
            manifest.started_by,
            output::time(Some(manifest.started_at))
        )?,
    }
    if manifest.counted_before > 0 {
        write!(out, "; a corrected copy, {} rows of which count in its original", manifest.counted_before)?;
    }
    if let (Some(_), Some(why)) = (manifest.withdrawn_at, &manifest.withdrawn_why) {
        write!(out, "; taken back at {}, in no figure any more: {why}", output::time(manifest.withdrawn_at))?;
    }
    if !manifest.why.is_empty() {
        write!(out, "; counted again: {}", manifest.why)?;
    }
    writeln!(out)
}

fn line(out: &mut String, count: i64, what: &str) -> std::fmt::Result {
    writeln!(out, "{:>18}  {what}", grouped(count))
}

fn unique(out: &mut String, distinct: i64, references: i64, what: &str) -> std::fmt::Result {
    line(out, distinct, &format!("{what}, named {} times (R8)", grouped(references)))
}

/// 1234567 as 1,234,567.
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_for_people() {
        assert_eq!([0, 999, 1_000, -1_234_567].map(grouped), ["0", "999", "1,000", "-1,234,567"]);
    }
}
