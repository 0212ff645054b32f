//! The job queue: apalis' tables beside ours, its backends, and pushing.
//!
//! Runs no jobs (that is `workers`). Invariant: a job is a nudge; losing or doubling one changes nothing, because the
//! rows say what is due. Pushing one that is there already is no error on either database.

use std::time::Duration;

use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;

use crate::db::Pools;
use crate::{Store, StoreError};

/// apalis' name of our one queue.
pub const QUEUE: &str = "forthright";

/// How often a worker says that it lives; twice that without a sign and its jobs go to others.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Not more than the concurrency of a worker: jobs that wait in a buffer would be taken from it as abandoned and run
/// twice.
pub const BATCH: usize = 8;

statements! {
    PUSH_SQLITE = "
        INSERT INTO Jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority, metadata, idempotency_key)
        VALUES ($1, $2, $3, 'Pending', 0, 1, CAST(strftime('%s', 'now') AS INTEGER), 0, '{}', $4)
        ON CONFLICT (job_type, idempotency_key) DO NOTHING";
    PUSH_POSTGRES = "
        INSERT INTO apalis.jobs (job, id, job_type, status, attempts, max_attempts, run_at, priority, metadata, idempotency_key)
        VALUES ($1, $2, $3, 'Pending', 0, 1, NOW(), 0, ''::hstore, $4)
        ON CONFLICT DO NOTHING";
    CLEAN_SQLITE = "
        DELETE FROM Jobs
        WHERE job_type = $1 AND status IN ('Done', 'Failed', 'Killed') AND done_at < CAST(strftime('%s', 'now') AS INTEGER) - 600";
    CLEAN_POSTGRES = "
        DELETE FROM apalis.jobs
        WHERE job_type = $1 AND status IN ('Done', 'Failed', 'Killed') AND done_at < NOW() - INTERVAL '10 minutes'";
}

/// apalis' tables, its migrations in a table of their own, and the indices that its acknowledgement needs.
pub(crate) async fn migrate(pools: &Pools) -> Result<(), StoreError> {
    match pools {
        Pools::Sqlite { writer, .. } => {
            // Not `SqliteStorage::setup`: it turns `synchronous` off.
            let mut migrator = SqliteStorage::migrations();
            migrator.dangerous_set_table_name("_apalis_migrations");
            migrator.run(writer).await?;
            // With this index the planner finds all jobs a worker ever ran, once per acknowledged job.
            sqlx::query("DROP INDEX IF EXISTS LIdx").execute(writer).await?;
        }
        Pools::Postgres(pool) => {
            PostgresStorage::setup(pool).await.map_err(|error| StoreError::Refused(error.to_string()))?;
            sqlx::raw_sql(
                "DROP INDEX IF EXISTS apalis.lidx;
                 DROP INDEX IF EXISTS apalis.idx_apalis_jobs_lock_by;
                 CREATE INDEX IF NOT EXISTS jobs_inflight ON apalis.jobs (lock_by) WHERE status = 'Running' OR status = 'Queued';",
            )
            .execute(pool)
            .await?;
        }
    }
    Ok(())
}

/// A backend for apalis' worker.
pub enum Backend {
    /// On the embedded database.
    Sqlite(SqliteStorage<Vec<u8>>),
    /// On the shared one.
    Postgres(PostgresStorage<Vec<u8>>),
}

impl Store {
    /// The backend of our queue.
    pub fn jobs(&self) -> Backend {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let config = apalis_sqlite::Config::default()
                    .queue(QUEUE)
                    .batch_size(BATCH)
                    .lock_tasks(false)
                    .heartbeat_interval(HEARTBEAT);
                Backend::Sqlite(SqliteStorage::new(writer).with_config(config))
            }
            Pools::Postgres(pool) => {
                let config = apalis_postgres::Config::default()
                    .queue(QUEUE)
                    .batch_size(BATCH)
                    .lock_tasks(false)
                    .heartbeat_interval(HEARTBEAT);
                Backend::Postgres(PostgresStorage::new(pool).with_config(config))
            }
        }
    }

    /// Pushes a job unless one with its key is there. `id` must be a ULID: another text stops apalis' queue.
    pub async fn push(&self, id: &str, key: &str, payload: &[u8]) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => {
                sqlx::query(PUSH_SQLITE)
                    .bind(payload)
                    .bind(id)
                    .bind(QUEUE)
                    .bind(key)
                    .execute(writer)
                    .await
                    .map(drop)?;
            }
            Pools::Postgres(pool) => {
                sqlx::query(PUSH_POSTGRES)
                    .bind(payload)
                    .bind(id)
                    .bind(QUEUE)
                    .bind(key)
                    .execute(pool)
                    .await
                    .map(drop)?;
            }
        }
        Ok(())
    }

    /// Deletes jobs that ended more than ten minutes ago: apalis' own vacuum ignores the age it is given.
    pub async fn clean_jobs(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => sqlx::query(CLEAN_SQLITE).bind(QUEUE).execute(writer).await.map(drop)?,
            Pools::Postgres(pool) => sqlx::query(CLEAN_POSTGRES).bind(QUEUE).execute(pool).await.map(drop)?,
        }
        Ok(())
    }
}

impl crate::Tx {
    /// [`Store::push`], within this transaction.
    pub async fn push(&mut self, id: &str, key: &str, payload: &[u8]) -> Result<(), StoreError> {
        let text = match self.dialect() {
            crate::Dialect::Sqlite => PUSH_SQLITE,
            crate::Dialect::Postgres => PUSH_POSTGRES,
        };
        on!(self, |c| sqlx::query(text).bind(payload).bind(id).bind(QUEUE).bind(key).execute(c).await.map(drop))?;
        Ok(())
    }
}
