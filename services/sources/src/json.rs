//! JSON Lines records: the wanted members of one object, as fields.
//!
//! Does not build values. Invariant: a number keeps the text it has in the file, null is the same as absent, and an
//! array, object or boolean is an invalid field, not an error of the line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use model::intake::Field;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Reads an object's members of those names into the fields at the same places; where the line is not one object, the
/// byte, counted from 1, at which that shows. `found` becomes true where one of the names is there, even in what is no
/// whole object.
pub(crate) fn read<'a>(
    line: &'a str,
    names: &[Option<String>],
    fields: &mut [Field<'a>],
    found: &AtomicBool,
) -> Result<(), usize> {
    let mut json = serde_json::Deserializer::from_str(line);
    let read = Object { names, fields, found }.deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|error| error.column().max(1))
}

/// The names of an object's members, sorted.
pub(crate) fn members(line: &str) -> Vec<String> {
    let members: BTreeMap<String, IgnoredAny> = serde_json::from_str(line).unwrap_or_default();
    members.into_keys().collect()
}

struct Object<'s, 'f, 'a> {
    names: &'s [Option<String>],
    fields: &'f mut [Field<'a>],
    found: &'s AtomicBool,
}

impl<'a> DeserializeSeed<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Object<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut members: M) -> Result<(), M::Error> {
        while let Some(wanted) = members.next_key_seed(Key(self.names))? {
            if wanted == 0 {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            self.found.store(true, Ordering::Relaxed);
            let field = field(members.next_value::<&'a RawValue>()?.get());
            for (at, slot) in self.fields.iter_mut().enumerate() {
                if wanted & (1 << at) != 0 {
                    slot.clone_from(&field);
                }
            }
        }
        Ok(())
    }
}

/// A member's name, read as the set of places that want it: bit n is place n.
struct Key<'s>(&'s [Option<String>]);

impl<'a> DeserializeSeed<'a> for Key<'_> {
    type Value = u64;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<u64, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<u64, E> {
        let wanted = self.0.iter().take(64).enumerate().filter(|(_, want)| want.as_deref() == Some(name));
        Ok(wanted.fold(0, |set, (at, _)| set | 1 << at))
    }
}

fn field(value: &str) -> Field<'_> {
    match value.as_bytes() {
        [b'n', ..] => Field::Missing,
        [b'"', text @ .., b'"'] if !text.contains(&b'\\') => Field::Text(Cow::Borrowed(&value[1..value.len() - 1])),
        [b'"', ..] => serde_json::from_str(value).map_or(Field::Invalid, |text| Field::Text(Cow::Owned(text))),
        [b'0'..=b'9' | b'-', ..] => Field::Text(Cow::Borrowed(value)),
        _ => Field::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expect: Option<[Field<'_>; 2]>) {
        let names = [Some("domain".to_owned()), Some("size".to_owned())];
        let mut fields = [Field::Missing, Field::Missing];
        let got = read(line, &names, &mut fields, &AtomicBool::new(false)).ok().map(|()| fields);
        assert_eq!(got, expect, "{line}");
    }

    #[test]
    fn texts_and_numbers_are_text_and_null_or_absent_is_missing() {
        check(r#"{"domain": "a.example", "size": 12}"#, Some(["a.example".into(), "12".into()]));
        check(r#" {"size":1.50e3,"x":[{"domain":1}],"domain":null} "#, Some([Field::Missing, "1.50e3".into()]));
        check(
            r#"{"size":123456789012345678901234567890}"#,
            Some([Field::Missing, "123456789012345678901234567890".into()]),
        );
        check(r#"{"domain": "\u00e4\"\n", "size": ""}"#, Some(["ä\"\n".into(), "".into()]));
        check("{}", Some([Field::Missing, Field::Missing]));
    }

    #[test]
    fn other_values_are_invalid_fields() {
        check(r#"{"domain": true, "size": {"a": 1}}"#, Some([Field::Invalid, Field::Invalid]));
        check(r#"{"domain": "\ud800", "size": [1]}"#, Some([Field::Invalid, Field::Invalid]));
    }

    #[test]
    fn what_is_not_one_object_is_no_record() {
        for line in
            ["1", "[]", "\"a\"", "null", "{", r#"{"domain":}"#, "{} {}", r#"{"a":1,}"#, r#"{"domain":NaN}"#, "{'a':1}"]
        {
            check(line, None);
        }
    }

    #[test]
    fn of_a_name_given_twice_the_last_value_counts() {
        check(r#"{"domain":"a","domain":"b"}"#, Some(["b".into(), Field::Missing]));
    }
}
