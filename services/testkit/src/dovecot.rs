//! Dovecot as an IMAP server, on free ports of 127.0.0.1, with a maildir for each user in a temporary folder.
//!
//! Users are `support` and `privacy`, with the password [`PASSWORD`]. Mail is put into a mailbox as a delivery agent
//! does: a file in `new`. Ends with the test.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// Of every user.
pub const PASSWORD: &str = "correct-horse";
const START_LIMIT: Duration = Duration::from_secs(30);
const BINARY: &str = "/usr/sbin/dovecot";

/// A running server.
#[derive(Debug)]
pub struct Dovecot {
    folder: tempfile::TempDir,
    /// Plain, with STARTTLS offered.
    pub port: u16,
    /// TLS from the start.
    pub tls_port: u16,
    server: Option<Child>,
    delivered: AtomicU64,
    capability: Option<String>,
}

impl Dovecot {
    /// Starts one.
    ///
    /// # Panics
    /// With the reason and the next step.
    pub fn start() -> Self {
        Self::start_as(None)
    }

    /// One that offers less than it can: `IMAP4rev1`, and whatever is named.
    pub fn offering(capability: &str) -> Self {
        Self::start_as(Some(capability))
    }

    fn start_as(capability: Option<&str>) -> Self {
        Self::try_start(capability).unwrap_or_else(|error| panic!("cannot start Dovecot: {error:#}"))
    }

    fn try_start(capability: Option<&str>) -> Result<Self> {
        ensure!(Path::new(BINARY).exists(), "install it: apt-get install -y dovecot-imapd");
        let folder = tempfile::tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        certificate(folder.path())?;
        let (port, tls_port) = (free_port()?, free_port()?);
        let capability = capability.map(str::to_owned);
        let mut server = Self { folder, port, tls_port, server: None, delivered: AtomicU64::new(0), capability };
        for user in ["support", "privacy"] {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(server.maildir(user).join(part))?;
            }
        }
        server.own_everything()?;
        server.restart()?;
        Ok(server)
    }

    /// Starts it again on the same ports, with the same mail.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        let config = self.folder.path().join("dovecot.conf");
        fs::write(&config, self.config()?)?;
        let log = fs::File::create(self.folder.path().join("said"))?;
        let server = Command::new(BINARY)
            .arg("-F")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot run dovecot")?;
        self.server = Some(server);
        let begun = Instant::now();
        while !self.greets() {
            if begun.elapsed() > START_LIMIT {
                let said = fs::read_to_string(self.folder.path().join("said")).unwrap_or_default();
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("it does not greet: {said}\n{log}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Stops it, connections and all.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &server.id().to_string()]).status();
            let begun = Instant::now();
            let is_ending = told.is_ok_and(|status| status.success());
            while is_ending && begun.elapsed() < START_LIMIT && matches!(server.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(10));
            }
            // One that is gone already needs no killing.
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Puts a message into a user's INBOX.
    pub fn deliver(&self, user: &str, message: &str) {
        self.deliver_bytes(user, message.replace('\n', "\r\n").as_bytes());
    }

    /// The same, as it is.
    pub fn deliver_bytes(&self, user: &str, message: &[u8]) {
        let number = self.delivered.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}.M{number}P{}.test", 1_700_000_000 + number, std::process::id());
        let there = self.maildir(user);
        let unfinished = there.join("tmp").join(&name);
        fs::write(&unfinished, message).expect("a mail can be written");
        self.give(&unfinished).expect("a mail can be given to its owner");
        fs::rename(&unfinished, there.join("new").join(&name)).expect("a mail can be delivered");
    }

    /// A message that Dovecot can list and not read: its size stands in its name, and nobody may open its file.
    pub fn deliver_unreadable(&self, user: &str) {
        let there = self.maildir(user).join("new").join("1600000000.M1P1.test,S=20,W=20");
        fs::write(&there, "Subject: x\r\n\r\nhello\r\n").expect("a mail can be written");
        fs::set_permissions(&there, fs::Permissions::from_mode(0o000)).expect("a mail can be locked");
    }

    /// The messages of a folder (`""` = INBOX), without those that are marked as deleted.
    pub fn messages(&self, user: &str, folder: &str) -> Vec<PathBuf> {
        let base = match folder {
            "" => self.maildir(user),
            name => self.maildir(user).join(format!(".{name}")),
        };
        let mut found = Vec::new();
        for part in ["cur", "new"] {
            for entry in fs::read_dir(base.join(part)).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let flags = name.split_once(":2,").map_or("", |(_, flags)| flags);
                if !flags.contains('T') {
                    found.push(entry.path());
                }
            }
        }
        found.sort();
        found
    }

    /// Gives every message of the INBOX another number, under another UIDVALIDITY.
    pub fn number_anew(&mut self, user: &str) {
        self.stop();
        for entry in fs::read_dir(self.maildir(user)).expect("a maildir can be read").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("dovecot") {
                let _ = fs::remove_file(entry.path());
            }
        }
        self.restart().expect("Dovecot starts again");
    }

    /// Its certificate's fingerprint, as configuration takes it.
    pub fn pin(&self) -> String {
        let out = Command::new("openssl")
            .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
            .arg(self.folder.path().join("cert.pem"))
            .output()
            .expect("openssl runs");
        let text = String::from_utf8_lossy(&out.stdout).trim().to_owned();
        format!("sha256:{}", text.rsplit('=').next().unwrap_or_default())
    }

    /// What it logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn maildir(&self, user: &str) -> PathBuf {
        self.folder.path().join("mail").join(user)
    }

    fn greets(&self) -> bool {
        let Ok(stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let mut line = String::new();
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let greeted = BufReader::new(&stream).read_line(&mut line).is_ok() && line.starts_with("* OK");
        let _ = (&stream).write_all(b"a LOGOUT\r\n");
        greeted
    }

    fn is_root(&self) -> bool {
        fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
    }

    /// The user that mail belongs to: `nobody` where this runs as root, else whoever runs it.
    fn owner(&self) -> Result<(u32, u32, String, String)> {
        let name = if self.is_root() { "nobody".to_owned() } else { said("id", &["-un"])? };
        let group = said("id", &["-gn", &name])?;
        Ok((said("id", &["-u", &name])?.parse()?, said("id", &["-g", &name])?.parse()?, name, group))
    }

    fn give(&self, path: &Path) -> Result<()> {
        if self.is_root() {
            let (user, group, _, _) = self.owner()?;
            chown(path, Some(user), Some(group))?;
        }
        Ok(())
    }

    fn own_everything(&self) -> Result<()> {
        let mut folders = vec![self.folder.path().join("mail")];
        while let Some(folder) = folders.pop() {
            self.give(&folder)?;
            folders.extend(fs::read_dir(&folder)?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()));
        }
        Ok(())
    }

    fn config(&self) -> Result<String> {
        let base = self.folder.path().display();
        let (uid, gid, user, group) = self.owner()?;
        let own_users = match self.is_root() {
            true => String::new(),
            false => format!(
                "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
                 service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n"
            ),
        };
        let capability =
            self.capability.as_ref().map_or_else(String::new, |text| format!("imap_capability = IMAP4rev1 {text}\n"));
        Ok(format!(
            "protocols = imap\nlisten = 127.0.0.1\nbase_dir = {base}/run\nstate_dir = {base}/state\nlog_path = {base}/log\n\
             ssl = yes\nssl_cert = <{base}/cert.pem\nssl_key = <{base}/key.pem\ndisable_plaintext_auth = no\n\
             mail_location = maildir:{base}/mail/%u\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
             auth_failure_delay = 0\nmaildir_very_dirty_syncs = no\nmailbox_idle_check_interval = 1 s\n{own_users}{capability}\
             passdb {{\n driver = static\n args = password={{PLAIN}}{PASSWORD}\n}}\n\
             userdb {{\n driver = static\n args = uid={uid} gid={gid} home={base}/mail/%u allow_all_users=yes\n}}\n\
             service imap-login {{\n chroot =\n inet_listener imap {{\n port = {}\n }}\n inet_listener imaps {{\n port = {}\n ssl = yes\n }}\n}}\n",
            self.port, self.tls_port,
        ))
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

fn said(program: &str, args: &[&str]) -> Result<String> {
    let out = Command::new(program).args(args).output().with_context(|| format!("cannot run {program}"))?;
    ensure!(out.status.success(), "{program} {args:?} fails");
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn certificate(folder: &Path) -> Result<()> {
    let out = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout"])
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .output()
        .context("cannot run openssl")?;
    ensure!(out.status.success(), "openssl: {}", String::from_utf8_lossy(&out.stderr));
    Ok(())
}
