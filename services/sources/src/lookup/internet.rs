//! Asks the internet: the domain's own web server for its security.txt, an RDAP server for its record.
//!
//! Does not read the answers further than to find the next place to ask. Invariant: every question gets an answer,
//! and what went wrong stands in it.

use model::domain::DomainName;

use super::fetch::{FetchError, Fetched, Fetcher};
use super::rdap::{self, RdapRole, Whose};
use super::{Answer, AnswerStatus, Asking, Bootstrap, Clock, Provider, Question, registered, security_txt};

/// Where a security.txt is. Source: RFC 9116 3.
const WELL_KNOWN: &str = ".well-known/security.txt";
/// Where it was before. Source: RFC 9116 3.
const LEGACY: &str = "security.txt";
const TEXT: &str = "text/plain";
/// Source: RFC 7480 4.2.
const RDAP_JSON: &str = "application/rdap+json";

/// Fetches answers.
#[derive(Clone)]
pub struct Internet {
    fetcher: Fetcher,
    servers: RdapServers,
    clock: Clock,
    /// `https://`, and what follows the domain.
    origin: (&'static str, String),
}

/// Which RDAP servers there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RdapServers {
    /// None: the question is refused.
    Unset,
    /// One for every domain, which may redirect to others: its address, such as `https://rdap.example/`.
    One(String),
    /// Those of a registry.
    Registry(Bootstrap),
}

impl Internet {
    /// Asks through `fetcher`; `clock` dates the answers.
    pub fn new(fetcher: Fetcher, servers: RdapServers, clock: Clock) -> Self {
        Self { fetcher, servers, clock, origin: ("https://", String::new()) }
    }

    /// Asks web servers by http on `port`, for tests; the fetcher has to allow both.
    #[must_use]
    pub fn by_plain_http(self, port: u16) -> Self {
        Self { origin: ("http://", format!(":{port}")), ..self }
    }

    async fn security_txt(&self, domain: &DomainName) -> (String, Outcome) {
        let url = |path: &str| format!("{}{domain}{}/{path}", self.origin.0, self.origin.1);
        let get = async |path: &str| self.fetcher.get(&url(path), TEXT, security_txt::LONGEST_FILE).await;
        let outcome = match get(WELL_KNOWN).await {
            Ok(fetched) if fetched.status == 404 => get(LEGACY).await,
            other => other,
        };
        match outcome {
            // Many sites answer every path with a page.
            Ok(Fetched { status: 200, media_type, url, .. }) if media_type.contains("html") => {
                let why = format!("{url} is a web page, not a text");
                (url, Err(AnswerStatus::Refused(why)))
            }
            other => settled(url(WELL_KNOWN), other),
        }
    }

    async fn rdap(&self, domain: &DomainName) -> (String, Outcome) {
        let name = registered(domain);
        let server = match &self.servers {
            RdapServers::Unset => None,
            RdapServers::One(server) => Some(server.as_str()),
            RdapServers::Registry(registry) => registry.server_for(&name),
        };
        let Some(server) = server else {
            let why = format!("no RDAP server is known for {name}; name one in the configuration");
            return (String::new(), Err(AnswerStatus::Refused(why)));
        };
        let url = format!("{}/domain/{name}", server.trim_end_matches('/'));
        let (url, outcome) = settled(url.clone(), self.fetcher.get(&url, RDAP_JSON, rdap::LONGEST_RECORD).await);
        match self.registrars(&name, &url, &outcome).await {
            Some(better) => (better.url, Ok(better.body)),
            None => (url, outcome),
        }
    }

    /// The registrar's record, where the registry's leaves the holder out and the registrar's does not.
    async fn registrars(&self, name: &DomainName, url: &str, outcome: &Outcome) -> Option<Fetched> {
        let thin = rdap::parse(outcome.as_ref().ok()?, name).ok()?;
        let related = thin.related.as_deref().filter(|related| *related != url && !names_holder(&thin))?;
        let fetched = self.fetcher.get(related, RDAP_JSON, rdap::LONGEST_RECORD).await.ok()?;
        let better = rdap::parse(&fetched.body, name).ok()?;
        names_holder(&better).then_some(fetched)
    }
}

impl Provider for Internet {
    fn ask<'a>(&'a self, question: Question, domain: &'a DomainName) -> Asking<'a> {
        Box::pin(async move {
            let asked_at = (self.clock)();
            let (url, outcome) = match question {
                Question::SecurityTxt => self.security_txt(domain).await,
                Question::Rdap => self.rdap(domain).await,
            };
            let (status, body) = match outcome {
                Ok(body) => (AnswerStatus::Found, body),
                Err(status) => (status, Vec::new()),
            };
            Answer { question, domain: domain.to_string(), asked_at, url, status, body }
        })
    }
}

/// The body, or how the question ended without one.
type Outcome = Result<Vec<u8>, AnswerStatus>;

/// Where the answer is from, and the answer; `asked` is where we went first.
fn settled(asked: String, outcome: Result<Fetched, FetchError>) -> (String, Outcome) {
    match outcome {
        Ok(Fetched { status: 200, url, body, .. }) => (url, Ok(body)),
        Ok(Fetched { status: 404 | 410, url, .. }) => (url, Err(AnswerStatus::NotFound)),
        Ok(Fetched { status, url, .. }) => {
            let why = format!("{url} answers with status {status}");
            (url, Err(AnswerStatus::Failed(why)))
        }
        Err(error) if error.is_refusal() => (asked, Err(AnswerStatus::Refused(error.to_string()))),
        Err(error) => (asked, Err(AnswerStatus::Failed(error.to_string()))),
    }
}

fn names_holder(record: &rdap::RdapDomain) -> bool {
    let is_holder = |contact: &rdap::RdapContact| match contact.role {
        RdapRole::Abuse => contact.whose == Whose::Registrant,
        RdapRole::Registrant | RdapRole::Administrative | RdapRole::Technical => contact.whose != Whose::Registrar,
    };
    record.contacts.iter().any(is_holder)
}
