//! Objects, projects, users and addresses of another organisation's rows in a text.
//!
//! Only what has the form of an id, a path or an address is looked up, by its key: nobody's words are taken for a project
//! that happens to be called so. Invariant: what the organisation has itself, shares, or wrote to us is not refused.

use std::collections::{BTreeMap, BTreeSet};

use model::code::NoticeCode;
use model::domain::DomainName;
use model::mapping::Verdict;
use model::mentions::Mentions;
use model::runs::{Key, PersonKeys, Section, SetsBlock, host_of, is_within, object_key, project_key, reversed};
use model::time::Timestamp;
use store::Tx;
use store::runs::LAST;

use super::super::case::Case;
use crate::mapping::damaged;
use crate::{App, AppError};

/// Characters of the second part of our ids.
const ULID: usize = 26;
/// Hosts of one thing that are looked into: shared by more, it tells of nobody.
const HOSTS: usize = 16;

/// What is looked for: keys of a kind, with the words.
#[derive(Default)]
struct Wanted {
    objects: BTreeMap<Key, String>,
    projects: BTreeMap<Key, String>,
    users: BTreeMap<Key, String>,
    emails: BTreeMap<Key, String>,
}

/// The first thing that only others have.
pub(super) async fn foreign(
    app: &App,
    tx: &mut Tx,
    case: &Case,
    (text, found): (&str, &Mentions),
) -> Result<Option<(String, &'static str)>, AppError> {
    let wanted = Wanted::of(case, found, &known(app, tx, case, text, found).await?);
    if wanted.is_empty() {
        return Ok(None);
    }
    let (hosts, cut) = hosts_with(tx, case.incident.id, &wanted).await?;
    let all: BTreeSet<&String> = hosts.values().flatten().collect();
    let names: Vec<DomainName> = all.into_iter().filter_map(|host| DomainName::parse(host).ok()).collect();
    let owners: BTreeMap<String, _> = crate::mapping::owners(app, tx, case.incident.id, &names)
        .await?
        .into_iter()
        .map(|(host, mapping)| (host, (mapping.verdict, mapping.tenant_id)))
        .collect();
    let own = Some(&case.ticket.tenant_id);
    for (written, hosts) in hosts.iter().filter(|(written, _)| !cut.contains(*written)) {
        let owners = || hosts.iter().filter_map(|host| owners.get(host));
        let is_own = owners().any(|(_, tenant)| tenant.as_ref() == own);
        if !is_own && owners().any(|(verdict, _)| *verdict != Verdict::Shared) {
            return Ok(Some((written.clone(), "something exposed of")));
        }
    }
    Ok(None)
}

/// What has the form of an id and is something else: hosts of ours and theirs, codes, ids of ours, times, and counts. A
/// letter of a snippet names these, and must not have all blocks read for each of its readers.
async fn known(
    app: &App,
    tx: &mut Tx,
    case: &Case,
    text: &str,
    found: &Mentions,
) -> Result<BTreeSet<String>, AppError> {
    let domains = store::mapping::domains_of_tenant(tx, case.incident.id, &case.ticket.tenant_id).await?;
    let is_theirs = |host: &DomainName| {
        let host = reversed(host.as_str());
        domains.iter().any(|domain| is_within(&host, &reversed(domain)))
    };
    let own_hosts = app.own_hosts();
    let counts = model::report::stated(text, &[]);
    let is_known = |id: &str| {
        DomainName::parse(id).is_ok_and(|host| own_hosts.allow(&host) || is_theirs(&host))
            || NoticeCode::read(id).is_some()
            || is_ours(id)
            || id.parse::<Timestamp>().is_ok()
            || counts.iter().any(|one| one.said == id)
    };
    Ok(found.ids.iter().filter(|id| is_known(id)).cloned().collect())
}

/// `tkt_01jq…`: whose it is was asked by itself.
fn is_ours(id: &str) -> bool {
    id.split_once('_').is_some_and(|(kind, rest)| kind.len() == 3 && rest.len() == ULID)
}

impl Wanted {
    fn of(case: &Case, found: &Mentions, known: &BTreeSet<String>) -> Self {
        let mut wanted = Self::default();
        let persons = case.incident.identity.as_ref().map(|key| PersonKeys::new(key.bytes()));
        for id in found.ids.difference(known) {
            if id.contains(['/', '\\', '.']) {
                wanted.objects.insert(object_key(id), id.clone());
            }
            wanted.projects.insert(project_key(id), id.clone());
            if let Some(keys) = &persons {
                wanted.users.insert(keys.user(id), id.clone());
            }
        }
        // Who asks names themselves, whatever else names them.
        let asks = |address: &String| case.questions.iter().any(|one| one.asked_by.eq_ignore_ascii_case(address));
        for address in found.addresses.iter().filter(|address| !asks(address)) {
            if let Some(keys) = &persons {
                wanted.emails.insert(keys.email(address), address.clone());
            }
        }
        wanted
    }

    fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.projects.is_empty() && self.users.is_empty() && self.emails.is_empty()
    }

    /// The words whose keys a host has.
    fn within<'w>(&'w self, section: &Section<'_>) -> Vec<&'w String> {
        let among = |wanted: &'w BTreeMap<Key, String>, keys: &[Key]| {
            let found = wanted.iter().filter(|(key, _)| keys.binary_search(key).is_ok());
            found.map(|(_, written)| written).collect::<Vec<_>>()
        };
        let mut found = among(&self.projects, section.projects);
        found.extend(among(&self.users, section.users));
        found.extend(among(&self.emails, section.emails));
        if !self.objects.is_empty() {
            found.extend(section.objects().filter_map(|object| self.objects.get(&object.key)));
        }
        found
    }
}

/// The hosts that have each of these, and what more have than are looked into.
async fn hosts_with(
    tx: &mut Tx,
    incident: i64,
    wanted: &Wanted,
) -> Result<(BTreeMap<String, BTreeSet<String>>, BTreeSet<String>), AppError> {
    let (mut found, mut cut) = (BTreeMap::<String, BTreeSet<String>>::new(), BTreeSet::new());
    for place in store::runs::index(tx, incident, "sets", "", LAST).await? {
        let body = store::runs::body(tx, &place).await?;
        let mut block = SetsBlock::open(&body).map_err(|error| damaged(&error))?;
        while let Some(section) = block.next_section().map_err(|error| damaged(&error))? {
            for written in wanted.within(&section) {
                let hosts = found.entry(written.clone()).or_default();
                if hosts.len() < HOSTS {
                    hosts.insert(host_of(section.host));
                } else if !hosts.contains(&host_of(section.host)) {
                    cut.insert(written.clone());
                }
            }
        }
    }
    Ok((found, cut))
}
