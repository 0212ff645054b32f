//! Reading a manifest beside writing it: one thread reads rows into a batch, another turns the full batch into blocks,
//! and the caller writes them.
//!
//! Knows no database. Invariant: at most two batches and two parts exist, so memory does not follow the file; parts
//! come in the order of the file, and their records add up to it.

use std::path::PathBuf;

use model::intake::{Reject as Reason, Row, read_row};
use model::runs::{Batch, PersonKeys, Reading, object_key, project_key};
use model::taxonomy::Taxonomy;
use sources::{Manifest, Options, Record, SourceError};
use store::StoreError;
use store::intake::{Part, Reject};
use store::runs::Packed;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::AppError;

/// A batch is full at this size in bytes: half a million rows of the usual kind.
const A_BATCH: usize = 40 * 1024 * 1024;
/// A batch is full with rejects of this size in bytes.
const REJECTS: usize = 8 * 1024 * 1024;
/// How much of a reject's text is kept, in bytes.
const RAW_KEPT: usize = 4_096;

/// What is to be read.
pub(super) struct Job {
    pub(super) path: PathBuf,
    pub(super) options: Options,
    /// Records that are done already.
    pub(super) after: i64,
    /// Over the texts of the rows that were used up to there.
    pub(super) used_sum: Sum,
    /// The only records that count, in order; `None`: all.
    pub(super) only: Option<Vec<i64>>,
    pub(super) persons: PersonKeys,
    /// Whether persons' names are kept beside their hashes.
    pub(super) plain: bool,
}

/// A sum of hashes of rows' texts: the same for the same rows in any order, so that a corrected copy of a file is
/// recognised by the rows that it shares with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum(u128);

impl Sum {
    pub(super) fn parse(hex: &str) -> Self {
        Self(u128::from_str_radix(hex, 16).unwrap_or_default())
    }

    pub(super) fn add(&mut self, raw: &[u8]) {
        self.0 = self.0.wrapping_add(xxhash_rust::xxh3::xxh3_128(raw));
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A full batch with what else its records came to.
struct Full {
    batch: Batch,
    part: Part,
    bytes: u64,
}

/// A manifest that is being read.
pub(super) struct Reader {
    parts: mpsc::Receiver<(Part, u64)>,
    reading: JoinHandle<Result<Vec<String>, SourceError>>,
    packing: JoinHandle<Result<(), StoreError>>,
}

/// Begins to read.
pub(super) fn start(job: Job) -> Reader {
    let (full, to_pack) = std::sync::mpsc::sync_channel(1);
    let (emptied, empty) = std::sync::mpsc::channel();
    let (packed, parts) = mpsc::channel(1);
    // No secret: whoever writes a manifest need only not know it, and does not know any key.
    let seed = u64::from_le_bytes(job.persons.email("seed of the tables").first_chunk().copied().unwrap_or_default());
    for _ in 0..2 {
        let _ = emptied.send(Batch::new(seed));
    }
    Reader {
        parts,
        reading: tokio::task::spawn_blocking(move || read(&job, &full, &empty)),
        packing: tokio::task::spawn_blocking(move || pack(&to_pack, &emptied, &packed)),
    }
}

impl Reader {
    /// The next part, and how many bytes of the file are read.
    pub(super) async fn next_part(&mut self) -> Option<(Part, u64)> {
        self.parts.recv().await
    }

    /// After the last part: what the reader remarked, or why it stopped.
    pub(super) async fn end(mut self) -> Result<Vec<String>, AppError> {
        self.parts.close();
        let stopped = |error| {
            AppError::bad(format!("a reader stopped: {error}"), "this is a fault of the program: please report it")
        };
        let packed = self.packing.await.map_err(stopped)?;
        let notes = self.reading.await.map_err(stopped)??;
        packed?;
        Ok(notes)
    }
}

/// Turns full batches into blocks.
fn pack(
    full: &std::sync::mpsc::Receiver<Full>,
    emptied: &std::sync::mpsc::Sender<Batch>,
    packed: &mpsc::Sender<(Part, u64)>,
) -> Result<(), StoreError> {
    for Full { mut batch, mut part, bytes } in full {
        let (sets, counts) = batch.drain();
        // The reader may have ended and wants it no more.
        let _ = emptied.send(batch);
        part.sets = sets.into_iter().map(Packed::of).collect::<Result<_, _>>()?;
        part.counts = counts.into_iter().map(Packed::of).collect::<Result<_, _>>()?;
        if packed.blocking_send((part, bytes)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads the file to its end; what it remarked.
fn read(
    job: &Job,
    full: &std::sync::mpsc::SyncSender<Full>,
    empty: &std::sync::mpsc::Receiver<Batch>,
) -> Result<Vec<String>, SourceError> {
    let mut file = Manifest::open(&job.path, &job.options)?;
    for _ in 0..job.after {
        if file.next_record()?.is_none() {
            break;
        }
    }
    let mut gathering = Gathering { job, done: job.after, used: job.used_sum, kept: 0, part: Part::default() };
    // The other side is gone when it could not write: it says why.
    while let Ok(mut batch) = empty.recv() {
        let at_end = gathering.fill(&mut file, &mut batch)?;
        let mut part = std::mem::take(&mut gathering.part);
        part.used_sum = gathering.used.to_string();
        gathering.kept = 0;
        let bytes = file.bytes_read();
        if part.records > 0 && full.send(Full { batch, part, bytes }).is_err() {
            break;
        }
        if at_end {
            break;
        }
    }
    Ok(file.notes().to_vec())
}

/// What the records of the part that is being read come to, beside the batch.
struct Gathering<'a> {
    job: &'a Job,
    done: i64,
    used: Sum,
    /// Bytes of rejects.
    kept: usize,
    part: Part,
}

impl Gathering<'_> {
    /// Reads until the batch is full; whether the file is at its end.
    fn fill(&mut self, file: &mut Manifest, batch: &mut Batch) -> Result<bool, SourceError> {
        let taxonomy = Taxonomy::builtin();
        while batch.bytes() < A_BATCH && self.kept < REJECTS && !batch.is_full() {
            let Some(record) = file.next_record()? else { return Ok(true) };
            self.part.records += 1;
            self.done += 1;
            if !self.counts() {
                if let Record::Row { raw, .. } | Record::Malformed { raw, .. } = record {
                    self.part.counted_before += 1;
                    self.used.add(raw);
                }
                continue;
            }
            match record {
                Record::Blank => self.part.blank_lines += 1,
                Record::Malformed { line, raw, .. } => self.reject(line, Reason::Columns, raw),
                Record::Row { line, raw, row } => match read_row(&row, taxonomy) {
                    Ok(row) => self.accept(batch, raw, &row),
                    Err(reason) => self.reject(line, reason, raw),
                },
            }
        }
        Ok(false)
    }

    /// Whether the current record counts here, and not in the original of a corrected copy.
    fn counts(&self) -> bool {
        self.job.only.as_ref().is_none_or(|only| only.binary_search(&self.done).is_ok())
    }

    fn accept(&mut self, batch: &mut Batch, raw: &[u8], row: &Row<'_>) {
        self.part.rows += 1;
        self.part.accepted += 1;
        self.used.add(raw);
        let plain = |name| if self.job.plain { name } else { "" };
        batch.add(&Reading {
            host: &row.host,
            object: row.object_path.map(|path| (object_key(path), path)),
            size: row.size_bytes,
            day: row.document_date,
            kind: row.data_type,
            email: row.email.as_deref().map(|email| (self.job.persons.email(email), plain(email))),
            user: row.user_id.map(|user| (self.job.persons.user(user), plain(user))),
            project: row.project_id.map(|project| (project_key(project), project)),
            missing: row.missing,
            invalid: row.invalid,
        });
    }

    fn reject(&mut self, line: u64, reason: Reason, raw: &[u8]) {
        self.part.rows += 1;
        let raw = kept(raw);
        self.kept += raw.len() + size_of::<Reject>();
        self.part.rejects.push(Reject {
            line: i64::try_from(line).unwrap_or(i64::MAX),
            record: self.done,
            reason: reason.to_string(),
            raw,
        });
    }
}

/// A reject's text: its beginning, as far as it is text. PostgreSQL keeps no NUL in one.
fn kept(raw: &[u8]) -> String {
    let end = raw.len().min(RAW_KEPT);
    let text = String::from_utf8_lossy(&raw[..end]).replace('\0', "\u{fffd}");
    if end < raw.len() { format!("{}…", text.trim_end_matches('\u{fffd}')) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_does_not_depend_on_the_order_and_reads_back() {
        let (mut one, mut other) = (Sum::default(), Sum::default());
        [b"a".as_slice(), b"b", b"b"].iter().for_each(|raw| one.add(raw));
        [b"b".as_slice(), b"a", b"b"].iter().for_each(|raw| other.add(raw));
        assert_eq!(one, other);
        assert_eq!(Sum::parse(&one.to_string()), one);
        other.add(b"");
        assert_ne!(one, other);
    }

    #[test]
    fn a_long_reject_is_kept_by_its_beginning() {
        assert_eq!(kept(b"a\0b"), "a\u{fffd}b");
        let long = "ä".repeat(RAW_KEPT);
        let text = kept(&long.as_bytes()[1..]);
        assert!(text.len() < RAW_KEPT + 10 && text.ends_with('…'), "{}", text.len());
    }
}
