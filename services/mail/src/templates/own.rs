//! Templates that somebody wrote for one incident: trusted with nothing until every check has passed.
//!
//! Does not keep them. Invariant: an [`Own`] was linted, compiled and rendered with every sample of its kind, and its
//! text and HTML have the same elements.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use model::language::Language;
use serde::Serialize;

use super::labels::Labels;
use super::lint::{self, Found, Shape};
use super::set::{self, Part};
use super::{Kind, TemplateError, Templates, samples};

/// The largest HTML part, in bytes: mail programs cut off what is longer.
pub const HTML_LIMIT: usize = 100_000;

/// The templates of one letter in one language as somebody wrote them; nothing is known of them yet.
#[derive(Debug, Clone, Copy)]
pub struct Submitted<'a> {
    /// Which letter.
    pub kind: Kind,
    /// In which language.
    pub language: Language,
    /// One line.
    pub subject: &'a [u8],
    /// Of the text part.
    pub text: &'a [u8],
    /// Of the HTML part, for a notice; other letters have none.
    pub html: Option<&'a [u8]>,
}

/// Templates that passed every check.
#[derive(Debug, Clone)]
pub struct Own {
    kind: Kind,
    language: Language,
    parts: Vec<(Part, String)>,
    placeholders: BTreeSet<String>,
    elements: BTreeSet<String>,
}

/// How templates differ from the built-in ones of the same letter and language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Fields that they read and the built-in ones do not.
    pub placeholders_added: Vec<String>,
    /// Fields that they read no more.
    pub placeholders_removed: Vec<String>,
    /// Content elements that they have blocks for and the built-in ones have not.
    pub elements_added: Vec<String>,
    /// Content elements without a block.
    pub elements_removed: Vec<String>,
}

impl Changes {
    /// Whether they read the same fields and say the same elements.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Own {
    /// Everything that can be checked before somebody is written to.
    pub fn check(submitted: &Submitted<'_>) -> Result<Self, TemplateError> {
        let own = Self::read(submitted)?;
        own.check_figures()?;
        Templates::with(vec![own.clone()])?.try_out(own.kind, own.language)?;
        Ok(own)
    }

    /// That no figure stands in its own words. Not asked of what is kept already: a letter that an older program
    /// would have sent is sent, and a notice with such a figure is not approved.
    pub(super) fn check_figures(&self) -> Result<(), TemplateError> {
        self.parts.iter().try_for_each(|(part, source)| {
            lint::check_figures(&set::name(self.kind, self.language, *part), *part, source)
        })
    }

    /// Linted, and nothing else: for what was checked before it was kept.
    pub fn read(submitted: &Submitted<'_>) -> Result<Self, TemplateError> {
        let Submitted { kind, language, .. } = *submitted;
        let shape = shape_of(kind)?;
        let mut own =
            Self { kind, language, parts: Vec::new(), placeholders: BTreeSet::new(), elements: BTreeSet::new() };
        let mut of_text: Option<Found> = None;
        for (part, source) in submitted.parts()? {
            let name = set::name(kind, language, part);
            let (source, found) = lint::check_whole(&name, part, source, shape)?;
            own.placeholders.extend(found.placeholders.iter().cloned());
            own.parts.push((part, source));
            match (part, &of_text) {
                (Part::Subject, _) => {}
                (Part::Html, Some(text)) => same_elements(kind, language, text, &found)?,
                (Part::Text, _) | (Part::Html, None) => {
                    own.elements.clone_from(&found.elements);
                    of_text = Some(found);
                }
            }
        }
        Ok(own)
    }

    /// Which letter.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// In which language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The subject's template.
    pub fn subject(&self) -> &str {
        self.source(Part::Subject).unwrap_or_default()
    }

    /// The text's template.
    pub fn text(&self) -> &str {
        self.source(Part::Text).unwrap_or_default()
    }

    /// The template of the HTML, where there is one.
    pub fn html(&self) -> Option<&str> {
        self.source(Part::Html)
    }

    /// A name for exactly these bytes: the beginning of a SHA-256 over all parts.
    pub fn version(&self) -> String {
        let parts = [self.subject(), self.text(), self.html().unwrap_or_default()].map(str::as_bytes);
        let mut digest = model::digest::sha256_of_parts(&parts);
        digest.truncate(16);
        digest
    }

    /// What they read and say beside the built-in ones, and no more.
    pub fn changes(&self) -> Result<Changes, TemplateError> {
        let builtin = Self::read(&builtin(self.kind, self.language))?;
        let more = |left: &BTreeSet<String>, right: &BTreeSet<String>| left.difference(right).cloned().collect();
        Ok(Changes {
            placeholders_added: more(&self.placeholders, &builtin.placeholders),
            placeholders_removed: more(&builtin.placeholders, &self.placeholders),
            elements_added: more(&self.elements, &builtin.elements),
            elements_removed: more(&builtin.elements, &self.elements),
        })
    }

    /// The fields that they read.
    pub(super) fn placeholders(&self) -> &BTreeSet<String> {
        &self.placeholders
    }

    /// The content elements that they have blocks for.
    pub(super) fn elements(&self) -> &BTreeSet<String> {
        &self.elements
    }

    /// Every part with the name it is registered by.
    pub(super) fn sources(&self) -> impl Iterator<Item = (String, &str)> {
        self.parts.iter().map(|(part, source)| (set::name(self.kind, self.language, *part), source.as_str()))
    }

    fn source(&self, wanted: Part) -> Option<&str> {
        self.parts.iter().find(|(part, _)| *part == wanted).map(|(_, source)| source.as_str())
    }
}

/// The built-in templates of a letter, in the form in which others are submitted.
pub(super) fn builtin(kind: Kind, language: Language) -> Submitted<'static> {
    let source = |part| set::source(&set::name(kind, language, part)).map(str::as_bytes);
    Submitted {
        kind,
        language,
        subject: source(Part::Subject).unwrap_or_default(),
        text: source(Part::Text).unwrap_or_default(),
        html: source(Part::Html),
    }
}

/// The fields of a kind's context.
pub(super) fn shape_of(kind: Kind) -> Result<&'static Shape, TemplateError> {
    static NONE: Shape = Shape::Fields(BTreeMap::new());
    Ok(shapes()?.get(&kind).unwrap_or(&NONE))
}

/// The fields of each kind's context, which are the same in every language.
fn shapes() -> Result<&'static BTreeMap<Kind, Shape>, TemplateError> {
    static SHAPES: OnceLock<BTreeMap<Kind, Shape>> = OnceLock::new();
    if let Some(shapes) = SHAPES.get() {
        return Ok(shapes);
    }
    let labels = Labels::builtin()?;
    let mut shapes = BTreeMap::new();
    for kind in Kind::ALL {
        let samples = samples::views(kind, Language::En, &labels)?;
        shapes.insert(kind, Shape::of(samples.first().map_or(&serde_json::Value::Null, |(_, view)| view)));
    }
    Ok(SHAPES.get_or_init(|| shapes))
}

impl<'a> Submitted<'a> {
    fn parts(&self) -> Result<Vec<(Part, &'a [u8])>, TemplateError> {
        let refuse = |why| {
            let template = format!("{}/{}", self.kind.name(), self.language);
            Err(TemplateError::Parts { template, why })
        };
        match (self.kind.parts().contains(&Part::Html), self.html) {
            (true, Some(html)) => Ok(vec![(Part::Subject, self.subject), (Part::Text, self.text), (Part::Html, html)]),
            (false, None) => Ok(vec![(Part::Subject, self.subject), (Part::Text, self.text)]),
            (true, None) => refuse("this letter has an HTML part: give it with --html"),
            (false, Some(_)) => refuse("this letter has no HTML part: leave out --html"),
        }
    }
}

fn same_elements(kind: Kind, language: Language, text: &Found, html: &Found) -> Result<(), TemplateError> {
    let refuse = |part, other: &str, found: &Found, id: &String| {
        Err(TemplateError::NotAllowed {
            template: set::name(kind, language, part),
            line: found.lines.get(id).copied().unwrap_or(1),
            column: 1,
            why: format!("the element `{id}` has a block here and none in the {other}"),
            next: "say it in both, or in neither".to_owned(),
        })
    };
    if let Some(id) = text.elements.difference(&html.elements).next() {
        return refuse(Part::Text, "HTML", text, id);
    }
    match html.elements.difference(&text.elements).next() {
        Some(id) => refuse(Part::Html, "text", html, id),
        None => Ok(()),
    }
}

impl Templates {
    /// Renders every sample of a letter.
    fn try_out(&self, kind: Kind, language: Language) -> Result<(), TemplateError> {
        for (sample, view) in samples::views(kind, language, &self.inner.labels)? {
            let context = super::wrap(kind.name(), &view)?;
            for part in kind.parts() {
                let rendered = self.part(kind, language, *part, &context)?.text;
                let why = match part {
                    Part::Html if rendered.len() > HTML_LIMIT => {
                        format!("it gives {} bytes for the sample `{sample}`, more than {HTML_LIMIT}", rendered.len())
                    }
                    Part::Subject | Part::Text if rendered.is_empty() => {
                        format!("it gives nothing for the sample `{sample}`")
                    }
                    Part::Subject | Part::Text | Part::Html => continue,
                };
                let next = "render all samples with `forthright templates check`".to_owned();
                let template = set::name(kind, language, *part);
                return Err(TemplateError::NotAllowed { template, line: 1, column: 1, why, next });
            }
        }
        Ok(())
    }
}
