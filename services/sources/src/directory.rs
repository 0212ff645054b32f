//! Directory files: organisations and contacts, from and to CSV, JSON Lines, SCIM 2.0 and vCard.
//!
//! Does not judge what stands in them (`app` does): texts come as written, without the white space around them.
//! Invariant: each row, resource or card ends in records, in a malformed one that says why, or is of the other kind
//! (a group while contacts are read); memory is bounded whatever the file says.

mod apostrophe;
mod columns;
mod contacts;
mod documents;
mod format;
mod organisations;
mod scim;
mod vcard;
mod write;

pub use contacts::Contacts;
pub use format::DirectoryFormat;
pub use organisations::Organisations;
pub use write::{write_contacts, write_organisations};

/// Most bytes of a malformed record that are shown: 64 KiB.
const MOST_SHOWN: usize = 64 * 1024;

/// One organisation's domain, as written; not judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationRecord {
    /// The physical line where it begins, the first is 1: of the row, of the resource's opening brace, of
    /// `BEGIN:VCARD`. In Parquet the row.
    pub line: u64,
    /// A domain of the organisation.
    pub domain: String,
    /// What the organisation is known by.
    pub tenant_id: String,
    /// Its name.
    pub tenant_name: String,
    /// Its country.
    pub country: String,
    /// Its language, a BCP 47 tag.
    pub language: String,
}

/// An [`OrganisationRecord`] that borrows from its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganisationRow<'a> {
    /// As in [`OrganisationRecord::line`].
    pub line: u64,
    /// A domain of the organisation.
    pub domain: &'a str,
    /// What the organisation is known by.
    pub tenant_id: &'a str,
    /// Its name.
    pub tenant_name: &'a str,
    /// Its country.
    pub country: &'a str,
    /// Its language, a BCP 47 tag.
    pub language: &'a str,
}

/// One contact with one address, as written; not judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactRecord {
    /// As in [`OrganisationRecord::line`]. Several addresses of one person have the same.
    pub line: u64,
    /// The organisation it belongs to.
    pub tenant_id: String,
    /// Its role.
    pub role: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub email: String,
    /// Its language, a BCP 47 tag.
    pub language: String,
    /// How to reach it.
    pub channel: String,
    /// Its time zone, an IANA name or an offset.
    pub timezone: String,
    /// Which of several comes first.
    pub priority: String,
    /// `active`, `disabled`, or nothing.
    pub state: String,
    /// `verified`, `unverified`, or nothing.
    pub verified: String,
    /// Whether it consents to be named: `yes`, `no`, or nothing.
    pub may_be_named: String,
}

/// What stands at one place of a directory file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryRecord<T> {
    /// A record.
    Record(T),
    /// A row, resource or card that is none.
    Malformed {
        /// The physical line where it begins.
        line: u64,
        /// What is wrong with it, in words.
        why: String,
        /// As it stands in the file; after 64 KiB cut, with an ellipsis.
        raw: String,
    },
}

impl OrganisationRecord {
    /// The columns of CSV and JSON Lines.
    pub const COLUMNS: [&'static str; 5] = ["domain", "tenant_id", "tenant_name", "country", "language"];

    /// In the order of [`Self::COLUMNS`].
    fn values(&self) -> [&str; 5] {
        [&self.domain, &self.tenant_id, &self.tenant_name, &self.country, &self.language]
    }
}

impl<'a> OrganisationRow<'a> {
    /// Of values in the order of [`OrganisationRecord::COLUMNS`].
    fn of(line: u64, [domain, tenant_id, tenant_name, country, language]: [&'a str; 5]) -> Self {
        Self { line, domain, tenant_id, tenant_name, country, language }
    }
}

impl From<OrganisationRow<'_>> for OrganisationRecord {
    fn from(row: OrganisationRow<'_>) -> Self {
        Self {
            line: row.line,
            domain: row.domain.to_owned(),
            tenant_id: row.tenant_id.to_owned(),
            tenant_name: row.tenant_name.to_owned(),
            country: row.country.to_owned(),
            language: row.language.to_owned(),
        }
    }
}

impl ContactRecord {
    /// The columns of CSV and JSON Lines.
    pub const COLUMNS: [&'static str; 11] = [
        "tenant_id",
        "role",
        "name",
        "email",
        "language",
        "channel",
        "timezone",
        "priority",
        "state",
        "verified",
        "may_be_named",
    ];

    /// In the order of [`Self::COLUMNS`].
    fn values(&self) -> [&str; 11] {
        [
            &self.tenant_id,
            &self.role,
            &self.name,
            &self.email,
            &self.language,
            &self.channel,
            &self.timezone,
            &self.priority,
            &self.state,
            &self.verified,
            &self.may_be_named,
        ]
    }

    /// Of values in the order of [`Self::COLUMNS`].
    fn of(line: u64, values: [&str; 11]) -> Self {
        let [tenant_id, role, name, email, language, channel, timezone, priority, state, verified, may_be_named] =
            values.map(str::to_owned);
        Self {
            line,
            tenant_id,
            role,
            name,
            email,
            language,
            channel,
            timezone,
            priority,
            state,
            verified,
            may_be_named,
        }
    }
}

impl<T> DirectoryRecord<T> {
    fn malformed(line: u64, why: impl Into<String>, raw: &[u8]) -> Self {
        Self::Malformed { line, why: why.into(), raw: shown(raw) }
    }

    fn map<U>(self, map: impl FnOnce(T) -> U) -> DirectoryRecord<U> {
        match self {
            Self::Record(record) => DirectoryRecord::Record(map(record)),
            Self::Malformed { line, why, raw } => DirectoryRecord::Malformed { line, why, raw },
        }
    }
}

fn shown(raw: &[u8]) -> String {
    match raw.split_at_checked(MOST_SHOWN) {
        Some((first, rest)) if !rest.is_empty() => String::from_utf8_lossy(first).into_owned() + "…",
        _ => String::from_utf8_lossy(raw).into_owned(),
    }
}
