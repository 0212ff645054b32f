//! Full text search over tickets: timeline entries, questions and the subjects of mails.
//!
//! Makes no words (`model::search` does). Invariant: an entry or question and its words are one transaction, and both
//! databases look up the same words as they are, by no dictionary of their own.

use model::search::{Term, words};
use sqlx::AssertSqlSafe;

use crate::rows::insert_text;
use crate::{Conn, Dialect, StoreError, Tx};

/// What is shown of a row that was found.
macro_rules! found {
    ($from:literal, $matches:literal) => {
        concat!(
            "SELECT w.source, w.ticket_id, t.tenant_id, n.name AS tenant_name, COALESCE(e.kind, 'question') AS kind,
                COALESCE(e.at, q.asked_at) AS at, COALESCE(e.body, q.text) AS text
            FROM ",
            $from,
            " JOIN tickets t ON t.id = w.ticket_id
            JOIN tenants n ON n.id = t.tenant_id
            LEFT JOIN ticket_entries e ON e.id = w.source
            LEFT JOIN questions q ON q.id = w.source
            WHERE t.incident_id = $1 AND ",
            $matches,
            "
            ORDER BY w.ticket_id, w.source
            LIMIT $3"
        )
    };
}

statements! {
    INSERT = "
        INSERT INTO ticket_words (source, ticket_id, words)
        VALUES ($1, $2, $3)
        ON CONFLICT (source) DO NOTHING";
    MOVE = "UPDATE ticket_words SET ticket_id = $1 WHERE source = $2";
    /// Each database has its own index and its own way to ask it.
    SEARCH_SQLITE = found!("_ticket_words JOIN ticket_words w ON w.seq = _ticket_words.rowid", "_ticket_words MATCH $2");
    SEARCH_POSTGRES = found!("ticket_words w", "array_to_tsvector(string_to_array(w.words, ' ')) @@ CAST($2 AS TSQUERY)");
    /// Of a time before there was an index.
    MISSING = "
        SELECT e.id, e.ticket_id, e.body
        FROM ticket_entries e
        WHERE NOT EXISTS (SELECT 1 FROM ticket_words w WHERE w.source = e.id)
        UNION ALL
        SELECT q.id, q.ticket_id, q.text
        FROM questions q
        WHERE NOT EXISTS (SELECT 1 FROM ticket_words w WHERE w.source = q.id)
        LIMIT $1";
    ORGANISATIONS = "
        SELECT t.id AS source, t.id AS ticket_id, t.tenant_id, n.name AS tenant_name, 'organisation' AS kind, t.opened_at AS at, n.name AS text
        FROM tickets t
        JOIN tenants n ON n.id = t.tenant_id
        WHERE t.incident_id = $1
        ORDER BY t.id";
}

/// A place where the words stand.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Hit {
    /// The entry, question or ticket.
    pub source: String,
    /// The ticket.
    pub ticket_id: String,
    /// With whom.
    pub tenant_id: String,
    /// Their name.
    pub tenant_name: String,
    /// `organisation`, `question`, or the kind of an entry.
    pub kind: String,
    /// Microseconds since the epoch.
    pub at: i64,
    /// All of it.
    pub text: String,
}

/// Keeps the words of an entry or question.
pub(crate) async fn index(tx: &mut Tx, source: &str, ticket: &str, text: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(INSERT).bind(source).bind(ticket).bind(words(text)).execute(c).await.map(drop))?;
    Ok(())
}

/// Keeps the words of up to an INSERT's rows of entries, as (source, ticket, text).
pub(crate) async fn index_many(tx: &mut Tx, texts: &[(&str, &str, &str)]) -> Result<(), StoreError> {
    let head = "INSERT INTO ticket_words (source, ticket_id, words)";
    let text = insert_text(tx.dialect(), head, 3, texts.len(), "ON CONFLICT (source) DO NOTHING");
    on!(tx, |c| {
        let mut query = sqlx::query(AssertSqlSafe(text));
        for (source, ticket, text) in texts {
            query = query.bind(*source).bind(*ticket).bind(words(text));
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}

/// A question's words go where it goes.
pub(crate) async fn follow(tx: &mut Tx, question: &str, to: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(MOVE).bind(to).bind(question).execute(c).await.map(drop))?;
    Ok(())
}

/// Whether texts of before wait for their words.
pub async fn is_behind(conn: &mut Conn) -> Result<bool, StoreError> {
    let found: Vec<(String, String, String)> = on!(conn, |c| sqlx::query_as(MISSING).bind(1_i64).fetch_all(c).await)?;
    Ok(!found.is_empty())
}

/// Makes the words of up to so many texts of before; how many.
pub async fn catch_up(tx: &mut Tx, limit: i64) -> Result<usize, StoreError> {
    let missing: Vec<(String, String, String)> = on!(tx, |c| sqlx::query_as(MISSING).bind(limit).fetch_all(c).await)?;
    for (source, ticket, text) in &missing {
        index(tx, source, ticket, text).await?;
    }
    Ok(missing.len())
}

/// Entries and questions of an incident in which all terms stand, by ticket.
pub async fn search(conn: &mut Conn, incident: i64, terms: &[Term], limit: i64) -> Result<Vec<Hit>, StoreError> {
    // Letters and digits alone, so that nothing of a word is an operator.
    let (text, query) = match conn.dialect() {
        Dialect::Sqlite => {
            let term = |term: &Term| {
                let end = if term.begins { " *" } else { "" };
                let any: Vec<String> = term.spellings().map(|word| format!("\"{word}\"{end}")).collect();
                format!("({})", any.join(" OR "))
            };
            (SEARCH_SQLITE, terms.iter().map(term).collect::<Vec<_>>().join(" AND "))
        }
        Dialect::Postgres => {
            let term = |term: &Term| {
                let end = if term.begins { ":*" } else { "" };
                let any: Vec<String> = term.spellings().map(|word| format!("'{word}'{end}")).collect();
                format!("({})", any.join(" | "))
            };
            (SEARCH_POSTGRES, terms.iter().map(term).collect::<Vec<_>>().join(" & "))
        }
    };
    Ok(on!(conn, |c| sqlx::query_as(text).bind(incident).bind(query).bind(limit).fetch_all(c).await)?)
}

/// The tickets of an incident with the names of their organisations.
pub async fn organisations(conn: &mut Conn, incident: i64) -> Result<Vec<Hit>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ORGANISATIONS).bind(incident).fetch_all(c).await)?)
}
