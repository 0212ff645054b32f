//! Look-ups in a program that was built without them: there are none.
//!
//! Stands in for `look`. Invariant: nobody outside is asked.

use model::reach::Rung;

use super::leads::Answers;
use crate::{App, AppError};

/// Whether look-ups can be made as they are configured. There are none.
pub(super) fn ready(_: &App) -> Result<(), AppError> {
    Ok(())
}

/// Asks about domains. `None`: the rung asks nobody.
pub(super) async fn ask(_: &App, _: Rung, _: &[String]) -> Result<Option<Answers>, AppError> {
    Ok(None)
}
