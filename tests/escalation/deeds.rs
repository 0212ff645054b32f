//! What people do to a ladder: take care of it, or climb it faster.

use testkit::process::Backend;
use testkit::smtp::Recorder;

use super::{MORNING, at, fired, names, released, work};
use crate::setup::{SLUG, Stage};
use crate::tickets::reply_to;

/// A question that waits since the 26th at nine, and whose ladder has turned to the agent.
fn waiting(backend: Backend) -> (Stage, Recorder, String) {
    let (stage, recorder) = released(backend);
    let raw = reply_to(&recorder.messages()[0], "", "What was it?");
    at(&stage, "2022-09-26T09:00:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
    work(&stage, "2022-09-27T10:00:00Z", &recorder);
    assert_eq!(fired(&stage), names(&[("debt", "1", "agent")]));
    let lines = stage.run.csv(&["escalation", "list", SLUG]);
    let ladder = lines.iter().find(|line| line["policy"] == "debt").unwrap()["escalation"].clone();
    (stage, recorder, ladder)
}

/// When the rungs that have not fired are due.
fn due(stage: &Stage) -> Vec<String> {
    let lines = stage.run.csv(&["escalation", "list", SLUG]);
    let of_tickets = lines.into_iter().filter(|line| line["fired_at"].is_empty() && line["policy"] != "duty");
    of_tickets.map(|line| line["due_at"].clone()).collect()
}

/// Without the fractions of a second that a clock which runs on adds.
fn minutes(times: &[String]) -> Vec<&str> {
    times.iter().map(|time| &time[..16]).collect()
}

#[test]
fn an_acknowledgement_that_no_work_follows_expires_and_the_ladder_goes_on_where_it_was() {
    for backend in Backend::each() {
        let (stage, recorder, ladder) = waiting(backend);
        let ana = at(&stage, "2022-09-29T08:00:00Z").as_actor("ana");
        let said = ana.run(&["escalation", "acknowledge", &ladder]);
        assert!(said.stderr.contains("is held until 2022-09-30T08:00"), "{}", said.stderr);
        // Again, and in another spelling: held no longer for that.
        at(&stage, "2022-09-29T08:30:00Z").as_actor("ANA").ok(&["escalation", "acknowledge", &ladder]);
        work(&stage, "2022-09-29T10:00:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent")]), "{backend:?}: held");
        assert_eq!(minutes(&due(&stage)), ["2022-09-30T08:00", "2022-10-04T08:00"], "{backend:?}");
        let mut previewed = stage.run.csv(&["escalation", "preview", SLUG, "--until", "2022-09-30T09:00:00Z"]);
        previewed.retain(|line| line["policy"] != "duty");
        assert_eq!(previewed.len(), 1, "{backend:?}: {previewed:?}");
        work(&stage, "2022-09-30T08:10:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent"), ("debt", "2", "lead")]), "{backend:?}: expired");
        let ticket = &stage.run.csv(&["ticket", "list", SLUG])[0];
        assert_eq!((ticket["status"].as_str(), ticket["debt"].as_str()), ("open", "1"));
        let timeline = stage.run.ok(&["ticket", "show", &ticket["ticket"], "--timeline"]);
        assert!(timeline.contains("ana acknowledged rung 1"), "{timeline}");
        stage.run.ok(&["audit", "verify"]);
    }
}

#[test]
fn a_jump_fires_a_rung_now_and_those_below_it_in_their_time() {
    for backend in Backend::each() {
        let (stage, recorder, ladder) = waiting(backend);
        let jump = |rung: &str| {
            let run = at(&stage, "2022-09-27T11:00:00Z");
            run.run(&["escalation", "jump", &ladder, "--rung", rung, "--why", "the press has called"])
        };
        assert_eq!(jump("3").status, 0);
        work(&stage, "2022-09-27T11:01:00Z", &recorder);
        work(&stage, "2022-09-27T11:02:00Z", &recorder);
        let now = names(&[("debt", "1", "agent"), ("debt", "3", "counsel")]);
        assert_eq!(fired(&stage), now, "{backend:?}");
        assert_eq!(minutes(&due(&stage)), ["2022-09-29T09:00"], "{backend:?}");
        for (rung, status) in [("3", 4), ("1", 4), ("9", 1), ("0", 1)] {
            assert_eq!(jump(rung).status, status, "{backend:?}: rung {rung}");
        }
        let missing = at(&stage, MORNING).run(&["escalation", "jump", "esc_none", "--rung", "1", "--why", "x"]);
        assert_eq!(missing.status, 1, "{}", missing.stderr);
    }
}

#[test]
fn nothing_rewrites_what_was_done_to_a_ladder() {
    for backend in Backend::each() {
        let (stage, _recorder, ladder) = waiting(backend);
        at(&stage, "2022-09-27T11:00:00Z").ok(&["escalation", "acknowledge", &ladder]);
        for refused in [
            "UPDATE escalation_events SET at = at + 1",
            "DELETE FROM escalation_events",
            "UPDATE escalations SET carried = '[[2,0,\"lead\"]]'",
        ] {
            assert!(crate::tickets::raw_sql(&stage, refused).is_err(), "{backend:?}: {refused}");
        }
    }
}
