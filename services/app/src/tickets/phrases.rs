//! Texts that say there is nothing to say, in English and German.
//!
//! A short list against the known evasions, no understanding of language. Invariant: a clause with a figure, or with
//! many words of its own, is never taken for one of them.

/// What an evasion is made of, lower case, words by one space.
const CORES: [&str; 22] = [
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
];
/// Words that a clause may have around a core and still say nothing: "there is … for the case at this time".
const MOST_AROUND: usize = 9;
/// How a clause begins that is only polite.
const POLITE: [&str; 20] = [
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
];
/// Words of a clause that is only polite.
const MOST_POLITE: usize = 10;
/// Clauses that only lead to the next one.
const LEADING: [&str; 9] = [
    "unfortunately",
    "at this time",
    "at this point",
    "currently",
    "as of today",
    "leider",
    "derzeit",
    "zurzeit",
    "momentan",
];
/// Where the text ends and the signature begins.
const CLOSING: [&str; 10] = [
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
        .flat_map(|part| part.split(['.', '!', '?', ';', ':', ',', '–', '—']))
}

/// Lower case, letters and digits only, one space between words; apostrophes vanish.
fn plain(clause: &str) -> String {
    let letters: String = clause
        .to_lowercase()
        .chars()
        .filter(|c| !matches!(c, '\'' | '’'))
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    letters.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_evasion(plain: &str) -> bool {
    let around = |core: &str| words(plain).saturating_sub(words(core));
    !has_figure(plain) && CORES.iter().any(|core| plain.contains(core) && around(core) <= MOST_AROUND)
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

/// Whole words only: "hi" does not begin "his".
fn begins_with_any(plain: &str, beginnings: &[&str]) -> bool {
    beginnings
        .iter()
        .any(|beginning| plain.strip_prefix(beginning).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')))
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
