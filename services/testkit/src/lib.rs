//! A whole system inside a test: a database server, a mail server, a name server, a web server, incidents with known results, the real binary.
//!
//! It is a development dependency only and knows nothing of the product's code: what it expects follows from how the
//! inputs were made, never from reading them back. Every server listens on 127.0.0.1 alone and ends with the test.

pub mod data;
pub mod dkim;
pub mod dns;
pub mod dovecot;
pub mod forms;
pub mod generator;
mod guard;
pub mod mailboxes;
pub mod postfix;
pub mod postgres;
pub mod process;
pub mod receiver;
pub mod smtp;
