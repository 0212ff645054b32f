//! Members of a JSON object by name, as SCIM reads them.
//!
//! Builds no values that nobody asks for, so that depth costs nothing. Invariant: null is the same as absent, and a
//! number or a boolean is the text that stands for it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

#[derive(Debug, Default)]
pub(crate) struct Members<'a> {
    /// By name in small letters.
    members: BTreeMap<String, &'a RawValue>,
}

impl<'a> Members<'a> {
    /// The members of an object.
    pub(crate) fn of(json: &'a str) -> Result<Self, String> {
        let members: BTreeMap<String, &'a RawValue> =
            serde_json::from_str(json).map_err(|_| "it is no JSON object".to_owned())?;
        let members = members.into_iter().filter(|(_, value)| value.get() != "null");
        Ok(Self { members: members.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect() })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A text, trimmed; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> Result<String, String> {
        self.get(name).map_or(Ok(String::new()), |value| text(name, value))
    }

    /// The members of a member that is an object.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>, String> {
        self.get(name).map(|value| Self::of(value.get()).map_err(|_| format!("its {name} is no object"))).transpose()
    }

    /// The entries of a member that is a list of objects with a `value`, as which single texts are read too.
    pub(crate) fn entries(&self, name: &str) -> Result<Vec<Self>, String> {
        let entry = |value: &'a RawValue| match value.get().as_bytes().first() {
            Some(b'{') => Self::of(value.get()).map_err(|_| format!("its {name} cannot be read")),
            _ => Ok(Self { members: BTreeMap::from([("value".to_owned(), value)]) }),
        };
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        if !value.get().starts_with('[') {
            return Ok(vec![entry(value)?]);
        }
        let list: Vec<&'a RawValue> =
            serde_json::from_str(value.get()).map_err(|_| format!("its {name} cannot be read"))?;
        list.into_iter().map(entry).collect()
    }

    /// The values of such a list.
    pub(crate) fn values(&self, name: &str) -> Result<Vec<String>, String> {
        self.entries(name)?.iter().map(|entry| entry.text("value").map_err(|_| not_text(name))).collect()
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.members.get(&name.to_ascii_lowercase()).copied()
    }
}

fn text(name: &str, value: &RawValue) -> Result<String, String> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(json).map_err(|_| not_text(name))?;
            Ok(text.trim().to_owned())
        }
        Some(b'{' | b'[') | None => Err(not_text(name)),
        Some(_) if json == "null" => Ok(String::new()),
        Some(_) => Ok(json.to_owned()),
    }
}

fn not_text(name: &str) -> String {
    format!("its {name} is no text")
}
