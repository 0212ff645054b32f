//! The specificity check: a notice that names only generic kinds while specific facts exist is not approved.
//!
//! Reads texts, not templates, so that it holds for whatever wrote them. Invariant: every domain, its objects and each of
//! its data types with their number stand in every part of an approved notice, unless two people withhold them.

use model::notices::DomainFacts;
use model::withholding::TYPE_OBJECTS;
use store::notices::{LetterRow, Notice};

use super::stated::Said;
use crate::AppError;

/// Refuses a notice that keeps specific facts to itself.
pub(super) fn refuse_generic(
    slug: &str,
    notice: &Notice,
    domains: &[DomainFacts],
    letters: &[LetterRow],
) -> Result<(), AppError> {
    for facts in domains {
        let hidden = |name: &str| facts.withheld.iter().any(|there| there == name);
        let mut wanted = Vec::new();
        if !hidden("objects") {
            wanted.push(("objects".to_owned(), facts.objects));
        }
        if !hidden("types") && !hidden(TYPE_OBJECTS) {
            wanted.extend(facts.data_types.iter().map(|count| (format!("type:{}", count.id), count.objects)));
        }
        for letter in letters {
            let said = Said::behind(letter, &facts.domain);
            let missing = wanted.iter().find_map(|(name, value)| {
                let parts = said.without(&value.to_string());
                (!parts.is_empty()).then(|| (name, parts.join(" and ")))
            });
            let (fact, place) = match missing {
                Some((name, parts)) => (format!("{}/{name}", facts.domain), parts),
                None if !letter.text.contains(&facts.domain) => {
                    (facts.domain.clone(), format!("{} text", letter.language))
                }
                None => continue,
            };
            return Err(AppError::refused(
                format!(
                    "cannot approve notice {}: {place} does not state {fact}, and nobody has signed for withholding it",
                    notice.id
                ),
                format!(
                    "name it in the template, or withhold it: `forthright notice withhold {slug} {} {fact} --why … --review TIME`",
                    notice.tenant_id
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use model::notices::{TypeCount, Unknown};

    use super::*;

    fn facts() -> DomainFacts {
        DomainFacts {
            domain: "acme.example".to_owned(),
            tenant_id: Some("t-1".to_owned()),
            rows: 1,
            objects: 17,
            emails: 0,
            users: 0,
            projects: 0,
            bytes: 0,
            first_date: None,
            last_date: None,
            data_types: vec![TypeCount { id: "invoice".to_owned(), objects: 12 }],
            unknown: Unknown::default(),
            withheld: Vec::new(),
        }
    }

    fn check(text: &str, facts: DomainFacts) -> Result<(), String> {
        let notice = Notice {
            id: "ntc_1".to_owned(),
            tenant_id: "t-1".to_owned(),
            kind: "initial".to_owned(),
            version: 1,
            state: "drafted".to_owned(),
            code: String::new(),
            facts_digest: String::new(),
            drafted_by: String::new(),
            approved_by: None,
            approved_digest: None,
            approved_ladder: None,
            released_at: None,
            earlier_at: None,
        };
        let letter = LetterRow {
            id: String::new(),
            notice_id: None,
            kind: "notice".to_owned(),
            language: "en".to_owned(),
            subject: String::new(),
            text: text.to_owned(),
            html: None,
            digest: String::new(),
        };
        refuse_generic("bluebleed", &notice, &[facts], &[letter]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_generic_text_is_refused_and_says_which_fact_it_keeps_to_itself() {
        assert_eq!(check("acme.example: 17 files, of these 12 invoices", facts()), Ok(()));
        let generic = check("Files of acme.example such as invoices were exposed.", facts()).unwrap_err();
        assert!(generic.contains("does not state acme.example/objects"), "{generic}");
        let half = check("acme.example: 17 files, invoices among them", facts()).unwrap_err();
        assert!(half.contains("does not state acme.example/type:invoice"), "{half}");
        assert!(check("17 files, 12 invoices", facts()).is_err(), "whose?");
    }

    #[test]
    fn what_is_withheld_need_not_be_stated() {
        let hidden = DomainFacts {
            objects: 0,
            data_types: Vec::new(),
            withheld: vec!["objects".to_owned(), "types".to_owned()],
            ..facts()
        };
        assert_eq!(check("acme.example: withheld", hidden), Ok(()));
    }
}
