//! The official tables about names through the real binary: one process reads every line and explains it.
//!
//! What R2 decides otherwise than a table is classed in `services/model/tests/names.rs`; here the binary has to give
//! what the library gives, and the library's departures are counted as there. A name with a line break cannot be a line.

use std::collections::BTreeMap;

use model::domain::{BadDomain, DomainName};
use serde_json::Value;
use testkit::process::{Backend, Forthright};

use crate::setup::bin;

const SUFFIXES: &str = include_str!("../data/names/test_psl.txt");
const IDNA: &str = include_str!("../data/names/IdnaTestV2.txt");

/// What the binary says of each name, in order.
fn explained(names: &[String]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let run = Forthright::new(bin(), &folder.path().join("data"), Backend::Sqlite);
    run.ok(&["store", "init"]);
    let said = run.run_with_input(&["mapping", "explain", "-"], (names.join("\n") + "\n").as_bytes());
    assert_eq!(said.status, 0, "{}", said.stderr);
    let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), names.len(), "one answer a line");
    for (name, line) in names.iter().zip(&lines) {
        // A carriage return before the line break is part of the break.
        assert_eq!(line["input"].as_str().unwrap(), name.strip_suffix('\r').unwrap_or(name));
    }
    lines
}

#[test]
fn the_suffix_list_s_own_table_holds_in_the_binary() {
    let rows: Vec<(Option<&str>, Option<&str>)> = SUFFIXES
        .lines()
        .filter_map(|line| line.strip_prefix("checkPublicSuffix(")?.strip_suffix(");"))
        .map(|arguments| arguments.split_once(", ").unwrap())
        .map(|(given, expect)| (quoted(given), quoted(expect)))
        .collect();
    assert_eq!(rows.len(), 78);
    // `null` is no name: it cannot be typed.
    let typed: Vec<_> = rows.iter().filter_map(|(given, expect)| Some(((*given)?, *expect))).collect();
    let names: Vec<String> = typed.iter().map(|(given, _)| (*given).to_owned()).collect();
    for ((given, expect), line) in typed.iter().zip(explained(&names)) {
        let expect = expect.map(|text| DomainName::parse(text).unwrap().as_str().to_owned());
        assert_eq!(line["registrable_domain"].as_str(), expect.as_deref(), "{given}: {line}");
    }
}

/// `'text'`, or `null`.
fn quoted(argument: &str) -> Option<&str> {
    (argument != "null").then(|| argument.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap())
}

#[test]
fn unicode_s_table_holds_in_the_binary_but_for_what_r2_decides_otherwise() {
    let (mut names, mut expected, mut counts) = (Vec::new(), Vec::new(), BTreeMap::<&str, usize>::new());
    for line in IDNA.lines().map(|line| line.split('#').next().unwrap()).filter(|line| !line.trim().is_empty()) {
        let Some((source, ascii, status)) = read(line) else {
            *counts.entry("half of a surrogate pair: no text").or_default() += 1;
            continue;
        };
        if source.contains(['\n', '\0']) || source.ends_with('\r') {
            *counts.entry("with a line break or NUL: no line").or_default() += 1;
            continue;
        }
        names.push(source);
        expected.push((ascii, status));
    }
    for ((name, (ascii, status)), line) in names.iter().zip(&expected).zip(explained(&names)) {
        *counts.entry(class(name, ascii, status, &line)).or_default() += 1;
    }
    let expect = BTreeMap::from([
        ("the same name", 403),
        ("both refuse it", 5_780),
        ("a single label: no host", 140),
        ("a capital sigma at an end", 3),
        ("R2 takes what Unicode refuses", 61),
        ("half of a surrogate pair: no text", 2),
    ]);
    assert_eq!(counts, expect);
}

fn class(name: &str, ascii: &str, status: &str, line: &Value) -> &'static str {
    match (line["normalised"].as_str(), status) {
        (Some(normal), "[]") if normal == ascii => "the same name",
        (Some(normal), "[]") => {
            assert!(name.contains('Σ') && DomainName::parse(name).unwrap().as_str() == normal, "{name}: {line}");
            "a capital sigma at an end"
        }
        (None, "[]") => {
            assert!(!ascii.contains('.'), "{name}: {line}");
            assert_eq!(line["error"], BadDomain::NoDot.to_string(), "{name}");
            "a single label: no host"
        }
        (None, _) => "both refuse it",
        (Some(normal), _) => {
            assert_eq!(normal, ascii.trim_end_matches('.'), "{name}: {line}");
            "R2 takes what Unicode refuses"
        }
    }
}

/// What stands before, what toASCII makes of it, and what is wrong with it (`[]`: nothing).
fn read(line: &str) -> Option<(String, String, &str)> {
    let columns: Vec<&str> = line.split(';').map(str::trim).collect();
    let [source, to_unicode, unicode_status, to_ascii, ascii_status, ..] = columns[..] else { panic!("{line}") };
    let first = |texts: &[&str]| texts.iter().position(|text| !text.is_empty()).unwrap();
    let status = [ascii_status, unicode_status, "[]"];
    let ascii = [to_ascii, to_unicode, source];
    Some((unescaped(source)?, unescaped(ascii[first(&ascii)])?, status[first(&status)]))
}

/// The text of a column: `\u00FC`, `\x{1F600}`, `""` for nothing.
fn unescaped(column: &str) -> Option<String> {
    let mut text = String::new();
    let mut rest = if column == "\"\"" { "" } else { column };
    while let Some((plain, escape)) = rest.split_once('\\') {
        text.push_str(plain);
        let (digits, behind) = match escape.strip_prefix("x{") {
            Some(braced) => braced.split_once('}').unwrap(),
            None => escape.strip_prefix('u').unwrap().split_at(4),
        };
        text.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap())?);
        rest = behind;
    }
    text.push_str(rest);
    Some(text)
}
