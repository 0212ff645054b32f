//! What is read, what is refused, and that the answer is the one of the published algorithm.

use proptest::prelude::*;

use super::*;

fn name(text: &str) -> DomainName {
    DomainName::parse(text).unwrap()
}

/// A list of these rules of registries and of private owners, and of enough others.
fn text(icann: &str, private: &str) -> String {
    let filler: String = (0..FEWEST_RULES).map(|at| format!("filler-{at}.example\n")).collect();
    format!("// {ICANN_BEGIN}\n{icann}\n{filler}// {ICANN_END}\n// {PRIVATE_BEGIN}\n{private}\n// {PRIVATE_END}\n")
}

fn list(icann: &str, private: &str) -> SuffixList {
    SuffixList::parse(&text(icann, private)).unwrap()
}

fn refused(text: &str) -> BadSuffixList {
    SuffixList::parse(text).unwrap_err()
}

#[test]
fn what_can_be_registered_follows_the_public_suffix_list() {
    let registrable = |text| SuffixList::builtin().registrable(&name(text)).map(str::to_owned);
    assert_eq!(registrable("www.acme.co.uk").as_deref(), Some("acme.co.uk"));
    assert_eq!(registrable("a.b.acme.example").as_deref(), Some("acme.example"));
    assert_eq!(registrable("me.github.io").as_deref(), Some("me.github.io"));
    assert_eq!(registrable("www.city.kawasaki.jp").as_deref(), Some("city.kawasaki.jp"));
    assert_eq!(registrable("x.公司.cn").as_deref(), Some("x.xn--55qx5d.cn"));
    for public in ["co.uk", "github.io", "any.kawasaki.jp", "公司.cn"] {
        assert!(SuffixList::builtin().is_public_suffix(&name(public)), "{public}");
    }
}

#[test]
fn the_builtin_list_is_whole_and_says_of_which_day_it_is() {
    let builtin = SuffixList::parse(include_str!("../../data/public_suffix_list.dat")).unwrap();
    assert_eq!(builtin.version(), "2026-10-22_08-36-41_UTC");
    assert_eq!(builtin.date(), Some("2026-10-22"));
    assert_eq!(builtin.rules(), 10_397);
    assert_eq!(SuffixList::builtin().rules(), 10_397);
    assert_eq!(format!("{builtin:?}"), r#"SuffixList { version: "2026-10-22_08-36-41_UTC", rules: 10397 }"#);
}

#[test]
fn whose_rule_makes_a_suffix_is_known() {
    let list = SuffixList::builtin();
    for private in ["github.io", "any.mtls.run.app"] {
        assert!(list.is_private(private), "{private}");
    }
    for registry in ["com", "co.uk", "any.kawasaki.jp", "kawasaki.jp", "me.github.io", "unheard-of", ""] {
        assert!(!list.is_private(registry), "{registry}");
    }
}

#[test]
fn names_without_a_rule_are_not_known_and_still_have_a_suffix() {
    let list = SuffixList::builtin();
    assert!(list.knows(&name("acme.co.uk")));
    assert!(list.knows(&name("uk.com")));
    assert!(!list.knows(&name("acme.example")));
    assert_eq!(list.public_suffix(&name("acme.example")), "example");
}

#[test]
fn a_wildcard_reaches_over_a_longer_rule_that_does_not_match() {
    // So is `*.run.app` beside `*.mtls.run.app`; a search that goes down label by label misses it.
    let list = list("at\n*.cms.at\n*.in.cms.at", "");
    assert_eq!(list.public_suffix(&name("in.cms.at")), "in.cms.at");
    assert_eq!(list.public_suffix(&name("x.y.cms.at")), "y.cms.at");
    assert_eq!(list.public_suffix(&name("x.y.in.cms.at")), "y.in.cms.at");
    assert_eq!(list.public_suffix(&name("cms.at")), "at");
}

#[test]
fn an_exception_beats_a_longer_rule() {
    let list = list("*.ck\n!www.ck\nlong.www.ck", "");
    assert_eq!(list.registrable(&name("x.long.www.ck")), Some("www.ck"));
}

#[test]
fn a_rule_in_unicode_and_one_in_a_labels_are_the_same() {
    for rule in ["公司.cn", "xn--55qx5d.cn", "  XN--55QX5D.cn trailing words"] {
        assert!(list(rule, "").is_public_suffix(&name("公司.cn")), "{rule}");
    }
}

#[test]
fn a_rule_in_both_sections_is_a_registry_s() {
    assert!(!list("city.example", "city.example").is_private("city.example"));
    assert!(list("", "city.example").is_private("city.example"));
}

#[test]
fn a_byte_order_mark_before_the_first_section_is_no_part_of_it() {
    assert!(SuffixList::parse(&format!("\u{feff}{}", text("city.example", ""))).is_ok());
}

#[test]
fn a_list_without_a_version_has_no_date() {
    assert_eq!(list("", "").version(), "unknown");
    assert_eq!(list("", "").date(), None);
    for (version, date) in
        [("2026-11-20_08-12-33_UTC", Some("2026-11-20")), ("2026-13-20_x", None), ("ä-nightly", None)]
    {
        let text = format!("\u{feff}// VERSION: {version}\r\n// VERSION: second\n{}", text("", ""));
        assert_eq!(SuffixList::parse(&text).unwrap().date(), date, "{version}");
    }
}

#[test]
fn what_is_no_list_says_why_and_where() {
    let icann = format!("// {ICANN_BEGIN}\n");
    let end = format!("// {ICANN_END}\n");
    let page = "<!DOCTYPE html>\n<p>502 Bad Gateway";
    assert_eq!(refused(""), BadSuffixList::NoIcannSection);
    assert_eq!(refused(page), BadSuffixList::NoIcannSection);
    assert_eq!(refused(&format!("x {ICANN_BEGIN}")), BadSuffixList::NoIcannSection);
    assert_eq!(refused(&format!("{icann}{end}")), BadSuffixList::NoRules);
    assert_eq!(refused(&format!("{icann}com\nnet\n{end}")), BadSuffixList::TooFewRules { rules: 2 });
    assert_eq!(refused(&format!("{icann}com\nnet\n")), BadSuffixList::OpenSection { line: 1 });
    let outside = |line| BadSuffixList::OutsideSections { line, rule: "com".to_owned() };
    assert_eq!(refused(&format!("com\n{icann}{end}")), outside(1));
    assert_eq!(refused(&format!("{icann}{end}com")), outside(3));
    assert_eq!(refused(&" ".repeat(LONGEST_LIST + 1)), BadSuffixList::TooLong { octets: LONGEST_LIST + 1 });
}

#[test]
fn a_rule_that_is_no_domain_is_refused_by_line() {
    let check = |rule: &str, why: BadDomain| {
        let expect = BadSuffixList::BadRule { line: 2, rule: rule.to_owned(), source: why };
        assert_eq!(refused(&text(rule, "")), expect, "{rule}");
    };
    check("under_score.example", BadDomain::BadCharacter('_'));
    check("a.*.example", BadDomain::BadCharacter('*'));
    check("*", BadDomain::BadCharacter('*'));
    check("*.", BadDomain::NoDot);
    check("!!a.example", BadDomain::BadCharacter('!'));
    check(".example", BadDomain::EmptyLabel);
    check("xn--a.example", BadDomain::NotInternational);
    // Its suffix would be empty.
    check("!ck", BadDomain::NoDot);
}

#[test]
fn a_bad_rule_is_shown_in_part() {
    let BadSuffixList::BadRule { rule, .. } = refused(&text(&"é_".repeat(1_000), "")) else { panic!("another error") };
    assert_eq!(rule.chars().count(), SHOWN_OF_A_RULE);
}

/// The algorithm as publicsuffix.org states it, over all rules: labels from the right, an exception prevails, else
/// the rule with the most labels.
fn by_the_book(rules: &[String], name: &str) -> String {
    let labels: Vec<&str> = name.rsplit('.').collect();
    let matches = |rule: &str| {
        let rule: Vec<&str> = rule.rsplit('.').collect();
        rule.len() <= labels.len() && rule.iter().zip(&labels).all(|(rule, label)| rule == label || *rule == "*")
    };
    let labels_of = |rule: &str| rule.split('.').count();
    let exception = rules.iter().filter_map(|rule| rule.strip_prefix('!')).find(|rule| matches(rule));
    let longest = rules.iter().filter(|rule| matches(rule)).map(|rule| labels_of(rule)).max();
    let count = exception.map(|rule| labels_of(rule) - 1).or(longest).unwrap_or(1);
    labels[..count].iter().rev().copied().collect::<Vec<_>>().join(".")
}

/// Names of few labels over few letters, so that they meet.
fn labels(least: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b"]), least..5).prop_map(|labels| labels.join("."))
}

proptest! {
    #[test]
    fn the_answer_is_that_of_the_published_algorithm(
        plain in prop::collection::vec(labels(1), 0..5),
        wild in prop::collection::vec(labels(1), 0..3),
        // Two exceptions to one name say nothing that the book foresees.
        exception in prop::option::of(labels(2)),
        host in labels(2),
    ) {
        let wild = wild.iter().map(|rule| format!("*.{rule}"));
        let exception = exception.iter().map(|rule| format!("!{rule}"));
        let rules: Vec<String> = plain.iter().cloned().chain(wild).chain(exception).collect();
        let mut list = SuffixList::empty();
        for (line, rule) in (1..).zip(&rules) {
            list.read_rule(line, rule, Some(Section::Icann)).unwrap();
        }
        let (host, expect) = (name(&host), by_the_book(&rules, &host));
        prop_assert_eq!(list.public_suffix(&host), &expect);
        prop_assert_eq!(list.is_public_suffix(&host), host.as_str() == expect);
        prop_assert_eq!(list.is_public_suffix(&host), list.registrable(&host).is_none());
        if let Some(registrable) = list.registrable(&host) {
            prop_assert_eq!(registrable.split_once('.').map(|(_, suffix)| suffix), Some(expect.as_str()));
        }
    }
}
