//! Snippets: passages of answers in the languages of letters, filled with each organisation's own facts.
//!
//! Sends nothing (that is `tickets`). Invariant: a snippet leads to no foreign host, reads no field that a notice has not,
//! and says of an organisation what is told to it, and no more.

mod fit;

use std::collections::{BTreeMap, BTreeSet};

use mail::templates::{Kind, builtin_snippet};
use model::language::Language;
use model::notices::NoticeContext;
use model::time::Timestamp;
use serde::Serialize;
use store::Conn;
use store::directory::Tenant;
use store::facts::Scope;
use store::snippets::SnippetRow;

pub(crate) use fit::{UNPROVEN, fact};

use crate::{App, AppError, Incident, new_id};

/// Characters of a name.
const LONGEST_NAME: usize = 40;

/// A snippet as it is listed.
#[derive(Debug, Serialize)]
pub struct ListedSnippet {
    /// By which it is used.
    pub name: String,
    /// BCP 47 tag.
    pub language: String,
    /// The incident it is kept for; empty: every one.
    pub incident: String,
    /// `built in`, or who kept it.
    pub kept_by: String,
    /// When.
    pub kept_at: Option<Timestamp>,
    /// The template.
    pub body: String,
}

/// Keeps a snippet for an incident, or for all; what was in use under its name and language is ended.
pub async fn add(app: &App, slug: Option<&str>, name: &str, language: &str, body: &[u8]) -> Result<(), AppError> {
    let (name, language) = (known_name(name)?, known_language(language)?);
    let incident = of_slug(app, slug).await?;
    let (body, samples) = app.templates.check_snippet(name, language, body)?;
    refuse_links(app, name, language, &body, &samples)?;
    fit::refuse_unfit(name, &body)?;
    let now = app.clock.now().micros();
    let mut tx = app.store.begin().await?;
    store::snippets::end(&mut tx, incident, name, language.tag(), &app.actor, now).await?;
    let row = SnippetRow {
        id: new_id("snp"),
        incident_id: incident,
        name: name.to_owned(),
        language: language.tag().to_owned(),
        body,
        kept_by: app.actor.clone(),
        kept_at: now,
        ended_at: None,
        ended_by: None,
    };
    store::snippets::insert(&mut tx, &row).await?;
    let detail = serde_json::json!({ "snippet": row.id, "name": name, "language": language, "incident": slug });
    Ok(tx.commit(app.entry("snippet.add", name, detail)).await?)
}

/// Takes a snippet out of use; what was answered with it stays.
pub async fn remove(app: &App, slug: Option<&str>, name: &str, language: &str) -> Result<(), AppError> {
    let language = known_language(language)?;
    let incident = of_slug(app, slug).await?;
    let mut tx = app.store.begin().await?;
    let now = app.clock.now().micros();
    if store::snippets::end(&mut tx, incident, name, language.tag(), &app.actor, now).await? == 0 {
        return Err(AppError::missing(
            format!("no snippet `{name}` in {language} is kept {}", slug.unwrap_or("for every incident")),
            "run `forthright snippet list` to see them; the built-in ones stay",
        ));
    }
    let detail = serde_json::json!({ "name": name, "language": language, "incident": slug });
    Ok(tx.commit(app.entry("snippet.remove", name, detail)).await?)
}

/// The snippets that can be used in an incident, or in every one: those in use, and the built-in ones that none replaces.
pub async fn list(app: &App, slug: Option<&str>) -> Result<Vec<ListedSnippet>, AppError> {
    let incident = of_slug(app, slug).await?;
    let rows = store::snippets::in_use(&mut app.store.read().await?, incident.unwrap_or_default()).await?;
    let mut listed: Vec<ListedSnippet> = Vec::new();
    for row in rows {
        if listed.iter().any(|there| (&there.name, &there.language) == (&row.name, &row.language)) {
            continue;
        }
        listed.push(ListedSnippet {
            incident: row.incident_id.and(slug).unwrap_or_default().to_owned(),
            name: row.name,
            language: row.language,
            kept_by: row.kept_by,
            kept_at: Some(Timestamp::from_micros(row.kept_at)),
            body: row.body,
        });
    }
    for (name, language) in ["facts", "unproven"].into_iter().flat_map(|name| Language::ALL.map(|of| (name, of))) {
        let replaced = listed.iter().any(|there| there.name == name && there.language == language.tag());
        if let Some(body) = builtin_snippet(name, language).filter(|_| !replaced) {
            listed.push(ListedSnippet {
                name: name.to_owned(),
                language: language.tag().to_owned(),
                incident: String::new(),
                kept_by: "built in".to_owned(),
                kept_at: None,
                body: body.to_owned(),
            });
        }
    }
    listed.sort_by(|a, b| (&a.name, &a.language).cmp(&(&b.name, &b.language)));
    Ok(listed)
}

/// The sources of a snippet by language, an incident's own before those of every incident before the built-in ones.
pub(crate) async fn sources(
    conn: &mut Conn,
    incident: &Incident,
    name: &str,
) -> Result<BTreeMap<Language, String>, AppError> {
    let mut found = BTreeMap::new();
    let rows = store::snippets::in_use(conn, incident.id).await?;
    for language in Language::ALL {
        let kept = rows.iter().find(|row| row.name == name && row.language == language.tag());
        let source = kept.map(|row| row.body.as_str()).or_else(|| builtin_snippet(name, language));
        if let Some(source) = source {
            found.insert(language, source.to_owned());
        }
    }
    if found.is_empty() {
        return Err(AppError::missing(
            format!("no snippet `{name}`"),
            format!("run `forthright snippet list --incident {}` to see them", incident.slug),
        ));
    }
    Ok(found)
}

/// What an organisation is told today, in the form that snippets are filled from; none where it is told nothing.
pub(crate) async fn context(
    app: &App,
    conn: &mut Conn,
    incident: &Incident,
    tenant: &Tenant,
) -> Result<Option<NoticeContext>, AppError> {
    let scope = Scope::Tenants(&tenant.id, &tenant.id);
    let told = crate::notices::told(conn, incident.id, scope).await?.remove(&tenant.id).unwrap_or_default();
    if told.nothing {
        return Ok(None);
    }
    let notice = store::escalation::newest_released(conn, incident.id, &tenant.id).await?;
    Ok(Some(NoticeContext {
        incident: incident.facts.clone(),
        tenant_name: tenant.name.clone(),
        domains: told.domains,
        version: notice.as_ref().map_or(1, |notice| notice.version),
        code: notice.map(|notice| notice.code).unwrap_or_default(),
        verify_page: app.settings.sender.verify_page.clone(),
        supplements: None,
        earlier: Vec::new(),
        withheld: told.withheld,
        changes: Vec::new(),
        why: Vec::new(),
    }))
}

/// A link in a snippet's words, or in what samples make of them, to somebody else's host.
fn refuse_links(app: &App, name: &str, language: Language, body: &str, samples: &[String]) -> Result<(), AppError> {
    let hosts = app.own_hosts();
    let bare = model::links::visible(&model::links::words_of_template(body));
    // Samples have addresses of their own: whatever the built-in notice makes of them is none of these words.
    let builtin = app.templates.rendered(Kind::Notice, language)?;
    let known: BTreeSet<&str> =
        builtin.iter().flat_map(|(_, text)| hosts.outside(text)).map(|link| link.written).collect();
    for (text, own) in
        [(body, true), (&bare, true)].into_iter().chain(samples.iter().map(|text| (text.as_str(), false)))
    {
        if let Some(link) = hosts.outside(text).into_iter().find(|link| own || !known.contains(link.written)) {
            return Err(AppError::refused(
                format!("the snippet `{name}` leads to {}, which is no host of the sender's", link.written),
                "name the page in words, or list its host in [sender] link_hosts",
            ));
        }
    }
    Ok(())
}

async fn of_slug(app: &App, slug: Option<&str>) -> Result<Option<i64>, AppError> {
    match slug {
        Some(slug) => Ok(Some(app.incident(slug).await?.id)),
        None => Ok(None),
    }
}

fn known_name(name: &str) -> Result<&str, AppError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(fits) {
        return Ok(name);
    }
    Err(AppError::bad(
        format!("`{name}` is no name of a snippet"),
        format!("use a-z, 0-9 and -, at most {LONGEST_NAME} characters, as in no-access"),
    ))
}

fn known_language(tag: &str) -> Result<Language, AppError> {
    Language::ALL.into_iter().find(|language| language.tag() == tag).ok_or_else(|| {
        AppError::bad(
            format!("no letter is written in `{tag}`"),
            format!("choose one of: {}", Language::ALL.map(Language::tag).join(", ")),
        )
    })
}
