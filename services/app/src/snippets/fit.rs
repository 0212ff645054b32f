//! Whether a passage is fit to be kept: finished, and, where it is for those who are not proven, without a fact.
//!
//! Reads templates and their words; knows nothing of an organisation. Invariant: no letter leaves with a gap that
//! somebody meant to fill in.

use model::mentions::mentions;

use crate::AppError;

/// The snippet that names nothing of an organisation's.
pub(crate) const UNPROVEN: &str = "unproven";
/// What it may be filled with.
const NO_FACTS: [&str; 3] = ["tenant_name", "title", "vendor"];
/// What people write where something is missing.
const GAPS: [&str; 6] = ["XXX", "___", "TODO", "TBD", "lorem ipsum", "Lorem ipsum"];
/// What begins a gap in brackets.
const BEGINS: [&str; 8] = ["insert", "your", "name", "date", "customer", "company", "fill", "tenant"];

/// Refuses a passage with gaps, one that says nothing, and facts for those who are not proven.
pub(super) fn refuse_unfit(name: &str, body: &str) -> Result<(), AppError> {
    let words = words(body);
    if let Some(gap) = gap(&words) {
        return Err(AppError::refused(
            format!("the snippet `{name}` is not finished: `{gap}`"),
            "write the words out, or use a field of notices, as in {{tenant_name}}: `forthright snippet show facts`",
        ));
    }
    if let Some(phrase) = crate::tickets::evasion(&words) {
        return Err(AppError::refused(
            format!("the snippet `{name}` says no more than \"{phrase}\": a generic text answers no question"),
            "say what is known, with the fields of notices: `forthright snippet show facts`",
        ));
    }
    match fact(body).filter(|_| name == UNPROVEN) {
        Some(fact) => Err(AppError::refused(
            format!("the snippet `{name}` is for those who are not proven, and states `{fact}`"),
            "leave facts, figures and addresses to another snippet; this one may use {{tenant_name}}, {{title}} and {{vendor}}",
        )),
        None => Ok(()),
    }
}

/// What a passage states that may not go to whoever asks: a field of facts, a figure, a host or an address.
pub(crate) fn fact(body: &str) -> Option<String> {
    if let Some(tag) = tags(body).into_iter().find(|tag| !NO_FACTS.contains(tag)) {
        return Some(format!("{{{{{tag}}}}}"));
    }
    let words = words(body);
    let named = mentions(&words);
    let figure = words.split_whitespace().find(|word| word.chars().any(char::is_numeric)).map(str::to_owned);
    named.addresses.into_iter().chain(named.hosts).chain(figure).next()
}

/// What stands between `{{` and `}}`.
fn tags(body: &str) -> Vec<&str> {
    body.split("{{")
        .skip(1)
        .map(|after| after.split("}}").next().unwrap_or_default().trim_matches(['{', '~', ' ']))
        .collect()
}

/// What stands outside.
fn words(body: &str) -> String {
    let mut parts = body.split("{{");
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        words.push_str(part.split_once("}}").map_or("", |(_, after)| after.trim_start_matches('}')));
    }
    words
}

fn gap(words: &str) -> Option<String> {
    if let Some(found) = GAPS.iter().find(|gap| words.contains(*gap)) {
        return Some((*found).to_owned());
    }
    [('[', ']'), ('<', '>'), ('{', '}'), ('«', '»')].into_iter().find_map(|(open, close)| {
        words.split(open).skip(1).find_map(|after| {
            let (inner, _) = after.split_once(close)?;
            let spoken = inner.chars().all(|c| c.is_alphanumeric() || " _-%.$".contains(c));
            let shouts = inner.chars().count() > 2
                && inner.chars().any(char::is_alphabetic)
                && !inner.chars().any(char::is_lowercase);
            let begins = BEGINS.iter().any(|word| inner.trim().to_lowercase().starts_with(word));
            let is_gap = match open {
                '{' | '<' => spoken && inner.chars().any(char::is_alphabetic),
                _ => spoken && (shouts || begins),
            };
            is_gap.then(|| format!("{open}{inner}{close}"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_with_a_gap_is_not_finished() {
        for body in [
            "Hi [NAME], we looked.",
            "Your case XXXX is open.",
            "We found <insert facts>.",
            "We found {% for x in y %}.",
            "Hello {name}.",
            "TODO",
        ] {
            assert!(gap(&words(body)).is_some(), "{body}");
        }
        for body in [
            "{{tenant_name}}: {{objects}} objects [sic].",
            "Write to <a@vendor.example>.",
            "A « quoted » word, 1 < 2 > 0.",
        ] {
            assert_eq!(gap(&words(body)), None, "{body}");
        }
    }

    #[test]
    fn the_passage_for_the_unproven_states_no_fact() {
        assert_eq!(fact("We have your question, {{tenant_name}}; see {{title}}."), None);
        for body in
            ["{{#each domains}}{{name}}{{/each}}", "You have 343 objects.", "Files of acme.example.", "{{code}}"]
        {
            assert!(fact(body).is_some(), "{body}");
        }
    }

    #[test]
    fn the_built_in_passages_are_fit() {
        for language in model::language::Language::ALL {
            for name in ["facts", UNPROVEN] {
                let body = mail::templates::builtin_snippet(name, language).unwrap();
                refuse_unfit(name, body).unwrap();
            }
        }
    }
}
