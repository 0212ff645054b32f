//! Cuts a stream of text into tokens and hands each to `mentions`.
//!
//! Does not know what an address is. Invariant: time is linear in the text, memory is one token, and how the stream is
//! cut into pieces changes nothing.

use super::found::Found;
use super::mentions::{self, Bare};

/// Longest token that is looked at in one piece, in bytes: longer ones are no addresses but code and encoded data.
const LONGEST_TOKEN: usize = 8 * 1024;

/// Finds addresses and hosts in text.
#[derive(Debug)]
pub(crate) struct Finder<'f> {
    found: &'f mut Found,
    bare: Bare,
    token: String,
    before: char,
}

impl<'f> Finder<'f> {
    pub(crate) fn new(found: &'f mut Found, bare: Bare) -> Self {
        Self { found, bare, token: String::new(), before: ' ' }
    }

    /// Looks at more text.
    pub(crate) fn push(&mut self, text: &str) {
        for character in text.chars() {
            if is_delimiter(character) {
                self.flush(character);
                continue;
            }
            self.token.push(character);
            if self.token.len() >= LONGEST_TOKEN {
                self.cut();
            }
        }
    }

    /// Ends a passage: what comes next does not belong to the same word.
    pub(crate) fn end(&mut self) {
        self.flush(' ');
    }

    fn flush(&mut self, after: char) {
        if self.token.contains(['@', '.', '%']) {
            token(&self.token, self.before, after, self.bare, self.found);
        }
        self.token.clear();
        self.before = after;
    }

    /// Looks at a long token up to its last mark between words; a word that is long alone is nothing.
    fn cut(&mut self) {
        let mark = |c: char| !mentions::is_word(c) && c != '%';
        let Some((at, sign)) = self.token.char_indices().rfind(|&(_, c)| mark(c)) else {
            self.token.clear();
            self.before = mentions::CUT;
            return;
        };
        let rest = self.token.split_off(at + sign.len_utf8());
        self.token.truncate(at);
        self.flush(sign);
        self.token = rest;
    }
}

/// White space, quotes, brackets, punctuation that stands in no address, and scripts that have no spaces.
fn is_delimiter(c: char) -> bool {
    if c.is_ascii() {
        return matches!(
            c,
            '\0'..=' ' | '\x7f' | '"' | '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '|' | '`' | '\\'
        );
    }
    !c.is_alphanumeric() || !mentions::is_spaced(c)
}

/// A token, with what `%40` and the like in it stand for.
fn token(token: &str, before: char, after: char, bare: Bare, found: &mut Found) {
    let Some(decoded) = percent_decoded(token) else {
        return mentions::find(token, before, after, bare, found);
    };
    // `%2540` is `%40` encoded again.
    let decoded = percent_decoded(&decoded).unwrap_or(decoded);
    let mut before = before;
    let mut rest = decoded.as_str();
    while let Some((at, sign)) = rest.char_indices().find(|&(_, c)| is_delimiter(c)) {
        mentions::find(&rest[..at], before, sign, bare, found);
        before = sign;
        rest = &rest[at + sign.len_utf8()..];
    }
    mentions::find(rest, before, after, bare, found);
}

/// The text with its percent codes of ASCII resolved; `None` where it has none.
fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.to_owned();
    let mut changed = false;
    for part in parts {
        let code = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(|code| code.is_ascii() && !part.starts_with('+')) {
            Some(code) => {
                decoded.push(char::from(code));
                decoded.push_str(&part[2..]);
                changed = true;
            }
            None => {
                decoded.push('%');
                decoded.push_str(part);
            }
        }
    }
    changed.then_some(decoded)
}

#[cfg(test)]
mod tests;
