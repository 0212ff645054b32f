//! A declined question is looked at again: when its review is due, when its asker objects, when one of us says so.

use testkit::process::{Backend, Forthright};
use testkit::smtp::{Message, Recorder};

use super::{question_ids, reply_to, ticket_of};
use crate::setup::{Clock, SLUG, Stage, path};

const ASKED: &str = "2022-09-26T09:00:00Z";
const DECLINED: &str = "2022-09-26T12:00:00Z";
const REVIEW: &str = "2022-10-10T00:00:00Z";

fn at(stage: &Stage, time: &str) -> Forthright {
    stage.run.with("FORTHRIGHT_NOW", time)
}

fn work(stage: &Stage, time: &str, recorder: &Recorder) {
    at(stage, time).sending_to(&recorder.url()).ok(&["work", "--until-idle", "--timeout", "120"]);
}

fn mail(stage: &Stage, time: &str, raw: &str) {
    let output = at(stage, time).run_with_input(&["mail", "receive"], raw.as_bytes());
    assert_eq!(output.status, 0, "{}", output.stderr);
}

/// One question, declined by two people, its letter delivered: stage, sink, ticket, question, the letter.
fn declined(backend: Backend) -> (Stage, Recorder, String, String, Message) {
    let stage = Stage::with_clock(backend, Clock::Moved);
    stage.small(1);
    stage.release_at(&at(&stage, "2022-09-25T09:00:00Z"));
    let recorder = Recorder::start().unwrap();
    work(&stage, "2022-09-25T09:00:00Z", &recorder);
    mail(&stage, ASKED, &reply_to(&recorder.messages()[0], "", "Which partners are named in the documents?"));
    let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0)["ticket"].clone();
    let question = question_ids(&stage, &ticket).remove(0);
    let named = [ticket.as_str(), "--questions", &question];
    let decline = [&["ticket", "decline"], &named[..], &["--why", "they asked us not to", "--review", REVIEW]].concat();
    at(&stage, ASKED).ok(&decline);
    at(&stage, DECLINED).as_actor("counsel").ok(&[&["ticket", "decline-approve"], &named[..]].concat());
    work(&stage, DECLINED, &recorder);
    let letter = recorder.messages().pop().unwrap();
    assert_eq!(ticket_of(&stage, &ticket)["debt"], "0");
    (stage, recorder, ticket, question, letter)
}

fn state_of(stage: &Stage, ticket: &str, question: &str) -> String {
    let shown = stage.run.json(&["ticket", "show", ticket]);
    let all = shown["questions"].as_array().unwrap().clone();
    all.iter().find(|row| row["id"] == question).unwrap()["state"].as_str().unwrap().to_owned()
}

fn fired(stage: &Stage, policy: &str) -> Vec<String> {
    let rows = stage.run.csv(&["escalation", "list", SLUG]);
    let of_it = rows.into_iter().filter(|row| row["policy"] == policy && !row["fired_at"].is_empty());
    of_it.map(|row| row["target"].clone()).collect()
}

fn answering(letter: &Message, body: &str) -> String {
    reply_to(letter, &format!("In-Reply-To: {}\r\n", letter.header("Message-ID").unwrap()), body)
}

#[test]
fn an_objection_by_mail_opens_the_declined_question_and_goes_to_the_lead_at_once() {
    for backend in Backend::each() {
        let (stage, recorder, ticket, question, letter) = declined(backend);
        at(&stage, DECLINED).ok(&["ticket", "close", &ticket]);
        mail(&stage, "2022-09-27T09:00:00Z", &answering(&letter, "We object: we must tell our partners."));
        assert_eq!(state_of(&stage, &ticket, &question), "open");
        let row = ticket_of(&stage, &ticket);
        assert_eq!((row["status"].as_str(), row["turn"].as_str(), row["debt"].as_str()), ("open", "ours", "2"));
        work(&stage, "2022-09-27T09:01:00Z", &recorder);
        assert_eq!(fired(&stage, "objection"), ["lead"]);
        assert_eq!(fired(&stage, "debt"), Vec::<String>::new(), "its ladder begins anew");
        let approve = ["ticket", "decline-approve", &ticket, "--questions", &question];
        assert_ne!(stage.run.as_actor("counsel").run(&approve).status, 0, "the old proposal declines nothing again");
    }
}

#[test]
fn any_answer_to_the_letter_of_a_decline_but_thanks_opens_the_question() {
    for backend in Backend::each() {
        let (stage, _recorder, ticket, question, letter) = declined(backend);
        mail(&stage, "2022-09-27T09:00:00Z", &answering(&letter, "Thanks for the letter."));
        assert_eq!(state_of(&stage, &ticket, &question), "declined");
        mail(&stage, "2022-09-27T09:00:00Z", &answering(&letter, "Our counsel will be in touch."));
        assert_eq!(state_of(&stage, &ticket, &question), "open", "{backend:?}");
    }
}

#[test]
fn an_objection_in_the_subject_and_an_encrypted_answer_to_the_letter_open_the_question() {
    let sealed = "-----BEGIN PGP MESSAGE-----\n\nhQ==\n-----END PGP MESSAGE-----";
    for (subject, body) in [("We object", "Thanks."), ("Re: your notice", sealed)] {
        let (stage, _recorder, ticket, question, letter) = declined(Backend::Sqlite);
        let raw = answering(&letter, body).replace("Subject: Re: your notice", &format!("Subject: {subject}"));
        mail(&stage, "2022-09-27T09:00:00Z", &raw);
        assert_eq!(state_of(&stage, &ticket, &question), "open");
    }
}

#[test]
fn thanks_for_a_decline_and_an_automatic_objection_leave_it_declined() {
    let (stage, _recorder, ticket, question, letter) = declined(Backend::Sqlite);
    mail(&stage, "2022-09-27T09:00:00Z", &answering(&letter, "Thank you, understood."));
    let robot = reply_to(&letter, "Auto-Submitted: auto-replied\r\n", "We object.");
    mail(&stage, "2022-09-27T09:00:00Z", &robot);
    assert_eq!(state_of(&stage, &ticket, &question), "declined");
}

#[test]
fn the_review_of_a_decline_escalates_once_it_is_due_until_somebody_opens_or_answers_it() {
    for backend in Backend::each() {
        let (stage, recorder, ticket, question, _letter) = declined(backend);
        work(&stage, "2022-10-09T23:00:00Z", &recorder);
        assert_eq!(fired(&stage, "review"), Vec::<String>::new());
        work(&stage, "2022-10-10T01:00:00Z", &recorder);
        work(&stage, "2022-10-10T02:00:00Z", &recorder);
        assert_eq!(fired(&stage, "review"), ["agent", "lead"]);
        let shown = at(&stage, "2022-10-10T02:00:00Z").json(&["ticket", "show", &ticket]);
        assert_eq!(shown["questions"][0]["late"], "the review of the decline is due");
        at(&stage, "2022-10-10T03:00:00Z").ok(&["question", "reopen", &question, "--why", "the partners agreed"]);
        assert_eq!(
            (state_of(&stage, &ticket, &question).as_str(), ticket_of(&stage, &ticket)["debt"].as_str()),
            ("open", "1")
        );
        let text = stage.file("a.txt", "Your partner Contoso is named in 1 document.");
        let answer = ["ticket", "answer", &ticket, "--questions", &question, "--text", path(&text)];
        at(&stage, "2022-10-10T04:00:00Z").ok(&answer);
        work(&stage, "2022-10-10T05:00:00Z", &recorder);
        let preview = stage.run.csv(&["escalation", "preview", SLUG, "--until", "2023-01-01T00:00:00Z"]);
        assert!(preview.iter().all(|row| ["silence", "duty"].contains(&row["policy"].as_str())), "{preview:?}");
    }
}

#[test]
fn while_facts_are_untold_no_answer_says_that_there_are_none_and_the_refusal_lists_them() {
    let (stage, messages) = super::sent(Backend::Sqlite, 1);
    let ticket =
        super::receive(&stage, &reply_to(&messages[0], "", "What else?"), None)["ticket"].as_str().unwrap().to_owned();
    let question = question_ids(&stage, &ticket).remove(0);
    let answer = |text: &str| {
        let text = stage.file("no.txt", text);
        stage.run.run(&["ticket", "answer", &ticket, "--questions", &question, "--text", path(&text)])
    };
    let more = stage.file(
        "more.csv",
        "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\nbox/new.pdf,org00000.example,q@org00000.example,contract,2021-01-02,10,prj-9,u-9\n",
    );
    stage.import(&[&more], &stage.folder.path().join("s.txt"));
    let refused = answer("Il s'agit des factures de janvier. Malheureusement, nous n'avons aucune autre information.");
    assert_eq!(refused.status, 4, "{}", refused.stderr);
    assert!(refused.stderr.contains("org00000.example objects: 2 (before: 1)"), "{}", refused.stderr);
    let told = answer("対象は請求書です。");
    assert_eq!(told.status, 0, "{}", told.stderr);
}

#[test]
fn an_objection_opens_what_was_declined_also_where_it_was_split_off_since() {
    for backend in Backend::each() {
        let (stage, _, ticket, question, letter) = declined(backend);
        let later = at(&stage, "2022-09-27T08:00:00Z");
        let part =
            later.json(&["ticket", "split", &ticket, "--questions", &question])["part"].as_str().unwrap().to_owned();
        mail(&stage, "2022-09-27T09:00:00Z", &answering(&letter, "We object to this decision."));
        assert_eq!(state_of(&stage, &part, &question), "open");
        assert_eq!(ticket_of(&stage, &part)["turn"], "ours");
    }
}

#[test]
fn a_decline_is_not_signed_once_its_review_has_come() {
    let stage = Stage::with_clock(Backend::Sqlite, Clock::Moved);
    stage.small(1);
    stage.release_at(&at(&stage, "2022-09-25T09:00:00Z"));
    let recorder = Recorder::start().unwrap();
    work(&stage, "2022-09-25T09:00:00Z", &recorder);
    mail(&stage, ASKED, &reply_to(&recorder.messages()[0], "", "Which partners are named?"));
    let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0)["ticket"].clone();
    let question = question_ids(&stage, &ticket).remove(0);
    let named = [ticket.as_str(), "--questions", &question];
    at(&stage, ASKED)
        .ok(&[&["ticket", "decline"], &named[..], &["--why", "they asked us not to", "--review", REVIEW]].concat());
    let late = at(&stage, "2022-10-11T00:00:00Z")
        .as_actor("counsel")
        .run(&[&["ticket", "decline-approve"], &named[..]].concat());
    assert_eq!((late.status, ticket_of(&stage, &ticket)["debt"].as_str()), (1, "1"), "{}", late.stderr);
}

#[test]
fn what_is_said_to_be_taken_back_needs_evidence_and_its_asker_is_told_and_can_object() {
    for backend in Backend::each() {
        let stage = Stage::with_clock(backend, Clock::Moved);
        stage.small(1);
        stage.release_at(&at(&stage, "2022-09-25T09:00:00Z"));
        let recorder = Recorder::start().unwrap();
        work(&stage, "2022-09-25T09:00:00Z", &recorder);
        let notice = recorder.messages().remove(0);
        mail(&stage, ASKED, &reply_to(&notice, "", "Which partners are named in the documents?"));
        let ticket = stage.run.csv(&["ticket", "list", SLUG]).remove(0)["ticket"].clone();
        let question = question_ids(&stage, &ticket).remove(0);
        let first = stage.run.csv(&["mail", "list"]).remove(0)["mail"].clone();
        let withdraw = ["question", "withdraw", question.as_str(), "--why", "they said so on the phone"];
        let run = at(&stage, DECLINED);
        assert_eq!(run.json(&withdraw)["state"], "proposed");
        assert_eq!(
            run.run(&[&withdraw[..], &["--mail", &first]].concat()).status,
            4,
            "the mail that asks is no evidence"
        );
        assert_eq!(stage.run.run(&["ticket", "close", &ticket]).status, 4);
        assert_eq!(run.as_actor("counsel").json(&withdraw)["state"], "withdrawn");
        work(&stage, DECLINED, &recorder);
        let letter = recorder.messages().pop().unwrap();
        assert!(crate::setup::readable(&letter).contains("you take this question back"), "the asker is told");
        mail(
            &stage,
            "2022-09-27T09:00:00Z",
            &answering(&letter, "That is not so: which partners are named in the documents?"),
        );
        assert_eq!(state_of(&stage, &ticket, &question), "open");
        let mails = at(&stage, "2022-09-27T10:00:00Z").csv(&["mail", "list"]);
        let said = mails.last().unwrap()["mail"].clone();
        let run = at(&stage, "2022-09-27T10:00:00Z");
        assert_eq!(run.json(&[&withdraw[..], &["--mail", &said]].concat())["state"], "withdrawn");
        run.ok(&["question", "reopen", &question, "--why", "it was a misunderstanding"]);
        assert_eq!(state_of(&stage, &ticket, &question), "open");
    }
}
