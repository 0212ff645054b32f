//! What kind of object it is, by its name and its first bytes.
//!
//! Does not read further than the first bytes. Invariant: an object whose first bytes contradict its name is never
//! read as what it is called.

use super::options::Reason;

/// First bytes that are looked at.
pub(crate) const HEAD: usize = 4096;

/// How an object is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text as it stands.
    Text,
    /// Source code: `a.b` is no host there.
    Code,
    /// Text with `\n` and `\u0040`.
    Json,
    /// Text with `&amp;` and `&#64;`.
    Markup,
    /// A mail with its parts.
    Mail,
    /// A ZIP file of XML parts.
    Ooxml,
}

/// What the name promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    /// One of ours.
    As(Kind),
    /// Something without text of ours, such as a picture.
    Unread,
    /// Nothing known.
    Unknown,
}

/// What the name promises.
pub(crate) fn by_name(path: &str) -> Named {
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let kind = match extension.as_str() {
        "txt" | "text" | "md" | "markdown" | "rst" | "log" | "csv" | "tsv" | "tab" | "yaml" | "yml" | "rtf" | "vcf"
        | "ics" | "ldif" | "mbox" => Kind::Text,
        "json" | "jsonl" | "ndjson" | "geojson" | "har" | "ipynb" => Kind::Json,
        "xml" | "html" | "htm" | "xhtml" | "svg" | "rss" | "xsl" | "xsd" | "wsdl" => Kind::Markup,
        "eml" => Kind::Mail,
        "docx" | "docm" | "dotx" | "dotm" | "xlsx" | "xlsm" | "xltx" | "xltm" | "xlam" | "pptx" | "pptm" | "potx"
        | "potm" | "ppsx" | "ppsm" | "vsdx" | "vsdm" => Kind::Ooxml,
        "c" | "h" | "cc" | "cpp" | "hpp" | "cs" | "java" | "kt" | "js" | "mjs" | "jsx" | "ts" | "tsx" | "py" | "rb"
        | "php" | "go" | "rs" | "swift" | "scala" | "pl" | "pm" | "sh" | "bash" | "ps1" | "bat" | "lua" | "r" | "m"
        | "vb" | "css" | "scss" | "less" | "vue" | "gradle" => Kind::Code,
        "jpg" | "jpeg" | "png" | "gif" | "bmp" | "tif" | "tiff" | "webp" | "ico" | "heic" | "mp3" | "wav" | "ogg"
        | "flac" | "mp4" | "mov" | "avi" | "mkv" | "webm" | "pdf" | "exe" | "dll" | "so" | "iso" | "vhd" | "vhdx"
        | "bak" | "psd" | "ttf" | "woff" | "woff2" => return Named::Unread,
        _ => return Named::Unknown,
    };
    Named::As(kind)
}

/// The kind of an object with that name that begins with those bytes (all of them, where there are fewer than
/// [`HEAD`]); the reason where it is none of ours.
pub(crate) fn detect(path: &str, head: &[u8]) -> Result<Kind, Reason> {
    let named = by_name(path);
    if let Some(kind) = by_magic(named, head) {
        return kind;
    }
    if !is_text(head) {
        return Err(if named == Named::As(Kind::Ooxml) { Reason::Damaged } else { Reason::UnknownKind });
    }
    match named {
        // Text that is called a workbook, or a picture.
        Named::As(Kind::Ooxml) => Err(Reason::Damaged),
        Named::As(kind) => Ok(kind),
        Named::Unread => Err(Reason::UnknownKind),
        Named::Unknown => Ok(by_text(head)),
    }
}

/// What the first bytes say for certain.
fn by_magic(named: Named, head: &[u8]) -> Option<Result<Kind, Reason>> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let may_be_ooxml = matches!(named, Named::As(Kind::Ooxml) | Named::Unknown);
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        let says_so = || memchr::memmem::find(head, b"[Content_Types].xml").is_some();
        let is_ooxml = named == Named::As(Kind::Ooxml) || may_be_ooxml && says_so();
        return Some(if is_ooxml { Ok(Kind::Ooxml) } else { Err(Reason::Archive) });
    }
    // An OOXML file with a password is wrapped into the container of old Office files. Source: MS-OFFCRYPTO 1.3.1.
    if starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        let is_encrypted = named == Named::As(Kind::Ooxml);
        return Some(Err(if is_encrypted { Reason::Encrypted } else { Reason::UnknownKind }));
    }
    const ARCHIVES: [&[u8]; 6] =
        [b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"BZh"];
    if ARCHIVES.iter().any(|magic| starts(magic)) {
        return Some(Err(Reason::Archive));
    }
    starts(b"%PDF-").then_some(Err(Reason::UnknownKind))
}

/// Whether it can be text: no NUL but those of UTF-16, and hardly any other control characters.
fn is_text(head: &[u8]) -> bool {
    if super::decode::Encoding::of(head).is_utf16() {
        return true;
    }
    let control = |byte: &&u8| matches!(byte, 1..=8 | 11 | 14..=26 | 28..=31 | 127);
    !head.contains(&0) && head.iter().filter(control).count() * 50 <= head.len()
}

/// The kind of a text whose name says nothing.
fn by_text(head: &[u8]) -> Kind {
    let text = head.trim_ascii_start();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    match text {
        [b'{', b'\\', ..] => Kind::Text,
        [b'{', ..] | [b'[', b'{' | b'"', ..] => Kind::Json,
        [b'<', ..] => Kind::Markup,
        _ if is_mail(text) => Kind::Mail,
        _ => Kind::Text,
    }
}

/// A field of a header in the first line, and among the first ones a field that only mails have.
fn is_mail(text: &[u8]) -> bool {
    let field = |line: &[u8]| -> Option<String> {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let name = &line[..colon];
        let is_name = !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        is_name.then(|| String::from_utf8_lossy(name).to_ascii_lowercase())
    };
    let mut lines = text.split(|&byte| byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    lines.clone().next().is_some_and(|line| field(line).is_some())
        && lines.any(|line| field(line).is_some_and(|name| matches!(name.as_str(), "message-id" | "mime-version")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, head: &[u8], expect: Result<Kind, Reason>) {
        assert_eq!(detect(path, head), expect, "{path} {:?}", String::from_utf8_lossy(head));
    }

    #[test]
    fn the_name_says_how_a_text_is_read() {
        check("a/b.TXT", b"hello", Ok(Kind::Text));
        check("b.jsonl", b"{}", Ok(Kind::Json));
        check("b.html", b"<p>", Ok(Kind::Markup));
        check("b.py", b"import a", Ok(Kind::Code));
        check("b.eml", b"From: a\n\nb", Ok(Kind::Mail));
    }

    #[test]
    fn a_text_without_a_telling_name_is_read_by_its_beginning() {
        check("b", b"hello", Ok(Kind::Text));
        check("b.data", b" {\"a\":1}", Ok(Kind::Json));
        check("b", b"\xef\xbb\xbf<?xml?>", Ok(Kind::Markup));
        check("b.rtfd", b"{\\rtf1 a}", Ok(Kind::Text));
        check("b", b"Received: by x\r\n\tfor y\r\nMessage-ID: <1@x>\r\n\r\n", Ok(Kind::Mail));
        check("b", b"Dear: you\n\nMIME-Version: 1\n", Ok(Kind::Text));
        check("b", b"\xff\xfea\0b\0", Ok(Kind::Text));
    }

    #[test]
    fn bytes_beat_names() {
        check("b.txt", b"PK\x03\x04....", Err(Reason::Archive));
        check("b.docx", b"PK\x03\x04....", Ok(Kind::Ooxml));
        check("b", b"PK\x03\x04..[Content_Types].xml", Ok(Kind::Ooxml));
        check("b.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Err(Reason::Encrypted));
        check("b.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Err(Reason::UnknownKind));
        check("b.docx", b"hello", Err(Reason::Damaged));
        check("b.csv", b"a\0b", Err(Reason::UnknownKind));
        check("b.txt", b"%PDF-1.7\n", Err(Reason::UnknownKind));
        check("b.csv.gz", b"\x1f\x8b\x08", Err(Reason::Archive));
        check("b.png", b"not a picture", Err(Reason::UnknownKind));
        check("b.bin", &[1, 2, 3, 4, 5], Err(Reason::UnknownKind));
    }
}
