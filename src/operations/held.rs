//! Removals that wait for a person.

use super::database::{Operations, OperationsError};
use crate::catalog::{DatasetKey, SourceId};
use sqlx::Row;

impl Operations {
    /// Notes which records of a source wait for a person to confirm their removal; the former ones of that
    /// source are forgotten.
    pub async fn hold_removal(
        &self,
        source: &SourceId,
        keys: &[DatasetKey],
        job: &str,
        now: &str,
    ) -> Result<(), OperationsError> {
        let json = serde_json::to_string(keys).expect("keys are plain values");
        let mut transaction = self.pool.begin().await.map_err(|error| self.error(error))?;
        sqlx::query("DELETE FROM held WHERE source = ?")
            .bind(source.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.error(error))?;
        sqlx::query("INSERT INTO held (key, source, job, held_at) SELECT value, ?, ?, ? FROM json_each(?)")
            .bind(source.as_str())
            .bind(job)
            .bind(now)
            .bind(json)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.error(error))?;
        transaction.commit().await.map_err(|error| self.error(error))
    }

    /// The records of a source whose removal waits for a person.
    pub async fn held_removal(&self, source: &SourceId) -> Result<Vec<DatasetKey>, OperationsError> {
        let query = sqlx::query("SELECT key FROM held WHERE source = ? ORDER BY key");
        let rows = self.rows(query.bind(source.to_string())).await?;
        Ok(rows.iter().filter_map(|row| DatasetKey::parse(row.get("key"))).collect())
    }
}
