//! Files as the RFC shows them, and as nobody should write them.

use proptest::prelude::*;

use super::*;

const FROM: &str = "https://example.com/.well-known/security.txt";
const EXPIRES: &str = "Expires: 2027-12-31T18:37:07z\n";

fn now() -> Timestamp {
    "2026-11-23T09:30:00Z".parse().unwrap()
}

fn read(text: &str) -> SecurityTxt {
    parse(text.as_bytes(), FROM, now()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn refused(text: &str) -> BadSecurityTxt {
    parse(text.as_bytes(), FROM, now()).unwrap_err()
}

fn mails(file: &SecurityTxt) -> Vec<&str> {
    fn mail(contact: &Contact) -> Option<&str> {
        match contact {
            Contact::Mail(address) => Some(address.as_str()),
            Contact::Web(_) | Contact::Phone(_) => None,
        }
    }
    file.contacts.iter().filter_map(mail).collect()
}

/// RFC 9116 2.6, first example, its year moved.
#[test]
fn the_unsigned_example_of_the_rfc_is_read() {
    let file = read(
        "# Our security address\nContact: mailto:security@example.com\n\n# Our OpenPGP key\n\
         Encryption: https://example.com/pgp-key.txt\n\n# Our security policy\n\
         Policy: https://example.com/security-policy.html\n\n# Our security acknowledgments page\n\
         Acknowledgments: https://example.com/hall-of-fame.html\n\nExpires: 2027-12-31T18:37:07z\n",
    );
    assert_eq!(mails(&file), ["security@example.com"]);
    assert_eq!(file.expires.to_string(), "2027-12-31T18:37:07Z");
    assert_eq!(file.others[0], ("Encryption", "https://example.com/pgp-key.txt".to_owned()));
    assert_eq!(file.others.len(), 3);
    assert!(!file.expired && !file.not_canonical && file.notes.is_empty());
}

/// RFC 9116 2.6, second example, its signature shortened.
#[test]
fn the_signed_example_of_the_rfc_is_read() {
    let file = read(
        "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n# Canonical URI\r\n\
         Canonical: https://example.com/.well-known/security.txt\r\n\r\n# Our security address\r\n\
         Contact: mailto:security@example.com\r\n\r\nExpires: 2027-12-31T18:37:07.5+01:00\r\n\
         -----BEGIN PGP SIGNATURE-----\r\n\r\niQ\r\n=ab12\r\n-----END PGP SIGNATURE-----\r\n",
    );
    assert_eq!(mails(&file), ["security@example.com"]);
    assert_eq!(file.signature, Signature::Unverified);
    assert!(!file.not_canonical);
}

/// RFC 9116 2.5.3.
#[test]
fn contacts_keep_the_order_of_preference_and_their_kind() {
    let file = read(&format!(
        "CONTACT: mailto:security%2Buri%2Bencoded@example.com\ncontact:tel:+1-201-555-0123\n\
         Contact:\thttps://example.com/security-contact.html \n{EXPIRES}"
    ));
    assert_eq!(mails(&file), ["security+uri+encoded@example.com"]);
    assert_eq!(file.contacts[1], Contact::Phone("+1-201-555-0123".to_owned()));
    assert_eq!(file.contacts[2], Contact::Web("https://example.com/security-contact.html".to_owned()));
}

/// RFC 9116 2.5.8.
#[test]
fn languages_keep_their_order_and_the_first_field_counts() {
    let file = read(&format!(
        "Contact: mailto:a@example.com\nPreferred-Languages: en, ES , fr, <b>\nPreferred-Languages: de\n{EXPIRES}"
    ));
    assert_eq!(file.languages, ["en", "es", "fr"]);
    assert!(file.notes[0].starts_with("line 3 is left out: it is a second Preferred-Languages"), "{:?}", file.notes);
}

#[test]
fn unknown_fields_are_ignored_and_other_lines_noted() {
    let file = read(&format!("\u{feff}X-Mood: fine\nnonsense\nContact: mailto:a@example.com\n{EXPIRES}"));
    assert_eq!(file.notes, ["line 2 is left out: it is neither a field nor a comment"]);
}

#[test]
fn a_bare_address_is_noted_and_not_used() {
    let file = read(&format!("Contact: security@example.com\nContact: http://example.com/\n{EXPIRES}"));
    assert_eq!(file.contacts, []);
    assert_eq!(
        file.notes,
        [
            "line 1 is left out: security@example.com has no mailto: in front, so the file is not valid there",
            "line 2 is left out: http://example.com/ is not https",
        ]
    );
}

#[test]
fn an_injected_header_is_refused() {
    let file = read(&format!("Contact: mailto:a@example.com%0d%0aBcc:b@evil.example\n{EXPIRES}"));
    assert_eq!(file.contacts, []);
    assert!(file.notes[0].contains("control character"), "{:?}", file.notes);
}

#[test]
fn a_file_out_of_date_is_returned_and_says_so() {
    let file = read("Contact: mailto:a@example.com\nExpires: 2026-11-23T09:30:00Z\n");
    assert!(file.expired);
}

#[test]
fn a_file_for_ever_is_good_for_ever() {
    let file = read("Contact: mailto:a@example.com\nExpires: 9999-12-31T23:59:59Z\n");
    assert_eq!(file.expires.date(), "9999-12-30");
}

#[test]
fn expires_stands_there_once_and_as_the_rfc_writes_times() {
    let with = |expires: &str| refused(&format!("Contact: mailto:a@example.com\n{expires}"));
    assert_eq!(with(""), BadSecurityTxt::NoExpires);
    assert_eq!(with(&format!("{EXPIRES}{EXPIRES}")), BadSecurityTxt::ExpiresTwice);
    for bad in [
        "2027-12-31",
        "tomorrow",
        "2027-13-01T00:00:00Z",
        "2027-12-31 18:37:07Z",
        "Thu, 31 Dec 2020 18:37:07 -0800",
        "2027-12-31T18:37:07",
        "2027-12-31T18:37:07.Z",
        "2027-12-31T18:37:07Z[UTC]",
    ] {
        assert_eq!(with(&format!("Expires: {bad}")), BadSecurityTxt::BadExpires(bad.to_owned()));
    }
    assert!(matches!(with("Expires:"), BadSecurityTxt::BadExpires(_)));
}

#[test]
fn a_file_from_elsewhere_than_it_says_is_not_canonical() {
    let at = |canonical: &str| read(&format!("Contact: mailto:a@example.com\n{canonical}{EXPIRES}")).not_canonical;
    assert!(!at(""));
    assert!(!at("Canonical: https://www.example.com/x\nCanonical: HTTPS://EXAMPLE.com:443/.well-known/security.txt\n"));
    assert!(at("Canonical: https://www.example.com/.well-known/security.txt\n"));
    assert!(at("Canonical: nonsense\n"));
}

#[test]
fn what_is_no_security_txt_says_why() {
    assert_eq!(refused(""), BadSecurityTxt::NoContact);
    assert_eq!(refused("<html><body>Not found</body></html>"), BadSecurityTxt::NoContact);
    assert_eq!(refused(EXPIRES), BadSecurityTxt::NoContact);
    assert_eq!(refused(&"\n".repeat(1_001)), BadSecurityTxt::TooManyLines);
    assert_eq!(refused(&"x".repeat(65_537)), BadSecurityTxt::TooLong(65_537));
    assert_eq!(parse(b"Contact: mailto:m\xfcller@example.com\n", FROM, now()), Err(BadSecurityTxt::NotUtf8));
    assert_eq!(parse(b"\xff\xfeC\0o\0n\0", FROM, now()), Err(BadSecurityTxt::NotUtf8));
    assert!(matches!(refused("-----BEGIN PGP SIGNED MESSAGE-----\n"), BadSecurityTxt::Signature(_)));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, FROM, now());
    }

    #[test]
    fn lines_in_any_order_never_panic_and_are_valid_or_refused(
        lines in proptest::collection::vec(
            prop_oneof![
                Just("-----BEGIN PGP SIGNED MESSAGE-----".to_owned()),
                Just("-----BEGIN PGP SIGNATURE-----".to_owned()),
                Just("-----END PGP SIGNATURE-----".to_owned()),
                Just("Hash: SHA256".to_owned()),
                Just(String::new()),
                Just("Contact: mailto:a@example.com".to_owned()),
                Just(EXPIRES.trim().to_owned()),
                r"(Contact|Expires|Canonical|Policy|-): ?(mailto:|https:)?\PC{0,20}",
            ],
            0..12,
        )
    ) {
        if let Ok(file) = parse(lines.join("\n").as_bytes(), FROM, now()) {
            prop_assert!(lines.iter().filter(|line| line.to_ascii_lowercase().contains("expires")).count() >= 1);
            prop_assert!(file.contacts.len() <= lines.len());
        }
    }
}
