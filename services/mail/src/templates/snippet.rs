//! Snippets: passages of an answer, filled with the facts of the organisation that is answered.
//!
//! Keeps none of them. Invariant: a snippet reads the fields of a notice and no others, was linted and rendered with every
//! sample of a notice before it is kept, and what two people withhold is as blank in it as in a notice.

use model::language::Language;
use model::notices::NoticeContext;

use super::lint;
use super::set::Part;
use super::{
    Kind, Limits, PART_LIMIT, TemplateError, Templates, notice, output, own, registries, render, samples, wrap,
};

/// Passages that are always there, by name and language.
macro_rules! builtin {
    ($($name:literal: $($language:ident $tag:literal),+;)+) => {
        &[$($((
            $name,
            Language::$language,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/snippet/", $name, ".", $tag, ".hbs")),
        )),+),+]
    };
}

const BUILTIN: &[(&str, Language, &str)] = builtin! {
    "facts": En "en", De "de", Fr "fr", Es "es", Ja "ja";
    "unproven": En "en", De "de", Fr "fr", Es "es", Ja "ja";
};

/// The source of a built-in snippet: `facts` says all that is told; `unproven` says nothing of the organisation's.
pub fn builtin_snippet(name: &str, language: Language) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, of, _)| (*known, *of) == (name, language)).map(|(_, _, source)| *source)
}

impl Templates {
    /// A snippet as it can be kept: linted like a template of a notice, and rendered with every sample of one. Also what
    /// the samples gave, for those who look for links.
    pub fn check_snippet(
        &self,
        name: &str,
        language: Language,
        source: &[u8],
    ) -> Result<(String, Vec<String>), TemplateError> {
        let name = registered(name, language);
        let (source, _) = lint::check_whole(&name, Part::Text, source, own::shape_of(Kind::Notice)?)?;
        let mut texts = Vec::new();
        for (_, context) in samples::notices(&self.inner.labels) {
            let text = self.rendered_snippet(&name, language, &source, &context)?;
            if text.trim().is_empty() {
                return Err(TemplateError::Parts {
                    template: name,
                    why: "a snippet says something to everybody: it gives nothing for a sample",
                });
            }
            texts.push(text);
        }
        Ok((source, texts))
    }

    /// What a snippet says to one organisation.
    pub fn render_snippet(
        &self,
        name: &str,
        language: Language,
        source: &str,
        context: &NoticeContext,
    ) -> Result<String, TemplateError> {
        self.rendered_snippet(&registered(name, language), language, source, context)
    }

    fn rendered_snippet(
        &self,
        name: &str,
        language: Language,
        source: &str,
        context: &NoticeContext,
    ) -> Result<String, TemplateError> {
        lint::check(name, source)?;
        let (mut registry, _) = registries();
        registry.register_template_string(name, source).map_err(|error| super::not_compiled(name, error))?;
        if !registry.get_template(name).is_some_and(lint::is_plain) {
            return Err(super::not_plain(name));
        }
        let view = wrap(name, &notice::view(language, context, &self.inner.labels))?;
        let written = render(&registry, name, &view, &Limits::of_letters(PART_LIMIT))?;
        Ok(output::plain_text(&written.text).trim().to_owned())
    }
}

fn registered(name: &str, language: Language) -> String {
    format!("snippet {name}/{language}.text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_snippets_keep_to_the_rules_in_every_language() {
        let templates = Templates::builtin().unwrap();
        for name in ["facts", "unproven"] {
            for language in Language::ALL {
                let source = builtin_snippet(name, language).unwrap();
                templates.check_snippet(name, language, source.as_bytes()).unwrap();
            }
        }
    }

    #[test]
    fn the_snippet_for_the_unproven_names_nothing_of_the_organisation() {
        let templates = Templates::builtin().unwrap();
        for language in Language::ALL {
            let source = builtin_snippet("unproven", language).unwrap();
            for (_, context) in samples::notices(&templates.inner.labels) {
                let text = templates.render_snippet("unproven", language, source, &context).unwrap();
                assert!(!context.domains.iter().any(|facts| text.contains(&facts.domain)), "{text}");
                assert!(!text.contains(|letter: char| letter.is_ascii_digit()), "{text}");
            }
        }
    }

    fn refused(source: &str) -> String {
        let templates = Templates::builtin().unwrap();
        templates.check_snippet("mine", Language::En, source.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_misspelt_field_a_partial_and_silence_are_refused() {
        assert!(refused("We know {{objetcs}}.").contains("objetcs"));
        assert!(refused("{{> other}}").contains("snippet mine/en"));
        assert!(refused("{{#when supplements}}Only then.{{/when}}").contains("says something to everybody"));
    }
}
