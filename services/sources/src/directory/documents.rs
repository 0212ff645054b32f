//! Directory files that are no tables: SCIM and vCard, where one thing can hold several records.
//!
//! Knows neither format. Invariant: what one resource or card gives is bounded, whatever multiplies in it.

use std::path::Path;

use crate::directory::columns::{ColumnRows, Layout};
use crate::directory::scim::Resources;
use crate::directory::vcard::Cards;
use crate::directory::{ContactRecord, DirectoryFormat, DirectoryRecord, scim, vcard};
use crate::encoding::Encoding;
use crate::error::SourceError;
use crate::head::Format;
use crate::input::{self, Guess, Opened};

/// Longest text of a resource or card that goes into a record, in bytes: 4 KiB.
const LONGEST_TEXT: usize = 4 * 1024;
/// Most addresses of one person.
const MOST_ADDRESSES: usize = 100;

/// A file that is open.
pub(super) enum Source<const N: usize> {
    Columns(Box<ColumnRows<N>>),
    Documents(Box<Documents>, Vec<String>),
}

#[derive(Debug)]
pub(super) enum Documents {
    Scim(Resources),
    VCard(Cards),
}

/// An organisation with its domains.
#[derive(Debug, Default)]
pub(super) struct Organisation {
    pub(super) line: u64,
    pub(super) tenant_id: String,
    pub(super) tenant_name: String,
    pub(super) country: String,
    pub(super) language: String,
    pub(super) domains: Vec<String>,
}

/// A person with the addresses, the preferred one first.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Without an address. Its priority counts for all of them.
    pub(super) record: ContactRecord,
    pub(super) addresses: Vec<Address>,
}

#[derive(Debug, Default)]
pub(super) struct Address {
    pub(super) email: String,
    /// Counts where the person has none.
    pub(super) priority: String,
}

impl<const N: usize> Source<N> {
    /// Opens a file, whose format is found out where none is given.
    pub(super) fn open(path: &Path, format: Option<DirectoryFormat>, layout: Layout<N>) -> Result<Self, SourceError> {
        let mut opened = input::open(path, Encoding::Auto, Guess::Any)?;
        let found = match (&mut opened, format) {
            (Opened::Text(text), None) => DirectoryFormat::detect(text.head(path)?),
            (Opened::Text(_), Some(format)) => Some(format),
            (Opened::Parquet(_), None) => None,
            (Opened::Parquet(_), Some(format)) => {
                let (found, next) = ("it is a Parquet file", "do not name a format");
                return Err(SourceError::NotOfFormat { path: path.to_owned(), format, found, next });
            }
        };
        let table = |opened, format| Ok(Self::Columns(Box::new(ColumnRows::open(path, opened, format, layout)?)));
        match (found, opened) {
            (Some(DirectoryFormat::Scim), Opened::Text(text)) => {
                let notes = text.notes.clone();
                Ok(Self::Documents(Box::new(Documents::Scim(Resources::open(path, text)?)), notes))
            }
            (Some(DirectoryFormat::VCard), Opened::Text(text)) => {
                let notes = text.notes.clone();
                Ok(Self::Documents(Box::new(Documents::VCard(Cards::open(path, text)?)), notes))
            }
            (Some(DirectoryFormat::Csv), opened) => table(opened, Format::Csv),
            (Some(DirectoryFormat::JsonLines), opened) => table(opened, Format::JsonLines),
            (_, opened) => table(opened, Format::Auto),
        }
    }

    /// What the user may want to know.
    pub(super) fn notes(&self) -> &[String] {
        match self {
            Self::Columns(rows) => rows.notes(),
            Self::Documents(_, notes) => notes,
        }
    }
}

impl Documents {
    /// The next organisation; persons are passed over.
    pub(super) fn next_organisation(&mut self) -> Result<Option<DirectoryRecord<Organisation>>, SourceError> {
        match self {
            Self::Scim(resources) => {
                resources.next_that(|resource| scim::organisation(resource)?.map_or(Ok(None), Organisation::checked))
            }
            Self::VCard(cards) => {
                cards.next_that(|card| vcard::organisation(card)?.map_or(Ok(None), Organisation::checked))
            }
        }
    }

    /// The next person; organisations are passed over.
    pub(super) fn next_person(&mut self) -> Result<Option<DirectoryRecord<Person>>, SourceError> {
        match self {
            Self::Scim(resources) => {
                resources.next_that(|resource| scim::person(resource)?.map_or(Ok(None), Person::checked))
            }
            Self::VCard(cards) => cards.next_that(|card| vcard::person(card)?.map_or(Ok(None), Person::checked)),
        }
    }
}

impl Organisation {
    fn checked(self) -> Result<Option<Self>, String> {
        if self.domains.is_empty() {
            return Err("it names no domain".to_owned());
        }
        let texts = [&self.tenant_id, &self.tenant_name, &self.country, &self.language];
        check_lengths(texts.into_iter().chain(&self.domains).map(String::as_str))?;
        Ok(Some(self))
    }
}

impl Person {
    fn checked(self) -> Result<Option<Self>, String> {
        if self.addresses.is_empty() {
            return Err("it has no e-mail address".to_owned());
        }
        if self.addresses.len() > MOST_ADDRESSES {
            return Err(format!("it has {} e-mail addresses, more than {MOST_ADDRESSES}", self.addresses.len()));
        }
        let addresses = self.addresses.iter().flat_map(|address| [&*address.email, &*address.priority]);
        check_lengths(self.record.values().into_iter().chain(addresses))?;
        Ok(Some(self))
    }

    /// A record for each address.
    pub(super) fn into_records(self) -> impl Iterator<Item = ContactRecord> {
        let record = self.record;
        self.addresses.into_iter().map(move |address| {
            let mut record = ContactRecord { email: address.email, ..record.clone() };
            if record.priority.is_empty() {
                record.priority = address.priority;
            }
            record
        })
    }
}

/// The first text that says anything, without the white space around it.
pub(super) fn first_of<const N: usize>(texts: [&str; N]) -> String {
    texts.into_iter().map(str::trim).find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

fn check_lengths<'a>(mut texts: impl Iterator<Item = &'a str>) -> Result<(), String> {
    match texts.find(|text| text.len() > LONGEST_TEXT) {
        None => Ok(()),
        Some(text) => {
            let start: String = text.chars().take(20).collect();
            Err(format!("a text in it, {start:?}…, is longer than 4 KiB"))
        }
    }
}
