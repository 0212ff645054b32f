//! What holds waves up: the sending domain before a large one, limits and stop rules while one goes out.
//!
//! Releases and sends nothing (`delivery` does). Invariant: whatever a wave is held up by, only a person lets it go on,
//! with a reason that stays in the record.

mod forecast;
mod standing;
mod starts;
mod stop;

use mail::route::Route;
use model::pace::Limits;

pub use forecast::{Expected, Forecast, Missed, forecast};
pub use mail::standing::{Finding, Standing};
pub use standing::{CHECKED_ABOVE, Weight, look, look_again, weight};
pub use starts::{AHEAD, give, limits, receiving_systems};
pub use stop::{Stopped, judge, resume, stopped};

pub(crate) use standing::{look_before, must_be_in_order};
pub(crate) use stop::must_not_be_stopped;

use crate::delivery::Selection;

/// A release as somebody asks for it.
#[derive(Debug)]
pub struct Release<'a> {
    /// What the wave is called.
    pub name: &'a str,
    /// Which approved notices.
    pub selection: &'a Selection,
    /// How fast it goes out.
    pub limits: Limits,
    /// Where its mail will leave, as far as is known here.
    pub routes: Option<&'a [Route]>,
    /// Why it is released whatever speaks against it.
    pub override_why: Option<&'a str>,
}

impl<'a> Release<'a> {
    /// Without limits, without a known route, and with nothing overridden.
    pub fn new(name: &'a str, selection: &'a Selection) -> Self {
        Self { name, selection, limits: Limits::default(), routes: None, override_why: None }
    }
}
