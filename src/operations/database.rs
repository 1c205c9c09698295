//! The operations database.

use crate::catalog::{DatasetKey, Finding, GraphHash, Severity, SourceId};
use serde::Serialize;
use sqlx::Row;
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

/// What the last harvest found in a record.
#[derive(Debug, Clone, Serialize)]
pub struct RecordRow {
    /// The key.
    pub key: String,
    /// The source.
    pub source: String,
    /// What the platform calls it.
    pub remote_id: String,
    /// The hash of its statements.
    pub hash: String,
    /// Findings by severity.
    pub violation: u64,
    /// Findings by severity.
    pub warning: u64,
    /// Findings by severity.
    pub info: u64,
    /// The findings.
    pub findings: Vec<Finding>,
}

/// A record's findings as they are stored.
#[derive(Debug, Clone, Default)]
pub struct StoredFindings {
    /// The hash of the statements they were found in.
    pub hash: String,
    /// Findings by severity: violation, warning, info.
    pub counts: [u64; 3],
    /// Since when the record is missing.
    pub missing_since: Option<String>,
    /// When it was archived.
    pub archived_at: Option<String>,
}

/// A former state of a record.
#[derive(Debug, Clone)]
pub struct FormerState {
    /// The key.
    pub key: DatasetKey,
    /// The hash of its statements.
    pub hash: String,
    /// Its canonical N-Quads.
    pub quads: String,
}

/// A record whose remote identifier changed.
#[derive(Debug, Clone)]
pub struct Rename {
    /// The new identifier.
    pub remote_id: String,
    /// The record.
    pub key: DatasetKey,
    /// The identifier it had.
    pub former_id: String,
}

/// The database, open.
#[derive(Debug, Clone)]
pub struct Operations {
    pub(super) pool: SqlitePool,
    path: PathBuf,
}

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
            .foreign_keys(true);
        let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await;
        let pool = pool.map_err(|source| OperationsError::Database { path: path.to_owned(), source })?;
        sqlx::migrate!("src/operations/migrations")
            .run(&pool)
            .await
            .map_err(|source| OperationsError::Migration { path: path.to_owned(), source })?;
        Ok(Self { pool, path: path.to_owned() })
    }

    pub(super) fn error(&self, source: sqlx::Error) -> OperationsError {
        OperationsError::Database { path: self.path.clone(), source }
    }

    /// Forgets records that are in the store no longer, and in no history either.
    pub async fn forget_records(&self, keys: &[DatasetKey]) -> Result<(), OperationsError> {
        let json = serde_json::to_string(keys).expect("keys are plain values");
        sqlx::query("DELETE FROM records WHERE key IN (SELECT value FROM json_each(?))")
            .bind(json)
            .execute(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Adds a finding to a record's, unless it has one of that rule. Returns whether it was added.
    pub async fn add_finding(&self, key: DatasetKey, finding: &Finding) -> Result<bool, OperationsError> {
        let mut findings = self.findings(key).await?;
        if findings.iter().any(|known| known.rule == finding.rule) {
            return Ok(false);
        }
        findings.push(finding.clone());
        let json = serde_json::to_string(&findings).expect("findings are plain values");
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        let count = |severity| i64::try_from(count(severity)).unwrap_or(i64::MAX);
        sqlx::query("UPDATE records SET findings = ?, violation = ?, warning = ?, info = ? WHERE key = ?")
            .bind(json)
            .bind(count(Severity::Violation))
            .bind(count(Severity::Warning))
            .bind(count(Severity::Info))
            .bind(key.to_string())
            .execute(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(true)
    }

    /// What is stored of a source's records, by key.
    pub async fn stored_findings(
        &self,
        source: &SourceId,
    ) -> Result<std::collections::HashMap<DatasetKey, StoredFindings>, OperationsError> {
        let rows = sqlx::query(
            "SELECT key, hash, violation, warning, info, missing_since, archived_at FROM records WHERE source = ?",
        )
        .bind(source.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.error(error))?;
        let count = |row: &sqlx::sqlite::SqliteRow, name| u64::try_from(row.get::<i64, _>(name)).unwrap_or(0);
        let found = rows.iter().filter_map(|row| {
            let stored = StoredFindings {
                hash: row.get("hash"),
                counts: [count(row, "violation"), count(row, "warning"), count(row, "info")],
                missing_since: row.get("missing_since"),
                archived_at: row.get("archived_at"),
            };
            Some((DatasetKey::parse(row.get("key"))?, stored))
        });
        Ok(found.collect())
    }

    /// Writes what was found in records, in one transaction; they are neither missing nor archived.
    pub async fn write_records(&self, rows: &[RecordRow]) -> Result<(), OperationsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let json = serde_json::to_string(rows).expect("rows are plain values");
        sqlx::query(
            "INSERT INTO records (key, source, remote_id, hash, violation, warning, info, findings)
             SELECT value ->> 'key', value ->> 'source', value ->> 'remote_id', value ->> 'hash',
                    value ->> 'violation', value ->> 'warning', value ->> 'info', value -> 'findings'
             FROM json_each(?) WHERE true
             ON CONFLICT (key) DO UPDATE SET remote_id = excluded.remote_id, hash = excluded.hash,
                violation = excluded.violation, warning = excluded.warning, info = excluded.info,
                findings = excluded.findings, missing_since = NULL, archived_at = NULL",
        )
        .bind(json)
        .execute(&self.pool)
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Marks records as present again, missing, or archived.
    pub async fn mark(
        &self,
        keys: &[DatasetKey],
        missing_since: Option<&str>,
        archived_at: Option<&str>,
    ) -> Result<(), OperationsError> {
        let json = serde_json::to_string(keys).expect("keys are plain values");
        sqlx::query(
            "UPDATE records SET missing_since = ?, archived_at = ? WHERE key IN (SELECT value FROM json_each(?))",
        )
        .bind(missing_since)
        .bind(archived_at)
        .bind(json)
        .execute(&self.pool)
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Keeps former states. A state that is the newest kept one of its record already was kept before a
    /// crash, and is not kept twice.
    pub async fn keep_history(&self, states: &[FormerState], job: &str, now: &str) -> Result<(), OperationsError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.error(error))?;
        for state in states {
            let compressed =
                zstd::encode_all(state.quads.as_bytes(), 3).map_err(|error| self.error(sqlx::Error::Io(error)))?;
            sqlx::query(
                "INSERT INTO history (key, replaced_at, hash, quads, job) SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE ?3 IS NOT (SELECT hash FROM history WHERE key = ?1 ORDER BY replaced_at DESC LIMIT 1)
                 ON CONFLICT DO NOTHING",
            )
            .bind(state.key.to_string())
            .bind(now)
            .bind(&state.hash)
            .bind(compressed)
            .bind(job)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.error(error))?;
        }
        transaction.commit().await.map_err(|error| self.error(error))
    }

    /// The last former state of a record, as N-Quads.
    pub async fn last_state(&self, key: DatasetKey) -> Result<Option<String>, OperationsError> {
        let row = sqlx::query("SELECT quads FROM history WHERE key = ? ORDER BY replaced_at DESC LIMIT 1")
            .bind(key.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        let Some(row) = row else { return Ok(None) };
        let bytes =
            zstd::decode_all(row.get::<&[u8], _>("quads")).map_err(|error| self.error(sqlx::Error::Io(error)))?;
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// When a record was archived, if it is.
    pub async fn archived_at(&self, key: DatasetKey) -> Result<Option<String>, OperationsError> {
        let row = sqlx::query("SELECT archived_at FROM records WHERE key = ?")
            .bind(key.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(row.and_then(|row| row.get("archived_at")))
    }

    /// The findings of a record.
    pub async fn findings(&self, key: DatasetKey) -> Result<Vec<Finding>, OperationsError> {
        let row = sqlx::query("SELECT findings FROM records WHERE key = ?")
            .bind(key.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        let text: Option<String> = row.and_then(|row| row.get("findings"));
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// The findings of all present records of a source.
    pub async fn findings_of_source(&self, source: &SourceId) -> Result<Vec<Finding>, OperationsError> {
        let rows = sqlx::query(
            "SELECT findings FROM records WHERE source = ? AND archived_at IS NULL ORDER BY remote_id",
        )
        .bind(source.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.error(error))?;
        let lists = rows.iter().filter_map(|row| serde_json::from_str::<Vec<Finding>>(row.get("findings")).ok());
        Ok(lists.flatten().collect())
    }

    /// Remembers that a record goes by another identifier now.
    pub async fn note_renames(
        &self,
        source: &SourceId,
        renames: &[Rename],
        now: &str,
    ) -> Result<(), OperationsError> {
        for rename in renames {
            sqlx::query(
                "INSERT INTO renames (source, remote_id, key, former_id, renamed_at) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (source, remote_id) DO UPDATE SET key = excluded.key, former_id = excluded.former_id",
            )
            .bind(source.as_str())
            .bind(&rename.remote_id)
            .bind(rename.key.to_string())
            .bind(&rename.former_id)
            .bind(now)
            .execute(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        }
        Ok(())
    }

    /// Moves the rows of renamed records from the new key, second in each pair, to the former one, with
    /// the hash that the record has under it.
    pub async fn move_records(
        &self,
        pairs: &[(DatasetKey, DatasetKey)],
        hashes: &[GraphHash],
    ) -> Result<(), OperationsError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.error(error))?;
        for ((former, new), hash) in pairs.iter().zip(hashes) {
            sqlx::query("DELETE FROM records WHERE key = ?")
                .bind(former.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.error(error))?;
            sqlx::query("UPDATE records SET key = ?, hash = ? WHERE key = ?")
                .bind(former.to_string())
                .bind(hash.to_string())
                .bind(new.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.error(error))?;
        }
        transaction.commit().await.map_err(|error| self.error(error))
    }

    /// The keys of records that go by another identifier than the one they were first seen with.
    pub async fn renamed(
        &self,
        source: &SourceId,
    ) -> Result<std::collections::HashMap<String, DatasetKey>, OperationsError> {
        let rows = sqlx::query("SELECT remote_id, key FROM renames WHERE source = ?")
            .bind(source.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        let pairs = rows.iter().filter_map(|row| Some((row.get("remote_id"), DatasetKey::parse(row.get("key"))?)));
        Ok(pairs.collect())
    }
}
