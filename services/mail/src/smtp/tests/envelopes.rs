//! Envelopes: pipelined and not, refused in each phase, announced parameters.

use super::{
    super::{Fault, FaultKind, Phase},
    server::{PIPELINING, PLAIN, play},
};

const FROM: &str = "notices@us.example";
const TO: &str = "security@them.example";
const MAIL: &str = ">MAIL FROM:<notices@us.example>";
const RCPT: &str = ">RCPT TO:<security@them.example>";
const GOES_ON: &[&str] = &["<250 2.1.0 ok", "<250 2.1.5 ok", "<354 go"];

fn refusal(fault: &Fault) -> (Phase, u16, bool) {
    match (fault.kind, &fault.reply) {
        (FaultKind::Refused { permanent }, Some(reply)) => (fault.phase, reply.code, permanent),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_pipelining_server_hears_the_whole_envelope_before_it_answers() {
    let twice = [&[MAIL, RCPT, ">DATA", "quiet"], GOES_ON, &["message", "<250 2.0.0 queued as 1"]].concat();
    let server = play(&[PIPELINING, &twice, &twice, &[">QUIT", "<221 bye", "end"]]).await;
    let mut connection = server.open_plain().await;
    for count in 1..=2 {
        connection.envelope(FROM, TO).await.unwrap();
        let reply = connection.message(b"Subject: x\r\n\r\nbody\r\n").await.unwrap();
        assert_eq!((reply.code, reply.enhanced.as_deref(), reply.text.as_str()), (250, Some("2.0.0"), "queued as 1"));
        assert_eq!(connection.messages(), count);
    }
    connection.quit().await;
    assert_eq!(server.heard().await, "Subject: x\r\n\r\nbody\r\n.\r\n".repeat(2));
}

#[tokio::test]
async fn a_server_without_pipelining_hears_one_command_at_a_time() {
    let envelope = [
        MAIL,
        "quiet",
        "<250 ok",
        RCPT,
        "quiet",
        "<251 will forward",
        ">DATA",
        "quiet",
        "<354 go",
        "message",
        "<250 ok",
    ];
    let server = play(&[PLAIN, &envelope, &["end"]]).await;
    let mut connection = server.open_plain().await;
    connection.envelope(FROM, TO).await.unwrap();
    connection.message(b"body\r\n").await.unwrap();
    assert!(connection.is_usable());
    drop(connection);
    assert_eq!(server.heard().await, "body\r\n.\r\n");
}

/// Plays a refused envelope, then a good one on the same connection, behind RSET.
async fn check_refused(greeting: &[&'static str], refused: &[&'static str], expect: (Phase, u16, bool)) {
    let pipelining = greeting == PIPELINING;
    let again: &[&str] = if pipelining {
        &[">RSET", MAIL, RCPT, ">DATA", "<250 reset", "<250 ok", "<250 ok", "<354 go", "message", "<250 ok", "end"]
    } else {
        &[">RSET", "<250 reset", MAIL, "<250 ok", RCPT, "<250 ok", ">DATA", "<354 go", "message", "<250 ok", "end"]
    };
    let server = play(&[greeting, refused, again]).await;
    let mut connection = server.open_plain().await;
    let fault = connection.envelope(FROM, TO).await.unwrap_err();
    assert_eq!(refusal(&fault), expect);
    assert!(!fault.past_dot && !fault.route_down && connection.is_usable(), "{fault:?}");
    connection.envelope(FROM, TO).await.unwrap();
    connection.message(b"second\r\n").await.unwrap();
    drop(connection);
    assert_eq!(server.heard().await, "second\r\n.\r\n");
}

#[tokio::test]
async fn a_refusal_in_any_phase_is_told_and_the_connection_goes_on_behind_rset() {
    let check = check_refused;
    check(PLAIN, &[MAIL, "<451 4.3.0 later"], (Phase::Mail, 451, false)).await;
    check(PLAIN, &[MAIL, "<250 ok", RCPT, "<550 5.1.1 unknown"], (Phase::Rcpt, 550, true)).await;
    check(PLAIN, &[MAIL, "<250 ok", RCPT, "<250 ok", ">DATA", "<554 no"], (Phase::Data, 554, true)).await;

    let said = [MAIL, RCPT, ">DATA"];
    let mail = [&said[..], &["<550 5.7.1 not you", "<503 mail first", "<503 mail first"]].concat();
    check(PIPELINING, &mail, (Phase::Mail, 550, true)).await;
    let rcpt = [&said[..], &["<250 ok", "<450 4.2.0 greylisted", "<554 nobody"]].concat();
    check(PIPELINING, &rcpt, (Phase::Rcpt, 450, false)).await;
    let data = [&said[..], &["<250 ok", "<250 ok", "<452 4.3.1 full"]].concat();
    check(PIPELINING, &data, (Phase::Data, 452, false)).await;
}

#[tokio::test]
async fn data_granted_to_nobody_is_ended_by_a_lone_dot_that_accepts_nothing() {
    for answer in ["<250 2.0.0 queued", "<554 no valid recipients"] {
        let granted = [MAIL, RCPT, ">DATA", "<250 ok", "<550 5.1.1 unknown", "<354 go", ">.", answer];
        check_refused(PIPELINING, &granted, (Phase::Rcpt, 550, true)).await;
    }
}

#[tokio::test]
async fn a_refusal_stands_when_the_connection_breaks_behind_it() {
    for rest in [&["close"][..], &["<354 go", ">.", "close"], &["<421 4.3.2 going down", "close"]] {
        let server = play(&[PIPELINING, &[MAIL, RCPT, ">DATA", "<250 ok", "<550 5.1.1 unknown"], rest]).await;
        let mut connection = server.open_plain().await;
        let fault = connection.envelope(FROM, TO).await.unwrap_err();
        assert_eq!(refusal(&fault), (Phase::Rcpt, 550, true));
        assert!(!connection.is_usable(), "{rest:?}");
    }
}

#[tokio::test]
async fn a_server_that_goes_down_is_a_matter_of_the_route() {
    let server = play(&[PIPELINING, &[MAIL, RCPT, ">DATA", "<421 4.3.2 going down", "close"]]).await;
    let mut connection = server.open_plain().await;
    let fault = connection.envelope(FROM, TO).await.unwrap_err();
    assert_eq!(refusal(&fault), (Phase::Mail, 421, false));
    assert!(fault.route_down && !connection.is_usable());

    let server = play(&[PLAIN, &[MAIL, "<530 5.7.0 authentication required", "end"]]).await;
    let fault = server.open_plain().await.envelope(FROM, TO).await.unwrap_err();
    assert!(fault.route_down, "{fault:?}");
}

#[tokio::test]
async fn a_refused_reset_is_no_refusal_of_the_next_message() {
    let server = play(&[PLAIN, &[MAIL, "<450 later", ">RSET", "<502 what", "end"]]).await;
    let mut connection = server.open_plain().await;
    connection.envelope(FROM, TO).await.unwrap_err();
    let fault = connection.envelope(FROM, TO).await.unwrap_err();
    assert_eq!((fault.phase, fault.kind, fault.route_down), (Phase::Reset, FaultKind::Protocol, true));
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn parameters_are_said_where_they_are_offered_and_needed() {
    let offers =
        ["<220 hi", ">EHLO us.example", "<250-relay.example", "<250-SIZE 1000", "<250-8BITMIME", "<250 SMTPUTF8"];
    let refused = "<450 enough seen";
    let steps = [
        ">MAIL FROM:<notices@us.example>",
        refused,
        ">RSET",
        "<250 ok",
        ">MAIL FROM:<> SIZE=4",
        refused,
        ">RSET",
        "<250 ok",
        ">MAIL FROM:<notices@us.example> SIZE=2 BODY=8BITMIME",
        refused,
        ">RSET",
        "<250 ok",
        ">MAIL FROM:<notices@us.example> SMTPUTF8",
        "<250 ok",
        ">RCPT TO:<jürgen@xn--mnchen-3ya.example>",
        refused,
        "end",
    ];
    let server = play(&[&offers, &steps]).await;
    let mut connection = server.open_plain().await;
    connection.envelope(FROM, TO).await.unwrap_err();
    connection.envelope_for("", TO, b"1234", None).await.unwrap_err();
    connection.envelope_for(FROM, TO, "ü".as_bytes(), None).await.unwrap_err();
    let fault = connection.envelope_for(FROM, TO, &[b'x'; 1001], None).await.unwrap_err();
    assert_eq!((fault.kind, connection.is_usable()), (FaultKind::Unsendable, true));
    let fault = connection.envelope(FROM, "jürgen@münchen.example").await.unwrap_err();
    assert_eq!(fault.phase, Phase::Rcpt);
    drop(connection);
    server.heard().await;
}

#[tokio::test]
async fn what_a_server_cannot_take_is_not_said_to_it() {
    let server = play(&[PLAIN, &["end"]]).await;
    let mut connection = server.open_plain().await;
    for (from, to) in [
        (FROM, "jürgen@them.example"),
        (FROM, "no address"),
        (FROM, "a@b.example>\r\nRCPT TO:<c@d.example"),
        ("a@b.example\r\nRSET", TO),
        (FROM, ""),
    ] {
        let fault = connection.envelope(from, to).await.unwrap_err();
        assert_eq!((fault.kind, fault.route_down), (FaultKind::Unsendable, false), "{to}");
    }
    let fault = connection.envelope_for(FROM, TO, "ü".as_bytes(), None).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsendable);
    assert!(connection.is_usable());
    drop(connection);
    server.heard().await;
}
