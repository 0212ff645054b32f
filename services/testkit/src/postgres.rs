//! A throw-away PostgreSQL for one test process, on a free port of 127.0.0.1, in a temporary folder.
//!
//! It is not durable (`fsync=off`) and must not be used for measurements. The server never outlives its test process,
//! however that ends: its parent is a shell that reads a pipe whose other end only we hold; at the end of that pipe
//! it stops the server and removes the folder.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Where Debian keeps the binaries: one folder a major version.
const INSTALLED_UNDER: &str = "/usr/lib/postgresql";
/// Longer than any start seen on a busy machine of two cores.
const START_LIMIT: Duration = Duration::from_secs(60);
/// Somebody else can take a port between our look and the server's bind.
const PORT_TRIES: usize = 5;
const USER: &str = "forthright";

/// Runs the server as its child and outlives the test process just long enough to stop it.
/// Arguments: folder, then the server's command line. A line it reads is the signal that the server is restarted with.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
folder=$1; shift
"$@" </dev/null >"$folder/log" 2>&1 &
server=$!
while read -r signal; do
  kill -"$signal" "$server"
  wait "$server"
  "$@" </dev/null >>"$folder/log" 2>&1 &
  server=$!
done
kill -QUIT "$server" 2>/dev/null
wait "$server"
rm -rf "$folder"
"#;

/// How a server ends before it starts again.
#[derive(Debug, Clone, Copy)]
pub enum Stop {
    /// Sessions end, and what was committed is written.
    Fast,
    /// As after a crash.
    Immediate,
}

const STARTED: &str = "SELECT pg_postmaster_start_time()";

/// A running server; it is stopped and removed when this is dropped or the process ends.
#[derive(Debug)]
pub struct Cluster {
    bin: PathBuf,
    folder: PathBuf,
    port: u16,
    watchdog: Child,
    /// Closing it is what stops the server; the kernel does that for us if we are killed.
    lifeline: Option<ChildStdin>,
    databases: AtomicU32,
}

impl Cluster {
    /// The one server of this test process, started at the first call.
    ///
    /// # Panics
    /// With the reason and the next step, if it cannot be started.
    pub fn shared() -> &'static Cluster {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| match Cluster::start() {
            Ok(cluster) => cluster,
            Err(error) => panic!("cannot start a PostgreSQL for the tests: {error:#}"),
        })
    }

    /// Starts a server of its own. Most tests want [`Cluster::shared`].
    pub fn start() -> Result<Cluster> {
        let bin = newest_installation(Path::new(INSTALLED_UNDER))?;
        let account = Account::for_server()?;
        let mut tries = 0;
        loop {
            tries += 1;
            match start_once(&bin, account.as_ref()) {
                Err(error) if tries < PORT_TRIES && format!("{error:#}").contains("in use") => {}
                done => return done,
            }
        }
    }

    /// Makes an empty database with a name of its own; returns its URL.
    pub fn create_database(&self) -> Result<String> {
        self.create_database_from("template1")
    }

    /// Makes a copy of another database of this cluster (a migrated one, say) that nobody is connected to;
    /// returns its URL.
    pub fn create_database_from(&self, template: &str) -> Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql("postgres", &format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}""#))?;
        Ok(self.url(&name))
    }

    /// The URL of a database by name.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs one statement in a database, as somebody with `psql` at hand would; returns the unaligned rows.
    pub fn sql(&self, database: &str, statement: &str) -> Result<String> {
        let mut psql = Command::new(self.bin.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", statement]).arg(self.url(database));
        printed(run(&mut psql)?, statement)
    }

    /// Stops the server and starts it again; returns once it is ready.
    pub fn restart(&mut self, how: Stop) -> Result<()> {
        let signal = match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        };
        let started = self.sql("postgres", STARTED)?;
        writeln!(self.lifeline.as_mut().context("the server is stopped")?, "{signal}")?;
        // The old one may be ready for a moment yet, and its log tells of sessions that it ended.
        let begun = Instant::now();
        while !self.sql("postgres", STARTED).is_ok_and(|now| now != started) {
            ensure!(begun.elapsed() < START_LIMIT, "the server did not start again");
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The folder that holds the cluster; gone soon after the server.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            // Through the socket in our own folder: a port could belong to somebody else's server.
            let mut ask = Command::new(self.bin.join("pg_isready"));
            ask.arg("-q").arg("-h").arg(&self.folder).args(["-p", &self.port.to_string(), "-d", "postgres"]);
            if run(&mut ask)?.status.success() {
                return Ok(());
            }
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            let refused = log.lines().any(|line| line.contains("FATAL:") && !line.contains("starting up"));
            ensure!(!refused && begun.elapsed() < START_LIMIT, "the server did not start; its log:\n{log}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // A watchdog that cannot be waited for has ended already.
        let _ = self.watchdog.wait();
    }
}

fn start_once(bin: &Path, account: Option<&Account>) -> Result<Cluster> {
    let folder = tempfile::Builder::new().prefix("forthright-pg-").tempdir().context("cannot make a folder")?.keep();
    let started = start_in(bin, account, &folder);
    if started.is_err() {
        // The first error is the one to tell; the watchdog may have removed the folder before us.
        let _ = fs::remove_dir_all(&folder);
    }
    started
}

fn start_in(bin: &Path, account: Option<&Account>, folder: &Path) -> Result<Cluster> {
    if let Some(account) = account {
        chown(folder, Some(account.uid), Some(account.gid))
            .context("cannot hand the folder to the server's account")?;
    }
    let data = folder.join("data");
    let mut initdb = as_account(account, &bin.join("initdb"));
    initdb.arg("-D").arg(&data).args(["-U", USER, "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]);
    printed(run(initdb.current_dir("/"))?, "initdb")?;

    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).context("no free port")?.port();
    let server = as_account(account, &bin.join("postgres"));
    let mut watchdog = Command::new("sh");
    watchdog.args(["-c", WATCHDOG, "watchdog"]).arg(folder).arg(server.get_program()).args(server.get_args());
    watchdog.arg("-D").arg(&data).arg("-k").arg(folder).args(["-p", &port.to_string()]);
    for setting in ["listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "max_connections=200"] {
        watchdog.args(["-c", setting]);
    }
    // A group of its own, so that Ctrl-C at the terminal reaches the test first and the server through the pipe.
    let watchdog = watchdog.process_group(0).current_dir("/");
    let mut watchdog = watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let lifeline = watchdog.stdin.take();
    let (bin, folder) = (bin.to_owned(), folder.to_owned());
    let mut cluster = Cluster { bin, folder, port, watchdog, lifeline, databases: AtomicU32::new(0) };
    cluster.wait_until_ready()?;
    Ok(cluster)
}

/// The unprivileged account the server runs under where we are root, which it refuses to run as.
#[derive(Debug)]
struct Account {
    uid: u32,
    gid: u32,
}

impl Account {
    /// None: we are not root, and the server runs as ourselves.
    fn for_server() -> Result<Option<Account>> {
        if fs::metadata("/proc/self").context("cannot tell who we are")?.uid() != 0 {
            return Ok(None);
        }
        let passwd = fs::read_to_string("/etc/passwd").context("cannot read the accounts")?;
        let found = ["postgres", "nobody"].into_iter().find_map(|name| Account::named(name, &passwd));
        let hint =
            "PostgreSQL does not run as root, and there is no account postgres or nobody: run the tests as a user";
        Ok(Some(found.context(hint)?))
    }

    fn named(name: &str, passwd: &str) -> Option<Account> {
        let mut fields = passwd.lines().map(|line| line.split(':')).find(|line| line.clone().next() == Some(name))?;
        Some(Account { uid: fields.nth(2)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }
}

fn as_account(account: Option<&Account>, program: &Path) -> Command {
    let Some(Account { uid, gid }) = account else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={uid}"), format!("--regid={gid}")]).args(["--clear-groups", "--"]).arg(program);
    command
}

fn newest_installation(under: &Path) -> Result<PathBuf> {
    let hint = "PostgreSQL is not installed: run ops/test, or apt-get install postgresql";
    let versions = fs::read_dir(under).with_context(|| format!("{}: {hint}", under.display()))?;
    let versions: BTreeSet<u32> =
        versions.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let bins = versions.iter().rev().map(|version| under.join(version.to_string()).join("bin"));
    let found = bins.into_iter().find(|bin| bin.join("postgres").exists() && bin.join("initdb").exists());
    found.with_context(|| format!("no server under {}: {hint}", under.display()))
}

fn run(command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => anyhow::anyhow!("{:?} is not installed", command.get_program()),
        _ => anyhow::anyhow!("cannot run {:?}: {error}", command.get_program()),
    })
}

fn printed(output: Output, what: &str) -> Result<String> {
    if !output.status.success() {
        bail!("{what}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_is_a_new_empty_one() {
        let cluster = Cluster::shared();
        let (one, two) = (cluster.create_database().unwrap(), cluster.create_database().unwrap());
        assert_ne!(one, two);
        let name = one.rsplit('/').next().unwrap();
        cluster.sql(name, "CREATE TABLE t (n int); INSERT INTO t VALUES (42)").unwrap();
        assert_eq!(cluster.sql(name, "SELECT n FROM t").unwrap(), "42");
        let copy = cluster.create_database_from(name).unwrap();
        assert_eq!(cluster.sql(copy.rsplit('/').next().unwrap(), "SELECT n FROM t").unwrap(), "42");
        assert!(cluster.sql(two.rsplit('/').next().unwrap(), "SELECT n FROM t").is_err());
    }

    #[test]
    fn a_dropped_cluster_leaves_neither_server_nor_folder() {
        let cluster = Cluster::start().unwrap();
        let (folder, port) = (cluster.folder().to_owned(), cluster.port);
        assert!(folder.exists());
        drop(cluster);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }

    #[test]
    fn a_restarted_server_has_what_was_committed() {
        let mut cluster = Cluster::start().unwrap();
        cluster.sql("postgres", "CREATE TABLE t (n int); INSERT INTO t VALUES (42)").unwrap();
        let started = cluster.sql("postgres", STARTED).unwrap();
        for how in [Stop::Fast, Stop::Immediate] {
            cluster.restart(how).unwrap();
            assert_eq!(cluster.sql("postgres", "SELECT n FROM t").unwrap(), "42");
        }
        assert_ne!(cluster.sql("postgres", STARTED).unwrap(), started);
    }

    #[test]
    fn a_machine_without_postgresql_is_told_what_to_install() {
        let empty = tempfile::tempdir().unwrap();
        let error = newest_installation(empty.path()).unwrap_err().to_string();
        assert!(error.contains("apt-get install postgresql"), "{error}");
    }
}
