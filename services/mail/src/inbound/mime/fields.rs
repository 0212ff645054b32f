//! A header block and its fields.
//!
//! Invariant: at most [`HEAD`] bytes of a block are read, and of a longer one what says whose a mail is comes first.

/// Bytes of one header block; of a longer one the fields that say whose a mail is and what it is come first.
pub(super) const HEAD: usize = 256 * 1024;
/// Addresses or ids that are read in one field: as many as a header block of that length holds of usual ones.
pub(super) const NAMED: usize = 10_000;

/// The fields of one header block, unfolded, names in lower case.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// From a header block; lines that are no field are passed over.
    pub(in super::super) fn parse(block: &[u8]) -> Self {
        let text = String::from_utf8_lossy(&block[..block.len().min(HEAD)]);
        let mut fields: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            if line.starts_with([' ', '\t']) {
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                }
            } else if let Some((name, value)) = line.split_once(':') {
                fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
        Self(fields)
    }

    /// The first value of a field.
    pub(in super::super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|field| field.0 == name).map(|field| field.1.as_str())
    }

    /// Every value of a field.
    pub(in super::super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |field| field.0 == name).map(|field| field.1.as_str())
    }

    /// The first field whose name starts so.
    pub(in super::super) fn name_with_prefix(&self, prefix: &str) -> Option<&str> {
        self.0.iter().map(|field| field.0.as_str()).find(|name| name.starts_with(prefix))
    }

    /// The Message-IDs in a field, without angle brackets.
    pub(in super::super) fn ids(&self, name: &str) -> Vec<String> {
        self.all(name).flat_map(ids_in).take(NAMED).collect()
    }
}

/// Every `<…>` without white space; without any, the words that have an `@` (some senders leave the brackets out).
pub(in super::super) fn ids_in(value: &str) -> Vec<String> {
    let bracketed = value.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(id, _)| id.trim());
    let plausible = |id: &&str| !id.is_empty() && id.len() < 1_000 && !id.contains(char::is_whitespace);
    let ids: Vec<String> = bracketed.filter(plausible).map(str::to_owned).collect();
    if !ids.is_empty() {
        return ids;
    }
    let words = value.split_whitespace().map(|word| word.trim_matches(['<', '>', ',']));
    words.filter(|word| word.contains('@')).filter(plausible).map(str::to_owned).collect()
}

/// Header block and body, parted at the first empty line.
pub(in super::super) fn split(entity: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in entity.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line, b"\n" | b"\r\n") {
            return (&entity[..at], &entity[at + line.len()..]);
        }
        at += line.len();
    }
    (entity, &[])
}

/// The fields of a header block that is too long: those first that must not be missed, then the others in their order.
pub(super) fn by_importance(head: &[u8]) -> Vec<u8> {
    const FIRST: [&str; 22] = [
        "from",
        "to",
        "cc",
        "delivered-to",
        "x-original-to",
        "envelope-to",
        "in-reply-to",
        "message-id",
        "references",
        "subject",
        "date",
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
        "mime-version",
        "auto-submitted",
        "precedence",
        "return-path",
        "list-id",
        "x-autoreply",
        "x-failed-recipients",
        "x-auto-response-suppress",
    ];
    let (mut first, mut others): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    let mut important = false;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii_end();
            important = FIRST.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
                || name.get(..13).is_some_and(|name| name.eq_ignore_ascii_case(b"x-forthright-"));
        }
        let into = if important { &mut first } else { &mut others };
        if into.len() + line.len() <= HEAD {
            into.extend_from_slice(line);
        }
    }
    first.extend_from_slice(&others);
    first
}

/// A header block of limited length that ends with an empty line, as the parser wants it.
pub(super) fn closed(head: &[u8]) -> Vec<u8> {
    let mut block = head[..head.len().min(HEAD)].to_vec();
    block.extend_from_slice(b"\r\n\r\n");
    block
}
