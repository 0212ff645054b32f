//! The nouns of the product and the rules that bind them: names, counting, mapping, notices, deliveries, tickets,
//! escalation. Everything here is a pure function of its arguments.
//!
//! Architecture invariant: no I/O, no async, no clock, no random; knows no sqlx, tokio, lettre, handlebars, axum, apalis.

pub mod actor;
pub mod advice;
pub mod approval;
pub mod calendar;
pub mod code;
pub mod delivery;
pub mod difference;
pub mod digest;
pub mod domain;
pub mod duties;
pub mod email;
pub mod escalation;
pub mod ids;
pub mod intake;
pub mod language;
pub mod law;
pub mod links;
pub mod machine;
pub mod mapping;
pub mod mentions;
pub mod network;
pub mod notices;
pub mod pace;
pub mod path_rule;
pub mod printed;
pub mod reach;
pub mod report;
pub mod rules;
pub mod runs;
pub mod search;
pub mod shared;
pub mod stop;
pub mod suffixes;
pub mod taxonomy;
pub mod tickets;
pub mod time;
pub mod webhooks;
pub mod withholding;
