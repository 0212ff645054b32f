//! What is said in each language's forms, and what is found in it.

use proptest::prelude::*;

use super::*;

fn facts() -> Facts {
    let owned = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let figures = [
        ("organisations", 65_000),
        ("objects", 1_648_458),
        ("emails", 335_000),
        ("users", 548_000),
        ("bytes", 2_400_512_000_000),
    ];
    Facts {
        figures: figures.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        discovered: "2022-09-24".to_owned(),
        dates: owned(&[("first document", "2017-03-01"), ("last document", "2022-08-30")]),
        types: vec![("invoice".to_owned(), 1_204), ("signed_customer_document".to_owned(), 88)],
        labels: owned(&[
            ("invoice", "Invoice"),
            ("invoice", "Rechnung"),
            ("signed_customer_document", "Signed customer document"),
            ("password_plain", "Password in clear text or reversible"),
            ("bank_account", "銀行口座番号"),
            ("other", "Other"),
        ]),
        withheld: vec!["users".to_owned()],
    }
}

#[track_caller]
fn check(text: &str, expect: &[(Kind, &str)]) {
    let found: Vec<(Kind, String)> =
        super::check(text, &facts()).into_iter().map(|one| (one.finding, one.said)).collect();
    let found: Vec<(Kind, &str)> = found.iter().map(|(kind, said)| (*kind, said.as_str())).collect();
    assert_eq!(found, expect, "{text}");
}

use Kind::{Contradicts, NotInFacts, Withheld};

#[test]
fn what_the_facts_say_is_never_listed_in_whatever_form() {
    for text in [
        "On 24 September 2022 we found that 1,648,458 files of 65,000 organisations were exposed (2.4 TB).",
        "Am 24. September 2022 wurde entdeckt: 1.648.458 Dateien von 65.000 Unternehmen, 2,4 TB.",
        "El 24 de septiembre de 2022: 1.648.458 archivos de 65 000 empresas, 1,6 millones de objetos.",
        "Le 24 septembre 2022 : 1 648 458 fichiers de 65\u{202f}000 entreprises, soit 2,4 To ; 335\u{a0}000 adresses électroniques.",
        "2022年9月24日に発見しました。65,000の組織の1,648,458件のファイル、オブジェクト：1,648,458、約165万件のファイル。",
        "September 24, 2022; 24/09/2022; 9/24/2022; 24.09.2022; 2022-09-24; September 2022; in 2022, documents of 2017.",
        "About 1.6 million objects, of these 1,204 invoices and 88 signed customer documents. Objects: 1648458",
        "Incident bb-2022-11, case A17, at 08:00 UTC.",
    ] {
        check(text, &[]);
    }
}

#[test]
fn another_number_beside_a_noun_contradicts_in_each_language() {
    check("We notified 66,000 organisations.", &[(Contradicts, "66,000")]);
    check("Betroffen sind 1.648.459 Dateien.", &[(Contradicts, "1.648.459")]);
    check("Se vieron 336.000 direcciones de correo.", &[(Contradicts, "336.000")]);
    check("Au total 1 700 000 fichiers.", &[(Contradicts, "1 700 000")]);
    check("170万件のファイルが露出しました。", &[(Contradicts, "170万")]);
    check("Objects: 12", &[(Contradicts, "12")]);
    check("The server held 3.1 TB.", &[(Contradicts, "3.1 TB")]);
    check("Among them were 1,205 invoices and 1.204 Rechnungen.", &[(Contradicts, "1,205")]);
    check("1.7 million objects", &[(Contradicts, "1.7 million")]);
}

#[test]
fn another_day_of_discovery_contradicts_and_other_days_are_asked_about() {
    check("We discovered it on 19 October 2022.", &[(Contradicts, "19 October 2022")]);
    check("Entdeckt wurde es am 25.09.2022.", &[(Contradicts, "25.09.2022")]);
    check("2022年9月25日に発見しました。", &[(Contradicts, "2022年9月25日")]);
    check("We write again by 15 October 2022.", &[(NotInFacts, "15 October 2022")]);
    check("Answers within 72 hours.", &[(NotInFacts, "72")]);
    check("5 % of them", &[(NotInFacts, "5")]);
}

#[test]
fn a_withheld_figure_and_a_data_type_that_nobody_found_are_refused() {
    check("548,000 users are named.", &[(Withheld, "548,000")]);
    check("None was a password in clear text or reversible.", &[(Contradicts, "Password in clear text or reversible")]);
    check("銀行口座番号が含まれます。", &[(Contradicts, "銀行口座番号")]);
    check("Other things.", &[]);
    let lines = super::check("fine\n\n12 objects\n", &facts());
    assert_eq!((lines[0].line, lines[0].detail.as_str()), (3, "the facts say objects 1648458"));
}

proptest! {
    #[test]
    fn any_text_is_read_to_its_end(text in "[0-9.,' a-z年月日万%:/\u{a0}é-]{0,40}") {
        for finding in super::check(&text, &facts()) {
            prop_assert_eq!(finding.line, 1);
        }
    }

    #[test]
    fn each_figure_is_recognised_with_each_mark_between_thousands(value in 0_i64..10_000_000) {
        let digits = value.to_string();
        let grouped = |mark: &str| {
            let mut out = String::new();
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at) % 3 == 0 {
                    out.push_str(mark);
                }
                out.push(digit);
            }
            out
        };
        let facts = Facts { figures: vec![("objects".to_owned(), value)], ..facts() };
        for mark in ["", ",", ".", " ", "\u{a0}", "\u{202f}", "’"] {
            let text = format!("{} objects", grouped(mark));
            prop_assert_eq!(super::check(&text, &facts), Vec::new(), "{}", text);
        }
    }
}
