//! What a reader sees of HTML, and what a template writes of its own: the texts in which links are looked for.
//!
//! Judges no link. Invariant: what a program shows as one word is one word here, and line breaks stay where they are.

/// Tags that end a word. Any other stands within one.
const ENDS_A_WORD: [&str; 26] = [
    "body", "br", "caption", "dd", "div", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "html", "li",
    "ol", "p", "style", "table", "td", "th", "title", "tr", "ul",
];

/// What is seen of HTML, then what stands within its tags.
pub fn visible(html: &str) -> String {
    let (mut seen, mut within) = (String::with_capacity(html.len()), String::new());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        seen.push_str(&rest[..at]);
        let tag = &rest[at + 1..];
        if !tag.starts_with(|char: char| char.is_ascii_alphabetic() || "/!?".contains(char)) {
            seen.push('<');
            rest = tag;
            continue;
        }
        let (inner, after) = match tag.strip_prefix("!--") {
            Some(comment) => comment.split_once("-->").unwrap_or((comment, "")),
            None => split_tag(tag),
        };
        let name = inner.trim_start_matches('/').split(|char: char| !char.is_ascii_alphanumeric()).next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        if ENDS_A_WORD.contains(&name.as_str()) {
            seen.push(' ');
        }
        seen.extend(inner.chars().filter(|char| *char == '\n'));
        within.push(' ');
        within.extend(inner.chars().map(|char| if matches!(char, '"' | '\'' | '\n') { ' ' } else { char }));
        rest = after;
    }
    seen.push_str(rest);
    seen.push('\n');
    seen.push_str(&within);
    decoded(&seen)
}

/// A tag's inside and what follows it; `>` within quotation marks does not end it.
fn split_tag(tag: &str) -> (&str, &str) {
    let mut quote = None;
    for (at, char) in tag.char_indices() {
        match (quote, char) {
            (None, '>') => return (&tag[..at], &tag[at + 1..]),
            (None, '"' | '\'') => quote = Some(char),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    (tag, "")
}

/// With the character references that can stand in an address.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('&');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match reference(piece) {
            Some((char, rest)) => {
                decoded.push(char);
                decoded.push_str(rest);
            }
            None => {
                decoded.push('&');
                decoded.push_str(piece);
            }
        }
    }
    decoded
}

fn reference(text: &str) -> Option<(char, &str)> {
    if let Some(number) = text.strip_prefix('#') {
        let (digits, radix) = number.strip_prefix(['x', 'X']).map_or((number, 10), |digits| (digits, 16));
        let length = digits.find(|char: char| !char.is_digit(radix)).unwrap_or(digits.len());
        let char = u32::from_str_radix(&digits[..length], radix).ok().and_then(char::from_u32)?;
        let rest = &digits[length..];
        return Some((char, rest.strip_prefix(';').unwrap_or(rest)));
    }
    let (name, rest) = text.split_once(';')?;
    let char = match name {
        "amp" | "AMP" => '&',
        "lt" | "LT" => '<',
        "gt" | "GT" => '>',
        "quot" | "QUOT" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "shy" => '\u{ad}',
        "ZeroWidthSpace" | "zwnj" | "zwj" | "NoBreak" | "lrm" | "rlm" => '\u{200b}',
        "colon" => ':',
        "sol" => '/',
        "bsol" => '\\',
        "period" => '.',
        "commat" => '@',
        "comma" => ',',
        "semi" => ';',
        "quest" => '?',
        "num" => '#',
        "percnt" => '%',
        "lowbar" => '_',
        "hyphen" | "dash" => '-',
        _ => return None,
    };
    Some((char, rest))
}

/// The words of a template without its comments and blocks; `x` stands for each value.
pub fn words_of_template(source: &str) -> String {
    let mut words = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, tag)) = rest.split_once("{{") {
        words.push_str(before);
        let inner = tag.trim_start_matches(['{', '~']);
        let end = if inner.starts_with("!--") { "--" } else { "" };
        let close = inner.find(&format!("{end}}}}}")).or_else(|| inner.find(&format!("{end}~}}}}")));
        let (inner, after) = match close {
            Some(at) => (&inner[..at], inner[at + end.len()..].trim_start_matches(['~', '}'])),
            None => (inner, ""),
        };
        if !inner.starts_with(['!', '#', '/', '^', '>']) && inner.trim() != "else" {
            words.push('x');
        }
        words.extend(inner.chars().filter(|char| *char == '\n'));
        rest = after;
    }
    words.push_str(rest);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(html: &str) -> String {
        let text = visible(html);
        text.split_once('\n').unwrap().0.to_owned()
    }

    #[test]
    fn tags_within_a_word_are_not_seen_and_others_end_it() {
        assert_eq!(seen("<u>https</u>://<b title='>'>evil</b>.example<br>x"), "https://evil.example x");
        assert_eq!(seen("<td>https://vendor.example</td><td>y</td>").trim(), "https://vendor.example  y");
        assert_eq!(seen("ww<!-- > -->w.evil.example 1 < 2"), "www.evil.example 1 < 2");
    }

    #[test]
    fn character_references_are_what_they_show() {
        assert_eq!(
            seen("https&#58;&#x2F;&sol;evil&period;example &amp;x &what; R&D"),
            "https://evil.example &x &what; R&D"
        );
        assert_eq!(seen("&#x110000; &#;"), "&#x110000; &#;");
    }

    #[test]
    fn what_stands_within_tags_is_looked_at_too() {
        assert!(visible("<a href=\"https://evil.example/\">x</a>").contains("href= https://evil.example/ "));
    }

    #[test]
    fn a_template_has_words_between_its_blocks() {
        for (source, words) in [
            ("https:/{{!-- a }} b --}}/evil.example", "https://evil.example"),
            ("ww{{! x }}w.{{#when code}}evil{{/when}}.example", "www.evil.example"),
            ("https://vendor.example.{{tenant_name}}", "https://vendor.example.x"),
            ("a{{~!-- x --~}}b {{~code~}} c {{", "ab x c x"),
        ] {
            assert_eq!(words_of_template(source), words);
        }
    }
}
