//! Words are found where they stand, alike on both databases and in five languages.

use std::collections::BTreeSet;

use testkit::process::Backend;

use super::{question_ids, raw_sql, receive, reply_to, sent};
use crate::setup::{SLUG, Stage};

const MAILS: [&str; 5] = [
    "Who has downloaded our contracts?",
    "Welche Verträge sind betroffen, und wer ist für die Straße 5 zuständig?",
    "Quelles données ont été copiées, et par qui ?",
    "¿Qué información se filtró, y desde cuándo?",
    "どの請求書が閲覧されましたか？",
];

/// Where a query is found: tenant and place.
fn found(stage: &Stage, query: &str) -> BTreeSet<(String, String)> {
    let rows = stage.run.csv(&["ticket", "search", SLUG, query]);
    rows.into_iter().map(|row| (row["tenant_id"].clone(), row["found_in"].clone())).collect()
}

fn places(expected: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    expected.iter().map(|(tenant, place)| ((*tenant).to_owned(), (*place).to_owned())).collect()
}

#[test]
fn mails_questions_notes_subjects_and_organisations_are_found_by_their_words_on_both_databases() {
    for backend in Backend::each() {
        let (stage, messages) = sent(backend, 5);
        for (message, body) in messages.iter().zip(MAILS) {
            receive(&stage, &reply_to(message, "", body), None);
        }
        let both = |tenant| places(&[(tenant, "mail"), (tenant, "question")]);
        assert_eq!(found(&stage, "CONTRACTS"), both("t-00000"));
        assert_eq!(found(&stage, "contr*"), both("t-00000"));
        assert_eq!(found(&stage, "vertrage STRASSE"), both("t-00001"));
        for query in ["vertraege strasse", "Verträge Straße", "VERTRÄGE", "zustaendig", "vertraeg*"] {
            assert_eq!(found(&stage, query), both("t-00001"), "{query}");
        }
        assert_eq!(found(&stage, "donnees copiées"), both("t-00002"));
        assert_eq!(found(&stage, "informacion"), both("t-00003"));
        assert_eq!(found(&stage, "請求書"), both("t-00004"));
        assert_eq!(found(&stage, "contract"), places(&[]));
        assert_eq!(found(&stage, "Organisation 3"), places(&[("t-00003", "organisation")]));
        assert!(found(&stage, "notice").contains(&("t-00001".to_owned(), "mail".to_owned())), "by its subject");
        let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0)["ticket"].clone();
        let noted = stage.run.run_with_input(&["ticket", "note", &ticket], "Ask the Wolpertinger team".as_bytes());
        assert_eq!(noted.status, 0, "{}", noted.stderr);
        assert_eq!(found(&stage, "wolpertinger"), places(&[("t-00000", "note")]));
        // What was written before there was an index is found all the same, and a question where it went.
        let before = format!(
            "INSERT INTO ticket_entries (id, ticket_id, at, kind, actor, body) VALUES ('ent_0', '{ticket}', 1, 'note', 'x', 'Basilisk')"
        );
        raw_sql(&stage, &before).unwrap();
        assert_eq!(found(&stage, "basilisk"), places(&[("t-00000", "note")]));
        let question = question_ids(&stage, &ticket).remove(0);
        let part = stage.run.json(&["ticket", "split", &ticket, "--questions", &question])["part"].clone();
        let rows = stage.run.csv(&["ticket", "search", SLUG, "downloaded"]);
        let of_question = rows.iter().find(|row| row["found_in"] == "question").unwrap();
        assert_eq!(part, of_question["ticket"].as_str());
        for hostile in ["\"", "' | 'a", "a OR b NOT c", "*", "(", "NEAR(a b)"] {
            assert!([0, 1].contains(&stage.run.run(&["ticket", "search", SLUG, hostile]).status), "{hostile}");
        }
    }
}
