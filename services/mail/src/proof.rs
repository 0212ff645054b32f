//! Whether the domain in From stands for a mail: SPF, DKIM, ARC and DMARC, asked of DNS by ourselves.
//!
//! What others claim to have checked (`Authentication-Results`) is not read. Decides nothing about trust. Invariant: any
//! bytes give an answer in bounded time, and in doubt it is "not proven".

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::TokioResolver;
use mail_auth::hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::system_conf::read_system_conf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, MessageAuthenticator, SpfOutput, SpfResult,
};
use model::domain::DomainName;
use model::suffixes::SuffixList;

/// The wait for one DNS answer; each question is asked twice.
const ANSWER: Duration = Duration::from_secs(3);
/// The wait for all answers about one mail.
const ALL_ANSWERS: Duration = Duration::from_secs(15);
/// Fields of signatures that a mail may have: each asks DNS, and each kind hashes the whole mail. Honest mails have a
/// handful.
const SIGNATURES: usize = 10;
/// Bytes of a header block that are looked at.
const HEAD: usize = 256 * 1024;

/// Who asks.
pub struct Prover {
    authenticator: MessageAuthenticator,
}

impl std::fmt::Debug for Prover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prover")
    }
}

/// Why nobody can be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// No address.
    #[error("`{0}` is no DNS server: write an address, with a port where it is not 53, or `system`")]
    Resolver(String),
    /// The system names none, or its file cannot be read.
    #[error("cannot ask DNS: {0}")]
    System(String),
}

/// The connection that a mail came over, at our own SMTP port.
#[derive(Debug, Clone, Copy)]
pub struct Connection<'a> {
    /// Who was connected.
    pub peer: IpAddr,
    /// What they called themselves.
    pub hello: &'a str,
    /// The envelope's sender.
    pub from: &'a str,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The domain of this address stands for the mail (DMARC pass).
    Proven(String),
    /// It does not, or it publishes nothing.
    NotProven,
    /// DNS gave no answer.
    Unknown,
}

/// An answer with its reasons: sentences for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The answer.
    pub proof: Proof,
    /// What each check said.
    pub evidence: Vec<String>,
}

impl Prover {
    /// Asks this server (`127.0.0.1`, `[::1]:5353`), or those of the system.
    pub fn new(resolver: &str) -> Result<Self, ProofError> {
        let (config, mut options) = match resolver {
            "system" => read_system_conf().map_err(|error| ProofError::System(error.to_string()))?,
            address => (ResolverConfig::from_parts(None, Vec::new(), vec![server(address)?]), ResolverOpts::default()),
        };
        options.timeout = ANSWER;
        options.attempts = 2;
        let authenticator =
            MessageAuthenticator::new(config, options).map_err(|error| ProofError::System(error.to_string()))?;
        Ok(Self { authenticator })
    }

    pub(crate) fn resolver(&self) -> &TokioResolver {
        self.authenticator.resolver()
    }

    pub(crate) fn authenticator(&self) -> &MessageAuthenticator {
        &self.authenticator
    }

    /// Asks about one mail; `connection` where it came to our own port.
    pub async fn prove(&self, raw: &[u8], connection: Option<Connection<'_>>) -> Proven {
        let no = |why: &str| Proven { proof: Proof::NotProven, evidence: vec![why.to_owned()] };
        match signatures(raw) {
            None => return no("its header has no end in sight"),
            Some(count) if count > SIGNATURES => return no("it has more signatures than any honest mail"),
            Some(_) => {}
        }
        let Some(message) = AuthenticatedMessage::parse(raw) else {
            return no("its header cannot be read for signatures");
        };
        let [from] = &message.from[..] else {
            return no("it has not exactly one address in From");
        };
        let from = from.clone();
        match tokio::time::timeout(ALL_ANSWERS, self.ask(&message, from, connection)).await {
            Ok(proven) => proven,
            Err(_) => Proven { proof: Proof::Unknown, evidence: vec!["DNS took too long".to_owned()] },
        }
    }

    async fn ask(
        &self,
        message: &AuthenticatedMessage<'_>,
        from: String,
        connection: Option<Connection<'_>>,
    ) -> Proven {
        let mut evidence = Vec::new();
        let mut dkim = self.authenticator.verify_dkim(message).await;
        dkim.retain(|output| covers_all(output, &mut evidence));
        evidence.extend(dkim.iter().map(said));
        let (spf, path_domain) = match connection {
            None => (SpfOutput::new(String::new()), String::new()),
            Some(connection) => self.spf(connection, &mut evidence).await,
        };
        if !message.as_headers.is_empty() {
            let arc = self.authenticator.verify_arc(message).await;
            evidence.push(format!("arc {}; no sealer's word counts", name(arc.result())));
        }
        let parameters = DmarcParameters::new(message, &dkim, &path_domain, &spf);
        let dmarc = self.authenticator.verify_dmarc(parameters).await;
        evidence.push(format!("dmarc {} for {}", words(&dmarc.result()), dmarc.domain()));
        let mut proof = verdict(&dmarc, &from);
        let passed = dkim.iter().filter(|output| *output.result() == DkimResult::Pass);
        let signers = passed.filter_map(|output| output.signature()).map(|signature| signature.d.as_str());
        let path = (spf.result() == SpfResult::Pass).then_some(path_domain.as_str());
        if matches!(proof, Proof::Proven(_)) && !signers.chain(path).any(|domain| is_one_registrants(&from, domain)) {
            evidence.push("it does not count: the domains are two registrants' by the Public Suffix List".to_owned());
            proof = Proof::NotProven;
        }
        Proven { proof, evidence }
    }

    /// The result, and the domain it is about: that of the envelope's sender, or of the greeting where that is empty.
    async fn spf(&self, connection: Connection<'_>, evidence: &mut Vec<String>) -> (SpfOutput, String) {
        let Connection { peer, hello, from } = connection;
        let parameters = match from {
            "" => SpfParameters::verify_ehlo(peer, hello, "localhost"),
            from => SpfParameters::verify_mail_from(peer, hello, "localhost", from),
        };
        let spf = self.authenticator.verify_spf(parameters).await;
        let domain = from.rsplit_once('@').map_or(hello, |(_, domain)| domain).to_owned();
        let result = match spf.result() {
            SpfResult::Pass => "pass",
            SpfResult::Fail => "fail",
            SpfResult::SoftFail => "softfail",
            SpfResult::Neutral => "neutral",
            SpfResult::TempError => "temperror",
            SpfResult::PermError => "permerror",
            SpfResult::None => "none",
        };
        evidence.push(format!("spf {result} for {domain}"));
        (spf, domain)
    }
}

fn server(address: &str) -> Result<NameServerConfig, ProofError> {
    let parsed = address.parse::<SocketAddr>().or_else(|_| address.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53)));
    let address = parsed.map_err(|_| ProofError::Resolver(address.to_owned()))?;
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = address.port();
        connection
    });
    Ok(NameServerConfig::new(address.ip(), true, connections.to_vec()))
}

/// Fields of signatures and seals in the header block; `None` where it does not end.
fn signatures(raw: &[u8]) -> Option<usize> {
    const FIELDS: [&[u8]; 5] =
        [b"dkim-signature", b"arc-seal", b"arc-message-signature", b"arc-authentication-results", b"dkim2-signature"];
    let is_one = |line: &[u8]| {
        FIELDS.iter().any(|field| {
            line.split_at_checked(field.len()).is_some_and(|(name, rest)| {
                name.eq_ignore_ascii_case(field) && matches!(rest.first(), Some(b':' | b' ' | b'\t'))
            })
        })
    };
    let (mut count, mut bytes) = (0, 0);
    for line in raw.split(|byte| *byte == b'\n') {
        if line.trim_ascii_end().is_empty() {
            return Some(count);
        }
        count += usize::from(is_one(line));
        bytes += line.len() + 1;
        if bytes > HEAD {
            return None;
        }
    }
    Some(count)
}

/// A signature over the first bytes of a body says nothing of the rest (RFC 6376 8.2).
fn covers_all(output: &DkimOutput<'_>, evidence: &mut Vec<String>) -> bool {
    let partial = output.signature().is_some_and(|signature| signature.l > 0);
    if partial {
        evidence.push("a dkim signature covers a part of the text only, and does not count".to_owned());
    }
    !partial
}

fn said(output: &DkimOutput<'_>) -> String {
    let domain = output.signature().map_or("nobody", |signature| signature.d.as_str());
    format!("dkim {} by {domain}", name(output.result()))
}

fn name(result: &DkimResult) -> &'static str {
    match result {
        DkimResult::Pass => "pass",
        DkimResult::Neutral(_) => "neutral",
        DkimResult::Fail(_) => "fail",
        DkimResult::PermError(_) => "permerror",
        DkimResult::TempError(_) => "temperror",
        DkimResult::None => "none",
    }
}

fn words(result: &DmarcResult) -> &'static str {
    match result {
        DmarcResult::Pass => "pass",
        DmarcResult::Fail(_) => "fail",
        DmarcResult::TempError(_) => "temperror",
        DmarcResult::PermError(_) => "permerror",
        DmarcResult::None => "none",
    }
}

/// Whether the domain of an address and another are the same, or below what one registrant holds. DMARC asks name servers
/// where that is, and whoever serves a public suffix could answer for all below it.
fn is_one_registrants(from: &str, domain: &str) -> bool {
    let parse = |name: &str| DomainName::parse(name.trim_end_matches('.')).ok();
    let from = from.rsplit_once('@').and_then(|(_, name)| parse(name));
    let (Some(from), Some(domain)) = (from, parse(domain)) else { return false };
    let list = SuffixList::builtin();
    from == domain || list.registrable(&from).is_some_and(|held| list.registrable(&domain) == Some(held))
}

fn verdict(dmarc: &DmarcOutput, from: &str) -> Proof {
    match dmarc.result() {
        DmarcResult::Pass => Proof::Proven(from.to_owned()),
        DmarcResult::TempError(_) => Proof::Unknown,
        DmarcResult::Fail(_) | DmarcResult::PermError(_) | DmarcResult::None => Proof::NotProven,
    }
}

#[cfg(test)]
mod tests {
    use testkit::dkim::Signer;
    use testkit::dns::Zone;

    use super::*;

    const MAIL: &[u8] =
        b"From: Sue <sue@acme.example>\r\nSubject: s\r\nMessage-ID: <1@acme.example>\r\n\r\nWhich files?\r\n";

    fn zone(signer: &Signer) -> Zone {
        let zone = Zone::start().unwrap();
        zone.txt("_dmarc.acme.example", "v=DMARC1; p=reject");
        zone.txt("acme.example", "v=spf1 ip4:192.0.2.7 -all");
        zone.txt("s1._domainkey.acme.example", &signer.record());
        zone.txt("s1._domainkey.evil.example", &signer.record());
        zone
    }

    async fn prove(raw: &[u8], connection: Option<Connection<'_>>) -> Proof {
        let signer = Signer::new();
        let zone = zone(&signer);
        Prover::new(&zone.address().to_string()).unwrap().prove(raw, connection).await.proof
    }

    fn connection<'a>(peer: &str, from: &'a str) -> Option<Connection<'a>> {
        Some(Connection { peer: peer.parse().unwrap(), hello: "mx.acme.example", from })
    }

    async fn check_signed(change: impl Fn(Vec<u8>) -> Vec<u8>, domain: &str, proven: bool) {
        let signer = Signer::new();
        let zone = zone(&signer);
        let raw = change(signer.sign(MAIL, domain, "s1"));
        let found = Prover::new(&zone.address().to_string()).unwrap().prove(&raw, None).await;
        let expect = if proven { Proof::Proven("sue@acme.example".to_owned()) } else { Proof::NotProven };
        assert_eq!(found.proof, expect, "{:?}\n{}", found.evidence, String::from_utf8_lossy(&raw));
    }

    #[tokio::test]
    async fn a_mail_that_its_domain_signed_is_proven() {
        check_signed(|raw| raw, "acme.example", true).await;
    }

    #[tokio::test]
    async fn a_signature_of_another_domain_or_over_other_words_proves_nothing() {
        check_signed(|raw| raw, "evil.example", false).await;
        let other = |raw: Vec<u8>| String::from_utf8(raw).unwrap().replace("Which", "What").into_bytes();
        check_signed(other, "acme.example", false).await;
    }

    #[tokio::test]
    async fn a_second_sender_in_front_of_the_signed_one_proves_nothing() {
        let forged = |raw: Vec<u8>| [b"From: ceo@acme.example\r\n", &raw[..]].concat();
        check_signed(forged, "acme.example", false).await;
    }

    #[tokio::test]
    async fn more_signatures_than_any_honest_mail_are_not_looked_at() {
        let many = |raw: Vec<u8>| [b"DKIM-Signature: v=1\r\n".repeat(SIGNATURES), raw].concat();
        check_signed(many, "acme.example", false).await;
        let long = |raw: Vec<u8>| [b"X: y\r\n".repeat(HEAD), raw].concat();
        check_signed(long, "acme.example", false).await;
    }

    #[tokio::test]
    async fn the_address_of_the_connection_counts_if_the_domain_names_it() {
        let proven = Proof::Proven("sue@acme.example".to_owned());
        assert_eq!(prove(MAIL, connection("192.0.2.7", "bounce@acme.example")).await, proven);
        assert_eq!(prove(MAIL, connection("192.0.2.8", "bounce@acme.example")).await, Proof::NotProven);
        assert_eq!(prove(MAIL, connection("192.0.2.7", "sue@evil.example")).await, Proof::NotProven);
        assert_eq!(prove(MAIL, None).await, Proof::NotProven);
    }

    #[tokio::test]
    async fn a_record_at_a_public_suffix_makes_no_two_registrants_one() {
        let signer = Signer::new();
        for suffix in ["example", "co.uk"] {
            let zone = Zone::start().unwrap();
            zone.txt(&format!("_dmarc.{suffix}"), "v=DMARC1; p=reject");
            zone.txt(&format!("evil.{suffix}"), "v=spf1 ip4:192.0.2.7 -all");
            zone.txt(&format!("s1._domainkey.evil.{suffix}"), &signer.record());
            let mail = String::from_utf8_lossy(MAIL).replace("acme.example", &format!("acme.{suffix}"));
            let raw = signer.sign(mail.as_bytes(), &format!("evil.{suffix}"), "s1");
            let from = format!("e@evil.{suffix}");
            let prover = Prover::new(&zone.address().to_string()).unwrap();
            let found = prover.prove(&raw, connection("192.0.2.7", &from)).await;
            assert_eq!(found.proof, Proof::NotProven, "{suffix} {:?}", found.evidence);
        }
    }

    #[tokio::test]
    async fn a_host_of_the_same_registrant_stands_for_its_domain() {
        let (signer, zone) = (Signer::new(), Zone::start().unwrap());
        zone.txt("_dmarc.acme.example", "v=DMARC1; p=reject");
        zone.txt("s1._domainkey.mail.acme.example", &signer.record());
        let raw = signer.sign(MAIL, "mail.acme.example", "s1");
        let found = Prover::new(&zone.address().to_string()).unwrap().prove(&raw, None).await;
        assert_eq!(found.proof, Proof::Proven("sue@acme.example".to_owned()), "{:?}", found.evidence);
    }

    #[tokio::test]
    async fn what_others_claim_to_have_checked_is_not_read() {
        let claims =
            [b"Authentication-Results: mx.acme.example; dmarc=pass header.from=acme.example\r\n", MAIL].concat();
        assert_eq!(prove(&claims, None).await, Proof::NotProven);
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_answer_of_dns_nothing_is_known() {
        let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = silent.local_addr().unwrap();
        drop(silent);
        let found =
            Prover::new(&address.to_string()).unwrap().prove(MAIL, connection("192.0.2.7", "a@acme.example")).await;
        assert_eq!(found.proof, Proof::Unknown, "{:?}", found.evidence);
    }

    #[tokio::test]
    async fn a_server_is_an_address() {
        for good in ["127.0.0.1", "::1", "[::1]:5353", "192.0.2.1:53"] {
            assert!(Prover::new(good).is_ok(), "{good}");
        }
        assert!(matches!(Prover::new("dns.example"), Err(ProofError::Resolver(_))));
    }
}
