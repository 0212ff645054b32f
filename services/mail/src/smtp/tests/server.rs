//! A server that plays a script: what it says, what it must hear, how it ends.
//!
//! Knows nothing of SMTP beyond lines. Invariant: a client that says anything else than the script fails the test.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::super::{Connection, Deadlines, Fault};
use crate::route::{Route, SmtpRoute};

trait Both: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Both for T {}
type Side = BufReader<Box<dyn Both>>;

/// A script at work; `heard` ends when it does.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) heard: JoinHandle<Vec<u8>>,
}

/// Greeting and EHLO with and without PIPELINING.
pub(super) const PIPELINING: &[&str] =
    &["<220 relay.example ready", ">EHLO us.example", "<250-relay.example", "<250 PIPELINING"];
pub(super) const PLAIN: &[&str] = &["<220 relay.example ready", ">EHLO us.example", "<250 relay.example"];

pub(super) const LONG: Duration = Duration::from_secs(20);

/// Plays `parts` one after the other for one client. A step is one of
/// - `<line`: say it; `<<text`: say it without a line end;
/// - `>line`: hear exactly this line;
/// - `message`: hear lines up to the lone dot, and keep them; `some`: hear 1,000 bytes;
/// - `quiet`: nothing more was said; `end`: the client closes;
/// - `tls`: speak TLS from here; `close`, `reset`: leave; `hang`: read on in silence until the client leaves; `stay`:
///   neither read nor say anything.
pub(super) async fn play(parts: &[&[&'static str]]) -> Server {
    let steps: Vec<&'static str> = parts.concat();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        timeout(LONG, serve(tcp, &steps)).await.expect("the script did not end")
    });
    Server { port, heard }
}

async fn serve(tcp: TcpStream, steps: &[&str]) -> Vec<u8> {
    tcp.set_nodelay(true).unwrap();
    if steps.contains(&"reset") {
        tcp.set_zero_linger().unwrap();
    }
    let mut side: Side = BufReader::new(Box::new(tcp));
    let mut messages = Vec::new();
    for step in steps {
        match *step {
            "message" => hear_message(&mut side, &mut messages).await,
            "some" => drop(side.read_exact(&mut [0; 1_000]).await.unwrap()),
            "quiet" => assert_quiet(&mut side).await,
            "end" | "hang" => {
                let mut rest = Vec::new();
                let read = side.read_to_end(&mut rest).await;
                assert!(*step == "hang" || (rest.is_empty() && read.is_ok()), "{:?}", String::from_utf8_lossy(&rest));
                break;
            }
            "stay" => tokio::time::sleep(LONG).await,
            "close" | "reset" => break,
            "tls" => match acceptor().accept(side.into_inner()).await {
                Ok(stream) => side = BufReader::new(Box::new(stream)),
                Err(_) => return messages,
            },
            step => say_or_hear(&mut side, step).await,
        }
    }
    messages
}

async fn say_or_hear(side: &mut Side, step: &str) {
    if let Some(text) = step.strip_prefix("<<") {
        side.write_all(text.as_bytes()).await.unwrap();
    } else if let Some(line) = step.strip_prefix('<') {
        side.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    } else {
        let mut line = String::new();
        side.read_line(&mut line).await.unwrap();
        assert_eq!(line, format!("{}\r\n", step.strip_prefix('>').expect("a known step")));
    }
    side.flush().await.unwrap();
}

async fn hear_message(side: &mut Side, messages: &mut Vec<u8>) {
    loop {
        let start = messages.len();
        assert!(side.read_until(b'\n', messages).await.unwrap() > 0, "the message has no end");
        if &messages[start..] == b".\r\n" {
            return;
        }
    }
}

async fn assert_quiet(side: &mut Side) {
    assert!(side.buffer().is_empty(), "said too early: {:?}", String::from_utf8_lossy(side.buffer()));
    let said = timeout(Duration::from_millis(30), side.read_u8()).await;
    assert!(said.is_err(), "said too early: {said:?}");
}

fn acceptor() -> TlsAcceptor {
    let certificate = include_bytes!("../testdata/relay.cert.der").to_vec();
    let key = include_bytes!("../testdata/relay.key.der").to_vec();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivateKeyDer::Pkcs8(key.into()))
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

impl Server {
    pub(super) fn route(&self, line: &str) -> SmtpRoute {
        match Route::parse(&line.replace("PORT", &self.port.to_string())) {
            Ok(Route::Smtp(route)) => route,
            other => panic!("{other:?}"),
        }
    }

    /// Opens with `smtp://127.0.0.1:PORT` or another line, and generous deadlines.
    pub(super) async fn open(&self, line: &str) -> Result<Connection, Fault> {
        Connection::open(&self.route(line), "us.example", &Deadlines::all(LONG)).await
    }

    pub(super) async fn open_plain(&self) -> Connection {
        self.open("smtp://127.0.0.1:PORT").await.unwrap()
    }

    /// What was heard in `message` steps; fails if the script failed.
    pub(super) async fn heard(self) -> String {
        String::from_utf8(self.heard.await.unwrap()).unwrap()
    }
}
