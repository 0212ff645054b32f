//! A notice's letters written once more, from the same templates and facts, so that it is known where everything in them
//! is from.
//!
//! Changes nothing. Invariant: what is said of a letter is said of these bytes; a letter that its template does not give
//! from its facts is not traced.

use std::collections::HashMap;

use mail::templates::{Templates, Traced};
use model::language::Language;
use model::notices::NoticeContext;
use store::Conn;
use store::notices::{LetterRow, Notice};

use crate::{App, AppError};

/// The templates that notices were written from, by version; none: they are no longer there.
#[derive(Default)]
pub(super) struct Pinned(HashMap<String, Option<Templates>>);

/// Why a letter could not be traced.
#[derive(Debug)]
pub(super) enum Untraced {
    /// The templates of this version are not of this program, nor kept with the incident.
    Gone,
    /// The letter in this language is not what its template gives.
    Other(Language),
}

impl Pinned {
    /// Finds the templates of these versions, where they are not known yet.
    pub(super) async fn find(
        &mut self,
        app: &App,
        conn: &mut Conn,
        incident: i64,
        versions: impl Iterator<Item = &str>,
    ) -> Result<(), AppError> {
        for version in versions {
            if !self.0.contains_key(version) {
                let found = crate::templates::pinned(app, conn, incident, version).await?;
                self.0.insert(version.to_owned(), found);
            }
        }
        Ok(())
    }

    /// Each letter with where everything in it is from, in their order.
    pub(super) fn trace(
        &self,
        version: &str,
        context: &NoticeContext,
        letters: &[LetterRow],
    ) -> Result<Result<Vec<(Language, Traced)>, Untraced>, AppError> {
        let Some(templates) = self.0.get(version).and_then(Option::as_ref) else { return Ok(Err(Untraced::Gone)) };
        let mut all = Vec::with_capacity(letters.len());
        for letter in letters {
            let Some(language) = Language::from_tag(&letter.language) else { return Ok(Err(Untraced::Gone)) };
            let traced = templates.trace_notice(language, context)?;
            let again = &traced.letter;
            if (&again.subject, &again.text, &again.html) != (&letter.subject, &letter.text, &letter.html) {
                return Ok(Err(Untraced::Other(language)));
            }
            all.push((language, traced));
        }
        Ok(Ok(all))
    }
}

impl Untraced {
    /// Why the notice cannot be approved.
    pub(super) fn refusal(&self, notice: &Notice, slug: &str) -> AppError {
        let id = &notice.id;
        match self {
            Self::Gone => AppError::refused(
                format!("cannot approve notice {id}: the templates that it was written from are no longer there"),
                format!("run `forthright notice draft {slug}`, which writes it from those of today"),
            ),
            Self::Other(language) => AppError::refused(
                format!(
                    "cannot approve notice {id}: its letter in `{language}` is not what its template gives from its facts"
                ),
                "somebody changed the store: put it back from a backup, and compare the audit log",
            ),
        }
    }

    /// What `not_in` says of every fact.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Gone => "not known: the templates that wrote it are no longer there".to_owned(),
            Self::Other(language) => format!("not known: the letter in {language} is not what its template gives"),
        }
    }
}
