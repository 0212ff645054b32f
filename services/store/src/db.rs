//! Two databases behind one type: opening, migrating, reading, and transactions.
//!
//! Knows no table beyond what migrating needs. Invariant: on SQLite one connection writes, with `synchronous=FULL`
//! and `BEGIN IMMEDIATE`; a pool of read-only ones reads.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgPoolOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgConnection, PgPool, SqliteConnection, SqlitePool, Transaction, pool::PoolConnection};

use crate::audit::{self, AuditEntry};
use crate::inbox::Arrivals;

/// Names each statement of a file, and lists them for the test that prepares all.
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$meta])* const $name: &str = $text;)+
        /// The fixed statements of this file.
        pub(crate) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

/// Runs one expression on whichever database a connection leads to.
macro_rules! on {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn.raw() {
            $crate::db::Raw::Sqlite($c) => $body,
            $crate::db::Raw::Postgres($c) => $body,
        }
    };
}

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// How long a writer waits for another process's transaction on SQLite.
const SQLITE_BUSY: Duration = Duration::from_secs(60);

/// A host that stands still in the middle of a transaction holds rows that others wait for, for so long at most. Longer
/// than any computing of ours between two statements. And no statement of ours gains from being compiled: the larger ones
/// are estimated at a hundred times what they read, and were compiled anew for 30 ms each time.
const SESSION_POSTGRES: &str = "SET idle_in_transaction_session_timeout = '20s'; SET jit = off";

/// A connection to PostgreSQL that was idle for this long is asked whether it lives before it is used.
const PROBE_AFTER: Duration = Duration::from_secs(1);

/// Where the store is.
#[derive(Clone)]
pub enum Database {
    /// A file of our own.
    Sqlite(PathBuf),
    /// A server; the URL may hold a password.
    Postgres(String),
}

impl Database {
    /// `postgres://…`, `sqlite:FILE`, or nothing for the file in the data folder.
    pub fn parse(url: Option<&str>, data: &Path) -> Result<Self, StoreError> {
        match url.map(str::trim).filter(|url| !url.is_empty()) {
            None => Ok(Self::Sqlite(data.join("forthright.db"))),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Postgres(url.to_owned()))
            }
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path.trim_start_matches("//")))),
                _ => Err(StoreError::BadUrl),
            },
        }
    }
}

impl fmt::Debug for Database {
    /// Without the URL: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite at {}", path.display()),
            Self::Postgres(_) => f.write_str("PostgreSQL"),
        }
    }
}

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no database that we know.
    #[error("the database URL is neither postgres://… nor sqlite:FILE: correct --database or FORTHRIGHT_DATABASE_URL")]
    BadUrl,
    /// The folder of the embedded database cannot be made.
    #[error("cannot make the folder {}: {source}; choose another with --data", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No connection.
    #[error("cannot open the store ({database:?}): {source}; check that it runs and that --database is right")]
    Open {
        /// Which.
        database: Database,
        /// Why.
        source: sqlx::Error,
    },
    /// A PostgreSQL database without our tables.
    #[error("this PostgreSQL database holds no store yet: run `forthright store init`")]
    NotInitialised,
    /// Tables of another version.
    #[error(
        "the store has other migrations than this program: {0}; run `forthright store migrate` with the newest program"
    )]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The disk is full. Nothing of the running step was kept.
    #[error(
        "the disk of the store is full; nothing of this step was written: free some space and run the same command again"
    )]
    DiskFull,
    /// A constraint said no: `.0` is its name or text.
    #[error("the database refused the change ({0})")]
    Refused(String),
    /// Any other fault of a statement.
    #[error("the database failed: {0}")]
    Sql(sqlx::Error),
    /// A value in a row that this program does not know.
    #[error("the store holds a value that this program does not know ({what}): upgrade the program")]
    Unknown {
        /// Column and value.
        what: String,
    },
    /// A statement that must hit one row did not.
    #[error("{what}: somebody else changed it meanwhile; look again and repeat")]
    Stale {
        /// What was to be changed.
        what: String,
    },
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(inner) = &error {
            let code = inner.code().unwrap_or_default().into_owned();
            // SQLITE_FULL is 13, SQLITE_IOERR_WRITE 778 (a file-size limit, or a disk that ends); PostgreSQL's disk_full is 53100.
            if code == "13" || code == "778" || code == "53100" || inner.message().contains("disk is full") {
                return Self::DiskFull;
            }
            // Two writers waited for each other, or one came too late: PostgreSQL ended this one.
            if code == "40P01" || code == "40001" {
                return Self::Stale { what: "rows that this step writes".to_owned() };
            }
            // SQLITE_CONSTRAINT and its extended codes end in 19 modulo 256; PostgreSQL's class 23, and our RAISE.
            let sqlite_constraint = code.parse::<i64>().is_ok_and(|code| code % 256 == 19 && code < 10_000);
            if sqlite_constraint || code.starts_with("23") {
                return Self::Refused(inner.message().to_owned());
            }
        }
        Self::Sql(error)
    }
}

/// Which database a [`Store`] is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

#[derive(Clone)]
pub(crate) enum Pools {
    Sqlite { writer: SqlitePool, readers: SqlitePool },
    Postgres(PgPool),
}

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    /// Mail that this process takes, for whom it has to wait.
    pub(crate) arrivals: Arc<Arrivals>,
}

impl Store {
    /// Opens the store; the embedded one is made where there is none.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let store = Self::connect(database).await?;
        if store.is_current().await? {
            return Ok(store);
        }
        match store.pools {
            Pools::Sqlite { .. } => store.migrate().await?,
            Pools::Postgres(_) => return Err(StoreError::NotInitialised),
        }
        Ok(store)
    }

    /// Connects without looking at the tables.
    pub async fn connect(database: &Database) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Open { database: database.clone(), source };
        let pools = match database {
            Database::Sqlite(path) => {
                make_folder_of(path)?;
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(SQLITE_BUSY)
                    .pragma("temp_store", "MEMORY")
                    .pragma("cache_size", "-32000");
                let writer = SqlitePoolOptions::new()
                    .max_connections(1)
                    .acquire_timeout(SQLITE_BUSY)
                    .idle_timeout(None)
                    .max_lifetime(None)
                    // There is no network in between: asking whether it lives is a hop to its thread for nothing.
                    .test_before_acquire(false)
                    .after_connect(|conn, _| {
                        Box::pin(
                            async move { sqlx::Executor::execute(conn, crate::ledger::NOTES_SQLITE).await.map(drop) },
                        )
                    })
                    .connect_with(options.clone())
                    .await
                    .map_err(failed)?;
                let readers = SqlitePoolOptions::new()
                    .max_connections(4)
                    .test_before_acquire(false)
                    .connect_lazy_with(options.read_only(true).pragma("cache_size", "-8000"));
                Pools::Sqlite { writer, readers }
            }
            Database::Postgres(url) => {
                let pool = PgPoolOptions::new()
                    .max_connections(12)
                    // Asked whether it lives only after a pause: between two commits of a sender that is a round trip.
                    .test_before_acquire(false)
                    .before_acquire(|conn, meta| {
                        Box::pin(async move {
                            Ok(meta.idle_for < PROBE_AFTER || sqlx::Connection::ping(conn).await.is_ok())
                        })
                    })
                    .after_connect(|conn, _| {
                        Box::pin(async move { sqlx::Executor::execute(conn, SESSION_POSTGRES).await.map(drop) })
                    })
                    .acquire_timeout(Duration::from_secs(20))
                    .connect(url)
                    .await
                    .map_err(failed)?;
                Pools::Postgres(pool)
            }
        };
        Ok(Self { pools, arrivals: Arc::default() })
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        match self.pools {
            Pools::Sqlite { .. } => Dialect::Sqlite,
            Pools::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Whether every migration of this program has run, and no other.
    pub async fn is_current(&self) -> Result<bool, StoreError> {
        let (count, wanted) = match &self.pools {
            Pools::Sqlite { readers, .. } => (
                sqlx::query_scalar::<_, i64>(COUNT_MIGRATIONS).fetch_one(readers).await,
                SQLITE_MIGRATIONS.iter().count(),
            ),
            Pools::Postgres(pool) => (
                sqlx::query_scalar::<_, i64>(COUNT_MIGRATIONS).fetch_one(pool).await,
                POSTGRES_MIGRATIONS.iter().count(),
            ),
        };
        match count {
            Ok(count) => Ok(usize::try_from(count).is_ok_and(|count| count == wanted)),
            Err(sqlx::Error::Database(error)) if error.message().contains("_sqlx_migrations") => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Runs our migrations and those of the job queue, each in a table of its own. Again = nothing.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => SQLITE_MIGRATIONS.run(writer).await?,
            Pools::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await?,
        }
        crate::queue::migrate(&self.pools).await
    }

    /// A connection to read with.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(Conn(match &self.pools {
            Pools::Sqlite { readers, .. } => Inner::Sqlite(readers.acquire().await?),
            Pools::Postgres(pool) => Inner::Postgres(pool.acquire().await?),
        }))
    }

    /// A transaction. Dropped without a commit, it leaves nothing.
    pub async fn begin(&self) -> Result<Tx, StoreError> {
        Ok(Tx(Conn(match &self.pools {
            Pools::Sqlite { writer, .. } => Inner::SqliteTx(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Inner::PostgresTx(begun(pool.clone(), "BEGIN").await?),
        })))
    }

    /// A transaction in which everything read is of one moment, for figures that must agree with each other.
    pub async fn snapshot(&self) -> Result<Conn, StoreError> {
        Ok(Conn(match &self.pools {
            Pools::Sqlite { readers, .. } => Inner::SqliteTx(readers.begin().await?),
            Pools::Postgres(pool) => {
                Inner::PostgresTx(begun(pool.clone(), "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
            }
        }))
    }

    /// From here on what this process deletes is overwritten, where the database can do that.
    pub async fn forget_thoroughly(&self) -> Result<(), StoreError> {
        if let Pools::Sqlite { writer, .. } = &self.pools {
            sqlx::query("PRAGMA secure_delete = ON").execute(writer).await?;
        }
        Ok(())
    }

    /// Takes what was deleted out of the database's files, as far as the database can: the log beside SQLite's file, and
    /// dead rows of the exposure tables on PostgreSQL, which are rewritten for it. Backups and PostgreSQL's own log keep
    /// what they have.
    pub async fn sweep_out(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(writer).await?;
            }
            Pools::Postgres(pool) => {
                for table in ["VACUUM FULL run_blocks", "VACUUM FULL incidents", "VACUUM FULL rejects"] {
                    sqlx::query(table).execute(pool).await?;
                }
            }
        }
        Ok(())
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

const COUNT_MIGRATIONS: &str = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success = TRUE";

fn make_folder_of(file: &Path) -> Result<(), StoreError> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::create_dir_all(folder).map_err(|source| StoreError::Folder { path: folder.to_path_buf(), source })
        }
        _ => Ok(()),
    }
}

enum Inner {
    Sqlite(PoolConnection<Sqlite>),
    SqliteTx(Transaction<'static, Sqlite>),
    Postgres(PoolConnection<Postgres>),
    PostgresTx(Transaction<'static, Postgres>),
}

/// The bare connection, for the `on!` macro.
pub(crate) enum Raw<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// A connection to either database.
pub struct Conn(Inner);

impl Conn {
    pub(crate) fn raw(&mut self) -> Raw<'_> {
        match &mut self.0 {
            Inner::Sqlite(conn) => Raw::Sqlite(conn),
            Inner::SqliteTx(tx) => Raw::Sqlite(tx),
            Inner::Postgres(conn) => Raw::Postgres(conn),
            Inner::PostgresTx(tx) => Raw::Postgres(tx),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        match self.0 {
            Inner::Sqlite(_) | Inner::SqliteTx(_) => Dialect::Sqlite,
            Inner::Postgres(_) | Inner::PostgresTx(_) => Dialect::Postgres,
        }
    }
}

/// A transaction on either database.
pub struct Tx(Conn);

impl std::ops::Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl std::ops::DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

impl Tx {
    /// Appends the audit entry, last, and commits.
    pub async fn commit(mut self, entry: AuditEntry) -> Result<(), StoreError> {
        audit::append(&mut self, &entry).await?;
        self.commit_ledger().await
    }

    /// Commits what is a ledger of its own: attempts, imported rows, leases, verdicts that are recomputed.
    pub async fn commit_ledger(self) -> Result<(), StoreError> {
        match self.0.0 {
            Inner::SqliteTx(tx) => tx.commit().await?,
            Inner::PostgresTx(tx) => tx.commit().await?,
            Inner::Sqlite(_) | Inner::Postgres(_) => {}
        }
        Ok(())
    }
}

/// Begins a transaction in a task of its own, so that it is begun to its end also when whoever waits for it is gone: sqlx
/// 0.9 gives a connection whose BEGIN was cut off back to its pool as it is, inside the transaction (its rollback looks at a
/// depth that is counted only after BEGIN), and the next to take it would read old rows or write into nothing.
async fn begun(pool: PgPool, begin: &'static str) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    tokio::spawn(async move { pool.begin_with(begin).await }).await.map_err(|_| sqlx::Error::WorkerCrashed)?
}
