//! A job run again over the very bytes that it was answered, under other mappings or profiles: what would be
//! different. Nothing is stored.

use super::runner::{RunError, Runner};
use crate::fetch::{Tape, TapeMode};
use crate::harvest::{Difference, HarvestError, JobReport, Writing};
use crate::operations::{JobRow, SourceRow};
use serde::Serialize;
use std::path::PathBuf;

/// What would be different.
#[derive(Debug, Serialize)]
pub struct Replayed {
    /// The report of the job that was not one.
    pub report: JobReport,
    /// Records that would be other than they are, the first thousand.
    pub differences: Vec<Difference>,
    /// How many records would be other than they are.
    pub different: u64,
    /// Findings by rule: as they are stored, and as they would be.
    pub findings: Vec<RuleDifference>,
}

/// How often a rule is broken, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleDifference {
    /// The rule.
    pub rule: String,
    /// Findings that are stored.
    pub before: u64,
    /// Findings that there would be.
    pub after: u64,
}

/// Runs a job again. More mapping files add to those of the source; profiles take the place of its own.
/// Blocks its thread.
///
/// # Errors
/// When the job's pages are kept no longer, or its settings cannot be used.
pub fn replay(
    runner: &Runner,
    row: &SourceRow,
    job: &JobRow,
    mapping: &[PathBuf],
    profiles: &[String],
) -> Result<Replayed, RunError> {
    let path = runner.workplace.tape(&job.id);
    let tape = Tape::open(&path, TapeMode::Replaying).map_err(|source| HarvestError::Tape { path, source })?;
    let mut row = row.clone();
    row.settings.mapping.extend(mapping.iter().cloned());
    let mut options = runner.options(&row, Writing::DryRun)?;
    options.replay = Some(tape);
    options.keep_differences = true;
    let report: serde_json::Value =
        job.report.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    options.changed_since = report["changed_since"].as_str().and_then(|text| text.parse().ok());
    let names = if profiles.is_empty() { &row.settings.profiles[..] } else { profiles };
    let compiled = runner.profiles(names)?;
    let harvested = runner.run(&row, &options, &compiled, &mut |_| ()).map_err(|failed| failed.error)?;
    let stored = runner
        .runtime
        .block_on(async { runner.workplace.operations_read_only().await?.findings_of_source(&row.slug).await })
        .map_err(HarvestError::from)?;
    let mut rules: std::collections::BTreeMap<String, (u64, u64)> = std::collections::BTreeMap::new();
    for finding in stored {
        rules.entry(finding.rule).or_default().0 += 1;
    }
    for finding in &harvested.findings {
        rules.entry(finding.rule.clone()).or_default().1 += 1;
    }
    let findings = rules
        .into_iter()
        .filter(|(_, (before, after))| before != after)
        .map(|(rule, (before, after))| RuleDifference { rule, before, after });
    Ok(Replayed {
        different: harvested.different,
        differences: harvested.differences,
        findings: findings.collect(),
        report: harvested.report,
    })
}
