//! `templates`: how checks, versions and words are shown.
//!
//! Judges nothing. Invariant: a file is read up to a limit, so that no template fills the memory.

use std::io::{Read, Write};
use std::path::Path;

use anyhow::{Context, Result};
use app::templates::{Kept, Words};
use mail::templates::{CheckedTemplate, Templates};

use super::{DONE, FAILED, REFUSED, open, say};
use crate::cli::{Everywhere, TemplatePart, TemplatesVerb};
use crate::output;

/// Bytes that are read of a file: far more than a template may have, so that a larger one is refused as such.
const READ: u64 = 1_000_000;

pub(super) async fn templates(e: &Everywhere, verb: TemplatesVerb) -> Result<u8> {
    match verb {
        TemplatesVerb::Check { incident: None } => {
            let builtin = Templates::builtin().map_err(app::AppError::from)?;
            checked(e, &builtin.check().map_err(app::AppError::from)?)
        }
        TemplatesVerb::Check { incident } => {
            checked(e, &app::templates::check(&open(e).await?, incident.as_deref()).await?)
        }
        TemplatesVerb::Set { slug, kind, language, subject, text, html, why } => {
            let words = Words {
                subject: bytes_of(&subject)?,
                text: bytes_of(&text)?,
                html: html.as_deref().map(bytes_of).transpose()?,
            };
            let kept = app::templates::set(&open(e).await?, &slug, &kind, &language, &words, &why).await?;
            warn(e, &slug, &kept);
            output::document(e, &kept)?;
            Ok(DONE)
        }
        TemplatesVerb::List { slug } => {
            let rows = app::templates::list(&open(e).await?, &slug).await?.into_iter().map(|row| {
                vec![
                    format!("{}/{}", row.kind, row.language),
                    row.version,
                    if row.ended_at.is_none() { "in use".to_owned() } else { "ended".to_owned() },
                    output::time(Some(row.kept_at)),
                    row.kept_by,
                    row.why,
                    output::time(row.ended_at),
                    row.ended_by.unwrap_or_default(),
                ]
            });
            let header = ["template", "version", "state", "kept_at", "kept_by", "why", "ended_at", "ended_by"];
            output::list(e, &header, rows.collect())?;
            Ok(DONE)
        }
        TemplatesVerb::Show { kind, language, part, incident } => {
            let own = app::templates::show(&open(e).await?, incident.as_deref(), &kind, &language).await?;
            let words = match part {
                TemplatePart::Subject => own.subject(),
                TemplatePart::Text => own.text(),
                TemplatePart::Html => own.html().unwrap_or_default(),
            };
            std::io::stdout().lock().write_all(words.as_bytes())?;
            Ok(DONE)
        }
        TemplatesVerb::Reset { slug, kind, language, why } => {
            app::templates::reset(&open(e).await?, &slug, &kind, &language, &why).await?;
            say(e, format!("the built-in words are used again: run `forthright notice draft {slug}`"));
            Ok(DONE)
        }
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("cannot read the template {}", path.display()))?;
    let read = file.take(READ).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read the template {}", path.display()))?;
    Ok(bytes)
}

/// What changed in substance is said on standard error, whatever form the document has.
fn warn(e: &Everywhere, slug: &str, kept: &Kept) {
    let changes = &kept.changes;
    for (what, names) in [
        ("reads fields that the built-in one does not", &changes.placeholders_added),
        ("no longer reads", &changes.placeholders_removed),
        ("says elements that the built-in one does not", &changes.elements_added),
        ("no longer says the elements", &changes.elements_removed),
    ] {
        if !names.is_empty() {
            say(e, format!("warning: {} {what}: {}", kept.template, names.join(", ")));
        }
    }
    match kept.in_use_before {
        true => say(e, "nothing changed: these words are in use already"),
        false if kept.template.starts_with("notice/") => {
            say(e, format!("kept: notices say it once `forthright notice draft {slug}` has run"));
        }
        false => say(e, "kept: letters that are written from now on say it"),
    }
}

fn checked(e: &Everywhere, checked: &[CheckedTemplate]) -> Result<u8> {
    let wrong: usize = checked.iter().map(|one| one.errors.len()).sum();
    if e.json {
        output::json(&checked)?;
    } else {
        let rows = checked.iter().map(|one| {
            let (measure, score) = match one.readability {
                Some(found) => (found.measure.name().to_owned(), format!("{:.1}", found.score)),
                None => (String::new(), String::new()),
            };
            vec![
                one.template.clone(),
                one.own.clone().unwrap_or_else(|| "built in".to_owned()),
                match (one.errors.len(), one.links.len()) {
                    (0, 0) => "ok".to_owned(),
                    (0, links) => format!("{links} links elsewhere"),
                    (errors, _) => format!("{errors} errors"),
                },
                one.samples.to_string(),
                one.placeholders.to_string(),
                one.elements.to_string(),
                one.html_bytes.to_string(),
                one.columns.to_string(),
                score,
                measure,
            ]
        });
        let header = [
            "template",
            "version",
            "result",
            "samples",
            "placeholders",
            "elements",
            "html_bytes",
            "columns",
            "readability",
            "measure",
        ];
        output::list(e, &header, rows.collect())?;
    }
    for error in checked.iter().flat_map(|one| &one.errors) {
        say(e, format!("error: {error}"));
    }
    let links: Vec<&String> = checked.iter().flat_map(|one| &one.links).collect();
    for link in &links {
        say(e, format!("refused: {link}"));
    }
    Ok(match (wrong, links.len()) {
        (0, 0) => DONE,
        (0, _) => REFUSED,
        (_, _) => FAILED,
    })
}
