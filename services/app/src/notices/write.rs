//! From what an organisation is told to the letters that say it, on every core.
//!
//! Reads and stores nothing. Invariant: what is written does not depend on how many cores there are, nor on what is
//! written beside it.

use std::collections::BTreeMap;

use mail::templates::Templates;
use model::language::Language;
use model::law::Filled;
use model::notices::{Letter, NoticeContext};
use model::time::Timestamp;
use store::notices::{Draft, LetterRow};

use super::cores::on_every_core;
use super::{Material, Source};
use crate::{AppError, new_id};

/// A notice that is to be written.
pub(super) struct Work<'a> {
    /// Whose, and what it says.
    pub(super) material: Material<'a>,
    /// Of a draft that is written anew; none: a new notice.
    pub(super) again: Option<String>,
    pub(super) version: i64,
    pub(super) kind: &'static str,
    pub(super) supplements: Option<Timestamp>,
}

/// What was written for one of them.
struct Written {
    context: NoticeContext,
    /// JSON of the context.
    facts: String,
    /// JSON of what the letters say.
    elements: String,
    letters: Vec<(Language, Letter, String)>,
}

/// Writes all of them, in the order given.
pub(super) fn write(source: &Source<'_>, works: Vec<Work<'_>>) -> Result<Vec<Draft>, AppError> {
    let written = on_every_core(&works, |work| written(source, work))?;
    // Ids are drawn here, one after the other, so that neighbours stand beside each other in the store.
    Ok(works.into_iter().zip(written).map(|(work, written)| draft(work, written)).collect())
}

fn written(source: &Source<'_>, work: &Work<'_>) -> Result<Written, AppError> {
    let (incident, material) = (source.incident, &work.material);
    let scope = format!("{}/{}", incident.slug, material.tenant.id);
    let context = NoticeContext {
        incident: incident.facts.clone(),
        tenant_name: material.tenant.name.clone(),
        domains: material.told.domains.clone(),
        code: model::ids::notice_code(incident.key.bytes(), &scope, work.version),
        version: work.version,
        supplements: work.supplements,
        withheld: material.told.withheld.clone(),
        changes: material.changes.clone(),
        why: material.why.clone(),
    };
    let (letters, elements) = letters(source.templates, &context, material.languages.iter().copied())?;
    let facts = serde_json::to_string(&context).map_err(AppError::stored("notices.facts"))?;
    Ok(Written { context, facts, elements, letters })
}

/// A letter for each language with its digest, and what they say as JSON.
fn letters(
    templates: &Templates,
    context: &NoticeContext,
    languages: impl Iterator<Item = Language>,
) -> Result<(Vec<(Language, Letter, String)>, String), AppError> {
    let (mut letters, mut said) = (Vec::new(), BTreeMap::new());
    for language in languages {
        let rendered = templates.render_notice(language, context)?;
        let digest = rendered.letter.digest();
        letters.push((language, rendered.letter, digest));
        said.insert(language, rendered.elements);
    }
    let elements = serde_json::to_string(&Filled::new(said)).map_err(AppError::stored("notices.elements"))?;
    Ok((letters, elements))
}

fn draft(work: Work<'_>, written: Written) -> Draft {
    let id = work.again.unwrap_or_else(|| new_id("ntc"));
    let row = |(language, letter, digest): (Language, Letter, String)| LetterRow {
        id: new_id("ltr"),
        notice_id: Some(id.clone()),
        kind: "notice".to_owned(),
        language: language.tag().to_owned(),
        digest,
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
    };
    Draft {
        letters: written.letters.into_iter().map(row).collect(),
        id,
        tenant_id: work.material.tenant.id.clone(),
        kind: work.kind,
        version: work.version,
        code: written.context.code,
        facts: written.facts,
        facts_digest: work.material.digest.whole(),
        template_version: work.material.version,
        elements: written.elements,
    }
}
