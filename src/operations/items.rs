//! What became of each record in a job.

use super::database::{Operations, OperationsError};
use crate::catalog::{DatasetKey, Place};
use serde::{Deserialize, Serialize};
use sqlx::Row;

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemOutcome {
    /// It is new.
    Added,
    /// Its statements changed.
    Changed,
    /// It is as it was.
    Unchanged,
    /// It was known under another identifier.
    Renamed,
    /// The source lacks it, within the days of grace.
    Missing,
    /// It left the catalogue.
    Archived,
    /// It came back.
    Restored,
    /// It was left out on purpose.
    Skipped,
    /// It could not be taken in, and stays as it was.
    Failed,
}

impl ItemOutcome {
    const ALL: [Self; 9] = [
        Self::Added,
        Self::Changed,
        Self::Unchanged,
        Self::Renamed,
        Self::Missing,
        Self::Archived,
        Self::Restored,
        Self::Skipped,
        Self::Failed,
    ];

    /// The name that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Renamed => "renamed",
            Self::Missing => "missing",
            Self::Archived => "archived",
            Self::Restored => "restored",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// What is told of a record, beside its findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemMessage {
    /// `error`, `warning` or `info`.
    pub level: String,
    /// Where in the source.
    pub place: Place,
    /// What, and what to do.
    pub message: String,
}

/// A record in a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The record's key, where it has one.
    pub key: Option<String>,
    /// What the platform calls it.
    pub remote_id: Option<String>,
    /// What became of it.
    pub outcome: ItemOutcome,
    /// What is told of it.
    pub messages: Vec<ItemMessage>,
}

impl Item {
    /// A record of which there is nothing to tell but what became of it.
    #[must_use]
    pub fn of(key: DatasetKey, remote_id: &str, outcome: ItemOutcome) -> Self {
        Self { key: Some(key.to_string()), remote_id: Some(remote_id.to_owned()), outcome, messages: Vec::new() }
    }
}

#[derive(Serialize)]
struct ItemRow<'i> {
    key: &'i Option<String>,
    remote_id: &'i Option<String>,
    outcome: &'static str,
    messages: Option<&'i Vec<ItemMessage>>,
}

impl Operations {
    /// Writes the items of a job behind those that it has, in one statement.
    pub async fn add_items(&self, job: &str, items: &[Item]) -> Result<(), OperationsError> {
        if items.is_empty() {
            return Ok(());
        }
        let rows: Vec<ItemRow<'_>> = items
            .iter()
            .map(|item| ItemRow {
                key: &item.key,
                remote_id: &item.remote_id,
                outcome: item.outcome.as_str(),
                messages: (!item.messages.is_empty()).then_some(&item.messages),
            })
            .collect();
        let json = serde_json::to_string(&rows).expect("items are plain values");
        let query = sqlx::query(
            "INSERT INTO items (job, number, key, remote_id, outcome, messages)
             SELECT ?1, key + (SELECT coalesce(max(number) + 1, 0) FROM items WHERE job = ?1),
                    value ->> 'key', value ->> 'remote_id', value ->> 'outcome', value -> 'messages'
             FROM json_each(?2)",
        );
        self.run(query.bind(job.to_owned()).bind(json)).await?;
        Ok(())
    }

    /// Says of records that a job added that they were renamed, and are known under their former keys; the
    /// former key is first in each pair.
    pub async fn note_renamed_items(
        &self,
        job: &str,
        pairs: &[(DatasetKey, DatasetKey)],
    ) -> Result<(), OperationsError> {
        for (former, new) in pairs {
            let query = sqlx::query("UPDATE items SET outcome = 'renamed', key = ? WHERE job = ? AND key = ?");
            self.run(query.bind(former.to_string()).bind(job.to_owned()).bind(new.to_string())).await?;
        }
        Ok(())
    }

    /// Forgets what a job has, as it begins anew.
    pub async fn forget_items(&self, job: &str) -> Result<(), OperationsError> {
        self.run(sqlx::query("DELETE FROM items WHERE job = ?").bind(job.to_owned())).await?;
        Ok(())
    }

    /// Forgets the items of jobs whose records were unchanged: the report counts them.
    pub async fn forget_unchanged(&self, jobs: &[String]) -> Result<(), OperationsError> {
        let json = serde_json::to_string(jobs).expect("identifiers are plain values");
        let query = sqlx::query(
            "DELETE FROM items WHERE outcome = 'unchanged' AND job IN (SELECT value FROM json_each(?))",
        );
        self.run(query.bind(json)).await?;
        Ok(())
    }

    /// Items of a job, of some outcomes or of all, in their order, and how many there are.
    pub async fn items(
        &self,
        job: &str,
        outcomes: Option<&[ItemOutcome]>,
        skip: i64,
        limit: i64,
    ) -> Result<(Vec<Item>, i64), OperationsError> {
        let names = outcomes.map(|outcomes| outcomes.iter().map(|outcome| outcome.as_str()).collect::<Vec<_>>());
        let outcome = names.map(|names| serde_json::to_string(&names).expect("names are plain values"));
        let query = sqlx::query(
            "SELECT key, remote_id, outcome, messages FROM items WHERE job = ?1 AND (?2 IS NULL OR outcome IN (SELECT value FROM json_each(?2)))
             ORDER BY number LIMIT ?3 OFFSET ?4",
        );
        let query = query.bind(job.to_owned()).bind(outcome.clone()).bind(limit).bind(skip);
        let rows = self.rows(query).await?;
        let total = sqlx::query(
            "SELECT count(*) AS total FROM items WHERE job = ?1 AND (?2 IS NULL OR outcome IN (SELECT value FROM json_each(?2)))",
        );
        let total = self.row(total.bind(job.to_owned()).bind(outcome)).await?.map_or(0, |row| row.get("total"));
        Ok((rows.iter().filter_map(item).collect(), total))
    }

    /// How many items of a job had which outcome.
    pub async fn items_by_outcome(&self, job: &str) -> Result<Vec<(ItemOutcome, i64)>, OperationsError> {
        let query = sqlx::query("SELECT outcome, count(*) AS total FROM items WHERE job = ? GROUP BY outcome");
        let rows = self.rows(query.bind(job.to_owned())).await?;
        Ok(rows
            .iter()
            .filter_map(|row| Some((ItemOutcome::parse(row.get("outcome"))?, row.get("total"))))
            .collect())
    }
}

fn item(row: &sqlx::sqlite::SqliteRow) -> Option<Item> {
    let messages: Option<String> = row.get("messages");
    Some(Item {
        key: row.get("key"),
        remote_id: row.get("remote_id"),
        outcome: ItemOutcome::parse(row.get("outcome"))?,
        messages: messages.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
    })
}
