//! Real mailboxes: Dovecot, which takes mail by LMTP on a socket of its own and keeps it as files.
//!
//! Whom it does not know it refuses, and who is full it refuses for now; both are its own words.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::guard::{Guard, is_root, owner};

const CONFIGURATION: &str = "
base_dir = @/run
state_dir = @/run
log_path = @/log
protocols = lmtp
ssl = no
mail_location = maildir:@/mail/%u
mail_uid = #
mail_gid = #
first_valid_uid = 1
first_valid_gid = 1
auth_username_format = %Lu
mail_plugins = quota
passdb {
  driver = passwd-file
  args = username_format=%u @/users
}
userdb {
  driver = passwd-file
  args = username_format=%u @/users
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=100M
}
quota_full_tempfail = yes
service lmtp {
  unix_listener lmtp {
    mode = 0666
  }
}
";

/// A running Dovecot; it is stopped and removed when this is dropped.
#[derive(Debug)]
pub struct Mailboxes {
    guard: Guard,
    users: Vec<String>,
}

impl Mailboxes {
    /// Starts it with these addresses.
    pub fn start(users: impl IntoIterator<Item = String>) -> Result<Mailboxes> {
        let folder = Guard::folder("forthright-imap-")?;
        fs::create_dir(folder.join("mail"))?;
        let account = if is_root()? {
            let passwd = fs::read_to_string("/etc/passwd").context("cannot read the accounts")?;
            let line = passwd.lines().find(|line| line.starts_with("dovecot:"));
            let line = line.context("Dovecot is not installed: run ops/test, or apt-get install dovecot-lmtpd")?;
            let id: u32 = line.split(':').nth(2).unwrap_or_default().parse()?;
            chown(folder.join("mail"), Some(id), None)?;
            id
        } else {
            owner(Path::new("/proc/self"))?
        };
        let configuration =
            CONFIGURATION.replace('@', &folder.display().to_string()).replace('#', &account.to_string());
        fs::write(folder.join("dovecot.conf"), configuration)?;
        let users: Vec<String> = users.into_iter().collect();
        write_users(&folder.join("users"), &users, &[])?;
        let guard = Guard::start(
            folder,
            "dovecot -F -c \"$folder/dovecot.conf\" </dev/null >\"$folder/out\" 2>&1 &\nserver=$!",
            "kill -TERM \"$server\"",
        )?;
        let mailboxes = Mailboxes { guard, users };
        mailboxes.guard.wait(|| UnixStream::connect(mailboxes.socket()).is_ok())?;
        Ok(mailboxes)
    }

    /// Where it takes mail by LMTP.
    pub fn socket(&self) -> PathBuf {
        self.guard.path("run/lmtp")
    }

    /// From now on these have no room, and all others have.
    pub fn full(&self, full: &[String]) -> Result<()> {
        write_users(&self.guard.path("users"), &self.users, full)
    }

    /// The mails of one address, as they lie there.
    pub fn mails(&self, user: &str) -> Result<Vec<Vec<u8>>> {
        let folder = self.guard.path("mail").join(user).join("new");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        fs::read_dir(folder)?.map(|entry| Ok(fs::read(entry?.path())?)).collect()
    }

    /// Everybody who has a mailbox.
    pub fn users(&self) -> &[String] {
        &self.users
    }

    /// What it wrote into its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.guard.path("log")).unwrap_or_default()
    }
}

#[expect(clippy::disallowed_methods, reason = "Dovecot looks at the file's time, and decides nothing else by it")]
fn write_users(file: &Path, users: &[String], full: &[String]) -> Result<()> {
    let line = |user: &String| {
        let quota = if full.contains(user) { "userdb_quota_rule=*:storage=1B" } else { "" };
        format!("{user}:{{PLAIN}}x::::::{quota}\n")
    };
    let fresh = file.with_extension("new");
    fs::write(&fresh, users.iter().map(line).collect::<String>())?;
    // It reads the file again when its time has changed, which it knows to the second.
    let later = if file.exists() { Duration::from_secs(2) } else { Duration::ZERO };
    fs::File::options().write(true).open(&fresh)?.set_modified(SystemTime::now() + later)?;
    Ok(fs::rename(fresh, file)?)
}
