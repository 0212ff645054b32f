//! How runs are written down: blocks of fixed records, sorted by reversed host name and by key.
//!
//! A sets block is `1, kinds, sections`; a section is `host, four counts, objects, e-mails, users, projects`. An object
//! is 29 bytes: key 16, size 8, day and dispute 3, kind 2; the others are their key of 16. Numbers are little-endian.
//! The format has no place for anything else: what an exposed file says cannot be put into it. Invariant: reading what
//! was written gives the same, and no bytes whatsoever make reading panic.

use super::Key;
use crate::intake::{Counted, Day};

/// The first byte of every block.
const VERSION: u8 = 1;
/// An object in bytes.
pub(super) const OBJECT: usize = 29;
/// No kind.
pub(super) const NO_KIND: u16 = u16::MAX;
/// The bit of a packed day that marks a dispute.
const DISPUTED: u32 = 1 << 23;

/// A block as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// Reversed name of the first host in it.
    pub first: String,
    /// Reversed name of the last host in it.
    pub last: String,
    /// Entries: objects, addresses, users and projects; in a counts block hosts.
    pub entries: u32,
    /// The records.
    pub body: Vec<u8>,
    /// Paths, projects and, with plain identities, addresses and users, in the order of the records, a line each.
    pub names: String,
}

/// Bytes that are no block of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a block of exposure records is damaged ({0})")]
pub struct Damaged(pub &'static str);

/// What the rows say about one object, by R8. The order and the number of rows make no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectSaid {
    /// The object.
    pub key: Key,
    /// The smallest size stated, in bytes.
    pub size: Option<i64>,
    /// The earliest date stated.
    pub day: Option<Day>,
    /// The first type stated, in byte order: its place among the block's kinds.
    pub kind: Option<u16>,
    /// Whether two rows state different sizes, dates or types. A row that states none disputes nothing.
    pub disputed: bool,
}

impl ObjectSaid {
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        to.extend_from_slice(&self.key);
        to.extend_from_slice(&self.size.unwrap_or(-1).to_le_bytes());
        let number = self.day.map_or(0, Day::number);
        let day = ((number / 10_000) << 9) | ((number / 100 % 100) << 5) | (number % 100);
        let packed = day | if self.disputed { DISPUTED } else { 0 };
        to.extend_from_slice(&packed.to_le_bytes()[..3]);
        to.extend_from_slice(&self.kind.unwrap_or(NO_KIND).to_le_bytes());
    }

    fn read(bytes: &[u8; OBJECT]) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&bytes[..16]);
        let mut size = [0; 8];
        size.copy_from_slice(&bytes[16..24]);
        let size = i64::from_le_bytes(size);
        let packed = u32::from_le_bytes([bytes[24], bytes[25], bytes[26], 0]);
        let day = packed & !DISPUTED;
        let kind = u16::from_le_bytes([bytes[27], bytes[28]]);
        Self {
            key,
            size: (size >= 0).then_some(size),
            day: Day::of_number((day >> 9) * 10_000 + ((day >> 5) & 15) * 100 + (day & 31)),
            kind: (kind != NO_KIND).then_some(kind),
            disputed: packed & DISPUTED != 0,
        }
    }
}

/// Raw references of one host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows.
    pub rows: u64,
    /// Rows with a missing field.
    pub rows_missing: u64,
    /// Rows with an invalid field.
    pub rows_invalid: u64,
    /// Rows that lack each field, in the order of [`Counted::ALL`].
    pub missing: [u64; Counted::ALL.len()],
    /// Rows in which each field cannot be used, in the same order.
    pub invalid: [u64; Counted::ALL.len()],
}

impl Counts {
    /// Adds other rows.
    pub fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.rows_missing += other.rows_missing;
        self.rows_invalid += other.rows_invalid;
        for (mine, theirs) in self.missing.iter_mut().zip(other.missing) {
            *mine += theirs;
        }
        for (mine, theirs) in self.invalid.iter_mut().zip(other.invalid) {
            *mine += theirs;
        }
    }

    /// Rows that have a field that can be used.
    pub fn with(&self, field: Counted) -> u64 {
        self.rows - self.missing[field as usize] - self.invalid[field as usize]
    }
}

/// A sets block that is read.
#[derive(Debug)]
pub struct SetsBlock<'a> {
    /// The data types that its objects' kinds point to.
    pub kinds: Vec<&'a str>,
    rest: Reader<'a>,
}

/// What a block holds of one host.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    /// Reversed name.
    pub host: &'a str,
    objects: &'a [[u8; OBJECT]],
    /// Keys of addresses, sorted.
    pub emails: &'a [Key],
    /// Keys of users, sorted.
    pub users: &'a [Key],
    /// Keys of projects, sorted.
    pub projects: &'a [Key],
}

impl<'a> Section<'a> {
    /// The objects, sorted by key.
    pub fn objects(&self) -> impl ExactSizeIterator<Item = ObjectSaid> + use<'a> {
        self.objects.iter().map(ObjectSaid::read)
    }
}

impl<'a> SetsBlock<'a> {
    /// Reads the head of a block.
    pub fn open(body: &'a [u8]) -> Result<Self, Damaged> {
        let mut rest = Reader::open(body)?;
        let count = rest.u16()?;
        let kinds = (0..count).map(|_| rest.text()).collect::<Result<_, _>>()?;
        Ok(Self { kinds, rest })
    }

    /// The next host.
    pub fn next_section(&mut self) -> Result<Option<Section<'a>>, Damaged> {
        if self.rest.0.is_empty() {
            return Ok(None);
        }
        let host = self.rest.text()?;
        let counts = [self.rest.u32()?, self.rest.u32()?, self.rest.u32()?, self.rest.u32()?];
        let objects = self.rest.many::<OBJECT>(counts[0])?;
        let (emails, users, projects) =
            (self.rest.many(counts[1])?, self.rest.many(counts[2])?, self.rest.many(counts[3])?);
        Ok(Some(Section { host, objects, emails, users, projects }))
    }
}

/// A counts block that is read.
#[derive(Debug)]
pub struct CountsBlock<'a>(Reader<'a>);

impl<'a> CountsBlock<'a> {
    /// Reads the head of a block.
    pub fn open(body: &'a [u8]) -> Result<Self, Damaged> {
        Reader::open(body).map(Self)
    }

    /// The next host: its reversed name and its raw references.
    pub fn next_host(&mut self) -> Result<Option<(&'a str, Counts)>, Damaged> {
        if self.0.0.is_empty() {
            return Ok(None);
        }
        let host = self.0.text()?;
        let mut counts = Counts { rows: self.0.varint()?, ..Counts::default() };
        if self.0.u8()? == 1 {
            counts.rows_missing = self.0.varint()?;
            counts.rows_invalid = self.0.varint()?;
            for count in counts.missing.iter_mut().chain(&mut counts.invalid) {
                *count = self.0.varint()?;
            }
        }
        Ok(Some((host, counts)))
    }
}

/// The head of a sets block.
pub(super) fn start_sets(body: &mut Vec<u8>, kinds: &[&str]) {
    body.push(VERSION);
    body.extend_from_slice(&u16::try_from(kinds.len()).unwrap_or(NO_KIND).to_le_bytes());
    kinds.iter().for_each(|kind| write_text(body, kind));
}

/// The head of a counts block.
pub(super) fn start_counts(body: &mut Vec<u8>) {
    body.push(VERSION);
}

/// The head of a section.
pub(super) fn start_section(body: &mut Vec<u8>, host: &str, counts: [usize; 4]) {
    write_text(body, host);
    for count in counts {
        body.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }
}

pub(super) fn write_counts(body: &mut Vec<u8>, host: &str, counts: &Counts) {
    write_text(body, host);
    write_varint(body, counts.rows);
    let clean = counts.rows_missing == 0 && counts.rows_invalid == 0;
    body.push(u8::from(!clean));
    if !clean {
        write_varint(body, counts.rows_missing);
        write_varint(body, counts.rows_invalid);
        counts.missing.iter().chain(&counts.invalid).for_each(|count| write_varint(body, *count));
    }
}

/// Texts are fields of rows: never longer than a path.
fn write_text(body: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    body.extend_from_slice(&length.to_le_bytes());
    body.extend_from_slice(&text.as_bytes()[..usize::from(length)]);
}

/// Seven bits a byte, the lowest first, the eighth says that more follow.
fn write_varint(body: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        body.push((number as u8 & 0x7f) | 0x80);
        number >>= 7;
    }
    body.push(number as u8);
}

#[derive(Debug)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn open(body: &'a [u8]) -> Result<Self, Damaged> {
        let mut reader = Self(body);
        if reader.u8()? == VERSION { Ok(reader) } else { Err(Damaged("it has another version")) }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Damaged("it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, Damaged> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, Damaged> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Result<u32, Damaged> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn varint(&mut self) -> Result<u64, Damaged> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Damaged("a number in it has no end"))
    }

    fn text(&mut self) -> Result<&'a str, Damaged> {
        let length = usize::from(self.u16()?);
        std::str::from_utf8(self.take(length)?).map_err(|_| Damaged("a name in it is no text"))
    }

    fn many<const N: usize>(&mut self, count: u32) -> Result<&'a [[u8; N]], Damaged> {
        let bytes = usize::try_from(count).ok().and_then(|count| count.checked_mul(N));
        Ok(self.take(bytes.ok_or(Damaged("it ends too early"))?)?.as_chunks().0)
    }
}
