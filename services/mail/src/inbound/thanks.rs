//! Whether a person says no more than thanks.
//!
//! Does not understand text: it looks for phrases. Invariant: in doubt no, for what a person says beside thanks may be an
//! objection; each clause must be thanks, a greeting, or a name below a closing.

/// Words of a text that says no more than thanks, with a signature.
const MOST_WORDS: usize = 40;
/// Words of a name or a place in a signature, in one line.
const A_NAME: usize = 4;
const THANKS: [&str; 35] = [
    "thank",
    "thx",
    "understood",
    "ok",
    "okay",
    "noted",
    "received",
    "got it",
    "fine",
    "all right",
    "alright",
    "agreed",
    "dank",
    "verstanden",
    "in ordnung",
    "zur kenntnis",
    "erhalten",
    "einverstanden",
    "merci",
    "compris",
    "bien reçu",
    "bien noté",
    "d'accord",
    "gracias",
    "entendido",
    "recibido",
    "de acuerdo",
    "conforme",
    "obrigad",
    "grazie",
    "承知",
    "了解",
    "ありがとう",
    "かしこまりました",
    "わかりました",
];
const GREETINGS: [&str; 24] = [
    "hello",
    "hi",
    "dear",
    "good morning",
    "good afternoon",
    "hallo",
    "guten",
    "sehr geehrte",
    "liebe",
    "moin",
    "bonjour",
    "cher",
    "chère",
    "madame",
    "monsieur",
    "hola",
    "estimad",
    "buenos",
    "buenas",
    "ciao",
    "olá",
    "お世話",
    "拝啓",
    "beste",
];
const CLOSINGS: [&str; 20] = [
    "regards",
    "best",
    "kind regards",
    "sincerely",
    "cheers",
    "yours",
    "mit freundlichen",
    "viele grüße",
    "viele grüsse",
    "beste grüße",
    "freundliche",
    "gruß",
    "gruss",
    "cordialement",
    "salutations",
    "bien à vous",
    "saludos",
    "atentamente",
    "敬具",
    "よろしく",
];
/// Words with which thanks are none, or no more than a beginning.
const OTHERWISE: [&str; 34] = [
    "not", "no", "nothing", "never", "but", "however", "although", "though", "without", "still", "unless", "until",
    "nicht", "nichts", "kein", "keine", "nein", "aber", "jedoch", "dennoch", "trotzdem", "ohne", "pas", "ne", "non",
    "mais", "rien", "sans", "pero", "nada", "sin", "sino", "ni", "embargo",
];
const OTHERWISE_WITHIN: [&str; 8] = ["n't", "n’t", "ません", "ない", "しかし", "ですが", "?", "？"];

/// Whether a person's own words say thanks, and nothing else.
pub fn says_only_thanks(new_text: &str) -> bool {
    let text = new_text.to_lowercase();
    let mut words = text.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    if words.clone().nth(MOST_WORDS).is_some()
        || words.any(|word| OTHERWISE.contains(&word))
        || OTHERWISE_WITHIN.iter().any(|part| text.contains(part))
    {
        return false;
    }
    let (mut thanked, mut closed) = (false, false);
    for clause in text.split(['\n', '.', '!', ',', ';', '。', '、', '！', ':']).map(str::trim) {
        if clause.is_empty() {
            continue;
        }
        let short = clause.split_whitespace().count() <= A_NAME;
        if is_thanks(clause) {
            thanked = true;
        } else if CLOSINGS.iter().any(|closing| clause.starts_with(closing)) {
            closed = true;
        } else {
            let greets = GREETINGS.iter().any(|greeting| clause.starts_with(greeting));
            if !short || !(closed || greets) {
                return false;
            }
        }
    }
    thanked
}

/// Longer phrases stand anywhere in a clause of a few words, `ok` and `hi` are words of their own.
fn is_thanks(clause: &str) -> bool {
    let words: Vec<&str> = clause.split_whitespace().collect();
    let says = |phrase: &&str| match phrase.len() > 4 || !phrase.is_ascii() {
        true => clause.contains(*phrase),
        false => {
            words.iter().any(|word| word.starts_with(*phrase) && (word.len() == phrase.len() || *phrase == "dank"))
        }
    };
    words.len() <= 12 && THANKS.iter().any(says)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, thanks: bool) {
        assert_eq!(says_only_thanks(text), thanks, "{text}");
    }

    #[test]
    fn thanks_are_seen_in_several_languages() {
        check("Thank you, understood.", true);
        check("Hello,\n\nthanks for the information!\n\nKind regards\nAnn Doe\nContoso Ltd", true);
        check("OK.", true);
        check("Vielen Dank für die Auskunft.", true);
        check("Bonjour, merci. Cordialement, Anne", true);
        check("Muchas gracias, entendido.", true);
        check("承知しました。ありがとうございます。", true);
    }

    #[test]
    fn whatever_is_said_beside_thanks_is_more() {
        for text in [
            "That is not good enough. Tell us.",
            "Damit sind wir nicht zufrieden.",
            "Nous refusons cette décision.",
            "No nos conformamos con esa respuesta.",
            "納得いきません。",
            "We challenge this refusal.",
            "Thanks for nothing.",
            "Thanks, we will see you in court",
            "Thank you. Tell us.",
            "Thanks, but we need it.",
            "Danke, das reicht uns aber nicht.",
            "Thank you. When will you know?",
            "Regards, Ann",
            "",
        ] {
            check(text, false);
        }
    }
}
