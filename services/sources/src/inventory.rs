//! Rows of an inventory as rows of a manifest: whole paths, and what a path rule finds in them.
//!
//! Does not drop a row. Invariant: a row that is about no object (a delete marker, a folder) has no object path, size
//! or date, so that it counts as a reference and not as an object; older versions, snapshots and deleted objects that
//! can be brought back were as readable as others and count like them. All these are counted in the notes.

use std::borrow::Cow;

use model::intake::Field;
use model::path_rule::PathRule;

use crate::preset::{
    BUCKET, CURRENT, DATE, DELETED, DOMAIN, EMAIL, FIELDS, NO_OBJECT, PATH, PROJECT, Preset, SIZE, SLOTS, SNAPSHOT,
    TYPE, USER,
};

#[derive(Debug)]
pub(crate) struct Inventory {
    preset: Preset,
    rule: Option<PathRule>,
    /// Whether keys are URL-encoded.
    is_encoded: bool,
    /// The path of the row, where it is not a piece of the file.
    path: Vec<u8>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    no_object: u64,
    older: u64,
    snapshots: u64,
    deleted: u64,
    unmatched: u64,
}

impl Inventory {
    pub(crate) fn new(preset: Preset, rule: Option<PathRule>, is_encoded: bool) -> Self {
        Self { preset, rule, is_encoded, path: Vec::new(), counts: Counts::default() }
    }

    /// The fields of a manifest from the slots of a row.
    pub(crate) fn fields<'a>(&'a mut self, mut slots: [Field<'a>; SLOTS]) -> [Field<'a>; FIELDS] {
        let is_object = !is(&slots[NO_OBJECT], "true");
        self.counts.no_object += u64::from(!is_object);
        self.counts.older += u64::from(is(&slots[CURRENT], "false"));
        self.counts.snapshots += u64::from(text(&slots[SNAPSHOT]).is_some());
        self.counts.deleted += u64::from(is(&slots[DELETED], "true"));
        let is_piece = matches!(&slots[PATH], Field::Text(Cow::Borrowed(_)));
        if !is_piece || self.preset == Preset::S3Inventory {
            slots[PATH] = self.whole_path(&slots[BUCKET], &slots[PATH]);
        }
        let Self { path, rule, counts, .. } = self;
        let path = match std::mem::take(&mut slots[PATH]) {
            Field::Text(Cow::Owned(_)) => std::str::from_utf8(path).map_or(Field::Invalid, Field::from),
            path => path,
        };
        if let (Some(rule), Field::Text(Cow::Borrowed(path))) = (&*rule, &path) {
            let found = rule.captures(path);
            counts.unmatched += u64::from(found.is_none());
            let found = found.unwrap_or_default();
            fill(&mut slots[DOMAIN], found.domain);
            fill(&mut slots[EMAIL], found.email);
            fill(&mut slots[TYPE], found.data_type);
            fill(&mut slots[PROJECT], found.project_id);
            fill(&mut slots[USER], found.user_id);
        }
        if is_object {
            slots[PATH] = path;
        } else {
            (slots[SIZE], slots[DATE]) = (Field::Missing, Field::Missing);
        }
        let [path, domain, email, data_type, date, size, project, user, ..] = slots;
        [path, domain, email, data_type, date, size, project, user]
    }

    /// What was counted, once.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        let Counts { no_object, older, snapshots, deleted, unmatched } = std::mem::take(&mut self.counts);
        let about = if self.preset == Preset::S3Inventory { "delete markers" } else { "folders" };
        let said = [
            (no_object, format!("rows about {about}"), "each counts as a reference and names no object"),
            (older, "rows about older versions".to_owned(), "each counts as a reference, its path as one object"),
            (snapshots, "rows about snapshots".to_owned(), "each counts as a reference, its path as one object"),
            (deleted, "rows about deleted objects that can be brought back".to_owned(), "they count like others"),
            (unmatched, "paths that do not match the path rule".to_owned(), "it finds nothing in them"),
        ];
        let counted = said.into_iter().filter(|(count, ..)| *count > 0);
        counted.map(|(count, rows, how)| format!("{rows}: {count}; {how}")).collect()
    }

    /// Writes bucket and key into `path`. The field says only whether there is a path.
    fn whole_path<'a>(&mut self, bucket: &Field<'a>, key: &Field<'a>) -> Field<'a> {
        let Field::Text(key) = key else { return key.clone() };
        self.path.clear();
        if key.is_empty() {
            return Field::Missing;
        }
        if let Field::Text(bucket) = bucket
            && !bucket.is_empty()
        {
            self.path.extend_from_slice(bucket.as_bytes());
            self.path.push(b'/');
        }
        if self.is_encoded {
            decode(key.as_bytes(), &mut self.path);
        } else {
            self.path.extend_from_slice(key.as_bytes());
        }
        Field::Text(Cow::Owned(String::new()))
    }
}

/// A column wins where it says something.
fn fill<'a>(field: &mut Field<'a>, found: Option<&'a str>) {
    let is_empty = match field {
        Field::Missing => true,
        Field::Text(text) => text.trim().is_empty(),
        Field::Invalid => false,
    };
    if let (true, Some(found)) = (is_empty, found) {
        *field = Field::from(found);
    }
}

fn text<'a>(field: &'a Field<'_>) -> Option<&'a str> {
    match field {
        Field::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
        Field::Missing | Field::Invalid => None,
    }
}

fn is(field: &Field<'_>, what: &str) -> bool {
    text(field).is_some_and(|text| text.eq_ignore_ascii_case(what))
}

/// URL-encoding as of forms: `+` is a space, `%2B` a plus. A per cent sign that encodes nothing stands for itself.
fn decode(encoded: &[u8], to: &mut Vec<u8>) {
    let mut rest = encoded;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| Some((nibble(digits[0])?, nibble(digits[1])?)));
        match (first, digits) {
            (b'%', Some((high, low))) => {
                to.push(high << 4 | low);
                rest = &behind[2..];
            }
            (first, _) => {
                to.push(if *first == b'+' { b' ' } else { *first });
                rest = behind;
            }
        }
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(encoded: &str, expect: &str) {
        let mut to = Vec::new();
        decode(encoded.as_bytes(), &mut to);
        assert_eq!(String::from_utf8_lossy(&to), expect);
    }

    #[test]
    fn keys_are_decoded_and_what_encodes_nothing_stands_for_itself() {
        check("exports/a.example/my+file%2B1%20%C3%A4.pdf", "exports/a.example/my file+1 ä.pdf");
        check("100%", "100%");
        check("100%2", "100%2");
        check("%zz%c3", "%zz\u{fffd}");
    }
}
