//! Genuine or phishing: codes for the support desk and for anybody.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use testkit::process::{Backend, Forthright, Running};

use crate::setup::{SLUG, Stage, path};

/// The pages of a store, on a port of their own, until dropped.
pub(crate) struct Serving {
    pub(crate) address: String,
    _running: Running,
}

impl Serving {
    pub(crate) fn start(stage: &Stage) -> Serving {
        let mut running = stage.run.spawn(&["serve", "--listen", "127.0.0.1:0", "--no-workers"]);
        let line = running.wait_for("http://", Duration::from_secs(60)).unwrap_or_else(|| panic!("{}", running.said()));
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let address = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
        Serving { address, _running: running }
    }

    /// The whole answer to a GET, headers first.
    pub(crate) fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = &self.address;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The page of a code, asked for by a client of its own.
    fn code(&self, code: &str, client: u8) -> String {
        self.get(&format!("/verify?code={code}"), &format!("X-Forwarded-For: 192.0.2.{client}\r\n"))
    }
}

fn codes(stage: &Stage) -> Vec<String> {
    stage.run.csv(&["notice", "list", SLUG]).iter().map(|row| row["code"].clone()).collect()
}

/// The same code with another last character.
fn mistyped(code: &str) -> String {
    let (rest, last) = code.split_at(code.len() - 1);
    format!("{rest}{}", if last == "7" { "8" } else { "7" })
}

/// A code that checks, of nobody.
fn unknown() -> String {
    model::code::NoticeCode::of(b"nobody's notice").to_string()
}

#[test]
fn the_support_desk_sees_whose_a_code_is_and_tells_slips_from_forgeries() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        stage.run.ok(&["notice", "draft", SLUG]);
        let code = codes(&stage)[1].clone();
        let drafted = stage.run.json(&["notice", "verify", &code]);
        assert_eq!((&drafted["state"], &drafted["released_at"]), (&"drafted".into(), &"".into()), "{drafted}");
        stage.release();
        let released = stage.run.json(&["notice", "verify", &code.to_lowercase().replace('-', " ")]);
        for (field, value) in
            [("code", code.as_str()), ("tenant_id", "t-00001"), ("state", "released"), ("kind", "initial")]
        {
            assert_eq!(released[field], value, "{released}");
        }
        let header = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n";
        let more = stage.file("late.csv", &format!("{header}late/1.pdf,org00001.example,,contract,2021-05-06,7,,\n"));
        let shared = stage.file("none.txt", "free.example\n");
        stage.import(&[&more], &shared);
        stage.run.ok(&["notice", "draft", SLUG]);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "second", "--all"]);
        let followed = stage.run.json(&["notice", "verify", &code]);
        let second = codes(&stage)[2].clone();
        assert_eq!(followed["followed_by"], stage.run.json(&["notice", "verify", &second])["notice_id"], "{followed}");
        for (typed, said) in [
            (mistyped(&code), "is mistyped: its last character"),
            (unknown(), "and it is not mistyped"),
            ("K7QF".to_owned(), "has not the form of a notice code"),
        ] {
            let refused = stage.run.run(&["notice", "verify", &typed]);
            assert_eq!(refused.status, 1, "{typed}");
            assert!(refused.stderr.contains(said) && refused.stderr.contains("hint: "), "{}", refused.stderr);
        }
    }
}

#[test]
fn anybody_learns_that_a_code_is_genuine_and_nothing_else() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(2);
        stage.run.ok(&["notice", "draft", SLUG]);
        let code = codes(&stage)[0].clone();
        let serving = Serving::start(&stage);
        let body = |page: &str| page.split_once("\r\n\r\n").unwrap().1.to_owned();
        let not_sent = serving.code(&code, 1);
        stage.release();
        let genuine = serving.code(&code.to_lowercase(), 1);
        for words in ["This code is genuine", "Example Cloud", "Misconfigured storage server", "sent on 20"] {
            assert!(genuine.contains(words), "{words} is missing in:\n{genuine}");
        }
        for secret in ["Organisation", "t-0000", "org0000", "ntc_", "invoice", "version", SLUG] {
            assert!(!genuine.contains(secret), "{secret} is told in:\n{genuine}");
        }
        let others = [not_sent, serving.code(&mistyped(&code), 2), serving.code(&unknown(), 3), serving.code("x", 4)];
        let said: Vec<String> = others
            .iter()
            .map(|page| {
                let (head, rest) = page.split_once("<code>").unwrap();
                assert!(head.starts_with("HTTP/1.1 200"), "{head}");
                format!("{}{}", body(head), rest.split_once("</code>").unwrap().1)
            })
            .collect();
        assert!(said[0].contains("We do not know this code") && said.iter().all(|page| *page == said[0]), "{said:?}");
    }
}

#[test]
fn a_client_that_guesses_is_slowed_down_and_others_go_on() {
    let stage = Stage::new(Backend::Sqlite);
    let serving = Serving::start(&stage);
    let tried = |client| serving.code(&unknown(), client).lines().next().unwrap().to_owned();
    let first: Vec<String> = (0..12).map(|_| tried(1)).collect();
    assert!(first[0].contains("200") && first[11].contains("429"), "{first:?}");
    assert!(tried(2).contains("200"));
    let german = serving.get("/verify", "Accept-Language: de-AT, en;q=0.5\r\n");
    assert!(german.contains("<html lang=\"de\"") && german.contains("content-language: de"), "{german}");
    for markup in ["%3Cscript%3Ealert(1)%3C/script%3E", "%22%3E%3Cimg%20src=x%3E"] {
        let page = serving.code(markup, 3);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }
}

#[test]
fn a_link_to_somebody_elses_host_is_refused_wherever_it_stands() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        stage.small(1);
        let state = |words: &str| {
            let file = stage.file("words.txt", words);
            stage.run.ok(&["incident", "state", SLUG, "what_happened", "--text", path(&file)]);
            stage.run.ok(&["notice", "draft", SLUG]);
        };
        let check = |run: &Forthright| run.run(&["notice", "check", SLUG, "--obligations", "eu-nis2-recipients"]);
        let approve = |run: &Forthright| run.as_actor("counsel").run(&["notice", "approve", SLUG, "--all"]);
        state("A server was open.\n\nRead https://vendor.example@evil.example/advice about it.");
        let said = "`https://vendor.example@evil.example` is no host under vendor.example";
        let checked = check(&stage.run);
        assert_eq!(checked.status, 4, "{}", checked.stderr);
        let place = "statement what_happened, line 3, column 6: ";
        assert!(checked.stderr.contains(&format!("{place}{said}")), "{}", checked.stderr);
        let refused = approve(&stage.run);
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(refused.stderr.contains("en text, line ") && refused.stderr.contains(said), "{}", refused.stderr);
        state("Read https://evil.example/advice about it.");
        assert_eq!(approve(&stage.run.with("FORTHRIGHT_SENDER_LINK_HOSTS", "a.example, evil.example")).status, 0);

        let words = stage.run.ok(&["templates", "show", "reminder", "en"]);
        let subject = stage.file("s.hbs", "About {{code}}\n");
        let set = |text: &str| {
            let text = stage.file("t.hbs", text);
            let args = ["templates", "set", SLUG, "reminder", "en", "--subject", path(&subject), "--text", path(&text)];
            stage.run.run(&[&args[..], &["--why", "x"]].concat())
        };
        let refused = set(&format!("See www.evil.example today.\n{words}"));
        assert_eq!(refused.status, 4, "{}", refused.stderr);
        assert!(
            refused.stderr.contains("template reminder/en.text, line 1, column 5: `www.evil.example`"),
            "{}",
            refused.stderr
        );
        for hidden in [
            "https:/{{!-- --}}/evil.example/login",
            "ww{{!-- --}}w.evil.example",
            "https://vendor.example.{{tenant_name}}",
        ] {
            let refused = set(&format!("See {hidden} today.\n{words}"));
            assert!(
                refused.status == 4 && refused.stderr.contains(" is no host under "),
                "{hidden}: {}",
                refused.stderr
            );
        }
        assert_eq!(set(&format!("See https://help.vendor.example/{{{{code}}}} today.\n{words}")).status, 0);
        let elsewhere = stage.run.with("FORTHRIGHT_SENDER_ADDRESS", "ir@other.example");
        let checked = elsewhere.run(&["templates", "check", "--incident", SLUG]);
        assert!(
            checked.status == 4
                && checked.stderr.contains("`https://help.vendor.example` is no host under other.example")
        );
    }
}

#[test]
fn names_and_domains_that_look_like_links_are_facts_that_lead_nowhere_also_when_they_are_taken_back() {
    for backend in Backend::each() {
        let stage = Stage::new(backend);
        let directory = "domain,tenant_id,tenant_name,country,language\norg0.example,t-0,www.evil.example,US,en\norg1.example,t-1,http://evil.example/login,US,en\nwww.org2.example,t-0,www.evil.example,US,en\n";
        let contacts =
            "tenant_id,role,name,email,language\nt-0,security,A,a@org0.example,en\nt-1,security,B,b@org1.example,en\n";
        let rows = "object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\na,org0.example,,www.evil.example/login,2020-01-02,9,,\nb,org1.example,,https://evil.example,2020-01-02,9,,\nc,www.org2.example,,invoice,2020-01-02,9,,\n";
        stage.directory(&stage.file("d.csv", directory), &stage.file("c.csv", contacts));
        stage.import(&[&stage.file("m.csv", rows)], &stage.file("s.txt", "free.example\n"));
        stage.release();
        for tenant in ["t-0", "t-1"] {
            for format in ["text", "html"] {
                let shown = stage.run.ok(&["notice", "preview", SLUG, tenant, "--format", format]);
                assert!(!shown.contains("www.evil") && !shown.contains("://evil"), "{backend:?}: {shown}");
            }
        }
        stage.work(&testkit::smtp::Recorder::start().unwrap());
        // A correction that takes a domain back which begins like a link.
        stage.run.ok(&["mapping", "assign", SLUG, "www.org2.example", "t-1", "--why", "sold"]);
        stage.run.ok(&["notice", "draft", SLUG]);
        let shown = stage.run.ok(&["notice", "preview", SLUG, "t-0"]);
        assert!(shown.contains("www.org2.example: is not yours"), "{backend:?}: {shown}");
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        // And one that takes everything back.
        stage.run.as_actor("lead").ok(&["wave", "release", SLUG, "second", "--all"]);
        stage.work(&testkit::smtp::Recorder::start().unwrap());
        stage.run.ok(&["exposure", "withdraw", SLUG, "m.csv", "--why", "of another incident"]);
        assert_eq!(stage.run.json(&["notice", "draft", SLUG])["drafted"], 2);
        stage.run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        let shown = stage.run.ok(&["notice", "preview", SLUG, "t-1"]);
        assert!(shown.contains("www.org2.example") && !shown.contains("://evil"), "{backend:?}: {shown}");
    }
}
