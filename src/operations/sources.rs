//! Sources and their jobs.

use super::database::{Operations, OperationsError};
use crate::catalog::SourceId;
use crate::fetch::Validators;
use sqlx::Row;

/// A source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Its name.
    pub slug: SourceId,
    /// Its address.
    pub url: String,
    /// Its kind.
    pub kind: String,
    /// When it was last read whole.
    pub last_complete_at: Option<String>,
    /// What its first page may be asked with.
    pub validators: Validators,
    /// What its records went through.
    pub fingerprint: Option<String>,
    /// When what changed was last read to the end.
    pub followed_at: Option<String>,
    /// The filters that it was last read whole with.
    pub filters: String,
}

/// A job.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its identifier.
    pub id: String,
    /// Its source.
    pub source: String,
    /// When it started.
    pub started_at: String,
    /// Its state.
    pub status: String,
    /// Its report, as JSON.
    pub report: Option<String>,
}

impl Operations {
    /// Finds the source of an address, or registers it under a name.
    pub async fn source(
        &self,
        url: &str,
        kind: &str,
        name: &SourceId,
        now: &str,
    ) -> Result<SourceRow, OperationsError> {
        sqlx::query(
            "INSERT INTO sources (slug, url, kind, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(name.as_str())
        .bind(url)
        .bind(kind)
        .bind(now)
        .execute(&self.pool)
        .await
        .map_err(|error| self.error(error))?;
        let found = sqlx::query("SELECT * FROM sources WHERE url = ? OR slug = ? ORDER BY url = ? DESC")
            .bind(url)
            .bind(name.as_str())
            .bind(url)
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        let mut row = source_row(&found);
        if row.kind != kind {
            sqlx::query("UPDATE sources SET kind = ?, etag = NULL, last_modified = NULL WHERE slug = ?")
                .bind(kind)
                .bind(row.slug.as_str())
                .execute(&self.pool)
                .await
                .map_err(|error| self.error(error))?;
            row = SourceRow { kind: kind.to_owned(), validators: Validators::default(), ..row };
        }
        if row.url != url {
            // The source moved: its records stay its own.
            sqlx::query("UPDATE sources SET url = ?, etag = NULL, last_modified = NULL WHERE slug = ?")
                .bind(url)
                .bind(row.slug.as_str())
                .execute(&self.pool)
                .await
                .map_err(|error| self.error(error))?;
            return Ok(SourceRow { url: url.to_owned(), validators: Validators::default(), ..row });
        }
        Ok(row)
    }

    /// Finds the source of an address, without registering it.
    pub async fn find_source(&self, url: &str) -> Result<Option<SourceRow>, OperationsError> {
        let found = sqlx::query("SELECT * FROM sources WHERE url = ?")
            .bind(url)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(found.as_ref().map(source_row))
    }

    /// All sources, by name.
    pub async fn sources(&self) -> Result<Vec<SourceRow>, OperationsError> {
        let rows = sqlx::query("SELECT * FROM sources ORDER BY slug").fetch_all(&self.pool).await;
        Ok(rows.map_err(|error| self.error(error))?.iter().map(source_row).collect())
    }

    /// Notes that a source was read whole, and what to ask it with next time.
    pub async fn note_complete(
        &self,
        source: &SourceId,
        now: &str,
        validators: &Validators,
        fingerprint: &str,
        filters: &str,
    ) -> Result<(), OperationsError> {
        sqlx::query(
            "UPDATE sources SET last_complete_at = ?, followed_at = ?, filters = ?, etag = ?, last_modified = ?, \
             fingerprint = ? WHERE slug = ?",
        )
        .bind(now)
        .bind(now)
        .bind(filters)
        .bind(&validators.etag)
        .bind(&validators.last_modified)
        .bind(fingerprint)
        .bind(source.as_str())
        .execute(&self.pool)
        .await
        .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Notes that what changed at a source was read to the end.
    pub async fn note_followed(&self, source: &SourceId, now: &str) -> Result<(), OperationsError> {
        sqlx::query("UPDATE sources SET followed_at = ? WHERE slug = ?")
            .bind(now)
            .bind(source.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Forgets what a source's first page may be asked with: until it is read whole again, what is stored is
    /// not what its last answer held.
    pub async fn forget_validators(&self, source: &SourceId) -> Result<(), OperationsError> {
        sqlx::query("UPDATE sources SET etag = NULL, last_modified = NULL WHERE slug = ?")
            .bind(source.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Notes the start of a job.
    pub async fn start_job(&self, id: &str, source: &SourceId, now: &str) -> Result<(), OperationsError> {
        sqlx::query("UPDATE jobs SET status = 'interrupted' WHERE source = ? AND status = 'running'")
            .bind(source.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        sqlx::query("INSERT INTO jobs (id, source, started_at, status) VALUES (?, ?, ?, 'running')")
            .bind(id)
            .bind(source.as_str())
            .bind(now)
            .execute(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// Notes the end of a job.
    pub async fn end_job(&self, id: &str, status: &str, report: &str, now: &str) -> Result<(), OperationsError> {
        sqlx::query("UPDATE jobs SET status = ?, report = ?, ended_at = ? WHERE id = ?")
            .bind(status)
            .bind(report)
            .bind(now)
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        Ok(())
    }

    /// The newest jobs of a source.
    pub async fn jobs(&self, source: &SourceId, limit: i64) -> Result<Vec<JobRow>, OperationsError> {
        let rows = sqlx::query("SELECT * FROM jobs WHERE source = ? ORDER BY started_at DESC, id DESC LIMIT ?")
            .bind(source.as_str())
            .bind(limit)
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.error(error))?;
        let job = |row: &sqlx::sqlite::SqliteRow| JobRow {
            id: row.get("id"),
            source: row.get("source"),
            started_at: row.get("started_at"),
            status: row.get("status"),
            report: row.get("report"),
        };
        Ok(rows.iter().map(job).collect())
    }
}

fn source_row(row: &sqlx::sqlite::SqliteRow) -> SourceRow {
    let slug: String = row.get("slug");
    SourceRow {
        slug: SourceId::parse(&slug).expect("only checked names are written"),
        url: row.get("url"),
        kind: row.get("kind"),
        last_complete_at: row.get("last_complete_at"),
        validators: Validators { etag: row.get("etag"), last_modified: row.get("last_modified") },
        fingerprint: row.get("fingerprint"),
        followed_at: row.get("followed_at"),
        filters: row.get("filters"),
    }
}
