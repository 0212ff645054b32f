//! Whether a person says that a notice came to the wrong place.
//!
//! Does not understand text: it looks for phrases. Invariant: in doubt yes, for what follows is that sending stops and a
//! person looks; a question about the notice is none of them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use model::domain::DomainName;
use model::email::EmailAddress;

use super::wrong_phrases::{ABOUT_A_DOMAIN, ABOUT_THE_ORGANISATION, AT_ITS_END, GOES_ON, OTHER_PERSON, SAME_DOMAIN};

/// Addresses that are taken from one mail.
const MOST: usize = 5;
/// Bytes of a text in which phrases are looked for: nobody writes more before they come to the point.
const LOOKED_AT: usize = 200_000;
/// How people ask how we know, as folded.
const DOUBTS: [&str; 16] = [
    "how do you know",
    "how did you know",
    "how can you know",
    "how can you tell",
    "how can you be sure",
    "how sure are you",
    "are you sure",
    "woher wissen sie",
    "woher wisst ihr",
    "wie koennen sie wissen",
    "sind sie sicher",
    "comment savez-vous",
    "etes-vous sur",
    "como saben",
    "como sabe usted",
    "なぜわかる",
];
/// Stands for any domain, in a phrase and in a text.
const DOMAIN: char = '§';

static OF_THE_ORGANISATION: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(ABOUT_THE_ORGANISATION));
static OF_A_DOMAIN: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(ABOUT_A_DOMAIN));
static ENDING: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(AT_ITS_END));
static OF_ANOTHER: LazyLock<Phrases> = LazyLock::new(|| Phrases::new(OTHER_PERSON));

/// What a person's own words say beside their questions, found in one reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// They are not whom the notice is about.
    pub wrong_recipient: bool,
    /// The addresses that they name as the right ones to write to; see [`other_recipients`].
    pub other_recipients: Vec<EmailAddress>,
    /// They object to something.
    pub objects: bool,
}

/// Listens to a person's own words.
pub fn heard(new_text: &str) -> Heard {
    let said = Said::new(new_text);
    Heard {
        wrong_recipient: said.is_of_another(),
        other_recipients: named_in(new_text, &said),
        objects: super::objection::objects(&said),
    }
}

/// Whether a person's own words say that they are not whom the notice is about.
pub fn says_wrong_recipient(new_text: &str) -> bool {
    Said::new(new_text).is_of_another()
}

/// Whether, of a person who says that they are not whom the notice is about, that is about no more than some of these
/// domains: the text names one of them. A name in a signature, an address or below another name is none.
pub fn names_one_of(new_text: &str, domains: &[String]) -> bool {
    let said = Said::new(new_text);
    !said.any(&OF_THE_ORGANISATION) && domains.iter().any(|domain| said.domains.contains(domain))
}

/// The addresses that a person names as the right ones to write to, each once, five at most; none where the words say
/// nothing of the kind.
pub fn other_recipients(new_text: &str) -> Vec<EmailAddress> {
    named_in(new_text, &Said::new(new_text))
}

fn named_in(new_text: &str, said: &Said) -> Vec<EmailAddress> {
    if !said.any(&OF_ANOTHER) {
        return Vec::new();
    }
    let words = new_text.split(|c: char| c.is_whitespace() || "<>()[]{}\"',;:".contains(c));
    let mut found: Vec<EmailAddress> = Vec::new();
    for word in words.map(|word| word.trim_end_matches(['.', '!', '?'])).filter(|word| word.contains('@')) {
        if let Ok(address) = EmailAddress::parse(word)
            && !found.contains(&address)
            && found.len() < MOST
        {
            found.push(address);
        }
    }
    found
}

/// A text as phrases are looked for in it.
pub(super) struct Said {
    /// In the letters of [`folded`], words apart by one space, [`DOMAIN`] for each domain.
    text: String,
    /// The same without spaces, for languages that write none.
    run_together: String,
    /// The domains that it names.
    domains: HashSet<String>,
}

impl Said {
    pub(super) fn new(new_text: &str) -> Self {
        let (text, domains) = marked(&without_doubts(&folded(&new_text[..new_text.floor_char_boundary(LOOKED_AT)])));
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.contains(DOMAIN) {
            for (words, short) in SAME_DOMAIN {
                text = text.replace(words, short);
            }
        }
        let run_together = text.replace(' ', "");
        Self { text, run_together, domains }
    }

    fn is_of_another(&self) -> bool {
        self.any(&OF_THE_ORGANISATION) || self.is_about_a_domain()
    }

    fn is_about_a_domain(&self) -> bool {
        let ends = |rest: &str| rest.is_empty() || rest.starts_with(['.', ',', ';', '!', '?', ')']);
        self.any(&OF_A_DOMAIN) || self.places(&ENDING).any(|(_, rest)| ends(rest))
    }

    /// Whether it says one of these, as words of its own; in a language without spaces, anywhere.
    pub(super) fn any(&self, phrases: &Phrases) -> bool {
        phrases.unspaced.as_ref().is_some_and(|unspaced| unspaced.is_match(&self.run_together))
            || self.places(phrases).any(|(phrase, rest)| !GOES_ON.contains(&(phrase, first_words(rest))))
    }

    /// Each place where one of them stands as words of its own, and what follows.
    fn places<'a>(&'a self, phrases: &'a Phrases) -> impl Iterator<Item = (&'static str, &'a str)> {
        let is_whole = |begin: usize, end: usize| {
            let (before, after) = (self.text[..begin].chars().next_back(), self.text[end..].chars().next());
            !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
        };
        let found = phrases.spaced.iter().flat_map(|spaced| spaced.find_overlapping_iter(&self.text));
        found
            .filter(move |one| is_whole(one.start(), one.end()))
            .map(|one| (phrases.words[one.pattern().as_usize()], &self.text[one.end()..]))
    }
}

/// A list of phrases that are looked for in one pass.
pub(super) struct Phrases {
    words: Vec<&'static str>,
    /// None: more than 32 bits can count, which is no list of ours.
    spaced: Option<AhoCorasick>,
    unspaced: Option<AhoCorasick>,
}

impl Phrases {
    pub(super) fn new(list: &[&'static str]) -> Self {
        let is_spaced = |phrase: &&str| phrase.is_ascii() || phrase.contains(' ');
        let (words, unspaced): (Vec<&str>, Vec<&str>) = list.iter().copied().partition(is_spaced);
        Self { spaced: AhoCorasick::new(&words).ok(), unspaced: AhoCorasick::new(&unspaced).ok(), words }
    }
}

/// The word that follows.
fn first_words(rest: &str) -> &str {
    rest.split_whitespace().next().unwrap_or_default()
}

/// Lower case, without accents, German umlauts as two letters: people write them either way.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'ä' => folded.push_str("ae"),
            'ö' => folded.push_str("oe"),
            'ü' => folded.push_str("ue"),
            'ß' => folded.push_str("ss"),
            'à' | 'á' | 'â' | 'ã' => folded.push('a'),
            'è' | 'é' | 'ê' | 'ë' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
            'ò' | 'ó' | 'ô' | 'õ' => folded.push('o'),
            'ù' | 'ú' | 'û' => folded.push('u'),
            'ç' => folded.push('c'),
            'ñ' => folded.push('n'),
            '\u{2019}' | '\u{2bc}' | '`' | '´' => folded.push('\''),
            '"' | '“' | '”' | '„' | '«' | '»' | '「' | '」' | '<' | '>' | '*' | '[' | ']' => folded.push(' '),
            other => folded.push(other),
        }
    }
    folded
}

/// Without questions how we know something: they deny nothing (`How do you know that this is not our domain?`).
fn without_doubts(folded: &str) -> Cow<'_, str> {
    if !folded.contains(['?', '？']) || !DOUBTS.iter().any(|doubt| folded.contains(doubt)) {
        return Cow::Borrowed(folded);
    }
    let mut kept = String::with_capacity(folded.len());
    let (mut sentence, mut before) = (0, ' ');
    for (at, char) in folded.char_indices() {
        // A full stop within a name ends no sentence.
        if matches!(before, '?' | '？' | '!' | '。') || (before == '.' && char.is_whitespace()) {
            kept.push_str(without_doubt(&folded[sentence..at]));
            sentence = at;
        }
        before = char;
    }
    kept.push_str(without_doubt(&folded[sentence..]));
    Cow::Owned(kept)
}

fn without_doubt(sentence: &str) -> &str {
    let begun = sentence.trim_start();
    let doubts = begun.ends_with(['?', '？']) && DOUBTS.iter().any(|doubt| begun.contains(doubt));
    if doubts { " " } else { sentence }
}

/// The text with [`DOMAIN`] in place of each domain that stands for itself, and those domains.
fn marked(text: &str) -> (String, HashSet<String>) {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-.@_+".contains(c);
    let (mut marked, mut domains) = (String::with_capacity(text.len()), HashSet::new());
    let mut rest = text;
    while let Some(begin) = rest.find(is_part) {
        marked.push_str(&rest[..begin]);
        rest = &rest[begin..];
        let word = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        let name = word.trim_end_matches(['.', '-']);
        if is_domain(name) {
            marked.push(DOMAIN);
            domains.insert(name.to_owned());
        } else {
            marked.push_str(name);
        }
        marked.push_str(&word[name.len()..]);
        rest = &rest[word.len()..];
    }
    marked.push_str(rest);
    (marked, domains)
}

fn is_domain(word: &str) -> bool {
    let last = word.rsplit('.').next().unwrap_or_default();
    word.contains('.')
        && !word.contains(['@', '_', '+'])
        && last.len() > 1
        && last.chars().any(|c| c.is_ascii_alphabetic())
        && DomainName::parse(word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_say_it_in_many_ways() {
        for text in [
            "Hello,\nacme.example is not ours, please check.",
            "This doesn’t belong to\r\nus.",
            "You have the wrong company.",
            "We don't own f.example",
            "We do not own the domain f.example.",
            "That domain is not ours",
            "I am not the owner of f.example!",
            "We have nothing to do with b.example",
            "We have nothing to do with the domain b.example.",
            "Sorry, we have nothing to do with that company.",
            "I have nothing to do with this.",
            "Our company has nothing to do with \"b.example\".",
            "Diese Domain gehört uns nicht.",
            "Das ist nicht unsere Domäne",
            "Das ist nicht unsere Domaene.",
            "Diese Domain ist nicht unsere.",
            "Mit b.example haben wir nichts zu tun.",
            "Wir haben mit der Domain b.example nichts zu tun",
            "Wir haben nichts mit b.example zu tun!",
            "Vous avez le mauvais destinataire",
            "Nous n’avons rien à voir avec b.example.",
            "Je n'ai rien a voir avec ce domaine",
            "Ce domaine ne nous appartient pas.",
            "No tenemos nada que ver con b.example",
            "No es nuestro dominio.",
            "弊社はb.exampleとは無関係です。",
            "b.example とは関係ございません。",
            "弊社のドメインではありません",
        ] {
            assert!(says_wrong_recipient(text), "{text}");
        }
    }

    #[test]
    fn what_the_letter_to_a_found_address_asks_people_to_say_is_understood() {
        for (text, language) in [
            ("We have nothing to do with b.example.", "en"),
            ("Wir haben mit b.example nichts zu tun.", "de"),
            ("Nous n’avons rien à voir avec b.example.", "fr"),
            ("No tenemos nada que ver con b.example.", "es"),
            ("b.exampleとは無関係です。", "ja"),
        ] {
            assert!(says_wrong_recipient(text), "{language}");
        }
    }

    #[test]
    fn a_question_about_the_notice_says_nothing_of_the_kind() {
        for text in [
            "Which of our files were exposed?",
            "Is our domain affected?",
            "Is this domain ours or yours?",
            "This is not our fault.",
            "That is not ours to decide: who can?",
            "Why does acme.example stand in your notice, and which files are ours?",
            "This has nothing to do with our contract, has it?",
            "We have nothing to do with your storage server: why were our files there?",
            "Mit Ihrem Server haben wir nichts zu tun. Welche Dateien waren dort?",
            "Nous n'avons rien à voir avec votre serveur. Quels fichiers ?",
            "No tenemos nada que ver con su servidor. ¿Qué archivos?",
            "b.exampleとは関係がありますか。",
            "Who owns acme.example? Who is the owner of these files?",
            "Das ist nicht unsere Schuld. Welche Dateien sind es?",
            "Hat das etwas mit acme.example zu tun?",
            "Gehört uns die Domain acme.example noch?",
            "Warum haben Sie nicht den Eigentümer informiert?",
            "Ce n'est pas à nous de décider. Quels fichiers ?",
            "Ce n'est pas notre faute.",
            "Est-ce que cela a à voir avec notre domaine ?",
            "No es nuestra culpa. ¿Qué archivos?",
            "¿Tiene algo que ver con acme.example?",
            "この件とは関係ありませんが、質問があります。",
            "弊社のドメインでしょうか。",
            "",
        ] {
            assert!(!says_wrong_recipient(text), "{text}");
        }
    }

    #[test]
    fn who_asks_how_we_know_denies_nothing_and_may_deny_beside_it() {
        for text in [
            "How do you know that this is not our domain?",
            "Hello. How do you know that acme.example is not ours? And who are you?",
            "Woher wissen Sie, dass das nicht unsere Domain ist?",
        ] {
            assert!(!says_wrong_recipient(text), "{text}");
        }
        for text in ["How do you know us? This is not our domain.", "Are you sure? acme.example is not ours."] {
            assert!(says_wrong_recipient(text), "{text}");
        }
    }

    #[test]
    fn who_names_a_domain_speaks_of_it_and_who_speaks_of_the_organisation_of_all() {
        let own = ["acme.example".to_owned(), "b.example".to_owned()];
        for text in
            ["acme.example is not ours", "We have nothing to do with https://b.example.", "ACME.example: not ours"]
        {
            assert!(names_one_of(text, &own), "{text}");
        }
        for text in [
            "This is not ours.",
            "You have the wrong organisation. Regards, Ann, acme.example",
            "This is not ours. Ann <ann@acme.example>, www.acme.example",
            "other.example is not ours",
        ] {
            assert!(!names_one_of(text, &own), "{text}");
        }
    }

    #[test]
    fn whoever_names_the_right_address_is_of_the_organisation() {
        let text = "Hi, the right address is SOC@acme.example. Or <dpo@acme.example>, soc@acme.example!";
        let found = other_recipients(text);
        assert_eq!(
            found.iter().map(EmailAddress::as_str).collect::<Vec<_>>(),
            ["soc@acme.example", "dpo@acme.example"]
        );
        assert!(!says_wrong_recipient(text));
        assert!(other_recipients("Ask me: ann@acme.example").is_empty());
    }

    #[test]
    fn whoever_names_an_address_may_be_of_another_organisation_all_the_same() {
        let text = "You have the wrong company. The right address is soc@other.example.";
        assert!(says_wrong_recipient(text));
        assert_eq!(other_recipients(text).len(), 1);
    }
}
