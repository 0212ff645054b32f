//! One object while it is read, and what of it goes on: addresses, hosts, first lines and flaws.
//!
//! Does not keep content: the first lines serve to name the kind of data and are dropped with the object. Invariant:
//! what an object unfolds to is charged to one budget, whatever part it comes from.

use std::collections::BTreeSet;

use super::finder::Finder;
use super::found::Found;
use super::kind::Kind;
use super::mentions::Bare;
use super::options::{Limits, Reason};
use super::unescape::{Escapes, Unescape};

/// Lines that may be a heading.
const HEADINGS: usize = 3;
/// Longest line that is one, in bytes.
const LONGEST_HEADING: usize = 120;

/// An object in work.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) found: Found,
    pub(crate) headings: Headings,
    pub(crate) budget: Budget,
    /// What was not read of it.
    pub(crate) incomplete: BTreeSet<Reason>,
    pub(crate) limits: Limits,
}

impl Object {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            found: Found::new(limits.findings),
            headings: Headings::default(),
            budget: Budget(limits.unfolded_bytes),
            incomplete: BTreeSet::new(),
            limits,
        }
    }

    /// A way for text into the object.
    pub(crate) fn passage(&mut self, kind: Kind, heading: Heading) -> Passage<'_> {
        let (passage, _) = self.passage_and_budget(kind, heading);
        passage
    }

    /// The same, while the budget is charged beside it.
    pub(crate) fn passage_and_budget(&mut self, kind: Kind, heading: Heading) -> (Passage<'_>, &mut Budget) {
        let escapes = match kind {
            Kind::Json => Escapes::Json,
            Kind::Markup | Kind::Ooxml => Escapes::Markup,
            Kind::Text | Kind::Code | Kind::Mail => Escapes::None,
        };
        let bare = if kind == Kind::Code { Bare::Ignore } else { Bare::Count };
        let passage = Passage {
            unescape: Unescape::new(escapes),
            finder: Finder::new(&mut self.found, bare),
            headings: (heading == Heading::MayBe).then_some(&mut self.headings),
        };
        (passage, &mut self.budget)
    }
}

/// Whether the first lines of a text may say what kind of data it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    MayBe,
    Never,
}

/// Bytes that an object may still unfold to.
#[derive(Debug)]
pub(crate) struct Budget(u64);

impl Budget {
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), Reason> {
        self.0 = self.0.checked_sub(bytes as u64).ok_or(Reason::TooMuchText)?;
        Ok(())
    }
}

/// Text on its way to the finder.
#[derive(Debug)]
pub(crate) struct Passage<'o> {
    unescape: Unescape,
    finder: Finder<'o>,
    headings: Option<&'o mut Headings>,
}

impl Passage<'_> {
    pub(crate) fn text(&mut self, text: &str) {
        let Self { unescape, finder, headings } = self;
        unescape.push(text, &mut |text| {
            finder.push(text);
            if let Some(headings) = headings {
                headings.push(text);
            }
        });
    }

    /// What comes next is another line.
    pub(crate) fn pause(&mut self) {
        let Self { unescape, finder, .. } = self;
        unescape.end(&mut |text| finder.push(text));
        self.finder.end();
        if let Some(headings) = &mut self.headings {
            headings.push("\n");
        }
    }
}

/// The first lines of a text that are short enough to be headings.
#[derive(Debug, Default)]
pub(crate) struct Headings {
    lines: Vec<String>,
    line: String,
    is_full: bool,
}

impl Headings {
    pub(crate) fn push(&mut self, text: &str) {
        if self.is_full {
            return;
        }
        for c in text.chars() {
            if c == '\n' || c == '\r' {
                self.end_line();
            } else if self.line.len() <= LONGEST_HEADING {
                self.line.push(c);
            }
        }
    }

    /// Each line, the first one first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        let last = (!self.is_full && self.line.len() <= LONGEST_HEADING).then_some(self.line.as_str());
        self.lines.iter().map(String::as_str).chain(last)
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.is_full || line.trim().is_empty() {
            return;
        }
        // A long line is a sentence: what follows it is text.
        self.is_full = line.len() > LONGEST_HEADING || self.lines.len() + 1 == HEADINGS;
        if line.len() <= LONGEST_HEADING {
            self.lines.push(line);
        }
    }
}
