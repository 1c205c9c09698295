//! What a job tells, gives, and fails of.

use super::differences::Difference;
use super::profiles::ProfileError;
use super::report::JobReport;
use crate::catalog::{Finding, SourceId, with_causes};
use crate::convert::{MappingError, QueryError};
use crate::operations::{DerivedRow, OperationsError, SourceRow};
use crate::source::{FilterError, SourceError};
use crate::store::StoreError;
use std::time::Instant;

/// Why a job could not run.
#[derive(Debug, thiserror::Error)]
pub enum HarvestError {
    /// The source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Another job left the store half written; it is opened anew.
    #[error("another job could not write what it had read; this one goes on as soon as the store is mended")]
    Spoiled,
    /// Somebody ended the job.
    #[error("the job was cancelled; nothing of it was stored")]
    Cancelled,
    /// The process ends.
    #[error("the job was interrupted; it goes on from the pages that it has read")]
    Interrupted,
    /// The pages of the job cannot be kept.
    #[error("{}: the pages of the job cannot be kept, or read again", path.display())]
    Tape {
        /// The file.
        path: std::path::PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A second name for one address.
    #[error("{url} is the source {known} already; leave --source out, or give it that name instead of {asked}")]
    Name {
        /// The address.
        url: String,
        /// The name it has.
        known: SourceId,
        /// The name that was given.
        asked: SourceId,
    },
    /// The operations database failed.
    #[error(transparent)]
    Operations(#[from] OperationsError),
    /// A conversion query failed.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A profile cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A filter cannot be used.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// What the source adds to its mapping cannot be used.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// The record that was asked for is not there.
    #[error(
        "none of the {read} records read is {record:?}: a record goes by its identifier, its name or its node"
    )]
    NoSuchRecord {
        /// What was asked for.
        record: String,
        /// The records that were read.
        read: u64,
    },
}

/// What a running job tells.
#[derive(Debug, Clone, Copy)]
pub enum Progress {
    /// It is reading.
    Reading {
        /// Records so far.
        records: u64,
        /// Pages so far, the present one included.
        pages: u64,
    },
    /// It begins something else.
    Phase(&'static str),
}

/// What a job gives.
#[derive(Debug)]
pub struct Harvested {
    /// Its report.
    pub report: JobReport,
    /// Of a dry run, what was found.
    pub findings: Vec<Finding>,
    /// How many records the source says that it has.
    pub announced: Option<u64>,
    /// Of a dry run, the records as they would be, where they were asked for.
    pub records: Vec<DerivedRow>,
    /// Of a dry run, the first records that would be different, where they were asked for.
    pub differences: Vec<Difference>,
    /// How many records would be different.
    pub different: u64,
}

/// A job that failed: what is known of it, and why.
#[derive(Debug)]
pub struct FailedJob {
    /// Its report, with status `failed`.
    pub report: JobReport,
    /// Why.
    pub error: HarvestError,
}

impl FailedJob {
    /// A job that failed before it began.
    #[must_use]
    pub fn before(row: &SourceRow, error: HarvestError) -> Box<Self> {
        let report = JobReport::failed(&row.slug, "", &with_causes(&error), Instant::now());
        Box::new(Self { report, error })
    }
}
