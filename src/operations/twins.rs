//! Records that several sources have.

use super::database::{Operations, OperationsError};
use crate::catalog::{DatasetKey, SourceId};
use sqlx::Row;

/// One of the records that describe the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// Its key.
    pub key: String,
    /// Its source.
    pub source: String,
    /// The address of its source.
    pub source_url: String,
    /// What its source calls it.
    pub remote_id: String,
    /// Its publisher's IRI, or nothing.
    pub node: String,
}

/// Pairs of live records that are the same: their publisher gave them one IRI, or their identifiers are the same and
/// such as are given once in the world, IRIs and UUIDs. Numbers and names are the same by chance. Each half of the
/// union has an index of its own; together they would have none.
const PAIRS: &str = "
    SELECT own.key AS own, own.source AS own_source, other.key AS other
    FROM records AS own JOIN records AS other ON other.node = own.node
    WHERE own.node <> '' AND other.node <> '' AND other.source <> own.source
        AND own.archived_at IS NULL AND other.archived_at IS NULL AND own.|
    UNION
    SELECT own.key, own.source, other.key
    FROM records AS own JOIN records AS other ON other.remote_id = own.remote_id
    WHERE (instr(own.remote_id, '://') > 0 OR own.remote_id LIKE 'urn:_%'
            OR own.remote_id GLOB '????????-????-????-????-????????????')
        AND other.source <> own.source AND own.archived_at IS NULL AND other.archived_at IS NULL AND own.|";

/// The pairs of the records that a condition names.
fn pairs(condition: &str) -> String {
    PAIRS.replace('|', condition)
}

impl Operations {
    /// The live records that are the same as one, and that one, the one first seen first; none where it is alone.
    pub async fn twins(&self, key: DatasetKey) -> Result<Vec<Twin>, OperationsError> {
        let text = format!(
            "SELECT records.key, records.source, sources.url, records.remote_id, records.node
             FROM records JOIN sources ON sources.slug = records.source
             WHERE records.key = ?1 OR records.key IN (SELECT other FROM ({})) ORDER BY records.rowid",
            pairs("key = ?1")
        );
        let rows = self.rows(sqlx::query(sqlx::AssertSqlSafe(text)).bind(key.to_string())).await?;
        let twin = |row: &sqlx::sqlite::SqliteRow| Twin {
            key: row.get("key"),
            source: row.get("source"),
            source_url: row.get("url"),
            remote_id: row.get("remote_id"),
            node: row.get("node"),
        };
        Ok(if rows.len() > 1 { rows.iter().map(twin).collect() } else { Vec::new() })
    }

    /// How many live records of a source other sources have too.
    pub async fn shared_records(&self, source: &SourceId) -> Result<u64, OperationsError> {
        let text = format!("SELECT count(DISTINCT own) AS total FROM ({})", pairs("source = ?1"));
        let row = self.row(sqlx::query(sqlx::AssertSqlSafe(text)).bind(source.to_string())).await?;
        Ok(row.map_or(0, |row| u64::try_from(row.get::<i64, _>("total")).unwrap_or(0)))
    }
}
