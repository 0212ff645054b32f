//! Every figure can be counted again by anybody from the exported set, and the set has one commitment however it came in.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path};

const FIGURES: [&str; 26] = app::intake::FIGURES;

/// Runs a query in the `sqlite3` shell over an exported set.
fn count_again(set: &Path, query: &str) -> Value {
    let import = format!(".import --csv {} figure", path(set));
    let output = std::process::Command::new("sqlite3").args([":memory:", &import, query]).output().unwrap();
    assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{query}: {error}"))
}

/// Proves every figure, counts each again and gives the commitments.
fn prove_all(stage: &Stage) -> BTreeMap<&'static str, String> {
    let totals = stage.run.json(&["exposure", "totals", SLUG]);
    let mut commitments = BTreeMap::new();
    for figure in FIGURES {
        let set = stage.folder.path().join(format!("{figure}.csv"));
        let proof = stage.run.json(&["exposure", "prove", SLUG, figure, "--export", path(&set)]);
        assert_eq!(proof["value"], totals[figure], "{figure}");
        let bytes = std::fs::read(&set).unwrap();
        assert_eq!(proof["commitment"], format!("sha256:{}", model::digest::sha256(&bytes)), "{figure}");
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 - 1;
        assert_eq!(proof["lines"], lines, "{figure}");
        // A set without lines gives SQLite no table to ask.
        if lines > 0 {
            assert_eq!(count_again(&set, proof["query"].as_str().unwrap()), proof["value"], "{figure}");
        }
        let alone = stage.run.json(&["exposure", "prove", SLUG, figure]);
        assert_eq!(alone["commitment"], proof["commitment"], "{figure}");
        commitments.insert(figure, proof["commitment"].as_str().unwrap().to_owned());
    }
    commitments
}

#[test]
fn each_figure_is_counted_again_from_its_set() {
    let commitments: Vec<_> =
        Backend::each().into_iter().map(|backend| prove_all(&super::sample(backend, &["manifest.csv"]))).collect();
    for figure in FIGURES {
        // Keys of persons differ from incident to incident, and must: nobody may tell from two of them who is in both.
        let is_of_persons = ["emails", "users", "shared_addresses"].contains(&figure);
        assert_eq!(commitments[0][figure] == commitments[1][figure], !is_of_persons, "{figure}");
    }
}

#[test]
fn the_set_does_not_depend_on_the_form_the_order_or_the_repetition_of_rows() {
    let one = super::sample(Backend::Sqlite, &["manifest.csv"]);
    let csv = one.folder.path().join("manifest.csv");
    std::fs::copy(testkit::data::sample().join("manifest.csv"), &csv).unwrap();
    let shuffled = testkit::generator::shuffle(&csv, 4).unwrap();
    let prove =
        |stage: &Stage, figure: &str| stage.run.json(&["exposure", "prove", SLUG, figure])["commitment"].clone();
    let before = ["objects", "emails", "projects"].map(|figure| prove(&one, figure));
    one.import(
        &[&shuffled, &testkit::data::sample().join("manifest.jsonl")],
        &testkit::data::sample().join("freemail.txt"),
    );
    assert_eq!(["objects", "emails", "projects"].map(|figure| prove(&one, figure)), before);
}

#[test]
fn a_figure_of_one_organisation_is_proved_from_its_own_set() {
    let stage = super::sample(Backend::Sqlite, &["manifest.csv"]);
    let facts = stage.run.csv(&["exposure", "facts", SLUG]);
    for fact in facts.iter().take(3) {
        for figure in ["objects", "emails", "users", "projects", "bytes"] {
            let set = stage.folder.path().join("set.csv");
            let arguments =
                ["exposure", "prove", SLUG, figure, "--organisation", &fact["domain"], "--export", path(&set)];
            let proof = stage.run.json(&arguments);
            assert_eq!(proof["value"].to_string(), fact[figure], "{figure}");
            assert_eq!(count_again(&set, proof["query"].as_str().unwrap()), proof["value"], "{figure}");
        }
    }
    let refused = stage.run.run(&["exposure", "prove", SLUG, "nonsense"]);
    assert_eq!(refused.status, 1);
    assert!(refused.stderr.contains("hint: these can: rows,"), "{}", refused.stderr);
}

#[test]
fn totals_say_what_each_rule_took_away() {
    let stage = super::sample(Backend::Sqlite, &["manifest.csv"]);
    let totals = stage.run.json(&["exposure", "totals", SLUG]);
    let number = |value: &Value| value.as_i64().unwrap_or(0);
    let removed = |rule: &str, what: &str| number(&totals["removed"][rule]["counts"][what]);
    assert_eq!(removed("R1", "rejected_no_domain"), 3);
    assert_eq!(removed("R2", "rejected_bad_domain"), 2);
    assert_eq!(removed("R3", "shared_rows"), 126);
    assert_eq!(removed("R6", "rejected_columns"), 2);
    let references = &totals["references"];
    for (things, name) in [("objects", "object"), ("emails", "email"), ("users", "user"), ("projects", "project")] {
        let repeated = removed("R8", &format!("repeated_{name}_references"));
        assert_eq!(number(&references[things]) - repeated, number(&totals[things]), "{things}");
    }
    // A row may lack one field and have another that cannot be used; a field is one or the other.
    let fields = ["object_path", "email", "data_type", "document_date", "size_bytes", "project_id", "user_id"];
    let missing: i64 = fields.iter().map(|field| removed("R7", &format!("missing_{field}"))).sum();
    let invalid: i64 = fields.iter().map(|field| removed("R7", &format!("invalid_{field}"))).sum();
    assert!(missing >= number(&totals["rows_with_missing_field"]), "{totals}");
    assert!(invalid >= number(&totals["rows_with_invalid_field"]), "{totals}");
    let text = stage.run.ok(&["exposure", "summary", SLUG]);
    for words in ["4,430  rows were read", "1,680  objects, named", "SHA-256", "version 1"] {
        assert!(text.contains(words), "`{words}` is not in:\n{text}");
    }
}

#[test]
fn each_rule_has_a_document_that_says_what_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let stage = Stage::new(Backend::Sqlite);
    let rules = stage.run.csv(&["exposure", "rules"]);
    assert_eq!(rules.len(), 9);
    for rule in rules {
        let text = std::fs::read_to_string(root.join(&rule["document"])).unwrap();
        let title = text.lines().next().unwrap().to_lowercase();
        assert_eq!(title, format!("# {}: {}", rule["rule"], rule["says"]).to_lowercase());
        assert!(root.join(&rule["code"]).exists(), "{}", rule["code"]);
    }
}
