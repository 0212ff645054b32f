//! What is written is read back.

use std::fs;

use proptest::prelude::*;
use sources::directory::{ContactRecord, DirectoryFormat, OrganisationRecord, write_contacts, write_organisations};

use super::{contacts, organisation, organisations, whole};

const FORMATS: [DirectoryFormat; 4] =
    [DirectoryFormat::Csv, DirectoryFormat::JsonLines, DirectoryFormat::Scim, DirectoryFormat::VCard];

/// Each format, with what it was found out to be, reads the same records.
fn check_organisations(records: &[OrganisationRecord]) {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let mut out = Vec::new();
        write_organisations(&mut out, format, records.iter().cloned()).unwrap();
        let path = folder.path().join("file");
        fs::write(&path, &out).unwrap();
        for said in [None, Some(format)] {
            let mut read = whole(organisations(&path, said));
            read.iter_mut().for_each(|record| record.line = 0);
            assert_eq!(read, records, "{format}: {}", String::from_utf8_lossy(&out));
        }
    }
}

fn check_contacts(records: &[ContactRecord]) {
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let mut out = Vec::new();
        write_contacts(&mut out, format, records.iter().cloned()).unwrap();
        let path = folder.path().join("file");
        fs::write(&path, &out).unwrap();
        for said in [None, Some(format)] {
            let mut read = whole(contacts(&path, said));
            read.iter_mut().for_each(|record| record.line = 0);
            assert_eq!(read, records, "{format}: {}", String::from_utf8_lossy(&out));
        }
    }
}

/// Texts with everything that some format escapes, without white space around them.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        4 => "[a-zA-Z0-9 ]{1,8}",
        4 => prop::sample::select(vec![
            "\"", "'", ",", ";", "\\", "\\n", "=", "+", "-", "@", ":", "\n", "<", "{", "[", "BEGIN:VCARD",
            "urn:ietf:params:scim:",
            "null", "true", "München", "株式会社", "🦀", "e\u{301}", "\u{202e}", "\u{a0}", "\u{feff}",
        ]).prop_map(str::to_owned),
        2 => "\\PC{1,30}",
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat().trim().to_owned())
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z]{1,3}(-[A-Z]{2})?", "[a-zA-Z0-9_/+-]{1,20}"]
}

fn organisation_record() -> impl Strategy<Value = OrganisationRecord> {
    let domain = prop_oneof!["[a-z0-9-]{1,20}\\.example", "[a-zäöüß]{1,20}\\.(example|испытание)"];
    (domain, "t-[0-9]", text(), word(), word())
        .prop_map(|(domain, id, name, country, language)| organisation(0, [&domain, &id, &name, &country, &language]))
}

fn contact_record() -> impl Strategy<Value = ContactRecord> {
    let email = "[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,20}@[a-zäöü0-9-]{1,20}\\.example";
    let one_of = |words: [&'static str; 3]| prop::sample::select(words.to_vec()).prop_map(str::to_owned);
    let flags = (
        one_of(["", "active", "disabled"]),
        one_of(["", "verified", "unverified"]),
        one_of(["", "yes", "no"]),
        prop_oneof!["", "0{0,2}[0-9]{1,4}", "-?[0-9]{1,20}"],
    );
    (text(), word(), text(), email, word(), word(), word(), flags).prop_map(
        |(tenant_id, role, name, email, language, channel, timezone, (state, verified, may_be_named, priority))| {
            ContactRecord {
                line: 0,
                tenant_id,
                role,
                name,
                email,
                language,
                channel,
                timezone,
                priority,
                state,
                verified,
                may_be_named,
            }
        },
    )
}

proptest! {
    #[test]
    fn organisations_come_back_from_every_format(records in prop::collection::vec(organisation_record(), 1..8)) {
        check_organisations(&records);
    }

    #[test]
    fn contacts_come_back_from_every_format(records in prop::collection::vec(contact_record(), 1..8)) {
        check_contacts(&records);
    }
}

#[test]
fn domains_of_one_organisation_stand_together_and_come_back_in_their_order() {
    let name = |at: u32| organisation(0, [&format!("d{at}.example"), "t-1", "A, B", "DE", "de"]);
    check_organisations(&(0..2500).map(name).collect::<Vec<_>>());
    let mut out = Vec::new();
    write_organisations(&mut out, DirectoryFormat::VCard, (0..2500).map(name)).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().matches("BEGIN:VCARD").count(), 3);
}

#[test]
fn what_is_written_is_what_other_programs_expect() {
    let record = ContactRecord {
        tenant_id: "t-1".to_owned(),
        role: "security".to_owned(),
        name: "=Berg, Kari".to_owned(),
        email: "kari@fjordlys.example".to_owned(),
        priority: "10".to_owned(),
        state: "disabled".to_owned(),
        ..ContactRecord::default()
    };
    let written = |format| {
        let mut out = Vec::new();
        write_contacts(&mut out, format, std::iter::once(record.clone())).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert_eq!(
        written(DirectoryFormat::Csv),
        "tenant_id,role,name,email,language,channel,timezone,priority,state,verified,may_be_named\n\
         t-1,security,\"'=Berg, Kari\",kari@fjordlys.example,,,,10,disabled,,\n"
    );
    assert_eq!(
        written(DirectoryFormat::VCard),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:individual\r\nFN:=Berg\\, Kari\r\nEMAIL:kari@fjordlys.example\r\n\
         X-FORTHRIGHT-TENANT:t-1\r\nX-FORTHRIGHT-ROLE:security\r\nX-FORTHRIGHT-PRIORITY:10\r\n\
         X-FORTHRIGHT-STATE:disabled\r\nEND:VCARD\r\n"
    );
    let scim: serde_json::Value = serde_json::from_str(&written(DirectoryFormat::Scim)).unwrap();
    assert_eq!((scim["totalResults"].as_u64(), scim["Resources"][0]["active"].as_bool()), (Some(1), Some(false)));
    let ours = &scim["Resources"][0]["urn:forthright:params:scim:schemas:extension:1.0:Contact"];
    assert_eq!(*ours, serde_json::json!({ "tenantId": "t-1", "role": "security", "priority": 10 }));
}

#[test]
fn a_directory_of_nobody_can_be_written_in_every_format() {
    for format in FORMATS {
        let mut out = Vec::new();
        write_contacts(&mut out, format, std::iter::empty()).unwrap();
        assert_eq!(out.is_empty(), [DirectoryFormat::JsonLines, DirectoryFormat::VCard].contains(&format), "{format}");
    }
}
