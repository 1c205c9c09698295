//! Sources: what people say of them, and how far they were read.

use super::database::{Operations, OperationsError};
use crate::catalog::SourceId;
use crate::config::SourceConfig;
use crate::fetch::Validators;
use serde::{Deserialize, Serialize};
use sqlx::Row;

/// Whether an administrator has accepted a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValidationState {
    /// Nobody has decided yet: it can be previewed, and is not harvested.
    Pending,
    /// It is followed.
    Accepted,
    /// It is not followed, for a reason that is told.
    Refused,
}

impl ValidationState {
    /// The name that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Pending, Self::Accepted, Self::Refused].into_iter().find(|state| state.as_str() == name)
    }
}

/// What was decided of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// The decision.
    pub state: ValidationState,
    /// Its reason.
    pub comment: Option<String>,
    /// Who decided.
    pub by: Option<String>,
    /// When.
    pub on: Option<String>,
}

/// A source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    /// Its identifier: the name that it was registered with.
    pub slug: SourceId,
    /// The name that addresses show.
    pub name: String,
    /// Its address.
    pub url: String,
    /// Its kind; empty until it is known.
    pub kind: String,
    /// When it was registered.
    pub created_at: String,
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
    /// What people say of it.
    pub settings: SourceConfig,
    /// Whether `moisson.toml` declares it.
    pub declared: bool,
    /// What was decided of it.
    pub validation: Validation,
    /// When it is harvested next.
    pub due_at: Option<String>,
    /// When it was removed.
    pub removed_at: Option<String>,
    /// What people were last told of it.
    pub told: Option<String>,
}

impl SourceRow {
    /// A source that nothing is known of but its address.
    #[must_use]
    pub fn unregistered(slug: SourceId, url: String, kind: String, now: &str) -> Self {
        Self {
            name: slug.to_string(),
            slug,
            url,
            kind,
            created_at: now.to_owned(),
            last_complete_at: None,
            validators: Validators::default(),
            fingerprint: None,
            followed_at: None,
            filters: String::new(),
            settings: SourceConfig::default(),
            declared: false,
            validation: Validation { state: ValidationState::Accepted, comment: None, by: None, on: None },
            due_at: None,
            removed_at: None,
            told: None,
        }
    }

    /// The title that people are shown.
    #[must_use]
    pub fn title(&self) -> &str {
        self.settings.title.as_deref().unwrap_or(&self.name)
    }

    /// Whether it is harvested when it is due.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        self.removed_at.is_none() && !self.settings.paused && self.validation.state == ValidationState::Accepted
    }
}

const REGISTER: &str = "INSERT INTO sources (slug, name, url, kind, created_at, settings, declared, validation, validated_by, \
     validated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

impl Operations {
    /// Registers a source under its identifier. Returns whether the name was free.
    pub async fn register(&self, source: &SourceRow) -> Result<bool, OperationsError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.error(error))?;
        let taken = sqlx::query("SELECT 1 FROM names WHERE name IN (?, ?)")
            .bind(source.slug.as_str())
            .bind(&source.name)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(|error| self.error(error))?;
        if taken.is_some() {
            return Ok(false);
        }
        let settings = serde_json::to_string(&source.settings).expect("settings are plain values");
        let registered = sqlx::query(REGISTER)
            .bind(source.slug.as_str())
            .bind(&source.name)
            .bind(&source.url)
            .bind(&source.kind)
            .bind(&source.created_at)
            .bind(settings)
            .bind(source.declared)
            .bind(source.validation.state.as_str())
            .bind(&source.validation.by)
            .bind(&source.validation.on)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.error(error))?;
        sqlx::query("INSERT INTO names (name, source, given_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
            .bind(&source.name)
            .bind(source.slug.as_str())
            .bind(&source.created_at)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.error(error))?;
        transaction.commit().await.map_err(|error| self.error(error))?;
        Ok(registered.rows_affected() == 1)
    }

    /// Finds the source of an address: of several, the one registered first.
    pub async fn find_source(&self, url: &str) -> Result<Option<SourceRow>, OperationsError> {
        let query = sqlx::query(
            "SELECT * FROM sources WHERE url = ? AND removed_at IS NULL ORDER BY created_at, slug LIMIT 1",
        );
        Ok(self.row(query.bind(url.to_owned())).await?.as_ref().map(source_row))
    }

    /// Finds a source by any name that it has or had.
    pub async fn source_named(&self, name: &str) -> Result<Option<SourceRow>, OperationsError> {
        let query = sqlx::query(
            "SELECT sources.* FROM sources JOIN names ON names.source = sources.slug WHERE names.name = ?1
             UNION SELECT * FROM sources WHERE slug = ?1",
        );
        Ok(self.row(query.bind(name.to_owned())).await?.as_ref().map(source_row))
    }

    /// All sources, by name; removed ones too.
    pub async fn all_sources(&self) -> Result<Vec<SourceRow>, OperationsError> {
        Ok(self.rows(sqlx::query("SELECT * FROM sources ORDER BY name")).await?.iter().map(source_row).collect())
    }

    /// The sources that were not removed, by name.
    pub async fn sources(&self) -> Result<Vec<SourceRow>, OperationsError> {
        let query = sqlx::query("SELECT * FROM sources WHERE removed_at IS NULL ORDER BY name");
        Ok(self.rows(query).await?.iter().map(source_row).collect())
    }

    /// Writes what people say of a source. Another address or kind makes its first page be read anew.
    pub async fn edit_source(&self, source: &SourceRow) -> Result<(), OperationsError> {
        let settings = serde_json::to_string(&source.settings).expect("settings are plain values");
        let query = sqlx::query(
            "UPDATE sources SET etag = CASE WHEN url = ?2 AND kind = ?3 THEN etag END,
                last_modified = CASE WHEN url = ?2 AND kind = ?3 THEN last_modified END,
                url = ?2, kind = ?3, settings = ?4, declared = ?5, due_at = ?6 WHERE slug = ?1",
        );
        self.run(
            query
                .bind(source.slug.to_string())
                .bind(source.url.clone())
                .bind(source.kind.clone())
                .bind(settings)
                .bind(source.declared)
                .bind(source.due_at.clone()),
        )
        .await?;
        Ok(())
    }

    /// Gives a source another name; the former ones go on leading to it. Returns whether the name was free.
    pub async fn rename_source(&self, source: &SourceId, name: &str, now: &str) -> Result<bool, OperationsError> {
        let holder = self.source_named(name).await?;
        if holder.is_some_and(|holder| holder.slug != *source) {
            return Ok(false);
        }
        let given =
            sqlx::query("INSERT INTO names (name, source, given_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
        self.run(given.bind(name.to_owned()).bind(source.to_string()).bind(now.to_owned())).await?;
        let renamed = sqlx::query("UPDATE sources SET name = ? WHERE slug = ?");
        self.run(renamed.bind(name.to_owned()).bind(source.to_string())).await?;
        Ok(true)
    }

    /// Notes what was decided of a source.
    pub async fn validate_source(
        &self,
        source: &SourceId,
        validation: &Validation,
        due_at: Option<&str>,
    ) -> Result<(), OperationsError> {
        let query = sqlx::query(
            "UPDATE sources SET validation = ?, validation_comment = ?, validated_by = ?, validated_at = ?, due_at = ? \
             WHERE slug = ?",
        );
        let query = query
            .bind(validation.state.as_str())
            .bind(validation.comment.clone())
            .bind(validation.by.clone())
            .bind(validation.on.clone())
            .bind(due_at.map(ToOwned::to_owned));
        self.run(query.bind(source.to_string())).await?;
        Ok(())
    }

    /// Marks a source as removed: it is neither listed nor followed, and its records are to be archived.
    pub async fn remove_source(&self, source: &SourceId, now: &str) -> Result<(), OperationsError> {
        let query = sqlx::query("UPDATE sources SET removed_at = ?, due_at = NULL WHERE slug = ?");
        self.run(query.bind(now.to_owned()).bind(source.to_string())).await?;
        Ok(())
    }

    /// Forgets a source with its jobs, its records and their history.
    pub async fn purge_source(&self, source: &SourceId) -> Result<(), OperationsError> {
        let mut transaction = self.pool.begin().await.map_err(|error| self.error(error))?;
        for statement in [
            "DELETE FROM history WHERE key IN (SELECT key FROM records WHERE source = ?)",
            "DELETE FROM derived WHERE key IN (SELECT key FROM records WHERE source = ?)",
            "DELETE FROM records WHERE source = ?",
            "DELETE FROM findings WHERE source = ?",
            "DELETE FROM quality WHERE source = ?",
            "DELETE FROM source_quality WHERE source = ?",
            "DELETE FROM renames WHERE source = ?",
            "DELETE FROM held WHERE source = ?",
            "DELETE FROM items WHERE job IN (SELECT id FROM jobs WHERE source = ?)",
            "DELETE FROM jobs WHERE source = ?",
            "DELETE FROM names WHERE source = ?",
            "DELETE FROM sources WHERE slug = ?",
        ] {
            let query = sqlx::query(statement).bind(source.as_str());
            query.execute(&mut *transaction).await.map_err(|error| self.error(error))?;
        }
        transaction.commit().await.map_err(|error| self.error(error))
    }

    /// The followed sources that are due.
    pub async fn due_sources(&self, now: &str) -> Result<Vec<SourceRow>, OperationsError> {
        let query = sqlx::query("SELECT * FROM sources WHERE due_at <= ? AND removed_at IS NULL ORDER BY due_at");
        let rows = self.rows(query.bind(now.to_owned())).await?;
        Ok(rows.iter().map(source_row).filter(SourceRow::is_followed).collect())
    }

    /// Notes when a source is harvested next.
    pub async fn set_due(&self, source: &SourceId, due_at: Option<&str>) -> Result<(), OperationsError> {
        let query = sqlx::query("UPDATE sources SET due_at = ? WHERE slug = ?");
        self.run(query.bind(due_at.map(ToOwned::to_owned)).bind(source.to_string())).await?;
        Ok(())
    }

    /// Notes what people were told of a source. Returns whether it is news.
    pub async fn note_told(&self, source: &SourceId, told: &str) -> Result<bool, OperationsError> {
        let query = sqlx::query("UPDATE sources SET told = ?1 WHERE slug = ?2 AND told IS NOT ?1");
        Ok(self.run(query.bind(told.to_owned()).bind(source.to_string())).await? > 0)
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
        let query = sqlx::query(
            "UPDATE sources SET last_complete_at = ?1, followed_at = ?1, filters = ?2, etag = ?3, last_modified = ?4, \
             fingerprint = ?5 WHERE slug = ?6",
        );
        let query = query
            .bind(now.to_owned())
            .bind(filters.to_owned())
            .bind(validators.etag.clone())
            .bind(validators.last_modified.clone())
            .bind(fingerprint.to_owned());
        self.run(query.bind(source.to_string())).await?;
        Ok(())
    }

    /// Notes that what changed at a source was read to the end.
    pub async fn note_followed(&self, source: &SourceId, now: &str) -> Result<(), OperationsError> {
        let query = sqlx::query("UPDATE sources SET followed_at = ? WHERE slug = ?");
        self.run(query.bind(now.to_owned()).bind(source.to_string())).await?;
        Ok(())
    }

    /// Forgets what a source's first page may be asked with: until it is read whole again, what is stored is
    /// not what its last answer held.
    pub async fn forget_validators(&self, source: &SourceId) -> Result<(), OperationsError> {
        let query = sqlx::query("UPDATE sources SET etag = NULL, last_modified = NULL WHERE slug = ?");
        self.run(query.bind(source.to_string())).await?;
        Ok(())
    }
}

fn source_row(row: &sqlx::sqlite::SqliteRow) -> SourceRow {
    let slug: String = row.get("slug");
    let name: String = row.get("name");
    let validation: String = row.get("validation");
    SourceRow {
        name: if name.is_empty() { slug.clone() } else { name },
        slug: SourceId::parse(&slug).expect("only checked names are written"),
        url: row.get("url"),
        kind: row.get("kind"),
        created_at: row.get("created_at"),
        last_complete_at: row.get("last_complete_at"),
        validators: Validators { etag: row.get("etag"), last_modified: row.get("last_modified") },
        fingerprint: row.get("fingerprint"),
        followed_at: row.get("followed_at"),
        filters: row.get("filters"),
        // Settings of another version of the program may hold what this one does not know.
        settings: serde_json::from_str(row.get("settings")).unwrap_or_default(),
        declared: row.get("declared"),
        validation: Validation {
            state: ValidationState::parse(&validation).unwrap_or(ValidationState::Pending),
            comment: row.get("validation_comment"),
            by: row.get("validated_by"),
            on: row.get("validated_at"),
        },
        due_at: row.get("due_at"),
        removed_at: row.get("removed_at"),
        told: row.get("told"),
    }
}
