//! Findings, each with the time for which it holds: what a job found anew, what is gone, and since when the rest is known.

use super::database::{Operations, OperationsError};
use crate::catalog::{DatasetKey, Finding, Severity, SourceId};
use serde::Serialize;
use sqlx::Row;

/// Findings of one rule in a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FindingGroup {
    /// The rule.
    pub rule: String,
    /// How much it weighs.
    pub severity: Severity,
    /// How many there are.
    pub count: u64,
    /// In how many records.
    pub records: u64,
    /// At how many places: several records may use one node.
    pub places: u64,
    /// How many of them the job of the report found first.
    pub new: u64,
    /// Since when there has been one.
    pub since: String,
    /// One that says most: what to write instead, where one says it.
    pub example: Finding,
}

/// Which findings are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindingFilter {
    /// Those that held at the time of a job; those of now where there is none.
    pub at: Option<String>,
    /// Those of one rule.
    pub rule: Option<String>,
    /// Those of one record.
    pub key: Option<DatasetKey>,
}

/// A finding with the number that it is paged by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedFinding {
    /// The number.
    pub id: i64,
    /// The record's key.
    pub key: String,
    /// The finding.
    pub finding: Finding,
}

/// How the findings of a source changed between two times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FindingChanges {
    /// How many are new.
    pub new: u64,
    /// Findings of a rule that are gone, by rule.
    pub gone: Vec<RuleCount>,
    /// How many persist.
    pub persisting: u64,
}

/// How many findings a rule has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleCount {
    /// The rule.
    pub rule: String,
    /// How many.
    pub count: u64,
}

/// The condition of what held at the time `?2`, or of what holds now: that has an index of its own.
fn held(filter: &FindingFilter) -> String {
    let time = match filter.at {
        Some(_) => "since <= ?2 AND (gone_at IS NULL OR gone_at > ?2)",
        None => "?2 IS NULL AND gone_at IS NULL",
    };
    // What is not asked for is no condition: each of these has an index.
    let rule = if filter.rule.is_some() { " AND rule = ?3" } else { " AND ?3 IS NULL" };
    let key = if filter.key.is_some() { " AND key = ?4" } else { " AND ?4 IS NULL" };
    format!("{time}{rule}{key}")
}

impl Operations {
    /// How many findings a source has, by severity from information to violation: those that its report lists.
    pub async fn finding_counts(&self, source: &SourceId) -> Result<[u64; 3], OperationsError> {
        let query = sqlx::query(
            "SELECT severity, count(*) AS found FROM findings WHERE source = ? AND gone_at IS NULL GROUP BY severity",
        );
        let mut counts = [0; 3];
        for row in self.rows(query.bind(source.to_string())).await? {
            let at = usize::try_from(row.get::<i64, _>("severity")).unwrap_or_default();
            if let Some(count) = counts.get_mut(at) {
                *count = u64::try_from(row.get::<i64, _>("found")).unwrap_or_default();
            }
        }
        Ok(counts)
    }

    /// The findings of a record.
    pub async fn findings(&self, key: DatasetKey) -> Result<Vec<Finding>, OperationsError> {
        let query = sqlx::query("SELECT * FROM findings WHERE key = ? AND gone_at IS NULL ORDER BY id");
        let rows = self.rows(query.bind(key.to_string())).await?;
        Ok(rows.iter().filter_map(numbered).map(|one| one.finding).collect())
    }

    /// The findings of all present records of a source.
    pub async fn findings_of_source(&self, source: &SourceId) -> Result<Vec<Finding>, OperationsError> {
        let all = FindingFilter::default();
        let rows = self.findings_page(source, &all, 0, i64::MAX).await?;
        Ok(rows.into_iter().map(|one| one.finding).collect())
    }

    /// Some of a source's findings behind a number, in the order in which they came.
    pub async fn findings_page(
        &self,
        source: &SourceId,
        filter: &FindingFilter,
        behind: i64,
        limit: i64,
    ) -> Result<Vec<NumberedFinding>, OperationsError> {
        let held = held(filter);
        let text = format!("SELECT * FROM findings WHERE source = ?1 AND {held} AND id > ?5 ORDER BY id LIMIT ?6");
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(source.to_string()).bind(filter.at.clone());
        let query = query.bind(filter.rule.clone()).bind(filter.key.map(|key| key.to_string()));
        let rows = self.rows(query.bind(behind).bind(limit)).await?;
        Ok(rows.iter().filter_map(numbered).collect())
    }

    /// The findings of a source by rule, those of a record alone where one is named.
    pub async fn finding_groups(
        &self,
        source: &SourceId,
        filter: &FindingFilter,
        job_at: Option<&str>,
    ) -> Result<Vec<FindingGroup>, OperationsError> {
        let held = held(filter);
        let text = format!(
            "SELECT grouped.*, findings.finding, findings.since AS example_since FROM (
                SELECT rule, severity, count(*) AS count, count(DISTINCT key) AS records, min(since) AS first,
                       count(DISTINCT concat_ws(' ', finding ->> 'focus_node', finding ->> 'property', finding ->> 'value')) AS places,
                       sum(since = ?5) AS new, coalesce(min(CASE WHEN suggests THEN id END), min(id)) AS example
                FROM findings WHERE source = ?1 AND {held}
                GROUP BY rule, severity
             ) AS grouped JOIN findings ON findings.id = grouped.example"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(source.to_string()).bind(filter.at.clone());
        let query = query.bind(filter.rule.clone()).bind(filter.key.map(|key| key.to_string()));
        let rows = self.rows(query.bind(job_at.map(ToOwned::to_owned))).await?;
        let number = |row: &sqlx::sqlite::SqliteRow, name| {
            u64::try_from(row.get::<Option<i64>, _>(name).unwrap_or(0)).unwrap_or(0)
        };
        let group = |row: &sqlx::sqlite::SqliteRow| {
            let mut example: Finding = serde_json::from_str(row.get("finding")).ok()?;
            example.since = row.get("example_since");
            Some(FindingGroup {
                rule: row.get("rule"),
                severity: severity_of(row.get("severity")),
                count: number(row, "count"),
                records: number(row, "records"),
                places: number(row, "places"),
                new: number(row, "new"),
                since: row.get("first"),
                example,
            })
        };
        Ok(rows.iter().filter_map(group).collect())
    }

    /// How the findings of a source changed from one time to another.
    pub async fn finding_changes(
        &self,
        source: &SourceId,
        from: &str,
        to: &str,
    ) -> Result<FindingChanges, OperationsError> {
        let new = "since > ?2 AND since <= ?3 AND (gone_at IS NULL OR gone_at > ?3)";
        let persisting = "since <= ?2 AND (gone_at IS NULL OR gone_at > ?3)";
        let new = self.counted(source, new, from, to).await?;
        let persisting = self.counted(source, persisting, from, to).await?;
        Ok(FindingChanges {
            new: new.iter().map(|rule| rule.count).sum(),
            gone: self.gone_between(source, from, to).await?,
            persisting: persisting.iter().map(|rule| rule.count).sum(),
        })
    }

    /// The findings that held at one time and were gone at another, by rule.
    pub async fn gone_between(
        &self,
        source: &SourceId,
        from: &str,
        to: &str,
    ) -> Result<Vec<RuleCount>, OperationsError> {
        self.counted(source, "since <= ?2 AND gone_at > ?2 AND gone_at <= ?3", from, to).await
    }

    async fn counted(
        &self,
        source: &SourceId,
        condition: &str,
        from: &str,
        to: &str,
    ) -> Result<Vec<RuleCount>, OperationsError> {
        let text = format!(
            "SELECT rule, count(*) AS count FROM findings WHERE source = ?1 AND {condition} GROUP BY rule ORDER BY count(*) DESC, rule"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(source.to_string());
        let rows = self.rows(query.bind(from.to_owned()).bind(to.to_owned())).await?;
        let count = |row: &sqlx::sqlite::SqliteRow| u64::try_from(row.get::<i64, _>("count")).unwrap_or(0);
        Ok(rows.iter().map(|row| RuleCount { rule: row.get("rule"), count: count(row) }).collect())
    }

    /// Forgets findings that ended before a time.
    pub async fn forget_findings(&self, before: &str) -> Result<u64, OperationsError> {
        // Those that ended with their record hold again when it is restored.
        let query = sqlx::query(
            "DELETE FROM findings WHERE gone_at < ? AND NOT EXISTS
             (SELECT 1 FROM records WHERE records.key = findings.key AND records.archived_at = findings.gone_at)",
        );
        self.run(query.bind(before.to_owned())).await
    }

    /// Ends the findings of records that leave the catalogue.
    pub(super) async fn end_findings(&self, keys: &str, now: &str) -> Result<(), OperationsError> {
        let query = sqlx::query(
            "UPDATE findings SET gone_at = ?2 WHERE key IN (SELECT value FROM json_each(?1)) AND gone_at IS NULL",
        );
        self.run(query.bind(keys.to_owned()).bind(now.to_owned())).await?;
        Ok(())
    }

    /// Has the findings hold again that ended when a record was archived.
    pub(super) async fn reopen_findings(&self, key: DatasetKey) -> Result<(), OperationsError> {
        let query = sqlx::query(
            "UPDATE findings SET gone_at = NULL WHERE key = ?1
             AND gone_at = (SELECT archived_at FROM records WHERE key = ?1)",
        );
        self.run(query.bind(key.to_string())).await?;
        Ok(())
    }

    /// Forgets what a run of a job at a time found, and what it ended.
    pub(super) async fn forget_found(&self, job: &str, time: &str) -> Result<(), OperationsError> {
        for statement in [
            "DELETE FROM findings WHERE since = ?2 AND source = (SELECT source FROM jobs WHERE id = ?1)",
            "UPDATE findings SET gone_at = NULL WHERE gone_at = ?2 AND source = (SELECT source FROM jobs WHERE id = ?1)",
        ] {
            self.run(sqlx::query(statement).bind(job.to_owned()).bind(time.to_owned())).await?;
        }
        Ok(())
    }
}

fn numbered(row: &sqlx::sqlite::SqliteRow) -> Option<NumberedFinding> {
    let mut finding: Finding = serde_json::from_str(row.get("finding")).ok()?;
    finding.since = row.get("since");
    Some(NumberedFinding { id: row.get("id"), key: row.get("key"), finding })
}

pub(super) fn severity_number(severity: Severity) -> i64 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Violation => 2,
    }
}

fn severity_of(number: i64) -> Severity {
    match number {
        2 => Severity::Violation,
        1 => Severity::Warning,
        _ => Severity::Info,
    }
}

pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("findings are plain values")
}
