//! The formats of directory files, and which one a text is in.
//!
//! Does not read records. Invariant: a text that is neither SCIM nor vCard is left to the readers of tables, which
//! tell CSV from JSON Lines as everywhere else.

use std::fmt;

use memchr::memmem;

use crate::json;

/// How a directory file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryFormat {
    /// A header and a row a line.
    Csv,
    /// A JSON object a line, whose members are the columns.
    JsonLines,
    /// Resources of SCIM 2.0 (RFC 7643): a list response, an array, or one a line.
    Scim,
    /// Cards of RFC 6350, or of version 3.0.
    VCard,
}

impl DirectoryFormat {
    /// The names of the command line.
    pub const NAMES: [&'static str; 5] = ["auto", "csv", "jsonl", "scim", "vcard"];

    /// The format of that name: `Some(None)` for `auto`, which is to be found out, and `None` for no name of a format.
    pub fn parse(name: &str) -> Option<Option<Self>> {
        match name {
            "auto" => Some(None),
            "csv" => Some(Some(Self::Csv)),
            "jsonl" => Some(Some(Self::JsonLines)),
            "scim" => Some(Some(Self::Scim)),
            "vcard" => Some(Some(Self::VCard)),
            _ => None,
        }
    }

    /// SCIM or vCard where a text begins so; `None` for a table.
    pub(super) fn detect(head: &[u8]) -> Option<Self> {
        let head = head.trim_ascii_start();
        match head.first()? {
            b'[' => Some(Self::Scim),
            b'{' if !is_table_row(head) && is_scim(head) => Some(Self::Scim),
            _ if is_begin(head) => Some(Self::VCard),
            _ => None,
        }
    }
}

impl fmt::Display for DirectoryFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "CSV",
            Self::JsonLines => "JSON Lines",
            Self::Scim => "SCIM",
            Self::VCard => "vCard",
        })
    }
}

/// Whether a text begins as a card does.
pub(super) fn is_begin(text: &[u8]) -> bool {
    const BEGIN: &[u8] = b"BEGIN:VCARD";
    text.get(..BEGIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(BEGIN))
}

/// Whether the first line is an object with our columns; a name in it may say anything, `urn:ietf:…` too.
fn is_table_row(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let members = json::members(&String::from_utf8_lossy(line));
    members.iter().any(|name| ["domain", "tenant_id", "email"].contains(&name.as_str()))
}

fn is_scim(head: &[u8]) -> bool {
    ["urn:ietf:params:scim:", "\"Resources\""].iter().any(|mark| memmem::find(head, mark.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_but_auto_is_a_format() {
        let formats: Vec<_> = DirectoryFormat::NAMES.map(DirectoryFormat::parse).into();
        assert_eq!(formats[0], Some(None));
        assert!(formats[1..].iter().all(|format| matches!(format, Some(Some(_)))));
        assert_eq!(DirectoryFormat::parse("ldif"), None);
    }

    #[test]
    fn scim_and_vcard_are_known_by_their_beginning() {
        let detect = |text: &str| DirectoryFormat::detect(text.as_bytes());
        assert_eq!(detect("\r\n begin:vcard\r\n"), Some(DirectoryFormat::VCard));
        assert_eq!(detect(" [ {} ]"), Some(DirectoryFormat::Scim));
        assert_eq!(detect("{\n \"Resources\": ["), Some(DirectoryFormat::Scim));
        assert_eq!(
            detect("{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"]"),
            Some(DirectoryFormat::Scim)
        );
        assert_eq!(detect("domain,tenant_id\n"), None);
        assert_eq!(detect(""), None);
    }

    #[test]
    fn a_row_of_json_lines_that_speaks_of_scim_stays_one() {
        let row = "{\"domain\":\"a.example\",\"tenant_name\":\"urn:ietf:params:scim:\"}\n{}";
        assert_eq!(DirectoryFormat::detect(row.as_bytes()), None);
    }
}
