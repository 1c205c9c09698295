//! What readers saw happen to records, in order: the lines of the change feeds.

use super::database::{Operations, OperationsError};
use crate::catalog::{DatasetKey, GraphHash, SourceId};
use jiff::Timestamp;
use serde_json::json;
use sqlx::Row;
use std::collections::HashMap;

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// It came, or came back.
    Create,
    /// Its source's statements changed.
    Update,
    /// It left the catalogue.
    Delete,
}

/// Something that happened to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number: later ones are larger.
    pub number: i64,
    /// The record.
    pub key: DatasetKey,
    /// Its source.
    pub source: String,
    /// Its node then.
    pub node: String,
    /// What happened.
    pub kind: ChangeKind,
    /// The hash of the statements that it has, or had last.
    pub hash: String,
    /// When it was published, as `xsd:dateTime`.
    pub at: String,
}

/// How a record differs from what was noted of it last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The record.
    pub key: DatasetKey,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The hash of the statements that it has, or had last.
    pub hash: String,
    /// Its node; of one that left, the one that it had.
    pub node: String,
}

/// Changes on one page of the feed of changes. Pages that are full never change, so it stays as it is.
pub const CHANGES_OF_PAGE: i64 = 250;

/// A page of the feed of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePage {
    /// Its number, from 1.
    pub number: i64,
    /// The time of its first change.
    pub first_at: String,
    /// The time of its last change.
    pub last_at: String,
    /// Whether it has all the changes that a page has.
    pub is_full: bool,
}

impl ChangeKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "create" => Self::Create,
            "update" => Self::Update,
            _ => Self::Delete,
        }
    }
}

impl Operations {
    /// How the records of a source, as all readers see them now, differ from what was noted last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn unnoted_changes(
        &self,
        source: &SourceId,
        published: &HashMap<DatasetKey, GraphHash>,
    ) -> Result<Vec<Difference>, OperationsError> {
        let query = sqlx::query(
            "SELECT key, kind, hash, node FROM changes
             WHERE number IN (SELECT max(number) FROM changes WHERE source = ? GROUP BY key)",
        );
        let rows = self.rows(query.bind(source.to_string())).await?;
        let mut last: HashMap<DatasetKey, (ChangeKind, String, String)> = rows
            .iter()
            .filter_map(|row| {
                let kind = ChangeKind::parse(row.get("kind"));
                Some((DatasetKey::parse(row.get("key"))?, (kind, row.get("hash"), row.get("node"))))
            })
            .collect();
        // Compared here: joined with a list of JSON, SQLite may go through all of it for each row.
        let mut changes = Vec::new();
        for (key, hash) in published {
            let hash = hash.to_string();
            let kind = match last.remove(key) {
                None | Some((ChangeKind::Delete, ..)) => ChangeKind::Create,
                Some((_, known, _)) if known == hash => continue,
                Some(_) => ChangeKind::Update,
            };
            changes.push(Difference { key: *key, kind, hash, node: String::new() });
        }
        let gone = last.into_iter().filter(|(_, (kind, ..))| *kind != ChangeKind::Delete);
        changes.extend(gone.map(|(key, (_, hash, node))| Difference {
            key,
            kind: ChangeKind::Delete,
            hash,
            node,
        }));
        changes.sort_by_key(|change| change.key);
        Ok(changes)
    }

    /// Notes changes, at a time, or at that of the last one where this is later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn note_changes(
        &self,
        source: &SourceId,
        changes: &[Difference],
        now: Timestamp,
    ) -> Result<(), OperationsError> {
        if changes.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = changes
            .iter()
            .map(|change| json!([change.key.to_string(), change.node, change.kind.as_str(), change.hash]))
            .collect();
        let rows = serde_json::to_string(&rows).expect("plain values");
        // Always as long, so that texts are in the order of times.
        let now = now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let query = sqlx::query(
            "INSERT INTO changes (source, key, node, kind, hash, at)
             SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3,
                    max(?3, coalesce((SELECT at FROM changes ORDER BY number DESC LIMIT 1), ''))
             FROM json_each(?2)",
        );
        self.run(query.bind(source.to_string()).bind(rows).bind(now)).await?;
        Ok(())
    }

    /// The pages of the feed of changes, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn change_pages(&self) -> Result<Vec<ChangePage>, OperationsError> {
        let query = sqlx::query(
            "SELECT (number - 1) / ?1 + 1 AS page, min(at) AS first_at, max(at) AS last_at, count(*) = ?1 AS is_full
             FROM changes GROUP BY page ORDER BY page",
        );
        let rows = self.rows(query.bind(CHANGES_OF_PAGE)).await?;
        let page = |row: &sqlx::sqlite::SqliteRow| ChangePage {
            number: row.get("page"),
            first_at: row.get("first_at"),
            last_at: row.get("last_at"),
            is_full: row.get("is_full"),
        };
        Ok(rows.iter().map(page).collect())
    }

    /// The number of the last change; zero where nothing happened yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn last_change(&self) -> Result<i64, OperationsError> {
        let row = self.row(sqlx::query("SELECT coalesce(max(number), 0) AS last FROM changes")).await?;
        Ok(row.map_or(0, |row| row.get("last")))
    }

    /// The changes from one number to another, both included, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changes(&self, first: i64, last: i64) -> Result<Vec<Change>, OperationsError> {
        let query = sqlx::query("SELECT * FROM changes WHERE number BETWEEN ? AND ? ORDER BY number");
        let rows = self.rows(query.bind(first).bind(last)).await?;
        let change = |row: &sqlx::sqlite::SqliteRow| {
            Some(Change {
                number: row.get("number"),
                key: DatasetKey::parse(row.get("key"))?,
                source: row.get("source"),
                node: row.get("node"),
                kind: ChangeKind::parse(row.get("kind")),
                hash: row.get("hash"),
                at: row.get("at"),
            })
        };
        Ok(rows.iter().filter_map(change).collect())
    }

    /// Whether a record was in the catalogue once, though nothing else of it may be known.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_known(&self, key: DatasetKey) -> Result<bool, OperationsError> {
        let query = sqlx::query("SELECT 1 FROM changes WHERE key = ? LIMIT 1");
        Ok(self.row(query.bind(key.to_string())).await?.is_some())
    }

    /// Records that left the catalogue and did not come back, in the order of their keys, behind one of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn gone(
        &self,
        source: Option<&SourceId>,
        after: Option<DatasetKey>,
        most: i64,
    ) -> Result<Vec<GoneRecord>, OperationsError> {
        let query = sqlx::query(
            "SELECT key, source, remote_id, node, archived_at FROM records
             WHERE archived_at IS NOT NULL AND key > ?1 AND (?2 IS NULL OR source = ?2) ORDER BY key LIMIT ?3",
        );
        let after = after.map_or_else(String::new, |key| key.to_string());
        let query = query.bind(after).bind(source.map(ToString::to_string)).bind(most);
        let rows = self.rows(query).await?;
        let gone = |row: &sqlx::sqlite::SqliteRow| {
            Some(GoneRecord {
                key: DatasetKey::parse(row.get("key"))?,
                source: row.get("source"),
                remote_id: row.get("remote_id"),
                node: row.get("node"),
                archived_at: row.get("archived_at"),
            })
        };
        Ok(rows.iter().filter_map(gone).collect())
    }
}

/// A record that left the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneRecord {
    /// Its key.
    pub key: DatasetKey,
    /// Its source.
    pub source: String,
    /// What its platform calls it.
    pub remote_id: String,
    /// Its publisher's IRI, or nothing.
    pub node: String,
    /// When it left, as `xsd:dateTime`.
    pub archived_at: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_changed_is_noted_once() {
        let folder = tempfile::tempdir().unwrap();
        let operations = Operations::open(&folder.path().join("operations.sqlite")).await.unwrap();
        let source = SourceId::parse("s").unwrap();
        let key = |name: &str| DatasetKey::of(&source, name);
        let hash = GraphHash::of;
        let steps: [&[(&str, &str)]; 5] =
            [&[("a", "1"), ("b", "1")], &[("a", "1"), ("b", "1")], &[("a", "2")], &[], &[("b", "1")]];
        for (number, step) in steps.iter().enumerate() {
            let published = step.iter().map(|(name, text)| (key(name), hash(text))).collect();
            let changes = operations.unnoted_changes(&source, &published).await.unwrap();
            let now = format!("2024-01-0{}T00:00:00Z", number + 1).parse().unwrap();
            operations.note_changes(&source, &changes, now).await.unwrap();
        }
        let last = operations.last_change().await.unwrap();
        let mut seen: Vec<(i64, String, ChangeKind)> = operations
            .changes(3, last)
            .await
            .unwrap()
            .into_iter()
            .map(|change| {
                let name = if change.key == key("a") { "a" } else { "b" };
                (change.at[9..10].parse().unwrap(), name.to_owned(), change.kind)
            })
            .collect();
        seen.sort_by_key(|(day, name, _)| (*day, name.clone()));
        let b = |text: &str| text.to_owned();
        assert_eq!(
            seen,
            [
                (3, b("a"), ChangeKind::Update),
                (3, b("b"), ChangeKind::Delete),
                (4, b("a"), ChangeKind::Delete),
                (5, b("b"), ChangeKind::Create),
            ]
        );
        assert_eq!(operations.changes(1, 2).await.unwrap().len(), 2);
        let pages = operations.change_pages().await.unwrap();
        assert_eq!(
            (pages.len(), pages[0].is_full, pages[0].last_at.as_str()),
            (1, false, "2024-01-05T00:00:00.000Z")
        );
    }
}
