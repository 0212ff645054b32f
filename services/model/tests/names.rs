//! The official test tables about names, line by line: the Public Suffix List's and Unicode's.
//!
//! Where R2 departs from a table on purpose, the departure is a class with a count, so that a change of either shows.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::collections::BTreeMap;

use model::domain::{BadDomain, DomainName};
use model::suffixes::SuffixList;

const SUFFIXES: &str = include_str!("../../../tests/data/names/test_psl.txt");
const IDNA: &str = include_str!("../../../tests/data/names/IdnaTestV2.txt");

#[test]
fn the_suffix_list_s_own_table_holds() {
    let mut checked = 0;
    for line in SUFFIXES.lines().filter(|line| line.starts_with("checkPublicSuffix(")) {
        let arguments = line.strip_prefix("checkPublicSuffix(").and_then(|rest| rest.strip_suffix(");")).unwrap();
        let (given, expect) = arguments.split_once(", ").unwrap();
        // A single label and a leading dot are no host names (R2): the table expects no answer for them.
        let name = quoted(given).and_then(|text| DomainName::parse(text).ok());
        let found = name.as_ref().and_then(|name| SuffixList::builtin().registrable(name));
        let expect = quoted(expect).map(|text| DomainName::parse(text).unwrap());
        assert_eq!(found, expect.as_ref().map(DomainName::as_str), "{line}");
        checked += 1;
    }
    assert_eq!(checked, 78);
}

/// `'text'`, or `null`.
fn quoted(argument: &str) -> Option<&str> {
    if argument == "null" {
        return None;
    }
    Some(argument.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap())
}

/// How a line and R2 agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// The same name.
    Same,
    /// Both refuse it.
    BothRefuse,
    /// A single label is a name for Unicode, and no host name.
    SingleLabel,
    /// R2 lowers letters before UTS 46, and lowers a capital sigma at the end of a word to ς; UTS 46 maps it to σ.
    FinalSigma,
    /// The root's empty label (A4_2): R2 strips trailing dots.
    TrailingDot,
    /// Hyphens in third and fourth place (V2): real hosts have them.
    InnerHyphens,
    /// A hyphen at an end of a label's Unicode form (V3): R2 judges the A-label.
    HyphenInUnicode,
    /// A letter that Unicode has assigned after the table's version (V7).
    AssignedSince,
    /// Half of a surrogate pair: no text in Rust.
    NoText,
}

#[test]
fn unicode_s_table_holds_but_for_what_r2_decides_otherwise() {
    assert!(IDNA.contains("# Version: 16.0.0\n"));
    let mut counts = BTreeMap::new();
    for text in IDNA.lines().map(|line| line.split('#').next().unwrap()).filter(|line| !line.trim().is_empty()) {
        *counts.entry(class(text)).or_insert(0) += 1;
    }
    let expect = [
        (Class::Same, 403),
        (Class::BothRefuse, 5_780),
        (Class::SingleLabel, 140),
        (Class::FinalSigma, 3),
        (Class::TrailingDot, 32),
        (Class::InnerHyphens, 8),
        (Class::HyphenInUnicode, 14),
        (Class::AssignedSince, 7),
        (Class::NoText, 2),
    ];
    assert_eq!(counts, BTreeMap::from(expect));
    assert_eq!(counts.values().sum::<usize>(), 6_389);
}

/// The class of a line; fails where the line and R2 disagree otherwise than in one.
fn class(text: &str) -> Class {
    let Some(Line { source, ascii, status }) = Line::read(text) else { return Class::NoText };
    let name = match (DomainName::parse(&source), status) {
        (Ok(name), "[]") if name.as_str() == ascii => return Class::Same,
        (Ok(name), "[]") => {
            assert_eq!(name.as_str(), DomainName::parse(&source.to_lowercase()).unwrap().as_str(), "{text}");
            assert!(source.contains('Σ') && name.unicode().replace('ς', "σ") == unicode(&ascii), "{text}");
            return Class::FinalSigma;
        }
        (Err(error), "[]") => {
            assert_eq!((error, ascii.contains('.')), (BadDomain::NoDot, false), "{text}");
            return Class::SingleLabel;
        }
        (Err(_), _) => return Class::BothRefuse,
        (Ok(name), _) => name,
    };
    assert_eq!(name.as_str(), ascii.trim_end_matches('.'), "{text}");
    match status {
        "[A4_2]" if ascii.ends_with('.') => Class::TrailingDot,
        "[V2]" => Class::InnerHyphens,
        "[V3]" if name.unicode().split('.').any(|label| label.starts_with('-') || label.ends_with('-')) => {
            Class::HyphenInUnicode
        }
        "[V7]" | "[V7, A4_2]" if name.unicode().contains(is_assigned_since) => Class::AssignedSince,
        _ => panic!("R2 takes {name}, which Unicode refuses: {text}"),
    }
}

fn unicode(ascii: &str) -> String {
    DomainName::parse(ascii).unwrap().unicode()
}

/// CJK extension J of Unicode 17, Small Seal of Unicode 18.
fn is_assigned_since(c: char) -> bool {
    matches!(c, '\u{323B0}'..='\u{33479}' | '\u{3D000}'..='\u{3FC3F}')
}

/// A line of IdnaTestV2.txt: what stands before, and what toASCII without transitional processing makes of it.
struct Line<'a> {
    source: String,
    ascii: String,
    /// `[]`, or what is wrong.
    status: &'a str,
}

impl<'a> Line<'a> {
    /// `None` for a line that holds half of a surrogate pair.
    fn read(line: &'a str) -> Option<Self> {
        let columns: Vec<&str> = line.split(';').map(str::trim).collect();
        let [source, to_unicode, unicode_status, to_ascii, ascii_status, ..] = columns[..] else { panic!("{line}") };
        let first = |texts: &[&'a str]| texts.iter().copied().find(|text| !text.is_empty()).unwrap();
        let status = first(&[ascii_status, unicode_status, "[]"]);
        Some(Self { source: unescaped(source)?, ascii: unescaped(first(&[to_ascii, to_unicode, source]))?, status })
    }
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
