//! Differences: each is named once, and nothing that is withheld is.

use proptest::prelude::*;

use super::*;
use crate::notices::{TypeCount, Unknown};
use crate::withholding::Had;

fn facts(domain: &str, objects: i64, invoices: i64) -> DomainFacts {
    DomainFacts {
        domain: domain.to_owned(),
        tenant_id: None,
        rows: objects,
        objects,
        emails: 0,
        users: 0,
        projects: 0,
        bytes: 0,
        first_date: None,
        last_date: None,
        data_types: vec![TypeCount { id: "invoice".to_owned(), objects: invoices }],
        unknown: Unknown::default(),
        withheld: Vec::new(),
    }
}

fn changes(before: &[DomainFacts], after: &[DomainFacts]) -> Vec<Change> {
    between(Told { facts: before, hidden: &[] }, Told { facts: after, hidden: &[] })
}

/// What is told of these facts, and what hides the rest.
fn told(facts: &[DomainFacts], names: &[&str]) -> (Vec<DomainFacts>, Vec<FactName>) {
    let names: Vec<FactName> = names.iter().map(|name| FactName::parse(name).unwrap()).collect();
    let mut facts = facts.to_vec();
    for facts in &mut facts {
        let had = Had::of(facts);
        names.iter().for_each(|name| drop(name.blank(facts, &had)));
    }
    (facts, names)
}

/// The changes from facts of which some are withheld to others.
fn moved(before: (&[DomainFacts], &[&str]), after: (&[DomainFacts], &[&str])) -> Vec<What> {
    let ((old, hidden), (new, hides)) = (told(before.0, before.1), told(after.0, after.1));
    let all = between(Told { facts: &old, hidden: &hidden }, Told { facts: &new, hidden: &hides });
    all.into_iter().map(|change| change.what).collect()
}

#[test]
fn a_domain_that_was_named_taken_back_and_comes_again_is_not_named_for_the_first_time() {
    let (a, b) = (facts("a.example", 2, 1), facts("b.example", 2, 1));
    let (both, one) = ([a.clone(), b], [a]);
    let told = |facts| Told { facts, hidden: &[] };
    let mut memory = Memory::default();
    memory.tell(told(&both), crate::time::Timestamp::from_micros(1));
    memory.tell(told(&one), crate::time::Timestamp::from_micros(2));
    assert_eq!(since(told(&one), &memory, told(&both)), [Change::new("b.example", What::Again)]);
    assert_eq!(since(told(&one), &Memory::default(), told(&both)), [Change::new("b.example", What::New)]);
}

fn of_type(id: &str, before: Option<i64>, after: Option<i64>) -> What {
    What::Type { id: id.to_owned(), before, after }
}

#[test]
fn a_domain_that_comes_supplements_and_one_that_goes_corrects() {
    let (a, b) = (facts("a.example", 2, 1), facts("b.example", 2, 1));
    let new = changes(std::slice::from_ref(&a), &[a.clone(), b.clone()]);
    assert_eq!(new, [Change::new("b.example", What::New)]);
    assert!(!new[0].corrects());
    assert!(changes(&[a.clone(), b], &[a])[0].corrects());
}

#[test]
fn each_figure_that_moved_is_named_and_a_smaller_one_corrects() {
    let changes = changes(&[facts("a.example", 2, 2)], &[facts("a.example", 3, 1)]);
    let names: Vec<String> = changes.iter().map(|change| format!("{:?}", change.what)).collect();
    assert_eq!(changes.len(), 3, "{names:?}");
    assert_eq!(changes.iter().map(Change::corrects).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn fewer_unknown_objects_are_news_and_no_correction() {
    let with = |size| DomainFacts { unknown: Unknown { size, ..Unknown::default() }, ..facts("a.example", 2, 2) };
    let changes = changes(&[with(2)], &[with(1)]);
    assert_eq!((changes.len(), changes[0].corrects()), (1, false), "{changes:?}");
}

#[test]
fn a_period_corrects_where_a_day_that_was_told_is_not_in_it_any_more() {
    let corrects = |before: (&str, &str), after: (&str, &str)| {
        let dates = |(first, last): (&str, &str)| Some((first.to_owned(), last.to_owned()));
        Change::new("a.example", What::Period { before: dates(before), after: dates(after) }).corrects()
    };
    let told = ("2020-01-01", "2020-12-31");
    for wrong in [("2020-02-01", "2020-12-31"), ("2019-01-01", "2020-06-30"), ("", "")] {
        assert!(corrects(told, wrong), "{wrong:?}");
    }
    for more in [("2019-01-01", "2020-12-31"), ("2020-01-01", "2021-06-30")] {
        assert!(!corrects(told, more), "{more:?}: nothing of what was told is wrong");
    }
    assert!(!corrects(("", ""), told));
}

#[test]
fn what_is_withheld_now_is_not_named() {
    let now = DomainFacts { emails: 9, ..facts("a.example", 2, 2) };
    let was = [facts("a.example", 2, 2)];
    assert_eq!(moved((&was, &[]), (&[now], &["emails"])), []);
    assert_eq!(moved((&was, &[]), (&[facts("a.example", 5, 5)], &["objects"])), []);
}

#[test]
fn what_was_withheld_and_is_told_now_is_named() {
    let same = [facts("a.example", 2, 2)];
    let emails = moved((&same, &["emails"]), (&same, &[]));
    assert_eq!(emails, [What::Figure { name: "emails".to_owned(), before: None, after: Some(0) }]);
    let types = moved((&same, &["types"]), (&same, &[]));
    assert!(types.contains(&of_type("invoice", None, Some(2))), "{types:?}");
    let one = moved((&same, &["type:invoice"]), (&same, &[]));
    assert!(one.contains(&of_type("invoice", None, Some(2))), "{one:?}");
    let period = moved((&same, &["a.example/period"]), (&same, &[]));
    assert!(matches!(period[..], [What::Figure { .. }, What::Period { before: None, after: Some(_) }]), "{period:?}");
}

#[test]
fn while_a_type_is_withheld_the_others_are_named() {
    let with = |invoices, contracts| {
        let mut one = facts("a.example", invoices + contracts, invoices);
        one.data_types.insert(0, TypeCount { id: "contract".to_owned(), objects: contracts });
        [one]
    };
    let hides = ["type:contract"];
    assert_eq!(
        moved((&with(3, 5), &hides), (&with(4, 6), &hides)),
        [of_type("invoice", Some(3), Some(4))],
        "the other one is not named, whatever became of it"
    );
}

#[test]
fn a_type_that_comes_while_numbers_are_withheld_is_named_without_one() {
    let mut more = facts("a.example", 3, 2);
    more.data_types.insert(0, TypeCount { id: "contract".to_owned(), objects: 1 });
    let (was, hides) = ([facts("a.example", 2, 2)], ["objects"]);
    assert_eq!(moved((&was, &hides), (&[more.clone()], &hides)), [of_type("contract", Some(0), None)]);
    assert_eq!(moved((&[more], &hides), (&was, &hides)), [of_type("contract", None, Some(0))]);
}

#[test]
fn the_cause_of_a_sheet_says_why() {
    assert_eq!(Why::of_cause("mapping"), Why::Mapping);
    assert_eq!(Why::of_cause("m.csv withdrawn"), Why::TakenBack);
    assert_eq!(Why::of_cause("m.csv"), Why::Records);
}

/// Facts that an organisation can have, with two domains at the most.
fn sheets() -> impl Strategy<Value = Vec<DomainFacts>> {
    let sheet = (0..3_i64, 0..3_i64, 0..2_i64, 0..3_i64, 0..2_usize);
    prop::collection::vec(sheet, 0..3).prop_map(|sheets| {
        let of = |(name, (invoices, contracts, unknown, emails, dated)): (&str, (i64, i64, i64, i64, usize))| {
            let objects = invoices + contracts + unknown;
            let types = [("contract", contracts), ("invoice", invoices)].into_iter().filter(|(_, count)| *count > 0);
            DomainFacts {
                emails,
                first_date: (dated == 1).then(|| "2020-01-01".to_owned()),
                data_types: types.map(|(id, objects)| TypeCount { id: id.to_owned(), objects }).collect(),
                unknown: Unknown { data_type: unknown, date: if dated == 1 { 0 } else { objects }, size: objects },
                ..facts(name, objects, 0)
            }
        };
        ["a.example", "b.example"].into_iter().zip(sheets).map(of).filter(|facts| facts.objects > 0).collect()
    })
}

fn names() -> impl Strategy<Value = Vec<&'static str>> {
    const ALL: [&str; 10] = [
        "references",
        "objects",
        "emails",
        "bytes",
        "period",
        "types",
        "type:invoice",
        "type:contract",
        "a.example/emails",
        "b.example/type:invoice",
    ];
    prop::sample::subsequence(ALL.to_vec(), 0..3)
}

/// Everything that a reader is told, a line each: of a domain, a name, and what stands behind it.
fn said(facts: &[DomainFacts]) -> BTreeMap<(String, String), String> {
    let mut said = BTreeMap::new();
    for facts in facts {
        let mut say = |name: &str, value: String| said.insert((facts.domain.clone(), name.to_owned()), value);
        let counts = [
            ("references", facts.rows),
            ("objects", facts.objects),
            ("emails", facts.emails),
            ("users", facts.users),
            ("projects", facts.projects),
            ("bytes", facts.bytes),
            (UNKNOWN[0], facts.unknown.data_type),
            (UNKNOWN[1], facts.unknown.date),
            (UNKNOWN[2], facts.unknown.size),
        ];
        for (name, value) in counts.into_iter().filter(|(name, _)| !facts.withholds(name)) {
            say(name, value.to_string());
        }
        if !facts.withholds("period") {
            say("period", format!("{:?} {:?}", facts.first_date, facts.last_date));
        }
        for count in &facts.data_types {
            let number = if facts.withholds(TYPE_OBJECTS) { "named".to_owned() } else { count.objects.to_string() };
            say(&format!("type:{}", count.id), number);
        }
    }
    said
}

fn name_of(change: &Change) -> (String, String) {
    let name = match &change.what {
        What::New | What::Again | What::Gone | What::Cleared | What::Unlisted => String::new(),
        What::Figure { name, .. } => name.clone(),
        What::Type { id, .. } => format!("type:{id}"),
        What::Period { .. } => "period".to_owned(),
        What::Stated { .. } | What::Withheld { .. } => panic!("is no fact: {change:?}"),
    };
    (change.domain.clone(), name)
}

proptest! {
    #[test]
    fn each_difference_of_what_is_told_is_named_once_and_nothing_else_is(
        before in sheets(), after in sheets(), hid in names(), hides in names()
    ) {
        let ((old, hidden), (new, hiding)) = (told(&before, &hid), told(&after, &hides));
        let all = between(Told { facts: &old, hidden: &hidden }, Told { facts: &new, hidden: &hiding });
        let mut named: Vec<_> = all.iter().map(name_of).collect();
        let count = named.len();
        named.sort();
        named.dedup();
        prop_assert_eq!(named.len(), count, "nothing is named twice");

        let (was, is) = (said(&old), said(&new));
        let has = |facts: &[DomainFacts], domain: &str| facts.iter().any(|facts| facts.domain == domain);
        let mut wanted = BTreeSet::new();
        for domain in ["a.example", "b.example"] {
            match (has(&old, domain), has(&new, domain)) {
                (true, true) => {}
                (false, false) => continue,
                (true, false) | (false, true) => {
                    wanted.insert((domain.to_owned(), String::new()));
                    continue;
                }
            }
            // What is told now and was not told so.
            wanted.extend(is.iter().filter(|(name, value)| {
                let now_hidden = *value == "named" && was.get(*name).is_some_and(|before| before != "0");
                name.0 == domain && was.get(*name) != Some(value) && !now_hidden
            }).map(|(name, _)| name.clone()));
            // What was told and is there no more: only a data type can go, and not into hiding.
            wanted.extend(was.keys().filter(|name| {
                let id = name.1.strip_prefix("type:");
                let gone = id.is_some_and(|id| !hiding.iter().any(|hides| hides.hides_type(domain, id)));
                name.0 == domain && gone && !is.contains_key(*name)
            }).cloned());
        }
        prop_assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), wanted);
    }

    #[test]
    fn nobody_is_told_the_same_twice(facts in sheets(), hides in names()) {
        let (facts, hidden) = told(&facts, &hides);
        let side = Told { facts: &facts, hidden: &hidden };
        prop_assert_eq!(between(side, side), []);
    }

    #[test]
    fn nothing_that_is_withheld_shows_in_a_difference(
        before in sheets(), after in sheets(), more in 1..9_i64, hid in names()
    ) {
        // The same whatever is behind what is withheld.
        let mut other = after.clone();
        for facts in &mut other {
            facts.emails += more;
        }
        let hides: Vec<&str> = hid.iter().copied().chain(["emails"]).collect();
        prop_assert_eq!(moved((&before, &hid), (&after, &hides)), moved((&before, &hid), (&other, &hides)));
        let mut other = after.clone();
        for facts in &mut other {
            if let Some(count) = facts.data_types.first_mut() {
                count.objects += more;
                facts.objects += more;
                facts.rows += more;
                facts.unknown.size += more;
                facts.unknown.date += if facts.unknown.date > 0 { more } else { 0 };
            }
        }
        let hides: Vec<&str> = hid.iter().copied().chain(["objects"]).collect();
        prop_assert_eq!(moved((&before, &hid), (&after, &hides)), moved((&before, &hid), (&other, &hides)));
    }
}
