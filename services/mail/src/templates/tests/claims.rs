//! What a notice claims of its figures: complete only where they are, counted by the language's plural, and a correction.

use model::withholding::{FactName, Had};

use super::*;

#[test]
fn figures_are_called_complete_only_where_nothing_is_withheld_and_a_correction_is_called_one() {
    let templates = Templates::builtin().unwrap();
    let claims = [
        (Language::De, "sind vollständig", "nicht vollständig", "Berichtigung"),
        (Language::En, "are complete", "are not complete", "correction"),
        (Language::Es, "son completas y", "No son completas", "rectificación"),
        (Language::Fr, "sont complets et", "ne sont pas complets", "rectification"),
        (Language::Ja, "全体の数値であり", "全体の数値ではありません", "訂正"),
    ];
    assert_eq!(claims.map(|(language, ..)| language), Language::ALL);
    let open = sample("nothing stated, a supplement");
    // The sample with everything has withheld facts, and changes that correct.
    let NoticeContext { withheld, changes, why, .. } = sample("one domain, one type");
    let partly = NoticeContext { withheld, changes, why, ..open.clone() };
    for (language, complete, incomplete, correction) in claims {
        for (context, says, does_not) in [(&open, complete, incomplete), (&partly, incomplete, complete)] {
            let letter = templates.render_notice(language, context).unwrap().letter;
            for part in [letter.text.clone(), visible(letter.html.as_deref().unwrap())] {
                let part =
                    part.split_whitespace().collect::<Vec<_>>().join(if language == Language::Ja { "" } else { " " });
                assert!(part.contains(says) && !part.contains(does_not), "{language}: {part}");
            }
            assert_eq!(letter.subject.contains(correction), !context.changes.is_empty(), "{}", letter.subject);
        }
    }
}

#[test]
fn one_object_is_one_and_withheld_objects_have_no_number_in_the_first_lines() {
    let templates = Templates::builtin().unwrap();
    let mut context = sample("one domain, one type");
    context.domains[0].objects = 1;
    let text = |context: &NoticeContext| templates.render_notice(Language::En, context).unwrap().letter.text;
    contains(&text(&context), &["- Exposed: contoso.example: 1 object, among them"]);
    let had = Had::of(&context.domains[0]);
    FactName::parse("objects").unwrap().blank(&mut context.domains[0], &had);
    contains(&text(&context), &["- Exposed: contoso.example: objects (number: withheld), among them"]);
}
