//! What a template may contain: paths, `each`, `when`, `whenNot`, `element`, `quote` and comments; nothing else.
//!
//! Looks at the text before the compiler sees it, because deep nesting and partials that include each other abort the
//! process. Invariant: whatever passes has no unescaped output, no partial, no decorator, no `else`, and at most
//! [`DEEPEST`] nested blocks.

use std::collections::BTreeSet;

use model::law::Law;

use super::TemplateError;

/// Blocks within blocks; our own templates need five.
const DEEPEST: usize = 8;

/// Whether a template keeps to the permitted language; the content elements that it has blocks for.
pub(super) fn check(template: &str, source: &str) -> Result<BTreeSet<String>, TemplateError> {
    let law = Law::builtin().map_err(TemplateError::Law)?;
    let mut elements = BTreeSet::new();
    let mut open: Vec<&str> = Vec::new();
    let mut rest = source;
    while let Some(start) = rest.find("{{") {
        let line = 1 + source[..source.len() - rest.len() + start].matches('\n').count();
        let refuse = |why: String| TemplateError::NotAllowed { template: template.to_owned(), line, why };
        rest = &rest[start + 2..];
        let (tag, after) = if rest.starts_with("!--") { rest.split_once("--}}") } else { rest.split_once("}}") }
            .ok_or_else(|| refuse("a tag is not closed".to_owned()))?;
        rest = after;
        if !tag.starts_with("!--") {
            let element = check_tag(tag, law, &mut open).map_err(|why| refuse(format!("{{{{{tag}}}}}: {why}")))?;
            elements.extend(element.map(str::to_owned));
        }
        if open.len() > DEEPEST {
            return Err(refuse(format!("more than {DEEPEST} blocks within each other")));
        }
    }
    let line = source.lines().count();
    match open.pop() {
        None => Ok(elements),
        Some(name) => {
            Err(TemplateError::NotAllowed { template: template.to_owned(), line, why: format!("`{name}` stays open") })
        }
    }
}

/// Whether a tag is permitted here; the element that it opens a block for.
fn check_tag<'a>(tag: &'a str, law: &Law, open: &mut Vec<&'a str>) -> Result<Option<&'a str>, &'static str> {
    if let Some(name) = tag.strip_prefix('/') {
        return if open.pop() == Some(name) { Ok(None) } else { Err("closes a block that is not the open one") };
    }
    if let Some(named) = tag.strip_prefix("#element ") {
        let quoted = named.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let id = quoted.ok_or("an element is named in double quotes")?;
        law.element(id).ok_or("no content element has that name")?;
        open.push("element");
        return Ok(Some(id));
    }
    let (helper, path) = match tag.strip_prefix('#') {
        Some(block) => {
            let (name, path) = block.split_once(' ').ok_or("a block needs a path")?;
            if !["each", "when", "whenNot"].contains(&name) {
                return Err("the blocks are each, when, whenNot and element");
            }
            open.push(name);
            (name, path)
        }
        None => tag.split_once(' ').unwrap_or(("", tag)),
    };
    match helper {
        "" | "each" | "when" | "whenNot" | "quote" if is_path(path) => Ok(None),
        "" | "each" | "when" | "whenNot" | "quote" => Err("this is no plain path"),
        _ => Err("the only helper is quote"),
    }
}

/// Names joined by dots (`advice.payment`, `this`), each of letters, digits and underscores; `else` is none.
fn is_path(path: &str) -> bool {
    let name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_')
    };
    path != "else" && path.split('.').all(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(source: &str, why: &str) {
        let error = check("notice/en.text", source).expect_err(source).to_string();
        assert!(error.contains(why), "{error}");
    }

    #[test]
    fn unescaped_output_is_refused_in_every_spelling() {
        refused("{{{name}}}", "no plain path");
        refused("{{&name}}", "no plain path");
        refused("{{{{raw}}}}{{{{/raw}}}}", "no plain path");
    }

    #[test]
    fn handlebars_own_conditions_and_else_are_refused() {
        refused("{{#if name}}{{/if}}", "the blocks are");
        refused("{{#unless name}}{{/unless}}", "the blocks are");
        refused("{{#each name}}{{else}}{{/each}}", "no plain path");
        refused("{{#when name}}{{^}}{{/when}}", "no plain path");
    }

    #[test]
    fn partials_decorators_and_other_helpers_are_refused() {
        refused("{{> other}}", "the only helper");
        refused("{{>other}}", "no plain path");
        refused("{{#> other}}{{/other}}", "the blocks are");
        refused("{{* inline}}", "the only helper");
        refused("{{lookup a b}}", "the only helper");
        refused("{{quote a b}}", "no plain path");
        refused("{{#each (lookup a b)}}{{/each}}", "no plain path");
    }

    #[test]
    fn an_element_is_named_in_quotes_and_exists() {
        let source = "{{#element \"cause\"}}{{#element \"who_caused\"}}x{{/element}}{{/element}}{{#element \"cause\"}}y{{/element}}";
        let elements = check("notice/en.text", source).unwrap();
        assert_eq!(elements.into_iter().collect::<Vec<_>>(), ["cause", "who_caused"]);
        refused("{{#element cause}}{{/element}}", "double quotes");
        refused("{{#element \"cause\" \"who_caused\"}}{{/element}}", "no content element");
        refused("{{#element \"casue\"}}{{/element}}", "no content element");
        refused("{{#element}}{{/element}}", "needs a path");
        refused("{{element \"cause\"}}", "the only helper");
    }

    #[test]
    fn blocks_must_close_in_order_and_not_nest_deep() {
        refused("{{#when a}}", "stays open");
        refused("{{#when a}}{{#each b}}{{/when}}{{/each}}", "not the open one");
        refused(&"{{#when a}}".repeat(1_200), "within each other");
        refused("one\ntwo {{name", "line 2");
    }
}
