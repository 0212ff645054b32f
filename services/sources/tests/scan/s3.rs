//! Scans a real S3 conversation: the server of `moto` on a loopback port, filled through `object_store`.
//!
//! A server that is missing fails the test: skipping it would be silence.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sources::scan::{Credentials, Reason, ScanError, ScanOptions, scan};

use super::{files, options, rows, scan_url};

const BUCKET: &str = "exposed-bucket";

/// A server that ends with the test.
struct Moto {
    child: Child,
    address: SocketAddr,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    fn start() -> Self {
        let program = std::env::var_os("FORTHRIGHT_MOTO").map(PathBuf::from).unwrap_or_else(|| {
            let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
            let target = target.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")));
            target.join("moto/bin/moto_server")
        });
        assert!(
            program.is_file(),
            "no S3 server at {}: run ops/test, which installs it, or name a moto_server in FORTHRIGHT_MOTO",
            program.display()
        );
        // The port is free now; should another take it first, the server ends and the next try takes another.
        for _ in 0..5 {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let address = listener.local_addr().unwrap();
            drop(listener);
            let child = Command::new(&program)
                .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut moto = Self { child, address };
            if moto.is_up() {
                moto.make_bucket();
                return moto;
            }
        }
        panic!("the S3 server {} does not start; run it by hand to see why", program.display());
    }

    fn is_up(&mut self) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(30) && self.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(self.address).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    }

    /// `object_store` does not make buckets.
    fn make_bucket(&self) {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(
            stream,
            "PUT /{BUCKET} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    fn variables(&self) -> Vec<(String, String)> {
        let endpoint = format!("http://{}", self.address);
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_ACCESS_KEY_ID", "AKIATEST"),
            ("AWS_SECRET_ACCESS_KEY", "s3cret-key"),
            ("AWS_REGION", "us-east-1"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    fn options(&self) -> ScanOptions {
        let mut options = options();
        options.credentials = Credentials::of(self.variables());
        options
    }

    fn store(&self) -> impl ObjectStore {
        let endpoint = format!("http://{}", self.address);
        let builder = AmazonS3Builder::new().with_endpoint(endpoint).with_allow_http(true).with_bucket_name(BUCKET);
        let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
        builder.with_access_key_id("AKIATEST").with_secret_access_key("s3cret-key").build().unwrap()
    }
}

#[tokio::test]
async fn a_bucket_is_listed_over_several_pages_and_read() {
    let moto = Moto::start();
    let store = moto.store();
    for (path, bytes) in [
        ("acme/invoices/1 ä.csv", b"email\nmia@acme.example\n".to_vec()),
        ("acme/a.docx", files::docx("<w:p><w:t>otto@acme.example</w:t></w:p>")),
        ("acme/big.txt", b"ida@acme.example ".repeat(200_000)),
        ("acme-2/b.txt", b"https://b.example/".to_vec()),
        ("acme/picture.png", b"\x89PNG\0".to_vec()),
    ] {
        store.put(&Path::parse(path).unwrap(), bytes.into()).await.unwrap();
    }
    // A page of S3 has 1000 keys at most.
    for at in 0..1005 {
        store.put(&format!("many/{at}.txt").into(), "x".into()).await.unwrap();
    }
    let url = format!("s3://{BUCKET}");
    let (scanned, manifest) = scan_url(&url, &moto.options()).await;
    assert_eq!(
        rows(&manifest),
        [
            "acme-2/b.txt b.example -",
            "acme/a.docx link@acme.example -",
            "acme/a.docx otto@acme.example -",
            "acme/big.txt ida@acme.example -",
            "acme/invoices/1 ä.csv mia@acme.example invoice",
        ]
    );
    assert_eq!((scanned.listed, scanned.read, scanned.skipped[&Reason::UnknownKind].objects), (1010, 1009, 1));
    assert!(manifest.contains(r#""size_bytes":3400000"#) && manifest.contains(r#""document_date":"20"#), "{manifest}");
    assert_eq!(scan_url(&url, &moto.options()).await, (scanned, manifest));

    let (scanned, manifest) = scan_url(&format!("{url}/acme"), &moto.options()).await;
    assert_eq!((scanned.listed, rows(&manifest).len()), (4, 4), "a prefix is a folder");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_says_so_without_a_secret() {
    let moto = Moto::start();
    let failed = scan("s3://no-such-bucket/x", &moto.options(), &mut Vec::new(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(failed, ScanError::NoContainer { .. }), "{failed:?}");
    assert!(failed.to_string().starts_with("cannot list s3://no-such-bucket/x: "), "{failed}");
    assert!(!format!("{failed} {failed:?}").contains("s3cret"), "{failed:?}");
}

#[tokio::test]
async fn a_key_that_cannot_be_named_ends_the_scan_and_is_said() {
    let moto = Moto::start();
    {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(moto.address).unwrap();
        write!(
            stream,
            "PUT /{BUCKET}/a//b HTTP/1.1\r\nHost: {}\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
            moto.address
        )
        .unwrap();
        stream.read_to_string(&mut String::new()).unwrap();
    }
    let failed = scan(&format!("s3://{BUCKET}"), &moto.options(), &mut Vec::new(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(&failed, ScanError::BadKey { reason, .. } if reason.contains("a//b")), "{failed:?}");
}
