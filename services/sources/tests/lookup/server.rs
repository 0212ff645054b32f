//! A web server of a few lines: says what a test tells it to, as badly as a test wants.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running server; stops when it is dropped.
pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

/// What the server says.
pub(crate) struct Reply {
    bytes: Vec<u8>,
    drip: Option<Duration>,
}

impl Reply {
    pub(crate) fn text(body: &str) -> Self {
        Self::raw(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::raw(&format!("HTTP/1.1 {status} Because\r\nContent-Length: 4\r\n\r\nbody"))
    }

    pub(crate) fn redirect(to: &str) -> Self {
        Self::status(302).with("Location", to)
    }

    pub(crate) fn raw(text: &str) -> Self {
        Self { bytes: text.as_bytes().to_vec(), drip: None }
    }

    /// One more header.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let text = String::from_utf8(self.bytes).unwrap();
        Self::raw(&text.replacen("\r\n", &format!("\r\n{name}: {value}\r\n"), 1))
    }

    /// A byte at a time.
    pub(crate) fn dripping(self, every: Duration) -> Self {
        Self { drip: Some(every), ..self }
    }
}

impl Server {
    /// Says `reply` to a path.
    pub(crate) async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(move |_, path| reply(path)).await
    }

    /// Says `reply` to a path, knowing the port.
    pub(crate) async fn start_with(reply: impl Fn(u16, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, reply) = (Arc::clone(&requests), Arc::new(reply));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, reply) = (Arc::clone(&seen), Arc::clone(&reply));
                tokio::spawn(async move { serve(stream, &seen, |path| reply(port, path)).await });
            }
        });
        Self { port, requests, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    /// What was asked, heads and all.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, reply: impl Fn(&str) -> Reply) {
    // What begins like no method is TLS, which nobody speaks here.
    let mut head = match stream.read_u8().await {
        Ok(byte) if byte.is_ascii_uppercase() => vec![byte],
        Ok(byte) => return seen.lock().unwrap().push(format!("{byte:#04x}")),
        Err(_) => return,
    };
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let reply = reply(head.split(' ').nth(1).unwrap_or_default());
    seen.lock().unwrap().push(head);
    match reply.drip {
        // The other side may be gone, which is the point.
        None => drop(stream.write_all(&reply.bytes).await),
        Some(every) => {
            for byte in reply.bytes {
                tokio::time::sleep(every).await;
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
        }
    }
}
