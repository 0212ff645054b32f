//! A notice for machines: the same facts as its letters, as JSON after the published schema
//! (`docs/schema/notice-1.json`), in the one form that can be signed (RFC 8785).
//!
//! Signs nothing. Invariant: it is a function of what the letters were written from, so that it states no more and no
//! less; what is withheld is null, never a number. Names that others gave hold no link, as in letters.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::difference::{Change, Lately, What};
use crate::links::unlinked;
use crate::notices::{DomainFacts, IncidentFacts, NoticeContext, STATED};
use crate::time::Timestamp;
use crate::withholding::{TYPE_OBJECTS, UNKNOWN, Withheld};

/// The name and version of the schema.
pub const FORMAT: &str = "forthright-notice/1";
/// The schema, for whoever reads such a notice.
pub const SCHEMA: &str = include_str!("../../../docs/schema/notice-1.json");
/// Larger whole numbers are written as texts: not every reader has them exactly (RFC 7493 2.2).
const LARGEST: i64 = (1 << 53) - 1;

/// What is said of a notice beside what it was written from.
#[derive(Debug)]
pub struct About<'a> {
    /// `ntc_…`.
    pub id: &'a str,
    /// `initial`, `supplement`, `correction`.
    pub kind: &'a str,
    /// The address that letters are from.
    pub sender: &'a str,
    /// When it was approved; none: it is a draft.
    pub approved_at: Option<Timestamp>,
    /// Whether it is of a rehearsal.
    pub rehearsal: Rehearsal,
}

/// Whether anything of it happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rehearsal {
    /// Nothing did.
    Yes,
    /// It is meant.
    No,
}

/// The notice as a document of [`FORMAT`].
pub fn document(context: &NoticeContext, about: &About<'_>) -> Value {
    json!({
        "format": FORMAT,
        "rehearsal": about.rehearsal == Rehearsal::Yes,
        "notice": {
            "id": about.id,
            "code": context.code,
            "kind": about.kind,
            "version": context.version,
            "supplements": context.supplements.map(|at| at.to_string()),
            "approved_at": about.approved_at.map(|at| at.to_string()),
            "sender": about.sender,
        },
        "incident": incident(&context.incident),
        "organisation": unlinked(&context.tenant_name),
        "domains": context.domains.iter().map(domain).collect::<Vec<_>>(),
        "withheld": context.withheld.iter().map(withheld).collect::<Vec<_>>(),
        "changes": context.changes.iter().map(change).collect::<Vec<_>>(),
        "why_changed": context.why,
    })
}

fn incident(facts: &IncidentFacts) -> Value {
    let elements = ["what_happened", "measures_taken", "sender_contact"].into_iter().chain(STATED);
    let stated = elements.filter_map(|id| Some((id.to_owned(), Value::from(facts.stated(id)?))));
    let stated: Map<String, Value> = stated.filter(|(_, text)| text != "").collect();
    json!({
        "reference": facts.slug,
        "title": facts.title,
        "vendor": facts.vendor,
        "discovered_at": facts.discovered_at.to_string(),
        "statements": stated,
    })
}

fn domain(facts: &DomainFacts) -> Value {
    let told = |name: &str, value: i64| if facts.withholds(name) { Value::Null } else { number(value) };
    let types = facts.data_types.iter();
    let types = types.map(|one| json!({ "id": unlinked(&one.id), "objects": told(TYPE_OBJECTS, one.objects) }));
    json!({
        "domain": facts.domain,
        "references": told("references", facts.rows),
        "objects": told("objects", facts.objects),
        "emails": told("emails", facts.emails),
        "users": told("users", facts.users),
        "projects": told("projects", facts.projects),
        "bytes": if facts.has_size() { told("bytes", facts.bytes) } else { Value::Null },
        "first_date": facts.first_date,
        "last_date": facts.last_date,
        "data_types": types.collect::<Vec<_>>(),
        "objects_of_unknown": {
            "data_type": told(UNKNOWN[0], facts.unknown.data_type),
            "date": told(UNKNOWN[1], facts.unknown.date),
            "size": told(UNKNOWN[2], facts.unknown.size),
        },
        "withheld": facts.withheld,
    })
}

fn withheld(withheld: &Withheld) -> Value {
    json!({
        "fact": withheld.fact,
        "also": withheld.also,
        "domain": withheld.domain,
        "why": withheld.why,
        "review_at": withheld.review_at.to_string(),
    })
}

fn change(change: &Change) -> Value {
    let domain = Some(change.domain.as_str()).filter(|domain| !domain.is_empty());
    let told_at = match change.lately {
        Lately::Told => None,
        Lately::Withheld { told_at } => Some(told_at.to_string()),
    };
    let of = |what: &str, name: Option<&str>, before: Value, after: Value| json!({ "domain": domain, "what": what, "name": name, "before": before, "after": after, "withheld_since": told_at });
    let days = |dates: &Option<(String, String)>| match dates {
        Some((first, last)) => json!({ "first_date": day(first), "last_date": day(last) }),
        None => Value::Null,
    };
    let number = |value: &Option<i64>| value.map_or(Value::Null, number);
    match &change.what {
        // The published form has no other word for what is there again.
        What::New | What::Again => of("new", None, Value::Null, Value::Null),
        What::Gone => of("gone", None, Value::Null, Value::Null),
        What::Cleared => of("cleared", None, Value::Null, Value::Null),
        What::Unlisted => of("unlisted", None, Value::Null, Value::Null),
        What::Figure { name, before, after } => of("figure", Some(name), number(before), number(after)),
        What::Type { id, before, after } => of("data_type", Some(&unlinked(id)), number(before), number(after)),
        What::Period { before, after } => of("period", None, days(before), days(after)),
        What::Stated { element, before, after } => of("statement", Some(element), json!(before), json!(after)),
        What::Withheld { fact, now } => of("withholding", Some(fact), Value::Null, json!(now)),
    }
}

fn day(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn number(value: i64) -> Value {
    if value.abs() <= LARGEST { value.into() } else { value.to_string().into() }
}

/// The one form of a document (RFC 8785): keys sorted by UTF-16 code units, no white space. Whole numbers alone.
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_cached_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
            out.push('{');
            for (at, (name, field)) in sorted.into_iter().enumerate() {
                out.push_str(if at == 0 { "" } else { "," });
                // Strings are escaped as ECMAScript does: only what has to be, with the short forms.
                let _ = write!(out, "{}:", Value::from(name.as_str()));
                write(field, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

/// RFC 4648 5, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=three.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_form_has_sorted_keys_no_space_and_short_escapes() {
        let value =
            json!({ "b": [1, null, true], "a": { "\u{20ac}": "x\u{f}\n\"\\/ü", "\u{1f600}": 2, "\u{fb33}": 3 } });
        // From RFC 8785 3.2.3: a surrogate sorts before U+FB33.
        let expected =
            "{\"a\":{\"\u{20ac}\":\"x\\u000f\\n\\\"\\\\/ü\",\"\u{1f600}\":2,\"\u{fb33}\":3},\"b\":[1,null,true]}";
        assert_eq!(canonical(&value), expected);
    }

    #[test]
    fn base64url_has_no_padding() {
        // RFC 4648 10.
        for (plain, coded) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(base64url(plain.as_bytes()), coded);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn figures_that_not_every_reader_has_exactly_are_texts() {
        assert_eq!(number(LARGEST), json!(9_007_199_254_740_991_i64));
        assert_eq!(number(LARGEST + 1), json!("9007199254740992"));
    }

    #[test]
    fn the_schema_is_the_one_of_this_format() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(schema["properties"]["format"]["const"], FORMAT);
    }
}
