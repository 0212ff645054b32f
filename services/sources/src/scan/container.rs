//! A container that is listed and read: a folder, or a store of `object_store`, which also retries what is transient.
//!
//! Does not write, and does not look at content. Invariant: a list is in the byte order of its paths, whatever order
//! the container has.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::error::{ScanError, saying};
use super::folder;
use super::location::Location;
use super::options::{Credentials, Progress, Reason};
use crate::tls::use_ring;

/// Objects between two reports of progress.
const BETWEEN_REPORTS: usize = 1000;

/// An object, as the container lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: String,
    /// Bytes.
    pub(crate) size: u64,
    /// Seconds since 1970, UTC.
    pub(crate) modified: Option<i64>,
    /// Known from the list alone.
    pub(crate) skip: Option<Reason>,
}

/// A container that can be asked.
#[derive(Debug, Clone)]
pub(crate) enum Container {
    Folder(PathBuf),
    Store(Arc<dyn ObjectStore>, Location),
}

/// The bytes of an object; to be read where blocking is allowed.
pub(crate) type Bytes = Box<dyn Read + Send>;

impl Container {
    pub(crate) fn open(location: Location, credentials: &Credentials) -> Result<Self, ScanError> {
        let store: object_store::Result<Arc<dyn ObjectStore>> = match &location {
            Location::Folder(path) => return Ok(Self::Folder(path.clone())),
            Location::S3 { bucket, .. } => {
                let builder = credentials.pairs().fold(AmazonS3Builder::new(), |builder, (name, value)| {
                    match name.to_ascii_lowercase().parse() {
                        Ok(key) => builder.with_config(key, value),
                        Err(_) => builder,
                    }
                });
                use_ring();
                builder.with_bucket_name(bucket).build().map(|store| Arc::new(store) as _)
            }
            Location::Azure { account, container, .. } => {
                let builder =
                    credentials.pairs().fold(MicrosoftAzureBuilder::new(), |builder, (name, value)| {
                        match name.to_ascii_lowercase().parse() {
                            Ok(key) => builder.with_config(key, value),
                            Err(_) if name == "IDENTITY_ENDPOINT" => builder.with_msi_endpoint(value),
                            Err(_) => builder,
                        }
                    });
                use_ring();
                builder.with_account(account).with_container_name(container).build().map(|store| Arc::new(store) as _)
            }
        };
        match store {
            Ok(store) => Ok(Self::Store(store, location)),
            Err(error) => Err(ScanError::Settings {
                container: location.to_string(),
                reason: saying(&error),
                variables: variables(&location),
            }),
        }
    }

    /// Every object, in the byte order of the paths.
    pub(crate) async fn list(
        &self,
        limit: usize,
        progress: &mut (dyn FnMut(Progress) + Send),
    ) -> Result<Vec<Entry>, ScanError> {
        let mut entries = match self {
            Self::Folder(root) => {
                let root = root.clone();
                tokio::task::spawn_blocking(move || folder::list(&root, limit))
                    .await
                    .map_err(|error| ScanError::List { container: self.to_string(), reason: error.to_string() })??
            }
            Self::Store(store, location) => list(store.as_ref(), location, limit, progress).await?,
        };
        if entries.len() > limit {
            return Err(ScanError::TooManyObjects { container: self.to_string(), limit });
        }
        entries.sort_unstable_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()).then(a.size.cmp(&b.size)));
        Ok(entries)
    }

    /// Begins to read an object.
    pub(crate) async fn read(&self, path: &str) -> io::Result<Bytes> {
        match self {
            Self::Folder(root) => {
                let (root, path) = (root.clone(), path.to_owned());
                let file = tokio::task::spawn_blocking(move || folder::open(&root, &path)).await;
                Ok(Box::new(file.map_err(io::Error::other)??))
            }
            Self::Store(store, _) => {
                let location = Path::parse(path).map_err(io::Error::other)?;
                let stream = store.get(&location).await.map_err(io::Error::other)?.into_stream();
                Ok(Box::new(SyncIoBridge::new(StreamReader::new(stream.map_err(io::Error::other)))))
            }
        }
    }
}

impl std::fmt::Display for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Store(_, location) => write!(f, "{location}"),
        }
    }
}

async fn list(
    store: &dyn ObjectStore,
    location: &Location,
    limit: usize,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<Entry>, ScanError> {
    let (Location::S3 { prefix, .. } | Location::Azure { prefix, .. }) = location else { return Ok(Vec::new()) };
    let mut entries = Vec::new();
    let mut listing = store.list(Some(prefix));
    while let Some(meta) = listing.next().await {
        let meta = meta.map_err(|error| failed(location, &error))?;
        let modified = Some(meta.last_modified.timestamp());
        entries.push(Entry { path: meta.location.into(), size: meta.size, modified, skip: None });
        if entries.len() > limit {
            break;
        }
        if entries.len().is_multiple_of(BETWEEN_REPORTS) {
            progress(Progress::Listing { objects: entries.len() as u64 });
        }
    }
    Ok(entries)
}

fn failed(location: &Location, error: &object_store::Error) -> ScanError {
    use object_store::Error;
    let (container, reason, variables) = (location.to_string(), saying(error), variables(location));
    match (error, status(error)) {
        (Error::InvalidPath { .. }, _) => ScanError::BadKey { container, reason },
        (Error::NotFound { .. }, _) | (_, Some(404)) => ScanError::NoContainer { container },
        (Error::PermissionDenied { .. } | Error::Unauthenticated { .. }, _) | (_, Some(401 | 403)) => {
            ScanError::Refused { container, reason, variables }
        }
        (_, _) => ScanError::List { container, reason },
    }
}

/// The status of the answer. A failed list is `Generic` in `object_store` 0.14, and the error inside, which knows the
/// status, is private: only its text is left.
fn status(error: &object_store::Error) -> Option<u16> {
    let text = error.to_string();
    let (_, after) = text.split_once("status code: ")?;
    after.get(..3)?.parse().ok()
}

fn variables(location: &Location) -> &'static str {
    match location {
        Location::Azure { .. } => "AZURE",
        Location::S3 { .. } | Location::Folder(_) => "AWS",
    }
}
