//! What each relay's log says of a mail, whole, cut, mixed and foreign.

use super::*;

const ID: &str = "abc@vendor.example";
const TO: &str = "Security@acme.example";

/// What a log says of the mail.
fn said(log: &str) -> Option<Said> {
    let mut read = RelayLog::about([(ID, TO)]);
    read.read(log.as_bytes()).unwrap();
    read.said(ID)
}

/// Postfix' lines about one queue id, after the one that names the Message-ID.
fn postfix(lines: &[&str]) -> Option<Said> {
    let at = "Nov 26 10:00:00 relay postfix";
    let mut log = format!("{at}/cleanup[7]: 4Xk2jC1zN9z: message-id=<{ID}>\n");
    for line in lines {
        log.push_str(&format!("{at}/smtp[8]: 4Xk2jC1zN9z: {line}\n"));
    }
    said(&log)
}

fn accepted(found: Option<Said>, words: &str) {
    assert!(matches!(&found, Some(Said::Accepted(line)) if line.contains(words)), "{words}: {found:?}");
}

fn bounced(found: Option<Said>, words: &str) {
    assert!(matches!(&found, Some(Said::Bounced(line)) if line.contains(words)), "{words}: {found:?}");
}

const SENT: &str = "to=<security@acme.example>, relay=mx.acme.example[192.0.2.1]:25, delay=1.2, delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 99)";
const BOUNCED: &str = "to=<security@acme.example>, relay=mx.acme.example[192.0.2.1]:25, delay=1.2, dsn=5.1.1, status=bounced (host mx.acme.example[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command))";

#[test]
fn postfix_says_what_became_of_a_mail_by_its_queue_id() {
    accepted(postfix(&[SENT, "removed"]), "queued as 99");
    bounced(postfix(&[BOUNCED, "removed"]), "5.1.1 host mx.acme.example[192.0.2.1] said: 550 5.1.1 no such user");
    accepted(postfix(&["from=<a@vendor.example>, size=999, nrcpt=1 (queue active)"]), "queue active");
    let deferred = SENT.replace("status=sent (250", "status=deferred (451");
    accepted(postfix(&[&deferred]), "status=deferred");
    // By an alias, under another address.
    let alias = BOUNCED.replace("to=<security@acme.example>", "to=<x@y.example>, orig_to=<security@acme.example>");
    bounced(postfix(&[&alias]), "5.1.1");
}

#[test]
fn what_is_not_proven_is_not_taken_for_proven() {
    // The Message-ID is read before the final dot.
    assert!(matches!(postfix(&[]), Some(Said::Unclear(_))));
    // Somebody else's mailbox, to which it was sent on.
    let other = BOUNCED.replace("security@acme.example", "elsewhere@y.example");
    assert!(matches!(postfix(&[&other]), Some(Said::Unclear(_))));
    // The queue id is used again for another mail.
    assert!(matches!(postfix(&["removed", SENT]), Some(Said::Unclear(_))));
    assert!(matches!(postfix(&["message-id=<other@vendor.example>", SENT]), Some(Said::Unclear(_))));
}

#[test]
fn a_file_that_is_no_log_of_a_relay_is_no_silent_relay() {
    let read = |bytes: &[u8]| RelayLog::about([(ID, TO)]).read(bytes);
    assert!(matches!(read(b""), Err(Unreadable::Empty)));
    assert!(matches!(read(b"\n  \n"), Err(Unreadable::Empty)));
    assert!(matches!(read(&[0x1f, 0x8b, 8, 0, 0]), Err(Unreadable::Packed("gzip"))));
    assert!(matches!(read(&[0x28, 0xb5, 0x2f, 0xfd, 4]), Err(Unreadable::Packed("zstd"))));
    for foreign in
        ["\u{0}\n]: : \n{\n{}\n", "Nov 26 10:00:00 relay sshd[7]: Accepted publickey for a\n", &"x".repeat(100_000)]
    {
        assert!(matches!(read(foreign.as_bytes()), Err(Unreadable::Foreign)), "{foreign}");
    }
    let silent = "Nov 26 10:00:00 relay postfix/smtpd[7]: NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.7.1 <abc@vendor.example>\n";
    assert_eq!(said(silent), None);
}

#[test]
fn a_second_copy_that_got_through_is_what_counts() {
    let at = "2026-11-26T10:00:00.000000+00:00 relay postfix/smtp[8]: ";
    let first = format!("{at}AAAAAAAA: message-id=<{ID}>\n{at}AAAAAAAA: {BOUNCED}\n");
    bounced(said(&first), "5.1.1");
    accepted(said(&format!("{first}{at}BBBBBBBB: message-id=<{ID}>\n{at}BBBBBBBB: {SENT}\n")), "BBBBBBBB");
}

#[test]
fn exim_and_json_lines_say_the_same() {
    let exim = |line: &str| {
        let begin = format!("2026-11-26 10:00:00 1tFabc-000123-AB <= a@vendor.example H=x [192.0.2.9] S=999 id={ID}\n");
        said(&format!("{begin}2026-11-26 10:00:01 1tFabc-000123-AB {line}\n"))
    };
    accepted(exim("=> security@acme.example R=dns T=smtp H=mx [192.0.2.1] C=\"250 OK\""), "=>");
    accepted(exim("=> sec <security@acme.example> R=local T=maildir"), "=>");
    assert!(matches!(exim("*> security@acme.example R=dns T=smtp H=mx [192.0.2.1]"), Some(Said::Unclear(_))));
    bounced(
        exim("** security@acme.example R=dns T=smtp: SMTP error: 550 5.1.1 no such user"),
        "550 5.1.1 no such user",
    );
    accepted(exim("== security@acme.example R=dns T=smtp defer (-44)"), "==");
    let json = |fields: &str| said(&format!("{{\"message_id\":\"<{ID}>\",\"recipient\":\"{TO}\",{fields}}}\n"));
    accepted(json("\"status\":\"sent\""), "sent");
    bounced(
        json("\"event\":\"bounced\",\"dsn\":\"5.1.1\",\"response\":\"550 no such user\""),
        "5.1.1 550 no such user",
    );
    assert!(matches!(json("\"status\":\"opened\""), Some(Said::Unclear(_))));
    let journal =
        format!("{{\"MESSAGE\":\"4Xk2jC1zN9z: message-id=<{ID}>\"}}\n{{\"MESSAGE\":\"4Xk2jC1zN9z: {SENT}\"}}\n");
    accepted(said(&journal), "queued as 99");
}

#[test]
fn a_status_that_is_not_known_or_half_a_word_settles_nothing() {
    let active = "from=<a@vendor.example>, size=999, nrcpt=1 (queue active)";
    for end in [
        "to=<security@acme.example>, relay=none, delay=9, dsn=4.4.7, status=expired, returned to sender",
        "to=<security@acme.example>, relay=none, delay=9, dsn=4.4.7, status=expired (returned to sender)",
        "from=<a@vendor.example>, status=expired, returned to sender",
        "to=<security@acme.example>, relay=mx[192.0.2.1]:25, dsn=2.0.0, status=sent",
        "to=<security@acme.example>, relay=mx[192.0.2.1]:25, dsn=2.0.0, status=undeliverable (550 no)",
        "to=<security@acme.example>, relay=mx[192.0.2.1]:25, dsn=2.0.0, sta",
    ] {
        let found = postfix(&[active, end]);
        assert!(matches!(&found, Some(Said::Unclear(line)) if line.contains(end)), "{end}: {found:?}");
    }
}

#[test]
fn words_of_a_remote_server_are_not_the_relays_own() {
    let injected = BOUNCED.replace("no such user", "no such user, status=sent (250 ok");
    bounced(postfix(&[&injected]), "5.1.1");
    let deferred = SENT.replace("status=sent (250 2.0.0 Ok", "status=deferred (451 later, status=bounced (550");
    accepted(postfix(&[&deferred]), "status=deferred");
    let exim = "warning: header Subject: 4Xk2jC-000123-AB => security@acme.example R=a T=b";
    assert!(matches!(postfix(&[exim]), Some(Said::Unclear(_))));
    // A queue id of Exim's in a line of Postfix'.
    let log = format!(
        "2026-11-26T10:00:00+00:00 relay postfix/cleanup[7]: 1tFabc-000123-AB <= a@vendor.example id={ID}\n\
         2026-11-26T10:00:00+00:00 relay postfix/cleanup[7]: 1tFabc-000123-AB => security@acme.example R=a T=b\n"
    );
    assert_eq!(said(&log), None);
}

#[test]
fn queue_ids_of_two_hosts_are_two() {
    let line = |host: &str, said: &str| format!("Nov 26 10:00:00 {host} postfix/smtp[8]: 4Xk2jC1zN9z: {said}\n");
    let named = line("one", &format!("message-id=<{ID}>"));
    let other = line("two", SENT);
    assert!(matches!(said(&format!("{named}{other}")), Some(Said::Unclear(_))));
    // Nor does the other's end take the queue id away.
    let log = format!("{named}{}{}", line("two", "removed"), line("one", BOUNCED));
    bounced(said(&log), "5.1.1");
    let instance = line("one", SENT).replace("postfix/", "postfix-out/");
    assert!(matches!(said(&format!("{named}{instance}")), Some(Said::Unclear(_))));
}

/// Given to a filter on the relay, which gave it back under this queue id.
const FILTERED: &str = "to=<security@acme.example>, relay=127.0.0.1[127.0.0.1]:10024, delay=1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 5Yk2jC1zN9z)";

#[test]
fn a_filter_that_took_a_mail_did_not_deliver_it() {
    let at = "Nov 26 10:00:00 relay postfix/smtp[8]: ";
    let first = format!("{at}4Xk2jC1zN9z: message-id=<{ID}>\n{at}4Xk2jC1zN9z: {FILTERED}\n");
    let second = |line: &str| format!("{at}5Yk2jC1zN9z: {line}\n");
    let named = second(&format!("message-id=<{ID}>"));
    bounced(said(&format!("{first}{}", second(BOUNCED))), "5.1.1");
    // The filter's own connection is usually logged first.
    bounced(said(&format!("{named}{first}{}", second(BOUNCED))), "5.1.1");
    bounced(said(&format!("{first}{named}{}", second(BOUNCED))), "5.1.1");
    accepted(said(&format!("{first}{named}{}", second(SENT))), "queued as 99");
    accepted(said(&format!("{first}{}", second("from=<a@b.example>, size=9, nrcpt=1 (queue active)"))), "active");
    // What the filter did with it is not in this log.
    for silent in [first.clone(), first.replace("queued as 5Yk2jC1zN9z", "discarded")] {
        let found = said(&silent);
        assert!(matches!(&found, Some(Said::Unclear(line)) if line.contains("10024")), "{found:?}");
    }
    // A program on the relay that gives it back under the same Message-ID.
    let piped = first.replace("127.0.0.1[127.0.0.1]:10024", "spamfilter");
    bounced(said(&format!("{piped}{named}{}", second(BOUNCED))), "5.1.1");
    // A further relay whose log is here too.
    let relayed = first.replace("127.0.0.1[127.0.0.1]:10024", "out.vendor.example[192.0.2.9]:25");
    let there = format!("{named}{}", second(BOUNCED)).replace(" relay ", " out ");
    bounced(said(&format!("{relayed}{there}")), "5.1.1");
}

#[test]
fn marks_of_the_log_itself_are_no_lines_that_break_off() {
    let active = "from=<a@vendor.example>, size=999, nrcpt=1 (queue active)";
    let at = "Nov 26 10:00:00 relay";
    let log = |more: &str| {
        format!(
            "{at} postfix/cleanup[7]: 4Xk2jC1zN9z: message-id=<{ID}>\n{at} postfix/qmgr[8]: 4Xk2jC1zN9z: {active}\n{more}\n"
        )
    };
    for mark in
        [format!("{at} -- MARK --"), "-- Boot 4d1c --".to_owned(), format!("{at} last message repeated 3 times")]
    {
        accepted(said(&log(&mark)), "queue active");
    }
    let half = said(&log(&format!("{at} postf")));
    assert!(matches!(&half, Some(Said::Unclear(why)) if why.contains("line 3 of the log breaks off")), "{half:?}");
}

#[test]
fn a_log_without_end_takes_no_more_room_than_its_mails() {
    let mut log = String::new();
    for n in 0..5_000 {
        log.push_str(&format!("Nov 26 10:00:00 relay postfix/cleanup[7]: ABCDEF{n:05}: message-id=<{ID}>\n"));
    }
    let mut read = RelayLog::about([(ID, TO)]);
    read.read(log.as_bytes()).unwrap();
    assert!(read.queued.len() <= MOST_PASSES + 1 && read.found[ID].len() <= MOST_PASSES + 1);
    assert!(matches!(read.said(ID), Some(Said::Unclear(_))));
}

/// Logs that settle the mail, or do not; each line may be cut anywhere.
fn logs() -> Vec<Vec<String>> {
    let at = "Nov 26 10:00:00 relay postfix/smtp[8]: ";
    let one = |line: &str| format!("{at}4Xk2jC1zN9z: {line}");
    let two = |line: &str| format!("{at}5Yk2jC1zN9z: {line}");
    let named = || one(&format!("message-id=<{ID}>"));
    let active = || one("from=<a@vendor.example>, size=999, nrcpt=1 (queue active)");
    let deferred = || one(&SENT.replace("status=sent (250", "status=deferred (451"));
    let expired = || one("from=<a@vendor.example>, status=expired, returned to sender");
    let exim = |line: &str| format!("2026-11-26 10:00:01 +0000 [7] 1tFabc-000123-AB {line}");
    let begin = || exim(&format!("<= a@vendor.example H=x [192.0.2.9] S=999 id={ID} T=\"x\""));
    let json = |rest: &str| format!("{{\"message_id\":\"<{ID}>\",\"recipient\":\"{TO}\",{rest}}}");
    vec![
        vec![named(), active(), one(SENT), one("removed")],
        vec![named(), active(), deferred(), one(BOUNCED), one("removed")],
        vec![named(), active(), expired(), one("removed")],
        vec![named(), active(), one(FILTERED), two(&format!("message-id=<{ID}>")), two(BOUNCED), two("removed")],
        vec![named(), active(), one(FILTERED), two(BOUNCED)],
        vec![named(), active(), one(&SENT.replace("security@acme.example", "security@acme.example.other"))],
        vec![one(&format!("message-id=<{ID}.other>")), active(), one(SENT)],
        vec![
            begin(),
            exim("== security@acme.example R=dns T=smtp defer (-44)"),
            exim("** security@acme.example R=dns T=smtp: 550 5.1.1 no"),
        ],
        vec![
            begin(),
            exim("=> security@acme.example R=dns T=remote_smtp H=mx [192.0.2.1]:25 C=\"250 OK\""),
            exim("Completed"),
        ],
        vec![begin(), exim("=> security@acme.example R=scan T=remote_smtp H=localhost [127.0.0.1]:10025 C=\"250 OK\"")],
        vec![json("\"status\":\"accepted\""), json("\"status\":\"bounced\",\"dsn\":\"5.1.1\"")],
    ]
}

#[test]
fn no_line_that_is_cut_anywhere_settles_more_than_the_whole_one() {
    let read = |log: &str| {
        let mut read = RelayLog::about([(ID, TO)]);
        read.read(log.as_bytes()).ok().and_then(|()| read.said(ID))
    };
    let is_settled = |said: &Option<Said>| matches!(said, Some(Said::Accepted(_) | Said::Bounced(_)));
    let kind = |said: &Option<Said>| said.as_ref().map(std::mem::discriminant);
    for lines in logs() {
        let whole = read(&(lines.join("\n") + "\n"));
        for (n, line) in lines.iter().enumerate() {
            for cut in 0..line.len() {
                // The log ends there; or somebody wrote on behind it.
                let before: String = lines[..n].iter().map(|line| format!("{line}\n")).collect();
                let ends = read(&format!("{before}{}", &line[..cut]));
                let goes_on = read(&format!("{before}{}\n{}\n", &line[..cut], lines[n + 1..].join("\n")));
                // Between two lines nothing shows that there were more.
                let ends = if cut == 0 { None } else { ends };
                for found in [ends, if cut == 0 { None } else { goes_on }] {
                    let is_no_more = !is_settled(&found) || kind(&found) == kind(&whole);
                    assert!(is_no_more, "{found:?}, and whole {whole:?}: line {n} cut at {cut}:\n{}", lines.join("\n"));
                }
            }
        }
    }
}

proptest::proptest! {
    #[test]
    fn whatever_a_log_holds_it_is_read_to_its_end(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), cut in 0_usize..400) {
        let log = logs().concat().join("\n");
        let cut = cut.min(log.len());
        let mixed = [&log.as_bytes()[..cut], &bytes, &log.as_bytes()[cut..]].concat();
        let mut read = RelayLog::about([(ID, TO)]);
        let _ = read.read(&mixed[..]);
        let _ = read.said(ID);
    }
}
