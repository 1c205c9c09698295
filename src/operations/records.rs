//! What is known of records beside their triples: findings, absences.

use super::database::{Operations, OperationsError};
use super::finding_rows::RecordFindings;
use crate::catalog::{DatasetKey, Finding, SourceId};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use std::collections::HashMap;

/// What the last harvest found in a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordRow {
    /// The key.
    pub key: String,
    /// The source.
    pub source: String,
    /// What the platform calls it.
    pub remote_id: String,
    /// Its publisher's IRI, or nothing.
    pub node: String,
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
    /// What it fulfils of the quality assessment, as JSON.
    pub quality: Option<String>,
}

/// A row of the table of records: findings have a table of their own.
#[derive(Serialize)]
struct SlimRow<'r> {
    key: &'r str,
    source: &'r str,
    remote_id: &'r str,
    node: &'r str,
    hash: &'r str,
    violation: u64,
    warning: u64,
    info: u64,
    quality: Option<&'r str>,
}

impl<'r> SlimRow<'r> {
    fn of(row: &'r RecordRow) -> Self {
        let RecordRow { key, source, remote_id, node, hash, violation, warning, info, quality, .. } = row;
        let [violation, warning, info] = [*violation, *warning, *info];
        Self { key, source, remote_id, node, hash, violation, warning, info, quality: quality.as_deref() }
    }
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
    /// Whether a person archived it: it stays so, whatever its source says.
    pub withdrawn: bool,
    /// Whether a person detached it: it stays as it is, whatever its source says.
    pub detached: bool,
    /// The hash of a state that a person undid: it does not come back.
    pub undone_hash: Option<String>,
}

/// What is known of a record beside its triples.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KnownRecord {
    /// The key.
    pub key: String,
    /// The source.
    pub source: String,
    /// What the platform calls it.
    pub remote_id: String,
    /// The hash of its statements.
    pub hash: String,
    /// Since when its source lacks it.
    pub missing_since: Option<String>,
    /// When it left the catalogue.
    pub archived_at: Option<String>,
    /// Whether a person archived it.
    pub withdrawn: bool,
    /// Whether a person detached it.
    pub detached: bool,
}

impl Operations {
    /// Forgets records that are in the store no longer, and in no history either.
    pub async fn forget_records(&self, keys: &[DatasetKey]) -> Result<(), OperationsError> {
        let json = serde_json::to_string(keys).expect("keys are plain values");
        for table in ["records", "findings", "quality"] {
            let query = format!("DELETE FROM {table} WHERE key IN (SELECT value FROM json_each(?))");
            self.run(sqlx::query(sqlx::AssertSqlSafe(query)).bind(json.clone())).await?;
        }
        Ok(())
    }

    /// What is stored of a source's records, by key.
    pub async fn stored_findings(
        &self,
        source: &SourceId,
    ) -> Result<HashMap<DatasetKey, StoredFindings>, OperationsError> {
        let rows = sqlx::query(
            "SELECT key, hash, violation, warning, info, missing_since, archived_at, withdrawn, detached, undone_hash
             FROM records WHERE source = ?",
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
                withdrawn: row.get("withdrawn"),
                detached: row.get("detached"),
                undone_hash: row.get("undone_hash"),
            };
            Some((DatasetKey::parse(row.get("key"))?, stored))
        });
        Ok(found.collect())
    }

    /// Writes what was found in records at a time, in one transaction; they are neither missing nor archived.
    pub async fn write_records(&self, rows: &[RecordRow], now: &str) -> Result<(), OperationsError> {
        if rows.is_empty() {
            return Ok(());
        }
        // It reads before it writes: a lock that were asked for later only might be refused then.
        let begun = self.pool.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(|error| self.error(error))?;
        let findings: Vec<RecordFindings<'_>> = rows.iter().map(RecordFindings::from).collect();
        self.write_findings(&mut transaction, &findings, now).await?;
        let slim: Vec<SlimRow<'_>> = rows.iter().map(SlimRow::of).collect();
        let json = serde_json::to_string(&slim).expect("rows are plain values");
        let query = sqlx::query(
            "INSERT INTO records (key, source, remote_id, node, hash, violation, warning, info)
             SELECT value ->> 'key', value ->> 'source', value ->> 'remote_id', value ->> 'node', value ->> 'hash',
                    value ->> 'violation', value ->> 'warning', value ->> 'info'
             FROM json_each(?) WHERE true
             ON CONFLICT (key) DO UPDATE SET remote_id = excluded.remote_id, node = excluded.node,
                hash = excluded.hash,
                violation = excluded.violation, warning = excluded.warning, info = excluded.info,
                missing_since = NULL, archived_at = NULL, withdrawn = 0, undone_hash = NULL",
        );
        query.bind(&json).execute(&mut *transaction).await.map_err(|error| self.error(error))?;
        let query = sqlx::query(
            "INSERT OR REPLACE INTO quality (key, source, assessment)
             SELECT value ->> 'key', value ->> 'source', value ->> 'quality' FROM json_each(?)
             WHERE value ->> 'quality' IS NOT NULL",
        );
        query.bind(json).execute(&mut *transaction).await.map_err(|error| self.error(error))?;
        transaction.commit().await.map_err(|error| self.error(error))
    }

    /// Marks records as present again, missing, or archived.
    pub async fn mark(
        &self,
        keys: &[DatasetKey],
        missing_since: Option<&str>,
        archived_at: Option<&str>,
    ) -> Result<(), OperationsError> {
        let json = serde_json::to_string(keys).expect("keys are plain values");
        if let Some(now) = archived_at {
            self.end_findings(&json, now).await?;
        }
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

    /// When a record was archived, if it is.
    pub async fn archived_at(&self, key: DatasetKey) -> Result<Option<String>, OperationsError> {
        let row = sqlx::query("SELECT archived_at FROM records WHERE key = ?")
            .bind(key.to_string())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(row.and_then(|row| row.get("archived_at")))
    }

    /// Notes that a person archived a record, or gave it free again.
    pub async fn withdraw(&self, key: DatasetKey, archived_at: Option<&str>) -> Result<(), OperationsError> {
        let query = sqlx::query(
            "UPDATE records SET archived_at = ?1, withdrawn = ?1 IS NOT NULL, missing_since = NULL WHERE key = ?2",
        );
        self.run(query.bind(archived_at.map(ToOwned::to_owned)).bind(key.to_string())).await?;
        Ok(())
    }

    /// Notes that a person gave a record a former state back; the one that it had does not come back.
    pub async fn note_undone(
        &self,
        key: DatasetKey,
        hash: &str,
        undone: Option<&str>,
    ) -> Result<(), OperationsError> {
        self.reopen_findings(key).await?;
        let query = sqlx::query(
            "UPDATE records SET hash = ?, undone_hash = ?, archived_at = NULL, withdrawn = 0, missing_since = NULL WHERE key = ?",
        );
        let query = query.bind(hash.to_owned()).bind(undone.map(ToOwned::to_owned));
        self.run(query.bind(key.to_string())).await?;
        Ok(())
    }

    /// Notes that a record stays as it is, or follows its source again.
    pub async fn detach(&self, key: DatasetKey, detached: bool) -> Result<(), OperationsError> {
        let query = sqlx::query("UPDATE records SET detached = ?, missing_since = NULL WHERE key = ?");
        self.run(query.bind(detached).bind(key.to_string())).await?;
        Ok(())
    }

    /// The live records whose node has an IRI, in the order of their keys.
    pub async fn keys_of_node(&self, node: &str) -> Result<Vec<DatasetKey>, OperationsError> {
        let query = sqlx::query(
            "SELECT key FROM records WHERE node = ? AND node <> '' AND archived_at IS NULL ORDER BY key",
        );
        self.keys_found(query.bind(node.to_owned())).await
    }

    async fn keys_found(
        &self,
        query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Vec<DatasetKey>, OperationsError> {
        let rows = self.rows(query).await?;
        Ok(rows.iter().filter_map(|row| DatasetKey::parse(row.get("key"))).collect())
    }

    /// What is known of a record beside its triples.
    pub async fn known_record(&self, key: DatasetKey) -> Result<Option<KnownRecord>, OperationsError> {
        let query = sqlx::query("SELECT * FROM records WHERE key = ?");
        let row = self.row(query.bind(key.to_string())).await?;
        Ok(row.map(|row| KnownRecord {
            key: row.get("key"),
            source: row.get("source"),
            remote_id: row.get("remote_id"),
            hash: row.get("hash"),
            missing_since: row.get("missing_since"),
            archived_at: row.get("archived_at"),
            withdrawn: row.get("withdrawn"),
            detached: row.get("detached"),
        }))
    }

    /// The keys of records that a source or a person calls so.
    pub async fn keys_of_remote_id(&self, remote_id: &str) -> Result<Vec<DatasetKey>, OperationsError> {
        let rows =
            self.rows(sqlx::query("SELECT key FROM records WHERE remote_id = ?").bind(remote_id.to_owned()));
        Ok(rows.await?.iter().filter_map(|row| DatasetKey::parse(row.get("key"))).collect())
    }

    /// How many records of a source are live, missing, and archived.
    pub async fn record_totals(&self, source: &SourceId) -> Result<[i64; 3], OperationsError> {
        let query = sqlx::query(
            "SELECT count(*) FILTER (WHERE archived_at IS NULL) AS live,
                    count(*) FILTER (WHERE missing_since IS NOT NULL AND archived_at IS NULL) AS missing,
                    count(*) FILTER (WHERE archived_at IS NOT NULL) AS archived
             FROM records WHERE source = ?",
        );
        let row = self.row(query.bind(source.to_string())).await?;
        Ok(row.map_or([0; 3], |row| [row.get("live"), row.get("missing"), row.get("archived")]))
    }

    /// What the platforms call some records.
    pub async fn remote_ids(&self, keys: &[DatasetKey]) -> Result<HashMap<DatasetKey, String>, OperationsError> {
        self.column("remote_id", keys).await
    }

    /// The IRIs that publishers gave to what some records describe; records whose node is one of ours have none here.
    pub async fn nodes(&self, keys: &[DatasetKey]) -> Result<HashMap<DatasetKey, String>, OperationsError> {
        let mut nodes = self.column("node", keys).await?;
        nodes.retain(|_, node| !node.is_empty());
        Ok(nodes)
    }

    async fn column(
        &self,
        name: &str,
        keys: &[DatasetKey],
    ) -> Result<HashMap<DatasetKey, String>, OperationsError> {
        let json = serde_json::to_string(keys).expect("keys are plain values");
        let query = format!("SELECT key, {name} FROM records WHERE key IN (SELECT value FROM json_each(?))");
        let rows = self.rows(sqlx::query(sqlx::AssertSqlSafe(query)).bind(json)).await?;
        Ok(rows.iter().filter_map(|row| Some((DatasetKey::parse(row.get("key"))?, row.get(name)))).collect())
    }
}
