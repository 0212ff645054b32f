//! A table of sentences about which data types were exposed and which were not, in five languages: what of it is let
//! through, and what is refused.

use super::super::{Facts, check};

/// Language, whether it is true of [`facts`] (`open`: nobody can say, or it claims nothing), the sentence.
const SENTENCES: &str = include_str!("sentences.tsv");

fn facts() -> Facts {
    let figures = [("objects", 185), ("organisations", 5), ("organisation_rows", 400), ("emails", 90), ("users", 57)];
    let more = [("projects", 12), ("objects_without_data_type", 0), ("bytes", 2_048_000)];
    let types =
        [("invoice", 120), ("sow_document", 40), ("customer_email", 15), ("salary", 7), ("board_minutes_2019", 3)];
    let owned =
        |list: &[(&str, i64)]| list.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect::<Vec<_>>();
    let of_language = |text: &str| -> Vec<(String, String)> {
        serde_json::from_str::<std::collections::BTreeMap<String, String>>(text).unwrap().into_iter().collect()
    };
    let labels = [
        include_str!("../../../../../templates/labels/en.json"),
        include_str!("../../../../../templates/labels/de.json"),
        include_str!("../../../../../templates/labels/fr.json"),
        include_str!("../../../../../templates/labels/es.json"),
        include_str!("../../../../../templates/labels/ja.json"),
    ];
    let own = ("board_minutes_2019".to_owned(), "board_minutes_2019".to_owned());
    Facts {
        figures: [owned(&figures), owned(&more)].concat(),
        discovered: "2022-09-24".to_owned(),
        dates: Vec::new(),
        types: owned(&types),
        labels: labels.into_iter().flat_map(of_language).chain([own]).collect(),
        withheld: Vec::new(),
    }
}

/// Sentences of this kind, and those of them that are refused.
fn of_kind(kind: &str) -> (usize, Vec<&'static str>) {
    let facts = facts();
    let rows = SENTENCES.lines().map(|line| line.splitn(3, '\t').collect::<Vec<_>>());
    let of_kind: Vec<&str> = rows.filter(|row| row[1] == kind).map(|row| row[2]).collect();
    let refused = |text: &&&str| check(text, &facts).iter().any(|one| one.finding.refuses());
    (of_kind.len(), of_kind.iter().filter(refused).copied().collect())
}

#[test]
fn no_false_sentence_of_the_table_passes() {
    let (all, refused) = of_kind("false");
    let facts = facts();
    let missed: Vec<String> = SENTENCES
        .lines()
        .filter_map(|line| line.split_once("\tfalse\t"))
        .filter(|(_, text)| !refused.contains(text))
        .map(|(_, text)| format!("{text} {:?}", check(text, &facts)))
        .collect();
    assert!(all >= 60 && missed.is_empty(), "{} of {all}:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn few_true_sentences_of_the_table_are_refused() {
    let (all, refused) = of_kind("true");
    assert!(all >= 50 && refused.len() * 40 <= all, "{} of {all}:\n{}", refused.len(), refused.join("\n"));
}

#[test]
fn what_claims_nothing_is_not_refused() {
    let (all, refused) = of_kind("open");
    assert!(all >= 15 && refused.is_empty(), "{} of {all}:\n{}", refused.len(), refused.join("\n"));
}
