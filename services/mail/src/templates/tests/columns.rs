//! Text parts keep to 78 columns whatever names, types and statements are like.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::*;
use super::facts;

/// Words as people have them, one without a space, one in Japanese, one with marks.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Z][a-zäöüéñ]{1,20}( [A-Za-z&.'()-]{1,14}){0,12}",
        "[A-Za-z0-9._-]{60,140}",
        "[ァ-ヶ一-龠ー、。（）「」]{1,90}",
        "[A-Za-z]{1,30}( ?[一-龠]{1,10} ?[a-z]{1,12}){1,5}",
        "[>\\- ]{1,6}[a-z ]{1,120}",
    ]
}

fn domain() -> impl Strategy<Value = String> {
    "[a-z]{1,63}(\\.[a-z]{1,63}){0,2}\\.example"
}

fn context() -> impl Strategy<Value = NoticeContext> {
    (vec(name(), 5), vec(domain(), 1..3), vec(name(), 0..4)).prop_map(|(words, domains, types)| {
        let facts = |domain: &String| {
            let mut facts = facts(domain, 2);
            let count = |id: &String| model::notices::TypeCount { id: id.clone(), objects: 7 };
            facts.data_types.extend(types.iter().map(count));
            facts
        };
        let mut context = super::notice(domains.iter().map(facts).collect());
        let [tenant, vendor, title, summary, statement] = words.try_into().unwrap();
        context.tenant_name = tenant;
        (context.incident.vendor, context.incident.title, context.incident.summary) = (vendor, title, summary);
        context.incident.statements.insert("cause".to_owned(), statement);
        context
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_line_of_a_notice_that_could_be_broken_is_longer_than_78_columns(context in context()) {
        let templates = Templates::builtin().unwrap();
        for language in Language::ALL {
            let letter = templates.render_notice(language, &context).unwrap().letter;
            for line in letter.text.lines() {
                prop_assert!(output::columns(line) <= 78 || !output::can_be_broken(line), "{language}: {line}");
            }
            prop_assert!(!letter.subject.contains('\n'));
        }
    }
}
