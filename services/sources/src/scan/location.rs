//! Where a container is: a folder, an S3 bucket or an Azure container, each with a folder in it.
//!
//! Does not reach out. Invariant: a location and the error about one never show a query or a password.

use std::fmt;
use std::path::PathBuf;

use object_store::path::Path;

use super::error::ScanError;

/// Hosts of Azure's blobs, after the account.
const AZURE_HOSTS: [&str; 2] = [".blob.core.windows.net", ".dfs.core.windows.net"];

/// A container, or a folder in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Folder(PathBuf),
    S3 { bucket: String, prefix: Path },
    Azure { account: String, container: String, prefix: Path },
}

impl Location {
    pub(crate) fn parse(url: &str) -> Result<Self, ScanError> {
        let url = url.trim();
        let Some((scheme, rest)) = url.split_once("://") else {
            return if url.is_empty() { Err(bad(url, "it is empty")) } else { Ok(Self::Folder(PathBuf::from(url))) };
        };
        let scheme = scheme.to_ascii_lowercase();
        if scheme == "file" {
            return folder(url, rest);
        }
        refuse_secrets(url, rest)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(bad(url, "there is no name after the ://"));
        }
        match scheme.as_str() {
            "s3" => Ok(Self::S3 { bucket: host.to_owned(), prefix: prefix(url, Path::parse(path))? }),
            "az" => azure(url, host, path, |path| Path::parse(path)),
            "https" => match AZURE_HOSTS.iter().find_map(|of| host.strip_suffix(of)) {
                Some(account) => azure(url, account, path, |path| Path::from_url_path(path)),
                None => Err(bad(url, "of https addresses only those of Azure's blobs are known")),
            },
            _ => Err(bad(url, "its kind is not known")),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name, prefix) = match self {
            Self::Folder(path) => return write!(f, "{}", path.display()),
            Self::S3 { bucket, prefix } => ("s3", bucket.clone(), prefix),
            Self::Azure { account, container, prefix } => ("az", format!("{account}/{container}"), prefix),
        };
        let slash = if prefix.as_ref().is_empty() { "" } else { "/" };
        write!(f, "{kind}://{name}{slash}{prefix}")
    }
}

fn folder(url: &str, rest: &str) -> Result<Location, ScanError> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(bad(url, "a file address has three slashes and a whole path"));
    }
    let path = prefix(url, Path::from_url_path(path))?;
    Ok(Location::Folder(PathBuf::from(format!("/{path}"))))
}

fn azure(
    url: &str,
    account: &str,
    path: &str,
    parse: impl Fn(&str) -> Result<Path, object_store::path::Error>,
) -> Result<Location, ScanError> {
    let (container, rest) = path.split_once('/').unwrap_or((path, ""));
    if container.is_empty() {
        return Err(bad(url, "the container is missing after the account"));
    }
    Ok(Location::Azure {
        account: account.to_owned(),
        container: container.to_owned(),
        prefix: prefix(url, parse(rest))?,
    })
}

fn prefix(url: &str, path: Result<Path, object_store::path::Error>) -> Result<Path, ScanError> {
    path.map_err(|_| bad(url, "its path has an empty segment, a . or .. or a control character"))
}

/// A query may be a shared access signature, and what stands before an @ a password.
fn refuse_secrets(url: &str, rest: &str) -> Result<(), ScanError> {
    let host = rest.split('/').next().unwrap_or_default();
    if rest.contains(['?', '#']) || host.contains('@') {
        return Err(ScanError::SecretInUrl { url: without_secrets(url) });
    }
    Ok(())
}

fn bad(url: &str, why: &'static str) -> ScanError {
    ScanError::BadUrl { url: without_secrets(url), why }
}

fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expect: &str) {
        let got = match Location::parse(url) {
            Ok(location) => format!("{location:?}").replace("Path { raw: ", "(").replace("\" }", "\")"),
            Err(error) => error.to_string().split(';').next().unwrap_or_default().to_owned(),
        };
        assert_eq!(got, expect, "{url}");
    }

    #[test]
    fn folders_are_paths_or_file_addresses() {
        check("exports/2022", r#"Folder("exports/2022")"#);
        check("/srv/a?b", r#"Folder("/srv/a?b")"#);
        check("file:///srv/a%20b", r#"Folder("/srv/a b")"#);
        check("file://srv/a", "cannot scan file://srv/a: a file address has three slashes and a whole path");
    }

    #[test]
    fn buckets_and_containers_have_a_folder_in_them() {
        let text = |url| Location::parse(url).unwrap().to_string();
        assert_eq!(text("s3://bucket"), "s3://bucket");
        assert_eq!(text("s3://bucket/a b/c%20/"), "s3://bucket/a b/c%20");
        assert_eq!(text("az://acct/box"), "az://acct/box");
        assert_eq!(text("https://acct.blob.core.windows.net/box/a%20b/"), "az://acct/box/a b");
    }

    #[test]
    fn an_address_with_a_secret_is_refused_without_showing_it() {
        for url in ["https://acct.blob.core.windows.net/box?sv=1&sig=SECRET", "s3://key:SECRET@bucket/a"] {
            let said = Location::parse(url).unwrap_err().to_string();
            assert!(said.contains("AZURE_STORAGE_SAS_TOKEN") && !said.contains("SECRET"), "{said}");
        }
    }

    #[test]
    fn other_addresses_say_what_is_wrong() {
        check("", "cannot scan : it is empty");
        check("gs://a", "cannot scan gs://a: its kind is not known");
        check("s3:///a", "cannot scan s3:///a: there is no name after the ://");
        check("az://acct", "cannot scan az://acct: the container is missing after the account");
        check(
            "https://a.example/x",
            "cannot scan https://a.example/x: of https addresses only those of Azure's blobs are known",
        );
        check(
            "s3://b/a//c",
            "cannot scan s3://b/a//c: its path has an empty segment, a . or .. or a control character",
        );
    }
}
