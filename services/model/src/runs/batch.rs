//! Rows in memory until they are a run: bounded, deduplicated per host.
//!
//! Does not decide when it is full: the caller asks [`Batch::bytes`]. Invariant: what comes out is sorted, holds each
//! (host, thing) once, and does not depend on the order of the rows.

mod pack;

use std::collections::HashMap;

use hashbrown::HashTable;

use super::block::{Counts, SetsBlock};
use super::fold::differ;
use super::{Damaged, Key, host_of};
use crate::intake::{Counted, Day, FieldSet};

/// What one row says, with the keys of what it names.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The host.
    pub host: &'a str,
    /// The object and its path.
    pub object: Option<(Key, &'a str)>,
    /// Its size in bytes.
    pub size: Option<i64>,
    /// Its date.
    pub day: Option<Day>,
    /// Its type.
    pub kind: Option<&'a str>,
    /// The address; its text only where identities are kept in plain.
    pub email: Option<(Key, &'a str)>,
    /// The user; likewise.
    pub user: Option<(Key, &'a str)>,
    /// The project and its name.
    pub project: Option<(Key, &'a str)>,
    /// Fields that the row lacks.
    pub missing: FieldSet,
    /// Fields that it has and that cannot be used.
    pub invalid: FieldSet,
}

/// A place in the batch's text.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u32,
    length: u16,
}

#[derive(Debug)]
struct Host {
    name: Span,
    rows: u32,
    /// Place in [`Batch::spoilt`] and one; 0: every row has every field.
    spoilt: u32,
}

#[derive(Debug)]
struct Object {
    key: Key,
    size: i64,
    host: u32,
    /// With [`DISPUTED`].
    day: u32,
    kind: u32,
    path: Span,
}

#[derive(Debug)]
struct Other {
    key: Key,
    host: u32,
    thing: u8,
    name: Span,
}

/// What was said lately, so that saying it again costs nothing: most rows of a manifest repeat others, and R8 makes
/// repetition change nothing.
///
/// It forgets what does not fit, which costs time and no figure. What it takes for repeated is, but for one mistake in
/// 10^18 questions: it compares 64 bits of a keyed hash in a place that other bits of it choose.
#[derive(Debug)]
pub struct Seen {
    slots: Vec<[u64; WAYS]>,
}

/// Places where one statement may stand: half a cache line, so that looking costs one miss.
const WAYS: usize = 4;

impl Seen {
    /// One that takes up to this many bytes. Memory is used as statements come.
    pub fn new(bytes: usize) -> Self {
        let places = (bytes / size_of::<[u64; WAYS]>()).next_power_of_two().max(1);
        Self { slots: vec![[0; WAYS]; places] }
    }

    /// Whether this was said before; from now on it was. `place` is independent of `statement`.
    fn again(&mut self, place: u64, statement: u64) -> bool {
        let at = place as usize & (self.slots.len() - 1);
        let slot = &mut self.slots[at];
        if slot.contains(&statement) {
            return true;
        }
        slot.rotate_right(1);
        slot[0] = statement;
        false
    }
}

/// Rows, brought together as far as they fit into memory.
#[derive(Debug, Default)]
pub struct Batch {
    text: String,
    hosts: Vec<Host>,
    host_table: HashTable<u32>,
    spoilt: Vec<Counts>,
    objects: Vec<Object>,
    object_table: HashTable<u32>,
    others: Vec<Other>,
    other_table: HashTable<u32>,
    kinds: Vec<String>,
    kind_numbers: HashMap<String, u32>,
    hasher: foldhash::fast::FixedState,
    seed: u64,
}

/// What is said about an object, with -1, 0 and [`NONE`] for what is not said.
#[derive(Debug, Clone, Copy)]
struct Statement {
    size: i64,
    day: u32,
    /// Of the batch's kinds, of which a merge may bring more together than a block has numbers for.
    kind: u32,
    disputed: bool,
}

/// No kind.
const NONE: u32 = u32::MAX;
/// The bit of an object's day that marks a dispute; a day needs 27.
const DISPUTED: u32 = 1 << 31;

impl Batch {
    /// Nothing yet.
    ///
    /// `seed` is any number that whoever writes manifests does not know, so that nobody can make names that are slow
    /// to look up; it changes nothing that comes out.
    pub fn new(seed: u64) -> Self {
        Self { seed, hasher: foldhash::fast::FixedState::with_seed(seed), ..Self::default() }
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        // A hash table has at most twice the places it needs, of four bytes and one.
        let each = |count: usize, size: usize| count * (size + 10);
        self.text.len()
            + each(self.hosts.len(), size_of::<Host>())
            + each(self.objects.len(), size_of::<Object>())
            + each(self.others.len(), size_of::<Other>())
            + self.spoilt.len() * size_of::<Counts>()
            + self.kinds.len() * 100
    }

    /// Whether some thousand further rows may need more numbers than there are for places.
    pub fn is_full(&self) -> bool {
        self.text.len() > (u32::MAX / 2) as usize
    }

    /// Takes a row in; what is said again is counted and otherwise left out.
    pub fn add(&mut self, row: &Reading<'_>, seen: &mut Seen) {
        let named = self.hash(row.host);
        let host = self.host(row.host, named);
        self.hosts[host as usize].rows += 1;
        if !row.missing.is_empty() || !row.invalid.is_empty() {
            self.mark(host, row.missing, row.invalid);
        }
        if let Some((key, path)) = row.object {
            let (size, day) = (row.size.unwrap_or(-1), row.day.map_or(0, Day::number));
            let kind = row.kind.map_or(0, |kind| self.hash(kind) | 1);
            let said = mix(mix(mix(named ^ self.seed, first_half(&key)) ^ size as u64, kind), u64::from(day) | 1 << 40);
            if !seen.again(second_half(&key) ^ named, said) {
                let kind = row.kind.map_or(NONE, |kind| self.kind(kind));
                self.object(host, key, path, Statement { size, day, kind, disputed: false });
            }
        }
        for (thing, name) in [row.email, row.user, row.project].into_iter().enumerate() {
            if let Some((key, name)) = name
                && !seen.again(second_half(&key) ^ named, mix(named ^ self.seed, first_half(&key)) ^ (thing as u64 + 1))
            {
                self.other(host, thing as u8, key, name);
            }
        }
    }

    /// Takes in a block of another run, with its names, except for hosts that `wants` refuses.
    pub fn absorb(&mut self, body: &[u8], names: &str, mut wants: impl FnMut(&str) -> bool) -> Result<(), Damaged> {
        let mut block = SetsBlock::open(body)?;
        let mut names = names.split('\n');
        let mut name = || names.next().ok_or(Damaged("it has too few names"));
        let kinds: Vec<u32> = block.kinds.iter().map(|kind| self.kind(kind)).collect();
        while let Some(section) = block.next_section()? {
            let host = wants(section.host).then(|| {
                let name = host_of(section.host);
                self.host(&name, self.hash(&name))
            });
            for said in section.objects() {
                let path = name()?;
                let Some(host) = host else { continue };
                let kind = said.kind.and_then(|kind| kinds.get(usize::from(kind))).copied().unwrap_or(NONE);
                let (size, day) = (said.size.unwrap_or(-1), said.day.map_or(0, Day::number));
                self.object(host, said.key, path, Statement { size, day, kind, disputed: said.disputed });
            }
            for (thing, keys) in [section.emails, section.users, section.projects].into_iter().enumerate() {
                for key in keys {
                    let name = name()?;
                    if let Some(host) = host {
                        self.other(host, thing as u8, *key, name);
                    }
                }
            }
        }
        Ok(())
    }

    fn host(&mut self, name: &str, hash: u64) -> u32 {
        let (text, hosts) = (&self.text, &self.hosts);
        if let Some(found) = self.host_table.find(hash, |at| text_at(text, hosts[*at as usize].name) == name) {
            return *found;
        }
        let span = self.keep(name);
        let at = self.hosts.len() as u32;
        self.hosts.push(Host { name: span, rows: 0, spoilt: 0 });
        let (text, hosts, hasher) = (&self.text, &self.hosts, &self.hasher);
        self.host_table.insert_unique(hash, at, |at| hash_of(hasher, text_at(text, hosts[*at as usize].name)));
        at
    }

    fn hash(&self, text: &str) -> u64 {
        hash_of(&self.hasher, text)
    }

    fn mark(&mut self, host: u32, missing: FieldSet, invalid: FieldSet) {
        let host = &mut self.hosts[host as usize];
        if host.spoilt == 0 {
            self.spoilt.push(Counts::default());
            host.spoilt = self.spoilt.len() as u32;
        }
        let counts = &mut self.spoilt[host.spoilt as usize - 1];
        counts.rows_missing += u64::from(!missing.is_empty());
        counts.rows_invalid += u64::from(!invalid.is_empty());
        for field in Counted::ALL {
            counts.missing[field as usize] += u64::from(missing.contains(field));
            counts.invalid[field as usize] += u64::from(invalid.contains(field));
        }
    }

    fn kind(&mut self, name: &str) -> u32 {
        if let Some(number) = self.kind_numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.kinds.len()).unwrap_or(NONE);
        self.kinds.push(name.to_owned());
        self.kind_numbers.insert(name.to_owned(), number);
        number
    }

    fn object(&mut self, host: u32, key: Key, path: &str, said: Statement) {
        let (objects, seed) = (&self.objects, self.seed);
        let same = |at: &u32| objects[*at as usize].key == key && objects[*at as usize].host == host;
        if let Some(at) = self.object_table.find(hash_of_key(seed, &key, host), same) {
            let kept = &mut self.objects[*at as usize];
            let kinds = &self.kinds;
            let mut day = kept.day & !DISPUTED;
            let sizes = differ(&mut kept.size, said.size, -1, |size| *size);
            let days = differ(&mut day, said.day, 0, |day| *day);
            let types = differ(&mut kept.kind, said.kind, NONE, |kind| kinds.get(*kind as usize));
            let disputed = kept.day & DISPUTED != 0 || said.disputed || sizes || days || types;
            kept.day = day | if disputed { DISPUTED } else { 0 };
            return;
        }
        let path = self.keep(path);
        let at = self.objects.len() as u32;
        let Statement { size, day, kind, disputed } = said;
        let day = day | if disputed { DISPUTED } else { 0 };
        self.objects.push(Object { key, size, host, day, kind, path });
        let objects = &self.objects;
        self.object_table.insert_unique(hash_of_key(seed, &key, host), at, |at| {
            let object = &objects[*at as usize];
            hash_of_key(seed, &object.key, object.host)
        });
    }

    fn other(&mut self, host: u32, thing: u8, key: Key, name: &str) {
        let seed = self.seed;
        let hash = |other: &Other| hash_of_key(seed, &other.key, other.host ^ u32::from(other.thing) << 30);
        let other = Other { key, host, thing, name: Span { from: 0, length: 0 } };
        let others = &self.others;
        let same = |at: &u32| {
            let there = &others[*at as usize];
            there.key == key && there.host == host && there.thing == thing
        };
        let hashed = hash(&other);
        if self.other_table.find(hashed, same).is_some() {
            return;
        }
        let name = self.keep(name);
        let at = self.others.len() as u32;
        self.others.push(Other { name, ..other });
        let others = &self.others;
        self.other_table.insert_unique(hashed, at, |at| hash(&others[*at as usize]));
    }

    fn keep(&mut self, text: &str) -> Span {
        let from = self.text.len() as u32;
        self.text.push_str(text);
        Span { from, length: text.len() as u16 }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.hosts.clear();
        self.host_table.clear();
        self.spoilt.clear();
        self.objects.clear();
        self.object_table.clear();
        self.others.clear();
        self.other_table.clear();
        self.kinds.clear();
        self.kind_numbers.clear();
    }
}

fn text_at(text: &str, span: Span) -> &str {
    let from = span.from as usize;
    text.get(from..from + usize::from(span.length)).unwrap_or_default()
}

fn hash_of(hasher: &foldhash::fast::FixedState, text: &str) -> u64 {
    use std::hash::BuildHasher;
    hasher.hash_one(text.as_bytes())
}

/// Keys are hashes already; the host is mixed in because many hosts may name one thing.
fn hash_of_key(seed: u64, key: &Key, host: u32) -> u64 {
    mix(first_half(key) ^ seed, u64::from(host) | 1 << 40)
}

fn first_half(key: &Key) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&key[..8]);
    u64::from_le_bytes(first)
}

fn second_half(key: &Key) -> u64 {
    let mut second = [0; 8];
    second.copy_from_slice(&key[8..]);
    u64::from_le_bytes(second)
}

/// Two numbers made one, every bit of which depends on all of theirs.
fn mix(one: u64, other: u64) -> u64 {
    let product = u128::from(one ^ 0x9e37_79b9_7f4a_7c15) * u128::from(other ^ 0xd6e8_feb8_6659_fd93);
    (product >> 64) as u64 ^ product as u64
}
