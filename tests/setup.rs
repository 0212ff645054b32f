//! What most tests begin with: an incident in a fresh store, and the way to released notices.

use std::path::{Path, PathBuf};

use testkit::generator::{Arguments, Expected, Incident, Rates};
use testkit::process::{Backend, Forthright};
use testkit::smtp::Recorder;

pub(crate) const SLUG: &str = "bluebleed";

/// The real binary.
pub(crate) fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_forthright"))
}

/// A store of its own with its incident open, and a folder that lives as long.
pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) run: Forthright,
}

/// Whether the clock of the store can be moved.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Clock {
    Real,
    Moved,
}

impl Stage {
    pub(crate) fn new(backend: Backend) -> Stage {
        Stage::with_clock(backend, Clock::Real)
    }

    pub(crate) fn with_clock(backend: Backend, clock: Clock) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let run = Forthright::new(bin(), &folder.path().join("data"), backend)
            .with("FORTHRIGHT_SENDER_ADDRESS", "incident-response@vendor.example")
            .as_actor("analyst");
        let init: &[&str] = if clock == Clock::Moved { &["store", "init", "--rehearsal"] } else { &["store", "init"] };
        run.ok(init);
        let stage = Stage { folder, run };
        let file = stage.file(
            "incident.toml",
            &format!("slug = \"{SLUG}\"\ntitle = \"Misconfigured storage server\"\nvendor = \"Example Cloud\"\ndiscovered_at = \"2022-09-24T08:00:00Z\"\n"),
        );
        let run = if clock == Clock::Moved {
            stage.run.with("FORTHRIGHT_NOW", "2022-09-25T09:00:00Z")
        } else {
            stage.run.clone()
        };
        run.ok(&["incident", "open", path(&file)]);
        stage
    }

    /// Where to send mails that are kept as files of the stage.
    pub(crate) fn files(&self) -> String {
        format!("file:{}", self.folder.path().join("out").display())
    }

    /// A file in the stage's folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The sample's directory.
    pub(crate) fn sample_directory(&self) {
        let sample = testkit::data::sample();
        self.directory(&sample.join("directory.csv"), &sample.join("contacts.csv"));
    }

    pub(crate) fn directory(&self, organisations: &Path, contacts: &Path) {
        self.run.ok(&["directory", "import", "--organisations", path(organisations), "--contacts", path(contacts)]);
    }

    /// Imports manifests; rejects make it partial.
    pub(crate) fn import(&self, files: &[&Path], shared: &Path) {
        let mut args = vec!["exposure", "import", SLUG, "--shared-domains", path(shared)];
        args.extend(files.iter().map(|file| path(file)));
        let output = self.run.run(&args);
        assert!([0, 3].contains(&output.status), "{}\n{}", output.stdout, output.stderr);
    }

    /// A generated incident, imported.
    pub(crate) fn generated(&self, seed: u64, rows: u64) -> Expected {
        let arguments = Arguments { seed, rows, rates: Rates::nasty(), ..Arguments::default() };
        let (expected, files) = self.waiting(&arguments);
        self.import(&[&files.csv], &files.freemail);
        expected
    }

    /// A generated incident whose directory is imported and whose manifests wait.
    pub(crate) fn waiting(&self, arguments: &Arguments) -> (Expected, Incident) {
        let folder = self.folder.path().join("generated");
        std::fs::create_dir_all(&folder).unwrap();
        let expected = Incident::generate(arguments, &folder).unwrap();
        let files = Incident::in_folder(&folder);
        self.directory(&files.directory, &files.contacts);
        (expected, files)
    }

    /// A directory of one or more tenants with one security contact each, and a manifest of one row each.
    pub(crate) fn small(&self, tenants: usize) {
        let mut directory = String::from("domain,tenant_id,tenant_name,country,language\n");
        let mut contacts = String::from("tenant_id,role,name,email,language\n");
        let mut manifest =
            String::from("object_path,domain,email,data_type,document_date,size_bytes,project_id,user_id\n");
        for n in 0..tenants {
            directory.push_str(&format!("org{n:05}.example,t-{n:05},Organisation {n},US,en\n"));
            contacts.push_str(&format!("t-{n:05},security,Contact {n},security@org{n:05}.example,en\n"));
            manifest.push_str(&format!(
                "box/{n}.pdf,org{n:05}.example,p@org{n:05}.example,invoice,2020-01-02,10,prj-{n},u-{n}\n"
            ));
        }
        let files =
            [("d.csv", directory), ("c.csv", contacts), ("m.csv", manifest), ("s.txt", "gmail.example\n".to_owned())]
                .map(|(name, text)| self.file(name, &text));
        self.directory(&files[0], &files[1]);
        self.import(&[&files[2]], &files[3]);
    }

    /// Drafts, approves and releases everything, by three people.
    pub(crate) fn release(&self) {
        self.release_at(&self.run);
    }

    pub(crate) fn release_at(&self, run: &Forthright) {
        run.ok(&["notice", "draft", SLUG]);
        run.as_actor("counsel").ok(&["notice", "approve", SLUG, "--all"]);
        run.as_actor("lead").ok(&["wave", "release", SLUG, "everybody", "--all"]);
    }

    /// Works until idle against a mail server.
    pub(crate) fn work(&self, recorder: &Recorder) {
        self.run.sending_to(&recorder.url()).ok(&["work", "--until-idle", "--timeout", "120"]);
    }

    /// The coverage equation, checked.
    pub(crate) fn status(&self) -> serde_json::Value {
        let status = self.run.json(&["delivery", "status", SLUG]);
        let parts = ["accepted", "in_progress", "unreachable", "withheld", "waiting_for_mapping", "not_released"];
        let sum: i64 = parts.iter().map(|part| status[part].as_i64().unwrap()).sum();
        assert_eq!(status["remainder"], 0, "{status}");
        assert_eq!(status["affected"], sum, "{status}");
        status
    }
}

pub(crate) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A mail's text part, decoded: what a person reads.
pub(crate) fn readable(message: &testkit::smtp::Message) -> String {
    let parsed = mail::inbound::read(&message.data, None, None, &|_| false);
    parsed.full_text
}

/// A time by which a decision is looked at again: within a year, at midnight.
pub(crate) fn review() -> String {
    let days = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() / 86_400 + 300;
    model::time::Timestamp::from_micros(i64::try_from(days * 86_400_000_000).unwrap()).to_string()
}
