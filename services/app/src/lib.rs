//! One function for each thing that can be done: one transaction, and an audit entry for a verb or batch, appended
//! last. The command line, the web and the workers all come through here.
//!
//! Sends nothing and waits for nothing inside a transaction. Invariant: there is no second implementation of a verb.

pub mod audit;
pub mod calendars;
pub mod clock;
pub mod contacts;
pub mod delivery;
pub mod directory;
pub mod duties;
pub mod error;
pub mod escalation;
pub mod facts;
pub mod inbound;
pub mod incidents;
pub mod intake;
pub mod keys;
pub mod mailboxes;
pub mod mapping;
pub mod notices;
pub mod overview;
pub mod reach;
mod reasons;
pub mod reports;
pub mod settings;
pub mod signing;
pub mod snippets;
pub mod sweeps;
pub mod templates;
pub mod tickets;
pub mod watch;
pub mod waves;
pub mod webhooks;

use std::path::Path;
use std::sync::Arc;

use mail::dkim::Keys;
use mail::templates::Templates;
use store::{AuditEntry, Database, Store};

pub(crate) use clock::new_stamp;
pub use clock::{Clock, new_id, new_ulid};
pub use error::AppError;
pub use keys::MasterKey;
pub use settings::Settings;

/// Who acts where no person does: waves that go on, policies, the sweep.
pub const SYSTEM: &str = "forthright";

/// Everything a verb needs. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The store.
    pub store: Store,
    /// What time it is.
    pub clock: Clock,
    /// Letters, as they are built in; an incident can have words of its own.
    pub templates: Templates,
    /// Configuration.
    pub settings: Settings,
    /// What signs mail.
    pub signing: Arc<Keys>,
    /// Who acts.
    pub actor: String,
    /// Whether the store is a rehearsal.
    pub rehearsal: bool,
    /// The list of public suffixes that was loaded last.
    pub(crate) suffixes: mapping::CachedSuffixes,
    /// Whom look-ups ask.
    #[cfg(feature = "lookup")]
    pub(crate) lookups: reach::LookUps,
    /// The words of an incident's own that were used last.
    pub(crate) own_templates: templates::CachedTemplates,
    /// Office hours and holidays, as they were when the store was opened or ladders were climbed last.
    pub(crate) calendars: calendars::Known,
    /// Who asks DNS about senders; none = nobody is asked.
    pub(crate) prover: Option<inbound::Senders>,
    master: MasterKey,
}

/// What opening needs.
#[derive(Debug)]
pub struct Opening<'a> {
    /// Where the store is.
    pub database: &'a Database,
    /// The data folder, where a master key may be.
    pub data: &'a Path,
    /// A key given by configuration; none = the one in the data folder.
    pub master_key: Option<&'a str>,
    /// A moved clock, for rehearsals.
    pub now: Option<model::time::Timestamp>,
    /// Configuration.
    pub settings: Settings,
    /// Who acts.
    pub actor: String,
}

impl App {
    /// Opens the store. The embedded one is made where there is none.
    pub async fn open(opening: Opening<'_>) -> Result<Self, AppError> {
        let store = Store::open(opening.database).await?;
        if store::incidents::installation(&mut store.read().await?).await?.is_none() {
            match store.dialect() {
                store::Dialect::Sqlite => initialise(&store, &opening, Made::ForReal).await?,
                store::Dialect::Postgres => return Err(store::StoreError::NotInitialised.into()),
            }
        }
        Self::with_store(store, opening).await
    }

    /// Makes the store, or upgrades it; again = nothing. A rehearsal is one for ever.
    pub async fn init(opening: Opening<'_>, made: Made) -> Result<Self, AppError> {
        let store = Store::connect(opening.database).await?;
        store.migrate().await?;
        match store::incidents::installation(&mut store.read().await?).await? {
            None => initialise(&store, &opening, made).await?,
            Some(there) if (there.rehearsal == 1) != (made == Made::ForRehearsal) => {
                return Err(AppError::refused(
                    "the store is there already, and a store never changes between rehearsal and real",
                    "choose another folder with --data, or another database",
                ));
            }
            Some(_) => {}
        }
        Self::with_store(store, opening).await
    }

    async fn with_store(store: Store, opening: Opening<'_>) -> Result<Self, AppError> {
        let installation = store::incidents::installation(&mut store.read().await?)
            .await?
            .ok_or(AppError::Store(store::StoreError::NotInitialised))?;
        let master = MasterKey::find(opening.master_key, opening.data)?.ok_or_else(|| keys::missing(opening.data))?;
        master.check(&installation.master_key_check)?;
        let rehearsal = installation.rehearsal == 1;
        if opening.now.is_some() && !rehearsal {
            return Err(AppError::refused(
                "--now moves the clock, and this store is not a rehearsal",
                "make one with `forthright store init --rehearsal --data OTHER-FOLDER`",
            ));
        }
        let prover = inbound::Senders::of(&opening.settings.receive)?;
        let app = Self {
            calendars: calendars::Known::default(),
            prover,
            store,
            clock: Clock::starting_at(opening.now),
            templates: Templates::builtin()?,
            settings: opening.settings,
            signing: Arc::default(),
            actor: opening.actor,
            rehearsal,
            suffixes: mapping::CachedSuffixes::default(),
            #[cfg(feature = "lookup")]
            lookups: reach::LookUps::default(),
            own_templates: templates::CachedTemplates::default(),
            master,
        };
        calendars::refresh(&app).await?;
        Ok(app)
    }

    /// The same with the keys of its configuration, which sign what it sends.
    pub fn signing(self) -> Result<Self, AppError> {
        let keys = signing::keys(&self.settings)?;
        Ok(Self { signing: Arc::new(keys), ..self })
    }

    /// The same for another actor.
    pub fn acting_as(&self, actor: &str) -> Self {
        Self { actor: actor.to_owned(), ..self.clone() }
    }

    /// Whose office hours count.
    pub(crate) fn business(&self) -> &dyn model::escalation::BusinessTime {
        &self.calendars
    }

    /// The incident of a slug, with its key.
    pub async fn incident(&self, slug: &str) -> Result<Incident, AppError> {
        let mut conn = self.store.read().await?;
        let row = store::incidents::by_slug(&mut conn, slug).await?.ok_or_else(|| {
            AppError::missing(format!("no incident `{slug}`"), "run `forthright incident list` to see what there is")
        })?;
        self.unlock(row)
    }

    /// The incident of a number, with its key.
    pub(crate) async fn incident_by_id(&self, conn: &mut store::Conn, id: i64) -> Result<Incident, AppError> {
        let row = store::incidents::by_id(conn, id)
            .await?
            .ok_or_else(|| AppError::missing(format!("no incident number {id}"), "run `forthright incident list`"))?;
        self.unlock(row)
    }

    fn unlock(&self, row: store::incidents::Incident) -> Result<Incident, AppError> {
        let key = self.master.unwrap(&row.wrapped_key)?;
        let facts = serde_json::from_str(&row.facts).map_err(AppError::stored("incidents.facts"))?;
        let policies = serde_json::from_str(&row.policies).map_err(AppError::stored("incidents.policies"))?;
        let identity = row.identity_key.as_deref().map(|wrapped| self.master.unwrap(wrapped)).transpose()?;
        Ok(Incident { id: row.id, slug: row.slug.clone(), facts, policies, key, identity, row })
    }

    pub(crate) fn entry(
        &self,
        verb: &'static str,
        subject: impl Into<String>,
        detail: serde_json::Value,
    ) -> AuditEntry {
        AuditEntry { at: self.clock.now(), actor: self.actor.clone(), verb, subject: subject.into(), detail }
    }
}

/// How a new store is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Its clock is the real one.
    ForReal,
    /// `--now` may move its clock, and its mails say REHEARSAL.
    ForRehearsal,
}

async fn initialise(store: &Store, opening: &Opening<'_>, made: Made) -> Result<(), AppError> {
    let master = MasterKey::find_or_make(opening.master_key, opening.data)?;
    let clock = Clock::starting_at(None);
    let mut tx = store.begin().await?;
    let rehearsal = i64::from(made == Made::ForRehearsal);
    store::incidents::insert_installation(&mut tx, rehearsal, &master.check_text()?, clock.now()).await?;
    let detail = serde_json::json!({ "rehearsal": made == Made::ForRehearsal });
    let (at, actor) = (clock.now(), opening.actor.clone());
    tx.commit(AuditEntry { at, actor, verb: "store.init", subject: "store".to_owned(), detail }).await?;
    Ok(())
}

/// An incident with its key and facts unpacked.
#[derive(Debug, Clone)]
pub struct Incident {
    /// The store's number for it.
    pub id: i64,
    /// Its name for people.
    pub slug: String,
    /// What its notices state.
    pub facts: model::notices::IncidentFacts,
    /// What new ladders start with.
    pub policies: model::escalation::Policies,
    /// The row as stored.
    pub row: store::incidents::Incident,
    pub(crate) key: keys::IncidentKey,
    /// Hashes exposed persons; none: they were erased, or nothing was counted yet.
    pub(crate) identity: Option<keys::IncidentKey>,
}
