//! Corrected copies: a file in which rows that were rejected were mended counts for these rows alone.
//!
//! Counts nothing. Invariant: a copy is one exactly when every row that the original counted stands in it, text for
//! text, and only rejected ones differ; else its rows would count twice, or not at all.

use sources::{Manifest, Record, SourceError};
use store::intake::Manifest as Stored;

use super::reading::Sum;
use super::{Import, blocking};
use crate::{App, AppError, Incident};

/// How many earlier manifests a new file is compared with.
const CANDIDATES: i64 = 20;
/// A mended row is not much longer or shorter than the rejected one, in bytes.
const ROOM_A_ROW: i64 = 1_024;

/// That a file is a corrected copy.
pub(super) struct Correction {
    /// The manifest it corrects.
    pub(super) original: i64,
    /// The records that were rejected there and count now, in order.
    pub(super) records: Vec<i64>,
}

/// The manifest that a file is a corrected copy of, if there is one.
pub(super) async fn recognise(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    size: u64,
) -> Result<Option<Correction>, AppError> {
    let candidates = store::intake::correctable(&mut app.store.read().await?, incident.id, CANDIDATES).await?;
    for original in candidates {
        let records = store::intake::open_rejects(&mut app.store.read().await?, original.id).await?;
        let room = i64::try_from(records.len()).unwrap_or(i64::MAX).saturating_mul(ROOM_A_ROW);
        let differs = i64::try_from(size).unwrap_or(i64::MAX).abs_diff(original.size_bytes);
        let may_be = original.name == import.name || i64::try_from(differs).is_ok_and(|differs| differs <= room);
        if may_be && is_copy(import, &original, &records).await? {
            return Ok(Some(Correction { original: original.id, records }));
        }
    }
    Ok(None)
}

/// The correction of the manifest of that name, which the file must be a copy of.
pub(super) async fn of(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    name: &str,
) -> Result<Correction, AppError> {
    let candidates = store::intake::correctable(&mut app.store.read().await?, incident.id, i64::MAX).await?;
    let original = candidates.into_iter().find(|manifest| manifest.name == name).ok_or_else(|| {
        AppError::missing(
            format!("no manifest `{name}` of {} has rows that were rejected and not corrected", incident.slug),
            format!("run `forthright exposure manifests {}` to see what there is", incident.slug),
        )
    })?;
    let records = store::intake::open_rejects(&mut app.store.read().await?, original.id).await?;
    if is_copy(import, &original, &records).await? {
        return Ok(Correction { original: original.id, records });
    }
    Err(AppError::refused(
        format!("{} is no corrected copy of {name}: rows that {name} counted are not the same in it", import.name),
        "change the rejected rows only, each in its place; or import it without --corrects, as further rows",
    ))
}

async fn is_copy(import: &Import<'_>, original: &Stored, records: &[i64]) -> Result<bool, AppError> {
    let (path, options) = (import.path.to_owned(), import.options.clone());
    let (records, wanted) = (records.to_vec(), (original.records_done, Sum::parse(&original.used_sum)));
    let found = blocking(move || -> Result<(i64, Sum), SourceError> {
        let mut file = Manifest::open(&path, &options)?;
        let (mut number, mut sum) = (0, Sum::default());
        while let Some(record) = file.next_record()? {
            number += 1;
            if let Record::Row { raw, .. } | Record::Malformed { raw, .. } = record
                && records.binary_search(&number).is_err()
            {
                sum.add(raw);
            }
        }
        Ok((number, sum))
    });
    // A file that cannot be read to its end is no copy; the import says what is wrong with it.
    Ok(found.await?.is_ok_and(|found| found == wanted))
}
