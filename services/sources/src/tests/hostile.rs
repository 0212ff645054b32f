//! Files that are made to break a reader, or look as if they were.

use model::intake::{Reject, read_row};
use model::taxonomy::Taxonomy;

use super::*;

/// The fault of each malformed record, by line.
fn faults(content: impl AsRef<[u8]>) -> Vec<(u64, String)> {
    let given = given("m", content);
    let mut manifest = Manifest::open(&given.path(), &Options::default()).unwrap();
    let mut faults = Vec::new();
    while let Some(record) = manifest.next_record().unwrap() {
        if let Record::Malformed { line, fault, .. } = record {
            faults.push((line, fault.to_string()));
        }
    }
    faults
}

#[test]
fn a_malformed_record_says_what_is_wrong_with_it() {
    let csv = format!("{HEADER}1,2,3\n1,2,3,4,5,6,7,8\n1,2,3,4,5,6,7,\"8\n");
    let expect = [
        (2, "columns: 3 here, 8 in the header".to_owned()),
        (4, "a quotation mark is opened and not closed".to_owned()),
    ];
    assert_eq!(faults(csv), expect);
    let json = "{}\n{\"domain\": x}\n[1]\n{\"a\":1}}\n";
    let shows = |byte| format!("not one JSON object, which shows at byte {byte}");
    assert_eq!(faults(json), [(2, shows(12)), (3, shows(1)), (4, shows(8))]);
}

#[test]
fn the_column_of_a_field_can_be_asked_for() {
    let options = Options {
        columns: vec![("host".to_owned(), "domain".to_owned())],
        absent: vec!["email".to_owned()],
        ..Options::default()
    };
    let csv = given("m", HEADER.replace("domain", "host"));
    let manifest = Manifest::open(&csv.path(), &options).unwrap();
    let domain = manifest.column_of("domain").unwrap();
    assert_eq!((domain.number, domain.name), (Some(2), "host"));
    assert!(manifest.column_of("email").is_none() && manifest.column_of("none").is_none());
    let json = given("m", "{}");
    let manifest = Manifest::open(&json.path(), &options).unwrap();
    let domain = manifest.column_of("domain").unwrap();
    assert_eq!((domain.number, domain.name), (None, "host"));
}

#[test]
fn five_thousand_columns_are_read_and_named_in_short() {
    let many = (0..5000).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
    let content = format!("{},{many}\n{}{}\n", HEADER.trim_end(), "1,2,3,4,5,6,7,8", ",x".repeat(5000));
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), &Options::default()).unwrap();
    let note = &manifest.notes()[0];
    assert!(note.starts_with("columns that are not used: c0, c1") && note.len() < 400, "{note}");
    assert!(matches!(manifest.next_record().unwrap(), Some(Record::Row { line: 2, .. })));
}

#[test]
fn a_cell_of_ten_megabytes_is_refused_with_its_line() {
    let cell = "x".repeat(10 * 1024 * 1024);
    for cell in [cell.clone(), format!("\"{cell}\"")] {
        let error = refusal(format!("{HEADER}1,2,3,4,5,6,7,8\n{cell},2,3,4,5,6,7,8\n"), &Options::default());
        assert!(matches!(error, SourceError::TooLong { line: 3, .. }), "{error}");
    }
}

#[test]
fn a_nul_in_a_field_spoils_that_field_only() {
    let content = format!("{HEADER}p\0,a.example,c,d,e,1,f,g\np,a\0.example,c,d,e,1,f,g\np,b.example,c,d,e,1,f,g\n");
    check_shape("m.csv", &content, "r2 r3 r4");
    let given = given("m.csv", content);
    let mut manifest = Manifest::open(&given.path(), &Options::default()).unwrap();
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    let read = read_row(&row, Taxonomy::builtin()).unwrap();
    assert_eq!((&*read.host, read.object_path), ("a.example", None));
    let Some(Record::Row { row, .. }) = manifest.next_record().unwrap() else { panic!("no row") };
    assert_eq!(read_row(&row, Taxonomy::builtin()), Err(Reject::BadDomain));
}

#[test]
fn a_nul_far_behind_the_head_makes_no_file_binary() {
    let content = HEADER.to_owned() + &"p,a.example,c,d,e,1,f,g\n".repeat(5000) + "\0,a.example,c,d,e,1,f,g\n";
    let given = given("m.csv", content);
    assert!(shape(&given.path(), &Options::default()).unwrap().ends_with("r5002"));
}

#[test]
fn two_byte_order_marks_are_left_out_and_said() {
    let given = given("m.csv", format!("\u{feff}\u{feff}{HEADER}1,2,3,4,5,6,7,8\n"));
    let manifest = Manifest::open(&given.path(), &Options::default()).unwrap();
    assert_eq!(manifest.notes(), ["the text begins with 2 byte order marks, which are left out"]);
    assert_eq!(shape(&given.path(), &Options::default()).unwrap(), "r2");
}

#[test]
fn lines_that_end_with_a_carriage_return_alone_are_refused() {
    let error = refusal(format!("{HEADER}1,2,3,4,5,6,7,8\n").replace('\n', "\r"), &Options::default()).to_string();
    assert!(
        error.contains("ends its lines with a carriage return alone") && error.contains("tr '\\r' '\\n'"),
        "{error}"
    );
    check_shape("m.csv", HEADER.replace('\n', "\r"), "");
}

#[test]
fn a_header_alone_has_no_rows_and_is_no_error() {
    check_shape("m.csv", HEADER, "");
    check_shape("m.csv", HEADER.trim_end(), "");
    check_shape("m.csv.gz", super::packed::gzip(HEADER), "");
}

#[test]
fn what_a_terminal_would_obey_is_not_shown_of_a_header() {
    let error = refusal("a\u{1b}[31m,b\n1,2\n", &Options::default()).to_string();
    assert!(!error.contains('\u{1b}') && error.contains("a\u{fffd}[31m"), "{error}");
}

#[test]
fn a_header_can_begin_like_a_binary_format() {
    for first in ["ORCID", "PARENT", "PAR1", "BZh9"] {
        check_shape("m.csv", format!("{first},{HEADER}x,1,2,3,4,5,6,7,8\n"), "r2");
    }
}

#[test]
fn a_manifest_can_go_to_another_thread() {
    fn check<T: Send + Sync>() {}
    check::<Manifest>();
    check::<Table>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn any_file_is_read_or_refused_and_never_a_panic(
        begin in prop::sample::select(vec![
            &b""[..], b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x28\xb5\x2f\xfd\x04\x58", b"PAR1\x15", b"\xff\xfe", b"\xfe\xff",
            b"\xef\xbb\xbf", b"{", b"Name,Content-Length\n", b"bucket,key\n", b"path,size,modified\n",
        ]),
        body in prop::collection::vec(any::<u8>(), 0..300),
        packed in any::<bool>(),
    ) {
        let content = [begin, &body].concat();
        let file = given("m", if packed { super::packed::gzip(&content) } else { content });
        let rule = Some(model::path_rule::PathRule::parse("**/{domain}").unwrap());
        let absent = ["email", "data_type", "document_date", "size_bytes", "project_id", "user_id"].map(str::to_owned).to_vec();
        let options = Options { path_rule: rule, absent, ..Options::default() };
        let Ok(mut manifest) = Manifest::open(&file.path(), &options) else { return Ok(()) };
        let mut records = 0;
        while let Ok(Some(_)) = manifest.next_record() {
            records += 1;
            prop_assert!(records < 1000);
        }
    }
}
