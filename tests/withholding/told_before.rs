//! What was told, withheld, and told again: whatever was wrong in the first telling is taken back in the second.

use testkit::process::Backend;
use testkit::smtp::Recorder;

use crate::setup::{SLUG, Stage, path, review};

use super::{WHY, stage, withhold, words};

/// Drafts, approves, releases and sends what there is to tell; (tenant, kind) of each.
fn tell(stage: &Stage, wave: &str) -> Vec<(String, String)> {
    stage.run.ok(&["notice", "draft", SLUG]);
    let drafted = stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["state"] == "drafted");
    let drafted: Vec<_> = drafted.map(|row| (row["tenant_id"].clone(), row["kind"].clone())).collect();
    if !drafted.is_empty() {
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, wave, "--all"]);
        stage.work(&Recorder::start().unwrap());
    }
    drafted
}

fn one(tenant: &str, kind: &str) -> Vec<(String, String)> {
    vec![(tenant.to_owned(), kind.to_owned())]
}

/// Notice 1 tells a fact, notice 2 withholds it, then its records shrink and the withholding ends.
fn told_withheld_shrunk_and_told_again(backend: Backend, fact: &str) -> Stage {
    let stage = stage(backend);
    assert_eq!(tell(&stage, "told").len(), 2);
    let id = withhold(&stage, &["t-00001", fact]);
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
    assert_eq!(tell(&stage, "withheld"), one("t-00001", "supplement"));
    stage.run.ok(&["exposure", "withdraw", SLUG, "more.csv", "--why", "of another incident"]);
    stage.run.ok(&["notice", "disclose", &id, "--why", "the police agreed"]);
    let told = tell(&stage, "disclosed");
    assert!(told.contains(&one("t-00001", "correction")[0]), "{backend:?}: {fact}: {told:?}");
    stage
}

#[test]
fn a_figure_that_was_told_then_withheld_and_was_wrong_is_taken_back_with_the_reason() {
    for backend in Backend::each() {
        let stage = told_withheld_shrunk_and_told_again(backend, "emails");
        let text = words(&stage, "t-00001");
        assert!(text.contains("number of e-mail addresses: 1 (before: 24, then withheld)"), "{backend:?}: {text}");
        assert!(text.contains("We have taken back records") && text.contains("what we had withheld"), "{text}");
        assert_eq!(tell(&stage, "never"), [], "{backend:?}: once");
    }
}

#[test]
fn a_data_type_that_was_told_then_withheld_and_is_gone_is_taken_back() {
    for backend in Backend::each() {
        let stage = told_withheld_shrunk_and_told_again(backend, "type:contract");
        let text = words(&stage, "t-00001");
        assert!(
            text.contains("[contract]: 0 (before: 23, then withheld)")
                || text.contains("contract: 0 (before: 23, then withheld)"),
            "{backend:?}: {text}"
        );
        assert!(text.contains("number of objects: 1 (before: 24, then withheld)"), "{backend:?}: {text}");
        let log = stage.run.csv(&["notice", "changes", SLUG, "t-00001"]);
        let wrong = "org00001.example type:contract: 0 (before: 23, then withheld)";
        assert!(log.iter().any(|line| line["what"] == "wrong" && line["detail"] == wrong), "{log:?}");
    }
}

#[test]
fn dates_that_were_told_then_withheld_and_were_wrong_are_taken_back() {
    let stage = told_withheld_shrunk_and_told_again(Backend::Sqlite, "period");
    let text = words(&stage, "t-00001");
    let wanted = "document dates: 2020-01-02 – 2020-01-02 (before: 2020-01-02 – 2020-05-05, then withheld)";
    assert!(text.contains(wanted), "{text}");
}

#[test]
fn that_something_is_withheld_from_now_on_is_named_as_what_is_new() {
    let stage = stage(Backend::Sqlite);
    tell(&stage, "told");
    let id = withhold(&stage, &["t-00001", "emails"]);
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
    tell(&stage, "withheld");
    let text = words(&stage, "t-00001");
    assert!(text.contains("- number of e-mail addresses: withheld from now on"), "{text}");
    assert!(text.contains("We have decided anew what we withhold"), "{text}");
}

/// A data type that nobody may know of: that its records are gone is not told either.
#[test]
fn while_a_data_type_is_withheld_it_does_not_show_that_its_records_are_gone() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let id = withhold(&stage, &["--all", "type:contract"]);
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        tell(&stage, "told");
        let before = words(&stage, "t-00001");
        assert!(before.contains("Objects: withheld") && before.contains("a data type: withheld"), "{before}");
        assert!(!before.contains("data type is not known"), "{backend:?}: no type is unknown: {before}");
        stage.run.ok(&["exposure", "withdraw", SLUG, "more.csv", "--why", "of another incident"]);
        tell(&stage, "gone");
        let after = words(&stage, "t-00001");
        assert!(after.contains("Objects: withheld") && after.contains("a data type: withheld"), "{backend:?}: {after}");
        assert!(after.contains("a data type (and with it what it could be reckoned from:"), "{backend:?}: {after}");
    }
}

#[test]
fn each_of_two_withheld_data_types_is_listed_with_its_own_reason_and_review() {
    for backend in Backend::each() {
        let stage = stage(backend);
        for kind in ["type:contract", "type:invoice"] {
            let id = withhold(&stage, &["t-00001", kind]);
            stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        }
        stage.run.ok(&["notice", "draft", SLUG]);
        let text = words(&stage, "t-00001");
        let count = |what: &str| text.matches(what).count();
        assert_eq!((count("- a data type (and"), count("a data type: withheld")), (2, 2), "{backend:?}: {text}");
        assert_eq!(count(&format!("looked at again by {}", &review()[..10])), 2, "{backend:?}: {text}");
        let checked = stage.run.run(&["notice", "check", SLUG, "--json"]).stdout;
        let reason = format!("type withheld until {} because ", review());
        assert!(
            checked.contains(&format!("{reason}{}; {reason}", WHY.trim_end_matches('.'))),
            "{backend:?}: {checked}"
        );
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    }
}

#[test]
fn a_withheld_data_type_whose_records_went_can_be_renewed_and_stays_hidden() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let sign = |id: &str| stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", id]);
        let first = withhold(&stage, &["t-00001", "type:contract"]);
        sign(&first);
        tell(&stage, "told");
        stage.run.ok(&["exposure", "withdraw", SLUG, "more.csv", "--why", "of another incident"]);
        tell(&stage, "gone");
        let second = withhold(&stage, &["t-00001", "type:contract"]);
        sign(&second);
        stage.run.ok(&["notice", "disclose", &first, "--why", "renewed by another one"]);
        tell(&stage, "renewed");
        let text = words(&stage, "t-00001");
        assert!(text.contains("Objects: withheld") && text.contains("a data type: withheld"), "{backend:?}: {text}");
        assert!(!text.contains("not withheld any more"), "{backend:?}: {text}");
        // Nothing of the other organisation is withheld, so nothing can be renewed there.
        let nothing = ["notice", "withhold", SLUG, "t-00000", "type:contract", "--why", WHY, "--review", &review()];
        assert_eq!(stage.run.run(&nothing).status, 1, "{backend:?}");
    }
}

#[test]
fn a_withholding_that_nobody_ended_is_not_said_to_have_ended_when_its_domain_goes_and_comes_again() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let directory = |second: &str| {
            let rows = format!(
                "domain,tenant_id,tenant_name,country,language\norg00000.example,t-00000,Organisation 0,US,en\n\
                 org00001.example,t-00001,Organisation 1,US,en\nunit.example,{second},Organisation,US,en\n"
            );
            stage.run.ok(&["directory", "import", "--organisations", path(&stage.file("d2.csv", &rows))]);
        };
        directory("t-00001");
        let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
        let row = |name: &str, object: &str| {
            let file =
                stage.file(name, &format!("{header}{object},unit.example,a@unit.example,invoice,2021-05-06,7,,\n"));
            stage.import(&[&file], &stage.file("none.txt", "free.example\n"));
        };
        row("unit.csv", "unit/1.pdf");
        let id = withhold(&stage, &["t-00001", "unit.example/emails"]);
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        tell(&stage, "told");
        stage.run.ok(&["exposure", "withdraw", SLUG, "unit.csv", "--why", "of another incident"]);
        assert_eq!(tell(&stage, "gone"), one("t-00001", "correction"), "{backend:?}");
        let text = words(&stage, "t-00001");
        assert!(text.contains("This notice corrects our notice of"), "{backend:?}: {text}");
        assert!(text.contains("unit.example: nothing of it was exposed"), "{backend:?}: {text}");
        assert!(!text.contains("not withheld any more"), "{backend:?}: {text}");
        row("again.csv", "unit/2.pdf");
        tell(&stage, "again");
        let text = words(&stage, "t-00001");
        assert!(text.contains("unit.example: named here again") && !text.contains("first time"), "{backend:?}: {text}");
    }
}
