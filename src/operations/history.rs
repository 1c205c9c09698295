//! Former states of records, and identifiers that they went by.

use super::database::{Operations, OperationsError};
use crate::catalog::{DatasetKey, GraphHash, SourceId};
use serde::Serialize;
use sqlx::{Row, Sqlite, Transaction};
use std::collections::{HashMap, HashSet};

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

/// A former state, without its statements.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// When another state took its place.
    pub replaced_at: String,
    /// The hash of its statements.
    pub hash: String,
    /// The job that replaced it, or what a person did.
    pub job: String,
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

impl Operations {
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
        row.map(|row| self.unpacked(row.get("quads"))).transpose()
    }

    /// Remembers that a record goes by another identifier now.
    pub async fn note_renames(
        &self,
        source: &SourceId,
        renames: &[Rename],
        job: &str,
        now: &str,
    ) -> Result<(), OperationsError> {
        for rename in renames {
            sqlx::query(
                "INSERT INTO renames (source, remote_id, key, former_id, renamed_at, job) VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT (source, remote_id) DO UPDATE
                 SET key = excluded.key, former_id = excluded.former_id, job = excluded.job,
                    renamed_at = excluded.renamed_at",
            )
            .bind(source.as_str())
            .bind(&rename.remote_id)
            .bind(rename.key.to_string())
            .bind(&rename.former_id)
            .bind(now)
            .bind(job)
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
        now: &str,
    ) -> Result<(), OperationsError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.error(error))?;
        for ((former, new), hash) in pairs.iter().zip(hashes) {
            self.move_findings(&mut transaction, *former, *new, now).await?;
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

    /// Moves what was found in a record to the key that it had before; what was known under that ends.
    async fn move_findings(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        former: DatasetKey,
        new: DatasetKey,
        now: &str,
    ) -> Result<(), OperationsError> {
        let (former, new) = (former.to_string(), new.to_string());
        for query in [
            sqlx::query("UPDATE findings SET gone_at = ? WHERE key = ? AND gone_at IS NULL")
                .bind(now)
                .bind(&former),
            sqlx::query("UPDATE findings SET key = ? WHERE key = ?").bind(&former).bind(&new),
            sqlx::query("UPDATE OR REPLACE quality SET key = ? WHERE key = ?").bind(&former).bind(&new),
        ] {
            query.execute(&mut **transaction).await.map_err(|error| self.error(error))?;
        }
        Ok(())
    }

    /// The keys of records that go by another identifier than the one they were first seen with.
    pub async fn renamed(&self, source: &SourceId) -> Result<HashMap<String, DatasetKey>, OperationsError> {
        let rows = sqlx::query("SELECT remote_id, key FROM renames WHERE source = ?")
            .bind(source.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        let pairs = rows.iter().filter_map(|row| Some((row.get("remote_id"), DatasetKey::parse(row.get("key"))?)));
        Ok(pairs.collect())
    }

    /// Forgets what a run of a job (its name, and its time behind a slash) noted whose changes of the store were undone: as it did not come to its end, no
    /// state was replaced and no identifier changed.
    pub async fn forget_undone(&self, run: &str) -> Result<(), OperationsError> {
        // A job that is run again has its name; what an earlier run of it published stays.
        let (job, time) = run.split_once('/').unwrap_or((run, ""));
        let history = sqlx::query("DELETE FROM history WHERE job = ? AND (?2 = '' OR replaced_at = ?2)");
        self.run(history.bind(job.to_owned()).bind(time.to_owned())).await?;
        let renames = sqlx::query("DELETE FROM renames WHERE job = ? AND (?2 = '' OR renamed_at = ?2)");
        self.run(renames.bind(job.to_owned()).bind(time.to_owned())).await?;
        self.forget_found(job, time).await?;
        Ok(())
    }

    /// The former states of a record, the newest first: when each was replaced, its hash, and by which job.
    pub async fn versions(&self, key: DatasetKey) -> Result<Vec<Version>, OperationsError> {
        let query =
            sqlx::query("SELECT replaced_at, hash, job FROM history WHERE key = ? ORDER BY replaced_at DESC");
        let rows = self.rows(query.bind(key.to_string())).await?;
        let version = |row: &sqlx::sqlite::SqliteRow| Version {
            replaced_at: row.get("replaced_at"),
            hash: row.get("hash"),
            job: row.get("job"),
        };
        Ok(rows.iter().map(version).collect())
    }

    /// A former state of a record, by its hash: the newest with it. As canonical N-Quads.
    pub async fn state_of(&self, key: DatasetKey, hash: &str) -> Result<Option<String>, OperationsError> {
        let query =
            sqlx::query("SELECT quads FROM history WHERE key = ? AND hash = ? ORDER BY replaced_at DESC LIMIT 1");
        let row = self.row(query.bind(key.to_string()).bind(hash.to_owned())).await?;
        row.map(|row| self.unpacked(row.get("quads"))).transpose()
    }

    /// Those of some records whose last known state is in the history: it was kept before they were archived.
    pub async fn with_last_state_kept(&self, keys: &[DatasetKey]) -> Result<HashSet<DatasetKey>, OperationsError> {
        let json = serde_json::to_string(keys).expect("keys are plain values");
        let query = sqlx::query(
            "SELECT key FROM records WHERE key IN (SELECT value FROM json_each(?))
             AND EXISTS (SELECT 1 FROM history WHERE history.key = records.key AND history.hash = records.hash)",
        );
        let rows = self.rows(query.bind(json)).await?;
        Ok(rows.iter().filter_map(|row| DatasetKey::parse(row.get("key"))).collect())
    }

    fn unpacked(&self, bytes: &[u8]) -> Result<String, OperationsError> {
        let bytes = zstd::decode_all(bytes).map_err(|error| self.error(sqlx::Error::Io(error)))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
