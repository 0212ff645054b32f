//! Whether a notice code is genuine: all of it for the support desk, next to nothing for the public.
//!
//! Changes nothing and counts nobody. Invariant: what the public is told names no organisation, no content and no
//! figure, and a mistyped code and an unknown one are the same to it.

use model::code::{Checks, NoticeCode};
use model::time::Timestamp;
use serde::Serialize;

use crate::{App, AppError};

/// What the support desk sees of a code.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The code in its one spelling.
    pub code: String,
    /// `ntc_…`.
    pub notice_id: String,
    /// The incident.
    pub incident: String,
    /// Whose.
    pub tenant_id: String,
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// From 1.
    pub version: i64,
    /// `drafted`, `approved`, `released`, `withdrawn`.
    pub state: String,
    /// When it was released; empty: it was not, so nobody outside can have it.
    pub released_at: String,
    /// The newest notice that followed it; empty: none did.
    pub followed_by: String,
}

/// What anybody is told of a genuine code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// Whose notice it is.
    pub vendor: String,
    /// The title of the incident.
    pub title: String,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// The notice of a code that somebody reads out, for the support desk.
pub async fn verify(app: &App, typed: &str) -> Result<Verified, AppError> {
    let Some(code) = NoticeCode::read(typed) else {
        return Err(AppError::bad(
            "this has not the form of a notice code".to_owned(),
            "a code has twelve characters, as in K7QF-2M9X-0WTR; the letters I, L, O and U are not used",
        ));
    };
    let found = store::codes::by_code(&mut app.store.read().await?, &code.to_string()).await?;
    let Some(found) = found else {
        return Err(match code.checks() {
            Checks::Wrong => AppError::bad(
                format!("{code} is mistyped: its last character does not fit the others"),
                "ask to read it out again, character by character",
            ),
            Checks::Right => AppError::missing(
                format!("no notice has the code {code}, and it is not mistyped"),
                "treat the mail that names it as a forgery, and ask for a copy of it with its headers",
            ),
        });
    };
    Ok(Verified {
        code: code.to_string(),
        notice_id: found.id,
        incident: found.slug,
        tenant_id: found.tenant_id,
        kind: found.kind,
        version: found.version,
        state: found.state,
        released_at: found.released_at.map(|at| Timestamp::from_micros(at).to_string()).unwrap_or_default(),
        followed_by: found.followed_by.unwrap_or_default(),
    })
}

/// What the public page says of what somebody typed; `None`: nothing that was sent has this code.
pub async fn genuine(app: &App, typed: &str) -> Result<Option<Genuine>, AppError> {
    // Something that is no code is looked for all the same, so that every answer takes the same steps.
    let code = NoticeCode::read(typed).map(|code| code.to_string()).unwrap_or_default();
    let found = store::codes::by_code(&mut app.store.read().await?, &code).await?;
    Ok(found.filter(|notice| notice.state == "released").and_then(|notice| {
        let sent_at = Timestamp::from_micros(notice.released_at?);
        Some(Genuine { vendor: notice.vendor, title: notice.title, sent_at })
    }))
}
