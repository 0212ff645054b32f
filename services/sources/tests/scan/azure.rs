//! Scans an Azure container as far as that goes without Azure: a server that gives one answer to a list and one to a
//! read, in the form of the Blob service's REST interface.

use sources::scan::{Credentials, Reason, ScanError, scan};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{options, rows, scan_url};

const LIST: &str = r#"<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="box"><Blobs><Blob><Name>acme/a.txt</Name><Properties><Last-Modified>Mon, 08 Aug 2022 23:06:40 GMT</Last-Modified><Etag>1</Etag><Content-Length>16</Content-Length><Content-Type>text/plain</Content-Type></Properties></Blob></Blobs><NextMarker/></EnumerationResults>"#;

/// Answers until the test ends; what was asked is told.
async fn server(list: &'static str, read: &'static str) -> (String, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            let asked = String::from_utf8(asked).unwrap();
            let (status, body) = if asked.contains("comp=list") { (list, LIST) } else { (read, "mia@acme.example") };
            let body = if status == "200 OK" { body } else { "<Error><Code>AuthenticationFailed</Code></Error>" };
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nETag: 1\r\nLast-Modified: Mon, 08 Aug 2022 23:06:40 GMT\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            let _ = tell.send(asked);
        }
    });
    (format!("http://{address}"), told)
}

fn credentials(endpoint: &str) -> Credentials {
    let variables = [
        ("AZURE_ENDPOINT", endpoint),
        ("AZURE_ALLOW_HTTP", "true"),
        ("AZURE_STORAGE_SAS_TOKEN", "sv=2024&sig=s3cret"),
        ("AZURE_STORAGE_ACCOUNT_NAME", "another"),
    ];
    Credentials::of(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

#[tokio::test]
async fn a_container_is_listed_and_read_with_the_signature_of_the_environment() {
    let (endpoint, mut told) = server("200 OK", "200 OK").await;
    let mut options = options();
    options.credentials = credentials(&endpoint);
    let (scanned, manifest) = scan_url("az://acct/box/acme", &options).await;
    assert_eq!(rows(&manifest), ["acme/a.txt mia@acme.example -"]);
    assert!(manifest.contains(r#""document_date":"2022-08-08","size_bytes":16"#), "{manifest}");
    assert_eq!((scanned.listed, scanned.read_bytes), (1, 16));
    let asked = told.recv().await.unwrap();
    assert!(asked.contains("/box?") && asked.contains("prefix=acme%2F") && asked.contains("sig=s3cret"), "{asked}");
}

#[tokio::test]
async fn a_refusal_says_what_to_check_and_no_signature() {
    let (endpoint, _told) = server("403 Forbidden", "200 OK").await;
    let mut options = options();
    options.credentials = credentials(&endpoint);
    let failed = scan("az://acct/box", &options, &mut Vec::new(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(failed, ScanError::Refused { .. }), "{failed:?}");
    assert!(failed.to_string().contains("AZURE_SKIP_SIGNATURE=true"), "{failed}");
    assert!(!format!("{failed} {failed:?}").contains("s3cret"), "{failed:?}");
}

#[tokio::test]
async fn an_object_that_is_refused_is_counted_and_stops_nothing() {
    let (endpoint, _told) = server("200 OK", "403 Forbidden").await;
    let mut options = options();
    options.credentials = credentials(&endpoint);
    let (scanned, manifest) = scan_url("az://acct/box", &options).await;
    assert_eq!((manifest.as_str(), scanned.read), ("", 0));
    assert_eq!(scanned.skipped[&Reason::ReadFailed].examples, ["acme/a.txt"]);
}
