//! Notices: drafted from facts, looked at, approved by a second person, then frozen.
//!
//! Renders once, here, at drafting: what is stored is what is sent. Invariant: a notice is written from one
//! organisation's facts and approved only while they are still true.

mod approve;
mod check;
mod cores;
mod groups;
mod history;
pub(crate) mod links;
mod pilot;
mod sample;
mod signed;
mod specific;
mod stated;
mod verify;
mod withhold;
mod write;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use mail::templates::{Kind, Templates};
use model::delivery::recipients;
use model::difference::{Change, What, Why, between};
use model::language::Language;
use model::notices::{EarlierNotice, IncidentFacts, Letter, NoticeContext};
use model::time::Timestamp;
use serde::Serialize;
use store::contacts::Contact;
use store::directory::Tenant;
use store::facts::Scope;
use store::notices::{LetterRow, Notice};

pub use approve::{Approved, Drafts, approve};
pub(crate) use approve::{addressees, ladder_text, must_be_as_approved};
pub use check::{Checked, CheckedObligation, Group, NotInForce, Question, Texts, check};
pub use groups::{TemplateGroup, groups};
pub use history::{HistoryLine, Version, history};
pub(crate) use history::{said_of, untold};
pub use pilot::Piloted;
pub(crate) use pilot::pilot;
pub use sample::{Draw, Looked, Sampled, Shown, sample};
pub use signed::{export, public_keys};
pub use stated::{StatedFact, stated};
pub use verify::{Genuine, Verified, genuine, verify};
pub use withhold::{ListedWithholding, approve_withholding, disclose, withhold, withholdings};
pub(crate) use withhold::{Told, review as review_withholdings, review_is_due, told};

use write::{Work, Writing};

use crate::{App, AppError, Incident, new_id};

/// Tenants in a range: about a tenth of a second of rendering between two commits.
const A_RANGE: i64 = 500;

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
    /// Affected tenants without anybody who can be told.
    pub without_contact: usize,
    /// Mails that were called back and go on, because what they say is true again.
    pub requeued: u64,
    /// Affected tenants to which nothing is told for a reason that two people signed.
    pub withheld: usize,
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
    let mut affected = BTreeSet::new();
    let mut after = String::new();
    loop {
        let tenants =
            store::notices::affected_tenants(&mut app.store.read().await?, incident.id, &after, A_RANGE).await?;
        let Some(last) = tenants.last().cloned() else { break };
        draft_range(app, &source, &tenants, &mut total).await?;
        affected.extend(tenants);
        after = last;
    }
    withdraw_unaffected(app, &incident, &affected, &mut total).await?;
    Ok(total)
}

/// What all notices of an incident are written from. Cheap to clone.
#[derive(Clone)]
struct Source {
    incident: Arc<Incident>,
    templates: Templates,
    /// Where codes can be checked; empty = nowhere.
    verify_page: Arc<str>,
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
    let (mut new, mut again, mut gone, mut kept) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut causes = None;
    for (tenant, told) in facts {
        let Some(row) = rows.remove(&tenant) else { continue };
        let people = contacts.get(&tenant).map(Vec::as_slice).unwrap_or_default();
        if recipients(&crate::delivery::ladder(people), 0).is_none() {
            total.without_contact += 1;
            continue;
        }
        if told.nothing {
            total.withheld += 1;
            if let Some(notice) =
                latest.get(&tenant).filter(|notice| ["drafted", "approved"].contains(&notice.state.as_str()))
            {
                gone.push(notice.id.clone());
            }
            continue;
        }
        let mut material = Material::new(source, row, people, told);
        let mut plan = match back_to_what_was_told(&mut tx, incident, latest.get(&tenant), &material).await? {
            Some((waiting, told_already)) => {
                // Whatever it was to say was taken back: nobody is told the same twice.
                gone.extend(waiting);
                kept.push(told_already);
                total.kept += 1;
                continue;
            }
            None => plan(incident, latest.get(&tenant), &material),
        };
        if let Some(kind) = plan.follows_another() {
            *kind = compare(&mut tx, incident, &mut material, &mut causes).await?;
        }
        match plan {
            Plan::Keep => {
                total.kept += 1;
                kept.extend(
                    latest.get(&tenant).filter(|notice| notice.state == "released").map(|notice| notice.id.clone()),
                );
            }
            Plan::Rewrite { id, version, kind, supplements } => {
                again.push(Work { material, again: Some(id), version, kind, supplements });
            }
            Plan::Replace { withdraws, version, kind, supplements } => {
                gone.push(withdraws);
                new.push(Work { material, again: None, version, kind, supplements });
            }
            Plan::New { version, kind, supplements } => {
                new.push(Work { material, again: None, version, kind, supplements });
            }
        }
    }
    let (new, again) = (Writing::begin(source, new), Writing::begin(source, again));
    let now = app.clock.now().micros();
    // What was called back and is true again goes on where it stopped.
    let requeued = store::delivery::requeue_called_back(&mut tx, &kept, app.clock.real().micros()).await?;
    total.requeued += requeued;
    for id in &gone {
        store::notices::withdraw(&mut tx, id, now).await?;
    }
    let (drafted, changed) = store_drafts(app, &mut tx, incident, now, new, again).await?;
    total.drafted += drafted;
    total.changed += changed;
    total.withdrawn += gone.len();
    if drafted + changed + gone.len() == 0 && requeued == 0 {
        return Ok(());
    }
    let detail = serde_json::json!({
        "from": first, "to": last, "drafted": drafted, "changed": changed, "withdrawn": gone.len(), "requeued": requeued,
        "templates": source.templates.version(Kind::Notice, Language::ALL.into_iter()),
    });
    Ok(tx.commit(app.entry("notice.draft", &incident.slug, detail)).await?)
}

/// Stores what is being written, share by share; how many new drafts, and how many that were there.
async fn store_drafts(
    app: &App,
    tx: &mut store::Tx,
    incident: &Incident,
    now: i64,
    mut new: Writing,
    mut again: Writing,
) -> Result<(usize, usize), AppError> {
    let (mut drafted, mut changed) = (0, 0);
    while let Some(drafts) = again.next().await? {
        for draft in &drafts {
            store::notices::redraft(tx, &app.actor, now, draft).await?;
        }
        changed += drafts.len();
    }
    while let Some(drafts) = new.next().await? {
        store::notices::insert_drafts(tx, incident.id, &app.actor, now, &drafts).await?;
        drafted += drafts.len();
    }
    Ok((drafted, changed))
}

/// Drafts and approvals of organisations that are not affected any more.
async fn withdraw_unaffected(
    app: &App,
    incident: &Incident,
    affected: &BTreeSet<String>,
    total: &mut Drafted,
) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let now = app.clock.now().micros();
    let mut withdrawn = Vec::new();
    for state in ["drafted", "approved"] {
        for notice in store::notices::in_state(&mut tx, incident.id, state).await? {
            if !affected.contains(&notice.tenant_id) {
                store::notices::withdraw(&mut tx, &notice.id, now).await?;
                withdrawn.push(notice.id);
            }
        }
    }
    if withdrawn.is_empty() {
        return Ok(());
    }
    total.withdrawn += withdrawn.len();
    let detail = serde_json::json!({ "notices": withdrawn, "why": "the organisation is not affected any more" });
    Ok(tx.commit(app.entry("notice.withdraw", &incident.slug, detail)).await?)
}

/// What one organisation's notice is written from.
struct Material {
    tenant: Tenant,
    told: Told,
    /// Those that were released before, the newest first.
    earlier: Vec<EarlierNotice>,
    /// Since the notice that was released last, and why.
    changes: Vec<Change>,
    why: Vec<Why>,
    languages: BTreeSet<Language>,
    /// Of the templates in these languages.
    version: String,
    digest: Digest,
    /// Whom the notice is for, as it is signed.
    ladder: String,
}

/// What a notice depends on, as it is stored: `facts/form/stated`. A released notice is supplemented when its facts or
/// what the vendor states changed, not when only its form did.
struct Digest {
    /// Of the organisation's facts.
    facts: String,
    /// Of languages, templates, the organisation's name, and where codes are checked.
    form: String,
    /// Of what the vendor states.
    stated: String,
}

impl Digest {
    fn whole(&self) -> String {
        format!("{}/{}/{}", self.facts, self.form, self.stated)
    }
}

/// Whether a notice says what the facts and the vendor say today. One that an older program drafted does not tell what
/// the vendor stated then.
pub(crate) fn is_true(notice: &Notice, told: Option<&Told>, incident: &IncidentFacts) -> bool {
    let mut parts = notice.facts_digest.split('/');
    let facts = parts.next() == told.map(Told::digest).as_deref();
    facts && parts.nth(1).is_none_or(|stated| stated == stated_digest(incident))
}

/// Over everything that the vendor states of an incident.
fn stated_digest(incident: &IncidentFacts) -> String {
    model::digest::sha256(serde_json::to_string(incident).unwrap_or_default().as_bytes())
}

impl Material {
    fn new(source: &Source, tenant: Tenant, contacts: &[Contact], told: Told) -> Self {
        let languages: BTreeSet<Language> = crate::delivery::ladder(contacts)
            .iter()
            .filter(|(role, _, _)| model::delivery::rung(*role).is_some())
            .map(|(_, _, contact)| Language::of_contact(&contact.language, &tenant.language))
            .collect();
        let tags: Vec<&str> = languages.iter().map(|language| language.tag()).collect();
        let version = source.templates.version(Kind::Notice, languages.iter().copied());
        let form = format!("{} {version} {} {}", tags.join(","), tenant.name, source.verify_page);
        let digest = Digest {
            facts: told.digest(),
            form: model::digest::sha256(form.as_bytes()),
            stated: stated_digest(&source.incident.facts),
        };
        let ladder = ladder_text(&addressees(contacts, &tenant.language));
        Self {
            tenant,
            told,
            earlier: Vec::new(),
            changes: Vec::new(),
            why: Vec::new(),
            languages,
            version,
            digest,
            ladder,
        }
    }
}

/// A tenant's newest released notice with its letter to a contact, if every figure in it is still what the rows say and
/// nobody disputes its domains: whatever sends a notice once more asks here first.
pub(crate) async fn still_true(
    conn: &mut store::Conn,
    incident: &Incident,
    tenant: &str,
    contact: &Contact,
) -> Result<Option<(Notice, LetterRow)>, AppError> {
    let Some(notice) = store::escalation::newest_released(conn, incident.id, tenant).await? else { return Ok(None) };
    if !states_facts_of_today(conn, incident.id, &notice).await? {
        return Ok(None);
    }
    let letters = store::notices::letters_of(conn, &notice.id).await?;
    let language = store::directory::tenant(conn, tenant).await?.map(|row| row.language).unwrap_or_default();
    if letters.is_empty() {
        return Ok(None);
    }
    let letter = crate::delivery::letter_for(&letters, contact, &language).clone();
    Ok(Some((notice, letter)))
}

/// Whether a notice's figures are those of today, and nobody disputes its domains.
pub(crate) async fn states_facts_of_today(
    conn: &mut store::Conn,
    incident: i64,
    notice: &Notice,
) -> Result<bool, AppError> {
    let tenant = &notice.tenant_id;
    if store::mapping::is_disputed(conn, incident, tenant).await? {
        return Ok(false);
    }
    let facts = told(conn, incident, Scope::Tenants(tenant, tenant)).await?;
    let today = facts.get(tenant).map(Told::digest).unwrap_or_default();
    Ok(notice.facts_digest.split('/').next() == Some(today.as_str()))
}

enum Plan {
    Keep,
    Rewrite { id: String, version: i64, kind: &'static str, supplements: Option<Timestamp> },
    Replace { withdraws: String, version: i64, kind: &'static str, supplements: Option<Timestamp> },
    New { version: i64, kind: &'static str, supplements: Option<Timestamp> },
}

impl Plan {
    /// The kind of a notice that is to be written after another one was released.
    fn follows_another(&mut self) -> Option<&mut &'static str> {
        match self {
            Self::Rewrite { kind, supplements: Some(_), .. }
            | Self::Replace { kind, supplements: Some(_), .. }
            | Self::New { kind, supplements: Some(_), .. } => Some(kind),
            Self::Keep | Self::Rewrite { .. } | Self::Replace { .. } | Self::New { .. } => None,
        }
    }
}

/// Says what changed since the organisation's newest released notice, and why; the kind that follows from it.
async fn compare(
    conn: &mut store::Conn,
    incident: &Incident,
    material: &mut Material,
    causes: &mut Option<Vec<store::facts::Change>>,
) -> Result<&'static str, AppError> {
    let tenant = &material.tenant.id;
    let mut past = store::notices::past(conn, incident.id, tenant).await?;
    past.retain(|notice| notice.state == "released");
    let Some(before) = past.last() else { return Ok("supplement") };
    let named = past.iter().rev().filter_map(|notice| {
        let released_at = Timestamp::from_micros(notice.released_at?);
        Some(EarlierNotice { code: notice.code.clone(), released_at })
    });
    material.earlier = named.collect();
    let told: NoticeContext = serde_json::from_str(&before.facts).map_err(AppError::stored("notices.facts"))?;
    material.changes = between(&told.domains, &material.told.domains);
    if material.changes.is_empty() {
        return Ok("supplement");
    }
    if causes.is_none() {
        *causes = Some(store::facts::changes(conn, incident.id).await?);
    }
    let since = before.released_at.unwrap_or(i64::MIN);
    let about = |row: &&store::facts::Change| {
        row.changed_at >= since && material.changes.iter().any(|change| change.domain == row.organisation_domain)
    };
    let rows = causes.iter().flatten().filter(about);
    let mut why: BTreeSet<Why> = rows.map(|row| Why::of_cause(&row.cause)).collect();
    if why.is_empty() {
        // A first sheet has no change before it: the domain is new, by records or by its mapping.
        let is_new = material.changes.iter().any(|change| matches!(change.what, What::New));
        why.insert(if is_new { Why::Records } else { Why::Mapping });
    }
    material.why = Vec::from_iter(why);
    Ok(if material.changes.iter().any(Change::corrects) { "correction" } else { "supplement" })
}

/// A notice behind a released one that says all of today's facts already: its id where it waits still, and that of the
/// other.
async fn back_to_what_was_told(
    conn: &mut store::Conn,
    incident: &Incident,
    latest: Option<&Notice>,
    material: &Material,
) -> Result<Option<(Option<String>, String)>, AppError> {
    let follows = |notice: &&Notice| notice.state != "released" && notice.supplements().is_some();
    let Some(notice) = latest.filter(follows) else { return Ok(None) };
    let waits = ["drafted", "approved"].contains(&notice.state.as_str());
    let before = store::escalation::newest_released(conn, incident.id, &notice.tenant_id).await?;
    let before = before.filter(|before| is_true(before, Some(&material.told), &incident.facts));
    Ok(before.map(|before| (waits.then(|| notice.id.clone()), before.id)))
}

fn plan(incident: &Incident, latest: Option<&Notice>, material: &Material) -> Plan {
    let Some(notice) = latest else {
        return Plan::New { version: 1, kind: "initial", supplements: None };
    };
    let same = notice.facts_digest == material.digest.whole();
    let still_true = is_true(notice, Some(&material.told), &incident.facts);
    let kind = if notice.kind == "initial" { "initial" } else { "supplement" };
    let supplements = notice.released_at.map(Timestamp::from_micros);
    match notice.state.as_str() {
        "drafted" if same => Plan::Keep,
        "drafted" => {
            Plan::Rewrite { id: notice.id.clone(), version: notice.version, kind, supplements: notice.supplements() }
        }
        // Whoever signed it signed whom it is for, too.
        "approved" if same && notice.approved_ladder.as_ref() == Some(&material.ladder) => Plan::Keep,
        "approved" => Plan::Replace {
            withdraws: notice.id.clone(),
            version: notice.version + 1,
            kind,
            supplements: notice.supplements(),
        },
        "released" if still_true => Plan::Keep,
        "released" => Plan::New { version: notice.version + 1, kind: "supplement", supplements },
        _ => Plan::New { version: notice.version + 1, kind, supplements: notice.supplements() },
    }
}

/// A letter as it is stored.
pub(crate) fn letter_row(kind: &str, notice: Option<&str>, language: Language, letter: Letter) -> LetterRow {
    LetterRow {
        id: new_id("ltr"),
        notice_id: notice.map(str::to_owned),
        kind: kind.to_owned(),
        language: language.tag().to_owned(),
        digest: letter.digest(),
        subject: letter.subject,
        text: letter.text,
        html: letter.html,
    }
}

/// A notice with the languages it exists in.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// `ntc_…`.
    pub notice_id: String,
    /// Whose.
    pub tenant_id: String,
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// From 1.
    pub version: i64,
    /// `drafted`, `approved`, `released`, `withdrawn`.
    pub state: String,
    /// Tags joined by `;`.
    pub language: String,
    /// The notice code.
    pub code: String,
}

/// All notices of an incident, by tenant and version.
pub async fn list(app: &App, slug: &str) -> Result<Vec<Listed>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let mut languages: HashMap<String, Vec<String>> = HashMap::new();
    for (notice, language) in store::notices::languages(&mut conn, incident.id).await? {
        languages.entry(notice).or_default().push(language);
    }
    let listed = |notice: Notice| Listed {
        language: languages.get(&notice.id).map(|tags| tags.join(";")).unwrap_or_default(),
        notice_id: notice.id,
        tenant_id: notice.tenant_id,
        kind: notice.kind,
        version: notice.version,
        state: notice.state,
        code: notice.code,
    };
    Ok(store::notices::list(&mut conn, incident.id).await?.into_iter().map(listed).collect())
}

/// How a notice is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The plain text part.
    Text,
    /// The HTML part.
    Html,
    /// The mail as the first recipient gets it.
    Eml,
    /// What machines are told: the same in every language.
    Json,
}

/// The exact bytes of a tenant's newest notice, in a language (none = the first recipient's).
pub async fn preview(
    app: &App,
    slug: &str,
    tenant: &str,
    format: Format,
    language: Option<&str>,
) -> Result<Vec<u8>, AppError> {
    let incident = app.incident(slug).await?;
    let mut conn = app.store.snapshot().await?;
    let found = store::notices::latest_in_range(&mut conn, incident.id, tenant, tenant).await?.into_iter().next();
    let Some(notice) = found else {
        return Err(AppError::missing(
            format!("tenant {tenant} has no notice in {slug}"),
            format!("run `forthright notice draft {slug}`, then `forthright notice list {slug} --csv`"),
        ));
    };
    let contacts = store::contacts::in_range(&mut conn, tenant, tenant).await?;
    let tenant_language =
        store::directory::tenant(&mut conn, tenant).await?.map(|row| row.language).unwrap_or_default();
    let letters = store::notices::letters_of(&mut conn, &notice.id).await?;
    let first = recipients(&crate::delivery::ladder(&contacts), 0).and_then(|(_, chosen)| chosen.into_iter().next());
    let letter = match (language, &first) {
        (Some(tag), _) => letters.iter().find(|letter| letter.language == tag),
        (None, Some(contact)) => Some(crate::delivery::letter_for(&letters, contact, &tenant_language)),
        (None, None) => letters.first(),
    };
    let Some(letter) = letter else {
        let tags: Vec<&str> = letters.iter().map(|letter| letter.language.as_str()).collect();
        return Err(AppError::missing(
            format!("notice {} is not written in that language", notice.id),
            format!("it exists in: {}", tags.join(", ")),
        ));
    };
    match format {
        Format::Text => Ok(letter.text.clone().into_bytes()),
        Format::Html => Ok(letter.html.clone().unwrap_or_default().into_bytes()),
        Format::Json => Ok(signed::preview(app, &mut conn, &notice.id).await?.into_bytes()),
        Format::Eml => eml(app, &incident, &notice, letter, first),
    }
}

fn eml(
    app: &App,
    incident: &Incident,
    notice: &Notice,
    letter: &LetterRow,
    contact: Option<Contact>,
) -> Result<Vec<u8>, AppError> {
    let Some(contact) = contact else {
        return Err(AppError::missing(
            format!("tenant {} has no contact who can be told", notice.tenant_id),
            "run `forthright directory add-contact`",
        ));
    };
    let scope = format!("{}/{}", incident.slug, notice.tenant_id);
    let token = model::ids::ticket_token(incident.key.bytes(), &scope);
    let sender = &app.settings.sender;
    let name = if sender.name.is_empty() { incident.facts.vendor.clone() } else { sender.name.clone() };
    let reply_to = model::ids::reply_address(&sender.address, &token);
    let message_id = model::ids::message_id(incident.key.bytes(), &notice.id, &contact.address, sender.domain());
    Ok(mail::message::compose(&mail::message::Outgoing {
        letter: mail::message::LetterParts {
            subject: &letter.subject,
            text: &letter.text,
            html: letter.html.as_deref(),
        },
        from: &mail::message::Sender { name, address: sender.address.clone() },
        to_address: &contact.address,
        to_name: Some(contact.name.as_str()).filter(|name| !name.is_empty()),
        message_id: &message_id,
        reply_to: Some(&reply_to),
        date: app.clock.now(),
        references: &[],
        automatic: mail::message::Automatic::Generated,
        rehearsal: if app.rehearsal { mail::message::Rehearsal::Yes } else { mail::message::Rehearsal::No },
        language: &letter.language,
    })?)
}
