//! A small mail server on loopback that keeps what it is sent, for the demo alone.
//!
//! It is no relay: nothing leaves it. It speaks as much SMTP as our sender does, and nothing more.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail that was accepted.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) to: String,
    pub(super) text: String,
}

impl Kept {
    /// The value of a header, its folds joined.
    pub(super) fn header(&self, name: &str) -> String {
        let mut value = String::new();
        let mut inside = false;
        for line in self.text.lines().take_while(|line| !line.is_empty()) {
            if line.starts_with([' ', '\t']) {
                if inside {
                    value.push_str(line);
                }
                continue;
            }
            inside = line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
            if inside {
                value = line.split_once(':').map(|(_, rest)| rest.trim().to_owned()).unwrap_or_default();
            }
        }
        value
    }
}

/// The server. It ends with the process.
#[derive(Clone)]
pub(super) struct Sink {
    address: SocketAddr,
    kept: Arc<Mutex<Vec<Kept>>>,
}

impl Sink {
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Self { address: listener.local_addr()?, kept: Arc::default() };
        let kept = Arc::clone(&sink.kept);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    if let Err(error) = converse(stream, &kept).await {
                        tracing::debug!(%error, "a connection to the demo's mail server ended");
                    }
                });
            }
        });
        Ok(sink)
    }

    pub(super) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    pub(super) fn kept(&self) -> Vec<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn converse(stream: TcpStream, kept: &Mutex<Vec<Kept>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 demo.example ESMTP\r\n").await?;
    let mut mail = Kept::default();
    while let Some(line) = lines.next_line().await? {
        let word = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        let reply: &[u8] = match word.as_str() {
            "EHLO" => b"250-demo.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            "RCPT" => {
                mail.to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                b"250 2.1.5 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await? {
                    if line == "." {
                        break;
                    }
                    mail.text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.text.push('\n');
                }
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut mail));
                b"250 2.0.0 kept\r\n"
            }
            "QUIT" => {
                write.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            "MAIL" | "RSET" | "NOOP" | "HELO" => b"250 ok\r\n",
            _ => b"502 5.5.1 not here\r\n",
        };
        write.write_all(reply).await?;
    }
    Ok(())
}
