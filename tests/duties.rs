//! Duties: clocks by law and contract from events that are recorded once, what two people decide, ladders and the time line.

use std::collections::HashMap;

use testkit::process::{Backend, Forthright};

use crate::setup::{Clock, SLUG, Stage};

type Row = HashMap<String, String>;

fn at(stage: &Stage, now: &str) -> Forthright {
    stage.run.with("FORTHRIGHT_NOW", now)
}

const EARLY: &str = "2022-09-25T10:00:00Z";

fn clocks(run: &Forthright, more: &[&str]) -> HashMap<String, Row> {
    let rows = run.csv(&[&["duty", "list", SLUG], more].concat());
    rows.into_iter().map(|row| (row["duty"].clone(), row)).collect()
}

fn event(run: &Forthright, name: &str, at: &str) {
    run.ok(&["incident", "event", SLUG, name, "--at", at, "--why", "by the log"]);
}

/// Two organisations in Germany.
fn germans(backend: Backend) -> Stage {
    let stage = Stage::with_clock(backend, Clock::Moved);
    let files = [
        ("d.csv", "domain,tenant_id,tenant_name,country,language\na.example,t-a,A,DE,en\nb.example,t-b,B,DE,en\n"),
        ("c.csv", "tenant_id,role,name,email,language\nt-a,security,X,x@a.example,en\nt-b,security,Y,y@b.example,en\n"),
        ("m.csv", "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n1.pdf,a.example,p@a.example,invoice,2020-01-02,10,p,u\n2.pdf,b.example,p@b.example,invoice,2020-01-02,10,p,v\n"),
        ("s.txt", "gmail.example\n"),
    ]
    .map(|(name, text)| stage.file(name, text));
    stage.directory(&files[0], &files[1]);
    stage.import(&[&files[2]], &files[3]);
    stage
}

fn tasks(stage: &Stage, run: &Forthright) -> Vec<String> {
    run.sending_to(&stage.files()).ok(&["work", "--until-idle", "--timeout", "60"]);
    let query =
        "SELECT target FROM tasks WHERE kind = 'duty' AND text NOT LIKE '%nobody has said%' ORDER BY due_at, target";
    crate::tickets::raw_sql(stage, query).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn an_event_is_recorded_once_and_its_correction_keeps_what_was_said() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        event(&run, "aware", "2022-09-24T12:00:00Z");
        let again = ["incident", "event", SLUG, "aware", "--at", "2022-09-24T09:00:00Z", "--why", "the first ticket"];
        let refused = run.run(&again);
        assert_eq!(refused.status, 4, "{backend:?}");
        assert!(refused.stderr.contains("--correct"), "{}", refused.stderr);
        run.ok(&[&again[..], &["--correct"]].concat());
        assert_eq!(
            run.run(&["incident", "event", SLUG, "contained", "--at", EARLY, "--why", "x", "--correct"]).status,
            4
        );
        let shown = run.json(&["incident", "show", SLUG]);
        let events = shown["events"].as_array().unwrap();
        let mut counts: Vec<_> = events.iter().map(|event| (event["at"].as_str(), event["counts"] == true)).collect();
        counts.sort();
        let expect = [(Some("2022-09-24T09:00:00Z"), true), (Some("2022-09-24T12:00:00Z"), false)];
        assert_eq!(counts, expect, "{backend:?}: {shown}");
        assert_eq!(clocks(&run, &[])["eu-gdpr-33-authority"]["due"], "2022-09-27T09:00:00Z", "{backend:?}");
        let guarded = crate::tickets::raw_sql(&stage, "UPDATE incident_events SET at = 0");
        assert!(guarded.is_err(), "{backend:?}: the record can be rewritten");
        assert!(crate::tickets::raw_sql(&stage, "DELETE FROM incident_events").is_err(), "{backend:?}");
    }
}

#[test]
fn every_clock_of_the_table_is_one_line_and_those_of_other_countries_are_asked_for() {
    let stage = germans(Backend::Sqlite);
    let run = at(&stage, EARLY);
    let likely = clocks(&run, &[]);
    assert!(likely.values().all(|row| row["jurisdiction"].starts_with("EU")), "{:?}", likely.keys());
    assert_eq!(likely["eu-gdpr-33-authority"]["state"], "running");
    assert!(likely["eu-gdpr-33-authority"]["left"].starts_with("1 d 21 h 5"), "{:?}", likely["eu-gdpr-33-authority"]);
    assert!(likely["eu-gdpr-33-authority"]["note"].contains("counted from the discovery"));
    assert_eq!(likely["eu-nis2-final"]["state"], "waiting");
    assert!(!likely.contains_key("eu-cra-users"), "not law in 2022");
    let all = clocks(&run, &["--all"]);
    assert_eq!(all.len(), 77);
    assert_eq!(all["eu-cra-users"]["state"], "not in force");
    let output = run.run(&["duty", "list", SLUG]);
    assert!(output.stderr.contains("This is no legal advice"), "{}", output.stderr);
    // Business days leave out Columbus Day, and Brazilian ones Our Lady of Aparecida.
    event(&run, "determined_material", "2022-09-24T12:00:00Z");
    event(&run, "aware", "2022-09-24T12:00:00Z");
    assert_eq!(clocks(&run, &["--all"])["us-sec-8k-105"]["due"], "2022-09-29T12:00:00Z");
    let later = at(&stage, "2022-10-08T10:00:00Z");
    later.ok(&[
        "incident",
        "event",
        SLUG,
        "determined_material",
        "--at",
        "2022-10-06T15:00:00Z",
        "--why",
        "board",
        "--correct",
    ]);
    let sec = clocks(&later, &["--all"])["us-sec-8k-105"].clone();
    assert_eq!((sec["due"].as_str(), sec["note"].as_str()), ("2022-10-13T15:00:00Z", ""));
}

#[test]
fn a_stage_starts_when_the_one_before_it_was_submitted() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        let done = |at: &str, more: &[&str]| {
            let args = [
                "duty",
                "done",
                SLUG,
                "eu-nis2-notification",
                "--at",
                at,
                "--why",
                "by the portal",
                "--reference",
                "B-7",
            ];
            run.run(&[&args[..], more].concat()).status
        };
        assert_eq!(clocks(&run, &[])["eu-nis2-final"]["due"], "");
        assert_eq!(done("2022-09-25T11:00:00Z", &[]), 4, "{backend:?}: in the future");
        assert_eq!(done("2022-09-25T09:00:00Z", &["--correct"]), 4, "{backend:?}: nothing to correct");
        assert_eq!(done("2022-09-25T09:00:00Z", &[]), 0, "{backend:?}");
        assert_eq!(done("2022-09-25T08:00:00Z", &[]), 4, "{backend:?}: twice");
        assert_eq!(done("2022-09-25T08:00:00Z", &["--correct"]), 0, "{backend:?}");
        let clocks = clocks(&run, &[]);
        assert_eq!(clocks["eu-nis2-notification"]["state"], "met", "{backend:?}");
        assert_eq!(
            clocks["eu-nis2-final"]["due"], "2022-10-25T08:00:00Z",
            "{backend:?}: a month after the corrected time"
        );
        assert_eq!(run.csv(&["duty", "history", SLUG]).len(), 2, "{backend:?}: none is lost");
        assert!(crate::tickets::raw_sql(&stage, "DELETE FROM duty_acts").is_err(), "{backend:?}");
    }
}

#[test]
fn not_to_notify_and_to_pause_takes_two_people() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        let state = |run: &Forthright, duty: &str| clocks(run, &[])[duty]["state"].clone();
        let kept = run.json(&["duty", "not-notify", SLUG, "eu-gdpr-34-person", "--why", "no high risk"]);
        let id = kept["id"].as_str().unwrap();
        assert_eq!(state(&run, "eu-gdpr-34-person"), "running", "{backend:?}: one person is not enough");
        assert_eq!(run.run(&["duty", "approve", SLUG, id]).status, 4, "{backend:?}: their own");
        run.as_actor("counsel").ok(&["duty", "approve", SLUG, id]);
        assert_eq!(state(&run, "eu-gdpr-34-person"), "decided", "{backend:?}");
        assert_eq!(run.as_actor("lead").run(&["duty", "approve", SLUG, id]).status, 4, "{backend:?}: once");
        let pause =
            ["duty", "pause", SLUG, "eu-gdpr-33-authority", "--until", "2022-09-26T10:00:00Z", "--why", "police"];
        let kept = run.json(&pause);
        run.as_actor("counsel").ok(&["duty", "approve", SLUG, kept["id"].as_str().unwrap()]);
        assert_eq!(state(&run, "eu-gdpr-33-authority"), "paused", "{backend:?}");
        let over = at(&stage, "2022-09-26T10:00:01Z");
        assert_eq!(state(&over, "eu-gdpr-33-authority"), "running", "{backend:?}: it ended by itself");
        let sql = "UPDATE duty_acts SET why = 'other'";
        assert!(crate::tickets::raw_sql(&stage, sql).is_err(), "{backend:?}: a decision can be rewritten");
    }
}

#[test]
fn a_duty_that_applies_escalates_until_it_is_met_and_one_that_nobody_spoke_of_asks_for_a_word() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        assert!(tasks(&stage, &run).is_empty(), "{backend:?}: nobody has said that one applies");
        // The clocks of the law run from the discovery, on the 24th at 08:00, although nothing was recorded.
        let unspoken = || {
            let query = "SELECT COUNT(*) FROM tasks WHERE text LIKE '%nobody has said whether%'";
            crate::tickets::raw_sql(&stage, query).unwrap().trim().parse::<u32>().unwrap()
        };
        let asked = unspoken();
        assert!(asked > 0, "{backend:?}: somebody is asked for a word");
        let gdpr = ["duty", "applies", SLUG, "eu-gdpr-33-authority", "yes", "--why", "controller for staff data"];
        run.ok(&gdpr);
        // Due 72 hours after the discovery, on the 27th at 08:00; the first rung is a day before that.
        assert!(tasks(&stage, &at(&stage, "2022-09-26T07:00:00Z")).is_empty(), "{backend:?}");
        assert_eq!(tasks(&stage, &at(&stage, "2022-09-26T09:00:00Z")), ["counsel"], "{backend:?}");
        assert_eq!(tasks(&stage, &at(&stage, "2022-09-27T07:00:00Z")), ["counsel", "lead"], "{backend:?}");
        let preview =
            at(&stage, "2022-09-27T07:00:00Z").csv(&["escalation", "preview", SLUG, "--until", "2022-09-28T09:00:00Z"]);
        assert_eq!(
            preview.iter().filter(|line| line["escalation"].contains("eu-gdpr-33-authority")).count(),
            4,
            "{backend:?}"
        );
        let late = at(&stage, "2022-09-28T09:00:00Z");
        assert_eq!(tasks(&stage, &late).len(), 6, "{backend:?}: at its time and a day after it, two each");
        late.ok(&[
            "duty",
            "done",
            SLUG,
            "eu-gdpr-33-authority",
            "--at",
            "2022-09-28T08:30:00Z",
            "--why",
            "by the form",
        ]);
        assert_eq!(clocks(&late, &[])["eu-gdpr-33-authority"]["state"], "met late");
        assert_eq!(tasks(&stage, &at(&stage, "2022-10-20T09:00:00Z")).len(), 6, "{backend:?}: it has ended");
    }
}

#[test]
fn a_contract_is_a_clock_of_its_customer_until_their_notice_was_accepted() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        let add = |tenant: &str, hours: &str| {
            let args = [
                "contract",
                "add",
                tenant,
                "--hours",
                hours,
                "--trigger",
                "aware",
                "--source",
                "DPA 7.2",
                "--why",
                "counsel",
            ];
            run.run(&args)
        };
        assert_eq!(add("t-none", "24").status, 1);
        assert_eq!(add("t-a", "0").status, 1);
        assert_eq!((add("t-a", "48").status, add("t-b", "24").status), (0, 0), "{backend:?}");
        let of = |run: &Forthright, tenant: &str| {
            let mut rows = clocks(run, &[]).into_values();
            rows.find(|row| row["tenant_id"] == tenant).unwrap()
        };
        assert_eq!(
            (of(&run, "t-a")["due"].as_str(), of(&run, "t-a")["state"].as_str()),
            ("2022-09-26T08:00:00Z", "running")
        );
        assert_eq!(of(&run, "t-b")["state"], "late", "{backend:?}");
        assert!(of(&run, "t-b")["left"].starts_with("late by 2 h 0"), "{backend:?}");
        run.ok(&["notice", "draft", SLUG]);
        run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        run.as_actor("lead").ok(&["wave", "release", SLUG, "all", "--all"]);
        run.sending_to(&stage.files()).ok(&["work", "--until-idle", "--timeout", "60"]);
        let after = at(&stage, "2022-09-25T12:00:00Z");
        assert_eq!(of(&after, "t-a")["state"], "met", "{backend:?}");
        assert!(of(&after, "t-a")["met_at"].starts_with("2022-09-25T10:"), "{backend:?}: {:?}", of(&after, "t-a"));
        assert_eq!(of(&after, "t-b")["state"], "met late", "{backend:?}");
        let contract = of(&after, "t-b")["duty"].clone();
        after.ok(&["contract", "end", &contract, "--why", "customer left"]);
        assert!(!clocks(&after, &[]).contains_key(&contract), "{backend:?}");
        assert_eq!(after.csv(&["contract", "list"]).len(), 2, "{backend:?}");
    }
}

#[test]
fn a_promised_update_escalates_until_a_statement_keeps_it_and_all_stands_in_one_time_line() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        event(&run, "aware", "2022-09-24T12:00:00Z");
        run.ok(&["incident", "next-update", SLUG, "--by", "2022-09-30T12:00:00Z", "--why", "forensics"]);
        assert_eq!(run.run(&["incident", "next-update", SLUG, "--by", "2022-09-01", "--why", "x"]).status, 1);
        let overdue = at(&stage, "2022-09-30T12:00:01Z");
        let promised = |stage: &Stage| {
            crate::tickets::raw_sql(stage, "SELECT COUNT(*) FROM tasks WHERE text LIKE '%next update%'").unwrap()
        };
        tasks(&stage, &run);
        assert_eq!(promised(&stage).trim(), "0", "{backend:?}");
        tasks(&stage, &overdue);
        assert_eq!(promised(&stage).trim(), "2", "{backend:?}: the agent and the lead");
        let shown = overdue.ok(&["incident", "timeline", SLUG]);
        for words in [
            "2022-09-24T12:00:00Z        event  aware (recorded 2022-09-25T10:0",
            "2022-09-27T12:00:00Z        duty   eu-gdpr-33-authority was due",
            "2022-09-30T12:00:00Z        update next update, promised 2022-09-25T10:0",
            "overdue",
            "This is no legal advice",
        ] {
            assert!(shown.contains(words), "{backend:?}: `{words}` is not in\n{shown}");
        }
        let late = at(&stage, "2022-10-01T10:00:00Z");
        late.ok(&["incident", "next-update", SLUG, "--sent", "2022-10-01T09:00:00Z", "--why", "press release"]);
        let entries = late.json(&["incident", "timeline", SLUG])["entries"].clone();
        let entries: Vec<&serde_json::Value> = entries.as_array().unwrap().iter().collect();
        assert!(entries.iter().any(|entry| entry["what"].as_str().unwrap().ends_with("kept late")), "{backend:?}");
        let times: Vec<&str> = entries.iter().map(|entry| entry["at"].as_str().unwrap()).collect();
        assert!(times.is_sorted(), "{backend:?}: {times:?}");
        assert_eq!(
            late.run(&["incident", "next-update", SLUG, "--sent", "2022-10-01T09:00:00Z", "--why", "x"]).status,
            4
        );
    }
}

#[test]
fn what_rests_is_previewed_and_escalates_from_the_moment_on_at_which_it_rests_no_more() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        let duty = "eu-gdpr-33-authority";
        run.ok(&["duty", "applies", SLUG, duty, "yes", "--why", "controller for staff data"]);
        let until = "2022-09-27T07:10:00Z";
        let kept = run.json(&["duty", "pause", SLUG, duty, "--until", until, "--why", "police"]);
        run.as_actor("counsel").ok(&["duty", "approve", SLUG, kept["id"].as_str().unwrap()]);
        let mine = |run: &Forthright| {
            let lines = run.csv(&["escalation", "preview", SLUG, "--until", "2022-09-27T07:30:00Z"]);
            lines.iter().filter(|line| line["escalation"].contains(duty)).count()
        };
        assert_eq!(mine(&run), 2, "{backend:?}: counsel and the lead");
        let count = |now: &str| {
            at(&stage, now).sending_to(&stage.files()).ok(&["work", "--until-idle", "--timeout", "60"]);
            let query =
                "SELECT COUNT(*) FROM tasks WHERE kind = 'duty' AND text LIKE '%the duty eu-gdpr-33-authority%'";
            crate::tickets::raw_sql(&stage, query).unwrap().trim().to_owned()
        };
        assert_eq!(count("2022-09-27T07:00:00Z"), "0", "{backend:?}: it rests");
        // Not at the next look of an hour later.
        assert_eq!(count("2022-09-27T07:10:01Z"), "2", "{backend:?}");
    }
}

#[test]
fn what_cannot_have_been_is_refused_and_what_one_person_alone_may_not_end_too() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        let aware = |at: &str| {
            let output = run.run(&["incident", "event", SLUG, "aware", "--at", at, "--why", "by the log"]);
            (output.status, output.stderr.contains("hint:"))
        };
        assert_eq!(aware("2022-09-25T10:10:00Z"), (1, true), "{backend:?}: in the future");
        assert_eq!(aware("2022-09-24T12:00:00Z"), (0, false), "{backend:?}");
        let duty = "eu-gdpr-33-authority";
        let done = |at: &str| run.run(&["duty", "done", SLUG, duty, "--at", at, "--why", "by the form"]).status;
        assert_eq!(done("2022-09-24T11:00:00Z"), 4, "{backend:?}: before the clock began");
        run.ok(&["duty", "applies", SLUG, duty, "yes", "--why", "controller"]);
        let no = run.run(&["duty", "applies", SLUG, duty, "no", "--why", "on second thoughts"]);
        assert!(no.status == 4 && no.stderr.contains("not-notify"), "{backend:?}: {}", no.stderr);
        assert_eq!(clocks(&run, &[])[duty]["state"], "running", "{backend:?}");
        assert_eq!(done("2022-09-25T09:00:00Z"), 0, "{backend:?}");
    }
}

#[test]
fn a_contract_that_is_ended_while_its_clock_runs_stays_in_the_list_and_the_time_line() {
    for backend in Backend::each() {
        let stage = germans(backend);
        let run = at(&stage, EARLY);
        let args =
            ["contract", "add", "t-b", "--hours", "24", "--trigger", "aware", "--source", "DPA 7.2", "--why", "c"];
        run.ok(&args);
        let late = clocks(&run, &[]).into_values().find(|row| row["tenant_id"] == "t-b").unwrap();
        assert_eq!(late["state"], "late", "{backend:?}");
        run.ok(&["contract", "end", &late["duty"], "--why", "the customer left"]);
        let ended = clocks(&run, &[])[&late["duty"]].clone();
        assert_eq!(ended["state"], "ended", "{backend:?}");
        assert!(ended["note"].contains("the customer left"), "{backend:?}: {}", ended["note"]);
        assert!(run.ok(&["incident", "timeline", SLUG]).contains("the customer left"), "{backend:?}");
    }
}
