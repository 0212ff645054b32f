//! A random sample of drafts: what a second person looks at where there are too many to read.
//!
//! Approves nothing. Invariant: the seed is written down with whoever drew it, so that the same sample can be drawn
//! again from the same drafts.

use model::approval::{SampleToken, draw};
use serde::Serialize;
use store::notices::Notice;

use super::approve::parts;
use super::groups::of_group;
use crate::{App, AppError, new_ulid};

/// A notice of a sample.
#[derive(Debug, Clone, Serialize)]
pub struct Sampled {
    /// `ntc_…`.
    pub notice_id: String,
    /// Whose.
    pub tenant_id: String,
    /// Its group.
    pub group: String,
    /// Tags.
    pub languages: Vec<String>,
    /// Objects that it is about, those of each domain added up.
    pub objects: i64,
    /// Over everything that it says.
    pub digest: String,
    /// Its letters' texts, by language, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
}

/// A sample that somebody looked at.
#[derive(Debug, Serialize)]
pub struct Looked {
    /// Shows that it was looked at: `notice approve … --sample TOKEN`.
    pub token: String,
    /// Draws the same again.
    pub seed: String,
    /// Drafts that it is drawn from.
    pub of: usize,
    /// In the order of the draw.
    pub sample: Vec<Sampled>,
}

/// What is to be drawn.
#[derive(Debug, Clone, Copy, Default)]
pub struct Draw<'a> {
    /// Of this group; none: of all drafts.
    pub group: Option<&'a str>,
    /// How many; none: as many as the configuration says.
    pub size: Option<usize>,
    /// By this seed; none: a new one.
    pub seed: Option<&'a str>,
}

/// Draws a sample of the drafts and notes who looked at it.
pub async fn sample(app: &App, slug: &str, wanted: &Draw<'_>) -> Result<Looked, AppError> {
    let incident = app.incident(slug).await?;
    let mut tx = app.store.begin().await?;
    let mut drafts = store::notices::in_state(&mut tx, incident.id, "drafted").await?;
    if drafts.is_empty() {
        return Err(AppError::bad("no draft to look at", format!("run `forthright notice draft {slug}` first")));
    }
    if let Some(group) = wanted.group {
        drafts = of_group(&mut tx, &incident, drafts, group).await?;
    }
    let seed = wanted.seed.map_or_else(new_seed, str::to_owned);
    let size = wanted.size.unwrap_or(app.settings.approval.sample_size);
    let ids: Vec<&str> = drafts.iter().map(|notice| notice.id.as_str()).collect();
    let mut sample = Vec::new();
    for at in draw(&seed, &ids, size) {
        sample.push(one(&mut tx, &drafts[at]).await?);
    }
    let token = token(&seed, &app.actor, wanted.group, &sample).to_string();
    let shown: Vec<_> =
        sample.iter().map(|one| serde_json::json!({ "notice": one.notice_id, "digest": one.digest })).collect();
    let detail = serde_json::json!({ "group": wanted.group, "seed": seed, "of": drafts.len(), "sample": shown });
    tx.commit(app.entry("notice.sample", slug, detail)).await?;
    Ok(Looked { token, seed, of: drafts.len(), sample })
}

async fn one(tx: &mut store::Tx, notice: &Notice) -> Result<Sampled, AppError> {
    let found = parts(tx, std::slice::from_ref(notice)).await?;
    let Some(parts) = found.first() else {
        return Err(AppError::missing(format!("notice {} is gone", notice.id), "look again"));
    };
    let mut sampled = parts.sampled()?;
    sampled.texts = parts.letters.iter().map(|letter| letter.text.clone()).collect();
    Ok(sampled)
}

/// A seed that nobody could choose: letters and digits.
pub(super) fn new_seed() -> String {
    // The first ten characters of a ULID are the time.
    new_ulid()[10..].to_ascii_lowercase()
}

/// The sample that a seed draws from these.
pub(super) fn drawn(seed: &str, from: &[Sampled], size: usize) -> Vec<Sampled> {
    let ids: Vec<&str> = from.iter().map(|one| one.notice_id.as_str()).collect();
    draw(seed, &ids, size).into_iter().map(|at| from[at].clone()).collect()
}

pub(super) fn token(seed: &str, actor: &str, group: Option<&str>, sample: &[Sampled]) -> SampleToken {
    let seen: Vec<(String, String)> = sample.iter().map(|one| (one.notice_id.clone(), one.digest.clone())).collect();
    SampleToken::new(seed, actor, group, &seen)
}
