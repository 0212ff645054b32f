//! What a number is besides a figure: the number of an article, a year, a range; and how firmly it is said.
//!
//! Looks at the words right beside it alone.

use super::super::compare::Bound;
use super::super::names::Labels;
use super::super::nouns;
use super::super::numbers::Number;
use super::super::text::{self, Sentence, What, is_unspaced};

/// Words that a number of something follows: no figure.
const NUMBERED: [&str; 58] = [
    "article",
    "articles",
    "art",
    "arts",
    "section",
    "sections",
    "sec",
    "paragraph",
    "paragraphs",
    "para",
    "clause",
    "chapter",
    "annex",
    "recital",
    "no",
    "nos",
    "nr",
    "num",
    "núm",
    "version",
    "step",
    "phase",
    "page",
    "artikel",
    "artikeln",
    "absatz",
    "abs",
    "satz",
    "seite",
    "ziffer",
    "nummer",
    "anhang",
    "kapitel",
    "schritt",
    "artículo",
    "artículos",
    "apartado",
    "párrafo",
    "página",
    "número",
    "fase",
    "paso",
    "alinéa",
    "paragraphe",
    "étape",
    "numéro",
    "chapitre",
    "annexe",
    "iso",
    "rfc",
    "gdpr",
    "dsgvo",
    "rgpd",
    "ticket",
    "case",
    "level",
    "building",
    "第",
];
/// Before a year, whatever stands behind it.
const BEFORE_YEAR: [&str; 20] = [
    "in", "since", "until", "by", "during", "year", "years", "im", "jahr", "jahre", "jahren", "seit", "en", "desde",
    "año", "años", "depuis", "année", "années", "late",
];
/// What years have: `the end of 2022`.
const OF_YEARS: [&str; 14] = [
    "end",
    "beginning",
    "start",
    "middle",
    "spring",
    "summer",
    "autumn",
    "winter",
    "fin",
    "début",
    "finales",
    "principios",
    "ende",
    "anfang",
];
/// Before a year, and before a number of something.
const BEFORE_YEAR_OR_NUMBER: [&str; 24] = [
    "from", "of", "to", "between", "and", "or", "through", "before", "after", "bis", "von", "aus", "und", "ab",
    "zwischen", "de", "del", "hasta", "y", "à", "a", "et", "entre", "au",
];
pub(super) const ABOUT: [&str; 25] = [
    "about",
    "approximately",
    "approx",
    "around",
    "roughly",
    "some",
    "circa",
    "ca",
    "nearly",
    "almost",
    "rund",
    "etwa",
    "ungefähr",
    "fast",
    "knapp",
    "environ",
    "env",
    "quelque",
    "presque",
    "unos",
    "unas",
    "aproximadamente",
    "aprox",
    "casi",
    "estimated",
];
const ABOUT_JAPANESE: [&str; 4] = ["約", "およそ", "ほぼ", "推定"];
const AT_LEAST: [&str; 12] = [
    "more than",
    "over",
    "at least",
    "above",
    "exceeding",
    "mehr als",
    "über",
    "mindestens",
    "plus de",
    "au moins",
    "más de",
    "al menos",
];
/// A bound that is denied is the other one: looked at first, because the plain one is its end.
const NO_MORE: [&str; 10] = [
    "no more than",
    "not more than",
    "not over",
    "nicht mehr als",
    "nicht über",
    "pas plus de",
    "no más de",
    "not exceeding",
    "not above",
    "maximal",
];
const NO_LESS: [&str; 13] = [
    "no less than",
    "no fewer than",
    "not less than",
    "not fewer than",
    "not under",
    "not below",
    "nicht weniger als",
    "nicht unter",
    "pas moins de",
    "no menos de",
    "por lo menos",
    "como mínimo",
    "au minimum",
];
const AT_MOST: [&str; 16] = [
    "less than",
    "fewer than",
    "under",
    "up to",
    "at most",
    "below",
    "weniger als",
    "bis zu",
    "höchstens",
    "moins de",
    "au plus",
    "menos de",
    "hasta",
    "como máximo",
    "jusqu à",
    "au maximum",
];
/// Words by which a number is of a part, not of the whole.
const PARTS: [&str; 40] = [
    "asked",
    "replied",
    "responded",
    "answered",
    "complained",
    "called",
    "fragten",
    "antworteten",
    "demandé",
    "preguntaron",
    "other",
    "others",
    "another",
    "further",
    "additional",
    "first",
    "per",
    "each",
    "every",
    "example",
    "weitere",
    "weiteren",
    "andere",
    "anderen",
    "je",
    "pro",
    "jedem",
    "jeder",
    "beispiel",
    "autres",
    "chaque",
    "par",
    "exemple",
    "otros",
    "otras",
    "cada",
    "por",
    "ejemplo",
    "remaining",
    "übrigen",
];
/// Behind a number that is of a part.
const OF: [&str; 14] = [
    "of", "der", "davon", "von", "des", "dieser", "unserer", "of-which", "ihrer", "d", "parmi", "entre", "nuestros",
    "their",
];

/// Whether a number names an article, a page, a version.
pub(super) fn is_numbered(sentence: &Sentence<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return false };
    match sentence.mark(before) {
        Some('§' | '#' | '$' | '€' | '£' | '¥' | '№') => return true,
        // `Art. 33(3)`.
        Some('(') => {
            let of = before.checked_sub(1);
            return of.is_some_and(|of| {
                sentence.tokens[of].end == sentence.tokens[before].at
                    && (sentence.number(of).is_some() || matches!(sentence.tokens[of].what, What::Name))
            });
        }
        Some('.' | '-' | '/' | '°') => {
            return before
                .checked_sub(1)
                .and_then(|word| sentence.word(word))
                .is_some_and(|word| NUMBERED.contains(&word) || word == "n");
        }
        Some(',') | None => {}
        Some(_) => return false,
    }
    // `Articles 33 and 34`.
    let joined = sentence
        .word(before)
        .is_some_and(|word| ["and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "a", "à"].contains(&word))
        || sentence.mark(before) == Some(',');
    if joined && before.checked_sub(1).is_some_and(|number| sentence.number(number).is_some()) {
        return is_numbered(sentence, before - 1);
    }
    sentence.word(before).is_some_and(|word| NUMBERED.contains(&word) || word.ends_with('第'))
}

/// Whether a number is a year: four plain figures behind a word that years follow, or before 年.
pub(super) fn is_year(sentence: &Sentence<'_>, at: usize, number: &Number, labels: &Labels<'_>) -> bool {
    if number.year().is_none() {
        return false;
    }
    if sentence.word(at + 1).is_some_and(|word| word.starts_with('年')) {
        return true;
    }
    let Some(before) = at.checked_sub(1) else { return false };
    match (&sentence.tokens[before].what, bound(sentence, at, at)) {
        (What::Day(_), _) => true,
        (What::Word(word), Bound::Exactly) if BEFORE_YEAR_OR_NUMBER.contains(&word.as_str()) => {
            let begun =
                before.checked_sub(1).and_then(|at| sentence.number(at)).is_some_and(|number| number.year().is_some());
            // `by the end of 2022`.
            let of = before.checked_sub(1).and_then(|at| sentence.word(at));
            let season = of.is_some_and(|word| OF_YEARS.contains(&word));
            begun || season || nouns::at(sentence, at + 1, labels).is_none()
        }
        (What::Word(word), Bound::Exactly) => BEFORE_YEAR.contains(&word.as_str()),
        (What::Mark('-' | '–' | '—' | '/' | '(' | '〜'), _) => true,
        _ => false,
    }
}

/// `60,000 to 70,000`: the second number, and its token.
pub(super) fn range(sentence: &Sentence<'_>, at: usize) -> Option<(Number, usize)> {
    let to = at + 2;
    let number = sentence.number(to)?;
    let between = at.checked_sub(1).and_then(|before| sentence.word(before));
    let joins = match (sentence.mark(at + 1), sentence.word(at + 1)) {
        (Some('-' | '–' | '—' | '~' | '〜'), _) => true,
        (None, Some("to" | "bis" | "à" | "a" | "から")) => true,
        (None, Some("and" | "und" | "et" | "y")) => {
            between.is_some_and(|word| ["between", "zwischen", "entre"].contains(&word))
        }
        _ => false,
    };
    joins.then(|| (number.clone(), to))
}

pub(super) fn bound(sentence: &Sentence<'_>, from: usize, to: usize) -> Bound {
    let before = text::lower(&sentence.tokens[from.saturating_sub(3)..from]);
    let near = |words: &[&str]| words.iter().any(|word| before == *word || before.ends_with(&format!(" {word}")));
    if sentence.mark(to + 1) == Some('+') {
        return Bound::AtLeast;
    }
    let behind = sentence.word(to + 1).unwrap_or_default();
    let head: String = behind.chars().take(6).collect();
    if behind.starts_with(is_unspaced) && (head.contains("以上") || head.contains("超")) {
        return Bound::AtLeast;
    }
    if behind.starts_with(is_unspaced) && (head.contains("未満") || head.contains("以下")) {
        return Bound::AtMost;
    }
    let japanese = ABOUT_JAPANESE.iter().any(|word| before.ends_with(word));
    let sign = from.checked_sub(1).and_then(|at| sentence.mark(at));
    if near(&NO_MORE) {
        Bound::AtMost
    } else if near(&NO_LESS) || near(&AT_LEAST) {
        Bound::AtLeast
    } else if near(&AT_MOST) {
        Bound::AtMost
    } else if japanese
        || near(&ABOUT)
        || matches!(sign, Some('~' | '≈' | '±'))
        || before.ends_with("alrededor de")
        || before.ends_with("cerca de")
        || before.ends_with("près de")
    {
        Bound::About
    } else {
        Bound::Exactly
    }
}

pub(super) fn is_of_a_part(sentence: &Sentence<'_>, from: usize, to: usize) -> bool {
    let part = |at: usize| sentence.word(at).is_some_and(|word| PARTS.contains(&word));
    (from.saturating_sub(2)..from).any(part)
        || part(to + 3)
        || (to + 1..=to + 2)
            .any(|at| part(at) || (at == to + 1 && sentence.word(at).is_some_and(|word| OF.contains(&word))))
        || sentence.word(to + 1).is_some_and(|word| word.starts_with("のうち") || word.contains("のうち"))
}
