//! Content elements: what a block fulfils, and what the law check says of a template that lacks one.

use super::*;

/// The elements of a file, as it is linted.
fn tagged(name: &str) -> BTreeSet<String> {
    let (name, source) = set::SOURCES.iter().find(|(source, _)| *source == name).unwrap();
    lint::check(name, source).unwrap()
}

#[test]
fn a_notice_has_the_same_elements_in_each_part_and_language() {
    let first = tagged("notice/en.text");
    assert!(first.len() > 25);
    for language in Language::ALL {
        for part in [Part::Text, Part::Html] {
            assert_eq!(tagged(&set::name(Kind::Notice, language, part)), first, "{language} {part:?}");
        }
    }
    for id in STATED.into_iter().chain(["what_happened", "measures_taken", "sender_contact"]) {
        assert!(first.contains(id), "an incident can state {id}, and the notice has no place for it");
    }
}

pub(super) fn with(elements: &Elements, content: Content) -> Vec<&str> {
    elements.iter().filter(|(_, found)| *found == &content).map(|(id, _)| id.as_str()).collect()
}

#[test]
fn an_element_that_nothing_was_stated_of_is_empty_and_every_other_is_filled() {
    let templates = Templates::builtin().unwrap();
    for language in Language::ALL {
        let full = templates.render_notice(language, &sample("two domains, twenty types")).unwrap().elements;
        assert_eq!(with(&full, Content::Empty), Vec::<&str>::new());
        let bare = templates.render_notice(language, &sample("nothing stated, a supplement")).unwrap().elements;
        let mut silent: Vec<&str> = STATED.to_vec();
        silent.extend(["measures_taken", "sender_contact", "what_happened"]);
        silent.sort_unstable();
        assert_eq!(with(&bare, Content::Empty), silent);
        let unknown = templates.render_notice(language, &sample("nothing known")).unwrap().elements;
        let silent = ["affected_count", "data_types", "data_types_of_recipient", "password_change_direction"];
        assert_eq!(with(&unknown, Content::Empty), silent);
    }
}

/// What an English block for the cause says, in HTML and in text.
#[track_caller]
fn block(source: &str, expect: Content) {
    // Letters that are drawn as nothing.
    let hidden = "\u{3164}\u{115f}\u{ffa0}".repeat(20);
    let context = serde_json::json!({ "blank": " \u{200b}\u{a0}", "hidden": hidden, "tag": "<b>", "dot": ".", "words": "A wrong rule." });
    let context = Context::wraps(context).unwrap();
    let source = format!("{{{{#element \"cause\"}}}}{source}{{{{/element}}}}");
    let templates =
        Templates::compile([("notice/en.html", &*source), ("notice/en.text", &*source)].into_iter()).unwrap();
    for part in [Part::Html, Part::Text] {
        let said = templates.part(Kind::Notice, Language::En, part, &context).unwrap().said;
        assert_eq!(said["cause"], expect, "{source} in {part:?}");
    }
}

#[test]
fn a_block_says_something_only_in_words_or_figures() {
    let silent =
        ["", " {{blank}}\n", "{{dot}}", ".", "– … —", "{{tag}}", "n/a", "k. A.", "TBD", "xxx {{dot}}", "*** ", "a"];
    block("{{hidden}}", Content::Empty);
    silent.iter().for_each(|source| block(source, Content::Empty));
    let said = ["{{words}}", "No.", "なし", "An open port."];
    said.iter().for_each(|source| block(source, Content::Filled));
}

#[test]
fn bare_tags_say_nothing_in_html() {
    let context = Context::wraps(serde_json::json!({ "dot": "." })).unwrap();
    let source = "{{#element \"cause\"}}<p lang=\"en\">{{dot}}</p><table></table>{{/element}}";
    let templates = Templates::compile([("notice/en.html", source)].into_iter()).unwrap();
    let said = templates.part(Kind::Notice, Language::En, Part::Html, &context).unwrap().said;
    assert_eq!(said["cause"], Content::Empty);
}

#[test]
fn a_block_with_a_withheld_fact_says_which() {
    let templates = Templates::builtin().unwrap();
    let mut context = sample("one domain, one type");
    for name in ["emails", "type:every", "type"] {
        context.domains[0].withheld.push(name.to_owned());
    }
    context.domains[0].emails = 0;
    for language in Language::ALL {
        let elements = templates.render_notice(language, &context).unwrap().elements;
        let withheld = |name: &str| Content::Withheld(BTreeSet::from([name.to_owned()]));
        assert_eq!(elements["affected_count"], withheld("emails"), "{language}");
        assert_eq!(elements["data_types"], withheld("type"), "{language}");
        assert_eq!(elements["record_count"], Content::Filled, "{language}");
    }
}

/// A template without the blocks of one element.
pub(super) fn without(source: &str, element: &str) -> String {
    let opening = format!("{{{{#element \"{element}\"}}}}");
    let mut left = source.to_owned();
    while let Some(start) = left.find(&opening) {
        let (mut at, mut open) = (start + opening.len(), 1);
        while open > 0 {
            let next = at + left[at..].find("element").unwrap() + "element".len();
            let opens = left[..next].ends_with("{{#element");
            open = if opens {
                open + 1
            } else if left[..next].ends_with("{{/element") {
                open - 1
            } else {
                open
            };
            at = next;
        }
        left.replace_range(start..at + "}}".len(), "");
    }
    left
}

fn judged(templates: &Templates, context: &NoticeContext) -> BTreeMap<String, Vec<(law::Kind, String)>> {
    let letters = Language::ALL.into_iter().map(|tag| (tag, templates.render_notice(tag, context).unwrap().elements));
    let filled = Filled::new(letters.collect());
    let discovered_at = time("2027-06-01T08:00:00Z");
    let facts = Facts { discovered_at, events: BTreeMap::new(), told: Told::At(discovered_at), withheld: Vec::new() };
    let law = Law::builtin().unwrap();
    let refusals = |row| {
        let findings = law.check(row, &filled, &facts).into_iter().filter(|one| one.kind.refuses());
        findings.map(|one| (one.kind, one.element.unwrap_or_default())).collect()
    };
    law.obligations().iter().map(|row| (row.id.clone(), refusals(row))).collect()
}

#[test]
fn the_builtin_notice_fulfils_what_is_owed_to_organisations_but_for_a_list_of_persons() {
    let judged = judged(&Templates::builtin().unwrap(), &sample("two domains, twenty types"));
    for row in Law::builtin().unwrap().obligations().iter().filter(|row| row.is_to_organisations()) {
        let expect: &[(law::Kind, String)] = match row.id.as_str() {
            // Persons are held as keyed hashes: there is no list that a notice could print.
            "us-hipaa-410-associate" => &[(law::Kind::Missing, "affected_individuals_list".to_owned())],
            _ => &[],
        };
        assert_eq!(judged[&row.id], expect, "{}", row.id);
    }
}

#[test]
fn a_template_with_one_element_removed_is_caught_for_each_obligation_that_requires_it() {
    for element in tagged("notice/en.text") {
        let sources: Vec<(&str, String)> =
            set::SOURCES.iter().map(|(name, source)| (*name, without(source, &element))).collect();
        let templates = Templates::compile(sources.iter().map(|(name, source)| (*name, source.as_str()))).unwrap();
        let judged = judged(&templates, &sample("two domains, twenty types"));
        for row in Law::builtin().unwrap().obligations() {
            let caught = judged[&row.id].contains(&(law::Kind::Missing, element.clone()));
            assert_eq!(caught, row.elements.contains(&element), "{}: {element}", row.id);
        }
    }
}
