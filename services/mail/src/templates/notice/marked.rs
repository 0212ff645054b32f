//! The same view with a mark around every value, and what each mark stands for.
//!
//! Adds nothing and leaves nothing out. Invariant: a value has the mark of a fact only where it is that fact, of that
//! domain; whatever else is filled in is marked as data.

use model::notices::{DomainFacts, NoticeContext};
use model::withholding::{TYPE_OBJECTS, UNKNOWN};
use serde_json::Value;

use super::super::marks;

/// Where a printed value is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Origin {
    /// From the incident, the directory or the advice: words, names, codes and times that are no facts of a domain.
    Data,
    /// A fact, by its id: `acme.example/objects`.
    Fact(String),
    /// The word for a fact that is withheld, by its name: `objects`.
    Withheld(String),
}

/// Every origin of a letter; the first one is [`Origin::Data`].
#[derive(Debug)]
pub(in super::super) struct Origins(Vec<Origin>);

const DATA: usize = 0;

impl Origins {
    /// Those of a letter without marks.
    pub(in super::super) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(in super::super) fn get(&self, number: usize) -> Option<&Origin> {
        self.0.get(number)
    }

    fn add(&mut self, origin: Origin) -> usize {
        self.0.push(origin);
        self.0.len() - 1
    }
}

/// Marks the view of a notice.
pub(in super::super) fn mark(view: &mut Value, context: &NoticeContext) -> Origins {
    let mut origins = Origins(vec![Origin::Data]);
    for (name, value) in view.as_object_mut().into_iter().flatten() {
        match (name.as_str(), value) {
            ("domains", Value::Array(domains)) if !context.domains.is_empty() => {
                for (domain, facts) in domains.iter_mut().zip(&context.domains) {
                    mark_domain(domain, facts, &mut origins);
                }
            }
            ("changes", value) => mark_each(value, CHANGE, &mut origins),
            ("why", value) => mark_each(value, WHY, &mut origins),
            ("withheld", value) => {
                for (row, withheld) in value.as_array_mut().into_iter().flatten().enumerate() {
                    for (field, value) in withheld.as_object_mut().into_iter().flatten() {
                        mark_all(value, origins.add(Origin::Fact(withheld_id(row, field))));
                    }
                }
            }
            ("code", value) => mark_all(value, origins.add(Origin::Fact(CODE.to_owned()))),
            (_, value) => mark_all(value, DATA),
        }
    }
    origins
}

/// A sentence each.
fn mark_each(sentences: &mut Value, name: &str, origins: &mut Origins) {
    for (row, sentence) in sentences.as_array_mut().into_iter().flatten().enumerate() {
        mark_all(sentence, origins.add(Origin::Fact(format!("{name}:{row}"))));
    }
}

const CODE: &str = "code";
const CHANGE: &str = "change";
const WHY: &str = "why";

fn withheld_id(row: usize, field: &str) -> String {
    format!("withheld:{row}:{field}")
}

/// Ids of what every part has to say beside the facts of domains: the code, what changed and why, and of whatever is
/// withheld what, why, and when it is looked at again.
pub(in super::super) fn owed(context: &NoticeContext) -> Vec<String> {
    let each = |name: &'static str, count: usize| (0..count).map(move |row| format!("{name}:{row}"));
    // A notice that takes everything back names its domains instead.
    let changes = if context.domains.is_empty() { 0 } else { context.changes.len() };
    let withheld = if context.domains.is_empty() { 0 } else { context.withheld.len() };
    let withheld = (0..withheld).flat_map(|row| ["fact", "why", "review"].map(|field| withheld_id(row, field)));
    let code = (!context.code.is_empty()).then(|| CODE.to_owned());
    code.into_iter().chain(each(CHANGE, changes)).chain(each(WHY, context.why.len())).chain(withheld).collect()
}

fn mark_domain(domain: &mut Value, facts: &DomainFacts, origins: &mut Origins) {
    for (field, value) in domain.as_object_mut().into_iter().flatten() {
        let name = match field.as_str() {
            "name" => {
                mark_all(value, origins.add(Origin::Fact(facts.domain.clone())));
                continue;
            }
            "types" => {
                mark_types(value, facts, origins);
                continue;
            }
            "rows" => "references",
            "objects" | "emails" | "users" | "projects" | "bytes" | "last_date" => field,
            // Where only the last date is known, it stands in both places.
            "first_date" if facts.first_date.is_none() => "last_date",
            "first_date" => "first_date",
            "unknown_type" => "unknown:type",
            "unknown_date" => "unknown:date",
            "unknown_size" => "unknown:size",
            // A size that was rounded is no fact, nor is a choice of data types.
            _ => {
                mark_all(value, DATA);
                continue;
            }
        };
        let hidden_as = match name {
            "first_date" | "last_date" => "period",
            "unknown:type" => UNKNOWN[0],
            "unknown:date" => UNKNOWN[1],
            "unknown:size" => UNKNOWN[2],
            name => name,
        };
        let origin = if facts.withholds(hidden_as) {
            Origin::Withheld(hidden_as.to_owned())
        } else {
            Origin::Fact(facts.id_of(name))
        };
        mark_all(value, origins.add(origin));
    }
}

/// What stands in place of data types that are withheld: all of them, or each one.
pub(super) fn withheld_types(facts: &DomainFacts) -> impl Iterator<Item = &str> {
    let named = |wanted: &'static str| facts.withheld.iter().map(String::as_str).filter(move |name| *name == wanted);
    named("types").chain(named("type"))
}

/// Known types in their order, then what is withheld of them.
fn mark_types(types: &mut Value, facts: &DomainFacts, origins: &mut Origins) {
    let known = facts.data_types.iter().map(|count| {
        let objects = match facts.withholds(TYPE_OBJECTS) {
            true => Origin::Withheld(TYPE_OBJECTS.to_owned()),
            false => Origin::Fact(facts.id_of(&format!("type:{}", count.id))),
        };
        (Origin::Fact(facts.id_of(&format!("name:{}", count.id))), objects)
    });
    let hidden =
        withheld_types(facts).map(|name| (Origin::Withheld(name.to_owned()), Origin::Withheld(name.to_owned())));
    for (row, (label, objects)) in types.as_array_mut().into_iter().flatten().zip(known.chain(hidden)) {
        for (field, value) in row.as_object_mut().into_iter().flatten() {
            let origin = match field.as_str() {
                "label" => origins.add(label.clone()),
                "objects" => origins.add(objects.clone()),
                _ => DATA,
            };
            mark_all(value, origin);
        }
    }
}

/// Marks every value in this one.
fn mark_all(value: &mut Value, origin: usize) {
    match value {
        Value::String(text) => *text = marks::text(origin, text),
        Value::Number(number) => *value = Value::String(marks::number(origin, &number.to_string())),
        Value::Array(list) => list.iter_mut().for_each(|one| mark_all(one, origin)),
        Value::Object(fields) => fields.values_mut().for_each(|one| mark_all(one, origin)),
        Value::Bool(_) | Value::Null => {}
    }
}
