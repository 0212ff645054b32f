//! Letters and webhooks out, replies in: templates, MIME, the SMTP phases, calls by HTTP, folders as a transport, taking
//! and reading what comes in.
//!
//! Does not know the database and keeps no clock: what is sent, to whom and when is given by the caller.
//!
//! Architecture invariant: knows `model` only; no SQL, no other crate of ours.

pub mod dkim;
pub mod http;
pub mod imap;
pub mod inbound;
pub mod message;
pub mod proof;
pub mod reception;
pub mod relay_log;
pub mod reply;
pub mod route;
pub mod smtp;
pub mod spool;
pub mod standing;
pub mod templates;
pub mod webhooks;
