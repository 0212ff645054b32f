//! A random sample of drafts: what a second person looks at where there are too many to read.
//!
//! Approves nothing. Invariants: the seed is written down with whoever drew it, so that the same sample can be drawn again
//! from the same drafts; a token is for letters that were shown, as many as the configuration says, of a draw that nobody
//! chose.

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
    /// Shows that it was looked at: `notice approve … --sample TOKEN`. None: nothing is approved on this sample.
    pub token: Option<String>,
    /// Why there is no token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_token: Option<String>,
    /// Draws the same again.
    pub seed: String,
    /// Drafts that it is drawn from.
    pub of: usize,
    /// In the order of the draw.
    pub sample: Vec<Sampled>,
}

/// How much of a sample is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shown {
    /// A line each.
    Lines,
    /// The letters, to be read.
    #[default]
    Texts,
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
    /// How much whoever asks gets to see.
    pub shown: Shown,
}

impl Draw<'_> {
    /// Why nothing can be approved on this draw from so many; none: it can.
    fn only_to_look(&self, size: usize, least: usize) -> Option<String> {
        if self.seed.is_some() {
            return Some("its seed was chosen".to_owned());
        }
        if self.shown == Shown::Lines {
            return Some("no letter was shown".to_owned());
        }
        (size < least).then(|| format!("it is smaller than {least}"))
    }
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
    let no_token = wanted.only_to_look(sample.len(), app.settings.approval.sample_size.min(drafts.len()));
    let token = no_token.is_none().then(|| token(app, &seed, wanted.group, &sample).to_string());
    let shown: Vec<_> =
        sample.iter().map(|one| serde_json::json!({ "notice": one.notice_id, "digest": one.digest })).collect();
    let detail = serde_json::json!({
        "group": wanted.group, "seed": seed, "of": drafts.len(), "sample": shown, "no_token": no_token,
    });
    tx.commit(app.entry("notice.sample", slug, detail)).await?;
    if wanted.shown == Shown::Lines {
        sample.iter_mut().for_each(|one| one.texts.clear());
    }
    Ok(Looked { token, no_token, seed, of: drafts.len(), sample })
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

pub(super) fn token(app: &App, seed: &str, group: Option<&str>, sample: &[Sampled]) -> SampleToken {
    let seen: Vec<(String, String)> = sample.iter().map(|one| (one.notice_id.clone(), one.digest.clone())).collect();
    SampleToken::new(&app.master.sample_key(), seed, &app.actor, group, &seen)
}
