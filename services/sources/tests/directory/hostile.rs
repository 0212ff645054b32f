//! Directory files that nobody should bring: each is an error or malformed, in bounded memory and time.

use sources::SourceError;

use super::{contact_shape, contacts, organisation_shape, organisations, reading};

const MIB: usize = 1024 * 1024;
const TOO_LONG: &str = "m1 it is longer than 1 MiB";

#[test]
fn deep_nesting_is_passed_over_or_refused() {
    let deep = format!("{}{}", "[".repeat(300_000), "]".repeat(300_000));
    let user = |value: &str| format!("[{{\"userName\":\"a@b.example\",\"photos\":{value}}}]");
    assert_eq!(contact_shape(user(&deep)), ["r1"]);
    assert_eq!(contact_shape(&deep), ["m1 it is no JSON object"]);
    assert_eq!(contact_shape(format!("{{\"email\":\"\",\"x\":{deep}}}")), ["r1"]);
    let objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(contact_shape(user(&objects)), ["r1"]);
    assert!(reading("[".repeat(300_000), contacts).is_err());
}

#[test]
fn a_name_of_10_mib_is_refused_in_every_format() {
    let name = "x".repeat(10 * MIB);
    let csv = format!("domain,tenant_id,tenant_name\na.example,t,{name}\n");
    assert!(matches!(reading(csv, organisations), Err(SourceError::TooLong { line: 2, .. })));
    let json = format!("{{\"domain\":\"a.example\",\"tenant_name\":\"{name}\"}}\n");
    assert!(matches!(reading(json, organisations), Err(SourceError::TooLong { line: 1, .. })));
    assert_eq!(contact_shape(format!("[{{\"userName\":\"a@b.example\",\"displayName\":\"{name}\"}}]")), [TOO_LONG]);
    assert_eq!(contact_shape(format!("BEGIN:VCARD\nFN:{name}\nEMAIL:a@b.example\nEND:VCARD\n")), [TOO_LONG]);
}

#[test]
fn a_long_text_does_not_multiply_with_the_addresses() {
    let name = "x".repeat(5000);
    let expect = format!("m1 a text in it, {:?}…, is longer than 4 KiB", "x".repeat(20));
    assert_eq!(
        contact_shape(format!("[{{\"userName\":\"a@b.example\",\"displayName\":\"{name}\"}}]")),
        [expect.as_str()]
    );
    let domains = "X-FORTHRIGHT-DOMAIN:a.example\n".repeat(1000);
    assert_eq!(organisation_shape(format!("BEGIN:VCARD\nKIND:org\nFN:{name}\n{domains}END:VCARD\n")), [expect]);
}

#[test]
fn what_is_shown_of_a_malformed_card_is_cut() {
    let text = format!("BEGIN:VCARD\nFN:x\nNOTE:{}\nEND:VCARD\n", "y".repeat(MIB));
    let records = reading(text, contacts).unwrap();
    let sources::directory::DirectoryRecord::Malformed { raw, .. } = &records[0] else { panic!("{records:?}") };
    assert!(raw.starts_with("BEGIN:VCARD\nFN:x\nNOTE:yyy") && raw.ends_with("y…"));
    assert_eq!(raw.len(), 64 * 1024 + "…".len());
}

#[test]
fn a_photo_of_2_mib_in_one_line_or_in_folded_lines_is_no_hindrance() {
    for photo in ["x".repeat(2 * MIB), "xxx\n ".repeat(MIB)] {
        let text = format!("BEGIN:VCARD\nPHOTO;ENCODING=b:{photo}\nEMAIL:a@b.example\nEND:VCARD\n");
        assert_eq!(contact_shape(text), ["r1"]);
    }
    let text = format!("BEGIN:VCARD\nPHOTO:{}\nEND:VCARD\n", "x".repeat(17 * MIB));
    let error = reading(text, contacts).unwrap_err().to_string();
    assert!(error.contains("after line 1, a line is longer than 16 MiB"), "{error}");
}

#[test]
fn nul_bytes_in_a_name_are_part_of_it_and_a_binary_file_is_refused() {
    let card = "BEGIN:VCARD\nFN:a\0b\nEMAIL:a@b.example\nEND:VCARD\n";
    assert_eq!(contact_shape(card), ["r1"]);
    let error = reading("[{\"userName\":\"a\0@b.example\"}]", contacts).unwrap_err().to_string();
    assert!(error.contains("it is no JSON any more"), "{error}");
    assert_eq!(contact_shape("[{\"userName\":\"a@b.example\",\"displayName\":\"a\\u0000b\"}]"), ["r1"]);
    assert_eq!(organisation_shape("domain,tenant_id,tenant_name\na.example,t,a\0b\n"), ["r2"]);
    assert!(matches!(reading(b"BEGIN:VCARD\n\0\x01\x02\0\x01\x02", contacts), Err(SourceError::NotText { .. })));
}

#[test]
fn a_file_that_is_cut_short_is_noticed() {
    let user = "{\"userName\":\"a@b.example\"}";
    let error = reading(format!("{{\"Resources\":[\n{user},\n{user}"), contacts).unwrap_err().to_string();
    assert!(error.contains("after line 3, its JSON ends too early"), "{error}");
    let error = reading(format!("[\n{user},\n{user}"), contacts).unwrap_err().to_string();
    assert!(error.contains("its JSON ends too early"), "{error}");
    assert_eq!(contact_shape("BEGIN:VCARD\nEMAIL:a@b"), ["m1 it has no END:VCARD; the file may be cut short"]);
    let packed = zstd::stream::encode_all(format!("[{user}]").as_bytes(), 1).unwrap();
    assert!(matches!(reading(&packed[..packed.len() - 3], contacts), Err(SourceError::Damaged { .. })));
}

#[test]
fn what_is_no_json_any_more_is_an_error_with_its_line() {
    let error = reading("[{\"userName\":\"a@b.example\"},\n{]", contacts).unwrap_err().to_string();
    assert!(error.contains("after line 2, it is no JSON any more"), "{error}");
}

#[test]
fn bytes_that_are_no_characters_cost_their_row_or_card_and_a_scim_file_as_a_whole() {
    // Enough right characters, so that nobody takes the file for Windows-1252.
    let row = b"\xC3\xA4\xC3\xA4\xC3\xA4.example,t,N\n\xFF.example,t,N\nb.example,t,N\n";
    let csv = [b"domain,tenant_id,tenant_name\n".as_slice(), row].concat();
    assert_eq!(organisation_shape(csv), ["r2", "m3 domain is no text, or has bytes that are no characters", "r4"]);
    let cards =
        b"BEGIN:VCARD\nFN:\xC3\xA4\xC3\xA4\xC3\xA4\nEMAIL:a@b.example\nEND:VCARD\nBEGIN:VCARD\nFN:\xFF\nEND:VCARD\n";
    assert_eq!(contact_shape(cards), ["r1", "m5 it has bytes that are no UTF-8"]);
    let json = b"[{\"displayName\":\"\xC3\xA4\xC3\xA4\xC3\xA4\"},\n{\"displayName\":\"\xFF\"}]";
    assert!(matches!(reading(json, contacts), Err(SourceError::NotUtf8 { line: 2, .. })));
}

#[test]
fn a_card_that_never_ends_is_one_malformed_record() {
    let text = format!("BEGIN:VCARD\n{}", "EMAIL:a@b.example\n".repeat(500_000));
    assert_eq!(contact_shape(text), [TOO_LONG]);
    let text = format!("BEGIN:VCARD\n{}", "X-OTHER:y\n".repeat(500_000));
    assert_eq!(contact_shape(text), ["m1 it has no END:VCARD; the file may be cut short"]);
}

#[test]
fn a_beginning_within_a_card_ends_the_first_one() {
    let text = "BEGIN:VCARD\n".repeat(3) + "EMAIL:a@b.example\nEND:VCARD\nEND:VCARD\n";
    assert_eq!(
        contact_shape(text),
        [
            "m1 it has no END:VCARD before the next begins in line 2",
            "m2 it has no END:VCARD before the next begins in line 3",
            "r3",
            "m6 it stands outside of BEGIN:VCARD and END:VCARD"
        ]
    );
}

mod any {
    use proptest::prelude::*;

    use super::{contacts, organisations, reading};

    const BEGINNINGS: [&str; 5] = ["[", "{", "{\"Resources\":[", "BEGIN:VCARD\n", "domain,tenant_id,tenant_name\n"];
    #[rustfmt::skip]
    const PIECES: [&str; 24] = [
        "{", "}", "[", "]", ",", ":", "\"", "\\", "\n", "\r\n ", "=", ";", "a", "ä", "\u{a0}", "\0", "null", "1",
        "\"userName\":\"a@b\"", "\"emails\":[", "BEGIN:VCARD\n", "END:VCARD\n", "EMAIL;PREF=:",
        "FN;QUOTED-PRINTABLE:",
    ];

    proptest! {
        #[test]
        fn any_pieces_behind_any_beginning_end_without_a_panic(
            beginning in prop::sample::select(&BEGINNINGS),
            pieces in prop::collection::vec(prop::sample::select(&PIECES), 0..40),
        ) {
            let text = beginning.to_owned() + &pieces.concat();
            let read = reading(&text, organisations).map(|records| records.len());
            prop_assert!(read.is_err() || read.unwrap() <= text.len());
            let read = reading(&text, contacts).map(|records| records.len());
            prop_assert!(read.is_err() || read.unwrap() <= text.len());
        }
    }
}
