//! Outlook's own format (`winmail.dat`, TNEF): the text in it, and its files.
//!
//! Source: MS-OXTNEF. Does not read what is in the files. Invariant: any bytes are read in one pass, and what is broken
//! ends the reading where it stands, with what was found so far.

mod bytes;
mod rtf;

use super::{decode, html};
use bytes::Bytes;

const SIGNATURE: u32 = 0x223e_9f78;
/// Properties of one set that are read; Outlook writes about a hundred.
const PROPERTIES: u32 = 2_000;
/// Files that are named.
const FILES: usize = 200;
/// Bytes of a file's name.
const NAME: usize = 500;

const BODY: u32 = 0x0002_800c;
const CODEPAGE: u32 = 0x0006_9007;
const MESSAGE: u32 = 0x0006_9003;
const FILE_BEGINS: u32 = 0x0006_9002;
const FILE_NAME: u32 = 0x0001_8010;
const FILE: u32 = 0x0006_9005;
const FILE_DATA: u32 = 0x0006_800f;
/// Before a message or another object that is a file's data: which interface it has.
const INTERFACE: usize = 16;

/// A file in one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct FileInside<'a> {
    /// What its sender calls it, on one line; empty where they do not.
    pub(super) name: String,
    pub(super) data: &'a [u8],
}

/// What is in one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inside<'a> {
    /// As a reader sees it; empty where there is none.
    pub(super) text: String,
    /// Its files, each with a name or some data.
    pub(super) files: Vec<FileInside<'a>>,
}

/// The bodies that a message may have, from the best.
#[derive(Default)]
struct Bodies {
    plain: Option<String>,
    html: Option<Vec<u8>>,
    rtf: Option<Vec<u8>>,
    old: Option<Vec<u8>>,
    /// Windows' number of the character set.
    codepage: Option<u32>,
}

/// A value that matters here.
enum Value<'a> {
    Number(u32),
    /// In the message's character set, or of no text.
    Bytes(&'a [u8]),
    Object(&'a [u8]),
    Text(String),
}

/// Reads it; `None` if it is none.
pub(super) fn read(bytes: &[u8]) -> Option<Inside<'_>> {
    let mut bytes = Bytes(bytes);
    if bytes.u32()? != SIGNATURE {
        return None;
    }
    bytes.u16()?;
    let (mut bodies, mut files) = (Bodies::default(), Vec::new());
    while let Some((id, data)) = attribute(&mut bytes) {
        match id {
            BODY => bodies.old = Some(data.to_vec()),
            CODEPAGE => bodies.codepage = Bytes(data).u32().or(bodies.codepage),
            MESSAGE => message(data, &mut bodies),
            FILE_BEGINS if files.len() < FILES => files.push(FileInside::default()),
            FILE_DATA => files.last_mut().into_iter().for_each(|file: &mut FileInside| file.data = data),
            FILE_NAME => name(&mut files, &text(data, bodies.codepage)),
            FILE => file(data, &mut files, bodies.codepage),
            _ => {}
        }
    }
    files.retain(|file| !file.name.is_empty() || !file.data.is_empty());
    Some(Inside { text: bodies.text(), files })
}

fn attribute<'a>(bytes: &mut Bytes<'a>) -> Option<(u32, &'a [u8])> {
    bytes.take(1)?;
    let id = bytes.u32()?;
    let length = usize::try_from(bytes.u32()?).ok()?;
    // What was cut on the way is read as far as it came.
    let data = bytes.up_to(length);
    bytes.up_to(2);
    Some((id, data))
}

impl Bodies {
    fn text(self) -> String {
        let words = |text: &String| text.chars().any(char::is_alphanumeric);
        let codepage = self.codepage;
        let plain = self.plain.filter(words);
        let old = || self.old.as_deref().map(|bytes| text(bytes, codepage)).filter(words);
        let html = || self.html.as_deref().map(|bytes| html::to_text(&text(bytes, codepage))).filter(words);
        let rtf = || self.rtf.as_deref().and_then(rtf::decompress).map(|bytes| rtf::to_text(&bytes)).filter(words);
        plain.or_else(html).or_else(rtf).or_else(old).unwrap_or_default()
    }
}

fn message(data: &[u8], bodies: &mut Bodies) {
    properties(data, |id, value| match (id, value) {
        (0x1000, Value::Text(text)) => bodies.plain = Some(text),
        (0x1000, Value::Bytes(bytes)) => bodies.plain = Some(text(bytes, bodies.codepage)),
        (0x1013, Value::Bytes(bytes)) => bodies.html = Some(bytes.to_vec()),
        (0x1013, Value::Text(text)) => bodies.html = Some(text.into_bytes()),
        (0x1009, Value::Bytes(bytes)) => bodies.rtf = Some(bytes.to_vec()),
        (0x3fde, Value::Number(number)) => bodies.codepage = Some(number),
        _ => {}
    });
}

fn file<'a>(data: &'a [u8], files: &mut [FileInside<'a>], codepage: Option<u32>) {
    properties(data, |id, value| match (id, value) {
        (0x3701, Value::Bytes(bytes)) => files.last_mut().into_iter().for_each(|file| file.data = bytes),
        // An attached message is in this format itself.
        (0x3701, Value::Object(bytes)) => {
            let bytes = bytes.get(INTERFACE..).unwrap_or_default();
            files.last_mut().into_iter().for_each(|file| file.data = bytes);
        }
        (0x3707, Value::Text(long)) => name(files, &long),
        (0x3707, Value::Bytes(long)) => name(files, &text(long, codepage)),
        _ => {}
    });
}

/// The last name counts: the long one stands behind the short one.
fn name(files: &mut [FileInside<'_>], name: &str) {
    let name = name.trim_matches(['\0', ' ']);
    if let Some(last) = files.last_mut()
        && !name.is_empty()
    {
        last.name = name.chars().take(NAME).map(|char| if char.is_control() { ' ' } else { char }).collect();
    }
}

fn text(bytes: &[u8], codepage: Option<u32>) -> String {
    let charset = codepage.and_then(charset);
    decode::text(charset.as_deref(), bytes).trim_end_matches('\0').to_owned()
}

fn charset(codepage: u32) -> Option<String> {
    match codepage {
        65_001 => Some("utf-8".to_owned()),
        20_866 => Some("koi8-r".to_owned()),
        51_932 => Some("euc-jp".to_owned()),
        28_591..=28_605 => Some(format!("iso-8859-{}", codepage - 28_590)),
        0 | 20_127 => None,
        _ => Some(format!("cp{codepage}")),
    }
}

/// Hands each property over; ends at the first that cannot be read.
fn properties<'a>(data: &'a [u8], mut with: impl FnMut(u16, Value<'a>)) {
    let mut bytes = Bytes(data);
    let Some(count) = bytes.u32() else { return };
    for _ in 0..count.min(PROPERTIES) {
        if property(&mut bytes, &mut with).is_none() {
            return;
        }
    }
}

fn property<'a>(bytes: &mut Bytes<'a>, with: &mut impl FnMut(u16, Value<'a>)) -> Option<()> {
    const MANY: u16 = 0x1000;
    let (kind, id) = (bytes.u16()?, bytes.u16()?);
    if id >= 0x8000 {
        named(bytes)?;
    }
    let (many, kind) = (kind & MANY != 0, kind & !MANY);
    let variable = matches!(kind, 0x0d | 0x1e | 0x1f | 0x102);
    let count = if many || variable { bytes.u32()? } else { 1 };
    for _ in 0..count {
        match kind {
            // Booleans and small numbers are filled up to four bytes.
            0x01..=0x04 | 0x0a | 0x0b => with(id, Value::Number(bytes.u32()?)),
            0x05..=0x07 | 0x14 | 0x40 => drop(bytes.take(8)?),
            0x48 => drop(bytes.take(16)?),
            0x0d | 0x1e | 0x1f | 0x102 => {
                let length = usize::try_from(bytes.u32()?).ok()?;
                let value = bytes.up_to(length);
                bytes.up_to(length.wrapping_neg() % 4);
                let value = match kind {
                    0x1f => Value::Text(utf_16(value)),
                    0x0d => Value::Object(value),
                    _ => Value::Bytes(value),
                };
                with(id, value);
            }
            _ => return None,
        }
    }
    Some(())
}

/// The name of a property that has no number of its own.
fn named(bytes: &mut Bytes<'_>) -> Option<()> {
    bytes.take(16)?;
    if bytes.u32()? == 0 {
        bytes.u32()?;
        return Some(());
    }
    let length = usize::try_from(bytes.u32()?).ok()?;
    bytes.take(length)?;
    bytes.up_to(length.wrapping_neg() % 4);
    Some(())
}

fn utf_16(bytes: &[u8]) -> String {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.trim_end_matches('\0').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attribute(id: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        [&[1][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
    }

    fn tnef(attributes: &[Vec<u8>]) -> Vec<u8> {
        [&SIGNATURE.to_le_bytes()[..], &[1, 0], &attributes.concat()].concat()
    }

    fn property(kind: u16, id: u16, value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        let fill = vec![0; value.len().wrapping_neg() % 4];
        [&kind.to_le_bytes()[..], &id.to_le_bytes(), &1_u32.to_le_bytes(), &length, value, &fill].concat()
    }

    fn set(properties: &[Vec<u8>]) -> Vec<u8> {
        [&u32::try_from(properties.len()).unwrap().to_le_bytes()[..], &properties.concat()].concat()
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn the_text_and_the_files_are_found() {
        let named = [&3_u16.to_le_bytes()[..], &0x8001_u16.to_le_bytes(), &[7; 16], &[0; 4], &[1; 4], &[9; 4]].concat();
        let body = set(&[named, property(0x102, 0x1009, b"no rtf"), property(0x1f, 0x1000, &wide("Wer las was?\0"))]);
        let object = [&[8; INTERFACE][..], b"inner"].concat();
        let file = set(&[property(0x1f, 0x3707, &wide("Die Liste.pdf\0"))]);
        let message = set(&[property(0x1f, 0x3707, &wide("Anfrage\0")), property(0x0d, 0x3701, &object)]);
        let bytes = tnef(&[
            attribute(CODEPAGE, &1252_u64.to_le_bytes()),
            attribute(MESSAGE, &body),
            attribute(FILE_BEGINS, &[0; 14]),
            attribute(FILE_NAME, b"DIELIS~1.PDF\0"),
            attribute(FILE_DATA, b"%PDF-1.7"),
            attribute(FILE, &file),
            attribute(FILE_BEGINS, &[0; 14]),
            attribute(FILE_NAME, b"f\xfcr.txt\0"),
            attribute(FILE_BEGINS, &[0; 14]),
            attribute(FILE, &message),
        ]);
        let inside = read(&bytes).unwrap();
        assert_eq!(inside.text, "Wer las was?");
        let files: Vec<(&str, &[u8])> = inside.files.iter().map(|file| (file.name.as_str(), file.data)).collect();
        assert_eq!(files, [("Die Liste.pdf", &b"%PDF-1.7"[..]), ("für.txt", b""), ("Anfrage", b"inner")]);
        assert_eq!(read(&bytes[..bytes.len() - 80]).unwrap().text, "Wer las was?");
    }

    #[test]
    fn an_old_body_and_an_html_body_are_read_in_their_charset() {
        let old = tnef(&[attribute(CODEPAGE, &1252_u64.to_le_bytes()), attribute(BODY, b"F\xfcr wen?\0")]);
        assert_eq!(read(&old).unwrap().text, "Für wen?");
        let body = set(&[property(0x1e, 0x1000, b" \0"), property(0x102, 0x1013, b"<p>\xe9t\xe9 ?</p>")]);
        let html = tnef(&[attribute(CODEPAGE, &1252_u64.to_le_bytes()), attribute(MESSAGE, &body)]);
        assert_eq!(read(&html).unwrap().text.trim(), "été ?");
    }

    #[test]
    fn what_is_none_is_none() {
        assert_eq!(read(b"eJ8+IjQSAQ=="), None);
        assert_eq!(read(b""), None);
        assert_eq!(read(&tnef(&[])), Some(Inside::default()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300), id in prop::sample::select(vec![BODY, MESSAGE, FILE, FILE_NAME])) {
            read(&tnef(&[attribute(FILE_BEGINS, &[]), attribute(id, &bytes), bytes.clone()]));
        }
    }
}
