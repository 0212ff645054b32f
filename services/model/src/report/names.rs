//! Names of data types in a text: what is found, what is denied, what nobody is told.
//!
//! Reads the names that letters give to data types, in the singular and most plurals. Invariant: a name that is also an
//! everyday word (`Name`, `Other`) contradicts nothing.

use std::collections::{HashMap, HashSet};

use super::claims::{self, Claim, Place};
use super::families;
use super::nouns::{self, Thing};
use super::text::{self, Sentence, What, is_unspaced};
use super::{Facts, Finding, Judged, Of, Verdict};

/// Letters that a plural adds to a word.
const PLURAL: usize = 3;
/// Words that say nothing by themselves, though a data type is called so.
const EVERYDAY: [&str; 5] = ["person_name", "other", "company_name", "email_address", "username"];

/// Words that a name begins with and that say too little without its end.
const TOO_WIDE: [&str; 26] = [
    "código",
    "estado",
    "número",
    "numéro",
    "registro",
    "relevé",
    "journal",
    "secreto",
    "backup",
    "protokoll",
    "nombre",
    "利用",
    "system",
    "systems",
    "sistema",
    "système",
    "customer",
    "kunden",
    "cliente",
    "client",
    "sexual",
    "racial",
    "religious",
    "rassische",
    "religiöse",
    "origine",
];

/// What data types are called.
pub(super) struct Labels<'f> {
    /// (id, words in lower case), by the letters that the first word begins with.
    spaced: HashMap<String, Vec<(&'f str, Vec<String>)>>,
    /// (id, label) without spaces.
    unspaced: Vec<(&'f str, &'f str)>,
    ids: HashSet<&'f str>,
}

impl<'f> Labels<'f> {
    pub(super) fn of(facts: &'f Facts) -> Self {
        let mut spaced: HashMap<String, Vec<(&str, Vec<String>)>> = HashMap::new();
        let mut unspaced = Vec::new();
        for (id, label) in &facts.labels {
            if label.chars().any(is_unspaced) {
                unspaced.push((id.as_str(), label.as_str()));
                let first = ["または", "および", "、", "（"].iter().filter_map(|or| label.find(or)).min();
                let first = first.map(|at| &label[..at]).filter(|first| !TOO_WIDE.contains(first));
                unspaced.extend(first.map(|first| (id.as_str(), first)));
                continue;
            }
            for name in forms(label) {
                spaced.entry(head(&name[0])).or_default().push((id.as_str(), name));
            }
        }
        let ids = facts.labels.iter().map(|(id, _)| id.as_str()).collect();
        Self { spaced, unspaced, ids }
    }

    /// The data type of this id.
    pub(super) fn id(&self, name: &str) -> Option<String> {
        self.ids.contains(name).then(|| name.to_owned())
    }

    /// The data type that is named at a token, and how many words that are; the longest name.
    pub(super) fn at(&self, sentence: &Sentence<'_>, from: usize) -> Option<(&'f str, usize)> {
        let first = sentence.word(from)?;
        // Tokens of the name; an apostrophe or a comma stands between words.
        let length = |words: &[String]| {
            let mut at = from;
            for name in words {
                while at > from && matches!(sentence.mark(at), Some('’' | '\'' | ',')) {
                    at += 1;
                }
                at = sentence.word(at).is_some_and(|word| is_form(word, name)).then_some(at + 1)?;
            }
            Some(at - from)
        };
        let named = self.spaced.get(&head(first))?.iter().filter_map(|(id, words)| Some((*id, length(words)?)));
        named.max_by_key(|(_, length)| *length)
    }

    /// The data types that a run of Japanese names: first byte, length, id.
    pub(super) fn in_run(&self, run: &str) -> Vec<(usize, usize, &'f str)> {
        let places = self.unspaced.iter().filter(|(_, label)| label.chars().count() > 1);
        places.filter_map(|(id, label)| Some((run.find(label)?, label.len(), *id))).collect()
    }
}

/// Letters that all forms of a word have in common.
fn head(word: &str) -> String {
    word.chars().take(3).collect()
}

/// The names that a label gives: without what stands in brackets, and what stands before `or` where that says enough.
fn forms(label: &str) -> Vec<Vec<String>> {
    let words = |text: &str| -> Vec<String> {
        let split = |char: char| !char.is_alphanumeric() && char != '-';
        text.split(split).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let plain = label.split(['(', '（']).next().unwrap_or_default();
    let mut names = vec![words(plain)];
    let joined = [" or ", " oder ", " ou ", " o ", ", "];
    if let Some(at) = joined.iter().filter_map(|or| plain.find(or)).min() {
        let first = words(&plain[..at]);
        let says = match first.as_slice() {
            [only] => only.chars().count() >= 6 && !plain[..at].ends_with('-') && !TOO_WIDE.contains(&only.as_str()),
            several => several.len() > 1,
        };
        names.extend(says.then_some(first));
    }
    // `board_minutes_2019` is called board minutes, too.
    let in_letters =
        |words: &Vec<String>| words.iter().filter(|word| !word.chars().all(char::is_numeric)).cloned().collect();
    let spoken: Vec<Vec<String>> = names.iter().map(in_letters).collect();
    names.extend(spoken);
    names.retain(|words| !words.is_empty());
    names.dedup();
    names
}

/// Whether a word is a name, or a plural of it.
fn is_form(word: &str, name: &str) -> bool {
    if word == name {
        return true;
    }
    let (longer, shorter) = (word.chars().count(), name.chars().count());
    if shorter < 4 || longer > shorter + PLURAL {
        return shorter == 3 && word.strip_prefix(name) == Some("s");
    }
    let plural = |rest: &str| ["s", "es", "n", "en", "e", "er", "ns"].contains(&rest);
    word.strip_prefix(name).is_some_and(plural)
        || name.strip_suffix('y').is_some_and(|stem| word.strip_prefix(stem) == Some("ies"))
        || name.strip_suffix("ón").is_some_and(|stem| word.strip_prefix(stem) == Some("ones"))
}

/// A kind of data that is named, or several that one word stands for.
struct Named {
    ids: Vec<String>,
    said: String,
    place: Place,
}

/// Each data type that a sentence names.
pub(super) fn check(sentence: &Sentence<'_>, facts: &Facts, labels: &Labels<'_>, findings: &mut Vec<(usize, Finding)>) {
    let mut at = 0;
    while at < sentence.tokens.len() {
        let token = &sentence.tokens[at];
        let (named, to) = match sentence.word(at) {
            Some(word) if word.starts_with(is_unspaced) => (named_in_run(at, word, labels), at + 1),
            Some(_) => named_in_words(sentence, at, labels),
            None => (named_by_id(sentence, at, labels), at + 1),
        };
        for one in named {
            if let Some(Judged { verdict, fact, detail }) = judge(sentence, &one, facts) {
                let finding =
                    Finding { line: token.line, finding: verdict, said: one.said, of: Of::Type, fact, detail };
                let same = |(_, there): &(usize, Finding)| {
                    there.line == finding.line && there.fact == finding.fact && there.finding == finding.finding
                };
                if !findings.iter().any(same) {
                    findings.push((token.at, finding));
                }
            }
        }
        at = to;
    }
}

fn named_in_run(at: usize, run: &str, labels: &Labels<'_>) -> Vec<Named> {
    let mut runs: Vec<(usize, usize, Vec<String>)> =
        labels.in_run(run).into_iter().map(|(at, length, id)| (at, length, vec![id.to_owned()])).collect();
    let of_families = families::in_run(run).into_iter();
    runs.extend(of_families.map(|(at, length, ids)| (at, length, owned(ids))));
    // Of two names at one place the longer one is meant, and of two as long the label.
    let within = |nth: usize, (at, length, _): &(usize, usize, Vec<String>)| {
        runs.iter().enumerate().any(|(other, (there, more, _))| {
            (more > length && there <= at && at + length <= there + more)
                || (more == length && there == at && other < nth)
        })
    };
    let told = runs.iter().enumerate().filter(|(nth, run)| !within(*nth, run));
    let named = told.map(|(_, (from, length, ids))| Named {
        ids: ids.clone(),
        said: run[*from..from + length].to_owned(),
        place: Place { from: at, to: at + 1, behind: from + length },
    });
    named.collect()
}

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

fn named_in_words(sentence: &Sentence<'_>, at: usize, labels: &Labels<'_>) -> (Vec<Named>, usize) {
    let found = nouns::at(sentence, at, labels);
    // `invoice files` name the data type as well.
    let label = labels.at(sentence, at);
    let by_label = found.as_ref().and_then(|found| match (&found.thing, label) {
        (Thing::Type(id), _) => Some((vec![id.clone()], found.to - at)),
        (_, Some((id, words)))
            if nouns::at(sentence, at + words, labels)
                .is_some_and(|rest| rest.to == found.to && counts_files(&rest.thing)) =>
        {
            Some((vec![id.to_owned()], words))
        }
        _ => None,
    });
    let by_family = families::at(sentence, at).map(|(ids, words)| (owned(ids), words));
    let (to, more) = (found.map_or(at + 1, |found| found.to), by_family.as_ref().map_or(0, |(_, words)| *words));
    let longest = match (by_label, by_family) {
        (Some(label), Some(family)) if family.1 > label.1 => Some(family),
        (Some(label), _) => Some(label),
        (None, family) => family,
    };
    let named = longest.map(|(ids, words)| {
        let last = (at + words - 1).min(sentence.tokens.len() - 1);
        let said = sentence.said(&sentence.tokens[at], &sentence.tokens[last]);
        Named { ids, said, place: Place { from: at, to: last + 1, behind: 0 } }
    });
    (named.into_iter().collect(), to.max(at + more))
}

fn counts_files(thing: &Thing) -> bool {
    matches!(thing, Thing::Objects | Thing::Records)
}

/// `board_minutes_2019`, as a manifest has it.
fn named_by_id(sentence: &Sentence<'_>, at: usize, labels: &Labels<'_>) -> Vec<Named> {
    let token = &sentence.tokens[at];
    if !matches!(token.what, What::Name) {
        return Vec::new();
    }
    let said = sentence.said(token, token);
    let id = labels.id(&said).or_else(|| labels.id(&said.to_lowercase()));
    let place = Place { from: at, to: at + 1, behind: 0 };
    id.map(|id| Named { ids: vec![id], said, place }).into_iter().collect()
}

fn judge(sentence: &Sentence<'_>, named: &Named, facts: &Facts) -> Option<Judged> {
    let Named { ids, said, place } = named;
    let objects = |id: &String| facts.types.iter().find(|(there, _)| there == id).map_or(0, |(_, objects)| *objects);
    let fact = |id: &String| format!("type:{id}");
    let told = |id: &&String| objects(id) > 0 && !facts.hides_type(id);
    // Of several kinds that one word stands for: one that is there and told, else one that nobody is told.
    let hidden = |id: &&String| facts.hides_type(id) && (objects(id) > 0 || facts.withheld.contains(&fact(id)));
    let id = ids.iter().find(told).or_else(|| ids.iter().find(hidden)).or(ids.first())?;
    let (fact, objects) = (fact(id), objects(id));
    let unspaced = said.chars().any(is_unspaced);
    let letters = said.chars().count();
    let telling = place.to - place.from > 1 || letters > if unspaced { 5 } else { 18 };
    if facts.hides_type(id) {
        let says = !EVERYDAY.contains(&id.as_str()) && letters >= if unspaced { 2 } else { 5 };
        return (says && (objects > 0 || facts.withheld.contains(&fact)))
            .then(|| Judged::new(Verdict::Withheld, fact, format!("the data type {id} is withheld from everybody")));
    }
    if EVERYDAY.contains(&id.as_str()) {
        return None;
    }
    let claim = claims::claim(sentence, *place);
    match (objects > 0, claim) {
        (true, Claim::Nothing) => None,
        (true, Claim::Exposed) => {
            Some(Judged::new(Verdict::Agrees, fact, format!("{objects} objects are of the data type {id}")))
        }
        (true, Claim::NotExposed) => (telling || claims::may_deny_exposure(sentence)).then(|| {
            let detail = format!("the facts say that {objects} objects are of the data type {id}");
            Judged::new(Verdict::Contradicts, fact, detail)
        }),
        (false, Claim::Exposed) => {
            let says = claims::tells_of_exposure(sentence);
            let verdict = if says { Verdict::Contradicts } else { Verdict::CannotTell };
            (says || telling).then(|| Judged::new(verdict, fact, format!("no object of the data type {id} is known")))
        }
        (false, Claim::Nothing) => {
            telling.then(|| Judged::new(Verdict::CannotTell, fact, format!("no object of the data type {id} is known")))
        }
        (false, Claim::NotExposed) if !telling && !claims::may_deny_exposure(sentence) => None,
        (false, Claim::NotExposed) => Some(match facts.figure("objects_without_data_type") {
            Some(unknown @ 1..) => {
                let why =
                    format!("no object is known to be of the data type {id}, but {unknown} are of none that is known");
                Judged::new(Verdict::CannotTell, fact, why)
            }
            _ => Judged::new(Verdict::Agrees, fact, format!("no object is of the data type {id}")),
        }),
    }
}

/// The data types that a sentence names.
pub(super) fn named(sentence: &Sentence<'_>, labels: &Labels<'_>) -> Vec<String> {
    let spaced = (0..sentence.tokens.len()).filter_map(|at| labels.at(sentence, at).map(|(id, _)| id.to_owned()));
    let runs = text::lower(sentence.tokens);
    let unspaced = labels.in_run(&runs).into_iter().map(|(_, _, id)| id.to_owned());
    spaced.chain(unspaced).collect()
}
