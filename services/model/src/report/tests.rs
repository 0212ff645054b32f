//! What is said in each language's forms, and what is found in it.

use proptest::prelude::*;

use super::*;

mod sentences;
mod table;

fn facts() -> Facts {
    let owned = |list: &[(&str, &str)]| list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    let figures = [
        ("organisations", 65_000),
        ("tenants_affected", 61_208),
        ("notices_to_write", 60_877),
        ("unmapped_organisations", 3_512),
        ("organisation_rows", 4_900_123),
        ("objects", 1_648_458),
        ("objects_without_data_type", 17_400),
        ("emails", 335_000),
        ("users", 548_000),
        ("projects", 133_000),
        ("bytes", 2_400_512_000_000),
    ];
    Facts {
        figures: figures.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        discovered: "2022-09-24".to_owned(),
        dates: owned(&[("first document", "2017-03-01"), ("last document", "2022-08-30"), ("contained", "2022-09-26")]),
        types: vec![
            ("invoice".to_owned(), 1_204),
            ("signed_customer_document".to_owned(), 88),
            ("salary".to_owned(), 7),
        ],
        labels: owned(&[
            ("invoice", "Invoice"),
            ("invoice", "Rechnung"),
            ("invoice", "Factura"),
            ("invoice", "Facture"),
            ("invoice", "請求書"),
            ("signed_customer_document", "Signed customer document"),
            ("customer_email", "Customer e-mail"),
            ("password_plain", "Password in clear text or reversible"),
            ("bank_account", "銀行口座番号"),
            ("salary", "Salary, pension or benefits"),
            ("salary", "Gehalt, Rente oder Zusatzleistungen"),
            ("email_address", "E-mail address"),
            ("other", "Other"),
        ]),
        withheld: vec!["users".to_owned(), "references".to_owned(), "type:salary".to_owned()],
    }
}

/// What a text is found to say, without what is taken for granted in the table: (verdict, as it stands there).
fn found(text: &str) -> Vec<(Verdict, String)> {
    check(text, &facts()).into_iter().map(|one| (one.finding, one.said)).collect()
}

#[test]
fn a_finding_names_the_line_the_fact_and_what_the_facts_say() {
    let all = check("fine\n\n12 objects of about 65 thousand\norganisations\n", &facts());
    let lines: Vec<_> = all.iter().map(|one| (one.line, one.fact.as_str(), one.detail.as_str())).collect();
    assert_eq!(lines, [(3, "objects", "the facts say objects 1648458"), (3, "organisations", "")]);
}

#[test]
fn a_figure_that_is_withheld_is_not_told_by_what_is_said_of_it() {
    let all = check("548,001 users, 4,900,124 references", &facts());
    assert_eq!(all.iter().map(|one| one.finding).collect::<Vec<_>>(), [Verdict::Contradicts, Verdict::Contradicts]);
    assert!(all.iter().all(|one| !one.detail.contains("548") && !one.detail.contains("4900123")), "{all:?}");
}

#[test]
fn whoever_is_told_nothing_is_told_no_figure() {
    let facts = Facts { withheld: vec!["notice".to_owned()], ..facts() };
    assert_eq!(check("65,000 organisations", &facts)[0].finding, Verdict::Withheld);
    let facts = Facts { withheld: vec!["types".to_owned(), "period".to_owned()], ..facts };
    let all = check("Invoices of 1 March 2017.", &facts);
    assert_eq!(all.iter().map(|one| one.finding).collect::<Vec<_>>(), [Verdict::Withheld, Verdict::Withheld]);
}

#[test]
fn advice_that_is_given_names_no_fact_and_advice_for_what_is_withheld_does() {
    let verdicts = |text: &str, hidden: &str| -> Vec<Verdict> {
        let facts = Facts { withheld: vec![hidden.to_owned()], ..facts() };
        check(text, &facts).into_iter().map(|one| one.finding).collect()
    };
    let advice = "Warn the people whose addresses you use with us: expect mails that quote real projects, invoices or\n\
                  names, also in our name and long after this notice.";
    assert_eq!(verdicts(advice, "type:invoice"), []);
    assert_eq!(verdicts("Invoices were exposed, too.", "type:invoice"), [Verdict::Withheld]);
    assert_eq!(verdicts(advice, "notice"), [Verdict::Withheld], "nothing is told that calls for it");
    assert_eq!(verdicts(&advice.replace("expect", "await"), "type:invoice"), [Verdict::Withheld], "not word by word");
}

#[test]
fn a_number_that_is_hidden_is_found_in_words_of_any_kind_and_another_one_is_not() {
    let told = |text: &str| told(text, &facts()).map(|one| (one.line, one.said));
    assert_eq!(told("The police asked us to wait."), None);
    assert_eq!(told("We wait 14 days for 2 people."), None);
    assert_eq!(told("wait,\nas 548,000 users are too many"), Some((2, "548,000".to_owned())));
    assert_eq!(told("about 550,000 users"), Some((1, "550,000".to_owned())));
    assert_eq!(told("it is 548000, they say"), Some((1, "548000".to_owned())));
    assert_eq!(told("the 65,000 organisations know"), None, "nobody hides these");
    assert_eq!(told("The salaries are under seal."), Some((1, "salaries".to_owned())));
    let users = |text: &str, users: i64| {
        let figures = vec![("users".to_owned(), users)];
        super::told(text, &Facts { figures, ..facts() }).is_some()
    };
    for (fifteen, six) in [
        ("Fifteen users", "Six users"),
        ("Fünfzehn Nutzer", "Sechs Nutzer"),
        ("Quinze utilisateurs", "Six utilisateurs"),
        ("Quince usuarios", "Seis usuarios"),
        ("ユーザー十五人", "ユーザー六人"),
    ] {
        assert!(users(fifteen, 15) && users(six, 6), "{fifteen}, {six}");
        assert!(!users(fifteen, 99) && !users(six, 99), "{fifteen}, {six}");
    }
    let said = |text: &str| {
        let figures = vec![("users".to_owned(), 41)];
        super::told(text, &Facts { figures, ..facts() }).map(|one| one.said)
    };
    for (text, number) in [
        ("Forty-one users.", "Forty-one"),
        ("Einundvierzig Nutzer sind versiegelt.", "Einundvierzig"),
        ("Quarante et un utilisateurs.", "Quarante et un"),
        ("Cuarenta y un usuarios.", "Cuarenta y un"),
        ("四十一件は証拠です。", "四十一"),
    ] {
        assert_eq!(said(text).as_deref(), Some(number), "{text}");
    }
    assert!(users("elf", 11) && users("fifteen of them", 15), "without a noun");
}

#[test]
fn the_name_of_a_data_type_is_told_where_its_number_alone_is_withheld() {
    let hidden = |names: [&str; 2]| Facts { withheld: names.map(str::to_owned).to_vec(), ..facts() };
    let finding = |facts: &Facts| check("Invoices were exposed.", facts)[0].finding;
    assert_eq!(finding(&hidden(["objects", TYPE_OBJECTS])), Verdict::Agrees);
    assert_eq!(finding(&hidden(["types", UNKNOWN[0]])), Verdict::Withheld);
}

#[test]
fn what_is_asked_supposed_or_counts_nothing_names_no_fact() {
    for generic in [
        "We are checking whether invoices were exposed.",
        "Were invoices exposed?",
        "No invoices were exposed.",
        "The figure is 1204.",
        "About 65 thousand.",
        "Several kinds of documents were exposed.",
        "Passwords in clear text were found.",
    ] {
        assert_eq!(named(generic, &facts()), Vec::<String>::new(), "{generic}");
    }
    assert_eq!(named("The files contained invoices; ask us if you need them.", &facts()), ["type:invoice"]);
    assert_eq!(named("1,648,458 files, the oldest of 1 March 2017", &facts()), ["objects", "first document"]);
}

/// A number with a mark between its thousands.
fn grouped(value: i64, mark: &str) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push_str(mark);
        }
        out.push(digit);
    }
    out
}

/// In figures and characters: `164万8458`.
fn in_myriads(value: i64) -> String {
    let part = |value: i64, unit: &str| if value == 0 { String::new() } else { format!("{value}{unit}") };
    let text =
        [part(value / 100_000_000, "億"), part(value / 10_000 % 10_000, "万"), part(value % 10_000, "")].concat();
    if text.is_empty() { "0".to_owned() } else { text }
}

/// A sentence in each language that gives each figure its noun: (fact, sentence with `N`, marks between thousands).
const SENTENCES: [(&str, &str, &[&str]); 26] = [
    ("objects", "In all, N files were exposed.", &["", ","]),
    ("objects", "Insgesamt waren N Dateien betroffen.", &["", ".", "’"]),
    ("objects", "Au total, N fichiers ont été exposés.", &["", " ", "\u{a0}", "\u{202f}"]),
    ("objects", "En total quedaron expuestos N archivos.", &["", ".", " "]),
    ("objects", "合計でN件のファイルが公開されていました。", &["", ","]),
    ("organisations", "They name N organisations.", &["", ","]),
    ("organisations", "Sie nennen N Organisationen.", &["", "."]),
    ("organisations", "Elles concernent N organisations.", &["", "\u{202f}"]),
    ("organisations", "Afectan a N organizaciones.", &["", "."]),
    ("organisations", "Nの組織が影響を受けました。", &["", ","]),
    ("emails", "Among them were N e-mail addresses.", &["", ","]),
    ("emails", "Darunter waren N E-Mail-Adressen.", &["", "."]),
    ("emails", "Parmi elles, N adresses électroniques.", &["", "\u{a0}"]),
    ("emails", "Entre ellas, N direcciones de correo electrónico.", &["", "."]),
    ("emails", "メールアドレスはN件でした。", &["", ","]),
    ("projects", "N projects", &["", ","]),
    ("projects", "Projekte: N", &["", "."]),
    ("projects", "Projets : N", &["", "\u{202f}"]),
    ("projects", "Proyectos: N", &["", "."]),
    ("projects", "プロジェクト：N件", &["", ","]),
    ("bytes", "N bytes in total", &["", ","]),
    ("bytes", "N octets au total", &["", "\u{a0}"]),
    ("type:invoice", "N invoices", &["", ","]),
    ("type:invoice", "N Rechnungen", &["", "."]),
    ("type:invoice", "N facturas", &["", "."]),
    ("type:invoice", "請求書N件", &["", ","]),
];

proptest! {
    #[test]
    fn any_text_is_read_to_its_end(text in "[0-9.,' a-zA-Z年月日万三千件のファイル%:;/()\n\u{a0}é-]{0,60}") {
        let lines = text.matches('\n').count() + 1;
        for finding in check(&text, &facts()) {
            prop_assert!(finding.line <= lines && !finding.said.is_empty(), "{:?}", finding);
        }
    }

    #[test]
    fn each_figure_agrees_in_each_languages_form_and_one_beside_it_contradicts(
        value in prop_oneof![0_i64..3_000, 3_000_i64..10_000_000], at in 0..SENTENCES.len(), up in any::<bool>(),
    ) {
        let (name, sentence, marks) = SENTENCES[at];
        let mut facts = facts();
        facts.withheld.clear();
        match name.strip_prefix("type:") {
            // The figure of this one alone: another could be the same by chance.
            Some(id) => facts.types = vec![(id.to_owned(), value)],
            None => (facts.figures, facts.types) = (vec![(name.to_owned(), value)], Vec::new()),
        }
        let wrong = if up || value == 0 { value + 1 } else { value - 1 };
        let mut forms: Vec<(String, String)> = marks.iter().map(|mark| (grouped(value, mark), grouped(wrong, mark))).collect();
        if !sentence.is_ascii() && sentence.contains('件') {
            forms.push((in_myriads(value), in_myriads(wrong)));
        }
        for (right, wrong) in forms {
            let verdicts = |number: &str| -> Vec<(Verdict, String)> {
                let text = sentence.replace('N', number);
                let read = check(&text, &facts).into_iter();
                read.filter(|one| one.said.contains(|char: char| char.is_ascii_digit())).map(|one| (one.finding, one.fact)).collect()
            };
            prop_assert_eq!(verdicts(&right), vec![(Verdict::Agrees, name.to_owned())], "{}", sentence.replace('N', &right));
            let found = verdicts(&wrong);
            // `5万` is rounded, and says so.
            let rounds = wrong.ends_with('万') && found.iter().all(|(verdict, _)| *verdict == Verdict::Rounds);
            prop_assert!(rounds || found == vec![(Verdict::Contradicts, name.to_owned())], "{}: {:?}", sentence.replace('N', &wrong), found);
        }
    }

    #[test]
    fn the_day_of_the_discovery_agrees_in_each_languages_form_and_the_next_one_contradicts(
        day in 1_u32..28, month in 1_usize..=12, form in 0..9_usize,
    ) {
        const NAMES: [[&str; 12]; 4] = [
            ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
            ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
            ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
            ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
        ];
        let name = |language: usize| NAMES[language][month - 1];
        let text = |day: u32| match form {
            0 => format!("We discovered this on {day} {} 2021.", name(0)),
            1 => format!("On {} {day}, 2021 it was discovered.", name(0)),
            2 => format!("Entdeckt wurde es am {day}. {} 2021.", name(1)),
            3 => format!("Découvert le {day} {} 2021.", name(2)),
            4 => format!("Descubierto el {day} de {} de 2021.", name(3)),
            5 => format!("2021年{month}月{day}日に発見しました。"),
            6 => format!("Discovered: 2021-{month:02}-{day:02} 08:00 UTC"),
            7 => format!("Am {day:02}.{month:02}.2021 festgestellt."),
            _ => format!("令和3年{month}月{day}日に検知しました。"),
        };
        let discovered = format!("2021-{month:02}-{day:02}");
        let facts = Facts { discovered, dates: Vec::new(), ..facts() };
        let verdict = |day: u32| check(&text(day), &facts).into_iter().map(|one| one.finding).collect::<Vec<_>>();
        prop_assert_eq!(verdict(day), vec![Verdict::Agrees], "{}", text(day));
        prop_assert_eq!(verdict(day + 1), vec![Verdict::Contradicts], "{}", text(day + 1));
    }
}
