//! What systemd is told over its socket (`sd_notify(3)`), where it started this process and asks.
//!
//! Waits for nobody and fails without a word: a service manager that does not listen is no reason not to work.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// This process serves.
pub fn ready() {
    tell("READY=1\nSTATUS=serving");
}

/// This process ends.
pub fn stopping() {
    tell("STOPPING=1\nSTATUS=ending");
}

/// How often the watchdog wants to hear of this process; `None`: it does not.
pub(crate) fn watchdog() -> Option<Duration> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let is_for_us = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    number("WATCHDOG_USEC").filter(|micros| is_for_us && *micros > 0).map(Duration::from_micros)
}

/// Sends one message; `NOTIFY_SOCKET` is a path, or a name that begins with `@`.
pub(crate) fn tell(message: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match name.to_str().and_then(|name| name.strip_prefix('@')) {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&name),
    };
    let sent = address.and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(message.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::debug!(%error, "systemd was not told");
    }
}
