//! Notices and letters: drafted, approved, released; frozen texts.
//!
//! Renders nothing. Invariant: triggers refuse any change of a letter once its notice is approved.

use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, after, insert_text, list as list_of, values};
use crate::{Conn, StoreError, Tx};

statements! {
    AFFECTED_TENANTS = "
        SELECT DISTINCT tenant_id
        FROM fact_sheets
        WHERE incident_id = $1 AND verdict = 'mapped' AND tenant_id > $2
        ORDER BY tenant_id
        LIMIT $3";
    LATEST_IN_RANGE = "
        SELECT n.id, n.tenant_id, n.kind, n.version, n.state, n.code, n.facts_digest, n.drafted_by, n.approved_by, n.approved_digest, n.approved_ladder, n.released_at,
            (SELECT MAX(r.released_at) FROM notices r WHERE r.incident_id = n.incident_id AND r.tenant_id = n.tenant_id AND r.version < n.version AND r.state = 'released') AS earlier_at
        FROM notices n
        WHERE n.incident_id = $1 AND n.tenant_id >= $2 AND n.tenant_id <= $3
            AND n.version = (SELECT MAX(m.version) FROM notices m WHERE m.incident_id = n.incident_id AND m.tenant_id = n.tenant_id)
        ORDER BY n.tenant_id";
    LIST = "
        SELECT n.id, n.tenant_id, n.kind, n.version, n.state, n.code, n.facts_digest, n.drafted_by, n.approved_by, n.approved_digest, n.approved_ladder, n.released_at,
            (SELECT MAX(r.released_at) FROM notices r WHERE r.incident_id = n.incident_id AND r.tenant_id = n.tenant_id AND r.version < n.version AND r.state = 'released') AS earlier_at
        FROM notices n
        WHERE n.incident_id = $1
        ORDER BY n.tenant_id, n.version";
    LANGUAGES = "
        SELECT l.notice_id, l.language
        FROM letters l
        JOIN notices n ON n.id = l.notice_id
        WHERE n.incident_id = $1
        ORDER BY l.notice_id, l.language";
    IN_STATE = "
        SELECT n.id, n.tenant_id, n.kind, n.version, n.state, n.code, n.facts_digest, n.drafted_by, n.approved_by, n.approved_digest, n.approved_ladder, n.released_at,
            (SELECT MAX(r.released_at) FROM notices r WHERE r.incident_id = n.incident_id AND r.tenant_id = n.tenant_id AND r.version < n.version AND r.state = 'released') AS earlier_at
        FROM notices n
        WHERE n.incident_id = $1 AND n.state = $2
        ORDER BY n.tenant_id";
    LETTERS_OF = "
        SELECT id, notice_id, kind, language, subject, text, html, digest
        FROM letters
        WHERE notice_id = $1
        ORDER BY language";
    PAST = "
        SELECT n.id, n.version, n.kind, n.state, n.code, n.facts, n.elements, n.drafted_by, n.drafted_at, n.approved_by, n.approved_at, n.released_at, n.withdrawn_at,
            (SELECT MIN(o.settled_at) FROM outbox o WHERE o.notice_id = n.id AND o.state = 'accepted') AS accepted_at
        FROM notices n
        WHERE n.incident_id = $1 AND n.tenant_id = $2
        ORDER BY n.version";
    FACTS_OF = "SELECT facts FROM notices WHERE id = $1";
    DELETE_LETTERS = "DELETE FROM letters WHERE notice_id = $1";
    REDRAFT = "
        UPDATE notices
        SET code = $1, facts = $2, facts_digest = $3, template_version = $4, elements = $5, drafted_by = $6, drafted_at = $7, kind = $8
        WHERE id = $9 AND state = 'drafted'";
    WITHDRAW = "
        UPDATE notices
        SET state = 'withdrawn', withdrawn_at = $1
        WHERE id = $2 AND state IN ('drafted', 'approved')";
}

/// A notice without its texts.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Notice {
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
    /// The notice code.
    pub code: String,
    /// Over facts, languages and template version.
    pub facts_digest: String,
    /// Who drafted it.
    pub drafted_by: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Over what it says and whom it is for, as `model::approval` has it.
    pub approved_digest: Option<String>,
    /// JSON of whom it is for; none: not approved, or by an older program.
    pub approved_ladder: Option<String>,
    /// Microseconds since the epoch.
    pub released_at: Option<i64>,
    /// When the newest earlier version was released, microseconds.
    pub earlier_at: Option<i64>,
}

/// In place of a digest of facts where nothing of the organisation is affected: everything that was told is taken back.
pub const NOTHING_THERE: &str = "none";

fn takes_everything_back(facts_digest: &str) -> bool {
    facts_digest.split('/').next() == Some(NOTHING_THERE)
}

impl Draft {
    /// Whether it takes back everything that notices before it said.
    pub fn takes_everything_back(&self) -> bool {
        takes_everything_back(&self.facts_digest)
    }
}

impl Notice {
    /// Whether it takes back everything that notices before it said.
    pub fn takes_everything_back(&self) -> bool {
        takes_everything_back(&self.facts_digest)
    }

    /// When the notice that this one supplements was released.
    pub fn supplements(&self) -> Option<model::time::Timestamp> {
        self.earlier_at.map(model::time::Timestamp::from_micros)
    }
}

/// A notice with what it states and what became of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Past {
    /// `ntc_…`.
    pub id: String,
    /// From 1.
    pub version: i64,
    /// `initial`, `supplement`, `correction`.
    pub kind: String,
    /// `drafted`, `approved`, `released`, `withdrawn`.
    pub state: String,
    /// The notice code.
    pub code: String,
    /// JSON of the context.
    pub facts: String,
    /// JSON of `model::law::Filled`; none: it is older than that.
    pub elements: Option<String>,
    /// Who drafted it.
    pub drafted_by: String,
    /// Microseconds since the epoch, as all times here.
    pub drafted_at: i64,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<i64>,
    /// When it was released.
    pub released_at: Option<i64>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<i64>,
    /// When the first contact's server took it.
    pub accepted_at: Option<i64>,
}

/// A notice that is to be stored as a draft, with its letters.
#[derive(Debug, Clone)]
pub struct Draft {
    /// `ntc_…`; of an existing draft when it is written anew.
    pub id: String,
    /// Whose.
    pub tenant_id: String,
    /// `initial` or `supplement`.
    pub kind: &'static str,
    /// From 1.
    pub version: i64,
    /// The notice code.
    pub code: String,
    /// JSON of the context.
    pub facts: String,
    /// Over facts, languages and template version.
    pub facts_digest: String,
    /// Of the templates.
    pub template_version: String,
    /// JSON of `model::law::Filled`: what the letters say.
    pub elements: String,
    /// One a language.
    pub letters: Vec<LetterRow>,
}

/// A frozen text as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LetterRow {
    /// `ltr_…`.
    pub id: String,
    /// Of a notice, or none.
    pub notice_id: Option<String>,
    /// `notice`, `reminder`, `answer`, `promise`, `decline`, `escalation`.
    pub kind: String,
    /// BCP 47 tag.
    pub language: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML, for notices.
    pub html: Option<String>,
    /// SHA-256 over the three.
    pub digest: String,
}

/// Up to `limit` tenants with affected domains, after the id `after`.
pub async fn affected_tenants(
    conn: &mut Conn,
    incident: i64,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(AFFECTED_TENANTS).bind(incident).bind(after).bind(limit).fetch_all(c).await)?)
}

/// The newest notice of each tenant from `first` to `last`.
pub async fn latest_in_range(
    conn: &mut Conn,
    incident: i64,
    first: &str,
    last: &str,
) -> Result<Vec<Notice>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LATEST_IN_RANGE).bind(incident).bind(first).bind(last).fetch_all(c).await)?)
}

/// All notices of an incident, by tenant and version.
pub async fn list(conn: &mut Conn, incident: i64) -> Result<Vec<Notice>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LIST).bind(incident).fetch_all(c).await)?)
}

/// The languages of all notices of an incident, as (notice, language).
pub async fn languages(conn: &mut Conn, incident: i64) -> Result<Vec<(String, String)>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LANGUAGES).bind(incident).fetch_all(c).await)?)
}

/// All notices of an incident in a state, by tenant.
pub async fn in_state(conn: &mut Conn, incident: i64, state: &str) -> Result<Vec<Notice>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(IN_STATE).bind(incident).bind(state).fetch_all(c).await)?)
}

/// The letters of a notice, by language.
pub async fn letters_of(conn: &mut Conn, notice: &str) -> Result<Vec<LetterRow>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(LETTERS_OF).bind(notice).fetch_all(c).await)?)
}

/// All notices of a tenant, the oldest first.
pub async fn past(conn: &mut Conn, incident: i64, tenant: &str) -> Result<Vec<Past>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(PAST).bind(incident).bind(tenant).fetch_all(c).await)?)
}

/// The context a notice was written from, as JSON.
pub async fn facts_of(conn: &mut Conn, notice: &str) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(FACTS_OF).bind(notice).fetch_optional(c).await)?)
}

/// What a notice was written from, and what its letters say.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Written {
    /// The notice.
    pub id: String,
    /// JSON of the context.
    pub facts: String,
    /// JSON of `model::law::Filled`; none: it is older than that.
    pub elements: Option<String>,
    /// Of its templates.
    pub template_version: String,
}

/// The same for these notices.
pub async fn written(conn: &mut Conn, notices: &[String]) -> Result<Vec<Written>, StoreError> {
    let mut found = Vec::new();
    for part in notices.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT id, facts, elements, template_version FROM notices WHERE id IN {} ORDER BY id",
            list_of(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, Written>(AssertSqlSafe(text));
            for id in part {
                query = query.bind(id);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// The letters of these notices.
pub async fn letters_of_notices(conn: &mut Conn, notices: &[String]) -> Result<Vec<LetterRow>, StoreError> {
    letters_where(conn, "notice_id", notices).await
}

/// The letters of these ids.
pub async fn letters_by_ids(conn: &mut Conn, ids: &[String]) -> Result<Vec<LetterRow>, StoreError> {
    letters_where(conn, "id", ids).await
}

async fn letters_where(conn: &mut Conn, column: &'static str, values: &[String]) -> Result<Vec<LetterRow>, StoreError> {
    let mut found = Vec::new();
    for part in values.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "SELECT id, notice_id, kind, language, subject, text, html, digest FROM letters WHERE {column} IN {} ORDER BY notice_id, language",
            list_of(conn.dialect(), 1, part.len())
        );
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, LetterRow>(AssertSqlSafe(text));
            for value in part {
                query = query.bind(value);
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}

/// Stores new drafts with their letters.
pub async fn insert_drafts(
    tx: &mut Tx,
    incident: i64,
    actor: &str,
    now: i64,
    drafts: &[Draft],
) -> Result<(), StoreError> {
    for part in drafts.chunks(ROWS_AN_INSERT) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO notices (id, incident_id, tenant_id, kind, version, state, code, facts, facts_digest, template_version, elements, drafted_by, drafted_at)",
            13,
            part.len(),
            "",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for draft in part {
                query = query
                    .bind(&draft.id)
                    .bind(incident)
                    .bind(&draft.tenant_id)
                    .bind(draft.kind)
                    .bind(draft.version)
                    .bind("drafted")
                    .bind(&draft.code)
                    .bind(&draft.facts)
                    .bind(&draft.facts_digest)
                    .bind(&draft.template_version)
                    .bind(&draft.elements)
                    .bind(actor)
                    .bind(now);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    let letters: Vec<LetterRow> = drafts.iter().flat_map(|draft| draft.letters.clone()).collect();
    insert_letters(tx, now, &letters).await
}

/// Writes a draft anew: its facts or templates changed.
pub async fn redraft(tx: &mut Tx, actor: &str, now: i64, draft: &Draft) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(REDRAFT)
        .bind(&draft.code)
        .bind(&draft.facts)
        .bind(&draft.facts_digest)
        .bind(&draft.template_version)
        .bind(&draft.elements)
        .bind(actor)
        .bind(now)
        .bind(draft.kind)
        .bind(&draft.id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    if hit != 1 {
        return Err(StoreError::Stale { what: format!("notice {} is no draft any more", draft.id) });
    }
    on!(tx, |c| sqlx::query(DELETE_LETTERS).bind(&draft.id).execute(c).await.map(drop))?;
    insert_letters(tx, now, &draft.letters).await
}

/// Stores letters.
pub async fn insert_letters(tx: &mut Tx, now: i64, letters: &[LetterRow]) -> Result<(), StoreError> {
    for part in letters.chunks(ROWS_AN_INSERT) {
        let head = "INSERT INTO letters (id, notice_id, kind, language, subject, text, html, digest, written_at)";
        let text = insert_text(tx.dialect(), head, 9, part.len(), "");
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for letter in part {
                query = query
                    .bind(&letter.id)
                    .bind(&letter.notice_id)
                    .bind(&letter.kind)
                    .bind(&letter.language)
                    .bind(&letter.subject)
                    .bind(&letter.text)
                    .bind(&letter.html)
                    .bind(&letter.digest)
                    .bind(now);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// What a second person signed of one draft.
#[derive(Debug, Clone)]
pub struct Approval {
    /// The notice.
    pub id: String,
    /// Of the facts that were looked at.
    pub facts_digest: String,
    /// Over what it says and whom it is for.
    pub digest: String,
    /// JSON of whom it is for.
    pub ladder: String,
}

/// Approves drafts whose facts are still those that were looked at, all or none.
pub async fn approve(tx: &mut Tx, approvals: &[Approval], actor: &str, now: i64) -> Result<(), StoreError> {
    for part in approvals.chunks(ROWS_AN_INSERT) {
        let mut text = String::from("WITH signed (id, facts_digest, digest, ladder) AS (VALUES ");
        values(tx.dialect(), &mut text, 1, 4, part.len());
        let (by, at) = (after(tx.dialect(), part.len() * 4), after(tx.dialect(), part.len() * 4 + 1));
        text.push_str(&format!(
            ") UPDATE notices SET state = 'approved', approved_by = {by}, approved_at = {at}, \
             approved_digest = signed.digest, approved_ladder = signed.ladder \
             FROM signed \
             WHERE notices.id = signed.id AND notices.state = 'drafted' AND notices.facts_digest = signed.facts_digest"
        ));
        let hit = on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for one in part {
                query = query.bind(&one.id).bind(&one.facts_digest).bind(&one.digest).bind(&one.ladder);
            }
            query.bind(actor).bind(now).execute(c).await.map(|done| done.rows_affected())
        })?;
        if hit != part.len() as u64 {
            return Err(StoreError::Stale { what: "drafts that were to be approved".to_owned() });
        }
    }
    Ok(())
}

/// Releases approved notices of an incident.
pub async fn release(tx: &mut Tx, ids: &[String], now: i64) -> Result<u64, StoreError> {
    let mut hit = 0;
    for part in ids.chunks(ROWS_AN_INSERT) {
        let text = format!(
            "UPDATE notices SET state = 'released', released_at = $1 WHERE state = 'approved' AND id IN {}",
            list_of(tx.dialect(), 2, part.len())
        );
        hit += on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text)).bind(now);
            for id in part {
                query = query.bind(id);
            }
            query.execute(c).await.map(|done| done.rows_affected())
        })?;
    }
    Ok(hit)
}

/// Withdraws a notice that was not released.
pub async fn withdraw(tx: &mut Tx, id: &str, now: i64) -> Result<(), StoreError> {
    let hit = on!(tx, |c| sqlx::query(WITHDRAW).bind(now).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
    one(hit, || format!("notice {id}"))
}

/// An UPDATE that must hit one row did, or somebody else was faster.
pub(crate) fn one(hit: u64, what: impl Fn() -> String) -> Result<(), StoreError> {
    if hit == 1 { Ok(()) } else { Err(StoreError::Stale { what: what() }) }
}
