//! Nouns that stand beside numbers, in five languages, and what they count.
//!
//! Knows no number. Of nouns that follow each other the last one counts (`customer files` are files), and of a German
//! compound its end.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::names::Labels;
use super::text::{Sentence, is_unspaced};

/// What a noun counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Thing {
    Objects,
    Records,
    Organisations,
    Domains,
    Notices,
    Emails,
    /// Of e-mail or of other sorts: nobody says which.
    Addresses,
    Persons,
    Users,
    Projects,
    References,
    /// Objects of a data type.
    Type(String),
    /// A span of time, a share, a sum of money: no fact is one.
    Other(&'static str),
}

/// Where a noun ends, and what it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// First token and the one behind it.
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) thing: Thing,
}

const TIME: Thing = Thing::Other("a span of time");
const SHARE: Thing = Thing::Other("a share");
const MONEY: Thing = Thing::Other("a sum of money");

/// Nouns of languages with spaces, a form each.
static NOUNS: [(Thing, &str); 18] = [
    (
        Thing::Objects,
        "object objects file files document documents objekt objekte objekten datei dateien dokument dokumente dokumenten \
         objeto objetos archivo archivos fichero ficheros documento documentos objet objets fichier fichiers",
    ),
    (
        Thing::Records,
        "record records datensatz datensätze datensätzen enregistrement enregistrements registro registros",
    ),
    (
        Thing::Organisations,
        "organisation organisations organization organizations company companies customer customers client clients \
         enterprise enterprises firm firms business businesses tenant tenants \
         unternehmen kunde kunden kundinnen organisationen firma firmen mandant mandanten \
         organización organizaciones empresa empresas cliente clientes compañía compañías \
         entreprise entreprises société sociétés entité entités entidad entidades",
    ),
    (Thing::Domains, "domain domains domänen dominio dominios domaine domaines"),
    (
        Thing::Notices,
        "notice notices notification notifications mitteilung mitteilungen benachrichtigung benachrichtigungen avis \
         aviso avisos notificación notificaciones",
    ),
    (Thing::Emails, "e-mail-adresse e-mail-adressen mailadresse mailadressen mail-adressen email-adressen"),
    (Thing::Addresses, "addresses adressen adresses direcciones"),
    (
        Thing::Persons,
        "person persons people individual individuals personen betroffene betroffenen betroffener personne personnes \
         persona personas individu individus interesado interesados individuo individuos",
    ),
    (
        Thing::Users,
        "user users benutzer benutzern nutzer nutzern benutzerkonto benutzerkonten nutzerkonten usuario usuarios \
         utilisateur utilisateurs",
    ),
    (Thing::Projects, "project projects projekt projekte projekten proyecto proyectos projet projets"),
    (
        Thing::References,
        "reference references row rows verweis verweise verweisen zeile zeilen referencia referencias référence références \
         fila filas ligne lignes",
    ),
    (
        TIME,
        "hour hours day days week weeks month months year years minute minutes second seconds h min uhr stunde stunden tag tage \
         tagen woche wochen monat monate monaten jahr jahre jahren minuten sekunden hora horas día días semana semanas mes \
         meses año años minuto minutos segundo segundos heure heures jour jours semaine semaines mois an ans année années \
         seconde secondes a.m p.m am pm utc",
    ),
    (SHARE, "percent per-cent prozent pct point points prozentpunkte"),
    (MONEY, "euro euros dollar dollars usd eur gbp chf jpy pound pounds franken francs pesos yen"),
    (
        Thing::Other("a count of something else"),
        "country countries land länder ländern staaten países país pays state states",
    ),
    (Thing::Other("a count of something else"), "time times mal veces fois server servers bucket buckets"),
    (Thing::Other("a count of something else"), "question questions fragen preguntas step steps version versions"),
    (Thing::Other("a count of something else"), "language languages sprachen idiomas langues employee employees"),
];

/// Nouns of several words.
static PHRASES: [(Thing, &str); 26] = [
    (Thing::Emails, "e-mail address"),
    (Thing::Emails, "e-mail addresses"),
    (Thing::Emails, "email address"),
    (Thing::Emails, "email addresses"),
    (Thing::Emails, "mail addresses"),
    (Thing::Emails, "dirección de correo electrónico"),
    (Thing::Emails, "direcciones de correo electrónico"),
    (Thing::Emails, "direcciones de correo"),
    (Thing::Emails, "direcciones electrónicas"),
    (Thing::Emails, "adresse électronique"),
    (Thing::Emails, "adresses électroniques"),
    (Thing::Emails, "adresses e-mail"),
    (Thing::Emails, "adresses email"),
    (Thing::Emails, "adresses mail"),
    (Thing::Emails, "adresses de courriel"),
    (Thing::Emails, "adresses de messagerie"),
    (Thing::Persons, "data subject"),
    (Thing::Persons, "data subjects"),
    (Thing::Persons, "personnes concernées"),
    (Thing::Persons, "personas afectadas"),
    (Thing::Persons, "betroffene personen"),
    (Thing::Users, "user account"),
    (Thing::Users, "user accounts"),
    (Thing::Users, "comptes utilisateur"),
    (Thing::Users, "cuentas de usuario"),
    (SHARE, "por ciento"),
];

/// Ends of German compounds: `Projektdateien`.
const HEADS: [(Thing, &str); 14] = [
    (Thing::Objects, "dateien"),
    (Thing::Objects, "dokumente"),
    (Thing::Objects, "dokumenten"),
    (Thing::Objects, "objekte"),
    (Thing::Objects, "objekten"),
    (Thing::Organisations, "unternehmen"),
    (Thing::Organisations, "organisationen"),
    (Thing::Organisations, "kunden"),
    (Thing::Users, "nutzer"),
    (Thing::Users, "nutzern"),
    (Thing::Projects, "projekte"),
    (Thing::Projects, "projekten"),
    (Thing::Emails, "mailadressen"),
    (Thing::Domains, "domains"),
];

/// Nouns of Japanese, the longer first where one begins another.
const JAPANESE: [(Thing, &[&str]); 13] = [
    (Thing::Emails, &["メールアドレス", "電子メールアドレス"]),
    (Thing::Addresses, &["アドレス"]),
    (Thing::Organisations, &["組織", "企業", "顧客", "会社", "お客様", "法人", "団体", "社"]),
    (Thing::Objects, &["オブジェクト", "ファイル", "文書", "ドキュメント"]),
    (Thing::Records, &["レコード", "記録"]),
    (Thing::Users, &["ユーザー", "利用者"]),
    (Thing::Projects, &["プロジェクト"]),
    (Thing::References, &["参照", "行"]),
    (Thing::Domains, &["ドメイン"]),
    (Thing::Notices, &["通知"]),
    (Thing::Persons, &["人", "名"]),
    (TIME, &["時間", "日", "週間", "か月", "ヶ月", "年", "分", "秒", "時"]),
    (MONEY, &["円", "ドル", "ユーロ"]),
];
/// Characters that may stand between a Japanese number and its noun.
const NEAR: usize = 10;

/// The noun that begins at a token, with those that follow it at once.
pub(super) fn at(sentence: &Sentence<'_>, from: usize, labels: &Labels<'_>) -> Option<Found> {
    let mut found = one(sentence, from, labels)?;
    // `customer e-mail` and `e-mail addresses`: what ends last says what is counted.
    for next in from + 1..=from + 6 {
        if next > found.to {
            break;
        }
        match one(sentence, next, labels) {
            Some(later) if later.to > found.to && !matches!(later.thing, Thing::Other(_)) => {
                found = Found { from, ..later }
            }
            _ => {}
        }
    }
    Some(found)
}

/// Nouns by their forms, and phrases by their first word.
struct Index {
    nouns: HashMap<&'static str, &'static Thing>,
    phrases: HashMap<&'static str, Vec<&'static (Thing, &'static str)>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let forms = NOUNS.iter().flat_map(|(thing, forms)| forms.split_ascii_whitespace().map(move |form| (form, thing)));
    let mut phrases: HashMap<&str, Vec<_>> = HashMap::new();
    for phrase in &PHRASES {
        phrases.entry(phrase.1.split(' ').next().unwrap_or_default()).or_default().push(phrase);
    }
    Index { nouns: forms.collect(), phrases }
});

fn one(sentence: &Sentence<'_>, from: usize, labels: &Labels<'_>) -> Option<Found> {
    let word = sentence.word(from)?;
    let phrases = INDEX.phrases.get(word).into_iter().flatten();
    let phrase = phrases.filter_map(|(thing, phrase)| {
        let count = phrase.split(' ').count();
        let is = phrase.split(' ').enumerate().all(|(at, word)| sentence.word(from + at) == Some(word));
        is.then(|| (count, thing.clone()))
    });
    let label = labels.at(sentence, from).map(|(id, count)| (count, Thing::Type(id.to_owned())));
    let head =
        || HEADS.iter().find(|(_, head)| word.len() > head.len() + 2 && word.ends_with(head)).map(|(thing, _)| thing);
    let noun = INDEX.nouns.get(word).copied().or_else(head).map(|thing| (1, thing.clone()));
    // A word that stands beside figures is no data type; of others the longest says most.
    let longest = phrase.chain(noun).max_by_key(|(count, _)| *count);
    let (count, thing) = match (longest, label) {
        (Some((count, thing)), Some((more, label))) => {
            if more > count {
                (more, label)
            } else {
                (count, thing)
            }
        }
        (Some(found), None) | (None, Some(found)) => found,
        (None, None) => return None,
    };
    Some(Found { from, to: from + count, thing })
}

/// What the run of Japanese behind a number counts.
pub(super) fn behind(word: &str, labels: &Labels<'_>) -> Option<Thing> {
    if !word.starts_with(is_unspaced) {
        return None;
    }
    // What stands directly behind it, if it is no mere counter.
    let direct = |thing: &Thing, noun: &&str| match (thing, *noun) {
        (Thing::Other(_), "日" | "時" | "年" | "分" | "秒" | _) => word.starts_with(*noun),
        (_, noun) if noun.chars().count() == 1 => word.starts_with(noun),
        _ => false,
    };
    let counted = JAPANESE.iter().find(|(thing, nouns)| nouns.iter().any(|noun| direct(thing, noun)));
    let near: String = word.chars().take(NEAR + 8).collect();
    // A subject mark ends what the number counts.
    let near = near.split(['が', 'は', 'を', 'で', 'に']).next().unwrap_or_default();
    let noun = in_run(near, labels)
        .into_iter()
        .filter(|(at, ..)| near[..*at].chars().count() <= NEAR)
        .min_by_key(|(at, length, _)| (*at, usize::MAX - length));
    match (counted, noun) {
        (Some((Thing::Persons, _)), Some((_, _, thing))) => Some(thing),
        (Some((thing, _)), _) => Some(thing.clone()),
        (None, found) => found.map(|(_, _, thing)| thing),
    }
}

/// What the run of Japanese before a number names, where only particles stand between.
pub(super) fn before(word: &str, labels: &Labels<'_>) -> Option<Thing> {
    let (at, length, thing) = in_run(word, labels).into_iter().max_by_key(|(at, length, _)| (at + length, *length))?;
    let particles = "のはが数総合計もうち約およそほぼ件".chars().collect::<Vec<_>>();
    word[at + length..].chars().all(|char| particles.contains(&char)).then_some(thing)
}

/// Nouns of more than one sign in a run: first byte, length, what they count.
fn in_run(run: &str, labels: &Labels<'_>) -> Vec<(usize, usize, Thing)> {
    let mut found = Vec::new();
    for (thing, nouns) in &JAPANESE {
        for noun in nouns.iter().filter(|noun| noun.chars().count() > 1 && !matches!(thing, Thing::Other(_))) {
            found.extend(run.match_indices(noun).map(|(at, noun)| (at, noun.len(), thing.clone())));
        }
    }
    // A word that stands beside figures is no data type.
    let labels = labels
        .in_run(run)
        .into_iter()
        .filter(|(at, length, _)| !found.iter().any(|(there, other, _)| (there, other) == (at, length)));
    let labels: Vec<_> = labels.map(|(at, length, id)| (at, length, Thing::Type(id.to_owned()))).collect();
    found.extend(labels);
    found
}
