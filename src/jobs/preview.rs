//! What a harvest of a source would bring, before it is one: nothing is written, anywhere.

use super::runner::{RunError, Runner};
use crate::catalog::Finding;
use crate::harvest::{JobReport, Writing};
use crate::operations::{SourceRow, ValidationState};
use serde::Serialize;
use std::time::Duration;

/// Records of a preview.
const RECORDS: u64 = 20;
/// The longest time that a preview takes.
const LONGEST: Duration = Duration::from_secs(120);

/// What a harvest would bring.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The report of the job that was not one.
    pub report: JobReport,
    /// How many records the source says that it has.
    pub announced: Option<u64>,
    /// The first records, as they would be.
    pub records: Vec<serde_json::Value>,
    /// What was found in them.
    pub findings: Vec<Finding>,
}

/// Previews a source, registered or not. Blocks its thread.
///
/// # Errors
/// When its settings cannot be used, or it cannot be read.
pub fn preview(runner: &Runner, row: &SourceRow) -> Result<Preview, RunError> {
    let mut options = runner.options(row, Writing::DryRun)?;
    options.max_records = Some(RECORDS);
    options.keep_records = true;
    options.limits.time = LONGEST;
    if row.validation.state != ValidationState::Accepted {
        // A key goes to the address that an administrator accepted, and to no other.
        options.token = None;
    }
    let profiles = runner.profiles(&row.settings.profiles)?;
    let harvested = runner.run(row, &options, &profiles, &mut |_| ()).map_err(|failed| failed.error)?;
    let records = harvested.records.iter().filter_map(|row| {
        let json = zstd::decode_all(&row.record[..]).ok()?;
        serde_json::from_slice(&json).ok()
    });
    Ok(Preview {
        announced: harvested.announced,
        records: records.collect(),
        findings: harvested.findings,
        report: harvested.report,
    })
}
