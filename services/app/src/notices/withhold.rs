//! Withholdings: proposed, signed by a second person, looked at again by a date, ended.
//!
//! Hides nothing by itself: whoever writes a notice, or asks whether one is still true, reads the facts through
//! [`told`]. Invariant: a fact is withheld only while two people have signed for it. What becomes of a review that is due
//! is in `escalation`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::actor::is_one_person;
use model::difference;
use model::notices::DomainFacts;
use model::taxonomy::Taxonomy;
use model::time::Timestamp;
use model::withholding::{FactName, Had, Withheld};
use serde::Serialize;
use store::facts::Scope;
use store::withholdings::Withholding;
use store::{Conn, StoreError};

use super::hidden_words;
use crate::{App, AppError, Incident, new_id};

/// Names in a hint.
const A_HINT: usize = 60;

/// A withholding that waits for a second person.
#[derive(Debug, Serialize)]
pub struct Proposed {
    /// `wth_…`.
    pub withholding: String,
    /// What is withheld with it, because it could be reckoned from them.
    pub also: &'static [&'static str],
}

/// What is told to an organisation, and what is not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Told {
    /// Its facts, those that are withheld blanked.
    pub(crate) domains: Vec<DomainFacts>,
    /// What is withheld of them.
    pub(crate) withheld: Vec<Withheld>,
    /// By which row of the register, each.
    named: Vec<String>,
    /// Whether it is not written to at all.
    pub(crate) nothing: bool,
    /// What hides the rest of its facts, by the full names.
    pub(crate) hidden: Vec<FactName>,
}

/// The digest of what is told today, wherever it is compared with a notice; none: nothing of the organisation is affected.
pub(crate) fn digest_of(told: Option<&Told>) -> String {
    told.map_or_else(|| store::notices::NOTHING_THERE.to_owned(), Told::digest)
}

impl Told {
    /// As it is compared with what was told before.
    pub(super) fn side(&self) -> difference::Told<'_> {
        difference::Told { facts: &self.domains, hidden: &self.hidden }
    }

    /// Adds a domain, without what these withhold, each since when. `past` is what it had before each of its changes.
    fn tell<'a>(
        &mut self,
        mut facts: DomainFacts,
        withheld: impl Iterator<Item = (&'a FactName, &'a Withholding, i64)>,
        past: &[(i64, DomainFacts)],
    ) {
        let now = Had::of(&facts);
        let mut types: BTreeSet<&str> = BTreeSet::new();
        for (name, row, since) in withheld {
            self.nothing |= name.is_notice();
            if !self.hidden.contains(name) {
                self.hidden.push(name.clone());
            }
            if name.data_type().is_some_and(|id| name.hides_type(&facts.domain, id) && !types.insert(id)) {
                continue;
            }
            let mut had = now.clone();
            past.iter().filter(|(at, _)| *at >= since).for_each(|(_, facts)| had.add(facts));
            let Some(also) = name.blank(&mut facts, &had) else { continue };
            self.say(row, Withheld::of(name, &also, &row.why, Timestamp::from_micros(row.review_at)));
        }
        self.domains.push(facts);
    }

    /// Names a withholding once, however many domains it hides something of.
    fn say(&mut self, row: &Withholding, says: Withheld) {
        match self.named.iter().position(|id| *id == row.id) {
            Some(at) => {
                let there = &mut self.withheld[at].also;
                there.extend(says.also.into_iter().filter(|name| !there.contains(name)).collect::<Vec<_>>());
            }
            None => {
                self.named.push(row.id.clone());
                self.withheld.push(says);
            }
        }
    }

    /// Over everything that is told, and what is said of the rest. Nothing where nothing is told.
    pub(crate) fn digest(&self) -> String {
        if self.nothing {
            return String::new();
        }
        if self.domains.is_empty() {
            return store::notices::NOTHING_THERE.to_owned();
        }
        let mut text = serde_json::to_string(&self.domains).unwrap_or_default();
        if !self.withheld.is_empty() {
            text.push_str(&serde_json::to_string(&self.withheld).unwrap_or_default());
        }
        model::digest::sha256(text.as_bytes())
    }
}

/// What is told to each tenant of a scope.
pub(crate) async fn told(conn: &mut Conn, incident: i64, scope: Scope<'_>) -> Result<BTreeMap<String, Told>, AppError> {
    let in_force = store::withholdings::in_force(conn, incident).await?;
    let mut names = Vec::with_capacity(in_force.len());
    for row in &in_force {
        names.push((FactName::parse(&row.fact).map_err(|error| unknown(&error))?, row));
    }
    // Only what shows by being there asks what was there since when.
    let register = match names.iter().any(|(name, _)| name.shows_by_being_there()) {
        true => Register::of(conn, incident).await?,
        false => Register(Vec::new()),
    };
    let past = had_before(conn, incident, scope, &register).await?;
    let mut map: BTreeMap<String, Told> = BTreeMap::new();
    for facts in store::facts::facts(conn, incident, scope).await? {
        let Some(tenant) = facts.tenant_id.clone() else { continue };
        let of_tenant = names.iter().filter(|(_, row)| row.tenant_id.as_ref().is_none_or(|of| *of == tenant));
        let of_tenant = of_tenant.map(|(name, row)| (name, *row, register.since(name, row, &tenant)));
        let past = past.get(&facts.domain).map(Vec::as_slice).unwrap_or_default();
        map.entry(tenant.clone()).or_default().tell(facts, of_tenant, past);
    }
    Ok(map)
}

/// What domains were known to have before each of their changes, since something is withheld that shows by being there.
async fn had_before(
    conn: &mut Conn,
    incident: i64,
    scope: Scope<'_>,
    register: &Register,
) -> Result<HashMap<String, Vec<(i64, DomainFacts)>>, AppError> {
    let mut past: HashMap<String, Vec<(i64, DomainFacts)>> = HashMap::new();
    let shown = register.0.iter().filter(|(name, _)| name.shows_by_being_there());
    let since = shown.filter_map(|(_, row)| row.approved_at).min();
    if let (Scope::Tenants(first, last), Some(since)) = (scope, since) {
        for (domain, at, facts) in store::facts::before_changes(conn, incident, (first, last), since).await? {
            past.entry(domain).or_default().push((at, facts));
        }
    }
    Ok(past)
}

/// All withholdings of an incident, to see what was hidden from whom when a notice was drafted.
pub(super) struct Register(Vec<(FactName, Withholding)>);

impl Register {
    pub(super) async fn of(conn: &mut Conn, incident: i64) -> Result<Self, AppError> {
        let rows = store::withholdings::list(conn, incident).await?.into_iter();
        let named = rows.map(|row| Ok((FactName::parse(&row.fact).map_err(|error| unknown(&error))?, row)));
        named.collect::<Result<_, AppError>>().map(Self)
    }

    /// Since when a fact is withheld from a tenant without a break: a withholding that was proposed while another one was in
    /// force goes on where that ended.
    fn since(&self, name: &FactName, row: &Withholding, tenant: &str) -> i64 {
        let approved = |row: &Withholding| row.approved_at.unwrap_or(i64::MAX);
        let mut first = row;
        loop {
            let before = self.0.iter().find(|(earlier, there)| {
                earlier.covers(name)
                    && there.tenant_id.as_ref().is_none_or(|of| of == tenant)
                    && approved(there) < approved(first)
                    && there.ended_at.is_none_or(|ended| ended >= first.proposed_at)
            });
            match before {
                Some((_, earlier)) => first = earlier,
                None => return approved(first),
            }
        }
    }

    /// Whether something in force hides it from the tenant, or from all.
    fn hides(&self, name: &FactName, tenant: Option<&str>) -> bool {
        self.0.iter().any(|(there, row)| {
            there.covers(name)
                && (row.tenant_id.is_none() || row.tenant_id.as_deref() == tenant)
                && row.approved_at.is_some()
                && row.ended_at.is_none()
        })
    }

    /// What was hidden from a tenant at a time, in microseconds.
    pub(super) fn hidden(&self, tenant: &str, at: i64) -> Vec<FactName> {
        let in_force = self.0.iter().filter(|(_, row)| {
            row.tenant_id.as_ref().is_none_or(|of| of == tenant)
                && row.approved_at.is_some_and(|from| from <= at)
                && row.ended_at.is_none_or(|until| at < until)
        });
        in_force.map(|(name, _)| name.clone()).collect()
    }
}

fn unknown(error: &model::withholding::NoFact) -> AppError {
    StoreError::Unknown { what: format!("withholdings.fact: {error}") }.into()
}

/// A withholding as it is listed.
#[derive(Debug, Serialize)]
pub struct ListedWithholding {
    /// `wth_…`.
    pub withholding: String,
    /// The organisation; empty = all.
    pub tenant_id: String,
    /// What is withheld.
    pub fact: String,
    /// What is withheld with it, because it could be reckoned from them.
    pub also: Vec<&'static str>,
    /// `proposed`, `in force`, `ended`.
    pub state: String,
    /// Why.
    pub why: String,
    /// When it is looked at again.
    pub review_at: Timestamp,
    /// By whom.
    pub proposed_by: String,
    /// By whom.
    pub approved_by: String,
}

/// The register of an incident, oldest first.
pub async fn withholdings(app: &App, slug: &str) -> Result<Vec<ListedWithholding>, AppError> {
    let incident = app.incident(slug).await?;
    let rows = store::withholdings::list(&mut app.store.read().await?, incident.id).await?;
    Ok(rows.into_iter().map(listed).collect())
}

fn listed(row: Withholding) -> ListedWithholding {
    let state = match (&row.approved_at, &row.ended_at) {
        (_, Some(_)) => "ended",
        (Some(_), None) => "in force",
        (None, None) => "proposed",
    };
    ListedWithholding {
        withholding: row.id,
        tenant_id: row.tenant_id.unwrap_or_default(),
        also: FactName::parse(&row.fact).map(|name| name.follows().to_vec()).unwrap_or_default(),
        fact: row.fact,
        state: state.to_owned(),
        why: row.why,
        review_at: Timestamp::from_micros(row.review_at),
        proposed_by: row.proposed_by,
        approved_by: row.approved_by.unwrap_or_default(),
    }
}

/// Proposes not to tell a fact to one organisation, or to all. It is told until a second person signs.
pub async fn withhold(
    app: &App,
    slug: &str,
    tenant: Option<&str>,
    fact: &str,
    why: &str,
    review_at: Timestamp,
) -> Result<Proposed, AppError> {
    let incident = app.incident(slug).await?;
    let name = FactName::parse(fact)
        .map_err(|error| AppError::bad(error.to_string(), "`forthright notice facts NOTICE` shows facts by name"))?
        .canonical(Taxonomy::builtin());
    let now = app.clock.now();
    crate::reasons::says_something(why, "the reason")?;
    crate::reasons::is_reviewed(review_at, now)?;
    crate::facts::settle(app, incident.id).await?;
    let mut tx = app.store.begin().await?;
    if let Some(tenant) = tenant {
        crate::directory::known_tenant(&mut tx, tenant).await?;
    }
    must_be_there(&mut tx, &incident, tenant, &name).await?;
    hidden_words::refuse(app, &mut tx, &incident, tenant, &name, why).await?;
    let new = Withholding {
        id: new_id("wth"),
        incident_id: incident.id,
        tenant_id: tenant.map(str::to_owned),
        fact: name.to_string(),
        why: why.to_owned(),
        review_at: review_at.micros(),
        proposed_by: app.actor.clone(),
        proposed_at: now.micros(),
        approved_by: None,
        approved_at: None,
        ended_by: None,
        ended_at: None,
        ended_why: None,
    };
    store::withholdings::insert(&mut tx, &new).await?;
    let detail = serde_json::json!({ "withholding": new.id, "tenant": tenant, "fact": new.fact, "why": why, "review_at": review_at });
    tx.commit(app.entry("notice.withhold", slug, detail)).await?;
    Ok(Proposed { withholding: new.id, also: name.follows() })
}

/// Refuses the name of a domain or data type that nobody has, whom it is to be withheld from: it would hide nothing.
async fn must_be_there(
    conn: &mut Conn,
    incident: &Incident,
    tenant: Option<&str>,
    name: &FactName,
) -> Result<(), AppError> {
    if name.domain().is_none() && name.data_type().is_none() {
        return Ok(());
    }
    let scope = tenant.map_or(Scope::Incident, |tenant| Scope::Tenants(tenant, tenant));
    let mut facts = store::facts::facts(conn, incident.id, scope).await?;
    let whose = tenant.map_or_else(|| incident.slug.clone(), |tenant| format!("tenant {tenant}"));
    let missing = |what: String, known: BTreeSet<String>| {
        let known: Vec<String> = known.into_iter().take(A_HINT).collect();
        let hint = match &known[..] {
            [] => format!("run `forthright exposure facts {} --csv` to see what is known", incident.slug),
            known => format!("choose one of: {}", known.join(", ")),
        };
        AppError::missing(format!("{what} among the facts of {whose}, so nothing would be withheld"), hint)
    };
    if let Some(domain) = name.domain() {
        let known = facts.iter().map(|facts| facts.domain.clone()).collect();
        facts.retain(|facts| facts.domain == domain);
        if facts.is_empty() {
            return Err(missing(format!("there is no domain {domain}"), known));
        }
    }
    let Some(id) = name.data_type() else { return Ok(()) };
    let known: BTreeSet<String> =
        facts.iter().flat_map(|facts| &facts.data_types).map(|count| format!("type:{}", count.id)).collect();
    // One that is withheld stays withheld when its records go, and so it can be renewed.
    if known.contains(&format!("type:{id}")) || Register::of(conn, incident.id).await?.hides(name, tenant) {
        return Ok(());
    }
    Err(missing(format!("there is no data type `{id}`"), known))
}

/// Signs a withholding as the second person. Drafts have to be written anew.
pub async fn approve_withholding(app: &App, id: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let (row, incident) = find(app, &mut tx, id).await?;
    if is_one_person(&row.proposed_by, &app.actor) {
        return Err(AppError::refused(
            format!("{} proposed {id}, and nobody signs for their own withholding", app.actor),
            "let somebody else sign it: --actor NAME",
        ));
    }
    let now = app.clock.now();
    if Timestamp::from_micros(row.review_at) <= now {
        return Err(AppError::refused(
            format!("{id} was to be looked at again by {}, which is past", Timestamp::from_micros(row.review_at)),
            format!("propose it anew: `forthright notice withhold {} … --review TIME`", incident.slug),
        ));
    }
    store::withholdings::approve(&mut tx, id, &app.actor, now.micros()).await?;
    // What was released and has not left states what nobody is to be told now.
    let whom = row.tenant_id.as_deref();
    let why = format!("called back: {} is withheld", row.fact);
    let called_back = store::delivery::call_back_of(&mut tx, incident.id, whom, &why, now.micros()).await?;
    let detail = serde_json::json!({
        "withholding": id, "fact": row.fact, "tenant": row.tenant_id, "called_back": called_back,
    });
    Ok(tx.commit(app.entry("notice.withhold-approve", &incident.slug, detail)).await?)
}

/// Ends a withholding: what it hid is told with the next draft.
pub async fn disclose(app: &App, id: &str, why: &str) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let (row, incident) = find(app, &mut tx, id).await?;
    store::withholdings::end(&mut tx, id, &app.actor, why, app.clock.now().micros()).await?;
    let detail = serde_json::json!({ "withholding": id, "fact": row.fact, "tenant": row.tenant_id, "why": why });
    Ok(tx.commit(app.entry("notice.disclose", &incident.slug, detail)).await?)
}

async fn find(app: &App, conn: &mut Conn, id: &str) -> Result<(Withholding, Incident), AppError> {
    let row = store::withholdings::by_id(conn, id).await?.ok_or_else(|| {
        AppError::missing(
            format!("no withholding {id}"),
            "run `forthright notice withholdings SLUG` to see the register",
        )
    })?;
    let incident = app.incident_by_id(conn, row.incident_id).await?;
    Ok((row, incident))
}
