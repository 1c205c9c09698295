//! How findings are written: what a job found anew, what it does not find any more, what stays.

use super::database::{Operations, OperationsError};
use super::findings::{json, severity_number};
use super::records::RecordRow;
use crate::catalog::{DatasetKey, Finding, SourceId};
use serde::Serialize;
use sqlx::{Row, Sqlite, Transaction};
use std::collections::HashMap;

/// What was found in a record, stored or not.
#[derive(Debug, Clone, Copy)]
pub struct RecordFindings<'f> {
    /// The source's identifier.
    pub source: &'f str,
    /// The record's key.
    pub key: &'f str,
    /// Its findings.
    pub findings: &'f [Finding],
}

impl<'f> From<&'f RecordRow> for RecordFindings<'f> {
    fn from(row: &'f RecordRow) -> Self {
        Self { source: &row.source, key: &row.key, findings: &row.findings }
    }
}

/// A finding as a row.
#[derive(Serialize)]
struct FindingRow<'f> {
    source: &'f str,
    key: &'f str,
    rule: &'f str,
    severity: i64,
    suggests: bool,
    finding: &'f Finding,
}

impl Operations {
    /// Writes what was found in records at a time: what was known keeps its own, what is not found any more ends.
    pub(super) async fn write_findings(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        rows: &[RecordFindings<'_>],
        now: &str,
    ) -> Result<(), OperationsError> {
        let mut known = self.known_findings(transaction, rows).await?;
        let (mut fresh, mut moved) = (Vec::new(), Vec::new());
        for row in rows {
            let mut of_record = known.remove(row.key).unwrap_or_default();
            for finding in row.findings {
                let same = of_record.iter().position(|(_, known)| known.fault() == finding.fault());
                let Some(same) = same else {
                    fresh.push(finding_row(*row, finding));
                    continue;
                };
                let (id, before) = of_record.swap_remove(same);
                if before != *finding {
                    moved.push((id, finding));
                }
            }
            known.insert(row.key.to_owned(), of_record);
        }
        let gone: Vec<i64> = known.into_values().flatten().map(|(id, _)| id).collect();
        let moved: Vec<_> = moved
            .iter()
            .map(|(id, finding)| {
                let severity = severity_number(finding.severity);
                serde_json::json!([id, finding, severity, finding.suggestion.is_some()])
            })
            .collect();
        let statements = [
            (
                "UPDATE findings SET gone_at = ?2 WHERE id IN (SELECT value FROM json_each(?1))",
                json(&gone),
                gone.is_empty(),
            ),
            (
                "UPDATE findings SET finding = one.value -> 1, severity = one.value ->> 2, suggests = one.value ->> 3
                 FROM json_each(?1) AS one WHERE findings.id = one.value ->> 0",
                json(&moved),
                moved.is_empty(),
            ),
            (
                "INSERT INTO findings (source, key, rule, severity, suggests, since, finding)
                 SELECT value ->> 'source', value ->> 'key', value ->> 'rule', value ->> 'severity',
                        value ->> 'suggests', ?2, value -> 'finding' FROM json_each(?1)",
                json(&fresh),
                fresh.is_empty(),
            ),
        ];
        for (statement, json, is_empty) in statements {
            if !is_empty {
                let query = sqlx::query(statement).bind(json).bind(now);
                query.execute(&mut **transaction).await.map_err(|error| self.error(error))?;
            }
        }
        Ok(())
    }

    /// The findings that hold of some records, by their keys.
    async fn known_findings(
        &self,
        transaction: &mut Transaction<'_, Sqlite>,
        rows: &[RecordFindings<'_>],
    ) -> Result<HashMap<String, Vec<(i64, Finding)>>, OperationsError> {
        let keys: Vec<&str> = rows.iter().map(|row| row.key).collect();
        let query = sqlx::query(
            "SELECT id, key, finding FROM findings WHERE key IN (SELECT value FROM json_each(?)) AND gone_at IS NULL",
        );
        let found =
            query.bind(json(&keys)).fetch_all(&mut **transaction).await.map_err(|error| self.error(error))?;
        let mut known: HashMap<String, Vec<(i64, Finding)>> = HashMap::new();
        for row in found {
            if let Ok(finding) = serde_json::from_str(row.get("finding")) {
                known.entry(row.get("key")).or_default().push((row.get("id"), finding));
            }
        }
        Ok(known)
    }

    /// Notes what was found in records that are held back: their publisher has to know of it most.
    pub async fn note_findings(&self, rows: &[RecordFindings<'_>], now: &str) -> Result<(), OperationsError> {
        // It reads before it writes: a lock that were asked for later only might be refused then.
        let begun = self.pool.begin_with("BEGIN IMMEDIATE").await;
        let mut transaction = begun.map_err(|error| self.error(error))?;
        self.write_findings(&mut transaction, rows, now).await?;
        transaction.commit().await.map_err(|error| self.error(error))
    }

    /// Ends the findings of records that a source had, that were never stored, and that it has no more.
    pub async fn end_findings_of_absent(
        &self,
        source: &SourceId,
        present: &[DatasetKey],
        now: &str,
    ) -> Result<(), OperationsError> {
        let present: Vec<String> = present.iter().map(ToString::to_string).collect();
        let query = sqlx::query(
            "UPDATE findings SET gone_at = ?2 WHERE source = ?1 AND gone_at IS NULL
             AND key NOT IN (SELECT value FROM json_each(?3)) AND key NOT IN (SELECT key FROM records WHERE source = ?1)",
        );
        self.run(query.bind(source.to_string()).bind(now.to_owned()).bind(json(&present))).await?;
        Ok(())
    }

    /// Adds a finding to a record's, unless it has one of that rule. Returns whether it was added.
    pub async fn add_finding(
        &self,
        key: DatasetKey,
        finding: &Finding,
        now: &str,
    ) -> Result<bool, OperationsError> {
        let severity = severity_number(finding.severity);
        let query = sqlx::query(
            "INSERT INTO findings (source, key, rule, severity, suggests, since, finding)
             SELECT source, key, ?2, ?3, ?4, ?5, ?6 FROM records WHERE key = ?1
             AND NOT EXISTS (SELECT 1 FROM findings WHERE key = ?1 AND rule = ?2 AND gone_at IS NULL)",
        );
        let query = query.bind(key.to_string()).bind(finding.rule.clone()).bind(severity);
        let query = query.bind(finding.suggestion.is_some()).bind(now.to_owned()).bind(json(finding));
        if self.run(query).await? == 0 {
            return Ok(false);
        }
        let column = ["info", "warning", "violation"][usize::try_from(severity).unwrap_or(0)];
        let query = format!("UPDATE records SET {column} = {column} + 1 WHERE key = ?");
        self.run(sqlx::query(sqlx::AssertSqlSafe(query)).bind(key.to_string())).await?;
        Ok(true)
    }
}

fn finding_row<'f>(row: RecordFindings<'f>, finding: &'f Finding) -> FindingRow<'f> {
    FindingRow {
        source: row.source,
        key: row.key,
        rule: &finding.rule,
        severity: severity_number(finding.severity),
        suggests: finding.suggestion.is_some(),
        finding,
    }
}
