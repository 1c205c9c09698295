//! The quality of records, and which of their addresses answer.

use super::database::{Operations, OperationsError};
use crate::catalog::{DatasetKey, SourceId};
use serde::Serialize;
use sqlx::Row;
use std::collections::HashMap;

/// A record's assessment as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityRow {
    /// The number that it is paged by.
    pub id: i64,
    /// The record.
    pub key: String,
    /// The assessment, as JSON.
    pub assessment: String,
}

/// Whether an address answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkRow {
    /// The address.
    pub url: String,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// Why there was none.
    pub error: Option<String>,
    /// Whether it leads to what it says.
    pub answers: bool,
    /// When it was asked.
    pub checked_at: String,
}

impl Operations {
    /// The assessments of the live records of a source.
    pub async fn quality_of_source(&self, source: &SourceId) -> Result<Vec<QualityRow>, OperationsError> {
        self.quality_page(source, 0, i64::MAX).await
    }

    /// Some assessments of the live records of a source behind a number.
    pub async fn quality_page(
        &self,
        source: &SourceId,
        behind: i64,
        limit: i64,
    ) -> Result<Vec<QualityRow>, OperationsError> {
        let query = sqlx::query(
            "SELECT quality.rowid AS id, quality.key, assessment FROM quality JOIN records ON records.key = quality.key
             WHERE quality.source = ? AND quality.rowid > ? AND records.archived_at IS NULL
             ORDER BY quality.rowid LIMIT ?",
        );
        let rows = self.rows(query.bind(source.to_string()).bind(behind).bind(limit)).await?;
        let row = |row: &sqlx::sqlite::SqliteRow| QualityRow {
            id: row.get("id"),
            key: row.get("key"),
            assessment: row.get("assessment"),
        };
        Ok(rows.iter().map(row).collect())
    }

    /// The scores of a source, as JSON.
    pub async fn source_quality(&self, source: &SourceId) -> Result<Option<String>, OperationsError> {
        let query = sqlx::query("SELECT assessed FROM source_quality WHERE source = ?");
        Ok(self.row(query.bind(source.to_string())).await?.map(|row| row.get("assessed")))
    }

    /// Notes the scores of a source.
    pub async fn note_source_quality(&self, source: &SourceId, assessed: &str) -> Result<(), OperationsError> {
        let query = sqlx::query("INSERT OR REPLACE INTO source_quality (source, assessed) VALUES (?, ?)");
        self.run(query.bind(source.to_string()).bind(assessed.to_owned())).await?;
        Ok(())
    }

    /// The assessment of a record, as JSON.
    pub async fn quality(&self, key: DatasetKey) -> Result<Option<String>, OperationsError> {
        let row =
            self.row(sqlx::query("SELECT assessment FROM quality WHERE key = ?").bind(key.to_string())).await?;
        Ok(row.map(|row| row.get("assessment")))
    }

    /// Whether some addresses answered, of those that were asked.
    pub async fn links(&self, urls: &[&str]) -> Result<HashMap<String, LinkRow>, OperationsError> {
        let json = serde_json::to_string(urls).expect("addresses are plain values");
        let query = sqlx::query("SELECT * FROM links WHERE url IN (SELECT value FROM json_each(?))");
        let rows = self.rows(query.bind(json)).await?;
        Ok(rows.iter().map(link).map(|link| (link.url.clone(), link)).collect())
    }

    /// Notes whether addresses answered.
    pub async fn note_links(&self, links: &[LinkRow]) -> Result<(), OperationsError> {
        let json = serde_json::to_string(links).expect("addresses are plain values");
        let query = sqlx::query(
            "INSERT OR REPLACE INTO links (url, status, error, answers, checked_at)
             SELECT value ->> 'url', value ->> 'status', value ->> 'error', value ->> 'answers', value ->> 'checked_at'
             FROM json_each(?)",
        );
        self.run(query.bind(json)).await?;
        Ok(())
    }
}

fn link(row: &sqlx::sqlite::SqliteRow) -> LinkRow {
    let status: Option<i64> = row.get("status");
    LinkRow {
        url: row.get("url"),
        status: status.and_then(|status| u16::try_from(status).ok()),
        error: row.get("error"),
        answers: row.get("answers"),
        checked_at: row.get("checked_at"),
    }
}
