//! Whether each path of a template names a field that its context has where the path stands.
//!
//! Strict rendering would miss what no sample reaches; this reads every path. Invariant: what passes prints values,
//! never lists or objects, and repeats lists alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Refusal;
use super::tags::{Piece, What};

/// The form of a context, taken from a sample in which every list has something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Shape {
    Value,
    List(Box<Self>),
    Fields(BTreeMap<String, Self>),
}

impl Shape {
    pub(in super::super) fn of(value: &Value) -> Self {
        match value {
            Value::Array(list) => Self::List(Box::new(list.first().map_or(Self::Value, Self::of))),
            Value::Object(fields) => {
                Self::Fields(fields.iter().map(|(name, value)| (name.clone(), Self::of(value))).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Self::Value,
        }
    }

    fn at(&self, path: &str) -> Option<&Self> {
        path.strip_prefix("this").map_or(path, |rest| rest.strip_prefix('.').unwrap_or(rest)).split('.').try_fold(
            self,
            |shape, name| match shape {
                shape if name.is_empty() => Some(shape),
                Self::Fields(fields) => fields.get(name),
                Self::Value | Self::List(_) => None,
            },
        )
    }

    /// What can be written here.
    fn names(&self) -> String {
        match self {
            Self::Fields(fields) => fields.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
            Self::Value | Self::List(_) => "this".to_owned(),
        }
    }
}

/// The fields that are read, or the first path that names none.
pub(super) fn check(pieces: &[Piece<'_>], shape: &Shape) -> Result<BTreeSet<String>, Refusal> {
    let mut read = BTreeSet::new();
    let mut scopes = vec![(shape, String::new())];
    for piece in pieces {
        let Some((here, within)) = scopes.last().cloned() else { break };
        let path = match piece.what {
            What::Print(path) | What::Quote(path) | What::Each(path) | What::When(path) => path,
            What::Element(_) => {
                scopes.push((here, within));
                continue;
            }
            What::Close => {
                scopes.pop();
                continue;
            }
            What::Raw(_) | What::Comment => continue,
        };
        let Some(found) = here.at(path) else {
            let of = if within.is_empty() { String::new() } else { format!(" of `{within}`") };
            let next = format!("the fields here are: {}", here.names());
            return Err(Refusal::new(piece.at, format!("`{path}` is no field{of}"), next));
        };
        let name = full_name(&within, path);
        match (piece.what, found) {
            (What::Each(_), Shape::List(item)) => scopes.push((&**item, format!("{name}[]"))),
            (What::Each(_), Shape::Value | Shape::Fields(_)) => {
                return Err(Refusal::new(piece.at, format!("`{path}` is no list"), "print it without `each`"));
            }
            (What::When(_), Shape::Value | Shape::List(_)) => scopes.push((here, within)),
            (What::Print(_) | What::Quote(_), Shape::Value) => {}
            (_, Shape::List(_)) => {
                return Err(Refusal::new(piece.at, format!("`{path}` is a list"), "print its items with `each`"));
            }
            (_, Shape::Value | Shape::Fields(_)) => {
                let next = format!("name one of its fields: {}", found.names());
                return Err(Refusal::new(piece.at, format!("`{path}` is a group of fields"), next));
            }
        }
        read.insert(name);
    }
    Ok(read)
}

fn full_name(within: &str, path: &str) -> String {
    let path = path.strip_prefix("this").map_or(path, |rest| rest.trim_start_matches('.'));
    match (within, path) {
        (within, "") => within.to_owned(),
        ("", path) => path.to_owned(),
        (within, path) => format!("{within}.{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tags;
    use super::*;

    fn check(source: &str) -> Result<Vec<String>, String> {
        let sample = serde_json::json!({
            "vendor": "V", "domains": [{ "name": "d", "types": [{ "label": "l" }] }], "stated": { "cause": ["c"] },
        });
        let read = super::check(&tags::pieces(source).unwrap(), &Shape::of(&sample));
        read.map(|read| read.into_iter().collect()).map_err(|refusal| format!("{} {}", refusal.why, refusal.next))
    }

    #[test]
    fn what_a_template_reads_is_named_from_the_top() {
        let source = "{{vendor}}{{#each domains}}{{name}}{{#each types}}{{#when label}}{{this.label}}{{/when}}{{/each}}{{/each}}{{#each stated.cause}}{{this}}{{/each}}";
        let expect = [
            "domains",
            "domains[].name",
            "domains[].types",
            "domains[].types[].label",
            "stated.cause",
            "stated.cause[]",
            "vendor",
        ];
        assert_eq!(check(source).unwrap(), expect);
    }

    #[test]
    fn a_field_of_another_place_is_none_here() {
        let error = check("{{#each domains}}{{vendor}}{{/each}}").unwrap_err();
        assert_eq!(error, "`vendor` is no field of `domains[]` the fields here are: name, types");
        assert!(check("{{#each domains}}{{#when typos}}{{/when}}{{/each}}").is_err());
        assert!(check("{{#element \"cause\"}}{{vendro}}{{/element}}").is_err());
        assert!(check("{{vendor.name}}").is_err());
        assert!(check("{{domains}}").is_err() && check("{{stated}}").is_err() && check("{{this}}").is_err());
        assert!(check("{{#each vendor}}{{/each}}").is_err() && check("{{#when stated}}{{/when}}").is_err());
    }
}
