//! The real binary, run as a person would run it.
//!
//! Each [`Forthright`] has a store of its own; nothing of the caller's environment that begins with `FORTHRIGHT_`
//! reaches the process, and none runs longer than [`LIMIT`].

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::postgres::Cluster;

/// A run that takes longer hangs.
pub const LIMIT: Duration = Duration::from_secs(600);

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one, in the data folder.
    Sqlite,
    /// A database of its own in the test process' cluster.
    Postgres,
}

impl Backend {
    /// Both, for tests that must hold on each.
    pub fn each() -> [Backend; 2] {
        [Backend::Sqlite, Backend::Postgres]
    }
}

/// How to call the binary on one store.
#[derive(Debug, Clone)]
pub struct Forthright {
    bin: PathBuf,
    folder: PathBuf,
    environment: Vec<(OsString, OsString)>,
    database: Option<String>,
}

/// How a run ended and what it said.
#[derive(Debug)]
pub struct Output {
    /// The exit code; 128 plus the signal if it was killed.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
}

impl Forthright {
    /// A store of its own in `folder` (made by the binary when needed), or in a new database of the test cluster.
    pub fn new(bin: &Path, folder: &Path, backend: Backend) -> Forthright {
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some(Cluster::shared().create_database().expect("cannot make a database")),
        };
        let new = Forthright { bin: bin.to_owned(), folder: folder.to_owned(), environment: Vec::new(), database };
        new.with("FORTHRIGHT_ACTOR", "tester")
    }

    /// The same store with one more variable in the environment.
    pub fn with(&self, name: &str, value: impl Into<OsString>) -> Forthright {
        let mut other = self.clone();
        other.environment.push((name.into(), value.into()));
        other
    }

    /// The same store in somebody else's hands.
    pub fn as_actor(&self, name: &str) -> Forthright {
        self.with("FORTHRIGHT_ACTOR", name)
    }

    /// The same store, sending there.
    pub fn sending_to(&self, url: &str) -> Forthright {
        self.with("FORTHRIGHT_SMTP_URL", url)
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database's URL; none for the embedded one.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// Runs to the end, with nothing on standard input.
    pub fn run(&self, args: &[&str]) -> Output {
        self.run_with_input(args, b"")
    }

    /// Runs to the end, with these bytes on standard input.
    pub fn run_with_input(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap_or_else(|error| self.cannot(&error));
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let input = input.to_owned();
        // In a thread of its own: the child may print more than a pipe holds before it has read everything.
        // A child that ends without reading is its own business.
        let feeding = thread::spawn(move || stdin.write_all(&input).unwrap_or_default());
        let stdout = collect(child.stdout.take().expect("standard output is a pipe"));
        let stderr = collect(child.stderr.take().expect("standard error is a pipe"));
        let status = wait(&mut child, args);
        feeding.join().expect("feeding standard input does not panic");
        let text = |reading: JoinHandle<Vec<u8>>| {
            String::from_utf8(reading.join().expect("reading does not panic")).expect("the binary prints UTF-8")
        };
        Output { status: code(status), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Runs to the end and returns standard output.
    ///
    /// # Panics
    /// With all it said, unless the exit code is 0.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status, 0, "forthright {args:?}\n{}\n{}", output.stdout, output.stderr);
        output.stdout
    }

    /// Runs with `--json` added; the one document it printed.
    ///
    /// # Panics
    /// Unless the exit code is 0 and standard output one JSON document.
    pub fn json(&self, args: &[&str]) -> Value {
        let stdout = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("forthright {args:?}: {error}\n{stdout}"))
    }

    /// Runs with `--csv` added; a map from column to value for each line.
    ///
    /// # Panics
    /// Unless the exit code is 0 and standard output a table.
    pub fn csv(&self, args: &[&str]) -> Vec<HashMap<String, String>> {
        let stdout = self.ok(&[args, &["--csv"]].concat());
        let mut reader = csv::Reader::from_reader(stdout.as_bytes());
        let rows: Result<_, _> = reader.deserialize().collect();
        rows.unwrap_or_else(|error| panic!("forthright {args:?}: {error}\n{stdout}"))
    }

    /// Starts it and goes on; it is killed when the handle is dropped.
    pub fn spawn(&self, args: &[&str]) -> Running {
        let mut child = self.command(args).stdin(Stdio::null()).spawn().unwrap_or_else(|error| self.cannot(&error));
        let said = Arc::new(Mutex::new(String::new()));
        follow(child.stdout.take().expect("standard output is a pipe"), &said);
        follow(child.stderr.take().expect("standard error is a pipe"), &said);
        Running { child, said }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.bin);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FORTHRIGHT_")) {
            command.env_remove(name);
        }
        command.args(args).env("FORTHRIGHT_DATA", &self.folder);
        command.envs(self.database.iter().map(|url| ("FORTHRIGHT_DATABASE_URL", url)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn cannot(&self, error: &io::Error) -> ! {
        panic!("cannot run {}: {error}; build it first", self.bin.display())
    }
}

/// A process that goes on while the test does; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has said so far, both channels, a line at a time.
    pub fn said(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first line it says that holds `needle`; nothing if none comes in time or it ends before.
    pub fn wait_for(&mut self, needle: &str, limit: Duration) -> Option<String> {
        let begun = Instant::now();
        loop {
            let ended = !matches!(self.child.try_wait(), Ok(None));
            if let Some(line) = self.said().lines().find(|line| line.contains(needle)) {
                return Some(line.to_owned());
            }
            if ended || begun.elapsed() > limit {
                return None;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(&mut self) {
        // One that is gone already needs no killing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end (SIGTERM) and waits for the exit code.
    pub fn terminate(&mut self) -> i32 {
        // The shell's own kill: a small image may have no other.
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &self.pid().to_string()]).status();
        assert!(told.is_ok_and(|status| status.success()), "cannot signal process {}", self.pid());
        self.wait()
    }

    /// Waits for the exit code.
    pub fn wait(&mut self) -> i32 {
        code(wait(&mut self.child, &["(spawned)"]))
    }

    /// The exit code, if it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.try_wait().ok().flatten().map(code)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn wait(child: &mut Child, args: &[&str]) -> ExitStatus {
    let begun = Instant::now();
    // Short runs are most runs: look often at first.
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return status;
        }
        if begun.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            panic!("forthright {args:?} did not end within {} s", LIMIT.as_secs());
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

/// Ends with the pipe, that is with the child.
fn follow(from: impl Read + Send + 'static, said: &Arc<Mutex<String>>) {
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&line);
            said.push('\n');
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> Forthright {
        Forthright::new(Path::new("/bin/sh"), Path::new("data"), Backend::Sqlite)
    }

    #[test]
    fn a_run_has_its_code_its_output_and_its_environment() {
        let script = r#"cat; echo "$FORTHRIGHT_DATA $FORTHRIGHT_ACTOR $FORTHRIGHT_DATABASE_URL" >&2; exit 4"#;
        let output = shell().as_actor("second").run_with_input(&["-c", script], b"in");
        assert_eq!(output.status, 4);
        assert_eq!(output.stdout, "in");
        assert_eq!(output.stderr, "data second \n");
    }

    #[test]
    fn a_table_is_read_by_column() {
        let rows = shell().csv(&["-c", r#"printf 'a,b\n1,"x, y"\n'"#]);
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["b"], "x, y");
    }

    #[test]
    fn a_spawned_process_is_heard_and_does_not_outlive_its_handle() {
        let mut running = shell().spawn(&["-c", "echo ready; exec sleep 60"]);
        assert_eq!(running.wait_for("rea", Duration::from_secs(10)).unwrap(), "ready");
        let proc = PathBuf::from(format!("/proc/{}", running.pid()));
        assert!(proc.exists());
        drop(running);
        assert!(!proc.exists());
    }

    #[test]
    #[should_panic(expected = "lost")]
    fn a_failed_run_shows_what_it_said() {
        shell().ok(&["-c", "echo lost >&2; exit 1"]);
    }
}
