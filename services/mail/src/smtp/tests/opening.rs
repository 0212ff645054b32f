//! Opening: greetings, STARTTLS, TLS from the first byte, AUTH.

use super::{
    super::{Connection, Deadlines, Fault, FaultKind, Phase},
    server::{LONG, PLAIN, play},
};

const OFFERED: &[&str] = &["<220 hi", ">EHLO us.example", "<250-relay.example", "<250 STARTTLS"];
const UPGRADED: &[&str] = &[">STARTTLS", "<220 go", "tls", ">EHLO us.example", "<250-relay.example", "<250 PIPELINING"];

/// Opening by `line` must fail like this.
async fn check_fault(line: &str, parts: &[&[&'static str]], phase: Phase, kind: FaultKind) -> Fault {
    let server = play(parts).await;
    let fault = server.open(line).await.map(drop).unwrap_err();
    assert_eq!((fault.phase, fault.kind), (phase, kind), "{fault:?}");
    assert!(fault.route_down && !fault.past_dot, "{fault:?}");
    server.heard().await;
    fault
}

/// Opening by `line` must go well; how the stream is encrypted.
async fn check_open(line: &str, parts: &[&[&'static str]]) -> Option<String> {
    let server = play(&[parts, &[&[">QUIT", "<221 bye"]]].concat()).await;
    let connection = server.open(line).await.unwrap();
    let tls = connection.tls().map(str::to_owned);
    connection.quit().await;
    server.heard().await;
    tls
}

#[tokio::test]
async fn a_greeting_other_than_220_is_the_end() {
    let line = "smtp://127.0.0.1:PORT";
    let refused = |permanent| FaultKind::Refused { permanent };
    check_fault(line, &[&["<554 no", "hang"]], Phase::Greeting, refused(true)).await;
    check_fault(line, &[&["<421 busy", "hang"]], Phase::Greeting, refused(false)).await;
    check_fault(line, &[&["<250 hi", "hang"]], Phase::Greeting, FaultKind::Protocol).await;
    check_fault(line, &[&["<220 hi", ">EHLO us.example", "<502 what", "end"]], Phase::Ehlo, refused(true)).await;
}

#[tokio::test]
async fn a_name_that_would_break_ehlo_is_refused_before_connecting() {
    for name in ["", "a b", "a\r\nRSET"] {
        let server = play(&[&["hang"]]).await;
        let fault = Connection::open(&server.route("smtp://127.0.0.1:PORT"), name, &Deadlines::all(LONG)).await;
        assert_eq!(fault.map(drop).unwrap_err().kind, FaultKind::Unsendable);
        server.heard.abort();
    }
}

#[tokio::test]
async fn starttls_is_used_where_it_is_offered() {
    let tls = check_open("smtp://127.0.0.1:PORT", &[OFFERED, UPGRADED]).await.unwrap();
    assert!(tls.starts_with("TLSv1_3 ") && tls.ends_with("certificate not checked"), "{tls}");
    assert_eq!(check_open("smtp://127.0.0.1:PORT", &[PLAIN]).await, None);
    assert_eq!(check_open("smtp://127.0.0.1:PORT", &[OFFERED, &[">STARTTLS", "<454 4.7.0 not now"]]).await, None);
    assert_eq!(check_open("smtp://127.0.0.1:PORT?starttls=never", &[OFFERED]).await, None);
}

#[tokio::test]
async fn mail_goes_through_an_encrypted_stream() {
    let mail = [">MAIL FROM:<a@us.example>", ">RCPT TO:<b@them.example>", ">DATA", "<250 ok", "<250 ok", "<354 go"];
    let server = play(&[OFFERED, UPGRADED, &mail, &["message", "<250 ok", ">QUIT", "<221 bye"]]).await;
    let mut connection = server.open_plain().await;
    connection.envelope("a@us.example", "b@them.example").await.unwrap();
    connection.message(b"under cover\r\n").await.unwrap();
    connection.quit().await;
    assert_eq!(server.heard().await, "under cover\r\n.\r\n");

    let server = play(&[OFFERED, UPGRADED, &mail, &["message", "close"]]).await;
    let mut connection = server.open_plain().await;
    connection.envelope("a@us.example", "b@them.example").await.unwrap();
    let fault = connection.message(b"under cover\r\n").await.unwrap_err();
    assert_eq!((fault.kind, fault.past_dot), (FaultKind::Lost, true));
}

#[tokio::test]
async fn required_encryption_is_never_given_up() {
    let line = "smtp://127.0.0.1:PORT?starttls=required";
    // Not offered: nothing is said behind EHLO.
    check_fault(line, &[PLAIN, &["end"]], Phase::StartTls, FaultKind::Tls).await;
    let refused = [OFFERED, &[">STARTTLS", "<454 4.7.0 not now", "end"]];
    check_fault(line, &refused, Phase::StartTls, FaultKind::Refused { permanent: false }).await;
    // A certificate that nobody vouches for.
    let fault = check_fault(line, &[OFFERED, UPGRADED], Phase::StartTls, FaultKind::Tls).await;
    assert!(fault.detail.contains("certificate"), "{fault}");
    check_fault("smtps://127.0.0.1:PORT", &[&["tls", "hang"]], Phase::StartTls, FaultKind::Tls).await;
}

/// Of `testdata/relay.cert.der`, as `openssl x509 -inform der -noout -fingerprint -sha256` prints it.
const PIN: &str = "B8:49:1E:72:A6:C8:6A:98:BA:7E:FF:EF:F5:6B:82:A3:BB:10:47:91:F0:B2:2E:AD:EF:3B:E0:55:44:16:5F:2D";

#[tokio::test]
async fn a_pinned_certificate_is_taken_whoever_signed_it_and_no_other_is() {
    let tls = check_open(&format!("smtp://127.0.0.1:PORT?pin=sha256:{PIN}"), &[OFFERED, UPGRADED]).await.unwrap();
    assert!(tls.ends_with("certificate pinned"), "{tls}");
    let other = format!("smtp://127.0.0.1:PORT?pin=sha256:{}", "00".repeat(32));
    let fault = check_fault(&other, &[OFFERED, UPGRADED], Phase::StartTls, FaultKind::Tls).await;
    assert!(fault.detail.contains("not the pinned one"), "{fault}");
    // Stripped: nothing is said in plain text.
    check_fault(&other, &[PLAIN, &["end"]], Phase::StartTls, FaultKind::Tls).await;
    check_fault(&other.replace("smtp:", "smtps:"), &[&["tls", "hang"]], Phase::StartTls, FaultKind::Tls).await;
}

#[tokio::test]
async fn plain_text_ahead_of_the_handshake_is_not_believed() {
    let injected = [OFFERED, &[">STARTTLS", "<<220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n", "hang"]];
    check_fault("smtp://127.0.0.1:PORT", &injected, Phase::StartTls, FaultKind::Protocol).await;
}

#[tokio::test]
async fn a_handshake_has_a_deadline() {
    let server = play(&[&["hang"]]).await;
    let deadlines = Deadlines { starttls: std::time::Duration::from_millis(60), ..Deadlines::all(LONG) };
    let opened = Connection::open(&server.route("smtps://127.0.0.1:PORT"), "us.example", &deadlines).await;
    let fault = opened.map(drop).unwrap_err();
    assert_eq!((fault.phase, fault.kind), (Phase::StartTls, FaultKind::TimedOut));
}

fn with_auth(mechanisms: &'static str) -> Vec<&'static str> {
    vec!["<220 hi", ">EHLO us.example", "<250-relay.example", mechanisms]
}

#[tokio::test]
async fn user_and_password_are_said_by_plain_or_login() {
    let line = "smtp://user:pass@127.0.0.1:PORT";
    let plain = [&with_auth("<250 AUTH LOGIN PLAIN"), &[">AUTH PLAIN AHVzZXIAcGFzcw==", "<235 ok"][..]];
    check_open(line, &plain).await;
    let login = [">AUTH LOGIN", "<334 VXNlcm5hbWU6", ">dXNlcg==", "<334 UGFzc3dvcmQ6", ">cGFzcw==", "<235 ok"];
    check_open(line, &[&with_auth("<250 auth login"), &login]).await;
}

#[tokio::test]
async fn what_goes_wrong_with_auth_concerns_the_route_and_keeps_the_password() {
    let line = "smtp://user:pass@127.0.0.1:PORT";
    let refused = [&with_auth("<250 AUTH PLAIN"), &[">AUTH PLAIN AHVzZXIAcGFzcw==", "<535 5.7.8 wrong", "end"][..]];
    let fault = check_fault(line, &refused, Phase::Auth, FaultKind::Refused { permanent: true }).await;
    assert!(!format!("{fault} {fault:?}").contains("pass"), "{fault:?}");
    let other = [&with_auth("<250 AUTH CRAM-MD5"), &["end"][..]];
    check_fault(line, &other, Phase::Auth, FaultKind::Protocol).await;
    let nonsense = [&with_auth("<250 AUTH LOGIN"), &[">AUTH LOGIN", "<334 ????", "end"][..]];
    check_fault(line, &nonsense, Phase::Auth, FaultKind::Protocol).await;
}

#[tokio::test]
async fn a_password_does_not_leave_the_host_in_plain_text() {
    // 0.0.0.0 reaches this host, but counts as another.
    let line = "smtp://user:pass@0.0.0.0:PORT";
    check_fault(line, &[&with_auth("<250 AUTH PLAIN"), &["end"]], Phase::Auth, FaultKind::Tls).await;
    // Encrypted for anybody is not enough for a password.
    check_fault(line, &[OFFERED, UPGRADED], Phase::StartTls, FaultKind::Tls).await;
    let wished = [&with_auth("<250 AUTH PLAIN"), &[">AUTH PLAIN AHVzZXIAcGFzcw==", "<235 ok"][..]];
    check_open("smtp://user:pass@0.0.0.0:PORT?starttls=never", &wished).await;
}
