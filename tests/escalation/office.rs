//! Rungs in office hours: measured by a calendar with holidays, which may change while a ladder runs.

use testkit::process::Backend;
use testkit::smtp::Recorder;

use super::{MORNING, at, fired, names, work};
use crate::setup::{Clock, SLUG, Stage, path};
use crate::tickets::reply_to;

const OFFICE: &str = "[calendars.berlin]\nzone = \"Europe/Berlin\"\nholidays = [\"DE\", \"works\"]\n";
const LADDER: &str = "[policies.debt]\nrungs = [{ after = \"4h\", hours = \"business\", calendar = \"berlin\", targets = [\"agent\"] }]\n";
const NOTHING_OFF: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Long ago\r\n\
    DTSTART;VALUE=DATE:20200106\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn due(stage: &Stage) -> Vec<String> {
    let lines = stage.run.csv(&["escalation", "list", SLUG]);
    lines.into_iter().filter(|line| line["policy"] == "debt").map(|line| line["due_at"].clone()).collect()
}

#[test]
fn a_rung_in_office_hours_waits_for_them_and_for_holidays_that_are_imported_or_taken_back_meanwhile() {
    for backend in Backend::each() {
        let stage = Stage::with_clock(backend, Clock::Moved);
        let file = stage.file("forthright.toml", OFFICE);
        let stage = Stage { run: stage.run.with("FORTHRIGHT_CONFIG", path(&file)), ..stage };
        stage.small(1);
        let ladder = stage.file("ladder.toml", LADDER);
        at(&stage, MORNING).ok(&["escalation", "policy", "set", SLUG, path(&ladder), "--why", "office hours"]);
        stage.release_at(&at(&stage, MORNING));
        let recorder = Recorder::start().unwrap();
        work(&stage, MORNING, &recorder);
        // Friday, 30 September 2022, 16:00 in Berlin; the Monday after is the Day of German Unity.
        let raw = reply_to(&recorder.messages()[0], "", "What was it?");
        at(&stage, "2022-09-30T14:00:00Z").run_with_input(&["mail", "receive"], raw.as_bytes());
        work(&stage, "2022-09-30T14:05:00Z", &recorder);
        assert_eq!(minutes(&due(&stage)), ["2022-10-04T10:00"], "{backend:?}");
        let outing = NOTHING_OFF.replace("20200106", "20221004");
        let file = stage.file("works.ics", &outing);
        at(&stage, "2022-10-01T09:00:00Z").ok(&["calendar", "import", "works", path(&file)]);
        assert_eq!(minutes(&due(&stage)), ["2022-10-05T10:00"], "{backend:?}");
        work(&stage, "2022-10-04T10:30:00Z", &recorder);
        assert_eq!(fired(&stage), [], "{backend:?}: a day off");
        // The outing is off: what would have been due is due now, and not at the time that was noted before.
        let file = stage.file("works.ics", NOTHING_OFF);
        at(&stage, "2022-10-04T11:00:00Z").ok(&["calendar", "import", "works", path(&file)]);
        work(&stage, "2022-10-04T11:30:00Z", &recorder);
        assert_eq!(fired(&stage), names(&[("debt", "1", "agent")]), "{backend:?}");
        work(&stage, "2022-10-05T12:00:00Z", &recorder);
        assert_eq!(fired(&stage).len(), 1, "{backend:?}");
    }
}

fn minutes(times: &[String]) -> Vec<&str> {
    times.iter().map(|time| &time[..16]).collect()
}
