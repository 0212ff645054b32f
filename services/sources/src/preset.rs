//! Presets: tables that storage systems write, with columns of their own and none for the domain.
//!
//! Does not read files. Invariant: what a preset says of a file follows from its header alone.
//!
//! Sources: Azure Storage, "blob inventory", schema fields of blobs; Amazon S3 User Guide, "storage-inventory" and
//! "storage-inventory-location".

use std::fmt;

use model::intake::RawRow;

use crate::rows::Accepts;

/// Which columns a manifest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// Found out from the header.
    #[default]
    Auto,
    /// The fields of a manifest.
    None,
    /// A blob inventory of Azure Storage: `Name` is container and blob, `Content-Length`, `Last-Modified`.
    AzureInventory,
    /// An inventory of Amazon S3: the path is `bucket/key`. In CSV that has its columns from a `manifest.json` the keys
    /// are URL-encoded, and are decoded.
    S3Inventory,
    /// A listing with `path`, `size` and `modified`.
    Listing,
}

impl Preset {
    /// The names of the command line.
    pub const NAMES: [&'static str; 5] = ["auto", "none", "azure-inventory", "s3-inventory", "listing"];

    /// The preset of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "none" => Some(Self::None),
            "azure-inventory" => Some(Self::AzureInventory),
            "s3-inventory" => Some(Self::S3Inventory),
            "listing" => Some(Self::Listing),
            _ => None,
        }
    }

    /// What `Auto` means for that header; another preset is taken as given.
    pub(crate) fn settle(self, header: Option<&[String]>) -> Self {
        let (Self::Auto, Some(header)) = (self, header) else {
            return if self == Self::Auto { Self::None } else { self };
        };
        let has = |name: &str| header.iter().any(|column| column == name);
        if has("object_path") {
            Self::None
        } else if has("Name") && ["Content-Length", "BlobType", "AccessTier", "Creation-Time"].into_iter().any(has) {
            Self::AzureInventory
        } else if (has("bucket") && has("key")) || (has("Bucket") && has("Key")) {
            Self::S3Inventory
        } else if has("path") && has("size") && has("modified") {
            Self::Listing
        } else {
            Self::None
        }
    }

    /// The names that a slot's column can have, and what it may hold.
    pub(crate) fn column(self, slot: usize) -> &'static [&'static str] {
        match (self, slot) {
            (Self::AzureInventory, PATH) => &["Name"],
            (Self::AzureInventory, SIZE) => &["Content-Length"],
            (Self::AzureInventory, DATE) => &["Last-Modified", "LastModified"],
            (Self::AzureInventory, NO_OBJECT) => &["hdi_isfolder"],
            (Self::AzureInventory, CURRENT) => &["IsCurrentVersion"],
            (Self::AzureInventory, SNAPSHOT) => &["Snapshot"],
            (Self::AzureInventory, DELETED) => &["Deleted"],
            (Self::S3Inventory, PATH) => &["Key", "key"],
            (Self::S3Inventory, SIZE) => &["Size", "size"],
            (Self::S3Inventory, DATE) => &["LastModifiedDate", "last_modified_date"],
            (Self::S3Inventory, BUCKET) => &["Bucket", "bucket"],
            (Self::S3Inventory, NO_OBJECT) => &["IsDeleteMarker", "is_delete_marker"],
            (Self::S3Inventory, CURRENT) => &["IsLatest", "is_latest"],
            (Self::Listing, PATH) => &["path"],
            (Self::Listing, SIZE) => &["size"],
            (Self::Listing, DATE) => &["modified"],
            _ => &[],
        }
    }
}

/// Slots of a row: the fields of a manifest at their places in [`RawRow::FIELDS`], then what inventories say besides.
pub(crate) const PATH: usize = 0;
pub(crate) const DOMAIN: usize = 1;
pub(crate) const EMAIL: usize = 2;
pub(crate) const TYPE: usize = 3;
pub(crate) const DATE: usize = 4;
pub(crate) const SIZE: usize = 5;
pub(crate) const PROJECT: usize = 6;
pub(crate) const USER: usize = 7;
/// How many fields a manifest has.
pub(crate) const FIELDS: usize = RawRow::FIELDS.len();
pub(crate) const BUCKET: usize = 8;
/// Whether the row is about no object: a delete marker, a folder.
pub(crate) const NO_OBJECT: usize = 9;
/// Whether it is the version that counts.
pub(crate) const CURRENT: usize = 10;
/// When a snapshot was taken; empty for what is none.
pub(crate) const SNAPSHOT: usize = 11;
/// Whether it was deleted and can be brought back.
pub(crate) const DELETED: usize = 12;
/// How many slots there are.
pub(crate) const SLOTS: usize = 13;

/// What a typed column may hold for that slot.
pub(crate) fn accepts(slot: usize) -> Accepts {
    match slot {
        SIZE | PROJECT | USER => Accepts::TextOrInteger,
        DATE => Accepts::Date,
        NO_OBJECT | CURRENT | DELETED => Accepts::Flag,
        // The Azure column is a text in CSV and can be a time in Parquet.
        SNAPSHOT => Accepts::Date,
        _ => Accepts::Text,
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "to be found out",
            Self::None => "a manifest",
            Self::AzureInventory => "an Azure blob inventory",
            Self::S3Inventory => "an S3 inventory",
            Self::Listing => "a listing",
        })
    }
}
