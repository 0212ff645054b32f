//! `[[receive.imap]]`: a mailbox that mail is taken from.
//!
//! Holds no password: a file does, which is read each time that somebody logs in.

use std::net::IpAddr;
use std::path::PathBuf;

use mail::imap::{Account, Password, Security};
use mail::route::Pin;
use serde::Deserialize;

use crate::AppError;

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImapTls {
    /// With the connection, port 993.
    #[default]
    Required,
    /// By STARTTLS before the login, never without; port 143.
    StartTls,
    /// Never; only for a server on this host.
    None,
}

/// What is done with a mail once it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub enum After {
    /// It is marked as seen and stays.
    #[default]
    Seen,
    /// It is deleted.
    Delete,
    /// It is moved into this folder.
    Move(String),
}

impl TryFrom<String> for After {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match (text.as_str(), text.strip_prefix("move:")) {
            ("seen", _) => Ok(Self::Seen),
            ("delete", _) => Ok(Self::Delete),
            (_, Some(folder)) if !folder.is_empty() => Ok(Self::Move(folder.to_owned())),
            _ => Err(format!("after is `{text}`: use \"seen\", \"delete\" or \"move:FOLDER\"")),
        }
    }
}

/// One mailbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImapSettings {
    /// What it is called here, in findings and logs.
    pub name: String,
    /// Name or address of the server.
    pub host: String,
    /// Its port; 0 = 993 with `required`, else 143.
    #[serde(default)]
    pub port: u16,
    /// When TLS begins.
    #[serde(default)]
    pub tls: ImapTls,
    /// `sha256:…` of the only certificate that is taken; empty = one that is valid for the host.
    #[serde(default)]
    pub pin: String,
    /// The name of the account.
    pub user: String,
    /// The file with its password.
    pub password_file: PathBuf,
    /// Where mail comes in. Only what arrives for us may be there: everything in it is taken.
    #[serde(default = "inbox")]
    pub folder: String,
    /// What is done with a mail once it is stored.
    #[serde(default)]
    pub after: After,
    /// The folder for what cannot be taken; empty = it stays where it is and is remembered.
    #[serde(default)]
    pub quarantine: String,
    /// The pause between two looks where the server does not tell of new mail by itself, in seconds, 1 to 3,600. Too low:
    /// the server may refuse. Too high: questions wait.
    #[serde(default = "a_minute")]
    pub poll_seconds: u64,
}

fn inbox() -> String {
    "INBOX".to_owned()
}

fn a_minute() -> u64 {
    60
}

impl ImapSettings {
    /// The port that counts.
    pub fn port(&self) -> u16 {
        match (self.port, self.tls) {
            (0, ImapTls::Required) => 993,
            (0, ImapTls::StartTls | ImapTls::None) => 143,
            (port, _) => port,
        }
    }

    /// What tells it from any other mailbox.
    pub fn place(&self) -> String {
        format!("imap://{}@{}:{}/{}", self.user, self.host, self.port(), self.folder)
    }

    /// What is wrong with it.
    pub fn fault(&self) -> Option<String> {
        let is_here = self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback());
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
        let names = [("name", &self.name), ("host", &self.host), ("user", &self.user), ("folder", &self.folder)];
        if let Some((key, _)) = names.iter().find(|(_, text)| !plain(text)) {
            return Some(format!(
                "{key} is empty or not ASCII (a folder is written as the server does, RFC 3501 5.1.3)"
            ));
        }
        let others = match &self.after {
            After::Move(folder) => [folder.as_str(), self.quarantine.as_str()],
            After::Seen | After::Delete => ["", self.quarantine.as_str()],
        };
        if let Some(folder) =
            others.iter().find(|folder| !folder.is_empty() && (!plain(folder) || **folder == self.folder))
        {
            return Some(format!("`{folder}` is the folder that mail is taken from, or not ASCII"));
        }
        if self.tls == ImapTls::None && !is_here {
            return Some(
                "tls = \"none\" would send the password over the network: use \"required\" or \"starttls\"".to_owned(),
            );
        }
        if !self.pin.is_empty() && Pin::parse(&self.pin).is_none() {
            return Some(
                "pin is no fingerprint: write it as in sha256:AB:CD:… (openssl x509 -fingerprint -sha256)".to_owned(),
            );
        }
        if !(1..=3_600).contains(&self.poll_seconds) {
            return Some(format!("poll_seconds is {}: use 1 to 3600", self.poll_seconds));
        }
        None
    }

    /// With its password, as it stands in the file now.
    pub fn account(&self) -> Result<Account, AppError> {
        let file = self.password_file.display();
        let cannot = |why: String| {
            AppError::bad(
                format!("the password of mailbox {} cannot be read from {file}: {why}", self.name),
                "write it into that file, on one line, readable for this program alone",
            )
        };
        let text = std::fs::read_to_string(&self.password_file).map_err(|error| cannot(error.to_string()))?;
        let password = text.trim_end_matches(['\r', '\n']).to_owned();
        if password.is_empty() {
            return Err(cannot("it is empty".to_owned()));
        }
        Ok(Account {
            host: self.host.clone(),
            port: self.port(),
            security: match self.tls {
                ImapTls::Required => Security::Required,
                ImapTls::StartTls => Security::StartTls,
                ImapTls::None => Security::None,
            },
            pins: Pin::parse(&self.pin).into_iter().collect(),
            user: self.user.clone(),
            password: Password::from(password),
            folder: self.folder.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str, is_good: bool) {
        let keys = [("name", "n"), ("host", "mail.example"), ("user", "u"), ("password_file", "p")];
        let mut map: serde_json::Map<String, serde_json::Value> =
            keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect();
        map.insert(key.to_owned(), value.into());
        let read: Result<ImapSettings, _> = serde_json::from_value(map.into());
        assert_eq!(read.is_ok_and(|read| read.fault().is_none()), is_good, "{key} = {value}");
    }

    #[test]
    fn what_a_mailbox_may_say() {
        check("after", "delete", true);
        check("after", "move:Done", true);
        check("after", "move:", false);
        check("after", "move:INBOX", false);
        check("after", "keep", false);
        check("tls", "none", false);
        check("tls", "starttls", true);
        check("tls", "maybe", false);
        check("folder", "Entw\u{fc}rfe", false);
        check("name", "", false);
        check("pin", "sha256:00", false);
        check("quarantine", "INBOX", false);
        check("password", "secret", false);
    }

    #[test]
    fn without_tls_only_this_host_is_asked() {
        check("host", "mail.example", true);
        for (host, is_good) in [("127.0.0.1", true), ("::1", true), ("localhost", true), ("192.0.2.1", false)] {
            let read: ImapSettings = serde_json::from_value(serde_json::json!({
                "name": "n", "host": host, "user": "u", "password_file": "p", "tls": "none",
            }))
            .unwrap();
            assert_eq!(read.fault().is_none(), is_good, "{host}");
            assert_eq!(read.place(), format!("imap://u@{host}:143/INBOX"));
        }
    }
}
