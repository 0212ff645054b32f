//! Delivery: releasing waves, and what a sender needs to claim, write and record mail.
//!
//! Opens no connection (that is `workers`). Invariant: every mail has its row, its Message-ID and its recipient
//! before the first byte leaves, and each row names what caused it.

mod settling;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use mail::message::{Automatic, LetterParts, Outgoing, Rehearsal, Sender};
use mail::route::Route;
use model::actor::is_one_person;
use model::delivery::{
    MOST_UNCERTAIN, Outcome, RetryPolicy, Role, State, after_attempt, backoff, goes_again, recipients,
};
use model::language::Language;
use model::time::Timestamp;
use serde::Serialize;
use store::contacts::Contact;
use store::delivery::{Claimed, Claims, Delivery, NewMail, NextCopy};
use store::escalation::{NewTask, Task};
use store::facts::Scope;
use store::ledger::Verdict;
use store::notices::{LetterRow, Notice};
use store::threads::Threads;
use store::tickets::NewTicket;
use store::waves::Wave;

pub use settling::{Proof, Proved, Said, Uncertain, by_relay_log, held, settle, uncertain};

use crate::notices::{LeftOut, Piloted};
use crate::waves::{Finding, Release, Weight};
use crate::{App, AppError, Incident, new_id};

/// Which approved notices a wave releases.
#[derive(Debug)]
pub enum Selection {
    /// All of them.
    All,
    /// Those of these tenants.
    Tenants(BTreeSet<String>),
    /// Up to so many, spread over the groups that the same words were written for: a pilot.
    Pilot(usize),
}

/// What a release did.
#[derive(Debug, Serialize)]
pub struct Released {
    /// The wave.
    pub wave: String,
    /// Notices released.
    pub notices: usize,
    /// Mails queued.
    pub mails: u64,
    /// Of the mails, those that wait because their reader said somewhere that nothing is theirs.
    pub held: usize,
    /// Tickets that these organisations have now.
    pub tickets: usize,
    /// Affected tenants without anybody who can be told; each has a task.
    pub without_contact: usize,
    /// Affected tenants who have no letter, or one that is old: this wave says nothing to them.
    pub without_letter: i64,
    /// Approved notices that wait for another wave.
    pub approved_left: usize,
    /// Of a pilot: how it was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pilot: Option<Piloted>,
    /// Of a wave of all: approved notices that are not true any more, or for other contacts. They wait for another draft and
    /// stop nobody else's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What speaks against the sending domain, where many notices left all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Finding>,
}

/// Arms a wave: notices become released, their mails queued, their tickets opened, all or nothing. Whoever approved
/// one of them cannot release it.
pub async fn release(app: &App, slug: &str, release: &Release<'_>) -> Result<Released, AppError> {
    let Release { name, selection, limits, override_why, .. } = *release;
    crate::waves::must_be_a_name(name)?;
    let incident = app.incident(slug).await?;
    crate::waves::judge(app).await?;
    crate::directory::must_be_whole(&mut app.store.read().await?).await?;
    crate::mapping::lapse_expired(app).await?;
    crate::facts::settle(app, incident.id).await?;
    let looked = crate::waves::look_before(app, &incident, release).await?;
    let now = app.clock.now().micros();
    let mut tx = app.store.begin().await?;
    crate::mapping::hold_verdicts(&mut tx, incident.id).await?;
    let stopped = crate::waves::must_not_be_stopped(&mut tx, &incident, override_why).await?;
    let approved = store::notices::in_state(&mut tx, incident.id, "approved").await?;
    let all = approved.len();
    let (approved, untrue) = match selection {
        Selection::Pilot(_) => true_ones(&mut tx, &incident, approved).await?,
        Selection::All | Selection::Tenants(_) => (approved, Vec::new()),
    };
    let (mut chosen, pilot) = choose(&mut tx, &incident, approved, selection).await?;
    let mut left_out = stale(&mut tx, &incident, &chosen).await?;
    let is_named = !matches!(selection, Selection::All);
    if let Some(first) = left_out.first().filter(|_| is_named || left_out.len() == chosen.len()) {
        return Err(first.refusal());
    }
    left_out.extend(untrue);
    let stale: BTreeSet<&str> = left_out.iter().map(|one| one.tenant_id.as_str()).collect();
    chosen.retain(|notice| !stale.contains(notice.tenant_id.as_str()));
    if let Some(mine) =
        chosen.iter().find(|notice| notice.approved_by.as_deref().is_some_and(|by| is_one_person(by, &app.actor)))
    {
        return Err(AppError::refused(
            format!("{} approved notice {} and cannot release it too: two people arm a wave", app.actor, mine.id),
            "let somebody else release it: --actor NAME",
        ));
    }
    let is_loose = crate::waves::weight(app, release.routes) == crate::waves::Weight::Warns;
    let warnings = crate::waves::must_be_in_order(&mut tx, &incident, looked, chosen.len(), override_why).await?;
    let wave = Wave {
        id: new_id("wav"),
        name: name.to_owned(),
        released_by: app.actor.clone(),
        released_at: now,
        notices: i64::try_from(chosen.len()).unwrap_or(i64::MAX),
        pace: limits.pace,
        pace_per_system: limits.per_system,
        per_day: limits.per_day,
        is_pilot: i64::from(matches!(selection, Selection::Pilot(_))),
        domain_checked: i64::from(!is_loose || warnings.is_empty() || override_why.is_some()),
        paused_at: None,
        stopped_why: None,
        mails: 0,
        accepted: 0,
    };
    if store::waves::list(&mut tx, incident.id).await?.iter().any(|there| there.name == name) {
        return Err(AppError::refused(format!("there is a wave `{name}` already"), "choose another name"));
    }
    store::waves::insert(&mut tx, incident.id, &wave).await?;
    let ids: Vec<String> = chosen.iter().map(|notice| notice.id.clone()).collect();
    store::notices::release(&mut tx, &ids, now).await?;
    let tickets = open_tickets(&mut tx, &incident, &chosen, now).await?;
    let mails = wave_mails(app, &mut tx, &incident, &wave, &chosen, &tickets).await?;
    let queued = store::delivery::insert_mails(&mut tx, incident.id, now, app.clock.real().micros(), &mails).await?;
    let denied: BTreeSet<String> =
        store::denials::open(&mut tx).await?.into_iter().map(|denial| denial.address).collect();
    let held = mails.iter().filter(|mail| denied.contains(&mail.address)).count();
    let without_contact = match selection {
        Selection::All => note_unreachable(app, &mut tx, &incident).await?,
        Selection::Tenants(_) | Selection::Pilot(_) => 0,
    };
    let released = Released {
        wave: name.to_owned(),
        notices: chosen.len(),
        mails: queued,
        held,
        tickets: tickets.len(),
        without_contact,
        without_letter: store::unwritten::count_without_letter(&mut tx, incident.id).await?,
        approved_left: all - chosen.len(),
        pilot,
        left_out: left_out.clone(),
        warnings,
    };
    let detail = serde_json::json!({
        "wave": wave.id, "name": name, "notices": released.notices, "mails": queued, "limits": limits,
        "approved_left": released.approved_left, "without_letter": released.without_letter, "pilot": released.pilot,
        "override": override_why, "warnings": released.warnings, "stopped": stopped, "left_out": stale,
    });
    store::crash_point!("release.before");
    tx.commit(app.entry("wave.release", slug, detail)).await?;
    store::crash_point!("release.after");
    Ok(released)
}

async fn choose(
    conn: &mut store::Conn,
    incident: &Incident,
    approved: Vec<Notice>,
    selection: &Selection,
) -> Result<(Vec<Notice>, Option<Piloted>), AppError> {
    let slug = &incident.slug;
    let (chosen, pilot): (Vec<Notice>, _) = match selection {
        Selection::All => (approved, None),
        Selection::Tenants(tenants) => {
            let there: BTreeSet<&str> = approved.iter().map(|notice| notice.tenant_id.as_str()).collect();
            if let Some(unknown) = tenants.iter().find(|tenant| !there.contains(tenant.as_str())) {
                return Err(AppError::bad(
                    format!("tenant {unknown} has no approved notice"),
                    format!("run `forthright notice list {slug} --csv`, and approve its notice first"),
                ));
            }
            (approved.into_iter().filter(|notice| tenants.contains(&notice.tenant_id)).collect(), None)
        }
        Selection::Pilot(count) => {
            let (chosen, pilot) = crate::notices::pilot(conn, incident, approved, *count).await?;
            (chosen, Some(pilot))
        }
    };
    if chosen.is_empty() {
        return Err(AppError::refused(
            "no approved notice to release",
            format!(
                "run `forthright notice draft {slug}`, then let a second person run `forthright notice approve {slug} --all`"
            ),
        ));
    }
    Ok((chosen, pilot))
}

/// Tickets by tenant, opened where there were none.
async fn open_tickets(
    tx: &mut store::Tx,
    incident: &Incident,
    notices: &[Notice],
    now: i64,
) -> Result<HashMap<String, store::tickets::TicketRow>, AppError> {
    let new: Vec<NewTicket> = notices.iter().map(|notice| new_ticket(incident, &notice.tenant_id)).collect();
    store::tickets::insert(tx, incident.id, now, &new).await?;
    let wanted: BTreeSet<&str> = notices.iter().map(|notice| notice.tenant_id.as_str()).collect();
    let all = store::tickets::list(tx, incident.id).await?;
    Ok(all
        .into_iter()
        .filter(|ticket| ticket.split_from.is_none() && wanted.contains(ticket.tenant_id.as_str()))
        .map(|ticket| (ticket.tenant_id.clone(), ticket))
        .collect())
}

/// A ticket as it is opened; its token is the same however often.
pub(crate) fn new_ticket(incident: &Incident, tenant: &str) -> NewTicket {
    let token = model::ids::ticket_token(incident.key.bytes(), &format!("{}/{tenant}", incident.slug));
    NewTicket { id: new_id("tkt"), tenant_id: tenant.to_owned(), token }
}

/// One mail for each recipient of each notice.
async fn wave_mails(
    app: &App,
    tx: &mut store::Tx,
    incident: &Incident,
    wave: &Wave,
    notices: &[Notice],
    tickets: &HashMap<String, store::tickets::TicketRow>,
) -> Result<Vec<NewMail>, AppError> {
    let tenants: Vec<String> = notices.iter().map(|notice| notice.tenant_id.clone()).collect();
    let ids: Vec<String> = notices.iter().map(|notice| notice.id.clone()).collect();
    let contacts = by_tenant(store::contacts::of(tx, &tenants).await?);
    let languages: HashMap<String, String> = store::directory::tenants_of(tx, &tenants)
        .await?
        .into_iter()
        .map(|tenant| (tenant.id, tenant.language))
        .collect();
    let letters = by_notice(store::notices::letters_of_notices(tx, &ids).await?);
    // Whoever gets a first notice has none to follow.
    let later = notices.iter().filter(|notice| notice.kind != "initial").map(|notice| notice.tenant_id.clone());
    let threads = Threads::of_tenants(tx, incident.id, &later.collect::<Vec<_>>()).await?;
    let mut mails = Vec::new();
    for notice in notices {
        let people = contacts.get(&notice.tenant_id).map(Vec::as_slice).unwrap_or_default();
        let Some((_, chosen)) = recipients(&ladder(people), 0) else { continue };
        let (Some(ticket), Some(letters)) = (tickets.get(&notice.tenant_id), letters.get(&notice.id)) else {
            return Err(AppError::missing(format!("notice {} has no letter or ticket", notice.id), "draft it again"));
        };
        let tenant_language = languages.get(&notice.tenant_id).map(String::as_str).unwrap_or_default();
        for contact in &chosen {
            let letter = letter_for(letters, contact, tenant_language);
            let mut mail = notice_mail(app, incident, notice, ticket, letter, contact, &threads);
            mail.cause = "wave";
            mail.cause_id.clone_from(&wave.id);
            mail.wave_id = Some(wave.id.clone());
            mails.push(mail);
        }
    }
    Ok(mails)
}

/// Those that a pilot can be chosen from, and those that are not true any more. Refused where none is.
async fn true_ones(
    tx: &mut store::Tx,
    incident: &Incident,
    mut approved: Vec<Notice>,
) -> Result<(Vec<Notice>, Vec<LeftOut>), AppError> {
    let untrue = stale(tx, incident, &approved).await?;
    let tenants: BTreeSet<&str> = untrue.iter().map(|one| one.tenant_id.as_str()).collect();
    approved.retain(|notice| !tenants.contains(notice.tenant_id.as_str()));
    match untrue.first().filter(|_| approved.is_empty()) {
        Some(first) => Err(first.refusal()),
        None => Ok((approved, untrue)),
    }
}

/// What was approved is released only while it is still what the rows say, for whom it was approved: a mapping may have
/// changed since. Those that are not.
async fn stale(tx: &mut store::Tx, incident: &Incident, chosen: &[Notice]) -> Result<Vec<LeftOut>, AppError> {
    let tenants = || chosen.iter().map(|notice| notice.tenant_id.as_str());
    let (Some(first), Some(last)) = (tenants().min(), tenants().max()) else { return Ok(Vec::new()) };
    let facts = crate::notices::told(tx, incident.id, Scope::Tenants(first, last)).await?;
    let (true_ones, untrue): (Vec<Notice>, Vec<Notice>) = chosen
        .iter()
        .cloned()
        .partition(|notice| crate::notices::is_true(notice, facts.get(&notice.tenant_id), &incident.facts));
    let left_out = untrue.into_iter().map(|notice| LeftOut {
        why: format!(
            "cannot release notice {}: the facts of tenant {} changed since it was approved, or what the incident states or withholds",
            notice.id, notice.tenant_id
        ),
        next: format!("run `forthright notice draft {}` and let it be approved again", incident.slug),
        tenant_id: notice.tenant_id,
    });
    let mut left_out: Vec<LeftOut> = left_out.collect();
    left_out.extend(crate::notices::not_as_approved(tx, incident, &true_ones).await?);
    Ok(left_out)
}

/// Mail about a domain that is no longer its tenant's does not leave, unless it is past the dot already: whoever loses
/// a domain (tenant → the domain) keeps no unsent notice that names it. A notice of which nothing left is withdrawn.
pub(crate) async fn call_back(
    app: &App,
    tx: &mut store::Tx,
    incident: i64,
    losers: &BTreeMap<String, String>,
) -> Result<u64, AppError> {
    let now = app.clock.now().micros();
    let mut mails = 0;
    for (tenant, domain) in losers {
        let why = format!("called back: {domain} is no longer this organisation's");
        mails += store::delivery::call_back(tx, incident, tenant, &why, now).await?;
    }
    if mails > 0 {
        tracing::warn!(
            incident.id = incident,
            mails,
            tenants = losers.len(),
            "mail was called back because a mapping changed"
        );
    }
    Ok(mails)
}

/// Contacts that can be told, as the ladder wants them. Whoever is disabled, has left or was merged is not among them.
pub(crate) fn ladder(contacts: &[Contact]) -> Vec<(Role, String, Contact)> {
    contacts
        .iter()
        .filter(|contact| contact.is_usable())
        .filter_map(|contact| Role::parse(&contact.role).map(|role| (role, contact.address.clone(), contact.clone())))
        .collect()
}

/// The letter in a contact's language as it was frozen; else English, else the first.
pub(crate) fn letter_for<'a>(letters: &'a [LetterRow], contact: &Contact, tenant_language: &str) -> &'a LetterRow {
    let language = Language::of_contact(&contact.language, tenant_language);
    let of = |tag: &str| letters.iter().find(|letter| letter.language == tag);
    of(language.tag()).or_else(|| of(Language::En.tag())).unwrap_or(&letters[0])
}

/// The mail of one notice to one contact, in the thread of the notice before it, caused by a policy until the caller says
/// otherwise.
pub(crate) fn notice_mail(
    app: &App,
    incident: &Incident,
    notice: &Notice,
    ticket: &store::tickets::TicketRow,
    letter: &LetterRow,
    contact: &Contact,
    threads: &Threads,
) -> NewMail {
    let domain = app.settings.sender.domain();
    NewMail {
        id: new_id("dlv"),
        cause: "policy",
        cause_id: String::new(),
        wave_id: None,
        under_wave: None,
        letter_id: letter.id.clone(),
        notice_id: Some(notice.id.clone()),
        ticket_id: Some(ticket.id.clone()),
        tenant_id: Some(notice.tenant_id.clone()),
        contact_id: Some(contact.id.clone()),
        address: contact.address.clone(),
        name: contact.name.clone(),
        // Of the notice version and the contact: the same however often it is sent.
        message_id: model::ids::message_id(incident.key.bytes(), &notice.id, &contact.address, domain),
        reply_token: ticket.token.clone(),
        thread_id: threads.newest(&notice.tenant_id, &contact.address),
    }
}

/// Affected tenants that nobody can be told at get a task, once.
async fn note_unreachable(app: &App, tx: &mut store::Tx, incident: &Incident) -> Result<usize, AppError> {
    let now = app.clock.now();
    let mut after = String::new();
    let mut count = 0;
    loop {
        let tenants = store::notices::affected_tenants(tx, incident.id, &after, 1_000).await?;
        let Some(last) = tenants.last() else { return Ok(count) };
        after.clone_from(last);
        let contacts = by_tenant(store::contacts::of(tx, &tenants).await?);
        for tenant in tenants {
            let people = contacts.get(&tenant).map(Vec::as_slice).unwrap_or_default();
            if recipients(&ladder(people), 0).is_some() {
                continue;
            }
            count += 1;
            let task = Task {
                id: new_id("tsk"),
                tenant_id: Some(tenant.clone()),
                ticket_id: None,
                kind: "no-contact".to_owned(),
                target: "incident-lead".to_owned(),
                text: format!(
                    "tenant {tenant} is affected and has no contact who can be told: find one and run `forthright directory add-contact`"
                ),
                created_at: now.micros(),
                due_at: now.plus(std::time::Duration::from_secs(24 * 3600)).micros(),
            };
            let unique_key = format!("no-contact/{}/{tenant}", incident.id);
            store::escalation::insert_task(
                tx,
                &NewTask { incident: incident.id, task: &task, unique_key: &unique_key },
            )
            .await?;
        }
    }
}

pub(crate) fn by_tenant(contacts: Vec<Contact>) -> HashMap<String, Vec<Contact>> {
    let mut map: HashMap<String, Vec<Contact>> = HashMap::new();
    for contact in contacts {
        map.entry(contact.tenant_id.clone()).or_default().push(contact);
    }
    map
}

fn by_notice(letters: Vec<LetterRow>) -> HashMap<String, Vec<LetterRow>> {
    let mut map: HashMap<String, Vec<LetterRow>> = HashMap::new();
    for letter in letters {
        map.entry(letter.notice_id.clone().unwrap_or_default()).or_default().push(letter);
    }
    map
}

/// The waves of an incident.
pub async fn waves(app: &App, slug: &str) -> Result<Vec<Wave>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::waves::list(&mut app.store.read().await?, incident.id).await?)
}

/// The deliveries of an incident, by tenant.
pub async fn list(app: &App, slug: &str) -> Result<Vec<Delivery>, AppError> {
    let incident = app.incident(slug).await?;
    Ok(store::delivery::list(&mut app.store.read().await?, incident.id).await?)
}

/// Who got which notice, or may have got it.
#[derive(Debug, Serialize)]
pub struct Disclosure {
    /// Whose notice.
    pub tenant_id: String,
    /// Who got it.
    pub contact: String,
    /// The notice.
    pub notice_id: String,
    /// Its version.
    pub version: i64,
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// The organisation domains whose facts it states.
    pub domains: Vec<String>,
    /// Of these, those that are not the tenant's any more, or are disputed.
    pub no_longer_theirs: Vec<String>,
    /// When it was accepted; none: nobody knows whether it was.
    pub accepted_at: Option<Timestamp>,
    /// Of the delivery.
    pub state: String,
    /// Without angle brackets.
    pub message_id: String,
}

/// The record of who saw what in an incident, by tenant; of one tenant, or of all.
pub async fn disclosures(app: &App, slug: &str, tenant: Option<&str>) -> Result<Vec<Disclosure>, AppError> {
    let incident = app.incident(slug).await?;
    crate::facts::settle(app, incident.id).await?;
    let mut conn = app.store.snapshot().await?;
    let mut own: HashMap<String, Vec<String>> = HashMap::new();
    let mut disclosures = Vec::new();
    for seen in store::delivery::seen(&mut conn, incident.id).await? {
        let tenant_id = seen.tenant_id.unwrap_or_default();
        if tenant.is_some_and(|tenant| tenant != tenant_id) {
            continue;
        }
        if !own.contains_key(&tenant_id) {
            let domains = store::mapping::domains_of_tenant(&mut conn, incident.id, &tenant_id).await?;
            own.insert(tenant_id.clone(), domains);
        }
        let theirs = own.get(&tenant_id).map(Vec::as_slice).unwrap_or_default();
        let stated: Stated = serde_json::from_str(&seen.facts).map_err(AppError::stored("notices.facts"))?;
        let domains: Vec<String> = stated.domains.into_iter().map(|facts| facts.domain).collect();
        disclosures.push(Disclosure {
            no_longer_theirs: domains.iter().filter(|domain| !theirs.contains(domain)).cloned().collect(),
            tenant_id,
            contact: seen.address,
            notice_id: seen.notice_id,
            version: seen.version,
            kind: seen.kind,
            domains,
            accepted_at: seen.settled_at.map(Timestamp::from_micros).filter(|_| seen.state == State::Accepted.as_str()),
            state: seen.state,
            message_id: seen.message_id,
        });
    }
    Ok(disclosures)
}

/// As much of a notice's context as says whose facts it states.
#[derive(serde::Deserialize)]
struct Stated {
    domains: Vec<StatedDomain>,
}

#[derive(serde::Deserialize)]
struct StatedDomain {
    domain: String,
}

/// A claimed mail with all that is needed to write it.
#[derive(Debug, Clone)]
pub struct Letterbox {
    /// The claimed row.
    pub mail: Claimed,
    /// Its frozen text.
    pub letter: Arc<LetterRow>,
    /// Whom it is from.
    pub from: Sender,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// The conversation so far.
    pub references: Vec<String>,
    /// Whether its contact was disabled meanwhile.
    pub suppressed: bool,
}

/// Leases up to `limit` due mails to a sender, of waves that may leave by its routes.
pub async fn claim(app: &App, sender: &str, limit: i64, routes: &[Route]) -> Result<Vec<Letterbox>, AppError> {
    let claims = match crate::waves::weight(app, Some(routes)) {
        Weight::Refuses => Claims::Checked,
        Weight::Warns => Claims::All,
    };
    let mut tx = app.store.begin().await?;
    let claimed = store::delivery::claim(&mut tx, sender, app.clock.real().micros(), limit, claims).await?;
    store::crash_point!("claim.before");
    tx.commit_ledger().await?;
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    store::crash_point!("claim.after");
    let mut conn = app.store.read().await?;
    let ids: Vec<String> =
        claimed.iter().map(|mail| mail.letter_id.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let letters: HashMap<String, Arc<LetterRow>> = store::notices::letters_by_ids(&mut conn, &ids)
        .await?
        .into_iter()
        .map(|letter| (letter.id.clone(), Arc::new(letter)))
        .collect();
    let disabled = store::delivery::disabled_among(&mut conn, &claimed).await?;
    let mut names = HashMap::new();
    for id in claimed.iter().map(|mail| mail.incident_id).collect::<BTreeSet<_>>() {
        names.insert(id, app.incident_by_id(&mut conn, id).await?.facts.vendor);
    }
    let mut boxes = Vec::with_capacity(claimed.len());
    for mail in claimed {
        let letter = letters.get(&mail.letter_id).cloned().ok_or_else(|| {
            AppError::missing(
                format!("mail {} has no letter", mail.id),
                "this is a fault of the program: please report it",
            )
        })?;
        let vendor = names.get(&mail.incident_id).cloned().unwrap_or_default();
        boxes.push(letterbox(app, mail, letter, vendor, &disabled));
    }
    Ok(boxes)
}

fn letterbox(
    app: &App,
    mail: Claimed,
    letter: Arc<LetterRow>,
    vendor: String,
    disabled: &BTreeSet<String>,
) -> Letterbox {
    let sender = &app.settings.sender;
    let name = if sender.name.is_empty() { vendor } else { sender.name.clone() };
    Letterbox {
        from: Sender { name, address: sender.address.clone() },
        reply_to: (!mail.reply_token.is_empty()).then(|| model::ids::reply_address(&sender.address, &mail.reply_token)),
        references: mail.thread_id.iter().cloned().collect(),
        suppressed: mail.contact_id.as_ref().is_some_and(|contact| disabled.contains(contact)),
        mail,
        letter,
    }
}

/// The bytes of a mail: frozen parts, and what belongs to this delivery.
pub fn compose(app: &App, letterbox: &Letterbox, date: Timestamp) -> Result<Vec<u8>, AppError> {
    let Letterbox { mail, letter, .. } = letterbox;
    let outgoing = Outgoing {
        letter: LetterParts { subject: &letter.subject, text: &letter.text, html: letter.html.as_deref() },
        from: &letterbox.from,
        to_address: &mail.address,
        to_name: Some(mail.name.as_str()).filter(|name| !name.is_empty()),
        message_id: &mail.message_id,
        reply_to: letterbox.reply_to.as_deref(),
        date,
        references: &letterbox.references,
        automatic: match (mail.cause.as_str(), letter.kind.as_str()) {
            ("agent", _) => Automatic::ByPerson,
            (_, "acknowledgement") => Automatic::Replied,
            _ => Automatic::Generated,
        },
        rehearsal: if app.rehearsal { Rehearsal::Yes } else { Rehearsal::No },
        language: &letter.language,
    };
    Ok(app.signing.sign(mail::message::compose(&outgoing)?, app.clock.now())?)
}

/// How a try ended, in a sender's words.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What came of it.
    pub outcome: Outcome,
    /// The SMTP phase it ended in.
    pub phase: String,
    /// What the other side said, or what failed.
    pub reply: String,
    /// Protocol and cipher, or empty.
    pub tls: String,
    /// The way out, or empty.
    pub route: String,
    /// A state that does not follow from the outcome: suppressed, failed.
    pub settled: Option<State>,
}

/// Until a mail that may have arrived is sent again: as long as its lease, then twice as long for each copy.
fn copy_wait(app: &App, attempt: i64) -> std::time::Duration {
    let retry = RetryPolicy { first: app.settings.sending.lease(), ..RetryPolicy::default() };
    backoff(attempt, &retry)
}

/// When mails of a sender that is gone go again, whose lease is over: as [`verdict`] says of others.
pub(crate) fn next_copy(app: &App) -> NextCopy {
    let micros = |wait: std::time::Duration| i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    let sending = &app.settings.sending;
    NextCopy {
        first_at: sending.uncertain_due(app.clock.real()),
        lease: micros(sending.lease()),
        longest: micros(RetryPolicy::default().longest),
        max_attempts: sending.max_attempts,
        most_uncertain: MOST_UNCERTAIN,
    }
}

/// What is to be recorded of a try.
pub fn verdict(app: &App, letterbox: &Letterbox, started_at: Timestamp, ended: Ended) -> Verdict {
    let attempt = letterbox.mail.attempts + 1;
    let next = after_attempt(ended.outcome, attempt, &app.settings.sending.retry());
    let state = ended.settled.unwrap_or(next.state);
    let real = app.clock.real();
    let next_at = match state {
        // Not before the lease would have ended: whatever the other side still does with the first copy is over then.
        State::Uncertain if !goes_again(letterbox.mail.uncertain + 1, attempt, &app.settings.sending.retry()) => {
            i64::MAX
        }
        State::Uncertain => app.settings.sending.uncertain_due(real.plus(copy_wait(app, attempt))),
        _ => real.plus(next.wait).micros(),
    };
    let now = app.clock.now().micros();
    let is_settled =
        matches!(state, State::Accepted | State::Bounced | State::Failed | State::Suppressed | State::Cancelled);
    Verdict {
        id: letterbox.mail.id.clone(),
        state: state.as_str(),
        next_at,
        settled_at: is_settled.then_some(now),
        reply: ended.reply,
        outcome: ended.outcome.as_str(),
        phase: ended.phase,
        tls: ended.tls,
        route: ended.route,
        started_at: started_at.micros(),
        ended_at: now,
        attempt,
    }
}

/// Says that a sender lives for another lease.
pub async fn heartbeat(app: &App, sender: &str) -> Result<(), AppError> {
    let now = app.clock.real();
    let mut tx = app.store.begin().await?;
    store::delivery::heartbeat(&mut tx, sender, now.micros(), now.plus(app.settings.sending.lease()).micros()).await?;
    Ok(tx.commit_ledger().await?)
}

/// Gives back what a sender has not begun to write, and forgets the sender.
pub async fn farewell(app: &App, sender: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    store::delivery::farewell(&mut tx, sender).await?;
    store::crash_point!("farewell.before");
    tx.commit_ledger().await?;
    store::crash_point!("farewell.after");
    Ok(())
}

/// Puts mails back that a sender holds and has not begun to write; they are due again after `wait`.
pub async fn give_back(app: &App, sender: &str, ids: &[String], wait: std::time::Duration) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    store::delivery::give_back(&mut tx, sender, ids, app.clock.real().plus(wait).micros()).await?;
    store::crash_point!("give_back.before");
    tx.commit_ledger().await?;
    store::crash_point!("give_back.after");
    Ok(())
}

/// Frees what senders that are gone have held; how many mails.
pub async fn reclaim(app: &App) -> Result<u64, AppError> {
    let real = app.clock.real().micros();
    if store::delivery::to_reclaim(&mut app.store.read().await?, real).await? == 0 {
        return Ok(0);
    }
    let mut tx = app.store.begin().await?;
    let (uncertain, waiting) =
        store::delivery::reclaim(&mut tx, real, app.clock.now().micros(), next_copy(app)).await?;
    store::crash_point!("resolve.before");
    tx.commit_ledger().await?;
    store::crash_point!("resolve.after");
    if uncertain + waiting > 0 {
        tracing::warn!(uncertain, waiting, "took back the mails of a sender that is gone");
    }
    Ok(uncertain + waiting)
}

/// Whether a mail is due and free to go.
pub async fn is_due(app: &App) -> Result<bool, AppError> {
    Ok(store::delivery::is_due(&mut app.store.read().await?, app.clock.real().micros()).await?)
}

/// How many mails any sender holds.
pub async fn leases(app: &App) -> Result<i64, AppError> {
    Ok(store::delivery::leased(&mut app.store.read().await?).await?)
}

/// The waves that are paused.
pub async fn paused_waves(app: &App) -> Result<HashSet<String>, AppError> {
    Ok(store::waves::paused(&mut app.store.read().await?).await?.into_iter().collect())
}

/// Whether everything is stopped.
pub async fn stopped(app: &App) -> Result<bool, AppError> {
    Ok(crate::incidents::stopped_since(app).await?.is_some())
}

/// What EHLO says.
pub fn hello(app: &App) -> &str {
    app.settings.sender.hello()
}

/// How many deliveries there are in each state, over all incidents: for counting what a run did.
pub async fn count_by_state(app: &App) -> Result<BTreeMap<String, i64>, AppError> {
    Ok(store::delivery::count_by_state(&mut app.store.read().await?).await?.into_iter().collect())
}
