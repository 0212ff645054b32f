//! Files as people bring them, and as nobody should.

use std::fs;
use std::path::{Path, PathBuf};

use model::intake::{Field, RawRow};
use proptest::prelude::*;

use crate::{Encoding, Format, Manifest, Options, Record, SourceError, Table, TableRecord, digest, read_list};

mod columns;
mod encodings;
mod expand;
mod hostile;
mod packed;
mod presets;
mod refusals;

const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

/// A file in a folder of its own.
struct Given {
    folder: tempfile::TempDir,
    name: &'static str,
}

impl Given {
    fn path(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }
}

fn given(name: &'static str, content: impl AsRef<[u8]>) -> Given {
    let given = Given { folder: tempfile::tempdir().unwrap(), name };
    fs::write(given.path(), content).unwrap();
    given
}

/// One letter a record and its line: `r2` a row in line 2, `m3` malformed, `b` blank.
fn shape(path: &Path, options: &Options) -> Result<String, SourceError> {
    let mut manifest = Manifest::open(path, options)?;
    let mut shape = Vec::new();
    while let Some(record) = manifest.next_record()? {
        shape.push(match record {
            Record::Blank => "b".to_owned(),
            Record::Row { line, .. } => format!("r{line}"),
            Record::Malformed { line, .. } => format!("m{line}"),
        });
    }
    Ok(shape.join(" "))
}

fn check_shape(name: &'static str, content: impl AsRef<[u8]>, expect: &str) {
    let given = given(name, content);
    assert_eq!(shape(&given.path(), &Options::default()).unwrap(), expect);
}

/// Domain and raw text of the only row.
fn only_row(content: impl AsRef<[u8]>, options: &Options) -> (String, Vec<u8>) {
    let given = given("m", content);
    let mut manifest = Manifest::open(&given.path(), options).unwrap();
    let got = match manifest.next_record().unwrap() {
        Some(Record::Row { row, raw, .. }) => (format!("{:?}", row.domain), raw.to_owned()),
        other => panic!("{other:?}"),
    };
    assert!(manifest.next_record().unwrap().is_none());
    got
}

fn text(text: &str) -> String {
    format!("{:?}", Field::from(text))
}

#[test]
fn lines_are_physical_and_the_header_is_the_first() {
    check_shape("m.csv", format!("{HEADER}1,2,3,4,5,6,7,8\n1,2,3\n1,2,3,4,5,6,7,8"), "r2 m3 r4");
    check_shape("m.csv", format!("{HEADER}\"1\n\n1\",2,3,4,5,6,7,8\n \n1,2,3,4,5,6,7,8,9\n"), "r2 b m6");
    check_shape("m.csv", format!("\n{HEADER}\t\u{a0}\r\n,,,,,,,\n"), "b b r4");
    check_shape("m.csv", HEADER, "");
    check_shape("m.jsonl", "\n{}\n\n[1]\n{\n{\"domain\":\"a\"}", "b r2 b m4 m5 r6");
}

#[test]
fn both_formats_may_begin_with_a_byte_order_mark() {
    check_shape("m.csv", format!("\u{feff}{HEADER}1,2,3,4,5,6,7,8\n"), "r2");
    check_shape("m", "\u{feff}{\"domain\":\"a\"}\n", "r1");
}

#[test]
fn the_delimiter_is_found_in_the_header() {
    for delimiter in [",", ";", "\t", "|"] {
        let content = format!("{HEADER}a,b.example,c,d,e,1,f,g\r\n").replace(',', delimiter);
        let (domain, raw) = only_row(&content, &Options::default());
        assert_eq!(domain, text("b.example"));
        assert_eq!(raw, content.lines().nth(1).unwrap().as_bytes());
    }
}

#[test]
fn columns_can_have_other_names_and_other_places_and_be_absent() {
    let options = Options {
        columns: vec![("host, name".to_owned(), "domain".to_owned())],
        absent: ["email", "data_type", "document_date", "size_bytes", "project_id", "user_id"]
            .map(str::to_owned)
            .to_vec(),
        ..Options::default()
    };
    let content = "extra,object_path,\"host, name\",email\nx,p,a.example,e\n";
    assert_eq!(only_row(content, &options).0, text("a.example"));
    let manifest = Manifest::open(&given("m", content).path(), &options).unwrap();
    assert_eq!(manifest.notes(), ["columns that are not used: extra, email"]);
    let content = "{\"host, name\":\"a.example\",\"domain\":\"b.example\"}";
    assert_eq!(only_row(content, &options).0, text("a.example"));
}

fn refusal(content: impl AsRef<[u8]>, options: &Options) -> SourceError {
    shape(&given("m", content).path(), options).unwrap_err()
}

#[test]
fn a_field_that_is_not_utf_8_is_invalid_and_leaves_the_others_alone() {
    let content = [HEADER.as_bytes(), b"p\xff,a.example,c,d,e,1,f,\xc3\n"].concat();
    let given_csv = given("m.csv", content);
    let given_json = given("m.jsonl", b"{\"object_path\":\"p\xff\",\"domain\":\"a.example\",\"user_id\":\"\xc3\"}\n");
    let options = Options { encoding: Encoding::Utf8, ..Options::default() };
    for file in [given_csv, given_json] {
        let mut manifest = Manifest::open(&file.path(), &options).unwrap();
        let Some(Record::Row { row, raw, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
        assert_eq!((&row.object_path, &row.user_id), (&Field::Invalid, &Field::Invalid));
        assert_eq!(row.domain, Field::from("a.example"));
        assert!(raw.contains(&0xff));
    }
}

#[test]
fn two_fields_that_share_a_character_between_them_are_both_invalid() {
    let content = [HEADER.as_bytes(), b"\"p\xc3\",\"\xa4\",c,d,e,1,f,g\n"].concat();
    let file = given("m.csv", content);
    let options = Options { encoding: Encoding::Utf8, ..Options::default() };
    let mut manifest = Manifest::open(&file.path(), &options).unwrap();
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    assert_eq!((row.object_path, row.domain, row.email), (Field::Invalid, Field::Invalid, Field::from("c")));
    assert!(manifest.next_record().unwrap().is_none());
    assert!(manifest.notes()[0].contains("whose fields are invalid: 1"), "{:?}", manifest.notes());
}

#[test]
fn an_open_quote_in_the_last_line_spoils_that_row_only() {
    check_shape("m.csv", format!("{HEADER}1,2,3,4,5,6,7,8\n\"1,2,3,4,5,6,7,8\n"), "r2 m3");
}

#[test]
fn tables_give_trimmed_texts_by_name_from_either_format() {
    let csv = given("t.csv", "tenant_id;name\n t-1 ;\"A; B\"\n\nt-2\nt-3;\n");
    let json = given(
        "t.jsonl",
        "{\"tenant_id\":\" t-1\",\"name\":\"A; B\"}\n \n{\"tenant_id\":[1]}\n{\"tenant_id\":\"t-3\"}\n",
    );
    for (file, first) in [(csv, 2), (json, 1)] {
        let mut table = Table::open(&file.path(), &["tenant_id"], &["name", "priority"]).unwrap();
        let mut got = Vec::new();
        while let Some(record) = table.next_row().unwrap() {
            got.push(match record {
                TableRecord::Row(row) => {
                    format!("{} {}|{}|{}", row.line, row.get("tenant_id"), row.get("name"), row.get("priority"))
                }
                TableRecord::Malformed { line, .. } => format!("{line} malformed"),
            });
        }
        let expect = [format!("{first} t-1|A; B|"), format!("{} malformed", first + 2), format!("{} t-3||", first + 3)];
        assert_eq!(got, expect);
    }
}

#[test]
fn lists_are_entries_with_their_lines() {
    let file = given("l.txt", "\u{feff}# free mail\n gmail.example # the first\r\n\n\u{fc}.example");
    assert_eq!(read_list(&file.path()).unwrap(), [(2, "gmail.example".to_owned()), (4, "ü.example".to_owned())]);
}

#[test]
fn the_digest_is_the_sha_256_of_the_bytes() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(digest(&given("d", "abc").path()).unwrap(), (abc.to_owned(), 3));
    let long = vec![b'x'; 200_001];
    assert_eq!(digest(&given("d", &long).path()).unwrap(), (model::digest::sha256(&long), 200_001));
}

/// A small writer of CSV, independent of the reader: quotes what needs it, and at will what does not.
fn written(rows: &[Vec<String>], delimiter: char, end: &str, quote_all: bool) -> String {
    let field = |text: &String| {
        let needed = text.contains([delimiter, '"', '\n', '\r']);
        if needed || quote_all { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.clone() }
    };
    let line = |row: &Vec<String>| row.iter().map(field).collect::<Vec<_>>().join(&delimiter.to_string()) + end;
    rows.iter().map(line).collect()
}

proptest! {
    #[test]
    fn what_is_written_reads_back_with_its_lines(
        rows in prop::collection::vec(prop::collection::vec("[ab,;\"\n\r ä]{0,6}", 8), 0..8),
        delimiter in prop::sample::select(vec![',', ';', '\t', '|']),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        quote_all in any::<bool>(),
    ) {
        let header: Vec<String> = RawRow::FIELDS.iter().map(|name| (*name).to_owned()).collect();
        let content = written(&[vec![header], rows.clone()].concat(), delimiter, end, quote_all);
        let file = given("m.csv", content);
        let mut manifest = Manifest::open(&file.path(), &Options::default()).unwrap();
        let mut at = 2;
        for row in &rows {
            let alone = written(std::slice::from_ref(row), delimiter, end, quote_all);
            match manifest.next_record().unwrap() {
                Some(Record::Row { line, raw, row: got }) => {
                    prop_assert_eq!(line, at);
                    prop_assert_eq!(raw, &alone.as_bytes()[..alone.len() - end.len()]);
                    let fields: Vec<Field<'_>> = row.iter().map(|text| Field::from(text.as_str())).collect();
                    prop_assert_eq!(got, RawRow::from_fields(fields.try_into().unwrap()));
                }
                Some(Record::Blank) => prop_assert!(alone.trim().is_empty()),
                other => prop_assert!(false, "{:?}", other),
            }
            at += alone.matches('\n').count() as u64;
        }
        prop_assert!(manifest.next_record().unwrap().is_none());
    }

    #[test]
    fn any_bytes_are_rows_blanks_or_malformed_and_nothing_is_lost(
        body in prop::collection::vec(prop_oneof![
            prop::sample::select(b",\"\n\r {}[]:a1\\".to_vec()), any::<u8>(),
        ], 0..200),
        json in any::<bool>(),
    ) {
        let (format, header) = if json { (Format::JsonLines, "{\"domain\":1}\n") } else { (Format::Csv, HEADER) };
        let content = [header.as_bytes(), &body].concat();
        let file = given("m", &content);
        let options = Options { format, ..Options::default() };
        let mut manifest = match Manifest::open(&file.path(), &options) {
            Ok(manifest) => manifest,
            // Control characters, which no text has so many of, or carriage returns alone.
            Err(SourceError::NotText { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        let (mut lines, mut last, mut blanks) = (u64::from(!json), 0, 0);
        loop {
            match manifest.next_record() {
                Ok(None) => break,
                Err(SourceError::UnclosedQuote { line, .. }) => {
                    prop_assert!(!json && line > last);
                    return Ok(());
                }
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
                Ok(Some(Record::Blank)) => { lines += 1; blanks += 1; }
                Ok(Some(Record::Row { line, raw, .. } | Record::Malformed { line, raw, .. })) => {
                    prop_assert!(line > last);
                    prop_assert_eq!(line, lines + 1);
                    last = line;
                    lines += 1 + raw.iter().filter(|byte| **byte == b'\n').count() as u64;
                }
            }
        }
        prop_assert_eq!(manifest.bytes_read(), content.len() as u64);
        prop_assert_eq!(lines, content.split_inclusive(|byte| *byte == b'\n').count() as u64);
        prop_assert!(blanks <= lines);
    }
}
