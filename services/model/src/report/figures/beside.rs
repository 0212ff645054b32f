//! The noun that a number counts: behind it within a few words, over the end of a line too, or before it where `:`, `is`
//! or a bracket joins them.
//!
//! A noun that counts for one number counts for no other.

use super::super::compare;
use super::super::names::Labels;
use super::super::nouns::{self, Found, Thing};
use super::super::text::{Sentence, What, is_unspaced};
use super::sense::ABOUT;

/// Words between a number and its noun.
const WINDOW: usize = 6;

/// What a number counts.
pub(super) fn thing(
    sentence: &Sentence<'_>,
    from: usize,
    to: usize,
    labels: &Labels<'_>,
    taken: &mut [bool],
) -> Option<Thing> {
    let number = sentence.number(from)?;
    if number.size {
        return Some(Thing::Type(compare::BYTES.to_owned()));
    }
    if sentence.mark(to + 1) == Some('%') || sentence.mark(to + 1) == Some('‰') {
        return Some(Thing::Other("a share"));
    }
    // `1 in 10 customers`.
    let joined = from.checked_sub(1).and_then(|at| sentence.word(at));
    if joined == Some("in") && from.checked_sub(2).is_some_and(|at| sentence.number(at).is_some()) {
        return Some(Thing::Other("a share"));
    }
    if matches!(sentence.mark(to + 1), Some('€' | '$' | '£' | '¥')) {
        return Some(Thing::Other("a sum of money"));
    }
    let line = sentence.tokens[to].line;
    let near = behind(sentence, to, labels);
    let at_once = |found: &Found| found.from == to + 1 && sentence.tokens[found.from].line == line;
    let found = match near {
        Some(found) if at_once(&found) => Some(found),
        near => label(sentence, from, labels, taken).or(near).or_else(|| before(sentence, from, labels, taken)),
    }?;
    let until = found.to.min(taken.len());
    taken[found.from..until].fill(true);
    Some(found.thing)
}

/// The noun within a few words behind.
fn behind(sentence: &Sentence<'_>, to: usize, labels: &Labels<'_>) -> Option<Found> {
    let mut words = 0;
    for at in to + 1..sentence.tokens.len() {
        match &sentence.tokens[at].what {
            What::Word(word) if word.starts_with(is_unspaced) => {
                if at > to + 1 {
                    return None;
                }
                return nouns::behind(word, labels).map(|thing| Found { from: at, to: at + 1, thing });
            }
            What::Word(_) => {
                if let Some(found) = nouns::at(sentence, at, labels) {
                    // `10 of the day`: a span of time is counted at once or not at all.
                    let late = matches!(found.thing, Thing::Other(_)) && words > 1;
                    return (!late).then_some(found);
                }
                words += 1;
                if words > WINDOW {
                    return None;
                }
            }
            What::Mark('-' | '+' | '"' | '“' | '”' | '«' | '»' | '„' | '\'' | '’' | '*') => {}
            What::Mark('(') if words == 0 => return None,
            What::Number(_) | What::Day(_) | What::Name | What::Mark(_) | What::Stop => return None,
        }
    }
    None
}

/// The noun of a label: `Files exposed: 12`.
fn label(sentence: &Sentence<'_>, from: usize, labels: &Labels<'_>, taken: &[bool]) -> Option<Found> {
    let mut at = from.checked_sub(1)?;
    // `about` may stand between.
    while sentence.word(at).is_some_and(|word| ABOUT.contains(&word) || word == "約") && at > 0 {
        at -= 1;
    }
    if !matches!(sentence.mark(at), Some(':' | '=' | '|')) {
        return None;
    }
    // The number itself may stand on the next line.
    let line = sentence.tokens[at].line;
    let mut found = None;
    for at in (0..at).rev() {
        let token = &sentence.tokens[at];
        if token.line != line || taken[at] || matches!(token.what, What::Number(_)) {
            break;
        }
        match &token.what {
            What::Word(word) if word.starts_with(is_unspaced) => {
                found = nouns::before(word, labels).map(|thing| Found { from: at, to: at + 1, thing });
                break;
            }
            What::Word(word) if sentence.mark(at + 1) == Some(')') && labels.id(word).is_some() => {
                return labels.id(word).map(|id| Found { from: at, to: at + 1, thing: Thing::Type(id) });
            }
            What::Word(_) => {
                let here = nouns::at(sentence, at, labels).filter(|found| !matches!(found.thing, Thing::Other(_)));
                // `E-mail addresses`: what begins earlier and ends at the same place says more.
                match (&found, here) {
                    (None, here) => found = here,
                    (Some(known), Some(here)) if here.to >= known.to && here.from < known.from => found = Some(here),
                    (Some(known), _) if known.from > at + WINDOW => break,
                    (Some(_), _) => {}
                }
            }
            // `Invoice (invoice): 12` names the data type as letters do.
            What::Name => {
                if let Some(id) = labels.id(&sentence.said(token, token)) {
                    return Some(Found { from: at, to: at + 1, thing: Thing::Type(id) });
                }
            }
            What::Mark(',' | ';' | '、') => break,
            What::Number(_) | What::Day(_) | What::Mark(_) | What::Stop => {}
        }
    }
    found
}

/// The noun right before: `the number of files was 12`, `files (12)`, `ファイル12件`.
fn before(sentence: &Sentence<'_>, from: usize, labels: &Labels<'_>, taken: &[bool]) -> Option<Found> {
    const JOINS: [&str; 34] = [
        "is", "are", "was", "were", "now", "totals", "totalled", "to", "reached", "beträgt", "betrug", "auf", "liegt",
        "lag", "bei", "est", "était", "de", "es", "fue", "a", "asciende", "s", "élève", "sind", "waren", "ist", "war",
        "exposed", "affected", "son", "sont", "at", "stands",
    ];
    let mut at = from.checked_sub(1)?;
    for _ in 0..5 {
        let skip = match &sentence.tokens[at].what {
            What::Word(word) => JOINS.contains(&word.as_str()) || ABOUT.contains(&word.as_str()) || word == "約",
            What::Mark(mark) => matches!(mark, '(' | '[' | ':' | '=' | '|' | '’' | '\''),
            What::Number(_) | What::Day(_) | What::Name | What::Stop => false,
        };
        if !skip {
            break;
        }
        at = at.checked_sub(1)?;
    }
    if let Some(word) = sentence.word(at).filter(|word| word.starts_with(is_unspaced)) {
        return nouns::before(word, labels).filter(|_| !taken[at]).map(|thing| Found { from: at, to: at + 1, thing });
    }
    // The noun that ends there, from its first word.
    let starts = (at.saturating_sub(5)..=at).filter_map(|start| nouns::at(sentence, start, labels));
    let mut ending = starts.filter(|found| found.to == at + 1 && !matches!(found.thing, Thing::Other(_)));
    let found = ending.next()?;
    let joined = at + 1 < from || sentence.tokens[at].line == sentence.tokens[from].line && at == 0;
    (joined && !taken[at]).then_some(found)
}
