//! Notices by their code.
//!
//! Tells nothing to anybody (that is `app::notices::verify`). Invariant: a look-up is one step in an index, whether there
//! is such a code or not.

use crate::{Conn, StoreError};

statements! {
    BY_CODE = "
        SELECT n.id, n.tenant_id, n.kind, n.version, n.state, n.released_at, i.slug, i.title, i.vendor,
            (SELECT x.id FROM notices x
                WHERE x.incident_id = n.incident_id AND x.tenant_id = n.tenant_id AND x.version > n.version AND x.state = 'released'
                ORDER BY x.version DESC LIMIT 1) AS followed_by
        FROM notices n
        JOIN incidents i ON i.id = n.incident_id
        WHERE n.code = $1";
}

/// The notice of a code.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Coded {
    /// `ntc_…`.
    pub id: String,
    /// Whose.
    pub tenant_id: String,
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// From 1.
    pub version: i64,
    /// `drafted`, `approved`, `released`, `withdrawn`.
    pub state: String,
    /// Microseconds since the epoch; none: it was not released.
    pub released_at: Option<i64>,
    /// The incident's name.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Whose notice it is.
    pub vendor: String,
    /// The newest notice that was released to the same organisation after it.
    pub followed_by: Option<String>,
}

/// The notice of a code in its one spelling.
pub async fn by_code(conn: &mut Conn, code: &str) -> Result<Option<Coded>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_CODE).bind(code).fetch_optional(c).await)?)
}
