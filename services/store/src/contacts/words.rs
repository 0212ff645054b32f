//! A person's word on an address: never write to it, or write to it whatever a directory says.
//!
//! Invariant: whoever writes contacts sees every word that was committed before, so that no import brings a contact past
//! one.

use model::time::Timestamp;

use super::entries::settle;
use crate::{Conn, Dialect, StoreError, Tx};

statements! {
    SAY = "
        INSERT INTO contact_words (address, tenant_id, word, why, actor, at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (address, tenant_id) DO UPDATE SET word = excluded.word, why = excluded.why, actor = excluded.actor,
            at = excluded.at";
    OF_ADDRESS = "SELECT tenant_id, word FROM contact_words WHERE address = $1 ORDER BY tenant_id";
    TENANTS_OF_ADDRESS = "SELECT DISTINCT tenant_id FROM contacts WHERE address = $1 ORDER BY tenant_id";
    UNMERGE = "
        UPDATE contacts
        SET merged_into = NULL
        WHERE address = $1 AND (tenant_id = $2 OR $2 = '') AND merged_into IS NOT NULL";
}

/// Words wait for contacts that are being written, and those for words. On SQLite there is one writer anyway.
const WORDS: i64 = 0x666f_7274_6869;

/// What is said of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It is never written to.
    Never,
    /// It is written to, whatever a directory says.
    Write,
}

/// Who says it, and of which tenant's contact.
#[derive(Debug, Clone, Copy)]
pub struct Saying<'a> {
    /// Normalised.
    pub address: &'a str,
    /// Empty: wherever it is a contact.
    pub tenant: &'a str,
    /// The reason.
    pub why: &'a str,
    /// Who.
    pub actor: &'a str,
}

/// Keeps a person's word in place of an earlier one, and makes the contacts follow it.
pub async fn say(tx: &mut Tx, word: Word, saying: &Saying<'_>, now: Timestamp) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Postgres {
        let text = sqlx::AssertSqlSafe(format!("SELECT pg_advisory_xact_lock({WORDS})"));
        on!(tx, |c| sqlx::query(text).execute(c).await.map(drop))?;
    }
    let said = match word {
        Word::Never => "never",
        Word::Write => "write",
    };
    on!(tx, |c| sqlx::query(SAY)
        .bind(saying.address)
        .bind(saying.tenant)
        .bind(said)
        .bind(saying.why)
        .bind(saying.actor)
        .bind(now.micros())
        .execute(c)
        .await
        .map(drop))?;
    let tenants: Vec<String> =
        on!(tx, |c| sqlx::query_scalar(TENANTS_OF_ADDRESS).bind(saying.address).fetch_all(c).await)?;
    settle(tx, tenants.iter(), now).await
}

/// Takes back that contacts of an address were merged into others.
pub async fn unmerge(tx: &mut Tx, address: &str, tenant: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(UNMERGE).bind(address).bind(tenant).execute(c).await.map(drop))?;
    Ok(())
}

/// What is said of an address, as (tenant, word); the tenant is empty where it is meant everywhere.
pub async fn of_address(conn: &mut Conn, address: &str) -> Result<Vec<(String, Word)>, StoreError> {
    let rows: Vec<(String, String)> = on!(conn, |c| sqlx::query_as(OF_ADDRESS).bind(address).fetch_all(c).await)?;
    Ok(rows
        .into_iter()
        .map(|(tenant, word)| (tenant, if word == "never" { Word::Never } else { Word::Write }))
        .collect())
}

/// Lets no word come in between before this transaction ends.
pub(super) async fn hold(tx: &mut Tx) -> Result<(), StoreError> {
    if tx.dialect() == Dialect::Postgres {
        let text = sqlx::AssertSqlSafe(format!("SELECT pg_advisory_xact_lock_shared({WORDS})"));
        on!(tx, |c| sqlx::query(text).execute(c).await.map(drop))?;
    }
    Ok(())
}
