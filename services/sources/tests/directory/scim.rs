//! SCIM as servers export it.

use super::{contact_shape, contacts, organisation_shape, reading, whole};

const USER: &str = r#""schemas":["urn:ietf:params:scim:schemas:core:2.0:User"]"#;

fn users(members: &[&str]) -> String {
    let users: Vec<String> = members.iter().map(|members| format!("{{{USER},{members}}}")).collect();
    format!("[{}]", users.join(",\n"))
}

/// The addresses of one user.
fn check_addresses(members: &str, expect: &[&str]) {
    let records = whole(reading(users(&[members]), contacts));
    assert_eq!(records.iter().map(|record| record.email.as_str()).collect::<Vec<_>>(), expect, "{members}");
}

#[test]
fn resources_stand_in_lists_in_arrays_and_in_lines_in_any_mixture() {
    let user = format!("{{{USER},\"userName\":\"a@b.example\"}}");
    assert_eq!(contact_shape(format!("[\n{user},\n{user}]")), ["r2", "r3"]);
    assert_eq!(contact_shape(format!("{user}\n\n{user}\r\n")), ["r1", "r3"]);
    assert_eq!(
        contact_shape(format!("{{\"Resources\":[{user},\n {user}]}}\n{{\"resources\":[{user}]}}")),
        ["r1", "r2", "r3"]
    );
    assert_eq!(contact_shape(format!("{{\n\"Resources\":[],{USER}}}\n[{user}]\n{user}")), ["r3", "r4"]);
    assert_eq!(
        contact_shape("{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"],\"Resources\":[]}"),
        [""; 0]
    );
}

#[test]
fn a_broken_line_costs_itself_alone() {
    let user = format!("{{{USER},\"userName\":\"a@b.example\"}}");
    let text = format!("{user}\n{{\"userName\":}}\n\u{b}\n12\n{user}\n[1,{user}");
    let no_object = |line| format!("m{line} it is no JSON object");
    let expect = ["r1".to_owned(), no_object(2), no_object(3), no_object(4), "r5".to_owned(), no_object(6)];
    assert_eq!(contact_shape(text), expect);
}

#[test]
fn the_primary_address_comes_first_and_one_at_home_only_where_there_is_no_other() {
    check_addresses(
        r#""emails":[{"value":"a@x.example"},{"value":"b@x.example","primary":true}]"#,
        &["b@x.example", "a@x.example"],
    );
    check_addresses(
        r#""emails":[{"value":"a@x.example","type":"home"},{"value":"b@x.example","type":"other"}]"#,
        &["b@x.example"],
    );
    check_addresses(r#""emails":[{"value":"a@x.example","type":"home"},{"value":" "}]"#, &["a@x.example"]);
    check_addresses(r#""emails":["a@x.example"]"#, &["a@x.example"]);
    check_addresses(r#""emails":null,"userName":"a@x.example""#, &["a@x.example"]);
}

#[test]
fn what_cannot_be_used_says_why() {
    let check = |members: &str, expect: &str| {
        assert_eq!(contact_shape(users(&[members])), [format!("m1 {expect}")], "{members}");
    };
    check(r#""userName":"nobody""#, "it has no e-mail address");
    check(r#""displayName":["x"],"userName":"a@b.example""#, "its displayName is no text");
    check(r#""name":"x","userName":"a@b.example""#, "its name is no object");
    check(r#""emails":[{"value":{}}]"#, "its value is no text");
    check(r#""userName":"\ud800@b.example""#, "its userName is no text");
    let many = vec![r#"{"value":"a@b.example"}"#; 101].join(",");
    check(&format!("\"emails\":[{many}]"), "it has 101 e-mail addresses, more than 100");
    assert_eq!(contact_shape(r#"[{"id":"1","schemas":["urn:x:Device"]}]"#), ["m1 it is neither a User nor a Group"]);
}

#[test]
fn a_group_without_our_extension_or_a_domain_is_no_organisation() {
    let ours = "urn:forthright:params:scim:schemas:extension:1.0:Organisation";
    let groups = [
        r#"{"members":[]}"#.to_owned(),
        format!(r#"{{"{ours}":{{"tenantId":"t"}}}}"#),
        format!(r#"{{"{ours}":{{"domains":[{{"value":"a.example"}}]}}}}"#),
        r#"{"userName":"x"}"#.to_owned(),
    ];
    let text = format!("[{}]", groups.join(",\n"));
    let no_extension = format!("m1 the group has no {ours}, so it is no organisation");
    assert_eq!(organisation_shape(text), [&no_extension, "m2 it names no domain", "r3"]);
}

#[test]
fn names_of_attributes_are_read_without_regard_to_case() {
    let text =
        r#"[{"SCHEMAS":["URN:ietf:params:scim:schemas:core:2.0:user"],"username":"a@b.example","DisplayName":"A"}]"#;
    assert_eq!(whole(reading(text, contacts))[0].name, "A");
}

#[test]
fn our_extension_wins_and_our_words_stay_as_written() {
    let members = r#""userName":"a@b.example","title":"Legal","active":"retired",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"organization":"t-1"},
        "urn:forthright:params:scim:schemas:extension:1.0:Contact":{"tenantId":"t-2","role":"CISO","verified":"maybe"}"#;
    let record = whole(reading(users(&[members]), contacts)).remove(0);
    let got = [record.tenant_id, record.role, record.state, record.verified];
    assert_eq!(got, ["t-2", "CISO", "retired", "maybe"]);
}
