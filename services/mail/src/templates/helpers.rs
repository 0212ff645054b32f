//! The only helpers of our templates: strict conditions, and quoting of somebody's words.
//!
//! Replaces handlebars' own `if` and `unless`, which take a misspelt path for false even in strict mode. Invariant: a
//! path that does not exist, a null and an object are errors here, so no statement appears or vanishes by a typo.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderErrorReason,
    Renderable,
};
use serde_json::Value;

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
