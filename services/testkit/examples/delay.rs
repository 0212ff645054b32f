//! A proxy that makes a server seem far away: `delay LISTEN CONNECT MILLISECONDS`, both ports on 127.0.0.1.
//!
//! Every byte arrives half of the milliseconds later, in either direction; the rate is not limited. For benchmarks.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let numbers: Vec<u16> = std::env::args().skip(1).map(|word| word.parse()).collect::<Result<_, _>>()?;
    let [listen, connect, milliseconds] = numbers[..] else {
        anyhow::bail!("usage: delay LISTEN CONNECT MILLISECONDS");
    };
    let listener = TcpListener::bind(("127.0.0.1", listen)).context("cannot listen")?;
    for near in listener.incoming() {
        let (near, far) = (near?, TcpStream::connect(("127.0.0.1", connect))?);
        near.set_nodelay(true)?;
        far.set_nodelay(true)?;
        let one_way = Duration::from_millis(u64::from(milliseconds)) / 2;
        carry(near.try_clone()?, far.try_clone()?, one_way);
        carry(far, near, one_way);
    }
    Ok(())
}

/// Two threads: one notes when each piece came, the other lets it go later.
fn carry(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (pieces, later) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if pieces.send((Instant::now() + delay, buffer[..count].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (at, piece) in later {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        // The other end may have gone already.
        let _ = to.shutdown(Shutdown::Both);
    });
}
