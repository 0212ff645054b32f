//! A second look at what the compiler made of a template: the scan read the text, and could have read it differently.
//!
//! Refuses by kind of node alone. Invariant: a template that is rendered has no node that prints unescaped, includes,
//! decorates or branches, and calls no helper but ours.

use handlebars::Template;
use handlebars::template::{HelperTemplate, TemplateElement};

const BLOCKS: [&str; 4] = ["each", "when", "whenNot", "element"];

/// Whether every node is of a kind that the scan lets pass.
pub(in super::super) fn is_plain(template: &Template) -> bool {
    template.elements.iter().all(|element| match element {
        TemplateElement::RawString(_) | TemplateElement::Comment(_) => true,
        TemplateElement::Expression(helper) => {
            let prints = helper.params.is_empty() || helper.name.as_name() == Some("quote") && helper.params.len() == 1;
            prints && has_no_more(helper) && helper.template.is_none()
        }
        TemplateElement::HelperBlock(helper) => {
            helper.name.as_name().is_some_and(|name| BLOCKS.contains(&name))
                && helper.params.len() == 1
                && has_no_more(helper)
                && helper.template.as_ref().is_none_or(is_plain)
        }
        TemplateElement::HtmlExpression(_)
        | TemplateElement::DecoratorExpression(_)
        | TemplateElement::DecoratorBlock(_)
        | TemplateElement::PartialExpression(_)
        | TemplateElement::PartialBlock(_) => false,
        // Kinds that a later release of the compiler adds: none of them is known to be harmless.
        _ => false,
    })
}

fn has_no_more(helper: &HelperTemplate) -> bool {
    helper.hash.is_empty() && helper.block_param.is_none() && helper.inverse.is_none() && !helper.chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expect: bool) {
        assert_eq!(is_plain(&Template::compile(source).unwrap()), expect, "{source}");
    }

    #[test]
    fn only_what_the_scan_lets_pass_is_plain() {
        check("a {{!-- b --}}{{c}}{{d.e}}{{quote f}}{{#each g}}{{#when this}}{{this}}{{/when}}{{/each}}", true);
        check("{{#element \"cause\"}}{{#whenNot a}}b{{/whenNot}}{{/element}}", true);
        for source in [
            "{{{a}}}",
            "{{&a}}",
            "{{> a}}",
            "{{#> a}}b{{/a}}",
            "{{* a b}}",
            "{{#*inline \"a\"}}b{{/inline}}",
            "{{lookup a b}}",
            "{{quote a b=c}}",
            "{{#if a}}b{{/if}}",
            "{{#when a}}b{{else}}c{{/when}}",
            "{{#each a as |b|}}{{b}}{{/each}}",
            "{{#when a}}{{{b}}}{{/when}}",
        ] {
            check(source, false);
        }
    }
}
