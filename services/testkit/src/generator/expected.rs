//! What must come out of a generated incident, under the command line's names.
//!
//! It follows from the plan and the tally of what was written.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::Arguments;
use super::plan::{Organisation, Plan};
use super::rows::{Object, Rows};
use super::write::Tally;

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expected {
    /// What `exposure totals` prints.
    pub totals: Totals,
    /// What `exposure facts` prints, sorted by domain.
    pub facts: Vec<Fact>,
    /// The affected tenants, sorted by id.
    pub tenants: Vec<TenantFacts>,
    /// The rejects, in the order of the file.
    pub rejects: Vec<Reject>,
}

/// What `exposure totals --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names are the command line's, the counting rules say what they count")]
pub struct Totals {
    pub rows: u64,
    pub blank_lines: u64,
    pub accepted_rows: u64,
    pub rejected_columns: u64,
    pub rejected_no_domain: u64,
    pub rejected_bad_domain: u64,
    pub shared_rows: u64,
    pub shared_addresses: u64,
    pub organisation_rows: u64,
    pub rows_with_missing_field: u64,
    pub rows_with_invalid_field: u64,
    pub organisations: u64,
    pub objects: u64,
    pub emails: u64,
    pub users: u64,
    pub projects: u64,
    pub bytes: u64,
    pub unmapped_organisations: u64,
    pub unmapped_rows: u64,
    pub tenants_affected: u64,
    pub tenants_without_contact: u64,
    pub notices_to_write: u64,
    pub data_type_objects: BTreeMap<String, u64>,
}

impl Totals {
    /// As a JSON object, to be compared key by key with what was printed.
    pub fn json(&self) -> Value {
        serde_json::to_value(self).expect("numbers and names are JSON")
    }
}

/// One affected organisation domain.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names are the columns of the command line")]
pub struct Fact {
    pub domain: String,
    /// Empty while nobody knows whose it is.
    pub tenant_id: String,
    pub rows: u64,
    pub objects: u64,
    pub emails: u64,
    pub users: u64,
    pub projects: u64,
    pub bytes: u64,
    pub first_date: String,
    pub last_date: String,
    pub data_types: BTreeMap<String, u64>,
}

impl Fact {
    /// The line that `exposure facts --csv` prints.
    pub fn csv_line(&self) -> String {
        let Fact { domain, tenant_id, rows, objects, emails, users, projects, bytes, first_date, last_date, .. } = self;
        let types: Vec<String> = self.data_types.iter().map(|(name, count)| format!("{name}={count}")).collect();
        let types = types.join(";");
        format!(
            "{domain},{tenant_id},{rows},{objects},{emails},{users},{projects},{bytes},{first_date},{last_date},{types}"
        )
    }
}

/// One affected tenant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TenantFacts {
    /// Its id.
    pub tenant_id: String,
    /// Its name.
    pub name: String,
    /// Its affected domains as A-labels, sorted.
    pub domains: Vec<String>,
    /// Who must get the notice, each exactly once; nobody: it counts under `tenants_without_contact`.
    pub recipients: Vec<Recipient>,
}

/// Somebody who must be told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Recipient {
    /// Where.
    pub address: String,
    /// In which language, as the directory has it: the contact's, else the tenant's, else `en`.
    pub language: String,
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Its line in `manifest.jsonl`; in `manifest.csv`, after the header, it is one more.
    pub jsonl_line: u64,
    /// `columns`, `no_domain` or `bad_domain`.
    pub reason: &'static str,
}

impl Expected {
    /// Every recipient, sorted by address: one message each.
    pub fn recipients(&self) -> Vec<Recipient> {
        let mut all: Vec<Recipient> = self.tenants.iter().flat_map(|tenant| tenant.recipients.clone()).collect();
        all.sort();
        all
    }

    pub(super) fn new(plan: &Plan, tally: Tally, arguments: &Arguments) -> Expected {
        let rows = Rows::new(plan, arguments);
        let organisations = plan.organisations.iter().zip(&tally.organisations);
        let mut facts: Vec<Fact> = organisations.map(|(one, count)| fact(plan, &rows, one, *count)).collect();
        facts.sort_by(|a, b| a.domain.cmp(&b.domain));
        let mut tenants: Vec<TenantFacts> =
            plan.tenants.iter().enumerate().filter_map(|(n, _)| tenant(plan, n)).collect();
        tenants.sort_by(|a, b| a.tenant_id.cmp(&b.tenant_id));
        let totals = totals(&facts, &tenants, &tally, rows.shared_addresses);
        Expected { totals, facts, tenants, rejects: tally.rejects }
    }
}

fn fact(plan: &Plan, rows: &Rows<'_>, organisation: &Organisation, count: u64) -> Fact {
    let mut bytes = 0;
    let mut data_types = BTreeMap::new();
    let mut dates = Vec::new();
    for number in organisation.objects.clone() {
        let Object { data_type, date, size, .. } = rows.object(number);
        bytes += size;
        *data_types.entry(data_type.to_owned()).or_default() += 1;
        dates.push(date);
    }
    dates.sort();
    let size = |range: &std::ops::Range<u64>| range.end - range.start;
    Fact {
        domain: organisation.domain.ascii.clone(),
        tenant_id: organisation.tenant.map(|place| plan.tenants[place].id.clone()).unwrap_or_default(),
        rows: count,
        objects: size(&organisation.objects),
        emails: size(&organisation.emails),
        users: size(&organisation.users),
        projects: size(&organisation.projects),
        bytes,
        first_date: dates.first().cloned().unwrap_or_default(),
        last_date: dates.last().cloned().unwrap_or_default(),
        data_types,
    }
}

fn tenant(plan: &Plan, place: usize) -> Option<TenantFacts> {
    let tenant = &plan.tenants[place];
    if tenant.affected.is_empty() {
        return None;
    }
    let mut domains: Vec<String> =
        tenant.affected.iter().map(|index| plan.organisations[*index].domain.ascii.clone()).collect();
    domains.sort();
    let (tenant_id, name) = (tenant.id.clone(), tenant.name.clone());
    Some(TenantFacts { tenant_id, name, domains, recipients: tenant.recipients() })
}

fn totals(facts: &[Fact], tenants: &[TenantFacts], tally: &Tally, shared_addresses: u64) -> Totals {
    let rejected = |reason: &str| tally.rejects.iter().filter(|reject| reject.reason == reason).count() as u64;
    let sum = |part: fn(&Fact) -> u64| facts.iter().map(part).sum::<u64>();
    let unmapped = || facts.iter().filter(|fact| fact.tenant_id.is_empty());
    let without_contact = tenants.iter().filter(|tenant| tenant.recipients.is_empty()).count() as u64;
    let mut data_type_objects: BTreeMap<String, u64> = BTreeMap::new();
    for (name, count) in facts.iter().flat_map(|fact| &fact.data_types) {
        *data_type_objects.entry(name.clone()).or_default() += count;
    }
    Totals {
        rows: tally.rows,
        blank_lines: tally.blank,
        accepted_rows: tally.rows - tally.rejects.len() as u64,
        rejected_columns: rejected("columns"),
        rejected_no_domain: rejected("no_domain"),
        rejected_bad_domain: rejected("bad_domain"),
        shared_rows: tally.shared,
        shared_addresses,
        organisation_rows: tally.organisations.iter().sum(),
        rows_with_missing_field: tally.missing,
        rows_with_invalid_field: tally.invalid,
        organisations: facts.len() as u64,
        objects: sum(|fact| fact.objects),
        emails: sum(|fact| fact.emails),
        users: sum(|fact| fact.users),
        projects: sum(|fact| fact.projects),
        bytes: sum(|fact| fact.bytes),
        unmapped_organisations: unmapped().count() as u64,
        unmapped_rows: unmapped().map(|fact| fact.rows).sum(),
        tenants_affected: tenants.len() as u64,
        tenants_without_contact: without_contact,
        notices_to_write: tenants.len() as u64 - without_contact,
        data_type_objects,
    }
}
