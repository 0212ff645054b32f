//! Whose a name, an address or a domain is, among the organisations of an incident.
//!
//! Tells nothing to anybody (that is `app`). Invariant: everything is looked up in an index; no organisation is read
//! that a text does not name.

use std::collections::BTreeSet;

use model::notices::DomainFacts;
use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, list};
use crate::{Conn, StoreError};

statements! {
    /// Affected now, or told before.
    IS_AFFECTED = "
        SELECT COUNT(*)
        FROM tenants t
        WHERE t.id = $2 AND (
            EXISTS (SELECT 1 FROM fact_sheets f WHERE f.incident_id = $1 AND f.tenant_id = t.id)
            OR EXISTS (SELECT 1 FROM tickets k WHERE k.incident_id = $1 AND k.tenant_id = t.id))";
    /// Affected, and nobody's or in dispute.
    IS_AFFECTED_DOMAIN = "
        SELECT COUNT(*)
        FROM fact_sheets f
        WHERE f.incident_id = $1 AND f.organisation_domain = $2 AND f.verdict <> 'shared'";
    /// Sheets with a number somewhere: what it says is for the reader of the sheet to find out.
    SAYING = "
        SELECT facts
        FROM fact_sheets
        WHERE incident_id = $1 AND verdict <> 'shared' AND facts LIKE $2";
    /// Sheets of tenants with several: what the tenant is told is their sum.
    OF_SEVERAL = "
        SELECT facts
        FROM fact_sheets
        WHERE incident_id = $1 AND verdict <> 'shared' AND tenant_id IN (
            SELECT s.tenant_id
            FROM fact_sheets s
            WHERE s.incident_id = $1 AND s.tenant_id IS NOT NULL
            GROUP BY s.tenant_id
            HAVING COUNT(*) > 1)";
}

/// The sheets of an incident that state one of these numbers, in whatever field, and all sheets of tenants with several.
pub async fn sheets_saying(conn: &mut Conn, incident: i64, values: &[i64]) -> Result<Vec<DomainFacts>, StoreError> {
    let mut texts: BTreeSet<String> =
        on!(conn, |c| sqlx::query_scalar(OF_SEVERAL).bind(incident).fetch_all(c).await.map(BTreeSet::from_iter))?;
    for value in values {
        let pattern = format!("%:{value}%");
        let found: Vec<String> =
            on!(conn, |c| sqlx::query_scalar(SAYING).bind(incident).bind(&pattern).fetch_all(c).await)?;
        texts.extend(found);
    }
    let read = |text: &String| {
        serde_json::from_str(text).map_err(|error| StoreError::Unknown { what: format!("fact_sheets.facts: {error}") })
    };
    texts.iter().map(read).collect()
}

/// Whose tickets, questions and notices these are, and which tenants have them as their own id: id and tenant.
pub async fn ids_of(conn: &mut Conn, ids: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    let mut found = Vec::new();
    for head in [
        "SELECT id, tenant_id FROM tickets WHERE id IN",
        "SELECT q.id, t.tenant_id FROM questions q JOIN tickets t ON t.id = q.ticket_id WHERE q.id IN",
        "SELECT id, tenant_id FROM notices WHERE id IN",
        "SELECT id, id FROM tenants WHERE id IN",
    ] {
        found.extend(pairs(conn, head, ids).await?);
    }
    Ok(found)
}

/// Whether an incident affects a tenant, or did.
pub async fn is_affected(conn: &mut Conn, incident: i64, tenant: &str) -> Result<bool, StoreError> {
    let found: i64 = on!(conn, |c| sqlx::query_scalar(IS_AFFECTED).bind(incident).bind(tenant).fetch_one(c).await)?;
    Ok(found > 0)
}

/// Whether an incident affects an organisation domain.
pub async fn is_affected_domain(conn: &mut Conn, incident: i64, domain: &str) -> Result<bool, StoreError> {
    let found: i64 =
        on!(conn, |c| sqlx::query_scalar(IS_AFFECTED_DOMAIN).bind(incident).bind(domain).fetch_one(c).await)?;
    Ok(found > 0)
}

/// The tenants with one of these names (in ASCII lower case): name as the directory writes it, and id.
pub async fn tenants_named(conn: &mut Conn, names: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    pairs(conn, "SELECT name, id FROM tenants WHERE LOWER(name) IN", names).await
}

/// Whose contacts these addresses are: address and tenant.
pub async fn contacts_of(conn: &mut Conn, addresses: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    pairs(conn, "SELECT DISTINCT address, tenant_id FROM contacts WHERE address IN", addresses).await
}

/// Whose reply tokens these are: token and tenant.
pub async fn tokens_of(conn: &mut Conn, tokens: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    pairs(conn, "SELECT token, tenant_id FROM tickets WHERE token IN", tokens).await
}

/// Whose notices have these codes: code and tenant.
pub async fn codes_of(conn: &mut Conn, codes: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    pairs(conn, "SELECT DISTINCT code, tenant_id FROM notices WHERE code IN", codes).await
}

async fn pairs(conn: &mut Conn, head: &str, values: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
    let mut found = Vec::new();
    for part in values.chunks(ROWS_AN_INSERT) {
        let text = format!("{head} {}", list(conn.dialect(), 1, part.len()));
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, (String, String)>(AssertSqlSafe(text));
            for value in part {
                query = query.bind(*value);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}
