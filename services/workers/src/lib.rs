//! The steps that run by themselves: apalis workers, the sweep that nudges them, the sender, and the receiver of mail.
//!
//! Holds no rule and no SQL: every step is a function of `app`. Invariant: a job is a nudge. Losing, doubling or
//! delaying one changes nothing, because the sweep asks the rows what is due.

mod delivery;
mod desk;
mod error;
mod heartbeat;
mod idle;
mod jobs;
mod mailboxes;
mod reception;
mod runner;
pub mod systemd;
mod webhooks;
mod worker;

pub use desk::Done;
pub use error::WorkerError;
pub use heartbeat::beat;
pub use idle::work_until_idle;
pub use reception::Receivers;
pub use runner::run;
