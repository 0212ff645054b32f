//! The bytes between DATA and the final dot.
//!
//! Invariant: only CR LF . CR LF ends a message, however it is cut into pieces. A line feed or carriage return alone is
//! content, is kept as it came, and begins no line. (The reader of `smtp-proto` 0.2.5 also ends at CR LF . CR CR LF.)

use memchr::memchr;

/// Where we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Behind CR LF, or at the very beginning.
    LineStart,
    /// Behind a dot at the start of a line; the dot is not taken (RFC 5321 4.5.2).
    Dot,
    /// Behind that dot and a CR, neither of them taken.
    DotCr,
    /// Behind a CR that was taken.
    Cr,
    /// Anywhere else.
    Line,
}

/// Reads one message out of pieces.
#[derive(Debug)]
pub(super) struct Letter {
    place: Place,
    data: Vec<u8>,
    most: usize,
    /// Bytes beyond `most`, which are not kept.
    beyond: usize,
}

impl Letter {
    /// An empty message that may grow up to `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { place: Place::LineStart, data: Vec::new(), most, beyond: 0 }
    }

    /// Takes the next piece; how many of its bytes belong to the message, if it ends in this piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            if self.place == Place::Line {
                let run = memchr(b'\r', &piece[at..]).unwrap_or(piece.len() - at);
                self.push(&piece[at..at + run]);
                at += run;
                if at == piece.len() {
                    break;
                }
                self.push(b"\r");
                self.place = Place::Cr;
                at += 1;
                continue;
            }
            at += 1;
            if self.step(byte) {
                return Some(at);
            }
        }
        None
    }

    /// One byte anywhere but within a line. Whether it ends the message.
    fn step(&mut self, byte: u8) -> bool {
        if self.place == Place::DotCr {
            if byte == b'\n' {
                return true;
            }
            // The line was `.` and more: the dot goes, the CR stays.
            self.push(b"\r");
            self.place = Place::Cr;
        }
        self.place = match (self.place, byte) {
            (Place::LineStart, b'.') => Place::Dot,
            (Place::Dot, b'\r') => Place::DotCr,
            (_, b'\r') => {
                self.push(b"\r");
                Place::Cr
            }
            (Place::Cr, b'\n') => {
                self.push(b"\n");
                Place::LineStart
            }
            (_, other) => {
                self.push(&[other]);
                Place::Line
            }
        };
        false
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.most.saturating_sub(self.data.len()).min(bytes.len());
        self.data.extend_from_slice(&bytes[..room]);
        self.beyond += bytes.len() - room;
    }

    /// How many bytes were taken so far.
    pub(super) fn len(&self) -> usize {
        self.data.len() + self.beyond
    }

    /// The message; `None` if it is too large.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        (self.beyond == 0).then_some(self.data)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The message and what stands behind its end.
    fn read(input: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut letter = Letter::new(1_000);
        let end = letter.take(input)?;
        Some((letter.finish()?, input[end..].to_vec()))
    }

    fn check(input: &[u8], data: &[u8], rest: &[u8]) {
        assert_eq!(read(input), Some((data.to_vec(), rest.to_vec())), "{}", input.escape_ascii());
    }

    #[test]
    fn a_message_ends_at_the_dot_and_its_stuffing_is_taken_away() {
        check(b"a\r\n.\r\nQUIT", b"a\r\n", b"QUIT");
        check(b".\r\n", b"", b"");
        check(b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n", b"");
        check(b".a\r\n.\r\n", b"a\r\n", b"");
    }

    #[test]
    fn nothing_but_cr_lf_dot_cr_lf_ends_a_message() {
        for inside in [
            &b"\n.\n"[..],
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r",
            b"\r.\r\n",
            b"\r\n.\r\r\n",
            b"\r\n.\r",
            b"\n\n.\r\n",
            b"\r\n.\0\r\n",
        ] {
            let input = [b"a", inside, b"MAIL FROM:<x@x.example>\r\n.\r\nRSET"].concat();
            let (data, rest) = read(&input).unwrap();
            assert!(data.windows(4).any(|four| four == b"MAIL"), "{}", input.escape_ascii());
            assert_eq!(rest, b"RSET");
        }
    }

    #[test]
    fn what_is_too_large_is_counted_and_not_kept() {
        let mut letter = Letter::new(3);
        assert_eq!(letter.take(b"abcdef\r\n.\r\n"), Some(11));
        assert_eq!((letter.len(), letter.data.capacity() < 100), (8, true));
        assert_eq!(letter.finish(), None);
    }

    /// Lines of the characters that matter.
    fn hostile() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop::sample::select(b"\r\n..ab".to_vec()), 0..60)
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_give_the_same_message(body in hostile(), cuts in prop::collection::vec(1_usize..5, 1..40)) {
            let input = [&body[..], b"\r\n.\r\nrest"].concat();
            let mut letter = Letter::new(1_000);
            let (mut at, mut cut) = (0, cuts.iter().cycle());
            let end = loop {
                let next = (at + cut.next().unwrap()).min(input.len());
                if let Some(end) = letter.take(&input[at..next]) {
                    break at + end;
                }
                at = next;
            };
            prop_assert_eq!(read(&input), Some((letter.finish().unwrap(), input[end..].to_vec())));
        }

        #[test]
        fn what_a_client_stuffs_comes_out_as_it_was(lines in prop::collection::vec("[.a\\n]{0,4}", 0..8)) {
            let message: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let stuffed: String =
                lines.iter().map(|line| format!("{}{line}\r\n", if line.starts_with('.') { "." } else { "" })).collect();
            check(format!("{stuffed}.\r\nrest").as_bytes(), message.as_bytes(), b"rest");
        }
    }
}
