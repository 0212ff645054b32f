//! What a scan may use, and what it says at its end.
//!
//! Does not scan. Invariant: `listed` is `read` and all of `skipped` together, and `incomplete` and `without_findings`
//! count among `read`: every object ends in exactly one count.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

/// Bytes of a mebibyte.
pub(crate) const MIB: u64 = 1024 * 1024;

/// How a container is to be scanned.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ScanOptions {
    /// Keys and endpoints of the cloud; default: from the environment.
    pub credentials: Credentials,
    /// Put before the path of every object in the output, as it stands. R8 tells objects apart by path alone, so two
    /// containers of one incident that have the same paths need a prefix each. Default: nothing.
    pub path_prefix: String,
    /// Objects read at the same time, at least 1. Default 8; more helps with many small objects far away, and each
    /// costs a thread.
    pub concurrency: usize,
    /// Examples kept of each reason in [`Scanned`]. Default 5.
    pub examples: usize,
    /// Bounds.
    pub limits: Limits,
}

impl Default for ScanOptions {
    fn default() -> Self {
        Self {
            credentials: Credentials::from_env(),
            path_prefix: String::new(),
            concurrency: 8,
            examples: 5,
            limits: Limits::default(),
        }
    }
}

/// The bounds of a scan. What exceeds one is counted with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Largest object that is read, in bytes. Default 64 MiB; an OOXML file or mail is held in memory whole.
    pub object_bytes: u64,
    /// Most bytes that one object may unfold to: decompressed parts, decoded attachments. Default 256 MiB.
    pub unfolded_bytes: u64,
    /// How many times its compressed bytes a part may unfold to, once it has given 1 MiB. Default 200; honest XML
    /// stays below 100.
    pub ratio: u64,
    /// Most parts of an OOXML file. Default 10,000.
    pub parts: usize,
    /// Mails inside mails that are read. Default 4.
    pub mail_depth: usize,
    /// Most distinct addresses and hosts of one object. Default 10,000.
    pub findings: usize,
    /// Most objects of one scan. Default 5,000,000: the list is held in memory, about 100 bytes and the path each.
    pub objects: usize,
    /// What all objects in work may hold together, in bytes, counted as three times the size of an OOXML file or mail
    /// and 1 MiB for each object. Default 256 MiB; an object that alone would need more waits for all of it.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            object_bytes: 64 * MIB,
            unfolded_bytes: 256 * MIB,
            ratio: 200,
            parts: 10_000,
            mail_depth: 4,
            findings: 10_000,
            objects: 5_000_000,
            memory_bytes: 256 * MIB,
        }
    }
}

/// Variables of the environment that name keys and endpoints: `AWS_*`, `AZURE_*`, `IDENTITY_ENDPOINT`. Never printed.
#[derive(Clone, Default)]
pub struct Credentials(Vec<(String, String)>);

impl Credentials {
    /// Those of this process.
    pub fn from_env() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::of(std::env::vars_os().filter_map(text))
    }

    /// These variables; others than the named ones are left out.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let named = |name: &str| name.starts_with("AWS_") || name.starts_with("AZURE_") || name == "IDENTITY_ENDPOINT";
        Self(variables.into_iter().filter(|(name, _)| named(name)).collect())
    }

    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// How far a scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The container is being listed.
    Listing {
        /// Objects so far.
        objects: u64,
    },
    /// Objects are being read.
    Reading {
        /// Objects that are done, in the order of their paths.
        done: u64,
        /// All objects.
        objects: u64,
        /// Bytes read of the container.
        bytes: u64,
        /// Rows written.
        rows: u64,
    },
}

/// What a scan did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Scanned {
    /// Objects that the container lists.
    pub listed: u64,
    /// Their sizes together, in bytes, by the list.
    pub listed_bytes: u64,
    /// Objects whose text was looked at, whether or not to its end.
    pub read: u64,
    /// Bytes fetched of the container, also of objects that were skipped after a first look.
    pub read_bytes: u64,
    /// Objects that were read and have neither an address nor a host.
    pub without_findings: u64,
    /// Objects that gave nothing because they could not be read.
    pub skipped: BTreeMap<Reason, Tally>,
    /// Objects that were read in part: what was found counts, the rest of them was not looked at. An object counts
    /// once for each reason.
    pub incomplete: BTreeMap<Reason, Tally>,
    /// Rows written.
    pub rows: u64,
}

/// Objects with one reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many.
    pub objects: u64,
    /// Their sizes together, in bytes, by the list.
    pub bytes: u64,
    /// The first of their paths.
    pub examples: Vec<String>,
}

impl Tally {
    pub(crate) fn add(&mut self, path: &str, size: u64, examples: usize) {
        self.objects += 1;
        self.bytes += size;
        if self.examples.len() < examples {
            self.examples.push(path.to_owned());
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $text:literal;)+) => {
        /// Why an object, or a part of it, was not read.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $variant,)+
        }

        impl Reason {
            /// Every reason, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in files.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        impl Serialize for Reason {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text,)+ })
            }
        }
    };
}

reasons! {
    /// Over [`Limits::object_bytes`].
    TooLarge = "too_large", "it is larger than the limit for one object";
    /// No text: pictures, PDF, programs, Office files before 2007.
    UnknownKind = "unknown_kind", "it is of a kind whose text is not read";
    /// A ZIP, gzip, 7z or other archive; also one inside a document or mail.
    Archive = "archive", "it is an archive, and archives are not opened; unpack it and scan the folder";
    /// Protected by a password.
    Encrypted = "encrypted", "it is encrypted; ask its owner for one without a password";
    /// Not what it says it is, or broken off.
    Damaged = "damaged", "it is damaged or not what its name says";
    /// Over [`Limits::ratio`].
    RatioExceeded = "ratio_exceeded", "it unfolds to far more than its own bytes, as a decompression bomb does";
    /// Over [`Limits::unfolded_bytes`].
    TooMuchText = "too_much_text", "it unfolds to more bytes than the limit";
    /// Over [`Limits::parts`].
    TooManyParts = "too_many_parts", "it has more parts than the limit";
    /// Over [`Limits::mail_depth`], or XML that is nested like nobody's.
    TooDeep = "too_deep", "its parts are nested deeper than the limit";
    /// Over [`Limits::findings`].
    TooManyFindings = "too_many_findings", "it has more addresses and hosts than the limit; the first ones are kept";
    /// The container would not give it.
    ReadFailed = "read_failed", "it could not be read; look at its permissions and scan again";
    /// A symbolic link: where it leads is not in the folder.
    Link = "link", "it is a symbolic link, and links are not followed";
    /// A pipe, socket or device.
    NotAFile = "not_a_file", "it is a pipe, socket or device";
    /// A name that is no UTF-8.
    BadName = "bad_name", "its name is not UTF-8, so no row can name it";
}
