//! The only helpers of our templates: strict conditions, content elements, and quoting of somebody's words.
//!
//! Replaces handlebars' own `if` and `unless`, which take a misspelt path for false even in strict mode. Invariant: a
//! path that does not exist, a null and an object are errors here, so no statement appears or vanishes by a typo.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderErrorReason,
    Renderable,
};
use model::law::{Content, Elements};
use serde_json::Value;

use super::marks;
use super::notice::{Origin, Origins};

/// `{{#when path}}…{{/when}}` and its opposite `{{#whenNot path}}…{{/whenNot}}`.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    Holds,
    HoldsNot,
}

impl HelperDef for When {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let holds = holds(only_parameter(helper)?.value())
            .ok_or_else(|| refusal(helper.name(), "takes a truth value, a number, a text or a list"))?;
        let wanted = match self {
            Self::Holds => true,
            Self::HoldsNot => false,
        };
        match helper.template() {
            Some(template) if holds == wanted => template.render(registry, context, render, out),
            _ => Ok(()),
        }
    }
}

/// The elements that a part has blocks for, and what these say.
///
/// One for each rendering, shared with the helper of that rendering; handlebars asks helpers to be `Sync`.
#[derive(Debug)]
pub(super) struct Said<'a> {
    /// Of the values that are marked.
    origins: &'a Origins,
    blocks: Mutex<BTreeMap<String, Content>>,
}

impl<'a> Said<'a> {
    pub(super) fn new(origins: &'a Origins) -> Self {
        Self { origins, blocks: Mutex::default() }
    }

    /// Of several blocks the fullest counts, and a withheld fact in any of them.
    fn add(&self, element: &str, content: Content) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let known = blocks.remove(element);
        blocks.insert(element.to_owned(), known.map_or(content.clone(), |known| fuller(known, content)));
    }

    pub(super) fn into_elements(self) -> Elements {
        self.blocks.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What two blocks of one element say.
fn fuller(one: Content, other: Content) -> Content {
    match (one, other) {
        (Content::Withheld(mut one), Content::Withheld(other)) => {
            one.extend(other);
            Content::Withheld(one)
        }
        (withheld @ Content::Withheld(_), Content::Filled | Content::Empty)
        | (Content::Filled | Content::Empty, withheld @ Content::Withheld(_)) => withheld,
        (Content::Filled, Content::Filled | Content::Empty) | (Content::Empty, Content::Filled) => Content::Filled,
        (Content::Empty, Content::Empty) => Content::Empty,
    }
}

/// `{{#element "cause"}}…{{/element}}`: writes what stands in it, and notes what it says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) said: &'a Said<'a>,
    pub(super) markup: Markup,
}

/// Whether `<…>` is a tag, which nobody sees. Values never are: HTML parts escape them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Markup {
    Html,
    Plain,
}

impl HelperDef for Element<'_> {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let element = only_parameter(helper)?.value().as_str().ok_or_else(|| refusal("element", "takes a name"))?;
        let mut watched = Watched::new(out, self.markup, self.said.origins);
        if let Some(template) = helper.template() {
            template.render(registry, context, render, &mut watched)?;
        }
        self.said.add(element, watched.into_content());
        Ok(())
    }
}

/// Letters and digits after which a block is taken to have words of substance.
const ENOUGH: usize = 24;

/// Passes on what is written, and notes what of it can be seen.
struct Watched<'a> {
    out: &'a mut dyn Output,
    markup: Markup,
    origins: &'a Origins,
    within_tag: bool,
    /// A character that is written by name, which is a sign and no letter.
    within_name: bool,
    within_withheld: bool,
    /// What can be seen, without the words for what is withheld, until it is enough.
    words: String,
    letters: usize,
    withheld: BTreeSet<String>,
}

impl<'a> Watched<'a> {
    fn new(out: &'a mut dyn Output, markup: Markup, origins: &'a Origins) -> Self {
        Self {
            out,
            markup,
            origins,
            within_tag: false,
            within_name: false,
            within_withheld: false,
            words: String::new(),
            letters: 0,
            withheld: BTreeSet::new(),
        }
    }

    fn see(&mut self, char: char) {
        match char {
            mark if marks::is_mark(mark) => {
                let begins = marks::begins(mark).and_then(|origin| self.origins.get(origin));
                self.within_withheld = matches!(begins, Some(Origin::Withheld(_)));
                if let Some(Origin::Withheld(name)) = begins {
                    self.withheld.insert(name.clone());
                }
            }
            '<' if self.markup == Markup::Html => self.within_tag = true,
            '>' if self.within_tag => {
                self.within_tag = false;
                self.words.push(' ');
            }
            '&' if self.markup == Markup::Html => self.within_name = true,
            of_name if self.within_name && (of_name.is_ascii_alphanumeric() || of_name == '#') => {}
            _ if self.within_name => {
                self.within_name = false;
                self.words.push(' ');
            }
            visible if !self.within_tag && !self.within_withheld && self.letters < ENOUGH => {
                self.letters += usize::from(visible.is_alphanumeric());
                self.words.push(visible);
            }
            _ => {}
        }
    }

    fn into_content(self) -> Content {
        match (self.withheld.is_empty(), self.letters >= ENOUGH || has_substance(&self.words)) {
            (false, _) => Content::Withheld(self.withheld),
            (true, true) => Content::Filled,
            (true, false) => Content::Empty,
        }
    }
}

impl Output for Watched<'_> {
    fn write(&mut self, text: &str) -> io::Result<()> {
        // Nothing that follows makes a block with enough words emptier; a withheld fact is known by its mark.
        if self.letters < ENOUGH || marks::are_in(text) {
            text.chars().for_each(|char| self.see(char));
        }
        self.out.write(text)
    }
}

/// Words that stand where words are to come.
const PLACEHOLDERS: [&str; 8] = ["tba", "tbc", "tbd", "todo", "xx", "xxx", "lorem", "ipsum"];

/// Whether there is a number, or a word of two letters that holds no place for another.
fn has_substance(text: &str) -> bool {
    text.split(|char: char| !char.is_alphanumeric()).any(|word| {
        let letters = word.chars().filter(|char| char.is_alphabetic()).count();
        let number = word.chars().any(char::is_numeric);
        number || letters > 1 && !PLACEHOLDERS.contains(&word.to_lowercase().as_str())
    })
}

/// `{{quote path}}`: every line of a text behind `> `. For text parts only: nothing is escaped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote;

impl HelperDef for Quote {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let Some(text) = only_parameter(helper)?.value().as_str() else {
            return Err(refusal("quote", "takes a text").into());
        };
        for (number, line) in text.trim().lines().enumerate() {
            let gap = if number == 0 { "" } else { "\n" };
            out.write(gap)?;
            out.write(if line.trim().is_empty() { ">" } else { "> " })?;
            out.write(line.trim_end())?;
        }
        Ok(())
    }
}

fn only_parameter<'a, 'rc>(helper: &'a Helper<'rc>) -> Result<&'a PathAndJson<'rc>, RenderErrorReason> {
    let [parameter] = helper.params().as_slice() else {
        return Err(refusal(helper.name(), "takes exactly one path"));
    };
    if parameter.is_value_missing() {
        return Err(RenderErrorReason::MissingVariable(parameter.relative_path().cloned()));
    }
    Ok(parameter)
}

fn holds(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::String(text) => Some(!text.is_empty() && !marks::is_zero(text)),
        Value::Array(list) => Some(!list.is_empty()),
        Value::Null | Value::Object(_) => None,
    }
}

fn refusal(helper: &str, what: &str) -> RenderErrorReason {
    RenderErrorReason::Other(format!("`{helper}` {what}"))
}
