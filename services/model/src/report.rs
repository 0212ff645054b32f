//! Texts that people write about an incident (to an authority, to the press, for support) held against its facts.
//!
//! Understands no sentences: it reads numbers, dates and names of data types in the forms of five languages, and the noun
//! that stands beside a number. Invariant: whatever it lists stands on the line that it names, and a figure that is a
//! fact, exact or rounded as the text rounds it, is never listed.

mod dates;
mod numbers;

use serde::Serialize;

use dates::Date;
use numbers::Number;

/// What may be stated.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Figures by the names of the totals: `objects`, `organisations`, …
    pub figures: Vec<(String, i64)>,
    /// The day of the discovery, `YYYY-MM-DD`.
    pub discovered: String,
    /// Other days that are facts, by name.
    pub dates: Vec<(String, String)>,
    /// Objects by data type.
    pub types: Vec<(String, i64)>,
    /// Every data type that there is, with what it is called in a language.
    pub labels: Vec<(String, String)>,
    /// Names of facts that nobody is told.
    pub withheld: Vec<String>,
}

/// Kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The facts say something else.
    Contradicts,
    /// Two people decided that nobody is told this.
    Withheld,
    /// No fact says so; a person has to know where it is from.
    NotInFacts,
}

impl Kind {
    /// Its name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contradicts => "contradicts",
            Self::Withheld => "withheld",
            Self::NotInFacts => "not-in-facts",
        }
    }

    /// Whether the text should not go out like this.
    pub fn refuses(self) -> bool {
        match self {
            Self::Contradicts | Self::Withheld => true,
            Self::NotInFacts => false,
        }
    }
}

/// Something that a text says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Physical line, from 1.
    pub line: usize,
    /// Which kind.
    pub finding: Kind,
    /// As the text has it.
    pub said: String,
    /// What the facts say.
    pub detail: String,
}

/// Nouns beside a number, in lower case, and the figures that they can mean. Longer ones first where one begins another.
const NOUNS: [(&[&str], &[&str]); 7] = [
    (
        &[
            "e-mail address",
            "email address",
            "e-mail-adress",
            "direcciones de correo",
            "adresses électroniques",
            "adresses e-mail",
            "メールアドレス",
        ],
        &["emails", "shared_addresses"],
    ),
    (
        &[
            "organisation",
            "organization",
            "compan",
            "customer",
            "unternehmen",
            "kunden",
            "organizaci",
            "empresa",
            "cliente",
            "entreprise",
            "client",
            "組織",
            "企業",
            "顧客",
        ],
        &[
            "organisations",
            "tenants_affected",
            "notices_to_write",
            "unmapped_organisations",
            "conflicting_organisations",
            "tenants_without_contact",
        ],
    ),
    (
        &[
            "object",
            "file",
            "document",
            "objekt",
            "datei",
            "dokument",
            "objeto",
            "archivo",
            "fichero",
            "documento",
            "objet",
            "fichier",
            "オブジェクト",
            "ファイル",
            "文書",
        ],
        &["objects"],
    ),
    (&["user", "benutzer", "nutzer", "usuario", "utilisateur", "ユーザー"], &["users"]),
    (&["project", "projekt", "proyecto", "projet", "プロジェクト"], &["projects"]),
    (
        &["reference", "verweis", "referencia", "référence", "row", "zeile", "参照"],
        &["organisation_rows", "rows", "accepted_rows"],
    ),
    (&["byte", "octet", "バイト"], &["bytes"]),
];

/// Words of a sentence that is about the discovery.
const DISCOVERY: [&str; 8] = ["discover", "entdeck", "festgestellt", "descubr", "detect", "découv", "constat", "発見"];

/// What a text says that is no fact, by line.
pub fn check(text: &str, facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        of_line(line, facts, &mut |finding, said: &str, detail: String| {
            findings.push(Finding { line: at + 1, finding, said: said.trim().to_owned(), detail });
        });
    }
    findings
}

fn of_line(line: &str, facts: &Facts, found: &mut impl FnMut(Kind, &str, String)) {
    let mut at = 0;
    while at < line.len() {
        let rest = &line[at..];
        let mut backwards = line[..at].chars().rev();
        let before = backwards.next();
        let is_minute = before == Some(':') && backwards.next().is_some_and(|char| char.is_ascii_digit());
        let apart = before.is_none_or(|char| !char.is_alphanumeric() && !matches!(char, '-' | '_'));
        // Japanese has no space before a number.
        let begins = !is_minute && (apart || before.is_some_and(|char| !char.is_ascii() && starts_with_digit(rest)));
        if begins && let Some((dates, length)) = dates::read(rest) {
            date(line, at, &rest[..length], &dates, facts, found);
            at += length;
        } else if begins && let Some((number, length)) = numbers::read(rest) {
            figure(line, at, length, &number, facts, found);
            at += length;
        } else {
            // A word with digits in it is a name: it is left out as a whole.
            let word = rest.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(rest.len());
            at += word.max(rest.chars().next().map_or(1, char::len_utf8));
        }
    }
    types(line, facts, found);
}

fn date(line: &str, at: usize, said: &str, dates: &[Date], facts: &Facts, found: &mut impl FnMut(Kind, &str, String)) {
    let is = |day: &str| dates.iter().any(|date| date.is(day));
    let sentence = sentence(line, at).to_lowercase();
    if DISCOVERY.iter().any(|word| sentence.contains(word)) {
        if !is(&facts.discovered) && !facts.dates.iter().any(|(_, day)| is(day)) {
            found(Kind::Contradicts, said, format!("the facts say that it was discovered on {}", facts.discovered));
        }
        return;
    }
    if !is(&facts.discovered) && !facts.dates.iter().any(|(_, day)| is(day)) {
        let known: Vec<String> = facts.dates.iter().map(|(name, day)| format!("{name} {day}")).collect();
        found(
            Kind::NotInFacts,
            said,
            format!("no fact has this day; known are discovered {}, {}", facts.discovered, known.join(", ")),
        );
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|char: char| char.is_ascii_digit())
}

/// The sentence around a place of a line.
fn sentence(line: &str, at: usize) -> &str {
    let ends = ["! ", "? ", ". ", "。"];
    let from = ends.iter().filter_map(|end| line[..at].rfind(end).map(|found| found + end.len())).max().unwrap_or(0);
    let to = ends.iter().filter_map(|end| line[at..].find(end)).min().map_or(line.len(), |found| at + found);
    &line[from..to]
}

fn figure(
    line: &str,
    at: usize,
    length: usize,
    number: &Number,
    facts: &Facts,
    found: &mut impl FnMut(Kind, &str, String),
) {
    let said = &line[at..at + length];
    if let Some((id, objects)) = type_behind(&line[at + length..], facts) {
        if !number.is(objects) {
            found(Kind::Contradicts, said, format!("the facts say {objects} objects of the data type {id}"));
        }
        return;
    }
    let named = if number.is_size() { Some(&["bytes"][..]) } else { noun(&line[..at], &line[at + length..]) };
    let Some(names) = named else {
        let is_year = number.integer().is_some_and(|year| {
            let year = year.to_string();
            facts.discovered.starts_with(&year) || facts.dates.iter().any(|(_, day)| day.starts_with(&year))
        });
        let counts = facts.figures.iter().chain(&facts.types);
        if !is_year && !counts.into_iter().any(|(_, value)| number.is(*value)) {
            found(Kind::NotInFacts, said, "no figure of the incident is this number".to_owned());
        }
        return;
    };
    let meant = || facts.figures.iter().filter(|(name, _)| names.contains(&name.as_str()));
    if let Some((name, _)) = meant().find(|(name, value)| number.is(*value) && facts.withheld.contains(name)) {
        found(Kind::Withheld, said, format!("{name} is withheld from everybody"));
        return;
    }
    let of_types = names.contains(&"objects");
    if meant().any(|(_, value)| number.is(*value))
        || (of_types && facts.types.iter().any(|(_, value)| number.is(*value)))
    {
        return;
    }
    let known: Vec<String> = meant().take(2).map(|(name, value)| format!("{name} {value}")).collect();
    found(Kind::Contradicts, said, format!("the facts say {}", known.join(", ")));
}

/// The figures that the noun nearest to a number means: behind it, or before it and a colon.
fn noun(before: &str, after: &str) -> Option<&'static [&'static str]> {
    let nouns = |text: &str| -> Vec<(usize, usize, &'static [&'static str])> {
        let text = text.to_lowercase();
        let places = NOUNS.iter().flat_map(|(nouns, names)| {
            nouns.iter().filter_map(|noun| text.find(noun).map(|at| (at, noun.len(), *names)))
        });
        places.collect()
    };
    let end = |char: char| char.is_ascii_digit() || matches!(char, ';' | '!' | '?' | '。' | '、' | '(' | ')');
    let behind = after.split(end).next().unwrap_or_default();
    let behind = behind.split(". ").next().unwrap_or_default().split(", ").next().unwrap_or_default();
    // A few words at most: what stands further away belongs to something else.
    let behind: String = behind.chars().take(32).collect();
    // Of two that begin at one place the longer one says more.
    let first = nouns(&behind).into_iter().min_by_key(|(at, length, _)| (*at, usize::MAX - length));
    let named = first.or_else(|| {
        let label = before.trim_end().strip_suffix([':', '：', 'は'])?;
        let label = label.rsplit(end).next().unwrap_or_default();
        let label = label.rsplit(". ").next().unwrap_or_default();
        nouns(label).into_iter().max_by_key(|(at, length, _)| at + length)
    });
    named.map(|(_, _, names)| names)
}

/// The data type that is named right behind a number, and how many objects it has.
fn type_behind<'a>(after: &str, facts: &'a Facts) -> Option<(&'a str, i64)> {
    let text = after.trim_start_matches([' ', '\u{a0}', '\u{202f}', '件', 'の']).to_lowercase();
    let named = facts.labels.iter().filter(|(_, label)| text.starts_with(&label.to_lowercase()));
    named
        .filter_map(|(id, _)| facts.types.iter().find(|(there, _)| there == id))
        .map(|(id, objects)| (id.as_str(), *objects))
        .next()
}

/// Whether a label is a noun that stands beside figures (`E-mail address`): it names no data type then.
fn is_a_figure(label: &str) -> bool {
    let label = label.to_lowercase();
    NOUNS.iter().flat_map(|(nouns, _)| *nouns).any(|noun| label.starts_with(noun) && label.len() <= noun.len() + 1)
}

fn types(line: &str, facts: &Facts, found: &mut impl FnMut(Kind, &str, String)) {
    let text = line.to_lowercase();
    let mut named: Vec<&str> = Vec::new();
    for (id, label) in &facts.labels {
        // One word (`Name`, `Other`) says too little to be taken for a data type.
        let telling = label.contains(' ') || (!label.is_ascii() && label.chars().count() > 3);
        if !telling || is_a_figure(label) || named.contains(&id.as_str()) || !text.contains(&label.to_lowercase()) {
            continue;
        }
        named.push(id);
        if facts.withheld.iter().any(|name| name == "types" || *name == format!("type:{id}")) {
            found(Kind::Withheld, label, format!("the data type {id} is withheld from everybody"));
        } else if !facts.types.iter().any(|(there, objects)| there == id && *objects > 0) {
            found(Kind::Contradicts, label, format!("no object of the data type {id} is known"));
        }
    }
}

#[cfg(test)]
mod tests;
