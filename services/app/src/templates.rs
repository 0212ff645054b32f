//! Templates of one incident: kept once they passed every check, used from then on, taken back.
//!
//! Writes no letter. Invariant: what is kept was rendered with every sample, and each notice names the version it was
//! written from.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use mail::templates::{Changes, CheckedTemplate, Kind, Own, Submitted, Templates};
use model::language::Language;
use serde::Serialize;
use store::templates::TemplateRow;

use crate::notices::links::{NEXT, said};
use crate::{App, AppError, new_id};

/// The templates that were used last, with the versions that they were made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct CachedTemplates(Arc<Mutex<Option<(Versions, Templates)>>>);

/// (kind, language, version), sorted.
type Versions = Vec<(String, String, String)>;

/// What the letters of an incident are written from: the built-in templates, and its own in place of some.
pub(crate) async fn of_incident(app: &App, conn: &mut store::Conn, incident: i64) -> Result<Templates, AppError> {
    let versions = store::templates::versions(conn, incident).await?;
    if versions.is_empty() {
        return Ok(app.templates.clone());
    }
    let cached = app.own_templates.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some((known, templates)) = cached
        && known == versions
    {
        return Ok(templates);
    }
    let rows = store::templates::in_use(conn, incident).await?;
    let own = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let templates = Templates::with(own)?;
    let made = (versions, templates.clone());
    *app.own_templates.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(made);
    Ok(templates)
}

/// The templates of a version that a notice names: the built-in ones, with words that the incident has or had. None: the
/// built-in ones of another program, or words that are not kept or could not be kept today.
pub(crate) async fn pinned(
    app: &App,
    conn: &mut store::Conn,
    incident: i64,
    version: &str,
) -> Result<Option<Templates>, AppError> {
    let mut named = version.split('+');
    if named.next() != Some(mail::templates::VERSION) {
        return Ok(None);
    }
    let named: Vec<(&str, &str)> = named.filter_map(|own| own.split_once(':')).collect();
    if named.is_empty() {
        return Ok(Some(app.templates.clone()));
    }
    let kept = store::templates::all(conn, incident).await?;
    let mut own = Vec::with_capacity(named.len());
    for (tag, version) in named {
        let is_it =
            |row: &&TemplateRow| (&*row.kind, &*row.language, &*row.version) == (Kind::Notice.name(), tag, version);
        match kept.iter().find(is_it).map(read) {
            Some(Ok(words)) => own.push(words),
            Some(Err(_)) | None => return Ok(None),
        }
    }
    Ok(Some(Templates::with(own)?))
}

/// Linted once more: the database is a file that others can write to.
fn read(row: &TemplateRow) -> Result<Own, AppError> {
    Ok(Own::read(&Submitted {
        kind: kind(&row.kind)?,
        language: language(&row.language)?,
        subject: row.subject.as_bytes(),
        text: row.text.as_bytes(),
        html: row.html.as_deref().map(str::as_bytes),
    })?)
}

fn kind(name: &str) -> Result<Kind, AppError> {
    Kind::OF_INCIDENTS.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        AppError::bad(
            format!("an incident has no templates called `{name}`"),
            format!("choose one of: {}", Kind::OF_INCIDENTS.map(Kind::name).join(", ")),
        )
    })
}

fn language(tag: &str) -> Result<Language, AppError> {
    Language::ALL.into_iter().find(|language| language.tag() == tag).ok_or_else(|| {
        AppError::bad(
            format!("no letter is written in `{tag}`"),
            format!("choose one of: {}", Language::ALL.map(Language::tag).join(", ")),
        )
    })
}

/// Every letter in every language, as the binary has it or as an incident uses it.
pub async fn check(app: &App, slug: Option<&str>) -> Result<Vec<CheckedTemplate>, AppError> {
    match slug {
        None => Ok(app.templates.check()?),
        Some(slug) => {
            let incident = app.incident(slug).await?;
            let mut conn = app.store.read().await?;
            let mut checked = of_incident(app, &mut conn, incident.id).await?.check()?;
            for link in links_outside(app, &mut conn, incident.id).await? {
                if let Some(one) =
                    checked.iter_mut().find(|one| link.starts_with(&format!("template {}.", one.template)))
                {
                    one.links.push(link);
                }
            }
            Ok(checked)
        }
    }
}

/// The links to somebody else's hosts in the words that an incident has of its own.
pub(crate) async fn links_outside(app: &App, conn: &mut store::Conn, incident: i64) -> Result<Vec<String>, AppError> {
    let templates = of_incident(app, conn, incident).await?;
    let mut links = Vec::new();
    for (kind, language, _) in store::templates::versions(conn, incident).await? {
        links.extend(outside(app, &templates.own(self::kind(&kind)?, self::language(&language)?)?)?);
    }
    Ok(links)
}

/// The links of words to somebody else's hosts: as they are written; else without comments and blocks; else in what is
/// written from them.
fn outside(app: &App, own: &Own) -> Result<Vec<String>, AppError> {
    let hosts = app.own_hosts();
    let said = |texts: &[(String, String)], known: &BTreeSet<String>| -> Vec<String> {
        let links = |(name, text): &(String, String)| {
            let links = hosts.outside(text).into_iter().filter(|link| !known.contains(link.written));
            links.map(|link| said(name, text, &link, &hosts)).collect::<Vec<_>>()
        };
        texts.iter().flat_map(links).collect()
    };
    let sources = parts(own);
    let words = |source: &String| model::links::visible(&model::links::words_of_template(source));
    let bare: Vec<_> = sources.iter().map(|(name, source)| (name.clone(), words(source))).collect();
    for texts in [&sources, &bare] {
        let links = said(texts, &BTreeSet::new());
        if !links.is_empty() {
            return Ok(links);
        }
    }
    // Samples have addresses of their own: whatever the built-in words make of them is none of these words.
    let builtin = app.templates.rendered(own.kind(), own.language())?;
    let known = builtin.iter().flat_map(|(_, text)| hosts.outside(text)).map(|link| link.written.to_owned()).collect();
    let rendered = Templates::with(vec![own.clone()])?.rendered(own.kind(), own.language())?;
    Ok(said(&rendered, &known))
}

/// Name (`template notice/de.text`) and source of each part.
fn parts(own: &Own) -> Vec<(String, String)> {
    let name = |part| format!("template {}/{}.{part}", own.kind().name(), own.language());
    let mut parts = vec![(name("subject"), own.subject().to_owned()), (name("text"), own.text().to_owned())];
    parts.extend(own.html().map(|html| (name("html"), html.to_owned())));
    parts
}

/// Refuses words with a link to somebody else's host.
fn refuse_outside(app: &App, own: &Own) -> Result<(), AppError> {
    match outside(app, own)?.into_iter().next() {
        Some(link) => Err(AppError::refused(link, NEXT)),
        None => Ok(()),
    }
}

/// Words that somebody wrote, as bytes: nothing is known of them yet.
#[derive(Debug)]
pub struct Words {
    /// Of the subject.
    pub subject: Vec<u8>,
    /// Of the text part.
    pub text: Vec<u8>,
    /// Of the HTML part; notices alone have one.
    pub html: Option<Vec<u8>>,
}

/// What keeping did.
#[derive(Debug, Serialize)]
pub struct Kept {
    /// `notice/de`.
    pub template: String,
    /// Names exactly these words.
    pub version: String,
    /// Whether they were in use before.
    pub in_use_before: bool,
    /// How they differ from the built-in ones.
    pub changes: Changes,
}

/// Keeps templates for an incident: its letters are written from them from now on.
pub async fn set(
    app: &App,
    slug: &str,
    kind_name: &str,
    tag: &str,
    words: &Words,
    why: &str,
) -> Result<Kept, AppError> {
    let incident = app.incident(slug).await?;
    let submitted = Submitted {
        kind: kind(kind_name)?,
        language: language(tag)?,
        subject: &words.subject,
        text: &words.text,
        html: words.html.as_deref(),
    };
    let own = Own::check(&submitted)?;
    refuse_outside(app, &own)?;
    let (kind, tag) = (own.kind().name(), own.language().tag());
    let kept = |in_use_before| -> Result<Kept, AppError> {
        let (template, version) = (format!("{kind}/{tag}"), own.version());
        Ok(Kept { template, version, in_use_before, changes: own.changes()? })
    };
    let row = TemplateRow {
        id: new_id("tpl"),
        kind: kind.to_owned(),
        language: tag.to_owned(),
        version: own.version(),
        subject: own.subject().to_owned(),
        text: own.text().to_owned(),
        html: own.html().map(str::to_owned),
        why: why.to_owned(),
        kept_by: app.actor.clone(),
        kept_at: app.clock.now().micros(),
        ended_at: None,
        ended_by: None,
    };
    let mut tx = app.store.begin().await?;
    let used = store::templates::versions(&mut tx, incident.id).await?;
    if used.contains(&(row.kind.clone(), row.language.clone(), row.version.clone())) {
        return kept(true);
    }
    store::templates::end(&mut tx, incident.id, kind, tag, row.kept_at, &app.actor).await?;
    store::templates::insert(&mut tx, incident.id, &row).await?;
    let done = kept(false)?;
    let detail = serde_json::json!({ "template": &done.template, "version": &done.version, "changes": &done.changes, "why": why });
    tx.commit(app.entry("templates.set", slug, detail)).await?;
    Ok(done)
}

/// Everything that an incident uses or used, without the built-in ones.
pub async fn list(app: &App, slug: &str) -> Result<Vec<TemplateRow>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::templates::all(&mut app.store.read().await?, incident.id).await?)
}

/// What a letter of an incident is written from: its own words, or the built-in ones.
pub async fn show(app: &App, slug: Option<&str>, kind_name: &str, tag: &str) -> Result<Own, AppError> {
    let (kind, language) = (kind(kind_name)?, language(tag)?);
    let templates = match slug {
        None => app.templates.clone(),
        Some(slug) => {
            let incident = app.incident(slug).await?;
            of_incident(app, &mut app.store.read().await?, incident.id).await?
        }
    };
    Ok(templates.own(kind, language)?)
}

/// Lets a letter of an incident be written from the built-in templates again.
pub async fn reset(app: &App, slug: &str, kind_name: &str, tag: &str, why: &str) -> Result<(), AppError> {
    let incident = app.incident(slug).await?;
    let (kind, tag) = (kind(kind_name)?.name(), language(tag)?.tag());
    let mut tx = app.store.begin().await?;
    let now = app.clock.now().micros();
    if !store::templates::end(&mut tx, incident.id, kind, tag, now, &app.actor).await? {
        return Err(AppError::missing(
            format!("{slug} has no templates of its own for {kind}/{tag}"),
            format!("run `forthright templates list {slug}` to see which it has"),
        ));
    }
    let detail = serde_json::json!({ "template": format!("{kind}/{tag}"), "why": why });
    Ok(tx.commit(app.entry("templates.reset", slug, detail)).await?)
}
