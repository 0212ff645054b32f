//! Receivers that fail in every way, callers that are killed, addresses that lead inside.

use testkit::process::Backend;
use testkit::receiver::{Answer, Receiver};

use super::{SECRET, World, kinds, standard, verified};
use crate::reception::wait_until;
use crate::setup::{Clock, SLUG, Stage, path};
use crate::tickets::raw_sql;

const FIRED: &str = "\"escalation.fired\"";
/// When the first rung of the ladder of [`World::ask`] is due, and the second is not.
const FIRST_RUNG: &str = "2022-09-27T10:00:00Z";

#[test]
fn a_call_that_is_not_taken_is_made_again_under_the_same_id_until_it_is() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let elsewhere = Receiver::start();
        let world = World::new(backend, &[("own", format!("{}\ntimeout_seconds = 1", standard(&receiver, FIRED)))]);
        receiver.script(&[
            Answer::Status(500, "broken"),
            Answer::Elsewhere(307, elsewhere.url("/")),
            Answer::Silence,
            Answer::HangUp,
            Answer::Status(400, "what?"),
            Answer::Huge(200),
        ]);
        world.ask("Why?");
        for tries in 1..=6 {
            world.hurry();
            world.work(FIRST_RUNG);
            assert_eq!(receiver.heard().len(), tries);
        }
        let heard = receiver.heard();
        assert!(heard.iter().all(|call| call.header("webhook-id") == heard[0].header("webhook-id")));
        assert!(heard.iter().all(|call| call.body == heard[0].body));
        assert_eq!(verified(&heard, SECRET), ["good"; 6], "each try is signed for its own time");
        assert_eq!(elsewhere.heard(), [], "nobody is sent elsewhere");
        let call = &world.calls()[0];
        assert_eq!((call["state"].as_str(), call["attempts"].as_str()), ("accepted", "6"));
        let shown = world.stage.run.json(&["webhook", "show", &call["call"]]);
        let statuses: Vec<Option<i64>> =
            shown["tries"].as_array().unwrap().iter().map(|one| one["status"].as_i64()).collect();
        assert_eq!(statuses, [Some(500), Some(307), None, None, Some(400), Some(200)]);
        let last = shown["tries"][5]["reply"].as_str().unwrap();
        assert_eq!(last, "x".repeat(1_000), "no more of an answer is kept");
        let timeline = world.timeline();
        assert_eq!(timeline.matches("own, escalation.fired").count(), 1, "what it came to, not each try: {timeline}");
        assert!(!timeline.contains("xxx"), "the words of an answer are somebody else's");
    }
}

#[test]
fn a_webhook_that_stays_dead_becomes_a_task_a_finding_and_a_line_and_can_be_told_again() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let world = World::new(backend, &[("own", standard(&receiver, FIRED))]);
        world.ask("Why?");
        receiver.script(&[Answer::Status(503, ""), Answer::Status(503, "")]);
        world.work(FIRST_RUNG);
        assert_eq!(world.tasks(), Vec::<String>::new(), "it may come back");
        let found = world.at(FIRST_RUNG).run(&["doctor"]).stdout;
        assert!(found.contains("webhook own: 1 calls were not taken yet"), "{found}");
        raw_sql(&world.stage, "UPDATE webhook_calls SET attempts = 9, next_at = 0").unwrap();
        world.work(FIRST_RUNG);
        assert_eq!(receiver.heard().len(), 2);
        let tasks = world.tasks();
        assert!(tasks.len() == 1 && tasks[0].contains("webhook own did not take call"), "{tasks:?}");
        assert!(world.timeline().contains("failed, status 503, try 10"), "{}", world.timeline());
        let found = world.at(FIRST_RUNG).run(&["doctor"]);
        assert_eq!(found.status, 1);
        assert!(found.stdout.contains("1 were given up"), "{}", found.stdout);
        let call = world.calls()[0]["call"].clone();
        world.stage.run.ok(&["webhook", "retry", &call]);
        world.work(FIRST_RUNG);
        assert_eq!(world.calls()[0]["state"], "accepted");
        assert_eq!(world.stage.run.run(&["webhook", "retry", &call]).status, 4, "it was taken");
    }
}

#[test]
fn a_rung_whose_only_word_is_a_call_that_is_not_taken_is_a_finding_and_a_task_each_time() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let ladder = "[policies.debt]\nrungs = [\n\
            { after = \"24h\", targets = [\"webhook:pager\"] },\n\
            { after = \"26h\", targets = [\"webhook:pager\"] },\n\
            { after = \"28h\", targets = [\"webhook:pager\"] },\n]";
        let world = World::new(backend, &[("pager", standard(&receiver, ""))]);
        world.set(ladder);
        receiver.script(&[Answer::Status(503, ""), Answer::Status(503, ""), Answer::Status(410, "")]);
        world.ask("Why?");
        let found = |time: &str| world.at(time).run(&["audit", "engine"]).stdout.contains("call-untaken");
        world.work("2022-09-27T09:30:00Z");
        assert!(!found("2022-09-27T10:00:00Z"), "{backend:?}: it may come back");
        assert!(found("2022-09-27T10:31:00Z"), "{backend:?}");
        raw_sql(&world.stage, "UPDATE webhook_calls SET attempts = 9, next_at = 0").unwrap();
        world.work("2022-09-27T10:32:00Z");
        assert_eq!(world.tasks().len(), 1, "{backend:?}");
        // Gone, and then not called any more: on the same day, and each is one that nobody heard of.
        world.work("2022-09-27T11:30:00Z");
        world.work("2022-09-27T13:30:00Z");
        assert_eq!(receiver.heard().len(), 3, "{backend:?}");
        let tasks = world.tasks();
        assert_eq!(tasks.len(), 3, "{backend:?}: {tasks:?}");
        assert!(tasks.iter().all(|task| task.starts_with("nobody else was told by this rung")), "{tasks:?}");
        assert!(!found("2022-09-27T15:00:00Z"), "{backend:?}: somebody has them");
    }
}

#[test]
fn a_receiver_that_is_gone_is_told_nothing_until_a_test_is_taken() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let world = World::new(backend, &[("own", standard(&receiver, "\"escalation.fired\", \"ticket.question\""))]);
        receiver.script(&[Answer::Status(410, "gone")]);
        world.ask("Why?");
        world.work("2022-09-26T09:01:00Z");
        assert_eq!(world.tasks().len(), 1);
        world.work(FIRST_RUNG);
        assert_eq!(receiver.heard().len(), 1, "it is called no more");
        let calls = world.calls();
        assert_eq!(calls.iter().map(|call| call["state"].as_str()).collect::<Vec<_>>(), ["failed", "failed"]);
        let refused = world.stage.run.run(&["webhook", "retry", &calls[1]["call"]]);
        assert_eq!(refused.status, 4);
        assert!(refused.stderr.contains("webhook test own"), "{}", refused.stderr);
        world.stage.run.ok(&["webhook", "test", "own"]);
        world.stage.run.ok(&["webhook", "retry", &calls[1]["call"]]);
        world.work(FIRST_RUNG);
        assert_eq!(kinds(&receiver.heard())[1..], ["webhook.test", "escalation.fired"]);
    }
}

#[test]
fn killed_between_call_and_record_the_call_is_made_again_under_the_same_id() {
    for backend in Backend::each() {
        let receiver = Receiver::start();
        let world = World::new(backend, &[("own", standard(&receiver, FIRED))]);
        receiver.script(&[Answer::Silence]);
        world.ask("Why?");
        let mut running = world.at(FIRST_RUNG).sending_to(&world.recorder.url()).spawn(&["worker"]);
        receiver.wait_for(1);
        running.kill();
        assert_eq!(world.calls()[0]["state"], "leased");
        // The lease of who is gone runs out.
        raw_sql(&world.stage, "UPDATE webhook_calls SET leased_until = 0").unwrap();
        world.work(FIRST_RUNG);
        let heard = receiver.heard();
        assert_eq!(heard.len(), 2);
        assert_eq!(heard[0].header("webhook-id"), heard[1].header("webhook-id"));
        assert_eq!((world.calls().len(), world.calls()[0]["state"].as_str()), (1, "accepted"));
    }
}

#[test]
fn who_lost_the_lease_records_nothing() {
    let receiver = Receiver::start();
    let world = World::new(Backend::Sqlite, &[("own", format!("{}\ntimeout_seconds = 2", standard(&receiver, FIRED)))]);
    receiver.script(&[Answer::Silence]);
    world.ask("Why?");
    let mut running = world.at(FIRST_RUNG).sending_to(&world.recorder.url()).spawn(&["worker"]);
    receiver.wait_for(1);
    raw_sql(&world.stage, "UPDATE webhook_calls SET lease = 'whl_other'").unwrap();
    // The time-out of the first call passes and is void; the other's lease runs out only then.
    raw_sql(&world.stage, "UPDATE webhook_calls SET leased_until = leased_until - 29000000").unwrap();
    receiver.wait_for(2);
    wait_until("the second try is recorded", || world.calls()[0]["state"] == "accepted");
    assert_eq!(world.calls()[0]["attempts"], "1");
    assert_eq!(running.terminate(), 0);
}

#[test]
fn a_receiver_that_is_slow_holds_up_nobody_elses_calls() {
    let (slow, quick) = (Receiver::start(), Receiver::start());
    let both = "\"escalation.fired\", \"ticket.question\"";
    let world = World::new(Backend::Sqlite, &[("a-slow", standard(&slow, both)), ("quick", standard(&quick, both))]);
    slow.script(&[Answer::Silence, Answer::Silence]);
    world.ask("Why?");
    let mut running = world.at("2022-09-26T09:01:00Z").sending_to(&world.recorder.url()).spawn(&["worker"]);
    slow.wait_for(1);
    quick.wait_for(1);
    let mut second = world.at(FIRST_RUNG).sending_to(&world.recorder.url()).spawn(&["worker"]);
    // The first call is still waited for: its time-out is 20 s away.
    wait_until("the quick one has both", || kinds(&quick.heard()) == ["ticket.question", "escalation.fired"]);
    assert!(world.calls().iter().any(|call| call["webhook"] == "a-slow" && call["state"] == "leased"));
    running.kill();
    second.kill();
}

#[test]
fn two_workers_make_no_call_twice() {
    let receiver = Receiver::start();
    let world = World::new(Backend::Postgres, &[("own", standard(&receiver, "\"escalation\", \"ticket\""))]);
    world.ask("Why?");
    let run = world.at("2022-10-08T10:00:00Z").sending_to(&world.recorder.url());
    let mut workers = [run.spawn(&["worker"]), run.spawn(&["worker"])];
    receiver.wait_for(4);
    wait_until("all are recorded", || world.calls().iter().all(|call| call["state"] == "accepted"));
    let mut ids: Vec<String> = receiver.heard().iter().map(|call| call.header("webhook-id").to_owned()).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), world.calls().len()), (all, all));
    workers.iter_mut().for_each(|worker| assert_eq!(worker.terminate(), 0));
}

#[test]
fn no_address_that_leads_inside_is_called() {
    let receiver = Receiver::start();
    let stage = Stage::with_clock(Backend::Sqlite, Clock::Real);
    let secret = stage.file("secret", SECRET);
    let said = |lines: &str| {
        let text = format!("[webhooks.own]\nsecret_file = \"{}\"\n{lines}\n", path(&secret));
        let run = stage.run.with("FORTHRIGHT_CONFIG", stage.file("w.toml", &text).as_os_str());
        let output = run.run(&["webhook", "test", "own"]);
        (output.status, format!("{}{}", output.stdout, output.stderr))
    };
    let plain = receiver.url("/hidden-word");
    let port = plain.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    for (lines, why) in [
        (format!("url = \"{plain}\""), "only https is called"),
        (format!("url = \"https://127.0.0.1:{port}/hidden-word\""), "loopback"),
        (format!("url = \"https://localhost:{port}/hidden-word\""), "loopback"),
        (format!("url = \"https://[::ffff:127.0.0.1]:{port}/hidden-word\""), "loopback"),
        ("url = \"https://169.254.169.254/hidden-word\"".to_owned(), "link-local"),
        ("url = \"https://10.0.0.1/hidden-word\"".to_owned(), "private"),
        ("url = \"http://192.0.2.1/hidden-word\"\nallow_http_loopback = true".to_owned(), "not this host"),
    ] {
        let (status, said) = said(&lines);
        assert_eq!(status, 1, "{lines}: {said}");
        assert!(said.contains(why) && !said.contains("hidden-word"), "{lines}: {said}");
    }
    assert_eq!(receiver.heard(), []);
    let (status, said) = said(&format!("url = \"{plain}\"\nallow_http_loopback = true"));
    assert_eq!(status, 0, "{said}");
    assert_eq!(receiver.heard().len(), 1);
}

#[test]
fn a_bad_webhook_is_refused_with_its_place() {
    let stage = Stage::new(Backend::Sqlite);
    let file = stage.file("bad.toml", "[webhooks.own]\nurl = \"https://hooks.example/\"\nevents = [\"escalations\"]\n");
    let output = stage.run.with("FORTHRIGHT_CONFIG", file.as_os_str()).run(&["incident", "show", SLUG]);
    assert_ne!(output.status, 0);
    assert!(output.stderr.contains("[webhooks.own]") && output.stderr.contains("escalations"), "{}", output.stderr);
}
