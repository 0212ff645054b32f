//! What is found in a text, and what is not.

use proptest::prelude::*;

use super::*;

fn found_in(pieces: &[&str], bare: Bare) -> Vec<String> {
    let mut found = Found::new(1000);
    let mut finder = Finder::new(&mut found, bare);
    pieces.iter().for_each(|piece| finder.push(piece));
    finder.end();
    let addresses = found.addresses().map(ToString::to_string);
    addresses.chain(found.hosts().map(ToString::to_string)).collect()
}

fn check(text: &str, expect: &[&str]) {
    assert_eq!(found_in(&[text], Bare::Count), expect, "{text}");
}

#[test]
fn addresses_stand_between_anything() {
    check("write to Mia.Okafor@ACME.Example.", &["mia.okafor@acme.example"]);
    check(
        "<mia@acme.example>,'otto@acme.example';\"ida+x@acme.example\"",
        &["ida+x@acme.example", "mia@acme.example", "otto@acme.example"],
    );
    check("email=mia@acme.example&x=1 mailto:otto@acme.example?subject=a", &["mia@acme.example", "otto@acme.example"]);
    check("o'brien@acme.example it's _mia@acme.example_", &["mia@acme.example", "o'brien@acme.example"]);
    check("E-Mail:änne@münchen.example", &["änne@xn--mnchen-3ya.example"]);
    check("请联系mia@acme.example谢谢", &["mia@acme.example"]);
    check("a\nmia@acme.example\n", &["mia@acme.example"]);
    check("mia_acme.com#EXT#@tenant.onmicrosoft.com", &["mia_acme.com#ext#@tenant.onmicrosoft.com"]);
}

#[test]
fn codes_for_characters_in_addresses_are_resolved() {
    check("https://a.example/?to=mia%40acme.example&x", &["mia@acme.example", "a.example"]);
    check("mia%2540acme.example", &["mia@acme.example"]);
    check(r"line\nmia@acme.example\u003cotto@acme.example", &["mia@acme.example", "otto@acme.example"]);
}

#[test]
fn what_only_looks_like_an_address_is_none() {
    for text in [
        "@",
        "a@",
        "@b",
        "a@b",
        "icon@2x.png",
        "pkg@1.2.3",
        "a..b@acme.example",
        "..@acme.example",
        "mia @acme",
        "git@host.example:team/a.git",
        "Object@1a2b3c",
        "a@b.c",
        "@types/node",
        "p@ss.word",
    ] {
        check(text, &[]);
    }
    check(&format!("{}@acme.example", "a".repeat(65)), &[]);
}

#[test]
fn passwords_are_no_addresses() {
    check("https://mia:s3cret@db.acme.example:8443/x", &["db.acme.example"]);
    check("postgres://app:s3cret@db.acme.com/x", &["db.acme.com"]);
    check("url=app:s3cret@db.acme.com:5432", &[]);
    check("mia@acme.example:p@ssword.com", &["mia@acme.example"]);
}

#[test]
fn hosts_stand_in_urls_or_behind_www() {
    check("see https://Portal.Acme.example/a/report.docx?x=b.zip", &["portal.acme.example"]);
    check("(http://a.example:8080) ftp://b.example, www.c.example/x", &["a.example", "b.example", "www.c.example"]);
    check("https://a.example?u=https://b.example/", &["a.example", "b.example"]);
    check("xmlns=\"http://www.w3.org/2000/svg\" http://localhost:80/ http://10.0.0.1/ http://a.local/", &[]);
    check("s3://my.bucket.name/x file:///etc/a.com", &[]);
}

#[test]
fn hosts_that_stand_alone_need_a_real_suffix() {
    check(
        "acme.com, shop.acme.co.uk. (Acme.de) ACME.FR; *.acme.net acme.org's",
        &["acme.com", "acme.de", "acme.fr", "acme.net", "acme.org", "shop.acme.co.uk"],
    );
    check("all @acme.com users; 163.com; acme.com/path; acme.com.py", &["163.com", "acme.com", "acme.com.py"]);
    check("acme.example acme.invalidtld", &[]);
}

#[test]
fn files_versions_fields_and_sentences_are_no_hosts() {
    for text in [
        "report.docx",
        "main.rs",
        "README.md",
        "archive.zip",
        "v1.2.3",
        "1.2.3.4",
        "e.g. this",
        "the server.It was",
        "fooBar.info",
        "user.id host.name",
        "obj.info()",
        "a.com",
        "12.am",
        "/srv/acme.com/x",
        "C:\\acme.com",
        "$acme.com",
        "x_acme.com",
        "co.uk github.io",
        "...",
        ".com",
        "console.log(a)",
        "end.Then next",
    ] {
        check(text, &[]);
    }
    assert_eq!(found_in(&["import acme.com; mia@acme.com https://b.com"], Bare::Ignore), ["mia@acme.com", "b.com"]);
}

#[test]
fn a_long_word_gives_nothing_and_what_is_beside_it_everything() {
    let long = "a".repeat(3 * LONGEST_TOKEN);
    check(&format!("{long}@acme.example mia@acme.example"), &["mia@acme.example"]);
    check(&format!("mia@acme.example.{long}"), &[]);
    check(&format!("x={long}&y=mia@acme.example"), &["mia@acme.example"]);
    check(&format!("{}mia@acme.example/{long}", "ab/".repeat(LONGEST_TOKEN)), &["mia@acme.example"]);
    check(
        &format!("https://a.example/{}?u=mia%40acme.example", "x/".repeat(LONGEST_TOKEN)),
        &["mia@acme.example", "a.example"],
    );
}

/// Text that is full of what the finder looks for.
fn dense() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z]{1,5}@[a-z]{1,5}\\.(com|de|example|png)",
        "https?://[a-z]{1,4}\\.(com|test)[/?#:]?",
        r"[@.:/%\\'_+#=& \-]{1,4}",
        "%[0-9a-f]{2}",
        "www\\.[a-z.]{1,8}",
        "[a-zäß日]{1,4}",
        r"\PC",
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn every_address_and_host_parses_again(text in dense()) {
        for name in found_in(&[&text], Bare::Count) {
            match name.contains('@') {
                true => prop_assert_eq!(model::email::EmailAddress::parse(&name).unwrap().to_string(), name),
                false => prop_assert_eq!(model::domain::DomainName::parse(&name).unwrap().to_string(), name),
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in r"\PC{0,200}|[\x00-\x7f]{0,200}") {
        found_in(&[&text], Bare::Count);
    }

    #[test]
    fn how_the_text_is_cut_changes_nothing(text in dense(), at in 0_usize..400) {
        let at = text.floor_char_boundary(at);
        let whole = found_in(&[&text], Bare::Count);
        prop_assert_eq!(found_in(&[&text[..at], &text[at..]], Bare::Count), whole);
    }

    #[test]
    fn an_address_between_spaces_is_always_found(local in "[a-z][a-z0-9_+]{0,9}[a-z]", before in "[a-z:/. ]{0,9}") {
        let address = format!("{local}@acme.example");
        prop_assert!(found_in(&[&before, " ", &address, " "], Bare::Count).contains(&address));
    }
}

#[test]
fn time_is_linear_in_the_text() {
    // Each would be quadratic if words were looked at again and again.
    for unit in ["@", "a@", "a.", "://", "a://", "%40", "https://a", "\\", "a@b.com:", "'", "#EXT#@"] {
        let time = |megabytes: usize| {
            let text = unit.repeat(megabytes * 1024 * 1024 / unit.len());
            let begin = std::time::Instant::now();
            found_in(&[&text], Bare::Count);
            begin.elapsed()
        };
        let (small, large) = (time(1), time(8));
        assert!(large < small * 40 + std::time::Duration::from_millis(500), "{unit}: {small:?} for 1, {large:?} for 8");
    }
}
