//! What changed since an organisation's notices, and why: what its next notice says anew.
//!
//! Compares what was told last of each fact, whichever notice told it, with what is told today. Invariant: whatever was
//! told and is wrong is taken back, even where it was withheld in between; a notice after another one says something new.

use std::collections::{BTreeMap, BTreeSet};

use model::difference::{self, Change, Memory, What, Why, Withholding, since};
use model::law::Filled;
use model::notices::{EarlierNotice, NoticeContext};
use model::time::Timestamp;
use model::withholding::FactName;
use store::notices::Past;

use super::withhold::Register;
use super::{Material, Told};
use crate::{AppError, Incident};

/// What happened in an incident, for saying why facts changed; read once, by the first notice that needs it.
pub(super) struct Known {
    causes: Vec<store::facts::Change>,
    register: Register,
}

/// What a released notice said.
pub(super) struct Said {
    pub(super) context: NoticeContext,
    elements: Option<Filled>,
    drafted_at: i64,
    released_at: Timestamp,
}

impl Said {
    /// None: nobody was told it.
    pub(super) fn of(past: &Past) -> Result<Option<Self>, AppError> {
        let Some(released_at) = past.released_at.filter(|_| past.state == "released") else { return Ok(None) };
        let elements = past.elements.as_deref().map(serde_json::from_str).transpose();
        Ok(Some(Self {
            context: serde_json::from_str(&past.facts).map_err(AppError::stored("notices.facts"))?,
            elements: elements.map_err(AppError::stored("notices.elements"))?,
            drafted_at: past.drafted_at,
            released_at: Timestamp::from_micros(released_at),
        }))
    }

    fn side<'a>(&'a self, hidden: &'a [FactName]) -> difference::Told<'a> {
        difference::Told { facts: &self.context.domains, hidden }
    }

    /// Whether its letters say an element in any language. An older program did not note it, and is taken at its word.
    fn says(&self, element: &str) -> bool {
        self.elements.as_ref().is_none_or(|filled| !filled.said_in(element).is_empty())
    }
}

impl Known {
    pub(super) async fn of(conn: &mut store::Conn, incident: i64) -> Result<Self, AppError> {
        let causes = store::facts::changes(conn, incident).await?;
        Ok(Self { causes, ..Self::without_causes(conn, incident).await? })
    }

    /// Where no domain is gone and nobody asks why.
    pub(super) async fn without_causes(conn: &mut store::Conn, incident: i64) -> Result<Self, AppError> {
        Ok(Self { causes: Vec::new(), register: Register::of(conn, incident).await? })
    }

    /// The changes of facts from what these notices said, the oldest first, to what is told today.
    pub(super) fn changes(&self, tenant: &str, said: &[Said], today: &Told) -> Vec<Change> {
        let Some(newest) = said.last() else { return Vec::new() };
        let mut memory = Memory::default();
        for one in said {
            memory.tell(one.side(&self.register.hidden(tenant, one.drafted_at)), one.released_at);
        }
        let hidden = self.register.hidden(tenant, newest.drafted_at);
        let mut changes = since(newest.side(&hidden), &memory, today.side());
        for change in changes.iter_mut().filter(|change| change.what == What::Gone) {
            // By version, so the last one says what became of it.
            let of_domain = |row: &&store::facts::Change| row.organisation_domain == change.domain;
            let last = self.causes.iter().rfind(of_domain);
            let last = last.filter(|row| row.changed_at >= newest.released_at.micros());
            if last.is_some_and(|row| Why::of_cause(&row.cause) == Why::TakenBack) {
                change.what = What::Cleared;
            }
        }
        changes
    }

    /// Why facts changed, each reason once.
    fn why(&self, changes: &[Change], newest: Timestamp) -> BTreeSet<Why> {
        let moved: BTreeMap<&str, Timestamp> = changes
            .iter()
            .filter_map(|change| Some((change.domain.as_str(), change.moved_since(newest)?)))
            // The earliest of a domain's: what was withheld may have changed long ago.
            .fold(BTreeMap::new(), |mut moved, (domain, since)| {
                moved.entry(domain).and_modify(|earliest| *earliest = since.min(*earliest)).or_insert(since);
                moved
            });
        let about = |row: &&store::facts::Change| {
            moved.get(row.organisation_domain.as_str()).is_some_and(|since| row.changed_at >= since.micros())
        };
        let mut why: BTreeSet<Why> = self.causes.iter().filter(about).map(|row| Why::of_cause(&row.cause)).collect();
        if why.is_empty() && !moved.is_empty() {
            // A first sheet has no change before it: the domain is new, by records or by its mapping.
            let is_new = changes.iter().any(|change| matches!(change.what, What::New | What::Again));
            why.insert(if is_new { Why::Records } else { Why::Mapping });
        }
        let mut also = |is_so: &dyn Fn(&Change) -> bool, reason| {
            if changes.iter().any(is_so) {
                why.insert(reason);
            }
        };
        also(&Change::discloses, Why::Disclosed);
        also(&|change| matches!(change.what, What::Stated { .. }), Why::Stated);
        also(&|change| matches!(change.what, What::Withheld { .. }), Why::Withheld);
        why
    }
}

/// Says what changed since the organisation's released notices, and why; the kind that follows from it.
pub(super) async fn compare(
    conn: &mut store::Conn,
    incident: &Incident,
    material: &mut Material,
    known: &mut Option<Known>,
) -> Result<&'static str, AppError> {
    let tenant = &material.tenant.id;
    let past = store::notices::past(conn, incident.id, tenant).await?;
    let said: Vec<Said> = past.iter().filter_map(|past| Said::of(past).transpose()).collect::<Result<_, _>>()?;
    let Some(newest) = said.last() else { return Ok("supplement") };
    let named = said.iter().rev();
    material.earlier =
        named.map(|one| EarlierNotice { code: one.context.code.clone(), released_at: one.released_at }).collect();
    let known = match known {
        Some(known) => known,
        None => known.insert(Known::of(conn, incident.id).await?),
    };
    material.changes = known.changes(tenant, &said, &material.told);
    if !material.told.domains.is_empty() {
        let hidden = known.register.hidden(&material.tenant.id, newest.drafted_at);
        beside_facts(incident, material, newest, hidden);
    }
    material.why = Vec::from_iter(known.why(&material.changes, newest.released_at));
    Ok(if material.changes.iter().any(Change::corrects) { "correction" } else { "supplement" })
}

/// What changed beside the facts. That something is not withheld any more is said by what is told of it, if anything is; and
/// only where somebody ended it: what hides nothing, because the records went, is withheld as before. `hidden` is what the
/// newest notice hid.
fn beside_facts(incident: &Incident, material: &mut Material, newest: &Said, hidden: Vec<FactName>) {
    let ended: Vec<FactName> = hidden.into_iter().filter(|name| !material.told.hidden.contains(name)).collect();
    let withheld = difference::withheld(&newest.context.withheld, &material.told.withheld, &ended);
    let tells = material.changes.iter().any(Change::discloses);
    let ended = |change: &Change| matches!(change.what, What::Withheld { now: Withholding::Ended, .. });
    material.changes.extend(withheld.into_iter().filter(|change| !(tells && ended(change))));
    let stated = difference::stated(&newest.context.incident, &incident.facts, |element| newest.says(element));
    material.changes.extend(stated);
}
