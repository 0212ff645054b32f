//! Webhooks: what other programs are told of ladders and questions, signed, once, and never silently not at all.

mod failures;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::process::{Backend, Forthright};
use testkit::receiver::{Heard, Receiver};
use testkit::smtp::Recorder;

use crate::setup::{Clock, SLUG, Stage, path};
use crate::tickets::{raw_sql, reply_to};

const MORNING: &str = "2022-09-25T09:00:00Z";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OLDER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A released notice in a rehearsal, a mail server, and webhooks.
struct World {
    stage: Stage,
    recorder: Recorder,
}

impl World {
    /// Names of webhooks with their lines of configuration.
    fn new(backend: Backend, webhooks: &[(&str, String)]) -> Self {
        let stage = Stage::with_clock(backend, Clock::Moved);
        stage.file("secret", SECRET);
        stage.file("older", OLDER);
        stage.file("key", "KEY-OF-A-TOOL");
        let folder = stage.folder.path().display().to_string();
        let config: String = webhooks
            .iter()
            .map(|(name, lines)| format!("[webhooks.{name}]\n{lines}\n").replace("FOLDER", &folder))
            .collect();
        let config = stage.file("webhooks.toml", &config);
        let stage = Stage { run: stage.run.with("FORTHRIGHT_CONFIG", path(&config)), ..stage };
        stage.small(1);
        let world = Self { stage, recorder: Recorder::start().unwrap() };
        world.stage.release_at(&world.at(MORNING));
        world.work(MORNING);
        world
    }

    fn at(&self, time: &str) -> Forthright {
        self.stage.run.with("FORTHRIGHT_NOW", time)
    }

    fn work(&self, time: &str) {
        self.at(time).sending_to(&self.recorder.url()).ok(&["work", "--until-idle", "--timeout", "120"]);
    }

    fn ask(&self, text: &str) {
        let raw = reply_to(&self.recorder.messages()[0], "", text);
        let output = self.at("2022-09-26T09:00:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
        assert_eq!(output.status, 0, "{}", output.stderr);
    }

    /// Gives the incident this policy, under which no ladder runs yet.
    fn set(&self, ladder: &str) {
        let file = self.stage.file("ladder.toml", ladder);
        self.at(MORNING).ok(&["escalation", "policy", "set", SLUG, path(&file), "--why", "programs are told"]);
    }

    fn ticket(&self) -> String {
        self.stage.run.csv(&["ticket", "list", SLUG])[0]["ticket"].clone()
    }

    fn timeline(&self) -> String {
        self.stage.run.ok(&["ticket", "show", &self.ticket(), "--timeline"])
    }

    fn calls(&self) -> Vec<std::collections::HashMap<String, String>> {
        self.stage.run.csv(&["webhook", "list"])
    }

    /// Whatever was put off is due.
    fn hurry(&self) {
        raw_sql(&self.stage, "UPDATE webhook_calls SET next_at = 0 WHERE state = 'deferred'").unwrap();
    }

    /// Tasks of webhooks that wait for somebody.
    fn tasks(&self) -> Vec<String> {
        let found =
            raw_sql(&self.stage, "SELECT text FROM tasks WHERE kind = 'webhook' AND done_at IS NULL ORDER BY id");
        found.unwrap().lines().map(str::to_owned).collect()
    }
}

fn standard(receiver: &Receiver, events: &str) -> String {
    format!("url = \"{}\"\nsecret_file = \"FOLDER/secret\"\nevents = [{events}]", receiver.url("/hook"))
}

/// What the specification's own library says of calls.
fn verified(calls: &[Heard], secret: &str) -> Vec<String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")));
    let python = target.join("standardwebhooks/bin/python3");
    assert!(python.is_file(), "{} is not there: ops/test installs it", python.display());
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/webhooks/verify.py");
    let mut check = Command::new(python)
        .args([script.as_os_str(), secret.as_ref()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let calls: Vec<Value> = calls
        .iter()
        .map(|call| {
            let headers: serde_json::Map<String, Value> =
                call.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            json!({ "headers": headers, "body": String::from_utf8(call.body.clone()).unwrap() })
        })
        .collect();
    serde_json::to_writer(check.stdin.take().unwrap(), &calls).unwrap();
    let output = check.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn kinds(calls: &[Heard]) -> Vec<String> {
    calls.iter().map(|call| call.json()["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_firing_acknowledgement_and_end_is_told_once_signed_and_in_the_timeline() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let lines = format!(
            "{}\nprevious_secret_file = \"FOLDER/older\"\nconsole = \"https://console.example/\"",
            standard(&receiver, "\"escalation\", \"ticket.question\"")
        );
        let world = World::new(backend, &[("own", lines)]);
        world.ask("Which invoice was it, dear vendor?");
        world.work("2022-09-26T09:01:00Z");
        assert_eq!(kinds(&receiver.heard()), ["ticket.question"]);
        // Missed and doubled ticks: two rungs, each told once.
        world.work("2022-09-29T10:00:00Z");
        world.work("2022-09-29T10:00:00Z");
        let lines = world.stage.run.csv(&["escalation", "list", SLUG]);
        let escalation = lines.iter().find(|line| line["policy"] == "debt").unwrap()["escalation"].clone();
        let ada = world.at("2022-09-29T11:00:00Z").as_actor("ada");
        ada.ok(&["escalation", "acknowledge", &escalation]);
        ada.ok(&["escalation", "acknowledge", &escalation]);
        world.work("2022-09-29T11:00:00Z");
        let question = world.stage.run.json(&["ticket", "show", &world.ticket()])["questions"][0]["id"].clone();
        let text = world.stage.file("answer.txt", "It was one invoice of 2 January 2020: box/0.pdf.");
        let answer =
            ["ticket", "answer", &world.ticket(), "--questions", question.as_str().unwrap(), "--text", path(&text)];
        ada.ok(&answer);
        world.work("2022-09-29T12:00:00Z");
        let heard = receiver.heard();
        let expected =
            ["ticket.question", "escalation.fired", "escalation.fired", "escalation.acknowledged", "escalation.ended"];
        assert_eq!(kinds(&heard), expected);
        assert_eq!(verified(&heard, SECRET), ["good"; 5]);
        assert_eq!(verified(&heard, OLDER), ["good"; 5], "the older secret signs too until it is taken away");
        assert_ne!(verified(&heard[..1], "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ["good"]);
        let fired = &heard[1].json()["data"];
        assert_eq!(
            (&fired["incident"], &fired["ticket"], &fired["tenant"], &fired["rehearsal"]),
            (&json!(SLUG), &json!(world.ticket()), &json!("t-00000"), &json!(true))
        );
        assert_eq!(fired["link"], format!("https://console.example/tickets/{}", world.ticket()));
        let (ladder, rung) = (&fired["escalation"], &fired["escalation"]["rung"]);
        assert_eq!((&ladder["id"], &ladder["policy"]), (&json!(escalation), &json!("debt")));
        assert_eq!(rung["target"], "agent");
        assert_eq!(heard[3].json()["data"]["escalation"]["acknowledged_by"], "ada");
        // Neither the words of the mail nor a fact, a name or an address of the organisation.
        for call in &heard {
            let body = String::from_utf8(call.body.clone()).unwrap();
            for secret in ["invoice", "Organisation", "org00000", "security@", "box/", "2020"] {
                assert!(!body.contains(secret), "{secret}: {body}");
            }
        }
        let timeline = world.timeline();
        assert_eq!(timeline.matches("accepted, status 204").count(), 5, "{timeline}");
        assert!(timeline.contains("ada acknowledged rung") && timeline.contains("debt, rung 1, agent"), "{timeline}");
        assert!(world.calls().iter().all(|call| call["state"] == "accepted" && call["attempts"] == "1"));
        let error = raw_sql(&world.stage, "UPDATE webhook_calls SET body = '{}'").unwrap_err();
        assert!(error.contains("webhook_calls_are_frozen"), "{error}");
    }
}

#[test]
fn an_on_call_tool_resolves_what_it_opened_whatever_ended_the_ladder() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let lines = format!(
            "preset = \"pagerduty\"\nurl = \"{}\"\nkey_file = \"FOLDER/key\"\nevents = [\"escalation.fired\"]",
            receiver.url("/v2/enqueue")
        );
        let world = World::new(backend, &[("pager", lines)]);
        world.ask("Why?");
        world.work("2022-09-27T10:00:00Z");
        let ended = raw_sql(
            &world.stage,
            "UPDATE escalations SET ended_at = started_at, ended_why = 'by hand' WHERE policy = 'debt'",
        );
        assert!(ended.is_ok(), "{ended:?}");
        world.work("2022-09-28T10:00:00Z");
        let heard: Vec<Value> = receiver.heard().iter().map(Heard::json).collect();
        let actions: Vec<&Value> = heard.iter().map(|call| &call["event_action"]).collect();
        // The question still waits, so another ladder is climbed.
        assert_eq!(actions, ["trigger", "resolve", "trigger"]);
        assert_eq!(heard[0]["dedup_key"], heard[1]["dedup_key"]);
        assert_ne!(heard[0]["dedup_key"], heard[2]["dedup_key"]);
        assert!(heard.iter().all(|call| call["routing_key"] == "KEY-OF-A-TOOL"));
        let stored = raw_sql(&world.stage, "SELECT COUNT(*) FROM webhook_calls WHERE body LIKE '%KEY-OF%'").unwrap();
        assert_eq!(stored.trim(), "0", "what is secret is stored nowhere");
    }
}

#[test]
fn an_alert_stays_open_under_its_name_while_a_ladder_takes_the_place_of_another() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let lines = format!(
            "preset = \"pagerduty\"\nurl = \"{}\"\nkey_file = \"FOLDER/key\"\nevents = [\"escalation.fired\"]",
            receiver.url("/v2/enqueue")
        );
        let world = World::new(backend, &[("pager", lines)]);
        world.ask("Why?");
        world.work("2022-09-27T10:00:00Z");
        let set = |time: &str, text: &str, running: &str| {
            let file = world.stage.file("ladders.toml", text);
            let args = ["escalation", "policy", "set", SLUG, path(&file), "--why", "earlier", "--running", running];
            world.at(time).ok(&args);
            world.work(time);
        };
        let earlier = |hours: u32| {
            format!(
                "[policies.debt]\nrungs = [{{ after = \"24h\", targets = [\"agent\"] }}, {{ after = \"{hours}h\", targets = [\"lead\"] }}]\n"
            )
        };
        set("2022-09-27T11:00:00Z", &earlier(48), "move");
        set("2022-09-27T12:00:00Z", &earlier(36), "move");
        assert_eq!(receiver.heard().len(), 1, "{backend:?}: the question still waits");
        world.work("2022-09-28T10:00:00Z");
        raw_sql(
            &world.stage,
            "UPDATE escalations SET ended_at = started_at, ended_why = 'by hand' WHERE ended_at IS NULL",
        )
        .unwrap();
        world.work("2022-09-28T10:00:00Z");
        let heard: Vec<Value> = receiver.heard().iter().map(Heard::json).collect();
        let actions: Vec<&Value> = heard.iter().map(|call| &call["event_action"]).collect();
        assert_eq!(actions[..3], ["trigger", "trigger", "resolve"], "{backend:?}");
        assert!(heard[..3].iter().all(|call| call["dedup_key"] == heard[0]["dedup_key"]), "{backend:?}: {heard:?}");
    }
}

#[test]
fn a_test_is_sent_at_once_and_its_answer_printed() {
    let receiver = Receiver::start();
    let world = World::new(Backend::Sqlite, &[("own", standard(&receiver, ""))]);
    receiver.script(&[testkit::receiver::Answer::Status(202, "thanks"), testkit::receiver::Answer::Status(500, "no")]);
    let tried = world.stage.run.json(&["webhook", "test", "own"]);
    assert_eq!((&tried["taken"], &tried["status"], &tried["reply"]), (&json!(true), &json!(202), &json!("thanks")));
    assert_eq!(verified(&receiver.heard(), SECRET), ["good"]);
    assert_eq!(kinds(&receiver.heard()), ["webhook.test"]);
    let output = world.stage.run.run(&["webhook", "test", "own"]);
    assert_eq!(output.status, 1, "{}", output.stdout);
    assert!(output.stdout.contains("500") && output.stderr.contains("hint:"), "{}{}", output.stdout, output.stderr);
    assert_eq!(world.tasks(), Vec::<String>::new(), "whoever tests knows already");
    assert_eq!(world.stage.run.run(&["webhook", "test", "nobody"]).status, 1);
    // Who asked for nothing is told nothing else.
    world.ask("Why?");
    world.work("2022-09-29T10:00:00Z");
    assert_eq!(receiver.heard().len(), 2);
}

#[test]
fn a_rung_that_names_a_webhook_calls_it_once_whatever_else_it_asked_for() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let ladder = "[policies.debt]\nrungs = [\n\
            { after = \"1d\", targets = [\"webhook:pager\"] },\n\
            { after = \"2d\", targets = [\"webhook:nobody\"] },\n]";
        let world = World::new(backend, &[("pager", standard(&receiver, "\"escalation\""))]);
        world.set(ladder);
        world.ask("Which one was it?");
        world.work("2022-09-27T10:00:00Z");
        world.work("2022-09-27T10:00:00Z");
        let heard = receiver.heard();
        assert_eq!(kinds(&heard), ["escalation.fired"], "{backend:?}");
        assert_eq!(heard[0].json()["data"]["escalation"]["rung"]["target"], "webhook:pager");
        assert!(world.timeline().contains("call of webhook pager queued"), "{}", world.timeline());
        // A program that nobody configured is a task, and whoever asked for every firing hears of that one, too.
        world.work("2022-09-28T10:00:00Z");
        let tasks = raw_sql(&world.stage, "SELECT text FROM tasks WHERE kind = 'escalation'").unwrap();
        assert!(tasks.contains("there is no webhook nobody"), "{backend:?}: {tasks}");
        assert_eq!(receiver.heard().len(), 2, "{backend:?}");
    }
}

#[test]
fn the_look_at_the_ladders_knows_which_webhooks_would_be_called_and_a_test_calls_them() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let ladder = "[policies.debt]\nrungs = [{ after = \"1d\", targets = [\"webhook:pager\"] }]";
        let world = World::new(backend, &[("pager", standard(&receiver, ""))]);
        let run = world.at(MORNING);
        let file = world.stage.file("ladders.toml", ladder);
        run.ok(&["escalation", "policy", "set", SLUG, path(&file), "--why", "to try it"]);
        let looked = || {
            let output = run.run(&["escalation", "check", SLUG, "--json"]);
            let lines: Vec<Value> = serde_json::from_str(&output.stdout).unwrap();
            let line = lines.iter().find(|line| line["target"] == "webhook:pager").unwrap();
            (output.status, line["result"].as_str().unwrap().to_owned(), line["tested_at"].is_string())
        };
        assert_eq!(looked(), (0, "good".to_owned(), false), "{backend:?}");
        let test = ["escalation", "test", SLUG, "--target", "webhook:pager"];
        let sent = run.csv(&test);
        assert!(sent[0]["result"].contains("taken: status 204"), "{backend:?}: {sent:?}");
        assert_eq!(kinds(&receiver.heard()), ["webhook.test"], "{backend:?}");
        run.ok(&["escalation", "acknowledge", &sent[0]["test"]]);
        assert_eq!(looked(), (0, "good".to_owned(), true), "{backend:?}");
        receiver.script(&[testkit::receiver::Answer::Status(410, "")]);
        assert!(run.csv(&test)[0]["result"].contains("not taken: status 410"), "{backend:?}");
        assert_eq!(looked(), (4, "bad".to_owned(), true), "{backend:?}: nobody calls it any more");
    }
}

#[test]
fn a_duty_that_escalates_is_a_letter_and_a_call_beside_its_task_once_and_somebody_takes_it() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let World { stage, recorder } = World::new(backend, &[("pager", standard(&receiver, ""))]);
        let run = stage.run.with("FORTHRIGHT_TARGETS_COUNSEL", "counsel@vendor.example");
        let world = World { stage: Stage { run, ..stage }, recorder };
        let ladder = "[policies.duty]\nrungs = [{ after = \"1h\", targets = [\"counsel\", \"webhook:pager\"] }]";
        let file = world.stage.file("ladders.toml", ladder);
        let run = world.at(MORNING);
        run.ok(&["escalation", "policy", "set", SLUG, path(&file), "--why", "to try it"]);
        let duty = "eu-gdpr-33-authority";
        run.ok(&["duty", "applies", SLUG, duty, "yes", "--why", "controller for staff data"]);
        // Due on the 27th at 08:00, and the ladder is measured from a day before that.
        world.work("2022-09-26T09:00:01Z");
        world.work("2022-09-26T09:30:00Z");
        let mine = |text: &str| text.contains(duty);
        let letters = world.recorder.messages();
        let letters: Vec<_> =
            letters.iter().filter(|mail| mail.header("Subject").is_some_and(|text| mine(&text))).collect();
        assert_eq!(letters.len(), 1, "{backend:?}");
        assert_eq!(letters[0].recipients, ["counsel@vendor.example"], "{backend:?}");
        let heard: Vec<Value> = receiver.heard().iter().map(|call| call.json()["data"].clone()).collect();
        let heard: Vec<&Value> = heard.iter().filter(|data| mine(data["escalation"]["id"].as_str().unwrap())).collect();
        assert_eq!(heard.len(), 1, "{backend:?}");
        assert_eq!(heard[0]["escalation"]["rung"]["target"], "webhook:pager", "{backend:?}");
        let lines = || -> Vec<(String, bool)> {
            let lines = run.csv(&["escalation", "list", SLUG]).into_iter().filter(|line| mine(&line["escalation"]));
            lines.map(|line| (line["escalation"].clone(), !line["acknowledged_at"].is_empty())).collect()
        };
        let before = lines();
        assert!(before.len() == 2 && before.iter().all(|(_, seen)| !seen), "{backend:?}: {before:?}");
        run.ok(&["escalation", "acknowledge", &before[0].0]);
        assert!(lines().iter().all(|(_, seen)| *seen), "{backend:?}");
        assert_eq!(run.run(&["escalation", "acknowledge", "duty/nothing/of/this"]).status, 1, "{backend:?}");
    }
}
