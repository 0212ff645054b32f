//! Notices for machines: frozen and signed at approval, checked by other people's programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use testkit::process::Backend;

use crate::genuine::Serving;
use crate::setup::{SLUG, Stage, path, review};
use crate::tickets::raw_sql;

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schema").join(name)
}

/// What `docs/schema/verify_notice.py` says of an exported notice.
fn verified(stage: &Stage, notice: &Value, keys: &str) -> Output {
    let python = std::env::var_os("FORTHRIGHT_JOSE").map(PathBuf::from).unwrap_or_else(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")));
        target.join("jose/bin/python3")
    });
    assert!(
        python.is_file(),
        "no independent verifier at {}: run ops/test, which installs it, or name a python3 in FORTHRIGHT_JOSE",
        python.display()
    );
    let (notice, keys) = (stage.file("notice.json", &notice.to_string()), stage.file("keys.json", keys));
    let script = document("verify_notice.py");
    let schema = document("notice-1.json");
    Command::new(python).args([&script, &notice, &keys, &schema]).output().unwrap()
}

/// `later` is approved; once it is released, `first` says so beside what was signed.
fn the_later_one_is_named(stage: &Stage, first: &str, later: &str) {
    assert_eq!(stage.run.json(&["notice", "export", first])["followed_by"], Value::Null);
    stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "second", "--all"]);
    let given = stage.run.run(&["notice", "export", first]);
    assert!(given.stderr.contains(later), "{}", given.stderr);
    assert_eq!(serde_json::from_str::<Value>(&given.stdout).unwrap()["followed_by"], later);
}

#[test]
fn a_withdrawn_notice_is_not_given() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        stage.run.ok(&["notice", "draft", SLUG]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        let id = stage.run.csv(&["notice", "list", SLUG])[0]["notice_id"].clone();
        let words = stage.file("words.txt", "A server was open.");
        stage.run.ok(&["incident", "state", SLUG, "what_happened", "--text", path(&words)]);
        stage.run.ok(&["notice", "draft", SLUG]);
        let refused = stage.run.run(&["notice", "export", &id]);
        assert_eq!(refused.status, 4, "{}", refused.stdout);
        assert!(refused.stderr.contains("was withdrawn"), "{}", refused.stderr);
    }
}

#[test]
fn a_notice_for_machines_is_what_was_approved_and_others_can_check_it() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        assert_eq!(stage.run.json(&["notice", "keys"])["keys"], Value::Array(Vec::new()));
        let args = ["notice", "withhold", SLUG, "t-00001", "emails", "--why", "The police asked us to wait."];
        let withheld = stage.run.json(&[&args[..], &["--review", &review()]].concat());
        stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", withheld["withholding"].as_str().unwrap()]);
        stage.run.ok(&["notice", "draft", SLUG]);
        let preview = || stage.run.ok(&["notice", "preview", SLUG, "t-00001", "--format", "json"]);
        let draft: Value = serde_json::from_str(&preview()).unwrap();
        assert_eq!((&draft["notice"]["approved_at"], &draft["domains"][0]["emails"]), (&Value::Null, &Value::Null));
        let id = draft["notice"]["id"].as_str().unwrap();
        assert_eq!(stage.run.run(&["notice", "export", id]).status, 4, "nobody has signed for a draft");

        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        let given = stage.run.json(&["notice", "export", id]);
        let notice = &given["notice"];
        assert_eq!((&notice["domains"][0]["objects"], &notice["organisation"]), (&1.into(), &"Organisation 1".into()));
        assert_eq!(preview(), serde_json::to_string(notice).unwrap(), "the one form");
        let keys = stage.run.ok(&["notice", "keys"]);
        let checked = verified(&stage, &given, &keys);
        let said = String::from_utf8_lossy(&checked.stderr).into_owned();
        assert!(checked.status.success(), "{said}");
        assert_eq!(String::from_utf8_lossy(&checked.stdout).trim(), notice["notice"]["code"].as_str().unwrap());
        let text = stage.run.ok(&["notice", "preview", SLUG, "t-00001"]);
        assert!(text.contains(notice["notice"]["code"].as_str().unwrap()), "the same code as in the letter");

        let serving = Serving::start(&stage);
        let body = |path: &str| serving.get(path, "").split_once("\r\n\r\n").unwrap().1.to_owned();
        let served: Value = serde_json::from_str(&body("/.well-known/jwks.json")).unwrap();
        assert_eq!(served, serde_json::from_str::<Value>(&keys).unwrap());
        assert_eq!(body("/schema/notice-1.json"), std::fs::read_to_string(document("notice-1.json")).unwrap());

        let mut shown = given.clone();
        shown["notice"]["domains"][0]["objects"] = 7.into();
        assert!(!verified(&stage, &shown, &keys).status.success(), "what is shown was changed");
        let mut resigned = given.clone();
        let jws = given["jws"].as_str().unwrap();
        resigned["jws"] = format!("{}A{}", &jws[..jws.len() - 9], &jws[jws.len() - 8..]).into();
        assert!(resigned == given || !verified(&stage, &resigned, &keys).status.success(), "the signature was changed");

        // Whatever becomes true afterwards, and whatever somebody tries.
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "first", "--all"]);
        let words = stage.file("words.txt", "A server was open.");
        stage.run.ok(&["incident", "state", SLUG, "what_happened", "--text", path(&words)]);
        let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
        let more = stage.file("late.csv", &format!("{header}late/1.pdf,org00001.example,,contract,2021-05-06,7,,\n"));
        let shared = stage.file("none.txt", "free.example\n");
        stage.import(&[&more], &shared);
        stage.run.ok(&["notice", "draft", SLUG]);
        assert_eq!(stage.run.json(&["notice", "export", id]), given);
        for statement in
            ["UPDATE signed_notices SET payload = '{}'", "DELETE FROM signed_notices", "DELETE FROM signing_keys"]
        {
            assert!(raw_sql(&stage, statement).is_err(), "{statement} on {backend:?}");
        }
        let second: Value = serde_json::from_str(&preview()).unwrap();
        assert_eq!(second["incident"]["statements"]["what_happened"], "A server was open.");
        let changes: Vec<&str> =
            second["changes"].as_array().unwrap().iter().map(|change| change["what"].as_str().unwrap()).collect();
        assert!(
            changes.contains(&"figure") && changes.contains(&"data_type") && changes.contains(&"period"),
            "{second}"
        );
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        let first = id;
        let id = second["notice"]["id"].as_str().unwrap();
        let later = verified(&stage, &stage.run.json(&["notice", "export", id]), &stage.run.ok(&["notice", "keys"]));
        assert!(later.status.success(), "{}", String::from_utf8_lossy(&later.stderr));
        assert_eq!(served["keys"].as_array().unwrap().len(), 1, "one key signs all");
        the_later_one_is_named(&stage, first, id);
    }
}
