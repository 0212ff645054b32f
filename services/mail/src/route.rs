//! Where mail leaves: an SMTP server or a folder, parsed from one line of configuration.
//!
//! Does not connect. Invariant: no `Debug`, `Display` or error of this file shows a user name or a password.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

mod pin;
mod routes;

pub use pin::Pin;
pub use routes::Routes;

/// A way out for mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// A server that speaks SMTP.
    Smtp(SmtpRoute),
    /// A folder that receives one `.eml` file a message.
    Files(PathBuf),
}

/// An SMTP server and how to speak to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpRoute {
    host: String,
    port: u16,
    encryption: Encryption,
    pins: Vec<Pin>,
    credentials: Option<Credentials>,
}

/// When the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// STARTTLS where the server offers it, plain text otherwise. The certificate is checked only when there is a
    /// password to protect: whoever could forge it could as well hide the offer.
    Opportunistic,
    /// STARTTLS with a valid certificate, or no mail.
    Required,
    /// Plain text, even where STARTTLS is offered.
    Never,
    /// TLS from the first byte, with a valid certificate (`smtps://`).
    Implicit,
}

/// User name and password for AUTH; prints neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

/// Why a line names no route. The line itself is not repeated, because it may hold a password.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RouteError {
    /// Neither of the three kinds.
    #[error("a mail route starts with smtp://, smtps:// or file:, for example smtp://localhost:25")]
    Scheme,
    /// `file:` alone.
    #[error("file: needs a folder, for example file:outbox")]
    NoFolder,
    /// No host, or one that cannot be one.
    #[error("the mail route has no usable host name: write smtp://HOST:PORT")]
    Host,
    /// A port that is no number from 1 to 65535.
    #[error("the port of the mail route is not a number from 1 to 65535: write smtp://HOST:PORT")]
    Port,
    /// A user without a password, bad percent codes, or characters that end the user part too early.
    #[error(
        "the user and password of the mail route cannot be read: write smtp://USER:PASSWORD@HOST with / ? @ : % in \
         either as %2F %3F %40 %3A %25"
    )]
    Credentials,
    /// Something behind the port that is no parameter.
    #[error("the mail route has a path behind its host: remove it, only ?starttls=… may follow")]
    Path,
    /// A parameter that does not exist, or stands twice.
    #[error("the mail route has an unknown or repeated parameter `{0}`: only starttls and pin exist")]
    Parameter(String),
    /// A fingerprint that is none.
    #[error("pin={0} is no fingerprint: write pin=sha256: and the 64 hexadecimal digits of the certificate's SHA-256")]
    Pin(String),
    /// A fingerprint binds the encryption, which then has to be there.
    #[error("pin= asks for one certificate, and starttls={0} lets mail leave without any: remove one of them")]
    PinWithoutTls(&'static str),
    /// Several routes, one of them a folder.
    #[error("a folder cannot stand beside other mail routes: what is written there counts as sent")]
    FolderAmongRoutes,
    /// A value that `starttls` does not have.
    #[error("starttls={0} is not known: write required, opportunistic or never")]
    StartTls(String),
    /// `smtps://` is encrypted from the start.
    #[error("smtps:// is encrypted from the first byte: remove starttls, or write smtp://")]
    StartTlsOverTls,
}

impl Route {
    /// Reads `smtp://[user:password@]host[:port][?starttls=required|opportunistic|never][&pin=sha256:HEX]`, `smtps://…`
    /// or `file:DIR`. Ports are 25 and 465 where none is written; user and password are percent-decoded. `pin`, once or
    /// more, names the certificates that are taken, and no others; it requires STARTTLS.
    pub fn parse(line: &str) -> Result<Self, RouteError> {
        let line = line.trim();
        if let Some(folder) = strip_scheme(line, "file:") {
            let folder = folder.strip_prefix("//").unwrap_or(folder);
            return if folder.is_empty() { Err(RouteError::NoFolder) } else { Ok(Self::Files(PathBuf::from(folder))) };
        }
        if let Some(rest) = strip_scheme(line, "smtps://") {
            return SmtpRoute::parse(rest, Encryption::Implicit, 465).map(Self::Smtp);
        }
        let rest = strip_scheme(line, "smtp://").ok_or(RouteError::Scheme)?;
        SmtpRoute::parse(rest, Encryption::Opportunistic, 25).map(Self::Smtp)
    }

    /// What it is called where one line among many names it: `smtp://host:port`, without user, password, parameters.
    pub fn name(&self) -> String {
        let shown = self.to_string();
        shown.split_once('?').map_or(shown.as_str(), |(name, _)| name).to_owned()
    }

    /// Whether mail given to this route cannot leave the host by the route's own doing: a folder, or a server on a
    /// loopback address.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Smtp(route) => route.is_loopback(),
            Self::Files(_) => true,
        }
    }
}

impl FromStr for Route {
    type Err = RouteError;

    fn from_str(line: &str) -> Result<Self, RouteError> {
        Self::parse(line)
    }
}

impl fmt::Display for Route {
    /// The route as it can be shown: without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smtp(route) => route.fmt(f),
            Self::Files(folder) => write!(f, "file:{}", folder.display()),
        }
    }
}

impl SmtpRoute {
    /// Host name as an A-label, or an IP address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// When the connection is encrypted.
    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// The only certificates that are taken; empty = by authority, as [`Encryption`] says.
    pub fn pins(&self) -> &[Pin] {
        &self.pins
    }

    /// What AUTH is done with, if at all.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Whether the host is this host: `localhost` or a loopback address.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    fn parse(rest: &str, encryption: Encryption, default_port: u16) -> Result<Self, RouteError> {
        let (authority, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = authority.split_once('/').unwrap_or((authority, ""));
        if path.contains('@') || query.contains('@') {
            return Err(RouteError::Credentials);
        }
        if !path.is_empty() {
            return Err(RouteError::Path);
        }
        let (credentials, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(Credentials::parse(user)?), place),
            None => (None, authority),
        };
        let (host, port) = split_place(place)?;
        let port = match port {
            Some(digits) => digits.parse().ok().filter(|port| *port != 0).ok_or(RouteError::Port)?,
            None => default_port,
        };
        let (encryption, pins) = parse_query(query, encryption)?;
        Ok(Self { host: parse_host(host)?, port, encryption, pins, credentials })
    }
}

impl fmt::Display for SmtpRoute {
    /// The route as it can be shown: without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, parameter) = match self.encryption {
            Encryption::Opportunistic => ("smtp", ""),
            Encryption::Required => ("smtp", "?starttls=required"),
            Encryption::Never => ("smtp", "?starttls=never"),
            Encryption::Implicit => ("smtps", ""),
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}{parameter}", self.host, self.port)?;
        } else {
            write!(f, "{scheme}://{}:{}{parameter}", self.host, self.port)?;
        }
        for (number, pin) in self.pins.iter().enumerate() {
            let join = if number == 0 && parameter.is_empty() { '?' } else { '&' };
            write!(f, "{join}pin={pin}")?;
        }
        Ok(())
    }
}

impl Credentials {
    fn parse(text: &str) -> Result<Self, RouteError> {
        let (user, password) = text.split_once(':').ok_or(RouteError::Credentials)?;
        let (user, password) = (percent_decoded(user)?, percent_decoded(password)?);
        // NUL separates the fields of AUTH PLAIN.
        if user.is_empty() || user.contains('\0') || password.contains('\0') {
            return Err(RouteError::Credentials);
        }
        Ok(Self { user, password })
    }

    /// As lettre's SASL mechanisms take them.
    pub(crate) fn for_sasl(&self) -> lettre::transport::smtp::authentication::Credentials {
        lettre::transport::smtp::authentication::Credentials::new(self.user.clone(), self.password.clone())
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(not shown)")
    }
}

fn strip_scheme<'a>(line: &'a str, scheme: &str) -> Option<&'a str> {
    let head = line.get(..scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then(|| &line[scheme.len()..])
}

/// Host and port of `host`, `host:port`, `[v6]` or `[v6]:port`.
fn split_place(place: &str) -> Result<(&str, Option<&str>), RouteError> {
    if let Some(bracketed) = place.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']').ok_or(RouteError::Host)?;
        host.parse::<std::net::Ipv6Addr>().map_err(|_| RouteError::Host)?;
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(RouteError::Host),
        };
    }
    match place.split_once(':') {
        Some((host, port)) if !port.contains(':') => Ok((host, Some(port))),
        Some(_) => Err(RouteError::Host),
        None => Ok((place, None)),
    }
}

fn parse_host(host: &str) -> Result<String, RouteError> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let host = idna::domain_to_ascii(host).map_err(|_| RouteError::Host)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    if host.is_empty() || host.len() > 253 || !host.chars().all(fits) {
        return Err(RouteError::Host);
    }
    Ok(host)
}

fn parse_query(query: &str, scheme: Encryption) -> Result<(Encryption, Vec<Pin>), RouteError> {
    let mut chosen = None;
    let mut pins = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name {
            "pin" => pins.push(Pin::parse(value).ok_or_else(|| RouteError::Pin(value.to_owned()))?),
            "starttls" if chosen.is_none() => chosen = Some(parse_starttls(value, scheme)?),
            _ => return Err(RouteError::Parameter(name.to_owned())),
        }
    }
    let encryption = match (pins.is_empty(), chosen) {
        (true, chosen) => chosen.unwrap_or(scheme),
        (false, None) if scheme == Encryption::Opportunistic => Encryption::Required,
        (false, None) => scheme,
        (false, Some(Encryption::Never)) => return Err(RouteError::PinWithoutTls("never")),
        (false, Some(Encryption::Opportunistic)) => return Err(RouteError::PinWithoutTls("opportunistic")),
        (false, Some(encryption @ (Encryption::Required | Encryption::Implicit))) => encryption,
    };
    Ok((encryption, pins))
}

fn parse_starttls(value: &str, scheme: Encryption) -> Result<Encryption, RouteError> {
    if scheme == Encryption::Implicit {
        return Err(RouteError::StartTlsOverTls);
    }
    match value {
        "required" => Ok(Encryption::Required),
        "opportunistic" => Ok(Encryption::Opportunistic),
        "never" => Ok(Encryption::Never),
        _ => Err(RouteError::StartTls(value.to_owned())),
    }
}

fn percent_decoded(text: &str) -> Result<String, RouteError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = digit().zip(digit()).ok_or(RouteError::Credentials)?;
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| RouteError::Credentials)?);
    }
    String::from_utf8(bytes).map_err(|_| RouteError::Credentials)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(line: &str) -> SmtpRoute {
        match Route::parse(line) {
            Ok(Route::Smtp(route)) => route,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn ports_and_encryption_have_their_defaults() {
        let plain = smtp("smtp://relay.example");
        assert_eq!((plain.host(), plain.port(), plain.encryption()), ("relay.example", 25, Encryption::Opportunistic));
        let wrapped = smtp("SMTPS://relay.example/");
        assert_eq!((wrapped.port(), wrapped.encryption()), (465, Encryption::Implicit));
        assert_eq!(smtp("smtp://relay.example:2525?starttls=required").encryption(), Encryption::Required);
        assert_eq!(smtp("smtp://relay.example?starttls=never").port(), 25);
        assert_eq!(smtp("smtp://bücher.example").host(), "xn--bcher-kva.example");
    }

    #[test]
    fn a_folder_is_taken_as_written() {
        assert_eq!(Route::parse("file:out/box"), Ok(Route::Files(PathBuf::from("out/box"))));
        assert_eq!(Route::parse("file:///var/spool/x"), Ok(Route::Files(PathBuf::from("/var/spool/x"))));
        assert_eq!(Route::parse("file:"), Err(RouteError::NoFolder));
    }

    #[test]
    fn credentials_are_decoded_and_never_printed() {
        let route = smtp("smtp://us%40er:p%3Ass%2Fwo%25rd@relay.example:587");
        let credentials = route.credentials().unwrap();
        assert_eq!((credentials.user.as_str(), credentials.password.as_str()), ("us@er", "p:ss/wo%rd"));
        let shown = format!("{route:?} {route} {:?}", Route::Smtp(route.clone()));
        assert!(!shown.contains("ss/wo") && !shown.contains("us@er"), "{shown}");
        assert_eq!(route.to_string(), "smtp://relay.example:587");
    }

    #[test]
    fn errors_do_not_repeat_a_password() {
        for line in [
            "smtp://user:hunter2/x@relay.example",
            "smtp://user:hunter2?x@relay.example",
            "smtp://user:hunter2%zz@relay.example",
            "user:hunter2@relay.example",
            "smtp://user:hunter2@relay.example:99999",
            "smtp://user:hunter2@re lay",
        ] {
            let error = Route::parse(line).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn what_is_unknown_is_an_error() {
        let check = |line: &str, expect: RouteError| assert_eq!(Route::parse(line), Err(expect), "{line}");
        check("relay.example", RouteError::Scheme);
        check("http://relay.example", RouteError::Scheme);
        check("smtp://", RouteError::Host);
        check("smtp://relay.example:0", RouteError::Port);
        check("smtp://relay.example:smtp", RouteError::Port);
        check("smtp://::1", RouteError::Host);
        check("smtp://[::1", RouteError::Host);
        check("smtp://user@relay.example", RouteError::Credentials);
        check("smtp://relay.example/path", RouteError::Path);
        check("smtp://relay.example?tls=1", RouteError::Parameter("tls".to_owned()));
        check("smtp://relay.example?starttls=yes", RouteError::StartTls("yes".to_owned()));
        check("smtp://relay.example?starttls=never&starttls=never", RouteError::Parameter("starttls".to_owned()));
        check("smtps://relay.example?starttls=required", RouteError::StartTlsOverTls);
        check("smtp://relay.example?pin=sha1:00", RouteError::Pin("sha1:00".to_owned()));
    }

    #[test]
    fn a_pinned_certificate_requires_encryption() {
        let pin = format!("sha256:{}", "0a".repeat(32));
        let pinned =
            smtp(&format!("smtp://relay.example?pin={pin}&pin={}", pin.to_uppercase().replace("SHA256", "sha256")));
        assert_eq!((pinned.encryption(), pinned.pins().len()), (Encryption::Required, 2));
        assert_eq!(smtp(&pinned.to_string()), pinned);
        assert_eq!(smtp(&format!("smtps://relay.example?pin={pin}")).encryption(), Encryption::Implicit);
        for way in ["never", "opportunistic"] {
            let line = format!("smtp://relay.example?starttls={way}&pin={pin}");
            assert_eq!(Route::parse(&line), Err(RouteError::PinWithoutTls(way)));
        }
    }

    #[test]
    fn loopback_is_recognised() {
        for line in ["smtp://localhost", "smtp://127.0.0.2:25", "smtp://[::1]:25", "file:x"] {
            assert!(Route::parse(line).unwrap().is_loopback(), "{line}");
        }
        for line in ["smtp://localhost.example", "smtp://192.0.2.1", "smtp://127.0.0.1.example"] {
            assert!(!Route::parse(line).unwrap().is_loopback(), "{line}");
        }
        assert_eq!(smtp("smtp://[::1]:2525").to_string(), "smtp://[::1]:2525");
    }
}
