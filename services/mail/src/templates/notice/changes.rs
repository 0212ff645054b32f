//! A change of facts in words, in each language.
//!
//! Compares nothing. Invariant: every sentence names its domain, if it has one, and what was told beside what is.

use model::difference::{Change, Lately, What, Why, Withholding};
use model::language::Language;

use super::elements;
use super::{Labels, WithheldWords, both_forms, one_line};

/// One change as a sentence.
pub(super) fn sentence(language: Language, change: &Change, labels: &Labels) -> String {
    let domain = both_forms(&change.domain);
    let names = WithheldWords::of(language);
    let of_domain = |name: &str| match (change.domain.is_empty(), language) {
        (true, _) => name.to_owned(),
        (false, Language::De | Language::En | Language::Es) => format!("{domain}: {name}"),
        (false, Language::Fr) => format!("{domain} : {name}"),
        (false, Language::Ja) => format!("{domain}：{name}"),
    };
    let moved = |name: &str, after: &str, before: &str| {
        let (name, then) = (of_domain(name), then(language, change.lately));
        match language {
            Language::De => format!("{name}: {after} (bisher: {before}{then})"),
            Language::En => format!("{name}: {after} (before: {before}{then})"),
            Language::Es => format!("{name}: {after} (antes: {before}{then})"),
            Language::Fr => format!("{name} : {after} (auparavant : {before}{then})"),
            Language::Ja => format!("{name}：{after}（以前：{before}{then}）"),
        }
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
        What::Again => match language {
            Language::De => format!("{domain}: wird hier wieder genannt"),
            Language::En => format!("{domain}: named here again"),
            Language::Es => format!("{domain}: se menciona de nuevo"),
            Language::Fr => format!("{domain} : cité de nouveau"),
            Language::Ja => format!("{domain}：今回再び記載しました"),
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
        What::Unlisted => match language {
            Language::De => format!("{domain}: wird hier nicht mehr genannt; was wir dazu schrieben, gilt nicht mehr"),
            Language::En => {
                format!("{domain}: is no longer listed here; what we wrote about it does not hold any more")
            }
            Language::Es => format!("{domain}: ya no figura aquí; lo que escribimos al respecto ya no es válido"),
            Language::Fr => format!("{domain} : ne figure plus ici ; ce que nous en avions écrit n’est plus valable"),
            Language::Ja => format!("{domain}：記載の対象から外れました。以前の記載は無効です"),
        },
        What::Figure { name, before, after } => moved(&one_line(names.name(name)), &count(after), &count(before)),
        What::Type { id, before, after } => moved(&labels.describe(language, id), &count(after), &count(before)),
        What::Period { before, after } => moved(names.name("period"), &dates(after), &dates(before)),
        What::Stated { element, before, after } => {
            let words = |text: &Option<String>| match text {
                Some(text) => quoted(language, &one_line(text)),
                None => elements::not_stated(language).to_owned(),
            };
            moved(elements::name(language, element), &words(after), &words(before))
        }
        What::Withheld { fact, now } => {
            let name = of_domain(names.name(fact));
            match language {
                Language::Ja => format!("{name}：{}", became(language, *now)),
                Language::Fr => format!("{name} : {}", became(language, *now)),
                Language::De | Language::En | Language::Es => format!("{name}: {}", became(language, *now)),
            }
        }
    }
}

/// What stands behind a value that was told, and then withheld.
fn then(language: Language, lately: Lately) -> &'static str {
    match (lately, language) {
        (Lately::Told, _) => "",
        (Lately::Withheld { .. }, Language::De) => ", dann zurückgehalten",
        (Lately::Withheld { .. }, Language::En) => ", then withheld",
        (Lately::Withheld { .. }, Language::Es) => ", después reservado",
        (Lately::Withheld { .. }, Language::Fr) => ", puis non communiqué",
        (Lately::Withheld { .. }, Language::Ja) => "、その後は非開示",
    }
}

/// The vendor's words, so that it is seen where they end.
fn quoted(language: Language, words: &str) -> String {
    match language {
        Language::De => format!("„{words}“"),
        Language::En => format!("“{words}”"),
        Language::Es => format!("«{words}»"),
        Language::Fr => format!("« {words} »"),
        Language::Ja => format!("「{words}」"),
    }
}

/// What became of a withholding.
fn became(language: Language, now: Withholding) -> &'static str {
    match (language, now) {
        (Language::De, Withholding::Begun) => "wird jetzt zurückgehalten",
        (Language::De, Withholding::Changed) => {
            "wird weiter zurückgehalten; der Grund oder der Tag der Überprüfung ist neu"
        }
        (Language::De, Withholding::Ended) => "wird nicht mehr zurückgehalten",
        (Language::En, Withholding::Begun) => "withheld from now on",
        (Language::En, Withholding::Changed) => "still withheld; the reason or the day of the review is new",
        (Language::En, Withholding::Ended) => "not withheld any more",
        (Language::Es, Withholding::Begun) => "reservado a partir de ahora",
        (Language::Es, Withholding::Changed) => "sigue reservado; el motivo o el día de la revisión es nuevo",
        (Language::Es, Withholding::Ended) => "ya no está reservado",
        (Language::Fr, Withholding::Begun) => "non communiqué à partir de maintenant",
        (Language::Fr, Withholding::Changed) => "toujours non communiqué ; le motif ou le jour du réexamen a changé",
        (Language::Fr, Withholding::Ended) => "n’est plus exclu de nos communications",
        (Language::Ja, Withholding::Begun) => "今回から非開示としました",
        (Language::Ja, Withholding::Changed) => "引き続き非開示です（理由または見直しの日が変わりました）",
        (Language::Ja, Withholding::Ended) => "非開示の扱いを終えました",
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
        (Language::De, Why::Mapping) => "Wir haben geändert, welche Domains zu welcher Organisation gehören.",
        (Language::De, Why::Stated) => "Wir haben geändert, was wir zu dem Vorfall mitteilen.",
        (Language::De, Why::Withheld) => "Wir haben neu entschieden, was wir zurückhalten; warum, steht unten.",
        (Language::En, Why::Records) => "We have evaluated further records.",
        (Language::En, Why::TakenBack) => "We have taken back records that should not have been counted.",
        (Language::En, Why::Disclosed) => "We now tell you what we had withheld.",
        (Language::En, Why::Mapping) => "We have changed which domains belong to which organisation.",
        (Language::En, Why::Stated) => "We have changed what we state about the incident.",
        (Language::En, Why::Withheld) => "We have decided anew what we withhold; the reasons stand below.",
        (Language::Es, Why::Records) => "Hemos evaluado más registros.",
        (Language::Es, Why::TakenBack) => "Hemos retirado registros que no debían haberse contado.",
        (Language::Es, Why::Disclosed) => "Ahora comunicamos lo que habíamos reservado.",
        (Language::Es, Why::Mapping) => "Hemos cambiado qué dominios pertenecen a qué organización.",
        (Language::Es, Why::Stated) => "Hemos cambiado lo que declaramos sobre el incidente.",
        (Language::Es, Why::Withheld) => "Hemos decidido de nuevo qué reservamos; los motivos figuran más abajo.",
        (Language::Fr, Why::Records) => "Nous avons exploité d’autres enregistrements.",
        (Language::Fr, Why::TakenBack) => "Nous avons retiré des enregistrements qui n’auraient pas dû être comptés.",
        (Language::Fr, Why::Disclosed) => "Nous communiquons maintenant ce que nous n’avions pas communiqué.",
        (Language::Fr, Why::Mapping) => "Nous avons modifié l’attribution des domaines aux organisations.",
        (Language::Fr, Why::Stated) => "Nous avons modifié ce que nous déclarons au sujet de l’incident.",
        (Language::Fr, Why::Withheld) => {
            "Nous avons décidé à nouveau de ce que nous ne communiquons pas ; les motifs figurent ci-dessous."
        }
        (Language::Ja, Why::Records) => "追加の記録を調査しました。",
        (Language::Ja, Why::TakenBack) => "集計すべきでなかった記録を取り除きました。",
        (Language::Ja, Why::Disclosed) => "これまで非開示としていた内容をお知らせします。",
        (Language::Ja, Why::Mapping) => "ドメインの帰属先を見直しました。",
        (Language::Ja, Why::Stated) => "事案についてお伝えする内容を改めました。",
        (Language::Ja, Why::Withheld) => "非開示とする内容を改めて決定しました。理由は下に記載しています。",
    }
}
