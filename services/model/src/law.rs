//! Duties to tell somebody about a breach, as a table with sources, and whether a notice fulfils them.
//!
//! No legal advice: the table is somebody's reading of the law, and each row says how sure it is. Does not know when a
//! letter is written or sent; dates and texts come in as arguments. Invariant: a table is used only if every word in it
//! that names something (element, event, party, obligation) names something that exists.

mod check;
mod day;
mod filled;
mod names;
mod span;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::calendar::Holidays;
use crate::time::Timestamp;

pub use check::{Clock, Facts, Finding, Kind, Recorded, Told};
pub use day::{Day, NotADay};
pub use filled::{Content, Elements, Filled, State};
pub use names::{Basis, ClockEvent, Confidence, DayCount, Group, Party, SourceKind, Status};
pub use span::{NotASpan, Span};

/// To be said wherever findings are shown.
pub const DISCLAIMER: &str = "This is no legal advice: the table of obligations is a reading of the law with sources and a confidence for each \
     row, it is not complete, and whether a row applies to an organisation is for a lawyer to say.";

/// The element that says why a notice comes late.
pub const DELAY_REASON: &str = "delay_reason";

/// One duty to tell somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obligation {
    /// Its name: `eu-gdpr-33-processor`.
    pub id: String,
    /// Where it is law: `EU/EEA`, `US-CA`.
    pub jurisdiction: String,
    /// Article or section.
    pub law: String,
    /// Whose duty it is.
    pub from: Party,
    /// Who must be told.
    pub to: Party,
    /// What starts the clock.
    pub trigger: ClockEvent,
    /// How long there is; `None` where the law names no figure.
    pub deadline: Option<Span>,
    /// How the time is counted; `None` without a deadline.
    pub day_count: Option<DayCount>,
    /// The deadline in the words of the law.
    pub deadline_words: String,
    /// What the notice must say, ids of [`Element`].
    pub elements: Vec<String>,
    /// What it must say where a condition holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditional_elements: Vec<Conditional>,
    /// What it must not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbidden_elements: Vec<String>,
    /// What it should say, by guidance or usage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recommended_elements: Vec<String>,
    /// What it may say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub optional_elements: Vec<String>,
    /// A second clock that ends the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outer_limit: Option<Limit>,
    /// Other terms for special cases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    /// When the duty exists at all, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<String>,
    /// From how many persons on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_count: Option<u32>,
    /// What may justify a delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_allowed: Option<String>,
    /// Its place among the notices of one law, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<u8>,
    /// The obligation of the stage before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<String>,
    /// In force, or not yet.
    pub status: Status,
    /// First day in force; `None`: the table names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<Day>,
    /// Last day in force; `None`: no end is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_until: Option<Day>,
    /// Where it was read.
    pub source: String,
    /// What kind of source that is.
    pub source_kind: SourceKind,
    /// How sure the row is.
    pub confidence: Confidence,
    /// Remarks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// An element that is needed where a condition holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditional {
    /// Which.
    pub element: String,
    /// The condition, in words.
    pub when: String,
}

/// A second clock: whatever ends first counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// What starts it.
    pub trigger: ClockEvent,
    /// How long it is; continuous hours or calendar days.
    pub deadline: Span,
}

/// Another term in a special case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The case, in words.
    pub when: String,
    /// The term.
    pub deadline: Span,
}

/// Something a notice can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Element {
    /// Its name: `what_happened`.
    pub id: String,
    /// What it is about.
    pub group: Group,
    /// What a notice that has it says.
    pub meaning: String,
    /// Whether a law asks for it, or this product.
    pub basis: Basis,
}

/// A word of the vocabulary and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning<T> {
    /// The word.
    pub id: T,
    /// Its meaning.
    pub meaning: String,
}

/// The words that obligations are written in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// What the collection is, and is not.
    pub about: String,
    /// The day of the collection.
    pub as_of: Day,
    /// What notices can say.
    pub elements: Vec<Element>,
    /// What starts clocks.
    pub clock_events: Vec<Meaning<ClockEvent>>,
    /// Who tells and who is told.
    pub parties: Vec<Meaning<Party>>,
}

/// Why a table cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LawError {
    /// A file that is not what it should be.
    #[error("the file of {what} cannot be read")]
    Unreadable {
        /// Which.
        what: &'static str,
        /// Where it breaks.
        #[source]
        source: serde_json::Error,
    },
    /// A row that contradicts itself or names something that does not exist.
    #[error("obligation {id}: {why}")]
    Row {
        /// Which.
        id: String,
        /// What is wrong.
        why: String,
    },
}

/// The table with its vocabulary.
#[derive(Debug, Clone)]
pub struct Law {
    vocabulary: Vocabulary,
    obligations: Vec<Obligation>,
}

impl Law {
    /// The table that is compiled in. A test reads the same files; an unreadable one is an error all the same, because an
    /// empty table would approve of everything.
    pub fn builtin() -> Result<&'static Self, &'static LawError> {
        static BUILTIN: LazyLock<Result<Law, LawError>> = LazyLock::new(|| {
            Law::parse(include_str!("../data/obligations.json"), include_str!("../data/content-elements.json"))
        });
        BUILTIN.as_ref()
    }

    /// A table from the texts of both files.
    pub fn parse(obligations: &str, vocabulary: &str) -> Result<Self, LawError> {
        let unreadable = |what| move |source| LawError::Unreadable { what, source };
        let law = Self {
            vocabulary: serde_json::from_str(vocabulary).map_err(unreadable("content elements"))?,
            obligations: serde_json::from_str(obligations).map_err(unreadable("obligations"))?,
        };
        let mut seen = BTreeSet::new();
        for row in &law.obligations {
            let refuse = |why: String| Err(LawError::Row { id: row.id.clone(), why });
            if !seen.insert(row.id.as_str()) {
                return refuse("stands there twice".to_owned());
            }
            if let Some(unknown) = row.named_elements().find(|id| law.element(id).is_none()) {
                return refuse(format!("no content element is called `{unknown}`"));
            }
            if let Some(unknown) = row.follows.iter().find(|id| law.obligation(id).is_none()) {
                return refuse(format!("follows `{unknown}`, which does not exist"));
            }
            if let Some(why) = row.contradiction() {
                return refuse(why.to_owned());
            }
        }
        Ok(law)
    }

    /// Every obligation, in the order of the table.
    pub fn obligations(&self) -> &[Obligation] {
        &self.obligations
    }

    /// The obligation of an id.
    pub fn obligation(&self, id: &str) -> Option<&Obligation> {
        self.obligations.iter().find(|row| row.id == id)
    }

    /// The element of an id.
    pub fn element(&self, id: &str) -> Option<&Element> {
        self.vocabulary.elements.iter().find(|element| element.id == id)
    }

    /// The words that it is written in.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// What a clock event means.
    fn event(&self, event: ClockEvent) -> &str {
        self.vocabulary.clock_events.iter().find(|row| row.id == event).map_or("", |row| &row.meaning)
    }
}

impl Obligation {
    /// Whether it is addressed to the organisations that our notices go to: customers, and owners of the data.
    pub fn is_to_organisations(&self) -> bool {
        matches!(self.to, Party::Customers | Party::Owner)
    }

    /// Whether it was law at that time. A row without dates counts as law at all times, because the table does not say
    /// since when.
    pub fn in_force(&self, at: Timestamp) -> bool {
        let day = Day::of(at);
        self.effective_from.is_none_or(|from| from <= day) && self.effective_until.is_none_or(|until| day <= until)
    }

    /// The national holidays of its jurisdiction; none are known of a union of states.
    pub fn holidays(&self) -> &'static Holidays {
        let country = self.jurisdiction.split_once('-').map_or(self.jurisdiction.as_str(), |(country, _)| country);
        crate::calendar::national(country)
    }

    /// `from 2026-01-01`, `undated`, …
    pub fn effective(&self) -> String {
        match (self.effective_from, self.effective_until) {
            (None, None) => "undated".to_owned(),
            (Some(from), None) => format!("from {from}"),
            (None, Some(until)) => format!("until {until}"),
            (Some(from), Some(until)) => format!("from {from} until {until}"),
        }
    }

    /// Every element that it names in any role.
    pub fn named_elements(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.elements, &self.forbidden_elements, &self.recommended_elements, &self.optional_elements];
        let conditional = self.conditional_elements.iter().map(|one| &one.element);
        lists.into_iter().flatten().chain(conditional).map(String::as_str)
    }

    fn contradiction(&self) -> Option<&'static str> {
        let counted = match (self.deadline, self.day_count) {
            (None, None) => true,
            (Some(Span::Hours(_)), Some(DayCount::Hours)) => true,
            (Some(Span::Days(_)), Some(DayCount::Calendar | DayCount::Business)) => true,
            (Some(Span::Months(_)), Some(DayCount::Calendar)) => true,
            (Some(_) | None, _) => false,
        };
        let both = self.elements.iter().any(|id| self.forbidden_elements.contains(id));
        let backwards = self.effective_from.zip(self.effective_until).is_some_and(|(from, until)| until < from);
        match () {
            () if !counted => Some("its deadline is not counted in a way that fits it"),
            () if both => Some("it requires what it forbids"),
            () if backwards => Some("it ends before it begins"),
            () if self.status == Status::Enacted && self.effective_from.is_none() => Some("it does not say from when"),
            () => None,
        }
    }
}
