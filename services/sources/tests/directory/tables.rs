//! Directories in CSV and JSON Lines.

use super::{contact_shape, contacts, organisation_shape, organisations, reading, whole};

#[test]
fn columns_stand_in_any_order_and_further_ones_are_left_out() {
    let text = "email;note;role;tenant_id\na@b.example;x;legal;t-1\n";
    let records = whole(reading(text, contacts));
    assert_eq!((records[0].email.as_str(), records[0].tenant_id.as_str()), ("a@b.example", "t-1"));
}

#[test]
fn a_row_that_is_none_says_why_and_the_next_is_read() {
    let text = "domain,tenant_id,tenant_name\na.example,t-1\nb.example,t-2,B\nc.example,\"t-3,C";
    assert_eq!(
        organisation_shape(text),
        ["m2 columns: 2 here, 3 in the header", "r3", "m4 a quotation mark is opened and not closed"]
    );
    let text = "{\"tenant_id\":\"t\",\"role\":\"legal\",\"email\":true}\n{}\n{";
    assert_eq!(
        contact_shape(text),
        [
            "m1 email is no text, or has bytes that are no characters",
            "r2",
            "m3 not one JSON object, which shows at byte 1"
        ]
    );
}

#[test]
fn a_missing_column_is_an_error_with_its_name() {
    let error = reading("domain,tenant_id\n", organisations).unwrap_err().to_string();
    assert!(error.contains("no column tenant_name"), "{error}");
}

#[test]
fn only_names_in_csv_lose_the_apostrophe_of_a_formula() {
    let text = "domain,tenant_id,tenant_name\na.example,'=1,'=1\n";
    let records = whole(reading(text, organisations));
    assert_eq!((records[0].tenant_id.as_str(), records[0].tenant_name.as_str()), ("'=1", "=1"));
    let text = "{\"domain\":\"a.example\",\"tenant_id\":\"'=1\",\"tenant_name\":\"'=1\"}";
    assert_eq!(whole(reading(text, organisations))[0].tenant_name, "'=1");
}

#[test]
fn a_guessed_encoding_is_noted() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("file.csv", b"domain,tenant_id,tenant_name\na.example,t-1,M\xFCller\n".as_slice()),
        ("file.vcf", b"BEGIN:VCARD\nKIND:org\nFN:M\xFCller\nX-FORTHRIGHT-DOMAIN:a.example\nEND:VCARD\n"),
        ("file.json", b"[{\"displayName\":\"M\xFCller\",\"members\":[]}]"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let reader = sources::directory::Organisations::open(&path, None).unwrap();
        assert!(reader.notes()[0].contains("Windows-1252"), "{:?}", reader.notes());
    }
}
