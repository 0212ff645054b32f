//! Letters: the built-in templates, compiled once, rendered from contexts into subject, text and HTML.
//!
//! Does not send, does not read the store and knows no clock: whatever a letter states is in its context. Invariant: a
//! path that the context does not have is an error, never an empty place, and a part is never longer than
//! [`PART_LIMIT`].

mod check;
mod contexts;
mod frame;
mod helpers;
mod labels;
mod lint;
mod marks;
mod notice;
mod output;
mod own;
mod readability;
mod report;
mod samples;
mod set;
mod snippet;
#[cfg(test)]
mod tests;
mod trace;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use handlebars::{Context, Handlebars, Output, RenderContext, RenderError, RenderErrorReason, Renderable, no_escape};
use model::language::Language;
use model::law::{Content, Elements, LawError};
use model::notices::{Letter, NoticeContext, Rendered};
use serde::Serialize;

pub use check::CheckedTemplate;
pub use contexts::{
    AcknowledgementContext, AnswerContext, AskedQuestion, DeclineContext, EscalationContext, PromiseContext,
    ReachContext, ReachSource, ReminderContext,
};
pub use own::{Changes, HTML_LIMIT, Own, Submitted};
pub use readability::{Measure, Readability};
pub use report::ReportContext;
pub use set::{Kind, VERSION};
pub use snippet::builtin_snippet;
pub use trace::{Traced, TracedPart};

use contexts::View;
use helpers::{Element, Markup, Quote, Said, When};
use labels::Labels;
use notice::Origins;
use output::{Capped, one_line, plain_text};
use set::Part;

/// The longest part (subject, text or HTML) that is rendered, in bytes: ten times what mail programs show.
pub const PART_LIMIT: usize = 1_000_000;

/// The same with marks around each value.
const GROWTH_LIMIT: usize = PART_LIMIT * marks::GROWTH;

/// The letters that are notices, by the name of their folder.
pub const NOTICES: [&str; 1] = ["notice"];

/// Why a template set cannot be used, or a letter not be written.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// A template uses something outside the permitted language.
    #[error("template {template}, line {line}, column {column}: {why}: {next}")]
    NotAllowed {
        /// Which template (`notice/en.text`).
        template: String,
        /// Physical line, from 1.
        line: usize,
        /// Character of the line, from 1.
        column: usize,
        /// What is wrong with it.
        why: String,
        /// What to do about it.
        next: String,
    },
    /// A template does not compile.
    #[error("template {template}, line {line}, does not compile: correct it at the place named below")]
    Syntax {
        /// Which template.
        template: String,
        /// Physical line, from 1; 1 where it is not known.
        line: usize,
        /// What the compiler says.
        #[source]
        source: Box<handlebars::TemplateError>,
    },
    /// The table of content elements cannot be read.
    #[error(transparent)]
    Law(&'static LawError),
    /// A file of data type labels is not an object of texts.
    #[error("templates/labels/{language}.json cannot be read: write it as one JSON object of id and label")]
    Labels {
        /// Which language's file.
        language: Language,
        /// Where it breaks.
        #[source]
        source: serde_json::Error,
    },
    /// A letter could not be rendered.
    #[error("template {template}, line {line}, cannot be rendered: compare its paths with the fields of its context")]
    Render {
        /// Which template.
        template: String,
        /// Physical line, from 1; 1 where it is not known.
        line: usize,
        /// What handlebars says.
        #[source]
        source: Box<handlebars::RenderError>,
    },
    /// A letter was given parts that it does not have, or too few.
    #[error("templates {template}: {why}")]
    Parts {
        /// Which (`notice/en`).
        template: String,
        /// What is wrong, and the next step.
        why: &'static str,
    },
    /// A part grew beyond [`PART_LIMIT`].
    #[error(
        "template {template}, line {line}, gives more than {PART_LIMIT} bytes: shorten what is repeated there, or write to this organisation by hand"
    )]
    TooLong {
        /// Which template.
        template: String,
        /// Physical line, from 1, where the limit is passed.
        line: usize,
    },
}

/// A compiled set of templates. Cheap to clone, shared between threads.
#[derive(Debug, Clone)]
pub struct Templates {
    inner: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    /// Subjects and text parts: nothing is escaped.
    plain: Handlebars<'static>,
    /// HTML parts: every value is escaped.
    html: Handlebars<'static>,
    /// The content elements that each template has blocks for.
    elements: HashMap<String, BTreeSet<String>>,
    labels: Labels,
    /// What somebody wrote in place of built-in templates.
    own: Vec<Own>,
}

/// A part as it is sent, and what its blocks say.
struct RenderedPart {
    text: String,
    said: Elements,
}

impl Templates {
    /// The set that is compiled into the binary, of version [`VERSION`].
    pub fn builtin() -> Result<Self, TemplateError> {
        Self::compile(set::SOURCES.iter().copied())
    }

    /// The built-in set with these in place of its own.
    pub fn with(own: Vec<Own>) -> Result<Self, TemplateError> {
        let replaced: HashMap<String, &str> = own.iter().flat_map(Own::sources).collect();
        let sources = set::SOURCES.iter().map(|(name, source)| (*name, replaced.get(*name).copied().unwrap_or(source)));
        let set = Self::compile_set(sources)?;
        Ok(Self { inner: Arc::new(Compiled { own, ..set }) })
    }

    /// The version of the templates that a letter in these languages is written from: the built-in one, and behind it
    /// each that somebody wrote for one of them.
    pub fn version(&self, kind: Kind, languages: impl Iterator<Item = Language>) -> String {
        let own = languages.filter_map(|language| Some(format!("+{language}:{}", self.own_version(kind, language)?)));
        std::iter::once(VERSION.to_owned()).chain(own).collect()
    }

    fn own_version(&self, kind: Kind, language: Language) -> Option<String> {
        let mut own = self.inner.own.iter();
        own.find(|own| (own.kind(), own.language()) == (kind, language)).map(Own::version)
    }

    fn compile<'a>(sources: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, TemplateError> {
        Ok(Self { inner: Arc::new(Self::compile_set(sources)?) })
    }

    fn compile_set<'a>(sources: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Compiled, TemplateError> {
        let (mut plain, mut html) = registries();
        let mut elements = HashMap::new();
        for (name, source) in sources {
            elements.insert(name.to_owned(), lint::check(name, source)?);
            let registry = if name.ends_with(".html") { &mut html } else { &mut plain };
            registry.register_template_string(name, source).map_err(|source| not_compiled(name, source))?;
            if !registry.get_template(name).is_some_and(lint::is_plain) {
                return Err(not_plain(name));
            }
        }
        Ok(Compiled { plain, html, elements, labels: Labels::builtin()?, own: Vec::new() })
    }

    /// Every data type with what letters call it: (id, label), in each language.
    pub fn data_types(&self) -> Vec<(String, String)> {
        self.inner.labels.all()
    }

    /// The notice in one language: subject, text and HTML with the same statements, and the elements that both say.
    pub fn render_notice(&self, language: Language, context: &NoticeContext) -> Result<Rendered, TemplateError> {
        self.notice(Kind::Notice, language, context)
    }

    /// The same by the template of a name; `None`: no notice is called so.
    pub fn render_notice_by(
        &self,
        name: &str,
        language: Language,
        context: &NoticeContext,
    ) -> Result<Option<Rendered>, TemplateError> {
        let kind = NOTICES.contains(&name).then_some(Kind::Notice);
        kind.map(|kind| self.notice(kind, language, context)).transpose()
    }

    /// A notice that takes back everything that those before it said: subject and text.
    pub fn render_withdrawal(&self, language: Language, context: &NoticeContext) -> Result<Rendered, TemplateError> {
        let letter = self.letter(Kind::Withdrawal, language, &notice::withdrawal(language, context))?;
        Ok(Rendered { letter, elements: Elements::new() })
    }

    fn notice(&self, kind: Kind, language: Language, context: &NoticeContext) -> Result<Rendered, TemplateError> {
        if context.domains.iter().any(|facts| !facts.withheld.is_empty()) {
            // By the marks it is known which block says that something is withheld.
            return Ok(self.marked(kind, language, context)?.rendered(self));
        }
        let context = wrap(kind.name(), &notice::view(language, context, &self.inner.labels))?;
        let subject = self.part(kind, language, Part::Subject, &context)?.text;
        let text = self.part(kind, language, Part::Text, &context)?;
        let html = self.html_if_it_is_shown(kind, language, &context)?;
        let (html, of_html) = html.map(|html| (html.text, html.said)).unzip();
        let elements = self.said(kind, language, text.said, of_html);
        Ok(Rendered { letter: Letter { subject, text: text.text, html }, elements })
    }

    /// The HTML part; none where mail programs would cut it off. The text part states the same and has no such limit.
    fn html_if_it_is_shown(
        &self,
        kind: Kind,
        language: Language,
        context: &Context,
    ) -> Result<Option<RenderedPart>, TemplateError> {
        let html = match self.raw(kind, language, Part::Html, context, &Limits::of_letters(HTML_LIMIT)) {
            Ok(html) => RenderedPart { text: finished(Part::Html, html.text), said: html.said },
            Err(TemplateError::TooLong { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok((html.text.len() <= HTML_LIMIT).then_some(html))
    }

    /// What both the text and the HTML of a letter say of the elements that both have blocks for; what the text says
    /// where there is no HTML.
    fn said(&self, kind: Kind, language: Language, mut text: Elements, html: Option<Elements>) -> Elements {
        let ids = self.elements(kind, language).into_iter();
        let Some(mut html) = html else {
            return ids.map(|id| (id.clone(), text.remove(id).unwrap_or(Content::Empty))).collect();
        };
        let both = |id: &String| match (text.remove(id), html.remove(id)) {
            (Some(Content::Withheld(mut text)), Some(Content::Withheld(html))) => {
                text.extend(html);
                Content::Withheld(text)
            }
            (Some(Content::Filled), Some(Content::Filled)) => Content::Filled,
            (Some(Content::Filled), Some(withheld @ Content::Withheld(_)))
            | (Some(withheld @ Content::Withheld(_)), Some(Content::Filled)) => withheld,
            // A block that no list reached is as empty as one without words.
            (Some(Content::Empty) | None, _) | (_, Some(Content::Empty) | None) => Content::Empty,
        };
        let mut both = both;
        ids.map(|id| (id.clone(), both(id))).collect()
    }

    /// The elements that both the text and the HTML of a letter have blocks for.
    fn elements(&self, kind: Kind, language: Language) -> Vec<&String> {
        let of = |part| self.inner.elements.get(&set::name(kind, language, part));
        match (of(Part::Text), of(Part::Html)) {
            (Some(text), Some(html)) => text.intersection(html).collect(),
            (Some(_) | None, _) => Vec::new(),
        }
    }

    /// The reminder of a notice that nobody reacted to: subject and text.
    pub fn render_reminder(&self, language: Language, context: &ReminderContext) -> Result<Letter, TemplateError> {
        self.letter(Kind::Reminder, language, &context.view())
    }

    /// An answer to questions: subject and text.
    pub fn render_answer(&self, language: Language, context: &AnswerContext) -> Result<Letter, TemplateError> {
        self.letter(Kind::Answer, language, &context.view())
    }

    /// That a mail has arrived, without facts: subject and text.
    pub fn render_acknowledgement(
        &self,
        language: Language,
        context: &AcknowledgementContext,
    ) -> Result<Letter, TemplateError> {
        self.letter(Kind::Acknowledgement, language, &context.view())
    }

    /// The promise of an answer by a date: subject and text.
    pub fn render_promise(&self, language: Language, context: &PromiseContext) -> Result<Letter, TemplateError> {
        self.letter(Kind::Promise, language, &context.view())
    }

    /// A declined question, with its reason and how to object: subject and text.
    pub fn render_decline(&self, language: Language, context: &DeclineContext) -> Result<Letter, TemplateError> {
        self.letter(Kind::Decline, language, &context.view())
    }

    /// What goes to the vendor's own people when a rung fires: subject and text, in English.
    pub fn render_escalation(&self, context: &EscalationContext) -> Result<Letter, TemplateError> {
        self.letter(Kind::Escalation, Language::En, &context.view())
    }

    /// What asks an unconfirmed address who is responsible, without facts: subject and text.
    pub fn render_reach(&self, language: Language, context: &ReachContext) -> Result<Letter, TemplateError> {
        self.letter(Kind::Reach, language, &context.view())
    }

    /// A text about a whole incident for one of its audiences: subject and text, and the elements that the text says.
    pub fn render_report(
        &self,
        kind: Kind,
        language: Language,
        context: &ReportContext,
    ) -> Result<(Letter, Elements), TemplateError> {
        let context = wrap(kind.name(), &report::view(language, context, &self.inner.labels))?;
        let subject = self.part(kind, language, Part::Subject, &context)?.text;
        let RenderedPart { text, said } = self.part(kind, language, Part::Text, &context)?;
        let blocks = self.inner.elements.get(&set::name(kind, language, Part::Text)).into_iter().flatten();
        let says = |id: &String| said.get(id).cloned().unwrap_or(Content::Empty);
        let elements = blocks.map(|id| (id.clone(), says(id))).collect();
        Ok((Letter { subject, text, html: None }, elements))
    }

    fn letter(&self, kind: Kind, language: Language, view: &impl Serialize) -> Result<Letter, TemplateError> {
        let context = wrap(kind.name(), view)?;
        Ok(Letter {
            subject: self.part(kind, language, Part::Subject, &context)?.text,
            text: self.part(kind, language, Part::Text, &context)?.text,
            html: None,
        })
    }

    fn part(
        &self,
        kind: Kind,
        language: Language,
        part: Part,
        context: &Context,
    ) -> Result<RenderedPart, TemplateError> {
        let rendered = self.raw(kind, language, part, context, &Limits::of_letters(PART_LIMIT))?;
        Ok(RenderedPart { text: finished(part, rendered.text), said: rendered.said })
    }

    /// As the template writes it: neither folded nor dressed.
    fn raw(
        &self,
        kind: Kind,
        language: Language,
        part: Part,
        context: &Context,
        limits: &Limits<'_>,
    ) -> Result<RenderedPart, TemplateError> {
        let name = set::name(kind, language, part);
        let registry = match part {
            Part::Subject | Part::Text => &self.inner.plain,
            Part::Html => &self.inner.html,
        };
        render(registry, &name, context, limits)
    }
}

/// What a registered template writes, within limits.
fn render(
    registry: &Handlebars<'_>,
    name: &str,
    context: &Context,
    limits: &Limits<'_>,
) -> Result<RenderedPart, TemplateError> {
    let (said, mut output) = (Said::new(limits.origins), Capped::new(limits.bytes));
    let result = render_to(registry, name, context, &said, &mut output);
    let line = result.as_ref().err().and_then(|error| error.line_no).unwrap_or(1);
    let Some(text) = output.into_text() else {
        return Err(TemplateError::TooLong { template: name.to_owned(), line });
    };
    result.map_err(|source| not_rendered(name, source))?;
    Ok(RenderedPart { text, said: said.into_elements() })
}

fn registries() -> (Handlebars<'static>, Handlebars<'static>) {
    let mut plain = Handlebars::new();
    plain.register_escape_fn(no_escape);
    plain.register_helper("quote", Box::new(Quote));
    let mut html = Handlebars::new();
    for registry in [&mut plain, &mut html] {
        registry.set_strict_mode(true);
        registry.register_helper("when", Box::new(When::Holds));
        registry.register_helper("whenNot", Box::new(When::HoldsNot));
    }
    (plain, html)
}

fn wrap(kind: &str, view: &impl Serialize) -> Result<Context, TemplateError> {
    Context::wraps(view).map_err(|source| not_rendered(kind, source))
}

/// How much may be written, and what its marks stand for.
struct Limits<'a> {
    bytes: usize,
    origins: &'a Origins,
}

impl Limits<'static> {
    /// Of letters as they are sent: without marks.
    fn of_letters(bytes: usize) -> Self {
        static NONE: Origins = Origins::none();
        Self { bytes, origins: &NONE }
    }
}

/// From what a template wrote to what is sent.
fn finished(part: Part, rendered: String) -> String {
    match part {
        Part::Subject => one_line(&rendered),
        Part::Text => plain_text(&rendered),
        Part::Html => frame::dressed(&output::cleaned(rendered)),
    }
}

fn not_compiled(template: &str, source: handlebars::TemplateError) -> TemplateError {
    let line = source.pos().map_or(1, |(line, _)| line);
    TemplateError::Syntax { template: template.to_owned(), line, source: Box::new(source) }
}

fn not_plain(template: &str) -> TemplateError {
    let why = "the compiler reads it as something that is not allowed".to_owned();
    let next = "write it with plain paths, or send us the file".to_owned();
    TemplateError::NotAllowed { template: template.to_owned(), line: 1, column: 1, why, next }
}

fn not_rendered(template: &str, source: RenderError) -> TemplateError {
    let line = source.line_no.unwrap_or(1);
    TemplateError::Render { template: template.to_owned(), line, source: Box::new(source) }
}

/// As the registry renders, with one helper more that belongs to this rendering alone.
fn render_to(
    registry: &Handlebars<'_>,
    name: &str,
    context: &Context,
    said: &Said<'_>,
    output: &mut dyn Output,
) -> Result<(), RenderError> {
    let missing = || RenderErrorReason::TemplateNotFound(name.to_owned());
    let template = registry.get_template(name).ok_or_else(missing)?;
    let mut render = RenderContext::new(template.name.as_ref());
    let markup = if name.ends_with(".html") { Markup::Html } else { Markup::Plain };
    render.register_local_helper("element", Box::new(Element { said, markup }));
    template.render(registry, context, &mut render, output)
}
