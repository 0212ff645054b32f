//! A notice written with marks: which facts each part states where readers see them, and which figures are no facts.
//!
//! Judges nothing. Invariant: the letter is, byte for byte, what the same template gives without marks; a fact counts as
//! stated only where its own value was printed, and not in a title.

mod labels;
mod seen;

use std::collections::HashSet;
use std::sync::LazyLock;

use model::language::Language;
use model::law::{Elements, Law};
use model::notices::{Letter, NoticeContext, Rendered};

use super::notice::{self, Origin, Origins, mark, owed};
use super::set::{self, Part};
use super::{
    Context, GROWTH_LIMIT, HTML_LIMIT, Kind, Limits, PART_LIMIT, RenderedPart, TemplateError, Templates, finished,
    marks, wrap,
};
use seen::{Seen, Span};

/// A notice in one language, and where what stands in it is from.
#[derive(Debug)]
pub struct Traced {
    /// As it is sent.
    pub letter: Letter,
    /// Subject, text and, where there is one, HTML.
    pub parts: Vec<TracedPart>,
}

/// What stands in a part.
#[derive(Debug)]
pub struct TracedPart {
    /// `subject`, `text`, `html`.
    pub name: &'static str,
    stated: HashSet<String>,
    /// Figures that stand in the template's own words, each with the words around it.
    pub typed: Vec<String>,
    /// Figures that run into another one, or into a letter or sign, so that readers take both for one; likewise.
    pub joined: Vec<String>,
    /// Figures that stand with the name of another fact, or in a row without any words; likewise.
    pub mislabelled: Vec<String>,
    /// What it does not say although it has to: `code`, `change:0`, `why:0`, `withheld:0:review`. Of text and HTML.
    pub unsaid: Vec<String>,
}

impl TracedPart {
    /// Whether readers see the fact of this id here, with its value.
    pub fn states(&self, fact: &str) -> bool {
        self.stated.contains(fact)
    }
}

/// The parts that the letter has, as its templates write them, with marks.
pub(super) struct Marked {
    kind: Kind,
    language: Language,
    parts: Vec<MarkedPart>,
    origins: Origins,
}

struct MarkedPart {
    part: Part,
    marked: RenderedPart,
    /// Without marks.
    sent: String,
}

impl Templates {
    /// The notice as [`render_notice`](Self::render_notice) gives it, or
    /// [`render_withdrawal`](Self::render_withdrawal) where it has no domains, and where everything in it is from.
    pub fn trace_notice(&self, language: Language, context: &NoticeContext) -> Result<Traced, TemplateError> {
        let kind = if context.domains.is_empty() { Kind::Withdrawal } else { Kind::Notice };
        Ok(self.marked(kind, language, context)?.traced(&owed(context)))
    }

    pub(super) fn marked(
        &self,
        kind: Kind,
        language: Language,
        context: &NoticeContext,
    ) -> Result<Marked, TemplateError> {
        let mut view = match kind {
            Kind::Withdrawal => wrap(kind.name(), &notice::withdrawal(language, context))?,
            _ => wrap(kind.name(), &notice::view(language, context, &self.inner.labels))?,
        };
        let origins = mark(view.data_mut(), context);
        let mut parts = Vec::with_capacity(3);
        for part in kind.parts() {
            match self.marked_part(kind, language, *part, &view, &origins) {
                Ok(one) if *part != Part::Html || one.sent.len() <= HTML_LIMIT => parts.push(one),
                // Mail programs would cut it off, and the text states the same.
                Ok(_) => {}
                Err(TemplateError::TooLong { .. }) if *part == Part::Html => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Marked { kind, language, parts, origins })
    }

    fn marked_part(
        &self,
        kind: Kind,
        language: Language,
        part: Part,
        view: &Context,
        origins: &Origins,
    ) -> Result<MarkedPart, TemplateError> {
        let marked = self.raw(kind, language, part, view, &Limits { bytes: GROWTH_LIMIT, origins })?;
        let most = if part == Part::Html { HTML_LIMIT } else { PART_LIMIT };
        let stripped = marks::stripped(&marked.text);
        if stripped.len() > most {
            return Err(TemplateError::TooLong { template: set::name(kind, language, part), line: 1 });
        }
        Ok(MarkedPart { part, marked, sent: finished(part, stripped) })
    }
}

impl Marked {
    /// The letter, and what it says of each element.
    pub(super) fn rendered(self, templates: &Templates) -> Rendered {
        let (mut subject, mut text, mut html) = (String::new(), String::new(), None);
        let (mut of_text, mut of_html) = (Elements::new(), None);
        for MarkedPart { part, marked, sent } in self.parts {
            match part {
                Part::Subject => subject = sent,
                Part::Text => (text, of_text) = (sent, marked.said),
                Part::Html => (html, of_html) = (Some(sent), Some(marked.said)),
            }
        }
        let elements = templates.said(self.kind, self.language, of_text, of_html);
        Rendered { letter: Letter { subject, text, html }, elements }
    }

    fn traced(self, owed: &[String]) -> Traced {
        let mut letter = Letter { subject: String::new(), text: String::new(), html: None };
        let mut parts = Vec::with_capacity(3);
        for MarkedPart { part, marked, sent } in self.parts {
            let mut traced = traced_part(part, &Seen::of(part, &marked.text), &self.origins);
            if part != Part::Subject {
                traced.unsaid = owed.iter().filter(|id| !traced.states(id)).cloned().collect();
            }
            parts.push(traced);
            match part {
                Part::Subject => letter.subject = sent,
                Part::Text => letter.text = sent,
                Part::Html => letter.html = Some(sent),
            }
        }
        Traced { letter, parts }
    }
}

fn traced_part(part: Part, seen: &Seen, origins: &Origins) -> TracedPart {
    let name = match part {
        Part::Subject => "subject",
        Part::Text => "text",
        Part::Html => "html",
    };
    let fact = |span: &Span| match origins.get(span.origin) {
        Some(Origin::Fact(id)) => Some(id.as_str()),
        Some(Origin::Data | Origin::Withheld(_)) | None => None,
    };
    let mut traced = TracedPart {
        name,
        stated: HashSet::new(),
        typed: typed(seen),
        joined: Vec::new(),
        mislabelled: Vec::new(),
        unsaid: Vec::new(),
    };
    for (at, span) in seen.spans.iter().enumerate() {
        let Some(id) = fact(span) else { continue };
        let is_figure = is_figure(seen.text_of(span));
        if is_figure
            && (runs_on(seen, at, |other| fact(other).is_some_and(is_name))
                || is_touched(seen, span)
                || is_scaled(seen, span))
        {
            traced.joined.push(seen.around(span.from));
            continue;
        }
        if is_figure && !labels::stands_with_its_own(seen, span, id, fact) {
            traced.mislabelled.push(seen.around(span.from));
        }
        if span.is_read {
            traced.stated.insert(id.to_owned());
        }
    }
    traced
}

fn is_figure(text: &str) -> bool {
    text.chars().all(|char| char.is_ascii_digit() || char == '-')
}

/// Of a domain or a data type.
fn is_name(fact: &str) -> bool {
    fact.rsplit_once('/').is_none_or(|(_, name)| name.starts_with("name:"))
}

/// Whether no word stands between a figure and another one, whatever that is of: spaces, line ends and signs are none. The
/// two days of a period may have a dash between them.
fn runs_on(seen: &Seen, at: usize, is_name: impl Fn(&Span) -> bool) -> bool {
    const WITHIN_NUMBERS: [char; 8] = [' ', '.', ',', '\'', '’', '\u{a0}', '\u{2009}', '\u{202f}'];
    let joins = |left: &Span, right: &Span| {
        let gap = &seen.text[left.to..right.from];
        let digits =
            seen.text_of(left).ends_with(char::is_numeric) && seen.text_of(right).starts_with(char::is_numeric);
        let days = [left, right].iter().all(|span| seen.text_of(span).contains('-'))
            && matches!(gap.trim(), "–" | "〜" | "～" | "—");
        // A name may have figures of its own, and stand before a colon, in another cell or line.
        let parted = (is_name(left) || is_name(right)) && !gap.trim_matches(WITHIN_NUMBERS).is_empty();
        digits && !gap.contains(char::is_alphabetic) && !days && !parted
    };
    let span = &seen.spans[at];
    let before = at.checked_sub(1).and_then(|before| seen.spans.get(before));
    before.is_some_and(|before| joins(before, span)) || seen.spans.get(at + 1).is_some_and(|after| joins(span, after))
}

/// Words behind a figure that make another number of it: `65 thousand`.
const SCALES: [&str; 30] = [
    "dozen",
    "dozens",
    "hundred",
    "thousand",
    "thousands",
    "million",
    "millions",
    "billion",
    "billions",
    "bn",
    "mn",
    "dutzend",
    "hundert",
    "tausend",
    "tsd",
    "mio",
    "millionen",
    "milliarde",
    "milliarden",
    "mrd",
    "cent",
    "cents",
    "mille",
    "milliers",
    "milliard",
    "milliards",
    "mil",
    "miles",
    "millón",
    "millones",
];

/// Whether a word or character that multiplies stands behind a figure, on its line.
fn is_scaled(seen: &Seen, span: &Span) -> bool {
    let behind = seen.text[span.to..].trim_start_matches(|char: char| {
        (char.is_whitespace() && char != '\n') || matches!(char, '-' | '\u{2010}' | '\u{2011}' | '(')
    });
    let word: String = behind.chars().take_while(|char| char.is_alphabetic()).collect();
    SCALES.contains(&word.to_lowercase().as_str())
        || behind.starts_with(['十', '百', '千', '万', '億', '兆', '拾', '萬', '仟'])
}

/// Whether a letter of a script with spaces, a mark that is drawn over the character before, or a sign that makes another
/// number of it touches a figure.
fn is_touched(seen: &Seen, span: &Span) -> bool {
    let before = seen.text[..span.from].chars().next_back();
    let after = seen.text[span.to..].chars().next();
    let letter = |char: char| char.is_alphanumeric() && !is_unspaced(char);
    before.is_some_and(|char| {
        letter(char) || matches!(char, '-' | '−' | '+' | '.' | ',' | '/' | '^' | '_' | '~' | '≈' | '<' | '>')
    }) || after
        .is_some_and(|char| letter(char) || is_drawn_over(char) || matches!(char, '%' | '‰' | '°' | '^' | '_' | '/'))
}

/// Japanese and Chinese write counters right behind figures.
fn is_unspaced(char: char) -> bool {
    matches!(char, '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}')
}

fn is_drawn_over(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe2f}')
}

/// Figures outside every mark, each once, but for those of a law by its name.
fn typed(seen: &Seen) -> Vec<String> {
    let (mut found, mut run_ends) = (Vec::new(), None);
    let mut spans = seen.spans.iter().peekable();
    for (at, char) in seen.text.char_indices().filter(|(_, char)| char.is_numeric()) {
        while spans.next_if(|span| span.to <= at).is_some() {}
        let filled_in = spans.peek().is_some_and(|span| span.from <= at);
        if filled_in || is_of_law(&seen.text, at) {
            continue;
        }
        // A figure is found by its first digit.
        if run_ends != Some(at) {
            found.push(seen.around(at));
        }
        run_ends = Some(at + char.len_utf8());
    }
    found
}

/// Whether the byte of a text is within the name of a law, as the table of obligations has it: `GDPR Art. 33(2)`, or
/// without what stands in brackets.
pub(super) fn is_of_law(text: &str, at: usize) -> bool {
    static LAWS: LazyLock<Vec<String>> = LazyLock::new(laws);
    let word = |char: char| char.is_alphanumeric();
    LAWS.iter().any(|law| {
        let from = at.saturating_sub(law.len());
        let from = (from..=at).find(|from| text.is_char_boundary(*from)).unwrap_or(at);
        text[from..].match_indices(law.as_str()).take_while(|(start, _)| from + start <= at).any(|(start, _)| {
            let (start, end) = (from + start, from + start + law.len());
            at < end && !text[..start].ends_with(word) && !text[end..].starts_with(word)
        })
    })
}

fn laws() -> Vec<String> {
    let Ok(law) = Law::builtin() else { return Vec::new() };
    let named = law.obligations().iter().flat_map(|row| row.law.split(';')).map(str::trim);
    let mut laws: Vec<String> = named
        .flat_map(|name| [Some(name), name.split_once('(').map(|(whole, _)| whole.trim_end())])
        .flatten()
        .filter(|name| name.contains(char::is_numeric) && name.contains(char::is_alphabetic))
        .map(str::to_owned)
        .collect();
    laws.sort();
    laws.dedup();
    laws
}
