//! The words of a text as it is searched: the same for every database and every language.
//!
//! Understands no language: no stems, no synonyms. Invariant: a text is found by each word that stands in it, whatever the
//! case, the accents or the width of its letters; where no spaces are written, by each character and pair of characters.

use std::collections::BTreeSet;

/// Characters of a word; longer ones are cut, in texts and queries alike.
const LONGEST: usize = 64;
/// Pairs of letters in one word that may each be one letter.
const MOST_PAIRS: usize = 4;
/// Bytes of all words of one text: a database indexes no more of one row.
const MOST: usize = 400_000;

/// One word that has to stand in a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term {
    /// As [`words`] writes it: letters and digits alone.
    pub word: String,
    /// Other ways to write it, any of which may stand there instead: `koennen` and `können` are one word.
    pub also: Vec<String>,
    /// Whether words that begin with it count too (`contr*`).
    pub begins: bool,
}

/// The distinct words of a text, by one space; empty where it has none.
pub fn words(text: &str) -> String {
    let mut all = BTreeSet::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => drop(all.insert(word)),
            Run::Unspaced(letters) => {
                all.extend(letters.iter().map(char::to_string));
                all.extend(letters.windows(2).map(|pair| pair.iter().collect::<String>()));
            }
        }
    }
    let mut joined = String::new();
    for word in all {
        if joined.len() + word.len() >= MOST {
            break;
        }
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.push_str(&word);
    }
    joined
}

/// What has to stand in a text that answers a query; empty where it asks for nothing.
pub fn terms(query: &str) -> Vec<Term> {
    let mut all = BTreeSet::new();
    for part in query.split_whitespace() {
        let begins = part.ends_with('*');
        let in_two_letters: Vec<String> = runs(&with_two_letters(part)).into_iter().filter_map(Run::word).collect();
        let mut found: Vec<Term> = Vec::new();
        for run in runs(part) {
            match run {
                Run::Word(word) => found.push(Term { also: spellings(&word), word, begins: false }),
                Run::Unspaced(letters) if letters.len() == 1 => found.push(Term::letters(&letters)),
                Run::Unspaced(letters) => found.extend(letters.windows(2).map(Term::letters)),
            }
        }
        if let Some(last) = found.last_mut() {
            last.begins = begins;
        }
        // The same words in the same order, some of them longer.
        for (term, other) in found.iter_mut().filter(|term| term.is_word()).zip(in_two_letters) {
            if other != term.word && !term.also.contains(&other) {
                term.also.push(other);
            }
        }
        all.extend(found);
    }
    all.into_iter().collect()
}

/// Whether a text, in its [`words`], answers a query.
pub fn answers(words: &str, terms: &[Term]) -> bool {
    let is = |word: &str, wanted: &str, begins: bool| if begins { word.starts_with(wanted) } else { word == wanted };
    let there = |term: &Term| words.split(' ').any(|word| term.spellings().any(|wanted| is(word, wanted, term.begins)));
    !terms.is_empty() && terms.iter().all(there)
}

impl Term {
    fn letters(letters: &[char]) -> Self {
        Self { word: letters.iter().collect(), also: Vec::new(), begins: false }
    }

    /// Every way to write it.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.word.as_str()).chain(self.also.iter().map(String::as_str))
    }

    fn is_word(&self) -> bool {
        !self.word.chars().any(is_unspaced)
    }
}

/// Letters with a mark that many keyboards lack, as two letters: `ö` as `oe`. The words of a text have them as one without
/// its mark.
fn with_two_letters(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut last = None;
    for letter in text.chars().flat_map(char::to_lowercase) {
        match (letter, last) {
            ('ä', _) => written.push_str("ae"),
            ('ö' | 'ø', _) => written.push_str("oe"),
            ('ü', _) => written.push_str("ue"),
            ('å', _) => written.push_str("aa"),
            // The mark as a character of its own.
            ('\u{308}', Some('a' | 'o' | 'u')) => written.push('e'),
            (other, _) => written.push(other),
        }
        last = Some(letter);
    }
    written
}

/// A word with `ae`, `oe`, `ue` or `aa` in it, with each of these as one letter or two: `treuhaender` may stand there as
/// `treuhänder`, and its `eu` is no `ü`.
fn spellings(word: &str) -> Vec<String> {
    let pairs: Vec<usize> =
        ["ae", "oe", "ue", "aa"].iter().flat_map(|pair| word.match_indices(pair)).map(|(at, _)| at).collect();
    let pairs = &pairs[..pairs.len().min(MOST_PAIRS)];
    let mut found = BTreeSet::new();
    for chosen in 1_u32..1 << pairs.len() {
        let dropped =
            |at: usize| pairs.iter().enumerate().any(|(nth, pair)| chosen & (1 << nth) != 0 && pair + 1 == at);
        found.insert(word.char_indices().filter(|(at, _)| !dropped(*at)).map(|(_, letter)| letter).collect());
    }
    found.into_iter().collect()
}

enum Run {
    Word(String),
    /// Letters of a script that is written without spaces.
    Unspaced(Vec<char>),
}

impl Run {
    fn word(self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word),
            Self::Unspaced(_) => None,
        }
    }
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let (mut open, mut length) = (false, 0);
    for letter in folded(text) {
        if !letter.is_alphanumeric() {
            open = false;
            continue;
        }
        match (runs.last_mut(), is_unspaced(letter)) {
            (Some(Run::Unspaced(letters)), true) if open => letters.push(letter),
            (Some(Run::Word(word)), false) if open => {
                if length < LONGEST {
                    word.push(letter);
                    length += 1;
                }
            }
            (_, true) => runs.push(Run::Unspaced(vec![letter])),
            (_, false) => {
                runs.push(Run::Word(letter.to_string()));
                length = 1;
            }
        }
        open = true;
    }
    runs
}

/// Kana, Chinese characters and their extensions; Korean is written with spaces.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{3005}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

/// Lower case, without the accents of Latin letters, wide letters as narrow ones. Accents that are characters of their own
/// vanish, so that both ways of writing `é` are one.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let narrow = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        other => other,
    };
    let plain = |letter: char| -> &'static str {
        match letter {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
            'ç' | 'ć' | 'č' => "c",
            'ď' | 'đ' => "d",
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
            'ğ' => "g",
            'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
            'ł' | 'ľ' => "l",
            'ñ' | 'ń' | 'ň' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ő' => "o",
            'ŕ' | 'ř' => "r",
            'ś' | 'š' | 'ş' => "s",
            'ß' => "ss",
            'ť' | 'ţ' => "t",
            'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' | 'ű' => "u",
            'ý' | 'ÿ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            'æ' => "ae",
            'œ' => "oe",
            _ => "",
        }
    };
    let letters = text.chars().map(narrow).flat_map(char::to_lowercase);
    let letters =
        letters.filter(|letter| !matches!(letter, '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200d}'));
    letters.flat_map(move |letter| match plain(letter) {
        "" => vec![letter],
        plain => plain.chars().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, query: &str, found: bool) {
        assert_eq!(answers(&words(text), &terms(query)), found, "{query:?} in {text:?}");
    }

    #[test]
    fn words_are_found_in_five_languages_whatever_their_case_and_accents() {
        check("Who has downloaded our Contracts?", "contracts", true);
        check("Welche Verträge sind betroffen? Straße 5", "VERTRÄGE strasse", true);
        check("Quelles données ont été copiées ?", "donnees copiées", true);
        check("¿Qué información se filtró en España?", "informacion españa", true);
        check("どの請求書が閲覧されましたか。", "請求書", true);
        check("どの請求書が閲覧されましたか。", "閲", true);
        check("ＡＢＣ株式会社", "abc 株式", true);
        check("e\u{301}te\u{301}", "été", true);
    }

    #[test]
    fn what_is_written_with_one_letter_or_two_is_one_word() {
        for written in ["Können Sie das?", "koennen", "KOENNEN", "ko\u{308}nnen"] {
            for query in ["koennen", "können", "KÖNNEN", "ko\u{308}nnen", "koenn*", "könn*"] {
                check(written, query, true);
            }
        }
        check("Treuhänder", "treuhaender", true);
        check("Treuhaender", "Treuhänder", true);
        check("Straße", "strasse", true);
        check("STRASSE", "straße", true);
        check("Ærø, Århus", "aeroe aarhus", true);
        check("neue Fragen", "neue", true);
        check("kann", "koennen", false);
        check("konnte", "koennen", false);
    }

    #[test]
    fn what_does_not_stand_there_is_not_found() {
        check("Who has downloaded our contracts?", "contract", false);
        check("Who has downloaded our contracts?", "contr*", true);
        check("請求書と契約書", "求契", false);
        check("anything", "", false);
        check("anything", "?!", false);
    }

    proptest! {
        #[test]
        fn every_part_of_a_text_finds_it(text in "\\PC{0,60}", from in 0_usize..60) {
            let part: String = text.split_whitespace().nth(from % 5).unwrap_or_default().to_owned();
            let terms = terms(part.trim_end_matches('*'));
            prop_assert!(terms.is_empty() || answers(&words(&text), &terms));
            prop_assert!(words(&text).chars().all(|c| c == ' ' || c.is_alphanumeric()));
        }
    }
}
