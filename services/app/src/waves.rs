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
pub use standing::{CHECKED_ABOVE, Weight, look, look_again, look_at_silent, weight};
pub use starts::{AHEAD, give, known_systems, limits, receiving_systems};
pub use stop::{Found, Stopped, judge, pause, resume, stopped};

pub(crate) use standing::{look_before, must_be_in_order};
pub(crate) use stop::must_not_be_stopped;

use crate::AppError;
use crate::delivery::Selection;

/// Characters that the name of a wave has at most.
const LONGEST_NAME: usize = 100;

/// A name that can be typed, and shown in one line.
pub fn must_be_a_name(name: &str) -> Result<(), AppError> {
    let is_one = !name.trim().is_empty() && name == name.trim() && !name.chars().any(char::is_control);
    if is_one && name.chars().count() <= LONGEST_NAME {
        return Ok(());
    }
    Err(AppError::bad(
        format!("`{}` is no name for a wave", name.escape_debug()),
        format!("give one line of up to {LONGEST_NAME} characters, without white space around it"),
    ))
}

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
