//! Groups of drafts that were written by the same words: whoever has read one of a group has read the others, but for
//! their figures.
//!
//! Changes nothing. Invariant: every draft is in exactly one group, and a group's name follows from its words alone.

use std::collections::{BTreeMap, HashMap};

use model::advice::Advice;
use model::approval::Alike;
use model::notices::NoticeContext;
use serde::Serialize;
use store::Conn;
use store::notices::{Notice, Written};

use super::A_RANGE;
use crate::{App, AppError, Incident};

/// Drafts of which the same words are said.
#[derive(Debug, Serialize)]
pub struct TemplateGroup {
    /// `grp-…`.
    pub group: String,
    /// How many notices.
    pub notices: usize,
    /// What they have in common.
    #[serde(flatten)]
    pub alike: Alike,
    /// The organisation with the fewest objects, and how many these are.
    pub smallest: (String, i64),
    /// The one with the most.
    pub largest: (String, i64),
}

/// The groups of an incident's drafts, the largest first.
pub async fn groups(app: &App, slug: &str) -> Result<Vec<TemplateGroup>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let drafted = store::notices::in_state(&mut conn, incident.id, "drafted").await?;
    let of_each = of_each(&mut conn, &incident, &drafted).await?;
    let mut groups: BTreeMap<Alike, TemplateGroup> = BTreeMap::new();
    for (notice, (alike, objects)) in drafted.iter().zip(of_each) {
        let this = || (notice.tenant_id.clone(), objects);
        let group = groups.entry(alike).or_insert_with_key(|alike| TemplateGroup {
            group: alike.id(),
            notices: 0,
            alike: alike.clone(),
            smallest: this(),
            largest: this(),
        });
        group.notices += 1;
        if objects < group.smallest.1 {
            group.smallest = this();
        }
        if objects > group.largest.1 {
            group.largest = this();
        }
    }
    let mut groups: Vec<TemplateGroup> = groups.into_values().collect();
    groups.sort_by(|a, b| (b.notices, &a.group).cmp(&(a.notices, &b.group)));
    Ok(groups)
}

/// Those of these notices that are in a group.
pub(super) async fn of_group(
    conn: &mut Conn,
    incident: &Incident,
    notices: Vec<Notice>,
    id: &str,
) -> Result<Vec<Notice>, AppError> {
    let of_each = of_each(conn, incident, &notices).await?;
    let theirs = notices.into_iter().zip(of_each).filter(|(_, (alike, _))| alike.id() == id);
    let chosen: Vec<Notice> = theirs.map(|(notice, _)| notice).collect();
    if chosen.is_empty() {
        return Err(AppError::bad(
            format!("no draft of {} is in a group {id}", incident.slug),
            format!("run `forthright notice groups {}`", incident.slug),
        ));
    }
    Ok(chosen)
}

/// For each of these notices what it has in common with others, and how many objects it is about.
pub(super) async fn of_each(
    conn: &mut Conn,
    incident: &Incident,
    notices: &[Notice],
) -> Result<Vec<(Alike, i64)>, AppError> {
    let mut languages: HashMap<String, Vec<String>> = HashMap::new();
    for (notice, tag) in store::notices::languages(conn, incident.id).await? {
        languages.entry(notice).or_default().push(tag);
    }
    let mut all = Vec::with_capacity(notices.len());
    for range in notices.chunks(A_RANGE as usize) {
        let ids: Vec<String> = range.iter().map(|notice| notice.id.clone()).collect();
        let written = store::notices::written(conn, &ids).await?;
        let written: HashMap<&str, &Written> = written.iter().map(|row| (row.id.as_str(), row)).collect();
        for notice in range {
            let Some(row) = written.get(notice.id.as_str()) else { continue };
            let context: NoticeContext = serde_json::from_str(&row.facts).map_err(AppError::stored("notices.facts"))?;
            let tags = languages.remove(&notice.id).unwrap_or_default();
            let objects = context.domains.iter().map(|facts| facts.objects).sum();
            all.push((alike(notice, &row.template_version, &context, tags), objects));
        }
    }
    Ok(all)
}

/// What a notice has in common with those that the same words were written for.
pub(super) fn alike(
    notice: &Notice,
    template_version: &str,
    context: &NoticeContext,
    mut languages: Vec<String>,
) -> Alike {
    languages.sort();
    Alike {
        // Written from words of its own.
        kind: if context.domains.is_empty() { "withdrawal".to_owned() } else { notice.kind.clone() },
        template_version: template_version.to_owned(),
        languages,
        advice: Advice::for_facts(&context.domains).into_iter().map(|advice| advice.id.as_str()).collect(),
        withholds: !context.withheld.is_empty(),
    }
}
