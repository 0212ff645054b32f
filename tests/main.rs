//! The top-level tests: the real binary on both databases, against a real mail server of our own.
//!
//! One file a step, as everywhere else; `story.rs` walks through all of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod calendars;
mod cli;
mod delivery;
mod dkim;
mod duties;
mod escalation;
mod faults;
mod genuine;
mod imap;
mod intake;
mod law;
mod looks;
mod mapping;
mod notices;
mod postfix;
mod reach;
mod reception;
mod report;
mod setup;
mod signed;
mod story;
mod templates;
mod tickets;
mod tidy;
mod trust;
mod watch;
mod waves;
mod webhooks;
mod withholding;
mod wrong_recipient;
