//! Scans a container (S3, Azure, a local folder) for the addresses and hosts in its text, and writes them as a
//! manifest.
//!
//! Never keeps, logs or writes content: an object leaves its path, size, date, kind of data, addresses and hosts.
//! Invariant: every object listed ends in exactly one count of [`Scanned`], and the same container gives the same bytes.

use std::io::{self, Read, Write};
use std::sync::Arc;

use futures_util::StreamExt;
use model::taxonomy::Taxonomy;
use tokio::sync::Semaphore;

mod container;
mod data_type;
mod decode;
mod error;
mod finder;
mod folder;
mod found;
mod hosts;
mod kind;
mod location;
mod mail;
mod mentions;
mod object;
mod ooxml;
mod options;
mod rows;
mod text;
mod unescape;

pub use error::ScanError;
pub use options::{Credentials, Limits, Progress, Reason, ScanOptions, Scanned, Tally};

use container::{Container, Entry};
use data_type::DataTypes;
use kind::{HEAD, Kind, Named};
use location::Location;
use object::{Heading, Object};
use options::MIB;

/// Scans the container at `url` and writes its rows to `out` in JSON Lines, objects in the byte order of their paths.
///
/// `url` is a folder (a path or `file:///…`), `s3://bucket/prefix`, `az://account/container/prefix` or
/// `https://account.blob.core.windows.net/container/prefix`; a prefix is a folder in the container. An object that
/// cannot be read is counted, not an error. Needs a Tokio runtime with I/O and time; reading and parsing block threads
/// of its pool for blocking work, [`ScanOptions::concurrency`] at most.
pub async fn scan(
    url: &str,
    options: &ScanOptions,
    out: &mut (dyn Write + Send),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Scanned, ScanError> {
    let container = Container::open(Location::parse(url)?, &options.credentials)?;
    let entries = container.list(options.limits.objects, progress).await?;
    let mut scanned = Scanned { listed: entries.len() as u64, ..Scanned::default() };
    progress(Progress::Listing { objects: scanned.listed });

    let types = DataTypes::new(Taxonomy::builtin());
    let reading = Reading::new(container, options.limits);
    let mut done = 0;
    let objects = entries.into_iter().map(|entry| reading.clone().object(entry));
    let mut objects = futures_util::stream::iter(objects).buffered(options.concurrency.max(1));
    while let Some(read) = objects.next().await {
        let path = format!("{}{}", options.path_prefix, read.entry.path);
        scanned.record(&path, &read, options.examples);
        if let Ok(object) = &read.outcome {
            let data_type = types.of(&read.entry.path, object.headings.lines());
            let rows = rows::write(out, &path, &read.entry, data_type, &object.found).map_err(ScanError::Write)?;
            scanned.rows += rows;
        }
        done += 1;
        let (objects, bytes, rows) = (scanned.listed, scanned.read_bytes, scanned.rows);
        progress(Progress::Reading { done, objects, bytes, rows });
    }
    out.flush().map_err(ScanError::Write)?;
    Ok(scanned)
}

impl Scanned {
    fn record(&mut self, path: &str, read: &Done, examples: usize) {
        let size = read.entry.size;
        self.listed_bytes += size;
        self.read_bytes += read.fetched;
        match &read.outcome {
            Ok(object) => {
                self.read += 1;
                self.without_findings += u64::from(object.found.len() == 0);
                for reason in &object.incomplete {
                    self.incomplete.entry(*reason).or_default().add(path, size, examples);
                }
            }
            Err(reason) => self.skipped.entry(*reason).or_default().add(path, size, examples),
        }
    }
}

/// An object that was read, or why not.
struct Done {
    entry: Entry,
    outcome: Result<Object, Reason>,
    /// Bytes.
    fetched: u64,
}

/// What reading an object needs.
#[derive(Clone)]
struct Reading {
    container: Container,
    limits: Limits,
    /// A permit is a mebibyte.
    memory: Arc<Semaphore>,
    permits: u32,
}

impl Reading {
    fn new(container: Container, limits: Limits) -> Self {
        let permits = u32::try_from(limits.memory_bytes / MIB).unwrap_or(u32::MAX).clamp(1, 1 << 20);
        Self { container, limits, memory: Arc::new(Semaphore::new(permits as usize)), permits }
    }

    async fn object(self, entry: Entry) -> Done {
        let (outcome, fetched) = match entry.skip {
            Some(reason) => (Err(reason), 0),
            None if entry.size == 0 => (Ok(Object::new(self.limits)), 0),
            None if entry.size > self.limits.object_bytes => (Err(Reason::TooLarge), 0),
            None => self.read(&entry).await,
        };
        Done { entry, outcome, fetched }
    }

    async fn read(self, entry: &Entry) -> (Result<Object, Reason>, u64) {
        // The semaphore is never closed; if it were, the bound on memory would be gone and nothing else.
        let permit = Arc::clone(&self.memory).acquire_many_owned(self.cost(entry)).await.ok();
        let Ok(bytes) = self.container.read(&entry.path).await else { return (Err(Reason::ReadFailed), 0) };
        let (path, size, limits) = (entry.path.clone(), entry.size, self.limits);
        let work = tokio::task::spawn_blocking(move || {
            let mut input = Counted { bytes, fetched: 0, limit: limits.object_bytes };
            let outcome = read(&path, size, &mut input, limits);
            drop(permit);
            (outcome, input.fetched)
        });
        // A parser that panics takes its own object with it and no other.
        work.await.unwrap_or((Err(Reason::Damaged), 0))
    }

    /// Permits: a mebibyte for buffers and findings, and for what is held whole the file, its parts and their text.
    fn cost(&self, entry: &Entry) -> u32 {
        let is_streamed = match kind::by_name(&entry.path) {
            Named::As(kind) => !matches!(kind, Kind::Mail | Kind::Ooxml),
            Named::Unread => true,
            Named::Unknown => false,
        };
        let whole = if is_streamed { 0 } else { entry.size.saturating_mul(3).div_ceil(MIB) };
        u32::try_from(whole + 1).unwrap_or(u32::MAX).min(self.permits)
    }
}

/// Reads an object to its end. What was found before a flaw counts; with nothing found the flaw is all there is.
fn read(path: &str, size: u64, input: &mut Counted, limits: Limits) -> Result<Object, Reason> {
    let mut object = Object::new(limits);
    let mut head = vec![0; HEAD];
    let filled = text::fill(input, &mut head)?;
    head.truncate(filled);
    let result = match kind::detect(path, &head)? {
        kind @ (Kind::Mail | Kind::Ooxml) => {
            let mut whole = head;
            // Once, for the size that the list said: growing would copy, and hold the file twice.
            whole.reserve_exact(usize::try_from(size.min(limits.object_bytes)).unwrap_or_default());
            input.read_to_end(&mut whole).map_err(|_| input.flaw())?;
            match kind {
                Kind::Mail => mail::read(&mut object, &whole),
                _ => ooxml::read(&mut object, &whole),
            }
        }
        kind => {
            let heading = if kind == Kind::Text { Heading::MayBe } else { Heading::Never };
            text::read(&mut object, kind, heading, &mut head.as_slice().chain(&mut *input))
        }
    };
    let flaw = match result {
        Err(Reason::ReadFailed) => Some(input.flaw()),
        Err(reason) => Some(reason),
        Ok(()) => None,
    };
    if object.found.exceeded() {
        object.incomplete.insert(Reason::TooManyFindings);
    }
    match flaw {
        Some(reason) if object.found.len() == 0 => Err(reason),
        Some(reason) => {
            object.incomplete.insert(reason);
            Ok(object)
        }
        None => Ok(object),
    }
}

/// The bytes of an object, counted; they may be more than the list said.
struct Counted {
    bytes: container::Bytes,
    fetched: u64,
    limit: u64,
}

impl Counted {
    fn flaw(&self) -> Reason {
        if self.fetched > self.limit { Reason::TooLarge } else { Reason::ReadFailed }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fetched > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.bytes.read(buffer)?;
        self.fetched += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
