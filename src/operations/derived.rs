//! Derived records, kept until their graphs change.

use super::database::{Operations, OperationsError};
use crate::catalog::DatasetKey;
use sqlx::Row;
use std::collections::HashMap;

/// A record as it was derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedRow {
    /// The record's key.
    pub key: DatasetKey,
    /// What it was derived from; another state makes the row worthless.
    pub state: String,
    /// The record as JSON, compressed with zstd.
    pub record: Vec<u8>,
}

impl Operations {
    /// Keeps derived records, in one transaction.
    pub async fn keep_derived(&self, rows: &[DerivedRow]) -> Result<(), OperationsError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.error(error))?;
        for row in rows {
            sqlx::query("INSERT OR REPLACE INTO derived (key, state, record) VALUES (?, ?, ?)")
                .bind(row.key.to_string())
                .bind(&row.state)
                .bind(&row.record)
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.error(error))?;
        }
        transaction.commit().await.map_err(|error| self.error(error))
    }

    /// The kept records of some keys.
    pub async fn derived(&self, keys: &[DatasetKey]) -> Result<HashMap<DatasetKey, DerivedRow>, OperationsError> {
        let json = serde_json::to_string(keys).expect("keys are plain values");
        let rows =
            sqlx::query("SELECT key, state, record FROM derived WHERE key IN (SELECT value FROM json_each(?))")
                .bind(json)
                .fetch_all(&self.pool)
                .await
                .map_err(|error| self.error(error))?;
        let found = rows.into_iter().filter_map(|row| {
            let key = DatasetKey::parse(row.get("key"))?;
            Some((key, DerivedRow { key, state: row.get("state"), record: row.get("record") }))
        });
        Ok(found.collect())
    }
}
