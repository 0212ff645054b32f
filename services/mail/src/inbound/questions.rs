//! What a person asks: proposed questions, one for each sentence that ends with a question mark.
//!
//! Proposes only; an agent may split, join or add. Invariant: a text with words is never without a question, and no
//! question is dropped: what exceeds [`MOST`] is joined to the last, and what exceeds [`LONGEST`] says so.

/// The most questions of one mail.
const MOST: usize = 100;
/// Characters of one question; people's mails are shorter as a whole.
const LONGEST: usize = 100_000;
/// Stands at the end of a question that is longer.
const CUT: &str = " (… this question goes on: read the whole mail)";
/// Words with a full stop that end no sentence, lower case.
const ABBREVIATIONS: [&str; 28] = [
    "bzw", "ca", "dr", "evtl", "ggf", "hr", "fr", "frau", "inkl", "mr", "mrs", "ms", "nr", "no", "prof", "sog", "st",
    "str", "tel", "usw", "vgl", "vs", "etc", "incl", "approx", "abs", "art", "zzgl",
];

/// Proposed questions in the sender's own words; empty only if the text is.
pub fn questions(new_text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for sentence in &asked(new_text) {
        let full = found.len() == MOST;
        match found.last_mut() {
            // What is joined stays bounded: four bytes make a character at most.
            Some(last) if full && last.len() > 4 * LONGEST => break,
            Some(last) if full => {
                last.push(' ');
                last.push_str(sentence);
            }
            _ => found.push(sentence.to_owned()),
        }
    }
    if found.is_empty() && !new_text.trim().is_empty() {
        found.push(new_text.trim().to_owned());
    }
    found.into_iter().map(whole).collect()
}

/// Every sentence with a question mark.
pub(super) fn asked(text: &str) -> Vec<String> {
    let paragraphs = paragraphs(text);
    let sentences = paragraphs.iter().flat_map(|paragraph| sentences(paragraph));
    sentences.filter(|sentence| is_question(sentence)).map(str::to_owned).collect()
}

fn whole(mut question: String) -> String {
    if let Some((end, _)) = question.char_indices().nth(LONGEST) {
        question.truncate(end);
        question.push_str(CUT);
    }
    question
}

/// Lines joined; an empty line and a bullet begin a new paragraph.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        let (line, bullet) = without_bullet(line.trim());
        if line.is_empty() {
            open = false;
            continue;
        }
        match paragraphs.last_mut() {
            Some(last) if open && !bullet => {
                last.push(' ');
                last.push_str(line);
            }
            _ => paragraphs.push(line.to_owned()),
        }
        open = true;
    }
    paragraphs
}

/// `- x`, `* x`, `• x`, `3. x`, `3) x`, `(3) x`, `a) x`.
fn without_bullet(line: &str) -> (&str, bool) {
    for bullet in ["- ", "* ", "• ", "– ", "· "] {
        if let Some(rest) = line.strip_prefix(bullet) {
            return (rest.trim_start(), true);
        }
    }
    let open = line.strip_prefix('(').unwrap_or(line);
    let Some(end) = open.char_indices().take(4).find(|(_, char)| matches!(char, '.' | ')')).map(|(at, _)| at) else {
        return (line, false);
    };
    let (number, rest) = (&open[..end], &open[end + 1..]);
    let counts = !number.is_empty() && number.chars().all(|char| char.is_ascii_digit());
    let letters = number.len() == 1 && number.chars().all(char::is_alphabetic) && open[end..].starts_with(')');
    if (counts || letters) && rest.starts_with(' ') { (rest.trim_start(), true) } else { (line, false) }
}

/// The sentences of a paragraph, each with its end mark.
fn sentences(paragraph: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut chars = paragraph.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let mut end = at + char.len_utf8();
        if !matches!(char, '.' | '!' | '?' | '。' | '！' | '？' | '؟') {
            continue;
        }
        while let Some((at, more)) = chars.next_if(|(_, next)| closes(*next)) {
            end = at + more.len_utf8();
        }
        if ends_sentence(char, &paragraph[start..at], &paragraph[end..]) {
            sentences.push(paragraph[start..end].trim());
            start = end;
        }
    }
    sentences.push(paragraph[start..].trim());
    sentences.retain(|sentence| !sentence.is_empty());
    sentences
}

/// What may stand between the mark and the next sentence: more marks, quotes, brackets.
fn closes(char: char) -> bool {
    matches!(char, '.' | '!' | '?' | '？' | '！' | '"' | '\'' | '”' | '“' | '’' | '»' | '«' | ')' | ']' | '*' | '」')
}

fn ends_sentence(mark: char, before: &str, after: &str) -> bool {
    if matches!(mark, '。' | '！' | '？') || after.is_empty() {
        return true;
    }
    // No space behind it: a name, a figure or an address (`https://x.example/?a=b`).
    if !after.starts_with(char::is_whitespace) {
        return false;
    }
    if mark != '.' {
        return true;
    }
    let word =
        before.rsplit(|char: char| char.is_whitespace() || char == '.' || char == '(').next().unwrap_or_default();
    let abbreviated = word.chars().count() <= 1
        || word.chars().all(|char| char.is_ascii_digit())
        || ABBREVIATIONS.contains(&word.to_lowercase().as_str());
    !abbreviated && !after.trim_start().starts_with(char::is_lowercase)
}

fn is_question(sentence: &str) -> bool {
    let marks = sentence.trim_end_matches(|char: char| closes(char) && !matches!(char, '?' | '？'));
    marks.ends_with(['?', '？', '؟']) && sentence.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(questions(text), expected);
    }

    #[test]
    fn each_sentence_with_a_question_mark_is_a_question() {
        check(
            "Hello.\nWhich files\nare these? Thanks. Is our key in it?",
            &["Which files are these?", "Is our key in it?"],
        );
    }

    #[test]
    fn a_text_without_a_question_mark_is_one_question() {
        check("Please send us the list of files.\n\nRegards", &["Please send us the list of files.\n\nRegards"]);
        check(" \n ", &[]);
    }

    #[test]
    fn abbreviations_figures_and_addresses_end_no_sentence() {
        check(
            "Sind z. B. Rechnungen von Dr. Meier vom 3. Mai dabei?",
            &["Sind z. B. Rechnungen von Dr. Meier vom 3. Mai dabei?"],
        );
        check(
            "Is e.g. https://x.example/?a=b and v1.2 affected?",
            &["Is e.g. https://x.example/?a=b and v1.2 affected?"],
        );
    }

    #[test]
    fn bullets_part_questions() {
        check(
            "We ask:\n1. Which users?\n2) Since when?\n- And \"where\"?\"",
            &["Which users?", "Since when?", "And \"where\"?\""],
        );
    }

    #[test]
    fn full_width_marks_count() {
        check("どのファイルですか？いつからですか？よろしく。", &["どのファイルですか？", "いつからですか？"]);
        check("Really?! Yes.", &["Really?!"]);
    }

    fn many(count: usize) -> String {
        (1..=count).map(|number| format!("{number}. Was file {number} opened by anybody outside?\n")).collect()
    }

    #[test]
    fn a_hundred_questions_are_a_hundred() {
        let found = questions(&many(100));
        assert_eq!((found.len(), found[99].as_str()), (100, "Was file 100 opened by anybody outside?"));
    }

    #[test]
    fn the_last_question_carries_what_is_more_than_a_hundred_whole() {
        let found = questions(&many(200));
        assert_eq!(found.len(), 100);
        for number in 100..=200 {
            assert!(found[99].contains(&format!("Was file {number} opened by anybody outside?")), "{number}");
        }
    }

    #[test]
    fn a_long_request_is_one_question_whole_and_one_without_end_says_that_it_was_cut() {
        let request = format!("Please send {}.", "the list of files and ".repeat(400));
        assert_eq!(questions(&request), [request.as_str()]);
        let found = questions(&many(20_000));
        assert!(found[99].ends_with(CUT), "{}", found[99].len());
        assert!(questions(&"word ".repeat(LONGEST))[0].ends_with(CUT));
    }

    proptest! {
        #[test]
        fn a_text_with_words_is_never_without_a_question(text in "(a|Z|\\?|？|\\.|!| |\n|- |1\\. |\"|ß){0,80}") {
            let found = questions(&text);
            prop_assert_eq!(found.is_empty(), text.trim().is_empty());
            prop_assert!(found.len() <= MOST && found.iter().all(|one| one.chars().count() <= LONGEST + CUT.len()));
        }
    }
}
