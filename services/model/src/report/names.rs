//! Names of data types in a text: what is found, what is denied, what nobody is told.
//!
//! Reads the names that letters give to data types, in the singular and most plurals. Invariant: a name that is also an
//! everyday word (`Name`, `Other`) contradicts nothing.

use std::collections::{HashMap, HashSet};

use super::nouns::{self, Thing};
use super::text::{self, Sentence, is_unspaced};
use super::{Facts, Finding, Judged, Verdict};

/// Letters that a plural adds to a word.
const PLURAL: usize = 3;
/// Words that say nothing by themselves, though a data type is called so.
const EVERYDAY: [&str; 12] = [
    "person_name",
    "other",
    "company_name",
    "email_address",
    "username",
    "photo",
    "gender",
    "disability",
    "religion",
    "cv",
    "genetic",
    "biometric",
];

/// Parts of words of a sentence that says what was exposed, and not what somebody should do.
const EXPOSED: [&str; 32] = [
    "expos",
    "affect",
    "contain",
    "includ",
    "found",
    "among",
    "leak",
    "seen",
    "compromis",
    "reveal",
    "betroff",
    "enthalt",
    "enthielt",
    "offen",
    "gefunden",
    "darunter",
    "eingesehen",
    "touché",
    "contien",
    "contenai",
    "compren",
    "trouvé",
    "parmi",
    "incluí",
    "incluy",
    "encontr",
    "filtrad",
    "公開",
    "漏",
    "含ま",
    "流出",
    "露出",
];
/// Words that a name begins with and that say too little without its end.
const TOO_WIDE: [&str; 14] = [
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
        // Tokens of the name; an apostrophe stands between words.
        let length = |words: &[String]| {
            let mut at = from;
            for name in words {
                while matches!(sentence.mark(at), Some('’' | '\'')) {
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
    names.retain(|words| !words.is_empty());
    names
}

/// Whether a word is a name, or a plural of it.
fn is_form(word: &str, name: &str) -> bool {
    if word == name {
        return true;
    }
    let (longer, shorter) = (word.chars().count(), name.chars().count());
    if shorter < 4 || longer > shorter + PLURAL {
        return false;
    }
    let plural = |rest: &str| ["s", "es", "n", "en", "e", "er", "ns"].contains(&rest);
    word.strip_prefix(name).is_some_and(plural)
        || name.strip_suffix('y').is_some_and(|stem| word.strip_prefix(stem) == Some("ies"))
        || name.strip_suffix("ón").is_some_and(|stem| word.strip_prefix(stem) == Some("ones"))
}

/// Each data type that a sentence names.
pub(super) fn check(sentence: &Sentence<'_>, facts: &Facts, labels: &Labels<'_>, findings: &mut Vec<(usize, Finding)>) {
    let mut at = 0;
    while at < sentence.tokens.len() {
        let token = &sentence.tokens[at];
        let mut to = at + 1;
        let mut named: Vec<(String, String, usize)> = Vec::new();
        match sentence.word(at) {
            Some(word) if word.starts_with(is_unspaced) => {
                let runs = labels.in_run(word);
                // Of two names at one place the longer one is meant.
                let within = |(at, length, _): &(usize, usize, &str)| {
                    runs.iter().any(|(other, more, _)| more > length && other <= at && at + length <= other + more)
                };
                let told = runs.iter().filter(|run| !within(run));
                named.extend(told.map(|(at, length, id)| ((*id).to_owned(), word[*at..at + length].to_owned(), 1)));
            }
            Some(_) => {
                if let Some(found) = nouns::at(sentence, at, labels) {
                    to = found.to;
                    // `invoice files` name the data type as well.
                    let label = labels.at(sentence, at);
                    let id = match (&found.thing, label) {
                        (Thing::Type(id), _) => Some((id.clone(), found.to - at)),
                        (_, Some((id, words)))
                            if nouns::at(sentence, at + words, labels).is_some_and(|rest| rest.to == found.to) =>
                        {
                            Some((id.to_owned(), words))
                        }
                        _ => None,
                    };
                    named.extend(id.map(|(id, words)| {
                        let said =
                            sentence.said(token, &sentence.tokens[(at + words - 1).min(sentence.tokens.len() - 1)]);
                        (id, said, words)
                    }));
                }
            }
            None => {}
        }
        for (id, said, words) in named {
            if let Some(Judged { verdict, fact, detail }) = judge(sentence, at, &id, &said, words, facts) {
                let finding = Finding { line: token.line, finding: verdict, said, fact, detail };
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

fn judge(sentence: &Sentence<'_>, at: usize, id: &str, said: &str, words: usize, facts: &Facts) -> Option<Judged> {
    let fact = format!("type:{id}");
    let objects = facts.types.iter().find(|(there, _)| there == id).map_or(0, |(_, objects)| *objects);
    let telling = words > 1 || said.chars().count() > if said.chars().any(is_unspaced) { 5 } else { 18 };
    let long_enough = said.chars().count() >= if said.chars().any(is_unspaced) { 2 } else { 5 };
    if facts.hides(&fact) {
        let says = !EVERYDAY.contains(&id) && long_enough && (objects > 0 || facts.withheld.contains(&fact));
        return says
            .then(|| Judged::new(Verdict::Withheld, fact, format!("the data type {id} is withheld from everybody")));
    }
    let denied = is_denied(sentence, at);
    match (objects > 0, denied) {
        (true, false) => (!EVERYDAY.contains(&id))
            .then(|| Judged::new(Verdict::Agrees, fact, format!("{objects} objects are of the data type {id}"))),
        (true, true) => telling.then(|| {
            Judged::new(
                Verdict::Contradicts,
                fact,
                format!("the facts say that {objects} objects are of the data type {id}"),
            )
        }),
        (false, _) if !telling || EVERYDAY.contains(&id) => None,
        (false, false) => {
            let says = EXPOSED.iter().any(|cue| sentence.lower().contains(cue));
            let verdict = if says { Verdict::Contradicts } else { Verdict::CannotTell };
            Some(Judged::new(verdict, fact, format!("no object of the data type {id} is known")))
        }
        (false, true) => Some(match facts.figure("objects_without_data_type") {
            Some(unknown @ 1..) => {
                let why =
                    format!("no object is known to be of the data type {id}, but {unknown} are of none that is known");
                Judged::new(Verdict::CannotTell, fact, why)
            }
            _ => Judged::new(Verdict::Agrees, fact, format!("no object is of the data type {id}")),
        }),
    }
}

/// Whether a sentence says of what stands there that it was not so.
fn is_denied(sentence: &Sentence<'_>, at: usize) -> bool {
    const BEFORE: [&str; 22] = [
        "no",
        "not",
        "none",
        "neither",
        "nor",
        "without",
        "never",
        "kein",
        "keine",
        "keinen",
        "keiner",
        "keinerlei",
        "nicht",
        "ohne",
        "aucun",
        "aucune",
        "sans",
        "ni",
        "ningún",
        "ninguna",
        "sin",
        "pas",
    ];
    const BEHIND: [&str; 9] =
        ["nicht", "ありません", "ない", "なかった", "ございません", "not", "おりません", "いません", "no"];
    let from = at.saturating_sub(5);
    let before = (from..at).rev().filter_map(|at| sentence.word(at)).any(|word| BEFORE.contains(&word));
    let behind: Vec<&str> = (at..sentence.tokens.len()).take(8).filter_map(|at| sentence.word(at)).collect();
    let japanese = behind.first().is_some_and(|word| word.starts_with(is_unspaced));
    let says = |word: &&str| {
        if japanese { BEHIND.iter().any(|no| word.contains(no)) } else { *word == "nicht" || *word == "not" }
    };
    before || behind.iter().any(says)
}

/// The data types that a sentence names.
pub(super) fn named(sentence: &Sentence<'_>, labels: &Labels<'_>) -> Vec<String> {
    let spaced = (0..sentence.tokens.len()).filter_map(|at| labels.at(sentence, at).map(|(id, _)| id.to_owned()));
    let runs = text::lower(sentence.tokens);
    let unspaced = labels.in_run(&runs).into_iter().map(|(_, _, id)| id.to_owned());
    spaced.chain(unspaced).collect()
}
