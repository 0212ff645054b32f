//! One row of a manifest: what of it can be used (R1, R2, R5, R7), and how what rows say about one object comes
//! together (R8).
//!
//! Does not read files and does not derive organisations. Invariant: a row is used or rejected as a whole by its host
//! alone; any other field that is bad is left out and marked.

use std::borrow::Cow;

use crate::delivery::named;
use crate::domain::DomainName;
use crate::email::{EmailAddress, domain_part};
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

/// A row that is used: its host, and of its other fields those that are there and valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// The host the row is about.
    pub host: DomainName,
    /// Byte for byte as in the file.
    pub object_path: Option<Cow<'a, str>>,
    /// In normal form.
    pub email: Option<EmailAddress>,
    /// An id of the taxonomy, or the file's own name, trimmed.
    pub data_type: Option<Cow<'a, str>>,
    /// `YYYY-MM-DD`, so that the order of texts is the order of days.
    pub document_date: Option<String>,
    /// Bytes, never negative.
    pub size_bytes: Option<i64>,
    /// Trimmed.
    pub project_id: Option<Cow<'a, str>>,
    /// Trimmed.
    pub user_id: Option<Cow<'a, str>>,
    /// Whether path, address, type, date, size, project or user is missing. (A row without a domain takes its
    /// organisation from the address and lacks nothing.)
    pub has_missing_field: bool,
    /// Whether one of the same fields is there and cannot be used.
    pub has_invalid_field: bool,
}

/// Reads a row by R1, R2, R5 and R7.
pub fn read_row<'a>(raw: &'a RawRow<'_>, taxonomy: &'a Taxonomy) -> Result<Row<'a>, Reject> {
    let mut row = Row {
        host: host(&raw.domain, &raw.email)?,
        object_path: None,
        email: None,
        data_type: None,
        document_date: None,
        size_bytes: None,
        project_id: None,
        user_id: None,
        has_missing_field: false,
        has_invalid_field: false,
    };
    let mut marks = Marks::default();
    row.object_path = marks.note(path(&raw.object_path));
    row.email = marks.note(text(&raw.email).and_then(|text| EmailAddress::parse(text).ok()));
    row.data_type = marks.note(text(&raw.data_type)).map(|name| taxonomy.canonical(name));
    row.document_date = marks.note(text(&raw.document_date).and_then(date)).map(str::to_owned);
    row.size_bytes = marks.note(text(&raw.size_bytes).and_then(size));
    row.project_id = marks.note(text(&raw.project_id)).map(Cow::Borrowed);
    row.user_id = marks.note(text(&raw.user_id)).map(Cow::Borrowed);
    row.has_missing_field = marks.missing;
    row.has_invalid_field = marks.invalid;
    Ok(row)
}

/// What the rows say about one object, by R8. The order and the number of rows make no difference.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectFacts {
    /// The smallest size stated, in bytes.
    pub size: Option<i64>,
    /// The earliest date stated.
    pub date: Option<String>,
    /// The first type stated, in byte order.
    pub data_type: Option<String>,
    /// Whether two rows state different sizes, dates or types. A row that states none disputes nothing.
    pub disputed: bool,
}

impl ObjectFacts {
    /// What one row says.
    pub fn of(row: &Row<'_>) -> Self {
        Self {
            size: row.size_bytes,
            date: row.document_date.clone(),
            data_type: row.data_type.as_deref().map(str::to_owned),
            disputed: false,
        }
    }

    /// Takes in what other rows say. Commutative, associative, idempotent.
    pub fn merge(&mut self, other: &Self) {
        let disputed = [
            keep_least(&mut self.size, &other.size),
            keep_least(&mut self.date, &other.date),
            keep_least(&mut self.data_type, &other.data_type),
        ];
        self.disputed |= other.disputed || disputed.contains(&true);
    }
}

/// Keeps the lesser of two statements; whether they differ.
fn keep_least<T: Ord + Clone>(kept: &mut Option<T>, other: &Option<T>) -> bool {
    match (&*kept, other) {
        (_, None) => false,
        (None, Some(_)) => {
            kept.clone_from(other);
            false
        }
        (Some(mine), Some(theirs)) if mine == theirs => false,
        (Some(mine), Some(theirs)) => {
            if theirs < mine {
                kept.clone_from(other);
            }
            true
        }
    }
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
    missing: bool,
    invalid: bool,
}

impl Marks {
    fn note<T>(&mut self, reading: Reading<T>) -> Option<T> {
        match reading {
            Reading::Missing => self.missing = true,
            Reading::Invalid => self.invalid = true,
            Reading::Value(value) => return Some(value),
        }
        None
    }
}

/// R1 and R2. An address that is no text has no domain to give.
fn host(domain: &Field<'_>, email: &Field<'_>) -> Result<DomainName, Reject> {
    let name = match (domain, email) {
        (Field::Invalid, _) => return Err(Reject::BadDomain),
        (Field::Text(domain), _) if !domain.trim().is_empty() => domain,
        (_, Field::Text(email)) => domain_part(email).ok_or(Reject::NoDomain)?,
        (_, Field::Missing | Field::Invalid) => return Err(Reject::NoDomain),
    };
    DomainName::parse(name).map_err(|_| Reject::BadDomain)
}

fn path<'a>(field: &'a Field<'_>) -> Reading<Cow<'a, str>> {
    match field {
        Field::Missing => Reading::Missing,
        Field::Invalid => Reading::Invalid,
        Field::Text(text) if text.trim().is_empty() => Reading::Missing,
        Field::Text(text) if text.len() > LONGEST_PATH || has_control(text) => Reading::Invalid,
        Field::Text(text) => Reading::Value(Cow::Borrowed(text)),
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

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

/// Decimal digits, 0 to 2^63-1.
fn size(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// The day of `YYYY-MM-DD` or of an RFC 3339 time, as it is written there: zones move nothing.
fn date(text: &str) -> Option<&str> {
    let (day, rest) = text.split_at_checked(10)?;
    (is_day(day) && (rest.is_empty() || is_time(rest))).then_some(day)
}

fn is_day(day: &str) -> bool {
    let bytes = day.as_bytes();
    let (Some(year), Some(month), Some(of_month)) = (number(bytes, 0..4), number(bytes, 5..7), number(bytes, 8..10))
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    bytes[4] == b'-' && bytes[7] == b'-' && year > 0 && (1..=last).contains(&of_month)
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
