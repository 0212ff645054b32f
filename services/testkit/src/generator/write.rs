//! The files, written in one pass, and the tally of what was written.
//!
//! The tally counts the truth of each row as it was made. Both manifests hold the same rows and blank lines in the
//! same order; a record is always one line.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

use super::expected::Reject;
use super::names::FREEMAIL;
use super::plan::Plan;
use super::random::{For, Order, Random};
use super::rows::{Fields, Row, Rows, Truth, Written};
use super::{Arguments, Incident};

const BOM: &str = "\u{feff}";

/// What was written, counted by truth.
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) blank: u64,
    pub(super) shared: u64,
    pub(super) missing: u64,
    pub(super) invalid: u64,
    pub(super) rejects: Vec<Reject>,
    /// Rows of each organisation.
    pub(super) organisations: Vec<u64>,
}

pub(super) fn directory(plan: &Plan, files: &Incident) -> Result<()> {
    let mut directory = create(&files.directory)?;
    let mut contacts = create(&files.contacts)?;
    writeln!(directory, "domain,tenant_id,tenant_name,country,language")?;
    writeln!(contacts, "tenant_id,role,name,email,language")?;
    for tenant in &plan.tenants {
        for (place, domain) in tenant.domains.iter().enumerate() {
            let written = if place == 0 { &domain.unicode } else { &domain.ascii };
            let fields = [written, tenant.id.as_str(), &tenant.name, tenant.country, tenant.language];
            writeln!(directory, "{}", record(&fields))?;
        }
        for contact in &tenant.contacts {
            let fields = [tenant.id.as_str(), contact.role, &contact.name, &contact.email, contact.language];
            writeln!(contacts, "{}", record(&fields))?;
        }
    }
    directory.flush()?;
    contacts.flush()?;
    let mut freemail = create(&files.freemail)?;
    for domain in FREEMAIL {
        writeln!(freemail, "{domain}")?;
    }
    Ok(freemail.flush()?)
}

pub(super) fn manifests(plan: &Plan, arguments: &Arguments, files: &Incident) -> Result<Tally> {
    let rows = Rows::new(plan, arguments);
    let order = Order::new(arguments.seed, rows.count);
    let end = if arguments.crlf { "\r\n" } else { "\n" };
    let (mut csv, mut jsonl) = (create(&files.csv)?, create(&files.jsonl)?);
    if arguments.bom {
        write!(csv, "{BOM}")?;
        write!(jsonl, "{BOM}")?;
    }
    write!(csv, "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id{end}")?;
    let organisations = vec![0; plan.organisations.len()];
    let mut tally =
        Tally { rows: rows.count, blank: 0, shared: 0, missing: 0, invalid: 0, rejects: Vec::new(), organisations };
    for place in 0..rows.count {
        let mut random = Random::new(arguments.seed, For::Blank, place);
        if random.chance(arguments.rates.blank) {
            let blank = random.pick(&["", "  ", "\t"]);
            write!(csv, "{blank}{end}")?;
            write!(jsonl, "{blank}{end}")?;
            tally.blank += 1;
        }
        let row = rows.at(order.at(place));
        write!(csv, "{}{end}", as_csv(&row))?;
        write!(jsonl, "{}{end}", as_json(&row))?;
        tally.count(row.truth, place + 1);
    }
    csv.flush()?;
    jsonl.flush()?;
    Ok(tally)
}

impl Tally {
    fn count(&mut self, truth: Truth, record: u64) {
        match truth {
            Truth::Organisation { index, missing, invalid } => {
                self.organisations[index] += 1;
                self.missing += u64::from(missing);
                self.invalid += u64::from(invalid);
            }
            Truth::Shared => self.shared += 1,
            Truth::Reject(reason) => self.rejects.push(Reject { jsonl_line: record + self.blank, reason }),
        }
    }
}

fn as_csv(row: &Row) -> String {
    let fields = in_order(&row.fields).map(|(_, value)| value);
    match row.written {
        Written::Whole | Written::WithoutEmpty => record(&fields),
        Written::TooShort => record(&fields[..3]),
        Written::TooLong => record(&fields) + ",more",
    }
}

fn as_json(row: &Row) -> String {
    let fields = in_order(&row.fields);
    let member = |(name, value): (&str, &str)| format!("{}: {}", json(name), json_value(name, value));
    match row.written {
        Written::Whole => format!("{{{}}}", fields.map(member).join(", ")),
        Written::WithoutEmpty => {
            let there: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).map(member).collect();
            format!("{{{}}}", there.join(", "))
        }
        Written::TooShort => format!("{{{}", member(fields[0])),
        Written::TooLong => format!("[{}]", fields.map(|(_, value)| json(value)).join(", ")),
    }
}

fn in_order(fields: &Fields) -> [(&'static str, &str); 8] {
    [
        ("object_path", &fields.object_path),
        ("domain", &fields.domain),
        ("email", &fields.email),
        ("data_type", &fields.data_type),
        ("document_date", &fields.document_date),
        ("size_bytes", &fields.size_bytes),
        ("project_id", &fields.project_id),
        ("user_id", &fields.user_id),
    ]
}

/// A size that is a number is written as one; everything else is a string, and nothing is null.
fn json_value(name: &str, value: &str) -> String {
    match value {
        "" => "null".to_owned(),
        size if name == "size_bytes" && size.parse::<u64>().is_ok() => size.to_owned(),
        text => json(text),
    }
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn record(fields: &[&str]) -> String {
    let cell = |field: &&str| {
        let quoted = field.contains(['"', ',', '\r', '\n']);
        if quoted { format!("\"{}\"", field.replace('"', "\"\"")) } else { (*field).to_owned() }
    };
    fields.iter().map(cell).collect::<Vec<_>>().join(",")
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}
