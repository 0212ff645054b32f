//! Reading a manifest beside writing it: one thread reads rows by the rules, one brings them together in a batch, one
//! turns the full batch into blocks, and the caller writes these.
//!
//! Knows no database. Invariant: at most two batches, four buffers of rows and five parts exist, so memory does not follow
//! the file; parts come in the order of the file, and their records add up to it.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, SyncSender};

use model::intake::{Day, FieldSet, Reject as Reason, Row, read_row};
use model::runs::{Batch, Key, PersonKeys, Reading, Seen, object_key, project_key};
use model::taxonomy::Taxonomy;
use sources::{Manifest, Options, Record, SourceError};
use store::StoreError;
use store::intake::{Part, Reject};
use store::runs::Packed;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::AppError;

/// A batch is full with rejects of this size in bytes.
const REJECTS: usize = 8 * 1024 * 1024;
/// Records that go from thread to thread at a time, and their texts in bytes.
const AT_ONCE: i64 = 4_096;
const TEXT_AT_ONCE: usize = 4 * 1024 * 1024;
/// A part has at most about this many records, so that an import of repetitions resumes and shows progress too.
const MOST_RECORDS: i64 = 1_000_000;
/// What was said lately, in bytes: enough for four million statements.
const SEEN: usize = 32 * 1024 * 1024;
/// How much of a reject's text is kept, in bytes.
const RAW_KEPT: usize = 4_096;

/// What is to be read.
pub(super) struct Job {
    pub(super) path: PathBuf,
    pub(super) options: Options,
    /// Records that are done already.
    pub(super) after: i64,
    /// Over the texts of the rows that were used and rejected up to there.
    pub(super) sums: Sums,
    /// The only records that count, in order; `None`: all.
    pub(super) only: Option<Vec<i64>>,
    pub(super) persons: Persons,
    /// A batch is full at this size in bytes.
    pub(super) batch_bytes: usize,
}

/// How persons are held.
pub(super) struct Persons {
    pub(super) keys: PersonKeys,
    /// Whether their names are kept beside their hashes.
    pub(super) plain: bool,
}

/// A sum of hashes of rows' texts: the same for the same rows in any order, so that a corrected copy of a file is
/// recognised by the rows that it shares with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum(u128);

impl Sum {
    fn parse(hex: &str) -> Self {
        Self(u128::from_str_radix(hex, 16).unwrap_or_default())
    }

    pub(super) fn add(&mut self, raw: &[u8]) {
        self.0 = self.0.wrapping_add(xxhash_rust::xxh3::xxh3_128(raw));
    }
}

/// Over the rows of a manifest, by what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) used: Sum,
    pub(super) rejected: Sum,
}

impl Sums {
    /// Those of a manifest as stored.
    pub(super) fn of(manifest: &store::intake::Manifest) -> Self {
        Self { used: Sum::parse(&manifest.used_sum), rejected: Sum::parse(&manifest.rejected_sum) }
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Rows that were read by the rules: what goes from the thread that reads to the one
/// that gathers. Buffers are used again.
#[derive(Default)]
struct Rows {
    text: String,
    rows: Vec<RowAt>,
    /// Of the records, rows and blank lines among them.
    part: Part,
    bytes: u64,
    sums: Sums,
    at_end: bool,
}

/// A row whose texts stand in [`Rows::text`].
struct RowAt {
    host: Range<u32>,
    object: Option<Range<u32>>,
    size: Option<i64>,
    day: Option<Day>,
    kind: Option<Range<u32>>,
    email: Option<Range<u32>>,
    user: Option<Range<u32>>,
    project: Option<Range<u32>>,
    missing: FieldSet,
    invalid: FieldSet,
}

/// The reader's part of a [`Job`].
struct Work {
    path: PathBuf,
    options: Options,
    after: i64,
    sums: Sums,
    only: Option<Vec<i64>>,
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
    gathering: JoinHandle<()>,
    packing: JoinHandle<Result<(), StoreError>>,
}

/// Begins to read.
pub(super) fn start(job: Job) -> Reader {
    let (read_rows, to_gather) = std::sync::mpsc::sync_channel(2);
    let (used_rows, free_rows) = std::sync::mpsc::channel();
    let (full, to_pack) = std::sync::mpsc::sync_channel(0);
    let (emptied, empty) = std::sync::mpsc::channel();
    // Some parts may wait until the file is known by its hash.
    let (packed, parts) = mpsc::channel(3);
    // No secret: whoever writes a manifest need only not know it, and does not know any key.
    let seed =
        u64::from_le_bytes(job.persons.keys.email("seed of the tables").first_chunk().copied().unwrap_or_default());
    for _ in 0..2 {
        let _ = emptied.send(Batch::new(seed));
    }
    for _ in 0..4 {
        let _ = used_rows.send(Rows::default());
    }
    let Job { path, options, after, sums, only, persons, batch_bytes } = job;
    let work = Work { path, options, after, sums, only };
    Reader {
        parts,
        reading: tokio::task::spawn_blocking(move || read(&work, &read_rows, &free_rows)),
        gathering: tokio::task::spawn_blocking(move || {
            gather(batch_bytes, &persons, &to_gather, &used_rows, &full, &empty)
        }),
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
        self.gathering.await.map_err(stopped)?;
        let notes = self.reading.await.map_err(stopped)??;
        packed?;
        Ok(notes)
    }
}

/// Turns full batches into blocks.
fn pack(full: &Receiver<Full>, emptied: &Sender<Batch>, packed: &mpsc::Sender<(Part, u64)>) -> Result<(), StoreError> {
    for Full { mut batch, mut part, bytes } in full {
        let (sets, counts) = batch.drain();
        // The gatherer may have ended and wants it no more.
        let _ = emptied.send(batch);
        part.sets = sets.into_iter().map(Packed::of).collect::<Result<_, _>>()?;
        part.counts = counts.into_iter().map(Packed::of).collect::<Result<_, _>>()?;
        if packed.blocking_send((part, bytes)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Brings rows together until a batch is full. The other sides are gone when they could not go on: they say why.
fn gather(
    batch_bytes: usize,
    persons: &Persons,
    read: &Receiver<Rows>,
    used: &Sender<Rows>,
    full: &SyncSender<Full>,
    empty: &Receiver<Batch>,
) {
    let mut seen = Seen::new(SEEN);
    let Ok(mut batch) = empty.recv() else { return };
    let (mut part, mut rejects) = (Part::default(), 0);
    for mut rows in read {
        rows.add_to(&mut batch, &mut seen, persons);
        rejects += rows.part.rejects.iter().map(|reject| reject.raw.len() + size_of::<Reject>()).sum::<usize>();
        part.absorb(std::mem::take(&mut rows.part));
        let (bytes, at_end) = (rows.bytes, rows.at_end);
        (part.used_sum, part.rejected_sum) = (rows.sums.used.to_string(), rows.sums.rejected.to_string());
        // The reader may have ended and wants it no more.
        let _ = used.send(rows);
        let has_room = batch.bytes() < batch_bytes && rejects < REJECTS && !batch.is_full();
        if !at_end && has_room && part.records < MOST_RECORDS {
            continue;
        }
        let taken = Full { batch, part: std::mem::take(&mut part), bytes };
        if (taken.part.records > 0 && full.send(taken).is_err()) || at_end {
            return;
        }
        rejects = 0;
        batch = match empty.recv() {
            Ok(batch) => batch,
            Err(_) => return,
        };
    }
}

impl Rows {
    fn add_to(&self, batch: &mut Batch, seen: &mut Seen, persons: &Persons) {
        let text = |range: &Range<u32>| self.text.get(range.start as usize..range.end as usize).unwrap_or_default();
        let named = |thing: &Option<Range<u32>>, key: &dyn Fn(&str) -> Key| {
            thing.as_ref().map(|range| (key(text(range)), text(range)))
        };
        // Without their names persons are known by their keys alone.
        let person = |thing: &Option<Range<u32>>, key: &dyn Fn(&str) -> Key| {
            named(thing, key).map(|(key, name)| (key, if persons.plain { name } else { "" }))
        };
        for row in &self.rows {
            let reading = Reading {
                host: text(&row.host),
                object: named(&row.object, &object_key),
                size: row.size,
                day: row.day,
                kind: row.kind.as_ref().map(text),
                email: person(&row.email, &|email| persons.keys.email(email)),
                user: person(&row.user, &|user| persons.keys.user(user)),
                project: named(&row.project, &project_key),
                missing: row.missing,
                invalid: row.invalid,
            };
            batch.add(&reading, seen);
        }
    }

    fn keep(&mut self, text: &str) -> Range<u32> {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        start..self.text.len() as u32
    }
}

/// Reads the file to its end; what it remarked.
fn read(job: &Work, read: &SyncSender<Rows>, free: &Receiver<Rows>) -> Result<Vec<String>, SourceError> {
    let mut file = Manifest::open(&job.path, &job.options)?;
    for _ in 0..job.after {
        if file.next_record()?.is_none() {
            break;
        }
    }
    let mut reading = RowReader { job, done: job.after, sums: job.sums };
    // The other side is gone when it could not go on: it says why.
    while let Ok(mut rows) = free.recv() {
        rows.rows.clear();
        rows.text.clear();
        rows.at_end = reading.fill(&mut file, &mut rows)?;
        rows.sums = reading.sums;
        rows.bytes = file.bytes_read();
        let at_end = rows.at_end;
        if read.send(rows).is_err() || at_end {
            break;
        }
    }
    Ok(file.notes().to_vec())
}

struct RowReader<'a> {
    job: &'a Work,
    done: i64,
    sums: Sums,
}

impl RowReader<'_> {
    /// Reads some thousand records; whether the file is at its end.
    fn fill(&mut self, file: &mut Manifest, rows: &mut Rows) -> Result<bool, SourceError> {
        let taxonomy = Taxonomy::builtin();
        while rows.part.records < AT_ONCE && rows.text.len() < TEXT_AT_ONCE {
            let Some(record) = file.next_record()? else { return Ok(true) };
            rows.part.records += 1;
            self.done += 1;
            if !self.counts() {
                if let Record::Row { raw, .. } | Record::Malformed { raw, .. } = record {
                    rows.part.counted_before += 1;
                    self.sums.used.add(raw);
                }
                continue;
            }
            match record {
                Record::Blank => rows.part.blank_lines += 1,
                Record::Malformed { line, raw, .. } => self.reject(rows, line, Reason::Columns, raw),
                Record::Row { line, raw, row } => match read_row(&row, taxonomy) {
                    Ok(row) => self.accept(rows, raw, &row),
                    Err(reason) => self.reject(rows, line, reason, raw),
                },
            }
        }
        Ok(false)
    }

    /// Whether the current record counts here, and not in the original of a corrected copy.
    fn counts(&self) -> bool {
        self.job.only.as_ref().is_none_or(|only| only.binary_search(&self.done).is_ok())
    }

    fn accept(&mut self, rows: &mut Rows, raw: &[u8], row: &Row<'_>) {
        rows.part.rows += 1;
        rows.part.accepted += 1;
        self.sums.used.add(raw);
        let row = RowAt {
            host: rows.keep(&row.host),
            object: row.object_path.map(|path| rows.keep(path)),
            size: row.size_bytes,
            day: row.document_date,
            kind: row.data_type.map(|kind| rows.keep(kind)),
            email: row.email.as_deref().map(|email| rows.keep(email)),
            user: row.user_id.map(|user| rows.keep(user)),
            project: row.project_id.map(|project| rows.keep(project)),
            missing: row.missing,
            invalid: row.invalid,
        };
        rows.rows.push(row);
    }

    fn reject(&mut self, rows: &mut Rows, line: u64, reason: Reason, raw: &[u8]) {
        self.sums.rejected.add(raw);
        rows.part.rows += 1;
        rows.part.rejects.push(Reject {
            line: i64::try_from(line).unwrap_or(i64::MAX),
            record: self.done,
            reason: reason.to_string(),
            raw: kept(raw),
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
