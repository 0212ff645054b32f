//! What can be wrong with a file as a whole, with the next step.
//!
//! A row that cannot be used is no error. Invariant: each text names the file, and the line where there is one.

use std::io;
use std::path::{Path, PathBuf};

use crate::compression::Fault;

/// Why a file cannot be read, or not any further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// No such file.
    #[error("cannot open {}: there is no such file; check the name, and the folder it is looked for in", path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// A directory.
    #[error("cannot read {}: it is a directory; name the file in it", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// Somebody wrote to it.
    #[error("{} was changed while it was read, so nothing of it was counted; wait until it is complete, then import it again", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// Nothing in it but white space.
    #[error("cannot read {}: it is empty; check that the export ran to its end", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Not a text.
    #[error("cannot read {}: it {found}: {next}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What to do.
        next: &'static str,
    },
    /// Text of another kind.
    #[error("cannot read {}: it {found}, and neither CSV with a header nor JSON Lines (an object a line): {next}", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What to do.
        next: &'static str,
    },
    /// The header lacks columns.
    #[error("cannot read {}: its header has no column {missing} (it has: {present}); {next}", path.display())]
    MissingColumns {
        /// The file.
        path: PathBuf,
        /// What is missing, separated by commas.
        missing: String,
        /// What the header has, separated by commas.
        present: String,
        /// What to do.
        next: &'static str,
    },
    /// The header names a needed column twice.
    #[error("cannot read {}: its header has the column {column} more than once; rename or remove one of them", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// An option names a field that does not exist, or the same one twice.
    #[error("{option} cannot take the field {field:?}: {why}; the fields are: {known}")]
    BadField {
        /// `--map` or `--without`.
        option: &'static str,
        /// What was given.
        field: String,
        /// What is wrong with it.
        why: &'static str,
        /// All fields, separated by commas.
        known: String,
    },
    /// A record is too long to be one.
    #[error(
        "cannot read {} any further: the record that begins in line {line} is longer than 1 MiB; look there for a quotation mark that is not closed or for a missing line break",
        path.display()
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The physical line where the record begins.
        line: u64,
    },
    /// The file ends inside quotes that swallowed lines.
    #[error(
        "cannot read {} to its end: a quotation mark opened in the record that begins in line {line} is not closed, and the lines after it belong to it; close or remove it",
        path.display()
    )]
    UnclosedQuote {
        /// The file.
        path: PathBuf,
        /// The physical line where the record begins.
        line: u64,
    },
    /// A list with a line that is no text.
    #[error("cannot read {}: line {line} is not UTF-8; save the file as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The physical line.
        line: u64,
    },
    /// A text that was taken for UTF-8 until its first characters beyond ASCII came.
    #[error(
        "cannot read {} as UTF-8, although its first 64 KiB are: of its characters beyond ASCII {invalid} are not, first in line {line}, and {valid} are; say --encoding latin1 if it is Windows-1252 (Latin-1), or --encoding utf-8 to take the fields with them as invalid",
        path.display()
    )]
    NotUtf8Late {
        /// The file.
        path: PathBuf,
        /// The physical line of the first one that is not.
        line: u64,
        /// Sequences of bytes that are not UTF-8.
        invalid: u64,
        /// Characters of several bytes that are.
        valid: u64,
    },
    /// No line is a JSON object.
    #[error(
        "cannot read {} as JSON Lines: none of its lines is one JSON object; if it is pretty-printed over several lines, write an object a line, for example with jq -c .; if it is CSV, say --format csv",
        path.display()
    )]
    NotJsonLines {
        /// The file.
        path: PathBuf,
    },
    /// No object has a member that is wanted.
    #[error(
        "cannot read {}: none of its objects has a member that is wanted ({wanted}), and its first object has: {present}; name members that have another name with --map NAME=FIELD",
        path.display()
    )]
    NoMembers {
        /// The file.
        path: PathBuf,
        /// What is wanted, separated by commas.
        wanted: String,
        /// What the first object has, separated by commas.
        present: String,
    },
    /// The file ends too early, is damaged, or unpacks to more than anybody packs.
    #[error("cannot read {} any further: after line {line}, {found}; {next}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The last physical line that could be read; in Parquet, the last row. 0 where there is none.
        line: u64,
        /// What is wrong.
        found: String,
        /// What to do.
        next: &'static str,
    },
    /// Columns of a Parquet file hold something else than their fields need.
    #[error("cannot read {}: {columns}; convert them in the export, or name other columns with --map", path.display())]
    WrongType {
        /// The file.
        path: PathBuf,
        /// Each column with its type and the types that its field takes.
        columns: String,
    },
    /// An inventory without anything that names organisations.
    #[error(
        "cannot read {} as {preset}: it has no column for the domain, and no path rule says where in a path the domain stands; state path_rule in the incident file, or --path-rule, for example 'exports/{{domain}}/**'",
        path.display()
    )]
    NoDomainSource {
        /// The file.
        path: PathBuf,
        /// What it is.
        preset: crate::Preset,
    },
    /// A folder, or several, without any file that can be read.
    #[error("cannot find a file to read in {}: {found}; name a folder with exports in it, or the files", path.display())]
    NoFiles {
        /// The folder.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// The manifest of an inventory says something that cannot be followed.
    #[error("cannot follow the inventory manifest {}: {found}; {next}", path.display())]
    BadInventory {
        /// The manifest.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What to do.
        next: &'static str,
    },
    /// A directory file is no file of the format it was taken for.
    #[error("cannot read {} as {format}: {found}; {next}", path.display())]
    NotOfFormat {
        /// The file.
        path: PathBuf,
        /// What it was taken for.
        format: crate::directory::DirectoryFormat,
        /// What it is.
        found: &'static str,
        /// What to do.
        next: &'static str,
    },
    /// A file of a format that is held in memory as a whole.
    #[error(
        "cannot read {}: unpacked it is larger than {most_mib} MiB, the most that is read of a SCIM export; export it in parts, or as CSV or JSON Lines",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in MiB.
        most_mib: u64,
    },
    /// The system says no.
    #[error("cannot read {}; check that this user may read it and that the disk is well", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl SourceError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::IsADirectory => Self::Directory { path },
            _ => Self::Io { path, source },
        }
    }

    /// An error after that line.
    pub(crate) fn reading(path: &Path, line: u64, source: io::Error) -> Self {
        match source.get_ref().and_then(|inner| inner.downcast_ref::<Fault>()) {
            Some(fault) => Self::fault(path, line, *fault),
            None => Self::io(path, source),
        }
    }

    pub(crate) fn fault(path: &Path, line: u64, fault: Fault) -> Self {
        Self::Damaged { path: path.to_owned(), line, found: fault.to_string(), next: fault.next() }
    }
}
