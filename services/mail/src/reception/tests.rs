//! Conversations with clients of every kind, in memory.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::*;

const LARGEST: usize = 100_000;
const OURS: &str = "reply+0123456789abcdefghjkmnpqrstvwxyz@vendor.example";

/// Keeps in memory, or refuses.
#[derive(Default)]
struct Memory {
    kept: Mutex<Vec<Arrived>>,
    refuse: Option<NotKept>,
}

impl Keeper for Memory {
    async fn keep(&self, mail: Arrived) -> Result<(), NotKept> {
        match self.refuse {
            Some(why) => Err(why),
            None => {
                self.kept.lock().unwrap().push(mail);
                Ok(())
            }
        }
    }
}

struct Client {
    stream: DuplexStream,
    memory: Arc<Memory>,
    serving: JoinHandle<Ended>,
}

/// What a test changes.
struct With {
    protocol: Protocol,
    idle: Duration,
    tls: Option<Tls>,
    refuse: Option<NotKept>,
}

impl Default for With {
    fn default() -> Self {
        Self { protocol: Protocol::Smtp, idle: Duration::from_secs(60), tls: None, refuse: None }
    }
}

impl Client {
    fn new(with: With) -> Self {
        let (stream, served) = tokio::io::duplex(1 << 20);
        let memory = Arc::new(Memory { kept: Mutex::default(), refuse: with.refuse });
        let keeper = Arc::clone(&memory);
        let serving = tokio::spawn(async move {
            let house = House::new("mx.vendor.example".to_owned(), Addresses::of("reply@vendor.example"), with.tls);
            let limits = Limits { recipients: 3, mistakes: 5, ..Limits::new(LARGEST, with.idle) };
            let call = Call { house: &house, protocol: with.protocol, peer: Ipv4Addr::LOCALHOST.into(), limits };
            converse(Box::new(served), &call, &*keeper, std::future::pending()).await
        });
        Self { stream, memory, serving }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Everything it says until it closes, how it ended, and what was kept.
    async fn end(mut self) -> (String, Ended, Vec<Arrived>) {
        let mut said = String::new();
        self.stream.read_to_string(&mut said).await.unwrap();
        let ended = self.serving.await.unwrap();
        (said, ended, std::mem::take(&mut *self.memory.kept.lock().unwrap()))
    }
}

/// The codes of the replies to these bytes, sent at once.
async fn codes(with: With, bytes: &[u8]) -> (Vec<String>, Ended, Vec<Arrived>) {
    let mut client = Client::new(with);
    client.send(bytes).await;
    let (said, ended, kept) = client.end().await;
    let last = |line: &&str| line.as_bytes().get(3) == Some(&b' ');
    (said.lines().filter(last).map(|line| line[..3].to_owned()).collect(), ended, kept)
}

async fn check(bytes: &str, expect: &str) -> Vec<Arrived> {
    let (said, _, kept) = codes(With::default(), bytes.as_bytes()).await;
    assert_eq!(said.join(" "), expect, "{bytes}");
    kept
}

fn envelope(to: &str) -> String {
    format!("EHLO client.example\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<{to}>\r\n")
}

#[tokio::test]
async fn a_mail_is_kept_as_it_came_with_its_envelope() {
    let kept = check(
        &format!("{}DATA\r\nSubject: x\r\n\r\n..hi\r\n.\r\nQUIT\r\n", envelope(OURS)),
        "220 250 250 250 354 250 221",
    )
    .await;
    assert_eq!(
        kept,
        [Arrived {
            protocol: Protocol::Smtp,
            peer: Ipv4Addr::LOCALHOST.into(),
            hello: "client.example".to_owned(),
            from: "a@x.example".to_owned(),
            to: vec![OURS.to_owned()],
            data: b"Subject: x\r\n\r\n.hi\r\n".to_vec(),
        }]
    );
}

#[tokio::test]
async fn bytes_that_come_one_by_one_are_the_same_mail() {
    let mut client = Client::new(With::default());
    for byte in format!("{}DATA\r\n..\r\n.\r\nQUIT\r\n", envelope(OURS)).bytes() {
        client.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    let (_, ended, kept) = client.end().await;
    assert_eq!((ended, &kept[0].data[..]), (Ended::Quit, &b".\r\n"[..]));
}

#[tokio::test]
async fn the_null_sender_and_postmaster_are_taken() {
    let kept = check(
        "HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<Postmaster>\r\nRCPT TO:<>\r\nDATA\r\n.\r\nQUIT\r\n",
        "220 250 250 250 550 354 250 221",
    )
    .await;
    assert_eq!((kept[0].from.as_str(), &kept[0].to[..]), ("", &["postmaster".to_owned()][..]));
}

#[tokio::test]
async fn nothing_is_relayed() {
    for theirs in [
        "x@other.example",
        "reply@other.example",
        "other@vendor.example",
        "x%other.example@vendor.example",
        "@vendor.example:x@other.example",
    ] {
        let kept = check(&format!("{}DATA\r\nQUIT\r\n", envelope(theirs)), "220 250 250 550 554 221").await;
        assert!(kept.is_empty());
    }
}

#[tokio::test]
async fn a_token_that_nobody_has_gets_the_same_words_as_any_other() {
    let said = async |to: &str| {
        let mut client = Client::new(With::default());
        client.send(format!("{}QUIT\r\n", envelope(to)).as_bytes()).await;
        client.end().await.0
    };
    assert_eq!(said(OURS).await, said("reply+zzzz@vendor.example").await);
}

#[tokio::test]
async fn commands_out_of_order_are_refused_and_change_nothing() {
    let kept = check(
        &format!("MAIL FROM:<a@x.example>\r\nRCPT TO:<{OURS}>\r\nDATA\r\nHELO c\r\nDATA\r\nQUIT\r\n"),
        "220 503 503 503 250 503 221",
    )
    .await;
    assert!(kept.is_empty());
    check(
        &format!("{}MAIL FROM:<b@x.example>\r\nRSET\r\nDATA\r\nQUIT\r\n", envelope(OURS)),
        "220 250 250 250 503 250 503 221",
    )
    .await;
}

#[tokio::test]
async fn a_message_too_large_is_refused_when_announced_and_when_sent_and_the_next_one_is_taken() {
    check(&format!("EHLO c\r\nMAIL FROM:<a@x.example> SIZE={}\r\nQUIT\r\n", LARGEST + 1), "220 250 552 221").await;
    let large = "x".repeat(LARGEST);
    let next = &envelope(OURS)["EHLO client.example\r\n".len()..];
    let kept = check(
        &format!("{}DATA\r\n{large}\r\n.\r\n{next}DATA\r\nhi\r\n.\r\nQUIT\r\n", envelope(OURS)),
        "220 250 250 250 354 552 250 250 354 250 221",
    )
    .await;
    assert_eq!(kept.len(), 1);
}

#[tokio::test]
async fn a_message_without_end_is_cut_off() {
    let endless = format!("{}DATA\r\n{}", envelope(OURS), "x".repeat(LARGEST * 3));
    let (said, ended, kept) = codes(With::default(), endless.as_bytes()).await;
    assert_eq!((said.join(" ").as_str(), ended, kept.len()), ("220 250 250 250 354 552 421", Ended::ShownOut, 0));
}

#[tokio::test]
async fn a_hidden_message_behind_a_false_end_is_content() {
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r\r\n"] {
        let hidden = format!("MAIL FROM:<evil@x.example>\r\nRCPT TO:<{OURS}>\r\nDATA\r\nevil\r\n.\r\n");
        let kept =
            check(&format!("{}DATA\r\nfirst{end}{hidden}QUIT\r\n", envelope(OURS)), "220 250 250 250 354 250 221")
                .await;
        assert_eq!((kept.len(), kept[0].from.as_str()), (1, "a@x.example"), "{end:?}");
    }
}

#[tokio::test]
async fn a_client_that_ends_lines_with_a_line_feed_alone_is_shown_out() {
    let (said, ended, _) = codes(With::default(), b"HELO c\nMAIL FROM:<a@x.example>\n").await;
    assert_eq!((said.join(" ").as_str(), ended), ("220 500 421", Ended::ShownOut));
}

#[tokio::test]
async fn a_browser_is_shown_out() {
    let (_, ended, kept) =
        codes(With::default(), format!("POST / HTTP/1.1\r\n{}DATA\r\nhi\r\n.\r\n", envelope(OURS)).as_bytes()).await;
    assert_eq!((ended, kept.len()), (Ended::ShownOut, 0));
}

#[tokio::test]
async fn noise_and_long_lines_end_the_connection_and_cost_little() {
    let (_, ended, _) = codes(With::default(), &b"\xff\x00\r\n".repeat(10)).await;
    assert_eq!(ended, Ended::ShownOut);
    let (said, ..) = codes(With::default(), format!("NOOP {}\r\nQUIT\r\n", "x".repeat(5_000)).as_bytes()).await;
    assert_eq!(said.join(" "), "220 500 221");
    let (_, ended, _) = codes(With::default(), &vec![b'x'; 200_000]).await;
    assert_eq!(ended, Ended::ShownOut);
}

#[tokio::test]
async fn recipients_beyond_the_limit_are_to_come_later() {
    let more: String = (0..3).map(|n| format!("RCPT TO:<reply+{n}@vendor.example>\r\n")).collect();
    let kept =
        check(&format!("{}{more}DATA\r\n.\r\nQUIT\r\n", envelope(OURS)), "220 250 250 250 250 250 452 354 250 221")
            .await;
    assert_eq!(kept[0].to.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_not_waited_for() {
    for part in [String::new(), "EHLO".to_owned(), format!("{}DATA\r\nhi", envelope(OURS))] {
        let mut client = Client::new(With::default());
        client.send(part.as_bytes()).await;
        let (said, ended, kept) = client.end().await;
        assert_eq!((ended, kept.len()), (Ended::Idle, 0), "{part}");
        assert!(said.ends_with("421 4.4.2 too slow\r\n"), "{said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_trickles_is_not_waited_for_without_end() {
    let mut client = Client::new(With::default());
    client.send(format!("{}DATA\r\n", envelope(OURS)).as_bytes()).await;
    let begun = tokio::time::Instant::now();
    while client.stream.write_all(b"x").await.is_ok() {
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert!(begun.elapsed() < Duration::from_secs(700));
    }
    assert_eq!(client.serving.await.unwrap(), Ended::Idle);
}

#[tokio::test]
async fn what_could_not_be_kept_is_not_acknowledged() {
    let mail = format!("{}DATA\r\nhi\r\n.\r\nQUIT\r\n", envelope(OURS));
    for (why, code) in [(NotKept::Full, "452"), (NotKept::Later, "451")] {
        let (said, ..) = codes(With { refuse: Some(why), ..With::default() }, mail.as_bytes()).await;
        assert_eq!(said.join(" "), format!("220 250 250 250 354 {code} 221"));
    }
}

#[tokio::test]
async fn lmtp_answers_for_each_recipient_and_knows_no_helo() {
    let with = With { protocol: Protocol::Lmtp, ..With::default() };
    let talk = format!(
        "EHLO c\r\nLHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<{OURS}>\r\nRCPT TO:<x@other.example>\r\nRCPT TO:<reply@vendor.example>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n"
    );
    let (said, _, kept) = codes(with, talk.as_bytes()).await;
    assert_eq!(said.join(" "), "220 502 250 250 250 550 250 354 250 250 221");
    assert_eq!(kept[0].to.len(), 2);
}

fn certificate(folder: &Path) -> (Tls, Vec<u8>) {
    let pem = |label: &str, der: &[u8]| {
        let body = base64(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    let (certificate, key) =
        (include_bytes!("../smtp/testdata/relay.cert.der"), include_bytes!("../smtp/testdata/relay.key.der"));
    let files = [folder.join("c.pem"), folder.join("k.pem")];
    std::fs::write(&files[0], pem("CERTIFICATE", certificate)).unwrap();
    std::fs::write(&files[1], pem("PRIVATE KEY", key)).unwrap();
    (Tls::load(&files[0], &files[1]).unwrap(), certificate.to_vec())
}

/// Takes one certificate and no other: ours is its own authority, which rustls takes for none.
#[derive(Debug)]
struct This(Vec<u8>);

impl ServerCertVerifier for This {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        assert_eq!(shown.as_ref(), self.0);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("both sides speak TLS 1.3")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) & 63;
            out.push(if at > three.len() { '=' } else { char::from(ALPHABET[six as usize]) });
        }
    }
    out
}

async fn until(stream: &mut (impl AsyncReadExt + Unpin), end: &str) {
    let mut said = Vec::new();
    while !String::from_utf8_lossy(&said).contains(end) {
        said.push(stream.read_u8().await.unwrap());
    }
}

#[tokio::test]
async fn behind_starttls_the_conversation_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, certificate) = certificate(folder.path());
    let mut client = Client::new(With { tls: Some(tls), ..With::default() });
    client.send(format!("{}STARTTLS\r\n", envelope(OURS)).as_bytes()).await;
    until(&mut client.stream, "220 2.0.0 go on\r\n").await;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(This(certificate)))
        .with_no_client_auth();
    let name = ServerName::try_from("relay.example").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, client.stream).await.unwrap();
    stream.write_all(b"DATA\r\nEHLO c\r\nQUIT\r\n").await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("503 ") && said.contains("SMTPUTF8") && !said.contains("STARTTLS"), "{said}");
    assert_eq!(client.serving.await.unwrap(), Ended::Quit);
}

#[tokio::test]
async fn what_is_sent_behind_starttls_in_the_clear_never_counts_as_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let (tls, _) = certificate(folder.path());
    let with = With { tls: Some(tls), ..With::default() };
    let (said, ended, _) = codes(with, b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<evil@x.example>\r\n").await;
    assert_eq!((said.join(" ").as_str(), ended), ("220 250 501 421", Ended::ShownOut));
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_, _) = certificate(folder.path());
    let (good, bad) = (folder.path().join("c.pem"), folder.path().join("none.pem"));
    assert!(Tls::load(&bad, &good).unwrap_err().to_string().contains("none.pem"));
    assert!(Tls::load(&good, &good).unwrap_err().to_string().contains("c.pem"));
}
