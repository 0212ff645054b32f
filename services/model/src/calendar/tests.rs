//! Tests of business time: against a table that was computed without this code, and by what has to hold always.

use proptest::prelude::*;

use super::*;

/// Written by ops/holidays/due-times.
const TABLE: &str = include_str!("../../data/due-times.csv");

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(count: u64) -> Duration {
    Duration::from_secs(count * 3_600)
}

fn week(days: &[&str], text: &str) -> Hours {
    Hours::parse(days.iter().map(|day| (*day, text))).unwrap()
}

const WORKDAYS: [&str; 5] = ["mon", "tue", "wed", "thu", "fri"];
const ALL: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn calendar(zone: &str, hours: Hours, code: &str) -> Calendar {
    let holidays = if code.is_empty() { Holidays::default() } else { builtin(code).unwrap() };
    Calendar::new(zone, hours, holidays).unwrap()
}

fn office(name: &str) -> Hours {
    match name {
        "office" => week(&WORKDAYS, "09:00-17:30"),
        "noon" => week(&WORKDAYS, "08:00-12:00, 13:00-17:00"),
        "always" => week(&ALL, "00:00-24:00"),
        "night" => week(&ALL, "01:15-04:45"),
        _ => panic!("no office {name}"),
    }
}

#[test]
fn due_times_are_those_of_an_independent_table() {
    let (mut rows, mut zones) = (0, std::collections::BTreeSet::new());
    for line in TABLE.lines().skip(1) {
        let [zone, code, name, start, minutes, due] = line.split(',').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let span = Duration::from_secs(minutes.parse::<u64>().unwrap() * 60);
        let reached = calendar(zone, office(name), code).after(time(start), span);
        assert_eq!(reached.at.to_string(), due, "{line}");
        zones.insert(zone);
        rows += 1;
    }
    assert!(rows >= 240 && zones.len() >= 12, "{rows} rows, {} zones", zones.len());
}

#[track_caller]
fn check(calendar: &Calendar, start: &str, span: Duration, expect: &str) {
    assert_eq!(calendar.after(time(start), span).at.to_string(), expect);
    let back = calendar.before(time(expect), span).at;
    assert_eq!(calendar.between(back, time(expect)), span);
}

#[test]
fn an_hour_that_a_spring_night_leaves_out_is_not_office_time() {
    let berlin = calendar("Europe/Berlin", week(&ALL, "00:00-24:00"), "");
    check(&berlin, "2026-03-28T23:00:00Z", hours(23), "2026-03-29T22:00:00Z");
    // Hours that lie wholly in the gap do not happen that night.
    let gap = calendar("Europe/Berlin", week(&ALL, "02:15-02:45"), "");
    check(&gap, "2026-03-29T00:00:00Z", Duration::from_secs(60), "2026-03-30T00:16:00Z");
    let sydney = calendar("Australia/Sydney", week(&ALL, "01:00-04:00"), "");
    check(&sydney, "2026-10-03T12:00:00Z", hours(2), "2026-10-03T17:00:00Z");
}

#[test]
fn an_hour_that_an_autumn_night_repeats_is_office_time_twice() {
    let berlin = calendar("Europe/Berlin", week(&ALL, "02:00-03:00"), "");
    check(&berlin, "2026-10-24T22:00:00Z", hours(2), "2026-10-25T02:00:00Z");
    let sydney = calendar("Australia/Sydney", week(&ALL, "01:00-04:00"), "");
    check(&sydney, "2026-04-04T12:00:00Z", hours(4), "2026-04-04T18:00:00Z");
    let half = calendar("Australia/Lord_Howe", week(&ALL, "00:00-24:00"), "");
    check(&half, "2026-04-04T13:00:00Z", Duration::from_secs(49 * 1_800), "2026-04-05T13:30:00Z");
}

#[test]
fn a_leap_day_is_a_day_and_a_day_that_a_zone_skipped_is_none() {
    let london = calendar("Europe/London", week(&WORKDAYS, "09:00-17:00"), "");
    check(&london, "2024-02-28T16:00:00Z", hours(10), "2024-03-01T10:00:00Z");
    // Samoa had no 30 December 2011, a Friday.
    let apia = calendar("Pacific/Apia", week(&WORKDAYS, "09:00-17:00"), "");
    check(&apia, "2011-12-30T02:00:00Z", hours(2), "2012-01-01T20:00:00Z");
}

#[test]
fn a_time_outside_office_hours_waits_for_the_next_opening() {
    let bavaria = calendar("Europe/Berlin", week(&WORKDAYS, "09:00-17:30"), "DE-BY");
    // A Saturday, with the Epiphany on the Tuesday after it.
    check(&bavaria, "2026-01-03T10:00:00Z", Duration::ZERO, "2026-01-05T08:00:00Z");
    check(&bavaria, "2026-01-03T10:00:00Z", hours(9), "2026-01-07T08:30:00Z");
    let hesse = calendar("Europe/Berlin", week(&WORKDAYS, "09:00-17:30"), "DE-HE");
    check(&hesse, "2026-01-03T10:00:00Z", hours(9), "2026-01-06T08:30:00Z");
}

#[test]
fn it_is_said_where_holidays_are_not_considered() {
    let said = |calendar: &Calendar, start| calendar.after(time(start), hours(8)).holidays.to_string();
    let berlin = calendar("Europe/Berlin", week(&WORKDAYS, "09:00-17:30"), "DE");
    assert_eq!(said(&berlin, "2026-06-01T08:00:00Z"), "");
    assert_eq!(said(&berlin, "2030-12-31T15:00:00Z"), "holidays not considered after 2030");
    assert_eq!(said(&berlin, "2021-06-01T08:00:00Z"), "holidays not considered before 2022");
    assert_eq!(said(&Calendar::default(), "2026-06-01T08:00:00Z"), "holidays not considered");
}

#[test]
fn every_file_of_holidays_can_be_read_with_all_its_parts() {
    assert!(CODES.len() >= 30, "{}", CODES.len());
    for code in CODES {
        let country = builtin(code).unwrap();
        assert_eq!(country.years(), Some((2022, 2030)), "{code}");
        for year in 2022..=2030 {
            assert!(country.list(Some(year)).len() >= 3, "{code} {year}");
        }
        for part in parts(code) {
            assert!(builtin(&format!("{code}-{part}")).unwrap().list(None).len() >= 27, "{code}-{part}");
        }
    }
    for unknown in ["", "de", "XX", "DE-XX", "DE-", "US-CA"] {
        assert_eq!(builtin(unknown), Err(NotACode::Unknown(unknown.to_owned())));
    }
}

#[test]
fn what_is_no_office_hours_is_refused_by_name() {
    let said = |day: &str, text: &str| Hours::parse([(day, text)]).unwrap_err().to_string();
    for text in ["9:00-17:00", "17:00-09:00", "09:00-09:00", "09:00-24:01", "09:60-10:00", "09:00", "22:00-25:00", "x"]
    {
        assert!(said("mon", text).contains(&format!("`{text}` of mon")), "{text}");
    }
    assert!(said("monday", "09:00-17:00").contains("`monday` is no day"));
    assert!(said("mon", "13:00-17:00, 09:00-12:00").contains("out of order"));
    assert!(said("mon", "09:00-12:00, 11:00-17:00").contains("overlap"));
    assert!(said("mon", "").contains("no day has any"));
    let texts = Hours::parse([("sun", "00:00-24:00"), ("tue", "09:00-12:00,13:00-17:00")]).unwrap();
    assert_eq!(texts.to_string(), "tue 09:00-12:00 13:00-17:00, sun 00:00-24:00");
    let again = texts.texts();
    assert_eq!(Hours::parse(again.iter().map(|(day, text)| (*day, text.as_str()))).unwrap(), texts);
}

fn any_calendar() -> impl Strategy<Value = Calendar> {
    let zones =
        ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "UTC"];
    let codes = ["", "DE-BY", "US", "AU-NSW", "AE"];
    let minutes = proptest::collection::btree_set(0u16..=1440, 2..7);
    let day = minutes.prop_map(|minutes| {
        let minutes: Vec<u16> = minutes.into_iter().collect();
        let text = |at: &u16| format!("{:02}:{:02}", at / 60, at % 60);
        let spans = minutes.chunks_exact(2).map(|pair| format!("{}-{}", text(&pair[0]), text(&pair[1])));
        spans.collect::<Vec<_>>().join(", ")
    });
    let days = proptest::collection::btree_map(proptest::sample::select(ALL.to_vec()), day, 1..7);
    (proptest::sample::select(zones.to_vec()), days, proptest::sample::select(codes.to_vec())).prop_map(
        |(zone, days, code)| {
            let hours = Hours::parse(days.iter().map(|(day, text)| (*day, text.as_str()))).unwrap();
            calendar(zone, hours, code)
        },
    )
}

/// Between 2024 and 2028, to the second.
fn any_time() -> impl Strategy<Value = Timestamp> {
    (1_704_067_200i64..1_830_297_600).prop_map(|second| Timestamp::from_micros(second * SECOND))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_span_of_office_time_is_over_when_so_much_has_passed(c in any_calendar(), start in any_time(), minutes in 1u64..4_000) {
        let span = Duration::from_secs(minutes * 60);
        let end = c.after(start, span).at;
        prop_assert_eq!(c.between(start, end), span);
        // The last moment of it was office time, so the end is neither in a holiday nor out of hours.
        prop_assert!(c.is_open(end.minus(Duration::from_micros(1))));
        let day = c.local(end.minus(Duration::from_micros(1)));
        prop_assert!(!c.holidays().has_date(day));
    }

    #[test]
    fn spans_add_up_and_later_starts_end_later(c in any_calendar(), start in any_time(), one in 0u64..3_000, two in 0u64..3_000) {
        let (one, two) = (Duration::from_secs(one * 60), Duration::from_secs(two * 60));
        let step = c.after(c.after(start, one).at, two).at;
        prop_assert_eq!(step, c.after(start, one + two).at);
        let later = start.plus(Duration::from_secs(7_000));
        prop_assert!(c.after(start, one).at <= c.after(later, one).at);
        prop_assert!(c.after(start, one).at <= step);
    }

    #[test]
    fn counting_back_is_the_inverse(c in any_calendar(), start in any_time(), minutes in 1u64..4_000) {
        let span = Duration::from_secs(minutes * 60);
        let end = c.after(start, span).at;
        let back = c.before(end, span).at;
        prop_assert_eq!(c.between(back, end), span);
        prop_assert_eq!(c.between(start.min(back), start.max(back)), Duration::ZERO);
        if c.is_open(start) {
            prop_assert_eq!(back, start);
        }
    }

    #[test]
    fn no_file_makes_the_reader_panic(text in "(BEGIN|END|DTSTART|DTEND|RRULE|VEVENT|SUMMARY|[:;=,\\\\\\n\\r\t \"äFREQYL0-9-]){0,80}") {
        let read = parse_ical(&text);
        prop_assert!(read.events + read.unread.len() <= text.len() + 1);
    }

    #[test]
    fn every_event_is_taken_or_named(lines in proptest::collection::vec(proptest::sample::select(LINES.to_vec()), 0..12)) {
        let text = format!("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", lines.join("\r\n"));
        let read = parse_ical(&text);
        prop_assert_eq!(read.events + read.unread.iter().filter(|one| one.line == 2).count(), 1, "{}", text);
    }
}

const LINES: [&str; 14] = [
    "DTSTART;VALUE=DATE:20240229",
    "DTSTART:20240229",
    "DTSTART:20240229T100000Z",
    "DTEND;VALUE=DATE:20240301",
    "DTEND;VALUE=DATE:99991231",
    "DURATION:P1D",
    "DURATION:PT1H",
    "RRULE:FREQ=YEARLY",
    "RRULE:FREQ=YEARLY;INTERVAL=0",
    "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
    "RDATE;VALUE=DATE:20250303,20260303",
    "EXDATE:20240229",
    "SUMMARY:Gründungs\\, tag",
    "STATUS:CANCELLED",
];

fn days(text: &str) -> Vec<String> {
    let read = parse_ical(text);
    assert_eq!(read.unread, [], "{text}");
    read.holidays.list(None).into_iter().map(|holiday| format!("{} {}", holiday.day, holiday.name)).collect()
}

fn event(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n")
}

#[test]
fn an_event_of_several_days_ends_before_its_end() {
    let text = event("SUMMARY:Works\n  outing\\, all\nDTSTART;VALUE=DATE:20261230\nDTEND;VALUE=DATE:20270102");
    let name = "Works outing, all";
    assert_eq!(days(&text), [format!("2026-12-30 {name}"), format!("2026-12-31 {name}"), format!("2027-01-01 {name}")]);
}

#[test]
fn an_event_comes_again_as_its_rule_says() {
    let text = event("SUMMARY:Leap\nDTSTART;VALUE=DATE:20240229\nRRULE:FREQ=YEARLY;COUNT=2");
    assert_eq!(days(&text), ["2024-02-29 Leap", "2028-02-29 Leap"]);
    let text =
        event("SUMMARY:T\nDTSTART;VALUE=DATE:20241128\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20261231T000000Z");
    assert_eq!(days(&text), ["2024-11-28 T", "2025-11-27 T", "2026-11-26 T"]);
    let text =
        event("SUMMARY:E\nDTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY;INTERVAL=2;UNTIL=20281231\nEXDATE:20260501");
    assert_eq!(days(&text), ["2024-05-01 E", "2028-05-01 E"]);
    let forever = parse_ical(&event("SUMMARY:A\nDTSTART;VALUE=DATE:20240501\nRRULE:FREQ=YEARLY"));
    assert_eq!(forever.holidays.years(), Some((2024, 2099)));
}

#[test]
fn what_is_not_understood_is_named_with_its_line() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Meeting\nDTSTART:20260105T100000Z\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Weekly\nDTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY\nEND:VEVENT\nno property\n\
        BEGIN:VTODO\nSUMMARY:x\nEND:VTODO\nBEGIN:VEVENT\nSUMMARY:Day\nDTSTART;VALUE=DATE:20260106\nEND:VEVENT\n\
        BEGIN:VEVENT\nSUMMARY:Open\n";
    let read = parse_ical(text);
    let unread: Vec<(usize, &str)> = read.unread.iter().map(|one| (one.line, one.what.as_str())).collect();
    assert_eq!(unread, [(2, "Meeting"), (6, "Weekly"), (11, "no property"), (12, "VTODO"), (19, "Open")]);
    assert_eq!(read.unread[1].why, "RRULE: `FREQ=WEEKLY` is not understood");
    assert_eq!((read.events, read.holidays.list(None).len()), (1, 1));
}
