//! The numbers of a sentence: what each counts, by the noun beside it, and what is said to it.
//!
//! Decides nothing about figures (`compare` does). A year, the number of an article and the like are read as what they
//! are.

mod beside;
mod sense;

use super::compare::{self, Bound, Said};
use super::names::Labels;
use super::nouns::{self, Found, Thing};
use super::numbers::Number;
use super::text::{Sentence, What};
use super::{Facts, Finding, Judged, Of, Stated, Verdict};

/// Said of a number that is the same as a figure by chance or by meaning.
pub(super) const NO_NOUN: &str = "no noun says what it counts; this figure is the same";

/// Every number of a sentence.
pub(super) fn check(sentence: &Sentence<'_>, facts: &Facts, labels: &Labels<'_>, findings: &mut Vec<(usize, Finding)>) {
    let mut taken = vec![false; sentence.tokens.len()];
    let mut skip = 0;
    for at in 0..sentence.tokens.len() {
        let (number, last) = match &sentence.tokens[at].what {
            What::Number(_) if at < skip => continue,
            What::Number(number) => (number.clone(), at),
            What::Word(word) => {
                if let Some((found, judged)) = none(sentence, at, word, facts, labels) {
                    push(sentence, at, found.to - 1, judged, findings);
                }
                continue;
            }
            What::Day(_) | What::Name | What::Mark(_) | What::Stop => continue,
        };
        if sense::is_numbered(sentence, at) || sense::is_year(sentence, at, &number, labels) {
            continue;
        }
        let range = sense::range(sentence, at);
        let last = range.as_ref().map_or(last, |(_, to)| *to);
        skip = last + 1;
        let thing = beside::thing(sentence, at, last, labels, &mut taken);
        let said = Said {
            number: &number,
            until: range.as_ref().map(|(number, _)| number),
            bound: if number.open { Bound::AtLeast } else { sense::bound(sentence, at, last) },
            // `thousands of files` are all of them.
            of_a_part: !number.open && sense::is_of_a_part(sentence, at, last),
        };
        let judged = compare::judge(&said, thing.as_ref(), &cues(sentence, labels), facts);
        push(sentence, at, last, judged, findings);
    }
}

/// A number without a noun that is a figure which nobody is told: its line, the words, the fact.
pub(super) fn bare(sentence: &Sentence<'_>, facts: &Facts, labels: &Labels<'_>) -> Option<(usize, String, String)> {
    let types = facts.types.iter().map(|(id, value)| (format!("type:{id}"), *value));
    let hidden: Vec<(String, i64)> =
        facts.figures.iter().cloned().chain(types).filter(|(name, value)| *value >= 10 && facts.hides(name)).collect();
    sentence.tokens.iter().enumerate().find_map(|(at, token)| {
        let What::Number(number) = &token.what else { return None };
        let is = |value: i64| number.readings.iter().any(|one| one.unit > 0 && one.value == i128::from(value));
        let (name, _) = hidden.iter().find(|(_, value)| is(*value))?;
        let mut taken = vec![false; sentence.tokens.len()];
        let is_other = sense::is_numbered(sentence, at) || sense::is_year(sentence, at, number, labels);
        let alone = !is_other && beside::thing(sentence, at, at, labels, &mut taken).is_none();
        alone.then(|| (token.line, sentence.said(token, token), name.clone()))
    })
}

/// Every number of a sentence that a noun says the meaning of.
pub(super) fn each(sentence: &Sentence<'_>, labels: &Labels<'_>, found: &mut Vec<Stated>) {
    let mut taken = vec![false; sentence.tokens.len()];
    for (at, token) in sentence.tokens.iter().enumerate() {
        let What::Number(number) = &token.what else { continue };
        if sense::is_numbered(sentence, at) || sense::is_year(sentence, at, number, labels) {
            continue;
        }
        let Some(thing) = beside::thing(sentence, at, at, labels, &mut taken) else { continue };
        let whole = number.readings.iter().filter(|one| one.unit > 0);
        let values: Vec<i64> = whole.filter_map(|one| i64::try_from(one.value).ok()).collect();
        let names = compare::names(&thing, &cues(sentence, labels));
        if !values.is_empty() && !names.is_empty() {
            found.push(Stated { line: token.line, said: sentence.said(token, token), values, names });
        }
    }
}

/// What the number at a token counts.
pub(super) fn counted(sentence: &Sentence<'_>, at: usize, labels: &Labels<'_>) -> Vec<String> {
    let mut taken = vec![false; sentence.tokens.len()];
    match beside::thing(sentence, at, at, labels, &mut taken) {
        None => Vec::new(),
        Some(Thing::Other(_)) => vec!["other".to_owned()],
        Some(thing) => compare::names(&thing, &cues(sentence, labels)),
    }
}

fn push(sentence: &Sentence<'_>, from: usize, to: usize, judged: Option<Judged>, findings: &mut Vec<(usize, Finding)>) {
    let Some(Judged { verdict, fact, detail }) = judged else { return };
    let (from, to) = (&sentence.tokens[from], &sentence.tokens[to.min(sentence.tokens.len() - 1)]);
    let said = sentence.said(from, to);
    findings.push((from.at, Finding { line: from.line, finding: verdict, said, of: Of::Number, fact, detail }));
}

fn cues(sentence: &Sentence<'_>, labels: &Labels<'_>) -> compare::Cues {
    compare::Cues { words: sentence.lower(), types: super::names::named(sentence, labels) }
}

/// `No users were affected`: none, where a verb says that the noun is meant and not the beginning of another.
fn none(
    sentence: &Sentence<'_>,
    at: usize,
    word: &str,
    facts: &Facts,
    labels: &Labels<'_>,
) -> Option<(Found, Option<Judged>)> {
    const NO: [&str; 9] = ["no", "zero", "kein", "keine", "keinen", "aucun", "aucune", "ningún", "ninguna"];
    const VERBS: [&str; 24] = [
        "was",
        "were",
        "is",
        "are",
        "has",
        "have",
        "had",
        "wurde",
        "wurden",
        "ist",
        "sind",
        "waren",
        "war",
        "n",
        "est",
        "fue",
        "fueron",
        "ha",
        "han",
        "son",
        "affected",
        "exposed",
        "expuesto",
        "betroffen",
    ];
    if !NO.contains(&word) {
        return None;
    }
    let found = nouns::at(sentence, at + 1, labels)?;
    if matches!(found.thing, Thing::Type(_) | Thing::Other(_))
        || !sentence.word(found.to).is_some_and(|verb| VERBS.contains(&verb))
    {
        return None;
    }
    let number = Number::in_words(0, 1);
    let said = Said { number: &number, until: None, bound: Bound::Exactly, of_a_part: false };
    let judged = compare::judge(&said, Some(&found.thing), &cues(sentence, labels), facts);
    Some((found, judged))
}

/// What is said of a number that no noun stands beside.
pub(super) fn unnamed(number: &Number, facts: &Facts) -> Option<Judged> {
    let known = || {
        let types = facts.types.iter().map(|(id, value)| (format!("type:{id}"), *value));
        facts.figures.iter().cloned().chain(types)
    };
    let exact =
        |value: i64| number.readings.iter().any(|reading| reading.unit > 0 && reading.value == i128::from(value));
    let matching: Vec<(String, i64)> = known().filter(|(_, value)| exact(*value)).collect();
    if let Some((name, _)) = matching.iter().find(|(name, _)| !facts.hides(name)) {
        return Some(Judged::new(Verdict::Agrees, name.as_str(), NO_NOUN));
    }
    if let Some((name, value)) = matching.first()
        && *value >= 1_000
    {
        return Some(Judged::new(Verdict::Withheld, name.as_str(), format!("{name} is withheld from everybody")));
    }
    let day = |day: &str| number.year().is_some_and(|year| day.starts_with(&year.to_string()));
    if day(&facts.discovered) || facts.dates.iter().any(|(_, there)| day(there)) {
        return None;
    }
    Some(Judged::new(Verdict::CannotTell, "", "no figure of the incident is this number"))
}
