//! Each phase lost, too slow, and answered by garbage.

use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};

use super::{
    super::{Connection, Deadlines, Fault, FaultKind, Phase, wire::Wire},
    server::{LONG, play},
};

const FROM: &str = "notices@us.example";
const TO: &str = "security@them.example";

/// The conversation without PIPELINING; each entry is what has happened before the phase's reply.
const PHASES: [(Phase, &[&str]); 6] = [
    (Phase::Greeting, &[]),
    (Phase::Ehlo, &["<220 hi", ">EHLO us.example"]),
    (Phase::Mail, &["<250 hi", ">MAIL FROM:<notices@us.example>"]),
    (Phase::Rcpt, &["<250 ok", ">RCPT TO:<security@them.example>"]),
    (Phase::Data, &["<250 ok", ">DATA"]),
    (Phase::Dot, &["<354 go", "message"]),
];

/// Everything up to the reply of `phase`.
fn before(phase: Phase) -> Vec<&'static str> {
    PHASES.iter().filter(|(each, _)| *each <= phase).flat_map(|(_, steps)| steps.iter().copied()).collect()
}

/// Sends one message and hands out the fault that must come, with whether the connection survived.
async fn fault_of(script: &[&'static str], deadlines: Deadlines) -> (Fault, bool) {
    let server = play(&[script]).await;
    let mut connection = match Connection::open(&server.route("smtp://127.0.0.1:PORT"), "us.example", &deadlines).await
    {
        Ok(connection) => connection,
        Err(fault) => return (fault, false),
    };
    if let Err(fault) = connection.envelope(FROM, TO).await {
        return (fault, connection.is_usable());
    }
    let fault = connection.message(b"body\r\n").await.unwrap_err();
    (fault, connection.is_usable())
}

fn only(phase: Phase, limit: Duration) -> Deadlines {
    let mut deadlines = Deadlines::all(LONG);
    let field = match phase {
        Phase::Greeting => &mut deadlines.greeting,
        Phase::Ehlo => &mut deadlines.ehlo,
        Phase::StartTls => &mut deadlines.starttls,
        Phase::Auth => &mut deadlines.auth,
        Phase::Mail => &mut deadlines.mail,
        Phase::Rcpt => &mut deadlines.rcpt,
        Phase::Data => &mut deadlines.data,
        Phase::Body => &mut deadlines.body,
        Phase::Dot => &mut deadlines.dot,
        Phase::Connect | Phase::Reset | Phase::Quit => panic!("not played here"),
    };
    *field = limit;
    deadlines
}

/// The fault of each phase when its reply is replaced by `instead`; only the dot leaves the message in doubt.
async fn check_each_phase(instead: &'static str, kind: FaultKind) {
    for (phase, _) in PHASES {
        let deadlines =
            if kind == FaultKind::TimedOut { only(phase, Duration::from_millis(60)) } else { Deadlines::all(LONG) };
        let (fault, usable) = fault_of(&[before(phase), vec![instead]].concat(), deadlines).await;
        assert_eq!((fault.phase, fault.kind), (phase, kind), "{fault:?}");
        assert_eq!(fault.past_dot, phase == Phase::Dot, "{fault:?}");
        assert_eq!(fault.route_down, phase < Phase::Mail, "{fault:?}");
        assert!(!usable, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_connection_is_told_with_its_phase() {
    check_each_phase("close", FaultKind::Lost).await;
}

#[tokio::test]
async fn each_phase_has_its_own_deadline() {
    check_each_phase("hang", FaultKind::TimedOut).await;
}

#[tokio::test]
async fn garbage_is_never_an_answer() {
    check_each_phase("<SSH-2.0-server", FaultKind::Protocol).await;
}

#[tokio::test]
async fn half_a_reply_is_no_reply() {
    for (phase, _) in PHASES {
        let script = [before(phase), vec!["<250-first of", "<<250 second witho", "close"]].concat();
        let (fault, _) = fault_of(&script, Deadlines::all(LONG)).await;
        assert_eq!((fault.phase, fault.kind, fault.past_dot), (phase, FaultKind::Lost, phase == Phase::Dot));
    }
}

#[tokio::test]
async fn an_endless_reply_is_cut_off() {
    let endless: &'static str = Box::leak(format!("<<{}", "250-and\r\n".repeat(600)).into_boxed_str());
    for instead in [endless, Box::leak(format!("<<250 {}", "x".repeat(70_000)).into_boxed_str())] {
        let (fault, usable) =
            fault_of(&[before(Phase::Dot), vec![instead, "hang"]].concat(), Deadlines::all(LONG)).await;
        assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Dot, FaultKind::Protocol, true));
        assert!(fault.detail.contains("512 lines or 64 kB") && !usable, "{fault:?}");
    }
}

#[tokio::test]
async fn a_reply_that_trickles_does_not_stretch_the_deadline() {
    let (fault, _) = fault_of(
        &[before(Phase::Dot), vec!["<250-one", "quiet", "<250-two", "quiet", "<250-three", "hang"]].concat(),
        only(Phase::Dot, Duration::from_millis(75)),
    )
    .await;
    assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Dot, FaultKind::TimedOut, true));
}

#[tokio::test]
async fn a_server_that_takes_no_more_bytes_is_given_up_before_the_dot() {
    let server = play(&[&before(Phase::Data), &["<354 go", "some", "stay"]]).await;
    let deadlines = only(Phase::Body, Duration::from_millis(200));
    let route = server.route("smtp://127.0.0.1:PORT");
    let mut connection = Connection::open(&route, "us.example", &deadlines).await.unwrap();
    connection.envelope(FROM, TO).await.unwrap();
    let fault = connection.message(&b"0123456789abcdef\r\n".repeat(2_000_000)).await.unwrap_err();
    assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Body, FaultKind::TimedOut, false));
    server.heard.abort();
}

/// Two ends of a stream whose buffers are as small as the system allows.
async fn narrow_stream() -> (TcpStream, TcpStream) {
    let listening = TcpSocket::new_v4().unwrap();
    listening.set_recv_buffer_size(4_096).unwrap();
    listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listening.listen(1).unwrap();
    let ours = TcpSocket::new_v4().unwrap();
    ours.set_send_buffer_size(4_096).unwrap();
    let ours = ours.connect(listener.local_addr().unwrap()).await.unwrap();
    (ours, listener.accept().await.unwrap().0)
}

#[tokio::test]
async fn the_write_that_holds_the_dot_is_past_it_from_its_first_byte_on() {
    let deadlines = Deadlines::all(Duration::from_millis(60));
    let (ours, _theirs) = narrow_stream().await;
    let mut wire = Wire::plain(ours, deadlines);
    let message = [b"x".repeat(60_000), b"\r\n.\r\n".to_vec()].concat();
    let fault = wire.write_message(&message).await.unwrap_err();
    assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Dot, FaultKind::TimedOut, true));

    let (ours, _theirs) = narrow_stream().await;
    let mut wire = Wire::plain(ours, deadlines);
    while wire.write(Phase::Body, &[b'x'; 60_000]).await.is_ok() {}
    let fault = wire.write_message(b"x\r\n.\r\n").await.unwrap_err();
    assert_eq!((fault.phase, fault.kind, fault.past_dot), (Phase::Body, FaultKind::TimedOut, false));
}

#[tokio::test]
async fn nobody_at_the_port_is_a_matter_of_the_route() {
    let server = play(&[&["close"]]).await;
    server.heard.abort();
    let route = server.route("smtp://127.0.0.1:PORT");
    let _ = server.heard.await;
    let fault = Connection::open(&route, "us.example", &Deadlines::all(LONG)).await.unwrap_err();
    assert_eq!((fault.phase, fault.kind, fault.route_down), (Phase::Connect, FaultKind::Lost, true));
    assert!(fault.to_string().contains("start the server or correct the mail route"), "{fault}");
}
