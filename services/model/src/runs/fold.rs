//! Blocks folded into figures.
//!
//! Does not read blocks from anywhere. Invariant: a fold's figures are those of the union of all sections it took,
//! whatever their order and however often each came; raw references add up.

use std::collections::{BTreeMap, HashMap};

use super::block::{Counts, ObjectSaid, Section};
use super::{Key, Thing};
use crate::intake::Day;

/// Data types by number, over the blocks of one fold or several.
#[derive(Debug, Default)]
pub struct Kinds {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Kinds {
    /// The numbers of a block's kinds, in its order.
    pub fn numbers_of(&mut self, kinds: &[&str]) -> Vec<u32> {
        kinds.iter().map(|kind| self.number(kind)).collect()
    }

    fn number(&mut self, kind: &str) -> u32 {
        if let Some(number) = self.numbers.get(kind) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(NO_KIND);
        self.names.push(kind.to_owned());
        self.numbers.insert(kind.to_owned(), number);
        number
    }

    /// The place of each number in the byte order of the names.
    fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_unstable_by_key(|at| &self.names[*at]);
        let mut ranks = vec![0; order.len()];
        for (rank, at) in order.into_iter().enumerate() {
            ranks[at] = u32::try_from(rank).unwrap_or(NO_KIND);
        }
        ranks
    }
}

const NO_KIND: u32 = u32::MAX;

/// A part of all keys, by their first byte: large folds are made part by part, and parts add up.
#[derive(Debug, Clone, Copy)]
pub struct KeyRange {
    first: u8,
    last: u8,
}

impl KeyRange {
    /// All keys.
    pub const ALL: Self = Self { first: 0, last: u8::MAX };

    /// All keys in at most 256 parts of which each holds about `at_most` of `entries`.
    pub fn parts(entries: u64, at_most: u64) -> Vec<Self> {
        let parts = entries.div_ceil(at_most.max(1)).clamp(1, 256);
        let edge = |part: u64| (part * 256).div_ceil(parts);
        (0..parts).map(|part| Self { first: edge(part) as u8, last: (edge(part + 1) - 1) as u8 }).collect()
    }

    fn of(self, keys: &[Key]) -> &[Key] {
        let from = keys.partition_point(|key| key[0] < self.first);
        let to = keys.partition_point(|key| key[0] <= self.last);
        &keys[from..to]
    }

    fn has(self, key: &Key) -> bool {
        (self.first..=self.last).contains(&key[0])
    }
}

/// What was said about an object, with the kind's number over all blocks.
#[derive(Debug, Clone, Copy)]
struct Said {
    key: Key,
    size: i64,
    day: u32,
    kind: u32,
    disputed: bool,
}

/// What sections of any number of hosts came to.
#[derive(Debug, Default)]
pub struct Fold {
    counts: Counts,
    objects: Vec<Said>,
    things: [Vec<Key>; 3],
}

/// The figures of a fold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Raw references.
    pub counts: Counts,
    /// Distinct objects.
    pub objects: u64,
    /// Distinct addresses.
    pub emails: u64,
    /// Distinct users.
    pub users: u64,
    /// Distinct projects.
    pub projects: u64,
    /// Bytes over distinct objects whose size is known; at most 2^63-1.
    pub bytes: i64,
    /// The earliest document date.
    pub first: Option<Day>,
    /// The latest document date.
    pub last: Option<Day>,
    /// Distinct objects by data type.
    pub types: BTreeMap<String, u64>,
    /// Distinct objects of which no row states a type.
    pub without_type: u64,
    /// Distinct objects of which no row states a date.
    pub without_date: u64,
    /// Distinct objects of which no row states a size.
    pub without_size: u64,
    /// Distinct objects about which rows disagree.
    pub in_dispute: u64,
}

impl Fold {
    /// Takes raw references in.
    pub fn count(&mut self, counts: &Counts) {
        self.counts.add(counts);
    }

    /// Takes in what a section says about keys of a range; `kinds` are the numbers of its block's kinds.
    pub fn take(&mut self, section: &Section<'_>, kinds: &[u32], range: KeyRange) {
        for ObjectSaid { key, size, day, kind, disputed } in section.objects() {
            if range.has(&key) {
                let kind = kind.and_then(|kind| kinds.get(usize::from(kind))).copied().unwrap_or(NO_KIND);
                let (size, day) = (size.unwrap_or(-1), day.map_or(0, Day::number));
                self.objects.push(Said { key, size, day, kind, disputed });
            }
        }
        for (thing, keys) in [section.emails, section.users, section.projects].into_iter().enumerate() {
            self.things[thing].extend_from_slice(range.of(keys));
        }
    }

    /// Takes in the keys of one kind of thing alone.
    pub fn take_keys(&mut self, thing: Thing, keys: &[Key], range: KeyRange) {
        self.things[thing as usize].extend_from_slice(range.of(keys));
    }

    /// The distinct objects by R8, sorted by key.
    pub fn objects(&mut self, kinds: &Kinds) -> Vec<(ObjectSaid, Option<String>)> {
        self.settle(kinds);
        self.objects
            .iter()
            .map(|said| {
                let object = ObjectSaid {
                    key: said.key,
                    size: (said.size >= 0).then_some(said.size),
                    day: Day::of_number(said.day),
                    kind: None,
                    disputed: said.disputed,
                };
                (object, kinds.names.get(said.kind as usize).cloned())
            })
            .collect()
    }

    /// The distinct keys of a kind of thing, sorted.
    pub fn keys(&mut self, thing: Thing) -> &[Key] {
        let keys = &mut self.things[thing as usize];
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The figures.
    pub fn figures(mut self, kinds: &Kinds) -> Figures {
        self.settle(kinds);
        let mut figures = Figures { counts: self.counts, objects: self.objects.len() as u64, ..Figures::default() };
        let mut by_kind = vec![0_u64; kinds.names.len()];
        let (mut first, mut last) = (u32::MAX, 0);
        for said in &self.objects {
            match by_kind.get_mut(said.kind as usize) {
                Some(count) => *count += 1,
                None => figures.without_type += 1,
            }
            if said.size >= 0 {
                figures.bytes = figures.bytes.saturating_add(said.size);
            } else {
                figures.without_size += 1;
            }
            if said.day > 0 {
                (first, last) = (first.min(said.day), last.max(said.day));
            } else {
                figures.without_date += 1;
            }
            figures.in_dispute += u64::from(said.disputed);
        }
        (figures.first, figures.last) = (Day::of_number(first), Day::of_number(last));
        for (kind, count) in by_kind.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            figures.types.insert(kinds.names[kind].clone(), count);
        }
        figures.emails = self.keys(Thing::Email).len() as u64;
        figures.users = self.keys(Thing::User).len() as u64;
        figures.projects = self.keys(Thing::Project).len() as u64;
        figures
    }

    /// Brings what was said about one object together, by R8: the smallest size, the earliest date, the first type in
    /// byte order.
    fn settle(&mut self, kinds: &Kinds) {
        let ranks = kinds.ranks();
        self.objects.sort_unstable_by_key(|said| said.key);
        self.objects.dedup_by(|other, kept| {
            if other.key != kept.key {
                return false;
            }
            let sizes = differ(&mut kept.size, other.size, -1, |size| *size);
            let days = differ(&mut kept.day, other.day, 0, |day| *day);
            let rank = |kind: &u32| ranks.get(*kind as usize).copied().unwrap_or(NO_KIND);
            let types = differ(&mut kept.kind, other.kind, NO_KIND, rank);
            kept.disputed |= other.disputed | sizes | days | types;
            true
        });
    }
}

impl Figures {
    /// Adds the figures of another part of the keys of the same fold.
    pub fn add_part(&mut self, other: Self) {
        self.objects += other.objects;
        self.emails += other.emails;
        self.users += other.users;
        self.projects += other.projects;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.first = self.first.into_iter().chain(other.first).min();
        self.last = self.last.max(other.last);
        for (kind, count) in other.types {
            *self.types.entry(kind).or_default() += count;
        }
        self.without_type += other.without_type;
        self.without_date += other.without_date;
        self.without_size += other.without_size;
        self.in_dispute += other.in_dispute;
        self.counts.add(&other.counts);
    }
}

/// Keeps the lesser of two statements of which each may be `none`; whether both state something and differ.
pub(super) fn differ<T: Copy + PartialEq, O: Ord>(kept: &mut T, other: T, none: T, order: impl Fn(&T) -> O) -> bool {
    if other == none || *kept == other {
        return false;
    }
    if *kept == none {
        *kept = other;
        return false;
    }
    if order(&other) < order(kept) {
        *kept = other;
    }
    true
}
