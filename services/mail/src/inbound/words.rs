//! The sender's own words: a mail without the quotes of earlier mails and without its signature.
//!
//! Does not understand text; it knows how mail programs mark what they repeat. Invariant: in doubt a line stays. Cut is
//! only what is marked (`>`), what a mail program's own heading introduces, and a short block behind `-- `.

mod marks;

use marks::{attribution_at, header_block_at, is_quote, is_separator};

/// Opens a signature (RFC 3676 4.3). People write dashes of their own without the space.
const SIGNATURE_MARK: &str = "-- ";
/// Lines of a signature; what is longer stays.
const SIGNATURE: usize = 12;
/// Words above a repeated mail that say the answers stand inside it.
const ANSWERS_BELOW: [&str; 16] = [
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
    /// A mail program's heading over what it repeats.
    Heading,
    Signature,
}

/// The sender's own words in a text; empty if it repeats only.
pub(super) fn own(text: &str) -> String {
    let lines: Vec<&str> =
        text.lines().map(|line| if line == SIGNATURE_MARK { line } else { line.trim_end() }).collect();
    let mut kinds = vec![Line::Own; lines.len()];
    mark_quotes(&lines, &mut kinds);
    let end = repeated_from(&lines, &mut kinds).unwrap_or(lines.len());
    let (lines, kinds) = (&lines[..end], &mut kinds[..end]);
    mark_signature(lines, kinds);
    let own = joined(lines, kinds);
    if !own.is_empty() || kinds.contains(&Line::Heading) {
        return own;
    }
    // Nothing but marked lines, and no mail program says that they are a quote: they may be the sender's bullets.
    let bullets = kinds.iter().map(|kind| if *kind == Line::Quote { Line::Own } else { *kind });
    joined(lines, &bullets.collect::<Vec<_>>())
}

/// Lines behind `>`, and the heading directly above them.
fn mark_quotes(lines: &[&str], kinds: &mut [Line]) {
    for (line, kind) in lines.iter().zip(kinds.iter_mut()) {
        if is_quote(line) {
            *kind = Line::Quote;
        }
    }
    let mut at = 0;
    while at < lines.len() {
        let heading = if kinds[at] == Line::Own { attribution_at(lines, at) } else { None };
        let Some(end) = heading else {
            at += 1;
            continue;
        };
        let below = (end..lines.len()).find(|line| !lines[*line].is_empty());
        if below.is_some_and(|line| kinds[line] == Line::Quote) {
            kinds[at..end].fill(Line::Heading);
        }
        at = end;
    }
}

/// Where a mail is repeated without marks, to the end. Nothing is cut when no own words stand above, when they say
/// that the answers stand inside, or when marked quotes follow (then own words may stand between them).
fn repeated_from(lines: &[&str], kinds: &mut [Line]) -> Option<usize> {
    let last_quote = kinds.iter().rposition(|kind| *kind == Line::Quote).unwrap_or_default();
    let mut above = String::new();
    for at in 0..lines.len() {
        if kinds[at] != Line::Own {
            continue;
        }
        let heading = if is_separator(lines[at]) { Some(at + 1) } else { header_block_at(lines, at) };
        let unmarked = || attribution_at(lines, at).filter(|end| lines[at..*end].iter().any(|line| line.contains('@')));
        let Some(end) = heading.or_else(unmarked) else {
            above.push_str(lines[at].trim());
            above.push('\n');
            continue;
        };
        if above.trim_start().is_empty() {
            return None;
        }
        if last_quote > at {
            kinds[at..end].fill(Line::Heading);
            continue;
        }
        let above = above.to_lowercase();
        return if ANSWERS_BELOW.iter().any(|words| above.contains(words)) { None } else { Some(at) };
    }
    None
}

/// From the mark to the next quote, heading or the end, if that is short and asks nothing.
fn mark_signature(lines: &[&str], kinds: &mut [Line]) {
    let Some(at) = lines.iter().position(|line| *line == SIGNATURE_MARK) else { return };
    let end = (at..lines.len()).find(|line| kinds[*line] != Line::Own).unwrap_or(lines.len());
    let written = lines[at..end].iter().skip(1).filter(|line| !line.is_empty());
    let asks = written.clone().any(|line| line.contains(['?', '？']));
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
