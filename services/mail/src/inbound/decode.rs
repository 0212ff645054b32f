//! Transfer encodings and character sets, leniently: what cannot be decoded stays as it is.
//!
//! Does not fail. Invariant: output is never longer than three times the input.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use mail_parser::decoders::charsets::map::charset_decoder;

/// The bytes behind a Content-Transfer-Encoding.
pub(super) fn transfer(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    match encoding.trim().to_ascii_lowercase().as_str() {
        "base64" => base64(bytes),
        "quoted-printable" => quoted_printable(bytes),
        _ => bytes.to_vec(),
    }
}

/// Bytes of a text that are looked at for its character set.
const LOOKED_AT: usize = 16 * 1024;

/// The text behind a charset: the stated one, else UTF-8, else the one that it most looks like.
pub(super) fn text(charset: Option<&str>, bytes: &[u8]) -> String {
    let stated = charset.map(known_as).filter(|name| name != "us-ascii");
    if let Some(decode) = stated.and_then(|name| charset_decoder(name.as_bytes())) {
        return decode(bytes);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Cut in a character, it is UTF-8 all the same.
        Err(error) if error.error_len().is_none() && !bytes[..error.valid_up_to()].is_ascii() => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Err(_) => guessed(bytes),
    }
}

fn guessed(bytes: &[u8]) -> String {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(&bytes[..bytes.len().min(LOOKED_AT)], bytes.len() <= LOOKED_AT);
    let encoding = detector.guess(None, Utf8Detection::Deny);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// The registered name behind the ones that mail programs make up.
fn known_as(charset: &str) -> String {
    let name = charset.trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let known = match name.as_str() {
        "utf8" | "unicode-1-1-utf-8" | "x-utf-8" | "utf-8mb4" => "utf-8",
        "unicode-1-1-utf-7" | "x-unicode-2-0-utf-7" => "utf-7",
        "gb2312" | "gbk" | "x-gbk" | "gb_2312-80" | "cp936" | "euc-cn" | "hz-gb-2312" => "gb18030",
        "ks_c_5601-1987" | "ks_c_5601" | "ksc5601" | "cp949" | "uhc" | "windows-949" => "euc-kr",
        "x-sjis" | "shift-jis" | "sjis" | "cp932" | "windows-31j" | "ms_kanji" => "shift_jis",
        "x-euc-jp" => "euc-jp",
        "iso-2022-jp-1" | "iso-2022-jp-2" | "iso-2022-jp-ms" | "cp50221" | "cp50220" => "iso-2022-jp",
        "iso-8859-8-i" | "iso-8859-8-e" | "logical" | "visual" => "iso-8859-8",
        "iso-8859-6-i" | "iso-8859-6-e" => "iso-8859-6",
        "koi8r" | "koi8" | "koi" => "koi8-r",
        "x-big5" | "cn-big5" | "cp950" => "big5",
        "ansi_x3.4-1968" | "ascii" | "ansi_x3.110-1983" | "unknown-8bit" | "x-unknown" | "default" | "unknown" => {
            "us-ascii"
        }
        "latin1" | "latin-1" | "iso8859-1" | "iso_8859-1" | "8859-1" => "iso-8859-1",
        "latin2" | "latin-2" | "iso8859-2" => "iso-8859-2",
        "iso8859-15" | "latin-9" | "latin9" => "iso-8859-15",
        _ => match name
            .strip_prefix("cp125")
            .or_else(|| name.strip_prefix("x-cp125"))
            .or_else(|| name.strip_prefix("win-125"))
        {
            Some(page) => return format!("windows-125{page}"),
            None => return name,
        },
    };
    known.to_owned()
}

/// RFC 2045 6.8; characters outside the alphabet are passed over, as it demands.
fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len() / 4 * 3);
    let (mut chunk, mut sextets) = (0_u32, 0);
    for &byte in bytes {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            // Padding ends a run; encoders that join runs go on behind it.
            b'=' => {
                flush(&mut decoded, chunk, sextets);
                (chunk, sextets) = (0, 0);
                continue;
            }
            _ => continue,
        };
        chunk = chunk << 6 | u32::from(value);
        sextets += 1;
        if sextets == 4 {
            decoded.extend_from_slice(&chunk.to_be_bytes()[1..]);
            (chunk, sextets) = (0, 0);
        }
    }
    flush(&mut decoded, chunk, sextets);
    decoded
}

fn flush(decoded: &mut Vec<u8>, chunk: u32, sextets: u32) {
    match sextets {
        2 => decoded.extend_from_slice(&(chunk << 12).to_be_bytes()[1..2]),
        3 => decoded.extend_from_slice(&(chunk << 6).to_be_bytes()[1..3]),
        _ => {}
    }
}

/// RFC 2045 6.7; an escape that is none stays as it is.
fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let content = line.trim_ascii_end();
        let ends = line.ends_with(b"\n");
        let (content, soft) = match content.strip_suffix(b"=") {
            Some(content) => (content, true),
            None => (content, false),
        };
        let mut at = 0;
        while at < content.len() {
            match (content[at], content.get(at + 1).and_then(hex), content.get(at + 2).and_then(hex)) {
                (b'=', Some(high), Some(low)) => {
                    decoded.push(high << 4 | low);
                    at += 3;
                }
                (byte, _, _) => {
                    decoded.push(byte);
                    at += 1;
                }
            }
        }
        if ends && !soft {
            decoded.push(b'\n');
        }
    }
    decoded
}

fn hex(byte: &u8) -> Option<u8> {
    char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_reads_across_lines_and_padding() {
        assert_eq!(base64(b"SGVs\r\nbG8h"), b"Hello!");
        assert_eq!(base64(b"SGVsbG8="), b"Hello");
        assert_eq!(base64(b"SGVsbA==SGVsbA=="), b"HellHell");
    }

    #[test]
    fn quoted_printable_joins_soft_breaks_and_keeps_what_is_no_escape() {
        assert_eq!(quoted_printable(b"caf=C3=A9 =\r\nis open=20\r\n1=2 =zz"), "café is open \n1=2 =zz".as_bytes());
    }

    #[test]
    fn a_charset_is_believed_and_a_missing_one_guessed() {
        assert_eq!(text(Some("ISO-8859-1"), b"Gr\xfc\xdfe"), "Grüße");
        assert_eq!(text(None, b"Gr\xfc\xdfe"), "Grüße");
        assert_eq!(text(Some("no-such-charset"), "Grüße".as_bytes()), "Grüße");
        assert_eq!(text(Some("cp1252"), b"Gr\xfc\xdfe"), "Grüße");
        assert_eq!(text(Some("koi8-r"), b"\xf0\xd2\xc9\xd7\xc5\xd4"), "Привет");
        assert_eq!(text(Some("windows-1255"), b"\xf9\xec\xe5\xed"), "שלום");
        assert_eq!(text(Some("iso-8859-8-i"), b"\xf9\xec\xe5\xed"), "שלום");
        assert_eq!(text(Some("GB2312"), b"\xce\xc4\xbc\xfe"), "文件");
        assert_eq!(text(Some("gb18030"), b"\xce\xc4\xbc\xfe"), "文件");
        assert_eq!(text(Some("Big5"), b"\xa4\xe5\xa5\xf3"), "文件");
        assert_eq!(text(Some("ks_c_5601-1987"), b"\xb0\xa1"), "가");
        assert_eq!(text(Some("x-sjis"), b"\x83e\x83X\x83g"), "テスト");
        assert_eq!(text(Some("unknown-8bit"), b"caf\xe9"), "café");
        assert_eq!(text(Some("iso-2022-jp"), b"\x1b$B%F%9%H\x1b(B"), "テスト");
    }

    #[test]
    fn a_text_without_a_label_is_read_in_the_character_set_it_looks_like() {
        assert_eq!(text(None, b"\xc4\xc4\xd0\xa9\xce\xc4\xbc\xfe\xb1\xbb\xb6\xc1\xc1\xcb\xa3\xbf"), "哪些文件被读了？");
        assert_eq!(text(None, b"\xca\xe0\xea\xe8\xe5 \xf4\xe0\xe9\xeb\xfb?"), "Какие файлы?");
        assert_eq!(
            text(None, b"\x82\xc7\x82\xcc\x83t\x83@\x83C\x83\x8b\x82\xc5\x82\xb7\x82\xa9\x81H"),
            "どのファイルですか？"
        );
        assert_eq!(text(None, "Für wen gr\u{fc}".as_bytes().split_last().unwrap().1), "Für wen gr\u{fffd}");
    }

    proptest! {
        #[test]
        fn any_bytes_decode(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for encoding in ["base64", "quoted-printable", "8bit"] {
                let decoded = transfer(encoding, &bytes);
                prop_assert!(decoded.len() <= bytes.len());
                for charset in [None, Some("utf-8"), Some("utf-16"), Some("iso-2022-jp"), Some("utf-7"), Some("gb18030")] {
                    text(charset, &decoded);
                }
            }
        }
    }
}
