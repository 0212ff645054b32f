//! A conversation with an IMAP server (RFC 3501): look into one folder, fetch whole messages, take them away.
//!
//! `async-imap` speaks; the limits of time and size are ours, because it has none. Stores nothing and decides nothing
//! about a mail. Invariant: a session whose place in the conversation is not known (a fault, a dropped future) is not
//! used again, and nothing secret is said before TLS where TLS is asked for.

mod account;
mod fault;
mod line;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use async_imap::imap_proto::{Response, Status};
use async_imap::types::{Capabilities, UnsolicitedResponse};
use futures_util::TryStreamExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

pub use account::{Account, Password, Security};
pub use fault::{ImapFault, ImapFaultKind};
use line::Line;

/// The wait for a connection and for each step of opening it.
const OPENING: Duration = Duration::from_secs(30);
/// The wait for the reply to a command without content.
const COMMAND: Duration = Duration::from_secs(120);
/// The wait for a batch of messages, all of it.
const FETCHING: Duration = Duration::from_secs(600);
/// Bytes of one reply without content: a list of the numbers of a million messages has 8 MB.
const REPLY: usize = 16 * 1024 * 1024;

/// Whether a folder is looked into to take mail out, or only to see that it can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Messages are marked and taken away.
    Take,
    /// Nothing is changed.
    Look,
}

/// An open folder. Dropping it closes the connection, at any moment.
#[derive(Debug)]
pub struct Session {
    inner: async_imap::Session<Line>,
    offers: Offers,
    validity: u32,
}

#[derive(Debug, Clone, Copy)]
struct Offers {
    idle: bool,
    moving: bool,
    uidplus: bool,
}

impl Session {
    /// Connects, encrypts, logs in and opens the folder.
    pub async fn open(account: &Account, purpose: Purpose) -> Result<Self, ImapFault> {
        let address = (account.host.as_str(), account.port);
        let tcp = within(OPENING, "connecting", async {
            TcpStream::connect(address)
                .await
                .map_err(|error| ImapFault::new(ImapFaultKind::Unreachable, error.to_string()))
        })
        .await?;
        // Commands are small, and each waits for the one before without this.
        tcp.set_nodelay(true).map_err(|error| ImapFault::new(ImapFaultKind::Unreachable, error.to_string()))?;
        let line = within(OPENING, "TLS", encrypted(tcp, account)).await?;
        let mut client = async_imap::Client::new(line);
        if account.security != Security::StartTls {
            // With STARTTLS the greeting came before it.
            within(OPENING, "the greeting", greeting(&mut client)).await?;
        }
        let mut inner = within(OPENING, "the login", login(client, account)).await?;
        let capabilities = within(OPENING, "CAPABILITY", async { Ok(inner.capabilities().await?) }).await?;
        let opened = within(COMMAND, "SELECT", async {
            Ok(match purpose {
                Purpose::Take => inner.select(&account.folder).await,
                Purpose::Look => inner.examine(&account.folder).await,
            })
        })
        .await?;
        let no_folder = |error: async_imap::error::Error| match error {
            async_imap::error::Error::No(said) => {
                ImapFault::new(ImapFaultKind::NoFolder, format!("folder {} cannot be opened: {said}", account.folder))
            }
            other => other.into(),
        };
        let folder = opened.map_err(no_folder)?;
        let validity = folder.uid_validity.ok_or_else(|| {
            ImapFault::new(
                ImapFaultKind::Protocol,
                "the server gives no UIDVALIDITY: its messages cannot be told apart",
            )
        })?;
        Ok(Self { inner, offers: Offers::of(&capabilities), validity })
    }

    /// What the UIDs of this folder are counted under; another one makes all of them new.
    pub fn validity(&self) -> u32 {
        self.validity
    }

    /// Whether the server tells of new mail by itself.
    pub fn can_idle(&self) -> bool {
        self.offers.idle
    }

    /// Whether messages can be taken away without those that others marked.
    pub fn can_take_away(&self) -> bool {
        self.offers.uidplus
    }

    /// The messages from a UID on.
    pub async fn uids_from(&mut self, first: u32) -> Result<BTreeSet<u32>, ImapFault> {
        self.inner.get_mut().allow(REPLY);
        // Whatever was told before is among what is found now.
        while self.inner.unsolicited_responses.try_recv().is_ok() {}
        let found =
            within(COMMAND, "SEARCH", async { Ok(self.inner.uid_search(format!("UID {first}:*")).await?) }).await?;
        // `n:*` names the last message even where its number is lower.
        Ok(found.into_iter().filter(|uid| *uid >= first).collect())
    }

    /// How large these messages are; one that is gone, or of which the server says nothing, is left out.
    pub async fn sizes(&mut self, uids: &[u32]) -> Result<Vec<(u32, u32)>, ImapFault> {
        self.inner.get_mut().allow(REPLY);
        within(COMMAND, "the sizes", async {
            let fetched: Vec<_> = self.inner.uid_fetch(set(uids), "(UID RFC822.SIZE)").await?.try_collect().await?;
            Ok(fetched
                .iter()
                .filter_map(|one| Some((one.uid?, one.size?)))
                .filter(|(uid, _)| uids.contains(uid))
                .collect())
        })
        .await
    }

    /// The bytes of these messages, without marking them as seen; one that is gone, or that the server does not hand over,
    /// is left out. `most` is what all of them
    /// may be together: a server that sends more is cut off.
    pub async fn fetch(&mut self, uids: &[u32], most: usize) -> Result<Vec<(u32, Vec<u8>)>, ImapFault> {
        self.inner.get_mut().allow(most.saturating_add(REPLY));
        within(FETCHING, "the messages", async {
            let mut messages = self.inner.uid_fetch(set(uids), "(UID BODY.PEEK[])").await?;
            let mut fetched = Vec::with_capacity(uids.len());
            while let Some(one) = messages.try_next().await? {
                if let (Some(uid), Some(body)) = (one.uid, one.body())
                    && uids.contains(&uid)
                {
                    fetched.push((uid, body.to_vec()));
                }
            }
            Ok(fetched)
        })
        .await
    }

    /// Marks messages as seen.
    pub async fn mark_seen(&mut self, uids: &[u32]) -> Result<(), ImapFault> {
        self.flag(uids, "\\Seen").await
    }

    /// Takes messages away for good. A server without UIDPLUS keeps them marked as deleted: EXPUNGE would take those
    /// along that others marked, and that nobody has stored.
    pub async fn delete(&mut self, uids: &[u32]) -> Result<(), ImapFault> {
        self.flag(uids, "\\Deleted").await?;
        if self.offers.uidplus {
            self.told(COMMAND, &format!("UID EXPUNGE {}", set(uids))).await?;
        }
        Ok(())
    }

    /// Moves messages into another folder of the same account, which is made where it is missing.
    pub async fn move_to(&mut self, uids: &[u32], folder: &str) -> Result<(), ImapFault> {
        match self.move_once(uids, folder).await {
            Err(fault) if fault.kind == ImapFaultKind::Refused => {
                self.inner.get_mut().allow(REPLY);
                // It may be there, and the reason another one: the second try says so.
                within(COMMAND, "CREATE", async { Ok(self.inner.create(folder).await.is_ok()) }).await?;
                self.move_once(uids, folder).await
            }
            other => other,
        }
    }

    async fn move_once(&mut self, uids: &[u32], folder: &str) -> Result<(), ImapFault> {
        self.inner.get_mut().allow(REPLY);
        if self.offers.moving {
            return within(COMMAND, "MOVE", async { Ok(self.inner.uid_mv(set(uids), folder).await?) }).await;
        }
        within(COMMAND, "COPY", async { Ok(self.inner.uid_copy(set(uids), folder).await?) }).await?;
        self.delete(uids).await
    }

    async fn flag(&mut self, uids: &[u32], flag: &str) -> Result<(), ImapFault> {
        self.told(COMMAND, &format!("UID STORE {} +FLAGS.SILENT ({flag})", set(uids))).await
    }

    /// A command of which only the end counts. The library's own readers of lists take a NO at the end for its end.
    async fn told(&mut self, limit: Duration, command: &str) -> Result<(), ImapFault> {
        self.inner.get_mut().allow(REPLY);
        within(limit, "a command", async { Ok(self.inner.run_command_and_check_ok(command).await?) }).await
    }

    /// Waits until the server tells of something, or has since the last [`uids_from`](Self::uids_from), `longest` at most.
    /// The session is given back unless it broke.
    pub async fn idle(mut self, longest: Duration) -> Result<Self, ImapFault> {
        self.inner.get_mut().allow(REPLY);
        let told = self.inner.unsolicited_responses.clone();
        let (offers, validity) = (self.offers, self.validity);
        let mut handle = self.inner.idle();
        within(COMMAND, "IDLE", async { Ok(handle.init().await?) }).await?;
        // Where it is full, more was told than it could hold.
        let is_new = told.is_full()
            || std::iter::from_fn(|| told.try_recv().ok()).any(|one| matches!(one, UnsolicitedResponse::Exists(_)));
        if !is_new {
            let (waiting, _interrupt) = handle.wait_with_timeout(longest);
            // Of our own: the library's begins anew with each sign of life, and a server ends IDLE after 30 minutes.
            match timeout(longest, waiting).await {
                Err(_) => {}
                Ok(Ok(async_imap::extensions::idle::IdleResponse::ManualInterrupt)) => {
                    return Err(ImapFault::new(ImapFaultKind::Unreachable, "the connection was lost"));
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error.into()),
            }
        }
        let inner = within(COMMAND, "DONE", async { Ok(handle.done().await?) }).await?;
        Ok(Self { inner, offers, validity })
    }

    /// Asks for a sign of life; the server may tell of new mail with it.
    pub async fn noop(&mut self) -> Result<(), ImapFault> {
        self.inner.get_mut().allow(REPLY);
        within(COMMAND, "NOOP", async { Ok(self.inner.noop().await?) }).await
    }

    /// Says goodbye. Nothing depends on the reply.
    pub async fn quit(mut self) {
        let _ = timeout(Duration::from_secs(5), self.inner.logout()).await;
    }
}

impl Offers {
    fn of(capabilities: &Capabilities) -> Self {
        Self {
            idle: capabilities.has_str("IDLE"),
            moving: capabilities.has_str("MOVE"),
            uidplus: capabilities.has_str("UIDPLUS"),
        }
    }
}

async fn encrypted(tcp: TcpStream, account: &Account) -> Result<Line, ImapFault> {
    match account.security {
        Security::None => Ok(Line::plain(tcp)),
        Security::Required => Line::encrypted(tcp, account).await,
        Security::StartTls => {
            let mut client = async_imap::Client::new(tcp);
            greeting(&mut client).await?;
            client.run_command_and_check_ok("STARTTLS", None).await.map_err(|error| {
                ImapFault::new(ImapFaultKind::NoTls, format!("the server does not take STARTTLS: {error}"))
            })?;
            // What was read ahead in plain text goes with the client.
            Line::encrypted(client.into_inner(), account).await
        }
    }
}

/// A server that says who we are before we did (PREAUTH) leaves no way to encrypt, and is not taken at its word.
async fn greeting<T>(client: &mut async_imap::Client<T>) -> Result<(), ImapFault>
where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + std::fmt::Debug + Send,
{
    let greeting = client.read_response().await.map_err(async_imap::error::Error::from)?;
    match greeting.as_ref().map(|one| one.parsed()) {
        Some(Response::Data { status: Status::Ok, .. }) => Ok(()),
        Some(_) => Err(ImapFault::new(ImapFaultKind::Protocol, "the server does not greet as an IMAP server does")),
        None => Err(ImapFault::new(ImapFaultKind::Unreachable, "the server hung up at once")),
    }
}

async fn login(client: async_imap::Client<Line>, account: &Account) -> Result<async_imap::Session<Line>, ImapFault> {
    client.login(&account.user, account.password.shown()).await.map_err(|(error, _)| match error {
        async_imap::error::Error::No(said) => {
            ImapFault::new(ImapFaultKind::Login, format!("the login is refused: {said}"))
        }
        other => other.into(),
    })
}

async fn within<T>(
    limit: Duration,
    step: &'static str,
    doing: impl Future<Output = Result<T, ImapFault>>,
) -> Result<T, ImapFault> {
    timeout(limit, doing).await.unwrap_or_else(|_| {
        let what = format!("no answer within {} s ({step})", limit.as_secs());
        Err(ImapFault::new(ImapFaultKind::Unreachable, what))
    })
}

/// `1,4:6`, in ranges where numbers follow each other.
fn set(uids: &[u32]) -> String {
    let mut text = String::new();
    let mut rest = uids;
    while let [first, ..] = rest {
        let run =
            rest.iter().enumerate().take_while(|(at, uid)| usize::try_from(**uid - first).ok() == Some(*at)).count();
        let comma = if text.is_empty() { "" } else { "," };
        let _ = match run {
            1 => write!(text, "{comma}{first}"),
            _ => write!(text, "{comma}{first}:{}", rest[run - 1]),
        };
        rest = &rest[run..];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_one_range() {
        for (uids, expect) in [(&[7][..], "7"), (&[1, 2, 3, 9], "1:3,9"), (&[1, 3, 4], "1,3:4"), (&[], "")] {
            assert_eq!(set(uids), expect, "{uids:?}");
        }
    }
}
