//! Whether a person objects to a question being declined.
//!
//! Does not understand text: it looks for phrases. Invariant: in doubt yes, for what follows is that a question is open
//! again; nothing is ever closed by a phrase.

use std::sync::LazyLock;

use super::wrong_recipient::{Phrases, Said};

/// As folded (lower case, without accents, umlauts as two letters), of each language that letters are written in.
const OBJECTS: &[&str] = &[
    "object to",
    "objection",
    "objections",
    "we object",
    "i object",
    "do not accept",
    "don't accept",
    "cannot accept",
    "can't accept",
    "not acceptable",
    "unacceptable",
    "disagree",
    "do not agree",
    "don't agree",
    "appeal",
    "reconsider",
    "insist",
    "contest",
    "challenge",
    "good enough",
    "not enough",
    "not satisfied",
    "dissatisfied",
    "refuse",
    "widerspreche",
    "widersprechen",
    "widerspruch",
    "einspruch",
    "nicht einverstanden",
    "nicht akzeptabel",
    "nicht akzeptieren",
    "akzeptieren wir nicht",
    "akzeptiere ich nicht",
    "bestehen auf",
    "bestehe auf",
    "nicht hinnehmen",
    "nicht zufrieden",
    "unzufrieden",
    "reicht uns nicht",
    "reicht nicht",
    "conteste",
    "contestons",
    "opposition",
    "m'oppose",
    "nous opposons",
    "pas d'accord",
    "n'accepte pas",
    "n'acceptons pas",
    "inacceptable",
    "refusons",
    "contestation",
    "pas satisfaits",
    "insuffisant",
    "reconsiderer",
    "reclamation",
    "me opongo",
    "nos oponemos",
    "oposicion",
    "objecion",
    "objetamos",
    "no estoy de acuerdo",
    "no estamos de acuerdo",
    "no acepto",
    "no aceptamos",
    "inaceptable",
    "conformamos",
    "me conformo",
    "rechazamos",
    "insuficiente",
    "reconsideren",
    "impugnamos",
    "impugno",
    "異議",
    "異論",
    "不服",
    "承服",
    "納得できません",
    "納得いきません",
    "納得できない",
    "不十分",
    "納得がいきません",
    "同意できません",
    "受け入れられません",
    "再考",
    "再検討",
];

static OBJECTING: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(OBJECTS));

/// Whether a person's own words object to something.
pub fn says_objection(new_text: &str) -> bool {
    objects(&Said::new(new_text))
}

pub(super) fn objects(said: &Said) -> bool {
    said.any(&OBJECTING)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, objects: bool) {
        assert_eq!(says_objection(text), objects, "{text}");
    }

    #[test]
    fn an_objection_is_seen_in_five_languages() {
        check("We object to this decision.", true);
        check("Wir widersprechen Ihrer Ablehnung.", true);
        check("Nous ne sommes pas d’accord avec ce refus.", true);
        check("No estamos de acuerdo con esta decisión.", true);
        check("この判断に異議を申し立てます。", true);
    }

    #[test]
    fn plain_words_object_too() {
        check("That is not good enough.", true);
        check("Damit sind wir nicht zufrieden.", true);
        check("Nous refusons cette décision.", true);
        check("No nos conformamos con esa respuesta.", true);
        check("納得いきません。", true);
        check("We challenge this refusal.", true);
    }

    #[test]
    fn thanks_and_plain_words_are_no_objection() {
        check("Thank you, understood.", false);
        check("Which objects were exposed?", false);
        check("Vielen Dank für die Auskunft.", false);
        check("承知しました。ありがとうございます。", false);
    }
}
