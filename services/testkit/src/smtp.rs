//! A mail server that keeps what it is sent and fails where a test tells it to.
//!
//! It is no relay: nothing leaves it. It offers no TLS and no AUTH. A message counts as accepted, and stands in the
//! log, before the reply that says so is written; so what a sender saw accepted is always in the record.

mod conversation;
mod script;

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

pub use script::{Behaviour, Options, Phase};

/// One message that the server took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// When the final dot was read, in microseconds since 1970.
    pub at: u64,
    /// Which connection brought it, counted from 1 since the start.
    pub connection: u64,
    /// The envelope's sender, without angle brackets; empty for a bounce.
    pub from: String,
    /// The envelope's recipients, as they were written.
    pub recipients: Vec<String>,
    /// The message as received, CRLF line ends, without dot stuffing. In the log, bytes that are no UTF-8 are replaced.
    #[serde(with = "as_text")]
    pub data: Vec<u8>,
}

impl Message {
    /// The message as text; bytes that are no UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.data).into_owned()
    }

    /// The first header of that name, unfolded; the name's case does not matter.
    pub fn header(&self, name: &str) -> Option<String> {
        let text = self.text();
        let head = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
        let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    }
}

/// The server. It stops when this is dropped.
#[derive(Debug)]
pub struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    stopping: AtomicBool,
    connections: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Message>,
    log: Option<File>,
    /// By recipient in lower case: what happens at each of the next attempts.
    scripts: HashMap<String, VecDeque<Behaviour>>,
    /// By recipient in lower case: what happens once its script is used up.
    always: HashMap<String, Behaviour>,
    otherwise: Behaviour,
    open: HashMap<u64, TcpStream>,
}

impl Recorder {
    /// Starts a server that accepts everything, on a free port of 127.0.0.1.
    pub fn start() -> Result<Recorder> {
        Recorder::start_with(Options::default())
    }

    /// Starts a server that also appends one JSON line per accepted message to a file, for other processes to read
    /// with [`read_log`].
    pub fn start_with_log(path: &Path) -> Result<Recorder> {
        let recorder = Recorder::start()?;
        let log = OpenOptions::new().create(true).append(true).open(path);
        recorder.shared.state().log = Some(log.with_context(|| format!("cannot open the log {}", path.display()))?);
        Ok(recorder)
    }

    /// Starts a server with other extensions or a slower voice.
    pub fn start_with(options: Options) -> Result<Recorder> {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).context("cannot bind a mail server's port")?;
        let address = listener.local_addr()?;
        let shared = Shared {
            options,
            stopping: AtomicBool::new(false),
            connections: AtomicU64::new(0),
            state: Mutex::new(State::default()),
        };
        let mut recorder = Recorder { address, shared: Arc::new(shared), accepting: None };
        recorder.listen(listener);
        Ok(recorder)
    }

    /// Where it listens, as the product wants it: `smtp://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happens at each of the next attempts for this recipient, in order; then it is as before.
    pub fn script(&self, recipient: &str, attempts: impl IntoIterator<Item = Behaviour>) {
        self.shared.state().scripts.entry(recipient.to_lowercase()).or_default().extend(attempts);
    }

    /// What happens at every attempt for this recipient that has no script left.
    pub fn always(&self, recipient: &str, behaviour: Behaviour) {
        self.shared.state().always.insert(recipient.to_lowercase(), behaviour);
    }

    /// What happens to everybody who was not named.
    pub fn otherwise(&self, behaviour: Behaviour) {
        self.shared.state().otherwise = behaviour;
    }

    /// All accepted messages, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.state().messages.clone()
    }

    /// How many messages were accepted.
    pub fn count(&self) -> usize {
        self.shared.state().messages.len()
    }

    /// The accepted messages for one recipient; case does not matter.
    pub fn accepted_for(&self, recipient: &str) -> Vec<Message> {
        let wanted = |message: &&Message| message.recipients.iter().any(|to| to.eq_ignore_ascii_case(recipient));
        self.shared.state().messages.iter().filter(wanted).cloned().collect()
    }

    /// Waits until at least `count` messages were accepted; true if that came about in time.
    pub fn wait_for(&self, count: usize, limit: Duration) -> bool {
        let begun = Instant::now();
        while self.count() < count {
            if begun.elapsed() > limit {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// The server is down: the port refuses, open connections are cut. What was accepted stays.
    pub fn stop(&mut self) {
        let Some(accepting) = self.accepting.take() else { return };
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The listener sits in accept(); a connection of our own wakes it up. If that fails it is awake already.
        let _ = TcpStream::connect(self.address);
        let _ = accepting.join();
        for (_, stream) in self.shared.state().open.drain() {
            // A connection that cannot be shut down is closed already.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// The server is up again, on the same port.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        let listener = TcpListener::bind(self.address).context("cannot bind the mail server's port again")?;
        self.shared.stopping.store(false, Ordering::SeqCst);
        self.listen(listener);
        Ok(())
    }

    fn listen(&mut self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        self.accepting = Some(thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                shared.converse(stream);
            }
        }));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked while it held the lock has left whole values behind: each is set in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn converse(self: &Arc<Self>, stream: TcpStream) {
        let number = self.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let Ok(copy) = stream.try_clone() else { return };
        self.state().open.insert(number, copy);
        let shared = Arc::clone(self);
        thread::spawn(move || {
            // A broken connection is the client's business, and often the test's intention.
            let _ = conversation::hold(&shared, stream, number);
            if let Some(stream) = shared.state().open.remove(&number) {
                let _ = stream.shutdown(std::net::Shutdown::Both);
            }
        });
    }

    fn next_behaviour(&self, recipient: &str) -> Behaviour {
        let mut state = self.state();
        let key = recipient.to_lowercase();
        if let Some(scripted) = state.scripts.get_mut(&key).and_then(VecDeque::pop_front) {
            return scripted;
        }
        state.always.get(&key).unwrap_or(&state.otherwise).clone()
    }

    fn keep(&self, message: Message) -> Result<()> {
        let mut state = self.state();
        if let Some(log) = &mut state.log {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            log.write_all(&line)?;
            log.flush()?;
        }
        state.messages.push(message);
        Ok(())
    }
}

/// Reads the log of a [`Recorder`]; a last line that is still being written is left out.
pub fn read_log(path: &Path) -> Result<Vec<Message>> {
    let file = File::open(path).with_context(|| format!("cannot open the log {}", path.display()))?;
    let mut messages = Vec::new();
    for line in BufReader::new(file).lines() {
        match serde_json::from_str(&line?) {
            Ok(message) => messages.push(message),
            Err(error) if error.is_eof() => break,
            Err(error) => return Err(error).context("the log is damaged"),
        }
    }
    Ok(messages)
}

mod as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(data: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&String::from_utf8_lossy(data))
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(from: D) -> Result<Vec<u8>, D::Error> {
        String::deserialize(from).map(String::into_bytes)
    }
}

#[cfg(test)]
mod tests;
