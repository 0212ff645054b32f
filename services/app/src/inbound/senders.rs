//! Who wrote a mail, as far as it can be proven: trust A, B, U or C.
//!
//! Changes no question, no turn and no ticket: whatever the trust, a mail with a token lands. Trust limits what goes out.
//! Invariant: in doubt it is U, and a mail that names no ticket stays C.

use std::net::IpAddr;
use std::sync::Arc;

use mail::proof::{Connection, Proof, Proven, Prover};
use model::delivery::{Role, rung};
use store::contacts::Contact;
use store::inbound::{Checked, Inbound};
use store::tickets::{Entry, TicketRow};
use store::{Conn, Tx};
use tokio::task::JoinSet;

use super::whose::normal;
use super::{Reading, acknowledgement, row};
use crate::settings::ReceiveSettings;
use crate::{App, AppError, new_id};

/// Waits after a try to which DNS gave no answer, in seconds; then the sender counts as not proven.
const WAITS: [i64; 3] = [10, 60, 600];

/// How sure we are of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// A contact whom we wrote to, proven.
    A,
    /// Somebody at a domain of the organisation, proven.
    B,
    /// Anybody with the token.
    U,
}

impl Trust {
    fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::U => "U",
        }
    }
}

/// Who asks about senders, and whose connections say nothing.
#[derive(Debug, Clone)]
pub(crate) struct Senders {
    prover: Arc<Prover>,
    relays: Arc<Vec<(IpAddr, u8)>>,
}

impl Senders {
    /// By configuration; `None` where nobody is asked.
    pub(crate) fn of(settings: &ReceiveSettings) -> Result<Option<Self>, AppError> {
        let network = |text: &String| {
            network(text).ok_or_else(|| {
                AppError::bad(
                    format!("receive.relays names `{text}`, which is no network"),
                    "write it as in 10.0.0.0/8",
                )
            })
        };
        let relays = Arc::new(settings.relays.iter().map(network).collect::<Result<Vec<_>, _>>()?);
        if settings.resolver.is_empty() {
            return Ok(None);
        }
        let prover = Prover::new(&settings.resolver)
            .map_err(|error| AppError::bad(error.to_string(), "correct [receive] resolver in the configuration"))?;
        Ok(Some(Self { prover: Arc::new(prover), relays }))
    }

    pub(crate) fn prover(&self) -> &Prover {
        &self.prover
    }

    async fn ask(&self, mail: &Inbound) -> Proven {
        let peer = mail.peer.as_ref().and_then(|peer| peer.parse::<IpAddr>().ok()).map(|peer| peer.to_canonical());
        let peer = peer.filter(|peer| !self.relays.iter().any(|relay| holds(*relay, *peer)));
        let connection = peer.map(|peer| Connection {
            peer,
            hello: mail.hello.as_deref().unwrap_or_default(),
            from: mail.envelope_from.as_deref().unwrap_or_default(),
        });
        self.prover.prove(&mail.raw, connection).await
    }
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(most), |length| length.parse().ok())?;
    (length <= most).then_some((address, length))
}

fn holds((network, length): (IpAddr, u8), peer: IpAddr) -> bool {
    let shifted = |bits: u128, width: u8| bits.checked_shr(u32::from(width - length)).unwrap_or(0);
    match (network, peer) {
        (IpAddr::V4(network), IpAddr::V4(peer)) => {
            shifted(u128::from(network.to_bits()), 32) == shifted(u128::from(peer.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(peer)) => shifted(network.to_bits(), 128) == shifted(peer.to_bits(), 128),
        _ => false,
    }
}

/// Whether a sender is to be proven now.
pub(super) async fn are_due(app: &App, conn: &mut Conn) -> Result<bool, AppError> {
    Ok(app.prover.is_some() && !store::inbound::to_check(conn, app.clock.real().micros(), 1).await?.is_empty())
}

/// Looks at up to `limit` senders, at the same time.
pub(super) async fn prove_pending(app: &App, limit: i64) -> Result<usize, AppError> {
    if app.prover.is_none() {
        return Ok(0);
    }
    let ids = store::inbound::to_check(&mut app.store.read().await?, app.clock.real().micros(), limit).await?;
    let count = ids.len();
    let mut proving = JoinSet::new();
    for id in ids {
        let app = app.clone();
        proving.spawn(async move { (prove(&app, &id).await, id) });
    }
    while let Some(ended) = proving.join_next().await {
        match ended {
            Ok((Ok(()), _)) => {}
            Ok((Err(error), id)) => {
                tracing::warn!(inbound.id = %id, %error, "a sender could not be proven and counts as not proven");
                give_up(app, &id).await?;
            }
            Err(error) => {
                tracing::error!(%error, "proving a sender ended by a fault of the program; please report that")
            }
        }
    }
    Ok(count)
}

/// Looks at one sender, if that is due.
pub(super) async fn prove(app: &App, id: &str) -> Result<(), AppError> {
    let mail = row(app, id).await?;
    let (Some(senders), Some(due)) = (&app.prover, mail.check_at) else { return Ok(()) };
    if due > app.clock.real().micros() {
        return Ok(());
    }
    // Before the transaction: DNS takes its time.
    let proven = senders.ask(&mail).await;
    record(app, &mail, due, proven).await
}

async fn record(app: &App, mail: &Inbound, due: i64, proven: Proven) -> Result<(), AppError> {
    let mut tx = app.store.begin().await?;
    let Some(ticket) = &mail.ticket_id else { return Ok(()) };
    store::tickets::lock(&mut tx, ticket).await?;
    let gone = || AppError::missing(format!("no ticket {ticket}"), "the store was changed by hand: restore it");
    let ticket = store::tickets::by_id(&mut tx, ticket).await?.ok_or_else(gone)?;
    let (trust, why) = trust(app, &mut tx, &ticket, &proven.proof).await?;
    let mut reading: Reading = match &mail.verdict {
        Some(text) => serde_json::from_str(text).map_err(AppError::stored("inbound.verdict"))?,
        None => Reading::default(),
    };
    reading.evidence.extend(proven.evidence);
    reading.evidence.push(why.to_owned());
    let verdict = serde_json::to_string(&reading).map_err(AppError::stored("inbound.verdict"))?;
    let wait = usize::try_from(mail.check_tries).ok().and_then(|tries| WAITS.get(tries));
    let next = (proven.proof == Proof::Unknown).then_some(wait).flatten();
    let next = next.map(|seconds| app.clock.real().micros() + seconds * 1_000_000);
    let found = Checked { id: &mail.id, due, trust: trust.as_str(), verdict: &verdict, next };
    // The claim: whoever asks second changes nothing.
    if !store::inbound::checked(&mut tx, &found).await? {
        return Ok(());
    }
    if next.is_none() {
        // For whoever reads the conversation: the mail's own line names its sender as the mail does.
        let body = format!("{}: {why} ({})", mail.id, trust.as_str());
        let at = app.clock.now().micros();
        let entry = Entry { id: new_id("ent"), at, kind: "status".to_owned(), actor: app.actor.clone(), body };
        store::tickets::insert_entry(&mut tx, &ticket.id, &entry).await?;
    }
    let acknowledged = match (&proven.proof, trust) {
        (Proof::Proven(from), Trust::A | Trust::B) => {
            acknowledgement::queue(app, &mut tx, &ticket, mail, &reading.questions, &normal(from)).await?
        }
        _ => None,
    };
    let detail =
        serde_json::json!({ "trust": trust.as_str(), "acknowledged_by": acknowledged, "again": next.is_some() });
    Ok(tx.commit(app.entry("mail.check", &mail.id, detail)).await?)
}

/// Leaves a mail as it is: not proven.
async fn give_up(app: &App, id: &str) -> Result<(), AppError> {
    let mail = row(app, id).await?;
    let (Some(due), Some(trust), Some(verdict)) = (mail.check_at, &mail.trust, &mail.verdict) else { return Ok(()) };
    let mut tx = app.store.begin().await?;
    store::inbound::checked(&mut tx, &Checked { id, due, trust, verdict, next: None }).await?;
    Ok(tx.commit_ledger().await?)
}

async fn trust(app: &App, tx: &mut Tx, ticket: &TicketRow, proof: &Proof) -> Result<(Trust, &'static str), AppError> {
    let from = match proof {
        Proof::Proven(from) => normal(from),
        Proof::NotProven => return Ok((Trust::U, "its sender is not proven")),
        Proof::Unknown => return Ok((Trust::U, "nobody could say whether its sender is who it says")),
    };
    let contacts = store::contacts::of(tx, std::slice::from_ref(&ticket.tenant_id)).await?;
    // An account manager is the vendor's own, and has no rung.
    let is_reader = |contact: &&Contact| contact.is_usable() && Role::parse(&contact.role).and_then(rung).is_some();
    let is_contact = contacts.iter().filter(is_reader).any(|contact| contact.address == from);
    let written_to = store::delivery::of_conversation(tx, &ticket.id).await?;
    if is_contact && written_to.iter().any(|mail| mail.address == from && mail.tenant_id.is_some()) {
        return Ok((Trust::A, "its sender is a contact whom we wrote to, and proven"));
    }
    let domain = from.rsplit_once('@').map_or("", |(_, domain)| domain);
    if crate::mapping::belongs_to(app, tx, ticket.incident_id, domain, &ticket.tenant_id).await? {
        return Ok((Trust::B, "its sender is at a domain of the organisation, and proven"));
    }
    Ok((Trust::U, "its sender is proven, and nobody of the organisation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(relay: &str, peer: &str, expect: bool) {
        assert_eq!(holds(network(relay).unwrap(), peer.parse().unwrap()), expect, "{relay} {peer}");
    }

    #[test]
    fn a_relay_is_known_by_its_network() {
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("192.0.2.7", "192.0.2.7", true);
        check("192.0.2.7", "192.0.2.8", false);
        check("0.0.0.0/0", "192.0.2.8", true);
        check("fc00::/7", "fd00::1", true);
        check("fc00::/7", "2001:db8::1", false);
        check("::/0", "2001:db8::1", true);
        check("10.0.0.0/8", "::1", false);
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "x", "10.0.0.0/33", "10.0.0.0/x", "::/129"] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
