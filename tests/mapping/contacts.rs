//! Contacts as twins: what each directory says of a person, and what somebody entered, side by side.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use testkit::process::{Backend, Forthright};
use testkit::smtp::Recorder;

use super::changes::{at, stage};
use crate::setup::{Clock, SLUG, Stage, path};

const HEADER: &str = "tenant_id,role,name,email,language\n";
const ROWS: [(&str, &str); 2] = [("acme.example", "t-acme"), ("b.example", "t-b")];

fn import(stage: &Stage, source: &str, rows: &str) -> serde_json::Value {
    let file = stage.file("people.csv", &format!("{HEADER}{rows}"));
    let args = ["directory", "import", "--contacts", path(&file), "--source", source, "--accept-shrink"];
    stage.run.json(&args)
}

/// Address → name, state and who says so, of those at t-acme.
fn people(run: &Forthright) -> BTreeMap<String, (String, String, String)> {
    let rows = run.csv(&["contact", "list", "t-acme"]);
    rows.into_iter()
        .map(|row| (row["email"].clone(), (row["name"].clone(), row["state"].clone(), row["provenance"].clone())))
        .collect()
}

fn says(name: &str, state: &str, provenance: &str) -> (String, String, String) {
    (name.to_owned(), state.to_owned(), provenance.to_owned())
}

#[test]
fn a_contact_stays_as_long_as_one_directory_names_it() {
    for backend in Backend::each() {
        let stage = stage(backend, Clock::Real, &ROWS, &["acme.example"]);
        import(&stage, "directory", "t-acme,security,Ann,ann@acme.example,en\n");
        let said = import(&stage, "partner", "t-acme,security,Ann B,Ann@ACME.example,de\n");
        assert_eq!((&said["added"], &said["kept"]), (&1.into(), &0.into()), "{said}");
        let both = "directory partner; directory directory";
        assert_eq!(people(&stage.run)["ann@acme.example"], says("Ann", "imported", both), "{backend:?}");
        // The first drops her; the second still names her, and says what counts now.
        import(&stage, "directory", "t-acme,security,Bob,bob@acme.example,en\n");
        assert_eq!(people(&stage.run)["ann@acme.example"], says("Ann B", "imported", "directory partner"));
        stage.release();
        let recorder = Recorder::start().unwrap();
        stage.work(&recorder);
        let mut told: Vec<String> = recorder.messages().iter().flat_map(|mail| mail.recipients.clone()).collect();
        told.sort();
        assert_eq!(told, ["ann@acme.example", "bob@acme.example"], "{backend:?}");
        // The second drops her too.
        import(&stage, "partner", "t-acme,security,Cyd,cyd@acme.example,en\n");
        assert_eq!(people(&stage.run)["ann@acme.example"].1, "left");
    }
}

#[test]
fn an_entry_by_hand_stands_beside_imports_and_can_be_taken_back() {
    for backend in Backend::each() {
        let stage = stage(backend, Clock::Moved, &ROWS, &["acme.example"]);
        let today = at(&stage, Clock::Moved, 0);
        let stage = Stage { run: today.clone(), ..stage };
        let add = |name: &str, email: &str, more: &[&str]| {
            let first = ["directory", "add-contact", "t-acme", "--role", "security", "--email", email, "--name", name];
            today.ok(&[&first[..], &["--why", "told by phone"], more].concat());
        };
        add("Ann by hand", "ann@acme.example", &[]);
        let said = import(&stage, "directory", "t-acme,security,Ann,ann@acme.example,en\n");
        assert!(
            said["notes"].to_string().contains("ann@acme.example (security) of t-acme was entered by hand"),
            "{said}"
        );
        let both = "told by phone; directory directory";
        assert_eq!(people(&today)["ann@acme.example"], says("Ann by hand", "entered", both), "{backend:?}");
        // Taken back, the import counts; without one the contact is gone.
        add("Hand", "hand@acme.example", &[]);
        for email in ["ann@acme.example", "hand@acme.example"] {
            today.ok(&["directory", "remove-contact", "t-acme", email, "--why", "a mistake"]);
        }
        let now = people(&today);
        assert_eq!(now["ann@acme.example"], says("Ann", "imported", "directory directory"));
        assert_eq!(now["hand@acme.example"].1, "left");
        let twice = today.run(&["directory", "remove-contact", "t-acme", "hand@acme.example", "--why", "again"]);
        assert_eq!(twice.status, 1, "{}", twice.stderr);
        // Until a time.
        add("Holiday cover", "ann@acme.example", &["--expires", "2022-09-27T09:00:00Z"]);
        assert_eq!(people(&today)["ann@acme.example"].0, "Holiday cover");
        let later = at(&stage, Clock::Moved, 3);
        later.ok(&["notice", "draft", SLUG]);
        assert_eq!(people(&later)["ann@acme.example"], says("Ann", "imported", "directory directory"));
    }
}

#[test]
fn what_a_person_noted_of_consent_outlives_imports() {
    for backend in Backend::each() {
        let stage = stage(backend, Clock::Real, &ROWS, &["acme.example"]);
        let named = |source: &str, word: &str| {
            let header = "tenant_id,role,name,email,language,may_be_named\n";
            let file = stage.file("named.csv", &format!("{header}t-acme,security,Ann,ann@acme.example,en,{word}\n"));
            stage.run.ok(&["directory", "import", "--contacts", path(&file), "--source", source, "--accept-shrink"]);
        };
        let consent = || {
            let rows = stage.run.csv(&["contact", "list", "t-acme"]);
            let row = rows.iter().find(|row| row["email"] == "ann@acme.example").unwrap();
            (row["may_be_named"].clone(), row["contact"].clone())
        };
        named("directory", "yes");
        assert_eq!(consent().0, "yes", "{backend:?}");
        named("partner", "no");
        assert_eq!(consent().0, "no", "a no beats a yes");
        stage.run.ok(&["contact", "consent", &consent().1, "yes", "--why", "asked"]);
        assert_eq!(consent().0, "yes");
        named("partner", "");
        named("partner", "no");
        assert_eq!(consent().0, "yes", "{backend:?}");
    }
}

/// Tenant, role and state of each contact with an address, in order.
fn states(run: &Forthright, email: &str) -> Vec<(String, String)> {
    let mut states = Vec::new();
    for tenant in ["t-acme", "t-b"] {
        let rows = run.csv(&["contact", "list", tenant]);
        let meant = rows.into_iter().filter(|row| row["email"] == email);
        states.extend(meant.map(|row| (tenant.to_owned(), row["state"].clone())));
    }
    states
}

fn each(acme: &str, b: &str) -> Vec<(String, String)> {
    [("t-acme", acme), ("t-b", b)].map(|(tenant, state)| (tenant.to_owned(), state.to_owned())).to_vec()
}

#[test]
fn a_person_s_word_on_an_address_outlives_what_directories_say() {
    const MSP: &str = "x@msp.example";
    for backend in Backend::each() {
        let stage = stage(backend, Clock::Real, &ROWS, &["acme.example"]);
        let import = |name: &str, acme: &str, b: &str| {
            let header = "tenant_id,role,name,email,language,state\n";
            let rows = format!("t-acme,security,{name},{MSP},en,{acme}\nt-b,security,{name},{MSP},en,{b}\n");
            let file = stage.file("msp.csv", &format!("{header}{rows}"));
            stage.run.ok(&["directory", "import", "--contacts", path(&file), "--accept-shrink"]);
        };
        import("M", "disabled", "active");
        assert_eq!(states(&stage.run, MSP), each("disabled", "imported"), "{backend:?}");
        import("M", "active", "active");
        assert_eq!(states(&stage.run, MSP), each("imported", "imported"), "what a directory says, it can take back");
        // Of one tenant's contact alone: the other's is not touched, whatever is imported.
        stage.run.ok(&["directory", "disable-contact", MSP, "--tenant", "t-acme", "--why", "not theirs"]);
        import("Max", "active", "active");
        assert_eq!(states(&stage.run, MSP), each("disabled", "imported"));
        // Of the address: a directory that had called it disabled already cannot bring it back.
        import("Max", "active", "disabled");
        stage.run.ok(&["directory", "disable-contact", MSP, "--why", "asked to be left alone"]);
        import("Max", "active", "active");
        assert_eq!(states(&stage.run, MSP), each("disabled", "disabled"));
        // Taken back, the word on the one tenant's stays.
        stage.run.ok(&["directory", "enable-contact", MSP, "--why", "asked to be written to again"]);
        assert_eq!(states(&stage.run, MSP), each("disabled", "imported"), "{backend:?}");
        stage.run.ok(&["directory", "enable-contact", MSP, "--tenant", "t-acme", "--why", "theirs after all"]);
        import("Mo", "disabled", "active");
        assert_eq!(states(&stage.run, MSP), each("imported", "imported"), "a person's word beats a directory's");
    }
}

#[test]
fn whoever_was_merged_into_somebody_that_left_is_written_to_again() {
    for backend in Backend::each() {
        let stage = stage(backend, Clock::Real, &ROWS, &["acme.example"]);
        let both = "t-acme,security,Ann,ann@acme.example,en\nt-acme,security,Ann,a@acme.example,en\n";
        import(&stage, "directory", both);
        let id = |email: &str| {
            let rows = stage.run.csv(&["contact", "list", "t-acme"]);
            rows.into_iter().find(|row| row["email"] == email).unwrap()["contact"].clone()
        };
        stage.run.ok(&["contact", "merge", &id("a@acme.example"), &id("ann@acme.example"), "--why", "one person"]);
        assert_eq!(people(&stage.run)["a@acme.example"].1, "merged");
        // An export has both, so that importing it takes nobody away.
        let file = stage.folder.path().join("exported.csv");
        stage.run.ok(&["directory", "export", "--contacts", path(&file)]);
        let again = stage.run.json(&["directory", "import", "--contacts", path(&file)]);
        assert_eq!((&again["removed"], &again["changed"]), (&0.into(), &0.into()), "{again}");
        import(&stage, "directory", "t-acme,security,Ann,a@acme.example,en\n");
        assert_eq!(people(&stage.run)["a@acme.example"].1, "imported", "{backend:?}");
    }
}

#[test]
fn what_is_not_one_mailbox_is_no_contact() {
    let stage = stage(Backend::Sqlite, Clock::Real, &ROWS, &["acme.example"]);
    let rows = "t-acme,security,Two,\"s@acme.example,b@evil.example\",en\nt-acme,security,Ann,ann@acme.example,en\n";
    let file = stage.file("people.csv", &format!("{HEADER}{rows}"));
    let output = stage.run.run(&["directory", "import", "--contacts", path(&file), "--json"]);
    assert_eq!(output.status, 3, "{}", output.stderr);
    assert!(output.stdout.contains("is no single address"), "{}", output.stdout);
    let emails: Vec<String> = people(&stage.run).into_keys().collect();
    assert_eq!(emails, ["ann@acme.example", "security@t-acme.example"]);
}

/// One thing that is done to the contacts of a tenant.
#[derive(Debug, Clone)]
enum Step {
    /// A source names these people, each with a name of its own.
    Import(&'static str, Vec<(u8, u8)>),
    Enter(u8, u8),
    TakeBack(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let people = proptest::collection::btree_map(0..3_u8, 0..3_u8, 0..3).prop_map(Vec::from_iter);
    prop_oneof![
        (prop_oneof![Just("directory"), Just("crm"), Just("partner")], people)
            .prop_map(|(source, people)| Step::Import(source, people)),
        (0..3_u8, 0..3_u8).prop_map(|(who, name)| Step::Enter(who, name)),
        (0..3_u8).prop_map(Step::TakeBack),
    ]
}

/// What counts, told from the last word of each side alone.
#[derive(Default)]
struct Model {
    imported: BTreeMap<&'static str, BTreeMap<u8, u8>>,
    manual: BTreeMap<u8, u8>,
}

impl Model {
    fn counts(&self, who: u8) -> Option<String> {
        if let Some(name) = self.manual.get(&who) {
            return Some(format!("hand {name}"));
        }
        let order = ["directory", "crm", "partner"];
        order.iter().find_map(|source| Some(format!("{source} {}", self.imported.get(source)?.get(&who)?)))
    }
}

#[test]
fn whatever_the_order_of_imports_and_entries_the_last_word_of_each_side_counts() {
    for backend in Backend::each() {
        let stage = stage(backend, Clock::Real, &ROWS, &["acme.example"]);
        let config = ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() };
        let mut runner = TestRunner::new_with_rng(
            config,
            proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
        );
        let turns = std::cell::Cell::new(0);
        runner
            .run(&proptest::collection::vec(step(), 6..12), |steps| {
                turns.set(turns.get() + 1);
                let turn = turns.get();
                let mut model = Model::default();
                let address = |who: u8| format!("p{who}-{turn}@acme.example");
                // An import is the whole of what its source says: start from nothing.
                for source in ["directory", "crm", "partner"] {
                    import(&stage, source, "t-b,security,Other,other@b.example,en\n");
                }
                for step in &steps {
                    match step {
                        Step::Import(source, people) => {
                            let rows: String = people
                                .iter()
                                .map(|(who, name)| format!("t-acme,security,{source} {name},{},en\n", address(*who)))
                                .collect();
                            import(&stage, source, &format!("{rows}t-b,security,Other,other@b.example,en\n"));
                            model.imported.insert(source, people.iter().copied().collect());
                        }
                        Step::Enter(who, name) => {
                            let (email, name_by_hand) = (address(*who), format!("hand {name}"));
                            let args = ["directory", "add-contact", "t-acme", "--role", "security", "--email", &email];
                            stage.run.ok(&[&args[..], &["--name", &name_by_hand, "--why", "told"]].concat());
                            model.manual.insert(*who, *name);
                        }
                        Step::TakeBack(who) => {
                            let args = ["directory", "remove-contact", "t-acme", &address(*who), "--why", "wrong"];
                            let done = stage.run.run(&args).status == 0;
                            prop_assert_eq!(done, model.manual.remove(who).is_some());
                        }
                    }
                }
                let there = people(&stage.run);
                for who in 0..3 {
                    let found = there.get(&address(who)).filter(|(_, state, _)| state != "left");
                    prop_assert_eq!(found.map(|(name, ..)| name.clone()), model.counts(who), "{:?} {:?}", who, steps);
                }
                Ok(())
            })
            .unwrap();
    }
}
