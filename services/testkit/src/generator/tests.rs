//! The generator against itself: sums, seeds, and two formats with one content.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::*;

const COLUMNS: [&str; 8] =
    ["object_path", "domain", "email", "data_type", "document_date", "size_bytes", "project_id", "user_id"];

fn generate(arguments: &Arguments) -> (TempDir, Incident, Expected) {
    let folder = tempfile::tempdir().unwrap();
    let expected = Incident::generate(arguments, folder.path()).unwrap();
    let files = Incident::in_folder(folder.path());
    (folder, files, expected)
}

fn nasty() -> Arguments {
    Arguments { rates: Rates::nasty(), ..Arguments::default() }
}

/// The whole records of the CSV: those of eight fields.
fn csv_rows(files: &Incident) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&files.csv).unwrap();
    let records = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    // A blank line with white space is one field for this reader.
    records.filter(|record| record.len() > 1).collect()
}

#[test]
fn every_row_ends_in_exactly_one_count() {
    for arguments in [Arguments::default(), nasty()] {
        let (_folder, files, expected) = generate(&arguments);
        let totals = &expected.totals;
        let rejected = totals.rejected_columns + totals.rejected_no_domain + totals.rejected_bad_domain;
        assert_eq!(totals.rows, totals.accepted_rows + rejected);
        assert_eq!(totals.accepted_rows, totals.organisation_rows + totals.shared_rows);
        assert_eq!(totals.tenants_affected, totals.tenants_without_contact + totals.notices_to_write);
        assert_eq!(totals.objects, totals.data_type_objects.values().sum::<u64>());
        let lines = fs::read_to_string(&files.jsonl).unwrap().lines().count() as u64;
        assert_eq!(lines, totals.rows + totals.blank_lines);
        assert!(rejected > 0 && totals.unmapped_rows > 0 && totals.tenants_without_contact > 0, "{totals:?}");
        assert!(totals.rows_with_missing_field > 0 && totals.rows_with_invalid_field > 0, "{totals:?}");
    }
}

#[test]
fn the_sample_s_size_is_the_default_s() {
    let (_folder, _files, expected) = generate(&Arguments::default());
    assert_eq!(expected.totals.organisations, 65);
    assert!(expected.totals.objects.abs_diff(1680) < 65, "{}", expected.totals.objects);
    assert!(expected.totals.rows.abs_diff(4430) < 100, "{}", expected.totals.rows);
}

#[test]
fn the_same_seed_is_the_same_incident_and_another_is_another() {
    let (_a, one, first) = generate(&Arguments::default());
    let (_b, two, second) = generate(&Arguments::default());
    let (_c, _, other) = generate(&Arguments { seed: 2, ..Arguments::default() });
    assert_eq!(first, second);
    assert_ne!(first, other);
    for (a, b) in [(one.csv, two.csv), (one.jsonl, two.jsonl), (one.directory, two.directory)] {
        assert_eq!(fs::read(a).unwrap(), fs::read(b).unwrap());
    }
}

#[test]
fn both_formats_hold_the_same_rows_in_the_same_order() {
    let (_folder, files, expected) = generate(&nasty());
    let jsonl = fs::read_to_string(&files.jsonl).unwrap();
    let whole = |line: &&str| line.starts_with('{') && line.ends_with('}');
    let objects: Vec<Value> = jsonl.lines().filter(whole).map(|line| serde_json::from_str(line).unwrap()).collect();
    let rows: Vec<_> = csv_rows(&files).into_iter().filter(|row| row.len() == COLUMNS.len()).collect();
    assert_eq!(rows.len() as u64, expected.totals.rows - expected.totals.rejected_columns);
    assert_eq!(rows.len(), objects.len());
    for (row, object) in rows.iter().zip(&objects) {
        for (name, cell) in COLUMNS.iter().zip(row) {
            let value = match &object[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(*cell, value, "{name}");
        }
    }
}

#[test]
fn missing_and_unusable_fields_are_as_many_as_the_file_shows() {
    let (_folder, files, expected) =
        generate(&Arguments { rates: Rates { malformed: 0.0, ..Rates::nasty() }, ..nasty() });
    let (mut missing, mut invalid) = (0, 0);
    for row in csv_rows(&files).iter().filter(|row| !row[0].starts_with("container-99/free/")) {
        missing += u64::from(row.iter().enumerate().any(|(column, cell)| column != 1 && cell.is_empty()));
        let bad_size = !row[5].is_empty() && !row[5].parse::<i64>().is_ok_and(|size| size >= 0);
        let bad_date = ["31/12/2020x", "unknown", "2021-02-30", "2021-13-01"].contains(&row[4].as_str());
        invalid += u64::from(bad_size || bad_date || row[2] == "not an address");
    }
    assert_eq!(missing, expected.totals.rows_with_missing_field);
    assert_eq!(invalid, expected.totals.rows_with_invalid_field);
}

#[test]
fn without_nastiness_plain_counting_gives_the_facts() {
    let (_folder, files, expected) = generate(&Arguments { rates: Rates::none(), ..Arguments::default() });
    let mut things: BTreeMap<String, [BTreeSet<String>; 4]> = BTreeMap::new();
    let mut sizes: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for row in csv_rows(&files) {
        let of = things.entry(row[1].clone()).or_default();
        for (set, column) in of.iter_mut().zip([0, 2, 7, 6]) {
            set.insert(row[column].clone());
        }
        sizes.entry(row[1].clone()).or_default().insert(row[0].clone(), row[5].parse().unwrap());
        *counts.entry(row[1].clone()).or_default() += 1;
    }
    assert_eq!(things.len(), expected.facts.len());
    for fact in &expected.facts {
        let counted = things[&fact.domain].each_ref().map(|set| set.len() as u64);
        assert_eq!(counted, [fact.objects, fact.emails, fact.users, fact.projects], "{}", fact.domain);
        assert_eq!(counts[&fact.domain], fact.rows);
        assert_eq!(sizes[&fact.domain].values().sum::<u64>(), fact.bytes);
    }
}

#[test]
fn a_reject_is_named_by_its_line() {
    let (_folder, files, expected) = generate(&Arguments { bom: true, crlf: true, ..nasty() });
    let (csv, jsonl) = (fs::read_to_string(&files.csv).unwrap(), fs::read_to_string(&files.jsonl).unwrap());
    assert!(csv.starts_with('\u{feff}') && jsonl.starts_with('\u{feff}') && csv.ends_with("\r\n"));
    let (csv, jsonl): (Vec<&str>, Vec<&str>) = (csv.lines().collect(), jsonl.lines().collect());
    let mut columns = 0;
    for reject in expected.rejects.iter().filter(|reject| reject.reason == "columns") {
        let line = reject.jsonl_line as usize;
        assert!(jsonl[line - 1].starts_with('[') || !jsonl[line - 1].ends_with('}'), "{}", jsonl[line - 1]);
        let short = csv[line].starts_with("container-") && !csv[line].contains(",prj-");
        assert!(short || csv[line].ends_with(",more") || csv[line].starts_with('"'), "{}", csv[line]);
        columns += 1;
    }
    assert_eq!(columns, expected.totals.rejected_columns);
}

#[test]
fn security_and_privacy_are_told_else_legal_admin_technical_and_never_account_managers() {
    let (_folder, _files, expected) = generate(&nasty());
    let role = |address: &str| address.split(|letter: char| letter.is_ascii_digit()).next().unwrap().to_owned();
    let mut seen = BTreeSet::new();
    for tenant in &expected.tenants {
        let roles: BTreeSet<String> = tenant.recipients.iter().map(|to| role(&to.address)).collect();
        let first = roles.iter().all(|role| role == "security" || role == "privacy");
        assert!(first || roles.len() == 1, "{tenant:?}");
        seen.extend(roles);
    }
    assert_eq!(seen, ["admin", "legal", "privacy", "security", "technical"].map(str::to_owned).into());
    let recipients = expected.recipients();
    let addresses: BTreeSet<&str> = recipients.iter().map(|to| to.address.as_str()).collect();
    assert_eq!(addresses.len(), recipients.len());
    assert!(recipients.iter().any(|to| to.language == "de"));
}

#[test]
fn shuffling_and_cutting_keep_every_record() {
    let (_folder, files, _) = generate(&Arguments { bom: true, ..Arguments::default() });
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    for file in [&files.csv, &files.jsonl] {
        let whole = fs::read_to_string(file).unwrap();
        let shuffled = fs::read_to_string(shuffle(file, 1).unwrap()).unwrap();
        assert_ne!(whole, shuffled);
        assert_eq!(sorted(whole.trim_start_matches('\u{feff}')), sorted(shuffled.trim_start_matches('\u{feff}')));
        let [first, rest] = cut(file, 100).unwrap().map(|path| fs::read_to_string(path).unwrap());
        let header = if file == &files.csv { whole.split_inclusive('\n').next().unwrap() } else { "\u{feff}" };
        assert_eq!(whole, first.clone() + rest.strip_prefix(header).unwrap());
        assert_eq!(first.lines().count(), if file == &files.csv { 101 } else { 100 });
    }
}
