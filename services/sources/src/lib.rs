//! Files in: rows of manifests, directories and lists, from CSV, JSON Lines and Parquet, plain or packed, in constant
//! memory; and the files that a folder or the manifest of an inventory stands for.
//!
//! Does not decide what a row means (`model` does). Only `scan` opens exposed objects, and keeps addresses and hosts alone;
//! only `lookup` asks other people's servers.
//! Architecture invariant: knows `model` only; every physical line of a file ends in exactly one record.

mod compression;
mod csv;
mod described;
mod digest;
pub mod directory;
mod encoding;
mod error;
mod expand;
mod head;
mod header;
mod input;
mod inventory;
mod json;
mod late;
mod lines;
mod list;
mod listed;
#[cfg(feature = "lookup")]
pub mod lookup;
mod manifest;
mod parquet;
mod preset;
mod rows;
#[cfg(feature = "object-store")]
pub mod scan;
mod table;
mod text;
#[cfg(any(feature = "lookup", feature = "object-store"))]
mod tls;

pub use compression::Compression;
pub use described::Described;
pub use digest::digest;
pub use encoding::Encoding;
pub use error::SourceError;
pub use expand::{Expanded, Input, expand};
pub use head::Format;
pub use list::read_list;
pub use listed::Listed;
pub use manifest::{Column, Manifest, Options, Record};
pub use preset::Preset;
pub use rows::Fault;
pub use table::{Table, TableRecord, TableRow};

#[cfg(test)]
mod tests;
