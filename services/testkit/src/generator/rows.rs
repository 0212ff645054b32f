//! A row, as a function of its number: what stands in the file, and what it truly is.
//!
//! The numbers are: one clean row for each object, then further rows about organisations, then free mail, then rows to
//! be rejected, then repetitions of earlier ones. Truth is decided first and written down second.

use super::Arguments;
use super::names::{DATA_TYPES, EXTENSIONS, FAMILY, FREEMAIL, GIVEN};
use super::plan::{Domain, Plan};
use super::random::{For, Random};

/// Objects are dated from 2017 to 2022.
const FIRST_YEAR: u64 = 2017;
const YEARS: u64 = 6;

/// Hosts that are none, by R2.
const BAD_HOSTS: [&str; 8] =
    ["-bad-.example", "nodot", "a..b.example", "192.0.2.7", "...", "under_score.example", "two words.example", "::1"];
/// Addresses that say no domain, by R1.
const NO_HOSTS: [&str; 4] = ["", "nobody", "nobody@", "  "];

pub(super) struct Rows<'a> {
    plan: &'a Plan,
    arguments: &'a Arguments,
    extra_from: u64,
    freemail_from: u64,
    malformed_from: u64,
    repeated_from: u64,
    pub(super) count: u64,
    pub(super) shared_addresses: u64,
}

pub(super) struct Row {
    pub(super) fields: Fields,
    pub(super) truth: Truth,
    pub(super) written: Written,
}

#[derive(Default)]
pub(super) struct Fields {
    pub(super) object_path: String,
    pub(super) domain: String,
    pub(super) email: String,
    pub(super) data_type: String,
    pub(super) document_date: String,
    pub(super) size_bytes: String,
    pub(super) project_id: String,
    pub(super) user_id: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Truth {
    Organisation { index: usize, missing: bool, invalid: bool },
    Shared,
    Reject(&'static str),
}

/// How the fields become a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Written {
    /// JSON: what is empty is null.
    Whole,
    /// JSON: what is empty is left out.
    WithoutEmpty,
    /// CSV: three fields; JSON: cut off in the middle.
    TooShort,
    /// CSV: one field more; JSON: an array.
    TooLong,
}

/// An object, the same in every row that names it.
pub(super) struct Object {
    pub(super) path: String,
    pub(super) data_type: &'static str,
    pub(super) date: String,
    pub(super) size: u64,
}

impl<'a> Rows<'a> {
    pub(super) fn new(plan: &'a Plan, arguments: &'a Arguments) -> Rows<'a> {
        let part = |rate: f64, of: u64| (rate * of as f64).round() as u64;
        let freemail_from = arguments.rows.max(plan.objects);
        let freemail = part(arguments.rates.freemail, arguments.rows);
        let malformed_from = freemail_from + freemail;
        let repeated_from = malformed_from + part(arguments.rates.malformed, arguments.rows);
        let count = repeated_from + part(arguments.rates.dup, repeated_from);
        let shared_addresses = freemail.div_ceil(4);
        let extra_from = plan.objects;
        Rows { plan, arguments, extra_from, freemail_from, malformed_from, repeated_from, count, shared_addresses }
    }

    pub(super) fn at(&self, number: u64) -> Row {
        let mut random = Random::new(self.arguments.seed, For::Row, number);
        if number >= self.repeated_from {
            return self.at(random.below(self.repeated_from));
        }
        if number >= self.malformed_from {
            return self.malformed(number, random);
        }
        if number >= self.freemail_from {
            return self.freemail(number - self.freemail_from, random);
        }
        if number >= self.extra_from {
            return self.extra(random);
        }
        self.clean(number, random)
    }

    /// The row that proves an object and, over all objects of an organisation, everything it owns.
    fn clean(&self, object: u64, mut random: Random) -> Row {
        let index = self.plan.owner(object);
        let organisation = &self.plan.organisations[index];
        let place = object - organisation.objects.start;
        let nth = |range: &std::ops::Range<u64>| range.start + place % (range.end - range.start);
        let of = (nth(&organisation.emails), nth(&organisation.users), nth(&organisation.projects));
        let fields = self.fields(index, object, of, &mut random);
        Row { fields, truth: Truth::Organisation { index, missing: false, invalid: false }, written: Written::Whole }
    }

    /// A further row: it repeats what is known, and may lack or spoil a field.
    fn extra(&self, mut random: Random) -> Row {
        let object = random.below(self.plan.objects);
        let index = self.plan.owner(object);
        let organisation = &self.plan.organisations[index];
        let mut any = |range: &std::ops::Range<u64>| range.start + random.below(range.end - range.start);
        let of = (any(&organisation.emails), any(&organisation.users), any(&organisation.projects));
        let mut fields = self.fields(index, object, of, &mut random);
        let missing = random.chance(self.arguments.rates.missing);
        if missing {
            self.leave_out(&mut fields, index, &mut random);
        }
        let invalid = random.chance(self.arguments.rates.softbad);
        if invalid {
            self.spoil(&mut fields, index, &mut random);
        }
        let written = if random.chance(0.5) { Written::Whole } else { Written::WithoutEmpty };
        Row { fields, truth: Truth::Organisation { index, missing, invalid }, written }
    }

    fn freemail(&self, number: u64, mut random: Random) -> Row {
        let person = if number < self.shared_addresses { number } else { random.below(self.shared_addresses) };
        let host = FREEMAIL[person as usize % FREEMAIL.len()].to_owned();
        let email = format!("person{person}@{host}");
        let domain = Domain { ascii: host.clone(), unicode: host };
        let (domain, email) = self.disguise(&domain, email, &mut random);
        let object = self.object(self.plan.objects + person);
        let (document_date, size_bytes) = (object.date, object.size.to_string());
        let object_path = format!("container-99/free/{person}.msg");
        let data_type = "customer_email".to_owned();
        let fields = Fields { object_path, domain, email, data_type, document_date, size_bytes, ..Fields::default() };
        Row { fields, truth: Truth::Shared, written: Written::Whole }
    }

    fn malformed(&self, number: u64, mut random: Random) -> Row {
        let mut row = self.clean(random.below(self.plan.objects), random.clone());
        match number % 4 {
            0 => (row.truth, row.written) = (Truth::Reject("columns"), Written::TooShort),
            1 => (row.truth, row.written) = (Truth::Reject("columns"), Written::TooLong),
            2 => {
                row.truth = Truth::Reject("no_domain");
                row.fields.domain = random.pick(&["", "  "]).to_owned();
                row.fields.email = random.pick(&NO_HOSTS).to_owned();
            }
            _ => {
                row.truth = Truth::Reject("bad_domain");
                row.fields.domain = random.pick(&BAD_HOSTS).to_owned();
                if random.chance(0.2) {
                    row.fields.domain = format!("{}.example", "l".repeat(64));
                }
            }
        }
        row
    }

    fn fields(&self, index: usize, object: u64, of: (u64, u64, u64), random: &mut Random) -> Fields {
        let organisation = &self.plan.organisations[index];
        let (email, user, project) = of;
        let email = address(email, &organisation.domain.ascii, self.arguments.seed);
        let (domain, email) = self.disguise(&organisation.domain, email, random);
        let object = self.object(object);
        // An RFC 3339 time counts by its date.
        let hour = if random.chance(0.01) { "T23:30:00Z" } else { "" };
        Fields {
            object_path: object.path,
            domain,
            email,
            data_type: object.data_type.to_owned(),
            document_date: object.date + hour,
            size_bytes: object.size.to_string(),
            project_id: format!("prj-{project:07}"),
            user_id: format!("u-{user:07}"),
        }
    }

    /// The host and the address as a careless system writes them, still the same by R2 and R5.
    fn disguise(&self, domain: &Domain, email: String, random: &mut Random) -> (String, String) {
        let rates = &self.arguments.rates;
        let mut host = if random.chance(0.5) { domain.unicode.clone() } else { domain.ascii.clone() };
        let mut email = email;
        if random.chance(rates.sub) {
            host = format!("{}.{host}", random.pick(&["www", "mail", "a.b", "intranet"]));
        }
        if random.chance(rates.upper) {
            host = if random.chance(0.5) { host.to_ascii_uppercase() } else { capitalised(&host) };
            email = if random.chance(0.5) { email.to_ascii_uppercase() } else { capitalised(&email) };
        }
        if random.chance(rates.dot) {
            host.push('.');
        }
        if random.chance(rates.space) {
            host = format!(" {host}  ");
        }
        if random.chance(rates.nodomain) {
            host = random.pick(&["", "", " "]).to_owned();
        }
        (host, email)
    }

    fn leave_out(&self, fields: &mut Fields, index: usize, random: &mut Random) {
        match random.below(7) {
            0 => {
                fields.email.clear();
                self.insist_on_domain(fields, index);
            }
            1 => fields.data_type.clear(),
            2 => fields.document_date.clear(),
            3 => fields.size_bytes.clear(),
            4 => fields.project_id.clear(),
            5 => fields.user_id.clear(),
            _ => fields.object_path.clear(),
        }
    }

    /// Makes a field unusable that is there; a row with a missing one counts under both.
    fn spoil(&self, fields: &mut Fields, index: usize, random: &mut Random) {
        match random.below(3) {
            0 if !fields.size_bytes.is_empty() => {
                fields.size_bytes = random.pick(&["12KB", "NaN", "-1", "1.5", "9223372036854775808"]).to_owned();
            }
            1 if !fields.email.is_empty() => {
                fields.email = "not an address".to_owned();
                self.insist_on_domain(fields, index);
            }
            _ if !fields.document_date.is_empty() => {
                fields.document_date = random.pick(&["31/12/2020x", "unknown", "2021-02-30", "2021-13-01"]).to_owned();
            }
            // At most one field is missing, and it was the date.
            _ => fields.size_bytes = "many".to_owned(),
        }
    }

    fn insist_on_domain(&self, fields: &mut Fields, index: usize) {
        if fields.domain.trim().is_empty() {
            fields.domain = self.plan.organisations[index].domain.ascii.clone();
        }
    }

    pub(super) fn object(&self, number: u64) -> Object {
        let mut random = Random::new(self.arguments.seed, For::Object, number);
        let data_type = random.pick(&DATA_TYPES);
        let (year, month, day) = (FIRST_YEAR + random.below(YEARS), 1 + random.below(12), 1 + random.below(28));
        let title = if random.chance(self.arguments.rates.quoted) { "SoW, signed \"final\" " } else { "" };
        let (container, hash, extension) = (random.below(65), random.next() as u32, random.pick(&EXTENSIONS));
        let path =
            format!("container-{container:02}/{year}/{month:02}/{data_type}/{title}{hash:08x}-{number}.{extension}");
        // From some hundred bytes to 8 MiB, small ones more often.
        let power = 8 + random.below(16);
        let size = (1 << power) + random.below(600);
        Object { path, data_type, date: format!("{year}-{month:02}-{day:02}"), size }
    }
}

/// The address with that number, in the organisation's own domain.
fn address(number: u64, host: &str, seed: u64) -> String {
    let mut random = Random::new(seed, For::Person, u64::MAX - number);
    let (given, family) = (random.pick(&GIVEN), random.pick(&FAMILY));
    format!("{}.{}{number}@{host}", given.to_lowercase(), family.to_lowercase())
}

/// Each word begins with a capital letter.
fn capitalised(text: &str) -> String {
    let mut start = true;
    let letter = |letter: char| {
        let written = if start { letter.to_ascii_uppercase() } else { letter };
        start = !letter.is_alphanumeric();
        written
    };
    text.chars().map(letter).collect()
}
