//! Everything that is SQL: SQLite and PostgreSQL behind one [`Store`].
//!
//! One file a step, one function a question or change, each statement written once for both databases. Decides
//! nothing: rules are in `model`, verbs in `app`. Invariant: every statement is named in [`statements`], and a test
//! prepares each on both migrated databases.

#[macro_use]
mod db;

pub mod audit;
pub mod calendars;
pub mod codes;
pub mod contacts;
pub mod crash;
pub mod delivery;
pub mod denials;
pub mod directory;
pub mod duties;
pub mod escalation;
pub mod facts;
pub mod foreign;
pub mod inbound;
pub mod inbox;
pub mod incidents;
pub mod intake;
pub mod ledger;
pub mod mailboxes;
pub mod mapping;
pub mod notices;
pub mod overview;
pub mod proofs;
pub mod queue;
pub mod reach;
mod rows;
pub mod runs;
pub mod search;
pub mod settlements;
pub mod signed;
pub mod snippets;
pub mod starts;
pub mod sweeps;
pub mod templates;
pub mod threads;
pub mod tickets;
pub mod unwritten;
pub mod watch;
pub mod waves;
pub mod webhooks;
pub mod withholdings;

pub use audit::AuditEntry;
pub use db::{Conn, Database, Dialect, Store, StoreError, Tx};

/// Every fixed statement by name, for the test that prepares them: `(name, text)`. A name that ends in `_SQLITE` or
/// `_POSTGRES` is for that database alone.
pub fn statements() -> Vec<(&'static str, &'static str)> {
    [
        audit::STATEMENTS,
        calendars::STATEMENTS,
        codes::STATEMENTS,
        contacts::STATEMENTS,
        contacts::entries::STATEMENTS,
        contacts::words::STATEMENTS,
        delivery::STATEMENTS,
        denials::STATEMENTS,
        directory::STATEMENTS,
        directory::imports::STATEMENTS,
        directory::moves::STATEMENTS,
        directory::tenants::STATEMENTS,
        duties::STATEMENTS,
        escalation::STATEMENTS,
        escalation::events::STATEMENTS,
        escalation::policies::STATEMENTS,
        escalation::probes::STATEMENTS,
        escalation::unreached::STATEMENTS,
        facts::STATEMENTS,
        foreign::STATEMENTS,
        inbound::STATEMENTS,
        incidents::STATEMENTS,
        intake::STATEMENTS,
        ledger::STATEMENTS,
        mailboxes::STATEMENTS,
        mapping::STATEMENTS,
        notices::STATEMENTS,
        overview::STATEMENTS,
        queue::STATEMENTS,
        reach::STATEMENTS,
        runs::STATEMENTS,
        search::STATEMENTS,
        settlements::STATEMENTS,
        signed::STATEMENTS,
        snippets::STATEMENTS,
        starts::STATEMENTS,
        sweeps::STATEMENTS,
        templates::STATEMENTS,
        threads::STATEMENTS,
        tickets::STATEMENTS,
        unwritten::STATEMENTS,
        watch::STATEMENTS,
        waves::STATEMENTS,
        waves::released::STATEMENTS,
        webhooks::STATEMENTS,
        webhooks::ALERTS,
        withholdings::STATEMENTS,
    ]
    .concat()
}
