//! How letters and pages look: in a real browser, as a phone and a desk show them, in light and dark.
//!
//! The looking itself is `ops/browser/look.mjs` (axe for accessibility, widths, requests). Fails, and does not skip, where
//! there is no browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::process::Backend;

use crate::genuine::Serving;
use crate::setup::{SLUG, Stage, path, review};

/// The narrowest phone that is sold, and a desk.
const WIDTHS: [u32; 2] = [360, 1280];
/// Each width in light and dark.
const LOOKS: usize = 2 * WIDTHS.len();
const LANGUAGES: [&str; 5] = ["de", "en", "es", "fr", "ja"];
/// Mail programs cut off what is longer.
const LONGEST: usize = 100_000;

/// The folder with the modules that `ops/test` installs.
fn modules() -> PathBuf {
    let folder = std::env::var_os("FORTHRIGHT_BROWSER").map(PathBuf::from).unwrap_or_else(|| {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        target.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"))).join("browser")
    });
    assert!(
        folder.join("node_modules/playwright-core").is_dir() && Path::new("/usr/bin/chromium").exists(),
        "no browser to look with (chromium, and modules in {}): run ops/test, which installs both",
        folder.display()
    );
    folder
}

/// Looks at pages and returns what was found, after making sure that every page was looked at.
fn look(stage: &Stage, pages: &[Value], expected: usize) -> Vec<String> {
    let jobs = stage.file("jobs.json", &json!({ "widths": WIDTHS, "pages": pages }).to_string());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ops/browser/look.mjs");
    let output = Command::new("node").args([script, path(&jobs)]).env("FORTHRIGHT_BROWSER", modules()).output();
    let output = output.expect("no `node` to look with: run ops/test, which installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["looked"], expected, "{report} {said}");
    report["findings"].as_array().unwrap().iter().map(|finding| finding.as_str().unwrap().to_owned()).collect()
}

const HEADER: &str = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";

/// One organisation of two domains, and one whose names are as long as names can be; contacts in every language.
fn letters() -> Stage {
    let stage = Stage::new(Backend::Sqlite);
    let long = format!("{0}.{0}.{0}.example", "a".repeat(63));
    let name = format!("{} Verwaltungsgesellschaft", "Donaudampfschifffahrts".repeat(5));
    let directory = format!(
        "domain,tenant_id,tenant_name,country,language\ncontoso.example,t-1,Contoso & Söhne,DE,en\n\
         xn--mnchen58-dz-thb.example,t-1,,,\n{long},t-2,{name},DE,de\n"
    );
    let mut contacts = "tenant_id,role,name,email,language\n".to_owned();
    for language in LANGUAGES {
        contacts.push_str(&format!("t-1,security,A,{language}@contoso.example,{language}\n"));
        contacts.push_str(&format!("t-2,security,B,{language}@{long},{language}\n"));
    }
    let kinds = ["invoice", "password_plain", "customer_email", "medical_record", "api_key"];
    let kind = "x".repeat(90);
    let mut manifest = HEADER.to_owned();
    for (number, data_type) in kinds.iter().chain(&[kind.as_str(), ""]).enumerate() {
        for domain in ["contoso.example", long.as_str()] {
            manifest.push_str(&format!("{domain}/{number},{domain},p{number}@{domain},{data_type},2020-01-02,9,p,u\n"));
        }
    }
    manifest.push_str("muc/1,xn--mnchen58-dz-thb.example,,,,,,\n");
    let files =
        [("d.csv", directory), ("c.csv", contacts), ("m.csv", manifest), ("s.txt", "free.example\n".to_owned())]
            .map(|(name, text)| stage.file(name, &text));
    stage.directory(&files[0], &files[1]);
    stage.import(&[&files[2]], &files[3]);
    stage
}

/// Writes the notices of an organisation as they are now into files: a page each.
fn pages(stage: &Stage, tenant: &str, kind: &str) -> Vec<Value> {
    let page = |language: &str| {
        let html = stage.run.ok(&["notice", "preview", SLUG, tenant, "--format", "html", "--language", language]);
        assert!(html.len() < LONGEST, "{} bytes", html.len());
        let file = stage.file(&format!("{tenant}-{kind}-{language}.html"), &html);
        json!({ "name": format!("{kind} {language}"), "file": path(&file), "least": 2_000, "bare": kind == "long" })
    };
    LANGUAGES.map(page).to_vec()
}

fn release(stage: &Stage, wave: &str) {
    stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
    stage.run.as_actor("lead").ok(&["wave", "release", SLUG, wave, "--all"]);
    stage.work(&testkit::smtp::Recorder::start().unwrap());
}

#[test]
fn every_notice_reads_well_on_phones_and_desks_in_light_and_dark_and_fetches_nothing() {
    let mut stage = letters();
    stage.run.ok(&["notice", "draft", SLUG]);
    let mut seen = [pages(&stage, "t-1", "initial"), pages(&stage, "t-2", "long")].concat();
    release(&stage, "first");

    // Everything that can stand in a notice, from here on.
    stage.run = stage.run.with("FORTHRIGHT_SENDER_VERIFY_PAGE", "https://verify.vendor.example/");
    let stated = model::notices::STATED.into_iter().chain(["what_happened", "measures_taken", "sender_contact"]);
    for element in stated {
        let words = stage.file("words.txt", &format!("About {element}: words of the vendor, which can be long.\n"));
        stage.run.ok(&["incident", "state", SLUG, element, "--text", path(&words)]);
    }
    let args = ["notice", "withhold", SLUG, "t-1", "emails", "--why", "The police asked us to wait."];
    let withheld = stage.run.json(&[&args[..], &["--review", &review()]].concat());
    let withheld = withheld["withholding"].as_str().unwrap().to_owned();
    stage.run.as_actor("counsel").ok(&["notice", "withhold-approve", &withheld]);
    let more = stage.file("late.csv", &format!("{HEADER}late/1.pdf,contoso.example,,contract,2021-05-06,7,,\n"));
    let shared = stage.file("none.txt", "free.example\n");
    stage.import(&[&more], &shared);
    stage.run.ok(&["notice", "draft", SLUG]);
    seen.extend(pages(&stage, "t-1", "supplement"));
    release(&stage, "second");
    stage.run.ok(&["exposure", "withdraw", SLUG, "late.csv", "--why", "of another incident"]);
    stage.run.ok(&["notice", "draft", SLUG]);
    seen.extend(pages(&stage, "t-1", "correction"));

    let bare = seen.iter().filter(|page| page["bare"] == true).count();
    let found = look(&stage, &seen, seen.len() * LOOKS + bare);
    assert_eq!(found, Vec::<String>::new());
    let kinds: Vec<String> = stage.run.csv(&["notice", "list", SLUG]).iter().map(|row| row["kind"].clone()).collect();
    for kind in ["initial", "supplement", "correction"] {
        assert!(kinds.iter().any(|there| there == kind), "{kind} was looked at: {kinds:?}");
    }
}

#[test]
fn the_pages_of_the_console_read_well_on_phones_and_desks_in_light_and_dark() {
    let stage = letters();
    stage.run.ok(&["notice", "draft", SLUG]);
    let code = stage.run.csv(&["notice", "list", SLUG])[0]["code"].clone();
    release(&stage, "first");
    let more = stage.file("late.csv", &format!("{HEADER}late/1.pdf,contoso.example,,contract,2021-05-06,7,,\n"));
    stage.import(&[&more], &stage.file("none.txt", "free.example\n"));
    stage.run.ok(&["notice", "draft", SLUG]);
    let serving = Serving::start(&stage);
    // The console loads itself again on purpose: it hangs on walls. axe would have no page do that.
    let page = |place: &str| {
        let url = format!("http://{}{place}", serving.address);
        json!({ "name": place, "url": url, "least": 20, "without": ["meta-refresh"] })
    };
    let mut seen = [
        "/",
        "/incidents/bluebleed",
        "/incidents/bluebleed/organisations/t-1",
        "/incidents/bluebleed/organisations/t-2",
        "/no-such-page",
        "/verify?code=K7QF",
    ]
    .map(page)
    .to_vec();
    for language in LANGUAGES {
        let url = format!("http://{}/verify?code={code}", serving.address);
        seen.push(json!({ "name": format!("verify {language}"), "url": url, "least": 150, "locale": language }));
    }
    assert_eq!(look(&stage, &seen, seen.len() * LOOKS), Vec::<String>::new());
}

#[test]
fn what_is_wrong_with_a_page_is_found() {
    let stage = Stage::new(Backend::Sqlite);
    let wrong = "<!DOCTYPE html><html><head></head><body><p style=\"color:#999\">pale</p><img src=\"http://127.0.0.1:9/x.gif\">\
                 <div style=\"width:2000px\">wide</div></body></html>";
    let file = stage.file("wrong.html", wrong);
    let found = look(&stage, &[json!({ "name": "wrong", "file": path(&file), "least": 1 })], LOOKS).join("\n");
    for expected in
        ["html-has-lang", "image-alt", "color-contrast", "px too wide", "asks for http://127.0.0.1:9", "1 pictures"]
    {
        assert!(found.contains(expected), "{expected} is missing in:\n{found}");
    }
}
