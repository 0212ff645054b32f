//! Rows by R1, R2, R5, R7 and objects by R8.

use proptest::prelude::*;

use super::*;

fn full() -> RawRow<'static> {
    RawRow {
        object_path: "container-1/ a.pdf".into(),
        domain: " Mail.ACME.example. ".into(),
        email: "Mia@Acme.Example".into(),
        data_type: " Statement of Work".into(),
        document_date: "2021-03-04".into(),
        size_bytes: " 42 ".into(),
        project_id: "prj-1 ".into(),
        user_id: "u-1".into(),
    }
}

fn read<'a>(raw: &'a RawRow<'_>) -> Row<'a> {
    read_row(raw, Taxonomy::builtin()).unwrap()
}

fn check_host(domain: Field<'static>, email: Field<'static>, expect: Result<&str, Reject>) {
    let raw = RawRow { domain, email, ..full() };
    let host = read_row(&raw, Taxonomy::builtin()).map(|row| row.host.into_owned());
    assert_eq!(host, expect.map(str::to_owned), "{raw:?}");
}

fn check_date(text: &str, expect: Option<&str>) {
    assert_eq!(date(text).map(|day| day.to_string()).as_deref(), expect, "{text:?}");
}

#[test]
fn a_full_row_is_read_in_normal_form() {
    let raw = full();
    let row = read(&raw);
    assert_eq!(row.host, "mail.acme.example");
    assert_eq!(row.object_path, Some("container-1/ a.pdf"));
    assert_eq!(row.email.as_deref(), Some("mia@acme.example"));
    assert_eq!(row.data_type, Some("sow_document"));
    assert_eq!(row.document_date, Day::of_number(20_210_304));
    assert_eq!((row.size_bytes, row.project_id, row.user_id), (Some(42), Some("prj-1"), Some("u-1")));
    assert_eq!((row.missing.is_empty(), row.invalid.is_empty()), (true, true));
}

#[test]
fn the_host_comes_from_the_domain_or_else_from_the_address() {
    check_host("acme.example".into(), "x@other.example".into(), Ok("acme.example"));
    check_host(" ".into(), "x@y@Other.example".into(), Ok("other.example"));
    check_host(Field::Missing, "x@other.example".into(), Ok("other.example"));
    check_host(Field::Missing, "@other.example".into(), Ok("other.example"));
    check_host("".into(), "nobody".into(), Err(Reject::NoDomain));
    check_host("".into(), "nobody@ ".into(), Err(Reject::NoDomain));
    check_host("".into(), Field::Missing, Err(Reject::NoDomain));
    check_host("".into(), Field::Invalid, Err(Reject::NoDomain));
    check_host("".into(), "nobody@..".into(), Err(Reject::BadDomain));
    check_host("...".into(), "x@other.example".into(), Err(Reject::BadDomain));
    check_host("under_score.example".into(), "x@other.example".into(), Err(Reject::BadDomain));
    check_host(Field::Invalid, "x@other.example".into(), Err(Reject::BadDomain));
}

#[test]
fn a_bad_field_is_left_out_and_marked_and_never_rejects_the_row() {
    let raw = RawRow {
        object_path: "a\u{0}b".into(),
        email: "a b@acme.example".into(),
        data_type: Field::Invalid,
        document_date: "31/12/2020".into(),
        size_bytes: "12KB".into(),
        project_id: Field::Text("p".repeat(513).into()),
        user_id: "u\u{85}1".into(),
        ..full()
    };
    let row = read(&raw);
    let host = row.host.clone();
    assert_eq!((row.missing.is_empty(), row.invalid.is_empty()), (true, false));
    let bare = RawRow { domain: "mail.acme.example".into(), ..RawRow::default() };
    let nothing = read(&bare).host.clone();
    assert_eq!(host, nothing);
    assert!(Counted::ALL.iter().all(|field| row.invalid.contains(*field)));
    assert_eq!((row.size_bytes, row.document_date, row.data_type), (None, None, None));
    assert_eq!((row.object_path, &row.email, row.project_id, row.user_id), (None, &None, None, None));
}

#[test]
fn a_row_can_lack_one_field_and_have_another_that_is_invalid() {
    let raw = RawRow { object_path: " \t".into(), size_bytes: "-1".into(), ..full() };
    let row = read(&raw);
    assert_eq!((row.missing.is_empty(), row.invalid.is_empty()), (false, false));
}

#[test]
fn an_empty_domain_with_an_address_is_no_missing_field() {
    let raw = RawRow { domain: "".into(), ..full() };
    assert!(read(&raw).missing.is_empty());
}

#[test]
fn a_path_is_kept_byte_for_byte_up_to_its_limit() {
    let longest = " ".to_owned() + &"p".repeat(LONGEST_PATH - 1);
    let raw = RawRow { object_path: longest.as_str().into(), ..full() };
    assert_eq!(read(&raw).object_path, Some(longest.as_str()));
    let longer = longest.clone() + "p";
    let raw = RawRow { object_path: longer.as_str().into(), ..full() };
    assert!(read(&raw).invalid.contains(Counted::ObjectPath));
}

#[test]
fn sizes_are_decimal_digits_up_to_the_largest_i64() {
    assert_eq!(size("0"), Some(0));
    assert_eq!(size("007"), Some(7));
    assert_eq!(size("9223372036854775807"), Some(i64::MAX));
    for bad in ["9223372036854775808", "-1", "+1", "1.0", "1e3", "NaN", "١"] {
        assert_eq!(size(bad), None, "{bad}");
    }
}

#[test]
fn dates_are_days_of_the_calendar() {
    check_date("2020-02-29", Some("2020-02-29"));
    check_date("2000-02-29", Some("2000-02-29"));
    for bad in ["1900-02-29", "2021-02-29", "2021-13-45", "2021-04-31", "2021-00-10", "2021-01-00", "0000-01-01"] {
        check_date(bad, None);
    }
    for bad in
        ["2021-1-1", "20210101", "2021/01/01", "31/12/2020x", "unknown", "+021-01-01", "２021-01-01", "2021-01-01x"]
    {
        check_date(bad, None);
    }
}

#[test]
fn of_an_rfc_3339_time_the_written_day_counts() {
    for good in ["T00:00:00Z", "t23:59:60z", " 12:00:00+14:00", "T12:00:00.123456789-23:59"] {
        check_date(&format!("2021-03-04{good}"), Some("2021-03-04"));
    }
    for bad in [
        "T",
        "T12:00Z",
        "T12:00:00",
        "T24:00:00Z",
        "T12:60:00Z",
        "T12:00:61Z",
        "T12:00:00.Z",
        "T12:00:00+0100",
        "T12:00:00+24:00",
        "T12:00:00ZZ",
        "_12:00:00Z",
    ] {
        check_date(&format!("2021-03-04{bad}"), None);
    }
}

#[test]
fn rejects_have_the_names_of_the_command_line() {
    let names: Vec<&str> = Reject::ALL.iter().map(|reject| reject.as_str()).collect();
    assert_eq!(names, ["columns", "no_domain", "bad_domain"]);
}

proptest! {
    #[test]
    fn a_row_is_rejected_for_its_host_alone(fields in prop::collection::vec(prop::option::of("\\PC{0,20}|[a-z@.]{0,12}"), 8)) {
        let mut raw = RawRow::from_fields(std::array::from_fn(|at| {
            fields[at].as_deref().map_or(Field::Missing, Field::from)
        }));
        let before = read_row(&raw, Taxonomy::builtin()).map(|row| row.host.into_owned());
        raw.domain = "acme.example".into();
        prop_assert!(read_row(&raw, Taxonomy::builtin()).is_ok());
        if let Ok(host) = before {
            prop_assert_eq!(domain::DomainName::parse(&host).map(|name| name.to_string()), Ok(host));
        }
    }

    #[test]
    fn a_day_is_one_exactly_when_the_calendar_has_it(year in 0_i16..=9999, month in 0_i8..15, day in 0_i8..35) {
        let number = u32::try_from(year).unwrap_or(0) * 10_000 + month as u32 * 100 + day as u32;
        let known = year > 0 && jiff::civil::Date::new(year, month, day).is_ok();
        prop_assert_eq!(date(&format!("{year:04}-{month:02}-{day:02}")).is_some(), known);
        prop_assert_eq!(Day::of_number(number).is_some(), known);
    }
}
