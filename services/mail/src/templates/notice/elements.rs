//! What the vendor can state, by short names in each language: for sentences that say that a statement changed.
//!
//! Decides nothing. Invariant: whatever an incident can state has a name here.

use model::language::Language;
use model::notices::STATED;

const FIRST: [&str; 3] = ["what_happened", "measures_taken", "sender_contact"];

/// In the order of [`FIRST`] and [`STATED`].
fn names(language: Language) -> [&'static str; FIRST.len() + STATED.len()] {
    match language {
        Language::De => [
            "was geschehen ist",
            "was getan wurde",
            "wie der Absender zu erreichen ist",
            "wie es dazu kam",
            "Anlaufstelle für Datenschutzfragen",
            "wessen personenbezogene Daten es sind",
            "wann es geschah",
            "warum Sie erst jetzt davon hören",
            "Einschätzung des Schadensrisikos",
            "wahrscheinliche Folgen",
            "was geplant ist",
            "wann Sie wieder von uns hören",
            "wer sonst informiert wird",
            "ob es öffentlich gemacht wurde",
        ],
        Language::En => [
            "what happened",
            "what was done",
            "how to reach the sender",
            "how it came about",
            "contact for data protection questions",
            "whose personal data it is",
            "when it happened",
            "why you hear of it only now",
            "assessment of the risk of harm",
            "likely consequences",
            "what is planned",
            "when you hear from us next",
            "who else is told",
            "whether it was made public",
        ],
        Language::Es => [
            "qué ocurrió",
            "qué se hizo",
            "cómo contactar con el remitente",
            "cómo se produjo",
            "contacto para cuestiones de protección de datos",
            "de quién son los datos personales",
            "cuándo ocurrió",
            "por qué se les informa ahora",
            "valoración del riesgo de daños",
            "consecuencias probables",
            "qué está previsto",
            "cuándo volveremos a informarles",
            "a quién más se informa",
            "si se hizo público",
        ],
        Language::Fr => [
            "ce qui s’est passé",
            "ce qui a été fait",
            "comment joindre l’expéditeur",
            "comment cela s’est produit",
            "contact pour la protection des données",
            "personnes dont les données sont concernées",
            "quand cela s’est produit",
            "pourquoi vous ne l’apprenez que maintenant",
            "évaluation du risque de préjudice",
            "conséquences probables",
            "ce qui est prévu",
            "quand vous aurez d’autres nouvelles",
            "qui d’autre est informé",
            "si cela a été rendu public",
        ],
        Language::Ja => [
            "発生した事象",
            "講じた措置",
            "送信者への連絡方法",
            "発生の経緯",
            "データ保護に関する連絡先",
            "個人データの対象者",
            "発生した時期",
            "お知らせが今になった理由",
            "被害のおそれの評価",
            "想定される影響",
            "今後の予定",
            "次回のお知らせの時期",
            "ほかの通知先",
            "公表の有無",
        ],
    }
}

/// An element in words; one that this program does not know stands as it is named.
pub(super) fn name(language: Language, element: &str) -> &str {
    let at = FIRST.iter().chain(&STATED).position(|id| *id == element);
    at.map_or(element, |at| names(language)[at])
}

/// In place of words that nobody stated.
pub(super) fn not_stated(language: Language) -> &'static str {
    match language {
        Language::De => "keine Angabe",
        Language::En => "not stated",
        Language::Es => "sin indicar",
        Language::Fr => "non précisé",
        Language::Ja => "記載なし",
    }
}
