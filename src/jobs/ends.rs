//! How jobs end: who is told, and what is kept of them.

use super::notices::Notices;
use super::service::Service;
use crate::harvest::{HarvestError, JobReport, Status};
use crate::operations::{JobRow, JobState, SourceRow};
use jiff::Timestamp;
use std::time::Instant;

/// Jobs of a source whose unchanged records are listed.
const LISTED: i64 = 10;

impl Service {
    /// Tells how a job ended.
    pub(super) fn tell(&self, job: &JobRow, report: &JobReport) -> Result<(), HarvestError> {
        tracing::info!(
            job = job.id,
            source = job.source,
            status = report.status.as_str(),
            seen = report.records.seen,
            seconds = report.seconds,
            "the job ended"
        );
        for (phase, seconds) in &report.phases {
            tracing::info!(job = job.id, source = job.source, phase, seconds, "phase");
        }
        self.metrics.count(report);
        let runtime = &self.runner.runtime;
        let Some(row) = runtime.block_on(self.operations.source_named(&job.source))? else { return Ok(()) };
        let now = Timestamp::now();
        let notices = Notices { operations: &self.operations, config: &self.runner.config, now };
        runtime.block_on(notices.of_job(&row, report))?;
        self.forget_pages(&row)
    }

    /// Ends a job whose source is not followed any more.
    pub(super) fn end_cancelled(&self, job: &JobRow) -> Result<(), HarvestError> {
        let runtime = &self.runner.runtime;
        let Some(row) = runtime.block_on(self.operations.source_named(&job.source))? else { return Ok(()) };
        let why = "the source is not accepted, or was removed; nothing was asked of it";
        let report =
            JobReport { status: Status::Cancelled, ..JobReport::failed(&row.slug, &job.id, why, Instant::now()) };
        let text = serde_json::to_string(&report).expect("a report is plain values");
        let now = Timestamp::now().to_string();
        runtime.block_on(self.operations.end_job(&job.id, JobState::Cancelled, &text, &now))?;
        Ok(())
    }

    /// Ends a job that could not end itself.
    pub(super) fn end_failed(&self, job: &JobRow, why: &str) -> Result<(), HarvestError> {
        tracing::error!(job = job.id, source = job.source, why, "the job failed");
        let runtime = &self.runner.runtime;
        let Some(row) = runtime.block_on(self.operations.source_named(&job.source))? else { return Ok(()) };
        let report = JobReport::failed(&row.slug, &job.id, why, Instant::now());
        let text = serde_json::to_string(&report).expect("a report is plain values");
        let now = Timestamp::now();
        runtime.block_on(self.operations.end_job(&job.id, JobState::Failed, &text, &now.to_string()))?;
        self.metrics.count(&report);
        let notices = Notices { operations: &self.operations, config: &self.runner.config, now };
        runtime.block_on(notices.of_job(&row, &report))?;
        Ok(())
    }

    /// Removes the pages of jobs that are not among the last of their source.
    fn forget_pages(&self, row: &SourceRow) -> Result<(), HarvestError> {
        let runtime = &self.runner.runtime;
        let kept = i64::try_from(self.runner.config.service.keep_pages).unwrap_or(i64::MAX);
        for job in runtime.block_on(self.operations.jobs_behind(&row.slug, kept))? {
            let _ = std::fs::remove_file(self.runner.workplace.tape(&job));
        }
        let behind = runtime.block_on(self.operations.jobs_behind(&row.slug, LISTED))?;
        runtime.block_on(self.operations.forget_unchanged(&behind))?;
        Ok(())
    }
}
