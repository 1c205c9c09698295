//! The operations database.

use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A failure of the operations database.
#[derive(Debug, thiserror::Error)]
pub enum OperationsError {
    /// SQLite failed.
    #[error("{}: the operations database failed", path.display())]
    Database {
        /// The database's file.
        path: PathBuf,
        /// SQLite's error.
        #[source]
        source: sqlx::Error,
    },
    /// The database is of another version of the program.
    #[error("{}: the operations database cannot be brought to this version", path.display())]
    Migration {
        /// The database's file.
        path: PathBuf,
        /// The migration's error.
        #[source]
        source: sqlx::migrate::MigrateError,
    },
}

/// The database, open.
#[derive(Debug, Clone)]
pub struct Operations {
    pub(super) pool: SqlitePool,
    path: PathBuf,
}

/// Connections at once: one writes, and those that wait for it must leave some to readers.
const CONNECTIONS: u32 = 16;

/// Pages that a connection keeps, in KiB (negative, as SQLite has it): keys are random, so that a transaction of a
/// thousand records touches pages all over; with the usual 2 MB it writes many of them more than once.
const PAGE_CACHE: &str = "-8000";

impl Operations {
    /// Opens the database, creating it and bringing it to this version.
    pub async fn open(path: &Path) -> Result<Self, OperationsError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What the history holds must be there when the store has changed, also after a power cut.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(30))
            .pragma("cache_size", PAGE_CACHE)
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await;
        let pool = pool.map_err(|source| OperationsError::Database { path: path.to_owned(), source })?;
        sqlx::migrate!("src/operations/migrations")
            .run(&pool)
            .await
            .map_err(|source| OperationsError::Migration { path: path.to_owned(), source })?;
        Ok(Self { pool, path: path.to_owned() })
    }

    /// Opens the database for reading alone: it must be there, and of this version. Nothing is written beside it.
    pub async fn open_read_only(path: &Path) -> Result<Self, OperationsError> {
        // Without a log of writes beside it nobody writes: then not even SQLite's own files are made.
        let is_quiet = !path.with_extension("sqlite-wal").exists();
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(is_quiet);
        let options = options.busy_timeout(Duration::from_secs(30));
        let pool = SqlitePoolOptions::new().max_connections(2).connect_with(options).await;
        let pool = pool.map_err(|source| OperationsError::Database { path: path.to_owned(), source })?;
        Ok(Self { pool, path: path.to_owned() })
    }

    /// Closes the database, so that nothing is left beside its file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The database's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Copies the database, as it is at one moment, into a file that does not exist yet.
    pub async fn copy_to(&self, target: &Path) -> Result<(), OperationsError> {
        self.run(sqlx::query("VACUUM INTO ?").bind(target.to_string_lossy().into_owned())).await?;
        Ok(())
    }

    pub(super) fn error(&self, source: sqlx::Error) -> OperationsError {
        OperationsError::Database { path: self.path.clone(), source }
    }

    /// Runs a statement; gives the number of rows that it changed.
    pub(super) async fn run(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<u64, OperationsError> {
        let done = query.execute(&self.pool).await.map_err(|error| self.error(error))?;
        Ok(done.rows_affected())
    }

    /// The rows of a query.
    pub(super) async fn rows(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<Vec<SqliteRow>, OperationsError> {
        query.fetch_all(&self.pool).await.map_err(|error| self.error(error))
    }

    /// The first row of a query, if it has one.
    pub(super) async fn row(
        &self,
        query: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<Option<SqliteRow>, OperationsError> {
        query.fetch_optional(&self.pool).await.map_err(|error| self.error(error))
    }

    /// A small fact of the service.
    pub async fn fact(&self, name: &str) -> Result<Option<String>, OperationsError> {
        use sqlx::Row;
        let row = self.row(sqlx::query("SELECT value FROM facts WHERE name = ?").bind(name.to_owned())).await?;
        Ok(row.map(|row| row.get("value")))
    }

    /// Notes a small fact of the service.
    pub async fn note_fact(&self, name: &str, value: &str) -> Result<(), OperationsError> {
        let query = sqlx::query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)");
        self.run(query.bind(name.to_owned()).bind(value.to_owned())).await?;
        Ok(())
    }
}
