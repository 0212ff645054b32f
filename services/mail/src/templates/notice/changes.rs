//! A change of facts in words, in each language.
//!
//! Compares nothing. Invariant: every sentence names its domain, and what was told beside what is.

use model::difference::{Change, What, Why};
use model::language::Language;

use super::{Labels, WithheldWords, both_forms, one_line};

/// One change as a sentence.
pub(super) fn sentence(language: Language, change: &Change, labels: &Labels) -> String {
    let domain = both_forms(&change.domain);
    let names = WithheldWords::of(language);
    let moved = |name: &str, after: &str, before: &str| match language {
        Language::De => format!("{domain}: {name}: {after} (bisher: {before})"),
        Language::En => format!("{domain}: {name}: {after} (before: {before})"),
        Language::Es => format!("{domain}: {name}: {after} (antes: {before})"),
        Language::Fr => format!("{domain} : {name} : {after} (auparavant : {before})"),
        Language::Ja => format!("{domain}：{name}：{after}（以前：{before}）"),
    };
    let count = |value: &Option<i64>| value.map_or_else(|| names.figure.to_owned(), |value| value.to_string());
    let dates = |value: &Option<(String, String)>| value.as_ref().map_or_else(|| names.figure.to_owned(), span);
    match &change.what {
        What::New => match language {
            Language::De => format!("{domain}: wird erstmals genannt"),
            Language::En => format!("{domain}: named here for the first time"),
            Language::Es => format!("{domain}: se menciona por primera vez"),
            Language::Fr => format!("{domain} : cité pour la première fois"),
            Language::Ja => format!("{domain}：今回初めて記載しました"),
        },
        What::Gone => match language {
            Language::De => format!("{domain}: gehört nicht zu Ihnen; was wir dazu schrieben, war falsch"),
            Language::En => format!("{domain}: is not yours; what we wrote about it was wrong"),
            Language::Es => format!("{domain}: no es suyo; lo que escribimos al respecto era erróneo"),
            Language::Fr => format!("{domain} : n’est pas à vous ; ce que nous en avions écrit était erroné"),
            Language::Ja => format!("{domain}：貴組織のものではありません。以前の記載は誤りでした"),
        },
        What::Cleared => match language {
            Language::De => format!("{domain}: Davon lag nichts offen; was wir dazu schrieben, war falsch"),
            Language::En => format!("{domain}: nothing of it was exposed; what we wrote about it was wrong"),
            Language::Es => format!("{domain}: nada suyo quedó expuesto; lo que escribimos al respecto era erróneo"),
            Language::Fr => format!("{domain} : rien n’en a été exposé ; ce que nous en avions écrit était erroné"),
            Language::Ja => format!("{domain}：閲覧可能な状態にはなっていませんでした。以前の記載は誤りでした"),
        },
        What::Figure { name, before, after } => moved(&one_line(names.name(name)), &count(after), &count(before)),
        What::Type { id, before, after } => moved(&labels.describe(language, id), &count(after), &count(before)),
        What::Period { before, after } => moved(names.name("period"), &dates(after), &dates(before)),
    }
}

fn span((first, last): &(String, String)) -> String {
    if first.is_empty() && last.is_empty() { "–".to_owned() } else { one_line(&format!("{first} – {last}")) }
}

/// Why facts changed, as a sentence.
pub(super) fn reason(language: Language, why: Why) -> &'static str {
    match (language, why) {
        (Language::De, Why::Records) => "Wir haben weitere Aufzeichnungen ausgewertet.",
        (Language::De, Why::TakenBack) => {
            "Wir haben Aufzeichnungen zurückgenommen, die nicht hätten gezählt werden dürfen."
        }
        (Language::De, Why::Disclosed) => "Wir teilen jetzt mit, was wir zurückgehalten hatten.",
        (Language::De, Why::Mapping) => "Wir haben Domains anderen Organisationen zugeordnet als bisher.",
        (Language::En, Why::Records) => "We have evaluated further records.",
        (Language::En, Why::TakenBack) => "We have taken back records that should not have been counted.",
        (Language::En, Why::Disclosed) => "We now tell you what we had withheld.",
        (Language::En, Why::Mapping) => "We have assigned domains to other organisations than before.",
        (Language::Es, Why::Records) => "Hemos evaluado más registros.",
        (Language::Es, Why::TakenBack) => "Hemos retirado registros que no debían haberse contado.",
        (Language::Es, Why::Disclosed) => "Ahora comunicamos lo que habíamos reservado.",
        (Language::Es, Why::Mapping) => "Hemos asignado dominios a otras organizaciones que antes.",
        (Language::Fr, Why::Records) => "Nous avons exploité d’autres enregistrements.",
        (Language::Fr, Why::TakenBack) => "Nous avons retiré des enregistrements qui n’auraient pas dû être comptés.",
        (Language::Fr, Why::Disclosed) => "Nous communiquons maintenant ce que nous n’avions pas communiqué.",
        (Language::Fr, Why::Mapping) => "Nous avons attribué des domaines à d’autres organisations qu’auparavant.",
        (Language::Ja, Why::Records) => "追加の記録を調査しました。",
        (Language::Ja, Why::TakenBack) => "集計すべきでなかった記録を取り除きました。",
        (Language::Ja, Why::Disclosed) => "これまで非開示としていた内容をお知らせします。",
        (Language::Ja, Why::Mapping) => "ドメインの帰属先を見直しました。",
    }
}
