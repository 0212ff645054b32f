//! Calls against servers of our own, in plain HTTP and over TLS.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

const CERTIFICATE: &[u8] = include_bytes!("../smtp/testdata/relay.cert.der");
const KEY: &[u8] = include_bytes!("../smtp/testdata/relay.key.der");
const SECOND: Duration = Duration::from_secs(1);

fn loopback() -> Reach {
    Reach { plain: PlainHttp::ToLoopback, ..Reach::default() }
}

fn get(url: String) -> Call {
    Call { url, body: None, headers: Vec::new() }
}

/// A server that says the same to everybody, and stays; its port.
async fn server(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut heard = [0; 4096];
                let _ = stream.read(&mut heard).await;
                let _ = stream.write_all(answer.as_bytes()).await;
                std::future::pending::<()>().await;
            });
        }
    });
    port
}

#[tokio::test]
async fn an_answer_is_its_status_and_its_first_bytes_whatever_follows() {
    let port = server("HTTP/1.1 200 OK\r\nretry-after: 7\r\ncontent-length: 1000000\r\n\r\nyes\r\nand ").await;
    let reply = call(&loopback(), &get(format!("http://127.0.0.1:{port}/")), SECOND * 10).await.unwrap();
    assert_eq!((reply.status, reply.wait), (200, Some(SECOND * 7)));
    assert!(reply.text.starts_with("yes") && !reply.text.contains('\n'), "{:?}", reply.text);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let port = server("HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n").await;
    let reply = call(&loopback(), &get(format!("http://127.0.0.1:{port}/")), SECOND * 10).await.unwrap();
    assert_eq!(reply.status, 307);
}

#[tokio::test]
async fn who_says_nothing_is_left_after_the_limit() {
    let port = server("").await;
    let error = call(&loopback(), &get(format!("http://127.0.0.1:{port}/secret")), SECOND / 10).await.unwrap_err();
    assert!(matches!(error, HttpFault::TimedOut { .. }), "{error}");
    assert!(!error.to_string().contains("secret"));
}

#[tokio::test]
async fn headers_without_end_are_not_read_to_their_end() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(2 * HEADER_BYTES));
    let port = server(endless.leak()).await;
    let error = call(&loopback(), &get(format!("http://127.0.0.1:{port}/")), SECOND * 10).await.unwrap_err();
    assert!(matches!(error, HttpFault::Failed { .. }), "{error}");
}

#[tokio::test]
async fn inner_addresses_are_refused_before_anything_is_connected() {
    // A listener that would take the call.
    let port = server("HTTP/1.1 200 OK\r\n\r\n").await;
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "10.0.0.1"] {
        let error = call(&Reach::default(), &get(format!("https://{host}:{port}/")), SECOND * 10).await.unwrap_err();
        assert!(matches!(error, HttpFault::Inside { .. }), "{host}: {error}");
    }
    // What libraries of the system take for 127.0.0.1.
    for host in ["0177.0.0.1", "2130706433", "127.1"] {
        let error = call(&Reach::default(), &get(format!("https://{host}:{port}/")), SECOND * 10).await.unwrap_err();
        assert!(!matches!(error, HttpFault::TimedOut { .. }), "{host}: {error}");
    }
}

#[test]
fn only_https_is_called_and_nobody_is_logged_in() {
    for (url, plain, is_good) in [
        ("https://hooks.example/T1", PlainHttp::Refused, true),
        ("https://hooks.example:8443", PlainHttp::Refused, true),
        ("http://hooks.example/T1", PlainHttp::Refused, false),
        ("http://127.0.0.1:9/", PlainHttp::ToLoopback, true),
        ("ftp://hooks.example/", PlainHttp::ToLoopback, false),
        ("https://user:word@hooks.example/", PlainHttp::Refused, false),
        ("https:///path", PlainHttp::Refused, false),
        ("hooks.example", PlainHttp::Refused, false),
        ("/path", PlainHttp::Refused, false),
        ("", PlainHttp::Refused, false),
    ] {
        assert_eq!(check(url, plain).is_ok(), is_good, "{url}");
    }
}

#[tokio::test]
async fn http_is_spoken_to_this_host_alone() {
    let error = call(&loopback(), &get("http://192.0.2.7/".to_owned()), SECOND).await.unwrap_err();
    assert!(matches!(error, HttpFault::Inside { .. }), "{error}");
}

#[tokio::test]
async fn over_tls_only_a_certificate_that_is_valid_or_pinned_is_taken() {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(KEY.to_vec()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
            let mut heard = [0; 4096];
            let _ = stream.read(&mut heard).await;
            let _ = stream.write_all(b"HTTP/1.1 204 Taken\r\n\r\n").await;
        }
    });
    let reach = Reach { networks: vec!["127.0.0.0/8".parse().unwrap()], ..Reach::default() };
    let error = call(&reach, &get(url.clone()), SECOND * 10).await.unwrap_err();
    assert!(error.to_string().contains("TLS"), "{error}");
    let pin = Pin::parse(&format!("sha256:{}", model::digest::sha256(CERTIFICATE)));
    let reply = call(&Reach { pin, ..reach }, &get(url), SECOND * 10).await.unwrap();
    assert_eq!(reply.status, 204);
}
