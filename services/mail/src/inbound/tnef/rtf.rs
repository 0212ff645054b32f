//! Rich text as Outlook packs it: unpacked (MS-OXRTFCP) and read as plain text.
//!
//! Does not show formats, and reads no HTML that is packed into rich text but its words. Invariant: one pass, and at most
//! [`LONGEST`] bytes unpacked.

use super::super::decode;
use super::bytes::Bytes;

/// Bytes of rich text; pictures stand in it as well.
const LONGEST: usize = 4 * 1024 * 1024;
/// What the packer's window begins with.
const WINDOW: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor \
    MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW_SIZE: usize = 4096;
const PACKED: u32 = 0x7546_5a4c;
const STORED: u32 = 0x414c_454d;

/// Groups that hold no text.
const UNSEEN: [&str; 15] = [
    "fonttbl",
    "colortbl",
    "stylesheet",
    "info",
    "pict",
    "header",
    "footer",
    "headerl",
    "headerr",
    "footerl",
    "footerr",
    "object",
    "themedata",
    "xmlnstbl",
    "listtable",
];

/// Rich text from its packed form; `None` if it is none.
pub(super) fn decompress(packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Bytes(packed);
    bytes.u32()?;
    let length = usize::try_from(bytes.u32()?).ok()?.min(LONGEST);
    let kind = bytes.u32()?;
    bytes.u32()?;
    match kind {
        STORED => Some(bytes.up_to(length).to_vec()),
        PACKED => Some(unpack(bytes, length)),
        _ => None,
    }
}

fn unpack(mut bytes: Bytes<'_>, length: usize) -> Vec<u8> {
    let mut window = [0_u8; WINDOW_SIZE];
    window[..WINDOW.len()].copy_from_slice(WINDOW);
    let mut at = WINDOW.len();
    let mut out = Vec::with_capacity(length.min(packed_bound(&bytes)));
    while let Some([flags]) = bytes.take(1) {
        for bit in 0..8 {
            if out.len() >= length {
                return out;
            }
            if flags >> bit & 1 == 0 {
                let Some([byte]) = bytes.take(1) else { return out };
                window[at] = *byte;
                at = (at + 1) % WINDOW_SIZE;
                out.push(*byte);
                continue;
            }
            let Some([high, low]) = bytes.take(2) else { return out };
            let token = usize::from(u16::from_be_bytes([*high, *low]));
            let (from, count) = (token >> 4, (token & 0xf) + 2);
            // A reference to where the window stands is the end.
            if from == at {
                return out;
            }
            for step in 0..count {
                let byte = window[(from + step) % WINDOW_SIZE];
                window[at] = byte;
                at = (at + 1) % WINDOW_SIZE;
                out.push(byte);
            }
        }
    }
    out
}

/// What so many bytes can be unpacked to.
fn packed_bound(bytes: &Bytes<'_>) -> usize {
    bytes.0.len().saturating_mul(9)
}

/// The words of a rich text.
pub(super) fn to_text(rtf: &[u8]) -> String {
    let mut reader =
        Reader { codepage: "cp1252".to_owned(), groups: vec![Group { seen: true, fallback: 1 }], ..Reader::default() };
    let mut rest = rtf;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'{' => {
                reader.open();
                after
            }
            b'}' => {
                reader.close();
                after
            }
            b'\\' => reader.control(after),
            b'\r' | b'\n' => after,
            byte => {
                reader.byte(byte);
                after
            }
        };
    }
    reader.flush();
    reader.out
}

#[derive(Clone, Copy)]
struct Group {
    seen: bool,
    /// Characters that stand for a `\u` where it is not understood.
    fallback: usize,
}

#[derive(Default)]
struct Reader {
    out: String,
    /// Bytes in the text's character set, not decoded yet.
    pending: Vec<u8>,
    codepage: String,
    groups: Vec<Group>,
    /// Characters that are left out: they stand for the one before.
    skip: usize,
}

impl Reader {
    fn group(&mut self) -> Group {
        self.groups.last().copied().unwrap_or(Group { seen: true, fallback: 1 })
    }

    fn open(&mut self) {
        self.skip = 0;
        let group = self.group();
        self.groups.push(group);
    }

    fn close(&mut self) {
        self.skip = 0;
        if self.groups.len() > 1 {
            self.groups.pop();
        }
    }

    fn hide(&mut self) {
        if let Some(group) = self.groups.last_mut() {
            group.seen = false;
        }
    }

    fn byte(&mut self, byte: u8) {
        if self.skip > 0 {
            self.skip -= 1;
        } else if self.group().seen {
            self.pending.push(byte);
        }
    }

    fn char(&mut self, char: char) {
        if self.group().seen {
            self.flush();
            self.out.push(char);
        }
    }

    fn flush(&mut self) {
        if !self.pending.is_empty() {
            self.out.push_str(&decode::text(Some(&self.codepage), &self.pending));
            self.pending.clear();
        }
    }

    /// What stands behind a backslash; the rest is returned.
    fn control<'a>(&mut self, after: &'a [u8]) -> &'a [u8] {
        let Some((&first, rest)) = after.split_first() else { return after };
        if !first.is_ascii_alphabetic() {
            return self.symbol(first, rest);
        }
        let letters = after.iter().take(32).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (word, rest) = after.split_at(letters);
        let sign = usize::from(rest.first() == Some(&b'-'));
        let digits = rest.iter().skip(sign).take(10).take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = if digits > 0 { rest.split_at(sign + digits) } else { (&[][..], rest) };
        let number = std::str::from_utf8(number).ok().and_then(|number| number.parse::<i64>().ok());
        self.word(&String::from_utf8_lossy(word), number);
        rest.strip_prefix(b" ").unwrap_or(rest)
    }

    fn symbol<'a>(&mut self, symbol: u8, rest: &'a [u8]) -> &'a [u8] {
        match symbol {
            b'\'' => {
                let digit = |at: usize| rest.get(at).and_then(|byte| char::from(*byte).to_digit(16));
                if let (Some(high), Some(low)) = (digit(0), digit(1)) {
                    self.byte(u8::try_from(high << 4 | low).unwrap_or(b'?'));
                    return &rest[2..];
                }
            }
            b'*' => self.hide(),
            b'~' => self.byte(b' '),
            b'\\' | b'{' | b'}' => self.byte(symbol),
            b'\r' | b'\n' => self.char('\n'),
            _ => {}
        }
        rest
    }

    fn word(&mut self, word: &str, number: Option<i64>) {
        match (word, number) {
            ("par" | "line" | "row" | "sect" | "page", _) => self.char('\n'),
            ("tab" | "cell", _) => self.char('\t'),
            ("ansicpg", Some(number)) if number > 0 => self.codepage = format!("cp{number}"),
            ("uc", Some(number)) => {
                if let Some(group) = self.groups.last_mut() {
                    group.fallback = usize::try_from(number).unwrap_or_default().min(10);
                }
            }
            ("u", Some(number)) => self.unit(number),
            ("bin", Some(number)) => self.skip = usize::try_from(number).unwrap_or_default(),
            ("lquote" | "rquote", _) => self.char('\''),
            ("ldblquote" | "rdblquote", _) => self.char('"'),
            ("endash" | "emdash", _) => self.char('–'),
            ("bullet", _) => self.char('•'),
            (word, _) if UNSEEN.contains(&word) => self.hide(),
            _ => {}
        }
    }

    /// A 16-bit unit, written as a signed number; halves of a pair are not joined.
    fn unit(&mut self, number: i64) {
        let code = u32::try_from(if number < 0 { number + 65_536 } else { number }).ok();
        self.char(code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER));
        self.skip = self.group().fallback;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(kind: u32, length: usize, bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(length).unwrap().to_le_bytes();
        [&[0; 4][..], &length, &kind.to_le_bytes(), &[0; 4], bytes].concat()
    }

    #[test]
    fn the_example_of_the_specification_unpacks() {
        // MS-OXRTFCP 3.1.1: "{\rtf1\ansi\ansicpg1252\pard hello world}\r\n".
        let bytes = [
            0x2d, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5, 0xc7, 0xa7, 0x03, 0x00,
            0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32, 0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09,
            0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64, 0x7d, 0x0a, 0x80, 0x0f, 0xa0,
        ];
        let rtf = decompress(&bytes).unwrap();
        assert_eq!(rtf, b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
        assert_eq!(to_text(&rtf), "hello world");
    }

    #[test]
    fn words_are_read_and_formats_are_not() {
        let rtf = br"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0 Arial;}}{\*\generator x;}\pard F\'fcr wen?\par\b Wer\b0  \u8211 ?und \{\}\par}";
        assert_eq!(to_text(rtf), "Für wen?\nWer –und {}\n");
        assert_eq!(to_text(br"{\rtf1\ansicpg932 \'83\'65\'83\'58?}"), "テス?");
    }

    #[test]
    fn the_words_of_html_in_rich_text_are_read() {
        let rtf = br"{\rtf1\ansi\fromhtml1{\*\htmltag64 <p>}\htmlrtf {\htmlrtf0 Which files?{\*\htmltag72 </p>}\htmlrtf\par}\htmlrtf0 Whose?}";
        assert_eq!(to_text(rtf), "Which files?\nWhose?");
    }

    #[test]
    fn what_is_stored_is_taken_and_a_false_length_is_no_memory() {
        assert_eq!(decompress(&packed(STORED, 3, b"abcdef")).unwrap(), b"abc");
        assert_eq!(decompress(&packed(0, 3, b"abc")), None);
        assert!(decompress(&packed(PACKED, usize::try_from(u32::MAX).unwrap(), &[0xff; 90])).unwrap().len() < 2_000);
    }

    proptest! {
        #[test]
        fn any_bytes_pass(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in r"(\\u-?[0-9]{1,5}|\\'[0-9a-f]{2}|\{|\}|\\par|\\bin9|\\\*|x| ){0,40}") {
            decompress(&packed(PACKED, 4_000, &bytes));
            to_text(&bytes);
            to_text(text.as_bytes());
        }
    }
}
