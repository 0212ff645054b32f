//! The only helpers of our templates: strict conditions, content elements, and quoting of somebody's words.
//!
//! Replaces handlebars' own `if` and `unless`, which take a misspelt path for false even in strict mode. Invariant: a
//! path that does not exist, a null and an object are errors here, so no statement appears or vanishes by a typo.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderErrorReason,
    Renderable,
};
use serde_json::Value;

use super::output::can_be_seen;

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

/// The elements that a part says: those with a block in which something can be seen.
///
/// One for each rendering, shared with the helper of that rendering; handlebars asks helpers to be `Sync`.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<BTreeSet<String>>);

impl Said {
    fn add(&self, element: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(element.to_owned());
    }

    pub(super) fn into_elements(self) -> BTreeSet<String> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `{{#element "cause"}}…{{/element}}`: writes what stands in it, and notes the element if that can be seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) said: &'a Said,
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
        let mut watched = Watched { out, markup: self.markup, within_tag: false, seen: false };
        if let Some(template) = helper.template() {
            template.render(registry, context, render, &mut watched)?;
        }
        if watched.seen {
            self.said.add(element);
        }
        Ok(())
    }
}

/// Passes on what is written, and notes whether anything of it can be seen.
struct Watched<'a> {
    out: &'a mut dyn Output,
    markup: Markup,
    within_tag: bool,
    seen: bool,
}

impl Output for Watched<'_> {
    fn write(&mut self, text: &str) -> io::Result<()> {
        if !self.seen {
            for char in text.chars() {
                match char {
                    '<' if self.markup == Markup::Html => self.within_tag = true,
                    '>' if self.within_tag => self.within_tag = false,
                    visible if !self.within_tag && can_be_seen(visible) => self.seen = true,
                    _ => {}
                }
            }
        }
        self.out.write(text)
    }
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
        Value::String(text) => Some(!text.is_empty()),
        Value::Array(list) => Some(!list.is_empty()),
        Value::Null | Value::Object(_) => None,
    }
}

fn refusal(helper: &str, what: &str) -> RenderErrorReason {
    RenderErrorReason::Other(format!("`{helper}` {what}"))
}
