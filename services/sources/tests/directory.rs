//! Directory files as people bring them: the samples in four formats, and what is peculiar in each.
//!
//! Does not test what `app` makes of the records. Invariant: files of one kind that say the same give the same records.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::fs;
use std::path::{Path, PathBuf};

use sources::SourceError;
use sources::directory::{
    ContactRecord, Contacts, DirectoryFormat, DirectoryRecord, OrganisationRecord, Organisations,
};

#[path = "directory/hostile.rs"]
mod hostile;
#[path = "directory/round_trip.rs"]
mod round_trip;
#[path = "directory/scim.rs"]
mod scim;
#[path = "directory/tables.rs"]
mod tables;
#[path = "directory/vcard.rs"]
mod vcard;

type Read<T> = Result<Vec<DirectoryRecord<T>>, SourceError>;

fn organisations(path: &Path, format: Option<DirectoryFormat>) -> Read<OrganisationRecord> {
    let mut reader = Organisations::open(path, format)?;
    std::iter::from_fn(|| reader.next_record().transpose()).collect()
}

fn contacts(path: &Path, format: Option<DirectoryFormat>) -> Read<ContactRecord> {
    let mut reader = Contacts::open(path, format)?;
    std::iter::from_fn(|| reader.next_record().transpose()).collect()
}

/// Reads a file of that content.
fn reading<T>(content: impl AsRef<[u8]>, read: impl Fn(&Path, Option<DirectoryFormat>) -> Read<T>) -> Read<T> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, content).unwrap();
    read(&path, None)
}

/// The records, all of which are whole.
fn whole<T: std::fmt::Debug>(read: Read<T>) -> Vec<T> {
    let record = |record| match record {
        DirectoryRecord::Record(record) => record,
        DirectoryRecord::Malformed { line, why, raw } => panic!("line {line}: {why}: {raw}"),
    };
    read.unwrap().into_iter().map(record).collect()
}

/// One word a record: `r2` for one in line 2, `m3 why` for a malformed one.
fn shape<T>(read: Read<T>, line: impl Fn(&T) -> u64) -> Vec<String> {
    let word = |record| match record {
        DirectoryRecord::Record(record) => format!("r{}", line(&record)),
        DirectoryRecord::Malformed { line, why, .. } => format!("m{line} {why}"),
    };
    read.unwrap().into_iter().map(word).collect()
}

fn contact_shape(content: impl AsRef<[u8]>) -> Vec<String> {
    shape(reading(content, contacts), |record| record.line)
}

fn organisation_shape(content: impl AsRef<[u8]>) -> Vec<String> {
    shape(reading(content, organisations), |record| record.line)
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/directory").join(name)
}

fn organisation(line: u64, [domain, tenant_id, tenant_name, country, language]: [&str; 5]) -> OrganisationRecord {
    OrganisationRecord {
        line,
        domain: domain.to_owned(),
        tenant_id: tenant_id.to_owned(),
        tenant_name: tenant_name.to_owned(),
        country: country.to_owned(),
        language: language.to_owned(),
    }
}

fn check_organisations(name: &str, lines: [u64; 4]) {
    let expect = [
        ["isarwerk.example", "t-100", "Isarwerk Maschinenbau GmbH", "DE", "de"],
        ["isarwerk-service.example", "t-100", "Isarwerk Maschinenbau GmbH", "DE", "de"],
        ["fjordlys.example", "t-200", "Fjordlys; Energi, AS", "NO", "nb"],
        ["quilt-and-co.example", "t-300", "=Quilt & Co", "GB", ""],
    ];
    let expect: Vec<_> = lines.into_iter().zip(expect).map(|(line, texts)| organisation(line, texts)).collect();
    assert_eq!(whole(organisations(&sample(name), None)), expect);
}

fn check_contacts(name: &str, lines: [u64; 5]) {
    let expect = "\
        t-100|security|Anna Größe|anna.groesse@isarwerk.example|de|email|Europe/Berlin|10|active|verified|yes\n\
        t-100|privacy|Datenschutz|datenschutz@isarwerk.example|de||||||no\n\
        t-200|legal|Berg, Kari|kari.berg@fjordlys.example|nb||Europe/Oslo||disabled|unverified|\n\
        t-300|account-manager|@Home Office|office@quilt-and-co.example|||||||\n\
        t-300|account-manager|@Home Office|home@quilt-and-co.example|||||||\n";
    let contacts = whole(contacts(&sample(name), None));
    let line = |contact: &ContactRecord| {
        let ContactRecord { line: _, tenant_id, role, name, email, language, channel, .. } = contact;
        let ContactRecord { timezone, priority, state, verified, may_be_named, .. } = contact;
        let first = [tenant_id, role, name, email, language, channel].map(String::as_str).join("|");
        first + "|" + &[timezone, priority, state, verified, may_be_named].map(String::as_str).join("|") + "\n"
    };
    assert_eq!(contacts.iter().map(line).collect::<String>(), expect);
    assert_eq!(contacts.iter().map(|contact| contact.line).collect::<Vec<_>>(), lines);
}

#[test]
fn the_sample_organisations_are_the_same_in_all_formats() {
    check_organisations("organisations.csv", [2, 3, 4, 5]);
    check_organisations("organisations.jsonl", [1, 2, 3, 4]);
    check_organisations("organisations.scim.json", [7, 7, 28, 38]);
    check_organisations("organisations.vcf", [1, 1, 15, 30]);
}

#[test]
fn the_sample_contacts_are_the_same_in_all_formats() {
    check_contacts("contacts.csv", [2, 3, 4, 5, 6]);
    check_contacts("contacts.jsonl", [1, 2, 3, 4, 5]);
    check_contacts("contacts.scim.json", [1, 2, 4, 5, 5]);
    check_contacts("contacts.vcf", [1, 20, 36, 48, 48]);
}

#[test]
fn rows_and_records_are_the_same() {
    for name in ["organisations.csv", "organisations.jsonl", "organisations.scim.json", "organisations.vcf"] {
        let mut reader = Organisations::open(&sample(name), None).unwrap();
        let mut rows = Vec::new();
        while let Some(DirectoryRecord::Record(row)) = reader.next_row().unwrap() {
            rows.push(OrganisationRecord::from(row));
        }
        assert_eq!(rows, whole(organisations(&sample(name), None)), "{name}");
    }
}

#[test]
fn a_packed_file_or_one_in_utf_16_is_the_same_in_all_formats() {
    for name in ["contacts.csv", "contacts.jsonl", "contacts.scim.json", "contacts.vcf"] {
        let text = fs::read_to_string(sample(name)).unwrap();
        let plain = whole(contacts(&sample(name), None));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
        let zstd = zstd::stream::encode_all(text.as_bytes(), 1).unwrap();
        let utf16 = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [b"\xEF\xBB\xBF", text.as_bytes()].concat();
        for content in [gzip.finish().unwrap(), zstd, utf16, marked] {
            assert_eq!(whole(reading(content, contacts)), plain, "{name}");
        }
    }
}

#[test]
fn a_format_that_is_said_is_not_found_out() {
    let check = |name: &str, format, expect: &str| {
        let error = contacts(&sample(name), Some(format)).unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
    };
    check("contacts.csv", DirectoryFormat::Scim, "as SCIM: it does not begin with { or [");
    check("contacts.csv", DirectoryFormat::VCard, "as vCard: it does not begin with BEGIN:VCARD");
    check("contacts.vcf", DirectoryFormat::Csv, "has no column tenant_id, role, email");
}

#[test]
fn an_empty_file_is_an_error_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty");
    fs::write(&path, " \n").unwrap();
    for name in ["csv", "jsonl"] {
        let format = DirectoryFormat::parse(name).unwrap();
        assert!(matches!(contacts(&path, format), Err(SourceError::Empty { .. })), "{name}");
    }
    for name in ["scim", "vcard"] {
        let format = DirectoryFormat::parse(name).unwrap();
        assert!(matches!(contacts(&path, format), Err(SourceError::NotOfFormat { .. })), "{name}");
    }
}
