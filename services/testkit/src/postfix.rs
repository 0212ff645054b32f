//! A real relay: Postfix with folders and a port of its own, which hands mail on to mailboxes and reports to us.
//!
//! It takes every recipient and finds out later who exists, so its reports are real. Debian's own service is never
//! touched.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, ensure};

use crate::guard::Guard;

const MAIN: &str = "
compatibility_level = 3.6
queue_directory = @/queue
data_directory = @/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = @/log
maillog_file_prefixes = @
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = relay.example
mydestination =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = check_policy_service inet:$POLICY, permit_mynetworks, reject
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtp_tls_security_level = none
lmtp_tls_security_level = none
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = @/etc/certificate
smtpd_tls_key_file = @/etc/key
default_transport = lmtp:unix:$SOCKET
transport_maps = texthash:@/etc/transport
notify_classes =
delay_warning_time = 1s
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
";

const MASTER: &str = "
$ADDRESS inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
tlsmgr unix - - n 1000? 1 tlsmgr
";

/// Somebody else can take a port between our look and the server's bind.
const PORT_TRIES: usize = 3;

/// Where a relay hands mail on to, and whom it makes wait.
#[derive(Debug)]
pub struct Ways<'a> {
    /// The LMTP socket that takes mail for everybody else.
    pub mailboxes: &'a Path,
    /// The domain whose mail goes back to us: reports.
    pub ours: &'a str,
    /// Where that goes.
    pub back: SocketAddr,
    /// Addresses that are greylisted: their first try is answered with 450.
    pub greylisted: BTreeSet<String>,
}

/// A running Postfix; it is stopped and removed when this is dropped.
#[derive(Debug)]
pub struct Relay {
    guard: Guard,
    address: SocketAddr,
    fingerprint: String,
}

impl Relay {
    /// Starts it.
    pub fn start(ways: Ways<'_>) -> Result<Relay> {
        let policy = TcpListener::bind("127.0.0.1:0")?;
        let policy_address = policy.local_addr()?;
        let greylisted = ways.greylisted.clone();
        thread::spawn(move || decide(&policy, greylisted));
        let mut tries = 0;
        loop {
            tries += 1;
            match start_once(&ways, policy_address) {
                Err(error) if tries < PORT_TRIES && format!("{error:#}").contains("in use") => {}
                done => return done,
            }
        }
    }

    /// Where it listens, as the product wants it: only with TLS, and with its own certificate.
    pub fn url(&self) -> String {
        format!("smtp://{}?pin=sha256:{}", self.address, self.fingerprint)
    }

    /// What it wrote into its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.guard.path("log")).unwrap_or_default()
    }
}

fn start_once(ways: &Ways<'_>, policy: SocketAddr) -> Result<Relay> {
    let folder = Guard::folder("forthright-relay-")?;
    for name in ["etc", "queue", "data"] {
        fs::create_dir(folder.join(name))?;
    }
    let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).context("no free port")?;
    let main = MAIN
        .replace('@', &folder.display().to_string())
        .replace("$POLICY", &policy.to_string())
        .replace("$SOCKET", &ways.mailboxes.display().to_string());
    fs::write(folder.join("etc/main.cf"), main)?;
    fs::write(folder.join("etc/master.cf"), MASTER.replace("$ADDRESS", &address.to_string()))?;
    fs::write(folder.join("etc/dynamicmaps.cf"), "")?;
    let back = format!("{} smtp:[{}]:{}\n", ways.ours, ways.back.ip(), ways.back.port());
    fs::write(folder.join("etc/transport"), back)?;
    let fingerprint = certificate(&folder.join("etc"))?;
    let guard = Guard::start(
        folder,
        "chown postfix \"$folder/data\"\npostfix -c \"$folder/etc\" start </dev/null >\"$folder/out\" 2>&1",
        "postfix -c \"$folder/etc\" abort",
    )?;
    let relay = Relay { guard, address, fingerprint };
    relay.guard.wait(|| greets(address))?;
    Ok(relay)
}

/// Makes a key and a certificate that nobody signed; its fingerprint.
fn certificate(folder: &Path) -> Result<String> {
    let openssl = |words: &[&str]| {
        let output = Command::new("openssl").args(words).current_dir(folder).output().context("openssl is missing")?;
        let said = String::from_utf8_lossy(if output.status.success() { &output.stdout } else { &output.stderr });
        ensure!(output.status.success(), "openssl {words:?}: {said}");
        Ok(said.trim().to_owned())
    };
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    openssl(&[&new[..], &["-subj", "/CN=relay.example", "-keyout", "key", "-out", "certificate"]].concat())?;
    let printed = openssl(&["x509", "-in", "certificate", "-noout", "-fingerprint", "-sha256"])?;
    printed.split_once('=').map(|(_, hex)| hex.to_owned()).context("openssl printed no fingerprint")
}

fn greets(address: SocketAddr) -> bool {
    let mut greeting = [0; 3];
    TcpStream::connect(address).and_then(|mut stream| stream.read_exact(&mut greeting)).is_ok() && greeting == *b"220"
}

/// Postfix's own protocol for restrictions: lines of `name=value`, an empty one, and an answer of the same form.
fn decide(policy: &TcpListener, waiting: BTreeSet<String>) {
    let waiting = std::sync::Arc::new(std::sync::Mutex::new(waiting));
    for stream in policy.incoming().flatten() {
        let waiting = std::sync::Arc::clone(&waiting);
        thread::spawn(move || {
            let Ok(mut answers) = stream.try_clone() else { return };
            let mut recipient = String::new();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("recipient=") {
                    recipient = address.to_lowercase();
                }
                if line.is_empty() {
                    let is_first = waiting.lock().is_ok_and(|mut waiting| waiting.remove(&recipient));
                    let action = if is_first { "450 4.2.0 greylisted, come again" } else { "DUNNO" };
                    if write!(answers, "action={action}\n\n").is_err() {
                        return;
                    }
                }
            }
        });
    }
}
