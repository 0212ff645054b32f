//! The table as it is compiled in, and every obligation of it against notices with one thing changed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;
use crate::language::Language;

const OBLIGATIONS: &str = include_str!("../../data/obligations.json");
const ELEMENTS: &str = include_str!("../../data/content-elements.json");

fn law() -> &'static Law {
    Law::builtin().unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A notice in both languages with these elements.
fn filled<'a>(elements: impl IntoIterator<Item = (&'a str, Content)>) -> Filled {
    let elements: Elements = elements.into_iter().map(|(id, content)| (id.to_owned(), content)).collect();
    Filled::new(Language::ALL.into_iter().map(|language| (language, elements.clone())).collect())
}

/// Everything that an obligation requires, and nothing else.
fn complete(obligation: &Obligation) -> BTreeMap<&str, Content> {
    obligation.elements.iter().map(|id| (id.as_str(), Content::Filled)).collect()
}

/// An incident in which every obligation is law, every clock has started, and the notice came at once.
fn in_time() -> Facts {
    let discovered_at = time("2027-06-01T08:00:00Z");
    let events = ClockEvent::ALL.iter().map(|event| (*event, discovered_at)).collect();
    Facts { discovered_at, events, told: Told::At(time("2027-06-01T09:00:00Z")), withheld: Vec::new() }
}

fn late() -> Facts {
    Facts { told: Told::At(time("2029-01-01T00:00:00Z")), ..in_time() }
}

fn found(findings: &[Finding], kind: Kind) -> Vec<&str> {
    let these = findings.iter().filter(|finding| finding.kind == kind);
    these.map(|finding| finding.element.as_deref().unwrap_or_default()).collect()
}

#[test]
fn the_table_reads_and_nothing_of_it_is_lost() {
    let same = |text: &str, read: Value| assert_eq!(serde_json::from_str::<Value>(text).unwrap(), read);
    same(OBLIGATIONS, serde_json::to_value(law().obligations()).unwrap());
    same(ELEMENTS, serde_json::to_value(law().vocabulary()).unwrap());
    assert_eq!(law().obligations().len(), 77);
}

#[test]
fn every_word_of_the_program_is_in_the_vocabulary_and_the_other_way_round() {
    let vocabulary = law().vocabulary();
    let events: Vec<ClockEvent> = vocabulary.clock_events.iter().map(|row| row.id).collect();
    let parties: Vec<Party> = vocabulary.parties.iter().map(|row| row.id).collect();
    assert_eq!((events.as_slice(), parties.as_slice()), (ClockEvent::ALL, Party::ALL));
    let ids: BTreeSet<&str> = vocabulary.elements.iter().map(|element| element.id.as_str()).collect();
    assert_eq!(ids.len(), vocabulary.elements.len());
    assert!(ids.contains(DELAY_REASON));
}

#[test]
fn every_row_names_its_source_and_elements_that_exist() {
    for row in law().obligations() {
        assert!(!row.source.trim().is_empty() && !row.law.trim().is_empty(), "{}", row.id);
        assert!(row.named_elements().all(|id| law().element(id).is_some()), "{}", row.id);
    }
}

/// The table with one change in the row of the California residents.
#[track_caller]
fn refused(change: impl FnOnce(&mut Value), why: &str) {
    let mut rows: Value = serde_json::from_str(OBLIGATIONS).unwrap();
    let row = rows.as_array_mut().unwrap().iter_mut().find(|row| row["id"] == "us-ca-resident").unwrap();
    change(row);
    let error = Law::parse(&rows.to_string(), ELEMENTS).unwrap_err();
    let said = format!("{error} {:?}", std::error::Error::source(&error).map(ToString::to_string));
    assert!(said.contains(why), "{said}");
}

#[test]
fn a_row_that_names_what_does_not_exist_is_refused() {
    refused(|row| row["elements"][0] = "waht_happened".into(), "no content element is called `waht_happened`");
    refused(|row| row["conditional_elements"][0]["element"] = "x".into(), "no content element is called `x`");
    refused(|row| row["forbidden_elements"] = vec!["y"].into(), "no content element is called `y`");
    refused(|row| row["follows"] = "z".into(), "follows `z`");
    refused(|row| row["trigger"] = "felt".into(), "unknown variant `felt`");
    refused(|row| row["to"] = "everybody".into(), "unknown variant `everybody`");
    refused(|row| row["source_knid"] = "primary".into(), "unknown field `source_knid`");
}

#[test]
fn a_row_that_contradicts_itself_is_refused() {
    refused(|row| row["id"] = "us-ca-ag".into(), "twice");
    refused(|row| row["day_count"] = Value::Null, "not counted");
    refused(|row| row["day_count"] = "continuous hours".into(), "not counted");
    refused(|row| row["deadline"] = "a month".into(), "is not a term");
    refused(|row| row["effective_from"] = "2026-02-30".into(), "is not a day");
    refused(|row| row["effective_until"] = "2020-01-01".into(), "ends before it begins");
    refused(|row| row["forbidden_elements"] = vec!["what_happened"].into(), "requires what it forbids");
}

#[test]
fn each_obligation_is_fulfilled_by_a_notice_that_says_what_it_requires() {
    for row in law().obligations() {
        let findings = law().check(row, &filled(complete(row)), &in_time());
        assert_eq!(findings[0].kind, Kind::Ok, "{}: {findings:?}", row.id);
        assert!(!findings.iter().any(|finding| finding.kind.refuses()), "{}: {findings:?}", row.id);
    }
}

#[test]
fn each_obligation_catches_each_required_element_that_is_removed() {
    for row in law().obligations() {
        for removed in &row.elements {
            let mut elements = complete(row);
            elements.remove(removed.as_str());
            let findings = law().check(row, &filled(elements), &in_time());
            assert_eq!(found(&findings, Kind::Missing), [removed], "{}", row.id);
            assert_eq!(found(&findings, Kind::Ok), Vec::<&str>::new(), "{}", row.id);
        }
    }
}

#[test]
fn each_obligation_catches_each_required_element_that_is_empty() {
    for row in law().obligations() {
        for emptied in &row.elements {
            let mut elements = complete(row);
            elements.insert(emptied, Content::Empty);
            let findings = law().check(row, &filled(elements), &in_time());
            assert_eq!(found(&findings, Kind::Empty), [emptied], "{}", row.id);
            assert_eq!(found(&findings, Kind::Ok), Vec::<&str>::new(), "{}", row.id);
        }
    }
}

#[test]
fn each_obligation_catches_each_forbidden_element_that_is_said() {
    let mut seen = 0;
    for row in law().obligations() {
        for forbidden in &row.forbidden_elements {
            let mut elements = complete(row);
            elements.insert(forbidden, Content::Filled);
            let findings = law().check(row, &filled(elements.clone()), &in_time());
            assert_eq!(found(&findings, Kind::Forbidden), [forbidden], "{}", row.id);
            elements.insert(forbidden, Content::Empty);
            let findings = law().check(row, &filled(elements), &in_time());
            assert_eq!(found(&findings, Kind::Forbidden), Vec::<&str>::new(), "{}", row.id);
            seen += 1;
        }
    }
    assert_eq!(seen, 3, "Massachusetts forbids three");
}

#[test]
fn each_obligation_asks_for_each_condition_until_the_element_is_there() {
    let mut seen = 0;
    for row in law().obligations() {
        for one in &row.conditional_elements {
            let mut elements = complete(row);
            let asked = |elements: BTreeMap<&str, Content>| {
                found(&law().check(row, &filled(elements), &in_time()), Kind::Conditional)
                    .contains(&one.element.as_str())
            };
            let by_clock = one.element == DELAY_REASON && row.deadline.is_some();
            assert_eq!(asked(elements.clone()), !by_clock, "{} {}", row.id, one.element);
            elements.insert(&one.element, Content::Filled);
            assert!(!asked(elements), "{} {}", row.id, one.element);
            seen += 1;
        }
    }
    assert_eq!(seen, 20);
}

#[test]
fn each_obligation_with_a_deadline_wants_reasons_once_it_is_late() {
    for row in law().obligations() {
        let mut elements = complete(row);
        let findings = law().check(row, &filled(elements.clone()), &late());
        let expect: &[&str] = if row.deadline.is_some() { &[DELAY_REASON] } else { &[] };
        assert_eq!(found(&findings, Kind::LateUnexplained), expect, "{}", row.id);
        elements.insert(DELAY_REASON, Content::Filled);
        let findings = law().check(row, &filled(elements), &late());
        assert_eq!(found(&findings, Kind::LateUnexplained), Vec::<&str>::new(), "{}", row.id);
        assert_eq!(found(&findings, Kind::LateExplained), expect, "{}", row.id);
        assert_eq!(findings[0].kind, Kind::Ok, "{}", row.id);
    }
}

#[test]
fn an_obligation_is_checked_only_from_the_day_it_is_law() {
    let early = Facts { discovered_at: time("2022-09-24T08:00:00Z"), ..in_time() };
    for row in law().obligations() {
        let findings = law().check(row, &filled([]), &early);
        let not_yet = row.effective_from.is_some();
        assert_eq!(findings[0].kind == Kind::NotInForce, not_yet, "{}", row.id);
        assert!(!not_yet || findings.len() == 1, "{}", row.id);
    }
    let india = law().obligation("in-dpdp-person").unwrap();
    assert!(!india.in_force(time("2027-05-12T23:59:59Z")) && india.in_force(time("2027-05-13T00:00:00Z")));
    let ended = Obligation { effective_until: Some("2027-06-01".parse().unwrap()), ..india.clone() };
    assert!(ended.in_force(time("2027-06-01T23:00:00Z")) && !ended.in_force(time("2027-06-02T00:00:00Z")));
}

#[test]
fn a_deadline_is_kept_to_the_microsecond_and_missed_one_later() {
    let row = law().obligation("ke-dpa-processor").unwrap();
    let due = time("2027-06-03T08:00:00Z");
    for (told, is_late) in [
        (Told::At(due), false),
        (Told::At(Timestamp::from_micros(due.micros() + 1)), true),
        (Told::NotYet(due), false),
        (Told::NotYet(Timestamp::from_micros(due.micros() + 1)), true),
    ] {
        let findings = law().check(row, &filled(complete(row)), &Facts { told, ..in_time() });
        assert_eq!(!found(&findings, Kind::LateUnexplained).is_empty(), is_late, "{told:?}");
    }
}

#[test]
fn a_clock_that_nothing_started_is_a_question() {
    let row = law().obligation("us-fl-agent").unwrap();
    let facts = Facts { events: BTreeMap::new(), ..late() };
    assert_eq!(facts.clock(row), Clock::NotStarted(ClockEvent::DeterminedBreach));
    let findings = law().check(row, &filled(complete(row)), &facts);
    assert_eq!(findings[0].kind, Kind::Ok);
    assert!(findings[1].detail.starts_with("when was `determined_breach`?"), "{findings:?}");
}

#[test]
fn awareness_that_nobody_recorded_is_counted_from_the_discovery_and_said_so() {
    let row = law().obligation("ke-dpa-processor").unwrap();
    let findings = law().check(row, &filled(complete(row)), &Facts { events: BTreeMap::new(), ..late() });
    assert!(findings[0].detail.contains("counted from `aware` at 2027-06-01T08:00:00Z, taken from the discovery"));
    let recorded = BTreeMap::from([(ClockEvent::Aware, time("2027-06-02T08:00:00Z"))]);
    let findings = law().check(row, &filled(complete(row)), &Facts { events: recorded, ..late() });
    assert!(findings[0].detail.contains("counted from `aware` at 2027-06-02T08:00:00Z), and"), "{findings:?}");
}

#[test]
fn of_two_clocks_the_one_that_ends_first_counts() {
    let row = law().obligation("eu-dora-initial").unwrap();
    let aware = time("2027-06-01T08:00:00Z");
    let due = |classified: &str| {
        let events = BTreeMap::from([(ClockEvent::Aware, aware), (ClockEvent::ClassifiedMajor, time(classified))]);
        match (Facts { events, ..in_time() }).clock(row) {
            Clock::Ends { due, trigger, .. } => (due.to_string(), trigger),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(due("2027-06-01T10:00:00Z"), ("2027-06-01T14:00:00Z".to_owned(), ClockEvent::ClassifiedMajor));
    assert_eq!(due("2027-06-03T10:00:00Z"), ("2027-06-02T08:00:00Z".to_owned(), ClockEvent::Aware));
}

#[test]
fn what_one_language_lacks_the_notice_lacks() {
    let row = law().obligation("ch-fadp-processor").unwrap();
    let letters = BTreeMap::from([
        (Language::En, Elements::from([("what_happened".to_owned(), Content::Filled)])),
        (Language::De, Elements::new()),
    ]);
    let findings = law().check(row, &Filled::new(letters), &in_time());
    assert_eq!(found(&findings, Kind::Missing), ["what_happened"]);
    assert!(findings[0].detail.starts_with("the notice (de) has no place"), "{findings:?}");
    for nothing in [Filled::default(), filled([])] {
        let findings = law().check(row, &nothing, &in_time());
        assert_eq!(found(&findings, Kind::Missing), ["what_happened"]);
        assert!(findings[0].detail.starts_with("the notice has no place"), "{findings:?}");
    }
}

#[test]
fn what_is_recommended_is_said_and_refuses_nothing() {
    let row = law().obligation("eu-gdpr-33-processor").unwrap();
    let findings = law().check(row, &filled(complete(row)), &in_time());
    assert_eq!(found(&findings, Kind::Recommended).len(), row.recommended_elements.len() - 1);
    assert!(!found(&findings, Kind::Recommended).contains(&"what_happened"));
}
