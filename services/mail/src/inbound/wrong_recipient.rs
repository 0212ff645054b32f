//! Whether a person says that a notice came to the wrong place.
//!
//! Does not understand text. Invariant: in doubt yes: what follows is that sending stops and a person looks.

use model::email::EmailAddress;

/// Addresses that are taken from one mail.
const MOST: usize = 5;

/// What people write, lower case. Source: the phrases that abuse desks and support teams see, per language.
const NOT_OURS: [&str; 52] = [
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
    "sent to the wrong",
    "not the right recipient",
    "not the correct recipient",
    "not intended for us",
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
    // French
    "pas notre société",
    "pas notre entreprise",
    "pas notre organisation",
    "pas notre domaine",
    "ne nous appartient pas",
    "mauvais destinataire",
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

/// What people write who are of the organisation, and not the ones to be told.
const OTHER_PERSON: [&str; 10] = [
    "wrong address",
    "not the right contact",
    "the right address is",
    "the right contact is",
    "the correct address is",
    "the correct contact is",
    "falscher ansprechpartner",
    "falsche adresse",
    "die richtige adresse",
    "la bonne adresse",
];

/// Whether a person's own words say that they are not whom the notice is about.
pub fn says_wrong_recipient(new_text: &str) -> bool {
    says(new_text, &NOT_OURS)
}

/// The addresses that a person names as the right ones to write to, each once, five at most; none where the words say
/// nothing of the kind.
pub fn other_recipients(new_text: &str) -> Vec<EmailAddress> {
    if !says(new_text, &OTHER_PERSON) {
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

fn says(new_text: &str, phrases: &[&str]) -> bool {
    let text: String = new_text.to_lowercase().replace('\u{2019}', "'");
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    phrases.iter().any(|phrase| text.contains(phrase))
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
        ] {
            assert!(says_wrong_recipient(text), "{text}");
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
    fn a_question_about_the_notice_says_nothing_of_the_kind() {
        for text in ["Which of our files were exposed?", "Is our domain affected?", ""] {
            assert!(!says_wrong_recipient(text), "{text}");
        }
    }
}
