//! Templates: checked as a whole, an incident's own words kept only when they can do no harm, versions pinned.

use std::path::PathBuf;

use testkit::process::{Backend, Output};
use testkit::smtp::Recorder;

use crate::setup::{SLUG, Stage, path, readable};
use crate::tickets::{question_ids, raw_sql, receive, reply_to, sent};

const SUBJECT: &str = "{{#when supplements}}{{#when corrects}}Correction: {{/when}}{{#whenNot corrects}}Supplement: {{/whenNot}}{{/when}}From counsel: {{tenant_name}} at {{vendor}} [{{code}}]\n";

/// The built-in English notice as files: subject, text, HTML.
fn builtin(stage: &Stage) -> [(PathBuf, String); 3] {
    ["subject", "text", "html"].map(|part| {
        let words = stage.run.ok(&["templates", "show", "notice", "en", "--part", part]);
        (stage.file(&format!("{part}.hbs"), &words), words)
    })
}

/// `templates set` of an English notice, with other words for one part.
fn set(stage: &Stage, part: usize, words: &[u8]) -> Output {
    let files = builtin(stage);
    std::fs::write(&files[part].0, words).unwrap();
    let [subject, text, html] = files.each_ref().map(|(file, _)| path(file));
    let set = ["templates", "set", SLUG, "notice", "en", "--subject", subject, "--text", text, "--html", html];
    stage.run.run(&[&set[..], &["--why", "words of counsel", "--json"]].concat())
}

#[test]
fn every_builtin_template_is_fine_and_has_a_figure_for_its_language() {
    let stage = Stage::new(Backend::Sqlite);
    let rows = stage.run.csv(&["templates", "check"]);
    assert!(rows.len() >= 26, "{}", rows.len());
    for row in &rows {
        assert_eq!((row["result"].as_str(), row["version"].as_str()), ("ok", "built in"), "{row:?}");
        assert!(row["readability"].parse::<f64>().unwrap() > 0.0 && row["columns"].parse::<u32>().unwrap() <= 78);
    }
    let measure = |name: &str| rows.iter().find(|row| row["template"] == name).unwrap()["measure"].clone();
    assert_eq!(
        ["en", "de", "fr", "es", "ja"].map(|tag| measure(&format!("notice/{tag}"))),
        ["flesch", "amstad", "kandel-moles", "fernandez-huerta", "characters-a-sentence"]
    );
}

#[test]
fn whoever_wrote_words_of_a_notice_does_not_approve_it_not_even_in_bulk() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let words = stage.file("words.txt", "A server was open.\n");
        let state = ["incident", "state", SLUG, "what_happened", "--text", path(&words)];
        stage.run.as_actor("counsel").ok(&state);
        // Stating the same again makes nobody else's words of it.
        stage.run.as_actor("writer").ok(&state);
        stage.run.ok(&["notice", "draft", SLUG]);
        let approve = |who: &str| stage.run.as_actor(who).run(&["notice", "approve", SLUG, "--all"]);
        for author in ["counsel", " COUNSEL", "writer"] {
            let refused = approve(author);
            assert_eq!(refused.status, 4, "{}", refused.stderr);
            let says = format!("what it says of what_happened is stated by {}", author.trim());
            assert!(refused.stderr.contains(&says), "{}", refused.stderr);
        }
        let id = stage.run.csv(&["notice", "list", SLUG])[0]["notice_id"].clone();
        assert_eq!(stage.run.as_actor("counsel").run(&["notice", "approve", SLUG, &id]).status, 4, "nor one alone");

        // Nor do other spaces or capitals make other words of them.
        let spaced = stage.file("spaced.txt", "A  server\u{a0}was Open.\n");
        let state = ["incident", "state", SLUG, "what_happened", "--text", path(&spaced)];
        stage.run.as_actor("helper").ok(&state);
        stage.run.ok(&["notice", "draft", SLUG]);
        assert_eq!(approve("counsel").status, 4);

        // Words that are no longer in it keep nobody from approving; those of its template do.
        let other = stage.file("words.txt", "A store was open.\n");
        stage.run.as_actor("writer").ok(&["incident", "state", SLUG, "what_happened", "--text", path(&other)]);
        let by_lawyer = Stage { run: stage.run.as_actor("lawyer"), folder: tempfile::tempdir().unwrap() };
        assert_eq!(set(&by_lawyer, 0, SUBJECT.as_bytes()).status, 0);
        stage.run.ok(&["notice", "draft", SLUG]);
        let refused = approve("lawyer");
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(refused.stderr.contains("its template (en:") && refused.stderr.contains("is written by lawyer"));
        let done = approve("counsel");
        assert_eq!(done.status, 0, "{}", done.stderr);
    }
}

#[test]
fn whoever_opened_the_incident_is_the_author_of_the_words_in_its_file_and_a_copy_of_a_template_is_nobody_elses() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let file = stage.file(
            "second.toml",
            "slug = \"second\"\ntitle = \"T\"\nvendor = \"Example Cloud\"\ndiscovered_at = \"2022-09-24T08:00:00Z\"\n\
             summary = \"A server was open.\"\n",
        );
        stage.run.as_actor("counsel").ok(&["incident", "open", path(&file)]);
        let [manifest, shared] = ["m.csv", "s.txt"].map(|name| stage.folder.path().join(name));
        stage.run.ok(&["exposure", "import", "second", "--shared-domains", path(&shared), path(&manifest)]);
        let approve = |who: &str, slug: &str| {
            stage.run.ok(&["notice", "draft", slug]);
            stage.run.as_actor(who).run(&["notice", "approve", slug, "--all"])
        };
        let refused = approve("counsel", "second");
        assert_eq!(refused.status, 4, "{backend:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("what it says of what_happened is stated by counsel"), "{}", refused.stderr);
        let other = stage.file("words.txt", "A store was open.\n");
        stage.run.as_actor("writer").ok(&["incident", "state", "second", "what_happened", "--text", path(&other)]);
        let done = approve("counsel", "second");
        assert_eq!(done.status, 0, "{backend:?}: words that are gone are nobody's: {}", done.stderr);

        for (actor, subject) in
            [("lawyer", SUBJECT.to_owned()), ("helper", SUBJECT.replace("From counsel", "From  counsel"))]
        {
            let by = Stage { run: stage.run.as_actor(actor), folder: tempfile::tempdir().unwrap() };
            assert_eq!(set(&by, 0, subject.as_bytes()).status, 0);
        }
        let refused = approve("lawyer", SLUG);
        assert!(refused.status == 4 && refused.stderr.contains("is written by lawyer"), "{}", refused.stderr);
    }
}

#[test]
fn an_incidents_own_words_are_pinned_into_its_notices_and_a_change_drafts_anew() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        stage.run.ok(&["notice", "draft", SLUG]);
        let preview = || stage.run.ok(&["notice", "preview", SLUG, "t-00000", "--format", "eml"]);
        let pinned = || raw_sql(&stage, "SELECT DISTINCT template_version FROM notices").unwrap().trim().to_owned();
        let drafted = || {
            let done = stage.run.json(&["notice", "draft", SLUG]);
            (done["changed"].as_i64().unwrap(), done["kept"].as_i64().unwrap())
        };
        let (before, built_in) = (preview(), pinned());
        assert!(!before.contains("From counsel"));

        let done = set(&stage, 0, SUBJECT.as_bytes());
        assert_eq!(done.status, 0, "{}", done.stderr);
        assert!(!done.stderr.contains("warning"), "{}", done.stderr);
        let kept: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!((drafted(), drafted()), ((2, 0), (0, 2)));
        assert!(preview().contains("Subject: From counsel: Organisation 0 at Example Cloud"), "{}", preview());
        assert_eq!(pinned(), format!("{built_in}+en:{}", kept["version"].as_str().unwrap()));
        assert_eq!(set(&stage, 0, SUBJECT.as_bytes()).status, 0);
        assert_eq!(stage.run.csv(&["templates", "list", SLUG]).len(), 1, "the same words are kept once");
        assert_eq!(stage.run.run(&["templates", "check", "--incident", SLUG]).status, 0);
        assert_eq!(
            stage.run.ok(&["templates", "show", "notice", "en", "--part", "subject", "--incident", SLUG]),
            SUBJECT
        );
        let other = SUBJECT.replace("counsel", "the lawyers");
        assert_eq!(set(&stage, 0, other.as_bytes()).status, 0);
        assert_eq!(drafted(), (2, 0));

        let reset = ["templates", "reset", SLUG, "notice", "en", "--why", "not needed"];
        stage.run.ok(&reset);
        assert_eq!(stage.run.run(&reset).status, 1);
        assert_eq!(drafted(), (2, 0));
        assert_eq!(pinned(), built_in);
        assert_eq!(stage.run.ok(&["notice", "preview", SLUG, "t-00000"]).lines().count(), text_of(&before));
        let states: Vec<String> =
            stage.run.csv(&["templates", "list", SLUG]).into_iter().map(|row| row["state"].clone()).collect();
        assert_eq!(states, ["ended", "ended"]);
        for statement in ["UPDATE incident_templates SET text = 'x'", "DELETE FROM incident_templates"] {
            let refused = raw_sql(&stage, statement);
            assert!(refused.is_err_and(|error| error.contains("templates_are")), "{statement} on {backend:?}");
        }
        stage.run.ok(&["audit", "verify"]);
    }
}

/// Lines of the text part of a mail that is shown whole.
fn text_of(eml: &str) -> usize {
    mail::inbound::read(eml.as_bytes(), None, None, &|_| false).full_text.lines().count()
}

#[test]
fn a_change_of_placeholders_warns_and_the_law_sees_the_words_that_are_used() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(1);
    stage.run.ok(&["notice", "draft", SLUG]);
    let files = builtin(&stage);
    let gone = "{{#element \"date_discovered\"}}";
    let [text, html] = [&files[1].1, &files[2].1].map(|words| {
        let (head, tail) = words.split_once(gone).unwrap();
        format!("{head}{}", tail.split_once("{{/element}}").unwrap().1)
    });
    let alone = set(&stage, 1, text.as_bytes());
    assert_eq!(alone.status, 1, "text and HTML say different things");
    assert!(alone.stderr.contains("template notice/en.html, line ") && alone.stderr.contains("date_discovered"));
    std::fs::write(&files[0].0, &files[0].1).unwrap();
    std::fs::write(&files[1].0, text).unwrap();
    std::fs::write(&files[2].0, html).unwrap();
    let [subject, text, html] = files.each_ref().map(|(file, _)| path(file));
    let set = ["templates", "set", SLUG, "notice", "en", "--subject", subject, "--text", text, "--html", html];
    let done = stage.run.run(&[&set[..], &["--why", "shorter", "--json"]].concat());
    assert_eq!(done.status, 0, "{}", done.stderr);
    assert!(done.stderr.contains("warning: notice/en no longer reads: discovered_at"), "{}", done.stderr);
    assert!(done.stderr.contains("no longer says the elements: date_discovered"), "{}", done.stderr);
    let check = ["notice", "check", SLUG, "--template", "notice", "--obligations", "us-hipaa-410-associate", "--csv"];
    let missing: Vec<String> = csv::Reader::from_reader(stage.run.run(&check).stdout.as_bytes())
        .deserialize::<std::collections::HashMap<String, String>>()
        .map(|row| row.unwrap()["element"].clone())
        .collect();
    assert!(missing.contains(&"date_discovered".to_owned()), "{missing:?}");
    // The other languages still say it, and the check of the templates says so.
    let check = stage.run.run(&["templates", "check", "--incident", SLUG, "--csv"]);
    assert_eq!(check.status, 1);
    assert!(check.stderr.contains("error: template notice/") && check.stderr.contains("(date_discovered)"));
}

#[test]
fn hostile_words_are_refused_with_their_line_and_nothing_is_kept() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let long = format!("{{{{#each domains}}}}{{{{#each types}}}}{}{{{{/each}}}}{{{{/each}}}}", "x".repeat(40_000));
        let text = &builtin(&stage)[1].1;
        let (bomb, bomb_said) =
            (format!("{text}{long}"), format!("line {}, gives more than", text.lines().count() + 1));
        let deep = "{{#when vendor}}".repeat(1_200) + &"{{/when}}".repeat(1_200);
        let hostile: [(usize, &[u8], &str); 14] = [
            (0, b"a\nBcc: eve@evil.example", "line 1, column 2: a subject has a line break"),
            (0, b"a\0b", "line 1, column 2: a control character"),
            (0, b"{{{vendor}}}", "line 1, column 1: `{{{vendor}}` prints without escaping"),
            (1, b"one\n{{vendro}}", "line 2, column 1: `vendro` is no field"),
            (1, b"one\n\n{{#unless sensitve}}x{{/unless}}", "line 3, column 1"),
            (1, b"{{> notice/en.text}}", "includes another template"),
            (1, b"one\n{{lookup domains 0}}", "line 2, column 1"),
            (1, b"one\ntwo \xff", "line 2, column 5: this is not UTF-8"),
            (1, bomb.as_bytes(), &bomb_said),
            (1, deep.as_bytes(), "line 1, column 129: more than 8 blocks"),
            (2, deep.as_bytes(), "more than 8 blocks"),
            (2, b"<p>x</p>\n<a href=\"java&#x09;script:alert(1)\">x</a>", "line 2, column 1"),
            (2, b"<p onclick={{vendor}}>x</p>", "line 1, column 4: `onclick` would run something"),
            (2, b"<p>\n<img src=\"https://evil.example/x.gif\"></p>", "line 2, column 1: `<img>`"),
        ];
        for (part, words, said) in hostile {
            let refused = set(&stage, part, words);
            assert_eq!(refused.status, 1, "{said}: {}", refused.stderr);
            assert!(refused.stderr.contains(said), "{said}: {}", refused.stderr);
        }
        assert!(stage.run.csv(&["templates", "list", SLUG]).is_empty());
        let set = |kind, language| {
            let file = stage.file("x.hbs", "x");
            let file = path(&file);
            stage.run.run(&["templates", "set", SLUG, kind, language, "--subject", file, "--text", file, "--why", "x"])
        };
        assert_eq!(
            (set("escalation", "en").status, set("reminder", "it").status, set("notice", "en").status),
            (1, 1, 1)
        );
    }
}

#[test]
fn an_answer_is_written_in_the_incidents_own_words() {
    let (stage, messages) = sent(Backend::Sqlite, 1);
    let subject = stage.file("s.hbs", "About {{incident_title}} [{{code}}]\n");
    let text = stage.file("t.hbs", "Counsel writes to {{tenant_name}}:\n\n{{answer}}\n\n{{vendor}}\n");
    let set = ["templates", "set", SLUG, "answer", "en", "--subject", path(&subject), "--text", path(&text)];
    let done = stage.run.run(&[&set[..], &["--why", "words of counsel"]].concat());
    assert!(done.status == 0 && done.stderr.contains("no longer reads: questions"), "{}", done.stderr);
    let ticket =
        receive(&stage, &reply_to(&messages[0], "", "Which files?"), None)["ticket"].as_str().unwrap().to_owned();
    let question = question_ids(&stage, &ticket).remove(0);
    let answer = stage.file("answer.txt", "The invoices of January 2020.");
    stage.run.ok(&["ticket", "answer", &ticket, "--questions", &question, "--text", path(&answer)]);
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    let text = readable(&recorder.messages()[0]);
    assert!(text.starts_with("Counsel writes to Organisation 0:"), "{text}");
}
