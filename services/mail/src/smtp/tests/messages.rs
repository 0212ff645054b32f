//! The message and its final dot: what counts as acceptance, dots, sizes, what is certain after a loss.

use std::time::Duration;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::Mutex,
    time::timeout,
};

use super::{
    super::{Connection, Deadlines, FaultKind, Phase},
    server::{LONG, PIPELINING, PLAIN, Server, play},
};

const FROM: &str = "notices@us.example";
const TO: &str = "security@them.example";
const ENVELOPE: &[&str] =
    &[">MAIL FROM:<notices@us.example>", ">RCPT TO:<security@them.example>", ">DATA", "<250 ok", "<250 ok", "<354 go"];

/// A connection on which 354 was given.
async fn at_data(rest: &[&'static str]) -> (Server, Connection) {
    let server = play(&[PIPELINING, ENVELOPE, rest]).await;
    let mut connection = server.open_plain().await;
    connection.envelope(FROM, TO).await.unwrap();
    (server, connection)
}

#[tokio::test]
async fn dots_are_doubled_and_the_last_line_is_ended() {
    let (server, mut connection) = at_data(&["message", "<250 ok", "end"]).await;
    connection.message(b".\r\n..a\r\nb.\r\nlast").await.unwrap();
    drop(connection);
    assert_eq!(server.heard().await, "..\r\n...a\r\nb.\r\nlast\r\n.\r\n");
}

#[tokio::test]
async fn a_refusal_after_the_dot_is_definite_and_the_connection_goes_on_behind_rset() {
    for (refused, code, permanent) in [("<451 4.3.0 later", 451, false), ("<550 5.7.1 spam", 550, true)] {
        let again = [">RSET", ENVELOPE[0], ENVELOPE[1], ">DATA", "<250 reset", "<250 ok", "<250 ok", "<354 go"];
        let (server, mut connection) =
            at_data(&[&["message", refused], &again[..], &["message", "<250 ok", "end"]].concat()).await;
        let fault = connection.message(b"one\r\n").await.unwrap_err();
        assert_eq!((fault.phase, fault.kind), (Phase::Dot, FaultKind::Refused { permanent }));
        assert_eq!((fault.reply.unwrap().code, fault.route_down), (code, false));
        connection.envelope(FROM, TO).await.unwrap();
        connection.message(b"two\r\n").await.unwrap();
        assert_eq!(connection.messages(), 2);
        drop(connection);
        assert_eq!(server.heard().await, "one\r\n.\r\ntwo\r\n.\r\n");
    }
}

#[tokio::test]
async fn only_code_250_is_acceptance() {
    for answer in ["<251 fine", "<200 fine", "<354 more", "<221 bye"] {
        let (_server, mut connection) = at_data(&["message", answer, "hang"]).await;
        let fault = connection.message(b"one\r\n").await.unwrap_err();
        assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Dot, FaultKind::Protocol, true), "{answer}");
        assert!(!connection.is_usable());
    }
}

#[tokio::test]
async fn going_down_after_the_dot_is_a_refusal_that_ends_the_connection() {
    let (_server, mut connection) = at_data(&["message", "<421 4.3.2 going down", "close"]).await;
    let fault = connection.message(b"one\r\n").await.unwrap_err();
    assert_eq!((fault.kind, fault.past_dot), (FaultKind::Refused { permanent: false }, true));
    assert!(fault.route_down && !connection.is_usable());
}

#[tokio::test]
async fn a_loss_after_the_dot_is_uncertain() {
    for rest in [["message", "close"], ["message", "reset"]] {
        let (server, mut connection) = at_data(&rest).await;
        let fault = connection.message(b"one\r\n").await.unwrap_err();
        assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Dot, FaultKind::Lost, true));
        assert!(fault.to_string().contains("not known"), "{fault}");
        assert!(!connection.is_usable());
        assert_eq!(server.heard().await, "one\r\n.\r\n");
    }
}

#[tokio::test]
async fn a_loss_that_is_seen_before_the_message_is_certain() {
    for rest in ["close", "reset"] {
        let (server, mut connection) = at_data(&[rest]).await;
        server.heard().await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        let fault = connection.message(b"one\r\n").await.unwrap_err();
        assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Body, FaultKind::Lost, false));
        assert!(!connection.is_usable());
    }
}

#[tokio::test]
async fn a_loss_inside_a_long_message_is_certain() {
    let (_server, mut connection) = at_data(&["some", "reset"]).await;
    let long = b"0123456789abcdef0123456789abcdef\r\n".repeat(1_000_000);
    let fault = connection.message(&long).await.unwrap_err();
    assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Body, FaultKind::Lost, false));
}

#[tokio::test]
async fn a_long_message_arrives_whole() {
    let (server, mut connection) = at_data(&["message", "<250 ok", "end"]).await;
    let long = ".0123456789abcdef0123456789abcdef\r\n".repeat(20_000);
    connection.message(long.as_bytes()).await.unwrap();
    drop(connection);
    assert_eq!(server.heard().await, format!("{}.\r\n", long.replace(".0", "..0")));
}

#[tokio::test]
async fn eight_bit_characters_are_not_sent_unannounced() {
    let (server, mut connection) = at_data(&["end"]).await;
    let fault = connection.message("ü\r\n".as_bytes()).await.unwrap_err();
    assert_eq!((fault.kind, fault.past_dot, connection.is_usable()), (FaultKind::Unsendable, false, false));
    drop(connection);
    server.heard().await;
}

#[tokio::test]
async fn a_dropped_future_ends_the_connection() {
    let (_server, mut connection) = at_data(&["message", "hang"]).await;
    assert!(timeout(Duration::from_millis(50), connection.message(b"one\r\n")).await.is_err());
    assert!(!connection.is_usable());
    let fault = connection.envelope(FROM, TO).await.unwrap_err();
    assert!(fault.route_down && !fault.past_dot, "{fault:?}");
    assert!(connection.message(b"one\r\n").await.is_err());
}

#[tokio::test]
async fn a_reply_that_nobody_asked_for_is_never_taken_for_acceptance() {
    // At the dot: the reply of a server that is out of step comes ahead of the message.
    let (server, mut connection) = at_data(&["<250 2.0.0 queued", "hang"]).await;
    tokio::time::sleep(Duration::from_millis(30)).await;
    let fault = connection.message(b"one\r\n").await.unwrap_err();
    assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Body, FaultKind::Protocol, false));
    drop((server, connection));

    // Between messages: a time-out of the server, and a server that leaves.
    for (rest, kind) in [
        (&["<421 4.4.2 idle too long", "close"][..], FaultKind::Refused { permanent: false }),
        (&["close"], FaultKind::Lost),
        (&["<250 ok", "hang"], FaultKind::Protocol),
    ] {
        let server = play(&[PLAIN, rest]).await;
        let mut connection = server.open_plain().await;
        tokio::time::sleep(Duration::from_millis(30)).await;
        let fault = connection.envelope(FROM, TO).await.unwrap_err();
        assert_eq!((fault.phase, fault.kind, fault.route_down), (Phase::Mail, kind, true));
        assert!(!connection.is_usable());
    }
}

#[tokio::test]
async fn quit_inside_a_transaction_says_nothing() {
    let (server, connection) = at_data(&["end"]).await;
    connection.quit().await;
    assert_eq!(server.heard().await, "");
}

/// Takes messages for ever and answers each with a digest of what arrived after undoing the doubled dots.
async fn echo_digests(listener: TcpListener) {
    let (tcp, _) = listener.accept().await.unwrap();
    tcp.set_nodelay(true).unwrap();
    let mut side = BufReader::new(tcp);
    side.write_all(b"220 hi\r\n").await.unwrap();
    let (mut line, mut message, mut inside) = (Vec::new(), Vec::new(), false);
    while {
        line.clear();
        side.read_until(b'\n', &mut line).await.unwrap() > 0
    } {
        let answer = match (inside, line.as_slice()) {
            (true, b".\r\n") => {
                inside = false;
                format!("250 {}\r\n", model::digest::sha256(&std::mem::take(&mut message)))
            }
            (true, line) => {
                message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
                continue;
            }
            (false, b"DATA\r\n") => {
                inside = true;
                "354 go\r\n".to_owned()
            }
            (false, b"EHLO us.example\r\n") => "250-x\r\n250-PIPELINING\r\n250 8BITMIME\r\n".to_owned(),
            (false, _) => "250 ok\r\n".to_owned(),
        };
        side.write_all(answer.as_bytes()).await.unwrap();
    }
}

#[test]
fn any_message_reads_back_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connection = runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let heard_port = listener.local_addr().unwrap().port();
        let server = Server { port: heard_port, heard: tokio::spawn(async { Vec::new() }) };
        tokio::spawn(echo_digests(listener));
        let route = server.route("smtp://127.0.0.1:PORT");
        Mutex::new(Connection::open(&route, "us.example", &Deadlines::all(LONG)).await.unwrap())
    });
    let lines = proptest::collection::vec("(\\.{0,3}[^\r\n]{0,20}|[^\r\n]{0,200})", 0..20);
    let messages = lines.prop_map(|lines| lines.iter().map(|line| format!("{line}\r\n")).collect::<String>());
    let mut runner = TestRunner::new(Config { cases: 200, ..Config::default() });
    let result = runner.run(&messages, |message| {
        let reply = runtime.block_on(async {
            let mut connection = connection.lock().await;
            connection.envelope_for(FROM, TO, message.as_bytes(), None).await.unwrap();
            connection.message(message.as_bytes()).await.unwrap()
        });
        assert_eq!(reply.text, model::digest::sha256(message.as_bytes()));
        Ok(())
    });
    result.unwrap();
}
