//! Whose a name, an address or a domain is, among the organisations of an incident.
//!
//! Tells nothing to anybody (that is `app`). Invariant: everything is looked up in an index; no organisation is read
//! that a text does not name.

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
