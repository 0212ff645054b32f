//! Files in: rows of manifests, directories and lists, from CSV and JSON Lines, in constant memory.
//!
//! Does not decide what a row means (`model` does) and never looks at the content of an exposed object.
//! Architecture invariant: knows `model` only; every physical line of a file ends in exactly one record.

mod csv;
mod digest;
mod error;
mod head;
mod json;
mod lines;
mod list;
mod manifest;
mod rows;
mod table;

pub use digest::digest;
pub use error::SourceError;
pub use head::Format;
pub use list::read_list;
pub use manifest::{Manifest, Options, Record};
pub use table::{Table, TableRecord, TableRow};

#[cfg(test)]
mod tests;
