//! The list of public suffixes that verdicts are given by: the program's own, or a newer one that somebody loaded.
//!
//! Parses nothing (that is `model::suffixes`). Invariant: all hosts of a store use the same list, because it is kept there.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use model::suffixes::SuffixList;
use serde::Serialize;
use store::Conn;

use crate::{App, AppError};

/// A list by its number in the store.
type Numbered = (i64, Arc<SuffixList>);

/// The list that was loaded last, so that it is parsed once a process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cached(Arc<Mutex<Option<Numbered>>>);

/// The list in force.
#[derive(Debug, Clone)]
pub(crate) struct Suffixes(Option<Arc<SuffixList>>);

impl Suffixes {
    /// The newest list of the store, else the program's own.
    pub(crate) async fn current(app: &App, conn: &mut Conn) -> Result<Self, AppError> {
        let Some(newest) = store::directory::newest_suffix_list(conn).await? else { return Ok(Self(None)) };
        let known = app.suffixes.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((number, list)) = known
            && number == newest
        {
            return Ok(Self(Some(list)));
        }
        let text = store::directory::suffix_list(conn, newest).await?;
        let list = SuffixList::parse(&text).map_err(|error| {
            AppError::bad(
                format!("the list of public suffixes in the store cannot be used: {error}"),
                "load another one with `forthright directory suffix-list FILE`",
            )
        })?;
        let list = Arc::new(list);
        *app.suffixes.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((newest, Arc::clone(&list)));
        Ok(Self(Some(list)))
    }

    pub(crate) fn list(&self) -> &SuffixList {
        match &self.0 {
            Some(list) => list,
            None => SuffixList::builtin(),
        }
    }
}

/// A list that was loaded.
#[derive(Debug, Serialize)]
pub struct Loaded {
    /// As it names itself.
    pub version: String,
    /// The one that counted until now.
    pub before: String,
}

/// Loads a newer list of public suffixes from a file. Every verdict is looked at again.
pub async fn load(app: &App, file: &Path) -> Result<Loaded, AppError> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        AppError::bad(
            format!("cannot read the list of public suffixes {}: {error}", file.display()),
            "save the official public_suffix_list.dat and name it here",
        )
    })?;
    let list = SuffixList::parse(&text).map_err(|error| {
        AppError::bad(
            format!("{} is no list of public suffixes: {error}", file.display()),
            "save the official public_suffix_list.dat and name it here",
        )
    })?;
    let mut tx = app.store.begin().await?;
    store::directory::bump_version(&mut tx).await?;
    let current = Suffixes::current(app, &mut tx).await?;
    let before = current.list().version().to_owned();
    if list.date() < current.list().date() {
        return Err(AppError::refused(
            format!("the list {} is older than {before}, which counts now", list.version()),
            "load a newer one",
        ));
    }
    store::directory::insert_suffix_list(&mut tx, list.version(), &text, &app.actor, app.clock.now()).await?;
    for incident in store::mapping::open_incidents(&mut tx).await? {
        store::mapping::mark_all(&mut tx, incident).await?;
    }
    let loaded = Loaded { version: list.version().to_owned(), before };
    let detail =
        serde_json::json!({ "version": loaded.version, "before": loaded.before, "file": file.display().to_string() });
    tx.commit(app.entry("directory.suffix-list", "directory", detail)).await?;
    crate::directory::settle_all(app).await?;
    Ok(loaded)
}
