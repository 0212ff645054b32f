//! Totals of an incident: raw references, unique things, and what lies between them.
//!
//! Knows no SQL and no rule. Invariant: all figures are of one moment of the store, and those of things are folds over
//! the ready runs of all hosts that are not shared.

use std::collections::{BTreeMap, HashSet};

use model::intake::Counted;
use model::rules::Rule;
use model::runs::{Figures, Fold, KeyRange, Kinds, SetsBlock, Thing};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use store::Conn;
use store::runs::LAST;

use crate::facts::{add_fields, signed};
use crate::mapping::damaged;
use crate::{App, AppError};

/// Entries that are folded at a time: 40 bytes each.
const AT_ONCE: u64 = 1_000_000;

/// The totals of an incident under the counting rules: raw references and unique things side by side, and what each rule
/// took away between them.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Totals {
    /// Manifest rows: accepted and rejected.
    pub rows: i64,
    /// Lines of white space.
    pub blank_lines: i64,
    /// Organisation rows and shared rows.
    pub accepted_rows: i64,
    /// Wrong number of columns, or no JSON object.
    pub rejected_columns: i64,
    /// Neither domain nor address says whose a row is.
    pub rejected_no_domain: i64,
    /// What should be a domain is none.
    pub rejected_bad_domain: i64,
    /// Rows of free mail and the like.
    pub shared_rows: i64,
    /// Distinct addresses in them.
    pub shared_addresses: i64,
    /// Rows of organisations.
    pub organisation_rows: i64,
    /// Of these, with a field that is missing.
    pub rows_with_missing_field: i64,
    /// Of these, with a field that cannot be used.
    pub rows_with_invalid_field: i64,
    /// Affected organisation domains.
    pub organisations: i64,
    /// Distinct objects.
    pub objects: i64,
    /// Distinct addresses.
    pub emails: i64,
    /// Distinct users.
    pub users: i64,
    /// Distinct projects.
    pub projects: i64,
    /// Bytes over distinct objects.
    pub bytes: i64,
    /// Organisation domains that no tenant has.
    pub unmapped_organisations: i64,
    /// Their rows.
    pub unmapped_rows: i64,
    /// Organisation domains that several tenants claim.
    pub conflicting_organisations: i64,
    /// Affected tenants.
    pub tenants_affected: i64,
    /// Of these, without anybody who can be told.
    pub tenants_without_contact: i64,
    /// The others.
    pub notices_to_write: i64,
    /// Objects about which rows disagree.
    pub objects_in_dispute: i64,
    /// Objects of which no row states a type.
    pub objects_without_data_type: i64,
    /// Hosts that still wait for a verdict, at most: until they have one, the figures by organisation do not hold them,
    /// and those of objects and persons do.
    pub hosts_waiting_for_mapping: i64,
    /// Organisation domains whose fact sheets are being written anew; figures by organisation lag behind by them.
    pub sheets_waiting: i64,
    /// Files that were not read to their end: they are in no figure.
    pub manifests_open: i64,
    /// Of the accepted rows, those that were rejected first and came again in a corrected copy.
    pub rejects_corrected: i64,
    /// Organisation rows that name an object, an address, a user, a project: raw references, beside the distinct ones.
    pub references: References,
    /// What each counting rule took away, by rule.
    pub removed: BTreeMap<String, Removed>,
    /// The version of the counting rules.
    pub rules_version: u32,
    /// When the exposed persons were erased: the totals are those of that moment.
    pub erased_at: Option<Timestamp>,
    /// Distinct objects by data type.
    pub data_type_objects: BTreeMap<String, i64>,
}

/// Raw references: rows of organisations that name something.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct References {
    /// An object.
    pub objects: i64,
    /// An address.
    pub emails: i64,
    /// A user.
    pub users: i64,
    /// A project.
    pub projects: i64,
}

/// What a rule took away.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub struct Removed {
    /// The rule in a sentence.
    pub rule: String,
    /// What it took away, by name.
    pub counts: BTreeMap<String, i64>,
}

/// The totals of an incident. What an interrupted import left to be counted is counted first.
pub async fn totals(app: &App, slug: &str) -> Result<Totals, AppError> {
    let incident = app.incident(slug).await?;
    crate::facts::settle(app, incident.id).await?;
    let mut conn = app.store.snapshot().await?;
    if let Some(text) = store::incidents::totals_at_erasure(&mut conn, incident.id).await? {
        return serde_json::from_str(&text).map_err(AppError::stored("incidents.totals_at_erasure"));
    }
    of(&mut conn, incident.id).await
}

/// The totals of an incident as its rows have them.
pub(super) async fn of(conn: &mut Conn, incident: i64) -> Result<Totals, AppError> {
    let rows = store::intake::row_totals(conn, incident).await?;
    let sheets = store::facts::totals(conn, incident).await?;
    let mut totals = Totals {
        blank_lines: rows.blank_lines,
        accepted_rows: rows.accepted,
        rejects_corrected: rows.corrected,
        manifests_open: rows.open,
        tenants_without_contact: sheets.tenants_without_contact,
        hosts_waiting_for_mapping: store::mapping::count_pending(conn, incident).await?,
        sheets_waiting: store::facts::count_stale(conn, incident).await?,
        rules_version: model::rules::VERSION,
        ..Totals::default()
    };
    totals.rows = rows.accepted + rows.rejects.iter().map(|(_, count)| count).sum::<i64>();
    for (reason, count) in rows.rejects {
        match reason.as_str() {
            "columns" => totals.rejected_columns = count,
            "no_domain" => totals.rejected_no_domain = count,
            _ => totals.rejected_bad_domain = count,
        }
    }
    for (verdict, rows, missing, invalid, organisations, tenants) in sheets.verdicts {
        if verdict == "shared" {
            totals.shared_rows = rows;
            continue;
        }
        totals.organisation_rows += rows;
        totals.rows_with_missing_field += missing;
        totals.rows_with_invalid_field += invalid;
        totals.organisations += organisations;
        match verdict.as_str() {
            "mapped" => totals.tenants_affected = tenants,
            "unmapped" => (totals.unmapped_organisations, totals.unmapped_rows) = (organisations, rows),
            _ => totals.conflicting_organisations = organisations,
        }
    }
    totals.notices_to_write = totals.tenants_affected - totals.tenants_without_contact;
    totals.take_things(things(conn, incident).await?);
    let (mut missing, mut invalid) = ([0; Counted::ALL.len()], [0; Counted::ALL.len()]);
    for text in &sheets.by_field {
        add_fields(text, &mut missing, &mut invalid)?;
    }
    totals.say_what_was_removed(&missing, &invalid);
    Ok(totals)
}

/// Distinct things: of organisations, and the addresses of shared domains.
struct Things {
    organisations: Figures,
    shared_addresses: u64,
}

async fn things(conn: &mut Conn, incident: i64) -> Result<Things, AppError> {
    let shared: HashSet<String> = store::mapping::shared_hosts(conn, incident).await?.into_iter().collect();
    let places = store::runs::index(conn, incident, "sets", "", LAST).await?;
    let entries: i64 = places.iter().map(|place| place.entries).sum();
    let mut things = Things { organisations: Figures::default(), shared_addresses: 0 };
    for range in KeyRange::parts(u64::try_from(entries).unwrap_or(0), AT_ONCE) {
        let (mut fold, mut nobodys, mut kinds) = (Fold::default(), Fold::default(), Kinds::default());
        for place in &places {
            let body = store::runs::body(conn, place).await?;
            let mut block = SetsBlock::open(&body).map_err(|error| damaged(&error))?;
            let numbers = kinds.numbers_of(&block.kinds);
            while let Some(section) = block.next_section().map_err(|error| damaged(&error))? {
                if shared.contains(section.host) {
                    nobodys.take_keys(Thing::Email, section.emails, range);
                } else {
                    fold.take(&section, &numbers, range);
                }
            }
        }
        things.organisations.add_part(fold.figures(&kinds));
        things.shared_addresses += nobodys.keys(Thing::Email).len() as u64;
    }
    Ok(things)
}

impl Totals {
    fn take_things(&mut self, things: Things) {
        let figures = things.organisations;
        self.shared_addresses = signed(things.shared_addresses);
        self.objects = signed(figures.objects);
        self.emails = signed(figures.emails);
        self.users = signed(figures.users);
        self.projects = signed(figures.projects);
        self.bytes = figures.bytes;
        self.objects_in_dispute = signed(figures.in_dispute);
        self.objects_without_data_type = signed(figures.without_type);
        self.data_type_objects = figures.types.into_iter().map(|(name, count)| (name, signed(count))).collect();
    }

    /// `missing` and `invalid` are over organisation rows, in the order of [`Counted::ALL`].
    fn say_what_was_removed(&mut self, missing: &[i64], invalid: &[i64]) {
        let with = |field: Counted| self.organisation_rows - missing[field as usize] - invalid[field as usize];
        self.references = References {
            objects: with(Counted::ObjectPath),
            emails: with(Counted::Email),
            users: with(Counted::UserId),
            projects: with(Counted::ProjectId),
        };
        let by_field = |what: &str, counts: &[i64]| -> Vec<(String, i64)> {
            Counted::ALL.iter().map(|field| (format!("{what}_{}", field.name()), counts[*field as usize])).collect()
        };
        let repeated = |name: &str, references: i64, distinct: i64| (format!("repeated_{name}"), references - distinct);
        let removed = [
            (Rule::R1, vec![("rejected_no_domain".to_owned(), self.rejected_no_domain)]),
            (Rule::R2, vec![("rejected_bad_domain".to_owned(), self.rejected_bad_domain)]),
            (Rule::R3, vec![("shared_rows".to_owned(), self.shared_rows)]),
            (
                Rule::R6,
                vec![
                    ("rejected_columns".to_owned(), self.rejected_columns),
                    ("blank_lines".to_owned(), self.blank_lines),
                ],
            ),
            (Rule::R7, [by_field("missing", missing), by_field("invalid", invalid)].concat()),
            (
                Rule::R8,
                vec![
                    repeated("object_references", self.references.objects, self.objects),
                    repeated("email_references", self.references.emails, self.emails),
                    repeated("user_references", self.references.users, self.users),
                    repeated("project_references", self.references.projects, self.projects),
                    ("objects_in_dispute".to_owned(), self.objects_in_dispute),
                ],
            ),
        ];
        for (rule, counts) in removed {
            let counts = counts.into_iter().filter(|(_, count)| *count != 0).collect();
            self.removed.insert(rule.as_str().to_owned(), Removed { rule: rule.title().to_owned(), counts });
        }
    }
}
