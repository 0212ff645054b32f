//! Texts for others than the organisations: held against the same facts line by line, and written from them.

use std::collections::HashMap;

use testkit::process::Backend;

use crate::setup::{SLUG, Stage, path, review};

const LANGUAGES: [&str; 5] = ["de", "en", "es", "fr", "ja"];
const AUDIENCES: [&str; 3] = ["regulator", "press", "support"];

/// The exit code, and (line, finding, said) of each finding.
fn check(stage: &Stage, text: &str) -> (i32, Vec<(String, String, String)>) {
    let file = stage.file("text.txt", text);
    let output = stage.run.run(&["report", "check", SLUG, path(&file), "--csv"]);
    let rows: Result<Vec<HashMap<String, String>>, _> =
        csv::Reader::from_reader(output.stdout.as_bytes()).deserialize().collect();
    let row = |row: &HashMap<String, String>| (row["line"].clone(), row["finding"].clone(), row["said"].clone());
    (output.status, rows.unwrap().iter().map(row).collect())
}

fn own(line: &str, finding: &str, said: &str) -> (String, String, String) {
    (line.to_owned(), finding.to_owned(), said.to_owned())
}

/// Withholds a fact from everybody, by two people.
fn withhold(stage: &Stage, fact: &str) {
    let hide = ["notice", "withhold", SLUG, "--all", fact, "--why", "The police asked.", "--review", &review()];
    let id = stage.run.json(&hide)["withholding"].as_str().unwrap().to_owned();
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
}

#[test]
fn a_press_text_that_says_what_the_facts_say_passes_and_each_contradiction_is_listed_with_its_line() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(3);
        let fine = "On 24 September 2022 Example Cloud discovered that 3 files of 3 organisations were exposed.\n\
                    They held three invoices; the documents are of 2 January 2020. 3 e-mail addresses are among them.\n";
        assert_eq!(check(&stage, fine), (0, Vec::new()));
        let wrong = fine.replace("24 September", "19 October").replace("3 organisations", "4\norganisations");
        let wrong = format!("{wrong}No password in clear text or reversible was found. Ask us within 10 days.\n");
        let (status, found) = check(&stage, &wrong);
        let expect =
            [own("1", "contradicts", "19 October 2022"), own("1", "contradicts", "4"), own("4", "cannot-tell", "10")];
        assert_eq!((status, found.as_slice()), (4, &expect[..]));
        assert_eq!(check(&stage, "Ask us within 10 days.").0, 0, "what no fact says is for a person to judge");
    }
}

#[test]
fn what_is_withheld_from_everybody_is_in_no_text_and_a_recorded_event_is_a_fact() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(3);
    let text = "3 users are named in 3 references to invoices. Contained on 26.09.2022.";
    assert_eq!(check(&stage, text).1, [own("1", "cannot-tell", "26.09.2022")]);
    stage.run.ok(&["incident", "event", SLUG, "contained", "--at", "2022-09-26T08:00:00Z", "--why", "memo"]);
    assert_eq!(check(&stage, text), (0, Vec::new()));
    let hide = ["notice", "withhold", SLUG, "--all", "users", "--why", "the police asked", "--review", &review()];
    let id = stage.run.json(&hide)["withholding"].as_str().unwrap().to_owned();
    assert_eq!(check(&stage, text).0, 0, "one person alone hides nothing");
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &id]);
    assert_eq!(check(&stage, text), (4, vec![own("1", "withheld", "3")]));
    withhold(&stage, "references");
    withhold(&stage, "type:invoice");
    let expect = [own("1", "withheld", "3"), own("1", "withheld", "3"), own("1", "withheld", "invoices")];
    assert_eq!(check(&stage, text), (4, expect.to_vec()));
}

#[test]
fn each_audience_is_told_the_same_facts_in_each_language_and_every_figure_is_one() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.generated(11, 4_000);
        let totals = stage.run.json(&["exposure", "totals", SLUG]);
        let contact = stage.file("contact.txt", "dpo@vendor.example\n");
        stage.run.ok(&["incident", "state", SLUG, "contact_point", "--text", path(&contact)]);
        let directory = std::fs::read_to_string(stage.folder.path().join("generated/directory.csv")).unwrap();
        let domains: Vec<&str> = directory.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        for audience in AUDIENCES {
            for language in LANGUAGES {
                let written = stage.run.json(&["report", audience, SLUG, "--language", language]);
                let text = written["text"].as_str().unwrap();
                let (status, found) = check(&stage, text);
                assert_eq!((status, found.iter().find(|one| one.1 == "contradicts")), (0, None), "{text}");
                let facts = written["facts"].as_array().unwrap();
                let value = |name: &str| {
                    let fact = format!("{SLUG}/{name}");
                    facts
                        .iter()
                        .find(|one| one["fact"] == fact.as_str())
                        .map(|one| one["value"].as_str().unwrap().to_owned())
                };
                for name in ["organisations", "objects", "emails"] {
                    assert_eq!(value(name), Some(totals[name].to_string()), "{audience} {language}: {name}\n{text}");
                }
                for (id, objects) in totals["data_type_objects"].as_object().unwrap() {
                    assert_eq!(
                        value(&format!("type:{id}")),
                        Some(objects.to_string()),
                        "{audience} {language}: {id}\n{text}"
                    );
                }
                let named = domains.iter().find(|domain| text.contains(**domain));
                assert!(named.is_none() && !text.contains("t-0000"), "{named:?} is named in:\n{text}");
            }
        }
    }
}

#[test]
fn an_authority_is_told_what_is_not_stated_yet_and_when_more_is_said() {
    let stage = Stage::new(Backend::Sqlite);
    stage.small(2);
    let output = stage.run.run(&["report", "regulator", SLUG]);
    assert_eq!(output.status, 0);
    for element in ["what_happened", "likely_consequences", "contact_point", "measures_planned"] {
        assert!(output.stderr.contains(&format!("not stated yet: {element};")), "{}", output.stderr);
    }
    assert!(!output.stderr.contains("not stated yet: data_types;"), "{}", output.stderr);
    assert!(output.stdout.contains("has not set a day yet by which more is said"), "{}", output.stdout);
    let state = |element: &str, words: &str| {
        let file = stage.file("words.txt", words);
        stage.run.ok(&["incident", "state", SLUG, element, "--text", path(&file)]);
    };
    state("next_update", "We write again by 15 October 2022.");
    state("what_happened", "A storage server could be read by anybody.");
    let text = stage.run.ok(&["report", "regulator", SLUG]);
    assert!(text.contains("We write again by 15 October 2022.") && text.contains("GDPR Art. 33"), "{text}");

    // What a person states is held against what was counted.
    state("what_happened", "Files of about 70 organisations could be read by anybody.");
    let output = stage.run.run(&["report", "press", SLUG]);
    assert_eq!(output.status, 4);
    assert!(output.stderr.contains("`70` contradicts: the facts say organisations 2"), "{}", output.stderr);
}

#[test]
fn what_is_withheld_from_everybody_is_in_no_text_that_is_written() {
    let stage = Stage::new(Backend::Sqlite);
    let mut manifest = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n".to_owned();
    for row in 0..41 {
        let user = row % 37;
        let kind = if row < 29 { "invoice" } else { "salary" };
        manifest
            .push_str(&format!("f/{row},org00000.example,p{row}@org00000.example,{kind},2020-01-02,10,p,w-{user}\n"));
    }
    stage.small(2);
    let (file, shared) = (stage.file("more.csv", &manifest), stage.file("none.txt", "free.example\n"));
    stage.import(&[&file], &shared);
    let all =
        |audience: &str| LANGUAGES.map(|language| stage.run.ok(&["report", audience, SLUG, "--language", language]));
    let says = |text: &str, figure: &str| {
        text.lines().any(|line| {
            line.split([':', '：']).next_back().is_some_and(|end| end.split_whitespace().any(|word| word == figure))
        })
    };
    assert!(all("regulator").iter().all(|text| says(text, "39") && says(text, "12")), "users and salaries are told");
    for fact in ["users", "type:salary", "period"] {
        withhold(&stage, fact);
    }
    for audience in AUDIENCES {
        for text in all(audience) {
            assert!(!says(&text, "39") && !says(&text, "12") && !text.contains("2020-01-02"), "{text}");
            assert!(!text.contains("salary") && check(&stage, &text).0 == 0, "{text}");
            assert_eq!(text.contains("The police asked."), audience == "regulator", "{text}");
        }
    }
    withhold(&stage, "notice");
    let refused = stage.run.run(&["report", "press", SLUG]);
    assert!(refused.status == 4 && refused.stdout.is_empty(), "{}{}", refused.stdout, refused.stderr);
}
