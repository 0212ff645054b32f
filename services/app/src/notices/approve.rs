//! Approving: a second person signs what a notice says and whom it is for, and from then on both are frozen.
//!
//! Draws a sample of what is approved in bulk, and writes it down. Invariant: what is released is, byte for byte and
//! contact for contact, what was signed; climbing from one contact to the next changes neither.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::actor::is_one_person;
use model::approval::{Addressee, Alike, SampleToken, Signed};
use model::delivery::rung;
use model::language::Language;
use model::links::OwnHosts;
use model::notices::NoticeContext;
use serde::Serialize;
use store::contacts::Contact;
use store::facts::Scope;
use store::notices::{Approval, LetterRow, Notice, Written};

use super::authors::Own;
use super::cores::on_every_core;
use super::sample::Sampled;
use super::traced::Pinned;
use super::{A_RANGE, LeftOut, Told, groups, is_true, links, sample, signed, specific, told};
use crate::{App, AppError, Incident};

/// Which drafts are approved.
#[derive(Debug, Clone, Copy)]
pub enum Drafts<'a> {
    /// All of them.
    All,
    /// Those of a group, by its id.
    Group(&'a str),
    /// Those of these ids.
    These(&'a [String]),
}

/// What approving did.
#[derive(Debug, Serialize)]
pub struct Approved {
    /// How many notices.
    pub approved: usize,
    /// How many of each group.
    pub groups: BTreeMap<String, usize>,
    /// Where many were approved at once: the seed of the sample, which draws the same again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<String>,
    /// The sample, in the order of the draw.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<Sampled>,
    /// Of many at once: those that are not true any more, which wait for another draft and stop nobody else's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// Approves drafts: from here on they are frozen, byte for byte. Never by whoever drafted one of them or wrote words of it,
/// and never while its facts have changed. `looked` is the token of a sample that was looked at before.
pub async fn approve(
    app: &App,
    slug: &str,
    which: &Drafts<'_>,
    looked: Option<&SampleToken>,
) -> Result<Approved, AppError> {
    let incident = app.incident(slug).await?;
    crate::directory::must_be_whole(&mut app.store.read().await?).await?;
    crate::mapping::lapse_expired(app).await?;
    crate::facts::settle(app, incident.id).await?;
    let mut tx = app.store.begin().await?;
    crate::mapping::hold_verdicts(&mut tx, incident.id).await?;
    let drafted = store::notices::in_state(&mut tx, incident.id, "drafted").await?;
    let mut chosen = choose(&mut tx, &incident, drafted, which).await?;
    if let Some(mine) = chosen.iter().find(|notice| is_one_person(&notice.drafted_by, &app.actor)) {
        return Err(AppError::refused(
            format!("cannot approve notice {}: {} drafted it, and nobody approves their own", mine.id, app.actor),
            "let somebody else approve it: --actor NAME",
        ));
    }
    must_be_looked_at(app, slug, which, looked, chosen.len())?;
    let now = app.clock.now().micros();
    let today = app.incident_by_id(&mut tx, incident.id).await?;
    let own = Own::of(app, &mut tx, &today).await?;
    let mut signer = Signer { incident: &today, own_hosts: app.own_hosts(), pinned: Pinned::default(), own };
    let (mut done, mut left_out) = (Vec::with_capacity(chosen.len()), Vec::new());
    for range in chosen.chunks(A_RANGE as usize) {
        let mut approvals: Vec<Approval> = Vec::with_capacity(range.len());
        for one in sign_range(app, &mut tx, &mut signer, range).await? {
            match one {
                Looked::Signed(one) => {
                    approvals.push(one.approval);
                    done.push(one.sampled);
                }
                Looked::LeftOut(one) => left_out.push(one),
            }
        }
        store::notices::approve(&mut tx, &approvals, &app.actor, now).await?;
    }
    let is_named = matches!(which, Drafts::These(_));
    if let Some(first) = left_out.first().filter(|_| is_named || done.is_empty()) {
        return Err(first.refusal());
    }
    let stale: BTreeSet<&str> = left_out.iter().map(|one| one.tenant_id.as_str()).collect();
    chosen.retain(|notice| !stale.contains(notice.tenant_id.as_str()));
    signed::freeze(app, &mut tx, &chosen, now).await?;
    let approved = Approved { left_out: left_out.clone(), ..shown(app, which, looked, &done)? };
    let ids: Vec<&str> = done.iter().map(|one| one.notice_id.as_str()).collect();
    let shown: Vec<_> = approved
        .sample
        .iter()
        .map(|one| serde_json::json!({ "notice": one.notice_id, "digest": one.digest }))
        .collect();
    let detail = serde_json::json!({
        "notices": approved.approved, "ids": ids, "groups": approved.groups, "seed": approved.seed, "sample": shown,
        "looked_at_before": looked.is_some(), "left_out": stale,
    });
    tx.commit(app.entry("notice.approve", slug, detail)).await?;
    Ok(approved)
}

async fn choose(
    conn: &mut store::Conn,
    incident: &Incident,
    drafted: Vec<Notice>,
    which: &Drafts<'_>,
) -> Result<Vec<Notice>, AppError> {
    let slug = &incident.slug;
    match which {
        Drafts::All if drafted.is_empty() => {
            Err(AppError::bad("no draft to approve", format!("run `forthright notice draft {slug}` first")))
        }
        Drafts::All => Ok(drafted),
        Drafts::Group(id) => groups::of_group(conn, incident, drafted, id).await,
        Drafts::These(ids) => {
            if let Some(unknown) = ids.iter().find(|id| !drafted.iter().any(|notice| notice.id == **id)) {
                return Err(AppError::bad(
                    format!("{unknown} is no draft of {slug}"),
                    format!("run `forthright notice list {slug} --csv` to see what is drafted"),
                ));
            }
            Ok(drafted.into_iter().filter(|notice| ids.contains(&notice.id)).collect())
        }
    }
}

/// Above a number that the configuration names, a sample has to be looked at before.
fn must_be_looked_at(
    app: &App,
    slug: &str,
    which: &Drafts<'_>,
    looked: Option<&SampleToken>,
    count: usize,
) -> Result<(), AppError> {
    let limit = app.settings.approval.look_first_above;
    let group = match which {
        Drafts::All => String::new(),
        Drafts::Group(id) => format!(" --group {id}"),
        Drafts::These(_) => return Ok(()),
    };
    if limit == 0 || count <= limit || looked.is_some() {
        return Ok(());
    }
    Err(AppError::refused(
        format!("cannot approve {count} notices at once: of more than {limit} a sample is looked at first"),
        format!(
            "run `forthright notice sample {slug}{group}`, read what it shows, and approve with the token that it names"
        ),
    ))
}

/// The answer, with the sample of what was approved in bulk.
fn shown(
    app: &App,
    which: &Drafts<'_>,
    looked: Option<&SampleToken>,
    signed: &[Sampled],
) -> Result<Approved, AppError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for one in signed {
        *counts.entry(one.group.clone()).or_default() += 1;
    }
    let group = match which {
        Drafts::All => None,
        Drafts::Group(id) => Some(*id),
        Drafts::These(_) => {
            let (seed, sample, left_out) = (None, Vec::new(), Vec::new());
            return Ok(Approved { approved: signed.len(), groups: counts, seed, sample, left_out });
        }
    };
    let (seed, size) = match looked {
        Some(token) => (token.seed.clone(), token.size),
        None => (sample::new_seed(), app.settings.approval.sample_size),
    };
    let sample = sample::drawn(&seed, signed, size);
    if let Some(token) = looked
        && *token != sample::token(app, &seed, group, &sample)
    {
        return Err(AppError::refused(
            "that sample is not of these drafts: they changed since, or somebody else looked at it",
            "look again with `forthright notice sample`, and approve with the token that it names",
        ));
    }
    Ok(Approved { approved: signed.len(), groups: counts, seed: Some(seed), sample, left_out: Vec::new() })
}

/// One draft, checked and ready to be stored as approved.
struct SignedDraft {
    approval: Approval,
    sampled: Sampled,
}

/// What became of one draft.
enum Looked {
    Signed(Box<SignedDraft>),
    /// It is not true any more, or cannot go out as it is.
    LeftOut(LeftOut),
}

impl Looked {
    /// A refusal is about one draft, and stops no other.
    fn refused(notice: &Notice, result: Result<Self, AppError>) -> Result<Self, AppError> {
        match result {
            Err(AppError::Refused { what, hint }) => {
                Ok(Self::LeftOut(LeftOut { tenant_id: notice.tenant_id.clone(), why: what, next: hint }))
            }
            other => other,
        }
    }
}

/// What belongs to one notice, brought together from a range.
pub(super) struct Parts<'a> {
    pub(super) notice: &'a Notice,
    pub(super) written: Written,
    pub(super) letters: Vec<LetterRow>,
    /// Whom it is for today.
    pub(super) ladder: Vec<Addressee>,
}

impl Parts<'_> {
    fn signed<R>(&self, then: impl FnOnce(Signed<'_>) -> R) -> R {
        let letters: Vec<(&str, String)> =
            self.letters.iter().map(|letter| (letter.language.as_str(), digest_of(letter))).collect();
        then(Signed {
            facts: &self.written.facts,
            template_version: &self.written.template_version,
            elements: self.written.elements.as_deref(),
            letters: &letters,
        })
    }

    /// Over everything that it says.
    pub(super) fn content(&self) -> String {
        self.signed(|signed| signed.content())
    }

    /// Over everything that it says, and a ladder.
    pub(super) fn digest(&self, ladder: &str) -> String {
        self.signed(|signed| signed.digest(ladder))
    }

    /// As it stands in a sample.
    pub(super) fn sampled(&self) -> Result<Sampled, AppError> {
        let context: NoticeContext =
            serde_json::from_str(&self.written.facts).map_err(AppError::stored("notices.facts"))?;
        Ok(self.sampled_of(&context))
    }

    /// The same where its context was read before.
    fn sampled_of(&self, context: &NoticeContext) -> Sampled {
        let languages: Vec<String> = self.letters.iter().map(|letter| letter.language.clone()).collect();
        let alike = groups::alike(self.notice, &self.written.template_version, context, languages);
        Sampled {
            notice_id: self.notice.id.clone(),
            tenant_id: self.notice.tenant_id.clone(),
            group: Alike::id(&alike),
            languages: alike.languages,
            objects: context.domains.iter().map(|facts| facts.objects).sum(),
            digest: self.content(),
            texts: Vec::new(),
        }
    }
}

/// Of the bytes themselves, not as they were noted.
fn digest_of(letter: &LetterRow) -> String {
    let html = letter.html.as_deref().unwrap_or_default();
    model::digest::sha256_of_parts(&[letter.subject.as_bytes(), letter.text.as_bytes(), html.as_bytes()])
}

/// What belongs to each of these notices, in their order. They are sorted by tenant.
pub(super) async fn parts<'a>(conn: &mut store::Conn, range: &'a [Notice]) -> Result<Vec<Parts<'a>>, AppError> {
    let (Some(first), Some(last)) = (range.first(), range.last()) else { return Ok(Vec::new()) };
    let ids: Vec<String> = range.iter().map(|notice| notice.id.clone()).collect();
    let mut written: HashMap<String, Written> =
        store::notices::written(conn, &ids).await?.into_iter().map(|row| (row.id.clone(), row)).collect();
    let mut letters: HashMap<String, Vec<LetterRow>> = HashMap::new();
    for letter in store::notices::letters_of_notices(conn, &ids).await? {
        letters.entry(letter.notice_id.clone().unwrap_or_default()).or_default().push(letter);
    }
    let contacts =
        crate::delivery::by_tenant(store::contacts::in_range(conn, &first.tenant_id, &last.tenant_id).await?);
    let languages: HashMap<String, String> =
        store::directory::tenants_in_range(conn, &first.tenant_id, &last.tenant_id)
            .await?
            .into_iter()
            .map(|tenant| (tenant.id, tenant.language))
            .collect();
    let mut all = Vec::with_capacity(range.len());
    for notice in range {
        let tenant = &notice.tenant_id;
        let people = contacts.get(tenant).map(Vec::as_slice).unwrap_or_default();
        let language = languages.get(tenant).map(String::as_str).unwrap_or_default();
        let written = written.remove(&notice.id).ok_or_else(|| {
            AppError::missing(
                format!("notice {} is gone", notice.id),
                "this is a fault of the program: please report it",
            )
        })?;
        let letters = letters.remove(&notice.id).unwrap_or_default();
        all.push(Parts { notice, written, letters, ladder: addressees(people, language) });
    }
    Ok(all)
}

/// What drafts are held against.
struct Signer<'a> {
    incident: &'a Incident,
    own_hosts: OwnHosts,
    pinned: Pinned,
    own: Own,
}

/// Checks a range of drafts and signs them. Nothing is stored yet.
async fn sign_range(
    app: &App,
    tx: &mut store::Tx,
    signer: &mut Signer<'_>,
    range: &[Notice],
) -> Result<Vec<Looked>, AppError> {
    let (Some(first), Some(last)) = (range.first(), range.last()) else { return Ok(Vec::new()) };
    let incident = signer.incident.id;
    let facts = told(tx, incident, Scope::Tenants(&first.tenant_id, &last.tenant_id)).await?;
    let parts = parts(tx, range).await?;
    let versions = parts.iter().map(|parts| parts.written.template_version.as_str());
    signer.pinned.find(app, tx, incident, versions).await?;
    let signer = &*signer;
    on_every_core(&parts, |parts| {
        Looked::refused(parts.notice, sign(signer, parts, facts.get(&parts.notice.tenant_id)))
    })
}

fn sign(signer: &Signer<'_>, parts: &Parts<'_>, told: Option<&Told>) -> Result<Looked, AppError> {
    let (notice, incident) = (parts.notice, signer.incident);
    let context: NoticeContext =
        serde_json::from_str(&parts.written.facts).map_err(AppError::stored("notices.facts"))?;
    signer.own.refuse(&notice.id, &parts.written.template_version, &context)?;
    // Of a notice that takes everything back there are none any more.
    let facts_are_todays = told.map(|told| told.domains.as_slice()).unwrap_or_default() == context.domains;
    if !facts_are_todays || !is_true(notice, told, &incident.facts) {
        return Ok(Looked::LeftOut(LeftOut {
            tenant_id: notice.tenant_id.clone(),
            why: format!(
                "cannot approve notice {}: the facts of tenant {} changed since it was drafted, or what the incident states or withholds",
                notice.id, notice.tenant_id
            ),
            next: format!("run `forthright notice draft {}` and look at it again", incident.slug),
        }));
    }
    let letters = signer
        .pinned
        .trace(&parts.written.template_version, &context, &parts.letters)?
        .map_err(|untraced| untraced.refusal(notice, &incident.slug))?;
    specific::refuse_generic(notice, &incident.slug, &context.domains, &letters)?;
    links::refuse_outside(notice, &parts.written.facts, &parts.letters, &signer.own_hosts)?;
    let ladder = ladder_text(&parts.ladder);
    let approval = Approval {
        id: notice.id.clone(),
        facts_digest: notice.facts_digest.clone(),
        digest: parts.digest(&ladder),
        ladder,
    };
    Ok(Looked::Signed(Box::new(SignedDraft { approval, sampled: parts.sampled_of(&context) })))
}

/// Whom a notice is for: everybody it can be sent to, in the order of the ladder.
pub(crate) fn addressees(contacts: &[Contact], tenant_language: &str) -> Vec<Addressee> {
    let mut ladder: Vec<(usize, Addressee)> = crate::delivery::ladder(contacts)
        .into_iter()
        .filter_map(|(role, _, contact)| {
            let language = Language::of_contact(&contact.language, tenant_language).tag().to_owned();
            let Contact { role: name_of_role, address, name, .. } = contact;
            Some((rung(role)?, Addressee { role: name_of_role, address, name, language }))
        })
        .collect();
    ladder.sort_by_key(|(rung, _)| *rung);
    ladder.into_iter().map(|(_, one)| one).collect()
}

/// As it is stored.
pub(crate) fn ladder_text(ladder: &[Addressee]) -> String {
    serde_json::to_string(ladder).unwrap_or_default()
}
