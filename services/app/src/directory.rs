//! The directory: imports that show their difference first, beside manual entries that beat them.
//!
//! Decides no mapping. Invariant: an import is the whole of what its directory says, never touches a manual entry, never
//! enables an address that a person disabled, and takes nothing away that a look at its size would question. It is
//! written domain by domain, so one that is interrupted is neither half a domain nor lost: the same command goes on, and
//! nothing is drafted, approved or released before.

mod compare;
mod export;
mod manual;
mod read;
mod tenants;

use std::path::Path;

use serde::Serialize;
use sources::directory::DirectoryFormat;
use store::contacts::Said;
use store::directory::Tenant;
use store::{Conn, Tx};

pub use export::{Exported, Twin, export};
pub use manual::{Entered, ManualDomain, add_domain, remove_domain};

use compare::Changes;
use read::{Claims, Read};

use crate::mapping::MANY_DOMAINS;
use crate::{App, AppError, new_id};

/// What an import did, or would do.
#[derive(Debug, Default, Serialize)]
pub struct Difference {
    /// New tenants, domains and contacts.
    pub added: usize,
    /// Tenants and contacts that say something else now.
    pub changed: usize,
    /// Those that say the same.
    pub kept: usize,
    /// Domains and contacts that the directory names no more.
    pub removed: usize,
    /// Which, up to a thousand.
    pub gone: Vec<String>,
    /// Domains that it names another tenant for: nothing is sent about them until a person looks.
    pub moved: Vec<String>,
    /// Manual entries that it contradicts: nothing is sent about these domains until a person confirms one side.
    pub contradicts: Vec<String>,
    /// Rows that could not be used: file, line, why.
    pub rejected: Vec<String>,
    /// What a person should know: differing names of one tenant, domains that several tenants claim.
    pub notes: Vec<String>,
    /// Whether anything was written.
    pub written: bool,
}

/// What is imported.
#[derive(Debug)]
pub struct Files<'a> {
    /// Organisations and their domains.
    pub organisations: Option<&'a Path>,
    /// Their contacts.
    pub contacts: Option<&'a Path>,
    /// How they are written; none: found out.
    pub format: Option<DirectoryFormat>,
    /// Which directory they are: each has its own entries, and an import replaces those of its own.
    pub origin: &'a str,
    /// Whether its tenant ids mean the same organisations as those of other directories.
    pub ids: Ids,
}

/// What the tenant ids of a directory mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// What this directory calls by them; another name for one of them elsewhere is a clash.
    OfThisDirectory,
    /// The organisations that other directories call by them, whatever the names.
    Shared,
}

/// Whether an import writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It writes, unless it takes away more than a limit.
    Write,
    /// It writes, whatever it takes away.
    WriteEvenIfSmaller,
    /// It shows the difference, whatever it takes away.
    DryRun,
}

/// How many entries that go are named.
const GONE: usize = 1_000;
/// Rows in a transaction: short enough that a sender's lease outlives it.
const A_PART: usize = 10_000;

/// Imports organisations and contacts. Rows that cannot be used are named, the others are imported.
pub async fn import(app: &App, files: &Files<'_>, mode: Mode) -> Result<Difference, AppError> {
    if files.organisations.is_none() && files.contacts.is_none() {
        return Err(AppError::bad("nothing to import", "name a file with --organisations, or with --contacts"));
    }
    if mode != Mode::DryRun {
        // A change of owner that has stood long enough is old news for this import, whether a worker ran or not.
        crate::mapping::lapse_expired(app).await?;
    }
    let mut difference = Difference::default();
    let Read { claims, people, digests } = read::read(files, &mut difference)?;
    if let Some(path) =
        files.organisations.filter(|_| claims.len() == 0 && difference.rejected.is_empty() && mode == Mode::Write)
    {
        return Err(AppError::bad(
            format!("{} names no organisation", path.display()),
            "look whether it is the right file; users alone are imported with --contacts; a directory that is given up is emptied with --accept-shrink",
        ));
    }
    let import = Import { app, id: new_id("imp"), origin: files.origin };
    // Begun before anything is compared: whoever imports this directory meanwhile takes our place, and we end.
    let unfinished = if mode == Mode::DryRun { false } else { import.begin(&digests).await? };
    let mut conn = app.store.read().await?;
    let (new_tenants, clashes) = compare::tenants(&mut conn, files.origin, &claims.tenants, &mut difference).await?;
    let mut changes = match files.organisations {
        Some(_) => compare::claims(&mut conn, files.origin, &claims, &mut difference).await?,
        None => Changes::default(),
    };
    let since = app.clock.now().minus(app.settings.mapping.owner_change());
    compare::changes_of_hands(&mut conn, &claims, &changes, since, &mut difference).await?;
    let mut people = match files.contacts {
        Some(path) => compare::contacts(&mut conn, files.origin, path, people, &claims, &mut difference).await?,
        None => compare::People::default(),
    };
    drop(conn);
    if !difference.rejected.is_empty() && mode != Mode::WriteEvenIfSmaller {
        // What a row that cannot be used was about is not known: it may be what seems to be gone.
        changes.keep_all();
        people.gone.clear();
        difference.notes.push(format!(
            "nothing is taken away, because {} row(s) cannot be used: mend them, or say --accept-shrink",
            difference.rejected.len()
        ));
    }
    let people = people;
    difference.gone = changes
        .gone_names()
        .chain(people.gone.iter().map(|(tenant, role, address)| format!("{tenant} {role} {address}")))
        .take(GONE)
        .collect();
    difference.removed = changes.gone() + people.gone.len();
    if !clashes.is_empty() && files.ids == Ids::OfThisDirectory {
        if mode != Mode::DryRun {
            if !unfinished {
                import.abandon().await?;
            }
            return Err(clash(&clashes, files.origin));
        }
        difference.notes.extend(clashes.into_iter().map(|clash| format!("one id of two organisations? {clash}")));
    }
    let limit = app.settings.mapping.shrink_percent;
    let shrinks =
        [("domains", changes.domains_gone, changes.domains_before), ("contacts", people.gone.len(), people.before)];
    for shrink in shrinks.into_iter().filter_map(|(what, gone, before)| shrink(what, gone, before, limit)) {
        match mode {
            Mode::Write => {
                if !unfinished {
                    import.abandon().await?;
                }
                return Err(AppError::refused(shrink, SHRINK_HINT));
            }
            Mode::DryRun => difference.notes.push(shrink),
            Mode::WriteEvenIfSmaller => {}
        }
    }
    if mode == Mode::DryRun {
        return Ok(difference);
    }
    let all = unfinished || changes.len() > MANY_DOMAINS;
    import.write_tenants(&claims, &new_tenants).await?;
    import.write_claims(&claims, &changes, all).await?;
    import.write_contacts(&people).await?;
    difference.written = true;
    import.finish(&difference, &digests, all).await?;
    settle_all(app).await?;
    Ok(difference)
}

fn clash(clashes: &[String], origin: &str) -> AppError {
    let shown = clashes.iter().take(10).cloned().collect::<Vec<_>>().join("; ");
    let more = if clashes.len() > 10 { format!("; and {} more", clashes.len() - 10) } else { String::new() };
    AppError::refused(
        format!(
            "{} tenant id(s) of `{origin}` stand for another name elsewhere, so one may get the other's facts: {shown}{more}",
            clashes.len()
        ),
        "give this directory ids of its own, or say --same-tenants if they are the same organisations",
    )
}

const SHRINK_HINT: &str = "look at it with --dry-run; if it is right, import it with --accept-shrink, and if it is \
                           another directory beside the first, with --source NAME";

/// What an import takes away, if it is more than the limit.
fn shrink(what: &str, gone: usize, before: usize, limit: usize) -> Option<String> {
    (gone * 100 > before * limit).then(|| {
        format!(
            "this import would take away {gone} of {before} {what}, more than {limit} %: is it the whole directory?"
        )
    })
}

/// An import under way.
struct Import<'a> {
    app: &'a App,
    id: String,
    origin: &'a str,
}

impl Import<'_> {
    /// Whether an earlier import of this directory was left unfinished: what it touched is not known.
    async fn begin(&self, digests: &serde_json::Value) -> Result<bool, AppError> {
        let mut tx = self.app.store.begin().await?;
        let (files, now) = (digests.to_string(), self.app.clock.now());
        let unfinished =
            store::directory::begin_import(&mut tx, &self.id, self.origin, &files, &self.app.actor, now).await?;
        tx.commit_ledger().await?;
        Ok(unfinished)
    }

    /// Takes back that it began: nothing was written.
    async fn abandon(&self) -> Result<(), AppError> {
        let mut tx = self.app.store.begin().await?;
        store::directory::abandon_import(&mut tx, &self.id).await?;
        Ok(tx.commit_ledger().await?)
    }

    async fn write_tenants(&self, claims: &Claims, new: &[u32]) -> Result<(), AppError> {
        for part in new.chunks(A_PART) {
            let part: Vec<Tenant> = part.iter().map(|number| claims.tenants.get(*number)).collect();
            let mut tx = self.part().await?;
            store::directory::upsert_tenants(&mut tx, self.origin, &part, self.app.clock.now()).await?;
            tx.commit_ledger().await?;
        }
        Ok(())
    }

    async fn part(&self) -> Result<Tx, AppError> {
        let mut tx = self.app.store.begin().await?;
        store::directory::hold_import(&mut tx, &self.id).await?;
        Ok(tx)
    }

    /// Every domain's claims change in one transaction, so that it is never without its owner, or with two, in between.
    async fn write_claims(&self, claims: &Claims, changes: &Changes, all: bool) -> Result<(), AppError> {
        let now = self.app.clock.now();
        for part in changes.parts(claims, A_PART) {
            let mut tx = self.part().await?;
            store::directory::bump_version(&mut tx).await?;
            store::directory::lapse_imported(&mut tx, self.origin, now, &part.gone).await?;
            let since = now.minus(self.app.settings.mapping.owner_change());
            store::directory::import_claims(&mut tx, self.origin, &self.app.actor, now, since, &part.new).await?;
            store::directory::settle_moves(&mut tx, since, &part.domains()).await?;
            if !all {
                for incident in store::mapping::open_incidents(&mut tx).await? {
                    store::mapping::mark_under(&mut tx, incident, &part.domains()).await?;
                }
            }
            tx.commit_ledger().await?;
        }
        Ok(())
    }

    async fn write_contacts(&self, people: &compare::People) -> Result<(), AppError> {
        let now = self.app.clock.now();
        for part in people.new.chunks(A_PART) {
            let mut tx = self.part().await?;
            store::contacts::upsert(&mut tx, part, &Said { by: &self.app.actor, until: None }, now).await?;
            tx.commit_ledger().await?;
        }
        for part in people.gone.chunks(A_PART) {
            let mut tx = self.part().await?;
            store::contacts::entries::lapse_imported(&mut tx, self.origin, part, now).await?;
            tx.commit_ledger().await?;
        }
        Ok(())
    }

    async fn finish(&self, difference: &Difference, digests: &serde_json::Value, all: bool) -> Result<(), AppError> {
        let mut tx = self.app.store.begin().await?;
        if all {
            store::directory::bump_version(&mut tx).await?;
            for incident in store::mapping::open_incidents(&mut tx).await? {
                store::mapping::mark_all(&mut tx, incident).await?;
            }
        }
        let detail = serde_json::json!({
            "import": self.id, "source": self.origin, "files": digests, "added": difference.added, "changed": difference.changed,
            "kept": difference.kept, "removed": difference.removed, "moved": difference.moved.len(),
            "contradicts": difference.contradicts.len(), "rejected": difference.rejected.len(),
        });
        store::directory::finish_import(&mut tx, &self.id, &detail.to_string(), self.app.clock.now()).await?;
        Ok(tx.commit(self.app.entry("directory.import", "directory", detail)).await?)
    }
}

/// After a change of the directory the verdicts that it marked are looked at again.
pub(crate) async fn settle_all(app: &App) -> Result<(), AppError> {
    for incident in crate::mapping::pending(app).await? {
        crate::facts::settle(app, incident).await?;
    }
    Ok(())
}

/// Refuses while an import is under way or was interrupted: half a directory decides about nobody's mail.
pub async fn must_be_whole(conn: &mut Conn) -> Result<(), AppError> {
    let unfinished = store::directory::unfinished_imports(conn).await?;
    let Some((origin, by, at)) = unfinished.first() else { return Ok(()) };
    let since = model::time::Timestamp::from_micros(*at);
    Err(AppError::refused(
        format!("the import of the directory `{origin}` that {by} began at {since} is not finished"),
        "run the same `forthright directory import` again: it goes on where it was",
    ))
}

/// A tenant that must be there.
pub(crate) async fn known_tenant(conn: &mut Conn, id: &str) -> Result<Tenant, AppError> {
    store::directory::tenant(conn, id).await?.ok_or_else(|| {
        AppError::missing(
            format!("no tenant `{id}` in the directory"),
            "import it with `forthright directory import --organisations FILE`",
        )
    })
}
