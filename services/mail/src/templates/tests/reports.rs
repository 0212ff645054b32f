//! Texts for others than the organisations, written while something is withheld from everybody.

use super::super::*;
use super::{Labels, Language, ReportContext, contradictions_where, samples};

/// Kinds that the advice for other kinds names in passing, in some language.
const NAMED_IN_ADVICE: [&str; 10] = [
    "invoice",
    "product_order",
    "product_offer",
    "contract_terms",
    "signed_customer_document",
    "bank_account",
    "password_plain",
    "handwritten_signature",
    "medical_record",
    "child_data",
];

#[test]
fn no_text_tells_what_is_withheld_not_even_in_its_advice() {
    let (templates, labels) = (Templates::builtin().unwrap(), Labels::builtin().unwrap());
    let (_, every) = samples::reports(&labels).into_iter().find(|(name, _)| *name == "every data type").unwrap();
    for language in Language::ALL {
        for hidden in NAMED_IN_ADVICE {
            let told = every.types.iter().filter(|one| one.id != hidden).cloned().collect();
            let (letter, _) = templates
                .render_report(Kind::Support, language, &ReportContext { types: told, ..every.clone() })
                .unwrap();
            let found = contradictions_where(&letter.text, &every, &labels, vec![format!("type:{hidden}")]);
            assert!(found.is_empty(), "{language} {hidden}: {found:?}");
        }
    }
}
