//! Drafting: a notice for each organisation, again = only what changed.
//!
//! One transaction a range of organisations, while the next letters are written. Invariant: an organisation whose notice
//! cannot be written is left out, named and noted, and stops nobody else's; nobody can approve what is stale.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mail::templates::{HTML_LIMIT, Kind, Templates};
use model::delivery::recipients;
use model::difference::What;
use model::language::Language;
use serde::Serialize;
use store::directory::Tenant;
use store::facts::Scope;
use store::notices::{Draft, Notice};
use store::unwritten::Unwritten;

use super::write::{CouldNot, Work, Writing};
use super::{A_RANGE, Known, Material, Plan, back_to_what_was_told, compare, plan, told, unaffected};
use crate::{App, AppError, Incident};

/// What drafting did.
#[derive(Debug, Default, Serialize)]
pub struct Drafted {
    /// New drafts.
    pub drafted: usize,
    /// Drafts written anew because their facts, languages or templates changed.
    pub changed: usize,
    /// Notices that say what is still true.
    pub kept: usize,
    /// Drafts and approvals withdrawn: their facts are gone, or a newer draft takes their place.
    pub withdrawn: usize,
    /// Organisations without anybody who can be told.
    pub without_contact: usize,
    /// Mails that were called back and go on, because what they say is true again.
    pub requeued: u64,
    /// Organisations to which nothing is told for a reason that two people signed.
    pub withheld: usize,
    /// Organisations of which nothing is affected any more by what is known, while somebody has to settle whose a domain
    /// is: what they were told is not taken back yet.
    pub unsettled: usize,
    /// Organisations whose notice could not be written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// Letters, drafted now, that have no HTML part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub text_only: Vec<TextOnly>,
}

/// An organisation without a letter, or with one that is old.
#[derive(Debug, Clone, Serialize)]
pub struct LeftOut {
    /// The organisation.
    pub tenant_id: String,
    /// Why; empty: nobody drafted its notice.
    pub why: String,
    /// The next step.
    pub next: String,
}

impl LeftOut {
    /// As an error, where it stops everything.
    pub(crate) fn refusal(&self) -> AppError {
        AppError::refused(self.why.clone(), self.next.clone())
    }
}

/// A letter that has no HTML part.
#[derive(Debug, Clone, Serialize)]
pub struct TextOnly {
    /// Whose.
    pub tenant_id: String,
    /// In which language.
    pub language: String,
    /// Why.
    pub why: String,
}

/// Drafts a notice for each mapped organisation; again = only what changed.
pub async fn draft(app: &App, slug: &str) -> Result<Drafted, AppError> {
    let incident = app.incident(slug).await?;
    crate::directory::must_be_whole(&mut app.store.read().await?).await?;
    crate::mapping::lapse_expired(app).await?;
    crate::facts::settle(app, incident.id).await?;
    let templates = crate::templates::of_incident(app, &mut app.store.read().await?, incident.id).await?;
    let verify_page = app.settings.sender.verify_page.as_str().into();
    let source = Source { incident: Arc::new(incident.clone()), templates, verify_page };
    let mut total = Drafted::default();
    let mut after = String::new();
    loop {
        let tenants =
            store::notices::affected_tenants(&mut app.store.read().await?, incident.id, &after, A_RANGE).await?;
        let Some(last) = tenants.last().cloned() else { break };
        draft_range(app, &source, &tenants, &mut total).await?;
        after = last;
    }
    unaffected::draft(app, &source, &mut total).await?;
    Ok(total)
}

/// What all notices of an incident are written from. Cheap to clone.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) incident: Arc<Incident>,
    pub(super) templates: Templates,
    /// Where codes can be checked; empty = nowhere.
    pub(super) verify_page: Arc<str>,
}

/// What is to be done with the notices of some organisations.
#[derive(Default)]
pub(super) struct ToDo {
    new: Vec<Work>,
    again: Vec<Work>,
    /// Drafts and approvals that are withdrawn.
    pub(super) gone: Vec<String>,
    /// Notices whose mails go on, if they were called back.
    pub(super) kept: Vec<String>,
    known: Option<Known>,
}

impl ToDo {
    /// What is to be done with one organisation's notice.
    pub(super) async fn add(
        &mut self,
        conn: &mut store::Conn,
        incident: &Incident,
        latest: Option<&Notice>,
        mut material: Material,
        total: &mut Drafted,
    ) -> Result<(), AppError> {
        if let Some((waiting, told_already)) = back_to_what_was_told(conn, incident, latest, &material).await? {
            // Whatever it was to say was taken back: nobody is told the same twice.
            self.gone.extend(waiting);
            self.kept.push(told_already);
            total.kept += 1;
            return Ok(());
        }
        let mut plan = plan(incident, latest, &material);
        if let Some(kind) = plan.follows_another() {
            *kind = compare(conn, incident, &mut material, &mut self.known).await?;
            if settle_gone(conn, incident, &mut material).await? == Gone::Open {
                // While it is open whose a domain is, nothing is said of it.
                self.withdraw(latest);
                total.unsettled += 1;
                return Ok(());
            }
            if material.changes.is_empty() {
                // Nothing of it would be new to the reader.
                self.withdraw(latest);
                total.kept += 1;
                return Ok(());
            }
        }
        match plan {
            Plan::Keep => {
                total.kept += 1;
                self.kept.extend(latest.filter(|notice| notice.state == "released").map(|notice| notice.id.clone()));
            }
            Plan::Rewrite { id, version, kind, supplements } => {
                self.again.push(Work { material, again: Some(id), version, kind, supplements });
            }
            Plan::Replace { withdraws, version, kind, supplements } => {
                self.gone.push(withdraws);
                self.new.push(Work { material, again: None, version, kind, supplements });
            }
            Plan::New { version, kind, supplements } => {
                self.new.push(Work { material, again: None, version, kind, supplements });
            }
        }
        Ok(())
    }

    /// Withdraws a notice that nobody has released.
    pub(super) fn withdraw(&mut self, latest: Option<&Notice>) {
        let waits = latest.filter(|notice| ["drafted", "approved"].contains(&notice.state.as_str()));
        self.gone.extend(waits.map(|notice| notice.id.clone()));
    }
}

/// Whether it is decided whose the domains are that a notice takes back.
#[derive(PartialEq, Eq)]
enum Gone {
    Settled,
    Open,
}

/// Says of each domain that is gone whether it is another organisation's, or only not told by this name any more.
async fn settle_gone(conn: &mut store::Conn, incident: &Incident, material: &mut Material) -> Result<Gone, AppError> {
    let tenant = &material.tenant.id;
    for change in material.changes.iter_mut().filter(|change| change.what == What::Gone) {
        if store::unwritten::is_in_conflict(conn, incident.id, &change.domain).await? {
            return Ok(Gone::Open);
        }
        if !store::unwritten::is_not_theirs(conn, incident.id, &change.domain, tenant).await? {
            change.what = What::Unlisted;
        }
    }
    Ok(Gone::Settled)
}

async fn draft_range(app: &App, source: &Source, tenants: &[String], total: &mut Drafted) -> Result<(), AppError> {
    let incident = source.incident.as_ref();
    let (Some(first), Some(last)) = (tenants.first(), tenants.last()) else { return Ok(()) };
    let mut tx = app.store.begin().await?;
    let facts = told(&mut tx, incident.id, Scope::Tenants(first, last)).await?;
    let contacts = crate::delivery::by_tenant(store::contacts::in_range(&mut tx, first, last).await?);
    let mut rows: HashMap<String, Tenant> = store::directory::tenants_in_range(&mut tx, first, last)
        .await?
        .into_iter()
        .map(|row| (row.id.clone(), row))
        .collect();
    let latest: HashMap<String, Notice> = store::notices::latest_in_range(&mut tx, incident.id, first, last)
        .await?
        .into_iter()
        .map(|notice| (notice.tenant_id.clone(), notice))
        .collect();
    let mut to_do = ToDo::default();
    for (tenant, told) in facts {
        let Some(row) = rows.remove(&tenant) else { continue };
        let people = contacts.get(&tenant).map(Vec::as_slice).unwrap_or_default();
        if recipients(&crate::delivery::ladder(people), 0).is_none() {
            total.without_contact += 1;
            continue;
        }
        if told.nothing {
            total.withheld += 1;
            to_do.withdraw(latest.get(&tenant));
            continue;
        }
        let material = Material::new(source, row, people, told);
        to_do.add(&mut tx, incident, latest.get(&tenant), material, total).await?;
    }
    carry_out(app, source, tx, tenants, to_do, total).await
}

/// Writes and stores, withdraws, lets mails go on, and notes what could not be written; commits where that was anything.
/// `tenants` are those that were looked at, sorted.
pub(super) async fn carry_out(
    app: &App,
    source: &Source,
    mut tx: store::Tx,
    tenants: &[String],
    to_do: ToDo,
    total: &mut Drafted,
) -> Result<(), AppError> {
    let incident = source.incident.as_ref();
    let (Some(first), Some(last)) = (tenants.first(), tenants.last()) else { return Ok(()) };
    let (new, again) = (Writing::begin(source, to_do.new), Writing::begin(source, to_do.again));
    let now = app.clock.now().micros();
    // What was called back and is true again goes on where it stopped.
    let requeued = store::delivery::requeue_called_back(&mut tx, &to_do.kept, app.clock.real().micros()).await?;
    for id in &to_do.gone {
        store::notices::withdraw(&mut tx, id, now).await?;
    }
    let stored = store_drafts(app, &mut tx, incident, now, new, again).await?;
    let noted = note_unwritten(&mut tx, incident, tenants, &stored.left_out, now).await?;
    let withdrawn = to_do.gone.len() + stored.withdrawn;
    let left_out: Vec<&str> = stored.left_out.iter().map(|one| one.tenant_id.as_str()).collect();
    let detail = serde_json::json!({
        "from": first, "to": last, "drafted": stored.drafted, "changed": stored.changed, "withdrawn": withdrawn,
        "requeued": requeued, "left_out": left_out,
        "templates": source.templates.version(Kind::Notice, Language::ALL.into_iter()),
    });
    total.requeued += requeued;
    total.drafted += stored.drafted;
    total.changed += stored.changed;
    total.withdrawn += withdrawn;
    total.text_only.extend(stored.text_only);
    total.left_out.extend(stored.left_out);
    if stored.drafted + stored.changed + withdrawn + noted == 0 && requeued == 0 {
        return Ok(());
    }
    Ok(tx.commit(app.entry("notice.draft", &incident.slug, detail)).await?)
}

/// What became of what was to be written.
#[derive(Default)]
struct Stored {
    drafted: usize,
    changed: usize,
    /// Drafts that nobody can write any more.
    withdrawn: usize,
    left_out: Vec<LeftOut>,
    text_only: Vec<TextOnly>,
}

impl Stored {
    /// Those that were written; the others are left out.
    fn written(&mut self, slug: &str, share: Vec<Result<Draft, CouldNot>>) -> (Vec<Draft>, Vec<String>) {
        let (mut drafts, mut old) = (Vec::with_capacity(share.len()), Vec::new());
        for one in share {
            match one {
                Ok(draft) => drafts.push(draft),
                Err(could_not) => {
                    old.extend(could_not.again);
                    let next = format!(
                        "mend what is named, or write to it by hand; then run `forthright notice draft {slug}`"
                    );
                    self.left_out.push(LeftOut { tenant_id: could_not.tenant_id, why: could_not.why, next });
                }
            }
        }
        let without_html = drafts.iter().filter(|draft| !draft.takes_everything_back()).flat_map(|draft| {
            let plain = draft.letters.iter().filter(|letter| letter.html.is_none());
            plain.map(|letter| TextOnly {
                tenant_id: draft.tenant_id.clone(),
                language: letter.language.clone(),
                why: format!(
                    "its HTML part would have more than {HTML_LIMIT} bytes, and mail programs cut off what is longer; the text part states everything"
                ),
            })
        });
        self.text_only.extend(without_html);
        (drafts, old)
    }
}

/// Stores what is being written, share by share.
async fn store_drafts(
    app: &App,
    tx: &mut store::Tx,
    incident: &Incident,
    now: i64,
    mut new: Writing,
    mut again: Writing,
) -> Result<Stored, AppError> {
    let mut stored = Stored::default();
    while let Some(share) = again.next().await? {
        let (drafts, old) = stored.written(&incident.slug, share);
        for draft in &drafts {
            store::notices::redraft(tx, &app.actor, now, draft).await?;
        }
        for id in &old {
            // What it says is not true any more, and nobody can write what is.
            store::notices::withdraw(tx, id, now).await?;
        }
        stored.changed += drafts.len();
        stored.withdrawn += old.len();
    }
    while let Some(share) = new.next().await? {
        let (drafts, _) = stored.written(&incident.slug, share);
        store::notices::insert_drafts(tx, incident.id, &app.actor, now, &drafts).await?;
        stored.drafted += drafts.len();
    }
    Ok(stored)
}

/// Notes whom of these nobody could write to, and forgets who was noted before; how many notes changed.
async fn note_unwritten(
    tx: &mut store::Tx,
    incident: &Incident,
    tenants: &[String],
    left_out: &[LeftOut],
    now: i64,
) -> Result<usize, AppError> {
    let (Some(first), Some(last)) = (tenants.first(), tenants.last()) else { return Ok(0) };
    let mut noted = store::unwritten::in_range(tx, incident.id, first, last).await?;
    noted.retain(|one| tenants.binary_search(&one.tenant_id).is_ok());
    let mut changed = 0;
    for one in left_out {
        let one = Unwritten { tenant_id: one.tenant_id.clone(), why: one.why.clone(), next_step: one.next.clone() };
        if !noted.contains(&one) {
            store::unwritten::note(tx, incident.id, now, &one).await?;
            changed += 1;
        }
    }
    let still: BTreeSet<&str> = left_out.iter().map(|one| one.tenant_id.as_str()).collect();
    for one in noted.iter().filter(|one| !still.contains(one.tenant_id.as_str())) {
        store::unwritten::forget(tx, incident.id, &one.tenant_id).await?;
        changed += 1;
    }
    Ok(changed)
}
