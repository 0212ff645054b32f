//! Notices to further contacts obey the wave that released the notice.

use testkit::process::Backend;
use testkit::smtp::{Message, Recorder};

use super::column;
use crate::setup::{SLUG, Stage};
use crate::tickets::{raw_sql, receive};

const FURTHER: &str = "legal@org00000.example";

/// A report that nobody is there, to the address that the notice came from.
fn bounce(notice: &Message) -> String {
    let (to, id, rcpt) = (&notice.from, notice.header("Message-ID").unwrap(), &notice.recipients[0]);
    format!(
        "From: MAILER-DAEMON@mx.example\r\nTo: {to}\r\nSubject: failed\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nno such user\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {rcpt}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {id}\r\n\r\n--b--\r\n"
    )
}

/// Two notices that arrived, in a paused wave with a limit of three a day; one comes back.
fn came_back(backend: Backend) -> (Stage, Recorder) {
    let stage = approved_with_a_further_contact(backend);
    stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "everybody", "--all", "--per-day", "3"]);
    let recorder = Recorder::start().unwrap();
    stage.work(&recorder);
    assert_eq!(recorder.count(), 2);
    stage.run.as_actor("lead").ok(&["wave", "pause", SLUG, "everybody"]);
    let first = &recorder.accepted_for("security@org00000.example")[0];
    assert_eq!(receive(&stage, &bounce(first), None)["class"], "bounce_permanent");
    stage.work(&recorder);
    (stage, recorder)
}

fn approved_with_a_further_contact(backend: Backend) -> Stage {
    let stage = Stage::new(backend);
    stage.small(2);
    stage.run.ok(&["directory", "add-contact", "t-00000", "--role", "legal", "--email", FURTHER]);
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    stage
}

#[test]
fn a_notice_to_the_next_contact_waits_while_its_wave_is_paused_and_uses_up_its_day() {
    for backend in Backend::each() {
        let (stage, recorder) = came_back(backend);
        let queued = stage.run.csv(&["delivery", "list", SLUG]);
        let further = queued.iter().find(|row| row["contact"] == FURTHER).expect("the next contact has a row");
        assert_eq!(further["state"], "queued", "{backend:?}");
        assert_eq!(recorder.accepted_for(FURTHER).len(), 0);
        assert_eq!(column(&stage, "everybody", "mails"), "3");
        stage.run.as_actor("lead").ok(&["wave", "resume", SLUG, "everybody"]);
        stage.work(&recorder);
        assert_eq!(recorder.accepted_for(FURTHER).len(), 1);
        // Of the day's three starts none is left, unless midnight (UTC) came in between.
        let count = raw_sql(&stage, "SELECT MAX(day_count) FROM starts WHERE system = ''").unwrap();
        assert!(["3", "1"].contains(&count.trim()), "{count}");
    }
}

#[test]
fn a_notice_to_the_next_contact_does_not_leave_a_wave_that_was_stopped() {
    for backend in Backend::each() {
        let (stage, recorder) = came_back(backend);
        let stop = "UPDATE waves SET stopped_why = 'too many came back'";
        raw_sql(&stage, stop).unwrap();
        let refused = stage.run.as_actor("lead").run(&["wave", "resume", SLUG, "everybody"]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        stage.work(&recorder);
        assert_eq!(recorder.accepted_for(FURTHER).len(), 0);
        stage.run.as_actor("lead").ok(&["wave", "resume", SLUG, "everybody", "--why", "they are right"]);
        stage.work(&recorder);
        assert_eq!(recorder.accepted_for(FURTHER).len(), 1);
    }
}
