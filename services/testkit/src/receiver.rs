//! A web server that keeps what it is called with and answers as a test tells it to.
//!
//! Speaks HTTP by hand, with nothing of the product's, one call a connection. Invariant: a call stands in the record before
//! its answer is written.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// `POST`.
    pub method: String,
    /// What follows the host.
    pub path: String,
    /// Names in lower case, with their values.
    pub headers: Vec<(String, String)>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Heard {
    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(there, _)| there == name).map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This status with this text.
    Status(u16, &'static str),
    /// This status, and where to go instead.
    Elsewhere(u16, String),
    /// This status and many megabytes.
    Huge(u16),
    /// None: the connection stays open and silent.
    Silence,
    /// None: the connection is closed.
    HangUp,
}

#[derive(Debug, Default)]
struct Shared {
    heard: Vec<Heard>,
    script: VecDeque<Answer>,
    silent: Vec<TcpStream>,
}

/// The server. What is not in its script is answered with 204. Its thread ends with the process.
#[derive(Debug, Clone)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl Receiver {
    /// Starts one on a free port of 127.0.0.1.
    ///
    /// # Panics
    /// Where no port is free.
    #[allow(clippy::new_without_default, reason = "it opens a port")]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of 127.0.0.1 is free");
        let address = listener.local_addr().expect("a listener has an address");
        let receiver = Self { address, shared: Arc::default() };
        let accepting = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let receiver = accepting.clone();
                thread::spawn(move || receiver.converse(stream));
            }
        });
        receiver
    }

    /// Its address with this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next answers, in order.
    pub fn script(&self, answers: &[Answer]) {
        self.lock().script.extend(answers.iter().cloned());
    }

    /// What it was called with so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.lock().heard.clone()
    }

    /// Waits until it has been called so often.
    ///
    /// # Panics
    /// Where that takes longer than a minute.
    pub fn wait_for(&self, calls: usize) -> Vec<Heard> {
        let begun = Instant::now();
        loop {
            let heard = self.heard();
            if heard.len() >= calls {
                return heard;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{} calls instead of {calls}", heard.len());
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn converse(&self, mut stream: TcpStream) {
        let Some(heard) = read(&stream) else { return };
        let answer = {
            let mut shared = self.lock();
            shared.heard.push(heard);
            shared.script.pop_front().unwrap_or(Answer::Status(204, ""))
        };
        // Whoever called may be gone: its own business.
        let _ = match answer {
            Answer::Status(status, text) => {
                write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{text}", text.len())
            }
            Answer::Elsewhere(status, to) => {
                write!(stream, "HTTP/1.1 {status} X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
            }
            Answer::Huge(status) => huge(&mut stream, status),
            Answer::HangUp => Ok(()),
            Answer::Silence => {
                self.lock().silent.push(stream);
                Ok(())
            }
        };
    }
}

fn huge(stream: &mut TcpStream, status: u16) -> std::io::Result<()> {
    static PART: [u8; 65_536] = [b'x'; 65_536];
    write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 1000000000\r\n\r\n")?;
    for _ in 0..1_000 {
        stream.write_all(&PART)?;
    }
    Ok(())
}

fn read(stream: &TcpStream) -> Option<Heard> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { method, path, headers, body })
}
