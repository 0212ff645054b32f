//! What a person says in a mail: its texts, the halves of alternatives, what is attached as text.
//!
//! Understands nothing of it. Invariant: in doubt a text is kept; what stands twice stands once.

use std::collections::HashSet;

use super::super::words::{self, Purpose};
use super::super::{decode, html, questions, requests};
use super::{Leaf, Mail, parse};

/// Messages within attached messages that are read.
const ENCLOSED: usize = 3;
/// Bytes of an attached text in which somebody may ask: longer ones are logs and documents.
const LETTER: usize = 64 * 1024;

/// What a person attached as text.
#[derive(Debug)]
pub(in super::super) struct Attached {
    /// With a heading that names it.
    pub(in super::super) full_text: String,
    /// What it asks, with the heading; empty where it asks nothing.
    pub(in super::super) asks: String,
}

/// Who wrote what is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Ours,
    Theirs,
}

impl Mail {
    /// The texts a reader sees, one below the other: of each set of alternatives the plain one, and the other where it says
    /// more.
    pub(in super::super) fn text(&self) -> String {
        let mut texts: Vec<String> = Vec::new();
        let mut done = 0;
        for leaf in self.leaves.iter().filter(|leaf| leaf.is_text()) {
            if leaf.is_unpacked {
                let text = leaf.text();
                if !texts.iter().any(|known| letters(known).contains(&letters(&text))) {
                    texts.push(text);
                }
            } else if leaf.alternative == 0 {
                texts.push(leaf.text());
            } else if leaf.alternative > done {
                done = leaf.alternative;
                texts.push(self.best_of(leaf.alternative));
            }
        }
        let texts = texts.iter().map(|text| text.trim_end()).filter(|text| !text.trim().is_empty());
        texts.collect::<Vec<_>>().join("\n\n")
    }

    fn best_of(&self, alternative: usize) -> String {
        let texts = |kind: &str| {
            let same = self.leaves.iter().filter(|leaf| leaf.alternative == alternative && leaf.is_text());
            let texts: Vec<String> = same.filter(|leaf| leaf.kind == kind).map(Leaf::text).collect();
            texts.join("\n")
        };
        let (plain, html) = (texts("text/plain"), texts("text/html"));
        if plain.trim().is_empty() || html.trim().is_empty() {
            return if plain.trim().is_empty() { html } else { plain };
        }
        match self.more_in(&plain, &html) {
            Some(more) => format!("{}\n\n{more}", plain.trim_end()),
            None => plain,
        }
    }

    /// What the HTML half says and the plain half does not: all of it where that is no more than a line that points to it,
    /// else its questions.
    fn more_in(&self, plain: &str, html: &str) -> Option<String> {
        let said = words_of(plain);
        if words_of(html).is_subset(&said) {
            return None;
        }
        let purpose = Purpose::of(&self.subject);
        let own = words::own(html, purpose);
        let new: Vec<String> = words_of(&own).difference(&said).cloned().collect();
        if new.is_empty() {
            return None;
        }
        let points = own.len() > 2 * words::own(plain, purpose).len() && new.len() > said.len();
        if points {
            return Some(html.to_owned());
        }
        let asked = questions::asked(&own);
        let more: Vec<String> = asked.into_iter().filter(|question| !words_of(question).is_subset(&said)).collect();
        (!more.is_empty()).then(|| more.join("\n"))
    }

    /// Attached messages and texts, each with a heading.
    pub(in super::super) fn attached(&self) -> Vec<Attached> {
        self.attached_within(ENCLOSED)
    }

    fn attached_within(&self, levels: usize) -> Vec<Attached> {
        let mut found = Vec::new();
        for leaf in self.leaves.iter().filter(|leaf| !leaf.in_report) {
            let name = if leaf.name.is_empty() { &leaf.kind } else { &leaf.name };
            match leaf.kind.as_str() {
                "message/rfc822" | "message/global" if levels > 0 => {
                    let inner = parse(&leaf.body);
                    let title = format!("[attached message: {}]", inner.subject);
                    found.push(Attached::new(
                        &title,
                        &inner.text(),
                        Purpose::of(&inner.subject),
                        inner.is_from_one_of(&self.to),
                    ));
                    found.extend(inner.attached_within(levels - 1));
                }
                "text/plain" | "text/html" if leaf.is_file => {
                    found.push(Attached::new(
                        &format!("[attached: {name}]"),
                        &leaf.text(),
                        Purpose::Answers,
                        Origin::Theirs,
                    ));
                }
                _ => {}
            }
        }
        found
    }

    /// A letter of ours comes from the domain that this mail is sent to.
    fn is_from_one_of(&self, to: &[String]) -> Origin {
        let domain = |address: &str| address.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
        let from = self.from.as_deref().and_then(domain);
        let ours = from.is_some() && to.iter().any(|address| domain(address) == from);
        if ours { Origin::Ours } else { Origin::Theirs }
    }
}

impl Attached {
    fn new(title: &str, text: &str, purpose: Purpose, origin: Origin) -> Self {
        let own = if text.len() <= LETTER { words::own(text, purpose) } else { String::new() };
        let asks = origin == Origin::Theirs
            && (!questions::asked(&own).is_empty() || requests::are_in(&own.to_lowercase().replace('\n', " ")));
        Self {
            full_text: format!("{title}\n{}", text.trim_end()),
            asks: if asks { format!("{title}\n{own}") } else { String::new() },
        }
    }
}

/// Letters and figures only: what two renderings of one text share.
fn letters(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn words_of(text: &str) -> HashSet<String> {
    let words = text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

impl Leaf {
    fn is_text(&self) -> bool {
        !self.is_file && matches!(self.kind.as_str(), "text/plain" | "text/html")
    }

    /// Its text, with `\n` line ends.
    fn text(&self) -> String {
        let text = words::without_marks(&decode::text(self.charset.as_deref(), &self.body));
        let text = if self.kind == "text/html" { html::to_text(&text) } else { text };
        text.replace("\r\n", "\n").replace(['\r', '\u{2028}'], "\n").replace(['\0', '\u{feff}'], "")
    }
}
