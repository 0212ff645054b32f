//! Mail as it came in: its bytes, what was read of it, and what is still to be done with it.
//!
//! Decides nothing about a mail (that is `app::inbound`). Invariant: the bytes and the envelope of a stored mail never
//! change, and a mail is filed once.

use sqlx::AssertSqlSafe;

use crate::rows::{ROWS_AN_INSERT, execute_in, insert_text, list};
use crate::{Conn, StoreError, Tx};

statements! {
    OF_TICKET = "
        SELECT id
        FROM inbound
        WHERE ticket_id = $1 AND duplicate_of IS NULL
        ORDER BY received_at, id";
    BY_DIGEST = "SELECT id FROM inbound WHERE digest = $1";
    BY_ID = "
        SELECT id, raw, via, peer, hello, envelope_from, envelope_to, received_at, state, tries, class, trust, message_id, ticket_id, outbox_id, verdict,
            encrypted, may_answer, content_digest, duplicate_of, check_at, check_tries, complains
        FROM inbound
        WHERE id = $1";
    TO_FILE = "
        SELECT id, tries, CAST(LENGTH(raw) AS BIGINT) AS bytes
        FROM inbound
        WHERE state = 'stored'
        ORDER BY received_at, id
        LIMIT $1";
    FILE = "
        UPDATE inbound
        SET state = $1, class = $2, trust = $3, message_id = $4, ticket_id = $5, outbox_id = $6, verdict = $7,
            encrypted = $8, may_answer = $9, content_digest = $10, duplicate_of = $11, check_at = $12, complains = $13
        WHERE id = $14 AND state = 'stored'";
    /// By a person: a mail that is in no ticket.
    ATTACH = "
        UPDATE inbound
        SET state = $1, class = $2, trust = $3, message_id = $4, ticket_id = $5, outbox_id = $6, verdict = $7,
            encrypted = $8, may_answer = $9, content_digest = $10, duplicate_of = $11, check_at = $12, complains = $13
        WHERE id = $14 AND state IN ('quarantined', 'failed') AND ticket_id IS NULL";
    OVERVIEW = "
        SELECT id, received_at, state, class, trust, ticket_id, envelope_from, verdict
        FROM inbound
        WHERE state IN ($1, $2, $3, $4)
        ORDER BY received_at, id";
    FAIL = "
        UPDATE inbound
        SET state = 'failed'
        WHERE id = $1 AND state = 'stored' AND tries >= $2";
    GIVE_BACK = "
        UPDATE inbound
        SET tries = tries - 1
        WHERE id = $1 AND state = 'stored' AND tries > 0";
    COUNT_TO_FILE = "SELECT COUNT(*) FROM inbound WHERE state = 'stored'";
    NEEDING_A_PERSON = "
        SELECT COUNT(*) + (SELECT COUNT(*) FROM mailbox_mails WHERE state = 'refused')
        FROM inbound
        WHERE duplicate_of IS NULL AND (state IN ('quarantined', 'failed') OR (class = 'unclear' AND state = 'filed'))";
    TO_CHECK = "
        SELECT id
        FROM inbound
        WHERE check_at IS NOT NULL AND check_at <= $1
        ORDER BY check_at, id
        LIMIT $2";
    CHECKED = "
        UPDATE inbound
        SET trust = $1, verdict = $2, check_at = $3, check_tries = check_tries + 1
        WHERE id = $4 AND check_at = $5";
    ACKNOWLEDGED_SINCE = "
        SELECT (SELECT COUNT(*) FROM acknowledgements WHERE ticket_id = $1 AND at > $2) AS of_ticket,
            (SELECT COUNT(*) FROM acknowledgements WHERE address = $3 AND at > $2) AS of_address,
            (SELECT COUNT(*) FROM acknowledgements WHERE at > $4) AS of_all";
    ACKNOWLEDGE = "
        INSERT INTO acknowledgements (inbound_id, ticket_id, address, at, outbox_id)
        VALUES ($1, $2, $3, $4, $5)";
    /// The first of those that say the same to the same ticket, or to none, and were as much to us.
    SAME_CONTENT = "
        SELECT id
        FROM inbound
        WHERE content_digest = $1 AND id <> $2 AND duplicate_of IS NULL AND (ticket_id = $3 OR (ticket_id IS NULL AND $3 = '')) AND class IN ($4, $5)
        ORDER BY received_at, id
        LIMIT 1";
}

/// A mail before anything is made of it.
#[derive(Debug, Clone)]
pub struct NewInbound {
    /// `inb_…`.
    pub id: String,
    /// Over envelope and content.
    pub digest: String,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// `pipe`, `smtp`, `lmtp`, `imap`.
    pub via: &'static str,
    /// Who was connected to our own SMTP port.
    pub peer: Option<String>,
    /// What they called themselves.
    pub hello: Option<String>,
    /// From the envelope.
    pub envelope_from: Option<String>,
    /// From the envelope.
    pub envelope_to: Option<String>,
    /// Microseconds since the epoch.
    pub received_at: i64,
}

/// A mail as it came in.
#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct Inbound {
    /// `inb_…`.
    pub id: String,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// `pipe`, `smtp`, `lmtp`, `imap`.
    pub via: String,
    /// Who was connected to our own SMTP port.
    pub peer: Option<String>,
    /// What they called themselves.
    pub hello: Option<String>,
    /// From the envelope.
    pub envelope_from: Option<String>,
    /// From the envelope.
    pub envelope_to: Option<String>,
    /// Microseconds since the epoch.
    pub received_at: i64,
    /// `stored`, `filed`, `quarantined`, `failed`.
    pub state: String,
    /// How often filing it was begun.
    pub tries: i64,
    /// What it is.
    pub class: Option<String>,
    /// How sure we are of the sender.
    pub trust: Option<String>,
    /// Its own Message-ID.
    pub message_id: Option<String>,
    /// Where it belongs.
    pub ticket_id: Option<String>,
    /// Which of our mails it is about.
    pub outbox_id: Option<String>,
    /// JSON of what was read.
    pub verdict: Option<String>,
    /// 1 = its words are hidden from us.
    pub encrypted: i64,
    /// 1 = a program may answer it.
    pub may_answer: i64,
    /// Over what its sender made of it.
    pub content_digest: Option<String>,
    /// The mail it repeats.
    pub duplicate_of: Option<String>,
    /// Real time from which its sender is to be proven.
    pub check_at: Option<i64>,
    /// How often nobody could say.
    pub check_tries: i64,
    /// 1 = proven to complain about one of our mails.
    pub complains: i64,
}

/// A mail that is to be filed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ToFile {
    /// `inb_…`.
    pub id: String,
    /// How often that was begun.
    pub tries: i64,
    /// Its size.
    pub bytes: i64,
}

/// Rows of one INSERT: mails are large, and few wait at a time.
const ROWS: usize = 50;

/// Keeps mails; one that is there already stays as it is.
pub async fn insert(tx: &mut Tx, mails: &[&NewInbound]) -> Result<(), StoreError> {
    for part in mails.chunks(ROWS) {
        let text = insert_text(
            tx.dialect(),
            "INSERT INTO inbound (id, digest, raw, via, peer, hello, envelope_from, envelope_to, received_at, state, tries)",
            11,
            part.len(),
            "ON CONFLICT (digest) DO NOTHING",
        );
        on!(tx, |c| {
            let mut query = sqlx::query(AssertSqlSafe(text));
            for mail in part {
                query = query
                    .bind(&mail.id)
                    .bind(&mail.digest)
                    .bind(&mail.raw)
                    .bind(mail.via)
                    .bind(&mail.peer)
                    .bind(&mail.hello)
                    .bind(&mail.envelope_from)
                    .bind(&mail.envelope_to)
                    .bind(mail.received_at)
                    .bind("stored")
                    .bind(0_i64);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// The id of the mail with a digest.
pub async fn by_digest(conn: &mut Conn, digest: &str) -> Result<Option<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(BY_DIGEST).bind(digest).fetch_optional(c).await)?)
}

/// The mail of an id.
pub async fn by_id(conn: &mut Conn, id: &str) -> Result<Option<Inbound>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(BY_ID).bind(id).fetch_optional(c).await)?)
}

/// The mails of these ids that are not filed yet, in one question.
pub async fn by_ids(conn: &mut Conn, ids: &[String]) -> Result<Vec<Inbound>, StoreError> {
    let mut all = Vec::with_capacity(ids.len());
    for part in ids.chunks(ROWS_AN_INSERT) {
        let whole = BY_ID.trim_end().trim_end_matches("id = $1");
        let text = format!("{whole}state = 'stored' AND id IN {}", list(conn.dialect(), 1, part.len()));
        let rows: Vec<Inbound> = on!(conn, |c| {
            let mut query = sqlx::query_as(AssertSqlSafe(text));
            for id in part {
                query = query.bind(id);
            }
            query.fetch_all(c).await
        })?;
        all.extend(rows);
    }
    Ok(all)
}

/// The mails of a ticket as they came, without those that repeat another.
pub async fn of_ticket(conn: &mut Conn, ticket: &str) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(OF_TICKET).bind(ticket).fetch_all(c).await)?)
}

/// A mail as it is listed.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Overview {
    /// `inb_…`.
    pub id: String,
    /// Microseconds since the epoch.
    pub received_at: i64,
    /// `stored`, `filed`, `quarantined`, `failed`.
    pub state: String,
    /// What it is.
    pub class: Option<String>,
    /// How sure we are of the sender.
    pub trust: Option<String>,
    /// Where it belongs.
    pub ticket_id: Option<String>,
    /// From the envelope.
    pub envelope_from: Option<String>,
    /// JSON of what was read.
    pub verdict: Option<String>,
}

/// The mails in one of up to four states, as they came.
pub async fn overview(conn: &mut Conn, states: &[&str]) -> Result<Vec<Overview>, StoreError> {
    let state = |at: usize| states.get(at).or(states.last()).copied().unwrap_or_default();
    Ok(on!(conn, |c| sqlx::query_as(OVERVIEW)
        .bind(state(0))
        .bind(state(1))
        .bind(state(2))
        .bind(state(3))
        .fetch_all(c)
        .await)?)
}

/// Mails that are stored and not filed, oldest first.
pub async fn to_file(conn: &mut Conn, limit: i64) -> Result<Vec<ToFile>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(TO_FILE).bind(limit).fetch_all(c).await)?)
}

/// How many mails are stored and not filed.
pub async fn count_to_file(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(COUNT_TO_FILE).fetch_one(c).await)?)
}

/// How many mails a person has to look at.
pub async fn count_needing_a_person(conn: &mut Conn) -> Result<i64, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(NEEDING_A_PERSON).fetch_one(c).await)?)
}

/// Counts a try to file each of these mails, before it is begun: one that ends the process is counted too.
pub async fn begin(tx: &mut Tx, ids: &[String]) -> Result<(), StoreError> {
    execute_in(tx, "UPDATE inbound SET tries = tries + 1 WHERE state = 'stored' AND id", ids).await
}

/// Takes a try back that could not be one.
pub async fn give_back(tx: &mut Tx, id: &str) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(GIVE_BACK).bind(id).execute(c).await.map(drop))?;
    Ok(())
}

/// Puts a mail before a person once it was tried so often. Whether that came to pass.
pub async fn fail(tx: &mut Tx, id: &str, tries: i64) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(FAIL).bind(id).bind(tries).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// Writes what became of a stored mail (the fields from `state` on). `false`: somebody else has filed it.
pub async fn file(tx: &mut Tx, inbound: &Inbound) -> Result<bool, StoreError> {
    became(tx, FILE, inbound).await
}

/// The same for a mail that is in no ticket, by a person.
pub async fn attach(tx: &mut Tx, inbound: &Inbound) -> Result<bool, StoreError> {
    became(tx, ATTACH, inbound).await
}

async fn became(tx: &mut Tx, statement: &'static str, inbound: &Inbound) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(statement)
        .bind(&inbound.state)
        .bind(&inbound.class)
        .bind(&inbound.trust)
        .bind(&inbound.message_id)
        .bind(&inbound.ticket_id)
        .bind(&inbound.outbox_id)
        .bind(&inbound.verdict)
        .bind(inbound.encrypted)
        .bind(inbound.may_answer)
        .bind(&inbound.content_digest)
        .bind(&inbound.duplicate_of)
        .bind(inbound.check_at)
        .bind(inbound.complains)
        .bind(&inbound.id)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// The first mail that said the same in the same ticket, or in none, and was of one of these classes.
pub async fn same_content(
    conn: &mut Conn,
    digest: &str,
    id: &str,
    ticket: Option<&str>,
    [class, or]: [&str; 2],
) -> Result<Option<String>, StoreError> {
    let ticket = ticket.unwrap_or_default();
    Ok(on!(conn, |c| sqlx::query_scalar(SAME_CONTENT)
        .bind(digest)
        .bind(id)
        .bind(ticket)
        .bind(class)
        .bind(or)
        .fetch_optional(c)
        .await)?)
}

/// Mails whose sender is to be proven at this real time.
pub async fn to_check(conn: &mut Conn, now: i64, limit: i64) -> Result<Vec<String>, StoreError> {
    Ok(on!(conn, |c| sqlx::query_scalar(TO_CHECK).bind(now).bind(limit).fetch_all(c).await)?)
}

/// What was found out about a sender.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The mail.
    pub id: &'a str,
    /// When it was due; whoever comes second finds another time there.
    pub due: i64,
    /// How sure we are now.
    pub trust: &'a str,
    /// With the evidence added.
    pub verdict: &'a str,
    /// Real time of the next try; none = this is final.
    pub next: Option<i64>,
}

/// Writes what was found out. `false`: somebody else has.
pub async fn checked(tx: &mut Tx, found: &Checked<'_>) -> Result<bool, StoreError> {
    let hit = on!(tx, |c| sqlx::query(CHECKED)
        .bind(found.trust)
        .bind(found.verdict)
        .bind(found.next)
        .bind(found.id)
        .bind(found.due)
        .execute(c)
        .await
        .map(|done| done.rows_affected()))?;
    Ok(hit == 1)
}

/// How many acknowledgements there were lately.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct Acknowledged {
    /// In one conversation.
    pub of_ticket: i64,
    /// To one address.
    pub of_address: i64,
    /// To anybody.
    pub of_all: i64,
}

/// Acknowledgements after `since`; those to anybody after `lately`.
pub async fn acknowledged_since(
    conn: &mut Conn,
    ticket: &str,
    address: &str,
    since: i64,
    lately: i64,
) -> Result<Acknowledged, StoreError> {
    Ok(on!(conn, |c| sqlx::query_as(ACKNOWLEDGED_SINCE)
        .bind(ticket)
        .bind(since)
        .bind(address)
        .bind(lately)
        .fetch_one(c)
        .await)?)
}

/// Notes an acknowledgement; a second one of the same mail is refused by the database.
pub async fn acknowledge(
    tx: &mut Tx,
    inbound: &str,
    ticket: &str,
    address: &str,
    at: i64,
    outbox: &str,
) -> Result<(), StoreError> {
    on!(tx, |c| sqlx::query(ACKNOWLEDGE)
        .bind(inbound)
        .bind(ticket)
        .bind(address)
        .bind(at)
        .bind(outbox)
        .execute(c)
        .await
        .map(drop))?;
    Ok(())
}

/// The letters of ours with one of these Message-IDs: Message-ID, text and HTML.
pub async fn letters_named<T: AsRef<str>>(conn: &mut Conn, ids: &[T]) -> Result<Vec<Letter>, StoreError> {
    let head = "SELECT o.message_id, l.text, l.html FROM outbox o JOIN letters l ON l.id = o.letter_id \
                WHERE o.message_id IN";
    letters(conn, head, ids).await
}

/// The letters of conversations by these tokens: token, text and HTML.
pub async fn letters_of_tokens<T: AsRef<str>>(conn: &mut Conn, tokens: &[T]) -> Result<Vec<Letter>, StoreError> {
    let head = "SELECT DISTINCT t.token, l.text, l.html FROM tickets t JOIN outbox o ON o.ticket_id = t.id \
                JOIN letters l ON l.id = o.letter_id WHERE t.token IN";
    letters(conn, head, tokens).await
}

/// By what it was asked for, text and HTML.
pub type Letter = (String, String, Option<String>);

async fn letters<T: AsRef<str>>(conn: &mut Conn, head: &str, keys: &[T]) -> Result<Vec<Letter>, StoreError> {
    let mut found = Vec::new();
    for part in keys.chunks(ROWS_AN_INSERT) {
        let text = format!("{head} {}", list(conn.dialect(), 1, part.len()));
        found.extend(on!(conn, |c| {
            let mut query = sqlx::query_as::<_, Letter>(AssertSqlSafe(text));
            for key in part {
                query = query.bind(key.as_ref().to_owned());
            }
            query.fetch_all(c).await
        })?);
    }
    Ok(found)
}
