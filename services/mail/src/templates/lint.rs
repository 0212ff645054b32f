//! What a template may contain: paths, `each`, `when`, `whenNot`, `element`, `quote` and comments; nothing else.
//!
//! Looks at the text before the compiler sees it, because deep nesting and partials that include each other abort the
//! process. Invariant: whatever passes has no unescaped output, no partial, no decorator, no `else` and few nested
//! blocks, and each refusal names template, line and column.

mod characters;
mod compiled;
mod fields;
mod figures;
mod markup;
mod style;
mod tags;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use compiled::is_plain;
pub(super) use fields::Shape;

use super::TemplateError;
use super::set::Part;
use tags::{Piece, What};

/// What to do about most refusals.
const ALLOWED: &str = "templates/README.md lists what is allowed";

/// Something that a template may not contain.
#[derive(Debug)]
struct Refusal {
    /// Byte of the source.
    at: usize,
    why: String,
    /// The next step.
    next: String,
}

impl Refusal {
    fn new(at: usize, why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { at, why: why.into(), next: next.into() }
    }

    fn located(self, template: &str, source: &str) -> TemplateError {
        let before = source.get(..self.at).unwrap_or(source);
        TemplateError::NotAllowed {
            template: template.to_owned(),
            line: 1 + before.matches('\n').count(),
            column: 1 + before.rsplit('\n').next().unwrap_or_default().chars().count(),
            why: self.why,
            next: self.next,
        }
    }
}

/// What was found in a template that keeps to every rule.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The content elements that it has blocks for.
    pub(super) elements: BTreeSet<String>,
    /// Line of the first block of each.
    pub(super) lines: BTreeMap<String, usize>,
    /// Every field that it reads, as `domains[].types[].label`.
    pub(super) placeholders: BTreeSet<String>,
}

/// Whether a template keeps to the permitted language; the content elements that it has blocks for.
pub(super) fn check(template: &str, source: &str) -> Result<BTreeSet<String>, TemplateError> {
    let pieces = tags::pieces(source).map_err(|refusal| refusal.located(template, source))?;
    Ok(elements(&pieces).into_keys().collect())
}

/// Whether a template of anybody's can be trusted: language, characters, fields, and in HTML the markup.
pub(super) fn check_whole(
    template: &str,
    part: Part,
    source: &[u8],
    shape: &Shape,
) -> Result<(String, Found), TemplateError> {
    let source = characters::text(source).map_err(|(refusal, text)| refusal.located(template, &text))?;
    let found = whole(part, &source, shape).map_err(|refusal| refusal.located(template, &source))?;
    Ok((source, found))
}

/// Whether the words of a template are without figures: whatever is a figure in a letter has to be filled in.
pub(super) fn check_figures(template: &str, part: Part, source: &str) -> Result<(), TemplateError> {
    let pieces = tags::pieces(source).map_err(|refusal| refusal.located(template, source))?;
    figures::check(part, &pieces).map_err(|refusal| refusal.located(template, source))
}

fn whole(part: Part, source: &str, shape: &Shape) -> Result<Found, Refusal> {
    characters::check(part, source)?;
    let pieces = tags::pieces(source)?;
    for piece in &pieces {
        match (&piece.what, part) {
            (What::Quote(_), Part::Subject | Part::Html) => {
                return Err(Refusal::new(piece.at, "`quote` is for text parts", "print the path without it"));
            }
            (What::Element(_), Part::Subject) => {
                let next = "mark the passage in the text and in the HTML";
                return Err(Refusal::new(piece.at, "a subject has no content elements", next));
            }
            _ => {}
        }
    }
    match part {
        Part::Html => markup::check(&pieces)?,
        Part::Subject | Part::Text => {}
    }
    let placeholders = fields::check(&pieces, shape)?;
    let first = elements(&pieces);
    let line = |at: usize| 1 + source.get(..at).unwrap_or(source).matches('\n').count();
    Ok(Found {
        elements: first.keys().cloned().collect(),
        lines: first.into_iter().map(|(id, at)| (id, line(at))).collect(),
        placeholders,
    })
}

/// What a template says by itself, with a short word in place of each field.
pub(super) fn fixed_text(source: &str) -> String {
    let word = |piece: &Piece<'_>| match piece.what {
        What::Raw(text) => text.to_owned(),
        What::Print(_) | What::Quote(_) => "it".to_owned(),
        What::Comment | What::Each(_) | What::When(_) | What::Element(_) | What::Close => String::new(),
    };
    tags::pieces(source).map(|pieces| pieces.iter().map(word).collect()).unwrap_or_default()
}

fn elements(pieces: &[Piece<'_>]) -> BTreeMap<String, usize> {
    let mut first = BTreeMap::new();
    for piece in pieces {
        if let What::Element(id) = piece.what {
            first.entry(id.to_owned()).or_insert(piece.at);
        }
    }
    first
}
