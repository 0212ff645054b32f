//! One look through a mailbox: what is new is measured, fetched, stored, and only then marked or taken away.
//!
//! Invariant: a mail that cannot be taken stands alone from its second try on, comes after those that were tried less, and
//! is left to a person after its last one. A failed fetch ends the visit: a server that says no may hang up next, and
//! the next mail's try would be counted for nothing.

use std::collections::{BTreeMap, BTreeSet};

use app::mailboxes::{Folder, Known, TRIES};
use app::settings::{After, ImapSettings};
use mail::imap::{ImapFaultKind, Session};

use super::VisitError;
use crate::desk::Desk;

/// Mails whose sizes are asked for at a time.
const SIZES: usize = 500;
/// Mails and bytes that are fetched at a time.
const MAILS: usize = 50;
const BYTES: usize = 4 * 1024 * 1024;

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nothing is left until something comes.
    Settled,
    /// A mail that was there is not any more, or was not handed over: it is looked for at once, and tries are counted.
    Again,
}

struct Round<'a> {
    desk: &'a Desk,
    mailbox: &'a ImapSettings,
    session: &'a mut Session,
    folder: &'a mut Folder,
    /// What is not settled yet.
    left: BTreeSet<u32>,
    /// Whether anything was taken: the server is not what fails.
    went_well: &'a mut bool,
}

/// Looks through the mailbox once.
pub(super) async fn take(
    desk: &Desk,
    mailbox: &ImapSettings,
    session: &mut Session,
    folder: &mut Folder,
    went_well: &mut bool,
) -> Result<Ended, VisitError> {
    let first = match mailbox.after {
        After::Seen => folder.settled_to.saturating_add(1),
        // What was taken away is there no more, so this is little; and what is there was not taken.
        After::Delete | After::Move(_) => 1,
    };
    let there = session.uids_from(first).await?;
    let last = there.last().copied();
    let known = match there.first() {
        Some(first) => app::mailboxes::known(&desk.app, folder, *first).await?,
        None => BTreeMap::new(),
    };
    let left = there.into_iter().filter(|uid| known.get(uid) != Some(&Known::Settled)).collect();
    let mut round = Round { desk, mailbox, session, folder, left, went_well };
    round.finish_kept(&known).await?;
    for batch in round.batches(&known).await? {
        round.fetch(&batch).await?;
    }
    let settled_to = match round.left.first() {
        Some(uid) => uid - 1,
        None => last.unwrap_or(round.folder.settled_to),
    };
    let ended = if round.left.is_empty() { Ended::Settled } else { Ended::Again };
    app::mailboxes::looked(&desk.app, folder, settled_to).await?;
    Ok(ended)
}

impl Round<'_> {
    /// What was stored before a process ended, and is still there.
    async fn finish_kept(&mut self, known: &BTreeMap<u32, Known>) -> Result<(), VisitError> {
        let kept: Vec<u32> = self.left.iter().copied().filter(|uid| known.get(uid) == Some(&Known::Kept)).collect();
        for part in kept.chunks(MAILS) {
            self.put_away(part).await?;
        }
        Ok(())
    }

    /// What is to be fetched: those that were never tried, many at a time; then the others, one by one.
    async fn batches(&mut self, known: &BTreeMap<u32, Known>) -> Result<Vec<Batch>, VisitError> {
        let uids: Vec<u32> = self.left.iter().copied().collect();
        let (mut batches, mut alone): (Vec<Batch>, Vec<(i64, Batch)>) = (Vec::new(), Vec::new());
        for part in uids.chunks(SIZES) {
            let sizes: BTreeMap<u32, usize> = self.session.sizes(part).await?.into_iter().map(sized).collect();
            for uid in part {
                let size = sizes.get(uid).copied();
                let tries = match known.get(uid) {
                    Some(Known::Begun(tries)) => *tries,
                    _ => 0,
                };
                match size {
                    Some(size) if size > app::inbound::LARGEST => {
                        self.refuse(*uid, &format!("it has {size} bytes, more than {}", app::inbound::LARGEST)).await?;
                    }
                    _ if tries >= TRIES => {
                        self.refuse(*uid, &format!("it could not be fetched in {tries} tries")).await?
                    }
                    Some(size) if tries == 0 => Batch::add(&mut batches, *uid, size),
                    // Of unknown size where the server does not say: it is cut off at the largest.
                    _ => {
                        let bytes = size.unwrap_or(app::inbound::LARGEST);
                        alone.push((tries, Batch { uids: vec![*uid], bytes }));
                    }
                }
            }
        }
        alone.sort_by_key(|(tries, _)| *tries);
        batches.extend(alone.into_iter().map(|(_, batch)| batch));
        Ok(batches)
    }

    async fn fetch(&mut self, batch: &Batch) -> Result<(), VisitError> {
        app::mailboxes::begin(&self.desk.app, self.folder, &batch.uids).await?;
        let fetched = self.session.fetch(&batch.uids, batch.bytes).await?;
        let missing: Vec<u32> =
            batch.uids.iter().copied().filter(|uid| fetched.iter().all(|(there, _)| there != uid)).collect();
        let fits = |raw: &Vec<u8>| !raw.is_empty() && raw.len() <= app::inbound::LARGEST;
        let (mails, unfit): (Vec<_>, Vec<_>) = fetched.into_iter().partition(|(_, raw)| fits(raw));
        for (uid, raw) in unfit {
            self.refuse(uid, &format!("the server hands it over with {} bytes", raw.len())).await?;
        }
        if !mails.is_empty() {
            let uids: Vec<u32> = mails.iter().map(|(uid, _)| *uid).collect();
            app::mailboxes::keep(&self.desk.app, self.folder, mails).await?;
            self.desk.mail_came_in.notify_one();
            *self.went_well = true;
            self.put_away(&uids).await?;
        }
        self.look_for(&missing).await
    }

    /// What was not handed over is gone, or the server fails.
    async fn look_for(&mut self, missing: &[u32]) -> Result<(), VisitError> {
        let Some(first) = missing.first() else { return Ok(()) };
        let there = self.session.uids_from(*first).await?;
        let withheld = missing.iter().filter(|uid| there.contains(uid)).count();
        if withheld > 0 {
            return Err(VisitError::Withheld(withheld));
        }
        self.left.retain(|uid| !missing.contains(uid));
        Ok(())
    }

    /// The mailbox hears that these mails are stored.
    async fn put_away(&mut self, uids: &[u32]) -> Result<(), VisitError> {
        match &self.mailbox.after {
            After::Seen => self.session.mark_seen(uids).await?,
            After::Delete => self.session.delete(uids).await?,
            After::Move(folder) => self.session.move_to(uids, folder).await?,
        }
        app::mailboxes::done(&self.desk.app, self.folder, uids).await?;
        self.left.retain(|uid| !uids.contains(uid));
        Ok(())
    }

    /// It is remembered before it is moved: a move that fails leaves it where it is.
    async fn refuse(&mut self, uid: u32, why: &str) -> Result<(), VisitError> {
        app::mailboxes::refuse(&self.desk.app, self.folder, uid, why).await?;
        tracing::error!(
            mailbox = self.mailbox.name,
            uid,
            why,
            "a mail of a mailbox cannot be taken and waits for a person"
        );
        self.left.remove(&uid);
        if !self.mailbox.quarantine.is_empty()
            && let Err(fault) = self.session.move_to(&[uid], &self.mailbox.quarantine).await
        {
            tracing::warn!(mailbox = self.mailbox.name, uid, error = %fault, "a mail could not be moved into quarantine and stays");
            if fault.kind != ImapFaultKind::Refused {
                return Err(fault.into());
            }
        }
        Ok(())
    }
}

fn sized((uid, size): (u32, u32)) -> (u32, usize) {
    (uid, usize::try_from(size).unwrap_or(usize::MAX))
}

/// Mails that are fetched in one go.
#[derive(Debug, PartialEq, Eq)]
struct Batch {
    uids: Vec<u32>,
    bytes: usize,
}

impl Batch {
    fn add(batches: &mut Vec<Self>, uid: u32, size: usize) {
        match batches.last_mut() {
            Some(batch) if batch.uids.len() < MAILS && batch.bytes + size <= BYTES => {
                batch.uids.push(uid);
                batch.bytes += size;
            }
            _ => batches.push(Self { uids: vec![uid], bytes: size }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_small_mails_are_one_batch_and_a_large_one_is_its_own() {
        let mut batches = Vec::new();
        for (uid, size) in (1..).zip([10, BYTES, 10, 10]) {
            Batch::add(&mut batches, uid, size);
        }
        let lengths: Vec<usize> = batches.iter().map(|batch| batch.uids.len()).collect();
        assert_eq!(lengths, [1, 1, 2]);
    }
}
