//! Texts that people write about an incident (to an authority, to the press, for support) held against its facts.
//!
//! Understands no sentences: it reads numbers (in figures and in words), days and names of data types in the forms of
//! five languages, takes each number for what the noun beside it means, and says of each whether the facts say so.
//! Invariant: whatever it lists stands on the line that it names, and nothing but a contradiction or a withheld fact is
//! held against a text.

mod advised;
mod claims;
mod compare;
mod dates;
mod days;
mod families;
mod figures;
mod names;
mod nouns;
mod numbers;
mod text;
mod words;

use serde::Serialize;

use crate::withholding::{TYPE_OBJECTS, UNKNOWN};
use text::Text;

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

/// The days of [`Facts::dates`] between which the documents are dated.
pub const PERIOD: [&str; 2] = ["first document", "last document"];

impl Facts {
    fn figure(&self, name: &str) -> Option<i64> {
        self.figures.iter().find(|(there, _)| there == name).map(|(_, value)| *value)
    }

    /// Whether nobody is told a figure, by its name in the totals, or a data type (`type:invoice`).
    pub fn hides(&self, name: &str) -> bool {
        let named = match name {
            "organisation_rows" | "rows" | "accepted_rows" => "references",
            "objects_without_data_type" => UNKNOWN[0],
            of_type if of_type.starts_with("type:") => match self.withholds(TYPE_OBJECTS) {
                true => TYPE_OBJECTS,
                false => of_type,
            },
            other => other,
        };
        let of_types = name.starts_with("type:") || name == "objects_without_data_type";
        self.withholds(named) || self.withholds("notice") || (of_types && self.withholds("types"))
    }

    /// Whether nobody is told that a data type is there; of one whose number alone is withheld everybody is.
    pub fn hides_type(&self, id: &str) -> bool {
        ["notice", "types"].iter().any(|name| self.withholds(name)) || self.withholds(&format!("type:{id}"))
    }

    fn withholds(&self, name: &str) -> bool {
        self.withheld.iter().any(|there| there == name)
    }
}

/// What is to be said of something that a text states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A fact says exactly this.
    Agrees,
    /// A fact says this, rounded as the text rounds it.
    Rounds,
    /// No fact can say; a person has to know where it is from.
    CannotTell,
    /// The facts say something else.
    Contradicts,
    /// Two people decided that nobody is told this.
    Withheld,
}

impl Verdict {
    /// Its name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Rounds => "rounds",
            Self::CannotTell => "cannot-tell",
            Self::Contradicts => "contradicts",
            Self::Withheld => "withheld",
        }
    }

    /// Whether the text should not go out like this.
    pub fn refuses(self) -> bool {
        match self {
            Self::Contradicts | Self::Withheld => true,
            Self::Agrees | Self::Rounds | Self::CannotTell => false,
        }
    }
}

/// What somebody reads a statement by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// A number, in figures or in words.
    Number,
    /// A day.
    Day,
    /// The name of a data type.
    Type,
}

/// Something that a text says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Physical line, from 1.
    pub line: usize,
    /// What is to be said of it.
    pub finding: Verdict,
    /// As the text has it.
    pub said: String,
    /// What it is.
    #[serde(skip)]
    pub of: Of,
    /// The fact that it was held against: `objects`, `type:invoice`, `discovered`; empty: none.
    pub fact: String,
    /// How it agrees, or what the facts say.
    pub detail: String,
}

/// A number with what it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// Physical line, from 1.
    pub line: usize,
    /// As the text has it.
    pub said: String,
    /// What it can mean (`1.234`); never empty.
    pub values: Vec<i64>,
    /// The figures that its noun can mean, by their names in the totals; never empty.
    pub names: Vec<String>,
}

/// What a reading comes to, before it is known where it stands.
struct Judged {
    verdict: Verdict,
    fact: String,
    detail: String,
}

impl Judged {
    fn new(verdict: Verdict, fact: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { verdict, fact: fact.into(), detail: detail.into() }
    }
}

/// Everything that a text states, in its order, with what the facts say to it.
pub fn check(text: &str, facts: &Facts) -> Vec<Finding> {
    found(&Text::read(text), facts)
}

fn found(text: &Text<'_>, facts: &Facts) -> Vec<Finding> {
    let labels = names::Labels::of(facts);
    let advised = advised::Advised::by(facts);
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    for sentence in text.sentences() {
        figures::check(&sentence, facts, &labels, &mut findings);
        days::check(&sentence, facts, &mut findings);
        if !advised.has(&sentence) {
            names::check(&sentence, facts, &labels, &mut findings);
        }
    }
    findings.sort_by_key(|(at, _)| *at);
    findings.into_iter().map(|(_, finding)| finding).collect()
}

/// The facts that a text names, each by its noun, its own name or its day: `objects`, `type:invoice`, `first document`. A
/// bare figure names none, and neither does what a fact denies.
pub fn named(text: &str, facts: &Facts) -> Vec<String> {
    let says = |one: &Finding| {
        let by_chance = one.detail == figures::NO_NOUN || one.detail.contains(compare::IF_MEANT);
        let is_there =
            one.fact.strip_prefix("type:").is_none_or(|id| facts.types.iter().any(|(of, n)| of == id && *n > 0));
        matches!(one.finding, Verdict::Agrees | Verdict::Rounds) && !one.fact.is_empty() && is_there && !by_chance
    };
    check(text, facts).into_iter().filter(says).map(|one| one.fact).collect()
}

/// The first thing of a text that tells what the facts hide: a number, exactly or rounded with its noun, or bare where it has
/// at least two figures, in figures or in the words of any language; a day; the name of a data type.
pub fn told(text: &str, facts: &Facts) -> Option<Finding> {
    let labels = names::Labels::of(facts);
    Text::read_in_each_language(text).iter().find_map(|text| {
        let says = found(text, facts).into_iter().find(|one| one.finding == Verdict::Withheld);
        says.or_else(|| {
            let bare = text.sentences().find_map(|sentence| figures::bare(&sentence, facts, &labels));
            bare.map(|(line, said, fact)| Finding {
                line,
                finding: Verdict::Withheld,
                said,
                of: Of::Number,
                fact,
                detail: String::new(),
            })
        })
    })
}

/// Every number of a text that a noun says the meaning of; `labels` are those of [`Facts`].
pub fn stated(text: &str, labels: &[(String, String)]) -> Vec<Stated> {
    let text = Text::read(text);
    let known = Facts { labels: labels.to_vec(), ..Facts::default() };
    let labels = names::Labels::of(&known);
    let mut found = Vec::new();
    text.sentences().for_each(|sentence| figures::each(&sentence, &labels, &mut found));
    found
}

/// What the number at a byte of a text counts by the noun beside it: names of figures; `other` where that is no figure of an
/// organisation, empty where no noun stands there.
pub fn counted(text: &str, at: usize) -> Vec<String> {
    let text = Text::read(text);
    let none = Facts::default();
    let labels = names::Labels::of(&none);
    let found = text.sentences().find_map(|sentence| sentence.number_at(at).map(|token| (sentence, token)));
    found.map_or_else(Vec::new, |(sentence, token)| figures::counted(&sentence, token, &labels))
}

#[cfg(test)]
mod tests;
