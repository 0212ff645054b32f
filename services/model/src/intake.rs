//! One row of a manifest: what of it can be used (R1, R2, R5, R7).
//!
//! Does not read files, does not derive organisations and does not bring rows together (`runs` does). Invariant: a row is used or rejected as a whole by its host
//! alone; any other field that is bad is left out and marked.

use std::borrow::Cow;
use std::fmt;

use crate::delivery::named;
use crate::domain;
use crate::email::{self, domain_part};
use crate::taxonomy::Taxonomy;

/// Longest object path, in bytes.
pub const LONGEST_PATH: usize = 4096;
/// Longest other field, in bytes.
pub const LONGEST_FIELD: usize = 512;

/// What a file says in one field of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Field<'a> {
    /// Nothing: no such column, or JSON null.
    #[default]
    Missing,
    /// Something that is no text: not UTF-8, or a JSON array, object or boolean.
    Invalid,
    /// A text, as it stands in the file.
    Text(Cow<'a, str>),
}

impl<'a> From<&'a str> for Field<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

/// The eight fields of a manifest row, as they stand in the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawRow<'a> {
    /// Where the exposed object lay.
    pub object_path: Field<'a>,
    /// The host or domain of the organisation.
    pub domain: Field<'a>,
    /// The address of a person.
    pub email: Field<'a>,
    /// The kind of data.
    pub data_type: Field<'a>,
    /// The date of the document.
    pub document_date: Field<'a>,
    /// Its size in bytes.
    pub size_bytes: Field<'a>,
    /// The project it belongs to.
    pub project_id: Field<'a>,
    /// The user it belongs to.
    pub user_id: Field<'a>,
}

impl<'a> RawRow<'a> {
    /// The names of the fields, in their order.
    pub const FIELDS: [&'static str; 8] =
        ["object_path", "domain", "email", "data_type", "document_date", "size_bytes", "project_id", "user_id"];

    /// A row of fields in the order of [`Self::FIELDS`].
    pub fn from_fields(fields: [Field<'a>; 8]) -> Self {
        let [object_path, domain, email, data_type, document_date, size_bytes, project_id, user_id] = fields;
        Self { object_path, domain, email, data_type, document_date, size_bytes, project_id, user_id }
    }
}

named! {
    /// Why a row could not be used.
    Reject {
        /// A wrong number of columns; in JSON Lines, no object.
        Columns = "columns",
        /// Neither a domain nor an address that has one.
        NoDomain = "no_domain",
        /// The domain is no host name.
        BadDomain = "bad_domain",
    }
}

/// One of the seven fields that a row may lack without being rejected, in the order of [`Counted::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Where the object lay.
    ObjectPath,
    /// The address of a person.
    Email,
    /// The kind of data.
    DataType,
    /// The date of the document.
    DocumentDate,
    /// Its size.
    SizeBytes,
    /// The project.
    ProjectId,
    /// The user.
    UserId,
}

impl Counted {
    /// All of them. (A row without a domain takes its organisation from the address and lacks nothing.)
    pub const ALL: [Self; 7] = [
        Self::ObjectPath,
        Self::Email,
        Self::DataType,
        Self::DocumentDate,
        Self::SizeBytes,
        Self::ProjectId,
        Self::UserId,
    ];

    /// The field's name in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            Self::ObjectPath => "object_path",
            Self::Email => "email",
            Self::DataType => "data_type",
            Self::DocumentDate => "document_date",
            Self::SizeBytes => "size_bytes",
            Self::ProjectId => "project_id",
            Self::UserId => "user_id",
        }
    }
}

/// A set of [`Counted`] fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldSet(u8);

impl FieldSet {
    /// None.
    pub const NONE: Self = Self(0);

    /// Takes a field in.
    pub fn insert(&mut self, field: Counted) {
        self.0 |= 1 << field as u8;
    }

    /// Whether it is in.
    pub fn contains(self, field: Counted) -> bool {
        self.0 & (1 << field as u8) != 0
    }

    /// Whether none is in.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A day, in the order of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u32);

impl Day {
    /// The day of `YYYY-MM-DD` or of an RFC 3339 time, as it is written there: zones move nothing.
    pub fn parse(text: &str) -> Option<Self> {
        date(text)
    }

    /// Year, month and day as one number: 20210304.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The day of a [`Self::number`]; `None` for a number that is none.
    pub fn of_number(number: u32) -> Option<Self> {
        is_day(number / 10_000, number / 100 % 100, number % 100).then_some(Self(number))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0 / 10_000, self.0 / 100 % 100, self.0 % 100)
    }
}

/// A row that is used: its host, and of its other fields those that are there and valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The host the row is about, in the normal form of [`domain::DomainName`].
    pub host: Cow<'a, str>,
    /// Byte for byte as in the file.
    pub object_path: Option<&'a str>,
    /// In normal form.
    pub email: Option<Cow<'a, str>>,
    /// An id of the taxonomy, or the file's own name, trimmed.
    pub data_type: Option<&'a str>,
    /// When the document was written.
    pub document_date: Option<Day>,
    /// Bytes, never negative.
    pub size_bytes: Option<i64>,
    /// Trimmed.
    pub project_id: Option<&'a str>,
    /// Trimmed.
    pub user_id: Option<&'a str>,
    /// What the row lacks.
    pub missing: FieldSet,
    /// What is there and cannot be used.
    pub invalid: FieldSet,
}

/// Reads a row by R1, R2, R5 and R7.
pub fn read_row<'a>(raw: &'a RawRow<'_>, taxonomy: &'a Taxonomy) -> Result<Row<'a>, Reject> {
    let host = host(&raw.domain, &raw.email)?;
    let mut marks = Marks::default();
    Ok(Row {
        host,
        object_path: marks.note(Counted::ObjectPath, path(&raw.object_path)),
        email: marks.note(Counted::Email, text(&raw.email).and_then(|text| email::normal(text).ok())),
        data_type: marks.note(Counted::DataType, text(&raw.data_type)).map(|name| taxonomy.canonical(name)),
        document_date: marks.note(Counted::DocumentDate, text(&raw.document_date).and_then(date)),
        size_bytes: marks.note(Counted::SizeBytes, text(&raw.size_bytes).and_then(size)),
        project_id: marks.note(Counted::ProjectId, text(&raw.project_id)),
        user_id: marks.note(Counted::UserId, text(&raw.user_id)),
        missing: marks.missing,
        invalid: marks.invalid,
    })
}

/// What became of one field.
enum Reading<T> {
    Missing,
    Invalid,
    Value(T),
}

impl<T> Reading<T> {
    fn and_then<U>(self, read: impl FnOnce(T) -> Option<U>) -> Reading<U> {
        match self {
            Self::Missing => Reading::Missing,
            Self::Invalid => Reading::Invalid,
            Self::Value(value) => read(value).map_or(Reading::Invalid, Reading::Value),
        }
    }
}

#[derive(Default)]
struct Marks {
    missing: FieldSet,
    invalid: FieldSet,
}

impl Marks {
    fn note<T>(&mut self, field: Counted, reading: Reading<T>) -> Option<T> {
        match reading {
            Reading::Missing => self.missing.insert(field),
            Reading::Invalid => self.invalid.insert(field),
            Reading::Value(value) => return Some(value),
        }
        None
    }
}

/// R1 and R2. An address that is no text has no domain to give.
fn host<'a>(domain: &'a Field<'_>, email: &'a Field<'_>) -> Result<Cow<'a, str>, Reject> {
    let name = match (domain, email) {
        (Field::Invalid, _) => return Err(Reject::BadDomain),
        (Field::Text(domain), _) if !domain.trim().is_empty() => domain,
        (_, Field::Text(email)) => domain_part(email).ok_or(Reject::NoDomain)?,
        (_, Field::Missing | Field::Invalid) => return Err(Reject::NoDomain),
    };
    domain::normal(name).map_err(|_| Reject::BadDomain)
}

fn path<'a>(field: &'a Field<'_>) -> Reading<&'a str> {
    match field {
        Field::Missing => Reading::Missing,
        Field::Invalid => Reading::Invalid,
        Field::Text(text) if text.trim().is_empty() => Reading::Missing,
        Field::Text(text) if text.len() > LONGEST_PATH || has_control(text) => Reading::Invalid,
        Field::Text(text) => Reading::Value(text),
    }
}

/// Any field but the path: trimmed.
fn text<'a>(field: &'a Field<'_>) -> Reading<&'a str> {
    let text = match field {
        Field::Missing => return Reading::Missing,
        Field::Invalid => return Reading::Invalid,
        Field::Text(text) => text.trim(),
    };
    if text.is_empty() {
        return Reading::Missing;
    }
    if text.len() > LONGEST_FIELD || has_control(text) { Reading::Invalid } else { Reading::Value(text) }
}

/// Control characters are those below U+0020, and U+007F to U+009F, whose UTF-8 begins with C2.
fn has_control(text: &str) -> bool {
    let suspect = text.bytes().fold(false, |found, byte| found | (byte < 0x20) | (byte == 0x7f) | (byte == 0xc2));
    suspect && text.chars().any(char::is_control)
}

/// Decimal digits, 0 to 2^63-1.
fn size(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// [`Day::parse`].
fn date(text: &str) -> Option<Day> {
    let (day, rest) = text.split_at_checked(10)?;
    let bytes = day.as_bytes();
    let (year, month, of_month) = (number(bytes, 0..4)?, number(bytes, 5..7)?, number(bytes, 8..10)?);
    let is_date = bytes[4] == b'-' && bytes[7] == b'-' && is_day(year, month, of_month);
    (is_date && (rest.is_empty() || is_time(rest))).then_some(Day(year * 10_000 + month * 100 + of_month))
}

fn is_day(year: u32, month: u32, of_month: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=9999).contains(&year) && (1..=last).contains(&of_month)
}

/// `Thh:mm:ss`, perhaps a fraction, and `Z` or an offset. Source: RFC 3339 5.6, which also allows small letters and a
/// space in place of the T; second 60 is a leap second.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let clock = |from: usize, last_hour: u32| {
        number(bytes, from..from + 2).is_some_and(|hour| hour <= last_hour)
            && bytes.get(from + 2) == Some(&b':')
            && number(bytes, from + 3..from + 5).is_some_and(|minute| minute <= 59)
    };
    if !matches!(bytes.first(), Some(b'T' | b't' | b' ')) || !clock(1, 23) || bytes.get(6) != Some(&b':') {
        return false;
    }
    if number(bytes, 7..9).is_none_or(|second| second > 60) {
        return false;
    }
    let mut zone = 9;
    if bytes.get(zone) == Some(&b'.') {
        let digits = bytes[zone + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return false;
        }
        zone += 1 + digits;
    }
    match bytes.get(zone) {
        Some(b'Z' | b'z') => bytes.len() == zone + 1,
        Some(b'+' | b'-') => bytes.len() == zone + 6 && clock(zone + 1, 23),
        _ => false,
    }
}

/// The number that digits at that place make.
fn number(bytes: &[u8], at: std::ops::Range<usize>) -> Option<u32> {
    bytes.get(at)?.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

#[cfg(test)]
mod tests;
