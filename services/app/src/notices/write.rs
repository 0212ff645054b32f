//! From what an organisation is told to the letters that say it, on every core.
//!
//! Reads and stores nothing: while one share is stored, the next ones are written. Invariant: what is written does not
//! depend on how many cores there are, nor on what is written beside it.

use std::collections::{BTreeMap, VecDeque};

use mail::templates::Templates;
use model::language::Language;
use model::law::Filled;
use model::notices::{Letter, NoticeContext};
use model::time::Timestamp;
use store::notices::{Draft, LetterRow};
use tokio::task::JoinHandle;

use super::Material;
use super::draft::Source;
use crate::{AppError, new_id};

/// Notices that one thread writes before they are stored: some hundredths of a second.
const A_SHARE: usize = 64;

/// A notice that is to be written.
pub(super) struct Work {
    /// Whose, and what it says.
    pub(super) material: Material,
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
    letters: Vec<Digested>,
}

/// A letter in a language, with its digest.
type Digested = (Language, Letter, String);

/// A notice that could not be written.
pub(super) struct CouldNot {
    /// Whose.
    pub(super) tenant_id: String,
    /// The draft that was to be written anew.
    pub(super) again: Option<String>,
    /// With its causes.
    pub(super) why: String,
}

/// What one thread wrote.
type Share = Vec<(Work, Result<Written, AppError>)>;

/// What is being written, in shares; dropped early, what was begun ends by itself.
pub(super) struct Writing(VecDeque<JoinHandle<Share>>);

impl Writing {
    /// Begins to write all of them, in the order given.
    pub(super) fn begin(source: &Source, works: Vec<Work>) -> Self {
        let mut shares = VecDeque::with_capacity(works.len().div_ceil(A_SHARE));
        let mut works = works.into_iter();
        loop {
            let share: Vec<Work> = works.by_ref().take(A_SHARE).collect();
            if share.is_empty() {
                return Self(shares);
            }
            let source = source.clone();
            let write = move |work: Work| {
                let written = written(&source, &work);
                (work, written)
            };
            shares.push_back(tokio::task::spawn_blocking(move || share.into_iter().map(write).collect()));
        }
    }

    /// The next share; none: that was all. What could not be written is about one organisation.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Result<Draft, CouldNot>>>, AppError> {
        let Some(share) = self.0.pop_front() else { return Ok(None) };
        let written = match share.await {
            Ok(written) => written,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Err(AppError::missing("drafting was cut off", "run the same command again")),
            },
        };
        // Ids are drawn here, one after the other, so that neighbours stand beside each other in the store.
        let drafts = written.into_iter().map(|(work, written)| match written {
            Ok(written) => Ok(draft(work, written)),
            Err(error) => {
                Err(CouldNot { tenant_id: work.material.tenant.id, again: work.again, why: with_causes(&error) })
            }
        });
        Ok(Some(drafts.collect()))
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    said
}

fn written(source: &Source, work: &Work) -> Result<Written, AppError> {
    let (incident, material) = (source.incident.as_ref(), &work.material);
    let scope = format!("{}/{}", incident.slug, material.tenant.id);
    let context = NoticeContext {
        incident: incident.facts.clone(),
        tenant_name: material.tenant.name.clone(),
        domains: material.told.domains.clone(),
        code: model::ids::notice_code(incident.key.bytes(), &scope, work.version),
        verify_page: source.verify_page.to_string(),
        version: work.version,
        supplements: work.supplements,
        earlier: material.earlier.clone(),
        withheld: material.told.withheld.clone(),
        changes: material.changes.clone(),
        why: material.why.clone(),
    };
    let (letters, elements) = letters(&source.templates, &context, material.languages.iter().copied())?;
    let facts = serde_json::to_string(&context).map_err(AppError::stored("notices.facts"))?;
    Ok(Written { context, facts, elements, letters })
}

/// A letter for each language with its digest, and what they say as JSON.
fn letters(
    templates: &Templates,
    context: &NoticeContext,
    languages: impl Iterator<Item = Language>,
) -> Result<(Vec<Digested>, String), AppError> {
    let (mut letters, mut said) = (Vec::new(), BTreeMap::new());
    for language in languages {
        let rendered = if context.domains.is_empty() {
            templates.render_withdrawal(language, context)?
        } else {
            templates.render_notice(language, context)?
        };
        let digest = rendered.letter.digest();
        letters.push((language, rendered.letter, digest));
        said.insert(language, rendered.elements);
    }
    let elements = serde_json::to_string(&Filled::new(said)).map_err(AppError::stored("notices.elements"))?;
    Ok((letters, elements))
}

fn draft(work: Work, written: Written) -> Draft {
    let id = work.again.unwrap_or_else(|| new_id("ntc"));
    let row = |(language, letter, digest): Digested| LetterRow {
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
