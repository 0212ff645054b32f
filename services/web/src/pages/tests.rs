//! The page as people read it, from made-up figures.

use app::overview::{Fired, OpenQuestion, Organisation, Status, Task, Unmapped};
use model::time::Timestamp;

use super::*;

const HOUR: i64 = 3_600_000_000;

fn quiet() -> Overview {
    Overview {
        slug: "sample".to_owned(),
        title: "A sample".to_owned(),
        vendor: "Vendor".to_owned(),
        rehearsal: false,
        now: Timestamp::from_micros(100 * HOUR),
        stopped_since: None,
        status: Status::default(),
        open_questions: 0,
        oldest_questions: Vec::new(),
        fired: Vec::new(),
        tasks: Vec::new(),
        mails_for_a_person: 0,
        unmapped: Vec::new(),
        waves: Vec::new(),
        organisations: Vec::new(),
        next_after: None,
    }
}

fn render(overview: Overview) -> String {
    Incident { rehearsal: overview.rehearsal, after: String::new(), overview }.render().unwrap()
}

fn question(text: &str) -> OpenQuestion {
    OpenQuestion {
        id: "qst_1".to_owned(),
        ticket_id: "tkt_1".to_owned(),
        tenant_id: "t-1".to_owned(),
        tenant_name: "Müller & Söhne".to_owned(),
        state: "open".to_owned(),
        text: text.to_owned(),
        asked_at: 70 * HOUR,
        promised_by: None,
    }
}

fn organisation() -> Organisation {
    Organisation {
        tenant_id: "t 1&2".to_owned(),
        name: "Acme".to_owned(),
        domains: 2,
        notice_state: Some("released".to_owned()),
        notice_code: Some("K7QF-2M9X-0WTA".to_owned()),
        mails: 3,
        accepted: 1,
        ticket: None,
        ticket_status: None,
        turn: None,
        debt: None,
    }
}

#[test]
fn the_equation_stands_on_the_page_with_its_remainder() {
    let status = Status { affected: 7, accepted: 4, in_progress: 3, ..Status::default() };
    let page = render(Overview { status, ..quiet() });
    assert!(
        page.contains("<strong>7</strong> affected = <strong>4</strong> accepted + <strong>3</strong> in progress"),
        "{page}"
    );
    assert!(page.contains("The remainder is 0"));
    assert!(!page.contains("FAULT"));
}

#[test]
fn a_remainder_is_called_a_fault_in_words() {
    let page = render(Overview { status: Status { remainder: 2, ..Status::default() }, ..quiet() });
    assert!(page.contains("FAULT: the remainder is 2."));
}

#[test]
fn what_people_wrote_is_text_never_markup() {
    let question = question("<script>alert(1)</script> \"quoted\"");
    let page = render(Overview { open_questions: 1, oldest_questions: vec![question], ..quiet() });
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&#60;script&#62;"), "{page}");
    assert!(page.contains("1 d 6 h"), "{page}");
}

#[test]
fn the_next_page_is_asked_for_with_an_escaped_id() {
    let page =
        render(Overview { organisations: vec![organisation()], next_after: Some("t 1&2".to_owned()), ..quiet() });
    assert!(page.contains("?after=t%201%262#organisations"), "{page}");
    assert!(page.contains("1 of 3"));
}

#[test]
fn a_rehearsal_says_so_in_title_and_banner() {
    let page = render(Overview { rehearsal: true, ..quiet() });
    assert!(page.contains("<title>REHEARSAL: A sample</title>"), "{page}");
    assert!(page.contains("<strong>REHEARSAL.</strong>"));
    assert!(!render(quiet()).contains("REHEARSAL"));
}

#[test]
fn escalations_tasks_and_unmapped_domains_have_a_row_each() {
    let fired = Fired {
        escalation_id: "esc_1".to_owned(),
        policy: "debt".to_owned(),
        ticket_id: "tkt_1".to_owned(),
        tenant_id: "t-1".to_owned(),
        rung: 2,
        target: "lead".to_owned(),
        due_at: 90 * HOUR,
        fired_at: 90 * HOUR,
    };
    let task = Task {
        id: "tsk_1".to_owned(),
        tenant_id: None,
        ticket_id: None,
        kind: "escalation".to_owned(),
        target: "counsel".to_owned(),
        text: "look at this".to_owned(),
        created_at: 0,
        due_at: 101 * HOUR,
    };
    let unmapped = Unmapped {
        domain: "nobody.example".to_owned(),
        verdict: "unmapped".to_owned(),
        rows: 9,
        because: "no entry".to_owned(),
    };
    let page = render(Overview { fired: vec![fired], tasks: vec![task], unmapped: vec![unmapped], ..quiet() });
    for expected in ["for 10 h 0 min", "esc_1", "in 1 h 0 min", "look at this", "nobody.example"] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

fn ticket_page(text: &str, trust: &str) -> String {
    let now = Timestamp::from_micros(100 * HOUR);
    let line = app::tickets::Happened {
        at: now,
        what: "mail".to_owned(),
        who: "a@acme.example".to_owned(),
        id: "ent_1".to_owned(),
        text: text.to_owned(),
    };
    let timeline = Timeline {
        ticket: "tkt_1".to_owned(),
        incident: "sample".to_owned(),
        tenant_id: "t-1".to_owned(),
        tenant_name: "Acme".to_owned(),
        status: "open".to_owned(),
        debt: 1,
        as_of: now,
        lines: vec![line],
    };
    let pack = Pack {
        ticket: "tkt_1".to_owned(),
        incident: "sample".to_owned(),
        tenant_id: "t-1".to_owned(),
        tenant_name: "Acme".to_owned(),
        trust: trust.to_owned(),
        because: "who asks is not proven",
        open: Vec::new(),
        goes_to: vec!["soc@acme.example".to_owned()],
        may_say: Vec::new(),
        withheld: Vec::new(),
        untold: Vec::new(),
        told: Vec::new(),
        settled: Vec::new(),
        drafts: Vec::new(),
        links: Vec::new(),
    };
    TicketPage { rehearsal: false, timeline, pack }.render().unwrap()
}

#[test]
fn a_ticket_is_shown_with_its_timeline_and_what_may_be_said() {
    let page = ticket_page("<script>alert(1)</script>", "U");
    assert!(page.contains("Nothing specific.") && page.contains("soc@acme.example"), "{page}");
    assert!(page.contains("&#60;script&#62;") && !page.contains("<script>"), "{page}");
}
