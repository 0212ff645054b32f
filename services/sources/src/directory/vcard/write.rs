//! Records as vCards of version 4.0.
//!
//! Writes no photo and no telephone. Invariant: a line has at most 75 bytes, is folded between characters only, and ends
//! with CR LF.

use std::io::{self, Write};

use crate::directory::ContactRecord;
use crate::directory::documents::Organisation;
use crate::directory::vcard::property::escaped;
use crate::directory::vcard::{
    X_CHANNEL, X_COUNTRY, X_DOMAIN, X_NAMED, X_PRIORITY, X_ROLE, X_STATE, X_TENANT, X_VERIFIED,
};

/// Most bytes of a line, without its end. Source: RFC 6350, section 3.2.
const LONGEST_LINE: usize = 75;

/// Writes a card an organisation.
pub(crate) fn write_organisations(
    out: &mut dyn Write,
    organisations: impl Iterator<Item = Organisation>,
) -> io::Result<()> {
    for organisation in organisations {
        let domains = organisation.domains.iter().map(|domain| (X_DOMAIN, domain.as_str()));
        let texts = [
            (X_TENANT, organisation.tenant_id.as_str()),
            (X_COUNTRY, &organisation.country),
            ("LANG", &organisation.language),
        ];
        write_card(out, "org", &organisation.tenant_name, texts.into_iter().chain(domains))?;
    }
    Ok(())
}

/// Writes a card a record.
pub(crate) fn write_contacts(out: &mut dyn Write, records: impl Iterator<Item = ContactRecord>) -> io::Result<()> {
    for record in records {
        let texts = [
            ("EMAIL", record.email.as_str()),
            ("LANG", &record.language),
            ("TZ", &record.timezone),
            (X_TENANT, &record.tenant_id),
            (X_ROLE, &record.role),
            (X_CHANNEL, &record.channel),
            (X_PRIORITY, &record.priority),
            (X_STATE, &record.state),
            (X_VERIFIED, &record.verified),
            (X_NAMED, &record.may_be_named),
        ];
        write_card(out, "individual", &record.name, texts.into_iter())?;
    }
    Ok(())
}

/// A card must have a name, also an empty one.
fn write_card<'a>(
    out: &mut dyn Write,
    kind: &str,
    name: &str,
    texts: impl Iterator<Item = (&'a str, &'a str)>,
) -> io::Result<()> {
    out.write_all(b"BEGIN:VCARD\r\nVERSION:4.0\r\n")?;
    write_property(out, "KIND", kind)?;
    write_property(out, "FN", name)?;
    for (property, text) in texts.filter(|(_, text)| !text.is_empty()) {
        write_property(out, property, text)?;
    }
    out.write_all(b"END:VCARD\r\n")
}

fn write_property(out: &mut dyn Write, name: &str, text: &str) -> io::Result<()> {
    let line = format!("{name}:{}", escaped(text));
    let (mut rest, mut room) = (line.as_str(), LONGEST_LINE);
    while rest.len() > room {
        let (part, behind) = rest.split_at(rest.floor_char_boundary(room));
        write!(out, "{part}\r\n ")?;
        // The space that a folded line begins with.
        (rest, room) = (behind, LONGEST_LINE - 1);
    }
    write!(out, "{rest}\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_property(&mut out, "FN", text).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_long_line_is_folded_between_characters() {
        let text = "ä".repeat(200);
        let lines = written(&text);
        assert!(lines.split("\r\n").all(|line| line.len() <= 75), "{lines}");
        assert_eq!(lines.replace("\r\n ", ""), format!("FN:{text}\r\n"));
    }

    #[test]
    fn a_line_of_75_bytes_stays_whole() {
        assert_eq!(written(&"a".repeat(72)), format!("FN:{}\r\n", "a".repeat(72)));
        assert_eq!(written(&"a".repeat(73)), format!("FN:{}\r\n a\r\n", "a".repeat(72)));
    }
}
