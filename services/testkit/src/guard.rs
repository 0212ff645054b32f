//! Servers of other people that must not outlive the test, however it ends.
//!
//! The same way as for PostgreSQL: a shell starts the server and reads a pipe whose other end only we hold; at the end of
//! that pipe it stops the server and removes its folder.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Longer than any start seen on a busy machine of two cores.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A server with a folder of its own; both are gone when this is dropped or the process ends.
#[derive(Debug)]
pub(crate) struct Guard {
    folder: PathBuf,
    watchdog: Child,
    lifeline: Option<ChildStdin>,
}

impl Guard {
    /// A folder that the accounts of a server can enter.
    pub(crate) fn folder(prefix: &str) -> Result<PathBuf> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir().context("cannot make a folder")?.keep();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))?;
        Ok(folder)
    }

    /// Runs two lines of shell as root, `start` now and `stop` at the end, with the folder as `$folder`.
    pub(crate) fn start(folder: PathBuf, start: &str, stop: &str) -> Result<Guard> {
        let script = format!("trap '' INT TERM HUP\nfolder=$1\n{start}\nread -r _\n{stop}\nwait\nrm -rf \"$folder\"\n");
        let mut watchdog = if is_root()? { Command::new("sh") } else { Command::new("sudo") };
        if !is_root()? {
            watchdog.args(["-n", "sh"]);
        }
        watchdog.args(["-c", &script, "watchdog"]).arg(&folder).process_group(0).current_dir("/");
        watchdog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut watchdog = watchdog.spawn().context("mail servers start as root only: run as root, or with sudo")?;
        let lifeline = watchdog.stdin.take();
        Ok(Guard { folder, watchdog, lifeline })
    }

    /// Waits until `is_ready`; otherwise what stands in the server's log.
    pub(crate) fn wait(&self, is_ready: impl Fn() -> bool) -> Result<()> {
        let begun = Instant::now();
        while !is_ready() {
            let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            ensure!(begun.elapsed() < START_LIMIT, "the server did not start; its log:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // A watchdog that cannot be waited for has ended already.
        let _ = self.watchdog.wait();
    }
}

/// Whether this process is root, who hands mail on to another account.
pub(crate) fn is_root() -> Result<bool> {
    Ok(owner(Path::new("/proc/self"))? == 0)
}

/// The account that a file belongs to.
pub(crate) fn owner(file: &Path) -> Result<u32> {
    Ok(std::fs::metadata(file).with_context(|| format!("cannot see {}", file.display()))?.uid())
}
