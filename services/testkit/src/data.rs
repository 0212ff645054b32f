//! The sample incident that lies in `tests/data/sample`, and what must come out of it.
//!
//! The expected figures are translated to the names of the command line and otherwise given as they stand in the files.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

/// Names that the sample's `expected.json` spells differently from the command line: theirs, ours.
const RENAMED: [(&str, &str); 3] =
    [("rows_written", "rows"), ("freemail_rows", "shared_rows"), ("freemail_addresses", "shared_addresses")];

/// Keys of `expected.json` that the command line does not print.
const NOT_PRINTED: [&str; 4] = ["arguments", "extra_identical_rows", "countries", "directory_domains"];

/// The folder of the sample incident: `directory.csv`, `contacts.csv`, `manifest.csv`, `manifest.jsonl`,
/// `freemail.txt` and the expected results.
pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/sample")
}

/// What `exposure totals --json` must print for the sample: a JSON object, to be compared key by key.
pub fn sample_totals() -> Value {
    let text = read("expected.json");
    let given: Map<String, Value> = serde_json::from_str(&text).expect("expected.json of the sample is a JSON object");
    let totals = given.into_iter().filter(|(key, _)| !NOT_PRINTED.contains(&key.as_str())).map(|(key, value)| {
        let ours = RENAMED.iter().find(|(theirs, _)| *theirs == key).map(|(_, ours)| (*ours).to_owned());
        (ours.unwrap_or(key), value)
    });
    Value::Object(totals.collect())
}

/// What `exposure facts --csv` must print for the sample, without the header, sorted by domain.
pub fn sample_fact_lines() -> Vec<String> {
    let mut lines: Vec<String> = read("expected_orgs.csv").lines().skip(1).map(str::to_owned).collect();
    lines.sort_by(|a, b| a.split(',').next().cmp(&b.split(',').next()));
    lines
}

fn read(name: &str) -> String {
    let path = sample().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read the sample {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_s_fact_lines_add_up_to_its_totals() {
        let totals = sample_totals();
        let lines = sample_fact_lines();
        let sum = |column: usize| -> u64 {
            lines.iter().map(|line| line.split(',').nth(column).unwrap().parse::<u64>().unwrap()).sum()
        };
        assert_eq!(totals["rows"], 4430);
        assert_eq!(totals["organisations"], lines.len());
        assert_eq!(totals["organisation_rows"], sum(2));
        assert_eq!(totals["objects"], sum(3));
        assert_eq!(totals["bytes"], sum(7));
    }
}
