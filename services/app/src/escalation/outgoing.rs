//! What a chunk of ladders fires, gathered so that it is written in a few statements.
//!
//! Decides nothing. Invariant: all of it is one transaction, and a rung that somebody else has fired meanwhile undoes it.

use std::collections::BTreeMap;

use store::delivery::NewMail;
use store::escalation::{Firing, NewTask, Task};
use store::notices::LetterRow;
use store::tickets::Entry;
use store::{StoreError, Tx};

use crate::{App, AppError};

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pub(super) firings: Vec<Firing>,
    /// With their tickets.
    pub(super) entries: Vec<(String, Entry)>,
    /// With their incidents and unique keys.
    pub(super) tasks: Vec<(i64, Task, String)>,
    pub(super) letters: Vec<LetterRow>,
    /// By incident.
    pub(super) mails: BTreeMap<i64, Vec<NewMail>>,
}

impl Outgoing {
    pub(super) async fn write(&self, app: &App, tx: &mut Tx) -> Result<(), AppError> {
        let (now, real) = (app.clock.now().micros(), app.clock.real().micros());
        store::notices::insert_letters(tx, now, &self.letters).await?;
        for (incident, mails) in &self.mails {
            store::delivery::insert_mails(tx, *incident, now, real, mails).await?;
        }
        let new = store::escalation::insert_firings(tx, &self.firings).await?;
        if usize::try_from(new) != Ok(self.firings.len()) {
            return Err(StoreError::Stale { what: "the rungs that are due".to_owned() }.into());
        }
        store::tickets::insert_entries(tx, &self.entries).await?;
        let tasks: Vec<NewTask<'_>> = self
            .tasks
            .iter()
            .map(|(incident, task, unique_key)| NewTask { incident: *incident, task, unique_key })
            .collect();
        store::escalation::insert_tasks(tx, &tasks).await?;
        Ok(())
    }
}
