//! The specificity check: a notice that keeps specific facts to itself, or states figures that are none, is not approved.
//!
//! Knows of each value in a letter where it is from, so that no digits pass for other ones. Invariant: every part of an
//! approved notice states every fact of it that is known, unless two people withhold it, and no figure of its templates'
//! own.

use mail::templates::Traced;
use model::language::Language;
use model::notices::DomainFacts;
use store::notices::Notice;

use super::stated::{silent, silent_of_domain};
use crate::AppError;

/// Refuses a notice whose letters do not state its facts, or state others.
pub(super) fn refuse_generic(
    notice: &Notice,
    slug: &str,
    domains: &[DomainFacts],
    letters: &[(Language, Traced)],
) -> Result<(), AppError> {
    for facts in domains {
        let without = |parts: Vec<String>, fact: String, name: &str| match parts.is_empty() {
            true => Ok(()),
            false => Err(unstated(notice, slug, &parts.join(" and "), &fact, name)),
        };
        without(silent_of_domain(letters, facts), facts.domain.clone(), "notice")?;
        for (name, _) in facts.stated() {
            without(silent(letters, facts, &name), facts.id_of(&name), &name)?;
        }
    }
    for (language, traced) in letters {
        for part in &traced.parts {
            let refuse = |words: &str, what: &str, hint: &str| {
                let (id, part) = (&notice.id, part.name);
                let what = format!("cannot approve notice {id}: {language} {part}, at `{words}`: {what}");
                Err(AppError::refused(what, hint))
            };
            if let Some(words) = part.typed.first() {
                let what = "a figure stands in the template's own words, and no fact proves it";
                return refuse(words, what, "fill it in with a field, or state it with `forthright incident state`");
            }
            if let Some(words) = part.joined.first() {
                return refuse(words, "two figures read as one", "put words between them in the template");
            }
        }
    }
    Ok(())
}

fn unstated(notice: &Notice, slug: &str, parts: &str, fact: &str, name: &str) -> AppError {
    let withheld_as = match name {
        "first_date" | "last_date" | "unknown:date" => "period",
        "unknown:type" => "types",
        "unknown:size" => "bytes",
        name => name,
    };
    AppError::refused(
        format!(
            "cannot approve notice {}: {parts} does not state {fact}, and nobody has signed for withholding it",
            notice.id
        ),
        format!(
            "name it in the template, or withhold it: `forthright notice withhold {slug} {} {withheld_as} --why … --review TIME`",
            notice.tenant_id
        ),
    )
}
