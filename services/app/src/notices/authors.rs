//! Whose the words of a notice are: whoever opened the incident with a text, stated one, or kept a template, does not approve
//! a notice that has it.
//!
//! Changes nothing. Invariant: the audit log says who stated what, so that nobody is no longer the author of words by
//! stating them a second time, or by letting somebody else state them again; other spaces or capitals are no other words.

use std::collections::{BTreeMap, BTreeSet};

use model::actor::{folded, is_one_person};
use model::notices::{NoticeContext, STATED};
use serde::Deserialize;
use store::Conn;
use store::templates::TemplateRow;

use crate::{App, AppError, Incident};

/// What one person wrote of the words of an incident's notices.
pub(super) struct Own {
    actor: String,
    /// (element, text as it is compared).
    stated: BTreeSet<(String, String)>,
    /// `+fr:VERSION`, as a notice names it.
    templates: BTreeSet<String>,
}

/// As much of an entry of the audit log as says what was stated.
#[derive(Deserialize)]
struct Stated {
    element: String,
    before: Option<String>,
    after: Option<String>,
}

/// Texts that an incident file has beside [`STATED`].
const OF_A_FILE: [&str; 3] = ["what_happened", "measures_taken", "sender_contact"];

impl Own {
    /// Everything by whoever acts.
    pub(super) async fn of(app: &App, conn: &mut Conn, incident: &Incident) -> Result<Self, AppError> {
        let mut stated = BTreeSet::new();
        // What the file had is what stood there before it was first stated anew.
        let now = OF_A_FILE.iter().chain(&STATED).map(|element| (*element, incident.facts.stated(element)));
        let mut opened: BTreeMap<String, Option<String>> =
            now.map(|(element, text)| (element.to_owned(), text.map(str::to_owned))).collect();
        let entries = store::audit::stated(conn, &incident.slug).await?;
        for (actor, detail) in entries.into_iter().rev() {
            let said: Stated = serde_json::from_str(&detail).map_err(AppError::stored("audit.detail"))?;
            if let Some(text) = said.after.filter(|_| is_one_person(&actor, &app.actor)) {
                stated.insert((said.element.clone(), folded(&text)));
            }
            opened.insert(said.element, said.before);
        }
        if is_one_person(&incident.row.opened_by, &app.actor) {
            stated.extend(opened.into_iter().filter_map(|(element, text)| Some((element, folded(&text?)))));
        }
        stated.retain(|(_, text)| !text.is_empty());
        let mut kept = store::templates::all(conn, incident.id).await?;
        kept.retain(|row| row.kind == mail::templates::Kind::Notice.name());
        let words = |row: &TemplateRow| {
            let parts = [Some(&row.subject), Some(&row.text), row.html.as_ref()];
            (row.language.clone(), parts.map(|part| part.map(|part| folded(part))))
        };
        let mine: BTreeSet<_> = kept.iter().filter(|row| is_one_person(&row.kept_by, &app.actor)).map(words).collect();
        // Whoever kept the same words after them is not their author.
        let templates = kept.iter().filter(|row| mine.contains(&words(row)));
        let templates = templates.map(|row| format!("+{}:{}", row.language, row.version)).collect();
        Ok(Self { actor: app.actor.clone(), stated, templates })
    }

    /// Refuses a notice with words of theirs.
    pub(super) fn refuse(&self, notice: &str, version: &str, context: &NoticeContext) -> Result<(), AppError> {
        let of_template = self.templates.iter().find(|own| format!("{version}+").contains(&format!("{own}+")));
        let of_incident = self
            .stated
            .iter()
            .find(|(element, text)| context.incident.stated(element).map(folded).as_ref() == Some(text));
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
