//! Facts that are withheld: their names, and blanking them out of what a notice is written from.
//!
//! Decides nothing (two people do). Invariant: a blanked fact is gone from the facts, and with it whatever it could be
//! reckoned from, so that neither a text nor the stored context of a notice holds it; its name stays, so that the reader
//! is told that something is withheld.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::domain::DomainName;
use crate::notices::DomainFacts;
use crate::taxonomy::Taxonomy;
use crate::time::Timestamp;

/// Names of facts without one for each data type (`type:invoice`).
pub const NAMES: [&str; 8] = ["references", "objects", "emails", "users", "projects", "bytes", "period", "types"];
/// Everything: the organisation is not written to at all.
pub const NOTICE: &str = "notice";
/// How many objects each data type has: withheld with the number of objects, which is their sum.
pub const TYPE_OBJECTS: &str = "type_objects";
/// How many objects have no known data type, document date, size.
pub const UNKNOWN: [&str; 3] = ["unknown_type", "unknown_date", "unknown_size"];

/// What is withheld with a fact, because the fact could be reckoned from it: an object has one type or none that is known,
/// is referenced at least once, and has its part in the size.
const OF_OBJECTS: [&str; 6] = ["references", "bytes", TYPE_OBJECTS, UNKNOWN[0], UNKNOWN[1], UNKNOWN[2]];
const OF_A_TYPE: [&str; 6] = ["objects", "references", "bytes", UNKNOWN[0], UNKNOWN[1], UNKNOWN[2]];

/// A fact by its name, of one domain or of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FactName {
    /// A-label form; none = every domain.
    domain: Option<String>,
    /// One of [`NAMES`], [`NOTICE`], or `type:ID`.
    name: String,
}

/// A text that names no fact.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` names no fact: use notice, {list}, or type:ID, with DOMAIN/ in front for one domain", list = NAMES.join(", "))]
pub struct NoFact(String);

impl FactName {
    /// Reads `emails`, `type:invoice`, `acme.example/objects`.
    pub fn parse(text: &str) -> Result<Self, NoFact> {
        let bad = || NoFact(text.to_owned());
        let (domain, name) = match text.trim().split_once('/') {
            Some((domain, name)) => {
                (Some(DomainName::parse(domain).map_err(|_| bad())?.as_str().to_owned()), name.trim())
            }
            None => (None, text.trim()),
        };
        let of_type = name.strip_prefix("type:").is_some_and(|id| !id.is_empty());
        let whole = name == NOTICE && domain.is_none();
        if whole || of_type || NAMES.contains(&name) { Ok(Self { domain, name: name.to_owned() }) } else { Err(bad()) }
    }

    /// Whether nothing at all is told.
    pub fn is_notice(&self) -> bool {
        self.name == NOTICE
    }

    /// The data type, where it is one.
    pub fn data_type(&self) -> Option<&str> {
        self.name.strip_prefix("type:")
    }

    /// The same fact with the id that the taxonomy has for its data type.
    #[must_use]
    pub fn canonical(self, taxonomy: &Taxonomy) -> Self {
        match self.data_type().map(|id| format!("type:{}", taxonomy.canonical(id))) {
            Some(name) => Self { name, ..self },
            None => self,
        }
    }

    /// The domain that it is of; none: every one.
    pub fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// Whether it hides whatever another one hides of data types: a later one goes on where it ended.
    pub fn covers(&self, other: &Self) -> bool {
        let here = self.domain.is_none() || self.domain == other.domain;
        here && (self.name == other.name || (self.name == "types" && other.data_type().is_some()))
    }

    /// Whether it hides a data type of a domain.
    pub fn hides_type(&self, domain: &str, id: &str) -> bool {
        self.is_of(domain) && (self.name == "types" || self.data_type() == Some(id))
    }

    /// Names of what is withheld with it, because it could be reckoned from them.
    pub fn follows(&self) -> &'static [&'static str] {
        match self.name.as_str() {
            "objects" => &OF_OBJECTS,
            "types" => &UNKNOWN[..1],
            "period" => &UNKNOWN[1..2],
            "bytes" => &UNKNOWN[2..],
            _ if self.data_type().is_some() => &OF_A_TYPE,
            _ => &[],
        }
    }

    /// Whether it would tell something that what it hides is there, or is not.
    pub fn shows_by_being_there(&self) -> bool {
        self.data_type().is_some() || self.follows().contains(&UNKNOWN[0])
    }

    /// Its name for readers: which type is not told is part of what is not told.
    pub fn shown(&self) -> &str {
        if self.data_type().is_some() { "type" } else { &self.name }
    }

    fn is_of(&self, domain: &str) -> bool {
        self.domain.as_ref().is_none_or(|of| of == domain)
    }

    /// Takes the fact out of a domain's facts, and what it could be reckoned from, and leaves their names; the names of
    /// the latter. None: it hides nothing here, or is hidden already. What a domain never had is not withheld; what it had
    /// and has no more is, because that it is gone would tell it.
    pub fn blank(&self, facts: &mut DomainFacts, had: &Had) -> Option<Vec<&'static str>> {
        if self.is_notice() || !self.is_of(&facts.domain) {
            return None;
        }
        match self.data_type() {
            Some(id) if !had.types.contains(id) => return None,
            // Of several types each is named, so that each has its own reason.
            Some(id) => facts.data_types.retain(|count| count.id != id),
            None => {}
        }
        let also: Vec<&'static str> =
            self.follows().iter().copied().filter(|name| *name != UNKNOWN[0] || had.unknown_type).collect();
        // The fact alone may be hidden already, as what follows from another one.
        let is_hidden = facts.withholds(self.shown()) && also.iter().all(|name| facts.withholds(name));
        if is_hidden && self.data_type().is_none() {
            return None;
        }
        blank_one(self.shown(), facts);
        if self.data_type().is_some() || !facts.withholds(self.shown()) {
            facts.withheld.push(self.shown().to_owned());
        }
        for name in &also {
            blank_one(name, facts);
            if !facts.withholds(name) {
                facts.withheld.push((*name).to_owned());
            }
        }
        facts.withheld.sort();
        Some(also)
    }
}

/// What a domain had of what shows by being there, at any time since it is withheld.
#[derive(Debug, Clone, Default)]
pub struct Had {
    types: BTreeSet<String>,
    unknown_type: bool,
}

impl Had {
    /// What it has.
    pub fn of(facts: &DomainFacts) -> Self {
        let mut had = Self::default();
        had.add(facts);
        had
    }

    /// What it had at another time.
    pub fn add(&mut self, facts: &DomainFacts) {
        self.types.extend(facts.data_types.iter().map(|count| count.id.clone()));
        self.unknown_type |= facts.unknown.data_type > 0;
    }
}

fn blank_one(name: &str, facts: &mut DomainFacts) {
    match name {
        "references" => facts.rows = 0,
        "objects" => facts.objects = 0,
        "emails" => facts.emails = 0,
        "users" => facts.users = 0,
        "projects" => facts.projects = 0,
        "bytes" => facts.bytes = 0,
        "period" => (facts.first_date, facts.last_date) = (None, None),
        "types" => facts.data_types.clear(),
        "unknown_type" => facts.unknown.data_type = 0,
        "unknown_date" => facts.unknown.date = 0,
        "unknown_size" => facts.unknown.size = 0,
        TYPE_OBJECTS => facts.data_types.iter_mut().for_each(|count| count.objects = 0),
        _ => {}
    }
}

impl std::fmt::Display for FactName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.domain {
            Some(domain) => write!(f, "{domain}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What a notice says of a withholding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Withheld {
    /// Its name; of a data type only `type`.
    pub fact: String,
    /// Names of what is withheld with it, because it could be reckoned from them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The domain, where it is withheld for one alone.
    pub domain: Option<String>,
    /// Why, in the vendor's words.
    pub why: String,
    /// When it is looked at again.
    pub review_at: Timestamp,
}

impl Withheld {
    /// As the reader is told of it, `also` being what is withheld with it.
    pub fn of(name: &FactName, also: &[&str], why: &str, review_at: Timestamp) -> Self {
        let also = also.iter().map(|name| (*name).to_owned()).collect();
        let fact = name.shown().to_owned();
        Self { fact, also, domain: name.domain.clone(), why: why.to_owned(), review_at }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notices::{TypeCount, Unknown};

    fn facts() -> DomainFacts {
        DomainFacts {
            domain: "acme.example".to_owned(),
            tenant_id: None,
            rows: 9,
            objects: 8,
            emails: 7,
            users: 6,
            projects: 5,
            bytes: 4,
            first_date: Some("2020-01-01".to_owned()),
            last_date: Some("2021-01-01".to_owned()),
            data_types: vec![TypeCount { id: "invoice".to_owned(), objects: 3 }],
            unknown: Unknown { data_type: 2, date: 2, size: 2 },
            withheld: Vec::new(),
        }
    }

    fn blanked(name: &str) -> DomainFacts {
        let mut facts = facts();
        let had = Had::of(&facts);
        FactName::parse(name).unwrap().blank(&mut facts, &had);
        facts
    }

    #[test]
    fn what_is_blanked_is_gone_and_named() {
        assert_eq!(blanked("emails"), DomainFacts { emails: 0, withheld: vec!["emails".to_owned()], ..facts() });
        let types = blanked("type:invoice");
        assert_eq!((types.data_types.len(), types.objects, types.rows), (0, 0, 0));
        assert!(types.withholds("type") && types.withholds("objects") && !types.withholds("emails"));
        assert_eq!(blanked("type:contract"), facts(), "what is not there is not withheld");
        assert_eq!(blanked("other.example/objects"), facts());
        assert_eq!(blanked("ACME.example/objects").objects, 0);
        assert_eq!(blanked("notice"), facts());
        assert_eq!(blanked("period").first_date, None);
    }

    #[test]
    fn each_of_two_data_types_that_are_withheld_is_counted_and_one_that_is_hidden_twice_is_not() {
        let mut facts = DomainFacts {
            data_types: ["contract", "invoice"].map(|id| TypeCount { id: id.to_owned(), objects: 3 }).to_vec(),
            ..facts()
        };
        let had = Had::of(&facts);
        for name in ["type:contract", "type:invoice", "objects", "emails", "emails"] {
            FactName::parse(name).unwrap().blank(&mut facts, &had);
        }
        let named = |name: &str| facts.withheld.iter().filter(|one| *one == name).count();
        assert_eq!((named("type"), named("objects"), named("emails")), (2, 1, 1), "{:?}", facts.withheld);
        assert!(facts.withholds(TYPE_OBJECTS), "objects hide more than a type does");
    }

    #[test]
    fn objects_of_unknown_type_are_withheld_only_where_there_are_or_were_some() {
        let known = || DomainFacts { unknown: Unknown { data_type: 0, date: 2, size: 2 }, ..facts() };
        for name in ["objects", "types", "type:invoice"] {
            let name = FactName::parse(name).unwrap();
            let mut none = known();
            assert!(name.blank(&mut none, &Had::of(&known())).is_some_and(|also| !also.contains(&UNKNOWN[0])));
            assert!(!none.withholds(UNKNOWN[0]), "{name}");
            let mut had = Had::of(&known());
            had.add(&facts());
            let mut were = known();
            name.blank(&mut were, &had);
            assert!(were.withholds(UNKNOWN[0]), "{name}");
        }
    }

    /// Facts of a domain as they can be: each object has one type or none that is known, and is referenced at least once.
    fn possible() -> impl Strategy<Value = DomainFacts> {
        let counts = (0..4_i64, 0..4_i64, 0..3_i64, 0..5_i64, 0..4_i64, 0..99_i64);
        (counts, 0..2_i64, 0..2_i64).prop_map(
            |((invoices, contracts, unknown, more_rows, emails, bytes), date, size)| {
                let objects = (invoices + contracts + unknown).max(1);
                let data_types = [("contract", contracts), ("invoice", invoices)];
                let data_types = data_types.into_iter().filter(|(_, objects)| *objects > 0);
                DomainFacts {
                    rows: objects + more_rows,
                    objects,
                    emails,
                    bytes,
                    first_date: (date == 0).then(|| "2020-01-01".to_owned()),
                    data_types: data_types.map(|(id, objects)| TypeCount { id: id.to_owned(), objects }).collect(),
                    unknown: Unknown {
                        data_type: objects - invoices - contracts,
                        date: date * objects,
                        size: size * objects,
                    },
                    ..facts()
                }
            },
        )
    }

    /// The same with one further object of a type, referenced once.
    fn one_more(facts: &DomainFacts, id: &str) -> DomainFacts {
        let mut more =
            DomainFacts { rows: facts.rows + 1, objects: facts.objects + 1, bytes: facts.bytes + 7, ..facts.clone() };
        more.data_types.iter_mut().filter(|count| count.id == id).for_each(|count| count.objects += 1);
        if facts.unknown.date == facts.objects {
            more.unknown.date += 1;
        }
        if facts.unknown.size == facts.objects {
            more.unknown.size += 1;
        }
        more
    }

    proptest! {
        #[test]
        fn what_is_told_is_the_same_whatever_the_withheld_count_is(facts in possible(), domain in 0..2_usize) {
            let told = |name: &str, mut facts: DomainFacts| {
                let had = Had::of(&facts);
                FactName::parse(&format!("{}{name}", ["", "acme.example/"][domain])).unwrap().blank(&mut facts, &had);
                facts
            };
            for count in &facts.data_types {
                let more = one_more(&facts, &count.id);
                prop_assert_eq!(told("objects", facts.clone()), told("objects", more.clone()));
                let name = format!("type:{}", count.id);
                prop_assert_eq!(told(&name, facts.clone()), told(&name, more));
                // Nor does it show that its records are gone.
                let mut gone = facts.clone();
                gone.data_types.retain(|other| other.id != count.id);
                (gone.objects, gone.rows) = (facts.objects - count.objects, facts.rows - count.objects);
                let mut had = Had::of(&gone);
                had.add(&facts);
                FactName::parse(&name).unwrap().blank(&mut gone, &had);
                prop_assert_eq!(told(&name, facts.clone()), gone);
            }
            let other = DomainFacts { emails: facts.emails + 1, ..facts.clone() };
            prop_assert_eq!(told("emails", facts.clone()), told("emails", other));
            let other = DomainFacts { bytes: facts.bytes + 1, ..facts.clone() };
            prop_assert_eq!(told("bytes", facts.clone()), told("bytes", other));
            let dated = DomainFacts { first_date: None, last_date: None, unknown: Unknown { date: facts.objects, ..facts.unknown }, ..facts.clone() };
            prop_assert_eq!(told("period", facts), told("period", dated));
        }
    }

    #[test]
    fn a_type_is_named_by_the_id_of_the_taxonomy() {
        let name = FactName::parse("type:Statement of Work").unwrap().canonical(Taxonomy::builtin());
        assert_eq!(name.to_string(), "type:sow_document");
    }

    #[test]
    fn what_names_no_fact_says_what_does() {
        for text in ["", "everything", "type:", "acme.example/notice", "no domain/objects"] {
            assert!(FactName::parse(text).unwrap_err().to_string().contains("type:ID"), "{text}");
        }
        for text in ["emails", "type:invoice", "acme.example/bytes", "notice"] {
            assert_eq!(FactName::parse(text).unwrap().to_string(), text);
        }
    }
}
