//! Jobs: queued, run, and ended; none outlives its process as running.

use super::database::{Operations, OperationsError};
use crate::catalog::SourceId;
use serde::{Deserialize, Serialize};
use sqlx::Row;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// It waits for a worker.
    Queued,
    /// A process works at it.
    Running,
    /// Everything went in.
    Done,
    /// Some records or pages did not.
    DoneWithErrors,
    /// Nothing could be read.
    Failed,
    /// So many records would be archived that a person must confirm it.
    Held,
    /// A person ended it; nothing of it was stored.
    Cancelled,
    /// Its process ended; it goes on from the pages that it had read.
    Interrupted,
}

impl JobState {
    const ALL: [Self; 8] = [
        Self::Queued,
        Self::Running,
        Self::Done,
        Self::DoneWithErrors,
        Self::Failed,
        Self::Held,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// The name that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::DoneWithErrors => "done-with-errors",
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// Reads a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether nothing more happens to the job.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running | Self::Interrupted)
    }
}

/// Why a job is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// `moisson harvest`.
    Command,
    /// The source's schedule.
    Schedule,
    /// Somebody asked for it.
    Person,
    /// The source was accepted.
    Acceptance,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Schedule => "schedule",
            Self::Person => "person",
            Self::Acceptance => "acceptance",
        }
    }
}

/// A job.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its identifier: a `UUIDv7`.
    pub id: String,
    /// Its source.
    pub source: String,
    /// Why it is run.
    pub cause: String,
    /// When it was asked for.
    pub queued_at: String,
    /// When it was begun, the last time.
    pub started_at: Option<String>,
    /// When it ended.
    pub ended_at: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: i64,
    /// Records read so far.
    pub records: i64,
    /// Pages read so far.
    pub pages: i64,
    /// Whether somebody asked for its end.
    pub cancel_asked: bool,
    /// Its report, as JSON.
    pub report: Option<String>,
}

impl Operations {
    /// Queues a job of a source, unless one waits or runs already, which is then given.
    pub async fn queue_job(&self, source: &SourceId, cause: Cause, now: &str) -> Result<JobRow, OperationsError> {
        let id = uuid::Uuid::now_v7().to_string();
        let query = sqlx::query(
            "INSERT INTO jobs (id, source, cause, queued_at, status, attempts) SELECT ?1, ?2, ?3, ?4, 'queued', 0
             WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE source = ?2 AND status IN ('queued', 'running', 'interrupted'))",
        );
        let query = query.bind(id).bind(source.to_string()).bind(cause.as_str()).bind(now.to_owned());
        self.run(query).await?;
        let open = sqlx::query(
            "SELECT * FROM jobs WHERE source = ? AND status IN ('queued', 'running', 'interrupted') ORDER BY queued_at LIMIT 1",
        );
        match self.row(open.bind(source.to_string())).await? {
            Some(row) => Ok(job_row(&row)),
            // It ended between the two statements.
            None => Box::pin(self.queue_job(source, cause, now)).await,
        }
    }

    /// Takes the job that waits longest and whose source has none that runs; it runs from now on.
    pub async fn take_job(&self, now: &str) -> Result<Option<JobRow>, OperationsError> {
        let query = sqlx::query(
            "UPDATE jobs SET status = 'running', started_at = ?1, attempts = attempts + 1 WHERE id =
                (SELECT id FROM jobs AS waiting WHERE status IN ('queued', 'interrupted') AND NOT EXISTS
                    (SELECT 1 FROM jobs AS other WHERE other.source = waiting.source AND other.status = 'running')
                 ORDER BY queued_at, id LIMIT 1)
             RETURNING *",
        );
        Ok(self.row(query.bind(now.to_owned())).await?.as_ref().map(job_row))
    }

    /// Puts a job that cannot run now back into the queue.
    pub async fn put_back(&self, id: &str) -> Result<(), OperationsError> {
        // It ended in good order: only attempts that took their process with them count.
        let query = sqlx::query(
            "UPDATE jobs SET status = 'interrupted', attempts = max(attempts - 1, 0) WHERE id = ? AND status = 'running'",
        );
        self.run(query.bind(id.to_owned())).await?;
        Ok(())
    }

    /// Notes that a job runs, whether it was queued or not.
    pub async fn start_job(&self, id: &str, source: &SourceId, now: &str) -> Result<(), OperationsError> {
        let query = sqlx::query(
            "INSERT INTO jobs (id, source, queued_at, started_at, status) VALUES (?1, ?2, ?3, ?3, 'running')
             ON CONFLICT (id) DO UPDATE SET status = 'running'",
        );
        self.run(query.bind(id.to_owned()).bind(source.to_string()).bind(now.to_owned())).await?;
        Ok(())
    }

    /// Notes how far a job is. Returns whether somebody asked for its end.
    pub async fn note_progress(&self, id: &str, records: u64, pages: u64) -> Result<bool, OperationsError> {
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        let query = sqlx::query("UPDATE jobs SET records = ?, pages = ? WHERE id = ? RETURNING cancel_asked");
        let query = query.bind(number(records)).bind(number(pages)).bind(id.to_owned());
        Ok(self.row(query).await?.is_some_and(|row| row.get("cancel_asked")))
    }

    /// Asks for the end of a job. One that waits ends at once. Returns whether there was anything to end.
    pub async fn ask_cancel(&self, id: &str, now: &str) -> Result<bool, OperationsError> {
        let waiting = sqlx::query(
            "UPDATE jobs SET status = 'cancelled', ended_at = ? WHERE id = ? AND status IN ('queued', 'interrupted')",
        );
        let ended = self.run(waiting.bind(now.to_owned()).bind(id.to_owned())).await?;
        let running = sqlx::query("UPDATE jobs SET cancel_asked = 1 WHERE id = ? AND status = 'running'");
        Ok(ended + self.run(running.bind(id.to_owned())).await? > 0)
    }

    /// The jobs of a source that have not ended.
    pub async fn open_jobs(&self, source: &SourceId) -> Result<Vec<String>, OperationsError> {
        let query =
            sqlx::query("SELECT id FROM jobs WHERE source = ? AND status IN ('queued', 'running', 'interrupted')");
        let rows = self.rows(query.bind(source.to_string())).await?;
        Ok(rows.iter().map(|row| row.get("id")).collect())
    }

    /// Asks for the end of all open jobs of a source.
    pub async fn cancel_jobs_of(&self, source: &SourceId, now: &str) -> Result<(), OperationsError> {
        for job in self.open_jobs(source).await? {
            self.ask_cancel(&job, now).await?;
        }
        Ok(())
    }

    /// Marks jobs that run as interrupted: their process is gone. Returns how many there were.
    pub async fn interrupt_running(&self) -> Result<u64, OperationsError> {
        self.run(sqlx::query("UPDATE jobs SET status = 'interrupted' WHERE status = 'running'")).await
    }

    /// The job of a source that its process left, if there is one.
    pub async fn interrupted_job(&self, source: &SourceId) -> Result<Option<JobRow>, OperationsError> {
        let query = sqlx::query(
            "SELECT * FROM jobs WHERE source = ? AND status = 'interrupted' ORDER BY queued_at DESC LIMIT 1",
        );
        Ok(self.row(query.bind(source.to_string())).await?.as_ref().map(job_row))
    }

    /// Notes the end of a job.
    pub async fn end_job(
        &self,
        id: &str,
        state: JobState,
        report: &str,
        now: &str,
    ) -> Result<(), OperationsError> {
        let query = sqlx::query("UPDATE jobs SET status = ?, report = ?, ended_at = ? WHERE id = ?");
        let query = query.bind(state.as_str()).bind(report.to_owned()).bind(now.to_owned());
        self.run(query.bind(id.to_owned())).await?;
        Ok(())
    }

    /// A job.
    pub async fn job(&self, id: &str) -> Result<Option<JobRow>, OperationsError> {
        let query = sqlx::query("SELECT * FROM jobs WHERE id = ?");
        Ok(self.row(query.bind(id.to_owned())).await?.as_ref().map(job_row))
    }

    /// Jobs, of one source or of all, the newest first, and how many there are.
    pub async fn jobs(
        &self,
        source: Option<&SourceId>,
        skip: i64,
        limit: i64,
    ) -> Result<(Vec<JobRow>, i64), OperationsError> {
        let source = source.map(ToString::to_string);
        let query = sqlx::query(
            "SELECT * FROM jobs WHERE ?1 IS NULL OR source = ?1 ORDER BY queued_at DESC, id DESC LIMIT ?2 OFFSET ?3",
        );
        let rows = self.rows(query.bind(source.clone()).bind(limit).bind(skip)).await?;
        let total = sqlx::query("SELECT count(*) AS total FROM jobs WHERE ?1 IS NULL OR source = ?1");
        let total = self.row(total.bind(source)).await?.map_or(0, |row| row.get("total"));
        Ok((rows.iter().map(job_row).collect(), total))
    }

    /// How many jobs stand where.
    pub async fn jobs_by_state(&self) -> Result<Vec<(JobState, i64)>, OperationsError> {
        let rows = self.rows(sqlx::query("SELECT status, count(*) AS total FROM jobs GROUP BY status")).await?;
        Ok(rows.iter().filter_map(|row| Some((JobState::parse(row.get("status"))?, row.get("total")))).collect())
    }

    /// The jobs of a source behind its newest ones, whose pages need not be kept.
    pub async fn jobs_behind(&self, source: &SourceId, newest: i64) -> Result<Vec<String>, OperationsError> {
        let query =
            sqlx::query("SELECT id FROM jobs WHERE source = ? ORDER BY queued_at DESC, id DESC LIMIT -1 OFFSET ?");
        let rows = self.rows(query.bind(source.to_string()).bind(newest)).await?;
        Ok(rows.iter().map(|row| row.get("id")).collect())
    }

    /// Forgets jobs that ended before a time, with their items. Returns how many.
    pub async fn forget_jobs(&self, before: &str) -> Result<u64, OperationsError> {
        self.run(sqlx::query("DELETE FROM jobs WHERE ended_at < ?").bind(before.to_owned())).await
    }
}

fn job_row(row: &sqlx::sqlite::SqliteRow) -> JobRow {
    let state: String = row.get("status");
    JobRow {
        id: row.get("id"),
        source: row.get("source"),
        cause: row.get("cause"),
        queued_at: row.get("queued_at"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
        state: JobState::parse(&state).unwrap_or(JobState::Failed),
        attempts: row.get("attempts"),
        records: row.get("records"),
        pages: row.get("pages"),
        cancel_asked: row.get("cancel_asked"),
        report: row.get("report"),
    }
}
