//! The job report: the contract of `harvest --format json`.

use crate::catalog::{Finding, ItemError, Severity, SourceId, Syntax};
use crate::convert::UnmappedField;
use crate::lift::Prefixes;
use crate::operations::{ItemOutcome, JobState};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

/// Values as a source itself writes them, by class and by property.
pub type Examples = BTreeMap<String, BTreeMap<String, String>>;

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
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
    /// Its process ends; it goes on from the pages that it has read.
    Interrupted,
}

impl Status {
    /// The name that reports use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.state().as_str()
    }

    /// The state of the job in the operations database.
    #[must_use]
    pub fn state(self) -> JobState {
        match self {
            Self::Done => JobState::Done,
            Self::DoneWithErrors => JobState::DoneWithErrors,
            Self::Failed => JobState::Failed,
            Self::Held => JobState::Held,
            Self::Cancelled => JobState::Cancelled,
            Self::Interrupted => JobState::Interrupted,
        }
    }
}

/// What became of the records of a source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RecordCounts {
    /// Records in the crawl, those that failed included.
    pub seen: u64,
    /// New ones.
    pub added: u64,
    /// Ones whose statements changed.
    pub changed: u64,
    /// Ones that are as they were.
    pub unchanged: u64,
    /// Ones known under another identifier before.
    pub renamed: u64,
    /// Ones that the source lacks, within the days of grace.
    pub missing: u64,
    /// Ones removed from the catalogue in this job.
    pub archived: u64,
    /// Ones that came back.
    pub restored: u64,
    /// Ones that the source's filters do not want, among those that came.
    pub filtered: u64,
    /// Ones left out on purpose.
    pub skipped: u64,
    /// Ones that could not be taken in.
    pub failed: u64,
}

impl RecordCounts {
    /// What became of records, by the names that reports use.
    #[must_use]
    pub fn by_name(&self) -> [(&'static str, u64); 10] {
        [
            ("added", self.added),
            ("changed", self.changed),
            ("unchanged", self.unchanged),
            ("renamed", self.renamed),
            ("missing", self.missing),
            ("archived", self.archived),
            ("restored", self.restored),
            ("filtered", self.filtered),
            ("skipped", self.skipped),
            ("failed", self.failed),
        ]
    }

    /// Counts what became of a record.
    pub fn count(&mut self, outcome: ItemOutcome) {
        let count = match outcome {
            ItemOutcome::Added => &mut self.added,
            ItemOutcome::Changed => &mut self.changed,
            ItemOutcome::Unchanged => &mut self.unchanged,
            ItemOutcome::Renamed => &mut self.renamed,
            ItemOutcome::Missing => &mut self.missing,
            ItemOutcome::Archived => &mut self.archived,
            ItemOutcome::Restored => &mut self.restored,
            ItemOutcome::Skipped => &mut self.skipped,
            ItemOutcome::Failed => &mut self.failed,
        };
        *count += 1;
    }
}

/// Findings by severity, over all records that the crawl brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FindingCounts {
    /// Required by a profile.
    pub violation: u64,
    /// Recommended.
    pub warning: u64,
    /// For information.
    pub info: u64,
}

impl FindingCounts {
    /// Counts findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count() as u64;
        Self {
            violation: count(Severity::Violation),
            warning: count(Severity::Warning),
            info: count(Severity::Info),
        }
    }

    /// Adds other counts.
    pub fn add(&mut self, other: Self) {
        self.violation += other.violation;
        self.warning += other.warning;
        self.info += other.info;
    }
}

impl JobReport {
    /// The report of a job that failed before there was anything to count.
    #[must_use]
    pub fn failed(source: &SourceId, job: &str, why: &str, started: Instant) -> Self {
        Self {
            job: job.to_owned(),
            source: source.to_string(),
            kind: String::new(),
            status: Status::Failed,
            complete: false,
            pages: 0,
            records: RecordCounts::default(),
            services: 0,
            findings: FindingCounts::default(),
            errors: Vec::new(),
            held_back: Vec::new(),
            unmapped: Vec::new(),
            shared: 0,
            changed_since: None,
            at: String::new(),
            syntax: None,
            prefixes: Prefixes::new(),
            examples: Examples::new(),
            seconds: started.elapsed().as_secs_f64(),
            note: Some(why.to_owned()),
            phases: Vec::new(),
        }
    }
}

/// The report of a job.
#[derive(Debug, Clone, Serialize)]
pub struct JobReport {
    /// The job's identifier: a `UUIDv7`.
    pub job: String,
    /// The source's name.
    pub source: String,
    /// What it was read as.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// How it ended.
    pub status: Status,
    /// Whether all that the source has was read.
    pub complete: bool,
    /// Pages read.
    pub pages: u64,
    /// Records.
    pub records: RecordCounts,
    /// Records that are data services, among those seen.
    pub services: u64,
    /// Findings.
    pub findings: FindingCounts,
    /// What could not be taken in.
    pub errors: Vec<ItemError>,
    /// Records that are not published: those without a title, and those with violations where the source
    /// publishes valid ones alone. The first thousand.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_back: Vec<ItemError>,
    /// Fields of a platform's records that no mapping query reads, those of most records first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unmapped: Vec<UnmappedField>,
    /// Records that other sources have too; each is kept, and one of them is the authority.
    #[serde(skip_serializing_if = "is_zero")]
    pub shared: u64,
    /// Since when changes were asked for, where not all was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_since: Option<String>,
    /// When it began, in UTC: what it found first is known since then.
    pub at: String,
    /// The syntax of the source's pages, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syntax: Option<Syntax>,
    /// The prefixes that the source's pages declare.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub prefixes: Prefixes,
    /// A value of each property as the source itself writes it, by class and property: what others of its records lack.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub examples: Examples,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Why a job is held or failed, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Seconds by phase.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<(&'static str, f64)>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
