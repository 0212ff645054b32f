//! The SMTP phases against small scripted servers.
//!
//! No external program takes part. Each test reads as the conversation it plays.

mod envelopes;
mod faults;
mod messages;
mod opening;
mod server;
