//! The sender's own words: a mail without the quotes of earlier mails and without its signature.
//!
//! Does not understand text; it knows how mail programs mark what they repeat. Invariant: in doubt a line stays. Cut is
//! only what is marked (`>`), what a mail program's own heading introduces, and a short block behind `-- `.

mod between;
mod marks;

pub(super) use between::between;

use super::requests;
use marks::{
    answers_inside, attribution_above_quote, attribution_at, header_block_at, is_deep_quote, is_forward, is_quote,
    is_separator,
};

/// Stands before a line that a reader does not see; no text of a mail can hold it.
pub(super) const HIDDEN: char = '\u{fdd0}';
/// Stands before a line that markup says is quoted.
pub(super) const CITED: char = '\u{fdd1}';
/// Opens a signature (RFC 3676 4.3). People write dashes of their own without the space.
const SIGNATURE_MARK: &str = "-- ";
/// Lines of a signature; what is longer stays.
const SIGNATURE: usize = 12;
/// Lines in which headings are looked for; behind them only marked lines are a quote.
const LOOKED_AT: usize = 4_000;
/// Lines below a heading in which somebody may have gone on in their own words: a repeated letter is longer.
const FEW: usize = 6;
/// Words above a repeated mail that say the answers stand inside it.
const ANSWERS_BELOW: [&str; 34] = [
    "comments",
    "my answers",
    "our answers",
    "my remarks",
    "kommentare",
    "anmerkungen",
    "commentaires",
    "remarques",
    "comentarios",
    "commenti",
    "コメント",
    "in bold",
    "in capitals",
    "en rouge",
    "dans le texte",
    "en rojo",
    "in rosso",
    "in het rood",
    "below",
    "inline",
    "in-line",
    "in line",
    "in red",
    "in blue",
    "in green",
    "unten",
    "im text",
    "in rot",
    "in blau",
    "in grün",
    "ci-dessous",
    "abajo",
    "di seguito",
    "hieronder",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Own,
    Quote,
    /// A quote by markup, and not by what may be a bullet.
    Cited,
    /// A mail program's heading over what it repeats.
    Heading,
    Signature,
    /// What its reader does not see.
    Hidden,
}

impl Line {
    fn is_quote(self) -> bool {
        matches!(self, Self::Quote | Self::Cited)
    }
}

/// A text of a mail without the marks of this module.
pub(super) fn without_marks(text: &str) -> String {
    text.replace([HIDDEN, CITED], "")
}

/// A text with marks as people read it.
pub(super) fn shown(text: &str) -> String {
    text.replace(CITED, "").replace(HIDDEN, "[hidden] ")
}

/// What a mail does with the mail it repeats, by its subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The repeated mail is known already.
    Answers,
    /// The repeated mail is what the sender wants to be read.
    Forwards,
}

impl Purpose {
    /// `Fwd: …` and its translations.
    pub(super) fn of(subject: &str) -> Self {
        const FORWARDS: [&str; 18] = [
            "fwd",
            "fw",
            "wg",
            "tr",
            "rv",
            "enc",
            "i",
            "vb",
            "vl",
            "pd",
            "vs",
            "doorst",
            "转发",
            "轉寄",
            "転送",
            "пересл",
            "전달",
            "ilt",
        ];
        let subject = subject.trim_start().to_lowercase();
        let forwards = subject.split_once([':', '：']).is_some_and(|(word, _)| FORWARDS.contains(&word.trim()));
        if forwards { Self::Forwards } else { Self::Answers }
    }
}

/// A text taken apart.
pub(super) struct Parts {
    /// The sender's own words; empty if it repeats only. What is passed on counts as own.
    pub(super) own: String,
    /// What stands below a heading without marks, to the end, and was taken for a repeated mail.
    pub(super) repeated: String,
}

/// The sender's own words in a text alone.
pub(super) fn own(text: &str, purpose: Purpose) -> String {
    parts(text, purpose).own
}

/// Takes a text apart.
pub(super) fn parts(text: &str, purpose: Purpose) -> Parts {
    let lines: Vec<&str> =
        text.lines().map(|line| if line == SIGNATURE_MARK { line } else { line.trim_end() }).collect();
    let (lines, mut kinds) = marked(&lines);
    let looked_at = lines.len().min(LOOKED_AT);
    let passed_on =
        lines[..looked_at].iter().position(|line| is_forward(line) && !is_quote(line)).unwrap_or(lines.len());
    let known = if purpose == Purpose::Answers { passed_on } else { 0 };
    kinds[known..].iter_mut().filter(|kind| **kind == Line::Cited).for_each(|kind| *kind = Line::Own);
    let repeated = match purpose {
        Purpose::Answers => {
            mark_quotes(&lines[..passed_on], &mut kinds);
            repeated_from(&lines[..passed_on], &mut kinds)
        }
        Purpose::Forwards => None,
    };
    let end = repeated.unwrap_or(lines.len());
    let shown = (end..lines.len()).filter(|at| kinds[*at] != Line::Hidden).map(|at| lines[at]);
    let repeated = shown.collect::<Vec<_>>().join("\n");
    let (lines, kinds) = (&lines[..end], &mut kinds[..end]);
    keep_answers(lines, kinds);
    mark_signature(lines, kinds);
    let own = joined(lines, kinds);
    if !own.is_empty() || kinds.contains(&Line::Heading) {
        return Parts { own, repeated };
    }
    // Nothing but marked lines, and no mail program says that they are a quote: they may be the sender's bullets.
    let bullets = kinds.iter().map(|kind| if kind.is_quote() { Line::Own } else { *kind });
    Parts { own: joined(lines, &bullets.collect::<Vec<_>>()), repeated }
}

/// Lines without marks, and what the marks say they are.
fn marked<'a>(lines: &[&'a str]) -> (Vec<&'a str>, Vec<Line>) {
    let of = |line: &&'a str| match (line.strip_prefix(HIDDEN), line.strip_prefix(CITED)) {
        (Some(line), _) => (line, Line::Hidden),
        (None, Some(line)) => (line, Line::Cited),
        (None, None) => (*line, Line::Own),
    };
    lines.iter().map(of).unzip()
}

/// Whether a text says no more than which telephone it was written on.
pub(super) fn is_mobile_signature(text: &str) -> bool {
    const OPENINGS: [&str; 22] = [
        "sent from my",
        "sent from mail",
        "sent from yahoo",
        "sent from outlook",
        "sent via",
        "sent on the go",
        "get outlook for",
        "von meinem",
        "gesendet von",
        "gesendet mit",
        "diese nachricht wurde von",
        "envoyé de mon",
        "envoyé depuis",
        "enviado desde mi",
        "enviado do meu",
        "inviato da",
        "verstuurd vanaf",
        "verzonden vanaf",
        "skickat från",
        "sendt fra",
        "отправлено с",
        "iphoneから送信",
    ];
    let text = text.trim().trim_start_matches(['-', ' ', '\n']).to_lowercase();
    text.lines().filter(|line| !line.trim().is_empty()).count() <= 2
        && OPENINGS.iter().any(|opening| text.starts_with(opening))
}

/// Lines behind `>`, and the heading directly above them.
fn mark_quotes(lines: &[&str], kinds: &mut [Line]) {
    let mut headed = false;
    for (line, kind) in lines.iter().zip(kinds.iter_mut()) {
        if *kind == Line::Own && is_quote(line) {
            *kind = Line::Quote;
        }
    }
    let mut at = 0;
    while at < lines.len().min(LOOKED_AT) {
        let heading = if kinds[at] == Line::Own { attribution_above_quote(lines, at) } else { None };
        let Some(end) = heading else {
            at += 1;
            continue;
        };
        let below = (end..lines.len()).find(|line| !lines[*line].is_empty());
        if below.is_some_and(|line| kinds[line].is_quote()) {
            kinds[at..end].fill(Line::Heading);
            headed = true;
            at = end;
        } else {
            at += 1;
        }
    }
    // One marked line that nothing introduces may be the sender's own way of writing.
    if !headed && kinds.iter().filter(|kind| **kind == Line::Quote).count() == 1 {
        kinds.iter_mut().filter(|kind| **kind == Line::Quote).for_each(|kind| *kind = Line::Own);
    }
}

/// Where a mail is repeated without marks, to the end. Nothing is cut when no own words stand above, when they say
/// that the answers stand inside, when they do, or when marked quotes follow (then own words may stand between them).
fn repeated_from(lines: &[&str], kinds: &mut [Line]) -> Option<usize> {
    let last_quote = kinds.iter().rposition(|kind| kind.is_quote()).unwrap_or_default();
    let mut above = String::new();
    for at in 0..lines.len().min(LOOKED_AT) {
        if kinds[at] != Line::Own {
            continue;
        }
        let heading = if is_separator(lines[at]) { Some(at + 1) } else { header_block_at(lines, at) };
        let unmarked = || attribution_at(lines, at).filter(|end| names_an_address(&lines[at..*end]));
        let Some(end) = heading.or_else(unmarked) else {
            above.push_str(lines[at].trim());
            above.push('\n');
            continue;
        };
        if above.trim_start().is_empty() {
            return None;
        }
        if last_quote > at && !keep_deep_quotes(&lines[end..], &mut kinds[end..]) {
            kinds[at..end].fill(Line::Heading);
            continue;
        }
        let above = above.to_lowercase();
        let inside = ANSWERS_BELOW.iter().any(|words| above.contains(words)) || answers_inside(&lines[end..]);
        return if inside || goes_on(&lines[end..]) { None } else { Some(at) };
    }
    None
}

/// Who writes into what markup calls a quote says so above it, and writes nothing below.
fn keep_answers(lines: &[&str], kinds: &mut [Line]) {
    let Some(first) = kinds.iter().position(|kind| *kind == Line::Cited) else { return };
    let is_written = |at: &usize| kinds[*at] == Line::Own && !lines[*at].trim().is_empty();
    let above = (0..first).filter(is_written).map(|at| lines[at]).collect::<Vec<_>>().join("\n").to_lowercase();
    if (first..lines.len()).any(|at| is_written(&at)) || !ANSWERS_BELOW.iter().any(|words| above.contains(words)) {
        return;
    }
    kinds.iter_mut().filter(|kind| **kind == Line::Cited).for_each(|kind| *kind = Line::Own);
}

/// As mail programs write one: people write `bob@vendor.example` without brackets around it.
fn names_an_address(heading: &[&str]) -> bool {
    heading.iter().any(|line| line.contains('@'))
        && heading.iter().any(|line| line.contains(['<', '[', '(']) || line.contains("mailto:"))
}

/// Whether no more than a few lines follow, and a later paragraph of them asks something, or one that no empty line parts
/// from the heading: a letter that is repeated is longer, and who pastes a few lines of another text goes on below them.
fn goes_on(below: &[&str]) -> bool {
    let mut written = below.iter().filter(|line| !line.trim().is_empty());
    if written.by_ref().take(FEW).count() == 0 || written.next().is_some() {
        return false;
    }
    if below.first().is_some_and(|line| asks(line)) {
        return true;
    }
    let pasted = below.iter().skip_while(|line| line.trim().is_empty()).skip_while(|line| !line.trim().is_empty());
    pasted.into_iter().any(|line| asks(line))
}

fn asks(line: &str) -> bool {
    line.contains(['?', '？', '؟']) || requests::is_one(line)
}

/// Below an unmarked mail, `>>>` marks what its reader wrote into it, unless there are quotes of one mark, too.
fn keep_deep_quotes(below: &[&str], kinds: &mut [Line]) -> bool {
    let quotes = || below.iter().zip(0..).filter(|(line, _)| is_quote(line)).map(|(_, at): (_, usize)| at);
    if !quotes().all(|at| is_deep_quote(below[at])) {
        return false;
    }
    quotes().for_each(|at| kinds[at] = Line::Own);
    true
}

/// From the mark to the next quote, heading or the end, if that is short and asks nothing.
fn mark_signature(lines: &[&str], kinds: &mut [Line]) {
    let Some(at) = lines.iter().position(|line| *line == SIGNATURE_MARK) else { return };
    let end = (at..lines.len()).find(|line| kinds[*line] != Line::Own).unwrap_or(lines.len());
    let written = lines[at..end].iter().skip(1).filter(|line| !line.is_empty());
    let asks = written.clone().any(|line| line.contains(['?', '？']) || requests::is_one(line));
    if written.count() <= SIGNATURE && !asks {
        kinds[at..end].fill(Line::Signature);
    }
}

fn joined(lines: &[&str], kinds: &[Line]) -> String {
    let mut text = String::new();
    let mut gap = false;
    for (line, kind) in lines.iter().zip(kinds) {
        if *kind != Line::Own || line.trim().is_empty() {
            gap = true;
            continue;
        }
        if !text.is_empty() {
            text.push_str(if gap { "\n\n" } else { "\n" });
        }
        gap = false;
        text.push_str(line.trim_end());
    }
    text
}
