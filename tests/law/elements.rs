//! A template with one element removed: `notice check` names it for each obligation that requires it, and for no other.

use std::collections::{BTreeMap, BTreeSet};

use model::law::{Law, Obligation};
use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path};

/// A template without the blocks of one element.
fn without(source: &str, element: &str) -> String {
    let opening = format!("{{{{#element \"{element}\"}}}}");
    let mut left = source.to_owned();
    while let Some(start) = left.find(&opening) {
        let (mut at, mut open) = (start + opening.len(), 1);
        while open > 0 {
            let next = at + left[at..].find("element").unwrap() + "element".len();
            open = match &left[..next] {
                text if text.ends_with("{{#element") => open + 1,
                text if text.ends_with("{{/element") => open - 1,
                _ => open,
            };
            at = next;
        }
        left.replace_range(start..at + "}}".len(), "");
    }
    left
}

/// The built-in English notice with a passage more for each element that it has no block for.
fn complete(stage: &Stage, wanted: &BTreeSet<&str>) -> [String; 3] {
    ["subject", "text", "html"].map(|part| {
        let mut words = stage.run.ok(&["templates", "show", "notice", "en", "--part", part]);
        let lacking = wanted.iter().filter(|element| !words.contains(&format!("\"{element}\""))).copied();
        match part {
            "text" => {
                let passages =
                    lacking.map(|element| format!("{{{{#element \"{element}\"}}}}\nHere.\n{{{{/element}}}}\n"));
                let more: String = passages.collect();
                words.push_str(&more);
            }
            "html" => {
                let passages =
                    lacking.map(|element| format!("{{{{#element \"{element}\"}}}}\n<p>Here.</p>\n{{{{/element}}}}\n"));
                let more: String = passages.collect();
                words = words.replace("</body>", &format!("{more}</body>"));
            }
            _ => {}
        }
        words
    })
}

/// Keeps these words, and returns for each obligation the elements of which there is no place in the notice.
fn missing(stage: &Stage, words: &[String; 3], all: &str) -> BTreeMap<String, BTreeSet<String>> {
    let [subject, text, html] =
        [("s.hbs", 0), ("t.hbs", 1), ("h.hbs", 2)].map(|(name, at)| stage.file(name, &words[at]));
    let set = ["templates", "set", SLUG, "notice", "en", "--why", "words of counsel"];
    let parts = ["--subject", path(&subject), "--text", path(&text), "--html", path(&html)];
    stage.run.ok(&[&set[..], &parts[..]].concat());
    let output = stage.run.run(&["notice", "check", SLUG, "--template", "notice", "--obligations", all, "--csv"]);
    let mut missing: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in csv::Reader::from_reader(output.stdout.as_bytes()).deserialize() {
        let row: BTreeMap<String, String> = row.unwrap();
        let elements = missing.entry(row["obligation"].clone()).or_default();
        if row["finding"] == "missing" {
            elements.insert(row["element"].clone());
        }
    }
    let refuses = missing.values().any(|elements| !elements.is_empty());
    assert!(!refuses || output.status == 4, "{}", output.status);
    missing
}

#[test]
fn the_check_names_each_obligation_whose_element_was_taken_out_of_the_template_and_no_other() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    stage.run.ok(&["notice", "draft", SLUG]);
    // The law of the day of the discovery applies: what came later is not asked.
    let discovered = "2022-09-24T08:00:00Z".parse().unwrap();
    let law = Law::builtin().unwrap();
    let rows: Vec<_> = law.obligations().iter().filter(|row| row.in_force(discovered)).collect();
    assert!(rows.len() > 60, "{}", rows.len());
    let all = rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>().join(",");
    let wanted: BTreeSet<&str> = rows.iter().flat_map(|row| &row.elements).map(String::as_str).collect();
    let words = complete(&stage, &wanted);
    let nothing = missing(&stage, &words, &all);
    assert!(nothing.len() == rows.len() && nothing.values().all(BTreeSet::is_empty), "{nothing:?}");
    for element in one_of_each(&rows) {
        let missing = missing(&stage, &words.each_ref().map(|part| without(part, element)), &all);
        for row in &rows {
            let removed = row.elements.iter().any(|id| id == element);
            assert_eq!(missing[&row.id].contains(element), removed, "{}: {element}", row.id);
        }
    }
}

/// Few elements, of which each obligation that prescribes any requires one. That each element is missed when it is
/// removed is tested beside the templates and beside the law, where it costs nothing.
fn one_of_each<'a>(rows: &[&'a Obligation]) -> Vec<&'a str> {
    let mut left: Vec<&&Obligation> = rows.iter().filter(|row| !row.elements.is_empty()).collect();
    let mut chosen = Vec::new();
    while !left.is_empty() {
        let mut required: BTreeMap<&str, usize> = BTreeMap::new();
        for element in left.iter().flat_map(|row| &row.elements) {
            *required.entry(element).or_default() += 1;
        }
        let (element, _) = required.into_iter().max_by_key(|(_, rows)| *rows).unwrap();
        left.retain(|row| !row.elements.iter().any(|id| id == element));
        chosen.push(element);
    }
    chosen
}
