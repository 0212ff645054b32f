//! Questions to DNS, with "there is none" told apart from "nobody answered".
//!
//! Judges nothing.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::time::Duration;

use mail_auth::hickory_resolver::lookup::Lookup;
use mail_auth::hickory_resolver::net::NetError;
use mail_auth::hickory_resolver::proto::rr::{Name, RData};

use super::Sending;
use crate::proof::Prover;
use crate::route::Route;

/// The wait for one question, with everything that it is asked again.
const ANSWER: Duration = Duration::from_secs(10);
/// Addresses that are looked at.
const MOST_ADDRESSES: usize = 8;

/// A question without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unanswered {
    name: String,
    why: String,
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not be checked: DNS gave no answer about {} ({})", self.name, self.why)
    }
}

/// A question that somebody else asked in vain.
pub(super) fn no_answer(name: &str) -> Unanswered {
    Unanswered { name: name.to_owned(), why: "no name server answered".to_owned() }
}

/// The texts of a name; none where there are none.
pub(super) async fn texts(prover: &Prover, name: &str) -> Result<Vec<String>, Unanswered> {
    let found = answers(name, prover.resolver().txt_lookup(absolute(name)?)).await?;
    let text = |data: &RData| match data {
        RData::TXT(text) => {
            Some(text.txt_data.iter().map(|part| String::from_utf8_lossy(part)).collect::<Vec<_>>().concat())
        }
        _ => None,
    };
    Ok(found.iter().filter_map(text).collect())
}

/// The addresses of a name.
pub(super) async fn addresses_of(prover: &Prover, name: &str) -> Result<Vec<IpAddr>, Unanswered> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let four = answers(name, prover.resolver().ipv4_lookup(absolute(name)?)).await?;
    let six = answers(name, prover.resolver().ipv6_lookup(absolute(name)?)).await?;
    let address = |data: &RData| match data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    };
    Ok(four.iter().chain(&six).filter_map(address).take(MOST_ADDRESSES).collect())
}

/// The names of an address.
pub(super) async fn names_of(prover: &Prover, address: IpAddr) -> Result<Vec<String>, Unanswered> {
    let found = answers(&address.to_string(), prover.resolver().reverse_lookup(Name::from(address))).await?;
    let name = |data: &RData| match data {
        RData::PTR(name) => Some(name.0.to_ascii().trim_end_matches('.').to_lowercase()),
        _ => None,
    };
    Ok(found.iter().filter_map(name).take(MOST_ADDRESSES).collect())
}

/// The mail servers of a domain, the preferred one first.
pub(super) async fn exchanges_of(prover: &Prover, domain: &str) -> Result<Vec<String>, Unanswered> {
    let found = answers(domain, prover.resolver().mx_lookup(absolute(domain)?)).await?;
    let exchange = |data: &RData| match data {
        RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii().trim_end_matches('.').to_lowercase())),
        _ => None,
    };
    let mut exchanges: Vec<_> = found.iter().filter_map(exchange).collect();
    exchanges.sort();
    Ok(exchanges.into_iter().map(|(_, name)| name).collect())
}

/// Where mail comes from, as receivers see it.
#[derive(Debug)]
pub(super) enum Seen {
    /// From these addresses.
    From(Vec<IpAddr>),
    /// Nobody here knows, and why.
    Unknown(String),
    /// DNS gave no answer.
    Unanswered(Unanswered),
}

/// By configuration, else those of the routes that can be seen from outside.
pub(super) async fn addresses(prover: &Prover, sending: &Sending<'_>) -> Seen {
    if !sending.leaves_from.is_empty() {
        return Seen::From(sending.leaves_from.to_vec());
    }
    let mut seen = Vec::new();
    for route in sending.routes {
        let Route::Smtp(smtp) = route else { continue };
        match addresses_of(prover, smtp.host()).await {
            Ok(found) => seen.extend(found.into_iter().filter(|address| is_public(*address))),
            Err(unanswered) => return Seen::Unanswered(unanswered),
        }
    }
    seen.sort();
    seen.dedup();
    if seen.is_empty() {
        return Seen::Unknown("from which address receivers see mail come is not known here".to_owned());
    }
    Seen::From(seen)
}

/// Whether an address means the same everywhere.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => !(four.is_loopback() || four.is_private() || four.is_link_local() || four.is_unspecified()),
        IpAddr::V6(six) => {
            !(six.is_loopback() || six.is_unspecified() || six.is_unique_local() || six.is_unicast_link_local())
        }
    }
}

fn absolute(name: &str) -> Result<Name, Unanswered> {
    let bad = |why: String| Unanswered { name: name.to_owned(), why };
    let mut parsed = Name::from_str_relaxed(name).map_err(|error| bad(error.to_string()))?;
    parsed.set_fqdn(true);
    Ok(parsed)
}

/// None where there are none.
async fn answers(name: &str, asked: impl Future<Output = Result<Lookup, NetError>>) -> Result<Vec<RData>, Unanswered> {
    match tokio::time::timeout(ANSWER, asked).await {
        Ok(Ok(found)) => Ok(found.answers().iter().map(|record| record.data.clone()).collect()),
        Ok(Err(error)) => match none_or_why(&error) {
            None => Ok(Vec::new()),
            Some(why) => Err(Unanswered { name: name.to_owned(), why }),
        },
        Err(_) => Err(Unanswered { name: name.to_owned(), why: "it took too long".to_owned() }),
    }
}

/// Why there is no answer; `None` where the answer is that there is nothing.
fn none_or_why(error: &NetError) -> Option<String> {
    use mail_auth::hickory_resolver::net::DnsError;
    use mail_auth::hickory_resolver::proto::op::ResponseCode;
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => None,
            code => Some(code.to_string()),
        },
        other => Some(other.to_string()),
    }
}
