//! Whether a person says that a notice came to the wrong place.
//!
//! Does not understand text. Invariant: in doubt yes: what follows is that sending stops and a person looks.

/// What people write, lower case. Source: the phrases that abuse desks and support teams see, per language.
const PHRASES: [&str; 62] = [
    // English
    "not our organisation",
    "not our organization",
    "not our company",
    "not our domain",
    "not our domains",
    "isn't our domain",
    "isn't our company",
    "is not ours",
    "isn't ours",
    "are not ours",
    "aren't ours",
    "does not belong to us",
    "doesn't belong to us",
    "do not belong to us",
    "don't belong to us",
    "no longer belongs to us",
    "not related to us",
    "nothing to do with us",
    "wrong recipient",
    "wrong organisation",
    "wrong organization",
    "wrong company",
    "wrong address",
    "sent to the wrong",
    "not the right recipient",
    "not the right contact",
    "not the correct recipient",
    "not intended for us",
    "the right address is",
    "the right contact is",
    "the correct address is",
    "the correct contact is",
    // German
    "nicht unser unternehmen",
    "nicht unsere firma",
    "nicht unsere organisation",
    "nicht unsere domain",
    "gehört uns nicht",
    "gehört nicht uns",
    "gehört nicht zu uns",
    "gehören nicht zu uns",
    "falscher empfänger",
    "falschen empfänger",
    "falscher ansprechpartner",
    "falsche adresse",
    "die richtige adresse",
    // French
    "pas notre société",
    "pas notre entreprise",
    "pas notre organisation",
    "pas notre domaine",
    "ne nous appartient pas",
    "mauvais destinataire",
    "la bonne adresse",
    // Spanish, Italian, Portuguese, Dutch
    "no es nuestra empresa",
    "no nos pertenece",
    "destinatario equivocado",
    "non è la nostra azienda",
    "non ci appartiene",
    "destinatario sbagliato",
    "não é a nossa empresa",
    "niet ons bedrijf",
    // Japanese
    "弊社のものではありません",
    "宛先が間違って",
];

/// Whether a person's own words say that they are not whom the notice is about.
pub fn says_wrong_recipient(new_text: &str) -> bool {
    let text: String = new_text.to_lowercase().replace('\u{2019}', "'");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    PHRASES.iter().any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_say_it_in_many_ways() {
        for text in [
            "Hello,\nacme.example is not ours, please check.",
            "This doesn’t belong to\r\nus.",
            "Diese Domain gehört uns nicht.",
            "Vous avez le mauvais destinataire",
            "The right address is soc@acme.example",
        ] {
            assert!(says_wrong_recipient(text), "{text}");
        }
    }

    #[test]
    fn a_question_about_the_notice_says_nothing_of_the_kind() {
        for text in ["Which of our files were exposed?", "Is our domain affected?", ""] {
            assert!(!says_wrong_recipient(text), "{text}");
        }
    }
}
