//! A name server that says what a test wrote down: TXT, A, MX and PTR records, over UDP, on a free port of 127.0.0.1.
//!
//! Knows no zones: a name that was not written down does not exist.

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

const A: u16 = 1;
const PTR: u16 = 12;
const MX: u16 = 15;
const TXT: u16 = 16;

/// The server. It stops when this is dropped.
#[derive(Debug)]
pub struct Zone {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: Option<JoinHandle<()>>,
}

/// Type and content by name in lower case.
type Records = HashMap<String, Vec<(u16, Vec<u8>)>>;

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    asked: AtomicU64,
    records: Mutex<Records>,
    failing: Mutex<HashSet<String>>,
}

impl Shared {
    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failing(&self) -> MutexGuard<'_, HashSet<String>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name as packets have it.
fn labels(name: &str) -> Vec<u8> {
    let label = |label: &str| [&[u8::try_from(label.len()).unwrap_or(63)], label.as_bytes()].concat();
    name.split('.').flat_map(label).chain([0]).collect()
}

impl Zone {
    /// Starts a server without records.
    pub fn start() -> Result<Zone> {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).context("cannot bind a name server's port")?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let serving = thread::spawn(move || serve(&socket, &serving));
        Ok(Zone { address, shared, serving: Some(serving) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many questions it was asked.
    pub fn asked(&self) -> u64 {
        self.shared.asked.load(Ordering::Relaxed)
    }

    /// Writes a text down.
    pub fn txt(&self, name: &str, text: &str) {
        let parts = text.as_bytes().chunks(255);
        let content = parts.flat_map(|part| [&[u8::try_from(part.len()).unwrap_or(255)], part].concat()).collect();
        self.add(name, TXT, content);
    }

    /// Writes an address down.
    pub fn a(&self, name: &str, address: Ipv4Addr) {
        self.add(name, A, address.octets().to_vec());
    }

    /// Writes a mail server down, with its preference.
    pub fn mx(&self, name: &str, preference: u16, exchange: &str) {
        self.add(name, MX, [&preference.to_be_bytes()[..], &labels(exchange)].concat());
    }

    /// Writes the name of an address down.
    pub fn ptr(&self, address: Ipv4Addr, name: &str) {
        let [a, b, c, d] = address.octets();
        self.add(&format!("{d}.{c}.{b}.{a}.in-addr.arpa"), PTR, labels(name));
    }

    /// Everything that was written down about a name is gone.
    pub fn forget(&self, name: &str) {
        self.shared.records().remove(&name.to_lowercase());
    }

    /// Questions about this name fail (SERVFAIL) from now on.
    pub fn fail(&self, name: &str) {
        self.shared.failing().insert(name.to_lowercase());
    }

    /// Questions about this name are answered again.
    pub fn heal(&self, name: &str) {
        self.shared.failing().remove(&name.to_lowercase());
    }

    fn add(&self, name: &str, kind: u16, content: Vec<u8>) {
        self.shared.records().entry(name.to_lowercase()).or_default().push((kind, content));
    }
}

impl Drop for Zone {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::Relaxed);
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

fn serve(socket: &UdpSocket, shared: &Shared) {
    let mut packet = [0; 4_096];
    while !shared.stopping.load(Ordering::Relaxed) {
        let Ok((length, client)) = socket.recv_from(&mut packet) else { continue };
        if let Some(answer) = answer(&packet[..length], shared) {
            shared.asked.fetch_add(1, Ordering::Relaxed);
            // Whoever asked asks again if this is lost.
            let _ = socket.send_to(&answer, client);
        }
    }
}

/// The answer to a packet with one question; `None` for anything else.
fn answer(packet: &[u8], shared: &Shared) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    loop {
        let length = usize::from(*packet.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(packet.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?);
    let question = packet.get(12..at + 4)?;
    let records = shared.records();
    let name = labels.join(".");
    let fails = shared.failing().contains(&name);
    let known = records.get(&name).filter(|_| !fails);
    let found: Vec<&Vec<u8>> =
        known.into_iter().flatten().filter(|(theirs, _)| *theirs == kind).map(|(_, content)| content).collect();
    // An answer, authoritative, recursion available; 2 = the server fails, 3 = there is no such name.
    let code = match known {
        _ if fails => 2,
        None => 3,
        Some(_) => 0,
    };
    let flags: [u8; 2] = [0x85, 0x80 | code];
    let count = u16::try_from(found.len()).ok()?.to_be_bytes();
    let mut out = [packet.get(..2)?, &flags, &[0, 1], &count, &[0, 0, 0, 0], question].concat();
    for content in found {
        out.extend([0xc0, 12]);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend(u16::try_from(content.len()).ok()?.to_be_bytes());
        out.extend(content);
    }
    Some(out)
}
