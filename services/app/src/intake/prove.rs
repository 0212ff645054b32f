//! Proofs of figures: the set behind a figure, a commitment to it, and the query that gives the figure from the set.
//!
//! Counts nothing itself: a figure is the one that every screen shows. Invariant: the set is written in one order that
//! depends on nothing but the set, so that the same facts always have the same commitment, and the query runs in any
//! SQLite over the exported file.

use std::io::Write;
use std::path::Path;

use model::rules::Rule;
use model::runs::{ObjectSaid, Thing, host_of};
use serde::Serialize;
use store::Conn;

use crate::facts::{Gathered, gather};
use crate::{App, AppError, Incident};

/// Organisation domains that are gathered at a time.
const A_CHUNK: i64 = 500;

/// Which set a figure is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// The files.
    Manifests,
    /// The rows that could not be used.
    Rejects,
    /// Affected tenants, and how many of their contacts can be told.
    Tenants,
    /// Hosts with their raw references.
    Hosts,
    /// Objects of each organisation domain.
    Objects,
    /// Addresses, users or projects of each organisation domain.
    Things(Thing),
    /// Addresses of each shared domain.
    SharedAddresses,
}

impl Set {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Manifests => {
                &["file", "sha256", "pass", "accepted", "rejected", "rejects_not_corrected", "blank_lines"]
            }
            Self::Rejects => &["file", "line", "reason"],
            Self::Tenants => &["tenant_id", "contacts"],
            Self::Hosts => {
                &["organisation_domain", "host", "verdict", "tenant_id", "rows", "rows_missing", "rows_invalid"]
            }
            Self::Objects => &["organisation_domain", "object", "size_bytes", "document_date", "data_type", "disputed"],
            Self::Things(_) | Self::SharedAddresses => &["organisation_domain", "key"],
        }
    }
}

struct Figure {
    name: &'static str,
    set: Set,
    rules: &'static [Rule],
}

const fn figure(name: &'static str, set: Set, rules: &'static [Rule]) -> Figure {
    Figure { name, set, rules }
}

/// Every figure that can be proved.
const ALL: [Figure; 26] = [
    figure("rows", Set::Manifests, &[Rule::R6, Rule::R9]),
    figure("blank_lines", Set::Manifests, &[Rule::R6]),
    figure("accepted_rows", Set::Manifests, &[Rule::R9]),
    figure("rejected_columns", Set::Rejects, &[Rule::R6]),
    figure("rejected_no_domain", Set::Rejects, &[Rule::R1]),
    figure("rejected_bad_domain", Set::Rejects, &[Rule::R2]),
    figure("shared_rows", Set::Hosts, &[Rule::R3]),
    figure("shared_addresses", Set::SharedAddresses, &[Rule::R3, Rule::R5]),
    figure("organisation_rows", Set::Hosts, &[Rule::R1, Rule::R4]),
    figure("rows_with_missing_field", Set::Hosts, &[Rule::R7]),
    figure("rows_with_invalid_field", Set::Hosts, &[Rule::R7]),
    figure("organisations", Set::Hosts, &[Rule::R4, Rule::R9]),
    figure("unmapped_organisations", Set::Hosts, &[Rule::R4]),
    figure("unmapped_rows", Set::Hosts, &[Rule::R4]),
    figure("conflicting_organisations", Set::Hosts, &[Rule::R4]),
    figure("tenants_affected", Set::Hosts, &[Rule::R9]),
    figure("tenants_without_contact", Set::Tenants, &[Rule::R9]),
    figure("notices_to_write", Set::Tenants, &[Rule::R9]),
    figure("objects", Set::Objects, &[Rule::R8]),
    figure("bytes", Set::Objects, &[Rule::R8]),
    figure("data_type_objects", Set::Objects, &[Rule::R8]),
    figure("objects_without_data_type", Set::Objects, &[Rule::R7, Rule::R8]),
    figure("objects_in_dispute", Set::Objects, &[Rule::R8]),
    figure("emails", Set::Things(Thing::Email), &[Rule::R5, Rule::R8]),
    figure("users", Set::Things(Thing::User), &[Rule::R8]),
    figure("projects", Set::Things(Thing::Project), &[Rule::R8]),
];

/// The names of the figures that can be proved, in the order of the totals.
pub const FIGURES: [&str; 26] = names();

const fn names() -> [&'static str; 26] {
    let mut names = [""; 26];
    let mut at = 0;
    while at < 26 {
        names[at] = ALL[at].name;
        at += 1;
    }
    names
}

/// A figure with what proves it.
#[derive(Debug, Serialize)]
pub struct Proof {
    /// The figure's name among the totals.
    pub figure: String,
    /// The organisation domain it is of; none: the incident.
    pub organisation: Option<String>,
    /// As every screen shows it.
    pub value: serde_json::Value,
    /// The rules that it follows from.
    pub rules: Vec<String>,
    /// The version of the rules.
    pub rules_version: u32,
    /// The columns of the set.
    pub columns: Vec<&'static str>,
    /// How many lines the set has, beside its header.
    pub lines: u64,
    /// SHA-256 of the set as CSV: what `sha256sum` prints of the exported file.
    pub commitment: String,
    /// Over the exported file as a table `figure`.
    pub query: &'static str,
    /// A command that runs the query.
    pub again: String,
}

/// Proves a figure of an incident or of one organisation domain; writes the set to a file if one is given.
pub async fn prove(
    app: &App,
    slug: &str,
    figure: &str,
    organisation: Option<&str>,
    export: Option<&Path>,
) -> Result<Proof, AppError> {
    let incident = app.incident(slug).await?;
    let known = ALL.iter().find(|known| known.name == figure).ok_or_else(|| {
        AppError::bad(
            format!("`{figure}` is no figure that can be proved"),
            format!("these can: {}", FIGURES.join(", ")),
        )
    })?;
    if let Some(at) = incident.row.erased_at {
        return Err(AppError::refused(
            format!(
                "the sets of {slug} were erased at {}: its figures stay, and nothing is left that they could be counted from",
                model::time::Timestamp::from_micros(at)
            ),
            "a proof that was made before still has its commitment in the file that it was written to",
        ));
    }
    crate::facts::settle(app, incident.id).await?;
    let mut conn = app.store.snapshot().await?;
    let value = value(&mut conn, &incident, known, organisation).await?;
    let failed = |error: std::io::Error, path: &Path| {
        AppError::bad(format!("cannot write {}: {error}", path.display()), "choose another file with --export")
    };
    let file: Box<dyn Write + Send> = match export {
        Some(path) => Box::new(std::io::BufWriter::new(std::fs::File::create(path).map_err(|e| failed(e, path))?)),
        None => Box::new(std::io::sink()),
    };
    let mut lines = Lines::new(file, known.set.columns())?;
    write_set(&mut conn, &incident, known.set, organisation, &mut lines).await?;
    let (count, commitment) = lines.finish()?;
    let query = store::proofs::query(figure);
    let path = export.map_or_else(|| "SET.csv".to_owned(), |path| path.display().to_string());
    Ok(Proof {
        figure: figure.to_owned(),
        organisation: organisation.map(str::to_owned),
        value,
        rules: known.rules.iter().map(|rule| format!("{rule}: {}", rule.title())).collect(),
        rules_version: model::rules::VERSION,
        columns: known.set.columns().to_vec(),
        lines: count,
        commitment: format!("sha256:{commitment}"),
        query,
        again: format!("sqlite3 :memory: '.import --csv {path} figure' \"{query}\""),
    })
}

async fn value(
    conn: &mut Conn,
    incident: &Incident,
    figure: &Figure,
    organisation: Option<&str>,
) -> Result<serde_json::Value, AppError> {
    let stored = AppError::stored("totals");
    let Some(domain) = organisation else {
        let totals = serde_json::to_value(super::totals::of(conn, incident.id).await?).map_err(stored)?;
        return Ok(totals[figure.name].clone());
    };
    let facts = store::facts::facts(conn, incident.id, store::facts::Scope::Incident).await?;
    let facts = facts.into_iter().find(|facts| facts.domain == domain).ok_or_else(|| {
        AppError::missing(
            format!("{domain} is no affected organisation domain of {}", incident.slug),
            format!("run `forthright exposure facts {}` to see which are", incident.slug),
        )
    })?;
    Ok(match figure.name {
        "organisation_rows" => facts.rows.into(),
        "objects" => facts.objects.into(),
        "emails" => facts.emails.into(),
        "users" => facts.users.into(),
        "projects" => facts.projects.into(),
        "bytes" => facts.bytes.into(),
        "objects_without_data_type" => facts.unknown.data_type.into(),
        "data_type_objects" => {
            facts.data_types.into_iter().map(|count| (count.id, serde_json::Value::from(count.objects))).collect()
        }
        other => {
            return Err(AppError::bad(
                format!("`{other}` is no figure of one organisation"),
                "these are: organisation_rows, objects, emails, users, projects, bytes, data_type_objects, objects_without_data_type",
            ));
        }
    })
}

async fn write_set(
    conn: &mut Conn,
    incident: &Incident,
    set: Set,
    organisation: Option<&str>,
    lines: &mut Lines,
) -> Result<(), AppError> {
    match set {
        Set::Manifests => return manifests(conn, incident, lines).await,
        Set::Rejects => {
            let mut rejects = store::intake::rejects(conn, incident.id).await?;
            rejects.sort_unstable();
            for (file, line, reason, _) in rejects {
                lines.write(&[&file, &line.to_string(), &reason])?;
            }
            return Ok(());
        }
        Set::Tenants => {
            for (tenant, contacts) in store::facts::affected_tenants(conn, incident.id).await? {
                lines.write(&[&tenant, &contacts.to_string()])?;
            }
            return Ok(());
        }
        Set::Hosts | Set::Objects | Set::Things(_) | Set::SharedAddresses => {}
    }
    if let Some(domain) = organisation {
        return domains(conn, incident, set, &[domain.to_owned()], lines).await;
    }
    let mut after = String::new();
    loop {
        let chunk = store::facts::domains(conn, incident.id, &after, A_CHUNK).await?;
        let Some(last) = chunk.last().cloned() else { return Ok(()) };
        domains(conn, incident, set, &chunk, lines).await?;
        after = last;
    }
}

async fn manifests(conn: &mut Conn, incident: &Incident, lines: &mut Lines) -> Result<(), AppError> {
    let mut manifests = store::intake::manifests(conn, incident.id).await?;
    manifests.sort_unstable_by(|one, other| (&one.digest, one.pass).cmp(&(&other.digest, other.pass)));
    for manifest in manifests {
        if !manifest.counts() {
            continue;
        }
        let open = store::intake::open_rejects(conn, manifest.id).await?.len();
        lines.write(&[
            &manifest.name,
            &manifest.digest,
            &manifest.pass.to_string(),
            &manifest.accepted.to_string(),
            &manifest.rejected.to_string(),
            &open.to_string(),
            &manifest.blank_lines.to_string(),
        ])?;
    }
    Ok(())
}

async fn domains(
    conn: &mut Conn,
    incident: &Incident,
    set: Set,
    domains: &[String],
    lines: &mut Lines,
) -> Result<(), AppError> {
    let (gathered, kinds) = gather(conn, incident.id, domains).await?;
    for Gathered { domain, owner, mut fold, hosts, .. } in gathered {
        let Some((verdict, tenant)) = owner else { continue };
        let shared = verdict == "shared";
        match set {
            Set::Hosts => {
                for (host, counts) in hosts {
                    let numbers =
                        [counts.rows, counts.rows_missing, counts.rows_invalid].map(|count| count.to_string());
                    let tenant = tenant.as_deref().unwrap_or_default();
                    let host = host_of(&host);
                    lines.write(&[&domain, &host, &verdict, tenant, &numbers[0], &numbers[1], &numbers[2]])?;
                }
            }
            Set::Objects if !shared => {
                for (object, kind) in fold.objects(&kinds) {
                    let ObjectSaid { key, size, day, disputed, .. } = object;
                    let size = size.map(|size| size.to_string()).unwrap_or_default();
                    let day = day.map(|day| day.to_string()).unwrap_or_default();
                    let kind = kind.unwrap_or_default();
                    let disputed = if disputed { "1" } else { "0" };
                    lines.write(&[&domain, &model::digest::hex(&key), &size, &day, &kind, disputed])?;
                }
            }
            Set::Things(thing) if !shared => lines.keys(&domain, fold.keys(thing))?,
            Set::SharedAddresses if shared => lines.keys(&domain, fold.keys(Thing::Email))?,
            Set::Manifests | Set::Rejects | Set::Tenants | Set::Objects | Set::Things(_) | Set::SharedAddresses => {}
        }
    }
    Ok(())
}

/// CSV that is hashed while it is written.
struct Lines {
    out: csv::Writer<Hashing>,
    count: u64,
}

struct Hashing {
    file: Box<dyn Write + Send>,
    hash: ring::digest::Context,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Lines {
    fn new(file: Box<dyn Write + Send>, columns: &[&str]) -> Result<Self, AppError> {
        let hash = ring::digest::Context::new(&ring::digest::SHA256);
        let mut builder = csv::WriterBuilder::new();
        builder.terminator(csv::Terminator::Any(b'\n'));
        let mut lines = Self { out: builder.from_writer(Hashing { file, hash }), count: 0 };
        lines.out.write_record(columns).map_err(unwritten)?;
        Ok(lines)
    }

    fn write(&mut self, cells: &[&str]) -> Result<(), AppError> {
        self.count += 1;
        self.out.write_record(cells).map_err(unwritten)
    }

    fn keys(&mut self, domain: &str, keys: &[model::runs::Key]) -> Result<(), AppError> {
        keys.iter().try_for_each(|key| self.write(&[domain, &model::digest::hex(key)]))
    }

    fn finish(self) -> Result<(u64, String), AppError> {
        let mut inner = self.out.into_inner().map_err(|error| unwritten(error.into_error()))?;
        inner.flush().map_err(unwritten)?;
        Ok((self.count, model::digest::hex(inner.hash.finish().as_ref())))
    }
}

fn unwritten(error: impl std::fmt::Display) -> AppError {
    AppError::bad(format!("cannot write the set: {error}"), "free some space, or choose another file with --export")
}
