//! Texts that say there is nothing to say, in the five languages that letters are written in.
//!
//! A short list against the known evasions, no understanding of language. Invariant: a clause with a figure, or with
//! many words of its own, is never taken for one of them.

/// What an evasion is made of, lower case, words by one space.
const CORES: [&str; 89] = [
    "no further information",
    "no further details",
    "no further data",
    "no other information",
    "no other available information",
    "no other details",
    "no additional information",
    "no additional details",
    "no more information",
    "any further information",
    "any additional information",
    "unable to provide the specific affected data",
    "unable to provide specific",
    "unable to provide further",
    "unable to provide any",
    "cannot provide the specific affected data",
    "cannot provide further",
    "keine weiteren informationen",
    "keine weiteren angaben",
    "keine weiteren auskünfte",
    "keine zusätzlichen informationen",
    "keine näheren informationen",
    "keine näheren angaben",
    "aucune autre information",
    "aucune information supplémentaire",
    "aucune information complémentaire",
    "aucun autre renseignement",
    "aucun autre détail",
    "pas d autres informations",
    "pas d autre information",
    "pas d informations supplémentaires",
    "pas plus d informations",
    "pas en mesure de fournir",
    "ninguna otra información",
    "ninguna información adicional",
    "no hay más información",
    "no disponemos de más información",
    "no tenemos más información",
    "ninguna información más",
    "más detalles no están disponibles",
    "no podemos facilitar más",
    "no podemos proporcionar más",
    "これ以上の情報",
    "これ以上の詳細",
    "追加の情報はございません",
    "追加の情報はありません",
    "お伝えできる情報はございません",
    "お伝えできる情報はありません",
    "cannot say anything",
    "cant say anything",
    "can say nothing",
    "nothing more to say",
    "nothing further to say",
    "nothing else to say",
    "cannot tell you anything",
    "cant tell you anything",
    "cannot tell you more",
    "cant tell you more",
    "nothing to add",
    "nothing further to add",
    "nothing more to add",
    "cannot comment",
    "cant comment",
    "unable to comment",
    "unable to say",
    "no further comment",
    "no further statement",
    "nichts weiteres sagen",
    "nichts weiter sagen",
    "nichts mehr sagen",
    "nichts dazu sagen",
    "dazu nichts sagen",
    "nichts hinzuzufügen",
    "keine weitere auskunft",
    "keine weiteren aussagen",
    "rien dire de plus",
    "rien dire d autre",
    "rien à ajouter",
    "en dire plus",
    "en dire davantage",
    "nada más que decir",
    "decir nada más",
    "decir nada sobre",
    "nada que añadir",
    "no podemos decir más",
    "これ以上お伝え",
    "これ以上申し上げ",
    "これ以上お答え",
    "何も申し上げ",
];
/// Words that a clause may have around a core and still say nothing: "there is … for the case at this time".
const MOST_AROUND: usize = 9;
/// The same for languages that write no spaces, in characters.
const MOST_AROUND_UNSPACED: usize = 30;
/// How a clause begins that is only polite.
const POLITE: [&str; 40] = [
    "dear",
    "hello",
    "hi",
    "good morning",
    "good afternoon",
    "thank",
    "thanks",
    "we apologise",
    "we apologize",
    "we are sorry",
    "sehr geehrte",
    "sehr geehrter",
    "guten tag",
    "hallo",
    "liebe",
    "lieber",
    "vielen dank",
    "danke",
    "wir danken",
    "wir bitten um",
    "bonjour",
    "madame",
    "monsieur",
    "merci",
    "nous vous remercions",
    "nous regrettons",
    "nous sommes désolés",
    "estimado",
    "estimada",
    "estimados",
    "buenos días",
    "gracias",
    "muchas gracias",
    "lamentamos",
    "lo sentimos",
    "お問い合わせ",
    "ありがとうございます",
    "いつもお世話に",
    "申し訳",
    "ご連絡",
];
/// Words of a clause that is only polite.
const MOST_POLITE: usize = 10;
/// Clauses that only lead to the next one.
const LEADING: [&str; 16] = [
    "unfortunately",
    "at this time",
    "at this point",
    "currently",
    "as of today",
    "leider",
    "derzeit",
    "zurzeit",
    "momentan",
    "malheureusement",
    "à ce stade",
    "actuellement",
    "lamentablemente",
    "por el momento",
    "残念ながら",
    "現時点では",
];
/// Where the text ends and the signature begins.
const CLOSING: [&str; 17] = [
    "kind regards",
    "best regards",
    "regards",
    "sincerely",
    "yours",
    "best wishes",
    "mit freundlichen",
    "freundliche grüße",
    "viele grüße",
    "beste grüße",
    "cordialement",
    "bien à vous",
    "atentamente",
    "saludos",
    "un saludo",
    "敬具",
    "よろしくお願い",
];

/// An evasion that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoInformation {
    /// The clause, as it was written.
    pub(super) phrase: String,
    /// Whether the text says nothing else.
    pub(super) is_all: bool,
}

/// The first evasion of a text.
pub(super) fn no_information(text: &str) -> Option<NoInformation> {
    let mut phrase = None;
    let mut is_all = true;
    for clause in clauses(text) {
        let plain = plain(clause);
        if begins_with_any(&plain, &CLOSING) {
            break;
        }
        if is_evasion(&plain) {
            phrase.get_or_insert_with(|| clause.split_whitespace().collect::<Vec<_>>().join(" "));
        } else if !(plain.is_empty() || is_polite(&plain) || LEADING.contains(&plain.as_str())) {
            is_all = false;
        }
    }
    phrase.map(|phrase| NoInformation { phrase, is_all })
}

/// Parts between marks and empty lines; lines of one paragraph are one text.
fn clauses(text: &str) -> impl Iterator<Item = &str> {
    // A line that is only a greeting or a closing ends with a comma or an empty line in any case.
    text.split("\n\n")
        .flat_map(|part| part.split("\r\n\r\n"))
        .flat_map(|part| part.split(['.', '!', '?', ';', ':', ',', '–', '—', '。', '、', '！', '？']))
}

/// Lower case, letters and digits only, one space between words; apostrophes vanish after English words and part French
/// ones (`n't`, `d'autres`).
fn plain(clause: &str) -> String {
    let lower = clause.to_lowercase().replace('’', "'").replace("d'", "d ").replace("n'a", "n a");
    let letters: String =
        lower.chars().filter(|c| *c != '\'').map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_evasion(plain: &str) -> bool {
    let around = |core: &str| match core.ends_with(is_unspaced) {
        true => plain.chars().count().saturating_sub(core.chars().count()) <= MOST_AROUND_UNSPACED,
        false => words(plain).saturating_sub(words(core)) <= MOST_AROUND,
    };
    !has_figure(plain) && CORES.iter().any(|core| plain.contains(core) && around(core))
}

fn is_polite(plain: &str) -> bool {
    !has_figure(plain) && words(plain) <= MOST_POLITE && begins_with_any(plain, &POLITE)
}

fn has_figure(plain: &str) -> bool {
    plain.chars().any(char::is_numeric)
}

fn words(plain: &str) -> usize {
    plain.split(' ').count()
}

/// Whole words only: "hi" does not begin "his". Japanese has no spaces to go by.
fn begins_with_any(plain: &str, beginnings: &[&str]) -> bool {
    let is_whole =
        |beginning: &str, rest: &str| rest.is_empty() || rest.starts_with(' ') || beginning.ends_with(is_unspaced);
    beginnings.iter().any(|beginning| plain.strip_prefix(beginning).is_some_and(|rest| is_whole(beginning, rest)))
}

/// Of a script that is written without spaces.
fn is_unspaced(letter: char) -> bool {
    letter >= '\u{3040}'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<bool>) {
        assert_eq!(no_information(text).map(|found| found.is_all), expect, "{text:?}");
    }

    #[test]
    fn the_known_evasions_are_found() {
        check("No further information.", Some(true));
        check("There is no further information available.", Some(true));
        check("there is no other available information for the case", Some(true));
        check("We are unable to provide the specific affected data from this issue.", Some(true));
        check("Es liegen uns keine weiteren Informationen vor.", Some(true));
        check("We don’t have any further information at this time", Some(true));
    }

    #[test]
    fn they_are_found_in_french_spanish_and_japanese_too() {
        check("Bonjour,\n\nmalheureusement, nous n'avons aucune autre information.\n\nCordialement", Some(true));
        check("Nous n’avons pas d’autres informations à ce sujet.", Some(true));
        check(
            "Estimado cliente:\n\nlamentablemente, no hay más información sobre este caso.\n\nAtentamente",
            Some(true),
        );
        check(
            "お問い合わせありがとうございます。現時点では、これ以上の情報はございません。よろしくお願いいたします。",
            Some(true),
        );
        check("対象は2022年1月の請求書12件です。これ以上の情報はございません。", Some(false));
        check("Il s’agit des factures de janvier 2022.", None);
    }

    #[test]
    fn that_nothing_can_be_said_is_an_evasion_in_every_language() {
        for evasion in [
            "We cannot say anything more about this case.",
            "We can't tell you more at this time.",
            "Unfortunately, we have nothing to add.",
            "Wir können Ihnen dazu leider nichts weiteres sagen.",
            "Dem haben wir nichts hinzuzufügen.",
            "Nous ne pouvons rien dire de plus sur ce cas.",
            "Nous n’avons rien à ajouter.",
            "No podemos decir nada más sobre este caso.",
            "No tenemos nada que añadir.",
            "この件についてはこれ以上お答えできません。",
        ] {
            check(evasion, Some(true));
        }
    }

    #[test]
    fn politeness_and_line_breaks_around_it_are_no_answer() {
        check(
            "Dear Ms Doe,\n\nthank you for your mail. Unfortunately, there is no further\ninformation.\n\nKind regards\nThe team",
            Some(true),
        );
        check(
            "Sehr geehrte Frau Muster,\r\n\r\nleider liegen keine weiteren\r\nAngaben vor.\r\n\r\nMit freundlichen Grüßen\r\nDas Team",
            Some(true),
        );
    }

    #[test]
    fn a_text_that_also_says_something_is_told_apart() {
        check("The objects were invoices of January 2020. There is no further information.", Some(false));
        check("No further information. His files were deleted.", Some(false));
        check("Nobody read them; we have no additional information on that.", Some(false));
    }

    #[test]
    fn an_answer_is_no_evasion() {
        check("They are the invoices of January 2020; our logs show no access.", None);
        check("All is told.", None);
        check("No further information than the 12 invoices was exposed.", None);
        check("No further information was exposed than what the notice of last week lists for your two domains.", None);
        check("", None);
    }
}
