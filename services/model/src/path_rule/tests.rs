//! Path rules as an engineer writes them, against paths as storage has them.

use proptest::prelude::*;

use super::*;

/// What is found, as `name=piece` in the order of [`Capture::ALL`]; `no match` where the path does not match.
fn check(rule: &str, path: &str, expect: &str) {
    let Some(found) = PathRule::parse(rule).unwrap().captures(path) else {
        assert_eq!("no match", expect, "{rule} {path}");
        return;
    };
    let pieces = [found.domain, found.email, found.project_id, found.user_id, found.data_type];
    let shown: Vec<String> = Capture::ALL
        .iter()
        .zip(pieces)
        .filter_map(|(capture, piece)| Some(format!("{}={}", capture.name(), piece?)))
        .collect();
    assert_eq!(shown.join(" "), expect, "{rule} {path}");
}

fn refused(rule: &str, expect: &str) {
    let error = PathRule::parse(rule).unwrap_err().to_string();
    assert!(error.contains(expect), "{expect:?} is not in: {error}");
}

#[test]
fn a_capture_takes_a_segment_or_what_stands_between_texts() {
    check("exports/{domain}/invoice.pdf", "exports/a.example/invoice.pdf", "domain=a.example");
    check("exports/{domain}_backup/**", "exports/a.example_backup/2021/x.zip", "domain=a.example");
    check(
        "{domain}-{project_id}-{user_id}.zip",
        "a.example-p1-u1-2.zip",
        "domain=a.example project_id=p1 user_id=u1-2",
    );
    check("{data_type}/{email}", "invoice/a@b.example", "email=a@b.example data_type=invoice");
    check("v{domain}", "vü", "domain=ü");
}

#[test]
fn a_star_is_one_segment_or_a_part_of_one() {
    check("*/{domain}/*", "bucket/a.example/x", "domain=a.example");
    check("*/{domain}/*", "bucket/a.example/x/y", "no match");
    check("*/{domain}", "/a.example", "no match");
    check("bak*-{domain}.zip", "bak-a.example.zip", "domain=a.example");
    check("bak*-{domain}.zip", "bak2021-a.example.zip", "domain=a.example");
}

#[test]
fn two_stars_are_any_number_of_segments() {
    check("**/{domain}", "a.example", "domain=a.example");
    check("**/{domain}", "x/y/a.example", "domain=a.example");
    check("**/customers/{domain}/**", "srv/data/customers/a.example", "domain=a.example");
    check("**/customers/{domain}/**", "customers/a.example/customers/b.example/x", "domain=a.example");
    check("**/customers/{domain}/**/*.pdf", "x/customers/a.example/b.pdf", "domain=a.example");
    check("**/customers/{domain}/**/*.pdf", "x/customers/a.pdf", "no match");
    check("{domain}/**/**/x", "a.example/x", "domain=a.example");
    check("**/a/{domain}/b/**", "a/a/c/a/d.example/b/x", "domain=d.example");
}

#[test]
fn a_slash_in_front_makes_no_difference_and_an_empty_segment_is_one() {
    check("/srv/{domain}", "srv/a.example", "domain=a.example");
    check("srv/{domain}", "/srv/a.example", "domain=a.example");
    check("a/*/{domain}", "a//b.example", "domain=b.example");
    check("a/{domain}/c", "a//c", "no match");
}

#[test]
fn a_path_that_does_not_match_gives_nothing() {
    check("exports/{domain}/**", "", "no match");
    check("exports/{domain}/**", "export/a.example/x", "no match");
    check("exports/{domain}_backup", "exports/_backup", "no match");
    check("{domain}.{user_id}.zip", "a.zip", "no match");
    check("a{domain}a", "aa", "no match");
}

#[test]
fn what_is_no_rule_is_refused_with_the_next_step() {
    refused(" / ", "the path rule is empty");
    refused("a//{domain}", "segment 2 of the path rule is empty");
    refused("{domain}/", "end with /**");
    refused("{domain", "has no partner");
    refused("a}/{domain}", "has no partner");
    refused("{domain}}", "has no partner");
    refused("{host}", "{host} is nothing that a path rule finds; it finds domain, email");
    refused("{domain}/{domain}", "{domain} stands in the path rule twice");
    refused("{domain}{email}", "nothing stands between");
    refused("*{email}", "nothing stands between");
    refused("{domain}/a**", "\"a**\" has more in it");
    refused("a/*/**", "put {domain} or {email}");
    refused(&format!("{{domain}}/{}", "x".repeat(2000)), "longer than 1024 bytes");
}

#[test]
fn a_rule_goes_through_text_and_back() {
    let rule = PathRule::parse(" /a/{domain}/** ").unwrap();
    assert_eq!(rule.to_string(), "/a/{domain}/**");
    assert_eq!(serde_json::from_str::<PathRule>(&serde_json::to_string(&rule).unwrap()).unwrap(), rule);
    assert!(rule.finds(Capture::Domain) && !rule.finds(Capture::Email));
}

#[test]
fn a_path_made_to_be_hard_is_matched_in_linear_time() {
    let rule = PathRule::parse(&format!("**/{}{{domain}}/**/{}z", "a/".repeat(30), "a/".repeat(30))).unwrap();
    let path = "a/".repeat(500_000);
    assert!(rule.captures(&path).is_none());
    let inside = PathRule::parse("*a*a*a*a*a*a*a*a*b{domain}c").unwrap();
    assert!(inside.captures(&"a".repeat(1_000_000)).is_none());
}

/// The definition, by trying every division: slow and plainly right.
fn matches_by_trial(rule: &[&str], path: &[&str]) -> bool {
    match (rule, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=path.len()).any(|skip| matches_by_trial(rest, &path[skip..])),
        ([first, rest @ ..], [segment, behind @ ..]) => {
            segment_by_trial(first, segment) && matches_by_trial(rest, behind)
        }
        _ => false,
    }
}

fn segment_by_trial(template: &str, text: &str) -> bool {
    let ends = |from: usize| (from..=text.len()).filter(|at| text.is_char_boundary(*at));
    if template.is_empty() {
        text.is_empty()
    } else if let Some(rest) = template.strip_prefix('*') {
        ends(0).any(|at| segment_by_trial(rest, &text[at..]))
    } else if let Some((_, rest)) = template.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        ends(1).any(|at| segment_by_trial(rest, &text[at..]))
    } else {
        let first = template.chars().next().unwrap();
        text.strip_prefix(first).is_some_and(|text| segment_by_trial(&template[first.len_utf8()..], text))
    }
}

proptest! {
    #[test]
    fn any_text_is_a_rule_or_a_refusal(text in "[a*{}/]{0,12}|\\PC{0,40}", path in "[a/]{0,12}|\\PC{0,40}") {
        if let Ok(rule) = PathRule::parse(&text) {
            let _ = rule.captures(&path);
        }
    }

    #[test]
    fn a_rule_matches_what_its_definition_says(
        segments in prop::collection::vec(prop::sample::select(vec![
            "a", "b", "*", "**", "a*", "*a*", "*ab*a", "{domain}", "a{domain}", "{domain}b", "a{domain}a*", "ä{domain}ä",
        ]), 1..6),
        path in prop::collection::vec("[abä]{0,4}", 1..7),
    ) {
        let Ok(rule) = PathRule::parse(&segments.join("/")) else { return Ok(()) };
        let path = path.join("/");
        prop_assume!(!path.starts_with('/'));
        let split: Vec<&str> = path.split('/').collect();
        let found = rule.captures(&path);
        prop_assert_eq!(found.is_some(), matches_by_trial(&segments, &split), "{} {}", rule, path);
        if let Some(domain) = found.and_then(|found| found.domain) {
            prop_assert!(!domain.is_empty() && !domain.contains('/') && path.contains(domain));
        }
    }
}
