//! What the specificity check will say, before anybody approves: the same faults, of all drafts, or of a template as it
//! is now.
//!
//! Changes nothing. Invariant: a draft without a fault here is not refused for one at approval.

use std::collections::{BTreeMap, HashMap};

use mail::templates::{Templates, Traced};
use model::language::Language;
use model::notices::NoticeContext;
use serde::Serialize;
use store::Conn;
use store::notices::{LetterRow, Notice, Written};

use super::cores::on_every_core;
use super::specific::faults;
use super::traced::Pinned;
use super::{A_RANGE, Texts};
use crate::{App, AppError, Incident};

/// Organisations whose notices have the same fault.
#[derive(Debug, Serialize)]
pub struct Unspecific {
    /// `unstated`, `typed`, `joined`, or `unknown` where the letter could not be traced.
    pub finding: &'static str,
    /// A sentence for people.
    pub detail: String,
    /// Whose, sorted.
    pub tenants: Vec<String>,
}

/// The faults of these notices. Of texts that were drafted, those that can still be changed.
pub(super) async fn unspecific(
    app: &App,
    conn: &mut Conn,
    incident: &Incident,
    notices: &[Notice],
    languages: &HashMap<String, Vec<Language>>,
    texts: Texts<'_>,
) -> Result<Vec<Unspecific>, AppError> {
    let now = crate::templates::of_incident(app, conn, incident.id).await?;
    let mut pinned = Pinned::default();
    let mut found: BTreeMap<(&'static str, String), Vec<String>> = BTreeMap::new();
    let chosen: Vec<&Notice> = notices.iter().filter(|notice| looks_at(notice, texts)).collect();
    for range in chosen.chunks(A_RANGE as usize) {
        let ids: Vec<String> = range.iter().map(|notice| notice.id.clone()).collect();
        let written = store::notices::written(conn, &ids).await?;
        pinned.find(app, conn, incident.id, written.iter().map(|row| row.template_version.as_str())).await?;
        let mut letters: HashMap<String, Vec<LetterRow>> = HashMap::new();
        for letter in store::notices::letters_of_notices(conn, &ids).await? {
            letters.entry(letter.notice_id.clone().unwrap_or_default()).or_default().push(letter);
        }
        let whose: HashMap<&str, &str> = range.iter().map(|one| (one.id.as_str(), one.tenant_id.as_str())).collect();
        let of_each = on_every_core(&written, |row| {
            let letters = letters.get(&row.id).map(Vec::as_slice).unwrap_or_default();
            let spoken = languages.get(&row.id).map(Vec::as_slice).unwrap_or_default();
            match texts {
                Texts::Drafted => of_draft(&pinned, row, letters),
                Texts::Template(_) => of_template(&now, row, spoken),
            }
        })?;
        for (row, faults) in written.iter().zip(of_each) {
            let Some(tenant) = whose.get(row.id.as_str()) else { continue };
            for fault in faults {
                found.entry(fault).or_default().push((*tenant).to_owned());
            }
        }
    }
    let all = found.into_iter().map(|((finding, detail), mut tenants)| {
        tenants.sort();
        tenants.dedup();
        Unspecific { finding, detail, tenants }
    });
    Ok(all.collect())
}

fn looks_at(notice: &Notice, texts: Texts<'_>) -> bool {
    match texts {
        Texts::Drafted => notice.state == "drafted",
        Texts::Template(_) => true,
    }
}

/// A finding and its sentence.
type Found = (&'static str, String);

fn of_draft(pinned: &Pinned, row: &Written, letters: &[LetterRow]) -> Result<Vec<Found>, AppError> {
    let context = context(row)?;
    Ok(match pinned.trace(&row.template_version, &context, letters)? {
        Ok(letters) => found(&context, &letters),
        Err(untraced) => vec![("unknown", untraced.in_short())],
    })
}

fn of_template(templates: &Templates, row: &Written, languages: &[Language]) -> Result<Vec<Found>, AppError> {
    let context = context(row)?;
    let mut letters = Vec::with_capacity(languages.len());
    for language in languages {
        letters.push((*language, templates.trace_notice(*language, &context)?));
    }
    Ok(found(&context, &letters))
}

fn context(row: &Written) -> Result<NoticeContext, AppError> {
    serde_json::from_str(&row.facts).map_err(AppError::stored("notices.facts"))
}

fn found(context: &NoticeContext, letters: &[(Language, Traced)]) -> Vec<Found> {
    faults(&context.domains, letters).iter().map(|fault| (fault.as_str(), fault.of_many())).collect()
}
