//! Corrected copies: a file in which rows that were rejected were mended counts for these rows alone.
//!
//! Counts nothing. Invariant: a file is taken for a copy by itself exactly when every row that the original counted
//! stands in it, text for text, and only rejected ones differ; else its rows would count twice, or not at all. Somebody
//! who names the original may also bring the mended rows alone.

use sources::{Manifest, Record, SourceError};
use store::intake::Manifest as Stored;

use super::reading::Sums;
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

/// Whether a manifest is meant by a name: its file's, or the beginning of its SHA-256.
pub(super) fn is_named(manifest: &Stored, name: &str) -> bool {
    manifest.name == name || (name.len() >= 8 && manifest.digest.starts_with(name))
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
        // Without many rows that both have, two files that have nothing to do with each other would do.
        let shares_enough = original.accepted >= i64::try_from(records.len()).unwrap_or(i64::MAX);
        if may_be && shares_enough && is_copy(import, &original, &records).await? {
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
    let original = candidates.iter().find(|manifest| is_named(manifest, name)).ok_or_else(|| {
        AppError::missing(
            format!("{} has no manifest `{name}` with rows that were rejected and not corrected", incident.slug),
            format!("run `forthright exposure manifests {}`, and name one by its file or by its sha256", incident.slug),
        )
    })?;
    compared(app, incident, import, original).await
}

/// The correction that an interrupted import had begun.
pub(super) async fn going_on(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    original: i64,
) -> Result<Correction, AppError> {
    let all = store::intake::correctable(&mut app.store.read().await?, incident.id, i64::MAX).await?;
    let original = all.iter().find(|manifest| manifest.id == original).ok_or_else(|| {
        AppError::refused(
            format!("what {} was to correct was corrected or taken back meanwhile", import.name),
            format!(
                "run `forthright exposure withdraw {} {} --why TEXT`, then import it again",
                incident.slug, import.name
            ),
        )
    })?;
    compared(app, incident, import, original).await
}

/// What of a file corrects a manifest; refused where it is no correction of it.
async fn compared(
    app: &App,
    incident: &Incident,
    import: &Import<'_>,
    original: &Stored,
) -> Result<Correction, AppError> {
    let name = &original.name;
    let records = store::intake::open_rejects(&mut app.store.read().await?, original.id).await?;
    let (count, sums) = looked_at(import, &records).await?;
    let before = Sums::of(original);
    let shared = count == original.records_done && sums.used == before.used;
    if shared && sums.rejected == before.rejected {
        return Err(AppError::refused(
            format!("no row that {name} rejected was changed in {}", import.name),
            format!("run `forthright exposure rejects {} --csv` to see which rows are to be mended", incident.slug),
        ));
    }
    if shared {
        return Ok(Correction { original: original.id, records });
    }
    // The mended rows alone, one for each that was rejected.
    let rejected = i64::try_from(records.len()).unwrap_or(i64::MAX);
    if count == rejected {
        return Ok(Correction { original: original.id, records: (1..=rejected).collect() });
    }
    Err(AppError::refused(
        format!("{} is no corrected copy of {name}: rows that {name} counted are not the same in it", import.name),
        format!(
            "change the rejected rows only, each in its place, or write a file of these {rejected} rows alone; without --corrects they are further rows"
        ),
    ))
}

/// Whether every row that the original counted stands in the file, and a rejected one is not what it was.
async fn is_copy(import: &Import<'_>, original: &Stored, records: &[i64]) -> Result<bool, AppError> {
    let before = Sums::of(original);
    // A file that cannot be read to its end is no copy; the import says what is wrong with it.
    match looked_at(import, records).await {
        Err(AppError::Source(_)) => Ok(false),
        found => {
            let (count, sums) = found?;
            Ok(count == original.records_done && sums.used == before.used && sums.rejected != before.rejected)
        }
    }
}

/// How many records a file has, and the sums over these and over all others.
async fn looked_at(import: &Import<'_>, rejected: &[i64]) -> Result<(i64, Sums), AppError> {
    let (path, options, rejected) = (import.path.to_owned(), import.options.clone(), rejected.to_vec());
    let found = blocking(move || -> Result<(i64, Sums), SourceError> {
        let mut file = Manifest::open(&path, &options)?;
        let (mut number, mut sums) = (0, Sums::default());
        while let Some(record) = file.next_record()? {
            number += 1;
            if let Record::Row { raw, .. } | Record::Malformed { raw, .. } = record {
                let is_rejected = rejected.binary_search(&number).is_ok();
                if is_rejected { sums.rejected.add(raw) } else { sums.used.add(raw) }
            }
        }
        Ok((number, sums))
    });
    Ok(found.await??)
}
