//! Whose the words of a notice are: whoever stated a text of the incident, or kept a template, does not approve a notice
//! that has it.
//!
//! Changes nothing. Invariant: the audit log says who stated what, so that nobody is no longer the author of words by
//! stating them a second time, or by letting somebody else state them again.

use std::collections::BTreeSet;

use model::actor::is_one_person;
use model::notices::NoticeContext;
use serde::Deserialize;
use store::Conn;

use crate::{App, AppError, Incident};

/// What one person wrote of the words of an incident's notices.
pub(super) struct Own {
    actor: String,
    /// (element, text).
    stated: BTreeSet<(String, String)>,
    /// `+fr:VERSION`, as a notice names it.
    templates: BTreeSet<String>,
}

/// As much of an entry of the audit log as says what was stated.
#[derive(Deserialize)]
struct Stated {
    element: String,
    after: Option<String>,
}

impl Own {
    /// Everything by whoever acts.
    pub(super) async fn of(app: &App, conn: &mut Conn, incident: &Incident) -> Result<Self, AppError> {
        let mut stated = BTreeSet::new();
        for (actor, detail) in store::audit::stated(conn, &incident.slug).await? {
            let said: Stated = serde_json::from_str(&detail).map_err(AppError::stored("audit.detail"))?;
            if let Some(text) = said.after.filter(|text| !text.is_empty() && is_one_person(&actor, &app.actor)) {
                stated.insert((said.element, text));
            }
        }
        let kept = store::templates::all(conn, incident.id).await?.into_iter();
        let mine = kept
            .filter(|row| row.kind == mail::templates::Kind::Notice.name() && is_one_person(&row.kept_by, &app.actor));
        let templates = mine.map(|row| format!("+{}:{}", row.language, row.version)).collect();
        Ok(Self { actor: app.actor.clone(), stated, templates })
    }

    /// Refuses a notice with words of theirs.
    pub(super) fn refuse(&self, notice: &str, version: &str, context: &NoticeContext) -> Result<(), AppError> {
        let of_template = self.templates.iter().find(|own| format!("{version}+").contains(&format!("{own}+")));
        let of_incident =
            self.stated.iter().find(|(element, text)| context.incident.stated(element) == Some(text.as_str()));
        let whose = match (of_incident, of_template) {
            (Some((element, _)), _) => format!("what it says of {element} is stated by {}", self.actor),
            (None, Some(own)) => format!("its template ({}) is written by {}", own.trim_start_matches('+'), self.actor),
            (None, None) => return Ok(()),
        };
        Err(AppError::refused(
            format!("cannot approve notice {notice}: {whose}, and nobody approves their own words"),
            "let somebody else approve it: --actor NAME",
        ))
    }
}
