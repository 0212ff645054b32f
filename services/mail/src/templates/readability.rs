//! How easy the prose of a letter is to read: one figure for each language, by a formula made for it.
//!
//! Only paragraphs that end a sentence count: headings and lines of figures are no prose. Syllables are counted as runs
//! of vowels, which is right for most words. Invariant: the same text gives the same figure.

use model::language::Language;
use serde::Serialize;

/// A figure, and the scale it is on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Readability {
    /// The formula.
    pub measure: Measure,
    /// The figure, to one decimal.
    pub score: f64,
}

/// The formulas. For all but the last, 100 is easy, 60 plain, 30 for academics, and below 0 hard to bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// R. Flesch, A new readability yardstick, Journal of Applied Psychology 32 (1948): reading ease, English.
    Flesch,
    /// T. Amstad, Wie verständlich sind unsere Zeitungen?, Zürich 1978: Flesch's formula for German.
    Amstad,
    /// L. Kandel and A. Moles, Application de l'indice de Flesch à la langue française, Cahiers d'études de
    /// radio-télévision 19 (1958).
    KandelMoles,
    /// J. Fernández Huerta, Medidas sencillas de lecturabilidad, Consigna 214 (1959), with words a sentence as G. Law
    /// corrected it.
    FernandezHuerta,
    /// Japanese: characters a sentence, without white space. Guides for public writing ask for 60 at the most.
    CharactersASentence,
}

impl Measure {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flesch => "flesch",
            Self::Amstad => "amstad",
            Self::KandelMoles => "kandel-moles",
            Self::FernandezHuerta => "fernandez-huerta",
            Self::CharactersASentence => "characters-a-sentence",
        }
    }
}

/// The figure for a text in which a line is a paragraph; `None` for one without prose.
pub(super) fn of(language: Language, text: &str) -> Option<Readability> {
    let counted = Counted::of(language, text);
    if counted.sentences == 0 {
        return None;
    }
    let (words, sentences) = (f64::from(counted.words), f64::from(counted.sentences));
    let length = words / sentences;
    let syllables = f64::from(counted.syllables) / words.max(1.0);
    let (measure, score) = match language {
        Language::En => (Measure::Flesch, 206.835 - 1.015 * length - 84.6 * syllables),
        Language::De => (Measure::Amstad, 180.0 - length - 58.5 * syllables),
        Language::Fr => (Measure::KandelMoles, 207.0 - 1.015 * length - 73.6 * syllables),
        Language::Es => (Measure::FernandezHuerta, 206.84 - 1.02 * length - 60.0 * syllables),
        Language::Ja => (Measure::CharactersASentence, f64::from(counted.characters) / sentences),
    };
    Some(Readability { measure, score: (score * 10.0).round() / 10.0 })
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    sentences: u32,
    words: u32,
    syllables: u32,
    characters: u32,
}

impl Counted {
    fn of(language: Language, text: &str) -> Self {
        const ENDS: [char; 4] = ['.', '!', '?', '。'];
        let mut counted = Self::default();
        let prose = text.lines().map(|line| line.trim().trim_start_matches("- ")).filter(|line| line.ends_with(ENDS));
        for line in prose {
            let mut fresh = false;
            for word in line.split_whitespace() {
                counted.characters += u32::try_from(word.chars().count()).unwrap_or(u32::MAX);
                counted.sentences += u32::try_from(word.matches('。').count()).unwrap_or(u32::MAX);
                if word.contains(char::is_alphanumeric) {
                    counted.words += 1;
                    counted.syllables += syllables(language, word);
                    fresh = true;
                }
                if fresh && word.trim_end_matches(['"', ')', '»', '“', '”']).ends_with(['.', '!', '?']) {
                    counted.sentences += 1;
                    fresh = false;
                }
            }
        }
        counted
    }
}

/// At least one: an abbreviation or a number is read as something.
fn syllables(language: Language, word: &str) -> u32 {
    const VOWELS: &str = "aeiouyäöüàâáæèéêëìíîïòóôœùúûÿãõ";
    const STRONG: &str = "aeoáéóíú";
    let word: Vec<char> = word.to_lowercase().chars().filter(|char| char.is_alphabetic()).collect();
    let (mut count, mut before) = (0_u32, None);
    for char in &word {
        let vowel = VOWELS.contains(*char);
        // In Spanish two strong vowels are two syllables: pa-ís, le-er.
        let hiatus = language == Language::Es
            && before.is_some_and(|before: char| STRONG.contains(before) && STRONG.contains(*char));
        if vowel && (hiatus || !before.is_some_and(|before: char| VOWELS.contains(before))) {
            count += 1;
        }
        before = Some(*char);
    }
    count.saturating_sub(silent(language, &word)).max(1)
}

/// Written vowels at the end that nobody hears.
fn silent(language: Language, word: &[char]) -> u32 {
    let ends = |end: &str| word.ends_with(&end.chars().collect::<Vec<_>>());
    // `close` ends in a silent vowel, `table` does not in English: the e is heard before the l.
    let heard = if language == Language::En { "aeiouyél" } else { "aeiouyé" };
    let consonant_before_e = || match word {
        [.., before, 'e'] => !heard.contains(*before),
        _ => false,
    };
    u32::from(match language {
        Language::En => consonant_before_e() || ends("ed") && !ends("ted") && !ends("ded"),
        Language::Fr => consonant_before_e() || (ends("es") && !ends("ées")) || ends("ent") && !ends("ment"),
        Language::De | Language::Es | Language::Ja => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(language: Language, word: &str, expect: u32) {
        assert_eq!(syllables(language, word), expect, "{word}");
    }

    #[test]
    fn syllables_are_counted_as_they_are_heard() {
        check(Language::En, "exposed", 2);
        check(Language::En, "organisation", 5);
        check(Language::En, "table", 2);
        check(Language::De, "Mitteilung", 3);
        check(Language::De, "Häuser", 2);
        check(Language::Fr, "courriel", 2);
        check(Language::Fr, "données", 2);
        check(Language::Fr, "exposées", 3);
        check(Language::Es, "país", 2);
        check(Language::Es, "organización", 5);
        check(Language::En, "GmbH", 1);
    }

    #[test]
    fn figures_and_headings_are_no_prose() {
        let counted = Counted::of(Language::En, "WHAT HAPPENED\n- Objects: 12\n\nWe know it. You do not.\n");
        assert_eq!((counted.sentences, counted.words), (2, 6));
        assert_eq!(of(Language::En, "Objects: 12\n"), None);
    }

    #[test]
    fn short_words_in_short_sentences_read_easily() {
        let easy = of(Language::En, "We close the door. You can ask us.").unwrap();
        let hard = of(Language::En, "Notwithstanding organisational responsibilities, supplementary notifications necessitate comprehensive documentation.").unwrap();
        assert!(easy.score > 90.0 && hard.score < 0.0, "{easy:?} {hard:?}");
        let japanese = of(Language::Ja, "発見しました。お尋ねください。").unwrap();
        assert_eq!((japanese.measure, japanese.score), (Measure::CharactersASentence, 7.5));
    }
}
