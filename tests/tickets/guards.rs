//! What somebody with the database's own client cannot do: close over debt, rewrite what was said, or make it vanish.

use testkit::process::Backend;

use super::{question_ids, raw_sql, receive, reply_to, sent};
use crate::setup::Stage;

/// Every row that says what was asked, said and written.
const HISTORY: &str = "
    SELECT id, token, status, debt, closed_at FROM tickets ORDER BY id;
    SELECT id, ticket_id, state, text, asked_by, entry_id, approved_by FROM questions ORDER BY id;
    SELECT id, ticket_id, actor, body FROM ticket_entries ORDER BY id;
    SELECT id, digest, envelope_to, received_at FROM inbound ORDER BY id;
    SELECT id, ticket_id, cause, letter_id, address FROM outbox ORDER BY id;
    SELECT id, policy, snapshot FROM escalations ORDER BY id;
    SELECT id, text FROM letters ORDER BY id";

const CLOSED: &str =
    "'closed', turn, 0, agent, opened_at, 1, last_inbound_at, last_outbound_at, split_from, merged_into";

/// Two organisations that asked, one with two questions of which one is answered; its ticket and its open question.
fn asked(backend: Backend) -> (Stage, String, String) {
    let (stage, messages) = sent(backend, 2);
    let raw = reply_to(&messages[0], "", "Which invoices are these? And who has seen them?");
    let ticket = receive(&stage, &raw, None)["ticket"].as_str().unwrap().to_owned();
    receive(&stage, &reply_to(&messages[1], "", "What about us?"), None);
    let questions = question_ids(&stage, &ticket);
    stage.run.ok(&["ticket", "answer", &ticket, "--questions", &questions[0], "--snippet", "facts"]);
    let start = "INSERT INTO escalations (id, incident_id, ticket_id, policy, subject, snapshot, measured_from, started_at) SELECT 'esc_0', incident_id, id, 'debt', id, '{}', 1, 1 FROM tickets WHERE id = ";
    raw_sql(&stage, &format!("{start}'{ticket}'")).unwrap();
    let open = questions[1].clone();
    (stage, ticket, open)
}

fn changes_nothing(stage: &Stage, statements: &[String]) {
    let before = raw_sql(stage, HISTORY).unwrap();
    for statement in statements {
        let said = raw_sql(stage, statement);
        // A statement that cannot be read proves nothing.
        let by_a_rule = |why: &String| {
            ["_are_", "_is_", "_keep", "answered_names", "foreign key"].iter().any(|rule| why.contains(rule))
        };
        assert!(said.as_ref().err().is_none_or(by_a_rule), "{statement}: {said:?}");
        assert_eq!(raw_sql(stage, HISTORY).unwrap(), before, "{statement}: {said:?}");
    }
}

#[test]
fn no_statement_closes_over_debt_rewrites_what_was_said_or_makes_it_vanish() {
    for backend in Backend::each() {
        let (stage, ticket, open) = asked(backend);
        let of = format!("WHERE ticket_id = '{ticket}'");
        let mut statements = vec![
            format!(
                "UPDATE tickets SET id = 'tkt_gone', debt = 0, status = 'closed', closed_at = 1 WHERE id = '{ticket}'"
            ),
            "UPDATE tickets SET token = 'x' || token".to_owned(),
            format!("UPDATE questions SET state = 'answered', settled_at = 1, entry_id = 'bogus' {of}"),
            format!(
                "UPDATE questions SET state = 'answered', settled_at = 1, entry_id = (SELECT id FROM ticket_entries WHERE kind = 'mail' AND ticket_id = '{ticket}' LIMIT 1) {of}"
            ),
            format!("UPDATE questions SET text = 'nothing', asked_by = 'nobody' {of}"),
            "UPDATE questions SET asked_at = 0, inbound_id = NULL".to_owned(),
            format!(
                "INSERT INTO questions (id, ticket_id, state, text, asked_by, asked_at, settled_at, entry_id) VALUES ('qst_0', '{ticket}', 'answered', '?', 'a', 1, 1, 'x')"
            ),
            "UPDATE ticket_entries SET body = 'nothing happened'".to_owned(),
            "DELETE FROM ticket_entries".to_owned(),
            "UPDATE inbound SET envelope_to = 'nobody'".to_owned(),
            "DELETE FROM inbound".to_owned(),
            "DELETE FROM outbox WHERE cause = 'agent'".to_owned(),
            "UPDATE outbox SET address = 'else@x.example' WHERE cause = 'agent'".to_owned(),
            "UPDATE outbox SET ticket_id = NULL WHERE cause = 'agent'".to_owned(),
            "DELETE FROM escalations".to_owned(),
            "UPDATE escalations SET snapshot = '[]'".to_owned(),
        ];
        let second = "(SELECT id FROM ticket_entries WHERE kind = 'answer' LIMIT 1)";
        for (why, by, approved, entry) in
            [("' '", "a", "b", second), ("'why'", "ann", "Ann ", second), ("'why'", "ann", "bob", "'bogus'")]
        {
            statements.push(format!(
                "UPDATE questions SET state = 'declined', settled_at = 1, review_at = 9, decline_why = {why}, proposed_by = '{by}', approved_by = '{approved}', entry_id = {entry} WHERE id = '{open}'"
            ));
        }
        match backend {
            Backend::Sqlite => statements.extend(replacing(&ticket)),
            Backend::Postgres => {
                let tables = [
                    "questions",
                    "ticket_entries",
                    "inbound CASCADE",
                    "tickets CASCADE",
                    "outbox CASCADE",
                    "escalations CASCADE",
                ];
                statements.extend(tables.map(|table| format!("TRUNCATE {table}")));
            }
        }
        changes_nothing(&stage, &statements);
        let refused = stage.run.run(&["ticket", "close", &ticket]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
    }
}

/// What SQLite's REPLACE deletes without a word.
fn replacing(ticket: &str) -> Vec<String> {
    let own = format!("FROM tickets WHERE id = '{ticket}'");
    let other = |table: &str| format!("(SELECT MIN(rowid) FROM {table} WHERE rowid <> r.rowid)");
    vec![
        format!("PRAGMA foreign_keys = ON; INSERT OR REPLACE INTO tickets SELECT id, incident_id, tenant_id, token, {CLOSED} {own}"),
        format!("INSERT OR REPLACE INTO tickets SELECT 'tkt_0', incident_id, tenant_id, 'other', {CLOSED} {own}"),
        format!("INSERT OR REPLACE INTO tickets SELECT 'tkt_0', incident_id, tenant_id, 'other', 'open', turn, 0, agent, opened_at, NULL, last_inbound_at, last_outbound_at, split_from, merged_into {own}"),
        format!("INSERT OR REPLACE INTO tickets SELECT 'tkt_0', incident_id, tenant_id, token, 'open', turn, 0, agent, opened_at, NULL, last_inbound_at, last_outbound_at, id, merged_into {own}"),
        format!("UPDATE OR REPLACE tickets AS r SET rowid = {}", other("tickets")),
        "UPDATE OR REPLACE questions AS r SET id = (SELECT MIN(id) FROM questions WHERE id <> r.id)".to_owned(),
        format!("UPDATE OR REPLACE questions AS r SET rowid = {}", other("questions")),
        "INSERT OR REPLACE INTO questions (id, ticket_id, state, text, asked_by, asked_at) SELECT id, ticket_id, 'open', '?', 'x', 1 FROM questions".to_owned(),
        "INSERT OR REPLACE INTO questions (rowid, id, ticket_id, state, text, asked_by, asked_at) SELECT rowid, 'qst_0', ticket_id, 'open', '?', 'x', 1 FROM questions LIMIT 1".to_owned(),
        "INSERT OR REPLACE INTO ticket_entries SELECT id, ticket_id, at, kind, actor, 'nothing' FROM ticket_entries".to_owned(),
        "INSERT OR REPLACE INTO inbound (id, digest, raw, received_at, state, tries) SELECT id, 'other', x'00', 1, 'stored', 0 FROM inbound".to_owned(),
        "INSERT OR REPLACE INTO inbound (id, digest, raw, received_at, state, tries) SELECT 'inb_0', digest, x'00', 1, 'stored', 0 FROM inbound LIMIT 1".to_owned(),
        format!("UPDATE OR REPLACE inbound AS r SET rowid = {}", other("inbound")),
        "INSERT OR REPLACE INTO outbox (id, incident_id, cause, cause_id, letter_id, address, name, message_id, reply_token, state, attempts, next_at, created_at, last_reply) SELECT id, incident_id, 'policy', 'x', letter_id, address, name, message_id, reply_token, 'queued', 0, 0, 0, '' FROM outbox WHERE cause = 'agent'".to_owned(),
        "INSERT OR REPLACE INTO letters SELECT id, notice_id, kind, language, subject, 'nothing', html, digest, written_at FROM letters WHERE notice_id IS NULL".to_owned(),
        "INSERT OR REPLACE INTO escalations (id, incident_id, ticket_id, policy, subject, snapshot, measured_from, started_at) SELECT 'esc_1', incident_id, ticket_id, policy, subject, '[]', 1, 1 FROM escalations".to_owned(),
    ]
}
