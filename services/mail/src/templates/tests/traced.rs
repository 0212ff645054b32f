//! Where everything in a notice is from: whatever letter is written, its figures are facts and its facts are stated.

use std::sync::LazyLock;

use model::notices::{DomainFacts, TypeCount};
use model::withholding::FactName;
use proptest::prelude::*;

use super::super::*;
use super::{Language, facts, sample, samples};

/// Everything that is not as it should be in a notice: figures that are no facts, and facts that a part does not state.
fn faults(templates: &Templates, language: Language, context: &NoticeContext) -> Vec<String> {
    let traced = templates.trace_notice(language, context).unwrap();
    let rendered = templates.render_notice(language, context).unwrap();
    assert_eq!(traced.letter, rendered.letter, "marks change nothing");
    let mut faults = Vec::new();
    for part in &traced.parts {
        faults.extend(part.typed.iter().map(|words| format!("{} typed `{words}`", part.name)));
        faults.extend(part.joined.iter().map(|words| format!("{} joined `{words}`", part.name)));
        faults.extend(part.mislabelled.iter().map(|words| format!("{} mislabelled `{words}`", part.name)));
        if part.name == "subject" {
            continue;
        }
        for domain in &context.domains {
            let names = domain.stated().into_iter().map(|(name, _)| name);
            let kinds = domain.data_types.iter().map(|count| format!("name:{}", count.id));
            let ids = names.chain(kinds).map(|name| domain.id_of(&name)).chain([domain.domain.clone()]);
            faults.extend(ids.filter(|id| !part.states(id)).map(|id| format!("{} without {id}", part.name)));
        }
    }
    faults
}

#[test]
fn every_figure_of_every_sample_is_filled_in_and_every_fact_is_stated() {
    let templates = Templates::builtin().unwrap();
    for language in Language::ALL {
        for context in samples() {
            assert_eq!(faults(&templates, language, &context), Vec::<String>::new(), "{language}");
        }
    }
}

fn date() -> impl Strategy<Value = Option<String>> {
    proptest::option::of((1_990..2_030, 1..13, 1..29).prop_map(|(y, m, d)| format!("{y}-{m:02}-{d:02}")))
}

prop_compose! {
    fn domain()(
        name in "[a-z][a-z0-9]{0,9}[0-9]\\.(example|test)",
        figures in proptest::array::uniform8(0_i64..2_000_000),
        unknown in proptest::array::uniform3(0_i64..300),
        dates in (date(), date()),
        types in proptest::collection::btree_map("[a-z0-9 _]{1,9}[a-z]|invoice|api_key|cv", 1_i64..99_999, 0..5),
        withheld in proptest::collection::vec(proptest::sample::select(&model::withholding::NAMES[..]), 0..3),
    ) -> DomainFacts {
        let [rows, objects, emails, users, projects, bytes, ..] = figures;
        let data_types = types.into_iter().map(|(id, objects)| TypeCount { id: id.trim().to_owned(), objects }).collect();
        let [data_type, date, size] = unknown;
        let mut domain = DomainFacts {
            domain: name, rows, objects, emails, users, projects, bytes, data_types, first_date: dates.0, last_date: dates.1,
            unknown: model::notices::Unknown { data_type, date, size }, ..facts("contoso.example", 0)
        };
        let had = model::withholding::Had::of(&domain);
        withheld.iter().for_each(|name| drop(FactName::parse(name).unwrap().blank(&mut domain, &had)));
        domain
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn of_random_facts_every_figure_lies_within_a_mark_and_every_fact_is_stated(
        domains in proptest::collection::vec(domain(), 1..4),
        tenant in "[ -~]{1,20}[0-9\u{f0000}\u{100001}]",
        language in proptest::sample::select(&Language::ALL[..]),
    ) {
        let mut context = sample("one domain, one type");
        context.domains = domains;
        context.domains.dedup_by(|a, b| a.domain == b.domain);
        context.tenant_name = tenant;
        static TEMPLATES: LazyLock<Templates> = LazyLock::new(|| Templates::builtin().unwrap());
        prop_assert_eq!(faults(&TEMPLATES, language, &context), Vec::<String>::new());
    }
}

/// The built-in English notice with one passage in place of another, in the text or in the HTML.
fn instead(part: Part, old: &str, new: &str) -> Templates {
    let builtin = own::builtin(Kind::Notice, Language::En);
    let [text, html] = [builtin.text, builtin.html.unwrap()].map(|bytes| std::str::from_utf8(bytes).unwrap());
    let replaced = |wanted, source: &str| if part == wanted { source.replace(old, new) } else { source.to_owned() };
    let (new_text, new_html) = (replaced(Part::Text, text), replaced(Part::Html, html));
    assert!(new_text != text || new_html != html, "{old} is not there");
    let submitted = Submitted { text: new_text.as_bytes(), html: Some(new_html.as_bytes()), ..builtin };
    Templates::with(vec![Own::read(&submitted).unwrap()]).unwrap()
}

/// What a notice of a12.example with 12 objects, 9 of them invoices, lacks once a passage is replaced.
#[track_caller]
fn check(part: Part, old: &str, new: &str, expect: &[&str]) {
    let mut context = sample("one domain, one type");
    let domain = &mut context.domains[0];
    (domain.domain, domain.objects) = ("a12.example".to_owned(), 12);
    domain.data_types = vec![TypeCount { id: "invoice".to_owned(), objects: 9 }];
    assert_eq!(faults(&instead(part, old, new), Language::En, &context), expect, "{new}");
}

#[test]
fn a_template_that_keeps_facts_to_itself_or_types_figures_is_found_out() {
    let (text, html) = (Part::Text, Part::Html);
    // The figure stands in the domain's name still.
    check(text, "{{objects}} {{counted}}", "some objects", &[]);
    check(text, "{{objects}}", "some", &["text without a12.example/objects", "text without a12.example/type:invoice"]);
    check(html, "{{objects}}", "some", &["html without a12.example/objects", "html without a12.example/type:invoice"]);
    let alone = |part: &str| format!("{part} without a12.example/name:invoice");
    check(text, "{{label}}", "a kind", &["text mislabelled `- a kind: 9`", &alone("text")]);
    check(html, "{{label}}", "a kind", &["html mislabelled `a kind 9`", &alone("html")]);
    check(text, "{{name}}", "your domain", &["text without a12.example"]);
    check(text, "{{users}}", "some", &["text without a12.example/users"]);
    check(text, "{{unknown_size}}", "some", &["text without a12.example/unknown:size"]);
    // Typed, even where it is the figure of this organisation.
    check(text, "Users:", "12 users:", &["text typed `- 12 users: 58`"]);
    check(html, "Users", "１２ users", &["html typed `１２ users 58`"]);
    check(html, "<title>", "<title>12 files: ", &["html typed `12 files: Data about Contoso G`"]);
    check(text, "Users:", "GDPR Art. 33(2) users:", &[]);
    // Two figures that read as one.
    let objects = "- Objects: {{objects}}\n";
    check(
        text,
        objects,
        "- Objects: {{objects}} {{users}}\n",
        &["text joined `- Objects: 12 58`", "text joined `- Objects: 12 58`"],
    );
    check(
        text,
        objects,
        "- Objects: {{objects}}{{users}}\n",
        &["text joined `- Objects: 1258`", "text joined `- Objects: 1258`"],
    );
    check(
        html,
        "{{objects}}</td></tr>\n{{/element}}",
        "{{users}}<b>{{objects}}</b></td></tr>\n{{/element}}",
        &["html joined `Objects 5812`", "html joined `Objects 5812`"],
    );
}

/// What the built-in text says of objects, written otherwise: whether that is found out, and as what.
#[track_caller]
fn objects_as(line: &str, expect: Option<&str>) {
    let templates = instead(Part::Text, "- Objects: {{objects}}\n", &format!("{line}\n"));
    let faults = faults(&templates, Language::En, &sample("one domain, one type"));
    let found = ["joined", "mislabelled"].into_iter().find(|kind| faults.iter().any(|fault| fault.contains(kind)));
    assert_eq!(found, expect, "{line}: {faults:?}");
}

#[test]
fn a_figure_that_reads_as_part_of_another_number_or_of_a_word_is_found_out_however_it_is_held_apart() {
    for between in ["  ", "   ", "\u{2003}", " / ", " | ", "; ", " - ", ": ", "\n", " \u{200a}"] {
        objects_as(&format!("- Objects: {{{{objects}}}}{between}{{{{users}}}}"), Some("joined"));
    }
    // A rounded size is no fact, and a number all the same.
    objects_as("- Objects: {{objects}} {{size}}", Some("joined"));
    for touched in ["{{objects}}k", "x{{objects}}", "{{objects}}\u{336}", "-{{objects}}", "{{objects}}%"] {
        objects_as(&format!("- Objects: {touched}"), Some("joined"));
    }
    objects_as("- {{objects}} objects of {{users}} users", None);
    for scaled in ["thousand", "Tausend", "mille", "mil", "Mio.", "(thousand)", "\u{a0}million", "-thousand"] {
        objects_as(&format!("- Objects: {{{{objects}}}} {scaled}"), Some("joined"));
    }
    objects_as("- オブジェクト：{{objects}}千", Some("joined"));
    objects_as("- Objects: {{objects}} military files", None);
}

#[test]
fn figures_of_one_line_that_are_exchanged_are_found_out() {
    for exchanged in [
        "- Users and objects: {{objects}} and {{users}}",
        "- {{objects}} and {{users}} users and objects",
        "- {{objects}} users, {{users}} objects",
        "- Zaehlung A, B: {{objects}}, und {{users}}",
    ] {
        objects_as(exchanged, Some("mislabelled"));
    }
    objects_as("- {{objects}} objects, {{users}} users", None);
    objects_as("- Objects: {{objects}}, users: {{users}}", None);
}

#[test]
fn a_figure_with_the_name_of_another_fact_or_in_another_row_than_its_own_is_found_out() {
    objects_as("- Users: {{objects}}", Some("mislabelled"));
    objects_as("- {{objects}} e-mail addresses", Some("mislabelled"));
    objects_as("- Objects:\n{{objects}}\n", Some("mislabelled"));
    objects_as("- Files: {{objects}}", None);
    objects_as("- Zaehlung {{objects}}", None);
    let swapped = instead(Part::Html, ">Users<", ">Projects<");
    let faults = faults(&swapped, Language::En, &sample("one domain, one type"));
    assert!(faults.iter().any(|fault| fault.starts_with("html mislabelled")), "{faults:?}");
}

#[test]
fn a_fact_in_a_title_is_not_stated() {
    let builtin = own::builtin(Kind::Notice, Language::En);
    let html = std::str::from_utf8(builtin.html.unwrap()).unwrap();
    let title = "<title>{{#each domains}}{{objects}} {{/each}}</title>";
    let html = html.replace("{{objects}}", "some").replace("<title>Data", &format!("{title}<title>Data"));
    let own = Own::read(&Submitted { html: Some(html.as_bytes()), ..builtin }).unwrap();
    let templates = Templates::with(vec![own]).unwrap();
    let traced = templates.trace_notice(Language::En, &sample("one domain, one type")).unwrap();
    assert!(traced.parts[1].states("contoso.example/objects") && !traced.parts[2].states("contoso.example/objects"));
}
