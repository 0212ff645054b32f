//! Who there is: affected organisations with what they own, tenants, domains, contacts.
//!
//! No rows yet. An organisation's things are ranges of numbers that no other organisation has.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Arguments;
use super::expected::Recipient;
use super::names::{BEYOND_ASCII, COUNTRIES, FAMILY, GIVEN, SYLLABLES};
use super::punycode::a_label;
use super::random::{For, Random};

/// Of a real incident of this shape.
const ORGANISATIONS: f64 = 65_000.0;
const OBJECTS: f64 = 1_680_000.0;
const EMAILS: f64 = 335_000.0;
const USERS: f64 = 548_000.0;
const PROJECTS: f64 = 133_000.0;

/// Of affected organisations: not in the directory.
const UNMAPPED: f64 = 0.08;
/// Of affected organisations: a further domain of the tenant before.
const SECOND_DOMAIN: f64 = 0.1;
/// This many times the affected ones are in the directory and not affected.
const BYSTANDERS: u64 = 2;

pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) organisations: Vec<Organisation>,
    pub(super) tenants: Vec<Tenant>,
    pub(super) objects: u64,
}

/// One organisation domain.
pub(super) struct Organisation {
    pub(super) domain: Domain,
    /// Its place in [`Plan::tenants`]; none: unmapped.
    pub(super) tenant: Option<usize>,
    pub(super) objects: Range<u64>,
    pub(super) emails: Range<u64>,
    pub(super) users: Range<u64>,
    pub(super) projects: Range<u64>,
}

#[derive(Clone)]
pub(super) struct Domain {
    pub(super) ascii: String,
    pub(super) unicode: String,
}

pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) country: &'static str,
    pub(super) language: &'static str,
    pub(super) domains: Vec<Domain>,
    pub(super) contacts: Vec<Contact>,
    pub(super) affected: Vec<usize>,
}

pub(super) struct Contact {
    pub(super) role: &'static str,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) language: &'static str,
}

/// The roles of a tenant's contacts; 32 tenants in a row have them all.
const ROLES: [&[&str]; 32] = [
    &["security", "privacy"],
    &["security"],
    &["security", "privacy", "admin"],
    &["security"],
    &["security", "account-manager"],
    &["admin"],
    &["security"],
    &["privacy"],
    &["security", "privacy"],
    &["legal", "admin"],
    &["security"],
    &[],
    &["security", "security", "privacy"],
    &["technical"],
    &["security"],
    &["account-manager"],
    &["security", "privacy", "admin"],
    &["security", "legal"],
    &["admin", "technical"],
    &["security", "privacy"],
    &["technical", "technical"],
    &["security"],
    &["privacy", "legal", "technical"],
    &["security", "privacy"],
    &["admin", "account-manager"],
    &["security"],
    &["legal"],
    &["security"],
    &["admin", "admin"],
    &["security", "privacy"],
    &["security"],
    &["security", "privacy", "admin"],
];

impl Plan {
    pub(super) fn new(arguments: &Arguments) -> Plan {
        let count = scaled(ORGANISATIONS, arguments.scale, 1);
        let sizes = |total: f64| shares(scaled(total, arguments.scale, count), count);
        let (objects, emails, users, projects) = (sizes(OBJECTS), sizes(EMAILS), sizes(USERS), sizes(PROJECTS));
        let mut plan = Plan {
            seed: arguments.seed,
            organisations: Vec::new(),
            tenants: Vec::new(),
            objects: objects[objects.len() - 1].end,
        };
        let each = objects.into_iter().zip(emails).zip(users).zip(projects).enumerate();
        for (index, (((objects, emails), users), projects)) in each {
            let index = index as u64;
            let domain = Domain::made_up(arguments, index);
            let tenant = plan.tenant_of(index, &domain);
            plan.organisations.push(Organisation { domain, tenant, objects, emails, users, projects });
        }
        for index in count..count * (1 + BYSTANDERS) {
            let domain = Domain::made_up(arguments, index);
            plan.tenants.push(Tenant::made_up(arguments.seed, index, domain));
        }
        plan
    }

    fn tenant_of(&mut self, index: u64, domain: &Domain) -> Option<usize> {
        let mut random = Random::new(self.seed, For::Tenant, index);
        // The fourth is always unmapped, so that a small incident has one; the first three never are.
        if index == 3 || (index > 3 && random.chance(UNMAPPED)) {
            return None;
        }
        let here = self.organisations.len();
        if let Some(before) = self.tenants.last_mut().filter(|_| index > 0 && random.chance(SECOND_DOMAIN)) {
            before.domains.push(domain.clone());
            before.affected.push(here);
            return Some(self.tenants.len() - 1);
        }
        let mut tenant = Tenant::made_up(self.seed, index, domain.clone());
        tenant.affected.push(here);
        self.tenants.push(tenant);
        Some(self.tenants.len() - 1)
    }

    /// The organisation that owns an object.
    pub(super) fn owner(&self, object: u64) -> usize {
        self.organisations.partition_point(|organisation| organisation.objects.end <= object)
    }
}

impl Domain {
    fn made_up(arguments: &Arguments, index: u64) -> Domain {
        let mut random = Random::new(arguments.seed, For::Organisation, index);
        let country = COUNTRIES[index as usize % COUNTRIES.len()].0.to_lowercase();
        let first = format!("{}{}", random.pick(&SYLLABLES), random.pick(&SYLLABLES));
        let first = if random.chance(arguments.rates.idn) { random.pick(&BEYOND_ASCII).to_owned() } else { first };
        let label = format!("{first}{index}-{country}");
        Domain { ascii: format!("{}.example", a_label(&label)), unicode: format!("{label}.example") }
    }
}

impl Tenant {
    fn made_up(seed: u64, index: u64, domain: Domain) -> Tenant {
        let mut random = Random::new(seed, For::Person, index);
        let (country, language) = COUNTRIES[index as usize % COUNTRIES.len()];
        let name = match index % 16 {
            5 => format!("Tenant {index} {country} <Söhne> & Co"),
            9 => format!("Tenant {index} {country} \"Q\""),
            _ => format!("Tenant {index} {country}, Ltd"),
        };
        // Where the directory does not say, the language is English.
        let language = if language == "en" && random.chance(0.05) { "" } else { language };
        let roles = ROLES[(index as usize + seed as usize % ROLES.len()) % ROLES.len()];
        let mut contacts = Vec::new();
        for (place, role) in roles.iter().copied().enumerate() {
            let (given, family) = (random.pick(&GIVEN), random.pick(&FAMILY));
            let name = if random.chance(0.05) { format!("{family}, {given}") } else { format!("{given} {family}") };
            let host = if role == "account-manager" { "vendor.example" } else { domain.ascii.as_str() };
            let again = if place > 0 && roles[place - 1] == role { "-2" } else { "" };
            let language = match random.below(10) {
                0 => "",
                1 => random.pick(&["en", "de"]),
                _ => language,
            };
            contacts.push(Contact { role, name, email: format!("{role}{index}{again}@{host}"), language });
        }
        Tenant {
            id: format!("t-{index:07}"),
            name,
            country,
            language,
            domains: vec![domain],
            contacts,
            affected: vec![],
        }
    }

    /// Who is to be told: each security and privacy contact, else all of the first other role there is.
    pub(super) fn recipients(&self) -> Vec<Recipient> {
        let mut by_role: BTreeMap<&str, Vec<&Contact>> = BTreeMap::new();
        for contact in &self.contacts {
            by_role.entry(contact.role).or_default().push(contact);
        }
        let of = |roles: &[&str]| -> Vec<&Contact> {
            roles.iter().filter_map(|role| by_role.get(role)).flatten().copied().collect()
        };
        let first = [&["security", "privacy"][..], &["legal"], &["admin"], &["technical"]];
        let chosen = first.into_iter().map(of).find(|contacts| !contacts.is_empty()).unwrap_or_default();
        let language = |contact: &Contact| {
            [contact.language, self.language].into_iter().find(|language| !language.is_empty()).unwrap_or("en")
        };
        let recipient =
            |contact: &Contact| Recipient { address: contact.email.clone(), language: language(contact).to_owned() };
        chosen.into_iter().map(recipient).collect()
    }
}

fn scaled(full: f64, scale: f64, least: u64) -> u64 {
    ((full * scale).round() as u64).max(least)
}

/// Cuts `total` things into one range for each organisation: one each, the rest by Zipf's law. A kind with a larger
/// total has the larger range at every organisation, so that the objects' rows can name everything.
fn shares(total: u64, count: u64) -> Vec<Range<u64>> {
    let weights: f64 = (1..=count).map(|rank| 1.0 / rank as f64).sum();
    let rest = (total - count) as f64;
    let mut start = 0;
    let mut range = |rank: u64| {
        let end = start + 1 + (rest / rank as f64 / weights) as u64;
        std::mem::replace(&mut start, end)..end
    };
    (1..=count).map(&mut range).collect()
}
