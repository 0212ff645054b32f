//! What an import changes: the file beside what its directory said before, read together in order.
//!
//! Writes nothing. Invariant: memory follows the file and the changes, not what is stored.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use model::time::Timestamp;

use store::Conn;
use store::contacts::{Contact, Entry, Key};
use store::directory::{ImportedClaim, TenantEntry};

use super::Difference;
use super::read::Claims;
use super::tenants::Tenants;
use crate::AppError;

/// Stored rows that are read at a time.
const A_PAGE: usize = 20_000;
/// Tenants or contacts that are looked up at a time.
const A_PART: usize = 5_000;

/// Claims that come, go, and change hands.
#[derive(Default)]
pub(super) struct Changes {
    /// Places in the file's claims, in order.
    new: Vec<usize>,
    /// (domain, tenant), in order.
    gone: Vec<(String, String)>,
    /// Places of claims in the file that are said to have moved already.
    moved: HashSet<usize>,
    /// Domains that the directory named before.
    pub(super) domains_before: usize,
    /// Of these, how many it names no more.
    pub(super) domains_gone: usize,
}

/// Changes that are written together.
pub(super) struct Part<'a> {
    pub(super) new: Vec<(&'a str, &'a str)>,
    pub(super) gone: Vec<(&'a str, &'a str)>,
}

impl Part<'_> {
    /// Every domain that it touches, once.
    pub(super) fn domains(&self) -> Vec<&str> {
        let touched: BTreeSet<&str> = self.new.iter().chain(&self.gone).map(|(domain, _)| *domain).collect();
        Vec::from_iter(touched)
    }
}

impl Changes {
    /// Takes nothing away.
    pub(super) fn keep_all(&mut self) {
        self.gone.clear();
        self.domains_gone = 0;
    }

    /// How many claims go.
    pub(super) fn gone(&self) -> usize {
        self.gone.len()
    }

    /// Which.
    pub(super) fn gone_names(&self) -> impl Iterator<Item = String> {
        self.gone.iter().map(|(domain, tenant)| format!("{domain} of {tenant}"))
    }

    pub(super) fn len(&self) -> usize {
        self.new.len() + self.gone.len()
    }

    /// The changes in parts of about `size`; all about one domain are in one part.
    pub(super) fn parts<'a>(&'a self, claims: &'a Claims, size: usize) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        let (mut new, mut gone) = (0, 0);
        while new < self.new.len() || gone < self.gone.len() {
            let end = self.end_of_part(claims, new, gone, size);
            let mut part = Part { new: Vec::new(), gone: Vec::new() };
            while let Some(at) = self.new.get(new).filter(|at| claims.domain(**at) <= end) {
                part.new.push((claims.domain(*at), claims.tenant(*at)));
                new += 1;
            }
            while let Some((domain, tenant)) = self.gone.get(gone).filter(|(domain, _)| domain.as_str() <= end) {
                part.gone.push((domain, tenant));
                gone += 1;
            }
            parts.push(part);
        }
        parts
    }

    /// The last domain of a part that begins at these places.
    fn end_of_part<'a>(&'a self, claims: &'a Claims, new: usize, gone: usize, size: usize) -> &'a str {
        let of_new = self.new.get((new + size - 1).min(self.new.len().saturating_sub(1))).map(|at| claims.domain(*at));
        let of_gone = self.gone.get((gone + size - 1).min(self.gone.len().saturating_sub(1)));
        let of_gone = of_gone.map(|(domain, _)| domain.as_str()).filter(|_| gone < self.gone.len());
        match (of_new.filter(|_| new < self.new.len()), of_gone) {
            (Some(one), Some(other)) => {
                // The nearer end, unless nothing is left beyond it.
                one.min(other)
            }
            (one, other) => one.or(other).unwrap_or_default(),
        }
    }
}

/// Compares the file's claims with what its directory said before.
pub(super) async fn claims(
    conn: &mut Conn,
    origin: &str,
    claims: &Claims,
    difference: &mut Difference,
) -> Result<Changes, AppError> {
    let mut changes = Changes::default();
    let (mut at, mut after, mut limit) = (0, String::new(), A_PAGE);
    loop {
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut page = store::directory::claims_page(conn, origin, &after, rows).await?;
        if page.len() < limit {
            merge(claims, at..claims.len(), &page, &mut changes, difference);
            break;
        }
        // The last domain may go on in the next page.
        let last = page.last().map(|(domain, ..)| domain.clone());
        page.retain(|(domain, ..)| Some(domain) != last.as_ref());
        let Some((upto, ..)) = page.last().cloned() else {
            // More tenants than a page holds claim one domain.
            limit *= 2;
            continue;
        };
        let end = claims.end_of(&upto);
        merge(claims, at..end, &page, &mut changes, difference);
        (at, after, limit) = (end, upto, A_PAGE);
    }
    for manual in store::directory::manual_claims(conn).await? {
        let over: Vec<String> = serde_json::from_str(&manual.over).map_err(AppError::stored("domains.over"))?;
        let named: Vec<&str> = claims.tenants_of(&manual.domain).collect();
        let unknown = named.iter().any(|tenant| !over.iter().any(|known| known == tenant));
        if unknown && !named.contains(&manual.tenant_id.as_str()) {
            difference.contradicts.push(format!(
                "{} was entered by hand for {}, and this directory names {}",
                manual.domain,
                manual.tenant_id,
                named.join(", ")
            ));
        }
    }
    difference.added += changes.new.len();
    Ok(changes)
}

/// A domain that was named for another tenant until lately, and then for a while for nobody, has changed hands all the
/// same; likewise one that moved from one imported directory into another.
pub(super) async fn changes_of_hands(
    conn: &mut Conn,
    claims: &Claims,
    changes: &Changes,
    since: Timestamp,
    difference: &mut Difference,
) -> Result<(), AppError> {
    let new: Vec<usize> = changes.new.iter().copied().filter(|at| !changes.moved.contains(at)).collect();
    let domains: Vec<&str> = new.iter().map(|at| claims.domain(*at)).collect();
    let mut last: HashMap<String, (i64, String)> = HashMap::new();
    for (domain, tenant, at) in store::directory::left_since(conn, since, &domains).await? {
        let there = last.entry(domain).or_default();
        if (at, &tenant) > (there.0, &there.1) {
            *there = (at, tenant);
        }
    }
    for at in new {
        let (domain, tenant) = (claims.domain(at), claims.tenant(at));
        if let Some((_, before)) = last.get(domain).filter(|(_, before)| before != tenant) {
            difference.moved.push(format!("{domain} from {before} to {tenant}"));
        }
    }
    Ok(())
}

/// Walks through both in the order of domains.
fn merge(
    claims: &Claims,
    range: std::ops::Range<usize>,
    page: &[ImportedClaim],
    changes: &mut Changes,
    difference: &mut Difference,
) {
    let (mut at, mut old) = (range.start, 0);
    while at < range.end || old < page.len() {
        let new_domain = (at < range.end).then(|| claims.domain(at));
        let old_domain = page.get(old).map(|(domain, ..)| domain.as_str());
        let Some(domain) = [new_domain, old_domain].into_iter().flatten().min() else { return };
        let new_end = (at..range.end).find(|at| claims.domain(*at) != domain).unwrap_or(range.end);
        let old_end = (old..page.len()).find(|old| page[*old].0 != domain).unwrap_or(page.len());
        one_domain(claims, at..new_end, &page[old..old_end], changes, difference);
        (at, old) = (new_end, old_end);
    }
}

fn one_domain(
    claims: &Claims,
    new: std::ops::Range<usize>,
    old: &[ImportedClaim],
    changes: &mut Changes,
    difference: &mut Difference,
) {
    // Both are in the order of tenants: there may be many.
    let had = |tenant: &str| old.binary_search_by(|(_, before, _)| before.as_str().cmp(tenant)).is_ok();
    let has = |tenant: &str| claims.has(new.clone(), tenant);
    changes.domains_before += usize::from(!old.is_empty());
    changes.domains_gone += usize::from(!old.is_empty() && new.is_empty());
    let mut left = old.iter().map(|(_, tenant, _)| tenant).filter(|tenant| !has(tenant));
    let first_left = left.clone().min();
    for at in new.clone() {
        let tenant = claims.tenant(at);
        if had(tenant) {
            difference.kept += 1;
            continue;
        }
        changes.new.push(at);
        // A wrong import that is taken back: whoever had the domain before it has it again, and nothing is held.
        let is_back = old.iter().any(|(_, left, from)| from.as_deref() == Some(tenant) && !has(left));
        if let Some(before) = first_left.filter(|_| !is_back) {
            changes.moved.insert(at);
            difference.moved.push(format!("{} from {before} to {tenant}", claims.domain(at)));
        }
    }
    // One of several stays: who has the domain alone now did not have it alone before.
    if let (Some(before), [only]) = (&first_left, Vec::from_iter(new.clone()).as_slice())
        && had(claims.tenant(*only))
    {
        difference.moved.push(format!("{} from {before} to {}", claims.domain(*only), claims.tenant(*only)));
    }
    changes.gone.extend(left.by_ref().map(|tenant| (old[0].0.clone(), tenant.clone())));
    if new.len() > 1 {
        let names: Vec<&str> = new.clone().map(|at| claims.tenant(at)).collect();
        difference.notes.push(format!(
            "{} is claimed by {}: a conflict until a person decides",
            claims.domain(new.start),
            names.join(" and by ")
        ));
    }
}

/// The tenants of a file that are new or called something else, in the order of their ids; and those that another
/// directory calls otherwise, in words: one id of two organisations gives each the other's facts.
pub(super) async fn tenants(
    conn: &mut Conn,
    origin: &str,
    tenants: &Tenants,
    difference: &mut Difference,
) -> Result<(Vec<u32>, Vec<String>), AppError> {
    let mut new = tenants.in_order();
    let mut clashes = Vec::new();
    let (stored, _, _) = store::directory::counts(conn).await?;
    if stored == 0 {
        difference.added += new.len();
        return Ok((new, clashes));
    }
    let all = std::mem::take(&mut new);
    for part in all.chunks(A_PART) {
        let ids: Vec<String> = part.iter().map(|number| tenants.id(*number).to_owned()).collect();
        let mut there: HashMap<String, Vec<TenantEntry>> = HashMap::new();
        for entry in store::directory::tenant_entries(conn, &ids).await? {
            there.entry(entry.tenant_id.clone()).or_default().push(entry);
        }
        for number in part {
            let id = tenants.id(*number);
            let entries = there.get(id).map(Vec::as_slice).unwrap_or_default();
            let own = entries.iter().find(|entry| entry.origin == origin);
            if own.is_some_and(|own| tenants.says(*number, &own.name, &own.country, &own.language)) {
                difference.kept += 1;
                continue;
            }
            new.push(*number);
            let name = tenants.get(*number).name;
            let is_renamed = own.is_none_or(|own| !is_one_name(&own.name, &name));
            match own {
                Some(own) => {
                    difference.changed += 1;
                    if is_renamed {
                        difference
                            .notes
                            .push(format!("tenant {id} was called `{}` and is called `{name}` now", own.name));
                    }
                }
                None => difference.added += 1,
            }
            let others = entries.iter().filter(|entry| is_renamed && entry.origin != origin);
            clashes.extend(others.filter(|other| !is_one_name(&other.name, &name)).map(|other| {
                format!("{id} is `{}` in the directory `{}`, and `{name}` here", other.name, other.origin)
            }));
        }
    }
    Ok((new, clashes))
}

/// Whether two names differ in case, spaces and punctuation only.
fn is_one_name(one: &str, other: &str) -> bool {
    let plain =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    plain(one) == plain(other)
}

/// Contacts that come or change, and those that go.
#[derive(Default)]
pub(super) struct People {
    pub(super) new: Vec<Contact>,
    pub(super) gone: Vec<Key>,
    /// Contacts that the directory named before.
    pub(super) before: usize,
}

/// Compares the file's contacts with those that its directory named before. What others say of them stays as it is.
pub(super) async fn contacts(
    conn: &mut Conn,
    origin: &str,
    file: &Path,
    people: Vec<(u64, Contact)>,
    claims: &Claims,
    difference: &mut Difference,
) -> Result<People, AppError> {
    let file = file.display().to_string();
    let mut result = People::default();
    let mut named: HashSet<Key> = HashSet::with_capacity(people.len());
    for part in people.chunks(A_PART) {
        let ids: BTreeSet<&String> = part.iter().map(|(_, contact)| &contact.tenant_id).collect();
        let ids: Vec<String> = ids.into_iter().cloned().collect();
        let stored: HashSet<String> =
            store::directory::tenants_of(conn, &ids).await?.into_iter().map(|tenant| tenant.id).collect();
        let mut there: HashMap<Key, Vec<Entry>> = HashMap::new();
        for entry in store::contacts::entries::of(conn, &ids).await? {
            there.entry(entry.key()).or_default().push(entry);
        }
        for (line, contact) in part {
            if !claims.names_tenant(&contact.tenant_id) && !stored.contains(&contact.tenant_id) {
                difference
                    .rejected
                    .push(format!("{file}, line {line}: no tenant {} in the directory", contact.tenant_id));
                continue;
            }
            let key = contact.key();
            let entries = there.get(&key).map(Vec::as_slice).unwrap_or_default();
            if let Some(manual) = entries.iter().find(|entry| entry.source == "manual" && !says_alike(entry, contact)) {
                difference.notes.push(format!(
                    "{file}, line {line}: {} ({}) of {} was entered by hand otherwise, which counts",
                    manual.address, manual.role, manual.tenant_id
                ));
            }
            match entries.iter().find(|entry| entry.source == "imported" && entry.origin == origin) {
                None => difference.added += 1,
                Some(old) if says_the_same(old, contact) => {
                    difference.kept += 1;
                    named.insert(key);
                    continue;
                }
                Some(_) => difference.changed += 1,
            }
            named.insert(key);
            result.new.push(contact.clone());
        }
    }
    // In one order, so that two imports never wait for each other.
    result.new.sort_by_cached_key(Contact::key);
    let mut after = Key::default();
    loop {
        let limit = i64::try_from(A_PAGE).unwrap_or(i64::MAX);
        let page = store::contacts::entries::imported_page(conn, origin, &after, limit).await?;
        let Some(last) = page.last().cloned() else { break };
        result.before += page.len();
        result.gone.extend(page.into_iter().filter(|key| !named.contains(key)));
        after = last;
    }
    Ok(result)
}

fn says_alike(old: &Entry, new: &Contact) -> bool {
    (&old.name, &old.language, &old.channel, &old.timezone, old.priority)
        == (&new.name, &new.language, &new.channel, &new.timezone, new.priority)
}

/// What the contact is already by others' words need not be said again.
fn says_the_same(old: &Entry, new: &Contact) -> bool {
    says_alike(old, new)
        && (old.may_be_named == new.may_be_named || old.effective_consent == new.may_be_named)
        && (old.is_disabled == i64::from(new.disabled_at.is_some())
            || (new.disabled_at.is_some() && old.disabled_at.is_some()))
        && (old.is_verified == i64::from(new.verified_at.is_some())
            || (new.verified_at.is_some() && old.verified_at.is_some()))
}
