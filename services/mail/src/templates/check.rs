//! Every letter in every language with every sample, and what is to be said of each.
//!
//! Changes nothing. Invariant: a template without errors was rendered with all samples in strict mode.

use std::collections::BTreeSet;

use model::language::Language;
use serde::Serialize;

use super::own::HTML_LIMIT;
use super::readability::{self, Readability};
use super::set::{self, Part};
use super::{Kind, Own, TemplateError, Templates, lint, output, own, samples};

/// The longest line of a text part, in columns, where words allow.
const COLUMNS: usize = 78;

/// What was found of one letter in one language.
#[derive(Debug, Serialize)]
pub struct CheckedTemplate {
    /// `notice/de`.
    pub template: String,
    /// The letter.
    #[serde(skip)]
    pub kind: Kind,
    /// The language.
    pub language: Language,
    /// The version of a template that somebody wrote; none: built in.
    pub own: Option<String>,
    /// Samples that were rendered.
    pub samples: usize,
    /// Fields that it reads.
    pub placeholders: usize,
    /// Content elements that it has blocks for.
    pub elements: usize,
    /// Largest HTML part of a sample, in bytes; 0 for a letter without.
    pub html_bytes: usize,
    /// Longest line of a text part that could have been broken, in columns.
    pub columns: usize,
    /// Of the text part's own words, without what is filled in; none for a letter without prose.
    pub readability: Option<Readability>,
    /// What is wrong, each with template, line and next step; none: all is well.
    pub errors: Vec<String>,
    /// Links to hosts that are not the sender's, each with template and line. Who the sender is, the caller knows.
    pub links: Vec<String>,
}

impl Templates {
    /// Lints and renders everything. The languages of a letter are compared with its English.
    pub fn check(&self) -> Result<Vec<CheckedTemplate>, TemplateError> {
        let mut checked = Vec::new();
        for kind in Kind::ALL {
            let english = self.own(kind, Language::En).map(|own| own.elements().clone()).unwrap_or_default();
            for language in kind.languages() {
                checked.push(self.check_one(kind, *language, &english)?);
            }
        }
        Ok(checked)
    }

    /// The templates that a letter is written from, linted.
    pub fn own(&self, kind: Kind, language: Language) -> Result<Own, TemplateError> {
        match self.inner.own.iter().find(|own| (own.kind(), own.language()) == (kind, language)) {
            Some(own) => Ok(own.clone()),
            None => Own::read(&own::builtin(kind, language)),
        }
    }

    /// What is seen of each sample of a letter, each with the part that it was written from.
    pub fn rendered(&self, kind: Kind, language: Language) -> Result<Vec<(String, String)>, TemplateError> {
        let mut rendered = Vec::new();
        for (_, view) in samples::views(kind, language, &self.inner.labels)? {
            let context = super::wrap(kind.name(), &view)?;
            for part in kind.parts() {
                let text = self.part(kind, language, *part, &context)?.text;
                let seen = if matches!(part, Part::Html) { model::links::visible(&text) } else { text };
                rendered.push((format!("template {}", set::name(kind, language, *part)), seen));
            }
        }
        Ok(rendered)
    }

    fn check_one(
        &self,
        kind: Kind,
        language: Language,
        english: &BTreeSet<String>,
    ) -> Result<CheckedTemplate, TemplateError> {
        let mut checked = CheckedTemplate {
            template: format!("{}/{language}", kind.name()),
            kind,
            language,
            own: self.own_version(kind, language),
            samples: 0,
            placeholders: 0,
            elements: 0,
            html_bytes: 0,
            columns: 0,
            readability: None,
            errors: Vec::new(),
            links: Vec::new(),
        };
        match self.own(kind, language) {
            Ok(read) => {
                checked.errors.extend(read.check_figures().err().map(|error| error.to_string()));
                checked.placeholders = read.placeholders().len();
                checked.elements = read.elements().len();
                checked.readability = readability::of(language, &lint::fixed_text(read.text()));
                let differ: Vec<&str> = read.elements().symmetric_difference(english).map(String::as_str).collect();
                if !differ.is_empty() {
                    let (name, ids) = (&checked.template, differ.join(", "));
                    checked.errors.push(format!(
                        "template {name}, line 1: its elements are not those of {}/en ({ids}): say the same in each language",
                        kind.name()
                    ));
                }
            }
            Err(error) => checked.errors.push(error.to_string()),
        }
        for (sample, view) in samples::views(kind, language, &self.inner.labels)? {
            if let Err(error) = self.render_sample(sample, &view, &mut checked) {
                checked.errors.push(error.to_string());
            }
        }
        Ok(checked)
    }

    fn render_sample(
        &self,
        sample: &str,
        view: &serde_json::Value,
        checked: &mut CheckedTemplate,
    ) -> Result<(), TemplateError> {
        let (kind, language) = (checked.kind, checked.language);
        let context = super::wrap(kind.name(), view)?;
        for part in kind.parts() {
            let name = set::name(kind, language, *part);
            let rendered = self.part(kind, language, *part, &context)?.text;
            match part {
                Part::Subject if rendered.is_empty() => {
                    checked.errors.push(format!("template {name}, line 1: no subject for the sample `{sample}`"));
                }
                Part::Subject => {}
                Part::Html => {
                    checked.html_bytes = checked.html_bytes.max(rendered.len());
                    if rendered.len() > HTML_LIMIT {
                        let bytes = rendered.len();
                        checked.errors.push(format!(
                            "template {name}, line 1: {bytes} bytes for the sample `{sample}`, more than {HTML_LIMIT}: shorten it"
                        ));
                    }
                }
                Part::Text => {
                    let columns = widest(&rendered);
                    checked.columns = checked.columns.max(columns);
                    if columns > COLUMNS {
                        checked.errors.push(format!(
                            "template {name}, line 1: a line of {columns} columns for the sample `{sample}`: shorten its words"
                        ));
                    }
                }
            }
        }
        checked.samples += 1;
        Ok(())
    }
}

/// Columns of the longest line that has a place to break at.
fn widest(text: &str) -> usize {
    let breakable = text.lines().filter(|line| output::can_be_broken(line));
    breakable.map(output::columns).max().unwrap_or_default()
}
