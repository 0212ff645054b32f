//! Mails that have a start wait here, not at a connection, so that nobody else waits behind them.
//!
//! Sends nothing. Invariant: a mail goes on at its start or later, never earlier.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::limited::StartGiven;
use super::{Parcel, Post};

/// Mails that wait for their start at most; further ones stay with the claim.
const ROOM: usize = 2_000;

/// Lets parcels on when they may start, until the sender is over or nobody claims any more.
pub(super) async fn usher(post: Arc<Post>, mut incoming: mpsc::Receiver<Parcel>, carriers: mpsc::Sender<Parcel>) {
    let mut room: BTreeMap<(Instant, u64), Parcel> = BTreeMap::new();
    let (mut number, mut is_open) = (0, true);
    while is_open || !room.is_empty() {
        let first = room.keys().next().map(|(at, _)| *at);
        let parcel = tokio::select! {
            () = post.over.cancelled() => return,
            () = tokio::time::sleep_until(first.unwrap_or_else(Instant::now).into()), if first.is_some() => {
                room.pop_first().map(|(_, parcel)| parcel)
            }
            parcel = incoming.recv(), if is_open && room.len() < ROOM => {
                match parcel {
                    None => is_open = false,
                    Some(parcel) => {
                        number += 1;
                        let at = parcel.start.as_ref().map_or_else(Instant::now, StartGiven::at);
                        room.insert((at, number), parcel);
                    }
                }
                None
            }
        };
        let Some(parcel) = parcel else { continue };
        tokio::select! {
            () = post.over.cancelled() => return,
            sent = carriers.send(parcel) => if sent.is_err() { return },
        }
    }
}
