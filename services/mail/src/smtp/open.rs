//! From a route to a connection that takes mail: TCP, greeting, EHLO, STARTTLS, AUTH.
//!
//! Does not retry and does not choose between servers. Invariant: `starttls=required` never speaks in plain text
//! beyond STARTTLS itself; a password travels encrypted, to this host, or in plain text by explicit wish only.

use lettre::transport::smtp::{
    authentication::Mechanism,
    commands::Auth,
    response::{Category, Code, Detail, Response, Severity},
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{
    Connection, Deadlines, Fault, FaultKind, Phase,
    tls::Certificate,
    wire::{Answer, Wire},
};
use crate::route::{Credentials, Encryption, SmtpRoute};

/// What the server said it can do.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Offers {
    pub(super) pipelining: bool,
    pub(super) eight_bit: bool,
    pub(super) smtputf8: bool,
    /// Delivery reports can be asked for (RFC 3461).
    pub(super) dsn: bool,
    starttls: bool,
    /// SIZE: `Some(0)` is an offer without a limit.
    pub(super) size: Option<u64>,
    auth: Vec<Mechanism>,
}

impl Connection {
    /// Opens a connection and brings it to where MAIL may follow. Every fault of it concerns the route.
    ///
    /// `hello` is this host's name or address literal, as EHLO says it.
    pub async fn open(route: &SmtpRoute, hello: &str, deadlines: &Deadlines) -> Result<Self, Fault> {
        if hello.is_empty() || !hello.bytes().all(|byte| byte.is_ascii_graphic()) {
            let detail = "the name for EHLO is no host name; set the sender's host name in the configuration";
            return Err(Fault::new(Phase::Ehlo, FaultKind::Unsendable, detail));
        }
        let mut wire = Wire::plain(connect(route, deadlines).await?, *deadlines);
        let mut tls = None;
        if route.encryption() == Encryption::Implicit {
            let (encrypted, description) = wire.encrypted(route.host(), &certificate(route)).await?;
            (wire, tls) = (encrypted, Some(description));
        }
        wire.answer(Phase::Greeting, |code| code == 220).await?.granted()?;
        let mut offers = ehlo(&mut wire, hello).await?;
        if starttls(&mut wire, &offers, route.encryption()).await? {
            let (encrypted, description) = wire.encrypted(route.host(), &certificate(route)).await?;
            (wire, tls) = (encrypted, Some(description));
            // What was offered in plain text counts no more (RFC 3207 4.2).
            offers = ehlo(&mut wire, hello).await?;
        }
        if let Some(credentials) = route.credentials() {
            if tls.is_none() && !route.is_loopback() && route.encryption() != Encryption::Never {
                let detail = "the password would travel in plain text; use smtps:// or a server that offers STARTTLS, \
                              or allow it with ?starttls=never";
                return Err(Fault::new(Phase::Auth, FaultKind::Tls, detail));
            }
            auth(&mut wire, &offers, credentials).await?;
        }
        Ok(Self::new(wire, offers, tls))
    }
}

/// The first address of the host that answers, without Nagle's algorithm: it would hold the last packet of each
/// message until the server's delayed acknowledgement, 40 ms.
async fn connect(route: &SmtpRoute, deadlines: &Deadlines) -> Result<TcpStream, Fault> {
    let (place, limit) = ((route.host(), route.port()), deadlines.connect);
    let fault = |kind, why: String| {
        let (host, port) = place;
        let detail = format!("cannot reach {host} port {port} ({why}); start the server or correct the mail route");
        Fault::new(Phase::Connect, kind, detail)
    };
    let lost = |error: std::io::Error| fault(FaultKind::Lost, error.to_string());
    let timed_out = |_| fault(FaultKind::TimedOut, format!("no answer within {limit:?}"));
    let addresses = timeout(limit, lookup_host(place)).await.map_err(timed_out)?.map_err(lost)?;
    let mut last = fault(FaultKind::Lost, "the name has no address".to_owned());
    for address in addresses {
        match timeout(limit, TcpStream::connect(address)).await.map_err(timed_out) {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(lost)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = lost(error),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

async fn ehlo(wire: &mut Wire, hello: &str) -> Result<Offers, Fault> {
    wire.write(Phase::Ehlo, format!("EHLO {hello}\r\n").as_bytes()).await?;
    wire.answer(Phase::Ehlo, |code| code == 250).await?.granted()?;
    Ok(offers(wire.last_lines().skip(1)))
}

fn offers<'a>(lines: impl Iterator<Item = &'a str>) -> Offers {
    let mut offers = Offers::default();
    for line in lines {
        let mut words = line.split_ascii_whitespace();
        match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "PIPELINING" => offers.pipelining = true,
            "8BITMIME" => offers.eight_bit = true,
            "SMTPUTF8" => offers.smtputf8 = true,
            "DSN" => offers.dsn = true,
            "STARTTLS" => offers.starttls = true,
            "SIZE" => offers.size = Some(words.next().and_then(|size| size.parse().ok()).unwrap_or(0)),
            "AUTH" => {
                let names: Vec<String> = words.map(str::to_ascii_uppercase).collect();
                let ours = [Mechanism::Plain, Mechanism::Login];
                offers.auth = ours.into_iter().filter(|ours| names.contains(&ours.to_string())).collect();
            }
            // Extensions we make no use of.
            _ => {}
        }
    }
    offers
}

/// Asks for encryption where it is wanted; whether a handshake follows.
async fn starttls(wire: &mut Wire, offers: &Offers, encryption: Encryption) -> Result<bool, Fault> {
    let insist = match encryption {
        Encryption::Implicit | Encryption::Never => return Ok(false),
        Encryption::Opportunistic => false,
        Encryption::Required => true,
    };
    if !offers.starttls {
        let detail = "the server does not offer STARTTLS; correct the server, or allow plain text by leaving out \
                      ?starttls=required";
        return if insist { Err(Fault::new(Phase::StartTls, FaultKind::Tls, detail)) } else { Ok(false) };
    }
    wire.write(Phase::StartTls, b"STARTTLS\r\n").await?;
    match wire.answer(Phase::StartTls, |code| code == 220).await? {
        Answer::Granted(_) => Ok(true),
        Answer::Refused(fault) if insist => Err(fault),
        Answer::Refused(_) => Ok(false),
    }
}

fn certificate(route: &SmtpRoute) -> Certificate {
    if !route.pins().is_empty() {
        return Certificate::Pinned(route.pins().to_vec());
    }
    let password_at_risk = route.credentials().is_some() && !route.is_loopback();
    if route.encryption() == Encryption::Opportunistic && !password_at_risk {
        Certificate::Any
    } else {
        Certificate::Checked
    }
}

/// AUTH PLAIN or LOGIN, the mechanisms by lettre.
async fn auth(wire: &mut Wire, offers: &Offers, credentials: &Credentials) -> Result<(), Fault> {
    let fault = |detail: String| Fault::new(Phase::Auth, FaultKind::Protocol, detail);
    let mechanism = *offers.auth.first().ok_or_else(|| {
        fault("the server offers neither AUTH PLAIN nor LOGIN; remove user and password from the mail route".to_owned())
    })?;
    let credentials = credentials.for_sasl();
    let mut command = Auth::new(mechanism, credentials.clone(), None).map_err(|error| fault(error.to_string()))?;
    // LOGIN asks twice; more is a server that will never be content.
    for _ in 0..3 {
        wire.write(Phase::Auth, command.to_string().as_bytes()).await?;
        let code = wire.answer(Phase::Auth, |code| matches!(code, 235 | 334)).await?.granted()?;
        if code == 235 {
            return Ok(());
        }
        let asked = Code::new(Severity::PositiveIntermediate, Category::Unspecified3, Detail::Four);
        let challenge = Response::new(asked, vec![wire.last_reply(code).text]);
        command = Auth::new_from_response(mechanism, credentials.clone(), &challenge)
            .map_err(|error| fault(error.to_string()))?;
    }
    Err(fault("the server keeps asking for user and password".to_owned()))
}
