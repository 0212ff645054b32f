//! The words for what is withheld, in each language.
//!
//! Decides nothing. Invariant: whatever `model::withholding` can name has a name for readers here.

use model::language::Language;
use model::withholding::Withheld;

use super::both_forms;

/// The words of one language.
pub(super) struct WithheldWords {
    /// In place of a figure.
    pub(super) figure: &'static str,
    /// For each fact, by the order of [`FACTS`].
    names: [&'static str; FACTS.len()],
}

/// The names that `model::withholding` gives to facts, `type` for one data type.
const FACTS: [&str; 13] = [
    "references",
    "objects",
    "emails",
    "users",
    "projects",
    "bytes",
    "period",
    "types",
    "type",
    "type_objects",
    "unknown_type",
    "unknown_date",
    "unknown_size",
];

impl WithheldWords {
    pub(super) fn of(language: Language) -> Self {
        match language {
            Language::De => Self {
                figure: "wird zurückgehalten",
                names: [
                    "Zahl der Verweise",
                    "Zahl der Objekte",
                    "Zahl der E-Mail-Adressen",
                    "Zahl der Benutzer",
                    "Zahl der Projekte",
                    "Größe",
                    "Daten der Dokumente",
                    "alle Datenarten",
                    "eine Datenart",
                    "Objekte je Datenart",
                    "Objekte, deren Datenart nicht bekannt ist",
                    "Objekte, deren Dokumentdatum nicht bekannt ist",
                    "Objekte, deren Größe nicht bekannt ist",
                ],
            },
            Language::En => Self {
                figure: "withheld",
                names: [
                    "number of references",
                    "number of objects",
                    "number of e-mail addresses",
                    "number of users",
                    "number of projects",
                    "size",
                    "document dates",
                    "all data types",
                    "a data type",
                    "objects of each data type",
                    "objects whose data type is not known",
                    "objects whose document date is not known",
                    "objects whose size is not known",
                ],
            },
            Language::Es => Self {
                figure: "reservado",
                names: [
                    "número de referencias",
                    "número de objetos",
                    "número de direcciones de correo electrónico",
                    "número de usuarios",
                    "número de proyectos",
                    "tamaño",
                    "fechas de los documentos",
                    "todos los tipos de datos",
                    "un tipo de datos",
                    "objetos de cada tipo de datos",
                    "objetos cuyo tipo de datos no se conoce",
                    "objetos cuya fecha de documento no se conoce",
                    "objetos cuyo tamaño no se conoce",
                ],
            },
            Language::Fr => Self {
                figure: "non communiqué",
                names: [
                    "nombre de références",
                    "nombre d'objets",
                    "nombre d'adresses électroniques",
                    "nombre d'utilisateurs",
                    "nombre de projets",
                    "taille",
                    "dates des documents",
                    "tous les types de données",
                    "un type de données",
                    "objets de chaque type de données",
                    "objets dont le type de données n'est pas connu",
                    "objets dont la date de document n'est pas connue",
                    "objets dont la taille n'est pas connue",
                ],
            },
            Language::Ja => Self {
                figure: "非開示",
                names: [
                    "参照の数",
                    "オブジェクトの数",
                    "メールアドレスの数",
                    "ユーザーの数",
                    "プロジェクトの数",
                    "サイズ",
                    "文書の日付",
                    "すべてのデータの種類",
                    "データの種類の一つ",
                    "データの種類ごとのオブジェクトの数",
                    "データの種類が不明なオブジェクトの数",
                    "文書の日付が不明なオブジェクトの数",
                    "サイズが不明なオブジェクトの数",
                ],
            },
        }
    }

    /// A fact in words; one that this program does not know stands as it is named.
    pub(super) fn name<'a>(&self, fact: &'a str) -> &'a str {
        FACTS.iter().position(|name| *name == fact).map_or(fact, |at| self.names[at])
    }
}

/// What is withheld, with its domain where it is withheld for one alone, and with what follows from it.
pub(super) fn fact(language: Language, withheld: &Withheld) -> String {
    let words = WithheldWords::of(language);
    let name = words.name(&withheld.fact);
    let named = match &withheld.domain {
        Some(domain) => format!("{}: {name}", both_forms(domain)),
        None => name.to_owned(),
    };
    if withheld.also.is_empty() {
        return named;
    }
    let also: Vec<&str> = withheld.also.iter().map(|name| words.name(name)).collect();
    let also = also.join(if language == Language::Ja { "、" } else { ", " });
    match language {
        Language::De => {
            format!("{named} (zurückgehalten wird auch, woraus sich das errechnen ließe: {also})")
        }
        Language::En => format!("{named} (and with it what it could be reckoned from: {also})"),
        Language::Es => format!("{named} (y con ello los datos de los que podría calcularse: {also})"),
        Language::Fr => format!("{named} (et avec cela ce qui permettrait de le calculer : {also})"),
        Language::Ja => format!("{named}（これを計算できる次の項目も非開示：{also}）"),
    }
}

#[cfg(test)]
mod tests {
    use model::withholding::{NAMES, TYPE_OBJECTS, UNKNOWN};

    use super::*;

    #[test]
    fn whatever_can_be_withheld_has_a_name_of_its_own_in_each_language() {
        for language in Language::ALL {
            let words = WithheldWords::of(language);
            let all = NAMES.iter().chain(&["type", TYPE_OBJECTS]).chain(&UNKNOWN);
            let mut names: Vec<&str> = all.map(|fact| words.name(fact)).collect();
            assert!(names.iter().all(|name| !UNKNOWN.contains(name) && *name != TYPE_OBJECTS), "{language}: {names:?}");
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), FACTS.len(), "{language}: {names:?}");
        }
    }

    #[test]
    fn what_follows_is_named_with_what_it_follows_from() {
        let withheld = Withheld {
            fact: "type".to_owned(),
            also: vec!["objects".to_owned(), "bytes".to_owned()],
            domain: Some("contoso.example".to_owned()),
            why: String::new(),
            review_at: model::time::Timestamp::from_micros(0),
        };
        assert_eq!(
            fact(Language::En, &withheld),
            "contoso.example: a data type (and with it what it could be reckoned from: number of objects, size)"
        );
    }
}
