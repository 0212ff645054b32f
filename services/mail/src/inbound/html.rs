//! HTML mail to text: tags gone, blocks on lines of their own, cited mails behind `> `, hidden text marked.
//!
//! No parser and no sanitiser: what comes out is plain text and is shown as such. Invariant: each byte is looked at a
//! bounded number of times, whatever the nesting, and the output is at most [`LONGEST`] bytes and one line.

mod hidden;

use super::words::{CITED, HIDDEN};
use hidden::{end_of_element, hides};

/// Stands where a mail program's markup says that a repeated mail begins.
const SEPARATOR: &str = "-----Original Message-----";
/// Where output ends.
const LONGEST: usize = 1024 * 1024;
/// Quote marks before one line.
const DEEPEST_QUOTE: usize = 8;

/// The text of an HTML document.
pub(super) fn to_text(html: &str) -> String {
    let mut writer = Writer::default();
    let mut missing: Vec<&'static str> = Vec::new();
    let mut unclosed: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        writer.text(&rest[..start]);
        rest = &rest[start..];
        if writer.out.len() > LONGEST {
            return writer.finish();
        }
        if rest.starts_with("<!--")
            && let Some(after) = skip_past(rest, "-->", &mut missing)
        {
            rest = after;
            continue;
        }
        writer.show_from(rest.len());
        let is_tag = rest[1..].starts_with(|next: char| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'));
        let Some((tag, after)) = is_tag.then(|| rest[1..].split_once('>')).flatten() else {
            writer.text("<");
            rest = &rest[1..];
            if is_tag {
                // No tag ends behind this point: the rest is text.
                break;
            }
            continue;
        };
        rest = after;
        let name = tag_name(tag);
        if writer.hidden_until.is_none() && hides(&name, tag) {
            writer.hide_until(end_of_element(rest, &name, &mut unclosed));
        }
        for hidden in ["style", "script", "head", "title"] {
            if name == hidden
                && let Some(after) = skip_past(rest, end_of(hidden), &mut missing)
            {
                rest = after;
            }
        }
        writer.tag(&name, tag);
    }
    writer.text(rest);
    writer.finish()
}

/// Whether an element is the one in which a mail program wraps the mail it repeats.
fn repeats(name: &str, tag: &str) -> bool {
    const IDS: [&str; 12] = [
        "divrplyfwdmsg",
        "olk_src_body_section",
        "stopspelling",
        "yahoo_quoted",
        "zmail_extra",
        "protonmail_quote",
        "tutanota_quote",
        "mail-editor-reference-message-container",
        "outlookmessageheader",
        "qmail_quote",
        "ntes_quote",
        "ymail_quoted",
    ];
    if !matches!(name, "div" | "span" | "hr" | "table" | "section") || tag.len() < 10 {
        return false;
    }
    let attributes: String = tag.chars().take(400).collect::<String>().to_ascii_lowercase();
    // Outlook draws a line of this colour above the header block, in every language.
    let line = attributes.contains("border-top:solid")
        && ["#e1e1e1", "#b5c4df"].iter().any(|colour| attributes.contains(colour));
    line || IDS.iter().any(|id| attributes.contains(id))
}

/// What follows the next `end`; an end that was missed once is not looked for again.
fn skip_past<'a>(rest: &'a str, end: &'static str, missing: &mut Vec<&'static str>) -> Option<&'a str> {
    if missing.contains(&end) {
        return None;
    }
    let bytes = rest.as_bytes();
    let found = bytes.windows(end.len()).position(|window| window.eq_ignore_ascii_case(end.as_bytes()));
    match found {
        Some(at) => rest.get(at + end.len()..),
        None => {
            missing.push(end);
            None
        }
    }
}

fn end_of(name: &str) -> &'static str {
    match name {
        "style" => "</style>",
        "script" => "</script>",
        "head" => "</head>",
        _ => "</title>",
    }
}

/// `/p` for `</P class=x>`.
fn tag_name(tag: &str) -> String {
    let name =
        tag.chars().enumerate().take_while(|(at, char)| char.is_ascii_alphanumeric() || (*at == 0 && *char == '/'));
    name.take(12).map(|(_, char)| char.to_ascii_lowercase()).collect()
}

#[derive(Debug, Default)]
struct Writer {
    out: String,
    /// The line that is being written, without its quote marks.
    line: String,
    /// For each open blockquote whether it cites a mail.
    quotes: Vec<bool>,
    /// The line before is empty, but for quote marks.
    blank: bool,
    /// A space stands before the next word.
    space: bool,
    /// How much of the document is left where the hidden part ends.
    hidden_until: Option<usize>,
}

impl Writer {
    /// Character references are resolved once the line is complete, so that `&nbsp;` keeps its place.
    fn text(&mut self, raw: &str) {
        for char in raw.chars() {
            if char.is_whitespace() && char != '\u{a0}' {
                self.space = true;
                continue;
            }
            if self.space && !self.line.is_empty() {
                self.line.push(' ');
            }
            self.space = false;
            self.line.push(if char == '\u{a0}' { ' ' } else { char });
        }
    }

    fn hide_until(&mut self, left: Option<usize>) {
        if left.is_some() {
            self.start_line();
            self.hidden_until = left;
        }
    }

    fn show_from(&mut self, left: usize) {
        if self.hidden_until.is_some_and(|end| left <= end) {
            self.start_line();
            self.hidden_until = None;
        }
    }

    fn tag(&mut self, name: &str, tag: &str) {
        if repeats(name, tag) {
            self.start_line();
            self.line.push_str(SEPARATOR);
            self.end_line();
        }
        match name {
            "br" => self.end_line(),
            "p" | "/p" | "/table" | "/ul" | "/ol" | "hr" | "/h1" | "/h2" | "/h3" | "/h4" => {
                self.start_line();
                self.gap();
            }
            "div" | "/div" | "tr" | "/tr" | "/li" | "table" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "pre"
            | "/pre" | "body" | "/body" => self.start_line(),
            "li" => {
                self.start_line();
                self.line.push_str("- ");
            }
            "td" | "th" => self.space = true,
            "blockquote" => {
                self.start_line();
                let attributes = tag.get("blockquote".len()..).unwrap_or_default().to_ascii_lowercase();
                // A bar on the left is how webmailers show a quote; a margin alone is an indentation of the sender's.
                let cites = attributes.trim_matches(['/', ' ']).is_empty()
                    || ["cite", "quote", "border-left"].iter().any(|mark| attributes.contains(mark));
                self.quotes.push(cites);
            }
            "/blockquote" => {
                self.start_line();
                self.quotes.pop();
            }
            _ => {}
        }
    }

    /// Ends the line if anything is on it.
    fn start_line(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let marks = self.marks();
        if self.hidden_until.is_some() && !self.line.is_empty() {
            self.out.push(HIDDEN);
        } else if marks > 0 {
            self.out.push(CITED);
        }
        for _ in 0..marks {
            self.out.push('>');
        }
        if marks > 0 && !self.line.is_empty() {
            self.out.push(' ');
        }
        let line = std::mem::take(&mut self.line);
        self.blank = line.is_empty();
        self.out.push_str(entities(&line).trim_end());
        self.out.push('\n');
        self.space = false;
    }

    /// One empty line, not two.
    fn gap(&mut self) {
        if !self.out.is_empty() && !self.blank {
            self.end_line();
        }
    }

    fn marks(&self) -> usize {
        // Only so many are looked at that the work a line makes stays bounded.
        self.quotes.iter().take(4 * DEEPEST_QUOTE).filter(|cites| **cites).count().min(DEEPEST_QUOTE)
    }

    fn finish(mut self) -> String {
        self.start_line();
        self.out
    }
}

/// Character references resolved; unknown ones stay.
fn entities(text: &str) -> String {
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        match end.and_then(|end| Some((character(rest.get(1..end)?)?, end))) {
            Some((char, end)) => {
                resolved.push(char);
                rest = &rest[end + 1..];
            }
            None => {
                resolved.push('&');
                rest = &rest[1..];
            }
        }
    }
    resolved.push_str(rest);
    resolved
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).map(|char| if char == '\u{a0}' { ' ' } else { char });
    }
    const NAMED: [(&str, char); 36] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("auml", 'ä'),
        ("ouml", 'ö'),
        ("uuml", 'ü'),
        ("Auml", 'Ä'),
        ("Ouml", 'Ö'),
        ("Uuml", 'Ü'),
        ("szlig", 'ß'),
        ("eacute", 'é'),
        ("egrave", 'è'),
        ("ecirc", 'ê'),
        ("agrave", 'à'),
        ("aacute", 'á'),
        ("acirc", 'â'),
        ("ccedil", 'ç'),
        ("iacute", 'í'),
        ("oacute", 'ó'),
        ("ocirc", 'ô'),
        ("uacute", 'ú'),
        ("ntilde", 'ñ'),
        ("iquest", '¿'),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("bdquo", '„'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("ndash", '–'),
        ("mdash", '—'),
        ("hellip", '…'),
        ("euro", '€'),
        ("laquo", '«'),
    ];
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, char)| *char)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_stand_on_lines_and_cited_mails_behind_marks() {
        let html = "<html><head><style>p{color:red}</style></head><body><div>Is it &uuml;ber?</div><p>a<br>b &lt;c&gt;\
                    </p><blockquote type=\"cite\"><div>old</div><div>mail</div></blockquote><ul><li>x</li></ul></body>";
        let text = to_text(html).replace(CITED, "");
        assert_eq!(text, "Is it über?\n\na\nb <c>\n\n> old\n> mail\n- x\n\n");
    }

    #[test]
    fn an_own_indentation_is_no_quote() {
        assert_eq!(to_text("<blockquote style=\"margin:0\">mine</blockquote>"), "mine\n");
        assert_eq!(to_text("<blockquote>theirs</blockquote>"), format!("{CITED}> theirs\n"));
    }

    #[test]
    fn what_a_reader_does_not_see_is_marked_and_what_is_never_closed_is_seen() {
        for style in ["style='display: none'", "style=\"mso-hide:all;x:y\"", "hidden", "style=visibility:hidden"] {
            let html = format!("<p>Which?</p><div {style}>a<div>b?</div></div>And who?");
            assert_eq!(to_text(&html), format!("Which?\n\n{HIDDEN}a\n{HIDDEN}b?\nAnd who?\n"), "{style}");
        }
        assert_eq!(to_text("<div style='display:none'>Which?"), "Which?\n");
        assert_eq!(to_text("<div style='display:block'>Which?</div>"), "Which?\n");
    }

    #[test]
    fn text_that_only_looks_like_markup_is_kept() {
        assert_eq!(to_text("1 < 2 & 3 &unknown; <b never closed"), "1 < 2 & 3 &unknown; <b never closed\n");
        assert_eq!(to_text("<style>never closed <p>text"), "never closed\n\ntext\n");
        assert_eq!(to_text("a <!-- never closed > b"), "a b\n");
    }

    #[test]
    fn a_hundred_thousand_open_tags_take_no_time() {
        for tag in [
            "<div>",
            "<blockquote type=cite>",
            "<div hidden>",
            "<p hidden></div>",
            "<style>",
            "<!--",
            "<b",
            "<",
            "&",
            "&#",
        ] {
            let text = to_text(&tag.repeat(100_000));
            assert!(text.len() <= LONGEST + 100_000);
        }
    }

    proptest! {
        #[test]
        fn any_text_passes(html in ".{0,300}") {
            to_text(&html);
        }

        #[test]
        fn any_markup_passes(html in "(<|>|/|p|br|blockquote cite|style|!--|-->|&|#x|;|ü| ){0,60}") {
            to_text(&html);
        }
    }
}
