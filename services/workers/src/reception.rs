//! The receiver: ports on which mail comes in, a bounded number of connections, and filing what came at once.
//!
//! Reads no mail and speaks no SMTP itself (`mail::reception` does). Invariant: a mail is acknowledged only after its
//! commit; that it is filed then is a matter of the rows, which the sweep asks too.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::App;
use mail::reception::{Addresses, Arrived, Call, House, Keeper, Limits, NotKept, Protocol, Tls, converse};
use store::StoreError;
use store::inbox::{Inbox, InboxError};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::WorkerError;
use crate::desk::{Desk, lock};
use crate::jobs::{Kind, Nudge, nudged};

/// How long connections may go on when the receiver ends.
const GRACE: Duration = Duration::from_secs(5);
/// The wait for each step while most connections are taken.
const IDLE_UNDER_STRESS: Duration = Duration::from_secs(10);
/// After a failure to accept: the system has no more to give for a while.
const BREATH: Duration = Duration::from_millis(200);

/// Bound ports; none by default.
#[derive(Debug, Default)]
pub struct Receivers {
    ports: Vec<(Protocol, TcpListener)>,
    tls: Option<Tls>,
}

impl Receivers {
    /// Binds what the configuration names.
    pub async fn bind(app: &App) -> Result<Self, WorkerError> {
        let settings = &app.settings.receive;
        let mut receivers = Self::default();
        if !settings.certificate.is_empty() {
            let tls = Tls::load(Path::new(&settings.certificate), Path::new(&settings.key));
            let failed = |error: mail::reception::TlsError| WorkerError::NoReceiver {
                place: "STARTTLS".to_owned(),
                fault: error.to_string(),
            };
            receivers.tls = Some(tls.map_err(failed)?);
        }
        for (protocol, address) in [(Protocol::Smtp, &settings.smtp), (Protocol::Lmtp, &settings.lmtp)] {
            if address.is_empty() {
                continue;
            }
            let listener = TcpListener::bind(address).await.map_err(|error| WorkerError::NoReceiver {
                place: format!("{} at {address}", protocol.name()),
                fault: error.to_string(),
            })?;
            receivers.ports.push((protocol, listener));
        }
        Ok(receivers)
    }

    /// `smtp at 127.0.0.1:2525`, for people.
    pub fn places(&self) -> Vec<String> {
        let place = |(protocol, listener): &(Protocol, TcpListener)| {
            Some(format!("{} at {}", protocol.name(), listener.local_addr().ok()?))
        };
        self.ports.iter().filter_map(place).collect()
    }
}

/// Takes mail until the desk's end.
pub(crate) async fn receive(desk: Arc<Desk>, receivers: Receivers) {
    if receivers.ports.is_empty() {
        return;
    }
    let settings = &desk.app.settings.receive;
    let name = if settings.name.is_empty() { desk.host.clone() } else { settings.name.clone() };
    let house = House::new(name, Addresses::of(&desk.app.settings.sender.address), receivers.tls);
    let (inbox, committer) = Inbox::start(desk.app.store.clone());
    let office = Arc::new(Office { desk: Arc::clone(&desk), inbox, house, guests: Guests::default() });
    let filing = tokio::spawn(file(Arc::clone(&desk)));
    let mut ports = JoinSet::new();
    for (protocol, listener) in receivers.ports {
        ports.spawn(listen(Arc::clone(&office), protocol, listener));
    }
    drop(office);
    while let Some(ended) = ports.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a port for mail ended unexpectedly");
            desk.stop.cancel();
        }
    }
    for (task, ended) in [("the inbox", committer.await), ("filing", filing.await)] {
        if let Err(error) = ended {
            tracing::error!(%error, task, "a task of the receiver ended unexpectedly");
        }
    }
}

/// Files what came in as soon as it is there. The sweep does the same, later.
async fn file(desk: Arc<Desk>) {
    loop {
        tokio::select! {
            () = desk.stop.cancelled() => return,
            () = desk.mail_came_in.notified() => nudged(&desk, Nudge::new(Kind::File, None)).await,
        }
    }
}

/// What the connections of one process share.
struct Office {
    desk: Arc<Desk>,
    inbox: Inbox,
    house: House,
    guests: Guests,
}

impl Keeper for Office {
    async fn keep(&self, mail: Arrived) -> Result<(), NotKept> {
        let bytes = mail.data.len();
        match app::inbound::arrive(&self.desk.app, &self.inbox, mail).await {
            Ok(()) => {
                self.desk.went_well(KEEPING);
                self.desk.mail_came_in.notify_one();
                Ok(())
            }
            Err(error) => {
                if self.desk.failed(KEEPING, error.to_string(), None) {
                    tracing::warn!(%error, bytes, "a mail could not be stored and was not taken; its sender keeps it");
                }
                Err(match error {
                    InboxError::Store(error) if matches!(*error, StoreError::DiskFull) => NotKept::Full,
                    InboxError::Store(_) | InboxError::Stopped => NotKept::Later,
                })
            }
        }
    }
}

const KEEPING: &str = "storing mail that comes in";

/// Who is connected.
#[derive(Debug, Default)]
struct Guests {
    count: AtomicUsize,
    by_address: Mutex<HashMap<IpAddr, usize>>,
}

impl Guests {
    /// A place, unless all are taken, or too many by one address.
    fn admit(&self, peer: IpAddr, most: usize) -> bool {
        let mut by_address = lock(&self.by_address);
        let theirs = by_address.entry(peer).or_default();
        if *theirs >= (most * 3).div_ceil(4) || self.count.load(Ordering::Relaxed) >= most {
            if *theirs == 0 {
                by_address.remove(&peer);
            }
            return false;
        }
        *theirs += 1;
        self.count.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn leave(&self, peer: IpAddr) {
        let mut by_address = lock(&self.by_address);
        if let Some(theirs) = by_address.get_mut(&peer) {
            *theirs -= 1;
            if *theirs == 0 {
                by_address.remove(&peer);
            }
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

async fn listen(office: Arc<Office>, protocol: Protocol, listener: TcpListener) {
    let most = office.desk.app.settings.receive.connections;
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = office.desk.stop.cancelled() => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => {
                note(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) if office.guests.admit(peer.ip(), most) => {
                connections.spawn(serve(Arc::clone(&office), protocol, stream, peer));
            }
            Ok((stream, _)) => turn_away(stream).await,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection for mail");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    let joined = async {
        while let Some(ended) = connections.join_next().await {
            note(ended);
        }
    };
    if tokio::time::timeout(GRACE, joined).await.is_err() {
        tracing::warn!("connections were cut off in the middle of a mail; its sender keeps it");
        connections.shutdown().await;
    }
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection for mail ended by a fault of the program; please report that");
    }
}

/// Says that there is no place, without waiting.
async fn turn_away(mut stream: TcpStream) {
    let words = b"421 4.7.0 too many connections; come again later\r\n";
    // A socket that was just accepted has room for one line.
    let _ = tokio::time::timeout(BREATH, stream.write_all(words)).await;
}

/// Gives the place back, by a panic too.
struct Place<'a>(&'a Guests, IpAddr);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.leave(self.1);
    }
}

async fn serve(office: Arc<Office>, protocol: Protocol, stream: TcpStream, peer: SocketAddr) {
    let _place = Place(&office.guests, peer.ip());
    // Replies are small, and each waits for the one before without this.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was gone before it began");
    }
    let settings = &office.desk.app.settings.receive;
    let stressed = office.guests.count.load(Ordering::Relaxed) * 5 > settings.connections * 4;
    let idle = Duration::from_secs(settings.idle_seconds);
    let idle = if stressed { idle.min(IDLE_UNDER_STRESS) } else { idle };
    let limits = Limits::new(app::inbound::LARGEST, idle);
    let call = Call { house: &office.house, protocol, peer: peer.ip(), limits };
    let stop = office.desk.stop.clone();
    let ended = converse(Box::new(stream), &call, &*office, stop.cancelled()).await;
    tracing::debug!(?ended, protocol = protocol.name(), "a connection for mail ended");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_never_takes_every_place() {
        let guests = Guests::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let admitted = |peer| (0..10).filter(|_| guests.admit(peer, 8)).count();
        assert_eq!((admitted(one), admitted(other)), (6, 2));
        guests.leave(one);
        assert_eq!(admitted(other), 1);
    }

    #[test]
    fn whoever_has_left_is_forgotten() {
        let guests = Guests::default();
        let peer = IpAddr::from([192, 0, 2, 1]);
        assert!(guests.admit(peer, 1) && !guests.admit(peer, 1));
        guests.leave(peer);
        guests.leave(peer);
        assert_eq!((guests.count.load(Ordering::Relaxed), lock(&guests.by_address).len()), (0, 0));
    }
}
