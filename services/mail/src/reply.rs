//! Replies of SMTP servers (RFC 5321 4.2): reading them byte by byte, and keeping what they say as evidence.
//!
//! Does no I/O and judges nothing. Invariant: a reply that is too long or has no code is an error, never a guess;
//! what is kept is bounded and free of control characters.

use std::fmt;

/// Lines that one reply may have.
const MAX_LINES: usize = 512;
/// Bytes that one reply may have, all lines together.
const MAX_BYTES: usize = 64 * 1024;
/// Characters of a reply's text that are kept.
const KEPT_CHARS: usize = 1_000;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Three digits, 200 to 599.
    pub code: u16,
    /// Enhanced status code (RFC 2034) without its text, such as `5.1.1`.
    pub enhanced: Option<String>,
    /// The lines joined by spaces, without codes; at most 1,000 characters, control characters replaced by spaces.
    pub text: String,
}

impl fmt::Display for Reply {
    /// On one line, as a server would write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for part in self.enhanced.iter().chain(Some(&self.text).filter(|text| !text.is_empty())) {
            write!(f, " {part}")?;
        }
        Ok(())
    }
}

/// Why bytes are no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a reply of more than 512 lines or 64 kB")]
    TooLong,
    #[error("a line that is no SMTP reply: `{0}`")]
    NoCode(String),
    #[error("a reply whose lines have different codes: {0} and {1}")]
    Codes(u16, u16),
}

/// Bytes from the server on their way to becoming replies. Buffers are kept from reply to reply.
#[derive(Debug, Default)]
pub(crate) struct ReplyReader {
    /// Bytes received.
    held: Vec<u8>,
    /// How many of them belong to lines that were read.
    taken: usize,
    /// How many of them have been searched for a line's end.
    searched: usize,
    /// Text of the reply's lines so far, each ended by `\n`.
    text: Vec<u8>,
    code: Option<u16>,
    lines: usize,
    /// Whether `text` belongs to a reply that was given out.
    complete: bool,
}

impl ReplyReader {
    /// Where to append bytes that were received.
    pub(crate) fn space(&mut self) -> &mut Vec<u8> {
        if self.taken > 0 {
            self.held.drain(..self.taken);
            self.searched -= self.taken;
            self.taken = 0;
        }
        self.held.reserve(1024);
        &mut self.held
    }

    /// Whether nothing is waiting that was received but not read.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken == self.held.len()
    }

    /// The code of the next reply, or `None` if bytes are missing.
    pub(crate) fn next(&mut self) -> Result<Option<u16>, Malformed> {
        if self.complete {
            self.text.clear();
            (self.code, self.lines, self.complete) = (None, 0, false);
        }
        while let Some(line) = self.next_line() {
            let (start, end) = line;
            let line = self.held.get(start..end).unwrap_or_default();
            let (code, more, text) = parse_line(line).ok_or_else(|| Malformed::NoCode(excerpt(line)))?;
            if let Some(first) = self.code.filter(|first| *first != code) {
                return Err(Malformed::Codes(first, code));
            }
            self.text.extend_from_slice(text);
            self.text.push(b'\n');
            self.code = Some(code);
            self.lines += 1;
            if self.lines > MAX_LINES || self.text.len() > MAX_BYTES {
                return Err(Malformed::TooLong);
            }
            if !more {
                self.complete = true;
                return Ok(Some(code));
            }
        }
        if self.held.len() - self.taken > MAX_BYTES { Err(Malformed::TooLong) } else { Ok(None) }
    }

    /// The reply that was read last.
    pub(crate) fn reply(&self, code: u16) -> Reply {
        let all = String::from_utf8_lossy(&self.text);
        let enhanced = all.split([' ', '\n']).next().filter(|word| is_enhanced(word, code));
        let mut text = String::new();
        for line in all.lines() {
            let line = match enhanced.and_then(|enhanced| line.strip_prefix(enhanced)) {
                Some(rest) if rest.is_empty() || rest.starts_with(' ') => rest,
                _ => line,
            };
            let line = line.trim();
            if !line.is_empty() && !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line);
        }
        Reply { code, enhanced: enhanced.map(str::to_owned), text: printable(&text) }
    }

    /// The lines of the reply that was read last, without code.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.split(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok())
    }

    /// Start and end of the next line without its end.
    fn next_line(&mut self) -> Option<(usize, usize)> {
        let fresh = self.held.get(self.searched..)?;
        let Some(length) = fresh.iter().position(|byte| *byte == b'\n') else {
            self.searched = self.held.len();
            return None;
        };
        let (start, end) = (self.taken, self.searched + length);
        self.taken = end + 1;
        self.searched = self.taken;
        let end = if end > start && self.held.get(end - 1) == Some(&b'\r') { end - 1 } else { end };
        Some((start, end))
    }
}

/// Code, whether more lines follow, text.
fn parse_line(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let ([first @ b'2'..=b'5', second @ b'0'..=b'9', third @ b'0'..=b'9'], rest) = line.split_first_chunk()? else {
        return None;
    };
    let digit = |byte: &u8| u16::from(byte - b'0');
    let code = digit(first) * 100 + digit(second) * 10 + digit(third);
    match rest.split_first() {
        None => Some((code, false, rest)),
        Some((b' ', text)) => Some((code, false, text)),
        Some((b'-', text)) => Some((code, true, text)),
        Some(_) => None,
    }
}

/// RFC 2034 4: class, subject and detail, and the class agrees with the code.
fn is_enhanced(word: &str, code: u16) -> bool {
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = word.split('.');
    let class = parts.next().and_then(|class| class.parse().ok());
    class.is_some_and(|class: u16| matches!(class, 2 | 4 | 5) && class == code / 100)
        && parts.next().is_some_and(number)
        && parts.next().is_some_and(number)
        && parts.next().is_none()
}

/// The text without control characters, cut to what is kept.
pub(crate) fn printable(text: &str) -> String {
    text.chars().take(KEPT_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn excerpt(line: &[u8]) -> String {
    let line = line.get(..line.len().min(80)).unwrap_or_default();
    printable(&String::from_utf8_lossy(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Reply>, Malformed> {
        let mut reader = ReplyReader::default();
        reader.space().extend_from_slice(bytes);
        reader.next().map(|code| code.map(|code| reader.reply(code)))
    }

    fn check(bytes: &[u8], shown: &str, enhanced: Option<&str>) {
        let reply = read(bytes).unwrap().unwrap();
        assert_eq!((reply.to_string().as_str(), reply.enhanced.as_deref()), (shown, enhanced));
    }

    #[test]
    fn a_reply_keeps_code_enhanced_code_and_text() {
        check(b"250 2.0.0 queued as 4XyZ\r\n", "250 2.0.0 queued as 4XyZ", Some("2.0.0"));
        check(b"250 OK\n", "250 OK", None);
        check(b"354\r\n", "354", None);
        check(b"550 5.1.1\r\n", "550 5.1.1", Some("5.1.1"));
        check(b"550 4.1.1 the classes disagree\r\n", "550 4.1.1 the classes disagree", None);
        check(b"550 5.1.1.1 no\r\n", "550 5.1.1.1 no", None);
    }

    #[test]
    fn lines_are_joined_and_a_repeated_enhanced_code_is_said_once() {
        check(
            b"550-5.7.25 no reverse name\r\n550 5.7.25 for you\r\n",
            "550 5.7.25 no reverse name for you",
            Some("5.7.25"),
        );
        check(b"550-5.7.2 first\r\n550 5.7.25 second\r\n", "550 5.7.2 first 5.7.25 second", Some("5.7.2"));
    }

    #[test]
    fn control_characters_and_foreign_bytes_are_replaced_and_text_is_cut() {
        check(b"550 a\x1b[31m\tb\0\xff\r\n", "550 a [31m b \u{fffd}", None);
        let long = format!("550 {}\r\n", "ü".repeat(5_000));
        assert_eq!(read(long.as_bytes()).unwrap().unwrap().text.chars().count(), 1_000);
    }

    #[test]
    fn garbage_is_an_error() {
        for line in ["SSH-2.0-x\r\n", "25 ok\r\n", "\r\n", "2500 ok\r\n", "150 go on\r\n", "650 what\r\n"] {
            assert!(matches!(read(line.as_bytes()), Err(Malformed::NoCode(_))), "{line:?}");
        }
        assert_eq!(read(b"250-a\r\n550 b\r\n"), Err(Malformed::Codes(250, 550)));
    }

    #[test]
    fn an_endless_reply_is_an_error() {
        assert_eq!(read(&b"250-x\r\n".repeat(513)), Err(Malformed::TooLong));
        assert_eq!(read(&b"2".repeat(65 * 1024)), Err(Malformed::TooLong));
        let line = [b"250-".as_slice(), &b"x".repeat(9_000), b"\r\n"].concat();
        assert_eq!(read(&line.repeat(8)), Err(Malformed::TooLong));
        assert!(read(&[b"250-x\r\n".repeat(511), b"250 x\r\n".to_vec()].concat()).unwrap().is_some());
    }

    #[test]
    fn replies_can_be_cut_anywhere() {
        let stream = b"250-first\r\n250 last\r\n354 go\r\n";
        let mut reader = ReplyReader::default();
        let mut seen = Vec::new();
        for byte in stream {
            reader.space().push(*byte);
            while let Some(code) = reader.next().unwrap() {
                seen.push(reader.reply(code).to_string());
            }
        }
        assert_eq!(seen, ["250 first last", "354 go"]);
        assert!(reader.is_empty());
    }

    #[test]
    fn what_follows_a_reply_is_noticed() {
        let mut reader = ReplyReader::default();
        reader.space().extend_from_slice(b"220 go\r\n250 early\r\n");
        assert_eq!(reader.next(), Ok(Some(220)));
        assert!(!reader.is_empty());
    }
}
