//! What can be wrong with a scan as a whole, with the next step.
//!
//! An object that cannot be read is no error. Invariant: no text holds a key, a token, the query of an address or
//! content of an object; what servers say is cut and cleaned first.

use std::io;
use std::path::PathBuf;

/// Longest saying of a server that is passed on, in characters.
const LONGEST_REASON: usize = 300;

/// Why a container cannot be scanned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The address of the container says nothing.
    #[error(
        "cannot scan {url}: {why}; write a folder, s3://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX or https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX"
    )]
    BadUrl {
        /// What was given, without its query.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The address carries a token.
    #[error(
        "cannot scan {url}: the address has a query or a password, which others could read in the list of processes; put a shared access signature into AZURE_STORAGE_SAS_TOKEN and leave it out of the address"
    )]
    SecretInUrl {
        /// What was given, without the query and the password.
        url: String,
    },
    /// No such folder.
    #[error("cannot scan {}: there is no such folder; check the name, and the folder it is looked for in", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file.
    #[error("cannot scan {}: it is not a folder; name the folder it lies in", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A folder cannot be listed.
    #[error("cannot list {}; let this user read it, or scan the folders beside it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The client of the store cannot be set up.
    #[error("cannot reach {container}: {reason}; check the {variables}_* variables of the environment")]
    Settings {
        /// The container.
        container: String,
        /// What the client says.
        reason: String,
        /// `AWS` or `AZURE`.
        variables: &'static str,
    },
    /// The store says no.
    #[error(
        "cannot list {container}: access is refused ({reason}); check the {variables}_* variables of the environment and that the key may list (for a public container set {variables}_SKIP_SIGNATURE=true)"
    )]
    Refused {
        /// The container.
        container: String,
        /// What the store says.
        reason: String,
        /// `AWS` or `AZURE`.
        variables: &'static str,
    },
    /// No such bucket or container.
    #[error("cannot list {container}: there is no such container; check its name and the endpoint")]
    NoContainer {
        /// The container.
        container: String,
    },
    /// A key that the client cannot name.
    #[error(
        "cannot list {container}: it has an object whose name cannot be asked for ({reason}); scan the prefixes beside it, and import that object's rows by hand"
    )]
    BadKey {
        /// The container.
        container: String,
        /// Which, and why.
        reason: String,
    },
    /// Listing broke off.
    #[error("cannot list {container}: {reason}; check the network and the endpoint, then scan again: nothing was kept")]
    List {
        /// The container.
        container: String,
        /// What the client says.
        reason: String,
    },
    /// Over [`super::Limits::objects`].
    #[error("cannot scan {container}: it has more than {limit} objects; scan its prefixes one by one")]
    TooManyObjects {
        /// The container.
        container: String,
        /// The limit.
        limit: usize,
    },
    /// The output cannot be written.
    #[error("cannot write what the scan found; check that the disk has room")]
    Write(#[source] io::Error),
}

/// What an error of a store says with its causes, without queries of addresses, on one line and not too long.
pub(crate) fn saying(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    clean(&text)
}

fn clean(text: &str) -> String {
    // Of an answer in XML the code is enough: the rest repeats key ids and what was signed.
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let text = code.map_or(text, |(code, _)| code);
    let mut clean = String::new();
    for word in text.split_whitespace() {
        let word = match word.split_once('?') {
            Some((before, _)) if before.contains("://") => format!("{before}?…"),
            _ => word.to_owned(),
        };
        if !clean.is_empty() {
            clean.push(' ');
        }
        clean.push_str(&word);
    }
    match clean.char_indices().nth(LONGEST_REASON) {
        Some((at, _)) => format!("{}…", &clean[..at]),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sayings_lose_the_queries_of_addresses_and_their_length() {
        let text = format!("error for url (https://a.example/c?sv=1&sig=secret)\n  at {}", "x".repeat(400));
        let said = clean(&text);
        assert!(said.starts_with("error for url (https://a.example/c?… at xxx"), "{said}");
        assert!(!said.contains("secret"));
        assert_eq!(said.chars().count(), LONGEST_REASON + 1);
    }

    #[test]
    fn of_an_answer_in_xml_only_the_code_is_said() {
        let text = "403: <Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>";
        assert_eq!(clean(text), "SignatureDoesNotMatch");
    }
}
