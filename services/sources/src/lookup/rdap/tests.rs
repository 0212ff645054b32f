//! Records as registries give them, and as nobody should believe them.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn acme() -> DomainName {
    DomainName::parse("acme.example").unwrap()
}

fn card(name: &str, organisation: &str, email: &str) -> Value {
    json!(["vcard", [
        ["version", {}, "text", "4.0"], ["fn", {}, "text", name], ["org", {}, "text", [organisation, "Unit"]],
        ["lang", {"pref": "1"}, "language-tag", "DE"], ["email", {"type": "work"}, "text", email],
    ]])
}

fn record(entities: Value) -> Value {
    json!({"objectClassName": "domain", "ldhName": "ACME.Example.", "status": ["active"], "entities": entities})
}

fn read(record: &Value) -> RdapDomain {
    parse(record.to_string().as_bytes(), &acme()).unwrap()
}

fn shape(domain: &RdapDomain) -> Vec<String> {
    let line = |c: &RdapContact| format!("{} {:?} {}", c.role.as_str(), c.whose, c.address);
    domain.contacts.iter().map(line).collect()
}

fn registrant(extra: Value) -> Value {
    let mut entity = json!({"roles": ["registrant"], "vcardArray": card("Mia", "Acme", "it@acme.example")});
    for (key, value) in extra.as_object().unwrap() {
        entity[key] = value.clone();
    }
    entity
}

#[test]
fn contacts_come_out_with_name_organisation_and_language() {
    let domain = read(&record(json!([registrant(json!({}))])));
    let expect = RdapContact {
        role: RdapRole::Registrant,
        whose: Whose::Registrant,
        address: EmailAddress::parse("it@acme.example").unwrap(),
        name: "Mia".to_owned(),
        organisation: "Acme".to_owned(),
        language: "de".to_owned(),
    };
    assert_eq!(domain.contacts, [expect]);
    assert_eq!((domain.status, domain.left_out), (vec!["active".to_owned()], vec![]));
}

#[test]
fn an_abuse_desk_is_marked_by_whom_it_stands_under() {
    let abuse = |at: &str| json!({"roles": ["abuse"], "vcardArray": card("Abuse", "", at)});
    let domain = read(&record(json!([
        {"roles": ["registrar"], "vcardArray": card("R", "R", "sales@registrar.example"),
         "entities": [abuse("abuse@registrar.example")]},
        registrant(json!({"entities": [abuse("abuse@acme.example")]})),
        abuse("abuse@who.example"),
    ])));
    assert_eq!(
        shape(&domain),
        [
            "abuse Registrar abuse@registrar.example",
            "abuse Registrant abuse@acme.example",
            "abuse Unknown abuse@who.example",
            "registrant Registrant it@acme.example",
        ]
    );
}

#[test]
fn one_entity_may_have_several_roles() {
    let domain = read(&record(json!([registrant(json!({"roles": ["technical", "administrative", "billing"]}))])));
    assert_eq!(shape(&domain), ["administrative Unknown it@acme.example", "technical Unknown it@acme.example"]);
}

fn check_hidden(record: &Value, expect: &str) {
    let domain = read(record);
    assert_eq!(domain.contacts, [], "{record}");
    assert_eq!(domain.left_out, [format!("the registrant contact is left out: {expect}")]);
}

#[test]
fn a_hidden_contact_is_left_out_with_the_reason() {
    let with = |extra| record(json!([registrant(extra)]));
    check_hidden(&with(json!({"status": ["removed"]})), "the record says that it is removed");
    let remark = json!({"remarks": [{"title": "REDACTED FOR PRIVACY", "description": ["Some data was removed."]}]});
    check_hidden(&with(remark), "a remark says that its data is redacted");
    let masked = card("REDACTED FOR PRIVACY", "", "a@acme.example");
    check_hidden(&with(json!({"vcardArray": masked})), "its data is redacted");
    let instead = card("Mia", "", "Please query the RDDS service. Redacted.");
    check_hidden(&with(json!({"vcardArray": instead})), "its data is redacted");
    let proxy = card("Registration Private", "Domains By Proxy, LLC", "x@domainsbyproxy.example");
    check_hidden(&with(json!({"vcardArray": proxy})), "a privacy service stands in for it");
    check_hidden(&with(json!({"vcardArray": card("Mia", "", "")})), "it has no e-mail address");
    check_hidden(&with(json!({"vcardArray": ["vcard"]})), "it has no e-mail address");
    let injected = card("Mia", "", "a@acme.example\r\nBcc: b@evil.example");
    let why = "its address a@acme.example Bcc: b@evil.example is not used: there is a line break or another control character in it";
    check_hidden(&with(json!({"vcardArray": injected})), why);
}

/// The shape of RFC 9537 4.2's example.
#[test]
fn what_rfc_9537_lists_as_redacted_is_left_out() {
    let mut domain = record(json!([registrant(json!({})), {
        "roles": ["technical"], "vcardArray": card("T", "", "tech@acme.example")
    }]));
    domain["redacted"] = json!([
        {"name": {"description": "Registrant Name"}, "method": "emptyValue"},
        {"name": {"type": "Registrant Email"}, "method": "replacementValue",
         "prePath": "$.entities[?(@.roles[0]=='registrant')].vcardArray[1][?(@[0]=='email')]"},
        {"name": {"description": "Technical Phone"}, "method": "removal"},
    ]);
    let domain = read(&domain);
    assert_eq!(shape(&domain), ["technical Unknown tech@acme.example"]);
    let expect = "the registrant contact is left out: its e-mail address is redacted (RFC 9537)";
    assert_eq!(domain.left_out, [expect]);
}

#[test]
fn a_holders_own_privacy_office_is_no_privacy_service() {
    let office = card("Privacy Office", "Acme", "privacy@acme.example");
    assert_eq!(
        shape(&read(&record(json!([registrant(json!({"vcardArray": office}))])))),
        ["registrant Registrant privacy@acme.example"]
    );
}

#[test]
fn the_registrars_record_is_named_where_there_is_one() {
    let at = |href: &str| {
        let mut domain = record(json!([]));
        domain["links"] = json!([
            {"rel": "self", "type": "application/rdap+json", "href": "https://registry.example/domain/acme.example"},
            {"rel": "related", "type": "text/html", "href": "https://registrar.example/"},
            {"rel": "related", "type": "application/rdap+json", "href": href},
        ]);
        read(&domain).related
    };
    let there = "https://rdap.registrar.example/domain/acme.example";
    assert_eq!(at(there).as_deref(), Some(there));
    assert_eq!(at("mailto:a@registrar.example"), None);
}

#[test]
fn what_is_no_record_of_the_domain_is_refused() {
    let refused = |text: &str| parse(text.as_bytes(), &acme()).unwrap_err();
    let other = r#"{"objectClassName": "domain", "ldhName": "evil.example"}"#;
    assert_eq!(refused(other), BadRdap::OtherDomain("evil.example".to_owned(), acme()));
    assert!(matches!(refused(r#"{"objectClassName": "domain"}"#), BadRdap::OtherDomain(..)));
    assert_eq!(refused(r#"{"errorCode": 404, "title": "x"}"#), BadRdap::NotADomain);
    assert_eq!(refused("[]"), BadRdap::NotADomain);
    assert_eq!(refused("<html>"), BadRdap::NotJson);
    assert_eq!(refused(&" ".repeat(LONGEST_RECORD + 1)), BadRdap::TooLong(LONGEST_RECORD + 1));
}

#[test]
fn deep_nesting_is_refused_before_it_is_read() {
    assert_eq!(parse("[".repeat(100_000).as_bytes(), &acme()), Err(BadRdap::TooDeep));
    assert_eq!(depth(br#"{"a": "[[[\"[[", "b": [[]]}"#), 3);
}

/// JSON out of the words that the reader looks for.
fn jsons() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        "(abuse|registrant|registrar|email|fn|vcard|x@acme\\.example|\\PC{0,6})".prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map(
                "(roles|entities|vcardArray|status|remarks|redacted|links|href|title|name)",
                inner,
                0..6
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes, &acme());
    }

    #[test]
    fn arbitrary_json_never_panics(entities in jsons(), redacted in jsons(), links in jsons()) {
        let mut domain = record(entities);
        domain["redacted"] = redacted;
        domain["links"] = links;
        let _ = parse(domain.to_string().as_bytes(), &acme());
    }
}
