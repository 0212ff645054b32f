//! Escapes of JSON and of markup back to characters, in a stream.
//!
//! Not a parser: what only looks like an escape is let through. Invariant: holds no more than one escape, and text
//! without escapes comes out as it went in.

/// Longest escape that is resolved, in bytes: `&CounterClockwise…` is no character that addresses have.
const LONGEST: usize = 12;

/// Which escapes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    None,
    /// `\n`, `\/`, `\u0040`.
    Json,
    /// `&amp;`, `&#64;`, `&#x40;`.
    Markup,
}

/// Text on its way, with the beginning of an escape that is not finished.
#[derive(Debug)]
pub(crate) struct Unescape {
    escapes: Escapes,
    pending: String,
}

impl Unescape {
    pub(crate) fn new(escapes: Escapes) -> Self {
        Self { escapes, pending: String::new() }
    }

    /// Passes text on.
    pub(crate) fn push(&mut self, text: &str, out: &mut dyn FnMut(&str)) {
        let sign = match self.escapes {
            Escapes::None => return out(text),
            Escapes::Json => '\\',
            Escapes::Markup => '&',
        };
        let mut text = text;
        loop {
            if self.pending.is_empty() {
                let at = text.find(sign).unwrap_or(text.len());
                let (plain, rest) = text.split_at(at);
                if !plain.is_empty() {
                    out(plain);
                }
                text = rest;
            }
            let Some(next) = text.chars().next() else { return };
            if next == sign && !self.pending.is_empty() && self.pending != "\\" {
                // The one before was none.
                self.flush(out);
            }
            self.pending.push(next);
            text = &text[next.len_utf8()..];
            let resolved = match self.escapes {
                Escapes::Json => json(&self.pending),
                _ => markup(&self.pending),
            };
            match resolved {
                Escape::Unfinished => {}
                Escape::Is(character) => {
                    self.pending.clear();
                    out(character.encode_utf8(&mut [0; 4]));
                }
                Escape::IsNone => self.flush(out),
            }
        }
    }

    /// Passes on what was held back.
    pub(crate) fn end(&mut self, out: &mut dyn FnMut(&str)) {
        self.flush(out);
    }

    fn flush(&mut self, out: &mut dyn FnMut(&str)) {
        if !self.pending.is_empty() {
            out(&self.pending);
            self.pending.clear();
        }
    }
}

enum Escape {
    Unfinished,
    Is(char),
    IsNone,
}

fn json(pending: &str) -> Escape {
    let mut rest = pending[1..].chars();
    match rest.next() {
        None => Escape::Unfinished,
        Some('n' | 'r' | 't' | 'b' | 'f') => Escape::Is('\n'),
        Some(plain @ ('"' | '/' | '\\')) => Escape::Is(plain),
        Some('u') if rest.clone().any(|digit| !digit.is_ascii_hexdigit()) => Escape::IsNone,
        Some('u') if pending.len() < 6 => Escape::Unfinished,
        // Halves of a pair stand for signs that no address has.
        Some('u') => Escape::Is(code(rest.as_str(), 16).unwrap_or('\u{fffd}')),
        Some(_) => Escape::IsNone,
    }
}

fn markup(pending: &str) -> Escape {
    let name = &pending[1..];
    let Some(name) = name.strip_suffix(';') else {
        let goes_on = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '#') && name.len() < LONGEST;
        return if goes_on { Escape::Unfinished } else { Escape::IsNone };
    };
    let character = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" | "Tab" | "NewLine" => Some(' '),
        "commat" => Some('@'),
        "period" => Some('.'),
        "colon" => Some(':'),
        "sol" => Some('/'),
        "lowbar" => Some('_'),
        "hyphen" | "dash" => Some('-'),
        _ => match name.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix(['x', 'X']) {
                Some(digits) => code(digits, 16),
                None => code(digits, 10),
            },
            None => None,
        },
    };
    character.map_or(Escape::IsNone, Escape::Is)
}

fn code(digits: &str, radix: u32) -> Option<char> {
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unescape(escapes: Escapes, text: &str, at_once: usize) -> String {
        let (mut unescape, mut out) = (Unescape::new(escapes), String::new());
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(at_once) {
            unescape.push(&piece.iter().collect::<String>(), &mut |text| out.push_str(text));
        }
        unescape.end(&mut |text| out.push_str(text));
        out
    }

    #[test]
    fn json_escapes_become_characters() {
        let check = |text, expect| assert_eq!(unescape(Escapes::Json, text, 1), expect, "{text}");
        check(r"a\nmia\u0040acme.example", "a\nmia@acme.example");
        check(r"https:\/\/acme.example\\x \u003cb\u003e", r"https://acme.example\x <b>");
        check(r"\ud83d\ude00 \x \u00 \", "\u{fffd}\u{fffd} \\x \\u00 \\");
    }

    #[test]
    fn references_of_markup_become_characters() {
        let check = |text, expect| assert_eq!(unescape(Escapes::Markup, text, 1), expect, "{text}");
        check("mia&#64;acme&period;example", "mia@acme.example");
        check("&lt;mia&#x40;acme.example&gt;&nbsp;", "<mia@acme.example> ");
        check("R&D &unknown; &&amp; &#xffffffff; a&b=c&", "R&D &unknown; && &#xffffffff; a&b=c&");
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(text in r"([a&#x;n\\u0-9\PC]){0,40}", at_once in 1_usize..5) {
            for escapes in [Escapes::None, Escapes::Json, Escapes::Markup] {
                prop_assert_eq!(unescape(escapes, &text, at_once), unescape(escapes, &text, usize::MAX));
            }
        }
    }
}
