//! Properties of the directory with real stores: what does not matter, and what must not change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use app::directory::{Files, Ids, ManualDomain, Mode};
use app::{App, Made, Opening};
use testkit::process::{Backend, Forthright};

use crate::setup::{SLUG, Stage, bin, path};

const HEADER: &str = "domain,tenant_id,tenant_name,country,language\n";

#[test]
fn a_row_about_somebody_else_changes_no_verdict() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.generated(21, 400);
        let before = stage.run.ok(&["mapping", "list", SLUG, "--csv"]);
        let hosts: Vec<String> =
            stage.run.csv(&["mapping", "list", SLUG]).into_iter().map(|row| row["domain"].clone()).collect();
        // Names that are like a host and decide about none: beside it, below it, around it.
        let mut state = 7_u64;
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % limit
        };
        let suffixes: BTreeSet<&str> = hosts
            .iter()
            .flat_map(|host| host.match_indices('.').map(|(at, _)| &host[at + 1..]).chain([host.as_str()]))
            .collect();
        let mut more = String::from(HEADER);
        for _ in 0..300 {
            let host = &hosts[below(hosts.len())];
            let name = match below(5) {
                0 => format!("x{host}"),
                1 => format!("www.x.{host}"),
                2 => format!("{host}.evil.test"),
                3 => format!("{host}x"),
                _ => format!("n{}.example", below(100_000)),
            };
            if !suffixes.contains(name.as_str()) {
                more.push_str(&format!("{name},t-else-{},Somebody else,US,en\n", below(50)));
            }
        }
        let more = stage.file("more.csv", &more);
        let said = stage.run.json(&["directory", "import", "--organisations", path(&more), "--source", "more"]);
        assert!(said["added"].as_i64().unwrap() > 200, "{said}");
        // The version that it was given by stays as well: nothing was looked at again.
        assert_eq!(stage.run.ok(&["mapping", "list", SLUG, "--csv"]), before);
    }
}

#[test]
fn the_same_file_again_changes_nothing_in_any_format() {
    for backend in Backend::each() {
        for format in ["csv", "jsonl", "scim.json", "vcf"] {
            let folder = tempfile::tempdir().unwrap();
            let run = Forthright::new(bin(), &folder.path().join("data"), backend);
            run.ok(&["store", "init"]);
            let data = testkit::data::sample().join("../directory");
            let (organisations, contacts) =
                (data.join(format!("organisations.{format}")), data.join(format!("contacts.{format}")));
            let args = ["directory", "import", "--organisations", path(&organisations), "--contacts", path(&contacts)];
            let import = || -> serde_json::Value {
                let output = run.run(&[&args[..], &["--json"]].concat());
                assert!([0, 3].contains(&output.status), "{}", output.stderr);
                serde_json::from_str(&output.stdout).unwrap()
            };
            let (first, again) = (import(), import());
            let count = |said: &serde_json::Value, key: &str| said[key].as_i64().unwrap();
            assert!(count(&first, "added") > 0, "{format} {first}");
            assert_eq!(
                (count(&again, "added"), count(&again, "changed"), count(&again, "removed")),
                (0, 0, 0),
                "{backend:?} {format} {again}"
            );
            assert_eq!(
                count(&again, "kept"),
                count(&first, "added") + count(&first, "changed") + count(&first, "kept")
            );
            assert_eq!(again["rejected"], first["rejected"], "{format}");
        }
    }
}

#[test]
fn what_is_exported_and_imported_is_exported_again_byte_for_byte() {
    for backend in Backend::each() {
        let (folder, first) = with_nasty_directory(backend);
        for (format, end) in [("csv", "csv"), ("jsonl", "jsonl"), ("scim", "scim.json"), ("vcard", "vcf")] {
            let files = |turn: u32| -> [PathBuf; 2] {
                ["organisations", "contacts"].map(|what| folder.path().join(format!("{what}-{turn}.{end}")))
            };
            let export = |run: &Forthright, turn: u32| {
                let [organisations, contacts] = files(turn);
                let args =
                    ["directory", "export", "--organisations", path(&organisations), "--contacts", path(&contacts)];
                run.ok(&[&args[..], &["--format", format]].concat());
                [organisations, contacts].map(|file| std::fs::read_to_string(file).unwrap())
            };
            let written = export(&first, 1);
            let [organisations, contacts] = files(1);
            let args = ["directory", "import", "--organisations", path(&organisations), "--contacts", path(&contacts)];
            // Where it came from, it changes nothing.
            let said = first.json(&args);
            assert_eq!(
                (&said["added"], &said["changed"], &said["removed"]),
                (&0.into(), &0.into(), &0.into()),
                "{format} {said}"
            );
            let second = Forthright::new(bin(), &folder.path().join(format!("data-{format}")), backend);
            second.ok(&["store", "init"]);
            let said = second.json(&args);
            assert_eq!(said["rejected"], serde_json::json!([]), "{format}");
            assert!(export(&second, 2) == written, "{backend:?} {format}: {said}");
        }
    }
}

/// A store whose directory has everything that a format could lose.
fn with_nasty_directory(backend: Backend) -> (tempfile::TempDir, Forthright) {
    let folder = tempfile::tempdir().unwrap();
    let run = Forthright::new(bin(), &folder.path().join("data"), backend);
    run.ok(&["store", "init"]);
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let organisations = file(
        "nasty-organisations.csv",
        &format!(
            "{HEADER}acme.example,t-acme,\"Acme, \"\"Inc.\"\"\",US,en\nb.example,t-acme,ignored,,\n\
             münchen.example,t 2,\"=HYPERLINK(\"\"x\"\")\",DE,de\n日本.example,'t3,\"two\nlines\",JP,\n\
             both.example,t-acme,x,,\nboth.example,t 2,x,,\nsemi.example,t;4,\"semi;colon\\, back\\slash\",,pt-BR\n\
             plus.example,+t5,+plus,,\nempty.example,t-6,,,\nc.example,T-ACME,Another case,US,en\n"
        ),
    );
    let contacts = file(
        "nasty-contacts.csv",
        "tenant_id,role,name,email,language,channel,timezone,priority,state,verified,may_be_named\n\
         t-acme,security,\"O'Neil, \"\"Pat\"\"\",pat@acme.example,en,email,Europe/Berlin,1,active,verified,yes\n\
         t-acme,privacy,\"O'Neil, \"\"Pat\"\"\",pat@acme.example,en,phone,,2,disabled,,no\n\
         t-acme,account-manager,,manager@vendor.example,,,,,,,\n\
         t 2,legal,\"-minus; semi\",\"o'b+tag@xn--mnchen-3ya.example\",de,letter,Asia/Kolkata,100,,,\n\
         't3,technical,日本,it@日本.example,ja,portal,,-5,,,\n\
         t;4,admin,@at,a@semi.example,,email,,2147483647,,verified,\n",
    );
    let output = run.run(&[
        "directory",
        "import",
        "--organisations",
        path(&organisations),
        "--contacts",
        path(&contacts),
        "--json",
    ]);
    assert_eq!(output.status, 0, "{}\n{}", output.stdout, output.stderr);
    run.ok(&["directory", "disable-contact", "a@semi.example", "--why", "left"]);
    (folder, run)
}

/// What happens to a domain, in any order.
#[derive(Debug, Clone, Copy)]
enum Step {
    One,
    Other,
    Manual,
    Alias,
    Over,
}

/// All orders of the steps.
fn orders() -> Vec<Vec<Step>> {
    let mut orders = vec![Vec::new()];
    for step in [Step::One, Step::Other, Step::Manual, Step::Alias, Step::Over] {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<Step>| {
                (0..=order.len()).map(move |at| {
                    let mut order = order.clone();
                    order.insert(at, step);
                    order
                })
            })
            .collect();
    }
    orders
}

/// An incident's hosts of one order; `pNNN` stands in each.
const HOSTS: [&str; 9] = [
    "pNNN.example",
    "www.pNNN.example",
    "shop.pNNN.example",
    "x.over.pNNN.example",
    "over.pNNN.example",
    "third.pNNN.example",
    "also-pNNN.example",
    "mail.also-pNNN.example",
    "not-pNNN.example",
];

async fn open(backend: Backend, folder: &Path) -> App {
    // The binary finds or makes the database; this process then opens the same one.
    let run = Forthright::new(bin(), folder, backend);
    run.ok(&["store", "init"]);
    let database = store::Database::parse(run.database(), folder).unwrap();
    let opening = Opening {
        database: &database,
        data: folder,
        master_key: None,
        now: None,
        settings: app::Settings::default(),
        actor: "tester".to_owned(),
    };
    App::init(opening, Made::ForReal).await.unwrap()
}

async fn take(app: &App, folder: &Path, name: &str, step: Step) {
    let of = |text: &str| text.replace("pNNN", name);
    let import = |rows: &str, origin: &str| {
        let file = folder.join(format!("{origin}-{name}.csv"));
        std::fs::write(&file, of(&format!("{HEADER}{rows}"))).unwrap();
        (file, format!("{origin}-{name}"))
    };
    let (file, origin) = match step {
        Step::One => import("pNNN.example,t-a,A,,\nover.pNNN.example,t-a,A,,\nshop.pNNN.example,t-b,B,,\n", "one"),
        Step::Other => import("pNNN.example,t-b,B,,\nthird.pNNN.example,t-b,B,,\nover.pNNN.example,t-b,B,,\n", "other"),
        Step::Manual => return by_hand(app, "t-a", &of("pNNN.example"), None, &[]).await,
        Step::Alias => return by_hand(app, "t-a", &of("also-pNNN.example"), Some(&of("pNNN.example")), &[]).await,
        Step::Over => {
            return by_hand(app, "t-c", &of("over.pNNN.example"), None, &["t-a".to_owned(), "t-b".to_owned()]).await;
        }
    };
    let files =
        Files { organisations: Some(&file), contacts: None, format: None, origin: &origin, ids: Ids::OfThisDirectory };
    app::directory::import(app, &files, Mode::Write).await.unwrap();
}

async fn by_hand(app: &App, tenant: &str, domain: &str, alias_of: Option<&str>, over: &[String]) {
    let entry = ManualDomain { tenant, domain, alias_of, over, why: "told by phone", expires: None };
    app::directory::add_domain(app, &entry).await.unwrap();
}

#[test]
fn the_order_of_imports_and_entries_by_hand_does_not_matter() {
    let orders = orders();
    assert_eq!(orders.len(), 120);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for backend in Backend::each() {
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let app = open(backend, folder.path()).await;
            let base = folder.path().join("base.csv");
            let rows = "a.base.example,t-a,A,,\nb.base.example,t-b,B,,\nc.base.example,t-c,C,,\n";
            std::fs::write(&base, format!("{HEADER}{rows}")).unwrap();
            let files = Files {
                organisations: Some(&base),
                contacts: None,
                format: None,
                origin: "base",
                ids: Ids::OfThisDirectory,
            };
            app::directory::import(&app, &files, Mode::Write).await.unwrap();
            let mut first: Option<(&[Step], Vec<String>)> = None;
            for (n, order) in orders.iter().enumerate() {
                let name = format!("p{n:03}");
                for step in order {
                    take(&app, folder.path(), &name, *step).await;
                }
                let hosts = HOSTS.map(|host| host.replace("pNNN", &name));
                let lines = app::mapping::explain_all(&app, &hosts, None).await.unwrap();
                let said: Vec<String> = lines.iter().map(|line| anonymous(line, &name)).collect();
                match &first {
                    None => first = Some((order, said)),
                    Some((one, expected)) => assert_eq!(&said, expected, "{backend:?}: {order:?} and {one:?}"),
                }
            }
            let (_, said) = first.unwrap();
            let mapped = said.iter().filter(|line| line.contains("\"verdict\":\"mapped\"")).count();
            assert_eq!(mapped, HOSTS.len() - 1, "all but the last: {said:#?}");
        });
    }
}

/// The explanation without the name, the directory's version and the date of the list.
fn anonymous(line: &impl serde::Serialize, name: &str) -> String {
    let mut value = serde_json::to_value(line).unwrap();
    value.as_object_mut().unwrap().remove("directory_version").unwrap();
    value.to_string().replace(name, "pNNN")
}
