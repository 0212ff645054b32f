//! The sample incident, counted in memory by the rules of `model`: every figure and every line equals the expected.
//!
//! Does not touch a store. Invariant: format, order and repetition change raw references only.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::domain::DomainName;
use model::intake::{Reject, Row, read_row};
use model::mapping::{Candidates, Claim, Mapping, Source, Verdict, decide};
use model::suffixes::SuffixList;
use model::taxonomy::Taxonomy;
use serde_json::{Value, json};
use sources::{Manifest, Options, Record, Table, TableRecord, read_list};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sample").join(name)
}

#[derive(Default)]
struct Directory {
    candidates: Candidates,
    rows: usize,
    /// Contacts who can be told, by tenant.
    contacts: BTreeMap<String, usize>,
}

fn directory() -> Directory {
    let mut directory = Directory::default();
    let normal = |text: &str| DomainName::parse(text).unwrap().as_str().to_owned();
    let wanted = ["domain", "tenant_id", "tenant_name", "country", "language"];
    let mut table = Table::open(&sample("directory.csv"), &wanted, &[]).unwrap();
    while let Some(record) = table.next_row().unwrap() {
        let TableRecord::Row(row) = record else { panic!("{record:?}") };
        let claim = Claim::new(row.get("tenant_id"), Source::Imported);
        directory.candidates.claims.entry(normal(row.get("domain"))).or_default().push(claim);
        directory.rows += 1;
    }
    let mut table = Table::open(&sample("contacts.csv"), &["tenant_id", "role", "email"], &["channel"]).unwrap();
    while let Some(record) = table.next_row().unwrap() {
        let TableRecord::Row(row) = record else { panic!("{record:?}") };
        if row.get("role") != "account-manager" {
            *directory.contacts.entry(row.get("tenant_id").to_owned()).or_default() += 1;
        }
    }
    let shared = read_list(&sample("freemail.txt")).unwrap().into_iter().map(|(_, domain)| normal(&domain));
    let shared: HashSet<String> =
        shared.chain(model::shared::builtin().iter().map(|entry| entry.domain.to_owned())).collect();
    directory.candidates.shared = Arc::new(shared);
    directory
}

/// What rows say about one object, by R8: all of it, in order. A second opinion on what `model` keeps of it.
#[derive(Default)]
struct Object {
    sizes: BTreeSet<i64>,
    dates: BTreeSet<String>,
    types: BTreeSet<String>,
}

impl Object {
    fn add(&mut self, row: &Row<'_>) {
        self.sizes.extend(row.size_bytes);
        self.dates.extend(row.document_date.map(|date| date.to_string()));
        self.types.extend(row.data_type.map(str::to_owned));
    }
}

/// What rows say about one organisation domain, or about all.
#[derive(Default)]
struct Facts {
    rows: u64,
    missing: u64,
    invalid: u64,
    objects: BTreeMap<String, Object>,
    emails: BTreeSet<String>,
    users: BTreeSet<String>,
    projects: BTreeSet<String>,
}

impl Facts {
    fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.missing += u64::from(!row.missing.is_empty());
        self.invalid += u64::from(!row.invalid.is_empty());
        if let Some(path) = row.object_path {
            self.objects.entry(path.to_owned()).or_default().add(row);
        }
        self.emails.extend(row.email.as_deref().map(str::to_owned));
        self.users.extend(row.user_id.map(str::to_owned));
        self.projects.extend(row.project_id.map(str::to_owned));
    }

    fn bytes(&self) -> i64 {
        self.objects.values().filter_map(|object| object.sizes.first()).sum()
    }

    fn data_types(&self) -> BTreeMap<&str, u64> {
        let mut types = BTreeMap::new();
        for name in self.objects.values().filter_map(|object| object.types.first()) {
            *types.entry(name.as_str()).or_default() += 1;
        }
        types
    }

    fn line(&self, mapping: &Mapping) -> String {
        let dates = || self.objects.values().filter_map(|object| object.dates.first());
        let types: Vec<String> = self.data_types().iter().map(|(name, count)| format!("{name}={count}")).collect();
        [
            mapping.organisation_domain.clone(),
            mapping.tenant_id.clone().unwrap_or_default(),
            self.rows.to_string(),
            self.objects.len().to_string(),
            self.emails.len().to_string(),
            self.users.len().to_string(),
            self.projects.len().to_string(),
            self.bytes().to_string(),
            dates().min().cloned().unwrap_or_default(),
            dates().max().cloned().unwrap_or_default(),
            types.join(";"),
        ]
        .join(",")
    }
}

#[derive(Default)]
struct Count {
    rows: u64,
    accepted: u64,
    blank: u64,
    rejects: BTreeMap<Reject, u64>,
    shared: Facts,
    total: Facts,
    organisations: BTreeMap<String, (Option<Mapping>, Facts)>,
}

impl Count {
    fn take(&mut self, path: &Path, directory: &Directory) {
        let mut manifest = Manifest::open(path, &Options::default()).unwrap();
        while let Some(record) = manifest.next_record().unwrap() {
            let row = match &record {
                Record::Blank => {
                    self.blank += 1;
                    continue;
                }
                Record::Malformed { .. } => Err(Reject::Columns),
                Record::Row { row, .. } => read_row(row, Taxonomy::builtin()),
            };
            self.rows += 1;
            match row {
                Err(reject) => *self.rejects.entry(reject).or_default() += 1,
                Ok(row) => self.accept(&row, directory),
            }
        }
        assert_eq!(manifest.bytes_read(), fs::metadata(path).unwrap().len());
    }

    fn accept(&mut self, row: &Row<'_>, directory: &Directory) {
        self.accepted += 1;
        let host = DomainName::parse(&row.host).unwrap();
        let mapping = decide(&host, &directory.candidates, SuffixList::builtin());
        if mapping.verdict == Verdict::Shared {
            return self.shared.add(row);
        }
        self.total.add(row);
        let (of, facts) = self.organisations.entry(mapping.organisation_domain.clone()).or_default();
        facts.add(row);
        *of = Some(mapping);
    }

    /// What `expected.json` says, under its names; `arguments`, `countries` and `extra_identical_rows` are about how
    /// the sample was made.
    fn totals(&self, directory: &Directory) -> Value {
        let rejects = |reject| self.rejects.get(&reject).copied().unwrap_or_default();
        let unmapped = || {
            let of = |(mapping, _): &&(Option<Mapping>, Facts)| mapping.as_ref().unwrap().verdict == Verdict::Unmapped;
            self.organisations.values().filter(of)
        };
        let tenants: HashSet<&str> = self
            .organisations
            .values()
            .filter_map(|(mapping, _)| mapping.as_ref().and_then(|mapping| mapping.tenant_id.as_deref()))
            .collect();
        let told = tenants.iter().filter(|tenant| directory.contacts.contains_key(**tenant)).count();
        json!({
            "rows_written": self.rows,
            "accepted_rows": self.accepted,
            "rows_with_missing_field": self.total.missing,
            "rows_with_invalid_field": self.total.invalid,
            "freemail_rows": self.shared.rows,
            "rejected_columns": rejects(Reject::Columns),
            "rejected_no_domain": rejects(Reject::NoDomain),
            "rejected_bad_domain": rejects(Reject::BadDomain),
            "blank_lines": self.blank,
            "organisations": self.organisations.len(),
            "organisation_rows": self.total.rows,
            "objects": self.total.objects.len(),
            "emails": self.total.emails.len(),
            "users": self.total.users.len(),
            "projects": self.total.projects.len(),
            "bytes": self.total.bytes(),
            "freemail_addresses": self.shared.emails.len(),
            "directory_domains": directory.rows,
            "unmapped_organisations": unmapped().count(),
            "unmapped_rows": unmapped().map(|(_, facts)| facts.rows).sum::<u64>(),
            "tenants_affected": tenants.len(),
            "tenants_without_contact": tenants.len() - told,
            "notices_to_write": told,
            "data_type_objects": self.total.data_types(),
        })
    }

    fn lines(&self) -> BTreeSet<String> {
        self.organisations.values().map(|(mapping, facts)| facts.line(mapping.as_ref().unwrap())).collect()
    }
}

fn expected() -> Value {
    let mut value: Value = serde_json::from_str(&fs::read_to_string(sample("expected.json")).unwrap()).unwrap();
    for about_making in ["arguments", "countries", "extra_identical_rows"] {
        value.as_object_mut().unwrap().remove(about_making);
    }
    value
}

fn expected_lines() -> BTreeSet<String> {
    let text = fs::read_to_string(sample("expected_orgs.csv")).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

fn check(files: &[&Path]) {
    let directory = directory();
    let mut count = Count::default();
    files.iter().for_each(|file| count.take(file, &directory));
    assert_eq!(count.totals(&directory), expected());
    assert_eq!(count.lines(), expected_lines());
}

/// The sample with its lines in another order: line n goes to n * 1,879 modulo 4,430, which have no common factor.
fn shuffled(name: &str, header: usize) -> tempfile::NamedTempFile {
    let text = fs::read_to_string(sample(name)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (head, body) = lines.split_at(header);
    let order = (0..body.len()).map(|at| body[at * 1879 % body.len()]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    for line in head.iter().copied().chain(order) {
        writeln!(file, "{line}").unwrap();
    }
    assert_eq!(fs::metadata(file.path()).unwrap().len(), text.len() as u64);
    file
}

#[test]
fn every_figure_and_line_of_the_sample_follows_from_its_csv() {
    check(&[&sample("manifest.csv")]);
}

#[test]
fn every_figure_and_line_of_the_sample_follows_from_its_json_lines() {
    check(&[&sample("manifest.jsonl")]);
}

#[test]
fn the_order_of_lines_makes_no_difference() {
    check(&[shuffled("manifest.csv", 1).path()]);
    check(&[shuffled("manifest.jsonl", 0).path()]);
}

#[test]
fn a_file_cut_in_two_is_the_same_incident() {
    let text = fs::read_to_string(sample("manifest.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let (first, second) = lines.split_at(2000);
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.csv"), folder.path().join("two.csv"));
    fs::write(&one, first.join("\n")).unwrap();
    fs::write(&two, [&lines[..1], second].concat().join("\r\n")).unwrap();
    check(&[&two, &one]);
}

#[test]
fn a_file_given_twice_doubles_raw_references_only() {
    let directory = directory();
    let (mut once, mut twice) = (Count::default(), Count::default());
    once.take(&sample("manifest.csv"), &directory);
    twice.take(&sample("manifest.csv"), &directory);
    twice.take(&sample("manifest.jsonl"), &directory);
    let (once, twice) = (once.totals(&directory), twice.totals(&directory));
    for (key, value) in once.as_object().unwrap() {
        let counts_references = key.contains("rows") || key.starts_with("rejected");
        let expect = if counts_references { json!(value.as_u64().unwrap() * 2) } else { value.clone() };
        assert_eq!(twice[key], expect, "{key}");
    }
}

#[test]
fn the_sample_packed_or_in_another_encoding_is_the_same_incident() {
    let text = fs::read_to_string(sample("manifest.csv")).unwrap();
    let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let zstd = zstd::stream::encode_all(text.as_bytes(), 1).unwrap();
    for content in [utf16, gzip.finish().unwrap(), zstd] {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&content).unwrap();
        check(&[file.path()]);
    }
}
