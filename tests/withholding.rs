//! The register of withholdings: two people sign, the notice says that and why, nothing of it leaks, a date ends it.

mod reviews;
mod told_before;

use testkit::process::Backend;
use testkit::smtp::Recorder;

use crate::setup::{SLUG, Stage, readable, review};

const WHY: &str = "The police asked us to wait.";

fn withhold(stage: &Stage, args: &[&str]) -> String {
    let review = review();
    let args = [&["notice", "withhold", SLUG], args, &["--why", WHY, "--review", &review]].concat();
    stage.run.json(&args)["withholding"].as_str().unwrap().to_owned()
}

/// Two organisations of three objects each, two kinds of data.
fn stage(backend: Backend) -> Stage {
    let stage = Stage::new(backend);
    stage.small(2);
    let mut more = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
    for n in 0..2 {
        for m in 0..23 {
            more.push_str(&format!(
                "more/{n}/{m}.pdf,org0000{n}.example,a{m}@org0000{n}.example,contract,2020-05-05,7,,\n"
            ));
        }
    }
    let (file, shared) = (stage.file("more.csv", &more), stage.file("none.txt", "free.example\n"));
    stage.import(&[&file], &shared);
    stage
}

#[test]
fn a_withheld_fact_is_in_no_part_of_the_notice_and_the_notice_says_so_and_why() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let id = withhold(&stage, &["t-00001", "emails"]);
        let refused = stage.run.run(&["notice", "withhold-approve", &id]);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        stage.run.ok(&["notice", "draft", SLUG]);
        let text = stage.run.ok(&["notice", "preview", SLUG, "t-00001"]);
        assert!(text.contains(": 24") && !text.contains("withheld"), "one person alone hides nothing: {text}");

        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        let stale = stage.run.as_actor("counsel").run(&["notice", "approve", SLUG, "--all"]);
        assert!(stale.status == 3 && stale.stderr.contains("left out: tenant t-00001"), "{}", stale.stderr);
        stage.run.ok(&["notice", "draft", SLUG]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "w", "--all"]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let messages = recorder.messages();
        let of = |address: &str| readable(messages.iter().find(|message| message.recipients[0] == address).unwrap());
        let told = of("security@org00001.example");
        assert!(told.contains("WHAT IS WITHHELD") && told.contains(WHY) && told.contains(&review()[..10]), "{told}");
        assert!(told.contains("about as many persons: withheld"), "{told}");
        assert!(!of("security@org00000.example").contains("withheld"));
        let notices = stage.run.csv(&["notice", "list", SLUG]);
        let notice = notices.iter().find(|row| row["tenant_id"] == "t-00001" && row["state"] == "released").unwrap();
        let facts = stage.run.csv(&["notice", "facts", &notice["notice_id"]]);
        assert!(facts.iter().all(|fact| fact["fact"] != "org00001.example/emails"), "{facts:?}");

        stage.run.ok(&["notice", "disclose", &id, "--why", "the police agreed"]);
        stage.run.ok(&["notice", "draft", SLUG]);
        let drafted: Vec<_> =
            stage.run.csv(&["notice", "list", SLUG]).into_iter().filter(|row| row["state"] == "drafted").collect();
        assert_eq!(drafted.len(), 1, "only whom it concerns");
        assert_eq!((drafted[0]["tenant_id"].as_str(), drafted[0]["kind"].as_str()), ("t-00001", "supplement"));
        let register = stage.run.csv(&["notice", "withholdings", SLUG]);
        assert_eq!((register[0]["state"].as_str(), register[0]["approved_by"].as_str()), ("ended", "counsel"));
    }
}

#[test]
fn a_withheld_data_type_is_not_named() {
    let stage = stage(Backend::Sqlite);
    let id = withhold(&stage, &["--all", "type:contract"]);
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
    stage.run.ok(&["notice", "draft", SLUG]);
    for format in ["text", "html", "eml"] {
        let shown = stage.run.ok(&["notice", "preview", SLUG, "t-00000", "--format", format]);
        assert!(!shown.to_lowercase().contains("contract]") && !shown.contains("[contract"), "{shown}");
        assert!(shown.contains("withheld"), "{shown}");
    }
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
}

/// The text of an organisation's newest notice, with single spaces.
fn words(stage: &Stage, tenant: &str) -> String {
    let text = stage.run.ok(&["notice", "preview", SLUG, tenant]);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_was_withheld_and_is_told_later_is_named_as_that_once() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let sign = |id: &str| stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", id]);
        let emails = withhold(&stage, &["t-00001", "emails"]);
        let contracts = withhold(&stage, &["t-00000", "type:contract"]);
        [&emails, &contracts].into_iter().for_each(|id| drop(sign(id)));
        stage.release();
        for (id, tenant, named) in [
            (emails, "t-00001", &["org00001.example: number of e-mail addresses: 24 (before: withheld)"][..]),
            (
                contracts,
                "t-00000",
                &[
                    "org00000.example: contract: 23 (before: withheld)",
                    "org00000.example: number of objects: 24 (before: withheld)",
                    "org00000.example: size: 171 (before: withheld)",
                ],
            ),
        ] {
            stage.run.ok(&["notice", "disclose", &id, "--why", "the police agreed"]);
            assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 1, "{backend:?}");
            let text = words(&stage, tenant);
            for line in named {
                assert!(text.contains(line), "{backend:?}: {line} in {text}");
            }
            assert!(
                text.contains("What changed since then:") && text.contains("We now tell you what we had withheld.")
            );
            assert!(!text.contains("(invoice): 1 (before"), "what was told is no news: {text}");
            assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 0, "nobody is told the same twice");
        }
    }
}

#[test]
fn while_one_data_type_is_withheld_the_change_of_another_is_named() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let id = withhold(&stage, &["--all", "type:contract"]);
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        stage.release();
        let rows = "late/1.pdf,org00001.example,,invoice,2021-05-06,7,,\nlate/2.pdf,org00001.example,,contract,2021-05-06,7,,\n";
        let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
        let late = stage.file("late.csv", &format!("{header}{rows}"));
        stage.import(&[&late], &stage.file("none.txt", "free.example\n"));
        assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 1);
        let text = words(&stage, "t-00001");
        assert!(text.contains("(invoice): 2 (before: 1)"), "{backend:?}: {text}");
        assert!(!text.contains("contract:") && text.contains("Objects: withheld"), "{text}");
    }
}

/// A withheld count, and what it could be reckoned from, in the notice for machines.
#[test]
fn withheld_counts_cannot_be_reckoned_and_are_not_called_unknown() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let objects = withhold(&stage, &["t-00000", "objects"]);
        let contracts = withhold(&stage, &["t-00001", "org00001.example/type:contract"]);
        for id in [&objects, &contracts] {
            stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", id]);
        }
        let register = stage.run.csv(&["notice", "withholdings", SLUG]);
        let also = |id: &str| register.iter().find(|row| row["withholding"] == id).unwrap()["also"].clone();
        assert_eq!(also(&objects), "references bytes type_objects unknown_type unknown_date unknown_size");
        assert_eq!(also(&contracts), "objects references bytes unknown_type unknown_date unknown_size");
        stage.run.ok(&["notice", "draft", SLUG]);
        for (tenant, types) in [
            (
                "t-00000",
                serde_json::json!([{ "id": "contract", "objects": null }, { "id": "invoice", "objects": null }]),
            ),
            ("t-00001", serde_json::json!([{ "id": "invoice", "objects": 1 }])),
        ] {
            let shown = stage.run.ok(&["notice", "preview", SLUG, tenant, "--format", "json"]);
            let facts = &serde_json::from_str::<serde_json::Value>(&shown).unwrap()["domains"][0];
            for name in ["objects", "references", "bytes"] {
                assert!(facts[name].is_null(), "{backend:?}: {name} in {facts}");
            }
            // No object's type is unknown, which tells no count.
            let unknown = serde_json::json!({ "data_type": 0, "date": null, "size": null });
            assert_eq!((&facts["data_types"], &facts["objects_of_unknown"]), (&types, &unknown), "{backend:?}");
            for format in ["text", "html"] {
                let shown = stage.run.ok(&["notice", "preview", SLUG, tenant, "--format", format]);
                let said = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(
                    !said.contains("Size: not known") && !said.contains("Size</th><td align=\"right\">not"),
                    "{said}"
                );
                assert!(said.contains("what it could be reckoned from: "), "{said}");
            }
        }
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        let notices = stage.run.csv(&["notice", "list", SLUG]);
        for notice in notices {
            let facts = stage.run.csv(&["notice", "facts", &notice["notice_id"]]);
            assert!(
                facts
                    .iter()
                    .all(|fact| !["24", "23", "171"].contains(&fact["value"].as_str())
                        || fact["fact"].ends_with("/emails")),
                "{facts:?}"
            );
        }
    }
}

#[test]
fn an_organisation_that_is_told_nothing_counts_as_withheld_until_it_is_told() {
    for backend in Backend::each() {
        let stage = stage(backend);
        let id = withhold(&stage, &["t-00001", "notice"]);
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        stage.release();
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 1);
        let status = stage.status();
        assert_eq!((&status["accepted"], &status["withheld"]), (&1.into(), &1.into()));
        stage.run.ok(&["notice", "disclose", &id, "--why", "the reason is gone"]);
        assert_eq!(stage.status()["not_released"], 1);
    }
}

#[test]
fn an_organisation_that_is_told_nothing_is_neither_approved_nor_released_nor_reminded() {
    for backend in Backend::each() {
        let stage = stage(backend);
        stage.run.ok(&["notice", "draft", SLUG]);
        let sign = |id: &str| stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", id]);
        // Signed after drafting.
        let id = withhold(&stage, &["t-00001", "notice"]);
        sign(&id);
        let said = stage.run.as_actor("counsel").run(&["notice", "approve", SLUG, "--all"]);
        assert!(said.status == 3 && said.stderr.contains("left out: tenant t-00001"), "{backend:?}: {}", said.stderr);
        // Signed after approval.
        stage.run.ok(&["notice", "disclose", &id, "--why", "a mistake"]);
        stage.run.ok(&["notice", "draft", SLUG]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        sign(&withhold(&stage, &["t-00001", "notice"]));
        let said = stage.run.as_actor("lead").run(&["wave", "release", SLUG, "w", "--all"]);
        assert!(said.status == 3 && said.stdout.contains("t-00001"), "{backend:?}: {}", said.stdout);
        let done = stage.run.json(&["notice", "draft", SLUG]);
        assert_eq!((&done["withheld"], &done["withdrawn"]), (&1.into(), &1.into()), "{done}");
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 1);
    }
}

#[test]
fn signing_a_withholding_calls_back_what_states_the_fact_and_has_not_left() {
    for backend in Backend::each() {
        let stage = stage(backend);
        stage.release();
        let id = withhold(&stage, &["t-00001", "emails"]);
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 1, "{backend:?}: the other organisation's");
        stage.run.ok(&["notice", "draft", SLUG]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "again", "--all"]);
        stage.work(&recorder);
        assert_eq!(recorder.messages().len(), 2, "{backend:?}");
        let letter = stage.run.ok(&["notice", "preview", SLUG, "t-00001"]);
        assert!(letter.contains("E-mail addresses") && letter.contains("withheld"), "{letter}");
    }
}

#[test]
fn a_reason_that_ended_is_not_printed_any_more() {
    let stage = stage(Backend::Sqlite);
    let sign = |id: &str| stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", id]);
    let first = withhold(&stage, &["--all", "emails"]);
    sign(&first);
    stage.run.ok(&["notice", "draft", SLUG]);
    stage.run.ok(&["notice", "disclose", &first, "--why", "another reason"]);
    let args = ["notice", "withhold", SLUG, "--all", "emails", "--why", "The court asked us.", "--review"];
    let second = stage.run.json(&[&args[..], &[&review()]].concat());
    sign(second["withholding"].as_str().unwrap());
    assert_eq!(stage.run.as_actor("counsel").run(&["notice", "approve", SLUG, "--all"]).status, 4);
    assert_eq!(stage.run.json(&["notice", "draft", SLUG])["changed"], 2);
    let preview = stage.run.ok(&["notice", "preview", SLUG, "t-00001"]);
    assert!(preview.contains("The court asked us.") && !preview.contains(WHY), "{preview}");
}

#[test]
fn what_names_no_fact_or_no_future_is_refused_with_the_next_step() {
    let stage = stage(Backend::Sqlite);
    for (args, says) in [
        (&["t-00001", "everything", "--review", &review()][..], "names no fact"),
        (&["t-00001", "emails", "--review", "2001-01-01T00:00:00Z"][..], "not in the future"),
        (&["t-00001", "emails", "--review", "9999-01-01T00:00:00Z"][..], "more than a year ahead"),
        (&["t-nobody", "emails", "--review", &review()][..], "t-nobody"),
        (&["t-00001", "type:nope", "--review", &review()][..], "choose one of: type:contract, type:invoice"),
        (&["--all", "type:nope", "--review", &review()][..], "choose one of: type:contract, type:invoice"),
        // In the taxonomy, and nothing of theirs.
        (&["t-00001", "type:password", "--review", &review()][..], "among the facts of tenant t-00001"),
        (&["t-00001", "org00000.example/emails", "--review", &review()][..], "choose one of: org00001.example"),
    ] {
        let output = stage.run.run(&[&["notice", "withhold", SLUG, "--why", "the police asked"], args].concat());
        assert_eq!(output.status, 1, "{args:?}");
        assert!(output.stderr.contains(says) && output.stderr.contains("hint:"), "{}", output.stderr);
        assert!(!output.stderr.contains("SLUG"), "{}", output.stderr);
    }
    for why in [".", "n/a", "police"] {
        let args = ["notice", "withhold", SLUG, "t-00001", "emails", "--review", &review(), "--why", why];
        let output = stage.run.run(&args);
        assert!(output.status == 1 && output.stderr.contains("says nothing"), "{why}: {}", output.stderr);
    }
    // By another name of the taxonomy it is the same type.
    let id = withhold(&stage, &["t-00001", "type:Bill"]);
    let register = stage.run.csv(&["notice", "withholdings", SLUG]);
    assert_eq!(register.iter().find(|row| row["withholding"] == id).unwrap()["fact"], "type:invoice");
}

#[test]
fn a_reason_that_tells_what_it_withholds_is_refused_with_its_place() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        let mut rows = String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
        (0..40).for_each(|n| rows.push_str(&format!("more/{n}.pdf,org00001.example,,invoice,2020-01-02,10,,\n")));
        let (more, shared) = (stage.file("more.csv", &rows), stage.file("s.txt", "gmail.example\n"));
        stage.import(&[&more], &shared);
        let withhold = |whose: &str, fact: &str, why: &str| {
            let args = ["notice", "withhold", SLUG, whose, fact, "--why", why, "--review", &review()];
            stage.run.run(&args)
        };
        for (whose, why, said) in [
            ("t-00001", "The police asked us.\nThe 41 files are evidence.", "line 2, column 5: `41` tells objects"),
            ("t-00001", "It is 41, ask the police.", "line 1, column 7: `41` tells objects"),
            ("--all", "All 42 files are evidence.", "line 1, column 5: `42` tells objects"),
        ] {
            let refused = withhold(whose, "objects", why);
            assert_eq!(refused.status, 4, "{}", refused.stderr);
            assert!(refused.stderr.contains(said), "{}", refused.stderr);
        }
        for (fact, why, said) in [
            ("objects", "Forty-one files.", "`Forty-one` tells objects"),
            ("objects", "Einundvierzig Dateien sind versiegelt.", "`Einundvierzig` tells objects"),
            ("objects", "Quarante et un fichiers.", "`Quarante et un` tells objects"),
            ("objects", "Cuarenta y un archivos.", "`Cuarenta y un` tells objects"),
            ("objects", "四十一件のファイルは証拠です。", "`四十一` tells objects"),
            ("type:invoice", "Invoices are under seal.", "`Invoices` tells type:invoice"),
        ] {
            let refused = withhold("t-00001", fact, why);
            assert_eq!(refused.status, 4, "{why}: {}", refused.stderr);
            assert!(refused.stderr.contains(said), "{}", refused.stderr);
        }
        let of_that_name = "more/x.pdf,org00000.example,,forty_one_files,2020-01-02,10,,\n".to_owned()
            + &(0..39)
                .map(|n| format!("more/y{n}.pdf,org00000.example,,invoice,2020-01-02,10,,\n"))
                .collect::<String>();
        let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
        stage.import(&[&stage.file("named.csv", &format!("{header}{of_that_name}"))], &shared);
        let refused = withhold("t-00000", "objects", "The police asked us to wait.");
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("the data type `forty_one_files` of the manifest tells objects"),
            "{backend:?}"
        );
        let fine = withhold("t-00001", "objects", "The police asked us to wait 41 days, as case 42.");
        assert_eq!(fine.status, 0, "{}", fine.stderr);
    }
}
