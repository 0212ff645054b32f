//! Whether approved notices are still what was signed: the same bytes, for the same contacts.
//!
//! Releases nothing and looks at no facts (`delivery` does). Invariant: bytes that are not those approved are an error,
//! whoever else is to be written to.

use model::approval::{Addressee, changes};
use store::notices::Notice;

use super::approve::{Parts, parts};
use super::cores::on_every_core;
use super::{A_RANGE, LeftOut};
use crate::{AppError, Incident};

/// What was signed is released only while it is still that: the same bytes, for the same contacts. Those that are for other
/// contacts now; an error where the bytes are others.
pub(crate) async fn not_as_approved(
    tx: &mut store::Tx,
    incident: &Incident,
    chosen: &[Notice],
) -> Result<Vec<LeftOut>, AppError> {
    let mut stale = Vec::new();
    for range in chosen.chunks(A_RANGE as usize) {
        let parts = parts(tx, range).await?;
        stale.extend(on_every_core(&parts, |parts| as_approved(incident, parts))?.into_iter().flatten());
    }
    Ok(stale)
}

fn as_approved(incident: &Incident, parts: &Parts<'_>) -> Result<Option<LeftOut>, AppError> {
    let notice = parts.notice;
    let stale = |why: String| LeftOut {
        tenant_id: notice.tenant_id.clone(),
        why: format!("cannot release notice {} to tenant {}: {why}", notice.id, notice.tenant_id),
        next: format!("run `forthright notice draft {}` and let it be approved again", incident.slug),
    };
    let Some(approved) = &notice.approved_ladder else {
        return Ok(Some(stale("an older program approved it, which did not note whom it was for".to_owned())));
    };
    if notice.approved_digest.as_ref() != Some(&parts.digest(approved)) {
        return Err(stale("it does not say any more what was approved".to_owned()).refusal());
    }
    let approved: Vec<Addressee> =
        serde_json::from_str(approved).map_err(AppError::stored("notices.approved_ladder"))?;
    let changes = changes(&approved, &parts.ladder);
    let for_others = || stale(format!("its contacts are not those it was approved for: {}", changes.join("; ")));
    Ok((!changes.is_empty()).then(for_others))
}
