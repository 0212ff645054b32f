//! Calendars: office hours from the configuration, holidays that are built in or imported, and what is said without them.

use testkit::process::Backend;

use crate::setup::{Stage, path};

const HOLIDAYS: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nSUMMARY:Works outing\r\n\
    DTSTART;VALUE=DATE:20260105\r\nDTEND;VALUE=DATE:20260106\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:Standup\r\n\
    DTSTART:20260105T090000Z\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

fn configured(stage: &Stage, text: &str) -> testkit::process::Forthright {
    let file = stage.file("forthright.toml", text);
    stage.run.with("FORTHRIGHT_CONFIG", path(&file))
}

#[test]
fn office_hours_leave_out_holidays_that_are_built_in_and_imported() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let run = configured(
            &stage,
            "[calendars.default]\nzone = \"Europe/Berlin\"\nholidays = [\"DE-BY\", \"works\"]\noffice = { mon = \"09:00-17:00\", tue = \"09:00-17:00\", wed = \"09:00-12:00, 13:00-17:00\" }\n",
        );
        let due = |from: &str| run.json(&["calendar", "due", "default", "--from", from, "--hours", "2"]);
        // Monday 5 January is an outing, Tuesday 6 the Epiphany. Without the file nothing is said to be considered.
        let before = due("2026-01-02T20:00:00Z");
        assert_eq!(before["due"], "2026-01-05T10:00:00Z", "{backend:?}");
        assert_eq!(before["note"], "holidays not considered", "{backend:?}");
        let file = stage.file("works.ics", HOLIDAYS);
        let imported = run.run(&["calendar", "import", "works", path(&file)]);
        assert_eq!(imported.status, 3, "{backend:?}: an event was not taken\n{}", imported.stderr);
        assert!(imported.stderr.contains("line 8: Standup was not taken"), "{}", imported.stderr);
        let after = due("2026-01-02T20:00:00Z");
        assert_eq!(
            (after["due"].as_str(), after["note"].as_str()),
            (Some("2026-01-07T10:00:00Z"), Some("")),
            "{backend:?}"
        );
        assert_eq!(after["local"], "2026-01-07 11:00 +01:00");
        let listed = run.csv(&["calendar", "list"]);
        let of = |name: &str| listed.iter().find(|row| row["calendar"] == name).unwrap();
        assert_eq!((of("default")["kind"].as_str(), of("default")["years"].as_str()), ("configured", "2026-2026"));
        assert_eq!((of("works")["kind"].as_str(), of("works")["holidays"].as_str()), ("imported", "1"));
        assert_eq!(of("DE-BY")["kind"], "built in");
        // A second file of the name replaces the first.
        let other = stage.file("other.ics", &HOLIDAYS.replace("20260105", "20260202").replace("20260106", "20260203"));
        run.run(&["calendar", "import", "works", path(&other)]);
        assert_eq!(due("2026-01-02T20:00:00Z")["due"], "2026-01-05T10:00:00Z", "{backend:?}");
    }
}

#[test]
fn a_calendar_says_for_which_years_it_knows_holidays() {
    let stage = Stage::new(Backend::Sqlite);
    let days = stage.run.csv(&["calendar", "show", "GB-SCT", "--year", "2026"]);
    assert!(days.iter().any(|day| day["day"] == "2026-11-30"), "St Andrew's Day: {days:?}");
    let late = stage.run.json(&["calendar", "show", "GB-SCT", "--year", "2031"]);
    assert_eq!(late["note"], "holidays not considered after 2030");
    assert_eq!(late["days"], serde_json::json!([]));
    assert_eq!(stage.run.json(&["calendar", "show", "default"])["note"], "holidays not considered");
}

#[test]
fn what_is_no_calendar_is_named_with_the_next_step() {
    let stage = Stage::new(Backend::Sqlite);
    let fails = |run: &testkit::process::Forthright, args: &[&str], word: &str| {
        let output = run.run(args);
        assert_eq!(output.status, 1, "{args:?}");
        assert!(output.stderr.contains(word), "`{word}` is not in: {}", output.stderr);
    };
    fails(&stage.run, &["calendar", "show", "DE-XX"], "calendar list");
    fails(&stage.run, &["calendar", "due", "night", "--from", "2026-01-01", "--hours", "1"], "[calendars.night]");
    let file = stage.file("x.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n");
    fails(&stage.run, &["calendar", "import", "x", path(&file)], "DTSTART;VALUE=DATE");
    for (text, word) in [
        ("[calendars.a]\nzone = \"Europe/Munich\"\n", "`Europe/Munich` is no time zone"),
        ("[calendars.a]\noffice = { mon = \"9-17\" }\n", "`9-17` of mon"),
        ("[calendars.a]\nics = \"/no/such.ics\"\n", "/no/such.ics"),
        ("[calendars.A]\n", "other characters than a-z"),
    ] {
        fails(&configured(&stage, text), &["calendar", "list"], word);
    }
}
