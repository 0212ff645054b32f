//! Bytes to text: UTF-8, UTF-16, and Windows-1252 for what is neither.
//!
//! Knows no other encodings. Invariant: never fails and holds no more than one unfinished character.

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8; a byte that is none is a character of Windows-1252.
    Utf8,
    Utf16Le,
    Utf16Be,
}

impl Encoding {
    /// By the mark at its beginning; without one UTF-16 is known by the zeros of its Latin letters.
    pub(crate) fn of(head: &[u8]) -> Self {
        match head {
            [0xff, 0xfe, ..] => return Self::Utf16Le,
            [0xfe, 0xff, ..] => return Self::Utf16Be,
            _ if head.len() < 4 || !head.contains(&0) => return Self::Utf8,
            _ => {}
        }
        let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
        let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
        // Spaces and punctuation have a zero in every script, letters only in Latin.
        match (even, odd) {
            (0, odd) if odd * 10 >= pairs * 7 => Self::Utf16Le,
            (even, 0) if even * 10 >= pairs * 7 => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }

    pub(crate) fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16Le | Self::Utf16Be)
    }
}

/// Turns bytes into text, piece by piece.
pub(crate) struct Text {
    utf16: Option<Decoder>,
    /// The beginning of a character whose end is not there yet.
    rest: Vec<u8>,
    out: String,
}

impl Text {
    pub(crate) fn new(encoding: Encoding) -> Self {
        let utf16 = match encoding {
            Encoding::Utf8 => None,
            Encoding::Utf16Le => Some(UTF_16LE.new_decoder_with_bom_removal()),
            Encoding::Utf16Be => Some(UTF_16BE.new_decoder_with_bom_removal()),
        };
        Self { utf16, rest: Vec::new(), out: String::new() }
    }

    /// The text of the next bytes; what is unfinished waits for more.
    pub(crate) fn more(&mut self, bytes: &[u8]) -> &str {
        self.out.clear();
        match &mut self.utf16 {
            Some(decoder) => utf16(decoder, bytes, &mut self.out, Last::No),
            None => self.utf8(bytes, Last::No),
        }
        &self.out
    }

    /// What is left at the end.
    pub(crate) fn end(&mut self) -> &str {
        self.out.clear();
        match &mut self.utf16 {
            Some(decoder) => utf16(decoder, &[], &mut self.out, Last::Yes),
            None => self.utf8(&[], Last::Yes),
        }
        &self.out
    }

    fn utf8(&mut self, bytes: &[u8], last: Last) {
        let joined;
        let mut bytes = if self.rest.is_empty() {
            bytes
        } else {
            joined = [std::mem::take(&mut self.rest).as_slice(), bytes].concat();
            &joined
        };
        loop {
            match std::str::from_utf8(bytes) {
                Ok(text) => return self.out.push_str(text),
                Err(error) => {
                    let (good, bad) = bytes.split_at(error.valid_up_to());
                    self.out.push_str(&String::from_utf8_lossy(good));
                    if error.error_len().is_none() && last == Last::No {
                        self.rest = bad.to_vec();
                        return;
                    }
                    let width = error.error_len().unwrap_or(bad.len());
                    self.out.push_str(&WINDOWS_1252.decode_without_bom_handling(&bad[..width]).0);
                    bytes = &bad[width..];
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Yes,
    No,
}

fn utf16(decoder: &mut Decoder, mut bytes: &[u8], out: &mut String, last: Last) {
    loop {
        out.reserve(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len()));
        let (result, read, _) = decoder.decode_to_string(bytes, out, last == Last::Yes);
        bytes = &bytes[read..];
        if result == CoderResult::InputEmpty {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text of the bytes, in pieces of that many.
    fn text(bytes: &[u8], at_once: usize) -> String {
        let mut decoder = Text::new(Encoding::of(bytes));
        let mut text = String::new();
        bytes.chunks(at_once).for_each(|piece| text.push_str(decoder.more(piece)));
        text.push_str(decoder.end());
        text
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf_8_and_windows_1252_may_stand_side_by_side() {
        assert_eq!(text(b"M\xfcller, M\xc3\xbcller \x80 \xc3", 1), "Müller, Müller € Ã");
        assert_eq!(text(b"\xe2\x82", 1), "â‚");
    }

    #[test]
    fn utf_16_is_known_by_its_mark_or_its_zeros() {
        for text_in in ["mia@acme.example, Müller", "\u{feff}mia@acme.example 日本"] {
            let expect = text_in.trim_start_matches('\u{feff}');
            assert_eq!(text(&utf16(text_in, u16::to_le_bytes), 3), expect);
            assert_eq!(text(&utf16(text_in, u16::to_be_bytes), 3), expect);
        }
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(bytes: Vec<u8>, at_once in 1_usize..9) {
            prop_assert_eq!(text(&bytes, at_once), text(&bytes, usize::MAX));
        }

        #[test]
        fn utf_8_stays_as_it_is(given in "[^\0]*", at_once in 1_usize..9) {
            prop_assert_eq!(text(given.as_bytes(), at_once), given);
        }
    }
}
