//! vCards as address books export them.

use super::{contact_shape, contacts, organisation_shape, organisations, reading, whole};

fn card(lines: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:4.0\r\n{lines}\r\nEND:VCARD\r\n")
}

#[test]
fn preferred_addresses_come_first_and_their_number_is_the_priority() {
    let text = card("EMAIL:c@x.example\r\nEMAIL;PREF=2:b@x.example\r\nEMAIL;PREF=1;TYPE=work:a@x.example");
    let records = whole(reading(&text, contacts));
    let got: Vec<_> = records.iter().map(|record| (record.email.as_str(), record.priority.as_str())).collect();
    assert_eq!(got, [("a@x.example", "1"), ("b@x.example", "2"), ("c@x.example", "")]);
    let text = card("EMAIL;PREF=2:b@x.example\r\nX-FORTHRIGHT-PRIORITY:50");
    assert_eq!(whole(reading(text, contacts))[0].priority, "50");
}

#[test]
fn the_type_of_version_3_prefers_an_address_without_a_priority() {
    let text = card("EMAIL;TYPE=INTERNET:b@x.example\r\nEMAIL;TYPE=INTERNET,pref:a@x.example");
    let records = whole(reading(text, contacts));
    let got: Vec<_> = records.iter().map(|record| (record.email.as_str(), record.priority.as_str())).collect();
    assert_eq!(got, [("a@x.example", ""), ("b@x.example", "")]);
}

#[test]
fn a_role_of_ours_is_found_in_other_words_and_another_stays_as_written() {
    let role = |lines: &str| whole(reading(card(&format!("EMAIL:a@x.example\n{lines}")), contacts)).remove(0).role;
    assert_eq!(role("ROLE:Programmer\nCATEGORIES:x,SECURITY"), "security");
    assert_eq!(role("ROLE:Account Manager"), "account-manager");
    assert_eq!(role("ROLE:Programmer\nCATEGORIES:x"), "Programmer");
    assert_eq!(role("ROLE:Legal\nX-FORTHRIGHT-ROLE:admin"), "admin");
}

#[test]
fn the_domain_is_the_host_of_the_url_where_none_is_named() {
    for url in ["https://me:pw@a.example:8443/x?y#z", "a.example", "http\\://a.example"] {
        let records = whole(reading(card(&format!("KIND:org\nFN:A\nURL:{url}")), organisations));
        assert_eq!(records[0].domain, "a.example", "{url}");
    }
    assert_eq!(organisation_shape(card("KIND:org\nFN:A\nURL:")), ["m1 it names no domain"]);
}

#[test]
fn a_line_that_was_folded_within_a_character_is_whole_again() {
    // Two whole characters more, so that nobody takes the text for Windows-1252.
    let text = b"BEGIN:VCARD\nNOTE:\xC3\xA4\xC3\xA4\nFN:Gr\xC3\n \xB6\xC3\x9Fe\nEMAIL:a@x.\n\texample\nEND:VCARD";
    let record = whole(reading(text, contacts)).remove(0);
    assert_eq!((record.name.as_str(), record.email.as_str()), ("Größe", "a@x.example"));
}

#[test]
fn quoted_printable_is_refused_where_it_matters_and_passed_over_elsewhere() {
    let text =
        card("NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\nb without a colon=\r\nEMAIL:no@x.example\r\nEMAIL:a@x.example");
    assert_eq!(whole(reading(text, contacts)).len(), 1);
    let text = card("FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg=\r\n =20X\r\nEMAIL:a@x.example");
    assert_eq!(contact_shape(text), ["m1 its FN is quoted-printable; export it as vCard 3.0 or 4.0"]);
}

#[test]
fn cards_and_lines_that_are_not_in_order_are_malformed_and_the_others_are_read() {
    let good = card("EMAIL:a@x.example");
    let text =
        format!("{good}junk\r\n\r\nmore junk\r\n{good}BEGIN:VCARD\r\nFN:X\r\n{good}{}END:VCARD\r\n", card("FN:Y"));
    let outside = "it stands outside of BEGIN:VCARD and END:VCARD";
    assert_eq!(
        contact_shape(text),
        [
            "r1",
            &format!("m5 {outside}"),
            "r8",
            "m12 it has no END:VCARD before the next begins in line 14",
            "r14",
            "m18 it has no e-mail address",
            &format!("m22 {outside}")
        ]
    );
    assert_eq!(
        contact_shape(card("EMAIL:a@x.example\r\nno colon")),
        ["m1 it has a line without a colon, or with a quotation mark left open"]
    );
}
