//! Notices: drafted from facts, looked at, approved by a second person, then frozen.
//!
//! Renders once, here, at drafting: what is stored is what is sent. Invariant: a notice is written from one
//! organisation's facts and approved only while they are still true.

mod approve;
mod as_approved;
mod authors;
mod check;
mod compare;
mod cores;
mod draft;
mod groups;
mod hidden_words;
mod history;
pub(crate) mod links;
mod pilot;
mod sample;
mod signed;
mod specific;
mod stated;
mod traced;
mod unaffected;
mod unspecific;
mod verify;
mod withhold;
mod without_letter;
mod write;

use std::collections::{BTreeSet, HashMap};

use mail::templates::Kind;
use model::delivery::recipients;
use model::difference::{Change, Why};
use model::language::Language;
use model::notices::{EarlierNotice, IncidentFacts, Letter};
use model::time::Timestamp;
use serde::Serialize;
use store::contacts::Contact;
use store::directory::Tenant;
use store::facts::Scope;
use store::notices::{LetterRow, Notice};

pub use approve::{Approved, Drafts, approve};
pub(crate) use approve::{addressees, ladder_text};
pub(crate) use as_approved::not_as_approved;
pub(crate) use check::clock_facts;
use compare::{Known, Said, compare};

pub use check::{Checked, CheckedObligation, Group, NotInForce, Question, Texts, check};
pub use draft::{Drafted, LeftOut, TextOnly, draft};
pub use groups::{TemplateGroup, groups};
pub use history::{HistoryLine, Log, Version, history, log};
pub(crate) use history::{changed_to, said_of, untold};
pub(crate) use links::{NEXT as LINKS_NEXT, links_outside};
pub use pilot::Piloted;
pub(crate) use pilot::pilot;
pub use sample::{Draw, Looked, Sampled, Shown, sample};
pub use signed::{export, public_keys};
pub use stated::{StatedFact, stated};
pub use unspecific::Unspecific;
pub use verify::{Genuine, Verified, genuine, verify};
pub use withhold::{ListedWithholding, Proposed, approve_withholding, disclose, withhold, withholdings};
pub(crate) use withhold::{Told, digest_of, told};
pub use without_letter::without_letter;

use draft::Source;

use crate::{App, AppError, Incident, new_id};

/// Tenants in a range: about a tenth of a second of rendering between two commits.
const A_RANGE: i64 = 500;

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
    let facts = parts.next() == Some(&*digest_of(told));
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
        Format::Html => letter.html.clone().map(String::into_bytes).ok_or_else(|| {
            AppError::missing(
                format!(
                    "notice {} has no HTML part in {}: its text part states everything",
                    notice.id, letter.language
                ),
                "look at it with `--format text`",
            )
        }),
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
