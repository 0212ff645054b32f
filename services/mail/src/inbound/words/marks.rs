//! How mail programs mark what they repeat, in the languages they ship with.
//!
//! Looks at a few lines at a time and at bounded lengths, so that marking a text takes linear time.

/// Lines that a heading like `On … wrote:` is folded over.
const FOLDED: usize = 4;
/// Bytes of such a heading.
const HEADING: usize = 600;

/// Openings of a heading above a quote.
const OPENINGS: [&str; 14] =
    ["on ", "am ", "le ", "el ", "il ", "op ", "em ", "den ", "dnia ", "w dniu ", "på ", "quoting ", "zitat ", "a "];
/// Verbs in it.
const VERBS: [&str; 16] = [
    "wrote",
    "writes",
    "schrieb",
    "a écrit",
    "escribió",
    "ha scritto",
    "scrisse",
    "schreef",
    "escreveu",
    "napisał",
    "skrev",
    "kirjoitti",
    "írta",
    "napsal",
    "quoting",
    "zitat von",
];
/// Names of the From field in repeated header blocks.
const FROM: [&str; 8] = ["from", "von", "de", "da", "van", "från", "fra", "od"];
/// Names of the other fields there.
const OTHERS: [&str; 33] = [
    "sent",
    "date",
    "to",
    "cc",
    "subject",
    "reply-to",
    "importance",
    "gesendet",
    "datum",
    "an",
    "betreff",
    "envoyé",
    "à",
    "objet",
    "enviado",
    "fecha",
    "para",
    "asunto",
    "inviato",
    "data",
    "a",
    "oggetto",
    "verzonden",
    "aan",
    "onderwerp",
    "skickat",
    "till",
    "ämne",
    "sendt",
    "til",
    "emne",
    "assunto",
    "priorität",
];
/// Words between the dashes of a separator.
const SEPARATORS: [&str; 9] = [
    "original message",
    "original-nachricht",
    "originalnachricht",
    "ursprüngliche nachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "mensagem original",
];

/// A line behind `>`.
pub(super) fn is_quote(line: &str) -> bool {
    line.starts_with('>') || line.starts_with(" >")
}

/// `-----Original Message-----` and its translations.
pub(super) fn is_separator(line: &str) -> bool {
    let line = line.trim();
    line.len() < 200 && line.starts_with(['-', '_']) && {
        let words = line.trim_matches(|char: char| matches!(char, '-' | '_') || char.is_whitespace()).to_lowercase();
        SEPARATORS.contains(&words.as_str())
    }
}

/// The end of a heading `On … wrote:` that begins on this line. A heading that begins further down is left to that
/// line, so that own words above it stay.
pub(super) fn attribution_at(lines: &[&str], at: usize) -> Option<usize> {
    let end = (at..lines.len().min(at + FOLDED))
        .take_while(|line| !lines[*line].is_empty())
        .find(|line| ends_so(lines[*line]))?;
    let matches = |from: usize| is_attribution(&lines[from..=end]);
    (matches(at) && !(at + 1..=end).any(matches)).then_some(end + 1)
}

fn ends_so(line: &str) -> bool {
    line.ends_with([':', '：'])
}

fn is_attribution(lines: &[&str]) -> bool {
    if lines.iter().map(|line| line.len()).sum::<usize>() > HEADING {
        return false;
    }
    let heading = lines.join(" ").trim().to_lowercase();
    let dated = heading.contains(|char: char| char.is_ascii_digit());
    let addressed = heading.contains('@');
    let opens = OPENINGS.iter().any(|opening| heading.starts_with(opening));
    let says = VERBS.iter().any(|verb| heading.contains(verb));
    let one_line = lines.len() == 1;
    (says && dated && opens)
        || (says && addressed && (opens || one_line))
        || (one_line
            && dated
            && addressed
            && heading.contains('<')
            && heading.starts_with(|char: char| char.is_ascii_digit()))
}

/// The end of a repeated header block (`From: … Sent: … To: … Subject: …`) that begins on this line: From first, then
/// at least two other fields within the next lines.
pub(super) fn header_block_at(lines: &[&str], at: usize) -> Option<usize> {
    if !FROM.contains(&field(lines[at])?.as_str()) {
        return None;
    }
    let mut end = at + 1;
    let mut fields = 0;
    let mut empty = 0;
    for (number, line) in lines.iter().enumerate().skip(at + 1).take(10) {
        match field(line) {
            Some(name) if OTHERS.contains(&name.as_str()) => {
                fields += 1;
                end = number + 1;
            }
            // Long lists of recipients are folded; some programs put empty lines between the fields.
            _ if line.is_empty() && empty < 3 => empty += 1,
            _ if line.starts_with([' ', '\t']) || line.contains('@') => {}
            _ => break,
        }
    }
    (fields >= 2).then_some(end)
}

/// The name before the colon, without stars around it (bold in text) and in lower case.
fn field(line: &str) -> Option<String> {
    let line = line.trim_start_matches(['*', ' ']);
    let colon = line.char_indices().take(24).find(|(_, char)| matches!(char, ':' | '：'))?.0;
    Some(line[..colon].trim_matches(['*', ' ', '\u{a0}']).to_lowercase())
}
