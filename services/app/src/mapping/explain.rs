//! Why a domain belongs to whom it belongs, by the same code that maps.
//!
//! Changes nothing.

use model::domain::DomainName;
use model::mapping::{Mapping, Verdict, decide};
use serde::Serialize;

use super::{candidates, lapse_expired, lists, parse};
use crate::{App, AppError};

/// Names that are explained at a time.
const A_CHUNK: usize = 5_000;

/// Why a domain belongs to whom it belongs.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// As typed.
    pub input: String,
    /// As compared.
    pub normalised: String,
    /// By the Public Suffix List; none for a public suffix.
    pub registrable_domain: Option<String>,
    /// `mapped`, `unmapped`, `shared`, `conflict`.
    pub verdict: String,
    /// Which rule decided.
    pub rule: String,
    /// Whose it is, when mapped; where a manual entry and the import disagree, whom the manual entry names.
    pub tenant_id: Option<String>,
    /// One sentence, with notes behind it.
    pub because: String,
    /// The organisation domain it counts under.
    pub organisation_domain: String,
    /// `high`, `medium`, `low`.
    pub confidence: String,
    /// With a conflict, why a person has to look: `several-claims`, `manual-import`, `owner-changed`, `disputed`.
    pub review: Option<String>,
    /// The directory's version.
    pub directory_version: i64,
    /// Version of the Public Suffix List.
    pub suffix_list: String,
}

/// A line of many: explained, or why it cannot be.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Line {
    /// Explained.
    Explained(Box<Explained>),
    /// No domain.
    NoDomain {
        /// As typed.
        input: String,
        /// What is wrong with it.
        error: String,
    },
}

/// Explains the verdict on a domain; with an incident, its lists and decisions count too.
pub async fn explain(app: &App, domain: &str, slug: Option<&str>) -> Result<Explained, AppError> {
    parse(domain)?;
    let lines = explain_all(app, &[domain.to_owned()], slug).await?;
    match lines.into_iter().next() {
        Some(Line::Explained(explained)) => Ok(*explained),
        Some(Line::NoDomain { .. }) | None => Err(AppError::bad("no domain was given", "write it as in example.com")),
    }
}

/// Whether a host is this tenant's, by everything that mapping looks at.
pub(crate) async fn belongs_to(
    app: &App,
    conn: &mut store::Conn,
    incident: i64,
    host: &str,
    tenant: &str,
) -> Result<bool, AppError> {
    let Ok(name) = DomainName::parse(host) else { return Ok(false) };
    let lists = lists(app, conn, Some(incident)).await?;
    let candidates = candidates(conn, &lists, std::slice::from_ref(&name)).await?;
    let mapping = decide(&name, &candidates, lists.suffixes.list());
    Ok(mapping.verdict == Verdict::Mapped && mapping.tenant_id.as_deref() == Some(tenant))
}

/// Whose hosts are, by everything that mapping looks at.
pub(crate) async fn owners(
    app: &App,
    conn: &mut store::Conn,
    incident: i64,
    hosts: &[DomainName],
) -> Result<Vec<(String, Mapping)>, AppError> {
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let lists = lists(app, conn, Some(incident)).await?;
    let candidates = candidates(conn, &lists, hosts).await?;
    let list = lists.suffixes.list();
    Ok(hosts.iter().map(|host| (host.as_str().to_owned(), decide(host, &candidates, list))).collect())
}

/// Explains the verdicts on many domains, in the order given. One that is no domain does not stop the others.
pub async fn explain_all(app: &App, domains: &[String], slug: Option<&str>) -> Result<Vec<Line>, AppError> {
    let incident = match slug {
        Some(slug) => Some(app.incident(slug).await?.id),
        None => None,
    };
    lapse_expired(app).await?;
    let mut conn = app.store.snapshot().await?;
    let lists = lists(app, &mut conn, incident).await?;
    let version = store::directory::version(&mut conn).await?;
    let list = lists.suffixes.list();
    let mut lines = Vec::with_capacity(domains.len());
    for part in domains.chunks(A_CHUNK) {
        let parsed: Vec<_> = part.iter().map(|domain| DomainName::parse(domain)).collect();
        let names: Vec<DomainName> = parsed.iter().filter_map(|name| name.as_ref().ok().cloned()).collect();
        let candidates = candidates(&mut conn, &lists, &names).await?;
        for (input, name) in part.iter().zip(parsed) {
            let name = match name {
                Ok(name) => name,
                Err(error) => {
                    lines.push(Line::NoDomain { input: input.clone(), error: error.to_string() });
                    continue;
                }
            };
            let mapping = decide(&name, &candidates, list);
            lines.push(Line::Explained(Box::new(Explained {
                input: input.clone(),
                normalised: name.as_str().to_owned(),
                registrable_domain: list.registrable(&name).map(str::to_owned),
                verdict: mapping.verdict.to_string(),
                rule: mapping.rule.to_string(),
                tenant_id: mapping.tenant_id.or(mapping.leaning),
                because: mapping.because,
                organisation_domain: mapping.organisation_domain,
                confidence: mapping.confidence.to_string(),
                review: mapping.review.map(|review| review.to_string()),
                directory_version: version,
                suffix_list: list.version().to_owned(),
            })));
        }
    }
    Ok(lines)
}
