//! Escalation: ladders climb by the clock, once per rung, and nothing closes by age.

mod deeds;
mod office;
mod policies;
mod preflight;
mod scale;
mod unreached;

use testkit::process::{Backend, Forthright};
use testkit::smtp::Recorder;

use crate::setup::{Clock, SLUG, Stage};
use crate::tickets::reply_to;

const MORNING: &str = "2022-09-25T09:00:00Z";

fn at(stage: &Stage, time: &str) -> Forthright {
    stage.run.with("FORTHRIGHT_NOW", time)
}

fn work(stage: &Stage, time: &str, recorder: &Recorder) {
    at(stage, time).sending_to(&recorder.url()).ok(&["work", "--until-idle", "--timeout", "120"]);
}

/// (policy, rung, target, fired) of what fired so far.
fn fired(stage: &Stage) -> Vec<(String, String, String)> {
    stage
        .run
        .csv(&["escalation", "list", SLUG])
        .into_iter()
        // Duties have ladders of their own beside those of tickets.
        .filter(|row| !row["fired_at"].is_empty() && row["policy"] != "duty")
        .map(|row| (row["policy"].clone(), row["rung"].clone(), row["target"].clone()))
        .collect()
}

fn names(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    expected.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
}

fn released(backend: Backend) -> (Stage, Recorder) {
    let stage = Stage::with_clock(backend, Clock::Moved);
    stage.small(1);
    stage.release_at(&at(&stage, MORNING));
    let recorder = Recorder::start().unwrap();
    work(&stage, MORNING, &recorder);
    assert_eq!(recorder.messages().len(), 1);
    (stage, recorder)
}

#[test]
fn an_unanswered_question_climbs_its_ladder_once_per_rung() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend);
        let raw = reply_to(&recorder.messages()[0], "", "What was it?");
        let output = at(&stage, "2022-09-26T09:00:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
        assert_eq!(output.status, 0, "{}", output.stderr);
        work(&stage, "2022-09-27T08:00:00Z", &recorder);
        assert_eq!(fired(&stage), []);
        let previewed = stage.run.csv(&["escalation", "preview", SLUG, "--until", "2022-10-04T00:00:00Z"]);
        work(&stage, "2022-09-27T10:00:00Z", &recorder);
        work(&stage, "2022-09-27T11:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent")]));
        // Ten days without a worker: every rung once, and the ticket is as open as before.
        work(&stage, "2022-10-08T10:00:00Z", &recorder);
        work(&stage, "2022-10-08T09:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent"), ("debt", "2", "lead"), ("debt", "3", "counsel")]));
        let would: Vec<_> = previewed
            .iter()
            .filter(|row| row["policy"] != "duty")
            .map(|row| (row["rung"].as_str(), row["target"].as_str()))
            .collect();
        assert_eq!(would, [("1", "agent"), ("2", "lead"), ("3", "counsel")]);
        let ticket = &stage.run.csv(&["ticket", "list", SLUG])[0];
        assert_eq!((ticket["status"].as_str(), ticket["debt"].as_str()), ("open", "1"));
    }
}

#[test]
fn a_silent_organisation_is_reminded_then_the_next_contact_is_told_then_the_account_manager_has_a_task() {
    let stage = Stage::with_clock(Backend::Sqlite, Clock::Moved);
    stage.small(1);
    stage.run.ok(&["directory", "add-contact", "t-00000", "--role", "admin", "--email", "admin@org00000.example"]);
    stage.release_at(&at(&stage, MORNING));
    let recorder = Recorder::start().unwrap();
    work(&stage, MORNING, &recorder);
    work(&stage, "2022-09-28T10:00:00Z", &recorder);
    assert_eq!(fired(&stage), names(&[("silence", "1", "contact")]));
    work(&stage, "2022-10-02T10:00:00Z", &recorder);
    work(&stage, "2022-10-09T10:00:00Z", &recorder);
    let told: Vec<String> = recorder.messages().into_iter().map(|message| message.recipients[0].clone()).collect();
    assert_eq!(told, ["security@org00000.example", "security@org00000.example", "admin@org00000.example"]);
    assert_eq!(
        fired(&stage),
        names(&[("silence", "1", "contact"), ("silence", "2", "next-contact"), ("silence", "3", "account-manager")])
    );
}

#[test]
fn a_word_from_a_person_ends_the_silence_ladder() {
    let (stage, recorder) = released(Backend::Sqlite);
    let raw = reply_to(&recorder.messages()[0], "", "Thank you, that was clear.");
    at(&stage, "2022-09-26T09:00:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
    work(&stage, "2022-10-20T10:00:00Z", &recorder);
    assert!(fired(&stage).iter().all(|(policy, _, _)| policy == "debt"), "{:?}", fired(&stage));
}

#[test]
fn staff_with_an_address_are_mailed_and_the_rest_become_tasks() {
    let (stage, recorder) = released(Backend::Sqlite);
    let raw = reply_to(&recorder.messages()[0], "", "Why?");
    at(&stage, MORNING).run_with_input(&["mail", "receive"], raw.as_bytes());
    let stage = Stage { run: stage.run.with("FORTHRIGHT_TARGETS_AGENT", "agent@vendor.example"), ..stage };
    work(&stage, "2022-09-29T10:00:00Z", &recorder);
    let mailed: Vec<_> =
        recorder.messages().into_iter().filter(|message| message.recipients[0] == "agent@vendor.example").collect();
    assert_eq!(mailed.len(), 1);
    assert_eq!(fired(&stage), names(&[("debt", "1", "agent"), ("debt", "2", "lead")]));
}

#[test]
fn the_clock_moves_in_a_rehearsal_only() {
    let stage = Stage::new(Backend::Sqlite);
    let output = stage.run.run(&["incident", "list", "--now", "2030-01-01T00:00:00Z"]);
    assert_eq!(output.status, 4, "{}", output.stderr);
}

#[test]
fn a_bad_policy_is_refused_with_its_place() {
    let stage = Stage::new(Backend::Sqlite);
    let file = stage.file(
        "x.toml",
        "slug = \"x\"\ntitle = \"t\"\nvendor = \"v\"\ndiscovered_at = \"2022-01-01\"\n[policies.debt]\nrungs = [{ after_hours = 5, targets = [] }]\n",
    );
    let output = stage.run.run(&["incident", "open", file.to_str().unwrap()]);
    assert_eq!(output.status, 1);
    assert!(output.stderr.contains("debt") && output.stderr.contains("rung 1"), "{}", output.stderr);
}

#[test]
fn a_clock_that_goes_back_lets_nobody_promise_a_time_that_has_passed() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend);
        let raw = reply_to(&recorder.messages()[0], "", "What was it?");
        let output = at(&stage, "2022-09-26T09:00:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
        assert_eq!(output.status, 0, "{}", output.stderr);
        let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0)["ticket"].clone();
        let question = crate::tickets::question_ids(&stage, &ticket).remove(0);
        let text = stage.file("p.txt", "We look into it.");
        let promise = |now: &str, by: &str| {
            let text = crate::setup::path(&text);
            at(&stage, now).run(&["ticket", "promise", &ticket, "--questions", &question, "--by", by, "--text", text])
        };
        assert_eq!(promise("2022-09-26T10:00:00Z", "2022-09-28T09:00:00Z").status, 0);
        work(&stage, "2022-09-29T10:00:00Z", &recorder);
        assert!(fired(&stage).iter().any(|(policy, ..)| policy == "promise"), "{:?}", fired(&stage));
        let refused = promise("2022-09-26T11:00:00Z", "2022-09-29T09:00:00Z");
        assert_ne!(refused.status, 0);
        assert!(refused.stderr.contains("is not in the future"), "{}", refused.stderr);
        let promised = promise("2022-09-26T11:00:00Z", "2022-09-30T10:00:00Z");
        assert_eq!(promised.status, 0, "{}", promised.stderr);
    }
}

fn ask(stage: &Stage, recorder: &Recorder, time: &str, question: &str) {
    let raw = reply_to(&recorder.messages()[0], "", question);
    let output = at(stage, time).run_with_input(&["mail", "receive"], raw.as_bytes());
    assert_eq!(output.status, 0, "{}", output.stderr);
}

/// Answers the question that was asked first of those that wait.
fn answer_oldest(stage: &Stage, time: &str) {
    let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0)["ticket"].clone();
    let shown = stage.run.json(&["ticket", "show", &ticket]);
    let open = shown["questions"].as_array().unwrap().iter().filter(|question| question["state"] == "open");
    let oldest = open.min_by_key(|question| question["asked_at"].to_string()).unwrap()["id"].as_str().unwrap();
    at(stage, time).ok(&["ticket", "answer", &ticket, "--questions", oldest, "--snippet", "facts"]);
}

#[test]
fn a_question_that_came_while_another_waited_has_a_ladder_of_its_own_once_that_one_is_answered() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend);
        ask(&stage, &recorder, "2022-09-26T09:00:00Z", "What was it?");
        work(&stage, "2022-10-08T10:00:00Z", &recorder);
        let climbed = [("debt", "1", "agent"), ("debt", "2", "lead"), ("debt", "3", "counsel")];
        assert_eq!(fired(&stage), names(&climbed));
        ask(&stage, &recorder, "2022-10-08T11:00:00Z", "And who has seen it?");
        work(&stage, "2022-10-08T11:30:00Z", &recorder);
        assert_eq!(fired(&stage).len(), 3, "{backend:?}: one beside the oldest starts none");
        answer_oldest(&stage, "2022-10-08T12:00:00Z");
        let found = at(&stage, "2022-10-08T13:00:00Z").run(&["audit", "engine"]);
        assert!(found.stdout.contains("debt-ladder-of-another"), "{backend:?}: {}", found.stdout);
        let until = ["escalation", "preview", SLUG, "--until", "2022-10-09T12:00:00Z"];
        assert_eq!(stage.run.csv(&until).len(), 1, "{backend:?}: the first rung of the ladder that will start");
        work(&stage, "2022-10-08T13:00:00Z", &recorder);
        assert_eq!(fired(&stage).len(), 3, "{backend:?}: measured from the second question");
        let found = at(&stage, "2022-10-08T14:00:00Z").run(&["audit", "engine"]);
        assert!(!found.stdout.contains("debt-ladder-of-another"), "{backend:?}: {}", found.stdout);
        work(&stage, "2022-10-09T12:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[climbed[0], climbed[1], climbed[2], climbed[0]]), "{backend:?}");
    }
}

#[test]
fn a_question_that_came_after_all_were_answered_escalates_although_no_worker_saw_it() {
    for backend in Backend::each() {
        let (stage, recorder) = released(backend);
        ask(&stage, &recorder, "2022-09-26T09:00:00Z", "What was it?");
        work(&stage, "2022-09-27T10:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent")]));
        answer_oldest(&stage, "2022-09-27T11:00:00Z");
        ask(&stage, &recorder, "2022-09-27T12:00:00Z", "And who has seen it?");
        work(&stage, "2022-09-28T11:00:00Z", &recorder);
        assert_eq!(fired(&stage).len(), 1, "{backend:?}: measured from the second question");
        work(&stage, "2022-10-27T12:00:00Z", &recorder);
        let again = [("debt", "1", "agent"), ("debt", "1", "agent"), ("debt", "2", "lead"), ("debt", "3", "counsel")];
        assert_eq!(fired(&stage), names(&again), "{backend:?}");
    }
}
