//! Which mail a later one follows, so that mail programs show both in one conversation.
//!
//! Writes nothing. Invariant: a mail follows only what the same address was sent, and nothing that came back.

use std::collections::HashMap;

use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, after, list};
use crate::{Conn, StoreError};

/// Notice mails that reached an address, or are on their way to it; the newest is last.
macro_rules! on_their_way {
    () => {
        "SELECT o.tenant_id, o.address, o.message_id
        FROM outbox o
        WHERE o.notice_id IS NOT NULL
            AND o.state IN ('queued', 'leased', 'at_dot', 'accepted', 'deferred', 'uncertain')
            AND o.tenant_id"
    };
}

statements! {
    OF_TENANT = concat!(on_their_way!(), " = $1 AND o.incident_id = $2 ORDER BY o.created_at, o.id");
}

/// The newest notice mail that each address of an organisation has, by organisation and address.
#[derive(Debug, Default)]
pub struct Threads(HashMap<(String, String), String>);

impl Threads {
    /// Those of one organisation.
    pub async fn of_tenant(conn: &mut Conn, incident: i64, tenant: &str) -> Result<Self, StoreError> {
        let rows: Vec<(String, String, String)> =
            on!(conn, |c| sqlx::query_as(OF_TENANT).bind(tenant).bind(incident).fetch_all(c).await)?;
        Ok(Self::default().with(rows))
    }

    /// Those of many organisations.
    pub async fn of_tenants(conn: &mut Conn, incident: i64, tenants: &[String]) -> Result<Self, StoreError> {
        let mut threads = Self::default();
        for part in tenants.chunks(ROWS_AN_INSERT) {
            let text = format!(
                "{} IN {} AND o.incident_id = {} ORDER BY o.created_at, o.id",
                on_their_way!(),
                list(conn.dialect(), 1, part.len()),
                after(conn.dialect(), part.len()),
            );
            let rows: Vec<(String, String, String)> = on!(conn, |c| {
                let mut query = sqlx::query_as(AssertSqlSafe(text));
                for tenant in part {
                    query = query.bind(tenant);
                }
                query.bind(incident).fetch_all(c).await
            })?;
            threads = threads.with(rows);
        }
        Ok(threads)
    }

    /// The Message-ID, without angle brackets, that a mail to this address follows; none: it has no notice yet.
    pub fn newest(&self, tenant: &str, address: &str) -> Option<String> {
        self.0.get(&(tenant.to_owned(), address.to_owned())).cloned()
    }

    fn with(mut self, rows: Vec<(String, String, String)>) -> Self {
        self.0.extend(rows.into_iter().map(|(tenant, address, message_id)| ((tenant, address), message_id)));
        self
    }
}
